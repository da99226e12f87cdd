"""What ``lzgis screen`` prints of many sites."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from report_fixture import big_report

from lzgis.cli.options import Lang
from lzgis.cli.screen import show_report
from lzgis.model.report import Problem


def test_counts_come_first_and_twenty_of_many_sites_are_printed(capsys) -> None:
    report = big_report(120, 1)
    verdicts = report.verdicts.copy()
    verdicts["verdict"] = ["未发现冲突"] * 119 + ["存在禁止性冲突"]
    show_report(replace(report, verdicts=verdicts), Lang.en, [Path("out/report.xlsx")])
    lines = capsys.readouterr().out.splitlines()
    assert [int(number) for number in re.findall(r" (\d+)(?: |$)", lines[1])] == [1, 0, 0, 119]
    named = [word for line in lines for word in line.split() if word.startswith("P00")]
    # The gravest first, then the others in the order of the file.
    assert named == ["P00119", *(f"P{i:05d}" for i in range(19))]
    assert "… 100 more in report.xlsx" in [line.strip() for line in lines]


def test_of_many_problems_twenty_are_printed(capsys) -> None:
    problems = tuple(Problem("note", f"place {i}", "is odd", "look at it") for i in range(25))
    show_report(replace(big_report(2, 1), problems=problems), Lang.en)
    lines = capsys.readouterr().out.splitlines()
    assert sum("is odd" in line for line in lines) == 20
    assert "… 5 more; --out FOLDER writes them all" in lines
