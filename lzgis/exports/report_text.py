"""The wording of reports: titles for ids, rounding, order and colours; the same in every output."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from lzgis.city.layer_dates import date_problems
from lzgis.coordinates.profiles import profile
from lzgis.exports.codes import Codes
from lzgis.model.report import (
    SEPARATOR,
    VERDICT_COLUMNS,
    Report,
    ReportContext,
    State,
    finding_columns,
)
from lzgis.model.rules import Rule, Severity
from lzgis.rules.book import unknown_matters
from lzgis.words import Language, Words

#: Rows that are converted to Python values at a time.
AT_ONCE = 5_000

# Illegal in XML or invisible in a cell: C0 and C1 but for tab and newline, surrogates, non-characters.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def visible(text: str) -> str:
    r"""Escape the characters that a cell cannot hold or show; line ends become newlines.

    Examples
    --------
    >>> visible("a\x07b\r\nc")
    'a\\x07b\nc'
    """
    return _INVISIBLE.sub(_escaped, text.replace("\r\n", "\n"))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def number(value: Any, places: int | None = None) -> float | None:
    """Round to `places` decimals, if given; None if the value is missing or not finite.

    Examples
    --------
    >>> number(12345.678, 2), number(float("nan"))
    (12345.68, None)
    """
    if value is None or value is pd.NA or not math.isfinite(value):
        return None
    return float(value) if places is None else round(float(value), places)


def hectares(area_m2: Any) -> float | None:
    """Return an area in hectares, rounded to four decimals (one square metre).

    Examples
    --------
    >>> hectares(12345.678)
    1.2346
    """
    area = number(area_m2)
    return None if area is None else round(area / 10_000, 4)


def text(value: Any) -> str:
    """Return a value as text; a missing one as an empty text."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value)


def records(frame: pd.DataFrame, columns: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Iterate over the rows of a frame as dictionaries of Python values; `AT_ONCE` rows are in memory at a time."""
    names = list(columns)
    for start in range(0, len(frame), AT_ONCE):
        some = frame.iloc[start : start + AT_ONCE]
        values = [_python_values(some, name) for name in names]
        for row in zip(*values, strict=True):
            yield dict(zip(names, row, strict=True))


def _python_values(frame: pd.DataFrame, name: str) -> list[Any]:
    """Return a column as Python values; equal texts are one object, which Arrow's texts would not be."""
    repeats = isinstance(frame[name].dtype, pd.StringDtype | pd.CategoricalDtype)
    return coded(frame, [name], lambda value: value).tolist() if repeats else frame[name].tolist()


class Coded(NamedTuple):
    """A column whose values repeat: the distinct values, and for every row the position of its value among them."""

    codes: npt.NDArray[np.int32]
    values: list[Any]

    def taken(self, rows: npt.NDArray[Any] | slice) -> Coded:
        """Return the column of these rows: positions, a mask or a slice."""
        return Coded(self.codes[rows], self.values)

    def tolist(self) -> list[Any]:
        """Return the value of every row; equal values are one object."""
        distinct: npt.NDArray[Any] = np.empty(len(self.values), dtype=object)
        distinct[:] = self.values
        values: list[Any] = distinct[self.codes].tolist()
        return values


def coded(frame: pd.DataFrame, names: Sequence[str], word: Callable[..., Any]) -> Coded:
    """Word one or more columns of a table together, once per distinct combination of their values.

    Parameters
    ----------
    frame : DataFrame
        The table; its columns may be categorical.
    names : sequence of str
        The columns.
    word : callable
        Takes one value of each column as positional arguments, and returns what the row shows.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": ["x", "y", "x"], "b": [1, 2, 1]})
    >>> coded(frame, ["a", "b"], lambda a, b: f"{a}{b}").values
    ['x1', 'y2']
    """
    codes: npt.NDArray[Any] = np.zeros(len(frame), dtype=np.int64)
    keys: list[tuple[Any, ...]] = [()] if len(frame) else []
    for name in names:
        own, found = pd.factorize(frame[name], use_na_sentinel=False)
        values = list(found.tolist())
        codes, joint = pd.factorize(codes * max(len(values), 1) + own)
        keys = [(*keys[one // len(values)], values[one % len(values)]) for one in joint.tolist()]
    return Coded(codes.astype(np.int32), [word(*key) for key in keys])


def conflicts_first(findings: pd.DataFrame) -> npt.NDArray[np.intp]:
    """Return the positions of the findings, the gravest first; equal ones keep their order."""
    state, severity = (
        np.asarray(
            coded(findings, [name], {one.value: one.rank for one in ranks}.__getitem__).tolist(), dtype=np.float64
        )
        for name, ranks in (("state", State), ("severity", Severity))
    )
    # A notice that applies is no conflict: it comes after what was not checked.
    informs = (state == State.INVOLVED.rank) & (severity == Severity.NOTICE.rank)
    return np.lexsort((severity, np.where(informs, State.NOT_CHECKED.rank + 0.5, state)))


class UncoveredMatter(NamedTuple):
    """A matter that a report does not answer.

    `reason` is ``unknown`` if the book does not know what applied on the day, ``no-layer`` if the city has no layer that its
    rules look at, ``no-rule`` if no rule in force is about it.
    """

    matter: str
    title: str
    title_en: str
    reason: str
    ask: str
    ask_en: str


class NotCovered(NamedTuple):
    """A matter that a report does not answer, worded: id, title, reason, and who can be asked."""

    matter: str
    title: str
    reason: str
    ask: str


def uncovered_matters(context: ReportContext) -> list[UncoveredMatter]:
    """Return the matters that neither the rules nor the layers of a report answer."""
    book, unknown = context.book, set(unknown_matters(context.book, context.provenance.as_of))
    ruled = {rule.matter for rule in book.rules}
    found = []
    for name in context.not_covered:
        one = book.matters[name]
        reason = "unknown" if name in unknown else "no-layer" if name in ruled else "no-rule"
        found.append(UncoveredMatter(name, one.title, one.title_en, reason, one.ask, one.ask_en))
    return found


class ContextText:
    """The wording, in one language, of what a report of any kind is shown on and cites: city, layers, rules.

    Parameters
    ----------
    context : ReportContext
        Where the titles of ids come from. Every report is one.
    language : {"zh", "en"}
        The reader's language.
    """

    def __init__(self, context: ReportContext, language: Language) -> None:
        self.context = context
        self.words = Words(language, profile(context.city.profile).words.get(language, {}))
        self._rules: Mapping[str, Rule] = {r.id: r for r in context.book.rules}
        self._translated = cache(self._translations)

    @property
    def city(self) -> str:
        """Name of the city."""
        return self.words.title(self.context.city.name, self.context.city.name_en)

    @cached_property
    def code(self) -> Codes:
        """The codes of the city."""
        return Codes(self.context.city)

    @property
    def separator(self) -> str:
        """What stands between the parts of a list."""
        text: str = self.code(SEPARATOR)
        return text

    @property
    def notice(self) -> str:
        """The sentence that every output must carry; may be empty."""
        return self.words.title(self.context.city.notice, self.context.city.notice_en)

    @property
    def disclaimer(self) -> str:
        """The sentence that no verdict is an approval."""
        return self.words("provenance", "disclaimer")

    @property
    def confidentiality(self) -> str:
        """The strictest confidentiality of the layers, worded; empty if there are no layers."""
        order = ("public", "internal", "confidential")
        found = [layer.spec.confidentiality for layer in self.context.layers.values()]
        return self.words("confidentiality", max(found, key=order.index)) if found else ""

    def word(self, section: str, key: str) -> str:
        """Return the wording of a code: the code itself if it has none, an empty text for an empty code."""
        try:
            return self.words(section, key) if key else ""
        except KeyError:
            return key

    def column(self, name: str) -> str:
        """Return the heading of a column."""
        return self.words("column", name)

    def rule(self, rule_id: str) -> str:
        """Return the title of a rule."""
        rule = self._rules.get(rule_id)
        return rule_id if rule is None else self.words.title(rule.title, rule.title_en)

    def rules(self, rule_ids: Iterable[str]) -> str:
        """Return the titles of rules in one line."""
        return self.separator.join(self.rule(r) for r in rule_ids)

    def layer(self, layer_id: str) -> str:
        """Return the title of a layer; the rule book has it even if the city lacks the layer."""
        layer = self.context.layers.get(layer_id)
        if layer is not None:
            return self.words.title(layer.spec.title, layer.spec.title_en)
        book = self.context.book
        return self.words.message(book.layer_title(layer_id)) if layer_id in book.layers else layer_id

    def activity(self, activity_id: str) -> str:
        """Return the title of an activity."""
        activity = self.context.book.activities.get(activity_id)
        return activity_id if activity is None else self.words.title(activity.title, activity.title_en)

    def reason(self, finding: Mapping[str, Any]) -> str:
        """Return the reason of a finding, worded."""
        code = text(finding["reason"])
        share = number(finding["unchecked_share"])
        try:
            return self.words("reason", code, unchecked_share=share or 0.0) if code else ""
        except KeyError:
            return code

    def route(self, code: str) -> str:
        """Return what an applicant can do about a finding, worded; empty if nothing is hit."""
        return self.word("route", code)

    def open_facts(self, names: str) -> str:
        """Return the titles of the facts that would settle the answer of a finding."""
        facts = self.context.book.facts
        return self.separator.join(
            self.words.title(facts[name].title, facts[name].title_en) if name in facts else name
            for name in names.split(SEPARATOR)
        )

    @cached_property
    def not_covered(self) -> list[NotCovered]:
        """The matters that neither rules nor layers answer, with the reason and who can be asked."""
        return [
            NotCovered(
                one.matter,
                self.words.title(one.title, one.title_en),
                self.word("coverage", one.reason),
                self.words.title(one.ask, one.ask_en),
            )
            for one in uncovered_matters(self.context)
        ]

    @property
    def other_dates(self) -> str:
        """The sentence that layers show another state than that of the as-of date; empty if all show that one."""
        needed = {name for rule in self.context.book.rules for name in rule.layers}
        specs = {name: layer.spec for name, layer in self.context.layers.items()}
        found = date_problems(specs, needed, self.context.provenance.as_of)
        return "".join(self.words.message(one.what) for one in found)

    @property
    def other_dates_in_short(self) -> str:
        """The same in a few words, where there is no room to name the layers; the other outputs do."""
        if not self.other_dates:
            return ""
        return self.words("paper", "other_dates", day=self.context.provenance.as_of.isoformat())

    @property
    def coverage(self) -> str:
        """The sentence that names the matters not covered; it stands wherever it is said that all rules were checked."""
        titles = self.words("picture", "separator").join(one.title for one in self.not_covered)
        return self.words("coverage", "sentence", matters=titles) if titles else self.words("coverage", "none")

    @property
    def limits(self) -> list[str]:
        """What limits a result, a sentence each: matters not covered, and layers of another date; stated in every output."""
        return [self.coverage, *filter(None, [self.other_dates])]

    def translated(self, rule_id: str, words: str) -> str:
        """Return a rule's procedure or note in the reader's language, if the rule book has it."""
        return words if self.words.language == "zh" else self._translated(rule_id).get(words, words)

    def basis(self, finding: Mapping[str, Any]) -> str:
        """Return the documents and articles that a finding rests on."""
        return self.basis_in(text(finding["rule"]), text(finding["basis"]))

    def basis_in(self, rule_id: str, basis: str) -> str:
        """Return the basis of a rule's findings in the reader's language, if the rule book has it."""
        rule = self._rules.get(rule_id)
        return basis if rule is None or self.words.language == "zh" or not basis else self.basis_of(rule)

    def basis_of(self, rule: Rule) -> str:
        """Return the documents and articles that a rule rests on."""
        documents = self.context.book.documents
        parts = []
        for basis in rule.basis:
            document = documents[basis.document]
            title = self.words.title(document.title, document.title_en)
            parts.append(f"{title} {self.words.title(basis.article, basis.article_en)}".strip())
        return self.separator.join(parts)

    def certainty_of(self, rule: Rule) -> str:
        """Return, worded, how well the weakest document of a rule is known."""
        return self.words("certainty", self.context.book.certainty_of(rule.basis))

    def _translations(self, rule_id: str) -> dict[str, str]:
        rule = self._rules.get(rule_id)
        if rule is None:
            return {}
        pairs = [(rule.procedure, rule.procedure_en), (rule.note, rule.note_en)]
        pairs += [pair for u in rule.unless for pair in ((u.procedure, u.procedure_en), (u.note, u.note_en))]
        return {zh: en for zh, en in pairs if zh and en}


class ReportText(ContextText):
    """The wording of a screening in one language: beside city, layers and rules, its findings and verdicts.

    Parameters
    ----------
    report : Report
        The report to word.
    language : {"zh", "en"}
        The reader's language.
    """

    def __init__(self, report: Report, language: Language) -> None:
        super().__init__(report, language)
        self.report = report

    def override(self, finding: Mapping[str, Any]) -> str:
        """Return how a finding was overruled: why, by whom, when, and whether it has changed since; may be empty."""
        key = (text(finding["site_id"]), text(finding["rule"]))
        parts = []
        for row in self._overrides.get(key, []):
            if row["feature_id"] in ("", text(finding["feature_id"])):
                values = {name: row[name] for name in ("reason", "author", "date", "changed")}
                parts.append(self.words("override", f"said_{row['status']}", **values))
        return self.separator.join(parts)

    @cached_property
    def _overrides(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """Decisions by site and rule."""
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in records(self.report.overrides, self.report.overrides.columns):
            found.setdefault((text(row["site_id"]), text(row["rule"])), []).append(row)
        return found

    def findings(self, *, first: str = "conflicts") -> Iterator[dict[str, Any]]:
        """Iterate over the findings, the gravest first or, with ``first="site"``, in the report's order."""
        frame = self.report.table
        if first == "conflicts":
            frame = frame.iloc[conflicts_first(frame)]
        return records(frame, (c.name for c in finding_columns(frame)))

    def verdicts(self) -> Iterator[dict[str, Any]]:
        """Iterate over the verdicts in the report's order."""
        return records(self.report.verdicts, (c.name for c in VERDICT_COLUMNS))
