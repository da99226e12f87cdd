"""The manifest of a folder of results: which files are its results, their fingerprints, and what they were made from."""

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
#: Raised when a reader of the older form would misunderstand.
FORMAT = 1
_KIND = "results of lzgis"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ResultFile(_Record):
    """A file of a result: its name below the folder with ``/`` between, fingerprint and size."""

    name: str
    sha256: str
    bytes: int


class InputPaths(_Record):
    """Where the inputs were, as whoever asked wrote it; empty where nothing was written."""

    sites: str = ""
    layers: str = ""
    overrides: str = ""


class Result(_Record):
    """One result: what one command wrote, with which words, from what."""

    made_at: str
    command: list[str] = []
    given: InputPaths = InputPaths()
    provenance: dict[str, Any] = {}
    files: list[ResultFile] = []

    def same_inputs(self, other: Result) -> bool:
        """Tell whether both come from the same inputs, rules, date and versions, so that their files may stand together."""
        return _basis(self.provenance) == _basis(other.provenance)


class Manifest(_Record):
    """All results of a folder, by the command that wrote them."""

    kind: str = _KIND
    format: int = FORMAT
    results: dict[str, Result] = {}

    def text(self) -> str:
        """Write it as it stands in the file."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def read_manifest(folder: Path) -> Manifest | None:
    """Read the manifest of a folder; None if it has none.

    Raises
    ------
    ExportError
        If the file of that name is no manifest of lzgis, or of a later version.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):
        told = None
    if not isinstance(told, dict) or told.get("kind") != _KIND:
        what = Message("is no manifest of lzgis, and is not overwritten")
        raise ExportError(str(path), what, Message("choose another folder, or give the file another name"))
    if told.get("format") != FORMAT:
        what = Message("is of another version of lzgis (format {format})", format=told.get("format"))
        raise ExportError(str(path), what, Message("choose another folder, or give the file another name"))
    try:
        return Manifest.model_validate(told)
    except ValidationError as error:
        why = error.errors()[0]["msg"]
        what = Message("cannot be read: {why}", why=why)
        raise ExportError(str(path), what, Message("choose another folder, or give the file another name")) from error


def describe_files(folder: Path, names: Iterable[str]) -> list[ResultFile]:
    """Describe files of a folder."""
    return [
        ResultFile(name=name, sha256=digest_of(folder / name), bytes=(folder / name).stat().st_size) for name in names
    ]


def state_of(folder: Path, file: ResultFile) -> str:
    """Tell whether a file is ``same``, ``changed`` or ``missing``."""
    path = folder / file.name
    if not path.is_file():
        return "missing"
    same = path.stat().st_size == file.bytes and digest_of(path) == file.sha256
    return "same" if same else "changed"


def _basis(provenance: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in provenance.items() if name not in ("made_at", "command")}
