"""Shards done by processes of this machine, beside each other; nothing beyond Python is needed for it."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from queue import SimpleQueue
from threading import Thread

from lzgis.batch.shard import Task, do_task
from lzgis.errors import ExportError
from lzgis.messages import Message


def do_tasks(tasks: Iterable[Task], workers: int, *, step: Callable[[int], None]) -> None:
    """Do shards in several processes, each of which reads and indexes the layers once.

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
        If a process was ended from outside; what was done stays done, and the same call continues it.
    """
    # Processes started anew: a copy of this one, with its threads and locks, is not safe everywhere.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)
    done: SimpleQueue[Future[int]] = SimpleQueue()
    folder, asked, told = "", 0, 0
    try:
        for task in tasks:
            folder = str(task.common.folder)
            pool.submit(do_task, task).add_done_callback(done.put)
            asked += 1
            while not done.empty():
                told = _told(done, told, step)
        while told < asked:
            told = _told(done, told, step)
    except BrokenProcessPool as error:
        what = Message("a process that screened was ended, by the system for want of memory or by somebody")
        remedy = Message("run the same command again, which continues it; with fewer --workers it needs less memory")
        raise ExportError(folder, what, remedy) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _told(done: SimpleQueue[Future[int]], told: int, step: Callable[[int], None]) -> int:
    """Wait for one that is done, whose error is raised, and say how many are."""
    done.get().result()
    step(told + 1)
    return told + 1


def _end_with_parent() -> None:
    """End this process when the one that began it is no more: nobody would give it work, or end it, any longer."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()
