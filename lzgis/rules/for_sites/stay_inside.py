"""``stay_inside``: the site must lie within the features of a layer."""

from __future__ import annotations

from typing import Literal

import numpy as np
import shapely

from lzgis.geometry import outside_parts
from lzgis.model.report import State
from lzgis.model.rules import Rule
from lzgis.rules.for_sites.base import (
    Check,
    Obstacles,
    Rows,
    looked_up,
    obstacles,
    overlap_states,
    sizes,
    uncovered,
    uncovered_exactly,
    uncovered_parts,
)
from lzgis.rules.for_sites.hits import Floats, Geometries, Hits, concatenated, hits


class StayInside(Rule):
    """``stay_inside``: the part of a site outside every matching feature is a conflict."""

    kind: Literal["stay_inside"]


def check_stay_inside(rule: Rule, check: Check) -> Hits:
    """Return one row per site: 涉及 with the part outside and the distance to the nearest feature, or 不涉及."""
    layer, which, index = check.layer_where(rule.layer, rule.where)
    rest = uncovered_exactly(rule, check)
    real, sliver, width = overlap_states(
        check, rest, np.full(len(rest.left), np.inf), lambda some: uncovered_parts(rule, check, rest.left[some])
    )
    parts, sliver, width = rest.take(np.flatnonzero(real)), sliver[real], width[real]
    area, length = sizes(check, parts)
    out = parts.left
    near = check.nearest_to((layer.id, which.tobytes()), index, np.flatnonzero(check.concerned))
    feature = np.where(near.right >= 0, which[near.right] if len(which) else -1, -1)
    outside = hits(
        out,
        layer.id,
        feature=feature[out],
        state=np.where(sliver, State.SLIVER, State.INVOLVED).astype(object),
        area_m2=area,
        length_m=length,
        distance_m=near.distance[out],
        margin=np.where(check.sites.dimension[out] == 0, near.distance[out], np.where(np.isnan(area), length, area)),
        mean_width_m=width,
        has_part=True,
    )
    inside = np.setdiff1d(np.arange(len(check.sites)), out)
    return concatenated([outside, hits(inside, layer.id, feature=feature[inside], distance_m=near.distance[inside])])


def stay_inside_parts(rule: Rule, check: Check, rows: Rows) -> Geometries:
    """Build the part of each site outside all features."""
    return uncovered_parts(rule, check, rows.site)


def stay_inside_sizes(rule: Rule, check: Check, rows: Rows) -> Floats:
    """Measure the part of each site outside all features: area, or length for lines."""
    rest = uncovered(rule, check)
    size = np.where(rest.dimension == 2, rest.area, rest.length)
    none = np.zeros(len(rest.left), dtype=np.intp)
    return looked_up((rest.left, none), size, (rows.site, np.zeros(len(rows.site), dtype=np.intp)), 1)


def stay_inside_obstacles(rule: Rule, check: Check, window: shapely.Geometry) -> Obstacles:
    """Return the part of the window outside all features."""
    layer, _, index = check.layer_where(rule.layer, rule.where)
    outside = outside_parts(np.array([window], dtype=object), index)
    return obstacles(layer.id, np.array([-1]), outside)
