"""The command ``screen``: sites checked against every rule in force, and the results shown and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from lzgis.cli.batch import BatchRequest, ShardOptions, most_at_once, run_batch
from lzgis.cli.console import announce, code_of_verdicts, print_json, print_problems, progress_bar, stdout
from lzgis.cli.options import (
    AsOfOption,
    CitiesOption,
    Lang,
    LangOption,
    MapMode,
    OutputOptions,
    ReadingOptions,
    formats_for,
    formats_of,
    gathers,
)
from lzgis.cli.result import given_inputs, made_at, recorded_command
from lzgis.errors import ConfigError
from lzgis.messages import Message

if TYPE_CHECKING:
    from lzgis.files.manifest import InputPaths
    from lzgis.model.report import Problem, Report
    from lzgis.reading import Reading


@gathers(ReadingOptions, "reading")
@gathers(ShardOptions, "shards")
@gathers(OutputOptions, "output")
def screen(  # noqa: PLR0913 (a command has as many options as it needs)
    sites: Annotated[Path, typer.Argument(help="File of the sites to check, or postgis://user@host/database.")],
    *,
    layers: CitiesOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = Lang.zh,
    output: OutputOptions = OutputOptions(),  # noqa: B008 (frozen)
    reading: ReadingOptions = ReadingOptions(),  # noqa: B008 (frozen)
    shards: ShardOptions = ShardOptions(),  # noqa: B008 (frozen)
) -> None:
    """Check sites against every rule in force, and write the results."""
    from lzgis.reading import begin_reading

    in_shards = partial(_in_shards, sites, layers, as_of, lang, output=output, reading=reading, shards=shards)
    if shards.requested(output.out):
        in_shards()
    most = most_at_once(sites) if output.out else None
    # The file is read in a separate process while the heavy packages are imported here.
    with begin_reading(sites, options=reading.options(), most=most) as table:
        names, per_city = _formats(output, layers)
        if table.is_long():
            table.close()
            in_shards()
        report = screened(table, layers, as_of, lang, overrides=output.overrides)
    below = output.base or output.dem
    report = replace(report, backdrop=below) if below else report
    if output.out:
        from lzgis.exports.formats import by_profile

        names, left_out = by_profile(names, report.city)
        report = replace(report, problems=(*report.problems, *left_out))
    options = {**asdict(output), "workers": 0}
    given = given_inputs(sites, *(layers or []), overrides=output.overrides)
    written = (
        write_report(report, output.out, names, lang, options=options, given=given, per_city=per_city)
        if output.out
        else []
    )
    if output.as_json:
        from lzgis.exports.gis.json import report_document

        print_json(report_document(report, language=lang.code))
    else:
        show_report(report, lang, written)
    announce(written, lang.words)
    raise typer.Exit(code_of_verdicts(set(report.verdicts["verdict"])))


def _in_shards(  # noqa: PLR0913 (what a command may be given)
    sites: Path,
    layers: list[Path] | None,
    as_of: str | None,
    lang: Lang,
    *,
    output: OutputOptions,
    reading: ReadingOptions,
    shards: ShardOptions,
) -> NoReturn:
    names, per_city = _formats(output, layers)
    _check_batch(output)
    request = BatchRequest(
        sites=sites,
        layers=layers,
        as_of=as_of,
        out=output.out or Path(),
        formats=names if output.formats or output.mode == MapMode.public else None,
        language=lang.code,
        overrides=output.overrides,
        reading=reading.options(),
        options={**asdict(output), "workers": 0},
        per_city=tuple(per_city),
    )
    raise typer.Exit(run_batch(request, shards))


def _formats(output: OutputOptions, layers: list[Path] | None) -> tuple[list[str], list[str]]:
    """Return the formats to write, and those for each city of a region."""
    names = formats_for(output)
    if output.as_json and output.mode == MapMode.public:
        what = Message("{formats} have no public edition", formats="json")
        raise ConfigError("--json", what, Message("leave it out"))
    return names, _formats_per_city(output, layers)


def _formats_per_city(output: OutputOptions, layers: list[Path] | None) -> list[str]:
    """Return the formats to write for each city of a region.

    Raises
    ------
    ConfigError
        If one is not known, there is no folder for them, or one city is given.
    """
    from lzgis.city.region import is_region

    if not output.per_city:
        return []
    if output.out is None:
        raise ConfigError("--per-city", Message("needs --out"), Message("name a folder for the results"))
    if not layers or (len(layers) == 1 and not is_region(layers[0])):
        what = Message("is for several cities, and there is one")
        raise ConfigError("--per-city", what, Message("use --format"))
    return formats_of(output.per_city, option="--per-city")


def _check_batch(output: OutputOptions) -> None:
    if output.as_json:
        raise ConfigError("--json", Message("cannot print a batch"), Message("use it with --format json"))
    if output.base:
        raise ConfigError(
            "--base", Message("is not used for a batch in parts"), Message("screen fewer sites at a time")
        )
    if output.dem:
        what = Message("is not used for a batch in parts")
        raise ConfigError("--dem", what, Message("name it in catalog.toml, as dem"))


def screened(
    sites: Reading,
    layers: Path | list[Path] | None,
    as_of: str | None,
    lang: Lang,
    *,
    overrides: Path | None = None,
) -> Report:
    """Screen sites that are being read with a progress bar, and record the command in the report."""
    with progress_bar(lang.words) as progress:
        from lzgis.city.region import region_or_city
        from lzgis.screening.screen import screen as screen_sites

        city = region_or_city([layers] if isinstance(layers, Path) else layers)
        report = screen_sites(sites, city, as_of=as_of, made_at=made_at(), progress=progress, overrides=overrides)
    return replace(report, provenance=replace(report.provenance, command=recorded_command()))


def write_report(  # noqa: PLR0913 (what a caller may choose)
    report: Report,
    out: Path,
    names: list[str],
    lang: Lang,
    *,
    options: Mapping[str, object],
    given: InputPaths,
    per_city: Sequence[str] = (),
) -> list[Path]:
    """Write a report into a folder with a progress bar; return the files."""
    from lzgis.exports.folder import export_folder

    with progress_bar(lang.words) as progress:
        return export_folder(
            report, out, names, language=lang.code, options=options, given=given, per_city=per_city, progress=progress
        )


def show_report(report: Report, lang: Lang, written: Sequence[Path] = ()) -> None:
    """Print the number of sites by verdict, the gravest sites, problems and notices of a report.

    Parameters
    ----------
    report : Report
        What to print.
    lang : Lang
        The reader's language.
    written : sequence of path
        The files that hold the report; the first is named where rows are left out.
    """
    from lzgis.cli.site_lines import count_lines, scope_lines, site_lines, source_lines
    from lzgis.cli.tables import MOST_ROWS, city_table, more_lines, summary_lines

    console, words, place = stdout(), lang.words, written[0].name if written else ""
    problems, width = (*report.problems, *_of_map(report, written)), console.width
    for line in count_lines(report, words):
        console.print(line, soft_wrap=True)
    for line in site_lines(report, words, width=width, place=place):
        console.print(line, soft_wrap=True)
    if len(report.stretches):
        console.print(city_table(report, words, place=place))
    for line in (*source_lines(report, words), *scope_lines(report, words, width=width)):
        console.print(line, soft_wrap=True)
    print_problems(problems, words, most=MOST_ROWS)
    for line in (*more_lines(len(problems), words, place=place), *summary_lines(report, words)):
        console.print(line, soft_wrap=True)


def _of_map(report: Report, written: Sequence[Path]) -> tuple[Problem, ...]:
    """Return what the map among the files does not show."""
    from lzgis.exports.formats import FORMATS, of_map

    return of_map(len(report.sites)) if FORMATS["html"].file_name in {path.name for path in written} else ()
