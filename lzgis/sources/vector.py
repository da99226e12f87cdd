"""Vector files that GDAL reads: by pyogrio, or by fiona where pyogrio refuses."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pyogrio
from pyproj import CRS

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.sources.base import Read, ReadOptions

#: Suffix of a file to the GDAL driver that reads it. Nothing else is opened: no URL, no virtual file, no database.
DRIVERS = {
    ".gpkg": "GPKG",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".shp": "ESRI Shapefile",
    ".fgb": "FlatGeobuf",
    ".kml": "KML",
    ".gdb": "OpenFileGDB",
}


def read_gdal(path: Path, options: ReadOptions) -> Read:
    """Read a vector file with pyogrio, or with fiona where pyogrio refuses it.

    Raises
    ------
    SourceError
        If it holds several layers and none was named, or neither engine reads it.
    """
    layer = options.layer
    try:
        layers = [str(name) for name, _ in pyogrio.list_layers(path) if name != "layer_styles"]
        if layer is None and len(layers) > 1:
            raise SourceError(
                str(path),
                Message("holds {count} layers", count=len(layers)),
                Message("name one of {names}", names=", ".join(layers)),
            )
        if layer is not None and layer not in layers:
            raise SourceError(
                str(path),
                Message("has no layer '{layer}'", layer=layer),
                Message("name one of {names}", names=", ".join(layers)),
            )
        frame = pyogrio.read_dataframe(path, layer=layer or (layers[0] if layers else None))
        return Read(frame, f"pyogrio {pyogrio.__version__}, GDAL {pyogrio.__gdal_version_string__}")
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as first:
        return _read_by_fiona(path, layer, first)


def _read_by_fiona(path: Path, layer: str | None, first: Exception) -> Read:
    try:
        import fiona
    except ImportError:
        raise SourceError(
            str(path),
            Message("cannot be read ({first})", first=first),
            Message("save it again as GeoPackage"),
        ) from first
    try:
        with fiona.open(path, layer=layer, allowed_drivers=[DRIVERS[path.suffix.lower()]]) as source:
            crs = CRS.from_wkt(source.crs_wkt) if source.crs_wkt else None
            frame = gpd.GeoDataFrame.from_features(list(source), crs=crs)
        return Read(frame, f"fiona {fiona.__version__}, GDAL {fiona.__gdal_version__}")
    except fiona.errors.FionaError as second:
        what = Message("cannot be read (pyogrio: {first}; fiona: {second})", first=first, second=second)
        raise SourceError(str(path), what, Message("save it again as GeoPackage")) from second
