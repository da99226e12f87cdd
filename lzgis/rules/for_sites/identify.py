"""``identify``: which features a site lies in, and the clauses of their lists. The answer informs; it is no conflict."""

from __future__ import annotations

from typing import Literal

import numpy as np

from lzgis.model.report import Reason, State
from lzgis.model.rules import Rule
from lzgis.rules.for_sites.avoid import overlap_parts, overlap_rows
from lzgis.rules.for_sites.base import Check, Rows, overlap_states, sizes, uncovered, uncovered_parts
from lzgis.rules.for_sites.hits import Geometries, Hits, concatenated, hits


class Identify(Rule):
    """``identify``: every feature that the site lies in, with its share of the site.

    `list_fields` maps a field with the clauses of the feature's list, one per line, to the heading of these clauses.
    """

    kind: Literal["identify"]
    list_fields: dict[str, str] = {}


def check_identify(rule: Rule, check: Check) -> Hits:
    """Return one row per feature, and a 未核查 row for the part of a site that no feature covers."""
    rows = overlap_rows(rule, check)
    rest = uncovered(rule, check)
    rest = rest.take(np.flatnonzero(check.sites.dimension[rest.left] > 0))
    real, _, _ = overlap_states(
        check, rest, np.full(len(rest.left), np.inf), lambda some: uncovered_parts(rule, check, rest.left[some])
    )
    parts = rest.take(np.flatnonzero(real))
    gap = parts.left
    # Points outside, and lines that only run along borders, lie in no feature.
    nowhere = np.setdiff1d(np.arange(len(check.sites)), np.r_[rows.site, gap])
    area, length = sizes(check, parts)
    gaps = hits(
        gap,
        rule.layer,
        state=State.NOT_CHECKED,
        reason=Reason.NOT_COVERED,
        area_m2=area,
        length_m=length,
        unchecked_share=np.where(np.isnan(area), length, area) / check.sites.size[gap],
        has_part=True,
    )
    outside = hits(nowhere, rule.layer, state=State.NOT_CHECKED, reason=Reason.NOT_COVERED, unchecked_share=1.0)
    return concatenated([rows, gaps, outside])


def identify_parts(rule: Rule, check: Check, rows: Rows) -> Geometries:
    """Build the part that each site shares with a feature, or that lies in none."""
    parts = np.full(len(rows.site), None, dtype=object)
    there = rows.feature >= 0
    parts[there] = overlap_parts(rule, check, rows.take(np.flatnonzero(there)))
    parts[~there] = uncovered_parts(rule, check, rows.site[~there])
    return parts
