"""From the answers of the kinds to the rows of a report: applicability, coverage, exceptions, legal basis."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from lzgis.errors import LzgisError
from lzgis.messages import Message
from lzgis.model.report import FINDING_COLUMNS, STATES_BY_GRAVITY, Reason, State
from lzgis.model.rules import Certainty, Requirement, Rule, RuleBook, Severity
from lzgis.rules.for_sites.hits import Hits, Integers
from lzgis.rules.for_sites.plane import PlaneLayer, PlaneSites

#: Columns of findings by name, arrays of one length; ``geometry`` is in the plane.
Columns = dict[str, Any]
#: Those that say the same in all rows of a rule.
PER_RULE = ("rule", "kind", "basis", "repealed", "strength", "certainty", "as_of")


@dataclass(frozen=True, eq=False)
class Subjects:
    """The sites of a screening: their table, their activities (ids of the vocabulary, or empty) and plane shapes."""

    table: pd.DataFrame
    activity: np.ndarray
    sites: PlaneSites
    book: RuleBook

    def doing(self, activities: list[str]) -> np.ndarray:
        """Whether each site's activity is one of these, or within one."""
        wanted = frozenset(activities)
        codes, given = self._activities
        fits = np.array([bool(a) and bool(self.book.widening(a) & wanted) for a in given], dtype=bool)
        return np.asarray(fits[codes])

    @cached_property
    def _activities(self) -> tuple[np.ndarray, np.ndarray]:
        codes, given = pd.factorize(self.activity)
        return codes, np.asarray(given, dtype=object)

    @cached_property
    def names(self) -> dict[str, np.ndarray]:
        """The columns ``id`` and ``name`` of the sites."""
        return {name: self.table[name].to_numpy(dtype=object) for name in ("id", "name")}

    @cached_property
    def unknown(self) -> np.ndarray:
        """Whether the site gives no activity."""
        return np.asarray(self.activity == "", dtype=bool)


def finding_rows(
    rows: Hits, rule: Rule, subjects: Subjects, layers: Mapping[str, PlaneLayer], as_of: dt.date
) -> Columns:
    """Make the columns of a report's findings from the rows of one rule, plus ``geometry`` (in the plane)."""
    features = _features(rows, layers)
    applied = _exceptions(rows, rule, subjects, layers)
    basis, repealed, certainty = citation(rule, subjects.book, as_of)
    site = rows.site
    size = subjects.sites.size[site]
    measured = np.where(np.isnan(rows.area_m2), rows.length_m, rows.area_m2)
    columns: Columns = {
        "site_id": subjects.names["id"][site],
        "site_name": subjects.names["name"][site],
        "activity": subjects.activity[site],
        "rule": rule.id,
        "kind": rule.kind,
        "layer": rows.layer,
        "feature_id": features["id"],
        "feature_name": features["name"],
        "share": np.where(np.isnan(size), np.nan, np.minimum(measured / size, 1.0)),
        "basis": basis,
        "repealed": repealed,
        "strength": rule.strength.value,
        "certainty": certainty.value,
        "as_of": as_of.isoformat(),
        **applied,
        "geometry": rows.geometry,
    }
    for column in FINDING_COLUMNS:
        if column.name not in columns:
            columns[column.name] = getattr(rows, column.name)
    n = len(rows)
    return {
        name: value if isinstance(value, np.ndarray) else np.broadcast_to(np.array(value, dtype=object), n)
        for name, value in columns.items()
    }


def citation(rule: Rule | Requirement, book: RuleBook, as_of: dt.date) -> tuple[str, str, Certainty]:
    """Cite what a rule or requirement rests on: documents with their articles, those repealed, and the weakest certainty.

    A document that takes effect only after `as_of` is not cited, unless there is no other.
    """
    known = [(b, book.documents[b.document]) for b in rule.basis]
    begun = [(b, d) for b, d in known if d.effective_from is None or d.effective_from <= as_of] or known
    texts = [f"{d.title} {b.article}".strip() for b, d in begun]
    gone = [f"{d.title}（{d.repealed_on}，{d.repealed_by}）" for _, d in begun if d.repealed(as_of)]
    weakest = max((d.certainty for _, d in begun), key=lambda one: one.rank)
    return "；".join(texts), "；".join(gone), weakest


def graded_states(site: Integers, rule: Integers, state: pd.Series, shape: tuple[int, int]) -> np.ndarray:
    """Give each pair of site and rule its one answer.

    Parameters
    ----------
    site, rule : array of int
        Positions of the findings' sites and rules.
    state : Series
        Their states.
    shape : (int, int)
        How many sites and rules there are.

    Returns
    -------
    array of int, shape (sites, rules)
        Positions in `STATES_BY_GRAVITY`; the four states so sum to all pairs of site and rule.

    Raises
    ------
    LzgisError
        If a pair has no answer, or is 不涉及 and something else at once: then the screening itself is wrong.
    """
    found = np.full(shape, -1)
    for one in reversed(STATES_BY_GRAVITY):
        which = (state == one.value).to_numpy(dtype=bool)
        found[site[which], rule[which]] = one.rank
    clear = (state == State.CLEAR.value).to_numpy(dtype=bool)
    twice = int((found[site[clear], rule[clear]] != State.CLEAR.rank).sum())
    without = int((found < 0).sum())
    if twice or without:
        raise LzgisError(
            Message("findings"),
            Message(
                "of {pairs} pairs of site and rule {without} have no answer and {twice} have two that differ",
                pairs=found.size,
                without=without,
                twice=twice,
            ),
            Message("do not use them, and report this as a fault of lzgis"),
        )
    return found


def _features(rows: Hits, layers: Mapping[str, PlaneLayer]) -> dict[str, np.ndarray]:
    found = {name: np.full(len(rows), "", dtype=object) for name in ("id", "name")}
    known = rows.feature >= 0
    for layer_id in set(rows.layer[known]):
        which = np.flatnonzero(known & (rows.layer == layer_id))
        for name, values in found.items():
            values[which] = layers[layer_id].frame[name].to_numpy()[rows.feature[which]]
    return found


def _exceptions(rows: Hits, rule: Rule, subjects: Subjects, layers: Mapping[str, PlaneLayer]) -> dict[str, np.ndarray]:
    """Apply the first exception that fits each row, and leave open what depends on an activity not given."""
    n = len(rows)
    severity = np.full(n, rule.severity.value, dtype=object)
    item, note = np.full(n, "", dtype=object), np.full(n, rule.note, dtype=object)
    procedure = np.full(n, rule.procedure, dtype=object)
    state, reason = rows.state.copy(), rows.reason.copy()
    caught = (state == State.INVOLVED) | (state == State.SLIVER)
    unknown = subjects.unknown[rows.site]
    open_rows = caught & unknown if rule.activities else np.zeros(n, dtype=bool)
    undecided = caught.copy()
    for one in rule.unless:
        here = _where(rows, one.where, layers)
        open_rows |= caught & unknown & here
        fits = undecided & here & subjects.doing(one.activity)[rows.site]
        undecided &= ~fits
        severity[fits], item[fits], procedure[fits] = one.severity.value, one.item, one.procedure
        note[fits] = one.note or rule.note
    possible = caught & (rows.band == "possible") & (severity == Severity.PROHIBITED)
    severity[possible] = Severity.CONDITIONAL.value
    state[open_rows], reason[open_rows] = State.NOT_CHECKED, Reason.ACTIVITY_MISSING
    return {
        "severity": severity,
        "item": item,
        "procedure": procedure,
        "note": note,
        "state": _texts(state),
        "reason": _texts(reason),
    }


def _texts(values: np.ndarray) -> np.ndarray:
    codes, words = pd.factorize(values)
    return np.array([str(word) for word in words], dtype=object)[codes]


def _where(rows: Hits, where: Mapping[str, list[str]], layers: Mapping[str, PlaneLayer]) -> np.ndarray:
    if not where:
        return np.ones(len(rows), dtype=bool)
    fits = np.zeros(len(rows), dtype=bool)
    for layer_id in set(rows.layer):
        layer = layers.get(layer_id)
        if layer is not None and not layer.lacking(where):
            fits |= (rows.layer == layer_id) & np.isin(rows.feature, layer.matching(where))
    return fits
