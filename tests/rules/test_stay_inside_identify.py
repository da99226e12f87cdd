"""``stay_inside`` and ``identify`` on the toy city."""

from __future__ import annotations

import numpy as np
import pytest
import toy
from shapely import LineString, Point, box

from lzgis.city.catalogue import open_catalogue

CLEAR, INVOLVED, SLIVER, NOT_CHECKED = "不涉及", "涉及", "疑似边界误差", "未核查"


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return open_catalogue(toy.city(tmp_path_factory.mktemp("toy") / "city"))


# The town lies between x = -4000 and -2000, y = -1000 and 1000.
def test_a_site_within_the_town_is_clear(city):
    row = toy.row(toy.screened(city, toy.square(-3000, 0)), "town")
    assert (row["state"], row["feature_id"], row["distance_m"]) == (CLEAR, "town-1", 0)
    assert np.isnan(row["area_m2"])


@pytest.mark.parametrize(
    ("site", "outside", "share", "distance"),
    [
        (box(-2050, 0, -1950, 100), 5_000, 0.5, 0),
        (box(-2000, 0, -1900, 100), 10_000, 1, 0),
        (box(-1700, 0, -1600, 100), 10_000, 1, 300),
    ],
    ids=["half outside", "touching from outside", "distant"],
)
def test_the_part_outside_is_a_conflict(city, site, outside, share, distance):
    report = toy.screened(city, site)
    row = toy.row(report, "town")
    assert (row["state"], row["severity"]) == (INVOLVED, "notice")
    assert row["area_m2"] == pytest.approx(outside, rel=1e-9)
    assert row["share"] == pytest.approx(share, rel=1e-9)
    assert row["distance_m"] == pytest.approx(distance, rel=1e-5)
    assert row["margin"] == pytest.approx(outside, rel=1e-9)
    # A rule that only informs makes no verdict.
    assert toy.verdict(report)["verdict"] == "未发现冲突"
    assert toy.verdict(report)["notices"] == ("units", "town")


def test_a_thin_part_outside_is_a_boundary_error(city):
    row = toy.row(toy.screened(city, box(-2100, 0, -1999.5, 800)), "town")
    assert row["state"] == SLIVER
    assert row["area_m2"] == pytest.approx(400, rel=1e-6)


def test_lines_and_points_outside(city):
    report = toy.screened(city, LineString([(-2100, 0), (-1940, 0)]), Point(-1975, 0), Point(-2500, 0))
    line, point, inside = (toy.row(report, "town", s) for s in ("s1", "s2", "s3"))
    assert line["length_m"] == pytest.approx(60, abs=1e-3)
    assert line["share"] == pytest.approx(60 / 160, abs=1e-5)
    assert (point["state"], round(point["distance_m"], 3), round(point["margin"], 3)) == (INVOLVED, 25, 25)
    assert inside["state"] == CLEAR


def test_what_lies_on_the_border_is_within(city):
    along, corner = LineString([(-3777, 1000), (-3333, 1000), (-2222, 1000)]), Point(-2718, 1000)
    report = toy.screened(city, along, corner, box(-2500, 900, -2400, 1000))
    assert [toy.row(report, "town", s)["state"] for s in ("s1", "s2", "s3")] == [CLEAR] * 3


def test_without_any_matching_feature_all_of_the_site_is_outside(tmp_path):
    folder = toy.city(tmp_path / "city")
    toy.changed(folder, "rules.toml", ('title = "边界"\n', 'title = "边界"\nwhere.id = ["nowhere"]\n'))
    row = toy.row(toy.screened(folder, toy.square(-3000, 0)), "town")
    assert (row["state"], row["feature_id"]) == (INVOLVED, "")
    assert row["area_m2"] == pytest.approx(10_000, rel=1e-9)
    assert np.isnan(row["distance_m"])


# The units are the halves of the city west and east of x = 0, without 10 m by 100 m at y = 4000.
def test_a_site_is_named_the_units_it_lies_in_with_its_shares(city):
    report = toy.screened(city, box(-25, -500, 75, -400))
    rows = toy.rows(report, "units")
    assert rows["feature_id"].tolist() == ["units-1", "units-2"]
    assert rows["share"].tolist() == pytest.approx([0.25, 0.75], rel=1e-9)
    lists = report.unit_lists[["unit_id", "heading", "clause"]]
    assert lists.to_numpy().tolist() == [
        ["units-1", "区域布局管控", "1-1 禁止甲"],
        ["units-1", "区域布局管控", "1-2 限制乙"],
        ["units-2", "区域布局管控", "2-1 禁止丙"],
    ]
    assert report.unit_lists["share"].tolist() == pytest.approx([0.25, 0.25, 0.75], rel=1e-9)


def test_what_no_unit_covers_is_not_checked(city):
    report = toy.screened(city, box(-50, 4000, 50, 4100))
    rows = toy.rows(report, "units")
    assert rows["state"].tolist() == [INVOLVED, INVOLVED, NOT_CHECKED]
    assert rows["area_m2"].tolist() == pytest.approx([4_500, 4_500, 1_000], rel=1e-9)
    gap = rows.iloc[2]
    assert (gap["reason"], gap["feature_id"]) == ("not-covered", "")
    assert gap["unchecked_share"] == pytest.approx(0.1, rel=1e-9)
    assert toy.verdict(report)["verdict"] == "核查不完整"


def test_a_site_in_the_gap_alone_is_not_checked_and_nothing_else(city):
    report = toy.screened(city, box(-3, 4010, 3, 4020), Point(0, 4050), LineString([(0, 4010), (0, 4030)]))
    for site in ("s1", "s2", "s3"):
        row = toy.row(report, "units", site)
        assert (row["state"], row["reason"]) == (NOT_CHECKED, "not-covered")
        assert row["unchecked_share"] == pytest.approx(1, rel=1e-9)


def test_what_runs_along_the_border_of_units_lies_in_none_and_is_not_checked(city):
    report = toy.screened(city, LineString([(0, -900), (0, -100)]), Point(0, 700))
    for site in ("s1", "s2"):
        row = toy.row(report, "units", site)
        assert (row["state"], row["reason"], row["unchecked_share"]) == (NOT_CHECKED, "not-covered", 1)


def test_lines_and_points_lie_in_units(city):
    report = toy.screened(city, LineString([(-30, -900), (10, -900)]), Point(-700, -700))
    assert toy.rows(report, "units")["length_m"].tolist() == pytest.approx([30, 10], abs=1e-3)
    assert toy.row(report, "units", "s2")["feature_id"] == "units-1"
    assert report.unit_lists.loc[report.unit_lists["site_id"] == "s2", "share"].isna().all()
