"""A reading process that has loaded its libraries once, and forks for each file: ``python -m lzgis.reading.sandbox.warm``.

Loading geopandas and GDAL takes longer than reading a usual file. A server that reads many files starts this process once. It
opens no file itself: each file is read by a fork, with the limits of :mod:`lzgis.reading.sandbox.child`, which has no
connection to this process or to the server and ends with its file. On systems that cannot fork, files are read as without it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lzgis.reading.sandbox.limits import environment

_KILLED = -int(getattr(signal, "SIGKILL", 9))


class Fork:
    """A fork that reads; what :mod:`lzgis.reading.sandbox.parent` uses of :class:`subprocess.Popen`."""

    def __init__(self, reader: WarmReader, folder: str) -> None:
        self._reader, self._folder = reader, folder
        self._ended = threading.Event()
        #: The exit code; negative for a signal, None while it runs.
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end.

        Raises
        ------
        subprocess.TimeoutExpired
            If it still runs after so many seconds.
        """
        if not self._ended.wait(timeout):
            late = subprocess.TimeoutExpired([self._folder], timeout or 0.0)
            raise late
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        """End it."""
        self._reader.send("kill", self._folder)

    def end(self, code: int) -> None:
        """Note that it has ended."""
        self.returncode = code
        self._ended.set()


class WarmReader:
    """The process that forks, as its user sees it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forks: dict[str, Fork] = {}
        self._process: subprocess.Popen[str] | None = None

    def start(self, folders: Sequence[Path]) -> Fork | None:
        """Have the request in a folder done by a fork; None if it must be done without, as on systems that cannot fork."""
        if len(folders) != 1 or not hasattr(os, "fork") or not self._runs():
            return None
        name = str(folders[0])
        fork = Fork(self, name)
        with self._lock:
            self._forks[name] = fork
        if self.send("read", name):
            return fork
        with self._lock:
            self._forks.pop(name, None)
        return None

    def send(self, what: str, folder: str) -> bool:
        """Send a line to the process; return whether it took it."""
        with self._lock:
            try:
                assert self._process is not None and self._process.stdin is not None
                self._process.stdin.write(json.dumps([what, folder]) + "\n")
                self._process.stdin.flush()
            except OSError:
                return False
            return True

    def close(self) -> None:
        """End the process; its forks end with it."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            _close(process)

    def _runs(self) -> bool:
        """Start the process if it does not run; return whether it does."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return True
            if self._process is not None:
                _close(self._process)
                self._process = None
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "lzgis.reading.sandbox.warm"],
                    cwd=tempfile.gettempdir(),
                    env=environment("refused"),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    encoding="ascii",
                )
            except OSError:
                return False
            threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
            return True

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            for line in process.stdout:
                folder, code = json.loads(line)
                with self._lock:
                    fork = self._forks.pop(folder, None)
                if fork is not None:
                    fork.end(code)
        with self._lock:
            left, self._forks = self._forks, {}
        for fork in left.values():
            fork.end(_KILLED)


def _close(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


#: The warm reader of this process; None while every file is read by a new process.
_READERS: list[WarmReader] = []


def keep_warm() -> None:
    """Have files read by forks of a process that has its libraries loaded, from now on in this process."""
    if not _READERS:
        _READERS.append(WarmReader())


def warm_start(folders: Sequence[Path]) -> Fork | None:
    """Start a reading in a fork, if this process keeps a warm reader."""
    return _READERS[0].start(folders) if _READERS else None


def main() -> int:
    """Fork for each request until standard input ends."""
    _load()
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    running: dict[int, str] = {}
    pending = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(woken, 4096)
        _report_ended(running)
        if 0 in ready:
            more = os.read(0, 65536)
            if not more:
                return 0
            *lines, pending = (pending + more).split(b"\n")
            for line in lines:
                _do(json.loads(line), running, (woken, wake))


def _load() -> None:
    """Load what readings need, so that forks find it loaded."""
    import sqlite3  # noqa: F401

    import pyogrio  # noqa: F401
    import pyproj

    from lzgis.reading import formats
    from lzgis.reading.sandbox import child, exchange  # noqa: F401

    for one in pkgutil.iter_modules(formats.__path__, f"{formats.__name__}."):
        with contextlib.suppress(ImportError):
            importlib.import_module(one.name)
    pyproj.CRS.from_epsg(4490)


def _do(asked: Any, running: dict[int, str], pipes: tuple[int, int]) -> None:
    what, folder = asked
    if what == "read":
        pid = os.fork()
        if pid == 0:
            _read(folder, pipes)
        running[pid] = folder
        return
    for pid, name in running.items():
        # It is not reaped yet, so that the number is still its own.
        if name == folder:
            os.kill(pid, signal.SIGKILL)


def _read(folder: str, pipes: tuple[int, int]) -> None:
    """Read as a process of its own does, and end."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        for own in (0, 1, 2):
            os.dup2(nothing, own)
        for one in (nothing, *pipes):
            os.close(one)
        os.chdir(folder)
        from lzgis.reading.sandbox.child import main as read_requests

        code = read_requests([Path(folder)])
    finally:
        os._exit(code)


def _report_ended(running: dict[int, str]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        folder = running.pop(pid, None)
        if folder is not None:
            os.write(1, (json.dumps([folder, os.waitstatus_to_exitcode(status)]) + "\n").encode("ascii"))


if __name__ == "__main__":
    sys.exit(main())
