"""Shapefiles: whole or not, with or without index, projection and encoding, and the lies of the last.

The text of the table is asked of GDAL byte for byte (as Latin-1) and decoded here, so that a wrong encoding is found
before it is believed, and a text that is none is told by row and field.
"""

from __future__ import annotations

import shutil
import struct
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model import Problem
from lzgis.sources.base import Decided, Read, ReadOptions, beside
from lzgis.sources.dbf import Dbf, read_dbf
from lzgis.sources.text import codec_of, decides, declared_codec, surely_utf8
from lzgis.sources.vector import Kind, check_beginning, read_gdal
from lzgis.sources.working_copy import working_copy

SHAPEFILE = Kind("ESRI Shapefile", "shapefile", (b"\x00\x00\x27\x0a",))
_EXPORT_AGAIN = Message("export the shapefile again, with all its files")
_GBK_LANGUAGE = 0x4D


def read_shapefile(path: Path, options: ReadOptions) -> Read:
    """Read a shapefile; one without index is read from a copy, to which GDAL adds one.

    Raises
    ------
    SourceError
        If it is cut short, its table and its shapes are not of one number, or a text is in no known encoding.
    """
    check_beginning(path, SHAPEFILE)
    _check_whole(path)
    if beside(path, ".shx") is None:
        with working_copy(str(path)) as copy:
            for suffix in (".shp", ".dbf", ".prj"):
                if (part := beside(path, suffix)) is not None:
                    shutil.copyfile(part, copy.folder / (path.stem + suffix))
            read = copy.retold(_read(copy.folder / (path.stem + ".shp"), options, cpg=beside(path, ".cpg")))
        what = Message("has no index (.shx); one was made on a copy")
        return replace(read, problems=(Problem("warning", str(path), what, _EXPORT_AGAIN), *read.problems))
    return _read(path, options, cpg=beside(path, ".cpg"))


def _read(path: Path, options: ReadOptions, *, cpg: Path | None) -> Read:
    table = beside(path, ".dbf")
    dbf = read_dbf(table) if table is not None else None
    before = pyogrio.get_gdal_config_option("SHAPE_RESTORE_SHX")
    try:
        pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": "NO" if beside(path, ".shx") else "YES"})
        read = read_gdal(path, SHAPEFILE, replace(options, layer=None), encoding="ISO-8859-1")
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
    _check_counts(path, dbf, len(read.frame))
    if dbf.deleted:
        what = Message("{count} records are marked as deleted and were passed over", count=dbf.deleted)
        problems.append(Problem("note", str(path), what, Message("nothing to do")))
    encoding = _encoding(dbf, options, cpg, problems)
    frame = _decoded(read.frame, encoding.value, path)
    cut = [str(c) for c, raw in zip(frame.columns, dbf.names, strict=False) if len(raw) >= 10]
    if cut:
        what = Message("names of fields may have been cut to 10 bytes: {names}", names=", ".join(cut))
        problems.append(Problem("note", str(path), what, Message("a GeoPackage keeps whole names")))
    return replace(read, frame=frame, problems=tuple(problems), encoding=encoding)


def _check_whole(path: Path) -> None:
    """Hold the length that the header states against the length of the file; both shapes and index are so guarded."""
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


def _check_counts(path: Path, dbf: Dbf, rows: int) -> None:
    """Hold shapes and records against each other: GDAL reads as many as there are of the fewer, and says nothing."""
    index = beside(path, ".shx")
    shapes = (index.stat().st_size - 100) // 8 if index is not None else rows + dbf.deleted
    if not dbf.declared == len(dbf.records) == shapes == rows + dbf.deleted:
        what = Message(
            "its table (.dbf) should have {declared} records and has {present}, for {shapes} shapes",
            declared=dbf.declared,
            present=len(dbf.records),
            shapes=shapes,
        )
        raise SourceError(str(path), what, _EXPORT_AGAIN)


def _encoding(dbf: Dbf, options: ReadOptions, cpg: Path | None, problems: list[Problem]) -> Decided:
    """Decide the encoding: declared; else what .cpg says, if the bytes allow it; else what the bytes are."""
    samples = dbf.samples
    if options.encoding:
        return Decided(declared_codec(options.encoding, str(dbf.path)), Message("declared"))
    named = cpg.read_text("ascii", "replace").strip() if cpg is not None else ""
    stated = codec_of(named) if named else ""
    is_utf8 = surely_utf8(samples)
    if stated and decides(samples, stated) and (not is_utf8 or stated == "utf-8"):
        return Decided(stated, Message(".cpg says {name}", name=named))
    if all(text.isascii() for text in samples):
        found = Decided("utf-8", Message("no text but ASCII"))
    elif is_utf8 or (decides(samples, "utf-8") and dbf.language != _GBK_LANGUAGE):
        found = Decided("utf-8", Message("the bytes are UTF-8"))
    elif decides(samples, "gb18030"):
        found = Decided("gb18030", Message("the bytes are not UTF-8 but GB18030"))
    else:
        raise SourceError(
            str(dbf.path),
            Message("its text is neither UTF-8 nor GB18030"),
            Message("declare its encoding, or save it as UTF-8"),
        )
    if named:
        what = Message(".cpg says {name}, but the text is {encoding}", name=named, encoding=found.value.upper())
        problems.append(Problem("warning", str(dbf.path), what, Message("read as the bytes say; correct the .cpg")))
    return found


def _decoded(frame: gpd.GeoDataFrame, codec: str, path: Path) -> gpd.GeoDataFrame:
    names = {c: _name(str(c), codec) for c in frame.columns if c != frame.geometry.name}
    columns = {}
    for name, read_as in names.items():
        column = frame[name]
        if pd.api.types.is_string_dtype(column.dtype) or column.dtype == object:
            columns[name] = pd.Series(
                [_value(v, codec, path, (i + 1, read_as)) for i, v in enumerate(column)],
                index=frame.index,
                dtype=object,
            )
    return frame.assign(**columns).rename(columns=names)


def _name(name: str, codec: str) -> str:
    # The last character of a name may have been cut in two.
    return name.encode("latin-1", "replace").decode(codec, "ignore")


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
