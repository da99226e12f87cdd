"""The legend of a map, and the headings of the blocks beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from lzgis.exports.fonts import font, measured_mm, printable, wrapped
from lzgis.exports.report_text import ReportText
from lzgis.model.report import Layer

#: Height of a line of the legend, in millimetres: the preferred one, and the smallest that can be read.
_LEAST_PT = 4.6
_LINE_MM = (4.3, 2.9)
_SYMBOL_MM = 7.0
_HEADING_MM = 5.6


class Entry(NamedTuple):
    """A line of the legend: its label, the kind of its symbol (``patch``, ``line`` or ``marker``), and matplotlib style."""

    label: str
    kind: str = ""
    style: Mapping[str, Any] = MappingProxyType({})


def legend_height(entries: list[Entry], columns: int) -> float:
    """Return the preferred height of a legend, in millimetres."""
    return _HEADING_MM + math.ceil(len(entries) / columns) * _LINE_MM[0]


def draw_heading(page: Axes, title: str, left: float, top: float, width: float) -> float:
    """Write the heading of a block with a line below it; return its height in millimetres."""
    page.text(left, top, title, va="top", fontproperties=font(8.2))
    page.plot((left, left + width), (top - 4.1, top - 4.1), color="#444444", linewidth=0.6)
    return _HEADING_MM


def draw_legend(
    page: Axes, entries: list[Entry], title: str, rect: tuple[float, float, float, float], columns: int = 1
) -> None:
    """Draw the legend into a rectangle of the page, in more columns if it is too long.

    Parameters
    ----------
    page : Axes
        Axes over the whole page, in millimetres.
    entries : list of Entry
        The lines, from the top.
    title : str
        Heading of the legend.
    rect : tuple of float
        Left, bottom, width and height.
    columns : int
        Minimum number of columns.
    """
    left, bottom, width, height = rect
    top = bottom + height
    top -= draw_heading(page, title, left, top, width)
    height -= _HEADING_MM
    columns = max(columns, math.ceil(len(entries) * _LINE_MM[1] / height))
    rows = max(1, math.ceil(len(entries) / columns))
    line = min(_LINE_MM[0], height / rows)
    size = min(6.8, line / 0.3528 * 0.62)
    for number, entry in enumerate(entries):
        x = left + (number // rows) * width / columns
        y = top - (number % rows + 0.5) * line
        indent = _draw_symbol(page, entry, x, y, line)
        room, label = width / columns - indent - 1.5, printable(entry.label)
        # Long titles are set in smaller letters, longer ones in two lines; only what even these cannot hold is cut.
        small = max(min(size, 0.98 * size * room / max(measured_mm(label, size), 0.1)), _LEAST_PT)
        if measured_mm(label, small) <= room:
            page.text(x + indent, y, label, va="center_baseline", fontproperties=font(small))
            continue
        small = min(small, line / 2 / 0.3528 * 0.86)
        for place, part in enumerate(wrapped(label, room, small, lines=2)):
            middle = y + (0.25 - 0.5 * place) * line
            page.text(x + indent, middle, part, va="center_baseline", fontproperties=font(small))


def _draw_symbol(page: Axes, entry: Entry, x: float, y: float, line: float) -> float:
    """Draw the symbol of a line of the legend; return the indent of its label in millimetres."""
    middle = x + _SYMBOL_MM / 2 - 0.5
    style = dict(entry.style)
    if entry.kind == "patch":
        high = min(2.8, line * 0.66)
        page.add_patch(Rectangle((x, y - high / 2), _SYMBOL_MM - 1, high, **style))
    elif entry.kind == "line":
        casing = style.pop("casing", "")
        ends = ((x, x + _SYMBOL_MM - 1), (y, y))
        if casing and casing != "#ffffff":
            page.add_line(Line2D(*ends, color=casing, linewidth=style["linewidth"] + 0.9))
        page.add_line(Line2D(*ends, **style))
    elif entry.kind == "marker":
        page.add_line(Line2D((middle,), (y,), linestyle="none", **style))
    else:
        return 0.0
    return _SYMBOL_MM + 1


def layer_title(texts: ReportText, layer: Layer) -> str:
    """Return the title of a layer, with its status unless it is in force."""
    title = texts.layer(layer.id)
    if layer.spec.status == "in-force":
        return title
    return texts.words("picture", "site_count", title=title, count=texts.words("status", layer.spec.status))
