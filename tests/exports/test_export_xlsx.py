"""The workbook, read back with another library than wrote it."""

from __future__ import annotations

import dataclasses
import time
import zipfile
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook
from report_fixture import CONTROLS, EMOJI, FORMULA, LINK, LONG, RIGHT_TO_LEFT, SCRIPT, big_report, toy_report

from lzgis.errors import ExportError
from lzgis.exports.report_text import visible
from lzgis.exports.tables import xlsx
from lzgis.exports.tables.xlsx import CELL_LIMIT, _Block, _Sheet, workbook_bytes, write_xlsx
from lzgis.model.report import Report, Verdict
from lzgis.words import Words

ZH_SHEETS = ["汇总", "结论", "核查明细", "廊道", "准入清单答复", "未核查", "不适用", "项数", "规则依据", "数据与依据"]


def read(report: Report, language: Any = "zh") -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(BytesIO(workbook_bytes(report, language=language)))
    return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}


def table(rows: list[list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(rows[3], row, strict=True)) for row in rows[4:]]


def test_every_sheet_begins_with_the_notice_and_the_disclaimer() -> None:
    sheets = read(toy_report())
    assert list(sheets) == ZH_SHEETS
    for rows in sheets.values():
        assert rows[0][0] == "示意数据，仅供演示，不得用于审批。"
        assert "不构成审批" in rows[1][0]


def test_verdicts_give_areas_counts_rules_and_the_ladder() -> None:
    rows = table(read(toy_report())["结论"])
    assert [row["结论"] for row in rows] == [
        "存在禁止性冲突",
        "需进一步论证",
        "核查不完整",
        "未发现冲突",
        "需进一步论证",
    ]
    first = rows[0]
    assert first["项目面积（㎡）"] == 17064326.87
    assert first["项目面积（公顷）"] == 1706.4327
    assert first["活动类型"] == "光伏电站"
    assert first["禁止的规则"] == "生态保护红线内禁止开发建设"
    assert first["未核查的规则"] == "永久基本农田；城镇开发边界内"
    assert (first["禁止项数"], first["未核查项数"]) == (1, 2)
    assert (first["最近的约束"], first["距最近约束（m）"]) == ("高速公路建筑控制区30米", 6982.346)
    assert rows[4]["忽略不大于 50 ㎡ 的重叠"] == "需进一步论证"
    assert rows[4]["忽略不大于 200 ㎡ 的重叠"] == "未发现冲突"


def test_findings_put_conflicts_first_and_lose_none() -> None:
    report = toy_report()
    rows = table(read(report)["核查明细"])
    assert len(rows) == len(report.findings)
    states = [(row["核查状态"], row["管控程度"]) for row in rows]
    assert states[:3] == [("涉及", "禁止"), ("涉及", "有条件"), ("疑似边界误差", "禁止")]
    assert states[-1][0] == "不涉及"
    road = next(row for row in rows if row["规则代码"] == "road-provincial" and row["项目编号"] == "S2")
    assert (road["面积（㎡）"], road["面积（公顷）"], road["可能面积（公顷）"]) == (1203.46, 0.1203, 0.2603)
    assert road["已废止的依据"].startswith("连州市生态规划")


def test_corridors_give_required_actual_and_short() -> None:
    rows = table(read(toy_report())["廊道"])
    assert len(rows) == 3
    first = rows[0]
    assert (first["起算基线"], first["半宽（m）"], first["确定或可能"]) == ("中心线", 5, "确定")
    assert (first["要求距离（m）"], first["实际距离（m）"], first["不足（m）"], first["可能不足（m）"]) == (
        15,
        0,
        15,
        20,
    )
    clear = next(row for row in rows if row["项目编号"] == "S1")
    assert (clear["不足（m）"], clear["可能不足（m）"]) == (0, 0)


def test_a_distance_just_short_does_not_read_as_enough() -> None:
    report = toy_report()
    findings = report.findings.copy()
    road = (findings["rule"] == "road-provincial") & (findings["site_id"] == "S2")
    findings.loc[road, "distance_m"] = 14.996
    first = table(read(toy_report(findings=findings))["廊道"])[0]
    assert (first["实际距离（m）"], first["不足（m）"]) == (14.996, 0.004)


def test_not_checked_gives_reasons_also_for_what_was_checked_in_part() -> None:
    rows = table(read(toy_report())["未核查"])
    assert {row["原因"] for row in rows} >= {"缺少图层，未核查", "缺少活动类型，结论取决于活动"}
    assert any(row["核查状态"] == "疑似边界误差" and row["未覆盖比例"] == 0.25 for row in rows)
    assert any(row["图层"] == "永久基本农田" for row in rows), "the rule book has the title of a missing layer"


def test_unit_lists_leave_room_for_the_answer() -> None:
    sheet = read(toy_report())["准入清单答复"]
    rows = table(sheet)
    assert {row["符合情况"] for row in rows} == {""}
    first = [row for row in rows if row["项目编号"] == "S1"]
    # The book has none of the province, so that line is left to the planner.
    assert [row["层级"] for row in first] == ["省级", "市级", "单元", "单元"]
    assert [row["管控要求"] for row in first[:2]] == ["", "严禁任意改变生态保护红线用途。"]
    assert first[1]["核查事实"].startswith("生态保护红线内禁止开发建设：涉及，5,758,154 ㎡（575.8154 公顷）")
    assert (first[1]["依据"], first[1]["核实程度"], first[1]["说明"]) == (
        "连州市生态规划",
        "载于规划",
        "归类系规则库所加",
    )
    assert first[2]["管控要求"].startswith("禁止新建")
    with zipfile.ZipFile(BytesIO(workbook_bytes(toy_report()))) as archive:
        assert "dataValidation" in archive.read("xl/worksheets/sheet5.xml").decode()


def test_rules_are_those_in_force_with_what_is_repealed() -> None:
    rows = table(read(toy_report())["规则依据"])
    assert "old" not in [row["规则代码"] for row in rows]
    road = rows[1]
    assert road["依据"] == "公路安全保护条例 第十一条；连州市生态规划 生态廊道"
    assert road["核实程度"] == "载于规划"
    assert "生态环境法典" in road["已废止的依据"]


def test_provenance_lists_sources_problems_and_versions() -> None:
    cells = [cell for row in read(toy_report())["数据与依据"] for cell in row]
    for wanted in (
        "a" * 64,
        "b" * 64,
        "示例规则库 2026.11",
        "2026-11-21 09:30:15+00:00",
        "疑似边界误差的平均宽度上限（m）",
        1.0,
        "GEOS",
    ):
        assert wanted in cells
    assert any("measured 560.10" in str(cell) for cell in cells)


def test_hostile_texts_stay_texts() -> None:
    sheets = read(toy_report())
    cells = {cell for rows in sheets.values() for row in rows for cell in row}
    for wanted in (FORMULA, LINK, SCRIPT, EMOJI, RIGHT_TO_LEFT, LONG, visible(CONTROLS)):
        assert wanted in cells
    assert "\\x00\\x01" in visible(CONTROLS)
    with zipfile.ZipFile(BytesIO(workbook_bytes(toy_report()))) as archive:
        # The chart of the summary refers to cells of the same sheet.
        for name in [name for name in archive.namelist() if not name.startswith("xl/charts/")]:
            root = ElementTree.fromstring(archive.read(name))
            assert not any(element.tag.endswith(("}f", "}hyperlink")) for element in root.iter()), name


def test_a_text_too_long_for_a_cell_is_marked_as_cut() -> None:
    rows = table(read(toy_report())["准入清单答复"])
    clause = rows[-1]["管控要求"]
    assert len(clause) == CELL_LIMIT
    assert clause.endswith("（此处截断，原文共 40000 字）")


def test_a_cut_leaves_no_half_letter() -> None:
    lists = toy_report().unit_lists.assign(clause="🏭" * 20_000)
    clause = table(read(toy_report(unit_lists=lists))["准入清单答复"])[1]["管控要求"]
    assert len(clause.encode("utf-16-le")) // 2 in (CELL_LIMIT, CELL_LIMIT - 1)
    assert clause.startswith("🏭🏭")


def test_a_lone_surrogate_is_spelled_out() -> None:
    verdicts = toy_report().verdicts
    verdicts["site_name"] = pd.Series(["\ud800"] * len(verdicts), dtype=object)
    assert table(read(toy_report(verdicts=verdicts))["结论"])[0]["项目名称"] == "\\ud800"


def test_same_report_same_bytes() -> None:
    first = workbook_bytes(toy_report())
    time.sleep(1.1)
    assert workbook_bytes(toy_report()) == first


def test_the_date_is_the_reports() -> None:
    with zipfile.ZipFile(BytesIO(workbook_bytes(toy_report()))) as archive:
        assert "2026-11-21T09:30:15Z" in archive.read("docProps/core.xml").decode()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_empty_report_states_none(language: Any) -> None:
    toy = toy_report()
    empty = toy_report(
        sites=toy.sites.iloc[:0],
        findings=toy.findings.iloc[:0],
        verdicts=toy.verdicts.iloc[:0],
        unit_lists=toy.unit_lists.iloc[:0],
        problems=(),
    )
    sheets = list(read(empty, language).values())
    # The summary has zeros.
    assert [rows[4][0] for rows in sheets[1:7]] == [Words(language)("table", "none")] * 6


def test_english_translates_titles_and_bases() -> None:
    sheets = read(toy_report(), "en")
    assert list(sheets)[:2] == ["Summary", "Verdicts"]
    first = table(sheets["Findings"])[0]
    assert first["Layer"] == "Ecological redline"
    assert first["Basis"] == "MNR notice 142 (2022) Art 1"
    assert first["State"] == "involved"


def test_rows_beyond_a_sheet_go_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "ROW_LIMIT", 10)
    sheets = read(toy_report())
    assert len(table(sheets["核查明细"])) == 10
    assert len(table(sheets["核查明细 2"])) == 5


def test_an_unwritable_place_is_an_export_error(tmp_path: Any) -> None:
    (tmp_path / "taken.xlsx").mkdir()
    with pytest.raises(ExportError, match=r"taken\.xlsx.*cannot be written"):
        write_xlsx(toy_report(), tmp_path / "taken.xlsx")
    assert [p.name for p in tmp_path.iterdir()] == ["taken.xlsx"]


def test_a_rule_that_the_book_lacks_is_named_by_its_id() -> None:
    book = dataclasses.replace(toy_report().book, rules=())
    rows = table(read(toy_report(book=book))["核查明细"])
    assert rows[0]["规则"] == "redline"


def test_five_hundred_sites_take_seconds() -> None:
    report = big_report(500, 20)
    start = time.perf_counter()
    workbook_bytes(report)
    assert time.perf_counter() - start < 15


def test_the_summary_has_the_counts_of_the_verdicts_and_their_sum_by_township() -> None:
    report = toy_report()
    rows = read(report)["汇总"]
    counts = report.verdicts["verdict"].value_counts()
    shown = {row[0]: row[1] for row in rows[7:11]}
    assert shown == {verdict.value: counts.get(verdict.value, 0) for verdict in Verdict}
    total = next(row for row in rows if row[0] == "合计")
    assert total[1:6] == [*(counts.get(verdict.value, 0) for verdict in Verdict), len(report.verdicts)]


def test_sites_that_share_a_group_are_compared() -> None:
    report = toy_report()
    report.sites["group"] = ["A", "A", *[""] * (len(report.sites) - 2)]
    rows = read(report)["方案比选"]
    assert [row[0] for row in rows[5:]] == ["A", "A"]
    assert {row[1] for row in rows[5:]} == {visible(str(one)) for one in report.sites["id"].iloc[:2]}


def test_a_block_is_never_dropped_without_a_word(tmp_path):
    """A workbook in constant memory writes rows as they come; a block of them would be missing from its file."""
    with xlsxwriter.Workbook(tmp_path / "a.xlsx", {"constant_memory": True, "tmpdir": str(tmp_path)}) as book:
        sheet = book.add_worksheet("a", worksheet_class=_Sheet)
        with pytest.raises(TypeError, match="constant memory"):
            sheet.write_block(_Block(0, [], [], np.ones(0, dtype=np.int32)))
