"""How far lengths in the working plane are from those on the ellipsoid, across a province.

    python benchmarks/run_accuracy.py

The plane is that of a province of 450 by 350 km, or that of the county of 36 km around the place. Lengths of a kilometre are
compared with `pyproj.Geod` in eight directions, and areas of a square kilometre with its geodesic areas. What is measured in a
province is what its findings state: lengths and distances on the ellipsoid.
"""

from __future__ import annotations

import numpy as np
import shapely

from lzgis.coordinates.plane import ELLIPSOID, Plane, ellipsoidal_area_m2, length_error
from lzgis.geometry import FeatureIndex
from lzgis.rules.for_sites.geodesic import LocalPlanes, lengths_m

MIDDLE = (112.5, 25.0)
SIDE_M = 1_000.0


def square(lon: float, lat: float) -> shapely.Polygon:
    """Return a square of a kilometre around a place, its sides divided so finely that they are geodesics."""
    corners = [ELLIPSOID.fwd(lon, lat, azimuth, SIDE_M / 2**0.5)[:2] for azimuth in (45, 135, 225, 315)]
    return shapely.segmentize(shapely.Polygon(corners), 1e-4)


def measured_error(plane: Plane, lons: np.ndarray, lats: np.ndarray) -> float:
    """Return the greatest error of lengths and distances as findings state them, from 10 m to 10 km in eight directions."""
    worst = 0.0
    for metres in (10.0, 100.0, 1_000.0, 10_000.0):
        for azimuth in np.arange(0.0, 360.0, 45.0):
            there = ELLIPSOID.fwd(lons, lats, np.full(len(lons), azimuth), np.full(len(lons), metres))[:2]
            begin, end = plane.project(shapely.points(lons, lats)), plane.project(shapely.points(*there))
            planes, at = LocalPlanes(plane, begin), np.arange(len(lons))
            apart = planes.distances_m(at, FeatureIndex(end), at, shapely.distance(begin, end))
            lines = shapely.linestrings(
                np.stack([shapely.get_coordinates(begin), shapely.get_coordinates(end)], axis=1)
            )
            found = np.concatenate([apart, lengths_m(lines, plane)])
            worst = max(worst, float(np.abs(found / metres - 1).max()))
    return worst


def main() -> None:
    """Print a table in Markdown."""
    print(
        "| from the middle | plane of a province, lengths | measured in it | its areas | plane of a county, at its corners |"
    )
    print("| --- | --- | --- | --- | --- |")
    whole = Plane(*MIDDLE)
    for km in (0, 25, 50, 100, 150, 200, 285):
        lons, lats, _ = ELLIPSOID.fwd(
            *(np.full(8, one) for one in MIDDLE), np.arange(0, 360, 45), np.full(8, km * 1000.0)
        )
        lengths = length_error(whole, lons, lats).max()
        stated = measured_error(whole, lons, lats)
        squares = np.array([square(*place) for place in zip(lons, lats, strict=True)])
        areas = np.abs(shapely.area(whole.project(squares)) / ellipsoidal_area_m2(squares) - 1).max()
        own = max(
            length_error(Plane(round(lon, 2), round(lat, 2)), *ELLIPSOID.fwd(lon, lat, 45, 18_000 * 2**0.5)[:2]).max()
            for lon, lat in zip(lons, lats, strict=True)
        )
        print(f"| {km} km | {lengths:.1e} | {stated:.0e} | {areas:.0e} | {own:.1e} |")


if __name__ == "__main__":
    main()
