"""Which sites begin in a polygon of a layer, and which features begin in a site."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lzgis.geometry.features import Floats
from lzgis.geometry.loops.cells import Cells
from lzgis.geometry.loops.chains import Chains, Int64s
from lzgis.geometry.loops.compiled import array_loop, entry_loop, inner_loop
from lzgis.geometry.loops.directory import Directory

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


def starts(chain: Chains, cell: float) -> Starts:
    """Sort the first vertices of all shells, lines and points by cell; those of one cell stay in the order of the features."""
    outer = chain.side >= 0.0
    x, y = chain.x[chain.start[:-1][outer]], chain.y[chain.start[:-1][outer]]
    owner = np.repeat(np.arange(len(chain.owner_start) - 1), np.diff(chain.owner_start))[outer]
    column, row = np.floor(x / cell).astype(np.int64), np.floor(y / cell).astype(np.int64)
    window = np.zeros(4, np.int64)
    if len(x):
        window[:] = row.min(), column.min(), np.ptp(row) + 1, np.ptp(column) + 1
    place = (row - window[0]) * window[3] + column - window[1]
    start = np.zeros(window[2] * window[3] + 1, np.int64)
    np.cumsum(np.bincount(place, minlength=len(start) - 1), out=start[1:])
    order = np.argsort(place, kind="stable")
    return Starts(window, start, (x - column * cell)[order], (y - row * cell)[order], owner[order])


@inner_loop
def _winding(p: Floats, begin: int, end: int, x: float, y: float) -> float:
    total = 0.0
    for i in range(begin, end):
        if p[i, 0] <= x < p[i, 1] and y < p[i, 2] + p[i, 3] * (x - p[i, 0]):
            total += p[i, 4]
    return total


@inner_loop
def point_in(cells: Cells, g: int, x: float, y: float) -> bool:
    """Tell whether a point, in coordinates of the cell, lies in the polygon of entry `g`."""
    whole = cells.span[g, 0] == cells.span[g + 1, 0]
    return whole or _winding(cells.piece, cells.span[g, 0], cells.span[g, 2], x, y) != 0.0


@array_loop
def _put(found: Found, n: int, left: int, right: int) -> Found:
    if n == len(found[0]):
        longer = (np.empty(2 * n + 64, np.int64), np.empty(2 * n + 64, np.int64))
        for k in range(n):
            longer[0][k], longer[1][k] = found[0][k], found[1][k]
        found = longer
    found[0][n], found[1][n] = left, right
    return found


@array_loop
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


@array_loop
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


@entry_loop
def pairs_inside(
    chain: Chains, part: tuple[int, int], sites: Cells, grid: tuple[Cells, Directory], begin: Starts, cell: float
) -> Found:
    """Find every pair of a site and a feature of which one begins in the other; a pair may come more than once."""
    outer = holding(chain, part, grid[0], grid[1], cell)
    inner = held(sites, begin)
    n = len(outer[0])
    left, right = np.empty(n + len(inner[0]), np.int64), np.empty(n + len(inner[0]), np.int64)
    for k in range(n):
        left[k], right[k] = outer[0][k], outer[1][k]
    for k in range(len(inner[0])):
        left[n + k], right[n + k] = inner[0][k], inner[1][k]
    return left, right
