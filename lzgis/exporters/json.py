"""The report as strict JSON: every number in full, for other programs and for comparing a later check."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from lzgis.exporters.files import put_bytes
from lzgis.exporters.rows import SEPARATOR, Teller, records
from lzgis.model import FINDING_COLUMNS, VERDICT_COLUMNS, Provenance, Report
from lzgis.words import Language


def write_json(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write a report as JSON with the keys of `report_document`; the same report gives the same bytes.

    Lists have one element per line, so that two reports can be compared line by line.

    Parameters
    ----------
    report : Report
        What to write.
    path : path
        The file, ``*.json``.
    language : {"zh", "en"}
        Language of ``notice`` and ``disclaimer``; everything else is codes and data.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    text = "".join(lines(report_document(report, language=language)))
    # JSON may spell a lone surrogate, which UTF-8 cannot hold, in just the way that Python escapes it.
    data = text.encode("utf-8", "backslashreplace")
    put_bytes(path, data)


def report_document(report: Report, *, language: Language = "zh") -> dict[str, Any]:
    """Return a report as plain dictionaries, lists, strings and numbers; what is missing or NaN is None.

    Returns
    -------
    dict
        ``notice``, ``disclaimer``, ``city``, ``verdicts`` (objects with the keys of `VERDICT_COLUMNS`),
        ``findings`` (the keys of `FINDING_COLUMNS`; ``basis`` is a list), ``unit_lists``, ``breakdown``
        (the keys of `BREAKDOWN_COLUMNS`), ``overrides`` (the keys of `OVERRIDE_COLUMNS`), ``problems``,
        ``provenance`` and ``sites``, a GeoJSON collection in longitude and latitude on CGCS2000 (EPSG:4490).
    """
    teller = Teller(report, language)
    findings = []
    for finding in records(report.findings, (c.name for c in FINDING_COLUMNS)):
        finding["basis"] = [part for part in (finding["basis"] or "").split(SEPARATOR) if part]
        findings.append(plain(finding))
    return {
        "notice": teller.notice,
        "disclaimer": teller.disclaimer,
        "city": report.city.model_dump(mode="json"),
        "verdicts": [plain(v) for v in records(report.verdicts, (c.name for c in VERDICT_COLUMNS))],
        "findings": findings,
        "unit_lists": [plain(row) for row in records(report.unit_lists, report.unit_lists.columns)],
        "breakdown": [plain(row) for row in records(report.breakdown, report.breakdown.columns)],
        "overrides": [plain(row) for row in records(report.overrides, report.overrides.columns)],
        "problems": [plain(dataclasses.asdict(p)) for p in report.problems],
        "provenance": provenance_object(report.provenance),
        "sites": _sites(report),
    }


def provenance_object(provenance: Provenance) -> dict[str, Any]:
    """Return the provenance of a report as plain values."""
    fields = {f.name: getattr(provenance, f.name) for f in dataclasses.fields(provenance)}
    lists = {name: [dataclasses.asdict(one) for one in fields[name]] for name in ("sources", "repairs")}
    found: dict[str, Any] = plain(fields | lists)
    return found


def origin(report: Report) -> dict[str, Any]:
    """Return where a report comes from as plain values: its ``provenance``, and its ``problems``, repairs among them."""
    problems = [plain(dataclasses.asdict(p)) for p in report.problems]
    return {"provenance": provenance_object(report.provenance), "problems": problems}


def origin_text(report: Report) -> str:
    """Return the same as one line of JSON in ASCII, for formats whose metadata are a text."""
    return json.dumps(origin(report), allow_nan=False)


def _sites(report: Report) -> dict[str, Any]:
    sites = report.sites
    names = [name for name in sites.columns if name != sites.geometry.name]
    features = []
    for properties, geometry in zip(records(sites, names), sites.geometry, strict=True):
        there = geometry is not None and not geometry.is_empty
        features.append(
            {
                "type": "Feature",
                "id": properties["id"],
                "geometry": shapely.geometry.mapping(geometry) if there else None,
                "properties": plain(properties),
            }
        )
    # Not in RFC 7946, but without it a reader would take the coordinates for WGS84.
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    return {"type": "FeatureCollection", "crs": crs, "features": features}


def plain(value: Any) -> Any:
    """Bring a value to what JSON has; dates are ISO 8601, numbers that are not finite are None."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NA or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Write a document as text, every element of its lists on a line of its own."""
    yield "{"
    for number, (key, value) in enumerate(document.items()):
        yield f"{',' if number else ''}\n{_text(key)}: "
        if isinstance(value, list):
            yield from _list_lines(value)
        elif key == "sites":
            head = {name: part for name, part in value.items() if name != "features"}
            yield _text(head)[:-1] + ', "features": '
            yield from _list_lines(value["features"])
            yield "}"
        else:
            yield _text(value)
    yield "\n}\n"


def _list_lines(values: Iterable[Any]) -> Iterator[str]:
    yield "["
    for number, value in enumerate(values):
        yield ",\n" if number else "\n"
        yield _text(value)
    yield "\n]"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
