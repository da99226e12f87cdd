"""Reading of sites piece by piece, so that no process holds all of a large file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import shapely

from lzgis.errors import LzgisError, SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem, SiteTable
from lzgis.reading import SITE_FIELDS, ReadOptions, read_sites, sha256_of, sites_from_frame
from lzgis.reading.addresses import scheme_of, shown
from lzgis.reading.base import Read
from lzgis.reading.sandbox.parent import Reading, begin_reading
from lzgis.screening.pieces import pieces_of

#: Suffixes of formats that can be read from any row on; other files are read as a whole and then cut.
WINDOWED = (".gpkg", ".fgb", ".parquet", ".geoparquet")

#: Rows that are read at once; a smaller file is read as a whole, so that its problems concern all of it.
AT_ONCE = 20_000
#: The least size of a row in bytes: the coordinates of a point.
_LEAST_BYTES = 16


class SitesFile(NamedTuple):
    """A file of sites as a batch reads it: path, hash, what it does not state itself, and the outline of the city."""

    path: Path
    sha256: str = ""
    options: ReadOptions = ReadOptions()
    near: shapely.Geometry | None = None

    @property
    def windowed(self) -> bool:
        """Whether any range of rows can be read: the options concern only coordinates, and not the file."""
        own = ReadOptions(shifted=self.options.shifted, helmert=self.options.helmert, repairs=self.options.repairs)
        return self.options == own


def count_of(path: Path) -> int:
    """Return the number of rows of a file of sites, counted in the sandbox; 0 if the file must be read for that.

    Examples
    --------
    >>> from lzgis.city.reference import reference_city
    >>> count_of(reference_city() / "sites.gpkg")
    51
    """
    if path.suffix.lower() not in WINDOWED or not path.is_file():
        return 0
    try:
        with begin_reading(path, options=ReadOptions(rows=(0, 1))) as reading:
            return reading.result().total or 0
    except LzgisError:
        # The error is reported when the file is read.
        return 0


def sites_of(path: Path, options: ReadOptions, near: shapely.Geometry | None) -> SitesFile:
    """Return a file of sites with its hash.

    Raises
    ------
    SourceError
        If it does not exist.
    """
    if scheme_of(path):
        what = Message("is no file, and a batch needs one to be continued")
        raise SourceError(shown(path), what, Message("save the sites as GeoPackage first"))
    if not path.exists():
        raise SourceError(str(path), Message("the file does not exist"), Message("check the path"))
    return SitesFile(path, sha256_of(path), options, near)


def rows_ahead(file: SitesFile, size: int) -> int:
    """Return how many rows are read piece by piece; 0 if all are read at once."""
    most = max(size, AT_ONCE)
    if not file.windowed or not file.path.is_file() or file.path.stat().st_size < most * _LEAST_BYTES:
        return 0
    count = count_of(file.path)
    return count if count > most else 0


def site_pieces(file: SitesFile, size: int, rows: int) -> Iterator[SiteTable]:
    """Read a file of sites in consecutive pieces of `size` rows, each checked and repaired as `read_sites` does.

    Parameters
    ----------
    file : SitesFile
        The file.
    size : int
        Rows of a piece.
    rows : int
        How many are read piece by piece, see `rows_ahead`; 0 to read all at once.

    Raises
    ------
    SourceError, LayerError
        As `read_sites`; an error in a row names the rows of its piece.
    """
    if not rows:
        yield from pieces_of(read_sites(file.path, options=file.options, near=file.near), size)
        return
    # Several shards at a time, since starting the process that reads takes time.
    chunk = size * max(1, AT_ONCE // size)
    reading = _begun(file, 0, chunk)
    try:
        for first in range(0, rows, chunk):
            read = reading.result()
            if first + chunk < rows:
                # The next rows are read while these are cut.
                reading = _begun(file, first + chunk, chunk)
            for start in range(0, len(read.frame), size):
                piece = read.only(range(start, min(start + size, len(read.frame))))
                yield _checked(file, replace(piece, problems=() if start else read.problems), first + start)
    finally:
        reading.close()


def _begun(file: SitesFile, first: int, count: int) -> Reading:
    return begin_reading(file.path, options=replace(file.options, rows=(first, count)))


def _checked(file: SitesFile, read: Read, start: int) -> SiteTable:
    frame, numbered = _numbered(read.frame, start, file.path.name)
    first, last = start + 1, start + len(frame)
    try:
        table = sites_from_frame(frame, name=file.path.name, options=file.options, near=file.near, changes=read.changes)
    except SourceError as error:
        place = Message("{place} (of rows {first} to {last})", place=error.place, first=first, last=last)
        raise SourceError(place, error.what, error.remedy) from error
    source = replace(table.source, sha256=file.sha256, engine=read.engine)
    found = (_of_rows(problem, first, last) for problem in (*read.problems, *table.problems))
    return replace(table, source=source, problems=(*numbered, *found))


def _of_rows(problem: Problem, first: int, last: int) -> Problem:
    """Name the rows that a problem was found in; a note is the same for all pieces."""
    if problem.level == "note":
        return problem
    place = Message("{place} (of rows {first} to {last})", place=problem.place, first=first, last=last)
    return replace(problem, place=place)


def _numbered(frame: gpd.GeoDataFrame, start: int, name: str) -> tuple[gpd.GeoDataFrame, tuple[Problem, ...]]:
    """Give rows without ids the numbers that they have in the whole file."""
    if set(SITE_FIELDS["id"]) & set(frame.columns):
        return frame, ()
    ids = [str(start + i + 1) for i in range(len(frame))]
    note = Problem("note", name, Message("has no id column"), Message("rows are numbered from 1"))
    return frame.assign(id=ids), (note,)
