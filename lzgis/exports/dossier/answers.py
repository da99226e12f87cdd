"""The answer sheet to the admission lists as a dossier lays it out: one grid per level or unit."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from lzgis.exports.dossier import numbers
from lzgis.exports.dossier.document import Column, Grid
from lzgis.exports.dossier.project import Batch, Subject
from lzgis.exports.tables.answer_sheet import Clause
from lzgis.model.rules import Level


def answer_grids(subject: Subject) -> list[Grid]:
    """One grid for the province, one for the city, one per unit."""
    clauses = subject.batch.answers.clauses(subject.id, subject.size)
    return [_grid(subject.batch, list(found)) for _, found in groupby(clauses, key=lambda c: (c.level, c.unit_id))]


def levels_missing(grids: Iterable[Grid]) -> list[str]:
    """Give the titles of the grids that hold no clause, only lines for the planner."""
    return [grid.title for grid in grids if not any(row["clause"] for row in grid.records())]


def _columns(batch: Batch) -> tuple[Column, ...]:
    widths = {"heading": 1.6, "clause": 5.4, "facts": 4.2, "answer": 3.3, "explanation": 2.4}
    return tuple(batch.head(name, width) for name, width in widths.items())


def _grid(batch: Batch, clauses: list[Clause]) -> Grid:
    first = clauses[0]
    rows = tuple((c.heading, _clause(batch, c), "\n".join(c.facts), batch.say("choices"), "") for c in clauses)
    if first.level is Level.UNIT:
        title = batch.say("unit", **{"id": first.unit_id, "name": first.unit_name, "class": first.unit_class}).strip()
        title += batch.say("unit-share", share=numbers.percent(first.share)) if first.share else ""
        return Grid("answers", _columns(batch), rows, title=title, grouped="heading")
    return Grid("general", _columns(batch), rows, title=batch.say(f"level-{first.level}"), grouped="heading")


def _clause(batch: Batch, one: Clause) -> str:
    """Write a clause, and below it where it stands and how well its text is known."""
    if not one.certainty:
        return one.clause
    source = batch.say("clause-source", basis=one.basis, certainty=one.certainty)
    return "\n".join(filter(None, (one.clause, source, one.note)))
