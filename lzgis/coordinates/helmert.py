"""Seven-parameter (Helmert) transformations between datums, with parameters given by the user."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from pyproj import CRS, Transformer

from lzgis.coordinates.plane import CGCS2000, Geometries, move_points
from lzgis.errors import ConfigError
from lzgis.messages import Message

CONVENTIONS = ("coordinate-frame", "position-vector")


@dataclass(frozen=True)
class Helmert:
    """Seven parameters to CGCS2000: shifts in metres, rotations in seconds of arc, scale in parts per million.

    `convention` is the sign convention of the rotations. ``coordinate-frame`` (EPSG 9607) is that of the 布尔莎 model as Chinese
    surveying offices give it: X' = dx + (1 + s) (X + rz·Y - ry·Z), and so on; ``position-vector`` (EPSG 9606) has the
    rotations the other way round.
    """

    dx_m: float
    dy_m: float
    dz_m: float
    rx_arcsec: float
    ry_arcsec: float
    rz_arcsec: float
    scale_ppm: float
    convention: str = "coordinate-frame"

    def __str__(self) -> str:
        return ",".join(str(value) for value in astuple(self))

    def geodetic(self, base: CRS, place: str) -> Transformer:
        """Return the transformer of longitudes and latitudes on `base` to CGCS2000, both in degrees.

        Raises
        ------
        ConfigError
            If `base` has no ellipsoid.
        """
        if base.ellipsoid is None or CGCS2000.ellipsoid is None:
            what = Message("{name} has no ellipsoid", name=base.name)
            raise ConfigError(place, what, Message("declare another system with --crs"))
        ellipsoids = [(e.semi_major_metre, e.inverse_flattening) for e in (base.ellipsoid, CGCS2000.ellipsoid)]
        there, here = (f"+proj=cart +a={a} +rf={rf}" for a, rf in ellipsoids)
        shift = " ".join(
            f"+{name}={value}"
            for name, value in zip(("x", "y", "z", "rx", "ry", "rz", "s"), astuple(self), strict=False)
        )
        return Transformer.from_pipeline(
            "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
            f"+step {there} +step +proj=helmert {shift} +convention={self.convention.replace('-', '_')} "
            f"+step +inv {here} +step +proj=unitconvert +xy_in=rad +xy_out=deg"
        )

    def apply(self, geometries: Geometries, base: CRS, place: str) -> Geometries:
        """Transform geometries in degrees on `base` to degrees on CGCS2000; heights are taken as zero."""
        transformer = self.geodetic(base, place)

        def move(lon: Any, lat: Any) -> tuple[Any, Any]:
            moved_lon, moved_lat, _ = transformer.transform(lon, lat, np.zeros_like(lon))
            return moved_lon, moved_lat

        return move_points(move, geometries)


def read_helmert(text: str) -> Helmert:
    """Read seven parameters as ``dx,dy,dz,rx,ry,rz,s``, optionally followed by another convention.

    Raises
    ------
    ConfigError
        If there are not seven numbers, or one is larger than any between datums of China.

    Examples
    --------
    >>> read_helmert("-15.1,110.2,60.3,0.1,-0.2,1.5,-3.2").rz_arcsec
    1.5
    >>> read_helmert("1,2,3,0,0,0,0,position-vector").convention
    'position-vector'
    """
    place = "--helmert"
    form = Message("write dx,dy,dz in metres, rx,ry,rz in seconds of arc, s in parts per million")
    parts = [part.strip() for part in text.replace("，", ",").split(",")]
    convention = parts.pop() if len(parts) == 8 else CONVENTIONS[0]
    if convention not in CONVENTIONS:
        what = Message("'{name}' is not known", name=convention)
        raise ConfigError(place, what, Message("allowed: {names}", names=", ".join(CONVENTIONS)))
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        raise ConfigError(place, Message("'{given}' is not allowed", given=text), form) from None
    if len(numbers) != 7 or not all(map(math.isfinite, numbers)):
        raise ConfigError(place, Message("'{given}' is not allowed", given=text), form)
    limits = (1000.0,) * 3 + (60.0,) * 3 + (100.0,)
    if any(abs(number) > limit for number, limit in zip(numbers, limits, strict=True)):
        raise ConfigError(place, Message("'{given}' is larger than any shift between datums", given=text), form)
    dx, dy, dz, rx, ry, rz, scale = numbers
    return Helmert(dx, dy, dz, rx, ry, rz, scale, convention)
