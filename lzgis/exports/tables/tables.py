"""The tables of a report as a planner reads them: heads in words, rounded numbers, the gravest rows first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from lzgis.exports.report_text import SEPARATOR, Teller, hectares, number, records, text
from lzgis.exports.tables.answer_sheet import AnswerSheet
from lzgis.model.report import State, Verdict
from lzgis.model.rules import Rule

Kind = Literal["text", "count", "area", "hectare", "metre", "share"]
Value = str | float | None


class Head(NamedTuple):
    """A column: its title, what it holds, and whether long texts in it are folded."""

    title: str
    kind: Kind = "text"
    folded: bool = False


@dataclass(frozen=True)
class Table:
    """A table ready to be laid out.

    `marks` gives each row the verdict whose colour it has in column `marked`, or an empty string; the first
    `fixed` columns stay in view; `choices` are the answers that the column of that number may take.
    """

    name: str
    heads: list[Head]
    rows: list[list[Value]]
    marks: list[str] = field(default_factory=list)
    marked: int = 0
    fixed: int = 0
    choices: Mapping[int, list[str]] = field(default_factory=dict)


#: Decimals; metres to the millimetre, lest 29.996 m read as the 30 m that a rule demands.
_PLACES: dict[Kind, int] = {"count": 0, "area": 2, "metre": 3, "share": 4}

#: What the columns hold that are not texts.
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
}
_FOLDED = {"site_name", "prohibited", "conditional", "notices", "not_checked", "nearest_rule", "clause", "explanation"}
_FOLDED_OF_FINDINGS = {"site_name", "rule", "reason", "procedure", "note", "basis", "repealed", "override"}

_VERDICT_COLUMNS = [
    *["site_id", "site_name", "activity", "verdict"],
    *["prohibited_count", "conditional_count", "notices_count", "not_checked_count"],
    *["site_area_m2", "site_area_ha", "site_length_m"],
    *["prohibited", "conditional", "notices", "not_checked", "nearest_rule", "nearest_m"],
]
_FINDING_COLUMNS = [
    *["site_id", "site_name", "activity", "rule", "kind", "layer", "feature_id", "feature_name", "state"],
    *["severity", "reason", "area_m2", "area_ha", "area_possible_m2", "area_possible_ha", "share"],
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
_CORRIDOR_COLUMNS = [
    *["site_id", "site_name", "rule", "feature_id", "feature_name", "state", "severity", "baseline"],
    *["half_width_m", "required_m", "distance_m", "shortfall_m", "required_possible_m"],
    *["shortfall_possible_m", "band", "area_m2", "area_possible_m2", "length_m", "reason", "procedure"],
    *["note", "basis", "repealed", "strength", "certainty"],
]
_UNCHECKED_COLUMNS = [
    *["site_id", "site_name", "rule", "layer", "severity", "state", "reason", "unchecked_share", "rule_id"],
]
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


def report_tables(teller: Teller) -> list[Table]:
    """Return every table of a report but its provenance, in the order they are read."""
    findings = [_told(teller, finding) for finding in teller.findings()]
    overruled = ["override"] if len(teller.report.overrides) else []
    open_rows = [f for f in findings if f["code"] == State.NOT_CHECKED or (f["unchecked_share"] or 0) > 0]
    return [
        verdict_table(teller),
        _finding_table(teller, "findings", [*_FINDING_COLUMNS, *overruled], findings),
        _finding_table(teller, "corridors", _CORRIDOR_COLUMNS, [f for f in findings if f["corridor"]]),
        _unit_list_table(teller),
        _finding_table(teller, "not_checked", _UNCHECKED_COLUMNS, open_rows),
        *_override_tables(teller),
        rule_table(teller),
    ]


def _told(teller: Teller, finding: Mapping[str, Any]) -> dict[str, Any]:
    """Word and round one finding; `code`, `corridor` and `mark` are for sorting it into tables."""
    rule = finding["rule"]
    told: dict[str, Any] = {}
    for name in (n for n in _FINDING_COLUMNS if n in finding):
        kind = _KINDS.get(name, "text")
        told[name] = text(finding[name]) if kind == "text" else number(finding[name], _PLACES[kind])
    return told | {
        "code": finding["state"],
        "corridor": finding["kind"] == "keep_away",
        "mark": mark_of(finding),
        "override": teller.override(finding),
        "activity": teller.activity(finding["activity"]),
        "rule": teller.rule(rule),
        "rule_id": rule,
        "area_ha": hectares(finding["area_m2"]),
        "area_possible_ha": hectares(finding["area_possible_m2"]),
        "kind": teller.word("rule_kind", finding["kind"]),
        "layer": teller.layer(finding["layer"]),
        "state": teller.word("state", finding["state"]),
        "severity": teller.word("severity", finding["severity"]),
        "reason": teller.reason(finding),
        "band": teller.word("band", finding["band"]),
        "baseline": teller.word("baseline", finding["baseline"]),
        "procedure": teller.translated(rule, finding["procedure"]),
        "note": teller.translated(rule, finding["note"]),
        "basis": teller.basis(finding),
        "strength": teller.word("strength", finding["strength"]),
        "certainty": teller.word("certainty", finding["certainty"]),
        "shortfall_m": shortfall(finding["required_m"], finding["distance_m"]),
        "shortfall_possible_m": shortfall(finding["required_possible_m"], finding["distance_m"]),
    }


def shortfall(required_m: Any, distance_m: Any) -> float | None:
    """Give how many metres are missing; None where no distance is demanded or measured."""
    required, distance = number(required_m), number(distance_m)
    return None if required is None or distance is None else round(max(0.0, required - distance), 3)


def mark_of(finding: Mapping[str, Any]) -> str:
    """Give the verdict that a finding alone would lead to; a notice and what lies apart lead to none."""
    if finding["severity"] == "notice" or finding["state"] == State.CLEAR:
        return ""
    if finding["state"] == State.NOT_CHECKED:
        return Verdict.INCOMPLETE
    grave = finding["severity"] == "prohibited" and finding["state"] == State.INVOLVED
    return Verdict.PROHIBITED if grave else Verdict.REVIEW


def _heads(teller: Teller, names: Iterable[str], *, folded: Iterable[str] = _FOLDED) -> list[Head]:
    return [Head(teller.column(name), _KINDS.get(name, "text"), name in folded) for name in names]


def _finding_table(teller: Teller, name: str, columns: list[str], rows: list[dict[str, Any]]) -> Table:
    return Table(
        name,
        _heads(teller, columns, folded=_FOLDED_OF_FINDINGS),
        [[row[column] for column in columns] for row in rows],
        marks=[row["mark"] for row in rows],
        marked=columns.index("state"),
        fixed=2,
    )


def verdict_table(teller: Teller) -> Table:
    """Return the table of the verdicts."""
    steps = teller.report.book.tolerance.ladder_m2
    heads = _heads(teller, _VERDICT_COLUMNS)
    heads += [Head(teller.words("column", "ladder_step", area=step)) for step in steps]
    rows: list[list[Value]] = []
    marks = []
    for verdict in teller.verdicts():
        lists = [verdict[n] for n in ("prohibited", "conditional", "notices", "not_checked")]
        ladder = [teller.word("verdict", v) for v in verdict["ladder"]][: len(steps)]
        area = verdict["site_area_m2"]
        row: list[Value] = [verdict["site_id"], verdict["site_name"], teller.activity(verdict["activity"])]
        row += [teller.word("verdict", verdict["verdict"]), *(len(names) for names in lists)]
        row += [number(area, 2), hectares(area), number(verdict["site_length_m"], 3)]
        row += [teller.rules(names) for names in lists]
        row += [teller.rule(text(verdict["nearest_rule"])), number(verdict["nearest_m"], 3), *ladder]
        rows.append(row)
        marks.append(verdict["verdict"])
    return Table("verdicts", heads, rows, marks=marks, marked=3, fixed=2)


def _unit_list_table(teller: Teller) -> Table:
    sheet = AnswerSheet(teller)
    rows: list[list[Value]] = []
    for site, name in zip(teller.report.verdicts["site_id"], teller.report.verdicts["site_name"], strict=True):
        for one in sheet.clauses(site):
            told: list[Value] = [site, text(name), teller.word("level-of", one.level)]
            told += [
                one.unit_id,
                one.unit_name,
                one.unit_class,
                number(one.share, 4),
                one.heading,
                one.clause,
                "\n".join(one.facts),
                "",
                "",
            ]
            rows.append([*told, one.basis, one.certainty, one.note])
    answers = teller.words("table", "answers").split(",")
    choices = {_UNIT_COLUMNS.index("answer"): answers}
    folded = _FOLDED | {"facts", "basis", "note"}
    return Table("unit_lists", _heads(teller, _UNIT_COLUMNS, folded=folded), rows, fixed=2, choices=choices)


def _override_tables(teller: Teller) -> list[Table]:
    """Return the table of overruled findings, if there are any."""
    rows: list[list[Value]] = []
    for row in records(teller.report.overrides, _OVERRIDE_COLUMNS):
        told: dict[str, Value] = {name: text(value) for name, value in row.items()}
        told |= {
            "rule": teller.rule(row["rule"]),
            "status": teller.word("override", row["status"]),
            "evidence_state": teller.word("override", row["evidence_state"]),
            "state_then": teller.word("state", row["state_then"]),
            "severity_then": teller.word("severity", row["severity_then"]),
            "area_m2_then": number(row["area_m2_then"], 2),
        }
        rows.append([told[name] for name in _OVERRIDE_COLUMNS])
    folded = ("reason", "changed", "evidence")
    heads = [
        Head(teller.words("override", f"head_{name}"), "area" if name == "area_m2_then" else "text", name in folded)
        for name in _OVERRIDE_COLUMNS
    ]
    return [Table("overrides", heads, rows, fixed=2)] if rows else []


def rule_table(teller: Teller) -> Table:
    """Return the table of the rules in force, with what each demands and rests on."""
    folded = {"basis", "repealed", "parameters", "procedure", "note"}
    in_force = teller.report.book.as_of(teller.report.provenance.as_of).rules
    rows = [_rule_row(teller, rule) for rule in in_force]
    return Table("rules", _heads(teller, _RULE_COLUMNS, folded=folded), rows, fixed=2)


def _rule_row(teller: Teller, rule: Rule) -> list[Value]:
    title = teller.words.title
    return [
        rule.id,
        title(rule.title, rule.title_en),
        teller.word("rule_kind", rule.kind),
        SEPARATOR.join(teller.layer(layer) for layer in rule.layers),
        teller.word("severity", rule.severity),
        teller.word("strength", rule.strength),
        teller.basis_of(rule),
        teller.certainty_of(rule),
        rule.effective_from.isoformat(),
        "" if rule.effective_to is None else rule.effective_to.isoformat(),
        _repealed(teller, rule),
        _parameters(teller, rule),
        title(rule.procedure, rule.procedure_en),
        title(rule.note, rule.note_en),
    ]


def _repealed(teller: Teller, rule: Rule) -> str:
    as_of = teller.report.provenance.as_of
    found = []
    for basis in rule.basis:
        document = teller.report.book.documents[basis.document]
        if document.repealed(as_of):
            name = teller.words.title(document.title, document.title_en)
            line = teller.words("finding", "repealed", document=name, date=document.repealed_on)
            found.append(f"{line} ({document.repealed_by})" if document.repealed_by else line)
    return SEPARATOR.join(found)


def _parameters(teller: Teller, rule: Rule) -> str:
    """Spell out what limits a rule, what its kind adds, and its exceptions."""
    more = rule.model_dump(mode="json", exclude=set(Rule.model_fields) - {"where"})
    parts = [f"{name} = {value}" for name, value in more.items() if value not in (None, "", [], {})]
    if rule.activities:
        parts.append(teller.words("table", "only", activities=_activities(teller, rule.activities)))
    for one in rule.unless:
        severity = teller.word("severity", one.severity)
        severity += f" {one.item}" if one.item else ""
        activities = _activities(teller, one.activity)
        parts.append(teller.words("table", "unless", activities=activities, severity=severity))
    return SEPARATOR.join(parts)


def _activities(teller: Teller, activities: Iterable[str]) -> str:
    return teller.words("picture", "separator").join(teller.activity(a) for a in activities)
