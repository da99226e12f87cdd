"""Family E: files that were made to do harm. Nothing of `SECRET` may ever be seen, and nobody may be called."""

from __future__ import annotations

import json
import sqlite3
import stat
import struct
import zipfile
from pathlib import Path

import numpy as np

from bad_inputs.case import FIRST_OPEN, Request, case, pair, saved
from bad_inputs.listening import URL
from bad_inputs.packaging import KML, kml
from lzgis.reading import Limits, ReadOptions

SECRET = "top-secret-4711"


def secret(folder: Path) -> Path:
    """Write a file that must not be read next to the folder of the case: sites named by the secret."""
    outside = folder.parent / f"{folder.name}-private"
    outside.mkdir()
    frame = pair().assign(name=SECRET, id=[SECRET, "other"])
    (outside / "secret.txt").write_text(SECRET)
    saved(outside / "secret.gpkg", frame)
    return saved(outside / "secret.geojson", frame, crs=4326)


def zipped(folder: Path, **members: bytes) -> Path:
    """Write a zip of members by name; ``__`` stands for a slash."""
    with zipfile.ZipFile(folder / "sites.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return folder / "sites.zip"


@case("E", "a zip bomb: 200 MB in 200 kB", "refused", "unpacks to more than 100 times its size")
def _(folder: Path) -> Path:
    with (
        zipfile.ZipFile(folder / "sites.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.geojson", "w") as out,
    ):
        for _ in range(200):
            out.write(b" " * 1_000_000)
    return folder / "sites.zip"


@case("E", "a zip that says it is small", "refused", "damaged|more than")
def _(folder: Path) -> Path:
    path = zipped(folder, a_dot_geojson=b" " * 5_000_000)
    data = bytearray(path.read_bytes())
    # The size in the directory of the archive: 1 kB.
    at = data.rindex(b"PK\1\2")
    data[at + 24 : at + 28] = struct.pack("<I", 1000)
    path.write_bytes(bytes(data))
    return path


@case("E", "a zip that unpacks above its folder", "refused", "would be unpacked outside its folder")
def _(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "sites.zip", "w") as archive:
        archive.writestr("../../escaped.geojson", "{}")
    return folder / "sites.zip"


@case("E", "a zip with a link to another file", "refused", "is a link, not a file")
def _(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "sites.zip", "w") as archive:
        link = zipfile.ZipInfo("sites.geojson")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, str(secret(folder)))
    return folder / "sites.zip"


@case("E", "a zip in a zip", "refused", "is an archive inside an archive")
def _(folder: Path) -> Path:
    return zipped(folder, inner_dot_zip=b"PK\5\6" + b"\0" * 18)


@case("E", "a zip of 20,000 files", "refused", "holds 20000 files")
def _(folder: Path) -> Path:
    return zipped(folder, **{f"{i}_dot_txt": b"" for i in range(20_000)})


@case("E", "JSON nested 100,000 deep", "refused", "nested too deeply")
def _(folder: Path) -> Path:
    (folder / "sites.geojson").write_text("[" * 100_000 + "]" * 100_000)
    return folder / "sites.geojson"


@case("E", "properties nested 50,000 deep", "refused", "nested too deeply")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.geojson", crs=4326)
    text = path.read_text("utf-8").replace('"activity":', '"deep": ' + "[" * 50_000 + "]" * 50_000 + ', "activity":', 1)
    path.write_text(text.replace('"activity": ', '"activity": '), "utf-8")
    return path


@case("E", "a number of a million digits", "refused", "too long|is no JSON|cannot be read|no reference|not a number")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.geojson", crs=4326)
    path.write_text(path.read_text("utf-8").replace('"activity"', f'"n": {"9" * 1_000_000}, "activity"', 1), "utf-8")
    return path


@case("E", "a name of a million letters", "answer")
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", pair().assign(name=["名" * 1_000_000, "b"]))


@case("E", "3,000 columns", "answer")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.geojson", crs=4326)
    document = json.loads(path.read_text("utf-8"))
    for feature in document["features"]:
        feature["properties"] |= {f"c{i}": i for i in range(3000)}
    path.write_text(json.dumps(document), "utf-8")
    return path


@case("E", "names that are SQL, script and formula", "answer")
def _(folder: Path) -> Path:
    names = ["'; DROP TABLE sites; --", "<script>alert(1)</script>=cmd|' /C calc'!A0"]
    return saved(folder / "sites.gpkg", pair().assign(name=names))


def _with_doctype(folder: Path, doctype: str, name: str = "&x;") -> Path:
    text = kml().replace('<kml xmlns="http', f'{doctype}<kml xmlns="http', 1).replace("<name>地块1", f"<name>{name}", 1)
    (folder / "sites.kml").write_text(text, "utf-8")
    return folder / "sites.kml"


@case("E", "XML that reads another file (XXE)", "refused", "has a document type")
def _(folder: Path) -> Path:
    outside = secret(folder).with_name("secret.txt")
    return _with_doctype(folder, f'<!DOCTYPE kml [<!ENTITY x SYSTEM "{outside.as_uri()}">]>')


@case("E", "XML that calls somebody (XXE)", "refused", "has a document type")
def _(folder: Path) -> Path:
    return _with_doctype(folder, f'<!DOCTYPE kml [<!ENTITY % p SYSTEM "{URL}/p.dtd"> %p;]>', "a")


@case("E", "a thousand million laughs", "refused", "has a document type")
def _(folder: Path) -> Path:
    laughs = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    return _with_doctype(folder, f"<!DOCTYPE kml [{laughs}]>", "&a9;")


@case("E", "KML that links to elsewhere (NetworkLink)", "answer", "NetworkLink")
def _(folder: Path) -> Path:
    link = f"<NetworkLink><Link><href>{URL}/more.kml</href></Link></NetworkLink>"
    (folder / "sites.kml").write_text(kml(link), "utf-8")
    return folder / "sites.kml"


@case("E", "KML of nothing but a link", "refused", "has no rows")
def _(folder: Path) -> Path:
    link = f"<NetworkLink><Link><href>{URL}/more.kml</href></Link></NetworkLink>"
    (folder / "sites.kml").write_text(KML.format(more=link, marks=""), "utf-8")
    return folder / "sites.kml"


@case("E", "GML whose schema lies elsewhere", "answer")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gml", crs=4326)
    path.with_suffix(".xsd").unlink()
    text = path.read_text("utf-8").replace("sites.xsd", f"{URL}/sites.xsd")
    path.write_text(text, "utf-8")
    return path


@case("E", "GML that refers to elsewhere (xlink)", "open", "has no geometry", truth=FIRST_OPEN)
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gml", crs=4326)
    text = path.read_text("utf-8")
    start, end = text.index("<ogr:geometryProperty>"), text.index("</ogr:geometryProperty>")
    text = (
        text[:start] + f'<ogr:geometryProperty xlink:href="{URL}/g#1"/>' + text[end + len("</ogr:geometryProperty>") :]
    )
    path.write_text(text.replace("xmlns:gml=", 'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:gml=', 1), "utf-8")
    return path


VRT = '<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{path}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
for _suffix in (".gpkg", ".geojson", ".shp", ".fgb", ".kml", ".gml", ".csv", ".dxf", ".parquet", ".xlsx", ".txt"):

    @case("E", f"a description of another file (VRT) as {_suffix}", "refused")
    def _(folder: Path, suffix: str = _suffix) -> Path:
        (folder / f"sites{suffix}").write_text(VRT.format(path=secret(folder)), "utf-8")
        return folder / f"sites{suffix}"


@case("E", "a description of another file (VRT) in a zip", "refused")
def _(folder: Path) -> Path:
    return zipped(folder, sites_dot_shp=VRT.format(path=secret(folder)).encode())


@case("E", "a pipeline of GDAL (GDALG) as .json", "refused", "no GeoJSON")
def _(folder: Path) -> Path:
    line = f"gdal vector pipeline ! read {secret(folder)} ! write streamed_dataset"
    (folder / "sites.json").write_text(json.dumps({"type": "gdal_streamed_alg", "command_line": line}))
    return folder / "sites.json"


@case("E", "the address of a service (WFS) as .gml", "refused")
def _(folder: Path) -> Path:
    (folder / "sites.gml").write_text(f"<OGRWFSDataSource><URL>{URL}/wfs</URL></OGRWFSDataSource>")
    return folder / "sites.gml"


@case("E", "a link to a file elsewhere", "refused", "is a link to a file in another folder")
def _(folder: Path) -> Path:
    (folder / "sites.geojson").symlink_to(secret(folder))
    return folder / "sites.geojson"


@case("E", "a shapefile whose table is a link elsewhere", "refused", "is a link to a file in another folder")
def _(folder: Path) -> Path:
    outside = saved(secret(folder).with_name("secret.shp"), pair().assign(name=SECRET))
    path = saved(folder / "sites.shp")
    path.with_suffix(".dbf").unlink()
    path.with_suffix(".dbf").symlink_to(outside.with_suffix(".dbf"))
    return path


@case("E", "a geodatabase with a link elsewhere", "refused", "is a link to a file in another folder")
def _(folder: Path) -> Path:
    outside = saved(secret(folder).with_name("secret.gdb"), driver="OpenFileGDB")
    path = saved(folder / "sites.gdb", driver="OpenFileGDB")
    table = max(path.glob("*.gdbtable"))
    table.unlink()
    table.symlink_to(outside / table.name)
    return path


for _title, _path in {
    "/vsicurl": f"/vsicurl/{URL}/sites.gpkg",
    "/vsizip": "/vsizip/sites.zip/sites.gpkg",
    "/vsimem": "/vsimem/sites.geojson",
    "/vsisubfile": "/vsisubfile/0_100,sites.geojson",
    "a URL": f"{URL}/sites.geojson",
    "PG:": "PG:host=127.0.0.1 dbname=x.gpkg",
    "GeoJSON as a path": '{"type":"Point","coordinates":[112.5,25]}',
    "VRT as a path": VRT.format(path="sites.geojson"),
    "5,000 letters": "a" * 5000 + ".gpkg",
    "a zero byte": "sites\0.gpkg",
    "a driver before the path": "OGR_VRT:sites.gpkg",
}.items():

    @case(
        "E",
        f"as a path: {_title}",
        "refused",
        "not opened|the data themselves|is no path|does not exist|on the network|not read",
    )
    def _(folder: Path, path: str = _path) -> str:
        return path


def _statement(path: Path, *lines: str) -> Path:
    database = sqlite3.connect(path)
    for line in lines:
        database.execute(line)
    database.commit()
    database.close()
    return path


@case("E", "a view in a GeoPackage", "refused", "is a view, not a table", names="sites")
def _(folder: Path) -> Path:
    return _statement(
        saved(folder / "s.gpkg", layer="real"),
        "CREATE VIEW sites AS SELECT fid AS OGC_FID, geom, id, name, activity FROM real",
        "PRAGMA foreign_keys = OFF",
        "UPDATE gpkg_contents SET table_name = 'sites', identifier = 'sites'",
        "UPDATE gpkg_geometry_columns SET table_name = 'sites'",
    )


@case("E", "a view that never ends", "refused", "is a view, not a table", names="sites")
def _(folder: Path) -> Path:
    return _statement(
        saved(folder / "sites.gpkg"),
        "DROP TABLE sites",
        "CREATE VIEW sites AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT i AS fid, NULL AS geom FROM n",
    )


@case("E", "a trigger in a GeoPackage", "answer")
def _(folder: Path) -> Path:
    return _statement(
        saved(folder / "sites.gpkg"),
        "CREATE TRIGGER wipe AFTER INSERT ON gpkg_ogr_contents BEGIN DELETE FROM sites; END",
    )


@case("E", "changes beside a GeoPackage that are not in it", "refused", "has changes beside it")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gpkg")
    Path(f"{path}-wal").write_bytes(b"x" * 100)
    return path


@case("E", "a layer named by SQL", "refused", "has no layer")
def _(folder: Path) -> Request:
    return Request(saved(folder / "sites.gpkg"), ReadOptions(layer='sites" WHERE 1=1; DROP TABLE sites; --'))


@case("E", "a filter of SQL", "refused", "has no field")
def _(folder: Path) -> Request:
    return Request(saved(folder / "sites.gpkg"), ReadOptions(where={"id = id OR 1": ["1"]}))


@case("E", "a file that takes too much memory", "refused", "needs more than 0.5 GB of memory")
def _(folder: Path) -> Request:
    path = folder / "sites.geojson"
    with path.open("w") as out:
        point = '{"type":"Point","coordinates":[112.5,25]}'
        out.write('{"type":"FeatureCollection","features":[')
        for i in range(220_000):
            out.write('{"type":"Feature","properties":{"id":"' + str(i) + '"},"geometry":' + point + "},")
        out.write('{"type":"Feature","properties":{"id":"x"},"geometry":null}]}')
    return Request(path, limits=Limits(memory_bytes=512 * 1024**2))


@case("E", "a file that takes too long", "refused", "was not read within 0 s")
def _(folder: Path) -> Request:
    return Request(saved(folder / "sites.gpkg"), limits=Limits(time_s=0.01))


@case(
    "E", "a record of two thousand million bytes", "refused", "cannot be read|cut short|damaged|should have 2 records"
)
def _(folder: Path) -> Path:
    path = saved(folder / "sites.shp")
    data = bytearray(path.read_bytes())
    data[104:108] = struct.pack(">i", 0x3FFFFFFF)
    path.write_bytes(bytes(data))
    index = bytearray(path.with_suffix(".shx").read_bytes())
    index[104:108] = struct.pack(">i", 0x3FFFFFFF)
    path.with_suffix(".shx").write_bytes(bytes(index))
    return path


@case("E", "a FlatGeobuf of lengths that cannot be", "refused", "cannot be read|holds no layer")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.fgb")
    data = bytearray(path.read_bytes())
    data[8:12] = struct.pack("<I", 0x7FFFFFF0)
    path.write_bytes(bytes(data))
    return path


@case("E", "noise", "refused", "is no")
def _(folder: Path) -> Path:
    (folder / "sites.gpkg").write_bytes(np.random.default_rng(1).bytes(100_000))
    return folder / "sites.gpkg"


@case("E", "noise after the right beginning", "refused", "damaged|cannot be read")
def _(folder: Path) -> Path:
    (folder / "sites.gpkg").write_bytes(b"SQLite format 3\0" + np.random.default_rng(1).bytes(100_000))
    return folder / "sites.gpkg"


@case("E", "a zip with a password", "refused", "is protected by a password")
def _(folder: Path) -> Path:
    path = zipped(folder, sites_dot_geojson=b"{}")
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\1\2")
    data[at + 8] |= 1
    data[6] |= 1
    path.write_bytes(bytes(data))
    return path


@case("E", "a workbook that is a zip bomb", "refused", "more than|is no|cannot be read|damaged")
def _(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "sites.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as out:
            for _ in range(150):
                out.write(b"<row/>" * 200_000)
    return folder / "sites.xlsx"
