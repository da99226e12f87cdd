"""The compiled loops and shapely give the same rows, and sites together the same as in parts, to the last byte."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
import toy
from geometry import shapely_oracle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPoint, MultiPolygon, Point, Polygon, box

import lzgis as lz
from lzgis.city.catalogue import open_catalogue
from lzgis.coordinates.plane import Plane
from lzgis.geometry import FeatureIndex, SiteShapes, doubled_near, overlapping, sites_to_layer
from lzgis.model.report import STATES_BY_GRAVITY
from lzgis.screening.findings import graded_states

WAYS = ("loops", "shapely")
#: Touching, running along a border, thin, in two features, around one, outside, on corners, in a hole of nothing.
AWKWARD = [
    box(-50, 100, 50, 200),
    box(-100, 0, 0, 100),
    box(-100, 0, 0.0005, 100),
    box(-100, 0, 0.5, 100),
    box(-20, -20, 1020, 1020),
    box(950, 200, 1050, 300),
    box(0, 0, 1000, 1000),
    box(-4000, -1000, -2000, 1000),
    box(-2050, -50, -1950, 50),
    box(0, -1979, 100, -1879),
    box(0, -1980, 100, -1879),
    box(0, 3030, 100, 3100),
    box(-6000, 2990, 100, 2995),
    box(90_000, 90_000, 90_100, 90_100),
    box(-50, 4000, 50, 4100),
    Polygon([(0, 0), (1000, 0.4), (1000, 0)]),
    Polygon(box(-300, -300, 1300, 1300).exterior.coords, [box(-100, -100, 1100, 1100).exterior.coords]),
    MultiPolygon([box(10, 10, 20, 20), box(-3000, 0, -2990, 10)]),
    LineString([(-30, 30), (70, 30)]),
    LineString([(0, -50), (0, 1050)]),
    LineString([(-6000, -2000), (6000, -2000)]),
    LineString([(-3000, 0), (-1000, 0)]),
    Point(10, 10),
    Point(0, 500),
    Point(0, 0),
    Point(-2500, -2500),
    MultiPoint([(10, 10), (-10, 10)]),
]


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return open_catalogue(toy.city(tmp_path_factory.mktemp("toy") / "city"))


def screened(way, frame, city):
    with pytest.MonkeyPatch.context() as patch:
        if way == "shapely":
            shapely_oracle.use(patch)
        report = lz.screen(frame, city, as_of=toy.AS_OF)
        # Made when it is first used.
        assert report.breakdown is report.breakdown
        return report


def same(one, other):
    """Compare two reports.

    Buffers of GEOS simplify lines before they are drawn: areas near lines 1000 m away differ by up to 2e-5, or 0.02 m².
    """
    measured = one.findings.drop(columns="geometry"), other.findings.drop(columns="geometry")
    pd.testing.assert_frame_equal(*measured, rtol=2e-5, atol=2e-2)
    parts = [report.findings.geometry.to_numpy() for report in (one, other)]
    # 1e-8 degrees are a millimetre: the arcs of parts are drawn with equally many segments.
    assert (shapely.is_empty(parts[0]) == shapely.is_empty(parts[1])).all()
    assert shapely.equals_exact(*map(shapely.normalize, parts), 1e-8).all() or (
        shapely.hausdorff_distance(*parts)[~shapely.is_missing(parts[0]) & ~shapely.is_empty(parts[0])].max() < 1e-8
    )
    for name in ("verdicts", "unit_lists", "breakdown"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), rtol=2e-5, atol=2e-2)


@pytest.mark.parametrize(
    "place", [Plane(112.5, 25.0), Plane(111.3, 24.7), Plane(113.75, 25.15)], ids=["both", "37", "38"]
)
def test_awkward_sites_get_the_same_rows_either_way(place, tmp_path):
    folder = open_catalogue(toy.city(tmp_path / "city", place))
    activity = ["住宅", "供水", "采石"]
    frame = toy.sites(*AWKWARD, activity=[activity[i % 3] for i in range(len(AWKWARD))], plane=place)
    one, other = (screened(way, frame, folder) for way in WAYS)
    same(one, other)
    touching = one.findings[(one.findings["site_id"] == "s2") & (one.findings["rule"] == "redline")]
    assert (touching["state"].tolist(), touching["distance_m"].tolist()) == (["不涉及"], [0.0])


def test_the_reference_city_gives_the_same_rows_either_way():
    city = open_catalogue(lz.reference_city())
    plan = lz.read_sites(lz.reference_city() / "sites.gpkg").frame
    shapes = plan.geometry.to_numpy()
    random = np.random.default_rng(4)
    moved = [
        shapely.transform(shape, lambda xy, by=by: xy + by)
        for shape, by in zip(shapes, random.uniform(-0.1, 0.1, (len(shapes), 2)), strict=True)
    ]
    lines, points = shapely.boundary(shapes), shapely.centroid(shapes)
    # Sites that are features themselves, or lie between two, touch them everywhere.
    redline = city.load("redline").layer.frame.geometry.to_numpy()
    units = city.load("control_units").layer.frame.geometry.to_numpy()
    whole = [
        *redline[:3],
        *shapely.buffer(redline[3:6], 1e-7),
        shapely.difference(shapely.envelope(units[0]), units[0]),
    ]
    frame = pd.concat([plan.set_geometry(list(s)) for s in (shapes, moved, lines, points)], ignore_index=True)
    frame = pd.concat([frame, frame.iloc[: len(whole)].set_geometry(whole)], ignore_index=True)
    frame["id"] = [f"s{i}" for i in range(len(frame))]
    same(*(screened(way, frame, city) for way in WAYS))


ON_GRID = st.builds(
    lambda x, y, w, h: box(10 * x, 10 * y, 10 * (x + w), 10 * (y + h)),
    *(st.integers(-420, 420), st.integers(-420, 420), st.integers(1, 60), st.integers(1, 60)),
)
ANYWHERE = st.builds(
    lambda x, y, w, h, turn: shapely.affinity.rotate(box(x, y, x + w, y + h), turn),
    *(st.floats(-4200, 4200), st.floats(-4200, 4200), st.floats(1, 600), st.floats(1, 600), st.floats(0, 90)),
)
SITES = st.lists(
    st.one_of(
        ON_GRID, ANYWHERE, ANYWHERE.map(lambda shape: shape.exterior), ANYWHERE.map(lambda shape: shape.centroid)
    ),
    min_size=2,
    max_size=8,
)
seldom = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@seldom
@given(SITES, st.data())
def test_sites_in_parts_get_the_same_rows_as_together(city, shapes, data):
    frame = toy.sites(*shapes)
    whole = screened("loops", frame, city)
    part = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(shapes), max_size=len(shapes))))
    for one in np.unique(part):
        alone = screened("loops", frame[part == one].reset_index(drop=True), city)
        there = whole.findings["site_id"].isin(alone.sites["id"])
        expected = whole.findings[there].reset_index(drop=True)
        pd.testing.assert_frame_equal(
            alone.findings.drop(columns="geometry"), expected.drop(columns="geometry"), rtol=0, atol=0
        )
        assert (
            shapely.to_wkb(alone.findings.geometry.to_numpy()).tolist()
            == shapely.to_wkb(expected.geometry.to_numpy()).tolist()
        )
        for name in ("verdicts", "unit_lists"):
            table = getattr(whole, name)
            table = table[table["site_id"].isin(alone.sites["id"])].reset_index(drop=True)
            assert getattr(alone, name).astype(object).equals(table.astype(object))
        parts = [r.breakdown.drop(columns="finding").reset_index(drop=True) for r in (alone, whole)]
        here = parts[1][parts[1]["site_id"].isin(alone.sites["id"])].reset_index(drop=True)
        assert parts[0].astype(object).equals(here.astype(object))


@pytest.mark.parametrize("way", WAYS)
def test_states_sum_to_sites_times_rules(city, way):
    frame = toy.sites(*AWKWARD)
    report = screened(way, frame, city)
    site = pd.Index(report.sites["id"]).get_indexer(report.findings["site_id"])
    rule = pd.Index([r.id for r in report.book.rules]).get_indexer(report.findings["rule"])
    concerned = np.zeros((len(report.sites), len(report.book.rules)), dtype=bool)
    table = graded_states(site, rule, report.findings["state"], concerned)
    counts = {state: int((table == i).sum()) for i, state in enumerate(STATES_BY_GRAVITY)}
    without = report.verdicts["not_applicable"].sum()
    assert sum(counts.values()) + without == len(AWKWARD) * 7
    assert (table < 0).sum() == without
    assert min(counts.values()) > 0


def test_a_pair_without_an_answer_or_with_two_is_a_fault():
    site, rule, state = np.array([0, 0, 1]), np.array([0, 1, 0]), pd.Series(["涉及", "不涉及", "未核查"])
    with pytest.raises(lz.LzgisError, match="of 4 pairs of site and rule 1 have no answer and 0 have two that differ"):
        graded_states(site, rule, state, np.ones((2, 2), dtype=bool))
    site, rule, state = np.array([0, 0]), np.array([0, 0]), pd.Series(["涉及", "不涉及"])
    with pytest.raises(lz.LzgisError, match="0 have no answer and 1 have two that differ"):
        graded_states(site, rule, state, np.ones((1, 1), dtype=bool))


@pytest.mark.parametrize("origin", [(0.0, 0.0), (38_400_000.0, 2_767_000.0), (37_600_000.0, 2_767_000.0)])
def test_over_a_tiling_the_parts_sum_to_the_site(origin):
    random = np.random.default_rng(3)
    tiles = np.array(
        shapely.get_parts(
            shapely.voronoi_polygons(
                MultiPoint(random.uniform(0, 3000, (60, 2))), extend_to=box(-500, -500, 3500, 3500)
            )
        )
    )
    at = random.uniform(200, 2500, (40, 2))
    sites = np.array([shapely.affinity.rotate(box(x, y, x + 300, y + 200), x) for x, y in at], dtype=object)
    tiles, sites = (shapely.transform(shapes, lambda xy: xy + np.array(origin)) for shapes in (tiles, sites))
    found = overlapping(SiteShapes(sites), FeatureIndex(tiles), resolution=1e-3)
    sums = np.bincount(found.left, weights=found.area, minlength=len(sites))
    assert np.allclose(sums, shapely.area(sites), rtol=1e-9, atol=0)
    assert doubled_near(SiteShapes(sites), FeatureIndex(tiles)).max() < 5e-7
    assert doubled_near(SiteShapes(sites), FeatureIndex(np.append(tiles, sites[0])))[0] >= 60_000 - 1e-6


def answers_of(module, sites, layer, distance=500.0):
    """Take everything that a module finds of sites and a layer as lists."""
    shapes = SiteShapes(np.array(sites, dtype=object))
    near = module.nearest_rounded(shapes, FeatureIndex(layer))
    within = module.within_rounded(shapes, FeatureIndex(layer), distance)
    overlap = module.overlapping(shapes, FeatureIndex(layer))
    found = [near.right, near.distance, within.left, within.right, within.distance]
    found += [overlap.left, overlap.right, overlap.dimension]
    assert shapely.covers(layer[overlap.right], shapes.geometries[overlap.left])[
        overlap.whole & (overlap.dimension > 0)
    ].all()
    return [one.tolist() for one in found], np.concatenate([overlap.area, overlap.length])


def answer_alike(sites, layer):
    (found, sizes), (expected, expected_sizes) = (
        answers_of(one, sites, layer) for one in (sites_to_layer, shapely_oracle)
    )
    assert found == expected
    np.testing.assert_allclose(sizes, expected_sizes, rtol=1e-9, atol=1e-4)


@pytest.mark.parametrize("east", [0.0, 600_000.0, 38_400_000.0])
def test_distances_are_rounded_equally_for_every_origin_of_the_plane(east):
    random = np.random.default_rng(5)
    lines = np.array([LineString(random.uniform(0, 5000, (6, 2)) + np.array([east, 0])) for _ in range(12)])
    sites = [Point(xy).buffer(40, quad_segs=3) for xy in random.uniform(0, 5000, (300, 2)) + np.array([east, 0])]
    answer_alike(sites, lines)


@pytest.mark.parametrize("width", [3e5, 9e5, 1.1e6, 4e6, 2e7])
def test_sites_as_wide_as_continents_are_measured_in_larger_cells(width):
    random = np.random.default_rng(6)
    layer = np.array([Point(xy).buffer(300, quad_segs=4) for xy in random.uniform(-4e5, 4e5, (200, 2))])
    ring = Polygon(box(-width, -width, width, width).exterior.coords, [box(-2e5, -1e5, 3e5, 2e5).exterior.coords])
    sites = [ring, box(-width / 2, -5000, width / 2, 5000), box(0, 0, 900, 900), LineString([(-width, 0), (width, 9)])]
    answer_alike(sites, layer)


def test_sites_beyond_a_million_kilometres_are_refused():
    with pytest.raises(ValueError, match="a coordinate is larger than 1e\\+09 m"):
        SiteShapes(np.array([Point(2e9, 0)]))


@pytest.mark.parametrize("module", [sites_to_layer, shapely_oracle])
def test_of_features_as_near_the_first_is_named(module):
    index = FeatureIndex(np.array([Point(30, 0), Point(10, 0), Point(-10, 0), Point(10 - 1e-7, 5)]))
    found = module.nearest_rounded(SiteShapes(np.array([Point(0, 0), Point(0, 1e-9), Point(-2, 0)])), index)
    assert (found.right.tolist(), found.distance.tolist()) == ([1, 1, 2], [10.0, 10.0, 8.0])
    # A line known to be 3 m wide on each side is nearer than one without width a metre before it.
    less = np.array([0.0, 0.0, 3.0, 0.0])
    found = module.nearest_rounded(SiteShapes(np.array([Point(1, 0)])), index, less=less)
    assert (found.right.tolist(), found.distance.tolist()) == ([2], [11.0])


@pytest.mark.parametrize("module", [sites_to_layer, shapely_oracle])
@pytest.mark.parametrize("distance_m", [20.0, 20.0000004, 20.0000006, 19.9999994, 19.9999996, 20.0 - 5e-7, 20.0 + 5e-7])
def test_distances_are_compared_in_whole_micrometres(module, distance_m):
    index = FeatureIndex(np.array([LineString([(0, 0), (1000, 1)])]))
    middle, across = np.array([500.0, 0.5]), np.array([-1.0, 1000.0]) / np.hypot(1, 1000)
    sites = np.array([Point(middle + distance_m * across)])
    exact = shapely.distance(sites[0], index.geometries[0])
    steps = round(exact * 1e6) / 1e6
    assert module.nearest_rounded(SiteShapes(sites), index).distance.tolist() == [steps]
    assert module.within_rounded(SiteShapes(sites), index, 20.0).distance.tolist() == ([steps] if steps <= 20 else [])


def test_awkward_sites_and_features_against_the_oracle():
    layer = np.array([shape for shape in AWKWARD if shapely.get_dimensions(shape) == 2])
    answer_alike(AWKWARD, layer)
