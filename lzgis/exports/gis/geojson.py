"""GeoJSON (RFC 7946): every site and every finding as a feature, in longitude and latitude on WGS 84.

CGCS2000 and WGS 84 differ by less than a metre and are treated as the same, as on reading. Coordinates are not rounded, so
that areas computed from the file are those of the report.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lzgis.coordinates.plane import Geometries
from lzgis.exports.formats import ReportPieces
from lzgis.exports.gis.features import finding_aliases, finding_columns, has_part, site_columns
from lzgis.exports.gis.gpkg import report_styles
from lzgis.exports.gis.json import origin
from lzgis.exports.gis.qgis_style import LayerStyle, qml
from lzgis.exports.report_text import AT_ONCE, ReportText, text
from lzgis.files.atomic_write import write_bytes_atomic, write_texts_atomic
from lzgis.model.report import Report
from lzgis.words import Language

#: The property that distinguishes sites from findings.
KIND = "feature_kind"


def write_geojson(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write a report as GeoJSON, see `lzgis.exports.formats.ReportWriter`.

    Features have the ids ``site:ID`` and ``finding:NUMBER``; the property ``feature_kind`` is ``site`` or ``finding``. A
    finding without a conflicting part has no geometry. The properties are the columns of the report.
    """
    _write(report, lambda: [report], path, language)


def write_geojson_pieces(pieces: ReportPieces, path: str | Path, *, language: Language = "zh") -> None:
    """Write the bytes that `write_geojson` gives, see `lzgis.exports.formats.PiecesWriter`."""
    _write(pieces.head, pieces.reports, path, language)


def write_style(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write the style that QGIS finds beside the GeoJSON, for its polygons: sites by verdict, parts by severity."""
    texts = ReportText(report, language)
    styles = report_styles(texts)
    site, part, light = styles["sites"], styles["conflicts"], styles["notices"]
    is_site = f"\"{KIND}\" = 'site'"
    both = LayerStyle(
        f"CASE WHEN {is_site} THEN {site.expression} ELSE {part.expression} END",
        [*site.categories, *part.categories, *light.categories],
        f"CASE WHEN {is_site} THEN {site.label} WHEN @map_scale < {part.label_from} THEN {part.label} END",
        map_tip=f'[% if({is_site}, concat("id", \' \', "name", \' \', "verdict_title"), '
        'concat("site_id", \' \', "rule_title", \' \', "severity_title")) %]',
    )
    aliases = {**finding_aliases(texts), **site_columns(texts)[1]}
    write_bytes_atomic(path, qml(both, aliases, "polygon").encode())


def _write(head: Report, pieces: Callable[[], Iterable[Report]], path: str | Path, language: Language) -> None:
    texts = ReportText(head, language)
    members = {"type": "FeatureCollection", **head_members(texts), "crs_note": texts.words("geojson", "crs-note")}
    shapes = (s.geometry.to_numpy() for one in pieces() for s in (one.sites, one.findings))
    found = np.array([shapely.total_bounds(some[present]) for some in shapes if (present := _present(some)).any()])
    if len(found):
        members["bbox"] = [*found[:, :2].min(axis=0).tolist(), *found[:, 2:].max(axis=0).tolist()]
    features = (
        {"type": "Feature", "id": name, "geometry": geometry_object(shape), "properties": properties}
        for some, shapes in feature_pieces(pieces, language)
        for (name, properties), shape in zip(some, shapes, strict=True)
    )
    write_lines(path, members, features)


def _present(shapes: Geometries) -> Any:
    return ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))


def head_members(texts: ReportText) -> dict[str, Any]:
    """Return the members of the collection: title, notice, dates, rule book and provenance."""
    provenance = texts.report.provenance
    return {
        "title": texts.words("map", "title", city=texts.city),
        "notice": texts.notice,
        "disclaimer": texts.disclaimer,
        "coverage": texts.coverage,
        "confidentiality": texts.confidentiality,
        "as_of": provenance.as_of.isoformat(),
        "made_at": provenance.made_at.isoformat(),
        "rule_book": f"{provenance.rule_book} {provenance.rule_book_version}",
        **origin(texts.report),
    }


def feature_pieces(
    pieces: Callable[[], Iterable[Report]], language: Language
) -> Iterator[tuple[Iterator[tuple[str, dict[str, Any]]], Geometries]]:
    """Iterate over all sites, then all findings, some rows at a time: ids with properties, and geometries.

    Rings are oriented as RFC 7946 demands.
    """
    for report in pieces():
        for start in range(0, len(report.sites), AT_ONCE):
            sites = report.sites.iloc[start : start + AT_ONCE]
            yield _site_records(ReportText(replace(report, sites=sites), language)), _oriented(sites)
    first = 1
    for report in pieces():
        for start in range(0, len(report.findings), AT_ONCE):
            findings = report.findings.iloc[start : start + AT_ONCE]
            yield _finding_records(ReportText(replace(report, findings=findings), language), first), _oriented(findings)
            first += len(findings)


def _oriented(frame: gpd.GeoDataFrame) -> Geometries:
    return np.asarray(shapely.orient_polygons(frame.geometry.to_numpy()), dtype=object)


def _site_records(texts: ReportText) -> Iterator[tuple[str, dict[str, Any]]]:
    sites, _ = site_columns(texts, reserved=(KIND,))
    names = texts.report.sites["id"].tolist()
    for name, properties in zip(names, _rows(sites, len(names)), strict=True):
        yield f"site:{text(name)}", {KIND: "site", **properties}


def _finding_records(texts: ReportText, first: int) -> Iterator[tuple[str, dict[str, Any]]]:
    findings = texts.report.findings
    parts = has_part(findings).tolist()
    for number, properties in enumerate(_rows(finding_columns(texts), len(findings))):
        yield f"finding:{first + number}", {KIND: "finding", **properties, "has_part": parts[number]}


def geometry_object(shape: Any) -> dict[str, Any] | None:
    """Return a geometry as a GeoJSON object; None if it is missing or empty."""
    if shape is None or shape.is_empty:
        return None
    found: dict[str, Any] = shapely.geometry.mapping(shape)
    return found


def write_lines(path: str | Path, head: Mapping[str, Any], features: Iterator[dict[str, Any]]) -> None:
    """Write a collection with one feature per line, so that two files can be compared line by line."""

    def texts() -> Iterator[str]:
        yield _json(head)[:-1] + ', "features": ['
        for number, feature in enumerate(features):
            yield (",\n" if number else "\n") + _json(feature)
        yield "\n]}\n"

    write_texts_atomic(path, texts())


def _rows(columns: Mapping[str, Any], count: int) -> Iterator[dict[str, Any]]:
    lists = {name: pd.Series(values).tolist() for name, values in columns.items()}
    for row in range(count):
        yield {name: _plain(values[row]) for name, values in lists.items()}


def _plain(value: Any) -> Any:
    """Convert a value to what JSON has: missing values and numbers that are not finite become null."""
    return None if value is None or (isinstance(value, float) and not math.isfinite(value)) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
