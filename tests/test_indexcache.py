"""Layers and loops kept between runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely
from kernel_shapes import star

from lzgis import indexcache
from lzgis.geometry import FeatureIndex, LayerIndex, areas_and_distances
from lzgis.geometry.told import laid_out
from lzgis.indexcache import (
    cache_folder,
    file_key,
    geometries_key,
    kept_index,
    kept_layout,
    kept_machine,
    made_machine,
    open_arrays,
    write_arrays,
)


def city(n=20):
    rng = np.random.default_rng(11)
    stars = [star(rng, tuple(rng.uniform(0, 3000, 2)), 400, 60) for _ in range(n)]
    return np.array([*stars, shapely.LineString([(0, 0), (3000, 900)]), None], dtype=object)


def measured(index, sites):
    found = areas_and_distances(sites, {"a": index})["a"]
    return [values.tobytes() for part in (found.areas, found.nearest) for values in vars(part).values()]


SITES = city(9)[::-1]


def never():
    raise AssertionError("built again")


def test_a_kept_index_is_opened_and_gives_the_same_bytes(tmp_path):
    layer = city()
    key = geometries_key(layer)
    built = kept_index(key, lambda: LayerIndex.build(layer), folder=tmp_path)
    opened = kept_index(key, never, folder=tmp_path)
    assert measured(opened, SITES) == measured(built, SITES)
    assert [f.name for f in tmp_path.iterdir()] == [f"{key}.index"]


@pytest.mark.parametrize("where", [0, 20, 60, 2000, -1000])
def test_a_damaged_index_is_built_again(tmp_path, where):
    layer = city()
    kept_index("k", lambda: LayerIndex.build(layer), folder=tmp_path)
    path = tmp_path / "k.index"
    content = bytearray(path.read_bytes())
    content[where] ^= 0x10
    path.write_bytes(content)
    assert open_arrays(path, "k") is None
    built = []
    kept_index("k", lambda: built.append(1) or LayerIndex.build(layer), folder=tmp_path)
    assert built == [1]
    kept_index("k", never, folder=tmp_path)


@pytest.mark.parametrize("length", [0, 10, 500, -64])
def test_an_index_cut_short_is_built_again(tmp_path, length):
    kept_index("k", lambda: LayerIndex.build(city()), folder=tmp_path)
    path = tmp_path / "k.index"
    path.write_bytes(path.read_bytes()[:length])
    assert open_arrays(path, "k") is None


def test_an_index_of_another_layer_or_code_is_not_taken(tmp_path):
    write_arrays(tmp_path / "k.index", {"a": np.arange(3)}, "k")
    assert open_arrays(tmp_path / "k.index", "other") is None
    assert open_arrays(tmp_path / "k.index", "k")["a"].tolist() == [0, 1, 2]


def test_a_folder_that_cannot_be_written_to_costs_the_run_nothing(tmp_path):
    (tmp_path / "file").write_text("in the way")
    index = kept_index("k", lambda: LayerIndex.build(city()), folder=tmp_path / "file")
    assert index.size == 22
    assert [f.name for f in tmp_path.iterdir()] == ["file"]


def test_keys_tell_layers_apart(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    assert file_key(tmp_path / "a") != file_key(tmp_path / "b")
    assert geometries_key(city()) == geometries_key(city()) != geometries_key(city(19))


def test_the_folder_follows_the_platform(monkeypatch):
    monkeypatch.setenv("LZGIS_CACHE", "here")
    assert cache_folder() == Path("here")
    monkeypatch.delenv("LZGIS_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "there")
    assert cache_folder() == Path("there/lzgis")
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", "local")
    assert cache_folder() == Path("local/lzgis/cache")


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    pytest.importorskip("numba")
    folder = tmp_path_factory.mktemp("code")
    machine = made_machine(folder=folder)
    assert machine is not None
    return folder, machine


def test_machine_code_gives_the_same_bytes_as_numba_with_any_number_of_threads(code):
    rng = np.random.default_rng(12)
    layers = {"a": LayerIndex.build(city()), "b": LayerIndex.build(city(3), cell=64.0)}
    sites = np.array([star(rng, tuple(rng.uniform(0, 3000, 2)), 90, 9) for _ in range(300)] + [None, *city(2)])
    wanted = areas_and_distances(sites, layers)
    for threads in (1, 3):
        found = areas_and_distances(sites, layers, threads=threads, machine=code[1])
        for name in layers:
            for part in ("areas", "nearest"):
                for field, values in vars(getattr(wanted[name], part)).items():
                    other = getattr(getattr(found[name], part), field)
                    assert (values.dtype, values.tobytes()) == (other.dtype, other.tobytes())


def test_a_site_too_wide_is_refused_by_machine_code_too(code):
    layers = {"a": LayerIndex.build(city())}
    with pytest.raises(ValueError, match="larger cell"):
        areas_and_distances(np.array([shapely.box(-1e9, 5, 1e9, 1e9)]), layers, machine=code[1])


def test_kept_code_and_index_need_no_numba(code, tmp_path):
    key = geometries_key(city())
    kept_index(key, lambda: LayerIndex.build(city()), folder=code[0])
    ask = f"""
import sys
from pathlib import Path
import numpy as np, shapely
from lzgis.geometry import areas_and_distances
from lzgis.indexcache import kept_index, kept_machine
folder = Path({str(code[0])!r})
index = kept_index({key!r}, lambda: 1 / 0, folder=folder)
found = areas_and_distances(np.array([shapely.box(0, 0, 9, 9)]), {{"a": index}}, machine=kept_machine(folder=folder))
assert found["a"].nearest.distance[0] == 0.0
assert "numba" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", ask], check=True, cwd=Path(__file__).parent.parent)


def test_kept_code_says_where_the_other_loops_are(code, monkeypatch):
    looked = []
    monkeypatch.setattr(indexcache, "look_first", looked.append)
    monkeypatch.setattr(indexcache, "in_place", lambda: False)
    assert kept_machine(folder=code[0]) is not None
    (place,) = looked
    # None are kept there.
    assert place() is False


def test_no_kept_code_is_no_machine(tmp_path):
    assert kept_machine(folder=tmp_path) is None


def test_a_layer_of_many_vertices_is_kept_and_used_again_by_the_screening(tmp_path, monkeypatch):
    monkeypatch.setenv("LZGIS_CACHE", str(tmp_path))
    layer = np.array([shapely.Point(0, 0).buffer(1000, quad_segs=6000)])
    index = FeatureIndex(layer, kept_layout)
    assert laid_out(index).size == 1
    (file,) = tmp_path.iterdir()
    before = file.read_bytes()
    monkeypatch.setattr(LayerIndex, "build", never)
    again = laid_out(FeatureIndex(layer, kept_layout).take(np.array([0])))
    assert measured(again, SITES) == measured(laid_out(index), SITES)
    assert file.read_bytes() == before


def test_indexes_not_used_for_longest_make_room(tmp_path, monkeypatch):
    layer = city(3)
    for age, key in enumerate(("new", "older", "oldest")):
        kept_index(key, lambda: LayerIndex.build(layer), folder=tmp_path)
        when = 1_700_000_000 - 1000 * age
        os.utime(tmp_path / f"{key}.index", (when, when))
    size = (tmp_path / "new.index").stat().st_size
    monkeypatch.setattr(indexcache, "_MOST_BYTES", 3 * size)
    kept_index("oldest", never, folder=tmp_path)  # is used, and so is the newest
    kept_index("one more", lambda: LayerIndex.build(layer), folder=tmp_path)
    assert sorted(p.stem for p in tmp_path.iterdir()) == ["new", "oldest", "one more"]
