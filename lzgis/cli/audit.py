"""The command ``audit``: a city's layers checked against each other, their codes and their declared figures.

Exit codes: 2 if something could not be checked, 1 if layers conflict, 0 otherwise; 3 if there is no result. A declared figure
that does not hold is shown, but is not a conflict.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lzgis.cli.console import ExitCode, announce, print_json, print_lines, print_problems, progress_bar, stdout
from lzgis.cli.options import AsOfOption, Lang, LangOption, LayersOption, OutOption, gathers
from lzgis.cli.result import given_inputs, result_in
from lzgis.errors import ConfigError
from lzgis.messages import Message

if TYPE_CHECKING:
    from rich.table import Table

    from lzgis.model.audit import AuditReport
    from lzgis.words import Language, Words


@dataclass(frozen=True)
class AuditOptions:
    """Options of an audit: the folder and formats of its files, and whether JSON is printed."""

    out: OutOption = None
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="xlsx, gpkg, json or html; may be given again; all if not given."),
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print the audit as JSON on standard output.")] = False

    def names(self) -> list[str]:
        """Return the requested formats without duplicates.

        Raises
        ------
        ConfigError
            If a format is not known.
        """
        from lzgis.exports.formats import audit_formats

        known = audit_formats()
        names = [name.strip().lower() for one in self.formats or known for name in one.split(",")]
        for name in names:
            if name not in known:
                what = Message("'{name}' is not known", name=name)
                raise ConfigError("--format", what, Message("allowed: {names}", names=", ".join(known)))
        return list(dict.fromkeys(names))


@gathers(AuditOptions, "options")
def audit(
    layers: LayersOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = Lang.zh,
    options: AuditOptions = AuditOptions(),
) -> None:
    """Hold a city's layers against each other and against declared figures."""
    raise typer.Exit(run_audit(layers, as_of, options, lang.code))


def run_audit(layers: Path | None, as_of: str | None, options: AuditOptions, language: Language) -> ExitCode:
    """Audit a city, write and show the result, and return the exit code."""
    from lzgis.audits.audit import audit
    from lzgis.city.reference import city_or_reference
    from lzgis.cli.tables import MOST_ROWS, more_lines
    from lzgis.exports.audit import audit_document
    from lzgis.exports.formats import FORMATS, audit_formats, writer
    from lzgis.words import Words

    names = options.names()
    words = Words(language)
    with progress_bar(words) as progress:
        report = audit(city_or_reference(layers), as_of=as_of, progress=progress)
    written = []
    if options.out is not None:
        from lzgis.exports.gis.json import provenance_object

        given = given_inputs(None, layers)
        with result_in(options.out, "audit", provenance_object(report.provenance), given) as stage:
            for name in names:
                writer(FORMATS[name].audit)(report, stage.folder / audit_formats()[name], language=language)
        written = [options.out / audit_formats()[name] for name in names]
    if options.as_json:
        print_json(audit_document(report, language=language))
    else:
        console = stdout()
        where = written[0].name if written else ""
        console.print(audit_table(report, words, place=where))
        console.print(figures_table(report, words))
        print_problems(report.problems, words, most=MOST_ROWS)
        print_lines(str(one) for one in more_lines(len(report.problems), words, place=where))
        print_lines([_summary(report, words)])
    announce(written, words)
    return _exit_code(report)


def audit_table(report: AuditReport, words: Words, *, place: str = "") -> Table:
    """Make a table of what is wrong except declared figures, the worst first, in at most `MOST_ROWS` rows.

    Of many findings under one rule about one pair of layers, it has one statement and the worst. `place` is the file that
    has all.
    """
    from rich.table import Table
    from rich.text import Text

    from lzgis.cli.tables import MOST_ROWS
    from lzgis.model.report import SEPARATOR, State

    table = Table(title=Text(words("audit", "title", as_of=report.provenance.as_of)), title_justify="left")
    for heading in ("rule", "state", "what", "lon", "lat", "place"):
        table.add_column(words("audit", heading), overflow="fold")
    style = {State.INVOLVED: "bold red", State.SLIVER: "yellow", State.NOT_CHECKED: "magenta"}
    rows = _shown(report)
    for row in rows[:MOST_ROWS]:
        rule = report.book.rule(row["rule"])
        why = words.message(row["what"]) or (words("reason", row["reason"]) if row["reason"] else "")
        why = SEPARATOR.join(filter(None, (why, words.message(row.get("statement_note", "")))))
        where = [f"{row[name]:.6f}" if row[name] == row[name] else "" for name in ("lon", "lat")]
        cells = [words.title(rule.title, rule.title_en), words("state", row["state"]), why, *where, row["place"]]
        table.add_row(*(Text(c, style=style[State(row["state"])] if i == 1 else "") for i, c in enumerate(cells)))
    left_out = len(rows) - MOST_ROWS
    if left_out > 0:
        table.caption = Text(words("cli", "more_in" if place else "more_rows", count=left_out, place=place))
        table.caption_justify = "left"
    return table


def _shown(report: AuditReport) -> list[dict[str, Any]]:
    """Return the rows to show: findings one by one, or a statement and the worst where there are many of one group."""
    import numpy as np
    import pandas as pd

    from lzgis.audits.statements import FEW, statements
    from lzgis.exports.report_text import records
    from lzgis.model.audit import Topic
    from lzgis.model.report import State

    findings = report.findings
    chosen = (findings["state"] != State.CLEAR) & (findings["topic"] != Topic.FIGURE)
    table = pd.DataFrame(findings.drop(columns=findings.geometry.name))
    summed = statements(report)
    made: dict[int, dict[str, Any]] = {}
    for one in records(summed, summed.columns):
        if one["count"] > FEW:
            made[one["worst"]] = one
    grouped = {(one["rule"], one["layer"], one["state"]) for one in made.values()}
    keys = zip(table["rule"], table["layer"], table["state"], strict=True)
    single = np.array([key not in grouped for key in keys], dtype=bool)
    rows: list[dict[str, Any]] = []
    for at in np.flatnonzero(chosen & (single | table.index.isin(list(made)))):
        if int(at) in made:
            group = made[int(at)]
            rows.append({**group, "reason": "", "statement_note": group["note"]})
        rows.append({str(name): value for name, value in table.iloc[at].items()})
    return rows


def figures_table(report: AuditReport, words: Words) -> Table:
    """Make a table of every declared figure beside the measured one."""
    from rich.table import Table
    from rich.text import Text

    from lzgis.model.audit import Topic
    from lzgis.model.report import State

    table = Table(title=Text(words("audit", "figures_title")), title_justify="left")
    for heading in ("rule", "what", "holds"):
        table.add_column(words("audit", heading), overflow="fold")
    signs = {State.CLEAR: ("yes", "green"), State.NOT_CHECKED: ("", "magenta")}
    for row in report.findings[report.findings["topic"] == Topic.FIGURE].to_dict("records"):
        rule = report.book.rule(row["rule"])
        sign, style = signs.get(State(row["state"]), ("no", "red"))
        holds = words("audit", sign) if sign else words("state", row["state"])
        cells = (words.title(rule.title, rule.title_en), words.message(row["what"]))
        table.add_row(*(Text(cell) for cell in cells), Text(holds, style=style))
    return table


def _summary(report: AuditReport, words: Words) -> str:
    from lzgis.model.audit import Topic
    from lzgis.model.report import State

    states = report.findings["state"].value_counts()
    conflicts = report.conflicts["state"].value_counts()
    counts = {
        "conflicts": conflicts.get(State.INVOLVED.value, 0),
        "slivers": conflicts.get(State.SLIVER.value, 0),
        "figures": len(report.of(Topic.FIGURE)),
        "others": len(report.of(Topic.SHIFT)) + len(report.of(Topic.CODE)),
        "unchecked": states.get(State.NOT_CHECKED.value, 0),
        "clear": states.get(State.CLEAR.value, 0),
    }
    return words("audit", "summary", **counts)


def _exit_code(report: AuditReport) -> ExitCode:
    from lzgis.model.audit import Topic
    from lzgis.model.report import HIT_STATES, State
    from lzgis.model.rules import Severity

    serious = report.findings[report.findings["severity"] != Severity.NOTICE]
    if (serious["state"] == State.NOT_CHECKED).any():
        return ExitCode.INCOMPLETE
    found = (serious["state"].isin(HIT_STATES) & (serious["topic"] != Topic.FIGURE)).any()
    return ExitCode.FOUND if found else ExitCode.OK
