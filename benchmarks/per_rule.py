"""How much processor time and memory a rule needs, for comparing versions and books on the same layers and sites.

Layers are read and loops are loaded before the clock starts. Run it in each of two trees, in turns, with real-time priority::

    chrt -r 8 python benchmarks/per_rule.py CITY [--layers-of OTHER] [--ids-of OTHER] [--n 1000] [--runs 5]

`--layers-of` leaves out the rules about layers that the city in OTHER does not have, `--ids-of` those whose id its book does
not have.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
AS_OF = "2026-11-21"
#: Activities that every version of the vocabulary has.
ACTIVITIES = (
    "housing",
    "factory",
    "road",
    "quarrying",
    "solar-power",
    "livestock",
    "school",
    "ecotourism",
    "mining",
    "logistics",
)


def screened(city: Any, frame: Any) -> tuple[float, int]:
    """Screen once; return the processor time (s) and the number of findings."""
    import lzgis as lz

    worked = time.process_time()
    found = len(lz.screen(frame, city, as_of=AS_OF).findings)
    return time.process_time() - worked, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("city", type=Path)
    parser.add_argument("--layers-of", type=Path)
    parser.add_argument("--ids-of", type=Path)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    import datetime as dt

    import geopandas as gpd
    import numpy as np

    import lzgis as lz
    from benchmarks.workload import sites

    city = lz.open_catalogue(given.city)
    rules = city.book.rules
    if given.layers_of:
        present = lz.open_catalogue(given.layers_of).layers
        rules = tuple(one for one in rules if one.layer in present)
    if given.ids_of:
        ids = {one.id for one in lz.open_catalogue(given.ids_of).book.rules}
        rules = tuple(one for one in rules if one.id in ids)
    city.__dict__["book"] = replace(city.book, rules=rules)
    shapes = city.plane.unproject(sites(given.n))
    names = [f"s{i}" for i in range(given.n)]
    activity = np.random.default_rng(1).choice(ACTIVITIES, given.n)
    frame = gpd.GeoDataFrame({"id": names, "name": names, "activity": activity}, geometry=shapes, crs="EPSG:4490")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    screened(city, frame)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    took = [screened(city, frame) for _ in range(given.runs)]
    in_force = sum(one.in_force(dt.date.fromisoformat(AS_OF)) for one in rules)
    cpu = sorted(one for one, _ in took)[len(took) // 2]
    said = {
        "n": given.n,
        "rules": in_force,
        "findings": took[0][1],
        "cpu_s": round(cpu, 3),
        "peak_grows_mb": round(grown),
    }
    print(json.dumps(said | {"ms_per_rule": round(1e3 * cpu / in_force, 2)}))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
