"""Compare the placement of labels on maps with that of textalloc and adjustText, on real sheets of the reference city.

``pip install textalloc adjustText``, then ``python benchmarks/label_placement.py``. For each sheet and each way: labels that
are placed, pairs of labels that overlap, labels cut by the frame, leaders that cross each other, labels over the site, seconds.
"""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lzgis.city.reference import reference_city
from lzgis.exports.fonts import font
from lzgis.exports.paper import PaperSheet
from lzgis.exports.paper.chart import Chart
from lzgis.exports.paper.mapped_site import mapped_site
from lzgis.exports.paper.rendering import settings
from lzgis.exports.paper.sheets import detail_sheet
from lzgis.exports.report_text import ReportText
from lzgis.screening.screen import screen

SITES = ("P12", "P09", "P30", "T07", "T13")


class Job(NamedTuple):
    """The labels of one sheet: texts, anchors in millimetres, the size of the map, the site in millimetres."""

    texts: list[str]
    anchors: list[tuple[float, float]]
    size_mm: tuple[float, float]
    site: shapely.Geometry
    placed: int
    seconds: float
    boxes: list[shapely.Polygon]
    leaders: list[shapely.LineString]


def job_of(report: Any, site_id: str) -> Job:
    """Draw a sheet with lzgis, and note what it was asked to write and where it wrote it."""
    said: list[tuple[str, tuple[float, float]]] = []
    boxes: list[shapely.Polygon] = []
    leaders: list[shapely.LineString] = []
    charts: list[Chart] = []
    spent = [0.0]
    write = Chart.write_label

    def noted(self: Chart, text: str, anchors: Any, **how: Any) -> bool:
        anchors = list(anchors)
        if "edge" not in how["style"]:
            return write(self, text, anchors, **how)
        charts[:] = [self]
        count = len(self.labels._taken)
        lines = len(self.labels._leaders)
        began = time.perf_counter()
        done = write(self, text, anchors, **how)
        spent[0] += time.perf_counter() - began
        number = text.split(" ", maxsplit=1)[0]
        if not any(one.split(" ")[0] == number for one, _ in said):
            x, y = self.mm(*anchors[0])
            said.append((text, (float(x), float(y))))
        if done:
            boxes.extend(shapely.box(*one) for one in self.labels._taken[count:])
            leaders.extend(shapely.LineString([one[:2], one[2:]]) for one in self.labels._leaders[lines:])
        return done

    Chart.write_label = noted  # type: ignore[method-assign]
    try:
        with settings():
            site = mapped_site(report, site_id)
            detail_sheet(ReportText(report, "zh"), site, PaperSheet())
    finally:
        Chart.write_label = write  # type: ignore[method-assign]
    chart = charts[0]
    shape = chart.in_mm(shapely.intersection(chart.zone.project([site.geometry])[0], chart.page))
    size = (chart.frame.width_mm, chart.frame.height_mm)
    texts, anchors = [one for one, _ in said], [place for _, place in said]
    return Job(texts, anchors, size, shape, len(boxes), spent[0], boxes, leaders)


def axes_of(job: Job) -> tuple[Figure, Any]:
    """Return axes in millimetres of the size of the map."""
    figure = Figure(figsize=(job.size_mm[0] / 25.4, job.size_mm[1] / 25.4), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, job.size_mm[0]), ylim=(0, job.size_mm[1]))
    return figure, axes


def boxes_of(figure: Figure, axes: Any, texts: list[Any]) -> list[shapely.Polygon]:
    """Return the rectangles of texts in millimetres."""
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    turn = axes.transData.inverted()
    found = []
    for one in texts:
        extent = one.get_window_extent(renderer)
        (x0, y0), (x1, y1) = turn.transform([(extent.x0, extent.y0), (extent.x1, extent.y1)])
        found.append(shapely.box(x0, y0, x1, y1))
    return found


def by_textalloc(job: Job) -> tuple[list[shapely.Polygon], list[shapely.LineString], float]:
    """Place the labels with textalloc, which keeps them off the site as its lines."""
    import textalloc

    figure, axes = axes_of(job)
    x, y = np.array(job.anchors).T
    lines = [shapely.get_coordinates(one) for one in shapely.get_parts(job.site)]
    began = time.perf_counter()
    _, _, texts, drawn = textalloc.allocate(
        axes, x, y, job.texts, x_scatter=x, y_scatter=y, textsize=6.6, x_lines=[one[:, 0] for one in lines],
        y_lines=[one[:, 1] for one in lines], linecolor="k", max_distance=0.3, fontproperties=font(6.6),
    )  # fmt: skip
    spent = time.perf_counter() - began
    leaders = [shapely.LineString(one.get_xydata()) for one in drawn if one is not None]  # type: ignore[attr-defined]
    return boxes_of(figure, axes, [one for one in texts if one is not None]), leaders, spent


def by_adjust_text(job: Job) -> tuple[list[shapely.Polygon], list[shapely.LineString], float]:
    """Place the labels with adjustText, which keeps them off points along the site."""
    from adjustText import adjust_text  # type: ignore[import-untyped]

    figure, axes = axes_of(job)
    x, y = np.array(job.anchors).T
    texts = [axes.text(a, b, one, fontproperties=font(6.6)) for a, b, one in zip(x, y, job.texts, strict=True)]
    avoided = shapely.get_coordinates(shapely.segmentize(job.site, 2.0))
    began = time.perf_counter()
    adjust_text(texts, x=avoided[:, 0], y=avoided[:, 1], target_x=x, target_y=y, ax=axes)
    spent = time.perf_counter() - began
    boxes = boxes_of(figure, axes, texts)
    leaders = [
        shapely.shortest_line(box, shapely.Point(place))
        for box, place in zip(boxes, job.anchors, strict=True)
        if box.distance(shapely.Point(place)) > 1.3
    ]
    return boxes, leaders, spent


def main() -> None:
    """Print a line for each sheet and way of placing."""
    city = reference_city()
    report = screen(Path(city) / "sites.gpkg", city, as_of="2026-11-29")
    print("sheet  way         wanted placed overlaps cut crossings on_site seconds")
    for site_id in SITES:
        job = job_of(report, site_id)
        ways = {"lzgis": (job.boxes, job.leaders, job.seconds), "textalloc": by_textalloc(job)}
        ways["adjustText"] = by_adjust_text(job)
        page = shapely.box(0, 0, *job.size_mm)
        for name, (boxes, leaders, spent) in ways.items():
            overlaps = sum(a.intersection(b).area > 0.05 for a, b in itertools.combinations(boxes, 2))
            crossings = sum(a.crosses(b) for a, b in itertools.combinations(leaders, 2))
            outside = sum(not page.contains(one) for one in boxes)
            on_site = sum(one.intersects(job.site) for one in boxes)
            figures = (
                f"{len(job.texts):6} {len(boxes):6} {overlaps:8} {outside:3} {crossings:9} {on_site:7} {spent:7.2f}"
            )
            print(f"{site_id:6} {name:11} {figures}")


if __name__ == "__main__":
    main()
