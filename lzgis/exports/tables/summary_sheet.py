"""The first sheet of a workbook: the summary for a meeting, with a chart of the verdicts, on one page wide; alternatives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lzgis.exports.leader_summary import VERDICTS, Alternative, Summary, summary_of
from lzgis.exports.report_text import ReportText, hectares, visible
from lzgis.exports.rounding import Rounding
from lzgis.exports.symbology import VERDICT_COLOURS

Value = str | float | None

_FONT = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "vcenter", "text_wrap": True}
#: Widths of the columns, characters.
_WIDTHS = (24, 30, 12, 12, 14, 14, 14)
_ALTERNATIVE_WIDTHS = (12, 10, 26, 16, 10, 12, 10, 14, 14, 24, 44)
_A4 = 9


@dataclass(frozen=True)
class _Formats:
    title: Any
    plain: Any
    notice: Any
    section: Any
    head: Any
    text: Any
    whole: Any
    hectare: Any
    metre: Any


def write_summary_sheets(book: Any, texts: ReportText) -> None:
    """Write the sheet of the summary and, if sites share a group, the sheet of alternatives, as the first of a workbook."""
    summary, formats = summary_of(texts), _formats(book, texts)
    _summary_sheet(book, texts, summary, formats)
    if summary.alternatives:
        _alternative_sheet(book, texts, summary.alternatives, formats)


def _formats(book: Any, texts: ReportText) -> _Formats:
    places = Rounding(texts.report).places()

    def form(**more: Any) -> Any:
        return book.add_format({**_FONT, **more})

    edge = {"border": 1, "border_color": "#9aa5b1"}
    digits = {name: "#,##0" + ("." + "0" * count if count else "") for name, count in places._asdict().items()}
    return _Formats(
        title=form(bold=True, font_size=16, text_wrap=False),
        plain=form(font_color="#555555", text_wrap=False),
        notice=form(bold=True, font_color="#b00000", text_wrap=False),
        section=form(bold=True, font_size=11, text_wrap=False),
        head=form(bold=True, bg_color="#dfe6ee", align="center", **edge),
        text=form(**edge),
        whole=form(num_format="#,##0", **edge),
        hectare=form(num_format=digits["ha"], **edge),
        metre=form(num_format=digits["m"], **edge),
    )


def _summary_sheet(book: Any, texts: ReportText, summary: Summary, formats: _Formats) -> None:
    words = texts.words
    sheet = book.add_worksheet(words("summary", "sheet"))
    sheet.hide_gridlines(2)
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    as_of = texts.report.provenance.as_of.isoformat()
    count = sum(number for _, number in summary.verdicts)
    _opening(sheet, texts, formats)
    sheet.write_string(2, 0, visible(words("summary", "title", city=texts.city)), formats.title)
    sheet.write_string(3, 0, words("summary", "lead", as_of=as_of, count=count), formats.section)
    row = _block(
        sheet,
        formats,
        (5, words("summary", "verdicts")),
        _heads(texts, "verdict", "sites"),
        [[texts.word("verdict", verdict), number] for verdict, number in summary.verdicts],
    )
    _chart(book, sheet, (6, row - 1), words("summary", "verdicts"))
    # The chart stands beside the first table and is higher than it.
    heads = [words("summary", "township"), *(texts.word("verdict", one) for one in VERDICTS), words("summary", "total")]
    towns: list[list[Value]] = [
        [name or words("summary", "nowhere"), *map(float, counts), float(sum(counts))]
        for name, counts in summary.townships
    ]
    sums = [float(sum(counts[at] for _, counts in summary.townships)) for at in range(len(VERDICTS))]
    towns.append([words("summary", "total"), *sums, sum(sums)])
    row = _block(sheet, formats, (max(row + 1, 18), words("summary", "townships")), heads, towns)
    row = _gravest(sheet, texts, summary, (row + 1, formats))
    rules: list[list[Value]] = [
        [
            one.layer,
            one.rule,
            texts.word("severity", one.severity),
            float(one.sites),
            _known(one.area_m2),
            hectares(one.area_m2),
            _known(one.length_m),
        ]
        for one in summary.rules
    ]
    names = ("layer", "rule", "severity", "sites", "area_m2", "area_ha", "length_m")
    row = _block(sheet, formats, (row + 1, words("summary", "rules")), _heads(texts, *names), rules)
    _page(sheet, (row - 1, len(_WIDTHS) - 1), landscape=False)


def _opening(sheet: Any, texts: ReportText, formats: _Formats) -> None:
    """Write the notice and the disclaimer, as every sheet has them."""
    sheet.write_string(0, 0, visible(texts.notice), formats.notice)
    sheet.write_string(1, 0, visible(texts.disclaimer), formats.plain)


def _gravest(sheet: Any, texts: ReportText, summary: Summary, place: tuple[int, _Formats]) -> int:
    """Write the gravest findings; their sentences run across the last columns. Return the row below them."""
    row, formats = place
    sheet.write_string(row, 0, texts.words("summary", "gravest"), formats.section)
    heads = _heads(texts, "site_name", "rule", "verdict", "fact")
    for column, head in zip((0, 1, 2, 4), heads, strict=True):
        sheet.write_string(row + 1, column, head, formats.head)
    sheet.merge_range(row + 1, 2, row + 1, 3, heads[2], formats.head)
    sheet.merge_range(row + 1, 4, row + 1, 6, heads[3], formats.head)
    row += 2
    for one in summary.gravest:
        sheet.write_string(row, 0, f"{one.site_id} {one.site_name}", formats.text)
        sheet.write_string(row, 1, one.rule, formats.text)
        sheet.merge_range(row, 2, row, 3, texts.word("verdict", one.verdict), formats.text)
        sheet.merge_range(row, 4, row, 6, one.sentence, formats.text)
        longest = max(_lines(one.sentence, 40), _lines(one.site_id + one.site_name, 22), _lines(one.rule, 28))
        sheet.set_row(row, 15 * longest)
        row += 1
    return row


def _alternative_sheet(book: Any, texts: ReportText, found: Sequence[Alternative], formats: _Formats) -> None:
    sheet = book.add_worksheet(texts.words("summary", "alternatives"))
    for column, width in enumerate(_ALTERNATIVE_WIDTHS):
        sheet.set_column(column, column, width)
    names: tuple[str, ...] = ("group", "site_id", "site_name", "verdict", "prohibited", "conditional", "not_checked")
    names += ("hit_area_m2", "hit_length_m", "nearest", "needs")
    rows: list[list[Value]] = [
        [
            one.group,
            one.site_id,
            one.site_name,
            texts.word("verdict", one.verdict),
            float(one.prohibited),
            float(one.conditional),
            float(one.not_checked),
            one.hit_area_m2,
            one.hit_length_m,
            one.nearest,
            one.needs,
        ]
        for one in found
    ]
    _opening(sheet, texts, formats)
    row = _block(sheet, formats, (3, texts.words("summary", "alternatives")), _heads(texts, *names), rows)
    sheet.freeze_panes(5, 3)
    _page(sheet, (row - 1, len(names) - 1), landscape=True)


def _block(
    sheet: Any, formats: _Formats, place: tuple[int, str], heads: Sequence[str], rows: Sequence[Sequence[Value]]
) -> int:
    """Write a table below its title; return the row below it."""
    row, title = place
    sheet.write_string(row, 0, title, formats.section)
    for column, head in enumerate(heads):
        sheet.write_string(row + 1, column, head, formats.head)
    sheet.set_row(row + 1, 30)
    areas = {head: column for column, head in enumerate(heads)}
    for down, values in enumerate(rows, start=row + 2):
        for column, value in enumerate(values):
            if isinstance(value, str):
                sheet.write_string(down, column, visible(value), formats.text)
            elif value is None:
                sheet.write_blank(down, column, None, formats.text)
            else:
                sheet.write_number(down, column, value, _number_format(formats, list(areas)[column]))
        sheet.set_row(down, 15 * max((_lines(one, 26) for one in values if isinstance(one, str)), default=1))
    return row + 2 + len(rows)


def _number_format(formats: _Formats, head: str) -> Any:
    if head.endswith(("（公顷）", "(ha)")):
        return formats.hectare
    return formats.metre if head.endswith(("（m）", "(m)")) else formats.whole


def _heads(texts: ReportText, *names: str) -> list[str]:
    return [texts.words("summary", name) for name in names]


def _chart(book: Any, sheet: Any, rows: tuple[int, int], title: str) -> None:
    """Draw the numbers of sites by verdict as bars beside their table."""
    first, last = rows[0] + 1, rows[1]
    chart = book.add_chart({"type": "bar"})
    name = sheet.get_name()
    points = [{"fill": {"color": VERDICT_COLOURS[verdict]}} for verdict in VERDICTS]
    chart.add_series(
        {
            "categories": [name, first, 0, last, 0],
            "values": [name, first, 1, last, 1],
            "points": points,
            "data_labels": {"value": True},
            "gap": 40,
        }
    )
    chart.set_title({"name": title, "name_font": {"size": 11}})
    chart.set_legend({"none": True})
    chart.set_y_axis({"reverse": True})
    chart.set_x_axis({"major_gridlines": {"visible": False}, "visible": False})
    chart.set_size({"width": 480, "height": 220})
    sheet.insert_chart(5, 2, chart, {"x_offset": 8})


def _page(sheet: Any, last: tuple[int, int], *, landscape: bool) -> None:
    """Set the print area, the paper, and one page across."""
    sheet.print_area(0, 0, *last)
    sheet.set_paper(_A4)
    if landscape:
        sheet.set_landscape()
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&R&P / &N")


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _lines(text: str, width: int) -> int:
    """Return how many lines a text takes in a column of so many characters; a Chinese one counts twice."""
    return max(1, math.ceil(sum(2 if ord(letter) > 0x2E7F else 1 for letter in text) / width))
