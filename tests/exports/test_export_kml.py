"""The KML, read back by an XML parser, by GDAL and by lzgis itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyogrio
import pytest
import shapely
from report_fixture import toy_report

from lzgis.exports import export
from lzgis.model.report import Report
from lzgis.model.rules import Severity

NAMES = {"k": "http://www.opengis.net/kml/2.2"}


def written(report: Report, folder: Path, language: Any = "zh") -> Path:
    return export(report, folder / "findings.kml", language=language)


def folders(path: Path) -> dict[str, list[ElementTree.Element]]:
    root = ElementTree.parse(path).getroot()
    return {
        str(one.findtext("k:name", namespaces=NAMES)): one.findall("k:Placemark", NAMES)
        for one in root.iterfind("k:Document/k:Folder", NAMES)
    }


def facts(placemark: ElementTree.Element) -> dict[str, str]:
    return {
        str(one.get("name")): str(one.findtext("k:value", namespaces=NAMES))
        for one in placemark.iterfind("k:ExtendedData/k:Data", NAMES)
    }


def test_every_site_and_every_part_is_a_placemark_with_an_existing_style(tmp_path: Path) -> None:
    report = toy_report()
    path = written(report, tmp_path)
    found = folders(path)
    assert list(found) == ["项目", "冲突部分"]
    assert [facts(one)["id"] for one in found["项目"]] == report.sites["id"].tolist()
    grave = report.findings[~report.findings.geometry.isna() & (report.findings["severity"] != Severity.NOTICE)]
    assert [facts(one)["site_id"] for one in found["冲突部分"]] == grave["site_id"].tolist()
    styles = {f"#{one.get('id')}" for one in ElementTree.parse(path).getroot().iterfind("k:Document/k:Style", NAMES)}
    assert {one.findtext("k:styleUrl", namespaces=NAMES) for one in (*found["项目"], *found["冲突部分"])} <= styles


def test_notice_and_disclaimer_stand_in_the_document(tmp_path: Path) -> None:
    root = ElementTree.parse(written(toy_report(), tmp_path)).getroot()
    described = str(root.findtext("k:Document/k:description", namespaces=NAMES))
    assert toy_report().city.notice in described
    assert "不等于" in described


def test_colours_are_those_of_the_verdicts_in_the_order_of_kml(tmp_path: Path) -> None:
    # Prohibited is #b3122a: opaque, then blue 2a, green 12, red b3.
    text = written(toy_report(), tmp_path).read_text("utf-8")
    assert '<Style id="verdict-0"><IconStyle><color>ff2a12b3</color>' in text


def test_gdal_reads_the_shapes_that_were_written(tmp_path: Path) -> None:
    report = toy_report()
    path = written(report, tmp_path, "en")
    assert len(pyogrio.list_layers(path)) == 2
    read = pyogrio.read_dataframe(path, layer=pyogrio.list_layers(path)[0, 0])
    known = report.sites.geometry.to_numpy()
    drawn = [shape for shape in known if shape is not None and not shape.is_empty]
    back = shapely.force_2d([shape for shape in read.geometry if shape is not None])
    assert len(back) == len(drawn)
    for one, other in zip(back, drawn, strict=True):
        assert shapely.equals(shapely.normalize(one), shapely.normalize(other))


def test_a_hole_and_a_collection_are_not_lost(tmp_path: Path) -> None:
    sites = toy_report().sites.copy()
    ring = shapely.box(112.4, 24.9, 112.41, 24.91).difference(shapely.box(112.404, 24.904, 112.406, 24.906))
    sites.loc[0, "geometry"] = shapely.GeometryCollection([ring, shapely.Point(112.3, 24.8)])
    (first, *_) = folders(written(toy_report(sites=sites), tmp_path))["项目"]
    assert len(first.findall("k:MultiGeometry/k:Polygon/k:innerBoundaryIs", NAMES)) == 1
    assert first.findtext("k:MultiGeometry/k:Point/k:coordinates", namespaces=NAMES) == "112.3,24.8"


@pytest.mark.parametrize("name", ["<b>&", "a\x00b\x1f", "]]>"])
def test_hostile_names_stay_text(tmp_path: Path, name: str) -> None:
    sites = toy_report().sites.copy()
    sites.loc[0, "name"] = name
    (first, *_) = folders(written(toy_report(sites=sites), tmp_path))["项目"]
    assert first.findtext("k:name", namespaces=NAMES) == facts(first)["id"] + " " + facts(first)["name"]


def test_same_report_same_bytes(tmp_path: Path) -> None:
    first = written(toy_report(), tmp_path).read_bytes()
    assert written(toy_report(), tmp_path).read_bytes() == first
