"""Candidate reference systems of coordinates, by where they would lie; candidates are listed, never chosen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Transformer

from lzgis.coordinates.gauss_kruger import NUMBERS, Zone, numbered, prefix_of
from lzgis.coordinates.plane import ELLIPSOID, Coordinates, Geometries
from lzgis.messages import Message

#: China in degrees: west, south, east, north. Coordinates outside were declared wrongly.
CHINA_DEG = (73.0, 3.0, 136.0, 54.0)
_MIDDLE_DEG = (110.0, 33.0)
_FOOT_M = 0.3048
_SAMPLE = 64


@dataclass(frozen=True)
class Candidate:
    """A candidate system of coordinates, and where they lie in it.

    Attributes
    ----------
    reading : Message
        The system: a code, perhaps with its axes exchanged.
    lon_deg, lat_deg : float
        The middle of the coordinates, in degrees on CGCS2000.
    distance_m : float
        Distance from the outline, 0 inside; NaN without an outline.
    azimuth_deg : float
        Direction from the outline, clockwise from north; NaN inside or without an outline.
    """

    reading: Message
    lon_deg: float
    lat_deg: float
    distance_m: float = np.nan
    azimuth_deg: float = np.nan

    @property
    def inside(self) -> bool:
        """Whether the coordinates lie within the outline."""
        return self.distance_m == 0

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> Message:
        """The candidate in a few words."""
        if self.inside:
            return Message("{reading} (lands in the city)", reading=self.reading)
        if np.isnan(self.distance_m):
            return Message(
                "{reading} (lands at {lon:.3f} E {lat:.3f} N)",
                reading=self.reading,
                lon=self.lon_deg,
                lat=self.lat_deg,
            )
        return Message(
            "{reading} (lands {km:,.0f} km {direction} of the city)",
            reading=self.reading,
            km=self.distance_m / 1000,
            direction=compass(self.azimuth_deg),
        )


def compass(azimuth_deg: float) -> Message:
    """Name a direction in eight parts.

    Examples
    --------
    >>> compass(91), compass(-44)
    ('east', 'north-west')
    """
    names = (
        Message("north"),
        Message("north-east"),
        Message("east"),
        Message("south-east"),
        Message("south"),
        Message("south-west"),
        Message("west"),
        Message("north-west"),
    )
    return names[round(azimuth_deg / 45) % 8]


def candidate_systems(points: Coordinates, near: shapely.Geometry | None = None) -> list[Candidate]:
    """Return the systems used in China in which coordinates would lie in China, the most likely first.

    Parameters
    ----------
    points : array of float, shape (n, 2)
        The coordinates as read, x before y; about 64 of them are tried.
    near : shapely geometry, optional
        The outline of the city in degrees on CGCS2000; candidates are sorted by their distance from it.

    Returns
    -------
    list of Candidate
        The candidates in China; of those in feet, only the ones in the city. Without an outline they are sorted by their
        distance from the middle of the country.

    Examples
    --------
    >>> for one in candidate_systems(np.array([[38445000.0, 2765000.0]]), shapely.box(113, 24, 114, 26)):
    ...     print(one)
    EPSG:4526 (lands in the city)
    """
    sample = _sample(points)
    if not len(sample):
        return []
    found = []
    for reading, place, in_feet in _trials(sample):
        if not in_china(place).all():
            continue
        lon, lat = np.median(place, axis=0)
        distance, azimuth = _from_outline(place, near) if near is not None else (np.nan, np.nan)
        if distance == 0 or not in_feet:
            found.append(Candidate(reading, float(lon), float(lat), distance, azimuth))
    if near is not None:
        return sorted(found, key=lambda one: one.distance_m)
    return sorted(found, key=lambda one: round(np.hypot(one.lon_deg - _MIDDLE_DEG[0], one.lat_deg - _MIDDLE_DEG[1])))


def in_china(lonlat: Coordinates) -> npt.NDArray[np.bool_]:
    """Return whether longitudes and latitudes (n, 2) lie in the bounding box of China; False for NaN."""
    west, south, east, north = CHINA_DEG
    x, y = lonlat.T
    return np.asarray((x >= west) & (x <= east) & (y >= south) & (y <= north))


def distance_from(lonlat: Coordinates, outline: shapely.Geometry) -> tuple[Coordinates, Coordinates]:
    """Return distances in metres and azimuths in degrees from an outline to points, given in degrees; 0 and NaN inside.

    Distances are measured on the ellipsoid from the point of the outline that is nearest in degrees scaled by the cosine
    of the latitude, which is exact enough for messages in kilometres.
    """
    scale = np.cos(np.radians(shapely.centroid(outline).y))
    flat = shapely.transform(outline, lambda xy: xy * [scale, 1.0])
    points = shapely.points(lonlat * [scale, 1.0])
    edges = _edges(flat)
    edge = edges[shapely.STRtree(edges).nearest(points)]
    nearest = shapely.get_coordinates(shapely.get_point(shapely.shortest_line(edge, points), 0)) / [scale, 1.0]
    azimuth, _, distance = ELLIPSOID.inv(*nearest.T, *lonlat.T)
    shapely.prepare(flat)
    inside = shapely.intersects(flat, points)
    return np.where(inside, 0.0, distance), np.where(inside, np.nan, azimuth)


def _edges(outline: shapely.Geometry) -> Geometries:
    """Cut an outline into its edges."""
    rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(shapely.get_parts(outline))]
    return np.asarray(shapely.linestrings(np.concatenate([np.stack([xy[:-1], xy[1:]], axis=1) for xy in rings])))


def _from_outline(place: Coordinates, outline: shapely.Geometry) -> tuple[float, float]:
    distance, azimuth = distance_from(place, outline)
    middle = int(np.argsort(distance, kind="stable")[len(distance) // 2])
    return float(distance[middle]), float(azimuth[middle])


def _sample(points: Coordinates) -> Coordinates:
    finite = points[np.isfinite(points).all(axis=1)]
    return finite[:: max(1, len(finite) // _SAMPLE)][:_SAMPLE]


def _trials(sample: Coordinates) -> Iterator[tuple[Message, Coordinates, bool]]:
    for swapped in (False, True):
        xy = sample[:, ::-1] if swapped else sample
        for code in _codes(xy):
            place = np.column_stack(_transformer(code).transform(*xy.T))
            yield _reading(code, swapped, in_feet=False), place, False
            # Feet are tried only for numbers that are neither degrees nor metres with a zone number.
            if code.startswith("EPSG:45") and np.abs(xy[:, 0]).max() < 1e7:
                feet = np.column_stack(_transformer(code).transform(*(xy * _FOOT_M).T))
                yield _reading(code, swapped, in_feet=True), feet, True


def _reading(code: str, swapped: bool, *, in_feet: bool) -> Message:
    if swapped:
        swapped_axes = Message("{code} with its two axes exchanged", code=code)
        return Message("{reading}, in feet", reading=swapped_axes) if in_feet else swapped_axes
    return Message("{code} in feet", code=code) if in_feet else Message("{code}", code=code)


def _codes(xy: Coordinates) -> list[str]:
    """Codes of the systems in which coordinates have such values, the most common first."""
    x, y = np.median(xy, axis=0)
    if abs(x) <= 180 and abs(y) <= 90:
        return ["EPSG:4490"]
    codes = []
    prefix = prefix_of(float(x))
    zone = numbered(prefix) if prefix else None
    if zone is not None:
        codes.append(zone.code)
    if abs(x) < 4e6:
        codes += [Zone(3, number, prefixed=False).code for number in NUMBERS[3]]
        codes += [f"EPSG:326{number}" for number in range(43, 54)]
    if 8e6 < abs(x) < 1.6e7:
        codes.append("EPSG:3857")
    return codes


@cache
def _transformer(code: str) -> Transformer:
    # WGS 84 is taken as CGCS2000, as everywhere in lzgis.
    crs = CRS.from_user_input(code)
    return Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)


def list_candidates(found: list[Candidate], most: int = 4) -> Message:
    """Write the first candidates, at least one, in one line."""
    first, *others = found[:most]
    if not others:
        return first.text
    return Message("{one}; {others}", one=first.text, others=list_candidates(others, most))
