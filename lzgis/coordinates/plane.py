"""The working plane of a city, and areas on the ellipsoid of CGCS2000.

One plane is used for a whole city: Lambert azimuthal equal-area on the CGCS2000 ellipsoid, centred on the city. Areas in it
are areas on the ellipsoid; at 50 km from the centre the relative error of a length is less than 1e-5. No border of a
Gauss-Krüger zone divides it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Geod, Transformer
from pyproj.crs import ProjectedCRS
from pyproj.crs.coordinate_operation import LambertAzimuthalEqualAreaConversion

from lzgis.errors import LayerError
from lzgis.messages import Message

CGCS2000 = CRS.from_epsg(4490)
ELLIPSOID = Geod(a=6378137.0, rf=298.257222101)

#: The length (m) by which errors of lengths are measured.
_PROBE_M = 1000.0

Geometries = npt.NDArray[np.object_]
Coordinates = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Plane:
    """The equal-area plane of a city.

    Parameters
    ----------
    lon_deg, lat_deg : float
        Its centre, in degrees on CGCS2000 (EPSG:4490).

    Examples
    --------
    >>> plane = Plane(112.5, 25.0)
    >>> square = shapely.box(112.50, 25.00, 112.51, 25.01)
    >>> there = plane.project([square])
    >>> round(float(shapely.area(there)[0]))
    1118209
    >>> bool(shapely.equals_exact(plane.unproject(there)[0], square, 1e-12))
    True
    """

    lon_deg: float
    lat_deg: float

    @cached_property
    def crs(self) -> CRS:
        """The plane as a coordinate reference system."""
        return ProjectedCRS(
            name=f"CGCS2000 / equal-area plane at {self.lon_deg:g} {self.lat_deg:g}",
            conversion=LambertAzimuthalEqualAreaConversion(self.lat_deg, self.lon_deg),
            geodetic_crs=CGCS2000,
        )

    @cached_property
    def _forward(self) -> Transformer:
        return Transformer.from_crs(CGCS2000, self.crs, always_xy=True)

    @cached_property
    def _inverse(self) -> Transformer:
        return Transformer.from_crs(self.crs, CGCS2000, always_xy=True)

    def places(self, lon_deg: Coordinates, lat_deg: Coordinates) -> tuple[Coordinates, Coordinates]:
        """Project coordinates in degrees to metres in the plane."""
        x, y = self._forward.transform(lon_deg, lat_deg)
        return x, y

    def project(self, geometries: Any) -> Geometries:
        """Project geometries from degrees (longitude, latitude on CGCS2000) to metres in the plane."""
        return move_points(self._forward.transform, geometries)

    def unproject(self, geometries: Any) -> Geometries:
        """Project geometries from metres in the plane back to degrees (longitude, latitude on CGCS2000)."""

        def back(x: Coordinates, y: Coordinates) -> tuple[Coordinates, Coordinates]:
            # PROJ before 9.6 inverts the authalic latitude by a short series, 1.5 mm off; one fixed-point step corrects it.
            again_x, again_y = self._forward.transform(*self._inverse.transform(x, y))
            lon, lat = self._inverse.transform(2 * x - again_x, 2 * y - again_y)
            return lon, lat

        return move_points(back, geometries)


def length_error(plane: Plane, lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike) -> Coordinates:
    """Return the greatest relative error of a short length in a plane, in any direction, at places in degrees.

    Parameters
    ----------
    plane : Plane
        The plane.
    lon_deg, lat_deg : array_like
        The places (EPSG:4490).

    Returns
    -------
    array of float
        The error; 1e-6 is a millimetre in a kilometre. It is measured against `pyproj.Geod` along eight directions.

    Examples
    --------
    >>> length_error(Plane(112.5, 25.0), [112.5, 112.8, 115.5], [25.0, 25.3, 27.5]).round(6).tolist()
    [0.0, 1.1e-05, 0.000554]
    """
    lon, lat = (np.atleast_1d(np.asarray(one, dtype=float)) for one in (lon_deg, lat_deg))
    worst = np.zeros(len(lon))
    x, y = plane.places(lon, lat)
    for azimuth in np.arange(0.0, 180.0, 22.5):
        there_lon, there_lat, _ = ELLIPSOID.fwd(lon, lat, np.full(len(lon), azimuth), np.full(len(lon), _PROBE_M))
        there_x, there_y = plane.places(there_lon, there_lat)
        worst = np.maximum(worst, np.abs(np.hypot(there_x - x, there_y - y) / _PROBE_M - 1))
    return worst


def plane_for(bounds_deg: tuple[float, float, float, float]) -> Plane:
    """Choose the plane of a city from its bounds in degrees (west, south, east, north).

    The centre is rounded to 0.01 degree, so that an outline redrawn by a few metres has the same plane.

    Examples
    --------
    >>> plane_for((112.1143, 24.6143, 112.7833, 25.2024))
    Plane(lon_deg=112.45, lat_deg=24.91)
    """
    west, south, east, north = bounds_deg
    return Plane(round((west + east) / 2, 2), round((south + north) / 2, 2))


def ellipsoidal_area_m2(geometries: Any) -> npt.NDArray[np.float64]:
    """Area on the CGCS2000 ellipsoid of polygons in degrees, their edges taken as geodesics.

    This is the independent check of areas measured in the plane. It is slow: one geometry at a time.

    Examples
    --------
    >>> ellipsoidal_area_m2([shapely.box(112.50, 25.00, 112.51, 25.01)]).round()
    array([1118209.])
    """
    return np.array([abs(ELLIPSOID.geometry_area_perimeter(shapely.orient_polygons(g))[0]) for g in geometries])


def ellipsoidal_length_m(geometries: Any) -> npt.NDArray[np.float64]:
    """Length on the CGCS2000 ellipsoid of lines in degrees, their edges taken as geodesics; points have none.

    Examples
    --------
    >>> ellipsoidal_length_m([shapely.LineString([(112.50, 25.00), (112.51, 25.00)])]).round(1)
    array([1009.5])
    """
    return np.array([ELLIPSOID.geometry_length(g) for g in geometries])


#: Coefficients of the powers 0, 2, 4, 6, 8 of the eccentricity in A to E of the official formula.
_OFFICIAL = np.array(
    [
        [1.0, 3 / 6, 30 / 80, 35 / 112, 630 / 2304],
        [0.0, 1 / 6, 15 / 80, 21 / 112, 420 / 2304],
        [0.0, 0.0, 3 / 80, 7 / 112, 180 / 2304],
        [0.0, 0.0, 0.0, 1 / 112, 45 / 2304],
        [0.0, 0.0, 0.0, 0.0, 5 / 2304],
    ]
)


def official_area_m2(geometries: Any) -> Coordinates:
    """Area of polygons in degrees by the official formula of the land surveys, on the ellipsoid of CGCS2000.

    Each edge and a meridian make a trapezoid, as wide as the middle of the edge is far from the meridian; trapezoids
    are added up with their signs. Only the given vertices count: edges are not made denser.

    Parameters
    ----------
    geometries : array of shapely geometries, shape (n,)
        Longitude, latitude in degrees on CGCS2000 (EPSG:4490). Holes are taken off; lines and points have no area.

    Returns
    -------
    array of float, shape (n,)
        Square metres on the ellipsoid.

    Notes
    -----
    国土调查办发〔2008〕32号, formula (2), with A to E as given there: series in the eccentricity to its eighth power, of
    which what is left out is less than 1e-11 of the area.

    Examples
    --------
    >>> official_area_m2([shapely.box(112.50, 25.00, 112.51, 25.01)]).round()
    array([1118209.])
    """
    shapes = np.atleast_1d(np.asarray(geometries, dtype=object))
    parts, owner = shapely.get_parts(shapes, return_index=True)
    polygonal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    parts, owner = shapely.orient_polygons(parts[polygonal]), owner[polygonal]
    rings, part = shapely.get_rings(parts, return_index=True)
    degrees, ring = shapely.get_coordinates(rings, return_index=True)
    # A near meridian: with a far one, large trapezoids would nearly cancel each other.
    west = shapely.bounds(parts)[:, 0][part][ring]
    lon, lat = np.radians(degrees[:, 0] - west), np.radians(degrees[:, 1])
    edge = ring[1:] == ring[:-1]
    size = _trapezoids(0.5 * (lon[1:] + lon[:-1])[edge], lat[:-1][edge], lat[1:][edge])
    total: Coordinates = np.bincount(owner[part[ring[:-1][edge]]], weights=size, minlength=len(shapes)).astype(float)
    return total


def _trapezoids(width: Coordinates, begin: Coordinates, end: Coordinates) -> Coordinates:
    """Areas between a meridian and edges from latitude `begin` to `end`, in radians; negative towards the south."""
    power = ELLIPSOID.es ** np.arange(5)
    middle, half = 0.5 * (begin + end), 0.5 * (end - begin)
    total = np.zeros(len(width))
    for k, constant in enumerate(_OFFICIAL @ power):
        odd = 2 * k + 1
        total += (-1) ** k * constant * np.sin(odd * half) * np.cos(odd * middle)
    size: Coordinates = 2.0 * ELLIPSOID.b**2 * width * total
    return size


def to_cgcs2000(
    geometries: Any, crs: CRS, place: str, *, also: Collection[str] = ()
) -> tuple[Geometries, tuple[str, ...]]:
    """Transform geometries to degrees on CGCS2000, and return the steps.

    CGCS2000 and WGS 84 agree within a metre and are taken as equal, which the returned steps say. Any other datum is
    refused: PROJ would leave Xian 1980 and Beijing 1954 coordinates unchanged without a warning. `also` names further datums
    that agree as well.

    Returns
    -------
    geometries : array of shapely geometries
        Longitude, latitude in degrees.
    how : tuple of str
        What was done; empty if nothing.

    Raises
    ------
    LayerError
        If the system has no geographic base or its datum is neither CGCS2000 nor WGS 84.
    """
    base = crs.geodetic_crs
    datum = base.datum.name if base is not None and base.datum is not None else ""
    is_wgs84 = ("WGS" in datum and "84" in datum) or "World Geodetic System 1984" in datum
    agreeing = next((one for one in also if one in datum), "")
    if base is None or not (is_wgs84 or agreeing or _is_cgcs2000(base, datum)):
        remedy = Message(
            "give data converted to CGCS2000 (EPSG:4490) by the surveying authority, or its seven parameters with --helmert"
        )
        what = Message("the datum of {name} is not CGCS2000 ('{value}')", name=crs.name, value=datum or "none")
        if base is not None and base.to_epsg(min_confidence=70) is None and _is_earth(base):
            what = Message(
                "the datum '{value}' is not known by name, though its ellipsoid is that of CGCS2000", value=datum
            )
            remedy = Message(
                "write the datum of CGCS2000 (D_China_2000) into the .prj if it is meant, or give data in EPSG:4490"
            )
        raise LayerError(place, what, remedy)
    _refuse_other_ellipsoid(base, crs, place)
    _refuse_other_degrees(base, crs, place)
    steps: list[str] = []
    array = np.atleast_1d(np.asarray(geometries, dtype=object))
    if not crs.is_geographic:
        array = move_points(Transformer.from_crs(crs, base, always_xy=True).transform, array)
        steps.append(Message("{place}: unprojected from {name}", place=place, name=crs.name))
    if is_wgs84:
        steps.append(Message("{place}: WGS 84 taken as CGCS2000 (they agree within a metre)", place=place))
    if agreeing:
        steps.append(
            Message("{place}: {datum} taken as CGCS2000 (they agree within a metre)", place=place, datum=datum)
        )
    return array, tuple(steps)


#: Inverse flattenings of CGCS2000 and WGS 84.
_INVERSE_FLATTENINGS = (298.257222101, 298.257223563)
#: A plane of projection is raised by no more than this (m); a larger ellipsoid is another one.
_HIGHEST_M = 9000.0


def _is_earth(base: CRS) -> bool:
    """Return whether an ellipsoid has the numbers of CGCS2000 or WGS 84, whatever its name."""
    ellipsoid = base.ellipsoid
    if ellipsoid is None:
        return False
    flat = min(abs(ellipsoid.inverse_flattening - one) for one in _INVERSE_FLATTENINGS) < 1e-5
    return bool(flat and abs(ellipsoid.semi_major_metre - ELLIPSOID.a) < 1e-3)


#: The unit of a degree in radians is written with no fewer digits than these.
_DEGREE, _DEGREE_DIGITS = float(np.pi / 180), 1e-8


def _refuse_other_degrees(base: CRS, crs: CRS, place: str) -> None:
    """Refuse a system whose longitudes do not count from Greenwich, or whose angles are not in degrees."""
    meridian = base.prime_meridian
    if meridian is not None and meridian.longitude != 0.0:
        what = Message(
            "{name} counts longitudes from {meridian}, not from Greenwich", name=crs.name, meridian=meridian.name
        )
    elif any(abs(axis.unit_conversion_factor / _DEGREE - 1) > _DEGREE_DIGITS for axis in base.axis_info[:2]):
        what = Message("{name} has angles in {unit}, not in degrees", name=crs.name, unit=base.axis_info[0].unit_name)
    else:
        return
    raise LayerError(place, what, Message("give data in degrees from Greenwich (EPSG:4490)"))


def _refuse_other_ellipsoid(base: CRS, crs: CRS, place: str) -> None:
    """Refuse a system that is CGCS2000 or WGS 84 by name only."""
    ellipsoid = base.ellipsoid
    if ellipsoid is None or _is_earth(base):
        return
    higher = ellipsoid.semi_major_metre - ELLIPSOID.a
    same_form = min(abs(ellipsoid.inverse_flattening - one) for one in _INVERSE_FLATTENINGS) < 1e-2
    values = {"name": crs.name, "a": ellipsoid.semi_major_metre, "f": ellipsoid.inverse_flattening}
    if same_form and 0 < abs(higher) < _HIGHEST_M:
        what = Message(
            "{name} is on an ellipsoid enlarged by {higher:.1f} m (a = {a:.3f} m, 1/f = {f:.9g}), as for a raised plane (抵偿面)",
            higher=higher,
            **values,
        )
        raise LayerError(
            place, what, Message("give data converted to CGCS2000 (EPSG:4490), or parameters with --helmert")
        )
    what = Message(
        "{name} calls itself CGCS2000 or WGS 84, but its ellipsoid is another one ('{value}', a = {a:.3f} m, 1/f = {f:.9g})",
        value=ellipsoid.name,
        **values,
    )
    remedy = Message("look which datum the coordinates are in, and correct the .prj or convert them to CGCS2000")
    raise LayerError(place, what, remedy)


def _is_cgcs2000(base: CRS, datum: str) -> bool:
    return base.to_epsg() in (4490, 4480, 4479) or datum in ("China 2000", "D_China_2000", "China_2000")


#: Coordinates that are moved at once.
_BLOCK = 1_000_000


def move_points(move: Callable[..., Any], geometries: Any) -> Geometries:
    """Apply ``move(x, y) -> (x, y)`` to every point of geometries."""
    given = np.atleast_1d(np.asarray(geometries, dtype=object))
    # In blocks: the coordinates of all at once would need several times the memory of the geometries.
    ends = np.cumsum(shapely.get_num_coordinates(given).ravel())
    total = int(ends[-1]) if len(ends) else 0
    if total <= _BLOCK or given.ndim != 1:
        return np.asarray(shapely.transform(given, move, interleaved=False), dtype=object)
    cuts = np.unique(np.searchsorted(ends, np.arange(_BLOCK, total, _BLOCK)))
    blocks = (one for one in np.split(given, cuts) if len(one))
    return np.concatenate([shapely.transform(one, move, interleaved=False) for one in blocks])
