"""The working plane and the ellipsoid, against pyproj.Geod and a closed formula."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import CRS, Geod, Transformer
from shapely import LineString, Point, Polygon, box

from lzgis.coordinates.plane import Plane, ellipsoidal_area_m2, plane_for, to_cgcs2000
from lzgis.errors import LayerError

GEOD = Geod(a=6378137.0, rf=298.257222101)
# The reference city lies in both Gauss-Krüger zones: 37 to the west of 112.5 E, 38 to the east.
WEST, SOUTH, EAST, NORTH = BOUNDS = (112.11, 24.61, 112.78, 25.20)
PLANE = plane_for(BOUNDS)


def degrees(n: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.c_[random.uniform(WEST, EAST, n), random.uniform(SOUTH, NORTH, n)]


def trapezoid_area_m2(west: float, south: float, east: float, north: float) -> float:
    """Area between two meridians and two parallels on the ellipsoid, in closed form."""
    a, f = 6378137.0, 1 / 298.257222101
    e2 = f * (2 - f)
    e = np.sqrt(e2)

    def q(lat: float) -> float:
        s = np.sin(np.radians(lat))
        return (1 - e2) * (s / (1 - e2 * s * s) - np.log((1 - e * s) / (1 + e * s)) / (2 * e))

    return float(a * a * np.radians(east - west) / 2 * (q(north) - q(south)))


def test_the_plane_is_centred_on_the_bounds_to_a_hundredth_of_a_degree():
    # (112.11 + 112.78) / 2 = 112.445 and (24.61 + 25.20) / 2 = 24.905, rounded to two places.
    assert PLANE.lon_deg == pytest.approx(112.445, abs=0.0051)
    assert PLANE.lat_deg == pytest.approx(24.905, abs=0.0051)
    assert plane_for((112.1101, 24.6102, 112.7801, 25.1999)) == plane_for((112.1103, 24.6102, 112.7803, 25.1999))


@pytest.mark.parametrize(
    "bounds",
    [(112.12, 24.65, 112.13, 24.66), (112.495, 24.99, 112.505, 25.0), (112.77, 25.19, 112.78, 25.2), BOUNDS],
    ids=["zone 37", "both zones", "zone 38", "the whole city"],
)
def test_areas_in_the_plane_are_those_between_meridians_and_parallels(bounds):
    dense = shapely.segmentize(box(*bounds), 1e-3)
    exact = trapezoid_area_m2(*bounds)
    assert shapely.area(PLANE.project([dense]))[0] == pytest.approx(exact, rel=2e-9)
    assert ellipsoidal_area_m2([dense])[0] == pytest.approx(exact, rel=2e-7)


def test_areas_of_parcels_agree_with_the_geodesic_ones_anywhere_in_the_city():
    for lon, lat in degrees(40, seed=1):
        parcel = box(lon, lat, lon + 0.004, lat + 0.003) - box(lon + 0.001, lat + 0.001, lon + 0.002, lat + 0.002)
        measured = shapely.area(PLANE.project([parcel]))[0]
        expected = abs(GEOD.geometry_area_perimeter(shapely.orient_polygons(parcel))[0])
        # Straight edges in the plane against geodesics: under a square decimetre on 14 hectares.
        assert measured == pytest.approx(expected, rel=1e-6)
        assert ellipsoidal_area_m2([parcel])[0] == pytest.approx(expected, rel=1e-12)


def test_lengths_and_distances_are_true_metres_anywhere_in_the_city():
    starts, ends = degrees(200, seed=2), degrees(200, seed=3)
    near = starts + (ends - starts) * 0.02
    for a, b in [*zip(starts, ends, strict=True), *zip(starts, near, strict=True)]:
        line = PLANE.project([LineString([a, b])])[0]
        expected = GEOD.inv(*a, *b)[2]
        assert line.length == pytest.approx(expected, rel=1e-4)
        distance_m = shapely.distance(*PLANE.project([Point(a), Point(b)]))
        assert distance_m == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("lon", [112.11, 112.4999, 112.5001, 112.78])
@pytest.mark.parametrize("azimuth", [0, 45, 90, 200])
def test_twenty_metres_are_twenty_metres_on_both_sides_of_the_zone_border(lon, azimuth):
    for lat in (24.61, 24.9, 25.2):
        there = GEOD.fwd(lon, lat, azimuth, 20.0)[:2]
        distance_m = shapely.distance(*PLANE.project([Point(lon, lat), Point(there)]))
        assert distance_m == pytest.approx(20.0, abs=20e-4)


def test_there_and_back_keeps_every_coordinate_to_a_few_nanometres():
    points = shapely.points(degrees(500, seed=4))
    back = PLANE.unproject(PLANE.project(points))
    # 1e-13 of a degree is about eleven nanometres.
    assert np.abs(shapely.get_coordinates(back) - shapely.get_coordinates(points)).max() < 1e-13


def test_missing_and_empty_geometries_pass_through():
    moved = PLANE.project([None, Polygon(), Point(112.5, 25)])
    assert moved[0] is None
    assert moved[1].is_empty
    assert moved[2].geom_type == "Point"
    assert len(PLANE.project([])) == 0


def test_holes_and_parts_are_counted_as_they_should():
    outer = box(112.50, 25.00, 112.52, 25.02)
    hole = box(112.505, 25.005, 112.51, 25.01)
    both = shapely.MultiPolygon([outer - hole, hole])
    areas = ellipsoidal_area_m2([outer, hole, outer - hole, both])
    assert areas[2] == pytest.approx(areas[0] - areas[1], rel=1e-12)
    assert areas[3] == pytest.approx(areas[0], rel=1e-12)


@pytest.mark.parametrize(
    "code",
    [4610, 2382, 2383, 4214, 2434, 2435, 4258, 4267, 4322],
    ids=[
        "Xian 1980",
        "Xian GK 111",
        "Xian GK 114",
        "Beijing 1954",
        "Beijing GK 111",
        "Beijing GK 114",
        "ETRS89",
        "NAD27",
        "WGS 72",
    ],
)
def test_other_datums_are_refused(code):
    with pytest.raises(LayerError, match=r"^here: the datum of .* is not CGCS2000 .*; give data converted"):
        to_cgcs2000([Point(500_000, 2_700_000)], CRS.from_epsg(code), "here")


def test_a_local_system_without_a_datum_is_refused():
    local = CRS.from_wkt('LOCAL_CS["site grid",UNIT["metre",1],AXIS["X",EAST],AXIS["Y",NORTH]]')
    with pytest.raises(LayerError, match="is not CGCS2000"):
        to_cgcs2000([Point(0, 0)], local, "here")


@pytest.mark.parametrize("code", [4525, 4526, 4546, 4547])
def test_projected_cgcs2000_is_unprojected_and_reported(code):
    crs = CRS.from_epsg(code)
    east, north = Transformer.from_crs(4490, crs, always_xy=True).transform(112.5, 25.0)
    # Zone-prefixed systems have eight digits in the easting, the others six.
    assert len(str(int(east))) == (8 if code in (4525, 4526) else 6)
    there, how = to_cgcs2000([Point(east, north), None], crs, "sites.gpkg")
    assert shapely.get_coordinates(there[0])[0].tolist() == pytest.approx([112.5, 25.0], abs=1e-11)
    assert there[1] is None
    assert how == (f"sites.gpkg: unprojected from {crs.name}",)


@pytest.mark.parametrize("code", [4326, 32649, 3857])
def test_wgs84_is_taken_as_cgcs2000_and_reported(code):
    x, y = Transformer.from_crs(4326, code, always_xy=True).transform(112.5, 25.0)
    there, how = to_cgcs2000([Point(x, y)], CRS.from_epsg(code), "sites.shp")
    assert shapely.get_coordinates(there[0])[0].tolist() == pytest.approx([112.5, 25.0], abs=1e-11)
    assert "WGS 84 taken as CGCS2000" in how[-1]
    assert len(how) == (1 if code == 4326 else 2)


def test_cgcs2000_itself_needs_no_word():
    there, how = to_cgcs2000([Point(112.5, 25.0)], CRS.from_epsg(4490), "here")
    assert how == ()
    assert there[0].equals(Point(112.5, 25.0))


def test_cgcs2000_is_known_by_the_names_that_software_gives_it():
    esri = CRS.from_wkt(
        'GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",'
        'SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
    )
    assert to_cgcs2000([Point(112.5, 25.0)], esri, "here")[1] == ()


def test_the_plane_names_itself():
    assert Plane(112.5, 25.0).crs.name == "CGCS2000 / equal-area plane at 112.5 25"
    assert Plane(112.5, 25.0).crs.is_projected
