"""Geometries from GDAL as shapely geometries; every one that cannot be read is reported by its row."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyproj.exceptions import CRSError

from lzgis.coordinates.plane import Geometries
from lzgis.errors import SourceError
from lzgis.messages import Message, library_message
from lzgis.model.report import Problem
from lzgis.reading.arcs import chords_of, rows_with_arcs, square_metres, with_chords
from lzgis.reading.repair import Change
from lzgis.reading.sandbox.limits import ARC_STEP_DEG
from lzgis.reading.wkb import as_polygons

#: The most rows that are named; the others are counted.
_NAMED = 20


#: Arguments of pyogrio to read only some rows.
WINDOW = ("skip_features", "max_features")


def rows_in(features: int, skip_features: int = 0, max_features: int | None = None) -> int:
    """Return how many rows of a file lie in a window of it."""
    left = features - skip_features
    return left if max_features is None else min(max_features, left)


class Shapes(NamedTuple):
    """A layer as read, the problems to report, and the changes to its geometries."""

    frame: gpd.GeoDataFrame
    problems: tuple[Problem, ...] = ()
    changes: tuple[Change, ...] = ()


#: Changes to a geometry that shapely cannot read as it is.
CLOSED = Message("a ring was not closed; it was closed by a straight line")
LOOK_FOR_POINTS = Message("look whether points are missing")
_OUTLINES = Message("is a surface of triangles or polygons and was taken as their outlines")


def read_frame(path: Path, layer: str, **opening: Any) -> Shapes:
    """Read a layer with pyogrio; geometries that shapely refuses are read one by one.

    Surfaces of polygons or triangles become multipolygons, unclosed rings are closed, arcs become chords; all of it is
    reported. What is no geometry stays empty, and its row is named.
    """
    try:
        with chords_of(ARC_STEP_DEG):
            frame = pyogrio.read_dataframe(path, layer=layer, on_invalid="ignore", **opening)
    except CRSError as error:
        what = Message("names no reference system that is known ({error})", error=library_message(error))
        raise SourceError(str(path), what, Message("declare the system, or correct the .prj")) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        return Shapes(frame)
    window = {name: opening[name] for name in WINDOW if name in opening}
    plain = {k: v for k, v in opening.items() if k not in window and k not in ("columns", "fids")}
    info = pyogrio.read_info(path, layer=layer, **plain)
    stated = len(opening["fids"]) if "fids" in opening else rows_in(info["features"], **window)
    # A shapefile also counts records marked as deleted; its reader compares shapes and table.
    if info["driver"] != "ESRI Shapefile" and len(frame) < stated:
        what = Message("is cut short: {size} of {stated} rows are there", size=len(frame), stated=stated)
        raise SourceError(str(path), what, Message("fetch or export the file again"))

    def redraw(step_deg: float) -> Geometries:
        with chords_of(step_deg):
            return _parsed(_raw(path, layer, opening), "ignore")

    kept = {k: v for k, v in opening.items() if k != "columns"}
    bent = rows_with_arcs(path, layer, info["driver"], kept)
    drawn = with_chords(frame.geometry.to_numpy(), bent, redraw, place=str(path), unit_m2=square_metres(frame.crs))
    shapes, problems, changes = drawn
    missing = np.flatnonzero(shapely.is_missing(shapes))
    if len(missing):
        raw = _raw(path, layer, opening)
        if len(raw) == len(frame):
            shapes, more, mended = parse_refused_wkb(shapes, raw, missing, str(path), window.get("skip_features", 0))
            problems, changes = (*problems, *more), (*changes, *mended)
    if shapes is not frame.geometry.to_numpy():
        frame = frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))
    return Shapes(frame, problems, changes)


def parse_refused_wkb(
    shapes: Geometries, raw: np.ndarray, missing: np.ndarray, place: str, skipped: int = 0
) -> tuple[Geometries, tuple[Problem, ...], tuple[Change, ...]]:
    """Read WKB that shapely refuses: unclosed rings, and surfaces of polygons.

    Parameters
    ----------
    shapes, raw : arrays
        Shapes, and the WKB that they were read from.
    missing : array of int
        The rows that shapely refused.
    place : str
        Name of the input in messages.
    skipped : int
        Number of rows of the input before the first of these.
    """
    made = np.array(shapes, dtype=object)
    problems: list[Problem] = []
    done: dict[str, list[int]] = {}
    for row in missing.tolist():
        here = Message("{place}, row {row}", place=place, row=skipped + row + 1)
        made[row], what = _parse_one(raw[row], here, problems)
        if what:
            done.setdefault(what, []).append(row)
    if len(problems) > _NAMED:
        more = Message("{count} more rows are like these", count=len(problems) - _NAMED)
        problems = [*problems[:_NAMED], Problem("warning", place, more, Message("look at the file"))]
    return made, tuple(problems), tuple(Change(tuple(rows), what) for what, rows in done.items())


def _raw(path: Path, layer: str, opening: dict[str, Any]) -> np.ndarray:
    kept = {name: value for name, value in opening.items() if name not in ("columns", "on_invalid")}
    found = pyogrio.raw.read(path, layer=layer, columns=[], **kept)[2]
    return np.asarray([] if found is None else found, dtype=object)


def _parse_one(wkb: bytes | None, here: Message, problems: list[Problem]) -> tuple[shapely.Geometry | None, str]:
    """Return the shape of WKB that shapely refused, and the change that was made."""
    if wkb is None:
        # GDAL found no geometry, or one of an unknown type; a site without geometry is reported later.
        return None, ""
    plain = as_polygons(wkb)
    if plain != wkb:
        shape = _shape(plain, "ignore")
        if shape is not None:
            problems.append(Problem("note", here, _OUTLINES, Message("look whether it lies flat")))
            return shape, _OUTLINES
    closed = _shape(wkb, "fix")
    if closed is None:
        what, remedy = Message("its geometry cannot be read"), Message("draw it again")
        problems.append(Problem("error", here, what, remedy))
        return None, ""
    problems.append(Problem("warning", here, CLOSED, LOOK_FOR_POINTS))
    return closed, CLOSED


def _shape(wkb: bytes, on_invalid: str) -> shapely.Geometry | None:
    found: shapely.Geometry | None = shapely.from_wkb(wkb, on_invalid=on_invalid)  # type: ignore[call-overload]
    return None if found is None or shapely.is_empty(found) else found


def _parsed(raw: np.ndarray, on_invalid: str) -> Geometries:
    found: Geometries = shapely.from_wkb(raw, on_invalid=on_invalid)  # type: ignore[call-overload]
    return found
