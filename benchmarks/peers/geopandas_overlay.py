"""geopandas: overlay, then sjoin_nearest for the sites without an overlap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from benchmarks.peers.common import LAYERS, POLYGONS, Answer, answer, run, without


def prepare(folder: Path, n: int) -> Any:
    sites = gpd.read_parquet(folder / f"sites_{n}.parquet").rename(columns={"id": "site"})
    layers = {name: gpd.read_parquet(folder / f"{name}.parquet").rename(columns={"id": "feature"}) for name in LAYERS}
    return sites, layers


def compute(state: Any) -> Answer:
    sites, layers = state
    polygons = sites[sites.geom_type.isin(["Polygon", "MultiPolygon"])]
    pairs, distances = {}, {}
    for name, layer in layers.items():
        free = np.arange(len(sites))
        if name in POLYGONS:
            common = gpd.overlay(polygons, layer, how="intersection", keep_geom_type=True)
            pairs[name] = (common["site"], common["feature"], common.area)
            free = without(len(sites), common["site"])
        near = gpd.sjoin_nearest(sites.iloc[free], layer, distance_col="far").drop_duplicates("site")
        distances[name] = np.zeros(len(sites))
        distances[name][near["site"].to_numpy()] = near["far"].to_numpy()
    return answer(pairs, distances)


if __name__ == "__main__":
    run(prepare, compute)
