"""Work on many sites in pieces, in one thread or several."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

#: Most sites in a piece. Pieces depend on the number of sites alone, so that the number of threads leaves no trace.
MOST = 1024


def in_pieces(n: int, threads: int, work: Callable[[int, int], Result]) -> list[Result]:
    """Call ``work(first, last)`` for consecutive pieces of `n` sites; return the results in order.

    Examples
    --------
    >>> in_pieces(2000, 2, lambda first, last: last - first)
    [250, 250, 250, 250, 250, 250, 250, 250]
    """
    size = min(max(-(-n // 8), 64), MOST)
    pieces = [(first, min(first + size, n)) for first in range(0, n, size)]
    if threads <= 1 or len(pieces) <= 1:
        return [work(first, last) for first, last in pieces]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda piece: work(*piece), pieces))
