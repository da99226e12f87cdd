"""The common area of cut polygons, without building their intersection.

In one cell a polygon is the weighted sum of the strips below its pieces, so that two polygons' common area is the sum,
over pairs of pieces, of both weights times the integral of the lower of the two.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lzgis.geometry.features import Floats
from lzgis.geometry.loops.cells import Cells
from lzgis.geometry.loops.chains import Int64s
from lzgis.geometry.loops.compiled import array_loop, inner_loop
from lzgis.geometry.loops.directory import Directory

#: Unit roundoff of double precision.
_U = 2.0**-53

Pairs = tuple[Int64s, Int64s, Floats, Floats, npt.NDArray[np.bool_]]


@inner_loop
def _common(p: Floats, ours: tuple[int, int], q: Floats, theirs: tuple[int, int]) -> tuple[float, float]:
    """Return the common area of two polygons in one cell, and the widths of its terms together."""
    total = width = 0.0
    for i in range(ours[0], ours[1]):
        xl, xr, yl, m, weight = p[i, 0], p[i, 1], p[i, 2], p[i, 3], p[i, 4]
        mine = 0.0
        for j in range(theirs[0], theirs[1]):
            a = max(xl, q[j, 0])
            b = min(xr, q[j, 1])
            if a < b:
                pa, pb = yl + m * (a - xl), yl + m * (b - xl)
                qa, qb = q[j, 2] + q[j, 3] * (a - q[j, 0]), q[j, 2] + q[j, 3] * (b - q[j, 0])
                da, db = pa - qa, pb - qb
                spread = abs(da) + abs(db)
                if da * db < 0.0:
                    spread = (da * da + db * db) / spread
                term = 0.25 * (b - a) * (pa + pb + qa + qb - spread)
                mine += q[j, 4] * term
                width += b - a
        total += weight * mine
    return total, width


@array_loop
def _with_room(pairs: Pairs, room: int) -> Pairs:
    if room <= len(pairs[0]):
        return pairs
    size = 2 * room
    left, right = np.empty(size, np.int64), np.empty(size, np.int64)
    area, bound, mixed = np.empty(size), np.empty(size), np.empty(size, np.bool_)
    for k in range(len(pairs[0])):
        left[k], right[k], area[k], bound[k], mixed[k] = pairs[0][k], pairs[1][k], pairs[2][k], pairs[3][k], pairs[4][k]
    return left, right, area, bound, mixed


@array_loop
def common_areas(sites: Cells, grid: Cells, place: Directory, cell: float, longest: float) -> Pairs:
    """Find every pair that shares a cell.

    Returns
    -------
    left, right : array of int
        The pair; sorted by `left`, in no order of `right`.
    area, bound : array of float
        The common area, and the most it can be wrong by.
    mixed : array of bool
        One of the two fills a shared cell in which the other has an edge.
    """
    window = place.window
    slot = np.full(len(grid.owner_start) - 1, -1)
    pairs = (np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64), np.empty(64), np.empty(64, np.bool_))
    n = 0
    for site in range(len(sites.owner_start) - 1):
        first = n
        for k in range(sites.owner_start[site], sites.owner_start[site + 1]):
            row, column = sites.row[k] - window[0], sites.column[k] - window[1]
            if row < 0 or row >= window[2] or column < 0 or column >= window[3]:
                continue
            at = row * window[3] + column
            ours = (sites.span[k, 0], sites.span[k, 2])
            whole = sites.span[k, 0] == sites.span[k + 1, 0]
            for e in range(place.start[at], place.start[at + 1]):
                other, g = place.owner[e], place.entry[e]
                if slot[other] < 0:
                    pairs = _with_room(pairs, n + 1)
                    slot[other] = n
                    pairs[0][n], pairs[1][n], pairs[2][n], pairs[3][n], pairs[4][n] = site, other, 0.0, 0.0, False
                    n += 1
                s = slot[other]
                whole_other = grid.span[g, 0] == grid.span[g + 1, 0]
                if whole or whole_other:
                    shared = grid.area[g] if whole else sites.area[k]
                    pairs[2][s] += shared
                    edges = grid.span[g + 1, 0] - grid.span[g, 0] + sites.span[k + 1, 0] - sites.span[k, 0]
                    pairs[3][s] += _U * ((edges + 16) * edges * cell * cell + 8.0 * edges * cell * longest)
                    pairs[4][s] = True
                else:
                    theirs = (grid.span[g, 0], grid.span[g, 2])
                    shared, width = _common(sites.piece, ours, grid.piece, theirs)
                    terms = (ours[1] - ours[0]) * (theirs[1] - theirs[0])
                    pairs[2][s] += shared
                    edges = ours[1] - ours[0] + theirs[1] - theirs[0]
                    pairs[3][s] += _U * cell * ((terms + 16) * width + 8.0 * edges * longest)
        for s in range(first, n):
            slot[pairs[1][s]] = -1
    left, right, area, bound, mixed = pairs
    return left[:n].copy(), right[:n].copy(), area[:n].copy(), bound[:n].copy(), mixed[:n].copy()
