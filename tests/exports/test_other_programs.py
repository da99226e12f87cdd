"""The files, read by another program than the one that wrote them: GDAL of the system, LibreOffice's rows by calamine, lxml.

GDAL reads GeoPackage, GeoJSON, shapefiles, KML and DXF, which are written by pyogrio's GDAL, json, lxml and ezdxf. JSON-FG is
read by pyogrio, and the workbook by calamine.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import python_calamine
import shapely
import shapely.geometry
from report_fixture import toy_report

from lzgis.exports import export_as

pytestmark = pytest.mark.skipif(shutil.which("ogr2ogr") is None, reason="no GDAL of the system")
FORMATS = ("gpkg", "geojson", "shp", "kml", "dxf", "jsonfg", "xlsx")


@pytest.fixture(scope="module")
def report() -> Any:
    return toy_report()


@pytest.fixture(scope="module")
def folder(report: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    names = {"shp": "findings-shp.zip", "xlsx": "report.xlsx", "dxf": "conflicts.dxf"}
    for name in FORMATS:
        export_as(name, report, out / names.get(name, f"findings.{name}"), language="zh")
    return out


def read(path: Path | str, layer: str) -> list[dict[str, Any]]:
    """Return the features of a layer, as GDAL of the system converts them."""
    done = subprocess.run(
        ["ogr2ogr", "-f", "GeoJSON", "-lco", "COORDINATE_PRECISION=15", "/vsistdout/", path, layer],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: list[dict[str, Any]] = json.loads(done.stdout)["features"]
    return found


def shapes(report: Any) -> dict[str, shapely.Geometry]:
    """Return the polygons of the sites by id."""
    sites = report.sites
    named = zip(sites["id"], sites.geometry, strict=True)
    return {name: shape for name, shape in named if shape is not None and shape.geom_type.endswith("Polygon")}


@pytest.mark.parametrize(("file", "layer"), [("findings.gpkg", "sites"), ("/vsizip/findings-shp.zip", "sites")])
def test_gdal_reads_ids_names_and_shapes(report: Any, folder: Path, file: str, layer: str) -> None:
    path = f"/vsizip/{folder / 'findings-shp.zip'}" if file.startswith("/vsizip") else folder / file
    found = {one["properties"]["id"]: one for one in read(path, layer)}
    wanted = shapes(report)
    assert set(found) == set(wanted)
    names = dict(zip(report.sites["id"], report.sites["name"], strict=True))
    for name, one in found.items():
        assert shapely.equals_exact(
            shapely.normalize(shapely.geometry.shape(one["geometry"])),
            shapely.normalize(shapely.multipolygons(shapely.get_parts(wanted[name]))), 1e-9,
        ) or shapely.symmetric_difference(shapely.geometry.shape(one["geometry"]), wanted[name]).area < 1e-12  # fmt: skip
        assert one["properties"]["name"] in ("", None) or str(names[name]).startswith(one["properties"]["name"][:20])


def test_gdal_reads_every_site_and_finding_of_the_geojson(report: Any, folder: Path) -> None:
    kinds = Counter(one["properties"]["feature_kind"] for one in read(folder / "findings.geojson", "findings"))
    assert kinds == {"site": len(report.sites), "finding": len(report.findings)}


def test_gdal_reads_the_sites_of_the_kml(report: Any, folder: Path) -> None:
    with_shape = report.sites[report.sites.geometry.notna() & ~report.sites.geometry.is_empty]
    assert len(read(folder / "findings.kml", "项目")) == len(with_shape)


def test_gdal_reads_layers_and_chinese_of_the_dxf(folder: Path) -> None:
    found = [one["properties"] for one in read(folder / "conflicts.dxf", "entities")]
    assert any("生态保护红线" in one["Layer"] for one in found)
    assert any(any("\u4e00" <= sign <= "\u9fff" for sign in one.get("Text") or "") for one in found)


def test_another_reader_finds_the_places_of_the_json_fg(report: Any, folder: Path) -> None:
    layers = [name for name, _ in pyogrio.list_layers(folder / "findings.jsonfg")]
    frames = {name: pyogrio.read_dataframe(folder / "findings.jsonfg", layer=name) for name in layers}
    assert {name: len(frame) for name, frame in frames.items()} == {
        "site": len(report.sites),
        "finding": len(report.findings),
    }
    assert np.allclose(frames["site"].total_bounds, report.sites.total_bounds, atol=1e-9)


def test_another_reader_finds_the_rows_of_the_workbook(report: Any, folder: Path) -> None:
    book = python_calamine.CalamineWorkbook.from_path(str(folder / "report.xlsx"))
    cells = {str(cell) for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row}
    assert set(map(str, report.sites["id"])) <= cells
