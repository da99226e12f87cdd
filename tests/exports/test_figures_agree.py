"""The same figure stands in every output, to the last digit printed: JSON, GeoPackage, GeoJSON, workbook and map."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dossier_fixture import city_report
from python_calamine import CalamineWorkbook

import lzgis as lz
from lzgis.exports.rounding import Rounding

FIGURES = ("area_m2", "area_possible_m2", "length_m", "distance_m", "required_m", "share")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("agree")
    for name in ("report.json", "findings.gpkg", "findings.geojson", "report.xlsx", "map.html"):
        lz.export(city_report(), out / name)
    return out


def figures(
    rows: list[dict[str, Any]], form: Callable[[str, Any], Any] = lambda _, value: value
) -> list[tuple[Any, ...]]:
    """Bring rows into one order: site, rule, feature, then the figures."""
    keys = [(r["site_id"], r["rule"], r["feature_id"] or "", *(form(f, r[f]) for f in FIGURES)) for r in rows]
    return sorted(keys, key=repr)


@pytest.fixture(scope="module")
def findings(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "report.json").read_text("utf-8"))["findings"]
    assert len(found) == len(city_report().findings) > 1000
    return found


def test_the_geopackage_has_the_figures_of_the_json(folder: Path, findings: list[dict[str, Any]]) -> None:
    base = sqlite3.connect(folder / "findings.gpkg")
    base.row_factory = sqlite3.Row
    rows = [dict(row) for row in base.execute("select * from findings")]
    base.close()
    assert figures(rows) == figures(findings)


def test_the_geojson_has_the_figures_of_the_json(folder: Path, findings: list[dict[str, Any]]) -> None:
    features = json.loads((folder / "findings.geojson").read_text("utf-8"))["features"]
    rows = [f["properties"] for f in features if f["properties"]["feature_kind"] == "finding"]
    assert figures(rows) == figures(findings)


def test_the_workbook_has_the_figures_of_the_json_as_printed(folder: Path, findings: list[dict[str, Any]]) -> None:
    titles = {rule.id: rule.title for rule in city_report().book.rules}
    areas = []
    for name in ("核查明细", "不适用"):
        table = CalamineWorkbook.from_path(folder / "report.xlsx").get_sheet_by_name(name).to_python()
        top = next(i for i, row in enumerate(table) if row[0] == "项目编号")
        heads = {str(name): k for k, name in enumerate(table[top])}
        areas += [
            (r[0], r[heads["规则"]], r[heads["要素编号"]], r[heads["面积（㎡）"]]) for r in table[top + 1 :] if r[0]
        ]
    wanted = [
        (f["site_id"], titles[f["rule"]], f["feature_id"] or "", "" if f["area_m2"] is None else round(f["area_m2"], 2))
        for f in findings
    ]
    assert sorted(areas, key=repr) == sorted(wanted, key=repr)


def test_the_map_prints_the_figures_of_the_workbook(folder: Path, findings: list[dict[str, Any]]) -> None:
    page = (folder / "map.html").read_text("utf-8")
    review = json.loads(page.split('id="lz-review">', 1)[1].split("</script>", 1)[0])
    texts = {text for text in review["pool"] if text}
    rounding = Rounding(city_report())
    measured = [f for f in findings if f["area_m2"] and f["state"] != "不涉及"]
    assert len(measured) > 100
    for one in measured:
        area, layer = one["area_m2"], one["layer"]
        printed = f"{rounding.square_metres(area, layer)} ㎡（{rounding.hectares(area, layer)} 公顷）"
        assert any(printed in text for text in texts), one
    near = [f for f in findings if f["required_m"] is not None and f["distance_m"] is not None]
    for one in near[:200]:
        metres = rounding.metres(one["distance_m"], one["layer"], limit=one["required_m"])
        assert any(f"距 {metres} m" in text for text in texts), one
