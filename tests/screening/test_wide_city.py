"""A city 600 km wide: lengths, distances and corridors are those on the ellipsoid, by `pyproj.Geod`, not those in its plane."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

import lzgis as lz
from lzgis.coordinates.plane import CGCS2000, ELLIPSOID, plane_for

#: What the documentation promises: one millimetre in a kilometre.
EXACT = 1e-6
CATALOGUE = """
[city]
name = "一省"
[layer.city]
title = "省域"
role = "outline"
source = "city.gpkg"
[layer.reserve]
title = "保护区"
source = "reserve.gpkg"
[layer.roads]
title = "公路"
source = "roads.gpkg"
geometry = "line"
baseline = "centreline"
"""
RULES = """
[book]
name = "省规则"
version = "1"
[layers]
reserve = "保护区"
roads = "公路"
[document.made]
title = "规则"
certainty = "lore"
[rule.reserve]
kind = "avoid"
layer = "reserve"
title = "保护区"
severity = "prohibited"
strength = "law"
basis = [{ document = "made" }]
effective_from = 2020-01-01
[rule.roads]
kind = "keep_away"
layer = "roads"
distance_m = 40
title = "公路"
severity = "conditional"
strength = "law"
basis = [{ document = "made" }]
effective_from = 2020-01-01
"""
#: Far from the middle of the city, and where its plane is off most.
CORNER = (115.2, 26.4)
OUTLINE = shapely.box(109.5, 23.0, 115.5, 27.0)


def walked(start: tuple[float, float], azimuth: float, metres: np.ndarray) -> np.ndarray:
    """Return places on a geodesic."""
    lon, lat, _ = ELLIPSOID.fwd(*(np.full(len(metres), one) for one in (*start, azimuth)), metres)
    return np.column_stack([lon, lat])


def beside(line: np.ndarray, metres: float) -> np.ndarray:
    """Return places as far to the right of the vertices of a line."""
    there, back, _ = ELLIPSOID.inv(*line[:-1].T, *line[1:].T)
    azimuth = np.append(there, back[-1] + 180)
    lon, lat, _ = ELLIPSOID.fwd(*line.T, azimuth + 90, np.full(len(line), metres))
    return np.column_stack([lon, lat])


def write(folder: Path, name: str, shape: shapely.Geometry) -> None:
    made = gpd.GeoDataFrame({"id": [name], "name": [name]}, geometry=[shape], crs=CGCS2000)
    made.to_file(folder / f"{name}.gpkg", engine="pyogrio")


ROAD = walked(CORNER, 37.0, np.arange(0.0, 3_001.0, 100.0))


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wide")
    write(folder, "city", shapely.segmentize(OUTLINE, 0.05))
    write(folder, "roads", shapely.LineString(ROAD))
    # A reserve across a line to the south-west: 2 km of the line lie in it.
    across = walked((110.0, 23.4), 60.0, np.array([10_000.0, 12_000.0]))
    write(folder, "reserve", shapely.Polygon([*beside(across, 500.0), *beside(across, -500.0)[::-1]]))
    (folder / "catalog.toml").write_text(CATALOGUE, "utf-8")
    (folder / "rules.toml").write_text(RULES, "utf-8")
    return folder


def screened(city: Path, *shapes: shapely.Geometry) -> lz.Report:
    sites = gpd.GeoDataFrame({"id": [f"s{at}" for at in range(len(shapes))]}, geometry=[*shapes], crs=CGCS2000)
    return lz.screen(sites, city, as_of="2026-01-01")


def roads_of(report: lz.Report) -> gpd.GeoDataFrame:
    return report.findings[report.findings["rule"] == "roads"].sort_values("site_id")


def test_distances_are_geodesics(city: Path) -> None:
    near = [shapely.Point(beside(ROAD, metres)[15]) for metres in (15.2512, 600.0, 5_000.0)]
    found = roads_of(screened(city, *near))["distance_m"].to_numpy(dtype=float)
    assert found == pytest.approx([15.2512, 600.0, 5_000.0], rel=EXACT)
    # In the plane of the city they are not.
    plane = plane_for(OUTLINE.bounds)
    flat = shapely.distance(plane.project([shapely.LineString(ROAD)])[0], plane.project(near))
    assert np.abs(flat / found - 1).min() > 1e-4


def test_a_limit_is_held_against_the_distance_on_the_ellipsoid(city: Path) -> None:
    # 2 mm nearer and farther than the 40 m of the rule; the plane is off by 10 mm there.
    states = roads_of(screened(city, *(shapely.Point(beside(ROAD, one)[15]) for one in (39.998, 40.002))))["state"]
    assert states.tolist() == [lz.State.INVOLVED, lz.State.CLEAR]


def test_the_area_in_a_corridor_is_exact(city: Path) -> None:
    some = ROAD[10:16]
    site, part = (shapely.Polygon([*beside(some, 15.0), *beside(some, far)[::-1]]) for far in (100.0, 40.0))
    [row] = roads_of(screened(city, site)).itertuples()
    exact = shapely.area(plane_for(OUTLINE.bounds).project([part]))[0]
    # The ends of the strip are radii of the corridor: it holds no arcs.
    assert row.area_m2 == pytest.approx(exact, rel=EXACT)
    assert row.geometry.area == pytest.approx(part.area, rel=2e-5)


def test_lengths_are_geodesic_whole_in_a_zone_and_in_a_corridor(city: Path) -> None:
    line = walked((110.0, 23.4), 60.0, np.arange(0.0, 60_001.0, 500.0))
    cross = walked(tuple(ROAD[15]), 37.0 + 90.0, np.linspace(-300.0, 300.0, 13))
    report = screened(city, shapely.LineString(line), shapely.LineString(cross))
    assert report.verdicts["site_length_m"].to_numpy(dtype=float) == pytest.approx([60_000.0, 600.0], rel=EXACT)
    inside = report.findings[(report.findings["rule"] == "reserve") & (report.findings["site_id"] == "s0")]
    assert inside["length_m"].to_numpy(dtype=float) == pytest.approx([2_000.0], rel=EXACT)
    across = roads_of(report).set_index("site_id").loc["s1"]
    assert across["length_m"] == pytest.approx(80.0, rel=1e-5)


def test_a_site_longer_than_a_plane_is_measured_piece_by_piece(city: Path) -> None:
    along = walked(CORNER, 37.0, np.arange(-30_000.0, 30_001.0, 500.0))
    [row] = roads_of(screened(city, shapely.LineString(beside(along, 25.0)))).itertuples()
    assert row.distance_m == pytest.approx(25.0, abs=2e-3)
    # The corridor ends in arcs of 40 m, which the line beside it crosses 31.22 m beyond the ends of the road.
    assert row.length_m == pytest.approx(3_000.0 + 2 * (40.0**2 - 25.0**2) ** 0.5, abs=0.02)


def test_the_reference_city_is_measured_in_its_plane() -> None:
    from lzgis.city.catalogue import open_catalogue
    from lzgis.city.reference import reference_city

    assert open_catalogue(reference_city()).inexact_plane is None
