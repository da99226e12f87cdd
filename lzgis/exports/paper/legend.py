"""What stands around a map on its page: title, notice, legend, and the foot that says what it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from lzgis.exports.fonts import font, printable, shortened, wrapped
from lzgis.exports.report_text import ReportText
from lzgis.model.report import Layer

FOOT_PT = 6.0
FOOT_LINE_MM = 3.0

#: Height of a line of the legend: as wished, and the least that can be read.
_LINE_MM = (4.3, 2.9)
_SIGN_MM = 7.0
_HEAD_MM = 5.6


class Entry(NamedTuple):
    """A line of the legend; a heading has no `sign`."""

    label: str
    sign: str = ""
    style: Mapping[str, Any] = MappingProxyType({})


def legend_height(entries: list[Entry], columns: int) -> float:
    """Height that a legend wishes for, in millimetres."""
    return _HEAD_MM + math.ceil(len(entries) / columns) * _LINE_MM[0]


def draw_head(page: Axes, title: str, left: float, top: float, width: float) -> float:
    """Write the head of a block with a rule below it; return how high it is."""
    page.text(left, top, title, va="top", fontproperties=font(8.2))
    page.plot((left, left + width), (top - 4.1, top - 4.1), color="#444444", linewidth=0.6)
    return _HEAD_MM


def draw_legend(
    page: Axes, entries: list[Entry], title: str, room: tuple[float, float, float, float], columns: int = 1
) -> None:
    """Draw the legend into a room on the page, in more columns if it is too long.

    Parameters
    ----------
    page : Axes
        Axes over the whole page, in millimetres.
    entries : list of Entry
        The lines, from the top.
    title : str
        What stands above them.
    room : tuple of float
        Left, bottom, width and height.
    columns : int
        At least so many columns.
    """
    left, bottom, width, height = room
    top = bottom + height
    top -= draw_head(page, title, left, top, width)
    height -= _HEAD_MM
    columns = max(columns, math.ceil(len(entries) * _LINE_MM[1] / height))
    rows = max(1, math.ceil(len(entries) / columns))
    line = min(_LINE_MM[0], height / rows)
    size = min(6.8, line / 0.3528 * 0.62)
    for number, entry in enumerate(entries):
        x = left + (number // rows) * width / columns
        y = top - (number % rows + 0.5) * line
        indent = _draw_sign(page, entry, x, y, line)
        label = shortened(printable(entry.label), width / columns - indent - 1.5, size)
        page.text(x + indent, y, label, va="center_baseline", fontproperties=font(size))


def _draw_sign(page: Axes, entry: Entry, x: float, y: float, line: float) -> float:
    """Draw the sign of a line of the legend; return how far its label is set in."""
    middle = x + _SIGN_MM / 2 - 0.5
    style = dict(entry.style)
    if entry.sign == "patch":
        high = min(2.8, line * 0.66)
        page.add_patch(Rectangle((x, y - high / 2), _SIGN_MM - 1, high, **style))
    elif entry.sign == "line":
        casing = style.pop("casing", "")
        ends = ((x, x + _SIGN_MM - 1), (y, y))
        if casing and casing != "#ffffff":
            page.add_line(Line2D(*ends, color=casing, linewidth=style["linewidth"] + 0.9))
        page.add_line(Line2D(*ends, **style))
    elif entry.sign == "marker":
        page.add_line(Line2D((middle,), (y,), linestyle="none", **style))
    else:
        return 0.0
    return _SIGN_MM + 1


def layer_title(texts: ReportText, layer: Layer) -> str:
    """Give the title of a layer, and its status unless it is in force."""
    title = texts.layer(layer.id)
    if layer.spec.status == "in-force":
        return title
    return texts.words("picture", "site_count", title=title, count=texts.words("status", layer.spec.status))


def data_dates(texts: ReportText) -> str:
    """Say of what version and date the layers are; layers of one date are named together."""
    together: dict[str, list[str]] = {}
    for layer in texts.report.layers.values():
        spec = layer.spec
        facts = [*([spec.version] if spec.version else []), *([spec.date.isoformat()] if spec.date else [])]
        fact = " ".join(facts) or texts.words("paper", "undated")
        together.setdefault(fact, []).append(layer_title(texts, layer))
    comma = texts.words("picture", "separator")
    return "；".join(f"{fact}：{comma.join(titles)}" for fact, titles in together.items())


def draw_heads(page: Axes, texts: ReportText, title: str, rooms: tuple[float, float, float]) -> None:
    """Write title, notice and confidentiality above the map; `rooms` is left, width and top edge."""
    left, width, top = rooms
    mark = printable(texts.confidentiality)
    free = width - 2 * (30.0 if mark else 4.0)
    size = next((s for s in (15.0, 13.0, 11.5, 10.0) if shortened(title, free, s) == title), 10.0)
    page.text(
        left + width / 2,
        top,
        shortened(title, free, size),
        ha="center",
        va="top",
        fontproperties=font(size),
    )
    for line in wrapped(printable(texts.notice), free, 7.6, lines=1):
        place = (left + width / 2, top - 7.2)
        page.text(*place, line, ha="center", va="top", fontproperties=font(7.6), color="#b00000")
    if mark:
        look: dict[str, Any] = {"boxstyle": "square,pad=0.35", "facecolor": "white", "edgecolor": "#b00000"}
        place = (left + width - 1, top - 0.5)
        page.text(*place, mark, ha="right", va="top", fontproperties=font(7.6), color="#b00000", bbox=look)


def foot_lines(texts: ReportText, crs: str, more: list[str], width_mm: float) -> list[str]:
    """Give what must stand below the map: reference system, dates of rules and data, disclaimer, what is left out."""
    provenance, words = texts.report.provenance, texts.words
    made_at = provenance.made_at.strftime("%Y-%m-%d %H:%M")
    book = {"book": provenance.rule_book, "version": provenance.rule_book_version}
    rules = words("picture", "rules", as_of=provenance.as_of.isoformat(), made_at=made_at, **book)
    lines = [
        f"{words('picture', 'crs', crs=crs)}；{rules}",
        words("picture", "dates", layers=data_dates(texts)),
        " ".join([texts.disclaimer, words("picture", "caution"), *more]),
    ]
    return [part for line in lines for part in wrapped(printable(line), width_mm, FOOT_PT, lines=3)]


def draw_foot(page: Axes, lines: list[str], room: tuple[float, float, float], map_number: str) -> None:
    """Write the foot; the map's approval number stands at its end, and only if one was given."""
    left, top, width = room
    for number, line in enumerate(lines):
        place = (left, top - FOOT_LINE_MM * number)
        page.text(*place, line, va="top", fontproperties=font(FOOT_PT), color="#333333")
    if map_number:
        place = (left + width, top - FOOT_LINE_MM * len(lines))
        page.text(*place, printable(map_number), ha="right", va="top", fontproperties=font(7.6))
