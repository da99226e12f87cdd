"""What stands around a map on its page: title, notice, legend, and the foot that says what it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from lzgis.exporters.lettering import font, printable, shortened, wrapped
from lzgis.exporters.rows import Teller
from lzgis.model import Layer

#: A4 across, and the room around the map, in millimetres.
PAGE_MM = (297.0, 210.0)
LEFT_MM, TOP_MM, GAP_MM, RIGHT_MM = 13.0, 25.0, 5.0, 8.0
LEAST_LEGEND_MM = 62.0
MOST_LEGEND_MM = 84.0
FOOT_PT = 6.5
FOOT_LINE_MM = 3.5

#: Height of a line of the legend: as wished, and the least that can be read.
_LINE_MM = (5.6, 3.3)
_SIGN_MM = 8.0


class Entry(NamedTuple):
    """A line of the legend; a heading has no `sign`."""

    label: str
    sign: str = ""
    style: Mapping[str, Any] = MappingProxyType({})
    inset: bool = False


def draw_legend(page: Axes, entries: list[Entry], title: str, room: tuple[float, float, float, float]) -> None:
    """Draw the legend into a room on the page (left, bottom, width, height), in columns if it is long.

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
    """
    left, bottom, width, height = room
    top = bottom + height
    page.text(left, top, title, va="top", fontproperties=font(11))
    height -= 7.5
    columns = math.ceil(len(entries) * _LINE_MM[1] / height)
    rows = math.ceil(len(entries) / columns)
    line = min(_LINE_MM[0], height / rows)
    size = min(8.0, line / 0.3528 * 0.68)
    for number, entry in enumerate(entries):
        x = left + (number // rows) * width / columns + (4 if entry.inset else 0)
        y = top - 7.5 - (number % rows + 0.5) * line
        indent = _draw_sign(page, entry, x, y, line)
        label = shortened(printable(entry.label), width / columns - indent - (5 if entry.inset else 1), size)
        look: dict[str, Any] = {"fontproperties": font(size), "color": "black" if entry.sign else "#34495e"}
        page.text(x + indent, y, label, va="center_baseline", **look)
        if not entry.sign:
            under = (y - line * 0.42, y - line * 0.42)
            page.plot((x, x + width / columns - 2), under, color="#b0b8c0", linewidth=0.5)


def _draw_sign(page: Axes, entry: Entry, x: float, y: float, line: float) -> float:
    """Draw the sign of a line of the legend; return how far its label is set in."""
    middle = x + _SIGN_MM / 2 - 0.5
    if entry.sign == "patch":
        high = min(3.4, line * 0.7)
        page.add_patch(Rectangle((x, y - high / 2), _SIGN_MM - 1, high, **entry.style))
    elif entry.sign == "line":
        page.add_line(Line2D((x, x + _SIGN_MM - 1), (y, y), **entry.style))
    elif entry.sign == "marker":
        page.add_line(Line2D((middle,), (y,), linestyle="none", **entry.style))
    else:
        return 0.0
    return _SIGN_MM + 1


def layer_title(teller: Teller, layer: Layer) -> str:
    """Give the title of a layer, and its status unless it is in force."""
    title = teller.layer(layer.id)
    if layer.spec.status == "in-force":
        return title
    return teller.words("picture", "site_count", title=title, count=teller.words("status", layer.spec.status))


def draw_heads(page: Axes, teller: Teller, left: float) -> None:
    """Write title, notice and confidentiality above the map."""
    width, height = PAGE_MM
    title = printable(teller.words("picture", "title", city=teller.city))
    page.text(width / 2, height - 6, title, ha="center", va="top", fontproperties=font(17))
    for line in wrapped(printable(teller.notice), width - 2 * LEFT_MM, 9, lines=1):
        place = (width / 2, height - 16.5)
        page.text(*place, line, ha="center", va="top", fontproperties=font(9), color="#b00000")
    mark = printable(teller.confidentiality)
    if mark:
        look: dict[str, Any] = {"boxstyle": "square,pad=0.35", "facecolor": "white", "edgecolor": "#b00000"}
        page.text(left + 1, height - 8, mark, va="top", fontproperties=font(9), color="#b00000", bbox=look)


def foot_lines(teller: Teller) -> list[str]:
    """Give what must stand below the map: reference system, dates of rules and data, disclaimer."""
    provenance, words = teller.report.provenance, teller.words
    data = []
    for layer in teller.report.layers.values():
        spec = layer.spec
        facts = [*([spec.version] if spec.version else []), *([spec.date.isoformat()] if spec.date else [])]
        data.append(" ".join([layer_title(teller, layer), *facts]))
    made_at = provenance.made_at.isoformat(sep=" ", timespec="minutes")
    book = {"book": provenance.rule_book, "version": provenance.rule_book_version}
    lines = [
        words("picture", "crs", crs="CGCS2000 (EPSG:4490)"),
        words("picture", "rules", as_of=provenance.as_of.isoformat(), made_at=made_at, **book),
        words("picture", "dates", layers=words("picture", "separator").join(data)),
        f"{teller.disclaimer} {words('picture', 'caution')}",
    ]
    # The map, and the foot with it, may stand further in than the left margin.
    room = PAGE_MM[0] - 4 * LEFT_MM
    return [part for line in lines for part in wrapped(printable(line), room, FOOT_PT, lines=3)]
