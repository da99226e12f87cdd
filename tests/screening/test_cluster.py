"""Screening on a dask cluster of two processes: the rows of one process byte for byte, also if a worker is killed."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import geopandas as gpd
import pytest
import toy

from lzgis.batch import BatchOptions, screen_batch
from lzgis.batch.plan import batch_folder
from lzgis.errors import ConfigError, LayerError
from lzgis.exports.folder import export_folder
from lzgis.exports.gis.json import report_document
from lzgis.screening import cluster
from lzgis.screening.screen import screen

distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
# Threads and sockets of dask end when they like.
pytestmark = pytest.mark.filterwarnings("ignore")

WHEN = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
FORMATS = ("json", "gpkg", "parquet")
SITES = 240


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = toy.city(tmp_path_factory.mktemp("toy") / "city")
    shapes = [toy.square(-4900 + 40 * i, -4900 + 37 * i, 120.0) for i in range(SITES)]
    toy.sites(*shapes, activity=["住宅", "", "供水"] * (SITES // 3)).to_file(folder / "sites.gpkg", engine="pyogrio")
    return folder


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A cluster of two processes with a thread each, started once."""
    where = {"local_directory": str(tmp_path_factory.mktemp("dask")), "dashboard_address": "127.0.0.1:0"}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **where) as two,
        distributed.Client(two) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def whole(place, tmp_path_factory):
    """What one process writes."""
    report = screen(place / "sites.gpkg", place, as_of=toy.AS_OF, made_at=WHEN)
    out = tmp_path_factory.mktemp("whole")
    export_folder(report, out, FORMATS)
    return report, content(out)


def content(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file() and p.name != "manifest.json"}


def test_the_report_of_a_cluster_is_that_of_one_process(place, client, whole, monkeypatch):
    monkeypatch.setattr("lzgis.screening.pieces._LEAST_PIECE", 20)
    steps = []
    report = screen(
        place / "sites.gpkg",
        place,
        as_of=toy.AS_OF,
        made_at=WHEN,
        client=client,
        progress=lambda what, done, total: steps.append((what, done, total)),
    )
    assert json.dumps(report_document(report)) == json.dumps(report_document(whole[0]))
    counts = [(done, total) for what, done, total in steps if what == "sites"]
    assert counts == [(i, counts[-1][1]) for i in range(1, len(counts) + 1)]
    assert len(counts) >= 8


def test_a_worker_that_is_killed_loses_and_doubles_nothing(place, client, whole, tmp_path):
    """The worker is killed as soon as the first shards are written; the other one and its successor do the rest."""
    before = client.run(os.getpid)
    killed = []

    def kill_one():
        parts = batch_folder(tmp_path) / "parts"
        end = time.monotonic() + 120
        while time.monotonic() < end and not list(parts.glob("0*")):
            time.sleep(0.005)
        killed.append(next(iter(before.values())))
        os.kill(killed[0], getattr(signal, "SIGKILL", signal.SIGTERM))

    watcher = threading.Thread(target=kill_one)
    watcher.start()
    chosen = BatchOptions(formats=FORMATS, shard_size=6, made_at=WHEN)
    done = screen_batch(place / "sites.gpkg", place, tmp_path, as_of=toy.AS_OF, client=client, settings=chosen)
    watcher.join()
    assert killed[0] not in client.run(os.getpid).values()
    assert done.shards == SITES // 6
    assert content(tmp_path) == whole[1]
    assert not (tmp_path / ".lzgis").exists()
    sites = gpd.read_parquet(tmp_path / "findings.parquet")["site_id"]
    assert sites.drop_duplicates().tolist() == [f"s{i + 1}" for i in range(SITES)]


def test_futures_are_those_that_dask_users_know(client):
    futures = cluster.submitted(client, len, ["a", "bb", "ccc"], name="lzgis-shard")
    distributed.wait(futures)
    assert all(future.key.startswith("lzgis-shard-") for future in futures)
    assert cluster.gathered(client, futures) == [1, 2, 3]
    again = cluster.submitted(client, len, ["aaaa"], name="lzgis-shard")
    assert cluster.gathered(client, again) == [4]


def test_a_finished_piece_is_released(client):
    done = []
    cluster.worked_through(client, len, iter(["a", "bb", "ccc"]), name="lzgis-shard", step=done.append)
    assert done == [1, 2, 3]
    deadline = time.monotonic() + 20
    while any("lzgis-shard" in str(key) for keys in client.has_what().values() for key in keys):
        assert time.monotonic() < deadline, "workers keep what is done"
        time.sleep(0.05)


def test_an_error_in_one_piece_ends_the_others(client):
    pieces: list[object] = ["a", *[0.5] * 60]
    began = time.monotonic()
    with pytest.raises(TypeError):
        cluster.worked_through(client, time.sleep, pieces, name="lzgis-nap", step=lambda _: None)
    while client.run_on_scheduler(_naps):
        # All of them would take two workers fifteen seconds.
        assert time.monotonic() < began + 10, "the others are still waited for"
        time.sleep(0.05)


def _naps(dask_scheduler):
    # The one that failed is held by its error.
    return [key for key, task in dask_scheduler.tasks.items() if "lzgis-nap" in str(key) and task.state != "erred"]


def test_an_error_on_a_worker_is_the_error(place, client, tmp_path):
    """A worker that sees another layer under the same path refuses to mix it in."""
    from lzgis.city.catalogue import open_catalogue
    from lzgis.screening.setting import setting_from, setting_of

    reference = setting_of(open_catalogue(place), dt.date(2026, 11, 21)).reference()
    other = reference._replace(fingerprints=(("redline", "0" * 64), *reference.fingerprints[1:]))
    with pytest.raises(LayerError, match=r"a worker sees other files under this path: .*redline"):
        cluster.gathered(client, cluster.submitted(client, setting_from, [other], name="lzgis-setting"))


def test_no_scheduler_at_the_address(monkeypatch):
    monkeypatch.setattr(cluster, "_TIMEOUT_S", 1)
    with pytest.raises(ConfigError, match=r"no scheduler answers at tcp://127\.0\.0\.1:9"):
        cluster.connected("tcp://127.0.0.1:9")


def test_the_command_takes_a_scheduler(place, client, whole, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from lzgis.cli.app import app

    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(WHEN.timestamp())))
    words = ["screen", str(place / "sites.gpkg"), "--layers", str(place), "--as-of", toy.AS_OF, "--out", str(tmp_path)]
    address = client.scheduler.address
    done = CliRunner().invoke(app, [*words, "--format", "parquet", "--shard-size", "60", "--scheduler", address])
    assert done.exit_code == 2, done.output
    table = gpd.read_parquet(tmp_path / "findings.parquet")
    assert table.equals(gpd.read_parquet(_written(whole[1]["findings.parquet"], tmp_path / "whole.parquet")))


def _written(data: bytes, path: Path) -> Path:
    path.write_bytes(data)
    return path


def test_without_a_client_nothing_of_dask_is_imported(place):
    code = f"""
import sys
from lzgis.batch import screen_batch
from lzgis.screening.screen import screen
screen({str(place / "sites.gpkg")!r}, {str(place)!r}, as_of={toy.AS_OF!r})
assert not {{"dask", "distributed"}} & set(sys.modules), "dask was imported"
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stderr
