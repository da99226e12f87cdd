"""The indicators of a plan against their targets, and the table of key projects."""

from __future__ import annotations

import csv
import shutil
import zipfile
from pathlib import Path

import pytest

from lzgis.city.catalogue import open_catalogue
from lzgis.city.reference import reference_city
from lzgis.errors import ConfigError
from lzgis.exports.indicators import write_indicators_html, write_indicators_xlsx
from lzgis.model.indicators import Standing
from lzgis.rasters.indicators import IndicatorReport, indicators


@pytest.fixture(scope="module")
def report() -> IndicatorReport:
    return indicators(reference_city())


def test_the_plan_has_35_indicators(report: IndicatorReport) -> None:
    assert {row.indicator.number for row in report.rows} == set(range(1, 36))


def test_sewage_meets_the_target_of_2022_alone(report: IndicatorReport) -> None:
    row = next(r for r in report.rows if r.indicator.number == 25)
    assert (row.value, row.year) == (86.38, 2020)
    assert list(row.standing.values()) == [Standing.MET, Standing.NOT_MET, Standing.NOT_MET]


def test_layers_and_rasters_are_measured(report: IndicatorReport) -> None:
    found = {(r.indicator.number, r.indicator.part): r for r in report.rows if r.indicator.measure}
    assert found[15, "红线"].value == pytest.approx(568.74, abs=0.005)
    assert found[15, "红线"].standing[2030] is Standing.MET
    assert found[10, ""].value == pytest.approx(68.2103 + 8.6220, abs=0.001)  # forest and grass, README of the layers


def test_species_keep_the_base_of_the_plan(report: IndicatorReport) -> None:
    row = next(r for r in report.rows if (r.indicator.number, r.indicator.part) == (11, "野生动植物"))
    assert (row.indicator.base, row.value, row.indicator.targets[2030]) == (100, 100, 100)


def test_the_latest_value_counts(report: IndicatorReport) -> None:
    row = next(r for r in report.rows if r.indicator.number == 19)
    assert (row.value, row.year, row.standing[2022]) == (-2.0, 2020, Standing.NOT_MET)


def test_workbook_and_page(report: IndicatorReport, tmp_path: Path) -> None:
    city = open_catalogue(reference_city())
    with zipfile.ZipFile(write_indicators_xlsx(report, city, tmp_path / "i.xlsx")) as book:
        assert any(
            "城镇污水处理率" in book.read(name).decode("utf-8") for name in book.namelist() if name.endswith(".xml")
        )
    page = write_indicators_html(report, city, tmp_path / "i.html", language="en").read_text("utf-8")
    assert page.count("<tr>") == 1 + len(report.rows)
    assert 'class="not-met">not met<' in page
    assert "Urban sewage treatment" in page and "The text of the plan says 93.15 %" in page and ">binding<" in page


def test_a_row_of_no_indicator_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "city"
    shutil.copytree(reference_city(), folder)
    with (folder / "indicator_values.csv").open("a", encoding="utf-8") as table:
        table.write("99,,2021,1,x\n")
    with pytest.raises(ConfigError, match="there is no indicator 99"):
        indicators(folder)


def test_the_46_key_projects() -> None:
    text = (Path(reference_city()) / "projects.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert [int(r["number"]) for r in rows] == list(range(1, 47))
    sites = [s for r in rows for s in r["sites"].split(";") if s]
    assert len(sites) == 37
