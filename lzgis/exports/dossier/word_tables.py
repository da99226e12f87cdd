"""Tables of a dossier as Word has them, written out at once: cell by cell through an object model takes minutes."""

from __future__ import annotations

from xml.sax.saxutils import escape

from docx.oxml.ns import nsdecls

from lzgis.exports.dossier.document import Cell, Grid
from lzgis.exports.report_text import TINTS

_TWIPS_PER_MM = 1440 / 25.4
_HEAD_TINT, _SIDE_TINT, _LINE = "E8EDF3", "F4F6F9", "8A95A1"


def table_xml(grid: Grid, width_mm: float) -> str:
    """Write a grid as a table of a width."""
    widths = [round(share * width_mm * _TWIPS_PER_MM) for share in grid.widths]
    style = "LZFine" if grid.fine else "LZCell"
    rows = []
    if grid.heads:
        heads = "".join(
            _cell(grid.columns[i].title, width, "LZHead", tint=_HEAD_TINT, align="center", keep=True)
            for i, width in zip(grid.shown, widths, strict=True)
        )
        rows.append(f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{heads}</w:tr>")
    for line in grid.lines():
        if not line.cells:
            across = _cell(line.across, sum(widths), "LZHead", tint=_SIDE_TINT, span=len(widths), keep=True)
            rows.append(f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{across}</w:tr>")
            continue
        cells = "".join(
            _data_cell(cell, width, style, side=not grid.heads and not number and len(widths) > 1)
            for number, (cell, width) in enumerate(zip(line.cells, widths, strict=True))
        )
        # A row higher than a page would lose what does not fit.
        whole = "" if line.long else "<w:trPr><w:cantSplit/></w:trPr>"
        rows.append(f"<w:tr>{whole}{cells}</w:tr>")
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return f"<w:tbl {nsdecls('w')}>{_properties(sum(widths))}<w:tblGrid>{columns}</w:tblGrid>{''.join(rows)}</w:tbl>"


def _properties(width: int) -> str:
    sides = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="{_LINE}"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    margins = (
        '<w:tblCellMar><w:top w:w="28" w:type="dxa"/><w:left w:w="70" w:type="dxa"/>'
        '<w:bottom w:w="28" w:type="dxa"/><w:right w:w="70" w:type="dxa"/></w:tblCellMar>'
    )
    return (
        f'<w:tblPr><w:tblW w:w="{width}" w:type="dxa"/><w:jc w:val="center"/><w:tblBorders>{sides}</w:tblBorders>'
        f'<w:tblLayout w:type="fixed"/>{margins}</w:tblPr>'
    )


def _data_cell(cell: Cell, width: int, style: str, *, side: bool) -> str:
    if side:
        return _cell(cell.text, width, style if style == "LZFine" else "LZHead", tint=_SIDE_TINT)
    tint = TINTS.get(cell.mark, "").lstrip("#").upper()
    align = "right" if cell.column.figures else "left"
    return _cell(cell.text, width, style, tint=tint, align=align)


def _cell(  # noqa: PLR0913 (the looks of a cell)
    text: str, width: int, style: str, *, tint: str = "", align: str = "left", span: int = 1, keep: bool = False
) -> str:
    shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{tint}"/>' if tint else ""
    merged = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    following = "<w:keepNext/>" if keep else ""
    look = f'<w:pPr><w:pStyle w:val="{style}"/>{following}<w:jc w:val="{align}"/></w:pPr>'
    # Each line a paragraph of its own: a sign that turns the reading direction ends with it.
    lines = "".join(
        f'<w:p>{look}<w:r><w:t xml:space="preserve">{escape(line)}</w:t></w:r></w:p>' for line in text.split("\n")
    )
    place = '<w:vAlign w:val="center"/>' if len(text) <= 40 else ""
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{merged}{shade}{place}</w:tcPr>{lines}</w:tc>'
