"""A small picture of shapes and an outline as inline SVG, which contains no text of the input."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely

from lzgis.coordinates.plane import Geometries

_WIDTH, _HEIGHT, _MARGIN = 420, 420, 12
#: Shapes smaller than this many pixels are drawn as dots, and no more than this many are drawn.
_DOT, _MOST = 4.0, 3000


def outline_svg(outline: shapely.Geometry | None, shapes: Geometries) -> str:
    """Draw shapes in red over an outline in grey; coordinates are degrees, east-west is scaled by the cosine of the latitude.

    The picture shows both at any distance. The outline is simplified, and small shapes are dots.

    Returns
    -------
    str
        An ``<svg>`` element, empty if there is nothing to draw.

    Examples
    --------
    >>> outline_svg(shapely.box(112, 24, 113, 25), np.array([shapely.Point(112.5, 24.5)], dtype=object))[:4]
    '<svg'
    >>> outline_svg(None, np.array([], dtype=object))
    ''
    """
    bounds = shapely.bounds(shapes) if len(shapes) else np.empty((0, 4))
    drawn = np.flatnonzero(np.isfinite(bounds).all(axis=1))[:_MOST]
    boxes = bounds[drawn] if outline is None else np.vstack([bounds[drawn], shapely.bounds(outline)])
    if not len(boxes):
        return ""
    west, south = map(float, boxes[:, :2].min(axis=0))
    east, north = map(float, boxes[:, 2:].max(axis=0))
    squeeze = float(np.cos(np.radians((south + north) / 2)))
    size = max((east - west) * squeeze / (_WIDTH - 2 * _MARGIN), (north - south) / (_HEIGHT - 2 * _MARGIN), 1e-9)
    left = (_WIDTH - (east - west) * squeeze / size) / 2
    top = (_HEIGHT - (north - south) / size) / 2

    def place(xy: np.ndarray) -> np.ndarray:
        return np.column_stack([left + (xy[:, 0] - west) * squeeze / size, top + (north - xy[:, 1]) / size])

    elements = []
    if outline is not None:
        coarse = shapely.simplify(outline, size / 2)
        elements.append(f'<path class="outline" d="{_path(coarse, place)}"/>')
    for i in drawn:
        wide = max(bounds[i, 2] - bounds[i, 0], bounds[i, 3] - bounds[i, 1]) / size
        if wide < _DOT:
            (x, y), *_ = place((bounds[i : i + 1, :2] + bounds[i : i + 1, 2:]) / 2)
            elements.append(f'<circle class="shape" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
        else:
            kind = "shape" if shapely.get_dimensions(shapes[i]) == 2 else "line"
            elements.append(f'<path class="{kind}" d="{_path(shapely.simplify(shapes[i], size / 2), place)}"/>')
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{"".join(elements)}</svg>'


def _path(shape: shapely.Geometry, place: Callable[[np.ndarray], np.ndarray]) -> str:
    parts = shapely.get_parts(shape)
    polygons = shapely.get_dimensions(parts) == 2
    lines = [*shapely.get_rings(parts[polygons]), *parts[shapely.get_dimensions(parts) == 1]]
    moved = (place(shapely.get_coordinates(line)) for line in lines)
    return "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line) for line in moved)
