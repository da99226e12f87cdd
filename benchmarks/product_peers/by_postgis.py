"""The screening as a skilled user of PostGIS writes it: sets in SQL over subdivided layers, in one session a core.

    python -m benchmarks.product_peers.by_postgis SITES PREPARED OUT.parquet ADDRESS

Sites are copied in, and rows are copied out. The last line is JSON with the seconds of each step; compute is all but start, reading and
writing.
"""

from __future__ import annotations

import time

_BEGUN = time.perf_counter()

import io  # noqa: E402 (the imports are timed)
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from collections import defaultdict  # noqa: E402
from concurrent.futures import ThreadPoolExecutor  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import psycopg  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.csv as csv  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
import pyogrio  # noqa: E402

from benchmarks.product_peers.load_postgis import SRID, pieces_of  # noqa: E402

SESSIONS = os.cpu_count() or 1
_COLUMNS = ["site_id", "rule", "ref", "kind", "state", "area", "area_possible", "dist", "reach"]
_TEXTS = 5


def copy_in(db: psycopg.Connection, path: Path) -> None:
    _, _, shapes, (ids, activities) = pyogrio.raw.read(path, columns=["id", "activity"])
    db.execute("DROP TABLE IF EXISTS given; CREATE UNLOGGED TABLE given (id text, activity text, geom geometry)")
    with db.cursor().copy("COPY given FROM STDIN") as copy:
        for one, activity, shape in zip(ids, activities, shapes, strict=True):
            copy.write_row((one, activity, shape.hex()))


def place(db: psycopg.Connection, outline: str) -> None:
    """Project the sites, clip them to the city, and deal them out to the sessions."""
    db.execute("DROP TABLE IF EXISTS site")
    db.execute(
        f"""CREATE UNLOGGED TABLE site AS
        WITH s AS MATERIALIZED (SELECT row_number() OVER () AS k, id, activity,
            ST_Transform(ST_SetSRID(geom, 4490), {SRID}) AS geom FROM given)
        SELECT k, id, activity, s.geom, ST_Dimension(s.geom) AS dim, k % {SESSIONS} AS part,
            CASE WHEN ST_ContainsProperly(c.geom, s.geom) THEN s.geom
                WHEN ST_Intersects(c.geom, s.geom) THEN ST_Intersection(s.geom, c.geom) END AS inside
        FROM s CROSS JOIN (SELECT ST_Union(geom) AS geom FROM {outline}) c"""
    )


class Session:
    """One connection that answers every rule for its part of the sites."""

    def __init__(self, address: str, part: int, rules: list[dict[str, Any]]) -> None:
        self.db, self.rules, self.laps = psycopg.connect(address, autocommit=True), rules, defaultdict(float)
        self.last = time.perf_counter()
        self.do("SET max_parallel_workers_per_gather = 0; SET client_min_messages = error")
        self.do(f"CREATE TEMP TABLE s AS SELECT * FROM site WHERE part = {part}")
        self.do("ALTER TABLE s ADD PRIMARY KEY (k); CREATE INDEX ON s USING gist (geom); ANALYZE s")
        texts, numbers = _COLUMNS[:_TEXTS], _COLUMNS[_TEXTS:]
        columns = ", ".join([f"{c} text" for c in texts] + [f"{c} float8" for c in numbers])
        self.do(f"CREATE TEMP TABLE answer ({columns})")

    def do(self, statement: str) -> None:
        self.db.execute(statement)

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] += now - self.last
        self.last = now

    def run(self) -> None:
        by_layer = defaultdict(list)
        for rule in self.rules:
            if rule["kind"] != "keep_away":
                by_layer[rule["features"], rule["kind"] != "avoid"].append(rule)
        for (layer, clipped), own in by_layer.items():
            self.overlay(layer, "inside" if clipped else "geom", own)
        by_baseline: dict[str, dict[tuple[float, float], list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        for rule in self.rules:
            if rule["kind"] == "keep_away":
                by_baseline[rule["features"]][rule["distance_m"], rule["zone_distance_m"]].append(rule)
        for baseline, by_distance in by_baseline.items():
            self.corridors(baseline, by_distance)

    def overlay(self, layer: str, shape: str, rules: list[dict[str, Any]]) -> None:
        self.do(
            f"""DROP TABLE IF EXISTS common; CREATE TEMP TABLE common AS
            SELECT k, n, dim, sum(a) AS area FROM (SELECT s.k, p.n, s.dim, CASE WHEN s.dim < 2 THEN 0
                WHEN ST_CoveredBy(s.{shape}, p.geom) THEN ST_Area(s.{shape})
                ELSE ST_Area(ST_Intersection(s.{shape}, p.geom)) END AS a
              FROM s JOIN {layer}_pieces p ON ST_Intersects(s.{shape}, p.geom)
              WHERE s.activity IN ({_meant(rules)})) z
            GROUP BY k, n, dim HAVING dim = 0 OR sum(a) > 1e-4"""
        )
        self.do("CREATE INDEX ON common (k); ANALYZE common")
        self.lap("overlay")
        for rule in rules:
            if rule["kind"] == "stay_inside":
                self.outside(rule)
                continue
            self.do(
                f"""INSERT INTO answer SELECT s.id, '{rule["id"]}', f.fid, '{rule["kind"]}', 'hit',
                    CASE WHEN c.dim = 2 THEN c.area END, NULL, 0, NULL
                FROM common c JOIN s USING (k) JOIN {layer} f USING (n)
                JOIN matching m ON m.rule = '{rule["id"]}' AND m.n = c.n
                WHERE s.activity IN ({_meant([rule])})"""
            )
        same = defaultdict(list)
        for rule in rules:
            if rule["kind"] == "avoid":
                same[pieces_of(rule)].append(rule)
        for pieces, own in same.items():
            self.nearest(layer, pieces, own)
        self.lap("rows, nearest")

    def nearest(self, layer: str, pieces: str, rules: list[dict[str, Any]]) -> None:
        self.do(
            f"""DROP TABLE IF EXISTS near; CREATE TEMP TABLE near AS SELECT s.id, s.activity, x.n, x.d FROM s
            CROSS JOIN LATERAL (SELECT p.n, s.geom <-> p.geom AS d FROM {pieces} p ORDER BY s.geom <-> p.geom LIMIT 1) x
            WHERE s.activity IN ({_meant(rules)}) AND NOT EXISTS (SELECT FROM common c
                JOIN matching m ON m.n = c.n AND m.rule = '{rules[0]["id"]}' WHERE c.k = s.k)"""
        )
        for rule in rules:
            self.do(
                f"""INSERT INTO answer SELECT near.id, '{rule["id"]}', f.fid, 'avoid', 'clear', NULL, NULL, d, NULL
                FROM near JOIN {layer} f USING (n) WHERE activity IN ({_meant([rule])})"""
            )

    def outside(self, rule: dict[str, Any]) -> None:
        self.do(
            f"""INSERT INTO answer SELECT s.id, '{rule["id"]}', '', 'stay_inside',
                CASE WHEN out THEN 'hit' ELSE 'clear' END, CASE WHEN out AND s.dim = 2 THEN rest END, NULL, x.d, NULL
            FROM s LEFT JOIN (SELECT k, sum(area) AS area FROM common GROUP BY k) c USING (k)
            CROSS JOIN LATERAL (SELECT ST_Area(s.inside) - coalesce(c.area, 0) AS rest) r
            CROSS JOIN LATERAL (SELECT CASE WHEN s.dim = 2 THEN rest > 1e-4 ELSE c.k IS NULL END AS out) o
            CROSS JOIN LATERAL (SELECT s.inside <-> p.geom AS d FROM {rule["features"]}_pieces p
                ORDER BY s.inside <-> p.geom LIMIT 1) x
            WHERE s.inside IS NOT NULL AND s.activity IN ({_meant([rule])})"""
        )

    def corridors(self, baseline: str, by_distance: dict[tuple[float, float], list[dict[str, Any]]]) -> None:
        """Pairs and distances once a baseline, corridors once a distance."""
        everyone = _meant([rule for own in by_distance.values() for rule in own])
        found = self.db.execute(
            f"""SELECT max(known), {", ".join(f"max({_need(key)} + known + assumed)" for key in by_distance)}
            FROM {baseline}"""
        ).fetchone()
        if found[0] is None:
            return
        widest, reach = found[0], max(found[1:])
        self.do(
            f"""DROP TABLE IF EXISTS pair; CREATE TEMP TABLE pair AS
            SELECT k, n, min(d) AS d, ST_Collect(g) AS g FROM (SELECT s.k, p.n, ST_Distance(s.geom, p.geom) AS d, p.geom AS g
                FROM s JOIN {baseline}_pieces p ON p.geom && ST_Expand(s.geom, {reach})
                WHERE s.activity IN ({everyone})) z WHERE d <= {reach} GROUP BY k, n"""
        )
        self.do("ANALYZE pair")
        self.lap("corridors: pairs")
        self.do(
            f"""DROP TABLE IF EXISTS near; CREATE TEMP TABLE near AS
            SELECT s.k, s.id, s.activity, x.fid, greatest(x.d, 0) AS d FROM s
            CROSS JOIN LATERAL (SELECT s.geom <-> p.geom AS d FROM {baseline}_pieces p ORDER BY 1 LIMIT 1) z
            CROSS JOIN LATERAL (SELECT b.fid, ST_Distance(s.geom, p.geom) - b.known AS d FROM {baseline}_pieces p
                JOIN {baseline} b USING (n) WHERE ST_DWithin(s.geom, p.geom, z.d + {widest} + 1e-6) ORDER BY 2, b.n LIMIT 1) x
            WHERE s.activity IN ({everyone})"""
        )
        self.lap("corridors: nearest")
        for key, rules in by_distance.items():
            self.caught(baseline, key, rules)
            self.lap("corridors: areas")

    def caught(self, baseline: str, key: tuple[float, float], rules: list[dict[str, Any]]) -> None:
        self.do(
            f"""DROP TABLE IF EXISTS hit; CREATE TEMP TABLE hit AS
            WITH q AS (SELECT p.k, p.n, p.d, p.g, s.geom, s.dim, b.fid, b.object, b.known, b.assumed,
                    {_need(key)} + b.known AS need, ST_Dimension(p.g) AS line
                FROM pair p JOIN s USING (k) JOIN {baseline} b USING (n) WHERE s.activity IN ({_meant(rules)})),
            c AS MATERIALIZED (SELECT *, need - d > 1e-3 OR (need = 0 AND d = 0) AS certain FROM q
                WHERE need - d > 1e-3 OR (need = 0 AND d = 0) OR (assumed > 0 AND need + assumed - d > 1e-3)),
            parts AS MATERIALIZED (SELECT *, CASE WHEN certain AND dim = 2 THEN {_part("need")} END AS part,
                CASE WHEN assumed > 0 AND dim = 2 THEN {_part("need + assumed")} END AS wider FROM c),
            real AS (SELECT * FROM parts WHERE NOT (certain AND need = 0 AND dim = 2 AND ST_Area(part) <= 1e-4)),
            o AS (SELECT k, object, max(dim) AS dim, bool_or(assumed > 0) AS band,
                (array_agg(fid ORDER BY {_WORST}))[1] AS fid,
                (array_agg(greatest(d - known, 0) ORDER BY {_WORST}))[1] AS d,
                (array_agg(need + assumed ORDER BY {_WORST}))[1] AS reach,
                CASE WHEN count(part) > 1 THEN ST_Area(ST_Union(part)) ELSE coalesce(max(ST_Area(part)), 0) END AS area,
                CASE WHEN count(*) > 1 THEN ST_Area(ST_Union(coalesce(wider, part)))
                    ELSE max(ST_Area(coalesce(wider, part))) END AS possible
              FROM real GROUP BY k, object)
            SELECT * FROM o"""
        )
        for rule in rules:
            self.do(
                f"""INSERT INTO answer SELECT s.id, '{rule["id"]}', h.fid, 'keep_away', 'hit',
                    CASE WHEN h.dim = 2 THEN h.area END, CASE WHEN h.dim = 2 AND band THEN possible END, h.d, reach
                FROM hit h JOIN s USING (k) WHERE s.activity IN ({_meant([rule])})"""
            )
            self.do(
                f"""INSERT INTO answer SELECT id, '{rule["id"]}', fid, 'keep_away', 'clear', NULL, NULL, d, NULL
                FROM near WHERE activity IN ({_meant([rule])}) AND NOT EXISTS (SELECT FROM hit WHERE hit.k = near.k)"""
            )

    def copy_out(self) -> pa.Table:
        with self.db.cursor().copy("COPY answer TO STDOUT (FORMAT csv)") as copy:
            data = b"".join(copy)
        types = {c: pa.string() if i < _TEXTS else pa.float64() for i, c in enumerate(_COLUMNS)}
        return csv.read_csv(
            io.BytesIO(data),
            read_options=csv.ReadOptions(column_names=_COLUMNS),
            convert_options=csv.ConvertOptions(column_types=types),
        )


_WORST = "certain DESC, need + assumed - d DESC, n"


def _need(key: tuple[float, float]) -> str:
    return f"(CASE WHEN zone THEN {key[1]} ELSE {key[0]} END)"


def _part(radius: str) -> str:
    """Return the part of a site within a radius of its baseline: of lines, only what is near the site is buffered."""
    local = f"""CASE WHEN line = 1 THEN ST_LineMerge(ST_CollectionExtract(
        ST_ClipByBox2D(g, ST_Expand(geom, {radius} + 1)::box2d), 2)) ELSE g END"""
    return f"""ST_Intersection(geom, CASE WHEN {radius} = 0 THEN ST_UnaryUnion(g)
        ELSE ST_Buffer({local}, {radius}, 'quad_segs=64') END)"""


def _meant(rules: list[dict[str, Any]]) -> str:
    return "SELECT activity FROM meant WHERE rule IN ({})".format(", ".join(f"'{rule['id']}'" for rule in rules))


def main() -> None:
    path, folder, out, address = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    laps, last = {"start": time.perf_counter() - _BEGUN}, time.perf_counter()

    def lap(name: str) -> None:
        nonlocal last
        laps[name], last = time.perf_counter() - last, time.perf_counter()

    rules = json.loads((folder / "rules.json").read_text("utf-8"))
    outline = json.loads((folder / "plane.json").read_text("utf-8"))["outline"]
    with psycopg.connect(address, autocommit=True) as db:
        copy_in(db, path)
        lap("read sites")
        place(db, outline)
        lap("project, clip to the city")
    with ThreadPoolExecutor(SESSIONS) as pool:
        sessions = list(pool.map(lambda part: Session(address, part, rules), range(SESSIONS)))
        list(pool.map(Session.run, sessions))
        lap("rules")
        table = pa.concat_tables(pool.map(Session.copy_out, sessions))
    pq.write_table(table, out)
    lap("write")
    for session in sessions:
        session.db.close()
    compute = sum(s for name, s in laps.items() if name.partition(" ")[0] not in ("start", "read", "write"))
    own = {f"first session, {name}": round(s, 3) for name, s in sessions[0].laps.items()}
    shown = {name: round(s, 3) for name, s in laps.items()} | own
    print(json.dumps({"compute_s": compute, "rows": table.num_rows, "laps": shown}))


if __name__ == "__main__":
    main()
