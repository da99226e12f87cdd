"""GML, read by GDAL from a copy: no schema is fetched, no link is followed, nothing is written beside the file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.reading.base import Read, ReadOptions
from lzgis.reading.field_names import LAYER_FIELDS, SITE_FIELDS
from lzgis.reading.formats.gdal import Kind, read_gdal, refuse_lost
from lzgis.reading.formats.xml_text import read_xml_text
from lzgis.reading.sandbox.working_copy import working_copy
from lzgis.reading.served import refuse_part_of_gml

GML = Kind("GML", "GML")
_SCHEMAS = re.compile(r"""\s[\w.\-]+:(?:noNamespaceSchemaLocation|schemaLocation)\s*=\s*("[^"]*"|'[^']*')""")


_COMMENT = re.compile(r"<!--(.{1,400}?)-->", re.DOTALL)


def read_gml(path: Path, options: ReadOptions) -> Read:
    """Read a layer of a GML file.

    Raises
    ------
    SourceError
        If it is no GML.
    """
    text, encoding = read_xml_text(path, options)
    root = re.search(r"<(?![!?])([^\s/>]+)[^>]*>", text)
    if root is None or "opengis.net/gml" not in text[: root.end() + 4000] or "VRT" in root[1]:
        raise SourceError(
            str(path),
            Message("is no {kind}", kind=GML.title),
            Message("check the file and its suffix, or export it again"),
        )
    with working_copy(str(path), path.name) as copy:
        copy.file.write_text('<?xml version="1.0" encoding="UTF-8"?>\n' + _SCHEMAS.sub("", text), "utf-8")
        read = copy.reword_read(read_gdal(copy.file, GML, options, DOWNLOAD_SCHEMA="NO"))
    _refuse_elsewhere(text, str(path))
    refuse_part_of_gml(ElementTree.fromstring(text), _features(text, None), str(path))
    stated = _features(text, options.layer)
    if stated is not None and stated != len(read.frame):
        refuse_lost(len(read.frame), stated, str(path))
    return replace(read, encoding=encoding, titles=_titles(text))


def _titles(text: str) -> tuple[str, ...]:
    """Return what the collection says of itself: the texts of its elements that are no members, and its comments."""
    root = ElementTree.fromstring(text)
    outer = (e for e in root if _name(e) not in _MEMBERS)
    said = (one.strip() for e in outer for one in e.itertext())
    return tuple(one for one in (*said, *_COMMENT.findall(text)) if one)


#: Elements that hold features, in lower case.
_MEMBERS = ("featuremember", "featuremembers", "member")
_COLLECTIONS = ("featurecollection", "simplefeaturecollection", "feature_collection")


def _refuse_elsewhere(text: str, place: str) -> None:
    """Refuse features that GDAL skips: named by a link, within another feature, or outside of a member."""
    root = ElementTree.fromstring(text)
    if any(str(one.tag) == _INCLUDE for one in root.iter()):
        what = Message("includes another file (XInclude)")
        raise SourceError(place, what, Message("export it with all its features in one file"))
    waiting, features = [root], set()
    while waiting:
        for member in waiting.pop():
            if _name(member) in _MEMBERS:
                features |= {one for one in member if _name(one) not in _COLLECTIONS}
                waiting += [one for one in member if _name(one) in _COLLECTIONS]
                link = next((value for key, value in member.items() if key.endswith("}href")), None)
                if link is not None:
                    what = Message("names a feature that is not in the file ({link})", link=link[:60])
                    raise SourceError(place, what, Message("export it with all its features in one file"))
            elif _name(member) != "boundedby" and _has_positions(member):
                _refuse_outside(member, place)
    tags = {one.tag for one in features}
    for one in root.iter():
        # A field may have the name of the layer.
        if one not in features and (
            (one.tag in tags and len(one)) or (_name(one) in _MEMBERS and _is_nested(one, features))
        ):
            _refuse_outside(one, place)
    # After features within others, which look like a second shape.
    _refuse_two_shapes(features, place)
    _refuse_two_values(features, place)


_INCLUDE = "{http://www.w3.org/2001/XInclude}include"


def _refuse_two_shapes(features: Iterable[ElementTree.Element], place: str) -> None:
    """Refuse features with two shapes: GDAL takes one of them."""
    for one in features:
        names = [_name(field) for field in one if _name(field) != "boundedby" and _has_positions(field)]
        if len(names) > 1:
            what = Message("has features with more than one shape: {names}", names=", ".join(dict.fromkeys(names)))
            raise SourceError(place, what, Message("export it with one shape for each feature"))


def _refuse_two_values(features: Iterable[ElementTree.Element], place: str) -> None:
    """Refuse two values of a field that lzgis looks at: an id, a name, an activity."""
    for one in features:
        values: dict[str, str] = {}
        for field in one:
            name, text = str(field.tag).rpartition("}")[2], (field.text or "").strip()
            if name in _FIELDS and "opengis.net/gml" not in str(field.tag) and values.setdefault(name, text) != text:
                what = Message("field '{name}' stands twice, with two values", name=name)
                raise SourceError(place, what, Message("export the file again"))


_FIELDS = {alias for names in (*SITE_FIELDS.values(), *LAYER_FIELDS.values()) for alias in names}


def _is_nested(member: ElementTree.Element, features: set[ElementTree.Element]) -> bool:
    return any(one not in features and _has_positions(one) and _name(one) not in _COLLECTIONS for one in member)


def _refuse_outside(feature: ElementTree.Element, place: str) -> NoReturn:
    what = Message("has a feature '{name}' where GML has none", name=_name(feature))
    raise SourceError(place, what, Message("export the file again"))


def _has_positions(element: ElementTree.Element) -> bool:
    return any(_name(one) in ("pos", "poslist", "coordinates", "coord") for one in element.iter())


def _features(text: str, layer: str | None) -> int | None:
    """Return how many features a text holds, of one type if `layer` names it; None if they have several types."""
    kinds: Counter[str] = Counter()
    waiting = [ElementTree.fromstring(text)]
    while waiting:
        for member in waiting.pop():
            if _name(member) not in _MEMBERS:
                continue
            for feature in member:
                if _name(feature) in _COLLECTIONS:
                    waiting.append(feature)
                else:
                    kinds[str(feature.tag).rpartition("}")[2]] += 1
    if layer is not None and len(kinds) > 1:
        return kinds.get(layer)
    return kinds.total() if len(kinds) == 1 else None


def _name(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()
