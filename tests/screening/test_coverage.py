"""Where a layer has no data, a site is 未核查: layers missing, edges of the city, activities not given."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import toy
from shapely import LineString, Point, box

from lzgis.city.catalogue import open_catalogue
from lzgis.rules.for_sites.plane import PlaneSites
from lzgis.screening.coverage import coverage_of

CLEAR, INVOLVED, NOT_CHECKED = "不涉及", "涉及", "未核查"
CHECKED = ["redline", "units", "town", "road", "river"]  # the rules that concern a site of housing


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return open_catalogue(toy.city(tmp_path_factory.mktemp("toy") / "city"))


BEYOND = {
    "far outside": box(9000, 0, 9100, 100),
    "touching the border": box(5000, 0, 5100, 100),
    "touching the border crookedly": box(-5300, 33, -5000, 400),
    "point": Point(7000, 0),
    "line": LineString([(5000, -100), (5100, -100)]),
}


@pytest.mark.parametrize("site", BEYOND.values(), ids=BEYOND)
def test_a_site_outside_the_city_is_checked_by_no_rule(city, site):
    report = toy.screened(city, site)
    for rule in CHECKED:
        row = toy.row(report, rule)
        assert (row["state"], row["reason"], row["unchecked_share"]) == (NOT_CHECKED, "outside-city", 1)
    assert toy.verdict(report)["verdict"] == "核查不完整"
    assert toy.verdict(report)["not_checked"] == tuple(CHECKED)


def test_a_site_partly_outside_is_checked_for_the_part_inside(city):
    report = toy.screened(city, box(4950, 100, 5150, 200))
    row = toy.row(report, "redline")
    assert (row["state"], row["reason"]) == (NOT_CHECKED, "partly-outside")
    assert row["unchecked_share"] == pytest.approx(0.75, rel=1e-9)
    units = toy.rows(report, "units")
    assert units["state"].tolist() == [INVOLVED, NOT_CHECKED]
    assert units["area_m2"].iloc[0] == pytest.approx(5_000, rel=1e-9)
    assert units["share"].iloc[0] == pytest.approx(0.25, rel=1e-9)
    # What lies beyond the city's border is unknown, not outside the town: only the part inside the city is.
    town = toy.rows(report, "town")
    assert town["area_m2"].iloc[0] == pytest.approx(5_000, rel=1e-9)


def test_what_is_found_stays_found_for_a_site_partly_outside(city):
    # G1 runs on beyond the border at x = 5000.
    report = toy.screened(city, box(4950, -1979, 5050, -1900))
    rows = toy.rows(report, "road")
    assert rows["state"].tolist() == [INVOLVED, NOT_CHECKED]
    assert rows["area_m2"].iloc[0] == pytest.approx(500, abs=0.1)


def test_a_multipart_site_partly_outside_and_touching_the_border(city):
    parts = shapely.MultiPolygon([box(4900, 0, 4950, 100), box(5000, 0, 5100, 100)])
    rows = toy.rows(toy.screened(city, parts), "units")
    assert rows["area_m2"].iloc[0] == pytest.approx(5_000, rel=1e-9)
    assert rows["unchecked_share"].iloc[1] == pytest.approx(2 / 3, rel=1e-9)


@pytest.mark.parametrize(
    ("gap", "rule", "state", "reason"),
    [
        (24.9, "road", NOT_CHECKED, "reach-outside"),  # 20 m and up to 9 m that the rule may assume
        (29.1, "road", CLEAR, ""),
        (0, "redline", CLEAR, ""),  # what overlaps a site inside the city lies inside it, too
        (0.5, "town", INVOLVED, ""),
    ],
)
def test_a_site_nearer_to_the_border_than_the_rule_reaches(city, gap, rule, state, reason):
    row = toy.row(toy.screened(city, box(4900 - gap, 100, 5000 - gap, 200)), rule)
    assert (row["state"], row["reason"]) == (state, reason)


def test_a_conflict_near_the_border_stays_one_row(city):
    row = toy.row(toy.screened(city, box(4900, -1979, 4995, -1900)), "road")
    assert (row["state"], row["reason"]) == (INVOLVED, "")


def test_a_missing_layer_is_not_checked_and_never_passes(tmp_path):
    folder = toy.city(tmp_path / "city")
    (folder / "redline.gpkg").unlink()
    report = toy.screened(folder, toy.square(-3000, 0))
    row = toy.row(report, "redline")
    assert (row["state"], row["reason"]) == (NOT_CHECKED, "layer-missing")
    assert toy.verdict(report)["verdict"] == "核查不完整"
    assert any("layer 'redline'" in str(p) and "no such layer" in str(p) for p in report.problems)


def test_a_layer_that_the_catalogue_does_not_describe_is_missing(city):
    report = toy.screened(city, toy.square(-3000, 0), activity="采石")
    row = toy.row(report, "caves")
    assert (row["state"], row["reason"]) == (NOT_CHECKED, "layer-missing")
    # It does not affect sites that the rule does not concern: they are counted.
    report = toy.screened(city, toy.square(-3000, 0))
    assert "caves" not in report.findings["rule"].tolist()
    assert toy.verdict(report)["not_applicable"] == 2


def test_a_layer_without_features_is_not_checked(tmp_path):
    folder = toy.city(tmp_path / "city")
    toy.write(folder / "redline.gpkg", [shapely.Polygon()])
    report = toy.screened(folder, toy.square(-3000, 0))
    row = toy.row(report, "redline")
    assert (row["state"], row["reason"]) == (NOT_CHECKED, "layer-empty")
    assert any("feature 'redline-1'" in str(p) and "is empty" in str(p) for p in report.problems)


def test_a_layer_without_the_field_of_a_rule_is_not_checked(tmp_path):
    folder = toy.city(tmp_path / "city")
    toy.changed(folder, "rules.toml", ('title = "红线"\n', 'title = "红线"\nwhere.grade = ["一级"]\n'))
    row = toy.row(toy.screened(folder, toy.square(100, 100)), "redline")
    assert (row["state"], row["reason"]) == (NOT_CHECKED, "field-missing")


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory):
    """The redline is known only west of x = 500."""
    folder = toy.city(tmp_path_factory.mktemp("toy") / "city")
    toy.write(folder / "surveyed.gpkg", [box(-5000, -5000, 500, 5000)])
    toy.changed(
        folder,
        "catalog.toml",
        ('source = "redline.gpkg"', 'source = "redline.gpkg"\ncoverage = "surveyed"'),
        ("[layer.units]", '[layer.surveyed]\ntitle = "已调查"\nsource = "surveyed.gpkg"\n[layer.units]'),
    )
    return open_catalogue(folder)


def test_a_layer_may_cover_less_than_the_city(surveyed):
    report = toy.screened(
        surveyed, toy.square(-900, 0), toy.square(2000, 0), box(450, 2000, 550, 2100), box(450, 100, 550, 200)
    )
    inside, outside, partly = (toy.row(report, "redline", s) for s in ("s1", "s2", "s3"))
    assert inside["state"] == CLEAR
    assert (outside["state"], outside["unchecked_share"]) == (NOT_CHECKED, 1)
    assert (partly["state"], partly["reason"]) == (NOT_CHECKED, "partly-outside")
    assert partly["unchecked_share"] == pytest.approx(0.5, rel=1e-9)
    assert toy.rows(report, "redline", "s4")["state"].tolist() == [INVOLVED, NOT_CHECKED]
    # The other layers cover the whole city, so their rules are answered there.
    assert toy.row(report, "town", "s2")["state"] == INVOLVED
    assert toy.row(report, "road", "s2")["state"] == CLEAR


def test_an_activity_not_given_leaves_open_only_what_depends_on_it(city):
    in_redline, near_road, near_river, far = (
        toy.square(100, 100),
        box(0, -1979, 100, -1900),
        box(0, 3030, 100, 3130),
        toy.square(-3000, 0),
    )
    report = toy.screened(city, in_redline, near_road, near_river, far, activity="")

    def found(rule: str, site: str) -> tuple[str, str]:
        row = toy.row(report, rule, site)
        return row["state"], row["reason"]

    missing = (NOT_CHECKED, "activity-missing")
    assert found("redline", "s1") == missing  # water supply would be an exception
    assert found("redline", "s4") == (CLEAR, "")  # at a distance from it for any activity
    assert found("road", "s2") == (INVOLVED, "")  # no exception for any activity
    assert found("river", "s3") == missing
    assert found("quarry", "s2") == missing  # only quarrying is meant
    assert found("quarry", "s4") == (CLEAR, "")
    assert found("caves", "s4") == (NOT_CHECKED, "layer-missing")  # could be quarrying
    assert found("town", "s2") == (INVOLVED, "")
    assert toy.verdict(report, "s1")["verdict"] == "核查不完整"
    assert toy.verdict(report, "s2")["verdict"] == "存在禁止性冲突"
    # What could not be decided still shows how much of the site it is about.
    assert toy.row(report, "redline", "s1")["area_m2"] == pytest.approx(10_000, rel=1e-9)


def test_shares_distances_and_parts_of_the_coverage_itself():
    sites = np.array(
        [
            box(0, 0, 10, 10),
            box(95, 0, 105, 10),
            box(200, 0, 210, 10),
            LineString([(90, 50), (130, 50)]),
            Point(100, 50),
            LineString([(100, 20), (100, 80)]),
            Point(101, 50),
        ],
        dtype=object,
    )
    found = coverage_of(PlaneSites(sites), box(0, 0, 100, 100))
    assert found.outside_share.tolist() == pytest.approx([0, 0.5, 1, 0.75, 0, 0, 1])
    assert found.edge_distance_m.tolist() == [0, 0, 100, 0, 0, 0, 1]
    assert found.whole.tolist() == [True, False, False, False, True, True, False]
    assert found.none.tolist() == [False, False, True, False, False, False, True]
    assert found.inside[1].equals(box(95, 0, 100, 10))
