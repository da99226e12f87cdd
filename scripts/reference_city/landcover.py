"""Land cover of two dates, consistent with the layers, with known conversions placed inside the redline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
from rasterio.features import rasterize
from rasterio.windows import Window
from scipy import ndimage

from lzgis.rasters.cover import covers
from lzgis.rasters.grid import Grid, open_grid

from . import places
from .frame import SEED, Frame
from .layers import Layers
from .noise import fractal

NOTHING, CROPS, FOREST, GRASS, WATER, BUILT, BARE = range(7)
NAMES = {CROPS: "耕地", FOREST: "林地", GRASS: "草地", WATER: "水域", BUILT: "建设用地", BARE: "未利用地"}
FOREST_SHARE = 0.6821
BUILT_KM2, BARE_KM2, GRASS_KM2 = 74.0, 6.0, 230.0
#: Conversions inside the redline: function, class before, class after, rows, columns; no function: across its border.
PLANTED = [
    ("水源涵养", FOREST, BUILT, 2, 3),
    ("生物多样性维护", FOREST, CROPS, 4, 2),
    ("水土保持", GRASS, FOREST, 3, 5),
    ("水源涵养", FOREST, BARE, 1, 1),
    ("", FOREST, BARE, 3, 3),
]


@dataclass(frozen=True)
class Patch:
    """One planted conversion: its block of cells, and the class before and after."""

    rows: slice
    columns: slice
    before: int
    after: int


@dataclass(frozen=True)
class LandGrid:
    """The inputs of the land cover: arrays on the grid of the terrain, and the layers."""

    grid: Grid
    height: np.ndarray
    area: np.ndarray
    share: np.ndarray
    layers: Layers

    def burn(self, name: str) -> np.ndarray:
        """Mark the cells whose centre lies in a layer."""
        shapes = [(f["geometry"], 1) for f in self.layers[name]]
        return rasterize(shapes, out_shape=self.grid.shape, transform=self.grid.transform).astype(bool)

    def cover(self, geometries: list[Any]) -> np.ndarray:
        """Give the share of each cell that polygons cover."""
        found = np.zeros(self.grid.shape)
        whole = Window(0, 0, self.grid.shape[1], self.grid.shape[0])
        for one in covers(self.grid, np.array([shapely.union_all(geometries)], dtype=object), whole):
            found[one.row, one.column] += one.share
        return found

    def noise(self, cells: float, seed: int) -> np.ndarray:
        """Draw a smooth field."""
        return fractal(self.grid.shape, cells, SEED + seed, 4)


def write_land_cover(frame: Frame, layers: Layers, folder: Path) -> list[str]:
    """Write land cover of 2015 and 2020 on the grid of the terrain; return the figures for the README."""
    land = _land_grid(layers, folder / "dem.tif")
    functions = {
        name: land.cover([f["geometry"] for f in layers["redline"] if f["function"] == name])
        for name, *_ in places.FUNCTIONS
    }
    redline = np.minimum(sum(functions.values()), 1.0)
    late = _classes(land, redline)
    patches = _plant(late, functions, redline)
    _forest(land, late, redline, patches)
    early = _earlier(land, late, redline, patches)
    for year, classes in ((2015, early), (2020, late)):
        _write(folder / f"landcover_{year}.tif", land.grid, np.where(land.share > 0, classes, NOTHING))
    return _figures(frame, land, late, patches)


def _land_grid(layers: Layers, dem: Path) -> LandGrid:
    grid = open_grid(dem)
    whole = Window(0, 0, grid.shape[1], grid.shape[0])
    height = np.asarray(grid.read(whole).filled(0), dtype=np.float32)
    bare = LandGrid(grid, height, np.repeat(grid.cell_areas(whole), grid.shape[1], axis=1), np.zeros(0), layers)
    return LandGrid(grid, height, bare.area, bare.cover([layers["city"][0]["geometry"]]), layers)


def _classes(land: LandGrid, redline: np.ndarray) -> np.ndarray:
    """Set water, farmland and built-up land, which follow the layers; the rest stays open (0)."""
    out = np.zeros(land.grid.shape, dtype=np.uint8)
    out[land.burn("farmland")] = CROPS
    near = _near_towns(land)
    score = 1.4 * np.exp(-near / 22) + 0.35 * land.noise(14, 71) + 0.9 * land.burn("industrial_parks")
    score = np.where(land.burn("town_boundary") & (redline == 0) & (out == 0), score, -np.inf)
    out[_most(land, score, BUILT_KM2)] = BUILT
    wet = land.cover([f["geometry"] for n in ("rivers", "reservoirs") for f in land.layers[n]])
    out[wet >= 0.5] = WATER
    return out


def _near_towns(land: LandGrid) -> np.ndarray:
    """Distance of each cell from the nearest town seat, in cells."""
    seats = np.ones(land.grid.shape, dtype=bool)
    for lon, lat in places.TOWNSHIPS.values():
        move = land.grid.transform
        seats[int((lat - move.f) / move.e), int((lon - move.c) / move.a)] = False
    return ndimage.distance_transform_edt(seats)


def _most(land: LandGrid, score: np.ndarray, km2: float) -> np.ndarray:
    """Choose the cells of highest score whose area inside the city adds up to `km2`."""
    order = np.argsort(-score, axis=None, kind="stable")
    order = order[np.isfinite(score.ravel()[order])]
    total = np.cumsum((land.area * land.share).ravel()[order]) / 1e6
    chosen = np.zeros(score.size, dtype=bool)
    chosen[order[: int(np.searchsorted(total, km2)) + 1]] = True
    return chosen.reshape(score.shape)


def _plant(late: np.ndarray, functions: dict[str, np.ndarray], redline: np.ndarray) -> list[Patch]:
    """Place the conversions deep inside their function type, one across the redline's border; set their later class."""
    free = late == NOTHING
    patches: list[Patch] = []
    taken = np.ones(late.shape, dtype=bool)
    for function, before, after, tall, wide in PLANTED:
        spacing = np.minimum(ndimage.distance_transform_edt(taken), 60) / 60
        if function:
            depth = ndimage.distance_transform_edt((functions[function] > 0.999) & free)
            score = np.where(depth > 8, depth, -1) * spacing
        else:
            half = ndimage.uniform_filter(redline, 3)
            open_land = ndimage.minimum_filter(free & (late == NOTHING), 5)
            score = np.where(open_land, -np.abs(half - 0.6), -1) + spacing
        row, column = (int(v) for v in np.unravel_index(int(np.argmax(score)), score.shape))
        rows = slice(row - tall // 2, row - tall // 2 + tall)
        columns = slice(column - wide // 2, column - wide // 2 + wide)
        patches.append(Patch(rows, columns, before, after))
        taken[rows, columns] = False
    for patch in patches:
        late[patch.rows, patch.columns] = patch.after
    return patches


def _forest(land: LandGrid, late: np.ndarray, redline: np.ndarray, patches: list[Patch]) -> None:
    """Fill the open cells: grass and bare land by height and noise, forest to its exact share, cropland elsewhere."""
    city_km2 = float((land.area * land.share).sum()) / 1e6
    open_land = late == NOTHING
    around = np.zeros(late.shape, dtype=bool)
    for patch in patches:
        around[patch.rows.start - 3 : patch.rows.stop + 3, patch.columns.start - 3 : patch.columns.stop + 3] = True
    rough = ndimage.gaussian_gradient_magnitude(land.height, 1.5)
    score = land.height / 400 + rough / 30 + 0.8 * land.noise(20, 72) + 1.5 * redline
    meadow = np.where(open_land & ~around, land.height / 500 + land.noise(26, 73) - 0.5 * redline, -np.inf)
    late[_most(land, meadow, GRASS_KM2)] = GRASS
    stones = np.where((late == NOTHING) & ~around & (redline == 0), land.noise(8, 74), -np.inf)
    late[_most(land, stones, BARE_KM2)] = BARE
    planted = float((land.area * land.share)[late == FOREST].sum()) / 1e6
    score = np.where(late == NOTHING, score + 9.0 * around, -np.inf)
    late[_most(land, score, FOREST_SHARE * city_km2 - planted)] = FOREST
    late[late == NOTHING] = CROPS


def _earlier(land: LandGrid, late: np.ndarray, redline: np.ndarray, patches: list[Patch]) -> np.ndarray:
    """Derive the earlier land cover: smaller towns, less forest; inside the redline only the planted conversions differ."""
    early = late.copy()
    outside = redline == 0
    grown = (late == BUILT) & outside & (_near_towns(land) + 6 * land.noise(10, 75) > 13)
    early[grown] = np.where(land.noise(9, 76) > 0.6, GRASS, CROPS)[grown]
    planted = (late == FOREST) & outside & (land.noise(12, 77) > 2.1)
    early[planted] = GRASS
    cleared = (late == CROPS) & outside & ~land.burn("farmland") & (land.noise(12, 78) > 1.9)
    early[cleared] = FOREST
    for patch in patches:
        early[patch.rows, patch.columns] = patch.before
        rim = (slice(patch.rows.start - 1, patch.rows.stop + 1), slice(patch.columns.start - 1, patch.columns.stop + 1))
        same = early[rim].copy()
        same[1:-1, 1:-1] = late[rim][1:-1, 1:-1]
        if (same != late[rim]).any():
            raise ValueError("a planted conversion touches another change")
    return early


def _write(path: Path, grid: Grid, classes: np.ndarray) -> None:
    profile = {
        "driver": "GTiff",
        "width": grid.shape[1],
        "height": grid.shape[0],
        "count": 1,
        "dtype": "uint8",
        "nodata": NOTHING,
        "crs": "EPSG:4490",
        "transform": grid.transform,
        "compress": "deflate",
        "zlevel": 9,
    }
    with rasterio.open(path, "w", **profile) as out:
        out.write(classes.astype(np.uint8), 1)


def _figures(frame: Frame, land: LandGrid, late: np.ndarray, patches: list[Patch]) -> list[str]:
    inside = land.area * land.share
    city = inside.sum()
    shares = ", ".join(f"{name} {inside[late == k].sum() / city:.4%}" for k, name in NAMES.items())
    lines = [f"Land cover of 2020, of {city / 1e6:.4f} km²: {shares}. Declared: forest 68.21 %.", ""]
    lines += [
        "| planted conversion, 2015 → 2020 | in the redline, m² | whole, m² | function | place |",
        "|---|---|---|---|---|",
    ]
    move = land.grid.transform
    for patch in patches:
        west, east = (move.c + k * move.a for k in (patch.columns.start, patch.columns.stop))
        north, south = (move.f + k * move.e for k in (patch.rows.start, patch.rows.stop))
        block = shapely.box(round(west, 6), round(south, 6), round(east, 6), round(north, 6))
        flat = frame.metres([block])[0]
        parts: dict[str, float] = {}
        for feature in land.layers["redline"]:
            if shapely.intersects(feature["geometry"], block):
                area = shapely.intersection(frame.metres([feature["geometry"]])[0], flat).area
                parts[feature["function"]] = parts.get(feature["function"], 0.0) + area
        name = f"{NAMES[patch.before]} → {NAMES[patch.after]}"
        place = f"{(west + east) / 2:.4f} E {(south + north) / 2:.4f} N"
        function = "、".join(sorted(parts))
        lines.append(f"| {name} | {sum(parts.values()):.1f} | {flat.area:.1f} | {function} | {place} |")
    return lines
