"""Results from rasters as a workbook: composition and declared figures, or changes from class to class."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from lzgis.city.catalogue import Catalogue
from lzgis.city.provenance import provenance_of
from lzgis.exports.report_text import ContextText, number, records, text
from lzgis.exports.tables.tables import Head, Kind, Table, Value
from lzgis.exports.tables.xlsx import tables_bytes
from lzgis.files.atomic_write import write_bytes_atomic
from lzgis.model.report import Provenance, ReportContext, SiteTable
from lzgis.rasters.change import RasterChange
from lzgis.rasters.city import as_city
from lzgis.rasters.stats import CLASS, RasterStats
from lzgis.words import Language, Words

_COMPOSITION = ["level", "zone_id", "zone_name", "title", "value", "cells", "area_m2", "share"]
_LIMITS = ["kind", "id", "title", "steep_m2", "area_m2", "share"]
_TRANSITIONS = ["level", "zone_id", "zone_name", "before", "after", "cells", "area_m2", "share"]
_PATCHES = ["patch", "before", "after", "area_m2", "feature_id", "feature_name", "function", "unit_id", "unit_name"]
_KINDS: dict[str, Kind] = {"area_m2": "area", "steep_m2": "area", "share": "share", "patch": "count", "cells": "metre"}
_PLACES: dict[Kind, int] = {"area": 2, "share": 6, "count": 0, "metre": 3, "hectare": 4}


def write_raster_xlsx(
    found: RasterStats | RasterChange,
    city: Catalogue | str | Path,
    path: str | Path,
    *,
    language: Language = "zh",
    made_at: dt.datetime | None = None,
) -> Path:
    """Write results from rasters as a workbook, with their provenance.

    Parameters
    ----------
    found : RasterStats or RasterChange
        What to write.
    city : Catalogue or path
        The city that the rasters were evaluated for.
    path : path
        The file, ``*.xlsx``.
    language : {"zh", "en"}
        The reader's language.
    made_at : datetime, optional
        The time that the workbook states; now if not given.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ExportError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import lzgis as lz
    >>> city = lz.open_catalogue(lz.reference_city())
    >>> found = lz.raster_stats(city, "landcover_2020", by=["redline"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lz.write_raster_xlsx(found, city, f"{folder}/landcover.xlsx").name
    'landcover.xlsx'
    """
    city = as_city(city)
    origin = raster_provenance(found, city, made_at=made_at)
    texts = ContextText(ReportContext(city.city, city.book, {}, None, found.problems, origin), language)
    tables = _stats_tables(texts, found, city) if isinstance(found, RasterStats) else _change_tables(texts, found, city)
    write_bytes_atomic(path, tables_bytes(texts, tables))
    return Path(path)


def raster_provenance(
    found: RasterStats | RasterChange,
    city: Catalogue,
    *,
    sites: SiteTable | None = None,
    made_at: dt.datetime | None = None,
) -> Provenance:
    """Return the provenance of results from rasters: rasters, layers that were read, rules, and sites if any."""
    sources = (found.source,) if isinstance(found, RasterStats) else found.sources
    origin = provenance_of(city, city.book, city.read_so_far, (dt.date.today(), made_at), sites)
    return replace(origin, sources=(*sources, *origin.sources), transforms=())


def worded_composition(found: RasterStats, words: Words) -> pd.DataFrame:
    """Return the composition with titles in the reader's language, also for cells that the raster leaves open."""
    table = found.composition
    titles = [words.title(zh, en) for zh, en in zip(table["title"], table["title_en"], strict=True)]
    others = {what: words("raster", what) for what in set(table["what"]) - {CLASS}}
    worded = [others.get(what, title) for what, title in zip(table["what"], titles, strict=True)]
    return table.assign(title=worded)


def worded_levels(table: pd.DataFrame, city: Catalogue | str | Path, words: Words) -> pd.DataFrame:
    """Return a table of zones with titles for their kinds."""
    return table.assign(level=table["level"].replace(level_titles(city, table["level"], words)))


def class_titles(city: Catalogue | str | Path, rasters: tuple[str, ...], words: Words) -> dict[str, str]:
    """Return the titles of land-cover classes in the reader's language, by their titles in the catalogue."""
    spec = as_city(city).spec.raster
    classes = [one for name in rasters for one in spec[name].classes.values()]
    return {one.title: words.title(one.title, one.title_en) for one in classes}


def level_titles(city: Catalogue | str | Path, levels: Iterable[str], words: Words) -> dict[str, str]:
    """Return what kinds of zones are called, such as a layer as a whole (``redline.*``) or by a field of it."""
    layers = as_city(city).spec.layer
    titles = {}
    for level in dict.fromkeys(levels):
        layer, _, field = level.partition(".")
        title = words.title(layers[layer].title, layers[layer].title_en) if layer in layers else layer
        shown = words("raster", field) if words.has("raster", field) else field
        titles[level] = words("raster", "by_field", layer=title, field=shown) if field not in ("", "*") else title
    return titles


def worded_limits(found: RasterStats, words: Words) -> pd.DataFrame:
    """Return what is steeper than 25° with titles in the reader's language."""
    titles = zip(found.limits["title"], found.limits["title_en"], strict=True)
    return found.limits.assign(title=[words.title(zh, en) for zh, en in titles])


def _stats_tables(texts: ContextText, found: RasterStats, city: Catalogue | str | Path) -> list[Table]:
    words = texts.words
    composition = worded_levels(worded_composition(found, words), city, words)
    tables = [_table(texts, "raster_composition", _COMPOSITION, composition)]
    if found.declared:
        rows: list[list[Value]] = [
            [d.declared.basis, d.declared.value, round(d.measured, 6), words("raster", "yes" if d.holds else "no")]
            for d in found.declared
        ]
        rows = [[*row, d.declared.note] for row, d in zip(rows, found.declared, strict=True)]
        heads = [Head(words("raster", name)) for name in ("basis", "declared_value", "measured", "holds")]
        tables.append(Table("raster_declared", [*heads, Head(words("raster", "note"), "text", True)], rows))
    if len(found.limits):
        tables.append(_table(texts, "raster_limits", _LIMITS, worded_limits(found, words)))
    return tables


def _change_tables(texts: ContextText, found: RasterChange, city: Catalogue | str | Path) -> list[Table]:
    titles = class_titles(city, (found.before, found.after), texts.words)
    transitions = worded_levels(found.transitions, city, texts.words)
    names = {"before": titles, "after": titles}
    patches = pd.DataFrame(found.patches.drop(columns="geometry")).replace(names)
    columns = [name for name in _PATCHES if name in patches.columns]
    return [
        _table(texts, "raster_patches", columns, patches),
        _table(texts, "raster_transitions", _TRANSITIONS, transitions.replace(names)),
        _matrix(texts, found, titles),
    ]


def _matrix(texts: ContextText, found: RasterChange, titles: dict[str, str]) -> Table:
    """Return the areas in hectares as a matrix: earlier classes as rows, later ones as columns."""
    matrix = found.matrix().rename(index=titles, columns=titles)
    heads = [Head(texts.words("raster", "matrix_corner")), *(Head(text(name), "hectare") for name in matrix.columns)]
    rows: list[list[Value]] = [
        [text(name), *(number(value, 4) for value in row)]
        for name, row in zip(matrix.index, matrix.to_numpy(), strict=True)
    ]
    return Table("raster_matrix", heads, rows, fixed=1)


def _table(texts: ContextText, name: str, columns: list[str], frame: pd.DataFrame) -> Table:
    heads = [Head(texts.words("raster", c), _KINDS.get(c, "text")) for c in columns]
    return Table(name, heads, [[_cell(c, row[c]) for c in columns] for row in records(frame, columns)], fixed=1)


def _cell(column: str, value: object) -> Value:
    kind = _KINDS.get(column, "text")
    if kind != "text":
        return number(value, _PLACES[kind])
    return number(value, 0) if isinstance(value, float) else text(value)
