"""The manifest of a result folder: its files, their checksums, and what they were made from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from lzgis.errors import ExportError
from lzgis.files.atomic_write import digest_of
from lzgis.messages import Message

MANIFEST = "manifest.json"
#: Version of the manifest; increased when older readers would misunderstand it.
FORMAT = 1
_KIND = "results of lzgis"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ResultFile(_Record):
    """A file of a result: its path relative to the folder (with ``/``), SHA-256 and size in bytes."""

    name: str
    sha256: str
    bytes: int


class InputPaths(_Record):
    """Paths of the inputs as the user gave them; empty where none was given."""

    sites: str = ""
    layers: str = ""
    overrides: str = ""


class Result(_Record):
    """One result: the files that one command wrote, the command, its inputs and its provenance."""

    made_at: str
    command: list[str] = []
    given: InputPaths = InputPaths()
    provenance: dict[str, Any] = {}
    files: list[ResultFile] = []

    def same_inputs(self, other: Result) -> bool:
        """Return whether both were made from the same inputs, rules, date and versions, so that their files belong together."""
        return _basis(self.provenance) == _basis(other.provenance)


class Manifest(_Record):
    """All results of a folder by the command that wrote them."""

    kind: str = _KIND
    format: int = FORMAT
    results: dict[str, Result] = {}

    def text(self) -> str:
        """Return the text of the file."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def read_manifest(folder: Path) -> Manifest | None:
    """Read the manifest of a folder; None if there is none.

    Raises
    ------
    ExportError
        If the file of that name is no manifest of lzgis, or one of a later version.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        stated = json.loads(path.read_bytes())
    except (OSError, ValueError):
        stated = None
    if not isinstance(stated, dict) or stated.get("kind") != _KIND:
        what = Message("is no manifest of lzgis, and is not overwritten")
        raise ExportError(str(path), what, Message("choose another folder, or give the file another name"))
    if stated.get("format") != FORMAT:
        what = Message("is of another version of lzgis (format {format})", format=stated.get("format"))
        raise ExportError(str(path), what, Message("choose another folder, or give the file another name"))
    try:
        return Manifest.model_validate(stated)
    except ValidationError as error:
        why = error.errors()[0]["msg"]
        what = Message("cannot be read: {why}", why=why)
        raise ExportError(str(path), what, Message("choose another folder, or give the file another name")) from error


def describe_files(folder: Path, names: Iterable[str]) -> list[ResultFile]:
    """Return name, checksum and size of files of a folder."""
    return [
        ResultFile(name=name, sha256=digest_of(folder / name), bytes=(folder / name).stat().st_size) for name in names
    ]


def state_of(folder: Path, file: ResultFile) -> str:
    """Return whether a file is ``same``, ``changed`` or ``missing``."""
    path = folder / file.name
    if not path.is_file():
        return "missing"
    same = path.stat().st_size == file.bytes and digest_of(path) == file.sha256
    return "same" if same else "changed"


def _basis(provenance: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in provenance.items() if name not in ("made_at", "command")}
