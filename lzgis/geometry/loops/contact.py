"""Whether the borders of two cut polygons come near each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lzgis.geometry.features import Floats
from lzgis.geometry.loops.cells import Cells
from lzgis.geometry.loops.chains import Int64s
from lzgis.geometry.loops.compiled import array_loop, inner_loop
from lzgis.geometry.loops.directory import Directory

_Four = tuple[float, float, float, float]


@inner_loop
def _ends(p: Floats, i: int, still: int) -> _Four:
    if i >= still and p[i, 0] == p[i, 1]:
        return p[i, 0], p[i, 2], p[i, 0], p[i, 3]
    return p[i, 0], p[i, 2], p[i, 1], p[i, 2] + p[i, 3] * (p[i, 1] - p[i, 0])


@inner_loop
def _from_point(x: float, y: float, s: _Four) -> float:
    dx, dy = s[2] - s[0], s[3] - s[1]
    along = (x - s[0]) * dx + (y - s[1]) * dy
    square = dx * dx + dy * dy
    t = 0.0 if square == 0.0 else min(max(along / square, 0.0), 1.0)
    ex, ey = x - s[0] - t * dx, y - s[1] - t * dy
    return ex * ex + ey * ey


@inner_loop
def _turn(s: _Four, x: float, y: float) -> float:
    return (s[2] - s[0]) * (y - s[1]) - (s[3] - s[1]) * (x - s[0])


@inner_loop
def _near(s: _Four, r: _Four, near: float) -> bool:
    if min(s[0], s[2]) - near > max(r[0], r[2]) or min(r[0], r[2]) - near > max(s[0], s[2]):
        return False
    if min(s[1], s[3]) - near > max(r[1], r[3]) or min(r[1], r[3]) - near > max(s[1], s[3]):
        return False
    if _turn(s, r[0], r[1]) * _turn(s, r[2], r[3]) <= 0.0 and _turn(r, s[0], s[1]) * _turn(r, s[2], s[3]) <= 0.0:
        return True
    square = near * near
    return (
        _from_point(s[0], s[1], r) <= square
        or _from_point(s[2], s[3], r) <= square
        or _from_point(r[0], r[1], s) <= square
        or _from_point(r[2], r[3], s) <= square
    )


@inner_loop
def _cells_near(sites: Cells, k: int, grid: Cells, g: int, near: float) -> bool:
    for i in range(sites.span[k, 1], sites.span[k + 1, 0]):
        mine = _ends(sites.piece, i, sites.span[k, 2])
        for j in range(grid.span[g, 1], grid.span[g + 1, 0]):
            if _near(mine, _ends(grid.piece, j, grid.span[g, 2]), near):
                return True
    return False


@array_loop
def borders_near(
    sites: Cells, grid: Cells, place: Directory, pairs: tuple[Int64s, Int64s], near: float
) -> npt.NDArray[np.bool_]:
    """Tell for each pair whether, in a cell they share, their borders come within `near` of each other."""
    left, right = pairs
    found = np.zeros(len(left), np.bool_)
    window = place.window
    for n in range(len(left)):
        for k in range(sites.owner_start[left[n]], sites.owner_start[left[n] + 1]):
            row, column = sites.row[k] - window[0], sites.column[k] - window[1]
            if found[n] or row < 0 or row >= window[2] or column < 0 or column >= window[3]:
                continue
            at = row * window[3] + column
            for e in range(place.start[at], place.start[at + 1]):
                if place.owner[e] == right[n]:
                    found[n] = found[n] or _cells_near(sites, k, grid, place.entry[e], near)
    return found
