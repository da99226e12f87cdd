"""The commands ``raster stats``, ``raster change`` and ``raster surface``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from lzgis.cli.options import ReadingOptions, gathers
from lzgis.cli.result import made_at, result_in
from lzgis.words import Words

if TYPE_CHECKING:
    import pandas as pd

    from lzgis.files.result_folder import Stage
    from lzgis.model.report import Problem, Provenance

app = typer.Typer(no_args_is_help=True, help="Land cover, slope and a raster of all constraints.")


class Language(StrEnum):
    """Languages of the outputs."""

    zh = "zh"
    en = "en"


LayersOption = Annotated[
    Path | None, typer.Option("--layers", help="Folder of the city; the reference city if not given.")
]
LangOption = Annotated[Language, typer.Option("--lang", help="Language of the tables.")]
OutOption = Annotated[Path | None, typer.Option("--out", "-o", help="Folder that receives workbook and tables.")]
ByOption = Annotated[
    list[str] | None,
    typer.Option("--by", help="Zones: LAYER, LAYER.FIELD or 'LAYER.*'; may be given again."),
]


@app.command()
@gathers(ReadingOptions, "reading")
def stats(  # noqa: PLR0913 (a command has as many options as it needs)
    raster: Annotated[str | None, typer.Argument(help="Id of the raster; the latest land cover if not given.")] = None,
    *,
    by: ByOption = None,
    sites: Annotated[Path | None, typer.Option("--sites", help="File of sites, each a zone of its own.")] = None,
    layers: LayersOption = None,
    out: OutOption = None,
    lang: LangOption = Language.zh,
    reading: ReadingOptions = ReadingOptions(),  # noqa: B008 (frozen)
) -> None:
    """Take stock of land cover or slope by zone, in true square metres."""
    from lzgis.city.catalogue import open_catalogue
    from lzgis.city.reference import reference_city
    from lzgis.cli.console import progress_bar
    from lzgis.exports.tables.rasters import raster_provenance, told_composition, told_limits, write_raster_xlsx
    from lzgis.rasters.stats import raster_stats
    from lzgis.reading import read_sites

    words = _words(lang)
    city = open_catalogue(layers or reference_city())
    read = None if sites is None else read_sites(sites, options=reading.options(), near=city.outline)
    with progress_bar(words) as progress:
        found = raster_stats(city, raster, by=by, sites=read, progress=progress)
    table = told_composition(found, words)
    _print(table, ["level", "zone_name", "title", "area_m2", "share"], "composition_title", words)
    limits = told_limits(found, words)
    if len(limits):
        _print(limits, ["title", "steep_m2", "area_m2", "share"], "limits_title", words)
    for one in found.declared:
        said = words("raster", "yes" if one.holds else "no")
        values = {"basis": one.declared.basis, "declared": one.declared.value, "measured": round(one.measured, 6)}
        _say(words("raster", "declared", **values, holds=said, note=one.declared.note).rstrip())
    _warn((*(read.problems if read else ()), *found.problems), words)
    if out is not None:
        when = made_at()
        origin = raster_provenance(found, city, sites=read, made_at=when)
        with _result(out, "stats", origin, sites, layers) as stage:
            made = [_save(table.drop(columns="title_en"), stage.folder / "composition.csv", words)]
            if len(limits):
                made.append(_save(limits.drop(columns="title_en"), stage.folder / "limits.csv", words))
            book = stage.folder / "stats.xlsx"
            made.append(write_raster_xlsx(found, city, book, language=words.language, made_at=when))
        _announce([stage.final(path) for path in made])


@app.command()
def change(
    before: Annotated[str, typer.Argument(help="Id of the earlier land cover.")],
    after: Annotated[str, typer.Argument(help="Id of the later land cover.")],
    min_area: Annotated[float, typer.Option("--min-area", help="Least area of a patch that is drawn, m².")] = 400.0,
    layers: LayersOption = None,
    out: OutOption = None,
    lang: LangOption = Language.zh,
) -> None:
    """Compare two land covers inside the redline; exit code 1 if anything was converted."""
    from lzgis.city.catalogue import open_catalogue
    from lzgis.city.reference import reference_city
    from lzgis.cli.console import progress_bar
    from lzgis.exports.tables.rasters import class_titles, raster_provenance, write_raster_xlsx
    from lzgis.rasters.change import raster_change

    words = _words(lang)
    city = open_catalogue(layers or reference_city())
    with progress_bar(words) as progress:
        found = raster_change(city, before, after, min_area_m2=min_area, progress=progress)
    titles = class_titles(city, (before, after), words)
    told = {"before": titles, "after": titles}
    converted, patches = found.converted.replace(told), found.patches.drop(columns="geometry").replace(told)
    _print(converted, ["level", "zone_name", "before", "after", "area_m2", "share"], "transitions_title", words)
    columns = ["patch", "before", "after", "area_m2", "feature_name", "unit_name"]
    _print(patches, [c for c in columns if c in patches.columns], "patches_title", words)
    count, area = found.dropped
    _say(words("raster", "dropped", count=count, area=f"{area:,.0f}", least=f"{min_area:,.0f}"))
    _warn(found.problems, words)
    if out is not None:
        when = made_at()
        with _result(out, "change", raster_provenance(found, city, made_at=when), None, layers) as stage:
            made = [found.write(stage.folder / "change.gpkg")]
            made.append(_save(found.transitions.replace(told), stage.folder / "transitions.csv", words))
            made.append(_save(patches, stage.folder / "patches.csv", words))
            book = stage.folder / "change.xlsx"
            made.append(write_raster_xlsx(found, city, book, language=words.language, made_at=when))
        _announce([stage.final(path) for path in made])
    raise typer.Exit(1 if len(converted) else 0)


@app.command()
def surface(
    path: Annotated[Path, typer.Argument(help="The GeoTIFF to write.")],
    cell: Annotated[float, typer.Option("--cell", help="Side of the cells, m.")] = 30.0,
    activity: Annotated[str, typer.Option("--activity", help="What is planned, as in the vocabulary.")] = "",
    layers: LayersOption = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Date whose rules apply, as 2026-11-21; today if not given.")
    ] = None,
    lang: LangOption = Language.zh,
) -> None:
    """Burn all rules into one Cloud-Optimized GeoTIFF: no cell that a constraint touches is free."""
    from lzgis.city.reference import reference_city
    from lzgis.cli.console import progress_bar
    from lzgis.rasters.surface import raster_surface

    words = _words(lang)
    with progress_bar(words) as progress:
        city = layers or reference_city()
        made = raster_surface(city, path, cell_m=cell, as_of=as_of, activity=activity, progress=progress)
    _print(made.rules, ["rule", "title", "severity", "band", "bit", "checked"], "rules_title", words)
    _warn(made.problems, words)
    _announce([made.path])


@contextmanager
def _result(out: Path, name: str, origin: Provenance, sites: Path | None, layers: Path | None) -> Iterator[Stage]:
    """Let a command make its files, and put them in place as one unit that ``lzgis verify`` knows."""
    from lzgis.audits.verify import RASTER_RESULTS
    from lzgis.exports.gis.json import provenance_object
    from lzgis.files.manifest import InputPaths
    from lzgis.reading import is_address, shown

    known_as = shown(sites) if sites is not None and is_address(sites) else str(sites or "")
    given = InputPaths(sites=known_as, layers=str(layers or ""))
    with result_in(out, f"{RASTER_RESULTS}{name}", provenance_object(origin), given) as stage:
        yield stage


def _words(lang: Language) -> Words:
    return Words("en" if lang is Language.en else "zh")


def _print(table: pd.DataFrame, columns: list[str], title: str, words: Words) -> None:
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=Text(words("raster", title)), title_justify="left")
    for column in columns:
        right = column in ("area_m2", "steep_m2", "share", "patch", "band", "bit")
        shown.add_column(words("raster", column), justify="right" if right else "left", overflow="fold")
    for row in table[columns].itertuples(index=False):
        shown.add_row(*(Text(_cell(column, value, words)) for column, value in zip(columns, row, strict=True)))
    _console().print(shown)


def _cell(column: str, value: Any, words: Words) -> str:
    if column in ("area_m2", "steep_m2"):
        return f"{value:,.0f}"
    if column == "share":
        return f"{value:.4%}"
    if column == "checked":
        return words("raster", "yes" if value else "no")
    return words("severity", value) if column == "severity" else str(value)


def _save(table: pd.DataFrame, path: Path, words: Words) -> Path:
    """Write a table as CSV that Excel reads, headings in the reader's language; return the path."""
    from lzgis.files.atomic_write import write_atomic

    headed = table.rename(columns={name: words("raster", name) for name in table.columns})
    write_atomic(path, lambda made: headed.to_csv(made, index=False, encoding="utf-8-sig", lineterminator="\n"))
    return path


def _warn(problems: tuple[Problem, ...], words: Words) -> None:
    from lzgis.cli.tables import problem_lines

    for line in problem_lines(problems, words):
        _console().print(line, soft_wrap=True)


def _say(text: str) -> None:
    _console().print(text, markup=False, highlight=False, soft_wrap=True)


def _announce(written: list[Path]) -> None:
    for path in written:
        Console(stderr=True).print(str(path), markup=False, highlight=False, soft_wrap=True)


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=160)
