"""What remains of a site, and where it would be clear: worked out by hand on the toy city."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely
import toy
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, Polygon, box
from typer.testing import CliRunner

import lzgis as lz
from lzgis.cli.app import app
from lzgis.errors import ConfigError, SourceError
from lzgis.geometry import shortest_translation
from lzgis.geometry.translation import convex_parts
from lzgis.reading import sites_from_frame


def moved(shape, x, y):
    return shapely.transform(shape, lambda xy: xy + np.array([x, y]))


# --- The floor -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "obstacles", "expected"),
    [
        (box(0, 0, 30, 20), [box(22, -100, 400, 100)], (-8, 0)),
        (box(0, 0, 30, 20), [box(22, -100, 400, 100), box(-6, -100, -4, 100)], (-36, 0)),
        (box(0, 0, 30, 20), [box(22, -100, 400, 100), box(-6, -15, -4, 100)], (-8, -35)),
        # Into the hole, rather than out of the ring.
        (box(4, 0, 14, 10), [box(-500, -500, 500, 500) - box(0, -5, 12, 15)], (-2, 0)),
        # A notch that fits one arm of an L, which its convex hull would not.
        (Polygon([(0, 0), (20, 0), (20, 10), (10, 10), (10, 20), (0, 20)]), [box(11, 11, 40, 40)], (0, 0)),
        (Polygon([(0, 0), (20, 0), (20, 10), (10, 10), (10, 20), (0, 20)]), [box(8, 11, 40, 40)], (-2, 0)),
        (MultiPolygon([box(0, 0, 10, 10), box(90, 0, 100, 10)]), [box(40, -30, 60, 30)], (0, 0)),
        (MultiPolygon([box(0, 0, 10, 10), box(90, 0, 100, 10)]), [box(7, -300, 60, 300)], (-3, 0)),
        (LineString([(0, 0), (10, 0)]), [box(8, -1, 50, 90)], (0, -1)),
        (Point(3, 3), [box(0, 0, 10, 7)], (-3, 0)),
        (Point(3, 3), [box(-100, -100, 100, 100)], None),
        (box(0, 0, 1, 1), [], (0, 0)),
        (box(0, 0, 1, 1), [box(1, 0, 2, 1)], (0, 0)),
    ],
)
def test_the_shortest_move_by_hand(shape, obstacles, expected):
    found = shortest_translation(shape, obstacles, within=60)
    if expected is None:
        assert found is None
        return
    assert found is not None
    assert (found.x, found.y) == pytest.approx(expected, abs=1e-5)
    assert found.length == pytest.approx(np.hypot(*expected), abs=1e-5)


@st.composite
def outlines(draw, size):
    """Polygons around the origin, star-shaped, often far from convex."""
    n = draw(st.integers(3, 9))
    radius = draw(st.lists(st.integers(2, size), min_size=n, max_size=n))
    angle = np.arange(n) * 2 * np.pi / n
    return Polygon(np.c_[radius * np.cos(angle), radius * np.sin(angle)].round(3))


@settings(max_examples=60, deadline=None)
@given(
    outlines(12), st.lists(outlines(30), min_size=1, max_size=3), st.lists(st.integers(-30, 30), min_size=6, max_size=6)
)
def test_every_shorter_move_leaves_an_overlap_and_this_one_none(shape, obstacles, places):
    ground = [moved(one, *places[2 * i : 2 * i + 2]) for i, one in enumerate(obstacles)]
    if not all(shapely.is_valid([shape, *ground])):
        return
    union = shapely.union_all(ground)
    found = shortest_translation(shape, ground, within=500)
    assert found is not None
    assert moved(shape, found.x, found.y).intersection(union).area < 1e-6
    for angle in np.linspace(0, 2 * np.pi, 24, endpoint=False):
        for share in (0.2, 0.6, 0.98):
            length = share * (found.length - 1e-4)
            if length > 0:
                there = moved(shape, length * np.cos(angle), length * np.sin(angle))
                assert there.intersection(union).area > 0


@given(outlines(20))
def test_convex_parts_cover_the_shape(shape):
    if shape.is_valid:
        parts = convex_parts(shape)
        assert sum(part.area for part in parts) == pytest.approx(shape.area, rel=1e-9)
        assert all(part.convex_hull.area == pytest.approx(part.area, rel=1e-9) for part in parts)
        assert shapely.union_all(parts).symmetric_difference(shape).area < 1e-6


# --- On the toy city -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return toy.city(tmp_path_factory.mktemp("toy") / "city")


def avoidance(place, shape, *, activity="住宅", within_m=500.0):
    table = sites_from_frame(toy.sites(shape, activity=activity))
    return lz.avoid("s1", table, place, as_of=toy.AS_OF, within_m=within_m)


def test_a_site_that_reaches_40_m_into_the_redline(place):
    found = avoidance(place, toy.square(-60, 300))
    assert [rule.id for rule in found.rules] == ["redline"]
    assert found.remaining_size == pytest.approx(6000, abs=0.01)
    assert found.remaining_share == pytest.approx(0.6, abs=1e-6)
    assert toy.PLANE.project([found.remaining])[0].bounds == pytest.approx((-60, 300, 0, 400), abs=1e-6)
    # A millimetre more than 40 m, so that rounding cannot put it back.
    assert found.shift.distance_m == pytest.approx(40.001, abs=2e-4)
    assert found.shift.azimuth_deg == pytest.approx(270, abs=0.01)
    assert found.shift.verdict == "未发现冲突"
    assert toy.PLANE.project([found.shift.geometry])[0].bounds == pytest.approx((-100, 300, 0, 400), abs=2e-3)
    assert avoidance(place, toy.square(-60, 300), within_m=39.9).shift is None


def test_a_hole_is_a_way_out(place):
    found = avoidance(place, toy.square(480, 430, 60))
    assert (found.shift.distance_m, found.shift.azimuth_deg) == pytest.approx((40.001, 270), abs=0.01)


def test_a_corridor_of_known_width_is_left_as_far_as_it_is_certain(place):
    # 10 m from the centreline, where half-width 6 m and 20 m are demanded; arcs are drawn from outside.
    found = avoidance(place, box(-3000, -1990, -2900, -1900))
    assert found.shift.distance_m == pytest.approx(16.0, abs=0.01)
    assert min(found.shift.azimuth_deg, 360 - found.shift.azimuth_deg) < 0.02
    assert found.remaining_size == pytest.approx(100 * (90 - 16), rel=1e-3)
    # Where the half-width is assumed, only the certain 20 m bind; the band stays to be proved.
    found = avoidance(place, box(-3000, -2990, -2900, -2900))
    assert found.shift.distance_m == pytest.approx(10.0, abs=0.01)
    assert found.shift.verdict == "需进一步论证"


def test_an_exception_for_the_activity_is_no_obstacle(place):
    found = avoidance(place, toy.square(-60, 300), activity="供水")
    assert (found.rules, found.shift.distance_m, found.shift.verdict) == ((), 0.0, "需进一步论证")
    assert found.remaining_share == 1.0


def test_what_a_site_must_stay_inside_of_is_left_no_more(tmp_path):
    folder = toy.city(tmp_path / "city")
    text = (folder / "rules.toml").read_text("utf-8")
    head, tail = text.split("[rule.town]")
    (folder / "rules.toml").write_text(
        head + "[rule.town]" + tail.replace('severity = "notice"', 'severity = "prohibited"', 1), "utf-8"
    )
    found = avoidance(folder, toy.square(-4050, -500))
    assert [rule.id for rule in found.rules] == ["town"]
    assert (found.shift.distance_m, found.shift.azimuth_deg) == pytest.approx((50.001, 90), abs=0.02)
    assert found.remaining_size == pytest.approx(5000, abs=0.01)


def test_points_and_lines(place):
    found = avoidance(place, Point(10, 700))
    assert (found.shift.distance_m, found.shift.azimuth_deg) == pytest.approx((10.001, 270), abs=0.01)
    assert found.remaining is None
    assert np.isnan(found.remaining_share)
    found = avoidance(place, LineString([(-70, 700), (30, 700)]))
    assert found.shift.distance_m == pytest.approx(30.001, abs=1e-3)
    assert found.remaining_share == pytest.approx(0.7)


def test_what_cannot_be_asked_is_said(place):
    table = sites_from_frame(toy.sites(toy.square(0, 0), Polygon([(0, 0), (9, 9), (0, 0), (9, 9)])))
    with pytest.raises(SourceError, match=r"sites: has no site 'x'; allowed: s1, s2"):
        lz.avoid("x", table, place, as_of=toy.AS_OF)
    with pytest.raises(SourceError, match=r"site 's2': its geometry cannot be used; look at its geometry"):
        lz.avoid("s2", table, place, as_of=toy.AS_OF)
    with pytest.raises(ConfigError, match=r"within_m: must be above 0; give the metres it may be moved"):
        lz.avoid("s1", table, place, as_of=toy.AS_OF, within_m=0)


def test_the_command(place, tmp_path):
    toy.sites(toy.square(-60, 300), toy.square(-3000, 0), Point(10, 700)).to_file(tmp_path / "s.gpkg", engine="pyogrio")
    words = ["avoid", "--layers", str(place), "--as-of", toy.AS_OF, "--sites", str(tmp_path / "s.gpkg")]
    done = CliRunner().invoke(app, [*words, "s1", "--lang", "en"])
    assert done.exit_code == 1, done.output
    assert "site s1 gets clear by a move of 40.00 m, at 270.0° clockwise from north" in done.output
    assert "4,000 ㎡ forbidden, 6,000 ㎡ remain, 60.0 %" in done.output
    assert "verdict there: no conflict found" in done.output
    done = CliRunner().invoke(app, [*words, "s2"])
    assert (done.exit_code, "无须平移" in done.output) == (0, True)
    done = CliRunner().invoke(app, [*words, "s3", "--within", "5"])
    assert (done.exit_code, "在 5 m 之内平移，均不能避开" in done.output) == (1, True)
    told = json.loads(CliRunner().invoke(app, [*words, "s1", "--json"]).stdout)
    assert (told["rules"], told["shift"]["verdict"]) == (["redline"], "未发现冲突")
    assert shapely.from_geojson(json.dumps(told["remaining"])).area > 0
    none = json.loads(CliRunner().invoke(app, [*words, "s3", "--within", "5", "--json"]).stdout)
    assert (none["shift"], none["remaining"]) == (None, None)
