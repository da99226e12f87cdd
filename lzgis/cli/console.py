"""Streams of the command line: JSON and tables on standard output, progress and messages on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

if TYPE_CHECKING:
    from lzgis.screening.check import Progress as Report_progress
    from lzgis.words import Words


@contextmanager
def progress_bar(words: Words) -> Iterator[Report_progress]:
    """Show a bar on standard error while something long goes on; nothing where that is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[str, int] = {}

        def step(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = int(bar.add_task(words("cli", what), total=total))
            bar.update(tasks[what], completed=done)  # type: ignore[arg-type]

        yield step


def print_json(document: object) -> None:
    """Print a document on standard output, in UTF-8 whatever the console's own encoding is."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")


def stdout() -> Console:
    """Return the console of standard output; a file or a pipe is taken as wide enough for a table."""
    return Console() if sys.stdout.isatty() else Console(width=160)


def announce(written: list[Path]) -> None:
    """Name the files that were written, on standard error."""
    console = Console(stderr=True)
    for path in written:
        console.print(str(path), markup=False, highlight=False, soft_wrap=True)
