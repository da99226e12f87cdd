"""shapely as an expert would use it: a tree over the sites, predicates of prepared features, overlays only where needed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from benchmarks.peers.common import LAYERS, POLYGONS, Answer, answer, run, shapes, without


def prepare(folder: Path, n: int) -> Any:
    sites = shapes(folder, f"sites_{n}")
    return sites, {name: shapes(folder, name) for name in LAYERS}


def _areas(sites: np.ndarray, tree: shapely.STRtree, feature: shapely.Geometry) -> tuple[np.ndarray, np.ndarray]:
    shapely.prepare(feature)
    site = tree.query(feature, predicate="intersects")
    site = site[shapely.get_dimensions(sites[site]) == 2]
    whole = shapely.contains_properly(feature, sites[site])
    area = shapely.area(sites[site])
    area[~whole] = shapely.area(shapely.intersection(sites[site[~whole]], feature))
    return site, area


def compute(state: Any) -> Answer:
    sites, layers = state
    tree = shapely.STRtree(sites)
    pairs, distances = {}, {}
    with ThreadPoolExecutor(2) as pool:
        for name, features in layers.items():
            free = np.arange(len(sites))
            if name in POLYGONS:
                found = list(pool.map(lambda f: _areas(sites, tree, f), features))
                site = np.concatenate([s for s, _ in found])
                pairs[name] = (
                    site,
                    np.repeat(np.arange(len(found)), [len(s) for s, _ in found]),
                    np.concatenate([a for _, a in found]),
                )
                free = without(len(sites), site[pairs[name][2] > 0])
            index = shapely.STRtree(shapely.get_parts(features))
            chunks = np.array_split(free, 16)
            far = pool.map(lambda c: index.query_nearest(sites[c], return_distance=True, all_matches=False)[1], chunks)  # noqa: B023
            distances[name] = np.zeros(len(sites))
            distances[name][free] = np.concatenate(list(far))
    return answer(pairs, distances)


if __name__ == "__main__":
    run(prepare, compute)
