"""The cells of a raster that lines run through, without exception, and those that lie in polygons."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

Flags = npt.NDArray[np.bool_]


def cells_along(lines: Any, shape: tuple[int, int]) -> Flags:
    """Mark every cell that lines run through.

    Each segment is cut at all lines of the grid, so that every piece lies in one cell. (GDAL's ``all_touched`` leaves out
    cells, sometimes by half, where a line runs near the side of one.)

    Parameters
    ----------
    lines : array of shapely geometries
        Lines, in cells: x is the column, y the row, from 0 at the corner of the grid.
    shape : tuple of int
        Rows and columns of the grid; what lies beyond is left out.

    Examples
    --------
    >>> cells_along([shapely.LineString([(0.5, 0.5), (2.5, 1.4)])], (2, 3)).astype(int)
    array([[1, 1, 0],
           [0, 1, 1]])
    """
    begin, end = _segments(lines)
    run = end - begin
    owner, at = [np.arange(len(begin))] * 2, [np.zeros(len(begin)), np.ones(len(begin))]
    for axis in (0, 1):
        low, high = np.minimum(begin[:, axis], end[:, axis]), np.maximum(begin[:, axis], end[:, axis])
        first = np.floor(low).astype(np.int64) + 1
        count = np.maximum(np.ceil(high).astype(np.int64) - first, 0)
        segment = np.repeat(np.arange(len(begin)), count)
        step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        owner.append(segment)
        at.append((first[segment] + step - begin[segment, axis]) / run[segment, axis])
    segments, cuts = np.concatenate(owner), np.clip(np.concatenate(at), 0.0, 1.0)
    order = np.lexsort((cuts, segments))
    segments, cuts = segments[order], cuts[order]
    same = segments[1:] == segments[:-1]
    middle = begin[segments[1:][same]] + run[segments[1:][same]] * ((cuts[1:] + cuts[:-1]) / 2)[same, None]
    column, row = np.floor(middle).astype(np.int64).T
    inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    marks = np.zeros(shape, dtype=bool)
    marks[row[inside], column[inside]] = True
    return marks


def cells_within(polygons: Any, shape: tuple[int, int]) -> Flags:
    """Mark every cell whose centre lies in one of the polygons; where a border runs through the very centre, perhaps.

    Along each row of centres, the borders crossed are counted: one way as into a polygon, the other way as out of it.

    Parameters
    ----------
    polygons : array of shapely geometries
        Valid polygons and multipolygons, in cells: x is the column, y the row, from 0 at the corner of the grid.
    shape : tuple of int
        Rows and columns of the grid; what lies beyond is left out.

    Examples
    --------
    >>> cells_within([shapely.box(0.4, 0, 2.6, 1.4), shapely.box(0, 0, 2, 1)], (2, 3)).astype(int)
    array([[1, 1, 1],
           [0, 0, 0]])
    """
    rows, columns = shape
    # Outer borders run one way round, holes the other, so that polygons that overlap do not cancel out.
    begin, end = _segments(shapely.boundary(shapely.normalize(np.asarray(polygons, dtype=object))))
    low, high = np.minimum(begin[:, 1], end[:, 1]), np.maximum(begin[:, 1], end[:, 1])
    first = np.clip(np.ceil(low - 0.5), 0, rows).astype(np.int64)
    count = np.clip(np.ceil(high - 0.5), 0, rows).astype(np.int64) - first
    segment = np.repeat(np.arange(len(begin)), count)
    row = first[segment] + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    a, b = begin[segment], end[segment]
    x = a[:, 0] + (row + 0.5 - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
    # The first cell whose centre lies east of the border; one more column takes what is crossed beyond the grid.
    column = np.clip(np.ceil(x - 0.5), 0, columns).astype(np.int64)
    way = np.where(b[:, 1] > a[:, 1], 1, -1)
    turns = np.bincount(row * (columns + 1) + column, weights=way, minlength=rows * (columns + 1))
    inside: Flags = np.cumsum(turns.astype(np.int32).reshape(rows, columns + 1), axis=1)[:, :columns] != 0
    return inside


def _segments(lines: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    parts = shapely.get_parts(np.asarray(lines, dtype=object))
    points, part = shapely.get_coordinates(parts, return_index=True)
    joined = part[1:] == part[:-1]
    return points[:-1][joined], points[1:][joined]
