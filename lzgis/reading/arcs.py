"""Arcs drawn as chords: the rows that have arcs, and the area that the arcs themselves enclose.

The area is extrapolated: the same rows are drawn again with chords twice as long. The error of the area grows with the
square of the length of the chords, so that two areas give the area within the arcs.
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

#: Arcs are drawn with chords so many times shorter if chords of `ARC_STEP_DEG` change an area beyond the tolerance.
_FINER = 5
#: The other angles that `with_chords` draws with: the one for the extrapolation, and the finer one.
OTHER_STEPS_DEG = (2 * ARC_STEP_DEG, ARC_STEP_DEG / _FINER)
#: Drivers of formats without arcs.
_STRAIGHT = ("ESRI Shapefile", "GeoJSON")
#: Rows that are searched at a time.
_AT_ONCE = 10_000
#: The most square metres of a square degree.
_M2_PER_DEGREE2 = 111_700.0**2


class Drawn(NamedTuple):
    """Shapes whose arcs are chords, the problems to report, and the changes."""

    shapes: Geometries
    problems: tuple[Problem, ...] = ()
    changes: tuple[Change, ...] = ()


@contextmanager
def chords_of(step_deg: float) -> Iterator[None]:
    """Set the angle of the chords that GDAL draws arcs with; a context manager."""
    before = pyogrio.get_gdal_config_option("OGR_ARC_STEPSIZE")
    try:
        pyogrio.set_gdal_config_options({"OGR_ARC_STEPSIZE": str(step_deg)})
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_ARC_STEPSIZE": before})


def rows_with_arcs(path: Path, layer: str, driver: str, opening: dict[str, Any]) -> np.ndarray:
    """Return the rows of a layer that have an arc, for any geometry type that the layer declares.

    The shapes are read as an Arrow table, the only way in which GDAL returns arcs as arcs.
    """
    if driver in _STRAIGHT:
        return np.zeros(0, dtype=np.intp)
    kept = {name: value for name, value in opening.items() if name not in ("columns", "max_features")}
    most = opening.get("max_features")
    found: list[int] = []
    begin = 0
    size = _AT_ONCE if most is None else max(1, min(_AT_ONCE, most))
    with pyogrio.raw.open_arrow(path, layer=layer, columns=[], batch_size=size, use_pyarrow=True, **kept) as (
        info,
        batches,
    ):
        name = info["geometry_name"] or "wkb_geometry"
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
    """Report the rows with arcs and the change of their areas; draw finer chords where the change is too large.

    Parameters
    ----------
    shapes : array of shapely geometries
        All rows, arcs as chords of `ARC_STEP_DEG`.
    rows : array of int
        The rows that have arcs.
    redraw : callable
        Returns all rows with chords of another angle, in degrees.
    place : str
        Name of the input in messages.
    unit_m2 : float
        Square metres of a square unit of the shapes.
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
    """Return areas in square units of the shapes; 0 for lines and points."""
    found = shapely.area(shapes)
    return np.where(shapely.get_dimensions(shapes) == 2, found, 0.0)


def square_metres(crs: CRS | None) -> float:
    """Return the most square metres of a square unit of a system; 1 if there is no system.

    Examples
    --------
    >>> square_metres(CRS.from_epsg(4526)), round(square_metres(CRS.from_epsg(4490)) / 1e6)
    (1.0, 12477)
    """
    if crs is None or not crs.axis_info:
        return 1.0
    return _M2_PER_DEGREE2 if crs.is_geographic else float(crs.axis_info[0].unit_conversion_factor) ** 2
