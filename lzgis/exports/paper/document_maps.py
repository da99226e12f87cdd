"""The maps that a document takes in: without title and foot, which the document has itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lzgis.coordinates.gauss_kruger import Zone, zone_around
from lzgis.exports.fonts import font, printable, shortened
from lzgis.exports.paper.base_layers import draw_ground, draw_names
from lzgis.exports.paper.chart import Chart
from lzgis.exports.paper.grid import draw_grid, draw_neat_lines, draw_north_arrow, draw_scale_bar
from lzgis.exports.paper.layout import STRIP_MM, Room, frame_at, round_scale
from lzgis.exports.paper.legend import Entry, draw_legend
from lzgis.exports.paper.mapped_site import Subject
from lzgis.exports.paper.sheets import chart_in, city_bounds, draw_detail, projected_bounds, site_frame
from lzgis.exports.report_text import VERDICT_COLOURS, ReportText, text

_LEGEND_MM = 40.0
#: What helps to find a place in the city.
_CONTEXT = ("townships", "redline", "rivers", "reservoirs", "river_centrelines", "roads")
_NOTE_MM = 3.6


def location_figure(texts: ReportText, subject: Subject, size_mm: tuple[float, float]) -> Figure:
    """Draw the city and, in it, the site."""
    bounds = city_bounds(texts.report)
    here = subject.geometry.bounds
    # A site outside the city is shown as well.
    around = (*np.minimum(bounds[:2], here[:2]), *np.maximum(bounds[2:], here[2:]))
    zone = zone_around((bounds[0] + bounds[2]) / 2)
    west, south, east, north = projected_bounds(zone, tuple(float(v) for v in around))  # type: ignore[arg-type]
    room = room_in(size_mm)
    scale = round_scale((west, south, east, north), (room.width - 2, room.height - 2))
    frame = frame_at(((west + east) / 2, (south + north) / 2), scale, (room.width, room.height))
    figure, page, chart = start(texts, zone, size_mm, (room, frame))
    layers, _ = draw_ground(chart, _CONTEXT)
    draw_scale_bar(chart)
    draw_north_arrow(chart)
    entry = draw_place(chart, subject)
    draw_names(chart, ("townships", "rivers"))
    finish(page, chart, room, size_mm, [entry, *layers])
    return figure


def draw_place(chart: Chart, subject: Subject) -> Entry:
    """Draw the site as it is, and a sign on it, for it is small; its id beside."""
    colour = VERDICT_COLOURS.get(text(subject.verdict.get("verdict")), "black")
    shape = chart.zone.project([subject.geometry])
    chart.draw(shape, 1, 6.0, edgecolor="white", linewidth=3.2)
    chart.draw(shape, 1, 6.1, edgecolor=colour, linewidth=1.9)
    chart.draw(shape, 2, 6.1, facecolor=colour, edgecolor=colour, linewidth=1.0)
    point = shapely.point_on_surface(shape[0])
    sign: dict[str, Any] = {"marker": "*", "color": colour}
    if shapely.get_dimensions(shape[0]) != 1:
        chart.axes.scatter(point.x, point.y, s=120, **sign, edgecolor="white", linewidth=0.8, zorder=7)
    label = shortened(printable(subject.name or subject.site_id), 46.0, 7.5)
    chart.avoid_along(shape)
    chart.name(label, [(point.x, point.y)], look={"size": 7.5, "color": "black", "edge": colour}, reach_mm=20.0)
    return Entry(chart.texts.words("paper", "place"), "marker", {**sign, "markersize": 8})


def detail_figure(texts: ReportText, subject: Subject, size_mm: tuple[float, float]) -> Figure:
    """Draw the site with its conflicts, bands and distances."""
    zone = zone_around(shapely.centroid(subject.geometry).x)
    room = room_in(size_mm)
    frame = site_frame(texts, subject, zone, (room.width, room.height))
    figure, page, chart = start(texts, zone, size_mm, (room, frame))
    entries, _ = draw_detail(chart, subject)
    finish(page, chart, room, size_mm, entries)
    return figure


def room_in(size_mm: tuple[float, float]) -> Room:
    """Give the map its room, with the legend beside it and a note below."""
    width, height = size_mm
    edge = STRIP_MM + 0.8
    return Room(edge, edge + _NOTE_MM, width - 2 * edge - _LEGEND_MM - 2, height - 2 * edge - _NOTE_MM)


def start(texts: ReportText, zone: Zone, size_mm: tuple[float, float], known: Any) -> tuple[Figure, Axes, Chart]:
    """Make the page and the map on it."""
    width, height = size_mm
    figure = Figure(figsize=(width / 25.4, height / 25.4), facecolor="white")
    page = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0, width), ylim=(0, height), autoscale_on=False)
    page.set_axis_off()
    room, frame = known
    return figure, page, chart_in(figure, room, frame, (zone, texts), size_mm=size_mm)


def finish(page: Axes, chart: Chart, room: Room, size_mm: tuple[float, float], entries: list[Entry]) -> None:
    """Draw what stands around the map."""
    draw_grid(chart, page, room)
    draw_neat_lines(page, room)
    texts = chart.texts
    title = texts.words("picture", "legend")
    left = room.left + room.width + STRIP_MM + 2
    place = (left, room.bottom - STRIP_MM, size_mm[0] - left - 0.5, room.height + 2 * STRIP_MM)
    draw_legend(page, entries, title, place)
    zone, as_of = chart.zone, texts.report.provenance.as_of.isoformat()
    code = f"EPSG:{zone.epsg}" if zone.epsg else "CGCS2000"
    notes = [texts.notice, texts.words("paper", "crs_short", zone=zone.number, code=code, as_of=as_of)]
    line = shortened(printable("　".join(note for note in notes if note)), size_mm[0] - 2, 5.6)
    page.text(0.8, 0.9, line, va="bottom", fontproperties=font(5.6), color="#333333")
