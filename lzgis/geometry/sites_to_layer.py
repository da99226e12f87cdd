"""Sites against one layer: the pairs that overlap, the nearest feature, and the features within a distance.

The loops find the pairs, and shapely (GEOS) decides what rounding leaves open. The loops and GEOS compute the same distance with
different last bits. Distances are therefore rounded to a micrometre: the rounded number is the one next to the distance that GEOS
computes. Where the loops come near the middle between two such numbers, GEOS computes the distance again. Of features at the same
rounded distance, the first is the nearest. GEOS alone decides which pairs overlap; the loops only leave out pairs that cannot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely

from lzgis.geometry.answers import Flags
from lzgis.geometry.distance import DWithin, Nearest
from lzgis.geometry.exact import exact_distances
from lzgis.geometry.features import FeatureIndex, Floats, Geometries, Integers
from lzgis.geometry.overlay import Overlaps, overlaps, overlaps_of_pairs

if TYPE_CHECKING:
    from lzgis.geometry.loops.laid_out_layer import LayerIndex
    from lzgis.geometry.loops.laid_out_sites import LaidOutSites

#: Distances are rounded to so many steps to the metre.
STEPS = 1e6
#: How far the distances of the loops and of GEOS may differ, with a wide margin: so many steps, or ulps of the coordinates.
_DOUBT, _DOUBT_ULP = 0.01, 64.0 * 2.0**-52
#: Coordinates may be this large, in metres: beyond, the loops could miss a pair.
MOST_COORDINATE_M = 1e9
#: The side of a grid cell in metres. It is doubled until no site is wider than so many cells.
_CELL_M, _MOST_CELLS = 256.0, 2048


@dataclass(frozen=True, eq=False)
class SiteShapes:
    """Sites to be measured against many layers.

    Parameters
    ----------
    geometries : array of shapely geometries, shape (n,)
        Polygons, lines and points, valid, in metres.

    Raises
    ------
    ValueError
        If a coordinate is larger than 1e9 m.

    Examples
    --------
    >>> len(SiteShapes(np.array([shapely.box(0, 0, 1, 1)])))
    1
    """

    geometries: Geometries
    _cached: dict[str, LaidOutSites] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.farthest > MOST_COORDINATE_M:
            raise ValueError(f"sites: a coordinate is larger than {MOST_COORDINATE_M:g} m; use a plane nearer to them")

    def __len__(self) -> int:
        return len(self.geometries)

    @cached_property
    def bounds(self) -> Floats:
        """Least x and y, greatest x and y of each site; 0 for empty ones."""
        return np.nan_to_num(shapely.bounds(self.geometries)).reshape(-1, 4)

    @cached_property
    def cell(self) -> float:
        """The side of a grid cell that suits the sites."""
        cell, widest = _CELL_M, float((self.bounds[:, 2:] - self.bounds[:, :2]).max(initial=0.0))
        while widest > _MOST_CELLS * cell:
            cell *= 2.0
        return cell

    @cached_property
    def farthest(self) -> float:
        """The largest coordinate, whatever its sign."""
        return float(np.abs(self.bounds).max(initial=0.0))

    @cached_property
    def dimensions(self) -> Integers:
        """0 for points, 1 for lines, 2 for polygons."""
        return np.asarray(shapely.get_dimensions(self.geometries), dtype=np.intp)

    def laid_out(self) -> LaidOutSites:
        """Return the sites as flat arrays for the loops, made when first needed."""
        from lzgis.geometry.loops.laid_out_sites import LaidOutSites

        if "sites" not in self._cached:
            self._cached["sites"] = LaidOutSites.build(self.geometries)
        return self._cached["sites"]


def laid_out(index: FeatureIndex, *, cell: float = _CELL_M) -> LayerIndex:
    """Return a layer as flat arrays for the loops, made when first needed.

    Parameters
    ----------
    index : FeatureIndex
        The layer, in metres.
    cell : float
        Side of a grid cell in metres, a power of two.
    """
    from lzgis.geometry.loops.laid_out_layer import LayerIndex

    key = f"laid out in cells of {cell:g} m"
    if key not in index.cached:
        index.cached[key] = LayerIndex.build(index.geometries, cell=cell)
    made: LayerIndex = index.cached[key]
    return made


def overlapping(sites: SiteShapes, index: FeatureIndex, *, resolution: float = 0.0) -> Overlaps:
    """Find the pairs that overlap, with the part they share, as `overlaps` does.

    Parts too narrow for the loops to see (less than 1e-6 of the unit of the plane) are left out.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]))
    >>> overlapping(SiteShapes(np.array([shapely.box(8, 0, 10, 2)])), index).area
    array([4.])
    """
    if (index.dimensions < 2).any():
        return overlaps(sites.geometries, index, resolution=resolution)
    from lzgis.geometry.loops.laid_out_sites import common_pairs

    left, right = common_pairs(sites.laid_out(), laid_out(index, cell=sites.cell))
    others = np.flatnonzero(sites.dimensions < 2)
    if len(others):
        mine, theirs = index.tree.query(sites.geometries[others], predicate="intersects")
        left, right = np.concatenate([left, others[mine]]), np.concatenate([right, theirs])
        order = np.lexsort((right, left))
        left, right = left[order], right[order]
    return overlaps_of_pairs(sites.geometries, index, (left, right), resolution=resolution)


def crossing(index: FeatureIndex) -> Flags:
    """Tell which features of a layer may share area with another one; computed once for a layer.

    Examples
    --------
    >>> crossing(FeatureIndex(np.array([shapely.box(0, 0, 10, 10), shapely.box(9, 0, 20, 10), shapely.box(20, 0, 30, 10)])))
    array([ True,  True, False])
    """
    if "crossing" not in index.cached:
        from lzgis.geometry.loops.areas import intersection_areas

        found = intersection_areas(index.geometries, laid_out(index).grid)
        flags = np.zeros(len(index), dtype=bool)
        flags[found.left[(found.left != found.right) & (found.area > 1e-7)]] = True
        index.cached["crossing"] = flags
    return np.asarray(index.cached["crossing"], dtype=bool)


def nearest_rounded(
    sites: SiteShapes, index: FeatureIndex, *, wanted: Flags | None = None, less: Floats | None = None
) -> Nearest:
    """Find the nearest feature of each site, and its distance rounded to a micrometre; of several as near, the first.

    Parameters
    ----------
    sites : SiteShapes
        The sites.
    index : FeatureIndex
        The layer.
    wanted : array of bool, optional
        The sites that are measured; the others get -1 and NaN.
    less : array of float, optional
        What is subtracted from the distance to each feature when distances are compared, not negative: the half-widths of
        lines. The distance returned is the whole one.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.Point(0, 0), shapely.Point(10, 0)]))
    >>> found = nearest_rounded(SiteShapes(np.array([shapely.box(6, 0, 7, 1)])), index)
    >>> found.right, found.distance
    (array([1]), array([3.]))
    """
    n = len(sites)
    right, distance = np.full(n, -1, dtype=np.intp), np.full(n, np.nan)
    wanted = np.ones(n, dtype=bool) if wanted is None else wanted
    if not len(index) or not wanted.any():
        return Nearest(right, distance)
    from lzgis.geometry.loops.laid_out_sites import near_pairs

    subtracted = np.zeros(len(index)) if less is None else less
    slack = float(subtracted.max()) + 3.0 / STEPS
    left, found, computed = near_pairs(sites.laid_out(), laid_out(index, cell=sites.cell), wanted, slack)
    rounded = _rounded(computed, sites, index, (left, found))
    order = np.lexsort((found, rounded - subtracted[found], left))
    site, first = np.unique(left[order], return_index=True)
    right[site], distance[site] = found[order[first]], rounded[order[first]]
    return Nearest(right, distance)


def within_rounded(sites: SiteShapes, index: FeatureIndex, distance: float) -> DWithin:
    """Find every pair no farther apart than `distance`, with its distance; both are rounded to a micrometre.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.LineString([(0, 0), (100, 0)])]))
    >>> within_rounded(SiteShapes(np.array([shapely.Point(50, 16), shapely.Point(50, 21)])), index, 20).distance
    array([16.])
    """
    if not len(index) or not len(sites):
        none = np.zeros(0, dtype=np.intp)
        return DWithin(none, none, np.zeros(0))
    from lzgis.geometry.loops.laid_out_sites import pairs_within

    layer = laid_out(index, cell=sites.cell)
    left, right, computed = pairs_within(sites.laid_out(), layer, distance + 1.0 / STEPS)
    rounded = _rounded(computed, sites, index, (left, right))
    keep = rounded <= distance
    return DWithin(left[keep], right[keep], rounded[keep])


def _rounded(computed: Floats, sites: SiteShapes, index: FeatureIndex, pairs: tuple[Integers, Integers]) -> Floats:
    """Round distances of the loops as those of GEOS would be rounded."""
    computed = computed.copy()
    steps = computed * STEPS
    doubt = max(_DOUBT, _DOUBT_ULP * sites.farthest * STEPS)
    unsure = np.flatnonzero(np.abs(steps - np.floor(steps) - 0.5) <= doubt)
    computed[unsure] = exact_distances(sites.geometries, index.geometries, (pairs[0][unsure], pairs[1][unsure]))
    rounded: Floats = np.rint(computed * STEPS) / STEPS
    return rounded
