"""Systems that a file states twice, by a code and by a definition, or in two places: they must agree.

Libraries take the code and ignore the definition, or the other way round; if the two differ, it is unknown which is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import CRSError, ProjError

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem

#: Places that two systems give to the same coordinates are the same if they are nearer than this (m).
_SAME_M = 0.01
#: Ellipsoids are the same within this (m, and of the inverse flattening): CGCS2000 and WGS 84 are.
_SAME_AXIS_M, _SAME_FLATTENING = 1e-3, 1e-5
#: Bounds of coordinates: least x, least y, greatest x, greatest y.
Bounds = tuple[float, float, float, float] | npt.NDArray[np.float64]

Difference = Literal["", "datum", "place"]


def difference(one: CRS, other: CRS, bounds: Bounds) -> Difference:
    """Return how two systems differ for coordinates within bounds.

    Returns
    -------
    str
        "place" if the coordinates lie elsewhere, or on another ellipsoid; "datum" if only the datum has another name; else
        empty.

    Examples
    --------
    >>> difference(CRS.from_epsg(4546), CRS.from_epsg(4547), (4e5, 27e5, 401e3, 2701e3))
    'place'
    >>> difference(CRS.from_epsg(4490), CRS.from_epsg(4326), (112.0, 24.0, 113.0, 25.0))
    'datum'
    """
    first, second = _horizontal(one), _horizontal(other)
    if first is None or second is None:
        return ""
    bases = first.geodetic_crs, second.geodetic_crs
    if bases[0] is None or bases[1] is None or bases[0].ellipsoid is None or bases[1].ellipsoid is None:
        return ""
    axis = abs(bases[0].ellipsoid.semi_major_metre - bases[1].ellipsoid.semi_major_metre)
    flattening = abs(bases[0].ellipsoid.inverse_flattening - bases[1].ellipsoid.inverse_flattening)
    if axis > _SAME_AXIS_M or flattening > _SAME_FLATTENING or _apart_m(first, second, bounds) > _SAME_M:
        return "place"
    return "" if _datum(bases[0]) == _datum(bases[1]) else "datum"


def check_alike(stated: Iterable[tuple[str, CRS]], bounds: Bounds, place: str) -> tuple[Problem, ...]:
    """Compare the first statement of a system, which is used, with the others.

    Parameters
    ----------
    stated : pairs of text and system
        Where the system is stated, for messages, and the system.
    bounds : four numbers
        Bounds of the coordinates of the file.
    place : str
        Name of the file in messages.

    Returns
    -------
    tuple of Problem
        A warning for each statement that names another datum, though the coordinates lie in the same place.

    Raises
    ------
    SourceError
        If two statements put the same coordinates elsewhere.
    """
    statements = list(stated)
    problems = []
    for where, other in statements[1:]:
        used, crs = statements[0]
        kind = difference(crs, other, bounds)
        name, other_name = _shown_apart(crs, other)
        values = {"used": used, "name": name, "where": where, "other": other_name}
        if kind == "place":
            what = Message("states two different systems: {used} '{name}', {where} '{other}'", **values)
            raise SourceError(place, what, Message("look which of the two is right, and correct the other"))
        if kind == "datum":
            what = Message("{used} '{name}' is used; {where} names another datum: '{other}'", **values)
            problems.append(Problem("warning", place, what, Message("look which of the two is right")))
    return tuple(problems)


def statements_of(wkt: str) -> list[tuple[str, CRS]]:
    """Return the systems that a text of WKT states: its parameters, its code, and its name, as far as PROJ knows them.

    Examples
    --------
    >>> wkt = CRS.from_epsg(4547).to_wkt("WKT1_ESRI").replace(",114.0", ",111.0")
    >>> [(str(where), crs.coordinate_operation.params[1].value) for where, crs in statements_of(wkt)]
    [('its definition', 111.0), ('its name', 114.0)]
    """
    try:
        crs = CRS.from_wkt(wkt)
    except CRSError:
        return []
    code = crs.to_json_dict().get("id", {})
    # Libraries take the code, if there is one.
    found = [*of_code(code.get("authority"), code.get("code")), (Message("its definition"), crs)]
    # PROJ finds systems also by a part of their name.
    named = _known(Message("its name"), crs.name) if re.search(r"\d", crs.name) else []
    # A system in feet often has the name of the one in metres.
    alike = [one for one in named if _plain(one[1].name) == _plain(crs.name) and _unit(one[1]) == _unit(crs)]
    # A datum with the ellipsoid of another is refused where datums are read, with more to say about it.
    return found + [one for one in alike if not _enlarged(crs, one[1])]


def _enlarged(crs: CRS, named: CRS) -> bool:
    """Return whether a definition has the datum of its name, on another ellipsoid."""
    bases = crs.geodetic_crs, named.geodetic_crs
    if bases[0] is None or bases[1] is None or _datum(bases[0]) != _datum(bases[1]):
        return False
    return bases[0].ellipsoid != bases[1].ellipsoid


def of_code(organization: object, code: object) -> list[tuple[str, CRS]]:
    """Return the system of a code as a statement; empty if PROJ does not know it."""
    name = str(organization).upper()
    return (
        _known(Message("the code {code}", code=f"{name}:{code}"), f"{name}:{code}") if name in ("EPSG", "ESRI") else []
    )


def _known(where: str, text: str) -> list[tuple[str, CRS]]:
    try:
        return [(where, CRS.from_user_input(text))]
    except CRSError:
        return []


def _unit(crs: CRS) -> str:
    return str(crs.axis_info[0].unit_name).lower() if crs.axis_info else ""


def _shown(crs: CRS) -> str:
    """Return the name of a system, and its central meridian if it has one."""
    operation = crs.coordinate_operation
    params = operation.params if operation is not None else []
    middle = next((one.value for one in params if one.name == "Longitude of natural origin"), None)
    return crs.name if middle is None else f"{crs.name}, {middle:g}°"


def _shown_apart(one: CRS, other: CRS) -> tuple[str, str]:
    """Return the names of two systems, with their datums and ellipsoids if the names are the same."""
    names = _shown(one), _shown(other)
    if names[0] != names[1]:
        return names
    datums = _datum_name(one), _datum_name(other)
    more = datums if datums[0] != datums[1] else (_ellipsoid_shown(one), _ellipsoid_shown(other))
    return f"{names[0]} ({more[0]})", f"{names[1]} ({more[1]})"


def _datum_name(crs: CRS) -> str:
    base = crs.geodetic_crs
    return base.datum.name if base is not None and base.datum is not None else "?"


def _ellipsoid_shown(crs: CRS) -> str:
    ellipsoid = crs.ellipsoid
    return f"{ellipsoid.semi_major_metre:.10g} m, {ellipsoid.inverse_flattening:.10g}" if ellipsoid else "?"


def _plain(name: str) -> str:
    """Return a name in which the ways of EPSG and ESRI to write it are one."""
    text = name.lower().replace("gauss-kruger", "gk").replace("gauss_kruger", "gk")
    return re.sub(r"[^0-9a-z]", "", text)


def _horizontal(crs: CRS) -> CRS | None:
    if crs.is_compound:
        crs = crs.sub_crs_list[0]
    if crs.is_bound and crs.source_crs is not None:
        crs = crs.source_crs
    return crs if crs.is_geographic or crs.is_projected else None


def _datum(base: CRS) -> str:
    name = base.datum.name if base.datum is not None else ""
    plain = re.sub(r"[^0-9a-z]", "", name.lower()).removeprefix("d")
    for one, words in _DATUMS.items():
        if any(word in plain for word in words):
            return one
    return plain.replace("system", "")


_DATUMS = {
    "CGCS2000": ("china2000", "cgcs2000", "chinageodeticcoordinatesystem2000", "2000国家大地坐标系"),
    "WGS 84": ("wgs84", "wgs1984", "worldgeodeticsystem1984"),
    "Xian 1980": ("xian1980", "xian80"),
    "Beijing 1954": ("beijing1954", "beijing54"),
}


def _apart_m(one: CRS, other: CRS, bounds: Bounds) -> float:
    """Return how far apart (m) two systems put the corners of bounds; infinite if one of them cannot place them."""
    x, y = np.asarray(bounds, float)[[0, 2, 0, 2]], np.asarray(bounds, float)[[1, 1, 3, 3]]
    if not np.isfinite([x, y]).all():
        return 0.0
    try:
        places = [
            Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(x, y) if crs.is_projected else (x, y)
            for crs in (one, other)
        ]
    except ProjError:
        return np.inf
    (lon, lat), (lon_2, lat_2) = ((np.asarray(a), np.asarray(b)) for a, b in places)
    if one.is_geographic != other.is_geographic:
        return np.inf
    turned = _meridian(other) - _meridian(one)
    inside, inside_2 = (np.isfinite(a) & (np.abs(b) <= _POLE) for a, b in ((lon, lat), (lon_2, lat_2)))
    if not inside.any() and not inside_2.any():
        # Neither can place them, which is found later.
        return 0.0
    if (inside != inside_2).any():
        return np.inf
    return float(np.max(Geod(ellps="GRS80").inv(lon[inside], lat[inside], (lon_2 + turned)[inside], lat_2[inside])[2]))


_POLE = 90.0


def _meridian(crs: CRS) -> float:
    base = crs.geodetic_crs
    meridian = base.prime_meridian if base is not None else None
    return float(meridian.longitude) if meridian is not None else 0.0
