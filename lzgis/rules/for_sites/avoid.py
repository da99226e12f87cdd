"""``avoid``: the site must not overlap the features of a layer."""

from __future__ import annotations

from typing import Literal

import numpy as np
import shapely

from lzgis.geometry import Overlaps, overlapping
from lzgis.model.report import RESOLUTION_M, State
from lzgis.model.rules import Rule
from lzgis.rules.for_sites.base import Check, clear_rows, obstacle_rows, overlap_states, sizes
from lzgis.rules.for_sites.hits import Hits, concatenated, hits


class Avoid(Rule):
    """``avoid``: overlap with a feature of the layer is a conflict; touching its border is not."""

    kind: Literal["avoid"]


def check_avoid(rule: Rule, check: Check) -> Hits:
    """Return one row per overlapping feature; for a site without any, the distance to the nearest feature."""
    overlaps = overlap_rows(rule, check)
    missing = np.setdiff1d(np.arange(len(check.sites)), overlaps.site)
    return concatenated([overlaps, clear_rows(check, rule, missing)])


def avoid_obstacles(rule: Rule, check: Check, window: shapely.Geometry) -> Hits:
    """Return the features, clipped to the window."""
    layer, which, index = check.layer_where(rule.layer, rule.where)
    near = np.sort(index.tree.query(window, predicate="intersects"))
    clipped = shapely.intersection(index.geometries[near], window)
    return obstacle_rows(layer.id, which[near], clipped)


def overlap_rows(rule: Rule, check: Check) -> Hits:
    """Return one row per overlapping feature, none for other sites. Shared by ``avoid`` and ``identify``."""
    layer, which, index = check.layer_where(rule.layer, rule.where)
    found: Overlaps = check.remember(
        ("overlaps", layer.id, which.tobytes()), lambda: overlapping(check.sites.shapes, index, resolution=RESOLUTION_M)
    )
    real, sliver, width = overlap_states(check, found.left, found.part, index.mean_widths[found.right])
    site, part = found.left[real], found.part[real]
    area, length = sizes(check, site, part)
    # A line or point in a polygon site has no area, but is a hit.
    area = np.where(shapely.get_dimensions(part) == 2, area, np.nan)
    crossed = np.where(shapely.get_dimensions(part) == 1, shapely.length(part), area)
    return hits(
        site,
        layer.id,
        feature=which[found.right[real]],
        state=np.where(sliver[real], State.SLIVER, State.INVOLVED).astype(object),
        geometry=part,
        area_m2=area,
        length_m=length,
        distance_m=0.0,
        margin=crossed,
        mean_width_m=width[real],
    )
