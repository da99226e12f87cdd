"""What comes next is made while the caller is busy with what there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")


def ahead(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Give pieces in their order, making the next one in a thread; so two of them are held, and no more.

    Examples
    --------
    >>> list(ahead(n * n for n in range(4)))
    [0, 1, 4, 9]
    """
    source = iter(pieces)
    end = object()
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, source, end)
        while (piece := coming.result()) is not end:
            coming = maker.submit(next, source, end)
            yield piece  # type: ignore[misc]
