"""Laid-out layers, and the compiled loops, kept between runs in a folder of the user's.

A kept index is one file: a mark, a header in JSON, the header's SHA-256, then the arrays, each on a line of the processor's
cache. It is mapped into memory, not read. A file that is cut short, damaged, or made by other code or of another layer is
made anew; a folder that cannot be written to costs time, never the run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.geometry import LayerIndex
from lzgis.geometry.compiled import available, in_place, look_first, put_in_place, sources, warm
from lzgis.geometry.machine import Machine, identity, loops, loops_code, machine_code
from lzgis.geometry.told import FEW, FEW_IN_PLACE

_MARK = b"lzgis index 1\0\0\0"
_LINE = 64

#: Layers of fewer vertices are laid out anew: that takes a few milliseconds.
_WORTH = 20_000
#: What the folder may hold (bytes); beyond it, the indexes not used for longest are removed.
_MOST_BYTES = 2_000_000_000

Arrays = Mapping[str, npt.NDArray[Any]]


def cache_folder() -> Path:
    """Return the folder: ``LZGIS_CACHE`` if set, else ``lzgis`` where the platform keeps caches."""
    given = os.environ.get("LZGIS_CACHE")
    if given:
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "lzgis" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "lzgis"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lzgis"


def file_key(path: Path) -> str:
    """Name what is laid out of a file: SHA-256 of its bytes and of the code that lays it out."""
    with path.open("rb") as file:
        return _key(hashlib.file_digest(file, "sha256").hexdigest())


def geometries_key(geometries: npt.NDArray[np.object_]) -> str:
    """Name what is laid out of geometries in a plane: SHA-256 of their WKB and of the code that lays them out.

    Examples
    --------
    >>> one = np.array([shapely.Point(0, 0), None], dtype=object)
    >>> geometries_key(one) == geometries_key(one.copy()), geometries_key(one) == geometries_key(one[:1])
    (True, False)
    """
    digest = hashlib.sha256()
    for wkb in shapely.to_wkb(geometries):
        # The length before each keeps apart what would read alike when put together.
        digest.update(len(wkb or b"").to_bytes(8, "little") + (wkb or b""))
    return _key(digest.hexdigest())


def _key(content: str) -> str:
    return hashlib.sha256(f"{content} {sources()} {sys.byteorder}".encode()).hexdigest()


def kept_layout(geometries: npt.NDArray[np.object_]) -> LayerIndex:
    """Lay out geometries in a plane, or open them laid out before.

    Examples
    --------
    >>> kept_layout(np.array([shapely.box(0, 0, 9, 9)])).size
    1
    """
    if shapely.get_num_coordinates(geometries).sum() < _WORTH:
        return LayerIndex.build(geometries)
    return kept_index(geometries_key(geometries), lambda: LayerIndex.build(geometries))


def kept_index(key: str, build: Callable[[], LayerIndex], *, folder: Path | None = None) -> LayerIndex:
    """Open the index kept under `key`; if there is none that can be used, build it and keep it.

    Parameters
    ----------
    key : str
        As from `file_key` or `geometries_key`.
    build : callable
        Lays out the layer.
    folder : path, optional
        Where indexes are kept; by default `cache_folder`.
    """
    path = (folder or cache_folder()) / f"{key}.index"
    arrays = open_arrays(path, key)
    if arrays is not None:
        with contextlib.suppress(OSError):
            path.touch()
        return LayerIndex.from_arrays(arrays)
    index = build()
    # The folder cannot be written to, or, on Windows, another process has the same file open.
    with contextlib.suppress(OSError):
        write_arrays(path, index.arrays(), key)
        _make_room(path.parent)
    return index


def _make_room(folder: Path) -> None:
    """Remove the indexes not used for longest, until the rest fits."""
    held = sorted(((p.stat().st_mtime, p.stat().st_size, p) for p in folder.glob("*.index")), reverse=True)
    total = 0
    for _, size, path in held:
        total += size
        if total > _MOST_BYTES:
            path.unlink(missing_ok=True)


def write_arrays(path: Path, arrays: Arrays, key: str) -> None:
    """Write arrays as one file, whole or not at all.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    fields, at = [], 0
    for name, values in arrays.items():
        fields.append({"name": name, "type": values.dtype.str, "shape": list(values.shape), "at": at})
        at += -(-values.nbytes // _LINE) * _LINE
    sums = [_sum(np.ascontiguousarray(values)) for values in arrays.values()]
    header = json.dumps({"key": key, "fields": fields, "sums": sums, "size": at}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        part = Path(file.name)
        try:
            file.write(_MARK + len(header).to_bytes(8, "little") + header + hashlib.sha256(header).digest())
            file.write(bytes(-file.tell() % _LINE))
            for values in arrays.values():
                file.write(np.ascontiguousarray(values).tobytes())
                file.write(bytes(-values.nbytes % _LINE))
            file.flush()
            os.fsync(file.fileno())
            file.close()
            part.replace(path)
        except BaseException:
            file.close()
            part.unlink(missing_ok=True)
            raise


def open_arrays(path: Path, key: str) -> Arrays | None:
    """Map the arrays kept in a file, copied where written to; None if it is not there, not whole, or not of `key`."""
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    except (OSError, ValueError):
        return None
    start = len(_MARK) + 8
    end = start + int.from_bytes(mapped[len(_MARK) : start], "little")
    header = mapped[start:end]
    if mapped[: len(_MARK)] != _MARK or hashlib.sha256(header).digest() != mapped[end : end + 32]:
        return None
    told = json.loads(header)
    first = end + 32 + -(end + 32) % _LINE
    if told["key"] != key or first + told["size"] != len(mapped):
        return None
    arrays = {}
    for field, expected in zip(told["fields"], told["sums"], strict=True):
        kind, count = np.dtype(field["type"]), int(np.prod(field["shape"]))
        values = np.frombuffer(mapped, kind, count, first + field["at"]).reshape(field["shape"])
        if _sum(values) != expected:
            return None
        arrays[field["name"]] = values
    return arrays


def _sum(values: npt.NDArray[Any]) -> int:
    """Add up an array's bytes, eight at a time: what any single damage changes, at the speed of memory."""
    raw = values.reshape(-1).view(np.uint8)
    whole = len(raw) // 8 * 8
    total = int(np.add.reduce(raw[:whole].view(np.uint64), dtype=np.uint64)) if whole else 0
    return (total + int.from_bytes(raw[whole:].tobytes(), "little")) % 2**64


def kept_machine(*, folder: Path | None = None) -> Machine | None:
    """Load the loops' machine code if it is kept for this code and processor; None if not."""
    if not _llvm():
        return None
    key = identity()
    arrays = open_arrays((folder or cache_folder()) / f"{key}.code", key)
    if arrays is None:
        return None
    try:
        made = Machine(arrays["code"].tobytes())
    except (ValueError, RuntimeError, OSError):
        return None
    # What it leaves undecided is seldom anything, and few other loops are called for it.
    if not in_place():
        look_first(partial(put_kept_loops, folder=folder))
    return made


def made_machine(*, folder: Path | None = None) -> Machine | None:
    """Load the loops' machine code; where it is not kept yet, make and keep it, which takes about half a minute.

    None where numba is missing or what it makes cannot stand alone: the loops are then called by way of numba, or done
    without.
    """
    kept = kept_machine(folder=folder)
    if kept is not None or not available():
        return kept
    try:
        code = machine_code()
        made = Machine(code)
    except (ValueError, RuntimeError, OSError):
        return None
    key = identity()
    try:
        write_arrays((folder or cache_folder()) / f"{key}.code", {"code": np.frombuffer(code, np.uint8)}, key)
    except OSError:
        return made
    return made


def ready_loops(sites: int, *, folder: Path | None = None) -> None:
    """Let the loops that screening calls be called as machine code, where that is kept and they pay.

    Where it is not kept, it is made and kept if numba would have to compile the loops anyway, which takes as long; else
    they are left to numba, or to shapely.

    Parameters
    ----------
    sites : int
        How many sites are to be screened.
    folder : path, optional
        Where code is kept; by default `cache_folder`.
    """
    if sites < FEW_IN_PLACE or in_place() or not (available() and _llvm()):
        return
    if not put_kept_loops(folder=folder) and sites >= FEW and not warm():
        keep_loops(folder=folder)
        put_kept_loops(folder=folder)


def put_kept_loops(*, folder: Path | None = None) -> bool:
    """Put the loops' machine code in the place of the loops, if it is kept for this code and processor."""
    key = identity()
    arrays = open_arrays((folder or cache_folder()) / f"{key}.loops", key)
    if arrays is None:
        return False
    try:
        put_in_place(loops(arrays["code"].tobytes(), arrays["told"].tobytes().decode()))
    except (ValueError, RuntimeError, OSError):
        return False
    return True


def keep_loops(*, folder: Path | None = None) -> None:
    """Make the machine code of the loops that screening calls, and keep it where the folder can be written to.

    Takes about half a minute, less where numba has kept what it compiled. What cannot stand alone is left to numba.
    """
    with contextlib.suppress(ValueError, RuntimeError, OSError):
        code, told = loops_code()
        arrays = {"code": np.frombuffer(code, np.uint8), "told": np.frombuffer(told.encode(), np.uint8)}
        key = identity()
        write_arrays((folder or cache_folder()) / f"{key}.loops", arrays, key)


def _llvm() -> bool:
    from importlib.util import find_spec

    return find_spec("llvmlite") is not None
