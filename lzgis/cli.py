"""The command line: arguments in, tables, files and an exit code out.

Exit codes: 0 nothing found, 1 conflicts, 2 bad input or an incomplete check. What is heavy is imported by the command
that needs it.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from lzgis.errors import ConfigError, LzgisError
from lzgis.messages import Message
from lzgis.words import Language, Words

if TYPE_CHECKING:
    from lzgis.model import Report

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


class Lang(StrEnum):
    """Languages of the outputs."""

    zh = "zh"
    en = "en"

    @property
    def words(self) -> Words:
        """The wording of the language."""
        return Words(self.code)

    @property
    def code(self) -> Language:
        """The language as exporters name it."""
        return "zh" if self is Lang.zh else "en"


LayersOption = Annotated[
    Path | None, typer.Option("--layers", help="Folder of the city; the reference city if not given.")
]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", help="Date whose rules apply, as 2026-11-21; today if not given.")
]
LangOption = Annotated[Lang, typer.Option("--lang", help="Language of tables and files.")]
FormatOption = Annotated[
    list[str] | None, typer.Option("--format", help="xlsx, gpkg, json, html, png or all; may be given again.")
]
OutOption = Annotated[Path | None, typer.Option("--out", "-o", help="Folder that receives the files.")]


@app.command()
def screen(  # noqa: PLR0913, PLR0917 (the options of a command are its interface)
    sites: Annotated[Path, typer.Argument(help="File of the sites to check.")],
    layers: LayersOption = None,
    as_of: AsOfOption = None,
    out: OutOption = None,
    formats: FormatOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON on standard output.")] = False,
    lang: LangOption = Lang.zh,
) -> None:
    """Check sites against every rule in force, and write the results."""
    report = _screened(sites, layers, as_of, lang)
    written = _write(report, out, _formats(formats), lang) if out else []
    if as_json:
        import json

        from lzgis.exporters.json import report_document

        text = json.dumps(report_document(report, language=lang.code), ensure_ascii=False, allow_nan=False)
        # JSON is UTF-8 whatever the console's own encoding is.
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
    else:
        _show(report, lang)
    _announce(written)
    raise typer.Exit(_exit_code(report))


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder that receives the files.")] = Path("out"),
    lang: LangOption = Lang.zh,
) -> None:
    """Screen the reference city's own projects and write every default format."""
    from lzgis.catalogue import reference_city

    report = _screened(reference_city() / "sites.gpkg", None, None, lang)
    written = _write(report, out, _formats(None), lang)
    _show(report, lang)
    _announce(written)


@app.command("layers")
def show_layers(layers: LayersOption = None, lang: LangOption = Lang.zh) -> None:
    """Show a city's layers, measured beside declared, and their problems."""
    from lzgis.catalogue import open_catalogue, reference_city, unknown_values
    from lzgis.console import layers_table, problem_lines

    city = open_catalogue(layers or reference_city())
    table, problems = layers_table(city, lang.words)
    for name in city.layers:
        if city.exists(name):
            problems.extend(unknown_values(city.book, city.load(name).layer))
    console = _stdout()
    console.print(table)
    for line in problem_lines(tuple(problems), lang.words):
        console.print(line)
    raise typer.Exit(2 if any(p.level != "note" for p in problems) else 0)


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="Folder to make.")]) -> None:
    """Write an empty city for an office that holds the official data."""
    from lzgis.starting import start_city

    made = start_city(folder)
    _stdout().print(f"{made}: {', '.join(sorted(p.name for p in made.iterdir()))}", markup=False, highlight=False)


def main() -> None:
    """Run the command line; an error of lzgis is one line on standard error and exit code 2."""
    _make_safe()
    try:
        app()
    except LzgisError as error:
        # The options are not parsed yet, or were refused, so the language is looked for among the bare words.
        words = Words("en" if {"--lang=en", "en"} & set(sys.argv[1:]) else "zh")
        said = words.sentence(error.place, error.what, error.remedy)
        Console(stderr=True).print(said, style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)


def _make_safe() -> None:
    """Let a console that lacks a character (GBK on Windows) print a substitute instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _screened(sites: Path, layers: Path | None, as_of: str | None, lang: Lang) -> Report:
    from lzgis.catalogue import reference_city
    from lzgis.console import progress_bar
    from lzgis.screening import screen as screen_sites

    with progress_bar(lang.words) as progress:
        return screen_sites(sites, layers or reference_city(), as_of=as_of, progress=progress)


def _formats(given: list[str] | None) -> list[str]:
    from lzgis.config import nearest
    from lzgis.exporters import DEFAULT_FORMATS, FORMATS

    if not given:
        return list(DEFAULT_FORMATS)
    names = [name for one in given for name in one.split(",")]
    for name in names:
        if name not in (*FORMATS, "all"):
            raise ConfigError("--format", Message("'{name}' is not known", name=name), nearest(name, (*FORMATS, "all")))
    return list(FORMATS) if "all" in names else list(dict.fromkeys(names))


def _write(report: Report, out: Path, names: list[str], lang: Lang) -> list[Path]:
    from lzgis.console import progress_bar
    from lzgis.exporters import FORMATS, export

    written = []
    with progress_bar(lang.words) as progress:
        for done, name in enumerate(names):
            progress("files", done, len(names))
            written.append(export(report, out / FORMATS[name].file_name, language=lang.code))
    return written


def _show(report: Report, lang: Lang) -> None:
    from lzgis.console import problem_lines, summary_lines, verdict_table

    console = _stdout()
    console.print(verdict_table(report, lang.words))
    for line in (*problem_lines(report.problems, lang.words), *summary_lines(report, lang.words)):
        console.print(line, soft_wrap=True)


def _announce(written: list[Path]) -> None:
    console = Console(stderr=True)
    for path in written:
        console.print(str(path), markup=False, highlight=False, soft_wrap=True)


def _stdout() -> Console:
    # A file or a pipe has no width of its own; 80 columns would fold every cell of a table to nothing.
    return Console() if sys.stdout.isatty() else Console(width=160)


def _exit_code(report: Report) -> int:
    from lzgis.model import Verdict

    found = set(report.verdicts["verdict"])
    if Verdict.INCOMPLETE in found:
        return 2
    return 1 if found & {Verdict.PROHIBITED.value, Verdict.REVIEW.value} else 0
