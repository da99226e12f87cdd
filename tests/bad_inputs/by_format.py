"""Family P: faults of one format each, in databases, columns, markup, drawings, shapefiles and archives."""

from __future__ import annotations

import json
import re
import shutil
import struct
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import ezdxf
import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import raw_shapefile as raw
import shapely
from shapely import Point

from bad_inputs.case import BOTH_OPEN, FIRST_OPEN, IN, TRUTH, Request, case, degrees, pair, saved
from bad_inputs.geometry import first_wkb
from bad_inputs.packaging import kml
from bad_inputs.twice import CODE, OTHER, TWICE, changed, wkt
from lzgis.reading import ReadOptions

LOST = "holds .* of which only|is cut short|beyond|more than"
HALF_CIRCLE = {**TRUTH, 0: (IN, np.pi * 2500 / 2)}


# Curves in a GeoPackage: points in metres of the plane of the city, as WKB in EPSG:4547.
def _points(*given: tuple[float, float]) -> bytes:
    there = gpd.GeoSeries(degrees(*map(Point, given)), crs=4490).to_crs(4547)
    return np.c_[there.x, there.y].astype("<f8").tobytes()


def _line(*given: tuple[float, float]) -> bytes:
    return struct.pack("<BII", 1, 2, len(given)) + _points(*given)


def _arc(*given: tuple[float, float]) -> bytes:
    return struct.pack("<BII", 1, 8, len(given)) + _points(*given)


def _of(code: int, *parts: bytes) -> bytes:
    return struct.pack("<BII", 1, code, len(parts)) + b"".join(parts)


def _polygon(*given: tuple[float, float]) -> bytes:
    return struct.pack("<BIII", 1, 3, 1, len(given)) + _points(*given)


COMPOUND, CURVE_POLYGON, MULTI_CURVE, MULTI_SURFACE = 9, 10, 11, 12
CIRCLE = ((-50.0, 150.0), (0.0, 200.0), (50.0, 150.0), (0.0, 100.0), (-50.0, 150.0))
SQUARE = ((-50.0, 100.0), (50.0, 100.0), (50.0, 200.0), (-50.0, 200.0), (-50.0, 100.0))
#: A square whose eastern side is half a circle.
ROUNDED = _of(COMPOUND, _line((0, 200), (-50, 200), (-50, 100), (0, 100)), _arc((0, 100), (50, 150), (0, 200)))
HOLE = ((5.0, 150.0), (25.0, 170.0), (45.0, 150.0), (25.0, 130.0), (5.0, 150.0))
PIERCED = {**TRUTH, 0: (IN, 5000 - np.pi * 400)}

for _title, _wkb, _must, _more in (
    ("a polygon with an arc for one side", _of(CURVE_POLYGON, ROUNDED), "answer", {"truth": HALF_CIRCLE}),
    ("a surface of a polygon with arcs", _of(MULTI_SURFACE, _of(CURVE_POLYGON, _arc(*CIRCLE))), "answer",
     {"truth": HALF_CIRCLE}),
    ("a polygon with a round hole", _of(CURVE_POLYGON, _line(*SQUARE), _arc(*HOLE)), "answer", {"truth": PIERCED}),
    ("a circle of three points", _of(CURVE_POLYGON, _arc((-50, 150), (50, 150), (-50, 150))), "answer",
     {"truth": HALF_CIRCLE}),
    ("arcs that are straight", _of(CURVE_POLYGON, _of(COMPOUND, _arc((-50, 100), (0, 100), (50, 100)),
     _line(*SQUARE[1:]))), "answer", {}),
    ("an arc of four points", _of(CURVE_POLYGON, _arc(*CIRCLE[:4])), "open", {"truth": FIRST_OPEN}),
    ("a polygon of arcs that is not closed", _of(CURVE_POLYGON, _arc(*CIRCLE[:3])), "open", {"truth": FIRST_OPEN}),
    ("pieces of an outline that do not join", _of(CURVE_POLYGON, _of(COMPOUND, _line((-50, 100), (50, 100)),
     _line((50, 200), (-50, 200)), _line((-50, 200), (-50, 100)))), "open", {"truth": FIRST_OPEN}),
):  # fmt: skip

    @case("P", f"GeoPackage: {_title}", _must, **_more)
    def _(folder: Path, wkb: bytes = _wkb) -> Path:
        return first_wkb(folder, wkb, crs=4547)


for _title, _wkb in {
    "a closed line of arcs": ROUNDED,
    "closed lines of arcs": _of(MULTI_CURVE, ROUNDED),
}.items():

    @case("P", f"GeoPackage: {_title}", "open", "enclose areas", truth={0: (IN, None)} | {1: TRUTH[1]})
    def _(folder: Path, wkb: bytes = _wkb) -> Path:
        return first_wkb(folder, wkb, crs=4547)

    @case("P", f"GeoPackage: {_title}, taken as polygons", "repaired", truth=HALF_CIRCLE)
    def _(folder: Path, wkb: bytes = _wkb) -> Request:
        return Request(first_wkb(folder, wkb, crs=4547), ReadOptions(shapes="polygons"))


def _sql(path: Path, *statements: str) -> Path:
    for one in statements:
        changed(path, one)
    return path


@case("P", "GeoPackage: a table of attributes beside the layer", "answer")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gpkg", crs=CODE)
    table = pd.DataFrame({"编号": ["s1"], "备注": ["甲"]})
    pyogrio.write_dataframe(table, path, layer="附表", append=True)
    return path


@case("P", "GeoPackage: the name of the layer in capitals, the shapes of another system", "refused")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gpkg", crs=CODE)
    return _sql(
        path,
        f"INSERT INTO gpkg_spatial_ref_sys VALUES ('x', {OTHER}, 'EPSG', {OTHER}, '{wkt(OTHER)}', '')",
        "UPDATE gpkg_geometry_columns SET table_name = 'SITES'",
        f"UPDATE sites SET geom = substr(geom, 1, 4) || x'{struct.pack('<i', OTHER).hex()}' || substr(geom, 9)",
    )


@case("P", "GeoPackage: a second definition (WKT 2) of another zone", "refused", TWICE)
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gpkg", crs=CODE)
    second = wkt(OTHER, "WKT2_2019").replace("'", "''")
    return _sql(
        path,
        "ALTER TABLE gpkg_spatial_ref_sys ADD COLUMN definition_12_063 TEXT NOT NULL DEFAULT 'undefined'",
        "INSERT INTO gpkg_extensions VALUES ('gpkg_spatial_ref_sys', 'definition_12_063', 'gpkg_crs_wkt', 'x', 'read-write')",
        f"UPDATE gpkg_spatial_ref_sys SET organization = 'NONE', definition_12_063 = '{second}' WHERE srs_id = {CODE}",
    )


for _title, _statement in {
    "a system that is not described": f"DELETE FROM gpkg_spatial_ref_sys WHERE srs_id = {CODE}",
    "an undefined system of degrees": "UPDATE gpkg_geometry_columns SET srs_id = 0",
    "an undefined system of metres": "UPDATE gpkg_geometry_columns SET srs_id = -1",
    "a registered layer that is not there": "DROP TABLE sites",
    "a layer without its entry of shapes": "DELETE FROM gpkg_geometry_columns",
}.items():

    @case("P", f"GeoPackage: {_title}", "refused")
    def _(folder: Path, statement: str = _statement) -> Path:
        return _sql(saved(folder / "sites.gpkg", crs=CODE), statement)


@case("P", "GeoPackage: layer and contents name two zones", "refused", TWICE)
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gpkg", crs=CODE)
    return _sql(
        path,
        f"INSERT INTO gpkg_spatial_ref_sys VALUES ('x', {OTHER}, 'EPSG', {OTHER}, '{wkt(OTHER)}', '')",
        f"UPDATE gpkg_contents SET srs_id = {OTHER}",
    )


@case("P", "GeoPackage: a shape whose head says that it is empty", "open", truth=FIRST_OPEN)
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gpkg", crs=CODE)
    return _sql(path, "UPDATE sites SET geom = x'475000' || x'11' || substr(geom, 5) WHERE fid = 1")


@case("P", "GeoPackage: a shape without its head", "open", truth=FIRST_OPEN)
def _(folder: Path) -> Path:
    return _sql(
        saved(folder / "sites.gpkg", crs=CODE), "UPDATE sites SET geom = x'5858' || substr(geom, 3) WHERE fid = 1"
    )


@case("P", "GeoPackage: shapes written as text", "open", truth=BOTH_OPEN)
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gpkg", crs=CODE)
    return _sql(path, "UPDATE sites SET geom = 'POLYGON ((0 0, 1 0, 1 1, 0 0))'")


@case("P", "GeoPackage: a table that a module of the database computes", "refused")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gpkg", crs=CODE)
    return _sql(path, "ALTER TABLE sites RENAME TO old", "CREATE VIRTUAL TABLE sites USING fts5(id, geom)",
                "INSERT INTO sites SELECT id, geom FROM old")  # fmt: skip


@case("P", "GeoPackage: a second layer that is not registered", "answer")
def _(folder: Path) -> Path:
    return _sql(saved(folder / "sites.gpkg", crs=CODE), "CREATE TABLE more AS SELECT * FROM sites")


def _gdb(folder: Path, *layers: str) -> Path:
    path = folder / "sites.gdb"
    for number, layer in enumerate(layers or ("sites",)):
        pyogrio.write_dataframe(pair().to_crs(CODE), path, layer=layer, driver="OpenFileGDB", append=number > 0)
    return path


def _table_of(path: Path) -> Path:
    """Return the table of the layer: the one with the texts of the sites."""
    return next(one for one in sorted(path.glob("*.gdbtable")) if b"s1" in one.read_bytes() and one.stem > "a00000008")


@case("P", "file geodatabase: two layers", "refused", "holds 2 layers")
def _(folder: Path) -> Path:
    return _gdb(folder, "现状", "规划")


@case("P", "file geodatabase: two layers, one named", "answer")
def _(folder: Path) -> Request:
    return Request(_gdb(folder, "现状", "规划"), ReadOptions(layer="规划"))


@case("P", "file geodatabase: a row that the index does not list", "refused", LOST)
def _(folder: Path) -> Path:
    path = _gdb(folder)
    index = _table_of(path).with_suffix(".gdbtablx")
    data = bytearray(index.read_bytes())
    size = struct.unpack_from("<I", data, 12)[0]
    data[16 + size : 16 + 2 * size] = bytes(size)
    index.write_bytes(data)
    return path


@case("P", "file geodatabase: no index of a table", "refused", "has no index")
def _(folder: Path) -> Path:
    path = _gdb(folder)
    _table_of(path).with_suffix(".gdbtablx").unlink()
    return path


@case("P", "file geodatabase: a table cut short", "refused")
def _(folder: Path) -> Path:
    path = _gdb(folder)
    table = _table_of(path)
    table.write_bytes(table.read_bytes()[:-60])
    return path


@case("P", "file geodatabase: no table of the layer", "refused")
def _(folder: Path) -> Path:
    path = _gdb(folder)
    _table_of(path).unlink()
    return path


@case("P", "file geodatabase: a file under its name", "refused", "is a file, not a folder")
def _(folder: Path) -> Path:
    path = saved(folder / "made.gpkg")
    return path.rename(folder / "sites.gdb")


@case("P", "file geodatabase: a table without shapes beside the layer", "answer")
def _(folder: Path) -> Path:
    path = _gdb(folder)
    table = pd.DataFrame({"编号": ["s1"], "备注": ["甲"]})
    pyogrio.write_dataframe(table, path, layer="附表", driver="OpenFileGDB", append=True)
    return path


def _zipped(folder: Path, *paths: Path) -> Path:
    made = folder / "sites.zip"
    with zipfile.ZipFile(made, "w") as archive:
        for path in paths:
            for one in sorted(path.rglob("*")) if path.is_dir() else [path]:
                archive.write(one, one.relative_to(folder).as_posix())
    for path in paths:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return made


@case("P", "zip of a file geodatabase", "answer")
def _(folder: Path) -> Path:
    return _zipped(folder, _gdb(folder))


@case("P", "zip of a file geodatabase and a shapefile", "refused", "holds 2 layers")
def _(folder: Path) -> Path:
    saved(folder / "地块.shp")
    return _zipped(folder, _gdb(folder), *folder.glob("地块.*"))


@case(
    "P",
    "zip of a shapefile whose parts stand in two folders",
    "open",
    "has no table",
    truth=FIRST_OPEN,
    geometric=TRUTH,
)
def _(folder: Path) -> Path:
    path = saved(folder / "地块.shp")
    (folder / "a").mkdir()
    table = path.with_suffix(".dbf").rename(folder / "a" / "地块.dbf")
    return _zipped(folder, *folder.glob("地块.*"), table)


@case("P", "zip of a shapefile whose parts differ in capitals", "answer")
def _(folder: Path) -> Path:
    path = saved(folder / "plot.shp")
    parts = [
        one.rename(
            folder
            / (one.stem.upper() if n % 2 else one.stem + one.suffix.upper()).replace(
                "PLOT", "PLOT" + one.suffix if n % 2 else "PLOT"
            )
        )
        for n, one in enumerate(sorted(folder.glob("plot.*")))
    ]
    del path
    return _zipped(folder, *parts)


# GeoParquet.
def _parquet(folder: Path, frame: gpd.GeoDataFrame | None = None, **more: Any) -> Path:
    path = folder / "sites.parquet"
    (pair().to_crs(CODE) if frame is None else frame).to_parquet(path, **more)
    return path


def _meta(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    table = pq.read_table(path)
    info = json.loads(table.schema.metadata[b"geo"])
    change(info)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"geo": json.dumps(info).encode()}), path)
    return path


def _shapes(path: Path, change: Callable[[list[bytes]], Iterable[bytes]]) -> Path:
    table = pq.read_table(path)
    at = table.schema.get_field_index("geometry")
    shapes = pa.array(list(change(table.column(at).to_pylist())), pa.binary())
    pq.write_table(table.set_column(at, "geometry", shapes), path)
    return path


@case("P", "GeoParquet: ids in the index of the table", "answer", "the index .*'id'")
def _(folder: Path) -> Path:
    return _parquet(folder, pair().set_index("id"))


@case("P", "GeoParquet: a shape that names another system (EWKB)", "refused", TWICE)
def _(folder: Path) -> Path:
    def change(shapes: list[bytes]) -> list[bytes]:
        return [shapes[0], shapely.to_wkb(shapely.set_srid(shapely.from_wkb(shapes[1]), OTHER), include_srid=True)]

    return _shapes(_parquet(folder), change)


@case("P", "GeoParquet: shapes that name the system of the file (EWKB)", "answer")
def _(folder: Path) -> Path:
    def change(shapes: list[bytes]) -> list[bytes]:
        return [shapely.to_wkb(shapely.set_srid(shapely.from_wkb(s), CODE), include_srid=True) for s in shapes]

    return _shapes(_parquet(folder), change)


@case("P", "GeoParquet: no system, which means degrees of WGS 84", "answer")
def _(folder: Path) -> Path:
    return _meta(_parquet(folder, pair()), lambda info: info["columns"]["geometry"].pop("crs"))


@case("P", "GeoParquet: a system that is null", "refused")
def _(folder: Path) -> Path:
    return _meta(_parquet(folder), lambda info: info["columns"]["geometry"].update(crs=None))


@case("P", "GeoParquet: a column of shapes that is not there", "refused")
def _(folder: Path) -> Path:
    return _meta(_parquet(folder), lambda info: info.update(primary_column="geom"))


@case("P", "GeoParquet: edges that are great circles", "answer")
def _(folder: Path) -> Path:
    return _meta(_parquet(folder, pair()), lambda info: info["columns"]["geometry"].update(edges="spherical"))


@case("P", "GeoParquet: two columns of shapes", "answer", "more than one column of shapes")
def _(folder: Path) -> Path:
    return _parquet(folder, pair().to_crs(CODE).assign(centre=lambda frame: frame.geometry.centroid))


@case("P", "GeoParquet: two columns of one name", "refused")
def _(folder: Path) -> Path:
    path = _parquet(folder)
    table = pq.read_table(path)
    pq.write_table(table.append_column("id", pa.array(["x", "y"])), path)
    return path


@case("P", "GeoParquet: no description of the shapes", "refused")
def _(folder: Path) -> Path:
    path = _parquet(folder)
    pq.write_table(pq.read_table(path).replace_schema_metadata({}), path)
    return path


@case("P", "GeoParquet: a shape cut short", "refused")
def _(folder: Path) -> Path:
    return _shapes(_parquet(folder), lambda shapes: [shapes[0][:20], shapes[1]])


@case("P", "GeoParquet: a folder of parts", "refused", "is a folder")
def _(folder: Path) -> Path:
    path = _parquet(folder)
    part = path.rename(folder / "part-0.parquet")
    path.mkdir()
    part.rename(path / part.name)
    return path


@case("P", "GeoParquet: two groups of rows", "answer")
def _(folder: Path) -> Path:
    return _parquet(folder, row_group_size=1)


# FlatGeobuf without an index: what its header counts against what follows.
def _flat(folder: Path, count: int, more: bytes = b"") -> Path:
    path = saved(folder / "sites.fgb", crs=CODE, SPATIAL_INDEX="NO")
    data = bytearray(path.read_bytes())
    head = 12 + struct.unpack_from("<I", data, 12)[0]
    heads = head - struct.unpack_from("<i", data, head)[0]
    slot = struct.unpack_from("<H", data, heads + 4 + 2 * 8)[0]
    assert struct.unpack_from("<Q", data, head + slot)[0] == 2
    struct.pack_into("<Q", data, head + slot, count)
    path.write_bytes(bytes(data) + more)
    return path


@case("P", "FlatGeobuf: a header that counts fewer rows than follow", "refused", LOST)
def _(folder: Path) -> Path:
    return _flat(folder, 1)


@case("P", "FlatGeobuf: a header that counts more rows than follow", "refused", LOST)
def _(folder: Path) -> Path:
    return _flat(folder, 3)


@case("P", "FlatGeobuf: a header that counts no rows", "answer")
def _(folder: Path) -> Path:
    return _flat(folder, 0)


@case("P", "FlatGeobuf: bytes after its end", "refused")
def _(folder: Path) -> Path:
    return _flat(folder, 2, b"\1\2\3")


@case("P", "FlatGeobuf: no system", "refused", "no coordinate reference system")
def _(folder: Path) -> Path:
    return saved(folder / "sites.fgb", pair().set_crs(None, allow_override=True))


# GML.
def _gml(folder: Path, change: Callable[[str], str], crs: int = 4490) -> Path:
    path = saved(folder / "sites.gml", crs=crs)
    text = path.read_text("utf-8")
    after = change(text)
    assert after != text
    path.write_text(after, "utf-8")
    return path


@case("P", "GML: a service that returned a part of the features", "refused", "says that there are 1,?000")
def _(folder: Path) -> Path:
    return _gml(
        folder,
        lambda t: t.replace(
            "<ogr:FeatureCollection", '<ogr:FeatureCollection numberMatched="1000" numberReturned="2"', 1
        ),
    )


@case("P", "GML: a service that returned all features", "answer")
def _(folder: Path) -> Path:
    return _gml(
        folder,
        lambda t: t.replace("<ogr:FeatureCollection", '<ogr:FeatureCollection numberMatched="2" numberReturned="2"', 1),
    )


@case("P", "GML: a service that does not know how many features there are", "answer")
def _(folder: Path) -> Path:
    return _gml(
        folder,
        lambda t: t.replace(
            "<ogr:FeatureCollection", '<ogr:FeatureCollection numberMatched="unknown" numberReturned="2"', 1
        ),
    )


@case("P", "GML: features with two shapes", "refused", "more than one shape: geometryproperty, extent")
def _(folder: Path) -> Path:
    def change(text: str) -> str:
        inner = re.search(r"<ogr:geometryProperty>(.*?)</ogr:geometryProperty>", text, re.DOTALL)
        assert inner is not None
        return text.replace(
            "</ogr:geometryProperty>",
            "</ogr:geometryProperty><ogr:extent>" + re.sub(r'gml:id="[^"]*"', 'gml:id="x"', inner[1]) + "</ogr:extent>",
        )

    return _gml(folder, change)


@case("P", "GML: an id given twice", "refused", "'id' stands twice")
def _(folder: Path) -> Path:
    return _gml(folder, lambda t: t.replace("<ogr:id>s1</ogr:id>", "<ogr:id>s1</ogr:id><ogr:id>s9</ogr:id>"))


@case("P", "GML: an odd number of coordinates", "refused")
def _(folder: Path) -> Path:
    return _gml(folder, lambda t: re.sub(r"(<gml:posList[^>]*>)[\d.\-]+ ", r"\1", t, count=1))


@case("P", "GML: no system", "refused", "no coordinate reference system")
def _(folder: Path) -> Path:
    return _gml(folder, lambda t: re.sub(r' srsName="[^"]*"', "", t))


@case("P", "GML: a system described within the file", "refused")
def _(folder: Path) -> Path:
    return _gml(folder, lambda t: re.sub(r'srsName="[^"]*"', 'srsName="#crs1"', t))


@case("P", "GML: an inclusion of another file (XInclude)", "refused", "XInclude")
def _(folder: Path) -> Path:
    include = (
        '<ogr:featureMember><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="b.gml"/></ogr:featureMember>'
    )
    return _gml(folder, lambda t: t.replace("</ogr:FeatureCollection>", include + "</ogr:FeatureCollection>"))


@case("P", "GML: a description of its fields (.gfs) beside it, of another layer", "answer")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gml", crs=4490)
    path.with_suffix(".gfs").write_text(
        "<GMLFeatureClassList><GMLFeatureClass><Name>others</Name><ElementPath>others</ElementPath>"
        "</GMLFeatureClass></GMLFeatureClassList>"
    )
    return path


def _coordinates(folder: Path, cs: str, ts: str, decimal: str) -> Path:
    """Write the sites as GML 2, with separators of numbers and points, stated as attributes."""
    marks = ""
    for _, row in pair().iterrows():
        points = ts.join(
            cs.join(f"{v:.9f}".replace(".", decimal) for v in point) for point in row.geometry.exterior.coords
        )
        ring = f'<gml:coordinates cs="{cs}" ts="{ts}" decimal="{decimal}">{points}</gml:coordinates>'
        marks += (
            f"<gml:featureMember><sites><id>{row['id']}</id><activity>{row['activity']}</activity><geom>"
            f'<gml:Polygon srsName="EPSG:4490"><gml:outerBoundaryIs><gml:LinearRing>{ring}</gml:LinearRing>'
            "</gml:outerBoundaryIs></gml:Polygon></geom></sites></gml:featureMember>"
        )
    path = folder / "sites.gml"
    path.write_text(f'<FeatureCollection xmlns:gml="http://www.opengis.net/gml">{marks}</FeatureCollection>', "utf-8")
    return path


for _separators in ((",", " ", "."), (" ", ";", "."), (" ", ";", ","), (";", " ", ",")):

    @case("P", f"GML: coordinates with the separators {' '.join(map(repr, _separators))}", "answer")
    def _(folder: Path, separators: tuple[str, str, str] = _separators) -> Path:
        return _coordinates(folder, *separators)


# What a service says of the features that it left out.
def _json(folder: Path, **more: Any) -> Path:
    path = saved(folder / "sites.geojson", crs=4326)
    document = json.loads(path.read_text("utf-8")) | more
    path.write_text(json.dumps(document), "utf-8")
    return path


for _title, _members in {
    "a service that returned a part of the features": {"numberMatched": 1000, "numberReturned": 2},
    "a service that counts more features": {"totalFeatures": 1000},
    "a service that reached its limit": {"exceededTransferLimit": True},
    "a service that reached its limit, by its properties": {"properties": {"exceededTransferLimit": True}},
    "a service with a next page": {"links": [{"rel": "next", "href": "https://a.example/2"}]},
}.items():

    @case("P", f"GeoJSON: {_title}", "refused", "only a part|says that there are")
    def _(folder: Path, members: dict[str, Any] = _members) -> Path:
        return _json(folder, **members)


@case("P", "GeoJSON: a service that returned all features", "answer")
def _(folder: Path) -> Path:
    return _json(folder, numberMatched=2, numberReturned=2, totalFeatures=2, exceededTransferLimit=False,
                 links=[{"rel": "self", "href": "https://a.example"}])  # fmt: skip


# Shapefiles.
def _big5(folder: Path, **more: Any) -> Path:
    frame = pair().assign(備註=["連州鎮東風村經濟合作社", "國土資源管理局測繪院"])
    path = saved(folder / "sites.shp", frame, encoding="UTF-8")
    rows = [["s1", "housing", "連州鎮東風村經濟合作社"], ["s2", "housing", "國土資源管理局測繪院"]]
    fields = [("id", 20), ("activity", 20), ("備註", 60)]
    table = raw.dbf(
        [(n.encode("big5"), s) for n, s in fields], [[v.encode("big5") for v in row] for row in rows], **more
    )
    path.with_suffix(".dbf").write_bytes(table)
    path.with_suffix(".cpg").unlink()
    return path


@case("P", "shapefile: a table in Big5 that names no encoding", "refused", "Big5")
def _(folder: Path) -> Path:
    return _big5(folder)


@case("P", "shapefile: a table in Big5, as its byte of language says", "answer")
def _(folder: Path) -> Path:
    return _big5(folder, language=0x78)


@case("P", "shapefile: a table in Big5, as its .cpg says", "answer")
def _(folder: Path) -> Path:
    path = _big5(folder)
    path.with_suffix(".cpg").write_text("BIG5")
    return path


@case("P", "a table in Big5", "refused", "Big5")
def _(folder: Path) -> Path:
    path = folder / "sites.csv"
    rows = [f'{r["id"]},housing,連州鎮東風村經濟合作社,"{r.geometry.wkt}"' for _, r in pair().iterrows()]
    path.write_text("\n".join(["id,activity,備註,WKT", *rows]), "big5")
    return path


@case("P", "KML in Big5 that names no encoding", "refused", "Big5")
def _(folder: Path) -> Path:
    path = folder / "sites.kml"
    text = kml("<name>連州鎮東風村經濟合作社國土資源管理局測繪院</name>").partition("?>")[2]
    path.write_bytes(re.sub("<name>[^<]{1,4}</name>", "", text).encode("big5"))
    return path


@case("P", "KML in Big5, as it says", "answer")
def _(folder: Path) -> Path:
    path = folder / "sites.kml"
    text = kml("<name>連州鎮東風村經濟合作社</name>").replace("UTF-8", "Big5")
    path.write_bytes(re.sub("<name>[^<]{1,4}</name>", "", text).encode("big5"))
    return path


@case("P", "shapefile: an empty .cpg", "answer")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.shp", encoding="GBK")
    path.with_suffix(".cpg").write_text("")
    return path


@case("P", "shapefile: a .cpg that names no encoding", "answer")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.shp", encoding="GBK")
    path.with_suffix(".cpg").write_text("OEM")
    return path


@case("P", "shapefile: its .prj in capitals", "answer")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.shp", crs=CODE)
    path.with_suffix(".prj").rename(folder / "sites.PRJ")
    return path


@case("P", "shapefile: a .prj with a byte order mark", "answer")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.shp", crs=CODE)
    path.with_suffix(".prj").write_text(path.with_suffix(".prj").read_text(), "utf-8-sig")
    return path


@case("P", "shapefile: a .prj that holds a code", "refused", "prj|no coordinate reference system")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.shp", crs=CODE)
    path.with_suffix(".prj").write_text("EPSG:4546")
    return path


@case("P", "shapefile: a .qpj of another zone", "refused", TWICE)
def _(folder: Path) -> Path:
    path = saved(folder / "sites.shp", crs=CODE)
    path.with_suffix(".qpj").write_text(wkt(OTHER))
    return path


@case("P", "shapefile: a .qpj of its system", "answer")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.shp", crs=CODE)
    path.with_suffix(".qpj").write_text(wkt(CODE))
    return path


@case("P", "shapefile: a shape that is null", "open", "has no geometry", truth=FIRST_OPEN)
def _(folder: Path) -> Path:
    frame = pair()
    frame.loc[0, "geometry"] = None
    return saved(folder / "sites.shp", frame)


def _rings(folder: Path, *rings: list[tuple[float, float]]) -> Path:
    """Write the sites as a shapefile byte by byte, the first of the given rings."""
    frame = pair()
    others = [list(frame.geometry.iloc[1].exterior.coords)[::-1]]
    shapes, index = raw.shp([rings[0], others[0]])
    path = folder / "sites.shp"
    path.write_bytes(shapes)
    path.with_suffix(".shx").write_bytes(index)
    path.with_suffix(".prj").write_text(raw.CGCS2000_GEOGRAPHIC)
    rows = [[str(r["id"]).encode(), b"housing"] for _, r in frame.iterrows()]
    path.with_suffix(".dbf").write_bytes(raw.dbf([(b"id", 20), (b"activity", 20)], rows))
    return path


@case("P", "shapefile: a ring in the direction of holes", "answer")
def _(folder: Path) -> Path:
    ring = shapely.get_coordinates(shapely.orient_polygons(pair().geometry.iloc[0], exterior_cw=False))
    return _rings(folder, [tuple(p) for p in ring])


@case("P", "shapefile: a number too long for its field as id", "refused", "is empty|is no number|\\*\\*\\*")
def _(folder: Path) -> Path:
    path = _rings(folder, [tuple(p) for p in pair().geometry.iloc[0].exterior.coords][::-1])
    table = bytearray(path.with_suffix(".dbf").read_bytes())
    table[32 + 11] = ord("N")
    at = table.index(b"s1")
    table[at : at + 20] = b"*" * 20
    at = table.index(b"s2")
    table[at : at + 20] = b"2".rjust(20)
    path.with_suffix(".dbf").write_bytes(table)
    return path


@case("P", "shapefile: two fields of one name", "refused", "two fields are called 'id'")
def _(folder: Path) -> Path:
    path = _rings(folder, [tuple(p) for p in pair().geometry.iloc[0].exterior.coords][::-1])
    rows = [[b"s1", b"x", b"housing"], [b"s2", b"y", b"housing"]]
    path.with_suffix(".dbf").write_bytes(raw.dbf([(b"id", 20), (b"id", 20), (b"activity", 20)], rows))
    return path


# What drawings and KML hold besides sites.
@case("P", "drawing with shapes in paper space alone", "refused", "2 .*paper space")
def _(folder: Path) -> Request:
    made = ezdxf.new("R2010")
    for one in pair().to_crs(4526).geometry:
        made.layout().add_lwpolyline(list(one.exterior.coords)[:-1], close=True)
    made.saveas(folder / "sites.dxf")
    return Request(folder / "sites.dxf", ReadOptions(crs="EPSG:4526"))


@case("P", "drawing with a shape in paper space too", "open", "1 .*paper space", truth=FIRST_OPEN, geometric=TRUTH)
def _(folder: Path) -> Request:
    made = ezdxf.new("R2010")
    for one in pair().to_crs(4526).geometry:
        made.modelspace().add_lwpolyline(list(one.exterior.coords)[:-1], close=True)
    made.layout().add_lwpolyline([(0, 0), (420, 0), (420, 297), (0, 297)], close=True)
    made.saveas(folder / "sites.dxf")
    return Request(folder / "sites.dxf", ReadOptions(crs="EPSG:4526"))


OVERLAY = (
    "<GroundOverlay><name>规划图</name><Icon><href>a.png</href></Icon><LatLonBox><north>25.1</north><south>25</south>"
    "<east>112.6</east><west>112.5</west></LatLonBox></GroundOverlay>"
)


@case("P", "KML with a picture laid on the ground", "answer", "1 pictures.*规划图")
def _(folder: Path) -> Path:
    path = folder / "sites.kml"
    path.write_text(kml(OVERLAY), "utf-8")
    return path


@case("P", "KML of nothing but a picture", "refused", "1 pictures.*规划图|picture")
def _(folder: Path) -> Path:
    path = folder / "sites.kml"
    path.write_text(re.sub("<Placemark>.*</Placemark>", "", kml(OVERLAY)), "utf-8")
    return path


@case("P", "KML with a field given twice", "refused", "'id'.*twice", names="placemark 1")
def _(folder: Path) -> Path:
    path = folder / "sites.kml"
    field = '<Data name="id"><value>s1</value></Data>'
    path.write_text(kml().replace(field, field + field.replace("s1", "s9"), 1), "utf-8")
    return path


@case("P", "KML with a field of the name of the shape", "answer")
def _(folder: Path) -> Path:
    path = folder / "sites.kml"
    path.write_text(
        kml().replace("<ExtendedData>", '<ExtendedData><Data name="geometry"><value>面</value></Data>'), "utf-8"
    )
    return path


@case("P", "KML with a field of the name of the placemark", "answer")
def _(folder: Path) -> Path:
    path = folder / "sites.kml"
    path.write_text(
        kml().replace("<ExtendedData>", '<ExtendedData><Data name="name"><value>别名</value></Data>'), "utf-8"
    )
    return path


@case("P", "workbook under a name of the older format", "answer", "whether rows or columns are hidden")
def _(folder: Path) -> Path:
    frame = pair()
    table = frame.drop(columns="geometry").assign(WKT=[one.wkt for one in frame.geometry])
    table.to_excel(folder / "sites.xlsx", index=False, engine="xlsxwriter")
    path = (folder / "sites.xlsx").rename(folder / "sites.xls")
    return Request(path, ReadOptions(crs="EPSG:4490"))


@case("P", "shapefile: a record more than its table states", "answer", "holds 1 records more than its header states")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.shp", crs=CODE)
    table = path.with_suffix(".dbf").read_bytes()
    length = struct.unpack_from("<H", table, 10)[0]
    path.with_suffix(".dbf").write_bytes(table.rstrip(b"\x1a") + b" ".ljust(length) + b"\x1a")
    return path


@case("P", "a table in Big5, as declared", "answer")
def _(folder: Path) -> Request:
    path = folder / "sites.csv"
    rows = [f'{r["id"]},住宅,連州鎮東風村經濟合作社,"{r.geometry.wkt}"' for _, r in pair().iterrows()]
    path.write_text("\n".join(["id,activity,備註,WKT", *rows]), "big5")
    return Request(path, ReadOptions(encoding="Big5", crs="EPSG:4490"))


@case("P", "drawing whose page of codes is that of Big5", "open", truth=FIRST_OPEN, geometric=TRUTH)
def _(folder: Path) -> Request:
    made = ezdxf.new("R2000", setup=False)
    made.encoding = "cp950"
    for one in pair().to_crs(4526).geometry:
        made.modelspace().add_lwpolyline(list(one.exterior.coords)[:-1], close=True)
        made.modelspace().add_text("連州鎮東風村經濟合作社").set_placement(one.centroid.coords[0])
    made.saveas(folder / "sites.dxf", encoding="cp950")
    return Request(folder / "sites.dxf", ReadOptions(crs="EPSG:4526"))


@case("P", "GML: features of two types", "refused", "holds 2 layers")
def _(folder: Path) -> Path:
    def change(text: str) -> str:
        at = text.rindex("<ogr:sites ")
        return text[:at] + text[at:].replace("ogr:sites", "ogr:others")

    return _gml(folder, change)


for _name in ("现状 地块", 'a"b', "a'b", "select", "a;b--"):

    @case("P", f"GeoPackage: a layer of the name {_name}", "answer")
    def _(folder: Path, name: str = _name) -> Path:
        return saved(folder / "sites.gpkg", crs=CODE, layer=name, GEOMETRY_NAME=f"{name} 形状")


@case("P", "GeoParquet: columns of every type", "answer")
def _(folder: Path) -> Path:
    frame = pair().to_crs(CODE)
    more = {
        "类别": pd.Categorical(["甲", "乙"]),
        "时间": pd.to_datetime(["2026-01-01", None]).tz_localize("Asia/Shanghai"),
        "列表": [[1, 2], None],
        "结构": [{"a": 1}, None],
        "字节": [b"\xff", None],
        "真假": pd.array([True, None], dtype="boolean"),
        "数": pd.array([2**53 + 1, None], dtype="Int64"),
    }
    return _parquet(folder, frame.assign(**more))


for _name in ("ISO-8859-1", "1252"):

    @case(
        "P",
        f"shapefile: a table in GBK under a .cpg of {_name}",
        "answer",
        f".cpg says {_name}, but the text is GB18030",
    )
    def _(folder: Path, name: str = _name) -> Path:
        path = saved(folder / "sites.shp", pair().assign(备注="连州镇东风村经济合作社"), encoding="GBK")
        path.with_suffix(".cpg").write_text(name)
        return path


@case("P", "KML in GBK that states ISO-8859-1", "answer")
def _(folder: Path) -> Path:
    path = folder / "sites.kml"
    path.write_bytes(kml().replace("UTF-8", "ISO-8859-1").encode("gbk"))
    return path
