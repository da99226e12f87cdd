"""The plugin in QGIS, and the outputs opened in it. Skipped where no QGIS is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
import toy

ROOT = Path(__file__).parent.parent.parent


@cache
def python_of_qgis() -> str | None:
    """Return a Python that has QGIS, if there is one: that of the system has Debian's."""
    for one in ("/usr/bin/python3", shutil.which("python3") or ""):
        if (
            one
            and not subprocess.run(
                [one, "-c", "import qgis.core"], capture_output=True, env=clean(), check=False
            ).returncode
        ):
            return one
    return None


def clean(**more: str) -> dict[str, str]:
    """Return an environment without this Python's settings."""
    removed = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    # With the cache of this user the loops are not compiled again for another home.
    cache_folder = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    own = {"QT_QPA_PLATFORM": "offscreen", "XDG_CACHE_HOME": cache_folder}
    return {k: v for k, v in os.environ.items() if k not in removed} | own | more


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if python_of_qgis() is None:
        pytest.skip("no QGIS")
    folder = tmp_path_factory.mktemp("qgis")
    toy.city(folder / "city")
    shapes = [toy.PLANE.unproject([shapely.box(x, 0, x + 100, 100)])[0] for x in (0, 3000)]
    frame = gpd.GeoDataFrame({"id": ["a", "b"], "name": ["甲", "乙"]}, geometry=shapes, crs=4490)
    frame.to_file(folder / "sites.gpkg")
    program = folder / "lzgis"
    code = "import sys; sys.argv[0] = 'lzgis'; from lzgis.cli.app import main; main()"
    # Like the installed command, it needs nothing of the environment that it is called from.
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -c "{code}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def found(work: Path) -> dict[str, Any]:
    done = subprocess.run(
        [python_of_qgis() or "", Path(__file__).parent / "in_qgis.py", ROOT / "plugins" / "qgis", work / "lzgis",
         work / "city", work / "sites.gpkg", work / "out"],
        capture_output=True, text=True, env=clean(HOME=str(work), XDG_RUNTIME_DIR=str(work)), timeout=1200, check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    assert lines, done.stdout[-3000:] + done.stderr[-6000:]
    result: dict[str, Any] = json.loads(lines[0].removeprefix("RESULT"))
    return result


def test_every_command_is_an_algorithm(found: dict[str, Any]) -> None:
    names = ("audit", "avoid", "diff", "inspect", "map", "screen", "surface")
    assert found["algorithms"] == [f"lzgis:{name}" for name in names]
    assert found["activities"] > 0


def test_screening_loads_styled_labelled_and_related_layers(found: dict[str, Any]) -> None:
    assert found["screen"]["code"] in (0, 1, 2)
    assert {"findings.gpkg", "map.html", "manifest.json"} <= set(found["screen"]["files"])
    groups = dict(found["groups"])
    assert {"项目", "冲突部分"} <= set(groups["screen findings"])
    assert {"核查明细", "说明"} <= set(groups["…"])
    assert found["relations"] and all(found["relations"])
    assert found["layers"]["sites"] == [True, "categorizedSymbol", True, True, "项目编号"]
    assert found["layers"]["conflicts"][:3] == [True, "categorizedSymbol", True]
    assert found["layers"]["findings"][4] == "项目编号"


def test_the_project_in_the_geopackage_opens_complete(found: dict[str, Any]) -> None:
    project = found["project"]
    assert project["opened"] and project["printed"]
    assert all(project["valid"]) and len(project["valid"]) >= 6
    assert {"项目", "冲突部分"} <= set(project["labelled"])
    assert project["groups"][:3] == ["项目", "冲突部分", "提示部分"]
    assert project["groups"][-1] == "表格"
    assert project["relations"] and all(project["relations"])
    # The toy sites lie just east of 112.5° E: shapes are drawn in the zone around 114° E, without the number before the eastings.
    assert project["crs"] == "EPSG:4547"


def test_shapefiles_and_geojson_find_their_styles(found: dict[str, Any]) -> None:
    shapefile, geojson = found["beside"]
    assert shapefile == ["categorizedSymbol", True, "项目编号"]
    assert geojson[:2] == ["categorizedSymbol", True]


def test_only_selected_features_are_screened(found: dict[str, Any]) -> None:
    assert found["selected"] == 1


def test_the_other_algorithms_give_their_files(found: dict[str, Any]) -> None:
    assert found["inspect"] and found["surface"]
    assert {"audit.gpkg", "audit.html", "audit.xlsx"} <= set(found["audit"])
    assert found["diff"][0] == 0
    assert "diff.html" in found["diff"][1]
    assert found["map"]
    assert found["avoid"]["REMAINS"] == [1, "EPSG:4490"]


def test_errors_of_lzgis_end_an_algorithm_with_its_words(found: dict[str, Any]) -> None:
    missing, plain = found["errors"]
    assert "/none" in missing
    assert "坐标系" in plain


def test_the_dock_answers_a_drawn_site(found: dict[str, Any]) -> None:
    text = found["dock"]["text"]
    assert any(verdict in text for verdict in ("存在禁止性冲突", "需进一步论证", "核查不完整", "未发现冲突")), text
    assert "不等于合规" in text
    assert found["dock"]["asked"]


def test_the_settings_accept_only_what_works(found: dict[str, Any]) -> None:
    assert found["dock"]["wrong"][0] is False
    assert found["dock"]["right"][0] is True


def test_the_zip_installs_and_qgis_process_screens(work: Path) -> None:
    program = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    if program is None:
        pytest.skip("no qgis_process")
    plugins = work / "home" / ".local" / "share" / "QGIS" / "QGIS3" / "profiles" / "default" / "python" / "plugins"
    script = ROOT / "scripts" / "plugin_zip.py"
    made = subprocess.run([sys.executable, script, work], capture_output=True, text=True, check=True)
    with zipfile.ZipFile(made.stdout.strip()) as packed:
        packed.extractall(plugins)
    commands = work / "home" / ".local" / "bin"
    commands.mkdir(parents=True)
    shutil.copy(work / "lzgis", commands / "lzgis")
    # The program finds its Python by the first python3 of the path, which has to be the one that it was built for.
    environment = clean(HOME=str(work / "home"), XDG_RUNTIME_DIR=str(work), PATH="/usr/bin:/bin")

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, *arguments], capture_output=True, text=True, env=environment, check=False)

    assert call("plugins", "enable", "lzgis_screening").returncode == 0
    given = [f"SITES={work / 'sites.gpkg'}", f"CITY={work / 'city'}", f"OUTPUT={work / 'process'}", "AS_OF=2026-11-21"]
    done = call("run", "lzgis:screen", "--", *given)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert (work / "process" / "findings.gpkg").is_file()
    said = (done.stdout + done.stderr).splitlines()
    assert not [line for line in said if "user_version" in line and "findings.gpkg" in line]


def folder_of_pytest_qgis(python: str) -> str | None:
    """Return what PYTHONPATH has to be for pytest-qgis in a Python of QGIS; None if there is none."""
    for one in ("", os.environ.get("LZGIS_TEST_PYTEST_QGIS", "")):
        more = {"PYTHONPATH": one} if one else {}
        if not subprocess.run(
            [python, "-c", "import pytest_qgis"], capture_output=True, env=clean(**more), check=False
        ).returncode:
            return one
    return None


def test_what_qgis_shows_of_a_result(work: Path) -> None:
    """Styles, labels, map tips, relation, messages, a rendered map: tests of their own under pytest-qgis."""
    python = python_of_qgis() or ""
    folder = folder_of_pytest_qgis(python)
    if folder is None:
        pytest.skip("no pytest-qgis: set LZGIS_TEST_PYTEST_QGIS to a folder that `pip install --target` made")
    given = {"plugins": ROOT / "plugins" / "qgis", "program": work / "lzgis", "city": work / "city",
             "sites": work / "sites.gpkg", "out": work / "shown"}  # fmt: skip
    environment = clean(
        HOME=str(work), XDG_RUNTIME_DIR=str(work), LZGIS_IN_QGIS=json.dumps(given, default=str),
        PYTHONPATH=os.pathsep.join(filter(None, [folder, "/usr/share/qgis/python/plugins"])),
    )  # fmt: skip
    command = [
        python,
        "-m",
        "pytest",
        "-q",
        "--noconftest",
        "-c",
        os.devnull,
        "--rootdir",
        str(work),
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*command, Path(__file__).parent / "in_pytest_qgis.py"],
        capture_output=True, text=True, env=environment, cwd=work, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout and "skipped" not in done.stdout
