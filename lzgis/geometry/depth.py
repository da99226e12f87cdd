"""How deep what is in conflict lies inside a feature."""

from __future__ import annotations

import numpy as np
import shapely

from lzgis.geometry.index import FeatureIndex, Floats, Geometries, Integers
from lzgis.geometry.pieces import border_chains


def depths_of(parts: Geometries, geometries: Geometries, right: Integers, *, tolerance: float = 0.01) -> Floats:
    """Find how far from the feature's border the deepest point of each common part lies.

    It is the distance that clears the conflict: a feature whose border receded by so much would no longer share area
    with the site.

    Parameters
    ----------
    parts : array of shapely geometries, shape (n,)
        Common parts of sites and features, as from `parts_of`.
    geometries : array of shapely geometries
        The features.
    right : array of int, shape (n,)
        Which feature each part lies in.
    tolerance : float
        A depth is too small by no more than this, in metres; never too large.

    Returns
    -------
    array of float, shape (n,)
        In metres; 0 for empty parts.

    Notes
    -----
    Squares over the part are quartered, the most promising first: no point of a square is farther from the border than its
    middle is, and half its diagonal. Squares that cannot hold a deeper point than the best are left out.

    Examples
    --------
    >>> park, part = shapely.box(0, 0, 100, 100), shapely.box(90, 40, 100, 60)
    >>> depths_of(np.array([part]), np.array([park]), np.array([0]))
    array([10.])
    """
    depth = np.zeros(len(parts))
    for feature in np.unique(right):
        border = border_chains(geometries[[feature]]).index
        for i in np.flatnonzero(right == feature):
            if not shapely.is_empty(parts[i]):
                depth[i] = _depth(parts[i], border, tolerance)
    return depth


def _depth(part: shapely.Geometry, border: FeatureIndex, tolerance: float) -> float:
    best = float(_far(shapely.points(shapely.get_coordinates(part)), border).max())
    left, low, right, high = shapely.bounds(part)
    # So many squares along the longer side that a long narrow part is not begun with one of many empty.
    half = max(min(right - left, high - low), max(right - left, high - low) / 16.0) / 2.0
    x, y = np.meshgrid(np.arange(left, right, 2 * half) + half, np.arange(low, high, 2 * half) + half)
    x, y = x.ravel(), y.ravel()
    shapely.prepare(part)
    while len(x):
        middle = shapely.points(x, y)
        far = _far(middle, border)
        best = max(best, float(far[shapely.intersects(part, middle)].max(initial=0.0)))
        open_ = far + half * np.sqrt(2.0) > best + tolerance
        x, y = x[open_], y[open_]
        kept = shapely.intersects(part, shapely.box(x - half, y - half, x + half, y + half))
        x, y = x[kept], y[kept]
        half /= 2.0
        x = (x[:, None] + half * np.array([-1.0, 1.0, -1.0, 1.0])).ravel()
        y = (y[:, None] + half * np.array([-1.0, -1.0, 1.0, 1.0])).ravel()
    return best


def _far(points: Geometries, border: FeatureIndex) -> Floats:
    far: Floats = border.tree.query_nearest(points, return_distance=True, all_matches=False)[1]
    return far
