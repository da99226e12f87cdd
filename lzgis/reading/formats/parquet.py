"""GeoParquet, read by geopandas and pyarrow."""

from __future__ import annotations

import importlib.metadata
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from lzgis.errors import SourceError
from lzgis.messages import Message, library_message
from lzgis.model.report import Problem
from lzgis.reading.base import Decided, Near, Read, ReadOptions
from lzgis.reading.formats.gdal import Kind, check_beginning
from lzgis.reading.near import boxes_in, sha256_once
from lzgis.reading.repair import Change
from lzgis.reading.shapes import CLOSED, LOOK_FOR_POINTS

PARQUET = Kind("", "Parquet", (b"PAR1",))

#: Rows, and bytes of a column, in memory at a time if only some rows are read.
_ROWS, _BUFFER_BYTES = 4096, 1 << 20


def read_parquet(path: Path, options: ReadOptions) -> Read:
    """Read a GeoParquet file.

    Raises
    ------
    SourceError
        If it is no Parquet, is damaged, or says nothing of geometry.
    """
    check_beginning(path, PARQUET)
    total = None
    try:
        with path.open("rb") as stream:
            if options.near is not None:
                some, total = _rows_near(stream, options.near)
                frame = gpd.read_parquet(some)
                unclosed = _unclosed(some, str(frame.geometry.name))
            elif options.rows is None:
                frame = gpd.read_parquet(stream)
                unclosed = _unclosed(stream, str(frame.geometry.name))
            else:
                some, total = _some_rows(stream, *options.rows)
                frame = gpd.read_parquet(some)
                unclosed = _unclosed(some, str(frame.geometry.name))
    except (ValueError, OSError, TypeError, KeyError, CRSError) as error:
        # The errors of pyarrow are subclasses of ValueError, OSError and others.
        raise SourceError(
            str(path),
            Message("is no GeoParquet ({error})", error=library_message(str(error).partition("\n")[0])),
            Message("save it again as GeoParquet or GeoPackage"),
        ) from error
    first = options.rows[0] if options.rows else 0
    here = (Message("{place}, row {row}", place=path, row=first + row + 1) for row in unclosed)
    problems = [Problem("warning", one, CLOSED, LOOK_FOR_POINTS) for one in here]
    changes = (Change(tuple(unclosed), CLOSED),) if unclosed else ()
    others = [c for c in frame.columns if frame[c].dtype == "geometry" and c != frame.geometry.name]
    if others:
        what = Message("has more than one column of shapes; {names} were left out", names=", ".join(others))
        problems.append(Problem("warning", str(path), what, Message("give them as files of their own")))
    frame = _with_index(frame.drop(columns=others), str(path), problems)
    crs = None
    if frame.crs is not None:
        crs = Decided(CRS.from_user_input(frame.crs).name, Message("named in the file"))
    engine = f"geopandas {gpd.__version__}, pyarrow {importlib.metadata.version('pyarrow')}"
    read = Read(frame, engine, tuple(problems), crs=crs, total=total, changes=changes)
    if options.near is None or total is None:
        return read
    return replace(read, total=None, others=total - len(frame), sha256=sha256_once(path), name=path.name)


def _with_index(frame: gpd.GeoDataFrame, place: str, problems: list[Problem]) -> gpd.GeoDataFrame:
    """Make columns of an index that has names: pandas stores ids there."""
    # Names with two underscores are those of libraries.
    left = [
        at
        for at, name in enumerate(frame.index.names)
        if name is None or name in frame.columns or str(name).startswith("__")
    ]
    names = [str(name) for at, name in enumerate(frame.index.names) if at not in left]
    if not names:
        return frame.reset_index(drop=True)
    what = Message("the index of the table is read as columns: '{names}'", names="', '".join(names))
    problems.append(Problem("note", place, what, Message("nothing to do")))
    return (frame.reset_index(level=left, drop=True) if left else frame).reset_index()


def _some_rows(stream: BinaryIO, first: int, count: int) -> tuple[pa.BufferReader, int]:
    """Read rows from `first` on, and count all; only these and a few thousand before them are in memory."""
    # Batches are read one after the other: a file may have all its rows in one row group.
    with pq.ParquetFile(stream, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file:
        total, groups, skipped = file.metadata.num_rows, [], 0
        start = 0
        for number in range(file.num_row_groups):
            rows = file.metadata.row_group(number).num_rows
            if start + rows > first and start < first + count:
                groups.append(number)
            elif start + rows <= first:
                skipped = start + rows
            start += rows
        kept, at = [], skipped
        for batch in file.iter_batches(_ROWS, row_groups=groups, use_threads=False) if groups else ():
            if at + len(batch) > first:
                kept.append(batch.slice(max(first - at, 0), first + count - max(at, first)))
            at += len(batch)
            if at >= first + count:
                break
        table = pa.Table.from_batches(kept, schema=file.schema_arrow)
    # Written to a file and read again, so that geopandas treats it as it treats a whole file.
    written = pa.BufferOutputStream()
    pq.write_table(table, written, compression="none")
    return pa.BufferReader(written.getvalue()), total


def _rows_near(stream: BinaryIO, near: Near) -> tuple[pa.BufferReader, int]:
    """Read the rows whose boxes meet a window and those without a geometry, and count all.

    Row groups are skipped by the statistics of the column of boxes that the file names (``covering``). A file without one is
    read batch by batch, so that only a few thousand rows are in memory.
    """
    with pq.ParquetFile(stream, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file:
        info = json.loads((file.schema_arrow.metadata or {})[b"geo"])
        column = str(info["primary_column"])
        shapes = info["columns"][column]
        boxes = np.array(boxes_in(near, CRS.from_user_input(shapes["crs"]) if shapes.get("crs") else None)).reshape(
            -1, 4
        )
        covering = shapes.get("covering", {}).get("bbox")
        kept = []
        for number in range(file.num_row_groups):
            if covering and _group_misses(file.metadata.row_group(number), covering, boxes):
                continue
            for batch in file.iter_batches(_ROWS, row_groups=[number], use_threads=False):
                bounds = _boxes_of(batch, column, covering, str(shapes["encoding"]))
                wanted = np.isnan(bounds).any(axis=1)
                for west, south, east, north in boxes:
                    meets = (bounds[:, 0] <= east) & (bounds[:, 2] >= west) & (bounds[:, 1] <= north)
                    wanted |= meets & (bounds[:, 3] >= south)
                # A copy, since a slice holds the memory of its whole batch.
                kept.append(batch.take(pa.array(np.flatnonzero(wanted))))
        table = pa.Table.from_batches(kept, schema=file.schema_arrow)
        total = file.metadata.num_rows
    written = pa.BufferOutputStream()
    pq.write_table(table, written, compression="none")
    return pa.BufferReader(written.getvalue()), total


_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def _boxes_of(batch: pa.RecordBatch, column: str, covering: Any, encoding: str) -> npt.NDArray[np.float64]:
    """Return the box of each row of a batch; NaN where there is no geometry."""
    if covering:
        columns = []
        for corner in _CORNERS:
            values = batch.column(covering[corner][0])
            for name in covering[corner][1:]:
                values = values.field(name) if values.null_count == 0 else pc.struct_field(values, name)
            columns.append(np.asarray(values.to_numpy(zero_copy_only=False), dtype=float))
        # A box of single precision may be rounded inwards.
        bounds = np.column_stack(columns)
        slack = np.abs(bounds) * 1e-6
        return np.asarray(bounds + slack * np.array([-1.0, -1.0, 1.0, 1.0]))
    if encoding.upper() != "WKB":
        return np.full((len(batch), 4), np.nan)
    shapes = shapely.from_wkb(batch.column(column).to_numpy(zero_copy_only=False), on_invalid="ignore")
    return np.asarray(shapely.bounds(shapes))


def _group_misses(group: pq.RowGroupMetaData, covering: Any, boxes: np.ndarray) -> bool:
    """Return whether the statistics of a row group prove that none of its rows meets a window or lacks a box."""
    by_name = {group.column(at).path_in_schema: group.column(at).statistics for at in range(group.num_columns)}
    found = [by_name.get(".".join(covering[corner])) for corner in _CORNERS]
    if any(one is None or not one.has_min_max or one.null_count is None or one.null_count for one in found):
        return False
    west, south, east, north = (float(s.min if at < 2 else s.max) for at, s in enumerate(found) if s is not None)
    slack = max(map(abs, (west, south, east, north))) * 1e-6
    meets = (west - slack <= boxes[:, 2]) & (east + slack >= boxes[:, 0])
    return not bool((meets & (south - slack <= boxes[:, 3]) & (north + slack >= boxes[:, 1])).any())


def _unclosed(stream: BinaryIO | pa.BufferReader, column: str) -> list[int]:
    """Return the rows of polygons with an unclosed ring.

    Only shapes in native encoding can have one here: geopandas closes those without a message. Unclosed rings in WKB are
    refused.
    """
    stream.seek(0)
    with pq.ParquetFile(stream) as file:
        info = json.loads((file.schema_arrow.metadata or {}).get(b"geo", b"{}"))
        depth = {"polygon": 1, "multipolygon": 2}.get(str(info["columns"][column]["encoding"]).lower())
        if depth is None:
            return []
        shapes = [shape for batch in file.iter_batches(columns=[column]) for shape in batch.column(0).to_pylist()]
    rings = [[shape] if depth == 1 else shape for shape in (one or [] for one in shapes)]
    return [i for i, row in enumerate(rings) if any(r and r[0] != r[-1] for polygon in row for r in polygon)]
