"""The smallest shift after which a shape overlaps none of the polygons around it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely

from lzgis.geometry.index import Floats, Geometries
from lzgis.geometry.overlay import part_of_dimension

#: Sums of an edge and a piece that are made at a time.
_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Shift:
    """A translation: how far in x and in y, in the unit of the plane."""

    x: float
    y: float

    @property
    def length(self) -> float:
        """How far it moves."""
        return math.hypot(self.x, self.y)


def shift_to_clear(shape: shapely.Geometry, features: Geometries, *, radius: float) -> Shift | None:
    """Find the smallest shift after which a shape overlaps no polygon; touching is not overlapping.

    The shifts that let the shape overlap a polygon are the sum of the polygon and the shape reflected in the origin (the
    Minkowski sum); the answer is the point next to the origin that is not inside of any such sum. The sums are made of
    convex hulls, without approximation, but for what rounding does.

    Parameters
    ----------
    shape : shapely geometry
        Polygons, lines or points, valid. A line or point is clear when it no longer lies inside.
    features : array of shapely geometries
        What is to be cleared, all of it; only polygons count.
    radius : float
        How far the shape may be shifted at most.

    Returns
    -------
    Shift or None
        A shift by zero if nothing is overlapped; None if none up to `radius` clears it. A gap just as wide as the shape is
        none: what fits without any play cannot be told from what does not. Where several shifts are equally small, one of them.

    Examples
    --------
    >>> park = np.array([shapely.box(0, 0, 100, 100)])
    >>> shift_to_clear(shapely.box(90, 20, 120, 50), park, radius=50)
    Shift(x=10.0, y=0.0)
    >>> shift_to_clear(shapely.box(40, 40, 60, 60), park, radius=50) is None
    True
    """
    left, low, right, high = shapely.bounds(shape)
    # Seen from the shape, small numbers are left, which keep their digits.
    origin = np.array([left, low])
    pieces, starts = _reflected(_moved(np.array([shape], dtype=object), -origin)[0])
    bound = min(radius, max(1.0, math.hypot(right - left, high - low) / 8))
    while True:
        window = shapely.box(left - bound - 1.0, low - bound - 1.0, right + bound + 1.0, high + bound + 1.0)
        near = _moved(_polygons(features, window), -origin)
        found = _nearest_free(_sums(near, pieces, starts, bound))
        if found.length <= bound:
            return found
        if bound >= radius:
            return None
        bound = min(radius, 2 * bound)


def _polygons(features: Geometries, window: shapely.Geometry) -> Geometries:
    """Take what lies in the window; what is farther cannot be reached."""
    near = features[shapely.intersects(features, window) & (shapely.get_dimensions(features) == 2)]
    return np.asarray(part_of_dimension(shapely.intersection(near, window), np.full(len(near), 2)), dtype=object)


def _reflected(shape: shapely.Geometry) -> tuple[Floats, Floats]:
    """Cut a shape into triangles, segments and points, reflected: three corners each; and one vertex of each of its parts."""
    parts = shapely.get_parts(shape)
    dimension = shapely.get_dimensions(parts)
    triangles = shapely.get_parts(shapely.get_parts(shapely.constrained_delaunay_triangles(parts[dimension == 2])))
    corners = [shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3]]
    for line in parts[dimension == 1]:
        xy = shapely.get_coordinates(line)
        corners.append(np.stack([xy[:-1], xy[1:], xy[1:]], axis=1))
    corners.append(np.repeat(shapely.get_coordinates(parts[dimension == 0])[:, np.newaxis], 3, axis=1))
    return -np.concatenate(corners), -np.array([shapely.get_coordinates(part)[0] for part in parts])


def _sums(features: Geometries, pieces: Floats, starts: Floats, bound: float) -> shapely.Geometry:
    """Unite the sums of the features and the pieces, as far as they come nearer to the origin than the bound.

    A connected part overlaps a polygon where it crosses the border, or lies inside with any one vertex of it.
    """
    inside = [_moved(features, by) for by in starts]
    edges = _edges(features)
    sums = [np.empty(0, dtype=object), *inside]
    step = max(1, _AT_ONCE // max(1, len(pieces)))
    for first in range(0, len(edges), step):
        some = edges[first : first + step]
        corners = (some[:, np.newaxis, :, np.newaxis] + pieces[np.newaxis, :, np.newaxis]).reshape(-1, 6, 2)
        corners = corners[_box_distance(corners) <= bound]
        number = np.repeat(np.arange(len(corners)), 6)
        if len(corners):
            points = shapely.multipoints(corners.reshape(-1, 2), indices=number)
            sums.append(np.asarray(shapely.convex_hull(points), dtype=object))
    whole = np.concatenate(sums)
    return shapely.union_all(whole[shapely.get_dimensions(whole) == 2])


def _moved(shapes: Geometries, by: Floats) -> Geometries:
    return np.asarray(shapely.transform(shapes, lambda xy: xy + by), dtype=object)


def _edges(features: Geometries) -> Floats:
    rings = shapely.get_rings(shapely.get_parts(features))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    follows = ring[1:] == ring[:-1]
    edges: Floats = np.stack([xy[:-1][follows], xy[1:][follows]], axis=1)
    return edges


def _box_distance(corners: Floats) -> Floats:
    """Tell how far the boxes around groups of points are from the origin."""
    low, high = corners.min(axis=1), corners.max(axis=1)
    apart = np.maximum(0.0, np.maximum(low, -high))
    away: Floats = np.hypot(apart[:, 0], apart[:, 1])
    return away


def _nearest_free(taken: shapely.Geometry) -> Shift:
    """Find the point next to the origin that is not inside."""
    origin = shapely.Point(0.0, 0.0)
    if not shapely.contains_properly(taken, origin):
        return Shift(0.0, 0.0)
    there = shapely.get_coordinates(shapely.shortest_line(origin, shapely.boundary(taken)))[1]
    return Shift(float(there[0]), float(there[1]))
