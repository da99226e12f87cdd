"""``identify``: which features a site lies in, and what their lists demand; an answer to be read, not a conflict."""

from __future__ import annotations

import operator
from typing import Literal

import numpy as np
import shapely

from lzgis.geometry import FeatureIndex, outside_parts, part_of_dimension
from lzgis.kinds.avoid import overlap_rows
from lzgis.kinds.base import RESOLUTION_M, Check, Geometries, Hits, concatenated, hits, overlap_states, sizes
from lzgis.model import Reason, State
from lzgis.rule import Rule


class Identify(Rule):
    """``identify``: name every feature that the site lies in, with its share.

    `list_fields` maps a field that holds the clauses of the feature's list, one a line, to the heading they stand under.
    """

    kind: Literal["identify"]
    list_fields: dict[str, str] = {}


def check_identify(rule: Rule, check: Check) -> Hits:
    """Give one row per feature; what no feature covers is a row of its own, 未核查."""
    rows = overlap_rows(rule, check)
    _, _, index = check.layer_where(rule.layer, rule.where)
    rest = _rest(check, rows, index)
    lineal = np.flatnonzero(check.sites.dimension > 0)
    gap = lineal[~shapely.is_empty(rest[lineal])]
    real, _, _ = overlap_states(check, gap, rest[gap], np.full(len(gap), np.inf))
    gap = gap[real]
    # Points outside, and what only runs along borders, lie in no feature.
    nowhere = np.setdiff1d(np.arange(len(check.sites)), np.r_[rows.site, gap])
    size = np.r_[shapely.area(rest[gap]) + np.where(check.sites.dimension[gap] == 1, shapely.length(rest[gap]), 0.0)]
    area, length = sizes(check, gap, rest[gap])
    gaps = hits(
        gap,
        rule.layer,
        state=State.NOT_CHECKED,
        reason=Reason.NOT_COVERED,
        geometry=rest[gap],
        area_m2=area,
        length_m=length,
        unchecked_share=size / check.sites.size[gap],
    )
    unmet = hits(nowhere, rule.layer, state=State.NOT_CHECKED, reason=Reason.NOT_COVERED, unchecked_share=1.0)
    return concatenated([rows, gaps, unmet])


def _rest(check: Check, rows: Hits, index: FeatureIndex) -> Geometries:
    """Take from each site what features cover; from a polygon, the parts that were found before."""
    geometry, dimension = check.sites.geometry, check.sites.dimension
    rest = geometry.copy()
    lesser = np.flatnonzero(dimension < 2)
    rest[lesser] = outside_parts(geometry[lesser], index, resolution=RESOLUTION_M)
    # The part of a site that lies wholly in one feature is the site itself.
    whole = np.fromiter(map(operator.is_, rows.geometry, geometry[rows.site]), dtype=bool, count=len(rows))
    done = rows.site[whole]
    rest[done[dimension[done] == 2]] = shapely.GeometryCollection()
    open_rows = np.flatnonzero((dimension[rows.site] == 2) & ~np.isin(rows.site, done))
    sites, first, times = np.unique(rows.site[open_rows], return_index=True, return_counts=True)
    for count in np.unique(times):
        which = np.flatnonzero(times == count)
        parts = rows.geometry[open_rows[first[which][:, np.newaxis] + np.arange(count)]]
        rest[sites[which]] = shapely.difference(geometry[sites[which]], shapely.union_all(parts, axis=1))
    return part_of_dimension(rest, dimension)
