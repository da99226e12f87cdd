"""Putting a finished file in its place, all of it or nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from lzgis.errors import ExportError
from lzgis.messages import Message


def put(path: str | Path, make: Callable[[Path], None]) -> None:
    """Let `make` write a file beside `path`, then move it there.

    A reader never sees half a file, and a failure leaves what stood there before.

    Parameters
    ----------
    path : path
        Where the file shall stand; its folder is made if need be.
    make : callable
        Writes the file whose path it is given; that path has the suffix of `path`.

    Raises
    ------
    ExportError
        If the place cannot be written to.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder, for a move across drives would be a copy that can stop half-way.
        with tempfile.TemporaryDirectory(prefix=".lzgis-", dir=path.parent) as folder:
            made = Path(folder) / f"made{path.suffix}"
            make(made)
            made.replace(path)
    except OSError as error:
        why = error.strerror or str(error)
        remedy = Message("close the program that has it open, or choose another folder")
        raise ExportError(str(path), Message("cannot be written: {why}", why=why), remedy) from error
