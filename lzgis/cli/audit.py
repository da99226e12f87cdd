"""The command ``audit``: a city's layers against each other, their codes and the figures declared of them.

Exit codes: 1 if layers conflict, 2 if they do not but something could not be checked, 0 if all is in order. Figures that
do not hold are shown and are no conflict.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lzgis.cli.result import result_in
from lzgis.errors import ConfigError
from lzgis.messages import Message

if TYPE_CHECKING:
    from rich.table import Table

    from lzgis.model.audit import AuditReport
    from lzgis.words import Language, Words
from lzgis.cli.console import announce, print_json, stdout

FORMATS = ("xlsx", "gpkg", "json", "html")


@dataclass(frozen=True)
class AuditOptions:
    """Options of an audit: where its files go, in which formats, and whether JSON is printed."""

    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder that receives the files.")] = None
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="xlsx, gpkg, json or html; may be given again; all if not given."),
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print the audit as JSON on standard output.")] = False

    def names(self) -> list[str]:
        """Give the formats asked for, each once.

        Raises
        ------
        ConfigError
            If one is not known.
        """
        names = [name.strip().lower() for one in self.formats or FORMATS for name in one.split(",")]
        for name in names:
            if name not in FORMATS:
                what = Message("'{name}' is not known", name=name)
                raise ConfigError("--format", what, Message("allowed: {names}", names=", ".join(FORMATS)))
        return list(dict.fromkeys(names))


def run_audit(layers: Path | None, as_of: str | None, options: AuditOptions, language: Language) -> int:
    """Audit, write and show as the options say; return the exit code."""
    from lzgis.audits.audit import audit
    from lzgis.city.reference import reference_city
    from lzgis.cli.console import progress_bar
    from lzgis.cli.tables import problem_lines
    from lzgis.exports.audit import AUDIT_FORMATS, audit_document
    from lzgis.words import Words

    names = options.names()
    words = Words(language)
    with progress_bar(words) as progress:
        report = audit(layers or reference_city(), as_of=as_of, progress=progress)
    written = []
    if options.out is not None:
        from lzgis.exports.gis.json import provenance_object
        from lzgis.files.manifest import InputPaths

        given = InputPaths(layers=str(layers or ""))
        with result_in(options.out, "audit", provenance_object(report.provenance), given) as stage:
            for name in names:
                AUDIT_FORMATS[name].write(report, stage.folder / AUDIT_FORMATS[name].file_name, language=language)
        written = [options.out / AUDIT_FORMATS[name].file_name for name in names]
    if options.as_json:
        print_json(audit_document(report, language=language))
    else:
        console = stdout()
        console.print(audit_table(report, words))
        console.print(figures_table(report, words))
        for line in problem_lines(report.problems, words):
            console.print(line, soft_wrap=True)
        console.print(_summary(report, words), soft_wrap=True, markup=False, highlight=False)
    announce(written)
    return _exit_code(report)


def audit_table(report: AuditReport, words: Words) -> Table:
    """Make a row of everything that is not in order but for figures, the worst first."""
    from rich.table import Table
    from rich.text import Text

    from lzgis.model.audit import Topic
    from lzgis.model.report import State

    table = Table(title=Text(words("audit", "title", as_of=report.provenance.as_of)), title_justify="left")
    for heading in ("rule", "state", "what", "lon", "lat", "place"):
        table.add_column(words("audit", heading), overflow="fold")
    style = {State.INVOLVED: "bold red", State.SLIVER: "yellow", State.NOT_CHECKED: "magenta"}
    rows = report.findings[(report.findings["state"] != State.CLEAR) & (report.findings["topic"] != Topic.FIGURE)]
    for row in rows.to_dict("records"):
        rule = report.book.rule(row["rule"])
        why = words.message(row["what"]) or (words("reason", row["reason"]) if row["reason"] else "")
        where = [f"{row[name]:.6f}" if row[name] == row[name] else "" for name in ("lon", "lat")]
        cells = [words.title(rule.title, rule.title_en), words("state", row["state"]), why, *where, row["place"]]
        table.add_row(*(Text(c, style=style[State(row["state"])] if i == 1 else "") for i, c in enumerate(cells)))
    return table


def figures_table(report: AuditReport, words: Words) -> Table:
    """Make a row of every declared figure beside the measured one, whether it holds or not."""
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
        said = words("audit", sign) if sign else words("state", row["state"])
        cells = (words.title(rule.title, rule.title_en), words.message(row["what"]))
        table.add_row(*(Text(cell) for cell in cells), Text(said, style=style))
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


def _exit_code(report: AuditReport) -> int:
    from lzgis.model.audit import Topic
    from lzgis.model.report import State
    from lzgis.model.rules import Severity

    grave = report.findings[report.findings["severity"] != Severity.NOTICE]
    if (grave["state"].isin([State.INVOLVED, State.SLIVER]) & (grave["topic"] != Topic.FIGURE)).any():
        return 1
    return 2 if (grave["state"] == State.NOT_CHECKED).any() else 0
