"""Outputs: reports, audits and comparisons written to files. The formats are listed in `lzgis.exports.formats`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from lzgis.exports.formats import DEFAULT_FORMATS, FORMATS, Format, format_named, writer
from lzgis.model.report import Report
from lzgis.words import Language

__all__ = ["DEFAULT_FORMATS", "FORMATS", "Format", "export", "export_as", "export_projects"]


def export(
    report: Report, path: str | Path, *, language: Language = "zh", options: Mapping[str, object] | None = None
) -> Path:
    """Write `report` to `path` in the format that the suffix names.

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
        Further keywords, see `Format.options`; a writer is given those that it accepts.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ExportError
        If no format has this suffix, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import lzgis as lz
    >>> city = lz.reference_city()
    >>> report = lz.screen(city / "sites.gpkg", city, as_of="2026-11-21")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lz.export(report, f"{folder}/report.json", language="en").name
    'report.json'
    """
    path = Path(path)
    name = format_named(path.suffix, FORMATS, path)
    if FORMATS[name].per_site:
        from lzgis.exports.dossier import write_project

        write_project(report, path, language=language, **FORMATS[name].accepted(options))
    else:
        export_as(name, report, path, language=language, options=options)
    return path


def export_as(
    name: str, report: Report, path: Path, *, language: Language, options: Mapping[str, object] | None = None
) -> None:
    """Write `report` to `path` in a format of one file, independent of the suffix of `path`.

    Parameters
    ----------
    name : str
        The format, a key of `FORMATS`.
    report, path, language, options
        As in `export`.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    one = FORMATS[name]
    writer(one.report)(report, path, language=language, **one.accepted(options))


def export_projects(
    report: Report,
    folder: str | Path,
    names: Iterable[str],
    *,
    language: Language = "zh",
    options: Mapping[str, object] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write formats of one file per project into a folder.

    Parameters
    ----------
    report : Report
        What to write.
    folder : path
        The folder that receives the files.
    names : iterable of str
        Formats, keys of `FORMATS` that have one file per project.
    language : {"zh", "en"}
        The reader's language.
    options : mapping, optional
        Further keywords, see `Format.options`.
    progress : callable, optional
        Called with the number of projects done and of all.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ExportError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import lzgis as lz
    >>> city = lz.reference_city()
    >>> sites = lz.read_sites(city / "sites.gpkg").frame
    >>> report = lz.screen(sites[sites["id"] == "T01"], city, as_of="2026-11-21")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in lz.export_projects(report, folder, ["docx"])]
    ['T01.docx']
    """
    formats = [FORMATS[name] for name in names]
    accepted = {name: value for one in formats for name, value in one.accepted(options).items()}
    write = writer(formats[0].report)
    written: list[Path] = write(
        report, folder, suffixes=[one.suffix for one in formats], language=language, progress=progress, **accepted
    )
    return written
