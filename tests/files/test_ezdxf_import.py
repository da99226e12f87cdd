"""ezdxf is imported without a search for fonts, and without files in the home of the user."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_FOLDERS = {"HOME": "home", "USERPROFILE": "home", "XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "config"}
_BEGIN = "import sys, pathlib; drawing = pathlib.Path(sys.argv[1])\n"
_WRITE = """
from report_fixture import toy_report
from lzgis.exports.gis.dxf import write_dxf
write_dxf(toy_report(), drawing)
"""
# Sites are read in the sandbox, layers of a city in the process itself.
_READ_IN_SANDBOX = """
from lzgis.reading import ReadOptions, read_sites
assert len(read_sites(drawing, options=ReadOptions(crs="EPSG:4525")).frame) > 4
"""
_READ_HERE = """
from lzgis.reading.readers import read_vector
assert len(read_vector(drawing).frame) > 4
"""
_OPTIONS_UNCHANGED = """
if "ezdxf" in sys.modules:
    path = sys.modules["ezdxf"].options.xdg_path("XDG_CACHE_HOME", ".cache")
    assert path == pathlib.Path(sys.argv[2]) / "ezdxf", path
"""


def run(code: str, drawing: Path, home: Path) -> list[str]:
    """Run code with empty folders of the user, and return the files that it leaves there."""
    for name in set(_FOLDERS.values()):
        (home / name).mkdir(parents=True, exist_ok=True)
    environment = os.environ | {name: str(home / folder) for name, folder in _FOLDERS.items()}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests"), *filter(None, sys.path)])
    command = [sys.executable, "-c", _BEGIN + code + _OPTIONS_UNCHANGED, str(drawing), str(home / "cache")]
    subprocess.run(command, check=True, env=environment, cwd=drawing.parent, timeout=300)
    return sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if not path.is_dir())


@pytest.fixture(scope="module")
def drawing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from report_fixture import toy_report

    from lzgis.exports.gis.dxf import write_dxf

    path = tmp_path_factory.mktemp("drawing") / "conflicts.dxf"
    write_dxf(toy_report(), path)
    return path


def test_writing_a_drawing_leaves_no_files_in_the_home(tmp_path: Path) -> None:
    assert run(_WRITE, tmp_path / "conflicts.dxf", tmp_path / "user") == []


@pytest.mark.parametrize("code", [_READ_IN_SANDBOX, _READ_HERE], ids=["sandbox", "this process"])
def test_reading_a_drawing_leaves_no_files_in_the_home(code: str, drawing: Path, tmp_path: Path) -> None:
    assert run(code, drawing, tmp_path / "user") == []


def test_a_list_of_fonts_that_the_user_has_is_used_and_stays_unchanged(drawing: Path, tmp_path: Path) -> None:
    own = tmp_path / "user/cache/ezdxf/font_manager_cache.json"
    own.parent.mkdir(parents=True)
    text = json.dumps({"version": 2, "font-faces": []})
    own.write_text(text)
    code = "import lzgis.files.ezdxf_import\nfrom ezdxf.fonts import fonts\n"
    assert run(code, drawing, tmp_path / "user") == ["cache/ezdxf/font_manager_cache.json"]
    assert own.read_text() == text


def test_fonts_can_be_loaded_afterwards(drawing: Path, tmp_path: Path) -> None:
    code = "import lzgis.files.ezdxf_import\nfrom ezdxf.fonts import fonts\nfonts.load()\n"
    assert run(code, drawing, tmp_path / "user") == ["cache/ezdxf/font_manager_cache.json"]
