"""Polygons cut by the lines of a grid into square cells.

A cell's share of a polygon is a list of pieces ``(xl, xr, yl, slope, weight)`` in coordinates of the cell's lower left
corner. The share is the sum, weighted by +1 or -1, of what lies below each piece and above the floor of the cell. Where the
polygon continues above the cell, the ceiling of the cell is a piece. `cut` cuts many polygons.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lzgis.geometry.features import Floats
from lzgis.geometry.loops.chains import Chains, Int64s
from lzgis.geometry.loops.compiled import array_loop, entry_loop, inner_loop

#: A piece that is a mark on the cell's ceiling, where the polygon begins or ends there: its right end is this.
STEP = -1.0

#: Cells are numbered by 32-bit integers.
MOST_COORDINATE = 2.0**30

#: A geometry may span no more cells than this: 2^26 cells of 256 m are four million square kilometres.
MOST_CELLS = 2.0**26


class Cells(NamedTuple):
    """Polygons cut by the grid lines: entries in the order of polygon, row, column.

    Attributes
    ----------
    owner_start : array of int, shape (polygons + 1,)
        Where each polygon's entries begin.
    row, column : array of int, shape (entries,)
        The cell: its lower left corner is ``(column * cell, row * cell)``.
    area : array of float, shape (entries,)
        Area of the polygon in the cell.
    span : array of int, shape (entries + 1, 3)
        Where the entry's pieces begin: ceilings, edges, and edges that bound no area of their own (vertical, or along
        the floor). An entry without pieces is a cell wholly inside.
    piece : array of float, shape (pieces, 5)
        Left end, right end, height at the left end, slope (for a vertical edge: height of its upper end), weight.
    """

    owner_start: Int64s
    row: npt.NDArray[np.int32]
    column: npt.NDArray[np.int32]
    area: Floats
    span: Int64s
    piece: Floats


_Four = tuple[float, float, float, float]
_Line = tuple[float, float, float, float, float]
Raw = tuple[npt.NDArray[np.int32], Floats]


@inner_loop
def ring_sign(x: Floats, y: Floats, begin: int, end: int) -> float:
    """Return 1 for a ring run through against the clock, -1 with it."""
    twice = 0.0
    for i in range(begin, end - 1):
        twice += (x[i] - x[begin]) * (y[i + 1] - y[begin]) - (x[i + 1] - x[begin]) * (y[i] - y[begin])
    return 1.0 if twice >= 0.0 else -1.0


@inner_loop
def cut_room(chain: Chains, owner: int, cell: float, lines: bool) -> int:
    """Count the most raw pieces the polygons of one geometry, or its lines, can be cut into."""
    room = 0
    per = 1.0 / cell
    for k in range(chain.owner_start[owner], chain.owner_start[owner + 1]):
        if (chain.side[k] == 0.0) != lines:
            continue
        for i in range(chain.start[k], chain.start[k + 1] - 1):
            ax, bx = chain.x[i] * per, chain.x[i + 1] * per
            ay, by = chain.y[i] * per, chain.y[i + 1] * per
            if not (max(abs(ax), abs(bx), abs(ay), abs(by)) < MOST_COORDINATE):
                raise ValueError("a coordinate is too large for the grid: a larger cell is needed")
            columns, rows = math.floor(bx) - math.floor(ax), math.floor(by) - math.floor(ay)
            room += 3 + int(abs(columns) + 2 * abs(rows))
    return room


@inner_loop
def _cut_row(ends: _Four, line: _Line, place: tuple[int, int, int], raw: Raw, at: int) -> int:
    """Cut what lies in one row at the vertical grid lines; return the next free raw piece."""
    xa, ya, xb, yb = ends
    x0, y0, slope, weight, cell = line
    per = 1.0 / cell
    column0, row0, row = place
    key, value = raw
    low, high = min(ya, yb), max(ya, yb)
    floor = row * cell
    c = math.floor(xa * per)
    last = math.floor(xb * per)
    if last > c and last * cell == xb:
        last -= 1
    if xa == xb:
        if ya != yb:
            key[at, 0], key[at, 1] = row0 + row, column0 + c
            left = xa - c * cell
            value[at, 0], value[at, 1], value[at, 2], value[at, 3] = left, left, low - floor, high - floor
            value[at, 4] = 0.0
            at += 1
        return at
    x, y = xa, ya
    while c <= last:
        right, up = xb, yb
        if c < last:
            right = (c + 1) * cell
            up = min(max(y0 + (right - x0) * slope, low), high)
        if right > x:
            xl, xr = x - c * cell, right - c * cell
            yl, yr = min(max(y - floor, 0.0), cell), min(max(up - floor, 0.0), cell)
            key[at, 0], key[at, 1] = row0 + row, column0 + c
            value[at, 0], value[at, 1], value[at, 2] = xl, xr, yl
            value[at, 3] = (yr - yl) / (xr - xl)
            value[at, 4] = 0.0 if yl == 0.0 and yr == 0.0 else weight
            at += 1
        x, y = right, up
        c += 1
    return at


@inner_loop
def cut_edge(ends: _Four, sign: float, cell: float, raw: Raw, at: int) -> int:
    """Cut one edge at all grid lines. Both directions of an edge give the same pieces, to the last bit."""
    xa, ya, xb, yb = ends
    if xb < xa or (xb == xa and yb < ya):
        xa, ya, xb, yb, sign = xb, yb, xa, ya, -sign
    # A power of two: multiplying by its inverse is dividing by it, to the last bit.
    per = 1.0 / cell
    column, row = math.floor(xa * per), math.floor(ya * per)
    x0, y0 = xa - column * cell, ya - row * cell
    x1, y1 = xb - column * cell, yb - row * cell
    slope = (y1 - y0) / (x1 - x0) if x1 > x0 else 0.0
    lean = (x1 - x0) / (y1 - y0) if y1 != y0 else 0.0
    line = (x0, y0, slope, -sign, cell)
    key, value = raw
    last = math.floor(y1 * per)
    step = 1 if y1 > y0 else -1
    r, x, y = 0, x0, y0
    while r != last:
        edge = r + 1 if step > 0 else r
        height = edge * cell
        across = x1 if height == y1 else min(max(x0 + (height - y0) * lean, x), x1)
        at = _cut_row((x, y, across, height), line, (column, row, r), raw, at)
        c = math.floor(across * per)
        key[at, 0], key[at, 1] = row + edge - 1, column + c
        value[at, 0], value[at, 1], value[at, 4] = across - c * cell, STEP, -sign * step
        at += 1
        x, y = across, height
        r += step
    return _cut_row((x, y, x1, y1), line, (column, row, r), raw, at)


@inner_loop
def cut_polygon(chain: Chains, owner: int, cell: float, raw: Raw) -> int:
    """Cut all edges of one polygon into `raw`; return how many pieces."""
    at = 0
    for k in range(chain.owner_start[owner], chain.owner_start[owner + 1]):
        begin, end = chain.start[k], chain.start[k + 1]
        sign = chain.side[k] * ring_sign(chain.x, chain.y, begin, end)
        if sign == 0.0:
            continue
        for i in range(begin, end - 1):
            ends = (chain.x[i], chain.y[i], chain.x[i + 1], chain.y[i + 1])
            at = cut_edge(ends, sign, cell, raw, at)
    return at


@array_loop
def cell_order(key: npt.NDArray[np.int32], n: int) -> Int64s:
    """Order raw pieces by row, then column, keeping those of one cell as they come."""
    order = np.arange(n)
    for axis in (1, 0):
        low, high = key[0, axis], key[0, axis]
        for i in range(n):
            low, high = min(low, key[i, axis]), max(high, key[i, axis])
        count = np.zeros(high - low + 2, np.int64)
        for i in range(n):
            count[key[i, axis] - low + 1] += 1
        for i in range(1, len(count)):
            count[i] += count[i - 1]
        moved = np.empty(n, np.int64)
        for i in range(n):
            k = key[order[i], axis] - low
            moved[count[k]] = order[i]
            count[k] += 1
        order = moved
    return order


_Entries = tuple[npt.NDArray[np.int32], Floats, Int64s]
_Raw = tuple[npt.NDArray[np.int32], Floats, Int64s, Floats]


@array_loop
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


@array_loop
def _more_pieces(piece: Floats, room: int) -> Floats:
    if room <= len(piece):
        return piece
    bigger = np.empty((max(room, 2 * len(piece)), 5))
    for k in range(len(piece)):
        for part in range(5):
            bigger[k, part] = piece[k, part]
    return bigger


@inner_loop
def _put(piece: Floats, at: int, left: float, right: float, rest: tuple[float, float, float]) -> int:
    piece[at, 0], piece[at, 1] = left, right
    piece[at, 2], piece[at, 3], piece[at, 4] = rest
    return at + 1


@inner_loop
def _sort_steps(value: Floats, order: Int64s, begin: int, end: int, steps: Floats) -> int:
    """Write the marks on the ceiling of one cell from left to right; return their number."""
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


@inner_loop
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


@inner_loop
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


@inner_loop
def _area(piece: Floats, begin: int, end: int) -> float:
    total = 0.0
    for k in range(begin, end):
        width = piece[k, 1] - piece[k, 0]
        total += piece[k, 4] * width * (piece[k, 2] + 0.5 * piece[k, 3] * width)
    return total


@array_loop
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


@inner_loop
def _cells_spanned(key: npt.NDArray[np.int32], n: int) -> float:
    low, high, left, right = key[0, 0], key[0, 0], key[0, 1], key[0, 1]
    for i in range(n):
        low, high = min(low, key[i, 0]), max(high, key[i, 0])
        left, right = min(left, key[i, 1]), max(right, key[i, 1])
    return (float(high) - float(low) + 1.0) * (float(right) - float(left) + 1.0)


@entry_loop
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
