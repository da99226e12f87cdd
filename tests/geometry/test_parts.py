"""Common parts on request, held to plain overlays."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from geometry.geometry_shapes import AWKWARD, exact_area, integer_polygons, jagged, star
from hypothesis import given, settings

from lzgis.geometry import Areas, FeatureIndex, SiteShapes, overlapping, parts_of
from lzgis.geometry.parts import surroundings as surroundings_module
from lzgis.geometry.parts.sections import cuts_of


def array(*shapes):
    made = np.empty(len(shapes), dtype=object)
    made[:] = shapes
    return made


def pairs_of(sites, layer):
    found = overlapping(SiteShapes(sites), FeatureIndex(layer))
    return Areas(found.left, found.right, found.area, np.zeros(len(found.left), dtype=bool))


def assert_as_overlaid(sites, layer):
    pairs = pairs_of(sites, layer)
    made = parts_of(sites, FeatureIndex(layer), pairs)
    whole = shapely.intersection(sites[pairs.left], layer[pairs.right])
    assert np.all(np.abs(shapely.area(made) - pairs.area) <= 1e-6 + 1e-9 * pairs.area)
    assert shapely.is_valid(made).all() and set(shapely.get_dimensions(made)) <= {2}
    apart = shapely.area(shapely.symmetric_difference(made, whole))
    assert np.all(apart <= 1e-6 + 1e-9 * pairs.area)
    return pairs, made


@pytest.mark.parametrize("origin", [(0.0, 0.0), (4e7, 2.7e6)])
def test_as_plain_overlays(origin):
    rng = np.random.default_rng(21)
    at = [(origin[0] + rng.uniform(0, 9000), origin[1] + rng.uniform(0, 9000)) for _ in range(60)]
    layer = array(*[star(rng, p, 1500, 200) for p in at[:9]])
    sites = array(*[star(rng, p, rng.uniform(20, 400), 12) for p in at])
    pairs, _made = assert_as_overlaid(sites, layer)
    assert len(pairs.left) > 40


def test_no_seam_shows_in_a_long_corridor():
    layer = array(shapely.box(-5000, -5000, 20_000, 40))
    corridor = array(shapely.LineString([(10, 10), (9010, 30), (18_000, 500)]).buffer(25, cap_style="flat"))
    _pairs, made = assert_as_overlaid(corridor, layer)
    (part,) = made
    assert part.geom_type == "Polygon" and not part.interiors
    # The straight sides carry no vertex that lies off them.
    plain = shapely.intersection(corridor[0], layer[0])
    assert part.hausdorff_distance(plain) < 1e-9


def corridor(rng, start, steps):
    heading = rng.uniform(0, 6) + np.cumsum(rng.normal(0, 0.06, steps))
    line = np.cumsum(250.0 * np.c_[np.cos(heading), np.sin(heading)], axis=0) + start
    return shapely.LineString(line).buffer(rng.uniform(12, 40), cap_style="flat", join_style="mitre")


def test_sections_leave_no_seam():
    rng = np.random.default_rng(25)
    layer = array(jagged(20_000, 50), shapely.box(-2e4, -2e4, 2e4, 100).difference(shapely.box(-100, -100, 100, 0)))
    middle = np.reshape(shapely.bounds(layer[0]), (2, 2)).mean(axis=0)
    sites = array(*[corridor(rng, middle + rng.uniform(-2000, 2000, 2), int(rng.integers(9, 60))) for _ in range(25)])
    sites = sites[shapely.is_valid(sites)]
    pairs, made = assert_as_overlaid(sites, layer)
    plain = shapely.intersection(sites[pairs.left], layer[pairs.right])
    assert len(made) > 20
    assert shapely.get_num_coordinates(made).tolist() == shapely.get_num_coordinates(plain).tolist()
    one, two = (
        shapely.to_wkb(parts_of(sites, FeatureIndex(layer), pairs, threads=threads)).tolist() for threads in (1, 2)
    )
    assert one == two


def test_sections_tile_a_site():
    site = (
        shapely.LineString([(0, 0), (3000, 0), (3000, 3000), (0, 3100)]).segmentize(200).buffer(20, join_style="mitre")
    )
    cuts = cuts_of(shapely.segmentize(site, 200))
    sections = [shapely.Polygon(cuts.between(k, k + 1)) for k in range(len(cuts.there) - 1)]
    assert len(sections) > 5 and all(one.is_valid for one in sections)
    assert shapely.area(sections).sum() == pytest.approx(site.area, rel=1e-12)
    assert shapely.union_all(sections).symmetric_difference(site).area < 1e-6


@pytest.mark.parametrize(
    "site",
    [
        shapely.box(0, 0, 3000, 3000),
        shapely.box(0, 0, 900, 5),
        shapely.Point(0, 0).buffer(5000).exterior.buffer(20),
        shapely.MultiPolygon([shapely.box(0, 0, 9000, 9), shapely.box(0, 99, 9000, 108)]),
    ],
)
def test_what_is_not_cut(site):
    assert cuts_of(site) is None


def test_a_large_ragged_polygon():
    rng = np.random.default_rng(22)
    layer = array(jagged(20_000, 50))
    west, south, east, north = layer[0].bounds
    at = [(rng.uniform(west, east), rng.uniform(south, north)) for _ in range(40)]
    assert_as_overlaid(array(*[star(rng, p, 60, 9) for p in at]), layer)


def test_a_site_wholly_inside_is_itself():
    site = array(shapely.box(10, 10, 20, 20))
    layer = array(shapely.box(0, 0, 5000, 5000))
    assert parts_of(site, FeatureIndex(layer), pairs_of(site, layer))[0].equals_exact(site[0], 0)


@settings(max_examples=60, deadline=None)
@given(integer_polygons(), integer_polygons())
def test_exact_on_the_integer_grid(one, other):
    sites, layer = array(one), array(other)
    made = parts_of(sites, FeatureIndex(layer), pairs_of(sites, layer))
    assert float(shapely.area(made).sum()) == pytest.approx(float(exact_area(one, other)), abs=1e-9)


def test_awkward_shapes():
    others = array(*AWKWARD.values())
    assert_as_overlaid(others, others)


def test_threads_leave_no_trace():
    rng = np.random.default_rng(23)
    layer = array(*[star(rng, tuple(rng.uniform(0, 5000, 2)), 900, 90) for _ in range(8)])
    sites = array(*[star(rng, tuple(rng.uniform(0, 5000, 2)), 100, 9) for _ in range(300)])
    pairs = pairs_of(sites, layer)
    one, three = (shapely.to_wkb(parts_of(sites, FeatureIndex(layer), pairs, threads=threads)) for threads in (1, 3))
    assert one.tolist() == three.tolist()


def test_what_clipping_spoils_is_overlaid_whole(monkeypatch):
    rng = np.random.default_rng(24)
    layer = array(star(rng, (0, 0), 900, 90))
    sites = array(*[star(rng, tuple(rng.uniform(-900, 900, 2)), 100, 9) for _ in range(30)])
    knot = shapely.Polygon([(0, 0), (9, 9), (9, 0), (0, 9)])
    monkeypatch.setattr(surroundings_module, "_seen", lambda outlines, window, place, run: array(*[knot] * len(window)))
    assert_as_overlaid(sites, layer)


def test_no_pairs():
    none = array()
    pairs = pairs_of(array(shapely.Point(0, 0)), array(shapely.box(0, 0, 1, 1)))
    assert len(parts_of(array(shapely.Point(0, 0)), FeatureIndex(none), pairs)) == 0
