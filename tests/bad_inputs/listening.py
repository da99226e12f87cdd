"""A place on this machine that nobody must ever call."""

from __future__ import annotations

import socket

_SOCKET = socket.create_server(("127.0.0.1", 0), backlog=50)
_SOCKET.setblocking(False)

#: Its address.
URL = f"http://127.0.0.1:{_SOCKET.getsockname()[1]}"


def calls() -> int:
    """Count those who called since last asked."""
    count = 0
    while True:
        try:
            connection, _ = _SOCKET.accept()
        except BlockingIOError:
            return count
        connection.close()
        count += 1
