"""The sizes of the parts of sites that lie in corridors, against buffers of many segments."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import numpy as np
import pytest
import shapely
from shapely import LineString, MultiLineString, MultiPolygon, Point, Polygon, box

from lzgis.geometry import FeatureIndex, SiteShapes
from lzgis.geometry.corridor import Cases, _by_loop, encroached_sizes
from lzgis.geometry.loops.corridor_areas import CLOSED_M
from lzgis.geometry.parts.outlines import outlines_among

SEGMENTS = 512  # per quarter: 2048 around a point


def sizes(sites, baselines, radius, groups=None):
    """Return the sizes of the cases: by default each site with all baselines."""
    shapes, index = SiteShapes(np.array(sites, dtype=object)), FeatureIndex(np.array(baselines, dtype=object))
    groups = [range(len(baselines))] * len(sites) if groups is None else groups
    start = np.concatenate([[0], np.cumsum([len(one) for one in groups])])
    feature = np.array([one for group in groups for one in group])
    cases = Cases(np.arange(len(sites)), start, feature, np.full(len(feature), float(radius)))
    return encroached_sizes(shapes, index, cases), shapes, index, cases


def expected(site, baselines, radius):
    around = shapely.union_all([shapely.buffer(one, radius, quad_segs=SEGMENTS) for one in baselines])
    part = shapely.intersection(site, around)
    return part.length if shapely.get_dimensions(site) == 1 else part.area


def walk(random, n, step=60.0):
    return np.cumsum(random.normal(0, step, (n, 2)), axis=0) + random.uniform(-200, 200, 2)


def star(random, n, size, at):
    angles = np.arange(n) * 2 * np.pi / n
    return np.c_[np.cos(angles), np.sin(angles)] * random.uniform(0.3, 1.0, (n, 1)) * size + at


def baselines_of(kind, random):
    line = walk(random, int(random.integers(2, 14)))
    if kind == "line":
        return LineString(line)
    if kind == "polygon":
        return Polygon(star(random, int(random.integers(3, 12)), 150.0, random.uniform(-100, 100, 2)))
    if kind == "point":
        return Point(random.uniform(-100, 100, 2))
    if kind == "multi-line":
        return MultiLineString([line, walk(random, 4)])
    # An edge that is repeated, once in the other direction.
    return MultiLineString([line, line[:2], line[1::-1] if len(line) > 1 else line])


def sites_of(kind, random):
    at = random.uniform(-150, 150, 2)
    ring = star(random, int(random.integers(3, 12)), 160.0, at)
    if kind == "polygon":
        return Polygon(ring)
    if kind == "hole":
        return Polygon(box(*(at - 120), *(at + 120)).exterior.coords, [star(random, 7, 90.0, at)])
    if kind == "parts":
        return MultiPolygon([box(*(at - 100), *(at - 20)), box(*at, *(at + 90))])
    return LineString(ring)


SITE_KINDS = ("polygon", "hole", "parts", "line")


@pytest.mark.parametrize("kind", ["line", "polygon", "point", "multi-line", "repeated edge"])
@pytest.mark.parametrize("radius", [7.3, 50.0, 180.0])
def test_sizes_are_those_of_buffers_of_many_segments(kind, radius):
    random = np.random.default_rng(11)
    sites = [sites_of(SITE_KINDS[i % 4], random) for i in range(80)]
    lines = [baselines_of(kind, random) for _ in sites]
    found, shapes, index, cases = sizes(sites, lines, radius, [[i] for i in range(len(sites))])
    for site, line, one in zip(sites, lines, found, strict=True):
        wanted = expected(site, [line], radius)
        # The chords of a buffer lose (pi / SEGMENTS)² / 24 of the area of its arcs: 1.6e-6.
        arcs = 2e-6 * math.pi * radius**2 * (shapely.get_num_coordinates(line) + 2)
        assert one == pytest.approx(wanted, rel=1e-6, abs=2e-4 + arcs)
    loops = _by_loop(shapes, index, cases, np.arange(len(sites)))
    assert (loops[:, 2] <= CLOSED_M).all()


@pytest.mark.parametrize("radius", [15.0, 90.0])
def test_several_baselines_count_once(radius):
    random = np.random.default_rng(12)
    lines = [baselines_of(kind, random) for kind in ("line", "multi-line", "repeated edge", "line")]
    sites = [sites_of(SITE_KINDS[i % 4], random) for i in range(40)]
    found, shapes, index, cases = sizes(sites, lines, radius)
    arcs = 2e-6 * math.pi * radius**2 * sum(shapely.get_num_coordinates(line) for line in lines)
    for site, one in zip(sites, found, strict=True):
        assert one == pytest.approx(expected(site, lines, radius), rel=1e-6, abs=2e-4 + arcs)
    assert (_by_loop(shapes, index, cases, np.arange(len(sites)))[:, 2] <= CLOSED_M).all()


def _waters(random):
    """Polygons that overlap, contain each other and share edges, with lines through them and along their borders."""
    first = star(random, 9, 150.0, random.uniform(-60, 60, 2))
    second = star(random, 8, 130.0, random.uniform(-90, 90, 2))
    across = LineString(walk(random, 6))
    along = LineString(first[:5])
    corner = random.uniform(-120, 40, 2)
    left, right = box(*corner, *(corner + 60)), box(corner[0] + 60, corner[1] + 10, corner[0] + 110, corner[1] + 60)
    return [Polygon(first), across, along, Polygon(second), left, right, box(-15, -15, 15, 15), Point(corner)]


@pytest.mark.parametrize("radius", [4.0, 20.0, 90.0])
def test_polygons_and_lines_together_count_once(radius):
    random = np.random.default_rng(15)
    sites = [sites_of(SITE_KINDS[i % 4], random) for i in range(60)]
    waters = [_waters(random) for _ in sites]
    groups = [range(8 * i, 8 * i + 8) for i in range(len(sites))]
    found, shapes, index, cases = sizes(sites, [one for some in waters for one in some], radius, groups)
    arcs = 2e-6 * math.pi * radius**2 * 60
    for site, some, one in zip(sites, waters, found, strict=True):
        assert one == pytest.approx(expected(site, some, radius), rel=1e-6, abs=2e-4 + arcs)
    closed = _by_loop(shapes, index, cases, np.arange(len(sites)))[:, 2] <= CLOSED_M
    # Where vertices of several baselines coincide, GEOS may have to decide.
    assert closed.mean() > 0.6


def test_a_polygon_far_beyond_the_site_does_not_hide_the_border_of_a_corridor():
    road, lake = LineString([(-1000, 0), (1000, 0)]), box(-900, -300, -40, 300)
    found, *_ = sizes([box(0, -50, 100, 50), box(-140, -50, -60, 50)], [road, lake], 20.0)
    assert found.tolist() == pytest.approx([100 * 40.0, 80 * 100.0])


def test_a_line_site_near_two_carriageways_has_the_length_of_the_union():
    roads = [LineString([(0, 0), (900, 0)]), LineString([(0, 10), (900, 10)])]
    found, *_ = sizes([LineString([(450, -100), (450, 100)])], roads, 20.0)
    assert found.tolist() == pytest.approx([50.0], abs=1e-9)


def test_arcs_are_exact():
    around = box(-100, -100, 100, 100)
    found, *_ = sizes([around, box(0, 0, 100, 100)], [Point(0, 0)], 20.0)
    assert found.tolist() == pytest.approx([math.pi * 400, math.pi * 100], abs=1e-9)
    found, *_ = sizes([around], [LineString([(0, 0), (50, 0)])], 20.0)
    assert found.tolist() == pytest.approx([math.pi * 400 + 2000], abs=1e-9)


def test_a_corridor_of_two_widths_and_a_site_beyond_it():
    shapes = SiteShapes(np.array([box(0, 0, 100, 100), box(500, 500, 510, 510)]))
    index = FeatureIndex(np.array([LineString([(-50, -5), (150, -5)]), LineString([(-50, 110), (150, 110)])]))
    cases = Cases(np.array([0, 1]), np.array([0, 2, 4]), np.array([0, 1, 0, 1]), np.array([20.0, 30.0, 20.0, 30.0]))
    assert encroached_sizes(shapes, index, cases).tolist() == pytest.approx([1500.0 + 2000.0, 0.0])


_UNCOMPILED = """
import numpy as np, shapely
from lzgis.geometry import FeatureIndex, SiteShapes
from lzgis.geometry.corridor import Cases, encroached_sizes
lake, road = shapely.box(-1000, -1000, 1000, 1000), shapely.LineString([(3000 + 20 * i, 0) for i in range(24)])
shapes = SiteShapes(np.array([shapely.Point(0, 0).buffer(10, quad_segs=5), shapely.box(3100, -50, 3200, 50)]))
cases = Cases(np.array([0, 1]), np.array([0, 1, 2]), np.array([0, 1]), np.array([20.0, 20.0]))
print(*encroached_sizes(shapes, FeatureIndex(np.array([lake, road])), cases).round())
"""


def test_room_for_edges_is_enough_after_a_site_with_more_edges_than_the_baselines():
    # Compiled loops check no bounds; the same loops in Python do.
    env = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    run = subprocess.run([sys.executable, "-c", _UNCOMPILED], env=env, capture_output=True, text=True, check=False)
    assert run.stderr == "" and run.stdout.split() == ["309.0", "4000.0"]


def test_a_layer_may_be_measured_and_built_from():
    layer = FeatureIndex(np.array([box(0, 0, 9, 9), box(20, 0, 29, 9)]))
    sites = SiteShapes(np.array([box(10, 0, 12, 9)]))
    cases = Cases(np.array([0]), np.array([0, 1]), np.array([0]), np.array([2.0]))
    for _ in range(2):
        assert outlines_among(layer, np.array([0, 1]))[1].tolist() == [0, 1]
        # From x = 10 to 11.
        assert encroached_sizes(sites, layer, cases) == pytest.approx([9.0])
