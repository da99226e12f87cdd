"""Formats of many sites written in a second process, while this one writes the others.

The process is spawned, not forked, on every system. A file has the same bytes whichever process writes it.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lzgis.exports import export_as
from lzgis.exports.formats import FORMATS
from lzgis.files.own_process import search_seldom_for_cycles
from lzgis.geometry.threads import cores
from lzgis.words import Language

if TYPE_CHECKING:
    from lzgis.model.report import Report

#: Sites for which starting a process pays, and beyond which the workbook takes longer than the map.
_FEW, _MANY = 300, 2_000


class _Task(NamedTuple):
    """A file to write; `report` is the file of the serialised report."""

    name: str
    report: Path
    path: Path
    language: Language
    options: Mapping[str, object]


def for_second_process(names: Collection[str], sites: int, workers: int) -> list[str]:
    """Return which formats a second process writes, in the order in which it writes them.

    Parameters
    ----------
    names : collection of str
        The formats to write.
    sites : int
        Number of sites.
    workers : int
        The most processes; 0 means one per core.

    Examples
    --------
    >>> for_second_process(["xlsx", "gpkg", "html"], 1_000, 1), for_second_process(["html"], 1_000, 2)
    ([], [])
    >>> for_second_process(["xlsx", "gpkg", "html"], 1_000, 2), for_second_process(["xlsx", "gpkg", "html"], 10_000, 2)
    (['html'], ['xlsx', 'html'])
    """
    if sites < _FEW or (workers or cores()) < 2:
        return []
    chosen = [name for name in (("xlsx", "html") if sites > _MANY else ("html",)) if name in names]
    # One process has to write the last.
    return chosen if len(chosen) < len(names) else chosen[:-1]


@contextmanager
def second_process(
    names: Sequence[str],
    report: Report,
    paths: Mapping[str, Path],
    *,
    language: Language,
    options: Mapping[str, object] | None = None,
) -> Iterator[None]:
    """Write formats to these paths in a second process, which has ended when the context is left.

    Raises
    ------
    ExportError
        As a writer raises it.
    """
    if not names:
        yield
        return
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_write_all, args=(there,), daemon=True)
    # It imports while the report is serialised.
    process.start()
    there.close()
    try:
        with TemporaryDirectory(prefix="lzgis-") as folder:
            # It writes the first while the report is serialised for the next.
            for name in names:
                if FORMATS[name].shapes and any(FORMATS[one].shapes for one in paths if one not in names):
                    # All parts at once: this process needs those of all sites.
                    report.parts(np.arange(len(report.findings)))
                _send(here, _Task(name, _serialised(name, report, Path(folder)), paths[name], language, options or {}))
            yield
            for name in names:
                answer = _received(here)
                if isinstance(answer, BaseException):
                    raise answer
                if answer is None:
                    # The system has ended the process, perhaps because memory ran out.
                    export_as(name, report, paths[name], language=language, options=options)
    finally:
        here.close()
        if sys.exc_info()[0] is not None:
            process.terminate()
        process.join()


def _serialised(name: str, report: Report, folder: Path) -> Path:
    """Write what a format shows of a report to a file."""
    if name == "html":
        from lzgis.exports.map import gravest

        report = gravest(report)
    if not FORMATS[name].shapes:
        # They need not be built for it.
        none = np.full(len(report.findings), None, dtype=object)
        report = replace(report, findings=report.findings.set_geometry(none, crs=report.findings.crs))
    path = folder / f"{name}.pickle"
    with path.open("wb") as file:
        pickle.dump(report, file, protocol=pickle.HIGHEST_PROTOCOL)
    return path


def _send(here: Connection, task: _Task) -> None:
    # If the process has ended, `_received` returns None.
    with suppress(OSError):
        here.send(task)


def _received(here: Connection) -> object:
    """Return what the process answers: the name of the format it has written, or the error; None if it has ended."""
    try:
        return here.recv()
    except (EOFError, OSError):
        return None


def _write_all(there: Connection) -> None:
    """Write files in the second process until the other one closes the connection; answer for each of them."""
    import lzgis.exports.map
    import lzgis.exports.tables.xlsx  # noqa: F401 (while the other process serialises the report)

    # The other process ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    search_seldom_for_cycles()
    while True:
        try:
            task: _Task = there.recv()
        except EOFError:
            return
        try:
            with task.report.open("rb") as file:
                report = pickle.load(file)
            task.report.unlink()
            export_as(task.name, report, task.path, language=task.language, options=task.options)
            there.send(task.name)
        except Exception as error:
            # The other process raises it, unless it has ended.
            with suppress(OSError):
                there.send(error)
            return
