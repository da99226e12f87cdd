"""GeoParquet, for other programs and for batches: every finding, or every site with its verdict, unrounded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from lzgis.coordinates.plane import CGCS2000
from lzgis.exports.codes import Codes
from lzgis.exports.formats import ReportPieces
from lzgis.exports.gis.features import site_columns
from lzgis.exports.gis.json import origin
from lzgis.exports.report_text import ReportText
from lzgis.files.atomic_write import write_atomic
from lzgis.model.report import CITY_COLUMN, FINDING_COLUMNS, Report, finding_columns
from lzgis.words import Language

Piece = TypeVar("Piece")

#: Rows of a row group. It does not depend on the pieces that a file is written from, so that a batch gives the same
#: bytes as one screening.
_GROUP = 50_000
#: The columns that `findings_table` adds.
TITLES = (
    "rule_title",
    "layer_title",
    "activity_title",
    "severity_title",
    "reason_title",
    "route_title",
    "facts_title",
)


def write_findings(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write all findings with their conflicting parts as GeoParquet, see `lzgis.exports.formats.ReportWriter`."""
    texts = ReportText(report, language)
    _write(texts, [findings_table(texts, stored_findings(report))], path)


def stored_findings(report: Report) -> pa.Table:
    """Return the findings of a report as `findings_table` takes them."""
    findings = report.findings
    return table_of({c.name: findings[c.name] for c in finding_columns(findings)}, findings.geometry.to_numpy())


def write_findings_pieces(pieces: ReportPieces, path: str | Path, *, language: Language = "zh") -> None:
    """Write the bytes that `write_findings` gives, see `lzgis.exports.formats.PiecesWriter`."""
    texts = ReportText(pieces.head, language)
    _write(texts, ahead(findings_table(texts, rows) for rows in pieces.findings()), path)


def write_verdicts(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write all sites with their verdicts as GeoParquet, see `lzgis.exports.formats.ReportWriter`."""
    texts = ReportText(report, language)
    _write(texts, [verdicts_table(texts)], path)


def write_verdicts_pieces(pieces: ReportPieces, path: str | Path, *, language: Language = "zh") -> None:
    """Write the bytes that `write_verdicts` gives, see `lzgis.exports.formats.PiecesWriter`."""
    tables = (verdicts_table(ReportText(one, language)) for one in pieces.verdicts())
    _write(ReportText(pieces.head, language), ahead(tables), path)


def findings_table(texts: ReportText, findings: pa.Table) -> pa.Table:
    """Return findings as they are stored: beside the codes their wording.

    Parameters
    ----------
    texts : ReportText
        The wording; the findings of its report are not used.
    findings : Table
        The columns of `finding_columns`, as `columns_of` returns them, and the geometry, if it is to be stored.
    """
    named = [c.name for c in (*FINDING_COLUMNS, CITY_COLUMN) if c.name in findings.column_names]
    columns = {name: findings[name] for name in named}
    code = Codes(texts.report.city)
    if code.english:
        columns |= {name: _titles(findings[name], code) for name in ("state", "basis", "open_facts")}
    columns["rule_title"] = _titles(findings["rule"], texts.rule)
    columns["layer_title"] = _titles(findings["layer"], texts.layer)
    columns["activity_title"] = _titles(findings["activity"], texts.activity)
    columns["severity_title"] = _titles(findings["severity"], partial(texts.word, "severity"))
    columns["reason_title"] = _reasons(findings["reason"], findings["unchecked_share"], texts)
    columns["route_title"] = _titles(findings["route"], texts.route)
    columns["facts_title"] = _titles(findings["open_facts"], texts.open_facts)
    shapes = {"geometry": findings["geometry"]} if "geometry" in findings.column_names else {}
    return pa.table(columns | shapes)


def _titles(codes: pa.ChunkedArray, title: Callable[[str], str]) -> pa.Array:
    # There are millions of rows and few codes.
    coded = codes.combine_chunks().dictionary_encode()
    return _array([title(code) for code in coded.dictionary.to_pylist()]).take(coded.indices)


def _reasons(reasons: pa.ChunkedArray, shares: pa.ChunkedArray, texts: ReportText) -> pa.Array:
    coded = reasons.combine_chunks().dictionary_encode()
    known = coded.dictionary.to_pylist()
    code, share = coded.indices.to_numpy(), shares.to_numpy()
    # Few rows have a share: only those are worded one by one.
    shared = np.flatnonzero(~np.isnan(share))
    pairs, place = np.unique(np.stack([code[shared], share[shared]]), axis=1, return_inverse=True)
    worded = [texts.reason({"reason": one, "unchecked_share": np.nan}) for one in known]
    worded += [texts.reason({"reason": known[int(one)], "unchecked_share": part}) for one, part in pairs.T]
    row = code.astype(np.int64)
    row[shared] = len(known) + place.reshape(-1)
    return _array(worded).take(pa.array(row))


def verdicts_table(texts: ReportText) -> pa.Table:
    """Return the sites of a report with their verdicts as they are stored."""
    columns, _ = site_columns(texts)
    named = {name: pd.Series(values) for name, values in columns.items()}
    return table_of(named, texts.report.sites.geometry.to_numpy())


def ahead(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Iterate over pieces in their order while a thread makes the next one, so that at most two are in memory.

    Examples
    --------
    >>> list(ahead(n * n for n in range(4)))
    [0, 1, 4, 9]
    """
    source = iter(pieces)
    end = object()
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, source, end)
        while (piece := coming.result()) is not end:
            coming = maker.submit(next, source, end)
            yield piece  # type: ignore[misc]


def _write(texts: ReportText, pieces: Iterable[pa.Table], path: str | Path) -> None:
    """Write consecutive pieces of a layer as one file, one row group at a time."""
    about = json.dumps(_about(texts), ensure_ascii=False)

    def make(made: Path) -> dict[str, int]:
        tables = iter(pieces)
        first = next(tables)
        geo = json.dumps(_geo(), ensure_ascii=False)
        schema = first.schema.with_metadata({"geo": geo, "lzgis": about.encode("utf-8", "backslashreplace")})
        count = 0
        with pq.ParquetWriter(made, schema, compression="zstd", write_page_checksum=True) as file:
            for group in _groups(_chained(first, tables), schema):
                file.write_table(group, row_group_size=_GROUP)
                count += len(group)
        return {"": count}

    write_atomic(path, make)


def _groups(tables: Iterable[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    held = schema.empty_table()
    for table in tables:
        held = pa.concat_tables([held, table.cast(schema)])
        while len(held) > _GROUP:
            yield held.slice(0, _GROUP).combine_chunks()
            held = held.slice(_GROUP)
    yield held.combine_chunks()


def _chained(first: pa.Table, others: Iterator[pa.Table]) -> Iterator[pa.Table]:
    yield first
    yield from others


def table_of(columns: Mapping[str, pd.Series[Any]], geometry: Any) -> pa.Table:
    """Return columns as integers, floats or texts, and geometries as WKB."""
    return columns_of(columns).append_column("geometry", pa.array(shapely.to_wkb(geometry), type=pa.binary()))


def columns_of(columns: Mapping[str, pd.Series[Any]]) -> pa.Table:
    """Return columns as integers, floats or texts."""
    arrays: dict[str, Any] = {}
    for name, column in columns.items():
        arrays[name] = _texts(column) if column.dtype.kind not in "iufb" else pa.array(column.to_numpy())
    return pa.table(arrays)


def _texts(column: pd.Series[Any]) -> pa.Array:
    try:
        return pa.array(column, type=pa.string(), from_pandas=True)
    except (UnicodeEncodeError, pa.ArrowException):
        return _array(column.tolist())


def _array(values: Iterable[Any]) -> pa.Array:
    # UTF-8 has no lone surrogates, and a column of texts may hold other values.
    texts = [None if v is None else str(v).encode("utf-8", "backslashreplace").decode() for v in values]
    return pa.array(texts, type=pa.string())


def _geo() -> dict[str, Any]:
    """Return the metadata of the geometry for GeoParquet 1.1; longitude first, as that demands."""
    column = {"encoding": "WKB", "geometry_types": [], "crs": CGCS2000.to_json_dict()}
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}


def _about(texts: ReportText) -> dict[str, Any]:
    return {
        "notice": texts.notice,
        "disclaimer": texts.disclaimer,
        "confidentiality": texts.confidentiality,
        **origin(texts.report),
    }
