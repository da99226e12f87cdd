"""The server when the disk is full, or when it is killed: nothing is lost, and the page says what happened."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
import toy

pytest.importorskip("web_page")

from web_office import INSIDE, Office


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return toy.city(tmp_path_factory.mktemp("city") / "city")


@pytest.fixture
def office(tmp_path, city):
    """A running server, which is ended whatever happens."""
    one = Office(tmp_path / "data", city).start()
    yield one
    one.end()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 40 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m,mode=700", "tmpfs", str(place)],
                          capture_output=True, check=False)  # fmt: skip
    if made.returncode:
        pytest.skip("only an administrator can make a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


@pytest.mark.skipif(os.name != "posix", reason="needs a file system of its own")
def test_a_full_disk_loses_nothing_and_is_named(small_disk, city):
    office = Office(small_disk / "data", city).start()
    try:
        _, first, text = office.screened(office.given())
        office.until(first, 'class="counts"')
        place = office.given()
        with contextlib.suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"\0" * 4096)
        for status, _, text in (office.post("give/file", {}, INSIDE), office.screened(place)):
            assert status == 507
            assert "磁盘已满" in text
        # What there was can still be read, and the server goes on when there is room again.
        assert 'class="counts"' in office.get(first)[2]
        (small_disk / "filler").unlink()
        _, second, _ = office.screened(office.given())
        office.until(second, 'class="counts"')
        assert 'class="counts"' in office.get(first)[2]
    finally:
        office.end(signal.SIGTERM)
    with contextlib.closing(sqlite3.connect(small_disk / "data" / "lzgis.sqlite3")) as base:
        assert base.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_killed_server_loses_no_screening_and_takes_its_workers_along(office):
    _, first, _ = office.screened(office.given())
    office.until(first, 'class="counts"')
    place = office.given()
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(office.process.pid)], capture_output=True,
                           encoding="ascii", check=True)  # fmt: skip
    workers = [int(one) for one in found.stdout.split()]
    assert workers
    os.kill(workers[0], signal.SIGSTOP)
    # The worker takes the screening and stands still; then the server is killed.
    begun = time.monotonic()
    _, second, text = office.screened(place)
    assert 'id="progress"' in text
    assert time.monotonic() - begun < 30
    office.end()
    os.kill(workers[0], signal.SIGCONT)
    until = time.monotonic() + 30
    while any(Path(f"/proc/{one}").exists() for one in workers) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{one}").exists() for one in workers)
    office.start()
    assert 'class="counts"' in office.get(first)[2]
    text = office.get(second)[2]
    assert "服务器中断" in text
    status, again, _ = office.post(f"{second}/again", {})
    assert status == 200
    office.until(again, 'class="counts"')
