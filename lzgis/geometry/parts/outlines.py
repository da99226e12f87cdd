"""The boundaries of polygons in runs of a few edges, looked up by place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.geometry.features import FeatureIndex, Floats, Geometries, Integers
from lzgis.geometry.loops.chains import Chains, chains

#: Edges of a run.
_EDGES = 16
#: Runs that are looked at together, unless one place alone has more: what that takes is some hundred bytes an edge.
_MOST_RUNS = 1 << 15
#: Windows whose runs are looked up at the same time.
_PLACES = 1024


@dataclass(frozen=True, eq=False)
class Outlines:
    """The rings of features, each with its feature's inside to the left.

    Attributes
    ----------
    x, y : array of float
        Vertices, ring after ring; a ring ends with the vertex it began with.
    hole : array of bool, shape (rings,)
        Whether a ring is a hole.
    polygon : array of int, shape (rings,)
        Which polygon it is of, all polygons of all features counted.
    first, length, ring, feature : array of int, shape (runs,)
        Of each run of edges: its first vertex, how many edges follow, its ring and its feature.
    tree : STRtree
        The runs as lines.
    """

    x: Floats
    y: Floats
    hole: npt.NDArray[np.bool_]
    polygon: Integers
    first: Integers
    length: Integers
    ring: Integers
    feature: Integers
    tree: shapely.STRtree

    def met_by(self, shapes: Geometries) -> tuple[Integers, Integers]:
        """Return which shapes meet the boundary of which features, some of them more than once."""
        shape, run = self.tree.query(shapes, predicate="intersects")
        return shape, self.feature[run]

    def lots(self, window: Floats, feature: Integers) -> Iterator[tuple[slice, Integers, Integers]]:
        """Look up the runs of one feature each that may meet windows (least and greatest x and y), a lot of windows at a time.

        Yields the windows of the lot, and for each run found its window (counted in the lot) and itself, in this order.
        """
        for begin in range(0, len(window), _PLACES):
            some = slice(begin, min(begin + _PLACES, len(window)))
            place, run = self.tree.query(shapely.box(*window[some].T))
            own = self.feature[run] == feature[some][place]
            place, run = place[own], run[own]
            order = np.lexsort((run, place))
            place, run = place[order], run[order]
            ends = np.cumsum(np.bincount(place, minlength=some.stop - begin))
            first = 0
            while first < len(ends):
                before = int(ends[first - 1]) if first else 0
                last = max(first + 1, int(np.searchsorted(ends, before + _MOST_RUNS, side="right")))
                part = slice(before, int(ends[last - 1]))
                yield slice(begin + first, begin + last), place[part] - first, run[part]
                first = last


def outlines_of(features: Geometries) -> Outlines:
    """Split polygons and multipolygons into runs of edges.

    Examples
    --------
    >>> found = outlines_of(np.array([shapely.box(0, 0, 9, 9), shapely.Point(50, 0).buffer(5)]))
    >>> found.length, found.feature
    (array([ 4, 16, 16, 16, 16]), array([0, 1, 1, 1, 1]))
    >>> found.met_by(np.array([shapely.LineString([(-1, 1), (1, 1)])]))
    (array([0]), array([0]))
    """
    rings = _turned(chains(features))
    start, size = rings.start[:-1], np.diff(rings.start)
    owner = np.repeat(np.arange(len(features)), np.diff(rings.owner_start))
    runs = -(-(size - 1) // _EDGES)
    ring = np.repeat(np.arange(len(size)), runs)
    first = start[ring] + _EDGES * counted(runs)
    length = np.minimum(_EDGES, start[ring] + size[ring] - 1 - first)
    vertex = np.repeat(first, length + 1) + counted(length + 1)
    points = np.stack([rings.x[vertex], rings.y[vertex]], axis=1)
    lines = shapely.linestrings(points, indices=np.repeat(np.arange(len(first)), length + 1))
    tree = shapely.STRtree(np.asarray(lines, dtype=object))
    hole = rings.side < 0
    return Outlines(rings.x, rings.y, hole, np.cumsum(~hole) - 1, first, length, ring, owner[ring], tree)


def outlines_among(index: FeatureIndex, which: Integers) -> tuple[Outlines, Integers]:
    """Return the outlines of some features of a layer, cached with it, and the number of each feature in them.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.box(0, 0, 9, 9), shapely.box(20, 0, 29, 9), shapely.box(40, 0, 49, 9)]))
    >>> outlines_among(index, np.array([2, 0, 2]))[1]
    array([1, 0, 1])
    """
    features, number = np.unique(which, return_inverse=True)
    cached: tuple[Integers, Outlines] | None = index.cached.get("outlines")
    if cached is None or not np.isin(features, cached[0]).all():
        known = features if cached is None else np.union1d(features, cached[0])
        cached = index.cached["outlines"] = known, outlines_of(index.geometries[known])
    return cached[1], np.searchsorted(cached[0], features)[number]


def _turned(rings: Chains) -> Chains:
    """Turn rings so that shells run counterclockwise and holes clockwise."""
    size = np.diff(rings.start)
    if len(size) == 0:
        return rings
    # Seen from the first vertex of each ring, for coordinates may be large.
    x, y = rings.x - np.repeat(rings.x[rings.start[:-1]], size), rings.y - np.repeat(rings.y[rings.start[:-1]], size)
    cross = np.zeros(len(x))
    cross[:-1] = x[:-1] * y[1:] - x[1:] * y[:-1]
    # No edge leads from the last vertex of a ring to the next ring.
    wrong = np.sign(np.add.reduceat(cross, rings.start[:-1])) == -rings.side
    if not wrong.any():
        return rings
    turned = np.flatnonzero(np.repeat(wrong, size))
    other = np.arange(len(x))
    other[turned] = np.repeat(rings.start[:-1] + rings.start[1:] - 1, size)[turned] - turned
    return rings._replace(x=rings.x[other], y=rings.y[other])


def counted(numbers: Integers) -> Integers:
    """Count 0, 1, … up to each of the numbers.

    Examples
    --------
    >>> counted(np.array([2, 0, 3]))
    array([0, 1, 0, 1, 2])
    """
    return np.arange(int(numbers.sum())) - np.repeat(np.cumsum(numbers) - numbers, numbers)
