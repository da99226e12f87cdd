"""The table of a shapefile as it lies on the disk: how many records, which fields, which bytes are text.

GDAL reads the values; what it does not tell is read here: whether the file is whole, and what its bytes say about the
encoding. The layout is that of dBASE III: 32 bytes of header, 32 bytes per field, records of fixed length.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NoReturn

import numpy as np

from lzgis.errors import SourceError
from lzgis.messages import Message

_NAME_BYTES = 10


@dataclass(frozen=True)
class TextField:
    """A field of text: its name as bytes, and where it lies in a record."""

    name: bytes
    start: int
    length: int


@dataclass(frozen=True, eq=False)
class Dbf:
    """The table of a shapefile.

    Attributes
    ----------
    path : Path
        The file.
    declared : int
        How many records the header says there are.
    language : int
        The byte that may name an encoding; 0x4D is GBK.
    names : tuple of bytes
        Names of all fields.
    texts : tuple of TextField
        The fields of text.
    records : array of uint8, shape (n, length)
        The records that are there, deleted ones too.
    """

    path: Path
    declared: int
    language: int
    names: tuple[bytes, ...]
    texts: tuple[TextField, ...]
    records: np.ndarray

    @property
    def deleted(self) -> int:
        """How many records are marked as deleted."""
        return int((self.records[:, 0] == ord("*")).sum())

    @cached_property
    def samples(self) -> list[bytes]:
        """Every different text there is, names of fields first, without a character cut in two at the end."""
        found = dict.fromkeys(_whole(name, _NAME_BYTES) for name in self.names)
        for field in self.texts:
            column = np.ascontiguousarray(self.records[:, field.start : field.start + field.length])
            for value in np.unique(column.view(f"S{field.length}").ravel()):
                text = value.rstrip(b" \0")
                if not text.isascii():
                    found[_whole(text, field.length)] = None
        return list(found)


def read_dbf(path: Path) -> Dbf:
    """Read the table of a shapefile.

    Raises
    ------
    SourceError
        If it is no such table.
    """
    data = path.read_bytes()
    if len(data) < 33:
        _refuse(path)
    declared, header, length = struct.unpack_from("<IHH", data, 4)
    if not 33 <= header <= len(data) or length < 1:
        _refuse(path)
    names, texts, start = [], [], 1
    for at in range(32, header - 1, 32):
        if data[at] == 0x0D or at + 32 > header:
            break
        name, kind, size = data[at : at + 11].split(b"\0")[0], chr(data[at + 11]), data[at + 16]
        names.append(name)
        if kind == "C":
            # Long texts keep the high byte of their length where numbers keep their decimals.
            size += data[at + 17] << 8
            texts.append(TextField(name, start, size))
        start += size
    if start > length:
        _refuse(path)
    count = min(declared, (len(data) - header) // length)
    records = np.frombuffer(data, np.uint8, count * length, header).reshape(count, length)
    return Dbf(path, declared, data[29], tuple(names), tuple(t for t in texts if t.length), records)


def _whole(text: bytes, room: int) -> bytes:
    """Leave out a UTF-8 character that the end of its field cut in two."""
    if len(text) < room - 3:
        return text
    for cut in range(1, 4):
        lead = text[-cut] if cut <= len(text) else 0
        if lead >= 0xC0:
            size = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
            before = text[:-cut]
            return before if size > cut and _is_utf8(before) else text
        if lead < 0x80:
            break
    return text


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _refuse(path: Path) -> NoReturn:
    raise SourceError(str(path), Message("is no table of a shapefile"), Message("export the shapefile again"))
