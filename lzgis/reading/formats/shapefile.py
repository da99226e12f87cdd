"""Shapefiles: checks of completeness and index, projection and encoding.

GDAL returns the text of the table byte for byte (as Latin-1); it is decoded here, so that a wrong encoding is detected,
and text that cannot be decoded is reported by row and field. GDAL reads the values of the table; the number of records, the
fields and the raw bytes of text are read here (dBASE III: 32 bytes of header, 32 bytes per field, records of fixed length).
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
import struct
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from pyproj import CRS
from pyproj.exceptions import CRSError

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.base import Decided, Read, ReadOptions, beside
from lzgis.reading.encoding import (
    BIG5,
    DECLARE,
    codec_of,
    decides,
    declared_codec,
    is_wrongly_western,
    may_be_big5,
    surely_utf8,
)
from lzgis.reading.field_names import LAYER_FIELDS, SITE_FIELDS
from lzgis.reading.formats.gdal import Kind, check_beginning, read_gdal
from lzgis.reading.sandbox.working_copy import working_copy

SHAPEFILE = Kind("ESRI Shapefile", "shapefile", (b"\x00\x00\x27\x0a",))
_EXPORT_AGAIN = Message("export the shapefile again, with all its files")
_GBK_LANGUAGE = 0x4D
_BIG5_LANGUAGE = 0x78


def read_shapefile(path: Path, options: ReadOptions) -> Read:
    """Read a shapefile; one without index is read from a copy, to which GDAL adds one.

    Raises
    ------
    SourceError
        If it is cut short, the numbers of records and shapes differ, or a text is in no known encoding.
    """
    check_beginning(path, SHAPEFILE)
    _check_whole(path)
    what = _index_fault(path)
    if what is not None:
        _refuse_broken(path)
        read = _read_copy(path, options, (".shp", ".dbf", ".prj"))
        read = replace(read, problems=(Problem("warning", str(path), what, _EXPORT_AGAIN), *read.problems))
    elif any(_is_named_otherwise(path, suffix) for suffix in (".shx", ".dbf", ".prj")):
        read = _read_copy(path, options, (".shp", ".shx", ".dbf", ".prj"))
    else:
        read = _read(path, options, cpg=beside(path, ".cpg"))
    return replace(read, titles=_titles(path))


def _read_copy(path: Path, options: ReadOptions, suffixes: tuple[str, ...]) -> Read:
    """Read a copy of some parts, all of one name."""
    with working_copy(str(path), path.stem + ".shp") as copy:
        for suffix in suffixes:
            if (part := beside(path, suffix)) is not None:
                shutil.copyfile(part, copy.folder / (path.stem + suffix))
        return copy.reword_read(_read(copy.file, options, cpg=beside(path, ".cpg")))


def _is_named_otherwise(path: Path, suffix: str) -> bool:
    """Return whether the name of a part differs in capitals from that of the shapes, so that GDAL would not find it."""
    part = beside(path, suffix)
    return part is not None and part.name not in (path.stem + suffix, path.stem + suffix.upper())


#: Elements of the metadata beside a shapefile that say in words what it is.
_WORDS = re.compile(r"<(title|resTitle|idAbs|abstract|purpose|idPurp|keyword|horizsys|geogcsn|projcsn)>([^<]{1,400})<")


def _titles(path: Path) -> tuple[str, ...]:
    """Return the titles and remarks of the metadata beside a shapefile (.shp.xml)."""
    beside_it = beside(path, ".shp.xml")
    if beside_it is None or beside_it.is_symlink() or beside_it.stat().st_size > _LARGEST_METADATA:
        return ()
    return tuple(text for _, text in _WORDS.findall(beside_it.read_text("utf-8", "replace")))


_LARGEST_METADATA = 4 * 1024**2


def _read(path: Path, options: ReadOptions, *, cpg: Path | None) -> Read:
    table = beside(path, ".dbf")
    dbf = read_dbf(table) if table is not None else None
    if dbf is not None:
        _check_counts(path, dbf, _indexed(path))
        _refuse_twice(dbf)
    before = pyogrio.get_gdal_config_option("SHAPE_RESTORE_SHX")
    try:
        pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": "NO" if beside(path, ".shx") else "YES"})
        # GDAL's reader refuses the whole file for one date that does not exist.
        wrong = dbf.wrong_dates if dbf is not None else {}
        opening: dict[str, Any] = (
            {"columns": [one.decode("latin-1") for one in dbf.names if one not in wrong]} if dbf and wrong else {}
        )
        read = read_gdal(path, SHAPEFILE, replace(options, layer=None), encoding="ISO-8859-1", **opening)
    except SourceError:
        _refuse_broken_prj(path)
        raise
    finally:
        pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": before})
    problems = list(read.problems)
    if beside(path, ".prj") is not None and read.frame.crs is None:
        what = Message("its .prj names no system of coordinates that is known")
        problems.append(Problem("warning", str(path), what, Message("declare the system, or correct the .prj")))
    if dbf is None:
        what = Message("has no table (.dbf), so no attributes")
        problems.append(Problem("warning", str(path), what, _EXPORT_AGAIN))
        return replace(read, problems=tuple(problems))
    _check_counts(path, dbf, len(read.frame) + dbf.deleted)
    if dbf.more:
        what = Message("its table (.dbf) holds {count} records more than its header states", count=dbf.more)
        problems.append(Problem("warning", str(path), what, _EXPORT_AGAIN))
    if dbf.deleted:
        what = Message("{count} records are marked as deleted and were skipped", count=dbf.deleted)
        problems.append(Problem("note", str(path), what, Message("nothing to do")))
    read = replace(read, frame=_with_date_texts(read.frame, dbf, path, problems))
    encoding = _encoding(dbf, options, cpg, problems)
    frame = _decoded(read.frame, encoding.value, path)
    frame, matched = _with_whole_names(frame, dbf, encoding.value)
    if matched:
        pairs = "、".join(f"'{short}'→'{name}'" for short, name in matched.items())
        what = Message("names of fields that were cut to 10 bytes are read as {pairs}", pairs=pairs)
        problems.append(Problem("warning", str(path), what, Message("a GeoPackage keeps whole names")))
    columns = [str(c) for c, raw in zip(frame.columns, dbf.names, strict=False) if len(raw) >= _NAME_BYTES - 1]
    cut = [
        name
        for name in columns
        if name not in matched.values() and len(_bytes(name, encoding.value)) >= _NAME_BYTES - 1
    ]
    if cut:
        what = Message("names of fields may have been cut to 10 bytes: {names}", names=", ".join(cut))
        problems.append(Problem("note", str(path), what, Message("a GeoPackage keeps whole names")))
    return replace(read, frame=frame, problems=tuple(problems), encoding=encoding)


def _refuse_twice(dbf: Dbf) -> None:
    """Refuse a table with two fields of one name: which of them is meant is unknown."""
    twice = next((name for name in dbf.names if dbf.names.count(name) > 1), None)
    if twice is not None:
        what = Message("two fields are called '{name}'", name=twice.decode("gb18030", "replace"))
        raise SourceError(str(dbf.path), what, Message("rename one of them"))


def _with_date_texts(frame: gpd.GeoDataFrame, dbf: Dbf, path: Path, problems: list[Problem]) -> gpd.GeoDataFrame:
    """Add the fields of dates of which one does not exist, as text in their places, and name each such cell."""
    for name, texts in dbf.wrong_dates.items():
        title = name.decode("latin-1")
        frame.insert(min(dbf.names.index(name), len(frame.columns)), title, [text or None for text in texts])
        wrong = [row for row, text in enumerate(texts, 1) if not is_date(text)]
        for row in wrong[:_NAMED]:
            here = Message("{place}, row {row}, field '{found}'", place=path, row=row, found=title)
            what = Message("'{value}' is no date; the field is read as text", value=texts[row - 1])
            problems.append(Problem("warning", here, what, Message("correct the date")))
    return frame


#: The most cells of a field that are named.
_NAMED = 20


def is_date(text: str) -> bool:
    """Return whether the text of a field of dates is a date, or is empty.

    Examples
    --------
    >>> is_date("20260228"), is_date("20260231"), is_date("2026/1/5"), is_date("00000000"), is_date("")
    (True, False, False, True, True)
    """
    if not text or not text.strip("0"):
        return True
    try:
        return len(text) == 8 and bool(dt.date(int(text[:4]), int(text[4:6]), int(text[6:])))
    except ValueError:
        return False


def _bytes(name: str, codec: str) -> bytes:
    return name.encode(codec, "replace")


def _has_twin(short: str, frame: gpd.GeoDataFrame) -> bool:
    """Return whether another name begins like this one, which was cut: which of them is meant is unknown."""
    return any(str(name).startswith(short) and str(name) != short for name in frame.columns)


def _with_whole_names(frame: gpd.GeoDataFrame, dbf: Dbf, codec: str) -> tuple[gpd.GeoDataFrame, dict[str, str]]:
    """Rename fields whose names are the first 10 bytes of exactly one known name; return the new names by the old."""
    aliases = {name for names in (*SITE_FIELDS.values(), *LAYER_FIELDS.values()) for name in names}
    matched: dict[str, str] = {}
    for short, raw in zip([str(c) for c in frame.columns], dbf.names, strict=False):
        # A character of several bytes may not fit at the end.
        if len(raw) < _NAME_BYTES - 2 or raw.isascii() or short in aliases or _has_twin(short, frame):
            continue
        fits = [name for name in aliases if name.startswith(short) and len(_bytes(name, codec)) > _NAME_BYTES]
        if len(fits) == 1 and fits[0] not in frame.columns and fits[0] not in matched.values():
            matched[short] = fits[0]
    return frame.rename(columns=matched), matched


def _refuse_broken_prj(path: Path) -> None:
    """Raise an error that names the .prj if it is the .prj that cannot be read."""
    prj = beside(path, ".prj")
    try:
        if prj is not None:
            CRS.from_wkt(prj.read_text("utf-8", "replace"))
    except CRSError:
        what = Message("its .prj names no system of coordinates that is known")
        raise SourceError(str(path), what, Message("declare the system, or correct the .prj")) from None


def _check_whole(path: Path) -> None:
    """Compare the length in the header to the length of the file, for shapes and index."""
    for suffix in (".shp", ".shx"):
        part = beside(path, suffix)
        if part is None:
            continue
        size = part.stat().st_size
        with part.open("rb") as stream:
            head = stream.read(28)
        stated = 2 * int(struct.unpack(">i", head[24:28])[0]) if len(head) == 28 else 100
        if size < stated:
            what = Message("is cut short: {size} of {stated} bytes are there", size=size, stated=stated)
            raise SourceError(str(part), what, _EXPORT_AGAIN)


def _index_fault(path: Path) -> Message | None:
    """Return why the index cannot be used: it is missing, or does not point at records of the shapes."""
    index = beside(path, ".shx")
    if index is None:
        return Message("has no index (.shx); one was made on a copy")
    data = path.read_bytes()
    records, _ = _records(data)
    content = index.read_bytes()[100:]
    entries = list(struct.iter_unpack(">ii", content[: len(content) // 8 * 8]))
    # Editing programs may leave unused records, so there may be more records than entries.
    if len(set(entries)) == len(entries) and records.keys() >= set(entries):
        _refuse_beyond(path, len(data), records, entries)
        return None
    return Message("its index (.shx) does not fit its shapes; one was made on a copy")


def _records(data: bytes) -> tuple[dict[tuple[int, int], int], int]:
    """Return the number of each record of a file of shapes by its place and length, and where the last of them ends."""
    records, at = {}, 100
    while at + 8 <= len(data):
        number, length = struct.unpack_from(">ii", data, at)
        if length < 2:
            break
        records[at // 2, length] = number
        at += 8 + 2 * length
    return records, at


def _refuse_broken(path: Path) -> None:
    """Refuse shapes that do not follow each other to the end of the file: without an index some could not be found."""
    data = path.read_bytes()
    records, end = _records(data)
    stated = 2 * int(struct.unpack_from(">i", data, 24)[0])
    if end not in (stated, len(data)):
        what = Message("is damaged after its shape {count}, and has no index that fits", count=len(records))
        raise SourceError(str(path), what, _EXPORT_AGAIN)


def _refuse_beyond(path: Path, size: int, records: dict[tuple[int, int], int], entries: list[tuple[int, int]]) -> None:
    """Refuse shapes that the index does not list: they would not be read.

    An editing program that writes a shape anew leaves its old record, whose number the index has.
    """
    more = sum(number > len(entries) for record, number in records.items() if record not in set(entries))
    stated = 2 * int(struct.unpack_from(">i", path.read_bytes(), 24)[0])
    if more or size > max(stated, max((2 * at + 8 + 2 * length for at, length in entries), default=100)):
        what = Message("holds more than the {count} shapes that its index (.shx) lists", count=len(entries))
        raise SourceError(str(path), what, _EXPORT_AGAIN)


def _indexed(path: Path) -> int | None:
    index = beside(path, ".shx")
    return (index.stat().st_size - 100) // 8 if index is not None else None


def _check_counts(path: Path, dbf: Dbf, shapes: int | None) -> None:
    """Compare the numbers of shapes and records: GDAL reads the smaller number without a message."""
    shapes = dbf.declared if shapes is None else shapes
    if not dbf.declared == len(dbf.records) == shapes:
        what = Message(
            "its table (.dbf) should have {declared} records and has {present}, for {shapes} shapes",
            declared=dbf.declared,
            present=len(dbf.records),
            shapes=shapes,
        )
        raise SourceError(str(path), what, _EXPORT_AGAIN)


def _encoding(dbf: Dbf, options: ReadOptions, cpg: Path | None, problems: list[Problem]) -> Decided:
    """Return the encoding: the declared one; else that of the .cpg, if the bytes allow it; else that of the bytes."""
    samples = dbf.samples
    if options.encoding:
        return Decided(declared_codec(options.encoding, str(dbf.path)), Message("declared"))
    named = cpg.read_text("ascii", "replace").strip() if cpg is not None else ""
    stated = codec_of(named) if named else ""
    is_utf8 = surely_utf8(samples)
    is_wrong = (is_utf8 and stated != "utf-8") or is_wrongly_western(samples, stated)
    if stated and decides(samples, stated) and not is_wrong:
        return Decided(stated, Message(".cpg says {name}", name=named))
    if all(text.isascii() for text in samples):
        found = Decided("utf-8", Message("no text but ASCII"))
    elif is_utf8 or (decides(samples, "utf-8") and dbf.language != _GBK_LANGUAGE):
        found = Decided("utf-8", Message("the bytes are UTF-8"))
    elif dbf.language == _BIG5_LANGUAGE and decides(samples, "cp950"):
        found = Decided("cp950", Message("the byte of language of the table"))
    elif may_be_big5(samples):
        raise SourceError(str(dbf.path), BIG5, DECLARE)
    elif decides(samples, "gb18030"):
        found = Decided("gb18030", Message("the bytes are not UTF-8 but GB18030"))
    else:
        raise SourceError(
            str(dbf.path),
            Message("its text is neither UTF-8 nor GB18030"),
            DECLARE,
        )
    if named:
        what = Message(".cpg says {name}, but the text is {encoding}", name=named, encoding=found.value.upper())
        problems.append(Problem("warning", str(dbf.path), what, Message("read as the bytes say; correct the .cpg")))
    return found


def _decoded(frame: gpd.GeoDataFrame, codec: str, path: Path) -> gpd.GeoDataFrame:
    names = _names([str(c) for c in frame.columns if c != frame.geometry.name], codec)
    columns = {}
    for name, read_as in names.items():
        column = frame[name]
        if pd.api.types.is_string_dtype(column.dtype) or column.dtype == object:
            given = column.tolist()
            first: dict[object, int] = {}
            for i, value in enumerate(given):
                first.setdefault(value, i)
            texts = {value: _value(value, codec, path, (i + 1, read_as)) for value, i in first.items()}
            columns[name] = pd.Series([texts[value] for value in given], index=frame.index, dtype=object)
    return frame.assign(**columns).rename(columns=names)


def _names(raw: list[str], codec: str) -> dict[str, str]:
    """Decode names of fields; the last character of a name may be cut in two, which may make two names equal."""
    found: dict[str, str] = {}
    for name in raw:
        plain = name.encode("latin-1", "replace").decode(codec, "ignore")
        taken = set(found.values())
        found[name] = next(n for k in range(len(raw)) if (n := f"{plain}_{k + 1}" if k else plain) not in taken)
    return found


def _value(value: object, codec: str, path: Path, where: tuple[int, str]) -> object:
    if not isinstance(value, str) or value.isascii():
        return None if pd.isna(value) else value  # type: ignore[call-overload]
    raw = value.encode("latin-1")
    try:
        return raw.decode(codec)
    except UnicodeDecodeError as error:
        if error.end == len(raw) and len(raw) - error.start < 4:
            return raw[: error.start].decode(codec)
        row, field = where
        raise SourceError(
            Message("{place}, row {row}, field '{found}'", place=path, row=row, found=field),
            Message("is not text in {encoding}", encoding=codec.upper()),
            Message("declare its encoding, or save it as UTF-8"),
        ) from None


_NAME_BYTES = 10


@dataclass(frozen=True)
class TextField:
    """A field of text: its name as bytes, and its position in a record."""

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
        Number of records by the header.
    language : int
        The language byte, which may name an encoding; 0x4D is GBK.
    names : tuple of bytes
        Names of all fields.
    texts : tuple of TextField
        The fields of text.
    records : array of uint8, shape (n, length)
        The records of the file, also deleted ones.
    dates : tuple of TextField
        The fields of dates.
    more : int
        Number of whole records behind those that the header states.
    """

    path: Path
    declared: int
    language: int
    names: tuple[bytes, ...]
    texts: tuple[TextField, ...]
    records: np.ndarray
    dates: tuple[TextField, ...] = ()
    more: int = 0

    @cached_property
    def wrong_dates(self) -> dict[bytes, list[str]]:
        """The texts of each field of dates of which one does not exist, without deleted records."""
        kept = self.records[self.records[:, 0] != ord("*")]
        found = {}
        for field in self.dates:
            cells = kept[:, field.start : field.start + field.length]
            texts = [bytes(cell).decode("latin-1").strip(" \0") for cell in cells]
            if not all(map(is_date, texts)):
                found[field.name] = texts
        return found

    @property
    def deleted(self) -> int:
        """Number of records marked as deleted."""
        return int((self.records[:, 0] == ord("*")).sum())

    @cached_property
    def samples(self) -> list[bytes]:
        """All distinct texts, names of fields first, without a character that is cut in two at the end."""
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
        If it is no table of that format.
    """
    data = path.read_bytes()
    if len(data) < 33:
        _refuse(path)
    declared, header, length = struct.unpack_from("<IHH", data, 4)
    if not 33 <= header <= len(data) or length < 1:
        _refuse(path)
    names, texts, dates, start = [], [], [], 1
    for at in range(32, header - 1, 32):
        if data[at] == 0x0D or at + 32 > header:
            break
        name, kind, size = data[at : at + 11].split(b"\0")[0], chr(data[at + 11]), data[at + 16]
        names.append(name)
        if kind == "C":
            # Long text fields store the high byte of their length in the byte of the decimals.
            size += data[at + 17] << 8
            texts.append(TextField(name, start, size))
        if kind == "D" and size:
            dates.append(TextField(name, start, size))
        start += size
    if start > length:
        _refuse(path)
    count = min(declared, (len(data) - header) // length)
    records = np.frombuffer(data, np.uint8, count * length, header).reshape(count, length)
    behind = range(header + count * length, len(data) - length + 1, length)
    more = next((i for i, at in enumerate(behind) if data[at : at + 1] not in (b" ", b"*")), len(behind))
    kept = tuple(t for t in texts if t.length)
    return Dbf(path, declared, data[29], tuple(names), kept, records, tuple(dates), more)


def _whole(text: bytes, room: int) -> bytes:
    """Drop a UTF-8 character that is cut in two by the end of its field."""
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
