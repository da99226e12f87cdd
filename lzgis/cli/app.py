"""The command line: arguments in, tables, files and an exit code out.

Exit codes: 0 nothing found, 1 conflicts, 2 bad input or an incomplete check. What is heavy is imported by the command
that needs it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from lzgis.cli.audit import AuditOptions, run_audit
from lzgis.cli.avoid import AvoidOptions, run_avoid
from lzgis.cli.batch import Question, ShardOptions, run_batch
from lzgis.cli.console import announce, stdout
from lzgis.cli.diff import DiffOptions, run_diff
from lzgis.cli.inspect import InspectOptions, run_inspect
from lzgis.cli.map import SheetOptions, write_sheets
from lzgis.cli.options import MapMode, OutputOptions, ReadingOptions, formats_for, formats_of, gathers
from lzgis.cli.override import OverrideOptions, run_override
from lzgis.cli.raster import app as raster_app
from lzgis.cli.result import asked, made_at
from lzgis.cli.verify import VerifyOptions, run_verify
from lzgis.errors import ConfigError, LzgisError
from lzgis.messages import Message
from lzgis.words import Language, Words

if TYPE_CHECKING:
    from lzgis.files.manifest import InputPaths
    from lzgis.model.report import Report

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(raster_app, name="raster")


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


@app.command()
@gathers(ReadingOptions, "reading")
@gathers(ShardOptions, "shards")
@gathers(OutputOptions, "output")
def screen(  # noqa: PLR0913 (a command has as many options as it needs)
    sites: Annotated[Path, typer.Argument(help="File of the sites to check, or postgis://user@host/database.")],
    *,
    layers: LayersOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = Lang.zh,
    output: OutputOptions = OutputOptions(),  # noqa: B008 (frozen)
    reading: ReadingOptions = ReadingOptions(),  # noqa: B008 (frozen)
    shards: ShardOptions = ShardOptions(),  # noqa: B008 (frozen)
) -> None:
    """Check sites against every rule in force, and write the results."""
    names = formats_for(output)
    if output.as_json and output.mode == MapMode.public:
        raise ConfigError(
            "--json", Message("{formats} have no public edition", formats="json"), Message("leave it out")
        )
    if shards.concerns(sites, output.out):
        if output.as_json:
            what = Message("cannot print a batch")
            raise ConfigError("--json", what, Message("use it with --format json"))
        if output.dem:
            what = Message("is not used for a batch in parts")
            raise ConfigError("--dem", what, Message("name it in catalog.toml, as dem"))
        question = Question(
            sites=sites,
            layers=layers,
            as_of=as_of,
            out=output.out or Path(),
            formats=names if output.formats or output.mode == MapMode.public else None,
            language=lang.code,
            overrides=output.overrides,
            reading=reading.options(),
            options={**asdict(output), "workers": 0},
        )
        raise typer.Exit(run_batch(question, shards))
    report = _screened(sites, layers, as_of, lang, overrides=output.overrides, reading=reading)
    report = replace(report, backdrop=output.dem) if output.dem else report
    given = _given(sites, layers, output.overrides)
    options = {**asdict(output), "workers": 0}
    written = _write(report, output.out, names, lang, options=options, given=given) if output.out else []
    if output.as_json:
        import json

        from lzgis.exports.gis.json import report_document

        text = json.dumps(report_document(report, language=lang.code), ensure_ascii=False, allow_nan=False)
        # JSON is UTF-8 whatever the console's own encoding is.
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
    else:
        _show(report, lang)
    announce(written)
    raise typer.Exit(_exit_code(report))


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder that receives the files.")] = Path("out"),
    lang: LangOption = Lang.zh,
) -> None:
    """Screen the reference city's own projects and write every default format."""
    from lzgis.city.reference import reference_city

    report = _screened(reference_city() / "sites.gpkg", None, None, lang)
    written = _write(report, out, formats_of(None), lang, options={}, given=_given(None, None, None))
    _show(report, lang)
    announce(written)


@app.command("layers")
def show_layers(layers: LayersOption = None, lang: LangOption = Lang.zh) -> None:
    """Show a city's layers and rasters, measured beside declared, and their problems."""
    from lzgis.city.catalogue import open_catalogue, unknown_values
    from lzgis.city.reference import reference_city
    from lzgis.cli.tables import layers_table, problem_lines, rasters_table

    city = open_catalogue(layers or reference_city())
    table, problems = layers_table(city, lang.words)
    for name in city.layers:
        if city.exists(name):
            problems.extend(unknown_values(city.book, city.load(name).layer))
    console = stdout()
    console.print(table)
    if city.spec.raster:
        table, more = rasters_table(city, lang.words)
        problems.extend(more)
        console.print(table)
    for line in problem_lines(tuple(problems), lang.words):
        console.print(line)
    raise typer.Exit(2 if any(p.level != "note" for p in problems) else 0)


@app.command("map")
@gathers(ReadingOptions, "reading")
@gathers(SheetOptions, "sheets")
def draw_maps(  # noqa: PLR0913 (a command has as many options as it needs)
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[SITE]...", help="Ids of sites; none for all on one map.")
    ] = None,
    *,
    sites: Annotated[Path | None, typer.Option("--sites", help="File of the sites; the reference city's own.")] = None,
    layers: LayersOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = Lang.zh,
    sheets: SheetOptions = SheetOptions(),  # noqa: B008 (frozen)
    reading: ReadingOptions = ReadingOptions(),  # noqa: B008 (frozen)
) -> None:
    """Draw maps on paper: one for each SITE, or an overview of them all."""
    from lzgis.city.reference import reference_city

    sheets.suffixes()
    report = _screened(sites or reference_city() / "sites.gpkg", layers, as_of, lang, reading=reading)
    announce(write_sheets(report, ids or [], sheets, lang.code, _given(sites, layers, None)))


@app.command()
@gathers(AuditOptions, "options")
def audit(
    layers: LayersOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = Lang.zh,
    options: AuditOptions = AuditOptions(),  # noqa: B008 (frozen)
) -> None:
    """Hold a city's layers against each other and against declared figures."""
    raise typer.Exit(run_audit(layers, as_of, options, lang.code))


@app.command()
@gathers(DiffOptions, "options")
def diff(
    old: Annotated[Path, typer.Argument(help="Folder of a city, rule book (.toml) or layer as it was.")],
    new: Annotated[Path, typer.Argument(help="The same as it is now.")],
    as_of: AsOfOption = None,
    lang: LangOption = Lang.zh,
    options: DiffOptions = DiffOptions(),  # noqa: B008 (frozen)
) -> None:
    """Show what a new version changes: areas, features, rules, and the verdicts of a report."""
    raise typer.Exit(run_diff(old, new, as_of, options, lang.code))


@app.command("inspect")
@gathers(ReadingOptions, "reading")
@gathers(InspectOptions, "options")
def inspect_input(
    file: Annotated[Path, typer.Argument(help="File to diagnose, or postgis://user@host/database.")],
    *,
    layers: LayersOption = None,
    lang: LangOption = Lang.zh,
    options: InspectOptions = InspectOptions(),  # noqa: B008 (frozen)
    reading: ReadingOptions = ReadingOptions(),  # noqa: B008 (frozen)
) -> None:
    """Diagnose an input: what it is, where it lies, what would be assumed and what is refused."""
    raise typer.Exit(run_inspect(file, layers, options, reading, lang.code))


@app.command("verify")
@gathers(VerifyOptions, "options")
def verify_results(
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of results.")],
    layers: LayersOption = None,
    lang: LangOption = Lang.zh,
    options: VerifyOptions = VerifyOptions(),  # noqa: B008 (frozen)
) -> None:
    """Check that results are what was written, and whether layers, rules or sites have changed since."""
    raise typer.Exit(run_verify(folder, layers, options, lang.code))


@app.command()
@gathers(OverrideOptions, "options")
def override(
    site: Annotated[str, typer.Argument(help="Id of the site.")],
    rule: Annotated[str, typer.Argument(help="Id of the rule.")],
    sites: Annotated[Path | None, typer.Option("--sites", help="File of the sites; the reference city's own.")] = None,
    layers: LayersOption = None,
    as_of: AsOfOption = None,
    options: OverrideOptions = OverrideOptions(),  # noqa: B008 (frozen)
) -> None:
    """Print the entry of overrides.toml that overrules a finding; the finding itself stays."""
    run_override((site, rule), sites, layers, as_of, options)


@app.command()
@gathers(AvoidOptions, "options")
def avoid(
    site: Annotated[str, typer.Argument(help="Id of the site.")],
    layers: LayersOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = Lang.zh,
    options: AvoidOptions = AvoidOptions(),  # noqa: B008 (frozen)
) -> None:
    """Tell what remains of a site without what is forbidden, and the shortest move that gets it clear."""
    raise typer.Exit(run_avoid(site, layers, as_of, options, lang.code))


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="Folder to make.")]) -> None:
    """Write an empty city for an office that holds the official data."""
    from lzgis.city.new_city import start_city

    made = start_city(folder)
    stdout().print(f"{made}: {', '.join(sorted(p.name for p in made.iterdir()))}", markup=False, highlight=False)


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


def _screened(
    sites: Path,
    layers: Path | None,
    as_of: str | None,
    lang: Lang,
    *,
    overrides: Path | None = None,
    reading: ReadingOptions = ReadingOptions(),  # noqa: B008 (frozen)
) -> Report:
    from lzgis.city.reference import reference_city
    from lzgis.reading import begin_reading
    from lzgis.screening.screen import screen as screen_sites

    # Begun before anything heavy is imported.
    with begin_reading(sites, options=reading.options()) as table:
        from lzgis.cli.console import progress_bar

        with progress_bar(lang.words) as progress:
            city = layers or reference_city()
            report = screen_sites(table, city, as_of=as_of, made_at=made_at(), progress=progress, overrides=overrides)
    return replace(report, provenance=replace(report.provenance, command=asked()))


def _write(
    report: Report, out: Path, names: list[str], lang: Lang, *, options: Mapping[str, object], given: InputPaths
) -> list[Path]:
    from lzgis.cli.console import progress_bar
    from lzgis.exports.folder import export_folder

    with progress_bar(lang.words) as progress:
        return export_folder(report, out, names, language=lang.code, options=options, given=given, progress=progress)


def _given(sites: Path | None, layers: Path | None, overrides: Path | None) -> InputPaths:
    from lzgis.files.manifest import InputPaths
    from lzgis.reading import is_address, shown

    known_as = shown(sites) if sites is not None and is_address(sites) else str(sites or "")
    return InputPaths(sites=known_as, layers=str(layers or ""), overrides=str(overrides or ""))


def _show(report: Report, lang: Lang) -> None:
    from lzgis.cli.tables import problem_lines, summary_lines, verdict_table

    console = stdout()
    console.print(verdict_table(report, lang.words))
    for line in (*problem_lines(report.problems, lang.words), *summary_lines(report, lang.words)):
        console.print(line, soft_wrap=True)


def _exit_code(report: Report) -> int:
    from lzgis.model.report import Verdict

    found = set(report.verdicts["verdict"])
    if Verdict.INCOMPLETE in found:
        return 2
    return 1 if found & {Verdict.PROHIBITED.value, Verdict.REVIEW.value} else 0
