"""The length of lines inside the polygons of a grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lzgis.geometry.features import Floats
from lzgis.geometry.loops.cells import STEP, Cells, cut_edge, cut_room
from lzgis.geometry.loops.chains import Chains, Int64s
from lzgis.geometry.loops.compiled import entry_loop, inner_loop
from lzgis.geometry.loops.directory import Directory
from lzgis.geometry.loops.perimeters import piece_length, runs_along, share_below

Inside = tuple[Int64s, Int64s, Floats, npt.NDArray[np.bool_]]


@inner_loop
def _slot(inside: Inside, slot: Int64s, n: int, pair: tuple[int, int]) -> tuple[Inside, int]:
    if n == len(inside[0]):
        size = 2 * n
        longer = (np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size), np.empty(size, np.bool_))
        for k in range(n):
            longer[0][k], longer[1][k] = inside[0][k], inside[1][k]
            longer[2][k], longer[3][k] = inside[2][k], inside[3][k]
        inside = longer
    slot[pair[1]] = n
    inside[0][n], inside[1][n], inside[2][n], inside[3][n] = pair[0], pair[1], 0.0, False
    return inside, n + 1


@entry_loop
def lengths(chain: Chains, part: tuple[int, int], grid: Cells, place: Directory, scale: tuple[float, float]) -> Inside:
    """Find every pair of a line and a polygon that share a cell.

    `scale` is the side of the cell, and how near counts as running along.

    Returns
    -------
    left, right : array of int
        The pair; sorted by `left`, in no order of `right`.
    length : array of float
        How much of the line lies inside.
    along : array of bool
        The line runs along the polygon's border for a stretch.
    """
    cell, near = scale
    window = place.window
    slot = np.full(len(grid.owner_start) - 1, -1)
    inside = (np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64), np.empty(64, np.bool_))
    key, value = np.empty((64, 2), np.int32), np.empty((64, 5))
    n = 0
    for owner in range(part[0], part[1]):
        first = n
        room = cut_room(chain, owner, cell, True)
        if room > len(key):
            key, value = np.empty((2 * room, 2), np.int32), np.empty((2 * room, 5))
        pieces = 0
        for k in range(chain.owner_start[owner], chain.owner_start[owner + 1]):
            for i in range(chain.start[k], chain.start[k + 1] - 1 if chain.side[k] == 0.0 else 0):
                ends = (chain.x[i], chain.y[i], chain.x[i + 1], chain.y[i + 1])
                pieces = cut_edge(ends, 1.0, cell, (key, value), pieces)
        for s in range(pieces):
            row, column = key[s, 0] - window[0], key[s, 1] - window[1]
            outside = row < 0 or row >= window[2] or column < 0 or column >= window[3]
            if value[s, 1] == STEP or outside:
                continue
            at = row * window[3] + column
            for e in range(place.start[at], place.start[at + 1]):
                other, g = place.owner[e], place.entry[e]
                if slot[other] < 0:
                    inside, n = _slot(inside, slot, n, (owner - part[0], other))
                begin, edges, still = grid.span[g, 0], grid.span[g, 1], grid.span[g, 2]
                end = grid.span[g + 1, 0]
                share = 1.0 if begin == end else share_below(value[s], grid.piece, begin, still)
                inside[2][slot[other]] += share * piece_length(value[s])
                if runs_along(value[s], grid.piece, (edges, still, end), near):
                    inside[3][slot[other]] = True
        for s in range(first, n):
            slot[inside[1][s]] = -1
    return inside[0][:n].copy(), inside[1][:n].copy(), inside[2][:n].copy(), inside[3][:n].copy()
