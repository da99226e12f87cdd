"""The CSV of the findings, read back by other programs than the writer."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from functools import cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import lzgis as lz
from lzgis.city.reference import reference_city
from lzgis.exports.tables.findings_csv import write_findings_csv, write_metadata
from lzgis.files.csv_text import csv_bytes, write_csv
from lzgis.model.report import FINDING_COLUMNS, Report
from lzgis.screening.parts import PartArray


@cache
def report() -> Report:
    when = dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC)
    return lz.screen(reference_city() / "sites.gpkg", reference_city(), as_of="2026-11-21", made_at=when)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    path = tmp_path_factory.mktemp("csv") / "findings.csv"
    write_findings_csv(report(), path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_every_finding_is_a_row_with_the_numbers_of_the_report(rows: list[dict[str, str]]) -> None:
    table = report().table
    assert len(rows) == len(table) > 1000
    for column in FINDING_COLUMNS:
        written = [row[column.name] for row in rows]
        if column.dtype == "float":
            numbers = [float(text) if text else None for text in written]
            assert numbers == [None if one != one else one for one in table[column.name].tolist()]
        else:
            assert written == table[column.name].astype(object).where(table[column.name].notna(), "").tolist()


def test_codes_have_their_titles(rows: list[dict[str, str]]) -> None:
    row = next(row for row in rows if row["rule"] == "redline" and row["severity"] == "prohibited")
    assert (row["rule_title"], row["severity_title"]) == ("生态保护红线", "禁止")


def test_no_part_is_built(tmp_path: Path) -> None:
    made = lz.screen(reference_city() / "sites.gpkg", reference_city(), as_of="2026-11-21")
    write_findings_csv(made, tmp_path / "findings.csv")
    parts = made.findings.geometry.array
    assert isinstance(parts, PartArray) and parts.nbytes == 0


def test_the_metadata_describe_every_column_and_say_what_was_not_covered(
    rows: list[dict[str, str]], tmp_path: Path
) -> None:
    write_metadata(report(), tmp_path / "findings.csv-metadata.json")
    about = json.loads((tmp_path / "findings.csv-metadata.json").read_text("utf-8"))
    assert about["url"] == "findings.csv"
    assert [one["name"] for one in about["tableSchema"]["columns"]] == list(rows[0])
    (note,) = about["notes"]
    assert note["notice"] and note["not_covered"] and note["provenance"]["as_of"] == "2026-11-21"


FORMULAS = ["=1+1", "+1", "-1", "@a", " =2", "\tb", "\rc", "\nd", "a=1", "", "道路", 'quo"te, comma']


def test_texts_that_a_spreadsheet_would_evaluate_are_marked_as_in_other_tables(tmp_path: Path) -> None:
    table = pa.table({"text": FORMULAS, "number": [-1.5, float("nan"), 0.1, 1e-9, *[2.0] * 8]})
    write_csv([table, table], tmp_path / "a.csv")
    found = pd.read_csv(tmp_path / "a.csv", dtype={"text": str}, keep_default_na=False, na_values={"number": [""]})
    text = csv_bytes([[one] for one in FORMULAS]).decode("utf-8-sig")
    marked = [row[0] if row else "" for row in csv.reader(io.StringIO(text, newline=""))]
    assert [one[:1] == "'" for one in marked] == [True] * 8 + [False] * 4
    assert found["text"].tolist() == marked * 2
    assert found["number"].tolist()[2:4] == [0.1, 1e-9] and found["number"].isna().sum() == 2
