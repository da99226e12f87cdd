"""Wording and rounding that all exporters share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from report_fixture import toy_report

from lzgis.exports.report_text import ReportText, conflicts_first, hectares, number, text
from lzgis.exports.symbology import TINTS, VERDICT_COLOURS
from lzgis.model.report import FINDING_COLUMNS, VERDICT_COLUMNS, Verdict
from lzgis.words import Words


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_column_of_the_model_has_a_head(language: Any) -> None:
    words = Words(language)
    heads = [words("column", c.name) for c in (*FINDING_COLUMNS, *VERDICT_COLUMNS)]
    assert all(heads)


def test_every_verdict_has_its_colours() -> None:
    assert set(VERDICT_COLOURS) == set(TINTS) == set(Verdict)


@pytest.mark.parametrize("missing", [None, np.nan, float("inf"), pd.NA])
def test_missing_numbers_are_none(missing: Any) -> None:
    assert number(missing, 2) is None
    assert hectares(missing) is None


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
def test_missing_texts_are_empty(missing: Any) -> None:
    assert text(missing) == ""


def test_notices_stand_behind_what_was_not_checked() -> None:
    findings = toy_report().findings
    ordered = findings.iloc[conflicts_first(findings)]
    kinds = [(s, v == "notice") for s, v in zip(ordered["state"], ordered["severity"], strict=True)]
    assert kinds.index(("涉及", True)) > max(i for i, k in enumerate(kinds) if k[0] == "未核查")


def test_a_code_without_wording_is_given_as_it_is() -> None:
    texts = ReportText(toy_report(), "zh")
    assert texts.word("rule_kind", "unheard_of") == "unheard_of"
    assert texts.reason({"reason": "brand-new", "unchecked_share": np.nan}) == "brand-new"
    assert texts.layer("nowhere") == "nowhere"
    assert texts.activity("unheard-of") == "unheard-of"


def test_the_strictest_layer_decides_the_mark() -> None:
    assert ReportText(toy_report(), "zh").confidentiality.startswith("内部资料")
    assert ReportText(toy_report(layers={}), "zh").confidentiality == ""
