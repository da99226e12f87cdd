"""What a reader does to a shape is a repair like any other: listed with areas, and refused where it changes them too much."""

from __future__ import annotations

import dataclasses
import json
import math
import struct
import warnings

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
import toy
from input_files import HEAD, HOLE, METRES, SQUARE, book, dxf, line, rows_of
from input_files import ring as square_of
from pyproj import CRS
from shapely import MultiPolygon, Point, Polygon, box

from lzgis.batch import BatchOptions, screen_batch
from lzgis.city.catalogue import open_catalogue, read_layer
from lzgis.coordinates.plane import ellipsoidal_area_m2
from lzgis.errors import SourceError
from lzgis.exports.gis.json import provenance_object
from lzgis.exports.provenance import provenance_tables
from lzgis.exports.report_text import ReportText
from lzgis.messages import Message
from lzgis.model.report import Repair
from lzgis.reading import ReadOptions, read_sites, read_vector
from lzgis.reading.arcs import square_metres
from lzgis.reading.repair import Change, repair_geometries
from lzgis.reading.wkb import has_arc
from lzgis.screening.screen import screen

CLOSED = "a ring was not closed; it was closed by a straight line"
OUTLINES = "is a surface of triangles or polygons and was taken as their outlines"
ACCEPTED = ReadOptions(crs="EPSG:4526", repairs="accepted")
EAST, NORTH = 38_412_000.0, 2_765_000.0


def corners(lon=112.4, side=0.001):
    return [[lon, 25.0], [lon + side, 25.0], [lon + side, 25.0 + side], [lon, 25.0 + side]]


def area(points):
    return float(ellipsoidal_area_m2([Polygon(points)])[0])


def feature(name, rings, **more):
    return {
        "type": "Feature",
        "properties": {"id": name, **more},
        "geometry": {"type": "Polygon", "coordinates": rings},
    }


def collection(path, *features):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}), "utf-8")
    return path


def whole(lon):
    points = corners(lon)
    return [[*points, points[0]]]


# --- rings that are not closed -----------------------------------------------------------------------------


def test_a_ring_that_is_not_closed_is_a_repair_of_a_site_and_of_a_layer(tmp_path):
    path = collection(tmp_path / "s.geojson", feature("a", whole(112.3)), feature("b", [corners()]))
    # A straight line closes it, so its area is that of the four corners before and after.
    expected = pytest.approx(area(corners()), abs=0.01)
    for source in (read_sites(path), read_layer(path)):
        (repair,) = source.repairs
        assert (repair.feature, repair.what, repair.accepted) == ("b", CLOSED, True)
        assert (repair.area_before_m2, repair.area_after_m2) == (expected, expected)
    assert read_sites(path).frame.geometry.notna().all()


def test_the_row_is_still_the_right_one_where_only_some_rows_are_used(tmp_path):
    rows = (feature("a", whole(112.3), use="no"), feature("b", [corners()], use="yes"), feature("c", [corners(112.5)]))
    path = collection(tmp_path / "s.geojson", *rows)
    sites = read_sites(path, options=ReadOptions(where={"use": ["yes"]}))
    assert [(r.feature, r.what) for r in sites.repairs] == [("b", CLOSED)]
    assert read_sites(path, options=ReadOptions(where={"use": ["no"]})).repairs == ()


def test_many_of_one_kind_are_listed_together(tmp_path):
    lons = [112.3 + i / 100 for i in range(21)]
    path = collection(tmp_path / "s.geojson", *(feature(f"s{i}", [corners(lon)]) for i, lon in enumerate(lons)))
    (repair,) = read_sites(path).repairs
    assert (str(repair.feature), repair.what) == ("21 features", CLOSED)
    assert repair.area_after_m2 == pytest.approx(sum(area(corners(lon)) for lon in lons), abs=0.1)


def kml(*polygons, height=""):
    marks = "".join(
        f"<Placemark><name>{name}</name><Polygon><outerBoundaryIs><LinearRing><coordinates>"
        + " ".join(f"{x},{y}{height}" for x, y in points)
        + "</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
        for name, points in polygons
    )
    return f'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>{marks}</Document></kml>'


def test_a_placemark_whose_ring_is_not_closed(tmp_path):
    path = tmp_path / "s.kml"
    path.write_text(kml(("a", whole(112.3)[0]), ("b", corners())), "utf-8")
    sites = read_sites(path)
    assert [(r.feature, r.what, round(r.area_before_m2)) for r in sites.repairs] == [
        ("2", CLOSED, round(area(corners())))
    ]
    (warning,) = [p for p in sites.problems if p.what == CLOSED]
    assert warning.level == "warning"
    assert warning.place.endswith("placemark 2 ('b')")


def test_heights_are_left_out_of_placemarks_unless_they_are_0(tmp_path):
    path = tmp_path / "s.kml"
    path.write_text(kml(("a", whole(112.3)[0]), height=",0"), "utf-8")
    assert read_sites(path).repairs == ()
    path.write_text(kml(("a", whole(112.3)[0]), height=",12.5"), "utf-8")
    sites = read_sites(path)
    assert [(r.feature, r.what) for r in sites.repairs] == [("1", "heights (Z) were left out")]
    assert not shapely.has_z(sites.frame.geometry.to_numpy()).any()
    path.write_text(kml(("a", whole(112.3)[0]), height=",?"), "utf-8")
    assert read_sites(path).repairs == ()


def test_a_ring_of_geoparquet_in_columns_of_its_own(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    shapes = [Polygon(whole(112.3)[0]), Polygon(corners())]
    frame = gpd.GeoDataFrame({"id": ["a", "b"]}, geometry=shapes, crs=4490)
    for several in (False, True):
        path = tmp_path / "s.parquet"
        made = frame.set_geometry([MultiPolygon([s]) for s in shapes], crs=4490) if several else frame
        made.to_parquet(path, geometry_encoding="geoarrow")
        assert read_sites(path).repairs == ()
        table = pq.read_table(path)
        rings = table.column("geometry").to_pylist()
        ring = rings[1][0][0] if several else rings[1][0]
        del ring[-1]
        at = table.schema.get_field_index("geometry")
        column = pa.array(rings, type=table.schema.field(at).type)
        pq.write_table(table.set_column(at, table.schema.field(at), column), path)
        assert [(r.feature, r.what) for r in read_sites(path).repairs] == [("b", CLOSED)]
        read = read_vector(path, options=ReadOptions(rows=(1, 1)))
        assert read.changes == (Change((0,), CLOSED),)
        assert [p.place for p in read.problems if p.what == CLOSED] == [f"{path}, row 2"]


def test_a_ring_that_fiona_reads(tmp_path, monkeypatch):
    path = tmp_path / "s.gpkg"
    points = np.array(corners())
    wkb = struct.pack("<BII", 1, 3, 1) + struct.pack("<I", 4) + points.astype("<f8").tobytes()
    _written(path, [shapely.to_wkb(Polygon(whole(112.3)[0])), wkb], "EPSG:4490")

    def refuse(*_, **__):
        raise pyogrio.errors.DataSourceError("not today")

    monkeypatch.setattr(pyogrio, "read_dataframe", refuse)
    read = read_vector(path)
    assert read.engine.startswith("fiona")
    assert read.changes == (Change((1,), CLOSED),)
    assert f"{path}, row 2: {CLOSED}; look whether points are missing" in map(str, read.problems)


@pytest.mark.parametrize(
    ("name", "driver"),
    [("s.gpkg", "GPKG"), ("s.fgb", "FlatGeobuf"), ("s.gdb", "OpenFileGDB"), ("s.shp", "ESRI Shapefile")],
)
def test_a_ring_that_is_not_closed_in_any_format_that_gdal_reads(tmp_path, name, driver):
    points = np.array(corners())
    wkb = struct.pack("<BII", 1, 3, 1) + struct.pack("<I", 4) + points.astype("<f8").tobytes()
    _written(tmp_path / name, [shapely.to_wkb(Polygon(whole(112.3)[0])), wkb], "EPSG:4490", "Polygon", driver)
    (repair,) = read_sites(tmp_path / name).repairs
    assert (repair.feature, repair.what) == ("s2", CLOSED)
    assert repair.area_before_m2 == repair.area_after_m2 == pytest.approx(area(corners()), abs=0.01)


# --- other changes -----------------------------------------------------------------------------------------


def _written(path, shapes, crs, kind="Unknown", driver="GPKG"):
    """Write WKB as it is."""
    ids = np.array([f"s{i + 1}" for i in range(len(shapes))], dtype=object)
    raw = np.array(shapes, dtype=object)
    options = {"field_data": [ids], "fields": ["id"], "geometry_type": kind, "driver": driver, "crs": crs}
    with warnings.catch_warnings():
        # GDAL warns of kinds of shapes that a layer should not hold, and writes them.
        warnings.simplefilter("ignore")
        pyogrio.raw.write(path, geometry=raw, **options)
    return path


def test_a_surface_of_triangles_is_a_repair(tmp_path):
    a, b, c, d = corners()
    triangles = [[a, b, c, a], [a, c, d, a]]
    rings = [struct.pack("<BIII", 1, 17, 1, 4) + np.array(t).astype("<f8").tobytes() for t in triangles]
    _written(tmp_path / "s.gpkg", [struct.pack("<BII", 1, 16, 2) + b"".join(rings)], "EPSG:4490")
    first, *more = read_sites(tmp_path / "s.gpkg").repairs
    assert (first.feature, first.what, first.accepted) == ("s1", OUTLINES, True)
    assert first.area_after_m2 == pytest.approx(area(corners()), abs=0.01)
    # The two triangles share an edge, which a multipolygon must not: made one, which is a repair of its own.
    assert [round(r.area_after_m2 - first.area_after_m2, 2) for r in more] == [0]


def test_a_ring_given_twice_is_used_once_only_if_that_is_accepted(tmp_path):
    rows = [HEAD, *rows_of([SQUARE, HOLE, HOLE], "甲"), *rows_of([SQUARE, SQUARE], "乙"), *rows_of([SQUARE], "丙")]
    path = book(tmp_path, s=rows)
    # As drawn: two holes of 100 ㎡ in a square of 10,000 ㎡; two squares.
    read = read_vector(path, options=METRES)
    assert read.changes[0].rows == (0, 1)
    assert read.changes[0].drawn == pytest.approx((9_800 / 9_900, 2.0))
    strict, accepted = read_sites(path, options=METRES), read_sites(path, options=ACCEPTED)
    assert strict.frame.geometry.isna().tolist() == [True, True, False]
    assert [r.accepted for r in strict.repairs] == [False, False]
    assert accepted.frame.geometry.notna().all()
    assert [r.accepted for r in accepted.repairs] == [True, True]
    for repairs in (strict.repairs, accepted.repairs):
        assert [r.what for r in repairs] == ["has the same ring twice; it is counted once"] * 2
        before, after = repairs[1].area_before_m2, repairs[1].area_after_m2
        assert (before / after, after) == (pytest.approx(2), pytest.approx(10_000, rel=1e-3))
    refused = [p for p in strict.problems if p.remedy == "draw it again, or accept the repair"]
    assert [p.level for p in refused] == ["error", "error"]
    assert "which changes its area from" in refused[0].what


def test_what_a_reader_did_is_under_the_tolerance_of_all_repairs():
    square = shapely.transform(toy.square(0, 0, 100), lambda xy: xy / 1e5 + (112, 25))
    size = area(shapely.get_coordinates(square))
    # One ㎡ may be lost, 1.1 ㎡ may not; nothing is refused twice for being invalid too.
    for less_m2, refused in ((0.9, False), (1.1, True)):
        change = Change((0,), "bent", (1 + less_m2 / size,))
        done = repair_geometries([square], np.array(["a"]), "s", changes=[change])
        assert done.refused.tolist() == [refused]
        assert done.repairs == (Repair("s", "a", "bent", pytest.approx(size + less_m2), size, not refused),)
        assert len(done.doubtful) == refused
        assert not repair_geometries([square], np.array(["a"]), "s", accept="accepted", changes=[change]).refused.any()
    nothing = repair_geometries([None], np.array(["a"]), "s", changes=[Change((0,), "bent")])
    assert nothing.repairs == (Repair("s", "a", "bent", 0.0, 0.0, True),)


def test_a_refused_shape_that_is_not_valid_either_stays_refused():
    # Two triangles that meet in one point, drawn as one ring: valid after a repair that changes no area.
    spike = Polygon([(112, 25), (112.001, 25), (112.001, 25.001), (112.001, 25.002), (112.001, 25.001), (112, 25.001)])
    done = repair_geometries([spike], np.array(["a"]), "s", changes=[Change((0,), "bent", (2.0,))])
    assert done.refused.tolist() == [True]
    assert [r.accepted for r in done.repairs] == [False, True]


def test_heights_of_a_layer_are_one_repair_in_all(tmp_path):
    shapes = [shapely.force_3d(Polygon(corners(112 + i / 100)), 7.0) for i in range(25)]
    gpd.GeoDataFrame({"id": range(25)}, geometry=shapes, crs=4490).to_file(tmp_path / "s.gpkg", engine="pyogrio")
    for source in (read_sites(tmp_path / "s.gpkg"), read_layer(tmp_path / "s.gpkg")):
        (repair,) = source.repairs
        assert (str(repair.feature), repair.what) == ("25 features", "heights (Z) were left out")
        assert repair.area_before_m2 == repair.area_after_m2 == pytest.approx(25 * area(corners()), rel=1e-6)


# --- arcs --------------------------------------------------------------------------------------------------


def circle(radius, x=EAST, y=NORTH):
    points = [(x - radius, y), (x, y + radius), (x + radius, y), (x, y - radius), (x - radius, y)]
    string = struct.pack("<BII", 1, 8, 5) + np.array(points).astype("<f8").tobytes()
    return struct.pack("<BII", 1, 10, 1) + string


def straight():
    line_ = struct.pack("<BII", 1, 2, 5) + shapely.get_coordinates(box(EAST, NORTH, EAST + 9, NORTH + 9)).tobytes()
    return struct.pack("<BII", 1, 10, 1) + line_


def chords(step_deg):
    share = 1 - math.cos(math.radians(step_deg / 2))
    return f"curves are drawn as chords of {step_deg}°, off by at most {share:.1e} of the radius"


def lost(shape):
    """The share of the area of a circle that its inscribed polygon lacks; it is found to a hundredth of it."""
    n = shapely.get_num_coordinates(shape) - 1
    return pytest.approx(1 - n * math.sin(2 * math.pi / n) / (2 * math.pi), rel=0.01)


@pytest.mark.parametrize(
    ("name", "driver", "kind"),
    [
        ("s.gpkg", "GPKG", "Unknown"),
        ("s.gpkg", "GPKG", "Polygon"),
        ("s.fgb", "FlatGeobuf", "Unknown"),
        ("s.gdb", "OpenFileGDB", "Polygon"),
    ],
)
def test_arcs_are_reported_for_any_geometry_type_of_the_layer(tmp_path, name, driver, kind):
    plain = shapely.to_wkb(box(EAST, NORTH, EAST + 9, NORTH + 9))
    path = _written(tmp_path / name, [plain, circle(50), straight()], "EPSG:4526", kind, driver)
    sites = read_sites(path)
    note = next(p for p in sites.problems if p.what == chords(0.5))
    assert (note.level, note.remedy) == ("note", "nothing to do: 1 rows have any")
    (repair,) = sites.repairs
    assert (repair.feature, repair.what, repair.accepted) == ("s2", "its arcs were drawn as chords of 0.5°", True)
    # FlatGeobuf has an order of its own.
    drawn = sites.frame.geometry[sites.frame["id"] == "s2"].iloc[0]
    assert 720 <= shapely.get_num_coordinates(drawn) - 1 <= 722
    assert 1 - repair.area_after_m2 / repair.area_before_m2 == lost(drawn)
    assert repair.area_before_m2 == pytest.approx(math.pi * 2500, rel=1e-3)
    (again,) = read_layer(path).repairs
    assert (again.area_before_m2, again.area_after_m2) == (repair.area_before_m2, repair.area_after_m2)


def test_large_arcs_are_drawn_finer_so_that_no_area_changes_beyond_the_tolerance(tmp_path):
    # π · 500² ㎡ less by 1.3e-5 are 10 ㎡; chords of 0.1° are 0.4 ㎡ less.
    path = _written(tmp_path / "s.gpkg", [circle(50), circle(500)], "EPSG:4526")
    sites = read_sites(path)
    by_feature = {r.feature: r for r in sites.repairs}
    assert {f: str(r.what) for f, r in by_feature.items()} == {
        "s1": "its arcs were drawn as chords of 0.5°",
        "s2": "its arcs were drawn as chords of 0.1°",
    }
    large = by_feature["s2"]
    assert 1 - large.area_after_m2 / large.area_before_m2 == lost(sites.frame.geometry.iloc[1])
    assert large.area_before_m2 - large.area_after_m2 == pytest.approx(0.4, abs=0.01)
    assert all(r.accepted for r in sites.repairs)
    assert {chords(0.5), chords(0.1)} <= {p.what for p in sites.problems}


def test_rows_of_a_window_are_reported_by_their_number_in_the_file(tmp_path):
    points = np.array(corners()).astype("<f8").tobytes()
    open_ring = struct.pack("<BIII", 1, 3, 1, 4) + points
    plain = shapely.to_wkb(Polygon(whole(112.3)[0]))
    path = _written(tmp_path / "s.gpkg", [plain, plain, circle(0.0001, 112.4, 25), open_ring, plain], "EPSG:4490")
    read = read_vector(path, options=ReadOptions(rows=(2, 2)))
    assert [(c.rows, str(c.what)) for c in read.changes] == [
        ((0,), "its arcs were drawn as chords of 0.5°"),
        ((1,), CLOSED),
    ]
    assert [p.place for p in read.problems if p.what == CLOSED] == [f"{path}, row 4"]


GML = """<?xml version="1.0"?><FeatureCollection xmlns:gml="http://www.opengis.net/gml" xmlns="http://example.org/x">
<gml:featureMember><site><id>a</id><geom><gml:Polygon srsName="EPSG:4526"><gml:exterior><gml:LinearRing><gml:posList>
38412000 2765000 38412009 2765000 38412009 2765009 38412000 2765000</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>
</geom></site></gml:featureMember>
<gml:featureMember><site><id>b</id><geom><gml:Polygon srsName="EPSG:4526"><gml:exterior><gml:Ring><gml:curveMember><gml:Curve>
<gml:segments><gml:ArcString interpolation="circularArc3Points"><gml:posList>38411950 2765000 38412000 2765050 38412050 2765000
38412000 2764950 38411950 2765000</gml:posList></gml:ArcString></gml:segments></gml:Curve></gml:curveMember></gml:Ring>
</gml:exterior></gml:Polygon></geom></site></gml:featureMember></FeatureCollection>"""


def test_arcs_of_gml(tmp_path):
    (tmp_path / "s.gml").write_text(GML, "utf-8")
    read = read_vector(tmp_path / "s.gml")
    assert [c.rows for c in read.changes] == [(1,)]
    assert 1 - 1 / read.changes[0].drawn[0] == lost(read.frame.geometry.iloc[1])
    assert chords(0.5) in {p.what for p in read.problems}


def test_arcs_of_json_fg(tmp_path):
    points = [[38411950.0, 2765000], [38412000, 2765050], [38412050, 2765000], [38412000, 2764950], [38411950, 2765000]]
    arcs = {"type": "CurvePolygon", "geometries": [{"type": "CircularString", "coordinates": points}]}
    one = {"type": "Feature", "id": "a", "properties": {"id": "a"}, "geometry": None, "place": arcs}
    head = {"type": "FeatureCollection", "coordRefSys": "http://www.opengis.net/def/crs/EPSG/0/4526"}
    (tmp_path / "s.jsonfg").write_text(json.dumps(head | {"features": [one]}), "utf-8")
    read = read_vector(tmp_path / "s.jsonfg")
    assert [c.rows for c in read.changes] == [(0,)]
    assert 1 - 1 / read.changes[0].drawn[0] == lost(read.frame.geometry.iloc[0])


def test_arcs_of_geoparquet_are_refused(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "s.parquet"
    gpd.GeoDataFrame({"id": ["a"]}, geometry=[Polygon(corners())], crs=4490).to_parquet(path)
    table = pq.read_table(path)
    at = table.schema.get_field_index("geometry")
    pq.write_table(table.set_column(at, table.schema.field(at), pa.array([circle(50)], type=pa.binary())), path)
    with pytest.raises(SourceError, match="cannot be read"):
        read_sites(path)


def test_arcs_and_splines_of_a_drawing(tmp_path):
    half = line([(0, 0), (20, 0), (20, 20)], closed=True).replace("20\n0\n", "20\n0\n42\n1.0\n", 1)
    big = "0\nCIRCLE\n5\n1C\n100\nAcDbEntity\n8\n0\n100\nAcDbCircle\n10\n0\n20\n0\n30\n0\n40\n500\n"
    path = tmp_path / "s.dxf"
    path.write_text(dxf(line(square_of(0, 100), True), half, big), "utf-8")
    read = read_vector(path, options=ReadOptions(crs="EPSG:4526"))
    assert [(c.rows, str(c.what)) for c in read.changes] == [
        ((2,), "its arcs were drawn as chords of 0.1°"),
        ((1,), "its arcs were drawn as chords of 0.5°"),
    ]
    # A triangle of 200 ㎡ and half a circle of radius 10 m, and the large circle.
    true = [read.frame.geometry.iloc[c.rows[0]].area * c.drawn[0] for c in read.changes]
    assert true == pytest.approx([math.pi * 500**2, 200 + 50 * math.pi], rel=1e-8)
    assert read.engine.startswith("ezdxf ")
    knots = "".join(f"40\n{k}\n" for k in (0, 0, 0, 0, 1, 1, 1, 1))
    points = "".join(f"10\n{x}\n20\n{y}\n30\n0\n" for x, y in ((0, 0), (1, 2), (3, 2), (4, 0)))
    spline = (
        f"0\nSPLINE\n5\n1D\n100\nAcDbEntity\n8\n0\n100\nAcDbSpline\n70\n8\n71\n3\n72\n8\n73\n4\n74\n0\n{knots}{points}"
    )
    path.write_text(dxf(spline), "utf-8")
    levels = {p.what: p.level for p in read_vector(path).problems}
    assert (
        levels["splines are drawn as chords of the library that reads them, which does not say how far off"]
        == "warning"
    )


def test_arcs_in_a_table_are_reported_by_their_row(tmp_path):
    text = 'id,wkt\na,"POINT (112.4 25)"\nb,"CURVEPOLYGON (CIRCULARSTRING (0 0, 1 1, 2 0, 1 -1, 0 0))"\n'
    (tmp_path / "s.csv").write_text(text, "utf-8")
    read = read_vector(tmp_path / "s.csv")
    assert read.frame.geometry.isna().tolist() == [False, True]
    assert any("is no WKT" in p.what and "row 3" in p.place for p in read.problems)


def test_whether_a_shape_has_an_arc_in_any_depth():
    nested = struct.pack("<BII", 1, 7, 2) + shapely.to_wkb(Point(1, 2)) + struct.pack("<BII", 1, 12, 1) + circle(5)
    assert has_arc(nested)
    big_endian = struct.pack(">BII", 0, 9, 1) + struct.pack(">BII", 0, 1008, 3) + bytes(72)
    assert has_arc(big_endian)
    collection_ = shapely.GeometryCollection([Polygon(SQUARE, [HOLE]), shapely.MultiPoint([(8, 8), (1, 8)])])
    assert not has_arc(shapely.to_wkb(shapely.force_3d(collection_, 8.0), flavor="iso"))
    assert not has_arc(straight())
    assert not has_arc(nested[: len(nested) // 3])
    assert square_metres(CRS.from_epsg(2263)) == pytest.approx(0.3048006096**2)  # US survey feet


# --- where they are printed --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = toy.city(tmp_path_factory.mktemp("repairs") / "city")
    frame = toy.sites(*(toy.square(x, 100) for x in range(-4000, 2000, 500)))
    raw = list(shapely.to_wkb(frame.geometry.to_numpy()))
    points = shapely.get_coordinates(frame.geometry.iloc[7])[:-1]
    raw[7] = struct.pack("<BIII", 1, 3, 1, 4) + points.astype("<f8").tobytes()
    _written(folder / "sites.gpkg", raw, "EPSG:4490")
    return folder


def test_a_report_and_a_batch_list_what_the_reader_did(place, tmp_path, monkeypatch):
    sites = read_sites(place / "sites.gpkg")
    report = screen(sites, open_catalogue(place), as_of=toy.AS_OF)
    (repair,) = report.provenance.repairs
    assert (repair.feature, repair.what) == ("s8", CLOSED)
    assert repair.area_before_m2 == repair.area_after_m2 == pytest.approx(10_000, rel=1e-6)
    (entry,) = provenance_object(report.provenance)["repairs"]
    assert entry["feature"] == "s8"
    many = dataclasses.replace(repair, feature=Message("{count} features", count=21))
    report_of_many = dataclasses.replace(report, provenance=dataclasses.replace(report.provenance, repairs=(many,)))
    (row,) = next(t for t in provenance_tables(ReportText(report_of_many, "zh")) if t.name == "repairs").rows
    assert row[1:3] == ["21 个要素", "有环未闭合，已以直线闭合"]
    settings = BatchOptions(formats=("parquet",), shard_size=5)
    done = screen_batch(place / "sites.gpkg", place, tmp_path / "a", as_of=toy.AS_OF, settings=settings)
    assert done.report.provenance.repairs == (repair,)
    # Read in windows of five rows: the eighth row is the third of the second.
    monkeypatch.setattr("lzgis.batch.reading.AT_ONCE", 5)
    done = screen_batch(place / "sites.gpkg", place, tmp_path / "b", as_of=toy.AS_OF, settings=settings)
    assert done.report.provenance.repairs == (repair,)
