"""Run the notebooks and store them with outputs in ``docs/notebooks``: ``python scripts/render_notebooks.py [NAME ...]``.

Needs ``pip install -e .[test]``. Jupyter, code hosts and the documentation show the stored ``.ipynb``. Each contains the
SHA-256 of its source; tests compare it, and the outputs with those of a new run. Pictures are reduced to a palette, and
metadata that depends on the machine is removed.
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
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS, PAGES = ROOT / "notebooks", ROOT / "docs" / "notebooks"
COLOURS = 96


def digest(path: Path) -> str:
    """Return the SHA-256 of a notebook, independent of line endings."""
    return hashlib.sha256(path.read_text(encoding="utf-8").encode("utf-8")).hexdigest()


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


def small_png(data: bytes) -> bytes:
    """Reduce a PNG to a palette and remove its metadata."""
    from PIL import Image

    picture = Image.open(io.BytesIO(data)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    made = io.BytesIO()
    picture.save(made, "PNG", optimize=True)
    return made.getvalue()


def cleaned(notebook: Any, path: Path) -> Any:
    """Return an executed notebook as it is stored: the same run gives the same bytes."""
    for number, cell in enumerate(notebook.cells, 1):
        cell["id"] = f"cell-{number}"
        cell.metadata.clear()
        if cell.cell_type != "code":
            continue
        cell.outputs = _joined(cell.outputs)
        for output in cell.outputs:
            output.get("metadata", {}).clear()
            data = output.get("data", {})
            if "image/png" in data:
                data["image/png"] = base64.b64encode(small_png(base64.b64decode(data["image/png"]))).decode()
                data.pop("text/plain", None)
            if "text/html" in data:
                # The style sheet that pandas adds to each table has no use outside of Jupyter.
                data["text/html"] = re.sub(r"<style scoped>.*?</style>\n?", "", data["text/html"], flags=re.S)
    notebook.metadata.clear()
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata["lzgis"] = {"source": f"notebooks/{path.name}", "sha256": digest(path)}
    return notebook


def _joined(outputs: list[Any]) -> list[Any]:
    """Join consecutive stream outputs: how the kernel splits them varies between runs."""
    joined: list[Any] = []
    for output in outputs:
        if output.output_type == "stream" and joined and joined[-1].output_type == "stream":
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def render(path: Path) -> float:
    """Run a notebook and store it with its outputs; return the run time in seconds."""
    import nbformat

    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="lzgis-", ignore_cleanup_errors=True) as folder:
        notebook = cleaned(run(path, Path(folder)), path)
    PAGES.mkdir(parents=True, exist_ok=True)
    text = nbformat.writes(notebook, version=4)
    (PAGES / f"{path.stem}.ipynb").write_text(text.rstrip() + "\n", encoding="utf-8", newline="\n")
    return time.perf_counter() - started


if __name__ == "__main__":
    for one in sorted(NOTEBOOKS.glob("*.py")):
        if not sys.argv[1:] or one.stem in sys.argv[1:] or one.name in sys.argv[1:]:
            print(f"{one.name}: {render(one):.0f} s")
