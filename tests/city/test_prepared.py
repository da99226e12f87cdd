"""The cache of layers: the same layer from it as from the file, and no use of what is damaged, outdated or not private."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from lzgis.city import catalogue, prepared
from lzgis.city.catalogue import open_catalogue
from lzgis.city.plane_layers import in_plane
from lzgis.city.reference import reference_city

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no modes")


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """Use an empty cache folder; return the folder of the layers in it."""
    monkeypatch.setenv("LZGIS_CACHE", str(tmp_path / "cache"))
    prepared._folder.cache_clear()
    yield tmp_path / "cache" / "layers"
    prepared._folder.cache_clear()


@pytest.fixture
def city(tmp_path):
    """Return a copy of the catalogue of the reference city and of two of its layers."""
    folder = tmp_path / "city"
    folder.mkdir()
    outline = open_catalogue(reference_city()).spec.city.outline
    for name in ("catalog.toml", "rules.toml", open_catalogue(reference_city()).layers[outline].source, "redline.gpkg"):
        shutil.copy(reference_city() / name, folder)
    return folder


@pytest.fixture
def reads(monkeypatch):
    """Return a list to which the id of each layer is added that is read from its file."""
    read: list[str] = []
    load = catalogue._load

    def recorded(root, layer_id, spec, profile):
        read.append(layer_id)
        return load(root, layer_id, spec, profile)

    monkeypatch.setattr(catalogue, "_load", recorded)
    return read


def redline(folder: Path):
    return open_catalogue(folder).load("redline")


def same(one, other):
    pd.testing.assert_frame_equal(pd.DataFrame(one.layer.frame), pd.DataFrame(other.layer.frame), check_exact=True)
    assert one.layer.frame.crs == other.layer.frame.crs
    assert isinstance(one.layer.frame, gpd.GeoDataFrame)
    assert list(shapely.to_wkb(one.layer.frame.geometry)) == list(shapely.to_wkb(other.layer.frame.geometry))
    assert (one.source, one.problems, one.transforms, one.repairs) == (
        other.source,
        other.problems,
        other.transforms,
        other.repairs,
    )
    return True


def test_every_layer_of_the_reference_city_is_the_same_from_the_cache(cache, reads):
    first, second = open_catalogue(reference_city()), open_catalogue(reference_city())
    names = [name for name in first.layers if first.exists(name)]
    made = [first.load(name) for name in names]
    assert sorted(reads) == sorted(names)
    assert all(same(one, second.load(name)) for name, one in zip(names, made, strict=True))
    assert len(reads) == len(names)


def test_problems_and_doubtful_geometries_come_from_the_cache_too(cache, city, reads):
    frame = gpd.read_file(city / "redline.gpkg").head(2)
    frame = frame.set_geometry([shapely.Polygon([(112, 25), (112.1, 25.1), (112.1, 25), (112, 25.1)]), None])
    frame.to_file(city / "redline.gpkg")
    one, other = redline(city), redline(city)
    assert reads.count("redline") == 1
    assert same(one, other)
    assert other.repairs
    assert [problem.what.template for problem in other.problems] == [problem.what.template for problem in one.problems]
    assert other.layer.doubtful == one.layer.doubtful
    assert len(other.layer.doubtful) == 2
    assert None in other.layer.doubtful


@pytest.mark.parametrize("damage", ["changed", "cut", "empty", "swapped", "foreign"])
def test_a_damaged_entry_is_made_again(cache, city, reads, damage):
    made = redline(city)
    entries = sorted(cache.iterdir())
    contents = [entry.read_bytes() for entry in entries]
    for entry, content, other in zip(entries, contents, reversed(contents), strict=True):
        middle = len(content) // 2
        damaged = {
            "changed": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
            "cut": content[:middle],
            "empty": b"",
            "swapped": other,
            "foreign": b"PK" + os.urandom(100),
        }
        entry.write_bytes(damaged[damage])
    assert same(redline(city), made)
    assert reads.count("redline") == 2
    assert [entry.read_bytes() for entry in sorted(cache.iterdir())] == contents


def test_a_changed_file_entry_version_or_outline_is_read_anew(cache, city, reads, monkeypatch):
    before = len(redline(city).layer.frame)
    gpd.read_file(city / "redline.gpkg").iloc[1:].to_file(city / "redline.gpkg")
    assert len(redline(city).layer.frame) == before - 1
    text = (city / "catalog.toml").read_text("utf-8")
    version = open_catalogue(city).layers["redline"].version
    (city / "catalog.toml").write_text(text.replace(f'"{version}"', '"of tomorrow"'), "utf-8")
    assert redline(city).source.version == "of tomorrow"
    monkeypatch.setattr(prepared, "_versions", lambda: "another")
    redline(city)
    outline = city / open_catalogue(city).layers[open_catalogue(city).spec.city.outline].source
    frame = gpd.read_file(outline)
    frame.set_geometry(frame.geometry.translate(1.0)).to_file(outline)
    assert any(problem.level == "error" for problem in redline(city).problems)
    assert reads.count("redline") == 5


def test_a_database_with_pending_changes_is_not_cached(cache, city, reads):
    (city / "redline.gpkg-wal").write_bytes(b"")
    redline(city), redline(city)
    assert reads.count("redline") == 2


@posix
@pytest.mark.parametrize("mode", [0o777, 0o770])
def test_a_folder_that_others_can_write_to_is_not_used(cache, city, reads, mode):
    redline(city)
    cache.chmod(mode)
    prepared._folder.cache_clear()
    redline(city)
    assert reads.count("redline") == 2


@posix
def test_a_folder_of_another_user_is_not_used(cache, city, reads, monkeypatch):
    redline(city)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    prepared._folder.cache_clear()
    redline(city)
    assert reads.count("redline") == 2


def test_a_folder_that_cannot_be_created_or_written_costs_no_run(cache, city, reads, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LZGIS_CACHE", str(tmp_path / "file"))
    assert len(redline(city).layer.frame)
    monkeypatch.setenv("LZGIS_CACHE", str(tmp_path / "cache"))

    def full(**_):
        raise OSError

    monkeypatch.setattr(prepared.tempfile, "mkstemp", full)
    assert len(redline(city).layer.frame)
    assert list(cache.iterdir()) == []


def test_the_entries_that_were_used_longest_ago_are_removed(cache, city, monkeypatch):
    redline(city)
    size = {entry: entry.stat().st_size for entry in cache.iterdir()}
    for entry in size:
        os.utime(entry, (1, 1))
    monkeypatch.setattr(prepared, "_MOST_BYTES", sum(size.values()) + 1)
    monkeypatch.setattr(prepared, "_versions", lambda: "another")
    redline(city)
    prepared._remove_oldest(cache)
    assert not any(entry.exists() for entry in size)
    assert len(list(cache.iterdir())) == 2


def test_processes_that_make_an_entry_at_the_same_time_agree(cache, city):
    code = (
        "import sys; from lzgis.city.catalogue import open_catalogue;"
        "print(len(open_catalogue(sys.argv[1]).load('redline').layer.frame))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    runs = [
        subprocess.Popen([sys.executable, "-c", code, str(city)], stdout=subprocess.PIPE, env=environment)
        for _ in range(3)
    ]
    found = {run.communicate()[0] for run in runs}
    assert len(found) == 1
    assert len(list(cache.iterdir())) == 2


def test_layers_are_projected_once_for_an_opened_city_and_thread(city):
    opened = open_catalogue(city)
    layer = opened.load("redline").layer
    mine = in_plane(layer, opened)
    with ThreadPoolExecutor(1) as pool:
        theirs = pool.submit(in_plane, layer, opened).result()
    assert in_plane(layer, opened) is mine
    assert theirs is not mine
    assert in_plane(open_catalogue(city).load("redline").layer, open_catalogue(city)) is not mine
