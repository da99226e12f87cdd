"""A place on this machine that nobody must ever call."""

from __future__ import annotations

import itertools
import socket
import threading

_SOCKET = socket.create_server(("127.0.0.1", 0), backlog=50)
_HEARD: list[int] = []

#: Its address.
URL = f"http://127.0.0.1:{_SOCKET.getsockname()[1]}"


def _listen() -> None:
    for number in itertools.count():
        connection, _ = _SOCKET.accept()
        _HEARD.append(number)
        # Close at once, so that the caller does not wait.
        connection.close()


threading.Thread(target=_listen, daemon=True).start()


def calls() -> int:
    """Return the number of connections since the last call."""
    count = len(_HEARD)
    _HEARD.clear()
    return count
