"""Family N: systems that a file states twice, and rows that stand where libraries do not look."""

from __future__ import annotations

import json
import re
import sqlite3
import struct
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
from pyproj import CRS

from bad_inputs.case import Request, case, pair, saved
from lzgis.reading import ReadOptions

#: The sites lie in the zone of 111° E; the same numbers in the zone of 114° E lie 300 km further east.
CODE, OTHER = 4546, 4547
TWICE = "states two different systems"


def wkt(code: int, version: str = "WKT1_GDAL") -> str:
    """Return the definition of a code as text."""
    return str(CRS.from_epsg(code).to_wkt(version))


def changed(path: Path, statement: str, *values: object) -> Path:
    """Run a statement of SQL on a GeoPackage, without its triggers."""
    database = sqlite3.connect(path)
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f'DROP TRIGGER "{name}"')
    database.execute(statement, values)
    database.commit()
    database.close()
    return path


@case("N", "GeoPackage whose code and definition are two zones", "refused", TWICE)
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gpkg", crs=CODE)
    return changed(path, "UPDATE gpkg_spatial_ref_sys SET definition = ? WHERE srs_id = ?", wkt(OTHER), CODE)


@case("N", "GeoPackage whose code is CGCS2000 and whose definition is Xian 1980", "refused", TWICE)
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gpkg", crs=CODE)
    return changed(path, "UPDATE gpkg_spatial_ref_sys SET definition = ? WHERE srs_id = ?", wkt(2382), CODE)


@case("N", "GeoPackage whose code is CGCS2000 and whose definition is WGS 84", "answer", "names another datum")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gpkg", crs=4490)
    return changed(path, "UPDATE gpkg_spatial_ref_sys SET definition = ? WHERE srs_id = ?", wkt(4326), 4490)


@case("N", "GeoPackage whose shapes name another system than their layer", "refused", TWICE)
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gpkg", crs=CODE)
    database = sqlite3.connect(path)
    row = ("x", OTHER, "EPSG", OTHER, wkt(OTHER), "")
    database.execute("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", row)
    blob = database.execute("SELECT geom FROM sites WHERE fid = 2").fetchone()[0]
    database.commit()
    database.close()
    other = blob[:4] + struct.pack("<i", OTHER) + blob[8:]
    return changed(path, "UPDATE sites SET geom = ? WHERE fid = 2", other)


@case("N", "GeoPackage whose shapes name no system", "answer")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gpkg", crs=CODE)
    database = sqlite3.connect(path)
    blob = database.execute("SELECT geom FROM sites WHERE fid = 2").fetchone()[0]
    database.close()
    return changed(path, "UPDATE sites SET geom = ? WHERE fid = 2", blob[:4] + struct.pack("<i", 0) + blob[8:])


@case("N", "shapefile whose .prj has the code of another zone", "refused", TWICE)
def _(folder: Path) -> Path:
    path = saved(folder / "sites.shp", crs=CODE)
    text = wkt(CODE).replace(f'AUTHORITY["EPSG","{CODE}"]', f'AUTHORITY["EPSG","{OTHER}"]')
    path.with_suffix(".prj").write_text(text)
    return path


@case("N", "shapefile whose .prj has the name of another zone", "refused", TWICE)
def _(folder: Path) -> Path:
    path = saved(folder / "sites.shp", crs=CODE)
    text = wkt(OTHER, "WKT1_ESRI").replace(",114.0", ",111.0")
    path.with_suffix(".prj").write_text(text)
    return path


@case("N", "shapefile whose .prj has a name of its own", "answer")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.shp", crs=CODE)
    text = re.sub(r'PROJCS\["[^"]*"', 'PROJCS["连州2000"', wkt(CODE, "WKT1_ESRI"), count=1)
    path.with_suffix(".prj").write_text(text, "utf-8")
    return path


@case("N", "FlatGeobuf whose code and definition are two zones", "refused", TWICE)
def _(folder: Path) -> Path:
    path = saved(folder / "sites.fgb", crs=CODE)
    data = path.read_bytes()
    head = data[:3000].replace(struct.pack("<i", CODE), struct.pack("<i", OTHER), 1)
    path.write_bytes(head + data[3000:])
    return path


@case("N", "GeoParquet whose code and parameters are two zones", "refused", TWICE)
def _(folder: Path) -> Path:
    return _parquet(folder, lambda crs: {**crs, "id": {"authority": "EPSG", "code": OTHER}})


@case("N", "GeoParquet whose column names another system than its metadata", "refused", TWICE)
def _(folder: Path) -> Path:
    return _parquet(folder, lambda crs: crs, column=OTHER)


def _parquet(folder: Path, change: object, column: int = CODE) -> Path:
    path = folder / "sites.parquet"
    pair().to_crs(CODE).to_parquet(path)
    table = pq.read_table(path)
    info = json.loads(table.schema.metadata[b"geo"])
    info["columns"]["geometry"]["crs"] = change(info["columns"]["geometry"]["crs"])  # type: ignore[operator]
    i = table.schema.get_field_index("geometry")
    own = {b"ARROW:extension:metadata": json.dumps({"crs": f"EPSG:{column}"}).encode()}
    schema = table.schema.set(i, table.schema.field(i).with_metadata(own))
    schema = schema.with_metadata({**table.schema.metadata, b"geo": json.dumps(info).encode()})
    pq.write_table(table.cast(schema), path)
    return path


@case("N", "GML whose shapes name another system than the collection", "refused", TWICE)
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gml", crs=CODE)
    text = path.read_text("utf-8")
    first = f"EPSG::{CODE}"
    path.write_text(text.replace(first, f"EPSG::{OTHER}", 1), "utf-8")
    return path


@case("N", "GML that names its system in two orders of axes", "refused", "order of axes")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gml", crs=4490)
    text = path.read_text("utf-8")
    path.write_text(text.replace("urn:ogc:def:crs:EPSG::4490", "EPSG:4490", 1), "utf-8")
    return path


@case("N", "file geodatabase whose code and definition are two zones", "refused", TWICE)
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gdb", crs=CODE, driver="OpenFileGDB")
    for table in path.glob("*.gdbtable"):
        data = table.read_bytes()
        for kind in ("WKID", "LatestWKID"):
            data = data.replace(f"<{kind}>{CODE}<".encode(), f"<{kind}>{OTHER}<".encode())
        table.write_bytes(data)
    return path


@case("N", "a table with a row of data above its head", "refused", "stands above the head", names="row 1")
def _(folder: Path) -> Path:
    frame = pair()
    lines = [f'{row["id"]},{row["activity"]},"{row.geometry.wkt}"' for _, row in frame.iterrows()]
    path = folder / "sites.csv"
    path.write_text("\n".join([lines[0], "id,activity,WKT", lines[1]]), "utf-8")
    return path


@case("N", "a workbook that gives its cells twice", "refused", "gives cell A3 twice")
def _(folder: Path) -> Path:
    frame = pair()
    made = folder / "made.xlsx"
    table = frame.drop(columns="geometry").assign(WKT=frame.geometry.to_wkt())
    table.to_excel(made, index=False, engine="xlsxwriter")
    path = folder / "sites.xlsx"
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            if name.endswith("sheet1.xml"):
                row = re.search(rb'<row r="3".*?</row>', text, re.DOTALL)
                assert row is not None
                text = text.replace(row[0], row[0] * 2)
            target.writestr(name, text)
    made.unlink()
    return path


GML = '<ogr:featureMember xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="https://a.example/2"/>'


@case("N", "GML that names a feature by a link", "refused", "a feature that is not in the file")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gml", crs=4490)
    text = path.read_text("utf-8")
    path.write_text(text.replace("</ogr:FeatureCollection>", GML + "</ogr:FeatureCollection>"), "utf-8")
    return path


@case("N", "GML with a feature within another", "refused", "where GML has none")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gml", crs=4490)
    text = path.read_text("utf-8")
    members = re.findall(r"<ogr:featureMember>.*?</ogr:featureMember>", text, re.DOTALL)
    inner = members[1].removeprefix("<ogr:featureMember>").removesuffix("</ogr:featureMember>")
    text = text.replace(members[1], "").replace("</ogr:sites>", inner + "</ogr:sites>", 1)
    path.write_text(text, "utf-8")
    return path


@case("N", "a damaged drawing of which an outline cannot be read", "refused", "is damaged, and 1 of its entities")
def _(folder: Path) -> Request:
    shape = pair().to_crs(CODE).geometry.iloc[0]
    points = "".join(f" 10\n{x:.3f}\n 20\n{y:.3f}\n" for x, y in shape.exterior.coords[:-1])
    good = f"  0\nLWPOLYLINE\n  5\n2F\n100\nAcDbEntity\n  8\n0\n100\nAcDbPolyline\n 90\n4\n 70\n1\n{points}"
    bad = good.replace("2F", "3F").replace(" 20\n", "0.5\n", 1)
    text = (
        f"  0\nSECTION\n  2\nHEADER\n  9\n$ACADVER\n  1\nAC1015\n  0\nENDSEC\n  0\nSECTION\n  2\nENTITIES\n{good}{bad}"
    )
    path = folder / "sites.dxf"
    path.write_text(text + "  0\nENDSEC\n  0\nEOF\n")
    return Request(path, ReadOptions(crs=f"EPSG:{CODE}"))


def in_json(folder: Path, change: object) -> Path:
    """Write GeoJSON in degrees whose document was changed; its second site is outside the redline."""
    path = saved(folder / "sites.geojson", crs=4326)
    document = json.loads(path.read_text("utf-8"))
    document.pop("crs", None)
    change(document)
    path.write_text(json.dumps(document), "utf-8")
    return path


def named(code: int) -> dict[str, object]:
    """Return a system as GeoJSON names it."""
    return {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{code}"}}


@case("N", "GeoJSON with the system Xian 1980 in one feature", "refused", TWICE + ".*feature 2 'Xian 1980'")
def _(folder: Path) -> Path:
    return in_json(folder, lambda document: document["features"][1].update(crs=named(4610)))


@case("N", "GeoJSON with the system Xian 1980 in one geometry", "refused", TWICE + ".*feature 1 'Xian 1980'")
def _(folder: Path) -> Path:
    return in_json(folder, lambda document: document["features"][0]["geometry"].update(crs=named(4610)))


@case("N", "GeoJSON with a code of Xian 1980 among the properties", "refused", TWICE + ".*feature 1 'Xian 1980'")
def _(folder: Path) -> Path:
    return in_json(folder, lambda document: document["features"][0]["properties"].update(SRID=4610))


@case("N", "GeoJSON with a code of Xian 1980 as a member of its own", "refused", TWICE + ".*member 'srid' 'Xian 1980'")
def _(folder: Path) -> Path:
    return in_json(folder, lambda document: document.update(srid=4610))


@case("N", "GeoJSON with the projected system of ArcGIS as a member of its own", "refused", TWICE)
def _(folder: Path) -> Path:
    return in_json(folder, lambda document: document.update(spatialReference={"wkid": 4526, "latestWkid": 4526}))


@case("N", "GeoJSON with a system in a feature that nobody knows", "refused", "names a system that is not known")
def _(folder: Path) -> Path:
    return in_json(folder, lambda document: document["features"][0].update(crs={"type": "name", "properties": {}}))


@case("N", "GeoJSON with CGCS2000 in its features", "answer", "feature 1 names another datum")
def _(folder: Path) -> Path:
    return in_json(folder, lambda document: [one.update(crs=named(4490)) for one in document["features"]])


@case("N", "GeoJSON with numbers among the properties that are no systems", "answer")
def _(folder: Path) -> Path:
    return in_json(folder, lambda document: document["features"][0]["properties"].update(srs="a", epsg="", crs="甲"))
