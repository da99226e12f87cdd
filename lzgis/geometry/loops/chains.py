"""Geometries as chains of vertices: one per ring, line or point, in flat arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.geometry.features import Floats, Geometries, Integers

Int64s = npt.NDArray[np.int64]


class Chains(NamedTuple):
    """Vertices of many geometries, chain after chain, geometry after geometry.

    Attributes
    ----------
    x, y : array of float, shape (vertices,)
        The vertices; a ring ends with the vertex it began with.
    start : array of int, shape (chains + 1,)
        Where each chain begins in `x` and `y`.
    side : array of float, shape (chains,)
        1 for a shell, -1 for a hole, 0 for a line or a point.
    owner_start : array of int, shape (geometries + 1,)
        Where each geometry begins in `start`; null and empty geometries have no chain.
    """

    x: Floats
    y: Floats
    start: Int64s
    side: Floats
    owner_start: Int64s


def chains(geometries: Geometries) -> Chains:
    """Split geometries into chains.

    Examples
    --------
    >>> made = chains(np.array([shapely.box(0, 0, 2, 1), None, shapely.Point(3, 4)]))
    >>> made.start, made.side, made.owner_start
    (array([0, 5, 6]), array([1., 0.]), array([0, 1, 1, 2]))
    """
    single, owner = _without_collections(np.asarray(geometries, dtype=object))
    dimension = shapely.get_dimensions(single)
    taken = ~shapely.is_empty(single) & (dimension >= 0)
    groups = [_polygons, _lines]
    parts = [
        make(single[chosen], owner[chosen])
        for make, chosen in zip(groups, [taken & (dimension == 2), taken & (dimension < 2)], strict=True)
        if chosen.any()
    ]
    if not parts:
        none = np.zeros(0)
        return Chains(none, none, np.zeros(1, np.int64), none, np.zeros(len(geometries) + 1, np.int64))
    xy, length, side, of = (np.concatenate(column) for column in zip(*parts, strict=True))
    start = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    if len(parts) > 1 or (of[1:] < of[:-1]).any():
        order = np.argsort(of, kind="stable")
        moved = np.concatenate([[0], np.cumsum(length[order])]).astype(np.int64)
        xy = xy[np.repeat(start[:-1][order] - moved[:-1], length[order]) + np.arange(len(xy))]
        start, side, of = moved, side[order], of[order]
    owner_start = np.searchsorted(of, np.arange(len(geometries) + 1)).astype(np.int64)
    x, y = np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1])
    return Chains(x, y, start, side, owner_start)


def longest_edge(chain: Chains) -> float:
    """Return the length of the longest edge.

    Examples
    --------
    >>> longest_edge(chains(np.array([shapely.box(0, 0, 2, 1)])))
    2.0
    """
    return float(_edge_lengths(chain, 0, len(chain.x)).max(initial=0.0))


def perimeters(chain: Chains, first: int, last: int) -> Floats:
    """Return the length of all edges of each geometry from `first` to `last`.

    Examples
    --------
    >>> perimeters(chains(np.array([shapely.box(0, 0, 2, 1), shapely.Point(3, 4)])), 0, 2)
    array([6., 0.])
    """
    begin = chain.start[chain.owner_start[first : last + 1]]
    geometry = np.repeat(np.arange(last - first), np.diff(begin))
    lengths = _edge_lengths(chain, int(begin[0]), int(begin[-1]))
    return np.asarray(np.bincount(geometry[: len(lengths)], weights=lengths, minlength=last - first), dtype=float)


def _edge_lengths(chain: Chains, begin: int, end: int) -> Floats:
    """Return the distances between consecutive vertices from `begin` to `end`, 0 between chains."""
    lengths = np.hypot(np.diff(chain.x[begin:end]), np.diff(chain.y[begin:end]))
    between = chain.start - begin - 1
    lengths[between[(between >= 0) & (between < len(lengths))]] = 0.0
    return lengths


_Parts = tuple[Floats, Integers, Floats, Integers]


def _polygons(polygons: Geometries, owner: Integers) -> _Parts:
    kind, xy, offsets = shapely.to_ragged_array(polygons, include_z=False)
    rings, parts = offsets[0].astype(np.int64), offsets[1].astype(np.int64)
    side = np.full(len(rings) - 1, -1.0)
    side[parts[:-1][parts[1:] > parts[:-1]]] = 1.0
    of_part = owner
    if kind == shapely.GeometryType.MULTIPOLYGON:
        of_part = np.repeat(owner, np.diff(offsets[2]))
    return xy, np.diff(rings), side, np.repeat(of_part, np.diff(parts))


def _lines(lines: Geometries, owner: Integers) -> _Parts:
    single, whole = shapely.get_parts(lines, return_index=True)
    single, whole = single[~shapely.is_empty(single)], whole[~shapely.is_empty(single)]
    xy, chain = shapely.get_coordinates(single, return_index=True)
    return xy, np.bincount(chain, minlength=len(single)), np.zeros(len(single)), owner[whole]


def _without_collections(geometries: Geometries) -> tuple[Geometries, Integers]:
    owner = np.arange(len(geometries))
    while (shapely.get_type_id(geometries) == shapely.GeometryType.GEOMETRYCOLLECTION).any():
        geometries, whole = shapely.get_parts(geometries, return_index=True)
        owner = owner[whole]
    return geometries, owner
