"""The sheets of a long or split site: their boxes on the map of the whole, what joins where, and the list of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes

from lzgis.coordinates.gauss_kruger import Zone
from lzgis.exports.fonts import font, measured_mm, printable, wrapped
from lzgis.exports.paper.chart import LABEL, Chart
from lzgis.exports.paper.frame import Frame, Geometries
from lzgis.exports.paper.grid import least_hiding
from lzgis.exports.paper.labels import Box
from lzgis.exports.paper.layout import Rect
from lzgis.exports.paper.legend import draw_heading
from lzgis.exports.paper.mapped_site import MappedSite
from lzgis.exports.paper.sheet_index import joins, needs_sheets, sheet_frames
from lzgis.exports.report_text import ReportText
from lzgis.exports.rounding import numbers_of

#: Colour of boxes, numbers and joins of sheets: none of a layer or a verdict.
COLOUR = "#1a237e"
_SIZE, _LINE_MM = 6.4, 3.0
#: With more conflicts than this, the map of the whole has no labels of them: the sheets have.
MOST_LABELS = 18
#: Documents have insets from smaller scales on: their maps are small, and a page more must be worth it.
_INSETS_FROM = 60_000


def frames_of(site: MappedSite, zone: Zone, whole: Frame, *, least: int) -> tuple[Frame, ...]:
    """Return the frames of the sheets of a site; none if the map of the whole can be read."""
    if not needs_sheets(whole.scale):
        return ()
    shape = zone.project([site.geometry])
    return sheet_frames(shape, (whole.width_mm, whole.height_mm), whole.scale, largest=least)


def inset_frames(
    site: MappedSite, zone: Zone, whole: int, size_mm: tuple[float, float], most: int
) -> tuple[Frame, ...]:
    """Return the frames of insets that show the conflicts of a site whose map cannot be read; none if it can."""
    if whole <= _INSETS_FROM or not site.conflicts:
        return ()
    shapes = [f["geometry"] for f in site.conflicts if f["geometry"] is not None and not f["geometry"].is_empty]
    return sheet_frames(zone.project(shapes), size_mm, whole, most=most, largest=5_000) if shapes else ()


def on_sheet(site: MappedSite, zone: Zone, frame: Frame) -> MappedSite:
    """Return a site with only those conflicts and notices that a sheet shows; their numbers stay."""
    page = page_of(frame)
    shapes = zone.project([f["geometry"] if f["geometry"] is not None else shapely.Point() for f in site.findings])
    met = {id(f) for f in (*site.conflicts, *site.notices)}
    shown = shapely.intersects(shapes, page)
    return replace(site, findings=[f for f, seen in zip(site.findings, shown, strict=True) if seen or id(f) not in met])


def page_of(frame: Frame) -> shapely.Polygon:
    """Return the frame as a rectangle in the plane."""
    return shapely.box(frame.west, frame.south, frame.east, frame.north)


def draw_boxes(chart: Chart, frames: tuple[Frame, ...], names: list[str], site: Geometries) -> None:
    """Draw the frames of sheets on the map of the whole, each with its name in the corner that hides least of the site."""
    boxes: Geometries = np.array([page_of(one) for one in frames], dtype=object)
    chart.draw(boxes, 2, 7.0, facecolor="none", edgecolor="white", linewidth=2.0)
    chart.draw(boxes, 2, 7.1, facecolor="none", edgecolor=COLOUR, linewidth=0.9)
    for frame, name in zip(frames, names, strict=True):
        shown = chart.box_mm(shapely.intersection(page_of(frame), chart.page))
        wide, deep = measured_mm(name, 7.6) + 1.6, 3.6
        # Inside a corner, else beside it.
        places = (shown.left, shown.right - wide, shown.left - wide, shown.right)
        corners = [(x, y) for y in (shown.high - deep, shown.low) for x in places]
        box = least_hiding(chart, [Box(x, y, x + wide, y + deep) for x, y in corners], site)
        chart.labels.block(box)
        place = chart.metres((box.left + box.right) / 2, (box.low + box.high) / 2)
        style: dict[str, Any] = {"boxstyle": "square,pad=0.22", "facecolor": COLOUR, "edgecolor": "none"}
        middle: dict[str, Any] = {"ha": "center", "va": "center_baseline", "label": LABEL}
        chart.axes.text(*place, name, **middle, color="white", fontproperties=font(7.6), bbox=style, zorder=9)


def draw_joins(chart: Chart, frames: tuple[Frame, ...], number: int, site: MappedSite) -> None:
    """Write where the site leaves a sheet which other sheet shows it there."""
    shape = chart.zone.project([site.geometry])[0]
    for place, other in joins(frames, number, shape):
        said = chart.texts.words("paper", "joins", number=other)
        style = {"size": 6.6, "color": COLOUR, "edge": COLOUR}
        chart.write_label(said, [place], style=style, reach_mm=24.0)


def draw_index(
    page: Axes, texts: ReportText, known: tuple[MappedSite, Zone], frames: tuple[Frame, ...], rect: Rect
) -> float:
    """List the sheets with the numbers of the conflicts on each; return the height taken."""
    site, zone = known
    words = texts.words
    scale = "1:" + numbers_of(texts.report.city)(frames[0].scale)
    high = draw_heading(page, words("paper", "sheet_list", scale=scale), rect.left, rect.top, rect.width)
    lines = []
    for number, frame in enumerate(frames, start=1):
        found = [f["number"] for f in on_sheet(site, zone, frame).conflicts]
        numbers = _ranges(found) or words("paper", "no_conflicts_here")
        lines.append(printable(words("paper", "sheet_line", number=number, numbers=numbers)))
    if max(measured_mm(line, _SIZE) for line in lines) < rect.width / 2 - 2:
        # Short lines stand in two columns: the findings below need the room.
        parts = [(line, number % 2) for number, line in enumerate(lines)]
    else:
        parts = [(part, 0) for line in lines for part in wrapped(line, rect.width - 1, _SIZE, lines=2)]
    for number, (part, column) in enumerate(parts):
        left = rect.left + column * rect.width / 2
        page.text(left, rect.top - high, part, va="top", fontproperties=font(_SIZE), color="#222222")
        if not column and number + 1 < len(parts) and parts[number + 1][1]:
            continue
        high += _LINE_MM
    return high + 1.5


def _ranges(numbers: list[int]) -> str:
    """Write numbers in order, runs of three or more as a range.

    Examples
    --------
    >>> _ranges([3, 1, 2, 7, 9, 10])
    '1–3, 7, 9, 10'
    """
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    said = [f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return ", ".join(said)
