"""Degrees, minutes and seconds packed into one decimal number, as surveying calculators write them: ddd.mmss."""

from __future__ import annotations

import numpy as np
import shapely

from lzgis.coordinates.plane import ELLIPSOID, Geometries
from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem

#: The fewest different numbers of degrees from which they may be packed.
_LEAST = 4
#: Packed numbers have at most so many decimals: two each of minutes and seconds, and four of a second.
_DECIMALS = 8


def unpacked(values: np.ndarray) -> np.ndarray:
    """Return decimal degrees of packed ones; NaN where the minutes or seconds would be 60 or more.

    Examples
    --------
    >>> unpacked(np.array([112.2436, 25.0, 112.725])).round(6)
    array([112.41,  25.  ,    nan])
    """
    size = np.abs(values)
    # The last decimal is rounded: 112.24 is stored as 112.2399999…
    packed = np.round(size * 10_000, _DECIMALS - 4)
    whole, rest = np.divmod(packed, 10_000)
    minutes, seconds = np.divmod(rest, 100)
    degrees = np.sign(values) * (whole + minutes / 60 + seconds / 3600)
    made: np.ndarray = np.where((minutes < 60) & (seconds < 60), degrees, np.nan)
    return made


def may_be_packed(xy: np.ndarray) -> bool:
    """Return whether coordinates in degrees, shape (n, 2), may all be packed: no pair of digits is 60 or more.

    Numbers with more decimals than packed ones have were computed, and two decimals may be minutes alone, in which no
    number is suspicious: such coordinates are not suspected.

    Examples
    --------
    >>> may_be_packed(np.array([[112.2401, 25.0302], [112.2415, 25.0317]]))
    True
    >>> may_be_packed(np.array([[112.2461, 25.0302], [112.2415, 25.0317]]))
    False
    """
    values = np.unique(xy[np.isfinite(xy).all(axis=1)])
    scaled = np.abs(values) * 10.0**_DECIMALS
    if len(values) < _LEAST or (np.abs(scaled - np.round(scaled)) > 1e-3).any():
        return False
    seconds = np.round(np.abs(values) * 10_000, _DECIMALS - 4) % 100
    return bool(np.isfinite(unpacked(values)).all() and (seconds > 0).any())


def packed_problems(raw: np.ndarray, near: shapely.Geometry | None, place: str) -> list[Problem]:
    """Report coordinates in degrees that may be packed; only if that would put the first of them into the city, if known.

    Parameters
    ----------
    raw : array, shape (n, 2)
        Longitudes and latitudes as read (degrees).
    near : shapely geometry, optional
        The outline of the city, in degrees.
    place : str
        The name of the input, for messages.
    """
    if not may_be_packed(raw):
        return []
    lon, lat = raw[np.isfinite(raw).all(axis=1)][0]
    x, y = unpacked(np.array([lon, lat])).tolist()
    if near is not None and not shapely.intersects_xy(shapely.envelope(near), x, y):
        return []
    what = Message(
        "may be degrees, minutes and seconds written as one decimal (ddd.mmss): no pair of digits is 60 or more; "
        "the first point would be {x:.6f}, {y:.6f}, {km:,.1f} km away",
        x=x,
        y=y,
        km=float(ELLIPSOID.inv(lon, lat, x, y)[2]) / 1000,
    )
    return [Problem("warning", place, what, Message("if they are, read them with --degrees packed"))]


def unpack_geometries(geometries: Geometries, place: str) -> Geometries:
    """Return geometries in decimal degrees of packed ones.

    Raises
    ------
    SourceError
        If a coordinate cannot be packed degrees; the message names its row.
    """
    xy, rows = shapely.get_coordinates(geometries, return_index=True)
    wrong = np.argwhere(~np.isfinite(unpacked(xy)) & np.isfinite(xy))
    if len(wrong):
        here = Message("{place}, row {row}", place=place, row=int(rows[wrong[0][0]]) + 1)
        value = f"{xy[tuple(wrong[0])]:.8f}".rstrip("0")
        what = Message("{value} is no ddd.mmss: its minutes or seconds are 60 or more", value=value)
        raise SourceError(here, what, Message("leave --degrees out if they are decimal degrees"))
    made: Geometries = shapely.transform(geometries, unpacked, include_z=False)
    return made
