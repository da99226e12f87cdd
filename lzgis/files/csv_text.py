"""CSV for spreadsheets: the only place where lzgis writes a CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

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


def write_csv(tables: Iterable[pa.Table], path: Path) -> None:
    """Write tables of the same columns one after the other as CSV, with the promises of `csv_bytes`.

    Texts stand in quotes. Numbers are written in the shortest form that is read back as the same number.
    """
    import pyarrow.csv as pc

    options = pc.WriteOptions(batch_size=16_384)
    with path.open("wb") as file:
        file.write("\ufeff".encode())
        rest = iter(tables)
        first = next(rest)
        with pc.CSVWriter(file, first.schema, write_options=options) as writer:
            writer.write_table(_disarmed(first))
            for table in rest:
                writer.write_table(_disarmed(table.cast(first.schema)))


def _disarmed(table: pa.Table) -> pa.Table:
    """Mark texts as `_cell` does; NaN is an empty cell."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for i, field in enumerate(table.schema):
        column = table.column(i)
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            first = pc.utf8_slice_codeunits(pc.utf8_ltrim(column, " "), 0, 1)
            formula = pc.is_in(first, value_set=pa.array(_FORMULA, type=first.type))
            if pc.any(formula).as_py():
                marked = pc.binary_join_element_wise(pa.scalar("'", column.type), column, pa.scalar("", column.type))
                table = table.set_column(i, field, pc.if_else(formula, marked, column))
        elif pa.types.is_floating(field.type):
            table = table.set_column(i, field, pc.if_else(pc.is_nan(column), None, column))
    return table
