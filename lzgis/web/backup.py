"""Backup and restore of the data of the page: the database as it is at one moment, uploads and results, with hashes."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.web.options import CITIES, DATABASE, DOCUMENTS, JOBS, SECRET, SETTINGS, UPLOADS, data_folder

_CONTENTS = "contents.json"
_FOLDERS = (UPLOADS, JOBS, CITIES, DOCUMENTS)
_KIND = "backup of lzgis serve"


def write_backup(data: Path, file: Path) -> int:
    """Write the data of a page into one zip; the server may run meanwhile.

    Parameters
    ----------
    data : Path
        The folder of the data.
    file : Path
        The zip; it must not exist.

    Returns
    -------
    int
        The number of files in it.

    Raises
    ------
    SourceError
        If the file exists already, or the folder holds no data of a page.
    """
    if file.exists():
        raise SourceError(str(file), Message("exists already"), Message("name another file"))
    if not (data / DATABASE).exists():
        what = Message("holds no data of 'lzgis serve'")
        raise SourceError(str(data), what, Message("name the folder of the data with --data"))
    hashes: dict[str, str] = {}
    partial = file.with_name(f"{file.name}.part")
    with (
        tempfile.TemporaryDirectory(dir=data) as scratch,
        zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as bundle,
    ):
        # The database first: files that are made meanwhile have no row, which does no harm.
        copy = Path(scratch) / DATABASE
        with closing(sqlite3.connect(data / DATABASE)) as here, closing(sqlite3.connect(copy)) as there:
            here.backup(there)
        _add(bundle, copy, DATABASE, hashes)
        below = [path for name in _FOLDERS for path in sorted((data / name).rglob("*"))]
        for path in (data / SECRET, data / SETTINGS, *below):
            if path.is_file() and not path.is_symlink():
                _add(bundle, path, path.relative_to(data).as_posix(), hashes)
        bundle.writestr(_CONTENTS, json.dumps({"kind": _KIND, "sha256": hashes}))
    partial.chmod(0o600)
    partial.replace(file)
    return len(hashes)


def _add(bundle: zipfile.ZipFile, path: Path, name: str, hashes: dict[str, str]) -> None:
    with path.open("rb") as stream:
        hashes[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    bundle.write(path, name)


def restore_backup(file: Path, data: Path) -> int:
    """Write what a backup holds into a new folder; each file is checked against its hash.

    Raises
    ------
    SourceError
        If the file is no backup or is damaged, or the folder is not empty.
    """
    if data.exists() and any(data.iterdir()):
        raise SourceError(str(data), Message("is not an empty folder"), Message("name a new folder"))
    try:
        with zipfile.ZipFile(file) as bundle:
            hashes = _contents(bundle)
            folder = data_folder(data)
            for name, digest in hashes.items():
                _restored(bundle, name, digest, folder, file)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        remedy = Message("give a file that {command} wrote", command="lzgis serve backup")
        raise SourceError(str(file), Message("is no backup of the page"), remedy) from error
    return len(hashes)


def _contents(bundle: zipfile.ZipFile) -> dict[str, str]:
    contents: dict[str, Any] = json.loads(bundle.read(_CONTENTS))
    hashes: dict[str, str] = {_inside(name): str(digest) for name, digest in contents["sha256"].items()}
    if contents["kind"] != _KIND or set(bundle.namelist()) != {*hashes, _CONTENTS}:
        raise KeyError(_KIND)
    return hashes


def _inside(name: str) -> str:
    """Return the name of a file of a backup; refuse one that would lie outside the folder of the data."""
    parts = name.split("/")
    strange = "\\" in name or ":" in name or "\0" in name or any(part in ("", ".", "..") for part in parts)
    if strange or parts[0] not in (DATABASE, SECRET, SETTINGS, *_FOLDERS):
        raise KeyError(name)
    return name


def _restored(bundle: zipfile.ZipFile, name: str, digest: str, folder: Path, file: Path) -> None:
    target = folder / name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = hashlib.sha256()
    with bundle.open(name) as source, target.open("xb") as stream:
        while chunk := source.read(1 << 20):
            found.update(chunk)
            stream.write(chunk)
    target.chmod(0o600)
    if found.hexdigest() != digest:
        raise SourceError(str(file), Message("'{name}' in it is damaged", name=name), Message("use another backup"))
