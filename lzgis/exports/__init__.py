"""Outputs: one module per format, imported when used; a format is added by a module and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from lzgis.errors import ExportError
from lzgis.messages import Message
from lzgis.model.report import Report
from lzgis.words import Language


class Format(NamedTuple):
    """How a format is asked for and where its exporter lives.

    The exporter is a function ``(report, path, *, language)`` of the report alone; `options` names the further keywords
    that it knows. A format of one file per project (`per_site`) names a folder, and its exporter takes ``suffixes`` and
    ``progress`` as well, so that what several of them share is made once. `needs` is a package that is installed only
    with the extra of the format's name.
    """

    suffix: str
    file_name: str
    exporter: str
    options: tuple[str, ...] = ()
    per_site: bool = False
    needs: str = ""

    @property
    def installed(self) -> bool:
        """Whether the package that the format needs is there."""
        return not self.needs or find_spec(self.needs) is not None


_PROJECTS = "lzgis.exports.dossier:write_projects"

FORMATS: dict[str, Format] = {
    "xlsx": Format(".xlsx", "report.xlsx", "lzgis.exports.tables.xlsx:write_xlsx"),
    "gpkg": Format(".gpkg", "findings.gpkg", "lzgis.exports.gis.gpkg:write_gpkg"),
    "geojson": Format(".geojson", "findings.geojson", "lzgis.exports.gis.geojson:write_geojson"),
    "jsonfg": Format(".jsonfg", "findings.jsonfg", "lzgis.exports.gis.jsonfg:write_jsonfg"),
    "shp": Format(".zip", "findings-shp.zip", "lzgis.exports.gis.shapefile:write_shapefile"),
    "dxf": Format(".dxf", "conflicts.dxf", "lzgis.exports.gis.dxf:write_dxf"),
    "coordfile": Format(".txt", "sites.txt", "lzgis.exports.gis.boundary_points:write_sites_txt"),
    "json": Format(".json", "report.json", "lzgis.exports.gis.json:write_json"),
    "parquet": Format(".parquet", "findings.parquet", "lzgis.exports.gis.parquet:write_findings"),
    "verdicts": Format(".parquet", "verdicts.parquet", "lzgis.exports.gis.parquet:write_verdicts"),
    "html": Format(".html", "map.html", "lzgis.exports.map:write_map", ("mode", "tianditu_key")),
    "png": Format(".png", "map.png", "lzgis.exports.paper:write_map"),
    "docx": Format(".docx", "projects", _PROJECTS, ("mu", "template", "workers"), per_site=True),
    "htmldoc": Format(".html", "projects", _PROJECTS, ("mu", "workers"), per_site=True),
    "pdf": Format(".pdf", "projects", _PROJECTS, ("mu", "workers"), per_site=True, needs="typst"),
}

DEFAULT_FORMATS = ("xlsx", "gpkg", "json", "html")


def export(
    report: Report, path: str | Path, *, language: Language = "zh", options: Mapping[str, object] | None = None
) -> Path:
    """Write `report` to `path` in the format that the suffix names, and return the path.

    Parameters
    ----------
    report : Report
        What to write.
    path : path
        The file; its suffix names the format. A document of a project (``.docx``, ``.pdf``) can be written of a report
        on one project only; for more see `export_projects`.
    language : {"zh", "en"}
        The reader's language.
    options : mapping, optional
        Further keywords, see `Format.options`; an exporter is given those that it knows.

    Raises
    ------
    ExportError
        If no exporter has this suffix, or the file cannot be written.
    """
    path = Path(path)
    for one in FORMATS.values():
        if one.suffix == path.suffix.lower():
            known_to_it: dict[str, Any] = {
                name: value for name, value in (options or {}).items() if name in one.options
            }
            if one.per_site:
                from lzgis.exports.dossier import write_project

                write_project(report, path, language=language, **known_to_it)
            else:
                exporter_of(one)(report, path, language=language, **known_to_it)
            return path
    known = ", ".join(f.suffix for f in FORMATS.values())
    raise ExportError(
        str(path),
        Message("no exporter writes '{suffix}'", suffix=path.suffix),
        Message("use one of {known}", known=known),
    )


def export_as(
    name: str, report: Report, path: Path, *, language: Language, options: Mapping[str, object] | None = None
) -> None:
    """Write `report` to `path` in a format of one file, a key of `FORMATS`; the suffix decides nothing.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    one = FORMATS[name]
    known: dict[str, Any] = {key: value for key, value in (options or {}).items() if key in one.options}
    exporter_of(one)(report, path, language=language, **known)


def export_projects(
    report: Report,
    folder: str | Path,
    names: Iterable[str],
    *,
    language: Language = "zh",
    options: Mapping[str, object] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write formats of one file per project into a folder, and return the files.

    Parameters
    ----------
    report : Report
        What to write.
    folder : path
        Where the files shall stand.
    names : iterable of str
        Formats, keys of `FORMATS` that have one file per project.
    language : {"zh", "en"}
        The reader's language.
    options : mapping, optional
        Further keywords, see `Format.options`.
    progress : callable, optional
        Called with the number of projects done and of all.

    Raises
    ------
    ExportError
        If a file cannot be written.
    """
    wanted = [FORMATS[name] for name in names]
    known = {name for one in wanted for name in one.options}
    more = {name: value for name, value in (options or {}).items() if name in known}
    suffixes = [one.suffix for one in wanted]
    exporter = exporter_of(wanted[0])
    written: list[Path] = exporter(report, folder, suffixes=suffixes, language=language, progress=progress, **more)
    return written


def exporter_of(one: Format) -> Callable[..., Any]:
    """Import the exporter of a format."""
    module, _, function = one.exporter.partition(":")
    exporter: Callable[..., Any] = getattr(import_module(module), function)
    return exporter
