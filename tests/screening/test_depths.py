"""How deep sites reach into what they overlap, worked out by hand and by trying many points."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import toy
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPoint, MultiPolygon, Point, Polygon, box

from lzgis.city.catalogue import open_catalogue
from lzgis.geometry.depth import depth
from lzgis.screening.depths import overlap_depths

PARK = box(0, 0, 1000, 400)


@pytest.mark.parametrize(
    ("part", "deep"),
    [
        (box(0, 100, 50, 200), 50),
        (box(100, 100, 200, 200), 200),  # from the left 100 to 200, from below too
        (PARK, 200),  # its middle line
        (box(0, 0, 1000, 1), 1),
        (MultiPolygon([box(0, 0, 5, 5), box(500, 100, 510, 130)]), 130),
        (LineString([(0, 200), (1000, 200)]), 200),
        (LineString([(400, 0), (500, 400)]), 200),  # deepest between its ends
        (Point(30, 70), 30),
        (MultiPoint([(30, 70), (0, 0), (90, 350)]), 50),
    ],
)
def test_the_depth_is_that_of_the_deepest_point(part, deep):
    found = depth(part, PARK.boundary, tolerance=0.01)
    assert deep - 0.01 <= found <= deep + 1e-9


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(-100, 100), st.integers(-100, 100)), min_size=3, max_size=8),
    st.lists(st.tuples(st.integers(-100, 100), st.integers(-100, 100)), min_size=3, max_size=8),
)
def test_no_point_of_the_part_lies_deeper(one, other):
    part, feature = MultiPoint(one).convex_hull, MultiPoint(other).convex_hull
    common = part.intersection(feature)
    if not isinstance(common, Polygon) or common.area < 1:
        return
    found = depth(common, feature.boundary, tolerance=0.05)
    left, low, right, high = common.bounds
    x, y = np.meshgrid(np.linspace(left, right, 41), np.linspace(low, high, 41))
    points = shapely.points(x.ravel(), y.ravel())
    tried = shapely.distance(points, feature.boundary)
    assert (tried[shapely.intersects(common, points)] <= found + 0.05).all()
    # Every point of the part has a point of the grid as near as half a diagonal of its meshes.
    assert (
        found <= tried[shapely.intersects(feature, points)].max(initial=0.0) + np.hypot(right - left, high - low) / 80
    )


def test_the_depths_of_the_overlaps_of_a_report(tmp_path):
    city = open_catalogue(toy.city(tmp_path / "city"))
    sites = [
        box(-50, 100, 50, 200),
        box(-20, -20, 1020, 1020),
        box(-2050, -50, -1950, 50),
        LineString([(-30, 30), (70, 30)]),
        toy.square(-3000, 0),
    ]
    report = toy.screened(city, *sites)
    found = report.findings.assign(depth_m=overlap_depths(report, tolerance_m=0.01))

    def deep(rule, site):
        return found.loc[(found["rule"] == rule) & (found["site_id"] == site), "depth_m"].tolist()

    assert deep("redline", "s1")[0] == pytest.approx(50, abs=0.011)
    # All of the first feature: a square of 1000 m with a hole, whose far corner and two sides are equally far from it.
    assert deep("redline", "s2")[0] == pytest.approx(1000 - 1000 / 2**0.5, abs=0.011)
    assert deep("town", "s3")[0] == pytest.approx(50, abs=0.011)  # 50 m out of the town
    assert deep("redline", "s4")[0] == pytest.approx(30, abs=0.011)
    assert np.isnan(deep("redline", "s5")).all()
    assert found.loc[found["kind"] == "keep_away", "depth_m"].isna().all()
