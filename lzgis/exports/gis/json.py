"""The report as strict JSON: every number in full, for other programs and for comparing a later check."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lzgis.exports.report_text import SEPARATOR, ReportText, records
from lzgis.files.atomic_write import write_texts_atomic
from lzgis.model.report import FINDING_COLUMNS, VERDICT_COLUMNS, Provenance, Report
from lzgis.words import Language


def write_json(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write a report as JSON with the keys of `report_document`; the same report gives the same bytes.

    Lists have one element per line, so that two reports can be compared line by line; no more than some rows are held as text.

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
    write_pieces(report, lambda: [report], path, language=language)


def write_pieces(
    head: Report, pieces: Callable[[], Iterable[Report]], path: str | Path, *, language: Language = "zh"
) -> None:
    """Write a report that comes in pieces of consecutive sites, of which only one is held, as `write_json` does.

    Parameters
    ----------
    head : Report
        What the whole says of itself; its tables are not asked for.
    pieces : callable
        Gives the pieces from the first on; it is called for each list anew. What their breakdowns call the position of a
        finding is that in the whole.
    path : path
        The file, ``*.json``.
    language : {"zh", "en"}
        As in `write_json`.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    write_texts_atomic(path, lines(_members(head, pieces, language)))


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
    document = {key: _listed(value) for key, value in _members(report, lambda: [report], language).items()}
    document["sites"] = {key: _listed(value) for key, value in document["sites"].items()}
    return document


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, Iterator) else value


def _members(head: Report, pieces: Callable[[], Iterable[Report]], language: Language) -> dict[str, Any]:
    """Return the members of a report, with iterators in place of lists."""
    texts = ReportText(head, language)
    return {
        "notice": texts.notice,
        "disclaimer": texts.disclaimer,
        "city": head.city.model_dump(mode="json"),
        "verdicts": _rows(one.verdicts[[c.name for c in VERDICT_COLUMNS]] for one in pieces()),
        "findings": (_finding(row) for row in _records(one.findings[_FINDINGS] for one in pieces())),
        "unit_lists": _rows(one.unit_lists for one in pieces()),
        "breakdown": _rows(_breakdowns(head.city.divisions, pieces)),
        "overrides": _rows(one.overrides for one in pieces()),
        "problems": (plain(dataclasses.asdict(p)) for p in head.problems),
        "provenance": provenance_object(head.provenance),
        "sites": _sites(one.sites for one in pieces()),
    }


_FINDINGS = [column.name for column in FINDING_COLUMNS]


def _records(frames: Iterable[pd.DataFrame]) -> Iterator[dict[str, Any]]:
    for frame in frames:
        yield from records(frame, frame.columns)


def _rows(frames: Iterable[pd.DataFrame]) -> Iterator[dict[str, Any]]:
    return map(plain, _records(frames))


def _finding(row: dict[str, Any]) -> dict[str, Any]:
    row["basis"] = [part for part in (row["basis"] or "").split(SEPARATOR) if part]
    found: dict[str, Any] = plain(row)
    return found


def _breakdowns(divisions: Sequence[str], pieces: Callable[[], Iterable[Report]]) -> Iterator[pd.DataFrame]:
    """Give the breakdown level by level, as it stands in a whole report."""
    for level in divisions:
        yield from (one.breakdown[one.breakdown["level"] == level] for one in pieces())


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


def _sites(sites: Iterable[gpd.GeoDataFrame]) -> dict[str, Any]:
    # Not in RFC 7946, but without it a reader would take the coordinates for WGS84.
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    return {
        "type": "FeatureCollection",
        "crs": crs,
        "features": (feature for some in sites for feature in _features(some)),
    }


def _features(sites: gpd.GeoDataFrame) -> Iterator[dict[str, Any]]:
    names = [name for name in sites.columns if name != sites.geometry.name]
    for properties, geometry in zip(records(sites, names), sites.geometry, strict=True):
        there = geometry is not None and not geometry.is_empty
        yield {
            "type": "Feature",
            "id": properties["id"],
            "geometry": shapely.geometry.mapping(geometry) if there else None,
            "properties": plain(properties),
        }


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
        if isinstance(value, list | Iterator):
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
