"""Reading in a separate process: what comes back, what the limits do, and that nothing of the child is executed."""

from __future__ import annotations

import datetime as dt
import os
import pickle
import signal
import socket
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
import toy

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading import Decided, Limits, Read, ReadOptions, begin_reading, read_in_sandbox, read_many_in_sandbox
from lzgis.reading.sandbox.exchange import pack, pack_error, unpack, unpack_error
from lzgis.reading.sandbox.limits import DRIVERS_LEFT_OUT, environment

READ_BY = {"ESRI Shapefile", "CSV", "GML", "KML", "GeoJSON", "GPKG", "OpenFileGDB", "FlatGeobuf", "ODS", "XLSX"}


def written(path):
    toy.sites(toy.square(0, 0), toy.square(200, 0)).to_file(path, engine="pyogrio")
    return path


def test_what_was_read_comes_back_as_it_was(tmp_path):
    frame = gpd.GeoDataFrame(
        {
            "number": [1, 2],
            "real": [1.5, np.nan],
            "text": ["甲", None],
            "mixed": pd.Series(["a\ud800", 1], dtype=object),
            "day": [dt.date(2026, 1, 2), None],
            "time": pd.to_datetime(["2026-01-02 03:04:05", None]),
            "zoned": pd.to_datetime(["2026-01-02 03:04:05+08:00", None]),
            "raw": [b"\0\xff", None],
            "flag": [True, False],
        },
        geometry=[shapely.Point(1, 2, 3), None],
        crs="EPSG:4526",
    ).rename_geometry("图形")
    problem = Problem("note", Message("{place}, row {row}", place="a", row=1), "b", Message("x {v:.2f}", v=1.0))
    pack(
        Read(frame, "engine 1", (problem,), Decided("UTF-8", Message("declared")), sha256="0", name="a"), tmp_path / "x"
    )
    back = unpack(tmp_path / "x")
    assert back.frame.geometry.name == "图形"
    assert back.frame.crs == frame.crs
    assert shapely.equals_identical(back.frame.geometry.iloc[0], frame.geometry.iloc[0])
    assert back.frame.geometry.iloc[1] is None
    assert back.frame["number"].tolist() == [1, 2]
    assert back.frame["text"].tolist()[0] == "甲"
    assert back.frame["mixed"].tolist() == ["a\ud800", 1]
    assert back.frame["day"].tolist() == ["2026-01-02", None]
    assert back.frame["time"].iloc[0] == frame["time"].iloc[0]
    assert back.frame["zoned"].iloc[0] == frame["zoned"].iloc[0]
    assert back.frame["raw"].tolist() == [b"\0\xff", None]
    assert back.frame["flag"].dtype == bool
    assert pd.isna(back.frame["real"].iloc[1])
    assert back.problems == (problem,)
    assert back.problems[0].place.template == "{place}, row {row}"
    assert (back.encoding, back.engine) == (Decided("UTF-8", "declared"), "engine 1")


def test_a_message_of_the_child_fills_in_nothing_but_its_values():
    packed = pack_error(SourceError("a", "b", "c")).replace('"b"', '{"message": "{x.__class__}", "values": {"x": "v"}}')
    assert unpack_error(packed).what == "{x.__class__}"


def test_nothing_pickled_is_loaded(tmp_path):
    with (tmp_path / "x").open("wb") as out:
        np.savez(out, head=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        unpack(tmp_path / "x")
    (tmp_path / "y").write_bytes(pickle.dumps("x"))
    with pytest.raises(ValueError, match="allow_pickle"):
        unpack(tmp_path / "y")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signals")
@pytest.mark.parametrize(
    ("number", "message"), [("SIGSEGV", "made the library that reads it crash"), ("SIGKILL", "needs more than 2.0 GB")]
)
def test_a_reading_that_is_ended_is_an_error_and_no_more(tmp_path, number, message):
    path = written(tmp_path / "s.gpkg")
    reading = begin_reading(path)
    os.kill(reading._process.pid, getattr(signal, number))
    with pytest.raises(SourceError, match=f"s.gpkg: {message}"):
        reading.result()
    assert not reading._folder.exists()


def test_time_is_limited_and_nothing_is_left(tmp_path):
    reading = begin_reading(written(tmp_path / "s.gpkg"), limits=Limits(time_s=0.01))
    with pytest.raises(SourceError, match=r"s\.gpkg: was not read within 0 s; split it"):
        reading.result()
    assert reading._process.poll() is not None
    assert not reading._folder.exists()


def test_leaving_the_context_ends_the_process(tmp_path):
    with begin_reading(written(tmp_path / "s.gpkg")) as reading:
        assert reading._process.poll() is None
    assert reading._process.poll() is not None
    assert not reading._folder.exists()


def test_a_file_that_ends_the_process_takes_no_other_with_it(tmp_path):
    good, bad = written(tmp_path / "good.gpkg"), written(tmp_path / "bad.geojson")
    point = '{"type":"Feature","properties":{"id":"1"},"geometry":{"type":"Point","coordinates":[112.5,25]}},'
    bad.write_text('{"type":"FeatureCollection","features":[' + point * 250_000 + point[:-1] + "]}")
    requests = [
        (good, ReadOptions()),
        (bad, ReadOptions()),
        (tmp_path / "none.gpkg", ReadOptions()),
        (good, ReadOptions()),
    ]
    first, second, third, fourth = read_many_in_sandbox(requests, limits=Limits(memory_bytes=512 * 1024**2))
    assert len(first.frame) == len(fourth.frame) == 2
    assert "bad.geojson: needs more than 0.5 GB of memory" in str(second)
    assert "none.gpkg: the file does not exist" in str(third)


def test_what_lies_in_the_current_folder_is_not_imported(tmp_path, monkeypatch):
    for name in ("numpy.py", "json.py", "lzgis.py"):
        (tmp_path / name).write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    assert len(read_in_sandbox(written(tmp_path / "s.gpkg")).frame) == 2


def test_every_driver_is_either_read_by_or_left_out():
    # A new version of GDAL that brings a driver makes this fail, so that somebody decides.
    known = READ_BY | {"MEM", "JSONFG", "Parquet"} | set(DRIVERS_LEFT_OUT)
    assert set(pyogrio.list_drivers()) <= known


def test_the_process_has_no_other_drivers_and_no_accounts(monkeypatch):
    for name in ("AWS_SECRET_ACCESS_KEY", "https_proxy", "GDAL_DRIVER_PATH", "PGPASSWORD"):
        monkeypatch.setenv(name, "x")
    env = environment()
    assert {"AWS_SECRET_ACCESS_KEY", "https_proxy", "PGPASSWORD"} & set(env) == set()
    code = "import pyogrio; print(*pyogrio.list_drivers(), sep='\\n')"
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, encoding="utf-8", check=True)
    assert {"OGR_VRT", "WFS", "HTTP", "SQLite", "LIBKML"} & set(run.stdout.splitlines()) == set()
    assert {"GPKG", "GeoJSON", "ESRI Shapefile"} <= set(run.stdout.splitlines())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux cuts a process off")
def test_the_process_reaches_nobody():
    code = """
import socket, sys
from lzgis.reading.sandbox.limits import limit_this_process
limit_this_process(2 * 1024**3, "refused")
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5)
except OSError:
    print("alone")
"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        run = subprocess.run(
            [sys.executable, "-c", code, port], env=environment(), capture_output=True, encoding="utf-8", check=False
        )
    if "alone" not in run.stdout:
        pytest.skip("this system does not let a process be cut off")


def test_reading_beside_the_layers_gives_what_reading_first_gives(tmp_path):
    from lzgis.reading import read_sites
    from lzgis.screening.screen import screen

    city, path = toy.city(tmp_path / "city"), written(tmp_path / "s.gpkg")
    first = screen(read_sites(path), city, as_of=toy.AS_OF)
    beside = screen(begin_reading(path), city, as_of=toy.AS_OF)
    pd.testing.assert_frame_equal(first.verdicts, beside.verdicts)


@pytest.mark.parametrize(("suffix", "most", "long", "rows"), [
    (".gpkg", 1, True, 1),
    (".gpkg", 2, False, 2),
    (".fgb", 1, True, 1),
    (".geojson", 1, False, 2),
])  # fmt: skip
def test_of_a_long_file_only_the_first_row_is_read(tmp_path, suffix, most, long, rows):
    with begin_reading(written(tmp_path / f"sites{suffix}"), most=most) as reading:
        assert reading.is_long() is long
        assert len(reading.result().frame) == rows


def test_what_cannot_be_read_is_not_long(tmp_path):
    bad = tmp_path / "bad.gpkg"
    bad.write_bytes(b"SQLite format 3\0" + bytes(200))
    with begin_reading(bad, most=1) as reading:
        assert reading.is_long() is False
        with pytest.raises(SourceError, match=r"bad\.gpkg"):
            reading.result()
    with begin_reading(written(tmp_path / "sites.gpkg")) as whole:
        assert whole.is_long() is False


def test_reading_begins_before_anything_heavy_is_imported(tmp_path):
    city, sites = toy.city(tmp_path / "city"), written(tmp_path / "sites.gpkg")
    code = (
        "import sys, lzgis.reading.sandbox.parent as parent\n"
        "def stop(*_):\n"
        "    print(sorted({'geopandas', 'numpy', 'pandas', 'shapely', 'pyproj', 'numba'} & set(sys.modules)))\n"
        "    raise SystemExit\n"
        "parent._start = stop\n"
        f"sys.argv = ['lzgis', 'screen', {str(sites)!r}, '--layers', {str(city)!r}, '--out', {str(tmp_path / 'out')!r}]\n"
        "from lzgis.cli.app import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_what_a_process_read_before_is_not_blamed_on_a_file(tmp_path, monkeypatch):
    """The process has no memory left after the first file; the second is read as the first one of a new process."""
    paths = [written(tmp_path / f"{name}.gpkg") for name in "ab"]
    (tmp_path / "sitecustomize.py").write_text(
        "import lzgis.reading.readers as readers\n"
        "read, count = readers.read_vector, []\n"
        "def once(*given, **named):\n"
        "    count.append(given)\n"
        "    if len(count) > 1:\n"
        "        raise MemoryError\n"
        "    return read(*given, **named)\n"
        "readers.read_vector = once\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    first, second = read_many_in_sandbox([(path, ReadOptions()) for path in paths])
    assert len(first.frame) == len(second.frame) == 2


def test_libraries_leave_the_address_space_to_the_file():
    """Mimalloc would reserve 1 GB of the 2 GB that a file may need."""
    code = "import pyarrow; print(pyarrow.default_memory_pool().backend_name)"
    said = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "system"
