"""Reads vector files: one table from suffix to how it is read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import pandas as pd
import pyogrio
from pyproj import CRS

from lzgis.errors import SourceError
from lzgis.measure import to_cgcs2000
from lzgis.messages import Message
from lzgis.model import Problem, SiteTable, Source
from lzgis.repair import mend

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

#: What the columns of a site table may be called; the first found is taken.
SITE_FIELDS = {
    "id": ("id", "site_id", "编号", "项目编号", "地块编号", "BSM", "XMBH"),
    "name": ("name", "site_name", "名称", "项目名称", "地块名称", "XMMC"),
    "activity": ("activity", "活动类型", "项目类型", "活动", "建设类型", "XMLX"),
}


class Read(NamedTuple):
    """A file as it was read."""

    frame: gpd.GeoDataFrame
    engine: str


def read_vector(path: str | Path, *, layer: str | None = None) -> Read:
    """Read a vector file with pyogrio, or with fiona where pyogrio refuses it.

    Raises
    ------
    SourceError
        If the file does not exist, its suffix is not known, it holds several layers and none was named, or neither
        engine reads it.
    """
    path = Path(path)
    if path.suffix.lower() not in DRIVERS:
        known = " ".join(DRIVERS)
        raise SourceError(
            str(path),
            Message("files that end in '{suffix}' are not read", suffix=path.suffix),
            Message("allowed: {known}", known=known),
        )
    if not path.exists():
        raise SourceError(str(path), Message("the file does not exist"), Message("check the path"))
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


def read_sites(path: str | Path, *, layer: str | None = None) -> SiteTable:
    """Read the sites to screen from a vector file.

    Raises
    ------
    SourceError
        If the file cannot be read, has no reference system, has no row, or gives one id to two rows.
    LayerError
        If its datum is neither CGCS2000 nor WGS 84.
    """
    path = Path(path)
    read = read_vector(path, layer=layer)
    return sites_from_frame(read.frame, name=path.name, sha256=sha256_of(path), engine=read.engine)


def sites_from_frame(
    frame: gpd.GeoDataFrame, *, name: str = "sites", sha256: str = "", engine: str = "memory"
) -> SiteTable:
    """Make a site table of a frame; the same checks as :func:`read_sites`.

    A frame without ids is numbered from 1, which the problems say.
    """
    if not isinstance(frame, gpd.GeoDataFrame):
        raise SourceError(
            name, Message("has no geometry"), Message("name the layer that has one, or give another file")
        )
    if frame.crs is None:
        raise SourceError(
            name,
            Message("has no coordinate reference system"),
            Message("declare it, for instance EPSG:4490 or EPSG:4526"),
        )
    if not len(frame):
        raise SourceError(name, Message("has no rows"), Message("give at least one site"))
    problems: list[Problem] = []
    columns = {field: _column(frame, field, name, problems) for field in SITE_FIELDS}
    ids = columns["id"]
    twice = ids[ids.duplicated(keep=False)]
    if len(twice):
        rows = ", ".join(str(i + 1) for i in range(len(ids)) if ids.iloc[i] == twice.iloc[0])
        raise SourceError(
            Message("{name}, rows {rows}", name=name, rows=rows),
            Message("share the id '{value}'", value=twice.iloc[0]),
            Message("give each site an id of its own"),
        )
    crs = CRS.from_user_input(frame.crs)
    geometry, how = to_cgcs2000(frame.geometry.to_numpy(), crs, name)
    mended = mend(geometry, ids.to_numpy(), name)
    used = {frame.geometry.name, *(str(c.name) for c in columns.values())}
    others = {str(c): frame[c].to_numpy() for c in frame.columns if c not in used and c not in SITE_FIELDS}
    data = {field: column.to_numpy() for field, column in columns.items()} | others
    table = gpd.GeoDataFrame(data, geometry=mended.geometry, crs="EPSG:4490")
    source = Source("sites", name, sha256, crs=crs.name, engine=engine)
    return SiteTable(table, (*problems, *mended.problems), source, how)


def sha256_of(path: Path) -> str:
    """Fingerprint a file, or all files of a folder in the order of their names."""
    digest = hashlib.sha256()
    for one in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
        with one.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest() if path.is_dir() else stream.read())
    return digest.hexdigest()


def _column(frame: gpd.GeoDataFrame, field: str, place: str, problems: list[Problem]) -> pd.Series:
    found = next((alias for alias in SITE_FIELDS[field] if alias in frame.columns), None)
    if found is None:
        if field == "id":
            problems.append(Problem("note", place, Message("has no id column"), Message("rows are numbered from 1")))
            return pd.Series([str(i + 1) for i in range(len(frame))], name="id", dtype=object)
        if field == "activity":
            what = Message("has no column of activities")
            problems.append(
                Problem("warning", place, what, Message("rules that depend on the activity are not checked"))
            )
        return pd.Series([""] * len(frame), name=field, dtype=object)
    column = frame[found]
    text = [("" if pd.isna(v) else _text(v)) for v in column]
    if field == "id" and any(not t for t in text):
        row = text.index("") + 1
        raise SourceError(
            Message("{place}, row {row}, field '{found}'", place=place, row=row, found=found),
            Message("is empty"),
            Message("give every site an id"),
        )
    return pd.Series(text, name=found, dtype=object)


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
