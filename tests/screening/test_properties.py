"""What must hold for any site, any limit and any order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
import toy
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, Polygon, box

import lzgis as lz
from lzgis.city.catalogue import open_catalogue
from lzgis.coordinates.plane import Plane
from lzgis.geometry import FeatureIndex, outside_parts, overlaps
from lzgis.rules.for_sites import KINDS, Check
from lzgis.rules.for_sites.plane import PlaneLayer, PlaneSites

often = settings(max_examples=60, deadline=None, derandomize=True)
seldom = settings(max_examples=12, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return open_catalogue(toy.city(tmp_path_factory.mktemp("toy") / "city"))


@pytest.fixture(scope="module")
def layers(city):
    """The layers of the toy city in the plane, to check rules without a file."""
    read = {name: city.load(name).layer for name in city.layers}
    return {
        name: PlaneLayer(name, one.spec, one.frame, FeatureIndex(city.plane.project(one.frame.geometry.to_numpy())))
        for name, one in read.items()
    }


@st.composite
def stars(draw, reach=4000.0):
    """Draw a polygon of 3 to 12 corners: valid, often crooked, of any size from a hut to a forest."""
    n = draw(st.integers(3, 12))
    x, y = draw(st.floats(-reach, reach)), draw(st.floats(-reach, reach))
    size = draw(st.sampled_from([5.0, 60.0, 500.0, 2500.0]))
    radii = draw(st.lists(st.floats(0.2, 1.0), min_size=n, max_size=n))
    turn = draw(st.floats(0, 2 * np.pi))
    angles = turn + np.arange(n) * 2 * np.pi / n
    return Polygon(np.c_[x + size * np.array(radii) * np.cos(angles), y + size * np.array(radii) * np.sin(angles)])


@st.composite
def sites(draw):
    """Draw a polygon, a line or a point."""
    # On the grid that the layers are drawn on, sites often touch them or run along their borders.
    on_grid = st.builds(
        lambda x, y, w, h: box(10 * x, 10 * y, 10 * (x + w), 10 * (y + h)),
        *(st.integers(-420, 420), st.integers(-420, 420), st.integers(1, 60), st.integers(1, 60)),
    )
    shape = draw(st.one_of(stars(), on_grid))
    kind = draw(st.sampled_from(["polygon", "polygon", "line", "point"]))
    if kind == "polygon":
        return shape
    return LineString(shape.exterior.coords[:-1]) if kind == "line" else Point(shape.exterior.coords[0])


def check(rule, shapes, layers):
    everyone = np.ones(len(shapes), dtype=bool)
    found = KINDS[rule.kind].check(rule, Check(PlaneSites(np.array(shapes, dtype=object)), layers, 1.0, everyone))
    assert sorted(set(found.site.tolist())) == list(range(len(shapes)))
    return found


@often
@given(stars(), st.lists(stars(), min_size=1, max_size=4))
def test_inside_and_outside_make_up_the_whole(site, features):
    whole = shapely.union_all(features)
    parts = shapely.get_parts(whole)  # disjoint, so that their overlaps may be summed
    inside = overlaps(np.array([site], dtype=object), FeatureIndex(parts), resolution=1e-3).area.sum()
    outside = shapely.area(outside_parts(np.array([site], dtype=object), FeatureIndex(parts), resolution=1e-3))[0]
    assert inside + outside == pytest.approx(site.area, rel=1e-9, abs=1e-6)


@often
@given(st.lists(stars(), min_size=1, max_size=5))
def test_the_town_holds_what_does_not_lie_outside_it(city, layers, shapes):
    rule = city.book.rule("town")
    found = check(rule, shapes, layers)
    town = box(-4000, -1000, -2000, 1000)
    for i, shape in enumerate(shapes):
        outside = np.nansum(found.area_m2[found.site == i])
        # What is thinner than a millimetre is touching, so up to a square metre a kilometre may be left out.
        assert outside + shape.intersection(town).area == pytest.approx(shape.area, rel=1e-6, abs=5)


@often
@given(st.lists(sites(), min_size=1, max_size=6), st.floats(1, 300), st.floats(1, 300))
def test_a_wider_limit_finds_no_less_and_no_milder(city, layers, shapes, one, other):
    for name in ("road", "river", "quarry"):
        rule = city.book.rule(name)
        small, large = (check(rule.model_copy(update={"distance_m": d}), shapes, layers) for d in sorted((one, other)))
        for i in range(len(shapes)):
            before, after = small.site == i, large.site == i
            if (small.state[before] == "涉及").any():
                assert (large.state[after] == "涉及").any()
            assert np.nanmax(large.margin[after]) >= np.nanmax(small.margin[before]) - 1e-9
            certain = [(hits.band[which] == "certain").sum() for hits, which in ((small, before), (large, after))]
            assert certain[1] >= certain[0]
            areas = [np.nansum(hits.area_m2[which]) for hits, which in ((small, before), (large, after))]
            assert areas[1] >= areas[0] - 1e-6


@often
@given(st.lists(sites(), min_size=2, max_size=6))
def test_the_answer_for_a_site_is_the_same_alone_and_in_company(city, layers, shapes):
    for rule in city.book.rules:
        if rule.layer not in layers:
            continue
        together = check(rule, shapes, layers)
        for i, shape in enumerate(shapes):
            alone = check(rule, [shape], layers)
            which = np.flatnonzero(together.site == i)
            assert alone.state.tolist() == together.state[which].tolist()
            assert alone.feature.tolist() == together.feature[which].tolist()
            for name in ("area_m2", "length_m", "distance_m", "margin"):
                assert np.allclose(
                    getattr(alone, name), getattr(together, name)[which], rtol=1e-9, atol=1e-9, equal_nan=True
                )


@often
@given(stars(reach=1500), st.floats(-900, 1900), st.floats(0, np.pi))
def test_a_layer_cut_in_two_covers_as_much(site, x, turn):
    whole = Polygon(box(0, 0, 1000, 1000).exterior.coords, [box(400, 400, 500, 500).exterior.coords])
    knife = LineString(
        [
            (x - 9e3 * np.cos(turn), 500 - 9e3 * np.sin(turn)),
            (x + 9e3 * np.cos(turn), 500 + 9e3 * np.sin(turn)),
        ]
    )
    pieces = shapely.get_parts(shapely.ops.split(whole, knife))
    one = overlaps(np.array([site], dtype=object), FeatureIndex(np.array([whole], dtype=object)))
    two = overlaps(np.array([site], dtype=object), FeatureIndex(pieces))
    assert two.area.sum() == pytest.approx(one.area.sum(), rel=1e-9, abs=1e-6)


@seldom
@given(st.lists(sites(), min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(city, shapes, random):
    frame = toy.sites(*shapes)
    order = list(range(len(shapes)))
    random.shuffle(order)
    straight = lz.screen(frame, city, as_of=toy.AS_OF)
    shuffled = lz.screen(frame.iloc[order], city, as_of=toy.AS_OF)
    assert shuffled.verdicts["site_id"].tolist() == [f"s{i + 1}" for i in order]
    rows = [
        r.findings.drop(columns="geometry").sort_values("site_id", kind="stable").reset_index(drop=True)
        for r in (straight, shuffled)
    ]
    pd.testing.assert_frame_equal(*rows, check_exact=False, rtol=1e-9, atol=1e-9)
    verdicts = [
        r.verdicts.set_index("site_id").sort_index()[["verdict", "ladder", "prohibited"]] for r in (straight, shuffled)
    ]
    assert verdicts[0].equals(verdicts[1])


@seldom
@given(sites())
def test_every_rule_has_an_answer_and_every_answer_its_proof(city, shape):
    report = toy.screened(city, shape)
    found = report.findings
    # Rules not meant for the site have a finding only where it lies in their layer, or near.
    without = toy.verdict(report)["not_applicable"]
    assert set(found["rule"]) <= {r.id for r in city.book.rules}
    assert found["rule"].nunique() + without == len(city.book.rules)
    assert set(found["state"]) <= {"涉及", "不涉及", "疑似边界误差", "未核查", "不适用"}
    assert (found.loc[found["state"].isin(["未核查", "不适用"]), "reason"] != "").all()
    assert (found.loc[found["state"] == "涉及", "feature_id"] != "").all()
    clear = found[(found["state"] == "不涉及") & (found["reason"] == "")]
    assert clear["distance_m"].notna().all()
    assert (found["share"].dropna() <= 1).all()
    assert (found["area_m2"].dropna() <= found["area_m2"].dropna() + 1e-9).all()
    assert (found["margin"][(found["state"] == "涉及") & (found["kind"] != "keep_away")].dropna() > 0).all()


PLACES = {"zone 37": Plane(111.3, 24.7), "zone 38": Plane(113.75, 25.15), "far north": Plane(112.5, 40.0)}
SHAPES = [box(-50, 100, 50, 200), box(0, -1979, 100, -1879), Point(10, 10), LineString([(-30, 30), (70, 31)])]


@pytest.mark.parametrize("place", PLACES)
def test_the_whole_city_elsewhere_gives_the_same_figures(city, tmp_path, place):
    plane = PLACES[place]
    folder = toy.city(tmp_path / "city", plane)
    here = lz.screen(toy.sites(*SHAPES), city, as_of=toy.AS_OF)
    there = lz.screen(toy.sites(*SHAPES, plane=plane), folder, as_of=toy.AS_OF)
    assert there.provenance.plane.endswith(f"{plane.lon_deg:g} {plane.lat_deg:g}")
    assert there.findings["state"].tolist() == here.findings["state"].tolist()
    for name in ("area_m2", "length_m", "distance_m", "margin"):
        assert np.allclose(there.findings[name], here.findings[name], rtol=1e-7, atol=1e-6, equal_nan=True)
