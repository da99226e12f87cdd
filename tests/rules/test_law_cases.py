"""Answers that follow from the texts of laws and of the plan, held against the rule book of the reference city."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from lzgis.city.reference import reference_city
from lzgis.model.rules import Case, Severity
from lzgis.rules.book import read_rulebook
from tests.rules.law_answers import answers_of

TABLE = tomllib.loads((Path(__file__).parent / "law_cases.toml").read_text("utf-8"))["case"]


@pytest.fixture(scope="module")
def answers():
    book = read_rulebook(reference_city() / "rules.toml")
    names = ("day", "activity", "facts", "relation")
    cases = [
        Case(rule=book.rules[0].id, state="涉及", **{name: row[name] for name in names if name in row}) for row in TABLE
    ]
    return answers_of(book, cases)


def test_every_answer_has_its_source():
    titles = [row["title"] for row in TABLE]
    assert len(titles) == len(set(titles)) >= 260
    assert all(row.get("source") or row.get("basis") or row.get("item") for row in TABLE[67:])


@pytest.mark.parametrize("number", range(len(TABLE)), ids=[row["title"] for row in TABLE])
def test_the_answer_is_the_one_of_the_texts(answers, number):
    row, rows = TABLE[number], answers[number]
    found = rows[rows["state"] == "涉及"].set_index("rule")
    ranks = [Severity(one).rank for one in found["severity"]]
    assert (list(Severity)[min(ranks)].value if ranks else "") == row["gravest"]
    for rule in row.get("rules", []):
        assert rule in found.index
    for rule in row.get("absent", []):
        assert rule not in found.index
    if "rules" in row:
        first = found.loc[row["rules"][0]]
        for name in ("severity", "route", "item"):
            assert first[name] == row.get(name, first[name])
        assert row.get("basis", "") in first["basis"]
        assert row.get("says", "") in first["procedure"]
        assert row.get("open_facts", "") in first["open_facts"]
        assert row.get("not_says", "…") not in first["note"] + first["basis"]
