"""The official formula of areas on the ellipsoid, and the plane's areas, held to independent ones."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from geometry.geometry_shapes import star

from lzgis.coordinates.plane import ELLIPSOID, Plane, ellipsoidal_area_m2, official_area_m2

#: Radius of the sphere that has the area of the ellipsoid GRS 80, which is that of CGCS2000 (Moritz 2000).
AUTHALIC_RADIUS_M = 6371007.1810


def zone_m2(south, north):
    """Area per radian of longitude between two latitudes, by Gauss-Legendre quadrature of M N cos B."""
    e2, a = ELLIPSOID.es, ELLIPSOID.a
    node, weight = np.polynomial.legendre.leggauss(40)
    b = np.radians(0.5 * (south + north) + 0.5 * (north - south) * node)
    density = a**2 * (1 - e2) * np.cos(b) / (1 - e2 * np.sin(b) ** 2) ** 2
    return float(np.sum(weight * density) * np.radians(north - south) / 2)


@pytest.mark.parametrize(
    ("west", "south", "east", "north"),
    [(112.0, 24.5, 112.125, 24.5 + 1 / 12), (-3.0, -2.0, 4.0, 1.0), (100.0, 0.0, 101.0, 60.0), (0.0, 80.0, 1.0, 90.0)],
)
def test_sheets_between_meridians_and_parallels(west, south, east, north):
    expected = zone_m2(south, north) * np.radians(east - west)
    assert official_area_m2([shapely.box(west, south, east, north)])[0] == pytest.approx(expected, rel=1e-10)


def test_the_whole_ellipsoid_has_the_published_area():
    eighth = official_area_m2([shapely.box(0, 0, 90, 90)])[0]
    assert 8 * eighth == pytest.approx(4 * np.pi * AUTHALIC_RADIUS_M**2, rel=1e-10)


def test_holes_parts_and_direction():
    shell, hole = shapely.box(112, 24, 112.1, 24.1), shapely.box(112.02, 24.02, 112.05, 24.05)
    ring = shapely.Polygon(shell.exterior.coords[::-1], [hole.exterior.coords])
    far = shapely.box(115, 20, 115.1, 20.1)
    whole, without, other = official_area_m2([shell, hole, far])
    found = official_area_m2([ring, shapely.MultiPolygon([ring, far]), shapely.Point(1, 1), None, shapely.Polygon()])
    assert np.allclose(found, [whole - without, whole - without + other, 0, 0, 0], rtol=1e-13)


def test_neighbours_add_up():
    rng = np.random.default_rng(3)
    points = shapely.MultiPoint(rng.uniform((112, 24), (113, 25), (40, 2)))
    city = shapely.box(112, 24, 113, 25)
    tiles = shapely.intersection(np.array(shapely.get_parts(shapely.voronoi_polygons(points, extend_to=city))), city)
    # Only edges along meridians and parallels are the same however they are divided; the tiles' border is such.
    assert official_area_m2(tiles).sum() == pytest.approx(official_area_m2([city])[0], rel=1e-12)


def parcels():
    rng = np.random.default_rng(4)
    at = [tuple(rng.uniform(-40_000, 40_000, 2)) for _ in range(12)]
    return Plane(112.45, 24.91), np.array([star(rng, p, r, 15) for p, r in zip(at, [40, 400, 4000] * 4, strict=True)])


def test_areas_in_the_plane_are_those_of_geodesics_along_denser_edges():
    plane, shapes = parcels()
    dense = plane.unproject(shapely.segmentize(shapes, 25.0))
    assert np.allclose(shapely.area(shapes), ellipsoidal_area_m2(dense), rtol=1e-7)


def test_the_official_formula_agrees_with_geodesics_along_denser_edges():
    plane, shapes = parcels()
    dense = plane.unproject(shapely.segmentize(shapes, 25.0))
    assert np.allclose(official_area_m2(dense), ellipsoidal_area_m2(dense), rtol=1e-7)


def test_slivers_of_any_size_agree_too():
    """Geodesic areas are rounded by some 1e-4 m² at any size, unlike the official formula."""
    plane = Plane(112.45, 24.91)
    needle = np.array([(0, 0), (9, 1), (8.5, 1.5), (1, 0.4)])
    shapes = np.array([shapely.Polygon(needle * size + (3e4, -2e4)) for size in (0.03, 0.1, 1, 10, 100)])
    # By the shoelace formula, (5 + 1.9) / 2 = 3.45 for a size of one.
    assert shapely.area(shapes) == pytest.approx(3.45 * np.array([0.03, 0.1, 1, 10, 100]) ** 2, rel=1e-8)
    dense = plane.unproject(shapely.segmentize(shapes, 1.0))
    # A degree has no finer digits than 1.6e-9 m, here along an outline of half a metre and more.
    assert official_area_m2(dense) == pytest.approx(shapely.area(shapes), rel=1e-7, abs=1e-9)
    assert ellipsoidal_area_m2(dense) == pytest.approx(shapely.area(shapes), rel=1e-7, abs=1e-4)
