"""The command ``inspect``: the diagnosis of an input.

Exit codes: 0 if the input can be read, 2 if something in it is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lzgis.cli.console import ExitCode, announce, print_json, print_problems, stdout
from lzgis.cli.options import Lang, LangOption, LayersOption, ReadingOptions, gathers
from lzgis.errors import ConfigError
from lzgis.messages import Message

if TYPE_CHECKING:
    from rich.table import Table

    from lzgis.screening.inspect import Sheet
    from lzgis.words import Language, Words


@dataclass(frozen=True)
class InspectOptions:
    """Options of a diagnosis: the file of its page, and whether JSON is printed."""

    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File that receives the diagnosis as a page, *.html.")
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print the diagnosis as JSON on standard output.")] = False


@gathers(ReadingOptions, "reading")
@gathers(InspectOptions, "options")
def inspect(
    file: Annotated[Path, typer.Argument(help="File to diagnose, or postgis://user@host/database.")],
    *,
    layers: LayersOption = None,
    lang: LangOption = Lang.zh,
    options: InspectOptions = InspectOptions(),
    reading: ReadingOptions = ReadingOptions(),  # noqa: B008 (frozen)
) -> None:
    """Diagnose an input: what it is, where it lies, what would be assumed and what is refused."""
    raise typer.Exit(run_inspect(file, layers, options, reading, lang.code))


def run_inspect(
    file: Path, layers: Path | None, options: InspectOptions, reading: ReadingOptions, language: Language
) -> ExitCode:
    """Diagnose an input, write and show the result, and return the exit code.

    Raises
    ------
    ConfigError
        If `options.out` is not the name of an HTML file.
    """
    from lzgis.city.reference import city_or_reference
    from lzgis.exports.inspection import sheet_document, write_sheet_html
    from lzgis.screening.inspect import inspect_file
    from lzgis.words import Words

    if options.out is not None and options.out.suffix.lower() not in (".html", ".htm"):
        what = Message("no exporter writes '{suffix}'", suffix=options.out.suffix)
        raise ConfigError("--out", what, Message("use one of {known}", known=".html"))
    sheet = inspect_file(file, options=reading.options(), city=city_or_reference(layers))
    if options.out is not None:
        write_sheet_html(sheet, options.out, language=language)
    if options.as_json:
        print_json(sheet_document(sheet, language=language))
    else:
        _show(sheet, language, Words(language))
    announce([options.out] if options.out is not None else [], Words(language))
    return ExitCode.OK if sheet.readable else ExitCode.INCOMPLETE


def _show(sheet: Sheet, language: Language, words: Words) -> None:
    from rich.text import Text

    console = stdout()
    console.print(_table(sheet, language, words))
    for part, problems in (("refused", sheet.refused), ("assumed", sheet.assumed)):
        if problems:
            console.print(Text(words("inspect", part), style="bold"))
        print_problems(problems, words)
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
