"""Outputs: one module per format, imported when used; a format is added by a module and a line here."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from lzgis.errors import ExportError
from lzgis.messages import Message
from lzgis.model import Report
from lzgis.words import Language


class Format(NamedTuple):
    """How a format is asked for and where its exporter lives.

    The exporter is a function ``(report, path, *, language)`` of the report alone.
    """

    suffix: str
    file_name: str
    exporter: str


FORMATS: dict[str, Format] = {
    "xlsx": Format(".xlsx", "report.xlsx", "lzgis.exporters.xlsx:write_xlsx"),
    "gpkg": Format(".gpkg", "findings.gpkg", "lzgis.exporters.gpkg:write_gpkg"),
    "json": Format(".json", "report.json", "lzgis.exporters.json:write_json"),
    "html": Format(".html", "map.html", "lzgis.exporters.map:write_map"),
    "png": Format(".png", "map.png", "lzgis.exporters.picture:write_picture"),
}

DEFAULT_FORMATS = ("xlsx", "gpkg", "json", "html")


def export(report: Report, path: str | Path, *, language: Language = "zh") -> Path:
    """Write `report` to `path` in the format that the suffix names, and return the path.

    Raises
    ------
    ExportError
        If no exporter has this suffix, or the file cannot be written.
    """
    path = Path(path)
    for one in FORMATS.values():
        if one.suffix == path.suffix.lower():
            exporter_of(one)(report, path, language=language)
            return path
    known = ", ".join(f.suffix for f in FORMATS.values())
    raise ExportError(
        str(path),
        Message("no exporter writes '{suffix}'", suffix=path.suffix),
        Message("use one of {known}", known=known),
    )


def exporter_of(one: Format) -> Callable[..., None]:
    """Import the exporter of a format."""
    module, _, function = one.exporter.partition(":")
    exporter: Callable[..., None] = getattr(import_module(module), function)
    return exporter
