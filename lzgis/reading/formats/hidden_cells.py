"""Rows, columns and sheets of a workbook that its viewer does not show, and formulas that have no stored value."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from lzgis.messages import Message, enumerated
from lzgis.model.report import Problem

#: Rows of cells with their numbers.
Rows = Sequence[tuple[int, list[object]]]

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REFERENCE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_ROW = re.compile(r"<(?:\w+:)?row\b([^<>]*)>")
_COLUMN = re.compile(r"<(?:\w+:)?col\b([^<>]*)>")
_ATTRIBUTE = re.compile(r'\b(r|min|max|hidden)="([^"]*)"')
_FORMULA = re.compile(
    r'<(?:\w+:)?c\s[^<>]*?\br="([A-Z]{1,3})(\d+)"[^<>]*>\s*<(?:\w+:)?f\b[^<>]*(?:/>|>([^<]*)</(?:\w+:)?f>)'
    r"\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
#: The most rows that are named one by one.
_NAMED = 10
_LARGEST = 256 * 1024**2


def sheet_text(path: Path, sheet: str) -> str:
    """Return the XML of a sheet of an .xlsx file; empty if its parts are named in another way."""
    try:
        with zipfile.ZipFile(path) as archive:
            book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
            links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
            ids = {one.get("name"): one.get(_REFERENCE) for one in book.iter(f"{_MAIN}sheet")}
            target = next(str(one.get("Target")) for one in links if one.get("Id") == ids[sheet])
            return archive.read("xl/" + target.removeprefix("/xl/")).decode("utf-8")
    except (zipfile.BadZipFile, KeyError, StopIteration, ElementTree.ParseError, UnicodeDecodeError):
        # The workbook was read; it may name its parts in another way.
        return ""


def column_number(letters: str) -> int:
    """Return the number of a column from 1.

    Examples
    --------
    >>> column_number("A"), column_number("Z"), column_number("AA")
    (1, 26, 27)
    """
    found = 0
    for letter in letters:
        found = 26 * found + ord(letter) - 64
    return found


def with_formulas(rows: Rows, text: str) -> None:
    """Write the formulas that have no stored value into their cells, which are empty as they are read."""
    for letters, row, formula in _FORMULA.findall(text):
        at, column = int(row) - 1, column_number(letters)
        if at < len(rows) and column <= len(rows[at][1]) and rows[at][1][column - 1] in ("", None):
            rows[at][1][column - 1] = f"={formula}"


def hidden_cells(path: Path, sheet: str, rows: Rows, text: str, place: str) -> list[Problem]:
    """Report rows and columns with contents that the sheet hides, as a filter does; they are read as all others.

    Parameters
    ----------
    path, sheet : Path, str
        The workbook (.xlsx, .xlsm or .ods) and the name of the sheet.
    rows : sequence
        Its rows as they were read.
    text : str
        The XML of the sheet; of an .ods file empty.
    place : str
        Name of the sheet in messages.
    """
    numbers, columns = _hidden_in_ods(path, sheet) if path.suffix.lower() == ".ods" else _hidden_in_xlsx(text)
    found = []
    filled = {number for number, row in rows if number in numbers and any(_is_filled(cell) for cell in row)}
    remedy = Message("show or delete them, so that what is seen is what is read")
    if hidden := sorted(filled):
        named = enumerated([str(one) for one in hidden[:_NAMED]])
        more = Message(" and {count} more", count=len(hidden) - _NAMED) if len(hidden) > _NAMED else ""
        what = Message("rows that are hidden or filtered out were read too: {rows}{more}", rows=named, more=more)
        found.append(Problem("warning", place, what, remedy))
    widest = max((len(row) for _, row in rows), default=0)
    shown = (at for at in sorted(columns) if at <= widest)
    if hidden := [at for at in shown if any(at <= len(row) and _is_filled(row[at - 1]) for _, row in rows)]:
        what = Message(
            "columns that are hidden were read too: {columns}", columns=enumerated(list(map(_letters, hidden)))
        )
        found.append(Problem("warning", place, what, remedy))
    return found


def _is_filled(cell: object) -> bool:
    return cell is not None and bool(str(cell).strip())


def _letters(number: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


def _hidden_in_xlsx(text: str) -> tuple[set[int], set[int]]:
    rows, at = set(), 0
    for match in _ROW.finditer(text):
        stated = dict(_ATTRIBUTE.findall(match[1]))
        at = int(stated["r"]) if stated.get("r", "").isdigit() else at + 1
        if stated.get("hidden") in ("1", "true"):
            rows.add(at)
    columns: set[int] = set()
    for match in _COLUMN.finditer(text):
        stated = dict(_ATTRIBUTE.findall(match[1]))
        first, last = stated.get("min", ""), stated.get("max", "")
        if stated.get("hidden") in ("1", "true") and first.isdigit() and last.isdigit():
            columns |= set(range(int(first), min(int(last), _MOST_COLUMNS) + 1))
    return rows, columns


_MOST_COLUMNS = 16_384


def _hidden_in_ods(path: Path, sheet: str) -> tuple[set[int], set[int]]:
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("content.xml").file_size > _LARGEST:
                return set(), set()
            content = ElementTree.fromstring(archive.read("content.xml"))
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError):
        return set(), set()
    found = (set[int](), set[int]())
    table = next((one for one in content.iter(f"{_TABLE}table") if one.get(f"{_TABLE}name") == sheet), None)
    for kind, hidden in zip(("row", "column"), found, strict=True):
        at = 0
        for one in table.iter(f"{_TABLE}table-{kind}") if table is not None else ():
            repeated = one.get(f"{_TABLE}number-{kind}s-repeated", "1")
            count = int(repeated) if repeated.isdigit() else 1
            if one.get(f"{_TABLE}visibility", "visible") != "visible":
                hidden |= set(range(at + 1, at + 1 + min(count, _MOST_ROWS)))
            at += count
    return found


_MOST_ROWS = 1_048_576
