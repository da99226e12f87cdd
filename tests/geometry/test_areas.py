"""Common areas by the kernel, held to shapely and to exact arithmetic."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import shapely
from geometry.geometry_shapes import AWKWARD, exact_area, integer_polygons, jagged, star
from hypothesis import given, settings
from shapely import LineString, MultiPoint, Point, Polygon, box

from lzgis.geometry import (
    FeatureIndex,
    PolygonGrid,
    SiteShapes,
    intersection_areas,
    nearest_rounded,
    overlapping,
    overlaps,
)


def array(*shapes):
    made = np.empty(len(shapes), dtype=object)
    made[:] = shapes
    return made


def kernel(sites, layer, *, cell=4.0):
    shapes = SiteShapes(sites)
    vars(shapes)["cell"] = cell
    return overlapping(shapes, FeatureIndex(layer))


def assert_as_shapely(sites, layer, *, cell=256.0):
    found, expected = kernel(sites, layer, cell=cell), overlaps(sites, FeatureIndex(layer))
    shared = expected.area > 0
    assert list(zip(found.left, found.right, strict=True)) == list(
        zip(expected.left[shared], expected.right[shared], strict=True)
    )
    assert np.all(np.abs(found.area - expected.area[shared]) <= 1e-6 + 1e-9 * expected.area[shared])
    return found


@settings(max_examples=150, deadline=None)
@given(integer_polygons(), integer_polygons())
def test_exact_on_the_integer_grid(one, other):
    found = kernel(array(one), array(other))
    exact = exact_area(one, other)
    assert len(found.area) == (exact > 0)
    if exact:
        assert abs(found.area[0] - float(exact)) <= 1e-12 * (1 + float(exact))


@pytest.mark.parametrize("one", sorted(AWKWARD))
def test_awkward_shapes_against_each_other(one):
    others = array(*AWKWARD.values())
    for cell in (1.0, 4.0, 256.0):
        found = kernel(array(AWKWARD[one]), others, cell=cell)
        exact = np.array([float(exact_area(AWKWARD[one], other)) for other in others])
        assert found.right.tolist() == np.flatnonzero(exact).tolist()
        assert np.allclose(found.area, exact[exact > 0], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("origin", [(0.0, 0.0), (12345.678, -9876.54), (4e7, 2.7e6), (-3e5, 4.4e6)])
def test_as_shapely_wherever_the_origin(origin):
    rng = np.random.default_rng(1)
    x0, y0 = origin
    layer = array(*[star(rng, (x0 + x * 700.0, y0 + y * 700.0), 600, 120) for x in range(4) for y in range(4)])
    at = [(x0 + rng.uniform(-500, 3000), y0 + rng.uniform(-500, 3000)) for _ in range(150)]
    sites = array(*[star(rng, p, rng.uniform(5, 300), 12) for p in at])
    assert len(assert_as_shapely(sites, layer).left) > 100


@pytest.mark.parametrize("shift", [0.0, 0.1, 1e5 + 1 / 3, 4e7])
def test_neighbours_that_share_a_border_do_not_overlap(shift):
    rng = np.random.default_rng(2)
    points = MultiPoint(rng.uniform(0, 2000, (60, 2)) + shift)
    tiles = np.array(shapely.get_parts(shapely.voronoi_polygons(points)))
    found = kernel(tiles, tiles, cell=256.0)
    assert found.left.tolist() == found.right.tolist() == list(range(60))
    assert np.allclose(found.area, shapely.area(tiles), rtol=1e-9)


def test_a_border_with_more_vertices_on_one_side_is_left_to_geos():
    one = box(0, 0, 100, 100)
    other = Polygon([(100, 0), (200, 0), (200, 100), (100, 100), (100, 70.1), (100, 33.3)])
    slanted = Polygon([(0, 100), (100, 100), (70, 170.1), (35, 200)])
    across = Polygon([(100, 100), (90, 123.36666666666666), (70, 170.1), (150, 150)])
    for a, b in [(one, other), (other, one), (one, slanted), (slanted, across), (across, slanted)]:
        assert_as_shapely(array(a), array(b))


def test_thin_slivers_are_kept_or_dropped_as_geos_does():
    base = box(0, 0, 1000, 1000)
    widths = [1e-12, 1e-10, 1e-8, 1e-6, 1e-3]
    sites = array(*[box(1000 - w, 100, 1100, 900) for w in widths], *[box(1000 + w, 100, 1100, 900) for w in widths])
    found = assert_as_shapely(sites, array(base))
    assert found.left.tolist() == [0, 1, 2, 3, 4]


def test_slivers_at_the_corner_of_a_cell_may_be_left_out_where_their_distance_is_0():
    rng = np.random.default_rng(1)
    site, kinds = array(box(0, 0, 40, 20)), set()
    for back, slope in zip(rng.uniform(10, 100, 100).round(3), rng.uniform(0.2, 3, 100), strict=True):
        # The hypotenuse runs through the corner of the site, which is one of the cells', as nearly as floating point can.
        layer = FeatureIndex(array(Polygon([(-back, back * slope), (-back, -200 * slope), (200, -200 * slope)])))
        expected = overlaps(site, layer)
        found = overlapping(SiteShapes(site), layer)
        # What is too narrow to be seen may be left out.
        assert found.left.tolist() in ([], expected.left.tolist())
        assert expected.area.sum() - found.area.sum() < 1e-9
        meets = site[0].intersects(layer.geometries[0])
        apart = 0.0 if meets else round(site[0].distance(layer.geometries[0]), 6)
        assert nearest_rounded(SiteShapes(site), layer).distance[0] == apart
        kinds.add((len(expected.left), meets))
    assert kinds == {(1, True), (0, False)}


def test_slivers_at_the_corner_of_a_cell_leave_other_common_parts_as_they_are():
    rng, kinds = np.random.default_rng(2), set()
    for back, slope in zip(rng.uniform(10, 100, 100).round(3), rng.uniform(0.2, 3, 100), strict=True):
        slanted = Polygon([(-back, back * slope), (-back, -200 * slope), (200, -200 * slope)])
        cornered = box(0, 0, 40, 20)
        # The vertex on the corner is the site's, then the feature's; each time something else is shared.
        for site, feature, other in (
            (cornered, slanted, box(30, 5, 90, 9)),
            (slanted, cornered, box(-500, -500, -5, 0)),
        ):
            layer = FeatureIndex(array(other, feature))
            expected, found = overlaps(array(site), layer), overlapping(SiteShapes(array(site)), layer)
            assert found.right.tolist() in ([0], expected.right.tolist())
            assert expected.area.sum() - found.area.sum() < 1e-9
            kinds.add(len(expected.left))
    assert kinds == {1, 2}


def test_a_tiling_of_the_layer_sums_to_the_site():
    rng = np.random.default_rng(4)
    tiles = np.array(shapely.get_parts(shapely.voronoi_polygons(MultiPoint(rng.uniform(0, 5000, (200, 2))))))
    sites = array(*[star(rng, tuple(rng.uniform(1000, 4000, 2)), 600, 40) for _ in range(50)])
    found = kernel(sites, tiles, cell=256.0)
    total = np.bincount(found.left, weights=found.area, minlength=50)
    assert np.all(np.abs(total - shapely.area(sites)) <= 1e-9 * shapely.area(sites))


def test_a_polygon_of_200_000_vertices():
    large = jagged(200_000, 500)
    assert large.is_valid
    rng = np.random.default_rng(5)
    sites = array(*[star(rng, (rng.uniform(0, 99_000), rng.uniform(1000, 2900)), 200, 15) for _ in range(60)])
    found = kernel(sites, array(large), cell=128.0)
    near = shapely.clip_by_rect(large, 0, 0, 2e5, 3e3)
    exact = np.array([shapely.area(shapely.intersection(s, shapely.intersection(near, s.envelope))) for s in sites])
    assert np.allclose(found.area, exact[exact > 0], rtol=1e-9, atol=1e-6)


def test_null_and_empty_give_no_pair():
    shapes = array(None, Polygon(), box(0, 0, 2, 2))
    found = kernel(shapes, shapes)
    assert (found.left.tolist(), found.right.tolist()) == ([2], [2])
    assert len(kernel(array(), shapes).left) == len(kernel(shapes, array()).left) == 0
    assert len(kernel(array(None), array(None)).left) == 0


def test_threads_leave_no_trace():
    rng = np.random.default_rng(6)
    layer = array(*[star(rng, tuple(rng.uniform(0, 5000, 2)), 500, 60) for _ in range(40)])
    sites = array(*[star(rng, tuple(rng.uniform(0, 5000, 2)), 100, 9) for _ in range(3000)])
    grid = PolygonGrid.build(layer)
    one, three = (intersection_areas(sites, grid, threads=threads) for threads in (1, 3))
    for name in ("left", "right", "area"):
        assert getattr(one, name).tobytes() == getattr(three, name).tobytes()


def test_far_apart_features_make_the_cells_coarser_not_the_memory_larger():
    layer = array(box(0, 0, 10, 10), box(4e7, 4e7, 4e7 + 10, 4e7 + 10))
    grid = PolygonGrid.build(layer, cell=128.0)
    assert grid.cell > 128.0
    assert intersection_areas(array(box(5, 5, 20, 20)), grid).area.tolist() == [25.0]


def test_a_cell_must_be_a_power_of_two():
    with pytest.raises(ValueError, match="power of two"):
        PolygonGrid.build(array(box(0, 0, 1, 1)), cell=100.0)


def test_lines_and_points_inside_as_shapely():
    rng = np.random.default_rng(8)
    layer = array(*[star(rng, tuple(rng.uniform(0, 3000, 2)), 500, 60) for _ in range(20)], *AWKWARD.values())
    walks = [LineString(np.cumsum(rng.normal(0, 120, (30, 2)), axis=0) + 1500) for _ in range(40)]
    straight = [LineString([(0, 0), (12, 0)]), LineString([(4, -3), (4, 20)]), LineString([(-3, 5), (30, 5)])]
    points = [Point(rng.uniform(0, 3000, 2)) for _ in range(100)] + [Point(4, 4), Point(2, 2), Point(3, 5), Point(6, 6)]
    sites = array(*walks, *straight, *points, None, box(0, 0, 5, 5))
    found, expected = kernel(sites, layer), overlaps(sites, FeatureIndex(layer))
    assert (found.left.tolist(), found.right.tolist()) == (expected.left.tolist(), expected.right.tolist())
    lines = expected.area == 0
    assert np.allclose(found.length[lines], expected.length[lines], rtol=1e-11, atol=1e-8)


def test_importing_the_floor_imports_no_numba():
    code = "import sys, lzgis.geometry; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_site_too_wide_for_the_grid_is_refused():
    layer = array(box(0, 0, 10, 10))
    for wide in (box(-1e9, 5, 1e9, 1e9), box(-1e15, 5, 1e15, 1e15)):
        with pytest.raises(ValueError, match="larger cell"):
            intersection_areas(array(wide), PolygonGrid.build(layer))
    with pytest.raises(ValueError, match="use a plane nearer to them"):
        SiteShapes(array(box(-1e15, 5, 1e15, 1e15)))
