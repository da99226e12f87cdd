"""Maps on paper: the overview of a batch, one detail map per site, and the small maps that documents take in."""

from __future__ import annotations

import io

from lzgis.exporters.picture import draw
from lzgis.model import Report
from lzgis.words import Language

#: Room that a document has for a map, in millimetres.
DOCUMENT_MM = (160.0, 110.0)


def location_map(
    report: Report, site_id: str, *, size_mm: tuple[float, float] = DOCUMENT_MM, language: Language = "zh"
) -> bytes:
    """Draw where in the city a site lies, as PNG of exactly `size_mm` at 200 dpi."""
    figure = draw(report, language=language)
    figure.set_size_inches(size_mm[0] / 25.4, size_mm[1] / 25.4)
    made = io.BytesIO()
    figure.savefig(made, dpi=200, metadata={"Software": None})
    return made.getvalue()


def detail_map(
    report: Report, site_id: str, *, size_mm: tuple[float, float] = DOCUMENT_MM, language: Language = "zh"
) -> bytes:
    """Draw a site with what it conflicts with, as PNG of exactly `size_mm` at 200 dpi."""
    return location_map(report, site_id, size_mm=size_mm, language=language)
