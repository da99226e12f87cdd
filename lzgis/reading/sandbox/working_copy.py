"""Temporary copies of inputs; messages about a copy name the original instead."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from lzgis.errors import LzgisError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.base import Read


@contextmanager
def working_copy(original: str, stand_in: str = "") -> Iterator[WorkingCopy]:
    """Create a temporary folder; errors about a file in it name the original instead. A context manager.

    Parameters
    ----------
    original : str
        The name of the input for the user.
    stand_in : str, optional
        The name of the copy of the input in the folder, if there is one; other files are members of the input.
    """
    # Files that a library still holds open on Windows cannot be removed; that is no error.
    with tempfile.TemporaryDirectory(prefix="lzgis-", ignore_cleanup_errors=True) as name:
        copy = WorkingCopy(Path(name).resolve(), original, stand_in)
        try:
            yield copy
        except LzgisError as error:
            LzgisError.__init__(error, copy.reword(error.place), copy.reword(error.what), copy.reword(error.remedy))
            raise


class WorkingCopy:
    """A temporary folder with a copy of an input.

    Parameters
    ----------
    folder : Path
        The folder.
    original : str
        The name of the input for the user.
    stand_in : str
        The name of the copy of the input in the folder.
    """

    def __init__(self, folder: Path, original: str, stand_in: str) -> None:
        self.folder = folder
        self.original = original
        self.stand_in = stand_in

    @property
    def file(self) -> Path:
        """The copy of the input."""
        return self.folder / self.stand_in

    def reword(self, text: str) -> str:
        """Replace the path of the copy in a sentence by the name of the original."""
        if isinstance(text, Message):
            return Message(text.template, **{k: self._value(v) for k, v in text.values.items()})
        for folder in (f"{self.folder}\\", f"{self.folder.as_posix()}/"):
            if self.stand_in:
                text = text.replace(folder + self.stand_in, self.original)
            text = text.replace(folder, f"{self.original}: ")
        return text

    def reword_read(self, read: Read) -> Read:
        """Replace the path of the copy in problems and changes by the name of the original."""
        problems = tuple(
            Problem(p.level, self.reword(p.place), self.reword(p.what), self.reword(p.remedy)) for p in read.problems
        )
        changes = tuple(replace(change, what=self.reword(change.what)) for change in read.changes)
        return replace(read, problems=problems, changes=changes)

    def _value(self, value: Any) -> Any:
        if isinstance(value, Message):
            return self.reword(value)
        # Errors of libraries name the file too.
        return self.reword(str(value)) if isinstance(value, str | Path | Exception) else value
