"""The workbook: verdicts, findings, corridors, unit lists to answer, what was left unchecked, provenance."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import xlsxwriter

from lzgis.exports.provenance import provenance_tables
from lzgis.exports.report_text import TINTS, ReportText, visible
from lzgis.exports.tables.tables import Head, Kind, Table, report_tables
from lzgis.files.atomic_write import write_atomic, write_bytes_atomic
from lzgis.model.report import Report
from lzgis.words import Language

#: The most that Excel takes in one cell (UTF-16 units) and in one sheet, less the rows above the table.
CELL_LIMIT = 32_767
ROW_LIMIT = 1_048_576 - 4

_Known = TypeVar("_Known")
_FONT = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "top"}
_NUMBERS: dict[Kind, str] = {
    "count": "0",
    "area": "#,##0.00",
    "hectare": "#,##0.0000",
    "metre": "#,##0.000",
    "share": "0.00%",
}
_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_WIDEST = 42
_WIDEST_FIXED = 26
_WIDEST_FOLDED = 34

#: Height of a line in points; a row is no higher than so many of them, lest one text fills the screen.
_LINE_PT, _MOST_LINES = 14.0, 12

#: Paper as the format numbers it, and how many columns of 10 point letters go beside each other at 60 per cent.
_A3, _A4 = 8, 9
_COLUMNS_A3, _COLUMNS_A4 = 330, 225
_MARGINS_IN = {"left": 0.4, "right": 0.4, "top": 0.5, "bottom": 0.6}


def write_xlsx(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write a report as a workbook; the same report gives the same bytes.

    Texts are never read as formulas or links. What a cell cannot hold is spelled out (control characters) or
    said to be cut (more than 32,767 characters).

    Parameters
    ----------
    report : Report
        What to write.
    path : path
        The file, ``*.xlsx``.
    language : {"zh", "en"}
        Language of titles and heads.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    data = workbook_bytes(report, language=language)
    write_bytes_atomic(path, data)


def write_growing(
    texts: ReportText, pieces: Callable[[], Iterable[Table]], others: list[Table], path: str | Path
) -> None:
    """Write a workbook of a table that comes in pieces of consecutive rows, of others, and the provenance.

    Parameters
    ----------
    texts : ReportText
        What the workbook says of itself.
    pieces : callable
        Gives the pieces from the first on; it is called twice, and only one piece is ever held.
    others : list of Table
        Tables on sheets after it.
    path : path
        The file, ``*.xlsx``.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """

    def make(made: Path) -> None:
        options = _OPTIONS | {"constant_memory": True, "tmpdir": str(made.parent)}
        with xlsxwriter.Workbook(made, options) as book:
            pages = _begun(book, texts)
            pages.growing(pieces)
            for table in others:
                pages.table(table)
            pages.stack("provenance", provenance_tables(texts))

    write_atomic(path, make)


def workbook_bytes(report: Report, *, language: Language = "zh") -> bytes:
    """Return the workbook of a report."""
    texts = ReportText(report, language)
    return tables_bytes(texts, report_tables(texts))


def tables_bytes(texts: ReportText, tables: list[Table]) -> bytes:
    """Return a workbook of tables, a sheet for each, and of the provenance."""
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, _OPTIONS | {"in_memory": True}) as book:
        pages = _begun(book, texts)
        for table in tables:
            pages.table(table)
        pages.stack("provenance", provenance_tables(texts))
    return buffer.getvalue()


def _begun(book: Any, texts: ReportText) -> _Pages:
    book.set_properties(
        {"title": visible(texts.city), "comments": visible(texts.notice), "created": _made_at(texts.report)}
    )
    return _Pages(book, texts)


def _made_at(report: Report) -> dt.datetime:
    """Time of making in UTC without a zone, as the file format wants it."""
    made_at = report.provenance.made_at
    return made_at.astimezone(dt.UTC).replace(tzinfo=None) if made_at.tzinfo else made_at


class _Pages:
    """Lays tables out on sheets; every sheet begins with the notice and the disclaimer."""

    def __init__(self, book: Any, texts: ReportText) -> None:
        self._book = book
        self._teller = texts
        self._formats: dict[tuple[Kind, bool, str], Any] = {}
        self._notice = book.add_format({**_FONT, "bold": True, "font_color": "#b00000", "font_size": 12})
        self._disclaimer = book.add_format({**_FONT, "font_color": "#555555"})
        self._section = book.add_format({**_FONT, "bold": True, "font_size": 11})
        self._head = book.add_format(
            {
                **_FONT,
                "bold": True,
                "bg_color": "#dfe6ee",
                "border": 1,
                "border_color": "#9aa5b1",
                "text_wrap": True,
            }
        )

    def table(self, table: Table) -> None:
        """Give a table sheets of its own, as many as its rows need."""
        title = self._teller.words("sheet", table.name)
        for start in range(0, max(1, len(table.rows)), ROW_LIMIT):
            number = start // ROW_LIMIT + 1
            name = title if number == 1 else self._teller.words("table", "continued", title=title, number=number)
            sheet, top = self._page(name)
            widths = self._widths(sheet, [table])
            bottom = self._lay(sheet, table, (top, start), widths)
            self._finish(sheet, table, (top, bottom), widths)
            for column, answers in table.choices.items():
                sheet.data_validation(
                    top + 1, column, max(top + 1, bottom - 1), column, {"validate": "list", "source": answers}
                )

    def growing(self, pieces: Callable[[], Iterable[Table]]) -> None:
        """Give a table that comes in pieces one sheet."""
        first = next(iter(pieces()))
        sheet, top = self._page(self._teller.words("sheet", first.name))
        widths = self._widths(sheet, pieces())
        self._heads(sheet, first, top)
        bottom = top + 1
        for piece in pieces():
            bottom = self._rows(sheet, piece, (bottom, 0), widths)
        self._finish(sheet, first, (top, bottom), widths)

    def _finish(self, sheet: Any, table: Table, span: tuple[int, int], widths: list[float]) -> None:
        """Keep the head in view, let rows be filtered, and choose the paper."""
        top, bottom = span
        sheet.freeze_panes(top + 1, table.fixed)
        sheet.autofilter(top, 0, max(top + 1, bottom - 1), len(table.heads) - 1)
        sheet.repeat_rows(top)
        self._print(sheet, widths, table.fixed)

    def stack(self, name: str, tables: list[Table]) -> None:
        """Lay tables below one another on one sheet, each under its title."""
        sheet, row = self._page(self._teller.words("sheet", name))
        widths = self._widths(sheet, tables)
        for table in tables:
            sheet.write_string(row, 0, self._teller.words("provenance", table.name), self._section)
            row = self._lay(sheet, table, (row + 1, 0), widths) + 1
        sheet.freeze_panes(3, 0)
        self._print(sheet, widths, 0)

    def _page(self, title: str) -> tuple[Any, int]:
        sheet = self._book.add_worksheet(title)
        sheet.hide_gridlines(0)
        sheet.set_footer("&L&A&R&P / &N")
        sheet.write_string(0, 0, self._text(self._teller.notice), self._notice)
        sheet.write_string(1, 0, self._text(self._teller.disclaimer), self._disclaimer)
        return sheet, 3

    def _print(self, sheet: Any, widths: list[float], fixed: int) -> None:
        """Choose paper on which the letters stay legible, and as many pages beside each other as that takes."""
        whole, kept = sum(widths), sum(widths[:fixed])
        small = whole <= _COLUMNS_A4
        room = _COLUMNS_A4 if small else _COLUMNS_A3
        # The columns that stay in view on the screen head every page.
        beside = 1 if whole <= room else math.ceil((whole - kept) / (room - kept))
        sheet.set_landscape()
        sheet.set_paper(_A4 if small else _A3)
        sheet.set_margins(**_MARGINS_IN)
        sheet.fit_to_pages(beside, 0)
        if beside > 1 and fixed:
            sheet.repeat_columns(0, fixed - 1)

    def _lay(self, sheet: Any, table: Table, place: tuple[int, int], widths: list[float]) -> int:
        """Write the head at a row, and up to a sheet's rows from one on; return the row below them."""
        top, start = place
        self._heads(sheet, table, top)
        if start >= len(table.rows):
            sheet.write_string(top + 1, 0, self._teller.words("table", "none"), self._format(Head("")))
            return top + 2
        return self._rows(sheet, table, (top + 1, start), widths)

    def _heads(self, sheet: Any, table: Table, row: int) -> None:
        for column, head in enumerate(table.heads):
            sheet.write_string(row, column, self._text(head.title), self._head)

    def _rows(self, sheet: Any, table: Table, place: tuple[int, int], widths: list[float]) -> int:
        """Write up to a sheet's rows from one on, at a row; return the row below them."""
        top, start = place
        rows = table.rows[start : start + ROW_LIMIT]
        texts, depths = _remembering(self._text), [_remembering(partial(_lines, width)) for width in widths]
        folded = [column for column, head in enumerate(table.heads) if head.folded]
        for number, row in enumerate(rows, start=top):
            mark = table.marks[start + number - top] if table.marks else ""
            # Not every program finds out by itself how high a row of folded text must be.
            deep = max((depths[i](value) for i in folded if isinstance(value := row[i], str)), default=1)
            if deep > 1:
                sheet.set_row(number, _LINE_PT * min(deep, _MOST_LINES))
            for column, (value, head) in enumerate(zip(row, table.heads, strict=True)):
                shape = self._format(head, TINTS[mark] if mark and column == table.marked else "")
                if isinstance(value, str):
                    if value:
                        sheet.write_string(number, column, texts(value), shape)
                elif value is not None:
                    sheet.write_number(number, column, value, shape)
        return top + len(rows)

    def _format(self, head: Head, tint: str = "") -> Any:
        key = (head.kind, head.folded, tint)
        if key not in self._formats:
            shape: dict[str, Any] = dict(_FONT)
            if head.kind in _NUMBERS:
                shape["num_format"] = _NUMBERS[head.kind]
            if head.folded:
                shape["text_wrap"] = True
            if tint:
                shape |= {"bg_color": tint, "bold": True}
            self._formats[key] = self._book.add_format(shape)
        return self._formats[key]

    def _text(self, value: str) -> str:
        text = visible(value)
        if len(text) * 2 <= CELL_LIMIT or _units(text) <= CELL_LIMIT:
            return text
        tail = self._teller.words("table", "cut", count=len(text))
        kept = text.encode("utf-16-le")[: 2 * (CELL_LIMIT - _units(tail))]
        # A pair of surrogates cut in two would be no text at all.
        return kept.decode("utf-16-le", "ignore") + tail

    def _widths(self, sheet: Any, tables: Iterable[Table]) -> list[float]:
        """Give each column the width that its texts need, within bounds, and tell the widths."""
        widest: dict[int, int] = {}
        for table in tables:
            for column, head in enumerate(table.heads):
                values = {row[column] for row in table.rows}
                shown = [_shown(value, head.kind) for value in values]
                limit = _WIDEST_FIXED if column < table.fixed else _WIDEST_FOLDED if head.folded else _WIDEST
                # A head may fold once, but the arrow of the filter covers its end.
                width = max([(_width(head.title) + 5) // 2 + 2, *(_width(s) for s in shown)])
                widest[column] = max(widest.get(column, 6), min(limit, width))
        widths = [widest[column] + 1.5 for column in range(len(widest))]
        for column, wide in enumerate(widths):
            sheet.set_column(column, column, wide)
        return widths


def _shown(value: str | float | None, kind: Kind) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:.2%}" if kind == "share" else f"{value:,.4f}"


def _width(text: str) -> int:
    """Columns that the widest line takes: GBK has one byte for a narrow letter and two for a wide one."""
    return max((len(line.encode("gbk", "replace")) for line in text[:200].split("\n")), default=0)


def _lines(width: float, text: str) -> int:
    """Lines that a text takes in a column; of what is very long, enough to fill a row."""
    taken = (len(line.encode("gbk", "replace")) for line in text[:2000].split("\n"))
    # A wide letter does not break: up to one column is lost in each line.
    return sum(max(1, math.ceil(columns / max(width - 2, 1))) for columns in taken)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _remembering(function: Callable[[str], _Known]) -> Callable[[str], _Known]:
    """Spare the work for a text seen before: most cells of a long table repeat."""
    known: dict[str, _Known] = {}

    def again(value: str) -> _Known:
        found = known.get(value)
        if found is None:
            found = known[value] = function(value)
        return found

    return again
