"""Divisions on two levels, prefectures and counties: every table that names a division names both."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

import lzgis as lz
from lzgis.audits.audit import audit
from lzgis.coordinates.plane import CGCS2000
from lzgis.exports.leader_summary import summary_of
from lzgis.exports.report_text import ReportText

CATALOGUE = """
[city]
name = "一省"
divisions = ["prefectures", "counties"]
[layer.city]
title = "省域"
role = "outline"
source = "city.gpkg"
[layer.prefectures]
title = "地市"
role = "context"
source = "prefectures.gpkg"
[layer.counties]
title = "区县"
role = "context"
source = "counties.gpkg"
[layer.redline]
title = "生态保护红线"
source = "redline.gpkg"
"""
RULE = """
[rule.{id}]
kind = "{kind}"
layer = "redline"
{more}
title = "{id}"
severity = "prohibited"
strength = "law"
basis = [{{ document = "made" }}]
effective_from = 2020-01-01
"""
BOOK = """
[book]
name = "省规则"
version = "1"
[layers]
redline = "生态保护红线"
[document.made]
title = "规则"
certainty = "lore"
"""
#: Prefecture 东 holds the counties 甲 and 乙, prefecture 西 the county 丙; each county is 0.1 by 0.1 degrees.
COUNTIES = {"丙": 112.0, "甲": 112.1, "乙": 112.2}


def write(folder: Path, name: str, shapes: dict[str, shapely.Geometry]) -> None:
    made = gpd.GeoDataFrame({"id": [*shapes], "name": [*shapes]}, geometry=[*shapes.values()], crs=CGCS2000)
    made.to_file(folder / f"{name}.gpkg", engine="pyogrio")


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("province")
    write(folder, "city", {"省": shapely.box(112.0, 25.0, 112.3, 25.1)})
    write(
        folder,
        "prefectures",
        {"西": shapely.box(112.0, 25.0, 112.1, 25.1), "东": shapely.box(112.1, 25.0, 112.3, 25.1)},
    )
    write(folder, "counties", {name: shapely.box(x, 25.0, x + 0.1, 25.1) for name, x in COUNTIES.items()})
    # The redline lies on both sides of the border of the counties 甲 and 乙, and beyond the province in the east.
    write(
        folder,
        "redline",
        {"r": shapely.box(112.19, 25.04, 112.21, 25.06), "s": shapely.box(112.29, 25.0, 112.31, 25.01)},
    )
    (folder / "catalog.toml").write_text(CATALOGUE, "utf-8")
    rules = RULE.format(id="redline", kind="avoid", more="") + RULE.format(
        id="within", kind="inside", more='other = "outline"'
    )
    (folder / "rules.toml").write_text(BOOK + rules, "utf-8")
    return folder


def test_tables_name_prefecture_and_county(province: Path) -> None:
    shapes = [shapely.box(112.195, 25.045, 112.205, 25.055), shapely.box(112.05, 25.05, 112.051, 25.051)]
    sites = gpd.GeoDataFrame({"id": ["s1", "s2"]}, geometry=shapes, crs=CGCS2000)
    report = lz.screen(sites, province, as_of="2026-01-01")

    found = report.breakdown[["level", "division_name"]].to_numpy().tolist()
    assert found == [["prefectures", "东"], ["counties", "甲"], ["counties", "乙"]]
    halves = report.breakdown["area_m2"].to_numpy(dtype=float)
    assert halves[1] + halves[2] == pytest.approx(halves[0], abs=0.011)
    townships = [name for name, _ in summary_of(ReportText(report, "zh")).townships]
    assert sorted(townships) in ([["东 · 乙", "西 · 丙"], ["东 · 甲", "西 · 丙"]])


def test_an_audit_names_prefecture_and_county(province: Path) -> None:
    assert set(audit(province, as_of="2026-01-01").conflicts["place"]) == {"东 · 乙"}
