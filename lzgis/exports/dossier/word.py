"""The dossier as a Word document: A4, headings in 黑体, text in 仿宋, repeated table headers, rows that do not break.

Tables are written as XML: building them cell by cell with python-docx takes minutes for a large batch.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any
from xml.sax.saxutils import escape

import docx
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor

from lzgis.exports.dossier.document import Abstract, Cell, Dossier, Grid, Picture, Section
from lzgis.exports.dossier.first_page import CELL_LESS_PT, CELL_PITCH, PITCH, type_size
from lzgis.exports.symbology import TINTS, VERDICT_COLOURS
from lzgis.words import Words

#: A4 with a binding margin on the left, as in official documents.
PAGE_MM = (210.0, 297.0)
LEFT_MM, RIGHT_MM, TOP_MM, BOTTOM_MM = 26.0, 22.0, 23.0, 19.0
WIDTH_MM = PAGE_MM[0] - LEFT_MM - RIGHT_MM

_HEITI, _FANGSONG, _LATIN = "黑体", "仿宋", "Times New Roman"
_RED = RGBColor(0xB0, 0x00, 0x00)


def word_bytes(dossier: Dossier, made_at: dt.datetime) -> bytes:
    """Lay a dossier out as a Word document; the same dossier gives the same bytes."""
    document = docx.Document()
    _prepare(document, dossier, made_at)
    _running_lines(document, dossier)
    _title(document, dossier)
    _abstract(document, dossier)
    for section in dossier.sections:
        _section(document, section)
    saved = io.BytesIO()
    document.save(saved)
    return rezipped(saved.getvalue())


def stamp(document: Any, dossier: Dossier, made_at: dt.datetime) -> None:
    """Set the properties of a document: title, author and the time of the report."""
    properties = document.core_properties
    properties.title = f"{dossier.title} {dossier.project['id']}"[:255]
    properties.subject = dossier.subtitle[:255]
    properties.author = properties.last_modified_by = "lzgis"
    properties.comments = dossier.about["notice"][:255]
    when = made_at.astimezone(dt.UTC).replace(tzinfo=None) if made_at.tzinfo else made_at
    properties.created = properties.modified = when
    properties.revision = 1


def _prepare(document: Document, dossier: Dossier, made_at: dt.datetime) -> None:
    page = document.sections[0]
    page.page_width, page.page_height = Mm(PAGE_MM[0]), Mm(PAGE_MM[1])
    page.left_margin, page.right_margin = Mm(LEFT_MM), Mm(RIGHT_MM)
    page.top_margin, page.bottom_margin = Mm(TOP_MM), Mm(BOTTOM_MM)
    page.header_distance, page.footer_distance = Mm(14), Mm(10)
    stamp(document, dossier, made_at)
    first = type_size(dossier.abstract, dossier.subtitle)
    _style(document, "Normal", _FANGSONG, 10)
    for name, size in (("Title", 20), ("Subtitle", 14), ("Heading 1", 13), ("Heading 2", 10.5)):
        _style(document, name, _HEITI, size)
    for name, face, size in (
        ("LZ Cell", _FANGSONG, 8.5),
        ("LZ Fine", _FANGSONG, 7),
        ("LZ Small", _FANGSONG, 8),
        ("LZ Head", _HEITI, 8.5),
        ("LZ Caption", _HEITI, 10),
        ("LZ First", _FANGSONG, first - CELL_LESS_PT),
        ("LZ First Head", _HEITI, first - CELL_LESS_PT),
    ):
        document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        _style(document, name, face, size)
    defaults = document.styles.element.find(qn("w:docDefaults"))
    for language in defaults.iter(qn("w:lang")):
        # With this language Word sets Chinese punctuation in the corner of its square, as in mainland China.
        language.set(qn("w:eastAsia"), "zh-CN")
    for name, before, after in (("Heading 1", 8, 3), ("Heading 2", 5, 2), ("Title", 0, 6), ("Subtitle", 0, 8)):
        spacing = document.styles[name].paragraph_format
        spacing.space_before, spacing.space_after = Pt(before), Pt(after)
        spacing.keep_with_next = True


def _style(document: Document, name: str, face: str, size: float) -> None:
    style: Any = document.styles[name]
    style.font.name, style.font.size = _LATIN, Pt(size)
    style.font.bold = style.font.italic = False
    style.font.color.rgb = RGBColor(0, 0, 0)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    # Fonts of a theme take precedence over the names set here.
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    fonts.set(qn("w:eastAsia"), face)
    fonts.set(qn("w:cs"), _LATIN)
    spacing = style.paragraph_format
    spacing.space_before = spacing.space_after = Pt(0)
    # Lines of a fixed height: the pages are then the same with every font that stands in for 仿宋 and 黑体.
    spacing.line_spacing = Pt(round(size * _pitch(name), 1))
    if name == "Title":
        # The built-in style has a line below the title.
        for border in style.element.pPr.findall(qn("w:pBdr")):
            style.element.pPr.remove(border)


def _pitch(style: str) -> float:
    """Return the height of a line of a style in sizes of its type."""
    if style.startswith("LZ First"):
        return CELL_PITCH
    return 1.17 if style.startswith("LZ") else 1.34


def _running_lines(document: Document, dossier: Dossier) -> None:
    """Write confidentiality and notice in the header, and title and page number in the footer."""
    words = Words("en" if dossier.language == "en" else "zh")
    page = document.sections[0]
    head = page.header.paragraphs[0]
    _tabs(head)
    _letters(head.add_run(dossier.about["confidentiality"]), _HEITI, 10)
    _letters(head.add_run("\t" + dossier.about["notice"]), _HEITI, 10).font.color.rgb = _RED
    foot = page.footer.paragraphs[0]
    _tabs(foot)
    facts = {"city": dossier.about["city"], "id": dossier.project["id"], "as_of": dossier.about["as_of"]}
    _letters(foot.add_run(words("dossier", "footer", **facts) + "\t"), _FANGSONG, 9)
    before, between, after = words("dossier", "page", page="\0", pages="\0").split("\0")
    for text, code in ((before, "PAGE"), (between, "NUMPAGES"), (after, "")):
        _letters(foot.add_run(text), _FANGSONG, 9)
        if code:
            _field(foot, code)


def _tabs(paragraph: Any) -> None:
    stops = paragraph.paragraph_format.tab_stops
    paragraph.style.paragraph_format.tab_stops.clear_all()
    stops.add_tab_stop(Mm(WIDTH_MM), WD_TAB_ALIGNMENT.RIGHT)


def _letters(run: Any, face: str, size: float) -> Any:
    run.font.name, run.font.size = _LATIN, Pt(size)
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), face)
    return run


def _field(paragraph: Any, code: str) -> None:
    """Insert a field, such as the page number, that the word processor computes."""
    for kind, inner in (
        ("begin", ""),
        ("", f'<w:instrText xml:space="preserve"> {code} </w:instrText>'),
        ("separate", ""),
        ("", "<w:t>1</w:t>"),
        ("end", ""),
    ):
        body = f'<w:fldChar w:fldCharType="{kind}"/>' if kind else inner
        size = '<w:rPr><w:sz w:val="18"/></w:rPr>'
        paragraph._p.append(parse_xml(f"<w:r {nsdecls('w')}>{size}{body}</w:r>"))


def _title(document: Document, dossier: Dossier) -> None:
    for text, style in ((dossier.title, "Title"), (dossier.subtitle, "Subtitle")):
        document.add_paragraph(text, style=style).alignment = WD_ALIGN_PARAGRAPH.CENTER
    result = document.add_paragraph(style="Subtitle")
    result.alignment = WD_ALIGN_PARAGRAPH.CENTER
    colour = VERDICT_COLOURS.get(dossier.verdict_code, "#000000").lstrip("#")
    result.add_run(dossier.verdict).font.color.rgb = RGBColor.from_string(colour.upper())


def _abstract(document: Document, dossier: Dossier) -> None:
    """Write the first page: facts beside the small map, gravest findings, sentences, and the block for signatures."""
    abstract, size = dossier.abstract, type_size(dossier.abstract, dossier.subtitle)
    beside = document.add_table(1, 2)
    beside.autofit = False
    map_mm = abstract.picture.width_mm + 3 if abstract.picture else 0.0
    beside.rows[0]._tr.get_or_add_trPr().append(parse_xml(f"<w:cantSplit {nsdecls('w')}/>"))
    cells = beside.rows[0].cells
    for cell, width in zip(cells, (WIDTH_MM - map_mm, map_mm), strict=True):
        cell.width = Mm(width)
    for number, (head, value) in enumerate(abstract.facts):
        paragraph = cells[0].paragraphs[0] if not number else cells[0].add_paragraph()
        paragraph.paragraph_format.space_before = Pt(3 if number else 0)
        _labelled(paragraph, (head, value), dossier.language, size)
    if abstract.picture:
        place = cells[1].paragraphs[0]
        place.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        place.paragraph_format.line_spacing = 1.0
        _add_picture(place, abstract.picture)
    if abstract.findings:
        _paragraph(document, "", "LZFine")
        _table(document, abstract.findings, _FIRST)
    for head, value in abstract.lines:
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.space_before = Pt(3)
        _labelled(paragraph, (head, value), dossier.language, size)
    _paragraph(document, "", "LZFine")
    _control(document, abstract)


def _control(document: Document, abstract: Abstract) -> None:
    """Write the block for signatures, with the QR code beside it."""
    if abstract.code is None:
        _table(document, abstract.control, _FIRST)
        return
    code_mm = abstract.code.width_mm + 3
    beside = document.add_table(1, 2)
    beside.autofit = False
    beside.rows[0]._tr.get_or_add_trPr().append(parse_xml(f"<w:cantSplit {nsdecls('w')}/>"))
    cells = beside.rows[0].cells
    for column, cell, width in zip(beside.columns, cells, (WIDTH_MM - code_mm, code_mm), strict=True):
        column.width = cell.width = Mm(width)
    inner = parse_xml(table_xml(abstract.control, WIDTH_MM - code_mm - 4, align="left", styles=_FIRST))
    # A cell ends with a paragraph; the one that is there follows the table.
    cells[0]._tc.insert_element_before(inner, "w:p")
    cells[0].paragraphs[-1].style = document.styles["LZ Fine"]
    place = cells[1].paragraphs[0]
    place.alignment = WD_ALIGN_PARAGRAPH.CENTER
    place.paragraph_format.line_spacing = 1.0
    _add_picture(place, abstract.code)
    said = cells[1].add_paragraph(style=document.styles["LZ Fine"])
    _letters(said.add_run(abstract.code.caption), _FANGSONG, 5)


def _labelled(paragraph: Any, pair: tuple[str, str], language: str, size: float) -> None:
    """Write a head in 黑体 and its text after it."""
    head, value = pair
    paragraph.paragraph_format.line_spacing = Pt(round(size * PITCH, 1))
    colon = ": " if language == "en" else "："
    _letters(paragraph.add_run(head + colon), _HEITI, size)
    for number, line in enumerate(value.split("\n")):
        run = paragraph.add_run()
        if number:
            run.add_break()
        _letters(run, _FANGSONG, size).add_text(line)


#: Styles of cells and of heads on the first page.
_FIRST = ("LZFirst", "LZFirstHead")


def _table(document: Document, grid: Grid, styles: tuple[str, str] | None = None) -> None:
    document.element.body.insert_element_before(parse_xml(table_xml(grid, WIDTH_MM, styles=styles)), "w:sectPr")


def _section(document: Document, section: Section) -> None:
    _paragraph(document, section.heading, "Heading1")
    for paragraph in section.paragraphs:
        _body(document, paragraph).paragraph_format.keep_with_next = bool(section.pictures)
    for grid in section.grids:
        if grid.title:
            _paragraph(document, grid.title, "Heading2")
        _table(document, grid)
        # A paragraph between two tables, which Word would join otherwise.
        _paragraph(document, "", "LZFine")
    for note in section.notes:
        _body(document, note)
    for note in section.small_print:
        _paragraph(document, note, "LZSmall").paragraph_format.space_after = Pt(3)
    for picture in section.pictures:
        _picture(document, picture)


def _paragraph(document: Document, text: str, style_id: str) -> Any:
    """Add a paragraph with the id of its style: looking up styles by name takes most of the time."""
    paragraph = document.add_paragraph(text)
    paragraph._p.style = style_id
    return paragraph


def _body(document: Document, text: str) -> Any:
    paragraph = document.add_paragraph(text)
    paragraph.paragraph_format.first_line_indent = Pt(22)
    paragraph.paragraph_format.space_after = Pt(4)
    return paragraph


def _picture(document: Document, picture: Picture) -> None:
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.keep_with_next = True
    paragraph.paragraph_format.line_spacing = 1.0
    _add_picture(paragraph, picture)
    caption = _paragraph(document, picture.caption, "LZCaption")
    caption.alignment = WD_ALIGN_PARAGRAPH.CENTER
    caption.paragraph_format.space_after = Pt(8)


def _add_picture(paragraph: Any, picture: Picture) -> None:
    shape = paragraph.add_run().add_picture(io.BytesIO(picture.png), Mm(picture.width_mm), Mm(picture.height_mm))
    shape._inline.docPr.set("descr", picture.caption)


_TWIPS_PER_MM = 1440 / 25.4
_HEAD_TINT, _SIDE_TINT, _LINE = "E8EDF3", "F4F6F9", "8A95A1"


def table_xml(grid: Grid, width_mm: float, *, align: str = "center", styles: tuple[str, str] | None = None) -> str:
    """Return a grid as the XML of a table of a width.

    `align` is its place between the margins, `styles` the styles of cells and heads if not the usual ones.
    """
    widths = [round(share * width_mm * _TWIPS_PER_MM) for share in grid.widths]
    style, head = styles or ("LZFine" if grid.fine else "LZCell", "LZHead")
    rows = []
    if grid.heads:
        heads = "".join(
            _cell(grid.columns[i].title, width, head, tint=_HEAD_TINT, align="center")
            for i, width in zip(grid.shown, widths, strict=True)
        )
        rows.append(f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{heads}</w:tr>")
    for line in grid.lines():
        if not line.cells:
            look = (head, style) if line.below else (head, head)
            across = _cell(line.across, sum(widths), look, tint=_SIDE_TINT, span=len(widths), keep=True)
            rows.append(f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{across}</w:tr>")
            continue
        cells = "".join(
            _data_cell(cell, width, (style, head), side=not grid.heads and not number and len(widths) > 1)
            for number, (cell, width) in enumerate(zip(line.cells, widths, strict=True))
        )
        # A row higher than a page must break; otherwise the rest of it is lost.
        whole = "" if line.long else "<w:trPr><w:cantSplit/></w:trPr>"
        rows.append(f"<w:tr>{whole}{cells}</w:tr>")
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return f"<w:tbl {nsdecls('w')}>{_table_properties(sum(widths), align)}<w:tblGrid>{columns}</w:tblGrid>{''.join(rows)}</w:tbl>"


def _table_properties(width: int, align: str) -> str:
    sides = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="{_LINE}"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    margins = (
        '<w:tblCellMar><w:top w:w="8" w:type="dxa"/><w:left w:w="60" w:type="dxa"/>'
        '<w:bottom w:w="8" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar>'
    )
    return (
        f'<w:tblPr><w:tblW w:w="{width}" w:type="dxa"/><w:jc w:val="{align}"/><w:tblBorders>{sides}</w:tblBorders>'
        f'<w:tblLayout w:type="fixed"/>{margins}</w:tblPr>'
    )


def _data_cell(cell: Cell, width: int, styles: tuple[str, str], *, side: bool) -> str:
    style, head = styles
    if side:
        return _cell(cell.text, width, style if style == "LZFine" else head, tint=_SIDE_TINT)
    tint = TINTS.get(cell.mark, "").lstrip("#").upper()
    align = "right" if cell.column.figures else "left"
    return _cell(cell.text, width, style, tint=tint, align=align)


def _cell(  # noqa: PLR0913 (the looks of a cell)
    text: str,
    width: int,
    style: str | tuple[str, str],
    *,
    tint: str = "",
    align: str = "left",
    span: int = 1,
    keep: bool = False,
) -> str:
    """Return a cell; of two styles the first is that of its first line."""
    shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{tint}"/>' if tint else ""
    merged = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    following = "<w:keepNext/>" if keep else ""
    first, others = (style, style) if isinstance(style, str) else style
    looks = [f'<w:pPr><w:pStyle w:val="{one}"/>{following}<w:jc w:val="{align}"/></w:pPr>' for one in (first, others)]
    # One paragraph per line, so that a bidirectional control character has no effect beyond its line.
    lines = "".join(
        f'<w:p>{looks[number > 0]}<w:r><w:t xml:space="preserve">{escape(line)}</w:t></w:r></w:p>'
        for number, line in enumerate(text.split("\n"))
    )
    place = '<w:vAlign w:val="center"/>' if len(text) <= 40 else ""
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{merged}{shade}{place}</w:tcPr>{lines}</w:tc>'


#: The earliest date of a ZIP archive; the time of the report is in the properties of the document.
_DATE = (1980, 1, 1, 0, 0, 0)


def rezipped(data: bytes) -> bytes:
    """Rewrite a ZIP archive with one date for all parts, so that the same document gives the same bytes."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as given,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as written,
    ):
        for part in given.infolist():
            entry = zipfile.ZipInfo(part.filename, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            # Otherwise the archive records the operating system.
            entry.create_system = 0
            entry.external_attr = 0
            written.writestr(entry, given.read(part))
    return packed.getvalue()
