"""``avoid``: the site must not overlap the features of a layer."""

from __future__ import annotations

from typing import Literal

import numpy as np
import shapely

from lzgis.model.report import State
from lzgis.model.rules import Rule
from lzgis.rules.for_sites.base import (
    Check,
    Obstacles,
    Rows,
    built_overlaps,
    clear_rows,
    looked_up,
    obstacles,
    overlap_states,
    overlaps_of,
    sizes,
)
from lzgis.rules.for_sites.hits import Floats, Geometries, Hits, Integers, concatenated, hits


class Avoid(Rule):
    """``avoid``: overlap with a feature of the layer is a conflict; touching its border is not."""

    kind: Literal["avoid"]


def check_avoid(rule: Rule, check: Check) -> Hits:
    """Return one row per overlapping feature; for a site without any, the distance to the nearest feature."""
    overlaps = overlap_rows(rule, check)
    missing = np.setdiff1d(np.arange(len(check.sites)), overlaps.site)
    return concatenated([overlaps, clear_rows(check, rule, missing)])


def avoid_obstacles(rule: Rule, check: Check, window: shapely.Geometry) -> Obstacles:
    """Return the features, clipped to the window."""
    layer, which, index = check.layer_where(rule.layer, rule.where)
    near = np.sort(index.tree.query(window, predicate="intersects"))
    clipped = shapely.intersection(index.geometries[near], window)
    return obstacles(layer.id, which[near], clipped)


def overlap_rows(rule: Rule, check: Check) -> Hits:
    """Return one row per overlapping feature, none for other sites. Shared by ``avoid`` and ``identify``."""
    layer, which, index = check.layer_where(rule.layer, rule.where)
    found = overlaps_of(rule, check)

    def make(some: Integers) -> Geometries:
        return built_overlaps(rule, check, some)

    real, sliver, width = overlap_states(check, found, index.mean_widths[found.right], make)
    parts = found.take(np.flatnonzero(real))
    area, length = sizes(check, parts)
    # A line or point in a polygon site has no area, but is a hit.
    area = np.where(parts.dimension == 2, area, np.nan)
    return hits(
        parts.left,
        layer.id,
        feature=which[parts.right],
        state=np.where(sliver[real], State.SLIVER, State.INVOLVED).astype(object),
        area_m2=area,
        length_m=length,
        distance_m=0.0,
        margin=np.where(parts.dimension == 1, parts.length, area),
        mean_width_m=width[real],
        has_part=True,
    )


def overlap_parts(rule: Rule, check: Check, rows: Rows) -> Geometries:
    """Build the part that each site shares with a feature."""
    _, which, index = check.layer_where(rule.layer, rule.where)
    found = overlaps_of(rule, check)
    key = found.left * max(len(index), 1) + found.right
    return built_overlaps(
        rule, check, np.searchsorted(key, rows.site * max(len(index), 1) + np.searchsorted(which, rows.feature))
    )


def overlap_sizes(rule: Rule, check: Check, rows: Rows) -> Floats:
    """Measure what each site shares with a feature: area, or length for lines."""
    _, which, index = check.layer_where(rule.layer, rule.where)
    found = overlaps_of(rule, check)
    return looked_up(
        (found.left, found.right),
        np.where(found.dimension == 2, found.area, found.length),
        (rows.site, np.searchsorted(which, rows.feature)),
        len(index),
    )
