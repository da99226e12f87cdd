"""不适用 on the toy city, worked out by hand: a row inside and within reach, elsewhere the count alone."""

from __future__ import annotations

import pytest
import toy

from lzgis.city.catalogue import open_catalogue
from lzgis.model.report import STATES_BY_GRAVITY
from lzgis.screening.screen import screen

#: Rules of the toy book that are meant for some activities only: `quarry` demands 100 m from roads for quarrying.
NOT_MEANT, INSIDE = "activity-not-meant", "inside-not-meant"


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    folder = toy.city(tmp_path_factory.mktemp("unmeant") / "city")
    rules = """
[rule.blast]
kind = "avoid"
layer = "redline"
activities = ["quarrying"]
title = "红线内禁止采石"
severity = "prohibited"
strength = "law"
basis = [{ document = "law" }]
effective_from = 2020-01-01
[rule.works]
kind = "stay_inside"
layer = "town"
activities = ["quarrying"]
title = "采石应在城镇开发边界内"
severity = "prohibited"
strength = "law"
basis = [{ document = "law" }]
effective_from = 2020-01-01
"""
    (folder / "rules.toml").write_text((folder / "rules.toml").read_text("utf-8") + rules, "utf-8")
    return open_catalogue(folder)


def row(report, rule, site="s1"):
    return toy.row(report, rule, site)


def test_a_site_inside_has_a_row_with_its_area(city):
    # The square 900..1100 by 0..100 lies in both features of the redline, 1 ha in each; 800..900 in the first alone.
    report = toy.screened(city, toy.box(900, 0, 1100, 100), toy.square(800, 0), activity="住宅")
    both = toy.rows(report, "blast")
    assert both["state"].tolist() == ["不适用"] * 2
    assert both["reason"].tolist() == [INSIDE] * 2
    assert both["area_m2"].tolist() == pytest.approx([10_000, 10_000], abs=0.1)
    assert both["route"].tolist() == ["", ""]
    one = row(report, "blast", "s2")
    assert (one["feature_name"], one["distance_m"]) == ("甲", 0)
    assert one["area_m2"] == pytest.approx(10_000, abs=0.1)
    # The same site is prohibited for what the rule is meant for.
    assert row(toy.screened(city, toy.square(800, 0), activity="采石"), "blast")["state"] == "涉及"


def test_a_site_within_reach_has_a_row_with_its_distance(city):
    # G1 has its edge at -1994: 40 m north of it, less than the 100 m that a quarry must keep; 100 m are enough.
    near, far = toy.box(0, -1954, 100, -1900), toy.box(0, -1894, 100, -1800)
    report = toy.screened(city, near, far, activity="住宅")
    found = row(report, "quarry")
    assert (found["state"], found["reason"], found["required_m"]) == ("不适用", NOT_MEANT, 100)
    assert found["distance_m"] == pytest.approx(40, abs=1e-3)
    assert toy.rows(report, "quarry", "s2").empty


def test_for_stay_inside_the_row_is_of_sites_that_lie_in_the_layer(city):
    # The town is -4000..-2000 by -1000..1000: inside, half inside, outside.
    shapes = (toy.square(-3000, 0), toy.box(-2050, 0, -1950, 100), toy.square(0, 2000))
    report = toy.screened(city, *shapes, activity="住宅")
    assert row(report, "works")["state"] == "不适用"
    assert row(report, "works", "s2")["state"] == "不适用"
    assert toy.rows(report, "works", "s3").empty


def test_elsewhere_only_the_count(city):
    # Far from everything: blast, quarry, works, and caves, whose layer is missing, are not meant for housing: no row.
    shapes = (toy.square(3000, -700), toy.square(800, 0))
    report = toy.screened(city, *shapes, activity="住宅")
    assert toy.verdict(report)["not_applicable"] == 4
    assert toy.verdict(report, "s2")["not_applicable"] == 3
    # A quarry is meant by all four.
    assert toy.verdict(toy.screened(city, shapes[0], activity="采石"))["not_applicable"] == 0


def test_rows_and_counts_sum_to_sites_times_rules(city):
    shapes = [toy.square(x, y) for x in (-2500, 50, 950, 3000) for y in (-2050, -700, 50, 3050)]
    activities = ["住宅", "采石", "供水", ""] * 4
    report = screen(toy.sites(*shapes, activity=activities), city, as_of=toy.AS_OF)
    answered = report.table.groupby(["site_id", "rule"])["state"].agg(set)
    rules = len(city.book.as_of(report.provenance.as_of).rules)
    assert len(answered) + report.verdicts["not_applicable"].sum() == len(shapes) * rules
    # A pair that is 不适用 or 不涉及 has no other answer beside it.
    mild = {str(STATES_BY_GRAVITY[-1]), str(STATES_BY_GRAVITY[-2])}
    assert all(len(states) == 1 for states in answered if states & mild)


def test_a_rule_not_meant_decides_nothing(city):
    report = toy.screened(city, toy.square(3000, -1950), activity="住宅")
    assert row(report, "quarry")["state"] == "不适用"
    verdict = toy.verdict(report)
    assert all("quarry" not in verdict[name] for name in ("prohibited", "conditional", "notices", "not_checked"))
    assert verdict["nearest_rule"] != "quarry"
