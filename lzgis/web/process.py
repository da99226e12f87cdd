"""A worker process and the lines that are exchanged with it. Nothing of the page is needed for it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Protocol

import lzgis
from lzgis.web.options import CITY, ServeOptions
from lzgis.web.requests import Request

#: The last line of a process that has ended.
ENDED: dict[str, Any] = {"what": "ended"}


class Working(Protocol):
    """What the supervisor needs of a worker: on this computer, or on a cluster."""

    city: Path | None

    def send(self, request: Request) -> None:
        """Give a request to the worker."""

    def line(self, wait_s: float) -> dict[str, Any] | None:
        """Return the next line that it wrote; None if there is none within the time."""

    def end(self) -> None:
        """End the worker."""


class Lines:
    """The lines that a worker process writes, as they arrive."""

    def __init__(self) -> None:
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()

    def line(self, wait_s: float) -> dict[str, Any] | None:
        """Return the next line that the process wrote; None if there is none within the time."""
        try:
            return self._lines.get(timeout=wait_s)
        except queue.Empty:
            return None


class Process(Lines):
    """A worker process and the lines that it writes."""

    def __init__(self, options: ServeOptions, city: Path | None) -> None:
        super().__init__()
        #: The folder of the city that it has open; None for the reference city.
        self.city = city
        layers = "" if city is None else str(city.absolute())
        command = [sys.executable, "-P", "-m", "lzgis.web.worker", layers, str(options.data / CITY)]
        self._popen = subprocess.Popen(
            [*command, str(options.bounds.memory_bytes), options.scheduler],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
            cwd=options.data,
            text=True,
            encoding="ascii",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._popen.pid

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(ENDED)

    def send(self, request: Request) -> None:
        """Give a request to the process; one that has ended is noticed when the answer is awaited."""
        assert self._popen.stdin is not None
        with contextlib.suppress(OSError):
            self._popen.stdin.write(request.to_json() + "\n")
            self._popen.stdin.flush()

    def end(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):
            self._popen.kill()
        self._popen.wait()
        for stream in (self._popen.stdin, self._popen.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _environment() -> dict[str, str]:
    root = str(Path(lzgis.__file__).parent.parent)
    path = os.pathsep.join(dict.fromkeys([root, *(p for p in sys.path if p)]))
    return {**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1", "MPLBACKEND": "Agg"}
