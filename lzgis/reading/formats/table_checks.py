"""Checks of the coordinates of a table: a second pair of columns, error cells, and text beside the cells."""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lzgis.coordinates.plane import ELLIPSOID
from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.formats.hidden_cells import column_number
from lzgis.reading.numbers import Cells, number

#: Headings that look like longitudes and latitudes.
LON = re.compile(r"lng|lon|经度|东经", re.IGNORECASE)
LAT = re.compile(r"lat|纬度|北纬", re.IGNORECASE)
#: Two pairs of coordinates of a row that are nearer than this (m) are the same.
_SAME_M = 1.0


def other_pair(
    cells: Cells, names: Sequence[str], found: Mapping[str, int], used: tuple[np.ndarray, np.ndarray]
) -> list[Problem]:
    """Report a second pair of longitudes and latitudes, and how far it lies from the one that is used."""
    if "lon" not in found or "lat" not in found:
        return []
    own = (found["lon"], found["lat"])
    lon = [i for i, name in enumerate(names) if i not in own and LON.search(name)]
    lat = [i for i, name in enumerate(names) if i not in own and LAT.search(name)]
    if not lon or not lat:
        return []
    there = [[number(row[i]) for row in cells.rows] for i in (lon[0], lat[0])]
    x, y = (np.array([np.nan if v is None else v for v in column]) for column in there)
    both = np.isfinite([x, y, *used]).all(axis=0) & (np.abs(y) <= 90) & (np.abs(used[1]) <= 90)
    distance = ELLIPSOID.inv(used[0][both], used[1][both], x[both], y[both])[2] if both.any() else np.zeros(0)
    far = float(np.max(distance)) if len(distance) else 0.0
    what = Message(
        "has two pairs of coordinates: {used} are used, {others} lie up to {far:,.0f} m away",
        used=f"'{names[own[0]]}', '{names[own[1]]}'",
        others=f"'{names[lon[0]]}', '{names[lat[0]]}'",
        far=far,
    )
    remedy = Message("remove the columns that are not meant; one of them may be in GCJ-02")
    return [Problem("warning" if far > _SAME_M else "note", cells.place, what, remedy)]


_CELL = re.compile(r'<c r="([A-Z]{1,3})(\d+)"[^>]*?\bt="e"[^>]*>.*?<v>([^<]*)</v>', re.DOTALL)
_SAVE_AGAIN = Message("open it in a spreadsheet program, look at the rows, and save it again")

_GIVEN = re.compile(r'<(?:\w+:)?c\s[^<>]*?\br="([A-Z]{1,3}\d+)"')


def with_errors(rows: Sequence[tuple[int, list[object]]], text: str, place: str) -> None:
    """Write the errors of formulas (as #REF!) into their cells, which are empty as they are read.

    Parameters
    ----------
    rows : sequence
        Rows of cells with their numbers; they are changed.
    text : str
        The XML of the sheet.
    place : str
        Name of the sheet in messages.

    Raises
    ------
    SourceError
        If the sheet gives a cell twice, of which only the last is read.
    """
    given = _GIVEN.findall(text)
    if len(set(given)) < len(given):
        twice = Counter(given).most_common(1)[0][0]
        raise SourceError(place, Message("gives cell {cell} twice", cell=twice), _SAVE_AGAIN)
    for letters, row, error in _CELL.findall(text):
        at, column = int(row) - 1, column_number(letters)
        if at < len(rows) and column <= len(rows[at][1]):
            rows[at][1][column - 1] = error


#: Parts of a workbook that hold texts beside the cells: comments, text boxes, properties; and heads of printed pages.
_BESIDE = re.compile(r"xl/(threadedComments/|comments|drawings/)[\w/]*\d*\.xml|docProps/(core|custom)\.xml")
_SAID = re.compile(r"<(?:\w+:)?(?:t|text|title|subject|description|keywords|lpwstr)(?: [^<>]*)?>([^<]{1,400})<")
_PRINTED = re.compile(r"<(?:odd|even|first)(?:Header|Footer)>([^<]{1,400})<")
_LARGEST_PART = 16 * 1024**2


def words_beside(path: Path) -> tuple[str, ...]:
    """Return what a workbook (.xlsx) says outside of its cells: comments, text boxes, properties, heads of pages."""
    found: list[str] = []
    try:
        with zipfile.ZipFile(path) as archive:
            for part in archive.infolist():
                words = _SAID if _BESIDE.fullmatch(part.filename) else None
                words = _PRINTED if re.fullmatch(r"xl/worksheets/\w+\.xml", part.filename) else words
                if words is not None and part.file_size <= _LARGEST_PART:
                    found += words.findall(archive.read(part).decode("utf-8", "replace"))
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, ValueError, zlib.error):
        # It is no .xlsx, or its cells alone can be read.
        return ()
    return tuple(map(html.unescape, found))
