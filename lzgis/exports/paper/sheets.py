"""The sheets: the overview of all sites and the detail map of one site, with everything around the map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lzgis.coordinates.gauss_kruger import UtmZone, Zone
from lzgis.exports.fonts import printable
from lzgis.exports.paper.base_layers import draw_base_layers, draw_named_features, draw_names, draw_seats
from lzgis.exports.paper.chart import Chart, zone_of_map
from lzgis.exports.paper.conflicts import draw_conflicts, draw_site, draw_unchecked, label_conflicts
from lzgis.exports.paper.corridors import bands_of, draw_bands, draw_distances, label_bands
from lzgis.exports.paper.frame import Frame
from lzgis.exports.paper.grid import draw_grid, draw_neat_lines, draw_north_arrow, draw_scale_bar
from lzgis.exports.paper.labels import Labels
from lzgis.exports.paper.layout import EDGE_MM, PaperSheet, Rect, SheetLayout, frame_at, lay_out, round_scale
from lzgis.exports.paper.legend import Entry, draw_legend, legend_height
from lzgis.exports.paper.mapped_site import MappedSite
from lzgis.exports.paper.margins import (
    FOOT_LINE_MM,
    draw_findings,
    draw_foot,
    draw_inset,
    draw_site_list,
    draw_title,
    draw_verdict,
    foot_lines,
)
from lzgis.exports.paper.neighbours import draw_neighbours
from lzgis.exports.paper.overview_sites import draw_sites
from lzgis.exports.paper.sheet_parts import (
    MOST_LABELS,
    draw_boxes,
    draw_index,
    draw_joins,
    frames_of,
    on_sheet,
)
from lzgis.exports.report_text import ReportText, number, text
from lzgis.model.report import Report, State

#: Share of the map that a site fills at most, also for a site longer than `_FAR_M`; and the denominators of the largest
#: scales for points (0), lines (1) and polygons (2).
_FILL, _FILL_FAR = 0.62, 0.9
_FAR_M = 3000.0
_LARGEST_SCALES = {0: 10_000, 1: 5_000, 2: 2_000}


def overview_sheet(texts: ReportText, sheet: PaperSheet) -> Figure:
    """Draw the city and all sites on one sheet."""
    bounds = city_bounds(texts.report)
    zone = zone_of_map(texts, (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)
    around = projected_bounds(zone, bounds)
    notes = sheet_notes(texts, zone, ["x"] * 2, sheet)
    layout = lay_out(sheet, foot_height(notes, sheet), around)
    figure, page = page_of_size(layout.width, layout.height)
    inner = (layout.chart.width - 4, layout.chart.height - 4)
    centre = ((around[0] + around[2]) / 2, (around[1] + around[3]) / 2)
    frame = frame_at(centre, round_scale(around, inner), (layout.chart.width, layout.chart.height))
    chart = chart_in(figure, layout.chart, frame, (zone, texts), size_mm=(layout.width, layout.height))
    layers, notes = draw_base_layers(chart)
    _draw_furniture(chart, page, layout.chart, city_shapes(texts, zone))
    sites, more = draw_sites(chart)
    seats = draw_seats(chart)
    draw_names(chart, ("townships", "rivers", "protected_areas"))
    more += [*notes, *draw_neighbours(chart)]
    draw_title(page, texts, printable(texts.words("picture", "title", city=texts.city)), title_rect(layout))
    _draw_beside_overview(page, texts, layout, [*sites, *seats, *layers])
    _foot(page, texts, (zone, sheet), layout, more)
    return figure


def _draw_beside_overview(page: Axes, texts: ReportText, layout: SheetLayout, entries: list[Entry]) -> None:
    """Draw legend and list of sites beside the overview, or below it."""
    first, last = layout.columns[0], layout.columns[-1]
    title = texts.words("picture", "legend")
    columns = 2 if first.width > 66 else 1
    if first is not last:
        draw_legend(page, entries, title, last[:4], columns)
        draw_site_list(page, texts, first)
        return
    high = min(legend_height(entries, columns), first.height * 0.5)
    draw_legend(page, entries, title, (first.left, first.top - high, first.width, high), columns)
    draw_site_list(page, texts, Rect(first.left, first.bottom, first.width, first.height - high - 3))


def sheet_count(texts: ReportText, site: MappedSite, sheet: PaperSheet) -> int:
    """Return how many sheets a site gets besides the map of the whole: none if that map can be read."""
    zone, layout = _detail_layout(texts, site, sheet)
    return len(_frames(site, zone, site_frame(site, zone, (layout.chart.width, layout.chart.height))))


def _detail_layout(texts: ReportText, site: MappedSite, sheet: PaperSheet) -> tuple[Zone, SheetLayout]:
    zone = zone_of_map(texts, *shapely.get_coordinates(shapely.centroid(site.geometry))[0])
    # Notes on what is not drawn are known only after drawing: a line is reserved for them.
    notes = sheet_notes(texts, zone, ["　".join(["x" * 30] * 6)], sheet)
    return zone, lay_out(sheet, foot_height(notes, sheet))


def _frames(site: MappedSite, zone: Zone, whole: Frame) -> tuple[Frame, ...]:
    return frames_of(site, zone, whole, least=_LARGEST_SCALES[max(int(shapely.get_dimensions(site.geometry)), 0)])


def detail_sheet(texts: ReportText, site: MappedSite, sheet: PaperSheet, part: int = 0) -> Figure:
    """Draw a site with its conflicts, bands, distances and findings on one sheet.

    The map of a long or split site has the boxes of its sheets; `part` is the number of one of them, from 1.
    """
    zone, layout = _detail_layout(texts, site, sheet)
    figure, page = page_of_size(layout.width, layout.height)
    whole = site_frame(site, zone, (layout.chart.width, layout.chart.height))
    frames = _frames(site, zone, whole)
    frame = frames[part - 1] if part else whole
    shown = on_sheet(site, zone, frame) if part else site
    chart = chart_in(figure, layout.chart, frame, (zone, texts), size_mm=(layout.width, layout.height))
    if part:
        draw_joins(chart, frames, part, site)
    entries, more = draw_detail(chart, shown, boxes=() if part else frames)
    draw_grid_and_lines(chart, page, layout.chart)
    draw_title(page, texts, printable(_detail_title(texts, site, part, len(frames))), title_rect(layout))
    _draw_beside_detail(page, (texts, shown), layout, entries, chart, frames)
    _foot(page, texts, (zone, sheet), layout, more)
    return figure


def _detail_title(texts: ReportText, site: MappedSite, part: int, count: int) -> str:
    title = texts.words("paper", "detail_title", site=site.name or site.site_id)
    return texts.words("paper", "sheet_title", title=title, number=part, count=count) if part else title


def _draw_beside_detail(
    page: Axes,
    about: tuple[ReportText, MappedSite],
    layout: SheetLayout,
    entries: list[Entry],
    chart: Chart,
    frames: tuple[Frame, ...],
) -> None:
    """Draw verdict, inset, findings and legend beside the map, or below it."""
    texts, site = about
    index = bool(frames) and chart.frame not in frames
    first, last = layout.columns[0], layout.columns[-1]
    beside = first is last
    columns = 2
    legend = min(legend_height(entries, columns), last.height * (0.36 if beside else 0.5))
    top = first.top - draw_verdict(page, texts, site, first)
    deep = (38.0 if len(site.conflicts) > 6 else 44.0) if beside else min(last.height - legend - 3, 66.0)
    inset = Rect(last.left, (top if beside else last.top) - deep, last.width, deep)
    # The map of the whole shows where in the city the sheets lie: the room is for their list.
    high = 0.0 if index else draw_inset(page, texts, chart.zone, inset, chart.frame, frames)
    low = last.bottom if beside else last.top - (high + 3 if high else 0) - legend
    draw_legend(page, entries, texts.words("picture", "legend"), (last.left, low, last.width, legend), columns)
    if beside:
        top -= high + (3.0 if high else 0.0)
    low = first.bottom + (legend + 2 if beside else 0)
    if index:
        top -= draw_index(page, texts, (site, chart.zone), frames, Rect(first.left, low, first.width, top - low))
    draw_findings(page, texts, site, Rect(first.left, low, first.width, top - low))


def draw_detail(
    chart: Chart, site: MappedSite, *, boxes: Sequence[Frame] = (), names: Sequence[str] = ()
) -> tuple[list[Entry], list[str]]:
    """Draw everything inside the neat line of a detail map; return legend lines and notes.

    `boxes` are the frames of sheets or insets, `names` what is written on them, by default their numbers.
    """
    words = chart.texts.words
    layers, notes = draw_base_layers(chart)
    met: dict[str, list[str]] = {}
    for finding in site.conflicts:
        if text(finding["feature_id"]):
            met.setdefault(text(finding["layer"]), []).append(text(finding["feature_id"]))
    layers = [*draw_named_features(chart, met), *draw_seats(chart), *layers]
    bands = bands_of(chart, site)
    tinted, more = draw_bands(chart, bands)
    shape = chart.zone.project([site.geometry])
    draw_scale_bar(chart, shape)
    draw_north_arrow(chart)
    site_entry = draw_site(chart, site)
    conflicts = draw_conflicts(chart, site)
    unchecked = draw_unchecked(chart, site)
    if boxes:
        draw_boxes(chart, tuple(boxes), list(names) or [str(number) for number in range(1, len(boxes) + 1)], shape)
    distances, labels = draw_distances(chart, site)
    # Of many conflicts the labels would cover the map; the sheets have them.
    lost = 0 if boxes and len(site.conflicts) > MOST_LABELS else label_conflicts(chart, site)
    for write in labels:
        write()
    label_bands(chart, bands)
    draw_names(chart)
    notes += draw_neighbours(chart)
    if lost:
        more.append(words("paper", "unlabelled_conflicts", count=lost))
    return [site_entry, *conflicts, *unchecked, *tinted, *distances, *layers], [*more, *notes]


def site_frame(site: MappedSite, zone: Zone, size_mm: tuple[float, float]) -> Frame:
    """Return the frame of a detail map: the site with its surroundings, and the nearest constraint if it is near."""
    shape = zone.project([site.geometry])[0]
    west, south, east, north = shape.bounds
    dimension = int(shapely.get_dimensions(shape))
    least = _LARGEST_SCALES[max(dimension, 0)]
    # A site kilometres long has its surroundings on both sides; others need them all around.
    fill = _FILL_FAR if max(east - west, north - south) > _FAR_M else _FILL
    rect = (size_mm[0] * fill, size_mm[1] * fill)
    scale = round_scale((west, south, east, north), rect, least=least)
    centre = ((west + east) / 2, (south + north) / 2)
    near = number(site.verdict.get("nearest_m"))
    if near is not None and not site.conflicts and site.of_state(State.CLEAR):
        wider = round_scale((west - near, south - near, east + near, north + near), size_mm, least=least)
        scale = wider if wider <= 5 * scale else scale
    return frame_at(centre, scale, size_mm)


def chart_in(
    figure: Figure, rect: Rect, frame: Frame, known: tuple[Zone, ReportText], *, size_mm: tuple[float, float]
) -> Chart:
    """Return the chart of a map in a rectangle of the sheet."""
    width, height = size_mm
    axes = figure.add_axes(
        (rect.left / width, rect.bottom / height, rect.width / width, rect.height / height),
        xlim=(frame.west, frame.east),
        ylim=(frame.south, frame.north),
        xticks=[],
        yticks=[],
    )
    return Chart(axes, frame, *known, Labels(frame.width_mm, frame.height_mm))


def _draw_furniture(chart: Chart, page: Axes, rect: Rect, city: npt.NDArray[np.object_]) -> None:
    draw_scale_bar(chart, city)
    draw_north_arrow(chart)
    draw_grid_and_lines(chart, page, rect)


def draw_grid_and_lines(chart: Chart, page: Axes, rect: Rect) -> None:
    """Draw the coordinates around the map and its neat lines."""
    draw_grid(chart, page, rect)
    draw_neat_lines(page, rect)


def page_of_size(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure of a size with axes over all of it, in millimetres."""
    figure = Figure(figsize=(width / 25.4, height / 25.4), facecolor="white")
    page = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0, width), ylim=(0, height), autoscale_on=False)
    page.set_axis_off()
    return figure, page


def sheet_notes(texts: ReportText, zone: Zone, more: list[str], sheet: PaperSheet) -> list[str]:
    """Return the notes at the foot of a sheet, with `more` behind the standing ones."""
    return foot_lines(texts, crs_of(texts, zone), more, sheet.size_mm[0] - 2 * EDGE_MM - 1)


def crs_of(texts: ReportText, zone: Zone) -> str:
    """Describe the reference system of a map: datum, projection, zone, and how the grid is written."""
    code = f"EPSG:{zone.epsg}" if zone.epsg else "—"
    key = "crs_utm" if isinstance(zone, UtmZone) else "crs"
    return texts.words("paper", key, zone=zone.name, meridian=zone.meridian_deg, code=code)


def foot_height(notes: list[str], sheet: PaperSheet) -> float:
    """Return the height of the notes at the foot, in millimetres."""
    return FOOT_LINE_MM * len(notes) + (4.0 if sheet.map_number else 0.5)


def _foot(page: Axes, texts: ReportText, known: tuple[Zone, PaperSheet], layout: SheetLayout, more: list[str]) -> None:
    zone, sheet = known
    notes = sheet_notes(texts, zone, more, sheet)
    mark = texts.words("paper", "map_number", number=sheet.map_number) if sheet.map_number else ""
    draw_foot(page, notes, (layout.foot.left, layout.foot.top, layout.foot.width), mark)


def title_rect(layout: SheetLayout) -> tuple[float, float, float]:
    """Return left edge, width and upper edge of the title, in millimetres."""
    return (EDGE_MM, layout.width - 2 * EDGE_MM, layout.height - EDGE_MM + 2.5)


def city_bounds(report: Report) -> tuple[float, float, float, float]:
    """Return the bounds of an overview in degrees: of the city, or without an outline of its layers, or of the sites."""
    outline = report.layers.get(report.city.outline)
    frames = [layer.frame for layer in ([outline] if outline else report.layers.values())]
    found = [f.total_bounds for f in (*frames, report.sites) if len(f) and np.isfinite(f.total_bounds).all()]
    if not found:
        return (0.0, 0.0, 1.0, 1.0)
    every = np.array(found[:1] if outline else found[: len(frames)] or found)
    (west, south), (east, north) = every[:, :2].min(axis=0), every[:, 2:].max(axis=0)
    return (float(west), float(south), float(east), float(north))


def city_shapes(texts: ReportText, zone: Zone) -> npt.NDArray[np.object_]:
    """Return the outline of the city in the plane; empty if it has none."""
    outline = texts.report.layers.get(texts.report.city.outline)
    return zone.project(outline.frame.geometry.to_numpy()) if outline is not None else np.zeros(0, dtype=object)


def projected_bounds(zone: Zone, bounds: tuple[float, float, float, float]) -> npt.NDArray[np.float64]:
    """Return the bounds in the plane of bounds in degrees."""
    edge: Any = shapely.box(*bounds).segmentize(0.05)
    return np.asarray(shapely.total_bounds(zone.project([edge])), dtype=float)
