"""The Excel workbook: verdicts, findings, corridors, unit lists to answer, what was not checked, provenance."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from io import BytesIO, StringIO
from itertools import chain
from numbers import Real
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from lzgis.exports.formats import ReportPieces
from lzgis.exports.provenance import provenance_tables
from lzgis.exports.report_text import AT_ONCE, Coded, ContextText, ReportText, coded, visible
from lzgis.exports.rounding import Rounding
from lzgis.exports.symbology import TINTS
from lzgis.exports.tables.summary_sheet import write_summary_sheets
from lzgis.exports.tables.tables import (
    CodedRows,
    Head,
    Kind,
    Table,
    Value,
    city_tables,
    report_tables,
    rule_table,
    tables_of_pieces,
    verdict_table,
)
from lzgis.files.atomic_write import write_atomic, write_bytes_atomic
from lzgis.model.report import Report, ReportContext
from lzgis.words import Language

#: The most that Excel takes in one cell (UTF-16 units) and in one sheet, less the rows above the table.
CELL_LIMIT = 32_767
ROW_LIMIT = 1_048_576 - 4

_Result = TypeVar("_Result")
_FONT = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "top"}
_NUMBERS: dict[Kind, str] = {
    "count": "0",
    "hectare": "#,##0.0000",
    "share": "0.00%",
}
#: The format of a figure that rounding would take for a whole one, such as 29.996 m for the 30 m that a rule demands.
_NOT_WHOLE = "#,##0.000"
_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_WIDEST = 42
_WIDEST_FIXED = 26
_WIDEST_FOLDED = 34

#: The most sites whose workbook is made in memory; that of more is made in files beside it.
IN_MEMORY = 500

#: Height of a line in points, and the most lines that a row shows, so that one long text does not fill the screen.
_LINE_PT, _MOST_LINES = 14.0, 12
#: The most lines for which a column that is not printed makes a row higher: rows of a print stay close.
_MOST_BESIDE = 2

#: Paper sizes as the file format numbers them, and how many characters of 10 points fit across them at 60 per cent.
_A3, _A4 = 8, 9
_COLUMNS_A3, _COLUMNS_A4 = 330, 225
_MARGINS_IN = {"left": 0.4, "right": 0.4, "top": 0.5, "bottom": 0.6}


def write_xlsx(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write a report as a workbook, see `lzgis.exports.formats.ReportWriter`.

    Excel never takes a text for a formula or a link. Control characters are escaped, and a text of more than 32,767
    characters is cut and says so.
    """
    if len(report.sites) <= IN_MEMORY:
        write_bytes_atomic(path, workbook_bytes(report, language=language))
        return
    texts = ReportText(report, language)

    def make(made: Path) -> None:
        with xlsxwriter.Workbook(made, _OPTIONS | {"tmpdir": str(made.parent)}) as book:
            write_summary_sheets(book, texts)
            _fill(book, texts, report_tables(texts))

    write_atomic(path, make)


def write_xlsx_pieces(pieces: ReportPieces, path: str | Path, *, language: Language = "zh") -> None:
    """Write verdicts, counts, rules and provenance, without findings, see `lzgis.exports.formats.PiecesWriter`."""
    texts = ReportText(pieces.head, language)

    def make(made: Path) -> None:
        options = _OPTIONS | {"constant_memory": True, "tmpdir": str(made.parent)}
        with xlsxwriter.Workbook(made, options) as book:
            pages = _new_pages(book, texts)
            pages.table_in_pieces(lambda: (verdict_table(ReportText(one, language)) for one in pieces.verdicts()))
            # A workbook in constant memory takes rows only in order, so no block of rows by columns.
            tables = (*city_tables(texts)[:1], *tables_of_pieces(texts, pieces.reports()), rule_table(texts))
            for table in tables:
                pages.table_in_pieces(partial(lambda one: [one], table))
            pages.stack("provenance", provenance_tables(texts))

    write_atomic(path, make)


def workbook_bytes(report: Report, *, language: Language = "zh") -> bytes:
    """Return the workbook of a report."""
    texts = ReportText(report, language)
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, _OPTIONS | {"in_memory": True}) as book:
        write_summary_sheets(book, texts)
        _fill(book, texts, report_tables(texts))
    return buffer.getvalue()


def tables_bytes(texts: ContextText, tables: Iterable[Table]) -> bytes:
    """Return a workbook with one sheet per table and one for the provenance."""
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, _OPTIONS | {"in_memory": True}) as book:
        _fill(book, texts, tables)
    return buffer.getvalue()


def _fill(book: Any, texts: ContextText, tables: Iterable[Table]) -> None:
    pages = _new_pages(book, texts)
    for table in tables:
        pages.table(table)
    pages.stack("provenance", provenance_tables(texts))


class _Block(NamedTuple):
    """Rows of a table below the headings of a sheet: for each column the cells, and the height of each row."""

    top: int
    columns: list[Coded]
    formats: list[list[Any]]
    lines: npt.NDArray[np.int32]


class _Sheet(Worksheet):  # type: ignore[misc]
    """A sheet that can take a block of rows by columns, whose cells are written once per distinct value.

    xlsxwriter stores every cell as an object and formats each of them; a report has tens of cells for each of hundreds of
    thousands of rows. All else on the sheet is written by xlsxwriter.
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows_file: IO[str] | None = None
        self._top = 0

    def write_block(self, block: _Block) -> None:
        """Take the last rows of the sheet. Values are texts, numbers or None.

        They are written at once, beside the workbook if that is made in files, so that one block at a time is in memory.
        """
        if self.constant_memory:
            raise TypeError("a workbook in constant memory takes rows in order, and would drop a block")
        rows = len(block.lines)
        if not rows:
            return
        self._check_dimensions(block.top, 0)
        self._check_dimensions(block.top + rows - 1, len(block.columns) - 1)
        cells = []
        for number, (column, formats) in enumerate(zip(block.columns, block.formats, strict=True)):
            often = np.bincount(column.codes, minlength=len(column.values)).tolist()
            values = (self._cell(*one) for one in zip(column.values, often, strict=True))
            cells.append(self._written(number, Coded(column.codes, list(values)), formats))
        self._top = block.top
        self._rows_file = (
            TemporaryFile("w+", encoding="utf-8", newline="", dir=self.tmpdir) if self.tmpdir else StringIO(newline="")  # noqa: SIM115 (closed when copied)
        )
        heights = ["", *(f' ht="{_LINE_PT * n:g}" customHeight="1"' for n in range(1, _MOST_LINES + 1))]
        for start in range(0, rows, AT_ONCE):
            chosen = slice(start, start + AT_ONCE)
            table = zip(*(one.taken(chosen).tolist() for one in cells), strict=True)
            lines = block.lines[chosen].tolist()
            self._rows_file.write(
                "".join(
                    f'<row r="{number}"{heights[deep if deep > 1 else 0]}>{"".join(row)}</row>'.replace(
                        "#", str(number)
                    )
                    for number, (deep, row) in enumerate(zip(lines, table, strict=True), start=block.top + start + 1)
                )
            )

    def _cell(self, value: Any, often: int) -> str:
        """Return what a cell holds after its format; empty if there is no cell. Texts are shared by the workbook."""
        if value is None or value == "" or not often:
            return ""
        if not isinstance(value, str):
            return f"><v>{value:.16G}</v></c>"
        index = self.str_table._get_shared_string_index(value)
        self.str_table.count += often - 1
        return f' t="s"><v>{index}</v></c>'

    def _write_rows(self) -> None:
        """Write the rows above the block, then the block."""
        if self._rows_file is None:
            super()._write_rows()
            return
        last: int = self.dim_rowmax
        self.dim_rowmax: int = self._top - 1
        super()._write_rows()
        self.dim_rowmax = last
        with self._rows_file as rows:
            rows.seek(0)
            copyfileobj(rows, self.fh)
        self._rows_file = None

    def _written(self, number: int, column: Coded, formats: list[Any]) -> Coded:
        """Return the cells of a column as XML, with ``#`` in place of the number of the row."""
        name = xl_col_to_name(number)
        values = [
            one and f'<c r="{name}#" s="{shape._get_xf_index()}"{one}'
            for one, shape in zip(column.values, formats, strict=True)
        ]
        return Coded(column.codes, values)


def _new_pages(book: Any, texts: ContextText) -> _Pages:
    book.set_properties(
        {"title": visible(texts.city), "comments": visible(texts.notice), "created": _made_at(texts.context)}
    )
    return _Pages(book, texts)


def _made_at(report: ReportContext) -> dt.datetime:
    """Return when the report was made, in UTC without a time zone, as the file format requires."""
    made_at = report.provenance.made_at
    return made_at.astimezone(dt.UTC).replace(tzinfo=None) if made_at.tzinfo else made_at


class _Pages:
    """The sheets of a workbook; each begins with the notice and the disclaimer."""

    def __init__(self, book: Any, texts: ContextText) -> None:
        self._book = book
        self._texts = texts
        self._formats: dict[tuple[str, bool, str], Any] = {}
        # Cells have all digits of the tables; as in documents, only those that the precision of the data justifies are shown.
        self._places = Rounding(texts.context).places()
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
        """Write a table on as many sheets of its own as its rows need."""
        if table.rows:
            table = replace(table, rows=CodedRows(_columns(table)))
        title = self._texts.words("sheet", table.name)
        for start in range(0, max(1, len(table.rows)), ROW_LIMIT):
            number = start // ROW_LIMIT + 1
            name = title if number == 1 else self._texts.words("table", "continued", title=title, number=number)
            sheet, top = self._page(name)
            widths = self._widths(sheet, [table])
            bottom = self._block(sheet, table, (top, start), widths)
            self._finish(sheet, table, (top, bottom), widths)
            for column, answers in table.choices.items():
                sheet.data_validation(
                    top + 1, column, max(top + 1, bottom - 1), column, {"validate": "list", "source": answers}
                )

    def table_in_pieces(self, pieces: Callable[[], Iterable[Table]]) -> None:
        """Write a table that comes in pieces of consecutive rows on one sheet; `pieces` is called three times."""
        first = next(iter(pieces()))
        sheet, top = self._page(self._texts.words("sheet", first.name))
        widths = self._widths(sheet, pieces())
        self._heads(sheet, first, top)
        bottom = top + 1
        for piece in pieces():
            bottom = self._rows(sheet, piece, (bottom, 0), widths)
        self._finish(sheet, first, (top, bottom), widths)

    def _finish(self, sheet: Any, table: Table, span: tuple[int, int], widths: list[float]) -> None:
        """Freeze the headings, add filters and set the paper size."""
        top, bottom = span
        sheet.freeze_panes(top + 1, table.fixed)
        sheet.autofilter(top, 0, max(top + 1, bottom - 1), len(table.heads) - 1)
        sheet.repeat_rows(top)
        # Findings are sorted by gravity: those that are neither met nor open stay on the screen.
        marked = [number for number, mark in enumerate(table.marks) if mark]
        last = min(bottom, top + 2 + marked[-1]) if marked else bottom
        shown = last if table.printed is None else min(last, top + 1 + table.printed)
        self._print(sheet, widths, shown, bottom - top - 1 if shown < last else 0)

    def stack(self, name: str, tables: list[Table]) -> None:
        """Write tables below one another on one sheet, each under its title."""
        sheet, row = self._page(self._texts.words("sheet", name))
        widths = self._widths(sheet, tables)
        for table in tables:
            sheet.write_string(row, 0, self._texts.words("provenance", table.name), self._section)
            row = self._write(sheet, table, (row + 1, 0), widths) + 1
        sheet.freeze_panes(3, 0)
        self._print(sheet, widths, row)

    def _page(self, title: str) -> tuple[Any, int]:
        sheet = self._book.add_worksheet(title, worksheet_class=_Sheet)
        sheet.hide_gridlines(0)
        sheet.set_footer("&L&A&R&P / &N")
        sheet.write_string(0, 0, self._text(self._texts.notice), self._notice)
        sheet.write_string(1, 0, self._text(self._texts.disclaimer), self._disclaimer)
        if isinstance(self._texts, ReportText):
            sheet.write_string(2, 0, self._text(self._texts.coverage), self._disclaimer)
        return sheet, 3

    def _print(self, sheet: Any, widths: list[float], bottom: int, rows: int = 0) -> None:
        """Set paper, print area and one page across: as many columns as stay legible, the most important ones first.

        `rows` is the number of rows of a table of which only those above `bottom` are printed.
        """
        columns, small = _printed_columns(widths)
        sheet.set_landscape()
        sheet.set_paper(_A4 if small else _A3)
        sheet.set_margins(**_MARGINS_IN)
        sheet.fit_to_pages(1, 0)
        sheet.print_area(0, 0, bottom - 1, min(columns, len(widths)) - 1)
        said = []
        if columns < len(widths):
            said.append(self._texts.words("table", "printed_columns", shown=columns, all=len(widths)))
        if rows:
            said.append(self._texts.words("table", "printed_rows", all=rows))
        if said:
            sheet.set_footer(f"&L&A {' '.join(said)}&R&P / &N")

    def _block(self, sheet: Any, table: Table, place: tuple[int, int], widths: list[float]) -> int:
        """Write the headings and the rows from `start` that fit on the sheet, by columns; return the row below them."""
        top, start = place
        if start >= len(table.rows):
            return self._write(sheet, table, place, widths)
        self._heads(sheet, table, top)
        end = min(start + ROW_LIMIT, len(table.rows))
        lines = np.ones(end - start, dtype=np.int32)
        columns, formats = [], []
        printed, _ = _printed_columns(widths)
        for number, (head, whole) in enumerate(zip(table.heads, _columns(table), strict=True)):
            column = whole.taken(slice(start, end))
            if head.folded:
                most = _MOST_LINES if number < printed else _MOST_BESIDE
                deep = [min(most, _lines(widths[number], one)) if isinstance(one, str) else 1 for one in column.values]
                lines = np.maximum(lines, np.asarray(deep, dtype=np.int32)[column.codes])
            worded = Coded(column.codes, [self._text(one) if isinstance(one, str) else one for one in column.values])
            marks = table.marks[start:end] if number == table.marked else []
            tinted, tints = _tinted(worded, marks) if marks else (worded, [""] * len(worded.values))
            columns.append(tinted)
            formats.append([self._format(head, *one) for one in zip(tints, tinted.values, strict=True)])
        sheet.write_block(_Block(top + 1, columns, formats, np.minimum(lines, _MOST_LINES)))
        return top + 1 + end - start

    def _write(self, sheet: Any, table: Table, place: tuple[int, int], widths: list[float]) -> int:
        """Write the headings and the rows from `start` that fit on the sheet; return the row below them."""
        top, start = place
        self._heads(sheet, table, top)
        if start >= len(table.rows):
            sheet.write_string(top + 1, 0, self._texts.words("table", "none"), self._format(Head("")))
            return top + 2
        return self._rows(sheet, table, (top + 1, start), widths)

    def _heads(self, sheet: Any, table: Table, row: int) -> None:
        for column, head in enumerate(table.heads):
            sheet.write_string(row, column, self._text(head.title), self._head)

    def _rows(self, sheet: Any, table: Table, place: tuple[int, int], widths: list[float]) -> int:
        """Write the rows from `start` that fit on the sheet; return the row below them."""
        top, start = place
        rows = table.rows[start : start + ROW_LIMIT]
        texts, depths = _cached(self._text), [_cached(partial(_lines, width)) for width in widths]
        folded = [column for column, head in enumerate(table.heads) if head.folded]
        for number, row in enumerate(rows, start=top):
            mark = table.marks[start + number - top] if table.marks else ""
            # Not every program computes the height of a row of wrapped text.
            deep = max((depths[i](value) for i in folded if isinstance(value := row[i], str)), default=1)
            if deep > 1:
                sheet.set_row(number, _LINE_PT * min(deep, _MOST_LINES))
            for column, (value, head) in enumerate(zip(row, table.heads, strict=True)):
                shape = self._format(head, TINTS[mark] if mark and column == table.marked else "", value)
                if isinstance(value, str):
                    if value:
                        sheet.write_string(number, column, texts(value), shape)
                elif value is not None:
                    sheet.write_number(number, column, value, shape)
        return top + len(rows)

    def _number(self, kind: Kind, value: Value) -> str:
        """Return the format of a figure; empty for a text."""
        if kind not in ("area", "metre"):
            return _NUMBERS.get(kind, "")
        places = self._places.m if kind == "metre" else self._places.m2
        if isinstance(value, float):
            shown = round(value, places)
            if (kind == "metre" and shown.is_integer() and shown != value) or (not shown and value):
                return _NOT_WHOLE
        return "#,##0" + (f".{'0' * places}" if places else "")

    def _format(self, head: Head, tint: str = "", value: Value = None) -> Any:
        figure = self._number(head.kind, value)
        key = (figure, head.folded, tint)
        if key not in self._formats:
            shape: dict[str, Any] = dict(_FONT)
            if figure:
                shape["num_format"] = figure
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
        tail = self._texts.words("table", "cut", count=len(text))
        kept = text.encode("utf-16-le")[: 2 * (CELL_LIMIT - _units(tail))]
        # A surrogate pair that is cut in two cannot be decoded.
        return kept.decode("utf-16-le", "ignore") + tail

    def _widths(self, sheet: Any, tables: Iterable[Table]) -> list[float]:
        """Set each column to the width that its texts need, within bounds, and return the widths."""
        widest: dict[int, int] = {}
        for table in tables:
            for column, (head, held) in enumerate(zip(table.heads, _columns(table), strict=True)):
                limit = _WIDEST_FIXED if column < table.fixed else _WIDEST_FOLDED if head.folded else _WIDEST
                # A heading may wrap once, but the arrow of the filter covers its end.
                least = max(widest.get(column, 6), min(limit, (_width(head.title) + 5) // 2 + 2))
                widest[column] = _widest(held.values, head.kind, least, limit)
        widths = [widest[column] + 1.5 for column in range(len(widest))]
        for column, wide in enumerate(widths):
            sheet.set_column(column, column, wide)
        return widths


def _printed_columns(widths: Sequence[float]) -> tuple[int, bool]:
    """Return how many of the columns fit on a page, and whether A4 is wide enough for all of them."""
    small = sum(widths) <= _COLUMNS_A4
    room = _COLUMNS_A4 if small else _COLUMNS_A3
    return max(1, int(np.searchsorted(np.cumsum(widths), room, side="right"))), small


def _columns(table: Table) -> list[Coded]:
    """Return the columns of a table with the distinct values that occur in it."""
    if isinstance(table.rows, CodedRows):
        return [_occurring(one) for one in table.rows.columns]
    if not table.rows:
        return [Coded(np.zeros(0, dtype=np.int32), []) for _ in table.heads]
    return [_distinct(values) for values in zip(*table.rows, strict=True)]


def _tinted(column: Coded, marks: Sequence[str]) -> tuple[Coded, list[str]]:
    """Return a column with one value per distinct text and tint, and the tint of each."""
    pairs = pd.DataFrame({"code": column.codes, "mark": marks})
    both = coded(pairs, ["code", "mark"], lambda code, mark: (column.values[code], TINTS[mark] if mark else ""))
    return Coded(both.codes, [value for value, _ in both.values]), [tint for _, tint in both.values]


def _occurring(column: Coded) -> Coded:
    codes, used = pd.factorize(column.codes)
    return Coded(codes.astype(np.int32), [column.values[one] for one in used.tolist()])


def _distinct(values: Sequence[Value]) -> Coded:
    place: dict[Value, int] = {}
    codes = [place.setdefault(value, len(place)) for value in values]
    return Coded(np.asarray(codes, dtype=np.int32), list(place))


def _shown(value: object, kind: Kind) -> str:
    if not isinstance(value, Real):
        return "" if value is None else str(value)
    return f"{value:.2%}" if kind == "share" else f"{value:,.4f}"


def _widest(values: Sequence[Value], kind: Kind, least: int, most: int) -> int:
    """Return the width that the widest value needs, within bounds."""
    figures = [one for one in values if isinstance(one, int | float)]
    # Of figures with the same decimals, the largest or the least is the widest.
    ends = [min(figures), max(figures)] if figures else []
    if least >= most:
        return least
    for value in chain(ends, (one for one in values if isinstance(one, str))):
        least = max(least, _width(_shown(value, kind)))
        if least >= most:
            return most
    return least


def _width(text: str) -> int:
    """Return the width of the longest line in characters: GBK has one byte for a narrow one, two for a wide one."""
    return max((len(line.encode("gbk", "replace")) for line in text[:200].split("\n")), default=0)


def _lines(width: float, text: str) -> int:
    """Return how many lines a text takes in a column; of a very long text the beginning is measured."""
    taken = (len(line.encode("gbk", "replace")) for line in text[:2000].split("\n"))
    # A wide character does not break: up to one column is lost in each line.
    return sum(max(1, math.ceil(columns / max(width - 2, 1))) for columns in taken)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _cached(function: Callable[[str], _Result]) -> Callable[[str], _Result]:
    """Cache a function of a text: most cells of a long table repeat."""
    known: dict[str, _Result] = {}

    def again(value: str) -> _Result:
        found = known.get(value)
        if found is None:
            found = known[value] = function(value)
        return found

    return again
