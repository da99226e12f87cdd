"""The work every peer is given: one made-up city of 2663 km², six layers, and any number of sites. Seeded.

`layers(seed)` and `sites(n, seed)` return arrays of shapely geometries in metres; `python benchmarks/workload.py DIR N…`
writes them as files.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from rasterio import features
from rasterio.transform import from_origin

PIXEL = 15.0
CITY_KM2, REDLINE_KM2, TOWN_KM2 = 2663.0, 569.0, 548.0
CRS = "+proj=laea +lat_0=24.9 +lon_0=112.4 +ellps=GRS80 +units=m"


@dataclass(frozen=True)
class City:
    """The raster the layers are drawn on: where the city is, and where its corner lies."""

    inside: np.ndarray
    left: float
    top: float

    def polygons(self, labels: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Outline the patches of equal label: jagged polygons along pixel edges."""
        transform = from_origin(self.left, self.top, PIXEL, PIXEL)
        found = list(features.shapes(labels.astype(np.int32), mask=mask, connectivity=4, transform=transform))
        outlines = [shapely.Polygon(g["coordinates"][0], g["coordinates"][1:]) for g, _ in found]
        return np.array(outlines, dtype=object), np.array([int(value) for _, value in found])


def _field(shape: tuple[int, int], scale: float, smooth: float, rng: np.random.Generator) -> np.ndarray:
    """Noise of mean 0 and deviation 1: hills `scale` metres wide, finer ones on them the more, the lower `smooth`."""
    fy, fx = np.fft.fftfreq(shape[0], PIXEL)[:, None], np.fft.rfftfreq(shape[1], PIXEL)[None, :]
    frequency = np.hypot(fy, fx)
    power = 1.0 / (1.0 + (frequency * scale) ** 2) ** smooth
    noise = np.fft.rfft2(rng.standard_normal(shape))
    made = np.fft.irfft2(noise * power, s=shape)
    return (made - made.mean()) / made.std()


def _highest(field: np.ndarray, inside: np.ndarray, km2: float) -> np.ndarray:
    """Cut the field at the height above which `km2` lie."""
    pixels = round(km2 * 1e6 / PIXEL**2)
    values = np.sort(field[inside])
    return inside & (field >= values[-min(pixels, len(values))])


def _city(rng: np.random.Generator) -> City:
    side = 1.25 * np.sqrt(CITY_KM2 * 1e6)
    n = int(side / PIXEL)
    axis = (np.arange(n) + 0.5) * PIXEL - side / 2
    field = -np.hypot(axis[:, None], axis[None, :]) / (side / 4) + 0.35 * _field((n, n), 20_000.0, 2.0, rng)
    return City(_highest(field, np.ones((n, n), bool), CITY_KM2), -side / 2, side / 2)


def _redline(city: City, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Make patches of all sizes, the largest with 100,000 vertices and thousands of holes, as 250 features."""
    field = _field(city.inside.shape, 30_000.0, 0.68, rng)
    taken = _highest(field, city.inside, REDLINE_KM2 * 1.04)
    patches, _ = city.polygons(taken, taken)
    area = shapely.area(patches)
    order = np.argsort(-area, kind="stable")
    patches = patches[order[: int(np.searchsorted(np.cumsum(area[order]), REDLINE_KM2 * 1e6)) + 1]]
    # The hundred largest stand alone; of the rest each joins one of 150 features, by where it lies.
    rest = shapely.centroid(patches[100:])
    x, y = shapely.get_x(rest), shapely.get_y(rest)
    block = np.floor((x - x.min()) / np.ptp(x) * 14.99) * 10 + np.floor((y - y.min()) / np.ptp(y) * 9.99)
    feature = np.arange(len(patches))
    feature[100:] = 100 + np.unique(block, return_inverse=True)[1]
    return _grouped(patches, feature), taken


def _grouped(patches: np.ndarray, feature: np.ndarray) -> np.ndarray:
    order = np.argsort(feature, kind="stable")
    return shapely.multipolygons(patches[order], indices=feature[order])


def _units(city: City, redline: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make 28 units that tile the city; where a unit's border nears the redline, it follows the redline's."""
    n = city.inside.shape[0]
    rows, columns = np.nonzero(city.inside)
    seeds = rng.choice(len(rows), 28, replace=False)
    bend = [_field(city.inside.shape, 3_000.0, 1.2, rng) * 60.0 for _ in range(2)]
    # Redline setting counts as farther off the middle: the border of two units then runs along it for stretches.
    away = np.where(redline, 40.0, 0.0)
    best = np.full(city.inside.shape, np.inf)
    label = np.zeros(city.inside.shape, np.int32)
    axis = np.arange(n)
    for unit, seed in enumerate(seeds):
        far = np.hypot(axis[:, None] + bend[0] - rows[seed], axis[None, :] + bend[1] - columns[seed])
        far += away * (1 if unit % 2 else -1)
        nearer = far < best
        best[nearer], label[nearer] = far[nearer], unit
    outlines, unit_of = city.polygons(label, city.inside)
    return _grouped(outlines, unit_of)


def _reserves(city: City, rng: np.random.Generator) -> np.ndarray:
    field = _field(city.inside.shape, 9_000.0, 1.5, rng)
    outlines, _ = city.polygons(*(2 * [_highest(field, city.inside, 330.0)]))
    return outlines[np.argsort(-shapely.area(outlines), kind="stable")[:8]]


def _town(city: City, rng: np.random.Generator) -> np.ndarray:
    field = _field(city.inside.shape, 15_000.0, 1.2, rng)
    taken = _highest(field, city.inside, TOWN_KM2)
    outlines, _ = city.polygons(taken, taken)
    return np.array([shapely.multipolygons(outlines)], dtype=object)


def _walks(city: City, n: int, step: float, wander: float, rng: np.random.Generator) -> np.ndarray:
    """Make lines that wander: each step turns a little."""
    lines = []
    half = -city.left / 1.25
    for _ in range(n):
        steps = int(rng.uniform(3_000.0, 45_000.0) / step)
        heading = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, wander, steps))
        start = rng.uniform(-half, half, 2)
        xy = start + step * np.cumsum(np.c_[np.cos(heading), np.sin(heading)], axis=0)
        lines.append(shapely.LineString(np.round(xy, 3)))
    return np.array(lines, dtype=object)


def layers(seed: int = 6) -> dict[str, np.ndarray]:
    """Make the six layers."""
    rng = np.random.default_rng(seed)
    city = _city(rng)
    redline, taken = _redline(city, rng)
    return {
        "redline": redline,
        "units": _units(city, taken, rng),
        "reserves": _reserves(city, rng),
        "town": _town(city, rng),
        "roads": _walks(city, 200, 60.0, 0.08, rng),
        "rivers": _walks(city, 300, 30.0, 0.25, rng),
    }


def _parcel(rng: np.random.Generator) -> np.ndarray:
    """Make one outline of 0.5 to 50 ha about the origin: a lot, an angle, or an irregular one of up to 60 corners."""
    area = 5e3 * 100 ** rng.uniform()
    kind = rng.integers(3)
    if kind == 0:
        ratio = rng.uniform(1, 4)
        xy = np.array([[-ratio, -1], [ratio, -1], [ratio, 1], [-ratio, 1.0]])
    elif kind == 1:
        a, b = rng.uniform(0.2, 0.8, 2)
        xy = np.array([[0, 0], [1, 0], [1, b], [a, b], [a, 1], [0, 1.0]]) - 0.5
    else:
        angle = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(6, 60)))
        radius = rng.uniform(0.6, 1.0, len(angle))
        xy = np.c_[radius * np.cos(angle), radius * np.sin(angle)]
    turn = rng.uniform(0, 2 * np.pi)
    xy = xy @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return xy * np.sqrt(area / max(shapely.Polygon(xy).area, 0.05))


def _corridor(rng: np.random.Generator) -> shapely.Geometry:
    steps = int(rng.uniform(2_000.0, 20_000.0) / 250.0)
    heading = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.06, steps))
    line = shapely.LineString(250.0 * np.cumsum(np.c_[np.cos(heading), np.sin(heading)], axis=0))
    return line.buffer(rng.uniform(12.0, 40.0), cap_style="flat", join_style="mitre")


def sites(n: int, seed: int = 7) -> np.ndarray:
    """Make `n` sites over the city: 92 % parcels, 3 % long corridors, 5 % points; coordinates to the millimetre."""
    rng = np.random.default_rng(seed)
    reach = 0.5 * np.sqrt(CITY_KM2 * 1e6)
    made = np.empty(n, dtype=object)
    for i in range(n):
        at = rng.uniform(-reach, reach, 2)
        kind = rng.uniform()
        if kind < 0.05:
            made[i] = shapely.Point(np.round(at, 3))
            continue
        shape = _corridor(rng) if kind < 0.08 else shapely.Polygon(_parcel(rng))
        shape = shapely.transform(shape, lambda xy, at=at: np.round(xy + at, 3))
        if not shape.is_valid:
            shape = max(shapely.get_parts(shape.buffer(0)), key=shapely.area)
        made[i] = shape
    return made


def write(folder: Path, numbers: list[int]) -> None:
    """Write layers and sites as GeoParquet."""
    import geopandas as gpd

    folder.mkdir(parents=True, exist_ok=True)
    named = {**layers(), **{f"sites_{n}": sites(n) for n in numbers}}
    for name, shapes in named.items():
        frame = gpd.GeoDataFrame({"id": np.arange(len(shapes))}, geometry=shapes, crs=CRS)
        frame.to_parquet(folder / f"{name}.parquet")
        print(f"{name}: {len(shapes)} features, {shapely.get_num_coordinates(shapes).sum()} vertices")


if __name__ == "__main__":
    write(Path(sys.argv[1]), [int(n) for n in sys.argv[2:]] or [1000])
