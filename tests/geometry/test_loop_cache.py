"""The folder of the compiled loops: private, named after their code, pruned, and compiled once by many processes."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import typing
from pathlib import Path

import pytest

from lzgis.geometry import ready_loops
from lzgis.geometry.loops import compiled, ready

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no modes")


@pytest.fixture
def folder_in(monkeypatch):
    """Return a function that asks for the folder of the loops in another folder of caches."""

    def chosen(cache):
        monkeypatch.setenv("LZGIS_CACHE", str(cache))
        return compiled.cache_folder.__wrapped__()

    return chosen


def test_the_folder_is_named_after_the_code_and_private(folder_in, tmp_path):
    folder = folder_in(tmp_path / "cache")
    assert folder == tmp_path / "cache" / f"loops-{compiled.fingerprint()[:16]}"
    assert folder_in(tmp_path / "cache") == folder
    if os.name == "posix":
        assert (folder.stat().st_mode & 0o777, folder.parent.stat().st_mode & 0o777) == (0o700, 0o700)


@posix
@pytest.mark.parametrize("place", ["cache", "loops"])
@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_folder_that_others_can_write_to_is_not_used(folder_in, tmp_path, place, mode):
    folder = folder_in(tmp_path / "cache")
    (folder.parent if place == "cache" else folder).chmod(mode)
    with pytest.warns(compiled.LoopCacheWarning, match="other users can write to"):
        assert folder_in(tmp_path / "cache") is None


@posix
def test_a_sticky_folder_above_is_no_fault(folder_in, tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o1777)
    assert folder_in(tmp_path / "shared" / "cache") is not None


@posix
def test_a_link_in_place_of_the_folder_is_not_used(folder_in, tmp_path):
    folder = folder_in(tmp_path / "cache")
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.warns(compiled.LoopCacheWarning, match="a link or a file"):
        assert folder_in(tmp_path / "cache") is None


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("place", ["cache", "loops"])
def test_a_folder_of_another_user_is_not_used(folder_in, tmp_path, place):
    folder = folder_in(tmp_path / "cache")
    os.chown(folder.parent if place == "cache" else folder, 12345, 12345)
    with pytest.warns(compiled.LoopCacheWarning, match="belongs to another user"):
        assert folder_in(tmp_path / "cache") is None


def test_a_folder_that_cannot_be_created_is_not_used(folder_in, tmp_path):
    (tmp_path / "file").touch()
    with pytest.warns(compiled.LoopCacheWarning, match="cannot be created"):
        assert folder_in(tmp_path / "file" / "cache") is None


def test_folders_of_old_versions_are_removed(folder_in, tmp_path):
    folder = folder_in(tmp_path)
    for age in range(6):
        old = tmp_path / f"loops-{age:016}"
        old.mkdir()
        os.utime(old, (10**9 - age, 10**9 - age))
    (tmp_path / "another").mkdir()
    compiled.remove_old_versions(folder)
    left = {path.name for path in tmp_path.iterdir()} - {folder.name}
    assert left == {"another", *(f"loops-{age:016}" for age in range(3))}


def test_without_a_folder_the_loops_are_compiled_in_memory(tmp_path):
    (tmp_path / "file").touch()
    code = """
import warnings
import numpy as np
from lzgis.geometry.loops.segments import segments
from lzgis.geometry.loops.chains import chains
import shapely
print(len(segments(chains(np.array([shapely.box(0, 0, 1, 1)])), 0, 1, 9.0).run_start))
"""
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"LZGIS_CACHE": str(tmp_path / "file" / "cache")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "2\n"
    assert run.stderr.count("LoopCacheWarning") == 1


def test_ready_loops_compiles_only_once(monkeypatch):
    ready_loops()
    ready._load.cache_clear()
    monkeypatch.setattr(ready, "_begun", lambda *_, **__: pytest.fail("compiled again"))
    steps: list[tuple[str, int, int]] = []
    ready_loops(lambda *step: steps.append(step))
    assert steps == []


def test_processes_share_all_loops_and_no_other():
    names = [call.name for call in ready._calls()]
    for number in (1, 2, 3):
        shares = ready._shares(number)
        assert len(shares) == number
        assert sorted(name for share in shares for name in share) == sorted(names)


def test_loops_are_compiled_for_the_types_that_they_are_called_with():
    """A run that starts with compiled loops compiles nothing."""
    code = """
import numpy as np, shapely
from lzgis.geometry import FeatureIndex, SiteShapes, nearest_rounded, overlapping, ready_loops, within_rounded
from lzgis.geometry.loops.ready import _calls
ready_loops()
sites = SiteShapes(np.array([shapely.box(0, 0, 5, 5), shapely.Point(9, 9), shapely.LineString([(0, 0), (9, 9)])]))
layer = FeatureIndex(np.array([shapely.box(1, 1, 8, 8), shapely.box(-9, 0, 0, 3)]))
overlapping(sites, layer), nearest_rounded(sites, layer), within_rounded(sites, layer, 5.0)
for call in _calls():
    stats = call.loop.stats
    assert (sum(stats.cache_hits.values()), sum(stats.cache_misses.values())) == (1, 0), (call.name, stats)
"""
    ready_loops()
    subprocess.run([sys.executable, "-c", code], check=True)


def _inner_loops():
    package = Path(compiled.__file__).parent
    for module in sorted(package.glob("*.py")):
        for loop in vars(importlib.import_module(f"lzgis.geometry.loops.{module.stem}")).values():
            if getattr(getattr(loop, "py_func", None), "__module__", "") == f"lzgis.geometry.loops.{module.stem}":
                yield loop


def test_loops_that_count_no_references_return_no_arrays():
    """An array that such a loop returned would be freed while it is used."""
    uncounted = [loop for loop in _inner_loops() if loop.targetoptions.get("_nrt") is False]
    assert len(uncounted) > 40
    for loop in uncounted:
        assert "ndarray" not in str(typing.get_type_hints(loop.py_func)["return"]), loop.py_func.__qualname__
