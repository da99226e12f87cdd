"""``keep_away``: the site must keep a distance from the legal baseline of an object.

The exact distance decides. Polygons around the baseline are made only to measure and draw the encroached part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import shapely
from pydantic import Field, NonNegativeFloat

from lzgis.geometry import Nearest, buffered, off_border, part_of_dimension, within_rounded
from lzgis.geometry.corridor import ARC_SEGMENTS, Cases, encroached_by_group, encroached_sizes
from lzgis.model.catalogue import Baseline
from lzgis.model.report import RESOLUTION_M, State
from lzgis.model.rules import Rule
from lzgis.rules.for_sites.base import Check, Obstacles, Rows, looked_up, nearest_exactly, obstacles
from lzgis.rules.for_sites.baselines import BaselineFeatures, baseline_features
from lzgis.rules.for_sites.hits import Flags, Floats, Geometries, Hits, Integers, concatenated, full, hits
from lzgis.rules.for_sites.plane import PlaneLayer, PlaneSites


class KeepAway(Rule):
    """``keep_away``: a site nearer than `distance_m` to the baseline is a conflict; at that distance it is not.

    `baselines` lists the layers that hold the objects, best baseline first; without it, only the rule's layer does.
    `assumed_half_width_m` maps values of the field `assumed_by` to the half-width (m) that is added to a centreline whose
    half-width is unknown. Its key ``"*"`` is for all other values, ``"roadbed-edge"`` for the strip between roadbed and
    road land. `zone_distance_m` is the distance to the edge of a delimited zone; 0 means that the site may touch the zone,
    but must not overlap it. It must be given if one of the layers is a delimited zone. `usual_baseline` is what the geometry
    of a layer stands for if its catalogue does not say.
    """

    kind: Literal["keep_away"]
    distance_m: float = Field(gt=0)
    zone_distance_m: float | None = Field(default=None, ge=0)
    usual_baseline: Baseline | None = None
    baselines: list[str] = []
    assumed_half_width_m: dict[str, NonNegativeFloat] = {}
    assumed_by: str = "technical_class"

    @property
    def layers(self) -> tuple[str, ...]:
        """Every layer that the rule uses, the best baseline first."""
        return (*self.baselines, self.layer) if self.layer not in self.baselines else tuple(self.baselines)

    @property
    def reach_m(self) -> float:
        """The required distance plus the widest half-width that may be assumed (m)."""
        return max(self.distance_m, self.from_zone_m) + max(self.assumed_half_width_m.values(), default=0.0)

    @property
    def from_zone_m(self) -> float:
        """The distance that is required from a delimited zone (m); never 0 unless the rule says so."""
        return self.distance_m if self.zone_distance_m is None else self.zone_distance_m


@dataclass(frozen=True, eq=False)
class _Near:
    """Pairs of site and baseline feature that are too near, certainly or possibly."""

    site: Integers
    feature: Integers
    distance: Floats
    need: Floats
    assumed: Floats
    certain: Flags


def check_keep_away(rule: Rule, check: Check) -> Hits:
    """Return one row per object that is too near; for a site that the rule concerns without any, the nearest object."""
    assert isinstance(rule, KeepAway)
    found: Hits = check.remember(("keep_away", *same_corridors(rule)), lambda: _rows(rule, check))
    return found


def same_corridors(rule: Rule) -> tuple[object, ...]:
    """Return a key that is equal for rules that require the same distance from the same objects, if for other activities."""
    assert isinstance(rule, KeepAway)
    return (rule.layer, *_key(rule), rule.distance_m, rule.from_zone_m)


def _rows(rule: KeepAway, check: Check) -> Hits:
    features = _features(rule, check)
    near = _too_near(rule, check, features)
    hit = _hit_rows(rule, check, features, near)
    missing = np.setdiff1d(np.arange(len(check.sites)), hit.site)
    return concatenated([hit, _clear_rows(rule, check, features, missing)])


def keep_away_obstacles(rule: Rule, check: Check, window: shapely.Geometry) -> Obstacles:
    """Return the areas of the window that are certainly too near to an object; arcs are approximated from outside."""
    assert isinstance(rule, KeepAway)
    features = _features(rule, check)
    need = _required(rule, features) + features.known_m
    near = np.sort(features.index.tree.query(window, predicate="dwithin", distance=float(need.max(initial=0.0))))
    local = shapely.intersection(features.geometry[near], shapely.buffer(window, float(need.max(initial=0.0)) + 1.0))
    # The chords of the drawn arc touch the true arc in their middles.
    radius = need[near] / np.cos(np.pi / (4 * ARC_SEGMENTS))
    around = np.where(radius > 0, buffered(local, radius, quad_segs=ARC_SEGMENTS), local)
    found = obstacles(rule.layer, features.feature[near], shapely.intersection(around, window))
    band = full(len(near), "certain")
    return found._replace(rows=found.rows.changed(layer=features.layer[near], band=band))


def _features(rule: KeepAway, check: Check) -> BaselineFeatures:
    present = tuple(check.layers[name] for name in rule.layers if name in check.layers)
    if not present:
        return _gathered(rule, check, present)
    # Cached with the layer, for the next sites that are checked against the same layers.
    cached, key = present[-1].index.cached, repr(("baselines", *_key(rule)))
    there: tuple[tuple[PlaneLayer, ...], BaselineFeatures] | None = cached.get(key)
    if there is None or [*map(id, there[0])] != [*map(id, present)]:
        there = cached[key] = (present, _gathered(rule, check, present))
    return there[1]


def _gathered(rule: KeepAway, check: Check, present: tuple[PlaneLayer, ...]) -> BaselineFeatures:
    return baseline_features(
        list(present),
        check.layers.get(rule.layer),
        rule.where,
        assumed_half_width_m=rule.assumed_half_width_m,
        assumed_by=rule.assumed_by,
    )


def _key(rule: KeepAway) -> tuple[object, ...]:
    """Return a key that is equal for rules with the same baseline features."""
    return (rule.layers, repr(rule.where), repr(rule.assumed_half_width_m), rule.assumed_by)


def _too_near(rule: KeepAway, check: Check, features: BaselineFeatures) -> _Near:
    required = _required(rule, features) + features.known_m
    reach = float(np.max(required + features.assumed_m, initial=0.0))
    local = check.sites.local
    pairs = within_rounded(check.sites.shapes, features.index, reach if local is None else reach * (1 + local.slack))
    if local is not None:
        pairs = replace(pairs, distance=local.distances_m(pairs.left, features.index, pairs.right, pairs.distance))
    need, assumed = required[pairs.right], features.assumed_m[pairs.right]
    certain = need - pairs.distance > RESOLUTION_M
    zone = np.flatnonzero((need == 0) & (pairs.distance == 0))
    certain[zone] = _overlaps_zone(check.sites.geometry[pairs.left[zone]], features.geometry[pairs.right[zone]])
    possible = need + assumed - pairs.distance > RESOLUTION_M
    keep = certain | (possible & (assumed > 0))
    return _Near(pairs.left[keep], pairs.right[keep], pairs.distance[keep], need[keep], assumed[keep], certain[keep])


def _required(rule: KeepAway, features: BaselineFeatures) -> Floats:
    return np.where(features.is_zone, rule.from_zone_m, rule.distance_m)


def _overlaps_zone(sites: Geometries, zones: Geometries) -> Flags:
    dimension = shapely.get_dimensions(sites)
    part = part_of_dimension(shapely.intersection(sites, zones), dimension)
    border, lines = shapely.boundary(zones), dimension == 1
    part[lines] = off_border(part[lines], sites[lines], border[lines], RESOLUTION_M)
    area, length = shapely.area(part), shapely.length(part)
    wide = (area > 0) & (2 * area > RESOLUTION_M * length)
    point = shapely.intersects(sites, zones) & ~shapely.dwithin(border, sites, RESOLUTION_M)
    return np.where(dimension == 2, wide, np.where(lines, length > RESOLUTION_M, point)).astype(bool)


def _hit_rows(rule: KeepAway, check: Check, features: BaselineFeatures, near: _Near) -> Hits:
    first, group = _worst_of_each_object(features, near)
    banded = near.assumed > 0
    site, feature = near.site[first], near.feature[first]
    certain = near.certain[first]
    has_band = np.zeros(len(first), dtype=bool)
    np.logical_or.at(has_band, group, banded)
    concerned = check.concerned[site]
    size = _sizes(check, features, near, near.need, group, near.certain & concerned[group])
    wanted = (near.certain | banded) & (has_band & concerned)[group]
    size_possible = _sizes(check, features, near, near.need + near.assumed, group, wanted)
    dimension = check.sites.dimension[site]
    areal, lineal = (dimension == 2) & concerned, (dimension == 1) & concerned
    return hits(
        site,
        rule.layer,
        **_measured(rule, features, feature, near.distance[first]),
        state=State.INVOLVED,
        area_m2=np.where(areal, size, np.nan),
        area_possible_m2=np.where(has_band & areal, size_possible, np.nan),
        length_m=np.where(lineal, np.where(certain, size, size_possible), np.nan),
        band=np.where(certain, "certain", "possible").astype(object),
        has_part=True,
    ).changed(layer=features.layer[feature])


def _sizes(
    check: Check, features: BaselineFeatures, near: _Near, radius: Floats, group: Integers, wanted: Flags
) -> Floats:
    """Measure by group the part of the site nearer than `radius` to the features: its area, or its length if it is a line."""
    sizes = np.zeros(int(group.max(initial=-1)) + 1)
    which = np.flatnonzero(wanted)
    which = which[np.argsort(group[which], kind="stable")]
    groups, start = np.unique(group[which], return_index=True)
    cases = Cases(near.site[which[start]], np.append(start, len(which)), near.feature[which], radius[which])
    local = check.sites.local
    sizes[groups] = (
        encroached_sizes(check.sites.shapes, features.index, cases)
        if local is None
        else local.encroached_sizes(features.index, cases)
    )
    return sizes


def keep_away_sizes(rule: Rule, check: Check, rows: Rows) -> Floats:
    """Measure the part of each site that is too near to an object, certainly or, for possible ones, possibly: area, or length."""
    assert isinstance(rule, KeepAway)
    features = _features(rule, check)
    near = _too_near(rule, check, features)
    first, group = _worst_of_each_object(features, near)
    objects, key = np.unique(features.key.astype(str), return_inverse=True)
    # Pairs of site and object, those measured and those of the rows, as one number each.
    known = near.site[first] * len(objects) + key[near.feature[first]]
    wanted = rows.site * len(objects) + key[features.places(rows.layer, rows.feature)]
    possible = rows.band == "possible"
    of_certain, of_possible = (np.isin(known, wanted[which])[group] for which in (~possible, possible))
    certain = _sizes(check, features, near, near.need, group, near.certain & of_certain)
    both = _sizes(check, features, near, near.need + near.assumed, group, of_possible)
    none = np.zeros_like(known), np.zeros_like(wanted)
    return np.where(
        possible,
        looked_up((known, none[0]), both, (wanted, none[1]), 1),
        looked_up((known, none[0]), certain, (wanted, none[1]), 1),
    )


def keep_away_parts(rule: Rule, check: Check, rows: Rows) -> Geometries:
    """Build the part of each site that is too near to an object: certainly, or possibly if no part certainly is."""
    assert isinstance(rule, KeepAway)
    features = _features(rule, check)
    sites, place = np.unique(rows.site, return_inverse=True)
    some = Check(
        PlaneSites(check.sites.geometry[sites], check.sites.plane),
        check.layers,
        check.sliver_width_m,
        check.concerned[sites],
    )
    near = _too_near(rule, some, features)
    first, group = _worst_of_each_object(features, near)
    of_first = near.feature[first]
    keys = zip(near.site[first].tolist(), features.layer[of_first], features.feature[of_first].tolist(), strict=True)
    number = {key: at for at, key in enumerate(keys)}
    wanted_keys = zip(place.tolist(), rows.layer, rows.feature.tolist(), strict=True)
    chosen = np.array([number[key] for key in wanted_keys], dtype=np.intp)
    keep = np.isin(group, chosen)
    certain = near.certain[first][group]
    keep &= near.certain | ~certain
    which = np.flatnonzero(keep)[np.argsort(group[keep], kind="stable")]
    # A part that is possible, not certain, is bounded by the half-width that is assumed.
    radius = np.where(certain, near.need, near.need + near.assumed)[which]
    groups, start = np.unique(group[which], return_index=True)
    cases = Cases(near.site[which[start]], np.append(start, len(which)), near.feature[which], radius)
    local = some.sites.local
    made = (
        encroached_by_group(some.sites.geometry, features.geometry, cases)
        if local is None
        else local.encroached_parts(features.index, cases)
    )
    return np.asarray(made[np.searchsorted(groups, chosen)], dtype=object)


def _worst_of_each_object(features: BaselineFeatures, near: _Near) -> tuple[Integers, Integers]:
    """Return the worst pair of each site and object, and for every pair the number of its group."""
    _, key = np.unique(features.key[near.feature].astype(str), return_inverse=True)
    excess = near.need + near.assumed - near.distance
    order = np.lexsort((near.feature, -excess, ~near.certain, key, near.site))
    starts = np.ones(len(order), dtype=bool)
    starts[1:] = (near.site[order][1:] != near.site[order][:-1]) | (key[order][1:] != key[order][:-1])
    group = np.empty(len(order), dtype=np.intp)
    group[order] = np.cumsum(starts) - 1
    return order[starts], group


def _measured(rule: KeepAway, features: BaselineFeatures, feature: Integers, distance: Floats) -> dict[str, object]:
    known, assumed = features.known_m[feature], features.assumed_m[feature]
    required = _required(rule, features)[feature]
    actual = np.maximum(distance - known, 0.0)
    half_width = np.where(known > 0, known, np.where(assumed > 0, assumed, np.nan))
    return {
        "feature": features.feature[feature],
        "distance_m": actual,
        "required_m": required,
        "required_possible_m": np.where(assumed > 0, required + assumed, np.nan),
        "margin": required + known + assumed - distance,
        "baseline": features.baseline[feature],
        "half_width_m": half_width,
    }


def _clear_rows(rule: KeepAway, check: Check, features: BaselineFeatures, missing: Integers) -> Hits:
    missing = missing[check.concerned[missing]]
    if not len(features.geometry):
        return hits(missing, rule.layer, required_m=rule.distance_m)
    wanted = np.zeros(len(check.sites), dtype=bool)
    wanted[missing] = True
    # The nearest feature is the one with the nearest edge, its known half-width included.
    found: Nearest = check.remember(
        ("nearest", *_key(rule), wanted.tobytes()),
        lambda: nearest_exactly(check.sites, features.index, wanted, features.known_m),
    )
    chosen = found.right[missing]
    rows = hits(missing, rule.layer, **_measured(rule, features, chosen, found.distance[missing]))
    return rows.changed(layer=features.layer[chosen])
