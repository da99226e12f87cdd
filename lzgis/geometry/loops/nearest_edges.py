"""The nearest edge of a layer to each site.

Boxes are compared in single precision, rounded outwards: they only exclude what cannot be nearest. Distances to the remaining
edges are computed in double precision.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lzgis.geometry.features import Floats
from lzgis.geometry.loops.chains import Int64s
from lzgis.geometry.loops.compiled import array_loop, entry_loop, inner_loop
from lzgis.geometry.loops.edge_tree import GROUP, OWNER, WIDTH, EdgeTree, Y, outwards
from lzgis.geometry.loops.segments import Segments

Flags = npt.NDArray[np.bool_]
Singles = npt.NDArray[np.float32]

#: Room for the boxes that wait on the way down: 16 per level suffice, and no tree has 16 levels.
_STACK = 16 * 16

#: The square of a distance that may be 0 or not.
_NOTHING = 1e-300

#: Squares of bounds in single precision are off by less than this.
_LOOSE = np.float32(1.000002)
_TINY, _MOST, _ZERO = np.float32(1e-35), np.float32(3e38), np.float32(0.0)

_Box = tuple[np.float32, np.float32, np.float32, np.float32]


@inner_loop
def _loosely(square: float) -> np.float32:
    """Round the square of a distance up, by more than any bound may be off."""
    return np.float32(min(square, 1e38)) * _LOOSE + _TINY


@inner_loop
def _seen_from(origin: Floats, segment: Segments, run: int) -> _Box:
    left, low = segment.run_box[run, 0] - origin[0], segment.run_box[run, 1] - origin[1]
    right, high = segment.run_box[run, 2] - origin[0], segment.run_box[run, 3] - origin[1]
    return outwards(left, False), outwards(low, False), outwards(right, True), outwards(high, True)


@inner_loop
def _bounds(box: Singles, group: int, seen: _Box, bound: Singles) -> None:
    """Square of the least distance there can be from a box to each of a group."""
    left, low, right, high = seen
    for k in range(GROUP):
        dx = max(box[group, 0, k] - right, left - box[group, 2, k], _ZERO)
        dy = max(box[group, 1, k] - high, low - box[group, 3, k], _ZERO)
        bound[k] = dx * dx + dy * dy


@inner_loop
def _push(where: Int64s, far: Singles, top: int, first: int, bound: Singles, most: np.float32) -> int:
    """Push the boxes of a group that may hold the nearest edge on the stack, the nearest last."""
    begin = top
    for k in range(GROUP):
        # Written in any case and overwritten if too far: a branch here would be mispredicted every other time.
        where[top], far[top] = first + k, bound[k]
        top += 1 if bound[k] <= most else 0
    nearest = begin
    for i in range(begin + 1, top):
        nearest = i if far[i] < far[nearest] else nearest
    if top > begin:
        where[nearest], where[top - 1] = where[top - 1], where[nearest]
        far[nearest], far[top - 1] = far[top - 1], far[nearest]
    return top


@inner_loop
def _leaf_edges(leaf: Floats, at: int, line: Floats) -> None:
    """Write the edges of a leaf, each in the same direction for both features that it bounds."""
    for k in range(WIDTH):
        ax, ay, bx, by = leaf[at, k], leaf[at, Y + k], leaf[at, k + 1], leaf[at, Y + k + 1]
        turn = bx < ax or (bx == ax and by < ay)
        line[0, k], line[1, k] = bx if turn else ax, by if turn else ay
        line[2, k], line[3, k] = ax - bx if turn else bx - ax, ay - by if turn else by - ay
    for k in range(WIDTH):
        square = line[2, k] * line[2, k] + line[3, k] * line[3, k]
        line[4, k] = 1.0 / square if square > 0.0 else 0.0
        line[5, k] = np.inf


@inner_loop
def _edge_to_leaf(edge: Floats, i: int, leaf: Floats, at: int, line: Floats) -> None:
    """Square of the distance from one edge of a site to each of a leaf, should they not cross: the least in `line[5]`."""
    x0, y0, dx, dy, inverse = edge[0, i], edge[1, i], edge[2, i], edge[3, i], edge[4, i]
    for k in range(WIDTH):
        rx, ry = leaf[at, k] - x0, leaf[at, Y + k] - y0
        t = min(max((rx * dx + ry * dy) * inverse, 0.0), 1.0)
        ex, ey = rx - t * dx, ry - t * dy
        here = ex * ex + ey * ey
        rx, ry = x0 - line[0, k], y0 - line[1, k]
        t = min(max((rx * line[2, k] + ry * line[3, k]) * line[4, k], 0.0), 1.0)
        ex, ey = rx - t * line[2, k], ry - t * line[3, k]
        there = ex * ex + ey * ey
        line[5, k] = min(line[5, k], here, there)


@inner_loop
def _least(line: Floats) -> float:
    a, b = min(line[5, 0], line[5, 4]), min(line[5, 1], line[5, 5])
    c, d = min(line[5, 2], line[5, 6]), min(line[5, 3], line[5, 7])
    # 0 stands for a certain crossing; here a product of rounded numbers may have become 0.
    return float(max(min(a, b, c, d), _NOTHING))


@inner_loop
def _crosses(edge: Floats, i: int, leaf: Floats, at: int) -> bool:
    """Tell whether an edge certainly crosses one of a leaf; no if rounding leaves a doubt."""
    x0, y0, ex, ey = edge[0, i], edge[1, i], edge[2, i], edge[3, i]
    found = False
    for k in range(WIDTH):
        ax, ay = leaf[at, k], leaf[at, Y + k]
        dx, dy = leaf[at, k + 1] - ax, leaf[at, Y + k + 1] - ay
        u = ex * (ay - y0) - ey * (ax - x0)
        v = ex * (ay + dy - y0) - ey * (ax + dx - x0)
        s = dx * (y0 - ay) - dy * (x0 - ax)
        t = dx * (y0 + ey - ay) - dy * (x0 + ex - ax)
        size = (abs(ex) + abs(ey) + abs(dx) + abs(dy)) * (abs(ax - x0) + abs(ay - y0) + abs(dx) + abs(dy))
        sure = min(abs(u), abs(v), abs(s), abs(t)) > 1e-14 * size
        found |= sure & ((u < 0.0) != (v < 0.0)) & ((s < 0.0) != (t < 0.0))
    return found


@inner_loop
def _lower_bounds(edge: Floats, part: tuple[int, int], leaf_box: tuple[float, float, float, float], low: Floats) -> int:
    """Square of the least distance there can be from each edge of a run to a leaf; return the nearest edge."""
    left, bottom, right, top = leaf_box
    begin, end = part
    for i in range(begin, end):
        dx = max(left - edge[7, i], edge[5, i] - right, 0.0)
        dy = max(bottom - edge[8, i], edge[6, i] - top, 0.0)
        low[i - begin] = dx * dx + dy * dy
    first = 0
    for i in range(1, end - begin):
        first = i if low[i] < low[first] else first
    return first


@inner_loop
def _run_to_leaf(
    segment: Segments, run: int, tree: EdgeTree, at: int, best: float, work: tuple[Floats, Floats]
) -> float:
    """Square of the distance from a run of a site's edges to a leaf, or anything greater than `best`."""
    line, low = work
    begin, end = segment.run_start[run], segment.run_start[run + 1]
    group, lane = at // GROUP, at % GROUP
    x, y = tree.origin[0], tree.origin[1]
    box = tree.box
    leaf_box = (
        x + box[group, 0, lane],
        y + box[group, 1, lane],
        x + box[group, 2, lane],
        y + box[group, 3, lane],
    )
    first = _lower_bounds(segment.edge, (begin, end), leaf_box, low)
    if low[first] > best:
        return np.inf
    _leaf_edges(tree.leaf, at, line)
    _edge_to_leaf(segment.edge, begin + first, tree.leaf, at, line)
    most = min(best, _least(line))
    for i in range(end - begin):
        if low[i] <= most:
            if i != first:
                _edge_to_leaf(segment.edge, begin + i, tree.leaf, at, line)
            if low[i] == 0.0 and _crosses(segment.edge, begin + i, tree.leaf, at):
                return 0.0
    return _least(line)


@inner_loop
def _first_bound(segment: Segments, run: int, tree: EdgeTree, at: int, work: tuple[Floats, Floats]) -> float:
    """Return a square that the distance from a run to a leaf does not exceed."""
    line, _low = work
    _leaf_edges(tree.leaf, at, line)
    _edge_to_leaf(segment.edge, segment.run_start[run], tree.leaf, at, line)
    return _least(line) * (1.0 + 1e-12)


@inner_loop
def _longest_run(segment: Segments) -> int:
    longest = 1
    for run in range(len(segment.run_start) - 1):
        longest = max(longest, segment.run_start[run + 1] - segment.run_start[run])
    return longest


@entry_loop
def nearest_edges(segment: Segments, tree: EdgeTree, wanted: Flags, near: float) -> tuple[Int64s, Floats, Flags]:
    """Find the nearest feature to each wanted site and the square of its distance; -1 and infinity for others.

    A feature that certainly crosses a site is at distance 0. A feature that lies wholly inside a site, or contains it, is
    measured to its edges. The third array tells where a feature within `near` may be at distance 0 too.
    """
    n = len(segment.site_run) - 1
    right, square, unsure = np.full(n, -1), np.full(n, np.inf), np.zeros(n, np.bool_)
    work = (np.empty((6, WIDTH)), np.empty(_longest_run(segment)))
    bound, where, far = np.empty(GROUP, np.float32), np.empty(_STACK, np.int64), np.empty(_STACK, np.float32)
    least = near * near
    last = 0
    for site in range(n if len(tree.leaf) else 0):
        best, found, shy = np.inf, -1, -1
        for run in range(segment.site_run[site], segment.site_run[site + 1] if wanted[site] else 0):
            if found < 0:
                # The nearest leaf of the site before, which lies near, bounds the distance from the start.
                best = min(best, _first_bound(segment, run, tree, last, work))
            seen = _seen_from(tree.origin, segment, run)
            most = _loosely(max(best, least))
            _bounds(tree.box, tree.root[0], seen, bound)
            top = _push(where, far, 0, tree.root[0] * GROUP, bound, most)
            while top > 0:
                top -= 1
                at = where[top]
                if far[top] > most:
                    continue
                below = tree.below[at // GROUP]
                if below != 0:
                    _bounds(tree.box, at + below, seen, bound)
                    top = _push(where, far, top, (at + below) * GROUP, bound, most)
                    continue
                owner = int(tree.leaf[at, OWNER])
                if best == 0.0 and owner >= found:
                    continue
                there = _run_to_leaf(segment, run, tree, at, max(best, least), work)
                if 0.0 < there <= least and (shy < 0 or owner < shy):
                    shy = owner
                if there < best or (there == best and (found < 0 or owner < found)):
                    best, found, last = there, owner, at
                    most = _loosely(max(best, least))
        right[site], square[site] = found, best
        unsure[site] = shy >= 0 and (best > 0.0 or shy < found)
    return right, square, unsure


@entry_loop
def edges_within(segment: Segments, tree: EdgeTree, radius: Floats, features: int) -> tuple[Int64s, Int64s, Floats]:
    """Find all features within the radius of each site, none where it is NaN, and the squares of their distances."""
    left, right, square = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64)
    slot = np.full(features, -1)
    work = (np.empty((6, WIDTH)), np.empty(_longest_run(segment)))
    bound, where, far = np.empty(GROUP, np.float32), np.empty(_STACK, np.int64), np.empty(_STACK, np.float32)
    n = 0
    for site in range(len(segment.site_run) - 1 if len(tree.leaf) else 0):
        first, most = n, radius[site] * radius[site]
        for run in range(segment.site_run[site], segment.site_run[site + 1] if radius[site] >= 0.0 else 0):
            seen = _seen_from(tree.origin, segment, run)
            _bounds(tree.box, tree.root[0], seen, bound)
            top = _push(where, far, 0, tree.root[0] * GROUP, bound, _loosely(most))
            while top > 0:
                top -= 1
                at = where[top]
                below = tree.below[at // GROUP]
                if below != 0:
                    _bounds(tree.box, at + below, seen, bound)
                    top = _push(where, far, top, (at + below) * GROUP, bound, _loosely(most))
                    continue
                owner = int(tree.leaf[at, OWNER])
                s = slot[owner]
                best = most if s < 0 else square[s]
                there = _run_to_leaf(segment, run, tree, at, best, work)
                if there > best or (s >= 0 and there == best):
                    continue
                if s < 0:
                    if n == len(left):
                        left, right, square = _longer(left), _longer(right), _longer(square)
                    s = n
                    slot[owner] = s
                    left[s], right[s] = site, owner
                    n += 1
                square[s] = there
        for s in range(first, n):
            slot[right[s]] = -1
    return left[:n].copy(), right[:n].copy(), square[:n].copy()


@array_loop
def _longer(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    longer = np.empty(2 * len(array), array.dtype)
    for k in range(len(array)):
        longer[k] = array[k]
    return longer
