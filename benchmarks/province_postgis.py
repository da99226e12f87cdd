"""How long the three rules of `province.py` take in lzgis and in PostGIS, in one run, with the answers compared.

    python benchmarks/province_postgis.py [SCALE] [SITES]

SCALE (0.1 by default) scales the vertices of the redline, SITES (1,000 by default) is the number of sites. Needs a server
with PostGIS (``apt-get install postgresql-15-postgis-3``), which is started here and removed again. Loading the layers into
PostGIS, where they are subdivided and indexed, is not counted; neither is the first run of lzgis, which caches the layers.

Each rule of overlap gives for each site the features that it meets with the common area, and where it meets none the distance
of the nearest; the corridor of 20 m along roads gives the area of each site in it. PostGIS measures in the equal-area plane of
the province, with one session per core; lzgis measures areas there too, and distances on the ellipsoid.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import shapely

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks import province
from benchmarks.product_peers.server import server
from lzgis.coordinates.plane import Plane

PIECE = 128
CORES = os.cpu_count() or 1
OVERLAPS = {"redline": "true", "units": "p.kind = 'priority'"}


def load(db: psycopg.Connection, folder: Path, plane: Plane) -> None:
    """Load layers and sites into PostGIS in the plane of the province; subdivide and index the layers."""
    db.execute("CREATE EXTENSION postgis")
    for name in ("redline", "units", "roads", "sites"):
        frame = gpd.read_file(folder / f"{name}.fgb")
        kinds = frame["class"] if "class" in frame else [""] * len(frame)
        db.execute(f"CREATE UNLOGGED TABLE {name} (id text, kind text, geom geometry)")
        shapes = shapely.to_wkb(plane.project(frame.geometry.to_numpy()), hex=True)
        with db.cursor().copy(f"COPY {name} FROM STDIN") as copy:
            for row in zip(frame["id"], kinds, shapes, strict=True):
                copy.write_row(row)
        if name != "sites":
            cut = f"SELECT id, kind, ST_Subdivide(geom, {PIECE}) AS geom FROM {name}"
            db.execute(f"CREATE UNLOGGED TABLE {name}_pieces AS {cut}")
            db.execute(f"CREATE INDEX {name}_tree ON {name}_pieces USING gist (geom)")
            db.execute(f"CLUSTER {name}_pieces USING {name}_tree")
        db.execute("ANALYZE")


def answers(address: str, part: int) -> list[tuple[str, str, str, float | None, float | None]]:
    """Return rule, site, feature, area and distance of some of the sites."""
    mine = f"(SELECT * FROM sites WHERE mod(hashtext(id)::bigint + 2147483648, {CORES}) = {part})"
    found = []
    with psycopg.connect(address) as db:
        for layer, which in OVERLAPS.items():
            found += db.execute(
                f"""WITH s AS MATERIALIZED {mine}, hit AS MATERIALIZED (
                  SELECT s.id AS site, p.id AS feature, sum(ST_Area(CASE WHEN ST_CoveredBy(s.geom, p.geom) THEN s.geom
                    ELSE ST_Intersection(s.geom, p.geom) END)) AS area
                  FROM s JOIN {layer}_pieces p ON ST_Intersects(s.geom, p.geom) AND {which} GROUP BY 1, 2)
                SELECT '{layer}', site, feature, area, NULL::float8 FROM hit WHERE area > 1e-4 UNION ALL
                SELECT '{layer}', s.id, x.id, NULL, x.d FROM s CROSS JOIN LATERAL (SELECT p.id, s.geom <-> p.geom AS d
                  FROM {layer}_pieces p WHERE {which} ORDER BY s.geom <-> p.geom LIMIT 1) x
                WHERE NOT EXISTS (SELECT FROM hit WHERE hit.site = s.id AND area > 1e-4)"""
            ).fetchall()
        found += db.execute(
            f"""WITH s AS MATERIALIZED {mine}, c AS MATERIALIZED (SELECT s.id AS site, p.id AS feature,
                ST_Intersection(s.geom, ST_Buffer(ST_Union(p.geom), 20, 'quad_segs=16')) AS part
              FROM s JOIN roads_pieces p ON ST_DWithin(s.geom, p.geom, 20) GROUP BY s.id, s.geom, p.id)
            SELECT 'roads', site, feature, ST_Area(part), NULL::float8 FROM c"""
        ).fetchall()
    return found


def compared(postgis: pd.DataFrame, ours: pd.DataFrame) -> str:
    """Return how many rows agree, and the largest difference of areas and distances."""
    hits = ours[ours["state"].isin(["涉及", "疑似边界误差"])]
    keys = ["rule", "site", "feature"]
    mine = hits.rename(columns={"site_id": "site", "feature_id": "feature"})[[*keys, "area_m2"]]
    theirs = postgis[postgis["area"].notna()]
    both = mine.merge(theirs, on=keys, how="outer")
    shared = both.dropna(subset=["area_m2", "area"])
    off = (shared["area_m2"] - shared["area"]).abs() / shared["area"].clip(lower=1.0)
    plain = shared["rule"] != "roads"
    clear = (
        ours[(ours["state"] == "不涉及") & (ours["rule"] != "roads")]
        .set_index(["rule", "site_id"])["distance_m"]
        .rename_axis(["rule", "site"])
    )
    far = postgis[postgis["area"].isna()].set_index(["rule", "site"])["distance"]
    apart = (clear - far).abs() / far.clip(lower=1.0)
    return (
        f"{len(mine):,} and {len(theirs):,} hits, {len(shared):,} in common; areas differ by {off[plain].max():.1e} at most, "
        f"those of corridors by {off[~plain].max():.1e} (circles are polygons in PostGIS); {len(clear):,} and {len(far):,} "
        f"distances differ by {apart.max():.1e} (the plane)"
    )


def main(scale: float = 0.1, sites: float = 1_000) -> None:
    """Make the province, run both, and print the figures."""
    province.SITES = int(sites)
    with tempfile.TemporaryDirectory() as place, server() as (address, _):
        folder, out = Path(place) / "province", Path(place) / "out"
        folder.mkdir()
        vertices = province.make_province(folder, scale)
        os.environ["XDG_CACHE_HOME"] = str(Path(place) / "cache")
        print(f"{vertices:,} vertices of redline, {int(sites):,} sites, {CORES} cores")
        command = [sys.executable, "-c", "from lzgis.cli.app import main; main()", "screen", str(folder / "sites.fgb")]
        command += ["--layers", str(folder), "--out", str(out), "--format", "parquet"]
        for run in ("first run", "second run"):
            start = time.perf_counter()
            subprocess.run(command, capture_output=True, check=False)
            spent = time.perf_counter() - start
            print(f"lzgis screen, {run}: {spent:.1f} s")
        plane = Plane(*province.PLANE_AT)
        start = time.perf_counter()
        with psycopg.connect(address, autocommit=True) as db:
            load(db, folder, plane)
        print(f"loading into PostGIS: {time.perf_counter() - start:.1f} s")
        start = time.perf_counter()
        with ThreadPoolExecutor(CORES) as pool:
            rows = [row for part in pool.map(lambda part: answers(address, part), range(CORES)) for row in part]
        theirs = time.perf_counter() - start
        print(f"PostGIS: {theirs:.1f} s, {theirs / spent:.2f} times as long")
        table = pd.DataFrame(rows, columns=["rule", "site", "feature", "area", "distance"])
        ours = pd.read_parquet(out / "findings.parquet")
        print(compared(table.astype({"area": np.float64, "distance": np.float64}), ours))


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
