"""The outputs of a comparison: workbook, GeoPackage and JSON; the map is `lzgis.exports.map.difference`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyogrio.errors
import shapely

from lzgis.exports.diff_text import difference_tables, difference_text
from lzgis.exports.formats import FORMATS, diff_formats, format_named, writer
from lzgis.exports.gis.features import GEOMETRY_TYPES, Shape, storable
from lzgis.exports.gis.json import lines, plain
from lzgis.exports.report_text import records
from lzgis.exports.tables.xlsx import tables_bytes
from lzgis.files.atomic_write import write_atomic, write_bytes_atomic
from lzgis.model.audit import DiffReport, Recheck
from lzgis.words import Language, Words

_SHAPES: dict[int, Shape] = {2: "polygon", 1: "line", 0: "point"}
_SUFFIXES = {2: "", 1: "_lines", 0: "_points"}


def diff_document(report: DiffReport, recheck: Recheck | None = None, *, language: Language = "zh") -> dict[str, Any]:
    """Return a comparison as plain values, geometries as GeoJSON in CGCS2000 (EPSG:4490).

    Returns
    -------
    dict
        ``old``, ``new``, ``totals``, ``rules``, ``findings``, ``changes``, ``parts``, ``problems`` and, if projects were
        judged again, ``recheck`` with ``recomputed``, ``reused`` and the ``verdicts`` and ``answers`` that differ now.
    """
    words = Words(language)
    document: dict[str, Any] = {"old": report.old, "new": report.new}
    document |= {
        name: _rows(getattr(report, name), words) for name in ("totals", "rules", "findings", "changes", "parts")
    }
    problems = [*report.problems, *(recheck.problems if recheck else ())]
    document["problems"] = [
        {"level": p.level} | {n: words.message(getattr(p, n)) for n in ("place", "what", "remedy")} for p in problems
    ]
    if recheck is not None:
        document["recheck"] = {
            "recomputed": recheck.recomputed,
            "reused": recheck.reused,
            "verdicts": _rows(
                recheck.verdict_changes[["site_id", "site_name", "verdict_before", "verdict_after", "because"]], words
            ),
            "answers": _rows(recheck.changes, words),
        }
    return document


def _rows(frame: pd.DataFrame, words: Words) -> list[dict[str, Any]]:
    names = [str(n) for n in frame.columns if n != "geometry"]
    rows = [
        plain({k: words.message(v) if isinstance(v, str) else v for k, v in row.items()})
        for row in records(frame, names)
    ]
    if "geometry" in frame.columns:
        shapes = frame["geometry"].to_numpy()
        for row, shape in zip(rows, shapes, strict=True):
            row["geometry"] = None if shape is None else plain(shape.__geo_interface__)
    return rows


def write_diff_json(
    report: DiffReport, path: str | Path, *, recheck: Recheck | None = None, language: Language = "zh"
) -> None:
    """Write `diff_document` as JSON, see `lzgis.exports.formats.DiffWriter`."""
    document = diff_document(report, recheck, language=language)
    data = "".join(lines(document)).encode("utf-8", "backslashreplace")
    write_bytes_atomic(path, data)


def write_diff_gpkg(
    report: DiffReport, path: str | Path, *, recheck: Recheck | None = None, language: Language = "zh"
) -> None:
    """Write a comparison as a GeoPackage, see `lzgis.exports.formats.DiffWriter`.

    ``changes`` holds the features that differ, ``parts`` what was gained and lost; ``totals``, ``rules``, ``findings`` and,
    if projects were judged again, ``answers`` are tables.
    """
    words = Words(language)
    tables: dict[str, pd.DataFrame] = {name: getattr(report, name) for name in ("totals", "rules", "findings")}
    if recheck is not None:
        tables["answers"] = recheck.changes

    def make(made: Path) -> dict[str, int]:
        rows: dict[str, int] = {}
        for name in ("changes", "parts"):
            for layer, frame, shape in _by_dimension(name, getattr(report, name)):
                kind = {"geometry_type": GEOMETRY_TYPES[shape], "promote_to_multi": True}
                _write(made, layer, _stored(frame, words), **kind)
                rows[layer] = len(frame)
        for name, frame in tables.items():
            _write(made, name, _stored(pd.DataFrame(frame.drop(columns="geometry", errors="ignore")), words))
            rows[name] = len(frame)
        return rows

    write_atomic(path, make)


def _by_dimension(name: str, frame: gpd.GeoDataFrame) -> list[tuple[str, gpd.GeoDataFrame, Shape]]:
    dimension = shapely.get_dimensions(frame.geometry.to_numpy())
    return [
        (name + _SUFFIXES[d], frame[dimension == d], shape)
        for d, shape in _SHAPES.items()
        if d == 2 or np.any(dimension == d)
    ]


def _stored(frame: pd.DataFrame, words: Words) -> pd.DataFrame:
    """Word the texts of a table and escape what a file cannot store."""
    stored = frame.copy()
    for name in stored.columns:
        if name != "geometry" and stored[name].dtype.kind not in "fiub":
            texts = [storable(words.message(v)) if isinstance(v, str) else None for v in stored[name]]
            stored[name] = pd.Series(texts, index=stored.index, dtype=object)
    return stored


def _write(path: Path, layer: str, frame: pd.DataFrame, **options: Any) -> None:
    pyogrio.write_dataframe(
        frame, path, layer=layer, driver="GPKG", append=path.exists(), layer_options={"FID": "fid"}, **options
    )


def write_diff_xlsx(
    report: DiffReport, path: str | Path, *, recheck: Recheck | None = None, language: Language = "zh"
) -> None:
    """Write a comparison as a workbook, see `lzgis.exports.formats.DiffWriter`.

    The sheets are verdicts that differ, totals by layer, features, rules, provenance.
    """
    texts = difference_text(report, recheck, language)
    write_bytes_atomic(path, tables_bytes(texts, difference_tables(texts, report, recheck)))


def export_diff(
    report: DiffReport, path: str | Path, *, recheck: Recheck | None = None, language: Language = "zh"
) -> Path:
    """Write a comparison to `path` in the format that the suffix names.

    Parameters
    ----------
    report : DiffReport
        What to write.
    path : path
        The file: ``.xlsx``, ``.gpkg``, ``.json`` or ``.html`` (the map).
    recheck : Recheck, optional
        The projects that were judged again.
    language : {"zh", "en"}
        The reader's language.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ExportError
        If no format has this suffix, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import lzgis as lz
    >>> city = lz.reference_city()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lz.export_diff(lz.diff(city / "rules.toml", city / "rules.toml"), f"{folder}/diff.json").name
    'diff.json'
    """
    path = Path(path)
    name = format_named(path.suffix, diff_formats(), path)
    writer(FORMATS[name].diff)(report, path, recheck=recheck, language=language)
    return path
