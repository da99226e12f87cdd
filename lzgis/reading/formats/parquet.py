"""GeoParquet, read by geopandas and pyarrow."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import BinaryIO

import geopandas as gpd
import pyarrow as pa
import pyarrow.parquet as pq
from pyproj import CRS
from pyproj.exceptions import CRSError

from lzgis.errors import SourceError
from lzgis.messages import Message, library_message
from lzgis.model.report import Problem
from lzgis.reading.base import Decided, Read, ReadOptions
from lzgis.reading.formats.gdal import Kind, check_beginning
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
            if options.rows is None:
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
    frame = frame.drop(columns=others).reset_index(drop=True)
    crs = None
    if frame.crs is not None:
        crs = Decided(CRS.from_user_input(frame.crs).name, Message("named in the file"))
    engine = f"geopandas {gpd.__version__}, pyarrow {importlib.metadata.version('pyarrow')}"
    return Read(frame, engine, tuple(problems), crs=crs, total=total, changes=changes)


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
