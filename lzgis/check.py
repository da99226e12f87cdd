"""Every site against every rule: which rules can be answered, for which sites, and where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from lzgis.coverage import Coverage, coverage_of
from lzgis.findings import Columns, Subjects, covered, finding_rows, not_checked, only
from lzgis.kinds import KINDS
from lzgis.kinds.base import RESOLUTION_M, Check, Hits, PlaneLayer, PlaneSites, concatenated, hits
from lzgis.model import Reason, State
from lzgis.rule import Rule

#: Called with what is being done, how many steps are done, and how many there are.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class _Ground:
    """What all rules of one screening share: sites, layers in the plane, and work done once."""

    subjects: Subjects
    layers: Mapping[str, PlaneLayer]
    coverages: dict[str, Coverage] = field(default_factory=dict)
    shared: dict[Any, Any] = field(default_factory=dict)

    def coverage(self, name: str) -> Coverage:
        if name not in self.coverages:
            area = shapely.union_all(self.layers[name].index.geometries)
            self.coverages[name] = coverage_of(self.subjects.sites, area)
        return self.coverages[name]


def check_all(
    subjects: Subjects, layers: Mapping[str, PlaneLayer], as_of: dt.date, *, progress: Progress | None = None
) -> list[Columns]:
    """Check the sites against every rule of their book; one table of finding columns per rule."""
    ground = _Ground(subjects, layers)
    parts = []
    rules = subjects.book.rules
    for done, rule in enumerate(rules):
        if progress:
            progress("rules", done, len(rules))
        parts.append(finding_rows(_check(rule, ground), rule, subjects, layers, as_of))
    if progress:
        progress("rules", len(rules), len(rules))
    return parts


def _check(rule: Rule, ground: _Ground) -> Hits:
    subjects = ground.subjects
    concerned = np.ones(len(subjects.sites), dtype=bool)
    if rule.activities:
        concerned = subjects.doing(rule.activities) | subjects.unknown
    aside = hits(np.flatnonzero(~concerned), rule.layer, reason=Reason.ACTIVITY_NOT_MEANT)
    if not concerned.any():
        return aside
    reason = _unanswerable(rule, ground.layers)
    if reason is not Reason.NONE:
        return concatenated([not_checked(np.flatnonzero(concerned), rule, reason), aside])
    covering = next(ground.layers[name] for name in (rule.layer, *rule.layers) if name in ground.layers)
    coverage = ground.coverage(covering.spec.coverage)
    rows = covered(_rows(rule, ground, coverage), rule, coverage, concerned)
    rows = _doubted(rows, rule, ground)
    # Better baselines hold some of the objects; without the layer that holds all of them, finding none proves nothing.
    lacking = _lacking(rule, ground.layers.get(rule.layer))
    if lacking is not Reason.NONE:
        silent = rows.state == State.CLEAR
        rows = concatenated([only(rows, ~silent), not_checked(rows.site[silent], rule, lacking)])
    return concatenated([rows, aside])


def _doubted(rows: Hits, rule: Rule, ground: _Ground) -> Hits:
    """Leave open what was not found where a feature lies that cannot be relied on."""
    places = [p for name in rule.layers if name in ground.layers for p in ground.layers[name].doubtful]
    if not places:
        return rows
    sites = ground.subjects.sites.geometry
    near = np.full(len(sites), any(p is None for p in places))
    for place in (p for p in places if p is not None):
        near |= shapely.dwithin(sites, place, max(rule.reach_m, RESOLUTION_M))
    open_rows = near[rows.site] & (rows.state == State.CLEAR)
    return rows.changed(
        state=np.where(open_rows, State.NOT_CHECKED, rows.state),
        reason=np.where(open_rows, Reason.LAYER_DOUBTFUL, rows.reason),
    )


def _rows(rule: Rule, ground: _Ground, coverage: Coverage) -> Hits:
    sites = ground.subjects.sites
    width = ground.subjects.book.tolerance.sliver_width_m if rule.sliver_width_m is None else rule.sliver_width_m
    kind = KINDS[rule.kind]
    if not kind.absence_counts or coverage.whole.all():
        return kind.check(rule, Check(sites, ground.layers, width, ground.shared))
    # What lies outside the coverage is unknown, not absent: only the covered part can be found wanting.
    which = np.flatnonzero(~coverage.none)
    cache = ground.shared.setdefault(("covered", rule.layer), {})
    rows = kind.check(rule, Check(PlaneSites(coverage.inside[which]), ground.layers, width, cache))
    return rows.changed(site=which[rows.site])


def _unanswerable(rule: Rule, layers: Mapping[str, PlaneLayer]) -> Reason:
    lacking = {name: _lacking(rule, layers.get(name)) for name in rule.layers}
    return Reason.NONE if Reason.NONE in lacking.values() else lacking[rule.layer]


def _lacking(rule: Rule, layer: PlaneLayer | None) -> Reason:
    if layer is None:
        return Reason.LAYER_MISSING
    if not len(layer.frame):
        return Reason.LAYER_EMPTY
    return Reason.FIELD_MISSING if layer.lacking(rule.where) else Reason.NONE
