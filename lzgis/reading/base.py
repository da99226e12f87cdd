"""`ReadOptions` and `Read`: the arguments and the result of a reader."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lzgis.errors import SourceError
from lzgis.messages import Message

if TYPE_CHECKING:
    # Not imported at run time: the reading process is started before heavy modules are imported.
    import geopandas as gpd

    from lzgis.coordinates.helmert import Helmert
    from lzgis.model.report import Problem
    from lzgis.reading.repair import Change, Repairs


#: West, south, east, north.
Box: TypeAlias = tuple[float, float, float, float]


class Near(NamedTuple):
    """Where rows are wanted: windows in degrees on CGCS2000, and the system of an input that names none."""

    boxes: tuple[Box, ...]
    crs: str = "EPSG:4490"


@dataclass(frozen=True)
class ReadOptions:
    """What the user declares about an input because the input does not say it. Nothing of this is guessed.

    Attributes
    ----------
    layer : str, optional
        Which layer, table, sheet or member of an archive, where there are several.
    crs : str, optional
        The reference system of an input that names none, as ``EPSG:4526``.
    encoding : str, optional
        The encoding of its text, where the input names none or a wrong one.
    shifted : {"", "gcj02", "bd09"}
        The shifted map that the coordinates come from; they are shifted back.
    repairs : {"listed", "accepted"}
        Whether a repair that changes an area is only listed, so that its site is 未核查, or accepted and used.
    shapes : {"given", "polygons"}
        Whether lines and numbered points that enclose an area stay as they are, or become its polygon.
    helmert : Helmert, optional
        The seven parameters from the datum of the input to CGCS2000.
    activities : {"listed", "refused"}
        Whether sites with an activity that is not in the vocabulary are listed and 未核查 where the answer depends on it, or
        the input is refused.
    degrees : {"decimal", "packed"}
        Whether degrees are decimal, or packed: degrees, minutes and seconds as one decimal, ddd.mmss.
    where : mapping of str to strings
        Keep only the rows whose fields have one of these values, compared as text. A database gets the values as bound
        parameters.
    network : {"refused", "allowed"}
        Whether an address on the network may be fetched. A database is always connected to: an address of one can mean
        nothing else.
    near : Near, optional
        Read only the rows whose boxes meet one of these windows, and those without a geometry; only for GeoPackage,
        FlatGeobuf, GeoParquet and PostGIS.
    rows : (int, int), optional
        Read only `count` rows from row `first` on, counted from 0, as ``(first, count)``; only for GeoPackage, FlatGeobuf
        and GeoParquet.
    """

    layer: str | None = None
    crs: str | None = None
    encoding: str | None = None
    shifted: Literal["", "gcj02", "bd09"] = ""
    repairs: Repairs = "listed"
    shapes: Literal["given", "polygons"] = "given"
    degrees: Literal["decimal", "packed"] = "decimal"
    helmert: Helmert | None = None
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    network: Literal["refused", "allowed"] = "refused"
    activities: Literal["listed", "refused"] = "listed"
    rows: tuple[int, int] | None = None
    near: Near | None = None


@dataclass(frozen=True)
class Decided:
    """A decision made while reading an input: the value, and the reason."""

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
        The library that read it, with its version.
    problems : tuple of Problem
        Everything that was assumed or skipped, or looks wrong.
    encoding : Decided, optional
        The encoding of its text and how it was found.
    crs : Decided, optional
        Its reference system and how it was found.
    sha256 : str
        SHA-256 of what was read.
    name : str
        Name of the input in outputs: the name of the file, or the address without user and password.
    total : int, optional
        Number of rows of the input, if only some were read.
    others : int
        Number of rows that were not read because they meet none of the wanted windows.
    changes : tuple of Change
        Changes that the reader made to geometries that it could not use as they are; each becomes a `Repair`.
    titles : tuple of str
        Texts that describe the input as a whole: titles, names and remarks of documents, layers and sheets. They are held
        against its system and then dropped.
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
    titles: tuple[str, ...] = ()
    others: int = 0

    def only(self, rows: Sequence[int]) -> Read:
        """Return some rows in the given order, with the changes made to them."""
        changes = (change.within(rows) for change in self.changes)
        frame = self.frame.iloc[list(rows)].reset_index(drop=True)
        return replace(self, frame=frame, changes=tuple(change for change in changes if change.rows))


#: Reads a file. The path exists, and `READERS` has the reader for its suffix.
Reader = Callable[[Path, ReadOptions], Read]

#: Reads from an address. `SCHEMES` has the reader for its scheme.
AddressReader = Callable[[str, ReadOptions], Read]

#: The files of a shapefile that have content of their own; the index (.shx) only repeats the positions of records.
SHAPEFILE_PARTS = (".shp", ".dbf", ".prj", ".cpg")


def beside(path: Path, suffix: str) -> Path | None:
    """Return the file of the same name with another suffix, ignoring case; None if there is none."""
    wanted = (path.stem + suffix).lower()
    return next((p for p in sorted(path.parent.iterdir()) if p.name.lower() == wanted and p.is_file()), None)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file; of a folder or a shapefile, of all its files in the order of their names.

    Raises
    ------
    SourceError
        If it is a pipe or a device.
    """
    if path.is_dir():
        return _of_all(sorted(p for p in path.rglob("*") if p.is_file()))
    if path.suffix.lower() == ".shp":
        return _of_all([found for suffix in SHAPEFILE_PARTS if (found := beside(path, suffix)) is not None])
    if path.exists() and not path.is_file():
        # Reading a pipe or a device may never end.
        raise SourceError(str(path), Message("is no ordinary file"), Message("give a file"))
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _of_all(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
