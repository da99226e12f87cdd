"""Placement of labels on a map: the best free candidate around each anchor, with leader lines, none overlapping."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]

#: Directions in order of preference: right, left, above, below, then between them.
_DIRECTIONS_RAD = np.radians([15, 165, 75, 285, 345, 195, 45, 135, 315, 225, 0, 180, 90, 270])
_NEAR_MM = 1.2
_STEP_MM = 3.2
#: What it costs, in millimetres of distance, to cover a shape that labels avoid.
_OVER_MM = 32.0
_PADDING_MM = 0.45


class Box(NamedTuple):
    """A rectangle on the map, in millimetres from its lower left corner."""

    left: float
    low: float
    right: float
    high: float


class Spot(NamedTuple):
    """The place of a label: its centre, its box, and its leader line from `anchor` to `foot`, drawn if `led`."""

    x: float
    y: float
    box: Box
    anchor: tuple[float, float]
    foot: tuple[float, float]
    led: bool


@dataclass(eq=False)
class Labels:
    """The places taken by the labels of one map, and those that labels avoid.

    Parameters
    ----------
    width_mm, height_mm : float
        Size of the map.

    Examples
    --------
    >>> labels = Labels(100.0, 80.0)
    >>> first, second = (labels.place((10.0, 4.0), [(50.0, 40.0)]) for _ in range(2))
    >>> first.box.left > 50, second.box.right < 50
    (True, True)
    """

    width_mm: float
    height_mm: float
    _taken: list[Box] = field(default_factory=list)
    _avoided: list[Box] = field(default_factory=list)
    _leaders: list[tuple[float, float, float, float]] = field(default_factory=list)

    def block(self, box: Box) -> None:
        """Keep all labels off a rectangle."""
        self._taken.append(box)

    def avoid(self, boxes: Iterable[Box]) -> None:
        """Keep labels off rectangles as long as there is room elsewhere."""
        self._avoided.extend(boxes)

    def place(
        self,
        size_mm: tuple[float, float],
        anchors: Iterable[tuple[float, float]],
        *,
        reach_mm: float = 34.0,
        over: bool = True,
        within: shapely.Geometry | None = None,
    ) -> Spot | None:
        """Find a place for a label of `size_mm` near one of the anchors; None if there is none.

        With ``over=False`` the rectangles given to `avoid` count as taken. The middle of the label lies `within` an area,
        if one is given; the anchors themselves are then places too.
        """
        anchors = list(anchors)
        tried = [self._candidates(size_mm, anchor, reach_mm, rank) for rank, anchor in enumerate(anchors)]
        if not tried:
            return None
        if within is not None:
            tried += [_centred(size_mm, one, rank) for rank, one in enumerate(anchors)]
        boxes, cost, anchor, led = (np.concatenate([t[i] for t in tried]) for i in range(4))
        free = ~_overlapping(boxes, self._taken if over else [*self._taken, *self._avoided])
        free &= (boxes[:, 0] > 0.8) & (boxes[:, 1] > 0.8)
        free &= (boxes[:, 2] < self.width_mm - 0.8) & (boxes[:, 3] < self.height_mm - 0.8)
        if within is not None:
            middle_x, middle_y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
            free &= shapely.contains_xy(within, middle_x, middle_y) & ~led
        boxes, cost, anchor, led = boxes[free], cost[free], anchor[free], led[free]
        if not len(boxes):
            return None
        cost = cost + _OVER_MM * _overlapping(boxes, self._avoided)
        for number in np.argsort(cost, kind="stable"):
            foot = _foot(boxes[number], anchor[number])
            line = (*anchor[number].tolist(), *foot)
            if led[number] and self._crosses(line):
                continue
            box = Box(*boxes[number].tolist())
            self._taken.append(box)
            if led[number]:
                self._leaders.append(line)
            middle = ((box.left + box.right) / 2, (box.low + box.high) / 2)
            return Spot(*middle, box, (line[0], line[1]), foot, bool(led[number]))
        return None

    def _candidates(
        self, size_mm: tuple[float, float], anchor: tuple[float, float], reach_mm: float, rank: int
    ) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
        half = np.array(size_mm) / 2 + _PADDING_MM
        away = np.arange(_NEAR_MM, reach_mm, _STEP_MM)
        direction, distance = (grid.ravel() for grid in np.meshgrid(_DIRECTIONS_RAD, away))
        way = np.column_stack((np.cos(direction), np.sin(direction)))
        # The centre of a box whose edge is `distance` from the anchor.
        out = np.min(half / np.maximum(np.abs(way), 1e-9), axis=1)
        middle = np.array(anchor) + way * (out + distance)[:, None]
        boxes = np.column_stack((middle - half, middle + half))
        first = np.tile(np.arange(len(_DIRECTIONS_RAD)) * 0.12, len(away))
        places = np.tile(np.array(anchor, dtype=float), (len(boxes), 1))
        return boxes, distance + first + rank * 1.5, places, distance > _NEAR_MM + 0.1

    def _crosses(self, line: tuple[float, float, float, float]) -> bool:
        return any(_lines_cross(line, other) for other in self._leaders) or any(
            _line_crosses_box(line, b) for b in self._taken
        )


def _centred(
    size_mm: tuple[float, float], anchor: tuple[float, float], rank: int
) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
    """Return the place of a label whose middle is the anchor."""
    half, middle = np.array(size_mm) / 2 + _PADDING_MM, np.array([anchor], dtype=float)
    return np.column_stack((middle - half, middle + half)), np.array([rank * 1.5]), middle, np.array([False])


def _overlapping(boxes: Floats, others: list[Box]) -> npt.NDArray[np.bool_]:
    if not others or not len(boxes):
        return np.zeros(len(boxes), dtype=bool)
    there = np.array(others, dtype=float)
    disjoint = (boxes[:, None, 0] >= there[:, 2]) | (boxes[:, None, 2] <= there[:, 0])
    disjoint |= (boxes[:, None, 1] >= there[:, 3]) | (boxes[:, None, 3] <= there[:, 1])
    return np.asarray((~disjoint).any(axis=1))


def _foot(box: Floats, anchor: Floats) -> tuple[float, float]:
    """Return where a leader line meets the edge of a label."""
    x = float(np.clip(anchor[0], box[0] + _PADDING_MM, box[2] - _PADDING_MM))
    y = float(np.clip(anchor[1], box[1] + _PADDING_MM, box[3] - _PADDING_MM))
    return (x, y)


def _lines_cross(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    def side(px: float, py: float, line: tuple[float, float, float, float]) -> float:
        return (line[2] - line[0]) * (py - line[1]) - (line[3] - line[1]) * (px - line[0])

    return side(b[0], b[1], a) * side(b[2], b[3], a) < 0 and side(a[0], a[1], b) * side(a[2], a[3], b) < 0


def _line_crosses_box(line: tuple[float, float, float, float], box: Box) -> bool:
    """Return whether a line passes through a rectangle, by Liang-Barsky clipping."""
    x, y, dx, dy = line[0], line[1], line[2] - line[0], line[3] - line[1]
    enter, leave = 0.0, 1.0
    for way, room in ((-dx, x - box.left), (dx, box.right - x), (-dy, y - box.low), (dy, box.high - y)):
        if math.isclose(way, 0.0, abs_tol=1e-12):
            if room <= 0:
                return False
            continue
        at = room / way
        enter, leave = (max(enter, at), leave) if way < 0 else (enter, min(leave, at))
        if enter >= leave:
            return False
    return True
