"""`lzgis rules`: the rules in force, one rule with its sources, the cases of a book, and the reference of keys."""

from __future__ import annotations

import json

import pytest
import toy
from command_line import run

from lzgis.rules.keys import key_reference

CASE = """
[[case]]
rule = "road"
day = 2026-11-21
activity = "housing"
relation = [{ layer = "roads", at = "distance", distance_m = 19, fields = { class = "国道" } }]
state = "涉及"
severity = "prohibited"
[[case]]
rule = "redline"
day = 2019-12-31
relation = [{ layer = "redline", at = "inside" }]
state = "not-in-force"
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = toy.city(tmp_path_factory.mktemp("toy") / "city")
    rules = folder / "rules.toml"
    rules.write_text(rules.read_text("utf-8") + CASE, "utf-8")
    return folder


def listed(place, *options):
    done = run("rules", "list", "--layers", place, "--json", *options)
    assert done.returncode == 0, done.stderr
    return {one["id"]: one for one in json.loads(done.stdout)}


def test_only_the_rules_that_are_meant_for_the_activity_are_listed(place):
    everything = listed(place, "--as-of", toy.AS_OF)
    housing = listed(place, "--activity", "居住", "--as-of", toy.AS_OF)
    assert set(everything) - set(housing) == {"quarry", "caves"}
    assert everything["redline"] | {"title": ""} == {
        "id": "redline",
        "title": "",
        "title_en": "",
        "matter": "",
        "layer": "redline",
        "severity": "prohibited",
        "route": "prohibited",
        "basis": "法 第一条",
        "repealed": "",
        "certainty": "read",
        "effective_from": "2020-01-01",
        "effective_to": "",
    }
    assert "旧法（2026-01-01，法）" in everything["town"]["repealed"]


def test_no_rule_is_in_force_before_the_first_day(place):
    assert listed(place, "--as-of", "2019-12-31") == {}
    assert "redline" in listed(place, "--as-of", "2020-01-01")


@pytest.mark.parametrize(
    ("lang", "words"), [("zh", ("禁止", "已核原文", "规则代码")), ("en", ("prohibited", "Rule id"))]
)
def test_the_table_is_in_the_language_of_the_reader(place, lang, words):
    done = run("rules", "list", "--layers", place, "--as-of", toy.AS_OF, "--lang", lang)
    assert done.returncode == 0
    for word in words:
        assert word in done.stdout


def test_an_unknown_activity_is_named_with_the_nearest(place):
    done = run("rules", "list", "--layers", place, "--activity", "采矿石", "--as-of", toy.AS_OF, "--lang", "en")
    assert done.returncode == 3
    assert "activity '采矿石' is not known" in done.stderr
    assert "采石" in done.stderr


def test_a_rule_is_explained_with_its_documents_and_cases(place):
    done = run("rules", "explain", "road", "--json", "--layers", place)
    shown = json.loads(done.stdout)
    assert shown["rule"]["distance_m"] == 20
    assert shown["documents"] == {"law": {"title": "法", "certainty": "read", "effective_from": "2020-01-01"}}
    assert [case["state"] for case in shown["cases"]] == ["涉及"]


def test_a_rule_is_explained_in_words(place):
    shown = run("rules", "explain", "road", "--layers", place).stdout.splitlines()
    assert "依据：法 第二条（2020-01-01 起施行；已核原文）" in shown
    assert "核实程度：已核原文" in shown
    assert any(line.startswith("要求距离（m）：20") for line in shown)
    english = run("rules", "explain", "road", "--layers", place, "--lang", "en").stdout
    assert "effective 2020-01-01; text read" in english


def test_a_rule_is_explained_by_the_title_that_the_outputs_print(place):
    shown = json.loads(run("rules", "explain", "road", "--json", "--layers", place).stdout)
    title = shown["rule"]["title"]
    for given in (title, f"{title[:-1]}…"):
        assert json.loads(run("rules", "explain", given, "--json", "--layers", place).stdout) == shown


def test_a_rule_that_is_not_there_is_named_with_the_nearest(place):
    done = run("rules", "explain", "redlin", "--layers", place)
    assert done.returncode == 3
    assert "redline" in done.stderr


def test_the_cases_that_hold_are_counted(place):
    for where in (place, place / "rules.toml"):
        done = run("rules", "check", where)
        assert (done.returncode, done.stdout) == (0, "2/2\n")


def test_a_case_that_does_not_hold_is_printed_and_ends_with_1(place, tmp_path):
    book = (place / "rules.toml").read_text("utf-8").replace("distance_m = 19,", "distance_m = 21,")
    (tmp_path / "rules.toml").write_text(book, "utf-8")
    done = run("rules", "check", tmp_path / "rules.toml")
    assert done.returncode == 1
    assert done.stdout == "1 road housing 2026-11-21: 涉及 prohibited ≠ 不涉及 prohibited\n1/2\n"
    rows = json.loads(run("rules", "check", tmp_path / "rules.toml", "--json").stdout)
    assert [(one["rule"], one["holds"], one["state"]) for one in rows] == [
        ("road", False, "不涉及"),
        ("redline", True, "not-in-force"),
    ]


def test_the_reference_of_keys_is_printed():
    assert run("rules", "keys").stdout == key_reference()
