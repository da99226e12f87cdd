"""When the compiled loops are chosen, and how it is known whether they are there."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest

from lzgis.geometry import compiled

measure_module = importlib.import_module("lzgis.geometry.measure")


@pytest.mark.parametrize(
    ("installed", "warm", "laid_out", "machine", "least"),
    [
        (True, True, True, True, 1),
        (False, False, True, True, 1),
        (True, True, True, False, 1),
        (True, True, False, False, measure_module.FEW),
        (True, False, True, False, measure_module.FEW_COLD),
        (True, False, False, False, measure_module.FEW_COLD),
        (False, False, False, False, None),
    ],
)
def test_from_how_many_sites_on(monkeypatch, installed, warm, laid_out, machine, least):
    monkeypatch.setattr(measure_module, "available", lambda: installed)
    monkeypatch.setattr(measure_module, "warm", lambda: warm)
    chosen = [n for n in range(1, 5001) if measure_module._pays(n, laid_out, machine)]
    assert chosen == ([] if least is None else list(range(least, 5001)))


def test_loops_are_there_when_an_index_names_this_code(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    found = []
    for content in (None, b"made from other code", b"\x80" + compiled.sources().encode() + b"."):
        if content:
            (tmp_path / "loops").mkdir(exist_ok=True)
            (tmp_path / "loops" / "grid.loop-1.py311.nbi").write_bytes(content)
        compiled.warm.cache_clear()
        found.append(compiled.warm())
    compiled.warm.cache_clear()
    assert found == [False, False, True]


@pytest.mark.skipif(not os.access(Path(compiled.__file__).parent, os.W_OK), reason="numba keeps loops elsewhere")
def test_numba_writes_such_an_index(monkeypatch):
    pytest.importorskip("numba")
    import numpy as np
    import shapely

    from lzgis.geometry import FeatureIndex, measure

    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    site = np.array([shapely.box(0, 0, 9, 9)])
    measure(site, {"a": FeatureIndex(site)}, compiled=True)
    compiled.warm.cache_clear()
    assert compiled.warm()
