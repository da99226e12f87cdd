"""Columns worded once per distinct value."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from report_fixture import toy_report

from lzgis.exports.report_text import Coded, ReportText, coded
from lzgis.exports.tables.tables import CodedRows, Head, Table
from lzgis.exports.tables.xlsx import tables_bytes

VALUES = ["a", "b", "a", None, "b"]


@pytest.mark.parametrize("kind", ["object", "str", "category"])
def test_a_value_is_worded_once_whatever_the_type_of_the_column(kind: str) -> None:
    seen: list[str] = []

    def word(value: object) -> str:
        seen.append("" if pd.isna(value) else str(value))
        return seen[-1].upper()

    column = coded(pd.DataFrame({"x": pd.Series(VALUES, dtype=kind)}), ["x"], word)
    assert column.tolist() == ["A", "B", "A", "", "B"]
    assert sorted(seen) == ["", "a", "b"]


def test_columns_are_worded_together() -> None:
    frame = pd.DataFrame({"x": ["a", "a", "b", "a"], "y": [1.5, np.nan, 1.5, 1.5]})
    column = coded(frame, ["x", "y"], lambda x, y: (x, None if np.isnan(y) else y))
    assert column.tolist() == [("a", 1.5), ("a", None), ("b", 1.5), ("a", 1.5)]
    assert len(column.values) == 3
    assert coded(frame.iloc[:0], ["x", "y"], lambda x, y: x).tolist() == []


def test_a_block_of_cells_has_the_positions_and_values_of_the_rows() -> None:
    rows = CodedRows([Coded(np.array([1, 0, 1]), ["<&", "b"]), Coded(np.array([0, 1, 2]), [1.25, None, -3])])
    assert list(rows) == [("b", 1.25), ("<&", None), ("b", -3)]
    table = Table("findings", [Head("x"), Head("y", "area")], rows)
    archive = ZipFile(BytesIO(tables_bytes(ReportText(toy_report(), "zh"), [table])))
    sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    texts = archive.read("xl/sharedStrings.xml").decode()
    # Rows 1 to 4 hold the notices and the headings.
    assert '<row r="6"><c r="A6"' in sheet and '<c r="B6"' not in sheet
    assert "<v>1.25</v>" in sheet.partition('<c r="B5"')[2].partition("</c>")[0]
    assert "<v>-3</v>" in sheet.partition('<c r="B7"')[2].partition("</c>")[0]
    assert texts.count("<t>b</t>") == 1 and "<t>&lt;&amp;</t>" in texts
