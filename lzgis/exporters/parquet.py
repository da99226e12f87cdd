"""GeoParquet for other programs and for batches: every finding, or every site with its verdict, in full."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from lzgis.exporters.features import site_columns
from lzgis.exporters.files import put
from lzgis.exporters.json import origin
from lzgis.exporters.rows import Teller
from lzgis.measure import CGCS2000
from lzgis.model import FINDING_COLUMNS, Report
from lzgis.words import Language

#: Rows that are compressed together. A file is cut every so many rows whatever the pieces it is written from, so that
#: a batch gives the same bytes as one screening.
_GROUP = 50_000


def write_findings(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write all findings with their conflicting parts as GeoParquet; the same report gives the same bytes.

    Parameters
    ----------
    report : Report
        What to write.
    path : path
        The file, ``*.parquet``.
    language : {"zh", "en"}
        Language of the titles beside the codes.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    write_pieces(Teller(report, language), [findings_frame(Teller(report, language))], path)


def write_verdicts(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write all sites with their verdicts as GeoParquet; as `write_findings`."""
    write_pieces(Teller(report, language), [verdicts_frame(Teller(report, language))], path)


def findings_frame(teller: Teller) -> gpd.GeoDataFrame:
    """Give the findings of a report as they are stored."""
    findings = teller.report.findings
    columns: dict[str, Any] = {c.name: findings[c.name] for c in FINDING_COLUMNS}
    columns["rule_title"] = _titles(findings["rule"], teller.rule)
    columns["layer_title"] = _titles(findings["layer"], teller.layer)
    columns["activity_title"] = _titles(findings["activity"], teller.activity)
    columns["severity_title"] = _titles(findings["severity"], partial(teller.word, "severity"))
    columns["reason_title"] = _reasons(findings, teller)
    return gpd.GeoDataFrame(columns, geometry=findings.geometry.to_numpy(), crs=CGCS2000)


def _titles(codes: pd.Series[Any], title: Callable[[str], str]) -> pd.Series[Any]:
    # There are millions of rows and few codes.
    return codes.map({code: title(code) for code in codes.unique()})


def _reasons(findings: pd.DataFrame, teller: Teller) -> pd.Series[Any]:
    pairs = pd.MultiIndex.from_frame(findings[["reason", "unchecked_share"]])
    code, unique = pd.factorize(pairs)
    told = [teller.reason({"reason": reason, "unchecked_share": share}) for reason, share in unique]
    return pd.Series([*told, ""], dtype=object).take(code).set_axis(findings.index)


def verdicts_frame(teller: Teller) -> gpd.GeoDataFrame:
    """Give the sites of a report with their verdicts as they are stored."""
    columns, _ = site_columns(teller)
    return gpd.GeoDataFrame(columns, geometry=teller.report.sites.geometry.to_numpy(), crs=CGCS2000)


def write_pieces(teller: Teller, pieces: Iterable[gpd.GeoDataFrame], path: str | Path) -> None:
    """Write consecutive pieces of a layer as one file; only a group of rows is ever held.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    about = json.dumps(_about(teller), ensure_ascii=False)

    def make(made: Path) -> dict[str, int]:
        tables = (_table(piece) for piece in pieces)
        first = next(tables)
        geo = json.dumps(_geo(), ensure_ascii=False)
        schema = first.schema.with_metadata({"geo": geo, "lzgis": about.encode("utf-8", "backslashreplace")})
        count = 0
        with pq.ParquetWriter(made, schema, compression="zstd", write_page_checksum=True) as file:
            for group in _groups(_chained(first, tables), schema):
                file.write_table(group, row_group_size=_GROUP)
                count += len(group)
        return {"": count}

    put(path, make)


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


def _table(frame: gpd.GeoDataFrame) -> pa.Table:
    shapes = shapely.to_wkb(frame.geometry.to_numpy())
    arrays: dict[str, Any] = {}
    for name in frame.columns:
        if name != "geometry":
            column = frame[name]
            arrays[name] = _texts(column) if column.dtype.kind not in "iufb" else pa.array(column.to_numpy())
    return pa.table(arrays | {"geometry": pa.array(shapes, type=pa.binary())})


def _texts(column: pd.Series[Any]) -> pa.Array:
    try:
        return pa.array(column, type=pa.string(), from_pandas=True)
    except (UnicodeEncodeError, pa.ArrowException):
        # Half a pair of surrogates is no text in UTF-8, and a column may hold what is no text.
        values = [None if v is None else str(v).encode("utf-8", "backslashreplace").decode() for v in column.tolist()]
        return pa.array(values, type=pa.string())


def _geo() -> dict[str, Any]:
    """Describe the geometry as GeoParquet 1.1 wants it; longitude first, as in all of its files."""
    column = {"encoding": "WKB", "geometry_types": [], "crs": CGCS2000.to_json_dict()}
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}


def _about(teller: Teller) -> dict[str, Any]:
    return {
        "notice": teller.notice,
        "disclaimer": teller.disclaimer,
        "confidentiality": teller.confidentiality,
        **origin(teller.report),
    }
