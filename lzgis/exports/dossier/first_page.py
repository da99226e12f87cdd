"""The size of type on the first page: the largest with which everything fits on the page.

Heights are estimated from the widths of the texts, for Word as for the PDF: a Word document has no pages until a word
processor opens it. Lines have fixed heights in both, so the estimate holds with every font.
"""

from __future__ import annotations

import math

from lzgis.exports.dossier.document import Abstract, Grid
from lzgis.exports.fonts import MM_PER_POINT, width_mm

#: Sizes in points, the largest first.
SIZES_PT = (12.0, 11.5, 11.0, 10.5, 10.0, 9.5, 9.0)
#: Height of a line in sizes, in sentences and in cells.
PITCH, CELL_PITCH = 1.45, 1.28
#: How much smaller the type of tables is.
CELL_LESS_PT = 1.0
#: Width between the margins, height for text, height of the three lines of the title.
_WIDTH_MM, _PAGE_MM, _TITLE_MM = 156.0, 250.0, 33.0
_TITLE_LINE_MM = 7.0
_GAP_MM, _CELL_EDGE_MM, _CELL_MARGIN_MM = 1.1, 1.2, 2.4
_BESIDE_MAP_MM = 4.0
_CODE_SAYS_MM = 12.0


def type_size(abstract: Abstract, title: str = "") -> float:
    """Return the size of type in points; the smallest if even that is more than a page.

    Examples
    --------
    >>> empty = Grid("control", (), (), heads=False)
    >>> type_size(Abstract((("Name", "P1"),), None, None, (), empty))
    12.0
    >>> type_size(Abstract((), None, None, (("Said", "x" * 9000),), empty))
    9.0
    """
    title_mm = _TITLE_MM + _TITLE_LINE_MM * (_lines(title, _WIDTH_MM, 14.0) - 1)
    return next((size for size in SIZES_PT if title_mm + _height_mm(abstract, size) <= _PAGE_MM), SIZES_PT[-1])


def _height_mm(abstract: Abstract, size: float) -> float:
    beside = abstract.picture.width_mm + _BESIDE_MAP_MM if abstract.picture else 0.0
    facts = _sentences_mm(abstract.facts, _WIDTH_MM - beside, size)
    high = max(facts, abstract.picture.height_mm + 2 if abstract.picture else 0.0) + _GAP_MM
    if abstract.findings:
        high += _grid_mm(abstract.findings, _WIDTH_MM, size - CELL_LESS_PT) + 2 * _GAP_MM
    high += _sentences_mm(abstract.lines, _WIDTH_MM, size) + 2 * _GAP_MM
    code = abstract.code
    control = _grid_mm(abstract.control, _WIDTH_MM - (code.width_mm + 3 if code else 0), size - CELL_LESS_PT)
    return high + max(control, code.height_mm + _CODE_SAYS_MM if code else 0.0) + 2 * _GAP_MM


def _sentences_mm(pairs: tuple[tuple[str, str], ...], width: float, size: float) -> float:
    pitch = size * PITCH * MM_PER_POINT
    return sum(
        _GAP_MM + pitch * sum(_lines(one, width, size) for one in f"{head}：{line}".split("\n")) for head, line in pairs
    )


def _grid_mm(grid: Grid, width: float, size: float) -> float:
    pitch = size * CELL_PITCH * MM_PER_POINT
    rows = [tuple(column.title for column in grid.columns)] if grid.heads else []
    deep = 0.0
    for row in [*rows, *grid.rows]:
        shown = [row[i] for i in grid.shown]
        cells = zip(shown, grid.widths, strict=True)
        most = max(
            (
                sum(_lines(one, share * width - _CELL_MARGIN_MM, size) for one in text.split("\n"))
                for text, share in cells
            ),
            default=1,
        )
        deep += most * pitch + _CELL_EDGE_MM
    return deep


def _lines(text: str, width: float, size: float) -> int:
    """Return in how many lines a text is broken; lines are a little shorter than they could be."""
    return max(1, math.ceil(width_mm(text, size) / max(width - size * MM_PER_POINT * 0.8, 1.0)))
