"""The tables of a report for planners: worded headings, rounded numbers, the gravest rows first."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple, overload

import numpy as np
import pandas as pd

from lzgis.exports.report_text import (
    Coded,
    ContextText,
    ReportText,
    coded,
    conflicts_first,
    hectares,
    number,
    records,
    text,
)
from lzgis.exports.rule_counts import rule_counts
from lzgis.exports.tables.answer_sheet import AnswerSheet
from lzgis.model.report import CITY_COLUMN, SEPARATOR, Report, State, Verdict
from lzgis.model.rules import Rule
from lzgis.rules.for_sites import DISTANCE_KINDS

Kind = Literal["text", "count", "area", "hectare", "metre", "share"]
Value = str | float | None


class Head(NamedTuple):
    """A column: its heading, the kind of its values, and whether long texts in it are wrapped."""

    title: str
    kind: Kind = "text"
    folded: bool = False


class CodedRows(Sequence[Sequence[Value]]):
    """The rows of a table that is held by columns; a row is made when it is read.

    Parameters
    ----------
    columns : list of Coded
        The columns, in the order of the headings.
    """

    def __init__(self, columns: list[Coded]) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns[0].codes)

    @overload
    def __getitem__(self, place: int) -> Sequence[Value]: ...

    @overload
    def __getitem__(self, place: slice) -> CodedRows: ...

    def __getitem__(self, place: int | slice) -> Sequence[Value] | CodedRows:
        if isinstance(place, slice):
            return CodedRows([Coded(one.codes[place], one.values) for one in self.columns])
        return [one.values[one.codes[place]] for one in self.columns]

    def __iter__(self) -> Iterator[Sequence[Value]]:
        return zip(*(one.tolist() for one in self.columns), strict=True)


@dataclass(frozen=True)
class Table:
    """A table to lay out.

    `marks` has for each row the verdict whose colour column `marked` gets, or an empty string. The first `fixed` columns
    are frozen. `choices` are the values that a cell of a column may take, by the column's position. Of a table for the
    screen only the first `printed` rows are printed.
    """

    name: str
    heads: list[Head]
    rows: Sequence[Sequence[Value]]
    marks: Sequence[str] = field(default_factory=list)
    marked: int = 0
    fixed: int = 0
    choices: Mapping[int, list[str]] = field(default_factory=dict)
    printed: int | None = None


#: The most rows that are printed of long lists: rules not meant, and the answers that each document has.
PRINTED_ROWS = 40

#: Decimals. Lengths have millimetres: 29.996 m must not read as the 30 m that a rule demands.
_PLACES: dict[Kind, int] = {"count": 0, "area": 2, "metre": 3, "share": 4}

#: Kinds of the columns that are not texts.
_KINDS: dict[str, Kind] = {
    "area_m2": "area",
    "area_ha": "hectare",
    "area_possible_m2": "area",
    "area_possible_ha": "hectare",
    "site_area_m2": "area",
    "site_area_ha": "hectare",
    "site_length_m": "metre",
    "share": "share",
    "unchecked_share": "share",
    "length_m": "metre",
    "distance_m": "metre",
    "required_m": "metre",
    "required_possible_m": "metre",
    "shortfall_m": "metre",
    "shortfall_possible_m": "metre",
    "margin": "metre",
    "half_width_m": "metre",
    "mean_width_m": "metre",
    "nearest_m": "metre",
    "prohibited_count": "count",
    "conditional_count": "count",
    "notices_count": "count",
    "not_checked_count": "count",
    "not_applicable": "count",
    "total_rules": "count",
    "involved_rules": "count",
    "sliver_rules": "count",
    "unchecked_rules": "count",
    "clear_rules": "count",
    "not_applicable_rules": "count",
    "unlisted_rules": "count",
    "unmeant_sites": "count",
    "unmeant_inside": "count",
    "context_rules": "count",
    "finding_rows": "count",
    "sites": "count",
}
_FOLDED = {"site_name", "prohibited", "conditional", "notices", "not_checked", "nearest_rule", "clause", "explanation"}
_FOLDED_OF_FINDINGS = {"site_name", "rule", "reason", "procedure", "note", "basis", "repealed", "override"}

_VERDICT_COLUMNS = [
    *["site_id", "site_name", "activity", "verdict"],
    *["prohibited_count", "conditional_count", "notices_count", "not_checked_count", "not_applicable"],
    *["site_area_m2", "site_area_ha", "site_length_m"],
    *["prohibited", "conditional", "notices", "not_checked", "nearest_rule", "nearest_m"],
]
_FINDING_COLUMNS = [
    *["site_id", "site_name", "activity", "rule", "kind", "layer", "feature_id", "feature_name", "state"],
    *[
        "severity",
        "route",
        "open_facts",
        "reason",
        "area_m2",
        "area_ha",
        "area_possible_m2",
        "area_possible_ha",
        "share",
    ],
    *["length_m", "distance_m", "required_m", "required_possible_m", "margin", "band", "baseline"],
    *[
        "half_width_m",
        "mean_width_m",
        "unchecked_share",
        "item",
        "procedure",
        "note",
        "basis",
        "repealed",
        "strength",
    ],
    *["certainty", "as_of", "rule_id"],
]
#: Columns of codes that the section of the wording with the same name words.
_CODES = ("state", "severity", "band", "baseline", "strength", "certainty")
_CORRIDOR_COLUMNS = [
    *["site_id", "site_name", "rule", "feature_id", "feature_name", "state", "severity", "baseline"],
    *["half_width_m", "required_m", "distance_m", "shortfall_m", "required_possible_m"],
    *["shortfall_possible_m", "band", "area_m2", "area_possible_m2", "length_m", "reason", "procedure"],
    *["note", "basis", "repealed", "strength", "certainty"],
]
_UNCHECKED_COLUMNS = [
    *[
        "site_id",
        "site_name",
        "rule",
        "layer",
        "severity",
        "state",
        "reason",
        "open_facts",
        "unchecked_share",
        "rule_id",
    ],
]
_NOT_APPLICABLE_COLUMNS = [
    *["site_id", "site_name", "activity", "rule", "layer", "feature_id", "feature_name", "state", "reason"],
    *["area_m2", "area_ha", "share", "length_m", "distance_m", "required_m", "basis", "rule_id"],
]
#: The columns of the counts, by those of `rule_counts`.
_COUNT_COLUMNS = {
    "rules": "total_rules",
    "involved": "involved_rules",
    "sliver": "sliver_rules",
    "unchecked": "unchecked_rules",
    "clear": "clear_rules",
    "not_applicable": "not_applicable_rules",
    "unlisted": "unlisted_rules",
    "context": "context_rules",
    "findings": "finding_rows",
}
_UNIT_COLUMNS = [
    *[
        "site_id",
        "site_name",
        "clause_level",
        "unit_id",
        "unit_name",
        "unit_class",
        "share",
        "heading",
        "clause",
        "facts",
    ],
    *["answer", "explanation", "basis", "certainty", "note"],
]
_OVERRIDE_COLUMNS = [
    *["site_id", "rule", "feature_id", "status", "changed", "reason", "author", "date", "evidence", "evidence_state"],
    *["evidence_sha256", "state_then", "severity_then", "area_m2_then"],
]
_RULE_COLUMNS = [
    *["rule_id", "rule", "kind", "layer", "severity", "strength", "basis", "certainty", "effective_from"],
    *["effective_to", "repealed", "parameters", "procedure", "note"],
]


def report_tables(texts: ReportText) -> Iterator[Table]:
    """Iterate over the tables of a report, without its provenance, in reading order."""
    yield verdict_table(texts)
    yield from city_tables(texts)
    table = texts.report.table
    city = [CITY_COLUMN.name] if CITY_COLUMN.name in table else []
    order = conflicts_first(table)
    # Codes are sorted, not the table: its texts would be copied.
    columns = {name: column.taken(order) for name, column in _worded(texts, table).items()}
    overruled = ["override"] if len(texts.report.overrides) else []
    unmeant = (table["state"] == State.NOT_APPLICABLE).to_numpy()[order]
    yield _finding_table(texts, "findings", [*_FINDING_COLUMNS, *city, *overruled], columns, ~unmeant)
    corridor = table["kind"].isin(DISTANCE_KINDS).to_numpy()[order] & ~unmeant
    yield _finding_table(texts, "corridors", [*_CORRIDOR_COLUMNS, *city], columns, corridor)
    yield _unit_list_table(texts)
    unknown = (table["state"] == State.NOT_CHECKED).to_numpy() | (table["unchecked_share"] > 0).to_numpy()
    yield _finding_table(texts, "not_checked", [*_UNCHECKED_COLUMNS, *city], columns, unknown[order])
    yield _finding_table(texts, "not_applicable", [*_NOT_APPLICABLE_COLUMNS, *city], columns, unmeant)
    yield count_table(texts)
    yield from _override_tables(texts)
    yield rule_table(texts)


def _worded(texts: ReportText, table: pd.DataFrame) -> dict[str, Coded]:
    """Word and round the findings by columns, once per distinct value; `mark` decides their colour."""
    columns: dict[str, Coded] = {}
    for name in (n for n in (*_FINDING_COLUMNS, CITY_COLUMN.name) if n in table):
        kind = _KINDS.get(name, "text")
        columns[name] = coded(table, [name], text if kind == "text" else partial(number, places=_PLACES[kind]))
    # Columns that are worded, and the columns of the findings that each is worded from.
    worded: dict[str, tuple[list[str], Callable[..., Any]]] = {
        "mark": (["severity", "state"], _mark),
        "activity": (["activity"], texts.activity),
        "rule": (["rule"], texts.rule),
        "rule_id": (["rule"], text),
        "area_ha": (["area_m2"], hectares),
        "area_possible_ha": (["area_possible_m2"], hectares),
        "kind": (["kind"], partial(texts.word, "rule_kind")),
        "layer": (["layer"], texts.layer),
        "reason": (
            ["reason", "unchecked_share"],
            lambda reason, share: texts.reason({"reason": reason, "unchecked_share": share}),
        ),
        **{name: ([name], partial(texts.word, name)) for name in _CODES},
        "procedure": (["rule", "procedure"], texts.translated),
        "note": (["rule", "note"], texts.translated),
        "route": (["route"], texts.route),
        "open_facts": (["open_facts"], texts.open_facts),
        "basis": (["rule", "basis"], lambda rule, basis: texts.basis({"rule": rule, "basis": basis})),
        "shortfall_m": (["required_m", "distance_m"], shortfall),
        "shortfall_possible_m": (["required_possible_m", "distance_m"], shortfall),
    }
    if len(texts.report.overrides):
        keys = ["site_id", "rule", "feature_id"]
        worded["override"] = (keys, lambda *values: texts.override(dict(zip(keys, values, strict=True))))
    return columns | {name: coded(table, names, word) for name, (names, word) in worded.items()}


def shortfall(required_m: Any, distance_m: Any) -> float | None:
    """Return how many metres are missing; None if no distance is demanded or measured."""
    required, distance = number(required_m), number(distance_m)
    return None if required is None or distance is None else round(max(0.0, required - distance), 3)


def mark_of(finding: Mapping[str, Any]) -> str:
    """Return the verdict that a finding alone would lead to; empty for a notice, 不涉及 and 不适用."""
    return _mark(finding["severity"], finding["state"])


def _mark(severity: str, state: str) -> str:
    if severity == "notice" or state in (State.CLEAR, State.NOT_APPLICABLE):
        return ""
    if state == State.NOT_CHECKED:
        return Verdict.INCOMPLETE
    grave = severity == "prohibited" and state == State.INVOLVED
    return Verdict.PROHIBITED if grave else Verdict.REVIEW


def _heads(texts: ContextText, names: Iterable[str], *, folded: Iterable[str] = _FOLDED) -> list[Head]:
    return [Head(texts.column(name), _KINDS.get(name, "text"), name in folded) for name in names]


def _finding_table(
    texts: ReportText, name: str, names: list[str], columns: Mapping[str, Coded], chosen: Any = slice(None)
) -> Table:
    return Table(
        name,
        _heads(texts, names, folded=_FOLDED_OF_FINDINGS),
        CodedRows([columns[one].taken(chosen) for one in names]),
        marks=columns["mark"].taken(chosen).tolist(),
        marked=names.index("state"),
        fixed=2,
        printed=PRINTED_ROWS if name == "not_applicable" else None,
    )


def city_tables(texts: ReportText) -> list[Table]:
    """Return the tables of a report on several cities: what was found by city and rule, and how sites are divided."""
    report = texts.report
    if not len(report.stretches):
        return []
    outside = texts.words("table", "no_city")
    words: dict[str, Callable[[str], str]] = {
        "city": lambda value: text(value) or outside,
        "rule": texts.rule,
        "state": partial(texts.word, "state"),
        "verdict": partial(texts.word, "verdict"),
    }
    made = []
    for name, frame in (("city_rules", report.city_rules), ("stretches", report.stretches)):
        columns = [*frame.columns]
        columns.insert(columns.index("area_m2") + 1, "area_ha")
        rows: list[list[Value]] = []
        for row in records(frame, frame.columns):
            row["area_ha"] = hectares(row["area_m2"])
            rows.append([_city_value(column, row[column], words) for column in columns])
        made.append(Table(name, _heads(texts, columns), rows, fixed=2))
    return made


def _city_value(column: str, value: Any, words: Mapping[str, Callable[[str], str]]) -> Value:
    if column in words:
        return words[column](value)
    kind = _KINDS.get(column, "text")
    return text(value) if kind == "text" else number(value, _PLACES.get(kind, 4))


def verdict_table(texts: ReportText) -> Table:
    """Return the table of the verdicts."""
    steps = texts.report.book.tolerance.ladder_m2
    heads = _heads(texts, _VERDICT_COLUMNS)
    heads += [Head(texts.words("column", "ladder_step", area=step)) for step in steps]
    rows: list[list[Value]] = []
    marks = []
    for verdict in texts.verdicts():
        lists = [verdict[n] for n in ("prohibited", "conditional", "notices", "not_checked")]
        ladder = [texts.word("verdict", v) for v in verdict["ladder"]][: len(steps)]
        area = verdict["site_area_m2"]
        row: list[Value] = [verdict["site_id"], verdict["site_name"], texts.activity(verdict["activity"])]
        row += [texts.word("verdict", verdict["verdict"]), *(len(names) for names in lists), verdict["not_applicable"]]
        row += [number(area, 2), hectares(area), number(verdict["site_length_m"], 3)]
        row += [texts.rules(names) for names in lists]
        row += [texts.rule(text(verdict["nearest_rule"])), number(verdict["nearest_m"], 3), *ladder]
        rows.append(row)
        marks.append(verdict["verdict"])
    return Table("verdicts", heads, rows, marks=marks, marked=3, fixed=2)


def count_table(texts: ReportText) -> Table:
    """Return how many rules each site has by their answer, and its findings; the first row has the sums."""
    return _count_table_of(texts, rule_counts(texts.report))


def _count_table_of(texts: ContextText, counts: pd.DataFrame) -> Table:
    numbers = counts[list(_COUNT_COLUMNS)]
    rows: list[list[Value]] = [["", texts.words("table", "total"), *map(int, numbers.sum())]] if len(counts) else []
    rows += [
        [text(site), text(name), *row]
        for site, name, row in zip(counts["site_id"], counts["site_name"], numbers.to_numpy().tolist(), strict=True)
    ]
    return Table("counts", _heads(texts, ["site_id", "site_name", *_COUNT_COLUMNS.values()]), rows, fixed=2)


def tables_of_pieces(texts: ContextText, pieces: Iterable[Report]) -> tuple[Table, Table]:
    """Return the counts of sites that come in pieces, and for each rule the sites that it is not meant for."""
    book = texts.context.book.as_of(texts.context.provenance.as_of)
    met = {rule.id: [0, 0] for rule in book.rules}
    counts = []
    for piece in pieces:
        counts.append(rule_counts(piece))
        rows = piece.table[["site_id", "rule", "state"]].drop_duplicates()
        unmeant = rows["state"] == State.NOT_APPLICABLE
        for column, chosen in enumerate((~unmeant, unmeant)):
            for rule, sites in rows[chosen].groupby("rule", observed=True)["site_id"].nunique().items():
                met[str(rule)][column] += int(sites)
    every = pd.concat(counts, ignore_index=True)
    names = ["rule", "rule_title", "layer", "unmeant_sites", "unmeant_inside"]
    rows_of_rules: list[list[Value]] = [
        [
            rule.id,
            texts.words.title(rule.title, rule.title_en),
            texts.layer(rule.layer),
            len(every) - met[rule.id][0],
            met[rule.id][1],
        ]
        for rule in book.rules
        if len(every) > met[rule.id][0]
    ]
    return _count_table_of(texts, every), Table("not_applicable", _heads(texts, names), rows_of_rules, fixed=2)


class _Distinct:
    """Distinct values, and the place of each in the order in which they came."""

    def __init__(self) -> None:
        self.places: dict[Any, int] = {}

    def __call__(self, value: Any) -> int:
        return self.places.setdefault(value, len(self.places))


def _unit_list_table(texts: ReportText) -> Table:
    sheet = AnswerSheet(texts)
    verdicts = texts.report.verdicts
    # For each row the site, the clause, and the places of share and facts among the distinct ones.
    cells, shares, facts = array("i"), _Distinct(), _Distinct()
    for place, site_id in enumerate(verdicts["site_id"]):
        for answer in sheet.answers(site_id):
            cells.extend((place, answer.place, shares(answer.share), facts(answer.facts)))
    site, clause, share, fact = np.array(cells, dtype=np.int32).reshape(-1, 4).T.copy()
    columns = {
        "site_id": Coded(site, verdicts["site_id"].tolist()),
        "site_name": Coded(site, [text(name) for name in verdicts["site_name"]]),
        "clause_level": Coded(clause, [texts.word("level-of", one.level) for one in sheet.listed]),
        "share": Coded(share, [number(one, 4) for one in shares.places]),
        "facts": Coded(fact, ["\n".join(one) for one in facts.places]),
    }
    # The rest is the clause's, or is for the planner to write.
    rows = CodedRows(
        [columns.get(name) or Coded(clause, [getattr(one, name, "") for one in sheet.listed]) for name in _UNIT_COLUMNS]
    )
    answers = texts.words("table", "answers").split(",")
    choices = {_UNIT_COLUMNS.index("answer"): answers}
    folded = _FOLDED | {"facts", "basis", "note"}
    return Table(
        "unit_lists", _heads(texts, _UNIT_COLUMNS, folded=folded), rows, fixed=2, choices=choices, printed=PRINTED_ROWS
    )


def _override_tables(texts: ReportText) -> list[Table]:
    """Return the table of overruled findings, if there are any."""
    rows: list[list[Value]] = []
    for row in records(texts.report.overrides, _OVERRIDE_COLUMNS):
        worded: dict[str, Value] = {name: text(value) for name, value in row.items()}
        worded |= {
            "rule": texts.rule(row["rule"]),
            "status": texts.word("override", row["status"]),
            "evidence_state": texts.word("override", row["evidence_state"]),
            "state_then": texts.word("state", row["state_then"]),
            "severity_then": texts.word("severity", row["severity_then"]),
            "area_m2_then": number(row["area_m2_then"], 2),
        }
        rows.append([worded[name] for name in _OVERRIDE_COLUMNS])
    folded = ("reason", "changed", "evidence")
    heads = [
        Head(texts.words("override", f"head_{name}"), "area" if name == "area_m2_then" else "text", name in folded)
        for name in _OVERRIDE_COLUMNS
    ]
    return [Table("overrides", heads, rows, fixed=2)] if rows else []


def rule_table(texts: ContextText) -> Table:
    """Return the table of the rules in force: what each demands and what it rests on."""
    folded = {"basis", "repealed", "parameters", "procedure", "note"}
    in_force = texts.context.book.as_of(texts.context.provenance.as_of).rules
    rows = [_rule_row(texts, rule) for rule in in_force]
    return Table("rules", _heads(texts, _RULE_COLUMNS, folded=folded), rows, fixed=2)


def _rule_row(texts: ContextText, rule: Rule) -> list[Value]:
    title = texts.words.title
    return [
        rule.id,
        title(rule.title, rule.title_en),
        texts.word("rule_kind", rule.kind),
        SEPARATOR.join(texts.layer(layer) for layer in rule.layers),
        texts.word("severity", rule.severity),
        texts.word("strength", rule.strength),
        texts.basis_of(rule),
        texts.certainty_of(rule),
        rule.effective_from.isoformat(),
        "" if rule.effective_to is None else rule.effective_to.isoformat(),
        _repealed(texts, rule),
        _parameters(texts, rule),
        title(rule.procedure, rule.procedure_en),
        title(rule.note, rule.note_en),
    ]


def _repealed(texts: ContextText, rule: Rule) -> str:
    as_of = texts.context.provenance.as_of
    found = []
    for basis in rule.basis:
        document = texts.context.book.documents[basis.document]
        if document.repealed(as_of):
            name = texts.words.title(document.title, document.title_en)
            line = texts.words("finding", "repealed", document=name, date=document.repealed_on)
            found.append(f"{line} ({document.repealed_by})" if document.repealed_by else line)
    return SEPARATOR.join(found)


def _parameters(texts: ContextText, rule: Rule) -> str:
    """Return the limits of a rule, the settings of its kind, and its exceptions, worded."""
    more = rule.model_dump(mode="json", exclude=set(Rule.model_fields) - {"where"})
    parts = [line for name, value in more.items() if value not in (None, "", [], {}) for line in _settings(name, value)]
    if rule.activities:
        parts.append(texts.words("table", "only", activities=_activities(texts, rule.activities)))
    for one in rule.unless:
        severity = texts.word("severity", one.severity)
        severity += f" {one.item}" if one.item else ""
        activities = _activities(texts, one.activity)
        parts.append(texts.words("table", "unless", activities=activities, severity=severity))
    return texts.code.shown(SEPARATOR.join(parts))


def _settings(name: str, value: Any) -> list[str]:
    """Return a setting as a rule book would name it, on a line for each key of a table."""
    if isinstance(value, dict):
        return [line for key, inner in value.items() for line in _settings(f"{name}.{key}", inner)]
    if isinstance(value, list):
        return [f"{name} = {' / '.join(map(str, value))}"]
    return [f"{name} = {value:g}" if isinstance(value, float) else f"{name} = {value}"]


def _activities(texts: ContextText, activities: Iterable[str]) -> str:
    return texts.words("picture", "separator").join(texts.activity(a) for a in activities)
