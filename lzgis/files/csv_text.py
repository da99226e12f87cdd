"""CSV for spreadsheets: the only place where lzgis writes a CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_bytes(rows: Iterable[Iterable[object]], *, line_end: str = "\r\n") -> bytes:
    r"""Return rows as CSV in UTF-8 with a byte order mark; a text that a spreadsheet would evaluate is marked as text.

    Numbers stay numbers. None and NaN are empty cells.

    Examples
    --------
    >>> csv_bytes([["title", "area"], ["=1+1", -2.5]], line_end="\n").decode("utf-8-sig")
    "title,area\n'=1+1,-2.5\n"
    """
    text = io.StringIO()
    csv.writer(text, lineterminator=line_end).writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(cell: object) -> object:
    if isinstance(cell, str):
        # A cell that begins like a formula is evaluated, also after spaces; an apostrophe marks it as text.
        return "'" + cell if cell.lstrip(" ").startswith(_FORMULA) else cell
    return "" if cell is None or cell != cell else cell  # noqa: PLR0124 (NaN)
