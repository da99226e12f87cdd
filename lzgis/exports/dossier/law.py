"""The sections on what the answers rest on, what was left open, and where the data come from."""

from __future__ import annotations

import re

from lzgis.exports.dossier import numbers
from lzgis.exports.dossier.document import Grid
from lzgis.exports.dossier.project import Batch, Subject, meant
from lzgis.exports.provenance import REPAIR_COLUMNS, provenance_tables
from lzgis.exports.report_text import number, text, visible
from lzgis.exports.tables.tables import Table
from lzgis.model.report import Problem, State
from lzgis.model.rules import Document, Requirement, Rule

_MOST_RULES = 4

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


def basis_grid(subject: Subject) -> Grid:
    """Give the documents that the rules applied rest on, with their dates and how well they are known."""
    batch, texts = subject.batch, subject.batch.texts
    as_of = batch.report.provenance.as_of
    applied = dict.fromkeys(f["rule"] for f in subject.findings if meant(f))
    known = {rule.id: rule for rule in batch.report.book.rules}
    cited: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for rule in (known[name] for name in applied if name in known):
        for basis in _begun(batch, rule):
            articles, rules = cited.setdefault(basis[0], ({}, {}))
            articles[basis[1]] = None
            rules[texts.rule(rule.id)] = None
    for one in batch.answers.requirements(subject.id):
        for basis in _begun(batch, one):
            articles, rules = cited.setdefault(basis[0], ({}, {}))
            articles[basis[1]] = None
            rules[batch.say(f"level-{one.level}")] = None
    separator = batch.say("separator")
    rows = []
    for name, (articles, rules) in cited.items():
        document = batch.report.book.documents[name]
        lines = [batch.say("effective", date=document.effective_from)] if document.effective_from else []
        if document.repealed(as_of):
            by = visible(document.repealed_by) or numbers.NONE
            lines.append(batch.say("repealed", date=document.repealed_on, by=by))
        rows.append(
            (
                visible(batch.words.title(document.title, document.title_en)),
                visible(separator.join(a for a in articles if a)) or numbers.NONE,
                "\n".join(lines) or batch.say("no-date"),
                texts.word("certainty", document.certainty),
                visible(_listed(batch, list(rules))),
            )
        )
    columns = (
        *(batch.head("document", 3.0), batch.head("articles", 3.6), batch.head("effective", 2.1)),
        *(batch.head("certainty", 1.9), batch.head("rules", 3.9)),
    )
    return Grid("basis", columns, tuple(rows))


def _listed(batch: Batch, rules: list[str]) -> str:
    told = batch.say("separator").join(rules[:_MOST_RULES])
    return batch.say("rules-more", rules=told, count=len(rules)) if len(rules) > _MOST_RULES else told


def _begun(batch: Batch, rule: Rule | Requirement) -> list[tuple[str, str]]:
    """Documents of a rule that have taken effect, or all if none has, as findings cite them."""

    def begun(document: Document) -> bool:
        start = document.effective_from
        return start is None or start <= batch.report.provenance.as_of

    title = batch.words.title
    cited = [(b.document, title(b.article, b.article_en)) for b in rule.basis]
    return [c for c in cited if begun(batch.report.book.documents[c[0]])] or cited


def unchecked_grid(subject: Subject) -> Grid | None:
    """Give the rules that were not checked, or only in part, and why."""
    batch, texts = subject.batch, subject.batch.texts
    rows = tuple(
        (
            visible(texts.rule(found["rule"])),
            visible(texts.layer(found["layer"])),
            visible(texts.reason(found)) or numbers.NONE,
            numbers.percent(found["unchecked_share"]),
            texts.word("severity", found["severity"]),
        )
        for found in subject.findings
        if found["state"] == State.NOT_CHECKED or (number(found["unchecked_share"]) or 0) > 0
    )
    columns = (
        *(batch.head("rule", 4), batch.head("layer", 2.6), batch.head("reason", 4.4)),
        *(batch.head("unchecked_share", 1.8), batch.head("severity", 1.6)),
    )
    return Grid("not_checked", columns, rows) if rows else None


def problems_grid(subject: Subject) -> Grid | None:
    """Give what a reader must know of the layers and of this project's own shape."""
    batch = subject.batch
    say = batch.words.message
    rows = tuple(
        (
            batch.texts.word("level", problem.level),
            *(visible(say(part)) for part in (problem.place, problem.what, problem.remedy)),
        )
        for problem in batch.report.problems
        if _concerns(problem, subject.id)
    )
    columns = (*(batch.head("level", 1), batch.head("place", 3), batch.head("what", 4), batch.head("remedy", 4)),)
    return Grid("problems", columns, rows, title=batch.say("problems")) if rows else None


def _concerns(problem: Problem, site_id: str) -> bool:
    """Whether a problem is of all projects or of this one: places name a project as (site 'ID')."""
    named = re.search(r"site '", str(problem.place))
    return named is None or f"site '{site_id}'" in str(problem.place)


def provenance_grids(batch: Batch) -> dict[str, Grid]:
    """Give the tables of provenance by name; their rows are the same in every dossier."""
    tables = {table.name: table for table in provenance_tables(batch.texts)}
    columns = {
        "about": ("name", "value"),
        "repairs": tuple(REPAIR_COLUMNS),
        "sources": ("role", "name", "version", "date", "crs", "engine", "sha256"),
        "layers": ("layer", "title", "status", "version", "date", "basis", "confidentiality", "count"),
        "transforms": ("value",),
        "tolerances": ("name", "value"),
        "versions": ("name", "value"),
    }
    return {name: _grid(batch, tables[name], names) for name, names in columns.items()}


def _grid(batch: Batch, table: Table, names: tuple[str, ...]) -> Grid:
    # Left out: the layer's id beside its title, and the library that read a file.
    kept = [i for i, name in enumerate(names) if name not in ("layer", "engine")]
    pairs = names == ("name", "value")
    weights = {"value": 3.5} if pairs else _WEIGHTS
    columns = tuple(batch.head(names[i], weights.get(names[i], 1.0)) for i in kept)
    rows = tuple(tuple(_cell(row[i]) for i in kept) for row in table.rows)
    title = "" if table.name in ("about", "layers") else batch.say(table.name)
    return Grid(table.name, columns, rows, title=title, heads=len(names) > 2, fine=table.name != "layers")


def _cell(value: str | float | None) -> str:
    return f"{value:g}" if isinstance(value, float) else visible(text(value)) or numbers.NONE
