"""The shortest move after which a shape overlaps none of its obstacles.

A shape moved by t overlaps an obstacle where t lies inside the Minkowski sum of the obstacle and the mirrored shape
(de Berg and others, Computational Geometry, chapter 13: configuration space). Moves outside of all these sums are free, and
the shortest free move is the point of their border nearest to the origin.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import shapely

from lzgis.geometry.features import Floats, Geometries

#: A part is convex if its convex hull is larger by no more than this share of its area.
_CONVEX = 1e-12
#: The pieces of a sum are grown by so much of the plane's unit: rounding must leave no gap between them.
_GROWN = 1e-6
#: Obstacles are cut this much farther out than moves go: the cut is no border.
_ROOM = 1.01


class Translation(NamedTuple):
    """A move along the axes of the plane, and how long it is."""

    x: float
    y: float
    length: float


def shortest_translation(
    shape: shapely.Geometry, obstacles: Iterable[shapely.Geometry], *, within: float
) -> Translation | None:
    """Find the shortest move after which a shape overlaps no obstacle; touching is not overlapping.

    Parameters
    ----------
    shape : geometry
        Polygons, lines or points; valid.
    obstacles : iterable of geometries
        Polygons, valid; obstacles farther from the shape than `within` have no effect.
    within : float
        The longest move that is allowed.

    Returns
    -------
    Translation or None
        None if every move of at most that length leaves an overlap. Of several that are equally short, one. It is some
        1e-6 of the plane's unit longer than the shortest, and 0 only where the shape overlaps nothing.

    Examples
    --------
    >>> field, lake = shapely.box(0, 0, 30, 20), shapely.box(22, -100, 400, 100)
    >>> move = shortest_translation(field, [lake], within=100)
    >>> round(move.x, 3), round(move.length, 3)
    (-8.0, 8.0)
    >>> shortest_translation(field, [lake], within=5) is None
    True
    """
    blocking = list(obstacles)
    if not shapely.relate_pattern(blocking, shape, "T********").any():
        return Translation(0.0, 0.0, 0.0)
    # Most moves are short, and few obstacles lie near.
    for reach in (within / 16, within / 4, within):
        border = shapely.boundary(overlapping_translations(shape, blocking, within=reach))
        x, y = shapely.get_coordinates(shapely.shortest_line(shapely.Point(0, 0), border))[1]
        length = float(np.hypot(x, y))
        if length <= reach:
            return Translation(float(x), float(y), length)
    return None


def overlapping_translations(
    shape: shapely.Geometry, obstacles: Iterable[shapely.Geometry], *, within: float
) -> shapely.Geometry:
    """Return the moves after which a shape overlaps an obstacle, as polygons whose coordinates are those of the moves.

    They are grown by 1e-6 of the plane's unit. Right for moves of at most `within`; arguments as of `shortest_translation`.

    Examples
    --------
    >>> moves = overlapping_translations(shapely.box(0, 0, 2, 1), [shapely.box(10, 0, 20, 5)], within=50)
    >>> shapely.set_precision(moves, 0.001).bounds
    (8.0, -1.0, 20.0, 5.0)
    """
    parts = convex_parts(shape)
    sums: list[shapely.Geometry] = []
    for obstacle in obstacles:
        for part in parts:
            near = shapely.intersection(obstacle, window_around(part, within))
            sums.extend(_differences(near, part))
    grown = shapely.buffer(np.array(sums, dtype=object), _GROWN, join_style="mitre")
    return shapely.union_all(grown)


def window_around(shape: shapely.Geometry, within: float) -> shapely.Geometry:
    """Return a window that contains everything a shape can meet on moves of at most `within`, and a little more.

    Examples
    --------
    >>> window_around(shapely.box(0, 0, 2, 1), 100).bounds
    (-101.0, -101.0, 103.0, 102.0)
    """
    west, south, east, north = shapely.bounds(shape)
    room = _ROOM * within
    window: shapely.Polygon = shapely.box(west - room, south - room, east + room, north + room)
    return window


def convex_parts(shape: shapely.Geometry) -> list[shapely.Geometry]:
    """Split a shape into convex polygons, segments and points that cover it.

    Examples
    --------
    >>> corner = shapely.Polygon([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)])
    >>> sorted(part.area for part in convex_parts(corner))
    [1.5, 1.5]
    """
    found: list[shapely.Geometry] = []
    for part in shapely.get_parts(shape):
        if shapely.get_dimensions(part) == 2:
            found.extend([part] if _is_convex(part) else _merged(part))
        elif shapely.get_dimensions(part) == 1:
            corners = shapely.get_coordinates(part)
            found.extend(shapely.LineString(edge) for edge in np.stack([corners[:-1], corners[1:]], axis=1))
        else:
            found.append(part)
    return found


def _is_convex(polygon: shapely.Geometry) -> bool:
    area = float(shapely.area(polygon))
    return float(shapely.area(shapely.convex_hull(polygon))) - area <= _CONVEX * area


def _merged(polygon: shapely.Geometry) -> list[shapely.Geometry]:
    """Cut a polygon into triangles and merge neighbours as long as they form a convex polygon."""
    parts = list(shapely.get_parts(shapely.constrained_delaunay_triangles(polygon)))
    merged = True
    while merged:
        merged = False
        tree = shapely.STRtree(parts)
        for left, right in tree.query(np.array(parts, dtype=object), predicate="intersects").T:
            if left >= right:
                continue
            both = shapely.union(parts[left], parts[right])
            if shapely.get_type_id(both) == 3 and not shapely.get_num_interior_rings(both) and _is_convex(both):
                # The hull has no corners left of the edge that was between them.
                parts = [one for i, one in enumerate(parts) if i not in (left, right)] + [shapely.convex_hull(both)]
                merged = True
                break
    return parts


def _differences(obstacle: shapely.Geometry, part: shapely.Geometry) -> list[shapely.Geometry]:
    """Return polygons that together are all x - y, x in the obstacle and y in the convex part.

    Such a difference either meets the border of the obstacle, and then lies in what the mirrored part covers as it is
    moved along one of its edges, or it has the whole moved part inside, and then one of its points too.
    """
    polygons = [one for one in shapely.get_parts(obstacle) if shapely.get_dimensions(one) == 2]
    if not polygons:
        return []
    corners = shapely.get_coordinates(part)
    found = [shapely.transform(one, lambda xy: xy - corners[0]) for one in polygons]
    for ring in itertools.chain.from_iterable(_rings(one) for one in polygons):
        found.extend(_swept(ring, corners))
    return found


def _rings(polygon: shapely.Geometry) -> list[Floats]:
    return [shapely.get_coordinates(ring) for ring in shapely.get_rings(polygon)]


def _swept(line: Floats, corners: Floats) -> Geometries:
    """Return the area that the mirrored part covers as it moves along each edge of a line."""
    mirrored = -corners
    ends = np.stack([line[:-1], line[1:]], axis=1)
    covered = (ends[:, :, np.newaxis, :] + mirrored[np.newaxis, np.newaxis, :, :]).reshape(len(ends), -1, 2)
    points = np.asarray(shapely.points(covered), dtype=object)
    hulls = np.asarray(shapely.convex_hull(shapely.multipoints(points)), dtype=object)
    return np.asarray(hulls[shapely.get_dimensions(hulls) == 2], dtype=object)
