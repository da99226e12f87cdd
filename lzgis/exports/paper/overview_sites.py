"""All sites on the overview map: shapes coloured by verdict, markers on small ones, an id beside each."""

from __future__ import annotations

from functools import partial
from typing import Any

import matplotlib.colors
import numpy as np
import shapely

from lzgis.exports.fonts import printable, shortened
from lzgis.exports.paper.chart import Chart
from lzgis.exports.paper.frame import Geometries, of_dimension
from lzgis.exports.paper.labels import Box
from lzgis.exports.paper.legend import Entry
from lzgis.exports.paper.margins import MARKERS
from lzgis.exports.report_text import text
from lzgis.exports.symbology import VERDICT_COLOURS
from lzgis.model.report import Verdict

#: A site smaller than this on paper gets a marker; and the most ids written on a map.
_SMALL_MM = 2.4
_MAX_LABELS = 160
#: From the least to the most severe: the most severe is drawn last.
_ORDER: list[str] = list(reversed(Verdict))


def draw_sites(chart: Chart) -> tuple[list[Entry], list[str]]:
    """Draw the sites and their ids; return the lines of the legend, and notes on what is not shown."""
    report, words = chart.texts.report, chart.texts.words
    verdict_of = dict(zip(report.verdicts["site_id"], report.verdicts["verdict"], strict=True))
    verdicts = np.array([verdict_of.get(site, "") for site in report.sites["id"]], dtype=object)
    shapes = chart.zone.project(report.sites.geometry.to_numpy())
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    seen = there & shapely.intersects(shapes, chart.page)
    entries, places = [], np.full((len(shapes), 2), np.nan)
    for rank, verdict in enumerate(_ORDER):
        here = np.flatnonzero(seen & (verdicts == verdict))
        _draw_shapes(chart, shapes[here], verdict, 5 + rank * 0.1)
        places[here] = _draw_markers(chart, shapes[here], verdict, 6 + rank * 0.1)
        count = int((verdicts == verdict).sum())
        label = words("picture", "site_count", title=words("verdict", verdict), count=count)
        style = {"marker": MARKERS[verdict], "color": VERDICT_COLOURS[verdict], "markersize": 5}
        entries.append(Entry(label, "marker", {**style, "markeredgecolor": "white", "markeredgewidth": 0.4}))
    rank_of = {verdict: rank for rank, verdict in enumerate(_ORDER)}
    order = sorted(np.flatnonzero(seen), key=lambda i: -rank_of.get(str(verdicts[i]), -1))
    lost = len(order) - _draw_labels(chart, order, places)
    more = []
    if (there & ~seen).any():
        more.append(words("picture", "off_map", count=int((there & ~seen).sum())))
    if lost:
        more.append(words("paper", "unlabelled", count=lost))
    return entries[::-1], more


def _draw_shapes(chart: Chart, shapes: Geometries, verdict: str, zorder: float) -> None:
    colour = VERDICT_COLOURS[verdict]
    tint = (*matplotlib.colors.to_rgb(colour), 0.5)
    chart.draw(shapes, 2, zorder, facecolor=tint, edgecolor=colour, linewidth=0.8)
    chart.draw(shapes, 1, zorder - 0.6, edgecolor="white", linewidth=2.6)
    chart.draw(shapes, 1, zorder, edgecolor=colour, linewidth=1.5)


def _draw_markers(chart: Chart, shapes: Geometries, verdict: str, zorder: float) -> Any:
    """Draw markers on small sites; return a point in each site for its label."""
    if not len(shapes):
        return np.zeros((0, 2))
    places = np.array([_label_point(shape) for shape in shapes])
    bounds = shapely.bounds(shapes)
    size = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]) / chart.frame.m_per_mm
    lines = shapely.get_dimensions(shapes) == 1
    # A wind farm has many small parts: the site gets one marker if even its largest part is small.
    part_mm = np.array([_largest_mm(chart, shape) for shape in shapes])
    small = (np.where(lines, size, part_mm) < _SMALL_MM) & ~(lines & (size >= _SMALL_MM))
    if small.any():
        colour = VERDICT_COLOURS[verdict]
        style: dict[str, Any] = {"s": 24, "color": colour, "marker": MARKERS[verdict], "edgecolor": "white"}
        chart.axes.scatter(*places[small].T, **style, linewidth=0.5, zorder=zorder)
    x, y = chart.mm(places[:, 0], places[:, 1])
    chart.labels.avoid(Box(a - 1.1, b - 1.1, a + 1.1, b + 1.1) for a, b in zip(x, y, strict=True))
    if lines.any():
        chart.avoid_along(shapes[lines])
    return places


def _label_point(shape: Any) -> tuple[float, float]:
    """Return the point at which a site is labelled: the middle of its longest line, or inside its largest polygon."""
    for dimension in (2, 1, 0):
        parts, _ = of_dimension([shape], dimension)
        if len(parts):
            break
    largest = parts[int(np.argmax(shapely.area(parts) + shapely.length(parts)))]
    middle = partial(shapely.line_interpolate_point, distance=0.5, normalized=True)
    point: Any = (middle if dimension == 1 else shapely.point_on_surface)(largest)
    return (point.x, point.y)


def _largest_mm(chart: Chart, shape: Any) -> float:
    bounds = shapely.bounds(shapely.get_parts(shape))
    sides = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1])
    return float(sides.max(initial=0.0) / chart.frame.m_per_mm)


def _draw_labels(chart: Chart, order: list[Any], places: Any) -> int:
    """Write the ids of the sites in this order; return how many were placed."""
    ids = chart.texts.report.sites["id"].to_numpy()
    done = 0
    for i in order[:_MAX_LABELS]:
        label = shortened(printable(text(ids[i])), 16.0, 6.4)
        style = {"size": 6.4, "color": "black"}
        done += chart.write_label(label, [tuple(places[i])], style=style, reach_mm=22.0)
    return done
