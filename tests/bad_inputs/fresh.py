"""Q: notations of degrees, units of systems, extrusions, databases with a journal, archives that say two things."""

from __future__ import annotations

import json
import sqlite3
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

import ezdxf
import geopandas as gpd
import numpy as np
import shapely
import xlsxwriter
from ezdxf.document import Drawing

from bad_inputs.case import FIRST_OPEN, IN, OPEN, OUT, Request, case, degrees, pair, saved
from lzgis.reading import ReadOptions

#: CGCS2000, zone 38 of three degrees with the number of the zone in the easting, and without.
NUMBERED, BARE = 4526, 4547
SITES = pair().geometry.tolist()
LON_LAT = [one.coords[0] for one in degrees(shapely.Point(200, 200), shapely.Point(-3000, 50))]
POINTS = {0: (IN, None), 1: (OUT, None)}
#: Without an activity the answer is open, the area known.
HALF = {0: (OPEN, 5_000.0), 1: (OUT, None)}


def corners(code: int) -> list[list[tuple[float, float]]]:
    """Give the corners of the two sites in a system."""
    return [list(one.exterior.coords) for one in pair().to_crs(code).geometry]


def degree_table(folder: Path, of: Any, encoding: str = "utf-8") -> Path:
    """Write a table of the two points, each coordinate in a notation."""
    rows = [f"s{i}\t住宅\t{of(lon, 'E')}\t{of(lat, 'N')}" for i, (lon, lat) in enumerate(LON_LAT, 1)]
    path = folder / "点.txt.csv"
    path.write_bytes("\n".join(["编号\t活动\t经度\t纬度", *rows, ""]).encode(encoding))
    return path


def parts(value: float) -> tuple[int, int, float]:
    """Split degrees into degrees, minutes and seconds, the seconds to 0.0001."""
    ticks = round(value * 3600 * 10_000)
    minutes, seconds = divmod(ticks, 600_000)
    return minutes // 60, minutes % 60, seconds / 10_000


NOTATIONS = {
    "113°30′00.0000″": "{d}°{m:02}′{s:07.4f}″",
    "113°30'00.0000\"": "{d}°{m:02}'{s:07.4f}''",
    "E113°30′": "{side}{d}°{m:02}′{s:07.4f}″",
    "113°30′E": "{d}°{m:02}′{s:07.4f}″{side}",
    "113度30分00秒": "{d}度{m:02}分{s:07.4f}秒",
    "东经113度": "{chinese}{d}度{m:02}分{s:07.4f}秒",
    "113:30:00": "{d}:{m:02}:{s:07.4f}",
    "113 30 00": "{d} {m:02} {s:07.4f}",
    "113-30-00": "{d}-{m:02}-{s:07.4f}",
    "113d30m00s": "{d}d{m:02}m{s:07.4f}s",
    "113º30´00″": "{d}º{m:02}´{s:07.4f}″",
    "minutes with decimals": "{d}°{minutes:.8f}′",
    "113.5°": "{value:.9f}°",
    "113.5E": "{value:.9f}{side}",
}


def _in_notation(pattern: str) -> Any:
    def make(folder: Path) -> Path:
        def of(value: float, side: str) -> str:
            d, m, s = parts(value)
            chinese = {"E": "东经", "N": "北纬"}[side]
            return pattern.format(d=d, m=m, s=s, side=side, chinese=chinese, minutes=m + s / 60, value=value)

        return degree_table(folder, of)

    return make


#: Notations that could mean something else.
REFUSED = ("113 30 00", "113-30-00", "113d30m00s")

for _title, _pattern in NOTATIONS.items():
    _must = "refused" if _title in REFUSED else "answer"
    case("Q", f"degrees written as {_title}", _must, truth=POINTS)(_in_notation(_pattern))


@case("Q", "minutes of 75", "refused")
def _(folder: Path) -> Path:
    return degree_table(folder, lambda value, side: f"{int(value)}°75′00″{side}")


@case("Q", "a longitude in the west", "refused")
def _(folder: Path) -> Path:
    return degree_table(folder, lambda value, side: f"{value:.8f}°{'W' if side == 'E' else side}")


@case("Q", "longitudes that say that they are latitudes", "refused", "column of the other axis")
def _(folder: Path) -> Path:
    return degree_table(folder, lambda value, side: f"{value:.8f}°{'N' if side == 'E' else 'E'}")


@case("Q", "a table in UTF-16 without a byte order mark", "refused")
def _(folder: Path) -> Path:
    return degree_table(folder, lambda value, side: f"{value:.9f}", "utf-16-le")


def xy_table(
    folder: Path, rows: list[list[Any]], head: str = "地块,点号,X,Y", end: str = "\n", crs: str = ""
) -> Request:
    """Write a table of boundary points."""
    path = folder / "界址.csv"
    path.write_bytes(end.join([head, *(",".join(map(str, row)) for row in rows), ""]).encode())
    return Request(path, ReadOptions(crs=crs) if crs else ReadOptions())


def boundary(code: int, *, turned: bool = False) -> list[list[Any]]:
    """Give rows of parcel, number, northing and easting."""
    rows = []
    for site, ring in enumerate(corners(code), 1):
        for number, (east, north) in enumerate(ring[:-1], 1):
            pair_ = (east, north) if turned else (north, east)
            rows.append([f"s{site}", f"J{number}", *(f"{value:.4f}" for value in pair_)])
    return rows


@case("Q", "boundary points with lines that end in CR alone", "open", truth=HALF)
def _(folder: Path) -> Request:
    return xy_table(folder, boundary(NUMBERED), end="\r", crs="EPSG:4526")


@case("Q", "boundary points whose X is the easting", "open", truth=HALF)
def _(folder: Path) -> Request:
    return xy_table(folder, boundary(NUMBERED, turned=True), crs="EPSG:4526")


@case("Q", "boundary points of which one has its axes swapped", "refused")
def _(folder: Path) -> Request:
    rows = boundary(NUMBERED)
    rows[2][2:] = reversed(rows[2][2:])
    return xy_table(folder, rows, crs="EPSG:4526")


@case("Q", "boundary points of which one has no number of the zone", "open", truth=FIRST_OPEN)
def _(folder: Path) -> Request:
    rows = boundary(NUMBERED)
    rows[2][3] = rows[2][3][2:]
    return xy_table(folder, rows, crs="EPSG:4526")


@case("Q", "boundary points of two zones, one for each parcel", "open", truth={0: (OPEN, 5_000.0), 1: (OPEN, None)})
def _(folder: Path) -> Request:
    return xy_table(folder, boundary(NUMBERED)[:4] + boundary(4525)[4:], crs="EPSG:4526")


@case("Q", "boundary points in kilometres", "refused")
def _(folder: Path) -> Request:
    rows = [[a, b, f"{float(x) / 1000:.7f}", f"{float(y) / 1000:.7f}"] for a, b, x, y in boundary(BARE)]
    return xy_table(folder, rows, "地块,点号,X(km),Y(km)", crs="EPSG:4547")


@case("Q", "boundary points in millimetres", "refused")
def _(folder: Path) -> Request:
    rows = [[a, b, f"{float(x) * 1000:.1f}", f"{float(y) * 1000:.1f}"] for a, b, x, y in boundary(BARE)]
    return xy_table(folder, rows, "地块,点号,X(mm),Y(mm)", crs="EPSG:4547")


@case("Q", "boundary points of the zone 19 of six degrees, with its number", "open", truth=HALF)
def _(folder: Path) -> Request:
    return xy_table(folder, boundary(4497), crs="EPSG:4497")


@case(
    "Q",
    "boundary points of a parcel with two points",
    "open",
    "has 2 different points",
    truth={0: (OPEN, 5_000.0), 1: (OPEN, None)},
)
def _(folder: Path) -> Request:
    return xy_table(folder, boundary(NUMBERED)[:6], crs="EPSG:4526")


@case("Q", "boundary points with NUL between the characters", "open", truth=HALF)
def _(folder: Path) -> Request:
    request = xy_table(folder, boundary(NUMBERED), crs="EPSG:4526")
    path = Path(str(request.path))
    path.write_bytes(path.read_bytes().replace(b"J", b"\0J"))
    return request


def _geojson(folder: Path, features: list[Any], encoding: str = "utf-8", **more: Any) -> Path:
    path = folder / "sites.geojson"
    text = json.dumps({"type": "FeatureCollection", **more, "features": features}, ensure_ascii=False)
    path.write_bytes(text.encode(encoding))
    return path


def _features(**properties: Any) -> list[dict[str, Any]]:
    shapes = [shapely.geometry.mapping(one) for one in pair().to_crs(4490).geometry]
    return [
        {"type": "Feature", "properties": {"id": f"s{i}", **properties}, "geometry": shape}
        for i, shape in enumerate(shapes, 1)
    ]


@case("Q", "GeoJSON in UTF-16 with a byte order mark", "open", truth=HALF)
def _(folder: Path) -> Path:
    return _geojson(folder, _features(), "utf-16")


@case("Q", "GeoJSON with properties nested 100,000 deep", "refused")
def _(folder: Path) -> Path:
    path = _geojson(folder, _features(x="@"))
    path.write_text(path.read_text("utf-8").replace('"@"', "[" * 100_000 + "]" * 100_000, 1), "utf-8")
    return path


@case("Q", "GeoJSON with a number of 5,000 digits as id", "refused")
def _(folder: Path) -> Path:
    path = _geojson(folder, _features(x="@"))
    path.write_text(path.read_text("utf-8").replace('"s1"', "9" * 5000, 1), "utf-8")
    return path


@case("Q", "GeoJSON with an id of 18 digits as a number", "open", truth=HALF)
def _(folder: Path) -> Path:
    path = _geojson(folder, _features())
    path.write_text(path.read_text("utf-8").replace('"s1"', "441882200001000123", 1), "utf-8")
    return path


@case(
    "Q",
    "GeoJSON whose second feature has latitude before longitude",
    "open",
    truth={0: (OPEN, 5_000.0), 1: (OPEN, None)},
)
def _(folder: Path) -> Path:
    features = _features()
    ring = features[1]["geometry"]["coordinates"][0]
    features[1]["geometry"]["coordinates"] = [[(y, x) for x, y in ring]]
    return _geojson(folder, features)


@case("Q", "GeoJSON with four numbers for each position", "open", truth=HALF)
def _(folder: Path) -> Path:
    features = _features()
    for one in features:
        one["geometry"]["coordinates"] = [[(x, y, 3.0, 4.0) for x, y in one["geometry"]["coordinates"][0]]]
    return _geojson(folder, features)


@case("Q", "GeoJSON with positions of one number", "open", "fewer than two", truth=FIRST_OPEN)
def _(folder: Path) -> Path:
    features = _features()
    ring = features[0]["geometry"]["coordinates"][0]
    features[0]["geometry"]["coordinates"] = [[ring[0], [112.5], *ring[2:]]]
    return _geojson(folder, features)


@case("Q", "GeoJSON with a 'Geometry' beside the geometry", "refused", "geometry")
def _(folder: Path) -> Path:
    features = _features()
    features[0]["Geometry"] = features[1]["geometry"]
    return _geojson(folder, features)


@case("Q", "GeoJSON with the properties 'type' and 'Type'", "open", truth=HALF)
def _(folder: Path) -> Path:
    return _geojson(folder, _features(type="a", Type="b"))


@case("Q", "GeoJSON whose geometry is named 'Geometry'", "open", truth=HALF)
def _(folder: Path) -> Path:
    features = _features()
    features[0]["Geometry"] = features[0].pop("geometry")
    return _geojson(folder, features)


# Units of angles and lengths, meridians of origin and axes in the definition of a system.
def _shapefile(folder: Path, prj: str, factor: float = 1.0, *, code: int = 4490, shift: float = 0.0) -> Path:
    frame = pair().to_crs(code)
    moved = shapely.transform(frame.geometry.to_numpy(), lambda xy: (xy + np.array([shift, 0.0])) * factor)
    gpd.GeoDataFrame({"id": ["s1", "s2"]}, geometry=moved).to_file(folder / "sites.shp", engine="pyogrio")
    (folder / "sites.prj").write_text(prj)
    return folder / "sites.shp"


SPHEROID = 'DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]]'
DEGREES = 'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]'
GEOGRAPHIC = f'GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",{SPHEROID},{DEGREES}]'


@case("Q", "shapefile in grads, as its .prj says", "refused", "angles in Grad")
def _(folder: Path) -> Path:
    prj = f'GEOGCS["GCS_Mine",{SPHEROID},PRIMEM["Greenwich",0.0],UNIT["Grad",0.01570796326794897]]'
    return _shapefile(folder, prj, 400 / 360)


@case("Q", "shapefile whose metres rest on another meridian of origin", "refused", "not from Greenwich")
def _(folder: Path) -> Path:
    return _shapefile(folder, _projected('"Meter",1.0').replace('"Greenwich",0.0', '"Mine",0.01'), code=BARE)


@case("Q", "shapefile whose degrees count from Paris, as its .prj says", "refused", "from Paris, not from Greenwich")
def _(folder: Path) -> Path:
    prj = f'GEOGCS["GCS_Mine",{SPHEROID},PRIMEM["Paris",2.337229166666667],UNIT["Degree",0.0174532925199433]]'
    return _shapefile(folder, prj, shift=-2.337229166666667)


def _projected(unit: str, false: float = 500_000.0, scale: float = 1.0) -> str:
    values = {
        "False_Easting": false,
        "False_Northing": 0.0,
        "Central_Meridian": 114.0,
        "Scale_Factor": scale,
        "Latitude_Of_Origin": 0.0,
    }
    stated = ",".join(f'PARAMETER["{name}",{value}]' for name, value in values.items())
    return f'PROJCS["Mine",{GEOGRAPHIC},PROJECTION["Gauss_Kruger"],{stated},UNIT[{unit}]]'


@case("Q", "shapefile in kilometres, as its .prj says", "open", truth=HALF)
def _(folder: Path) -> Path:
    return _shapefile(folder, _projected('"Kilometer",1000.0', 500.0), 0.001, code=BARE)


@case("Q", "shapefile in feet, as its .prj says", "open", truth=HALF)
def _(folder: Path) -> Path:
    feet = 1 / 0.3048
    return _shapefile(folder, _projected('"Foot",0.3048', 500_000.0 * feet), feet, code=BARE)


@case("Q", "shapefile whose unit has the name of metres and the size of feet", "refused")
def _(folder: Path) -> Path:
    return _shapefile(folder, _projected('"Meter",0.3048'), code=BARE)


@case("Q", "shapefile with a coordinate of 1e308", "open", "has no geometry", truth=FIRST_OPEN)
def _(folder: Path) -> Path:
    path = saved(folder / "sites.shp", crs=NUMBERED)
    data = bytearray(path.read_bytes())
    struct.pack_into("<d", data, 100 + 8 + 44 + 4 + 16, 1e308)
    path.write_bytes(bytes(data))
    return path


# Drawings.
def _drawing(folder: Path, draw: Any, units: int = 6, code: int = BARE) -> Request:
    document = ezdxf.new("R2010", units=units)
    draw(document, corners(code))
    document.saveas(folder / "a.dxf")
    return Request(folder / "a.dxf", ReadOptions(crs=f"EPSG:{code}"))


@case("Q", "drawing with outlines seen from below (extrusion 0,0,-1)", "open", truth=HALF)
def _(folder: Path) -> Request:
    def draw(document: Drawing, rings: Any) -> None:
        for ring in rings:
            mirrored = [(-x, y) for x, y in ring[:-1]]
            document.modelspace().add_lwpolyline(mirrored, close=True, dxfattribs={"extrusion": (0, 0, -1)})

    return _drawing(folder, draw)


@case("Q", "drawing with a hatch seen from below", "open", truth=HALF)
def _(folder: Path) -> Request:
    def draw(document: Drawing, rings: Any) -> None:
        for ring in rings:
            hatch = document.modelspace().add_hatch(dxfattribs={"extrusion": (0, 0, -1)})
            hatch.paths.add_polyline_path([(-x, y) for x, y in ring[:-1]], is_closed=True)

    return _drawing(folder, draw)


@case("Q", "drawing with a block that is mirrored, scaled and turned", "open", truth=HALF)
def _(folder: Path) -> Request:
    def draw(document: Drawing, rings: Any) -> None:
        for i, ring in enumerate(rings):
            x0, y0 = ring[0]
            block = document.blocks.new(f"B{i}")
            # Inserted with the scales -2 and 0.5 and turned by 90°: (u, v) becomes (-0.5 v, -2 u).
            block.add_lwpolyline([(-(y - y0) / 2, -(x - x0) * 2) for x, y in ring[:-1]], close=True)
            place = {"xscale": -2, "yscale": 0.5, "rotation": 90}
            document.modelspace().add_blockref(f"B{i}", (x0, y0), dxfattribs=place)

    return _drawing(folder, draw)


@case("Q", "drawing with a block inserted in rows and columns", "open", truth=HALF)
def _(folder: Path) -> Request:
    def draw(document: Drawing, rings: Any) -> None:
        for i, ring in enumerate(rings):
            x0, y0 = ring[0]
            block = document.blocks.new(f"B{i}")
            block.add_lwpolyline([(x - x0, y - y0) for x, y in ring[:-1]], close=True)
            document.modelspace().add_blockref(f"B{i}", (x0, y0), dxfattribs={"row_count": 1, "column_count": 1})

    return _drawing(folder, draw)


@case("Q", "drawing with blocks that insert each other", "refused")
def _(folder: Path) -> Request:
    def draw(document: Drawing, rings: Any) -> None:
        first, second = document.blocks.new("A"), document.blocks.new("B")
        first.add_blockref("B", (0, 0))
        second.add_blockref("A", (0, 0))
        document.modelspace().add_blockref("A", rings[0][0])

    return _drawing(folder, draw)


@case("Q", "drawing in feet, as its header says", "refused")
def _(folder: Path) -> Request:
    def draw(document: Drawing, rings: Any) -> None:
        for ring in rings:
            document.modelspace().add_lwpolyline([(x / 0.3048, y / 0.3048) for x, y in ring[:-1]], close=True)

    return _drawing(folder, draw, units=2)


@case("Q", "drawing whose header says kilometres and whose numbers are metres", "open", truth=HALF)
def _(folder: Path) -> Request:
    def draw(document: Drawing, rings: Any) -> None:
        for ring in rings:
            document.modelspace().add_lwpolyline(ring[:-1], close=True)

    return _drawing(folder, draw, units=7)


# KML and GML.
def _kml(folder: Path, body: str, head: str = "") -> Path:
    path = folder / "sites.kml"
    path.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<kml xmlns="http://www.opengis.net/kml/2.2" '
        f'xmlns:gx="http://www.google.com/kml/ext/2.2"><Document>{body}</Document></kml>',
        "utf-8",
    )
    return path


def _marks(change: Any = lambda text: text) -> str:
    made = ""
    for i, ring in enumerate(corners(4490), 1):
        text = change(" ".join(f"{x:.10f},{y:.10f},0" for x, y in ring))
        outer = f"<outerBoundaryIs><LinearRing>{text}</LinearRing></outerBoundaryIs>"
        made += f"<Placemark><name>s{i}</name><Polygon>{outer}</Polygon></Placemark>"
    return made


def _plain(text: str) -> str:
    return f"<coordinates>{text}</coordinates>"


@case("Q", "KML whose coordinates are CDATA", "open", truth=HALF)
def _(folder: Path) -> Path:
    return _kml(folder, _marks(lambda text: f"<coordinates><![CDATA[{text}]]></coordinates>"))


@case("Q", "KML with a comment amid the coordinates", "open", truth=HALF)
def _(folder: Path) -> Path:
    return _kml(folder, _marks(lambda text: _plain(text.replace(" ", " <!-- a, 1,2 --> ", 1))))


@case("Q", "KML whose ring has its coordinates in two elements", "refused")
def _(folder: Path) -> Path:
    return _kml(folder, _marks(lambda text: _plain(text[: len(text) // 2]) + _plain(text[len(text) // 2 :])))


@case("Q", "KML that loads further placemarks by a link", "open", "NetworkLink", truth=HALF)
def _(folder: Path) -> Path:
    return _kml(folder, _marks(_plain) + "<NetworkLink><Link><href>more.kml</href></Link></NetworkLink>")


@case("Q", "KML with a track", "refused")
def _(folder: Path) -> Path:
    track = "<gx:Track><when>2026-01-01T00:00:00Z</when><gx:coord>112.5 25 0</gx:coord></gx:Track>"
    return _kml(folder, _marks(_plain) + f"<Placemark><name>s3</name>{track}</Placemark>")


@case("Q", "KML with a model", "refused")
def _(folder: Path) -> Path:
    at = "<Location><longitude>112.5</longitude><latitude>25</latitude></Location>"
    return _kml(folder, _marks(_plain) + f"<Placemark><name>s3</name><Model>{at}</Model></Placemark>")


@case("Q", "KML with a document type of its own", "refused")
def _(folder: Path) -> Path:
    return _kml(folder, _marks(_plain), '<!DOCTYPE kml [<!ENTITY a "112.5">]>')


@case("Q", "KML that updates itself from another address", "open", truth=HALF)
def _(folder: Path) -> Path:
    control = (
        "<NetworkLinkControl><Update><targetHref>http://127.0.0.1/a.kml</targetHref></Update></NetworkLinkControl>"
    )
    path = _kml(folder, _marks(_plain))
    path.write_text(path.read_text("utf-8").replace("<Document>", f"{control}<Document>"), "utf-8")
    return path


# Databases.
@case("Q", "GeoPackage with rows in a journal beside it (-wal)", "refused", "changes beside it")
def _(folder: Path) -> Path:
    path = saved(folder / "live.gpkg", pair().iloc[:1])
    with_two = saved(folder / "two.gpkg")
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = wal")
    database.execute("PRAGMA wal_autocheckpoint = 0")
    other = sqlite3.connect(with_two)
    blob = other.execute("SELECT geom FROM two WHERE fid = 2").fetchone()[0]
    other.close()
    for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f'DROP TRIGGER "{trigger}"')
    database.execute("INSERT INTO live (fid, geom, id) VALUES (2, ?, 's2')", (blob,))
    for part in ("live.gpkg", "live.gpkg-wal"):
        (folder / part.replace("live", "sites")).write_bytes((folder / part).read_bytes())
    database.close()
    database = sqlite3.connect(folder / "sites.gpkg")
    return folder / "sites.gpkg"


@case("Q", "GeoPackage with a table that attaches another by its name", "answer")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gpkg")
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE \"x'; ATTACH '/etc/passwd' AS y; --\" (a)")
        database.execute("CREATE TRIGGER t AFTER UPDATE ON sites BEGIN DELETE FROM sites; END")
    return path


@case("Q", "GeoPackage with a column whose value is computed", "answer")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.gpkg")
    with sqlite3.connect(path) as database:
        database.execute(
            "ALTER TABLE sites ADD COLUMN more TEXT GENERATED ALWAYS AS (printf('%.*c', 100, 'x')) VIRTUAL"
        )
    return path


# Archives.
@case("Q", "zip whose list names other files than its entries", "refused")
def _(folder: Path) -> Path:
    saved(folder / "sites.shp")
    path = folder / "sites.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for part in sorted(folder.glob("sites.[sdp]*")):
            archive.write(part, part.name)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"sites.shp", b"other.shp", 1))
    return path


@case("Q", "zip with an entry given twice", "refused")
def _(folder: Path) -> Path:
    saved(folder / "sites.shp")
    path = folder / "sites.zip"
    other = folder / "other"
    other.mkdir()
    saved(other / "sites.shp", pair().iloc[::-1])
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for part in [*sorted(folder.glob("sites.[sdp]*")), other / "sites.shp"]:
            archive.write(part, part.name)
    return path


@case("Q", "zip with names of a drive and with backslashes", "refused")
def _(folder: Path) -> Path:
    saved(folder / "sites.shp")
    path = folder / "sites.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for part in sorted(folder.glob("sites.[sdp]*")):
            archive.write(part, f"C:\\地块\\..\\..\\{part.name}")
    return path


# Workbooks.
def _book(folder: Path, cells: list[list[Any]], **more: Any) -> Path:
    path = folder / "点.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("点")
        for row, values in enumerate(cells):
            for column, value in enumerate(values):
                if isinstance(value, tuple):
                    sheet.write_formula(row, column, value[0], None, value[1])
                else:
                    sheet.write(row, column, value)
        for row, column, value in more.get("far", ()):
            sheet.write(row, column, value)
    return path


HEAD = ["编号", "经度", "纬度"]


@case("Q", "workbook with coordinates from another workbook, as stored", "open", truth=FIRST_OPEN)
def _(folder: Path) -> Path:
    rows = [[f"s{i}", ("='[a.xlsx]S'!A1", lon), ("='[a.xlsx]S'!A2", lat)] for i, (lon, lat) in enumerate(LON_LAT, 1)]
    return _book(folder, [HEAD, *rows])


@case("Q", "workbook with coordinates as text with blanks of every kind", "open", truth=FIRST_OPEN)
def _(folder: Path) -> Path:
    rows = [[f"s{i}", f"\u3000{lon:.9f}\u00a0", f"\u200b{lat:.9f} \t"] for i, (lon, lat) in enumerate(LON_LAT, 1)]
    return _book(folder, [HEAD, *rows])


@case("Q", "workbook with true and false as coordinates", "open", "is no number", truth=FIRST_OPEN)
def _(folder: Path) -> Path:
    return _book(folder, [HEAD, ["s1", True, False], ["s2", *LON_LAT[1]]])


@case("Q", "workbook with longitude and latitude in one cell", "refused", "no row names columns")
def _(folder: Path) -> Path:
    rows = [[f"s{i}", f"{lon:.9f},{lat:.9f}"] for i, (lon, lat) in enumerate(LON_LAT, 1)]
    return _book(folder, [["编号", "坐标"], *rows])


# Shapes.
def _shapes(folder: Path, *shapes: Any) -> Path:
    frame = pair().iloc[: len(shapes)].set_geometry(list(shapes), crs=pair().crs)
    return saved(folder / "sites.gpkg", frame)


@case("Q", "a hole of the size of its shell", "open", "cannot be repaired", truth=FIRST_OPEN)
def _(folder: Path) -> Path:
    ring = shapely.get_coordinates(SITES[0])
    return _shapes(folder, shapely.Polygon(ring, [ring[::-1]]), SITES[1])


@case("Q", "a ring that runs twice round", "open", truth=FIRST_OPEN)
def _(folder: Path) -> Path:
    ring = shapely.get_coordinates(SITES[0])
    return _shapes(folder, shapely.Polygon(np.vstack([ring, ring[1:]])), SITES[1])


@case("Q", "names that turn the direction of writing", "answer")
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", pair().assign(name=["\u202e甲\u2066", "乙\u200f\x1b[31m"]))
