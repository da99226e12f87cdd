"""Cells of tables as numbers: from text, full-width digits, or degrees, minutes and seconds."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass

import numpy as np

from lzgis.messages import Message
from lzgis.model.report import Problem

_THOUSANDS = re.compile(r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")
_DECIMAL = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$", re.IGNORECASE)
#: Signs of degrees, minutes and seconds; NFKC splits a double prime into two.
_SEXAGESIMAL = re.compile(
    r"^(\d{1,3})[°度:](?:(\d{1,2})[′'分:](?:(\d{1,2}(?:\.\d+)?)(?:″|\"|''|′′|秒)?)?|(\d{1,2}\.\d+)[′'分])$"
)
#: Signs that keyboards and drawings have in their place. NFKC would make letters and blanks of them.
_LOOK_ALIKE = str.maketrans({"º": "°", "˚": "°", "´": "′", "ˊ": "′", "˝": "″", "’": "'", "‘": "'", "”": '"', "“": '"'})
#: Characters without width, which copies from pages bring along.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"))
_EAST, _NORTH = ("E", "e", "东经"), ("N", "n", "北纬")


def plain(cell: object) -> str:
    """Return a cell as text, full-width characters in their usual form, without surrounding blanks."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if not isinstance(cell, str):
        return str(cell)
    return unicodedata.normalize("NFKC", cell.translate(_LOOK_ALIKE)).strip()


def number(cell: object) -> float | None:
    """Return a cell as a number; None if it is none.

    Examples
    --------
    >>> number("１１２．５"), number("2,758,130.25"), number("112°30′36″E"), number("24度36分"), number("—")
    (112.5, 2758130.25, 112.51, 24.6, None)
    """
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return float(cell) if math.isfinite(cell) else None
    # NFKC keeps a prime, but splits a double prime into two.
    text = plain(cell).translate(_INVISIBLE).replace(" ", "").replace("−", "-").rstrip("mM米").strip("ENen东经北纬")
    if _THOUSANDS.match(text):
        text = text.replace(",", "")
    if _DECIMAL.match(bare := text.rstrip("°度")):
        value = float(bare)
        return value if math.isfinite(value) else None
    match = _SEXAGESIMAL.match(text)
    if match is None:
        return None
    degrees, minutes, seconds = (float(part or 0) for part in (match[1], match[2] or match[4], match[3]))
    if minutes >= 60 or seconds >= 60:
        return None
    return round(degrees + minutes / 60 + seconds / 3600, 12)


def half_of_the_globe(cell: object) -> str:
    """Return "lon" or "lat" if a coordinate says with a letter or word that it counts to the east or north, else "".

    Examples
    --------
    >>> half_of_the_globe("112°30′36″E"), half_of_the_globe("北纬24.5"), half_of_the_globe(24.5)
    ('lon', 'lat', '')
    """
    text = plain(cell) if isinstance(cell, str) else ""
    for axis, words in (("lon", _EAST), ("lat", _NORTH)):
        if text.startswith(words) or text.endswith(words):
            return axis
    return ""


_POWER = re.compile(r"^[+-]?\d+(?:\.(\d*))?e\+?(\d+)$", re.IGNORECASE)
#: The last digit of a coordinate must be worth no more than this: metres, and degrees.
_COARSEST_M, _COARSEST_DEG, _LARGEST_DEG = 0.1, 1e-5, 360.0


def has_lost_digits(text: str) -> bool:
    """Return whether a coordinate is written as a power of ten with too few digits, as spreadsheets show long numbers.

    Examples
    --------
    >>> has_lost_digits("2.76699E+06"), has_lost_digits("2.766991521E+06"), has_lost_digits("1.1250E+02")
    (True, False, True)
    """
    match = _POWER.match(text)
    if match is None:
        return False
    worth = 10.0 ** min(int(match[2]) - len(match[1] or ""), 300)
    return worth > (_COARSEST_DEG if abs(float(text)) <= _LARGEST_DEG else _COARSEST_M)


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a table, with what messages need to name one."""

    place: str
    names: list[str]
    numbering: list[int]
    rows: list[list[object]]
    problems: list[Problem]

    def add_problem(self, row: int, column: int, what: Message, remedy: Message) -> None:
        """Report a cell that cannot be used."""
        here = Message(
            "{place}, row {row}, column '{column}'",
            place=self.place,
            row=self.numbering[row],
            column=self.names[column],
        )
        self.problems.append(Problem("error", here, what, remedy))

    def numbers(self, column: int) -> np.ndarray:
        """Return a column as numbers; NaN, and a problem, for each cell that is none."""
        values = np.full(len(self.rows), np.nan)
        for i, row in enumerate(self.rows):
            value = number(row[column])
            cell = row[column]
            if value is not None and isinstance(cell, str) and has_lost_digits(text := plain(cell)):
                self.add_problem(
                    i,
                    column,
                    Message("'{value}' is rounded to a power of ten: its last digits are lost", value=text),
                    Message("give the coordinate with all digits"),
                )
            elif value is not None:
                values[i] = value
            elif text := plain(row[column]):
                self.add_problem(
                    i, column, Message("'{value}' is no number", value=text), Message("correct the coordinate")
                )
            else:
                self.add_problem(i, column, Message("is empty"), Message("give the coordinate"))
        return values
