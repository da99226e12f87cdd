"""The GeoPackage for QGIS: styled layers of sites and conflicting parts, and tables of everything else.

Sites and parts are kept apart by shape, since QGIS gives a layer of mixed shapes no style: ``sites`` holds
polygons, ``sites_lines`` and ``sites_points`` the others where there are any; so too ``conflicts``, and
``notices``: the parts of sites in zones that merely inform. ``findings``, ``unit_lists`` and ``about`` are
tables without geometry.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyogrio.errors
import shapely

from lzgis.errors import ExportError
from lzgis.exporters.files import put
from lzgis.exporters.provenance import provenance_tables
from lzgis.exporters.qgis_style import Category, Shape, categorized
from lzgis.exporters.rows import SEPARATOR, VERDICT_COLOURS, Teller, records, text
from lzgis.measure import CGCS2000
from lzgis.model import FINDING_COLUMNS, VERDICT_COLUMNS, Report, State
from lzgis.rule import Severity
from lzgis.words import Language

_SHAPES: tuple[Shape, ...] = ("point", "line", "polygon")
_SUFFIXES: dict[Shape, str] = {"polygon": "", "line": "_lines", "point": "_points"}
_TYPES: dict[Shape, str] = {"polygon": "MultiPolygon", "line": "MultiLineString", "point": "MultiPoint"}
_MULTI: dict[Shape, Any] = {
    "polygon": shapely.multipolygons,
    "line": shapely.multilinestrings,
    "point": shapely.multipoints,
}

# Slivers look the same whatever rule they would break.
_PART_CLASS = f"CASE WHEN \"state\" = '{State.SLIVER}' THEN 'sliver' ELSE \"severity\" END"


_SCHEMA_EXTENSION = """
CREATE TABLE gpkg_data_columns (
    table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT,
    mime_type TEXT, constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
    CONSTRAINT gdc_tn UNIQUE (table_name, name)
);
CREATE TABLE IF NOT EXISTS gpkg_extensions (
    table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
    scope TEXT NOT NULL, CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name)
);
INSERT INTO gpkg_extensions VALUES (
    'gpkg_data_columns', NULL, 'gpkg_schema', 'http://www.geopackage.org/spec121/#extension_schema',
    'read-write'
);
"""

# The table where QGIS looks for the style of a layer, as QGIS itself makes it.
_STYLE_TABLE = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
    f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME
);
INSERT INTO gpkg_contents (table_name, data_type, identifier, description)
VALUES ('layer_styles', 'attributes', 'layer_styles', '');
"""


@dataclass(frozen=True)
class _Layer:
    """A layer to write: its table, title, the heads of its columns, and its style if it has geometries."""

    name: str
    frame: pd.DataFrame
    title: str
    aliases: Mapping[str, str]
    shape: Shape | None = None
    style: str = ""


def write_gpkg(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write a report as a GeoPackage that QGIS opens styled; the same report gives the same bytes.

    Parameters
    ----------
    report : Report
        What to write.
    path : path
        The file, ``*.gpkg``.
    language : {"zh", "en"}
        Language of titles, column aliases and legends.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    teller = Teller(report, language)
    layers = [*_site_layers(teller), *_part_layers(teller), *_tables(teller)]
    description = " ".join(filter(None, (teller.notice, teller.disclaimer)))

    def make(made: Path) -> None:
        draft = made.with_name("draft.gpkg")
        for layer in layers:
            _write(draft, layer, description)
        with closing(sqlite3.connect(draft)) as database, database:
            _name_columns(database, layers)
            _style(database, layers)
            _date(database, report)
        with closing(sqlite3.connect(draft)) as database:
            # A fresh file holds no trace of overwritten dates, nor SQLite's count of changes, which varies.
            database.execute("VACUUM INTO ?", (str(made),))

    try:
        put(path, make)
    except (sqlite3.Error, pyogrio.errors.DataSourceError) as error:
        raise ExportError(str(path), f"cannot be written: {error}", "look whether the disk is full") from error


def _site_layers(teller: Teller) -> list[_Layer]:
    report = teller.report
    sites = report.sites
    columns, aliases = site_columns(teller)
    categories = [
        Category(verdict, teller.word("verdict", verdict), colour) for verdict, colour in VERDICT_COLOURS.items()
    ]
    frame = gpd.GeoDataFrame(columns, geometry=sites.geometry.to_numpy(), crs=CGCS2000)
    return _by_shape("sites", frame, aliases, teller, (_quoted("verdict"), categories))


def _part_layers(teller: Teller) -> list[_Layer]:
    findings = teller.report.findings
    there = ~(findings.geometry.isna() | findings.geometry.is_empty)
    told = findings["severity"] == Severity.NOTICE
    frame = gpd.GeoDataFrame(finding_columns(teller), geometry=findings.geometry.to_numpy(), crs=CGCS2000)
    aliases = finding_aliases(teller)
    word = teller.words
    grave = [
        Category(Severity.PROHIBITED, word("severity", "prohibited"), "#d50000", hatched=True),
        Category(Severity.CONDITIONAL, word("severity", "conditional"), "#ef6c00", hatched=True),
        Category("sliver", word("state", State.SLIVER), "#8e24aa", hatched=True),
    ]
    light = [Category(Severity.NOTICE, word("severity", "notice"), "#546e7a", opacity=0.1, width_mm=0.3)]
    conflicts = frame[(there & ~told).to_numpy()]
    notices = frame[(there & told).to_numpy()]
    return [
        *_by_shape("conflicts", conflicts, aliases, teller, (_PART_CLASS, grave)),
        *_by_shape("notices", notices, aliases, teller, (_quoted("severity"), light)),
    ]


def _tables(teller: Teller) -> list[_Layer]:
    lists = teller.report.unit_lists
    columns: dict[str, Any] = {str(name): _column(lists[name]) for name in lists}
    lines = [["notice", teller.notice], ["disclaimer", teller.disclaimer]]
    for table in provenance_tables(teller):
        lines += [[table.name, "　".join(text(v) for v in row if text(v))] for row in table.rows]
    about = {
        "name": [name for name, _ in lines],
        "value": [storable(value) for _, value in lines],
    }
    findings = pd.DataFrame(finding_columns(teller))
    return [
        _Layer("findings", findings, teller.words("sheet", "findings"), finding_aliases(teller)),
        *(
            _Layer(name, pd.DataFrame(data), teller.words("sheet", name), {n: teller.column(n) for n in data})
            for name, data in (("unit_lists", columns), ("about", about))
        ),
    ]


def _by_shape(
    name: str,
    frame: gpd.GeoDataFrame,
    aliases: Mapping[str, str],
    teller: Teller,
    style: tuple[str, list[Category]],
) -> list[_Layer]:
    """Split a frame by the shape of its geometries; a collection goes to each layer it has a part for."""
    layers = []
    parts, owner = shapely.get_parts(frame.geometry.to_numpy(), return_index=True)
    # Parts of a collection may be multi-geometries themselves.
    parts, inner = shapely.get_parts(parts, return_index=True)
    owner = owner[inner]
    dimension = shapely.get_dimensions(parts)
    shapeless = ~np.isin(np.arange(len(frame)), owner)
    for shape in reversed(_SHAPES):
        here = dimension == _SHAPES.index(shape)
        which = np.unique(owner[here])
        if shape == "polygon":
            # Sites without a usable geometry are listed with the polygons, so that none is lost.
            which = np.union1d(which, np.flatnonzero(shapeless))
        elif len(which) == 0:
            continue
        geometries = np.full(len(frame), None, dtype=object)
        if here.any():
            _MULTI[shape](parts[here], indices=owner[here], out=geometries)
        chosen = frame.iloc[which].set_geometry(geometries[which], crs=CGCS2000)
        title = teller.words("sheet", name)
        title = title if shape == "polygon" else f"{title} ({teller.words('shape', shape)})"
        layers.append(_Layer(name + _SUFFIXES[shape], chosen, title, aliases, shape, categorized(*style, shape)))
    return layers


def _write(path: Path, layer: _Layer, description: str) -> None:
    options = {"IDENTIFIER": layer.title, "DESCRIPTION": description, "FID": "fid"}
    shape = {}
    if layer.shape is not None:
        options["GEOMETRY_NAME"] = "geom"
        shape["geometry_type"] = _TYPES[layer.shape]
    pyogrio.write_dataframe(
        layer.frame,
        path,
        layer=layer.name,
        driver="GPKG",
        append=path.exists(),
        layer_options=options,
        **shape,
    )


def _name_columns(database: sqlite3.Connection, layers: list[_Layer]) -> None:
    """Give the columns their heads in words, by GeoPackage's schema extension; QGIS shows them as aliases."""
    database.executescript(_SCHEMA_EXTENSION)
    meanings = {c.name: c.meaning for c in (*FINDING_COLUMNS, *VERDICT_COLUMNS)}
    for layer in layers:
        used: set[str] = set()
        for name in layer.frame.columns:
            alias = storable(layer.aliases.get(name, ""))
            if name != "geometry" and alias:
                alias = unique(alias, used)
                row = (layer.name, name, alias, alias, meanings.get(name))
                database.execute("INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, NULL, NULL)", row)


def _style(database: sqlite3.Connection, layers: list[_Layer]) -> None:
    """Store each layer's style as its default."""
    database.executescript(_STYLE_TABLE)
    database.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column,"
        " styleName, styleQML, styleSLD, useAsDefault, description, owner)"
        " VALUES ('', '', ?, 'geom', 'lzgis', ?, '', 1, ?, '')",
        [(layer.name, layer.style, layer.title) for layer in layers if layer.style],
    )


def _date(database: sqlite3.Connection, report: Report) -> None:
    """Date everything by the report instead of by the clock."""
    made_at = report.provenance.made_at
    stamp = pd.Timestamp(made_at).tz_convert("UTC") if made_at.tzinfo else pd.Timestamp(made_at)
    when = stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp.microsecond // 1000:03d}Z"
    database.execute("UPDATE gpkg_contents SET last_change = ?", (when,))
    database.execute("UPDATE layer_styles SET update_time = ?", (when,))


def _quoted(column: str) -> str:
    return f'"{column}"'
