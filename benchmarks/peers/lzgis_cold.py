"""This project's geometry floor with no layer laid out before: the kept indexes go to a folder that is thrown away."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.peers.common import LAYERS, run, shapes
from benchmarks.peers.lzgis_kernel import THREADS, compute
from lzgis.geometry import LayerIndex
from lzgis.indexcache import geometries_key, kept_index, made_machine


def prepare(folder: Path, n: int) -> Any:
    layers = {name: shapes(folder, name) for name in LAYERS}
    with tempfile.TemporaryDirectory() as room, ThreadPoolExecutor(THREADS) as pool:

        def laid_out(name: str) -> LayerIndex:
            key = geometries_key(layers[name])
            return kept_index(key, lambda: LayerIndex.build(layers[name]), folder=Path(room))

        indexes = dict(zip(LAYERS, pool.map(laid_out, LAYERS), strict=True))
    return shapes(folder, f"sites_{n}"), layers, indexes, made_machine()


if __name__ == "__main__":
    run(prepare, compute)
