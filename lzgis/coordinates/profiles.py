"""Profiles: what depends on the part of the world that a city lies in: plausible coordinates, datums, zones, units, formats."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.coordinates.gauss_kruger import Zone, utm_zone, zone_around

#: The profile of a city that names none.
DEFAULT = "cn"


@dataclass(frozen=True)
class Profile:
    """A part of the world.

    Attributes
    ----------
    name : str
        As a catalogue names it.
    title, title_en : str
        Titles.
    box_deg : tuple of float
        West, south, east and north of the box of plausible coordinates, in degrees.
    datums : tuple of str
        Names of datums that are taken as CGCS2000, besides WGS 84.
    crs : str
        The reference system of a layer whose entry names none; empty if it is that of its file.
    zones : {"gauss-kruger", "utm"}
        The zones that maps and drawings are made in.
    left_out : tuple of str
        Formats of results that cannot be written.
    unit : {"mu", "acre"}
        The unit of area that documents may give besides m² and hectares.
    unit_m2 : float
        Its size, m².
    numbers : str
        How a figure of documents looks, as ``1,234.5``: the signs of thousands and of decimals.
    words : mapping
        What replaces the wording, by language, section and key.
    codes : {"zh", "en"}
        Language of the codes of verdicts and states in files for programs.
    """

    name: str
    title: str
    title_en: str
    box_deg: tuple[float, float, float, float]
    datums: tuple[str, ...]
    crs: str
    zones: Literal["gauss-kruger", "utm"]
    left_out: tuple[str, ...]
    unit: Literal["mu", "acre"]
    unit_m2: float
    numbers: str
    codes: Literal["zh", "en"]
    words: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)

    def zone(self, lon_deg: float, lat_deg: float) -> Zone:
        """Return the zone that maps of a place are drawn in.

        Examples
        --------
        >>> profile("cn").zone(112.4, 24.8).code, profile("world").zone(-1.5, 53.8).code
        ('EPSG:4525', 'EPSG:32630')
        """
        return utm_zone(lon_deg, lat_deg) if self.zones == "utm" else zone_around(lon_deg)

    def holds(self, lonlat: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Return whether longitudes and latitudes (n, 2) lie in the box; False for NaN.

        Examples
        --------
        >>> profile("cn").holds(np.array([[112.4, 24.8], [-1.5, 53.8]])).tolist()
        [True, False]
        """
        west, south, east, north = self.box_deg
        x, y = lonlat.T
        return np.asarray((x >= west) & (x <= east) & (y >= south) & (y <= north))


@cache
def profiles() -> dict[str, Profile]:
    """Return the profiles by name."""
    read = tomllib.loads((files("lzgis.coordinates") / "profiles.toml").read_text("utf-8"))
    rows: dict[str, dict[str, Any]] = {
        name: {key: tuple(value) if isinstance(value, list) else value for key, value in one.items()}
        for name, one in read.items()
    }
    return {name: Profile(name=name, **row) for name, row in rows.items()}


def profile(name: str) -> Profile:
    """Return the profile of a name."""
    return profiles()[name]


def profile_around(outline: shapely.Geometry | None) -> Profile:
    """Return the first profile whose box holds the outline of a city, in degrees; the default without an outline.

    The outline was accepted by the profile that the city's catalogue names, so that its sites are where the city is.

    Examples
    --------
    >>> profile_around(shapely.box(-1.6, 53.7, -1.4, 53.9)).name
    'world'
    """
    if outline is None or shapely.is_empty(outline):
        return profile(DEFAULT)
    corners = np.array(shapely.bounds(outline)).reshape(2, 2)
    return next((one for one in profiles().values() if one.holds(corners).all()), profile("world"))
