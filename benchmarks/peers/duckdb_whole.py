"""DuckDB with its features as they are."""

from __future__ import annotations

from benchmarks.peers import duckdb_spatial
from benchmarks.peers.common import run

duckdb_spatial.CUT = False

if __name__ == "__main__":
    run(duckdb_spatial.prepare, duckdb_spatial.compute)
