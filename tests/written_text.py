"""The text that is read in an output of any format; taken out with other libraries than those that wrote it."""

from __future__ import annotations

import html
import json
import re
import shutil
import sqlite3
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import ezdxf
import pyarrow.parquet as pq
import pytest
from map_page import Page
from PIL import Image
from python_calamine import CalamineWorkbook


def text_of(name: str, path: Path) -> str:
    """Return the text of a file that the format ``name`` wrote; line breaks within a cell become spaces."""
    return html.unescape(_READERS[name](path))


def _plain(path: Path) -> str:
    return path.read_text("utf-8-sig")


def _json(path: Path) -> str:
    return json.dumps(json.loads(path.read_text("utf-8")), ensure_ascii=False, indent=0)


def _markup(data: str) -> str:
    return re.sub(r"<[^>]+>", "\n", data)


def _workbook(path: Path) -> str:
    book = CalamineWorkbook.from_path(path)
    sheets = [(name, book.get_sheet_by_name(name).to_python()) for name in book.sheet_names]
    return "\n".join(str(cell) for name, rows in sheets for row in [[name], *rows] for cell in row)


def _database(path: Path) -> str:
    with sqlite3.connect(path) as base:
        tables = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [row for name in tables for row in base.execute(f'SELECT * FROM "{name}"')]
    return "\n".join(value for row in rows for value in row if isinstance(value, str))


def _columns(path: Path) -> str:
    table = pq.read_table(path)
    texts = [str(value) for name in table.column_names if name != "geometry" for value in table[name].to_pylist()]
    return "\n".join([*texts, *((table.schema.metadata or {}).get(b"lzgis", b"").decode(),)])


def _drawing(path: Path) -> str:
    drawing = ezdxf.readfile(path)
    found = [
        e.dxf.get("text") or getattr(e, "text", "") for e in drawing.modelspace() if e.dxftype() in ("TEXT", "MTEXT")
    ]
    return "\n".join([*found, *(layer.dxf.name for layer in drawing.layers)])


def _archive(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        texts = (".dbf", ".txt", ".qml", ".json", ".csv")
        return "\n".join(archive.read(n).decode("utf-8", "replace") for n in archive.namelist() if n.endswith(texts))


def _office(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        parts = [n for n in archive.namelist() if re.match(r"(word|ppt/slides)/[^/]+\.xml$", n) and "style" not in n]
        # A paragraph is one text, however many runs it has.
        whole = "\n".join(archive.read(name).decode("utf-8") for name in parts)
    return "\n".join(re.sub(r"<[^>]+>", "", one) for one in re.split(r"</[wa]:p>", whole))


def _picture(path: Path) -> str:
    with Image.open(path) as picture:
        notes = [str(value) for value in picture.info.values()]
    return "\n".join(json.dumps(json.loads(n), ensure_ascii=False, indent=0) if n.startswith("{") else n for n in notes)


def _pages(path: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    run = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True)
    return run.stdout.decode()


def _page(path: Path) -> str:
    """Return what a page shows: its markup without scripts and styles, and the values of the data that it carries."""
    page = Page(path)
    shown = re.sub(r"(?s)<(script|style)\b.*?</\1>", "\n", page.text)
    return _markup(shown) + json.dumps(page.data, ensure_ascii=False, indent=0)


def _kml(path: Path) -> str:
    return _markup(_plain(path))


def _table(path: Path) -> str:
    return _plain(path) + _json(path.with_name(f"{path.name}-metadata.json"))


_READERS: dict[str, Callable[[Path], str]] = {
    "xlsx": _workbook,
    "gpkg": _database,
    "geojson": _json,
    "jsonfg": _json,
    "shp": _archive,
    "kml": _kml,
    "dxf": _drawing,
    "coordfile": _plain,
    "json": _json,
    "parquet": _columns,
    "csv": _table,
    "verdicts": _columns,
    "html": _page,
    "png": _picture,
    "docx": _office,
    "summary": _office,
    "htmldoc": _page,
    "pdf": _pages,
    "pptx": _office,
}
