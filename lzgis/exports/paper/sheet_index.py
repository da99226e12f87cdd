"""Which sheets show a long or split site at a scale that can be read, and how they join."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.exports.paper.frame import Frame, Geometries
from lzgis.exports.paper.layout import SCALES, frame_at

#: A site whose map has a smaller scale than this gets sheets; they are at least so many times larger in scale.
READABLE_SCALE, _LEAST_GAIN = 40_000, 2.0
MOST_SHEETS = 8
#: Share of a sheet that the pieces of the site on it fill at most, so that neighbouring sheets overlap.
_FILL = 0.84
#: Lines are divided into pieces, and large polygons into cells, of this share of the shorter side of a sheet.
_PIECE = 0.25


def needs_sheets(scale: int) -> bool:
    """Return whether a site whose map has this scale denominator needs sheets of its own.

    Examples
    --------
    >>> needs_sheets(10_000), needs_sheets(350_000)
    (False, True)
    """
    return scale > READABLE_SCALE


def sheet_frames(
    shapes: Geometries, size_mm: tuple[float, float], whole: int, *, most: int = MOST_SHEETS, largest: int = 2_000
) -> tuple[Frame, ...]:
    """Return the frames of at most `most` sheets of one round scale that together show all shapes of the plane.

    The scale is the largest that needs no more sheets. The sheets are numbered from north to south. None are returned if
    the scale would be less than twice that of the map of the whole.

    Parameters
    ----------
    shapes : array of geometries
        What the sheets show, in metres of the plane.
    size_mm : tuple of float
        Width and height of the map on each sheet.
    whole : int
        Scale denominator of the map of all shapes.
    most : int
        The most sheets.
    largest : int
        Denominator of the largest scale.

    Examples
    --------
    >>> line = np.array([shapely.LineString([(0, 0), (30_000, 0)])], dtype=object)
    >>> frames = sheet_frames(line, (200.0, 150.0), 200_000, most=4)
    >>> len(frames), frames[0].scale
    (4, 50000)
    """
    for scale in SCALES:
        if scale < largest:
            continue
        if scale * _LEAST_GAIN > whole:
            return ()
        room = (size_mm[0] * scale / 1000 * _FILL, size_mm[1] * scale / 1000 * _FILL)
        groups = _groups(_pieces(shapes, room), room, most)
        if groups is not None:
            ordered = sorted(groups, key=lambda box: (-box[3], box[0]))
            return tuple(frame_at(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), scale, size_mm) for box in ordered)
    return ()


def _pieces(shapes: Geometries, room: tuple[float, float]) -> npt.NDArray[np.float64]:
    """Return the bounds of pieces that fit on a sheet: parts, stretches of lines, and cells of large polygons."""
    found: list[npt.NDArray[np.float64]] = []
    for part in shapely.get_parts(shapes):
        west, south, east, north = part.bounds
        if east - west <= room[0] * _PIECE and north - south <= room[1] * _PIECE:
            found.append(np.array([[west, south, east, north]]))
        elif shapely.get_dimensions(part) == 2:
            found.append(shapely.bounds(_cells(part, room)))
        else:
            found += [shapely.bounds(_stretches(line, min(room) * _PIECE)) for line in shapely.get_parts(part)]
    return np.vstack(found) if found else np.zeros((0, 4))


def _cells(area: Any, room: tuple[float, float]) -> Geometries:
    west, south, east, north = area.bounds
    columns = max(1, int(np.ceil((east - west) / (room[0] * _PIECE))))
    rows = max(1, int(np.ceil((north - south) / (room[1] * _PIECE))))
    x, y = np.linspace(west, east, columns + 1), np.linspace(south, north, rows + 1)
    boxes = np.array([shapely.box(x[i], y[j], x[i + 1], y[j + 1]) for i in range(columns) for j in range(rows)])
    cut = shapely.intersection(boxes, area)
    return np.asarray(cut[~shapely.is_empty(cut)], dtype=object)


def _stretches(line: Any, step: float) -> Geometries:
    points = shapely.get_coordinates(shapely.segmentize(line, step))
    pairs = np.stack((points[:-1], points[1:]), axis=1)
    return np.asarray(shapely.linestrings(pairs), dtype=object)


def _groups(
    pieces: npt.NDArray[np.float64], room: tuple[float, float], most: int
) -> list[npt.NDArray[np.float64]] | None:
    """Join pieces into at most `most` boxes that fit on a sheet, each grown from the northernmost piece left; or None."""
    left = np.ones(len(pieces), dtype=bool)
    groups: list[npt.NDArray[np.float64]] = []
    while left.any():
        if len(groups) == most:
            return None
        rows = np.flatnonzero(left)
        first = rows[np.lexsort((pieces[rows, 0], -pieces[rows, 3]))[0]]
        box = pieces[first].copy()
        left[first] = False
        while left.any():
            rows = np.flatnonzero(left)
            grown = np.column_stack((np.minimum(box[:2], pieces[rows, :2]), np.maximum(box[2:], pieces[rows, 2:])))
            wide, high = grown[:, 2] - grown[:, 0], grown[:, 3] - grown[:, 1]
            more = wide / room[0] + high / room[1]
            more[(wide > room[0]) | (high > room[1])] = np.inf
            best = int(np.argmin(more))
            if not np.isfinite(more[best]):
                break
            box, left[rows[best]] = grown[best], False
        groups.append(box)
    return groups


def joins(frames: tuple[Frame, ...], number: int, shape: Any) -> list[tuple[tuple[float, float], int]]:
    """Return where a shape leaves a sheet, and the number (from 1) of the sheet that shows it there best.

    Parameters
    ----------
    frames : tuple of Frame
        All sheets.
    number : int
        The sheet, from 1.
    shape : geometry
        The site, in the plane.

    Examples
    --------
    >>> line = shapely.LineString([(0, 0), (30_000, 0)])
    >>> frames = sheet_frames(np.array([line], dtype=object), (200.0, 150.0), 200_000, most=4)
    >>> [(round(x), sheet) for (x, _), sheet in joins(frames, 1, line)]
    [(8750, 2)]
    """
    page = _page(frames[number - 1])
    line = shapely.boundary(shape) if shapely.get_dimensions(shape) == 2 else shape
    crossings = shapely.get_parts(shapely.intersection(line, shapely.boundary(page)))
    found: list[tuple[tuple[float, float], int]] = []
    for point in shapely.point_on_surface(crossings):
        depth = [
            -1.0 if i == number - 1 or not _page(one).contains(point) else _page(one).exterior.distance(point)
            for i, one in enumerate(frames)
        ]
        best = int(np.argmax(depth))
        if depth[best] > 0 and best + 1 not in [sheet for _, sheet in found]:
            found.append(((point.x, point.y), best + 1))
    return found


def _page(frame: Frame) -> shapely.Polygon:
    return shapely.box(frame.west, frame.south, frame.east, frame.north)
