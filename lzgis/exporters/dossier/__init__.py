"""One document per project: Word, web page and PDF from one model, or an office's own Word template filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from lzgis.errors import ExportError
from lzgis.exporters.dossier.content import DossierMaker, dossier
from lzgis.exporters.dossier.model import Dossier
from lzgis.exporters.files import file_stems, put_bytes
from lzgis.messages import Message
from lzgis.model import Report
from lzgis.words import Language

__all__ = ["DossierMaker", "dossier", "write_docx", "write_html", "write_pdf", "write_project", "write_projects"]

#: Called with the number of documents written and of all to write.
Progress = Callable[[int, int], None]


def write_projects(  # noqa: PLR0913 (what an office may choose)
    report: Report,
    folder: str | Path,
    *,
    suffixes: Iterable[str] = (".docx",),
    language: Language = "zh",
    mu: bool = False,
    template: str | Path | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Write documents for every project of a report, named by its id, and return the files.

    The maps of a project are drawn once for all its documents.

    Parameters
    ----------
    report : Report
        What to write.
    folder : path
        Where the files shall stand; made if need be.
    suffixes : iterable of str
        Which documents: ``.docx``, ``.html``, ``.pdf``.
    language : {"zh", "en"}
        Language of titles and wording.
    mu : bool
        Whether areas are given in mu (亩) as well.
    template : path, optional
        An office's own Word template for the ``.docx``; see ``docs/templates.md``.
    progress : callable, optional
        Called with the number of projects done and of all.

    Raises
    ------
    ExportError
        If a template is not in order, a package is missing, or a file cannot be written.
    """
    maker = DossierMaker(report, language=language, mu=mu)
    wanted = list(suffixes)
    written = []
    for done, (site, stem) in enumerate(zip(maker.sites, file_stems(maker.sites), strict=True)):
        if progress:
            progress(done, len(maker.sites))
        one = maker.make(site)
        for suffix in wanted:
            data = _bytes(one, report, suffix, None if template is None else Path(template))
            path = Path(folder) / f"{stem}{suffix}"
            put_bytes(path, data)
            written.append(path)
    if progress:
        progress(len(maker.sites), len(maker.sites))
    return written


def write_project(
    report: Report,
    path: str | Path,
    *,
    language: Language = "zh",
    mu: bool = False,
    template: str | Path | None = None,
) -> None:
    """Write the document of the only project of a report; the suffix says which.

    Raises
    ------
    ExportError
        As `write_projects`, and if the report is on several projects.
    """
    path = Path(path)
    if len(report.sites) != 1:
        raise ExportError(
            str(path),
            Message("is of one project, but {count} were checked", count=len(report.sites)),
            Message("write them into a folder: --format docx,pdf --out FOLDER"),
        )
    maker = DossierMaker(report, language=language, mu=mu)
    one = maker.make(maker.sites[0])
    data = _bytes(one, report, path.suffix.lower(), None if template is None else Path(template))
    put_bytes(path, data)


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
    """Write a page with print view for every project; as `write_projects`."""
    return write_projects(report, folder, suffixes=(".html",), language=language, progress=progress)


def write_pdf(
    report: Report, folder: str | Path, *, language: Language = "zh", progress: Progress | None = None
) -> list[Path]:
    """Write a PDF for every project; as `write_projects`."""
    return write_projects(report, folder, suffixes=(".pdf",), language=language, progress=progress)


def _bytes(one: Dossier, report: Report, suffix: str, template: Path | None) -> bytes:
    made_at = report.provenance.made_at
    if suffix == ".docx" and template is not None:
        from lzgis.exporters.dossier.template import filled

        return filled(template, one, made_at)
    if suffix == ".docx":
        from lzgis.exporters.dossier.word import word_bytes

        return word_bytes(one, made_at)
    if suffix == ".pdf":
        from lzgis.exporters.dossier.pdf import pdf_bytes

        return pdf_bytes(one, made_at)
    if suffix == ".html":
        from lzgis.exporters.dossier.page import page_text

        return page_text(one).encode("utf-8", "replace")
    raise ExportError(
        suffix,
        Message("no document of a project has this suffix"),
        Message("use one of {known}", known=".docx, .html, .pdf"),
    )
