"""The console lists all sites of a small file, and the gravest of a large one."""

import io
from dataclasses import replace

import pandas as pd
from report_fixture import toy_report
from rich.console import Console

from lzgis.cli.tables import verdict_table
from lzgis.words import Words


def printed(report):
    console = Console(file=io.StringIO(), width=200)
    console.print(verdict_table(report, Words("en")))
    return console.file.getvalue()


def with_sites(report, count):
    """The same report with its verdicts repeated, all without conflicts but the last, which is prohibited."""
    row = report.verdicts.iloc[0]
    verdicts = pd.DataFrame([row] * count).reset_index(drop=True)
    verdicts["site_id"] = [f"N{number}" for number in range(count)]
    verdicts["verdict"] = ["未发现冲突"] * (count - 1) + ["存在禁止性冲突"]
    return replace(report, verdicts=verdicts)


def test_a_hundred_sites_are_all_listed():
    text = printed(with_sites(toy_report(), 100))
    assert all(f"N{number} " in text for number in range(100)) and "more sites" not in text


def test_of_more_the_gravest_come_first_and_the_rest_is_counted():
    text = printed(with_sites(toy_report(), 1234))
    listed = [line for line in text.splitlines() if "N" in line and "conflict" in line.lower()]
    assert "N1233 " in listed[0] and len(listed) == 20
    assert "1,214 more sites" in text
