"""The command ``serve`` as a process: its start and end, what it refuses, and requests that are no browser's."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest
import toy
from command_line import RUN, run

pytest.importorskip("web_page")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("serve")
    toy.city(made / "city")
    return made


@pytest.fixture(scope="module")
def server(folder):
    """A running server: its process and its port."""
    command = [*RUN, "serve", "--port", "0", "--no-browser", "--workers", "1", "--lang", "en"]
    process = subprocess.Popen(
        [*command, "--data", str(folder / "data"), "--layers", str(folder / "city")],
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    yield process, int(re.findall(r":(\d+)/", process.stdout.readline())[0])
    if process.poll() is None:
        process.kill()
    process.wait(20)
    process.stdout.close()


def sent(port, *lines, body=b""):
    """Return the answer to a request as it goes over the wire."""
    with socket.create_connection(("127.0.0.1", port), 30) as wire:
        wire.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        wire.settimeout(30)
        found = b""
        while b"\r\n\r\n" not in found and (chunk := wire.recv(4096)):
            found += chunk
    return found.decode("latin-1")


def test_the_page_is_answered_on_the_loopback_address_only(server):
    _, port = server
    assert "200 OK" in sent(port, "GET /api HTTP/1.1", f"Host: 127.0.0.1:{port}")
    listening = subprocess.run(["ss", "-ltnH"], capture_output=True, encoding="ascii", check=False).stdout
    assert f"0.0.0.0:{port}" not in listening


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:1", "127.0.0.1.evil.example", ""])
def test_another_host_is_refused_on_the_wire(server, host):
    assert " 400 " in sent(server[1], "GET / HTTP/1.1", f"Host: {host}").splitlines()[0]


def test_two_lengths_or_strange_lines_are_refused(server):
    _, port = server
    own = f"Host: 127.0.0.1:{port}"
    lines = ("POST /give/text HTTP/1.1", own, "Content-Length: 5", "Content-Length: 6")
    assert " 400 " in sent(port, *lines, body=b"abcdef").splitlines()[0]
    assert " 400 " in sent(port, "GET / HTTP/1.1", own, "Bad Header: x").splitlines()[0]


def test_an_oversized_request_is_refused_before_it_is_read(server):
    _, port = server
    lines = ("POST /give/file HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Type: multipart/form-data; boundary=x")
    begun = time.monotonic()
    assert " 413 " in sent(port, *lines, "Content-Length: 99999999999", body=b"x").splitlines()[0]
    assert time.monotonic() - begun < 20
    assert " 431 " in sent(port, "GET / HTTP/1.1", f"Host: 127.0.0.1:{port}", "X: " + "y" * 100_000).splitlines()[0]


def test_slow_senders_do_not_keep_others_waiting(server):
    _, port = server
    slow = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(40)]
    try:
        for one in slow:
            head = f"POST /give/file HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 1000000\r\n\r\n"
            one.sendall(head.encode() + b"x")
        begun = time.monotonic()
        assert "200 OK" in sent(port, "GET /api HTTP/1.1", f"Host: 127.0.0.1:{port}")
        assert time.monotonic() - begun < 20
    finally:
        for one in slow:
            one.close()


def test_a_second_server_on_the_same_data_is_refused(server, folder):
    found = run("serve", "--port", "0", "--no-browser", "--data", folder / "data", "--lang", "en")
    assert found.returncode == 64
    assert "another server uses" in found.stderr


def test_a_taken_port_is_named(server, folder, tmp_path):
    found = run("serve", "--port", str(server[1]), "--no-browser", "--data", tmp_path / "d", "--lang", "en")
    assert found.returncode == 64
    assert "cannot be listened on" in found.stderr


@pytest.mark.parametrize("options", [("--listen", "0.0.0.0"), ("--address", "https://plan.example")])
def test_without_accounts_others_are_not_served(tmp_path, options):
    found = run("serve", *options, "--port", "0", "--no-browser", "--data", tmp_path / "d", "--lang", "en")
    assert found.returncode == 64
    assert "createadmin" in found.stderr


@pytest.mark.parametrize("address", ["plan.example", "ftp://a", "https://a/b", "https://"])
def test_an_address_that_is_none_is_refused(tmp_path, address):
    found = run("serve", "--address", address, "--data", tmp_path / "d", "--lang", "en")
    assert found.returncode == 64


def test_the_first_administrator_is_made_on_the_machine(tmp_path):
    weak = run("serve", "createadmin", "chief", "--data", tmp_path / "d", "--lang", "en", LZGIS_PASSWORD="short")
    assert weak.returncode != 0
    assert "too weak" in weak.stderr
    made = run(
        "serve", "createadmin", "chief", "--data", tmp_path / "d", "--lang", "en", LZGIS_PASSWORD="a good long one"
    )
    assert made.returncode == 0, made.stderr
    again = run(
        "serve", "createadmin", "chief", "--data", tmp_path / "d", "--lang", "en", LZGIS_PASSWORD="a good long one"
    )
    assert "the name is taken" in again.stderr


def test_interrupted_it_ends_well_and_its_workers_with_it(server):
    process, port = server
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/city/map.json").close()
            break
        except urllib.error.HTTPError as error:
            error.close()
            time.sleep(0.2)
    below = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, encoding="ascii", check=False
    ).stdout.split()
    assert below
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    time.sleep(0.5)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in below)  # noqa: PTH110
