"""How far lengths in the working plane are from those on the ellipsoid, across a province.

    python benchmarks/run_accuracy.py

The plane is that of a province of 450 by 350 km, or that of the county of 36 km around the place. Lengths of a kilometre are
compared with `pyproj.Geod` in eight directions, and areas of a square kilometre with its geodesic areas.
"""

from __future__ import annotations

import numpy as np
import shapely

from lzgis.coordinates.plane import ELLIPSOID, Plane, ellipsoidal_area_m2, length_error

MIDDLE = (112.5, 25.0)
SIDE_M = 1_000.0


def square(lon: float, lat: float) -> shapely.Polygon:
    """Return a square of a kilometre around a place, its sides divided so finely that they are geodesics."""
    corners = [ELLIPSOID.fwd(lon, lat, azimuth, SIDE_M / 2**0.5)[:2] for azimuth in (45, 135, 225, 315)]
    return shapely.segmentize(shapely.Polygon(corners), 1e-4)


def main() -> None:
    """Print a table in Markdown."""
    print("| from the middle | plane of the province, lengths | its areas | plane of the county, lengths at its edge |")
    print("| --- | --- | --- | --- |")
    whole = Plane(*MIDDLE)
    for km in (0, 25, 50, 100, 150, 200, 285):
        lons, lats, _ = ELLIPSOID.fwd(
            *(np.full(8, one) for one in MIDDLE), np.arange(0, 360, 45), np.full(8, km * 1000.0)
        )
        lengths = length_error(whole, lons, lats).max()
        squares = np.array([square(*place) for place in zip(lons, lats, strict=True)])
        areas = np.abs(shapely.area(whole.project(squares)) / ellipsoidal_area_m2(squares) - 1).max()
        own = max(
            length_error(Plane(round(lon, 2), round(lat, 2)), *ELLIPSOID.fwd(lon, lat, 45, 18_000 * 2**0.5)[:2]).max()
            for lon, lat in zip(lons, lats, strict=True)
        )
        print(f"| {km} km | {lengths:.1e} | {areas:.0e} | {own:.1e} |")


if __name__ == "__main__":
    main()
