"""Writing the documents of many projects in several processes, each with the report and a part of the projects.

The processes are spawned, not forked, on every system; a document has the same bytes whichever process writes it.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

#: Projects per process for which starting it pays, and the most processes, since each holds the report.
_WORTH_A_PROCESS = 16
_MAX_PROCESSES = 8
#: Projects sent to a process at a time.
_CHUNK = 4


class Job(NamedTuple):
    """A project, and the name of its files without suffix."""

    site_id: str
    stem: str


#: Called once in each process; returns the function that writes the files of one project and returns their paths.
Setup = Callable[[], Callable[[Job], list[Path]]]


def process_count(count: int, workers: int) -> int:
    """Return how many processes write `count` projects with at most `workers`; 0 means one per core.

    Examples
    --------
    >>> process_count(20, 4), process_count(500, 4), process_count(500, 1)
    (1, 4, 1)
    """
    most = workers or os.cpu_count() or 1
    return max(1, min(most, _MAX_PROCESSES, count // _WORTH_A_PROCESS))


def write_in_processes(setup: Setup, jobs: Sequence[Job], size: int, folder: Path) -> Iterator[list[Path]]:
    """Write all projects with `size` processes; yields the files of each project, in the order of `jobs`.

    The serialised `setup` is stored in `folder` while the processes run.
    """
    if size == 1:
        yield from map(setup(), jobs)
        return
    with _serialised(setup, folder) as path:
        # Forking a process that runs threads is not safe, and there is no fork on Windows.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(size, mp_context=context, initializer=_set_up, initargs=(str(path),)) as pool:
            yield from pool.map(_write, jobs, chunksize=_CHUNK)


@contextmanager
def _serialised(setup: Setup, folder: Path) -> Iterator[Path]:
    """Write `setup` to a file that all processes read; through a pipe it would be sent to each of them."""
    path = folder / "report.pickle"
    with path.open("wb") as file:
        pickle.dump(setup, file, protocol=pickle.HIGHEST_PROTOCOL)
    yield path


_writers: list[Callable[[Job], list[Path]]] = []


def _set_up(path: str) -> None:
    with Path(path).open("rb") as file:
        setup: Setup = pickle.load(file)
    _writers[:] = [setup()]


def _write(job: Job) -> list[Path]:
    return _writers[0](job)
