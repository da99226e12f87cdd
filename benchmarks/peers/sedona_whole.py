"""SedonaDB with its features as they are."""

from __future__ import annotations

from benchmarks.peers import sedona_db
from benchmarks.peers.common import run

sedona_db.CUT = False

if __name__ == "__main__":
    run(sedona_db.prepare, sedona_db.compute)
