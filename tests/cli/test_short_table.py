"""The console lists all sites of a small file, and the gravest of a large one, in lines that fit its width."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from dossier_fixture import city_report
from report_fixture import toy_report
from rich.cells import cell_len

from lzgis.cli.options import Lang
from lzgis.cli.screen import show_report
from lzgis.cli.site_lines import (
    count_lines,
    not_applicable_counts,
    reason_groups,
    routes_of,
    scope_lines,
    site_lines,
    source_lines,
)
from lzgis.model.report import State, Verdict
from lzgis.rules.book import read_rulebook, shipped_book
from lzgis.words import Words


def printed(report, width=200, language="en"):
    return [line.plain for line in site_lines(report, Words(language), width=width)]


def with_sites(report, count):
    """The same report with its verdicts repeated, all without conflicts but the last, which is prohibited."""
    row = report.verdicts.iloc[0]
    verdicts = pd.DataFrame([row] * count).reset_index(drop=True)
    verdicts["site_id"] = [f"N{number}" for number in range(count)]
    verdicts["verdict"] = ["未发现冲突"] * (count - 1) + ["存在禁止性冲突"]
    return replace(report, verdicts=verdicts)


def test_a_hundred_sites_are_all_listed():
    lines = printed(with_sites(toy_report(), 100))
    assert all(any(f" N{number} " in line for line in lines) for number in range(100))
    assert not any("more" in line for line in lines)


def test_of_more_the_gravest_come_first_and_the_rest_is_counted():
    lines = printed(with_sites(toy_report(), 1234))
    listed = [line for line in lines if re.match("[×!?√] N", line)]
    assert listed[0].startswith("× N1233 ") and len(listed) == 20
    assert "1,214 more sites" in lines[-1]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_site_has_two_lines_at_most_and_none_is_wider_than_the_console(width, language):
    report = toy_report()
    lines = printed(report, width, language)
    assert len(lines) <= 2 * len(report.verdicts)
    assert all(cell_len(line) <= width for line in lines)


def test_the_counts_of_the_verdicts_are_those_of_the_report():
    report = toy_report()
    text = count_lines(report, Words("zh"))[1].plain
    for verdict, count in report.verdicts["verdict"].value_counts().items():
        assert f"{verdict} {count}" in text


def test_every_rule_of_a_verdict_is_in_one_group():
    report = toy_report()
    routes = routes_of(report, report.verdicts["site_id"].tolist())
    for row in report.verdicts.itertuples():
        listed = [rule for rules in reason_groups(row, routes).values() for rule in rules]
        assert sorted(listed) == sorted((*row.prohibited, *row.conditional, *row.not_checked))


def test_rules_not_meant_for_an_activity_are_counted_once_per_site_and_rule():
    report = toy_report()
    findings = report.findings.iloc[[0, 0, 1]].copy()
    findings["state"] = State.NOT_APPLICABLE.value
    findings["site_id"], findings["rule"] = ["A", "A", "A"], ["r", "r", "s"]
    findings["reason"] = ["inside-not-meant", "inside-not-meant", "activity-not-meant"]
    verdicts = report.verdicts.iloc[[0]].assign(not_applicable=5)
    # Two rules with findings, one of which has the site inside, and five without.
    assert not_applicable_counts(replace(report, findings=findings, verdicts=verdicts)) == (7, 1)


def test_matters_that_are_not_covered_are_named():
    book = read_rulebook(shipped_book("national"))
    matters = list(book.matters)[:2]
    report = replace(toy_report(), book=book, not_covered=tuple(matters))
    text = "".join(line.plain for line in scope_lines(report, Words(), width=80))
    assert len(matters) == 2 and all(book.matters[one].title in text for one in matters)


def test_the_command_for_the_texts_behind_a_rule_is_named():
    report = toy_report()
    assert set(report.verdicts["verdict"]) != {Verdict.NONE_FOUND.value}
    for language in ("zh", "en"):
        (line,) = source_lines(report, Words(language))
        assert "lzgis rules explain" in line.plain
    clear = report.verdicts.assign(verdict=Verdict.NONE_FOUND.value)
    assert source_lines(replace(report, verdicts=clear), Words()) == []


def test_the_sites_of_the_plan_take_at_most_120_lines_of_80_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    show_report(city_report(), Lang.zh)
    lines = capsys.readouterr().out.splitlines()
    assert sum(max(1, -(-cell_len(line) // 80)) for line in lines) <= 120
    assert lines[0].startswith("已核查 51 个项目") and lines[-1].startswith("未发现冲突不等于合规")
