"""A report written into a folder in several formats, as one result with a manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from lzgis.exports import export_as, export_projects
from lzgis.exports.formats import FORMATS, write_beside
from lzgis.exports.gis.json import provenance_object
from lzgis.files.manifest import InputPaths, Result, inputs_digest
from lzgis.files.result_folder import locked_folder, new_result
from lzgis.model.report import Provenance, Report
from lzgis.words import Language

#: Called with what is being done, how many steps are done, and how many there are.
Progress = Callable[[str, int, int], None]


def export_folder(  # noqa: PLR0913 (what a caller may choose)
    report: Report,
    out: str | Path,
    names: Iterable[str],
    *,
    language: Language = "zh",
    options: Mapping[str, object] | None = None,
    given: InputPaths | None = None,
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
    progress : callable, optional
        Called with what is being done, how many steps are done, and how many there are.

    Returns
    -------
    list of Path
        The files, in the order of `names`.

    Raises
    ------
    ExportError
        If another process is writing there, or a file cannot be written; what was there before is then untouched.
    """
    with locked_folder(out) as place, new_result(place, "screen") as stage:
        made = write_formats(report, stage.folder, names, language=language, options=options, progress=progress)
        stage.result = result_of(report.provenance, given)
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
    wanted = list(names)
    single = [name for name in wanted if not FORMATS[name].per_site]
    documents = [name for name in wanted if FORMATS[name].per_site]
    written = []
    for done, name in enumerate(single):
        if progress:
            progress("files", done, len(single))
        path = folder / FORMATS[name].file_name
        export_as(name, report, path, language=language, options=options)
        written += [path, *write_beside(name, report, folder, language=language)]
    if documents:
        below = folder / FORMATS[documents[0]].file_name
        step = None if progress is None else partial(progress, "documents")
        written += export_projects(report, below, documents, language=language, options=options, progress=step)
    return written


def result_of(provenance: Provenance, given: InputPaths | None = None) -> Result:
    """Return the entry of the manifest for a result of this provenance."""
    recorded = provenance_object(provenance)
    return Result(
        made_at=provenance.made_at.isoformat(),
        inputs_sha256=inputs_digest(recorded),
        command=list(provenance.command),
        given=given or InputPaths(),
        provenance=recorded,
    )
