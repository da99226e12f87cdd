"""Settings of the processes that lzgis starts; a program that imports lzgis keeps its own."""

from __future__ import annotations

import gc

#: How many new objects, and how many collections of the younger generations, before Python searches for cycles.
_COLLECT_AFTER = (50_000, 20, 50)


def search_seldom_for_cycles() -> None:
    """Let Python search for cycles of objects less often.

    Imports and tables make hundreds of thousands of objects and few cycles. A search for each 700 objects takes a tenth of a run.

    Examples
    --------
    >>> before = gc.get_threshold()
    >>> search_seldom_for_cycles()
    >>> gc.get_threshold()
    (50000, 20, 50)
    >>> gc.set_threshold(*before)
    """
    gc.set_threshold(*_COLLECT_AFTER)
