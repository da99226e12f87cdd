"""The first page of a dossier: what a meeting needs to know, on one page, with the block for signatures and seal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lzgis.exports.dossier.document import Abstract, Column, Grid, Picture
from lzgis.exports.dossier.project import Project
from lzgis.exports.report_text import number, text, visible
from lzgis.exports.sentences import gravest
from lzgis.exports.tables.tables import mark_of
from lzgis.model.report import State, Verdict
from lzgis.model.rules import Route, Severity

#: How many findings, procedures and titles fit on the first page, and how many characters of a procedure.
_MOST_FINDINGS, _MOST_PROCEDURES, _MOST_TITLES, _MOST_LETTERS = 5, 4, 6, 64
_MOST_PLACES = 4
#: Side of the QR code.
CODE_MM = 24.0


def abstract_of(
    project: Project, facts: dict[str, str], about: dict[str, str], pictures: tuple[Picture | None, Picture | None]
) -> Abstract:
    """Return the abstract of a project from its single facts, those of the screening, small map and QR code."""
    source = project.source
    size = project.whole_size_in_mu
    places = facts["divisions"].split("\n")
    shown = source.wording("separator").join(
        place.partition(source.wording("colon"))[0] for place in places[:_MOST_PLACES]
    )
    if len(places) > _MOST_PLACES:
        shown = source.wording("subjects-more", subjects=shown, count=len(places))
    pairs = {
        "id": facts["id"],
        "name": facts["name"],
        "activity": facts["activity"],
        "size": size or facts["shape"],
        "centre": facts["centre"],
        "divisions": shown,
        "as_of": about["as_of"],
    }
    return Abstract(
        facts=tuple((source.wording(f"abstract-{name}"), value) for name, value in pairs.items()),
        picture=pictures[0],
        code=pictures[1],
        findings=_findings(project),
        lines=tuple((source.wording(f"abstract-{name}"), line) for name, line in _lines(project).items() if line),
        control=_control(project, about),
    )


def document_number(project: Project, about: dict[str, str]) -> str:
    """Return the number of the document: the registered one, else made of the city's code, the day and the project's id."""
    report = project.source.report
    if report.number:
        return report.number if len(report.sites) == 1 else f"{report.number}-{visible(project.id)}"
    return f"{about['adcode']}-{about['as_of'].replace('-', '')}-{visible(project.id)}"


def route_word(project: Project, finding: Mapping[str, Any]) -> str:
    """Return, worded, what an applicant can do about a finding."""
    route = text(finding["route"])
    return project.source.wording(f"route-{route}") if route else ""


def _findings(project: Project) -> Grid | None:
    source = project.source
    found = gravest(project.findings, _MOST_FINDINGS)
    if not found:
        return None
    areal = ("area_m2", "area_ha", "area_mu")
    measures = areal if "area_m2" in project.measures else tuple(project.measures)
    columns = [source.column("rule", 2.6), source.column("where", 4.6)]
    columns += [_broken(source.column(name, 1.6)) for name in measures]
    columns.append(source.column("route", 1.5))
    rows = tuple(
        (
            visible(source.texts.rule(one["rule"])),
            source.sentences.of(one),
            *project.rounded_sizes(one, measures),
            route_word(project, one),
        )
        for one in found
    )
    marks = tuple(mark_of(one) for one in found)
    return Grid("gravest", tuple(columns), rows, marks=marks, marked="route")


def _broken(column: Column) -> Column:
    """Return a column with its unit on a line of its own: the columns of three sizes are narrow."""
    title = column.title.replace(" (", "\n(") if " (" in column.title else column.title.replace("（", "\n（")
    return replace(column, title=title)


def _lines(project: Project) -> dict[str, str]:
    """Return the sentences below the findings by the names of their heads."""
    source = project.source
    verdict = project.verdict
    counts = {name: len(verdict[name]) for name in ("prohibited", "conditional", "not_checked")}
    return {
        "conclusion": source.wording(f"abstract-says-{Verdict(verdict['verdict']).name}", **counts),
        "procedure": _procedures(project),
        "not_checked": _titles(project, verdict["not_checked"]) or source.wording("none-unchecked"),
        "nearest": nearest_line(project),
        "not_covered": not_covered_line(project),
        "not_applicable": source.wording("abstract-unmeant", count=project.unmeant) if project.unmeant else "",
    }


def not_covered_line(project: Project) -> str:
    """Return the matters that neither the rule book nor the layers answer, in one line; empty if there are none."""
    source, report = project.source, project.source.report
    matters = [report.book.matters[name] for name in report.not_covered]
    return source.wording("separator").join(source.words.title(one.title, one.title_en) for one in matters)


def _titles(project: Project, rules: tuple[str, ...]) -> str:
    source = project.source
    titles = [visible(source.texts.rule(rule)) for rule in rules]
    line = source.wording("separator").join(titles[:_MOST_TITLES])
    return source.wording("rules-more", rules=line, count=len(titles)) if len(titles) > _MOST_TITLES else line


def _procedures(project: Project) -> str:
    """Return what has to be done: one line per rule that is hit and names a procedure, the gravest first."""
    source = project.source
    lines = []
    found = gravest(project.findings, len(project.findings))
    if any(one["severity"] == Severity.PROHIBITED and one["route"] == Route.PROHIBITED for one in found):
        lines.append(source.wording("abstract-move"))
    rules_of: dict[str, list[str]] = {}
    for one in found:
        procedure = visible(source.texts.translated(one["rule"], text(one["procedure"])))
        if procedure and one["severity"] != Severity.PROHIBITED:
            rules_of.setdefault(procedure, []).append(visible(source.texts.rule(one["rule"])))
    for procedure, rules in rules_of.items():
        cut = procedure if len(procedure) <= _MOST_LETTERS else procedure[: _MOST_LETTERS - 1] + "…"
        named = source.wording("rules-more", rules=rules[0], count=len(rules)) if len(rules) > 1 else rules[0]
        lines.append(source.wording("abstract-step", rule=named, procedure=cut))
    rest = len(lines) - _MOST_PROCEDURES
    if rest > 0:
        lines = [*lines[:_MOST_PROCEDURES], source.wording("abstract-steps-more", count=rest)]
    return "\n".join(lines)


def nearest_line(project: Project) -> str:
    """Return the nearest constraints that are not met, with their distances; empty where the findings fill the page."""
    source = project.source
    if len(gravest(project.findings, _MOST_FINDINGS)) > _MOST_FINDINGS // 2:
        return ""
    clear: dict[str, tuple[float, str]] = {}
    for one in project.findings:
        distance = number(one["distance_m"])
        if one["state"] != State.CLEAR or one["kind"] == "stay_inside" or one["severity"] == Severity.NOTICE:
            continue
        if distance is not None:
            clear[one["rule"]] = min((distance, one["layer"]), clear.get(one["rule"], (distance, one["layer"])))
    listed = sorted(clear.items(), key=lambda pair: pair[1])[:_MOST_TITLES]
    return source.wording("separator").join(
        source.wording("nearest-rule", rule=visible(source.texts.rule(rule)), m=source.rounding.metres(distance, layer))
        for rule, (distance, layer) in listed
    )


def _control(project: Project, about: dict[str, str]) -> Grid:
    source = project.source
    heads = source.wording("control").split("|")
    columns = tuple(Column(name, "", weight) for name, weight in (("h1", 2.1), ("v1", 3.0), ("h2", 1.0), ("v2", 1.8)))
    number, replaced = document_number(project, about), source.report.replaces
    if replaced:
        number = f"{number}\n{source.wording('replaces', number=replaced)}"
    rows = (
        (heads[0], number, heads[1], ""),
        (heads[2], "\n\n", heads[3], ""),
        (heads[4], about["made_at"][:10], heads[5], ""),
    )
    return Grid("control", columns, rows, heads=False)
