"""Exit codes and output of the command line: results on standard output, progress and file names on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

if TYPE_CHECKING:
    from lzgis.model.report import Problem
    from lzgis.screening.check import Progress as ReportProgress
    from lzgis.words import Words


#: The most paths of written files that are printed one a line, and the most names of files of one folder in one line.
_MOST_PATHS, _MOST_NAMES = 3, 12


class ExitCode(IntEnum):
    """Exit codes of all commands.

    Attributes
    ----------
    OK
        Done, and nothing was found: no conflict, no difference, no change.
    FOUND
        Done, and conflicts, differences or changes were found; or no move was found that clears a site.
    INCOMPLETE
        Done, but not everything could be checked; this outranks `FOUND`.
    NO_RESULT
        No result: bad input, a bad city, a fault, or a lack of memory or room on the disk.
    USAGE
        Wrong use of the command or its options.

    A command that a signal ends has 130 (SIGINT) or 143 (SIGTERM).
    """

    OK = 0
    FOUND = 1
    INCOMPLETE = 2
    NO_RESULT = 3
    USAGE = 64


class _Console(Console):
    """A console that raises the error of a closed pipe instead of ending the process with code 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def code_of_verdicts(verdicts: Collection[str]) -> ExitCode:
    """Choose the exit code for the verdicts that occur in a screening; an incomplete check outranks a conflict."""
    from lzgis.model.report import Verdict

    if Verdict.INCOMPLETE in verdicts:
        return ExitCode.INCOMPLETE
    conflicts = Verdict.PROHIBITED in verdicts or Verdict.REVIEW in verdicts
    return ExitCode.FOUND if conflicts else ExitCode.OK


def stdout() -> Console:
    """Return the console of standard output.

    A file or a pipe is treated as 160 columns wide, enough for tables, or as wide as the variable ``COLUMNS`` says.
    """
    given = os.environ.get("COLUMNS", "")
    return _Console() if sys.stdout.isatty() or given.isdigit() else _Console(width=160)


def stderr() -> Console:
    """Return the console of standard error."""
    return _Console(stderr=True)


def print_lines(lines: Iterable[str]) -> None:
    """Print lines of text on standard output, without markup, highlighting or wrapping."""
    console = stdout()
    for line in lines:
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def print_problems(problems: Iterable[Problem], words: Words, *, most: int | None = None) -> None:
    """Print problems on standard output, one a line, the most severe first; of more than `most`, only the first."""
    from lzgis.cli.tables import problem_lines

    console = stdout()
    for line in problem_lines(tuple(problems), words)[:most]:
        console.print(line, soft_wrap=True)


def print_utf8(text: str) -> None:
    """Print text on standard output in UTF-8, independent of the encoding of the console."""
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))


def print_json(document: object) -> None:
    """Print a document on standard output as JSON, in UTF-8."""
    print_utf8(json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n")


def announce(written: Iterable[Path], words: Words) -> None:
    """Print the paths of the files that were written on standard error; of more than `_MOST_PATHS`, a summary.

    The summary is one line per folder: how many files it has of each kind, or their names if they are few.
    """
    console, paths = stderr(), list(written)
    lines = [str(path) for path in paths] if len(paths) <= _MOST_PATHS else _summed_up(paths, words)
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _summed_up(paths: list[Path], words: Words) -> list[str]:
    folders: dict[Path, list[str]] = {}
    for path in paths:
        folders.setdefault(path.parent, []).append(path.name)
    lines = []
    for folder, names in folders.items():
        kinds = Counter(name.rpartition(".")[2] for name in names)
        listed = names if len(names) <= _MOST_NAMES else [f"{count} {kind}" for kind, count in kinds.items()]
        what = words("cli", "comma").join(listed)
        lines.append(words("cli", "written", count=len(names), folder=folder, what=what))
    return lines


def _progress_line(what: str, done: int, total: int) -> None:
    print(f"progress: {what} {done} {total}", file=sys.stderr, flush=True)


@contextmanager
def progress_bar(words: Words) -> Iterator[ReportProgress]:
    """Show a progress bar on standard error during a long task, if standard error is a terminal.

    With ``LZGIS_PROGRESS=lines`` in the environment, steps are lines for a program instead: ``progress: sites 20 51``.
    """
    if os.environ.get("LZGIS_PROGRESS") == "lines":
        yield _progress_line
        return
    console = stderr()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        # Without a total: the time before the first step is that of loading the program.
        waiting = bar.add_task(words("cli", "loading"), total=None)
        tasks: dict[str, int] = {}

        def step(what: str, done: int, total: int) -> None:
            if what not in tasks:
                if what == "loops":
                    # Printed where standard error is no terminal, too: nothing else would explain the wait.
                    console.print(words("cli", "compiling"), markup=False, highlight=False, soft_wrap=True)
                bar.update(waiting, visible=False)
                tasks[what] = int(bar.add_task(words("cli", what), total=total))
            bar.update(tasks[what], completed=done)  # type: ignore[arg-type]

        yield step
        # The last step of a task need not have been reported.
        for task in bar.tasks:
            bar.update(task.id, completed=task.total or 0)
        bar.refresh()


def compile_loops(words: Words) -> None:
    """Compile the loops of the geometry core where they are not compiled yet, with a notice and a progress bar.

    For commands that check sites without showing the progress of the check.
    """
    from lzgis.geometry import ready_loops

    with progress_bar(words) as progress:
        ready_loops(progress)
