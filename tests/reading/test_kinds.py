"""Kinds of files that offices hand over: rows that would be lost, outlines as lines or points, tables as people write them."""

from __future__ import annotations

import json
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import raw_shapefile
import shapely
import toy

from lzgis.coordinates.plane import ellipsoidal_area_m2
from lzgis.errors import LzgisError, SourceError
from lzgis.model.report import Reason
from lzgis.reading import ReadOptions, read_sites, read_vector
from lzgis.reading.outlines import outlines_of
from lzgis.screening.screen import screen

SQUARE = [[112.0, 25.0], [112.001, 25.0], [112.001, 25.001], [112.0, 25.001], [112.0, 25.0]]
#: Geod area of that square on CGCS2000, m².
SQUARE_M2 = 11_182.0


def _feature(**more):
    return {
        "type": "Feature",
        "properties": {"id": "a"},
        "geometry": {"type": "Polygon", "coordinates": [SQUARE]},
    } | more


def _collection(*features):
    return json.dumps({"type": "FeatureCollection", "features": features})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"properties": {}, "geometry": None}, r"feature 2: has the type \(none\) instead of 'Feature'"),
        (_feature(type="feature"), r"feature 2: has the type 'feature' instead of 'Feature'"),
        ({"type": "Polygon", "coordinates": [SQUARE]}, r"feature 2: has the type 'Polygon' instead of 'Feature'"),
        ({"type": "FeatureCollection", "features": []}, r"feature 2: has the type 'FeatureCollection'"),
        (None, "feature 2: is no feature but null"),
        ("a", 'feature 2: is no feature but "a"'),
        (_feature(properties=[1]), "feature 2: its properties are no object"),
    ],
)
def test_no_feature_of_geojson_is_lost(tmp_path, wrong, message):
    (tmp_path / "s.geojson").write_text(_collection(_feature(), wrong), "utf-8")
    with pytest.raises(SourceError, match=message):
        read_vector(tmp_path / "s.geojson")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            _feature(geometry={"type": "polygon", "coordinates": [SQUARE]}),
            "feature 2: its geometry has a type .* 'polygon'",
        ),
        (_feature(geometry={"type": "Polygon", "coordinates": [[SQUARE]]}), "feature 2: .* nested 4 deep instead of 3"),
        (
            _feature(geometry={"type": "MultiPolygon", "coordinates": [SQUARE]}),
            "feature 2: .* nested 3 deep instead of 4",
        ),
        (
            _feature(geometry={"type": "Point", "coordinates": ["112", 25]}),
            "feature 2: a coordinate of its Point is no number",
        ),
    ],
)
def test_a_geometry_of_another_form_is_named(tmp_path, wrong, message):
    (tmp_path / "s.geojson").write_text(_collection(_feature(), wrong), "utf-8")
    read = read_vector(tmp_path / "s.geojson")
    assert [one is None for one in read.frame.geometry] == [False, True]
    (found,) = [p for p in read.problems if p.level == "error"]
    assert re.search(message, str(found))
    (tmp_path / "s.geojson").write_text(_collection(wrong), "utf-8")
    with pytest.raises(SourceError, match=message.replace("feature 2", "feature 1")):
        read_vector(tmp_path / "s.geojson")


@pytest.mark.parametrize("key", ["geometry", "properties", "type"])
def test_a_key_that_stands_twice_in_a_feature(tmp_path, key):
    one = json.dumps(_feature())
    twice = one[:-1] + f", {json.dumps(key)}: {json.dumps(_feature()[key])}" + "}"
    (tmp_path / "s.geojson").write_text('{"type": "FeatureCollection", "features": [' + f"{one}, {twice}]}}")
    with pytest.raises(SourceError, match=f"feature 2: the key '{key}' stands twice"):
        read_vector(tmp_path / "s.geojson")


def test_the_list_of_features_stands_twice(tmp_path):
    text = _collection(_feature())
    (tmp_path / "s.geojson").write_text(text[:-1] + ', "features": []}')
    with pytest.raises(SourceError, match="the key 'features' stands twice"):
        read_vector(tmp_path / "s.geojson")


@pytest.mark.parametrize("suffix", [".geojson", ".geojsonl", ".ndjson"])
def test_a_feature_in_every_line(tmp_path, suffix):
    path = tmp_path / f"s{suffix}"
    path.write_text("".join(json.dumps(_feature(properties={"id": i})) + "\n" for i in "ab"))
    assert read_vector(path).frame["id"].tolist() == ["a", "b"]
    path.write_text(json.dumps(_feature()) + '\n{"type": "Feat')
    with pytest.raises(SourceError, match="line 2: is no JSON"):
        read_vector(path)


KML = '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{}</Document></kml>'
RING = "<LinearRing><coordinates>{}</coordinates></LinearRing>"
MARK = "<Placemark><name>a</name><Polygon><outerBoundaryIs>" + RING + "</outerBoundaryIs></Polygon></Placemark>"
POINTS = " ".join(f"{x},{y},0" for x, y in SQUARE)


def _kml(tmp_path, body):
    (tmp_path / "s.kml").write_text(KML.format(body), "utf-8")
    return read_vector(tmp_path / "s.kml")


def test_kml_in_another_case_and_with_blanks_after_commas(tmp_path):
    small = MARK.format(POINTS.replace(",", ", ")).replace("Placemark", "placemark").replace("Polygon", "POLYGON")
    read = _kml(tmp_path, small + MARK.format(POINTS))
    assert len(read.frame) == 2
    assert read.frame.geometry.iloc[0].equals(read.frame.geometry.iloc[1])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (MARK.format("112,25,0,7 112,26,0"), "a point has 4 numbers instead of 2 or 3"),
        (
            MARK.format(POINTS).replace("<name>", f"<x>{RING.format(POINTS)}</x><name>"),
            "1 lists of coordinates stand where",
        ),
        (MARK.format(POINTS).replace("<name>", f"{MARK.format(POINTS)}<name>"), "holds 2 rows, of which only 1"),
        ("<gx:Tour/>" + MARK.format(POINTS), "uses the prefix 'gx:', which it does not declare"),
    ],
)
def test_kml_of_which_something_would_be_lost(tmp_path, body, message):
    with pytest.raises(SourceError, match=message):
        _kml(tmp_path, body)


def test_a_gml_member_in_another_case_is_not_skipped(tmp_path):
    frame = gpd.GeoDataFrame({"id": ["a", "b"]}, geometry=[shapely.box(112, 25, 112.1, 25.1)] * 2, crs=4326)
    frame.to_file(tmp_path / "s.gml", engine="pyogrio")
    assert len(read_vector(tmp_path / "s.gml").frame) == 2
    text = (tmp_path / "s.gml").read_text("utf-8")
    at = text.rindex("<ogr:featureMember>")
    text = text[:at] + text[at:].replace("ogr:featureMember", "ogr:FeatureMember")
    (tmp_path / "s.gml").write_text(text, "utf-8")
    (tmp_path / "s.xsd").unlink(missing_ok=True)
    try:
        read = read_vector(tmp_path / "s.gml")
    except SourceError as error:
        assert "holds 2 rows, of which only 1" in str(error)
    else:
        assert len(read.frame) == 2


RING_M = np.array([[0.0, 0.0], [100, 0], [100, 100], [0, 100], [0, 0]])


def _degrees(*shapes):
    return toy.PLANE.unproject(np.array(shapes, dtype=object))


def _lines(*shapes, **columns):
    data = columns or {"id": [str(i) for i in range(len(shapes))]}
    return gpd.GeoDataFrame(data, geometry=list(_degrees(*shapes)), crs=4490)


def _found(frame):
    return outlines_of(frame, frame.geometry.to_numpy())


def test_lines_that_enclose_an_area():
    closed = shapely.LineString(RING_M)
    near = shapely.LineString(np.vstack([RING_M[:-1], [[0, 3]]]))
    wide = shapely.LineString(np.vstack([RING_M[:-1], [[0, 20]]]))
    there_and_back = shapely.LineString([(0, 0), (100, 0), (0, 0)])
    found = _found(_lines(closed, near, wide, there_and_back))
    assert [one.rows for one in found] == [(0,), (1,)]
    assert [round(one.gap_m, 1) for one in found] == [0.0, 3.0]
    assert found[0].area_m2 == pytest.approx(10_000, abs=0.1)


def test_segments_that_join_end_to_end():
    edges = [shapely.LineString(RING_M[i : i + 2]) for i in range(4)]
    # One is drawn the other way round, and the order is another.
    mixed = _lines(edges[2], edges[0], edges[3].reverse(), edges[1])
    (one,) = _found(mixed)
    assert (one.rows, one.gap_m) == ((0, 1, 2, 3), pytest.approx(0, abs=1e-6))
    assert one.area_m2 == pytest.approx(10_000, abs=0.1)
    assert _found(_lines(*edges[:3])) == []
    # A network of streets is no outline.
    assert _found(_lines(*edges, shapely.LineString([(0, 0), (-50, -50)]))) == []


def test_runs_of_numbered_points():
    corners = [shapely.Point(xy) for xy in RING_M[:-1]]
    named = _lines(*corners, name=["J1", "J2", "J3", "J4"])
    (one,) = _found(named)
    assert one.points
    assert one.area_m2 == pytest.approx(10_000, abs=0.1)
    # Sites that are only numbered are points of their own.
    assert _found(_lines(*corners, id=["1", "2", "3", "4"])) == []
    far = [shapely.Point(xy + 500) for xy in RING_M[:-1]]
    assert len(_found(_lines(*corners, *far, 点号=[1, 2, 3, 4, 1, 2, 3, 4]))) == 2


def test_an_outline_is_not_checked_until_it_is_taken_as_a_polygon(tmp_path):
    path = tmp_path / "s.gpkg"
    # Around a corner of the redline: the line itself does not touch what lies in it.
    _lines(shapely.LineString(RING_M * 30 - 1000), id=["a"]).to_file(path, engine="pyogrio")
    table = read_sites(path)
    assert table.enclosing == {"a"}
    assert "end where they begin" in table.problems[0].what
    report = screen(table, toy.city(tmp_path / "city"), as_of=toy.AS_OF)
    assert "不涉及" not in set(report.findings["state"])
    assert Reason.AREA_ENCLOSED in set(report.findings["reason"])
    taken = read_sites(path, options=ReadOptions(shapes="polygons"))
    assert taken.enclosing == frozenset()
    assert taken.frame.geometry.iloc[0].geom_type == "Polygon"
    assert (taken.repairs[0].feature, round(taken.repairs[0].area_after_m2, -3)) == ("a", 9_000_000)


NORTH, EAST = 2_744_800.0, 38_338_200.0
CORNERS = [(0, 0), (0, 100), (100, 100), (100, 0)]


def _corners(dy=0.0, names=("J1", "J2", "J3", "J4")):
    return [[name, NORTH + n, EAST + e + dy] for name, (n, e) in zip(names, CORNERS, strict=True)]


def _book(path, rows):
    pd.DataFrame(rows).to_excel(path, index=False, header=False, engine="xlsxwriter")
    return path


def _read(path, crs="EPSG:4526"):
    return read_vector(path, options=ReadOptions(crs=crs))


@pytest.mark.parametrize(
    "rows",
    [
        [["界址点成果表", "", ""], ["点号", "X", "Y"], *_corners()],
        [
            ["成果表", "", "", ""],
            ["点号", "坐标", "", "边长"],
            ["", "X(m)", "Y(m)", ""],
            *[[*r, ""] for r in _corners()],
        ],
        [["点号", "X", "Y"], ["", "(m)", "(m)"], *_corners()],
        [["点号", "X", "Y"], *_corners()[:2], ["点号", "X", "Y"], *_corners()[2:]],
        [["点号", "X", "Y"], *_corners(), ["制表人：张三", "", ""], ["日期：2026年1月", "", ""]],
        [["点号", "X", "Y", "边长"], *[row for r in _corners() for row in ([*r, ""], ["", "", "", 100.0])]],
    ],
)
def test_tables_of_one_parcel(tmp_path, rows):
    frame = _read(_book(tmp_path / "s.xlsx", rows)).frame
    assert frame.geometry.area.tolist() == [10_000.0]


@pytest.mark.parametrize(
    "rows",
    [
        [["地块名称", "点号", "X", "Y"], *[["甲", *r] for r in _corners()], *[["乙", *r] for r in _corners(150)]],
        [["宗地编号", "点号", "X", "Y"], *[["甲", *r] for r in _corners()], *[["乙", *r] for r in _corners(150)]],
        [["点号", "X", "Y"], *_corners(), ["", "", ""], *_corners(150, ("J5", "J6", "J7", "J8"))],
        [["点号", "X", "Y"], *_corners(), *_corners(150)],
        [["点号", "X", "Y"], *_corners(), _corners()[0], *_corners(150), _corners(150)[0]],
    ],
)
def test_tables_of_two_parcels(tmp_path, rows):
    frame = _read(_book(tmp_path / "s.xlsx", rows)).frame
    assert frame.geometry.area.tolist() == [10_000.0, 10_000.0]


@pytest.mark.parametrize(
    "rows",
    [
        [["拐点坐标表（1980西安坐标系）", "", ""], ["点号", "X", "Y"], *_corners()],
        [["点号", "X（北京54）", "Y（北京54）"], *_corners()],
        [["点号", "X", "Y"], *_corners(), ["备注：西安80坐标", "", ""]],
    ],
)
def test_another_datum_in_a_table(tmp_path, rows):
    with pytest.raises(SourceError, match="names another datum"):
        _read(_book(tmp_path / "s.xlsx", rows))


def test_a_datum_that_was_converted_is_no_contradiction(tmp_path):
    rows = [["由1980西安坐标系转换至CGCS2000", "", ""], ["点号", "X", "Y"], *_corners()]
    assert len(_read(_book(tmp_path / "s.xlsx", rows)).frame) == 1


def test_degrees_packed_as_one_decimal(tmp_path):
    (tmp_path / "s.csv").write_text(
        "点号,经度,纬度\nJ1,112.2400,25.0300\nJ2,112.2410,25.0300\nJ3,112.2410,25.0308\nJ4,112.2400,25.0308\n", "utf-8"
    )
    (found,) = [p.what for p in read_sites(tmp_path / "s.csv").problems if "ddd.mmss" in p.what]
    assert "112.400000, 25.050000" in found


def test_ids_of_18_digits_in_a_workbook(tmp_path):
    rows = [["BSM", "经度", "纬度"], [441882100000000001, 112.4, 24.8], [441882100000000002, 112.41, 24.8]]
    with pytest.raises(SourceError, match="is a number of 18 digits, of which the last were lost"):
        read_sites(_book(tmp_path / "s.xlsx", rows))


PRJ = (
    'PROJCS["CGCS2000_3_Degree_GK_Zone_38",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",'
    'SPHEROID["{name}",{a},{f}]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],'
    'PARAMETER["False_Easting",38500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",114.0],'
    'PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
)


@pytest.mark.parametrize(
    ("name", "a", "f", "message"),
    [
        ("CGCS2000", 6378137.0, 298.257222101, ""),
        ("Krasovsky_1940", 6378245.0, 298.3, "its ellipsoid is another one"),
        ("CGCS2000_h300", 6378437.0, 298.257222101, "enlarged by 300.0 m .*抵偿面"),
    ],
)
def test_ellipsoids_are_compared_by_their_numbers(tmp_path, name, a, f, message):
    square = gpd.GeoDataFrame({"id": ["a"]}, geometry=[shapely.box(EAST, NORTH, EAST + 100, NORTH + 100)], crs=4526)
    square.to_file(tmp_path / "s.shp", engine="pyogrio")
    (tmp_path / "s.prj").write_text(PRJ.format(name=name, a=a, f=f))
    if not message:
        assert ellipsoidal_area_m2(read_sites(tmp_path / "s.shp").frame.geometry)[0] == pytest.approx(9993.54, abs=0.01)
        return
    with pytest.raises(LzgisError, match=message):
        read_sites(tmp_path / "s.shp")


def test_a_frame_has_no_vote_on_the_zone():
    from pyproj import CRS

    from lzgis.coordinates.locate import Georeference, locate

    parcel, frame = shapely.box(EAST, NORTH, EAST + 100, NORTH + 100), shapely.box(0, 0, 420, 297)
    for shapes in ([parcel, frame], [frame, frame, parcel]):
        located = locate(np.array(shapes, dtype=object), Georeference(CRS.from_epsg(4526)), "a.dxf")
        assert [one is None for one in located.geometry] == [shape is frame for shape in shapes]
        assert "lies nowhere on the Earth" in located.problems[0].what


def test_the_name_of_the_activity_cut_to_ten_bytes(tmp_path):
    raw_shapefile.write(tmp_path / "s.shp", ["项目编号", "活动类型"], [["1", "采石"]], "utf-8")
    read = read_vector(tmp_path / "s.shp")
    assert read.frame["活动类型"].tolist() == ["采石"]
    assert any("'活动类'→'活动类型'" in p.what for p in read.problems)


HEADER = "[属性描述]\n坐标系=2000国家大地坐标系\n带号=38\n[地块坐标]\n"


@pytest.mark.parametrize("form", ['"{0}","1","{1}","{2}"', "{0},1,{1},{2},,,,,"])
def test_boundary_points_saved_by_excel(tmp_path, form):
    points = "\n".join(form.format(*row) for row in _corners())
    (tmp_path / "s.txt").write_text(f"{HEADER}4,1.0000,P1,甲,面,,,,@,,,\n{points}\n", "gb18030")
    assert read_vector(tmp_path / "s.txt").frame.geometry.area.tolist() == [10_000.0]


@pytest.mark.parametrize("code", ["", "K", "1"])
def test_survey_points_of_cass_are_refused(tmp_path, code):
    rows = "\n".join(f"{i},{code},{e:.3f},{n:.3f},0.000" for i, (_, n, e) in enumerate(_corners(), 1))
    (tmp_path / "s.txt").write_text(rows + "\n")
    with pytest.raises(SourceError, match="looks like survey points of CASS"):
        read_vector(tmp_path / "s.txt")
