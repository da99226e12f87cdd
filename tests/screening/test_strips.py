"""Lines that declare the width of their land take are judged as strips: areas and lengths worked out by hand."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pytest
import shapely
import toy
from toy import LineString, box

from lzgis.model.report import Report
from lzgis.reading import sites_from_frame
from lzgis.screening.avoidance import avoid
from lzgis.screening.screen import screen
from lzgis.screening.subjects import strip

FACT = """
[fact.width_m]
title = "用地宽度"
title_en = "Width of land take"
aliases = ["带宽"]
kind = "number"
unit = "m"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = toy.city(tmp_path_factory.mktemp("toy") / "city")
    rules = made / "rules.toml"
    rules.write_text(rules.read_text("utf-8") + FACT, "utf-8")
    return made


def screened(folder, *shapes: shapely.Geometry, width: list[object], column: str = "width_m") -> Report:
    return screen(toy.sites(*shapes, **{column: width}), folder, as_of=toy.AS_OF)


@pytest.mark.parametrize("column", ["width_m", "用地宽度", "带宽"])
def test_area_and_length_in_the_redline(folder, column):
    # 400 m long, the last 300 m in the redline, 20 m wide.
    report = screened(folder, LineString([(-100, 200), (300, 200)]), width=[20], column=column)
    found = toy.row(report, "redline")
    assert (found["state"], found["severity"]) == ("涉及", "prohibited")
    assert found["area_m2"] == pytest.approx(6000, rel=1e-6)
    assert found["length_m"] == pytest.approx(300, rel=1e-6)
    assert found["share"] == pytest.approx(0.75, rel=1e-6)
    verdict = toy.verdict(report)
    assert verdict["site_area_m2"] == pytest.approx(8000, rel=1e-6)
    assert verdict["site_length_m"] == pytest.approx(400, rel=1e-6)
    part = toy.PLANE.project(np.array([found["geometry"]], dtype=object))[0]
    assert part.equals_exact(box(0, 190, 300, 210), 1e-4) or part.symmetric_difference(box(0, 190, 300, 210)).area < 0.1


def test_line_ends_in_the_corridor_of_a_road(folder):
    # G1 with half-width 6 and 20 m: 26 m from y = -2000. The line ends 16 m from it: 10 m of it, 20 m wide.
    report = screened(folder, LineString([(100, -1900), (100, -1984)]), width=[20])
    found = toy.row(report, "road")
    assert found["state"] == "涉及"
    assert found["length_m"] == pytest.approx(10, rel=1e-4)
    assert found["area_m2"] == pytest.approx(200, rel=1e-4)


def test_edge_of_the_strip_decides_not_its_line(folder):
    # 36 m from the centreline: the line keeps 30 m, more than 20; the edge of a strip of 24 m keeps 18 m.
    line = LineString([(0, -1964), (100, -1964)])
    report = screened(folder, line, line, width=[np.nan, 24])
    assert toy.row(report, "road", "s1")["state"] == "不涉及"
    found = toy.row(report, "road", "s2")
    assert found["state"] == "涉及"
    assert found["distance_m"] == pytest.approx(18, abs=1e-3)
    assert found["area_m2"] == pytest.approx(200, rel=1e-4)
    assert found["length_m"] == pytest.approx(0, abs=1e-6)


def test_part_outside_the_town(folder):
    # The town ends at x = -2000: 100 m of the line and 1000 m² lie outside.
    report = screened(folder, LineString([(-2300, 0), (-1900, 0)]), width=[10])
    found = toy.row(report, "town")
    assert found["area_m2"] == pytest.approx(1000, rel=1e-6)
    assert found["length_m"] == pytest.approx(100, rel=1e-6)


def test_polygons_and_lines_without_a_width_stay_as_they_are(folder):
    shapes = (toy.square(100, 100), LineString([(100, 200), (300, 200)]))
    with_column = screened(folder, *shapes, width=[50, None])
    without = toy.screened(folder, *shapes)
    for site in ("s1", "s2"):
        for rule in ("redline", "road", "town"):
            ours, theirs = toy.row(with_column, rule, site), toy.row(without, rule, site)
            assert ours[["area_m2", "length_m", "distance_m"]].equals(theirs[["area_m2", "length_m", "distance_m"]])


def test_a_width_that_is_no_number_is_reported(folder):
    report = screened(folder, LineString([(100, 200), (300, 200)]), width=["约二十米"])
    assert np.isnan(toy.row(report, "redline")["area_m2"])
    said = [f"{one.place}: {one.what}; {one.remedy}" for one in report.problems]
    assert any("width_m" in one and "约二十米" in one for one in said)


def test_strips_have_flat_ends_and_round_bends():
    # A right angle: two arms of 100 m by 10 m share a 5 m square at the bend and lack its outer quarter circle.
    made = strip(np.array([LineString([(0, 0), (100, 0), (100, 100)])], dtype=object), np.array([10.0]))[0]
    assert made.area == pytest.approx(2000 - 25 + math.pi * 25 / 4, rel=1e-3)
    assert made.bounds == pytest.approx((0, -5, 105, 100))


def test_outputs_tell_area_and_length(folder, tmp_path):
    source = tmp_path / "lines.gpkg"
    toy.sites(LineString([(-100, 200), (300, 200)]), 带宽=[20.0]).to_file(source, engine="pyogrio")
    report = screen(source, folder, as_of=toy.AS_OF)
    assert toy.row(report, "redline")["area_m2"] == pytest.approx(6000, rel=1e-6)
    written = report.findings.to_crs("EPSG:4490")
    assert isinstance(written, gpd.GeoDataFrame)
    parts = report.breakdown[report.breakdown["rule"] == "redline"]
    assert parts.empty or parts["area_m2"].sum() == pytest.approx(6000, abs=0.01)


def test_a_strip_is_moved_as_a_line(folder):
    # 36 m from the centreline, the edge of the strip is 8 m too near at a width of 40 m: 20 + 6 - (36 - 20) = 10 m.
    line = LineString([(0, -1964), (100, -1964)])
    sites = sites_from_frame(toy.sites(line, width_m=[40.0]))
    found = avoid("s1", sites, folder, as_of=toy.AS_OF, within_m=50)
    assert found.remaining_size == pytest.approx(4000 - 100 * 10, rel=1e-4)
    assert found.shift is not None
    assert found.shift.geometry.geom_type == "LineString"
    assert found.shift.distance_m == pytest.approx(10, abs=0.01)
    assert toy.row(found.shift.report, "road")["state"] == "不涉及"
