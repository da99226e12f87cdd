"""Rule books: what they may hold, how mistakes are reported, and how one extends another."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import toy

from lzgis.city.catalogue import open_catalogue
from lzgis.errors import ConfigError
from lzgis.model.rules import Certainty, Severity
from lzgis.rules.book import activity_of, read_rulebook, shipped_book

SHIPPED = ("activities", "national", "guangdong")

HEAD = '[book]\nname = "书"\nversion = "1"\n'
BODY = """[layers]
redline = "红线"
[document.law]
title = "法"
certainty = "read"
[activity.housing]
title = "住宅"
title_en = "Housing"
aliases = ["居住"]
"""
RULE = """[rule.one]
kind = "avoid"
layer = "redline"
title = "一"
severity = "prohibited"
strength = "law"
basis = [{ document = "law" }]
effective_from = 2020-01-01
"""


def write(path, text):
    path.write_text(text, "utf-8")
    return path


def error_of(tmp_path, text) -> ConfigError:
    with pytest.raises(ConfigError) as error:
        read_rulebook(write(tmp_path / "rules.toml", text))
    return error.value


def test_a_small_book_is_read(tmp_path):
    book = read_rulebook(write(tmp_path / "rules.toml", HEAD + BODY + RULE))
    rule = book.rule("one")
    assert (book.name, book.version, rule.id, rule.kind) == ("书", "1", "one", "avoid")
    assert rule.effective_from == dt.date(2020, 1, 1)
    assert book.tolerance.ladder_m2 == [0, 50, 200, 1000]
    assert [name for name, _ in book.files] == ["rules.toml"]
    with pytest.raises(KeyError):
        book.rule("two")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'kind = "avoid"',
            'kind = "avoidd"',
            "rule 'one': kind 'avoidd' is not known; did you mean 'avoid'?",
        ),
        (
            'kind = "avoid"\n',
            "",
            "rule 'one': kind None is not known; allowed: avoid, declared_total, identify, inside, keep_away, ",
        ),
        (
            'layer = "redline"',
            'layer = "redlines"',
            "rule 'one': layer 'redlines' is not in [layers]; did you mean 'redline'?",
        ),
        (
            'document = "law"',
            'document = "lww"',
            "rule 'one': document 'lww' is not in the book; did you mean 'law'?",
        ),
        (
            "effective_from",
            'activities = ["houses"]\neffective_from',
            "rule 'one': activity 'houses' is not known; did you mean 'housing'?",
        ),
        (
            "effective_from",
            "distance_m = 20\neffective_from",
            "rule 'one': key 'distance_m' is not known; allowed: ",
        ),
        ('title = "一"\n', "", "rule 'one': key 'title' is missing; add it"),
        (
            "2020-01-01",
            "2020-01-01\neffective_to = 2020-01-01",
            "rule 'one': effective_to is not after effective_from; correct one of the dates",
        ),
        ("2020-01-01", '"2020-1-1"', "rule 'one', effective_from: '2020-1-1' is not allowed; "),
        (
            "2020-01-01\n",
            '2020-01-01\n[[rule.one.unless]]\nactivity = ["house"]\nseverity = "notice"\n',
            "rule 'one': activity 'house' is not known; did you mean 'housing'?",
        ),
        (
            'aliases = ["居住"]',
            'within = ["hous"]',
            "activity 'housing': 'hous' is not an activity; did you mean 'housing'?",
        ),
        (
            "[document.law]",
            "[tolerance]\nladder = [1]\n[document.law]",
            "tolerance: key 'ladder' is not known; did you mean 'ladder_m2'?",
        ),
        ('certainty = "read"', 'certainty = "sure"', "document.law.certainty: 'sure' is not allowed; "),
    ],
)
def test_every_mistake_is_named_with_its_place(tmp_path, old, new, message):
    text = HEAD + BODY + RULE
    assert old in text
    assert str(error_of(tmp_path, text.replace(old, new, 1))).startswith(f"rules.toml, {message}")


def test_a_distance_must_be_given_and_be_positive(tmp_path):
    keep_away = RULE.replace('"avoid"', '"keep_away"')
    error = error_of(tmp_path, HEAD + BODY + keep_away)
    assert str(error) == "rules.toml, rule 'one': key 'distance_m' is missing; add it"
    error = error_of(tmp_path, HEAD + BODY + keep_away + "distance_m = 0\n")
    assert error.place == "rules.toml, rule 'one', distance_m"


def test_the_baselines_of_a_rule_are_layers_too(tmp_path):
    keep_away = RULE.replace('"avoid"', '"keep_away"') + 'distance_m = 20\nbaselines = ["red_line"]\n'
    error = error_of(tmp_path, HEAD + BODY + keep_away)
    assert error.what == "layer 'red_line' is not in [layers]"


@pytest.mark.parametrize("twin", ["住宅", "Housing", "居住", "housing", " HOUSING "])
def test_two_activities_may_not_share_a_name(tmp_path, twin):
    other = f'[activity.flats]\ntitle = "公寓"\ntitle_en = "Flats"\naliases = ["{twin}"]\n'
    error = error_of(tmp_path, HEAD + BODY + other + RULE)
    assert str(error) == (
        f"rules.toml, activity 'flats': '{twin}' also names activity 'housing'; give each a name of its own"
    )


def test_activities_are_found_by_every_name_they_have(tmp_path):
    book = read_rulebook(write(tmp_path / "rules.toml", HEAD + BODY + RULE))
    for word in ("housing", "Housing", "住宅", " 居住 "):
        assert activity_of(book, word) == "housing"
    with pytest.raises(KeyError):
        activity_of(book, "工厂")


def extending(*names: str) -> str:
    listed = ", ".join(f'"{n}"' for n in names)
    return HEAD.rstrip() + f"\nextends = [{listed}]\n"


def test_a_book_replaces_what_it_extends_and_keeps_the_rest(tmp_path):
    write(tmp_path / "base.toml", HEAD + BODY + RULE + RULE.replace("rule.one", "rule.two"))
    own = extending("base.toml") + RULE.replace('"prohibited"', '"notice"') + "[tolerance]\nsliver_width_m = 3\n"
    book = read_rulebook(write(tmp_path / "own.toml", own))
    assert [(r.id, r.severity) for r in book.rules] == [
        ("one", Severity.NOTICE),
        ("two", Severity.PROHIBITED),
    ]
    assert book.tolerance.sliver_width_m == 3
    assert [name for name, _ in book.files] == ["base.toml", "own.toml"]


def test_of_two_extended_books_the_later_prevails(tmp_path):
    write(tmp_path / "a.toml", HEAD + BODY + RULE)
    write(tmp_path / "b.toml", HEAD + BODY + RULE.replace('"prohibited"', '"conditional"'))
    book = read_rulebook(write(tmp_path / "own.toml", extending("a.toml", "b.toml")))
    assert book.rule("one").severity == Severity.CONDITIONAL


def test_what_two_books_extend_does_not_undo_entries_of_one_of_them(tmp_path):
    write(tmp_path / "base.toml", HEAD + BODY + RULE)
    write(tmp_path / "a.toml", extending("base.toml") + RULE.replace('"prohibited"', '"notice"'))
    write(tmp_path / "b.toml", extending("base.toml") + RULE.replace("rule.one", "rule.two"))
    book = read_rulebook(write(tmp_path / "own.toml", extending("a.toml", "b.toml")))
    assert book.rule("one").severity == Severity.NOTICE
    assert [name for name, _ in book.files] == ["base.toml", "a.toml", "b.toml", "own.toml"]


@pytest.mark.parametrize("back", ["own.toml", "../books/own.toml", "./own.toml"])
def test_books_that_extend_each_other_are_refused(tmp_path, back):
    folder = tmp_path / "books"
    folder.mkdir()
    write(folder / "other.toml", extending(back) + BODY)
    with pytest.raises(ConfigError) as error:
        read_rulebook(write(folder / "own.toml", extending("other.toml")))
    assert "in a circle (own.toml → other.toml → own.toml); remove one 'extends'" in str(error.value)


def test_a_book_that_does_not_exist_or_is_not_shipped(tmp_path):
    with pytest.raises(ConfigError, match=r"missing\.toml: the file does not exist"):
        read_rulebook(write(tmp_path / "own.toml", extending("missing.toml")))
    with pytest.raises(ConfigError, match="rule book 'nationl': is not shipped with lzgis; did you mean 'national'"):
        read_rulebook(write(tmp_path / "own.toml", extending("nationl")))


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_books_are_sound(name):
    book = read_rulebook(shipped_book(name))
    for rule in book.rules:
        assert rule.title
        assert rule.title_en
        assert rule.procedure_en or not rule.procedure
        assert rule.note_en or not rule.note
        for basis in rule.basis:
            document = book.documents[basis.document]
            # A rule never begins before any text that it rests on, unless an earlier one carries it.
            assert document.certainty in Certainty
    for activity in book.activities.values():
        assert activity.title
        assert activity.title_en


@pytest.mark.parametrize("day", ["2022-08-16", "2024-01-01", "2026-03-14", "2026-08-14", "2026-08-15", "2026-11-21"])
def test_at_any_date_a_rule_in_force_rests_on_a_text_that_has_begun(day):
    book = read_rulebook(shipped_book("guangdong")).as_of(dt.date.fromisoformat(day))
    assert book.rules
    for rule in book.rules:
        begun = [book.documents[b.document].effective_from for b in rule.basis]
        assert any(b is None or b <= dt.date.fromisoformat(day) for b in begun), rule.id


def test_the_code_takes_the_place_of_the_laws_it_repeals():
    book = read_rulebook(shipped_book("national"))
    before, after = book.as_of(dt.date(2026, 8, 14)), book.as_of(dt.date(2026, 8, 15))
    ids = [{r.id for r in b.rules} for b in (before, after)]
    assert "water-source-first-2018" in ids[0]
    assert "water-source-first-2018" not in ids[1]
    assert "water-source-first" in ids[1]
    assert "water-source-first" not in ids[0]
    assert book.documents["water-pollution-law"].repealed(dt.date(2026, 8, 15))
    assert not book.documents["water-pollution-law"].repealed(dt.date(2026, 8, 14))


def test_the_distances_from_roads_are_those_of_the_regulation():
    # 公路安全保护条例 Art 11: 高速 30, 国道 20, 省道 15, 县道 10, 乡道 5 m from road land.
    book = read_rulebook(shipped_book("national"))
    building = {
        rule.where["class"][0]: rule.distance_m
        for rule in book.rules
        if rule.kind == "keep_away" and not rule.activities and rule.layer == "roads"
    }
    assert building == {"高速公路": 30, "国道": 20, "省道": 15, "县道": 10, "乡道": 5}


def test_wider_activities_are_followed_to_the_end():
    book = read_rulebook(shipped_book("activities"))
    assert book.widening("petrochemical") == {
        "built-up",
        "petrochemical",
        "park-bound-industry",
        "industry",
        "heavy-polluter",
        "discharging",
        "soil-polluter",
    }
    assert book.widening("road") == {"road", "linear-infrastructure"}


def test_activities_within_each_other_end(tmp_path):
    circle = '[activity.a]\ntitle = "甲"\ntitle_en = "A"\nwithin = ["b"]\n'
    circle += '[activity.b]\ntitle = "乙"\ntitle_en = "B"\nwithin = ["a"]\n'
    book = read_rulebook(write(tmp_path / "rules.toml", HEAD + BODY + circle + RULE))
    assert book.widening("a") == {"a", "b"}


def test_the_reach_of_a_rule_includes_all_that_it_may_require(tmp_path):
    folder = toy.city(tmp_path / "city")
    book = open_catalogue(folder).book
    assert book.rule("road").reach_m == 29
    assert book.rule("redline").reach_m == 0
    assert book.rule("road").layers == ("zones", "roads")
    assert book.rule("quarry").layers == ("roads",)
    toy.changed(
        folder,
        "rules.toml",
        (
            "zone_distance_m = 0",
            "zone_distance_m = 50",
        ),
    )
    assert open_catalogue(folder).book.rule("road").reach_m == 59


def test_a_book_extends_books_of_its_folder_and_of_those_named(tmp_path):
    (tmp_path / "city").mkdir()
    write(tmp_path / "province.toml", HEAD + BODY + RULE)
    own = write(tmp_path / "city" / "own.toml", extending("../province.toml"))
    refused = "own.toml: extends '../province.toml', which is outside its folder; copy it there, or name its folder in"
    with pytest.raises(ConfigError, match=re.escape(refused)):
        read_rulebook(own)
    assert read_rulebook(own, outside=[tmp_path]).rule("one").id == "one"
    (tmp_path / "city" / "linked.toml").symlink_to(tmp_path / "province.toml")
    with pytest.raises(ConfigError, match="outside its folder"):
        read_rulebook(write(own, extending("linked.toml")))
