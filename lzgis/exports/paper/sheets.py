"""The finished sheets: overview of a batch, detail of a site, and the small maps for documents."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lzgis.coordinates.gauss_kruger import Zone, zone_around
from lzgis.exports.fonts import printable
from lzgis.exports.paper.base_layers import draw_ground, draw_names
from lzgis.exports.paper.chart import Chart
from lzgis.exports.paper.conflicts import draw_conflicts, draw_site, draw_unchecked, label_conflicts
from lzgis.exports.paper.corridors import bands_of, draw_bands, label_bands
from lzgis.exports.paper.distances import draw_distances
from lzgis.exports.paper.frame import Frame
from lzgis.exports.paper.grid import draw_grid, draw_neat_lines, draw_north_arrow, draw_scale_bar
from lzgis.exports.paper.labels import Labels
from lzgis.exports.paper.layout import EDGE_MM, Room, Rooms, Sheet, frame_at, rooms_of, round_scale
from lzgis.exports.paper.legend import (
    FOOT_LINE_MM,
    Entry,
    draw_foot,
    draw_heads,
    draw_legend,
    foot_lines,
    legend_height,
)
from lzgis.exports.paper.mapped_site import Subject
from lzgis.exports.paper.margins import draw_findings, draw_inset, draw_site_list, draw_verdict
from lzgis.exports.paper.overview_sites import draw_batch
from lzgis.exports.report_text import ReportText, number
from lzgis.model.report import Report, State

#: How much of the map a site may fill, and the largest scale that its surroundings can bear.
_FILL, _FILL_FAR = 0.62, 0.9
_FAR_M = 3000.0
_LARGEST = {0: 10_000, 1: 5_000, 2: 2_000}


def overview_sheet(texts: ReportText, sheet: Sheet) -> Figure:
    """Draw the city and every site of the batch on one sheet."""
    bounds = city_bounds(texts.report)
    zone = zone_around((bounds[0] + bounds[2]) / 2)
    around = projected_bounds(zone, bounds)
    notes = _notes(texts, zone, ["x"] * 2, sheet)
    rooms = rooms_of(sheet, _foot_mm(notes, sheet), around)
    figure, page = _page(rooms.width, rooms.height)
    inner = (rooms.chart.width - 4, rooms.chart.height - 4)
    centre = ((around[0] + around[2]) / 2, (around[1] + around[3]) / 2)
    frame = frame_at(centre, round_scale(around, inner), (rooms.chart.width, rooms.chart.height))
    chart = chart_in(figure, rooms.chart, frame, (zone, texts), size_mm=(rooms.width, rooms.height))
    layers, notes = draw_ground(chart)
    _furnish(chart, page, rooms.chart)
    sites, more = draw_batch(chart)
    draw_names(chart, ("townships", "rivers", "protected_areas"))
    more += notes
    draw_heads(page, texts, printable(texts.words("picture", "title", city=texts.city)), _head(rooms))
    _beside(page, texts, rooms, [*sites, *layers])
    _foot(page, texts, (zone, sheet), rooms, more)
    return figure


def _beside(page: Axes, texts: ReportText, rooms: Rooms, entries: list[Entry]) -> None:
    """Put legend and list of sites beside the overview, or below it."""
    first, last = rooms.columns[0], rooms.columns[-1]
    title = texts.words("picture", "legend")
    columns = 2 if first.width > 66 else 1
    if first is not last:
        draw_legend(page, entries, title, last[:4], columns)
        draw_site_list(page, texts, first)
        return
    high = min(legend_height(entries, columns), first.height * 0.5)
    draw_legend(page, entries, title, (first.left, first.top - high, first.width, high), columns)
    draw_site_list(page, texts, Room(first.left, first.bottom, first.width, first.height - high - 3))


def detail_sheet(texts: ReportText, subject: Subject, sheet: Sheet) -> Figure:
    """Draw a site with its conflicts, bands, distances and findings on one sheet."""
    zone = zone_around(shapely.centroid(subject.geometry).x)
    # What is left out or lies around the map is known only when it is drawn: room for a line of it.
    notes = _notes(texts, zone, ["　".join(["x" * 30] * 6)], sheet)
    rooms = rooms_of(sheet, _foot_mm(notes, sheet))
    figure, page = _page(rooms.width, rooms.height)
    frame = site_frame(texts, subject, zone, (rooms.chart.width, rooms.chart.height))
    chart = chart_in(figure, rooms.chart, frame, (zone, texts), size_mm=(rooms.width, rooms.height))
    entries, more = draw_detail(chart, subject)
    _furnish_neatly(chart, page, rooms.chart)
    title = texts.words("paper", "detail_title", site=subject.name or subject.site_id)
    draw_heads(page, texts, printable(title), _head(rooms))
    _tell(page, (texts, subject), rooms, entries, chart)
    _foot(page, texts, (zone, sheet), rooms, more)
    return figure


def _tell(page: Axes, about: tuple[ReportText, Subject], rooms: Rooms, entries: list[Entry], chart: Chart) -> None:
    """Put verdict, inset, findings and legend beside the map, or below it."""
    texts, subject = about
    first, last = rooms.columns[0], rooms.columns[-1]
    beside = first is last
    columns = 2
    legend = min(legend_height(entries, columns), last.height * (0.36 if beside else 0.5))
    top = first.top - draw_verdict(page, texts, subject, first)
    deep = (38.0 if len(subject.conflicts) > 6 else 44.0) if beside else min(last.height - legend - 3, 66.0)
    inset = Room(last.left, (top if beside else last.top) - deep, last.width, deep)
    high = draw_inset(page, texts, chart.zone, inset, chart.frame)
    low = last.bottom if beside else last.top - (high + 3 if high else 0) - legend
    draw_legend(page, entries, texts.words("picture", "legend"), (last.left, low, last.width, legend), columns)
    if beside:
        top -= high + (3.0 if high else 0.0)
    low = first.bottom + (legend + 2 if beside else 0)
    draw_findings(page, texts, subject, Room(first.left, low, first.width, top - low))


def draw_detail(chart: Chart, subject: Subject) -> tuple[list[Entry], list[str]]:
    """Draw all that a detail map shows inside its neat line; return legend and notes."""
    words = chart.texts.words
    layers, notes = draw_ground(chart)
    bands = bands_of(chart, subject)
    tinted, more = draw_bands(chart, bands)
    draw_scale_bar(chart)
    draw_north_arrow(chart)
    site = draw_site(chart, subject)
    conflicts = draw_conflicts(chart, subject)
    unchecked = draw_unchecked(chart, subject)
    distances, waiting = draw_distances(chart, subject)
    lost = label_conflicts(chart, subject)
    for write in waiting:
        write()
    label_bands(chart, bands)
    draw_names(chart)
    if lost:
        more.append(words("paper", "unlabelled_conflicts", count=lost))
    return [site, *conflicts, *unchecked, *tinted, *distances, *layers], [*more, *notes]


def site_frame(texts: ReportText, subject: Subject, zone: Zone, room_mm: tuple[float, float]) -> Frame:
    """Choose scale and frame: the site with its surroundings, and the nearest constraint if that is not far."""
    site = zone.project([subject.geometry])[0]
    west, south, east, north = site.bounds
    dimension = int(shapely.get_dimensions(site))
    least = _LARGEST[max(dimension, 0)]
    # What is kilometres long has its surroundings on both sides; the rest needs them all around.
    fill = _FILL_FAR if max(east - west, north - south) > _FAR_M else _FILL
    room = (room_mm[0] * fill, room_mm[1] * fill)
    scale = round_scale((west, south, east, north), room, least=least)
    centre = ((west + east) / 2, (south + north) / 2)
    near = number(subject.verdict.get("nearest_m"))
    if near is not None and not subject.conflicts and subject.of_state(State.CLEAR):
        wider = round_scale((west - near, south - near, east + near, north + near), room_mm, least=least)
        scale = wider if wider <= 5 * scale else scale
    return frame_at(centre, scale, room_mm)


def chart_in(
    figure: Figure, room: Room, frame: Frame, known: tuple[Zone, ReportText], *, size_mm: tuple[float, float]
) -> Chart:
    """Make the axes of a map in a room of the sheet."""
    width, height = size_mm
    axes = figure.add_axes(
        (room.left / width, room.bottom / height, room.width / width, room.height / height),
        xlim=(frame.west, frame.east),
        ylim=(frame.south, frame.north),
        xticks=[],
        yticks=[],
    )
    return Chart(axes, frame, *known, Labels(frame.width_mm, frame.height_mm))


def _furnish(chart: Chart, page: Axes, room: Room) -> None:
    draw_scale_bar(chart)
    draw_north_arrow(chart)
    _furnish_neatly(chart, page, room)


def _furnish_neatly(chart: Chart, page: Axes, room: Room) -> None:
    draw_grid(chart, page, room)
    draw_neat_lines(page, room)


def _page(width: float, height: float) -> tuple[Figure, Axes]:
    """Make a sheet with axes over all of it, in millimetres."""
    figure = Figure(figsize=(width / 25.4, height / 25.4), facecolor="white")
    page = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0, width), ylim=(0, height), autoscale_on=False)
    page.set_axis_off()
    return figure, page


def _notes(texts: ReportText, zone: Zone, more: list[str], sheet: Sheet) -> list[str]:
    return foot_lines(texts, crs_of(texts, zone), more, sheet.size_mm[0] - 2 * EDGE_MM - 1)


def crs_of(texts: ReportText, zone: Zone) -> str:
    """Name the reference system of a map: datum, projection, zone, and how the grid is written."""
    code = f"EPSG:{zone.epsg}" if zone.epsg else "—"
    return texts.words("paper", "crs", zone=zone.number, meridian=zone.meridian_deg, code=code)


def _foot_mm(notes: list[str], sheet: Sheet) -> float:
    return FOOT_LINE_MM * len(notes) + (4.0 if sheet.map_number else 0.5)


def _foot(page: Axes, texts: ReportText, known: tuple[Zone, Sheet], rooms: Rooms, more: list[str]) -> None:
    zone, sheet = known
    notes = _notes(texts, zone, more, sheet)
    mark = texts.words("paper", "map_number", number=sheet.map_number) if sheet.map_number else ""
    draw_foot(page, notes, (rooms.foot.left, rooms.foot.top, rooms.foot.width), mark)


def _head(rooms: Rooms) -> tuple[float, float, float]:
    return (EDGE_MM, rooms.width - 2 * EDGE_MM, rooms.height - EDGE_MM + 2.5)


def city_bounds(report: Report) -> tuple[float, float, float, float]:
    """Bounds of what an overview is about: the city, or without an outline its layers, or the sites."""
    outline = report.layers.get(report.city.outline)
    frames = [layer.frame for layer in ([outline] if outline else report.layers.values())]
    found = [f.total_bounds for f in (*frames, report.sites) if len(f) and np.isfinite(f.total_bounds).all()]
    if not found:
        return (0.0, 0.0, 1.0, 1.0)
    every = np.array(found[:1] if outline else found[: len(frames)] or found)
    (west, south), (east, north) = every[:, :2].min(axis=0), every[:, 2:].max(axis=0)
    return (float(west), float(south), float(east), float(north))


def projected_bounds(zone: Zone, bounds: tuple[float, float, float, float]) -> npt.NDArray[np.float64]:
    """Bounds in the plane of bounds in degrees."""
    edge: Any = shapely.box(*bounds).segmentize(0.05)
    return np.asarray(shapely.total_bounds(zone.project([edge])), dtype=float)
