"""Run the notebooks and write their output to ``docs/notebooks``: ``python scripts/render_notebooks.py [NAME ...]``.

Needs ``pip install -e .[test]``. Each page contains the SHA-256 of its notebook; a test compares the two. Pictures are
reduced to a palette, and metadata that depends on the machine is removed.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import sys
import tempfile
import time
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS, PAGES = ROOT / "notebooks", ROOT / "docs" / "notebooks"
COLOURS = 96
MARK = "<!-- rendered by scripts/render_notebooks.py from notebooks/{name}, sha256 {digest} -->"


def digest(path: Path) -> str:
    """Return the SHA-256 of a notebook, independent of line endings."""
    return hashlib.sha256(path.read_text(encoding="utf-8").encode("utf-8")).hexdigest()


def mark(path: Path) -> str:
    """Return the first line of a notebook's page, which identifies the notebook."""
    return MARK.format(name=path.name, digest=digest(path))


def run(path: Path, work: Path) -> Any:
    """Run a notebook in a new kernel and return it with its outputs."""
    import jupytext
    import nbclient

    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR"):
        os.environ[name] = str(work / name.lower())
    os.environ["PYTHONUTF8"] = "1"
    # GeoPackages contain the time of writing, and some pages show their hashes.
    os.environ["OGR_CURRENT_DATE"] = "2026-11-21T00:00:00.000Z"
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    os.environ.pop("MPLBACKEND", None)
    notebook = jupytext.read(path)
    folder = work / "folder"
    folder.mkdir()
    resources = {"metadata": {"path": folder}}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    return notebook


class _Rows(HTMLParser):
    """Collects the cells of an HTML table written by pandas."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-1] += data


def as_table(html: str) -> str:
    """Convert an HTML table of pandas to Markdown."""
    found = _Rows()
    found.feed(html)
    rows = [
        [re.sub(r"\s+", " ", unescape(cell)).strip().replace("|", "\\|") for cell in row] for row in found.rows if row
    ]
    wide = max(len(row) for row in rows)
    rows = [row + [""] * (wide - len(row)) for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * wide, *lines[1:]])


def small_png(data: bytes) -> bytes:
    """Reduce a PNG to a palette and remove its metadata."""
    from PIL import Image

    picture = Image.open(io.BytesIO(data)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    made = io.BytesIO()
    picture.save(made, "PNG", optimize=True)
    return made.getvalue()


def page(notebook: Any, path: Path) -> tuple[str, dict[str, bytes]]:
    """Convert an executed notebook to Markdown; return the text, and the pictures by name."""
    parts, pictures = (
        [mark(path), f"*This page was generated from [notebooks/{path.name}](../../notebooks/{path.name}).*"],
        {},
    )
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source.strip())
            continue
        parts.append(f"```python\n{cell.source.strip()}\n```")
        for output in _joined(cell.outputs):
            data = output.get("data", {})
            if output.output_type == "stream":
                parts.append(f"```text\n{output.text.rstrip()}\n```")
            elif "image/png" in data:
                name = f"{path.stem}-{len(pictures) + 1}.png"
                pictures[name] = small_png(base64.b64decode(data["image/png"]))
                parts.append(f"![{_heading(parts)}]({name})")
            elif "<table" in data.get("text/html", ""):
                parts.append(as_table(data["text/html"]))
            elif "text/plain" in data:
                parts.append(f"```text\n{data['text/plain'].rstrip()}\n```")
    return "\n\n".join(part for part in parts if part) + "\n", pictures


def _joined(outputs: list[Any]) -> list[Any]:
    """Join consecutive stream outputs: how the kernel splits them varies between runs."""
    joined: list[Any] = []
    for output in outputs:
        if output.output_type == "stream" and joined and joined[-1].output_type == "stream":
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _heading(parts: list[str]) -> str:
    """Return the last heading before a picture, as its alternative text."""
    found = [line.lstrip("# ").strip() for part in parts for line in part.splitlines() if re.match(r"#{1,3} \S", line)]
    return found[-1].replace("[", "").replace("]", "") if found else "picture"


def render(path: Path) -> float:
    """Run a notebook and write its page and pictures; return the run time in seconds."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="lzgis-", ignore_cleanup_errors=True) as folder:
        text, pictures = page(run(path, Path(folder)), path)
    PAGES.mkdir(parents=True, exist_ok=True)
    for old in PAGES.glob(f"{path.stem}-*.png"):
        old.unlink()
    for name, data in pictures.items():
        (PAGES / name).write_bytes(data)
    (PAGES / f"{path.stem}.md").write_text(text, encoding="utf-8", newline="\n")
    return time.perf_counter() - started


if __name__ == "__main__":
    for one in sorted(NOTEBOOKS.glob("*.py")):
        if not sys.argv[1:] or one.stem in sys.argv[1:] or one.name in sys.argv[1:]:
            print(f"{one.name}: {render(one):.0f} s")
