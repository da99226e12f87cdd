"""CSV and other delimited text: encoding and delimiter are found and told."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from itertools import islice
from pathlib import Path

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.base import Read, ReadOptions
from lzgis.reading.encoding import decoded
from lzgis.reading.formats.sheet import Sheet, read_sheet

_DELIMITERS = (",", "\t", ";", "|", "，", "；")
_TITLES = {"\t": "tab"}
_LOOKED_AT = 50
_LONGEST_FIELD = 50_000_000


def read_delimited(path: Path, options: ReadOptions) -> Read:
    """Read a table of coordinates from delimited text.

    Raises
    ------
    SourceError
        If no delimiter gives a table, or the table has no coordinates.
    """
    text, encoding = decoded(path.read_bytes(), str(path), declared=options.encoding)
    # A line "sep=;" is Excel's own way to name the delimiter.
    first, _, rest = text.partition("\n")
    stated = first.strip()[4:] if first.strip().lower().startswith("sep=") else ""
    delimiter = stated or _delimiter(text, path)
    csv.field_size_limit(_LONGEST_FIELD)
    body = rest if stated else text
    try:
        reader = csv.reader(_lines(body), delimiter=delimiter, strict=True)
        above = 1 if stated else 0
        rows: list[tuple[int, list[object]]] = []
        starts = above + 1
        for row in reader:
            rows.append((starts, list(row)))
            starts = above + reader.line_num + 1
    except csv.Error as error:
        raise SourceError(
            Message("{place}, line {line}", place=path, line=reader.line_num),
            Message("is no line of a table ({error})", error=error),
            Message("look for a quotation mark without its pair"),
        ) from None
    read = read_sheet(Sheet(str(path), rows), options)
    what = Message(
        "was read in {encoding} ({how}), delimited by '{delimiter}'",
        encoding=encoding.value,
        how=encoding.how,
        delimiter=_TITLES.get(delimiter, delimiter),
    )
    said = Problem("note", str(path), what, Message("declare the encoding if that is wrong"))
    return replace(read, engine="csv", encoding=encoding, problems=(said, *read.problems))


def _lines(text: str) -> io.StringIO:
    """Give the lines of a text as a file would: a sign like U+001E, at which Python would cut too, ends none."""
    return io.StringIO(text, newline="")


def _delimiter(text: str, path: Path) -> str:
    """Choose the delimiter that cuts the most of the first lines into one and the same number of fields above one."""
    lines = [line for line in islice(_lines(text), _LOOKED_AT) if line.strip()]
    best, chosen = (0, 0), ""
    for delimiter in _DELIMITERS:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        usual = max(set(counts), key=lambda n: (counts.count(n), n), default=1)
        score = (counts.count(usual), usual) if usual > 1 else (0, 0)
        if score > best:
            best, chosen = score, delimiter
    if not chosen:
        if len(lines) > 1 and lines[0].strip().lower() in ("wkt", "geometry", "几何"):
            return ","
        known = " ".join(_TITLES.get(d, d) for d in _DELIMITERS)
        raise SourceError(
            str(path), Message("has no delimiter that is known"), Message("use one of {names}", names=known)
        )
    return chosen
