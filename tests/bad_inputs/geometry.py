"""Family C: shapes that are none, are two, or are not what they seem."""

from __future__ import annotations

import json
import sqlite3
import struct
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
import toy
from shapely import LineString, MultiPolygon, Point, Polygon, box

from bad_inputs.case import FIRST_OPEN, IN, OUT, TRUTH, Request, case, degrees, pair, saved
from lzgis.reading import ReadOptions

SITE = toy.square(-50, 100)
ACCEPTED = ReadOptions(repairs="accepted")


def with_first(shape: Any) -> gpd.GeoDataFrame:
    """Put a shape, in plane metres, in the place of the first site."""
    return toy.sites(shape, toy.square(-3000, 0))


def first(folder: Path, shape: Any) -> Path:
    """Write the sites with a shape in the place of the first."""
    return saved(folder / "sites.gpkg", with_first(shape))


def first_wkb(folder: Path, wkb: bytes, crs: int = 4490) -> Path:
    """Write the sites with a WKB of any kind, in degrees, in the place of the first."""
    path = saved(folder / "sites.gpkg", crs=crs)
    database = sqlite3.connect(path)
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f'DROP TRIGGER "{name}"')
    database.execute("UPDATE gpkg_geometry_columns SET geometry_type_name = 'GEOMETRY'")
    blob = b"GP\0\1" + struct.pack("<i", crs) + wkb
    database.execute("UPDATE sites SET geom = ? WHERE fid = 1", (blob,))
    database.execute("DROP TABLE IF EXISTS rtree_sites_geom")
    database.execute("DELETE FROM gpkg_extensions WHERE extension_name = 'gpkg_rtree_index'")
    database.commit()
    database.close()
    return path


def first_json(folder: Path, geometry: Any) -> Path:
    """Write the sites as GeoJSON with any geometry in the place of the first."""
    path = saved(folder / "sites.geojson", crs=4326)
    document = json.loads(path.read_text("utf-8"))
    document["features"][0]["geometry"] = geometry
    path.write_text(json.dumps(document), "utf-8")
    return path


def corners(shape: Any = SITE) -> list[list[float]]:
    """Give the corners of a polygon in plane metres, in degrees."""
    return [list(xy) for xy in degrees(shape)[0].exterior.coords]


def ring(shape: Any) -> bytes:
    """Write the ring of a polygon in plane metres as WKB."""
    points = np.array(corners(shape))
    return struct.pack("<I", len(points)) + points.astype("<f8").tobytes()


LEFT, RIGHT = box(-50, 100, 0, 200), box(0, 100, 50, 200)
BOW_TIE = Polygon([(-50, 100), (50, 200), (50, 100), (-50, 200)])
DOUBTFUL = {
    "a bow tie": BOW_TIE,
    "equal shells": MultiPolygon([SITE, SITE]),
    "a shell in a shell": MultiPolygon([SITE, box(-20, 120, 20, 160)]),
    "parts that overlap": MultiPolygon([SITE, box(0, 150, 100, 250)]),
    "a hole outside": Polygon(SITE.exterior.coords, [box(60, 100, 70, 110).exterior.coords]),
    "a hole as large as the shell": Polygon(SITE.exterior.coords, [SITE.exterior.coords]),
    "a hole that sticks out": Polygon(SITE.exterior.coords, [box(40, 190, 60, 210).exterior.coords]),
    "a ring run through twice": Polygon([*SITE.exterior.coords, *SITE.exterior.coords]),
}
for _name, _shape in DOUBTFUL.items():

    @case(
        "C",
        _name,
        "open",
        r"feature 's1'.*(a repair would change its area from|cannot be repaired)",
        truth=FIRST_OPEN,
        names="s1",
    )
    def _(folder: Path, shape: Any = _shape) -> Path:
        return first(folder, shape)


@case(
    "C",
    "a bow tie, repair accepted",
    "repaired",
    "2500.00|0.00 ㎡ before, 5000.00 ㎡ after",
    truth={**TRUTH, 0: (IN, 2_500.0)},
    names="s1",
)
def _(folder: Path) -> Request:
    return Request(first(folder, BOW_TIE), ACCEPTED)


@case("C", "equal shells, repair accepted", "repaired", "20000.00 ㎡ before, 10000.00 ㎡ after", names="s1")
def _(folder: Path) -> Request:
    return Request(first(folder, DOUBTFUL["equal shells"]), ACCEPTED)


@case("C", "a spike without width", "repaired", "10000.00 ㎡ before, 10000.00 ㎡ after", names="s1")
def _(folder: Path) -> Path:
    return first(folder, Polygon([(-50, 100), (-50, 300), (-50, 100), (50, 100), (50, 200), (-50, 200)]))


@case("C", "a ring that touches itself", "repaired", "was repaired", names="s1")
def _(folder: Path) -> Path:
    return first(folder, MultiPolygon([LEFT, RIGHT]))


@case("C", "points given twice", "answer")
def _(folder: Path) -> Path:
    points = list(SITE.exterior.coords)
    return first(folder, Polygon([p for p in points for _ in range(3)]))


@case("C", "clockwise and not", "answer")
def _(folder: Path) -> Path:
    return first(folder, SITE.reverse())


@case("C", "a hole, in order", "answer", truth={**TRUTH, 0: (IN, 4_900.0)})
def _(folder: Path) -> Path:
    return first(folder, Polygon(SITE.exterior.coords, [box(10, 110, 20, 120).exterior.coords]))


@case("C", "5,001 points", "answer")
def _(folder: Path) -> Path:
    return first(folder, shapely.segmentize(SITE, 400 / 5_000))


@case("C", "a ring that is not closed", "answer", "row 1: a ring was not closed", names="row 1")
def _(folder: Path) -> Path:
    return first_json(folder, {"type": "Polygon", "coordinates": [corners()[:-1]]})


@case("C", "a ring of two points", "open", "cannot be repaired|cannot be read", truth=FIRST_OPEN, names="s1|row 1")
def _(folder: Path) -> Path:
    return first_json(folder, {"type": "Polygon", "coordinates": [corners()[:2]]})


@case("C", "a ring of two points, closed", "open", "cannot be repaired", truth=FIRST_OPEN, names="s1")
def _(folder: Path) -> Path:
    points = corners()
    return first_json(folder, {"type": "Polygon", "coordinates": [[points[0], points[1], points[0]]]})


@case("C", "a line of one point", "open", "row 1: its geometry cannot be read", truth=FIRST_OPEN, names="row 1")
def _(folder: Path) -> Path:
    return first_json(folder, {"type": "LineString", "coordinates": corners()[:1]})


@case("C", "collapsed to a line", "open", "cannot be repaired|has no width", truth=FIRST_OPEN, names="s1")
def _(folder: Path) -> Path:
    return first(folder, Polygon([(-50, 100), (50, 100), (0, 100), (-50, 100)]))


for _word, _value in {"NaN": np.nan, "Inf": np.inf}.items():

    @case("C", f"a coordinate is {_word}", "open", "a coordinate is not a number", truth=FIRST_OPEN, names="s1")
    def _(folder: Path, value: float = _value) -> Path:
        points = np.array(corners())
        points[1, 0] = value
        return first_wkb(folder, struct.pack("<BII", 1, 3, 1) + struct.pack("<I", 5) + points.astype("<f8").tobytes())


@case("C", "NaN in GeoJSON", "refused", "holds NaN, which is no JSON")
def _(folder: Path) -> Path:
    points = corners()
    points[1][0] = float("nan")
    return first_json(folder, {"type": "Polygon", "coordinates": [points]})


@case("C", "coordinates as text", "open", "has no geometry", truth=FIRST_OPEN, names="s1")
def _(folder: Path) -> Path:
    return first_json(folder, {"type": "Polygon", "coordinates": [[[str(x), str(y)] for x, y in corners()]]})


@case("C", "arcs: a circle of 50 m as two", "answer", truth={**TRUTH, 0: (IN, np.pi * 2500 / 2)})
def _(folder: Path) -> Path:
    circle = [(-50, 150), (0, 200), (50, 150), (0, 100), (-50, 150)]
    there = gpd.GeoSeries(degrees(*map(Point, circle)), crs=4490).to_crs(4547)
    points = np.c_[there.x, there.y]
    string = struct.pack("<BII", 1, 8, 5) + points.astype("<f8").tobytes()
    return first_wkb(folder, struct.pack("<BII", 1, 10, 1) + string, crs=4547)


def _surface(code: int, part: int, *shapes: Any) -> bytes:
    return struct.pack("<BII", 1, code, len(shapes)) + b"".join(
        struct.pack("<BII", 1, part, 1) + ring(s) for s in shapes
    )


TRIANGLES = Polygon([(-50, 100), (50, 100), (50, 200)]), Polygon([(-50, 100), (50, 200), (-50, 200)])


@case("C", "a surface of triangles (TIN)", "answer", "surface of triangles", names="row 1")
def _(folder: Path) -> Path:
    return first_wkb(folder, _surface(16, 17, *TRIANGLES))


@case("C", "a surface of polygons (PolyhedralSurface)", "answer", "surface of triangles", names="row 1")
def _(folder: Path) -> Path:
    return first_wkb(folder, _surface(15, 3, LEFT, RIGHT))


@case("C", "TIN in GeoJSON", "open", "has no geometry", truth=FIRST_OPEN, names="s1")
def _(folder: Path) -> Path:
    return first_json(folder, {"type": "TIN", "coordinates": [[corners()[:3] + corners()[:1]]]})


@case("C", "WKB cut short", "open", "has no geometry|cannot be read", truth=FIRST_OPEN, names="s1|row 1")
def _(folder: Path) -> Path:
    return first_wkb(folder, (struct.pack("<BII", 1, 3, 1) + ring(SITE))[:-20])


@case(
    "C",
    "WKB of four thousand million points",
    "open",
    "has no geometry|cannot be read",
    truth=FIRST_OPEN,
    names="s1|row 1",
)
def _(folder: Path) -> Path:
    return first_wkb(folder, struct.pack("<BIII", 1, 3, 1, 0xFFFFFFF0) + b"\0" * 64)


@case("C", "polygon and line in one feature", "repaired", "mixture", names="s1")
def _(folder: Path) -> Path:
    return first(folder, shapely.GeometryCollection([SITE, LineString([(0, 0), (9, 9)])]))


@case("C", "collections in collections", "answer")
def _(folder: Path) -> Path:
    return first(folder, shapely.GeometryCollection([shapely.GeometryCollection([SITE])]))


@case("C", "a polygon with an empty part", "answer")
def _(folder: Path) -> Path:
    return first(folder, MultiPolygon([SITE, Polygon()]))


@case("C", "point, line and polygon rows", "answer", truth={0: (IN, 5_000.0), 1: (IN, None), 2: (IN, None)})
def _(folder: Path) -> Path:
    shapes = SITE, Point(200, 200), LineString([(-100, 300), (100, 300)])
    return saved(folder / "sites.geojson", toy.sites(*shapes), crs=4326)


@case("C", "heights", "answer", "heights")
def _(folder: Path) -> Path:
    frame = pair()
    return saved(
        folder / "sites.gpkg", frame.set_geometry(gpd.GeoSeries(shapely.force_3d(frame.geometry, 100.0), crs=4490))
    )


@case("C", "measures", "answer")
def _(folder: Path) -> Path:
    points = np.c_[np.array(corners()), np.arange(5.0)]
    return first_wkb(folder, struct.pack("<BII", 1, 2003, 1) + struct.pack("<I", 5) + points.astype("<f8").tobytes())


@case("C", "no geometry", "open", "feature 's1'.*has no geometry", truth=FIRST_OPEN, names="s1")
def _(folder: Path) -> Path:
    return first(folder, None)


@case("C", "an empty geometry", "open", "feature 's1'.*(is empty|has no geometry)", truth=FIRST_OPEN, names="s1")
def _(folder: Path) -> Path:
    return first(folder, Polygon())


@case("C", "an id given twice", "refused", "rows 1, 2: share the id 's1'", names="rows 1, 2")
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", pair().assign(id=["s1", "s1"]))


@case("C", "a site without id", "refused", "row 2, field 'id': is empty", names="row 2")
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", pair().assign(id=["s1", None]))


@case("C", "two columns of ids that differ", "answer", "column 'id' is taken as id; '编号'")
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", pair().assign(编号=["a", "b"]))


@case("C", "no ids at all", "answer", "rows are numbered from 1")
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", pair().drop(columns="id"))


@case(
    "C",
    "the same shape twice",
    "answer",
    "features 's1' and 's2': have the same shape",
    truth={0: (IN, 5_000.0), 1: (IN, 5_000.0)},
)
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", toy.sites(SITE, SITE))


@case(
    "C",
    "sites that overlap",
    "answer",
    "features 's1' and 's2': overlap by 5000.00",
    truth={0: (IN, 5_000.0), 1: (IN, 10_000.0)},
)
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", toy.sites(SITE, toy.square(0, 100)))


@case(
    "C",
    "an activity that is none",
    "answer",
    "site 's2'.*'飞行' is not in the vocabulary",
    names="s2",
)
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", pair().assign(activity=["住宅", "飞行"]))


@case("C", "no activity", "open", "has no column of activities", truth=FIRST_OPEN, geometric=TRUTH)
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", pair().drop(columns="activity"))


@case("C", "millimetres beside the border", "answer", truth={0: (OUT, None), 1: (OUT, None)})
def _(folder: Path) -> Path:
    return first(folder, box(-100, 100, 0.0004, 200))
