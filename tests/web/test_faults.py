"""The server when something fails: a full disk, a killed server. Nothing is lost, and the page says what happened."""

from __future__ import annotations

import contextlib
import http.cookiejar
import os
import re
import signal
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import toy
from command_line import RUN

pytest.importorskip("web_page")

from web_page import square_text

INSIDE = square_text(0, 0, id="s1", name="甲", activity="住宅")


class Office:
    """A server in a process, and a browser without scripts."""

    def __init__(self, data, city):
        self.data, self.city = data, city
        self.process = None
        jar = http.cookiejar.CookieJar()
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar)).open
        self._token = ""

    def start(self):
        command = [*RUN, "serve", "--port", "0", "--no-browser", "--workers", "1"]
        self.process = subprocess.Popen(
            [*command, "--data", str(self.data), "--layers", str(self.city)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env=os.environ | {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"},
        )
        line = self.process.stdout.readline()
        self.address = line[line.index("http") :].strip()
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with contextlib.suppress(OSError), self._open(f"{self.address}city/map.json", timeout=30):
                return self
            time.sleep(0.2)
        raise AssertionError("the city was not opened")

    def end(self, number=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(30)
        self.process.stdout.close()

    def get(self, path):
        return self._said(urllib.request.Request(self.address + path))

    def post(self, path, fields, file=None):
        border = "b" * 30
        parts = [f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                 for name, value in {**fields, "csrfmiddlewaretoken": self._token}.items()]  # fmt: skip
        if file is not None:
            parts.append(f'--{border}\r\nContent-Disposition: form-data; name="files"; filename="sites.geojson"\r\n\r\n'
                         f"{file}\r\n")  # fmt: skip
        body = "".join([*parts, f"--{border}--\r\n"]).encode()
        head = {"Content-Type": f"multipart/form-data; boundary={border}"}
        return self._said(urllib.request.Request(self.address + path, body, head))

    def _said(self, request):
        try:
            with self._open(request, timeout=90) as answer:
                url, text, status = answer.geturl(), answer.read().decode(), answer.status
        except urllib.error.HTTPError as error:
            with error:
                url, text, status = error.geturl(), error.read().decode(), error.code
        self._token = (re.findall(r'csrfmiddlewaretoken" value="(\w+)"', text) or [self._token])[0]
        return status, url.removeprefix(self.address), text

    def until(self, path, wanted):
        end = time.monotonic() + 90
        while time.monotonic() < end:
            _, _, text = self.get(path)
            if wanted in text:
                return text
            time.sleep(0.2)
        raise AssertionError(text[-1500:])

    def given(self):
        self.get("")
        status, place, _ = self.post("give/file", {}, INSIDE)
        assert status == 200
        self.until(place, 'id="begin"')
        return place

    def screened(self, place):
        said = {f"assumed-{number}": "yes" for number in range(9)} | {"as_of": toy.AS_OF, "activity": "housing"}
        return self.post(f"{place}/screen", said)


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return toy.city(tmp_path_factory.mktemp("city") / "city")


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
def test_a_killed_server_loses_no_screening_and_takes_its_workers_along(tmp_path, city):
    office = Office(tmp_path / "data", city).start()
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
    try:
        assert 'class="counts"' in office.get(first)[2]
        text = office.get(second)[2]
        assert "服务器中断" in text
        status, again, _ = office.post(f"{second}/again", {})
        assert status == 200
        office.until(again, 'class="counts"')
    finally:
        office.end(signal.SIGTERM)
