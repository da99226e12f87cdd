"""Excel and OpenDocument workbooks, read by calamine: formulas give their stored values, nothing runs."""

from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.base import Read, ReadOptions
from lzgis.reading.formats.gdal import Kind, check_beginning, choose_layer
from lzgis.reading.formats.sheet import Sheet, read_sheet

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

WORKBOOK = Kind("", "workbook", (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"))


def read_workbook(path: Path, options: ReadOptions) -> Read:
    """Read the sheet of coordinates of a workbook.

    Raises
    ------
    SourceError
        If it is no workbook, has no sheet of coordinates, or has several and none was named.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    check_beginning(path, WORKBOOK)
    try:
        with path.open("rb") as stream:
            book = CalamineWorkbook.from_filelike(stream)
            names = list(book.sheet_names)
            sheets = {
                name: _sheet(book, name, str(path)) for name in names if name == options.layer or not options.layer
            }
    # What calamine cannot make sense of may also be a panic, which is no Exception of Python's.
    except (CalamineError, OSError, ValueError) as error:
        raise SourceError(
            str(path),
            Message("is no workbook that can be read ({error})", error=error),
            Message("save it again as .xlsx"),
        ) from error
    if options.layer:
        chosen = choose_layer(str(path), names, options.layer)
    else:
        with_coordinates = [name for name, sheet in sheets.items() if sheet.columns is not None]
        chosen = choose_layer(str(path), with_coordinates or names[:1], None)
    read = read_sheet(sheets[chosen], options)
    problems = list(read.problems)
    others = [name for name in names if name != chosen]
    if others and not options.layer:
        what = Message("sheet '{sheet}' was read; {names} have no coordinates", sheet=chosen, names=", ".join(others))
        problems.insert(0, Problem("note", str(path), what, Message("name a sheet if another is meant")))
    engine = f"python-calamine {importlib.metadata.version('python-calamine')}"
    return replace(read, engine=engine, problems=tuple(problems))


def _sheet(book: CalamineWorkbook, name: str, path: str) -> Sheet:
    rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    return Sheet(
        Message("{place}, sheet '{sheet}'", place=path, sheet=name), [(i + 1, list(r)) for i, r in enumerate(rows)]
    )
