"""Rows of a table that hold no data: headers of several rows, repeated headers, edge lengths, sums, footers, units."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.numbers import number, plain

#: How many rows of a head are looked at above the one that names the coordinates.
_ABOVE = 2
_SUMS = ("合计", "总计", "小计", "total", "sum")
_FOOTER = re.compile(
    r"^(制表|制图|审核|审查|校核|校对|复核|填表|测量|测绘|绘图|计算|检查|编制|负责人|联系|日期|时间|单位|说明|备注|附注|注\d*[:：.、]|"
    r"第.{0,6}页|共.{0,6}页|page\b|prepared|checked|date\b|note\b)",
    re.IGNORECASE,
)
_UNIT = re.compile(r"^[(\[]?(m|米|度|°|′|″|degrees?|km|公里|ha|公顷|亩|㎡|m2|平方米)[)\]]?$", re.IGNORECASE)


class Body(NamedTuple):
    """The rows of data with their numbers, and the positions of those that follow an empty row."""

    rows: list[tuple[int, list[object]]]
    after_gap: frozenset[int]


def heading(cell: object) -> str:
    """Return a heading in the form that aliases have: lower case, without blanks and units in brackets."""
    text = unicodedata.normalize("NFKC", str(cell)).lower() if isinstance(cell, str) else ""
    text = "".join(text.split()).partition("(")[0].partition("[")[0]
    return text.rstrip("°:")


def full_head(rows: Sequence[tuple[int, list[object]]], head: int) -> list[object]:
    """Return a row of headings with its blank cells filled from the rows above, as merged cells leave them.

    A row above belongs to the head if it has at least two cells; a title has one.

    Examples
    --------
    >>> full_head([(1, ["成果表", "", ""]), (2, ["点号", "坐标", ""]), (3, ["", "X", "Y"])], 2)
    ['点号', 'X', 'Y']
    """
    cells = list(rows[head][1])
    for above in range(head - 1, max(-1, head - 1 - _ABOVE), -1):
        upper = rows[above][1]
        if sum(bool(plain(cell)) for cell in upper) < 2 or any(isinstance(cell, float | int) for cell in upper):
            break
        cells += [""] * (len(upper) - len(cells))
        cells = [cell if plain(cell) or i >= len(upper) else upper[i] for i, cell in enumerate(cells)]
    return cells


def body_of(
    rows: Sequence[tuple[int, list[object]]],
    names: Sequence[str],
    found: Mapping[str, int],
    place: str,
    problems: list[Problem],
) -> Body:
    """Return the rows of data below a head; every other row with content is named in a note."""
    width = len(names)
    body: list[tuple[int, list[object]]] = []
    after_gap: set[int] = set()
    gap = False
    pair = [found[m] for m in ("lon", "lat", "x", "y", "east", "north", "wkt") if m in found]
    for at, (number_, row) in enumerate(rows):
        if not any(plain(cell) for cell in row):
            gap = bool(body)
            continue
        cells = [*row[:width], *[""] * (width - len(row))]
        why = None if any(plain(cell) for cell in row[width:]) else _no_data(cells, names, pair, found.get("point"))
        if why is None and _is_title(row, rows[at + 1 :], names):
            gap = bool(body)
            why = Message("is the title of the rows below it ('{value}') and was skipped", value=_only(row)[:40])
        if why is not None:
            here = Message("{place}, row {row}", place=place, row=number_)
            problems.append(Problem("note", here, why, Message("nothing to do")))
            continue
        if gap:
            after_gap.add(len(body))
        gap = False
        body.append((number_, list(row)))
    return Body(body, frozenset(after_gap))


def _only(row: Sequence[object]) -> str:
    """Return the one cell of a row with a text, if the others are empty; else an empty text."""
    given = [plain(cell) for cell in row if plain(cell)]
    return given[0] if len(given) == 1 and number(given[0]) is None else ""


def _is_title(row: Sequence[object], below: Sequence[tuple[int, list[object]]], names: Sequence[str]) -> bool:
    """Return whether a row is the title of a table whose head follows, with the headings of the first one."""
    if not _only(row):
        return False
    following = next((other for _, other in below if any(plain(cell) for cell in other)), [])
    words = [heading(cell) for cell in following]
    return sum(map(bool, words)) > 1 and all(
        word in ("", heading(name)) for word, name in zip(words, names, strict=False)
    )


def _no_data(cells: list[object], names: Sequence[str], pair: Sequence[int], point: int | None) -> Message | None:
    """Say what a row is instead of data; None if it is data."""
    words = [plain(cell) for cell in cells]
    given = [word for word in words if word]
    first = given[0]
    others = [cell for i, cell in enumerate(cells) if words[i]]
    bare = not any(words[i] for i in pair)
    why: Message | None = None
    if all(heading(word) == heading(name) for word, name in zip(words, names, strict=True) if word) and len(given) > 1:
        why = Message("repeats the head of the table and was skipped")
    elif any(number(cells[i]) is not None for i in pair):
        why = None
    elif all(_UNIT.match(word) for word in given):
        why = Message("holds units and was skipped")
    elif first.rstrip(":").lower() in _SUMS and bare:
        why = Message("is a sum ('{value}') and was skipped", value=first)
    elif _FOOTER.match(first) and bare:
        why = Message("is no row of coordinates ('{value}') and was skipped", value=first[:40])
    elif point is not None and not words[point] and bare and all(number(cell) is not None for cell in others):
        why = Message("holds lengths of edges, no point, and was skipped")
    return why
