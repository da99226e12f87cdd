"""Load what `prepare` wrote into PostGIS: whole layers, subdivided layers with an index, rules. Done once, not timed.

python -m benchmarks.product_peers.load_postgis PREPARED ADDRESS
"""

from __future__ import annotations

import json
import sys
import zlib
from pathlib import Path

import geopandas as gpd
import psycopg
import shapely

from benchmarks.product_peers.prepare import BASELINE_PIECE, PIECE

SRID = 990001
_TYPES = {"object": "text", "known": "float8", "assumed": "float8", "zone": "bool", "fid": "text"}


def load(folder: Path, address: str) -> None:
    rules = json.loads((folder / "rules.json").read_text("utf-8"))
    plane = json.loads((folder / "plane.json").read_text("utf-8"))
    with psycopg.connect(address, autocommit=True) as db:
        db.execute("CREATE EXTENSION postgis")
        db.execute(
            "INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, proj4text, srtext) VALUES (%s, 'plane', %s, %s, %s)",
            (SRID, SRID, plane["proj"], plane["wkt"]),
        )
        for path in sorted(folder.glob("*.parquet")):
            _layer(db, path)
        _rules(db, rules)


def _layer(db: psycopg.Connection, path: Path) -> None:
    name, frame = path.stem, gpd.read_parquet(path)
    columns = [c for c in frame.columns if c in _TYPES]
    typed = ", ".join(f"{c} {_TYPES[c]}" for c in columns)
    db.execute(f"CREATE UNLOGGED TABLE {name} (n int, {typed}, geom geometry)")
    shapes = shapely.to_wkb(shapely.set_srid(frame.geometry.to_numpy(), SRID), hex=True, include_srid=True)
    with db.cursor().copy(f"COPY {name} (n, {', '.join(columns)}, geom) FROM STDIN") as copy:
        for n, (values, shape) in enumerate(zip(frame[columns].itertuples(index=False), shapes, strict=True)):
            copy.write_row((n, *values, shape))
    size = BASELINE_PIECE if "object" in columns else PIECE
    db.execute(f"CREATE UNLOGGED TABLE {name}_pieces AS SELECT n, ST_Subdivide(geom, {size}) AS geom FROM {name}")
    db.execute(f"CREATE INDEX {name}_tree ON {name}_pieces USING gist (geom)")
    db.execute(f"CLUSTER {name}_pieces USING {name}_tree")
    db.execute(f"ALTER TABLE {name} ADD PRIMARY KEY (n)")
    db.execute(f"VACUUM ANALYZE {name}_pieces")
    db.execute(f"ANALYZE {name}")


def _rules(db: psycopg.Connection, rules: list[dict]) -> None:
    db.execute("CREATE UNLOGGED TABLE meant (rule text, activity text)")
    db.execute("CREATE UNLOGGED TABLE matching (rule text, n int)")
    for table, key in (("meant", "activities"), ("matching", "which")):
        with db.cursor().copy(f"COPY {table} FROM STDIN") as copy:
            for rule in rules:
                for value in rule.get(key, []):
                    copy.write_row((rule["id"], value))
        db.execute(f"CREATE INDEX ON {table} (rule); ANALYZE {table}")
    # Of each choice of features that is not the whole layer, the pieces, for the search of the nearest.
    for rule in rules:
        if rule["kind"] != "keep_away" and not rule["whole"]:
            name = pieces_of(rule)
            chosen = f"SELECT * FROM {rule['features']}_pieces WHERE n = ANY(%s)"
            if db.execute("SELECT to_regclass(%s)", (name,)).fetchone()[0] is None:
                db.execute(f"CREATE UNLOGGED TABLE {name} AS SELECT * FROM {rule['features']}_pieces LIMIT 0")
                db.execute(f"INSERT INTO {name} {chosen}", (rule["which"],))
                db.execute(f"CREATE INDEX ON {name} USING gist (geom)")
                db.execute(f"VACUUM ANALYZE {name}")


def pieces_of(rule: dict) -> str:
    """Return the table with the pieces of the features of a rule."""
    if rule["whole"]:
        return f"{rule['features']}_pieces"
    return f"{rule['features']}_{zlib.crc32(repr(rule['which']).encode())}"


if __name__ == "__main__":
    load(Path(sys.argv[1]), sys.argv[2])
