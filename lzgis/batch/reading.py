"""Sites read piece by piece, so that no process ever holds all of a large file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pyogrio
import pyogrio.errors

from lzgis.answering import pieces_of
from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model import Problem, SiteTable
from lzgis.sources import SITE_FIELDS, read_sites, sites_from_frame

#: Suffixes of files whose rows GDAL gives from any row on; all others are read whole and then cut.
WINDOWED = (".gpkg", ".fgb")


def count_of(path: Path) -> int:
    """Tell how many rows a file of sites has where that costs nothing; 0 if it must be read for it.

    Examples
    --------
    >>> from lzgis.catalogue import reference_city
    >>> count_of(reference_city() / "sites.gpkg")
    51
    """
    if path.suffix.lower() not in WINDOWED or not path.is_file():
        return 0
    try:
        layers = [str(name) for name, _ in pyogrio.list_layers(path) if name != "layer_styles"]
        return int(pyogrio.read_info(path, layer=layers[0])["features"]) if len(layers) == 1 else 0
    except pyogrio.errors.DataSourceError:
        return 0


def site_pieces(path: Path, size: int, sha256: str) -> Iterator[SiteTable]:
    """Read a file of sites in consecutive pieces of `size` rows, each checked and repaired as `read_sites` does.

    Raises
    ------
    SourceError, LayerError
        As `read_sites`; what concerns a row is told with the rows of its piece.
    """
    count = count_of(path)
    if count <= size:
        yield from pieces_of(read_sites(path), size)
        return
    for start in range(0, count, size):
        frame = pyogrio.read_dataframe(path, skip_features=start, max_features=size)
        yield _checked(path, frame, start, sha256)


def _checked(path: Path, frame: gpd.GeoDataFrame, start: int, sha256: str) -> SiteTable:
    numbered: tuple[Problem, ...] = ()
    if not set(SITE_FIELDS["id"]) & set(frame.columns):
        # Numbered through the whole file, not anew in each piece.
        frame = frame.assign(id=[str(start + i + 1) for i in range(len(frame))])
        numbered = (Problem("note", path.name, Message("has no id column"), Message("rows are numbered from 1")),)
    engine = f"pyogrio {pyogrio.__version__}, GDAL {pyogrio.__gdal_version_string__}"
    try:
        table = sites_from_frame(frame, name=path.name)
    except SourceError as error:
        place = Message(
            "{place} (of rows {first} to {last})", place=error.place, first=start + 1, last=start + len(frame)
        )
        raise SourceError(place, error.what, error.remedy) from error
    source = replace(table.source, sha256=sha256, engine=engine)
    return replace(table, source=source, problems=(*numbered, *table.problems))
