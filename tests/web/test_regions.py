"""The page for several cities: the answers of the command, forms with the words of all cities, what only one city can do."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, box

pytest.importorskip("django", reason="the extra web is not installed")

import lzgis as lz
from lzgis.errors import SourceError
from lzgis.web.places import region_folder
from lzgis.web.region_versions import parts_of_region
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


def verdicts(done: dict[str, Any]) -> list[int]:
    return [int(one) for one in done["verdicts"]]


def test_one_city_of_a_region_is_chosen(region: Path, tmp_path: Path) -> None:
    office = Office(region)
    bases = office.warm_up(tmp_path)["bases"]
    assert list(bases) == ["", "甲县", "乙县", "丙县"] and len(set(bases.values())) == 4
    places = json.loads(answer_file(tmp_path, "city", "zh").read_text("ascii"))["places"]
    assert [one["name"] for one in places] == ["", "甲县", "乙县", "丙县"]
    assert "全部：甲县、乙县、丙县" in places[0]["title"] and places[1]["title"].startswith("甲县 · 甲县规则")

    # The square lies in the redline of the first county alone: for the second one it lies outside.
    sites(box(-8_500, 0, -8_400, 100), activity="输电线路").to_file(tmp_path / "one.geojson", engine="pyogrio")
    source = str(tmp_path / "one.geojson")
    for place, folder in (("甲县", "jia"), ("乙县", "yi")):
        asked = Request("screen", str(tmp_path / folder), source=source, as_of=AS_OF, place=place)
        done, alone = office.do(asked), lz.screen(source, region / folder, as_of=AS_OF)
        assert verdicts(done) == [int((alone.verdicts["verdict"] == one.value).sum()) for one in lz.Verdict]
        # The digest is that of the city alone: a screening of it is old when its own layers or rules have changed.
        assert done["basis"] == bases[place] and done["bases"] == bases
    with pytest.raises(SourceError, match="no city or rule book"):
        office.do(Request("screen", str(tmp_path / "none"), source=source, as_of=AS_OF, place="丁县"))


def test_another_rule_book_of_a_city_is_chosen(region: Path, tmp_path: Path) -> None:
    city = tmp_path / "city"
    shutil.copytree(region / "jia", city)
    text = (city / "rules.toml").read_text("utf-8")
    (city / "rules-draft.toml").write_text(
        text.replace("甲县规则", "甲县规则草案").replace('severity = "prohibited"', 'severity = "conditional"'), "utf-8"
    )
    (city / "other.toml").write_text("a = 1", "utf-8")
    office = Office(city)
    office.warm_up(tmp_path)
    places = json.loads(answer_file(tmp_path, "city", "zh").read_text("ascii"))["places"]
    assert [one["name"] for one in places] == ["", "/rules-draft.toml"]
    assert "甲县规则草案" in places[1]["title"]
    sites(box(-8_500, 0, -8_400, 100), activity="输电线路").to_file(tmp_path / "one.geojson", engine="pyogrio")
    answers = []
    for n, one in enumerate(places):
        asked = Request("screen", str(tmp_path / f"job{n}"), source=str(tmp_path / "one.geojson"), as_of=AS_OF)
        answers.append(verdicts(office.do(replace(asked, place=one["name"]))))
    assert answers == [[1, 0, 0, 0], [0, 1, 0, 0]]
    # Another day is no change, and a change of the draft concerns what was screened with it alone.
    asked = Request("screen", str(tmp_path / "past"), source=str(tmp_path / "one.geojson"), as_of="2027-01-01")
    before = office.do(asked)["bases"]
    draft = city / "rules-draft.toml"
    draft.write_text(draft.read_text("utf-8").replace("规则草案", "规则草案二"), "utf-8")
    after = office.do(replace(asked, place="/rules-draft.toml", as_of=AS_OF))
    assert after["bases"][""] == before[""]
    assert after["basis"] == after["bases"]["/rules-draft.toml"] != before["/rules-draft.toml"]


def test_several_cities_are_one_region(region: Path, tmp_path: Path) -> None:
    made = region_folder([region / "jia", region / "yi"], tmp_path / "region")
    office = Office(made)
    office.warm_up(tmp_path)
    assert list(office.city.cities) == ["甲县", "乙县"]


def test_a_version_of_a_region_has_a_new_layer_in_one_city(region: Path, tmp_path: Path) -> None:
    made = region_folder([region / "jia", region / "yi"], tmp_path / "region")
    parts = dict(parts_of_region(made))
    assert parts["0:redline"] == "甲县 · 生态保护红线" and "1:rules" in parts
    office = Office(made)
    sites(box(-8_500, 0, -8_400, 100), activity="输电线路").to_file(tmp_path / "one.geojson", engine="pyogrio")
    earlier = str(tmp_path / "job")
    office.do(Request("screen", earlier, source=str(tmp_path / "one.geojson"), as_of=AS_OF))
    moved = gpd.read_file(region / "jia" / "redline.gpkg", engine="pyogrio")
    moved["geometry"] = moved.geometry.translate(yoff=0.03)
    moved.to_file(tmp_path / "new.gpkg", engine="pyogrio")
    before, after = tmp_path / "before", tmp_path / "after"
    asked = Request(
        "propose", str(tmp_path / "proposal"), source=str(tmp_path / "new.gpkg"), part="0:redline",
        keys={"version": "2"}, before=str(before), after=str(after), as_of=AS_OF, reports=(("key", earlier),),
    )  # fmt: skip
    done = office.do(asked)
    assert (done["checked"], done["changed"]) == (1, 1)
    found = read(tmp_path / "proposal", "proposal")
    assert found["rows"][0]["site"] == "s1" and "禁止" in found["rows"][0]["before"]
    assert not found["diff"]["empty"]
    # The cities are in the copies, and the folders that they came from are as they were.
    assert lz.open_catalogue(after / "city-1").layers["redline"].version == "2"
    assert lz.open_catalogue(before / "city-1").layers["redline"].version == ""
    assert Office(after).city.name == "甲县、乙县"
    again = office.do(Request("diff", str(tmp_path / "diff"), before=str(before), after=str(after)))
    assert again == {} and not read(tmp_path / "diff", "proposal")["diff"]["empty"]
