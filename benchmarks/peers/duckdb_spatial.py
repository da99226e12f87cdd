"""DuckDB with its spatial extension, features cut into pieces if CUT; the nearest by rings of growing width.

The extension is taken from the wheel ``duckdb-extension-spatial``, which must be of DuckDB's version.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_spatial
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from benchmarks.peers.common import LAYERS, POLYGONS, Answer, answer, run, shapes, subdivided, without

RINGS = [300.0, 2_000.0, 12_000.0, 200_000.0]


CUT = True


def whole(folder: Path, name: str) -> pa.Table:
    """Return the features of a layer as they are."""
    features = shapes(folder, name)
    return pa.table({"id": np.arange(len(features)), "wkb": list(shapely.to_wkb(features))})


def cut(folder: Path, name: str) -> pa.Table:
    """Return the features of a layer in pieces, which are made once."""
    kept = folder / f"{name}_cut.parquet"
    if not kept.exists():
        pieces = [subdivided(one) for one in shapes(folder, name)]
        owner = np.repeat(np.arange(len(pieces)), [len(p) for p in pieces])
        wkb = shapely.to_wkb(np.array([p for part in pieces for p in part], dtype=object))
        pq.write_table(pa.table({"id": owner, "wkb": list(wkb)}), kept)
    return pq.read_table(kept)


def prepare(folder: Path, n: int) -> Any:
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": "2"})
    wheel = Path(duckdb_extension_spatial.__file__).parent
    connection.execute(f"LOAD '{next(wheel.rglob('spatial.duckdb_extension'))}'")
    sites = shapes(folder, f"sites_{n}")
    tables = {"sites": pa.table({"id": np.arange(n), "wkb": list(shapely.to_wkb(sites))})}
    tables.update({name: (cut if CUT else whole)(folder, name) for name in LAYERS})
    for name, table in tables.items():
        connection.register("given", table)
        connection.execute(f"CREATE TABLE {name} AS SELECT id, ST_GeomFromWKB(wkb) AS geom FROM given")
    flat = shapely.get_dimensions(sites) == 2
    connection.register("flat", pa.table({"id": np.flatnonzero(flat)}))
    connection.execute("CREATE TABLE polygons AS SELECT sites.* FROM sites JOIN flat USING (id)")
    return connection, n


def compute(state: Any) -> Answer:
    connection, n = state
    pairs, distances = {}, {}
    for name in LAYERS:
        free = np.arange(n)
        if name in POLYGONS:
            rows = connection.execute(
                f"""SELECT s.id AS site, f.id AS feature, sum(ST_Area(ST_Intersection(s.geom, f.geom))) AS area
                    FROM polygons s JOIN {name} f ON ST_Intersects(s.geom, f.geom) GROUP BY ALL"""
            ).fetchnumpy()
            pairs[name] = (rows["site"], rows["feature"], rows["area"])
            free = without(n, rows["site"][rows["area"] > 0])
        distances[name] = np.zeros(n)
        for width in RINGS:
            if not len(free):
                break
            connection.register("free", pa.table({"id": free}))
            rows = connection.execute(
                f"""WITH s AS (SELECT id, geom, ST_Expand(geom, {width}) AS around FROM sites JOIN free USING (id))
                    SELECT s.id AS site, min(ST_Distance(s.geom, f.geom)) AS far
                    FROM s JOIN {name} f ON ST_Intersects(s.around, f.geom) GROUP BY s.id"""
                if width < RINGS[-1]
                else f"""SELECT s.id AS site, min(ST_Distance(s.geom, f.geom)) AS far
                    FROM sites s JOIN free USING (id), {name} f GROUP BY s.id"""
            ).fetchnumpy()
            near = rows["far"] <= width
            distances[name][rows["site"][near]] = rows["far"][near]
            free = np.setdiff1d(free, rows["site"][near])
    return answer(pairs, distances)


if __name__ == "__main__":
    run(prepare, compute)
