"""Every notebook runs completely in a new kernel; its page in the docs is up to date."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import jupytext
import nbclient
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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
# Warnings of the kernel's libraries in this process are not about lzgis.
@pytest.mark.filterwarnings("ignore")
def test_notebook_runs(path, tmp_path, monkeypatch):
    # Keep the kernel's connection file, history and settings out of the home folder.
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("PYTHONUTF8", "1")
    # Only the kernel's default backend draws into the notebook.
    monkeypatch.delenv("MPLBACKEND", raising=False)
    notebook = jupytext.read(path)
    work = tmp_path / "work"
    work.mkdir()
    resources = {"metadata": {"path": work}}
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3", resources=resources).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    streams = [output for cell in cells for output in cell.outputs if output.output_type == "stream"]
    assert [output.text for output in streams if output.name == "stderr"] == [], "a notebook prints no warnings"


# ------------------------------------------------------------------------------------------------ pages in the docs


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_page_in_the_docs_is_up_to_date(path):
    text = (PAGES / f"{path.stem}.md").read_text("utf-8")
    assert text.startswith(RENDERING.mark(path) + "\n"), "run python scripts/render_notebooks.py"
    for cell in jupytext.read(path).cells:
        assert cell.source.strip() in text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_pictures_of_a_page_exist_and_are_small(path):
    named = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (PAGES / f"{path.stem}.md").read_text("utf-8"))
    assert named, "a page has at least one picture"
    assert sorted(named) == sorted(one.name for one in PAGES.glob(f"{path.stem}-*.png"))
    for name in named:
        with Image.open(PAGES / name) as picture:
            assert picture.format == "PNG"
            assert picture.info == {}, "no metadata"
        assert (PAGES / name).stat().st_size < 300_000


def test_every_page_has_a_notebook():
    assert sorted(one.stem for one in PAGES.glob("*.md")) == [path.stem for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_uses_only_public_names(path):
    imports = [line for line in path.read_text("utf-8").splitlines() if re.search(r"\bimport\b.*|^from ", line)]
    assert [line for line in imports if "lzgis" in line] == ["import lzgis as lz"]
    used = set(re.findall(r"\blz\.(\w+)", path.read_text("utf-8")))
    assert used <= set(lz.__all__)


def test_tables_and_printed_lines_are_converted_to_markdown():
    import nbformat

    html = "<table><thead><tr><th></th><th>a|b</th></tr></thead><tbody><tr><th>0</th><td>1 &lt; 2</td></tr></tbody></table>"
    assert RENDERING.as_table(html) == "|  | a\\|b |\n| --- | --- |\n| 0 | 1 < 2 |"
    new = nbformat.v4
    printed = [new.new_output("stream", name="stdout", text=text) for text in ("one\n", "two\n")]
    cells = [new.new_markdown_cell("# A story"), new.new_code_cell("print(1)", outputs=printed)]
    text, pictures = RENDERING.page(new.new_notebook(cells=cells), NOTEBOOKS[0])
    assert text.endswith("# A story\n\n```python\nprint(1)\n```\n\n```text\none\ntwo\n```\n")
    assert pictures == {}
