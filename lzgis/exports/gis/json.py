"""The report as strict JSON: every number unrounded, for other programs and for comparison with a later screening."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lzgis.exports.codes import Codes
from lzgis.exports.formats import ReportPieces
from lzgis.exports.report_text import AT_ONCE, ReportText, coded, records, text, uncovered_matters
from lzgis.exports.rule_counts import Tally
from lzgis.files.atomic_write import write_texts_atomic
from lzgis.model.report import (
    REPORT_SCHEMA,
    SEPARATOR,
    VERDICT_COLUMNS,
    Provenance,
    Report,
    ReportContext,
    finding_columns,
)
from lzgis.words import Language


def write_json(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write a report as JSON with the keys of `report_document`, see `lzgis.exports.formats.ReportWriter`.

    Lists have one element per line, so that two reports can be compared line by line. Only ``notice`` and ``disclaimer``
    depend on the language.
    """
    write_texts_atomic(path, lines(_members(report, lambda: [report], language, partial(_written, Codes(report.city)))))


def write_json_pieces(pieces: ReportPieces, path: str | Path, *, language: Language = "zh") -> None:
    """Write the bytes that `write_json` gives, see `lzgis.exports.formats.PiecesWriter`."""
    write_texts_atomic(
        path, lines(_members(pieces.head, pieces.reports, language, partial(_written, Codes(pieces.head.city))))
    )


def report_document(report: Report, *, language: Language = "zh") -> dict[str, Any]:
    """Return a report as plain dictionaries, lists, strings and numbers; missing values and NaN are None.

    Returns
    -------
    dict
        ``schema`` (`lzgis.model.report.REPORT_SCHEMA`), ``notice``, ``disclaimer``, ``city``,
        ``verdicts`` (objects with the keys of `VERDICT_COLUMNS`),
        ``findings`` (the keys of `finding_columns`; ``basis`` is a list), ``counts`` (see below), ``unit_lists``, ``breakdown``
        (the keys of `BREAKDOWN_COLUMNS`), ``overrides`` (the keys of `OVERRIDE_COLUMNS`), ``problems``,
        ``not_covered`` (the matters that neither rules nor layers answer: ``matter``, ``title``, ``title_en``, ``reason``,
        ``ask``), ``provenance`` and ``sites``, a GeoJSON collection in longitude and latitude on CGCS2000 (EPSG:4490).
        ``counts`` has the number of ``sites``, the ``pairs`` of site and rule, their ``answers`` by state, those of
        rules that only say where a site lies (``context``, not in ``answers``), how many pairs are 不适用 without a
        finding, and the rows of ``findings`` by state; ``answers`` and ``context`` sum to ``pairs``, sites × rules.
        Of several cities also ``stretches`` and ``city_rules`` (the keys of `STRETCH_COLUMNS`, `CITY_RULE_COLUMNS`).
    """
    rows = partial(_plain_rows, Codes(report.city))
    document = {key: _as_list(value) for key, value in _members(report, lambda: [report], language, rows).items()}
    document["sites"] = {key: _as_list(value) for key, value in document["sites"].items()}
    return document


def _as_list(value: Any) -> Any:
    if isinstance(value, Tally):
        return value.document
    return list(value) if isinstance(value, Iterator) else value


def _members(head: Report, pieces: Callable[[], Iterable[Report]], language: Language, rows: _Rows) -> dict[str, Any]:
    """Return the members of a report, with iterators in place of lists; `pieces` is called once for each list."""
    texts, tally = ReportText(head, language), Tally(Codes(head.city))
    return {
        "schema": REPORT_SCHEMA,
        "notice": texts.notice,
        "disclaimer": texts.disclaimer,
        "city": head.city.model_dump(mode="json"),
        "verdicts": rows(one.verdicts[[c.name for c in VERDICT_COLUMNS]] for one in pieces()),
        "findings": rows(
            one.table[[c.name for c in finding_columns(one.table)]].assign(basis=_listed)
            for one in tally.counted(pieces())
        ),
        # Complete once the findings above have been read.
        "counts": tally,
        "unit_lists": rows(one.unit_lists for one in pieces()),
        "breakdown": rows(_breakdowns(head.city.divisions, pieces)),
        "overrides": rows(one.overrides for one in pieces()),
        "problems": (plain(dataclasses.asdict(p)) for p in head.problems),
        "not_covered": [one._asdict() for one in uncovered_matters(head)],
        "provenance": provenance_object(head.provenance),
        "sites": _sites(one.sites for one in pieces()),
        **_of_cities(head, rows),
    }


def _of_cities(head: Report, rows: _Rows) -> dict[str, Any]:
    """Return the tables of a report on several cities; nothing for that of one."""
    if not len(head.stretches):
        return {}
    return {"stretches": rows([head.stretches]), "city_rules": rows([head.city_rules])}


#: Makes the elements of a list from tables of consecutive rows.
_Rows = Callable[[Iterable[pd.DataFrame]], Iterator[Any]]


class _Text(str):
    """A value that is JSON already."""


def _plain_rows(code: Codes, frames: Iterable[pd.DataFrame]) -> Iterator[dict[str, Any]]:
    """Iterate over rows as dictionaries of plain values."""
    for frame in frames:
        yield from (plain({name: code(value) for name, value in row.items()}) for row in records(frame, frame.columns))


def _written(code: Codes, frames: Iterable[pd.DataFrame]) -> Iterator[_Text]:
    """Iterate over rows as JSON: the texts that `_plain_rows` would give, each distinct value written once per piece."""
    for frame in frames:
        for start in range(0, len(frame), AT_ONCE):
            some = frame.iloc[start : start + AT_ONCE]
            columns = [_values(some, str(name), code) for name in some.columns]
            for row in zip(*columns, strict=True):
                yield _Text(f"{{{', '.join(row)}}}")


def _values(frame: pd.DataFrame, name: str, code: Codes) -> list[str]:
    """Return a column as members of JSON objects."""
    column, key = frame[name], _text(name) + ": "
    if column.dtype == np.float64:
        return [f"{key}{value!r}" if math.isfinite(value) else f"{key}null" for value in column.tolist()]
    if column.dtype == np.int64:
        return [f"{key}{value}" for value in column.tolist()]
    if column.dtype == object and not column.map(type).isin((str, tuple)).all():
        return [key + _text(plain(code(value))) for value in column.tolist()]
    return coded(frame, [name], lambda value: key + _text(plain(code(value)))).tolist()


def _listed(table: pd.DataFrame) -> pd.Series[Any]:
    """Return the documents that findings rest on, as tuples in place of one text."""
    parts = coded(table, ["basis"], lambda one: tuple(part for part in text(one).split(SEPARATOR) if part))
    return pd.Series(parts.tolist(), dtype=object, index=table.index)


def _breakdowns(divisions: Sequence[str], pieces: Callable[[], Iterable[Report]]) -> Iterator[pd.DataFrame]:
    """Iterate over the breakdown level by level, the order that it has in a whole report."""
    for level in divisions:
        yield from (one.breakdown[one.breakdown["level"] == level] for one in pieces())


def provenance_object(provenance: Provenance) -> dict[str, Any]:
    """Return the provenance of a report as plain values."""
    fields = {f.name: getattr(provenance, f.name) for f in dataclasses.fields(provenance)}
    lists = {name: [dataclasses.asdict(one) for one in fields[name]] for name in ("sources", "repairs")}
    found: dict[str, Any] = plain(fields | lists)
    return found


def origin(report: ReportContext) -> dict[str, Any]:
    """Return ``provenance`` (repairs included), ``problems`` and ``not_covered`` of a report as plain values."""
    problems = [plain(dataclasses.asdict(p)) for p in report.problems]
    found = {"provenance": provenance_object(report.provenance), "problems": problems}
    return found | {"not_covered": [one._asdict() for one in uncovered_matters(report)]}


def origin_text(report: ReportContext) -> str:
    """Return `origin` as one line of JSON in ASCII, for formats whose metadata are text."""
    return json.dumps(origin(report), allow_nan=False)


def _sites(sites: Iterable[gpd.GeoDataFrame]) -> dict[str, Any]:
    # RFC 7946 has no member ``crs``, but without it a reader would assume WGS 84.
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
    """Convert a value to the types of JSON; dates become ISO 8601, numbers that are not finite None."""
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
    """Serialise a document, every element of its lists on a line of its own."""
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
            yield _text(value.document if isinstance(value, Tally) else value)
    yield "\n}\n"


def _list_lines(values: Iterable[Any]) -> Iterator[str]:
    yield "["
    for number, value in enumerate(values):
        yield ",\n" if number else "\n"
        yield _text(value)
    yield "\n]"


def _text(value: Any) -> str:
    if isinstance(value, _Text):
        return value
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
