"""``keep_away`` on the toy city: 20 m from roads and waters, 100 m for quarries."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import toy
from shapely import LineString, Point, Polygon, box

from lzgis.city.catalogue import open_catalogue
from lzgis.city.reference import reference_city
from lzgis.errors import ConfigError
from lzgis.geometry.corridor import ARC_SEGMENTS, Cases, encroached_by_group

CLEAR, INVOLVED, NOT_CHECKED = "不涉及", "涉及", "未核查"


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return open_catalogue(toy.city(tmp_path_factory.mktemp("toy") / "city"))


def north_of(y: float, distance: float, x: float = 0) -> Polygon:
    """Draw a site of 100 m by 100 m whose south side lies `distance` north of `y`."""
    return box(x, y + distance, x + 100, y + distance + 100)


def test_a_known_half_width_gives_one_certain_answer(city):
    # G1 has its centreline at -2000 and its edge 6 m to the north: 15 m from that are 5 m too near.
    row = toy.row(toy.screened(city, north_of(-1994, 15)), "road")
    assert (row["state"], row["severity"], row["band"]) == (INVOLVED, "prohibited", "certain")
    assert (row["baseline"], row["half_width_m"], row["feature_id"]) == (
        "centreline-with-half-width",
        6,
        "roads-1",
    )
    assert row["distance_m"] == pytest.approx(15, abs=1e-3)
    assert row["margin"] == pytest.approx(5, abs=1e-3)
    assert row["required_m"] == 20
    assert row["area_m2"] == pytest.approx(500, abs=0.1)
    assert row["share"] == pytest.approx(0.05, abs=1e-5)
    assert np.isnan(row["area_possible_m2"])
    assert np.isnan(row["required_possible_m"])


@pytest.mark.parametrize(("distance", "state"), [(20, CLEAR), (19.99, INVOLVED), (20.01, CLEAR), (0, INVOLVED)])
def test_exactly_the_required_distance_is_fine(city, distance, state):
    row = toy.row(toy.screened(city, north_of(-1994, distance)), "road")
    assert row["state"] == state
    assert row["distance_m"] == pytest.approx(distance, abs=1e-3)
    assert row["margin"] == pytest.approx(20 - distance, abs=1e-3)


@pytest.mark.parametrize(
    ("distance", "state", "band", "severity", "area", "possible"),
    [
        (15, INVOLVED, "certain", "prohibited", 500, 1400),  # 20 - 15 and 29 - 15 m of 100 m width
        (25, INVOLVED, "possible", "conditional", 0, 400),
        (29, CLEAR, "", "prohibited", np.nan, np.nan),
    ],
)
def test_an_unknown_half_width_gives_a_band(city, distance, state, band, severity, area, possible):
    # G2 is of the second class, for which the rule assumes 9 m.
    row = toy.row(toy.screened(city, north_of(-3000, distance)), "road")
    assert (row["state"], row["band"], row["severity"]) == (state, band, severity)
    assert (row["baseline"], row["half_width_m"], row["required_possible_m"]) == ("centreline", 9, 29)
    assert row["distance_m"] == pytest.approx(distance, abs=1e-3)
    assert row["area_m2"] == pytest.approx(area, abs=0.1, nan_ok=True)
    assert row["area_possible_m2"] == pytest.approx(possible, abs=0.2, nan_ok=True)


def test_a_possible_finding_draws_what_is_possibly_encroached(city):
    report = toy.screened(city, north_of(-3000, 25))
    drawn = toy.PLANE.project([report.findings.loc[toy.row(report, "road").name].geometry])[0]
    assert drawn.symmetric_difference(box(0, -2975, 100, -2971)).area < 0.2


def test_a_delimited_zone_is_itself_the_limit(city):
    report = toy.screened(city, north_of(-3985, -5, -500), north_of(-3985, 0, -500), north_of(-3985, 7, -500))
    inside, touching, distant = (toy.row(report, "road", s) for s in ("s1", "s2", "s3"))
    assert (inside["state"], inside["layer"], inside["baseline"]) == (INVOLVED, "zones", "delimited-zone")
    assert inside["area_m2"] == pytest.approx(500, abs=1e-3)
    assert (inside["required_m"], inside["distance_m"], inside["band"]) == (0, 0, "certain")
    assert (touching["state"], touching["distance_m"]) == (CLEAR, pytest.approx(0, abs=1e-6))
    assert distant["distance_m"] == pytest.approx(7, abs=1e-3)


def test_lines_and_points_at_the_edge_of_a_zone_do_not_enter_it(city):
    along = LineString([(-900, -3985), (-555.5, -3985), (-100, -3985)])
    report = toy.screened(city, along, Point(-321, -3985), Point(-321, -3986), LineString([(-50, -3950), (-50, -3990)]))
    states = [toy.row(report, "road", f"s{i}")["state"] for i in (1, 2, 3, 4)]
    assert states == [CLEAR, CLEAR, INVOLVED, INVOLVED]
    assert toy.row(report, "road", "s4")["length_m"] == pytest.approx(5, abs=1e-3)


def test_a_distance_may_be_kept_from_the_zone_as_well(tmp_path):
    folder = toy.city(tmp_path / "city")
    toy.changed(
        folder,
        "rules.toml",
        (
            "zone_distance_m = 0",
            "zone_distance_m = 50",
        ),
    )
    row = toy.row(toy.screened(folder, north_of(-3985, 30, -500)), "road")
    assert (row["state"], row["required_m"]) == (INVOLVED, 50)
    assert row["margin"] == pytest.approx(20, abs=1e-3)
    assert row["area_m2"] == pytest.approx(2_000, abs=0.1)


def test_where_the_better_baseline_ends_the_lesser_takes_over(city):
    # West of x = 0 the zone's edge is 5 m away, which is fine; east of it the centreline 20, with 5 assumed.
    row = toy.row(toy.screened(city, box(-100, -3980, 100, -3880)), "road")
    assert (row["state"], row["layer"], row["band"], row["severity"]) == (
        INVOLVED,
        "roads",
        "possible",
        "conditional",
    )
    assert row["half_width_m"] == 5
    # A strip of 5 m by 100 m, and half the segment of a circle of 25 m cut at 20 m from its middle.
    segment = 25**2 * np.arccos(20 / 25) - 20 * np.sqrt(25**2 - 20**2)
    assert row["area_possible_m2"] == pytest.approx(500 + segment / 2, rel=1e-3)


def test_water_polygon_before_centreline(city):
    report = toy.screened(city, north_of(3040, 10, -200), north_of(3020, 15, 200), north_of(3020, 25, 200))
    polygon, certain, possible = (toy.row(report, "river", s) for s in ("s1", "s2", "s3"))
    assert (polygon["baseline"], polygon["layer"], polygon["band"]) == ("water-polygon", "rivers", "certain")
    assert polygon["margin"] == pytest.approx(10, abs=1e-3)
    assert polygon["area_m2"] == pytest.approx(1_000, abs=0.1)
    assert (certain["baseline"], certain["band"]) == ("centreline", "certain")
    assert (possible["band"], possible["severity"]) == ("possible", "conditional")


def test_the_order_of_baselines_is_that_of_the_rule(tmp_path):
    folder = toy.city(tmp_path / "city")
    # Management range 60 m on both sides of the same river, for x between -3000 and -1000.
    toy.write(folder / "managed.gpkg", [box(-3000, 2960, -1000, 3080)], river=["R1"])
    layer = '[layer.managed]\ntitle = "管理范围"\nsource = "managed.gpkg"\ngroup = "river"\n'
    layer += 'baseline = "management-range"\n'
    toy.changed(folder, "catalog.toml", ("[layer.rivers]", layer + "[layer.rivers]"))
    toy.changed(
        folder,
        "rules.toml",
        ('baselines = ["rivers"', 'baselines = ["managed", "rivers"'),
        ("[document.law]", 'managed = "管理范围"\n[document.law]'),
    )
    report = toy.screened(folder, north_of(3080, 5, -2000), north_of(3040, 5, -500), north_of(3020, 5, 500))
    found = [toy.row(report, "river", s) for s in ("s1", "s2", "s3")]
    assert [r["baseline"] for r in found] == ["management-range", "water-polygon", "centreline"]
    assert [r["distance_m"] for r in found] == pytest.approx([5, 5, 5], abs=1e-3)
    # In the management range itself the distance is 0 and the margin the whole of what is demanded.
    inside = toy.row(toy.screened(folder, toy.square(-2000, 2970, 10)), "river")
    assert (inside["distance_m"], inside["margin"]) == (0, 20)


@pytest.mark.parametrize(("baseline", "assumed"), [("road-land-edge", None), ("roadbed-edge", 3)])
def test_edges_of_road_land_and_of_the_roadbed(tmp_path, baseline, assumed):
    folder = toy.city(tmp_path / "city")
    toy.write(folder / "zones.gpkg", [box(-6000, -4012, 6000, -3988)], road=["G3"])
    toy.changed(folder, "catalog.toml", ('"delimited-zone"', f'"{baseline}"'))
    toy.changed(folder, "rules.toml", ('"二级" = 9,', '"二级" = 9, "roadbed-edge" = 3,'))
    report = toy.screened(folder, north_of(-3988, 19), north_of(-3988, 22))
    near, farther = toy.row(report, "road"), toy.row(report, "road", "s2")
    assert (near["baseline"], near["band"], near["layer"]) == (baseline, "certain", "zones")
    assert near["distance_m"] == pytest.approx(19, abs=1e-3)
    assert near["area_m2"] == pytest.approx(100, abs=0.1)
    # Road land is where the law measures from; from the roadbed the land beyond it is assumed, 3 m here.
    assert farther["state"] == (CLEAR if assumed is None else INVOLVED)
    assert farther["band"] == ("" if assumed is None else "possible")


def _dual(folder, roads):
    lines = [LineString([(-6000, y), (6000, y)]) for y in (-2000, -2012)]
    columns = {"class": ["国道"] * 2, "technical_class": ["高速"] * 2, "half_width_m": [6.0, 6.0]}
    toy.write(folder / "roads.gpkg", lines, road=roads, **columns)
    return folder


def test_dual_carriageways_of_one_road_are_one_finding_with_the_area_of_both(tmp_path):
    folder = _dual(toy.city(tmp_path / "city"), ["G9", "G9"])
    row = toy.row(toy.screened(folder, box(0, -2050, 100, -1950)), "road")
    # 26 m on each side of both lines: from -2038 to -1974, counted once; twice 52 m would be 10400.
    assert row["area_m2"] == pytest.approx(64 * 100, abs=1)


def test_a_line_near_both_carriageways_counts_once(tmp_path):
    folder = _dual(toy.city(tmp_path / "city"), ["G9", "G9"])
    # From -2060 to -1950 over 41.7 m: vertices of its parts within either corridor are rounded differently.
    site = LineString([(10.3, -2060), (52.0, -1950)])
    row = toy.row(toy.screened(folder, site), "road")
    # 64 m of its 110 m of northing lie within 26 m of a line.
    assert row["length_m"] == pytest.approx(site.length * 64 / 110, abs=1e-3)


def test_two_roads_are_two_findings(tmp_path):
    folder = _dual(toy.city(tmp_path / "city"), ["G9", "G10"])
    rows = toy.rows(toy.screened(folder, box(0, -2050, 100, -1950)), "road")
    assert rows["feature_id"].tolist() == ["roads-2", "roads-1"] or rows["feature_id"].tolist() == [
        "roads-1",
        "roads-2",
    ]
    assert rows["area_m2"].tolist() == pytest.approx([5_200, 5_200], abs=1)


def test_a_feature_outside_the_city_but_within_reach_counts(tmp_path):
    folder = toy.city(tmp_path / "city")
    lines = [LineString([(-6000, -5012), (6000, -5012)])]
    toy.write(
        folder / "roads.gpkg",
        lines,
        road=["G1"],
        half_width_m=[6.0],
        **{"class": ["国道"], "technical_class": ["二级"]},
    )
    report = toy.screened(folder, north_of(-5000, 9))
    row = toy.row(report, "road")
    # 9 m to the border of the city and 12 beyond it, less the half-width of 6.
    assert (row["state"], row["band"]) == (INVOLVED, "certain")
    assert row["distance_m"] == pytest.approx(15, abs=1e-3)


@pytest.mark.parametrize(("radius", "state"), [(25.995, INVOLVED), (26.005, CLEAR)])
def test_round_an_end_the_distance_is_exact_in_every_direction(tmp_path, radius, state):
    # A buffer of few segments would cut the corners off: with 16 a quarter, by 3 cm at this radius.
    folder = toy.city(tmp_path / "city")
    columns = {"class": ["国道"], "technical_class": ["二级"], "half_width_m": [6.0]}
    toy.write(folder / "roads.gpkg", [LineString([(0, -2000), (1000, -2000)])], road=["G1"], **columns)
    toy.write(folder / "zones.gpkg", [box(4000, -4400, 4100, -4300)], road=["G3"])
    angles = np.radians(np.arange(91, 270, 1.7))
    points = [Point(radius * np.cos(a), -2000 + radius * np.sin(a)) for a in angles]
    report = toy.screened(folder, *points)
    assert set(report.findings.loc[report.findings["rule"] == "road", "state"]) == {state}


def test_lines_give_the_encroached_length(city):
    crossing, beside = LineString([(0, -2100), (0, -1900)]), LineString([(0, -1979), (200, -1979)])
    report = toy.screened(city, crossing, beside)
    row = toy.row(report, "road")
    assert row["length_m"] == pytest.approx(52, abs=1e-2)
    assert row["distance_m"] == 0
    assert row["margin"] == pytest.approx(26, abs=1e-3)
    assert toy.row(report, "road", "s2")["length_m"] == pytest.approx(200, abs=1e-2)


def test_points_have_a_distance_and_a_margin_and_no_size(city):
    row = toy.row(toy.screened(city, Point(0, -1979)), "road")
    assert (row["state"], round(row["distance_m"], 3), round(row["margin"], 3)) == (INVOLVED, 15, 5)
    assert row[["area_m2", "length_m", "share"]].isna().all()


def test_the_nearest_object_of_a_clear_site_is_the_one_whose_edge_is_nearest(tmp_path):
    folder = toy.city(tmp_path / "city")
    lines = [LineString([(-4000, y), (4000, y)]) for y in (-2000, -2230)]
    columns = {"class": ["国道"] * 2, "technical_class": ["二级"] * 2, "half_width_m": [1.0, 30.0]}
    toy.write(folder / "roads.gpkg", lines, road=["G1", "G2"], **columns)
    # 100 m from the first centreline and 120 from the second, but 99 from the one edge and 90 from the other.
    row = toy.row(toy.screened(folder, box(0, -2110, 100, -2100)), "road")
    assert (row["state"], row["feature_id"]) == (CLEAR, "roads-2")
    assert row["distance_m"] == pytest.approx(90, abs=1e-2)


def test_without_the_layer_of_all_objects_a_better_baseline_proves_no_absence(tmp_path):
    folder = toy.city(tmp_path / "city")
    (folder / "roads.gpkg").unlink()
    toy.write(folder / "zones.gpkg", [box(-6000, -4015, 0, -3985)], road=["G3"], **{"class": ["国道"]})
    report = toy.screened(folder, north_of(-3985, -5, -500), north_of(-1994, 15))
    assert toy.row(report, "road")["state"] == INVOLVED
    row = toy.row(report, "road", "s2")
    assert (row["state"], row["reason"]) == (NOT_CHECKED, "layer-missing")


@pytest.mark.parametrize("zones_have_it", [True, False])
def test_without_the_field_that_a_rule_needs_nothing_is_proved(tmp_path, zones_have_it):
    folder = toy.city(tmp_path / "city")
    toy.write(folder / "roads.gpkg", [LineString([(-4000, -2000), (4000, -2000)])], road=["G1"])
    if zones_have_it:
        toy.write(folder / "zones.gpkg", [box(-6000, -4015, 0, -3985)], road=["G3"], **{"class": ["国道"]})
    report = toy.screened(folder, north_of(-3985, -5, -500), north_of(-1994, 15))
    assert toy.row(report, "road")["state"] == (INVOLVED if zones_have_it else NOT_CHECKED)
    row = toy.row(report, "road", "s2")
    assert (row["state"], row["reason"]) == (NOT_CHECKED, "field-missing")
    assert any("has no field 'class', which rules need" in str(p) for p in report.problems)


def test_without_the_better_baseline_the_lesser_is_used(tmp_path):
    folder = toy.city(tmp_path / "city")
    (folder / "zones.gpkg").unlink()
    row = toy.row(toy.screened(folder, north_of(-4000, 19, -500)), "road")
    assert (row["state"], row["baseline"], row["band"]) == (INVOLVED, "centreline", "certain")


def winding(vertices: int) -> LineString:
    """Draw a river that winds and comes back on itself."""
    turn = np.cumsum(np.random.default_rng(4).normal(0, 0.5, vertices))
    return LineString(np.cumsum(15 * np.c_[np.cos(turn), np.sin(turn)], axis=0))


@pytest.mark.parametrize("radius", [5.0, 20.0, 60.0])
def test_what_is_encroached_is_that_of_the_whole_baseline(radius):
    # Of a baseline with thousands of vertices only what lies along the site is widened.
    river = winding(3000)
    lake = river.buffer(8.0, quad_segs=2)
    middle = np.array(river.interpolate(0.5, normalized=True).coords[0])
    corridor = LineString([middle - 6000, middle + np.array([300, -40]), middle + np.array([6000, 5000])]).buffer(
        12, cap_style="flat"
    )
    sites = [
        corridor,
        shapely.transform(box(-250, -150, 250, 150), lambda at: at + middle),
        Point(middle).buffer(400) - Point(middle).buffer(200),
        LineString([middle - 500, middle + np.array([900, 300])]),
        Point(middle + 3.0),
    ]
    for baseline in (river, lake):
        n = len(sites)
        one_each = Cases(np.arange(n), np.arange(n + 1), np.zeros(n, dtype=int), np.full(n, radius))
        found = encroached_by_group(np.array(sites), np.array([baseline]), one_each)
        around = shapely.buffer(baseline, radius, quad_segs=ARC_SEGMENTS)
        for part, site in zip(found, sites, strict=True):
            whole = shapely.intersection(site, around)
            assert part.area == pytest.approx(whole.area, rel=1e-6, abs=1e-6)
            assert part.length == pytest.approx(whole.length, rel=1e-6, abs=1e-6)
            assert shapely.symmetric_difference(part, whole).area <= 1e-6 * max(whole.area, 1.0)


def _reserve(tmp_path, baseline, more=""):
    """The toy city with a rule that demands 500 m from the redline, whose layer has the given baseline."""
    folder = toy.city(tmp_path / "city")
    toy.changed(
        folder, "catalog.toml", ('source = "redline.gpkg"', f'source = "redline.gpkg"\nbaseline = "{baseline}"')
    )
    rule = """
[rule.reserve]
kind = "keep_away"
layer = "redline"
distance_m = 500
title = "保护地外围"
severity = "prohibited"
strength = "law"
basis = [{ document = "law" }]
effective_from = 2020-01-01
"""
    (folder / "rules.toml").write_text((folder / "rules.toml").read_text("utf-8") + rule + more, "utf-8")
    return folder


def test_the_edge_of_an_area_is_a_baseline(tmp_path):
    # The redline is the square 0 to 1000 with a hole; the sites lie 200 m, 500 m and 501 m west of it, and in the hole.
    sites = [toy.square(-220, 300, 20), toy.square(-520, 300, 20), toy.square(-521, 300, 20), toy.square(445, 445, 10)]
    report = toy.screened(_reserve(tmp_path, "edge"), *sites)
    near, at, beyond, hole = (toy.row(report, "reserve", s) for s in ("s1", "s2", "s3", "s4"))
    assert (near["state"], near["baseline"], near["required_m"], near["band"]) == (INVOLVED, "edge", 500, "certain")
    assert near["distance_m"] == pytest.approx(200, abs=1e-3)
    assert near["area_m2"] == pytest.approx(400, abs=0.1)
    assert near["margin"] == pytest.approx(300, abs=1e-3)
    assert [at["state"], beyond["state"]] == [CLEAR, CLEAR]
    assert hole["state"] == INVOLVED and hole["distance_m"] == pytest.approx(45, abs=1e-3)
    assert toy.verdict(report)["verdict"] == "存在禁止性冲突"


def test_a_distance_that_would_not_be_used_is_refused(tmp_path):
    sites = toy.square(-220, 300, 20)
    with pytest.raises(ConfigError, match=r"rule 'reserve': layer 'redline' is a delimited zone.*add zone_distance_m"):
        toy.screened(_reserve(tmp_path / "1", "delimited-zone"), sites)
    folder = _reserve(tmp_path / "2", "delimited-zone")
    toy.changed(folder, "rules.toml", ("distance_m = 500", "distance_m = 500\nzone_distance_m = 0"))
    with pytest.raises(ConfigError, match="rule 'reserve': distance_m = 500 is never used"):
        toy.screened(folder, sites)
    toy.changed(
        folder, "rules.toml", ("distance_m = 500\nzone_distance_m = 0", "distance_m = 500\nzone_distance_m = 500")
    )
    assert toy.row(toy.screened(folder, sites), "reserve")["state"] == INVOLVED


def test_an_edge_is_that_of_an_area(tmp_path):
    folder = toy.city(tmp_path / "city")
    roads = 'source = "roads.gpkg"\ngeometry = "line"\n'
    toy.changed(folder, "catalog.toml", (f'{roads}baseline = "centreline"', f'{roads}baseline = "edge"'))
    with pytest.raises(ConfigError, match="layer 'roads': baseline = \"edge\" is that of an area"):
        toy.screened(folder, toy.square(0, 0))


def test_no_shipped_rule_leaves_the_distance_from_a_zone_open():
    book = open_catalogue(reference_city()).book
    rules = [rule for rule in book.rules if rule.kind == "keep_away" and "road_control_zones" in rule.layers]
    assert len(rules) >= 10
    assert all(rule.zone_distance_m is not None for rule in rules)
