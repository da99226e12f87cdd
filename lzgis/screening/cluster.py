"""Pieces of work on a dask cluster. Nothing of dask is imported unless a client is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from lzgis.errors import ConfigError
from lzgis.messages import Message, library_message

if TYPE_CHECKING:
    from distributed import Client

Piece = TypeVar("Piece")
Result = TypeVar("Result")

#: How often a piece is retried whose worker died. Dask gives up on a piece that keeps killing workers.
_RETRIES = 3
#: How long a scheduler may take to answer (s).
_TIMEOUT_S = 10


def connected(address: str) -> Client:
    """Connect to a scheduler.

    Parameters
    ----------
    address : str
        As ``tcp://10.0.0.5:8786``.

    Raises
    ------
    ConfigError
        If dask.distributed is not installed, or no scheduler answers there.
    """
    try:
        from distributed import Client
    except ImportError as error:
        what = Message("needs a package that is not installed: {name}", name="distributed")
        remedy = Message("install it with: {command}", command="pip install 'lzgis[cluster]'")
        raise ConfigError("--scheduler", what, remedy) from error
    try:
        return Client(address, timeout=_TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        what = Message("no scheduler answers at {address} ({why})", address=address, why=library_message(error))
        raise ConfigError("--scheduler", what, Message("start one with 'dask scheduler', and workers")) from error


def submitted(
    client: Client, work: Callable[[Piece], Result], pieces: Sequence[Piece], *, name: str, priority: int = 0
) -> list[Any]:
    """Submit pieces of work to a cluster and return their futures, as ``distributed.progress`` takes them.

    Parameters
    ----------
    client : distributed.Client
        The cluster.
    work : callable
        Returns the result of a piece; a function of a module that the workers can import.
    pieces : sequence
        The pieces.
    name : str
        Name of the pieces on the dashboard.
    priority : int
        As in ``Client.map``.
    """
    # Keys are unique to a run: dask must never return the result of an earlier run for this one.
    run = uuid4().hex[:8]
    keys = [f"{name}-{run}-{number}" for number in range(len(pieces))]
    futures: list[Any] = client.map(work, pieces, key=keys, pure=False, retries=_RETRIES, priority=priority)
    return futures


def worked_through(
    client: Client, work: Callable[[Piece], object], pieces: Iterable[Piece], *, name: str, step: Callable[[int], None]
) -> None:
    """Run pieces of work whose results are not needed. An error of one cancels the others and is raised.

    The future of a finished piece is released at once; otherwise the scheduler would hold its task until the end.

    Parameters
    ----------
    client : distributed.Client
        The cluster.
    work : callable
        As for `submitted`.
    pieces : iterable
        The pieces; each is submitted as soon as the iterable yields it.
    name : str
        Name of the pieces on the dashboard.
    step : callable
        Called with the number of pieces done.
    """
    from distributed import as_completed

    waiting = as_completed(loop=client.loop)
    try:
        for piece in pieces:
            waiting.update(submitted(client, work, [piece], name=name))
        for done, future in enumerate(waiting, start=1):
            if future.status == "error":
                future.result()
            future.release()
            step(done)
    except BaseException:
        client.cancel(list(waiting.futures))
        raise


def gathered(client: Client, futures: Sequence[Any], *, step: Callable[[int, int], None] | None = None) -> list[Any]:
    """Wait for futures and return their results in order. An error of one cancels the others and is raised.

    Parameters
    ----------
    client : distributed.Client
        The cluster.
    futures : sequence of Future
        As `submitted` returns them.
    step : callable, optional
        Called with the number of pieces done, and of all.
    """
    from distributed import as_completed

    try:
        for done, future in enumerate(as_completed(list(futures)), start=1):
            if future.status == "error":
                future.result()
            if step:
                step(done, len(futures))
        results: list[Any] = client.gather(list(futures))
    except BaseException:
        client.cancel(list(futures))
        raise
    return results
