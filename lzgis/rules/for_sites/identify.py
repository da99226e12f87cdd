"""``identify``: which features a site lies in, and the clauses of their lists. The answer informs; it is no conflict."""

from __future__ import annotations

import operator
from typing import Literal

import numpy as np
import shapely

from lzgis.geometry import FeatureIndex, crossing, outside_parts, part_of_dimension, united
from lzgis.model.report import RESOLUTION_M, Reason, State
from lzgis.model.rules import Rule
from lzgis.rules.for_sites.avoid import overlap_rows
from lzgis.rules.for_sites.base import Check, overlap_states, sizes
from lzgis.rules.for_sites.hits import Geometries, Hits, Integers, concatenated, hits

#: Far less area (m²) than any patch as wide as `RESOLUTION_M` has.
_LESS_M2 = 5e-7


class Identify(Rule):
    """``identify``: every feature that the site lies in, with its share of the site.

    `list_fields` maps a field with the clauses of the feature's list, one per line, to the heading of these clauses.
    """

    kind: Literal["identify"]
    list_fields: dict[str, str] = {}


def check_identify(rule: Rule, check: Check) -> Hits:
    """Return one row per feature, and a 未核查 row for the part of a site that no feature covers."""
    rows = overlap_rows(rule, check)
    rest = _uncovered(rule, check, rows)
    lineal = np.flatnonzero(check.sites.dimension > 0)
    gap = lineal[~shapely.is_empty(rest[lineal])]
    real, _, _ = overlap_states(check, gap, rest[gap], np.full(len(gap), np.inf))
    gap = gap[real]
    # Points outside, and lines that only run along borders, lie in no feature.
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
    outside = hits(nowhere, rule.layer, state=State.NOT_CHECKED, reason=Reason.NOT_COVERED, unchecked_share=1.0)
    return concatenated([rows, gaps, outside])


def _uncovered(rule: Rule, check: Check, rows: Hits) -> Geometries:
    """Return the part of each site that no feature covers; for polygons, the site without the overlaps found before."""
    _, which, index = check.layer_where(rule.layer, rule.where)
    geometry, dimension = check.sites.geometry, check.sites.dimension
    rest = geometry.copy()
    lesser = np.flatnonzero(dimension < 2)
    rest[lesser] = outside_parts(geometry[lesser], index, resolution=RESOLUTION_M)
    # The part of a site that lies wholly in one feature is the site itself.
    whole = np.fromiter(map(operator.is_, rows.geometry, geometry[rows.site]), dtype=bool, count=len(rows))
    done = rows.site[whole]
    done = np.concatenate([done, _wholly_covered(check, rows, index, which)])
    rest[done[dimension[done] == 2]] = shapely.GeometryCollection()
    open_rows = np.flatnonzero((dimension[rows.site] == 2) & ~np.isin(rows.site, done))
    sites = np.unique(rows.site[open_rows])
    rest[sites] = shapely.difference(geometry[sites], united(rows.geometry[open_rows], rows.site[open_rows]))
    return part_of_dimension(rest, dimension)


def _wholly_covered(check: Check, rows: Hits, index: FeatureIndex, which: Integers) -> Integers:
    """Find the polygons whose overlaps leave nothing wider than `RESOLUTION_M`.

    The overlaps with features that share no area add up to the covered area. A patch of less than `_LESS_M2` is less than
    a millimetre wide, for any shape: 2A/P is greatest for a circle, where it is the square root of A/π.
    """
    areal = check.sites.dimension == 2
    area = np.bincount(rows.site, weights=np.nan_to_num(rows.area_m2), minlength=len(check.sites))
    adds_up = np.zeros(len(check.sites), dtype=bool)
    adds_up[areal] = np.abs(check.sites.size[areal] - area[areal]) < _LESS_M2
    place = np.full(int(which.max(initial=-1)) + 1, -1)
    place[which] = np.arange(len(which))
    doubtful = crossing(index)[place[rows.feature]]
    adds_up[rows.site[doubtful]] = False
    return np.flatnonzero(adds_up)
