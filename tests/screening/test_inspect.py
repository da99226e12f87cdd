"""The diagnosis of an input: everything in it is known beforehand, and bad input ends in a sheet, not in an error."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import geopandas as gpd
import numpy as np
import pytest
import shapely
import toy
from shapely import Polygon, box
from typer.testing import CliRunner

from lzgis.cli.app import app
from lzgis.coordinates.shifted_maps import to_gcj02
from lzgis.exports.inspection import problem_rows, sheet_document, sheet_lines, write_sheet_html
from lzgis.exports.outline_svg import outline_svg
from lzgis.reading import ReadOptions
from lzgis.screening.inspect import inspect_file

HEADER = "[属性描述]\n坐标系=2000国家大地坐标系\n几度分带=3\n带号=38\n[地块坐标]\n"


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return toy.city(tmp_path_factory.mktemp("inspect") / "city")


def square(x, y, size=100):
    """Four lines of points in zone 38, south-west corner x m east and y m north of a place in the toy city."""
    east, north = 38_348_600 + x, 2_766_700 + y
    corners = [(north, east), (north + size, east), (north + size, east + size), (north, east + size)]
    return "".join(f"J{i + 1},1,{a},{b}\n" for i, (a, b) in enumerate(corners))


def write(tmp_path, text, name="plan.txt"):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def test_everything_in_a_file_is_reported(tmp_path, city):
    text = HEADER + "4,1.0000,P1,甲,面,,,,@\n" + square(0, 0)
    text += "4,15.0,P2,乙,面,,,,@\n" + square(50, 50) + "4,3,P3,丙,面,,,,@\n" + square(0, 0)
    sheet = inspect_file(write(tmp_path, text), city=city)
    assert sheet.readable
    assert (sheet.encoding.value, sheet.system.code.value) == ("UTF-8", "EPSG:4526")
    assert (sheet.system.zone.number, sheet.system.zone.prefixed) == (38, True)
    contents = sheet.contents
    assert (contents.rows, contents.kinds, contents.parts, contents.rings, contents.holes) == (
        3,
        {"Polygon": 3},
        3,
        3,
        0,
    )
    assert contents.vertices == 15
    assert contents.same_shapes == ((1, 3),)
    # Squares of 100 m that share a quarter, and two that are one; the plane of the zone is 1.0006 times too large here.
    pairs = {(one.id, one.other_id): one.area_m2 for one in contents.overlaps}
    assert pairs == pytest.approx({("P1", "P3"): 10_000, ("P1", "P2"): 2_500, ("P2", "P3"): 2_500}, rel=1e-3)
    assert contents.overlaps[0].id == "P1"
    [field] = contents.areas
    assert (field.field, field.rows, field.fitting) == ("面积", 3, 1)
    assert {row for row, *_ in field.misfits} <= {1, 2, 3}
    assert (contents.place.inside, contents.place.partly, contents.place.outside) == (3, 0, 0)
    assert any(str(p).startswith("plan.txt: has no column of activities") for p in sheet.assumed)


def test_the_unit_of_a_field_of_areas_is_that_of_most_rows(tmp_path, city):
    shapes = [toy.square(0, 0), toy.square(200, 0), toy.square(400, 0), toy.square(600, 0)]
    sites = toy.sites(*shapes, MJ=[1.0, 1.0, 1.0, 2.0], 面积=[15.0, 15.0, 15.0, np.nan])
    sites.to_file(tmp_path / "sites.gpkg", engine="pyogrio")
    ha, mu = inspect_file(tmp_path / "sites.gpkg", city=city).contents.areas
    assert (ha.field, ha.unit, ha.rows, ha.fitting) == ("MJ", "公顷", 4, 3)
    assert [(row, name, text) for row, name, text, _ in ha.misfits] == [(4, "s4", "2.0")]
    assert (mu.field, mu.unit, mu.rows, mu.fitting) == ("面积", "亩", 3, 3)


def test_rings_holes_and_rows_without_shape_are_counted(tmp_path, city):
    hole = Polygon(toy.square(0, 0).exterior, [box(20, 20, 40, 40).exterior])
    shapes = [
        hole,
        shapely.MultiPolygon([toy.square(200, 0), toy.square(400, 0)]),
        toy.LineString([(0, 0), (9, 9)]),
        None,
    ]
    toy.sites(*shapes).to_file(tmp_path / "sites.gpkg", engine="pyogrio")
    contents = inspect_file(tmp_path / "sites.gpkg", city=city).contents
    assert contents.kinds == {"Polygon": 1, "MultiPolygon": 1, "LineString": 1, "": 1}
    assert (contents.parts, contents.rings, contents.holes) == (4, 4, 1)


def test_what_is_refused_is_reported_beside_what_was_found(tmp_path, city):
    toy.sites(toy.square(0, 0), toy.square(200, 0), id=["a", "a"]).to_file(tmp_path / "twice.gpkg", engine="pyogrio")
    sheet = inspect_file(tmp_path / "twice.gpkg", city=city)
    assert not sheet.readable
    assert [str(p) for p in sheet.refused] == [
        "twice.gpkg, rows 1, 2: share the id 'a'; give each site an id of its own"
    ]
    assert sheet.contents.same_ids == (("a", (1, 2)),)
    assert sheet.contents.place.inside == 2


def test_every_repair_is_reported_with_its_areas(tmp_path, city):
    square, x, y = 0.001, 112.5, 25.0
    closed = [[x, y], [x + square, y], [x + square, y + square], [x, y + square]]
    bow = [[x, y], [x + square, y + square], [x + square, y], [x, y + square], [x, y]]
    rows = [
        {"type": "Feature", "properties": {"id": name}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        for name, ring in (("open", closed), ("bow", bow))
    ]
    (tmp_path / "s.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": rows}), "utf-8")
    sheet = inspect_file(tmp_path / "s.geojson", city=city)
    repairs = {repair.feature: repair for repair in sheet.repairs}
    assert repairs["open"].area_before_m2 == repairs["open"].area_after_m2 == pytest.approx(11_182, rel=1e-3)
    # The two halves of a bow-tie cancel out as drawn, and are half of the square when repaired.
    assert repairs["bow"].area_before_m2 == pytest.approx(0, abs=0.1)
    assert repairs["bow"].area_after_m2 == pytest.approx(11_182 / 2, rel=1e-3)
    assert (repairs["open"].accepted, repairs["bow"].accepted) == (True, False)
    (line,) = [line.value for line in sheet_lines(sheet, "en") if line.label == "repairs"]
    assert "open: a ring was not closed; it was closed by a straight line, area 11,18" in line
    assert "not accepted and so not used" in line
    assert [one["accepted"] for one in sheet_document(sheet)["repairs"]] == [r.accepted for r in sheet.repairs]


REFUSED = {
    "none.gpkg": (None, "the file does not exist"),
    "plan.docx": ("x", "are not read"),
    "broken.gpkg": ("x", "broken.gpkg"),
    "xian.txt": (HEADER.replace("2000国家大地", "1980西安"), "xian.txt"),
    "bare.txt": ("4,1,P1,甲,面,,,,@\n" + square(0, 0), "it may be EPSG:4526 (lands in the city)"),
    "zone.txt": (HEADER.replace("38", "37") + "4,1,P1,甲,面,,,,@\n" + square(0, 0), "带号 is 37"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_ends_in_a_sheet(tmp_path, city, name):
    text, message = REFUSED[name]
    path = write(tmp_path, text, name) if text is not None else tmp_path / name
    sheet = inspect_file(path, city=city)
    assert not sheet.readable
    assert message in str(sheet.refused[0])
    write_sheet_html(sheet, tmp_path / "sheet.html")
    assert json.dumps(sheet_document(sheet), allow_nan=False)


def test_without_a_city_no_position_is_reported(tmp_path):
    sheet = inspect_file(write(tmp_path, HEADER + "4,1,P1,甲,面,,,,@\n" + square(0, 0)))
    assert sheet.readable
    assert sheet_document(sheet)["contents"]["place"] is None
    assert sheet.contents.place.lon_deg == pytest.approx(112.5, abs=0.01)


def test_names_that_hint_at_a_shifted_map_and_reading_it_back(tmp_path, city):
    sites = toy.sites(toy.square(0, 0), toy.square(200, 0))
    moved = shapely.transform(sites.geometry.to_numpy(), to_gcj02, interleaved=False)
    path = tmp_path / "高德选点.gpkg"
    gpd.GeoDataFrame(sites.drop(columns="geometry"), geometry=moved, crs=4490).to_file(path, engine="pyogrio")
    assert "hints at a map in GCJ-02" in " ".join(p.what for p in inspect_file(path, city=city).assumed)
    sheet = inspect_file(path, options=ReadOptions(shifted="gcj02"), city=city)
    assert shapely.equals_exact(sheet.contents.geometry, sites.geometry.to_numpy(), 1e-9).all()
    assert "shifted back from GCJ-02" in sheet.transforms[-1]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_sheet_in_both_languages(tmp_path, city, language):
    sheet = inspect_file(write(tmp_path, HEADER + "4,3,P1,甲,面,,,,@\n" + square(0, 0)), city=city)
    lines = dict(sheet_lines(sheet, language))
    assert lines["投影带" if language == "zh" else "zone"] == (
        "3 度带第 38 带，中央经线 114°，横坐标含带号"
        if language == "zh"
        else "3-degree zone 38, central meridian 114°, eastings with zone number"
    )
    problems = problem_rows(sheet, language)
    assert problems["refused"] == []
    assert any(("没有相符的单位" if language == "zh" else "no unit fits") in line.value for line in problems["assumed"])


class Page(HTMLParser):
    """Collects what a page would load and run, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [f"{name}={value}" for name, value in attrs if name in ("src", "href") or name.startswith("on")]

    def handle_data(self, data):
        self.text += data


def test_the_page_needs_nothing_and_text_of_the_file_is_inert(tmp_path, city):
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    sites = toy.sites(toy.square(0, 0), toy.square(50, 50), id=[evil, "b"], **{evil: ["x", "y"]})
    sites.to_file(tmp_path / "sites.gpkg", engine="pyogrio")
    write_sheet_html(inspect_file(tmp_path / "sites.gpkg", city=city), tmp_path / "sheet.html")
    page = Page()
    page.feed((tmp_path / "sheet.html").read_text("utf-8"))
    assert page.loads == []
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert page.text.count(evil) >= 2
    assert page.tags.count("svg") == 1


def test_the_picture_shows_shapes_where_they_lie():
    outline = box(112, 24, 113, 25)
    svg = outline_svg(outline, np.array([shapely.Point(112.5, 24.5), box(112, 24, 112.5, 24.5), None], dtype=object))
    # The middle of the picture, and a square in the south-west, 396 px high and cos(24.5°) as wide.
    assert '<circle class="shape" cx="210.0" cy="210.0" r="3"/>' in svg
    left = 210 - 198 * np.cos(np.radians(24.5))
    assert f"{left:.1f} 408.0" in svg
    assert svg.count("<path") == 2
    far = outline_svg(outline, np.array([shapely.Point(120, 24.5)], dtype=object))
    assert 'cx="408.0"' in far


def test_on_the_command_line(tmp_path, city):
    path = write(tmp_path, HEADER + "4,1.0000,P1,甲,面,,,,@\n" + square(0, 0))
    page = tmp_path / "sheet.html"
    run = CliRunner().invoke(app, ["inspect", str(path), "--layers", str(city), "--out", str(page), "--lang", "en"])
    assert run.exit_code == 0
    assert "EPSG:4526" in run.stdout
    assert "can be read and screened" in run.stdout
    assert page.is_file()
    run = CliRunner().invoke(app, ["inspect", str(path), "--layers", str(city), "--json"])
    assert json.loads(run.stdout)["crs"]["zone"] == {"number": 38, "width_deg": 3, "prefixed": True}


def test_on_the_command_line_what_is_refused_ends_with_2(tmp_path, city):
    run = CliRunner().invoke(app, ["inspect", str(tmp_path / "none.gpkg"), "--layers", str(city)])
    assert run.exit_code == 2
    assert "文件不存在" in run.stdout
    path = write(tmp_path, HEADER.replace("2000国家大地", "1980西安") + "4,1,P1,甲,面,,,,@\n" + square(0, 0))
    command = ["inspect", str(path), "--layers", str(city), "--json", "--lang", "en"]
    run = CliRunner().invoke(app, command)
    assert run.exit_code == 2
    assert "no exact conversion" in json.loads(run.stdout)["refused"][0]["what"]
    run = CliRunner().invoke(app, [*command, "--helmert", "-10,120,50,0,0,0,0"])
    assert run.exit_code == 0
    assert "seven parameters" in json.loads(run.stdout)["transforms"][-1]


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson", ".fgb", ".kml", ".csv", ".txt"])
def test_every_kind_of_file_has_a_sheet(tmp_path, city, suffix):
    path = tmp_path / f"sites{suffix}"
    sites = toy.sites(toy.square(0, 0), toy.square(200, 0))
    if suffix == ".csv":
        points = shapely.get_coordinates(shapely.centroid(sites.geometry.to_numpy()))
        sites.drop(columns="geometry").assign(经度=points[:, 0], 纬度=points[:, 1]).to_csv(path, index=False)
    elif suffix == ".txt":
        write(
            tmp_path, HEADER + "4,1,P1,甲,面,,,,@\n" + square(0, 0) + "4,1,P2,乙,面,,,,@\n" + square(200, 0), path.name
        )
    else:
        driver = {"driver": "KML"} if suffix == ".kml" else {}
        sites.to_crs(4326 if suffix in (".geojson", ".kml") else 4490).to_file(path, engine="pyogrio", **driver)
    sheet = inspect_file(path, city=city)
    assert sheet.contents is not None, [str(p) for p in sheet.refused]
    assert (sheet.contents.rows, sheet.contents.place.inside) == (2, 2)
