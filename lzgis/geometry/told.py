"""Sites against a layer, by the compiled loops or by shapely: the same pairs and the same numbers either way.

Two ways of measuring one distance differ in its last bits. Distances are therefore told on a grid of a micrometre: the
number told is the one next to GEOS's. Where the compiled loops come near the middle between two steps of that grid,
which their rounding might put on the wrong side, GEOS measures the pair again. Of features whose told distances are
equal, the first is the nearest. Which pairs overlap is always for GEOS to say; the compiled loops only leave out those
that cannot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely

from lzgis.geometry.answers import Flags
from lzgis.geometry.compiled import available, in_place
from lzgis.geometry.distance import DWithin, Nearest
from lzgis.geometry.exact import exact_distances
from lzgis.geometry.index import FeatureIndex, Floats, Geometries, Integers
from lzgis.geometry.overlay import Overlaps, overlaps, overlaps_of_pairs

if TYPE_CHECKING:
    from lzgis.geometry.layerindex import LayerIndex
    from lzgis.geometry.sitework import LaidOutSites

#: With fewer sites than this, loading the compiled loops costs more than they gain: by way of numba, as machine code.
FEW, FEW_IN_PLACE = 400, 30
#: Distances are told in steps, so many to the metre.
STEPS = 1e6
#: How far the two ways of measuring may differ, with much to spare: so many steps, or so many ulp of the coordinates.
_DOUBT, _DOUBT_ULP = 0.01, 64.0 * 2.0**-52
#: Sites that extend farther, or lie farther from the origin, are left to shapely.
_MOST_EXTENT, _MOST_COORDINATE = 1e6, 1e9


@dataclass(frozen=True, eq=False)
class SiteShapes:
    """Sites to be measured against many layers.

    Parameters
    ----------
    geometries : array of shapely geometries, shape (n,)
        Polygons, lines and points, valid, in metres.

    Examples
    --------
    >>> SiteShapes(np.array([shapely.box(0, 0, 1, 1)])).compiled
    False
    """

    geometries: Geometries
    _kept: dict[str, LaidOutSites] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.geometries)

    @cached_property
    def compiled(self) -> bool:
        """Whether the compiled loops are there, pay for so many sites, and can take them."""
        if len(self) < (FEW_IN_PLACE if in_place() else FEW) or not available():
            return False
        bounds = np.nan_to_num(shapely.bounds(self.geometries)).reshape(-1, 4)
        wide = (bounds[:, 2:] - bounds[:, :2]).max(initial=0.0)
        return bool(wide <= _MOST_EXTENT and self.farthest <= _MOST_COORDINATE)

    @cached_property
    def farthest(self) -> float:
        """The largest coordinate, whatever its sign."""
        return float(np.abs(np.nan_to_num(shapely.bounds(self.geometries))).max(initial=0.0))

    @cached_property
    def dimensions(self) -> Integers:
        """0 for points, 1 for lines, 2 for polygons."""
        return np.asarray(shapely.get_dimensions(self.geometries), dtype=np.intp)

    def laid_out(self) -> LaidOutSites:
        """Return the sites laid out for the compiled loops."""
        from lzgis.geometry.sitework import LaidOutSites

        if "sites" not in self._kept:
            self._kept["sites"] = LaidOutSites.build(self.geometries)
        return self._kept["sites"]


def laid_out(index: FeatureIndex) -> LayerIndex:
    """Return a layer laid out for the compiled loops, done once and kept with it."""
    from lzgis.geometry.layerindex import LayerIndex

    if "laid out" not in index.kept:
        index.kept["laid out"] = (index.layout or LayerIndex.build)(index.geometries)
    made: LayerIndex = index.kept["laid out"]
    return made


def overlapping(sites: SiteShapes, index: FeatureIndex, *, resolution: float = 0.0) -> Overlaps:
    """Find the pairs that overlap, with the part they share: as `overlaps`.

    Common parts too small for the compiled loops to see (below 1e-6 of the plane's unit in width) are left out.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]))
    >>> overlapping(SiteShapes(np.array([shapely.box(8, 0, 10, 2)])), index).area
    array([4.])
    """
    if not sites.compiled or (index.dimensions < 2).any():
        return overlaps(sites.geometries, index, resolution=resolution)
    from lzgis.geometry.sitework import common_pairs

    left, right = common_pairs(sites.laid_out(), laid_out(index))
    lesser = np.flatnonzero(sites.dimensions < 2)
    if len(lesser):
        mine, theirs = index.tree.query(sites.geometries[lesser], predicate="intersects")
        left, right = np.concatenate([left, lesser[mine]]), np.concatenate([right, theirs])
        order = np.lexsort((right, left))
        left, right = left[order], right[order]
    return overlaps_of_pairs(sites.geometries, index, (left, right), resolution=resolution)


def crossing(sites: SiteShapes, index: FeatureIndex) -> Flags:
    """Tell which features may share area with another of their layer: all, as far as shapely is concerned.

    Told by the compiled loops, done once for a layer; what shapely would take long to find out only saves work.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]))
    >>> crossing(SiteShapes(np.array([shapely.box(8, 0, 10, 2)])), index)
    array([ True,  True])
    """
    if not sites.compiled:
        return np.ones(len(index), dtype=bool)
    if "crossing" not in index.kept:
        from lzgis.geometry.areas import intersection_areas

        found = intersection_areas(index.geometries, laid_out(index).grid)
        flags = np.zeros(len(index), dtype=bool)
        flags[found.left[(found.left != found.right) & (found.area > 1e-7)]] = True
        index.kept["crossing"] = flags
    return np.asarray(index.kept["crossing"], dtype=bool)


def told_nearest(
    sites: SiteShapes, index: FeatureIndex, *, wanted: Flags | None = None, less: Floats | None = None
) -> Nearest:
    """Find the nearest feature of each site, and its distance in steps of a micrometre; of several as near, the first.

    Parameters
    ----------
    sites : SiteShapes
        The sites.
    index : FeatureIndex
        The layer.
    wanted : array of bool, optional
        Sites to be answered for; the others get -1 and NaN.
    less : array of float, optional
        What to take off the distance to each feature when they are compared, not negative: half-widths of lines. The
        distance given back is the whole one.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.Point(0, 0), shapely.Point(10, 0)]))
    >>> found = told_nearest(SiteShapes(np.array([shapely.box(6, 0, 7, 1)])), index)
    >>> found.right, found.distance
    (array([1]), array([3.]))
    """
    n = len(sites)
    right, distance = np.full(n, -1, dtype=np.intp), np.full(n, np.nan)
    asked = np.ones(n, dtype=bool) if wanted is None else wanted
    if not len(index) or not asked.any():
        return Nearest(right, distance)
    taken = np.zeros(len(index)) if less is None else less
    slack = float(taken.max()) + 3.0 / STEPS
    if sites.compiled:
        from lzgis.geometry.sitework import near_pairs

        left, found, apart = near_pairs(sites.laid_out(), laid_out(index), asked, slack)
        told = _told(apart, sites, index, (left, found))
    else:
        left, found = _near_by_shapely(sites.geometries, index, np.flatnonzero(asked), slack)
        told = _steps(shapely.distance(sites.geometries[left], index.geometries[found]))
    order = np.lexsort((found, told - taken[found], left))
    site, first = np.unique(left[order], return_index=True)
    right[site], distance[site] = found[order[first]], told[order[first]]
    return Nearest(right, distance)


def told_within(sites: SiteShapes, index: FeatureIndex, distance: float) -> DWithin:
    """Find every pair no farther apart than `distance`, with how far apart it is, both in steps of a micrometre.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.LineString([(0, 0), (100, 0)])]))
    >>> told_within(SiteShapes(np.array([shapely.Point(50, 16), shapely.Point(50, 21)])), index, 20).distance
    array([16.])
    """
    if not len(index) or not len(sites):
        none = np.zeros(0, dtype=np.intp)
        return DWithin(none, none, np.zeros(0))
    if sites.compiled:
        from lzgis.geometry.sitework import pairs_within

        left, right, apart = pairs_within(sites.laid_out(), laid_out(index), distance + 1.0 / STEPS)
        told = _told(apart, sites, index, (left, right))
    else:
        left, right = index.tree.query(sites.geometries, predicate="dwithin", distance=distance + 1.0 / STEPS)
        order = np.lexsort((right, left))
        left, right = left[order], right[order]
        told = _steps(shapely.distance(sites.geometries[left], index.geometries[right]))
    keep = told <= distance
    return DWithin(left[keep], right[keep], told[keep])


def _steps(distance: Floats) -> Floats:
    told: Floats = np.rint(distance * STEPS) / STEPS
    return told


def _told(apart: Floats, sites: SiteShapes, index: FeatureIndex, pairs: tuple[Integers, Integers]) -> Floats:
    """Put distances of the compiled loops on the grid as GEOS's would be."""
    apart = apart.copy()
    steps = apart * STEPS
    doubt = max(_DOUBT, _DOUBT_ULP * sites.farthest * STEPS)
    unsure = np.flatnonzero(np.abs(steps - np.floor(steps) - 0.5) <= doubt)
    apart[unsure] = exact_distances(sites.geometries, index.geometries, (pairs[0][unsure], pairs[1][unsure]))
    return _steps(apart)


def _near_by_shapely(
    geometries: Geometries, index: FeatureIndex, asked: Integers, slack: float
) -> tuple[Integers, Integers]:
    shapes = geometries[asked]
    (left, _), apart = index.tree.query_nearest(shapes, all_matches=False, return_distance=True)
    radius = np.zeros(len(asked))
    radius[left] = apart + slack
    mine, right = index.tree.query(shapes, predicate="dwithin", distance=radius)
    return asked[mine], right
