"""Catalogues, rule books, regions, indicators and decisions that are wrong or hostile: each is refused with its place."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import toy

from lzgis.city.catalogue import open_catalogue
from lzgis.city.region import open_region
from lzgis.errors import ConfigError, LzgisError
from lzgis.rasters.indicators import indicators
from lzgis.screening.overrides import read_overrides
from lzgis.screening.screen import screen

SITES = toy.sites(toy.square(-50, 100), toy.square(-3000, 0))
NUL = "a\\u0000"


@pytest.fixture
def city(tmp_path: Path) -> Path:
    return toy.city(tmp_path / "city")


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('version = "1"', f'version = "1"\nextends = ["{NUL}.toml"]', "no name of a file"),
        ('version = "1"', f'version = "1"\nextends = ["{"a" * 5000}.toml"]', "no name of a file"),
        ('"*" = 5', '"*" = -5', "greater than or equal to 0"),
        ('aliases = ["居住"]', 'aliases = [" "]', "a name is empty"),
    ],
)
def test_rule_books(city: Path, before: str, after: str, message: str) -> None:
    change(city / "rules.toml", before, after)
    with pytest.raises(ConfigError, match=message):
        _ = open_catalogue(city).book


REGION = '[region]\nname = "区"\ncities = ["city"]\n'
LAYER = '[layer.x]\ntitle = "x"\ndate = 2020-01-01\nsource = "{}"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (REGION.replace('"city"', f'"{NUL}"'), "region.cities: is no name of a file"),
        (REGION.replace('"city"', f'"{"a" * 5000}"'), "region.cities: is no name of a file"),
        (REGION + f'rules = "{NUL}"\n', "region.rules: is no name of a file"),
        (REGION + 'rules = "../x.toml"\n', "outside the folder of the region"),
        (REGION + LAYER.format(NUL), "layer.x: is no name of a file"),
        (REGION + LAYER.format("../a.gpkg"), "outside the folder of the region"),
        (REGION + LAYER.format("x://../../a.gpkg"), "outside the folder of the region"),
        (
            REGION + LAYER.format("a.gpkg") + 'versions = [{ source = "../b.gpkg", date = 2010-01-01 }]\n',
            "outside the folder of the region",
        ),
        (REGION + 'tolerance_m = "20"\n', "a finite number is needed"),
        (REGION + "tolerance_m = true\n", "a finite number is needed"),
    ],
)
def test_regions(city: Path, text: str, message: str) -> None:
    (city.parent / "region.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=message):
        open_region(city.parent)


PLAN = """[plan]
title = "规划"
base_year = 2020
years = [2025]
values = "values.csv"
[[indicator]]
number = 1
title = "甲"
targets = { 2025 = 10.0 }
"""
VALUES = "number,part,year,value,source\n1,,2024,9,统计\n"


def plan(city: Path, text: str = PLAN, values: bytes = VALUES.encode()) -> float | None:
    (city / "indicators.toml").write_text(text, "utf-8")
    (city / "values.csv").write_bytes(values)
    return indicators(city).rows[0].value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_a_table_of_indicators_in_any_encoding_of_a_spreadsheet(city: Path, encoding: str) -> None:
    assert plan(city, values=VALUES.encode(encoding)) == 9


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (VALUES.replace(",9,", ",nan,"), "line 2: is not a row of indicator values"),
        (VALUES.replace(",9,", ",inf,"), "line 2: is not a row of indicator values"),
        (VALUES.strip() + ",多\n", "line 2: is not a row of indicator values"),
        (VALUES + "1,,2024,11,另一处\n", "line 3: gives the value of 2024 again"),
        (VALUES + '1,,2023,1,"甲\n1,,2022,1,乙\n', "is no line of a table"),
    ],
)
def test_values_of_indicators(city: Path, values: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan(city, values=values.encode())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PLAN.replace("values.csv", NUL), "plan.values: is no name of a file"),
        (PLAN.replace("values.csv", "../values.csv"), "outside the folder of the city"),
        (PLAN.replace("values.csv", "/etc/hostname"), "outside the folder of the city"),
        (PLAN.replace("values.csv", "."), "is no ordinary file"),
        (PLAN + '[[indicator]]\nnumber = 1\ntitle = "乙"\n', "indicator 1 is given twice"),
        (PLAN.replace("10.0", "nan"), "a finite number is needed"),
        (PLAN.replace("10.0", '"10"'), "a finite number is needed"),
        (PLAN.replace("number = 1", "number = true"), "a finite number is needed"),
        (PLAN + 'measure = { layer = "redline", of = "roads" }\n', "layer 'roads' has no area"),
    ],
)
def test_indicators(city: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan(city, text)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("name", ["catalog.toml", "rules.toml", "redline.gpkg", "values.csv", "overrides.toml"])
def test_a_pipe_is_not_waited_for(city: Path, name: str) -> None:
    (city / "indicators.toml").write_text(PLAN, "utf-8")
    (city / name).unlink(missing_ok=True)
    os.mkfifo(city / name)
    read: dict[str, Callable[[], object]] = {
        "values.csv": lambda: indicators(city),
        "overrides.toml": lambda: read_overrides(city / name),
    }
    with pytest.raises(LzgisError, match="is no ordinary file"):
        read.get(name, lambda: screen(SITES, city, as_of=toy.AS_OF))()


def test_a_decision_needs_a_reason_that_is_more_than_blanks(tmp_path: Path) -> None:
    entry = '[[override]]\nsite = "s1"\nrule = "redline"\nreason = " "\nauthor = "甲"\ndate = 2026-01-01\n'
    (tmp_path / "overrides.toml").write_text(entry + 'state = "涉及"\nseverity = "prohibited"\n', "utf-8")
    with pytest.raises(ConfigError, match="reason"):
        read_overrides(tmp_path / "overrides.toml")


def test_a_half_width_that_is_negative_is_taken_as_unknown(city: Path) -> None:
    """A road 22 m from the site: 20 m and the assumed 5 m are too near; a half-width of -9999 must not hide that."""
    toy.write(
        city / "roads.gpkg", [toy.LineString([(72, -500), (72, 500)])], **{"class": ["国道"]}, half_width_m=[-9999.0]
    )
    report = screen(SITES, city, as_of=toy.AS_OF)
    own = report.findings[(report.findings["rule"] == "road") & (report.findings["site_id"] == "s1")]
    assert not set(own["state"]) & {"不涉及"}
    assert any("taken as unknown" in one.what for one in report.problems)


def test_a_region_in_order(city: Path) -> None:
    (city.parent / "region.toml").write_text(REGION, "utf-8")
    assert list(open_region(city.parent).cities) == ["玩具市"]
    shutil.rmtree(city)


def test_a_layer_read_by_windows_whose_index_lacks_shapes(city: Path) -> None:
    """A program that edits a GeoPackage without its triggers leaves an old index, which windows rely on."""
    change(city / "catalog.toml", 'source = "redline.gpkg"', 'source = "redline.gpkg"\nread = "window"')
    answers = screen(SITES, city, as_of=toy.AS_OF).findings
    assert set(answers.loc[answers["rule"] == "redline", "state"]) >= {"涉及"}
    with sqlite3.connect(city / "redline.gpkg") as database:
        index = database.execute("SELECT name FROM sqlite_master WHERE name LIKE 'rtree%rowid'").fetchone()[0]
        database.execute(f"DELETE FROM {index.removesuffix('_rowid')}")
    with pytest.raises(LzgisError, match="its index of places lacks 2 shapes"):
        screen(SITES, city, as_of=toy.AS_OF)
