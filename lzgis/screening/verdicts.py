"""One verdict per site from its findings, and the ladder of verdicts with small overlaps disregarded."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import pandas as pd
import shapely

from lzgis.model.report import State, Verdict
from lzgis.model.rules import Severity
from lzgis.rules.book import unknown_matters
from lzgis.rules.for_sites import KINDS
from lzgis.screening.findings import graded_states
from lzgis.screening.subjects import Subjects


def verdicts(findings: pd.DataFrame, subjects: Subjects, day: dt.date) -> pd.DataFrame:
    """Return one verdict per site, in the order of the sites; columns as in `lzgis.model.report.VERDICT_COLUMNS`.

    A prohibition comes first, then what needs a procedure or may be a boundary error, then what was not
    checked. The verdict is 未发现冲突 only where a site has none of these, and the book knows what applied on `day` in all
    matters that are about its activity; otherwise it is 核查不完整.

    Raises
    ------
    LzgisError
        If a pair of site and rule has no answer, or two that contradict each other.
    """
    ids = subjects.table["id"].to_numpy()
    code = pd.Index(ids).get_indexer(findings["site_id"].to_numpy())
    # A verdict needs exactly one answer for every pair of site and rule that is meant for it.
    rules = pd.Index([one.id for one in subjects.book.rules])
    place = rules.get_indexer(pd.Index(findings["rule"]))
    concerned = np.column_stack([subjects.concerned[one] for one in rules])
    answers = graded_states(code[place >= 0], place[place >= 0], findings["state"][place >= 0], concerned)
    involved, sliver = _equals(findings["state"], State.INVOLVED), _equals(findings["state"], State.SLIVER)
    unchecked = _equals(findings["state"], State.NOT_CHECKED)
    grave, conditional = (_equals(findings["severity"], one) for one in (Severity.PROHIBITED, Severity.CONDITIONAL))
    prohibited = involved & grave
    review = (involved & conditional) | (sliver & (grave | conditional))
    notice = (involved | sliver) & ~grave & ~conditional
    n = len(ids)
    best = np.where(_of_unknown_matter(subjects, day), Verdict.INCOMPLETE.value, Verdict.NONE_FOUND.value).astype(
        object
    )
    rule = pd.factorize(findings["rule"])
    nearest_rule, nearest_m = _nearest(findings, code, n)
    dimension = subjects.sites.dimension
    return pd.DataFrame(
        {
            "site_id": ids,
            "site_name": subjects.table["name"].to_numpy(),
            "activity": subjects.activity,
            "verdict": _verdict(best, code, prohibited, review, unchecked),
            "site_area_m2": np.where(dimension == 2, subjects.sites.size, np.nan),
            "site_length_m": _lengths(subjects),
            "prohibited": _rules_of(n, code, rule, prohibited),
            "conditional": _rules_of(n, code, rule, review),
            "notices": _rules_of(n, code, rule, notice),
            "not_checked": _rules_of(n, code, rule, unchecked),
            "not_applicable": (answers < 0).sum(axis=1),
            "nearest_rule": nearest_rule,
            "nearest_m": nearest_m,
            "ladder": _ladder(findings, best, code, subjects.book.tolerance.ladder_m2),
        }
    )


def _lengths(subjects: Subjects) -> np.ndarray:
    """Return the lengths of lines, those judged as strips among them; NaN for other sites."""
    lengths = np.where(subjects.sites.dimension == 1, subjects.sites.size, np.nan)
    if subjects.strips.any():
        lengths[subjects.strips] = shapely.length(subjects.lines[subjects.strips])
    return lengths


def _of_unknown_matter(subjects: Subjects, day: dt.date) -> np.ndarray:
    """Return whether a matter of which the book does not know what applied on `day` is about the site."""
    found = np.zeros(len(subjects.table), dtype=bool)
    for name in unknown_matters(subjects.book, day):
        activities = subjects.book.matters[name].activities
        found |= subjects.has_activity(activities) | subjects.no_activity if activities else True
    return found


def _verdict(
    best: np.ndarray, code: np.ndarray, prohibited: np.ndarray, review: np.ndarray, unchecked: np.ndarray
) -> np.ndarray:
    """Return `best`, the verdict of sites without any such finding, with those of the findings set."""
    result = best.copy()
    result[code[unchecked]] = Verdict.INCOMPLETE.value
    result[code[review]] = Verdict.REVIEW.value
    result[code[prohibited]] = Verdict.PROHIBITED.value
    return result


def _ladder(findings: pd.DataFrame, best: np.ndarray, code: np.ndarray, steps: list[float]) -> pd.Series:
    """Return the verdicts at each step: overlaps up to that area are disregarded, larger ones count in full, slivers too."""
    hit = _equals(findings["state"], State.INVOLVED) | _equals(findings["state"], State.SLIVER)
    grave, conditional = (_equals(findings["severity"], one) for one in (Severity.PROHIBITED, Severity.CONDITIONAL))
    area = findings["area_m2"].to_numpy(dtype=float)
    overlap = findings["kind"].isin([name for name, kind in KINDS.items() if kind.overlaps]).to_numpy() & ~np.isnan(
        area
    )
    unchecked = _equals(findings["state"], State.NOT_CHECKED)
    columns = []
    for step in steps:
        counts = hit & ~(overlap & (area <= step))
        still_open = unchecked & ~(overlap & (area <= step))
        columns.append(_verdict(best, code, counts & grave, counts & conditional, still_open))
    return pd.Series(list(zip(*columns, strict=True)) if columns else [()] * len(best), dtype=object)


def _equals(column: pd.Series, value: str) -> np.ndarray:
    return np.asarray((column == str(value)).to_numpy(dtype=bool))


def _rules_of(n: int, code: np.ndarray, rule: tuple[np.ndarray, pd.Index], which: np.ndarray) -> pd.Series:
    """List the rules of the rows `which` by site: each rule once, in the order of the rows."""
    rows = np.flatnonzero(which)
    _, first = np.unique(code[rows] * max(len(rule[1]), 1) + rule[0][rows], return_index=True)
    rows = rows[np.sort(first)]
    rows = rows[np.argsort(code[rows], kind="stable")]
    names = list(np.asarray(rule[1], dtype=object)[rule[0][rows]])
    ends = np.searchsorted(code[rows], np.arange(n + 1)).tolist()
    return pd.Series([tuple(names[a:b]) for a, b in itertools.pairwise(ends)], dtype=object)


def _nearest(findings: pd.DataFrame, code: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest constraint that each site does not hit, and its distance (m) beyond the one that its rule demands."""
    clearance = findings["distance_m"].to_numpy(dtype=float) - np.nan_to_num(
        findings["required_m"].to_numpy(dtype=float)
    )
    counts = (
        _equals(findings["state"], State.CLEAR) & ~_equals(findings["severity"], Severity.NOTICE) & ~np.isnan(clearance)
    )
    # Where a site must lie in a feature, its distance of 0 to that feature is no constraint.
    counts &= ~findings["kind"].isin([name for name, kind in KINDS.items() if kind.absence_counts]).to_numpy()
    which = np.flatnonzero(counts)
    order = which[np.lexsort((clearance[which], code[which]))]
    first = order[np.unique(code[order], return_index=True)[1]] if len(order) else order
    rule, distance = np.full(n, "", dtype=object), np.full(n, np.nan)
    rule[code[first]] = findings["rule"].to_numpy()[first]
    distance[code[first]] = clearance[first]
    return rule, distance
