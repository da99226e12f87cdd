"""A report written into a folder in several formats, as one result with a manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from lzgis.exports import export_as, export_projects
from lzgis.exports.file_names import file_stems
from lzgis.exports.formats import FORMATS, by_profile, write_beside
from lzgis.exports.gis.json import provenance_object
from lzgis.exports.report_text import ContextText
from lzgis.exports.second_process import for_second_process, second_process
from lzgis.files.manifest import InputPaths, Result, inputs_digest
from lzgis.files.result_folder import locked_folder, new_result
from lzgis.model.report import Report
from lzgis.screening.city_reports import city_reports
from lzgis.words import Language

#: Called with what is being done, how many steps are done, and how many there are.
Progress = Callable[[str, int, int], None]


#: The folder of what is written for each city.
CITIES_FOLDER: Mapping[Language, str] = {"zh": "各市县", "en": "cities"}


def export_folder(  # noqa: PLR0913 (what a caller may choose)
    report: Report,
    out: str | Path,
    names: Iterable[str],
    *,
    language: Language = "zh",
    options: Mapping[str, object] | None = None,
    given: InputPaths | None = None,
    per_city: Iterable[str] = (),
    progress: Progress | None = None,
) -> list[Path]:
    """Write a report into a folder in several formats: either all files appear there, or none.

    Parameters
    ----------
    report : Report
        What to write.
    out : path
        The folder; it is made if need be. Files in it that lzgis did not write are left alone.
    names : iterable of str
        Formats, keys of `lzgis.exports.FORMATS`.
    language : {"zh", "en"}
        The reader's language.
    options : mapping, optional
        Further keywords, see `lzgis.exports.Format.options`.
    given : InputPaths, optional
        Where the inputs are, so that ``lzgis verify`` finds them again.
    per_city : iterable of str
        Formats that are written for each city of a region as well, in a folder of its name.
    progress : callable, optional
        Called with what is being done, how many steps are done, and how many there are.

    Returns
    -------
    list of Path
        The files, in the order of `names`; then those of each city.

    Raises
    ------
    ExportError
        If another process is writing there, or a file cannot be written; what was there before is then untouched.
    """
    with locked_folder(out) as place, new_result(place, "screen") as stage:
        made = write_formats(report, stage.folder, names, language=language, options=options, progress=progress)
        made += write_cities(report, stage.folder, per_city, language=language, options=options)
        stage.result = result_of(report, given, language=language)
    return [stage.final(path) for path in made]


def write_formats(
    report: Report,
    folder: Path,
    names: Iterable[str],
    *,
    language: Language,
    options: Mapping[str, object] | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Write a report into a folder, each format under the file name of its record; return the files."""
    wanted, left_out = by_profile(names, report.city)
    report = replace(report, problems=(*report.problems, *(one for one in left_out if one not in report.problems)))
    single = [name for name in wanted if not FORMATS[name].per_site]
    documents = [name for name in wanted if FORMATS[name].per_site]
    paths = {name: folder / FORMATS[name].file_name for name in single}
    workers = (options or {}).get("workers", 1)
    second = for_second_process(single, len(report.sites), workers if isinstance(workers, int) else 1)
    written = []
    with second_process(second, report, paths, language=language, options=options):
        for done, (name, path) in enumerate(paths.items()):
            if progress:
                progress("files", done, len(single))
            if name not in second:
                export_as(name, report, path, language=language, options=options)
            written += [path, *write_beside(name, report, folder, language=language)]
    if documents:
        below = folder / FORMATS[documents[0]].file_name
        step = None if progress is None else partial(progress, "documents")
        written += export_projects(report, below, documents, language=language, options=options, progress=step)
    return written


def write_cities(
    report: Report,
    folder: Path,
    names: Iterable[str],
    *,
    language: Language,
    options: Mapping[str, object] | None = None,
) -> list[Path]:
    """Write formats for each city of a report on a region into a folder of its name; return the files."""
    wanted, written = list(names), []
    if not wanted:
        return []
    cities = file_stems(report.of_cities)
    for (_, own), name in zip(city_reports(report), cities, strict=True):
        below = folder / CITIES_FOLDER[language] / name
        below.mkdir(parents=True)
        written += write_formats(own, below, wanted, language=language, options=options)
    return written


def result_of(report: Report, given: InputPaths | None = None, *, language: Language) -> Result:
    """Return the entry of the manifest for the result of a report, with what limits it."""
    provenance, texts = report.provenance, ContextText(report, language)
    recorded = provenance_object(provenance)
    return Result(
        made_at=provenance.made_at.isoformat(),
        inputs_sha256=inputs_digest(recorded),
        command=list(provenance.command),
        given=given or InputPaths(),
        provenance=recorded,
        remarks=texts.limits,
    )
