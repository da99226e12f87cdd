"""The sheet of paper: its size, its rooms, and the round scale that fits."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from lzgis.exports.paper.frame import Frame

Paper = Literal["A4", "A3"]
Orientation = Literal["landscape", "portrait"]

#: Across and down in portrait, millimetres.
SIZES: dict[str, tuple[float, float]] = {"A4": (210.0, 297.0), "A3": (297.0, 420.0)}

#: Denominators that a planner expects to read.
SCALES = (
    *(500, 1_000, 2_000, 5_000, 10_000, 20_000, 25_000, 50_000, 100_000, 150_000, 200_000, 250_000),
    *(300_000, 350_000, 400_000, 450_000, 500_000, 600_000, 750_000, 1_000_000, 1_500_000, 2_000_000, 5_000_000),
)

#: White edge of the sheet, and the strip between the neat line and the outer line, where coordinates stand.
EDGE_MM, STRIP_MM = 9.0, 5.5
_GAP_MM = 4.5
_LEAST_COLUMN_MM = {"A4": 74.0, "A3": 92.0}


class Room(NamedTuple):
    """A place on the sheet, in millimetres from its lower left corner."""

    left: float
    bottom: float
    width: float
    height: float

    @property
    def top(self) -> float:
        """Upper edge."""
        return self.bottom + self.height


class Rooms(NamedTuple):
    """How a sheet is shared out: the map inside its neat line, the columns beside or below it, the foot."""

    width: float
    height: float
    chart: Room
    columns: tuple[Room, ...]
    foot: Room
    big: bool


class Sheet(NamedTuple):
    """What a reader may choose of a sheet."""

    paper: Paper = "A4"
    orientation: Orientation = "landscape"
    map_number: str = ""

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height."""
        short, long = SIZES[self.paper]
        return (long, short) if self.orientation == "landscape" else (short, long)


def round_scale(bounds_m: npt.ArrayLike, room_mm: tuple[float, float], *, least: int = 500) -> int:
    """Choose the largest round scale at which bounds fit into a room.

    Examples
    --------
    >>> round_scale((0, 0, 300, 100), (200, 150))
    2000
    >>> round_scale((0, 0, 67_000, 65_000), (186, 160))
    450000
    """
    west, south, east, north = np.asarray(bounds_m, dtype=float).tolist()
    needed = max((east - west) / room_mm[0], (north - south) / room_mm[1]) * 1000
    fitting = [scale for scale in SCALES if scale >= max(needed, least)]
    return fitting[0] if fitting else int(np.ceil(needed / 1_000_000) * 1_000_000)


def frame_at(centre_m: tuple[float, float], scale: int, room_mm: tuple[float, float]) -> Frame:
    """Give the frame of a scale around a place.

    Examples
    --------
    >>> frame_at((1000.0, 500.0), 2000, (200.0, 100.0))
    Frame(west=800.0, south=400.0, east=1200.0, north=600.0, width_mm=200.0, height_mm=100.0)
    """
    half_x, half_y = room_mm[0] * scale / 2000, room_mm[1] * scale / 2000
    x, y = centre_m
    return Frame(x - half_x, y - half_y, x + half_x, y + half_y, *room_mm)


def rooms_of(sheet: Sheet, foot_mm: float, bounds_m: npt.ArrayLike | None = None) -> Rooms:
    """Share out a sheet: in landscape a column stands beside the map, in portrait two stand below it.

    Parameters
    ----------
    sheet : Sheet
        Paper and orientation.
    foot_mm : float
        Height of the notes at the foot.
    bounds_m : array_like, optional
        What an overview must show: the map then takes no more room than that needs at a round scale.
    """
    width, height = sheet.size_mm
    big = sheet.paper == "A3"
    head = 19.0 if big else 16.0
    foot = Room(EDGE_MM, EDGE_MM - 2, width - 2 * EDGE_MM, foot_mm)
    low, top = foot.top + 1.5, height - EDGE_MM + 3 - head
    column = _LEAST_COLUMN_MM[sheet.paper]
    if sheet.orientation == "landscape":
        wide = width - 2 * EDGE_MM - 2 * STRIP_MM - _GAP_MM - column
        high = top - low - 2 * STRIP_MM
        if bounds_m is not None:
            wide = _trimmed(bounds_m, (wide, high))[0]
        chart = Room(EDGE_MM + STRIP_MM, low + STRIP_MM, wide, high)
        left = chart.left + wide + STRIP_MM + _GAP_MM
        return Rooms(width, height, chart, (Room(left, low, width - EDGE_MM - left, top - low),), foot, big)
    wide = width - 2 * EDGE_MM - 2 * STRIP_MM
    high = (top - low) * (0.66 if bounds_m is not None else 0.62) - 2 * STRIP_MM
    if bounds_m is not None:
        high = _trimmed(bounds_m, (wide, high))[1]
    chart = Room(EDGE_MM + STRIP_MM, top - STRIP_MM - high, wide, high)
    below = chart.bottom - STRIP_MM - _GAP_MM - low
    half = (width - 2 * EDGE_MM - _GAP_MM) / 2
    columns = tuple(Room(EDGE_MM + n * (half + _GAP_MM), low, half, below) for n in (0, 1))
    return Rooms(width, height, chart, columns, foot, big)


def _trimmed(bounds_m: npt.ArrayLike, room_mm: tuple[float, float]) -> tuple[float, float]:
    """Take off a room what bounds leave empty at the scale that fits them, but not more than it can spare."""
    west, south, east, north = np.asarray(bounds_m, dtype=float).tolist()
    scale = round_scale(bounds_m, (room_mm[0] - 4, room_mm[1] - 4))
    needed = ((east - west) * 1000 / scale + 9, (north - south) * 1000 / scale + 9)
    return (
        min(room_mm[0], max(needed[0], room_mm[0] * 0.6)),
        min(room_mm[1], max(needed[1], room_mm[1] * 0.6)),
    )
