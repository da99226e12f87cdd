"""This project's geometry floor, with the common part of every pair made as a geometry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import shapely

from benchmarks.peers import lzgis_kernel
from benchmarks.peers.common import POLYGONS, Answer, answer, run
from lzgis.geometry import SiteShapes, common_parts, nearest_rounded, overlapping


def prepare(folder: Path, n: int) -> Any:
    return lzgis_kernel.prepare(folder, n)


def compute(state: Any) -> Answer:
    geometries, indexes = state
    sites = SiteShapes(geometries)
    pairs = {}
    for name in POLYGONS:
        found = overlapping(sites, indexes[name])
        made = common_parts(sites, indexes[name], found)
        # What is compared is the area of what was made.
        pairs[name] = (found.left, found.right, shapely.area(made))
    return answer(pairs, {name: nearest_rounded(sites, index).distance for name, index in indexes.items()})


if __name__ == "__main__":
    run(prepare, compute)
