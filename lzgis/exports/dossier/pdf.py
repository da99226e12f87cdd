"""The dossier as PDF, typeset by typst from the document model as JSON, with the font that lzgis ships."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

from lzgis.errors import ExportError
from lzgis.exports.dossier.document import Abstract, Dossier, Grid, Picture, Section
from lzgis.exports.dossier.first_page import CELL_LESS_PT, CELL_PITCH, PITCH, type_size
from lzgis.exports.fonts import faces, printable, rare
from lzgis.exports.report_text import visible
from lzgis.exports.symbology import TINTS, VERDICT_COLOURS
from lzgis.messages import Message
from lzgis.words import Words

#: A document that ends above this (points from the upper edge) is set closer if that saves the page.
_LOW_PT = 300.0


def pdf_bytes(dossier: Dossier, made_at: dt.datetime, place: Path | None = None) -> bytes:
    """Typeset a dossier as PDF; the same dossier gives the same bytes.

    A character missing in the font is taken from a font of the system, and is a square if none has it. The input of typst
    is written to a temporary folder in `place`, by default in the temporary folder of the system.

    Raises
    ------
    ExportError
        If typst is not installed.
    """
    when = made_at.astimezone(dt.UTC) if made_at.tzinfo else made_at
    # Without a date the file would get the time of writing.
    document = pdf_document(dossier) | {"date": list(when.timetuple()[:6])}
    # Fonts of the system are read only for characters missing in the font of lzgis.
    data = json.dumps(document, ensure_ascii=False)
    used = faces() if rare("".join(set(data) - {"\n"})) else faces()[:1]
    typst, fonts = _typst(tuple(dict.fromkeys(str(face.path.parent) for face in used)))
    data = json.dumps(document | {"fonts": [face.name for face in used]}, ensure_ascii=False)
    with tempfile.TemporaryDirectory(prefix="lzgis-", dir=place) as name:
        folder = Path(name)
        (folder / "data.json").write_text(data, "utf-8")
        for picture in (*dossier.pictures, dossier.abstract.picture, dossier.abstract.code):
            if picture is not None:
                (folder / f"{picture.name}.png").write_bytes(picture.png)
        source = folder / "dossier.typ"
        source.write_bytes((files("lzgis.exports.dossier") / "assets" / "dossier.typ").read_bytes())
        compiler = typst.Compiler(str(source), root=str(folder), font_paths=fonts)
        made: bytes = compiler.compile(format="pdf")
        page, low = _end(compiler)
        if page > 1 and low < _LOW_PT:
            closer: bytes = compiler.compile(format="pdf", sys_inputs={"close": "yes"})
            if _end(compiler)[0] < page:
                return closer
    return made


def _end(compiler: Any) -> tuple[int, float]:
    """Return the page on which the document last compiled ends, and where on it, in points from its upper edge."""
    (end,) = json.loads(compiler.query("<end>", field="value"))
    return int(end["page"]), float(end["low"])


@cache
def _typst(folders: tuple[str, ...]) -> tuple[Any, Any]:
    """Import typst and read the fonts of some folders, once."""
    try:
        typst = import_module("typst")
    except ImportError as error:
        raise ExportError(
            "pdf",
            Message("needs a package that is not installed: {name}", name="typst"),
            Message("install it with: {command}", command="pip install 'lzgis[pdf]'"),
        ) from error
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=list(folders))
    return typst, fonts


def pdf_document(dossier: Dossier) -> dict[str, Any]:
    """Return the data that the PDF is typeset from, in characters that the fonts have."""
    words = Words("en" if dossier.language == "en" else "zh")
    facts = {"city": dossier.about["city"], "id": dossier.project["id"], "as_of": dossier.about["as_of"]}
    before, between, after = words("dossier", "page", page="\0", pages="\0").split("\0")
    document: dict[str, Any] = _printable(
        {
            "language": dossier.language,
            "title": dossier.title,
            "subtitle": dossier.subtitle,
            "verdict": dossier.verdict,
            "verdict_colour": VERDICT_COLOURS.get(dossier.verdict_code, "#000000"),
            "notice": dossier.about["notice"],
            "confidentiality": dossier.about["confidentiality"],
            "footer": words("dossier", "footer", **facts),
            "page": [before, between, after],
            "sections": [_section(section) for section in dossier.sections],
            "abstract": _abstract(dossier.abstract) | {"type": _type(dossier)},
            "colon": ": " if dossier.language == "en" else "：",
        }
    )
    return document


def _type(dossier: Dossier) -> dict[str, float]:
    """Return the sizes of type on the first page, in points, and the heights of lines in sizes."""
    size = type_size(dossier.abstract, dossier.subtitle)
    return {"size": size, "cell": size - CELL_LESS_PT, "pitch": PITCH, "cell_pitch": CELL_PITCH}


def _abstract(abstract: Abstract) -> dict[str, Any]:
    picture = abstract.picture
    return {
        "facts": [list(pair) for pair in abstract.facts],
        "lines": [list(pair) for pair in abstract.lines],
        "grids": [_grid(abstract.findings)] if abstract.findings else [],
        "control": _grid(abstract.control),
        "pictures": [_picture(picture)] if picture else [],
        "code": _picture(abstract.code) if abstract.code else None,
    }


def _picture(picture: Picture) -> dict[str, Any]:
    return {"file": f"{picture.name}.png", "caption": picture.caption, "width": picture.width_mm}


def _section(section: Section) -> dict[str, Any]:
    return {
        "heading": section.heading,
        "paragraphs": list(section.paragraphs),
        "grids": [_grid(grid) for grid in section.grids],
        "notes": list(section.notes),
        "small": list(section.small_print),
        "pictures": [_picture(picture) for picture in section.pictures],
    }


def _grid(grid: Grid) -> dict[str, Any]:
    return {
        "title": grid.title,
        "heads": [grid.columns[i].title for i in grid.shown] if grid.heads else [],
        "figures": [grid.columns[i].figures for i in grid.shown],
        "widths": list(grid.widths),
        "fine": grid.fine,
        "lines": [
            {
                "across": line.head,
                "below": line.below,
                "long": line.long,
                "cells": [{"text": cell.text, "tint": TINTS.get(cell.mark, "")} for cell in line.cells],
            }
            for line in grid.lines()
        ],
    }


def _printable(value: Any) -> Any:
    """Replace characters that no font has."""
    if isinstance(value, str):
        return "".join(map(_letter, visible(value)))
    if isinstance(value, list):
        return [_printable(one) for one in value]
    if isinstance(value, dict):
        return {key: _printable(one) for key, one in value.items()}
    return value


@cache
def _letter(letter: str) -> str:
    return letter if letter.isspace() else printable(letter)
