"""The plane that a map of a site is drawn in: the 3-degree Gauss-Krüger zone of CGCS2000 that the site lies in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Transformer
from pyproj.crs import ProjectedCRS
from pyproj.crs.coordinate_operation import TransverseMercatorConversion

from lzgis.measure import CGCS2000

Geometries = npt.NDArray[np.object_]

#: Zones that EPSG has a code for, with the number of the zone before the easting.
_CODED = range(25, 46)


@dataclass(frozen=True)
class Zone:
    """A 3-degree zone; eastings carry its number.

    Parameters
    ----------
    number : int
        Number of the zone: its central meridian is three times as many degrees east.

    Examples
    --------
    >>> zone = Zone(37)
    >>> zone.meridian_deg, zone.epsg, zone.crs.to_epsg()
    (111, 4525, 4525)
    >>> x, y = shapely.get_coordinates(zone.project([shapely.Point(112.5, 25)]))[0]
    >>> round(float(x)), round(float(y))
    (37651436, 2766892)
    """

    number: int

    @property
    def meridian_deg(self) -> int:
        """Central meridian, degrees east."""
        return 3 * self.number

    @property
    def epsg(self) -> int | None:
        """Code of the zone; None outside China."""
        return 4488 + self.number if self.number in _CODED else None

    @cached_property
    def crs(self) -> CRS:
        """The zone as a coordinate reference system."""
        if self.epsg is not None:
            return CRS.from_epsg(self.epsg)
        conversion = TransverseMercatorConversion(0.0, float(self.meridian_deg), self.number * 1_000_000 + 500_000)
        return ProjectedCRS(conversion=conversion, name=f"zone {self.number}", geodetic_crs=CGCS2000)

    @cached_property
    def _forward(self) -> Transformer:
        return Transformer.from_crs(CGCS2000, self.crs, always_xy=True)

    @cached_property
    def _inverse(self) -> Transformer:
        return Transformer.from_crs(self.crs, CGCS2000, always_xy=True)

    def project(self, geometries: Any) -> Geometries:
        """Bring shapely geometries from degrees to eastings and northings."""
        return moved(geometries, self._forward.transform)

    def unproject(self, geometries: Any) -> Geometries:
        """Bring shapely geometries from eastings and northings to degrees; good enough to draw by."""
        return moved(geometries, self._inverse.transform)

    def places(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Any, Any]:
        """Bring coordinates from degrees to eastings and northings."""
        easting, northing = self._forward.transform(np.asarray(lon), np.asarray(lat))
        return easting, northing


def moved(geometries: Any, move: Callable[..., Any]) -> Geometries:
    """Move every vertex of geometries."""
    there: Any = shapely.transform(np.atleast_1d(np.asarray(geometries, dtype=object)), move, interleaved=False)
    return np.asarray(there, dtype=np.object_)


def zone_of(lon_deg: float) -> Zone:
    """Choose the zone that a longitude lies in.

    Examples
    --------
    >>> [zone_of(lon).number for lon in (111.0, 112.49, 112.51, 114.0)]
    [37, 37, 38, 38]
    """
    return Zone(int(np.floor(lon_deg / 3 + 0.5)))
