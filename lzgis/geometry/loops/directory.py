"""A look-up table from a cell of the grid to the polygons in it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lzgis.geometry.loops.cells import Cells
from lzgis.geometry.loops.chains import Int64s
from lzgis.geometry.loops.compiled import entry_loop


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


@entry_loop
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
