"""Every site against every rule: which rules can be answered, for which sites, and where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from lzgis.coverage import Coverage, coverage_of
from lzgis.findings import Columns, Subjects, covered, finding_rows, not_checked, only
from lzgis.kinds import KINDS
from lzgis.kinds.base import RESOLUTION_M, Check, Geometries, Hits, Integers, PlaneLayer, PlaneSites, concatenated, hits
from lzgis.model import Reason, State
from lzgis.position import lies_elsewhere
from lzgis.rule import Rule

#: Called with what is being done, how many steps are done, and how many there are.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class _Asked:
    """Some of the sites, and the work done once for them."""

    which: Integers
    sites: PlaneSites
    cache: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Ground:
    """What all rules of one screening share: sites, layers in the plane, and work done once."""

    subjects: Subjects
    layers: Mapping[str, PlaneLayer]
    coverages: dict[str, Coverage] = field(default_factory=dict)
    areas: dict[str, shapely.Geometry] = field(default_factory=dict)
    elsewhere: dict[str, bool] = field(default_factory=dict)
    caches: dict[Any, _Asked] = field(default_factory=dict)

    def coverage(self, name: str) -> Coverage:
        if name not in self.coverages:
            self.coverages[name] = coverage_of(self.subjects.sites, self.area(name))
        return self.coverages[name]

    def area(self, name: str) -> shapely.Geometry:
        if name not in self.areas:
            self.areas[name] = shapely.union_all(self.layers[name].index.geometries)
        return self.areas[name]

    def silent(self, rule: Rule) -> Reason:
        """Say why finding nothing in the layer of a rule proves nothing; `Reason.NONE` if it does.

        A layer without any feature in the area that it should cover may be another city's.
        """
        layer = self.layers.get(rule.layer)
        lacking = _lacking(rule, layer)
        if lacking is not Reason.NONE or layer is None or layer.spec.coverage not in self.layers:
            return lacking
        if rule.layer not in self.elsewhere:
            covered = self.area(layer.spec.coverage)
            self.elsewhere[rule.layer] = lies_elsewhere(layer.index.geometries, covered)
        return Reason.LAYER_ELSEWHERE if self.elsewhere[rule.layer] else Reason.NONE

    @cached_property
    def concerned(self) -> dict[str, np.ndarray]:
        """Which sites each rule concerns."""
        everyone = np.ones(len(self.subjects.sites), dtype=bool)
        return {
            rule.id: self.subjects.doing(rule.activities) | self.subjects.unknown if rule.activities else everyone
            for rule in self.subjects.book.rules
        }

    @cached_property
    def questions(self) -> dict[Any, np.ndarray]:
        """Which sites any rule with the same question concerns: they are measured together, and once."""
        asked: dict[Any, np.ndarray] = {}
        for rule in self.subjects.book.rules:
            key = _question(rule)
            asked[key] = asked.get(key, False) | self.concerned[rule.id]
        return asked

    def asked(self, rule: Rule, part: str, known: np.ndarray, geometry: Geometries) -> _Asked:
        """Choose of the sites in `geometry` those that are `known` and asked the rule's question."""
        which = np.flatnonzero(self.questions[_question(rule)] & known)
        key = (part, which.tobytes())
        if key not in self.caches:
            everyone = len(which) == len(self.subjects.sites) and part == ""
            self.caches[key] = _Asked(which, self.subjects.sites if everyone else PlaneSites(geometry[which]))
        return self.caches[key]


def _question(rule: Rule) -> Any:
    return (rule.layers, repr(rule.where))


def check_all(
    subjects: Subjects, layers: Mapping[str, PlaneLayer], as_of: dt.date, *, progress: Progress | None = None
) -> list[Columns]:
    """Check the sites against every rule of their book; one table of finding columns per rule."""
    # Imported here: it imports numba, which commands that check nothing do not need.
    from lzgis.geometry import ready_loops

    ready_loops(progress)
    ground = _Ground(subjects, layers)
    parts = []
    rules = subjects.book.rules
    for done, rule in enumerate(rules):
        if progress:
            progress("rules", done, len(rules))
        rows = _check(rule, ground)
        parts.append(finding_rows(rows, rule, subjects, layers, as_of))
    if progress:
        progress("rules", len(rules), len(rules))
    return parts


def _check(rule: Rule, ground: _Ground) -> Hits:
    concerned = ground.concerned[rule.id]
    aside = hits(np.flatnonzero(~concerned), rule.layer, reason=Reason.ACTIVITY_NOT_MEANT)
    if not concerned.any():
        return aside
    reason = _unanswerable(rule, ground.layers)
    silence = ground.silent(rule)
    if silence is Reason.LAYER_ELSEWHERE and KINDS[rule.kind].absence_counts:
        reason = silence
    if reason is not Reason.NONE:
        return concatenated([not_checked(np.flatnonzero(concerned), rule, reason), aside])
    covering = next(ground.layers[name] for name in (rule.layer, *rule.layers) if name in ground.layers)
    coverage = ground.coverage(covering.spec.coverage)
    rows = covered(_rows(rule, ground, covering.spec.coverage), rule, coverage, concerned)
    rows = _doubted(rows, rule, ground)
    # Better baselines hold some of the objects; without the layer that holds all of them, finding none proves nothing.
    if silence is not Reason.NONE:
        silent = rows.state == State.CLEAR
        rows = concatenated([only(rows, ~silent), not_checked(rows.site[silent], rule, silence)])
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


def _rows(rule: Rule, ground: _Ground, covering: str) -> Hits:
    coverage = ground.coverage(covering)
    width = ground.subjects.book.tolerance.sliver_width_m if rule.sliver_width_m is None else rule.sliver_width_m
    kind = KINDS[rule.kind]
    if not kind.absence_counts or coverage.whole.all():
        everyone = np.ones(len(ground.subjects.sites), dtype=bool)
        asked = ground.asked(rule, "", everyone, ground.subjects.sites.geometry)
    else:
        # What lies outside the coverage is unknown, not absent: only the covered part can be found wanting.
        asked = ground.asked(rule, covering, ~coverage.none, coverage.inside)
    rows = kind.check(rule, Check(asked.sites, ground.layers, width, asked.cache))
    return rows.changed(site=asked.which[rows.site])


def _unanswerable(rule: Rule, layers: Mapping[str, PlaneLayer]) -> Reason:
    lacking = {name: _lacking(rule, layers.get(name)) for name in rule.layers}
    return Reason.NONE if Reason.NONE in lacking.values() else lacking[rule.layer]


def _lacking(rule: Rule, layer: PlaneLayer | None) -> Reason:
    if layer is None:
        return Reason.LAYER_MISSING
    if not len(layer.frame):
        return Reason.LAYER_EMPTY
    return Reason.FIELD_MISSING if layer.lacking(rule.where) else Reason.NONE
