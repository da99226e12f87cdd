"""A table that is made when it is first used, since few outputs need it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

import pandas as pd


class DeferredTable:
    """A table, or the function that makes it.

    Parameters
    ----------
    made : DataFrame or callable
        The table, or what returns it. It is called once, when the table is first used or pickled, and then released.

    Examples
    --------
    >>> table = DeferredTable(lambda: pd.DataFrame({"a": [1, 2]}))
    >>> len(table.get()), table.get() is table.get()
    (2, True)
    """

    __slots__ = ("_lock", "_made")

    def __init__(self, made: pd.DataFrame | Callable[[], pd.DataFrame]) -> None:
        self._made = made
        self._lock = Lock()

    def get(self) -> pd.DataFrame:
        """Return the table."""
        with self._lock:
            if not isinstance(self._made, pd.DataFrame):
                self._made = self._made()
            return self._made

    def __reduce__(self) -> tuple[Any, ...]:
        return DeferredTable, (self.get(),)
