"""Worker processes on a dask cluster: the same process as on this computer, started beside a worker of dask.

The workers of the cluster must see the folder of the data and that of the city under the same paths, and have lzgis
installed. Progress and results come back as events of the cluster.
"""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lzgis.screening.cluster import connected
from lzgis.web.options import ServeOptions
from lzgis.web.process import ENDED, Lines, Process
from lzgis.web.requests import Request

if TYPE_CHECKING:
    from distributed import Client

_WAIT_S = 0.5
_END = ""


@cache
def client_of(address: str) -> Client:
    """Return the connection of this process to a scheduler, made once."""
    return connected(address)


class Remote(Lines):
    """A worker process on a cluster.

    Parameters
    ----------
    options : ServeOptions
        The options of the server, with its `scheduler`.
    city : Path, optional
        The folder of the city; the reference city if not given.

    Raises
    ------
    ConfigError
        If no scheduler answers.
    """

    def __init__(self, options: ServeOptions, city: Path | None) -> None:
        from distributed import Queue

        super().__init__()
        self.city = city
        self._client = client_of(options.scheduler)
        self._topic = f"lzgis-{uuid4().hex}"
        self._client.subscribe_topic(self._topic, self._take)
        self._requests = Queue(self._topic, client=self._client)
        self._future = self._client.submit(
            relay, self._topic, replace(options, layers=None), city, key=self._topic, pure=False, retries=0
        )
        # A worker of the cluster that dies ends the process with it.
        self._future.add_done_callback(lambda _: self._lines.put(ENDED))

    def _take(self, event: Any) -> None:
        self._lines.put(json.loads(event[1]))

    def send(self, request: Request) -> None:
        """Give a request to the process."""
        with contextlib.suppress(OSError, TimeoutError):
            self._requests.put(request.to_json(), timeout=30)

    def end(self) -> None:
        """End the process."""
        with contextlib.suppress(Exception):
            self._requests.put(_END, timeout=5)
            self._client.unsubscribe_topic(self._topic)


def relay(topic: str, options: ServeOptions, city: Path | None) -> None:
    """Keep a worker process beside this worker of dask; pass requests to it, and its lines back, until it ends."""
    from distributed import Queue, get_worker, secede

    worker = get_worker()
    requests = Queue(topic)
    # It waits most of the time, and must not take the place of work.
    secede()
    process = Process(options, city)
    stopped = threading.Event()

    def lines() -> None:
        while not stopped.is_set():
            line = process.line(_WAIT_S)
            if line is not None:
                worker.log_event(topic, json.dumps(line))
                if line == ENDED:
                    stopped.set()

    threading.Thread(target=lines, daemon=True).start()
    try:
        while not stopped.is_set():
            try:
                text = requests.get(timeout=_WAIT_S)
            except TimeoutError:
                continue
            if text == _END:
                return
            process.send(Request.from_json(text))
    finally:
        stopped.set()
        process.end()
