"""The shipped books answer their own cases, and a wrong expectation is reported."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely

from lzgis.city.reference import reference_city
from lzgis.model.report import FINDING_COLUMNS, Verdict
from lzgis.model.rules import Severity
from lzgis.rules.book import not_covered, read_rulebook, unknown_matters
from lzgis.rules.for_sites.plane import PlaneSites
from lzgis.screening.cases import run_cases
from lzgis.screening.subjects import Subjects
from lzgis.screening.verdicts import verdicts

BOOK = read_rulebook(reference_city() / "rules.toml")


def test_all_cases_hold() -> None:
    outcomes = run_cases(BOOK)
    assert len(outcomes) >= 120
    assert [(one.number, one.case.rule, one.state) for one in outcomes if not one.holds] == []


def test_every_rule_that_judges_has_a_case() -> None:
    judged = {rule.id for rule in BOOK.rules if rule.kind != "identify"}
    assert judged <= {case.rule for case in BOOK.cases}


def test_wrong_expectation_does_not_hold() -> None:
    case = next(one for one in BOOK.cases if one.severity is Severity.PROHIBITED)
    wrong = case.model_copy(update={"severity": Severity.NOTICE})
    assert [one.holds for one in run_cases(replace(BOOK, cases=(case, wrong)))] == [True, False]


def test_pumped_storage_names_the_fact_that_would_settle_it() -> None:
    outcomes = [o for o in run_cases(BOOK) if o.case.activity == "pumped-storage" and not o.case.facts]
    assert [(one.route, one.open_facts) for one in outcomes] == [("prohibited", "national_key_project")]


@pytest.mark.parametrize(
    ("day", "unknown"), [("2019-10-31", True), ("2019-11-01", False), ("2022-08-15", False), ("2026-11-21", False)]
)
def test_redline_is_unknown_before_its_first_rule(day: str, unknown: bool) -> None:
    assert ("redline" in unknown_matters(BOOK, dt.date.fromisoformat(day))) is unknown


@pytest.mark.parametrize(("day", "verdict"), [("2015-01-01", Verdict.INCOMPLETE), ("2026-11-21", Verdict.NONE_FOUND)])
def test_without_findings_an_unknown_matter_leaves_the_check_incomplete(day: str, verdict: Verdict) -> None:
    site = PlaneSites(np.array([shapely.box(0, 0, 40, 40)], dtype=object))
    table = pd.DataFrame({"id": ["1"], "name": ["1"]})
    subjects = Subjects(
        table, np.array(["housing"], dtype=object), site, replace(BOOK, rules=BOOK.rules[:1]), np.zeros(1, bool)
    )
    nothing = pd.DataFrame({column.name: pd.Series(dtype=object) for column in FINDING_COLUMNS})
    subjects.concerned[BOOK.rules[0].id][:] = False
    found = verdicts(nothing, subjects, dt.date.fromisoformat(day))
    assert list(found["verdict"]) == [verdict]
    assert set(found["ladder"][0]) == {verdict}


def test_gap_between_the_wind_notices_is_unknown() -> None:
    assert "wind" in unknown_matters(BOOK, dt.date(2025, 1, 1))


def test_not_covered_lacks_what_layers_answer() -> None:
    day = dt.date(2026, 11, 21)
    assert "redline" not in not_covered(BOOK, {"redline"}, day)
    assert {"redline", "airspace", "military"} <= set(not_covered(BOOK, set(), day))
