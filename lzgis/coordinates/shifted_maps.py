"""GCJ-02 and BD-09, the shifted coordinates of Amap, Baidu and other maps of China: conversion and detection.

The shift is some 600 m, that of BD-09 about twice as much. Both keep areas nearly unchanged, so no check of areas can detect
them. A shift is suspected where vertices coincide with known ones once it is undone, or where a name hints at it. WGS 84
is taken as CGCS2000.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely

from lzgis.coordinates.candidates import compass
from lzgis.coordinates.plane import ELLIPSOID, Coordinates, Geometries, move_points
from lzgis.messages import Message
from lzgis.model.report import Problem

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
    """Remove the shift by fixed-point iteration, to far below a centimetre.

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
    """Remove the shift by fixed-point iteration, to far below a centimetre.

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


Shift = Literal["gcj02", "bd09"]
#: Functions that remove each shift.
BACK: dict[Shift, Callable[[Coordinates, Coordinates], tuple[Coordinates, Coordinates]]] = {
    "gcj02": from_gcj02,
    "bd09": from_bd09,
}
#: Functions that apply each shift.
THERE: dict[Shift, Callable[[Coordinates, Coordinates], tuple[Coordinates, Coordinates]]] = {
    "gcj02": to_gcj02,
    "bd09": to_bd09,
}
TITLES: dict[Shift, str] = {"gcj02": "GCJ-02", "bd09": "BD-09"}
#: The least number of vertices that must coincide with known ones, the least share of the smaller set, and the least ratio
#: to the number that coincide without the shift.
_LEAST, _SHARE, _TIMES = 4, 0.05, 4
#: At most about this many vertices are compared.
_MOST = 20_000


@dataclass(frozen=True)
class Suspected:
    """A shift that brings vertices onto known ones.

    Attributes
    ----------
    shift : {"gcj02", "bd09"}
        Which.
    distance_m, azimuth_deg : float
        Length and direction of the displacement.
    before, after : int
        Number of vertices that coincide with known ones as they are, and with the shift removed.
    """

    shift: Shift
    distance_m: float
    azimuth_deg: float
    before: int
    after: int

    def problem(self, place: str) -> Problem:
        """Return a warning about `place`."""
        what = Message(
            "looks shifted by {shift:.0f} m to the {direction}, as {title} would be: {before} of its vertices meet those "
            "of known layers as they are, {after} with the shift taken away",
            shift=self.distance_m,
            direction=compass(self.azimuth_deg),
            title=TITLES[self.shift],
            before=self.before,
            after=self.after,
        )
        return Problem("warning", place, what, Message("if it is, read it with --from {name}", name=self.shift))


#: Vertices of which cells are computed at once.
_BLOCK = 1_000_000


def suspected_shift(given: Coordinates, known: Coordinates, *, within_m: float = 1.0) -> Suspected | None:
    """Compare vertices with known ones, as they are and with each shift removed.

    Parameters
    ----------
    given, known : array of float, shape (n, 2)
        Longitudes and latitudes in degrees: the vertices to check, and those of trusted layers.
    within_m : float
        Distance within which two vertices coincide.

    Returns
    -------
    Suspected or None
        None if no shift explains more than chance. That proves nothing for shapes that do not follow known borders.

    Examples
    --------
    >>> from lzgis.coordinates.shifted_maps import to_gcj02
    >>> known = np.random.default_rng(0).uniform((112.4, 24.9), (112.5, 25.0), (40, 2))
    >>> found = suspected_shift(np.column_stack(to_gcj02(*known.T)), known)
    >>> found.shift, round(found.distance_m), str(compass(found.azimuth_deg)), found.before, found.after
    ('gcj02', 625, 'south-east', 0, 40)
    >>> suspected_shift(known, known) is None
    True
    """
    given, known = _finite(given), _finite(known)
    if min(len(given), len(known)) < _LEAST:
        return None
    # The smaller set is moved and searched in the other: given ones back, or known ones forward.
    fewer_given = len(given) <= len(known)
    probe, others = (_sampled(given), known) if fewer_given else (_sampled(known), given)
    step_deg = within_m / 111_320.0 / np.array([np.cos(np.radians(probe[:, 1].mean())), 1.0])
    # Sorting is enough for the search; removing duplicates would take longer than everything else.
    cells = np.concatenate(
        [_cell(np.floor(some / step_deg)) for some in np.array_split(others, len(others) // _BLOCK + 1)]
    )
    cells.sort()
    before = int(_meets(probe, cells, step_deg).sum())
    best: Suspected | None = None
    for shift in BACK:
        moved = np.column_stack((BACK if fewer_given else THERE)[shift](*probe.T))
        meets = _meets(moved, cells, step_deg)
        after = int(meets.sum())
        if after >= max(_LEAST, _SHARE * len(probe), _TIMES * before) and (best is None or after > best.after):
            true, shifted = (moved, probe) if fewer_given else (probe, moved)
            azimuth, _, distance = ELLIPSOID.inv(*true[meets].T, *shifted[meets].T)
            best = Suspected(shift, float(distance.mean()), float(np.median(azimuth)), before, after)
    return best


def shifted_back(geometries: Geometries, shift: Shift) -> Geometries:
    """Remove a shift from geometries in degrees."""
    return move_points(BACK[shift], geometries)


def vertices(geometries: Geometries) -> Coordinates:
    """Return the vertices of geometries, shape (n, 2)."""
    return np.asarray(shapely.get_coordinates(geometries))


def _finite(points: Coordinates) -> Coordinates:
    there = np.isfinite(points).all(axis=1)
    return points if there.all() else points[there]


def _cell(index: Coordinates) -> np.ndarray:
    column, row = index.astype(np.int64).T
    return np.asarray(column * np.int64(1_000_000_000) + row)


def _sampled(points: Coordinates) -> Coordinates:
    """Drop duplicates, such as closing points of rings, and thin out the rest to the limit."""
    different = np.unique(points[:, 0] + 1j * points[:, 1])
    different = different[:: -(-len(different) // _MOST)]
    return np.column_stack([different.real, different.imag])


def _meets(points: Coordinates, cells: np.ndarray, step_deg: np.ndarray) -> np.ndarray:
    """Return whether a known vertex lies in the cell of each point or in a neighbouring cell, within two steps."""
    index = np.floor(points / step_deg)
    meets = np.zeros(len(points), dtype=bool)
    for offset in ((column, row) for column in (-1, 0, 1) for row in (-1, 0, 1)):
        wanted = _cell(index + np.array(offset))
        at = np.minimum(np.searchsorted(cells, wanted), len(cells) - 1)
        meets |= cells[at] == wanted
    return meets


#: Fields by which files of web services are recognised, all of them in GCJ-02: DataV and Amap, Amap's places, Tencent's.
_SERVICES: dict[str, frozenset[str]] = {
    "DataV": frozenset(("adcode", "childrenNum")),
    "Amap": frozenset(("adcode", "citycode", "center")),
    "Amap (POI)": frozenset(("pname", "cityname", "adname")),
}


def shifted_by_fields(columns: Iterable[object], place: str) -> list[Problem]:
    """Return a warning if the fields of a file are those of a web service whose coordinates are shifted.

    Examples
    --------
    >>> [str(p.what) for p in shifted_by_fields(["adcode", "name", "childrenNum"], "city.json")]
    ['its fields are those of DataV, whose coordinates are in GCJ-02']
    """
    names = {str(one) for one in columns}
    for service, fields in _SERVICES.items():
        if fields <= names:
            what = Message("its fields are those of {service}, whose coordinates are in GCJ-02", service=service)
            return [
                Problem("warning", place, what, Message('if it is, write from = "{name}" in its entry', name="gcj02"))
            ]
    return []


_NAMES: dict[Shift, str] = {
    "gcj02": r"gcj|火星|高德|amap|腾讯|tencent|autonavi",
    "bd09": r"bd-?_?09|百度|baidu",
}


def shifted_by_name(name: str, columns: Iterable[object], *, place: str = "") -> list[Problem]:
    """Return which shifted map the name of a file or of its fields hints at, as sentences; `place` is named instead of it.

    Examples
    --------
    >>> [str(p.what) for p in shifted_by_name("高德选点.kml", ["name"])]
    ["'高德选点.kml' hints at a map in GCJ-02"]
    """
    found = []
    for shift, words in _NAMES.items():
        for one in (name, *(str(c) for c in columns)):
            if re.search(words, one, re.IGNORECASE):
                what = Message("'{text}' hints at a map in {title}", text=one[:80], title=TITLES[shift])
                remedy = Message("if it is, read it with --from {name}", name=shift)
                found.append(Problem("warning", place or name, what, remedy))
                break
    return found
