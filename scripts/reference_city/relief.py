"""A schematic terrain: valleys along the rivers, crests between them, height by region."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import Affine
from scipy import ndimage, sparse
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from . import places
from .frame import CELL_M, SEED, Frame
from .noise import fractal
from .waters import Course

BLOCK = 3
NODATA = -32768
DEM_STEP_DEG = 0.001


@dataclass(frozen=True)
class Relief:
    """Height above sea and above the nearest valley floor, in metres, on the 90 m grid."""

    frame: Frame
    height: np.ndarray
    above: np.ndarray

    def fine(self, field: np.ndarray) -> np.ndarray:
        """Interpolate a field to the 30 m grid."""
        rows, cols = self.frame.shape
        at = [(np.arange(n) + 0.5) / BLOCK - 0.5 for n in (rows, cols)]
        for axis, where in enumerate(at):
            low = np.clip(np.floor(where).astype(int), 0, field.shape[axis] - 2)
            t = np.clip(where - low, 0, 1).astype(np.float32)
            t = t[:, None] if axis == 0 else t[None, :]
            field = np.take(field, low, axis) * (1 - t) + np.take(field, low + 1, axis) * t
        return field.astype(np.float32)


def raise_relief(frame: Frame, courses: dict[str, Course]) -> Relief:
    """Compute the terrain: every cell drains to a river, and slopes fall as the drained area grows."""
    rows, cols = (n // BLOCK for n in frame.shape)
    cell = CELL_M * BLOCK
    shape = (rows, cols)
    gx, gy = np.meshgrid(
        frame.extent[0] + (np.arange(cols) + 0.5) * cell, frame.extent[3] - (np.arange(rows) + 0.5) * cell
    )
    beds, beyond = _beds(frame, gx, gy, courses)
    steep = _amplitude(frame, gx, gy) * (1 + 0.12 * fractal(shape, 6000 / cell, SEED + 3, 3)) / 850
    out_of_basin = np.clip(beyond - 0.1 * fractal(shape, 1500 / cell, SEED + 2, 3), 0, 1)
    steep = np.clip(steep, 0.05, None) * (0.012 + 0.988 * out_of_basin**1.5)
    rough = np.exp(0.55 * fractal(shape, 900 / cell, SEED + 5, 4, 0.7))
    height = _drained(beds, steep * rough)
    floor = _drained(beds, np.full(shape, 0.004))
    growth = 1 - np.exp(-beyond)
    rise = height - floor
    height = floor + np.where(rise > 600, 600 + 900 * (1 - np.exp(-(rise - 600) / 900)), rise)
    height += fractal(shape, 700 / cell, SEED + 6, 3) * (1.2 + 9 * growth * steep)
    height = ndimage.gaussian_filter(height, 0.8)
    return Relief(frame, height.astype(np.float32), np.maximum(height - floor, 0).astype(np.float32))


def _beds(frame: Frame, gx: np.ndarray, gy: np.ndarray, courses: dict[str, Course]) -> tuple[np.ndarray, np.ndarray]:
    """Heights of cells that hold a river (else NaN), and how far cells lie beyond flat land (1 is hills)."""
    at = np.column_stack([gx.ravel(), gy.ravel()])
    beyond = np.full(len(at), np.inf)
    beds = np.full(gx.shape, np.nan)
    for course in courses.values():
        tree = cKDTree(course.line[::3])
        far, near = tree.query(at)
        basin = course.basin[::3][near]
        beyond = np.minimum(beyond, np.maximum(far - basin, 0) / (250 + 0.55 * basin))
        row, col = (v // BLOCK for v in frame.cell(*course.line.T))
        beds[row, col] = np.fmin(beds[row, col], course.height)
    return beds, beyond.reshape(gx.shape)


def _drained(beds: np.ndarray, steep: np.ndarray, rounds: int = 4) -> np.ndarray:
    """Compute heights above the river beds; the slope is `steep` divided by (number of cells drained) ** 0.4.

    Each round is a shortest-path tree from the rivers, so that no cliff arises on a divide.
    """
    count = beds.size
    number = np.arange(count).reshape(beds.shape)
    lows, highs, runs = [], [], []
    for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = number[: beds.shape[0] - dr, max(0, -dc) : beds.shape[1] - max(0, dc)].ravel()
        b = number[dr:, max(0, dc) : beds.shape[1] + min(0, dc)].ravel()
        lows += [a, b]
        highs += [b, a]
        runs += [np.full(2 * len(a), CELL_M * BLOCK * np.hypot(dr, dc))]
    low, high, run = (np.concatenate(v) for v in (lows, highs, runs))
    wet = np.flatnonzero(~np.isnan(beds.ravel()))
    gathered = np.ones(count)
    height = np.zeros(count)
    for _ in range(rounds):
        cost = run * (steep.ravel() / gathered**0.4)[high]
        values = np.concatenate([cost, beds.ravel()[wet]])
        ends = (np.concatenate([low, np.full(len(wet), count)]), np.concatenate([high, wet]))
        graph = sparse.csr_matrix((values, ends), shape=(count + 1, count + 1))
        height, before = dijkstra(graph, indices=count, return_predecessors=True)
        gathered = _gather(height, before)
    return height[:count].reshape(beds.shape)


def _gather(height: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Count the cells that drain through each cell, from the highest down."""
    total = [1.0] * len(height)
    parents = before.tolist()
    for node in np.argsort(-height, kind="stable").tolist():
        parent = parents[node]
        if parent >= 0:
            total[parent] += total[node]
    return np.array(total[:-1])


def _amplitude(frame: Frame, gx: np.ndarray, gy: np.ndarray) -> np.ndarray:
    """Interpolate the heights of RELIEF over the map."""
    total = np.zeros(gx.shape)
    weight = np.zeros(gx.shape)
    for place, height in places.RELIEF:
        px, py = frame.points([place])[0]
        share = 1 / (((gx - px) ** 2 + (gy - py) ** 2) / 1e6 + 2.0) ** 1.7
        total += share * height
        weight += share
    return total / weight


def write_dem(relief: Relief, path: Path) -> None:
    """Write the terrain as a small GeoTIFF in degrees, with no height outside the grid of the plane."""
    frame = relief.frame
    west, south, east, north = frame.outline_deg.bounds
    lon = np.arange(np.floor(west / 0.01) * 0.01 - 0.01, np.ceil(east / 0.01) * 0.01 + 0.01, DEM_STEP_DEG)
    lat = np.arange(np.ceil(north / 0.01) * 0.01 + 0.01, np.floor(south / 0.01) * 0.01 - 0.01, -DEM_STEP_DEG)
    centres = np.stack(np.meshgrid(lon + DEM_STEP_DEG / 2, lat - DEM_STEP_DEG / 2), axis=-1)
    x, y = frame.points(centres.reshape(-1, 2)).T
    cell = CELL_M * BLOCK
    at = [(frame.extent[3] - y) / cell - 0.5, (x - frame.extent[0]) / cell - 0.5]
    heights = ndimage.map_coordinates(relief.height, at, order=1, cval=np.nan)
    grid = np.where(np.isnan(heights), NODATA, np.round(np.nan_to_num(heights))).astype(np.int16)
    transform = Affine(DEM_STEP_DEG, 0, round(float(lon[0]), 6), 0, -DEM_STEP_DEG, round(float(lat[0]), 6))
    profile = {
        "driver": "GTiff",
        "width": len(lon),
        "height": len(lat),
        "count": 1,
        "dtype": "int16",
        "nodata": NODATA,
        "crs": "EPSG:4490",
        "transform": transform,
        "compress": "deflate",
        "predictor": 2,
        "zlevel": 9,
    }
    with rasterio.open(path, "w", **profile) as out:
        out.write(grid.reshape(len(lat), len(lon)), 1)
