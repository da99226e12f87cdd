"""How long a screening of many sites takes, by all rules of the reference city, and how much memory it needs.

Each number of sites is screened in a fresh process; reading files and starting Python are not counted, loading the compiled
loops is::

    python benchmarks/run_screening.py [--n 1000,10000,50000] [--city detailed] [--json]

The city is the reference city, or one in as much detail as official layers have (`benchmarks.detailed`).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
AS_OF = "2026-11-21"


def one(n: int, folder: Path | None) -> dict[str, Any]:
    """Screen `n` sites of the benchmark's workload, each with an activity drawn from the vocabulary."""
    import geopandas as gpd
    import numpy as np

    import lzgis as lz
    from benchmarks.workload import sites

    city = lz.open_catalogue(folder or lz.reference_city())
    ids = [f"s{i}" for i in range(n)]
    activity = np.random.default_rng(1).choice(list(city.book.activities), n)
    shapes = city.plane.unproject(sites(n))
    frame = gpd.GeoDataFrame({"id": ids, "name": ids, "activity": activity}, geometry=shapes, crs="EPSG:4490")
    for name in city.layers:
        if city.exists(name):
            city.load(name)
    before = peak_mb()
    begun, worked = time.perf_counter(), time.process_time()
    report = lz.screen(frame, city, as_of=AS_OF)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - worked
    return {
        "n": n,
        "seconds": round(seconds, 2),
        "cpu_s": round(cpu, 2),
        "per_site_ms": round(1e3 * cpu / n, 3),
        "findings": len(report.findings),
        "rules": len(report.book.rules),
        "peak_mb_before": before,
        "peak_mb": peak_mb(),
    }


def peak_mb() -> int | None:
    """Return the peak memory of the process, MB, if the system reports it."""
    try:
        import resource
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most // (2**20 if sys.platform == "darwin" else 2**10))


def main() -> None:
    """Run the benchmarks selected on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", default="1000,10000,50000", help="numbers of sites, between commas")
    parser.add_argument(
        "--city", default="reference", choices=["reference", "detailed"], help="the city to screen them against"
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "lzgis-benchmark")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--here", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--layers", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        print(json.dumps(one(given.here, given.layers)))
        return
    rows: list[dict[str, Any]] = []
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = os.environ | {"PYTHONPATH": path, "PYTHONUTF8": "1"}
    folder = []
    if given.city == "detailed":
        # Also in a separate process: children inherit the recorded peak memory of their parent.
        given.folder.mkdir(parents=True, exist_ok=True)
        made = [sys.executable, str(ROOT / "benchmarks" / "detailed.py"), str(given.folder / "detailed")]
        subprocess.run(made, env=env, check=True, stdout=subprocess.DEVNULL)
        folder = ["--layers", str(given.folder / "detailed")]
    for n in map(int, given.n.split(",")):
        command = [sys.executable, str(Path(__file__)), "--here", str(n), *folder]
        run = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, encoding="utf-8")
        rows.append(json.loads(run.stdout.splitlines()[-1]))
        print(
            "{n:>8} sites x {rules} rules: {seconds:>8.2f} s, {cpu_s:>8.2f} s of the processor, {per_site_ms:.3f} ms a site; "
            "{findings} findings, {peak_mb} MB at most, {peak_mb_before} before".format(**rows[-1])
        )
    if given.json:
        print(json.dumps({"python": platform.python_version(), "cores": os.cpu_count(), "rows": rows}))


if __name__ == "__main__":
    main()
