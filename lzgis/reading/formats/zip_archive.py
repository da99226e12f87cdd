"""Zip files: unpacked with limits (not by GDAL), names in GBK, and a choice of one member."""

from __future__ import annotations

import stat
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NoReturn

from lzgis.errors import SourceError
from lzgis.messages import Message, library_message
from lzgis.model.report import Problem
from lzgis.reading.base import Read, ReadOptions, sha256_of
from lzgis.reading.encoding import decides
from lzgis.reading.formats.gdal import Kind, check_beginning, choose_layer
from lzgis.reading.readers import READERS, read_file
from lzgis.reading.sandbox.working_copy import working_copy

ZIP = Kind("", "zip file", (b"PK\x03\x04", b"PK\x05\x06"))
MOST_BYTES = 2_000_000_000
MOST_MEMBERS = 10_000
MOST_RATIO = 100
#: Members below this size may have any compression ratio.
_RATIO_FROM_BYTES = 1_000_000
_CHUNK = 1 << 20
_ARCHIVES = {".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".cab", ".iso"}
# Read only if there is no other file: they often are descriptions beside the data.
_LESSER = {".json", ".csv", ".tsv", ".txt", ".xls", ".xlsx"}
_CHECK = Message("unpack it yourself and look what it holds")


def read_zip(path: Path, options: ReadOptions) -> Read:
    """Read the only member of a zip that has a reader, or the one that was named.

    A layer is named as ``member``, ``member/layer``, or just ``layer`` if there is one member.

    Raises
    ------
    SourceError
        If a member lies outside its folder, it is too large, holds archives, or several members and none was named.
    """
    with working_copy(str(path)) as copy:
        unpacked(path, copy.folder)
        members, left_out = _members(copy.folder)
        if not members:
            raise SourceError(
                str(path),
                Message("holds no file that can be read"),
                Message("allowed: {known}", known=" ".join(READERS)),
            )
        member, layer = _chosen(members, options.layer, str(path))
        read = copy.reword_read(read_file(members[member], replace(options, layer=layer, where={})))
    problems = list(read.problems)
    if len(members) > 1 or left_out:
        others = [m for m in members if m != member] + left_out
        what = Message("{member} was read; left out: {names}", member=member, names=", ".join(others))
        problems.insert(0, Problem("note", str(path), what, Message("name a member if another is meant")))
    name = f"{path.name}/{member}"
    return replace(read, problems=tuple(problems), sha256=sha256_of(path), name=name)


def unpacked(path: Path, folder: Path) -> None:
    """Unpack a zip into an empty folder, within limits.

    Raises
    ------
    SourceError
        If it is no zip, is damaged or encrypted, has links, archives, or names outside the folder, or would unpack to
        more than :data:`MOST_BYTES`, or a member to more than :data:`MOST_RATIO` times its packed size.
    """
    check_beginning(path, ZIP)
    try:
        with zipfile.ZipFile(path, metadata_encoding=_encoding_of_names(path)) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                _refuse(path, Message("holds {count} files", count=len(members)))
            if sum(m.file_size for m in members) > MOST_BYTES:
                _refuse(path, Message("would unpack to more than {count} bytes", count=MOST_BYTES))
            names = {m.filename: _safe_name(m, path) for m in members}
            if len({n.as_posix().lower() for n in names.values()}) < len(names) or len(names) < len(members):
                _refuse(path, Message("holds two files of one name"))
            total = 0
            for member in members:
                target = folder.joinpath(*names[member.filename].parts)
                if member.is_dir():
                    target.mkdir(parents=True, exist_ok=True)
                elif not _is_litter(names[member.filename]):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    total = _unpack(archive, member, target, total)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError) as error:
        raise SourceError(
            str(path),
            Message("is damaged ({error})", error=library_message(error)),
            Message("fetch or export the file again"),
        ) from error


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, total: int) -> int:
    """Unpack a member in pieces: the sizes stated in the archive may be wrong."""
    path = Path(str(archive.filename))
    size = 0
    with archive.open(member) as source, target.open("xb") as out:
        while piece := source.read(_CHUNK):
            size += len(piece)
            if total + size > MOST_BYTES:
                _refuse(path, Message("would unpack to more than {count} bytes", count=MOST_BYTES))
            if size > _RATIO_FROM_BYTES and size > MOST_RATIO * max(1, member.compress_size):
                what = Message(
                    "'{member}' unpacks to more than {ratio} times its size", member=member.filename, ratio=MOST_RATIO
                )
                _refuse(path, what)
            out.write(piece)
    return total + size


def _refuse(path: Path, what: Message) -> NoReturn:
    raise SourceError(str(path), what, _CHECK)


def _encoding_of_names(path: Path) -> str:
    """Decode a name: UTF-8 if it is flagged so; else the encoding of the packing system, in China mostly GBK."""
    with zipfile.ZipFile(path) as archive:
        names = [m.orig_filename.encode("cp437") for m in archive.infolist() if not m.flag_bits & 0x800]
    return "utf-8" if decides(names, "utf-8") else "gb18030" if decides(names, "gb18030") else "cp437"


def _safe_name(member: zipfile.ZipInfo, path: Path) -> PurePosixPath:
    name = PurePosixPath(member.orig_filename.replace("\\", "/") if "\\" in member.orig_filename else member.filename)
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        _refuse(path, Message("'{member}' is a link, not a file", member=name))
    if member.flag_bits & 0x1:
        raise SourceError(str(path), Message("is protected by a password"), Message("unpack it first"))
    if name.is_absolute() or ".." in name.parts or ":" in str(name) or "\0" in str(name) or not name.parts:
        _refuse(path, Message("'{member}' would be unpacked outside its folder", member=name))
    if name.suffix.lower() in _ARCHIVES and not member.is_dir():
        _refuse(path, Message("'{member}' is an archive inside an archive", member=name))
    return name


def _is_litter(name: PurePosixPath) -> bool:
    return "__MACOSX" in name.parts or name.name.lower() in (".ds_store", "thumbs.db", "desktop.ini")


def _members(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """Return the files that have a reader, and those that are skipped because there are better ones."""
    databases = [p for p in sorted(folder.rglob("*")) if p.is_dir() and p.suffix.lower() == ".gdb"]
    if not databases and any(folder.glob("*.gdbtable")):
        # The files of a geodatabase, packed without its folder.
        inner = folder / "geodatabase.gdb"
        inner.mkdir()
        for file in [p for p in folder.iterdir() if p != inner]:
            file.rename(inner / file.name)
        databases = [inner]
    files = [
        p
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.suffix.lower() in READERS and not any(d in p.parents for d in databases)
    ]
    best = databases + [p for p in files if p.suffix.lower() not in _LESSER]
    chosen = best or files
    names = {p.relative_to(folder).as_posix(): p for p in chosen}
    return names, [p.relative_to(folder).as_posix() for p in files if p not in chosen]


def _chosen(members: dict[str, Path], wanted: str | None, place: str) -> tuple[str, str | None]:
    if wanted is not None:
        for member in sorted(members, key=len, reverse=True):
            if wanted == member:
                return member, None
            if wanted.startswith(member + "/"):
                return member, wanted[len(member) + 1 :]
        if len(members) == 1:
            return next(iter(members)), wanted
    return choose_layer(place, list(members), wanted), None
