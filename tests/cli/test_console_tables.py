"""What ``lzgis screen`` prints of many sites."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from report_fixture import big_report

from lzgis.cli.options import Lang
from lzgis.cli.screen import show_report


def test_counts_come_first_and_at_most_twenty_sites_are_printed(capsys) -> None:
    report = big_report(30, 1)
    verdicts = report.verdicts.copy()
    verdicts["verdict"] = ["未发现冲突"] * 29 + ["存在禁止性冲突"]
    show_report(replace(report, verdicts=verdicts), Lang.en, [Path("out/report.xlsx")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition(": ")[2] for line in lines[:4]] == ["1", "0", "0", "29"]
    named = [word for line in lines for word in line.split() if word.startswith("P000")]
    # The gravest first, then the others in the order of the file.
    assert named == ["P00029", *(f"P{i:05d}" for i in range(19))]
    assert "… 10 more in report.xlsx" in lines


def test_without_a_folder_the_line_says_how_to_get_the_rest(capsys) -> None:
    show_report(big_report(21, 1), Lang.en)
    assert "… 1 more; --out FOLDER writes them all" in capsys.readouterr().out.splitlines()


def test_few_sites_are_printed_in_the_order_of_the_file(capsys) -> None:
    show_report(big_report(20, 1), Lang.en)
    printed = capsys.readouterr().out
    named = [word for line in printed.splitlines() for word in line.split() if word.startswith("P000")]
    assert named == [f"P{i:05d}" for i in range(20)]
