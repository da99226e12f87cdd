"""This project's geometry floor, with the common part of every pair made as a geometry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import shapely

from benchmarks.peers import lzgis_kernel
from benchmarks.peers.common import POLYGONS, Answer, answer, run
from lzgis.geometry import FeatureIndex, areas_and_distances, decided_measures, parts_of


def prepare(folder: Path, n: int) -> Any:
    return lzgis_kernel.prepare(folder, n)


def compute(state: Any) -> Answer:
    sites, layers, indexes = state
    found = areas_and_distances(sites, indexes, threads=lzgis_kernel.THREADS)
    found = decided_measures(found, sites, indexes, layers)
    pairs = {}
    for name in POLYGONS:
        areas = found[name].areas
        made = parts_of(sites, FeatureIndex(layers[name]), areas, threads=lzgis_kernel.THREADS)
        # What is compared is the area of what was made.
        pairs[name] = (areas.left, areas.right, shapely.area(made))
    return answer(pairs, {name: one.nearest.distance for name, one in found.items()})


if __name__ == "__main__":
    run(prepare, compute)
