"""PostGIS: GiST indexes, ST_Intersection where ST_CoveredBy does not spare it, nearest by the index's own order.

Needs a server that ``psycopg.connect("")`` reaches, with PostGIS; set PGHOST, PGUSER and their like. The tables are
temporary. With SUBDIVIDED, features are cut by ST_Subdivide first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow.parquet as pq

from benchmarks.peers.common import LAYERS, PIECE, POLYGONS, Answer, answer, run, without

SUBDIVIDED = False
#: Whether the intersections are stored as geometries, those of the pieces of one feature united.
PARTS = False


def _load(cursor: Any, folder: Path, name: str, table: str) -> None:
    column = pq.read_table(folder / f"{name}.parquet", columns=["geometry"])["geometry"].to_pylist()
    cursor.execute(f"CREATE UNLOGGED TABLE {table} (id integer, geom geometry)")
    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for i, shape in enumerate(column):
            copy.write_row((i, shape.hex()))


def prepare(folder: Path, n: int) -> Any:
    connection = psycopg.connect("", autocommit=True)
    cursor = connection.cursor()
    cursor.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    cursor.execute("DROP SCHEMA IF EXISTS bench CASCADE; CREATE SCHEMA bench; SET search_path = bench, public")
    cursor.execute("SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET jit = off")
    cursor.execute("SET work_mem = '256MB'; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0")
    for name in [f"sites_{n}", *LAYERS]:
        table = "sites" if name.startswith("sites") else name
        _load(cursor, folder, name, table)
        if SUBDIVIDED and table != "sites":
            cursor.execute(
                f"ALTER TABLE {table} RENAME TO {table}_whole;"
                f"CREATE UNLOGGED TABLE {table} AS SELECT id, ST_Subdivide(geom, {PIECE}) AS geom FROM {table}_whole"
            )
        cursor.execute(f"CREATE INDEX ON {table} USING gist (geom); ANALYZE {table}")
    return cursor, n


def compute(state: Any) -> Answer:
    cursor, n = state
    pairs, distances = {}, {}
    for name in LAYERS:
        free = np.arange(n)
        if name in POLYGONS:
            if PARTS:
                cursor.execute("DROP TABLE IF EXISTS parts")
                cursor.execute(
                    f"""CREATE UNLOGGED TABLE parts AS SELECT s.id AS site, f.id AS feature,
                        ST_Union(ST_CollectionExtract(CASE WHEN ST_CoveredBy(s.geom, f.geom) THEN s.geom
                        ELSE ST_Intersection(s.geom, f.geom) END, 3)) AS geom
                        FROM sites s JOIN {name} f ON ST_Intersects(s.geom, f.geom)
                        WHERE ST_Dimension(s.geom) = 2 GROUP BY s.id, f.id"""
                )
                cursor.execute("SELECT site, feature, ST_Area(geom) FROM parts")
            else:
                cursor.execute(
                    f"""SELECT s.id, f.id, sum(CASE WHEN ST_CoveredBy(s.geom, f.geom) THEN ST_Area(s.geom)
                        ELSE ST_Area(ST_Intersection(s.geom, f.geom)) END)
                        FROM sites s JOIN {name} f ON ST_Intersects(s.geom, f.geom)
                        WHERE ST_Dimension(s.geom) = 2 GROUP BY s.id, f.id"""
                )
            rows = np.array(cursor.fetchall(), dtype=float).reshape(-1, 3)
            pairs[name] = (rows[:, 0], rows[:, 1], rows[:, 2])
            free = without(n, rows[rows[:, 2] > 0, 0])
        cursor.execute("DROP TABLE IF EXISTS free")
        cursor.execute("CREATE UNLOGGED TABLE free (id integer)")
        with cursor.copy("COPY free FROM STDIN") as copy:
            for i in free:
                copy.write_row((int(i),))
        cursor.execute(
            f"""SELECT s.id, f.far FROM free JOIN sites s USING (id), LATERAL (
                SELECT s.geom <-> g.geom AS far FROM {name} g ORDER BY s.geom <-> g.geom LIMIT 1) f"""
        )
        rows = np.array(cursor.fetchall(), dtype=float).reshape(-1, 2)
        distances[name] = np.zeros(n)
        distances[name][rows[:, 0].astype(int)] = rows[:, 1]
    return answer(pairs, distances)


if __name__ == "__main__":
    run(prepare, compute)
