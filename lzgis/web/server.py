"""The server: the database is brought up to date, the workers start, and waitress answers requests."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from lzgis.errors import ConfigError
from lzgis.files.lock import Lock
from lzgis.messages import Message, library_message
from lzgis.web.configuration import configure
from lzgis.web.options import ServeOptions

#: Threads that answer requests, and the seconds after which a connection without traffic is closed.
_THREADS, _SILENT_S = 24, 60
_DAY_S = 86_400.0


def ready(options: ServeOptions) -> None:
    """Configure Django, and bring the database up to date."""
    configure(options)
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


def checked(options: ServeOptions) -> None:
    """Refuse to listen for other computers without accounts.

    Raises
    ------
    ConfigError
        If there is no account.
    """
    from lzgis.web.access import has_accounts

    is_local = options.is_local and not options.address
    if is_local or has_accounts():
        return
    shown = options.address or options.listen
    what = Message("'{address}' is open to other computers, and there are no accounts", address=shown)
    raise ConfigError(
        "--address" if options.address else "--listen",
        what,
        Message("make one first: {command}", command="lzgis serve createadmin NAME"),
    )


@contextmanager
def locked(options: ServeOptions) -> Iterator[None]:
    """Hold the lock of the folder of the data: one server at a time uses it.

    Raises
    ------
    ConfigError
        If another server does.
    """
    lock = Lock(options.data / "server.lock")
    if not lock.take():
        what = Message("another server uses {folder}", folder=str(options.data))
        raise ConfigError("--data", what, Message("end it, or name another folder"))
    try:
        lock.sign()
        yield
    finally:
        lock.release()


def bound(options: ServeOptions) -> tuple[socket.socket, ServeOptions]:
    """Return a socket that listens, and the options with its port.

    Raises
    ------
    ConfigError
        If the port is taken or the address is not one of this computer.
    """
    kind = socket.AF_INET6 if ":" in options.listen else socket.AF_INET
    listening = socket.socket(kind, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((options.listen, options.port))
    except OSError as error:
        listening.close()
        place = f"{options.listen}:{options.port}"
        what = Message("{place} cannot be listened on: {why}", place=place, why=library_message(error))
        raise ConfigError("--port", what, Message("name another port, or end the other program")) from None
    return listening, replace(options, port=listening.getsockname()[1])


def serve(options: ServeOptions, *, opened: Callable[[str], None], browser: str = "open") -> None:
    """Answer requests until the process is interrupted.

    Parameters
    ----------
    options : ServeOptions
        The options.
    opened : callable
        Called with the address of the page when it can be opened.
    browser : {"open", "none"}
        Whether a browser is opened.

    Raises
    ------
    ConfigError
        If the port cannot be listened on, another server uses the data, or there are no accounts for other computers.
    """
    with locked(options):
        listening, options = bound(options)
        with contextlib.closing(listening):
            ready(options)
            checked(options)
            _answer(options, listening, opened, browser)


def _answer(options: ServeOptions, listening: socket.socket, opened: Callable[[str], None], browser: str) -> None:
    from django.core.wsgi import get_wsgi_application
    from waitress.server import create_server

    from lzgis.web import pages
    from lzgis.web.supervisor import Supervisor

    supervisor = Supervisor(options)
    pages.use(supervisor)
    supervisor.start()
    threading.Thread(target=_tidy, daemon=True).start()
    server: Any = create_server(
        get_wsgi_application(),
        sockets=[listening],
        threads=_THREADS,
        max_request_body_size=options.bounds.upload_bytes + 1024**2,
        max_request_header_size=64 * 1024,
        channel_timeout=_SILENT_S,
        connection_limit=200,
        ident="lzgis",
        **_behind_proxy(options),
    )
    opened(options.url)
    if browser == "open":
        threading.Timer(0.5, webbrowser.open, [options.url]).start()
    try:
        server.run()
    finally:
        supervisor.stop()
        server.close()


def _behind_proxy(options: ServeOptions) -> dict[str, Any]:
    """Return the settings of waitress for what a proxy on this computer or in front of it states of requests."""
    if not options.address:
        return {}
    # The headers are read by the pages, which know that there is a proxy.
    return {"clear_untrusted_proxy_headers": False}


def _tidy() -> None:
    from lzgis.web.jobs import remove_old

    while True:
        with contextlib.suppress(Exception):
            remove_old()
        time.sleep(_DAY_S)
