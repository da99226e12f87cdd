"""Borders of two layers that run near each other without coinciding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import shapely

from lzgis.geometry.features import Floats, Geometries, Integers
from lzgis.geometry.layer_pieces import Pieces, chained

#: Two edges whose ends agree to this are one edge.
_SAME_M = 1e-3
#: Distance between the points at which a line is compared with others.
STEP_M = 20.0


class Beside(NamedTuple):
    """Stretches of borders beside those of another set: both owners, the line, and the median distance."""

    left: Integers
    right: Integers
    line: Geometries
    distance: Floats


class Edges(NamedTuple):
    """The edges of borders: their ends, their ring, and the polygon of the ring."""

    ends: Floats
    ring: Integers
    owner: Integers


def edges_of(polygons: Geometries) -> Edges:
    """Split the borders of polygons into edges.

    Examples
    --------
    >>> edges = edges_of(np.array([shapely.box(0, 0, 1, 1)]))
    >>> edges.ends.shape, edges.owner
    ((4, 4), array([0, 0, 0, 0]))
    """
    parts, of_part = shapely.get_parts(polygons, return_index=True)
    rings, of_ring = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    inner = ring[1:] == ring[:-1]
    ends = np.hstack([points[:-1], points[1:]])[inner]
    return Edges(ends, ring[:-1][inner], of_part[of_ring][ring[:-1][inner]])


def alone(left: Edges, right: Edges | None = None) -> tuple[Pieces, Pieces]:
    """Keep the edges that only one of two sets has, as short lines; of a single set, those that no other edge repeats.

    Examples
    --------
    >>> two = edges_of(np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)]))
    >>> shapely.length(alone(two)[0].geometries)
    array([3., 2., 1.])
    """
    ours = _keys(left)
    if right is None:
        _, inverse, count = np.unique(ours, return_inverse=True, return_counts=True)
        mine = _lines(left, count[inverse] == 1)
        return mine, mine
    theirs = _keys(right)
    return _lines(left, ~np.isin(ours, theirs)), _lines(right, ~np.isin(theirs, ours))


def beside(
    left: Pieces, right: Pieces, between: tuple[float, float], *, shortest: float, among: bool = False
) -> Beside:
    """Find where lines run beside others, farther than ``between[0]`` and nearer than ``between[1]``.

    Lines are compared every `STEP_M` and at their vertices. Stretches shorter than `shortest` are left out: two borders that
    only cross are near for a short stretch too. `among` says that both are the same set.

    Examples
    --------
    >>> a, b = (alone(edges_of(np.array([shapely.box(0, y, 300, y + 200)])))[0] for y in (0, 201))
    >>> found = beside(a, b, (0.01, 5.0), shortest=50.0)
    >>> shapely.length(found.line), found.distance
    (array([300.]), array([1.]))
    """
    ours, theirs = right.index.tree.query(left.geometries, predicate="dwithin", distance=between[1])
    if among:
        keep = left.owner[ours] < right.owner[theirs]
        ours, theirs = ours[keep], theirs[keep]
    key = left.owner[ours] * max(right.size, 1) + right.owner[theirs]
    rows = []
    for group, here in _grouped(key):
        owners = divmod(group, max(right.size, 1))
        for points, distance in _runs(left, right, (ours[here], theirs[here]), between):
            if len(points) > 1 and np.hypot(*np.diff(points, axis=0).T).sum() >= shortest:
                rows.append((*owners, shapely.LineString(points), float(np.median(distance))))
    lines = np.empty(len(rows), dtype=object)
    lines[:] = [row[2] for row in rows]
    numbers = np.array([row[:2] for row in rows], dtype=np.intp).reshape(-1, 2)
    return Beside(numbers[:, 0], numbers[:, 1], lines, np.array([row[3] for row in rows], dtype=float))


def _runs(
    left: Pieces, right: Pieces, pairs: tuple[Integers, Integers], between: tuple[float, float]
) -> list[tuple[Floats, Floats]]:
    """Follow the lines of one pair of owners, and return the stretches that run beside."""
    lines, which = np.unique(pairs[0], return_inverse=True)
    points, line = shapely.get_coordinates(shapely.segmentize(left.geometries[lines], STEP_M), return_index=True)
    starts = np.searchsorted(line, np.arange(len(lines) + 1))
    count = np.diff(starts)[which]
    # Every point of a line against every line near that line.
    pair = np.repeat(np.arange(len(which)), count)
    point = starts[which][pair] + np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    places = np.asarray(shapely.points(points), dtype=object)
    apart = shapely.distance(places[point], right.geometries[pairs[1]][pair])
    distance = np.full(len(points), np.inf)
    np.minimum.at(distance, point, apart)
    beside = (distance > between[0]) & (distance < between[1])
    follows = np.zeros(len(points), dtype=bool)
    follows[1:] = line[1:] == line[:-1]
    joins = np.flatnonzero(~follows)[1:]
    follows[joins] = (points[joins] == points[joins - 1]).all(axis=1)
    chosen = np.flatnonzero(beside)
    begins = np.ones(len(chosen), dtype=bool)
    begins[1:] = (np.diff(chosen) != 1) | ~follows[chosen[1:]]
    return [(points[run], distance[run]) for run in np.split(chosen, np.flatnonzero(begins)[1:]) if len(run)]


def _grouped(key: Integers) -> Iterator[tuple[int, Integers]]:
    order = np.argsort(key, kind="stable")
    for run in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
        if len(run):
            yield int(key[run[0]]), run


def _keys(edges: Edges) -> Integers:
    """Give every edge a number that is the same for the same edge, whichever way it runs."""
    a = np.round(edges.ends[:, :2] / _SAME_M).astype(np.int64)
    b = np.round(edges.ends[:, 2:] / _SAME_M).astype(np.int64)
    swap = (a[:, 0] > b[:, 0]) | ((a[:, 0] == b[:, 0]) & (a[:, 1] > b[:, 1]))
    first, last = np.where(swap[:, None], b, a), np.where(swap[:, None], a, b)
    key = np.zeros(len(a), dtype=np.uint64)
    for column in (first[:, 0], first[:, 1], last[:, 0], last[:, 1]):
        key = (key ^ column.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return key.view(np.int64).astype(np.intp)


def _lines(edges: Edges, keep: np.ndarray) -> Pieces:
    """Join kept edges that follow each other on one ring."""
    which = np.flatnonzero(keep)
    size = int(edges.owner.max(initial=-1)) + 1
    if not len(which):
        return Pieces(np.empty(0, dtype=object), which, size)
    begins = np.ones(len(which), dtype=bool)
    begins[1:] = (np.diff(which) != 1) | (np.diff(edges.ring[which]) != 0)
    run = np.cumsum(begins) - 1
    last = np.flatnonzero(np.r_[begins[1:], True])
    points = np.vstack([edges.ends[which, :2], edges.ends[which[last], 2:]])
    runs = np.r_[run, run[last]]
    order = np.argsort(runs, kind="stable")
    made = chained(points[order], runs[order], edges.owner[which[begins]])
    return Pieces(made.geometries, made.owner, size)
