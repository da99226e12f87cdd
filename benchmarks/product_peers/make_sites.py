"""Write sites of the workload over the frozen city, each with an activity drawn from the vocabulary of its rule book.

python -m benchmarks.product_peers.make_sites N FILE.gpkg
"""

from __future__ import annotations

import sys
from pathlib import Path

import geopandas as gpd
import numpy as np

import lzgis as lz
from benchmarks.detailed import FROZEN
from benchmarks.workload import sites


def make_sites(n: int, path: Path) -> None:
    city = lz.open_catalogue(FROZEN)
    ids = [f"s{i}" for i in range(n)]
    activity = np.random.default_rng(1).choice(list(city.book.activities), n)
    columns = {"id": ids, "name": ids, "activity": activity}
    frame = gpd.GeoDataFrame(columns, geometry=city.plane.unproject(sites(n)), crs="EPSG:4490")
    made = path.with_suffix(".part.gpkg")
    made.unlink(missing_ok=True)
    frame.to_file(made, layer="sites")
    made.replace(path)


if __name__ == "__main__":
    make_sites(int(sys.argv[1]), Path(sys.argv[2]))
