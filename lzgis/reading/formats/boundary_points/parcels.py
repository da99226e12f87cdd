"""Boundary points (界址点) of a table, one per row, joined to parcels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.numbers import Cells, plain
from lzgis.reading.repair import Change

_REMEDY = Message("correct the points of the parcel")
_ONCE = Message("has the same ring twice; it is counted once")


class Parcels(NamedTuple):
    """Parcels, and the changes to their shapes."""

    frame: gpd.GeoDataFrame
    changes: tuple[Change, ...]


def parcels(
    cells: Cells,
    found: Mapping[str, int],
    points: tuple[np.ndarray, np.ndarray],
    table: pd.DataFrame,
    after_gap: frozenset[int] = frozenset(),
) -> Parcels:
    """Join the rows of boundary points to parcels.

    The rows of one parcel follow each other; its number may be only in the first of them, as with merged cells. Within a
    parcel, a new 圈号 starts a new ring; without that column, a ring ends where it returns to its first point. Whether a
    ring is a hole or another part depends on which ring it lies in.

    A ring of boundary points is closed by definition, whether or not its first point is repeated at its end: closing it
    is no repair.

    Returns
    -------
    Parcels
        One row per parcel, with the attributes that are equal in all its rows; no geometry if a point is missing or a ring
        has fewer than three points.
    """
    column = _parcel_column(cells, found.get("parcel"))
    column = _naming_column(cells, found, points) if column is None else column
    names = _parcel_of_rows(cells, column)
    begins = [i for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
    if column is None and "ring" not in found:
        begins = _begins(cells, found.get("point"), points, after_gap)
        if len(begins) > 1:
            names = [str(int(np.searchsorted(begins, i, side="right"))) for i in range(len(names))]
            what = Message("parcels are distinguished by empty rows or by numbers of points that start again")
            cells.problems.append(Problem("warning", cells.place, what, Message("add a column 地块编号 to be sure")))
    groups = list(zip(begins, [*begins[1:], len(names)], strict=True))
    shapes: list[shapely.Geometry | None] = []
    drawn: dict[int, float] = {}
    for start, end in groups:
        here = Message("{place}, parcel '{name}'", place=cells.place, name=names[start] or "1")
        rings = _rings(cells, (found.get("ring"), found.get("point")), points, range(start, end))
        shape, times = _parcel(rings, here, cells)
        if times != 1:
            drawn[len(shapes)] = times
        shapes.append(shape)
    data = _attributes(cells, found, groups, table)
    if column is not None:
        data[cells.names[column]] = [names[a] for a, _ in groups]
    what = Message("{points} boundary points were joined to {count} parcels", points=len(names), count=len(groups))
    cells.problems.append(Problem("note", cells.place, what, Message("look whether that is their number")))
    changes = (Change(tuple(drawn), _ONCE, tuple(drawn.values())),) if drawn else ()
    return Parcels(gpd.GeoDataFrame(data, geometry=shapes), changes)


def _attributes(
    cells: Cells, found: Mapping[str, int], groups: Sequence[tuple[int, int]], table: pd.DataFrame
) -> dict[str, list[object]]:
    """Return the columns that are equal in all rows of every parcel; the others belong to the points."""
    own = {found[m] for m in ("point", "ring", "x", "y", "lon", "lat", "east", "north") if m in found}
    data: dict[str, list[object]] = {}
    differing = []
    for name in (n for i, n in enumerate(cells.names) if i not in own):
        cell = table[name].tolist()
        values = [{plain(v): v for v in cell[a:b] if plain(v)} for a, b in groups]
        if all(len(one) < 2 for one in values):
            data[name] = [next(iter(one.values()), None) for one in values]
        else:
            differing.append(name)
    if differing:
        what = Message("columns that differ within a parcel were left out: {names}", names=", ".join(differing))
        cells.problems.append(Problem("note", cells.place, what, Message("nothing to do")))
    return data


def _parcel_column(cells: Cells, column: int | None) -> int | None:
    """Skip a column that numbers the rows, not the parcels."""
    if column is None or len(cells.rows) < 3:
        return column
    values = [plain(row[column]) for row in cells.rows]
    if not all(values) or len(set(values)) < len(values):
        return column
    what = Message("column '{name}' differs in every row, so it is no number of a parcel", name=cells.names[column])
    remedy = Message("all points are taken as one parcel; add a column 地块编号 if there are more")
    cells.problems.append(Problem("warning", cells.place, what, remedy))
    return None


#: Columns that may distinguish parcels where none is numbered, in lower case.
_NAMING = (
    "地块名称",
    "宗地编号",
    "宗地名称",
    "项目名称",
    "图斑编号",
    "图斑号",
    "地块序号",
    "名称",
    "name",
    "site_name",
    "project",
)


def _naming_column(cells: Cells, found: Mapping[str, int], points: tuple[np.ndarray, np.ndarray]) -> int | None:
    """Return a column that has one value for the points of each parcel; None if there is none.

    A column with another name is one only if the numbers of points start again where it changes.
    """
    own = {found[m] for m in ("point", "ring", "x", "y", "lon", "lat", "east", "north") if m in found}
    order = sorted(range(len(cells.names)), key=lambda i: cells.names[i].strip().lower() not in _NAMING)
    starts = set(_begins(cells, found.get("point"), points, frozenset()))
    for i in (i for i in order if i not in own):
        values = [plain(row[i]) for row in cells.rows]
        begins = [k for k, value in enumerate(values) if value and (k == 0 or value != values[k - 1])]
        sizes = np.diff([*begins, len(values)])
        named = cells.names[i].strip().lower() in _NAMING
        is_runs = len(begins) > 1 and begins[0] == 0 and (sizes > 2).all()
        if is_runs and len({values[k] for k in begins}) == len(begins) and (named or set(begins) == starts):
            what = Message("parcels are distinguished by column '{name}'", name=cells.names[i])
            cells.problems.append(Problem("note", cells.place, what, Message("look whether that is their number")))
            return i
    return None


def _begins(
    cells: Cells, label: int | None, points: tuple[np.ndarray, np.ndarray], after_gap: frozenset[int]
) -> list[int]:
    """Return where parcels begin: after an empty row, or where the label of the first point comes again elsewhere.

    What lies in the parcel before it is its hole, and begins none.
    """
    labels = [plain(row[label]) if label is not None else "" for row in cells.rows]
    xy = np.column_stack(points)
    begins = [0]
    for i in range(1, len(labels)):
        start = begins[-1]
        again = bool(labels[i]) and labels[i] == labels[start] and bool((xy[i] != xy[start]).any())
        if (again or i in after_gap) and i - start > 2 and not _is_inside(xy, start, i):
            begins.append(i)
    sizes = np.diff([*begins, len(labels)])
    return begins if (sizes > 2).all() else [0]


def _is_inside(xy: np.ndarray, start: int, at: int) -> bool:
    ring = xy[start:at]
    if not np.isfinite(ring).all() or not np.isfinite(xy[at]).all():
        return False
    polygon = shapely.Polygon(ring)
    return bool(polygon.is_valid and polygon.contains(shapely.Point(xy[at])))


def _parcel_of_rows(cells: Cells, column: int | None) -> list[str]:
    names: list[str] = []
    filled = False
    for row in cells.rows:
        name = plain(row[column]) if column is not None else ""
        if column is not None and name.endswith(".0"):
            name = name[:-2]
        if not name and names:
            name = names[-1]
            filled = column is not None
        names.append(name)
    if filled:
        what = Message("rows without the number of a parcel are taken to belong to the one above")
        cells.problems.append(Problem("note", cells.place, what, Message("write it in every row to be sure")))
    return names


def _rings(
    cells: Cells, columns: tuple[int | None, int | None], points: tuple[np.ndarray, np.ndarray], rows: range
) -> list[list[tuple[float, float]]]:
    """Split the points of a parcel into rings, with or without closing points.

    A ring also ends where the label of its first point comes again at another place.
    """
    column, label = columns
    first = ""
    rings: list[list[tuple[float, float]]] = []
    last: str | None = None
    ended = True
    for i in rows:
        ring = plain(cells.rows[i][column]) if column is not None else ""
        if column is not None and not ring:
            ring = last or ""
        here = (float(points[0][i]), float(points[1][i]))
        own = plain(cells.rows[i][label]) if label is not None else ""
        again = bool(own) and own == first and len(rings[-1]) > 2 and here != rings[-1][0]
        if (column is not None and ring != last) or (column is None and (ended or again)):
            rings.append([])
            first = own
        last, ended = ring, False
        rings[-1].append(here)
        if len(rings[-1]) > 3 and here == rings[-1][0]:
            ended = True
    return rings


def _parcel(
    rings: Sequence[list[tuple[float, float]]], here: str, cells: Cells
) -> tuple[shapely.Geometry | None, float]:
    """Return the shape of a parcel, and the ratio of the area of all its rings to that of the rings that count."""
    for number, ring in enumerate(rings, 1):
        if not np.isfinite(ring).all():
            # The cell that is no number has already been reported.
            return None, 1.0
        if len(set(ring)) < 3:
            what = Message("ring {ring} has {count} different points", ring=number, count=len(set(ring)))
            cells.problems.append(Problem("error", here, what, _REMEDY))
            return None, 1.0
    shapes = shapely.polygons([shapely.linearrings(ring) for ring in rings])
    shape = shape_of_rings(rings)
    again = [i for i in range(len(rings)) if any(_equal(shapes, i, j) for j in range(i))]
    if not again or shapely.area(shape) == 0:
        return shape, 1.0
    cells.problems.append(Problem("warning", here, _ONCE, _REMEDY))
    # A ring that is given twice adds its area, or subtracts it as a hole, twice as it is drawn.
    holes = [shapely.Polygon(hole) for part in shapely.get_parts(shape) for hole in part.interiors]
    signs = [-1 if any(shapely.equals(shapes[i], hole) for hole in holes) else 1 for i in again]
    more = float(np.dot(signs, shapely.area(shapes[again])))
    return shape, 1 + more / float(shapely.area(shape))


def shape_of_rings(rings: Sequence[Sequence[tuple[float, float]]]) -> shapely.Geometry:
    """Return the polygon of rings: a ring inside an odd number of others is a hole of the smallest of them.

    A ring that is given twice counts once.

    Examples
    --------
    >>> square = [(0, 0), (4, 0), (4, 4), (0, 4)]
    >>> hole = [(1, 1), (2, 1), (2, 2), (1, 2)]
    >>> separate = [(9, 0), (10, 0), (10, 1)]
    >>> shape_of_rings([square, hole]).area, shape_of_rings([square, separate]).geom_type
    (15.0, 'MultiPolygon')
    """
    every = shapely.polygons([shapely.linearrings(ring) for ring in rings])
    filled: np.ndarray = every[[not any(_equal(every, i, j) for j in range(i)) for i in range(len(every))]]
    count = range(len(filled))
    above = [[j for j in count if j != i and _lies_in(filled, i, j)] for i in count]
    holes: dict[int, list[shapely.LinearRing]] = {i: [] for i in count if len(above[i]) % 2 == 0}
    for i, around in enumerate(above):
        if len(around) % 2:
            holes[min(around, key=lambda j: float(shapely.area(filled[j])))].append(filled[i].exterior)
    parts = [shapely.Polygon(filled[i].exterior, inner) for i, inner in holes.items()]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _equal(filled: np.ndarray, i: int, j: int) -> bool:
    return bool(shapely.is_valid(filled[i]) and shapely.is_valid(filled[j]) and shapely.equals(filled[i], filled[j]))


def _lies_in(filled: np.ndarray, i: int, j: int) -> bool:
    # A ring that crosses itself has no certain inside; it stays a part, and is repaired and listed later.
    return bool(shapely.is_valid(filled[i]) and shapely.is_valid(filled[j]) and shapely.covers(filled[j], filled[i]))
