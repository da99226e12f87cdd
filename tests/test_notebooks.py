"""Every notebook runs completely in a new kernel; the one with outputs in the docs is up to date."""

from __future__ import annotations

import base64
import importlib.util
import io
import re
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from PIL import Image

import lzgis as lz

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
PAGES = ROOT / "docs" / "notebooks"


def script(name: str) -> Any:
    """Load a script as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RENDERING = script("render_notebooks")


def test_there_are_notebooks():
    assert NOTEBOOKS


def stored(path: Path) -> Any:
    """Return the notebook with outputs that the documentation shows."""
    return nbformat.read(PAGES / f"{path.stem}.ipynb", 4)


def words(notebook: Any) -> list[str]:
    """Return what the code cells of a notebook print and show as text, without what depends on the run."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    shown = [one.get("text") or one.get("data", {}).get("text/plain", "") for one in outputs]
    return [re.sub(r"\b[0-9a-f]{8,64}\b|0x\w+|\d+(\.\d+)? (kB|MB|s)\b", "#", text).strip() for text in shown]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
# Warnings of the kernel's libraries in this process are not about lzgis.
@pytest.mark.filterwarnings("ignore")
def test_notebook_runs_and_gives_the_outputs_that_are_shown(path, tmp_path, monkeypatch):
    for name in (
        "IPYTHONDIR",
        "JUPYTER_RUNTIME_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_CONFIG_DIR",
        "OGR_CURRENT_DATE",
        "PYTHONUTF8",
    ):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("PYTHONPATH", "")
    # Only the kernel's default backend draws into the notebook.
    monkeypatch.delenv("MPLBACKEND", raising=False)
    notebook = RENDERING.cleaned(RENDERING.run(path, tmp_path), path)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    streams = [output for cell in cells for output in cell.outputs if output.output_type == "stream"]
    assert [output.text for output in streams if output.name == "stderr"] == [], "a notebook prints no warnings"
    assert words(notebook) == words(stored(path)), "run python scripts/render_notebooks.py"


# ------------------------------------------------------------------------------------------ notebooks in the docs


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_stored_notebook_is_that_of_its_source(path):
    notebook = stored(path)
    nbformat.validate(notebook)
    assert notebook.metadata["lzgis"]["sha256"] == RENDERING.digest(path), "run python scripts/render_notebooks.py"
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in jupytext.read(path).cells]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_pictures_of_a_notebook_are_small(path):
    outputs = [output for cell in stored(path).cells for output in cell.get("outputs", ())]
    pictures = [base64.b64decode(data) for output in outputs if (data := output.get("data", {}).get("image/png"))]
    assert pictures, "a notebook has at least one picture"
    for data in pictures:
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.format == "PNG"
            assert picture.info == {}, "no metadata"
        assert len(data) < 300_000


def test_every_page_has_a_notebook():
    assert sorted(one.stem for one in PAGES.glob("*.ipynb")) == [path.stem for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_uses_only_public_names(path):
    imports = [line for line in path.read_text("utf-8").splitlines() if re.search(r"\bimport\b.*|^from ", line)]
    assert [line for line in imports if "lzgis" in line] == ["import lzgis as lz"]
    used = set(re.findall(r"\blz\.(\w+)", path.read_text("utf-8")))
    assert used <= set(lz.__all__)
