"""The smallest shift that clears a site, worked out by hand and by trying shorter ones."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import toy
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from kernel_shapes import integer_polygons, jagged, star
from shapely import LineString, MultiPolygon, Point, box

from lzgis.avoidance import shift_to_clear as shift_site
from lzgis.catalogue import open_catalogue
from lzgis.errors import ConfigError
from lzgis.geometry.avoidance import Shift, shift_to_clear

PARK = box(0, 0, 100, 100)
ANGLE = shapely.union_all([box(0, 0, 100, 20), box(0, 0, 20, 100)])


def array(*shapes):
    made = np.empty(len(shapes), dtype=object)
    made[:] = shapes
    return made


@pytest.mark.parametrize(
    ("site", "features", "shift"),
    [
        (box(90, 20, 120, 50), [PARK], (10, 0)),
        (box(90, 20, 120, 50), [PARK, box(100, 0, 125, 100)], (35, 0)),  # out of two side by side
        (box(100, 0, 130, 30), [PARK], (0, 0)),  # touching
        (box(300, 0, 330, 30), [PARK], (0, 0)),
        (box(40, 70, 60, 90), [PARK], (0, 30)),  # wholly inside
        (box(30, 30, 51, 51), [PARK - box(10, 10, 50, 50)], (-1, -1)),  # into the hole that it mostly lies in
        (box(-5, -5, 105, 105) - box(10, 10, 90, 90), [box(85, 40, 95, 60)], (5, 0)),  # into the site's hole
        (ANGLE, [box(15, 15, 40, 40)], (-5, -5)),  # the corner of an angle slides off a block both ways
        (MultiPolygon([box(-20, 0, 3, 10), box(98, 40, 200, 50)]), [PARK], (2, -10)),  # each part its own way
        (LineString([(50, 95), (80, 130)]), [PARK], (0, 5)),
        (Point(97, 50), [PARK], (3, 0)),
        (box(90, 20, 120, 50), [LineString([(0, 30), (200, 30)]), Point(100, 30)], (0, 0)),  # no polygons
    ],
)
@pytest.mark.parametrize("origin", [(0.0, 0.0), (4e7, 2.7e6)])
def test_worked_by_hand(site, features, shift, origin):
    moved = [shapely.transform(one, lambda xy: xy + origin) for one in [site, *features]]
    found = shift_to_clear(moved[0], array(*moved[1:]), radius=200.0)
    assert (found.x, found.y) == pytest.approx(shift, abs=1e-9)


def test_a_slanting_border_is_left_at_right_angles():
    slope = shapely.Polygon([(0, 0), (300, 0), (0, 400)])
    site = box(110, 210, 160, 260)
    # The line is 4x + 3y = 1200; the corner (110, 210) has 4 * 110 + 3 * 210 = 1070, so 130 / 5 = 26 m along (4, 3) / 5.
    found = shift_to_clear(site, array(slope), radius=100.0)
    assert (found.x, found.y) == pytest.approx((26 * 0.8, 26 * 0.6), abs=1e-9)


def test_none_within_the_radius():
    assert shift_to_clear(box(40, 40, 60, 60), array(PARK), radius=59.9) is None
    assert shift_to_clear(box(40, 40, 60, 60), array(PARK), radius=60.0).length == pytest.approx(60.0, abs=1e-9)


def test_nothing_around():
    assert shift_to_clear(PARK, array(), radius=10.0) == Shift(0.0, 0.0)


def overlap(site, features, x, y):
    return shapely.area(shapely.intersection(shapely.transform(site, lambda xy: xy + np.array([x, y])), features)).sum()


def assert_smallest(site, features, radius):
    found = shift_to_clear(site, features, radius=radius)
    shorter = radius
    if found is not None:
        assert overlap(site, features, found.x, found.y) <= 1e-6
        shorter = found.length
    for length in shorter - 1e-3, 0.7 * shorter, 0.3 * shorter:
        for turn in np.linspace(0, 2 * np.pi, 48, endpoint=False) if length > 0 else ():
            assert overlap(site, features, length * np.cos(turn), length * np.sin(turn)) > 0
    return found


@settings(max_examples=60, deadline=None, derandomize=True)
@given(integer_polygons(), integer_polygons(), st.floats(0.05, 0.95), st.tuples(st.integers(-6, 6), st.integers(-6, 6)))
def test_no_shorter_shift_clears(shape, feature, size, at):
    # No whole numbers, so that no gap is just as wide as the site.
    site = shapely.transform(shape, lambda xy: (xy - 6.0) * size * 0.9973 + 6.0 + at)
    assume(site.is_valid and site.area > 0)
    assert_smallest(site, array(feature), 15.0)


def test_ragged_features():
    rng = np.random.default_rng(41)
    ragged = jagged(3000, 8)
    for at, size in [((700.0, 2200.0), 40.0), ((300.0, 900.0), 90.0), ((1490.0, 400.0), 25.0)]:
        assert assert_smallest(star(rng, at, size, 9), array(ragged, star(rng, at, 60, 12)), 2000.0).length > 1


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    city = open_catalogue(toy.city(tmp_path_factory.mktemp("avoidance") / "city"))
    # The redline of the toy city is a square from (0, 0) to (1000, 1000).
    return toy.screened(city, box(-50, 100, 30, 200), toy.square(-3000, 0))


def test_a_site_of_a_report(report):
    found = shift_site(report, "s1", "redline")
    assert found.distance_m == pytest.approx(30, abs=1e-6)
    assert found.bearing_deg == pytest.approx(270, abs=0.01)
    (shifted,) = toy.PLANE.project([found.geometry])
    assert shifted.bounds == pytest.approx((-80, 100, 0, 200), abs=1e-6)
    clear = shift_site(report, "s2", "redline")
    assert clear.distance_m == 0 and np.isnan(clear.bearing_deg)
    assert shift_site(report, "s1", "redline", search_m=29.9) is None


@pytest.mark.parametrize(
    ("site", "rule", "said"),
    [
        ("s9", "redline", "'s9' is not in the report"),
        ("s1", "redlime", "'redlime' is not in the report"),
        ("s1", "town", "the rule is of kind 'stay_inside'; give a rule of kind 'avoid'"),
    ],
)
def test_what_cannot_be_asked(report, site, rule, said):
    with pytest.raises(ConfigError, match=f"site '{site}', rule '{rule}': {said}"):
        shift_site(report, site, rule)
