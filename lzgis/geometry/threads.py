"""Work on many sites in pieces, in one thread or several.

A prepared geometry changes its internal state while a predicate runs, so two threads that use the same one crash. Threads
therefore share only geometries that are not prepared, and each thread prepares its own copies. Use a `FeatureIndex`, and
anything else that caches results, in one thread at a time.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.geometry.features import Geometries

Result = TypeVar("Result")

#: Most sites in a piece. Pieces depend on the number of sites alone, so that results do not depend on the number of threads.
MOST = 1024
#: The groups that the thread shares the cores with.
_OF_THREAD = threading.local()


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


def cores() -> int:
    """Return how many threads to use: one in a process that another one started, because the other cores are busy then.

    Threads of `in_groups` share the cores.
    """
    if multiprocessing.parent_process() is not None:
        return 1
    groups: set[int] | None = getattr(_OF_THREAD, "groups", None)
    return max((os.cpu_count() or 1) // max(len(groups or ()), 1), 1)


def in_groups(groups: Sequence[Sequence[int]], work: Callable[[int], None]) -> None:
    """Call ``work`` for every number: those of one group in one thread and in their order, groups in several threads.

    Examples
    --------
    >>> done = []
    >>> in_groups([[3, 1], [2]], done.append)
    >>> sorted(done), done.index(3) < done.index(1)
    ([1, 2, 3], True)
    """
    threads = min(cores(), len(groups))
    if threads <= 1:
        for one in chain.from_iterable(groups):
            work(one)
        return
    unfinished = set(range(len(groups)))

    def work_on(number: int) -> None:
        # What is not finished may start at any time; the last group has all cores.
        _OF_THREAD.groups = unfinished
        try:
            for one in groups[number]:
                work(one)
        finally:
            unfinished.discard(number)

    with ThreadPoolExecutor(threads) as pool:
        tasks = [pool.submit(work_on, number) for number in range(len(groups))]
        try:
            for task in tasks:
                task.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def by_rows(work: Callable[..., Geometries], *columns: npt.NDArray[Any]) -> Geometries:
    """Call ``work`` for some rows of the columns at a time, in as many threads as there are cores; join the results.

    Use it for operations of GEOS that treat each row by itself and use no prepared geometry. A process that another process
    started uses one thread, because the other cores are busy with processes like it.

    Examples
    --------
    >>> shapely.area(by_rows(shapely.buffer, shapely.points([[0, 0], [5, 0]]), np.array([1.0, 2.0]))).round(1)
    array([ 3.1, 12.5])
    """
    rows = len(columns[0])
    threads = cores()
    if threads == 1 or not rows:
        return work(*columns)
    return np.concatenate(in_pieces(rows, threads, lambda *part: work(*(column[slice(*part)] for column in columns))))


def copies(geometries: Geometries) -> Geometries:
    """Copy geometries to the last bit; the copies are not prepared.

    Examples
    --------
    >>> box = shapely.box(0, 0, 1, 1)
    >>> done = shapely.prepare(box)
    >>> bool(shapely.is_prepared(copies(np.array([box])))[0])
    False
    """
    return np.asarray(shapely.from_wkb(shapely.to_wkb(geometries)), dtype=object)


def unprepared(geometries: Geometries) -> Geometries:
    """Return geometries that threads may share: copies of those that are prepared, the others as they are.

    Examples
    --------
    >>> boxes = np.array([shapely.box(0, 0, 1, 1), shapely.box(0, 0, 2, 2)])
    >>> done = shapely.prepare(boxes[0])
    >>> shared = unprepared(boxes)
    >>> shapely.is_prepared(shared), shared[1] is boxes[1]
    (array([False, False]), True)
    """
    prepared = shapely.is_prepared(geometries)
    if not prepared.any():
        return geometries
    shared = geometries.copy()
    shared[prepared] = copies(geometries[prepared])
    return shared
