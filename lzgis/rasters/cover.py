"""What share of each cell polygons cover, exactly, and polygons brought to the grid of a raster."""

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
from pyproj import Transformer
from rasterio.windows import Window

from lzgis.rasters.grid import DEGREES, Grid

Geometries = npt.NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Zones:
    """Polygons to take stock of, in degrees: what level they are of, ids, names and geometries, all of one length."""

    level: npt.NDArray[np.object_]
    id: npt.NDArray[np.object_]
    name: npt.NDArray[np.object_]
    geometry: npt.NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.id)


class Cover(NamedTuple):
    """The cells of a piece of a raster that one zone covers: rows and columns in the piece, and covered shares."""

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
    """Bring geometries from degrees to the coordinates of a raster, vertex by vertex."""
    return _moved(grid, geometries, forth=True)


def from_grid(grid: Grid, geometries: Any) -> Geometries:
    """Bring geometries from the coordinates of a raster to degrees, vertex by vertex."""
    return _moved(grid, geometries, forth=False)


def _moved(grid: Grid, geometries: Any, *, forth: bool) -> Geometries:
    array = np.asarray(geometries, dtype=object)
    if grid.crs.is_geographic:
        return array
    systems = (DEGREES, grid.crs) if forth else (grid.crs, DEGREES)
    move: Any = Transformer.from_crs(*systems, always_xy=True).transform
    moved: Geometries = np.asarray(shapely.transform(array, move, interleaved=False), dtype=np.object_)
    return moved


def covers(grid: Grid, geometries: Any, window: Window) -> Iterator[Cover]:
    """Find the cells of one piece of a raster that polygons (in coordinates of the raster) cover.

    Shares are exact: a cell of which a zone covers a tenth is counted as a tenth.
    """
    west, south, east, north = grid.window_bounds(window)
    near = np.flatnonzero(shapely.intersects(geometries, shapely.box(west, south, east, north)))
    if not len(near):
        return
    crs = grid.crs.to_wkt()
    cells = NumPyRasterSource(
        np.zeros((window.height, window.width), np.uint8), xmin=west, ymin=south, xmax=east, ymax=north, srs_wkt=crs
    )
    for zone in near:
        # One zone at a time: a list of all cells of all zones would not fit for long.
        frame = gpd.GeoDataFrame(geometry=geometries[[zone]], crs=crs)
        found = exact_extract(cells, frame, ["cell_id", "coverage"], output="pandas").iloc[0]
        cell = np.asarray(found["cell_id"], dtype=np.intp)
        if len(cell):
            row, column = np.divmod(cell, window.width)
            yield Cover(int(zone), row, column, np.asarray(found["coverage"], dtype=np.float64))
