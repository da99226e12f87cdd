"""Layers as they are after reading, cached between runs: parsed, located, repaired and checked once for each state of a file.

An entry is found by the SHA-256 of the source, the layer's entry in the catalogue, and the versions of lzgis and of the
libraries. It holds numbers and JSON, no pickled objects, under a SHA-256 of its own. A damaged entry is ignored and made
again. The folder must be private to the user (:mod:`lzgis.files.private_folder`); without such a folder every run reads
the sources.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely

import lzgis
from lzgis.files.private_folder import create_private, user_folder
from lzgis.model.catalogue import LayerSpec
from lzgis.model.report import Layer, Problem, Repair, Source
from lzgis.reading import is_address, sha256_of
from lzgis.reading.sandbox.exchange import pack_table, unpack_table

#: Formats whose SHA-256 stands for all that is read.
_WHOLE_FILES = (".gpkg", ".shp", ".fgb", ".parquet", ".geojson")
#: What SQLite writes beside a database, with changes that are not in the database yet.
_PENDING = ("-wal", "-journal")
#: The most bytes of all entries together; those that were used longest ago are removed first, when a process ends that wrote.
_MOST_BYTES = 1 << 30
#: The rooms whose code makes a layer.
_ROOMS = ("city", "coordinates", "geometry", "model", "reading")
_DIGEST_BYTES = hashlib.sha256().digest_size
#: An entry is hashed in blocks of this size.
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, eq=False)
class LoadedLayer:
    """A layer with its source and what was found while reading it: problems, transformations, repairs.

    `others` is the number of features that were not read, because they lie far from the sites.
    """

    layer: Layer
    source: Source
    problems: tuple[Problem, ...]
    transforms: tuple[str, ...]
    repairs: tuple[Repair, ...] = ()
    others: int = 0


def prepared(
    layer_id: str, spec: LayerSpec, source: str | Path, make: Callable[[], LoadedLayer], *, given: Sequence[str] = ()
) -> LoadedLayer:
    """Return a layer from the cache; if it is not there, make it and cache it.

    Parameters
    ----------
    layer_id : str
        The id of the layer.
    spec : LayerSpec
        Its entry in the catalogue.
    source : str or path
        Its file or address. A database, and a format whose content lies in more files than are known, is not cached.
    make : callable
        Reads the layer.
    given : sequence of str
        What else the result depends on.
    """
    folder = _folder(user_folder()) if _is_whole(source) else None
    if folder is None:
        return make()
    sha256 = sha256_of(Path(source))
    key = json.dumps([_versions(), layer_id, spec.model_dump_json(), str(source), sha256, *given]).encode()
    entry = folder / hashlib.sha256(key).hexdigest()
    found = _read(entry, key, layer_id, spec)
    if found is not None:
        return found
    made = make()
    # The file may have changed between the two readings.
    if made.source.sha256 == sha256:
        _write(entry, key, made)
    return made


def _is_whole(source: str | Path) -> bool:
    path = Path(source)
    return (
        not is_address(source)
        and path.suffix.lower() in _WHOLE_FILES
        and path.is_file()
        and not any(path.with_name(path.name + end).exists() for end in _PENDING)
    )


@cache
def _folder(user: Path) -> Path | None:
    """Return the folder of the entries; None if there is none that is private."""
    folder = user / "layers"
    try:
        return None if create_private(folder) else folder
    except OSError:
        return None


@cache
def _versions() -> str:
    """Name the versions of lzgis, its code and the libraries."""
    digest = hashlib.sha256(f"{lzgis.__version__} {np.__version__} {pd.__version__} {gpd.__version__}".encode())
    digest.update(f"{shapely.__version__} {shapely.geos_version} {pyproj.__version__}".encode())
    digest.update(f"{pyproj.proj_version_str} {pyogrio.__version__} {pyogrio.__gdal_version_string__}".encode())
    for room in _ROOMS:
        for module in sorted(Path(str(files("lzgis") / room)).rglob("*.py")):
            digest.update(module.as_posix().encode() + b"\0" + module.read_bytes() + b"\0")
    return digest.hexdigest()


def _read(entry: Path, key: bytes, layer_id: str, spec: LayerSpec) -> LoadedLayer | None:
    """Return the layer of an entry; None if there is no such entry, or it is damaged."""
    try:
        with entry.open("rb") as stream:
            stated = stream.read(_DIGEST_BYTES)
            digest = hashlib.sha256(key)
            while block := stream.read(_BLOCK_BYTES):
                digest.update(block)
            if digest.digest() != stated:
                return None
            os.utime(entry)
            stream.seek(_DIGEST_BYTES)
            return _unpacked(stream, layer_id, spec)
    except OSError:
        return None


def _write(entry: Path, key: bytes, loaded: LoadedLayer) -> None:
    """Write an entry; a folder that is full or read-only costs time, not the run."""
    body = _packed(loaded)
    # Values of types that the entry does not preserve would make the answers of two runs differ.
    if not _same(_unpacked(io.BytesIO(body), loaded.layer.id, loaded.layer.spec), loaded):
        return
    with contextlib.suppress(OSError):
        handle, name = tempfile.mkstemp(dir=entry.parent, prefix="writing-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(_digest(key, body))
                stream.write(body)
            Path(name).replace(entry)
        finally:
            Path(name).unlink(missing_ok=True)
        _remove_at_exit(entry.parent)


def _digest(key: bytes, body: bytes) -> bytes:
    digest = hashlib.sha256(key)
    digest.update(body)
    return digest.digest()


def _packed(loaded: LoadedLayer) -> bytes:
    stream = io.BytesIO()
    others = {
        "doubtful": [None if one is None else shapely.to_wkb(one) for one in loaded.layer.doubtful],
        "source": loaded.source,
        "problems": loaded.problems,
        "transforms": loaded.transforms,
        "repairs": loaded.repairs,
    }
    frame = loaded.layer.frame
    # The system of a layer is always the same, so that it need not be parsed.
    pack_table(frame.set_crs(None, allow_override=True), others, stream)
    return stream.getvalue()


def _unpacked(stream: BinaryIO, layer_id: str, spec: LayerSpec) -> LoadedLayer:
    frame, others = unpack_table(stream, crs=_system())
    doubtful = tuple(None if one is None else shapely.from_wkb(one) for one in others.pop("doubtful"))
    return LoadedLayer(Layer(layer_id, spec, frame, doubtful), **others)


@cache
def _system() -> pyproj.CRS:
    """Return the system of every layer."""
    return pyproj.CRS.from_epsg(4490)


def _same(found: LoadedLayer, loaded: LoadedLayer) -> bool:
    """Return whether an unpacked layer is the packed one, to the types of its values."""
    one, other = found.layer.frame, loaded.layer.frame
    return (
        type(one) is type(other)
        and list(one.dtypes) == list(other.dtypes)
        and one.columns.dtype == other.columns.dtype
        and one.crs == other.crs
        and all(_types(one[name]) == _types(other[name]) for name in one.columns)
        and _same_shapes(one.geometry.to_numpy(), other.geometry.to_numpy())
        and _packed(_without_shapes(found)) == _packed(_without_shapes(loaded))
    )


def _same_shapes(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether shapes are equal to the byte; some at a time, so that a large layer is not in memory once more."""
    steps = range(0, len(one), 256)
    return len(one) == len(other) and all(
        np.array_equal(shapely.to_wkb(one[at : at + 256]), shapely.to_wkb(other[at : at + 256])) for at in steps
    )


def _without_shapes(loaded: LoadedLayer) -> LoadedLayer:
    frame = loaded.layer.frame
    bare = frame.set_geometry(gpd.GeoSeries([None] * len(frame), index=frame.index, crs=frame.crs))
    return replace(loaded, layer=replace(loaded.layer, frame=bare))


def _types(column: pd.Series) -> list[Any]:
    return list(map(type, column)) if column.dtype == object else []


@cache
def _remove_at_exit(folder: Path) -> None:
    """Look at the size of the folder once, however many entries the process writes."""
    atexit.register(_remove_oldest, folder)


def _remove_oldest(folder: Path) -> None:
    # The process ends, perhaps for lack of memory.
    with contextlib.suppress(OSError, MemoryError):
        _remove_beyond(folder, _MOST_BYTES)


def _remove_beyond(folder: Path, most: int) -> None:
    with os.scandir(folder) as found:
        entries = [(one.stat(), one.path) for one in found]
    if sum(status.st_size for status, _ in entries) <= most:
        return
    total = 0
    for status, entry in sorted(entries, key=lambda pair: -pair[0].st_mtime):
        total += status.st_size
        if total > most:
            Path(entry).unlink(missing_ok=True)
