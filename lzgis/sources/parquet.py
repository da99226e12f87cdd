"""GeoParquet, read by geopandas and pyarrow."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import geopandas as gpd
from pyproj import CRS
from pyproj.exceptions import CRSError

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model import Problem
from lzgis.sources.base import Decided, Read, ReadOptions
from lzgis.sources.vector import Kind, check_beginning

PARQUET = Kind("", "Parquet", (b"PAR1",))


def read_parquet(path: Path, options: ReadOptions) -> Read:
    """Read a GeoParquet file.

    Raises
    ------
    SourceError
        If it is no Parquet, is damaged, or says nothing of geometry.
    """
    check_beginning(path, PARQUET)
    try:
        with path.open("rb") as stream:
            frame = gpd.read_parquet(stream)
    except (ValueError, OSError, TypeError, KeyError, CRSError) as error:
        # pyarrow's own errors are kinds of ValueError, OSError and so on.
        raise SourceError(
            str(path),
            Message("is no GeoParquet ({error})", error=str(error).partition("\n")[0]),
            Message("save it again as GeoParquet or GeoPackage"),
        ) from error
    problems = []
    others = [c for c in frame.columns if frame[c].dtype == "geometry" and c != frame.geometry.name]
    if others:
        what = Message("has more than one column of shapes; {names} were left out", names=", ".join(others))
        problems.append(Problem("warning", str(path), what, Message("give them as files of their own")))
    frame = frame.drop(columns=others).reset_index(drop=True)
    crs = None
    if frame.crs is not None:
        crs = Decided(CRS.from_user_input(frame.crs).name, Message("named in the file"))
    engine = f"geopandas {gpd.__version__}, pyarrow {importlib.metadata.version('pyarrow')}"
    return Read(frame, engine, tuple(problems), crs=crs)
