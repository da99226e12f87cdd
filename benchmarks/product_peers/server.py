"""A throw-away PostgreSQL server with PostGIS on loopback, as the user that Debian has for it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

#: For two sessions on a machine of two cores; nothing is written for durability.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "jit": "off",
    "shared_buffers": "1GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "512MB",
}


def programs() -> Path | None:
    """Return the folder of the programs of a server that has PostGIS; None if there is none."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        control = Path("/usr/share/postgresql") / folder.parent.name / "extension/postgis.control"
        if (folder / "initdb").exists() and control.exists():
            return folder
    return None


@contextmanager
def server() -> Iterator[tuple[str, int]]:
    """Start a server; yield its address and the id of its first process."""
    where = programs()
    if where is None:
        raise SystemExit("no server with PostGIS is installed; on Debian: apt-get install postgresql-15-postgis-3")
    user = {"user": "postgres"} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="lzgis-benchmark-pg-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run = partial(subprocess.run, check=True, stdout=subprocess.DEVNULL, cwd=folder, **user)
    data = folder / "data"
    try:
        if user:
            shutil.chown(folder, "postgres")
        run([where / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"])
        options = " ".join(f"-c {name}='{value}'" for name, value in (_SETTINGS | {"port": port}).items())
        run([where / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"])
        try:
            pid = int((data / "postmaster.pid").read_text().split()[0])
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres", pid
        finally:
            run([where / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
