"""Family L: files of which a careless reader loses rows, or takes one of two contradictory texts."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bad_inputs.case import FIRST_OPEN, IN, OUT, Request, case, pair, saved
from lzgis.reading import ReadOptions


def changed(folder: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """Write the two sites as GeoJSON after a change of the document."""
    path = saved(folder / "sites.geojson", pair(), 4326)
    document = json.loads(path.read_text("utf-8"))
    made = change(document)
    path.write_text(json.dumps(document if made is None else made, ensure_ascii=False), "utf-8")
    return path


def _second(value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        document["features"][1] = value(document["features"][1]) if callable(value) else value

    return change


FEATURES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a feature without a type": _second(lambda f: {k: v for k, v in f.items() if k != "type"}),
    "a feature of the type 'feature'": _second(lambda f: {**f, "type": "feature"}),
    "a feature of the type 'Features'": _second(lambda f: {**f, "type": "Features"}),
    "null in place of a feature": _second(None),
    "a text in place of a feature": _second("x"),
    "a number in place of a feature": _second(7),
    "a list in place of a feature": _second([]),
    "a bare geometry in place of a feature": _second(lambda f: f["geometry"]),
    "a collection in place of a feature": _second(lambda f: {"type": "FeatureCollection", "features": [f]}),
}
for _title, _change in FEATURES.items():

    @case("L", _title, "refused", "feature 2", names="feature 2")
    def _(folder: Path, change: Any = _change) -> Path:
        return changed(folder, change)


@case("L", "features that are an object", "refused")
def _(folder: Path) -> Path:
    return changed(folder, lambda d: d.update(features=dict(enumerate(d["features"]))))


@case("L", "features that are none", "refused")
def _(folder: Path) -> Path:
    return changed(folder, lambda d: d.update(features=None))


@case("L", "no feature", "refused", "has no rows")
def _(folder: Path) -> Path:
    return changed(folder, lambda d: d.update(features=[]))


@case("L", "a bare list of features", "refused", "bare list")
def _(folder: Path) -> Path:
    return changed(folder, lambda d: d["features"])


@case("L", "a feature in every line", "answer", "has a feature in every line")
def _(folder: Path) -> Path:
    path = changed(folder, lambda d: None)
    features = json.loads(path.read_text("utf-8"))["features"]
    path.write_text("\n".join(json.dumps(f, ensure_ascii=False) for f in features), "utf-8")
    return path


@case("L", "EsriJSON", "refused", "Esri|esri")
def _(folder: Path) -> Path:
    rings = [[list(xy) for xy in pair().geometry.iloc[0].exterior.coords]]
    document = {
        "geometryType": "esriGeometryPolygon",
        "features": [{"attributes": {"id": "s1"}, "geometry": {"rings": rings}}],
    }
    return changed(folder, lambda d: document)


@case("L", "TopoJSON", "refused", "Topology|TopoJSON")
def _(folder: Path) -> Path:
    return changed(folder, lambda d: {"type": "Topology", "objects": {}, "arcs": []})


for _depth, _title in ((1, "too deep"), (-1, "too flat")):

    @case("L", f"coordinates nested {_title}", "open", "nested", truth=FIRST_OPEN, names="feature 1")
    def _(folder: Path, depth: int = _depth) -> Path:
        def change(document: dict[str, Any]) -> None:
            shape = document["features"][0]["geometry"]
            shape["coordinates"] = [shape["coordinates"]] if depth > 0 else shape["coordinates"][0]

        return changed(folder, change)


for _key in ("type", "geometry", "properties", "coordinates", "features"):

    @case("L", f"the key '{_key}' given twice", "refused", f"the key '{_key}' stands twice")
    def _(folder: Path, key: str = _key) -> Path:
        path = changed(folder, lambda d: None)
        text = path.read_text("utf-8")
        at = text.rindex(f'"{key}"')
        empty = {"type": '"Feature"', "geometry": "null", "properties": "{}", "coordinates": "[]", "features": "[]"}[
            key
        ]
        path.write_text(f'{text[:at]}"{key}": {empty}, {text[at:]}', "utf-8")
        return path


for _value in ("NaN", "Infinity", "1e999", '"112.5"', "null", "true"):

    @case(
        "L",
        f"the coordinate {_value}",
        "refused" if _value in ("NaN", "Infinity") else "open",
        truth={0: ("未核查", None), 1: (OUT, None)},
    )
    def _(folder: Path, value: str = _value) -> Path:
        path = changed(folder, lambda d: None)
        text = path.read_text("utf-8")
        number = json.loads(text)["features"][0]["geometry"]["coordinates"][0][1][0]
        path.write_text(text.replace(json.dumps(number), value, 1), "utf-8")
        return path


def kml(folder: Path, old: str, new: str, count: int = -1) -> Path:
    """Write the two sites as KML with a text replaced."""
    path = saved(folder / "sites.kml", pair(), driver="KML")
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, count), "utf-8")
    return path


for _name in ("placemark", "PLACEMARK"):

    @case("L", f"KML that writes <{_name}>", "answer")
    def _(folder: Path, name: str = _name) -> Path:
        return kml(folder, "Placemark", name)


@case("L", "KML in which a placemark stands in another", "refused", "holds 3 rows, of which only 2")
def _(folder: Path) -> Path:
    return kml(folder, "</Placemark>", "<Placemark><name>x</name></Placemark></Placemark>", 1)


@case("L", "KML with coordinates where it has none", "refused", "lists of coordinates stand where", names="placemark 1")
def _(folder: Path) -> Path:
    return kml(folder, "</Placemark>", "<Region><coordinates>112.5,25,0</coordinates></Region></Placemark>", 1)


@case("L", "KML with a blank after each comma", "answer")
def _(folder: Path) -> Path:
    path = kml(folder, "Placemark", "Placemark")
    import re

    text = re.sub(
        r"<coordinates>(.*?)</coordinates>", lambda m: m[0].replace(",", ", "), path.read_text("utf-8"), flags=re.DOTALL
    )
    path.write_text(text, "utf-8")
    return path


@case("L", "KML with a prefix that it does not declare", "refused", "uses the prefix 'gx:'")
def _(folder: Path) -> Path:
    return kml(folder, "</Placemark>", "<gx:drawOrder>1</gx:drawOrder></Placemark>")


@case("L", "KML without a name space", "answer")
def _(folder: Path) -> Path:
    return kml(folder, ' xmlns="http://www.opengis.net/kml/2.2"', "")


@case("L", "KML whose polygon has two outer rings", "refused", "outer rings", names="placemark 1")
def _(folder: Path) -> Path:
    corners = "<coordinates>112,25 112.1,25 112.1,25.1 112,25</coordinates>"
    ring = f"<outerBoundaryIs><LinearRing>{corners}</LinearRing></outerBoundaryIs>"
    return kml(folder, "<outerBoundaryIs>", f"{ring}<outerBoundaryIs>", 1)


for _value in ("NaN", "inf", "x"):

    @case("L", f"KML with the coordinate {_value}", "refused", "is not a number", names="placemark 1")
    def _(folder: Path, value: str = _value) -> Path:
        import re

        path = kml(folder, "Placemark", "Placemark")
        path.write_text(re.sub(r"(<coordinates>)[\d.]+", rf"\g<1>{value}", path.read_text("utf-8"), count=1), "utf-8")
        return path


@case("L", "GML with a member of another type", "refused")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gml", pair(), 4326)
    text = path.read_text("utf-8")
    at = text.rindex("<ogr:featureMember>")
    path.write_text(text[:at] + text[at:].replace("ogr:sites", "ogr:others"), "utf-8")
    return path


def shapefile(folder: Path, change: Callable[[bytes], bytes], part: str = ".shp") -> Path:
    """Write the two sites as a shapefile with one part changed."""
    path = saved(folder / "sites.shp", pair())
    own = path.with_suffix(part)
    own.write_bytes(change(own.read_bytes()))
    return path


@case("L", "shapes beyond the index of a shapefile", "refused", "holds more than the 2 shapes")
def _(folder: Path) -> Path:
    def longer(data: bytes) -> bytes:
        record = struct.pack(">i", 3) + data[104:236]
        made = data + record
        return made[:24] + struct.pack(">i", len(made) // 2) + made[28:]

    return shapefile(folder, longer)


@case("L", "bytes after the end of the shapes", "refused", "holds more than the 2 shapes")
def _(folder: Path) -> Path:
    return shapefile(folder, lambda data: data + b"\0" * 64)


@case("L", "an index of one of two shapes", "refused")
def _(folder: Path) -> Path:
    return shapefile(folder, lambda data: data[:24] + struct.pack(">i", 54) + data[28:108], ".shx")


@case("L", "a table with a record less", "refused", "its table")
def _(folder: Path) -> Path:
    return shapefile(folder, lambda data: data[:4] + struct.pack("<i", 1) + data[8:], ".dbf")


@case("L", "a record marked as deleted", "answer", "marked as deleted", truth={0: (IN, 5_000.0)})
def _(folder: Path) -> Path:
    def deleted(data: bytes) -> bytes:
        size = struct.unpack_from("<H", data, 8)[0] + struct.unpack_from("<H", data, 10)[0]
        return data[:size] + b"*" + data[size + 1 :]

    return shapefile(folder, deleted, ".dbf")


def geopackage(folder: Path, *commands: str) -> Path:
    """Write the two sites as a GeoPackage after some commands of SQL."""
    import contextlib
    import sqlite3

    path = saved(folder / "sites.gpkg")
    with contextlib.closing(sqlite3.connect(path)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        for command in commands:
            database.execute(command)
        database.commit()
    return path


@case("L", "a GeoPackage that states fewer rows than it holds", "refused", "holds 2 rows, of which only 1")
def _(folder: Path) -> Path:
    return geopackage(folder, "UPDATE gpkg_ogr_contents SET feature_count = 1")


@case("L", "a GeoPackage whose index of places is empty", "answer")
def _(folder: Path) -> Path:
    return geopackage(folder, "DELETE FROM rtree_sites_geom")


@case(
    "L",
    "KML with an element among the coordinates",
    "refused",
    "is not a number|numbers instead of",
    names="placemark 1",
)
def _(folder: Path) -> Path:
    return kml(folder, "</coordinates>", "<b/> 112.6,x</coordinates>", 1)


@case("L", "GeoJSON that names its system by a link", "refused", "by a link")
def _(folder: Path) -> Path:
    return changed(folder, lambda d: d.update(crs={"type": "link", "properties": {"href": "http://127.0.0.1:9/crs"}}))


@case("L", "an id with the character U+0000", "refused", "U[+]0000")
def _(folder: Path) -> Path:
    return changed(folder, lambda d: d["features"][0]["properties"].update(id="s1\0x"))


@case(
    "L",
    "WKT whose SRID is another than the declared system",
    "refused",
    "names another system: SRID=2380",
    names="row 2",
)
def _(folder: Path) -> Request:
    from bad_inputs import tables

    return tables._wkt(folder, *(f"SRID=2380;{shape.wkt}" for shape in pair().geometry))


@case("L", "WKT with its SRID", "answer")
def _(folder: Path) -> Path:
    from bad_inputs import tables

    return Path(tables._wkt(folder, *(f"SRID=4490;{shape.wkt}" for shape in pair().geometry)).path)


@case("L", "a drawing cut short", "refused", "is no whole")
def _(folder: Path) -> Request:
    from bad_inputs import outlines

    path = outlines.drawing(folder, outlines._BOXES)
    path.write_bytes(path.read_bytes()[:-200])
    return Request(path, ReadOptions(crs="EPSG:4526"))


@case("L", "the ids of a GeoPackage given twice", "refused", "share the id")
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", pair().assign(id="s1"))


@case("L", "a filter that no row fits", "refused", "has no rows|no row")
def _(folder: Path) -> Request:
    return Request(saved(folder / "sites.gpkg"), ReadOptions(where={"id": ["s9"]}))


@case("L", "a filter of a field that is not there", "refused", "has no field 'x'")
def _(folder: Path) -> Request:
    return Request(saved(folder / "sites.gpkg"), ReadOptions(where={"x": ["1"]}))
