"""Answers of services that state that features were left out: a part of a layer is not the layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from lzgis.errors import SourceError
from lzgis.messages import Message

#: Members and attributes that count features: those that there are, and those that were returned.
_COUNTS = ("numberMatched", "totalFeatures", "numberReturned", "numberOfFeatures")
_LIMIT = "exceededTransferLimit"


def refuse_part_of_json(document: Mapping[str, Any], held: int, place: str) -> None:
    """Refuse GeoJSON that says that it holds a part of the features: GeoServer, OGC API Features and ArcGIS do so.

    Raises
    ------
    SourceError
        If it says so.
    """
    for name in _COUNTS:
        if (stated := _count(document.get(name))) > held:
            _refuse_count(stated, held, name, place)
    own = document.get("properties")
    if document.get(_LIMIT) is True or (isinstance(own, dict) and own.get(_LIMIT) is True):
        _refuse(_LIMIT, place)
    links = document.get("links")
    if any(isinstance(one, dict) and one.get("rel") == "next" for one in (links if isinstance(links, list) else ())):
        _refuse("links", place)


def refuse_part_of_gml(root: ElementTree.Element, held: int | None, place: str) -> None:
    """Refuse GML of which the service that made it (WFS) says that it holds a part of the features.

    Raises
    ------
    SourceError
        If it says so.
    """
    for name in _COUNTS:
        if held is not None and (stated := _count(root.get(name))) > held:
            _refuse_count(stated, held, name, place)
    if root.get("next"):
        _refuse("next", place)


def _count(value: object) -> int:
    """Return a count, 0 if there is none; a service may not know it."""
    text = str(value)[:18]
    return int(text) if text.isascii() and text.isdigit() else 0


def _refuse_count(stated: int, held: int, name: str, place: str) -> None:
    what = Message(
        "says that there are {stated} features ({name}), of which it holds {held}", stated=stated, name=name, held=held
    )
    raise SourceError(place, what, _remedy(name))


def _refuse(name: str, place: str) -> None:
    what = Message("says that it holds only a part of the features of its service ({name})", name=name)
    raise SourceError(place, what, _remedy(name))


def _remedy(name: str) -> Message:
    return Message("fetch all features; if this part is what is meant, remove '{name}'", name=name)
