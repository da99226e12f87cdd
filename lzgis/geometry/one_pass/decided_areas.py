"""Common areas that floating point cannot decide, by GEOS."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from lzgis.geometry.answers import Areas
from lzgis.geometry.exact import by_feature, predicate_of_pairs
from lzgis.geometry.features import Floats, Geometries, Integers
from lzgis.geometry.overlay import part_of_dimension


def decided(found: Areas, sites: Geometries, geometries: Geometries) -> Areas:
    """Let GEOS decide the undecided pairs: those that overlap get its area, the others are removed.

    Parameters
    ----------
    found : Areas
        As from `intersection_areas`.
    sites, geometries : array of shapely geometries
        The sites, and the polygons that the grid was built of.

    Examples
    --------
    >>> from lzgis.geometry import PolygonGrid, intersection_areas
    >>> layer, sites = np.array([shapely.box(0, 0, 300, 300)]), np.array([shapely.box(0, 300, 9, 310)])
    >>> decided(intersection_areas(sites, PolygonGrid.build(layer)), sites, layer).left
    array([], dtype=int64)
    """
    unsure = np.flatnonzero(found.undecided)
    if not len(unsure):
        return found
    area = found.area.copy()
    area[unsure] = exact_areas(sites, geometries, (found.left[unsure], found.right[unsure]))
    kept = replace(found, area=area, undecided=np.zeros(len(area), dtype=bool))
    return kept.take(~found.undecided | (area > 0))


def exact_areas(sites: Geometries, features: Geometries, pairs: tuple[Integers, Integers]) -> Floats:
    """Return the common area of pairs of polygons; exactly 0 for those whose interiors do not meet.

    Examples
    --------
    >>> boxes = np.array([shapely.box(0, 0, 2, 2), shapely.box(2, 0, 4, 2), shapely.box(1, 0, 3, 2)])
    >>> exact_areas(boxes, boxes, (np.array([0, 0]), np.array([1, 2])))
    array([0., 2.])
    """
    left, right, order = by_feature(features, pairs)
    area = np.zeros(len(left))
    meet = np.flatnonzero(predicate_of_pairs(shapely.intersects, features, sites, (left, right)))
    meet = meet[~predicate_of_pairs(shapely.touches, features, sites, (left[meet], right[meet]))]
    common = shapely.intersection(sites[left[meet]], features[right[meet]])
    area[meet] = shapely.area(part_of_dimension(common, np.full(len(meet), 2)))
    return area[order]
