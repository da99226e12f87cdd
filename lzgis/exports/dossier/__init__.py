"""One document per project: Word, web page or PDF, or an office's own Word template, filled in."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

from lzgis.errors import ExportError
from lzgis.exports.dossier.content import DossierMaker, dossier
from lzgis.exports.dossier.document import Dossier
from lzgis.exports.dossier.processes import Job, process_count, write_in_processes
from lzgis.exports.dossier.template_process import TemplateFiller
from lzgis.exports.file_names import file_stems
from lzgis.exports.report_text import text
from lzgis.files.atomic_write import export_errors, working_folder, write_bytes_atomic
from lzgis.messages import Message
from lzgis.model.report import Report
from lzgis.words import Language

__all__ = [
    "Choices",
    "DossierMaker",
    "dossier",
    "write_docx",
    "write_html",
    "write_pdf",
    "write_project",
    "write_projects",
]

#: Called with the number of documents written and of all to write.
Progress = Callable[[int, int], None]


class Choices(TypedDict, total=False):
    """Options of documents.

    `mu` gives areas in mu (亩) as well. `template` is an office's own Word template for the ``.docx``; see
    ``docs/templates.md``. `workers` is the maximum number of processes, 0 for one per core. It is 1 by default, since
    more processes require that the main module of the program is guarded by ``if __name__ == "__main__"``.
    `map_address` is where the review map is published, for the QR code; by default its name in the folder of the result.
    """

    mu: bool
    map_address: str
    template: str | Path | None
    workers: int


def write_projects(
    report: Report,
    folder: str | Path,
    *,
    suffixes: Iterable[str] = (".docx",),
    language: Language = "zh",
    progress: Progress | None = None,
    **choices: Unpack[Choices],
) -> list[Path]:
    """Write documents for every project of a report, named by its id, and return their paths.

    The maps of a project are drawn once for all its documents.

    Parameters
    ----------
    report : Report
        What to write.
    folder : path
        Folder of the files; created if missing.
    suffixes : iterable of str
        Which documents: ``.docx``, ``.html``, ``.pdf``.
    language : {"zh", "en"}
        Language of titles and wording.
    progress : callable, optional
        Called with the number of projects done and of all.
    **choices
        See `Choices`.

    Raises
    ------
    ExportError
        If a template is invalid, a package is missing, or a file cannot be written.
    """
    sites = [text(site) for site in report.sites["id"]]
    jobs = [Job(site, stem) for site, stem in zip(sites, file_stems(sites), strict=True)]
    setup = partial(_writer, report, Path(folder), tuple(suffixes), language, choices)
    written: list[Path] = []
    if progress:
        progress(0, len(jobs))
    size = process_count(len(jobs), choices.get("workers", 1))
    with export_errors(Path(folder)):
        Path(folder).mkdir(parents=True, exist_ok=True)
        with working_folder(Path(folder)) as place:
            for done, files in enumerate(write_in_processes(setup, jobs, size, place)):
                written += files
                if progress:
                    progress(done + 1, len(jobs))
    return written


def _writer(
    report: Report, folder: Path, suffixes: tuple[str, ...], language: Language, choices: Choices
) -> Callable[[Job], list[Path]]:
    """Return the function that writes one project; what the projects share is computed once."""
    maker = DossierMaker(
        report, language=language, mu=choices.get("mu", False), map_address=choices.get("map_address", "")
    )
    template = choices.get("template")
    filler = TemplateFiller(template) if template else None

    def write(job: Job) -> list[Path]:
        one = maker.make(job.site_id)
        paths = [folder / f"{job.stem}{suffix}" for suffix in suffixes]
        for path in paths:
            write_bytes_atomic(path, document_bytes(one, report, path, filler))
        return paths

    return write


def write_project(report: Report, path: str | Path, *, language: Language = "zh", **choices: Unpack[Choices]) -> None:
    """Write the document of the only project of a report; the suffix says which kind. For options see `Choices`.

    Raises
    ------
    ExportError
        As `write_projects`, and if the report has several projects.
    """
    path = Path(path)
    if len(report.sites) != 1:
        raise ExportError(
            str(path),
            Message("is of one project, but {count} were checked", count=len(report.sites)),
            Message("write them into a folder: --format docx,pdf --out FOLDER"),
        )
    maker = DossierMaker(
        report, language=language, mu=choices.get("mu", False), map_address=choices.get("map_address", "")
    )
    one = maker.make(maker.sites[0])
    template = choices.get("template")
    filler = TemplateFiller(template) if template else None
    with filler or contextlib.nullcontext():
        write_bytes_atomic(path, document_bytes(one, report, path, filler))


def write_docx(
    report: Report,
    folder: str | Path,
    *,
    template: str | Path | None = None,
    language: Language = "zh",
    progress: Progress | None = None,
) -> list[Path]:
    """Write a Word document for every project; as `write_projects`."""
    return write_projects(report, folder, suffixes=(".docx",), template=template, language=language, progress=progress)


def write_html(
    report: Report, folder: str | Path, *, language: Language = "zh", progress: Progress | None = None
) -> list[Path]:
    """Write a web page with a print view for every project; as `write_projects`."""
    return write_projects(report, folder, suffixes=(".html",), language=language, progress=progress)


def write_pdf(
    report: Report, folder: str | Path, *, language: Language = "zh", progress: Progress | None = None
) -> list[Path]:
    """Write a PDF for every project; as `write_projects`."""
    return write_projects(report, folder, suffixes=(".pdf",), language=language, progress=progress)


def document_bytes(one: Dossier, report: Report, path: Path, filler: TemplateFiller | None = None) -> bytes:
    """Lay a dossier out as the suffix of the path says."""
    suffix = path.suffix.lower()
    made_at = report.provenance.made_at
    if suffix == ".docx" and filler is not None:
        return filler.fill(one, made_at)
    if suffix == ".docx":
        from lzgis.exports.dossier.word import word_bytes

        return word_bytes(one, made_at)
    if suffix == ".pdf":
        from lzgis.exports.dossier.pdf import pdf_bytes

        with export_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with working_folder(path.parent) as place:
                return pdf_bytes(one, made_at, place)
    if suffix == ".html":
        from lzgis.exports.dossier.html_page import html_text

        return html_text(one).encode("utf-8", "replace")
    raise ExportError(
        suffix,
        Message("no document of a project has this suffix"),
        Message("use one of {known}", known=".docx, .html, .pdf"),
    )
