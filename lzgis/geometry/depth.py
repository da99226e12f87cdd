"""The depth of a part: the largest distance from a border to any point of the part."""

from __future__ import annotations

import numpy as np
import shapely

from lzgis.geometry.features import Floats, Geometries


def depth(part: shapely.Geometry, border: shapely.Geometry, *, tolerance: float = 0.1) -> float:
    """Find the point of a part that is farthest from a border, and return how far that is.

    Squares that meet the part are quartered while one of them may contain a point that is farther away than the farthest
    known point by more than `tolerance`. Within a square, distances differ from that of its centre by at most half a diagonal.

    Parameters
    ----------
    part : geometry
        Polygons, lines or points; valid, in metres.
    border : geometry
        Lines or points.
    tolerance : float
        How much the result may be too small; it is never too large.

    Examples
    --------
    >>> park = shapely.box(0, 0, 1000, 400)
    >>> round(depth(shapely.box(-50, 100, 50, 300), park.boundary), 1)
    50.0
    >>> round(depth(shapely.LineString([(-50, 10), (30, 90)]).intersection(park), park.boundary), 1)
    30.0
    """
    tree = shapely.STRtree(_pieces(border))

    def away(points: Geometries) -> Floats:
        (_, _), distance = tree.query_nearest(points, all_matches=False, return_distance=True)
        return np.asarray(distance, dtype=float)

    best = float(away(np.asarray(shapely.points(shapely.get_coordinates(part)), dtype=object)).max())
    if shapely.get_dimensions(part) == 0:
        return best
    shapely.prepare(part)
    left, low, right, high = shapely.bounds(part)
    half = 0.5 * max(right - left, high - low)
    middle = np.array([[left + half, low + half]])
    while len(middle) and half * np.sqrt(2.0) > 1e-9:
        squares = shapely.box(*(middle - half).T, *(middle + half).T)
        middle = middle[shapely.intersects(part, squares)]
        if not len(middle):
            break
        points = shapely.points(middle)
        distance = away(points)
        # Where the middle is not in the part, the point of the part next to it is.
        nearest = shapely.get_point(shapely.shortest_line(points, part), -1)
        best = max(best, float(away(nearest).max()))
        middle = middle[distance + half * np.sqrt(2.0) > best + tolerance]
        half *= 0.5
        middle = (middle[:, np.newaxis, :] + half * _QUARTERS).reshape(-1, 2)
    return best


_QUARTERS = np.array([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])


def _pieces(border: shapely.Geometry) -> Geometries:
    """Split a border into its edges."""
    single = shapely.get_parts(border)
    coordinates, of = shapely.get_coordinates(single, return_index=True)
    follows = of[1:] == of[:-1]
    edges = shapely.linestrings(np.stack([coordinates[:-1][follows], coordinates[1:][follows]], axis=1))
    return np.concatenate([np.asarray(edges, dtype=object), single[shapely.get_type_id(single) == 0]])
