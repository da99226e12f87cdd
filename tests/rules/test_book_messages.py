"""Mistakes in matters, facts, values and cases are named with their place and what to do; in Chinese too."""

from __future__ import annotations

import pytest

from lzgis.errors import ConfigError
from lzgis.model.rules import Fact, Matter
from lzgis.rules.book import read_rulebook
from lzgis.words import Words

BOOK = """
[book]
name = "书"
version = "1"
[layers]
redline = "红线"
[document.law]
title = "法"
certainty = "read"
[activity.housing]
title = "住宅"
title_en = "Housing"
[fact.key]
title = "重大项目"
title_en = "Key project"
kind = "yes-no"
[fact.size]
title = "规模"
title_en = "Size"
kind = "number"
unit = "m"
[fact.way]
title = "方式"
title_en = "Way"
kind = "word"
words = { below = ["地下"], above = ["架空"] }
[matter.redline]
title = "红线"
title_en = "Redline"
activities = ["housing"]
[rule.one]
kind = "avoid"
layer = "redline"
matter = "redline"
facts.key = ["yes"]
facts.size = [">= 500"]
facts.way = ["below"]
title = "一"
severity = "prohibited"
strength = "law"
basis = [{ document = "law" }]
effective_from = 2020-01-01
[mentions]
redline = ["生态红线"]
[values.redline]
level = ["国家级"]
[[case]]
rule = "one"
day = 2026-01-01
activity = "housing"
facts = { key = "yes" }
relation = [{ layer = "redline", at = "distance", distance_m = 5 }]
state = "不涉及"
"""

MISTAKES = [
    (
        'matter = "redline"',
        'matter = "redlin"',
        "rule 'one': matter 'redlin' is not in the book; did you mean 'redline'",
    ),
    (
        'activities = ["housing"]',
        'activities = ["house"]',
        "matter 'redline': activity 'house' is not known; did you mean",
    ),
    ("facts.key", "facts.keys", "rule 'one': fact 'keys' is not in the book; did you mean 'key'"),
    ('facts.key = ["yes"]', 'facts.key = ["maybe"]', "fact 'key' cannot be 'maybe'; allowed: no, yes"),
    ('[">= 500"]', '["many"]', "fact 'size' cannot be 'many'; give a comparison such as '>= 500'"),
    ('way = ["below"]', 'way = ["belo"]', "fact 'way' cannot be 'belo'; did you mean 'below'"),
    ('rule = "one"', 'rule = "two"', "case 1: rule 'two' is not in the book; allowed: one"),
    ('activity = "housing"', 'activity = "house"', "case 1: activity 'house' is not known; did you mean 'housing'"),
    (
        'layer = "redline", at',
        'layer = "redlines", at',
        "case 1: layer 'redlines' is not in [layers]; did you mean 'redline'",
    ),
    ('facts = { key = "yes" }', 'facts = { key = "on" }', "case 1: fact 'key' cannot be 'on'; allowed: no, yes"),
    ('at = "distance", distance_m = 5', 'at = "distance"', 'distance_m is for at = "distance", and only for it'),
    ('at = "distance", ', 'at = "inside", ', 'distance_m is for at = "distance", and only for it'),
    ('state = "不涉及"', 'state = "也许"', "case"),
    (
        "[mentions]\nredline",
        "[mentions]\nredlines",
        "mentions: layer 'redlines' is not in [layers]; did you mean 'redline'",
    ),
    ("[values.redline]", "[values.redlines]", "values: layer 'redlines' is not in [layers]; did you mean 'redline'"),
]


def error_of(tmp_path, text) -> ConfigError:
    path = tmp_path / "rules.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as error:
        read_rulebook(path)
    return error.value


def test_the_book_is_read(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(BOOK, "utf-8")
    book = read_rulebook(path)
    assert book.matters["redline"].activities == ["housing"]
    assert book.values["redline"]["level"] == ("国家级",)


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES, ids=[new for _, new, _ in MISTAKES])
def test_a_mistake_is_named_with_its_place(tmp_path, old, new, message):
    assert BOOK.count(old) >= 1
    error = error_of(tmp_path, BOOK.replace(old, new, 1))
    assert "rules.toml" in str(error)
    assert message in str(error)


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES[:10], ids=[new for _, new, _ in MISTAKES[:10]])
def test_the_mistake_is_told_in_chinese(tmp_path, old, new, message):
    error = error_of(tmp_path, BOOK.replace(old, new, 1))
    said = Words("zh").message(error.what)
    assert said != str(error.what)
    assert any("\u4e00" <= one <= "\u9fff" for one in said)


def test_the_last_day_of_a_gap_and_of_nothing_is_the_day_before_its_end():
    import datetime as dt

    matter = Matter(
        title="a",
        title_en="a",
        known_from=dt.date(2020, 1, 1),
        nothing=[(dt.date(2019, 1, 1), dt.date(2019, 7, 1))],
        gaps=[(dt.date(2021, 1, 1), dt.date(2021, 2, 1))],
    )
    known = {
        day: matter.known(dt.date.fromisoformat(day))
        for day in ("2018-12-31", "2019-01-01", "2019-06-30", "2019-07-01")
    }
    assert known == {"2018-12-31": False, "2019-01-01": True, "2019-06-30": True, "2019-07-01": False}
    assert [matter.known(dt.date(*day)) for day in ((2020, 1, 1), (2020, 12, 31), (2021, 1, 1), (2021, 1, 31), (2021, 2, 1))] == [
        True, True, False, False, True,
    ]  # fmt: skip


def test_a_fact_has_one_of_three_kinds():
    with pytest.raises(ValueError, match="kind"):
        Fact(title="a", title_en="a", kind="date")  # type: ignore[arg-type]
