"""GCJ-02 and BD-09, the shifted coordinates of Amap, Baidu and other maps of China: from WGS 84 and back.

The shift is some 600 m, that of BD-09 about twice as much; both keep areas nearly as they are, so no check of areas can
see them. WGS 84 is taken as CGCS2000.
"""

from __future__ import annotations

import numpy as np

from lzgis.measure import Coordinates

# The ellipsoid of Krassowsky, on which the shift is computed.
_A = 6378245.0
_EE = 0.00669342162296594323

# What BD-09 adds to GCJ-02: an offset, and ripples of this many radians per degree.
_BD_LON_DEG, _BD_LAT_DEG = 0.0065, 0.006
_BD_RIPPLE = np.pi * 3000.0 / 180.0


def to_gcj02(lon: Coordinates, lat: Coordinates) -> tuple[Coordinates, Coordinates]:
    """Shift longitudes and latitudes (degrees, WGS 84) as GCJ-02 does.

    Examples
    --------
    >>> lon, lat = to_gcj02(np.array([116.404]), np.array([39.915]))
    >>> lon.round(6), lat.round(6)
    (array([116.410244]), array([39.916404]))
    """
    x, y = lon - 105.0, lat - 35.0
    wave = 20.0 * (np.sin(6 * np.pi * x) + np.sin(2 * np.pi * x)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + wave
    north += (20 * np.sin(np.pi * y) + 40 * np.sin(np.pi * y / 3)) * 2 / 3
    north += (160 * np.sin(np.pi * y / 12) + 320 * np.sin(np.pi * y / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + wave
    east += (20 * np.sin(np.pi * x) + 40 * np.sin(np.pi * x / 3)) * 2 / 3
    east += (150 * np.sin(np.pi * x / 12) + 300 * np.sin(np.pi * x / 30)) * 2 / 3
    phi = np.radians(lat)
    magic = 1 - _EE * np.sin(phi) ** 2
    meridian = _A * (1 - _EE) / magic**1.5
    prime_vertical = _A / np.sqrt(magic)
    return lon + np.degrees(east / (prime_vertical * np.cos(phi))), lat + np.degrees(north / meridian)


def from_gcj02(lon: Coordinates, lat: Coordinates) -> tuple[Coordinates, Coordinates]:
    """Take the shift away again, by fixed point, to far below a centimetre.

    Examples
    --------
    >>> lon, lat = from_gcj02(*to_gcj02(np.array([112.5]), np.array([25.0])))
    >>> bool(np.hypot(lon - 112.5, lat - 25.0)[0] * 111_000 < 1e-6)
    True
    """
    back_lon, back_lat = lon, lat
    for _ in range(8):
        there_lon, there_lat = to_gcj02(back_lon, back_lat)
        back_lon, back_lat = back_lon + lon - there_lon, back_lat + lat - there_lat
    return back_lon, back_lat


def to_bd09(lon: Coordinates, lat: Coordinates) -> tuple[Coordinates, Coordinates]:
    """Shift longitudes and latitudes (degrees, WGS 84) as BD-09 does, the coordinates of Baidu.

    Examples
    --------
    >>> lon, lat = to_bd09(np.array([116.404]), np.array([39.915]))
    >>> lon.round(6), lat.round(6)
    (array([116.416627]), array([39.9227]))
    """
    x, y = to_gcj02(lon, lat)
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * _BD_RIPPLE)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * _BD_RIPPLE)
    return radius * np.cos(angle) + _BD_LON_DEG, radius * np.sin(angle) + _BD_LAT_DEG


def from_bd09(lon: Coordinates, lat: Coordinates) -> tuple[Coordinates, Coordinates]:
    """Take the shift away again, by fixed point, to far below a centimetre.

    Examples
    --------
    >>> lon, lat = from_bd09(*to_bd09(np.array([112.5]), np.array([25.0])))
    >>> bool(np.hypot(lon - 112.5, lat - 25.0)[0] * 111_000 < 1e-6)
    True
    """
    back_lon, back_lat = lon, lat
    for _ in range(12):
        there_lon, there_lat = to_bd09(back_lon, back_lat)
        back_lon, back_lat = back_lon + lon - there_lon, back_lat + lat - there_lat
    return back_lon, back_lat
