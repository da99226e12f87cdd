"""The JSON, parsed strictly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from report_fixture import CONTROLS, EMOJI, FORMULA, LINK, LONG, RIGHT_TO_LEFT, SCRIPT, toy_report

from lzgis.exports.gis.json import write_json
from lzgis.model.report import FINDING_COLUMNS, VERDICT_COLUMNS, Report


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def read(report: Report, folder: Path, language: Any = "zh") -> dict[str, Any]:
    write_json(report, folder / "report.json", language=language)
    text = (folder / "report.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return found


def test_keys_and_notice(tmp_path: Path) -> None:
    found = read(toy_report(), tmp_path)
    wanted = "schema notice disclaimer city verdicts findings counts unit_lists breakdown overrides problems"
    wanted += " not_covered provenance sites"
    assert list(found) == wanted.split()
    assert found["notice"].startswith("示意数据")
    assert found["city"]["adcode"] == "441882"
    assert found["provenance"]["as_of"] == "2026-11-21"
    assert found["provenance"]["made_at"] == "2026-11-21T09:30:15+00:00"
    assert found["provenance"]["sources"][0]["sha256"] == "a" * 64
    assert found["problems"][1]["level"] == "warning"
    assert read(toy_report(), tmp_path, "en")["notice"].startswith("Schematic")


def test_findings_and_verdicts_have_the_columns_of_the_model(tmp_path: Path) -> None:
    report = toy_report()
    found = read(report, tmp_path)
    assert all(list(f) == [c.name for c in FINDING_COLUMNS] for f in found["findings"])
    assert all(list(v) == [c.name for c in VERDICT_COLUMNS] for v in found["verdicts"])
    assert [f["rule"] for f in found["findings"]] == list(report.findings["rule"])
    assert found["findings"][1]["basis"] == ["公路安全保护条例 第十一条", "连州市生态规划 生态廊道"]
    assert found["findings"][3]["basis"] == []
    assert found["verdicts"][0]["not_checked"] == ["farmland", "town"]


def test_numbers_come_back_in_full_and_nan_as_null(tmp_path: Path) -> None:
    report = toy_report()
    found = read(report, tmp_path)
    for name in ("area_m2", "distance_m", "share"):
        back = [np.nan if f[name] is None else f[name] for f in found["findings"]]
        assert np.array_equal(back, report.findings[name].to_numpy(), equal_nan=True)


def test_sites_come_back_to_the_last_bit(tmp_path: Path) -> None:
    report = toy_report()
    found = read(report, tmp_path)["sites"]
    back = [shapely.geometry.shape(f["geometry"]) for f in found["features"]]
    assert all(shapely.equals_exact(back, report.sites.geometry.to_numpy(), 0.0))
    assert [f["id"] for f in found["features"]] == list(report.sites["id"])
    (tmp_path / "sites.geojson").write_text(json.dumps(found), "utf-8")
    frame = gpd.read_file(tmp_path / "sites.geojson", engine="pyogrio")
    assert frame.crs.to_epsg() == 4490
    assert frame.geometry.iloc[2].x == 112.53


def test_hostile_texts_come_back_as_they_were(tmp_path: Path) -> None:
    found = read(toy_report(), tmp_path)
    owners = [f["properties"]["owner"] for f in found["sites"]["features"]]
    assert owners == [EMOJI, CONTROLS, RIGHT_TO_LEFT, LINK, LONG]
    assert found["findings"][-1]["site_id"] == FORMULA
    assert found["findings"][-1]["feature_name"] == SCRIPT
    assert "示意" in (tmp_path / "report.json").read_text("utf-8"), "not escaped to ASCII"


def test_values_of_every_kind_become_json(tmp_path: Path) -> None:
    sites = toy_report().sites.iloc[:2].copy()
    sites["when"] = pd.to_datetime(["2026-01-02", None])
    sites["whole"] = pd.array([1, None], dtype="Int64")
    sites["list"] = [np.array([1.5, np.nan]), {"a": np.int64(3)}]
    sites["odd"] = ["\ud800", b"x"]
    sites.loc[sites.index[1], "geometry"] = None
    features = read(toy_report(sites=sites), tmp_path)["sites"]["features"]
    first, second = (f["properties"] for f in features)
    assert (first["when"], second["when"]) == ("2026-01-02T00:00:00", None)
    assert (first["whole"], second["whole"]) == (1, None)
    assert (first["list"], second["list"]) == ([1.5, None], {"a": 3})
    assert first["odd"] == "\ud800"
    assert features[1]["geometry"] is None


def test_same_report_same_bytes(tmp_path: Path) -> None:
    read(toy_report(), tmp_path)
    first = (tmp_path / "report.json").read_bytes()
    read(toy_report(), tmp_path)
    assert (tmp_path / "report.json").read_bytes() == first


@pytest.mark.parametrize("key", ["findings", "verdicts"])
def test_one_element_per_line(tmp_path: Path, key: str) -> None:
    found = read(toy_report(), tmp_path)
    lines = (tmp_path / "report.json").read_text("utf-8").split("\n")
    assert [json.loads(line.rstrip(",")) for line in lines if line.startswith('{"site_id": ')][:5] == found["verdicts"]
    start = lines.index(f'"{key}": [') if f'"{key}": [' in lines else lines.index(f',"{key}": [')
    assert len(lines) > start + len(found[key])
