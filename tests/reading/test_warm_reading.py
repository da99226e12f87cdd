"""Reading by forks of a process that has its libraries loaded: the answers and limits of a process for each file."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
import toy

from lzgis.errors import SourceError
from lzgis.reading import Limits, read_in_sandbox
from lzgis.reading.sandbox import warm

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@pytest.fixture(scope="module")
def reader():
    made = warm.WarmReader()
    yield made
    made.close()


@pytest.fixture
def kept(reader, monkeypatch):
    monkeypatch.setattr(warm, "_READERS", [reader])
    return reader


@pytest.fixture
def sites(tmp_path):
    path = tmp_path / "sites.gpkg"
    toy.sites(toy.square(0, 0), toy.square(200, 0)).to_file(path, engine="pyogrio")
    return path


def pid_of(reader):
    return reader._process.pid


def test_a_fork_reads_what_a_new_process_reads(sites, kept, monkeypatch):
    by_fork = read_in_sandbox(sites)
    again = read_in_sandbox(sites)
    first = pid_of(kept)
    monkeypatch.setattr(warm, "_READERS", [])
    by_process = read_in_sandbox(sites)
    for one in (by_fork, again):
        assert gpd.GeoDataFrame(one.frame).equals(gpd.GeoDataFrame(by_process.frame))
        assert one.problems == by_process.problems
    assert pid_of(kept) == first


def test_an_error_of_a_fork_is_that_of_a_new_process(tmp_path, kept, monkeypatch):
    bad = tmp_path / "bad.gpkg"
    bad.write_bytes(b"SQLite format 3\0" + b"\xff" * 3_000)
    with pytest.raises(SourceError) as by_fork:
        read_in_sandbox(bad)
    monkeypatch.setattr(warm, "_READERS", [])
    with pytest.raises(SourceError) as by_process:
        read_in_sandbox(bad)
    assert str(by_fork.value) == str(by_process.value)


def test_a_fork_that_is_late_is_ended_and_the_next_one_reads(sites, kept):
    with pytest.raises(SourceError, match="was not read within"):
        read_in_sandbox(sites, limits=Limits(time_s=0.0001))
    assert len(read_in_sandbox(sites).frame) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_the_memory_of_a_fork_is_limited(tmp_path, sites, kept):
    # What the process had before may be enough for a small file.
    large = tmp_path / "large.gpkg"
    line = shapely.linestrings(np.linspace((112.4, 24.8), (112.5, 24.9), 1_000_000))
    gpd.GeoDataFrame({"id": ["A"]}, geometry=[line], crs=4490).to_file(large, engine="pyogrio")
    with pytest.raises(SourceError):
        read_in_sandbox(large, limits=Limits(memory_bytes=20 * 1024**2))
    assert len(read_in_sandbox(sites).frame) == 2


def test_when_the_warm_process_is_killed_the_next_file_is_read_by_another(sites, kept):
    read_in_sandbox(sites)
    before = pid_of(kept)
    os.kill(before, 9)
    time.sleep(0.3)
    assert len(read_in_sandbox(sites).frame) == 2
    assert pid_of(kept) != before


@pytest.mark.skipif(sys.platform != "linux", reason="the files of a process are listed on Linux alone")
def test_a_fork_has_no_connection_to_the_process_that_forked(tmp_path, kept):
    # The request is a pipe, on which the fork waits when it has closed what it does not need.
    folder = tmp_path / "lzgis-read-wait"
    folder.mkdir()
    os.mkfifo(folder / "request.json")
    fork = kept.start([folder])
    assert fork is not None
    parent = pid_of(kept)
    until = time.monotonic() + 60
    open_files = {"pipe:"}
    while time.monotonic() < until and any(one.startswith(("pipe:", "socket:")) for one in open_files):
        time.sleep(0.05)
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii").split()
        if children:
            open_files = {str(one.readlink()) for one in Path(f"/proc/{children[0]}/fd").iterdir()}
    # The database of reference systems, which pyproj opened, is only read.
    assert {Path(one).name for one in open_files} <= {"null", "proj.db"}
    fork.kill()
    assert fork.wait(30) < 0
