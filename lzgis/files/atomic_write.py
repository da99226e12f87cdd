"""Putting finished files in their place, all of it or nothing; every output of lzgis goes through here.

What is being made stands in a folder ``.lzgis`` beside the target, on the same file system, under a lock of its process.
It is read back and forced to the disk before it takes the target's place in one step. What a killed process left
is removed by the next one that writes there.
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
from lzgis.messages import Message

#: The folder, beside the results, of what is not finished.
UNFINISHED = ".lzgis"
#: What a file system says that has no locks.
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
#: Packages whose errors say that a file cannot be written.
_WRITERS = ("pyogrio", "sqlite3", "rasterio", "pyarrow", "fiona", "xlsxwriter")
_LOCK = "lock"
_OWN = "w-"


def write_atomic(path: str | Path, make: Callable[[Path], Rows | None]) -> None:
    """Let `make` write a file beside `path`, read it back, and move it there in one step.

    A reader never sees half a file, and a failure leaves what stood there before.

    Parameters
    ----------
    path : path
        Where the file shall stand; its folder is made if need be.
    make : callable
        Writes the file whose path it is given; that path has the suffix of `path`. It may return how many rows it wrote,
        by the name of their table; they are counted then.

    Raises
    ------
    ExportError
        If the place cannot be written to, or what was written cannot be read back.

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
    """Write `data` as `put` does, and compare what was written byte for byte.

    Raises
    ------
    ExportError
        If the place cannot be written to, or holds something else afterwards.
    """

    def make(made: Path) -> None:
        made.write_bytes(data)
        if digest_of(made) != hashlib.sha256(data).hexdigest():
            what = Message("was written, but cannot be read back: {why}", why=made.suffix)
            raise ExportError(str(path), what, Message("look whether the disk is full"))

    write_atomic(path, make)


def write_texts_atomic(path: str | Path, texts: Iterable[str]) -> None:
    """Write texts one after the other as `write_bytes_atomic` does, holding one at a time.

    Parameters
    ----------
    path : path
        Where the file shall stand.
    texts : iterable of str
        What it shall hold, in UTF-8. JSON may spell a lone surrogate, which UTF-8 cannot hold, just as Python escapes it.

    Raises
    ------
    ExportError
        If the place cannot be written to, or holds something else afterwards.
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
    """Turn what the system or a library says that cannot write to a place into an error that says what to do.

    Raises
    ------
    ExportError
        For every error of the system, and of the libraries that write files.
    """
    try:
        yield
    except OSError as error:
        raise ExportError(
            str(path), Message("cannot be written: {why}", why=error.strerror or str(error)), _remedy(error)
        ) from error

    except Exception as error:
        # GDAL, SQLite and others have errors of their own for a disk that is full.
        if type(error).__module__.partition(".")[0] not in _WRITERS:
            raise
        remedy = Message("look whether the disk is full")
        raise ExportError(str(path), Message("cannot be written: {why}", why=str(error)), remedy) from error


def _remedy(error: OSError) -> Message:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Message("make room on the disk, or choose another folder; what stood there before is untouched")
    return Message("close the program that has it open, or choose another folder")


@contextmanager
def working_folder(parent: Path) -> Iterator[Path]:
    """Give an empty folder on the file system of `parent`; it is removed at the end, also by the next if need be.

    Raises
    ------
    OSError
        If `parent` cannot be written to.
    """
    remove_abandoned(parent)
    folder, lock = _open(parent / UNFINISHED)
    try:
        yield folder
    finally:
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)
        _close(parent)


def remove_abandoned(parent: Path) -> None:
    """Remove what processes that are no more left unfinished in a folder; nothing that is being made."""
    for folder in (parent / UNFINISHED).glob(f"{_OWN}*"):
        lock = Lock(folder / _LOCK)
        # Whoever made it may just have removed it.
        with contextlib.suppress(OSError):
            if lock.take():
                lock.release()
                shutil.rmtree(folder, ignore_errors=True)
    _close(parent)


def _open(unfinished: Path) -> tuple[Path, Lock]:
    while True:
        unfinished.mkdir(exist_ok=True)
        # Another process may sweep the folder away before the lock is held.
        with contextlib.suppress(FileNotFoundError):
            folder = Path(tempfile.mkdtemp(prefix=_OWN, dir=unfinished))
            lock = Lock(folder / _LOCK)
            try:
                if lock.take() and folder.exists():
                    return folder, lock
            except OSError as error:
                if error.errno not in NO_LOCKS:
                    raise
                # Without a lock nobody can tell that it is dead, so nobody removes it: all else holds.
                return folder, lock


def _close(parent: Path) -> None:
    # Not empty: somebody else is at work, or a batch is to be continued.
    with contextlib.suppress(OSError):
        (parent / UNFINISHED).rmdir()


def sync(path: Path) -> None:
    """Force a file or folder to the disk, so that it survives a power cut; folders only where the system can."""
    if path.is_dir():
        if os.name != "nt":
            descriptor = os.open(path, os.O_RDONLY)
            try:
                # Some network file systems refuse it.
                with contextlib.suppress(OSError):
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def digest_of(path: Path) -> str:
    """Fingerprint a file (SHA-256), whatever its size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
