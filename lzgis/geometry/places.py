"""Which polygons are in which cell: the loops."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lzgis.geometry.chains import Chains, Int64s
from lzgis.geometry.compiled import compiled
from lzgis.geometry.cutting import Cells
from lzgis.geometry.index import Floats


class Directory(NamedTuple):
    """Which entries lie in which cell of a window of the grid.

    Attributes
    ----------
    window : array of int, shape (4,)
        First row, first column, number of rows, number of columns.
    start : array of int, shape (rows * columns + 1,)
        Where each cell's entries begin.
    entry, owner : array of int, shape (entries,)
        The entries, cell by cell, and the polygons they belong to.
    """

    window: Int64s
    start: Int64s
    entry: Int64s
    owner: Int64s


@compiled
def directory(cells: Cells) -> Directory:
    """Sort the entries of `cells` by cell; those of one cell stay in the order of their polygons."""
    window = np.zeros(4, np.int64)
    n = len(cells.row)
    if n:
        top, right = cells.row[0], cells.column[0]
        bottom, left = top, right
        for k in range(n):
            bottom, top = min(bottom, cells.row[k]), max(top, cells.row[k])
            left, right = min(left, cells.column[k]), max(right, cells.column[k])
        window[0], window[1], window[2], window[3] = bottom, left, top - bottom + 1, right - left + 1
    start = np.zeros(window[2] * window[3] + 1, np.int64)
    for k in range(n):
        start[(cells.row[k] - window[0]) * window[3] + cells.column[k] - window[1] + 1] += 1
    for c in range(1, len(start)):
        start[c] += start[c - 1]
    entry, owner, free = np.empty(n, np.int64), np.empty(n, np.int64), start.copy()
    for o in range(len(cells.owner_start) - 1):
        for k in range(cells.owner_start[o], cells.owner_start[o + 1]):
            c = (cells.row[k] - window[0]) * window[3] + cells.column[k] - window[1]
            entry[free[c]] = k
            owner[free[c]] = o
            free[c] += 1
    return Directory(window, start, entry, owner)


@compiled
def longest_edge(chain: Chains) -> float:
    """Length of the longest edge."""
    longest = 0.0
    for k in range(len(chain.start) - 1):
        for i in range(chain.start[k], chain.start[k + 1] - 1):
            length = math.hypot(chain.x[i + 1] - chain.x[i], chain.y[i + 1] - chain.y[i])
            longest = max(longest, length)
    return longest


@compiled
def perimeters(chain: Chains, first: int, last: int) -> Floats:
    """Length of all edges of each geometry from `first` to `last`."""
    total = np.zeros(last - first)
    for owner in range(first, last):
        for k in range(chain.owner_start[owner], chain.owner_start[owner + 1]):
            for i in range(chain.start[k], chain.start[k + 1] - 1):
                total[owner - first] += math.hypot(chain.x[i + 1] - chain.x[i], chain.y[i + 1] - chain.y[i])
    return total
