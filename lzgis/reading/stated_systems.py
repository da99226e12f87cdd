"""Where files state their system: code and definition, the head of a layer and its shapes, metadata and columns.

GDAL takes one statement and ignores the others; here they are compared.
"""

from __future__ import annotations

import html
import json
import re
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from lzgis.coordinates.stated_twice import check_alike, of_code, statements_of
from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.reading.base import Read, ReadOptions, beside

Statements = list[tuple[str, CRS]]


def with_systems_checked(read: Read, options: ReadOptions, place: str) -> Read:
    """Compare all statements of the system of a file.

    Raises
    ------
    SourceError
        If two of them put its coordinates elsewhere.
    """
    find = _STATED.get(Path(place).suffix.lower())
    if find is None or not isinstance(read.frame, gpd.GeoDataFrame) or not len(read.frame):
        return read
    stated = find(Path(place), options)
    if stated and Path(place).suffix.lower() in (".parquet", ".geoparquet"):
        named = np.unique(shapely.get_srid(read.frame.geometry.to_numpy()))
        stated += [(Message("shapes name"), crs) for code in named if code > 0 for _, crs in of_code("EPSG", int(code))]
    problems = check_alike(stated, read.frame.total_bounds, place)
    return replace(read, problems=(*read.problems, *problems)) if problems else read


def _of_shapefile(path: Path, options: ReadOptions) -> Statements:
    prj, other = beside(path, ".prj"), beside(path, ".qpj")
    found = statements_of(prj.read_text("utf-8", "replace")) if prj is not None else []
    if found and other is not None:
        # QGIS wrote it beside the .prj, and took it.
        found += [(Message("its .qpj"), crs) for _, crs in statements_of(other.read_text("utf-8", "replace"))[:1]]
    return found


_COLUMN = """
SELECT g.table_name, g.column_name, g.srs_id FROM gpkg_geometry_columns g
JOIN gpkg_contents c ON lower(c.table_name) = lower(g.table_name)
WHERE lower(g.table_name) = lower(?) OR (? IS NULL AND c.data_type = 'features')
"""
_SYSTEM = "SELECT * FROM gpkg_spatial_ref_sys WHERE srs_id = ?"


def _of_geopackage(path: Path, options: ReadOptions) -> Statements:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            columns = database.execute(_COLUMN, (options.layer, options.layer)).fetchall()
            if len(columns) != 1:
                return []
            table, column, srs_id = columns[0]
            found = _of_srs_id(database, srs_id)
            contents = database.execute(
                "SELECT srs_id FROM gpkg_contents WHERE lower(table_name) = lower(?)", (table,)
            ).fetchall()
            others = {Message("gpkg_contents names"): {one for (one,) in contents}}
            if options.rows is None:
                others[Message("shapes name")] = _of_shapes(database, table, column)
            for where, ids in others.items():
                for one in sorted(ids - {srs_id, None}):
                    found += [(where, crs) for _, crs in _of_srs_id(database, one)[:1]]
            return found
    except (sqlite3.Error, TypeError):
        # GDAL read it: it has no such tables or columns.
        return []


def _of_srs_id(database: sqlite3.Connection, srs_id: int) -> Statements:
    answer = database.execute(_SYSTEM, (srs_id,))
    values = answer.fetchone()
    if values is None or srs_id in (0, -1):
        return []
    row = {str(column[0]).lower(): value for column, value in zip(answer.description, values, strict=True)}
    # A second definition, in WKT 2, may stand in a column of its own.
    texts = [str(text) for name, text in row.items() if name.startswith("definition") and text]
    codes = of_code(row.get("organization"), row.get("organization_coordsys_id"))
    return [*codes, *(one for text in texts for one in statements_of(text))]


def _of_shapes(database: sqlite3.Connection, table: str, column: str) -> set[int]:
    """Return the systems that the heads of the shapes name."""
    quoted = [name.replace('"', '""') for name in (column, table)]
    asked = f'SELECT DISTINCT substr("{quoted[0]}", 4, 5) FROM "{quoted[1]}" WHERE typeof("{quoted[0]}") = \'blob\''
    heads = [bytes(head) for (head,) in database.execute(asked).fetchmany(_MOST_HEADS) if len(head) == 5]
    return {struct.unpack("<i" if head[0] & 1 else ">i", head[1:])[0] for head in heads}


_MOST_HEADS = 1000


def _of_flatgeobuf(path: Path, options: ReadOptions) -> Statements:
    with path.open("rb") as stream:
        data = stream.read(_LARGEST_HEAD)
    try:
        crs = _table(data, _field(data, 12 + _uint(data, 12), 10))
        organization, code, wkt = (_field(data, crs, number) for number in (0, 1, 4))
        name = _text(data, organization) or "EPSG"
        number = struct.unpack_from("<i", data, code)[0] if code else 0
        return [*(of_code(name, number) if number else []), *statements_of(_text(data, wkt))]
    except (struct.error, UnicodeDecodeError, ValueError):
        return []


_LARGEST_HEAD = 1024**2


def _uint(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", data, at)[0])


def _field(data: bytes, table: int, number: int) -> int:
    """Return where a field of a table of flatbuffers lies; 0 if it is not there."""
    heads = table - struct.unpack_from("<i", data, table)[0]
    slot = 4 + 2 * number
    if slot >= struct.unpack_from("<H", data, heads)[0]:
        return 0
    offset = struct.unpack_from("<H", data, heads + slot)[0]
    return table + offset if offset else 0


def _table(data: bytes, at: int) -> int:
    if not at:
        raise ValueError
    return at + _uint(data, at)


def _text(data: bytes, at: int) -> str:
    if not at:
        return ""
    start = at + _uint(data, at)
    return data[start + 4 : start + 4 + _uint(data, start)].decode("utf-8")


def _of_parquet(path: Path, options: ReadOptions) -> Statements:
    import pyarrow.parquet as pq

    with path.open("rb") as stream:
        schema = pq.read_schema(stream)
    info = json.loads((schema.metadata or {}).get(b"geo", b"{}"))
    column = info.get("primary_column", "geometry")
    stated = [(Message("its metadata"), info.get("columns", {}).get(column, {}).get("crs"))]
    own = schema.field(column).metadata or {}
    try:
        extension = json.loads(own.get(b"ARROW:extension:metadata", b"{}") or b"{}")
    except ValueError:
        extension = {}
    stated.append((Message("its column"), extension.get("crs") if isinstance(extension, dict) else None))
    found: Statements = []
    for where, value in stated:
        if value is None:
            continue
        try:
            crs = CRS.from_user_input(value)
        except CRSError:
            continue
        found.append((where, crs))
        found += [one for one in statements_of(crs.to_wkt("WKT2_2019")) if one[1] != crs]
    return found


_SRS_NAME = re.compile(r"\bsrsName\s*=\s*[\"']([^\"']{1,300})[\"']")
_EPSG = re.compile(r"epsg\D*?(?:[:/#][\d.]*[:/])?(\d{4,6})$", re.IGNORECASE)


def _of_gml(path: Path, options: ReadOptions) -> Statements:
    text = path.read_bytes().decode("utf-8", "replace")
    names = list(dict.fromkeys(_SRS_NAME.findall(text)))
    found = [(name, crs) for name in names if (code := _EPSG.search(name)) for _, crs in of_code("EPSG", code[1])]
    by_axes: dict[str, tuple[bool, str]] = {}
    for name, crs in found:
        # EPSG:4326 has the longitude first, by habit; the long forms have the order of the register.
        is_long = "urn:" in name or "/def/" in name
        first = by_axes.setdefault(crs.name, (is_long, name))
        if first[0] != is_long and crs.axis_info and crs.axis_info[0].direction == "north":
            what = Message(
                "names its system in two ways that differ in the order of axes: {one}, {other}",
                one=first[1],
                other=name,
            )
            raise SourceError(str(path), what, Message("export the file again"))
    return found


def _of_filegdb(path: Path, options: ReadOptions) -> Statements:
    try:
        items = pyogrio.read_dataframe(path, layer="GDB_Items", read_geometry=False, columns=["Name", "Definition"])
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError):
        return []
    layers = [str(name) for name, _ in pyogrio.list_layers(path)]
    layer = options.layer or (layers[0] if len(layers) == 1 else "")
    texts = items.loc[items["Name"] == layer, "Definition"].dropna()
    text = next((str(one) for one in texts if "<SpatialReference" in str(one)), "")
    code = re.search(r"<LatestWKID>(\d+)<", text) or re.search(r"<WKID>(\d+)<", text)
    wkt = re.search(r"<WKT>(.*?)</WKT>", text, re.DOTALL)
    codes = of_code("ESRI" if int(code[1]) >= _ESRI_FROM else "EPSG", code[1]) if code else []
    return [*codes, *(statements_of(html.unescape(wkt[1])) if wkt else [])]


#: Codes of ESRI begin here.
_ESRI_FROM = 32768 + 5000

_STATED: dict[str, Callable[[Path, ReadOptions], Statements]] = {
    ".shp": _of_shapefile,
    ".gpkg": _of_geopackage,
    ".fgb": _of_flatgeobuf,
    ".parquet": _of_parquet,
    ".geoparquet": _of_parquet,
    ".gml": _of_gml,
    ".gdb": _of_filegdb,
}
