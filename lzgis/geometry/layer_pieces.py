"""Layers against each other: large polygons are cut into pieces of few vertices, so that only near pieces are compared."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import shapely

from lzgis.geometry.features import FeatureIndex, Geometries, Integers
from lzgis.geometry.overlay import mean_width, outside_parts, part_of_dimension, united
from lzgis.geometry.threads import by_rows, copies, cores, in_pieces, unprepared

#: The most vertices of a piece: the intersection of two pieces then takes a few milliseconds.
MOST_VERTICES = 1024
#: From so many parts on, several threads unite them faster than one.
_MANY = 256
#: So many patches are united by groups that meet.
_SCATTERED = 256

_NONE = np.zeros(0, dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Pieces:
    """Geometries in pieces: each piece with the position of its geometry.

    Parameters
    ----------
    geometries : array of shapely geometries, shape (m,)
        The pieces, in the order of their owners.
    owner : array of int, shape (m,)
        The geometry of each piece.
    size : int
        Number of geometries that were cut.
    """

    geometries: Geometries
    owner: Integers
    size: int

    @cached_property
    def index(self) -> FeatureIndex:
        """The pieces with a search tree."""
        return FeatureIndex(self.geometries)


class Common(NamedTuple):
    """Pairs that overlap: positions in the two inputs, and the part in common. Sorted by `left`, then `right`."""

    left: Integers
    right: Integers
    part: Geometries


def cut_to_pieces(geometries: Geometries, *, most: int = MOST_VERTICES, threads: int = 1) -> Pieces:
    """Cut geometries along upright and level lines until no piece has more than `most` vertices, in several threads.

    Examples
    --------
    >>> ring = shapely.Point(0, 0).buffer(100, quad_segs=1000)
    >>> cut = cut_to_pieces(np.array([ring, shapely.box(0, 0, 1, 1)]), most=500)
    >>> bool((shapely.get_num_coordinates(cut.geometries) <= 500).all()), cut.owner[-1]
    (True, np.int64(1))
    >>> bool(abs(shapely.area(cut.geometries[cut.owner == 0]).sum() - ring.area) < 1e-6)
    True
    """
    large = np.flatnonzero(shapely.get_num_coordinates(geometries) > most)

    def work(first: int, last: int) -> list[list[shapely.Geometry]]:
        return [_halved(geometries[at], most) for at in large[first:last]]

    halved = dict(zip(large.tolist(), itertools.chain(*in_pieces(len(large), threads, work)), strict=True))
    pieces: list[shapely.Geometry] = []
    owner: list[int] = []
    for i, geometry in enumerate(geometries):
        found = halved.get(i, [geometry])
        pieces += found
        owner += [i] * len(found)
    return Pieces(_array(pieces), np.array(owner, dtype=np.intp), len(geometries))


def common_parts(left: Pieces, right: Pieces, *, among: bool = False, threads: int = 1) -> Common:
    """Find the common parts of two sets of polygons, pair by pair.

    Parameters
    ----------
    left, right : Pieces
        The two sets.
    among : bool
        Both are the same set: every pair is given once, none with itself.
    threads : int
        How many to use; the result is the same for any number.

    Examples
    --------
    >>> a, b = (cut_to_pieces(np.array([shapely.box(x, 0, x + 10, 10)])) for x in (0, 8))
    >>> common = common_parts(a, b)
    >>> common.left, common.right, shapely.area(common.part)
    (array([0]), array([0]), array([20.]))
    """
    if not len(left.geometries) or not len(right.geometries):
        return Common(_NONE, _NONE, _array([]))
    ours, theirs = right.index.tree.query(left.geometries)
    if among:
        keep = left.owner[ours] < right.owner[theirs]
        ours, theirs = ours[keep], theirs[keep]

    # A geometry that is not large is not cut, and another function may have prepared it.
    lefts, rights = unprepared(left.geometries), unprepared(right.geometries)

    def overlay(part: slice) -> Geometries:
        a, b = lefts[ours[part]], rights[theirs[part]]
        common = np.full(len(a), shapely.Polygon(), dtype=object)
        meet = shapely.intersects(a, b)
        common[meet] = shapely.intersection(a[meet], b[meet])
        return part_of_dimension(common, np.full(len(common), 2))

    found = np.concatenate([_array([]), *_threaded(overlay, len(ours), threads)])
    there = np.flatnonzero(shapely.area(found) > 0)
    first, second = left.owner[ours[there]], right.owner[theirs[there]]
    key = first * max(right.size, 1) + second
    groups, group = np.unique(key, return_inverse=True)
    return Common(*np.divmod(groups, max(right.size, 1)), _united(found[there], group, len(groups), threads=threads))


def uncovered_parts(pieces: Pieces, covering: FeatureIndex, *, threads: int = 1) -> Geometries:
    """Return the part of each geometry that no indexed polygon covers; empty where all is covered.

    Examples
    --------
    >>> field = cut_to_pieces(np.array([shapely.box(0, 0, 10, 10)]))
    >>> shapely.area(uncovered_parts(field, FeatureIndex(np.array([shapely.box(0, 0, 10, 9)]))))
    array([10.])
    """
    # Every thread prepares copies of its own.
    own, shared = threading.local(), unprepared(pieces.geometries)

    def work(part: slice) -> Geometries:
        if not hasattr(own, "covering"):
            own.covering = FeatureIndex(copies(covering.geometries))
        return outside_parts(shared[part], own.covering)

    rest = np.concatenate([_array([]), *_threaded(work, len(pieces.owner), threads)])
    there = np.flatnonzero(~shapely.is_empty(rest))
    return _united(rest[there], pieces.owner[there], pieces.size, threads=threads)


def patches(polygons: Geometries, resolution: float) -> tuple[Geometries, Integers]:
    """Split polygons where they are connected by less than `resolution`, and remove parts that are narrower.

    Along a common border, rounding leaves hairs. They have no area, but would make the mean width of a patch smaller.

    Returns
    -------
    patches : array of shapely geometries
        Single polygons.
    owner : array of int
        The polygon of each patch.

    Examples
    --------
    >>> two = shapely.union_all([shapely.box(0, 0, 5, 5), shapely.box(5, 0, 50, 1e-7), shapely.box(50, 0, 55, 5)])
    >>> found, owner = patches(np.array([two]), 0.001)
    >>> shapely.area(found).round(3), owner
    (array([25., 25.]), array([0, 0]))
    """
    half = resolution / 2
    singles, owner = shapely.get_parts(polygons, return_index=True)

    def open_(some: Geometries) -> Geometries:
        shrunk = shapely.buffer(some, -half, join_style="mitre")
        return np.asarray(shapely.buffer(shrunk, half, join_style="mitre"), dtype=object)

    # A vertex that keeps its distance from all other edges is at no hair and no neck; most slivers have no other vertex.
    clearances = in_pieces(len(singles), cores(), lambda a, b: shapely.minimum_clearance(singles[a:b]))
    narrow = np.flatnonzero(~(np.concatenate([np.zeros(0), *clearances]) > resolution))
    opened, doubted = by_rows(open_, singles[narrow]), singles[narrow]
    # Opening also blunts needles, which are no hairs: it removes parts much wider than rounding leaves.
    shorter, less = shapely.length(doubted) - shapely.length(opened), shapely.area(doubted) - shapely.area(opened)
    hairless = (shapely.get_num_geometries(opened) == 1) & ~shapely.is_empty(opened)
    hairless &= (shorter < 1.0) | (2 * less > 0.01 * resolution * shorter)
    cleaned = singles.copy()
    cleaned[narrow[~hairless]] = opened[~hairless]
    parts, single = shapely.get_parts(cleaned, return_index=True)
    keep = mean_width(parts) > resolution
    return parts[keep], owner[single[keep]]


def border_chains(polygons: Geometries, *, most: int = 64) -> Pieces:
    """Return the borders of polygons as short lines.

    Examples
    --------
    >>> chains = border_chains(np.array([shapely.box(0, 0, 1, 1)]), most=3)
    >>> shapely.length(chains.geometries)
    array([2., 2.])
    """
    rings, owner = _rings(polygons)
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    return chained(coordinates, ring, owner, most=most)


def line_chains(lines: Geometries, *, most: int = 64) -> Pieces:
    """Cut lines into short lines.

    Examples
    --------
    >>> chains = line_chains(np.array([shapely.LineString([(0, 0), (1, 0), (2, 0), (2, 5)])]), most=3)
    >>> shapely.length(chains.geometries)
    array([2., 5.])
    """
    parts, owner = shapely.get_parts(lines, return_index=True)
    coordinates, part = shapely.get_coordinates(parts, return_index=True)
    return chained(coordinates, part, owner, most=most)


def union_area(polygons: Geometries, *, threads: int = 1) -> float:
    """Return the area that polygons cover together, without uniting them, computed in several threads.

    The part of each polygon counts that it does not share with those before it.

    Parameters
    ----------
    polygons : array of shapely geometries
        Valid.

    Examples
    --------
    >>> union_area(np.array([shapely.box(0, 0, 2, 2), shapely.box(1, 0, 3, 2), shapely.box(1, 1, 2, 3)]))
    7.0
    """
    total = shapely.area(polygons).sum()
    pieces = cut_to_pieces(polygons, threads=threads)
    # The pieces of a large layer need as much memory again.
    del polygons
    common = common_parts(pieces, pieces, among=True, threads=threads)
    order = np.argsort(common.right, kind="stable")
    twice = united(common.part[order], common.right[order])
    return float(total - shapely.area(twice).sum())


def chained(coordinates: np.ndarray, run: Integers, owner: Integers, *, most: int = 64) -> Pieces:
    """Cut runs of vertices into lines of `most` vertices that share their ends; `owner` is that of each run."""
    starts = np.flatnonzero(np.diff(run, prepend=-1))
    ends = np.r_[starts, len(run)][1:]
    lines: list[np.ndarray] = []
    owners: list[int] = []
    for begin, end in zip(starts, ends, strict=True):
        for first in range(begin, end - 1, most - 1):
            lines.append(coordinates[first : min(first + most, end)])
            owners.append(int(owner[run[begin]]))
    if not lines:
        return Pieces(_array([]), _NONE, int(owner.max(initial=-1)) + 1)
    index = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    made = shapely.linestrings(np.concatenate(lines), indices=index)
    return Pieces(np.asarray(made, dtype=object), np.array(owners, dtype=np.intp), int(owner.max(initial=-1)) + 1)


def _rings(polygons: Geometries) -> tuple[Geometries, Integers]:
    parts, of_part = shapely.get_parts(polygons, return_index=True)
    rings, of_ring = shapely.get_rings(parts, return_index=True)
    return rings, of_part[of_ring]


def _halved(geometry: shapely.Geometry, most: int) -> list[shapely.Geometry]:
    """Halve a geometry across its longer side, and the halves again."""
    done: list[shapely.Geometry] = []
    ahead = [geometry]
    while ahead:
        one = ahead.pop()
        if shapely.get_num_coordinates(one) <= most:
            done.append(one)
            continue
        halves = _two_halves(one)
        # A knot of vertices in one place cannot be divided by area for ever.
        small = max(shapely.get_num_coordinates(half) for half in halves) > 0.98 * shapely.get_num_coordinates(one)
        stuck = small and max(np.ptp(np.reshape(shapely.bounds(one), (2, 2)), axis=0)) < 1.0
        (done if stuck else ahead).extend(half for half in halves if not shapely.is_empty(half))
    return done


def _two_halves(geometry: shapely.Geometry) -> list[shapely.Geometry]:
    west, south, east, north = shapely.bounds(geometry)
    if east - west >= north - south:
        middle = (west + east) / 2
        windows = [(west - 1, south - 1, middle, north + 1), (middle, south - 1, east + 1, north + 1)]
    else:
        middle = (south + north) / 2
        windows = [(west - 1, south - 1, east + 1, middle), (west - 1, middle, east + 1, north + 1)]
    dimension = shapely.get_dimensions(geometry)
    halves = part_of_dimension(_array([shapely.clip_by_rect(geometry, *w) for w in windows]), np.full(2, dimension))
    size = shapely.area if dimension == 2 else shapely.length
    # Clipping to a window is quick and does not promise a valid answer, so its answer is looked at.
    lost = abs(size(halves).sum() - size(geometry)) > 1e-9 * size(geometry)
    if lost or not shapely.is_valid(halves).all():
        cut = shapely.intersection(geometry, _array([shapely.box(*w) for w in windows]))
        halves = part_of_dimension(cut, np.full(2, dimension))
    return list(halves)


def _united(parts: Geometries, group: Integers, groups: int, *, threads: int) -> Geometries:
    united = np.full(groups, shapely.Polygon(), dtype=object)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    runs = list(zip(starts, np.r_[starts, len(order)][1:], strict=True))

    def unite(some: slice) -> Geometries:
        return _array([_one(parts[order[begin:end]]) for begin, end in runs[some]])

    # A few parts are united sooner than threads begin.
    threads = threads if len(parts) >= _MANY else 1
    united[group[order[starts]]] = np.concatenate([_array([]), *_threaded(unite, len(runs), threads)])
    return united


def _one(parts: Geometries) -> shapely.Geometry:
    singles = shapely.get_parts(parts)
    # Of many patches few meet across a cut; the others need no overlay.
    if len(parts) > 1 and len(singles) >= _SCATTERED:
        return shapely.disjoint_subset_union_all(singles)
    return parts[0] if len(parts) == 1 else shapely.union_all(parts)


def _threaded(work: Callable[[slice], Geometries], n: int, threads: int) -> list[Geometries]:
    size = max(1, min(256, -(-n // max(threads, 1) // 4)))
    parts = [slice(first, first + size) for first in range(0, n, size)]
    if threads <= 1 or len(parts) <= 1:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, parts))


def _array(items: list[shapely.Geometry]) -> Geometries:
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array
