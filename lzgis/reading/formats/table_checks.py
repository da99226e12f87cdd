"""Doubts about the coordinates of a table: other datums named, a second pair, degrees packed as ddd.mmss, error cells."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

from lzgis.coordinates.plane import ELLIPSOID
from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.base import ReadOptions
from lzgis.reading.datum_words import old_datum
from lzgis.reading.numbers import Cells, number

_LON = re.compile(r"lng|lon|经度|东经", re.IGNORECASE)
_LAT = re.compile(r"lat|纬度|北纬", re.IGNORECASE)
#: Two pairs of coordinates of a row that are nearer than this (m) are the same.
_SAME_M = 1.0
#: So many different numbers of degrees at least are needed to suspect that they are packed.
_LEAST = 4


def datum_word(text: str, options: ReadOptions, here: str) -> None:
    """Refuse a table of which a text names another datum than the one that is declared or assumed.

    Raises
    ------
    SourceError
        If it does.
    """
    datum = old_datum(text)
    if not datum or datum_of(options.crs) == datum:
        return
    what = Message("names another datum: '{text}'", text=text.strip()[:60])
    remedy = Message(
        "give data converted to CGCS2000, or declare the datum with --crs and its seven parameters with --helmert"
    )
    raise SourceError(here, what, remedy)


def datum_of(declared: str | None) -> str:
    """Return which of the datums before CGCS2000 a declared system has; empty if none."""
    try:
        base = CRS.from_user_input(declared).geodetic_crs if declared else None
    except CRSError:
        return ""
    name = base.name if base is not None else ""
    return "Xian 1980" if "Xian" in name else "Beijing 1954" if "Beijing" in name else ""


def other_pair(
    cells: Cells, names: Sequence[str], found: Mapping[str, int], used: tuple[np.ndarray, np.ndarray]
) -> list[Problem]:
    """Report a second pair of longitudes and latitudes, and how far it lies from the one that is used."""
    if "lon" not in found or "lat" not in found:
        return []
    own = (found["lon"], found["lat"])
    lon = [i for i, name in enumerate(names) if i not in own and _LON.search(name)]
    lat = [i for i, name in enumerate(names) if i not in own and _LAT.search(name)]
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


def packed_degrees(cells: Cells, points: tuple[np.ndarray, np.ndarray]) -> list[Problem]:
    """Report degrees that may be degrees, minutes and seconds written as one decimal (ddd.mmss)."""
    lon, lat = (column[np.isfinite(points[0]) & np.isfinite(points[1])] for column in points)
    values = np.unique(np.concatenate([lon, lat]))
    rest = np.round(np.abs(values) % 1 * 1e4, 6)
    minutes, seconds = rest // 100, rest % 100
    # Two decimals give minutes alone, in which no number is suspicious.
    if len(values) < _LEAST or not ((minutes < 60) & (seconds < 60)).all() or not (seconds > 0).any():
        return []

    def unpacked(value: float) -> float:
        whole, part = divmod(round(value * 1e4, 6), 1e4)
        return float(whole + part // 100 / 60 + part % 100 / 3600)

    x, y = unpacked(float(lon[0])), unpacked(float(lat[0]))
    metres = float(ELLIPSOID.inv(float(lon[0]), float(lat[0]), x, y)[2])
    what = Message(
        "may be degrees, minutes and seconds written as one decimal (ddd.mmss): no pair of digits is 60 or more; "
        "the first point would be {x:.6f}, {y:.6f}, {km:,.1f} km away",
        x=x,
        y=y,
        km=metres / 1000,
    )
    return [
        Problem("warning", cells.place, what, Message("if they are, write them as 112°24′00″, or as decimal degrees"))
    ]


_CELL = re.compile(r'<c r="([A-Z]{1,3})(\d+)"[^>]*?\bt="e"[^>]*>.*?<v>([^<]*)</v>', re.DOTALL)
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REFERENCE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def with_errors(rows: Sequence[tuple[int, list[object]]], path: Path, sheet: str) -> None:
    """Write the errors of formulas (as #REF!) into their cells, which are empty as they are read."""
    try:
        with zipfile.ZipFile(path) as archive:
            book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
            links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
            ids = {one.get("name"): one.get(_REFERENCE) for one in book.iter(f"{_MAIN}sheet")}
            target = next(str(one.get("Target")) for one in links if one.get("Id") == ids[sheet])
            text = archive.read("xl/" + target.removeprefix("/xl/")).decode("utf-8")
    except (zipfile.BadZipFile, KeyError, StopIteration, ElementTree.ParseError, UnicodeDecodeError):
        # The workbook was read; how it names its parts is its own affair.
        return
    for letters, row, error in _CELL.findall(text):
        column = 0
        for letter in letters:
            column = 26 * column + ord(letter) - 64
        at = int(row) - 1
        if at < len(rows) and column <= len(rows[at][1]):
            rows[at][1][column - 1] = error
