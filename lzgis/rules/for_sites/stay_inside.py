"""``stay_inside``: the site must lie within the features of a layer."""

from __future__ import annotations

from typing import Literal

import numpy as np
import shapely

from lzgis.geometry import outside_parts
from lzgis.model.report import RESOLUTION_M, State
from lzgis.model.rules import Rule
from lzgis.rules.for_sites.base import Check, obstacle_rows, overlap_states, sizes
from lzgis.rules.for_sites.hits import Hits, concatenated, hits


class StayInside(Rule):
    """``stay_inside``: the part of a site outside every matching feature is a conflict."""

    kind: Literal["stay_inside"]


def check_stay_inside(rule: Rule, check: Check) -> Hits:
    """Return one row per site: 涉及 with the part outside and the distance to the nearest feature, or 不涉及."""
    layer, which, index = check.layer_where(rule.layer, rule.where)
    rest = outside_parts(check.sites.geometry, index, resolution=RESOLUTION_M)
    out = np.flatnonzero(~shapely.is_empty(rest))
    real, sliver, width = overlap_states(check, out, rest[out], np.full(len(out), np.inf))
    out, sliver, width = out[real], sliver[real], width[real]
    area, length = sizes(check, out, rest[out])
    near = check.nearest_to((layer.id, which.tobytes()), index, np.arange(len(check.sites)))
    feature = np.where(near.right >= 0, which[near.right] if len(which) else -1, -1)
    outside = hits(
        out,
        layer.id,
        feature=feature[out],
        state=np.where(sliver, State.SLIVER, State.INVOLVED).astype(object),
        geometry=rest[out],
        area_m2=area,
        length_m=length,
        distance_m=near.distance[out],
        margin=np.where(check.sites.dimension[out] == 0, near.distance[out], np.where(np.isnan(area), length, area)),
        mean_width_m=width,
    )
    inside = np.setdiff1d(np.arange(len(check.sites)), out)
    return concatenated([outside, hits(inside, layer.id, feature=feature[inside], distance_m=near.distance[inside])])


def stay_inside_obstacles(rule: Rule, check: Check, window: shapely.Geometry) -> Hits:
    """Return the part of the window outside all features."""
    layer, _, index = check.layer_where(rule.layer, rule.where)
    outside = outside_parts(np.array([window], dtype=object), index)
    return obstacle_rows(layer.id, np.array([-1]), outside)
