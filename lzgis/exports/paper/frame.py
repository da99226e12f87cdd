"""The frame of a map, and geometries as matplotlib paths; all in metres of a plane."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.path import Path
from matplotlib.patheffects import withStroke

Geometries = npt.NDArray[np.object_]


class Frame(NamedTuple):
    """The part of the plane that a map shows, in metres, and its size on paper, in millimetres."""

    west: float
    south: float
    east: float
    north: float
    width_mm: float
    height_mm: float

    @property
    def m_per_mm(self) -> float:
        """Metres in the plane per millimetre on paper."""
        return (self.east - self.west) / self.width_mm

    @property
    def scale(self) -> int:
        """Denominator of the scale of the map, rounded to three digits."""
        exact = self.m_per_mm * 1000
        step = 10 ** max(0, math.floor(math.log10(exact)) - 2)
        return int(round(exact / step) * step)


def halo(width: float = 2.2) -> list[Any]:
    """Return a white outline that keeps text readable on any background."""
    return [withStroke(linewidth=width, foreground="white")]


def of_dimension(geometries: Any, dimension: int) -> tuple[Geometries, npt.NDArray[np.intp]]:
    """Return the simple parts of a dimension (0 points, 1 lines, 2 polygons), and the index of the geometry of each."""
    outer, owner = shapely.get_parts(np.asarray(geometries, dtype=object), return_index=True)
    # The parts of a collection may be multi-geometries themselves.
    parts, inner = shapely.get_parts(outer, return_index=True)
    keep = (shapely.get_dimensions(parts) == dimension) & ~shapely.is_empty(parts)
    return parts[keep], owner[inner][keep]


def paths(geometries: Geometries) -> list[Path]:
    """Return a path for each polygon or line; holes run opposite to their shells, so they are not filled."""
    if len(geometries) == 0:
        return []
    kind, coordinates, offsets = shapely.to_ragged_array(shapely.orient_polygons(geometries), include_z=False)
    rings = np.asarray(offsets[0])
    codes = np.full(len(coordinates), Path.LINETO, dtype=Path.code_type)
    codes[rings[:-1]] = Path.MOVETO
    if kind in (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON):
        codes[rings[1:] - 1] = Path.CLOSEPOLY
    ends = rings
    for outer in offsets[1:]:
        ends = ends[np.asarray(outer)]
    spans = zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    return [Path(coordinates[start:stop], codes[start:stop]) for start, stop in spans]
