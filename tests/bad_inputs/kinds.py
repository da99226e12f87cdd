"""Family M: datums that are CGCS2000 by name only, drawings in other units, names and dates that a table cannot hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import raw_shapefile
import toy
from pyproj import CRS

from bad_inputs import outlines
from bad_inputs.case import FIRST_OPEN, IN, OPEN, TRUTH, Request, case, pair, saved
from lzgis.reading import ReadOptions

PRJ = (
    'PROJCS["{title}",GEOGCS["{title}",DATUM["{datum}",SPHEROID["{spheroid}",{a},{f}]],PRIMEM["Greenwich",0.0],'
    'UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",{east}],'
    'PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",{meridian}],PARAMETER["Scale_Factor",1.0],'
    'PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
)
OWN = {"title": "CGCS2000_GK", "datum": "D_China_2000", "spheroid": "CGCS2000", "a": 6378137.0, "f": 298.257222101}
OWN |= {"east": 500000.0, "meridian": 114.0}


def projected(folder: Path, **values: Any) -> Path:
    """Write the two sites as a shapefile in zone 38 with a description of the system that differs from it."""
    path = saved(folder / "sites.shp", pair(), 4547)
    path.with_suffix(".prj").write_text(PRJ.format(**OWN | values), "utf-8")
    return path


SPHEROIDS: dict[str, dict[str, Any]] = {
    "Krasovsky's spheroid under the name of CGCS2000": {"spheroid": "Krasovsky_1940", "a": 6378245.0, "f": 298.3},
    "the numbers of Krasovsky under the name CGCS2000": {"a": 6378245.0, "f": 298.3},
    "the spheroid of Xian 1980 under the name of CGCS2000": {"spheroid": "IAG_75", "a": 6378140.0, "f": 298.257},
    "Clarke's spheroid under the name of CGCS2000": {"spheroid": "Clarke_1866", "a": 6378206.4, "f": 294.9786982},
    "a spheroid enlarged by 300 m": {"title": "local_h300", "spheroid": "CGCS2000_h300", "a": 6378437.0},
    "a spheroid enlarged by 45 m": {"spheroid": "CGCS2000_h45", "a": 6378182.0},
    "a flattening of another datum": {"f": 298.3},
    "an unknown datum on another spheroid": {"datum": "D_User_Defined", "a": 6378245.0, "f": 298.3},
    "an unknown datum on the spheroid of CGCS2000": {"datum": "D_User_Defined", "title": "User"},
}
for _title, _values in SPHEROIDS.items():

    @case("M", _title, "refused", "datum|spheroid|ellipsoid|enlarged|unknown")
    def _(folder: Path, values: Any = _values) -> Path:
        return projected(folder, **values)


@case("M", "the spheroid of CGCS2000 by its numbers", "answer")
def _(folder: Path) -> Path:
    return projected(folder)


for _meridian in (112.5, 113.0, 108.0):

    @case("M", f"a central meridian of {_meridian}°", "answer")
    def _(folder: Path, meridian: float = _meridian) -> Path:
        crs = CRS.from_wkt(PRJ.format(**OWN | {"meridian": meridian}))
        return saved(folder / "sites.gpkg", pair(), crs)


@case("M", "a system with heights", "answer")
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", pair(), CRS.from_user_input("EPSG:4490+5737"))


def drawn(folder: Path, scale: float = 1.0, frame: bool = False) -> Request:
    """Write the sites as a drawing, in a unit, with the frame of the sheet."""
    import ezdxf

    path = outlines.drawing(folder, outlines._BOXES)
    if scale == 1.0 and not frame:
        return Request(path, outlines.GK)
    made = ezdxf.readfile(path)
    for one in list(made.modelspace()):
        one.set_points([(x * scale, y * scale) for x, y, *_ in one.get_points()])
    if frame:
        made.modelspace().add_lwpolyline([(0, 0), (420, 0), (420, 297), (0, 297)], close=True)
    made.saveas(path)
    return Request(path, outlines.GK)


@case("M", "a drawing in millimetres", "refused", "millimetres|mm")
def _(folder: Path) -> Request:
    return drawn(folder, 1000.0)


@case("M", "a drawing with its frame", "open", truth={0: (OPEN, None), 1: TRUTH[1], 2: (OPEN, None)})
def _(folder: Path) -> Request:
    return drawn(folder, frame=True)


def renamed(folder: Path, **names: str) -> Path:
    """Write the two sites as a shapefile with names of fields that ten bytes cannot hold."""
    return saved(folder / "sites.shp", pair().rename(columns=names), encoding="UTF-8")


@case("M", "names of fields cut to ten bytes", "answer", "cut to 10 bytes")
def _(folder: Path) -> Path:
    return renamed(folder, id="项目编号", name="项目名称", activity="活动类型")


@case("M", "names of fields cut in GBK", "answer")
def _(folder: Path) -> Path:
    frame = pair().rename(columns={"id": "项目编号", "name": "项目名称", "activity": "活动类型"})
    return saved(folder / "sites.shp", frame, encoding="GB18030")


def dated(folder: Path, text: bytes) -> Path:
    """Write the two sites as a shapefile with a date in the first row that is none."""
    path = saved(folder / "sites.shp", pair())
    fields = [(b"id", 10), (b"name", 20), (b"activity", 20), (b"PZRQ", 8)]
    rows = [["s1", "甲", "住宅"], ["s2", "乙", "住宅"]]
    cells = [[*(cell.encode() for cell in row), day] for row, day in zip(rows, (text, b"20260301"), strict=True)]
    table = bytearray(raw_shapefile.dbf(fields, cells))
    # The type of the fourth field: a date.
    table[32 + 3 * 32 + 11] = ord("D")
    path.with_suffix(".dbf").write_bytes(bytes(table))
    return path


for _text in (b"20260231", b"2026/1/1", b"00000000", b"20261301", b"2026-2-8", b"        ", b"99991231", b"abcdefgh"):
    _wrong = _text.strip(b" 0") not in (b"", b"99991231")

    @case(
        "M", f"the date {_text.decode()!r}", "answer", "is no date" if _wrong else "", names="row 1" if _wrong else ""
    )
    def _(folder: Path, text: bytes = _text) -> Path:
        return dated(folder, text)


@case(
    "M",
    "an activity that the vocabulary lacks",
    "open",
    "is no activity|activity",
    truth={0: (OPEN, None), 1: TRUTH[1]},
)
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", pair().assign(activity=["挖矿", "住宅"]))


@case("M", "an activity that the vocabulary lacks, strictly", "refused", "activity")
def _(folder: Path) -> Request:
    return Request(
        saved(folder / "sites.gpkg", pair().assign(activity=["挖矿", "住宅"])), ReadOptions(activities="refused")
    )


@case("M", "names that are formulas", "answer")
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", pair().assign(name=['=HYPERLINK("http://x")', "+1"]))


@case("M", "names with control characters and markup", "answer")
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", pair().assign(name=["\x07\x1b[31m<script>", "\u202e甲"]))


@case("M", "a name of 100,000 characters", "answer")
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", pair().assign(name=["长" * 100_000, ""]))


@case("M", "coordinates of 1e300 in one of two rows", "open", truth=FIRST_OPEN)
def _(folder: Path) -> Path:
    frame = pair()
    shapes = [toy.square(0, 0), frame.geometry.iloc[1]]
    shapes[0] = gpd.GeoSeries([toy.square(1e300, 1e300)]).iloc[0]
    return saved(folder / "sites.gpkg", frame.set_geometry(shapes, crs=frame.crs))


@case("M", "three-dimensional shapes", "answer")
def _(folder: Path) -> Path:
    import shapely

    frame = pair()
    return saved(
        folder / "sites.gpkg", frame.set_geometry(shapely.force_3d(frame.geometry.to_numpy(), 120.0), crs=4490)
    )


@case("M", "a site in every kind of shape", "answer", truth={0: (IN, None), 1: (IN, None), 2: (IN, None)})
def _(folder: Path) -> Path:
    from shapely import GeometryCollection, MultiPoint, Point

    shapes = (
        Point(200, 200),
        MultiPoint([(200, 200), (220, 200)]),
        GeometryCollection([Point(200, 200), toy.square(-50, 100)]),
    )
    return saved(folder / "sites.gpkg", toy.sites(*shapes))
