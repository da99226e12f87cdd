"""What a reader is asked, and what it gives back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import geopandas as gpd

from lzgis.helmert import Helmert
from lzgis.model import Problem
from lzgis.repair import Repairs


@dataclass(frozen=True)
class ReadOptions:
    """What the user declares about an input that the input does not say itself. Nothing here is ever guessed.

    Attributes
    ----------
    layer : str, optional
        Which layer, table, sheet or member of an archive, where there are several.
    crs : str, optional
        The reference system of an input that names none, as ``EPSG:4526``.
    encoding : str, optional
        The encoding of its text, where the input names none or a wrong one.
    shifted : {"", "gcj02", "bd09"}
        The coordinates are those of such a map and are to be shifted back.
    repairs : {"listed", "accepted"}
        Whether a repair that changes an area is only listed, so that its site is 未核查, or accepted and used.
    helmert : Helmert, optional
        The seven parameters from the datum of the input to CGCS2000.
    """

    layer: str | None = None
    crs: str | None = None
    encoding: str | None = None
    shifted: Literal["", "gcj02", "bd09"] = ""
    repairs: Repairs = "listed"
    helmert: Helmert | None = None


@dataclass(frozen=True)
class Decided:
    """Something that had to be decided to read an input: what was taken, and why."""

    value: str
    how: str


@dataclass(frozen=True, eq=False)
class Read:
    """An input as it was read, before anything is repaired or reprojected.

    Attributes
    ----------
    frame : GeoDataFrame
        Its rows in the order of the input; ``crs`` is None where neither the input nor the options name one.
    engine : str
        What read it, with version.
    problems : tuple of Problem
        Everything that was assumed, skipped or looks wrong.
    encoding : Decided, optional
        The encoding of its text and how it was found.
    crs : Decided, optional
        Its reference system and how it was found.
    """

    frame: gpd.GeoDataFrame
    engine: str
    problems: tuple[Problem, ...] = ()
    encoding: Decided | None = None
    crs: Decided | None = None


#: Reads one kind of input. The path exists and its suffix (or scheme) is one the reader stands for.
Reader = Callable[[Path, ReadOptions], Read]


def sha256_of(path: Path) -> str:
    """Fingerprint a file, or all files of a folder in the order of their names."""
    digest = hashlib.sha256()
    for one in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
        with one.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest() if path.is_dir() else stream.read())
    return digest.hexdigest()
