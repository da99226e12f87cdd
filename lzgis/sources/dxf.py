"""DXF drawings: closed lines become polygons, texts inside them their names.

GDAL reads the entities, from a copy in UTF-8. A drawing has no reference system: it must be declared.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model import Problem
from lzgis.sources.base import Read, ReadOptions
from lzgis.sources.text import decoded
from lzgis.sources.vector import Kind, choose_layer, read_gdal
from lzgis.sources.working_copy import working_copy

DXF = Kind("DXF", "DXF")
_ARC_STEP_DEG = 0.5
_BEGINS = re.compile(r"^(?:\s*999\s*\n[^\n]*\n)*\s*0\s*\n\s*SECTION\s*\n")
_CODE_PAGE = re.compile(r"\$DWGCODEPAGE\s*\n\s*3\s*\n\s*(\S+)")
_CURVES = {"ARC", "CIRCLE", "ELLIPSE", "SPLINE"}
_BULGED = {"LWPOLYLINE", "VERTEX", "HATCH"}


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
    if _has_curves(text):
        share = 1 - math.cos(math.radians(_ARC_STEP_DEG / 2))
        what = Message(
            "curves are drawn as chords of {step}°, off by at most {share:.1e} of the radius",
            step=_ARC_STEP_DEG,
            share=share,
        )
        problems.append(Problem("note", str(path), what, Message("nothing to do")))
    read = _read_copy(path, text, replace(options, layer=None))
    frame = read.frame.drop(columns=["SubClasses", "Linetype", "EntityHandle"], errors="ignore")
    if options.layer is not None:
        choose_layer(str(path), sorted(set(frame["Layer"])), options.layer)
        frame = frame[frame["Layer"] == options.layer]
    if "PaperSpace" in frame:
        frame = frame[frame.pop("PaperSpace").fillna(0).astype(int) == 0]
    frame = _named(_closed(frame.reset_index(drop=True)), str(path), problems)
    _say_nested(frame, str(path), problems)
    return replace(read, frame=frame, problems=(*problems, *read.problems), encoding=encoding, crs=None)


def _read_copy(path: Path, text: str, options: ReadOptions) -> Read:
    settings = {"DXF_ENCODING": "UTF-8", "OGR_ARC_STEPSIZE": str(_ARC_STEP_DEG)}
    before = {name: pyogrio.get_gdal_config_option(name) for name in settings}
    with working_copy(str(path), path.name) as copy:
        copy.file.write_text(text, "utf-8", newline="\n")
        try:
            pyogrio.set_gdal_config_options(settings)
            return copy.retold(read_gdal(copy.file, DXF, options))
        finally:
            pyogrio.set_gdal_config_options(before)


def _has_curves(text: str) -> bool:
    """Whether a drawing has curves, or lines with segments that bulge (group 42)."""
    lines = text.split("\n")
    entity = ""
    for code, value in zip(lines[0::2], lines[1::2], strict=False):
        group = code.strip()
        if group == "0":
            entity = value.strip()
            if entity in _CURVES:
                return True
        elif group == "42" and entity in _BULGED and value.strip().strip("-0."):
            return True
    return False


def _closed(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Make polygons of lines that end where they begin, and single polygons of what GDAL drew as a surface."""
    shapes = shapely.force_2d(frame.geometry.to_numpy())
    lines = shapely.get_type_id(shapes) == 1
    rings = lines & shapely.is_closed(shapes) & (shapely.get_num_points(shapes) >= 4)
    made = np.array(shapes, dtype=object)
    for i in np.flatnonzero(rings):
        made[i] = shapely.Polygon(shapely.get_coordinates(shapes[i]))
    return frame.set_geometry(gpd.GeoSeries(made, index=frame.index))


def _named(frame: gpd.GeoDataFrame, place: str, problems: list[Problem]) -> gpd.GeoDataFrame:
    """Give polygons the texts that stand inside them; a text is no site of its own."""
    shapes = frame.geometry.to_numpy()
    written = frame["Text"].fillna("").astype(str).str.strip() if "Text" in frame else None
    frame = frame.drop(columns="Text", errors="ignore").assign(Text="", name="")
    if written is None:
        return frame
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
    return frame[~is_text].reset_index(drop=True)


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
