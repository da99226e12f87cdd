"""Sites against one layer: the pairs that overlap, the nearest feature, and the features within a distance.

The loops find the pairs, and shapely (GEOS) decides what rounding leaves open. The loops and GEOS compute the same distance with
different last bits. Distances are therefore rounded to a micrometre: the rounded number is the one next to the distance that GEOS
computes. Where the loops come near the middle between two such numbers, GEOS computes the distance again. Of features at the same
rounded distance, the first is the nearest. The loops measure the common areas of polygons; GEOS decides the pairs that rounding
leaves open, and all pairs of lines and points.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import shapely

from lzgis.geometry.answers import Areas, Flags
from lzgis.geometry.distance import DWithin, Nearest
from lzgis.geometry.exact import exact_distances
from lzgis.geometry.features import FeatureIndex, Floats, Geometries, Integers
from lzgis.geometry.overlay import Overlaps, outside_parts, overlaps, overlaps_of_pairs
from lzgis.geometry.threads import by_rows, cores

if TYPE_CHECKING:
    from lzgis.geometry.loops.corridor_areas import Outlines
    from lzgis.geometry.loops.laid_out_layer import LayerIndex
    from lzgis.geometry.loops.laid_out_sites import LaidOutSites

#: Distances are rounded to so many steps to the metre.
STEPS = 1e6
#: How far the distances of the loops and of GEOS may differ, with a wide margin: so many steps, or ulps of the coordinates.
_DOUBT, _DOUBT_ULP = 0.01, 64.0 * 2.0**-52
#: Coordinates may be this large, in metres: beyond, the loops could miss a pair.
MOST_COORDINATE_M = 1e9
#: An area this much less than that of the site, per metre of its border, is that of the site.
_WHOLE = 1e-9
#: Features with more vertices than this are cut by a window before GEOS overlays them.
_MANY_VERTICES = 500
#: Areas that differ by no more than this, absolutely and relatively, are the same.
_SAME_AREA = 1e-7
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
    def areas(self) -> Floats:
        """Area of each site, 0 for lines and points."""
        return np.asarray(shapely.area(self.geometries), dtype=float)

    @cached_property
    def perimeters(self) -> Floats:
        """Perimeter of polygons, length of lines, 0 for points."""
        return np.asarray(shapely.length(self.geometries), dtype=float)

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

    @cached_property
    def outlines(self) -> Outlines:
        """The sites as chains whose rings have the polygon at their left."""
        from lzgis.geometry.loops.corridor_areas import outlines

        return outlines(self.geometries)

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


@dataclass(frozen=True, eq=False)
class CommonParts:
    """Pairs of site and feature whose common part has the dimension of the lesser of the two; arrays of one length.

    Attributes
    ----------
    left, right : array of int
        Positions of the site and the feature, sorted by `left`, then `right`.
    dimension : array of int
        0 for points, 1 for lines, 2 for polygons.
    area, length : array of float
        Area of the part, 0 for lines and points; length of a line, perimeter of a polygon, 0 for points.
    whole : array of bool
        The part is known to be the whole site; true of points, which have no size.
    """

    left: Integers
    right: Integers
    dimension: Integers
    area: Floats
    length: Floats
    whole: Flags

    @property
    def mean_width(self) -> Floats:
        """Mean width 2A/P of polygons, NaN for others."""
        width: Floats = np.divide(
            2.0 * self.area, self.length, out=np.full(len(self.area), np.nan), where=self.area > 0
        )
        return width

    def take(self, which: Integers) -> CommonParts:
        """Return some of the pairs."""
        names = ("left", "right", "dimension", "area", "length", "whole")
        return CommonParts(*(getattr(self, name)[which] for name in names))


def overlapping(sites: SiteShapes, index: FeatureIndex, *, resolution: float = 0.0) -> CommonParts:
    """Find the pairs that overlap, with the size of the part they share, without building it.

    Parts too narrow for the loops to see (less than 1e-6 of the unit of the plane) are left out. `common_parts` builds parts.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.box(1, 1, 11, 11), shapely.box(11, 1, 21, 11)]))
    >>> found = overlapping(SiteShapes(np.array([shapely.box(9, 1.5, 11, 3.5)])), index)
    >>> found.right, found.area, found.length, found.whole
    (array([0]), array([4.]), array([8.]), array([ True]))
    """
    if (index.dimensions < 2).any():
        return _measured(overlaps(sites.geometries, index, resolution=resolution), sites)
    from lzgis.geometry.loops.laid_out_sites import common_areas_of

    areas, perimeter = common_areas_of(sites.laid_out(), laid_out(index, cell=sites.cell))
    whole = np.abs(areas.area - sites.areas[areas.left]) <= _WHOLE * np.maximum(sites.perimeters[areas.left], 1.0)
    perimeter = np.where(whole, sites.perimeters[areas.left], perimeter)
    known = ~areas.undecided & ~np.isnan(perimeter)
    which = np.flatnonzero(known)
    surely = CommonParts(
        areas.left[which], areas.right[which], np.full(len(which), 2), areas.area[which], perimeter[which], whole[which]
    )
    left, right = areas.left[~known], areas.right[~known]
    others = np.flatnonzero(sites.dimensions < 2)
    if len(others):
        mine, theirs = index.tree.query(sites.geometries[others], predicate="intersects")
        left, right = np.concatenate([left, others[mine]]), np.concatenate([right, theirs])
    order = np.lexsort((right, left))
    rest = _overlaps_nearby(sites, index, (left[order], right[order]), resolution)
    return _joined(surely, _measured(rest, sites))


def _overlaps_nearby(
    sites: SiteShapes, index: FeatureIndex, pairs: tuple[Integers, Integers], resolution: float
) -> Overlaps:
    """Do as `overlaps_of_pairs`; a feature of many vertices is cut by a window around the site first."""
    left, right = pairs
    local = _local(index, right, sites.bounds[left], cell=sites.cell)
    place = np.arange(len(left))
    found = overlaps_of_pairs(sites.geometries[left], FeatureIndex(local), (place, place), resolution=resolution)
    return Overlaps(left[found.left], right[found.left], found.part, found.area, found.length)


def outside_parts_of(sites: SiteShapes, index: FeatureIndex, which: Integers, *, resolution: float = 0.0) -> Geometries:
    """Return the part of some of the sites that no indexed polygon covers, see `outside_parts`.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.box(0, 0, 10, 10)]))
    >>> sites = SiteShapes(np.array([shapely.Point(1, 1), shapely.LineString([(5, 5), (5, 25)])]))
    >>> shapely.length(outside_parts_of(sites, index, np.array([0, 1])))
    array([ 0., 15.])
    """
    around = partial(_local, index, cell=sites.cell) if (index.dimensions == 2).all() else None
    return outside_parts(sites.geometries[which], index, resolution=resolution, local=around)


def _local(index: FeatureIndex, which: Integers, bounds: Floats, *, cell: float) -> Geometries:
    """Return features, those of many vertices cut by a window around the bounds."""
    local: Geometries = index.geometries[which]
    large = np.flatnonzero(shapely.get_num_coordinates(local) > _MANY_VERTICES)
    if len(large):
        local[large] = features_around(index, which[large], bounds[large], cell=cell)
    return local


def features_around(index: FeatureIndex, which: Integers, bounds: Floats, *, cell: float = _CELL_M) -> Geometries:
    """Clip polygons by a window little larger than `bounds`, which is much faster than an overlay.

    The clipping of `surroundings` is fast but not robust. What it returns is taken if it is valid and has the area that the loops
    find; otherwise GEOS overlays the polygon and the window. A window that no border meets is not clipped.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.box(0, 0, 900, 900)]))
    >>> features_around(index, np.array([0]), np.array([[10.0, 10.0, 20.0, 20.0]]))[0].contains(shapely.box(9, 9, 21, 21))
    True
    """
    from lzgis.geometry.loops.areas import intersection_areas
    from lzgis.geometry.parts.outlines import outlines_among
    from lzgis.geometry.parts.surroundings import surroundings, window_around

    windows = window_around(bounds)
    boxes = np.asarray(shapely.box(*windows.T), dtype=object)
    outlines, number = outlines_among(index, which)
    window, feature = outlines.met_by(boxes)
    met = np.unique(window[feature == number[window]])
    found = boxes.copy()
    for places, seen in surroundings(outlines, number[met], bounds[met]):
        found[met[places]] = seen
    areas = intersection_areas(boxes, laid_out(index, cell=cell).grid)
    key_of = areas.left * max(len(index), 1) + areas.right
    wanted = np.arange(len(which)) * max(len(index), 1) + which
    order = np.argsort(key_of)
    place = (
        order[np.minimum(np.searchsorted(key_of[order], wanted), max(len(order) - 1, 0))] if len(order) else wanted * 0
    )
    known = len(order) > 0 and (key_of[place] == wanted) & ~areas.undecided[place]
    expected = np.where(known, areas.area[place], np.nan) if len(order) else np.full(len(which), np.nan)
    right = shapely.is_valid(found) & (np.abs(shapely.area(found) - expected) <= _SAME_AREA * (1.0 + expected))
    wrong = np.flatnonzero(~right)
    found[wrong] = by_rows(shapely.intersection, index.geometries[which[wrong]], boxes[wrong])
    return found


def _measured(found: Overlaps, sites: SiteShapes) -> CommonParts:
    same = np.fromiter(
        (part is site for part, site in zip(found.part, sites.geometries[found.left], strict=True)),
        bool,
        len(found.left),
    )
    dimension = np.asarray(shapely.get_dimensions(found.part), dtype=np.intp)
    return CommonParts(found.left, found.right, dimension, found.area, shapely.length(found.part), same)


def _joined(one: CommonParts, other: CommonParts) -> CommonParts:
    columns = [
        np.concatenate([getattr(one, name), getattr(other, name)])
        for name in ("left", "right", "dimension", "area", "length", "whole")
    ]
    return CommonParts(*columns).take(np.lexsort((columns[1], columns[0])))


def common_parts(sites: SiteShapes, index: FeatureIndex, found: CommonParts, *, resolution: float = 0.0) -> Geometries:
    """Build the parts of pairs that `overlapping` found, or of some of them in their order; empty where GEOS finds none.

    Polygons are overlaid in windows around the sites, see `lzgis.geometry.parts`; a part whose area is not the one measured
    is built anew from the whole feature.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.box(0, 0, 10, 10)]))
    >>> sites = SiteShapes(np.array([shapely.box(8, 0, 12, 2)]))
    >>> common_parts(sites, index, overlapping(sites, index))[0].area
    4.0
    """
    from lzgis.geometry.parts.common import parts_of

    parts = np.full(len(found.left), shapely.GeometryCollection(), dtype=object)
    areal = (sites.dimensions[found.left] == 2) & (index.dimensions[found.right] == 2)
    large = shapely.get_num_coordinates(index.geometries)[found.right] > _MANY_VERTICES
    in_windows, others = np.flatnonzero(areal & large), np.flatnonzero(~(areal & large))
    if len(in_windows):
        some = found.take(in_windows)
        areas = Areas(some.left, some.right, some.area, np.zeros(len(in_windows), dtype=bool))
        parts[in_windows] = parts_of(sites.geometries, index, areas, threads=cores())
    if len(others):
        left, right = found.left[others], found.right[others]
        whole = _overlaps_nearby(sites, index, (left, right), resolution)
        key = left * max(len(index), 1) + right
        parts[others[np.searchsorted(key, whole.left * max(len(index), 1) + whole.right)]] = whole.part
    return parts


def doubled_near(sites: SiteShapes, index: FeatureIndex) -> Floats:
    """Bound for each site the area (the square of the plane's unit) that several features of a layer cover.

    It is the area of such overlaps in all cells of the grid that the site lies in; 0 for lines and points.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.box(0, 0, 20, 10), shapely.box(18, 0, 300, 10)]))
    >>> doubled_near(SiteShapes(np.array([shapely.box(1, 1, 2, 2), shapely.box(280, 1, 290, 9)])), index)
    array([20.,  0.])
    """
    from lzgis.geometry.loops.laid_out_sites import doubled_near as bound

    return bound(sites.laid_out(), laid_out(index, cell=sites.cell))


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
