"""This project beside its peers, on the same files in the same run: answers are compared first, then times.

    python benchmarks/run.py --peers lzgis,shapely,geopandas --n 1000,10000 [--folder DIR] [--geometry] [--json]

Ends with an exit code other than 0 if any two answers differ by more than 1e-6 m² + 1e-9 of an area, or 1e-6 m.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
PEERS = {
    "lzgis": "lzgis_kernel",
    "shapely": "shapely_threads",
    "geopandas": "geopandas_overlay",
    "postgis": "postgis",
    "postgis-subdivided": "postgis_subdivided",
    "duckdb": "duckdb_spatial",
    "duckdb-whole": "duckdb_whole",
    "sedona": "sedona_db",
    "sedona-whole": "sedona_whole",
}
#: Those that make the common parts as geometries too.
PARTS = {"lzgis": "lzgis_parts", "postgis-subdivided": "postgis_parts"}
NEEDS = {
    "postgis": "psycopg",
    "postgis-subdivided": "psycopg",
    "duckdb": "duckdb_extension_spatial",
    "duckdb-whole": "duckdb_extension_spatial",
    "sedona": "sedonadb",
    "sedona-whole": "sedonadb",
}


def one(module: str, folder: Path, n: int, timeout: float) -> dict[str, Any]:
    """Run a peer's module in a process of its own."""
    with tempfile.TemporaryDirectory() as room:
        out = Path(room) / "answer.npz"
        command = [sys.executable, "-m", f"benchmarks.peers.{module}", str(folder), str(n), str(out)]
        begun = time.perf_counter()
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired:
            return {"failed": f"not done after {timeout:.0f} s"}
        process = time.perf_counter() - begun
        if done.returncode:
            return {"failed": done.stderr.strip().splitlines()[-1] if done.stderr else "no message"}
        found = dict(np.load(out))
    index, compute, extra = (float(x) for x in found.pop("seconds"))
    return {"index": index, "compute": compute, "process": process - extra, "answer": found}


def differences(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> list[str]:
    """Name what differs between two answers. Pairs of less than 1e-6 m² may be missing from either."""
    wrong = []
    for name in sorted({key.split(".")[0] for key in one if key.endswith(".area")}):
        a, b = (
            {(s, f): x for s, f, x in zip(d[f"{name}.site"], d[f"{name}.feature"], d[f"{name}.area"], strict=True)}
            for d in (one, other)
        )
        for pair in a.keys() | b.keys():
            x, y = a.get(pair, 0.0), b.get(pair, 0.0)
            if abs(x - y) > 1e-6 + 1e-9 * max(x, y):
                wrong.append(f"{name}: site {pair[0]}, feature {pair[1]}: {x!r} and {y!r} m²")
    for key in sorted(k for k in one if k.endswith(".distance")):
        far = np.flatnonzero(np.abs(one[key] - other[key]) > 1e-6)
        wrong.extend(f"{key}: site {i}: {one[key][i]!r} and {other[key][i]!r} m" for i in far)
    return wrong


def files(folder: Path, numbers: list[int]) -> None:
    """Write the workload where it is not there yet."""
    missing = [n for n in numbers if not (folder / f"sites_{n}.parquet").exists()]
    if missing:
        command = [sys.executable, str(ROOT / "benchmarks" / "workload.py"), str(folder), *map(str, missing)]
        subprocess.run(command, check=True, stdout=sys.stderr)


def compared(n: int, results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Compare answers, then times; the first peer that was done is the measure of answers, lzgis that of times."""
    done = {peer: r for peer, r in results.items() if "answer" in r}
    reference = next(iter(done), None)
    row: dict[str, Any] = {"n": n, "equal": bool(done), "peers": {}, "ratio_compute": None, "ratio_process": None}
    for peer, result in results.items():
        row["peers"][peer] = {k: v for k, v in result.items() if k != "answer"}
        if peer in done and peer != reference:
            wrong = differences(done[reference]["answer"], result["answer"])
            row["peers"][peer]["differences"] = len(wrong)
            row["equal"] &= not wrong
            for line in wrong[:5]:
                print(f"{reference} and {peer} differ: {line}", file=sys.stderr)
    if "lzgis" not in done:
        return row
    for what in ("compute", "process"):
        others = {peer: r[what] / done["lzgis"][what] for peer, r in done.items() if not peer.startswith("lzgis")}
        for peer, ratio in others.items():
            row["peers"][peer][f"ratio_{what}"] = ratio
        if others:
            row[f"best_{what}"] = min(others, key=lambda peer: others[peer])
            row[f"ratio_{what}"] = min(others.values())
    return row


def table(row: dict[str, Any]) -> None:
    """Print one row per peer, with how many times longer than lzgis it took."""
    ours = row["peers"].get("lzgis", {})
    print(f"N = {row['n']}: answers {'equal' if row['equal'] else 'DIFFER'}")
    for peer, r in row["peers"].items():
        if "failed" in r:
            print(f"  {peer:20} {r['failed']}")
            continue
        times = [
            f"{r['compute'] / ours[k] if k == 'compute' else r[k] / ours[k]:7.1f}×"
            for k in ("compute", "process")
            if ours
        ]
        print(
            f"  {peer:20} index {r['index']:8.2f} s  compute {r['compute']:8.2f} s  process {r['process']:8.2f} s  "
            + "  ".join(times)
        )


def main() -> int:
    """Run the benchmarks selected on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default="lzgis,shapely,geopandas", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--n", default="1000", help="numbers of sites, between commas")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "lzgis-benchmark")
    parser.add_argument("--timeout", type=float, default=3600.0, help="seconds for each peer")
    parser.add_argument("--geometry", action="store_true", help="the common parts are made as geometries too")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    given = parser.parse_args()
    peers, numbers = given.peers.split(","), [int(n) for n in given.n.split(",")]
    modules = PARTS if given.geometry else PEERS
    unknown = [peer for peer in peers if peer not in modules]
    if unknown:
        parser.error(f"{', '.join(unknown)}: not one of {', '.join(modules)}")
    files(given.folder, numbers)
    if "lzgis" in peers:
        first = one(modules["lzgis"], given.folder, min(numbers), given.timeout)
        print(f"first run, which compiles the loops where they are not: {first.get('process', np.nan):.1f} s")
    rows = []
    for n in numbers:
        results: dict[str, dict[str, Any]] = {}
        for peer in peers:
            missing = peer in NEEDS and importlib.util.find_spec(NEEDS[peer]) is None
            results[peer] = (
                {"failed": "not installed"} if missing else one(modules[peer], given.folder, n, given.timeout)
            )
        rows.append(compared(n, results))
        table(rows[-1])
    if given.json:
        least = {
            f"ratio_{what}": min((r[f"ratio_{what}"] for r in rows if r[f"ratio_{what}"]), default=None)
            for what in ("compute", "process")
        }
        print(json.dumps({"equal": all(r["equal"] for r in rows), **least, "rows": rows}))
    return 0 if all(r["equal"] for r in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
