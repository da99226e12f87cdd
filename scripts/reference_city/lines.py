"""Lines with a natural look: smooth bends, meanders, and polygons that widen along them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely
from scipy.interpolate import CubicSpline

from .noise import wander


def bend(points: np.ndarray, step_m: float) -> np.ndarray:
    """Run a smooth curve through points and sample it every `step_m` metres."""
    gaps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(np.sqrt(gaps))])  # centripetal: no loops at sharp bends
    curve = CubicSpline(along, points, bc_type="natural")
    dense = curve(np.linspace(0, along[-1], max(200, 20 * len(points))))
    return resample(dense, step_m)


def resample(points: np.ndarray, step_m: float) -> np.ndarray:
    """Sample a polyline at equal steps, including both ends."""
    along = distances(points)
    count = max(2, round(along[-1] / step_m) + 1)
    at = np.linspace(0, along[-1], count)
    return np.column_stack([np.interp(at, along, points[:, k]) for k in (0, 1)])


def distances(points: np.ndarray) -> np.ndarray:
    """Distance along a polyline at each vertex."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])


def normals(points: np.ndarray) -> np.ndarray:
    """Compute the unit vectors to the left of a polyline at each vertex."""
    slope = np.gradient(points, axis=0)
    slope /= np.hypot(*slope.T)[:, None]
    return np.column_stack([-slope[:, 1], slope[:, 0]])


def meander(points: np.ndarray, amplitude_m: float, wavelength_m: float, rng: np.random.Generator) -> np.ndarray:
    """Displace a line from side to side, except at its ends; a line that crosses itself is left as it was."""
    step = distances(points)[-1] / (len(points) - 1)
    sway = wander(len(points), wavelength_m / 2 / step, rng)
    fade = np.minimum(1, np.minimum(np.arange(len(points)), np.arange(len(points))[::-1]) * step / wavelength_m)
    swung = points + normals(points) * (sway * fade * amplitude_m)[:, None]
    line = shapely.LineString(swung)
    return swung if line.is_simple else resample(points, step)


def swath(points: np.ndarray, half_widths: np.ndarray) -> shapely.Polygon:
    """Return the area swept by a circle whose radius changes along a line."""
    discs = shapely.buffer(shapely.points(points), half_widths, quad_segs=5)
    pairs = shapely.multipoints(
        [np.vstack([shapely.get_coordinates(a), shapely.get_coordinates(b)]) for a, b in pairwise(discs)]
    )
    area = shapely.union_all(shapely.convex_hull(pairs))
    return shapely.simplify(area, 1.0)


def ellipse_blob(centre: np.ndarray, area_m2: float, rng: np.random.Generator, corners: int = 11) -> shapely.Polygon:
    """Draw an irregular parcel of an exact area around a point."""
    angle = np.sort((np.arange(corners) + rng.uniform(-0.3, 0.3, corners)) * 2 * np.pi / corners)
    radius = rng.uniform(0.78, 1.15, corners)
    turn, flat = rng.uniform(0, np.pi), rng.uniform(0.65, 0.95)
    x, y = np.cos(angle) * radius, np.sin(angle) * radius * flat
    shape = np.column_stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)])
    area = shapely.Polygon(shape).area
    return shapely.Polygon(np.asarray(centre) + shape * np.sqrt(area_m2 / area))


def block(centre: np.ndarray, area_m2: float, turn: float, ratio: float = 1.5) -> shapely.Polygon:
    """Draw a rectangle with one cut corner, of an exact area, turned by `turn` radians."""
    corners = np.array([(-1, -1), (1, -1), (1, 0.45), (0.6, 1), (-1, 1)]) * (ratio, 1.0)
    area = shapely.Polygon(corners).area
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return shapely.Polygon(np.asarray(centre) + corners @ rotation * np.sqrt(area_m2 / area))
