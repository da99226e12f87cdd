"""The two maps of a dossier: where the project lies in the city, and what lies around it.

The city is drawn once for all projects of one verdict; on it each project is drawn alone. For a batch of hundreds that
is what takes the time.
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

from lzgis.coordinates.gauss_kruger import zone_around
from lzgis.exports.dossier.document import Picture
from lzgis.exports.dossier.project import Batch, Subject
from lzgis.exports.paper.base_layers import draw_ground, draw_names
from lzgis.exports.paper.chart import Chart
from lzgis.exports.paper.document_maps import detail_figure, draw_place, finish, location_figure, room_in, start
from lzgis.exports.paper.grid import draw_north_arrow, draw_scale_bar
from lzgis.exports.paper.layout import frame_at, round_scale
from lzgis.exports.paper.legend import Entry
from lzgis.exports.paper.mapped_site import Subject as MapSubject
from lzgis.exports.paper.mapped_site import subject_of
from lzgis.exports.paper.rendering import DPI, pixels, settings
from lzgis.exports.paper.sheets import city_bounds, projected_bounds
from lzgis.exports.report_text import VERDICT_COLOURS, ReportText

#: Room for a map between the margins of A4, millimetres.
SIZE_MM = (156.0, 98.0)


@dataclass(frozen=True, eq=False)
class _City:
    """The city as it was drawn: the map, its canvas, and the picture before anything was put on it."""

    chart: Chart
    canvas: FigureCanvasAgg
    ground: npt.NDArray[np.uint8]


class Atlas:
    """Draws the maps of the projects of a batch."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._cities: dict[str, _City] = {}

    def location(self, subject: Subject) -> Picture | None:
        """Draw where in the city the project lies; nothing if its geometry cannot be used."""
        if _unusable(subject):
            return None
        drawn = self._placed(subject)
        if drawn is None:
            drawn = pixels(partial(location_figure, self._batch.texts, self._told(subject), SIZE_MM))
        return Picture("location_map", self._batch.say("location_map"), _png(drawn), *SIZE_MM)

    def detail(self, subject: Subject) -> Picture | None:
        """Draw the project with what it meets; nothing if its geometry cannot be used."""
        if _unusable(subject):
            return None
        drawn = pixels(partial(detail_figure, self._batch.texts, self._told(subject), SIZE_MM))
        return Picture("detail_map", self._batch.say("detail_map"), _png(drawn), *SIZE_MM)

    def _told(self, subject: Subject) -> MapSubject:
        return subject_of(self._batch.report, subject.id)

    def _placed(self, subject: Subject) -> npt.NDArray[np.uint8] | None:
        """Put the project on the city that is drawn already; nothing if it lies outside of that map."""
        verdict = subject.verdict["verdict"]
        west, south, east, north = city_bounds(self._batch.report)
        bounds = subject.shape.bounds
        if bounds[0] < west or bounds[1] < south or bounds[2] > east or bounds[3] > north:
            return None
        if verdict not in self._cities:
            self._cities[verdict] = _drawn(self._batch.texts, verdict)
        city = self._cities[verdict]
        # The labels know their places; those of this project must not stand in the way of the next.
        chart = replace(city.chart, labels=copy.deepcopy(city.chart.labels))
        before = set(chart.axes.get_children())
        with settings():
            self._ring(chart, subject, verdict)
            draw_place(chart, self._told(subject))
            fresh = [artist for artist in chart.axes.get_children() if artist not in before]
            _pixels(city.canvas)[:] = city.ground
            for artist in sorted(fresh, key=lambda a: a.get_zorder()):
                chart.axes.draw_artist(artist)
        for artist in fresh:
            artist.remove()
        return _pixels(city.canvas)[..., :3].copy()

    def _ring(self, chart: Chart, subject: Subject, verdict: str) -> None:
        """Draw a ring around the project: among reds and greens a sign alone is soon overlooked."""
        point = shapely.point_on_surface(chart.zone.project([subject.shape])[0])
        for colour, width in (("white", 3.2), (VERDICT_COLOURS.get(verdict, "black"), 1.4)):
            look: dict[str, Any] = {"facecolor": "none", "edgecolor": colour, "linewidth": width}
            chart.axes.scatter(point.x, point.y, s=420, **look, zorder=6.5)


def _unusable(subject: Subject) -> bool:
    return subject.shape is None or subject.shape.is_empty


def _drawn(texts: ReportText, verdict: str) -> _City:
    bounds = city_bounds(texts.report)
    zone = zone_around((bounds[0] + bounds[2]) / 2)
    west, south, east, north = projected_bounds(zone, bounds)
    room = room_in(SIZE_MM)
    scale = round_scale((west, south, east, north), (room.width - 2, room.height - 2))
    frame = frame_at(((west + east) / 2, (south + north) / 2), scale, (room.width, room.height))
    with settings():
        figure, page, chart = start(texts, zone, SIZE_MM, (room, frame))
        layers, _ = draw_ground(chart)
        draw_scale_bar(chart)
        draw_north_arrow(chart)
        draw_names(chart, ("townships", "rivers"))
        sign = {"marker": "*", "color": VERDICT_COLOURS.get(verdict, "black"), "markersize": 8}
        finish(page, chart, room, SIZE_MM, [Entry(texts.words("paper", "site"), "marker", sign), *layers])
        figure.set_dpi(DPI)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
    return _City(chart, canvas, _pixels(canvas).copy())


def _pixels(canvas: FigureCanvasAgg) -> npt.NDArray[np.uint8]:
    """Look at the canvas's own pixels."""
    return np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]


def _png(drawn: npt.NDArray[np.uint8]) -> bytes:
    """Save a picture in 256 colours: a map has few, and a batch many maps."""
    saved = io.BytesIO()
    few = Image.fromarray(drawn).quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(saved, "PNG", optimize=False, compress_level=6, dpi=(DPI, DPI))
    return saved.getvalue()
