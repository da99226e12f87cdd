"""The exact share of each cell that polygons cover, and polygons transformed to the coordinates of a raster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from pyproj import CRS, Transformer
from rasterio import Affine
from rasterio.windows import Window

from lzgis.rasters.grid import DEGREES, Grid
from lzgis.rasters.recut import recut

Geometries = npt.NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Zones:
    """Polygons by which a raster is summarised, in degrees: levels, ids, names and geometries, all of the same length."""

    level: npt.NDArray[np.object_]
    id: npt.NDArray[np.object_]
    name: npt.NDArray[np.object_]
    geometry: npt.NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.id)


class Cover(NamedTuple):
    """The cells of a window of a raster that one zone covers: rows and columns in the window, and covered shares."""

    zone: int
    row: npt.NDArray[np.intp]
    column: npt.NDArray[np.intp]
    share: npt.NDArray[np.float64]


def zones_of(parts: Sequence[tuple[str, str, str, shapely.Geometry]]) -> Zones:
    """Make zones of tuples (level, id, name, geometry)."""
    columns = [np.array([p[k] for p in parts], dtype=object) for k in range(3)]
    geometry = np.empty(len(parts), dtype=object)
    geometry[:] = [p[3] for p in parts]
    return Zones(columns[0], columns[1], columns[2], geometry)


def to_grid(grid: Grid, geometries: Any) -> Geometries:
    """Transform geometries from degrees to the coordinates of a raster, vertex by vertex."""
    return _transformed(grid, geometries, (DEGREES, grid.crs))


def from_grid(grid: Grid, geometries: Any) -> Geometries:
    """Transform geometries from the coordinates of a raster to degrees, vertex by vertex."""
    return _transformed(grid, geometries, (grid.crs, DEGREES))


def _transformed(grid: Grid, geometries: Any, systems: tuple[CRS, CRS]) -> Geometries:
    array = np.asarray(geometries, dtype=object)
    if grid.crs.is_geographic:
        return array
    move: Any = Transformer.from_crs(*systems, always_xy=True).transform
    moved: Geometries = np.asarray(shapely.transform(array, move, interleaved=False), dtype=np.object_)
    return moved


def covers(grid: Grid, geometries: Any, window: Window) -> Iterator[Cover]:
    """Find the cells of one window of a raster that polygons (in coordinates of the raster) cover.

    Shares are exact: a cell of which a zone covers a tenth counts as a tenth. Lines and points cover nothing.
    """
    near = shapely.intersects(geometries, shapely.box(*grid.window_bounds(window)))
    crs = grid.crs.to_wkt()
    # One zone at a time: a list of all cells of all zones could exceed the memory.
    for zone in np.flatnonzero(near & (shapely.get_dimensions(geometries) == 2)):
        part = _clipped_window(grid, geometries[zone], window)
        if part is None:
            continue
        share = _shares(grid, geometries[zone], part, crs)
        row, column = np.nonzero(share)
        if len(row):
            rows, columns = row + part.row_off - window.row_off, column + part.col_off - window.col_off
            yield Cover(int(zone), rows, columns, share[row, column])


def _clipped_window(grid: Grid, polygon: shapely.Geometry, window: Window) -> Window | None:
    """Clip a window to the bounds of a polygon; None if they only touch."""
    west, south, east, north = shapely.bounds(polygon)
    move = grid.transform
    left = max(int(np.floor((west - move.c) / move.a)), window.col_off)
    right = min(int(np.floor((east - move.c) / move.a)) + 1, window.col_off + window.width)
    top = max(int(np.floor((north - move.f) / move.e)), window.row_off)
    bottom = min(int(np.floor((south - move.f) / move.e)) + 1, window.row_off + window.height)
    return Window(left, top, right - left, bottom - top) if left < right and top < bottom else None


def _shares(grid: Grid, polygon: shapely.Geometry, part: Window, crs: str) -> npt.NDArray[np.float64]:
    west, south, east, north = grid.window_bounds(part)
    shape = (part.height, part.width)
    cells = NumPyRasterSource(np.zeros(shape, np.uint8), xmin=west, ymin=south, xmax=east, ymax=north, srs_wkt=crs)
    frame = gpd.GeoDataFrame(geometry=[polygon], crs=crs)
    found = exact_extract(cells, frame, ["cell_id", "coverage"], output="pandas").iloc[0]
    share = np.zeros(part.height * part.width)
    share[np.asarray(found["cell_id"], dtype=np.intp)] = found["coverage"]
    share = share.reshape(shape)
    # exactextract 0.3 may be wrong by a whole cell where a border runs through a corner or along a side of a cell, as
    # borders that were traced along the same grid do. Those cells are cut one by one.
    move = Affine(grid.transform.a, 0.0, west, 0.0, grid.transform.e, north)
    recut(share, polygon, move)
    return share
