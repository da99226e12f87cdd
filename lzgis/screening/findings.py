"""Make findings from the hits of a rule: exceptions, activities, legal basis, one answer per rule and site."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from lzgis.errors import LzgisError
from lzgis.messages import Message
from lzgis.model.report import FINDING_COLUMNS, SEPARATOR, STATES_BY_GRAVITY, Reason, State
from lzgis.model.rules import USUAL_ROUTES, Certainty, Requirement, Route, Rule, RuleBook, Severity, Unless
from lzgis.rules.for_sites.base import Rows
from lzgis.rules.for_sites.hits import Hits, Integers, full
from lzgis.rules.for_sites.plane import PlaneLayer
from lzgis.screening.parts import CGCS2000, PartArray, PartKeys, PartMaker
from lzgis.screening.subjects import Subjects

#: The columns of findings by name, arrays of equal length, and what `Parts` needs.
Columns = dict[str, Any]
#: Stands for the feature of a finding that is about no part of its site.
NO_PART = -2
#: The columns that are the same in all rows of a rule.
PER_RULE = ("rule", "kind", "basis", "repealed", "strength", "certainty", "as_of")


def finding_rows(
    rows: Hits, rule: Rule, subjects: Subjects, layers: Mapping[str, PlaneLayer], as_of: dt.date
) -> Columns:
    """Turn the hits of one rule into columns of findings, with positions ``site`` and ``feature``, `NO_PART` without a part."""
    features = _feature_names(rows, layers)
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
        "site": rows.site,
        "feature": np.where(rows.has_part, rows.feature, NO_PART),
    }
    for column in FINDING_COLUMNS:
        if column.name not in columns:
            columns[column.name] = getattr(rows, column.name)
    n = len(rows)
    return {
        name: value if isinstance(value, np.ndarray) else np.broadcast_to(np.array(value, dtype=object), n)
        for name, value in columns.items()
    }


def findings_table(parts: list[Columns], subjects: Subjects, maker: PartMaker) -> tuple[gpd.GeoDataFrame, PartKeys]:
    """Join the rows of all rules: in the order of the sites, for each site in the order of the rules.

    Returns
    -------
    findings : GeoDataFrame
        The columns of `FINDING_COLUMNS` and the geometry in EPSG:4490, which is built when it is first used.
    keys : PartKeys
        The positions of rule, site and feature of each finding.
    """
    size = [len(part["site"]) for part in parts]
    rule = np.repeat(np.arange(len(parts)) % max(len(subjects.book.rules), 1), size)
    code = np.concatenate([part["site"] for part in parts])
    order = np.argsort(code, kind="stable")
    rule, code = rule[order], code[order]
    per_site = {"site_id": subjects.names["id"], "site_name": subjects.names["name"], "activity": subjects.activity}
    data = {}
    for name, dtype, _ in FINDING_COLUMNS:
        if name in per_site:
            data[name] = _repeated(per_site[name], code)
        elif name in PER_RULE:
            of_rule = {at % len(subjects.book.rules): part[name][0] for at, part in enumerate(parts) if len(part[name])}
            data[name] = _repeated(np.array([of_rule.get(at, "") for at in range(len(subjects.book.rules))]), rule)
        else:
            values = np.concatenate([part[name] for part in parts])[order]
            data[name] = pd.Series(values.astype(float)) if dtype == "float" else _repeated(*_coded(values))
    layers = np.concatenate([part["layer"] for part in parts])[order]
    bands = np.concatenate([part["band"] for part in parts])[order]
    feature = np.concatenate([part["feature"] for part in parts])[order]
    keys = PartKeys(rule, Rows(code, feature, layers, bands))
    return gpd.GeoDataFrame(data, geometry=PartArray(maker, keys), crs=CGCS2000), keys


def _repeated(texts: np.ndarray, codes: np.ndarray) -> pd.Series:
    """Make a column of a few texts that repeat often: only the few are converted to the column's type."""
    return pd.Series(pd.Series(texts, dtype=object).astype(str).array.take(codes))


def _coded(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    codes, texts = pd.factorize(values, use_na_sentinel=False)
    return np.asarray(texts, dtype=object), codes


def citation(rule: Rule | Requirement, book: RuleBook, as_of: dt.date) -> tuple[str, str, Certainty]:
    """Cite the basis of a rule or requirement: documents with articles, those repealed, and the weakest certainty.

    A document that takes effect after `as_of` is cited only if there is no other.
    """
    known = [(b, book.documents[b.document]) for b in rule.basis]
    effective = [(b, d) for b, d in known if d.effective_from is None or d.effective_from <= as_of] or known
    texts = [f"{d.title} {b.article}".strip() for b, d in effective]
    repealed = [f"{d.title}（{d.repealed_on}，{d.repealed_by}）" for _, d in effective if d.repealed(as_of)]
    weakest = book.certainty_of([b for b, _ in effective])
    return SEPARATOR.join(texts), SEPARATOR.join(repealed), weakest


def graded_states(site: Integers, rule: Integers, state: pd.Series, concerned: np.ndarray) -> np.ndarray:
    """Return the one answer of each pair of site and rule: the gravest of its findings.

    Parameters
    ----------
    site, rule : array of int
        Positions of the sites and rules of the findings.
    state : Series
        Their states.
    concerned : array of bool, shape (sites, rules)
        Whether the rule is meant for the site: other pairs need no finding.

    Returns
    -------
    array of int, shape (sites, rules)
        Positions in `STATES_BY_GRAVITY`; -1 for 不适用 without a finding. The counts of the states and of these sum to
        sites × rules.

    Raises
    ------
    LzgisError
        If a pair has no answer, or is 不涉及 and has another state as well: a fault of the screening.
    """
    found = np.full(concerned.shape, -1)
    for one in reversed(STATES_BY_GRAVITY):
        which = (state == one.value).to_numpy(dtype=bool)
        found[site[which], rule[which]] = one.rank
    clear = (state == State.CLEAR.value).to_numpy(dtype=bool)
    twice = int((found[site[clear], rule[clear]] != State.CLEAR.rank).sum())
    without = int(((found < 0) & concerned).sum())
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


def _feature_names(rows: Hits, layers: Mapping[str, PlaneLayer]) -> dict[str, np.ndarray]:
    found = {name: full(len(rows), "") for name in ("id", "name")}
    named = rows.feature >= 0
    for layer_id in set(rows.layer[named]):
        which = np.flatnonzero(named & (rows.layer == layer_id))
        names, ids = layers[layer_id].names_and_ids
        found["name"][which], found["id"][which] = names[rows.feature[which]], ids[rows.feature[which]]
    return found


def _exceptions(rows: Hits, rule: Rule, subjects: Subjects, layers: Mapping[str, PlaneLayer]) -> dict[str, np.ndarray]:
    """Apply to each row the first exception that fits; 未核查 where the answer depends on what the site does not give."""
    n = len(rows)
    severity, route = full(n, rule.severity.value), full(n, _route(rule))
    item, note = full(n, ""), full(n, rule.note)
    procedure, facts = full(n, rule.procedure), full(n, "")
    state, reason = rows.state.copy(), rows.reason.copy()
    hit = (state == State.INVOLVED) | (state == State.SLIVER)
    unknown = subjects.no_activity[rows.site]
    open_rows = hit & unknown if rule.activities else np.zeros(n, dtype=bool)
    undecided, worst = hit.copy(), np.full(n, len(Severity))
    for one in rule.unless:
        here = _matches(rows, one.where, layers)
        open_rows |= hit & unknown & here
        fits = undecided & here & subjects.has_activity(one.activity)[rows.site]
        if one.facts:
            answers = subjects.facts_hold(one.facts)
            maybe = fits & answers.open[rows.site]
            facts[maybe] = _joined(facts[maybe], answers.missing[rows.site[maybe]])
            worst[maybe] = np.minimum(worst[maybe], one.severity.rank)
            fits &= answers.hold[rows.site]
        undecided &= ~fits
        severity[fits], item[fits], procedure[fits] = one.severity.value, one.item, one.procedure
        note[fits], route[fits] = one.note or rule.note, _route(one)
    # A graver exception may apply if the facts that the site does not declare are so.
    fact_rows = hit & (worst < _ranks(severity))
    if rule.facts:
        answers = subjects.facts_hold(rule.facts)
        fact_rows |= hit & answers.open[rows.site]
        facts = np.where(hit, _joined(answers.missing[rows.site], facts), "")
    possible = hit & (rows.band == "possible") & (severity == Severity.PROHIBITED)
    severity[possible], route[possible] = Severity.CONDITIONAL.value, Route.PROOF.value
    state[fact_rows], reason[fact_rows] = State.NOT_CHECKED, Reason.FACT_MISSING
    state[open_rows], reason[open_rows] = State.NOT_CHECKED, Reason.ACTIVITY_MISSING
    reason[open_rows & (subjects.activity[rows.site] != "")] = Reason.ACTIVITY_UNKNOWN
    return {
        "severity": severity,
        "route": np.where(hit & ~open_rows & ~fact_rows, route, ""),
        "open_facts": facts,
        "item": item,
        "procedure": procedure,
        "note": note,
        "state": _texts(state),
        "reason": _texts(reason),
    }


def _ranks(severity: np.ndarray) -> np.ndarray:
    codes, words = pd.factorize(severity)
    return np.array([Severity(word).rank for word in words], dtype=np.intp)[codes]


def _route(one: Rule | Unless) -> str:
    return (one.route or USUAL_ROUTES[one.severity]).value


def _joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    texts = [
        SEPARATOR.join(dict.fromkeys(word for word in (*a.split(SEPARATOR), *b.split(SEPARATOR)) if word))
        for a, b in zip(first, second, strict=True)
    ]
    return np.array(texts, dtype=object)


def _texts(values: np.ndarray) -> np.ndarray:
    codes, words = pd.factorize(values)
    return np.array([str(word) for word in words], dtype=object)[codes]


def _matches(rows: Hits, where: Mapping[str, list[str]], layers: Mapping[str, PlaneLayer]) -> np.ndarray:
    if not where:
        return np.ones(len(rows), dtype=bool)
    fits = np.zeros(len(rows), dtype=bool)
    for layer_id in set(rows.layer):
        layer = layers.get(layer_id)
        if layer is not None and not layer.missing_fields(where):
            fits |= (rows.layer == layer_id) & np.isin(rows.feature, layer.matching(where))
    return fits
