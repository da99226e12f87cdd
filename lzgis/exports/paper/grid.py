"""Neat line, kilometre grid, geographic coordinates, scale bar and north arrow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle

from lzgis.exports.fonts import font, measured_mm
from lzgis.exports.paper.chart import Chart
from lzgis.exports.paper.frame import Frame, halo
from lzgis.exports.paper.labels import Box
from lzgis.exports.paper.layout import STRIP_MM, Rect

#: Intervals between coordinates: of degrees, in seconds of arc; of the grid, in metres.
_STEPS_SEC = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200)
_STEPS_M = tuple(digit * 10**power for power in range(1, 6) for digit in (1, 2, 5))
#: First digits of the length of a scale bar; each can be halved and quartered in round numbers.
_BAR_DIGITS = (1.0, 2.0, 4.0, 8.0)

_SIZE = 6.0


def draw_neat_lines(page: Axes, rect: Rect) -> None:
    """Draw the thick outer line around the strip of coordinates; the axes draw the thin inner one."""
    outer = (rect.left - STRIP_MM, rect.bottom - STRIP_MM)
    size = (rect.width + 2 * STRIP_MM, rect.height + 2 * STRIP_MM)
    page.add_patch(Rectangle(outer, *size, facecolor="none", edgecolor="black", linewidth=1.5))


def draw_grid(chart: Chart, page: Axes, rect: Rect) -> None:
    """Draw the crosses of the kilometre grid, and coordinates in the strip around the map.

    Below and left of the map stand eastings and northings in kilometres, the easting with the number of its zone;
    above and right of it degrees on CGCS2000.
    """
    frame = chart.frame
    wanted = frame.m_per_mm * 38
    step = min(_STEPS_M, key=lambda s: abs(math.log(s / wanted)))
    xs = np.arange(math.ceil(frame.west / step) * step, frame.east, step)
    ys = np.arange(math.ceil(frame.south / step) * step, frame.north, step)
    arm = 1.6 * frame.m_per_mm
    style: dict[str, Any] = {"color": "#37474f", "linewidth": 0.35, "zorder": 4.0}
    for x in xs:
        for y in ys:
            chart.axes.plot((x - arm, x + arm), (y, y), **style)
            chart.axes.plot((x, x), (y - arm, y + arm), **style)
    places = max(0, -math.floor(math.log10(step / 1000))) if step < 1000 else 0
    _ticks(page, rect, "bottom", [(chart.mm(x, 0)[0], f"{x / 1000:.{places}f}") for x in xs.tolist()])
    _ticks(page, rect, "left", [(chart.mm(0, y)[1], f"{y / 1000:.{places}f}") for y in ys.tolist()])
    _degree_ticks(chart, page, rect)
    _zone_border(chart)


def _degree_ticks(chart: Chart, page: Axes, rect: Rect) -> None:
    frame, zone = chart.frame, chart.zone
    west, south, east, north = chart.bounds_deg
    wanted = frame.m_per_mm * 40 / 30.8
    step = min(_STEPS_SEC, key=lambda s: abs(math.log(s / wanted)))
    fine = np.linspace(0, 1, 60)
    top, right = [], []
    for second in range(math.ceil(west * 3600 / step) * step, math.floor(east * 3600) + 1, step):
        x, y = zone.places(np.full(60, second / 3600), south + fine * (north - south))
        at = float(np.interp(frame.north, y, x))
        if frame.west < at < frame.east:
            top.append((chart.mm(at, 0)[0], degrees(second, "EW", seconds=step < 60)))
    for second in range(math.ceil(south * 3600 / step) * step, math.floor(north * 3600) + 1, step):
        x, y = zone.places(west + fine * (east - west), np.full(60, second / 3600))
        at = float(np.interp(frame.east, x, y))
        if frame.south < at < frame.north:
            right.append((chart.mm(0, at)[1], degrees(second, "NS", seconds=step < 60)))
    _ticks(page, rect, "top", top)
    _ticks(page, rect, "right", right)


def degrees(second: int, sides: str, *, seconds: bool) -> str:
    """Format seconds of arc as degrees and minutes, with seconds if wanted.

    Examples
    --------
    >>> degrees(405_005, "EW", seconds=True), degrees(90_000, "NS", seconds=False)
    ('112°30′05″E', '25°00′N')
    """
    minute, rest = divmod(abs(second), 60)
    whole, minute = divmod(minute, 60)
    tail = f"{rest:02d}″" if seconds else ""
    return f"{whole}°{minute:02d}′{tail}{sides[0] if second >= 0 else sides[1]}"


def _ticks(page: Axes, rect: Rect, side: str, values: list[tuple[float, str]]) -> None:
    """Draw ticks and values on one side of the map; values too near to the last one or to a corner are omitted."""
    across = side in ("bottom", "top")
    sign = -1 if side in ("bottom", "left") else 1
    edge = {"bottom": rect.bottom, "top": rect.top, "left": rect.left, "right": rect.left + rect.width}[side]
    start, length = (rect.left, rect.width) if across else (rect.bottom, rect.height)
    # Into the corners of the strip reach only the values above and below the map: two would overlap there.
    beyond = STRIP_MM - 1 if across else 0.0
    last = -math.inf
    for at, label in values:
        line = ((start + at,) * 2, (edge, edge + sign * 1.3))
        page.plot(*(line if across else line[::-1]), color="black", linewidth=0.5)
        half = measured_mm(label, _SIZE) / 2
        if at - half < last + 2 or at - half < -beyond or at + half > length + beyond:
            continue
        last = at + half
        middle = edge + sign * (1.3 + (STRIP_MM - 1.3) / 2)
        place = (start + at, middle) if across else (middle, start + at)
        style: dict[str, Any] = {"ha": "center", "va": "center", "rotation": 0 if across else 90}
        page.text(*place, label, **style, fontproperties=font(_SIZE), color="#222222")


def _zone_border(chart: Chart) -> None:
    """Draw the border of the zone where it crosses the map."""
    zone, frame = chart.zone, chart.frame
    _, south, _, north = chart.bounds_deg
    for side in (-zone.width_deg / 2, zone.width_deg / 2):
        x, y = zone.places(np.full(60, zone.meridian_deg + side), np.linspace(south, north, 60))
        at = float(np.interp((frame.south + frame.north) / 2, y, x))
        if not frame.west < at < frame.east:
            continue
        style: dict[str, Any] = {"color": "#6a1b9a", "linewidth": 0.7, "zorder": 4.1}
        chart.axes.plot(x, y, linestyle=(0, (8, 3, 1, 3)), **style)
        pair = (zone.number, zone.number + 1) if side > 0 else (zone.number - 1, zone.number)
        label = chart.texts.words("paper", "zone_border", west=pair[0], east=pair[1])
        top = float(np.interp(frame.north - 12 * frame.m_per_mm, y, x))
        high = frame.m_per_mm
        anchors = [(top, frame.north - d * high) for d in (12, 20, 30, 45)]
        chart.write_label(label, anchors, style={"size": 6.0, "color": "#6a1b9a"}, reach_mm=8.0)


def draw_scale_bar(chart: Chart, off: Any = ()) -> None:
    """Draw a scale bar of four fields with the scale above it in a corner; no label covers it.

    It stands in the lower left corner, or, if it would hide shapes in `off` (of the plane), in the corner where it hides
    the least of them.
    """
    axes, frame, words = chart.axes, chart.frame, chart.texts.words
    mm = frame.m_per_mm
    longest = mm * min(44.0, frame.width_mm * 0.24)
    power = 10 ** math.floor(math.log10(longest))
    length = max(digit for digit in _BAR_DIGITS if digit * power <= longest) * power
    unit, divisor = ("kilometres", 1000) if length >= 1000 else ("metres", 1)
    wide, high = length / mm + 14, 12.2
    right, top = frame.width_mm - 1.8 - wide, frame.height_mm - 1.8 - high
    # The upper right corner is that of the north arrow.
    box = least_hiding(chart, [Box(x, y, x + wide, y + high) for x, y in ((1.8, 1.8), (right, 1.8), (1.8, top))], off)
    chart.labels.block(box)
    background: dict[str, Any] = {"facecolor": "white", "edgecolor": "#555555", "linewidth": 0.4, "alpha": 0.92}
    axes.add_patch(Rectangle(chart.metres(box.left, box.low), wide * mm, high * mm, **background, zorder=9))
    x, y = chart.metres(box.left + (wide - length / mm) / 2 - 1, box.low + 1.4)
    letters: dict[str, Any] = {"fontproperties": font(6.2), "zorder": 9.2}
    scale = words("paper", "scale", scale=frame.scale)
    place = (x + length / 2, y + 6.8 * mm)
    axes.text(*place, scale, ha="center", va="bottom", zorder=9.2, fontproperties=font(8))
    for field in range(4):
        colour = "black" if field % 2 == 0 else "white"
        edge: dict[str, Any] = {"facecolor": colour, "edgecolor": "black", "linewidth": 0.5, "zorder": 9.1}
        axes.add_patch(Rectangle((x + field * length / 4, y), length / 4, 1.2 * mm, **edge))
    for share in (0.0, 0.5, 1.0):
        value = length * share / divisor
        text = words("picture", unit, value=value) if share == 1 else f"{value:g}"
        axes.text(x + share * length, y + 1.9 * mm, text, ha="center", va="bottom", **letters)


def least_hiding(chart: Chart, boxes: Sequence[Box], shapes: Any) -> Box:
    """Return the first of the boxes that hides the least of some shapes of the plane."""

    def hidden(box: Box) -> float:
        covered = shapely.box(*chart.metres(box.left, box.low), *chart.metres(box.right, box.high))
        parts = shapely.intersection(np.asarray(shapes, dtype=object), covered)
        return float(shapely.length(parts).sum() + (~shapely.is_empty(parts)).sum() * chart.frame.m_per_mm)

    return min(boxes, key=hidden) if len(shapes) else boxes[0]


def draw_north_arrow(chart: Chart) -> None:
    """Draw the arrow of grid north, which is up, in the upper right corner."""
    axes, frame = chart.axes, chart.frame
    mm = frame.m_per_mm
    x, y = frame.east - 6.5 * mm, frame.north - 13.5 * mm
    corner = chart.mm(x, y)
    chart.labels.block(Box(corner[0] - 4, corner[1] - 1, frame.width_mm, frame.height_mm))
    for side, colour in ((-1, "black"), (1, "white")):
        corners = [(x, y + 8 * mm), (x + side * 2.3 * mm, y), (x, y + 1.9 * mm)]
        axes.add_patch(Polygon(corners, facecolor=colour, edgecolor="black", linewidth=0.6, zorder=9))
    style: dict[str, Any] = {"ha": "center", "va": "bottom", "fontproperties": font(8.5), "zorder": 9}
    axes.text(x, y + 8.4 * mm, chart.texts.words("picture", "north"), **style, path_effects=halo())


def covers(frame: Frame, x: float, y: float) -> bool:
    """Return whether a point of the plane lies inside a frame."""
    return frame.west <= x <= frame.east and frame.south <= y <= frame.north
