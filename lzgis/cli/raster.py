"""The commands ``raster stats``, ``raster change`` and ``raster surface``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lzgis.cli.console import ExitCode, announce, print_lines, print_problems, progress_bar, stdout
from lzgis.cli.options import AsOfOption, Lang, LayersOption, ReadingOptions, gathers
from lzgis.cli.result import given_inputs, made_at, result_in

if TYPE_CHECKING:
    import pandas as pd

    from lzgis.files.result_folder import Stage
    from lzgis.model.report import Provenance
    from lzgis.words import Words

app = typer.Typer(no_args_is_help=True, help="Land cover, slope and a raster of all constraints.")

LangOption = Annotated[Lang, typer.Option("--lang", help="Language of the tables.")]
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
    lang: LangOption = Lang.zh,
    reading: ReadingOptions = ReadingOptions(),  # noqa: B008 (frozen)
) -> None:
    """Take stock of land cover or slope by zone, in true square metres."""
    from lzgis.city.catalogue import open_catalogue
    from lzgis.city.reference import city_or_reference
    from lzgis.exports.tables.rasters import (
        raster_provenance,
        worded_composition,
        worded_levels,
        worded_limits,
        write_raster_xlsx,
    )
    from lzgis.rasters.stats import raster_stats
    from lzgis.reading import read_sites

    words = lang.words
    city = open_catalogue(city_or_reference(layers))
    read = None if sites is None else read_sites(sites, options=reading.options(), near=city.outline)
    with progress_bar(words) as progress:
        found = raster_stats(city, raster, by=by, sites=read, progress=progress)
    table = worded_composition(found, words)
    shown = worded_levels(table, city, words)
    _print(shown, ["level", "zone_name", "title", "area_m2", "share"], "composition_title", words)
    limits = worded_limits(found, words)
    if len(limits):
        _print(limits, ["title", "steep_m2", "area_m2", "share"], "limits_title", words)
    for one in found.declared:
        holds = words("raster", "yes" if one.holds else "no")
        values = {"basis": one.declared.basis, "declared": one.declared.value, "measured": round(one.measured, 6)}
        print_lines([words("raster", "declared", **values, holds=holds, note=one.declared.note).rstrip()])
    print_problems((*(read.problems if read else ()), *found.problems), words)
    if out is not None:
        when = made_at()
        origin = raster_provenance(found, city, sites=read, made_at=when)
        with _result(out, "stats", origin, sites, layers) as stage:
            made = [_save(table.drop(columns="title_en"), stage.folder / "composition.csv", words)]
            if len(limits):
                made.append(_save(limits.drop(columns="title_en"), stage.folder / "limits.csv", words))
            book = stage.folder / "stats.xlsx"
            made.append(write_raster_xlsx(found, city, book, language=words.language, made_at=when))
        announce([stage.final(path) for path in made], lang.words)


@app.command()
def change(
    before: Annotated[str, typer.Argument(help="Id of the earlier land cover.")],
    after: Annotated[str, typer.Argument(help="Id of the later land cover.")],
    min_area: Annotated[float, typer.Option("--min-area", help="Least area of a patch that is drawn, m².")] = 400.0,
    layers: LayersOption = None,
    out: OutOption = None,
    lang: LangOption = Lang.zh,
) -> None:
    """Compare two land covers inside the redline; exit code 1 if anything was converted."""
    from lzgis.city.catalogue import open_catalogue
    from lzgis.city.reference import city_or_reference
    from lzgis.exports.paper.change_map import write_change_map
    from lzgis.exports.tables.rasters import class_titles, raster_provenance, worded_levels, write_raster_xlsx
    from lzgis.rasters.change import raster_change

    words = lang.words
    city = open_catalogue(city_or_reference(layers))
    with progress_bar(words) as progress:
        found = raster_change(city, before, after, min_area_m2=min_area, progress=progress)
    titles = class_titles(city, (before, after), words)
    titled = {"before": titles, "after": titles}
    converted, patches = found.converted.replace(titled), found.patches.drop(columns="geometry").replace(titled)
    converted = worded_levels(converted, city, words)
    _print(converted, ["level", "zone_name", "before", "after", "area_m2", "share"], "transitions_title", words)
    columns = ["patch", "before", "after", "area_m2", "feature_name", "unit_name"]
    _print(patches, [c for c in columns if c in patches.columns], "patches_title", words)
    count, area = found.dropped
    if count:
        print_lines([words("raster", "dropped", count=count, area=f"{area:,.0f}", least=f"{min_area:,.0f}")])
    print_problems(found.problems, words)
    if out is not None:
        when = made_at()
        with _result(out, "change", raster_provenance(found, city, made_at=when), None, layers) as stage:
            made = [found.write(stage.folder / "change.gpkg")]
            made.append(_save(found.transitions.replace(titled), stage.folder / "transitions.csv", words))
            made.append(_save(patches, stage.folder / "patches.csv", words))
            book = stage.folder / "change.xlsx"
            made.append(write_raster_xlsx(found, city, book, language=words.language, made_at=when))
            picture = stage.folder / "change.png"
            made.append(write_change_map(found, city, picture, language=words.language, made_at=when))
        announce([stage.final(path) for path in made], lang.words)
    raise typer.Exit(ExitCode.FOUND if len(converted) else ExitCode.OK)


@app.command()
def surface(
    path: Annotated[Path, typer.Argument(help="The GeoTIFF to write.")],
    cell: Annotated[float, typer.Option("--cell", help="Side of the cells, m.")] = 30.0,
    activity: Annotated[str, typer.Option("--activity", help="What is planned, as in the vocabulary.")] = "",
    layers: LayersOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = Lang.zh,
) -> None:
    """Burn all rules into one Cloud-Optimized GeoTIFF: no cell that a constraint touches is free."""
    from lzgis.city.reference import city_or_reference
    from lzgis.rasters.surface import raster_surface

    words = lang.words
    with progress_bar(words) as progress:
        made = raster_surface(
            city_or_reference(layers), path, cell_m=cell, as_of=as_of, activity=activity, progress=progress
        )
    _print(made.rules, ["rule", "title", "severity", "band", "bit", "checked"], "rules_title", words)
    print_problems(made.problems, words)
    announce([made.path], lang.words)


@contextmanager
def _result(out: Path, name: str, origin: Provenance, sites: Path | None, layers: Path | None) -> Iterator[Stage]:
    """Write the files of a command into `out` as one unit, with a manifest for ``lzgis verify``."""
    from lzgis.audits.verify import RASTER_RESULTS
    from lzgis.exports.gis.json import provenance_object

    given = given_inputs(sites, layers)
    with result_in(out, f"{RASTER_RESULTS}{name}", provenance_object(origin), given) as stage:
        yield stage


def _print(table: pd.DataFrame, columns: list[str], title: str, words: Words) -> None:
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=Text(words("raster", title)), title_justify="left")
    for column in columns:
        right = column in ("area_m2", "steep_m2", "share", "patch", "band", "bit")
        shown.add_column(words("raster", column), justify="right" if right else "left", overflow="fold")
    for row in table[columns].itertuples(index=False):
        shown.add_row(*(Text(_cell(column, value, words)) for column, value in zip(columns, row, strict=True)))
    stdout().print(shown)


def _cell(column: str, value: Any, words: Words) -> str:
    if column in ("area_m2", "steep_m2"):
        return f"{value:,.0f}"
    if column == "share":
        return f"{value:.4%}"
    if column == "checked":
        return words("raster", "yes" if value else "no")
    return words("severity", value) if column == "severity" else str(value)


def _save(table: pd.DataFrame, path: Path, words: Words) -> Path:
    """Write a table as CSV for Excel, with headings in the language of the output; return the path."""
    from lzgis.files.atomic_write import write_bytes_atomic
    from lzgis.files.csv_text import csv_bytes

    heads = [words("raster", name) for name in table.columns]
    rows = table.astype(object).itertuples(index=False, name=None)
    write_bytes_atomic(path, csv_bytes([heads, *rows], line_end="\n"))
    return path
