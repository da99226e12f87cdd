"""The site on its detail map, with its conflicting parts and the part that was not checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from lzgis.exports.fonts import printable, shortened
from lzgis.exports.paper.chart import Chart
from lzgis.exports.paper.frame import Geometries, of_dimension
from lzgis.exports.paper.legend import Entry
from lzgis.exports.paper.mapped_site import MappedSite, metres, square_metres
from lzgis.exports.symbology import PART_COLOURS, SLIVER_COLOUR
from lzgis.model.report import Reason, State
from lzgis.model.rules import Severity

#: Colour and hatch of conflicts, the most severe first; the hatches differ without colour too.
GRAVITIES: dict[str, tuple[str, str]] = {
    "prohibited": (PART_COLOURS[Severity.PROHIBITED], "////////"),
    "conditional": (PART_COLOURS[Severity.CONDITIONAL], "\\\\\\\\\\\\"),
    "sliver": (SLIVER_COLOUR, "xxxxxx"),
}
_SIZE = 6.6
_TITLE_MM = 62.0
#: How far from its conflict a label may stand, and a number for which there is no room so near.
_REACH_MM, _FAR_MM = 46.0, 110.0
#: A part smaller than this on paper gets a ring so that it is seen; and the most rings of one kind of conflict.
_SMALL_MM = 1.6
_MAX_RINGS = 12


def gravity(finding: dict[str, Any]) -> str:
    """Return how severe a finding is: ``sliver``, ``prohibited`` or ``conditional``."""
    if finding["state"] == State.SLIVER:
        return "sliver"
    return "prohibited" if finding["severity"] == Severity.PROHIBITED else "conditional"


def draw_site(chart: Chart, site: MappedSite) -> Entry:
    """Draw the site as a black line with a white outline, a point as a ring with a cross; return its legend line."""
    shapes = chart.cut([site.geometry], finest_mm=0.0)
    chart.draw(shapes, 2, 6.0, facecolor="none", edgecolor="white", linewidth=3.0)
    chart.draw(shapes, 2, 6.5, facecolor="none", edgecolor="black", linewidth=1.4)
    chart.draw(shapes, 1, 5.4, edgecolor="white", linewidth=5.0)
    chart.draw(shapes, 1, 6.5, edgecolor="black", linewidth=1.3)
    points, _ = of_dimension(shapes, 0)
    if len(points):
        x, y = shapely.get_coordinates(points).T
        for colour, width in (("white", 3.4), ("black", 1.4)):
            style: dict[str, Any] = {"linewidth": width, "zorder": 6.5}
            chart.axes.scatter(x, y, s=70, facecolor="none", edgecolor=colour, **style)
            chart.axes.scatter(x, y, s=170, marker="+", color=colour, **style)
    chart.avoid_along(shapes)
    title = chart.texts.words("paper", "site")
    if shapely.get_dimensions(site.geometry) == 2:
        return Entry(title, "patch", {"facecolor": "none", "edgecolor": "black", "linewidth": 1.4})
    if shapely.get_dimensions(site.geometry) == 1:
        return Entry(title, "line", {"color": "black", "linewidth": 1.4})
    style = {"marker": "o", "markersize": 6, "markeredgecolor": "black", "markerfacecolor": "none"}
    return Entry(title, "marker", {**style, "markeredgewidth": 1.3})


def draw_conflicts(chart: Chart, site: MappedSite) -> list[Entry]:
    """Hatch the conflicting parts of the site by severity, each place once with the most severe; return legend lines."""
    taken: Any = shapely.Polygon()
    entries = []
    for kind, (colour, hatch) in GRAVITIES.items():
        chosen = [f for f in site.conflicts if gravity(f) == kind]
        if not chosen:
            continue
        shapes = _shapes(chart, chosen)
        whole = shapely.union_all(shapes[shapely.get_dimensions(shapes) == 2])
        rest = np.array([shapely.difference(whole, taken)], dtype=object)
        taken = shapely.union(taken, whole)
        style: dict[str, Any] = {"edgecolor": colour, "linewidth": 1.2}
        chart.draw(rest, 2, 6.1, facecolor=(1, 1, 1, 0.45), edgecolor="none")
        chart.draw(rest, 2, 6.2, facecolor="none", hatch=hatch, **style)
        order = 6.3 - 0.1 * list(GRAVITIES).index(kind)
        chart.draw(shapes, 1, order, edgecolor=colour, linewidth=4.2)
        # The outline of a small conflict stays visible inside a larger one of the same severity.
        chart.draw(shapes, 2, 6.25, facecolor="none", edgecolor=colour, linewidth=0.7)
        points, _ = of_dimension(shapes, 0)
        if len(points):
            ring: dict[str, Any] = {
                "s": 210 + 160 * list(GRAVITIES).index(kind),
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


def draw_unchecked(chart: Chart, site: MappedSite) -> list[Entry]:
    """Hatch the part of the site outside the city, which the layers do not cover."""
    report = chart.texts.report
    outline = report.layers.get(report.city.outline)
    reasons = {f["reason"] for f in site.of_state(State.NOT_CHECKED)}
    if outline is None or not reasons & {Reason.OUTSIDE_CITY, Reason.PARTLY_OUTSIDE}:
        return []
    city = shapely.union_all(shapely.make_valid(chart.cut(outline.frame.geometry.to_numpy(), finest_mm=0.0)))
    outside = shapely.difference(chart.zone.project([site.geometry]), city)
    style: dict[str, Any] = {"facecolor": "none", "edgecolor": "#6a51a3", "hatch": "----", "linewidth": 0.6}
    if not chart.draw(outside, 2, 6.15, **style):
        return []
    label = chart.texts.words("paper", "outside")
    label_style = {"size": _SIZE, "color": "#6a51a3", "edge": "#6a51a3"}
    chart.write_label(label, _anchors(outside[0]), style=label_style)
    return [Entry(label, "patch", {**style, "facecolor": "white"})]


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
    order = np.argsort(-shapely.area(small) - shapely.length(small), kind="stable")[:_MAX_RINGS]
    if len(order):
        x, y = shapely.get_coordinates(shapely.centroid(small[order])).T
        ring: dict[str, Any] = {"s": 46, "facecolor": "none", "edgecolor": colour, "linewidth": 1.1}
        chart.axes.scatter(x, y, **ring, zorder=6.6)


def label_conflicts(chart: Chart, site: MappedSite) -> int:
    """Write number, rule and size beside each conflict; return how many labels were not placed.

    Where the full label does not fit, number and size are tried, then the number alone: the list beside the map has
    the rest.
    """
    lost = 0
    taken: Any = shapely.Polygon()
    for finding in site.conflicts:
        place, shapes = finding["number"], _shapes(chart, [finding])
        shapes = shapes[~shapely.is_empty(shapes)] if len(shapes) else shapes
        if not len(shapes):
            continue
        whole = shapely.union_all(shapes)
        fresh = shapely.difference(whole, taken) if shapely.get_dimensions(whole) == 2 else whole
        anchors = _anchors(whole if fresh.is_empty else fresh)
        taken = shapely.union(taken, whole) if shapely.get_dimensions(whole) == 2 else taken
        colour, _ = GRAVITIES[gravity(finding)]
        size = square_metres(finding["area_m2"], chart.texts, finding["layer"]) or metres(
            finding["length_m"], chart.texts, finding["layer"]
        )
        if size and shapely.get_num_geometries(finding["geometry"]) > 1:
            size += chart.texts.words("paper", "parts", count=shapely.get_num_geometries(finding["geometry"]))
        title = shortened(printable(chart.texts.rule(finding["rule"])), _TITLE_MM, _SIZE)
        head = f"{place} {title}"
        style = {"size": _SIZE, "color": colour, "edge": colour}
        texts = [f"{head}\n{size}" if size else head, f"{place}  {size}".rstrip(), str(place)]
        tried = [*((text, _REACH_MM) for text in texts), (str(place), _FAR_MM)]
        lost += not any(chart.write_label(text, anchors, style=style, reach_mm=reach) for text, reach in tried)
    return lost


def _anchors(shape: Any) -> list[tuple[float, float]]:
    """Return points on the three largest parts of a shape."""
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
