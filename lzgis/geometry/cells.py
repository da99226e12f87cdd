"""Putting the pieces of polygons together, cell by cell: the loops."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lzgis.geometry.chains import Chains, Int64s
from lzgis.geometry.compiled import compiled
from lzgis.geometry.cutting import MOST_CELLS, STEP, Cells, cell_order, cut_polygon, cut_room
from lzgis.geometry.index import Floats

_Entries = tuple[npt.NDArray[np.int32], Floats, Int64s]
_Raw = tuple[npt.NDArray[np.int32], Floats, Int64s, Floats]


@compiled
def _more_entries(entry: _Entries, room: int) -> _Entries:
    place, area, span = entry
    if room <= len(area):
        return entry
    size = max(room, 2 * len(area))
    place2, area2, span2 = np.empty((size, 2), np.int32), np.empty(size), np.empty((size + 1, 3), np.int64)
    for k in range(len(area)):
        place2[k, 0], place2[k, 1], area2[k] = place[k, 0], place[k, 1], area[k]
        span2[k, 0], span2[k, 1], span2[k, 2] = span[k, 0], span[k, 1], span[k, 2]
    return place2, area2, span2


@compiled
def _more_pieces(piece: Floats, room: int) -> Floats:
    if room <= len(piece):
        return piece
    bigger = np.empty((max(room, 2 * len(piece)), 5))
    for k in range(len(piece)):
        for part in range(5):
            bigger[k, part] = piece[k, part]
    return bigger


@compiled
def _put(piece: Floats, at: int, left: float, right: float, rest: tuple[float, float, float]) -> int:
    piece[at, 0], piece[at, 1] = left, right
    piece[at, 2], piece[at, 3], piece[at, 4] = rest
    return at + 1


@compiled
def _sort_steps(value: Floats, order: Int64s, begin: int, end: int, steps: Floats) -> int:
    """Write the marks on one cell's ceiling from left to right; return how many."""
    n = 0
    for s in range(begin, end):
        k = order[s]
        if value[k, 1] == STEP:
            m = n
            while m > 0 and steps[m - 1, 0] > value[k, 0]:
                steps[m, 0], steps[m, 1] = steps[m - 1, 0], steps[m - 1, 1]
                m -= 1
            steps[m, 0], steps[m, 1] = value[k, 0], value[k, 4]
            n += 1
    return n


@compiled
def _put_ceiling(piece: Floats, at: int, steps: Floats, marks: int, before: float, cell: float) -> tuple[int, float]:
    """Write the ceilings of one cell; return the next free piece and how the polygon stands at the right corner."""
    inside, x = before, 0.0
    for k in range(marks):
        if inside != 0.0 and steps[k, 0] > x:
            at = _put(piece, at, x, steps[k, 0], (cell, 0.0, inside))
        x = steps[k, 0]
        inside += steps[k, 1]
    if inside != 0.0:
        at = _put(piece, at, x, cell, (cell, 0.0, inside))
    return at, inside


@compiled
def _put_edges(piece: Floats, at: int, value: Floats, order: Int64s, begin: int, end: int) -> tuple[int, int]:
    """Write the edges of one cell, then those that bound no area; return where the latter begin, and the end."""
    still = at
    for moving in (True, False):
        for s in range(begin, end):
            k = order[s]
            if value[k, 1] != STEP and (value[k, 4] != 0.0) == moving:
                at = _put(piece, at, value[k, 0], value[k, 1], (value[k, 2], value[k, 3], value[k, 4]))
        if moving:
            still = at
    return still, at


@compiled
def _area(piece: Floats, begin: int, end: int) -> float:
    total = 0.0
    for k in range(begin, end):
        width = piece[k, 1] - piece[k, 0]
        total += piece[k, 4] * width * (piece[k, 2] + 0.5 * piece[k, 3] * width)
    return total


@compiled
def _assemble(
    raw: _Raw, cell: float, entry: _Entries, piece: Floats, filled: tuple[int, int]
) -> tuple[_Entries, Floats, int, int]:
    """Add one polygon's entries, row by row from left to right."""
    key, value, order, steps = raw
    n_entry, n_piece = filled
    place, area, span = entry
    inside = 0.0
    i = 0
    row = column = 0
    n = len(order)
    # Of a cell's raw pieces each becomes one piece, and the ceilings between k marks are at most k + 1.
    piece = _more_pieces(piece, n_piece + 2 * n + 1)
    while i < n:
        before_row, before_column = row, column
        row, column = key[order[i], 0], key[order[i], 1]
        j = i + 1
        while j < n and key[order[j], 0] == row and key[order[j], 1] == column:
            j += 1
        if i == 0 or row != before_row:
            inside = 0.0
        gap = column - before_column - 1 if inside != 0.0 else 0
        if n_entry + gap + 1 > len(area):
            place, area, span = _more_entries((place, area, span), n_entry + gap + 1)
        for c in range(column - gap, column):
            place[n_entry, 0], place[n_entry, 1], area[n_entry] = row, c, cell * cell
            span[n_entry, 0] = span[n_entry, 1] = span[n_entry, 2] = n_piece
            n_entry += 1
        marks = _sort_steps(value, order, i, j, steps)
        edges, after = _put_ceiling(piece, n_piece, steps, marks, inside, cell)
        still, end = _put_edges(piece, edges, value, order, i, j)
        whole = end == n_piece + 1 and edges == end and piece[n_piece, 0] == 0.0 and piece[n_piece, 1] == cell
        if whole:
            edges = still = end = n_piece
        if whole or end > n_piece:
            place[n_entry, 0], place[n_entry, 1] = row, column
            area[n_entry] = cell * cell if whole else _area(piece, n_piece, still)
            span[n_entry, 0], span[n_entry, 1], span[n_entry, 2] = n_piece, edges, still
            n_entry += 1
            n_piece = end
        inside = after
        i = j
    return (place, area, span), piece, n_entry, n_piece


@compiled
def _cells_spanned(key: npt.NDArray[np.int32], n: int) -> float:
    low, high, left, right = key[0, 0], key[0, 0], key[0, 1], key[0, 1]
    for i in range(n):
        low, high = min(low, key[i, 0]), max(high, key[i, 0])
        left, right = min(left, key[i, 1]), max(right, key[i, 1])
    return (float(high) - float(low) + 1.0) * (float(right) - float(left) + 1.0)


@compiled
def cut(chain: Chains, first: int, last: int, cell: float) -> Cells:
    """Cut the polygons `first` to `last` of `chain` by the grid lines."""
    entry = (np.empty((64, 2), np.int32), np.empty(64), np.empty((65, 3), np.int64))
    piece = np.empty((256, 5))
    key, value, steps = np.empty((64, 2), np.int32), np.empty((64, 5)), np.empty((64, 2))
    owner_start = np.zeros(last - first + 1, np.int64)
    n_entry = n_piece = 0
    for owner in range(first, last):
        room = cut_room(chain, owner, cell, False)
        if room > len(key):
            key, value, steps = np.empty((2 * room, 2), np.int32), np.empty((2 * room, 5)), np.empty((2 * room, 2))
        n = cut_polygon(chain, owner, cell, (key, value))
        if n:
            if _cells_spanned(key, n) > MOST_CELLS:
                raise ValueError("a geometry spans too many cells of the grid: a larger cell is needed")
            raw = (key, value, cell_order(key, n), steps)
            entry, piece, n_entry, n_piece = _assemble(raw, cell, entry, piece, (n_entry, n_piece))
        owner_start[owner - first + 1] = n_entry
    place, area, span = entry
    span[n_entry, 0] = span[n_entry, 1] = span[n_entry, 2] = n_piece
    # Copied by loops, which compile in a fraction of the time that slices take.
    row, column, size = np.empty(n_entry, np.int32), np.empty(n_entry, np.int32), np.empty(n_entry)
    begin, part = np.empty((n_entry + 1, 3), np.int64), np.empty((n_piece, 5))
    for k in range(n_entry):
        row[k], column[k], size[k] = place[k, 0], place[k, 1], area[k]
    for k in range(n_entry + 1):
        begin[k, 0], begin[k, 1], begin[k, 2] = span[k, 0], span[k, 1], span[k, 2]
    for k in range(n_piece):
        for i in range(5):
            part[k, i] = piece[k, i]
    return Cells(owner_start, row, column, size, begin, part)
