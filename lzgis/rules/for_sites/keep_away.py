"""``keep_away``: the site must keep a distance from the legal baseline of an object.

The exact distance decides. Polygons around the baseline are made only to measure and draw the encroached part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from pydantic import Field

from lzgis.geometry import Nearest, nearest_rounded, off_border, part_of_dimension, within_rounded
from lzgis.geometry.corridor import ARC_SEGMENTS, encroached_by_group
from lzgis.model.report import RESOLUTION_M, State
from lzgis.model.rules import Rule
from lzgis.rules.for_sites.base import Check, obstacle_rows, sizes
from lzgis.rules.for_sites.baselines import BaselineFeatures, baseline_features
from lzgis.rules.for_sites.hits import Flags, Floats, Geometries, Hits, Integers, concatenated, hits
from lzgis.rules.for_sites.plane import PlaneLayer


class KeepAway(Rule):
    """``keep_away``: a site nearer than `distance_m` to the baseline is a conflict; at that distance it is not.

    `baselines` lists the layers that hold the objects, best baseline first; without it, only the rule's layer does.
    `assumed_half_width_m` maps values of the field `assumed_by` to the half-width (m) that is added to a centreline whose
    half-width is unknown. Its key ``"*"`` is for all other values, ``"roadbed-edge"`` for the strip between roadbed and
    road land. `zone_distance_m` is the distance to the edge of a delimited zone; 0 means that the site may touch the zone,
    but must not overlap it.
    """

    kind: Literal["keep_away"]
    distance_m: float = Field(gt=0)
    zone_distance_m: float = Field(default=0.0, ge=0)
    baselines: list[str] = []
    assumed_half_width_m: dict[str, float] = {}
    assumed_by: str = "technical_class"

    @property
    def layers(self) -> tuple[str, ...]:
        """Every layer that the rule uses, the best baseline first."""
        return (*self.baselines, self.layer) if self.layer not in self.baselines else tuple(self.baselines)

    @property
    def reach_m(self) -> float:
        """The required distance plus the widest half-width that may be assumed (m)."""
        return max(self.distance_m, self.zone_distance_m) + max(self.assumed_half_width_m.values(), default=0.0)


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
    """Return one row per object that is too near; for a site without any, the distance to the nearest object."""
    assert isinstance(rule, KeepAway)
    # Rules that differ in activities or strength often require the same distance from the same objects.
    key = ("keep_away", rule.layer, *_key(rule), rule.distance_m, rule.zone_distance_m)
    found: Hits = check.remember(key, lambda: _rows(rule, check))
    return found


def _rows(rule: KeepAway, check: Check) -> Hits:
    features = _features(rule, check)
    near = _too_near(rule, check, features)
    hit = _hit_rows(rule, check, features, near)
    missing = np.setdiff1d(np.arange(len(check.sites)), hit.site)
    return concatenated([hit, _clear_rows(rule, check, features, missing)])


def keep_away_obstacles(rule: Rule, check: Check, window: shapely.Geometry) -> Hits:
    """Return the areas of the window that are certainly too near to an object; arcs are approximated from outside."""
    assert isinstance(rule, KeepAway)
    features = _features(rule, check)
    need = _required(rule, features) + features.known_m
    near = np.sort(features.index.tree.query(window, predicate="dwithin", distance=float(need.max(initial=0.0))))
    local = shapely.intersection(features.geometry[near], shapely.buffer(window, float(need.max(initial=0.0)) + 1.0))
    # The chords of the drawn arc touch the true arc in their middles.
    radius = need[near] / np.cos(np.pi / (4 * ARC_SEGMENTS))
    around = np.where(radius > 0, shapely.buffer(local, radius, quad_segs=ARC_SEGMENTS), local)
    rows = obstacle_rows(rule.layer, features.feature[near], shapely.intersection(around, window))
    return rows.changed(layer=features.layer[near], band=np.full(len(near), "certain", dtype=object))


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
    pairs = within_rounded(check.sites.shapes, features.index, reach)
    need, assumed = required[pairs.right], features.assumed_m[pairs.right]
    certain = need - pairs.distance > RESOLUTION_M
    zone = np.flatnonzero((need == 0) & (pairs.distance == 0))
    certain[zone] = _overlaps_zone(check.sites.geometry[pairs.left[zone]], features.geometry[pairs.right[zone]])
    possible = need + assumed - pairs.distance > RESOLUTION_M
    keep = certain | (possible & (assumed > 0))
    return _Near(pairs.left[keep], pairs.right[keep], pairs.distance[keep], need[keep], assumed[keep], certain[keep])


def _required(rule: KeepAway, features: BaselineFeatures) -> Floats:
    return np.where(features.is_zone, rule.zone_distance_m, rule.distance_m)


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
    # The carriageways of a road are one object, encroached upon once.
    certain_of = _encroached(check, features, near, near.need, np.where(near.certain, group, -1), len(first))
    wanted = near.certain | banded
    possible_of = _encroached(check, features, near, near.need + near.assumed, np.where(wanted, group, -1), len(first))
    site, feature = near.site[first], near.feature[first]
    certain = near.certain[first]
    has_band = np.zeros(len(first), dtype=bool)
    np.logical_or.at(has_band, group, banded)
    area, length = sizes(check, site, certain_of)
    area_possible, length_possible = sizes(check, site, possible_of)
    return hits(
        site,
        rule.layer,
        **_measured(rule, features, feature, near.distance[first]),
        state=State.INVOLVED,
        geometry=np.where(certain, certain_of, possible_of),
        area_m2=area,
        area_possible_m2=np.where(has_band, area_possible, np.nan),
        length_m=np.where(certain, length, length_possible),
        band=np.where(certain, "certain", "possible").astype(object),
    ).changed(layer=features.layer[feature])


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


def _encroached(
    check: Check, features: BaselineFeatures, near: _Near, radius: Floats, group: Integers, groups: int
) -> Geometries:
    """Return by group the part of the site nearer than `radius` (m) to its features; pairs of group -1 are left out."""
    parts = np.full(groups, shapely.Polygon(), dtype=object)
    which = np.flatnonzero(group >= 0)
    which = which[np.argsort(group[which], kind="stable")]
    if len(which):
        sites, baselines = check.sites.geometry[near.site[which]], features.geometry[near.feature[which]]
        parts[np.unique(group[which])] = encroached_by_group(sites, baselines, radius[which], group[which])
    return parts


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
    if not len(features.geometry):
        return hits(missing, rule.layer, required_m=rule.distance_m)
    wanted = np.zeros(len(check.sites), dtype=bool)
    wanted[missing] = True
    # The nearest feature is the one with the nearest edge, its known half-width included.
    found: Nearest = check.remember(
        ("nearest", *_key(rule), wanted.tobytes()),
        lambda: nearest_rounded(check.sites.shapes, features.index, wanted=wanted, less=features.known_m),
    )
    chosen = found.right[missing]
    rows = hits(missing, rule.layer, **_measured(rule, features, chosen, found.distance[missing]))
    return rows.changed(layer=features.layer[chosen])
