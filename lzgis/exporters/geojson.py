"""GeoJSON (RFC 7946): every site and every finding as a feature, in longitude and latitude on WGS 84.

CGCS2000 and WGS 84 agree within a metre and are taken as one, as on reading; coordinates are written in full, so that
areas computed from the file are those of the report.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from lzgis.exporters.features import finding_columns, has_part, site_columns
from lzgis.exporters.files import put
from lzgis.exporters.json import origin as whence
from lzgis.exporters.rows import Teller, text
from lzgis.model import Report
from lzgis.words import Language

#: The property that tells a site from a finding.
KIND = "feature_kind"


def write_geojson(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write a report as GeoJSON; the same report gives the same bytes.

    Features have the ids ``site:ID`` and ``finding:NUMBER`` and say in the property ``feature_kind`` which they are; a
    finding without a conflicting part has no geometry. The properties are the columns of the report.

    Parameters
    ----------
    report : Report
        What to write.
    path : path
        The file, ``*.geojson``.
    language : {"zh", "en"}
        Language of titles; codes and data are the same in every language.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    teller = Teller(report, language)
    shapes = shapely.orient_polygons(np.concatenate([report.sites.geometry, report.findings.geometry]))
    head = {"type": "FeatureCollection", **head_members(teller), "crs_note": teller.words("geojson", "crs-note")}
    there = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if len(there):
        head["bbox"] = shapely.total_bounds(there).tolist()
    features = (
        {"type": "Feature", "id": name, "geometry": geometry_object(shape), "properties": properties}
        for (name, properties), shape in zip(feature_records(teller), shapes, strict=True)
    )
    write_lines(path, head, features)


def head_members(teller: Teller) -> dict[str, Any]:
    """Give what the whole file says of itself: title, caution, dates and rule book."""
    origin = teller.report.provenance
    return {
        "title": teller.words("map", "title", city=teller.city),
        "notice": teller.notice,
        "disclaimer": teller.disclaimer,
        "confidentiality": teller.confidentiality,
        "as_of": origin.as_of.isoformat(),
        "made_at": origin.made_at.isoformat(),
        "rule_book": f"{origin.rule_book} {origin.rule_book_version}",
        **whence(teller.report),
    }


def feature_records(teller: Teller) -> Iterator[tuple[str, dict[str, Any]]]:
    """Go through ids and properties of all sites, then of all findings."""
    sites, _ = site_columns(teller, reserved=(KIND,))
    names = teller.report.sites["id"].tolist()
    for name, properties in zip(names, _rows(sites, len(names)), strict=True):
        yield f"site:{text(name)}", {KIND: "site", **properties}
    count = len(teller.report.findings)
    parts = has_part(teller.report.findings).tolist()
    for number, properties in enumerate(_rows(finding_columns(teller), count), 1):
        yield f"finding:{number}", {KIND: "finding", **properties, "has_part": parts[number - 1]}


def geometry_object(shape: Any) -> dict[str, Any] | None:
    """Give a geometry as GeoJSON has it; None where there is none."""
    if shape is None or shape.is_empty:
        return None
    found: dict[str, Any] = shapely.geometry.mapping(shape)
    return found


def write_lines(path: str | Path, head: Mapping[str, Any], features: Iterator[dict[str, Any]]) -> None:
    """Write a collection with one feature per line, so that two reports can be compared line by line."""

    def make(made: Path) -> dict[str, int]:
        number = -1
        with made.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(_json(head)[:-1] + ', "features": [')
            for number, feature in enumerate(features):
                file.write((",\n" if number else "\n") + _json(feature))
            file.write("\n]}\n")
        return {"features": number + 1}

    put(path, make)


def _rows(columns: Mapping[str, Any], count: int) -> Iterator[dict[str, Any]]:
    lists = {name: pd.Series(values).tolist() for name, values in columns.items()}
    for row in range(count):
        yield {name: _plain(values[row]) for name, values in lists.items()}


def _plain(value: Any) -> Any:
    """Bring a value to what JSON has: what is missing or not finite is null."""
    return None if value is None or (isinstance(value, float) and not math.isfinite(value)) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
