"""This project's geometry floor: layers laid out before and kept, the loops as machine code."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.common import LAYERS, POLYGONS, Answer, answer, run, shapes
from lzgis.geometry import LayerIndex, areas_and_distances, decided_measures
from lzgis.indexcache import file_key, kept_index, made_machine

THREADS = os.cpu_count() or 1


class Files(Mapping[str, np.ndarray]):
    """The layers' geometries, read only where floating point leaves a pair undecided."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, name: str) -> np.ndarray:
        return shapes(self.folder, name)

    def __iter__(self) -> Iterator[str]:
        return iter(LAYERS)

    def __len__(self) -> int:
        return len(LAYERS)


def prepare(folder: Path, n: int) -> Any:
    layers = Files(folder)

    def laid_out(name: str) -> LayerIndex:
        return kept_index(file_key(folder / f"{name}.parquet"), lambda: LayerIndex.build(layers[name]))

    with ThreadPoolExecutor(THREADS) as pool:
        indexes = dict(zip(LAYERS, pool.map(laid_out, LAYERS), strict=True))
    return shapes(folder, f"sites_{n}"), layers, indexes, made_machine()


def compute(state: Any) -> Answer:
    sites, layers, indexes, machine = state
    found = areas_and_distances(sites, indexes, threads=THREADS, machine=machine)
    found = decided_measures(found, sites, indexes, layers)
    areas = {name: found[name].areas for name in POLYGONS}
    pairs = {name: (one.left, one.right, one.area) for name, one in areas.items()}
    return answer(pairs, {name: one.nearest.distance for name, one in found.items()})


if __name__ == "__main__":
    run(prepare, compute)
