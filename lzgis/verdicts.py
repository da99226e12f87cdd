"""One verdict per site from its findings, and the ladder of verdicts with small overlaps disregarded."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lzgis.findings import Subjects
from lzgis.model import State, Verdict
from lzgis.rule import Severity

#: Kinds whose area is an overlap that may be a digitising error; a corridor is decided by distance, not by area.
LADDER_KINDS = ("avoid", "stay_inside")


def verdicts(findings: pd.DataFrame, subjects: Subjects) -> pd.DataFrame:
    """Draw one verdict per site, in the order of the sites; columns as in `lzgis.model.VERDICT_COLUMNS`.

    A prohibition that is met outweighs everything. Next comes what needs a procedure or may be a boundary error; then
    what could not be checked; only where nothing of these remains is the verdict 未发现冲突.
    """
    ids = subjects.table["id"].to_numpy()
    code = pd.Index(ids).get_indexer(findings["site_id"].to_numpy())
    state, severity = findings["state"].to_numpy(), findings["severity"].to_numpy()
    caught, sliver = state == State.INVOLVED, state == State.SLIVER
    unchecked = state == State.NOT_CHECKED
    grave = severity == Severity.PROHIBITED
    conditional = severity == Severity.CONDITIONAL
    prohibited = caught & grave
    review = (caught & conditional) | (sliver & (grave | conditional))
    notice = (caught | sliver) & ~grave & ~conditional
    n = len(ids)
    rule = findings["rule"].to_numpy()
    nearest_rule, nearest_m = _nearest(findings, code, n)
    dimension = subjects.sites.dimension
    return pd.DataFrame(
        {
            "site_id": ids,
            "site_name": subjects.table["name"].to_numpy(),
            "activity": subjects.activity,
            "verdict": _verdict(n, code, prohibited, review, unchecked),
            "site_area_m2": np.where(dimension == 2, subjects.sites.size, np.nan),
            "site_length_m": np.where(dimension == 1, subjects.sites.size, np.nan),
            "prohibited": _rules_of(n, code, rule, prohibited),
            "conditional": _rules_of(n, code, rule, review),
            "notices": _rules_of(n, code, rule, notice),
            "not_checked": _rules_of(n, code, rule, unchecked),
            "nearest_rule": nearest_rule,
            "nearest_m": nearest_m,
            "ladder": _ladder(findings, n, code, subjects.book.tolerance.ladder_m2),
        }
    )


def _verdict(n: int, code: np.ndarray, prohibited: np.ndarray, review: np.ndarray, unchecked: np.ndarray) -> np.ndarray:
    result = np.full(n, Verdict.NONE_FOUND.value, dtype=object)
    result[code[unchecked]] = Verdict.INCOMPLETE.value
    result[code[review]] = Verdict.REVIEW.value
    result[code[prohibited]] = Verdict.PROHIBITED.value
    return result


def _ladder(findings: pd.DataFrame, n: int, code: np.ndarray, steps: list[float]) -> pd.Series:
    """At each step, overlaps up to that area are disregarded and all larger ones count in full, slivers too."""
    state, severity = findings["state"].to_numpy(), findings["severity"].to_numpy()
    caught = (state == State.INVOLVED) | (state == State.SLIVER)
    area = findings["area_m2"].to_numpy(dtype=float)
    overlap = findings["kind"].isin(LADDER_KINDS).to_numpy() & ~np.isnan(area)
    unchecked = state == State.NOT_CHECKED
    columns = []
    for step in steps:
        counts = caught & ~(overlap & (area <= step))
        open_still = unchecked & ~(overlap & (area <= step))
        prohibited = counts & (severity == Severity.PROHIBITED)
        review = counts & (severity == Severity.CONDITIONAL)
        columns.append(_verdict(n, code, prohibited, review, open_still))
    return pd.Series(list(zip(*columns, strict=True)) if columns else [()] * n, dtype=object)


def _rules_of(n: int, code: np.ndarray, rule: np.ndarray, which: np.ndarray) -> pd.Series:
    lists: list[dict[str, None]] = [{} for _ in range(n)]
    for site, name in zip(code[which], rule[which], strict=True):
        lists[site][name] = None
    return pd.Series([tuple(one) for one in lists], dtype=object)


def _nearest(findings: pd.DataFrame, code: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """For each site, the constraint that lies nearest without being met, beyond the distance that its rule demands."""
    apart = findings["distance_m"].to_numpy(dtype=float) - np.nan_to_num(findings["required_m"].to_numpy(dtype=float))
    counts = (findings["state"] == State.CLEAR) & (findings["severity"] != Severity.NOTICE) & ~np.isnan(apart)
    # Inside is where stay_inside wants the site, so its distance of 0 is no constraint close by.
    counts &= findings["kind"] != "stay_inside"
    which = np.flatnonzero(counts.to_numpy())
    order = which[np.lexsort((apart[which], code[which]))]
    first = order[np.unique(code[order], return_index=True)[1]] if len(order) else order
    rule, distance = np.full(n, "", dtype=object), np.full(n, np.nan)
    rule[code[first]] = findings["rule"].to_numpy()[first]
    distance[code[first]] = apart[first]
    return rule, distance
