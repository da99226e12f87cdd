"""Geometries as GDAL gives them, made into shapely's: each that is no geometry is told by its row, none is lost unsaid."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyproj.exceptions import CRSError

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model import Problem
from lzgis.sources.limits import ARC_STEP_DEG

#: Codes of ISO WKB: a surface of polygons, a surface of triangles and a triangle, and what has the same structure.
_AS = {15: 6, 16: 6, 17: 3}
_CURVED = ("Curve", "Circular", "Compound", "MultiSurface", "Multi Surface")
#: As many rows are named; the rest is counted.
_NAMED = 20


#: How pyogrio is told to read only some rows.
WINDOW = ("skip_features", "max_features")


def rows_in(features: int, skip_features: int = 0, max_features: int | None = None) -> int:
    """Tell how many of the rows of a file lie in a window of it."""
    left = features - skip_features
    return left if max_features is None else min(max_features, left)


def read_frame(path: Path, layer: str, **opening: Any) -> tuple[gpd.GeoDataFrame, tuple[Problem, ...]]:
    """Read a layer with pyogrio, its geometries one by one where shapely refuses any.

    Surfaces of polygons or triangles become multipolygons, rings that are not closed are closed, arcs become chords; all
    of it is said. What is no geometry at all stays empty, and its row is named.
    """
    try:
        frame = pyogrio.read_dataframe(path, layer=layer, on_invalid="ignore", **opening)
    except CRSError as error:
        what = Message("names no reference system that is known ({error})", error=error)
        raise SourceError(str(path), what, Message("declare the system, or correct the .prj")) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        return frame, ()
    problems: list[Problem] = []
    window = {name: opening[name] for name in WINDOW if name in opening}
    told = pyogrio.read_info(path, layer=layer, **{k: v for k, v in opening.items() if k not in window})
    stated = rows_in(told["features"], **window)
    # A shapefile counts records marked as deleted too; its reader holds shapes and table against each other.
    if told["driver"] != "ESRI Shapefile" and len(frame) < stated:
        what = Message("is cut short: {size} of {stated} rows are there", size=len(frame), stated=stated)
        raise SourceError(str(path), what, Message("fetch or export the file again"))
    if any(word in str(told["geometry_type"]) for word in _CURVED):
        what = Message("arcs were drawn as chords of {step}° each", step=ARC_STEP_DEG)
        remedy = Message("at a radius of 1,000 m they err by less than 0.01 m")
        problems.append(Problem("note", str(path), what, remedy))
    missing = np.flatnonzero(shapely.is_missing(frame.geometry.to_numpy()))
    if len(missing):
        raw = _raw(path, layer, opening)
        if len(raw) == len(frame):
            shapes = frame.geometry.to_numpy().copy()
            for row in missing:
                shapes[row] = _rescued(raw[row], Message("{place}, row {row}", place=path, row=row + 1), problems)
            frame = frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))
    if len(problems) > _NAMED:
        more = Message("{count} more rows are like these", count=len(problems) - _NAMED)
        problems = [*problems[:_NAMED], Problem("warning", str(path), more, Message("look at the file"))]
    return frame, tuple(problems)


def _raw(path: Path, layer: str, opening: dict[str, Any]) -> np.ndarray:
    kept = {name: value for name, value in opening.items() if name not in ("columns", "on_invalid")}
    found = pyogrio.raw.read(path, layer=layer, columns=[], **kept)[2]
    return np.asarray([] if found is None else found, dtype=object)


def _rescued(wkb: bytes | None, here: Message, problems: list[Problem]) -> shapely.Geometry | None:
    if wkb is None:
        # GDAL itself found none, or one that it does not know; a site without geometry is told later.
        return None
    plain = as_polygons(wkb)
    if plain != wkb:
        shape = _shape(plain, "ignore")
        if shape is not None:
            what = Message("is a surface of triangles or polygons and was taken as their outlines")
            problems.append(Problem("note", here, what, Message("look whether it lies flat")))
            return shape
    closed = _shape(wkb, "fix")
    if closed is None:
        what, remedy = Message("its geometry cannot be read"), Message("draw it again")
        problems.append(Problem("error", here, what, remedy))
        return None
    what = Message("a ring was not closed; it was closed by a straight line")
    problems.append(Problem("warning", here, what, Message("look whether points are missing")))
    return closed


def _shape(wkb: bytes, on_invalid: str) -> shapely.Geometry | None:
    found: shapely.Geometry | None = shapely.from_wkb(wkb, on_invalid=on_invalid)  # type: ignore[call-overload]
    return None if found is None or shapely.is_empty(found) else found


def as_polygons(wkb: bytes) -> bytes:
    """Write a surface of polygons or triangles (WKB) as a multipolygon; anything else stays as it is.

    Examples
    --------
    >>> triangle = shapely.Polygon([(0, 0), (1, 0), (0, 1)])
    >>> polygons = shapely.to_wkb(shapely.MultiPolygon([triangle]), flavor="iso")
    >>> tin = polygons[:1] + struct.pack("<I", 16) + polygons[5:10] + struct.pack("<I", 17) + polygons[14:]
    >>> shapely.from_wkb(as_polygons(tin)).wkt
    'MULTIPOLYGON (((0 0, 1 0, 0 1, 0 0)))'
    """
    if len(wkb) < 9 or _code(wkb, 0) not in (15, 16):
        return wkb
    out = bytearray(wkb)
    try:
        _recode(out, 0)
        order, dimensions = _order(wkb, 0), _dimensions(wkb, 0)
        (count,) = struct.unpack_from(order + "I", wkb, 5)
        at = 9
        for _ in range(count):
            _recode(out, at)
            (rings,) = struct.unpack_from(_order(wkb, at) + "I", wkb, at + 5)
            at += 9
            for _ in range(rings):
                (points,) = struct.unpack_from(order + "I", wkb, at)
                at += 4 + 8 * dimensions * points
    except (struct.error, IndexError):
        return wkb
    return bytes(out)


def _order(wkb: bytes | bytearray, at: int) -> str:
    return "<" if wkb[at] == 1 else ">"


def _whole_code(wkb: bytes | bytearray, at: int) -> int:
    return int(struct.unpack_from(_order(wkb, at) + "I", wkb, at + 1)[0])


def _code(wkb: bytes | bytearray, at: int) -> int:
    return (_whole_code(wkb, at) & 0x0FFFFFFF) % 1000


def _dimensions(wkb: bytes, at: int) -> int:
    whole = _whole_code(wkb, at)
    thousands = (whole & 0x0FFFFFFF) // 1000
    if thousands:
        return 4 if thousands == 3 else 3
    return 2 + bool(whole & 0x80000000) + bool(whole & 0x40000000)


def _recode(out: bytearray, at: int) -> None:
    kind = _code(out, at)
    struct.pack_into(_order(out, at) + "I", out, at + 1, _whole_code(out, at) - kind + _AS.get(kind, kind))
