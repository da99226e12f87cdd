"""``avoid`` on the toy city: the redline is a square of 1000 m with a hole of 100 m, and more to its east."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import toy
from shapely import LineString, MultiPoint, Point, Polygon, box

from lzgis.city.catalogue import open_catalogue

CLEAR, INVOLVED, SLIVER = "不涉及", "涉及", "疑似边界误差"


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return open_catalogue(toy.city(tmp_path_factory.mktemp("toy") / "city"))


def test_a_site_wholly_inside(city):
    report = toy.screened(city, toy.square(100, 100))
    row = toy.row(report, "redline")
    assert (row["state"], row["severity"], row["feature_id"], row["feature_name"]) == (
        INVOLVED,
        "prohibited",
        "redline-1",
        "甲",
    )
    assert row["area_m2"] == pytest.approx(10_000, rel=1e-9)
    assert row["margin"] == pytest.approx(10_000, rel=1e-9)
    assert row["share"] == pytest.approx(1, rel=1e-9)
    assert row["distance_m"] == 0
    assert np.isnan(row["length_m"])
    assert row["mean_width_m"] == pytest.approx(50, rel=1e-9)  # 2 * 10000 / 400


def test_half_a_site_inside_draws_the_half_inside(city):
    report = toy.screened(city, box(-50, 100, 50, 200))
    row = toy.row(report, "redline")
    assert row["area_m2"] == pytest.approx(5_000, rel=1e-9)
    assert row["share"] == pytest.approx(0.5, rel=1e-9)
    drawn = toy.PLANE.project([report.findings.loc[row.name].geometry])[0]
    assert drawn.symmetric_difference(box(0, 100, 50, 200)).area < 1e-6


def test_a_site_over_two_features_has_a_row_for_each(city):
    rows = toy.rows(toy.screened(city, box(950, 100, 1150, 200)), "redline")
    assert rows["feature_id"].tolist() == ["redline-1", "redline-2"]
    assert rows["area_m2"].tolist() == pytest.approx([5_000, 15_000], rel=1e-9)
    assert rows["share"].tolist() == pytest.approx([0.25, 0.75], rel=1e-9)


def test_a_site_in_the_hole_is_clear_and_its_distance_to_the_rim_is_given(city):
    row = toy.row(toy.screened(city, toy.square(410, 410, 80)), "redline")
    assert row["state"] == CLEAR
    assert row["distance_m"] == pytest.approx(10, abs=1e-6)
    assert row["feature_id"] == "redline-1"
    assert np.isnan(row["area_m2"])


def test_a_site_around_the_hole_does_not_count_the_hole(city):
    row = toy.row(toy.screened(city, box(380, 380, 520, 520)), "redline")
    assert row["area_m2"] == pytest.approx(140**2 - 100**2, rel=1e-9)


@pytest.mark.parametrize(
    ("site", "distance"),
    [
        (box(-100, 100, 0, 200), 0),
        (box(1500, 1000, 1600, 1100), 0),
        (box(-400, 100, -300, 200), 300),
        (box(-400, -500, -300, -400), 500),
        (Point(-30, -40), 50),
        (LineString([(-30, -40), (-90, -40)]), 50),
        (Point(1500, 333), 0),
        (LineString([(1500, 100), (1500, 900)]), 0),
    ],
    ids=[
        "border",
        "corner",
        "beside",
        "off the corner",
        "point",
        "line",
        "point on border",
        "line along border",
    ],
)
def test_touching_and_distant_sites_are_clear_with_the_distance(city, site, distance):
    report = toy.screened(city, site)
    row = toy.row(report, "redline")
    assert row["state"] == CLEAR
    assert row["distance_m"] == pytest.approx(distance, rel=1e-5, abs=1e-6)
    assert "redline" not in toy.verdict(report)["prohibited"]


def test_lines_give_the_crossed_length(city):
    line = LineString([(-200, 300), (800, 300)])
    row = toy.row(toy.screened(city, line), "redline")
    assert row["state"] == INVOLVED
    assert row["length_m"] == pytest.approx(800, abs=1e-3)
    assert row["margin"] == pytest.approx(800, abs=1e-3)
    assert row["share"] == pytest.approx(0.8, abs=1e-6)
    assert np.isnan(row["area_m2"])


def test_a_line_along_the_border_that_turns_in_counts_only_what_is_inside(city):
    # With a vertex between the corners of the redline the line wavers about the border by nanometres.
    line = LineString([(-50, 1000), (377.7, 1000), (900, 1000), (900, 850)])
    row = toy.row(toy.screened(city, line), "redline")
    assert row["length_m"] == pytest.approx(150, abs=2e-3)


def test_a_line_through_the_hole_is_not_in_the_redline_there(city):
    row = toy.row(toy.screened(city, LineString([(350, 450), (550, 450)])), "redline")
    assert row["length_m"] == pytest.approx(100, abs=1e-3)


def test_points_are_inside_or_not(city):
    report = toy.screened(city, Point(10, 10), Point(450, 450), MultiPoint([(10, 10), (-500, -500)]))
    assert [toy.row(report, "redline", s)["state"] for s in ("s1", "s2", "s3")] == [INVOLVED, CLEAR, INVOLVED]
    row = toy.row(report, "redline")
    assert row[["area_m2", "length_m", "share", "mean_width_m"]].isna().all()
    assert toy.verdict(report)["verdict"] == "存在禁止性冲突"


def test_a_thin_overlap_is_a_boundary_error_and_keeps_its_area(city):
    # 0.5 m by 800 m: mean width 2 * 400 / 1601 = 0.49969, below the tolerance of 1 m.
    row = toy.row(toy.screened(city, box(-100, 100, 0.5, 900)), "redline")
    assert row["state"] == SLIVER
    assert row["area_m2"] == pytest.approx(400, rel=1e-6)
    assert row["mean_width_m"] == pytest.approx(800 / 1601, rel=1e-4)


@pytest.mark.parametrize(("width", "state"), [(0.0005, CLEAR), (0.002, SLIVER), (0.99, SLIVER), (1.01, INVOLVED)])
def test_the_tolerances_of_touching_and_of_slivers(city, width, state):
    # Mean width of a strip w by 800 is 800 w / (800 + w): 1.0087 for 1.01, 0.9888 for 0.99.
    assert toy.row(toy.screened(city, box(-100, 100, width, 900)), "redline")["state"] == state


def test_a_narrow_lane_that_crosses_is_no_boundary_error(city):
    # 0.8 m wide all over, so its overlap is as wide as the site itself.
    row = toy.row(toy.screened(city, box(600, -100, 600.8, 1100)), "redline")
    assert row["state"] == INVOLVED
    assert row["area_m2"] == pytest.approx(800, rel=1e-6)


def test_a_narrow_feature_that_crosses_a_site_is_no_boundary_error(tmp_path):
    folder = toy.city(tmp_path / "city")
    toy.write(folder / "redline.gpkg", [box(-300, 0, 300, 0.6)])
    row = toy.row(toy.screened(folder, toy.square(-50, -50)), "redline")
    assert row["state"] == INVOLVED
    assert row["area_m2"] == pytest.approx(60, rel=1e-6)


def test_a_slit_along_a_common_border_does_not_make_a_conflict_a_boundary_error(city):
    # 10 m by 10 m inside, and 0.3 mm all along 800 m of border, which would bring 2A/P down to 0.12 m.
    x = 0.0003
    site = Polygon([(-100, 100), (x, 100), (x, 500), (10, 500), (10, 510), (x, 510), (x, 900), (-100, 900)])
    row = toy.row(toy.screened(city, site), "redline")
    assert row["state"] == INVOLVED
    assert row["area_m2"] == pytest.approx(100 + 0.24, abs=0.01)
    assert row["mean_width_m"] == pytest.approx(5, abs=0.01)


def test_a_rule_may_have_a_tolerance_of_its_own(tmp_path):
    folder = toy.city(tmp_path / "city")
    toy.changed(folder, "rules.toml", ('title = "红线"\n', 'title = "红线"\nsliver_width_m = 0.1\n'))
    assert toy.row(toy.screened(folder, box(-100, 100, 0.5, 900)), "redline")["state"] == INVOLVED


def test_a_short_touch_of_a_line_is_a_boundary_error(city):
    # 0.4 m of 100.4 m inside, below the tolerance of 1 m.
    row = toy.row(toy.screened(city, LineString([(-100, 500), (0.4, 500)])), "redline")
    assert row["state"] == SLIVER
    assert row["length_m"] == pytest.approx(0.4, abs=1e-3)


@pytest.mark.parametrize(
    ("geometry", "feature", "margin"),
    [("point", Point(30, 30), np.nan), ("line", LineString([(-50, 20), (40, 20)]), 40)],
)
def test_lines_and_points_of_a_layer_are_avoided_too(tmp_path, geometry, feature, margin):
    folder = toy.city(tmp_path / "city")
    toy.write(folder / "redline.gpkg", [feature, shapely.affinity.translate(feature, 0, 3000)])
    toy.changed(
        folder,
        "catalog.toml",
        ('source = "redline.gpkg"', f'source = "redline.gpkg"\ngeometry = "{geometry}"'),
    )
    report = toy.screened(folder, toy.square(0, 0), toy.square(0, -200))
    row = toy.row(report, "redline")
    assert (row["state"], row["feature_id"]) == (INVOLVED, "redline-1")
    assert row[["area_m2", "share"]].isna().all()
    assert row["margin"] == pytest.approx(margin, abs=1e-3, nan_ok=True)
    # No overlap is disregarded by the ladder where there is no area to disregard.
    assert set(toy.verdict(report)["ladder"]) == {"存在禁止性冲突"}
    clear = toy.row(report, "redline", "s2")
    assert (clear["state"], round(clear["distance_m"])) == (CLEAR, 130 if geometry == "point" else 120)


def test_where_keeps_only_the_features_with_the_value(tmp_path):
    folder = toy.city(tmp_path / "city")
    toy.changed(folder, "rules.toml", ('title = "红线"\n', 'title = "红线"\nwhere.name = ["乙"]\n'))
    report = toy.screened(folder, box(900, 100, 1100, 200), toy.square(0, 0))
    assert toy.rows(report, "redline")["feature_name"].tolist() == ["乙"]
    assert toy.row(report, "redline", "s2")["distance_m"] == pytest.approx(900, abs=1e-3)
    assert any("'甲' in 1 features, which no rule names" in str(p) for p in report.problems)


def test_a_real_overlap_is_no_sliver_beside_a_long_ragged_border(city):
    # A strip of 0.5 m along 900 m of the western border, and separate from it an overlap of 20 m by 20 m.
    strip, bite = box(-100, 50, 0.5, 950), box(-100, 960, 20, 980)
    report = toy.screened(city, shapely.MultiPolygon([strip, bite]), strip)
    row = toy.row(report, "redline", "s1")
    assert row["state"] == INVOLVED
    assert row["area_m2"] == pytest.approx(900 * 0.5 + 20 * 20, abs=1e-3)
    assert row["mean_width_m"] == pytest.approx(2 * 400 / 80, abs=1e-3)
    assert toy.row(report, "redline", "s2")["state"] == SLIVER
