"""Work on many sites in pieces of fixed size, one thread or several."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

#: Sites per piece. It is fixed, and no answer depends on it, so that the number of threads leaves no trace.
PIECE = 1024


def in_pieces(n: int, threads: int, work: Callable[[int, int], Result]) -> list[Result]:
    """Call ``work(first, last)`` for consecutive pieces of `n` sites; return the results in order.

    Examples
    --------
    >>> in_pieces(2000, 2, lambda first, last: last - first)
    [1024, 976]
    """
    pieces = [(first, min(first + PIECE, n)) for first in range(0, n, PIECE)]
    if threads <= 1 or len(pieces) <= 1:
        return [work(first, last) for first, last in pieces]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda piece: work(*piece), pieces))
