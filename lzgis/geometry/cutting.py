"""Cutting polygons into square cells: the loops.

A cell's share of a polygon is a list of pieces ``(xl, xr, yl, slope, weight)`` in coordinates of the cell's lower left
corner. The polygon's share is the sum, weighted by +1 or -1, of what lies below each piece and above the cell's floor.
Where the polygon goes on above the cell, the cell's ceiling is a piece.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lzgis.geometry.chains import Chains, Int64s
from lzgis.geometry.compiled import compiled
from lzgis.geometry.index import Floats

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


@compiled
def ring_sign(x: Floats, y: Floats, begin: int, end: int) -> float:
    """Return 1 for a ring run through against the clock, -1 with it."""
    twice = 0.0
    for i in range(begin, end - 1):
        twice += (x[i] - x[begin]) * (y[i + 1] - y[begin]) - (x[i + 1] - x[begin]) * (y[i] - y[begin])
    return 1.0 if twice >= 0.0 else -1.0


@compiled
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


@compiled
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


@compiled
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


@compiled
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


@compiled
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
