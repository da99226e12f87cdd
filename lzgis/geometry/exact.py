"""Distances of single pairs by GEOS, for pairs that floating point cannot decide; each feature is prepared once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.geometry.features import Floats, Geometries, Integers


def exact_distances(sites: Geometries, features: Geometries, pairs: tuple[Integers, Integers]) -> Floats:
    """Return the distances of pairs; exactly 0 for those that touch.

    Examples
    --------
    >>> boxes = np.array([shapely.box(0, 0, 2, 2), shapely.box(2, 0, 4, 2), shapely.box(5, 0, 6, 2)])
    >>> exact_distances(boxes, boxes, (np.array([0, 0]), np.array([1, 2])))
    array([0., 3.])
    """
    left, right, order = by_feature(features, pairs)
    distance = np.zeros(len(left))
    disjoint = np.flatnonzero(~predicate_of_pairs(shapely.intersects, features, sites, (left, right)))
    distance[disjoint] = shapely.distance(sites[left[disjoint]], features[right[disjoint]])
    return distance[order]


def by_feature(features: Geometries, pairs: tuple[Integers, Integers]) -> tuple[Integers, Integers, Integers]:
    """Order pairs by feature and prepare the features; return the pairs, and the order that restores the given one."""
    sorting = np.argsort(pairs[1], kind="stable")
    back = np.empty(len(sorting), dtype=np.intp)
    back[sorting] = np.arange(len(sorting))
    shapely.prepare(features[np.unique(pairs[1])])
    return pairs[0][sorting], pairs[1][sorting], back


def predicate_of_pairs(
    predicate: Callable[..., Any], features: Geometries, sites: Geometries, pairs: tuple[Integers, Integers]
) -> npt.NDArray[np.bool_]:
    """Evaluate a predicate of shapely for pairs, with the features as its first argument."""
    return np.asarray(predicate(features[pairs[1]], sites[pairs[0]]), dtype=bool)
