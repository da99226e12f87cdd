"""DXF drawings: closed lines become polygons, texts inside them their names.

GDAL reads the entities, from a copy in UTF-8. A drawing has no reference system: it must be declared.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from lzgis.coordinates.plane import Geometries
from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.arcs import Drawn, chords_of, square_metres, with_chords
from lzgis.reading.base import Read, ReadOptions
from lzgis.reading.encoding import decoded
from lzgis.reading.formats.gdal import Kind, choose_layer, read_gdal
from lzgis.reading.sandbox.limits import ARC_STEP_DEG
from lzgis.reading.sandbox.working_copy import working_copy

DXF = Kind("DXF", "DXF")
_BEGINS = re.compile(r"^(?:\s*999\s*\n[^\n]*\n)*\s*0\s*\n\s*SECTION\s*\n")
_CODE_PAGE = re.compile(r"\$DWGCODEPAGE\s*\n\s*3\s*\n\s*(\S+)")
_CURVES = {"ARC", "CIRCLE", "ELLIPSE"}
_BULGED = {"LWPOLYLINE", "VERTEX", "HATCH"}
#: Curves of a drawing: none, such as chords of a stated angle stand for, or others too.
Curves = Literal["none", "arcs", "unmeasured"]


def read_dxf(path: Path, options: ReadOptions) -> Read:
    """Read a DXF drawing: polygons from closed lines and hatches, other lines and points as they are.

    Raises
    ------
    SourceError
        If it is no DXF in text form, or GDAL cannot read it.
    """
    data = path.read_bytes()
    if data.startswith(b"AutoCAD Binary DXF"):
        raise SourceError(
            str(path), Message("is a binary DXF"), Message("save it as DXF in text form (R2000 or later)")
        )
    named = _CODE_PAGE.search(data[:20000].decode("latin-1").replace("\r\n", "\n"))
    text, encoding = decoded(data, str(path), declared=options.encoding, named=named[1] if named else None)
    text = text.replace("\r\n", "\n")
    if not _BEGINS.match(text) or not text.rstrip().endswith("EOF"):
        raise SourceError(str(path), Message("is no whole {kind}", kind=DXF.title), Message("save the drawing again"))
    problems = []
    curves = _curves(text)
    read = _read_copy(path, text, replace(options, layer=None), curves)
    frame = read.frame.drop(columns=["SubClasses", "Linetype", "EntityHandle"], errors="ignore")
    kept = np.ones(len(frame), dtype=bool)
    if options.layer is not None:
        choose_layer(str(path), sorted(set(frame["Layer"])), options.layer)
        kept = (frame["Layer"] == options.layer).to_numpy()
    if "PaperSpace" in frame:
        kept = kept & (frame.pop("PaperSpace").fillna(0).astype(int) == 0).to_numpy()
    read = replace(read, frame=frame).only(np.flatnonzero(kept).tolist())
    if curves == "unmeasured":
        what = Message("splines are drawn as chords of the library that reads them, which does not say how far off")
        problems.append(Problem("warning", str(path), what, Message("draw them as arcs or polylines to be sure")))
    read = _named(read, str(path), problems)
    _say_nested(read.frame, str(path), problems)
    return replace(read, problems=(*problems, *read.problems), encoding=encoding, crs=None)


def _read_copy(path: Path, text: str, options: ReadOptions, curves: Curves) -> Read:
    encoded = pyogrio.get_gdal_config_option("DXF_ENCODING")
    with working_copy(str(path), path.name) as copy:
        copy.file.write_text(text, "utf-8", newline="\n")
        try:
            pyogrio.set_gdal_config_options({"DXF_ENCODING": "UTF-8"})
            read = read_gdal(copy.file, DXF, options)
            shapes = _closed(read.frame.geometry.to_numpy())
            drawn = Drawn(shapes)
            if curves != "none":

                def again(step_deg: float) -> Geometries:
                    with chords_of(step_deg):
                        return _closed(pyogrio.read_dataframe(copy.file, columns=[]).geometry.to_numpy())

                # GDAL draws the curves of a drawing itself: those are curves that other chords give other points.
                count = shapely.get_num_coordinates
                bent = np.flatnonzero(count(shapes) != count(again(2 * ARC_STEP_DEG)))
                drawn = with_chords(shapes, bent, again, place=str(copy.file), unit_m2=_unit_m2(options))
        finally:
            pyogrio.set_gdal_config_options({"DXF_ENCODING": encoded})
        frame = read.frame.set_geometry(gpd.GeoSeries(drawn.shapes, index=read.frame.index))
        problems, changes = (*drawn.problems, *read.problems), (*read.changes, *drawn.changes)
        return copy.retold(replace(read, frame=frame, problems=problems, changes=changes))


def _unit_m2(options: ReadOptions) -> float:
    """Tell how many square metres a square unit of a drawing has, by the system that is declared for it."""
    try:
        return square_metres(CRS.from_user_input(options.crs) if options.crs else None)
    except CRSError:  # Told of when the system is needed.
        return 1.0


def _curves(text: str) -> Curves:
    """Tell whether a drawing has curves, or lines with segments that bulge (group 42), or splines among them."""
    lines = text.split("\n")
    entity = ""
    found: Curves = "none"
    for code, value in zip(lines[0::2], lines[1::2], strict=False):
        group = code.strip()
        if group == "0":
            entity = value.strip()
            if entity == "SPLINE":
                return "unmeasured"
            if entity in _CURVES:
                found = "arcs"
        elif group == "42" and entity in _BULGED and value.strip().strip("-0."):
            found = "arcs"
    return found


def _closed(given: Geometries) -> Geometries:
    """Make polygons of lines that end where they begin: so an outline is drawn, and nothing of it is changed.

    A drawing of which everything has the height 0 has none.
    """
    heights = shapely.get_coordinates(given, include_z=True)[:, 2]
    shapes = given if np.nan_to_num(heights).any() else shapely.force_2d(given)
    lines = shapely.get_type_id(shapes) == 1
    rings = lines & shapely.is_closed(shapes) & (shapely.get_num_points(shapes) >= 4)
    made = np.array(shapes, dtype=object)
    for i in np.flatnonzero(rings):
        made[i] = shapely.Polygon(shapely.get_coordinates(shapes[i], include_z=bool(shapely.has_z(shapes[i]))))
    return made


def _named(read: Read, place: str, problems: list[Problem]) -> Read:
    """Give polygons the texts that stand inside them; a text is no site of its own."""
    frame = read.frame
    shapes = frame.geometry.to_numpy()
    written = frame["Text"].fillna("").astype(str).str.strip() if "Text" in frame else None
    frame = frame.drop(columns="Text", errors="ignore").assign(Text="", name="")
    if written is None:
        return replace(read, frame=frame)
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


def _say_nested(frame: gpd.GeoDataFrame, place: str, problems: list[Problem]) -> None:
    """Tell of closed lines inside others: holes or areas of their own, which the drawing does not say."""
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
