"""The command ``audit``: a city's layers checked against each other, their codes and their declared figures.

Exit codes: 2 if something could not be checked, 1 if layers conflict, 0 otherwise; 3 if there is no result. A declared figure
that does not hold is shown, but is not a conflict.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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
    snap: Annotated[
        bool,
        typer.Option(
            "--snap-report", help="Print how far borders run apart, and the tolerance that follows from that."
        ),
    ] = False
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
    """Compare a city's layers with each other and with declared figures."""
    raise typer.Exit(run_audit(layers, as_of, options, lang.code))


@contextmanager
def _without_collector() -> Iterator[None]:
    """Switch the garbage collector off: it would look at the objects of millions of findings again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@_without_collector()
def run_audit(layers: Path | None, as_of: str | None, options: AuditOptions, language: Language) -> ExitCode:
    """Audit a city, write and show the result, and return the exit code."""
    from lzgis.audits.audit import audit
    from lzgis.city.reference import city_or_reference
    from lzgis.cli.tables import MOST_ROWS, more_lines
    from lzgis.exports.audit import audit_document
    from lzgis.exports.formats import FORMATS, audit_formats, writer
    from lzgis.model.audit import Topic
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
        single, summed = _shown(report)
        if single or not summed:
            console.print(audit_table(report, words, place=where))
        for line in statement_lines(report, words, summed):
            console.print(line, soft_wrap=True)
        if (report.findings["topic"] == Topic.FIGURE).any():
            console.print(figures_table(report, words))
        print_problems(report.problems, words, most=MOST_ROWS)
        print_lines(str(one) for one in more_lines(len(report.problems), words, place=where))
        print_lines([_summary(report, words)])
        if options.snap:
            console.print(snap_table(report, words))
    announce(written, words)
    return _exit_code(report)


def audit_table(report: AuditReport, words: Words, *, place: str = "") -> Table:
    """Make a table of what is wrong except declared figures, the worst first, in at most `MOST_ROWS` rows.

    Many findings under one rule about one pair of layers are a statement, see `statement_lines`. `place` is the file with all.
    """
    from rich.table import Table
    from rich.text import Text

    from lzgis.cli.tables import MOST_ROWS
    from lzgis.model.report import State

    table = Table(title=Text(words("audit", "title", as_of=report.provenance.as_of)), title_justify="left")
    for heading in ("rule", "state", "what", "lon", "lat", "place"):
        table.add_column(words("audit", heading), overflow="fold")
    style = {State.INVOLVED: "bold red", State.SLIVER: "yellow", State.NOT_CHECKED: "magenta"}
    rows, _ = _shown(report)
    for row in rows[:MOST_ROWS]:
        rule = report.book.rule(row["rule"])
        why = words.message(row["what"]) or (words("reason", row["reason"]) if row["reason"] else "")
        where = [f"{row[name]:.6f}" if row[name] == row[name] else "" for name in ("lon", "lat")]
        cells = [words.title(rule.title, rule.title_en), words("state", row["state"]), why, *where, row["place"]]
        table.add_row(*(Text(c, style=style[State(row["state"])] if i == 1 else "") for i, c in enumerate(cells)))
    left_out = len(rows) - MOST_ROWS
    if left_out > 0:
        table.caption = Text(words("cli", "more_in" if place else "more_rows", count=left_out, place=place))
        table.caption_justify = "left"
    return table


def statement_lines(report: AuditReport, words: Words, summed: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Iterate over one line for each rule and pair of layers with many findings: number, total, the largest, and where."""
    from lzgis.model.report import SEPARATOR

    for row in summed:
        rule = report.book.rule(row["rule"])
        worst = report.findings.iloc[int(row["worst"])]
        parts = [
            words.message(one) for one in (row["what"], row["note"], Message("the largest: {what}", what=worst["what"]))
        ]
        head = f"{words.title(rule.title, rule.title_en)}  {words('state', row['state'])}  "
        where = "" if math.isnan(row["lon"]) else f"  {row['lon']:.6f} {row['lat']:.6f}"
        yield head + SEPARATOR.join(filter(None, parts)) + where


def _shown(report: AuditReport) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the findings to show one by one, and the statements of rules and pairs of layers that have many."""
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
    made = [one for one in records(summed, summed.columns) if one["count"] > FEW]
    grouped = {(one["rule"], one["layer"], one["state"]) for one in made}
    keys = zip(table["rule"], table["layer"], table["state"], strict=True)
    single = np.array([key not in grouped for key in keys], dtype=bool)
    rows = [{str(name): value for name, value in table.iloc[at].items()} for at in np.flatnonzero(chosen & single)]
    return rows, made


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


def snap_table(report: AuditReport, words: Words) -> Table:
    """Make a table of how far the borders of layers run apart, with the tolerance that follows."""
    from rich.table import Table
    from rich.text import Text

    from lzgis.audits.snapping import snap_report
    from lzgis.exports.report_text import ContextText, records

    texts = ContextText(report, words.language)
    table = Table(title=Text(words("audit", "snap_title")), title_justify="left")
    columns = ("layer", "other_layer", "near", "apart", "median_m", "p90_m", "p99_m", "farthest_m", "proposed_m")
    for heading in columns:
        table.add_column(
            words("audit", heading), overflow="fold", justify="right" if "layer" not in heading else "left"
        )
    found = snap_report(report)
    for row in records(found, found.columns):
        counts = [str(row[name]) for name in ("near", "apart")]
        metres = [f"{row[name]:.3f}" for name in columns[4:8]]
        titles = [Text(texts.layer(row[name])) for name in columns[:2]]
        table.add_row(*titles, *counts, *metres, f"{row['proposed_m']:g}")
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
