"""GeoJSON and JSON-FG, read by GDAL after a check that they are complete and of that format."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import geopandas as gpd

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.base import Decided, Read, ReadOptions
from lzgis.reading.encoding import decoded
from lzgis.reading.formats.gdal import Kind, read_gdal
from lzgis.reading.sandbox.working_copy import working_copy

GEOJSON = Kind("GeoJSON", "GeoJSON")
JSONFG = Kind("JSONFG", "JSON-FG")
_GEOMETRIES = {
    *("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"),
}


def read_json(path: Path, options: ReadOptions) -> Read:
    """Read a file of GeoJSON or JSON-FG.

    Raises
    ------
    SourceError
        If it is no JSON, is cut short, or is JSON of something else.
    """
    text, encoding = decoded(path.read_bytes(), str(path), declared=options.encoding)
    document = _parsed(text, path)
    kind = _kind_of(document, path)
    features = document["features"] if document["type"] == "FeatureCollection" else [document]
    problems = []
    if encoding.value not in ("UTF-8", "ASCII"):
        what = Message("is in {encoding}, though JSON is always UTF-8", encoding=encoding.value)
        problems.append(Problem("warning", str(path), what, Message("look whether its text reads well")))
    with working_copy(str(path), f"{path.stem}.json") as copy:
        # GDAL reads only UTF-8, and depends on the suffix.
        copy.file.write_text(text, "utf-8")
        # GDAL makes a layer of each feature type of JSON-FG; here one file is one table.
        wanted = options if kind is JSONFG else replace(options, layer=None)
        read = copy.reword_read(read_gdal(copy.file, kind, wanted))
    frame = _with_ids(read.frame, features)
    return replace(
        read, frame=frame, problems=(*problems, *read.problems), encoding=encoding, crs=_crs(document, kind, frame)
    )


def _parsed(text: str, path: Path) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise SourceError(
            str(path), Message("holds {value}, which is no JSON", value=constant), Message("export it again")
        )

    try:
        return json.loads(text.lstrip("\ufeff"), parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise SourceError(
            Message("{place}, line {line}", place=path, line=error.lineno),
            Message("is no JSON ({error})", error=error.msg),
            Message("the file may be cut short; export it again"),
        ) from None
    except (RecursionError, ValueError):
        raise SourceError(
            str(path), Message("is nested too deeply, or holds a number too long"), Message("export it again")
        ) from None


def _kind_of(document: Any, path: Path) -> Kind:
    type_ = document.get("type") if isinstance(document, dict) else None
    is_collection = type_ == "FeatureCollection" and isinstance(document.get("features"), list)
    if not (is_collection or type_ == "Feature" or type_ in _GEOMETRIES):
        raise SourceError(
            str(path),
            Message("is JSON but no GeoJSON (type {type})", type=type_ or "?"),
            Message("export it as GeoJSON or GeoPackage"),
        )
    first = document["features"][0] if is_collection and document["features"] else {}
    marks = ("conformsTo", "coordRefSys", "place", "featureType")
    says = {m for one in (document, first) if isinstance(one, dict) for m in marks if m in one}
    conforms = str(document.get("conformsTo", ""))
    return JSONFG if "json-fg" in conforms or {"coordRefSys", "place"} & says else GEOJSON


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
