"""What makes a drawing a map: paths of geometries, graticule, scale bar, north arrow; in metres of a plane."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import Polygon as PolygonPatch
from matplotlib.patches import Rectangle
from matplotlib.path import Path
from matplotlib.patheffects import Stroke, withStroke

from lzgis.export.lettering import font
from lzgis.measure import Plane
from lzgis.words import Words

Geometries = npt.NDArray[np.object_]

#: Steps of a graticule in minutes, and of a scale bar as the first digit of its length.
_STEPS_MIN = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300)
_ROUND = (1.0, 2.0, 5.0, 10.0)


def halo(width: float = 2.2) -> list[Any]:
    """Return a white rim that keeps letters readable on any ground."""
    return [withStroke(linewidth=width, foreground="white")]


def casing(width: float) -> list[Any]:
    """Return a white rim below a line of this width."""
    return [Stroke(linewidth=width + 1.4, foreground="white"), *withStroke_normal()]


def withStroke_normal() -> list[Any]:
    from matplotlib.patheffects import Normal

    return [Normal()]


def paths(geometries: Geometries) -> list[Path]:
    """Return one path per polygon or line; holes run against their shells, so that they stay empty."""
    if len(geometries) == 0:
        return []
    kind, coordinates, offsets = shapely.to_ragged_array(shapely.orient_polygons(geometries))
    rings = np.asarray(offsets[0])
    codes = np.full(len(coordinates), Path.LINETO, dtype=Path.code_type)
    codes[rings[:-1]] = Path.MOVETO
    if "POLYGON" in kind.name:
        codes[rings[1:] - 1] = Path.CLOSEPOLY
    ends: npt.NDArray[np.intp] = rings
    for outer in offsets[1:]:
        ends = ends[np.asarray(outer)]
    return [
        Path(coordinates[a:b, :2], codes[a:b])
        for a, b in zip(ends[:-1], ends[1:], strict=True)
        if b > a
    ]
