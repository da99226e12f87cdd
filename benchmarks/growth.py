"""How time and memory grow with the number of sites: areas and distances to six layers, in shards written to disk.

    python benchmarks/growth.py [--n 1000,10000,100000,1000000] [--folder DIR] [--json]

Each number is measured in a process of its own. A shard is 10,000 sites; when one is done its answers are written and
forgotten. Time is what a shard takes from geometries to the file; making up the sites is left out. Memory is the most that
the process held at any time, beyond what it held with all layers open.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import shapely

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

SHARD = 10_000


def shard_of(base: np.ndarray, number: int, n: int) -> np.ndarray:
    """Make `n` sites of those given: each in another's place, moved by up to 500 m."""
    rng = np.random.default_rng([8, number])
    chosen = rng.permutation(len(base))[:n]
    made = base[chosen]
    bounds = shapely.bounds(base)
    middle = 0.5 * (bounds[:, :2] + bounds[:, 2:])
    move = middle[rng.permutation(len(base))[:n]] - middle[chosen] + rng.uniform(-500.0, 500.0, (n, 2))
    points, of = shapely.get_coordinates(made, return_index=True)
    return shapely.set_coordinates(made.copy(), np.round(points + move[of], 3))


def held_mb() -> float:
    """Return the most memory this process has held so far, in MB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


def one(folder: Path, n: int) -> dict[str, float]:
    """Measure `n` sites in this process."""
    from benchmarks.peers.common import shapes
    from benchmarks.peers.lzgis_kernel import compute, prepare

    _, indexes = prepare(folder, SHARD)
    base = shapes(folder, f"sites_{SHARD}")
    # Once over the city, so that what the first call costs is not counted for few sites.
    compute((base, indexes))
    before, wall, cpu, pairs, measured = held_mb(), 0.0, 0.0, 0, 0
    with tempfile.TemporaryDirectory() as room:
        # Few sites are measured again with others: a time of hundredths of a second is chance.
        for number in range(max(-(-n // SHARD), SHARD // n)):
            sites = shard_of(base, number, min(SHARD, n))
            began, began_cpu = time.perf_counter(), time.process_time()
            found = compute((sites, indexes))
            np.savez(Path(room) / f"{number}.npz", **found)
            wall, cpu = wall + time.perf_counter() - began, cpu + time.process_time() - began_cpu
            measured += len(sites)
            pairs += sum(len(values) for name, values in found.items() if name.endswith(".area"))
    return {
        "n": n,
        "seconds": wall * n / measured,
        "cpu_seconds": cpu * n / measured,
        "microseconds_per_site": 1e6 * wall / measured,
        "cpu_microseconds_per_site": 1e6 * cpu / measured,
        "pairs": pairs * n / measured,
        "beyond_layers_mb": held_mb() - before,
    }


def main() -> int:
    """Measure each number in a process of its own, and print how even the time per site is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", default="1000,10000,100000,1000000", help="numbers of sites, between commas")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "lzgis-benchmark")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(given.folder, given.one)))
        return 0
    if not (given.folder / f"sites_{SHARD}.parquet").exists():
        command = [sys.executable, str(ROOT / "benchmarks" / "workload.py"), str(given.folder), str(SHARD)]
        subprocess.run(command, check=True, stdout=sys.stderr)
    rows = []
    for n in given.n.split(","):
        command = [sys.executable, __file__, "--folder", str(given.folder), "--one", n]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8", cwd=ROOT)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(
            "N = {n:9,}: {seconds:8.2f} s, CPU {cpu_seconds:8.2f} s; {microseconds_per_site:6.1f} µs a site, CPU "
            "{cpu_microseconds_per_site:6.1f} µs; {beyond_layers_mb:6.0f} MB beyond the layers".format(**rows[-1])
        )
    each = {key: [row[key] for row in rows] for key in ("microseconds_per_site", "cpu_microseconds_per_site")}
    uneven = {key: max(values) / min(values) for key, values in each.items()}
    print(
        "most by least time a site: {microseconds_per_site:.2f}, CPU {cpu_microseconds_per_site:.2f}".format(**uneven)
    )
    if given.json:
        print(json.dumps({"uneven": uneven, "rows": rows}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
