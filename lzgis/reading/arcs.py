"""Arcs drawn as chords: which rows have any, and the area that the arcs themselves enclose.

No figure of the arcs is computed here. The same rows are drawn once more with chords twice as long: how much the area
falls behind grows with the square of their length, which gives the area that chords without length would enclose.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyogrio
import shapely
from pyproj import CRS

from lzgis.coordinates.plane import Geometries
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.repair import TOLERANCE_M2, TOLERANCE_SHARE, Change
from lzgis.reading.sandbox.limits import ARC_STEP_DEG
from lzgis.reading.wkb import has_arc

#: Chords so many times shorter stand for arcs where those of `ARC_STEP_DEG` would change an area beyond the tolerance.
_FINER = 5
#: The other angles of chords that `with_chords` may ask for: those that tell how far off they are, and the finer.
OTHER_STEPS_DEG = (2 * ARC_STEP_DEG, ARC_STEP_DEG / _FINER)
#: Drivers of formats that have no arcs, and the one that draws them as chords itself, to which its reader looks.
_STRAIGHT = ("ESRI Shapefile", "GeoJSON", "DXF")
#: Rows that are looked through at once.
_AT_ONCE = 10_000
#: Square metres of a square degree, at the most.
_M2_PER_DEGREE2 = 111_700.0**2


class Drawn(NamedTuple):
    """Shapes whose arcs are chords, what is said of it, and what was done."""

    shapes: Geometries
    problems: tuple[Problem, ...] = ()
    changes: tuple[Change, ...] = ()


@contextmanager
def chords_of(step_deg: float) -> Iterator[None]:
    """Let GDAL draw arcs as chords of an angle."""
    before = pyogrio.get_gdal_config_option("OGR_ARC_STEPSIZE")
    try:
        pyogrio.set_gdal_config_options({"OGR_ARC_STEPSIZE": str(step_deg)})
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_ARC_STEPSIZE": before})


def rows_with_arcs(path: Path, layer: str, driver: str, opening: dict[str, Any]) -> np.ndarray:
    """Find the rows of a layer that have an arc, whatever kind of shape the layer declares.

    The shapes are asked of GDAL as a table of Arrow: the only way by which it gives arcs as they are.
    """
    if driver in _STRAIGHT:
        return np.zeros(0, dtype=np.intp)
    kept = {name: value for name, value in opening.items() if name not in ("columns", "max_features")}
    most = opening.get("max_features")
    found: list[int] = []
    begin = 0
    with pyogrio.raw.open_arrow(path, layer=layer, columns=[], batch_size=_AT_ONCE, use_pyarrow=True, **kept) as (
        told,
        batches,
    ):
        name = told["geometry_name"] or "wkb_geometry"
        for batch in batches:
            shapes = batch.column(name).to_pylist()
            found += [begin + i for i, wkb in enumerate(shapes) if wkb is not None and has_arc(wkb)]
            begin += len(shapes)
            if most is not None and begin >= most:
                break
    rows = np.array(found, dtype=np.intp)
    return rows if most is None else rows[rows < most]


def with_chords(
    shapes: Geometries, rows: np.ndarray, redraw: Callable[[float], Geometries], *, place: str, unit_m2: float
) -> Drawn:
    """Say which rows have arcs and what their chords do to the area; draw them finer where that is too much.

    Parameters
    ----------
    shapes : array of shapely geometries
        All rows, arcs as chords of `ARC_STEP_DEG`.
    rows : array of int
        Those that have arcs.
    redraw : callable
        Gives all rows anew with chords of another angle, in degrees.
    place : str
        What messages call the input.
    unit_m2 : float
        How many square metres there are in a square of the unit of the shapes.
    """
    if not len(rows):
        return Drawn(shapes)
    drawn = np.array(shapes, dtype=object)
    area = _areas(drawn[rows])
    true = area + (area - _areas(redraw(OTHER_STEPS_DEG[0])[rows])) / 3
    beyond = np.abs(true - area) * unit_m2 > np.maximum(TOLERANCE_M2, TOLERANCE_SHARE * true * unit_m2)
    problems = [_note(len(rows) - int(beyond.sum()), ARC_STEP_DEG, place)] if not beyond.all() else []
    fine = OTHER_STEPS_DEG[1]
    steps = np.where(beyond, fine, ARC_STEP_DEG)
    if beyond.any():
        drawn[rows[beyond]] = redraw(fine)[rows[beyond]]
        finer = _areas(drawn[rows])
        true = np.where(beyond, finer + (finer - area) / (_FINER**2 - 1), true)
        area = np.where(beyond, finer, area)
        problems.append(_note(int(beyond.sum()), fine, place))
    share = np.divide(true, area, out=np.ones(len(rows)), where=area > 0)
    changes = tuple(
        Change(
            tuple(rows[steps == step].tolist()),
            Message("its arcs were drawn as chords of {step}°", step=float(step)),
            tuple(share[steps == step].tolist()),
        )
        for step in np.unique(steps)
    )
    return Drawn(drawn, tuple(problems), changes)


def _note(count: int, step_deg: float, place: str) -> Problem:
    share = 1 - math.cos(math.radians(step_deg / 2))
    what = Message(
        "curves are drawn as chords of {step}°, off by at most {share:.1e} of the radius", step=step_deg, share=share
    )
    return Problem("note", place, what, Message("nothing to do: {count} rows have any", count=count))


def _areas(shapes: Geometries) -> np.ndarray:
    """Areas in the square of the unit of the shapes; 0 where there is none."""
    found = shapely.area(shapes)
    return np.where(shapely.get_dimensions(shapes) == 2, found, 0.0)


def square_metres(crs: CRS | None) -> float:
    """Tell how many square metres there are in a square of the unit of a system, at the most; 1 if there is no system.

    Examples
    --------
    >>> square_metres(CRS.from_epsg(4526)), round(square_metres(CRS.from_epsg(4490)) / 1e6)
    (1.0, 12477)
    """
    if crs is None or not crs.axis_info:
        return 1.0
    return _M2_PER_DEGREE2 if crs.is_geographic else float(crs.axis_info[0].unit_conversion_factor) ** 2
