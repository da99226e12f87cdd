"""What is seen of features from many places, held to plain overlays with the windows."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from geometry.geometry_shapes import AWKWARD, integer_polygons, jagged, star
from hypothesis import given, settings
from hypothesis import strategies as st

from lzgis.geometry.parts import outlines as outlines_module
from lzgis.geometry.parts import surroundings as surroundings_module
from lzgis.geometry.parts.outlines import outlines_of
from lzgis.geometry.parts.shells import Rings, polygons_of_rings
from lzgis.geometry.parts.surroundings import surroundings


def array(*shapes):
    made = np.empty(len(shapes), dtype=object)
    made[:] = shapes
    return made


def seen_from(features, feature, bounds):
    feature, bounds = np.array(feature), np.array(bounds, dtype=float).reshape(-1, 4)
    found = list(surroundings(outlines_of(features), feature, bounds))
    assert [i for places, _ in found for i in range(places.start, places.stop)] == list(range(len(bounds)))
    return np.concatenate([seen for _, seen in found])


def assert_as_clipped(features, feature, bounds):
    """Where something is seen, it is the feature within the bounds; it has no corner beyond the window."""
    seen = seen_from(features, feature, bounds)
    windows = shapely.box(*np.array(bounds, dtype=float).T)
    there = ~shapely.is_empty(seen)
    plain = shapely.intersection(features[feature], windows)
    own = shapely.intersection(shapely.make_valid(seen), windows)
    # Of the corners that the sides of the windows make, only so many digits can be held.
    digit = np.spacing(np.abs(shapely.bounds(features[feature])).max(axis=1))
    off = np.abs(shapely.area(own) - shapely.area(plain)) - 2 * digit * shapely.length(plain)
    assert (off[there] <= 1e-9).all()
    reach = np.abs(shapely.bounds(seen) - np.array(bounds, dtype=float))[there]
    inward = (shapely.bounds(windows)[there] * [1, 1, -1, -1]) <= shapely.bounds(seen)[there] * [1, 1, -1, -1]
    assert (inward | (reach < 1.3)).all()
    return there


def test_a_window_within_with_a_hole_and_an_island():
    block = shapely.box(0, 0, 100, 100) - shapely.box(40, 40, 60, 60)
    island = shapely.box(45, 45, 50, 50)
    (seen,) = seen_from(array(shapely.MultiPolygon([block, island])), [0], [(30, 30, 70, 70)])
    # A window of 40 m and a little more, without the hole of 400 m², with the island of 25 m².
    side = 40 + 2 * surroundings_module._MARGIN
    assert seen.is_valid and seen.area == pytest.approx(side**2 - 400 + 25, rel=1e-12)
    assert sorted(len(part.interiors) for part in seen.geoms) == [0, 1]


def test_a_window_outside_with_an_island():
    (seen,) = seen_from(array(shapely.box(0, 0, 5, 5)), [0], [(-10, -10, 20, 20)])
    assert seen.equals(shapely.box(0, 0, 5, 5))


def test_bays_cut_off_by_the_window_keep_their_own_holes():
    comb = shapely.union_all([shapely.box(x, 0, x + 20, 100) for x in (0, 40, 80)] + [shapely.box(0, -20, 100, 0)])
    holes = shapely.union_all([shapely.box(x, 50, x + 4, 54) for x in (8, 48, 88)])
    (seen,) = seen_from(array(comb - holes), [0], [(-5, 40, 105, 60)])
    assert seen.is_valid and [len(part.interiors) for part in seen.geoms] == [1, 1, 1]
    assert seen.area == pytest.approx(3 * (20 * (20 + 2 * surroundings_module._MARGIN) - 16), rel=1e-12)


def test_what_meets_nothing_is_empty():
    seen = seen_from(array(shapely.box(0, 0, 100, 100)), [0, 0], [(40, 40, 50, 50), (200, 200, 210, 210)])
    assert shapely.is_empty(seen).all()


@pytest.mark.parametrize("origin", [(0.0, 0.0), (4e7, 2.7e6)])
@pytest.mark.parametrize("few", [1, 1 << 15])
def test_ragged_features_of_any_direction(origin, few, monkeypatch):
    monkeypatch.setattr(outlines_module, "_MOST_RUNS", few)
    rng = np.random.default_rng(31)
    stars = [star(rng, (origin[0] + 900 * k, origin[1]), 700, 120) for k in range(4)]
    ragged = shapely.transform(jagged(3000, 8), lambda xy: xy + origin)
    features = array(*stars, ragged, shapely.reverse(stars[0]), shapely.reverse(ragged))
    feature, bounds = [], []
    for i, one in enumerate(features):
        west, south, east, north = one.bounds
        for size in (10, 90, 800, 9000):
            for _ in range(8):
                x, y = rng.uniform(west, east), rng.uniform(south, north)
                feature.append(i)
                bounds.append((x, y, x + size * rng.uniform(), y + size * rng.uniform()))
    there = assert_as_clipped(features, feature, bounds)
    outlines = shapely.boundary(features)[feature]
    meets = shapely.intersects(shapely.box(*np.array(bounds).T), outlines)
    # Rounding leaves next to none untold.
    assert (meets & ~there).sum() <= 1 and there.sum() > 100


def test_awkward_shapes():
    features = array(*[one for one in AWKWARD.values() if shapely.get_dimensions(one) == 2])
    bounds = shapely.bounds(features)
    middle, half = (bounds[:, :2] + bounds[:, 2:]) / 2, (bounds[:, 2:] - bounds[:, :2]) / 2
    for share in (0.3, 0.7, 1.5):
        windows = np.c_[middle - share * half, middle + share * half]
        assert_as_clipped(features, np.arange(len(features)), windows)


def test_a_ring_that_rounding_has_closed_is_none():
    """A corner of the window cut off by less than the last digit: where the path comes in, the corner and it are one."""
    outlines = outlines_of(array(shapely.box(0, 0, 100, 100)))
    place, source, closed = np.zeros(1, dtype=int), np.zeros(1, dtype=int), np.zeros(1, dtype=bool)
    rings = Rings(np.array([10.0, 9.0, 10.0]), np.array([0.0, 0.0, 0.0]), np.array([0, 3]), place, source, closed)
    (seen,) = polygons_of_rings(rings, outlines, np.array([[0.0, 0.0, 10.0, 10.0]]), np.ones(1, dtype=bool))
    assert seen.is_empty


@settings(max_examples=150, deadline=None)
@given(integer_polygons(), st.lists(st.integers(-2, 14), min_size=4, max_size=4, unique=True), st.booleans())
def test_windows_along_edges_and_through_vertices(shape, sides, on_edges):
    """With no margin, sides of the window run along edges and through vertices."""
    kept = surroundings_module._MARGIN
    surroundings_module._MARGIN = 0.0 if on_edges else kept
    west, south = min(sides[:2]), min(sides[2:])
    bounds = west, south, max(sides[:2]), max(sides[2:])
    try:
        there = assert_as_clipped(array(shape), [0], [bounds])
    finally:
        surroundings_module._MARGIN = kept
    if not on_edges:
        reach = np.array([-kept, -kept, kept, kept])
        assert there[0] == shapely.intersects(shapely.boundary(shape), shapely.box(*(bounds + reach)))
