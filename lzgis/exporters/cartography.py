"""What makes a drawing a map: paths, graticule, scale bar, north arrow; in metres of a plane."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle
from matplotlib.path import Path
from matplotlib.patheffects import withStroke

from lzgis.exporters.lettering import font
from lzgis.measure import Plane
from lzgis.words import Words

Geometries = npt.NDArray[np.object_]

#: Steps of a graticule, minutes.
_STEPS_MIN = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300)
#: First digits of the length of a scale bar; each can be halved and quartered in round numbers.
_ROUND = (1.0, 2.0, 4.0, 8.0)


class Frame(NamedTuple):
    """The part of the plane that a map shows, in metres, and how large it is on paper, in millimetres."""

    west: float
    south: float
    east: float
    north: float
    width_mm: float
    height_mm: float

    @property
    def m_per_mm(self) -> float:
        """Metres in the plane per millimetre on paper."""
        return (self.east - self.west) / self.width_mm

    @property
    def scale(self) -> int:
        """Denominator of the map's scale, to three digits."""
        exact = self.m_per_mm * 1000
        step = 10 ** max(0, math.floor(math.log10(exact)) - 2)
        return int(round(exact / step) * step)


def frame_around(bounds_m: npt.ArrayLike, width_mm: float, height_mm: float) -> Frame:
    """Fit bounds into the room on paper; the frame is as wide as they need, but not below half its height.

    Examples
    --------
    >>> frame_around((0, 0, 1000, 1000), 200, 100)
    Frame(west=-40.0, south=-40.0, east=1040.0, north=1040.0, width_mm=100.0, height_mm=100.0)
    """
    west, south, east, north = np.asarray(bounds_m, dtype=float).tolist()
    margin = 0.04 * max(east - west, north - south, 100.0)
    west, south, east, north = west - margin, south - margin, east + margin, north + margin
    m_per_mm = max((east - west) / width_mm, (north - south) / height_mm)
    shown_mm = float(np.clip((east - west) / m_per_mm, height_mm / 2, width_mm))
    x, y = (west + east) / 2, (south + north) / 2
    half_x, half_y = shown_mm * m_per_mm / 2, height_mm * m_per_mm / 2
    return Frame(x - half_x, y - half_y, x + half_x, y + half_y, shown_mm, float(height_mm))


def halo(width: float = 2.2) -> list[Any]:
    """Return a white rim that keeps letters readable on any ground."""
    return [withStroke(linewidth=width, foreground="white")]


def of_dimension(geometries: Any, dimension: int) -> tuple[Geometries, npt.NDArray[np.intp]]:
    """Return the simple parts that are points, lines or polygons (0, 1, 2), and where each is from."""
    outer, owner = shapely.get_parts(np.asarray(geometries, dtype=object), return_index=True)
    # The parts of a collection may be multi-geometries themselves.
    parts, inner = shapely.get_parts(outer, return_index=True)
    keep = (shapely.get_dimensions(parts) == dimension) & ~shapely.is_empty(parts)
    return parts[keep], owner[inner][keep]


def paths(geometries: Geometries) -> list[Path]:
    """Return a path for each polygon or line; holes run against their shells, so that they stay empty."""
    if len(geometries) == 0:
        return []
    kind, coordinates, offsets = shapely.to_ragged_array(shapely.orient_polygons(geometries), include_z=False)
    rings = np.asarray(offsets[0])
    codes = np.full(len(coordinates), Path.LINETO, dtype=Path.code_type)
    codes[rings[:-1]] = Path.MOVETO
    if kind in (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON):
        codes[rings[1:] - 1] = Path.CLOSEPOLY
    ends = rings
    for outer in offsets[1:]:
        ends = ends[np.asarray(outer)]
    spans = zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    return [Path(coordinates[start:stop], codes[start:stop]) for start, stop in spans]


def draw_graticule(axes: Axes, frame: Frame, plane: Plane) -> None:
    """Draw meridians and parallels, with their degrees on CGCS2000 at the lower and left edge."""
    corners = shapely.box(frame.west, frame.south, frame.east, frame.north).segmentize(frame.m_per_mm * 10)
    west, south, east, north = plane.unproject([corners])[0].bounds
    wanted = max(east - west, north - south) * 60 / 6
    step = min(_STEPS_MIN, key=lambda s: abs(math.log(s / wanted)))
    style: dict[str, Any] = {"color": "#5d6d7e", "linewidth": 0.35, "alpha": 0.55, "zorder": 4}
    letters: dict[str, Any] = {"fontproperties": font(6.5), "color": "#333333", "zorder": 9}
    gap = 1.2 * frame.m_per_mm
    for minute in range(math.ceil(west * 60 / step) * step, math.floor(east * 60) + 1, step):
        x, y = _projected(plane, np.full(60, minute / 60), np.linspace(south, north, 60))
        axes.plot(x, y, **style)
        at = float(np.interp(frame.south, y, x))
        if frame.west < at < frame.east:
            axes.text(at, frame.south - gap, _degrees(minute, "EW"), ha="center", va="top", **letters)
    for minute in range(math.ceil(south * 60 / step) * step, math.floor(north * 60) + 1, step):
        x, y = _projected(plane, np.linspace(west, east, 60), np.full(60, minute / 60))
        axes.plot(x, y, **style)
        at = float(np.interp(frame.west, x, y))
        if frame.south < at < frame.north:
            label = _degrees(minute, "NS")
            axes.text(frame.west - gap, at, label, ha="right", va="center", rotation=90, **letters)


def draw_scale_bar(axes: Axes, frame: Frame, words: Words, page_mm: tuple[float, float]) -> None:
    """Draw a bar of four fields in the lower left corner, and the scale that holds on a page of this size."""
    longest = frame.m_per_mm * frame.width_mm * 0.26
    power = 10 ** math.floor(math.log10(longest))
    length = max(digit for digit in _ROUND if digit * power <= longest) * power
    unit, divisor = ("kilometres", 1000) if length >= 1000 else ("metres", 1)
    mm = frame.m_per_mm
    x, y, high = frame.west + 7 * mm, frame.south + 8 * mm, 1.3 * mm
    corner, wide = (frame.west + 2 * mm, frame.south + 2 * mm), max(length / mm + 16, 52) * mm
    ground: dict[str, Any] = {"facecolor": "white", "edgecolor": "#888888", "linewidth": 0.4, "alpha": 0.85}
    axes.add_patch(Rectangle(corner, wide, 12.5 * mm, **ground, zorder=8))
    scale = words("picture", "scale", scale=frame.scale, width=page_mm[0], height=page_mm[1])
    axes.text(x, y - 1.2 * mm, scale, va="top", fontproperties=font(6.5), zorder=9)
    for field in range(4):
        colour = "black" if field % 2 == 0 else "white"
        start = (x + field * length / 4, y)
        axes.add_patch(Rectangle(start, length / 4, high, facecolor=colour, edgecolor="black", linewidth=0.5, zorder=9))
    for share in (0.0, 0.5, 1.0):
        value = length * share / divisor
        text = words("picture", unit, value=value) if share == 1 else f"{value:g}"
        place = (x + share * length, y + high + 0.7 * mm)
        axes.text(*place, text, ha="center", va="bottom", fontproperties=font(6.5), zorder=9)


def draw_north_arrow(axes: Axes, frame: Frame, words: Words) -> None:
    """Draw an arrow in the upper right corner; north is up at the middle of the plane."""
    mm = frame.m_per_mm
    x, y = frame.east - 8 * mm, frame.north - 17 * mm
    for side, colour in ((-1, "black"), (1, "white")):
        corners = [(x, y + 9 * mm), (x + side * 2.6 * mm, y), (x, y + 2.2 * mm)]
        axes.add_patch(Polygon(corners, facecolor=colour, edgecolor="black", linewidth=0.6, zorder=9))
    place = (x, y + 10 * mm)
    letter = words("picture", "north")
    axes.text(*place, letter, ha="center", va="bottom", fontproperties=font(9), zorder=9, path_effects=halo())


def _projected(plane: Plane, lon: Any, lat: Any) -> tuple[Any, Any]:
    line = plane.project([shapely.linestrings(np.column_stack((lon, lat)))])
    coordinates = shapely.get_coordinates(line)
    return coordinates[:, 0], coordinates[:, 1]


def _degrees(minute: int, sides: str) -> str:
    whole, rest = divmod(abs(minute), 60)
    return f"{whole}°{rest:02d}′{sides[0] if minute >= 0 else sides[1]}"
