"""A folder for copies that reading needs, and messages about a copy told under the name of the original."""

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
    """Give a folder that is gone afterwards; an error about a file in it names the original instead.

    Parameters
    ----------
    original : str
        What the user knows the input as.
    stand_in : str, optional
        The name of the file in the folder that is the input itself, if one is; any other is a member of it.
    """
    # What an engine still holds open on Windows is removed with the next restart, and is no error of the user's.
    with tempfile.TemporaryDirectory(prefix="lzgis-", ignore_cleanup_errors=True) as name:
        copy = WorkingCopy(Path(name).resolve(), original, stand_in)
        try:
            yield copy
        except LzgisError as error:
            LzgisError.__init__(error, copy.reword(error.place), copy.reword(error.what), copy.reword(error.remedy))
            raise


class WorkingCopy:
    """A temporary folder that stands for an input.

    Parameters
    ----------
    folder : Path
        The folder.
    original : str
        What the user knows the input as.
    stand_in : str
        The name of the file that is the input itself.
    """

    def __init__(self, folder: Path, original: str, stand_in: str) -> None:
        self.folder = folder
        self.original = original
        self.stand_in = stand_in

    @property
    def file(self) -> Path:
        """The file that is the input itself."""
        return self.folder / self.stand_in

    def reword(self, text: str) -> str:
        """Say a sentence with the name of the original in the place of the copy's."""
        if isinstance(text, Message):
            return Message(text.template, **{k: self._value(v) for k, v in text.values.items()})
        for folder in (f"{self.folder}\\", f"{self.folder.as_posix()}/"):
            if self.stand_in:
                text = text.replace(folder + self.stand_in, self.original)
            text = text.replace(folder, f"{self.original}: ")
        return text

    def reword_read(self, read: Read) -> Read:
        """Say the problems and changes of a copy under the name of the original."""
        said = tuple(
            Problem(p.level, self.reword(p.place), self.reword(p.what), self.reword(p.remedy)) for p in read.problems
        )
        changes = tuple(replace(change, what=self.reword(change.what)) for change in read.changes)
        return replace(read, problems=said, changes=changes)

    def _value(self, value: Any) -> Any:
        if isinstance(value, Message):
            return self.reword(value)
        # Errors of engines name the file too.
        return self.reword(str(value)) if isinstance(value, str | Path | Exception) else value
