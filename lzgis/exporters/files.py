"""Putting a finished file in its place, all of it or nothing."""

from __future__ import annotations

import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterable
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


# What Windows forbids in a name, what cannot be seen, and what turns the reading direction.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]')
_RESERVED = {"con", "prn", "aux", "nul", "conin$", "conout$"}
_RESERVED |= {f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"}
_LONGEST = 60


def file_stems(names: Iterable[str]) -> list[str]:
    """Make names of files, without suffix, that every system takes, each different from all others.

    Signs that a system forbids become ``_``; a name that Windows reserves gets one before it; a long one is cut. Names
    that differ only in what a file system overlooks (capitals, ways of writing an accent) are numbered.

    Examples
    --------
    >>> file_stems(["P37", "p37", "a/b:c.", "CON", ""])
    ['P37', 'p37-2', 'a_b_c', '_CON', '_']
    """
    taken: set[str] = set()
    stems = []
    for name in names:
        stem = first = _safe(name)
        number = 1
        while _folded(stem) in taken:
            number += 1
            stem = f"{first}-{number}"
        taken.add(_folded(stem))
        stems.append(stem)
    return stems


def _safe(name: str) -> str:
    stem = _UNSAFE.sub("_", unicodedata.normalize("NFC", name))[:_LONGEST].strip().rstrip(". ")
    # Windows reserves the part before the first dot; a leading dot would hide the file elsewhere.
    reserved = stem.partition(".")[0].rstrip().casefold() in _RESERVED
    return f"_{stem}" if reserved or not stem or stem.startswith(".") else stem


def _folded(stem: str) -> str:
    return unicodedata.normalize("NFKC", stem).casefold()
