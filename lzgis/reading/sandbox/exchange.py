"""Serialisation of what was read as numbers and JSON: nothing that the other process wrote is executed."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from lzgis import errors
from lzgis.errors import LzgisError
from lzgis.messages import Message
from lzgis.model.report import Problem, Repair, Source
from lzgis.reading.base import Decided, Read
from lzgis.reading.repair import Change

_RECORDS = {kind.__name__: kind for kind in (Problem, Decided, Change, Repair, Source)}
#: Shapes that are turned into bytes, or back, at once.
_AT_ONCE = 256
_ERRORS = {
    kind.__name__: kind for kind in (errors.SourceError, errors.LayerError, errors.ConfigError, errors.ExportError)
}


def pack(read: Read, file: Path) -> None:
    """Write what was read to a file; :func:`unpack` reads it."""
    others = {f.name: getattr(read, f.name) for f in fields(Read) if f.name != "frame"}
    with file.open("wb") as stream:
        pack_table(read.frame, others, stream)


def unpack(file: Path) -> Read:
    """Read what :func:`pack` wrote."""
    with file.open("rb") as stream:
        frame, others = unpack_table(stream)
    return Read(frame=frame, **others)


def pack_table(frame: pd.DataFrame, others: Mapping[str, Any], stream: BinaryIO) -> None:
    """Write a table, with or without geometry, and plain values or records beside it; :func:`unpack_table` reads them."""
    frame = frame.reset_index(drop=True)
    arrays: dict[str, np.ndarray] = {}
    columns: list[dict[str, Any]] = []
    geometry = frame.geometry.name if isinstance(frame, gpd.GeoDataFrame) and frame._geometry_column_name else None
    at = 0
    for i, name in enumerate(frame.columns):
        if name == geometry:
            at = i
            continue
        kind, values = _column(frame.iloc[:, i])
        columns.append({"name": str(name), "kind": kind})
        if kind in ("number", "time", "time-utc"):
            arrays[f"column_{len(columns) - 1}"] = values
        else:
            columns[-1]["values"] = values
    head: dict[str, Any] = {"columns": columns, "rows": len(frame), "geometry": geometry, "at": at, "crs": None}
    if geometry is not None:
        lengths: list[int] = []
        blocks = [b""]
        for start in range(0, len(frame), _AT_ONCE):
            blobs = shapely.to_wkb(frame.geometry.to_numpy()[start : start + _AT_ONCE], flavor="iso")
            lengths += [-1 if b is None else len(b) for b in blobs]
            blocks.append(b"".join(b for b in blobs if b is not None))
        arrays["lengths"] = np.array(lengths, dtype=np.int64)
        arrays["geometry"] = np.frombuffer(b"".join(blocks), dtype=np.uint8)
        del blocks
        head["crs"] = None if frame.crs is None else CRS.from_user_input(frame.crs).to_wkt()
    head["others"] = {name: _plain(value) for name, value in others.items()}
    arrays["head"] = np.frombuffer(json.dumps(head).encode("ascii"), dtype=np.uint8)
    np.savez(stream, **arrays)  # type: ignore[arg-type]


def unpack_table(stream: BinaryIO, *, crs: CRS | None = None) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """Read what :func:`pack_table` wrote; `crs` is the system of a table that was packed without one."""
    with np.load(stream, allow_pickle=False) as arrays:
        head = json.loads(arrays["head"].tobytes())
        data = {
            column["name"]: _values(column, arrays[f"column_{i}"] if "values" not in column else None)
            for i, column in enumerate(head["columns"])
        }
        others = {name: _made(value) for name, value in head["others"].items()}
        if head["geometry"] is None:
            return pd.DataFrame(data, index=pd.RangeIndex(head["rows"])), others
        system = crs if head["crs"] is None else CRS.from_wkt(head["crs"])
        shapes = gpd.array.GeometryArray(_shapes(arrays["geometry"], arrays["lengths"]), crs=system)
    # A table made with its geometry in place is not copied for each step.
    columns = list(data.items())
    columns.insert(head["at"], (head["geometry"], shapes))
    return gpd.GeoDataFrame(dict(columns), index=pd.RangeIndex(head["rows"]), geometry=head["geometry"]), others


def _shapes(blob: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return shapes from their WKB one after the other, some at a time: bytes of each need as much memory as the shapes."""
    ends = np.concatenate([[0], np.cumsum(np.maximum(lengths, 0))])
    shapes = np.full(len(lengths), None, dtype=object)
    for first in range(0, len(lengths), _AT_ONCE):
        some = lengths[first : first + _AT_ONCE]
        given = [
            None if length < 0 else blob[start : start + length].tobytes()
            for start, length in zip(ends[first:], some, strict=False)
        ]
        # A coordinate that is not a number is reported later, with its row.
        with np.errstate(invalid="ignore"):
            shapes[first : first + len(some)] = shapely.from_wkb(np.array(given, dtype=object), on_invalid="ignore")
    return shapes


def pack_error(error: LzgisError) -> str:
    """Return an error as JSON; :func:`unpack_error` reads it."""
    parts = [_plain(part) for part in (error.place, error.what, error.remedy)]
    return json.dumps({"error": type(error).__name__, "parts": parts})


def unpack_error(text: str) -> LzgisError:
    """Read what :func:`pack_error` wrote."""
    stated = json.loads(text)
    kind = _ERRORS.get(stated["error"], errors.SourceError)
    return kind(*(_made(part) for part in stated["parts"]))


def _column(column: pd.Series) -> tuple[str, Any]:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufb":
        return "number", column.to_numpy()
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        zoned = isinstance(column.dtype, pd.DatetimeTZDtype)
        plain = column.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else column
        return "time-utc" if zoned else "time", plain.to_numpy(dtype="datetime64[us]").astype(np.int64)
    kind = "text" if isinstance(column.dtype, pd.StringDtype) else "any"
    return kind, [_plain(value) for value in column.astype(object)]


def _values(column: dict[str, Any], array: np.ndarray | None) -> Any:
    if array is None:
        values = [_made(value) for value in column["values"]]
        return pd.array(values, dtype="str") if column["kind"] == "text" else pd.Series(values, dtype=object)
    if column["kind"] == "number":
        return array
    times = pd.Series(array.astype("datetime64[us]"))
    return times.dt.tz_localize("UTC") if column["kind"] == "time-utc" else times


def _plain(value: Any) -> Any:
    """Return a value in JSON; what is not a plain value carries the name of its type."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Message) or not isinstance(value, str | bool | int | None):
        return _tagged(value)
    return value


def _tagged(value: Any) -> Any:
    if isinstance(value, Message):
        return {"message": value.template, "values": {k: _plain(v) for k, v in value.values.items()}}
    if isinstance(value, float):
        return value if np.isfinite(value) else {"float": repr(value)}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode("ascii")}
    kind = _RECORDS.get(type(value).__name__)
    if kind is not None:
        return {"record": kind.__name__, "values": {f.name: _plain(getattr(value, f.name)) for f in fields(kind)}}
    return None if pd.api.types.is_scalar(value) and pd.isna(value) else str(value)


def _made(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_made(one) for one in value)
    if not isinstance(value, dict):
        return value
    if "message" in value:
        return _message(value["message"], {k: _made(v) for k, v in value["values"].items()})
    if "float" in value:
        return float(value["float"])
    if "bytes" in value:
        return base64.b64decode(value["bytes"])
    return _RECORDS[value["record"]](**{k: _made(v) for k, v in value["values"].items()})


def _message(template: str, values: dict[str, Any]) -> Message:
    """Return a message if its template only names values; attributes and items of values are not allowed."""
    names = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    if not all(name.isidentifier() for name in names):
        return Message("{text}", text=template)
    return Message(template, **values)
