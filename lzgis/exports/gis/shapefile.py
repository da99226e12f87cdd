"""Shapefiles in a zip: the layers and tables of `lzgis.exports.gis.features` for programs that read no newer format.

The format limits field names to 10 bytes and texts to 254. ``fields.csv`` explains each field, and ``cut.json`` holds every
text that was cut, in full. Texts are UTF-8, as the ``.cpg`` files state. QGIS finds the style of each in its ``.qml``.
"""

from __future__ import annotations

import json
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyogrio
import pyogrio.errors

from lzgis.exports.gis.features import GEOMETRY_TYPES, GisLayer, gis_layers
from lzgis.exports.gis.gpkg import report_styles
from lzgis.exports.gis.json import origin_text
from lzgis.exports.gis.qgis_project import headings
from lzgis.exports.gis.qgis_style import LayerStyle, qml
from lzgis.exports.report_text import ReportText
from lzgis.files.atomic_write import write_atomic
from lzgis.files.csv_text import csv_bytes
from lzgis.model.report import CITY_COLUMN, FINDING_COLUMNS, VERDICT_COLUMNS, Report
from lzgis.words import Language

_TEXT_BYTES = 254
_NAME_BYTES = 10
# Short names for columns whose names would be unclear if they were cut.
_SHORT = {
    "activity_title": "act_title",
    "area_possible_m2": "area_pos_m",
    "conditional": "condition",
    "feature_name": "feat_name",
    "half_width_m": "half_w_m",
    "layer_title": "lay_title",
    "mean_width_m": "mean_w_m",
    "nearest_rule": "near_rule",
    "not_checked": "not_check",
    "not_applicable": "not_applic",
    "reason_title": "rea_title",
    "required_possible_m": "req_pos_m",
    "route_title": "rou_title",
    "facts_title": "fac_title",
    "severity_title": "sev_title",
    "site_area_m2": "site_m2",
    "site_length_m": "site_len_m",
    "unchecked_share": "unchecked",
    "verdict_title": "verd_title",
}
_ODD = re.compile("[^A-Za-z0-9_]+")
# A column in an expression of QGIS.
_COLUMN = re.compile('"([a-z0-9_]+)"')


def write_shapefile(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write a report as zipped shapefiles in CGCS2000 (EPSG:4490), see `lzgis.exports.formats.ReportWriter`."""
    texts = ReportText(report, language)
    made_at = report.provenance.made_at
    # The dates of a zip begin in 1980.
    stamp = (max(made_at.year, 1980), *made_at.timetuple()[1:6])

    def make(made: Path) -> None:
        with tempfile.TemporaryDirectory(prefix=".lzgis-", dir=made.parent) as name:
            folder = Path(name)
            _fill(folder, texts)
            with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
                for file in sorted(folder.iterdir()):
                    entry = zipfile.ZipInfo(file.name, stamp)
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    packed.writestr(entry, file.read_bytes())

    write_atomic(path, make)


def _fill(folder: Path, texts: ReportText) -> None:
    """Write the files of the zip into a folder."""
    date = texts.report.provenance.as_of.isoformat()
    fields: list[list[str]] = []
    cuts: list[dict[str, Any]] = []
    styles = report_styles(texts)
    for layer in gis_layers(texts):
        names = _short_names(layer)
        style = _renamed(styles.get(layer.kind, LayerStyle()), names)
        aliases = {names[name]: title for name, title in headings(layer).items()}
        (folder / f"{layer.name}.qml").write_text(qml(style, aliases, layer.shape), "utf-8")
        frame, cut = _fitted(layer, names)
        fields += _field_rows(layer, names, cut, texts)
        cuts += cut
        pyogrio.write_dataframe(
            frame,
            folder / f"{layer.name}{'.dbf' if layer.shape is None else '.shp'}",
            driver="ESRI Shapefile",
            layer_options={"ENCODING": "UTF-8", "DBF_DATE_LAST_UPDATE": date},
            geometry_type=None if layer.shape is None else GEOMETRY_TYPES[layer.shape],
        )
    heads = [texts.words("shapefile", key) for key in ("file", "field", "column", "title", "meaning", "cut")]
    (folder / "fields.csv").write_bytes(_csv([[texts.code.shown(str(one)) for one in row] for row in (heads, *fields)]))
    (folder / "cut.json").write_bytes((json.dumps(cuts, ensure_ascii=False, indent=1) + "\n").encode())
    (folder / "provenance.json").write_bytes((origin_text(texts.report) + "\n").encode())
    (folder / "README.txt").write_bytes(_readme(texts, len(cuts)).encode("utf-8-sig"))


def _renamed(style: LayerStyle, names: dict[str, str]) -> LayerStyle:
    """Return a style whose expressions use the short names of the columns."""

    def short(expression: str) -> str:
        return _COLUMN.sub(lambda match: f'"{names.get(match[1], match[1])}"', expression)

    return style._replace(expression=short(style.expression), label=short(style.label), map_tip=short(style.map_tip))


def _short_names(layer: GisLayer) -> dict[str, str]:
    """Return a unique name of at most ten ASCII characters for every column."""
    taken: set[str] = set()
    names = {}
    for column in layer.frame.columns:
        if column == "geometry" and layer.shape is not None:
            continue
        whole = _SHORT.get(column) or _ODD.sub("_", column).strip("_")[:_NAME_BYTES] or "field"
        name, number = whole, 1
        while name.lower() in taken:
            number += 1
            name = f"{whole[: _NAME_BYTES - len(str(number)) - 1]}_{number}"
        taken.add(name.lower())
        names[column] = name
    return names


def _fitted(layer: GisLayer, names: dict[str, str]) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Cut the texts that are too long; return the table and what was cut."""
    frame = layer.frame.rename(columns=names)
    cuts: list[dict[str, Any]] = []
    for name in names.values():
        if frame[name].dtype != object and not isinstance(frame[name].dtype, pd.StringDtype):
            continue
        fitted = []
        for row, value in enumerate(frame[name].tolist(), 1):
            kept = value
            if isinstance(value, str) and len(value.encode()) > _TEXT_BYTES:
                kept = value.encode()[:_TEXT_BYTES].decode(errors="ignore")
                cuts.append({"file": layer.name, "row": row, "field": name, "text": value})
            fitted.append(kept)
        frame[name] = pd.Series(fitted, index=frame.index, dtype=object)
    return frame, cuts


def _field_rows(
    layer: GisLayer, names: dict[str, str], cuts: list[dict[str, Any]], texts: ReportText
) -> list[list[str]]:
    meanings = {c.name: c.meaning for c in (*FINDING_COLUMNS, CITY_COLUMN, *VERDICT_COLUMNS)}
    return [
        [
            layer.name,
            name,
            column,
            layer.aliases.get(column, ""),
            # The meanings are in English only.
            meanings.get(column, "") if texts.words.language == "en" else "",
            str(sum(cut["field"] == name for cut in cuts)),
        ]
        for column, name in names.items()
    ]


def _csv(rows: list[list[str]]) -> bytes:
    return csv_bytes(rows)


def _readme(texts: ReportText, cuts: int) -> str:
    words, origin = texts.words, texts.report.provenance
    lines = [
        words("map", "title", city=texts.city),
        texts.notice,
        texts.disclaimer,
        texts.coverage,
        texts.other_dates,
        words("shapefile", "encoding"),
        words("shapefile", "crs"),
        words("shapefile", "names"),
        words("shapefile", "cuts", n=cuts) if cuts else words("shapefile", "no-cuts"),
        words("map", "as-of", date=origin.as_of.isoformat()),
        words("map", "rule-book", name=origin.rule_book, version=origin.rule_book_version),
        words("map", "made-at", time=origin.made_at.strftime("%Y-%m-%d %H:%M")),
    ]
    return "\r\n".join(line for line in lines if line) + "\r\n"
