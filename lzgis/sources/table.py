"""The one table of readers: from the suffix of a file, or the scheme of an address, to what reads it."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.sources.base import Read, Reader, ReadOptions

#: Suffix to "module:function"; imported when used. Nothing else is opened: no address, no virtual file.
READERS: dict[str, str] = {
    ".gpkg": "vector:read_gdal",
    ".geojson": "vector:read_gdal",
    ".json": "vector:read_gdal",
    ".shp": "vector:read_gdal",
    ".fgb": "vector:read_gdal",
    ".kml": "vector:read_gdal",
    ".gdb": "vector:read_gdal",
    ".txt": "coordfile:read_coordfile",
}


def read_vector(path: str | Path, *, layer: str | None = None, options: ReadOptions | None = None) -> Read:
    """Read any input that there is a reader for, as it is: nothing is repaired or reprojected.

    Parameters
    ----------
    path : str or path
        The file or folder.
    layer : str, optional
        Which layer, where there are several; the same as in `options`.
    options : ReadOptions, optional
        What the input does not say itself.

    Raises
    ------
    SourceError
        If there is no such file, no reader for its suffix, or the reader refuses it.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in READERS:
        raise SourceError(
            str(path),
            Message("files that end in '{suffix}' are not read", suffix=path.suffix),
            Message("allowed: {known}", known=" ".join(READERS)),
        )
    if not path.exists():
        raise SourceError(str(path), Message("the file does not exist"), Message("check the path"))
    chosen = options or ReadOptions()
    if layer is not None:
        chosen = replace(chosen, layer=layer)
    module, _, name = READERS[suffix].partition(":")
    reader: Reader = getattr(import_module(f"lzgis.sources.{module}"), name)
    return reader(path, chosen)
