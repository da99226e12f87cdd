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
    cells: Cells, found: Mapping[str, int], points: tuple[np.ndarray, np.ndarray], table: pd.DataFrame
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
    names = _parcel_of_rows(cells, column)
    begins = [i for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
    groups = list(zip(begins, [*begins[1:], len(names)], strict=True))
    shapes: list[shapely.Geometry | None] = []
    drawn: dict[int, float] = {}
    for start, end in groups:
        here = Message("{place}, parcel '{name}'", place=cells.place, name=names[start] or "1")
        rings = _rings(cells, found.get("ring"), points, range(start, end))
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
    """Pass over a column that numbers the rows, not the parcels."""
    if column is None or len(cells.rows) < 3:
        return column
    values = [plain(row[column]) for row in cells.rows]
    if not all(values) or len(set(values)) < len(values):
        return column
    what = Message("column '{name}' differs in every row, so it is no number of a parcel", name=cells.names[column])
    remedy = Message("all points are taken as one parcel; add a column 地块编号 if there are more")
    cells.problems.append(Problem("warning", cells.place, what, remedy))
    return None


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
    cells: Cells, column: int | None, points: tuple[np.ndarray, np.ndarray], rows: range
) -> list[list[tuple[float, float]]]:
    """Split the points of a parcel into rings, with or without closing points."""
    rings: list[list[tuple[float, float]]] = []
    last: str | None = None
    ended = True
    for i in rows:
        ring = plain(cells.rows[i][column]) if column is not None else ""
        if column is not None and not ring:
            ring = last or ""
        here = (float(points[0][i]), float(points[1][i]))
        if (column is not None and ring != last) or (column is None and ended):
            rings.append([])
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
