"""Compile the loops that commands call, or load them where they are compiled."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np

from lzgis.geometry.loops.cells import Cells, cut
from lzgis.geometry.loops.chains import Chains
from lzgis.geometry.loops.compiled import cache_folder, remove_old_versions
from lzgis.geometry.loops.corridor_areas import Groups, Outlines, encroached
from lzgis.geometry.loops.directory import Directory, directory
from lzgis.geometry.loops.edge_tree import GROUP, RECORD, EdgeTree, boxes, leaves
from lzgis.geometry.loops.membership import Starts, pairs_inside
from lzgis.geometry.loops.nearest_edges import edges_within, nearest_edges
from lzgis.geometry.loops.pairs import shared
from lzgis.geometry.loops.perimeters import common_perimeters
from lzgis.geometry.loops.segments import Segments, segments

#: Called with "loops", how many loops are compiled, and how many there are.
Progress = Callable[[str, int, int], None]

#: The file that says that all loops of a version are in its folder.
_DONE = "all-compiled"
#: How often the progress of the processes that compile is looked at, in seconds.
_INTERVAL_S = 0.1


class _Call(NamedTuple):
    """A loop, and arguments of the types it is called with."""

    loop: Any
    arguments: tuple[Any, ...]

    @property
    def name(self) -> str:
        return str(self.loop.__name__)


def ready_loops(progress: Progress | None = None) -> None:
    """Load the compiled loops; where this version of lzgis runs for the first time, compile them first.

    Parameters
    ----------
    progress : callable, optional
        Called while loops are compiled, with "loops", how many are done, and how many there are.

    Examples
    --------
    >>> ready_loops()
    """
    folder = cache_folder()
    if folder is not None and not (folder / _DONE).exists():
        with ExitStack() as started:
            compilation = _begun(folder, started)
            if compilation:
                compilation.finish(progress)
    _load()


@cache
def _load() -> None:
    """Load the loops, once in a process; compile those that are not cached."""
    for call in _calls():
        _compile(call)


def _compile(call: _Call) -> None:
    # With NUMBA_DISABLE_JIT set, a loop is a plain function.
    if hasattr(call.loop, "compile"):
        call.loop.compile(tuple(map(numba.typeof, call.arguments)))


def _begun(folder: Path, started: ExitStack) -> _Compilation | None:
    """Begin to compile all loops, in a process for each core; of several processes that would do so, one does, the others wait.

    None if another process has done so meanwhile, or if nothing can be written into the folder.
    """
    # Imported here: it takes longer than to load the loops where they are compiled.
    from filelock import FileLock

    lock = FileLock(folder / "compiling.lock")
    try:
        lock.acquire()
    except OSError:
        return None
    started.callback(lock.release)
    if (folder / _DONE).exists():
        return None
    compilation = _Compilation(folder)
    started.callback(compilation.stop)
    compilation.start(_shares(min(os.cpu_count() or 1, _MOST_PROCESSES)))
    return compilation


class _Compilation:
    """Processes that compile loops into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._total = 0
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, shares: list[list[str]]) -> None:
        """Start a process for each share of the loops."""
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        for share in shares:
            command = [sys.executable, "-P", "-m", "lzgis.geometry.loops.ready", *share]
            self._processes.append(subprocess.Popen(command, env=environment, **_QUIET))
        self._total = sum(map(len, shares))

    def finish(self, progress: Progress | None) -> None:
        """Wait for the processes."""
        while any(process.poll() is None for process in self._processes):
            if progress:
                progress("loops", min(len(list(self._folder.glob("*.nbi"))), self._total), self._total)
            time.sleep(_INTERVAL_S)
        if progress:
            progress("loops", self._total, self._total)
        # A loop that no process could compile is compiled here, where an error is seen.
        _load()
        with suppress(OSError):
            (self._folder / _DONE).touch()
            remove_old_versions(self._folder)

    def stop(self) -> None:
        """End what still runs."""
        for process in self._processes:
            process.kill()
            process.wait()


#: Nothing of what these processes say is shown; a fault of theirs is found again in this one.
_QUIET: dict[str, Any] = {
    **dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL),
    "creationflags": getattr(subprocess, "CREATE_NO_WINDOW", 0),
}
#: Processes that compile at the same time; a fourth would have nothing left to do.
_MOST_PROCESSES = 3
#: Loops that one process compiles, because they call the same ones, and how long that takes, in seconds of the processor.
_COST_S = {
    ("encroached",): 7.2,
    ("cut",): 3.8,
    ("nearest_edges", "edges_within"): 3.4,
    ("shared",): 2.5,
    ("common_perimeters",): 2.0,
    ("pairs_inside",): 1.2,
    ("segments",): 1.1,
    ("leaves",): 0.8,
    ("directory",): 0.6,
    ("boxes",): 0.6,
}


def _shares(number: int) -> list[list[str]]:
    """Share the loops out to processes, those that take long first."""
    shares: list[list[str]] = [[] for _ in range(number)]
    costs = [0.0] * number
    for names, cost in sorted(_COST_S.items(), key=lambda item: -item[1]):
        least = costs.index(min(costs))
        shares[least] += names
        costs[least] += cost
    return shares


def _calls() -> list[_Call]:
    """Return every loop that a command calls, with empty arguments of the right types."""
    i, i32, f, f32 = np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0), np.zeros(0, np.float32)
    chain = Chains(f, f, i, f, i)
    cells = Cells(i, i32, i32, f, i.reshape(0, 3), f.reshape(0, 5))
    line = Segments(f.reshape(9, 0), i, f.reshape(0, 4), i)
    place, begin = Directory(i, i, i, i), Starts(i, i, f, f, i)
    tree = EdgeTree(f.reshape(0, RECORD), f32.reshape(0, 4, GROUP), i, i, f)
    outline = Outlines(chain, f.reshape(0, 4), i)
    return [
        _Call(encroached, (chain, outline, (cells, place, 1.0), Groups(i, i, i, f), f.reshape(0, 3))),
        _Call(common_perimeters, (cells, cells, place, i, i, 1.0)),
        _Call(segments, (chain, 0, 1, 1.0)),
        _Call(cut, (chain, 0, 1, 1.0)),
        _Call(shared, (cells, f, f, (f, f, cells, place))),
        _Call(pairs_inside, (chain, (0, 1), cells, (cells, place), begin, 1.0)),
        _Call(nearest_edges, (line, tree, np.zeros(0, np.bool_), 1.0)),
        _Call(edges_within, (line, tree, f, 1)),
        _Call(directory, (cells,)),
        _Call(leaves, (chain,)),
        _Call(boxes, (f.reshape(4, 0), f)),
    ]


def _compile_named(names: list[str]) -> None:
    for call in _calls():
        if call.name in names:
            _compile(call)


if __name__ == "__main__":
    # A compiler makes many objects and drops few: to look for garbage takes a tenth of the time.
    gc.disable()
    _compile_named(sys.argv[1:])
