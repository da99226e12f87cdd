"""Shards done by processes of this machine, beside each other; nothing beyond Python is needed for it."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from queue import SimpleQueue
from threading import Thread
from typing import NoReturn

from lzgis.batch.shard import Task, do_task, do_without, get_ready, try_sites
from lzgis.errors import ExportError
from lzgis.messages import Message

#: Shards in hand for each process; so many may be lost with it.
_IN_HAND = 2


def do_tasks(tasks: Iterable[Task], workers: int, *, step: Callable[[int], None]) -> None:
    """Do shards in several processes, each of which reads and indexes the layers once.

    When a process dies, others take its place, and the shards that were in hand are done at the end, one at a time in a
    process alone; one that ends that too is searched for the sites that do.

    Parameters
    ----------
    tasks : iterable of Task
        The shards; each is begun as soon as it is there, while the next ones are still made.
    workers : int
        How many processes at most.
    step : callable
        Called with how many are done.

    Raises
    ------
    ExportError
        If processes end before they have begun to screen; what was done stays done, and the same call continues it.
    """
    crew, waiting = _Crew(workers), deque[Task]()
    try:
        for task in tasks:
            waiting.append(task)
            crew.take(waiting)
            while not crew.heard.empty():
                crew.listen(step)
                crew.take(waiting)
        while crew.in_hand:
            crew.listen(step)
            crew.take(waiting)
    finally:
        crew.close()
    with Alone() as alone:
        for number, task in enumerate(crew.lost, start=crew.done + 1):
            salvage(task, alone)
            step(number)


class _Crew:
    """Processes that do shards, begun anew when one of them dies; `lost` are the shards that were in hand then."""

    def __init__(self, workers: int) -> None:
        self.lost: list[Task] = []
        self.done = 0
        self.heard: SimpleQueue[Future[int]] = SimpleQueue()
        self.in_hand: dict[Future[int], tuple[Task, ProcessPoolExecutor]] = {}
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def take(self, waiting: deque[Task]) -> None:
        """Take as many shards in hand as the processes need."""
        while waiting and len(self.in_hand) < _IN_HAND * self._workers:
            self._pool = self._pool or _pool(self._workers)
            try:
                future = self._pool.submit(do_task, waiting[0])
            except BrokenProcessPool:
                self.close()
                continue
            self.in_hand[future] = (waiting.popleft(), self._pool)
            future.add_done_callback(self.heard.put)

    def listen(self, step: Callable[[int], None]) -> None:
        """Wait for a shard that is done, whose error is raised, or lost."""
        future = self.heard.get()
        task, pool = self.in_hand.pop(future)
        try:
            future.result()
        except BrokenProcessPool:
            self.lost.append(task)
            if pool is self._pool:
                self.close()
            return
        self.done += 1
        step(self.done)

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


class Alone:
    """A process that does one thing at a time, begun anew after one that ends it; a context that ends it."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def survives(self, task: Task, work: Callable[..., object], *args: object) -> bool:
        """Do something of a shard and say whether the process is there still; an error of it is raised.

        Raises
        ------
        ExportError
            If not even the layers can be read without ending it, so that the sites cannot be blamed.
        """
        if self._pool is None:
            self._pool = _pool(1)
            if not self._done(get_ready, task):
                _refuse(task)
        return self._done(work, task, *args)

    def _done(self, work: Callable[..., object], *args: object) -> bool:
        assert self._pool is not None
        try:
            self._pool.submit(work, *args).result()
        except BrokenProcessPool:
            self._close()
            return False
        return True

    def _close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def __enter__(self) -> Alone:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()


def salvage(task: Task, alone: Alone) -> None:
    """Do a shard that was lost with its process: as it is, or without the sites that end a process by themselves.

    The sites are halved, each half in a process alone, until those are found: they are 未核查, all others as they would be.

    Raises
    ------
    ExportError
        If the shard cannot be done without them either.
    """
    if alone.survives(task, do_task):
        return
    deadly: list[int] = []
    half = task.shard.sites // 2
    # Where no site ends a process by itself, so many at once do not.
    at_once = max(1, task.shard.sites - half)
    waiting = [(0, half), (half, task.shard.sites)]
    while waiting:
        first, end = waiting.pop()
        if first == end or alone.survives(task, try_sites, first, end):
            continue
        if end - first == 1:
            # Once may be somebody's doing.
            if not alone.survives(task, try_sites, first, end):
                deadly.append(first)
            continue
        at_once = min(at_once, -(-(end - first) // 2))
        waiting += [(first, (first + end) // 2), ((first + end) // 2, end)]
    for most in (*([task.shard.sites] if deadly else []), at_once, 1):
        if alone.survives(task, do_without, tuple(sorted(deadly)), most):
            return
    _refuse(task)


def _refuse(task: Task) -> NoReturn:
    what = Message("a process that screened was ended, by the system for want of memory or by somebody")
    remedy = Message("run the same command again, which continues it; with fewer --workers it needs less memory")
    raise ExportError(str(task.common.folder), what, remedy)


def _pool(workers: int) -> ProcessPoolExecutor:
    # Processes started anew: a copy of this one, with its threads and locks, is not safe everywhere.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_end_with_parent)


def _end_with_parent() -> None:
    """End this process when the one that began it is no more: nobody would give it work, or end it, any longer."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()
