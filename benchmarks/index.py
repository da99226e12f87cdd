"""How long it takes to lay out the benchmark's layers, and to open them laid out.

    python benchmarks/index.py [--folder DIR] [--json]

Building counts from geometries to the index, one layer per thread; the compiled loops are loaded before. Opening counts from
nothing but the path and the file's key to arrays that have been checked.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import shapely

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))


def main() -> int:
    """Build, keep and open; print the median of five turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "lzgis-benchmark")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    given = parser.parse_args()
    from benchmarks.peers.common import LAYERS, shapes
    from lzgis.geometry import LayerIndex
    from lzgis.indexcache import kept_index, open_arrays

    if not (given.folder / "redline.parquet").exists():
        command = [sys.executable, str(ROOT / "benchmarks" / "workload.py"), str(given.folder), "100"]
        subprocess.run(command, check=True, stdout=sys.stderr)
    layers = {name: shapes(given.folder, name) for name in LAYERS}
    LayerIndex.build(layers["reserves"][:1])
    built, opened = [], []
    with tempfile.TemporaryDirectory() as room, ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in range(5):
            began, began_cpu = time.perf_counter(), time.process_time()
            indexes = dict(zip(layers, pool.map(LayerIndex.build, layers.values()), strict=True))
            built.append((time.perf_counter() - began, time.process_time() - began_cpu))
        for name, index in indexes.items():
            kept_index(name, lambda index=index: index, folder=Path(room))  # type: ignore[misc]
        for _ in range(5):
            began, began_cpu = time.perf_counter(), time.process_time()
            for name in layers:
                LayerIndex.from_arrays(open_arrays(Path(room) / f"{name}.index", name) or {})
            opened.append((time.perf_counter() - began, time.process_time() - began_cpu))
        size = sum(file.stat().st_size for file in Path(room).iterdir()) / 1e6
    vertices = int(sum(shapely.get_num_coordinates(layer).sum() for layer in layers.values()))
    (build, build_cpu), (opening, opening_cpu) = np.median(built, axis=0), np.median(opened, axis=0)
    print(f"{vertices:,} vertices, {size:.0f} MB laid out")
    print(f"  built  in {build:6.3f} s, CPU {build_cpu:6.3f} s")
    print(f"  opened in {opening:6.3f} s, CPU {opening_cpu:6.3f} s")
    if given.json:
        print(json.dumps({"vertices": vertices, "build_s": build, "open_s": opening}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
