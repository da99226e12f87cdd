"""`Check`: the sites, layers and tolerances that the check of a kind gets; and functions that several kinds use.

The contract of a kind: the answer for one site depends only on that site and on the features within the reach of the
rule. Sites can therefore be checked in any order, in pieces and on other machines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.geometry import (
    CommonParts,
    FeatureIndex,
    Nearest,
    common_parts,
    doubled_near,
    mean_width,
    nearest_rounded,
    outside_parts_of,
    overlapping,
    part_of_dimension,
    united,
)
from lzgis.model.report import RESOLUTION_M, State
from lzgis.model.rules import Rule
from lzgis.rules.for_sites.geodesic import lengths_m
from lzgis.rules.for_sites.hits import Flags, Floats, Geometries, Hits, Integers, hits
from lzgis.rules.for_sites.plane import PlaneLayer, PlaneSites

#: Far less area (m²) than any patch as wide as `RESOLUTION_M` has.
_LESS_M2 = 5e-7
#: Features that overlap by no more than this (m²) near a site share no area: their borders are those of neighbours, rounded.
_DOUBLED_M2 = 5e-7


@dataclass(frozen=True)
class Check:
    """What the check of a kind is given.

    Attributes
    ----------
    sites : PlaneSites
        The sites.
    layers : mapping of PlaneLayer
        The layers of the city by id.
    sliver_width_m : float
        Mean width (m) below which an overlap may be a sliver.
    concerned : array of bool
        The sites that the rule, or another about the same features, is meant for. For the others only hits count: distances to
        what they do not hit, and areas that take long, are not measured.
    cache : dict
        What rules have measured for these sites; see `remember`.
    """

    sites: PlaneSites
    layers: Mapping[str, PlaneLayer]
    sliver_width_m: float
    concerned: Flags
    cache: dict[Any, Any] = field(default_factory=dict)

    def layer_where(self, layer: str, where: Mapping[str, list[str]]) -> tuple[PlaneLayer, Integers, FeatureIndex]:
        """Return a layer, the positions of its matching features, and an index of these."""
        whole = self.layers[layer]
        which = whole.matching(where)
        if len(which) == len(whole.frame):
            return whole, which, whole.index
        # Cached with the layer, for the next sites that are checked against it.
        cached, key = whole.index.cached, f"where {hashlib.sha256(which.tobytes()).hexdigest()}"
        if key not in cached:
            cached[key] = whole.index.take(which)
        chosen: FeatureIndex = cached[key]
        return whole, which, chosen

    def remember(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return the cached result for `key`, or call `make` and cache it. Rules that measure the same share the work."""
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]

    def nearest_to(self, key: Any, index: FeatureIndex, which: Integers) -> Nearest:
        """Find the nearest feature of `index` for the sites `which`; cached for all rules with the same `key`."""
        wanted = np.zeros(len(self.sites), dtype=bool)
        wanted[which] = True
        found: Nearest = self.remember(
            ("nearest", key, wanted.tobytes()), lambda: nearest_exactly(self.sites, index, wanted)
        )
        return found


def nearest_exactly(sites: PlaneSites, index: FeatureIndex, wanted: Flags, less: Floats | None = None) -> Nearest:
    """Find the nearest feature for the `wanted` sites, by distances on the ellipsoid if those in the plane are not exact."""
    found = nearest_rounded(sites.shapes, index, wanted=wanted, less=less)
    local = sites.local
    which = np.flatnonzero(wanted & (found.right >= 0))
    if local is None or not len(which):
        return found
    known = np.zeros(len(index)) if less is None else less
    # In the plane another feature may be as near as the nearest, or nearer with its width.
    reach = (found.distance[which] + known.max(initial=0.0)) * (1 + 2 * local.slack)
    some, right = index.tree.query(sites.geometry[which], predicate="dwithin", distance=reach)
    left, near = which[some], found.distance[which][some] == 0
    left, right = np.append(left[~near], which), np.append(right[~near], found.right[which])
    apart = shapely.distance(sites.geometry[left], index.geometries[right])
    apart[len(apart) - len(which) :] = found.distance[which]
    exact = local.distances_m(left, index, right, apart)
    order = np.lexsort((right, exact - known[right], left))
    first = order[np.unique(left[order], return_index=True)[1]]
    distance, nearest = found.distance.copy(), found.right.copy()
    distance[left[first]], nearest[left[first]] = exact[first], right[first]
    return Nearest(nearest, distance)


def overlap_states(
    check: Check, parts: CommonParts, feature_width: Floats, make: Callable[[Integers], Geometries]
) -> tuple[Flags, Flags, Floats]:
    """Distinguish overlaps from mere contact, and slivers from conflicts.

    Parameters
    ----------
    check : Check
        The sites and the tolerance.
    parts : CommonParts
        The sizes of the parts.
    feature_width : array of float
        The mean width of each feature (m).
    make : callable
        Builds the parts at the positions it is given: those that may be slivers.

    Returns
    -------
    real : array of bool
        The part is wider (or, for lines, longer) than `RESOLUTION_M`; points always are real.
    sliver : array of bool
        The part is real, but its mean width 2A/P is below the tolerance and below half that of the site and of the
        feature. A narrow lane that crosses a redline is no sliver: the part is as wide as the lane itself.
    width : array of float
        The mean width (m) of polygonal parts, NaN for others. Where it is below the tolerance, that of the widest piece:
        a real overlap at a long ragged border is no error.
    """
    dimension, site = parts.dimension, parts.left
    tolerance = check.sliver_width_m
    width = parts.mean_width
    thin = np.flatnonzero(width < tolerance)
    if len(thin):
        width[thin] = _widest_piece(_without_slits(make(thin)))
    length = parts.length
    real = np.where(
        dimension == 2, width > RESOLUTION_M, np.where(dimension == 1, length > RESOLUTION_M, dimension == 0)
    )
    narrow = width < np.minimum(tolerance, 0.5 * np.minimum(check.sites.mean_width[site], feature_width))
    short = (length < tolerance) & (length < 0.5 * check.sites.shapes.perimeters[site])
    sliver = real & np.where(dimension == 2, narrow, np.where(dimension == 1, short, False))
    return real.astype(bool), sliver.astype(bool), width


def sizes_of(sites: PlaneSites, site: Integers, geometries: Geometries) -> CommonParts:
    """Measure parts of sites that were built."""
    dimension = np.asarray(shapely.get_dimensions(geometries), dtype=np.intp)
    length = shapely.length(geometries)
    if sites.plane is not None:
        length[dimension == 1] = lengths_m(geometries[dimension == 1], sites.plane)
    whole = np.fromiter((a is b for a, b in zip(geometries, sites.geometry[site], strict=True)), bool, len(site))
    return CommonParts(site, np.full(len(site), -1), dimension, shapely.area(geometries), length, whole)


def _widest_piece(polygons: Geometries) -> Floats:
    pieces, owner = shapely.get_parts(polygons, return_index=True)
    widest = np.zeros(len(polygons))
    np.maximum.at(widest, owner, np.nan_to_num(mean_width(pieces)))
    return widest


def _without_slits(polygons: Geometries) -> Geometries:
    """Remove what is narrower than `RESOLUTION_M`: along a common border it adds perimeter, but no width."""
    half = RESOLUTION_M / 2
    shrunk = shapely.buffer(polygons, -half, join_style="mitre")
    return np.asarray(shapely.buffer(shrunk, half, join_style="mitre"), dtype=object)


def sizes(check: Check, parts: CommonParts) -> tuple[Floats, Floats]:
    """Return the area (m²) of the parts of polygon sites and the length (m) of those of line sites; NaN for other sites."""
    dimension = check.sites.dimension[parts.left]
    area = np.where(dimension == 2, parts.area, np.nan)
    length = np.where(dimension == 1, np.where(parts.dimension == 1, parts.length, 0.0), np.nan)
    return area, length


class Rows(NamedTuple):
    """Findings whose parts are built; arrays of one length.

    Attributes
    ----------
    site, feature : array of int
        The site, and the position of the feature in its layer; -1 for the part that lies in no feature.
    layer : array of str
        Id of the layer of the feature.
    band : array of str
        ``certain`` or ``possible`` for corridors, else empty.
    """

    site: Integers
    feature: Integers
    layer: npt.NDArray[np.object_]
    band: npt.NDArray[np.object_]

    def take(self, which: Integers) -> Rows:
        """Return some of the rows."""
        return Rows(self.site[which], self.feature[which], self.layer[which], self.band[which])


class Obstacles(NamedTuple):
    """Areas that a site must not overlap: a 涉及 row of the site at position 0 for each, and the areas in the plane."""

    rows: Hits
    geometry: Geometries


def obstacles(layer: str, feature: Integers, geometry: Geometries) -> Obstacles:
    """Return areas of one layer; `feature` holds positions in it."""
    site = np.zeros(len(feature), dtype=np.intp)
    return Obstacles(hits(site, layer, feature=feature, state=State.INVOLVED), geometry)


def uncovered(rule: Rule, check: Check) -> CommonParts:
    """Measure the part of each site that no matching feature covers; sites that are covered are left out.

    The length of a part of several pieces that was not built is the most that it can be, so that 2A/P is the least that the mean
    width can be; `uncovered_exactly` builds these parts.

    The overlaps with features that share no area add up to the covered area. A patch of less than `_LESS_M2` and `_DOUBLED_M2`
    together is less than a millimetre wide, for any shape: 2A/P is greatest for a circle, where it is the square root of A/π.
    """
    layer, which, index = check.layer_where(rule.layer, rule.where)

    def measure() -> CommonParts:
        shapes, found = check.sites.shapes, overlaps_of(rule, check)
        n, areal = len(check.sites), shapes.dimensions == 2
        covered = np.bincount(found.left, weights=found.area, minlength=n)
        border = np.bincount(found.left, weights=np.where(found.dimension == 2, found.length, 0.0), minlength=n)
        met = np.bincount(found.left, minlength=n) > 0
        known = areal & (doubled_near(shapes, index) <= _DOUBLED_M2)
        inside = known & (shapes.areas - covered < _LESS_M2)
        inside[found.left[found.whole & areal[found.left]]] = True
        rest, length = shapes.areas - covered, shapes.perimeters + border
        known &= ~met | (2.0 * rest > RESOLUTION_M * length)
        surely = np.flatnonzero(known & ~inside)
        flat = CommonParts(
            surely, np.full(len(surely), -1), np.full(len(surely), 2), rest[surely], length[surely], ~met[surely]
        )
        built = _built(rule, check, np.flatnonzero(~known & ~inside))
        names = ("left", "right", "dimension", "area", "length", "whole")
        both = CommonParts(*(np.concatenate([getattr(one, name) for one in (flat, built)]) for name in names))
        return both.take(np.argsort(both.left, kind="stable"))

    found: CommonParts = check.remember(("uncovered", layer.id, which.tobytes()), measure)
    return found


def uncovered_exactly(rule: Rule, check: Check) -> CommonParts:
    """Measure as `uncovered` does, with the length of every part."""
    rest = uncovered(rule, check)
    partly = np.flatnonzero((rest.dimension == 2) & ~rest.whole)
    exact = _built(rule, check, rest.left[partly])
    others = rest.take(np.setdiff1d(np.arange(len(rest.left)), partly))
    names = ("left", "right", "dimension", "area", "length", "whole")
    both = CommonParts(*(np.concatenate([getattr(one, name) for one in (others, exact)]) for name in names))
    return both.take(np.argsort(both.left, kind="stable"))


def _built(rule: Rule, check: Check, site: Integers) -> CommonParts:
    rest = uncovered_parts(rule, check, site)
    there = ~shapely.is_empty(rest)
    return sizes_of(check.sites, site[there], rest[there])


def uncovered_parts(rule: Rule, check: Check, site: Integers) -> Geometries:
    """Build the part of each site that no matching feature covers; `site` ascends."""
    _, _, index = check.layer_where(rule.layer, rule.where)
    sites = check.sites
    rest = sites.geometry[site].copy()
    lesser = sites.dimension[site] < 2
    rest[lesser] = outside_parts_of(sites.shapes, index, site[lesser], resolution=RESOLUTION_M)
    found = overlaps_of(rule, check)
    pairs = np.flatnonzero(np.isin(found.left, site[~lesser]))
    parts = built_overlaps(rule, check, pairs)
    met = np.unique(found.left[pairs])
    place = np.searchsorted(site, met)
    rest[place] = shapely.difference(rest[place], united(parts, found.left[pairs]))
    return part_of_dimension(rest, sites.dimension[site])


def matching_features(rule: Rule) -> tuple[str, str]:
    """Return a key that is equal for rules about the same features of one layer."""
    return rule.layer, repr(rule.where)


def overlaps_of(rule: Rule, check: Check) -> CommonParts:
    """Find the overlaps of the sites with the matching features."""
    layer, which, index = check.layer_where(rule.layer, rule.where)

    def measure() -> CommonParts:
        parts = overlapping(check.sites.shapes, index, resolution=RESOLUTION_M)
        if check.sites.plane is None:
            return parts
        lines, length = np.flatnonzero(parts.dimension == 1), parts.length.copy()
        built = common_parts(check.sites.shapes, index, parts.take(lines), resolution=RESOLUTION_M)
        length[lines] = lengths_m(built, check.sites.plane)
        return replace(parts, length=length)

    found: CommonParts = check.remember(("overlaps", layer.id, which.tobytes()), measure)
    return found


def built_overlaps(rule: Rule, check: Check, which: Integers) -> Geometries:
    """Build the parts of some of the overlaps of `overlaps_of`."""
    _, _, index = check.layer_where(rule.layer, rule.where)
    distinct, place = np.unique(which, return_inverse=True)
    found = overlaps_of(rule, check).take(distinct)
    return common_parts(check.sites.shapes, index, found, resolution=RESOLUTION_M)[place]


def looked_up(keys: tuple[Integers, Integers], values: Floats, wanted: tuple[Integers, Integers], n: int) -> Floats:
    """Return the value of each pair of numbers, the second below `n`; 0 where there is none."""
    known = keys[0] * max(n, 1) + keys[1]
    order = np.argsort(known)
    chosen = wanted[0] * max(n, 1) + wanted[1]
    place = np.searchsorted(known[order], chosen)
    found = np.zeros(len(chosen))
    there = place < len(known)
    there[there] = known[order[place[there]]] == chosen[there]
    found[there] = values[order[place[there]]]
    return found


def clear_rows(check: Check, rule: Rule, missing: Integers) -> Hits:
    """Make 不涉及 rows for the sites `missing` that the rule concerns, each with the distance to the nearest matching feature."""
    layer, which, index = check.layer_where(rule.layer, rule.where)
    missing = missing[check.concerned[missing]]
    found = check.nearest_to((layer.id, which.tobytes()), index, missing)
    right = found.right[missing]
    feature = np.where(right >= 0, which[right] if len(which) else -1, -1)
    return hits(missing, layer.id, feature=feature, distance_m=found.distance[missing])
