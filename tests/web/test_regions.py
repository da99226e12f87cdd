"""The page for several cities: the answers of the command, forms with the words of all cities, what only one city can do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, box

pytest.importorskip("django", reason="the extra web is not installed")

import lzgis as lz
from lzgis.errors import SourceError
from lzgis.web.requests import Request, answer_file
from lzgis.web.work import Office
from tests.region_toy import counties
from tests.toy import AS_OF, sites


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("region")
    names = ", ".join(f'"{one.name}"' for one in counties(folder))
    (folder / "region.toml").write_text(f'[region]\nname = "三县"\ncities = [{names}]\n', "utf-8")
    shapes = [LineString([(-13_900, 0), (14_000, 0)]), box(-8_500, 0, -8_400, 100)]
    sites(*shapes, activity="输电线路").to_file(folder / "sites.geojson", engine="pyogrio")
    return folder


def read(folder: Path, name: str) -> Any:
    return json.loads(answer_file(folder, name, "zh", "internal").read_text("ascii"))


def test_the_page_of_a_region_gives_the_answers_of_the_command(region: Path, tmp_path: Path) -> None:
    office = Office(region)
    office.warm_up(tmp_path)
    about, drawn = json.loads(answer_file(tmp_path, "city", "zh").read_text("ascii")), read(tmp_path, "map")
    assert about["name"] == "三县"
    assert [one["title"] for one in about["activities"]] == ["输电线路"]
    assert np.isfinite(drawn["bounds"]).all() and drawn["outline"]

    given = Request("screen", str(tmp_path / "job"), source=str(region / "sites.geojson"), as_of=AS_OF)
    looked = office.do(Request("inspect", str(tmp_path / "seen"), source=str(region / "sites.geojson")))
    done = office.do(given)
    report = lz.screen(region / "sites.geojson", region, as_of=AS_OF)

    assert looked["readable"] and looked["sites"] == 2
    assert done["verdicts"] == [int((report.verdicts["verdict"] == one.value).sum()) for one in lz.Verdict]
    made = office.do(Request("files", str(tmp_path / "job"), formats=("gpkg",), language="zh", edition="internal"))
    folder = next((tmp_path / "job").rglob("*.gpkg"))
    assert made["file"] and len(gpd.read_file(folder, layer="stretches")) == len(report.stretches)


def test_a_site_in_several_cities_is_not_moved_and_one_in_a_city_is(region: Path, tmp_path: Path) -> None:
    office = Office(region)
    office.do(Request("screen", str(tmp_path / "job"), source=str(region / "sites.geojson"), as_of=AS_OF))

    with pytest.raises(SourceError, match="does not lie in one city alone"):
        office.do(Request("avoid", str(tmp_path / "job"), site="s1", within_m=2_000))
    office.do(Request("avoid", str(tmp_path / "job"), site="s2", within_m=2_000))
    assert next((tmp_path / "job").glob("avoid-*"))


def test_a_region_is_checked_again_after_a_change(region: Path, tmp_path: Path) -> None:
    office = Office(region)
    asked = Request("screen", str(tmp_path / "first"), source=str(region / "sites.geojson"), as_of=AS_OF)
    office.do(asked)
    rules = region / "jia" / "rules.toml"
    text = rules.read_text("utf-8")
    try:
        rules.write_text(text.replace('severity = "prohibited"', 'severity = "conditional"'), "utf-8")
        again = Request(
            "recheck",
            str(tmp_path / "again"),
            source=str(region / "sites.geojson"),
            as_of=AS_OF,
            earlier=str(tmp_path / "first"),
        )
        assert office.do(again)["changed"] == 2
    finally:
        rules.write_text(text, "utf-8")
