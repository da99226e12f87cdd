"""Zones that maps and drawings are made in: Gauss-Krüger zones of China, with and without prefix, and zones of UTM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Transformer
from pyproj.crs import ProjectedCRS
from pyproj.crs.coordinate_operation import TransverseMercatorConversion

from lzgis.coordinates.plane import CGCS2000

Geometries = npt.NDArray[np.object_]
Datum = Literal["CGCS2000", "Xian 1980", "Beijing 1954", "WGS 84"]

# The code of zone 25 (3 degrees wide) and of zone 13 (6 degrees wide), with the prefix and without.
_FIRST: dict[tuple[str, int, bool], int] = {
    ("CGCS2000", 3, True): 4513,
    ("CGCS2000", 3, False): 4534,
    ("CGCS2000", 6, True): 4491,
    ("CGCS2000", 6, False): 4502,
    ("Xian 1980", 3, True): 2349,
    ("Xian 1980", 3, False): 2370,
    ("Xian 1980", 6, True): 2327,
    ("Xian 1980", 6, False): 2338,
    ("Beijing 1954", 3, True): 2401,
    ("Beijing 1954", 3, False): 2422,
    ("Beijing 1954", 6, True): 21413,
    ("Beijing 1954", 6, False): 21453,
}
#: Numbers of the zones of China by width in degrees. The two ranges do not overlap: a number determines the width.
NUMBERS = {3: range(25, 46), 6: range(13, 24)}


@dataclass(frozen=True)
class Zone:
    """A zone of the Gauss-Krüger projection.

    Parameters
    ----------
    width_deg : {3, 6}
        Width of the zone.
    number : int
        Number of the zone. EPSG has codes for the zones of China: 25 to 45 (3 degrees wide) and 13 to 23 (6 degrees).
    prefixed : bool
        Whether eastings begin with the number (8 digits) or not (6 digits).
    datum : {"CGCS2000", "Xian 1980", "Beijing 1954"}
        Datum of the coordinates.

    Examples
    --------
    >>> Zone(3, 38).epsg, Zone(3, 38, prefixed=False).epsg, Zone(3, 38).meridian_deg
    (4526, 4547, 114)
    >>> x, y = shapely.get_coordinates(Zone(3, 37).project([shapely.Point(112.5, 25)]))[0]
    >>> round(float(x)), round(float(y))
    (37651436, 2766892)
    """

    width_deg: int
    number: int
    prefixed: bool = True
    datum: Datum = "CGCS2000"

    @property
    def meridian_deg(self) -> int:
        """Longitude of the central meridian."""
        return 3 * self.number if self.width_deg == 3 else 6 * self.number - 3

    @property
    def epsg(self) -> int | None:
        """EPSG code; None outside China."""
        numbers = NUMBERS[self.width_deg]
        if self.number not in numbers:
            return None
        return _FIRST[self.datum, self.width_deg, self.prefixed] + self.number - numbers.start

    @property
    def name(self) -> str:
        """Its number as maps write it."""
        return str(self.number)

    @property
    def code(self) -> str:
        """EPSG code as text; empty outside China."""
        return "" if self.epsg is None else f"EPSG:{self.epsg}"

    @property
    def label(self) -> str:
        """Name of the zone in the names of CAD layers, as ``CGCS2000_3GK37``."""
        return f"{self.datum}_{self.width_deg}GK{self.number}"

    @cached_property
    def crs(self) -> CRS:
        """Reference system."""
        if self.epsg is not None:
            return CRS.from_epsg(self.epsg)
        easting = self.number * 1_000_000 * self.prefixed + 500_000
        conversion = TransverseMercatorConversion(0.0, float(self.meridian_deg), easting)
        return ProjectedCRS(conversion=conversion, name=f"zone {self.number}", geodetic_crs=CGCS2000)

    @cached_property
    def _forward(self) -> Transformer:
        return Transformer.from_crs(CGCS2000, self.crs, always_xy=True)

    @cached_property
    def _inverse(self) -> Transformer:
        return Transformer.from_crs(self.crs, CGCS2000, always_xy=True)

    def project(self, geometries: Any) -> Geometries:
        """Project geometries from degrees (CGCS2000) to eastings and northings in metres."""
        return moved(geometries, self._forward.transform)

    def unproject(self, geometries: Any) -> Geometries:
        """Project geometries from eastings and northings back to degrees; accurate enough for drawing."""
        return moved(geometries, self._inverse.transform)

    def places(self, lon_deg: npt.ArrayLike, lat_deg: npt.ArrayLike) -> tuple[Any, Any]:
        """Project coordinates from degrees (CGCS2000) to eastings and northings in metres."""
        easting, northing = self._forward.transform(np.asarray(lon_deg), np.asarray(lat_deg))
        return easting, northing


@dataclass(frozen=True)
class UtmZone(Zone):
    """A zone of UTM on WGS 84, 6 degrees wide, without its number before eastings.

    Parameters
    ----------
    south : bool
        Whether it is one of the southern hemisphere.

    Examples
    --------
    >>> zone = utm_zone(-1.5, 53.7)
    >>> zone.name, zone.code, zone.meridian_deg, zone.label
    ('30N', 'EPSG:32630', -3, 'WGS84_UTM30N')
    >>> utm_zone(174.8, -41.3).code
    'EPSG:32760'
    """

    prefixed: bool = False
    datum: Datum = "WGS 84"
    south: bool = False

    @property
    def meridian_deg(self) -> int:
        """Longitude of the central meridian."""
        return 6 * self.number - 183

    @property
    def epsg(self) -> int | None:
        """EPSG code."""
        return (32700 if self.south else 32600) + self.number

    @property
    def name(self) -> str:
        """Its number and hemisphere."""
        return f"{self.number}{'S' if self.south else 'N'}"

    @property
    def label(self) -> str:
        """Name of the zone in the names of CAD layers, as ``WGS84_UTM30N``."""
        return f"WGS84_UTM{self.name}"


def utm_zone(lon_deg: float, lat_deg: float) -> UtmZone:
    """Return the zone of UTM that a place lies in."""
    return UtmZone(6, int(np.floor((lon_deg + 180) / 6)) % 60 + 1, south=lat_deg < 0)


def moved(geometries: Any, move: Callable[..., Any]) -> Geometries:
    """Apply a function of coordinates, ``x, y -> x, y``, to every vertex of geometries."""
    there: Any = shapely.transform(np.atleast_1d(np.asarray(geometries, dtype=object)), move, interleaved=False)
    return np.asarray(there, dtype=np.object_)


def numbered(number: int, *, prefixed: bool = True, datum: Datum = "CGCS2000") -> Zone | None:
    """Return the zone of China with this number, which determines its width; None if there is none.

    Examples
    --------
    >>> numbered(38).width_deg, numbered(19).width_deg, numbered(12)
    (3, 6, None)
    """
    for width, numbers in NUMBERS.items():
        if number in numbers:
            return Zone(width, number, prefixed, datum)
    return None


def prefix_of(easting_m: float) -> int | None:
    """Return the zone number that an easting begins with; None for one without a prefix.

    Examples
    --------
    >>> prefix_of(38445123.4), prefix_of(445123.4)
    (38, None)
    """
    number = int(easting_m // 1_000_000) if abs(easting_m) < 1e9 else 0
    return number if any(number in numbers for numbers in NUMBERS.values()) else None


def zone_of(crs: CRS) -> Zone | None:
    """Return the Gauss-Krüger zone that a reference system is, by its parameters; None if it is none.

    A zone without prefix on a meridian that 3- and 6-degree zones share is called a 3-degree zone.

    Examples
    --------
    >>> zone_of(CRS.from_epsg(4526))
    Zone(width_deg=3, number=38, prefixed=True, datum='CGCS2000')
    >>> zone_of(CRS.from_epsg(32649)) is None
    True
    """
    if not crs.is_projected or crs.coordinate_operation is None:
        return None
    values = {one.name: float(one.value) for one in crs.coordinate_operation.params}
    meridian, easting = values.get("Longitude of natural origin"), values.get("False easting")
    scale = values.get("Scale factor at natural origin")
    if meridian is None or easting is None or scale is None or abs(scale - 1) > 1e-9:
        return None
    prefix, rest = divmod(easting, 1_000_000)
    if abs(rest - 500_000) > 1e-6:
        return None
    datum = _datum(crs)
    if prefix:
        found = numbered(int(prefix), datum=datum)
        return found if found is not None and abs(found.meridian_deg - meridian) < 1e-9 else None
    number = round(meridian / 3)
    on_meridian = number in NUMBERS[3] and abs(3 * number - meridian) < 1e-9
    return Zone(3, number, prefixed=False, datum=datum) if on_meridian else None


def _datum(crs: CRS) -> Datum:
    name = crs.geodetic_crs.name if crs.geodetic_crs is not None else ""
    if "Xian" in name:
        return "Xian 1980"
    return "Beijing 1954" if "Beijing" in name else "CGCS2000"


def utm_of(crs: CRS) -> UtmZone | None:
    """Return the zone of UTM on WGS 84 that a reference system is; None if it is none.

    Examples
    --------
    >>> utm_of(CRS.from_epsg(32630)).name, utm_of(CRS.from_epsg(4547))
    ('30N', None)
    """
    code = crs.to_epsg() or 0
    hundred, number = divmod(code, 100)
    return UtmZone(6, number, south=hundred == 327) if hundred in (326, 327) and 1 <= number <= 60 else None


def zone_around(lon_deg: float) -> Zone:
    """Return the 3-degree zone of CGCS2000 whose central meridian is nearest, also outside China.

    Examples
    --------
    >>> [zone_around(lon_deg).number for lon_deg in (111.0, 112.49, 112.51, 114.0)]
    [37, 37, 38, 38]
    """
    return Zone(3, int(np.floor(lon_deg / 3 + 0.5)))


def zone_at(lon_deg: float, width_deg: int = 3, *, prefixed: bool = True) -> Zone | None:
    """Return the zone that a longitude lies in; None outside China.

    Examples
    --------
    >>> zone_at(112.4).number, zone_at(112.6).number, zone_at(112.4, 6).number
    (37, 38, 19)
    """
    number = zone_around(lon_deg).number if width_deg == 3 else int(lon_deg // 6) + 1
    return Zone(width_deg, number, prefixed) if number in NUMBERS[width_deg] else None
