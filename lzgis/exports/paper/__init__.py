"""Maps on paper: an overview of all sites, a detail map of one site, and the small maps that documents contain.

Drawn with matplotlib in a Gauss-Krüger zone of CGCS2000, with the font that lzgis ships. Shapes are generalised to what
shows at the scale; the findings were computed from the full geometry.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from lzgis.exports.fonts import printable
from lzgis.exports.paper.document_maps import detail_figure, location_figure
from lzgis.exports.paper.layout import Orientation, Paper, PaperSheet
from lzgis.exports.paper.mapped_site import mapped_site
from lzgis.exports.paper.rendering import png, save, settings
from lzgis.exports.paper.sheets import detail_sheet, overview_sheet
from lzgis.exports.paper.sheets import sheet_count as count_sheets
from lzgis.exports.report_text import ReportText
from lzgis.model.report import Report
from lzgis.words import Language

__all__ = [
    "DOCUMENT_MM",
    "Orientation",
    "Paper",
    "PaperSheet",
    "detail_map",
    "location_map",
    "overview_figure",
    "sheet_count",
    "write_map",
    "write_maps",
]

#: Width and height of a map in a document, in millimetres.
DOCUMENT_MM = (160.0, 110.0)


def write_map(
    report: Report,
    path: str | Path,
    site_id: str | None = None,
    *,
    part: int = 0,
    sheet: PaperSheet | None = None,
    language: Language = "zh",
) -> None:
    """Write the overview map of a report, or the detail map of one site; the same report gives the same bytes.

    Parameters
    ----------
    report : Report
        What to draw.
    path : path
        The file: ``*.png``, ``*.pdf`` or ``*.svg``.
    site_id : str, optional
        The site of a detail map; without it the overview is drawn.
    part : int
        The sheet of a long or split site, from 1 (see `sheet_count`); 0 for the map of the whole.
    sheet : PaperSheet, optional
        Paper, orientation and approval number; by default A4 in landscape.
    language : {"zh", "en"}
        Language of title, legend and notes.

    Raises
    ------
    ExportError
        If there is no such site, it has no geometry, or the file cannot be written.
    """
    sheet, texts = sheet or PaperSheet(), ReportText(report, language)
    if site_id is None:
        title = texts.words("picture", "title", city=texts.city)
        save(partial(overview_sheet, texts, sheet), Path(path), report, printable(title))
        return
    site = mapped_site(report, site_id)
    title = texts.words("paper", "detail_title", site=site.name or site_id)
    save(partial(detail_sheet, texts, site, sheet, part), Path(path), report, printable(title))


def sheet_count(report: Report, site_id: str, *, sheet: PaperSheet | None = None, language: Language = "zh") -> int:
    """Return how many sheets a long or split site gets besides the map of the whole; 0 if that map can be read.

    Raises
    ------
    ExportError
        If there is no such site, or it has no geometry.
    """
    return count_sheets(ReportText(report, language), mapped_site(report, site_id), sheet or PaperSheet())


def overview_figure(report: Report, *, language: Language = "zh") -> Figure:
    """Return the overview map as a matplotlib figure, for a notebook or another file format."""
    with settings():
        return overview_sheet(ReportText(report, language), PaperSheet())


def write_maps(
    report: Report,
    folder: str | Path,
    site_ids: Iterable[str] = (),
    *,
    sheet: PaperSheet | None = None,
    suffixes: Iterable[str] = ("png",),
    language: Language = "zh",
) -> list[Path]:
    """Write one detail map per site, or the overview if no site is named.

    The map of a long or split site is followed by its sheets, whose names end in their number. Every site is looked up
    before the first file is written.

    Parameters
    ----------
    report : Report
        The report to draw.
    folder : path
        The folder that receives the maps.
    site_ids : iterable of str
        Ids of the sites; the overview of all is drawn if there are none.
    sheet : PaperSheet, optional
        Paper, orientation and what stands in the margin; A4 landscape if not given.
    suffixes : iterable of str
        ``png``, ``pdf`` or ``svg``; a map is written once for each.
    language : {"zh", "en"}
        The reader's language.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ExportError
        As `write_map`.

    Examples
    --------
    >>> import tempfile
    >>> import lzgis as lz
    >>> city = lz.reference_city()
    >>> report = lz.screen(city / "sites.gpkg", city, as_of="2026-11-21")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in lz.write_maps(report, folder, ["T01"], language="en")]
    ['map-T01.png']
    """
    wanted: list[str | None] = list(dict.fromkeys(site_ids)) or [None]
    for named in (one for one in wanted if one is not None):
        mapped_site(report, named)
    written, suffixes = [], list(suffixes)
    for site_id, name in _file_names(wanted).items():
        parts = sheet_count(report, site_id, sheet=sheet, language=language) if site_id is not None else 0
        for part, suffix in itertools.product(range(parts + 1), suffixes):
            path = Path(folder) / (f"{name}-sheet{part}.{suffix}" if part else f"{name}.{suffix}")
            write_map(report, path, site_id, part=part, sheet=sheet, language=language)
            written.append(path)
    return written


def _file_names(ids: list[str | None]) -> dict[str | None, str]:
    """Return a file name for each map that every system allows; equal names, ignoring case, are numbered."""
    names: dict[str | None, str] = {}
    used: set[str] = set()
    for site_id in ids:
        stem = "map" if site_id is None else "map-" + re.sub(r"[^\w.-]+", "_", site_id)[:60].strip("._ ")
        name, number = stem, 1
        while name.lower() in used:
            number += 1
            name = f"{stem}-{number}"
        used.add(name.lower())
        names[site_id] = name
    return names


def location_map(
    report: Report, site_id: str, *, size_mm: tuple[float, float] = DOCUMENT_MM, language: Language = "zh"
) -> bytes:
    """Draw where a site lies in the city, as a PNG of exactly `size_mm` at 200 dpi.

    Raises
    ------
    ExportError
        If there is no such site, or it has no geometry.
    """
    site = mapped_site(report, site_id)
    return png(partial(location_figure, ReportText(report, language), site, size_mm))


def detail_map(
    report: Report, site_id: str, *, size_mm: tuple[float, float] = DOCUMENT_MM, language: Language = "zh"
) -> bytes:
    """Draw a site with its conflicts, as a PNG of exactly `size_mm` at 200 dpi.

    Raises
    ------
    ExportError
        If there is no such site, or it has no geometry.
    """
    site = mapped_site(report, site_id)
    return png(partial(detail_figure, ReportText(report, language), site, size_mm))
