"""This project's geometry floor."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.peers.common import LAYERS, POLYGONS, Answer, answer, run, shapes
from lzgis.geometry import LayerIndex, areas_and_distances, decided_measures

THREADS = os.cpu_count() or 1


def prepare(folder: Path, n: int) -> Any:
    sites = shapes(folder, f"sites_{n}")
    layers = {name: shapes(folder, name) for name in LAYERS}
    with ThreadPoolExecutor(THREADS) as pool:
        built = pool.map(LayerIndex.build, layers.values())
        indexes = dict(zip(layers, built, strict=True))
    # The compiled loops are loaded here, as the peers load their extensions.
    areas_and_distances(sites[:1], indexes)
    return sites, layers, indexes


def compute(state: Any) -> Answer:
    sites, layers, indexes = state
    found = areas_and_distances(sites, indexes, threads=THREADS)
    found = decided_measures(found, sites, indexes, layers)
    areas = {name: found[name].areas for name in POLYGONS}
    pairs = {name: (one.left, one.right, one.area) for name, one in areas.items()}
    return answer(pairs, {name: one.nearest.distance for name, one in found.items()})


if __name__ == "__main__":
    run(prepare, compute)
