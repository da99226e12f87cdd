"""Transformation of coordinates as read to degrees on CGCS2000, with checks of system and position."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import NoReturn

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from lzgis.coordinates.candidates import CHINA_DEG, candidate_systems, compass, distance_from, in_china, list_candidates
from lzgis.coordinates.gauss_kruger import Zone, prefix_of, zone_of
from lzgis.coordinates.helmert import Helmert
from lzgis.coordinates.plane import Coordinates, Geometries, move_points, to_cgcs2000
from lzgis.coordinates.profiles import DEFAULT, Profile, profile
from lzgis.coordinates.shifted_maps import TITLES, Shift, shifted_back, suspected_shift, vertices
from lzgis.errors import ConfigError, LzgisError, SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem

#: Features nearer to the city than this may belong to a neighbour. Farther away, a candidate system that would put them
#: inside the city means that the wrong system is declared.
_NEIGHBOUR_M = 5_000.0
#: Eastings and northings of China are larger than this (m).
_LEAST_COORDINATE_M = 100_000.0
#: Larger numbers than these are metres, not degrees.
_LARGEST_DEG = 1_000.0
#: Millimetres in a metre: the unit of some drawings.
_MM = 1_000.0


@dataclass(frozen=True)
class Georeference:
    """What is known about coordinates: their system, and what the user declares.

    Attributes
    ----------
    crs : CRS, optional
        Their reference system, from the input or declared by the user.
    helmert : Helmert, optional
        The seven parameters from its datum to CGCS2000, given by the user.
    shifted : {"", "gcj02", "bd09"}
        The map whose shift is to be removed.
    near : shapely geometry, optional
        The outline of the city, in degrees.
    profile : Profile
        The part of the world that the city lies in.
    """

    crs: CRS | None = None
    helmert: Helmert | None = None
    shifted: Shift | str = ""
    near: shapely.Geometry | None = None
    profile: Profile = field(default_factory=partial(profile, DEFAULT))


@dataclass(frozen=True, eq=False)
class Located:
    """Geometries in degrees on CGCS2000, the steps of their transformation, and the problems found."""

    geometry: Geometries
    crs: CRS
    transforms: tuple[str, ...]
    problems: tuple[Problem, ...]


def locate(geometries: Geometries, given: Georeference, place: str) -> Located:
    """Transform geometries to degrees on CGCS2000; refuse those whose position contradicts their system.

    Parameters
    ----------
    geometries : array of shapely geometries
        Coordinates as read: x (longitude, easting) before y, None where a row has none.
    given : Georeference
        Their system, and what the user declares.
    place : str
        The name of the input, for messages.

    Raises
    ------
    SourceError
        If they have no reference system, or lie outside China, or lie far from the city although another system would put
        them inside it.
    LayerError
        If their datum is neither CGCS2000 nor WGS 84 and no parameters are given.

    Examples
    --------
    >>> square = np.array([shapely.box(38445000, 2765000, 38445100, 2765100)], dtype=object)
    >>> locate(square, Georeference(CRS.from_epsg(4526)), "plan.shp").transforms
    ('plan.shp: unprojected from CGCS2000 / 3-degree Gauss-Kruger zone 38',)
    >>> locate(square, Georeference(CRS.from_epsg(4547)), "plan.shp")
    Traceback (most recent call last):
    ...
    lzgis.errors.SourceError: plan.shp: eastings begin with zone 38, which EPSG:4547 does not have; EPSG:4526 fits
    """
    array = np.atleast_1d(np.asarray(geometries, dtype=object))
    raw = vertices(array)
    if given.crs is None:
        _refuse_without_system(raw, given.near, place)
    crs, problems = _horizontal(given.crs, place)
    _refuse_wrong_zone(array, crs, place)
    there, transforms, moved = _moved(array, crs, given, place)
    problems += moved
    _refuse_abroad(vertices(there), raw, crs, given, place)
    there, strays = _without_strays(there, array, code_of(crs), place, given.profile)
    problems += strays
    if given.near is not None:
        problems += _beside_the_city(there, array, crs, given.near, place)
    return Located(there, crs, transforms, tuple(problems))


def all_outside(geometries: Geometries, area: shapely.Geometry) -> bool:
    """Return whether no geometry intersects an area; both in degrees, or both in one plane."""
    shapely.prepare(area)
    return not bool(shapely.intersects(area, geometries).any())


def location_problems(geometries: Geometries, outline: shapely.Geometry, place: str) -> list[Problem]:
    """Report a layer that lies wholly outside the city, or is shifted as by GCJ-02 or BD-09; all in degrees."""
    if len(geometries) and all_outside(geometries, outline):
        west, south, east, north = shapely.total_bounds(geometries)
        distance, azimuth = distance_from(np.array([[(west + east) / 2, (south + north) / 2]]), outline)
        what = Message(
            "no feature of it lies in the city; its middle is {km:,.0f} km {direction}",
            km=distance[0] / 1000,
            direction=compass(float(np.nan_to_num(azimuth[0]))),
        )
        return [Problem("error", place, what, Message("its rules are not checked; give the layer of this city"))]
    shift = suspected_shift(vertices(geometries), vertices(np.array([outline], dtype=object)))
    return [shift.problem(place)] if shift is not None else []


def declared_crs(text: str, place: str = "--crs") -> CRS:
    """Return the reference system that a user declares.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    try:
        return CRS.from_user_input(text)
    except CRSError:
        what = Message("'{crs}' is no reference system", crs=text)
        raise ConfigError(place, what, Message("write one like EPSG:4490")) from None


def code_of(crs: CRS) -> str:
    """Return the EPSG code of a system, recognised from ESRI's wording too; its name if it has none.

    Examples
    --------
    >>> code_of(CRS.from_wkt(CRS.from_epsg(4526).to_wkt("WKT1_ESRI")))
    'EPSG:4526'
    """
    code = crs.to_epsg() or crs.to_epsg(min_confidence=20)
    if code and not CRS.from_epsg(code).equals(crs, ignore_axis_order=True):
        # The nearest code is taken only if its parameters are the same.
        code = code if _same_parameters(CRS.from_epsg(code), crs) else None
    return f"EPSG:{code}" if code else crs.name


def _same_parameters(one: CRS, other: CRS) -> bool:
    def values(crs: CRS) -> list[float]:
        operation = crs.coordinate_operation
        return sorted(float(p.value) for p in operation.params) if operation is not None else []

    if one.ellipsoid is None or other.ellipsoid is None or one.is_geographic != other.is_geographic:
        return False
    flattening = abs(one.ellipsoid.inverse_flattening - other.ellipsoid.inverse_flattening) < 1e-6
    mine, theirs = values(one), values(other)
    return flattening and len(mine) == len(theirs) and np.allclose(mine, theirs, rtol=0, atol=1e-9)


def _refuse_without_system(raw: Coordinates, near: shapely.Geometry | None, place: str) -> NoReturn:
    found = candidate_systems(raw, near)
    remedy = Message("declare it, for instance EPSG:4490 or EPSG:4526")
    if found:
        remedy = Message("declare it with --crs; it may be {candidates}", candidates=list_candidates(found))
    raise SourceError(place, Message("has no coordinate reference system"), remedy)


def _horizontal(crs: CRS, place: str) -> tuple[CRS, list[Problem]]:
    """Return the horizontal part of a system without TOWGS84; refuse systems that are not tied to the Earth."""
    problems: list[Problem] = []
    if crs.is_bound and crs.source_crs is not None:
        what = Message("carries parameters of a shift (TOWGS84), which are not used")
        problems.append(
            Problem("note", place, what, Message("give parameters yourself with --helmert if they are right"))
        )
        crs = crs.source_crs
    if crs.is_compound:
        what = Message("is in a system with heights ({name}); only its plane part is used", name=crs.name)
        problems.append(Problem("note", place, what, Message("nothing to do: areas are plane areas")))
        crs = crs.sub_crs_list[0]
        if crs.is_bound and crs.source_crs is not None:
            crs = crs.source_crs
    remedy = Message("give data in CGCS2000, or correct what the file says of its system")
    if crs.is_engineering or crs.geodetic_crs is None:
        what = Message("is in a local system ('{name}') that nothing ties to the Earth", name=crs.name)
        raise SourceError(place, what, remedy)
    if crs.is_geocentric or crs.is_vertical:
        raise SourceError(place, Message("is in '{name}', which has no plane", name=crs.name), remedy)
    return crs, problems + _units(crs, place)


def _units(crs: CRS, place: str) -> list[Problem]:
    """Report units other than metres, and Web Mercator."""
    problems = []
    unit = crs.axis_info[0].unit_name if crs.axis_info else ""
    if crs.is_projected and unit not in ("metre", "Meter", "meter", "m"):
        what = Message("its unit is '{unit}', not metres", unit=unit)
        problems.append(
            Problem("note", place, what, Message("coordinates are converted; area fields are in that unit"))
        )
    if crs.to_epsg() == 3857 or "Mercator (Auxiliary" in crs.name or "Pseudo" in crs.name:
        what = Message("is in Web Mercator, in which areas are up to a fifth and more too large")
        remedy = Message("do not trust area fields of the file; areas are measured anew")
        problems.append(Problem("warning", place, what, remedy))
    return problems


def _refuse_wrong_zone(geometries: Geometries, crs: CRS, place: str) -> None:
    """Compare the zone number that eastings begin with to the declared system; every row has one vote."""
    zone = zone_of(crs)
    if zone is None:
        return
    raw = _elected(geometries, zone)
    if not len(raw):
        return
    x, y = raw[0]
    if prefix_of(float(y)) is not None and prefix_of(float(x)) is None:
        what = Message("X and Y look exchanged: northings begin with zone {number}", number=prefix_of(float(y)))
        raise SourceError(place, what, Message("exchange them, x being the easting"))
    prefix = prefix_of(float(x))
    fits = _fitting(raw)
    if prefix is not None and not (zone.prefixed and zone.number == prefix):
        what = Message(
            "eastings begin with zone {number}, which {code} does not have", number=prefix, code=code_of(crs)
        )
        raise SourceError(place, what, Message("{candidates} fits", candidates=fits) if fits else _correct_it())
    if prefix is None and zone.prefixed and 1e5 <= x < 1e6:
        fit = type(zone)(zone.width_deg, zone.number, prefixed=False, datum=zone.datum).code
        what = Message("eastings have no zone number, which {code} demands", code=code_of(crs))
        raise SourceError(place, what, Message("{candidates} fits", candidates=fit))


def _elected(geometries: Geometries, zone: Zone) -> Coordinates:
    """Return the middles of the rows that agree with most on the zone number of their eastings; a tie is for the zone.

    Rows near the origin, as the frame of a drawing has, cannot be coordinates of China and have no vote.
    """
    bounds = shapely.bounds(geometries)
    middles: Coordinates = np.asarray((bounds[:, :2] + bounds[:, 2:]) / 2)
    finite = np.isfinite(middles).all(axis=1)
    voters: Coordinates = middles[finite & (np.abs(middles) >= _LEAST_COORDINATE_M).all(axis=1)]
    if not len(voters):
        return voters
    prefixes = np.array([prefix_of(float(x)) or 0 for x in voters[:, 0]])
    values, counts = np.unique(prefixes, return_counts=True)
    most = values[counts == counts.max()]
    own = zone.number if zone.prefixed else 0
    elected: Coordinates = voters[prefixes == (own if own in most else most[0])]
    return elected


def _fitting(raw: Coordinates) -> str:
    found = candidate_systems(raw)
    return str(found[0].reading) if found else ""


def _correct_it() -> Message:
    return Message("correct the coordinates, or the system that is declared")


def _moved(
    geometries: Geometries, crs: CRS, given: Georeference, place: str
) -> tuple[Geometries, tuple[str, ...], list[Problem]]:
    """Unproject, transform the datum and remove a shift; each step is reported."""
    try:
        there, transforms = to_cgcs2000(geometries, crs, place, also=given.profile.datums)
        needed = False
    except LzgisError:
        if given.helmert is None:
            raise
        needed = True
    if needed:
        there, transforms = _by_parameters(geometries, crs, given.helmert, place)
    elif given.helmert is not None:
        what = Message("parameters are given, but {name} needs none", name=crs.name)
        raise SourceError(place, what, Message("leave --helmert out, or declare the datum it is in with --crs"))
    problems: list[Problem] = []
    for shift, title in TITLES.items():
        if shift == given.shifted:
            there = shifted_back(there, shift)
            transforms += (Message("{place}: shifted back from {title} to WGS 84", place=place, title=title),)
            what = Message("was shifted back from {title}, as requested", title=title)
            problems.append(Problem("note", place, what, Message("nothing to do if that is what it is in")))
    return there, transforms, problems


def _by_parameters(
    geometries: Geometries, crs: CRS, helmert: Helmert | None, place: str
) -> tuple[Geometries, tuple[str, ...]]:
    assert helmert is not None and crs.geodetic_crs is not None
    base = crs.geodetic_crs
    flat = geometries
    steps: list[str] = []
    if not crs.is_geographic:
        move = Transformer.from_crs(crs, base, always_xy=True).transform
        flat = move_points(move, geometries)
        steps.append(Message("{place}: unprojected from {name}", place=place, name=crs.name))
    step = Message(
        "{place}: from {name} to CGCS2000 by the user's seven parameters {values}",
        place=place,
        name=base.name,
        values=str(helmert),
    )
    return helmert.apply(flat, base, place), (*steps, step)


def _refuse_abroad(there: Coordinates, raw: Coordinates, crs: CRS, given: Georeference, place: str) -> None:
    """Refuse coordinates that all lie outside the box of the profile: their system is declared wrongly."""
    numbers = np.isfinite(raw).all(axis=1)
    if not numbers.any() or given.profile.holds(there[numbers]).any():
        return
    found = candidate_systems(raw, given.near)
    what = _why_abroad(there[numbers], raw[numbers], crs)
    if found:
        remedy = Message(
            "it may be {candidates}; correct the coordinates or what is declared", candidates=list_candidates(found)
        )
        raise SourceError(place, what, remedy)
    raise SourceError(place, what, _correct_it())


def _without_strays(
    there: Geometries, raw: Geometries, name: str, place: str, of: Profile
) -> tuple[Geometries, list[Problem]]:
    """Drop rows that reach beyond the box, as across the 180th meridian: they would intersect what they do not."""
    nowhere = np.flatnonzero(
        np.isfinite(shapely.bounds(raw)).all(axis=1) & ~np.isfinite(shapely.bounds(there)).all(axis=1)
    )
    if len(nowhere):
        there = there.copy()
        there[nowhere] = None
        what = Message("as {name} it lies nowhere on the Earth, and cannot be used", name=name)
        remedy = Message("take it out if it is no site, as the frame of a drawing")
        lost = [
            Problem("error", Message("{place}, row {row}", place=place, row=int(i) + 1), what, remedy) for i in nowhere
        ]
        kept, others = _without_strays(there, there, name, place, of)
        return kept, [*lost, *others]
    bounds = shapely.bounds(there)
    corners = of.holds(bounds[:, :2]) & of.holds(bounds[:, 2:])
    strays = np.flatnonzero(np.isfinite(bounds).all(axis=1) & ~corners)
    if not len(strays):
        return there, []
    kept = there.copy()
    kept[strays] = None
    problems = [
        Problem(
            "error",
            Message("{place}, row {row}", place=place, row=int(i) + 1),
            Message(
                "reaches from {west:.3f}, {south:.3f} to {east:.3f}, {north:.3f}, outside China, and cannot be used",
                **dict(zip(("west", "south", "east", "north"), map(float, bounds[i]), strict=True)),
            ),
            Message("correct its coordinates"),
        )
        for i in strays
    ]
    return kept, problems


def _why_abroad(there: Coordinates, raw: Coordinates, crs: CRS) -> Message:
    name = code_of(crs)
    x, y = raw[len(raw) // 2]
    west, south, east, north = CHINA_DEG
    if crs.is_geographic and west <= y <= east and south <= x <= north:
        return Message("longitude and latitude are exchanged")
    if crs.is_geographic and np.abs(raw).max() > _LARGEST_DEG:
        x, y = raw[int(np.argmax(np.abs(raw).max(axis=1)))]
        return Message("coordinates such as {x:.2f}, {y:.2f} are metres, but degrees are declared", x=x, y=y)
    if crs.is_geographic and (np.abs(raw[:, 0]).max() > 360 or np.abs(raw[:, 1]).max() > 90):
        return Message("coordinates such as {x:.2f}, {y:.2f} are no degrees of longitude and latitude", x=x, y=y)
    if not crs.is_geographic and _in_millimetres(raw, crs):
        return Message(
            "coordinates such as {x:.0f}, {y:.0f} are millimetres, but {name} is in metres", x=x, y=y, name=name
        )
    if not crs.is_geographic and west <= x <= east and south <= y <= north:
        return Message("coordinates such as {x:.5f}, {y:.5f} are degrees, but {name} is in metres", x=x, y=y, name=name)
    return _where_abroad(there, name)


def _in_millimetres(raw: Coordinates, crs: CRS) -> bool:
    """Return whether coordinates lie in China if they are millimetres."""
    base = crs.geodetic_crs
    if base is None or np.abs(raw[:, 1]).min() < 1e9:
        return False
    lon, lat = Transformer.from_crs(crs, base, always_xy=True).transform(*(raw / _MM).T)
    if in_china(np.column_stack([lon, lat])).all():
        return True
    # A drawing may add the zone number, or cut it off, in millimetres only.
    return bool(candidate_systems(raw / _MM))


def _where_abroad(there: Coordinates, name: str) -> Message:
    finite = there[np.isfinite(there).all(axis=1)]
    if len(finite) and (np.ptp(finite[:, 0]) > 180 or np.abs(finite[:, 0]).max() >= 179.9):
        return Message("reaches the 180th meridian, which no part of China does")
    if len(finite) and np.abs(finite[:, 1]).max() > 85:
        return Message("reaches a pole, which no part of China does")
    if len(finite):
        lon, lat = np.median(finite, axis=0)
        return Message("as {name} it lies outside China, at {lon:.3f}, {lat:.3f}", name=name, lon=lon, lat=lat)
    return Message("as {name} it lies nowhere on the Earth", name=name)


def _beside_the_city(there: Geometries, raw: Geometries, crs: CRS, near: shapely.Geometry, place: str) -> list[Problem]:
    """Report features outside the city; refuse them if another system would put them inside.

    Features a few kilometres away may belong to a neighbour, and stay.
    """
    bounds = shapely.bounds(there)
    usable = np.isfinite(bounds).all(axis=1)
    shapely.prepare(near)
    outside = np.flatnonzero(usable)
    outside = outside[~shapely.intersects(near, shapely.box(*bounds[outside].T))]
    if not len(outside):
        return []
    distance, azimuth = distance_from((bounds[outside, :2] + bounds[outside, 2:]) / 2, near)
    nearest = int(np.argmin(distance))
    km, direction = distance[nearest] / 1000, compass(azimuth[nearest])
    far = outside[distance > _NEIGHBOUR_M]
    fits = [one for one in candidate_systems(vertices(raw[far]), near) if one.inside] if len(far) else []
    if fits and len(far) == usable.sum():
        what = Message(
            "as {name} it lies {km:,.0f} km {direction} of the city", name=code_of(crs), km=km, direction=direction
        )
        remedy = Message("{candidates}: correct what is declared, or the coordinates", candidates=list_candidates(fits))
        raise SourceError(place, what, remedy)
    # No counts: the message is the same for a file read in pieces and for one read at once.
    what = Message("has features outside the city")
    remedy = Message("nothing is known there: they are not checked")
    if fits:
        remedy = Message("{candidates} would fit those far off: see what they are in", candidates=list_candidates(fits))
    return [Problem("warning", place, what, remedy)]
