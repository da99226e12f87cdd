"""Checking written files by reading them: finds writers that report no error when the disk is full."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import zipfile
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from lzgis.errors import ExportError
from lzgis.messages import Message, library_message

#: Number of rows by table.
Rows = Mapping[str, int]
#: Larger JSON files (in bytes) are read line by line.
_LARGE_BYTES = 2**24
# Result of a check: rows by table, or what is wrong.
_Found = Rows | str


def check_readable(path: Path, place: str, expected: Rows | None = None) -> None:
    """Read a whole file by its suffix, and compare the number of its rows.

    Parameters
    ----------
    path : Path
        The file. If its suffix is unknown, only its size is checked: it must not be empty.
    place : str
        Name of the file in error messages.
    expected : mapping of str to int, optional
        Number of rows that were written, by table; other tables are not counted.

    Raises
    ------
    ExportError
        If it cannot be read, or has another number of rows.
    """
    remedy = Message("look whether the disk is full")
    try:
        found = _READERS.get(path.suffix.lower(), _some)(path)
    except Exception as error:  # A reader may raise any error for a broken file.
        why = library_message(str(error) or type(error).__name__)
        raise ExportError(place, Message("was written, but cannot be read back: {why}", why=why), remedy) from error
    if isinstance(found, str):
        raise ExportError(place, Message("was written, but cannot be read back: {why}", why=found), remedy)
    for name, count in (expected or {}).items():
        if found.get(name, 0) != count:
            what = Message(
                "was written, but holds {found} rows of '{table}' instead of {count}",
                found=found.get(name, 0),
                table=name,
                count=count,
            )
            raise ExportError(place, what, remedy)


def _some(path: Path) -> _Found:
    if not path.stat().st_size:
        return Message("it is empty")
    return {}


def _json(path: Path) -> Rows:
    if path.stat().st_size > _LARGE_BYTES:
        with contextlib.suppress(ValueError):
            found = _json_by_lines(path)
            if found is not None:
                return found
    document: Any = json.loads(path.read_bytes())
    if not isinstance(document, dict):
        return {}
    return {str(name): len(part) for name, part in document.items() if isinstance(part, list)}


def _json_by_lines(path: Path) -> Rows | None:
    """Check a JSON document with one list element per line, holding one element in memory at a time.

    Each element must be JSON, and so must the document with every list replaced by its length. None if a comma is wrong.
    """
    rest: list[bytes] = []
    count, last = -1, False
    with path.open("rb") as file:
        for line in map(bytes.strip, file):
            if count < 0:
                rest.append(line)
                count = 0 if line.endswith(b"[") else -1
            elif line.startswith(b"]"):
                if count and not last:
                    return None
                rest[-1] = rest[-1][:-1] + b'{"rows": %d}' % count
                rest.append(line[1:])
                count, last = -1, False
            else:
                if last:
                    return None
                json.loads(line.removesuffix(b","))
                count, last = count + 1, not line.endswith(b",")
    document = json.loads(b"\n".join(rest))
    lists = {name: part["rows"] for name, part in document.items() if isinstance(part, dict) and [*part] == ["rows"]}
    return lists | {name: len(part) for name, part in document.items() if isinstance(part, list)}


def _sqlite(path: Path) -> _Found:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        (state,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            return str(state)
        tables = [name for (name,) in database.execute("SELECT table_name FROM gpkg_contents")]
        quoted = {name: name.replace('"', '""') for name in tables}
        return {n: int(database.execute(f'SELECT count(*) FROM "{q}"').fetchone()[0]) for n, q in quoted.items()}


def _zip(path: Path) -> _Found:
    with zipfile.ZipFile(path) as packed:
        broken = packed.testzip()
        if broken is not None:
            return broken
        return {"": len(packed.namelist())}


def _picture(path: Path) -> Rows:
    from PIL import Image

    with Image.open(path) as picture:
        picture.verify()
    return {}


def _raster(path: Path) -> Rows:
    import rasterio

    from lzgis.files.geotiff import CACHE_BYTES

    # All bands of a block at once: where they are stored together, they are decompressed only once.
    with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES), rasterio.open(path) as raster:
        for _, window in raster.block_windows(1):
            raster.read(window=window)
        return {"bands": int(raster.count)}


def _parquet(path: Path) -> Rows:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path, page_checksum_verification=True) as table:
        # Column by column: all columns at once may need fifty times the size of the file.
        names = table.schema_arrow.names
        groups = range(table.num_row_groups)
        return {"": sum(min(len(table.read_row_group(i, [n], use_threads=False)) for n in names) for i in groups)}


def _ending(*endings: bytes) -> Callable[[Path], _Found]:
    def check(path: Path) -> _Found:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 64))
            tail = file.read().rstrip()
        if not tail.endswith(endings):
            return Message("it has no end")
        return {}

    return check


_READERS: dict[str, Callable[[Path], _Found]] = {
    ".json": _json,
    ".geojson": _json,
    ".jsonfg": _json,
    ".gpkg": _sqlite,
    ".xlsx": _zip,
    ".docx": _zip,
    ".zip": _zip,
    ".png": _picture,
    ".tif": _raster,
    ".tiff": _raster,
    ".parquet": _parquet,
    ".html": _ending(b"</html>"),
    ".svg": _ending(b"</svg>"),
    ".pdf": _ending(b"%%EOF"),
    ".dxf": _ending(b"EOF"),
}
