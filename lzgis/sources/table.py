"""The one table of readers: from the suffix of a file, or the scheme of an address, to what reads it."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS
from pyproj.exceptions import CRSError

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model import Problem
from lzgis.sources.addresses import address_of, file_of, scheme_of, shown
from lzgis.sources.base import AddressReader, Decided, Read, Reader, ReadOptions, sha256_of

#: Suffix to "module:function"; imported when used. Nothing else is opened: no virtual file, no link.
READERS: dict[str, str] = {
    ".gpkg": "vector:read_gpkg",
    ".shp": "shapefile:read_shapefile",
    ".gdb": "vector:read_filegdb",
    ".geojson": "geojson:read_json",
    ".json": "geojson:read_json",
    ".jsonfg": "geojson:read_json",
    ".fgb": "vector:read_flatgeobuf",
    ".parquet": "parquet:read_parquet",
    ".geoparquet": "parquet:read_parquet",
    ".kml": "kml:read_kml",
    ".ovkml": "kml:read_kml",
    ".kmz": "kml:read_kmz",
    ".dxf": "dxf:read_dxf",
    ".gml": "gml:read_gml",
    ".xlsx": "workbook:read_workbook",
    ".xlsm": "workbook:read_workbook",
    ".xls": "workbook:read_workbook",
    ".ods": "workbook:read_workbook",
    ".csv": "delimited:read_delimited",
    ".tsv": "delimited:read_delimited",
    ".txt": "coordfile:read_coordfile",
    ".zip": "archive:read_zip",
}

#: Scheme of an address to "module:function"; imported when used.
SCHEMES: dict[str, str] = {
    "postgis": "postgis:read_postgis",
    "postgresql": "postgis:read_postgis",
    "http": "download:read_download",
    "https": "download:read_download",
}


def is_address(source: str | Path) -> bool:
    """Whether it is an address that there is a reader for, and no file."""
    return scheme_of(source) in SCHEMES


def read_vector(path: str | Path, *, layer: str | None = None, options: ReadOptions | None = None) -> Read:
    """Read any input that there is a reader for, as it is: nothing is repaired or reprojected.

    Parameters
    ----------
    path : str or path
        The file or folder, or an address: ``postgis://user@host/database``, or ``https://…`` where that is allowed.
    layer : str, optional
        Which layer, where there are several; the same as in `options`.
    options : ReadOptions, optional
        What the input does not say itself.

    Raises
    ------
    SourceError
        If there is no such file, no reader for its suffix, or the reader refuses it.
    """
    chosen = options or ReadOptions()
    if layer is not None:
        chosen = replace(chosen, layer=layer)
    if is_address(path):
        reader: AddressReader = _named(SCHEMES[scheme_of(path)])
        read = reader(address_of(path), chosen)
        return _declared(read, chosen, shown(path))
    return read_file(path, chosen)


def read_file(path: str | Path, options: ReadOptions) -> Read:
    """Read a file by the reader of its suffix."""
    suffix = Path(path).suffix.lower()
    file = file_of(path)
    if suffix not in READERS:
        raise SourceError(
            str(path),
            Message("files that end in '{suffix}' are not read", suffix=Path(path).suffix),
            Message("allowed: {known}", known=" ".join(READERS)),
        )
    if file.is_dir() != (suffix == ".gdb"):
        what = Message("is a folder, not a file") if file.is_dir() else Message("is a file, not a folder")
        raise SourceError(str(path), what, Message("give the file itself; only a file geodatabase is a folder"))
    reader: Reader = _named(READERS[suffix])
    read = reader(file, options)
    if not read.sha256:
        read = replace(read, sha256=sha256_of(file), name=file.name)
    return _declared(read, options, str(path))


def _named(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(f"lzgis.sources.{module}"), name)


def _declared(read: Read, options: ReadOptions, place: str) -> Read:
    """Apply what the user declared: the system of an input that names none, and which rows to keep."""
    if isinstance(read.frame, gpd.GeoDataFrame) and options.crs:
        read = _in_declared_crs(read, options.crs, place)
    return _kept(read, options, place) if options.where else read


def _in_declared_crs(read: Read, declared: str, place: str) -> Read:
    try:
        crs = CRS.from_user_input(declared)
    except CRSError:
        raise SourceError(
            place,
            Message("'{crs}' is no reference system", crs=declared),
            Message("write one like EPSG:4490"),
        ) from None
    own = read.frame.crs
    if own is None:
        return replace(read, frame=read.frame.set_crs(crs), crs=Decided(declared, Message("declared")))
    own = CRS.from_user_input(own)
    if own == crs or (own.to_epsg() is not None and own.to_epsg() == crs.to_epsg()):
        return read
    what = Message("is in {own} by its own word, but {crs} was declared", own=own.name, crs=declared)
    raise SourceError(place, what, Message("leave out the declared system, or correct the file"))


def _kept(read: Read, options: ReadOptions, place: str) -> Read:
    frame = read.frame
    keep = pd.Series(True, index=frame.index)
    for name, values in options.where.items():
        if name not in frame.columns:
            raise SourceError(
                place,
                Message("has no field '{name}'", name=name),
                Message("there are {names}", names=", ".join(str(c) for c in frame.columns)),
            )
        keep &= frame[name].astype(str).isin([str(v) for v in values])
    if keep.all():
        return read
    what = Message("{kept} of {count} rows are used", kept=int(keep.sum()), count=len(frame))
    problem = Problem("note", place, what, Message("as the filter demands"))
    return replace(read.only(np.flatnonzero(keep).tolist()), problems=(*read.problems, problem))
