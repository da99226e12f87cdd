"""From how many sites on the compiled loops pay: `measure` by shapely and by the loops, each in a fresh process.

    python benchmarks/few.py [--n 1,10,30,100,300] [--folder DIR] [--json]

Three ways are timed, from the first call on: by shapely; by the loops through numba, layers laid out in the call (what
`measure` chooses between by `FEW`); and by the loops as machine code with layers laid out before (always chosen). Seconds of
processor time, which a busy machine changes little.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

WAYS = ("shapely", "numba", "kept")


def one(way: str, n: int, folder: Path) -> float:
    """Measure the first `n` sites in this process; what is imported in the call counts, what is read before does not."""
    from benchmarks.peers.common import LAYERS, shapes
    from lzgis.geometry import FeatureIndex, measure

    layers = {name: FeatureIndex(shapes(folder, name)) for name in LAYERS}
    sites = shapes(folder, "sites_1000")[:n]
    begun = time.process_time()
    if way == "kept":
        from benchmarks.peers.lzgis_kernel import prepare

        _sites, _layers, indexes, machine = prepare(folder, 1000)
        measure(sites, layers, indexes=indexes, machine=machine, compiled=True)
    else:
        measure(sites, layers, compiled=way == "numba")
    return time.process_time() - begun


def main() -> None:
    """Print a table, or one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", default="1,10,30,100,300")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "lzgis-benchmark")
    parser.add_argument("--way", choices=WAYS, help="time one way, in this process")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not (given.folder / "sites_1000.parquet").exists():
        workload = Path(__file__).parent / "workload.py"
        subprocess.run([sys.executable, str(workload), str(given.folder), "1000"], check=True, stdout=sys.stderr)
    if given.way:
        print(one(given.way, int(given.n), given.folder))
        return
    rows = []
    for n in map(int, given.n.split(",")):
        row: dict[str, float] = {"n": n}
        for way in WAYS:
            command = [sys.executable, __file__, "--way", way, "--n", str(n), "--folder", str(given.folder)]
            row[way] = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        rows.append(row)
        if not given.json:
            print(f"N = {n:5}: " + "   ".join(f"{way} {row[way]:7.3f} s" for way in WAYS), flush=True)
    if given.json:
        print(json.dumps(rows))


if __name__ == "__main__":
    main()
