"""Documents of a large batch written by several processes, each with the report and a part of the projects.

The processes are started afresh on every system, so that a document is the same whoever writes it.
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

#: Projects that are worth the start of a process, and the most processes: each holds the report.
_WORTH_A_PROCESS = 16
_MOST = 8
#: Projects handed over at a time.
_SHARE = 4


class Job(NamedTuple):
    """A project, and the name of its files without suffix."""

    site_id: str
    stem: str


#: Makes, in the process that it is called in, the function that writes one project and names its files.
Setup = Callable[[], Callable[[Job], list[Path]]]


def crew_size(count: int, workers: int) -> int:
    """Tell how many processes shall write `count` projects, if at most `workers` are wanted; 0 stands for all cores.

    Examples
    --------
    >>> crew_size(20, 4), crew_size(500, 4), crew_size(500, 1)
    (1, 4, 1)
    """
    wanted = workers or os.cpu_count() or 1
    return max(1, min(wanted, _MOST, count // _WORTH_A_PROCESS))


def written_by(setup: Setup, jobs: Sequence[Job], size: int, place: Path) -> Iterator[list[Path]]:
    """Write every project with `size` processes, and give the files of one after another, in their order.

    What the processes start from stands in the folder `place` for that time.
    """
    if size == 1:
        yield from map(setup(), jobs)
        return
    with _packed(setup, place) as path:
        # Forking a process that runs threads is not safe, and there is no fork on Windows.
        fresh = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(size, mp_context=fresh, initializer=_begin, initargs=(str(path),)) as pool:
            yield from pool.map(_write, jobs, chunksize=_SHARE)


@contextmanager
def _packed(setup: Setup, place: Path) -> Iterator[Path]:
    """Write what the processes start from to a file: a pipe would be filled once for each of them."""
    path = place / "report.pickle"
    with path.open("wb") as file:
        pickle.dump(setup, file, protocol=pickle.HIGHEST_PROTOCOL)
    yield path


_writers: list[Callable[[Job], list[Path]]] = []


def _begin(path: str) -> None:
    with Path(path).open("rb") as file:
        setup: Setup = pickle.load(file)
    _writers[:] = [setup()]


def _write(job: Job) -> list[Path]:
    return _writers[0](job)
