"""The wording and the tables of a comparison: what was added, removed and moved, and which verdicts differ."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pandas as pd

from lzgis.exports.report_text import ContextText, number, records, text
from lzgis.exports.tables.tables import Head, Kind, Table, Value
from lzgis.model.audit import DiffReport, Recheck
from lzgis.model.report import SEPARATOR, Reason, State
from lzgis.model.rules import Severity
from lzgis.words import Language, Words

_TOTALS = [
    *["layer", "features_before", "features_after", "added", "removed", "moved", "changed", "before_m2", "after_m2"],
    *["net_m2", "gained_m2", "lost_m2", "gross_m2", "note"],
]
_CHANGES = [
    *["layer", "change", "feature_id", "feature_name", "former_id", "before_m2", "after_m2", "gained_m2", "lost_m2"],
    *["gained_m", "lost_m", "moved_m", "lon", "lat", "place", "fields"],
]
_RULES = ["rule", "title", "change", "keys", "repealed"]
_FINDINGS = ["rule", "state", "severity", "what", "measured", "declared", "basis"]
_VERDICTS = ["site_id", "site_name", "verdict_before", "verdict_after", "because"]
_ANSWERS = ["site_id", "site_name", "rule", "answer_before", "answer_after", "because"]

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(["features_before", "features_after", "added", "removed", "moved", "changed"], "count"),
    **dict.fromkeys(["before_m2", "after_m2", "net_m2", "gained_m2", "lost_m2", "gross_m2"], "area"),
    **dict.fromkeys(["gained_m", "lost_m", "moved_m"], "metre"),
}
_PLACES: dict[Kind, int] = {"count": 0, "area": 2, "metre": 3}
#: A figure with its decimals, before its unit.
_FIGURE = re.compile(r"\b(\d+\.(\d+))(?= (?:㎡|m)(?:\W|$))")
_FOLDED = {"note", "fields", "keys", "what", "because", "answer_before", "answer_after", "basis"}


def difference_text(report: DiffReport, recheck: Recheck | None, language: Language) -> ContextText:
    """Return the wording of a comparison; titles are those of the newer version."""
    book = report.setting.book
    problems = (*report.problems, *(recheck.problems if recheck else ()))
    rules = (*book.rules, *book.audits)
    return ContextText(replace(report.setting, book=replace(book, rules=rules), problems=problems), language)


def difference_tables(texts: ContextText, report: DiffReport, recheck: Recheck | None) -> list[Table]:
    """Return the tables of a comparison: totals by layer, changes, rules, and the verdicts and answers that differ."""
    tables = []
    if recheck is not None:
        marks = recheck.verdict_changes["verdict_after"].tolist()
        tables.append(_table(texts, "diff_verdicts", _VERDICTS, recheck.verdict_changes, marks=marks, marked=3))
    tables += [
        _table(texts, "diff_totals", _TOTALS, report.totals),
        _table(texts, "diff_changes", _CHANGES, report.changes),
        _table(texts, "diff_rules", _RULES, report.rules.assign(title=rule_titles(texts, report))),
        _table(texts, "diff_findings", _FINDINGS, report.findings),
    ]
    if recheck is not None:
        tables.append(_table(texts, "diff_answers", _ANSWERS, recheck.changes))
    return tables


def rule_titles(texts: ContextText, report: DiffReport) -> list[str]:
    """Return the titles of the rules that differ; a rule that is gone has its former title."""
    known = {rule.id for rule in texts.context.book.rules}
    pairs = zip(report.rules["rule"], report.rules["title"], strict=True)
    return [texts.rule(rule) if rule in known else text(title) for rule, title in pairs]


def _table(
    texts: ContextText,
    name: str,
    columns: list[str],
    frame: pd.DataFrame,
    *,
    marks: Iterable[str] = (),
    marked: int = 0,
) -> Table:
    heads = [Head(texts.words("diff", c), _KINDS.get(c, "text"), c in _FOLDED) for c in columns]
    rows = [[_cell(texts, c, row[c]) for c in columns] for row in records(frame, columns)]
    return Table(name, heads, rows, marks=list(marks), marked=marked, fixed=2)


def _cell(texts: ContextText, column: str, value: Any) -> Value:
    if column in _KINDS:
        return number(value, _PLACES[_KINDS[column]])
    if column in ("lon", "lat"):
        return number(value, 7)
    if column in ("measured", "declared"):
        return number(value, 6)
    return worded_text(texts, column, text(texts.words.message(value)) if isinstance(value, str) else text(value))


def worded_text(texts: ContextText, column: str, value: str) -> str:
    """Word the codes of a column; other texts stay as they are."""
    if column == "layer":
        return texts.layer(value)
    if column == "rule":
        return texts.rule(value)
    if column == "because":
        return SEPARATOR.join(_titled(texts, part) for part in value.split(SEPARATOR))
    sections = {"change": "change", "state": "state", "severity": "severity"}
    sections |= {"verdict_before": "verdict", "verdict_after": "verdict"}
    if column in sections:
        return texts.word(sections[column], value)
    return worded_answer(texts.words, value) if column.startswith("answer_") else value


def _titled(texts: ContextText, reason: str) -> str:
    """Return a reason that begins with the id of a layer with the title of that layer."""
    first, space, rest = reason.partition(" ")
    return f"{texts.layer(first)}{space}{rest}" if first in texts.context.book.layers else reason


def worded_answer(words: Words, answer: str) -> str:
    """Word the codes in an answer of a re-check.

    Examples
    --------
    >>> worded_answer(Words("en"), "涉及 prohibited HX07 120.50 ㎡；不涉及 HX09 3.000 m")
    'involved prohibited HX07 120.50 ㎡；not involved HX09 3.000 m'
    >>> worded_answer(Words("zh"), "涉及 HX07 26775.00 ㎡")
    '涉及 HX07 26,775.00 ㎡'
    """
    known = {s.value: words("state", s) for s in State} | {s.value: words("severity", s) for s in Severity}
    known |= {r.value: words("reason", r) for r in Reason if r.value}
    known[Reason.PARTLY_OUTSIDE.value] = words("diff", "partly-outside")
    parts = [" ".join(known.get(word, word) for word in part.split(" ")) for part in answer.split(SEPARATOR)]
    return _FIGURE.sub(lambda found: f"{float(found[1]):,.{len(found[2])}f}", SEPARATOR.join(parts))
