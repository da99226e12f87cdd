"""Apply every rule to the sites: which rules can be checked for which sites, and where coverage proves the answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import shapely

from lzgis.coordinates.locate import all_outside
from lzgis.geometry.threads import cores, in_groups
from lzgis.model.report import HIT_STATES, RESOLUTION_M, Reason, State
from lzgis.model.rules import Rule
from lzgis.rules.for_sites import KINDS
from lzgis.rules.for_sites.base import Check, Rows
from lzgis.rules.for_sites.hits import Floats, Geometries, Hits, Integers, concatenated, not_checked, only
from lzgis.rules.for_sites.plane import PlaneLayer, PlaneSites
from lzgis.screening.coverage import Coverage, coverage_of, covered
from lzgis.screening.findings import NO_PART, Columns, finding_rows
from lzgis.screening.parts import PartKeys
from lzgis.screening.subjects import Subjects

#: From so many sites on, rules are checked in several threads; fewer are done before the threads have started.
_MANY_SITES = 50
#: Called with the name of the step, how many parts of it are done, and how many there are.
Progress = Callable[[str, int, int], None]


def check_all(shared: Shared, as_of: dt.date, *, progress: Progress | None = None) -> list[Columns]:
    """Check the sites against every rule of their book; return one table of finding columns per rule."""
    # Imported here: it imports numba, which commands that check nothing do not need.
    from lzgis.geometry import ready_loops

    ready_loops(progress)
    subjects, rules = shared.subjects, shared.subjects.book.rules
    shared.measure_coverages()
    parts: list[Columns] = [{}] * len(rules)
    done = iter(range(1, len(rules) + 1))

    def work(at: int) -> None:
        rows = _check(rules[at], shared)
        found = finding_rows(rows, rules[at], subjects, shared.layers, as_of)
        parts[at] = _with_strip_lengths(found, rules[at], shared) if subjects.strips.any() else found
        if progress:
            progress("rules", next(done), len(rules))

    if progress:
        progress("rules", 0, len(rules))
    _for_rules(range(len(rules)), work, shared)
    return parts


def _for_rules(which: Iterable[int], work: Callable[[int], None], shared: Shared) -> None:
    """Call `work` for rules, given by their positions, in several threads if there are many sites.

    What rules measure is cached with the layers, and prepared geometries belong to one thread: the rules about one layer are
    worked on by one thread, in their order.
    """
    which = list(which)
    groups = [which]
    if len(shared.subjects.sites) >= _MANY_SITES and cores() > 1:
        found = _by_layers([shared.subjects.book.rules[at] for at in which], shared.layers)
        groups = [[which[place] for place in group] for group in found]
    in_groups(groups, work)


def _by_layers(rules: Sequence[Rule], layers: Mapping[str, PlaneLayer]) -> list[list[int]]:
    """Group the positions of rules so that rules of different groups share no layer; the groups of large layers first."""
    number = {id(layer.index): place for place, layer in enumerate(layers.values())}
    place_of = {name: number[id(layer.index)] for name, layer in layers.items()}
    label = np.arange(len(layers) + len(rules))
    for at, rule in enumerate(rules):
        touched = [place_of[name] for name in {rule.layer, *rule.layers} if name in place_of]
        # A rule without any layer has a group of its own.
        joined_labels = label[[*touched, len(layers) + at]]
        label[np.isin(label, joined_labels)] = joined_labels.min()
    size = np.zeros(len(label))
    for name, layer in layers.items():
        size[label[place_of[name]]] += shapely.get_num_coordinates(layer.index.geometries).sum()
    groups: dict[int, list[int]] = {}
    for at, own in enumerate(label[len(layers) :].tolist()):
        groups.setdefault(own, []).append(at)
    return [groups[own] for own in sorted(groups, key=lambda own: -size[own])]


def _with_strip_lengths(found: Columns, rule: Rule, shared: Shared) -> Columns:
    """Give findings of lines that are judged as strips the length of the line in the part, beside its area."""
    subjects, site = shared.subjects, found["site"]
    hit = np.isin(found["state"], [state.value for state in HIT_STATES]) & (found["feature"] != NO_PART)
    which = np.flatnonzero(hit & subjects.strips[site])
    if not len(which):
        return found
    check, sites = check_of(rule, shared)
    rows = Rows(*(found[name][which] for name in ("site", "feature", "layer", "band")))
    parts = KINDS[rule.kind].parts(rule, check, rows._replace(site=np.searchsorted(sites, rows.site)))
    lengths = np.array(found["length_m"], dtype=float)
    lengths[which] = shapely.length(shapely.intersection(subjects.lines[site[which]], parts))
    return {**found, "length_m": lengths}


def unusable_rows(
    subjects: Subjects, which: np.ndarray, layers: Mapping[str, PlaneLayer], as_of: dt.date
) -> list[Columns]:
    """Return 未核查 for every rule and the sites at positions `which`, whose geometry cannot be used."""
    return [
        finding_rows(not_checked(which, rule, Reason.GEOMETRY_UNUSABLE, 1.0), rule, subjects, layers, as_of)
        for rule in subjects.book.rules
    ]


@dataclass(frozen=True, eq=False)
class _Selection:
    """Some of the sites, and a cache of what rules measured for them."""

    which: Integers
    sites: PlaneSites
    cache: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Shared:
    """What all rules of one screening share: sites and layers in the plane, and caches by layer."""

    subjects: Subjects
    layers: Mapping[str, PlaneLayer]
    coverages: dict[str, Coverage] = field(default_factory=dict)
    areas: dict[str, shapely.Geometry] = field(default_factory=dict)
    elsewhere: dict[str, bool] = field(default_factory=dict)
    selections: dict[Any, _Selection] = field(default_factory=dict)

    def coverage(self, layer: str) -> Coverage:
        """How far each site lies within a layer that says what others cover."""
        if layer not in self.coverages:
            self.coverages[layer] = coverage_of(self.subjects.sites, self.area(layer))
        return self.coverages[layer]

    def area(self, layer: str) -> shapely.Geometry:
        """Return the union of the features of a layer that says what others cover."""
        if layer not in self.areas:
            self.areas[layer] = shapely.union_all(self.layers[layer].index.geometries)
        return self.areas[layer]

    def measure_coverages(self) -> None:
        """Measure what rules of several layers share, before they are checked in several threads."""
        for rule in self.subjects.book.rules:
            self.absence_reason(rule)
            if any(name in self.layers for name in (rule.layer, *rule.layers)):
                check_of(rule, self)

    def absence_reason(self, rule: Rule) -> Reason:
        """Say why finding nothing in the layer of a rule proves nothing; `Reason.NONE` if it does.

        A layer without any feature in the area that it should cover may be another city's.
        """
        layer = self.layers.get(rule.layer)
        reason = _input_reason(rule, layer)
        if reason is not Reason.NONE or layer is None or layer.spec.coverage not in self.layers:
            return reason
        if rule.layer not in self.elsewhere:
            expected = self.area(layer.spec.coverage)
            self.elsewhere[rule.layer] = all_outside(layer.index.geometries, expected)
        return Reason.LAYER_ELSEWHERE if self.elsewhere[rule.layer] else Reason.NONE

    @cached_property
    def concerned_by_features(self) -> dict[Any, np.ndarray]:
        """Which sites any of the rules about the same features concerns: they are measured together, and once."""
        found: dict[Any, np.ndarray] = {}
        for rule in self.subjects.book.rules:
            key = _features_key(rule)
            found[key] = found.get(key, False) | self.subjects.concerned[rule.id]
        return found

    def select(self, part: str, usable: np.ndarray, geometry: Geometries) -> _Selection:
        """Select the `usable` sites.

        `geometry` holds all sites, or the parts of them that the layer `part` covers; `part` is empty for whole sites.
        """
        if part not in self.selections:
            which = np.flatnonzero(usable)
            everyone = len(which) == len(self.subjects.sites) and part == ""
            self.selections[part] = _Selection(
                which, self.subjects.sites if everyone else PlaneSites(geometry[which], self.subjects.sites.plane)
            )
        return self.selections[part]


def _features_key(rule: Rule) -> Any:
    return (rule.layers, repr(rule.where))


def _check(rule: Rule, shared: Shared) -> Hits:
    concerned = shared.subjects.concerned[rule.id]
    reason = _not_checked_reason(rule, shared.layers)
    absence = shared.absence_reason(rule)
    if absence is Reason.LAYER_ELSEWHERE and KINDS[rule.kind].absence_counts:
        reason = absence
    if reason is not Reason.NONE:
        return not_checked(np.flatnonzero(concerned), rule, reason)
    found = measured(rule, shared)
    rows = covered(found, rule, shared.coverage(_covering(rule, shared)), concerned)
    rows = _without_doubtful(rows, rule, shared)
    rows = without_enclosed(rows, shared.subjects.encloses)
    # Better baselines hold some of the objects; without the layer that holds all of them, finding none proves nothing.
    if absence is not Reason.NONE:
        clear = rows.state == State.CLEAR
        rows = concatenated([only(rows, ~clear), not_checked(rows.site[clear], rule, absence)])
    if concerned.all():
        return rows
    return concatenated([rows, _not_applicable(only(found, ~concerned[found.site]), rule)])


def _not_applicable(rows: Hits, rule: Rule) -> Hits:
    """Keep the rows of sites that lie in the layer, or nearer than the rule reaches, as 不适用."""
    if KINDS[rule.kind].absence_counts:
        # The site, or a part of it, lies in a feature that others must lie in.
        there = np.isin(rows.state, (State.CLEAR, State.INVOLVED, State.SLIVER)) & (rows.distance_m == 0)
    else:
        there = np.isin(rows.state, HIT_STATES)
    rows = only(rows, there)
    return rows.changed(
        state=np.full(len(rows), State.NOT_APPLICABLE, dtype=object),
        reason=np.where(rows.distance_m == 0, Reason.INSIDE_NOT_MEANT, Reason.ACTIVITY_NOT_MEANT).astype(object),
        has_part=rows.has_part & (not KINDS[rule.kind].absence_counts),
    )


def _covering(rule: Rule, shared: Shared) -> str:
    """Return the layer that says what the layer of a rule covers."""
    first = next(shared.layers[name] for name in (rule.layer, *rule.layers) if name in shared.layers)
    return first.spec.coverage


def check_of(rule: Rule, shared: Shared) -> tuple[Check, Integers]:
    """Return what the check of the rule's kind is given, and which sites these are.

    They are the sites, or the parts of them that the layer that covers the rule's layer covers.
    """
    covering = _covering(rule, shared)
    width = shared.subjects.book.tolerance.sliver_width_m if rule.sliver_width_m is None else rule.sliver_width_m
    if not KINDS[rule.kind].absence_counts or shared.coverage(covering).whole.all():
        everyone = np.ones(len(shared.subjects.sites), dtype=bool)
        selection = shared.select("", everyone, shared.subjects.sites.geometry)
    else:
        # Outside the coverage features are unknown, not absent: only the covered part of a site can miss them.
        coverage = shared.coverage(covering)
        selection = shared.select(covering, ~coverage.none, coverage.inside)
    concerned = shared.concerned_by_features[_features_key(rule)][selection.which]
    return Check(selection.sites, shared.layers, width, concerned, selection.cache), selection.which


def measured(rule: Rule, shared: Shared) -> Hits:
    """Run the check of the rule's kind."""
    check, which = check_of(rule, shared)
    rows = KINDS[rule.kind].check(rule, check)
    return rows.changed(site=which[rows.site])


def plane_parts(shared: Shared, usable: Integers, keys: PartKeys) -> Geometries:
    """Build the parts of sites that findings are about, in the plane; None where there is none.

    Parameters
    ----------
    shared : Shared
        What the findings were made with.
    usable : array of int
        Positions of its sites among all sites.
    keys : PartKeys
        The findings.
    """
    parts = np.full(len(keys.rule), None, dtype=object)
    there = np.flatnonzero(keys.rows.feature != NO_PART)
    # Rules that differ in activities or strength are often about the same parts, which are built once.
    alike: dict[Any, list[int]] = {}
    for at in np.unique(keys.rule[there]).tolist():
        rule = shared.subjects.book.rules[at]
        alike.setdefault((rule.kind, KINDS[rule.kind].about(rule)), []).append(at)

    def work(at: int) -> None:
        rule = shared.subjects.book.rules[at]
        group = alike[(rule.kind, KINDS[rule.kind].about(rule))]
        which = there[np.isin(keys.rule[there], group)]
        rows = keys.rows.take(which)
        first, inverse = _distinct(rows)
        check, sites = check_of(rule, shared)
        rows = rows.take(first)
        place = np.searchsorted(sites, np.searchsorted(usable, rows.site))
        parts[which] = KINDS[rule.kind].parts(rule, check, rows._replace(site=place))[inverse]

    _for_rules([group[0] for group in alike.values()], work, shared)
    return parts


def _distinct(rows: Rows) -> tuple[Integers, Integers]:
    """Return the first of equal rows, in the order of the sites, and for each row the position of the one it equals."""
    columns = [pd.factorize(one)[0] for one in (rows.band, rows.layer)]
    order = np.lexsort((*columns, rows.feature, rows.site))
    sorted_rows = np.column_stack([rows.site, rows.feature, *columns])[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (sorted_rows[1:] != sorted_rows[:-1]).any(axis=1)
    inverse = np.empty(len(order), dtype=np.intp)
    inverse[order] = np.cumsum(new) - 1
    return order[new], inverse


def part_sizes(shared: Shared, pieces: PlaneSites, keys: PartKeys) -> Floats:
    """Measure, without building it, the part of a piece of a site that a finding is about; `keys` holds positions of pieces."""
    sizes = np.zeros(len(keys.rule))
    cache: dict[Any, Any] = {}
    everyone = np.ones(len(pieces), dtype=bool)

    def work(at: int) -> None:
        rule = shared.subjects.book.rules[at]
        which = np.flatnonzero(keys.rule == at)
        check = Check(pieces, shared.layers, 0.0, everyone, cache)
        sizes[which] = KINDS[rule.kind].sizes(rule, check, keys.rows.take(which))

    _for_rules(np.unique(keys.rule).tolist(), work, shared)
    return sizes


def _without_doubtful(rows: Hits, rule: Rule, shared: Shared) -> Hits:
    """Turn 不涉及 into 未核查 near features that cannot be relied on."""
    places = [p for name in rule.layers if name in shared.layers for p in shared.layers[name].doubtful]
    if not places:
        return rows
    sites = shared.subjects.sites.geometry
    near = np.full(len(sites), any(p is None for p in places))
    for place in (p for p in places if p is not None):
        near |= shapely.dwithin(sites, place, max(rule.reach_m, RESOLUTION_M))
    doubtful = near[rows.site] & (rows.state == State.CLEAR)
    return rows.changed(
        state=np.where(doubtful, State.NOT_CHECKED, rows.state),
        reason=np.where(doubtful, Reason.LAYER_DOUBTFUL, rows.reason),
    )


def without_enclosed(rows: Hits, encloses: np.ndarray) -> Hits:
    """Turn 不涉及 into 未核查 for lines and points that enclose an area, which may touch what they do not."""
    clear = encloses[rows.site] & (rows.state == State.CLEAR)
    if not clear.any():
        return rows
    return rows.changed(
        state=np.where(clear, State.NOT_CHECKED, rows.state), reason=np.where(clear, Reason.AREA_ENCLOSED, rows.reason)
    )


def _not_checked_reason(rule: Rule, layers: Mapping[str, PlaneLayer]) -> Reason:
    """Say why a rule cannot be checked; `Reason.NONE` if one of its layers can be used."""
    reasons = {name: _input_reason(rule, layers.get(name)) for name in rule.layers}
    return Reason.NONE if Reason.NONE in reasons.values() else reasons[rule.layer]


def _input_reason(rule: Rule, layer: PlaneLayer | None) -> Reason:
    if layer is None:
        return Reason.LAYER_MISSING
    if not len(layer.frame):
        return Reason.LAYER_EMPTY
    return Reason.FIELD_MISSING if layer.missing_fields(rule.where) else Reason.NONE
