"""General requirements of province and city: dated data of the rule book, first in the list that a project must answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import toy
from shapely import box

import lzgis as lz
from lzgis.audits.recheck import recheck
from lzgis.city.catalogue import open_catalogue
from lzgis.errors import ConfigError
from lzgis.exports.map.clauses import general_texts
from lzgis.exports.public_edition import public_edition
from lzgis.exports.report_text import ReportText
from lzgis.exports.tables.answer_sheet import AnswerSheet
from lzgis.model.report import UNIT_LIST_COLUMNS, Report

# The units are the halves of the toy city west and east of x = 0.
WEST, EAST, BOTH, OUTSIDE = (
    box(-75, 10, -25, 60),
    box(25, 10, 75, 60),
    box(-25, 10, 75, 60),
    box(90_000, 0, 90_100, 100),
)
PROVINCE = """
[requirement.everywhere]
level = "province"
layer = "units"
heading = "区域布局管控"
clause = "红带内不得新建。"
basis = [{ document = "law", article = "第三条" }]
effective_from = 2020-01-01
note = "示意"
"""
CITY = """
[requirement.west]
level = "city"
layer = "units"
where.id = ["units-1"]
heading = "区域布局管控"
clause = "西部单元内从严。"
basis = [{ document = "law" }]
effective_from = 2026-01-01
[mentions]
redline = ["红带"]
"""


def with_requirements(folder: Path, text: str = CITY + PROVINCE) -> Path:
    """Add requirements to the toy city, those of the city before those of the province."""
    city = toy.city(folder)
    rules = city / "rules.toml"
    rules.write_text(rules.read_text("utf-8") + text, "utf-8")
    return city


def screened(city: Path, as_of: str = toy.AS_OF) -> Report:
    return lz.screen(toy.sites(WEST, EAST, BOTH, OUTSIDE), city, as_of=as_of)


def levels(report: Report, site: str) -> list[str]:
    lists = report.unit_lists
    return lists.loc[lists["site_id"] == site, "level"].tolist()


def test_province_then_city_then_units_for_any_order_in_the_book(tmp_path):
    report = screened(with_requirements(tmp_path))
    assert list(report.unit_lists.columns) == [c.name for c in UNIT_LIST_COLUMNS]
    assert levels(report, "s1") == ["province", "city", "unit", "unit"]
    assert levels(report, "s2") == ["province", "unit"]
    assert levels(report, "s3") == ["province", "city", "unit", "unit", "unit"]
    assert levels(report, "s4") == [], "what lies outside the city is under other requirements"
    first = report.unit_lists.iloc[0]
    assert (first["clause"], first["basis"], first["note"]) == ("红带内不得新建。", "法 第三条", "示意")
    assert first["certainty"] == open_catalogue(tmp_path).book.documents["law"].certainty


def test_requirements_are_taken_as_of_the_day(tmp_path):
    city = with_requirements(tmp_path)
    assert levels(screened(city, "2025-12-31"), "s1") == ["province", "unit", "unit"]
    assert levels(screened(city, "2026-01-01"), "s1") == ["province", "city", "unit", "unit"]


def test_without_the_layer_of_units_every_clause_is_to_be_answered(tmp_path):
    city = with_requirements(tmp_path)
    (city / "units.gpkg").unlink()
    report = screened(city)
    assert levels(report, "s2") == ["province", "city"], "it may lie in the west"


def test_facts_are_shown_beside_clauses_by_the_words_of_the_book(tmp_path):
    report = screened(with_requirements(tmp_path))
    sheet = AnswerSheet(ReportText(report, "zh"))
    facts = {site: next(sheet.clauses(site)).facts[0] for site in ("s1", "s2")}
    assert facts["s1"].startswith("生态保护红线：不涉及，最近 25.0 m")
    assert facts["s2"] == "红线：涉及，2,500 ㎡（0.2500 公顷）"


def test_a_level_of_which_the_book_has_none_is_left_to_the_planner(tmp_path):
    report = screened(with_requirements(tmp_path, PROVINCE))
    clauses = list(AnswerSheet(ReportText(report, "zh")).clauses("s2"))
    assert [(one.level, one.heading, one.blank) for one in clauses] == [
        ("province", "区域布局管控", False),
        ("city", "区域布局管控", True),
        ("unit", "区域布局管控", False),
    ]
    written, places = general_texts(ReportText(report, "zh"))
    assert [written[place]["level"] for place in places["s2"]] == ["省级总体管控要求", "市级总体管控要求"]
    assert written[places["s2"][1]]["clause"] == "规则库未载市级总体管控要求，须另行取得并逐条答复。"


def test_the_json_carries_them_and_is_read_back_for_a_new_check(tmp_path):
    city = with_requirements(tmp_path / "city")
    report = screened(city)
    lz.export(report, tmp_path / "report.json")
    rows = json.loads((tmp_path / "report.json").read_text("utf-8"))["unit_lists"]
    assert [row["clause"] for row in rows] == report.unit_lists["clause"].tolist()
    assert set(rows[0]) == {c.name for c in UNIT_LIST_COLUMNS}
    assert len(recheck(tmp_path / "report.json", city).changes) == 0


def test_the_public_edition_does_not_reveal_the_unit_by_its_clauses(tmp_path):
    city = with_requirements(tmp_path)
    toy.changed(city, "catalog.toml", ("[layer.units]\n", '[layer.units]\nconfidentiality = "internal"\n'))
    lists = public_edition(screened(city)).unit_lists
    assert set(lists["clause"]) == {"红带内不得新建。"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('level = "province"', 'level = "nation"', "requirement 'everywhere', level"),
        ('layer = "units"', 'layer = "unit"', "layer 'unit' is not in [layers]; did you mean 'units'?"),
        ('layer = "units"', 'layer = "redline"', "no rule of kind 'identify' looks at layer 'redline'"),
        ('document = "law"', 'document = "laws"', "document 'laws' is not in the book; did you mean 'law'?"),
        ('clause = "红带内不得新建。"', 'clause = ""', "requirement 'everywhere', clause"),
        ('note = "示意"', "effective_to = 2019-01-01", "effective_to is not after effective_from"),
        ('note = "示意"', 'source = "x"', "key 'source' is not known"),
    ],
)
def test_mistakes_are_named(tmp_path, old, new, message):
    city = with_requirements(tmp_path, PROVINCE.replace(old, new))
    with pytest.raises(ConfigError) as error:
        _ = open_catalogue(city).book
    assert message in str(error.value)


def test_words_for_a_layer_that_the_book_does_not_know(tmp_path):
    city = with_requirements(tmp_path, '[mentions]\nredlines = ["红带"]\n')
    with pytest.raises(ConfigError, match=r"mentions: layer 'redlines' is not in .layers.; did you mean 'redline'"):
        _ = open_catalogue(city).book
