"""The geometry floor of this project, by the functions that a screening calls: the sizes of overlaps, and nearest features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.peers.common import LAYERS, POLYGONS, Answer, answer, run, shapes
from lzgis.geometry import FeatureIndex, SiteShapes, nearest_rounded, overlapping, ready_loops
from lzgis.geometry.sites_to_layer import laid_out


def prepare(folder: Path, n: int) -> Any:
    indexes = {name: FeatureIndex(shapes(folder, name)) for name in LAYERS}
    ready_loops()
    for index in indexes.values():
        laid_out(index)
    return shapes(folder, f"sites_{n}"), indexes


def compute(state: Any) -> Answer:
    geometries, indexes = state
    sites = SiteShapes(geometries)
    found = {name: overlapping(sites, indexes[name]) for name in POLYGONS}
    pairs = {name: (one.left, one.right, one.area) for name, one in found.items()}
    return answer(pairs, {name: nearest_rounded(sites, index).distance for name, index in indexes.items()})


if __name__ == "__main__":
    run(prepare, compute)
