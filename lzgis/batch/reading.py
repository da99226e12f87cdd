"""Sites read piece by piece, so that no process ever holds all of a large file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import shapely

from lzgis.answering import pieces_of
from lzgis.errors import LzgisError, SourceError
from lzgis.messages import Message
from lzgis.model import Problem, SiteTable
from lzgis.sources import SITE_FIELDS, ReadOptions, read_sites, sites_from_frame
from lzgis.sources.addresses import scheme_of, shown
from lzgis.sources.apart import read_apart
from lzgis.sources.base import Read

#: Files whose rows are given from any row on, by suffix; all others are read whole and then cut.
WINDOWED = (".gpkg", ".fgb", ".parquet", ".geoparquet")

#: So many rows are read at once, so that what is said of the file is said of all of it.
AT_ONCE = 20_000


class SitesFile(NamedTuple):
    """A file of sites as a batch reads it: path, fingerprint, what it does not say itself, and the outline of the city."""

    path: Path
    sha256: str = ""
    options: ReadOptions = ReadOptions()
    near: shapely.Geometry | None = None

    @property
    def windowed(self) -> bool:
        """Whether rows can be read from any on: what the user says concerns their coordinates alone, and not the file."""
        own = ReadOptions(shifted=self.options.shifted, helmert=self.options.helmert, repairs=self.options.repairs)
        return self.options == own


def count_of(path: Path) -> int:
    """Tell how many rows a file of sites has, asked of a process apart; 0 if it must be read for it.

    Examples
    --------
    >>> from lzgis.catalogue import reference_city
    >>> count_of(reference_city() / "sites.gpkg")
    51
    """
    if path.suffix.lower() not in WINDOWED or not path.is_file():
        return 0
    try:
        return read_apart(path, options=ReadOptions(rows=(0, 1))).total or 0
    except LzgisError:
        # Whoever reads it will say what is wrong with it.
        return 0


def site_pieces(file: SitesFile, size: int) -> Iterator[SiteTable]:
    """Read a file of sites in consecutive pieces of `size` rows, each checked and repaired as `read_sites` does.

    Raises
    ------
    SourceError, LayerError
        As `read_sites`; what concerns a row is told with the rows of its piece. And if it is no file.
    """
    if scheme_of(file.path):
        what = Message("is no file, and a batch needs one to be continued")
        raise SourceError(shown(file.path), what, Message("save the sites as GeoPackage first"))
    count = count_of(file.path)
    if count <= max(size, AT_ONCE) or not file.windowed:
        yield from pieces_of(read_sites(file.path, options=file.options, near=file.near), size)
        return
    # As many shards at a time as are worth the start of the process that reads.
    chunk = size * max(1, AT_ONCE // size)
    for first in range(0, count, chunk):
        read = read_apart(file.path, options=replace(file.options, rows=(first, chunk)))
        for start in range(0, len(read.frame), size):
            frame = read.frame.iloc[start : start + size].reset_index(drop=True)
            yield _checked(file, replace(read, frame=frame, problems=() if start else read.problems), first + start)


def _checked(file: SitesFile, read: Read, start: int) -> SiteTable:
    frame, numbered = _numbered(read.frame, start, file.path.name)
    first, last = start + 1, start + len(frame)
    try:
        table = sites_from_frame(frame, name=file.path.name, options=file.options, near=file.near)
    except SourceError as error:
        place = Message("{place} (of rows {first} to {last})", place=error.place, first=first, last=last)
        raise SourceError(place, error.what, error.remedy) from error
    source = replace(table.source, sha256=file.sha256, engine=read.engine)
    found = (_of_rows(problem, first, last) for problem in (*read.problems, *table.problems))
    return replace(table, source=source, problems=(*numbered, *found))


def _of_rows(problem: Problem, first: int, last: int) -> Problem:
    """Say of which rows a problem is told; a note is the same for all."""
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
