"""KML, KMZ and ovkml: placemarks of all folders as one table.

Read with the XML parser of the standard library: GDAL's drivers make a layer of every folder and lose Chinese field
names. Links to other files are not followed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import shapely

from lzgis.errors import SourceError
from lzgis.messages import Message, enumerated
from lzgis.model.report import Problem
from lzgis.reading.base import Decided, Read, ReadOptions
from lzgis.reading.declared import may_be_shifted
from lzgis.reading.formats.xml_text import read_xml_text
from lzgis.reading.formats.zip_archive import unpacked
from lzgis.reading.repair import Change
from lzgis.reading.sandbox.working_copy import working_copy
from lzgis.reading.shapes import CLOSED, LOOK_FOR_POINTS

# Values of OvCoordType in ovkml, in capitals and without hyphens.
_SYSTEMS = {"WGS84": "EPSG:4326", "CGCS2000": "EPSG:4490"}
_ALWAYS = Message("KML is always in WGS 84")
_SHIFTED = {"GCJ02": "gcj02", "BD09": "bd09"}
_COMMA = re.compile(r"\s*,\s*")
_SHAPES = ("Point", "LineString", "LinearRing", "Polygon", "MultiGeometry", "Track", "MultiTrack", "Model")


def read_kml(path: Path, options: ReadOptions) -> Read:
    """Read the placemarks of a KML file.

    Raises
    ------
    SourceError
        If it is no KML, or a placemark's coordinates are no numbers.
    """
    text, encoding = read_xml_text(path, options)
    root = ElementTree.fromstring(text)
    if _tag(root) != "kml":
        raise SourceError(
            str(path), Message("is no {kind}", kind="KML"), Message("check the file and its suffix, or export it again")
        )
    problems: list[Problem] = []
    links = sum(1 for element in root.iter() if _tag(element) == "NetworkLink")
    if links:
        what = Message("{count} links to other files (NetworkLink) are not followed", count=links)
        problems.append(Problem("warning", str(path), what, Message("give the files that they lead to")))
    _refuse_lost(root, str(path))
    _report_pictures(root, str(path), problems)
    rows: list[dict[str, str]] = []
    shapes: list[shapely.Geometry | None] = []
    unclosed: list[int] = []
    for folder, mark in _placemarks(root, ""):
        here = Message(
            "{place}, placemark {row} ('{name}')", place=path, row=len(rows) + 1, name=_text(_child(mark, "name"))
        )
        row = _row(mark, folder, here)
        rows.append(row)
        shapes.append(_shape(mark, here))
        if _is_open(mark, here):
            unclosed.append(len(rows) - 1)
            problems.append(Problem("warning", here, CLOSED, LOOK_FOR_POINTS))
    if unseen := _unseen(root):
        what = Message("{count} placemarks that are not shown (visibility) were read too", count=unseen)
        remedy = Message("show or delete them, so that what is seen is what is read")
        problems.append(Problem("warning", str(path), what, remedy))
    if options.layer is not None:
        keep = [i for i, row in enumerate(rows) if row["folder"] == options.layer]
        if not keep:
            names = ", ".join(sorted({row["folder"] for row in rows}))
            raise SourceError(
                str(path),
                Message("has no layer '{layer}'", layer=options.layer),
                Message("name one of {names}", names=names),
            )
    else:
        keep = list(range(len(rows)))
    crs = _system(root, options, str(path))
    if crs.how == _ALWAYS and not options.shifted:
        problems.append(may_be_shifted(str(path), "WGS 84"))
    frame = gpd.GeoDataFrame(rows, geometry=shapes, crs=crs.value)
    # Fields that no placemark has are left out.
    frame = frame.drop(columns=[c for c in ("folder", "description") if c in frame and not frame[c].astype(bool).any()])
    changes = (Change(tuple(unclosed), CLOSED),) if unclosed else ()
    engine = f"xml.etree, shapely {shapely.__version__}"
    read = Read(frame, engine, tuple(problems), encoding, crs, changes=changes, titles=_titles(root))
    return read.only(keep)


def read_kmz(path: Path, options: ReadOptions) -> Read:
    """Read the KML file in a KMZ.

    Raises
    ------
    SourceError
        If there is none or more than one.
    """
    with working_copy(str(path)) as copy:
        unpacked(path, copy.folder)
        every = sorted(one for one in copy.folder.rglob("*") if one.suffix.lower() == ".kml" and one.is_file())
        found = [one for one in every if one.parent == copy.folder] or every
        main = [p for p in found if p.name.lower() == "doc.kml"] or found
        if len(main) != 1:
            what = Message("holds {count} KML files", count=len(main))
            raise SourceError(str(path), what, Message("give a KMZ with one of them, or the KML itself"))
        read = read_kml(main[0], options)
        others = [one.relative_to(copy.folder).as_posix() for one in every if one != main[0]]
        if others:
            what = Message(
                "only '{main}' of its KML files is read, not {names}", main=main[0].name, names=enumerated(others)
            )
            more = Problem(
                "warning", str(path), what, Message("give the others as files of their own if they hold sites")
            )
            read = replace(read, problems=(*read.problems, more))
        return copy.reword_read(read)


def _report_pictures(root: ElementTree.Element, place: str, problems: list[Problem]) -> None:
    """Report pictures that are laid over the map; refuse a file of nothing else."""
    found = [one for one in root.iter() if _tag(one).lower() in _PICTURES]
    if not found:
        return
    names = enumerated([_text(_child(one, "name")) or "?" for one in found[:_NAMED]])
    what = Message("{count} pictures over the map (overlays) are not read: {names}", count=len(found), names=names)
    remedy = Message("draw what they show as placemarks")
    if not any(_tag(one) == "Placemark" for one in root.iter()):
        raise SourceError(place, what, remedy)
    problems.append(Problem("warning", place, what, remedy))


_PICTURES = ("groundoverlay", "photooverlay", "screenoverlay")
#: So many of them are named.
_NAMED = 10


def _unseen(root: ElementTree.Element) -> int:
    """Count the placemarks that are not shown: by their own visibility, or that of a folder around them."""
    count, waiting = 0, [(root, False)]
    while waiting:
        element, is_hidden = waiting.pop()
        is_hidden |= any(_tag(one).lower() == "visibility" and _text(one) in ("0", "false") for one in element)
        if _tag(element) == "Placemark":
            count += is_hidden
        else:
            waiting += [(one, is_hidden) for one in element]
    return count


def _system(root: ElementTree.Element, options: ReadOptions, place: str) -> Decided:
    """Return the system: WGS 84, or that of the placemarks of an ovkml (OvCoordType), which may be a shifted map."""
    named = sorted({_text(e) for e in root.iter() if _tag(e) == "OvCoordType" and _text(e)})
    if not named:
        return Decided("EPSG:4326", _ALWAYS)
    kinds = {"".join(c for c in name.upper() if c.isalnum()) for name in named}
    kind = kinds.pop() if len(kinds) == 1 else ""
    how = Message("OvCoordType of its placemarks")
    if kind in _SYSTEMS and not options.shifted:
        return Decided(_SYSTEMS[kind], how)
    if kind in _SHIFTED and options.shifted == _SHIFTED[kind]:
        return Decided("EPSG:4326", how)
    what = Message("says that its coordinates are {name} (OvCoordType)", name=", ".join(named))
    if kind in _SHIFTED:
        raise SourceError(
            place, what, Message("say so with --from {name}, and they are shifted back", name=_SHIFTED[kind])
        )
    remedy = Message("leave --from out") if kind in _SYSTEMS else Message("export it in one system, CGCS2000 or WGS 84")
    raise SourceError(place, what, remedy)


def _titles(root: ElementTree.Element) -> tuple[str, ...]:
    """Return the names and descriptions of the document and its folders."""
    outer = (e for e in root.iter() if _tag(e) in ("Document", "Folder", "kml"))
    return tuple(text for one in outer for e in one if _tag(e) in ("name", "description") and (text := _text(e)))


def _tag(element: ElementTree.Element) -> str:
    """Return the name of an element without its namespace; names that are read are recognised in any case."""
    name = str(element.tag).rpartition("}")[2]
    return _KNOWN.get(name.lower(), name)


_KNOWN = {
    name.lower(): name
    for name in (
        *(
            "kml",
            "Document",
            "Folder",
            "Placemark",
            "name",
            "description",
            "ExtendedData",
            "Data",
            "value",
            "SimpleData",
        ),
        *("outerBoundaryIs", "innerBoundaryIs", "coordinates", "OvCoordType", "NetworkLink"),
        *_SHAPES,
    )
}


def _child(element: ElementTree.Element, name: str) -> ElementTree.Element | None:
    return next((e for e in element if _tag(e) == name), None)


def _text(element: ElementTree.Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def _placemarks(element: ElementTree.Element, folder: str) -> Iterator[tuple[str, ElementTree.Element]]:
    """Yield placemarks in the order of the file, each with the names of its folders."""
    waiting = [(element, folder)]
    while waiting:
        one, above = waiting.pop()
        if _tag(one) == "Placemark":
            yield above, one
            continue
        name = _text(_child(one, "name")) if _tag(one) == "Folder" else ""
        inner = f"{above}/{name}" if above and name else above or name
        waiting += [(child, inner) for child in reversed(one)]


def _refuse_lost(root: ElementTree.Element, place: str) -> None:
    """Refuse placemarks and coordinates that stand where KML has none: they would not be read."""
    found = [mark for _, mark in _placemarks(root, "")]
    held = sum(1 for element in root.iter() if _tag(element) == "Placemark")
    if held != len(found):
        what = Message("holds {stated} rows, of which only {read} can be read", stated=held, read=len(found))
        raise SourceError(place, what, Message("a placemark stands in another; take it out"))
    for number, mark in enumerate(found, 1):
        count = sum(1 for element in mark.iter() if _tag(element) == "coordinates")
        read = sum(_coordinates_in(child) for child in mark)
        if count != read:
            here = Message(
                "{place}, placemark {row} ('{name}')", place=place, row=number, name=_text(_child(mark, "name"))
            )
            _refuse(here, Message("{count} lists of coordinates stand where KML has none", count=count - read))


def _coordinates_in(element: ElementTree.Element) -> int:
    """Return how many lists of coordinates of a shape are read."""
    tag = _tag(element)
    if tag in ("MultiGeometry", "MultiTrack"):
        return sum(_coordinates_in(child) for child in element)
    if tag in ("Point", "LineString", "LinearRing"):
        return int(_child(element, "coordinates") is not None)
    if tag != "Polygon":
        return 0
    sides = [e for e in element if _tag(e) in ("outerBoundaryIs", "innerBoundaryIs")]
    return sum(_child(ring, "coordinates") is not None for side in sides for ring in side)


def _row(mark: ElementTree.Element, folder: str, here: str) -> dict[str, str]:
    row = {
        "name": _text(_child(mark, "name")),
        "description": _text(_child(mark, "description")),
        "folder": folder,
    }
    fields: dict[str, str] = {}
    for data in mark:
        for element in data.iter() if _tag(data) == "ExtendedData" else ():
            if _tag(element) not in ("Data", "SimpleData"):
                continue
            name = element.get("name") or ""
            value = _text(_child(element, "value") if _tag(element) == "Data" else element)
            if fields.setdefault(name, value) != value and name:
                _refuse(here, Message("field '{name}' stands twice, with two values", name=name[:60]))
    return row | fields


def _shape(mark: ElementTree.Element, here: str) -> shapely.Geometry | None:
    parts: list[Any] = [s for e in mark if _tag(e) in _SHAPES for s in _simple(e, here)]
    if len(parts) < 2:
        return parts[0] if parts else None
    # Shapes of one type become a multi-geometry of that type.
    for kind, many in ((3, shapely.MultiPolygon), (1, shapely.MultiLineString), (0, shapely.MultiPoint)):
        if (shapely.get_type_id(np.array(parts)) == kind).all():
            return many(parts)
    return shapely.GeometryCollection(parts)


def _simple(element: ElementTree.Element, here: str) -> list[shapely.Geometry]:
    tag = _tag(element)
    if tag in ("MultiGeometry", "MultiTrack"):
        return [s for e in element if _tag(e) in _SHAPES for s in _simple(e, here)]
    if tag == "Point":
        return [shapely.Point(pair) for pair in _coordinates(element, here)]
    if tag in ("LineString", "LinearRing"):
        return [_line(_coordinates(element, here), here)]
    if tag != "Polygon":
        _refuse(here, Message("shapes of kind '{kind}' are not read", kind=tag))
    rings = {
        name: [_ring(_coordinates(e, here), here) for side in element if _tag(side) == name for e in side]
        for name in ("outerBoundaryIs", "innerBoundaryIs")
    }
    if len(rings["outerBoundaryIs"]) != 1:
        _refuse(here, Message("a polygon has {count} outer rings", count=len(rings["outerBoundaryIs"])))
    return [shapely.Polygon(rings["outerBoundaryIs"][0], rings["innerBoundaryIs"])]


def _line(coordinates: np.ndarray, here: str) -> shapely.Geometry:
    if len(coordinates) < 2:
        _refuse(here, Message("has {count} points", count=len(coordinates)))
    return shapely.LineString(coordinates)


def _ring(coordinates: np.ndarray, here: str) -> shapely.LinearRing:
    if len(coordinates) < 3:
        _refuse(here, Message("a ring has {count} points", count=len(coordinates)))
    # An unclosed ring is closed here, which is reported for the placemark.
    return shapely.LinearRing(coordinates)


def _coordinates(element: ElementTree.Element, here: str) -> np.ndarray:
    # A blank beside a comma ends no point, though KML does not allow it.
    given = _child(element, "coordinates")
    # Also the text behind an element that stands among the coordinates.
    tuples = _COMMA.sub(",", "" if given is None else "".join(given.itertext())).split()
    points, heights = [], []
    for one in tuples:
        values = one.split(",")
        if not 2 <= len(values) <= 3:
            what = Message("a point has {count} numbers instead of 2 or 3 ('{text}')", count=len(values), text=one[:60])
            _refuse(here, what)
        try:
            point = [float(value) for value in values[:2]]
        except ValueError:
            point = [math.nan]
        if not all(map(math.isfinite, point)):
            _refuse(here, Message("a coordinate is not a number ('{text}')", text=one[:60]))
        points.append(point)
        heights.append(_height(one))
    xy = np.array(points, float).reshape(-1, 2)
    # Programs without heights write 0.
    return np.column_stack([xy, np.array(heights)]) if any(heights) else xy


def _height(point: str) -> float:
    try:
        return float(point.split(",")[2])
    except (IndexError, ValueError):
        return 0.0


def _is_open(mark: ElementTree.Element, here: str) -> bool:
    """Return whether a polygon has an unclosed ring, which KML does not allow."""
    sides = ("outerBoundaryIs", "innerBoundaryIs")
    rings = [e for polygon in mark.iter() if _tag(polygon) == "Polygon" for s in polygon if _tag(s) in sides for e in s]
    points = [_coordinates(ring, here)[:, :2] for ring in rings]
    return any(len(one) > 0 and (one[0] != one[-1]).any() for one in points)


def _refuse(here: str, what: Message) -> NoReturn:
    raise SourceError(here, what, Message("correct the placemark, or export it again")) from None
