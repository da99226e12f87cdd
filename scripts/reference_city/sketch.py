"""Tools for the schematic layers of the plan: coarse zones, strips along lines, and scattered places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
import shapely.ops
from rasterio.features import shapes
from rasterio.transform import Affine
from scipy import ndimage

from . import places
from .frame import CELL_M, SEED, Frame, drop_small
from .layers import Feature, Layers, Scene
from .lines import distances
from .zoning import Terrain

REMARK = "示意"
TOWNS = list(places.TOWNSHIPS)


@dataclass
class Sketch:
    """The scene, the layers made so far, and the sites whose answers are known and must not change."""

    scene: Scene
    terrain: Terrain
    layers: Layers
    sites: list[Feature]

    @cached_property
    def frame(self) -> Frame:
        """The working frame."""
        return self.scene.frame

    @cached_property
    def inner(self) -> shapely.Geometry:
        """The city in metres, simplified and 60 m smaller, so that what is cut by it lies in the outline."""
        return shapely.buffer(shapely.simplify(self.frame.outline, 15), -60, join_style="mitre")

    @cached_property
    def whole(self) -> shapely.Geometry:
        """The city in metres, 0.5 m smaller, so that rounding leaves nothing outside the outline."""
        return shapely.buffer(self.frame.outline, -0.5, join_style="mitre")

    @cached_property
    def free(self) -> np.ndarray:
        """Cells well inside the city, and away from the sites with a known answer."""
        known = self.frame.metres([f["geometry"] for f in self.sites if f["id"].startswith("T")])
        return (self.frame.rim_m > 400) & ~self.frame.burn(shapely.buffer(known, 400), all_touched=True)

    def rng(self, number: int) -> np.random.Generator:
        """Make the random numbers of one layer."""
        return np.random.default_rng(SEED + 3000 + number)

    def metres(self, layer: str, /, **where: str) -> np.ndarray:
        """Return the geometries of a layer in metres, of the features with these values."""
        return self.frame.metres(
            [f["geometry"] for f in self.layers[layer] if all(f[k] == v for k, v in where.items())]
        )

    def town(self, x: float, y: float) -> str:
        """Name the township at a point."""
        row, col = self.frame.cell(x, y)
        return TOWNS[max(int(self.scene.zones.townships[row, col]), 1) - 1]

    def zones(self, labels: np.ndarray, *, block: int, cells: int, simplify_m: float) -> dict[int, Any]:
        """Trace labels (0 is nothing) on blocks of `block` cells: for each label one geometry in metres.

        Parts of fewer than `cells` blocks are left out. Neighbours are simplified together and share their borders.
        """
        half = block // 2
        coarse = labels[half::block, half::block].astype(np.int32)
        kept = np.zeros_like(coarse)
        for value in np.unique(coarse[coarse > 0]):
            kept[drop_small(coarse == value, cells)] = value
        west, _, _, north = self.frame.extent
        size = block * CELL_M
        traced = shapes(kept, mask=kept > 0, connectivity=4, transform=Affine(size, 0.0, west, 0.0, -size, north))
        pairs = [(shapely.Polygon(g["coordinates"][0], g["coordinates"][1:]), int(v)) for g, v in traced]
        parts = shapely.coverage_simplify(np.array([p for p, _ in pairs], dtype=object), simplify_m)
        found: dict[int, Any] = {}
        for value in sorted({v for _, v in pairs}):
            whole = shapely.union_all([p for p, (_, v) in zip(parts, pairs, strict=True) if v == value])
            found[value] = polygons_of(shapely.intersection(whole, self.whole))
        return {value: shape for value, shape in found.items() if not shape.is_empty}

    def scatter(self, mask: np.ndarray, count: int, gap_m: float, number: int) -> np.ndarray:
        """Choose `count` cells of a mask at random, `gap_m` or more apart; their centres in metres."""
        rows, cols = np.nonzero(mask & self.free)
        xy = np.column_stack([self.frame.xy[0][0, cols], self.frame.xy[1][rows, 0]])
        chosen: list[np.ndarray] = []
        for k in self.rng(number).permutation(len(xy)):
            if all(np.hypot(*(xy[k] - c)) >= gap_m for c in chosen):
                chosen.append(xy[k])
            if len(chosen) == count:
                return np.array(chosen)
        raise ValueError(f"room for {len(chosen)} of {count} places; set a smaller gap")

    def line(self, river: str, start: float = 0.0, stop: float = 1.0, *, simplify_m: float = 25) -> shapely.LineString:
        """Return a part of a river's course between two shares of its length, with few vertices."""
        whole = shapely.LineString(self.scene.courses[river].line)
        part = shapely.ops.substring(whole, start, stop, normalized=True)
        return shapely.simplify(part, simplify_m)

    def strip(self, river: str, start: float, stop: float, beyond_m: float) -> shapely.Geometry:
        """Return the strip along a part of a river to `beyond_m` outside its banks, by its mean width there."""
        course = self.scene.courses[river]
        share = distances(course.line) / distances(course.line)[-1]
        half = float(course.half_width[(share >= start) & (share <= stop)].mean())
        area = shapely.buffer(self.line(river, start, stop), half + beyond_m, quad_segs=2, cap_style="flat")
        return polygons_of(shapely.set_precision(shapely.intersection(area, self.inner), 0.01))

    def degrees(self, geometry: Any) -> Any:
        """Bring one geometry to degrees."""
        return self.frame.degrees([geometry])[0]


def polygons_of(geometry: Any) -> Any:
    """Keep the polygons of a geometry, as one polygon or multipolygon."""
    parts = [p for p in shapely.get_parts(geometry) if p.geom_type == "Polygon" and p.area > 1]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def numbered(prefix: str, rows: Sequence[Feature]) -> list[Feature]:
    """Give rows ids and the remark that they are schematic."""
    return [{"id": f"{prefix}{n:03d}", **row, "remark": REMARK} for n, row in enumerate(rows, 1)]


def dilated(mask: np.ndarray, metres: float) -> np.ndarray:
    """Grow a mask by a distance."""
    return np.asarray(ndimage.distance_transform_edt(~mask) * CELL_M <= metres)
