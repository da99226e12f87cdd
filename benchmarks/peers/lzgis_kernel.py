"""The geometry floor of this project: all areas and distances in one pass."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.peers.common import LAYERS, POLYGONS, Answer, answer, run, shapes
from lzgis.geometry import LayerIndex, areas_and_distances, decided_measures, ready_loops

THREADS = os.cpu_count() or 1


def prepare(folder: Path, n: int) -> Any:
    layers = {name: shapes(folder, name) for name in LAYERS}
    ready_loops()
    with ThreadPoolExecutor(THREADS) as pool:
        indexes = dict(zip(LAYERS, pool.map(LayerIndex.build, layers.values()), strict=True))
    return shapes(folder, f"sites_{n}"), layers, indexes


def compute(state: Any) -> Answer:
    sites, layers, indexes = state
    found = areas_and_distances(sites, indexes, threads=THREADS)
    found = decided_measures(found, sites, indexes, layers)
    areas = {name: found[name].areas for name in POLYGONS}
    pairs = {name: (one.left, one.right, one.area) for name, one in areas.items()}
    return answer(pairs, {name: one.nearest.distance for name, one in found.items()})


if __name__ == "__main__":
    run(prepare, compute)
