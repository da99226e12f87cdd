"""How findings and verdicts read: titles for ids, rounding, order and colours; the same in every output."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lzgis.model.report import FINDING_COLUMNS, VERDICT_COLUMNS, Report, State, Verdict
from lzgis.model.rules import Rule, Severity
from lzgis.words import Language, Words

#: Between the parts of a list in one cell, as between the documents of a finding's basis.
SEPARATOR = "；"

#: Colours of verdicts, dark enough for an outline; and the tints that a table cell is filled with.
VERDICT_COLOURS: dict[str, str] = {
    Verdict.PROHIBITED: "#c62828",
    Verdict.REVIEW: "#ef6c00",
    Verdict.INCOMPLETE: "#6a51a3",
    Verdict.NONE_FOUND: "#2e7d32",
}
TINTS: dict[str, str] = {
    Verdict.PROHIBITED: "#f8cfcf",
    Verdict.REVIEW: "#fde3c4",
    Verdict.INCOMPLETE: "#e3dcf0",
    Verdict.NONE_FOUND: "#d9ecd8",
}

#: Rows that are brought to Python's own values at a time.
AT_ONCE = 5_000

# Illegal in XML or unseen in a cell: C0 and C1 but for tab and newline, surrogates, non-characters.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def visible(text: str) -> str:
    r"""Spell out the characters that no cell can hold or show; line ends become newlines.

    Examples
    --------
    >>> visible("a\x07b\r\nc")
    'a\\x07b\nc'
    """
    return _UNSEEN.sub(_spelled, text.replace("\r\n", "\n"))


def _spelled(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def number(value: Any, places: int | None = None) -> float | None:
    """Round to `places` decimals, if any; None for what is missing or not finite.

    Examples
    --------
    >>> number(12345.678, 2), number(float("nan"))
    (12345.68, None)
    """
    if value is None or value is pd.NA or not math.isfinite(value):
        return None
    return float(value) if places is None else round(float(value), places)


def hectares(area_m2: Any) -> float | None:
    """Give an area in hectares to four decimals, that is to the square metre.

    Examples
    --------
    >>> hectares(12345.678)
    1.2346
    """
    area = number(area_m2)
    return None if area is None else round(area / 10_000, 4)


def text(value: Any) -> str:
    """Give a value as text; what is missing is empty."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value)


def records(frame: pd.DataFrame, columns: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Go through the rows of a frame as dictionaries of plain Python values; never more than some are held."""
    names = list(columns)
    for start in range(0, len(frame), AT_ONCE):
        values = [frame[name].iloc[start : start + AT_ONCE].tolist() for name in names]
        for row in zip(*values, strict=True):
            yield dict(zip(names, row, strict=True))


def conflicts_first(findings: pd.DataFrame) -> npt.NDArray[np.intp]:
    """Positions of the findings, the gravest first; findings alike keep their order."""
    state = findings["state"].map({s.value: s.rank for s in State}).to_numpy()
    severity = findings["severity"].map({s.value: s.rank for s in Severity}).to_numpy()
    # A notice that is met is no conflict: it stands behind what was not checked.
    told = (state == 0) & (severity == Severity.NOTICE.rank)
    return np.lexsort((severity, np.where(told, 2.5, state)))


class ReportText:
    """Says what a report holds in one language.

    Parameters
    ----------
    report : Report
        The report whose ids are told.
    language : {"zh", "en"}
        The reader's language.
    """

    def __init__(self, report: Report, language: Language) -> None:
        self.report = report
        self.words = Words(language)
        self._rules: Mapping[str, Rule] = {r.id: r for r in report.book.rules}
        self._translated = cache(self._translations)

    @property
    def city(self) -> str:
        """Name of the city."""
        return self.words.title(self.report.city.name, self.report.city.name_en)

    @property
    def notice(self) -> str:
        """The sentence that every output must carry; may be empty."""
        return self.words.title(self.report.city.notice, self.report.city.notice_en)

    @property
    def disclaimer(self) -> str:
        """The sentence that no verdict is an approval."""
        return self.words("provenance", "disclaimer")

    @property
    def confidentiality(self) -> str:
        """The strictest confidentiality of the layers, in words; empty if there are no layers."""
        order = ("public", "internal", "confidential")
        found = [layer.spec.confidentiality for layer in self.report.layers.values()]
        return self.words("confidentiality", max(found, key=order.index)) if found else ""

    def word(self, section: str, key: str) -> str:
        """Give the wording of a code; a code without one is given as it is, and nothing stays empty."""
        try:
            return self.words(section, key) if key else ""
        except KeyError:
            return key

    def column(self, name: str) -> str:
        """Give the head of a column."""
        return self.words("column", name)

    def rule(self, rule_id: str) -> str:
        """Give the title of a rule."""
        rule = self._rules.get(rule_id)
        return rule_id if rule is None else self.words.title(rule.title, rule.title_en)

    def rules(self, rule_ids: Iterable[str]) -> str:
        """Give the titles of rules in one line."""
        return SEPARATOR.join(self.rule(r) for r in rule_ids)

    def layer(self, layer_id: str) -> str:
        """Give the title of a layer, known from the rule book even where the city lacks it."""
        layer = self.report.layers.get(layer_id)
        if layer is not None:
            return self.words.title(layer.spec.title, layer.spec.title_en)
        return self.report.book.layers.get(layer_id, layer_id)

    def activity(self, activity_id: str) -> str:
        """Give the title of an activity."""
        activity = self.report.book.activities.get(activity_id)
        return activity_id if activity is None else self.words.title(activity.title, activity.title_en)

    def reason(self, finding: Mapping[str, Any]) -> str:
        """Say why a finding is what it is."""
        code = text(finding["reason"])
        share = number(finding["unchecked_share"])
        try:
            return self.words("reason", code, unchecked_share=share or 0.0) if code else ""
        except KeyError:
            return code

    def translated(self, rule_id: str, words: str) -> str:
        """Give a rule's procedure or note in the reader's language, if the rule book has it."""
        return words if self.words.language == "zh" else self._translated(rule_id).get(words, words)

    def basis(self, finding: Mapping[str, Any]) -> str:
        """Give the documents and articles of a finding."""
        rule = self._rules.get(finding["rule"])
        return text(finding["basis"]) if rule is None or self.words.language == "zh" else self.basis_of(rule)

    def basis_of(self, rule: Rule) -> str:
        """Give the documents and articles of a rule."""
        documents = self.report.book.documents
        parts = []
        for basis in rule.basis:
            document = documents[basis.document]
            title = self.words.title(document.title, document.title_en)
            parts.append(f"{title} {self.words.title(basis.article, basis.article_en)}".strip())
        return SEPARATOR.join(parts)

    def certainty_of(self, rule: Rule) -> str:
        """Say how well the weakest document of a rule is known."""
        found = [self.report.book.documents[b.document].certainty for b in rule.basis]
        return self.words("certainty", max(found, key=lambda one: one.rank))

    def override(self, finding: Mapping[str, Any]) -> str:
        """Say that a finding was overruled: why, by whom and when, and whether the finding has changed since."""
        key = (text(finding["site_id"]), text(finding["rule"]))
        said = []
        for row in self._overrides.get(key, []):
            if row["feature_id"] in ("", text(finding["feature_id"])):
                told = {name: row[name] for name in ("reason", "author", "date", "changed")}
                said.append(self.words("override", f"said_{row['status']}", **told))
        return SEPARATOR.join(said)

    @cached_property
    def _overrides(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """Decisions by site and rule."""
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in records(self.report.overrides, self.report.overrides.columns):
            found.setdefault((text(row["site_id"]), text(row["rule"])), []).append(row)
        return found

    def findings(self, *, first: str = "conflicts") -> Iterator[dict[str, Any]]:
        """Go through the findings, the gravest first or, with ``first="site"``, in the report's order."""
        frame = self.report.findings
        if first == "conflicts":
            frame = frame.iloc[conflicts_first(frame)]
        return records(frame, (c.name for c in FINDING_COLUMNS))

    def verdicts(self) -> Iterator[dict[str, Any]]:
        """Go through the verdicts in the report's order."""
        return records(self.report.verdicts, (c.name for c in VERDICT_COLUMNS))

    def _translations(self, rule_id: str) -> dict[str, str]:
        rule = self._rules.get(rule_id)
        if rule is None:
            return {}
        pairs = [(rule.procedure, rule.procedure_en), (rule.note, rule.note_en)]
        pairs += [(u.procedure, u.procedure_en) for u in rule.unless]
        return {zh: en for zh, en in pairs if zh and en}
