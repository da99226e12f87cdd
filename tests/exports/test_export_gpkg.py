"""The GeoPackage, read back with fiona and with SQLite."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import shutil
import sqlite3
import subprocess
import time
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import fiona
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from report_fixture import CONTROLS, EMOJI, FORMULA, LINK, LONG, RIGHT_TO_LEFT, SCRIPT, toy_report

from lzgis.errors import ExportError
from lzgis.exports.gis.gpkg import write_gpkg
from lzgis.exports.gis.qgis_style import Category, LayerStyle, qml
from lzgis.model.report import FINDING_COLUMNS, Report


def written(report: Report, folder: Path, language: Any = "zh") -> Path:
    path = folder / "findings.gpkg"
    write_gpkg(report, path, language=language)
    return path


def features(path: Path, layer: str) -> list[dict[str, Any]]:
    with fiona.open(path, layer=layer) as source:
        return [dict(feature["properties"]) for feature in source]


def rows(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def test_layers_are_separated_by_geometry_type(tmp_path: Path) -> None:
    path = written(toy_report(), tmp_path)
    shapes = {}
    for layer in fiona.listlayers(path):
        with fiona.open(path, layer=layer) as source:
            shapes[layer] = source.schema["geometry"]
            if source.schema["geometry"] != "None":
                assert source.crs.to_epsg() == 4490
    assert shapes == {
        "sites": "MultiPolygon",
        "sites_lines": "MultiLineString",
        "sites_points": "MultiPoint",
        "conflicts": "MultiPolygon",
        "conflicts_lines": "MultiLineString",
        "notices": "MultiPolygon",
        "notices_lines": "MultiLineString",
        "notices_points": "MultiPoint",
        "findings": "None",
        "unit_lists": "None",
        "about": "None",
        "layer_styles": "None",
    }


def test_findings_hold_every_row_and_column(tmp_path: Path) -> None:
    report = toy_report()
    found = features(written(report, tmp_path), "findings")
    assert len(found) == len(report.findings)
    for column in FINDING_COLUMNS:
        back = [row[column.name] for row in found]
        if column.dtype == "float":
            assert np.array_equal(np.array(back, dtype=float), report.findings[column.name], equal_nan=True)
        elif column.name != "basis":
            assert back == list(report.findings[column.name])
    assert found[0]["rule_title"] == "生态保护红线内禁止开发建设"


def test_conflicts_are_no_notices_and_keep_their_geometry(tmp_path: Path) -> None:
    report = toy_report()
    path = written(report, tmp_path)
    conflicts = gpd.read_file(path, layer="conflicts")
    assert list(conflicts["state"]) == ["涉及", "疑似边界误差"]
    assert shapely.equals(conflicts.geometry[0], report.findings.geometry[0])
    assert {row["severity"] for row in features(path, "notices")} == {"notice"}


def test_sites_carry_verdict_and_what_their_file_had(tmp_path: Path) -> None:
    path = written(toy_report(), tmp_path)
    found = features(path, "sites")
    assert [row["verdict"] for row in found] == ["存在禁止性冲突", "未发现冲突", "需进一步论证"]
    assert found[0]["not_checked"] == "farmland；town"
    assert found[0]["fid_2"] == 7, "a column named fid must not become the row number"
    english = features(written(toy_report(), tmp_path, "en"), "sites")
    assert english[0]["verdict_title"] == "prohibiting conflict"


def test_hostile_texts_come_back(tmp_path: Path) -> None:
    path = written(toy_report(), tmp_path)
    owners = {
        row["id"]: row["owner"] for name in ("sites", "sites_lines", "sites_points") for row in features(path, name)
    }
    assert owners == {
        "S1": EMOJI,
        "S2": CONTROLS.replace("\x00", "\\x00"),
        "S3": RIGHT_TO_LEFT,
        "S4": LINK,
        FORMULA: LONG,
    }
    assert features(path, "sites")[2]["name"] == SCRIPT


def test_names_of_columns_never_clash(tmp_path: Path) -> None:
    sites = toy_report().sites.assign(
        Verdict="a",
        FID="b",
        geom="c",
        when=pd.Timestamp("2026-01-02"),
        flag=True,
        many=[[1]] * 5,
        **{"x\x00y": 1},
    )
    sites["big"] = np.array([2**63] * 5, dtype=np.uint64)
    sites["whole"] = pd.array([1, None, 3, 4, 5], dtype="Int64")
    found = features(written(toy_report(sites=sites), tmp_path), "sites")[0]
    assert (found["Verdict_2"], found["geom_2"], found["x\\x00y"]) == ("a", "c", 1)
    assert found["verdict"] == "存在禁止性冲突"
    assert (found["FID_3"], found["big"], found["whole"], found["many"]) == ("b", str(2**63), "1", "[1]")
    assert found["when"].startswith("2026-01-02")
    assert found["flag"] is True


def test_a_site_without_geometry_and_a_collection_are_not_lost(tmp_path: Path) -> None:
    sites = toy_report().sites.copy()
    sites.loc[0, "geometry"] = None
    sites.loc[1, "geometry"] = shapely.GeometryCollection(
        [sites.geometry[3], shapely.MultiLineString([sites.geometry[1]]), sites.geometry[2]]
    )
    path = written(toy_report(sites=sites), tmp_path)
    assert [row["id"] for row in features(path, "sites")] == ["S1", "S2", "S4", FORMULA]
    assert [row["id"] for row in features(path, "sites_lines")] == ["S2"]
    assert [row["id"] for row in features(path, "sites_points")] == ["S2", "S3"]


def test_qgis_finds_a_default_style_for_every_layer(tmp_path: Path) -> None:
    path = written(toy_report(), tmp_path)
    styles = rows(path, "SELECT f_table_name, f_geometry_column, styleQML, useAsDefault FROM layer_styles")
    spatial = rows(path, "SELECT table_name, column_name FROM gpkg_geometry_columns")
    tables = [(name, "") for name in ("findings", "unit_lists", "about")]
    assert sorted(s[:2] for s in styles) == sorted([*spatial, *tables])
    for name, column, stored, default in styles:
        root = ElementTree.fromstring(stored)
        assert default == 1
        if not column:
            assert root.find("renderer-v2") is None
            continue
        kind = {"points": "0", "lines": "1"}.get(name.rpartition("_")[2], "2")
        assert root.findtext("layerGeometryType") == kind
        symbols = {symbol.get("name") for symbol in root.iterfind("renderer-v2/symbols/symbol")}
        assert {c.get("symbol") for c in root.iterfind("renderer-v2/categories/category")} == symbols
    assert 'class="LinePatternFill"' in {s[0]: s[2] for s in styles}["conflicts"]


def test_columns_have_heads_in_the_language(tmp_path: Path) -> None:
    query = "SELECT name FROM gpkg_data_columns WHERE table_name = 'conflicts' AND column_name = 'area_m2'"
    assert rows(written(toy_report(), tmp_path), query) == [("面积（㎡）",)]
    assert rows(written(toy_report(), tmp_path, "en"), query) == [("Area (m²)",)]


def test_about_has_notice_and_provenance(tmp_path: Path) -> None:
    path = written(toy_report(), tmp_path)
    about = features(path, "about")
    assert about[0]["value"].startswith("示意数据")
    assert any("a" * 64 in row["value"] for row in about)
    described = rows(path, "SELECT description FROM gpkg_contents WHERE table_name = 'conflicts'")
    assert "示意数据" in described[0][0]


@pytest.mark.parametrize("zone", [dt.UTC, None, dt.timezone(dt.timedelta(hours=8))])
def test_same_report_same_bytes(tmp_path: Path, zone: Any) -> None:
    toy = toy_report()
    made_at = dt.datetime(2026, 11, 21, 9, 30, tzinfo=zone)
    report = toy_report(provenance=dataclasses.replace(toy.provenance, made_at=made_at))
    first = written(report, tmp_path).read_bytes()
    time.sleep(1.1)
    assert written(report, tmp_path).read_bytes() == first
    hour = "01" if zone and zone != dt.UTC else "09"
    dates = rows(tmp_path / "findings.gpkg", "SELECT DISTINCT last_change FROM gpkg_contents")
    assert dates == [(f"2026-11-21T{hour}:30:00.000Z",)]


def test_a_report_of_nothing_still_opens(tmp_path: Path) -> None:
    toy = toy_report()
    path = written(
        toy_report(
            sites=toy.sites.iloc[:0],
            findings=toy.findings.iloc[:0],
            verdicts=toy.verdicts.iloc[:0],
            unit_lists=toy.unit_lists.iloc[:0],
        ),
        tmp_path,
    )
    assert features(path, "sites") == []
    assert fiona.listlayers(path)[:3] == ["sites", "conflicts", "notices"]


def test_a_label_cannot_break_out_of_a_style() -> None:
    style = LayerStyle("\"a\" = '<&>'", [Category("<v>", '"/><script>', "#123456")], "'<'", map_tip="</mapTip><b>")
    root = ElementTree.fromstring(qml(style, {"<f>": '"&'}, "polygon"))
    assert root.find("renderer-v2").get("attr") == "\"a\" = '<&>'"  # type: ignore[union-attr]
    assert root.find("aliases/alias").attrib == {"index": "1", "field": "<f>", "name": '"&'}  # type: ignore[union-attr]
    assert root.findtext("mapTip") == "</mapTip><b>"


def test_headings_are_in_the_styles_too(tmp_path: Path) -> None:
    """GDAL before 3.7 does not read the headings of the schema extension."""
    path = written(toy_report(), tmp_path)
    titles = {
        (table, column): title
        for table, column, title in rows(path, "SELECT table_name, column_name, title FROM gpkg_data_columns")
    }
    for table, stored in rows(path, "SELECT f_table_name, styleQML FROM layer_styles"):
        aliases = {one.get("field"): one.get("name") for one in ElementTree.fromstring(stored).iter("alias")}
        assert {column: titles[table, column] for column in aliases} == aliases
        assert set(aliases) == {column for name, column in titles if name == table}


def test_the_version_is_one_that_older_programs_read_without_a_warning(tmp_path: Path) -> None:
    path = written(toy_report(), tmp_path)
    assert rows(path, "PRAGMA user_version") == [(10300,)]
    if shutil.which("ogrinfo") is None:
        pytest.skip("no ogrinfo")
    listed = subprocess.run(["ogrinfo", "-ro", path], capture_output=True, text=True, check=True)
    assert "Warning" not in listed.stderr + listed.stdout
    assert "sites (Multi Polygon)" in listed.stdout


def project(path: Path) -> ElementTree.Element:
    ((name, content),) = rows(path, "SELECT name, content FROM qgis_projects")
    with zipfile.ZipFile(io.BytesIO(bytes.fromhex(content.decode()))) as packed:
        assert packed.namelist() == [f"{name}.qgs"]
        return ElementTree.fromstring(packed.read(f"{name}.qgs"))


def test_the_file_holds_a_project_with_groups_relations_and_a_layout(tmp_path: Path) -> None:
    path = written(toy_report(), tmp_path)
    root = project(path)
    sources = {one.findtext("id"): one.findtext("datasource") for one in root.iter("maplayer")}
    layers = {name for (name,) in rows(path, "SELECT table_name FROM gpkg_contents WHERE identifier <> 'layer_styles'")}
    assert set(sources.values()) == {f"./{path.name}|layername={name}" for name in layers}
    groups = [one.get("name") for one in root.findall("layer-tree-group/layer-tree-group")]
    assert groups == ["项目", "冲突部分", "提示部分", "表格"]
    assert {one.get("id") for one in root.iter("layer-tree-layer")} == set(sources)
    related = [
        (
            sources[one.get("referencedLayer")].rpartition("=")[2],
            sources[one.get("referencingLayer")].rpartition("=")[2],
        )  # type: ignore[index,union-attr]
        for one in root.iter("relation")
    ]
    assert ("sites", "findings") in related
    assert ("sites_points", "conflicts") in related
    assert len({one.get("id") for one in root.iter("relation")}) == len(related)
    (layout,) = root.iter("Layout")
    assert {one.get("type") for one in layout.iter("LayoutItem")} == {"65638", "65639", "65641", "65642", "65646"}
    (legend,) = layout.iterfind("LayoutItem[@type='65642']")
    listed = {sources[one.get("id")].rpartition("=")[2] for one in legend.iter("layer-tree-layer")}  # type: ignore[union-attr]
    assert "sites" in listed and not {"findings", "about"} & listed
    assert root.findtext("projectCrs/spatialrefsys/authid") == "EPSG:4546"


def test_a_failing_database_is_an_export_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("lzgis.exports.gis.gpkg._date", full)
    with pytest.raises(ExportError, match=r"findings\.gpkg: cannot be written: database or disk is full"):
        written(toy_report(), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("layer", ["sites", "conflicts", "findings"])
def test_layers_have_metadata_with_title_dates_and_hashes(tmp_path: Path, layer: str) -> None:
    path = written(toy_report(), tmp_path)
    query = (
        "SELECT m.mime_type, m.metadata FROM gpkg_metadata m JOIN gpkg_metadata_reference r ON r.md_file_id = m.id"
        f" WHERE r.table_name = '{layer}' AND r.reference_scope = 'table'"
    )
    found = dict(rows(path, query))
    facts = json.loads(found["application/json"])
    assert facts["title"]
    assert facts["as_of"] == "2026-11-21"
    source = facts["sources"][0]
    assert (source["name"], source["date"], source["sha256"]) == ("redline.gpkg", "2022-10-14", "a" * 64)
    root = ElementTree.fromstring(found["text/xml"])
    assert root.findtext("title") == facts["title"]
    assert "a" * 64 in (root.findtext("abstract") or "")


def test_metadata_is_registered_and_dated_by_the_report(tmp_path: Path) -> None:
    path = written(toy_report(), tmp_path)
    assert len(rows(path, "SELECT * FROM gpkg_extensions WHERE extension_name = 'gpkg_metadata'")) == 2
    assert rows(path, "SELECT DISTINCT timestamp FROM gpkg_metadata_reference") == [("2026-11-21T09:30:15.000Z",)]
