"""Which polygon of a grid a point lies in: the loops."""

from __future__ import annotations

import math

import numpy as np

from lzgis.geometry.chains import Chains, Int64s
from lzgis.geometry.compiled import compiled
from lzgis.geometry.cutting import Cells
from lzgis.geometry.index import Floats
from lzgis.geometry.places import Directory


@compiled
def cell_of(place: Directory, x: float, y: float, cell: float) -> int:
    """Return the place of a point's cell in `place.start`, or -1 for one outside the window."""
    row, column = math.floor(y / cell) - place.window[0], math.floor(x / cell) - place.window[1]
    if row < 0 or row >= place.window[2] or column < 0 or column >= place.window[3]:
        return -1
    return int(row) * place.window[3] + int(column)


@compiled
def _winding(p: Floats, begin: int, end: int, x: float, y: float) -> float:
    total = 0.0
    for i in range(begin, end):
        if p[i, 0] <= x < p[i, 1] and y < p[i, 2] + p[i, 3] * (x - p[i, 0]):
            total += p[i, 4]
    return total


@compiled
def point_in(cells: Cells, g: int, x: float, y: float) -> bool:
    """Tell whether a point, in coordinates of the cell, lies in the polygon of entry `g`."""
    whole = cells.span[g, 0] == cells.span[g + 1, 0]
    return whole or _winding(cells.piece, cells.span[g, 0], cells.span[g, 2], x, y) != 0.0


@compiled
def first_holding(chain: Chains, part: tuple[int, int], grid: Cells, place: Directory, cell: float) -> Int64s:
    """Find the first polygon in which any part of each geometry begins; -1 where there is none."""
    first, last = part
    found = np.full(last - first, -1)
    for owner in range(first, last):
        for k in range(chain.owner_start[owner], chain.owner_start[owner + 1]):
            x, y = chain.x[chain.start[k]], chain.y[chain.start[k]]
            at = cell_of(place, x, y, cell)
            if at < 0 or chain.side[k] < 0.0:
                continue
            x, y = x - math.floor(x / cell) * cell, y - math.floor(y / cell) * cell
            for e in range(place.start[at], place.start[at + 1]):
                o, known = place.owner[e], found[owner - first]
                if (known < 0 or o < known) and point_in(grid, place.entry[e], x, y):
                    found[owner - first] = o
    return found


@compiled
def all_holding(
    chain: Chains, part: tuple[int, int], grid: Cells, place: Directory, cell: float
) -> tuple[Int64s, Int64s]:
    """Find every pair of a geometry and a polygon in which a part of it begins; pairs may come more than once."""
    first, last = part
    n = 0
    left, right = np.empty(64, np.int64), np.empty(64, np.int64)
    for owner in range(first, last):
        for k in range(chain.owner_start[owner], chain.owner_start[owner + 1]):
            x, y = chain.x[chain.start[k]], chain.y[chain.start[k]]
            at = cell_of(place, x, y, cell)
            if at < 0 or chain.side[k] < 0.0:
                continue
            x, y = x - math.floor(x / cell) * cell, y - math.floor(y / cell) * cell
            for e in range(place.start[at], place.start[at + 1]):
                if point_in(grid, place.entry[e], x, y):
                    if n == len(left):
                        left, right = np.append(left, np.empty(n, np.int64)), np.append(right, np.empty(n, np.int64))
                    left[n], right[n] = owner - first, place.owner[e]
                    n += 1
    return left[:n].copy(), right[:n].copy()
