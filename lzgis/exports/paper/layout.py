"""The layout of a sheet of paper: where map, legend, lists and notes stand, and the round scale that fits."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from lzgis.exports.paper.frame import Frame

Paper = Literal["A4", "A3"]
Orientation = Literal["landscape", "portrait"]

#: Width and height in portrait, millimetres.
SIZES: dict[str, tuple[float, float]] = {"A4": (210.0, 297.0), "A3": (297.0, 420.0)}

#: Scale denominators in use in planning.
SCALES = (
    *(500, 1_000, 2_000, 5_000, 10_000, 20_000, 25_000, 50_000, 100_000, 150_000, 200_000, 250_000),
    *(300_000, 350_000, 400_000, 450_000, 500_000, 600_000, 750_000, 1_000_000, 1_500_000, 2_000_000, 5_000_000),
)

#: Margin of the sheet, and width of the strip around the map that holds the coordinates, in millimetres.
EDGE_MM, STRIP_MM = 9.0, 5.5
_GAP_MM = 4.5
_MIN_COLUMN_MM = {"A4": 74.0, "A3": 92.0}


class Rect(NamedTuple):
    """A rectangle on the sheet, in millimetres from its lower left corner."""

    left: float
    bottom: float
    width: float
    height: float

    @property
    def top(self) -> float:
        """Upper edge."""
        return self.bottom + self.height


class SheetLayout(NamedTuple):
    """Where the parts of a sheet stand, in millimetres.

    Attributes
    ----------
    width, height : float
        Size of the sheet.
    chart : Rect
        The map inside its neat line.
    columns : tuple of Rect
        One column beside the map in landscape, two below it in portrait.
    foot : Rect
        The notes.
    big : bool
        Whether the paper is A3.
    """

    width: float
    height: float
    chart: Rect
    columns: tuple[Rect, ...]
    foot: Rect
    big: bool


class PaperSheet(NamedTuple):
    """The options of a sheet: paper, orientation, and the map approval number (审图号), printed only if given."""

    paper: Paper = "A4"
    orientation: Orientation = "landscape"
    map_number: str = ""

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height in millimetres."""
        short, long = SIZES[self.paper]
        return (long, short) if self.orientation == "landscape" else (short, long)


def round_scale(bounds_m: npt.ArrayLike, size_mm: tuple[float, float], *, least: int = 500) -> int:
    """Return the denominator of the largest round scale at which `bounds_m` fit into `size_mm`.

    Examples
    --------
    >>> round_scale((0, 0, 300, 100), (200, 150))
    2000
    >>> round_scale((0, 0, 67_000, 65_000), (186, 160))
    450000
    """
    west, south, east, north = np.asarray(bounds_m, dtype=float).tolist()
    needed = max((east - west) / size_mm[0], (north - south) / size_mm[1]) * 1000
    fitting = [scale for scale in SCALES if scale >= max(needed, least)]
    return fitting[0] if fitting else int(np.ceil(needed / 1_000_000) * 1_000_000)


def frame_at(centre_m: tuple[float, float], scale: int, size_mm: tuple[float, float]) -> Frame:
    """Return the frame of a size and scale around a point of the plane.

    Examples
    --------
    >>> frame_at((1000.0, 500.0), 2000, (200.0, 100.0))
    Frame(west=800.0, south=400.0, east=1200.0, north=600.0, width_mm=200.0, height_mm=100.0)
    """
    half_x, half_y = size_mm[0] * scale / 2000, size_mm[1] * scale / 2000
    x, y = centre_m
    return Frame(x - half_x, y - half_y, x + half_x, y + half_y, *size_mm)


def lay_out(sheet: PaperSheet, foot_mm: float, bounds_m: npt.ArrayLike | None = None) -> SheetLayout:
    """Lay out a sheet: one column beside the map in landscape, two columns below it in portrait.

    Parameters
    ----------
    sheet : PaperSheet
        Paper and orientation.
    foot_mm : float
        Height of the notes at the foot.
    bounds_m : array_like, optional
        Bounds that an overview must show; the map is then trimmed to what they need at a round scale.
    """
    width, height = sheet.size_mm
    big = sheet.paper == "A3"
    head = 19.0 if big else 16.0
    foot = Rect(EDGE_MM, EDGE_MM - 2, width - 2 * EDGE_MM, foot_mm)
    low, top = foot.top + 1.5, height - EDGE_MM + 3 - head
    column = _MIN_COLUMN_MM[sheet.paper]
    if sheet.orientation == "landscape":
        wide = width - 2 * EDGE_MM - 2 * STRIP_MM - _GAP_MM - column
        high = top - low - 2 * STRIP_MM
        if bounds_m is not None:
            wide = _trimmed(bounds_m, (wide, high))[0]
        chart = Rect(EDGE_MM + STRIP_MM, low + STRIP_MM, wide, high)
        left = chart.left + wide + STRIP_MM + _GAP_MM
        return SheetLayout(width, height, chart, (Rect(left, low, width - EDGE_MM - left, top - low),), foot, big)
    wide = width - 2 * EDGE_MM - 2 * STRIP_MM
    high = (top - low) * (0.66 if bounds_m is not None else 0.62) - 2 * STRIP_MM
    if bounds_m is not None:
        high = _trimmed(bounds_m, (wide, high))[1]
    chart = Rect(EDGE_MM + STRIP_MM, top - STRIP_MM - high, wide, high)
    below = chart.bottom - STRIP_MM - _GAP_MM - low
    half = (width - 2 * EDGE_MM - _GAP_MM) / 2
    columns = tuple(Rect(EDGE_MM + n * (half + _GAP_MM), low, half, below) for n in (0, 1))
    return SheetLayout(width, height, chart, columns, foot, big)


def _trimmed(bounds_m: npt.ArrayLike, size_mm: tuple[float, float]) -> tuple[float, float]:
    """Trim a size to what the bounds need at the scale that fits them, to no less than 60 % of it."""
    west, south, east, north = np.asarray(bounds_m, dtype=float).tolist()
    scale = round_scale(bounds_m, (size_mm[0] - 4, size_mm[1] - 4))
    needed = ((east - west) * 1000 / scale + 9, (north - south) * 1000 / scale + 9)
    return (
        min(size_mm[0], max(needed[0], size_mm[0] * 0.6)),
        min(size_mm[1], max(needed[1], size_mm[1] * 0.6)),
    )
