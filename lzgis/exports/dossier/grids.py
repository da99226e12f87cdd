"""The tables of a dossier, each as a `Grid`.

Findings with their townships, verdicts at several thresholds, corridor distances, zones, admission lists, legal basis,
what was not checked, and provenance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, Literal

from lzgis.coordinates.profiles import profile
from lzgis.exports.dossier.document import Column, Grid
from lzgis.exports.dossier.project import DossierSource, Project, Row, concerns_activity, feature_name
from lzgis.exports.provenance import REPAIR_COLUMNS, provenance_tables
from lzgis.exports.report_text import number, records, text, visible
from lzgis.exports.rounding import NONE, rounded_parts
from lzgis.exports.tables.answer_sheet import Clause
from lzgis.exports.tables.tables import Table, mark_of, shortfall
from lzgis.model.report import HIT_STATES, Problem, Reason, State
from lzgis.model.rules import Document, Level, Requirement, Rule
from lzgis.rules.for_sites import DISTANCE_KINDS, INFORMING_KINDS

_MAX_FEATURES = 6
#: The folders of an absolute path.
_FOLDERS = re.compile(r"(?:\b[A-Za-z]:|(?<![\w.:/]))[/\\](?:[^/\\：:，,]+[/\\])+")


def findings_grid(project: Project) -> Grid:
    """Return one row per layer and rule (and feature met), the most severe first."""
    source, texts = project.source, project.source.texts
    columns = [source.column("layer", 1.8), source.column("rule", 2.7), source.column("subject", 3.2)]
    columns += [source.column("state", 1.8), *_measure_columns(project), source.column("share", 1.95)]
    rows = []
    for finding in project.findings:
        state = texts.word("state", finding["state"])
        if finding["state"] not in (State.CLEAR, State.NOT_APPLICABLE):
            state += "\n" + source.wording("severity", severity=texts.word("severity", finding["severity"]))
        met = finding["state"] in HIT_STATES
        sizes = project.printed_sizes(finding) if met else (NONE,) * len(project.measures)
        rows.append(
            (
                visible(texts.layer(finding["layer"])),
                visible(texts.rule(finding["rule"])),
                remark(project, finding),
                state,
                *_with_possible(project, finding, sizes),
                source.rounding.percent(finding["share"]) if met else NONE,
            )
        )
    marks = tuple(mark_of(finding) for finding in project.findings)
    return Grid("findings", tuple(columns), tuple(rows), marks=marks, marked="state")


def remark(project: Project, finding: Row) -> str:
    """Return the remark on a finding: the feature met, or the nearest one, or why there is no answer."""
    source = project.source
    name = feature_name(finding)
    lines = []
    if finding["state"] == State.CLEAR and number(finding["distance_m"]) is not None and concerns_activity(finding):
        distance = source.rounding.metres(finding["distance_m"], finding["layer"])
        key = "nearest-feature" if name else "nearest-distance"
        lines.append(source.wording(key, **({"feature": name} if name else {}), m=distance))
    elif finding["kind"] == "stay_inside" and name:
        lines.append(
            source.wording(
                "outside-part",
                feature=name,
                m=source.rounding.metres(finding["distance_m"], finding["layer"], limit=finding["required_m"]),
            )
        )
    elif name:
        lines.append(name)
    if number(finding["required_m"]) is not None and finding["state"] not in (State.CLEAR, State.NOT_APPLICABLE):
        lines.append(
            source.wording(
                "distance",
                m=source.rounding.metres(finding["distance_m"], finding["layer"], limit=finding["required_m"]),
                required=source.rounding.plain(finding["required_m"]),
            )
        )
    if finding["state"] == State.SLIVER:
        lines.append(source.wording("mean-width", m=source.rounding.metres(finding["mean_width_m"])))
    lines += [visible(line) for line in (_reason(source, finding), source.texts.override(finding)) if line]
    return "\n".join(lines) or NONE


def overrides_grid(project: Project) -> Grid | None:
    """Return the decisions that override findings of this project, with the finding at the time of the decision."""
    source, texts = project.source, project.source.texts
    decisions = source.report.overrides
    rows = []
    for row in records(decisions[decisions["site_id"].astype(str) == project.id], decisions.columns):
        then = [texts.word("state", row["state_then"]), texts.word("severity", row["severity_then"])]
        then += (
            [texts.code.shown(source.rounding.square_metres(row["area_m2_then"]) + " ㎡")]
            if number(row["area_m2_then"]) is not None
            else []
        )
        evidence = [text(row["evidence"]), texts.word("override", row["evidence_state"])]
        rows.append(
            (
                "\n".join(visible(part) for part in (texts.rule(row["rule"]), row["feature_id"]) if part),
                "\n".join(visible(part) for part in (texts.word("override", row["status"]), row["changed"]) if part),
                visible(row["reason"]),
                visible(f"{row['author']}\n{row['date']}"),
                "\n".join(visible(part) for part in evidence if part),
                source.wording("separator").join(then),
            )
        )
    names = {"rule": 2.6, "status": 2.6, "reason": 3.4, "author": 1.7, "evidence": 2.2, "then": 2.4}
    columns = tuple(Column(name, source.words("override", f"head_{name}"), weight) for name, weight in names.items())
    return Grid("overrides", columns, tuple(rows), title=source.wording("overrides")) if rows else None


def divisions_grid(project: Project, *, least: int = 1) -> tuple[Grid | None, str]:
    """Return the findings by township and village, and a note on how the parts sum up.

    Only findings with at least `least` parts are listed.
    """
    source, texts = project.source, project.source.texts
    columns = [source.column("rule", 3.3), source.column("subject", 3.3), source.column("division", 2.6)]
    columns += [*_measure_columns(project), source.column("share", 1.9, column="division_share")]
    rows: list[tuple[str, ...]] = []
    for finding in project.hits:
        parts = source.breakdown.get(finding["position"], [])
        for level in dict.fromkeys(part["level"] for part in parts):
            here = [part for part in parts if part["level"] == level]
            if len(here) < least:
                continue
            title = (visible(texts.rule(finding["rule"])), feature_name(finding))
            for part, sizes in zip(here, _part_sizes(project, finding["layer"], here), strict=True):
                name = visible(text(part["division_name"])) or source.wording("nowhere")
                rows.append((*title, name, *sizes, source.rounding.percent(part["share"])))
            if len(here) > 1:
                whole = (source.wording("whole"), *project.printed_sizes(finding), source.rounding.percent(1.0))
                rows.append((*title, *whole))
    if not rows:
        return None, source.wording("no-divisions") if project.hits else ""
    note = source.wording("adjusted")
    return Grid("divisions", tuple(columns), tuple(rows), title=source.wording("divisions")), note


def _part_sizes(project: Project, layer: str, parts: list[Row]) -> list[tuple[str, ...]]:
    """Return the figures of parts for the columns in `measures`; each column sums to the figure of the whole."""
    places = project.source.rounding.places(layer)
    decimals = {"area_m2": places.m2, "area_ha": places.ha, "area_mu": places.mu, "length_m": places.m}
    columns = []
    for name in project.measures:
        rounded = rounded_parts([_part_in(project, name, part) for part in parts], decimals[name])
        columns.append([project.source.rounding.numbers(value + 0.0, decimals[name]) for value in rounded])
    return list(zip(*columns, strict=True))


def _part_in(project: Project, name: str, part: Row) -> float:
    """Return the figure of a part for a column; the table of parts has mu, and no other unit of a profile."""
    here = profile(project.source.report.city.profile)
    return float(part["area_m2"] / here.unit_m2 if name == "area_mu" and here.unit != "mu" else part[name])


def _measure_columns(project: Project) -> list[Column]:
    widths = {"area_m2": 2.6, "area_ha": 2.35, "area_mu": 2.3, "length_m": 2.4}
    return [project.source.column(name, widths[name]) for name in project.measures]


def _with_possible(project: Project, finding: Row, sizes: tuple[str, ...]) -> tuple[str, ...]:
    if number(finding["area_possible_m2"]) is None or finding["state"] in (State.CLEAR, State.NOT_APPLICABLE):
        return sizes
    maybe = project.printed_sizes(finding | {"area_m2": finding["area_possible_m2"], "length_m": None})
    wording = project.source.wording
    return tuple(
        size if value == NONE else f"{size}\n{wording('possible', value=value)}"
        for size, value in zip(sizes, maybe, strict=True)
    )


def ladder_grid(project: Project) -> tuple[str, Grid | None]:
    """Return a sentence on the verdicts when small overlaps are disregarded, and a grid if the verdicts differ."""
    source, verdict = project.source, project.verdict
    if "area_m2" not in project.measures:
        # The thresholds are areas, which lines and points do not have.
        return "", None
    steps = source.report.book.tolerance.ladder_m2
    answers = list(zip(steps, verdict["ladder"], strict=False))
    verdict_words = [source.texts.word("verdict", answer) for _, answer in answers]
    if len({verdict["verdict"], *(answer for _, answer in answers)}) <= 1:
        listed = "/".join(f"{step:g}" for step in steps)
        word = source.texts.word("verdict", verdict["verdict"])
        return source.wording("ladder-same", steps=listed, verdict=word), None
    rows = [(source.wording("ladder-rule"), source.texts.word("verdict", verdict["verdict"]))]
    for (step, _), word in zip(answers, verdict_words, strict=True):
        name = source.wording("ladder-step", area=f"{step:g}") if step else source.wording("ladder-none")
        rows.append((name, word))
    columns = (source.column("threshold", 3), source.column("verdict", 2))
    marks = (verdict["verdict"], *(answer for _, answer in answers))
    return source.wording("ladder-changes"), Grid("ladder", columns, tuple(rows), marks=marks, marked="verdict")


def corridors_grid(project: Project) -> Grid | None:
    """Return every distance that a rule requires of this activity."""
    source, texts = project.source, project.source.texts
    distances = [f for f in project.findings if f["kind"] in DISTANCE_KINDS and concerns_activity(f)]
    if not distances:
        return None
    columns = (
        *(source.column("rule", 2.4), source.column("subject", 1.7), source.column("baseline", 2.8)),
        *(source.column("required_m", 2.3), source.column("distance_m", 2.3), source.column("shortfall_m", 2.3)),
        *(source.column("band", 1.15), source.column("state", 1.75)),
    )
    rows = tuple(
        (
            visible(texts.rule(one["rule"])),
            feature_name(one) or NONE,
            _baseline(source, one),
            _pair(source, one["required_m"], one["required_possible_m"], source.rounding.plain),
            source.rounding.metres(one["distance_m"], one["layer"], limit=one["required_m"]),
            _pair(
                source,
                shortfall(one["required_m"], one["distance_m"]),
                shortfall(one["required_possible_m"], one["distance_m"]),
                source.rounding.metres,
            ),
            texts.word("band", one["band"]) or NONE,
            texts.word("state", one["state"]),
        )
        for one in distances
    )
    return Grid("corridors", columns, rows, marks=tuple(mark_of(f) for f in distances), marked="state")


def _baseline(source: DossierSource, finding: Row) -> str:
    # A finding that was not checked has a reason in place of a baseline.
    name = source.texts.word("baseline", finding["baseline"]) or visible(source.texts.reason(finding)) or NONE
    half = number(finding["half_width_m"])
    if half is None or not half:
        return name
    known = finding["baseline"] == "centreline-with-half-width"
    width = source.rounding.plain(half)
    return f"{name}\n{source.wording('half-width-known' if known else 'half-width-assumed', m=width)}"


def _pair(source: DossierSource, certain: Any, possible: Any, form: Callable[[Any], str]) -> str:
    first = form(certain)
    if number(possible) is None:
        return first
    return f"{first}\n{source.wording('possible', value=form(possible))}"


def zones_grid(project: Project) -> Grid | None:
    """Return what applies to the activity in each zone met; features with the same answer share a row."""
    source, texts = project.source, project.source.texts
    open_rows = [f for f in project.findings if f["reason"] == Reason.ACTIVITY_MISSING]
    merged: dict[tuple[str, ...], list[str]] = {}
    marks: dict[tuple[str, ...], str] = {}
    for finding in [*(f for f in project.hits if f["kind"] not in INFORMING_KINDS), *open_rows]:
        rule = finding["rule"]
        key = (
            visible(texts.rule(rule)),
            _result(source, finding),
            visible(text(finding["item"])) or NONE,
            visible(texts.translated(rule, text(finding["procedure"]))) or NONE,
            visible(texts.translated(rule, text(finding["note"]))) or NONE,
        )
        merged.setdefault(key, []).append(feature_name(finding))
        marks.setdefault(key, mark_of(finding))
    if not merged:
        return None
    columns = (
        *(source.column("rule", 2.2), source.column("subject", 2.6), source.column("result", 1.7)),
        *(source.column("item", 1.2), source.column("procedure", 4.0), source.column("note", 4.0)),
    )
    rows = tuple((rule, _feature_list(source, names), result, *rest) for (rule, result, *rest), names in merged.items())
    return Grid("zones", columns, rows, marks=tuple(marks.values()), marked="result")


def _result(source: DossierSource, finding: Row) -> str:
    severity = source.texts.word("severity", finding["severity"])
    if finding["state"] == State.NOT_CHECKED:
        return source.wording("result-open", reason=source.texts.reason(finding))
    if finding["state"] == State.SLIVER:
        return source.wording("result-sliver", severity=severity)
    return severity + (source.wording("possible-only") if finding["band"] == "possible" else "")


def _feature_list(source: DossierSource, names: Iterable[str]) -> str:
    known = list(dict.fromkeys(name for name in names if name))
    listed = source.wording("separator").join(known[:_MAX_FEATURES])
    if len(known) > _MAX_FEATURES:
        return source.wording("subjects-more", subjects=listed, count=len(known))
    return listed or NONE


def answer_grids(project: Project) -> list[Grid]:
    """Return the answer sheet to the admission lists: a grid for the province, one for the city, one per unit."""
    clauses = project.source.answers.clauses(project.id, project.size)
    return [
        _answer_grid(project.source, list(group)) for _, group in groupby(clauses, key=lambda c: (c.level, c.unit_id))
    ]


def levels_missing(grids: Iterable[Grid]) -> list[str]:
    """Return the titles of the grids without clauses, which have only blank lines for the planner."""
    return [grid.title for grid in grids if not any(row["clause"] for row in grid.records())]


def _answer_columns(source: DossierSource) -> tuple[Column, ...]:
    widths = {"heading": 1.6, "clause": 5.4, "facts": 4.2, "answer": 3.3, "explanation": 2.4}
    return tuple(source.column(name, width) for name, width in widths.items())


def _answer_grid(source: DossierSource, clauses: list[Clause]) -> Grid:
    first = clauses[0]
    rows = tuple((c.heading, _clause_text(source, c), "\n".join(c.facts), _drafted(source, c), "") for c in clauses)
    if first.level is Level.UNIT:
        title = source.wording(
            "unit", **{"id": first.unit_id, "name": first.unit_name, "class": first.unit_class}
        ).strip()
        title += source.wording("unit-share", share=source.rounding.percent(first.share)) if first.share else ""
        return Grid("answers", _answer_columns(source), rows, title=title, grouped="heading")
    return Grid(
        "general", _answer_columns(source), rows, title=source.wording(f"level-{first.level}"), grouped="heading"
    )


def _drafted(source: DossierSource, one: Clause) -> str:
    """Return the conclusion proposed for a clause, and the boxes by which the planner confirms or changes it."""
    choices = source.wording("choices")
    return f"{source.wording(f'drafted-{one.proposed}')}\n{choices}" if one.proposed else choices


def _clause_text(source: DossierSource, one: Clause) -> str:
    """Return a clause with its source and the certainty of its text below it."""
    if not one.certainty:
        return one.clause
    origin = source.wording("clause-source", basis=one.basis, certainty=one.certainty)
    return "\n".join(filter(None, (one.clause, origin, one.note)))


_MAX_RULES = 8

_WEIGHTS = {
    "role": 1.8,
    "name": 2.6,
    "title": 2.2,
    "basis": 3.1,
    "sha256": 5.3,
    "version": 1.3,
    "date": 2.0,
    "crs": 1.9,
    "status": 1.3,
    "count": 1.1,
    "confidentiality": 1.6,
}


def basis_grid(project: Project, *, rules: Collection[str] | None = None) -> Grid:
    """Return the documents that the applied rules, or only `rules`, are based on, with dates and their certainty."""
    source, texts = project.source, project.source.texts
    as_of = source.report.provenance.as_of
    applied = dict.fromkeys(f["rule"] for f in project.findings if concerns_activity(f))
    applied = {name: None for name in applied if rules is None or name in rules}
    known = {rule.id: rule for rule in source.report.book.rules}
    cited: dict[str, dict[str, dict[str, None]]] = {}
    lists: dict[str, dict[str, dict[str, None]]] = {}
    for rule in (known[name] for name in applied if name in known):
        for basis in _in_effect(source, rule):
            cited.setdefault(basis[0], {}).setdefault(texts.rule(rule.id), {})[basis[1]] = None
    for one in source.answers.requirements(project.id):
        for basis in _in_effect(source, one):
            level = source.wording(f"level-{one.level}")
            lists.setdefault(basis[0], {}).setdefault(level, {})[basis[1]] = None
    separator = source.wording("separator")
    rows = []
    for name in dict.fromkeys((*cited, *lists)):
        by_rule, levels = cited.get(name, {}), lists.get(name, {})
        articles = dict.fromkeys(a for of_one in (*by_rule.values(), *levels.values()) for a in of_one)
        document = source.report.book.documents[name]
        lines = [source.wording("effective", date=document.effective_from)] if document.effective_from else []
        if document.repealed(as_of):
            by = visible(document.repealed_by) or NONE
            lines.append(source.wording("repealed", date=document.repealed_on, by=by))
        rows.append(
            (
                visible(source.words.title(document.title, document.title_en)),
                visible(separator.join(a for a in articles if a)) or NONE,
                "\n".join(lines) or source.wording("no-date"),
                texts.word("certainty", document.certainty),
                visible(_rule_list(source, [*_with_articles(source, by_rule), *levels])),
            )
        )
    columns = (
        *(source.column("document", 2.8), source.column("articles", 4.6), source.column("effective", 2.3)),
        *(source.column("certainty", 1.7), source.column("rules", 3.9)),
    )
    return Grid("basis", columns, tuple(rows))


def _with_articles(source: DossierSource, by_rule: Mapping[str, Mapping[str, None]]) -> list[str]:
    """Return the rules that rest on a document, each with its articles if they are not the same for all."""
    if len({tuple(articles) for articles in by_rule.values()}) < 2:
        return list(by_rule)
    separator = source.wording("separator")
    named = {rule: separator.join(one for one in articles if one) for rule, articles in by_rule.items()}
    return [rule + (source.wording("in-brackets", text=text) if text else "") for rule, text in named.items()]


def _rule_list(source: DossierSource, rules: list[str]) -> str:
    lines = source.wording("separator").join(rules[:_MAX_RULES])
    return source.wording("rules-more", rules=lines, count=len(rules)) if len(rules) > _MAX_RULES else lines


def _in_effect(source: DossierSource, rule: Rule | Requirement) -> list[tuple[str, str]]:
    """Return the documents of a rule that are in effect, or all if none is, as findings cite them."""

    def begun(document: Document) -> bool:
        start = document.effective_from
        return start is None or start <= source.report.provenance.as_of

    title = source.words.title
    cited = [(b.document, title(b.article, b.article_en)) for b in rule.basis]
    return [c for c in cited if begun(source.report.book.documents[c[0]])] or cited


def undeclared(source: DossierSource, finding: Row) -> str:
    """Return the facts that are not declared and would settle a finding; empty if there is none."""
    facts = text(finding["open_facts"])
    titles = source.texts.open_facts(facts).split(source.texts.separator) if facts else []
    return visible(source.wording("separator").join(titles))


def _reason(source: DossierSource, finding: Row) -> str:
    """Return the reason of a finding, with the facts that would settle it if they are not declared."""
    reason, facts = source.texts.reason(finding), undeclared(source, finding)
    if finding["reason"] != Reason.FACT_MISSING or not facts:
        return reason
    return reason + source.wording("in-brackets", text=facts)


def unchecked_grid(project: Project) -> Grid | None:
    """Return the rules that were not checked or only in part, with the reasons."""
    source, texts = project.source, project.source.texts
    rows = tuple(
        (
            visible(texts.rule(finding["rule"])),
            visible(texts.layer(finding["layer"])),
            visible(_reason(source, finding)) or NONE,
            source.rounding.percent(finding["unchecked_share"]),
            texts.word("severity", finding["severity"]),
        )
        for finding in project.findings
        if finding["state"] == State.NOT_CHECKED or (number(finding["unchecked_share"]) or 0) > 0
    )
    columns = (
        *(source.column("rule", 4), source.column("layer", 2.6), source.column("reason", 4.4)),
        *(source.column("unchecked_share", 1.8), source.column("severity", 1.6)),
    )
    return Grid("not_checked", columns, rows) if rows else None


def problems_grid(project: Project, *, notes: Literal["all", "this site"] = "all") -> Grid | None:
    """Return the problems of the layers and of the geometry of this project; of the notes all, or those on this site."""
    return _problems(
        project.source,
        [
            problem
            for problem in project.source.report.problems
            if _concerns(problem, project.id)
            and (notes == "all" or problem.level != "note" or f"'{project.id}'" in str(problem.place))
        ],
    )


def first_problems_grid(source: DossierSource, most: int) -> Grid | None:
    """Return the first `most` problems of a report; its title says how many more there are."""
    found = source.report.problems
    grid = _problems(source, found[:most])
    if grid is None or len(found) <= most:
        return grid
    more = source.words("cli", "more_in", count=len(found) - most, place="report.xlsx")
    return replace(grid, title=f"{grid.title} {more}")


def _problems(source: DossierSource, problems: Sequence[Problem]) -> Grid | None:
    message = source.words.message
    rows = tuple(
        (
            source.texts.word("level", problem.level),
            # Readers of a document do not need the folders of the machine that made it.
            _FOLDERS.sub("", visible(message(problem.place))),
            *(visible(message(part)) for part in (problem.what, problem.remedy)),
        )
        for problem in problems
    )
    columns = (
        *(source.column("level", 1), source.column("place", 3), source.column("what", 4), source.column("remedy", 4)),
    )
    return Grid("problems", columns, rows, title=source.wording("problems")) if rows else None


def _concerns(problem: Problem, site_id: str) -> bool:
    """Return whether a problem concerns all projects or this one; its place names a project as (site 'ID')."""
    named = re.search(r"site '", str(problem.place))
    return named is None or f"site '{site_id}'" in str(problem.place)


def provenance_grids(source: DossierSource) -> dict[str, Grid]:
    """Return the tables of provenance by name; they are the same in every dossier."""
    tables = {table.name: table for table in provenance_tables(source.texts)}
    columns = {
        "about": ("name", "value"),
        "repairs": tuple(REPAIR_COLUMNS),
        "sources": ("role", "name", "version", "date", "crs", "engine", "sha256"),
        "layers": ("layer", "title", "status", "version", "date", "basis", "confidentiality", "count"),
        "transforms": ("value",),
        "tolerances": ("name", "value"),
        "versions": ("name", "value"),
    }
    return {name: _table_grid(source, tables[name], names) for name, names in columns.items()}


def _table_grid(source: DossierSource, table: Table, names: tuple[str, ...]) -> Grid:
    # Omitted: the id of a layer beside its title, and the library that read a file.
    shown = [i for i, name in enumerate(names) if name not in ("layer", "engine")]
    pairs = names == ("name", "value")
    weights = {"value": 3.5} if pairs else _WEIGHTS
    columns = tuple(source.column(names[i], weights.get(names[i], 1.0)) for i in shown)
    rows = tuple(tuple(_cell_text(row[i]) for i in shown) for row in table.rows)
    title = "" if table.name in ("about", "layers") else source.wording(table.name)
    return Grid(table.name, columns, rows, title=title, heads=len(names) > 2, fine=table.name != "layers")


def _cell_text(value: str | float | None) -> str:
    return f"{value:g}" if isinstance(value, float) else visible(text(value)) or NONE
