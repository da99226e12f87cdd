"""The shipped books have cases for every rule on both sides of its limit and days, and for every exception."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from lzgis.city.reference import reference_city
from lzgis.model.rules import Certainty, Rule
from lzgis.rules.book import read_rulebook, shipped_book
from lzgis.rules.for_sites.keep_away import KeepAway
from lzgis.screening.cases import run_cases

BOOK = read_rulebook(reference_city() / "rules.toml")
RULES = [rule for rule in BOOK.rules if rule.kind != "identify"]
DAY = dt.timedelta(days=1)
#: The whole city lies in its outline, so a site outside it is no site of this city.
EVERYWHERE = {"city"}


def cases_of(rule: Rule):
    return [case for case in BOOK.cases if case.rule == rule.id]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_on_both_sides_of_the_limit(rule):
    states = {case.state for case in cases_of(rule)}
    assert states & {"涉及", "未核查"}
    assert "不涉及" in states or rule.layer in EVERYWHERE
    if isinstance(rule, KeepAway):
        gaps = {case.state: set() for case in cases_of(rule)}
        for case in cases_of(rule):
            gaps[case.state] |= {one.distance_m - rule.distance_m for one in case.relation if one.distance_m}
        assert any(-1 <= gap < 0 for gap in gaps["涉及"])
        assert any(0 < gap <= 1 for gap in gaps["不涉及"])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_on_both_sides_of_every_day(rule):
    days = {case.day for case in cases_of(rule) if case.state != "not-in-force"}
    without = {case.day for case in cases_of(rule) if case.state == "not-in-force"}
    assert rule.effective_from in days
    assert rule.effective_from - DAY in without
    if rule.effective_to is not None:
        assert rule.effective_to in without
        assert rule.effective_to - DAY in days


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.unless], ids=lambda rule: rule.id)
def test_every_exception_has_a_case(rule):
    asked = [(case.activity, bool(case.facts), case.severity) for case in cases_of(rule)]
    for one in rule.unless:
        assert any(
            activity and one.activity and BOOK.widening(activity) & set(one.activity) and facts == bool(one.facts)
            for activity, facts, severity in asked
            if severity == one.severity
        ), one.activity


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.activities], ids=lambda rule: rule.id)
def test_an_activity_that_the_rule_is_not_meant_for(rule):
    assert "不适用" in {case.state for case in cases_of(rule)}


def test_the_figures_of_the_documents_are_those_of_the_book():
    root = Path(__file__).parents[2]
    text = (root / "docs" / "rules.md").read_text("utf-8")
    rules, audits, documents, cases = len(BOOK.rules), len(BOOK.audits), len(BOOK.documents), len(BOOK.cases)
    assert f"`{cases}/{cases}`" in text
    assert f"({rules}, {audits}, {documents}, {cases})" in text
    assert f"{rules} rules for sites and {audits} for layers, on {documents} documents" in text
    named = re.search(r"(\d+) dated rules.*?(\d+) cases", (root / "CHANGELOG.md").read_text("utf-8"), flags=re.S)
    assert named is not None
    assert [int(one) for one in named.groups()] == [rules, cases]


def test_a_province_that_is_a_skeleton_has_the_national_rules():
    own, national = (read_rulebook(shipped_book(name)) for name in ("guangxi", "national"))
    assert [rule.id for rule in own.rules] == [rule.id for rule in national.rules]


def test_the_template_of_a_province_is_a_book_without_its_comment_marks(tmp_path):
    lines = [line.removeprefix("# ") for line in shipped_book("hunan").read_text("utf-8").splitlines()]
    book = tmp_path / "hunan.toml"
    book.write_text("\n".join(lines), "utf-8")
    own = [one for one in run_cases(read_rulebook(book)) if one.case.rule == "hn-settlement"]
    assert [one.holds for one in own] == [True, True, True]


def test_what_was_not_read_has_no_mark_of_a_text_that_was():
    unread = re.compile("原文未见|条文未见|据记忆|二手|未见原文")
    for rule in (*BOOK.rules, *BOOK.audits):
        if unread.search(rule.note):
            assert BOOK.certainty_of(rule.basis) is not Certainty.READ, rule.id


def test_an_article_known_less_well_than_its_document_marks_the_finding():
    assert BOOK.documents["dam-regulation"].certainty is Certainty.READ
    assert BOOK.certainty_of(BOOK.rule("reservoir-ranges-ponds").basis) is Certainty.READ
    assert BOOK.certainty_of(BOOK.rule("reservoir-ranges-works").basis) is Certainty.LORE
