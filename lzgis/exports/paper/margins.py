"""What stands beside a map: the verdict, where in the city it is, the findings of a site, the list of a batch."""

from __future__ import annotations

import math
from typing import Any

import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.patches import Rectangle

from lzgis.coordinates.gauss_kruger import Zone, moved
from lzgis.exports.fonts import font, measured_mm, printable, shortened, wrapped
from lzgis.exports.paper.conflicts import GRAVE, gravity
from lzgis.exports.paper.frame import Frame, of_dimension, paths
from lzgis.exports.paper.layout import Room
from lzgis.exports.paper.legend import draw_head
from lzgis.exports.paper.mapped_site import Subject, figures, metres, square_metres
from lzgis.exports.report_text import VERDICT_COLOURS, ReportText, text
from lzgis.model.report import State, Verdict

_SIZE = 6.4
_LINE_MM = 3.0
_OVERRULED = "#4a148c"
MARKERS = dict(zip(VERDICT_COLOURS, "X^so", strict=True))
_ORDER = {verdict: rank for rank, verdict in enumerate(VERDICT_COLOURS)}


def draw_verdict(page: Axes, texts: ReportText, subject: Subject, room: Room) -> float:
    """Write what the site is and what the screening says of it; return how high that is."""
    verdict = text(subject.verdict.get("verdict"))
    colour = VERDICT_COLOURS.get(verdict, "#333333")
    label = texts.word("verdict", verdict)
    ground: dict[str, Any] = {"facecolor": colour, "edgecolor": colour}
    page.add_patch(Rectangle((room.left, room.top - 6.2), room.width, 6.2, **ground))
    middle = (room.left + room.width / 2, room.top - 3.2)
    head: dict[str, Any] = {"ha": "center", "va": "center_baseline", "color": "white"}
    page.text(*middle, printable(label), **head, fontproperties=font(9.5))
    size = square_metres(subject.verdict.get("site_area_m2")) or metres(subject.verdict.get("site_length_m"))
    facts = [
        texts.words("paper", "site_id", id=subject.site_id),
        texts.words("paper", "activity", activity=texts.activity(subject.activity) or "—"),
        *([texts.words("paper", "size", size=size)] if size else []),
    ]
    lines = wrapped(printable("；".join(facts)), room.width - 1, _SIZE + 0.4, lines=2)
    for number, line in enumerate(lines):
        place = (room.left, room.top - 7.6 - number * 3.3)
        page.text(*place, line, va="top", fontproperties=font(_SIZE + 0.4))
    return 7.6 + 3.3 * len(lines) + 1.6


def draw_inset(page: Axes, texts: ReportText, zone: Zone, room: Room, frame: Frame) -> float:
    """Draw the city with its townships and a box where the map lies; return how high that is."""
    outline = texts.report.layers.get(texts.report.city.outline)
    if outline is None or not len(outline.frame):
        return 0.0
    high = draw_head(page, texts.words("paper", "inset", city=texts.city), room.left, room.top, room.width)
    city = zone.project(outline.frame.geometry.to_numpy())
    spot = shapely.box(frame.west, frame.south, frame.east, frame.north)
    west, south, east, north = shapely.total_bounds([*city, spot]).tolist()
    step = max((east - west) / room.width, (north - south) / (room.height - high))
    left = room.left + (room.width - (east - west) / step) / 2

    def on_page(x: Any, y: Any) -> tuple[Any, Any]:
        return left + (x - west) / step, room.top - high - (north - y) / step

    def add(shapes: Any, **look: Any) -> None:
        parts, _ = of_dimension(moved(shapely.simplify(shapes, step * 0.08), on_page), 2)
        if len(parts):
            page.add_collection(PathCollection(paths(parts), **look), autolim=False)

    add(city, facecolor="#faf7f2", edgecolor="none", zorder=1)
    for name, look in _INSET.items():
        layer = texts.report.layers.get(name)
        if layer is not None and layer.spec.style.shown:
            add(zone.project(layer.frame.geometry.to_numpy()), **look, zorder=1.2)
    add(city, facecolor="none", edgecolor="#3c3c3c", linewidth=0.9, zorder=1.4)
    _mark(page, moved(spot, on_page)[0])
    return room.height


_INSET: dict[str, dict[str, Any]] = {
    "redline": {"facecolor": "#f6b0b0", "edgecolor": "none", "alpha": 0.8},
    "townships": {"facecolor": "none", "edgecolor": "#9a9a9a", "linewidth": 0.35},
}


def _mark(page: Axes, box: Any) -> None:
    """Mark a box on the inset, with a cross that leads the eye to it where it is small."""
    west, south, east, north = box.bounds
    look: dict[str, Any] = {"color": "#d50000", "linewidth": 1.0, "zorder": 2}
    half = 0.9
    x, y = (west + east) / 2, (south + north) / 2
    west, east = min(west, x - half), max(east, x + half)
    south, north = min(south, y - half), max(north, y + half)
    page.plot((west, east, east, west, west), (south, south, north, north, south), **look)
    if east - west < 4:
        for ends in (
            ((west - 3, west), (y, y)),
            ((east, east + 3), (y, y)),
            ((x, x), (south - 3, south)),
            ((x, x), (north, north + 3)),
        ):
            page.plot(*ends, **look)


def draw_findings(page: Axes, texts: ReportText, subject: Subject, room: Room) -> float:
    """List the findings of a site, conflicts first, then what was not checked; return how high that is."""
    words = texts.words
    high = draw_head(page, words("paper", "findings"), room.left, room.top, room.width)
    blocks = [_conflict(texts, n, f, room.width) for n, f in enumerate(subject.conflicts, start=1)]
    if sum(len(block) * _LINE_MM + 0.7 for block in blocks) > (room.height - high) * 0.8:
        blocks = [_briefly(texts, n, f, room.width) for n, f in enumerate(subject.conflicts, start=1)]
    if not blocks:
        blocks = [[("#333333", words("paper", "no_conflict"))]]
    blocks += _told(texts, subject, room.width)
    clear = len({f["rule"] for f in subject.of_state(State.CLEAR)} - {f["rule"] for f in subject.conflicts})
    blocks.append([("#333333", words("paper", "clear", count=clear))])
    left_out = 0
    for number, block in enumerate(blocks):
        last = number == len(blocks) - 1
        if high + (len(block) + (0 if last else 1)) * _LINE_MM + 0.8 > room.height:
            left_out += 1
            continue
        for colour, line in block:
            place = (room.left, room.top - high)
            page.text(*place, line, va="top", color=colour, fontproperties=font(_SIZE))
            high += _LINE_MM
        high += 0.7
    if left_out:
        line = words("paper", "more_findings", count=left_out)
        page.text(room.left, room.top - high, line, va="top", fontproperties=font(_SIZE), color="#333333")
        high += _LINE_MM
    return high + 1.5


def _told(texts: ReportText, subject: Subject, width: float) -> list[list[tuple[str, str]]]:
    """Tell what was not checked, reason by reason, and what is only to be known."""
    words = texts.words
    reasons: dict[str, list[dict[str, Any]]] = {}
    for finding in subject.of_state(State.NOT_CHECKED):
        reasons.setdefault(texts.reason(finding), []).append(finding)
    groups = [("not_checked", reason, findings) for reason, findings in reasons.items()]
    blocks = []
    for key, reason, findings in [*groups, ("notices", "", subject.notices)]:
        names = list(dict.fromkeys(texts.rule(f["rule"]) for f in findings))
        if names:
            facts = {"rules": words("picture", "separator").join(names), "count": len(names)}
            told = words("paper", key, **facts, reason=reason) if reason else words("paper", key, **facts)
            colour = VERDICT_COLOURS[Verdict.INCOMPLETE] if key == "not_checked" else "#333333"
            blocks.append([(colour, line) for line in wrapped(printable(told), width - 1, _SIZE, lines=8)])
    return blocks


def _briefly(texts: ReportText, number: int, finding: dict[str, Any], width: float) -> list[tuple[str, str]]:
    size = square_metres(finding["area_m2"]) or metres(finding["length_m"])
    overruled = texts.column("override") if texts.override(finding) else ""
    facts = [f"{number} {texts.rule(finding['rule'])}", overruled, text(finding["feature_name"]), size]
    line = shortened(printable("，".join(one for one in facts if one)), width - 1, _SIZE)
    return [(GRAVE[gravity(finding)][0], line)]


def _conflict(texts: ReportText, number: int, finding: dict[str, Any], width: float) -> list[tuple[str, str]]:
    kind = gravity(finding)
    colour = GRAVE[kind][0]
    head = f"{number} {texts.words('paper', kind)}　{texts.rule(finding['rule'])}"
    facts = "，".join(part for part in (text(finding["feature_name"]), figures(finding, texts)) if part)
    lines = [(colour, shortened(printable(head), width - 1, _SIZE))]
    overruled = texts.override(finding)
    if overruled:
        lines += [(_OVERRULED, "　" + one) for one in wrapped(printable(overruled), width - 4, _SIZE, lines=2)]
    return [*lines, *(("#333333", "　" + one) for one in wrapped(printable(facts), width - 4, _SIZE, lines=2))]


def draw_site_list(page: Axes, texts: ReportText, room: Room) -> float:
    """List the sites of a batch by verdict, the gravest first; what has no room is counted."""
    rows = sorted(texts.verdicts(), key=lambda row: _ORDER.get(row["verdict"], 9))
    high = draw_head(page, texts.words("paper", "site_list", count=len(rows)), room.left, room.top, room.width)
    columns = max(1, int(room.width // 46)) if len(rows) > 12 else 1
    per = max(1, int((room.height - high - 3.4) / 2.85))
    size, line = _letters(len(rows) / columns, room, columns, high + 3.4)
    shown = rows[: per * columns]
    deep = math.ceil(len(shown) / columns) if shown else 0
    wide = room.width / columns
    ids = max((measured_mm(_id(row), size) for row in shown), default=0.0)
    for number, row in enumerate(shown):
        x, y = room.left + number // deep * wide, room.top - high - (number % deep + 0.5) * line
        colour = VERDICT_COLOURS.get(row["verdict"], "#333333")
        page.plot(x + 1, y, marker=MARKERS.get(row["verdict"], "."), color=colour, markersize=3.2, markeredgewidth=0)
        look: dict[str, Any] = {"va": "center_baseline", "fontproperties": font(size)}
        page.text(x + 2.6, y, _id(row), **look, color=colour)
        name = shortened(printable(text(row["site_name"])), wide - ids - 5.4, size)
        page.text(x + 3.8 + ids, y, name, **look)
    high += deep * line
    if len(rows) > len(shown):
        more = texts.words("paper", "more_sites", count=len(rows) - len(shown))
        page.text(room.left, room.top - high - 0.6, more, va="top", fontproperties=font(_SIZE))
        high += 3.4
    return high


def _letters(deep: float, room: Room, columns: int, head: float) -> tuple[float, float]:
    """Choose the largest letters with which a list fits; long names need small ones in narrow columns."""
    wide = room.width / columns > 60
    for size, line in ((7.6, 3.8), (_SIZE, 3.1)) if wide else ((_SIZE, 3.1),):
        if math.ceil(deep) * line < room.height - head:
            return size, line
    return 6.0, 2.85


def _id(row: dict[str, Any]) -> str:
    return shortened(printable(text(row["site_id"])), 16.0, 6.0)
