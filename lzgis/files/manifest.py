"""The manifest of a result folder: its files, their checksums, and what they were made from."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from io import BufferedReader
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from lzgis.config import validation_message
from lzgis.errors import ExportError
from lzgis.files.atomic_write import UNFINISHED, digest_of
from lzgis.messages import Message

MANIFEST = "manifest.json"
#: Signature of the manifest; written by ``lzgis sign``.
SIGNATURE = "manifest.sig"
#: Version of the manifest; increased when older readers would misunderstand it.
FORMAT = 1
_KIND = "results of lzgis"
#: No file system has longer names, in bytes.
_LONGEST_NAME = 255
#: A manifest with more bytes than this is not read.
_MOST_BYTES = 512 * 1024**2


def checked_name(name: str) -> str:
    """Return the name of a file of a result folder; refuse one that could be outside it, or a file of the folder's own.

    Raises
    ------
    ValueError
        If the name is not relative, has a part ``..``, names a drive, or is the manifest or part of ``.lzgis``.

    Examples
    --------
    >>> checked_name("projects/A 1.docx")
    'projects/A 1.docx'
    >>> checked_name("../precious.txt")
    Traceback (most recent call last):
    ...
    ValueError: '../precious.txt' is not the name of a file in the folder
    """
    parts = name.split("/")
    own = parts[0].lower() == UNFINISHED or name.lower() in (MANIFEST, SIGNATURE)
    strange = any(part in ("", ".", "..") or len(part.encode("utf-8", "replace")) > _LONGEST_NAME for part in parts)
    strange |= "\0" in name
    # A name is checked as both systems read it: a folder of results is carried from one to the other.
    outside = (
        PurePosixPath(name).is_absolute() or bool(PureWindowsPath(name).anchor) or ".." in PureWindowsPath(name).parts
    )
    if own or strange or outside:
        raise ValueError(Message("{name!r} is not the name of a file in the folder", name=name))
    return name


def has_link(folder: Path, name: str) -> bool:
    """Return whether a file, or a folder between it and `folder`, is a symbolic link."""
    path = folder
    for part in name.split("/"):
        path = path / part
        if path.is_symlink():
            return True
    return False


FileName = Annotated[str, AfterValidator(checked_name)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ResultFile(_Record):
    """A file of a result: its path relative to the folder (with ``/``), SHA-256 and size in bytes."""

    name: FileName
    sha256: str
    bytes: int = Field(ge=0)


class InputPaths(_Record):
    """Paths of the inputs as the user gave them; empty where none was given."""

    sites: str = ""
    layers: str = ""
    overrides: str = ""


class Result(_Record):
    """One result: the files that one command wrote, the command, its inputs and its provenance.

    `inputs_sha256` is the digest of the inputs, see `inputs_digest`; empty in older manifests. `remarks` says what limits
    the result: the matters it does not cover, and layers that show another day's state.
    """

    made_at: str
    inputs_sha256: str = ""
    command: list[str] = []
    given: InputPaths = InputPaths()
    provenance: dict[str, Any] = {}
    remarks: list[str] = []
    files: list[ResultFile] = []

    @model_serializer(mode="wrap")
    def _without_empty_remarks(self, values: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Manifests without remarks keep the digest that they had before there were any.
        found: dict[str, Any] = values(self)
        return {name: value for name, value in found.items() if name != "remarks" or value}

    def same_inputs(self, other: Result) -> bool:
        """Return whether both were made from the same inputs, rules, date and versions, so that their files belong together."""
        return _basis(self.provenance) == _basis(other.provenance)


class Manifest(_Record):
    """All results of a folder by the command that wrote them.

    `sha256` is the digest of the manifest without this field; empty in manifests of lzgis 0.1.
    """

    kind: str = _KIND
    format: int = FORMAT
    results: dict[str, Result] = {}
    sha256: str = ""

    @property
    def digest(self) -> str:
        """The SHA-256 of the contents, which `sha256` states."""
        return digest_of_values(self.model_dump(mode="json", exclude={"sha256"}))

    def text(self) -> str:
        """Return the text of the file, with its digest."""
        stated = self.model_dump(mode="json") | {"sha256": self.digest}
        return json.dumps(stated, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def digest_of_values(values: Any) -> str:
    """Return the SHA-256 of plain values as JSON: in ASCII, keys sorted, without blanks.

    Of the provenance of a result it is the result's digest, which documents and workbooks print.

    Examples
    --------
    >>> digest_of_values({"b": 1, "a": "甲"})[:12]
    '4a2ea294a935'
    """
    text = json.dumps(values, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def read_manifest(folder: Path) -> Manifest | None:
    """Read the manifest of a folder; None if there is none.

    Raises
    ------
    ExportError
        If the file of that name is no manifest of lzgis, or one of a later version; or it is damaged, or names a file
        outside the folder.
    """
    path = folder / MANIFEST
    if not path.is_file() and not path.is_symlink():
        return None
    try:
        with open_regular(path) as file:
            data = file.read(_MOST_BYTES + 1)
        stated = json.loads(data) if len(data) <= _MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
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
        what = Message("cannot be read: {why}", why=validation_message(error))
        raise ExportError(str(path), what, Message("choose another folder, or give the file another name")) from error


def describe_files(folder: Path, names: Iterable[str]) -> list[ResultFile]:
    """Return name, checksum and size of files of a folder."""
    return [
        ResultFile(name=name, sha256=digest_of(folder / name), bytes=(folder / name).stat().st_size) for name in names
    ]


def state_of(folder: Path, file: ResultFile) -> str:
    """Return whether a file is ``same``, ``changed`` or ``missing``."""
    path = folder / file.name
    if has_link(folder, file.name):
        return "changed"
    if not path.is_file():
        return "missing"
    with open_regular(path) as opened:
        if os.fstat(opened.fileno()).st_size != file.bytes:
            return "changed"
        return "same" if hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256 else "changed"


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading if it is an ordinary file: no link, no device, no pipe.

    Raises
    ------
    OSError
        If it is something else, or cannot be opened.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if path.is_symlink():
        raise OSError(f"{path} is a link")
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is not a file")
    return os.fdopen(descriptor, "rb")


def unlisted_files(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Yield the names of files of a folder that its manifest does not list, sorted; links are not followed."""
    listed = {one.name for result in manifest.results.values() for one in result.files} | {MANIFEST, SIGNATURE}
    for here, folders, names in os.walk(folder):
        place = Path(here)
        folders[:] = sorted(one for one in folders if place != folder or one != UNFINISHED)
        links = [one for one in folders if (place / one).is_symlink()]
        for one in sorted([*names, *links]):
            name = (place / one).relative_to(folder).as_posix()
            if name not in listed:
                yield name


def inputs_digest(provenance: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the inputs, rules, date and versions of a result, which its documents and its map state.

    Two runs on the same inputs have the same digest, whenever and by whichever command they were made.

    Examples
    --------
    >>> inputs_digest({"as_of": "2026-11-21", "made_at": "a"}) == inputs_digest({"as_of": "2026-11-21", "made_at": "b"})
    True
    """
    text = json.dumps(_basis(provenance), ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _basis(provenance: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in provenance.items() if name not in ("made_at", "command")}
