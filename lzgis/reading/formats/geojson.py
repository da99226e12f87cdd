"""GeoJSON and JSON-FG, read by GDAL after a check that they are complete and of that format."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

import geopandas as gpd

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.base import Decided, Read, ReadOptions
from lzgis.reading.declared import may_be_shifted
from lzgis.reading.encoding import decoded
from lzgis.reading.formats.gdal import Kind, read_gdal, refuse_lost
from lzgis.reading.geojson_systems import check_hidden_systems
from lzgis.reading.sandbox.working_copy import working_copy
from lzgis.reading.served import refuse_part_of_json

GEOJSON = Kind("GeoJSON", "GeoJSON")
JSONFG = Kind("JSONFG", "JSON-FG")
#: How deep the coordinates of each type are nested.
_DEPTHS = {"Point": 1, "MultiPoint": 2, "LineString": 2, "MultiLineString": 3, "Polygon": 3, "MultiPolygon": 4}
_GEOMETRIES = {*_DEPTHS, "GeometryCollection"}
#: Further types that JSON-FG has.
_CURVES = (
    "CircularString",
    "CompoundCurve",
    "CurvePolygon",
    "MultiCurve",
    "MultiSurface",
    "Polyhedron",
    "MultiPolyhedron",
    "Prism",
    "MultiPrism",
)
_NUMBERS = {int, float}


def read_json(path: Path, options: ReadOptions) -> Read:
    """Read a file of GeoJSON or JSON-FG, also one with a feature in every line (GeoJSONSeq).

    Raises
    ------
    SourceError
        If it is no JSON, is cut short, is JSON of something else, has a key twice in one object, or holds a feature that is
        not one.
    """
    text, encoding = decoded(path.read_bytes(), str(path), declared=options.encoding)
    document = _parsed(text, path)
    problems = []
    if isinstance(document, _Lines):
        what = Message(
            "has a feature in every line (GeoJSONSeq); the {count} lines are read as one table", count=len(document)
        )
        problems.append(Problem("note", str(path), what, Message("nothing to do")))
        document = {"type": "FeatureCollection", "features": list(document)}
        text = json.dumps(document)
    kind = _kind_of(document, path)
    if isinstance(named := document.get("crs"), dict) and named.get("type") != "name":
        link = Message("names its system by a link, which is not followed")
        other = Message("names its system in a form that is not read: '{type}'", type=str(named.get("type"))[:40])
        what = link if named.get("type") in ("link", "url") else other
        raise SourceError(str(path), what, Message("export it with the name of its system, as EPSG:4490"))
    if "\\u0000" in text:
        what = Message("holds a text with the character U+0000, behind which it would be cut off")
        raise SourceError(str(path), what, Message("remove it, or export the file again"))
    features = document["features"] if document["type"] == "FeatureCollection" else [document]
    refuse_part_of_json(document, len(features), str(path))
    wrong = check_features(features, str(path))
    if encoding.value not in ("UTF-8", "ASCII"):
        what = Message("is in {encoding}, though JSON is always UTF-8", encoding=encoding.value)
        problems.append(Problem("warning", str(path), what, Message("look whether its text reads well")))
    with working_copy(str(path), f"{path.stem}.json") as copy:
        # GDAL reads only UTF-8, and depends on the suffix.
        copy.file.write_text(text, "utf-8")
        # GDAL makes a layer of each feature type of JSON-FG; here one file is one table.
        wanted = options if kind is JSONFG else replace(options, layer=None)
        read = copy.reword_read(read_gdal(copy.file, kind, wanted))
    if len(read.frame) != len(features) and wanted.layer is None:
        refuse_lost(len(read.frame), len(features), str(path))
    frame = _with_ids(read.frame, features)
    if wrong and isinstance(frame, gpd.GeoDataFrame) and len(frame) == len(features):
        frame = frame.set_geometry(
            [None if i in wrong else shape for i, shape in enumerate(frame.geometry)], crs=frame.crs
        )
        problems += wrong.values()
    crs = _crs(document, kind, frame)
    if isinstance(frame, gpd.GeoDataFrame) and frame.crs is not None and len(frame):
        member = "coordRefSys" if kind is JSONFG else "crs"
        problems += check_hidden_systems(document, features, frame.crs, frame.total_bounds, str(path), read=member)
    if document.get("crs") is None and kind is GEOJSON and not options.shifted:
        problems.append(may_be_shifted(str(path), "WGS 84"))
    titles = tuple(f"{key}: {value}" for key, value in document.items() if isinstance(value, str))
    return replace(read, frame=frame, problems=(*problems, *read.problems), encoding=encoding, crs=crs, titles=titles)


class _Lines(list[Any]):
    """The values of a text with one JSON value in every line."""


class _Twice(dict[str, Any]):
    """An object in which a key stands twice."""

    key: str = ""


#: Keys that make a feature; GDAL finds them in any case.
_OF_A_FEATURE = frozenset({"type", "geometry", "coordinates", "geometries", "features", "properties", "crs"})
_TYPES_OF_OBJECTS = (
    "FeatureCollection",
    "Feature",
    "GeometryCollection",
    "Polygon",
    "MultiPolygon",
    "LineString",
    "MultiLineString",
    "Point",
    "MultiPoint",
)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    is_shape = found.get("type") in _TYPES_OF_OBJECTS
    folded = [lower for key in found if is_shape and (lower := key.lower()) in _OF_A_FEATURE]
    if len(found) == len(pairs) and len(folded) == len(set(folded)):
        return found
    twice = _Twice(found)
    counts = Counter(key for key, _ in pairs)
    lower_counts = Counter(folded)
    twice.key = next(key for key in counts if counts[key] > 1 or lower_counts[key.lower()] > 1)
    return twice


def _parsed(text: str, path: Path) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise SourceError(
            str(path), Message("holds {value}, which is no JSON", value=constant), Message("export it again")
        )

    def loaded(one: str) -> Any:
        return json.loads(one, parse_constant=refuse, object_pairs_hook=_object)

    text = text.lstrip("\ufeff")
    try:
        try:
            document = loaded(text)
        except json.JSONDecodeError as error:
            lines = [line.strip("\x1e \t\r") for line in text.split("\n")]
            lines = [line for line in lines if line]
            # A text with a feature in every line ends, as JSON, after the first of them.
            if not lines or not lines[0].startswith("{") or not (error.msg == "Extra data" or text[:1] == "\x1e"):
                raise
            document = _Lines(_line_of(line, number, loaded, path) for number, line in enumerate(lines, 1))
    except json.JSONDecodeError as error:
        raise SourceError(
            Message("{place}, line {line}", place=path, line=error.lineno),
            Message("is no JSON from column {column} on", column=error.colno),
            Message("the file may be cut short; export it again"),
        ) from None
    except (RecursionError, ValueError):
        raise SourceError(
            str(path), Message("is nested too deeply, or holds a number too long"), Message("export it again")
        ) from None
    _refuse_twice(document, path)
    return document


def _line_of(line: str, number: int, loaded: Any, path: Path) -> Any:
    try:
        return loaded(line)
    except json.JSONDecodeError as error:
        raise SourceError(
            Message("{place}, line {line}", place=path, line=number),
            Message("is no JSON from column {column} on", column=error.colno),
            Message("the file may be cut short; export it again"),
        ) from None


def _refuse_twice(document: Any, path: Path) -> None:
    """Refuse an object that has a key twice: which of the values is meant is unknown."""
    features = document.get("features") if isinstance(document, dict) else document
    many = features if isinstance(features, list) and not isinstance(document, _Twice) else []
    # Features first: the first one is named.
    for number, part in [*enumerate(many, 1), (0, document)]:
        key = _twice_in(part)
        if key:
            here = Message("{place}, feature {number}", place=path, number=number) if number else str(path)
            what = Message("the key '{key}' stands twice in one object", key=key[:60])
            raise SourceError(here, what, Message("keep the one that is meant; readers differ in which one they take"))


def _twice_in(value: Any) -> str:
    """Return the first key that stands twice in an object within a value; empty if there is none."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, _Twice):
            return one.key or " "
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        waiting += [each for each in inner if isinstance(each, dict | list)]
    return ""


def check_features(features: Sequence[Any], place: str) -> dict[int, Problem]:
    """Refuse what stands among features and is none: GDAL skips it without a message.

    Returns
    -------
    dict of int to Problem
        What is wrong with the form of a geometry, by its row: such a row stays without a geometry.

    Raises
    ------
    SourceError
        If one of them is no feature, or no geometry has the form that its type demands.
    """
    remedy = Message("correct the feature, or export the file again")
    found: dict[int, Problem] = {}
    for row, feature in enumerate(features):
        here = Message("{place}, feature {number}", place=place, number=row + 1)
        bare = isinstance(feature, dict) and feature.get("type") in _GEOMETRIES and len(features) == 1
        wrong = None if bare else _wrong_feature(feature)
        if wrong is not None:
            raise SourceError(here, wrong, remedy)
        wrong = _wrong_geometry(feature if bare else feature.get("geometry"))
        if wrong is not None:
            found[row] = Problem("error", here, wrong, remedy)
    if found and len(found) == len(features):
        first = found[0]
        raise SourceError(first.place, first.what, first.remedy)
    return found


def _wrong_feature(feature: Any) -> Message | None:
    if not isinstance(feature, dict):
        return Message("is no feature but {value}", value=json.dumps(feature, ensure_ascii=False)[:40])
    if feature.get("type") != "Feature":
        return Message("has the type {type} instead of 'Feature'", type=_type(feature))
    if not isinstance(feature.get("properties", None), dict | None):
        return Message("its properties are no object")
    return None


def _type(one: dict[str, Any]) -> str:
    return f"'{str(one['type'])[:40]}'" if "type" in one else Message("(none)")


def _wrong_geometry(geometry: Any) -> Message | None:
    """Return what is wrong with the form of a geometry; None if nothing is."""
    if geometry is None or (isinstance(geometry, dict) and geometry.get("type") in _CURVES):
        return None
    if not isinstance(geometry, dict) or geometry.get("type") not in _GEOMETRIES:
        kind = _type(geometry) if isinstance(geometry, dict) else json.dumps(geometry, ensure_ascii=False)[:40]
        return Message("its geometry has a type that GeoJSON does not know: {type}", type=kind)
    name = geometry["type"]
    if name == "GeometryCollection":
        parts = geometry.get("geometries")
        if not isinstance(parts, list):
            return Message("its geometry collection has no list of geometries")
        return next((wrong for part in parts if (wrong := _wrong_geometry(part)) is not None), None)
    depth = _depth(geometry.get("coordinates"), _DEPTHS[name])
    if depth < 0:
        return Message("a coordinate of its {type} is no number, or a position has fewer than two", type=name)
    return (
        None
        if depth == _DEPTHS[name]
        else Message(
            "the coordinates of its {type} are nested {count} deep instead of {right}",
            type=name,
            count=depth,
            right=_DEPTHS[name],
        )
    )


def _depth(coordinates: Any, right: int) -> int:
    """Return how deep coordinates are nested, -1 if they hold something else; `right` if they are empty."""
    if not isinstance(coordinates, list):
        return 0 if isinstance(coordinates, int | float) else -1
    if not coordinates:
        return right
    if not isinstance(coordinates[0], list):
        return 1 if len(coordinates) > 1 and set(map(type, coordinates)) <= _NUMBERS else -1
    # One line or ring is checked without a call for every position.
    is_line = right == 2 and set(map(type, coordinates)) == {list} and min(map(len, coordinates)) > 1
    if is_line and set(map(type, chain.from_iterable(coordinates))) <= _NUMBERS:
        return 2
    depths = {_depth(part, right - 1) for part in coordinates}
    wrong = depths - {right - 1}
    return right if not wrong else -1 if -1 in wrong else 1 + wrong.pop()


def _kind_of(document: Any, path: Path) -> Kind:
    type_ = document.get("type") if isinstance(document, dict) else None
    is_collection = type_ == "FeatureCollection" and isinstance(document.get("features"), list)
    if not (is_collection or type_ == "Feature" or type_ in _GEOMETRIES):
        raise SourceError(str(path), _no_geojson(document), Message("export it as GeoJSON or GeoPackage"))
    first = document["features"][0] if is_collection and document["features"] else {}
    marks = ("conformsTo", "coordRefSys", "place", "featureType")
    says = {m for one in (document, first) if isinstance(one, dict) for m in marks if m in one}
    conforms = str(document.get("conformsTo", ""))
    return JSONFG if "json-fg" in conforms or {"coordRefSys", "place"} & says else GEOJSON


def _no_geojson(document: Any) -> Message:
    """Say what a JSON document is instead of GeoJSON."""
    if isinstance(document, list):
        first = document[0] if document else None
        if isinstance(first, dict):
            return Message("is a bare list of {count} objects, no FeatureCollection", count=len(document))
        return Message("is a bare list of coordinates, which no GeoJSON is")
    if isinstance(document, dict) and (
        "geometryType" in document or "rings" in document or "spatialReference" in document
    ):
        return Message("is JSON of Esri (EsriJSON), no GeoJSON")
    if isinstance(document, dict) and document.get("type") == "Topology":
        return Message("is TopoJSON, no GeoJSON")
    if isinstance(document, dict) and document.get("type") == "FeatureCollection":
        return Message("is a FeatureCollection without a list of features")
    kind = _type(document) if isinstance(document, dict) else json.dumps(document)[:40]
    return Message("is JSON but no GeoJSON (type {type})", type=kind)


def _with_ids(frame: gpd.GeoDataFrame, features: list[Any]) -> gpd.GeoDataFrame:
    """Add the ids of features outside their properties, which GDAL drops if they are numbers."""
    ids = [f.get("id") if isinstance(f, dict) else None for f in features]
    if "id" in frame.columns or len(ids) != len(frame) or all(i is None for i in ids):
        return frame
    frame.insert(0, "id", [None if i is None else str(i) for i in ids])
    return frame


def _crs(document: dict[str, Any], kind: Kind, frame: gpd.GeoDataFrame) -> Decided | None:
    if frame.crs is None:
        return None
    member = "coordRefSys" if kind is JSONFG else "crs"
    if document.get(member) is not None:
        return Decided(frame.crs.name, Message("named in the file"))
    return Decided(frame.crs.name, Message("GeoJSON is in WGS 84 unless it says otherwise"))
