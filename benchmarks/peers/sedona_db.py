"""SedonaDB: a spatial join and a nearest-neighbour join, features cut into pieces if CUT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import sedonadb
import shapely

from benchmarks.peers.common import LAYERS, POLYGONS, Answer, answer, run, shapes, without
from benchmarks.peers.duckdb_spatial import cut, whole

CUT = True


def _table(context: Any, name: str, table: pa.Table) -> None:
    context.create_data_frame(table).to_view("given", overwrite=True)
    made = context.sql("SELECT id, ST_GeomFromWKB(wkb) AS geom FROM given").to_memtable()
    made.to_view(name, overwrite=True)


def prepare(folder: Path, n: int) -> Any:
    context = sedonadb.connect()
    sites = shapes(folder, f"sites_{n}")
    wkb = np.array(shapely.to_wkb(sites), dtype=object)
    _table(context, "sites", pa.table({"id": np.arange(n), "wkb": list(wkb)}))
    flat = np.flatnonzero(shapely.get_dimensions(sites) == 2)
    _table(context, "polygons", pa.table({"id": flat, "wkb": list(wkb[flat])}))
    for name in LAYERS:
        _table(context, name, (cut if CUT else whole)(folder, name))
    return context, wkb


def compute(state: Any) -> Answer:
    context, wkb = state
    n = len(wkb)
    pairs, distances = {}, {}
    for name in LAYERS:
        free = np.arange(n)
        if name in POLYGONS:
            rows = context.sql(
                f"""SELECT s.id AS site, f.id AS feature, sum(ST_Area(ST_Intersection(s.geom, f.geom))) AS area
                    FROM polygons s JOIN {name} f ON ST_Intersects(s.geom, f.geom) GROUP BY s.id, f.id"""
            ).to_pandas()
            pairs[name] = (rows["site"], rows["feature"], rows["area"])
            free = without(n, rows["site"][rows["area"] > 0])
        _table(context, "free", pa.table({"id": free, "wkb": list(wkb[free])}))
        rows = context.sql(
            f"""SELECT s.id AS site, min(ST_Distance(s.geom, f.geom)) AS far
                FROM free s JOIN {name} f ON ST_KNN(s.geom, f.geom, 1, false) GROUP BY s.id"""
        ).to_pandas()
        distances[name] = np.zeros(n)
        distances[name][rows["site"].to_numpy()] = rows["far"].to_numpy()
    return answer(pairs, distances)


if __name__ == "__main__":
    run(prepare, compute)
