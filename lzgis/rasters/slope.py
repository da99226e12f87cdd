"""Slope from an elevation raster, in the classes of territorial planning."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from rasterio.windows import Window

from lzgis.rasters.grid import Grid

#: Upper limits of the classes, degrees; the last class has none.
LIMITS_DEG = (2.0, 6.0, 15.0, 25.0)
CLASSES = ("≤2°", "2–6°", "6–15°", "15–25°", ">25°")
STEEP = len(CLASSES) - 1
NO_SLOPE = len(CLASSES)


def slope_deg(elevation: Any, cell_m: tuple[Any, Any]) -> npt.NDArray[np.float64]:
    """Compute the slope by Horn's method, in degrees; NaN where there is no elevation.

    Parameters
    ----------
    elevation : array of float
        Heights in metres, the northern row first, NaN where there is none. For a missing
        neighbour, the height of the cell itself is used.
    cell_m : tuple
        Width and height of the cells, m: numbers, or arrays of one column with a value for each row of cells.

    Examples
    --------
    >>> ramp = np.tile(np.arange(5) * 10.0, (5, 1))
    >>> round(float(slope_deg(ramp, (10.0, 10.0))[2, 2]), 6)
    45.0
    """
    z = np.asarray(elevation, dtype=np.float64)
    around = np.pad(z, 1, mode="edge")
    rows, columns = z.shape

    def at(south: int, east: int) -> Any:
        near = around[1 + south : 1 + south + rows, 1 + east : 1 + east + columns]
        return np.where(np.isnan(near), z, near)

    east = at(-1, 1) + 2 * at(0, 1) + at(1, 1) - at(-1, -1) - 2 * at(0, -1) - at(1, -1)
    south = at(1, -1) + 2 * at(1, 0) + at(1, 1) - at(-1, -1) - 2 * at(-1, 0) - at(-1, 1)
    rise: npt.NDArray[np.float64] = np.hypot(east / (8 * cell_m[0]), south / (8 * cell_m[1]))
    return np.where(np.isnan(z), np.nan, np.degrees(np.arctan(rise)))


def slope_codes(grid: Grid, window: Window) -> npt.NDArray[np.intp]:
    """Return the slope class of each cell of a window of an elevation raster; `NO_SLOPE` where there is no elevation."""
    rows, columns = grid.shape
    top, left = max(window.row_off - 1, 0), max(window.col_off - 1, 0)
    bottom = min(window.row_off + window.height + 1, rows)
    right = min(window.col_off + window.width + 1, columns)
    wider = Window(left, top, right - left, bottom - top)
    heights = grid.read(wider).astype(np.float64).filled(np.nan)
    steepness = slope_deg(heights, grid.cell_sizes_m(wider))
    inner = (
        slice(window.row_off - top, window.row_off - top + window.height),
        slice(window.col_off - left, window.col_off - left + window.width),
    )
    # A slope that exceeds a limit by a rounding error only belongs to the lower class.
    codes = np.searchsorted(np.array(LIMITS_DEG) + 1e-9, np.nan_to_num(steepness[inner]), side="left")
    return np.where(np.isnan(steepness[inner]), NO_SLOPE, codes)
