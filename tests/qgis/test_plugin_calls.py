"""The parts of the QGIS plugin that need no QGIS: calls, arguments, wording, the answer of the dock."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
import toy
import typer
from command_line import run

from lzgis.cli.app import app

PLUGIN = Path(__file__).parent.parent.parent / "plugins" / "qgis" / "lzgis_screening"


@pytest.fixture(scope="module")
def plugin():
    """Import the plugin as QGIS does: as a package whose folder is in the path."""
    sys.path.insert(0, str(PLUGIN.parent))
    try:
        yield {
            name: importlib.import_module(f"lzgis_screening.{name}")
            for name in ("command", "arguments", "words", "answers")
        }
    finally:
        sys.path.remove(str(PLUGIN.parent))


def program(folder: Path, code: str) -> str:
    """Write a program that runs some Python."""
    path = folder / "program"
    path.write_text(f"#!{sys.executable}\nimport os, sys, time\n{code}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_what_needs_no_qgis_imports_none():
    for name in ("command", "arguments", "words", "answers"):
        tree = ast.parse((PLUGIN / f"{name}.py").read_text("utf-8"))
        modules = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        modules += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
        assert not any(module.startswith(("qgis", "lzgis")) for module in modules)


def test_no_part_of_the_plugin_imports_lzgis():
    for path in PLUGIN.glob("*.py"):
        assert not re.search(r"^\s*(import lzgis\b|from lzgis\b)", path.read_text("utf-8"), re.M)


def test_variables_of_qgis_do_not_reach_lzgis(plugin):
    given = {
        "PATH": os.pathsep.join(["/opt/QGIS/bin", "/usr/bin"]),
        "OSGEO4W_ROOT": "/opt/QGIS",
        "PYTHONHOME": "/opt/QGIS/python",
        "PYTHONPATH": "x",
        "PROJ_LIB": "x",
        "PROJ_DATA": "x",
        "GDAL_DATA": "x",
        "QT_PLUGIN_PATH": "x",
        "LD_LIBRARY_PATH": "x",
        "LZGIS_CACHE": "kept",
        "HOME": "kept",
    }
    found = plugin["command"].clean_environment(given)
    assert {"PATH": "/usr/bin", "LZGIS_CACHE": "kept", "HOME": "kept"}.items() <= found.items()
    assert not set(given) - {"PATH", "LZGIS_CACHE", "HOME"} & set(found) - {"OSGEO4W_ROOT"} & set(found)
    assert not {"PYTHONHOME", "PYTHONPATH", "PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "QT_PLUGIN_PATH"} & set(found)
    assert found["PYTHONUTF8"] == "1"


def test_programs_of_the_system_stay_in_the_path(plugin):
    found = plugin["command"].clean_environment({"PATH": "/usr/bin", "QGIS_PREFIX_PATH": "/usr"})
    assert found["PATH"] == "/usr/bin"


@pytest.mark.skipif(os.name == "nt", reason="programs with #!")
def test_a_call_reports_lines_progress_and_output(plugin, tmp_path):
    code = "print('结果'); print('读取', file=sys.stderr); print('progress: sites 1 4', file=sys.stderr); sys.exit(2)"
    said, shares = [], []
    done = plugin["command"].call(program(tmp_path, code), [], said=said.append, progressed=shares.append)
    assert (done.code, done.output.strip(), said, shares) == (2, "结果", ["读取"], [0.125])


def test_progress_never_goes_back(plugin):
    command = plugin["command"]
    share = command.Share()
    lines = ["layers 0 2", "layers 2 2", "rules 0 4", "rules 2 4", "files 1 1"]
    shares = [share(command.PROGRESS.match(f"progress: {line}")) for line in lines]
    assert shares == [0, 0.5, 0.5, 0.625, 0.875]


@pytest.mark.skipif(os.name == "nt", reason="programs with #!")
def test_an_error_is_what_lzgis_said(plugin, tmp_path):
    command = plugin["command"]
    with pytest.raises(command.CommandError, match="没有坐标系"):
        command.call(program(tmp_path, "print('没有坐标系', file=sys.stderr); sys.exit(3)"), [])
    with pytest.raises(command.CommandError, match="cannot be started"):
        command.call(str(tmp_path / "none"), [])
    with pytest.raises(command.CommandError, match="not found"):
        command.call("", [])


@pytest.mark.skipif(os.name == "nt", reason="programs with #!")
def test_cancelling_ends_the_process(plugin, tmp_path):
    command = plugin["command"]
    marked = tmp_path / "pid"
    code = (
        f"open({str(marked)!r}, 'w').write(str(os.getpid())); print('x', file=sys.stderr, flush=True); time.sleep(60)"
    )
    start = time.monotonic()
    with pytest.raises(command.Canceled):
        command.call(program(tmp_path, code), [], canceled=lambda: marked.exists() and marked.read_text() != "")
    assert time.monotonic() - start < 20
    with pytest.raises(ProcessLookupError):
        os.kill(int(marked.read_text()), 0)


@pytest.mark.skipif(os.name == "nt", reason="programs with #!")
def test_much_output_does_not_block(plugin, tmp_path):
    code = "sys.stdout.write('a' * 3_000_000); [print('b' * 1000, file=sys.stderr) for _ in range(3000)]"
    done = plugin["command"].call(program(tmp_path, code), [])
    assert (len(done.output), len(done.messages)) == (3_000_000, 3000)


def calls(arguments):
    """Every kind of call with every option."""
    common = {"city": "c", "as_of": "2026-11-21", "language": "en"}
    return [
        arguments.screen("s.gpkg", "out", ["xlsx"], **common),
        arguments.answer("s.gpkg", **common),
        arguments.inspect("s.txt", "p.html", city="c", language="en", crs="EPSG:4526", encoding="GBK", layer="a"),
        arguments.audit("out", **common),
        arguments.diff("a", "b", "out", report="r.json", as_of_old="2026-01-01", as_of="2026-11-21", language="en"),
        arguments.avoid("T1", "s.gpkg", 500.0, **common),
        arguments.draw_map("s.gpkg", ["T1", "T2"], "out", **common),
        arguments.surface("a.tif", 30.0, "quarrying", **common),
        arguments.activities("c"),
        arguments.rules("c"),
    ]


@pytest.mark.parametrize("number", range(10))
def test_lzgis_has_the_commands_and_options_that_the_plugin_uses(plugin, number):
    given = calls(plugin["arguments"])[number]
    command = typer.main.get_command(app)
    rest = list(given)
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {one for one in rest if one.startswith("--")} <= options
    assert "--layers" in rest or given[0] == "diff"


def test_every_wording_has_two_languages_and_every_key_exists(plugin):
    words = plugin["words"]
    assert all(len(pair) == 2 and all(pair) for pair in words.WORDS.values())
    for key, (zh, en) in words.WORDS.items():
        assert zh.count("{}") == en.count("{}"), key
        assert not re.search("[\u4e00-\u9fff]", en), key
    for path in PLUGIN.glob("*.py"):
        used = re.findall(r"words(?:\(\))?\(\"(\w+)\"", path.read_text("utf-8"))
        assert set(used) <= set(words.WORDS), path.name
    assert words.Words("zh_CN")("screen") == "核查项目"
    assert words.Words("de")("works", "x") == "Works: x"


def test_the_answer_of_the_dock_shows_verdict_findings_and_what_was_not_checked(plugin, tmp_path):
    city = toy.city(tmp_path / "city")
    frame = gpd.GeoDataFrame({"id": ["a"]}, geometry=[toy.PLANE.unproject([shapely.box(0, 0, 100, 100)])[0]], crs=4490)
    frame.to_file(tmp_path / "site.gpkg")
    report = json.loads(run("screen", tmp_path / "site.gpkg", "--layers", city, "--as-of", toy.AS_OF, "--json").stdout)
    page = plugin["answers"].page(report, plugin["words"].Words("zh"))
    assert f"<h3>{report['verdicts'][0]['verdict']}</h3>" in page
    assert "不等于合规" in page
    assert "示意数据" in page
    found = [one for one in report["findings"] if one["state"] == "涉及"]
    assert found
    assert all(f"<b>{one['rule']}</b>" in page for one in found)
    assert "<script" not in plugin["answers"].page(
        {**report, "rules": [{"id": one["rule"], "title": "<script>"} for one in found]}, plugin["words"].Words("en")
    )


def test_the_metadata_name_what_qgis_needs():
    import configparser

    read = configparser.ConfigParser()
    read.read(PLUGIN / "metadata.txt", encoding="utf-8")
    general = dict(read["general"])
    assert {"name", "qgisminimumversion", "description", "about", "version", "author", "email", "icon"} <= set(general)
    assert general["hasprocessingprovider"] == "yes"
    assert (PLUGIN / general["icon"]).is_file()
    assert "://" not in (PLUGIN / "metadata.txt").read_text("utf-8")


def enumerations() -> set[str]:
    """Return the dotted names that begin with a class of Qt and end in a member or class of it."""
    found = set()
    for path in PLUGIN.glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        imports = [one for one in ast.walk(tree) if isinstance(one, ast.ImportFrom) and "PyQt" in (one.module or "")]
        classes = {name.name for one in imports for name in one.names}
        inner = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Attribute)}
        for one in ast.walk(tree):
            if isinstance(one, ast.Attribute) and id(one) not in inner:
                chain = ast.unparse(one)
                if chain.partition(".")[0] in classes and re.fullmatch(r"\w+(\.[A-Z]\w+)+", chain):
                    found.add(chain)
    return found


def test_enumerations_of_qt_are_scoped_as_qt6_needs():
    # qgis.PyQt defines these two for Qt 6 as well.
    unscoped = {one for one in enumerations() if one.count(".") < 2} - {"QVariant.String", "QVariant.Double"}
    assert not unscoped
    assert "Qt.MouseButton.RightButton" in enumerations()
    for path in PLUGIN.glob("*.py"):
        assert not re.search(r"\bexec_\(|\bPyQt5\b", path.read_text("utf-8")), path.name


@cache
def python_of_qt6() -> str | None:
    """Return a Python that has PyQt6, if there is one: this one, or that of the system."""
    for one in (sys.executable, "/usr/bin/python3"):
        code = "import PyQt6.QtWidgets"
        if Path(one).is_file() and not subprocess.run([one, "-c", code], capture_output=True, check=False).returncode:
            return one
    return None


@pytest.fixture(scope="module")
def in_qt6(tmp_path_factory):
    if python_of_qt6() is None:
        pytest.skip("no PyQt6")
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path_factory.mktemp("home"))}
    call = [python_of_qt6(), Path(__file__).parent / "in_qt6.py", PLUGIN.parent]
    done = subprocess.run(call, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.stdout.startswith("RESULT"), done.stderr[-3000:]
    return json.loads(done.stdout.removeprefix("RESULT"))


def test_every_module_imports_with_qt6(in_qt6):
    assert in_qt6["qt"].startswith("6.")
    assert set(in_qt6["modules"]) == {path.stem for path in PLUGIN.glob("*.py")} - {"__init__"}


def test_the_windows_of_the_plugin_work_with_qt6(in_qt6):
    assert in_qt6["area"].endswith("RightDockWidgetArea")
    assert in_qt6["visible"]
    # Three left clicks and a right one are a polygon.
    assert in_qt6["drawn"] == 1
    assert in_qt6["checked"] is False and "/none/lzgis" in in_qt6["said"]
