"""The command ``diff``: the changes between two versions of a city, a rule book or a layer, and the projects concerned.

Exit codes: 0 if nothing differs, 1 if something does, 3 for bad input.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from lzgis.cli.console import ExitCode, announce, compile_loops, print_json, print_lines, print_problems, stdout
from lzgis.cli.options import AsOfOption, Lang, LangOption, gathers
from lzgis.cli.result import result_in
from lzgis.errors import ConfigError
from lzgis.messages import Message

if TYPE_CHECKING:
    import pandas as pd

    from lzgis.exports.report_text import ContextText
    from lzgis.model.audit import DiffReport, Recheck
    from lzgis.words import Language, Words

_CHANGES = ("layer", "change", "feature_id", "feature_name", "gained_m2", "lost_m2", "lon", "lat", "place", "fields")
_TOTALS = (
    *("layer", "added", "removed", "moved", "changed", "before_m2", "after_m2", "net_m2", "gained_m2", "lost_m2"),
    *("gross_m2", "note"),
)
#: Rows of a table that are printed; the files hold all of them.
_MOST = 20


@dataclass(frozen=True)
class DiffOptions:
    """Options of a comparison: dates, the report to check again, and the folder of the files."""

    report: Annotated[
        Path | None, typer.Option("--report", help="report.json of projects to judge again by the new city.")
    ] = None
    as_of_old: Annotated[
        str | None, typer.Option("--as-of-old", help="Date of the rules of OLD, if it is another than --as-of.")
    ] = None
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder that receives workbook, map, GeoPackage and JSON.")
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON on standard output.")] = False


@gathers(DiffOptions, "options")
def diff(
    old: Annotated[Path, typer.Argument(help="Folder of a city, rule book (.toml) or layer as it was.")],
    new: Annotated[Path, typer.Argument(help="The same as it is now.")],
    as_of: AsOfOption = None,
    lang: LangOption = Lang.zh,
    options: DiffOptions = DiffOptions(),
) -> None:
    """Show what a new version changes: areas, features, rules, and the verdicts of a report."""
    raise typer.Exit(run_diff(old, new, as_of, options, lang.code))


def run_diff(old: Path, new: Path, as_of: str | None, options: DiffOptions, language: Language) -> ExitCode:
    """Compare two versions, write and show the result, and return the exit code."""
    from lzgis.audits.diff import diff
    from lzgis.audits.recheck import recheck
    from lzgis.exports.diff import diff_document
    from lzgis.exports.formats import FORMATS, diff_formats, writer
    from lzgis.words import Words

    words = Words(language)
    for path in (old, new):
        if not path.exists():
            raise ConfigError(str(path), Message("does not exist"), Message("check the path"))
    report = diff(old, new, as_of=as_of, as_of_old=options.as_of_old)
    if options.report is not None:
        compile_loops(words)
    again = None if options.report is None else recheck(options.report, new, old=old, as_of=as_of)
    written = []
    if options.out is not None:
        with result_in(options.out, "diff", {"old": report.old, "new": report.new}) as stage:
            for name, file_name in diff_formats().items():
                writer(FORMATS[name].diff)(report, stage.folder / file_name, recheck=again, language=language)
        written = [options.out / file_name for file_name in diff_formats().values()]
    if options.as_json:
        print_json(diff_document(report, again, language=language))
    else:
        console = stdout()
        for table in _tables(report, again, words):
            console.print(table)
        print_problems((*report.problems, *(again.problems if again else ())), words)
        print_lines(_summary(report, again, words))
    announce(written, words)
    same = report.empty and (again is None or not len(again.changes))
    return ExitCode.OK if same else ExitCode.FOUND


def _tables(report: DiffReport, again: Recheck | None, words: Words) -> list[Table]:
    differing = report.totals[
        (report.totals[["added", "removed", "moved", "changed"]].sum(axis=1) > 0) | (report.totals["note"] != "")
    ]
    from lzgis.exports.diff_text import difference_text

    texts = difference_text(report, again, words.language)
    tables = [
        _table("totals", differing, _TOTALS, texts),
        _table("changes", report.changes, _CHANGES, texts),
        _table("rules", report.rules, tuple(report.rules.columns), texts),
        _table("findings", report.findings[report.findings["state"] != "不涉及"], ("rule", "state", "what"), texts),
    ]
    if again is not None:
        columns = ("site_id", "site_name", "verdict_before", "verdict_after", "because")
        tables.append(_table("verdicts", again.verdict_changes, columns, texts))
        tables.append(
            _table("answers", again.changes, ("site_id", "rule", "answer_before", "answer_after", "because"), texts)
        )
    return [table for table in tables if table.row_count]


def _table(name: str, frame: pd.DataFrame, columns: tuple[str, ...], texts: ContextText) -> Table:
    words = texts.words
    table = Table(title=Text(words("diff", f"{name}_title")), title_justify="left")
    for column in columns:
        table.add_column(words("diff", column), overflow="fold")
    for row in frame.head(_MOST)[list(columns)].itertuples(index=False):
        table.add_row(*(Text(_cell(column, value, texts)) for column, value in zip(columns, row, strict=True)))
    if len(frame) > _MOST:
        table.add_row(words("diff", "more", count=len(frame) - _MOST))
    return table


def _cell(column: str, value: Any, texts: ContextText) -> str:
    words = texts.words
    if value is None or (isinstance(value, float) and isnan(value)):
        return ""
    sections = {"change": "change", "state": "state", "verdict_before": "verdict", "verdict_after": "verdict"}
    if column in sections:
        return words(sections[column], value) if value else ""
    if column in ("lon", "lat"):
        return f"{value:.6f}"
    if column in ("layer", "rule", "because") or column.startswith("answer_"):
        from lzgis.exports.diff_text import worded_text

        return worded_text(texts, column, words.message(value))
    if isinstance(value, float):
        return f"{value:,.2f}"
    return words.message(value) if isinstance(value, str) else str(value)


def _summary(report: DiffReport, again: Recheck | None, words: Words) -> list[str]:
    lines = [words("diff", "nothing")] if report.empty else []
    if again is not None:
        counts = {"recomputed": again.recomputed, "reused": again.reused, "verdicts": len(again.verdict_changes)}
        lines.append(words("diff", "recheck", **counts))
    return lines
