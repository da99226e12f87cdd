"""A PostGIS database for tests: the one that LZGIS_TEST_POSTGIS names, or one of a server of our own on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed (extra postgis)")


@contextmanager
def database() -> Iterator[str]:
    """Give the address of an empty database with PostGIS, which is dropped afterwards; skip if there can be none."""
    with _server() as server:
        name = f"lzgis_{uuid.uuid4().hex[:12]}"
        admin = server.replace("postgis://", "postgresql://")
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        own = admin.rpartition("/")[0] + f"/{name}"
        try:
            with psycopg.connect(own, autocommit=True) as connection:
                connection.execute("CREATE EXTENSION postgis")
            yield own.replace("postgresql://", "postgis://")
        finally:
            with psycopg.connect(admin, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _server() -> Iterator[str]:
    if given := os.environ.get("LZGIS_TEST_POSTGIS"):
        yield given
        return
    programs = _programs()
    if programs is None:
        pytest.skip("no PostGIS: LZGIS_TEST_POSTGIS is not set and no server with PostGIS is installed")
    # The server will not run as root; Debian has a user for it.
    user = {"user": "postgres"} if sys.platform != "win32" and os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="lzgis-pg-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        if user:
            shutil.chown(folder, "postgres")
        data = folder / "data"
        run = partial(subprocess.run, check=True, stdout=subprocess.DEVNULL, cwd=folder, **user)
        run(
            [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"],
        )
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off"
        control = [programs / "pg_ctl", "-D", data, "-w"]
        run([*control, "-l", folder / "log", "-o", options, "start"])
        try:
            yield f"postgis://postgres@127.0.0.1:{port}/postgres"
        finally:
            run([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """Find the folder of a server's programs, of a server that has PostGIS."""
    found = shutil.which("pg_ctl")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        shares = [folder.parent / "share/extension", Path("/usr/share/postgresql") / folder.parent.name / "extension"]
        if (folder / "initdb").exists() and any((share / "postgis.control").exists() for share in shares):
            return folder
    return None
