"""Reference systems in GeoJSON at places that readers ignore: in features, geometries and properties, or under other names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

from lzgis.coordinates.stated_twice import Bounds, check_alike
from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem

#: Names under which programs write a system, in lower case.
_KEYS = frozenset({"crs", "coordrefsys", "srs", "srsname", "srid", "epsg", "wkid", "spatialreference"})
#: Names that are meant for systems only; the values of others may be anything.
_OWN = frozenset({"crs", "coordrefsys", "srsname", "spatialreference"})
_CODE = re.compile(r"(?:.*\bepsg\b\D*?(?:[:/][\d.]*[:/])?|\s*)(\d{4,6})(?:\.0+)?\s*", re.IGNORECASE)


def check_hidden_systems(
    document: dict[str, Any], features: Sequence[Any], used: CRS, bounds: Bounds, place: str, *, read: str
) -> tuple[Problem, ...]:
    """Compare the systems that are stated elsewhere in a document with the one that its reader uses.

    Parameters
    ----------
    document : dict
        The document.
    features : sequence
        Its features, or the one thing that it holds.
    used : CRS
        The system that is used.
    bounds : four numbers
        Bounds of the coordinates.
    place : str
        Name of the file in messages.
    read : str
        The member of the document that its reader reads.

    Returns
    -------
    tuple of Problem
        A warning for each system of another datum, if the coordinates lie in the same place.

    Raises
    ------
    SourceError
        If a system puts the coordinates elsewhere, or is not known.
    """
    if not np.isfinite(bounds).all():
        return ()
    stated: dict[str, tuple[str, CRS]] = {}
    for where, key, value, is_attribute in _found(document, features, read):
        crs = _system(value, codes_only=is_attribute or key not in _OWN)
        if crs is not None:
            stated.setdefault(crs.to_wkt(), (where, crs))
        elif key in _OWN and not is_attribute:
            what = Message("{where} names a system that is not known: {value}", where=where, value=str(value)[:60])
            raise SourceError(place, what, Message("export it with the name of its system, as EPSG:4490"))
    return check_alike([(Message("the file"), used), *stated.values()], bounds, place)


def _found(document: dict[str, Any], features: Sequence[Any], read: str) -> Iterator[tuple[str, str, Any, bool]]:
    """Yield where a system stands, its key in lower case, its value, and whether it is an attribute of a feature."""
    whole = {key: value for key, value in document.items() if key != read}
    for key, value in _named(whole):
        yield Message("its member '{key}'", key=key), key.lower(), value, False
    if document.get("type") == "FeatureCollection" and isinstance(document.get("properties"), dict):
        for key, value in _named(document["properties"]):
            yield Message("its member '{key}'", key=key), key.lower(), value, False
    for number, feature in enumerate(features, 1):
        if not isinstance(feature, dict):
            continue
        where = Message("feature {number}", number=number)
        geometry, properties = feature.get("geometry"), feature.get("properties")
        for one in (feature if feature is not document else {}, *_geometries(geometry)):
            for key, value in _named(one):
                # JSON-FG has a system for each feature, which GDAL reads.
                if not (key == read == "coordRefSys" and one is feature):
                    yield where, key.lower(), value, False
        for key, value in _named(properties if isinstance(properties, dict) else {}):
            yield where, key.lower(), value, True


def _geometries(geometry: Any) -> Iterator[dict[str, Any]]:
    waiting = [geometry]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            inner = one.get("geometries")
            waiting += inner if isinstance(inner, list) else []


def _named(one: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((key, value) for key, value in one.items() if key.lower() in _KEYS and value not in (None, "", {}, 0))


def _system(value: Any, *, codes_only: bool) -> CRS | None:
    if isinstance(value, dict):
        inner = value.get("properties")
        options = [value, inner if isinstance(inner, dict) else {}]
        keys = ("name", "code", "latestWkid", "wkid", "init", "wkt")
        value = next((one[key] for one in options for key in keys if one.get(key)), None)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value)
    code = _CODE.fullmatch(text)
    if code is None and codes_only:
        return None
    try:
        return CRS.from_user_input(f"EPSG:{code[1]}" if code else text)
    except CRSError:
        return None
