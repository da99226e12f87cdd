"""PostGIS with its features cut by ST_Subdivide; the intersections are stored as geometries and united."""

from __future__ import annotations

from benchmarks.peers import postgis
from benchmarks.peers.common import run

postgis.SUBDIVIDED = postgis.PARTS = True

if __name__ == "__main__":
    run(postgis.prepare, postgis.compute)
