"""The command ``inspect``: the diagnosis of an input. Exit codes: 0 if it can be read, 2 if something in it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lzgis.cli.console import announce, print_json, stdout
from lzgis.cli.options import ReadingOptions
from lzgis.errors import ConfigError
from lzgis.messages import Message

if TYPE_CHECKING:
    from rich.table import Table

    from lzgis.screening.inspect import Sheet
    from lzgis.words import Language, Words


@dataclass(frozen=True)
class InspectOptions:
    """Options of a diagnosis: where its page goes, and whether JSON is printed."""

    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File that receives the diagnosis as a page, *.html.")
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print the diagnosis as JSON on standard output.")] = False


def run_inspect(
    file: Path, layers: Path | None, options: InspectOptions, reading: ReadingOptions, language: Language
) -> int:
    """Diagnose, write and show as the options say; return the exit code.

    Raises
    ------
    ConfigError
        If `out` is no HTML file.
    """
    from lzgis.city.reference import reference_city
    from lzgis.exports.inspection import sheet_document, write_sheet_html
    from lzgis.screening.inspect import inspect_file
    from lzgis.words import Words

    if options.out is not None and options.out.suffix.lower() not in (".html", ".htm"):
        what = Message("no exporter writes '{suffix}'", suffix=options.out.suffix)
        raise ConfigError("--out", what, Message("use one of {known}", known=".html"))
    sheet = inspect_file(file, options=reading.options(), city=layers or reference_city())
    if options.out is not None:
        write_sheet_html(sheet, options.out, language=language)
    if options.as_json:
        print_json(sheet_document(sheet, language=language))
    else:
        _show(sheet, language, Words(language))
    announce([options.out] if options.out is not None else [])
    return 0 if sheet.readable else 2


def _show(sheet: Sheet, language: Language, words: Words) -> None:
    from rich.text import Text

    from lzgis.cli.tables import problem_lines

    console = stdout()
    console.print(_table(sheet, language, words))
    for part, problems in (("refused", sheet.refused), ("assumed", sheet.assumed)):
        if problems:
            console.print(Text(words("inspect", part), style="bold"))
        for line in problem_lines(problems, words):
            console.print(line, soft_wrap=True)
    style, key = ("green", "readable") if sheet.readable else ("bold red", "not_readable")
    console.print(Text(words("inspect", key), style=style))


def _table(sheet: Sheet, language: Language, words: Words) -> Table:
    from rich.table import Table
    from rich.text import Text

    from lzgis.exports.inspection import sheet_lines

    table = Table(title=Text(words("inspect", "title")), title_justify="left", show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    for line in sheet_lines(sheet, language):
        table.add_row(line.label, Text(line.value))
    return table
