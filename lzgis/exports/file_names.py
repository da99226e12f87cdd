"""File names that are valid on every system, made from the ids of sites."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# What Windows forbids in a name, invisible characters, and those that change the reading direction.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]')
_RESERVED = {"con", "prn", "aux", "nul", "conin$", "conout$"}
_RESERVED |= {f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"}
_LONGEST = 60


def file_stems(names: Iterable[str]) -> list[str]:
    """Return file names without suffix that are valid on every system and all different.

    Characters that a system forbids become ``_``; a name that Windows reserves gets ``_`` before it; a long one is cut.
    Names that a file system may treat as equal (upper and lower case, composed and decomposed accents) are numbered.

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
