"""What lies in what: points in the polygons of a grid, parts of features in sites: the loops."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lzgis.geometry.chains import Chains, Int64s
from lzgis.geometry.compiled import compiled
from lzgis.geometry.cutting import Cells
from lzgis.geometry.index import Floats
from lzgis.geometry.places import Directory

Found = tuple[Int64s, Int64s]


class Starts(NamedTuple):
    """Where each part of each feature begins, sorted by grid cell.

    A part that a site's border does not meet lies in the site if it begins in it.

    Attributes
    ----------
    window : array of int, shape (4,)
        First row, first column, number of rows, number of columns.
    start : array of int, shape (rows * columns + 1,)
        Where each cell's parts begin.
    x, y : array of float, shape (parts,)
        First vertices, in coordinates of the cell.
    owner : array of int, shape (parts,)
        The features.
    """

    window: Int64s
    start: Int64s
    x: Floats
    y: Floats
    owner: Int64s


@compiled
def starts(chain: Chains, cell: float) -> Starts:
    """Sort the first vertices of all shells, lines and points by cell."""
    low, left, high, right = 1e300, 1e300, -1e300, -1e300
    n = 0
    for k in range(len(chain.start) - 1):
        if chain.side[k] >= 0.0:
            x, y = math.floor(chain.x[chain.start[k]] / cell), math.floor(chain.y[chain.start[k]] / cell)
            low, high, left, right = min(low, y), max(high, y), min(left, x), max(right, x)
            n += 1
    window = np.zeros(4, np.int64)
    if n:
        window[0], window[1] = int(low), int(left)
        window[2], window[3] = int(high - low) + 1, int(right - left) + 1
    start = np.zeros(window[2] * window[3] + 1, np.int64)
    px, py, owner = np.empty(n), np.empty(n), np.empty(n, np.int64)
    for counting in (True, False):
        for o in range(len(chain.owner_start) - 1):
            for k in range(chain.owner_start[o], chain.owner_start[o + 1]):
                if chain.side[k] < 0.0:
                    continue
                x, y = chain.x[chain.start[k]], chain.y[chain.start[k]]
                row, column = math.floor(y / cell), math.floor(x / cell)
                at = (int(row) - window[0]) * window[3] + int(column) - window[1]
                if counting:
                    start[at + 1] += 1
                else:
                    px[start[at]], py[start[at]], owner[start[at]] = x - column * cell, y - row * cell, o
                    start[at] += 1
        if counting:
            for c in range(1, len(start)):
                start[c] += start[c - 1]
    # Filling moved each cell's beginning to its end: move them back.
    for c in range(len(start) - 1, 0, -1):
        start[c] = start[c - 1]
    start[0] = 0
    return Starts(window, start, px, py, owner)


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
def _put(found: Found, n: int, left: int, right: int) -> Found:
    if n == len(found[0]):
        longer = (np.empty(2 * n + 64, np.int64), np.empty(2 * n + 64, np.int64))
        for k in range(n):
            longer[0][k], longer[1][k] = found[0][k], found[1][k]
        found = longer
    found[0][n], found[1][n] = left, right
    return found


@compiled
def holding(chain: Chains, part: tuple[int, int], grid: Cells, place: Directory, cell: float) -> Found:
    """Find every pair of a geometry and a polygon in which a part of it begins; a pair may come more than once."""
    first, last = part
    window = place.window
    n = 0
    found = (np.empty(64, np.int64), np.empty(64, np.int64))
    for owner in range(first, last):
        for k in range(chain.owner_start[owner], chain.owner_start[owner + 1]):
            x, y = chain.x[chain.start[k]], chain.y[chain.start[k]]
            r, c = math.floor(y / cell), math.floor(x / cell)
            row, column = int(r) - window[0], int(c) - window[1]
            if chain.side[k] < 0.0 or row < 0 or row >= window[2] or column < 0 or column >= window[3]:
                continue
            at = row * window[3] + column
            for e in range(place.start[at], place.start[at + 1]):
                if point_in(grid, place.entry[e], x - c * cell, y - r * cell):
                    found = _put(found, n, owner - first, place.owner[e])
                    n += 1
    return found[0][:n].copy(), found[1][:n].copy()


@compiled
def held(sites: Cells, begin: Starts) -> Found:
    """Find every pair of a polygonal site and a feature of which a part begins in it; a pair may come more than once."""
    window = begin.window
    n = 0
    found = (np.empty(64, np.int64), np.empty(64, np.int64))
    for site in range(len(sites.owner_start) - 1):
        for k in range(sites.owner_start[site], sites.owner_start[site + 1]):
            row, column = sites.row[k] - window[0], sites.column[k] - window[1]
            if row < 0 or row >= window[2] or column < 0 or column >= window[3]:
                continue
            at = row * window[3] + column
            for i in range(begin.start[at], begin.start[at + 1]):
                if point_in(sites, k, begin.x[i], begin.y[i]):
                    found = _put(found, n, site, begin.owner[i])
                    n += 1
    return found[0][:n].copy(), found[1][:n].copy()
