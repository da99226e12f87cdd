"""The edges of sites in flat arrays, for measuring distances from them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lzgis.geometry.features import Floats
from lzgis.geometry.loops.chains import Chains, Int64s
from lzgis.geometry.loops.compiled import entry_loop, inner_loop


class Segments(NamedTuple):
    """The edges of sites, in runs of neighbouring edges.

    Attributes
    ----------
    edge : array of float, shape (9, edges)
        Beginning x, y, extent in x, y, one over the squared length (0 for an edge of no length); least x, least y,
        greatest x, greatest y.
    run_start : array of int, shape (runs + 1,)
        Where each run begins in `edge`.
    run_box : array of float, shape (runs, 4)
        Least x, least y, greatest x, greatest y.
    site_run : array of int, shape (sites + 1,)
        Where each site's runs begin.
    """

    edge: Floats
    run_start: Int64s
    run_box: Floats
    site_run: Int64s


@inner_loop
def _put_edge(edge: Floats, at: int, ends: tuple[float, float, float, float]) -> None:
    dx, dy = ends[2] - ends[0], ends[3] - ends[1]
    square = dx * dx + dy * dy
    edge[0, at], edge[1, at], edge[2, at], edge[3, at] = ends[0], ends[1], dx, dy
    edge[4, at] = 1.0 / square if square > 0.0 else 0.0
    edge[5, at], edge[6, at] = min(ends[0], ends[2]), min(ends[1], ends[3])
    edge[7, at], edge[8, at] = max(ends[0], ends[2]), max(ends[1], ends[3])


@entry_loop
def segments(chain: Chains, first: int, last: int, longest: float) -> Segments:
    """Return the edges of sites `first` to `last`; a run of several edges is no longer than `longest`."""
    x, y = chain.x, chain.y
    room = chain.start[chain.owner_start[last]] - chain.start[chain.owner_start[first]]
    edge, run_start, run_box = np.empty((9, room)), np.zeros(room + 1, np.int64), np.empty((room, 4))
    site_run = np.zeros(last - first + 1, np.int64)
    n = runs = 0
    for owner in range(first, last):
        for k in range(chain.owner_start[owner], chain.owner_start[owner + 1]):
            begin, end = chain.start[k], chain.start[k + 1]
            closed = chain.side[k] != 0.0
            fresh = True
            for i in range(begin, end - 1 if closed else end):
                # An open chain ends with an edge of no length, which stands for its last vertex.
                j = i + 1 if i + 1 < end else i
                left, right = min(x[i], x[j]), max(x[i], x[j])
                low, high = min(y[i], y[j]), max(y[i], y[j])
                if not fresh:
                    box = run_box[runs - 1]
                    wide = max(max(right, box[2]) - min(left, box[0]), max(high, box[3]) - min(low, box[1]))
                    fresh = wide > longest
                if fresh:
                    run_start[runs] = n
                    run_box[runs, 0], run_box[runs, 1], run_box[runs, 2], run_box[runs, 3] = left, low, right, high
                    runs += 1
                    fresh = False
                else:
                    box = run_box[runs - 1]
                    box[0], box[1] = min(box[0], left), min(box[1], low)
                    box[2], box[3] = max(box[2], right), max(box[3], high)
                _put_edge(edge, n, (x[i], y[i], x[j], y[j]))
                n += 1
        site_run[owner - first + 1] = runs
    run_start[runs] = n
    return Segments(edge[:, :n].copy(), run_start[: runs + 1].copy(), run_box[:runs].copy(), site_run)
