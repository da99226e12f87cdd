"""The map of a comparison of two land covers: where land inside the redline was converted, and into what.

Patches are mostly smaller than a line at the scale of a city, so each has a circle whose area is in proportion to it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lzgis.city.catalogue import Catalogue
from lzgis.exports.fonts import font, printable, shortened, wrapped
from lzgis.exports.paper.base_layers import draw_base_layers, draw_names, draw_seats
from lzgis.exports.paper.chart import Chart, zone_of_map
from lzgis.exports.paper.grid import draw_north_arrow, draw_scale_bar
from lzgis.exports.paper.layout import PaperSheet, Rect, frame_at, lay_out, round_scale
from lzgis.exports.paper.legend import Entry, draw_heading, draw_legend, legend_height
from lzgis.exports.paper.margins import FOOT_LINE_MM, FOOT_PT, data_dates, draw_foot, draw_title
from lzgis.exports.paper.neighbours import draw_neighbours
from lzgis.exports.paper.rendering import save
from lzgis.exports.paper.sheets import (
    chart_in,
    city_bounds,
    crs_of,
    draw_grid_and_lines,
    page_of_size,
    projected_bounds,
    title_rect,
)
from lzgis.exports.report_text import ReportText
from lzgis.exports.rounding import numbers_of
from lzgis.exports.tables.rasters import class_titles, raster_provenance
from lzgis.model.deferred import DeferredTable
from lzgis.model.report import FINDING_COLUMNS, UNIT_LIST_COLUMNS, VERDICT_COLUMNS, Column, Report
from lzgis.rasters.change import RasterChange
from lzgis.words import Language

#: Layers by which a reader finds a place, and the redline inside which changes are counted.
_BASE = ("townships", "redline", "rivers", "reservoirs", "river_centrelines", "roads")
#: Area of the largest circle, and of the smallest, in points²; and how many patches are numbered and listed.
_LARGEST_PT2, _LEAST_PT2 = 420.0, 7.0
_MOST_LABELS, _MOST_ROWS = 20, 26
_SIZE, _LINE_MM = 7.0, 3.8
_FOOT_LINES = 6


class _Class(NamedTuple):
    """A class that land was converted into: its title in the reader's language, its colour, the rows of its patches."""

    title: str
    colour: str
    rows: np.ndarray[Any, Any]


def write_change_map(
    found: RasterChange,
    city: Catalogue,
    path: str | Path,
    *,
    sheet: PaperSheet | None = None,
    language: Language = "zh",
    made_at: dt.datetime | None = None,
) -> Path:
    """Draw the converted patches of a comparison on one sheet and return the path; the same comparison gives the same bytes.

    Parameters
    ----------
    found : RasterChange
        The comparison.
    city : Catalogue
        The city it was made for.
    path : path
        The file: ``*.png``, ``*.pdf`` or ``*.svg``.
    sheet : PaperSheet, optional
        Paper and orientation; by default A4 in landscape.
    language : {"zh", "en"}
        Language of title, legend and notes.
    made_at : datetime, optional
        The time that the map states; now if not given.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    texts = ReportText(_report(found, city, made_at), language)
    title = texts.words("raster", "map_title", city=texts.city)
    draw = partial(_sheet, texts, found, city, sheet or PaperSheet())
    save(draw, Path(path), texts.report, printable(title))
    return Path(path)


def _report(found: RasterChange, city: Catalogue, made_at: dt.datetime | None) -> Report:
    """Return what a map needs to know of the city, as a report without sites."""
    names = [name for name in (city.city.outline, *_BASE) if name in city.layers and city.exists(name)]
    layers = {name: city.load(name).layer for name in dict.fromkeys(names)}
    findings = gpd.GeoDataFrame(_empty(FINDING_COLUMNS), geometry=gpd.GeoSeries([], crs=4490))
    sites = gpd.GeoDataFrame({"id": [], "name": [], "activity": []}, geometry=gpd.GeoSeries([], crs=4490))
    return Report(
        city=city.city,
        book=city.book,
        layers=layers,
        backdrop=city.backdrop,
        problems=found.problems,
        provenance=raster_provenance(found, city, made_at=made_at),
        neighbours=city.neighbours,
        sites=sites,
        findings=findings,
        verdicts=_empty(VERDICT_COLUMNS),
        listed=DeferredTable(_empty(UNIT_LIST_COLUMNS)),
    )


def _empty(columns: Iterable[Column]) -> pd.DataFrame:
    return pd.DataFrame(columns=[one.name for one in columns])


def _sheet(texts: ReportText, found: RasterChange, city: Catalogue, sheet: PaperSheet) -> Figure:
    bounds = city_bounds(texts.report)
    zone = zone_of_map(texts, (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)
    around = projected_bounds(zone, bounds)
    layout = lay_out(sheet, FOOT_LINE_MM * _FOOT_LINES, around)
    figure, page = page_of_size(layout.width, layout.height)
    room = (layout.chart.width, layout.chart.height)
    scale = round_scale(around, (room[0] - 4, room[1] - 4))
    frame = frame_at(((around[0] + around[2]) / 2, (around[1] + around[3]) / 2), scale, room)
    chart = chart_in(figure, layout.chart, frame, (zone, texts), size_mm=(layout.width, layout.height))
    layers, notes = draw_base_layers(chart, _BASE)
    draw_scale_bar(chart)
    draw_north_arrow(chart)
    draw_grid_and_lines(chart, page, layout.chart)
    entries, unlabelled = _draw_patches(chart, found, _classes(texts, found, city))
    seats = draw_seats(chart)
    draw_names(chart, ("townships", "rivers"))
    count, area = found.dropped
    if count:
        numbers = numbers_of(city.city)
        least = numbers(found.min_area_m2)
        notes = [texts.words("raster", "dropped", count=count, area=numbers(area), least=least), *notes]
    notes += [*draw_neighbours(chart), *([texts.words("raster", "unlabelled", count=unlabelled)] if unlabelled else [])]
    draw_title(page, texts, printable(texts.words("raster", "map_title", city=texts.city)), title_rect(layout))
    _draw_beside(page, texts, (found, city), layout.columns, [*entries, *seats, *layers])
    lines = _foot_lines(texts, found, crs_of(texts, zone), notes, layout.foot.width)
    draw_foot(page, lines, (layout.foot.left, layout.foot.top, layout.foot.width), "")
    return figure


def _foot_lines(texts: ReportText, found: RasterChange, crs: str, more: list[str], width: float) -> list[str]:
    """Return the notes at the foot: reference system, rasters and layers with their dates, what is not drawn, who signs."""
    words, separator = texts.words, texts.words("picture", "separator")
    rasters = separator.join(f"{one.name} {one.date or words('paper', 'undated')}" for one in found.sources)
    made_at = texts.report.provenance.made_at.strftime("%Y-%m-%d %H:%M")
    lines = [
        words("raster", "map_data", crs=crs, rasters=rasters, made_at=made_at),
        words("picture", "dates", layers=data_dates(texts)),
        " ".join([words("raster", "map_circles"), *more]),
        words("paper", "signed"),
    ]
    return [part for line in lines for part in wrapped(printable(line), width - 1, FOOT_PT, lines=2)]


def _classes(texts: ReportText, found: RasterChange, city: Catalogue) -> list[_Class]:
    """Return the classes that land was converted into, those of the most land first."""
    titles = class_titles(city, (found.before, found.after), texts.words)
    colours = {one.title: one.colour for one in city.spec.raster[found.after].classes.values()}
    after = found.patches["after"].astype(str).to_numpy()
    sums = found.patches.groupby("after")["area_m2"].sum().sort_values(ascending=False)
    return [
        _Class(titles.get(str(name), str(name)), colours.get(str(name), "#808080"), np.flatnonzero(after == name))
        for name in sums.index
    ]


def _draw_patches(chart: Chart, found: RasterChange, classes: list[_Class]) -> tuple[list[Entry], int]:
    """Draw patches with their circles and the numbers of the largest; return legend lines and how many have no number."""
    words, patches = chart.texts.words, found.patches
    if not len(patches):
        return [], 0
    shapes = chart.zone.project(patches.geometry.to_numpy())
    points = shapely.point_on_surface(shapes)
    x, y = shapely.get_x(points), shapely.get_y(points)
    area = patches["area_m2"].to_numpy(dtype=float)
    sizes = np.maximum(_LARGEST_PT2 * area / area.max(), _LEAST_PT2)
    entries = []
    for place, one in enumerate(classes):
        look: dict[str, Any] = {"facecolor": one.colour, "edgecolor": "#222222", "linewidth": 0.5, "alpha": 0.85}
        # Small circles lie above large ones.
        order = one.rows[np.argsort(-sizes[one.rows], kind="stable")]
        chart.axes.scatter(x[order], y[order], s=sizes[order], **look, zorder=6 - place * 0.05)
        chart.draw(shapes[one.rows], 2, 6.5, facecolor=one.colour, edgecolor="#222222", linewidth=0.3)
        hectares = numbers_of(chart.texts.context.city)(area[one.rows].sum() / 10_000, 1)
        label = words("raster", "converted_into", title=one.title, count=len(one.rows), hectares=hectares)
        style = {"marker": "o", "color": one.colour, "markersize": 5.5}
        entries.append(Entry(label, "marker", {**style, "markeredgecolor": "#222222", "markeredgewidth": 0.5}))
    numbers = patches["patch"].astype(int).to_numpy()
    wanted = np.argsort(-area, kind="stable")[:_MOST_LABELS]
    style = {"size": 6.6, "color": "#111111", "edge": "#444444"}
    lost = sum(not chart.write_label(str(numbers[i]), [(x[i], y[i])], style=style, reach_mm=12.0) for i in wanted)
    return entries, lost


def _draw_beside(
    page: Axes,
    texts: ReportText,
    about: tuple[RasterChange, Catalogue],
    columns: tuple[Rect, ...],
    entries: list[Entry],
) -> None:
    """Draw the legend and the list of the largest patches beside the map, or below it."""
    first, last = columns[0], columns[-1]
    high = min(legend_height(entries, 1), last.height * 0.5)
    draw_legend(page, entries, texts.words("picture", "legend"), (last.left, last.top - high, last.width, high))
    rect = first if first is not last else Rect(first.left, first.bottom, first.width, first.height - high - 3)
    _draw_list(page, texts, about, rect)


def _draw_list(page: Axes, texts: ReportText, about: tuple[RasterChange, Catalogue], rect: Rect) -> None:
    found, city = about
    words, titles = texts.words, class_titles(city, (found.before, found.after), texts.words)
    patches = found.patches.sort_values("area_m2", ascending=False, kind="stable")
    numbers = numbers_of(city.city)
    total = numbers(found.patches["area_m2"].sum() / 10_000, 1)
    title = words("raster", "map_list", count=len(patches), hectares=total)
    high = draw_heading(page, title, rect.left, rect.top, rect.width)
    rows = patches.head(min(_MOST_ROWS, int((rect.height - high) / _LINE_MM) - 1))
    for row in rows.itertuples():
        change = words(
            "raster", "from_to", before=titles.get(row.before, row.before), after=titles.get(row.after, row.after)
        )
        place = str(getattr(row, "feature_name", "") or "")
        line = f"{int(row.patch)}  {change}  {numbers(row.area_m2 / 10_000, 2)} {words('raster', 'hectares')}  {place}"
        said = shortened(printable(line), rect.width - 1, _SIZE)
        page.text(rect.left, rect.top - high, said, va="top", fontproperties=font(_SIZE), color="#222222")
        high += _LINE_MM
    if len(patches) > len(rows):
        more = words("raster", "map_more", count=len(patches) - len(rows))
        page.text(rect.left, rect.top - high, more, va="top", fontproperties=font(_SIZE), color="#222222")
