"""Count cells: how much of each zone has which code, in cells and in square metres on the ellipsoid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
from rasterio.windows import Window

from lzgis.city.catalogue import Catalogue
from lzgis.rasters.cover import covers, from_grid
from lzgis.rasters.grid import TILE, Grid

#: Returns the codes, from 0, of the cells of a window of a raster.
Coder = Callable[[Window], npt.NDArray[np.intp]]


class Table(NamedTuple):
    """One row per zone, one column per code: sum of the covered shares of cells, and their area, m²."""

    cells: npt.NDArray[np.float64]
    area: npt.NDArray[np.float64]


def tabulate(grid: Grid, geometries: Any, code: Coder, codes: int, *, tile: int = TILE) -> Table:
    """Add up the covered shares of the cells of each code, for polygons in coordinates of the raster.

    Only one window of the raster is in memory at a time.
    """
    cells, area = np.zeros((len(geometries), codes)), np.zeros((len(geometries), codes))
    for window in grid.windows(tile):
        read: tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]] | None = None
        for cover in covers(grid, geometries, window):
            read = read or (code(window), grid.cell_areas(window))
            values, size = read
            here = values[cover.row, cover.column]
            of_cell = size[cover.row, np.minimum(cover.column, size.shape[1] - 1)]
            cells[cover.zone] += np.bincount(here, cover.share, codes)
            area[cover.zone] += np.bincount(here, cover.share * of_cell, codes)
    return Table(cells, area)


def area_outside(grid: Grid, geometries: Any, city: Catalogue) -> npt.NDArray[np.float64]:
    """Return the area of the part of each polygon (in coordinates of the raster) outside the raster, m²."""
    frame = shapely.box(*grid.bounds)
    area = np.zeros(len(geometries))
    out = np.flatnonzero(~shapely.covered_by(geometries, frame))
    rest = shapely.difference(geometries[out], frame)
    area[out] = shapely.area(city.plane.project(from_grid(grid, rest))) if len(out) else 0.0
    return area
