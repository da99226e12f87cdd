"""Every notebook runs from its first cell to its last, in a kernel of its own."""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbclient
import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.py"))


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
# What the kernel's own libraries warn of, in this process, is not ours to mend.
@pytest.mark.filterwarnings("ignore")
def test_notebook_runs(path, tmp_path, monkeypatch):
    # The kernel writes its connection file, history and settings here and not into the user's home.
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("PYTHONUTF8", "1")
    # The kernel's own back end draws into the notebook.
    monkeypatch.delenv("MPLBACKEND", raising=False)
    notebook = jupytext.read(path)
    work = tmp_path / "work"
    work.mkdir()
    where = {"metadata": {"path": work}}
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3", resources=where).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    streams = [output for cell in cells for output in cell.outputs if output.output_type == "stream"]
    assert [output.text for output in streams if output.name == "stderr"] == [], "a notebook shows no warnings"
