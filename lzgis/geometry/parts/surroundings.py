"""The parts of features in windows around many places, computed for all places at once.

The edges that meet a window are looked up and clipped. Where a path of edges leaves the window, the border continues along the
sides of the window, counterclockwise, to the next path that enters: the inside of a feature lies to the left of its rings. No
ring is traversed as a whole, however large it is. The paths of a valid feature leave and enter by turns; where rounding makes it
appear otherwise, the result is empty, and the caller overlays the whole feature.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lzgis.geometry.features import Floats, Geometries, Integers
from lzgis.geometry.parts.outlines import Outlines, counted
from lzgis.geometry.parts.shells import Rings, polygons_of_rings

#: How far a window reaches beyond the place it is made for, in metres, so that none of its sides shows in what is found.
#: No round number: vertices of a grid shall not lie on its sides.
_MARGIN = 1.0 + 0.2360679774997897

Flags = npt.NDArray[np.bool_]


def surroundings(outlines: Outlines, feature: Integers, bounds: Floats) -> Iterator[tuple[slice, Geometries]]:
    """Clip features to the surroundings of many places.

    Parameters
    ----------
    outlines : Outlines
        Those of the features.
    feature : array of int, shape (n,)
        Which feature is looked at from each place.
    bounds : array of float, shape (n, 4)
        The least and greatest x and y of each place.

    Yields
    ------
    places : slice
        The next places, some at a time.
    seen : array of shapely geometries
        What agrees with their features within their bounds and a little beyond; an empty polygon where the boundary of the
        feature does not meet the surroundings, or what is seen cannot be determined.

    Examples
    --------
    >>> import shapely
    >>> from lzgis.geometry.parts.outlines import outlines_of
    >>> outlines = outlines_of(np.array([shapely.box(0, 0, 1000, 1000)]))
    >>> ((_places, seen),) = surroundings(outlines, np.array([0]), np.array([[990.0, 500.0, 1010.0, 510.0]]))
    >>> shapely.bounds(seen).round(1)
    array([[ 988.8,  498.8, 1000. ,  511.2]])
    """
    window = window_around(bounds)
    for places, place, run in outlines.lots(window, feature):
        yield places, _seen(outlines, window[places], place, run)


def window_around(bounds: Floats) -> Floats:
    """Return the windows that `surroundings` clips by: the bounds, and a little more on each side."""
    window: Floats = bounds + np.array([-_MARGIN, -_MARGIN, _MARGIN, _MARGIN])
    return window


def _seen(outlines: Outlines, window: Floats, place: Integers, run: Integers) -> Geometries:
    """Return the part of the features in each window, from the runs that may meet it."""
    edges = _edges(outlines, window, place, run)
    paths = _paths(edges)
    after, corners, sound = _following(paths, edges, len(window))
    rings = _rings(paths, edges, (after, corners), window)
    return polygons_of_rings(rings, outlines, window, sound)


@dataclass(frozen=True)
class _Edges:
    """Edges that meet windows, in the order of windows and vertices.

    `x` and `y` are where an edge begins or comes into the window, `out_x` and `out_y` where it leaves. `enters` and `leaves`
    are the sides it does that through: 0 to 3 for south, east, north and west, -1 where it begins or ends within.
    """

    place: Integers
    ring: Integers
    vertex: Integers
    x: Floats
    y: Floats
    enters: Integers
    out_x: Floats
    out_y: Floats
    leaves: Integers


def _edges(outlines: Outlines, window: Floats, place: Integers, run: Integers) -> _Edges:
    """Clip edges to the open windows: what runs along a side lies outside."""
    length = outlines.length[run]
    vertex = np.repeat(outlines.first[run], length) + counted(length)
    place, ring = np.repeat(place, length), np.repeat(outlines.ring[run], length)
    # Most edges of the runs lie outside of the window.
    for axis, values in enumerate((outlines.x, outlines.y)):
        a, b = values[vertex], values[vertex + 1]
        near = (np.maximum(a, b) > window[place, axis]) & (np.minimum(a, b) < window[place, axis + 2])
        vertex, place, ring = vertex[near], place[near], ring[near]
    begin, end = (np.stack([outlines.x[some], outlines.y[some]]) for some in (vertex, vertex + 1))
    own = window[place].T
    part = _Clipped(own[:2], own[2:], begin, end)
    within, without = part.inside(begin), part.inside(end)
    come, go, kept = part.sides(within, without)
    enter_x, enter_y = part.point(come, part.begin)
    leave_x, leave_y = part.point(go, part.end)
    return _Edges(
        place=place[kept],
        ring=ring[kept],
        vertex=vertex[kept],
        x=enter_x[kept],
        y=enter_y[kept],
        enters=come.side[kept],
        out_x=leave_x[kept],
        out_y=leave_y[kept],
        leaves=go.side[kept],
    )


class _Crossing(NamedTuple):
    """Where edges cross the sides of their windows: how far along, from 0 to 1, and which side, -1 for none."""

    along: Floats
    side: Integers


class _Clipped(NamedTuple):
    """Edges and their windows, each an array of shape (2, n): the least and greatest coordinates, and the two ends."""

    low: Floats
    high: Floats
    begin: Floats
    end: Floats

    def inside(self, points: Floats) -> Flags:
        """Tell which points lie in the open windows."""
        return np.asarray(((self.low < points) & (points < self.high)).all(axis=0))

    def sides(self, starts: Flags, ends: Flags) -> tuple[_Crossing, _Crossing, Flags]:
        """Find where edges that do not start (end) within come in (leave), and which edges meet the window."""
        step = self.end - self.begin
        up = step > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = (self.low - self.begin) / step, (self.high - self.begin) / step
        # An edge along an axis never crosses the sides along that axis.
        enters = np.where(step == 0, -np.inf, np.where(up, low, high))
        leaves = np.where(step == 0, np.inf, np.where(up, high, low))
        first, last = enters.max(axis=0), leaves.min(axis=0)
        across_in, across_out = enters[0] >= enters[1], leaves[0] <= leaves[1]
        # Through the west going up in x, through the east going down; through the south and the north in y.
        come = np.where(across_in, np.where(up[0], 3, 1), np.where(up[1], 0, 2))
        go = np.where(across_out, np.where(up[0], 1, 3), np.where(up[1], 2, 0))
        kept = starts | ends | ((first < last) & (first >= 0) & (last <= 1))
        return _Crossing(first, np.where(starts, -1, come)), _Crossing(last, np.where(ends, -1, go)), kept

    def point(self, crossing: _Crossing, otherwise: Floats) -> tuple[Floats, Floats]:
        """Give the points of crossings, exactly on their sides; `otherwise` where there is none."""
        side, along = crossing.side, np.where(crossing.side < 0, 0.0, crossing.along)
        there = np.clip(self.begin + along * (self.end - self.begin), self.low, self.high)
        x = np.select([side < 0, side == 1, side == 3], [otherwise[0], self.high[0], self.low[0]], there[0])
        y = np.select([side < 0, side == 2, side == 0], [otherwise[1], self.high[1], self.low[1]], there[1])
        return x, y


class _Paths(NamedTuple):
    """Paths of edges within windows, by the numbers of their first and last edges."""

    first: Integers
    last: Integers


def _paths(edges: _Edges) -> _Paths:
    """Join edges that follow each other within the window."""
    starts = np.ones(len(edges.vertex), dtype=bool)
    starts[1:] = (edges.place[1:] != edges.place[:-1]) | (edges.vertex[1:] != edges.vertex[:-1] + 1)
    starts[1:] |= (edges.enters[1:] >= 0) | (edges.leaves[:-1] >= 0)
    first = np.flatnonzero(starts)
    return _Paths(first, np.append(first[1:], len(starts))[: len(first)] - 1)


def _following(paths: _Paths, edges: _Edges, windows: int) -> tuple[Integers, Integers, Flags]:
    """Return for each path the next one, the corners of the window between them, and the windows for which that is certain."""
    n = len(paths.first)
    after, corners, sound = np.arange(n), np.zeros(n, dtype=np.intp), np.ones(windows, dtype=bool)
    enters, leaves = edges.enters[paths.first], edges.leaves[paths.last]
    # Through the first vertex of a ring that lies within, its last path goes on in its first one.
    after[leaves < 0] = np.flatnonzero(enters < 0)
    into, out = np.flatnonzero(enters >= 0), np.flatnonzero(leaves >= 0)
    path = np.r_[out, into]
    comes_in = np.r_[np.zeros(len(out), dtype=bool), np.ones(len(into), dtype=bool)]
    side = np.r_[leaves[out], enters[into]]
    x = np.r_[edges.out_x[paths.last[out]], edges.x[paths.first[into]]]
    y = np.r_[edges.out_y[paths.last[out]], edges.y[paths.first[into]]]
    along = np.choose(side, [x, y, -x, -y]) if len(side) else x
    place = edges.place[paths.first[path]]
    order = np.lexsort((along, side, place))
    path, comes_in, side, along, place = (one[order] for one in (path, comes_in, side, along, place))
    number = np.bincount(place, minlength=windows)
    start = np.cumsum(number) - number
    # The next one on the border of the same window; after its last one the first.
    following = np.arange(1, len(path) + 1)
    following[(start + number - 1)[number > 0]] = start[number > 0]
    alike = (side == side[following]) & (along == along[following])
    sound[place[alike | (comes_in == comes_in[following])]] = False
    goes = np.flatnonzero(~comes_in)
    then = following[goes]
    back = (side[then] == side[goes]) & (along[then] < along[goes])
    after[path[goes]] = path[then]
    corners[path[goes]] = (side[then] - side[goes]) % 4 + 4 * back
    unsound = ~sound[edges.place[paths.first]]
    after[unsound] = np.flatnonzero(unsound)
    return after, corners, sound


def _rings(paths: _Paths, edges: _Edges, following: tuple[Integers, Integers], window: Floats) -> Rings:
    """Put paths together into rings, each from its first path on."""
    after, corners = following
    leader, order = _cycles(after)
    first, last = paths.first[order], paths.last[order]
    leaves, corners = edges.leaves[last], corners[order]
    length = last - first + 1
    size = length + (leaves >= 0) + corners
    offset = np.cumsum(size) - size
    x, y = np.empty(int(size.sum())), np.empty(int(size.sum()))
    edge, to = np.repeat(first, length) + counted(length), np.repeat(offset, length) + counted(length)
    x[to], y[to] = edges.x[edge], edges.y[edge]
    out = leaves >= 0
    x[(offset + length)[out]], y[(offset + length)[out]] = edges.out_x[last[out]], edges.out_y[last[out]]
    for corner in range(4):
        which = np.flatnonzero(corners > corner)
        side = (leaves[which] + corner) % 4
        own = window[edges.place[first[which]]]
        to = (offset + length)[which] + 1 + corner
        x[to] = np.where((side == 0) | (side == 1), own[:, 2], own[:, 0])
        y[to] = np.where((side == 1) | (side == 2), own[:, 3], own[:, 1])
    begins = np.flatnonzero(leader[order] == order)
    start = np.append(offset[begins], len(x))
    closed = ~out[begins] & (edges.enters[first[begins]] < 0)
    return Rings(x, y, start, edges.place[first[begins]], edges.ring[first[begins]], closed)


def _cycles(after: Integers) -> tuple[Integers, Integers]:
    """Find for each number the least one of its cycle, and the order that follows one cycle after the other.

    By doubling: in each round, every number looks twice as far ahead.
    """
    least, ahead = np.arange(len(after)), after
    while True:
        lower = np.minimum(least, least[ahead])
        if np.array_equal(lower, least):
            break
        least, ahead = lower, ahead[ahead]
    ends = after == least
    ahead, steps = np.where(ends, np.arange(len(after)), after), (~ends).astype(np.intp)
    while True:
        more = steps[ahead]
        if not more.any():
            break
        steps, ahead = steps + more, ahead[ahead]
    return least, np.lexsort((-steps, least))
