"""What a reader is asked, and what it gives back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    # Not imported with what a reader is asked: the process that reads is begun before anything heavy is there.
    import geopandas as gpd

    from lzgis.coordinates.helmert import Helmert
    from lzgis.model.report import Problem
    from lzgis.reading.repair import Change, Repairs


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
    where : mapping of str to strings
        Keep only the rows whose fields have one of these values, compared as text. A database gets the values as bound
        parameters.
    network : {"refused", "allowed"}
        Whether an address on the network that the user gave may be fetched. An address of a database always is: there
        is no other way to mean one.
    rows : (int, int), optional
        Read only so many rows from this one on, as ``(first, count)``, counted from 0; of GeoPackage,
        FlatGeobuf and GeoParquet alone.
    """

    layer: str | None = None
    crs: str | None = None
    encoding: str | None = None
    shifted: Literal["", "gcj02", "bd09"] = ""
    repairs: Repairs = "listed"
    helmert: Helmert | None = None
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    network: Literal["refused", "allowed"] = "refused"
    rows: tuple[int, int] | None = None


@dataclass(frozen=True)
class Decided:
    """Something that had to be decided to read an input: what was taken, and why."""

    value: str
    how: str


@dataclass(frozen=True, eq=False)
class Read:
    """An input as it was read, before anything is reprojected or made valid.

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
    sha256 : str
        Fingerprint of what was read.
    name : str
        What to call the input in outputs: the name of the file, or the address without user and password.
    total : int, optional
        How many rows the input has, where only some were asked for.
    changes : tuple of Change
        What the reader did to geometries that cannot be taken as they stand; each becomes a `Repair`.
    """

    frame: gpd.GeoDataFrame
    engine: str
    problems: tuple[Problem, ...] = ()
    encoding: Decided | None = None
    crs: Decided | None = None
    sha256: str = ""
    name: str = ""
    total: int | None = None
    changes: tuple[Change, ...] = ()

    def only(self, rows: Sequence[int]) -> Read:
        """Keep some rows, in the order given, and what was done to them."""
        changes = (change.within(rows) for change in self.changes)
        frame = self.frame.iloc[list(rows)].reset_index(drop=True)
        return replace(self, frame=frame, changes=tuple(change for change in changes if change.rows))


#: Reads one kind of file. The path exists and its suffix is one the reader stands for.
Reader = Callable[[Path, ReadOptions], Read]

#: Reads what an address stands for; the scheme is one the reader stands for.
AddressReader = Callable[[str, ReadOptions], Read]

#: What belongs to a shapefile and says something of its own; the index (.shx) only repeats where records lie.
SHAPEFILE_PARTS = (".shp", ".dbf", ".prj", ".cpg")


def beside(path: Path, suffix: str) -> Path | None:
    """Find the file of the same name with another suffix, whatever the case of its letters."""
    wanted = (path.stem + suffix).lower()
    return next((p for p in sorted(path.parent.iterdir()) if p.name.lower() == wanted and p.is_file()), None)


def sha256_of(path: Path) -> str:
    """Fingerprint a file; a folder or a shapefile by all the files it is made of, in the order of their names."""
    if path.is_dir():
        return _of_all(sorted(p for p in path.rglob("*") if p.is_file()))
    if path.suffix.lower() == ".shp":
        return _of_all([found for suffix in SHAPEFILE_PARTS if (found := beside(path, suffix)) is not None])
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _of_all(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
