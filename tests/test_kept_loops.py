"""The loops that screening calls, kept as machine code: the same bytes as through numba, and numba is not imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lzgis.geometry.calls import Array, Number, Several, UnfitError, kind_of, plain

ROOT = Path(__file__).parent.parent

#: Lays out layers, asks everything of them that a screening asks, and says what it got: names and digests of bytes.
ASK = """
import hashlib, json, sys
from pathlib import Path
sys.path.insert(0, "tests")
import numpy as np, shapely
from kernel_shapes import star
from lzgis.geometry import FeatureIndex, SiteShapes, crossing, overlapping, told, told_nearest, told_within
from lzgis.geometry.told import laid_out
from lzgis.indexcache import put_kept_loops
kept = len(sys.argv) > 1 and put_kept_loops(folder=Path(sys.argv[1]))
told.FEW = 0
rng = np.random.default_rng(21)
stars = [star(rng, tuple(rng.uniform(0, 3000, 2)), 400, 60) for _ in range(30)]
layers = {
    "polygons": np.array(stars),
    "mixed": np.array([*stars[:9], shapely.LineString([(0, 0), (3000, 900)]), shapely.Point(5, 5)]),
    "one point": np.array([shapely.Point(9, 9)]),
}
sites = [star(rng, tuple(rng.uniform(0, 3000, 2)), 90, 9) for _ in range(1500)]
sites += [shapely.Point(1, 1), shapely.LineString([(0, 3000), (3000, 0)]), shapely.box(-1e5, -1e5, 1e5, 1e5)]
shapes, told_of = SiteShapes(np.array(sites)), {"pairs": 0}
def say(name, arrays):
    digest = hashlib.sha256()
    for values in arrays:
        digest.update(f"{values.dtype} {values.shape}".encode() + np.ascontiguousarray(values).tobytes())
    told_of[name] = digest.hexdigest()
for name, layer in layers.items():
    index = FeatureIndex(layer)
    say(f"{name}, laid out", laid_out(index).arrays().values())
    near, within = told_nearest(shapes, index), told_within(shapes, index, 120.0)
    say(f"{name}, near", [near.right, near.distance, within.left, within.right, within.distance])
    some = overlapping(shapes, index)
    say(f"{name}, common", [some.left, some.right, some.area, crossing(shapes, index)])
    told_of["pairs"] += len(some.left) + len(within.left)
told_of["kept"], told_of["numba"] = bool(kept), "numba" in sys.modules
print(json.dumps(told_of))
"""


def told(*arguments):
    command = [sys.executable, "-c", ASK, *map(str, arguments)]
    run = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, encoding="utf-8")
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Machine code is made in a process apart: in this one, the loops stay as they are."""
    pytest.importorskip("numba")
    made = tmp_path_factory.mktemp("loops")
    make = f"from pathlib import Path; from lzgis.indexcache import keep_loops; keep_loops(folder=Path({str(made)!r}))"
    subprocess.run([sys.executable, "-c", make], cwd=ROOT, check=True)
    (one,) = made.iterdir()
    assert one.suffix == ".loops"
    return made


def test_kept_loops_give_the_same_bytes_as_numba_without_importing_it(folder):
    with_numba, with_kept = told(), told(folder)
    assert (with_numba.pop("kept"), with_numba.pop("numba")) == (False, True)
    assert (with_kept.pop("kept"), with_kept.pop("numba")) == (True, False)
    assert with_kept == with_numba
    assert with_kept["pairs"] > 100


def test_a_screening_takes_kept_loops_and_gives_the_same_rows(folder, tmp_path):
    ask = """
import sys
import lzgis as lz, pandas as pd
report = lz.screen(lz.reference_city() / "sites.gpkg", lz.reference_city(), as_of="2026-11-21")
from lzgis.geometry.compiled import in_place
print(in_place(), "numba" in sys.modules)
frame = report.findings.to_wkb()
print(report.verdicts.to_csv(), frame.drop(columns="geometry").to_csv(), *(g.hex() if g else "-" for g in frame["geometry"]))
"""

    def run(where):
        env = os.environ | {"LZGIS_CACHE": str(where), "PYTHONUTF8": "1"}
        command = [sys.executable, "-c", ask]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, encoding="utf-8", env=env)
        return done.stdout.split("\n", 1)

    how, rows = run(folder)
    other_how, other_rows = run(tmp_path)
    assert (how, other_how) == ("True False", "False False")
    assert rows == other_rows
    assert "涉及" in rows


def test_what_machine_code_was_not_made_for_is_left_to_numba(folder):
    ask = f"""
import sys
from pathlib import Path
import numpy as np
from lzgis.geometry import compiled, chains, segments
from lzgis.indexcache import put_kept_loops
assert put_kept_loops(folder=Path({str(folder)!r})) and compiled.in_place()
chain = chains.Chains(np.array([0.0, 3.0]), np.array([0.0, 4.0]), np.array([0, 2]), np.zeros(1), np.array([0, 1]))
from lzgis.geometry.places import longest_edge
assert longest_edge(chain) == 5.0 and "numba" not in sys.modules
chain = chain._replace(x=np.array([0, 3], dtype=np.int64))
assert longest_edge(chain) == 5.0 and "numba" in sys.modules and not compiled.in_place()
"""
    subprocess.run([sys.executable, "-c", ask], cwd=ROOT, check=True)


def test_a_site_too_wide_is_refused_in_the_same_words(folder):
    ask = f"""
from pathlib import Path
import numpy as np, shapely
from lzgis.geometry.cells import cut
from lzgis.geometry.chains import chains
from lzgis.indexcache import put_kept_loops
if {{kept}}:
    assert put_kept_loops(folder=Path({str(folder)!r}))
    from lzgis.geometry.cells import cut
try:
    cut(chains(np.array([shapely.box(-1e9, 5, 1e9, 1e9)])), 0, 1, 256.0)
except ValueError as error:
    print(error)
"""
    said = [
        subprocess.run([sys.executable, "-c", ask.format(kept=kept)], cwd=ROOT, check=True, capture_output=True).stdout
        for kept in (True, False)
    ]
    assert said[0] == said[1]
    assert b"cell" in said[0]


def test_damaged_code_is_not_loaded(folder, tmp_path):
    (one,) = folder.glob("*.loops")
    content = bytearray(one.read_bytes())
    content[-1000] ^= 0x10
    (tmp_path / one.name).write_bytes(content)
    # In a process apart: in this one, loops may be in place already.
    ask = f"""
from pathlib import Path
from lzgis.geometry import compiled
from lzgis.indexcache import put_kept_loops
assert not put_kept_loops(folder=Path({str(tmp_path)!r}))
assert not compiled.in_place()
"""
    subprocess.run([sys.executable, "-c", ask], cwd=ROOT, check=True)


KINDS = [
    Number("float64"),
    Array("int32", 2),
    Several((Number("int64"), Several((Array("float64", 1),), "lzgis.geometry.chains:Chains"))),
]


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_are_told_in_json(kind):
    assert kind_of(json.loads(json.dumps(plain(kind)))) == kind


FITS = Array("float64", 2)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (np.zeros((2, 2), np.float32), FITS),
        (np.zeros(4), FITS),
        (np.zeros((2, 2)).T[:1], FITS),
        (np.broadcast_to(np.zeros(2), (2, 2)), FITS),
        ([[0.0]], FITS),
        (1, Number("float64")),
        (True, Number("int64")),
        (1.0, Number("int64")),
        (np.int32(1), Number("int64")),
        ((1, 2, 3), Several((Number("int64"), Number("int64")))),
        (1, Several((Number("int64"),))),
    ],
)
def test_what_does_not_fit_is_never_passed_on(value, kind):
    from lzgis.geometry.calls import _take_apart

    with pytest.raises(UnfitError):
        _take_apart(value, kind, [])


def test_arrays_go_in_as_words():
    from lzgis.geometry.calls import _take_apart

    words, values = [], np.zeros((3, 2), np.int32)
    _take_apart((values, 7, 0.5), Several((Array("int32", 2), Number("int64"), Number("float64"))), words)
    assert words == [0, 0, 6, 4, values.ctypes.data, 3, 2, 8, 4, 7, 0.5]


def test_shapely_is_asked_where_few_sites_are_not_worth_loading_code(folder):
    ask = """
from lzgis import indexcache
from lzgis.geometry import compiled
for few in (1, 0):
    indexcache.ready_loops(indexcache.FEW_IN_PLACE - few)
    print(compiled.in_place())
"""
    env = os.environ | {"LZGIS_CACHE": str(folder)}
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, check=True, capture_output=True, text=True, env=env)
    assert done.stdout.split() == ["False", "True"]


def test_kept_loops_are_looked_for_when_the_first_is_called(folder):
    ask = f"""
import sys
from functools import partial
from pathlib import Path
import numpy as np, shapely
from lzgis.geometry import LayerIndex
from lzgis.geometry.compiled import in_place, look_first
from lzgis.geometry.distances import touching_pairs
from lzgis.indexcache import put_kept_loops
look_first(partial(put_kept_loops, folder=Path({str(folder)!r})))
before = in_place()
layer = LayerIndex.build(np.array([shapely.box(0, 0, 256, 256), shapely.box(256, 0, 512, 256)]))
sites = np.array([shapely.Point(0, 0), shapely.Polygon([(256, 10), (240, 20), (240, 0)])])
pairs = touching_pairs(sites, np.array([1]), layer)
print(before, in_place(), "numba" in sys.modules, [one.tolist() for one in pairs])
"""
    run = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, check=True, capture_output=True, encoding="utf-8")
    assert run.stdout.strip() == "False True False [[1, 1], [0, 1]]"
