"""The nearest edge of a layer to each site: the loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lzgis.geometry.boxtree import WIDTH, EdgeTree
from lzgis.geometry.chains import Int64s
from lzgis.geometry.compiled import compiled
from lzgis.geometry.index import Floats
from lzgis.geometry.segments import Segments

Flags = npt.NDArray[np.bool_]

#: Room for the boxes put off on the way down: 8 per level suffice, and no tree has 24 levels.
_STACK = 8 * 24


#: The square of a distance that may be 0 or not.
_NOTHING = 1e-300


@compiled
def _box_bounds(box: Floats, at: int, segment: Segments, site: int, bound: Floats) -> None:
    """Square of the least distance there can be from any run of a site to each of the 8 boxes from `at` on."""
    for k in range(WIDTH):
        bound[k] = np.inf
    for run in range(segment.site_run[site], segment.site_run[site + 1]):
        left, low = segment.run_box[run, 0], segment.run_box[run, 1]
        right, high = segment.run_box[run, 2], segment.run_box[run, 3]
        for k in range(WIDTH):
            dx = max(box[0, at + k] - right, left - box[2, at + k], 0.0)
            dy = max(box[1, at + k] - high, low - box[3, at + k], 0.0)
            square = dx * dx + dy * dy
            bound[k] = square if square < bound[k] else bound[k]


@compiled
def _crosses(e: Floats, ax: float, ay: float, bx: float, by: float) -> bool:
    """Tell whether an edge certainly crosses the edge from a to b; where rounding leaves a doubt, no."""
    u = e[2] * (ay - e[1]) - e[3] * (ax - e[0])
    v = e[2] * (by - e[1]) - e[3] * (bx - e[0])
    dx, dy = bx - ax, by - ay
    s = dx * (e[1] - ay) - dy * (e[0] - ax)
    t = dx * (e[1] + e[3] - ay) - dy * (e[0] + e[2] - ax)
    size = (abs(e[2]) + abs(e[3]) + abs(dx) + abs(dy)) * (abs(ax - e[0]) + abs(ay - e[1]) + abs(dx) + abs(dy))
    doubt = 1e-14 * size
    return bool(u * v < 0.0 and s * t < 0.0 and min(abs(u), abs(v), abs(s), abs(t)) > doubt)


@compiled
def _leaf_edges(tree: EdgeTree, leaf: int, line: Floats) -> None:
    """Lay out the edges of a leaf, each run through the same way whichever feature it bounds."""
    for k in range(WIDTH):
        ax, ay, bx, by = tree.x[leaf, k], tree.y[leaf, k], tree.x[leaf, k + 1], tree.y[leaf, k + 1]
        turn = bx < ax or (bx == ax and by < ay)
        line[0, k], line[1, k] = bx if turn else ax, by if turn else ay
        line[2, k], line[3, k] = ax - bx if turn else bx - ax, ay - by if turn else by - ay
    for k in range(WIDTH):
        square = line[2, k] * line[2, k] + line[3, k] * line[3, k]
        line[4, k] = 1.0 / square if square > 0.0 else 0.0


@compiled
def _edge_to_leaf(e: Floats, tree: EdgeTree, leaf: int, line: Floats, square: Floats) -> float:
    """Square of the distance from one edge of a site to a leaf, should they not cross."""
    for k in range(WIDTH):
        rx, ry = tree.x[leaf, k] - e[0], tree.y[leaf, k] - e[1]
        t = (rx * e[2] + ry * e[3]) * e[4]
        t = min(max(t, 0.0), 1.0)
        ex, ey = rx - t * e[2], ry - t * e[3]
        square[k] = ex * ex + ey * ey
    for k in range(WIDTH):
        rx, ry = e[0] - line[0, k], e[1] - line[1, k]
        t = (rx * line[2, k] + ry * line[3, k]) * line[4, k]
        t = min(max(t, 0.0), 1.0)
        ex, ey = rx - t * line[2, k], ry - t * line[3, k]
        there = ex * ex + ey * ey
        square[k] = there if there < square[k] else square[k]
    # 0 is kept for what is certain: here a product of rounded numbers may have come to nothing.
    least = square[0]
    for k in range(1, WIDTH):
        least = square[k] if square[k] < least else least
    return float(max(least, _NOTHING))


@compiled
def _site_to_leaf(segment: Segments, site: int, tree: EdgeTree, leaf: int, best: float, work: Floats) -> float:
    """Square of the distance from a site to a leaf, or anything greater than `best`."""
    left, low, right, high = tree.box[0, leaf], tree.box[1, leaf], tree.box[2, leaf], tree.box[3, leaf]
    line, square = work[:5], work[5]
    ready = False
    least = np.inf
    for run in range(segment.site_run[site], segment.site_run[site + 1]):
        b = segment.run_box[run]
        dx, dy = max(left - b[2], b[0] - right, 0.0), max(low - b[3], b[1] - high, 0.0)
        if dx * dx + dy * dy > min(best, least):
            continue
        for i in range(segment.run_start[run], segment.run_start[run + 1]):
            e = segment.edge[i]
            x0, x1 = min(e[0], e[0] + e[2]), max(e[0], e[0] + e[2])
            y0, y1 = min(e[1], e[1] + e[3]), max(e[1], e[1] + e[3])
            dx, dy = max(left - x1, x0 - right, 0.0), max(low - y1, y0 - high, 0.0)
            apart = dx * dx + dy * dy
            if apart > best or apart > least:
                continue
            if not ready:
                _leaf_edges(tree, leaf, line)
                ready = True
            there = _edge_to_leaf(e, tree, leaf, line, square)
            least = there if there < least else least
            if apart == 0.0:
                for k in range(WIDTH):
                    ax, ay, bx, by = tree.x[leaf, k], tree.y[leaf, k], tree.x[leaf, k + 1], tree.y[leaf, k + 1]
                    if _crosses(e, ax, ay, bx, by):
                        return 0.0
    return least


@compiled
def _put_off(stack: tuple[Int64s, Floats], top: int, at: int, bound: Floats, best: float) -> int:
    """Put the boxes of a group worth looking at on the stack, the nearest on top."""
    where, far = stack
    first = top
    for k in range(WIDTH):
        if bound[k] <= best:
            i = top
            while i > first and far[i - 1] < bound[k]:
                where[i], far[i] = where[i - 1], far[i - 1]
                i -= 1
            where[i], far[i] = at + k, bound[k]
            top += 1
    return top


@compiled
def _children(tree: EdgeTree, at: int) -> int:
    """Return where the group of boxes under an inner box begins."""
    level = 1
    while at >= tree.level[level + 1]:
        level += 1
    return int(tree.level[level - 1] + (at - tree.level[level]) * WIDTH)


@compiled
def nearest_edges(segment: Segments, tree: EdgeTree, wanted: Flags, near: float) -> tuple[Int64s, Floats, Flags]:
    """Find the nearest feature to each wanted site and the square of its distance; -1 and infinity for others.

    What certainly crosses a site is at distance 0; what lies wholly inside it, or holds it, is not seen to be. The third
    array tells where a feature is so near, within `near`, that it may be at 0 too.
    """
    n = len(segment.site_run) - 1
    right, square, unsure = np.full(n, -1), np.full(n, np.inf), np.zeros(n, np.bool_)
    work, bound = np.empty((6, WIDTH)), np.empty(WIDTH)
    stack = (np.empty(_STACK, np.int64), np.empty(_STACK))
    root = tree.level[len(tree.level) - 2]
    least = near * near
    leaf = -1
    for site in range(n):
        if not wanted[site] or segment.site_run[site] == segment.site_run[site + 1] or len(tree.owner) == 0:
            continue
        best, found, shy = np.inf, -1, -1
        if leaf >= 0:
            # The answer of the site before, which is near by, bounds this one's from the start.
            best = _site_to_leaf(segment, site, tree, leaf, np.inf, work) * (1.0 + 1e-12)
        _box_bounds(tree.box, root, segment, site, bound)
        top = _put_off(stack, 0, root, bound, max(best, least))
        while top > 0:
            top -= 1
            at, most = stack[0][top], max(best, least)
            if stack[1][top] > most:
                continue
            if at >= tree.level[1]:
                child = _children(tree, at)
                _box_bounds(tree.box, child, segment, site, bound)
                top = _put_off(stack, top, child, bound, most)
                continue
            there, owner = _site_to_leaf(segment, site, tree, at, most, work), tree.owner[at]
            if 0.0 < there <= least and (shy < 0 or owner < shy):
                shy = owner
            if there < best or (there == best and (found < 0 or owner < found)):
                best, found, leaf = there, owner, at
        right[site], square[site] = found, best
        unsure[site] = shy >= 0 and (best > 0.0 or shy < found)
    return right, square, unsure


@compiled
def edges_within(segment: Segments, tree: EdgeTree, distance: float, features: int) -> tuple[Int64s, Int64s, Floats]:
    """Find all pairs of site and feature no farther apart than `distance`, and the squares of their distances."""
    left, right, square = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64)
    slot = np.full(features, -1)
    work, bound = np.empty((6, WIDTH)), np.empty(WIDTH)
    stack = (np.empty(_STACK, np.int64), np.empty(_STACK))
    root = tree.level[len(tree.level) - 2]
    most = distance * distance
    n = 0
    for site in range(len(segment.site_run) - 1):
        if segment.site_run[site] == segment.site_run[site + 1] or len(tree.owner) == 0:
            continue
        first = n
        _box_bounds(tree.box, root, segment, site, bound)
        top = _put_off(stack, 0, root, bound, most)
        while top > 0:
            top -= 1
            at = stack[0][top]
            if at >= tree.level[1]:
                child = _children(tree, at)
                _box_bounds(tree.box, child, segment, site, bound)
                top = _put_off(stack, top, child, bound, most)
                continue
            s = slot[tree.owner[at]]
            best = most if s < 0 else square[s]
            there = _site_to_leaf(segment, site, tree, at, best, work)
            if there > best or (s >= 0 and there == best):
                continue
            if s < 0:
                if n == len(left):
                    left, right, square = _longer(left), _longer(right), _longer(square)
                s = n
                slot[tree.owner[at]] = s
                left[s], right[s] = site, tree.owner[at]
                n += 1
            square[s] = there
        for s in range(first, n):
            slot[right[s]] = -1
    return left[:n].copy(), right[:n].copy(), square[:n].copy()


@compiled
def _longer(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    longer = np.empty(2 * len(array), array.dtype)
    for k in range(len(array)):
        longer[k] = array[k]
    return longer
