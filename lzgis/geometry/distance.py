"""Distances by GEOS, exact: no buffer approximates them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from lzgis.geometry.features import FeatureIndex, Floats, Geometries, Integers


@dataclass(frozen=True)
class Nearest:
    """The nearest indexed geometry for each input; `right` is -1 and `distance` NaN where there is none."""

    right: Integers
    distance: Floats


@dataclass(frozen=True)
class DWithin:
    """Pairs within a distance, sorted by `left`, then `right`; arrays of one length."""

    left: Integers
    right: Integers
    distance: Floats


def nearest(geometries: Geometries, index: FeatureIndex) -> Nearest:
    """Find the nearest indexed geometry for each input; of several equally near, the first.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.Point(0, 0), shapely.Point(10, 0)]))
    >>> found = nearest(np.array([shapely.box(6, 0, 7, 1)]), index)
    >>> found.right, found.distance
    (array([1]), array([3.]))
    """
    right = np.full(len(geometries), -1, dtype=np.intp)
    distance = np.full(len(geometries), np.nan)
    if len(index) and len(geometries):
        (left, found), away = index.tree.query_nearest(geometries, all_matches=True, return_distance=True)
        order = np.lexsort((found, left))[::-1]
        right[left[order]] = found[order]
        distance[left[order]] = away[order]
    return Nearest(right, distance)


def dwithin(geometries: Geometries, index: FeatureIndex, distance: float) -> DWithin:
    """Find every pair no farther apart than `distance`, with its distance.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.LineString([(0, 0), (100, 0)])]))
    >>> dwithin(np.array([shapely.Point(50, 16), shapely.Point(50, 21)]), index, 20).distance
    array([16.])
    """
    if not len(index) or not len(geometries):
        none = np.zeros(0, dtype=np.intp)
        return DWithin(none, none, np.zeros(0))
    left, right = index.tree.query(geometries, predicate="dwithin", distance=distance)
    order = np.lexsort((right, left))
    left, right = left[order], right[order]
    return DWithin(left, right, shapely.distance(geometries[left], index.geometries[right]))
