"""GeoPackage, geodatabase, JSON-FG, FlatGeobuf, GeoParquet, KML, GML and DXF, made by hand or by other programs."""

from __future__ import annotations

import json
import sys
import zipfile

import ezdxf
import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from input_files import dxf, line, ring, text
from shapely import box

import lzgis.reading.formats.gdal as vector
from lzgis.errors import SourceError
from lzgis.reading import Limits, ReadOptions, read_in_sandbox, read_sites, read_vector

SQUARE = box(112.4, 25, 112.41, 25.01)


def frame(*shapes, **columns):
    return gpd.GeoDataFrame(
        columns or {"id": [f"s{i}" for i in range(len(shapes))]}, geometry=list(shapes), crs="EPSG:4490"
    )


def problems_of(read):
    return {str(p.what): p for p in read.problems}


# --- GeoPackage, geodatabase, FlatGeobuf, GeoParquet ---------------------------------------------------------


def test_tables_without_shapes_are_not_meant(tmp_path):
    path = tmp_path / "s.gpkg"
    frame(SQUARE).to_file(path, layer="地块", engine="pyogrio")
    pyogrio.write_dataframe(pd.DataFrame({"a": [1]}), path, layer="说明", append=True)
    read = read_vector(path)
    assert read.frame["id"].tolist() == ["s0"]
    assert (read.crs.value, read.name) == ("China Geodetic Coordinate System 2000", "s.gpkg")
    assert "a" in read_vector(path, layer="说明").frame


def test_a_file_geodatabase(tmp_path):
    path = tmp_path / "规划.gdb"
    frame(SQUARE, 项目名称=["连州"]).to_file(path, driver="OpenFileGDB", layer="地块", engine="pyogrio")
    assert read_vector(path).frame["项目名称"].tolist() == ["连州"]
    (tmp_path / "none.gdb").mkdir()
    with pytest.raises(
        SourceError, match=r"none\.gdb: is no file geodatabase; copy the whole folder, with all its files"
    ):
        read_vector(tmp_path / "none.gdb")
    (tmp_path / "folder.gpkg").mkdir()
    with pytest.raises(SourceError, match="is a folder, not a file; give the file itself"):
        read_vector(tmp_path / "folder.gpkg")
    (tmp_path / "file.gdb").touch()
    with pytest.raises(SourceError, match="is a file, not a folder"):
        read_vector(tmp_path / "file.gdb")


def test_the_order_of_flatgeobuf_is_reported(tmp_path):
    shapes = [box(112 + x, 25 + y, 112.01 + x, 25.01 + y) for x, y in np.random.default_rng(1).random((50, 2))]
    frame(*shapes).to_file(tmp_path / "s.fgb", engine="pyogrio")
    read = read_vector(tmp_path / "s.fgb")
    assert read.frame["id"].tolist() != [f"s{i}" for i in range(50)]
    assert all(
        shapely.equals_exact(g, shapes[int(i[1:])], 1e-9)
        for i, g in zip(read.frame["id"], read.frame.geometry, strict=True)
    )
    problem = problems_of(read)[
        "rows stand in the order of the file's spatial index, not in the one they were written in"
    ]
    assert problem.remedy == "go by ids, not by row numbers"


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.99])
def test_a_flatgeobuf_cut_short(tmp_path, share):
    shapes = [box(112 + i / 1000, 25, 112.0005 + i / 1000, 25.01) for i in range(200)]
    frame(*shapes).to_file(tmp_path / "s.fgb", engine="pyogrio")
    data = (tmp_path / "s.fgb").read_bytes()
    (tmp_path / "s.fgb").write_bytes(data[: int(len(data) * share)])
    message = r"is cut short: 0 of 200 rows|cannot be read \(pyogrio: .*; fiona: .*\)|holds no layer that can be read; the file"
    with pytest.raises(SourceError, match=message):
        read_vector(tmp_path / "s.fgb")


@pytest.mark.parametrize("group", [3, 1000])
def test_some_rows_of_geoparquet(tmp_path, group):
    path = tmp_path / "s.parquet"
    shapes = shapely.box(112 + np.arange(10) / 10, 25, 112.05 + np.arange(10) / 10, 25.05)
    many = frame(*shapes, n=range(10), name=[None, *"bcdefghij"]).set_index("n", drop=False)
    many.to_parquet(path, row_group_size=group)
    for first in range(12):
        for count in (1, 3, 7, 20):
            read = read_vector(path, options=ReadOptions(rows=(first, count)))
            expected = many.iloc[first : first + count]
            assert (read.total, read.frame.crs) == (10, many.crs)
            assert read.frame["n"].tolist() == expected["n"].tolist()
            assert read.frame["name"].tolist() == expected["name"].tolist()
            assert read.frame.geometry.to_wkb().tolist() == expected.geometry.to_wkb().tolist()


def test_geoparquet(tmp_path):
    path = tmp_path / "s.parquet"
    frame(SQUARE, 项目名称=["连州"]).assign(middle=lambda f: f.geometry.boundary).to_parquet(path)
    read = read_vector(path)
    assert list(read.frame.columns) == ["项目名称", "geometry"]
    assert read.frame.crs == "EPSG:4490"
    assert "pyarrow" in read.engine
    assert problems_of(read)["has more than one column of shapes; middle were left out"].level == "warning"
    frame(SQUARE).set_crs(None, allow_override=True).to_parquet(path)
    assert read_vector(path).crs is None
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(SourceError, match=r"is no GeoParquet \(.*\); save it again as GeoParquet or GeoPackage"):
        read_vector(path)
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(SourceError, match="is no GeoParquet"):
        read_vector(path)


def test_fiona_reads_what_pyogrio_refuses(tmp_path, monkeypatch):
    frame(SQUARE).to_file(tmp_path / "s.gpkg", engine="pyogrio")

    def refuse(*_, **__):
        raise pyogrio.errors.DataSourceError("not today")

    monkeypatch.setattr(vector.pyogrio, "read_dataframe", refuse)
    read = read_vector(tmp_path / "s.gpkg")
    assert read.frame["id"].tolist() == ["s0"]
    assert read.frame.crs == "EPSG:4490"
    assert read.engine.startswith("fiona ")
    assert "GDAL" in read.engine
    problem = problems_of(read)["was read by fiona, because pyogrio refused it (not today)"]
    assert str(problem.remedy) == "look at its arcs, if it has any: they are drawn as chords"


def test_what_neither_reads_and_what_there_is_only_one_reader_for(tmp_path, monkeypatch):
    frame(SQUARE).to_file(tmp_path / "s.gpkg", engine="pyogrio")

    def refuse(*_, **__):
        raise pyogrio.errors.DataSourceError("not today")

    monkeypatch.setattr(vector.pyogrio, "list_layers", refuse)
    # The only layer of a GeoPackage is read without being listed.
    monkeypatch.setattr(vector.pyogrio, "read_dataframe", refuse)
    with pytest.raises(
        SourceError, match=r"cannot be read \(pyogrio: not today; fiona: .*\); save it again as GeoPackage"
    ):
        read_vector(tmp_path / "s.gpkg", layer="none")
    monkeypatch.setitem(sys.modules, "fiona", None)
    with pytest.raises(SourceError, match=r"cannot be read \(not today\); save it again as GeoPackage"):
        read_vector(tmp_path / "s.gpkg")


def test_a_ring_that_is_not_closed_is_closed_and_reported(tmp_path):
    open_ring = {"type": "Polygon", "coordinates": [[[112, 25], [112.1, 25], [112.1, 25.1]]]}
    document = geojson(id=1)
    document["features"].append(document["features"][0] | {"id": 2, "geometry": open_ring})
    (tmp_path / "s.geojson").write_text(json.dumps(document))
    table = read_sites(tmp_path / "s.geojson")
    assert table.frame["id"].tolist() == ["1", "2"]
    assert table.frame.geometry.iloc[1].equals(shapely.Polygon(open_ring["coordinates"][0]))
    texts = [str(p) for p in table.problems]
    assert any("reading it, GDAL said: " in t and "closed" in t for t in texts)
    assert any("row 2: a ring was not closed; it was closed by a straight line" in t for t in texts)


# --- GeoJSON and JSON-FG ------------------------------------------------------------------------------------


def geojson(**more):
    feature = {
        "type": "Feature",
        "properties": {"项目名称": "鄠邑"},
        "geometry": json.loads(shapely.to_geojson(SQUARE)),
    }
    return {"type": "FeatureCollection", "features": [feature | more]}


def test_geojson_is_in_wgs84_unless_it_states_another_system(tmp_path):
    path = tmp_path / "s.geojson"
    path.write_text(json.dumps(geojson(id=7)), "utf-8")
    read = read_vector(path)
    assert read.frame["id"].tolist() == ["7"]
    assert read.frame.crs.to_epsg() == 4326
    assert read.crs.how == "GeoJSON is in WGS 84 unless it says otherwise"
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    path.write_text(json.dumps(geojson() | {"crs": named}), "utf-8")
    read = read_vector(path)
    assert (read.frame.crs.to_epsg(), read.crs.how) == (4490, "named in the file")
    assert read.frame.geometry.iloc[0].bounds == SQUARE.bounds


def test_geojson_in_gbk(tmp_path):
    path = tmp_path / "s.json"
    path.write_bytes(json.dumps(geojson(), ensure_ascii=False).encode("gbk"))
    read = read_vector(path)
    assert read.frame["项目名称"].tolist() == ["鄠邑"]
    assert problems_of(read)["is in GB18030, though JSON is always UTF-8"].level == "warning"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            json.dumps(geojson())[:-30],
            r"s\.json, line 1: is no JSON from column \d+ on; the file may be cut short; export it again",
        ),
        ('{"type": "Topology"}', r"is TopoJSON, no GeoJSON; export it as GeoJSON or GeoPackage"),
        ('{"type": "gdal_streamed_alg", "command_line": "x"}', "is JSON but no GeoJSON"),
        ("[1, 2]", r"is a bare list of coordinates"),
        ('{"type": "Point", "coordinates": [NaN, 25]}', "holds NaN, which is no JSON; export it again"),
        ("[" * 100_000, "is nested too deeply, or holds a number too long; export it again"),
    ],
)
def test_json_of_something_else(tmp_path, text, message):
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(SourceError, match=message):
        read_vector(tmp_path / "s.json")


def test_jsonfg_in_cgcs2000(tmp_path):
    # Latitude first, as EPSG:4490 has it.
    ring = [[y, x] for x, y in SQUARE.exterior.coords]
    feature = {
        "type": "Feature",
        "id": "甲",
        "geometry": None,
        "place": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"项目名称": "连州"},
        "time": None,
    }
    document = {
        "type": "FeatureCollection",
        "conformsTo": ["http://www.opengis.net/spec/json-fg-1/1.0/conf/core"],
        "coordRefSys": "http://www.opengis.net/def/crs/EPSG/0/4490",
        "features": [feature],
    }
    for name in ("s.jsonfg", "s.json"):
        (tmp_path / name).write_text(json.dumps(document), "utf-8")
        read = read_vector(tmp_path / name)
        assert read.frame.geometry.iloc[0].bounds == SQUARE.bounds
        assert read.frame.crs.to_epsg() == 4490
        assert (read.frame["id"].tolist(), read.frame["项目名称"].tolist()) == (["甲"], ["连州"])
        assert read.crs.how == "named in the file"


# --- KML ----------------------------------------------------------------------------------------------------

KML = """<?xml version="1.0" encoding="{encoding}"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>项目</name>
<NetworkLink><Link><href>http://127.0.0.1:9/more.kml</href></Link></NetworkLink>
<Folder><name>一期</name>
 <Placemark><name>甲</name><ExtendedData><Data name="项目编号"><value>T1</value></Data></ExtendedData>
  <Polygon><outerBoundaryIs><LinearRing><coordinates>112.4,25,7 112.41,25,7 112.41,25.01,7 112.4,25.01,7 112.4,25,7</coordinates>
  </LinearRing></outerBoundaryIs><innerBoundaryIs><LinearRing><coordinates>112.402,25.002 112.404,25.002 112.404,25.004
  112.402,25.002</coordinates></LinearRing></innerBoundaryIs></Polygon></Placemark>
</Folder><Folder><name>二期</name><Folder><name>东区</name>
 <Placemark><name>乙</name><ExtendedData><SchemaData><SimpleData name="项目编号">T2</SimpleData></SchemaData></ExtendedData>
  <MultiGeometry><LineString><coordinates>112.5,25 112.51,25</coordinates></LineString>
  <LineString><coordinates>112.5,25.01 112.51,25.01</coordinates></LineString></MultiGeometry></Placemark>
 <Placemark><name>丙</name><ExtendedData><Data name="项目编号"><value>T3</value></Data></ExtendedData>
  <Point><coordinates>112.6,25</coordinates></Point></Placemark>
</Folder></Folder></Document></kml>"""


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
@pytest.mark.parametrize("suffix", [".kml", ".ovkml", ".kmz"])
def test_kml_of_several_folders_is_one_table(tmp_path, suffix, encoding):
    path = tmp_path / f"s{suffix}"
    data = KML.format(encoding=encoding).encode(encoding)
    if suffix == ".kmz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("doc.kml", data)
            archive.writestr("files/other.kml", data)
    else:
        path.write_bytes(data)
    read = read_vector(path)
    assert read.frame["项目编号"].tolist() == ["T1", "T2", "T3"]
    assert read.frame["name"].tolist() == ["甲", "乙", "丙"]
    assert read.frame["folder"].tolist() == ["一期", "二期/东区", "二期/东区"]
    assert [g.geom_type for g in read.frame.geometry] == ["Polygon", "MultiLineString", "Point"]
    assert read.frame.geometry.iloc[0].area == pytest.approx(1e-4 - 2e-6)
    assert (read.crs.value, read.crs.how) == ("EPSG:4326", "KML is always in WGS 84")
    problem = problems_of(read)["1 links to other files (NetworkLink) are not followed"]
    assert (problem.level, problem.place.startswith(str(path))) == ("warning", True)
    assert read_vector(path, layer="一期").frame["name"].tolist() == ["甲"]
    with pytest.raises(SourceError, match="has no layer '三期'; name one of 一期, 二期/东区"):
        read_vector(path, layer="三期")


def ovkml(tmp_path, *kinds):
    marks = "".join(
        f"<Placemark><OvCoordType>{k}</OvCoordType><Point><coordinates>112.4,25</coordinates></Point></Placemark>"
        for k in kinds
    )
    (tmp_path / "s.ovkml").write_text(f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{marks}</Document></kml>')
    return tmp_path / "s.ovkml"


@pytest.mark.parametrize(("kind", "epsg"), [("CGCS2000", 4490), ("WGS84", 4326), ("WGS-84", 4326)])
def test_an_ovkml_states_its_system(tmp_path, kind, epsg):
    read = read_vector(ovkml(tmp_path, kind, kind))
    assert (read.frame.crs.to_epsg(), read.crs.how) == (epsg, "OvCoordType of its placemarks")


def test_an_ovkml_of_a_shifted_map_is_refused_unless_that_is_reported(tmp_path):
    message = (
        r"says that its coordinates are GCJ-02 \(OvCoordType\); say so with --from gcj02, and they are shifted back"
    )
    with pytest.raises(SourceError, match=message):
        read_vector(ovkml(tmp_path, "GCJ-02"))
    assert len(read_vector(tmp_path / "s.ovkml", options=ReadOptions(shifted="gcj02")).frame) == 1
    with pytest.raises(SourceError, match=r"are GCJ-02 \(OvCoordType\); say so with --from gcj02"):
        read_vector(tmp_path / "s.ovkml", options=ReadOptions(shifted="bd09"))
    with pytest.raises(SourceError, match=r"are CGCS2000 \(OvCoordType\); leave --from out"):
        read_vector(ovkml(tmp_path, "CGCS2000"), options=ReadOptions(shifted="gcj02"))
    for kinds in (["CGCS2000", "GCJ-02"], ["Beijing54"]):
        with pytest.raises(SourceError, match=r"\(OvCoordType\); export it in one system, CGCS2000 or WGS 84"):
            read_vector(ovkml(tmp_path, *kinds))


def placemark(inner):
    return f'<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>甲</name>{inner}</Placemark></kml>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            placemark("<Point><coordinates>112;25</coordinates></Point>"),
            r"placemark 1 \('甲'\): a point has 1 numbers instead of 2 or 3 \('112;25'\); correct",
        ),
        (placemark("<LineString><coordinates>112,25</coordinates></LineString>"), "has 1 points"),
        (placemark("<Polygon></Polygon>"), "a polygon has 0 outer rings"),
        (
            placemark(
                "<Polygon>"
                "<outerBoundaryIs><LinearRing><coordinates>1,2 3,4</coordinates></LinearRing></outerBoundaryIs></Polygon>"
            ),
            "a ring has 2 points",
        ),
        (placemark("<Model/>"), "shapes of kind 'Model' are not read"),
        ("<html/>", "is no KML; check the file and its suffix"),
        ("<kml>", r"s\.kml, line 1: is no well-formed XML \(no element found\); export the file again"),
        ('<!DOCTYPE kml [<!ENTITY a "b">]><kml>&a;</kml>', r"has a document type \(DOCTYPE\); take it out"),
    ],
)
def test_kml_that_is_wrong(tmp_path, text, message):
    (tmp_path / "s.kml").write_text(text, "utf-8")
    with pytest.raises(SourceError, match=message):
        read_vector(tmp_path / "s.kml")


def test_a_kmz_of_two_files_none_of_which_is_the_main_one(tmp_path):
    with zipfile.ZipFile(tmp_path / "s.kmz", "w") as archive:
        archive.writestr("a.kml", "<kml/>")
        archive.writestr("b.kml", "<kml/>")
    with pytest.raises(SourceError, match="holds 2 KML files; give a KMZ with one of them, or the KML itself"):
        read_vector(tmp_path / "s.kmz")


# --- GML ----------------------------------------------------------------------------------------------------

GML = """<?xml version="1.0" encoding="{encoding}"?>
<ogr:FeatureCollection xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:schemaLocation="http://ogr.maptools.org/ http://127.0.0.1:9/a.xsd" xmlns:ogr="http://ogr.maptools.org/"
 xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:gml="http://www.opengis.net/gml/3.2">
<ogr:featureMember><ogr:site gml:id="s.1"><ogr:geometryProperty><gml:Polygon srsName="urn:ogc:def:crs:EPSG::4490" gml:id="g1">
<gml:exterior><gml:LinearRing><gml:posList>25 112.4 25 112.41 25.01 112.41 25 112.4</gml:posList></gml:LinearRing></gml:exterior>
</gml:Polygon></ogr:geometryProperty><ogr:编号>甲</ogr:编号></ogr:site></ogr:featureMember></ogr:FeatureCollection>"""


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
def test_gml_is_read_in_its_own_axis_order_and_nothing_is_left_behind(tmp_path, encoding):
    path = tmp_path / "s.gml"
    path.write_bytes(GML.format(encoding=encoding).encode(encoding))
    read = read_vector(path)
    assert read.frame["编号"].tolist() == ["甲"]
    assert read.frame.geometry.iloc[0].bounds == (112.4, 25, 112.41, 25.01)
    assert read.frame.crs.to_epsg() == 4490
    assert [p.name for p in tmp_path.iterdir()] == ["s.gml"]


def test_xml_that_is_no_gml(tmp_path):
    (tmp_path / "s.gml").write_text("<OGRVRTDataSource><OGRVRTLayer/></OGRVRTDataSource>")
    with pytest.raises(SourceError, match="is no GML; check the file and its suffix"):
        read_vector(tmp_path / "s.gml")


# --- DXF ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "page"),
    [("gbk", "$DWGCODEPAGE\n3\nANSI_936\n"), ("gbk", ""), ("utf-8", "$DWGCODEPAGE\n3\nANSI_936\n")],
)
def test_closed_lines_of_a_drawing_become_polygons_named_by_their_texts(tmp_path, encoding, page):
    path = tmp_path / "s.dxf"
    again = [*ring(200, 10), (200, 0)]
    open_line = line([(0, 50), (9, 50)], closed=False, layer="道路")
    drawing = dxf(
        line(ring(0, 100), True), line(again, False), open_line, text("一号地", 50, 50), text("图名", -5, -5), page=page
    )
    path.write_bytes(drawing.replace("\n", "\r\n").encode(encoding))
    read = read_vector(path)
    assert read.frame["Layer"].tolist() == ["地块", "地块", "道路"]
    assert read.frame["Text"].tolist() == ["一号地", "", ""]
    assert read.frame["name"].tolist() == ["一号地", "", ""]
    assert [g.geom_type for g in read.frame.geometry] == ["Polygon", "Polygon", "LineString"]
    assert read.frame.geometry.area.tolist() == [10_000, 100, 0]
    assert "1 of 2 texts stand inside a closed line and name it" in problems_of(read)
    assert (read.frame.crs, read.crs) == (None, None)
    with pytest.raises(SourceError, match="has no coordinate reference system"):
        read_sites(path)
    assert read_vector(path, layer="道路").frame["Layer"].tolist() == ["道路"]
    with pytest.raises(SourceError, match="has no layer '水'; name one of 地块, 注记, 道路"):
        read_vector(path, layer="水")
    placed = read_vector(path, options=ReadOptions(crs="EPSG:4526"))
    assert placed.frame.crs.to_epsg() == 4526


def test_rings_of_different_numbers_of_points(tmp_path):
    triangle = [(0, 0), (10, 0), (0, 10)]
    (tmp_path / "s.dxf").write_text(dxf(line(triangle, True), line(ring(50, 10), True)), "utf-8")
    assert read_vector(tmp_path / "s.dxf").frame.geometry.area.tolist() == [50, 100]


def test_a_ring_in_a_ring_is_reported(tmp_path):
    (tmp_path / "s.dxf").write_text(dxf(line(ring(0, 100), True), line(ring(0, 10), True)), "ascii", errors="replace")
    read = read_vector(tmp_path / "s.dxf")
    assert read.frame.geometry.area.tolist() == [10_000, 100]
    what = "1 closed lines lie inside others (row 2 in row 1); they are read as areas, not as holes"
    assert problems_of(read)[what].level == "warning"


def test_curves_are_drawn_as_chords_of_a_stated_step(tmp_path):
    circle = "0\nCIRCLE\n5\n1C\n100\nAcDbEntity\n8\n0\n100\nAcDbCircle\n10\n0\n20\n0\n30\n0\n40\n100\n"
    (tmp_path / "s.dxf").write_text(dxf(circle))
    read = read_vector(tmp_path / "s.dxf")
    shape = read.frame.geometry.iloc[0]
    # The middle of a chord of 0.5° lies 1 - cos(0.25°) of the radius inside.
    assert shapely.distance(shape.exterior, shapely.Point(0, 0)) == pytest.approx(100 * (1 - 9.52e-6), abs=1e-6)
    curves_message = "curves are drawn as chords of 0.5°, off by at most 9.5e-06 of the radius"
    assert curves_message in problems_of(read)
    # A segment that bulges by a half circle: tan(180° / 4) = 1.
    straight = line([(0, 0), (2, 0), (2, 2)], closed=True)
    (tmp_path / "s.dxf").write_text(dxf(straight.replace("20\n0\n", "20\n0\n42\n1.0\n", 1)), "utf-8")
    read = read_vector(tmp_path / "s.dxf")
    assert read.frame.geometry.iloc[0].area == pytest.approx(2 + np.pi / 2, abs=1e-3)
    assert curves_message in problems_of(read)
    (tmp_path / "s.dxf").write_text(dxf(straight.replace("20\n0\n", "20\n0\n42\n0.0\n", 1), text("42", 1, 1)), "utf-8")
    assert curves_message not in problems_of(read_vector(tmp_path / "s.dxf"))


def drawn(path, draw, version="R2000"):
    """Write a drawing with ezdxf."""
    drawing = ezdxf.new(version)
    draw(drawing.modelspace(), drawing)
    drawing.saveas(path)
    return path


def test_entities_of_blocks_are_read_where_the_blocks_are_inserted(tmp_path):
    def draw(space, drawing):
        block = drawing.blocks.new("parcel")
        block.add_lwpolyline([(0, 0), (50, 0), (50, 50), (0, 50)], close=True)
        block.add_lwpolyline([(60, 0), (70, 0), (70, 10), (60, 10)], close=True, dxfattribs={"layer": "own"})
        outer = drawing.blocks.new("outer")
        outer.add_blockref("parcel", (0, 0), dxfattribs={"xscale": 2, "yscale": 2, "rotation": 90})
        space.add_blockref("outer", (1000, 0), dxfattribs={"layer": "地块"}).add_attrib("name", "一号地", (990, 10))
        space.add_blockref("parcel", (0, 0), dxfattribs={"column_count": 2, "column_spacing": 500})

    read = read_vector(drawn(tmp_path / "s.dxf", draw))
    assert read.frame["Layer"].tolist() == ["地块", "own", "0", "own", "0", "own"]
    assert read.frame.geometry.area.tolist() == pytest.approx([10_000, 400, 2500, 100, 2500, 100])
    assert read.frame["name"].tolist() == ["一号地", "", "", "", "", ""]
    assert read.frame.geometry.iloc[4].equals_exact(box(500, 0, 550, 50).normalize(), 1e-9, normalize=True)


def test_hatches_have_holes_and_islands_in_the_holes(tmp_path):
    def draw(space, drawing):
        hatch = space.add_hatch()
        for low, high in ((0, 100), (20, 80), (40, 60)):
            hatch.paths.add_polyline_path([(low, low), (high, low), (high, high), (low, high)])
        # This hole touches the outline at its first corner.
        hatch.paths.add_polyline_path([(0, 50), (10, 45), (10, 55)])
        edges = space.add_hatch(dxfattribs={"elevation": (0, 0, 7)}).paths.add_edge_path()
        # A half disc, its edges neither in order nor in one direction.
        edges.add_line((200, 10), (200, 0))
        edges.add_arc((200, 5), 5, -90, 90)
        space.add_mpolygon().paths.add_polyline_path([(300, 0, 1), (310, 0, 1)])

    read = read_vector(drawn(tmp_path / "s.dxf", draw))
    assert [g.geom_type for g in read.frame.geometry] == ["MultiPolygon", "Polygon", "Polygon"]
    true = [100**2 - 60**2 + 20**2 - 50, 12.5 * np.pi, 25 * np.pi]
    assert read.frame.geometry.area.tolist() == pytest.approx(true, rel=2e-5)
    assert read.frame.geometry.has_z.tolist() == [False, True, False]


def test_every_kind_of_entity_is_read_or_named(tmp_path):
    def draw(space, drawing):
        space.add_spline([(0, 0), (10, 10), (20, 0), (0, 0)])  # By the points it runs through.
        space.add_ellipse((0, 100), (10, 0), 0.5)
        space.add_lwpolyline([(0, 0), (9, 0), (9, 9)], close=True, dxfattribs={"extrusion": (0, 0, -1)})
        space.add_polyline2d([(0, 0, 1), (2, 0, 0)], format="xyb", close=True)
        space.add_polyline3d([(0, 0, 1), (2, 0, 2), (2, 2, 3)], close=True)
        space.add_polymesh((2, 2)).set_mesh_vertex((1, 1), (5, 5, 0))
        space.add_3dface([(0, 0), (3, 0), (3, 3), (0, 3)])
        space.add_solid([(0, 0), (3, 0), (0, 3), (3, 3)])
        space.add_text("左", dxfattribs={"insert": (500, 500)})
        space.add_xline((0, 0), (1, 0))
        space.add_lwpolyline([(1, 1)])
        drawing.layout("Layout1").add_point((7, 7))

    read = read_vector(drawn(tmp_path / "s.dxf", draw))
    areas = read.frame.geometry.area.tolist()
    assert areas[1:5] == pytest.approx([50 * np.pi, 40.5, np.pi / 2, 2], rel=2e-5)
    assert areas[-2:] == [9, 9]
    assert read.frame.geometry.iloc[2].bounds == (-9, 0, 0, 9)
    assert "2 entities are not read: LWPOLYLINE (1), XLINE (1)" in problems_of(read)


def test_a_drawing_of_nothing_has_no_rows(tmp_path):
    (tmp_path / "s.dxf").write_text(dxf())
    assert len(read_vector(tmp_path / "s.dxf").frame) == 0


@pytest.mark.parametrize("version", ["AC1009", "AC1015"])
@pytest.mark.parametrize("marker", ["", "100\nAcDbEntity\n", "100\nAcDbPolyline\n"])
def test_polylines_of_simple_programs_are_read_with_layer_and_closed(tmp_path, version, marker):
    drawing = dxf(line(ring(0, 100), True), text("一号地", 50, 50), version=version)
    (tmp_path / "s.dxf").write_text(drawing.replace(marker, "") if marker else drawing, "utf-8")
    read = read_vector(tmp_path / "s.dxf")
    assert (read.frame["Layer"].tolist(), read.frame.geometry.area.tolist()) == (["地块"], [10_000])
    assert read.frame["name"].tolist() == ["一号地"]


def test_characters_spelt_by_their_number_are_read(tmp_path):
    drawing = dxf(line(ring(0, 100), True, layer=r"\U+5730\U+5757"), text(r"\U+4E00号地", 50, 50))
    (tmp_path / "s.dxf").write_bytes(drawing.encode("gbk"))
    read = read_vector(tmp_path / "s.dxf")
    assert (read.frame["Layer"].tolist(), read.frame["name"].tolist()) == (["地块"], ["一号地"])


def test_repairs_of_a_damaged_drawing_are_listed(tmp_path):
    good = dxf(line(ring(0, 100), True), text("一号地", 50, 50))
    (tmp_path / "s.dxf").write_bytes(good.replace("0\nENDSEC\n0\nSECTION", "0\nSECTION").encode("gbk"))
    read = read_vector(tmp_path / "s.dxf")
    assert (read.frame.geometry.area.tolist(), read.frame["name"].tolist()) == ([10_000], ["一号地"])
    repairs = [what for what in problems_of(read) if what.startswith("is damaged and was repaired: ")]
    assert any("missing ENDSEC" in what for what in repairs)
    assert all(problems_of(read)[what].level == "warning" for what in repairs)


def test_blocks_that_multiply_are_bounded(tmp_path):
    def draw(space, drawing):
        drawing.blocks.new("b0").add_line((0, 0), (1, 1))
        for i in range(1, 12):
            block = drawing.blocks.new(f"b{i}")
            for _ in range(10):
                block.add_blockref(f"b{i - 1}", (0, 0))
        space.add_blockref("b11", (0, 0))

    path = drawn(tmp_path / "s.dxf", draw)
    with pytest.raises(SourceError, match=r"was not read within 5 s|needs more than"):
        read_in_sandbox(path, limits=Limits(time_s=5))

    def draw_endless(space, drawing):
        drawing.blocks.new("b").add_blockref("b", (1, 0))
        space.add_blockref("b", (0, 0))

    assert "1 entities are not read: INSERT (1)" in problems_of(read_vector(drawn(path, draw_endless)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"AutoCAD Binary DXF\r\n\x1a\0", "is a binary DXF; save it as DXF in text form"),
        (dxf(line(ring(0, 9), True)).encode()[:-40], "is no whole DXF; save the drawing again"),
        (b"AC1032 a drawing of AutoCAD", "is no whole DXF"),
        (dxf("0\nLWPOLYLINE\n8\n").encode(), r"^[^(]*s\.dxf: cannot be read \((?!.*lzgis-)"),
    ],
)
def test_drawings_that_are_not_read(tmp_path, data, message):
    (tmp_path / "s.dxf").write_bytes(data)
    with pytest.raises(SourceError, match=message):
        read_vector(tmp_path / "s.dxf")
