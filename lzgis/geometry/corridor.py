"""The part of a site that lies nearer to a baseline than a corridor is wide."""

from __future__ import annotations

import numpy as np
import shapely

from lzgis.geometry.features import Floats, Geometries, Integers
from lzgis.geometry.overlay import part_of_dimension, united
from lzgis.geometry.threads import by_rows

#: Segments per quarter circle of the polygons that measure encroached areas: an arc loses under 1e-4 of its area.
ARC_SEGMENTS = 64
#: With more vertices than this, a baseline in the box around a site is cut once more, along the site itself.
_MANY_VERTICES = 24
#: Segments per quarter circle of what it is cut with.
_FEW_SEGMENTS = 4


def encroached_parts(sites: Geometries, baselines: Geometries, radius: Floats) -> Geometries:
    """Cut the part of each site that lies nearer than `radius` to its baseline.

    Only the stretch of the baseline along the site is buffered, so a line of thousands of vertices costs no more than that
    stretch.

    Parameters
    ----------
    sites, baselines : array of shapely geometries, shape (n,)
        Pairs, valid; sites of any dimension.
    radius : array of float, shape (n,)
        In the plane's unit; 0 for the part that lies in the baseline itself.

    Returns
    -------
    array of shapely geometries
        Of the dimension of the site; empty where there is none.

    Examples
    --------
    >>> road, site = shapely.LineString([(0, 0), (900, 0)]), shapely.box(100, 15, 200, 80)
    >>> encroached_parts(np.array([site]), np.array([road]), np.array([20.0]))[0].area
    500.0
    """
    return by_rows(_cut, sites, by_rows(_around, sites, baselines, radius))


def encroached_by_group(sites: Geometries, baselines: Geometries, radius: Floats, group: Integers) -> Geometries:
    """Cut the part of a site that lies nearer than `radius` to any of its baselines.

    The corridors are united before the site is cut: parts of one line that overlap are not dissolved reliably once their
    vertices are rounded, and would count twice.

    Parameters
    ----------
    sites, baselines, radius : array, shape (n,)
        Pairs and distances, as for `encroached_parts`.
    group : array of int, shape (n,)
        Ascending; the rows of one group are about the same site.

    Returns
    -------
    array of shapely geometries
        One part for each distinct number in `group`.

    Examples
    --------
    >>> roads = np.array([shapely.LineString([(0, 0), (900, 0)]), shapely.LineString([(0, 5), (900, 5)])])
    >>> lane = np.array([shapely.LineString([(9, 0), (9, 99)])] * 2)
    >>> encroached_by_group(lane, roads, np.array([20.0, 20.0]), np.array([0, 0]))[0].length
    25.0
    """
    _, first = np.unique(group, return_index=True)
    return by_rows(_cut, sites[first], united(by_rows(_around, sites, baselines, radius), group))


def _around(sites: Geometries, baselines: Geometries, radius: Floats) -> Geometries:
    around = _within_reach(baselines, sites, radius)
    beyond = radius > 0
    around[beyond] = shapely.buffer(around[beyond], radius[beyond], quad_segs=ARC_SEGMENTS)
    return around


def _cut(sites: Geometries, around: Geometries) -> Geometries:
    return part_of_dimension(shapely.intersection(sites, around), shapely.get_dimensions(sites))


def _within_reach(baselines: Geometries, sites: Geometries, radius: Floats) -> Geometries:
    """Cut from each baseline the part that may lie nearer than `radius` to its site, and little more."""
    bounds, margin = shapely.bounds(sites).reshape(-1, 4), radius + 1.0
    window = shapely.box(bounds[:, 0] - margin, bounds[:, 1] - margin, bounds[:, 2] + margin, bounds[:, 3] + margin)
    local = np.asarray(shapely.intersection(baselines, window), dtype=object)
    many = shapely.get_num_coordinates(local) > _MANY_VERTICES
    # A chord of the drawn arc comes nearer than the arc.
    beyond = margin[many] * 1.02 / np.cos(np.pi / (4 * _FEW_SEGMENTS))
    local[many] = shapely.intersection(local[many], shapely.buffer(sites[many], beyond, quad_segs=_FEW_SEGMENTS))
    return local
