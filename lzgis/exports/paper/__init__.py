"""Maps on paper: the overview of a batch, one detail map per site, and the small maps that documents take in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from lzgis.exports.fonts import printable
from lzgis.exports.paper.document_maps import detail_figure, location_figure
from lzgis.exports.paper.layout import Orientation, Paper, Sheet
from lzgis.exports.paper.mapped_site import subject_of
from lzgis.exports.paper.rendering import png, save
from lzgis.exports.paper.sheets import detail_sheet, overview_sheet
from lzgis.exports.report_text import ReportText
from lzgis.model.report import Report
from lzgis.words import Language

__all__ = ["DOCUMENT_MM", "Orientation", "Paper", "Sheet", "detail_map", "location_map", "write_map", "write_maps"]

#: Room that a document has for a map, in millimetres.
DOCUMENT_MM = (160.0, 110.0)


def write_map(
    report: Report,
    path: str | Path,
    site_id: str | None = None,
    *,
    sheet: Sheet | None = None,
    language: Language = "zh",
) -> None:
    """Write the overview of a report, or the detail map of one site; the same report gives the same bytes.

    Parameters
    ----------
    report : Report
        What to draw.
    path : path
        The file: ``*.png``, ``*.pdf`` or ``*.svg``.
    site_id : str, optional
        The site; the overview if not given.
    sheet : Sheet, optional
        Paper, orientation and approval number; A4 across if not given.
    language : {"zh", "en"}
        Language of title, legend and notes.

    Raises
    ------
    ExportError
        If there is no such site, it has no geometry, or the file cannot be written.
    """
    sheet, texts = sheet or Sheet(), ReportText(report, language)
    if site_id is None:
        title = texts.words("picture", "title", city=texts.city)
        save(partial(overview_sheet, texts, sheet), Path(path), report, printable(title))
        return
    subject = subject_of(report, site_id)
    title = texts.words("paper", "detail_title", site=subject.name or site_id)
    save(partial(detail_sheet, texts, subject, sheet), Path(path), report, printable(title))


def write_maps(
    report: Report,
    folder: str | Path,
    site_ids: Iterable[str] = (),
    *,
    sheet: Sheet | None = None,
    suffixes: Iterable[str] = ("png",),
    language: Language = "zh",
) -> list[Path]:
    """Write one detail map per site, or the overview if no site is named, and return the files.

    Every site is looked up before anything is written.

    Raises
    ------
    ExportError
        As `write_map`.
    """
    wanted: list[str | None] = list(dict.fromkeys(site_ids)) or [None]
    for one in wanted:
        if one is not None:
            subject_of(report, one)
    names = _names(wanted)
    written = []
    for one in wanted:
        for suffix in suffixes:
            path = Path(folder) / f"{names[one]}.{suffix}"
            write_map(report, path, one, sheet=sheet, language=language)
            written.append(path)
    return written


def _names(ids: list[str | None]) -> dict[str | None, str]:
    """Give each map a file name that every system allows; ids that fold to one name are numbered."""
    names: dict[str | None, str] = {}
    used: set[str] = set()
    for one in ids:
        stem = "map" if one is None else "map-" + re.sub(r"[^\w.-]+", "_", one)[:60].strip("._ ")
        name, number = stem, 1
        while name.lower() in used:
            number += 1
            name = f"{stem}-{number}"
        used.add(name.lower())
        names[one] = name
    return names


def location_map(
    report: Report, site_id: str, *, size_mm: tuple[float, float] = DOCUMENT_MM, language: Language = "zh"
) -> bytes:
    """Draw where in the city a site lies, as PNG of just this size at 200 dpi.

    Raises
    ------
    ExportError
        If there is no such site, or it has no geometry.
    """
    subject = subject_of(report, site_id)
    return png(partial(location_figure, ReportText(report, language), subject, size_mm))


def detail_map(
    report: Report, site_id: str, *, size_mm: tuple[float, float] = DOCUMENT_MM, language: Language = "zh"
) -> bytes:
    """Draw a site with what it conflicts with, as PNG of just this size at 200 dpi.

    Raises
    ------
    ExportError
        If there is no such site, or it has no geometry.
    """
    subject = subject_of(report, site_id)
    return png(partial(detail_figure, ReportText(report, language), subject, size_mm))
