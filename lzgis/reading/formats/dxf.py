"""DXF drawings, read by ezdxf: closed lines become polygons, texts inside them their names.

A drawing has no reference system: it must be declared.
"""

from __future__ import annotations

import lzgis.files.ezdxf_import  # noqa: F401 (before ezdxf)

# isort: split
import contextlib
import io
import itertools
import logging
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from ezdxf import recover
from ezdxf.document import Drawing
from ezdxf.filemanagement import read as read_drawing
from ezdxf.lldxf.const import DXFError
from ezdxf.lldxf.encoding import decode_dxf_unicode
from ezdxf.math import OCS, Vec3, bulge_to_arc
from ezdxf.protocols import SupportsVirtualEntities, virtual_entities
from ezdxf.version import __version__ as ezdxf_version
from pyproj import CRS
from pyproj.exceptions import CRSError
from shapely.errors import ShapelyError

from lzgis.coordinates.plane import Geometries
from lzgis.errors import SourceError
from lzgis.messages import Message, enumerated, library_message
from lzgis.model.report import Problem
from lzgis.reading.arcs import square_metres, with_chords
from lzgis.reading.base import Read, ReadOptions
from lzgis.reading.encoding import decoded
from lzgis.reading.formats.gdal import choose_layer, logged, refuse
from lzgis.reading.sandbox.limits import ARC_STEP_DEG

_TITLE = "DXF"
_ENGINE = f"ezdxf {ezdxf_version}"
_BEGINS = re.compile(r"^(?:\s*999\s*\n[^\n]*\n)*\s*0\s*\n\s*SECTION\s*\n")
_CODE_PAGE = re.compile(r"(\$DWGCODEPAGE\s*\n\s*3\s*\n\s*)(\S+)")
_VERSION = re.compile(r"\$ACADVER\s*\n\s*1\s*\n\s*(\S+)")
_ENTITIES = re.compile(r"^\s*2\s*\n\s*ENTITIES\s*\n(.*?)^\s*0\s*\n\s*(?:ENDSEC|EOF)\s*$", re.DOTALL | re.MULTILINE)
#: Groups that belong to the entity before them.
_BELONGING = ("VERTEX", "SEQEND", "ATTRIB")
#: Splines are drawn as chords that are off by about this share of their size.
_SPLINE_SHARE = 1e-5
#: The deepest nesting of blocks that is followed.
_DEPTH = 32
#: The most repairs that are named; the others are counted.
_BEGIN_ENTITIES = re.compile(r"^[ \t]*0[ \t]*\nSECTION[ \t]*\n[ \t]*2[ \t]*\nENTITIES[ \t]*$", re.MULTILINE)
_NAMED = 20
#: What may be a site.
_DRAWN = ("ARC", "CIRCLE", "ELLIPSE", "HATCH", "LINE", "LWPOLYLINE", "MPOLYGON", "POLYLINE", "SPLINE")
_TEXTS = ("TEXT", "MTEXT", "ATTRIB", "ATTDEF")
_BAD_ENTITY = (DXFError, ShapelyError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class _Bend(NamedTuple):
    """The angle between points on curves, and the kinds of curves found in an entity."""

    step_deg: float
    found: set[str]


class _Row(NamedTuple):
    """One entity of a drawing.

    `curved` is the entity itself if it has arcs, which may have to be drawn again; one that is unseen is on a layer that is off
    or frozen, or invisible.
    """

    layer: str
    text: str
    shape: shapely.Geometry
    curved: Any = None
    is_unseen: bool = False


def read_dxf(path: Path, options: ReadOptions) -> Read:
    """Read a DXF drawing: polygons from closed lines and hatches, other lines and points as they are.

    Entities of blocks are read where the blocks are inserted. Only the model space is read.

    Raises
    ------
    SourceError
        If it is no DXF in text form, or ezdxf cannot read it.
    """
    place = str(path)
    data = path.read_bytes()
    if data.startswith(b"AutoCAD Binary DXF"):
        raise SourceError(place, Message("is a binary DXF"), Message("save it as DXF in text form (R2000 or later)"))
    page = _CODE_PAGE.search(data[:20000].decode("latin-1").replace("\r\n", "\n"))
    text, encoding = decoded(data, place, declared=options.encoding, named=page[2] if page else None)
    text = text.replace("\r\n", "\n")
    if not _BEGINS.match(text) or not text.rstrip().endswith("EOF"):
        raise SourceError(place, Message("is no whole {kind}", kind=_TITLE), Message("save the drawing again"))
    document, found = _document(text, path)
    _refuse_lost(text, document, place)
    del data, text
    rows, curves, unread = _rows(document)
    if found:
        _refuse_damaged(unread, place)
    problems: list[Problem] = []
    _report_paper(document, rows, place, problems)
    titles = _titles(document)
    # A large drawing takes most of the memory that a reader may use.
    del document
    shapes = _polygons_of_rings(np.array([row.shape for row in rows], dtype=object))
    arcs = np.array([i for i, row in enumerate(rows) if row.curved is not None], dtype=np.intp)

    def redraw(step_deg: float) -> Geometries:
        made = np.array(shapes, dtype=object)
        for i in arcs:
            made[i] = _shape(rows[i].curved, _Bend(step_deg, set()))
        return _polygons_of_rings(made)

    drawn = with_chords(shapes, arcs, redraw, place=place, unit_m2=_unit_m2(options))
    frame = gpd.GeoDataFrame({"Layer": [row.layer for row in rows]}, geometry=list(drawn.shapes))
    frame["Text"] = [row.text for row in rows]
    kept = np.ones(len(frame), dtype=bool)
    if options.layer is not None:
        choose_layer(place, sorted(set(frame["Layer"])), options.layer)
        kept = (frame["Layer"] == options.layer).to_numpy()
    if "splines" in curves:
        what = Message("splines are drawn as chords of the library that reads them, which does not say how far off")
        problems.append(Problem("warning", place, what, Message("draw them as arcs or polylines to be sure")))
    read = Read(frame, _ENGINE, (*drawn.problems, *found), changes=drawn.changes, encoding=encoding)
    read = _with_names(read.only(np.flatnonzero(kept).tolist()), place, problems)
    _report_nested(read.frame, place, problems)
    _report_unseen([row for row, is_kept in zip(rows, kept, strict=True) if is_kept], place, problems)
    if unread:
        kinds = ", ".join(f"{kind} ({count})" for kind, count in sorted(unread.items()))
        what = Message("{count} entities are not read: {kinds}", count=sum(unread.values()), kinds=kinds)
        remedy = Message("draw them as lines, polylines or hatches if they are sites")
        problems.append(Problem("warning", place, what, remedy))
    return replace(read, problems=(*problems, *read.problems), titles=titles)


def _report_unseen(rows: Sequence[_Row], place: str, problems: list[Problem]) -> None:
    """Report shapes that the drawing does not show; they are read as all others."""
    unseen = [row.layer for row in rows if row.is_unseen]
    if unseen:
        what = Message(
            "{count} shapes that are not shown (layers off or frozen, invisible) were read too: layers {names}",
            count=len(unseen),
            names=enumerated(sorted(set(unseen))),
        )
        remedy = Message("show or delete them, so that what is seen is what is read")
        problems.append(Problem("warning", place, what, remedy))


def _report_paper(document: Drawing, rows: Sequence[_Row], place: str, problems: list[Problem]) -> None:
    """Name shapes in paper space, where frames and legends are drawn; refuse a drawing that has none elsewhere."""
    paper = (one for layout in document.layouts if layout.is_any_paperspace for one in layout)
    count = sum(one.dxftype() in _DRAWN for one in paper)
    if not count:
        return
    what = Message("{count} shapes in paper space are not read", count=count)
    remedy = Message("move them to model space if they are sites")
    if not any(shapely.get_dimensions(row.shape) for row in rows):
        raise SourceError(place, what, remedy)
    problems.append(Problem("note", place, what, remedy))


def _titles(document: Drawing) -> tuple[str, ...]:
    """Return all texts of a drawing, also of paper space and blocks, and the names of its layers."""
    found = [str(one.dxf.name) for one in document.layers]
    for entity in document.entitydb.values():
        if entity.dxftype() in _TEXTS:
            with contextlib.suppress(*_BAD_ENTITY):
                found.append(_plain_text(entity))
    return tuple(dict.fromkeys(decode_dxf_unicode(one) for one in found if one))


def _document(text: str, path: Path) -> tuple[Drawing, list[Problem]]:
    """Load a drawing; one that ezdxf refuses is repaired if possible, and each repair is reported."""
    remedy = Message("look whether all of it was read")
    version = _VERSION.search(text)
    if "LWPOLYLINE" in text and (version is None or version[1] < "AC1012"):
        # R12 has no LWPOLYLINE, but programs write it: ezdxf would read it without its layer and its flags.
        text = _with_markers(text)
    with logged("ezdxf", logging.WARNING) as messages:
        try:
            document, repairs = read_drawing(io.StringIO(text)), []
        except _BAD_ENTITY as first:
            repairs = [library_message(first)]
            try:
                if "AcDbPolyline" in str(first):
                    document = read_drawing(io.StringIO(_with_markers(text)))
                else:
                    document, auditor = recover.read(io.BytesIO(_encoded(text)))
                    repairs += [library_message(entry.message) for entry in (*auditor.errors, *auditor.fixes)]
            except _BAD_ENTITY:
                refuse(path, first)
    found = [
        Problem("warning", str(path), Message("is damaged and was repaired: {text}", text=one), remedy)
        for one in repairs[:_NAMED]
    ]
    if len(repairs) > _NAMED:
        what = Message("{count} more repairs were made", count=len(repairs) - _NAMED)
        found.append(Problem("warning", str(path), what, remedy))
    # Handles identify entities for references; nothing that is read here depends on them.
    warned = [] if repairs else [one for one in dict.fromkeys(messages) if "handle" not in one][:_NAMED]
    found += [
        Problem("warning", str(path), Message("the reader says: {text}", text=library_message(one)), remedy)
        for one in warned
    ]
    return document, found


def _refuse_damaged(unread: Counter[str], place: str) -> None:
    """Refuse a damaged drawing of which lines or areas cannot be read: they may be sites."""
    lost = {kind: count for kind, count in sorted(unread.items()) if kind in _DRAWN}
    if lost:
        kinds = ", ".join(f"{kind} ({count})" for kind, count in lost.items())
        what = Message(
            "is damaged, and {count} of its entities cannot be read: {kinds}", count=sum(lost.values()), kinds=kinds
        )
        raise SourceError(place, what, Message("save the drawing again"))


def _refuse_lost(text: str, document: Drawing, place: str) -> None:
    """Refuse a drawing of which the library that reads it drops entities."""
    if len(_BEGIN_ENTITIES.findall(text)) > 1:
        what = Message("holds two sections of entities, of which only one is read")
        raise SourceError(place, what, Message("save the drawing again"))
    held = _ENTITIES.search(text)
    if held is None:
        return
    lines = held[1].split("\n")
    kinds = [v.strip() for code, v in zip(lines[0::2], lines[1::2], strict=False) if code.strip() == "0"]
    stated = sum(kind not in _BELONGING for kind in kinds)
    read = sum(len(layout) for layout in document.layouts)
    if read < stated:
        what = Message("holds {stated} entities, of which only {read} can be read", stated=stated, read=read)
        raise SourceError(place, what, Message("save the drawing again"))


def _with_markers(text: str) -> str:
    """Add the subclass markers of LWPOLYLINE, which simple programs do not write and ezdxf requires."""
    lines = text.split("\n")
    out: list[str] = []
    unmarked = False
    for code, value in zip(lines[0::2], lines[1::2], strict=False):
        group = code.strip()
        if group == "0":
            unmarked = value.strip() == "LWPOLYLINE"
            if unmarked:
                out += [code, value, "100", "AcDbEntity"]
                continue
        elif unmarked and group == "100":
            unmarked = value.strip() != "AcDbPolyline"
            if unmarked:
                continue
        elif unmarked and group in ("10", "38", "39", "43", "70", "90"):
            out += ["100", "AcDbPolyline"]
            unmarked = False
        out += [code, value]
    marked = "\n".join([*out, ""])
    if _VERSION.search(text):
        return _VERSION.sub(lambda found: found[0].replace(found[1], max(found[1], "AC1015")), marked, count=1)
    return f"0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\nAC1015\n0\nENDSEC\n{marked}"


def _encoded(text: str) -> bytes:
    """Encode a drawing for :func:`ezdxf.recover.read`, which decodes it by version and code page of the header."""
    version = _VERSION.search(text)
    if _CODE_PAGE.search(text):
        text = _CODE_PAGE.sub(r"\g<1>ANSI_936", text, count=1)
    else:
        known = "" if version else "9\n$ACADVER\n1\nAC1009\n"
        text = f"0\nSECTION\n2\nHEADER\n{known}9\n$DWGCODEPAGE\n3\nANSI_936\n0\nENDSEC\n{text}"
    if version and version[1] >= "AC1021":
        return text.encode("utf-8", "replace")
    return text.encode("gbk", "dxfreplace")


def _rows(document: Drawing) -> tuple[list[_Row], set[str], Counter[str]]:
    """Draw all entities of the model space; the kinds of those that cannot be drawn are counted."""
    unread: Counter[str] = Counter()
    rows: list[_Row] = []
    curves: set[str] = set()
    off = {str(one.dxf.name) for one in document.layers if one.is_off() or one.is_frozen()}
    for entity, layer in _simple(document.modelspace(), "", unread, 0):
        bend = _Bend(ARC_STEP_DEG, set())
        try:
            shape = _shape(entity, bend)
            text = _plain_text(entity) if entity.dxftype() in _TEXTS else ""
        except _BAD_ENTITY:
            shape = None
        if shape is None or shapely.is_empty(shape):
            unread[entity.dxftype()] += 1
            continue
        curves |= bend.found
        unseen = layer in off or bool(entity.dxf.get("invisible", 0))
        rows.append(_Row(decode_dxf_unicode(layer), text, shape, entity if "arcs" in bend.found else None, unseen))
    return rows, curves, unread


def _simple(entities: Iterable[Any], layer: str, unread: Counter[str], depth: int) -> Iterator[tuple[Any, str]]:
    """Yield the simple entities, each with its layer; blocks and other compound entities are resolved."""
    for entity in entities:
        kind = entity.dxftype()
        # Entities on layer 0 of a block belong to the layer of its insertion.
        own = entity.dxf.get("layer", "0")
        own = layer if depth and own == "0" else own
        if kind in _SHAPES and not (kind == "POLYLINE" and (entity.is_polygon_mesh or entity.is_poly_face_mesh)):
            yield entity, own
            continue
        parts = _parts(entity, unread) if depth < _DEPTH else None
        if parts is None:
            unread[kind] += 1
            continue
        try:
            yield from _simple(parts, own, unread, depth + 1)
        except _BAD_ENTITY:
            unread[kind] += 1


def _parts(entity: Any, unread: Counter[str]) -> Iterable[Any] | None:
    """Return the parts of a compound entity; None if it has none."""

    def skipped(part: Any, _: str) -> None:
        unread[part.dxftype()] += 1

    if entity.dxftype() == "INSERT":
        block = entity.block()
        if block is None or block.block.is_xref:
            return None
        inserted = entity.multi_insert() if entity.mcount > 1 else [entity]
        drawn = (one.virtual_entities(skipped_entity_callback=skipped) for one in inserted)
        return itertools.chain(itertools.chain.from_iterable(drawn), entity.attribs)
    if entity.dxftype() == "POLYLINE":
        return entity.virtual_entities()  # type: ignore[no-any-return]
    return virtual_entities(entity) if isinstance(entity, SupportsVirtualEntities) else None


def _plain_text(entity: Any) -> str:
    return decode_dxf_unicode(str(entity.plain_text())).strip()


def _shape(entity: Any, bend: _Bend) -> shapely.Geometry | None:
    """Return the shape of one entity; None if it has too few points."""
    shape: shapely.Geometry | None = _SHAPES[entity.dxftype()](entity, bend)
    return shape


def _line(points: Iterable[Sequence[float]], *, ring: bool = False) -> shapely.Geometry | None:
    """Return a line through points with heights; a ring is closed."""
    xyz = np.array([tuple(point) for point in points], dtype=float).reshape(-1, 3)
    if len(xyz) < 2:
        return None
    if ring and (xyz[0] != xyz[-1]).any():
        xyz = np.vstack([xyz, xyz[:1]])
    return shapely.LineString(xyz)


def _on_arc(centre: Sequence[float], radius: float, begin: float, sweep: float, bend: _Bend) -> np.ndarray:
    """Return points of an arc in the plane with both ends; angles in radians, clockwise if `sweep` is negative."""
    bend.found.add("arcs")
    count = max(1, math.ceil(abs(math.degrees(sweep)) / bend.step_deg - 1e-9))
    angles = begin + sweep * np.arange(count + 1) / count
    return np.column_stack([centre[0] + radius * np.cos(angles), centre[1] + radius * np.sin(angles)])


def _with_bulges(xyb: np.ndarray, bend: _Bend, *, closed: bool) -> np.ndarray:
    """Return the points of a polyline in its plane, with points on the arcs of segments with a bulge."""
    if not len(xyb) or not xyb[:, 2].any():
        return xyb[:, :2]
    points = [xyb[0, :2]]
    following = np.vstack([xyb[1:], xyb[:1]]) if closed else xyb[1:]
    for (x, y, bulge), (*end, _) in zip(xyb, following, strict=False):
        if bulge and (x, y) != tuple(end):
            centre, first, last, radius = bulge_to_arc((x, y), end, bulge)
            begin = first if bulge > 0 else last
            points += list(_on_arc(centre, radius, begin, 4 * math.atan(bulge), bend)[1:-1])
        points.append(np.array(end))
    return np.array(points)


def _in_world(points: np.ndarray, entity: Any, height: float) -> Iterable[Sequence[float]]:
    """Transform points in the plane of an entity to coordinates of the drawing."""
    extrusion = Vec3(entity.dxf.get("extrusion", (0, 0, 1)))
    xyz = np.column_stack([points, np.full(len(points), height)])
    if extrusion.isclose((0, 0, 1)):
        return list(xyz)
    return [tuple(point) for point in OCS(extrusion).points_to_wcs(Vec3(p) for p in xyz)]


def _lwpolyline(entity: Any, bend: _Bend) -> shapely.Geometry | None:
    xyb = np.array(entity.lwpoints.values, dtype=float).reshape(-1, 5)[:, [0, 1, 4]]
    points = _with_bulges(xyb, bend, closed=entity.closed)
    return _line(_in_world(points, entity, entity.dxf.elevation), ring=entity.closed)


def _polyline(entity: Any, bend: _Bend) -> shapely.Geometry | None:
    # The control points of a smoothed polyline are not on it.
    drawn = [vertex for vertex in entity.vertices if not vertex.dxf.flags & 16]
    if entity.is_3d_polyline:
        return _line((vertex.dxf.location for vertex in drawn), ring=entity.is_closed)
    xyb = np.array([(*vertex.dxf.location.vec2, vertex.dxf.get("bulge", 0)) for vertex in drawn]).reshape(-1, 3)
    points = _with_bulges(xyb, bend, closed=entity.is_closed)
    return _line(_in_world(points, entity, Vec3(entity.dxf.elevation).z), ring=entity.is_closed)


def _arc(entity: Any, bend: _Bend) -> shapely.Geometry | None:
    full = entity.dxftype() == "CIRCLE"
    begin = 0.0 if full else math.radians(entity.dxf.start_angle)
    sweep = math.tau if full else (math.radians(entity.dxf.end_angle) - begin) % math.tau or math.tau
    centre = Vec3(entity.dxf.center)
    points = _on_arc(centre, abs(entity.dxf.radius), begin, sweep, bend)
    if full:
        points[-1] = points[0]
    return _line(_in_world(points, entity, centre.z))


def _ellipse(entity: Any, bend: _Bend) -> shapely.Geometry | None:
    tool = entity.construction_tool()
    sweep = (tool.end_param - tool.start_param) % math.tau or math.tau
    units = _on_arc((0, 0), 1.0, tool.start_param, sweep, bend)
    axes = np.array([tuple(tool.major_axis), tuple(tool.minor_axis)])
    return _line(units @ axes + np.array(tuple(tool.center)), ring=math.isclose(sweep, math.tau))


def _spline(entity: Any, bend: _Bend) -> shapely.Geometry | None:
    return _line(_on_spline(entity.construction_tool(), bend), ring=entity.closed)


def _on_spline(tool: Any, bend: _Bend) -> list[Vec3]:
    bend.found.add("splines")
    ends = np.array([tuple(Vec3(point)) for point in tool.control_points])
    size = float(np.linalg.norm(ends.max(axis=0) - ends.min(axis=0)))
    return list(tool.flattening(max(size * _SPLINE_SHARE, 1e-12)))


def _hatch(entity: Any, bend: _Bend) -> shapely.Geometry | None:
    rings = [ring for path in entity.paths if len(ring := _boundary(path, bend)) >= 3]
    shape = _nested(rings)
    height = Vec3(entity.dxf.elevation).z
    return shapely.transform(
        shapely.force_3d(shape), lambda xyz: np.array(_in_world(xyz[:, :2], entity, height)), include_z=True
    )


def _boundary(path: Any, bend: _Bend) -> np.ndarray:
    """Return the points of one boundary of a hatch, in its plane."""
    if hasattr(path, "vertices"):
        return _with_bulges(np.array(path.vertices, dtype=float).reshape(-1, 3), bend, closed=True)
    left = [edge for edge in (_edge(edge, bend) for edge in path.edges) if len(edge) > 1]
    points = left.pop(0) if left else np.zeros((0, 2))
    while left:
        # Edges are usually in order; the next one is the one with an end nearest to the last point.
        gaps = [np.linalg.norm(edge[[0, -1]] - points[-1], axis=1) for edge in left]
        nearest = int(np.argmin([gap.min() for gap in gaps]))
        edge = left.pop(nearest)
        points = np.vstack([points, edge[1:] if gaps[nearest][0] <= gaps[nearest][1] else edge[-2::-1]])
    return points


def _edge(edge: Any, bend: _Bend) -> np.ndarray:
    kind = type(edge).__name__
    if kind == "LineEdge":
        return np.array([tuple(edge.start), tuple(edge.end)])
    if kind == "SplineEdge":
        return np.array([tuple(point)[:2] for point in _on_spline(edge.construction_tool(), bend)])
    begin = math.radians(edge.start_angle) if kind == "ArcEdge" else edge.start_param
    end = math.radians(edge.end_angle) if kind == "ArcEdge" else edge.end_param
    sweep = end - begin if math.isclose(abs(end - begin), math.tau) else (end - begin) % math.tau or math.tau
    if kind == "ArcEdge":
        points = _on_arc(edge.center, edge.radius, begin, sweep, bend)
    else:
        major = np.array(tuple(edge.major_axis))
        minor = np.array([-major[1], major[0]]) * edge.ratio
        points = _on_arc((0, 0), 1.0, begin, sweep, bend) @ np.array([major, minor]) + np.array(tuple(edge.center))
    return points if edge.ccw else points[::-1]


def _nested(rings: Sequence[np.ndarray]) -> shapely.Geometry:
    """Return polygons of rings: a ring within an odd number of others is a hole of the smallest of them."""
    areas = np.array([shapely.Polygon(ring) for ring in rings], dtype=object)
    sizes = shapely.area(areas)
    tree = shapely.STRtree(areas)
    within = []
    for i, ring in enumerate(rings):
        # Rings may touch: any corner, or middle of an edge, that is properly inside decides.
        probes = shapely.points(np.vstack([ring, (ring + np.roll(ring, -1, axis=0)) / 2]))
        around = [int(j) for j in tree.query(areas[i]) if sizes[j] > sizes[i]]
        within.append([j for j in around if shapely.contains_properly(areas[j], probes).any()])
    shells: dict[int, list[np.ndarray]] = {i: [] for i, around in enumerate(within) if len(around) % 2 == 0}
    for i, around in enumerate(within):
        if i not in shells:
            shells[min((j for j in around if j in shells), key=lambda j: sizes[j])].append(rings[i])
    made = [shapely.Polygon(rings[i], holes) for i, holes in shells.items()]
    return made[0] if len(made) == 1 else shapely.MultiPolygon(made)


def _text_place(entity: Any, _: _Bend) -> shapely.Geometry:
    if entity.dxftype() == "MTEXT":
        return shapely.Point(*entity.dxf.insert)
    return shapely.Point(*entity.ocs().to_wcs(entity.get_placement()[1]))


def _corners(entity: Any, _: _Bend) -> shapely.Geometry | None:
    return _line(entity.wcs_vertices(), ring=True)


#: The function that returns the shape of each kind of entity.
_SHAPES: dict[str, Any] = {
    "POINT": lambda entity, _: shapely.Point(*entity.dxf.location),
    "LINE": lambda entity, _: _line([entity.dxf.start, entity.dxf.end]),
    "LWPOLYLINE": _lwpolyline,
    "POLYLINE": _polyline,
    "CIRCLE": _arc,
    "ARC": _arc,
    "ELLIPSE": _ellipse,
    "SPLINE": _spline,
    "HELIX": _spline,
    "HATCH": _hatch,
    "MPOLYGON": _hatch,
    **dict.fromkeys(("3DFACE", "SOLID", "TRACE"), _corners),
    **dict.fromkeys(_TEXTS, _text_place),
}


def _unit_m2(options: ReadOptions) -> float:
    """Give the square metres of a square unit of a drawing, by the system that is declared for it."""
    try:
        return square_metres(CRS.from_user_input(options.crs) if options.crs else None)
    except CRSError:  # Reported when the system is needed.
        return 1.0


def _polygons_of_rings(given: Geometries) -> Geometries:
    """Make polygons of the lines that end where they begin; no point is changed.

    A shape whose heights are all 0 has none.
    """
    xyz, of = shapely.get_coordinates(given, include_z=True, return_index=True)
    high = np.bincount(of, weights=np.nan_to_num(xyz[:, 2]) != 0, minlength=len(given)) > 0
    shapes = np.where(high, given, shapely.force_2d(given))
    lines = shapely.get_type_id(shapes) == 1
    rings = lines & shapely.is_closed(shapes) & (shapely.get_num_points(shapes) >= 4)
    made = np.array(shapes, dtype=object)
    for i in np.flatnonzero(rings):
        made[i] = shapely.Polygon(shapely.get_coordinates(shapes[i], include_z=bool(shapely.has_z(shapes[i]))))
    return made


def _with_names(read: Read, place: str, problems: list[Problem]) -> Read:
    """Give each polygon the texts that stand inside it, and drop the rows of texts."""
    frame = read.frame
    shapes = frame.geometry.to_numpy()
    written = frame["Text"]
    frame = frame.drop(columns="Text").assign(Text="", name="")
    is_text = ((written != "") & (shapely.get_type_id(shapes) == 0)).to_numpy()
    areas = np.flatnonzero(shapely.get_dimensions(shapes) == 2)
    texts = np.flatnonzero(is_text)
    inside, of = shapely.STRtree(shapes[areas]).query(shapes[texts], predicate="intersects")
    words: dict[int, list[str]] = {}
    for text, area in zip(texts[inside], areas[of], strict=True):
        words.setdefault(int(area), []).append(str(written.iloc[text]))
    frame["Text"] = [" ".join(words.get(i, [])) for i in range(len(frame))]
    frame["name"] = frame["Text"]
    if len(texts):
        placed = len(set(inside.tolist()))
        what = Message(
            "{placed} of {count} texts stand inside a closed line and name it", placed=placed, count=len(texts)
        )
        problems.append(Problem("note", place, what, Message("the other texts are left out; they are no sites")))
    return replace(read, frame=frame).only(np.flatnonzero(~is_text).tolist())


def _report_nested(frame: gpd.GeoDataFrame, place: str, problems: list[Problem]) -> None:
    """Report closed lines inside others: the drawing does not say whether they are holes."""
    shapes = frame.geometry.to_numpy()
    areas = np.flatnonzero(shapely.get_dimensions(shapes) == 2)
    inner, outer = shapely.STRtree(shapes[areas]).query(shapes[areas], predicate="within")
    pairs = [(i, o) for i, o in zip(areas[inner], areas[outer], strict=True) if i != o]
    if pairs:
        what = Message(
            "{count} closed lines lie inside others (row {first} in row {second}); they are read as areas, not as holes",
            count=len({i for i, _ in pairs}),
            first=int(pairs[0][0]) + 1,
            second=int(pairs[0][1]) + 1,
        )
        problems.append(Problem("warning", place, what, Message("draw a hole as a hatch, or give a GeoPackage")))
