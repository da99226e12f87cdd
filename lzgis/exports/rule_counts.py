"""Counts that add up: rules by their one answer, findings by rows, separate counts for rules that only name where a site lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from lzgis.model.report import STATES_BY_GRAVITY, Report, State
from lzgis.rules.for_sites import INFORMING_KINDS

#: The columns of `rule_counts` that hold rules by their answer, in the order of `STATES_BY_GRAVITY`.
STATE_COLUMNS = ("involved", "sliver", "unchecked", "clear", "not_applicable")


def rule_counts(report: Report) -> pd.DataFrame:
    """Count, for each site, its rules by their answer.

    Where a rule has several findings for a site, the gravest is its answer. Rules that only name the unit or township that
    a site lies in are counted as `context`, whatever they answer.

    Returns
    -------
    DataFrame
        One row per site, in the order of the verdicts: ``site_id``, ``site_name``, the five `STATE_COLUMNS`, of which
        ``not_applicable`` includes the rules without a finding, ``unlisted``, how many of these have no finding,
        ``context``, and ``rules``, the sum of the five and `context`: the number of rules in force. ``findings`` is the
        number of rows of the table of findings.
    """
    table, verdicts = report.table, report.verdicts
    sites = pd.Index(verdicts["site_id"], dtype=object)
    site = sites.get_indexer(pd.Index(table["site_id"], dtype=object))
    rule, rules = pd.factorize(table["rule"])
    rank = table["state"].map({state.value: state.rank for state in State}).to_numpy(dtype=np.int8)
    answers = np.full((len(sites), len(rules)), len(STATES_BY_GRAVITY), dtype=np.int8)
    there = site >= 0
    np.minimum.at(answers, (site[there], rule[there]), rank[there])
    informs = np.zeros(len(rules), dtype=bool)
    informs[rule[table["kind"].isin(INFORMING_KINDS).to_numpy()]] = True
    unlisted = verdicts["not_applicable"].to_numpy(dtype=np.int64)
    counts = {
        name: (answers[:, ~informs] == state.rank).sum(axis=1)
        for name, state in zip(STATE_COLUMNS, STATES_BY_GRAVITY, strict=True)
    }
    counts["not_applicable"] = counts["not_applicable"] + unlisted
    context = (answers[:, informs] < len(STATES_BY_GRAVITY)).sum(axis=1)
    # The columns of the verdicts are taken as they are: texts that no file can hold cannot be converted.
    return (
        verdicts[["site_id", "site_name"]]
        .reset_index(drop=True)
        .assign(
            **counts,
            unlisted=unlisted,
            context=context,
            rules=sum(counts.values()) + context,
            findings=np.bincount(site[there], minlength=len(sites)),
        )
    )


class Tally:
    """The counts of a report that comes in pieces; complete once all pieces have passed through `counted`."""

    def __init__(self, code: Callable[[str], str] = str) -> None:
        self._code = code
        self._sums: dict[str, int] = {}
        self._findings: dict[str, int] = {state.value: 0 for state in STATES_BY_GRAVITY}

    def counted(self, pieces: Iterable[Report]) -> Iterator[Report]:
        """Yield the pieces and count them."""
        for piece in pieces:
            sums = rule_counts(piece).drop(columns=["site_id", "site_name"]).sum()
            for name, value in (*sums.items(), ("sites", len(piece.verdicts))):
                self._sums[str(name)] = self._sums.get(str(name), 0) + int(value)
            for state, rows in piece.table["state"].value_counts().items():
                self._findings[str(state)] += int(rows)
            yield piece

    @property
    def document(self) -> dict[str, Any]:
        """The counts as plain values: ``pairs`` of site and rule by answer, and rows of ``findings`` by state."""
        sums = {name: self._sums.get(name, 0) for name in (*STATE_COLUMNS, "sites", "context", "rules", "unlisted")}
        named = zip(STATES_BY_GRAVITY, STATE_COLUMNS, strict=True)
        return {
            "sites": sums["sites"],
            "pairs": sums["rules"],
            "answers": {self._code(state.value): sums[column] for state, column in named},
            "context": sums["context"],
            "not_applicable_without_finding": sums["unlisted"],
            "findings": {self._code(state): rows for state, rows in self._findings.items()},
        }
