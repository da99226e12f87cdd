"""The sections of a dossier below its first page, laid out for a reader: what is hit in full, all else in short.

The complete tables are in `lzgis.exports.dossier.grids`, for an office's template.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from lzgis.exports.dossier.abstract import not_covered_line, route_word
from lzgis.exports.dossier.alternatives import alternatives_grid
from lzgis.exports.dossier.document import Column, Grid
from lzgis.exports.dossier.grids import (
    answer_grids,
    basis_grid,
    divisions_grid,
    ladder_grid,
    levels_missing,
    overrides_grid,
    unchecked_grid,
    undeclared,
)
from lzgis.exports.dossier.project import DossierSource, Project, Row, concerns_activity
from lzgis.exports.report_text import number, text, visible
from lzgis.exports.rounding import NONE
from lzgis.exports.tables.tables import mark_of
from lzgis.model.report import HIT_STATES, Reason, State
from lzgis.model.rules import Severity

_DIGEST = 8
# The most rules that are listed as not involved, those nearest to the project; and as not meant for it.
_NEAREST = 20
# The number of columns in which the layers are listed.
_BESIDE = 3


def findings_section(project: Project) -> dict[str, Any]:
    """Return what is hit, rule by rule, with what it requires; and in one paragraph each what is clear or not meant."""
    source = project.source
    line, ladder = ladder_grid(project)
    parts, note = divisions_grid(project, least=2)
    grids = (hits_grid(project), overrides_grid(project), ladder, parts, _alternatives(project))
    small = (*((note,) if parts and note else ()), *_short_lines(project))
    paragraphs = (source.wording("counts", **project.counts), *((line,) if line else ()))
    return {"paragraphs": paragraphs, "grids": tuple(grid for grid in grids if grid), "small_print": small}


def _alternatives(project: Project) -> Grid | None:
    """Return the comparison with the other sites of the project's group."""
    found = project.source.alternatives
    group = next((one.group for one in found if one.site_id == visible(project.id)), None)
    grid = alternatives_grid(project.source, [one for one in found if one.group == group]) if group else None
    return grid and replace(grid, fine=True)


def hits_grid(project: Project) -> Grid | None:
    """Return a row for each finding that is hit, below a line with the rule and what it requires; the gravest first."""
    source, texts = project.source, project.source.texts
    hits = project.hits
    if not hits:
        return None
    order = {rule: place for place, rule in enumerate(dict.fromkeys(f["rule"] for f in hits))}
    hits = sorted(hits, key=lambda f: order[f["rule"]])
    columns = [source.column("heading"), source.column("where", 7.0), source.column("state", 1.5)]
    columns += [source.column(name, 1.45) for name in project.measures]
    columns.append(source.column("share", 1.15))
    heads = _rule_lines(project, {rule: next(f for f in hits if f["rule"] == rule) for rule in order})
    rows = []
    for found in hits:
        notes = [
            texts.override(found),
            source.wording("outside-share", share=source.rounding.percent(unchecked))
            if (unchecked := number(found["unchecked_share"]))
            else "",
        ]
        where = "\n".join([source.sentences.of(found), *(visible(one) for one in notes if one)])
        possible = found | {"area_m2": found["area_possible_m2"]}
        sizes = project.printed_sizes(found)
        if number(found["area_possible_m2"]) is not None:
            maybe = project.printed_sizes(possible)
            sizes = tuple(
                f"{one}\n{source.wording('possible', value=two)}" for one, two in zip(sizes, maybe, strict=True)
            )
        state = texts.word("state", found["state"])
        rows.append((heads[found["rule"]], where, state, *sizes, source.rounding.percent(found["share"])))
    marks = tuple(mark_of(found) for found in hits)
    return Grid("hits", tuple(columns), tuple(rows), marks=marks, marked="state", grouped="heading")


def _rule_lines(project: Project, first: dict[str, Row]) -> dict[str, str]:
    """Return for each rule the line above its findings: title, severity, route; below it what it requires.

    What a rule requires is not repeated if the rule above it requires the same.
    """
    source, texts = project.source, project.source.texts
    lines, above = {}, ""
    for rule, found in first.items():
        severity = source.wording("severity", severity=texts.word("severity", found["severity"]))
        route = route_word(project, found)
        space = " " if source.language == "en" else ""
        head = f"{visible(texts.rule(rule))}{space}{severity}" + (
            source.wording("by-route", route=route) if route else ""
        )
        below = _required(project, found)
        if below and below == above:
            lines[rule] = head + source.wording("requires-same")
        else:
            lines[rule] = f"{head}\n{below}" if below else head
        above = below
    return lines


def _required(project: Project, found: Row) -> str:
    """Return item, procedure and note of a rule as it applies to the project, and the facts that may lift a ban."""
    source, texts = project.source, project.source.texts
    rule = found["rule"]
    procedure = visible(texts.translated(rule, text(found["procedure"])))
    item = visible(text(found["item"]))
    note = visible(texts.translated(rule, text(found["note"])))
    below = [source.wording("requires", item=item, procedure=procedure)] if procedure or item else []
    below += [note] if note and note not in procedure else []
    if found["severity"] == Severity.PROHIBITED and (facts := undeclared(source, found)):
        below.append(source.wording("not-declared", facts=facts))
    return source.wording("semicolon").join(below)


def _short_lines(project: Project) -> tuple[str, ...]:
    """Return what is not involved, with the nearest distances, and the rules not meant in whose layers the site lies."""
    source, texts = project.source, project.source.texts
    clear: dict[str, Row] = {}
    hit = {f["rule"] for f in project.findings if f["state"] != State.CLEAR}
    for found in project.findings:
        if found["state"] == State.CLEAR and found["rule"] not in hit:
            before = clear.get(found["rule"])
            if before is None or (number(found["distance_m"]) or 0) < (number(before["distance_m"]) or 0):
                clear[found["rule"]] = found
    inside = {f["rule"]: f for f in project.findings if f["reason"] == Reason.INSIDE_NOT_MEANT}
    near = sorted(
        clear.items(), key=lambda pair: (number(pair[1]["distance_m"]) is None, number(pair[1]["distance_m"]) or 0)
    )
    listed = source.wording("semicolon").join(
        f"{visible(texts.rule(rule))}{source.wording('in-brackets', text=source.sentences.of(found))}"
        for rule, found in near[:_NEAREST]
    )
    if len(near) > _NEAREST:
        listed += source.wording("short-clear-more", count=len(near) - _NEAREST)
    names = source.wording("semicolon").join(visible(texts.rule(rule)) for rule in list(inside)[:_NEAREST])
    names += source.wording("short-unmeant-more", count=len(inside) - _NEAREST) if len(inside) > _NEAREST else ""
    lines = [source.wording("short-clear", count=len(clear), rules=listed)] if clear else []
    return (*lines, *([source.wording("short-inside-unmeant", count=len(inside), rules=names)] if inside else ()))


def answers_section(project: Project) -> dict[str, Any]:
    """Return the admission lists, each clause with its facts, a drafted conclusion, and a blank to confirm it."""
    source = project.source
    grids = answer_grids(project)
    missing = levels_missing(grid for grid in grids if grid.name == "general")
    lines = [source.wording("answers", activity=project.activity)]
    lines += [source.wording("general-missing", levels=source.wording("separator").join(missing))] if missing else []
    lines += [] if any(grid.name == "answers" for grid in grids) else [source.wording("no-units")]
    shown = [_short_answers(source, grid) for grid in grids if grid.title not in missing]
    return {"paragraphs": tuple(lines), "grids": tuple(shown)}


def _short_answers(source: DossierSource, grid: Grid) -> Grid:
    """Return an answer sheet in small type, without the activity, which every clause would repeat."""
    activity = source.wording("fact-activity", activity="")
    # Clauses of a unit are one line each, general ones several: there the answer takes two lines and leaves them the width.
    short = grid.name == "answers"
    clause, fact, answer_width = (6.0, 3.2, 4.3) if short else (7.4, 3.2, 2.2)
    weights = {"heading": 1.0, "clause": clause, "facts": fact, "answer": answer_width}
    columns = tuple(source.column(name, weight) for name, weight in weights.items())
    rows = []
    for one in _without_origin(source, grid.records()):
        facts = [line for line in one["facts"].split("\n") if not line.startswith(activity)]
        answer = one["answer"].replace("\n", source.wording("gap")) if short else one["answer"]
        rows.append((one["heading"], one["clause"], "\n".join(facts) or source.wording("no-facts"), answer))
    return replace(grid, columns=columns, rows=tuple(rows), fine=True)


def _without_origin(source: DossierSource, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Shorten the source below each clause to the article, if all clauses of a list are of one document."""
    opening = source.wording("clause-source", basis="\0", certainty="").partition("\0")[0]
    origins = [row["clause"].partition("\n")[2] for row in rows]
    documents = {origin.removeprefix(opening).partition(" ")[0] for origin in origins}
    if len(documents) != 1 or not (document := documents.pop()):
        return rows
    start = f"\n{opening}{document} "
    return [row | {"clause": row["clause"].replace(start, f"　{opening}", 1)} for row in rows]


def basis_section(project: Project) -> dict[str, Any]:
    """Return the documents behind what is hit or open in a table, and those behind all else in one paragraph."""
    source = project.source
    open_states = (*HIT_STATES, State.NOT_CHECKED)
    mine = {f["rule"] for f in project.findings if f["state"] in open_states and concerns_activity(f)}
    full = basis_grid(project, rules=mine)
    all_documents = [row[0] for row in basis_grid(project).rows]
    cited = {row[0] for row in full.rows}
    others = [name for name in all_documents if name not in cited]
    small = [source.wording("other-basis", documents=source.wording("separator").join(others))] if others else []
    small += [source.wording("english-law")] if source.language == "en" else []
    grids = (replace(full, fine=True),) if full.rows else ()
    return {"paragraphs": (source.wording("basis"),), "grids": grids, "small_print": tuple(small)}


def unchecked_section(project: Project) -> dict[str, Any]:
    """Return what was not checked and why, and what neither the rule book nor the layers cover."""
    source = project.source
    open_rules = unchecked_grid(project)
    lines = [source.wording("unchecked-lead" if open_rules else "none-unchecked")]
    covered = not_covered_line(project)
    notes = [source.wording("not-covered", matters=covered)] if covered else []
    notes += [source.wording("unmeant", count=project.unmeant)] if project.unmeant else []
    grids = (_by_reason(source, open_rules),) if open_rules else ()
    return {"paragraphs": tuple(lines), "grids": grids, "notes": tuple(notes)}


def _by_reason(source: DossierSource, grid: Grid) -> Grid:
    """Return the rules that were not checked in one row for each reason, uncovered share and severity."""
    together: dict[tuple[str, str, str], list[str]] = {}
    for row in grid.records():
        key = (row["reason"], row["unchecked_share"], row["severity"])
        together.setdefault(key, []).append(row["rule"])
    names = {"reason": 2.8, "unchecked_share": 1.2, "severity": 1.1, "rule": 8.0}
    columns = tuple(source.column(name, weight) for name, weight in names.items())
    rows = tuple(
        (*key, source.wording("rules-listed", count=len(rules), rules=source.wording("separator").join(rules)))
        for key, rules in together.items()
    )
    return replace(grid, columns=columns, rows=rows, fine=True)


def provenance_section(
    source: DossierSource,
    about: dict[str, str],
    tables: dict[str, Grid],
    *,
    problems: Grid | None = None,
    own: Grid | None = None,
) -> dict[str, Any]:
    """Return data, repairs and versions in small type, each layer with the beginning of its digest."""
    grids = [_layers_grid(source, tables)]
    grids += [replace(problems, fine=True)] if problems else []
    grids += [tables["repairs"]] if tables["repairs"].rows else []
    lines = [_data_line(source, about), *(p for p in (about["disclaimer"], about["notice"]) if p)]
    small = [_pairs_line(source, tables[name]) for name in ("about", "tolerances", "versions") if tables[name].rows]
    transforms = source.wording("semicolon").join(row[0] for row in tables["transforms"].rows)
    small += [f"{tables['transforms'].title}{source.wording('colon')}{transforms}"] if transforms else []
    small += [_pairs_line(source, own)] if own else []
    small += [source.wording("notes-elsewhere")]
    return {"paragraphs": tuple(lines), "grids": tuple(grids), "small_print": tuple(small)}


def _data_line(source: DossierSource, about: dict[str, str]) -> str:
    return source.wording("data", as_of=about["as_of"], book=about["rule_book"], version=about["rule_book_version"])


def _pairs_line(source: DossierSource, grid: Grid) -> str:
    separator = source.wording("semicolon")
    title = f"{grid.title}{source.wording('colon')}" if grid.title else ""
    return title + separator.join(f"{name} {value}" for name, value in grid.rows)


def _layers_grid(source: DossierSource, tables: dict[str, Grid]) -> Grid:
    """Return the layers and other inputs in three columns beside each other: title, and digest.

    The status and date that most of them have stand in the title of the table, others behind the title of the layer.
    """
    layers = {row["title"]: row for row in tables["layers"].records()}
    entries = []
    for row in tables["sources"].records():
        layer = layers.pop(row["role"], None)
        dated = row["date"] if layer is None or row["date"] != NONE else layer["date"]
        # A version such as 2026.11 says no more than the date beside it.
        version = "" if dated.replace("-", ".").startswith(row["version"]) else row["version"]
        said = [layer["status"] if layer else "", version, dated]
        entries.append((row["role"], " ".join(one for one in said if one and one != NONE), row["sha256"][:_DIGEST]))
    entries += [(row["title"], f"{row['status']} {row['date']}", "") for row in layers.values()]
    usual = next((dated for dated, _ in Counter(dated for _, dated, _ in entries if dated).most_common(1)), "")
    cells = []
    for title, dated, digest in entries:
        other = dated and dated != usual
        cells.append((title + source.wording("in-brackets", text=dated) if other else title, digest))
    deep = -(-len(cells) // _BESIDE)
    cells += [("", "")] * (deep * _BESIDE - len(cells))
    rows = tuple(tuple(text for side in range(_BESIDE) for text in cells[side * deep + i]) for i in range(deep))
    columns = tuple(
        Column(f"{name}{side}", source.column(name).title, weight)
        for side in range(_BESIDE)
        for name, weight in (("layer", 3.0), ("digest", 1.3))
    )
    return Grid("inputs", columns, rows, title=source.wording("inputs", usual=usual or NONE), fine=True)
