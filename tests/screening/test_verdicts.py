"""One verdict per site, the ladder of verdicts, and the nearest constraint."""

from __future__ import annotations

import numpy as np
import pytest
import toy
from shapely import LineString, Point, box

from lzgis.city.catalogue import open_catalogue
from lzgis.model.report import FINDING_COLUMNS, VERDICT_COLUMNS, State, Verdict

PROHIBITED, REVIEW, INCOMPLETE, NONE = "存在禁止性冲突", "需进一步论证", "核查不完整", "未发现冲突"
FREE = toy.square(-3000, -100)  # in the town, far from everything


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return open_catalogue(toy.city(tmp_path_factory.mktemp("toy") / "city"))


def test_the_words_of_states_and_verdicts_claim_no_compliance():
    assert list(State) == ["涉及", "不涉及", "疑似边界误差", "未核查", "不适用"]
    assert list(Verdict) == [PROHIBITED, REVIEW, INCOMPLETE, NONE]
    assert not any("合规" in word or "通过" in word for word in (*State, *Verdict))


@pytest.mark.parametrize(
    ("site", "activity", "verdict"),
    [
        (FREE, "住宅", NONE),
        (toy.square(100, 100), "住宅", PROHIBITED),
        (toy.square(100, 100), "供水", REVIEW),  # the exception asks for a procedure
        (box(-100, 100, 0.5, 900), "住宅", REVIEW),  # may be a boundary error
        (box(0, -2975, 100, -2900), "住宅", REVIEW),  # possible, with the assumed half-width
        (box(0, 3030, 100, 3100), "住宅", REVIEW),
        (box(0, 3030, 100, 3100), "供水", NONE),  # the exception only informs
        (box(-50, 4000, 50, 4100), "住宅", INCOMPLETE),
        (FREE, "采石", INCOMPLETE),  # the layer of caves is missing
        (box(0, -1979, 100, -1900), "采石", PROHIBITED),  # outweighs the missing layer
        (box(0, 3030, 100, 3100), "采石", REVIEW),  # outweighs the missing layer, too
        (box(4950, 3030, 5050, 3100), "住宅", REVIEW),  # outweighs lying partly outside
    ],
)
def test_the_gravest_finding_makes_the_verdict(city, site, activity, verdict):
    assert toy.verdict(toy.screened(city, site, activity=activity))["verdict"] == verdict


def test_a_verdict_names_its_rules(city):
    report = toy.screened(city, box(900, -1979, 1000, 100), activity="采石")
    verdict = toy.verdict(report)
    assert verdict["prohibited"] == ("redline", "road", "quarry")
    assert verdict["conditional"] == ()
    assert verdict["notices"] == ("units", "town")
    assert verdict["not_checked"] == ("caves",)
    assert verdict["site_area_m2"] == pytest.approx(100 * 2079, rel=1e-9)


@pytest.mark.parametrize(
    ("width", "ladder"),
    [
        (0.4, (PROHIBITED, NONE, NONE, NONE)),  # 40 ㎡
        (1.5, (PROHIBITED, PROHIBITED, NONE, NONE)),  # 150 ㎡
        (9, (PROHIBITED, PROHIBITED, PROHIBITED, NONE)),  # 900 ㎡
        (11, (PROHIBITED, PROHIBITED, PROHIBITED, PROHIBITED)),  # 1100 ㎡
    ],
)
def test_the_ladder_disregards_overlaps_up_to_each_step_and_counts_all_larger_in_full(city, width, ladder):
    report = toy.screened(city, box(-200, 100, width, 200))
    assert toy.verdict(report)["ladder"] == ladder
    expected = REVIEW if width == 0.4 else PROHIBITED  # of a mean width below 1 m, it may be a boundary error
    assert toy.verdict(report)["verdict"] == expected


def test_the_ladder_disregards_no_corridor_and_nothing_that_has_no_area(city):
    # A corner of a few square metres in the corridor; a point and a line in the redline.
    corner = toy.screened(city, box(0, -1974.02, 100, -1900))
    assert toy.row(corner, "road")["area_m2"] == pytest.approx(2, abs=0.1)
    assert set(toy.verdict(corner)["ladder"]) == {PROHIBITED}
    others = toy.screened(city, Point(10, 10), LineString([(-50, 50), (10, 50)]))
    assert set(toy.verdict(others, "s1")["ladder"]) == {PROHIBITED}
    assert set(toy.verdict(others, "s2")["ladder"]) == {PROHIBITED}


def test_the_ladder_keeps_what_was_not_checked(city):
    assert set(toy.verdict(toy.screened(city, FREE, activity="采石"))["ladder"]) == {INCOMPLETE}
    # 150 ㎡ in the redline, undecided because the activity is missing, and a missing layer that may concern it.
    ladder = toy.verdict(toy.screened(city, box(-200, 100, 1.5, 200), activity=""))["ladder"]
    assert ladder == (INCOMPLETE,) * 4


def test_the_steps_are_those_of_the_book(tmp_path):
    folder = toy.city(tmp_path / "city")
    toy.changed(folder, "rules.toml", ("[layers]", "[tolerance]\nladder_m2 = [0, 160]\nsliver_width_m = 2\n[layers]"))
    verdict = toy.verdict(toy.screened(folder, box(-200, 100, 1.5, 200)))
    assert verdict["ladder"] == (PROHIBITED, NONE)
    assert verdict["verdict"] == REVIEW  # 1.5 m is below the wider tolerance


def test_the_nearest_constraint_is_counted_from_the_distance_demanded(city):
    # 90 m from the edge of G1, of which 20 are demanded: 70 to spare. The redline lies 1000 m off and more.
    verdict = toy.verdict(toy.screened(city, box(-1100, -1904, -1000, -1804)))
    assert verdict["nearest_rule"] == "road"
    assert verdict["nearest_m"] == pytest.approx(70, abs=1e-2)
    # 300 m from the redline; rules that only inform, as the town and the units, are no constraints.
    verdict = toy.verdict(toy.screened(city, box(-400, 100, -300, 200)))
    assert (verdict["nearest_rule"], round(verdict["nearest_m"], 2)) == ("redline", 300)


def test_the_tables_have_the_columns_that_are_promised(city):
    report = toy.screened(city, FREE, Point(10, 10), LineString([(0, 0), (5, 0)]))
    assert [c for c in report.findings.columns if c != "geometry"] == [c.name for c in FINDING_COLUMNS]
    assert list(report.verdicts.columns) == [c.name for c in VERDICT_COLUMNS]
    for column in FINDING_COLUMNS:
        if column.dtype == "float":
            assert report.findings[column.name].dtype == np.float64
    sizes = report.verdicts[["site_area_m2", "site_length_m"]].round(3).to_numpy()
    assert np.array_equal(sizes, [[10_000, np.nan], [np.nan, np.nan], [np.nan, 5]], equal_nan=True)
    # Every site has an answer to every rule; the two that are not meant for it are counted.
    assert report.findings.groupby("site_id")["rule"].nunique().tolist() == [5, 5, 5]
    assert report.verdicts["not_applicable"].tolist() == [2, 2, 2]
