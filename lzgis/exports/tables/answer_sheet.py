"""The answer sheet to the admission lists, for workbook and documents: province first, then city, then each unit.

Each clause has the facts that geometry and activity give. A level without clauses in the rule book has a blank line under
every heading, for the planner to fill in, so that no level is left out silently.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from lzgis.exports.report_text import Coded, ReportText, coded, conflicts_first, number, text, visible
from lzgis.exports.rounding import Rounding
from lzgis.model.report import HIT_STATES, NOT_MEANT, Reason, State
from lzgis.model.rules import Level, Requirement, Severity
from lzgis.rules.for_sites import DISTANCE_KINDS, INFORMING_KINDS

Row = dict[str, Any]
#: Returns the size of the part of a site in a finding, as the output words it.
Sizer = Callable[[Mapping[str, Any]], str]

_COPIED = ("heading", "clause", "unit_id", "unit_name", "unit_class", "basis", "note")


#: Columns of the findings that facts are worded from.
_USED = ("site_id", "rule", "state", "severity", "area_m2", "length_m", "distance_m", "layer")


class Clause(NamedTuple):
    """A line of the answer sheet: who sets the clause, the control unit if it is one's, the clause, and the facts."""

    level: Level
    share: float | None
    heading: str
    clause: str
    facts: tuple[str, ...]
    unit_id: str = ""
    unit_name: str = ""
    unit_class: str = ""
    basis: str = ""
    certainty: str = ""
    note: str = ""
    #: The conclusion that the facts suggest: violates, prove, open, clear or manual; empty for a blank line.
    proposed: str = ""

    @property
    def blank(self) -> bool:
        """Whether the line is for the planner to fill in."""
        return not self.clause


class Answer(NamedTuple):
    """A clause for one site: its position in `AnswerSheet.listed`, and what differs from site to site."""

    place: int
    share: float | None = None
    facts: tuple[str, ...] = ()
    proposed: str = ""


class AnswerSheet:
    """The answer sheets of all sites of a report.

    Parameters
    ----------
    texts : ReportText
        The report, and the reader's language.
    """

    def __init__(self, texts: ReportText) -> None:
        self._texts = texts
        self._report = texts.report
        self._rounding = Rounding(texts.report)
        self._visible = cache(lambda value: visible(text(value)))
        #: Every clause of the report once, without what differs from site to site; those of no site are blank.
        self.listed: list[Clause] = []
        self._rows = coded(self._report.unit_lists, ("level", "certainty", *_COPIED), self._added)
        self._layers = [self._mentioned_by(one.clause) for one in self.listed]
        self._blank_of: dict[Level, list[int]] = {
            level: self._blanks(level) for level in Level if level is not Level.UNIT
        }

    def clauses(self, site_id: str, size: Sizer | None = None) -> Iterator[Clause]:
        """Iterate over the clauses that a site must answer, in their order; sizes are in ㎡ and hectares by default."""
        for place, share, facts, proposed in self.answers(site_id, size):
            yield self.listed[place]._replace(share=share, facts=facts, proposed=proposed)

    def answers(self, site_id: str, size: Sizer | None = None) -> Iterator[Answer]:
        """Iterate over what `clauses` returns, as positions in `listed` and what differs from site to site."""
        size = size or self._size
        # Clauses that mention the same layers have the same facts and the same conclusion.
        known: dict[tuple[str, ...], tuple[tuple[str, ...], str]] = {}
        mine = self._places.rows(site_id)
        for level in Level:
            rows = [row for row in mine if self.listed[row["place"]].level == level]
            if not rows:
                yield from map(Answer, self._blank_of.get(level, ()))
            for row in rows:
                layers = self._layers[row["place"]]
                if layers not in known:
                    known[layers] = tuple(self._facts(site_id, layers, size)), self._proposed(site_id, layers)
                yield Answer(row["place"], number(row["share"]), *known[layers])

    def _added(self, level: str, certainty: Any, *copied: Any) -> int:
        """Add a clause to `listed`; return its position."""
        worded = dict(zip(_COPIED, map(self._visible, copied), strict=True))
        certainty = self._texts.word("certainty", text(certainty))
        self.listed.append(Clause(level=Level(level), share=None, facts=(), certainty=certainty, **worded))
        return len(self.listed) - 1

    def _blanks(self, level: Level) -> list[int]:
        """Add the blank lines of a level to `listed`; return their positions."""
        first = len(self.listed)
        for heading in self._headings or ("",):
            self.listed.append(Clause(level, share=None, heading=visible(heading), clause="", facts=()))
        return list(range(first, len(self.listed)))

    def requirements(self, site_id: str) -> list[Requirement]:
        """Return the general requirements that a site must answer."""
        found = (self.listed[row["place"]] for row in self._places.rows(site_id))
        mine = {(one.level.value, one.clause) for one in found}
        return [one for one in self._report.book.requirements if (one.level.value, one.clause) in mine]

    def _size(self, found: Mapping[str, Any]) -> str:
        """Return the size of a part as other outputs print it: square metres and hectares, or metres."""
        area, length, words = found["area_m2"], found["length_m"], self._texts.words
        rounding, layer = self._rounding, text(found.get("layer"))
        if number(area) is not None:
            printed = {"m2": rounding.square_metres(area, layer), "ha": rounding.hectares(area, layer)}
            return words("dossier", "square-metres", **printed)
        return "" if number(length) is None else words("dossier", "metres", m=rounding.metres(length, layer))

    @cached_property
    def _headings(self) -> tuple[str, ...]:
        """The headings of the lists of units."""
        lists = [getattr(rule, "list_fields", {}) for rule in self._report.book.rules]
        return tuple(dict.fromkeys(heading for fields in lists for heading in fields.values()))

    @cached_property
    def _places(self) -> _BySite:
        lists = self._report.unit_lists
        share = coded(lists, ["share"], lambda value: value)
        return _BySite(lists["site_id"], {"place": self._rows, "share": share})

    @cached_property
    def _findings(self) -> _BySite:
        table = self._report.table
        # Only what clauses can mention, in the order of other tables.
        mentioned = table["rule"].isin(set().union(*self._rules_of.values())) & ~table["reason"].isin(NOT_MEANT)
        table = table[mentioned.to_numpy()]
        table = table.iloc[conflicts_first(table)][list(_USED)]
        return _BySite(table["site_id"], {name: coded(table, [name], lambda value: value) for name in _USED})

    @cached_property
    def _activities(self) -> dict[str, str]:
        verdicts = self._report.verdicts
        return dict(zip(verdicts["site_id"], verdicts["activity"], strict=True))

    @cached_property
    def _mentioned(self) -> dict[str, tuple[str, ...]]:
        """The words by which clauses mention each layer."""
        book, texts = self._report.book, self._texts
        return {
            layer: tuple(word for word in {title, texts.layer(layer), *book.mentions.get(layer, ())} if word)
            for layer, title in book.layers.items()
        }

    def _mentioned_by(self, clause: str) -> tuple[str, ...]:
        """Return the layers that a clause mentions."""
        return tuple(layer for layer, names in self._mentioned.items() if any(word in clause for word in names))

    def _facts(self, site_id: str, layers: Sequence[str], size: Sizer) -> list[str]:
        """Return what is known about these layers, and the activity."""
        facts: list[str] = []
        for layer in layers:
            facts += self._layer_facts(site_id, layer, size)
        given = visible(self._texts.activity(text(self._activities.get(site_id))))
        say = self._texts.words
        facts.append(say("dossier", "fact-activity", activity=given or say("dossier", "no-activity")))
        return list(dict.fromkeys(facts))

    def _proposed(self, site_id: str, layers: Sequence[str]) -> str:
        """Return the conclusion that the findings on the layers a clause mentions suggest; the gravest counts.

        Where a clause mentions no layer, or the site meets one of which a rule only informs, it is for the planner to judge.
        """
        if not layers:
            return "manual"
        rules = set().union(*(self._rules_of[layer] for layer in layers))
        mine = [f for f in self._findings.rows(site_id) if f["rule"] in rules]
        hits = [f for f in mine if f["state"] in HIT_STATES]
        if any(f["severity"] == Severity.PROHIBITED and f["state"] == State.INVOLVED for f in hits):
            return "violates"
        if any(f["severity"] != Severity.NOTICE for f in hits):
            return "prove"
        missing = any(layer not in self._report.layers for layer in layers)
        if missing or any(f["state"] == State.NOT_CHECKED for f in mine):
            return "open"
        return "manual" if hits or not mine else "clear"

    def _layer_facts(self, site_id: str, layer: str, size: Sizer) -> list[str]:
        """Return one line per rule of a layer that the site violates; if there is none, one for the layer."""
        texts, words = self._texts, self._texts.words
        rules = self._rules_of[layer]
        mine = [f for f in self._findings.rows(site_id) if f["rule"] in rules]
        mine.sort(key=lambda f: State(f["state"]).rank)
        title = visible(texts.layer(layer))
        if not mine and layer not in self._report.layers:
            state, reason = texts.word("state", State.NOT_CHECKED), words("reason", Reason.LAYER_MISSING)
            return [words("dossier", "fact-missing", title=title, state=state, reason=reason)]
        caught = [f for f in mine if f["state"] in HIT_STATES]
        facts = []
        for alike in _alike(caught) or [mine[:1]]:
            if not alike:
                continue
            found = alike[0]
            named = visible(texts.rule(found["rule"])) if caught else title
            line = words("dossier", "fact-state", title=named, state=texts.word("state", found["state"]))
            large = size(found) if caught else ""
            distance = number(found["distance_m"])
            if large:
                key = "fact-largest" if len(alike) > 1 else "fact-size"
                line += words("dossier", key, size=large, count=len(alike))
            elif found["state"] == State.CLEAR and distance is not None:
                line += words("dossier", "fact-distance", m=self._rounding.metres(distance, layer))
            facts.append(line)
        return facts

    @cached_property
    def _rules_of(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for rule in self._report.book.rules:
            if rule.kind not in DISTANCE_KINDS | INFORMING_KINDS:
                found[rule.layer].add(rule.id)
        return found


def _alike(findings: list[Row]) -> list[list[Row]]:
    """Group findings by rule and state; the largest of each group comes first."""
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for one in findings:
        found[one["rule"], one["state"]].append(one)
    return [sorted(group, key=_extent, reverse=True) for group in found.values()]


def _extent(finding: Row) -> float:
    return number(finding["area_m2"]) or number(finding["length_m"]) or 0.0


class _BySite:
    """Rows of a table by site; those of one site at a time are Python objects.

    Parameters
    ----------
    sites : Series
        The site of each row.
    columns : mapping
        The columns of a row by name.
    """

    def __init__(self, sites: pd.Series[Any], columns: Mapping[str, Coded]) -> None:
        codes, known = pd.factorize(sites)
        self._order: npt.NDArray[np.intp] = np.argsort(codes, kind="stable")
        ends = np.cumsum(np.bincount(codes, minlength=len(known))).tolist()
        self._span = dict(zip(known.tolist(), zip([0, *ends], ends, strict=False), strict=True))
        self._columns = columns
        self._last: tuple[Hashable, list[Row]] = (None, [])

    def rows(self, site_id: str) -> list[Row]:
        """Return the rows of a site in their order."""
        if self._last[0] != site_id:
            start, end = self._span.get(site_id, (0, 0))
            chosen = self._order[start:end]
            values = ([one.values[code] for code in one.codes[chosen].tolist()] for one in self._columns.values())
            rows = [dict(zip(self._columns, row, strict=True)) for row in zip(*values, strict=True)]
            self._last = (site_id, rows)
        return self._last[1]
