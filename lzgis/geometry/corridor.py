"""The part of a site that lies nearer to a baseline than a corridor is wide: its size, and its shape."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import shapely

from lzgis.geometry.features import FeatureIndex, Floats, Geometries, Integers
from lzgis.geometry.overlay import buffered, part_of_dimension, united
from lzgis.geometry.sites_to_layer import SiteShapes, laid_out
from lzgis.geometry.threads import by_rows, cores, in_pieces

#: Segments per quarter circle of the polygons that measure encroached areas: an arc loses under 1e-4 of its area.
ARC_SEGMENTS = 64
#: Segments per quarter circle of polygons that are measured and not kept.
_MEASURING_SEGMENTS = 512
#: With more vertices than this, a baseline in the box around a site is cut once more, along the site itself.
_MANY_VERTICES = 24
#: Segments per quarter circle of what it is cut with.
_FEW_SEGMENTS = 4


class Cases(NamedTuple):
    """Sites with the features that they are too near to: groups of rows, each about one site.

    Attributes
    ----------
    site : array of int, shape (groups,)
        The site of each group.
    start : array of int, shape (groups + 1,)
        Where the rows of each group begin.
    feature : array of int, shape (rows,)
        The features.
    radius : array of float, shape (rows,)
        The distance to keep from each, in the plane's unit; 0 for the feature itself.
    """

    site: Integers
    start: Integers
    feature: Integers
    radius: Floats

    def take(self, which: Integers) -> Cases:
        """Return some of the groups."""
        size = self.start[which + 1] - self.start[which]
        start = np.concatenate([[0], np.cumsum(size)])
        rows = np.repeat(self.start[which] - start[:-1], size) + np.arange(start[-1])
        return Cases(self.site[which], start, self.feature[rows], self.radius[rows])


def encroached_sizes(sites: SiteShapes, baselines: FeatureIndex, cases: Cases) -> Floats:
    """Measure the part of each site nearer than a radius to any of its baselines, without building it.

    Sides and arcs of corridors are exact. Where baselines of one site have several radii, and where rounding leaves the answer
    open, parts are built by `encroached_by_group`.

    Returns
    -------
    array of float, shape (groups,)
        Area for polygons, length for lines, 0 for points.

    Examples
    --------
    >>> road, site = shapely.LineString([(0, 0), (900, 0)]), shapely.box(100, 15, 200, 80)
    >>> cases = Cases(np.array([0]), np.array([0, 1]), np.array([0]), np.array([20.0]))
    >>> encroached_sizes(SiteShapes(np.array([site])), FeatureIndex(np.array([road])), cases)
    array([500.])
    """
    from lzgis.geometry.loops.corridor_areas import CLOSED_M

    n = len(cases.site)
    sizes = np.zeros(n)
    group = np.repeat(np.arange(n), np.diff(cases.start))
    dimension = sites.dimensions[cases.site]
    first = cases.radius[cases.start[:-1]]
    uneven = (cases.radius != first[group]) | (cases.radius <= 0)
    hard = np.zeros(n, dtype=bool)
    hard[group[uneven]] = True
    by_loop = np.flatnonzero(~hard & (dimension > 0))
    if len(by_loop):
        found = _by_loop(sites, baselines, cases, by_loop)
        sizes[by_loop] = np.where(dimension[by_loop] == 2, np.maximum(found[:, 0], 0.0), found[:, 1])
        hard[by_loop] = ~(found[:, 2] <= CLOSED_M)
    which = np.flatnonzero(hard & (dimension > 0))
    if len(which):
        some = cases.take(which)
        parts = encroached_by_group(sites.geometries, baselines.geometries, some, quad_segs=_MEASURING_SEGMENTS)
        sizes[which] = np.where(dimension[which] == 2, shapely.area(parts), shapely.length(parts))
    return sizes


def encroached_by_group(
    sites: Geometries, baselines: Geometries, cases: Cases, *, quad_segs: int = ARC_SEGMENTS
) -> Geometries:
    """Cut the part of each site nearer than a radius to any of its baselines; empty where there is none.

    Only the stretch of a baseline along the site is buffered, so a line of thousands of vertices costs no more than that
    stretch. A radius of 0 stands for the baseline itself. Arcs have `quad_segs` segments per quarter circle.

    Examples
    --------
    >>> roads = np.array([shapely.LineString([(0, 0), (900, 0)]), shapely.LineString([(0, 5), (900, 5)])])
    >>> cases = Cases(np.array([0]), np.array([0, 2]), np.array([0, 1]), np.array([20.0, 20.0]))
    >>> encroached_by_group(np.array([shapely.LineString([(9, 0), (9, 99)])]), roads, cases)[0].length
    25.0
    """
    group = np.repeat(np.arange(len(cases.site)), np.diff(cases.start))
    of_row = sites[cases.site[group]]
    around = by_rows(partial(_around, quad_segs=quad_segs), of_row, baselines[cases.feature], cases.radius)
    return by_rows(_cut, sites[cases.site], united(around, group))


def _around(sites: Geometries, baselines: Geometries, radius: Floats, *, quad_segs: int = ARC_SEGMENTS) -> Geometries:
    around = within_reach(baselines, sites, radius)
    beyond = radius > 0
    around[beyond] = buffered(around[beyond], radius[beyond], quad_segs=quad_segs)
    return around


def _cut(sites: Geometries, around: Geometries) -> Geometries:
    return part_of_dimension(shapely.intersection(sites, around), shapely.get_dimensions(sites))


def _by_loop(sites: SiteShapes, baselines: FeatureIndex, cases: Cases, which: Integers) -> Floats:
    from lzgis.geometry.loops.corridor_areas import Groups, encroached, outlines

    layer = laid_out(baselines, cell=sites.cell)
    if "outlines for corridors" not in baselines.cached:
        baselines.cached["outlines for corridors"] = outlines(baselines.geometries)
    # Cases of one site and baseline, next to each other along the curve, find their edges in the processor's cache.
    found = np.zeros((len(which), 3))
    grid = (layer.grid.cells, layer.grid.directory, layer.grid.cell)

    def work(first: int, last: int) -> None:
        some = cases.take(which[first:last])
        groups = Groups(some.site, some.start, some.feature, some.radius[some.start[:-1]])
        encroached(sites.outlines.chain, baselines.cached["outlines for corridors"], grid, groups, found[first:last])

    in_pieces(len(which), cores(), work)
    return found


def within_reach(baselines: Geometries, sites: Geometries, radius: Floats) -> Geometries:
    """Cut from each baseline the part that may lie nearer than `radius` to its site, and little more."""
    bounds, margin = shapely.bounds(sites).reshape(-1, 4), radius + 1.0
    window = shapely.box(bounds[:, 0] - margin, bounds[:, 1] - margin, bounds[:, 2] + margin, bounds[:, 3] + margin)
    local = np.asarray(shapely.intersection(baselines, window), dtype=object)
    many = shapely.get_num_coordinates(local) > _MANY_VERTICES
    # A chord of the drawn arc comes nearer than the arc.
    beyond = margin[many] * 1.02 / np.cos(np.pi / (4 * _FEW_SEGMENTS))
    local[many] = shapely.intersection(local[many], shapely.buffer(sites[many], beyond, quad_segs=_FEW_SEGMENTS))
    return local
