"""The neighbouring counties on maps: their borders and names, from the file that the catalogue names.

They are context alone: nothing is checked there.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from lzgis.errors import ExportError
from lzgis.exports.fonts import printable, shortened
from lzgis.exports.paper.chart import Chart
from lzgis.exports.paper.frame import of_dimension
from lzgis.exports.report_text import text
from lzgis.messages import Message

_COLOUR, _SIZE = "#8a8398", 7.0
#: Share of the map that an area has at least if it is named.
_LEAST_SHARE = 0.004


def draw_neighbours(chart: Chart) -> list[str]:
    """Draw borders and names of the neighbouring counties; return a note if the map shows land outside and has none.

    Raises
    ------
    ExportError
        If the file cannot be read or has no column ``name``.
    """
    report = chart.texts.report
    outline = report.layers.get(report.city.outline)
    if outline is None or not len(outline.frame):
        return []
    city = shapely.union_all(shapely.make_valid(chart.cut(outline.frame.geometry.to_numpy())))
    outside = shapely.difference(chart.page, city)
    if outside.area < _LEAST_SHARE * chart.page.area:
        return []
    if report.neighbours is None:
        return [chart.texts.words("paper", "no_neighbours")]
    names, shapes = read_neighbours(report.neighbours)
    rows = chart.seen(shapes)
    cut = shapely.make_valid(chart.cut(shapes[rows]))
    step = chart.frame.m_per_mm
    borders = shapely.difference(shapely.boundary(cut), shapely.buffer(city, 0.8 * step))
    chart.draw(borders, 1, 1.2, edgecolor=_COLOUR, linewidth=0.7, linestyle=(0, (5, 2, 1, 2)))
    for name, shape in zip(names[rows], shapely.intersection(cut, outside), strict=True):
        _name(chart, text(name), shape)
    return []


def _name(chart: Chart, name: str, shape: Any) -> None:
    """Write the name of a county inside the part of it that the map shows, if there is room."""
    parts, _ = of_dimension([shape], 2)
    if not len(parts) or not name:
        return
    largest = parts[int(np.argmax(shapely.area(parts)))]
    if largest.area < _LEAST_SHARE * chart.page.area:
        return
    label = shortened(printable(name), 40.0, _SIZE)
    point = shapely.get_coordinates(shapely.maximum_inscribed_circle(largest, tolerance=chart.frame.m_per_mm))[0]
    west, south, east, north = largest.bounds
    x, y = np.meshgrid(np.linspace(west, east, 8)[1:-1], np.linspace(south, north, 8)[1:-1])
    inside = shapely.contains_xy(largest, x.ravel(), y.ravel())
    anchors = [tuple(point), *zip(x.ravel()[inside], y.ravel()[inside], strict=True)]
    style = {"size": _SIZE, "color": _COLOUR}
    chart.write_label(label, anchors, style=style, reach_mm=2.0, over=False, within=largest)


@lru_cache(maxsize=4)
def read_neighbours(path: Path) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """Return names and areas (EPSG:4490) of the neighbouring counties in a file.

    Raises
    ------
    ExportError
        If the file cannot be read or has no column ``name``.
    """
    try:
        frame = gpd.read_file(path)
        frame = frame.to_crs(4490) if frame.crs is not None else frame.set_crs(4490)
    except Exception as error:
        what = Message("cannot be read: {why}", why=error)
        raise ExportError(str(path), what, Message("give a file of areas with a column 'name'")) from error
    if "name" not in frame.columns:
        remedy = Message("give a file of areas with a column 'name'")
        raise ExportError(str(path), Message("has no column '{column}'", column="name"), remedy)
    return frame["name"].to_numpy(dtype=object), np.asarray(frame.geometry.to_numpy(), dtype=object)
