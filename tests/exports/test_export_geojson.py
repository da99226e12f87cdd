"""GeoJSON and JSON-FG, read back with json and with GDAL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pytest
import shapely
from report_fixture import CONTROLS, FORMULA, LONG, PLANE, toy_report

from lzgis.exports import export
from lzgis.exports.folder import write_formats
from lzgis.exports.gis.geojson import write_geojson
from lzgis.exports.gis.jsonfg import write_jsonfg
from lzgis.model.report import FINDING_COLUMNS, Report

CASES = [(write_geojson, "geometry", "findings.geojson"), (write_jsonfg, "place", "findings.jsonfg")]


def document(report: Report, folder: Path, case: Any, language: Any = "zh") -> dict[str, Any]:
    write, _, name = case
    write(report, folder / name, language=language)
    read: dict[str, Any] = json.loads((folder / name).read_text("utf-8"))
    return read


@pytest.mark.parametrize("case", CASES, ids=["geojson", "jsonfg"])
def test_every_site_and_finding_is_a_feature_with_all_columns(tmp_path: Path, case: Any) -> None:
    report = toy_report()
    features = document(report, tmp_path, case)["features"]
    assert len({one["id"] for one in features}) == len(features) == len(report.sites) + len(report.findings)
    sites, findings = features[: len(report.sites)], features[len(report.sites) :]
    assert [one["properties"]["name"] for one in sites] == list(report.sites["name"])
    assert [one["properties"]["verdict"] for one in sites] == list(report.verdicts["verdict"])
    for column in FINDING_COLUMNS:
        back = [one["properties"][column.name] for one in findings]
        if column.dtype == "float":
            assert np.array_equal(np.array(back, dtype=float), report.findings[column.name], equal_nan=True)
        else:
            assert back == [v.replace("\x00", "\\x00") for v in report.findings[column.name]]
    there = [one[case[1]] is not None for one in findings]
    assert there == list(~(report.findings.geometry.isna() | report.findings.geometry.is_empty))


def test_geojson_keeps_to_its_standard(tmp_path: Path) -> None:
    report = toy_report()
    made = document(report, tmp_path, CASES[0])
    assert "crs" not in made
    assert made["bbox"] == pytest.approx(report.sites.total_bounds, abs=0.3)
    for one in made["features"]:
        shape = shapely.geometry.shape(one["geometry"]) if one["geometry"] else shapely.Polygon()
        for part in shapely.get_parts([shape]):
            assert part.geom_type != "Polygon" or part.is_empty or part.exterior.is_ccw
    assert "WGS 84" in made["crs_note"]
    assert made["notice"].startswith("示意数据")
    assert made["as_of"] == "2026-11-21"


@pytest.mark.parametrize("case", CASES, ids=["geojson", "jsonfg"])
def test_gdal_reads_the_same_areas(tmp_path: Path, case: Any) -> None:
    report = toy_report()
    document(report, tmp_path, case)
    path = tmp_path / case[2]
    if case[1] == "place":
        sites, findings = gpd.read_file(path, layer="site"), gpd.read_file(path, layer="finding")
        assert sites.crs.to_epsg() == 4490
    else:
        both = gpd.read_file(path)
        assert both.crs.to_epsg() == 4326
        sites, findings = both[both["feature_kind"] == "site"], both[both["feature_kind"] == "finding"]
    assert (len(sites), len(findings)) == (len(report.sites), len(report.findings))
    part = findings[(findings["state"] == "涉及") & (findings["kind"] == "avoid")]
    found = shapely.area(PLANE.project(part.geometry.to_numpy()))
    assert found == pytest.approx(part["area_m2"].to_numpy(), rel=1e-6)
    assert shapely.equals(sites.geometry.iloc[0], report.sites.geometry.iloc[0])


def test_jsonfg_states_its_conformance_and_puts_latitude_first(tmp_path: Path) -> None:
    made = document(toy_report(), tmp_path, CASES[1])
    assert made["coordRefSys"] == "http://www.opengis.net/def/crs/EPSG/0/4490"
    assert made["conformsTo"][0].endswith("/json-fg-1/1.0/conf/core")
    assert {one["featureType"] for one in made["features"]} == {"site", "finding"}
    point = next(one for one in made["features"] if one["id"] == "site:S3")
    assert point["place"] == {"type": "Point", "coordinates": [24.98, 112.53]}
    assert point["geometry"] is None


@pytest.mark.parametrize("case", CASES, ids=["geojson", "jsonfg"])
def test_hostile_texts_come_back_and_bytes_are_the_same(tmp_path: Path, case: Any) -> None:
    made = document(toy_report(), tmp_path, case)
    owners = {one["properties"]["id"]: one["properties"]["owner"] for one in made["features"][:5]}
    assert owners["S2"] == CONTROLS.replace("\x00", "\\x00")
    assert owners[FORMULA] == LONG
    first = (tmp_path / case[2]).read_bytes()
    export(toy_report(), tmp_path / case[2])
    assert (tmp_path / case[2]).read_bytes() == first
    english = document(toy_report(), tmp_path, case, "en")
    assert english["title"].startswith("Lianzhou")


@pytest.mark.parametrize("case", CASES, ids=["geojson", "jsonfg"])
def test_a_column_of_the_sites_cannot_pass_for_ours_and_nothing_gives_an_empty_collection(
    tmp_path: Path, case: Any
) -> None:
    toy = toy_report()
    made = document(toy_report(sites=toy.sites.assign(feature_kind="finding")), tmp_path, case)
    first = made["features"][0]["properties"]
    assert (first["feature_kind"], first["feature_kind_2"]) == ("site", "finding")
    none = {"sites": toy.sites.iloc[:0], "findings": toy.findings.iloc[:0], "verdicts": toy.verdicts.iloc[:0]}
    made = document(toy_report(**none), tmp_path, case)
    assert made["features"] == []
    assert "bbox" not in made


def test_a_style_for_qgis_stands_beside_it_in_a_result(tmp_path: Path) -> None:
    files = write_formats(toy_report(), tmp_path, ["geojson"], language="zh")
    assert [path.name for path in files] == ["findings.geojson", "findings.qml"]
    root = ElementTree.fromstring((tmp_path / "findings.qml").read_text("utf-8"))
    assert root.findtext("layerGeometryType") == "2"
    values = {one.get("value") for one in root.iter("category")}
    assert {"存在禁止性冲突", "prohibited", "sliver", "notice"} <= values
