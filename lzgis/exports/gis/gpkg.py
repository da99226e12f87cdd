"""The GeoPackage for QGIS: the layers and tables of `lzgis.exports.gis.features`, styled, named and with their metadata."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd
import pyogrio
import pyogrio.errors

from lzgis.errors import ExportError
from lzgis.exports.gis.features import GEOMETRY_TYPES, GisLayer, gis_layers, storable, unique
from lzgis.exports.gis.json import origin as whence
from lzgis.exports.gis.qgis_style import Category, categorized
from lzgis.exports.report_text import VERDICT_COLOURS, ReportText
from lzgis.files.atomic_write import write_atomic
from lzgis.messages import Message
from lzgis.model.report import FINDING_COLUMNS, VERDICT_COLUMNS, Report, State
from lzgis.model.rules import Severity
from lzgis.words import Language

# Slivers look the same whatever rule they would break.
_PART_CLASS = f"CASE WHEN \"state\" = '{State.SLIVER}' THEN 'sliver' ELSE \"severity\" END"

_SYNC = "OGR_SQLITE_SYNCHRONOUS"

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

_METADATA_EXTENSION = """
CREATE TABLE gpkg_metadata (
    id INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL, md_scope TEXT NOT NULL DEFAULT 'dataset',
    md_standard_uri TEXT NOT NULL, mime_type TEXT NOT NULL DEFAULT 'text/xml', metadata TEXT NOT NULL DEFAULT ''
);
CREATE TABLE gpkg_metadata_reference (
    reference_scope TEXT NOT NULL, table_name TEXT, column_name TEXT, row_id_value INTEGER,
    timestamp DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), md_file_id INTEGER NOT NULL,
    md_parent_id INTEGER, CONSTRAINT crmr_mfi_fk FOREIGN KEY (md_file_id) REFERENCES gpkg_metadata(id),
    CONSTRAINT crmr_mpi_fk FOREIGN KEY (md_parent_id) REFERENCES gpkg_metadata(id)
);
INSERT INTO gpkg_extensions VALUES
    ('gpkg_metadata', NULL, 'gpkg_metadata', 'http://www.geopackage.org/spec121/#extension_metadata', 'read-write'),
    ('gpkg_metadata_reference', NULL, 'gpkg_metadata', 'http://www.geopackage.org/spec121/#extension_metadata',
     'read-write');
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
    texts = ReportText(report, language)
    write_layers(texts, gis_layers(texts), path)


def write_layers(
    texts: ReportText,
    layers: list[GisLayer],
    path: str | Path,
    *,
    styles: dict[str, tuple[str, list[Category]]] | None = None,
) -> None:
    """Write layers and tables as a GeoPackage; `styles` gives, by kind of layer, what it is coloured by, and how.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    write_pieces(texts, [layers], path, styles=styles)


def write_pieces(
    texts: ReportText,
    pieces: Iterable[list[GisLayer]],
    path: str | Path,
    *,
    styles: dict[str, tuple[str, list[Category]]] | None = None,
) -> None:
    """Write layers of which each piece holds consecutive rows; only one piece is ever held. As `write_layers`.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    description = " ".join(filter(None, (texts.notice, texts.disclaimer)))

    def make(made: Path) -> dict[str, int]:
        draft = made.with_name("draft.gpkg")
        heads: dict[str, GisLayer] = {}
        rows: Counter[str] = Counter()
        with _unsynced():
            for piece in pieces:
                for layer in piece:
                    _write(draft, layer, description)
                    heads.setdefault(layer.name, replace(layer, frame=layer.frame.take([])))
                    rows[layer.name] += len(layer.frame)
        layers = list(heads.values())
        with closing(sqlite3.connect(draft)) as database, database:
            _name_columns(database, layers)
            _describe(database, layers, texts)
            _style(database, layers, _categories(texts) if styles is None else styles)
            _date(database, texts.report)
        with closing(sqlite3.connect(draft)) as database:
            # A fresh file holds no trace of overwritten dates, nor SQLite's count of changes, which varies.
            database.execute("VACUUM INTO ?", (str(made),))
        return dict(rows)

    try:
        write_atomic(path, make)
    except (sqlite3.Error, pyogrio.errors.DataSourceError) as error:
        raise ExportError(
            str(path), Message("cannot be written: {why}", why=str(error)), Message("look whether the disk is full")
        ) from error


@contextmanager
def _unsynced() -> Iterator[None]:
    """Let GDAL not force a draft to the disk after each piece: what is made of it is, at the end."""
    before = pyogrio.get_gdal_config_option(_SYNC)
    pyogrio.set_gdal_config_options({_SYNC: "OFF"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({_SYNC: before})


def _write(path: Path, layer: GisLayer, description: str) -> None:
    options = {"IDENTIFIER": layer.title, "DESCRIPTION": description, "FID": "fid"}
    shape = {}
    if layer.shape is not None:
        options["GEOMETRY_NAME"] = "geom"
        shape["geometry_type"] = GEOMETRY_TYPES[layer.shape]
    pyogrio.write_dataframe(
        layer.frame,
        path,
        layer=layer.name,
        driver="GPKG",
        append=path.exists(),
        layer_options=options,
        **shape,
    )


def _name_columns(database: sqlite3.Connection, layers: list[GisLayer]) -> None:
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


def _describe(database: sqlite3.Connection, layers: list[GisLayer], texts: ReportText) -> None:
    """Store each layer's metadata twice: as JSON for programs, and in the form that QGIS shows as its properties."""
    database.executescript(_METADATA_EXTENSION)
    made_at = _stamp(texts.report)
    number = 0
    for layer in layers:
        facts = _metadata(layer, texts)
        told = json.dumps(facts, ensure_ascii=False)
        for standard, mime, content in (
            ("https://www.rfc-editor.org/rfc/rfc8259", "application/json", told),
            ("http://mrcc.com/qgis.dtd", "text/xml", _qgis_metadata(facts, spatial=layer.shape is not None)),
        ):
            number += 1
            database.execute(
                "INSERT INTO gpkg_metadata VALUES (?, 'dataset', ?, ?, ?)", (number, standard, mime, storable(content))
            )
            database.execute(
                "INSERT INTO gpkg_metadata_reference VALUES ('table', ?, NULL, NULL, ?, ?, NULL)",
                (layer.name, made_at, number),
            )


def _metadata(layer: GisLayer, texts: ReportText) -> dict[str, Any]:
    """Tell title, dates, rule book and, with date and hash, every source that the layer was made from."""
    origin = texts.report.provenance
    titles = {one.id: texts.layer(one.id) for one in texts.report.layers.values()}
    return {
        "title": layer.title,
        "as_of": origin.as_of.isoformat(),
        "made_at": _stamp(texts.report),
        "rule_book": f"{origin.rule_book} {origin.rule_book_version}",
        "crs": "EPSG:4490",
        "confidentiality": texts.confidentiality,
        "notice": texts.notice,
        "disclaimer": texts.disclaimer,
        "sources": [
            {
                "role": source.role,
                "title": titles.get(source.role, ""),
                "name": source.name,
                "date": source.date,
                "version": source.version,
                "sha256": source.sha256,
            }
            for source in origin.sources
        ],
        **whence(texts.report),
    }


def _qgis_metadata(facts: dict[str, Any], *, spatial: bool) -> str:
    sources = [
        " ".join(filter(None, (s["title"] or s["role"], s["name"], s["date"], s["version"], f"sha256 {s['sha256']}")))
        for s in facts["sources"]
    ]
    head = [facts[key] for key in ("notice", "disclaimer", "rule_book")]
    abstract = "\n".join(filter(None, (*head, f"as of {facts['as_of']}", *sources)))
    parts = {
        "identifier": facts["title"],
        "type": "dataset",
        "title": facts["title"],
        "abstract": abstract,
        "constraints": facts["confidentiality"],
    }
    inner = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in parts.items())
    crs = "<crs><spatialrefsys><authid>EPSG:4490</authid></spatialrefsys></crs>" if spatial else ""
    dates = f'<dates><date type="Created" value="{escape(facts["made_at"])}"/></dates>'
    return f'<qgis version="3.40.0">{inner}{crs}{dates}</qgis>'


def _style(database: sqlite3.Connection, layers: list[GisLayer], styles: dict[str, tuple[str, list[Category]]]) -> None:
    """Store each layer's style as its default."""
    database.executescript(_STYLE_TABLE)
    database.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column,"
        " styleName, styleQML, styleSLD, useAsDefault, description, owner)"
        " VALUES ('', '', ?, 'geom', 'lzgis', ?, '', 1, ?, '')",
        [
            (layer.name, categorized(*styles[layer.kind], layer.shape), layer.title)
            for layer in layers
            if layer.shape is not None
        ],
    )


def _categories(texts: ReportText) -> dict[str, tuple[str, list[Category]]]:
    """Give by kind of layer what it is coloured by, and how."""
    word = texts.words
    verdicts = [Category(v, texts.word("verdict", v), colour) for v, colour in VERDICT_COLOURS.items()]
    grave = [
        Category(Severity.PROHIBITED, word("severity", "prohibited"), "#d50000", hatched=True),
        Category(Severity.CONDITIONAL, word("severity", "conditional"), "#ef6c00", hatched=True),
        Category("sliver", word("state", State.SLIVER), "#8e24aa", hatched=True),
    ]
    light = [Category(Severity.NOTICE, word("severity", "notice"), "#546e7a", opacity=0.1, width_mm=0.3)]
    return {"sites": ('"verdict"', verdicts), "conflicts": (_PART_CLASS, grave), "notices": ('"severity"', light)}


def _date(database: sqlite3.Connection, report: Report) -> None:
    """Date everything by the report instead of by the clock."""
    when = _stamp(report)
    database.execute("UPDATE gpkg_contents SET last_change = ?", (when,))
    database.execute("UPDATE layer_styles SET update_time = ?", (when,))


def _stamp(report: Report) -> str:
    made_at = report.provenance.made_at
    stamp = pd.Timestamp(made_at).tz_convert("UTC") if made_at.tzinfo else pd.Timestamp(made_at)
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp.microsecond // 1000:03d}Z"
