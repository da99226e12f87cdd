"""The toolbox for ArcGIS Pro, without ArcGIS: its syntax, its parameters, and its calls with a stand-in for arcpy."""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import arcpy_stand_in as stand_in
import geopandas as gpd
import pytest
import shapely
import toy

ROOT = Path(__file__).parent.parent.parent
TOOLBOX = ROOT / "plugins" / "arcgis" / "lzgis.pyt"


@pytest.fixture
def arcpy(monkeypatch: pytest.MonkeyPatch) -> Any:
    made = stand_in.make()
    monkeypatch.setitem(sys.modules, "arcpy", made)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return made


def loaded(path: Path = TOOLBOX) -> Any:
    loader = importlib.machinery.SourceFileLoader("lzgis_toolbox", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("lzgis_toolbox", loader))
    loader.exec_module(module)
    return module


def program(folder: Path) -> Path:
    path = folder / "lzgis"
    code = "import sys; sys.argv[0] = 'lzgis'; from lzgis.cli.app import main; main()"
    path.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -c "{code}" "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def work(tmp_path: Path) -> Path:
    toy.city(tmp_path / "city")
    shapes = [toy.PLANE.unproject([shapely.box(x, 0, x + 100, 100)])[0] for x in (0, 3000)]
    frame = gpd.GeoDataFrame({"编号": ["a", "b"], "name": ["甲", "乙"]}, geometry=shapes, crs=4490)
    frame.to_file(tmp_path / "sites.gpkg")
    return tmp_path


def filled(tool: Any, **values: Any) -> list[Any]:
    parameters = tool.getParameterInfo()
    named = {one.name: one for one in parameters}
    assert set(values) <= set(named)
    for name, value in values.items():
        named[name].value = value
    assert all(one.value is not None for one in parameters if one.parameterType == "Required")
    return parameters


def test_it_is_python_of_arcgis_pro_and_does_not_import_lzgis():
    tree = ast.parse(TOOLBOX.read_text("utf-8"), feature_version=(3, 9))
    modules = [one.module for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)]
    modules += [one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names]
    assert not [one for one in modules if one == "lzgis" or one.startswith("lzgis.")]


def test_every_tool_has_named_parameters_and_a_help_in_both_languages(arcpy: Any):
    toolbox = loaded().Toolbox()
    names = [tool().NAME for tool in toolbox.tools]
    assert names == ["screen", "inspect", "audit", "diff", "avoid", "map", "surface"]
    for make in toolbox.tools:
        tool = make()
        parameters = [one.name for one in tool.getParameterInfo()]
        assert len(set(parameters)) == len(parameters)
        assert tool.label and tool.description
        assert {"language", "program"} <= set(parameters)


@pytest.mark.skipif(sys.platform == "win32", reason="programs with #!")
def test_screening_copies_the_sites_and_names_the_layers(arcpy: Any, work: Path):
    tool = loaded().Screen()
    out, messages = work / "out", stand_in.Messages()
    parameters = filled(
        tool, sites=work / "sites.gpkg", id_field="编号", city=work / "city", as_of="2026-11-21", out=out,
        program=program(work), activity="住宅", language="zh", formats="'kml'",
    )  # fmt: skip
    tool.execute(parameters, messages)
    assert {"findings.gpkg", "findings.kml", "manifest.json"} <= {one.name for one in out.iterdir()}
    sites = gpd.read_file(out / "findings.gpkg", layer="sites")
    assert sorted(sites["id"]) == ["a", "b"]
    assert not messages.errors
    assert arcpy.env.autoCancelling is False
    (package,) = (one for one in parameters if one.name == "package")
    assert str(out / "findings.gpkg" / "main.sites") in package.values


@pytest.mark.skipif(sys.platform == "win32", reason="programs with #!")
def test_errors_and_cancelling_end_the_tool(arcpy: Any, work: Path):
    tool, messages = loaded().Audit(), stand_in.Messages()
    given = {"city": work / "none", "out": work / "out", "program": program(work)}
    with pytest.raises(stand_in.ExecuteError):
        tool.execute(filled(tool, **given), messages)
    assert "none" in messages.errors[0]
    arcpy.env.isCancelled = True
    with pytest.raises(stand_in.ExecuteError):
        tool.execute(filled(tool, **given), messages)
    assert messages.errors[-1] in ("已取消", "Canceled")


@pytest.mark.skipif(sys.platform == "win32", reason="programs with #!")
def test_what_remains_becomes_a_feature_class(arcpy: Any, work: Path):
    tool, messages = loaded().Avoid(), stand_in.Messages()
    parameters = filled(
        tool, sites=work / "sites.gpkg", id_field="编号", site="a", city=work / "city", as_of="2026-11-21",
        program=program(work), remains="r.gdb/remains",
    )  # fmt: skip
    tool.execute(parameters, messages)
    assert list(arcpy.copied) == ["r.gdb/remains"]


def test_sites_without_a_system_are_refused(arcpy: Any, work: Path):
    arcpy.Describe = lambda layer: SimpleNamespace(spatialReference=SimpleNamespace(factoryCode=0))
    tool, messages = loaded().Screen(), stand_in.Messages()
    with pytest.raises(stand_in.ExecuteError):
        tool.execute(filled(tool, sites=work / "sites.gpkg", out=work / "out"), messages)
    assert messages.errors


def test_the_zip_holds_the_toolbox_and_what_it_imports(arcpy: Any, tmp_path: Path):
    script = ROOT / "scripts" / "plugin_zip.py"
    made = subprocess.run([sys.executable, script, "--arcgis", tmp_path], capture_output=True, text=True, check=True)
    with zipfile.ZipFile(made.stdout.strip()) as packed:
        packed.extractall(tmp_path / "there")
    for name in [one for one in sys.modules if one.partition(".")[0] == "lzgis_screening"]:
        del sys.modules[name]
    assert len(loaded(tmp_path / "there" / "lzgis.pyt").Toolbox().tools) == 7
    assert str(tmp_path) in str(sys.modules["lzgis_screening.command"].__file__)
