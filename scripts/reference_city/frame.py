"""The working frame: the city's plane, the 30 m grid of the masks, and the rounding of coordinates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from rasterio.features import rasterize, shapes
from rasterio.transform import Affine
from scipy import ndimage

from lzgis.coordinates.plane import Plane, plane_for

SEED = 441882
CELL_M = 30.0
# 2 cm: a vertex nearer than that to another polygon's edge is snapped to it; otherwise projection could make them cross.
GRID_DEG = 2e-7
MARGIN_M = 3000.0


@dataclass(frozen=True)
class Frame:
    """The city's outline in degrees, its plane, and the 30 m grid over it (row 0 is the northernmost)."""

    outline_deg: shapely.Polygon

    @cached_property
    def plane(self) -> Plane:
        """The equal-area plane that the package uses for this city."""
        return plane_for(self.outline_deg.bounds)

    @cached_property
    def outline(self) -> shapely.Polygon:
        """The outline in metres."""
        return self.plane.project([self.outline_deg])[0]

    @cached_property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        west, south, east, north = self.extent
        return round((north - south) / CELL_M), round((east - west) / CELL_M)

    @cached_property
    def extent(self) -> tuple[float, float, float, float]:
        """Bounds of the grid in metres, whole multiples of 90 m so that coarser blocks fit."""
        west, south, east, north = self.outline.bounds
        step = 3 * CELL_M
        low = [np.floor((v - MARGIN_M) / step) * step for v in (west, south)]
        high = [np.ceil((v + MARGIN_M) / step) * step for v in (east, north)]
        return low[0], low[1], high[0], high[1]

    @cached_property
    def transform(self) -> Affine:
        """Column and row to metres."""
        return Affine(CELL_M, 0.0, self.extent[0], 0.0, -CELL_M, self.extent[3])

    @cached_property
    def xy(self) -> tuple[np.ndarray, np.ndarray]:
        """Cell centres: one row of x and one column of y."""
        rows, cols = self.shape
        x = self.extent[0] + (np.arange(cols) + 0.5) * CELL_M
        y = self.extent[3] - (np.arange(rows) + 0.5) * CELL_M
        return x[None, :], y[:, None]

    @cached_property
    def share(self) -> np.ndarray:
        """The share of each cell that lies inside the outline."""
        inside = self.burn([self.outline]).astype(np.float32)
        edge = self.burn([self.outline.boundary], all_touched=True)
        rows, cols = np.nonzero(edge)
        boxes = self.boxes(rows, cols)
        inside[rows, cols] = shapely.area(shapely.intersection(boxes, self.outline)) / CELL_M**2
        return inside

    @cached_property
    def rim_m(self) -> np.ndarray:
        """Distance of each cell from the outside of the city."""
        return ndimage.distance_transform_edt(self.share > 0.5) * CELL_M

    def boxes(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Draw cells as squares."""
        west, north = self.extent[0] + cols * CELL_M, self.extent[3] - rows * CELL_M
        return shapely.box(west, north - CELL_M, west + CELL_M, north)

    def burn(self, geometries: Iterable[Any], *, all_touched: bool = False) -> np.ndarray:
        """Mark the cells that the geometries (metres) cover."""
        pairs = [(g, 1) for g in geometries]
        if not pairs:
            return np.zeros(self.shape, dtype=bool)
        out = rasterize(pairs, out_shape=self.shape, transform=self.transform, all_touched=all_touched)
        return out.astype(bool)

    def cell(self, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of points in metres."""
        rows, cols = self.shape
        col = np.clip(((np.asarray(x) - self.extent[0]) // CELL_M).astype(int), 0, cols - 1)
        row = np.clip(((self.extent[3] - np.asarray(y)) // CELL_M).astype(int), 0, rows - 1)
        return row, col

    def points(self, lonlat: Sequence[tuple[float, float]]) -> np.ndarray:
        """Project longitudes and latitudes to an array of x, y."""
        return shapely.get_coordinates(self.plane.project(shapely.points(lonlat)))

    def degrees(self, geometries: Any) -> np.ndarray:
        """Bring geometries from metres to degrees, every coordinate rounded to 1e-9 degree."""
        return rounded(self.plane.unproject(geometries))

    def metres(self, geometries: Any) -> np.ndarray:
        """Bring geometries from degrees to metres."""
        return self.plane.project(geometries)

    def near(self, lonlat: tuple[float, float]) -> np.ndarray:
        """Distance of every cell from a place."""
        x, y = self.points([lonlat])[0]
        return np.hypot(self.xy[0] - x, self.xy[1] - y).astype(np.float32)

    def polygons(self, labels: np.ndarray, simplify_m: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Trace the cells of each label (0 is nothing) as polygons with a vertex at every corner of a cell.

        With fewer vertices, a straight edge in the plane and its neighbour's would differ once in degrees.
        All polygons are simplified together, so that neighbours still share their edges. Returns polygons and labels.
        """
        traced = shapes(labels.astype(np.int32), mask=labels > 0, connectivity=4, transform=self.transform)
        pairs = [(shapely.Polygon(g["coordinates"][0], g["coordinates"][1:]), int(v)) for g, v in traced]
        parts = with_corners(np.array([p for p, _ in pairs], dtype=object))
        if simplify_m:
            parts = shapely.coverage_simplify(parts, simplify_m)
        return parts, np.array([v for _, v in pairs], dtype=int)


def rounded(geometries: Any) -> np.ndarray:
    """Round coordinates to 1e-9 degree."""
    return np.asarray(shapely.transform(np.atleast_1d(np.asarray(geometries, dtype=object)), lambda c: np.round(c, 9)))


def with_corners(polygons: Any) -> np.ndarray:
    """Add a vertex at every corner of a cell to polygons along the grid."""
    dense = shapely.segmentize(np.asarray(polygons, dtype=object), CELL_M)
    return np.asarray(shapely.transform(dense, np.round))


def drop_small(mask: np.ndarray, cells: int) -> np.ndarray:
    """Remove the 4-connected groups of fewer than `cells` cells."""
    labels, _ = ndimage.label(mask)
    sizes = np.bincount(labels.ravel())
    keep = sizes >= cells
    keep[0] = False
    return keep[labels]


def fill_small(mask: np.ndarray, cells: int) -> np.ndarray:
    """Fill the holes of fewer than `cells` cells."""
    return ~drop_small(~mask, cells)
