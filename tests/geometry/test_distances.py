"""Distances by the kernel, held to shapely."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from geometry.geometry_shapes import AWKWARD, integer_polygons, jagged, star
from geometry.shapely_oracle import dwithin, nearest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, MultiPoint, Point, Polygon, box

from lzgis.geometry import (
    FeatureIndex,
    SiteShapes,
    nearest_rounded,
    within_rounded,
)


def array(*shapes):
    made = np.empty(len(shapes), dtype=object)
    made[:] = shapes
    return made


def shapes_of(sites, cell):
    shapes = SiteShapes(sites)
    vars(shapes)["cell"] = cell
    return shapes


def kernel(sites, layer, *, cell=4.0):
    return nearest_rounded(shapes_of(sites, cell), FeatureIndex(layer))


def assert_as_shapely(sites, layer, *, cell=256.0):
    found, expected = kernel(sites, layer, cell=cell), nearest(sites, FeatureIndex(layer))
    assert np.allclose(found.distance, np.round(expected.distance, 6), rtol=1e-15, atol=0, equal_nan=True)
    there = expected.right >= 0
    assert ((found.right >= 0) == there).all()
    again = shapely.distance(sites[there], layer[found.right[there]])
    assert np.allclose(again, expected.distance[there], rtol=0, atol=1e-6)
    assert (found.right[expected.distance == 0] == expected.right[expected.distance == 0]).all()


COORDINATE = st.tuples(st.integers(-20, 30), st.integers(-20, 30))
SHAPES = st.one_of(
    integer_polygons(),
    COORDINATE.map(Point),
    st.lists(COORDINATE, min_size=2, max_size=12, unique=True).map(LineString),
    st.lists(COORDINATE, min_size=1, max_size=4).map(MultiPoint),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(SHAPES, min_size=1, max_size=6), st.lists(SHAPES, min_size=1, max_size=6))
def test_any_shape_to_any_other(sites, layer):
    assert_as_shapely(array(*sites), array(*layer), cell=4.0)


@settings(max_examples=100, deadline=None)
@given(st.lists(SHAPES, min_size=1, max_size=6), st.lists(SHAPES, min_size=1, max_size=6), st.integers(0, 9))
def test_all_within_reach(sites, layer, reach):
    sites, layer = array(*sites), array(*layer)
    found = within_rounded(shapes_of(sites, 4.0), FeatureIndex(layer), float(reach))
    expected = dwithin(sites, FeatureIndex(layer), reach + 4e-7)
    assert (found.left.tolist(), found.right.tolist()) == (expected.left.tolist(), expected.right.tolist())
    assert np.allclose(found.distance, expected.distance, rtol=0, atol=5.1e-7)


@pytest.mark.parametrize("one", sorted(AWKWARD))
def test_awkward_shapes(one):
    layer = array(*[shapely.transform(s, lambda xy: xy + 11.0) for s in AWKWARD.values()])
    assert_as_shapely(array(AWKWARD[one]), layer, cell=4.0)
    assert_as_shapely(layer, array(AWKWARD[one]), cell=4.0)


@pytest.mark.parametrize("origin", [(0.0, 0.0), (4e7, 2.7e6), (-3e5, 4.4e6)])
def test_wherever_the_origin(origin):
    rng = np.random.default_rng(1)

    def somewhere(reach):
        return (origin[0] + rng.uniform(0, reach), origin[1] + rng.uniform(0, reach))

    layer = array(*[star(rng, somewhere(20_000), rng.uniform(50, 900), 80) for _ in range(60)])
    walks = [np.cumsum(rng.normal(0, 60, (400, 2)), axis=0) + somewhere(20_000) for _ in range(20)]
    sites = [star(rng, somewhere(25_000), rng.uniform(5, 400), 14) for _ in range(200)]
    sites += [Point(somewhere(25_000)) for _ in range(30)] + [LineString(w[:9]) for w in walks]
    assert_as_shapely(array(*sites), layer)
    assert_as_shapely(array(*sites), array(*[LineString(w) for w in walks]))


def test_inside_and_around_without_crossing():
    ring = box(0, 0, 3000, 3000).difference(box(500, 500, 2500, 2500))
    small = array(Point(1500, 1500), LineString([(1400, 1400), (1600, 1500)]), box(1490, 1490, 1510, 1510))
    large = array(box(-50, -50, 3050, 3050), ring, box(600, 600, 2400, 2400))
    assert_as_shapely(small, large)
    assert_as_shapely(large, small)
    both = array(MultiLineString([[(9000, 9000), (9001, 9001)], [(1500, 1500), (1501, 1501)]]))
    assert_as_shapely(large, both)


def test_touching_is_distance_0_as_geos_says():
    third = Point(100 / 3, 100 / 7)
    line = LineString([(0, 0), (100, 300 / 7)])
    assert_as_shapely(array(third, box(-5, -5, 0, 0), Point(50, 150 / 7)), array(line, box(0, 0, 1, -4)))


def test_a_long_corridor_and_a_long_edge():
    walk = np.cumsum(np.random.default_rng(2).normal(60, 90, (200, 2)), axis=0)
    corridor = LineString(walk).buffer(20, join_style="mitre", cap_style="flat")
    away = array(*[Point(p + 400) for p in walk[::10]], LineString([(-9e4, 9e4), (9e4, 8e4)]))
    assert_as_shapely(array(corridor), away)
    assert_as_shapely(away, array(corridor))


def test_a_polygon_of_200_000_vertices():
    rng = np.random.default_rng(5)
    sites = array(*[Point(rng.uniform(-5e3, 1.1e5), rng.uniform(-2e3, 5e3)) for _ in range(100)])
    assert_as_shapely(sites, array(jagged(200_000, 500)))


def test_null_and_empty_have_no_nearest():
    shapes = array(None, Polygon(), Point(), Point(3, 4))
    found = kernel(shapes, shapes)
    assert found.right.tolist() == [-1, -1, -1, 3]
    assert np.isnan(found.distance[:3]).all()
    assert kernel(array(Point(0, 0)), array()).right.tolist() == [-1]
    assert len(kernel(array(), shapes).right) == 0
    assert len(within_rounded(SiteShapes(array()), FeatureIndex(shapes), 5.0).left) == 0
