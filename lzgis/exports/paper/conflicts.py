"""The site, and what of it conflicts or was not checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from lzgis.exports.fonts import printable, shortened
from lzgis.exports.paper.chart import Chart
from lzgis.exports.paper.frame import Geometries, of_dimension
from lzgis.exports.paper.legend import Entry
from lzgis.exports.paper.mapped_site import Subject, metres, square_metres
from lzgis.model.report import Reason, State
from lzgis.model.rules import Severity

#: By the gravity of what is met: colour, hatch, order. Direction and density tell them apart without colour, too.
GRAVE: dict[str, tuple[str, str]] = {
    "prohibited": ("#b3001b", "////////"),
    "conditional": ("#d95f02", "\\\\\\\\\\\\"),
    "sliver": ("#7b1fa2", "xxxxxx"),
}
_SIZE = 6.6
_TITLE_MM = 44.0
#: A part smaller than this on paper gets a ring, or nobody would see it; and how many rings a conflict can have.
_SMALL_MM = 1.6
_MOST_RINGS = 12


def gravity(finding: dict[str, Any]) -> str:
    """Name how grave a finding is: ``sliver``, ``prohibited`` or ``conditional``."""
    if finding["state"] == State.SLIVER:
        return "sliver"
    return "prohibited" if finding["severity"] == Severity.PROHIBITED else "conditional"


def draw_site(chart: Chart, subject: Subject) -> Entry:
    """Draw the site as a strong line with a white rim; a point as a ring with a cross."""
    shapes = chart.cut([subject.geometry], finest_mm=0.0)
    chart.draw(shapes, 2, 6.0, facecolor="none", edgecolor="white", linewidth=3.0)
    chart.draw(shapes, 2, 6.5, facecolor="none", edgecolor="black", linewidth=1.4)
    chart.draw(shapes, 1, 5.4, edgecolor="white", linewidth=5.0)
    chart.draw(shapes, 1, 6.5, edgecolor="black", linewidth=1.3)
    points, _ = of_dimension(shapes, 0)
    if len(points):
        x, y = shapely.get_coordinates(points).T
        for colour, width in (("white", 3.4), ("black", 1.4)):
            look: dict[str, Any] = {"linewidth": width, "zorder": 6.5}
            chart.axes.scatter(x, y, s=70, facecolor="none", edgecolor=colour, **look)
            chart.axes.scatter(x, y, s=170, marker="+", color=colour, **look)
    chart.avoid_along(shapes)
    title = chart.texts.words("paper", "site")
    if shapely.get_dimensions(subject.geometry) == 2:
        return Entry(title, "patch", {"facecolor": "none", "edgecolor": "black", "linewidth": 1.4})
    if shapely.get_dimensions(subject.geometry) == 1:
        return Entry(title, "line", {"color": "black", "linewidth": 1.4})
    look = {"marker": "o", "markersize": 6, "markeredgecolor": "black", "markerfacecolor": "none"}
    return Entry(title, "marker", {**look, "markeredgewidth": 1.3})


def draw_conflicts(chart: Chart, subject: Subject) -> list[Entry]:
    """Hatch what of the site conflicts, by gravity; what is forbidden lies on top and is hatched once."""
    taken: Any = shapely.Polygon()
    entries = []
    for kind, (colour, hatch) in GRAVE.items():
        chosen = [f for f in subject.conflicts if gravity(f) == kind]
        if not chosen:
            continue
        shapes = _shapes(chart, chosen)
        whole = shapely.union_all(shapes[shapely.get_dimensions(shapes) == 2])
        rest = np.array([shapely.difference(whole, taken)], dtype=object)
        taken = shapely.union(taken, whole)
        look: dict[str, Any] = {"edgecolor": colour, "linewidth": 1.2}
        chart.draw(rest, 2, 6.1, facecolor=(1, 1, 1, 0.45), edgecolor="none")
        chart.draw(rest, 2, 6.2, facecolor="none", hatch=hatch, **look)
        order = 6.3 - 0.1 * list(GRAVE).index(kind)
        chart.draw(shapes, 1, order, edgecolor=colour, linewidth=4.2)
        # Of two conflicts of one gravity the smaller must still be seen inside the larger.
        chart.draw(shapes, 2, 6.25, facecolor="none", edgecolor=colour, linewidth=0.7)
        points, _ = of_dimension(shapes, 0)
        if len(points):
            ring: dict[str, Any] = {
                "s": 210 + 160 * list(GRAVE).index(kind),
                "facecolor": "none",
                "edgecolor": colour,
                "linewidth": 1.8,
            }
            chart.axes.scatter(*shapely.get_coordinates(points[:1]).T, **ring, zorder=6.2)
        _ring_small(chart, shapes, colour)
        entries.append(_entry(chart.texts.words("paper", kind), shapes, colour, hatch))
    return entries


def _entry(label: str, shapes: Geometries, colour: str, hatch: str) -> Entry:
    dimension = int(shapely.get_dimensions(shapes).max(initial=0))
    if dimension == 2:
        patch = {"facecolor": "white", "hatch": hatch, "edgecolor": colour, "linewidth": 1.2}
        return Entry(label, "patch", patch)
    if dimension == 1:
        return Entry(label, "line", {"color": colour, "linewidth": 4.0})
    ring = {"marker": "o", "markerfacecolor": "none", "markeredgecolor": colour}
    return Entry(label, "marker", {**ring, "markersize": 8, "markeredgewidth": 1.8})


def draw_unchecked(chart: Chart, subject: Subject) -> list[Entry]:
    """Hatch what of the site lies outside the city, where the layers do not reach."""
    report = chart.texts.report
    outline = report.layers.get(report.city.outline)
    reasons = {f["reason"] for f in subject.of_state(State.NOT_CHECKED)}
    if outline is None or not reasons & {Reason.OUTSIDE_CITY, Reason.PARTLY_OUTSIDE}:
        return []
    city = shapely.union_all(shapely.make_valid(chart.cut(outline.frame.geometry.to_numpy(), finest_mm=0.0)))
    outside = shapely.difference(chart.zone.project([subject.geometry]), city)
    look: dict[str, Any] = {"facecolor": "none", "edgecolor": "#6a51a3", "hatch": "----", "linewidth": 0.6}
    if not chart.draw(outside, 2, 6.15, **look):
        return []
    label = chart.texts.words("paper", "outside")
    look_of_label = {"size": _SIZE, "color": "#6a51a3", "edge": "#6a51a3"}
    chart.name(label, _anchors(outside[0]), look=look_of_label)
    return [Entry(label, "patch", {**look, "facecolor": "white"})]


def _shapes(chart: Chart, findings: list[dict[str, Any]]) -> Geometries:
    there = [f["geometry"] for f in findings if f["geometry"] is not None and not f["geometry"].is_empty]
    return shapely.make_valid(chart.cut(there, finest_mm=0.0)) if there else np.zeros(0, dtype=object)


def _ring_small(chart: Chart, shapes: Geometries, colour: str) -> None:
    parts = np.concatenate([of_dimension(shapes, dimension)[0] for dimension in (1, 2)])
    if not len(parts):
        return
    bounds = shapely.bounds(parts)
    size = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]) / chart.frame.m_per_mm
    small = parts[size < _SMALL_MM]
    order = np.argsort(-shapely.area(small) - shapely.length(small), kind="stable")[:_MOST_RINGS]
    if len(order):
        x, y = shapely.get_coordinates(shapely.centroid(small[order])).T
        ring: dict[str, Any] = {"s": 46, "facecolor": "none", "edgecolor": colour, "linewidth": 1.1}
        chart.axes.scatter(x, y, **ring, zorder=6.6)


def label_conflicts(chart: Chart, subject: Subject) -> int:
    """Write number, rule and size beside each conflicting part; return how many found no room.

    Where the whole label has no room, the number and size alone are tried: the list beside the map has the rest.
    """
    lost = 0
    taken: Any = shapely.Polygon()
    for place, finding in enumerate(subject.conflicts, start=1):
        shapes = _shapes(chart, [finding])
        shapes = shapes[~shapely.is_empty(shapes)] if len(shapes) else shapes
        if not len(shapes):
            continue
        whole = shapely.union_all(shapes)
        fresh = shapely.difference(whole, taken) if shapely.get_dimensions(whole) == 2 else whole
        anchors = _anchors(whole if fresh.is_empty else fresh)
        taken = shapely.union(taken, whole) if shapely.get_dimensions(whole) == 2 else taken
        colour, _ = GRAVE[gravity(finding)]
        size = square_metres(finding["area_m2"]) or metres(finding["length_m"])
        if size and shapely.get_num_geometries(finding["geometry"]) > 1:
            size += chart.texts.words("paper", "parts", count=shapely.get_num_geometries(finding["geometry"]))
        title = shortened(printable(chart.texts.rule(finding["rule"])), _TITLE_MM, _SIZE)
        head = f"{place} {title}"
        look = {"size": _SIZE, "color": colour, "edge": colour}
        texts = [f"{head}\n{size}" if size else head, f"{place}  {size}".rstrip(), str(place)]
        lost += not any(chart.name(text, anchors, look=look, reach_mm=46.0) for text in texts)
    return lost


def _anchors(shape: Any) -> list[tuple[float, float]]:
    """Give places inside the largest parts of a shape."""
    for dimension in (2, 1, 0):
        parts, _ = of_dimension([shape], dimension)
        if len(parts):
            break
    order = np.argsort(-shapely.area(parts) - shapely.length(parts), kind="stable")[:3]
    points = [
        shapely.line_interpolate_point(parts[n], 0.5, normalized=True)
        if dimension == 1
        else shapely.point_on_surface(parts[n])
        for n in order
    ]
    return [(point.x, point.y) for point in points]
