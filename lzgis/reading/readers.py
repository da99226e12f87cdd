"""The table of readers, by suffix of a file or scheme of an address.

A new reader is a module in `formats` and one line here.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.reading.addresses import address_of, file_of, scheme_of, shown
from lzgis.reading.base import AddressReader, Read, Reader, ReadOptions, sha256_of

#: Suffix to "module:function", imported when used. Nothing else is opened: no virtual files, no links.
READERS: dict[str, str] = {
    ".gpkg": "formats.gdal:read_gpkg",
    ".shp": "formats.shapefile:read_shapefile",
    ".gdb": "formats.gdal:read_filegdb",
    ".geojson": "formats.geojson:read_json",
    ".json": "formats.geojson:read_json",
    ".jsonfg": "formats.geojson:read_json",
    ".geojsonl": "formats.geojson:read_json",
    ".ndjson": "formats.geojson:read_json",
    ".fgb": "formats.gdal:read_flatgeobuf",
    ".parquet": "formats.parquet:read_parquet",
    ".geoparquet": "formats.parquet:read_parquet",
    ".kml": "formats.kml:read_kml",
    ".ovkml": "formats.kml:read_kml",
    ".kmz": "formats.kml:read_kmz",
    ".dxf": "formats.dxf:read_dxf",
    ".gml": "formats.gml:read_gml",
    ".xlsx": "formats.tables:read_workbook",
    ".xlsm": "formats.tables:read_workbook",
    ".xls": "formats.tables:read_workbook",
    ".ods": "formats.tables:read_workbook",
    ".csv": "formats.tables:read_delimited",
    ".tsv": "formats.tables:read_delimited",
    ".txt": "formats.boundary_points.reader:read_coordfile",
    ".zip": "formats.zip_archive:read_zip",
}

#: Scheme of an address to "module:function", imported when used.
SCHEMES: dict[str, str] = {
    "postgis": "formats.postgis:read_postgis",
    "postgresql": "formats.postgis:read_postgis",
    "http": "formats.download:read_download",
    "https": "formats.download:read_download",
}


def is_address(source: str | Path) -> bool:
    """Return whether a source is an address that has a reader, and no file."""
    return scheme_of(source) in SCHEMES


def read_vector(path: str | Path, *, layer: str | None = None, options: ReadOptions | None = None) -> Read:
    """Read any input that has a reader, as it is: nothing is repaired or reprojected.

    Parameters
    ----------
    path : str or path
        The file or folder, or an address: ``postgis://user@host/database``, or ``https://…`` where that is allowed.
    layer : str, optional
        Which layer, if there are several; the same as in `options`.
    options : ReadOptions, optional
        What the user declares about the input.

    Raises
    ------
    SourceError
        If there is no such file, no reader for its suffix, or the reader refuses it.
    """
    chosen = options or ReadOptions()
    if layer is not None:
        chosen = replace(chosen, layer=layer)
    if is_address(path):
        reader: AddressReader = _load(SCHEMES[scheme_of(path)])
        read = reader(address_of(path), chosen)
        return _as_declared(read, chosen, shown(path))
    return read_file(path, chosen)


def read_file(path: str | Path, options: ReadOptions) -> Read:
    """Read a file with the reader of its suffix."""
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
    reader: Reader = _load(READERS[suffix])
    read = reader(file, options)
    if not read.sha256:
        read = replace(read, sha256=sha256_of(file), name=file.name)
    read = _load("datum_words:with_words_checked")(read, options, str(path))
    read = _load("stated_systems:with_systems_checked")(read, options, str(file))
    return _as_declared(read, options, str(path))


def _load(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(f"lzgis.reading.{module}"), name)


def _as_declared(read: Read, options: ReadOptions, place: str) -> Read:
    """Apply what the user declared; the module for it is imported only if something is."""
    if not (options.crs or options.where or options.degrees == "packed"):
        return read
    applied: Read = _load("declared:as_declared")(read, options, place)
    return applied
