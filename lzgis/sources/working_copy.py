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
from lzgis.model import Problem
from lzgis.sources.base import Read


@contextmanager
def working_copy(original: str) -> Iterator[WorkingCopy]:
    """Give a folder that is gone afterwards; an error about a file in it names the original instead.

    Parameters
    ----------
    original : str
        What the user knows the input as.
    """
    # What an engine still holds open on Windows is removed with the next restart, and is no error of the user's.
    with tempfile.TemporaryDirectory(prefix="lzgis-", ignore_cleanup_errors=True) as name:
        copy = WorkingCopy(Path(name).resolve(), original)
        try:
            yield copy
        except LzgisError as error:
            place, what, remedy = (copy.told(part) for part in (error.place, error.what, error.remedy))
            raise type(error)(place, what, remedy) from error.__cause__


class WorkingCopy:
    """A temporary folder that stands for an input.

    Parameters
    ----------
    folder : Path
        The folder.
    original : str
        What the user knows the input as.
    """

    def __init__(self, folder: Path, original: str) -> None:
        self.folder = folder
        self.original = original

    def told(self, text: str) -> str:
        """Say a sentence with the name of the original in the place of the copy's."""
        if isinstance(text, Message):
            return Message(text.template, **{k: self._value(v) for k, v in text.values.items()})
        name = Path(self.original).name
        for path in (str(self.folder), self.folder.as_posix()):
            # A copy under the original's own name is the original; anything else is a member of it.
            text = text.replace(f"{path}/{name}", self.original).replace(f"{path}\\{name}", self.original)
            text = text.replace(f"{path}/", f"{self.original}: ").replace(f"{path}\\", f"{self.original}: ")
        return text

    def retold(self, read: Read) -> Read:
        """Say the problems of a copy under the name of the original."""
        said = tuple(
            Problem(p.level, self.told(p.place), self.told(p.what), self.told(p.remedy)) for p in read.problems
        )
        return replace(read, problems=said)

    def _value(self, value: Any) -> Any:
        if isinstance(value, str | Path):
            return self.told(value if isinstance(value, str) else str(value))
        return value
