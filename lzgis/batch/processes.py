"""Shards done by processes of this machine, beside each other; nothing beyond Python is needed for it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from lzgis.batch.shard import Task, do_task
from lzgis.errors import ExportError
from lzgis.messages import Message


def do_tasks(tasks: Sequence[Task], workers: int, *, step: Callable[[int], None]) -> None:
    """Do shards in several processes, each of which reads and indexes the layers once.

    Parameters
    ----------
    tasks : sequence of Task
        The shards; at least one.
    workers : int
        How many processes.
    step : callable
        Called with how many are done.

    Raises
    ------
    ExportError
        If a process was ended from outside; what was done stays done, and the same call continues it.
    """
    # Processes started anew: a copy of this one, with its threads and locks, is not safe everywhere.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(tasks)), mp_context=context)
    try:
        for done, future in enumerate(as_completed([pool.submit(do_task, task) for task in tasks]), start=1):
            future.result()
            step(done)
    except BrokenProcessPool as error:
        what = Message("a process that screened was ended, by the system for want of memory or by somebody")
        remedy = Message("run the same command again, which continues it; with fewer --workers it needs less memory")
        raise ExportError(tasks[0].folder, what, remedy) from error
    finally:
        pool.shutdown(cancel_futures=True)
