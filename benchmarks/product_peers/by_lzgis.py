"""The screening in Python, from sites and layers in memory to the tables of findings and verdicts.

    python -m benchmarks.product_peers.by_lzgis SITES CITY

Layers are read and projected, and the compiled loops are loaded, before the clock starts. The first screening counts; that of
the same sites again follows, with what the first one left in memory.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import lzgis as lz
from lzgis.city.provenance import date_of
from lzgis.geometry import ready_loops
from lzgis.reading import read_sites
from lzgis.screening.run import screen_table
from lzgis.screening.setting import setting_of


def main() -> None:
    city = lz.open_catalogue(Path(sys.argv[2]))
    setting = setting_of(city, date_of("2026-11-21"))
    _ = setting.plane_layers
    sites = read_sites(sys.argv[1], near=city.outline)
    ready_loops(None)
    seconds, rows = [], 0
    for _ in range(2):
        table = replace(sites, frame=sites.frame.copy())
        begun = time.perf_counter()
        result = screen_table(table, setting)
        rows = len(result.findings) + 0 * len(result.verdicts)
        seconds.append(time.perf_counter() - begun)
    print(json.dumps({"compute_s": seconds[0], "again_s": seconds[1], "rows": rows}))


if __name__ == "__main__":
    main()
