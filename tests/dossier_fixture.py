"""What the tests of dossiers share: the reference city screened once, and the documents read back by other programs."""

from __future__ import annotations

import dataclasses
import datetime as dt
import html.parser
import shutil
import subprocess
import zipfile
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from lzgis.city.reference import reference_city
from lzgis.model.report import Report
from lzgis.screening.screen import screen

MADE_AT = dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC)
#: A square inside the redline, one across many townships, one across the border of the city, a line.
SITES = ("T01", "P37", "T05", "T08")
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@cache
def city_report() -> Report:
    """Return the reference city's own projects, screened."""
    city = reference_city()
    return screen(city / "sites.gpkg", city, as_of="2026-11-21", made_at=MADE_AT)


def only(report: Report, *sites: str) -> Report:
    """Keep some of the sites; findings and verdicts of the others stay, and must not matter."""
    frame = report.sites[report.sites["id"].isin(sites)].reset_index(drop=True)
    return dataclasses.replace(report, sites=frame)


def word_text(path: Path) -> str:
    """Read the text of a Word document, header and footer with it, one line per paragraph."""
    lines = []
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if name.startswith("word/") and name.endswith(".xml"):
                paragraphs = ElementTree.fromstring(archive.read(name)).iter(f"{_WORD}p")
                lines += ["".join(_run(part) for part in paragraph.iter()) for paragraph in paragraphs]
    return "\n".join(lines)


def _run(part: ElementTree.Element) -> str:
    return {f"{_WORD}t": part.text or "", f"{_WORD}tab": "\t", f"{_WORD}br": "\n"}.get(part.tag, "")


def word_tables(path: Path) -> list[list[list[str]]]:
    """Read the tables of a Word document: rows of cells."""
    with zipfile.ZipFile(path) as archive:
        root = ElementTree.fromstring(archive.read("word/document.xml"))
    return [
        [
            ["\n".join("".join(_run(t) for t in p.iter()) for p in c.iter(f"{_WORD}p")) for c in row.iter(f"{_WORD}tc")]
            for row in table.iter(f"{_WORD}tr")
        ]
        for table in root.iter(f"{_WORD}tbl")
    ]


class PageText(html.parser.HTMLParser):
    """The text, tags and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.parts: list[str] = []
        self._hidden = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._hidden = tag == "style"

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)

    @property
    def text(self) -> str:
        """All text that is shown."""
        return "\n".join(self.parts)


def pdf_text(path: Path) -> str:
    """Read the text of a PDF by a program of its own, blanks and line ends taken out: tables break lines anywhere."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    run = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True)
    return run.stdout.decode("utf-8")


def squeezed(text: str) -> str:
    """Take out blanks and line ends."""
    return "".join(text.split())


def by_office(path: Path, folder: Path) -> Path:
    """Let LibreOffice make a PDF of a Word document."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not installed")
    # A profile of its own: two at a time with one profile wait for each other.
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command: list[Any] = [program, profile, "--headless", "--convert-to", "pdf", "--outdir", folder, path]
    subprocess.run(command, capture_output=True, check=True, timeout=180)
    return folder / f"{path.stem}.pdf"
