"""Memory that Arrow and the C library take from the system and give back to it, instead of keeping it for later."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import pyarrow as pa


@contextmanager
def borrowed() -> Iterator[None]:
    """Let Arrow borrow its memory from the system: its own pools keep some 60 MB of a shard in each process.

    Examples
    --------
    >>> before = pa.default_memory_pool().backend_name
    >>> with borrowed():
    ...     pa.default_memory_pool().backend_name
    'system'
    >>> pa.default_memory_pool().backend_name == before
    True
    """
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        give_back()
        pa.set_memory_pool(before)


def give_back() -> None:
    """Give back what is not needed any more."""
    pa.default_memory_pool().release_unused()
    trim = _trim()
    if trim:
        trim(0)


@cache
def _trim() -> Callable[[int], object] | None:
    """Find what makes glibc give back what is free between what is not; other C libraries need no telling.

    Threads other than the first, as those of a dask worker, have heaps of their own, which otherwise only grow.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library.malloc_trim if library is not None and hasattr(library, "malloc_trim") else None
