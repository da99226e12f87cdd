"""The two maps of a dossier: where the project lies in the city, and the project with its conflicts.

Drawing the city takes most of the time, so it is drawn once for each verdict; each project is then drawn on a copy.
"""

from __future__ import annotations

import copy
import io
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from lzgis.exports.dossier.document import Picture
from lzgis.exports.dossier.project import DossierSource, Project
from lzgis.exports.paper.base_layers import draw_base_layers, draw_names
from lzgis.exports.paper.chart import Chart, zone_of_map
from lzgis.exports.paper.document_maps import (
    CONTEXT,
    SMALL_CONTEXT,
    detail_figure,
    draw_site_in_city,
    finish_map,
    insets_figure,
    insets_of,
    location_figure,
    map_rect,
    place_entry,
    small_rect,
    start_map,
)
from lzgis.exports.paper.grid import draw_neat_lines, draw_north_arrow, draw_scale_bar
from lzgis.exports.paper.layout import frame_at, round_scale
from lzgis.exports.paper.mapped_site import MappedSite, mapped_site
from lzgis.exports.paper.neighbours import draw_neighbours
from lzgis.exports.paper.rendering import DPI, pixels, settings
from lzgis.exports.paper.sheets import city_bounds, city_shapes, projected_bounds
from lzgis.exports.report_text import ReportText
from lzgis.exports.symbology import VERDICT_COLOURS

#: Width and height of the two maps between the margins of A4, millimetres: both together fill a page.
SIZE_MM, DETAIL_MM = (156.0, 86.0), (156.0, 124.0)
#: Of the map on a slide, beside its text.
SLIDE_MM = (156.0, 119.0)
#: Of the insets of a long or split project.
INSETS_MM = (156.0, 222.0)
#: Of the map on the first page, which has no legend.
SMALL_MM = (62.0, 62.0)


@dataclass(frozen=True, eq=False)
class _DrawnCity:
    """The drawn city: the chart, its canvas, and the pixels before any project was drawn."""

    chart: Chart
    canvas: FigureCanvasAgg
    background: npt.NDArray[np.uint8]


class ProjectMaps:
    """Draws the maps of the projects of one report."""

    def __init__(self, source: DossierSource) -> None:
        self._source = source
        self._cities: dict[tuple[str, bool, tuple[float, float]], _DrawnCity] = {}

    def location(self, project: Project) -> Picture | None:
        """Draw where in the city the project lies; None if its geometry cannot be used."""
        if _has_no_shape(project):
            return None
        drawn = self._location_on_city(project, SIZE_MM)
        if drawn is None:
            drawn = pixels(partial(location_figure, self._source.texts, self._mapped(project), SIZE_MM))
        return Picture("location_map", self._source.wording("location_map"), _png(drawn), *SIZE_MM)

    def small(self, project: Project) -> Picture | None:
        """Draw where in the city the project lies, small and without legend; None if it lies outside of the city's map."""
        if _has_no_shape(project):
            return None
        drawn = self._location_on_city(project, SMALL_MM)
        return (
            None if drawn is None else Picture("small_map", self._source.wording("small_map"), _png(drawn), *SMALL_MM)
        )

    def detail(self, project: Project) -> Picture | None:
        """Draw the project with its conflicts; None if its geometry cannot be used."""
        if _has_no_shape(project):
            return None
        site = self._mapped(project)
        frames = insets_of(self._source.texts, site, DETAIL_MM, INSETS_MM)
        drawn = pixels(partial(detail_figure, self._source.texts, site, DETAIL_MM, frames))
        return Picture("detail_map", self._source.wording("detail_map"), _png(drawn), *DETAIL_MM)

    def slide(self, project: Project) -> Picture | None:
        """Draw the project with its conflicts in the shape of a slide; None if its geometry cannot be used."""
        if _has_no_shape(project):
            return None
        drawn = pixels(partial(detail_figure, self._source.texts, self._mapped(project), SLIDE_MM))
        return Picture("detail_map", self._source.wording("detail_map"), _png(drawn), *SLIDE_MM)

    def insets(self, project: Project) -> Picture | None:
        """Draw the conflicts of a long or split project at a scale that can be read; None if its map can be read."""
        if _has_no_shape(project):
            return None
        site = self._mapped(project)
        frames = insets_of(self._source.texts, site, DETAIL_MM, INSETS_MM)
        if not frames:
            return None
        # With four insets or fewer the rows that are empty are cut off.
        rows = -(-len(frames) // 2)
        drawn = pixels(partial(insets_figure, self._source.texts, site, frames, INSETS_MM))
        high = INSETS_MM[1] * rows / 3
        drawn = drawn[: round(len(drawn) * rows / 3)]
        caption = self._source.wording("insets", scale="1:" + self._source.rounding.numbers(frames[0].scale))
        return Picture("insets", caption, _png(drawn), INSETS_MM[0], high)

    def _mapped(self, project: Project) -> MappedSite:
        return mapped_site(self._source.report, project.id)

    def _location_on_city(self, project: Project, size_mm: tuple[float, float]) -> npt.NDArray[np.uint8] | None:
        """Draw the project on the drawn city; None if it lies outside of that map."""
        verdict = project.verdict["verdict"]
        west, south, east, north = city_bounds(self._source.report)
        bounds = project.shape.bounds
        if bounds[0] < west or bounds[1] < south or bounds[2] > east or bounds[3] > north:
            return None
        is_line = shapely.get_dimensions(project.shape) == 1
        key = (verdict, bool(is_line), size_mm)
        if key not in self._cities:
            self._cities[key] = _draw_city(self._source.texts, *key)
        city = self._cities[key]
        # A copy of the labels, so that the places taken by this project are free for the next.
        chart = replace(city.chart, labels=copy.deepcopy(city.chart.labels))
        before = set(chart.axes.get_children())
        with settings():
            self._ring(chart, project, verdict)
            draw_site_in_city(chart, self._mapped(project), named=size_mm == SIZE_MM)
            added = [artist for artist in chart.axes.get_children() if artist not in before]
            _pixels(city.canvas)[:] = city.background
            for artist in sorted(added, key=lambda a: a.get_zorder()):
                chart.axes.draw_artist(artist)
        for artist in added:
            artist.remove()
        return _pixels(city.canvas)[..., :3].copy()

    def _ring(self, chart: Chart, project: Project, verdict: str) -> None:
        """Draw a ring around the project: the star alone is easily overlooked among the colours of the layers."""
        point = shapely.point_on_surface(chart.zone.project([project.shape])[0])
        for colour, width in (("white", 3.2), (VERDICT_COLOURS.get(verdict, "black"), 1.4)):
            style: dict[str, Any] = {"facecolor": "none", "edgecolor": colour, "linewidth": width}
            chart.axes.scatter(point.x, point.y, s=420, **style, zorder=6.5)


def _has_no_shape(project: Project) -> bool:
    return project.shape is None or project.shape.is_empty


def _draw_city(texts: ReportText, verdict: str, is_line: bool, size_mm: tuple[float, float]) -> _DrawnCity:
    bounds = city_bounds(texts.report)
    zone = zone_of_map(texts, (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)
    west, south, east, north = projected_bounds(zone, bounds)
    small = size_mm == SMALL_MM
    rect = small_rect(size_mm) if small else map_rect(size_mm)
    scale = round_scale((west, south, east, north), (rect.width - 2, rect.height - 2))
    frame = frame_at(((west + east) / 2, (south + north) / 2), scale, (rect.width, rect.height))
    with settings():
        figure, page, chart = start_map(texts, zone, size_mm, (rect, frame))
        layers, _ = draw_base_layers(chart, SMALL_CONTEXT if small else CONTEXT)
        # Drawn once for all sites, so off the whole city as far as a corner allows.
        draw_scale_bar(chart, city_shapes(texts, zone))
        draw_north_arrow(chart)
        draw_names(chart, ("townships",) if small else ("townships", "rivers"))
        if not small:
            draw_neighbours(chart)
        if small:
            draw_neat_lines(page, rect)
        else:
            colour = VERDICT_COLOURS.get(verdict, "black")
            finish_map(page, chart, rect, size_mm, [place_entry(texts, colour, is_line=is_line), *layers])
        figure.set_dpi(DPI)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
    return _DrawnCity(chart, canvas, _pixels(canvas).copy())


def _pixels(canvas: FigureCanvasAgg) -> npt.NDArray[np.uint8]:
    """Return the pixels of the canvas, as a view."""
    return np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]


def _png(drawn: npt.NDArray[np.uint8]) -> bytes:
    """Return a picture as PNG with 256 colours: a map has few, and there are many maps."""
    saved = io.BytesIO()
    few = Image.fromarray(drawn).quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(saved, "PNG", optimize=False, compress_level=6, dpi=(DPI, DPI))
    return saved.getvalue()
