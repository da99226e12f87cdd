"""The overview map as a picture: layers, sites by verdict; A4 across."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from lzgis.exports.paper import Sheet, write_map
from lzgis.exports.paper.rendering import settings
from lzgis.exports.paper.sheets import overview_sheet
from lzgis.exports.report_text import ReportText
from lzgis.model.report import Report
from lzgis.words import Language


def write_picture(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write an overview map of the city and the sites; the same report gives the same bytes.

    Drawn in the Gauss-Krüger zone of the city, with a font that comes along. Layers are generalised to what
    the page can show; the findings are not touched by that.

    Parameters
    ----------
    report : Report
        What to draw.
    path : path
        The file: ``*.png``, ``*.pdf`` or ``*.svg``.
    language : {"zh", "en"}
        Language of title and legend.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    write_map(report, path, language=language)


def draw(report: Report, *, language: Language = "zh") -> Figure:
    """Return the map as a figure, for a notebook or a format of one's own."""
    with settings():
        return overview_sheet(ReportText(report, language), Sheet())
