"""The GeoPackage for QGIS: the layers and tables of `lzgis.exports.gis.features`, styled, named and with their metadata."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd
import pyogrio
import pyogrio.errors

from lzgis.exports.codes import Codes
from lzgis.exports.formats import ReportPieces
from lzgis.exports.gis.features import GEOMETRY_TYPES, GisLayer, gis_layers, has_part, storable, unique
from lzgis.exports.gis.json import origin
from lzgis.exports.gis.qgis_project import Group, Project, Relation, headings, store_project
from lzgis.exports.gis.qgis_style import Category, LayerStyle, qml
from lzgis.exports.report_text import ContextText, ReportText
from lzgis.exports.symbology import NOT_APPLICABLE_COLOUR, PART_COLOURS, SLIVER_COLOUR, VERDICT_COLOURS
from lzgis.files.atomic_write import write_atomic
from lzgis.model.report import CITY_COLUMN, FINDING_COLUMNS, VERDICT_COLUMNS, Report, ReportContext, State
from lzgis.model.rules import Severity
from lzgis.words import Language

#: By kind of layer, how QGIS shows it.
Styles = Mapping[str, LayerStyle]

#: The version of the format: the newest that GDAL 3.6 (Debian 12, QGIS 3.22 to 3.34) reads without a warning.
VERSION = "1.3"

#: The field that parts are coloured by; those that may be boundary errors look the same for every rule.
PART_CLASS = f"CASE WHEN \"state\" = '{State.SLIVER}' THEN 'sliver' ELSE \"severity\" END"

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
    """Write a report as a GeoPackage that QGIS opens styled, see `lzgis.exports.formats.ReportWriter`."""
    texts = ReportText(report, language)
    write_layers(texts, [gis_layers(texts)], path, styles=report_styles(texts))


def write_gpkg_pieces(pieces: ReportPieces, path: str | Path, *, language: Language = "zh") -> None:
    """Write sites, conflicting parts and clause lists, see `lzgis.exports.formats.PiecesWriter`.

    The table of all findings, which has millions of rows for many sites, is left to the GeoParquet.
    """
    texts = ReportText(pieces.head, language)
    about = [layer for layer in gis_layers(texts) if layer.name == "about"]
    layers = (_without_findings(one, language) for one in pieces.reports())
    write_layers(texts, chain(layers, [about]), path, styles=report_styles(texts))


def _without_findings(report: Report, language: Language) -> list[GisLayer]:
    parts = has_part(report.findings).to_numpy()
    shown = replace(report, findings=report.findings[parts].reset_index(drop=True))
    return [one for one in gis_layers(ReportText(shown, language)) if one.name not in ("about", "findings")]


def write_layers(texts: ContextText, pieces: Iterable[list[GisLayer]], path: str | Path, *, styles: Styles) -> None:
    """Write layers and tables as a GeoPackage.

    Parameters
    ----------
    texts : ContextText
        The wording of titles and metadata.
    pieces : iterable of list of GisLayer
        The layers. Each piece holds consecutive rows of some of them; one piece at a time is in memory.
    path : path
        The file.
    styles : mapping
        By kind of layer how QGIS shows it.

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
            _style(database, layers, styles)
            store_project(
                database, _project(texts, Path(path).name, layers, database), layers, styles, when=_stamp(texts.context)
            )
            _date(database, texts.context)
        with closing(sqlite3.connect(draft)) as database:
            # A new file has no trace of overwritten dates, nor SQLite's counter of changes, which varies.
            database.execute("VACUUM INTO ?", (str(made),))
        return dict(rows)

    write_atomic(path, make)


@contextmanager
def _unsynced() -> Iterator[None]:
    """Stop GDAL from syncing the draft to disk after each piece; the finished file is synced at the end."""
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
        dataset_options=None if path.exists() else {"VERSION": VERSION},
        layer_options=options,
        **shape,
    )


def _name_columns(database: sqlite3.Connection, layers: list[GisLayer]) -> None:
    """Store the headings of columns by GeoPackage's schema extension; QGIS shows them as aliases."""
    database.executescript(_SCHEMA_EXTENSION)
    meanings = {c.name: c.meaning for c in (*FINDING_COLUMNS, CITY_COLUMN, *VERDICT_COLUMNS)}
    for layer in layers:
        used: set[str] = set()
        for name in layer.frame.columns:
            alias = storable(layer.aliases.get(name, ""))
            if name != "geometry" and alias:
                alias = unique(alias, used)
                row = (layer.name, name, alias, alias, meanings.get(name))
                database.execute("INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, NULL, NULL)", row)


def _describe(database: sqlite3.Connection, layers: list[GisLayer], texts: ContextText) -> None:
    """Store each layer's metadata twice: as JSON for programs, and in the form that QGIS shows."""
    database.executescript(_METADATA_EXTENSION)
    made_at = _stamp(texts.context)
    number = 0
    for layer in layers:
        facts = _metadata(layer, texts)
        for standard, mime, content in (
            ("https://www.rfc-editor.org/rfc/rfc8259", "application/json", json.dumps(facts, ensure_ascii=False)),
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


def _metadata(layer: GisLayer, texts: ContextText) -> dict[str, Any]:
    """Return title, dates, rule book and every source that the layer was made from, with date and hash."""
    provenance = texts.context.provenance
    titles = {one.id: texts.layer(one.id) for one in texts.context.layers.values()}
    return {
        "title": layer.title,
        "as_of": provenance.as_of.isoformat(),
        "made_at": _stamp(texts.context),
        "rule_book": f"{provenance.rule_book} {provenance.rule_book_version}",
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
            for source in provenance.sources
        ],
        **origin(texts.context),
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
        "rights": facts["confidentiality"],
    }
    inner = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in parts.items())
    crs = "<crs><spatialrefsys><authid>EPSG:4490</authid></spatialrefsys></crs>" if spatial else ""
    dates = f'<dates><date type="Created" value="{escape(facts["made_at"])}"/></dates>'
    return f'<qgis version="3.40.0">{inner}{crs}{dates}</qgis>'


def _style(database: sqlite3.Connection, layers: list[GisLayer], styles: Styles) -> None:
    """Store each layer's style as its default."""
    database.executescript(_STYLE_TABLE)
    database.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column,"
        " styleName, styleQML, styleSLD, useAsDefault, description, owner)"
        " VALUES ('', '', ?, ?, 'lzgis', ?, '', 1, ?, '')",
        [
            (
                layer.name,
                "" if layer.shape is None else "geom",
                qml(styles.get(layer.kind, LayerStyle()), headings(layer), layer.shape),
                layer.title,
            )
            for layer in layers
        ],
    )


def _project(texts: ContextText, file_name: str, layers: list[GisLayer], database: sqlite3.Connection) -> Project:
    """Return the project of the file: sites and parts in groups, tables unshown, findings related to their sites."""
    words = texts.words
    named = {one.name: one.title for one in layers}
    kinds = list(dict.fromkeys(one.kind for one in layers if one.shape is not None))
    tables = tuple(one.kind for one in layers if one.shape is None)
    title = words("map", "title", city=texts.city)
    groups = [
        Group(next(one.title for one in layers if one.kind == kind), (kind,), shown=kind != "not_applicable")
        for kind in kinds
    ]
    children = [name for name in ("findings", "conflicts", "notices", "unit_lists") if name in named]
    relations = [
        Relation(f"{named[parent]} – {named[child]}", child, "site_id", parent, "id")
        for parent in named
        if parent.partition("_")[0] == "sites"
        for child in children
    ]
    boxes = database.execute("SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE min_x IS NOT NULL").fetchall()
    extent = (
        (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))
        if boxes
        else (73.0, 18.0, 135.0, 54.0)
    )
    notes = "\n".join(filter(None, (texts.notice, texts.disclaimer)))
    return Project(
        file_name=file_name,
        title=title,
        groups=[*groups, Group(words("sheet", "tables"), tables, shown=False)],
        relations=relations,
        notes=notes,
        extent=extent,
    )


def part_categories(texts: ContextText, *severities: Severity) -> list[Category]:
    """Return the categories of `PART_CLASS`: hatched parts by severity, and those that may be boundary errors."""
    words = texts.words
    return [
        *(Category(one, words("severity", one), PART_COLOURS[one], hatched=True) for one in severities),
        Category("sliver", words("state", State.SLIVER), SLIVER_COLOUR, hatched=True),
    ]


def report_styles(texts: ContextText) -> Styles:
    """Return colours by verdict and severity, labels of sites and parts, and map tips."""
    code = Codes(texts.context.city)
    verdicts = [Category(code(v), texts.word("verdict", v), colour) for v, colour in VERDICT_COLOURS.items()]
    grave = part_categories(texts, Severity.PROHIBITED, Severity.CONDITIONAL)
    notice, colour = texts.words("severity", Severity.NOTICE), PART_COLOURS[Severity.NOTICE]
    light = [Category(Severity.NOTICE, notice, colour, opacity=0.1, width_mm=0.3)]
    unmeant = texts.words("state", State.NOT_APPLICABLE)
    pale = [Category(code(State.NOT_APPLICABLE), unmeant, NOT_APPLICABLE_COLOUR, opacity=0.1, width_mm=0.3)]
    site = 'concat("id", \' \', "name")'
    # The area is rounded by what the data can bear; the field holds it in full.
    part = "concat(\"rule_title\", if(\"area_m2\" > 0, concat('\n', format_number(\"area_m2\", 0), ' ㎡'), ''))"
    if code.english:
        part = part.replace("㎡", "m²")
    tip = (
        '<b>[% "rule_title" %]</b><br>[% "site_id" %] [% "site_name" %]<br>[% "layer_title" %] [% "feature_name" %]'
        '<br>[% "severity_title" %] [% "state" %]<br>[% "procedure" %]'
    )
    return {
        "sites": LayerStyle(
            '"verdict"', verdicts, site, map_tip='<b>[% "id" %] [% "name" %]</b><br>[% "verdict_title" %]'
        ),
        "conflicts": LayerStyle(PART_CLASS.replace(State.SLIVER, code(State.SLIVER)), grave, part, 25_000, tip),
        "notices": LayerStyle('"severity"', light, map_tip=tip),
        "not_applicable": LayerStyle('"state"', pale, map_tip=tip),
    }


def _date(database: sqlite3.Connection, report: ReportContext) -> None:
    """Set all dates to that of the report, so that the same report gives the same bytes."""
    when = _stamp(report)
    database.execute("UPDATE gpkg_contents SET last_change = ?", (when,))
    database.execute("UPDATE layer_styles SET update_time = ?", (when,))


def _stamp(report: ReportContext) -> str:
    made_at = report.provenance.made_at
    stamp = pd.Timestamp(made_at).tz_convert("UTC") if made_at.tzinfo else pd.Timestamp(made_at)
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp.microsecond // 1000:03d}Z"
