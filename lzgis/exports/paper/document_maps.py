"""The small maps in documents: a site in the city, and a site with its conflicts; without title and foot."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lzgis.coordinates.gauss_kruger import UtmZone, Zone
from lzgis.exports.fonts import font, printable, shortened
from lzgis.exports.paper.base_layers import draw_base_layers, draw_names
from lzgis.exports.paper.chart import Chart, zone_of_map
from lzgis.exports.paper.frame import Frame
from lzgis.exports.paper.grid import draw_grid, draw_neat_lines, draw_north_arrow, draw_scale_bar
from lzgis.exports.paper.layout import STRIP_MM, Rect, frame_at, round_scale
from lzgis.exports.paper.legend import Entry, draw_legend
from lzgis.exports.paper.mapped_site import MappedSite
from lzgis.exports.paper.neighbours import draw_neighbours
from lzgis.exports.paper.sheet_parts import inset_frames, on_sheet
from lzgis.exports.paper.sheets import (
    chart_in,
    city_bounds,
    city_shapes,
    draw_detail,
    page_of_size,
    projected_bounds,
    site_frame,
)
from lzgis.exports.report_text import ReportText, text
from lzgis.exports.symbology import VERDICT_COLOURS

_LEGEND_MM = 40.0
#: Layers by which a reader finds a place in the city.
CONTEXT = ("townships", "rivers", "reservoirs", "river_centrelines", "roads")
#: The same for a map so small that more would hide the site.
SMALL_CONTEXT = ("townships", "rivers", "reservoirs")
_NOTE_MM = 3.6


def location_figure(texts: ReportText, site: MappedSite, size_mm: tuple[float, float]) -> Figure:
    """Draw the city with the site."""
    bounds = city_bounds(texts.report)
    here = site.geometry.bounds
    # The map is extended to a site outside the city.
    around = (*np.minimum(bounds[:2], here[:2]), *np.maximum(bounds[2:], here[2:]))
    zone = zone_of_map(texts, (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)
    west, south, east, north = projected_bounds(zone, tuple(float(v) for v in around))  # type: ignore[arg-type]
    rect = map_rect(size_mm)
    scale = round_scale((west, south, east, north), (rect.width - 2, rect.height - 2))
    frame = frame_at(((west + east) / 2, (south + north) / 2), scale, (rect.width, rect.height))
    figure, page, chart = start_map(texts, zone, size_mm, (rect, frame))
    layers, _ = draw_base_layers(chart, CONTEXT)
    draw_scale_bar(chart, [*zone.project([site.geometry]), *city_shapes(texts, zone)])
    draw_north_arrow(chart)
    entry = draw_site_in_city(chart, site)
    draw_names(chart, ("townships", "rivers"))
    draw_neighbours(chart)
    finish_map(page, chart, rect, size_mm, [entry, *layers])
    return figure


def draw_site_in_city(chart: Chart, site: MappedSite, *, named: bool = True) -> Entry:
    """Draw the shape of the site, a star on it because it is small, and its name if wanted; return its legend line."""
    colour = VERDICT_COLOURS.get(text(site.verdict.get("verdict")), "black")
    shape = chart.zone.project([site.geometry])
    chart.draw(shape, 1, 6.0, edgecolor="white", linewidth=3.2)
    chart.draw(shape, 1, 6.1, edgecolor=colour, linewidth=1.9)
    chart.draw(shape, 2, 6.1, facecolor=colour, edgecolor=colour, linewidth=1.0)
    point = shapely.point_on_surface(shape[0])
    is_line = bool(shapely.get_dimensions(shape[0]) == 1)
    if not is_line:
        star: dict[str, Any] = {"marker": "*", "color": colour, "edgecolor": "white", "linewidth": 0.8}
        chart.axes.scatter(point.x, point.y, s=120, **star, zorder=7)
    if named:
        label = shortened(printable(site.name or site.site_id), 46.0, 7.5)
        chart.avoid_along(shape)
        style = {"size": 7.5, "color": "black", "edge": colour}
        chart.write_label(label, [(point.x, point.y)], style=style, reach_mm=20.0)
    return place_entry(chart.texts, colour, is_line=is_line)


def place_entry(texts: ReportText, colour: str, *, is_line: bool) -> Entry:
    """Return the legend line of the site as it is drawn: a line, or a star."""
    if is_line:
        return Entry(texts.words("paper", "place"), "line", {"color": colour, "linewidth": 1.9})
    return Entry(texts.words("paper", "place"), "marker", {"marker": "*", "color": colour, "markersize": 8})


def insets_of(
    texts: ReportText, site: MappedSite, size_mm: tuple[float, float], below_mm: tuple[float, float]
) -> tuple[Frame, ...]:
    """Return the frames of the insets, on a picture of `below_mm`, of a site with a map of `size_mm`; none if it can be read."""
    zone = zone_of_map(texts, *shapely.get_coordinates(shapely.centroid(site.geometry))[0])
    rect = map_rect(size_mm)
    whole = site_frame(site, zone, (rect.width, rect.height))
    return inset_frames(site, zone, whole.scale, inset_size(below_mm), _INSETS[0] * _INSETS[1])


def detail_figure(
    texts: ReportText, site: MappedSite, size_mm: tuple[float, float], insets: tuple[Frame, ...] = ()
) -> Figure:
    """Draw the site with its conflicts, corridor bands and distances, and the frames of its insets."""
    zone = zone_of_map(texts, *shapely.get_coordinates(shapely.centroid(site.geometry))[0])
    rect = map_rect(size_mm)
    frame = site_frame(site, zone, (rect.width, rect.height))
    figure, page, chart = start_map(texts, zone, size_mm, (rect, frame))
    names = [texts.words("paper", "inset_name", letter=letter) for letter in LETTERS[: len(insets)]]
    entries, _ = draw_detail(chart, site, boxes=insets, names=names)
    finish_map(page, chart, rect, size_mm, entries)
    return figure


#: Insets side by side and below each other, the strip with their heading, and the gap between them, in millimetres.
_INSETS, _HEAD_MM, _APART_MM = (2, 3), 5.0, 3.0
LETTERS = "ABCDEF"


def inset_size(size_mm: tuple[float, float]) -> tuple[float, float]:
    """Return width and height of an inset on a picture of a size."""
    wide = (size_mm[0] - (_INSETS[0] - 1) * _APART_MM) / _INSETS[0] - 1
    return wide, (size_mm[1] - (_INSETS[1] - 1) * _APART_MM) / _INSETS[1] - _HEAD_MM - 1


def insets_figure(
    texts: ReportText, site: MappedSite, frames: tuple[Frame, ...], size_mm: tuple[float, float]
) -> Figure:
    """Draw the insets of a long or split site side by side, each with its letter and scale; symbols as on its map."""
    zone = zone_of_map(texts, *shapely.get_coordinates(shapely.centroid(site.geometry))[0])
    width, height = size_mm
    figure, page = page_of_size(width, height)
    wide, high = inset_size(size_mm)
    for place, frame in enumerate(frames):
        left = place % _INSETS[0] * (wide + 1 + _APART_MM) + 0.5
        top = height - place // _INSETS[0] * (high + 1 + _HEAD_MM + _APART_MM)
        rect = Rect(left, top - _HEAD_MM - high, wide, high)
        head = texts.words("paper", "inset_scale", letter=LETTERS[place], scale=frame.scale)
        page.text(left, top - 0.6, printable(head), va="top", fontproperties=font(8.2))
        chart = chart_in(figure, rect, frame, (zone, texts), size_mm=size_mm)
        draw_detail(chart, on_sheet(site, zone, frame))
        page.add_patch(Rectangle(rect[:2], wide, high, facecolor="none", edgecolor="black", linewidth=0.8, zorder=10))
    return figure


def map_rect(size_mm: tuple[float, float]) -> Rect:
    """Return the rectangle of the map, with the legend beside it and a note below."""
    width, height = size_mm
    edge = STRIP_MM + 0.8
    return Rect(edge, edge + _NOTE_MM, width - 2 * edge - _LEGEND_MM - 2, height - 2 * edge - _NOTE_MM)


def small_rect(size_mm: tuple[float, float]) -> Rect:
    """Return the rectangle of a map without legend, note and coordinates."""
    return Rect(1.0, 1.0, size_mm[0] - 2.0, size_mm[1] - 2.0)


def start_map(texts: ReportText, zone: Zone, size_mm: tuple[float, float], known: Any) -> tuple[Figure, Axes, Chart]:
    """Return the figure, its page in millimetres, and the chart of the map on it."""
    width, height = size_mm
    figure = Figure(figsize=(width / 25.4, height / 25.4), facecolor="white")
    page = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0, width), ylim=(0, height), autoscale_on=False)
    page.set_axis_off()
    rect, frame = known
    return figure, page, chart_in(figure, rect, frame, (zone, texts), size_mm=size_mm)


def finish_map(page: Axes, chart: Chart, rect: Rect, size_mm: tuple[float, float], entries: list[Entry]) -> None:
    """Draw grid, legend and note around the map."""
    draw_grid(chart, page, rect)
    draw_neat_lines(page, rect)
    texts = chart.texts
    title = texts.words("picture", "legend")
    left = rect.left + rect.width + STRIP_MM + 2
    place = (left, rect.bottom - STRIP_MM, size_mm[0] - left - 0.5, rect.height + 2 * STRIP_MM)
    draw_legend(page, entries, title, place)
    zone, as_of = chart.zone, texts.report.provenance.as_of.isoformat()
    code = f"EPSG:{zone.epsg}" if zone.epsg else "CGCS2000"
    key = "crs_utm_short" if isinstance(zone, UtmZone) else "crs_short"
    notes = [texts.notice, texts.words("paper", key, zone=zone.name, code=code, as_of=as_of)]
    line = shortened(printable(texts.code.shown("　".join(note for note in notes if note))), size_mm[0] - 2, 5.6)
    page.text(0.8, 0.9, line, va="bottom", fontproperties=font(5.6), color="#333333")
