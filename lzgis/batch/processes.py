"""Shards screened in parallel by processes of this machine, by means of the standard library."""

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

from lzgis.batch.shard import Task, do_task, do_without, read_setting, try_sites
from lzgis.errors import ExportError
from lzgis.files.own_process import search_seldom_for_cycles
from lzgis.messages import Message

#: Shards that are submitted for each process.
_SUBMITTED = 2


def do_tasks(tasks: Iterable[Task], workers: int, *, step: Callable[[int], None]) -> None:
    """Screen shards in several processes, each of which reads and indexes the layers once.

    If a process dies, a new pool takes over, and the shards that were submitted are screened at the end, one at a time in
    a process of their own. A shard that ends that process too is searched for the sites that cause it.

    Parameters
    ----------
    tasks : iterable of Task
        The shards; each is started as soon as it is available.
    workers : int
        The most processes.
    step : callable
        Called with the number of finished shards.

    Raises
    ------
    ExportError
        If processes end before they begin to screen; finished shards stay, and the same call continues.
    """
    crew, waiting = _Workers(workers), deque[Task]()
    try:
        for task in tasks:
            waiting.append(task)
            crew.submit(waiting)
            while not crew.finished.empty():
                crew.wait(step)
                crew.submit(waiting)
        while crew.submitted:
            crew.wait(step)
            crew.submit(waiting)
    finally:
        crew.close()
    with SingleProcess() as single:
        for number, task in enumerate(crew.lost, start=crew.done + 1):
            salvage(task, single)
            step(number)


class _Workers:
    """A pool of processes that is replaced when one of them dies; `lost` are the shards that were submitted then."""

    def __init__(self, workers: int) -> None:
        self.lost: list[Task] = []
        self.done = 0
        self.finished: SimpleQueue[Future[int]] = SimpleQueue()
        self.submitted: dict[Future[int], tuple[Task, ProcessPoolExecutor]] = {}
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, waiting: deque[Task]) -> None:
        """Submit as many shards as the processes need."""
        while waiting and len(self.submitted) < _SUBMITTED * self._workers:
            self._pool = self._pool or _pool(self._workers)
            try:
                future = self._pool.submit(do_task, waiting[0])
            except BrokenProcessPool:
                self.close()
                continue
            self.submitted[future] = (waiting.popleft(), self._pool)
            future.add_done_callback(self.finished.put)

    def wait(self, step: Callable[[int], None]) -> None:
        """Wait until a shard is done or lost; an error of the shard is raised."""
        future = self.finished.get()
        task, pool = self.submitted.pop(future)
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


class SingleProcess:
    """A process that runs one function at a time and is replaced if that ends it; as a context it is closed."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def survives(self, task: Task, work: Callable[..., object], *args: object) -> bool:
        """Run a function on a shard and return whether the process survived; an error of the function is raised.

        Raises
        ------
        ExportError
            If even reading the layers ends the process, so that the sites are not the cause.
        """
        if self._pool is None:
            self._pool = _pool(1)
            if not self._done(read_setting, task):
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

    def __enter__(self) -> SingleProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()


def salvage(task: Task, single: SingleProcess) -> None:
    """Screen a shard whose process died: as it is, or without the sites that end a process by themselves.

    The sites are halved, each half in a process of its own, until those are found: they become 未核查, the others keep
    their answers.

    Raises
    ------
    ExportError
        If the shard cannot be screened without them either.
    """
    if single.survives(task, do_task):
        return
    deadly: list[int] = []
    half = task.shard.sites // 2
    # If no single site ends a process, a smaller number of sites at a time may not either.
    at_once = max(1, task.shard.sites - half)
    waiting = [(0, half), (half, task.shard.sites)]
    while waiting:
        first, end = waiting.pop()
        if first == end or single.survives(task, try_sites, first, end):
            continue
        if end - first == 1:
            # The first time may have another cause.
            if not single.survives(task, try_sites, first, end):
                deadly.append(first)
            continue
        at_once = min(at_once, -(-(end - first) // 2))
        waiting += [(first, (first + end) // 2), ((first + end) // 2, end)]
    for most in (*([task.shard.sites] if deadly else []), at_once, 1):
        if single.survives(task, do_without, tuple(sorted(deadly)), most):
            return
    _refuse(task)


def _refuse(task: Task) -> NoReturn:
    what = Message("a process that screened was ended, by the system because memory ran out or by a user")
    remedy = Message("run the same command again, which continues it; with fewer --workers it needs less memory")
    raise ExportError(str(task.common.folder), what, remedy)


def _pool(workers: int) -> ProcessPoolExecutor:
    # Spawned, since a fork of a process with threads and locks is unsafe.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)


def _begin() -> None:
    search_seldom_for_cycles()
    _end_with_parent()


def _end_with_parent() -> None:
    """End this process when its parent has ended, since nothing else would."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()
