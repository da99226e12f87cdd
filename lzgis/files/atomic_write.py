"""Atomic writes: a file is written completely or not at all. Every output of lzgis is written by this module.

A file is first written into a folder ``.lzgis`` beside the target, on the same file system, under a lock of its process.
It is read back, flushed to the disk and then moved over the target in one step. What a killed process leaves behind is
removed by the next process that writes to the same folder.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lzgis.errors import ExportError
from lzgis.files.lock import Lock
from lzgis.files.read_back import Rows, check_readable
from lzgis.messages import Message, library_message

#: Folder of unfinished files, beside the results.
UNFINISHED = ".lzgis"
#: Error numbers of a file system without locks.
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
#: Packages whose errors mean that a file cannot be written.
_WRITERS = ("pyogrio", "sqlite3", "rasterio", "pyarrow", "fiona", "xlsxwriter")
_LOCK = "lock"
_OWN = "w-"


def write_atomic(path: str | Path, make: Callable[[Path], Rows | None]) -> None:
    """Write a file atomically: `make` writes it, it is read back and then moved to `path` in one step.

    Other processes never see half a file. If writing fails, the former file is unchanged.

    Parameters
    ----------
    path : path
        Path of the file; its folder is created if necessary.
    make : callable
        Writes the file at the path it is called with, which has the suffix of `path`. It may return the number of rows
        it wrote by table; the rows of the file are then counted.

    Raises
    ------
    ExportError
        If the file cannot be written, or cannot be read back.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomic(Path(folder) / "a.txt", lambda made: made.write_text("done") and None)
    ...     [p.name for p in Path(folder).iterdir()]
    ['a.txt']
    """
    path = Path(path)
    with export_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with working_folder(path.parent) as folder:
            made = folder / f"made{path.suffix}"
            expected = make(made)
            check_readable(made, str(path), expected)
            sync(made)
            made.replace(path)
            sync(path.parent)


def write_bytes_atomic(path: str | Path, data: bytes) -> None:
    """Write bytes atomically, and compare the written file with them.

    Raises
    ------
    ExportError
        If the file cannot be written, or differs from what was to be written.
    """

    def make(made: Path) -> None:
        made.write_bytes(data)
        if digest_of(made) != hashlib.sha256(data).hexdigest():
            what = Message("was written, but cannot be read back: {why}", why=made.suffix)
            raise ExportError(str(path), what, Message("look whether the disk is full"))

    write_atomic(path, make)


def write_texts_atomic(path: str | Path, texts: Iterable[str]) -> None:
    """Write texts to one file atomically, holding one text in memory at a time.

    Parameters
    ----------
    path : path
        Path of the file.
    texts : iterable of str
        Content of the file, written in UTF-8. Lone surrogates, which UTF-8 does not have, are escaped as in JSON.

    Raises
    ------
    ExportError
        If the file cannot be written, or differs from what was to be written.
    """

    def make(made: Path) -> None:
        digest = hashlib.sha256()
        with made.open("wb") as file:
            for text in texts:
                data = text.encode("utf-8", "backslashreplace")
                digest.update(data)
                file.write(data)
        if digest_of(made) != digest.hexdigest():
            what = Message("was written, but cannot be read back: {why}", why=made.suffix)
            raise ExportError(str(path), what, Message("look whether the disk is full"))

    write_atomic(path, make)


@contextmanager
def export_errors(path: Path) -> Iterator[None]:
    """Turn errors of the system and of writing libraries into an `ExportError` with a remedy; a context manager.

    Raises
    ------
    ExportError
        For every error of the system or of a library that writes files.
    """
    try:
        yield
    except OSError as error:
        raise ExportError(
            str(path), Message("cannot be written: {why}", why=library_message(error)), _remedy(error)
        ) from error

    except Exception as error:
        # GDAL, SQLite and others raise their own errors for a full disk.
        if type(error).__module__.partition(".")[0] not in _WRITERS:
            raise
        remedy = Message("look whether the disk is full")
        raise ExportError(str(path), Message("cannot be written: {why}", why=library_message(error)), remedy) from error


def _remedy(error: OSError) -> Message:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Message("make room on the disk, or choose another folder; what stood there before is untouched")
    return Message("close the program that has it open, or choose another folder")


@contextmanager
def working_folder(parent: Path) -> Iterator[Path]:
    """Create an empty folder on the file system of `parent` and remove it at the end; a context manager.

    If the process is killed, the next one that writes to `parent` removes the folder.

    Raises
    ------
    OSError
        If `parent` cannot be written to.
    """
    remove_abandoned(parent)
    folder, lock = _new_folder(parent / UNFINISHED)
    try:
        yield folder
    finally:
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)
        _remove_if_empty(parent)


def check_no_link(folder: Path) -> None:
    """Refuse a folder that is a symbolic link: what is written to it or removed from it would be elsewhere.

    Raises
    ------
    ExportError
        If it is a link.
    """
    if folder.is_symlink():
        what = Message("is a link, through which nothing is written")
        raise ExportError(str(folder), what, Message("remove the link, or choose another folder"))


def remove_abandoned(parent: Path) -> None:
    """Remove the unfinished files of processes that no longer exist; those of running processes stay."""
    check_no_link(parent / UNFINISHED)
    for folder in (parent / UNFINISHED).glob(f"{_OWN}*"):
        if folder.is_symlink():
            continue
        lock = Lock(folder / _LOCK)
        # Its own process may remove it at the same moment.
        with contextlib.suppress(OSError):
            if lock.take():
                lock.release()
                shutil.rmtree(folder, ignore_errors=True)
    _remove_if_empty(parent)


def _new_folder(unfinished: Path) -> tuple[Path, Lock]:
    while True:
        unfinished.mkdir(exist_ok=True)
        # Another process may remove the folder before the lock is taken.
        with contextlib.suppress(FileNotFoundError):
            folder = Path(tempfile.mkdtemp(prefix=_OWN, dir=unfinished))
            lock = Lock(folder / _LOCK)
            try:
                if lock.take() and folder.exists():
                    return folder, lock
            except OSError as error:
                if error.errno not in NO_LOCKS:
                    raise
                # Without a lock no other process can see that the folder is abandoned: it stays if this process is killed.
                return folder, lock


def _remove_if_empty(parent: Path) -> None:
    # Not empty: another process is writing, or a batch will be continued.
    with contextlib.suppress(OSError):
        (parent / UNFINISHED).rmdir()


def sync(path: Path) -> None:
    """Flush a file or folder to the disk, so that it survives a power cut; folders only where the system supports it."""
    if path.is_dir():
        if os.name != "nt":
            descriptor = os.open(path, os.O_RDONLY)
            try:
                # Some network file systems do not support it.
                with contextlib.suppress(OSError):
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
