"""The content of a dossier: every figure is from the report, every section is present and in order, nothing is computed."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from dossier_fixture import SITES, city_report, only
from report_fixture import FORMULA, HOSTILE, LONG, SCRIPT, toy_report

from lzgis.errors import ExportError
from lzgis.exports.dossier import DossierMaker, dossier
from lzgis.exports.dossier.document import ABOUT_FACTS, GRID_COLUMNS, PICTURES, PROJECT_FACTS, SECTIONS, Dossier
from lzgis.exports.dossier.project import Project
from lzgis.exports.report_text import visible
from lzgis.exports.rounding import Rounding
from lzgis.model.report import State
from lzgis.screening.breakdown import apportioned


@pytest.fixture(scope="module")
def maker() -> DossierMaker:
    return DossierMaker(city_report())


@pytest.fixture(scope="module")
def made(maker: DossierMaker) -> dict[str, Dossier]:
    return {site: maker.make(site) for site in SITES}


def rows(one: Dossier, name: str) -> list[dict[str, str]]:
    return [row for grid in one.grids()[name] for row in grid.records()]


def test_the_sections_are_in_order(made: dict[str, Dossier]) -> None:
    for one in made.values():
        assert tuple(section.name for section in one.sections) == SECTIONS
        assert [section.heading for section in one.sections][:2] == ["一、附图", "二、核查结果"]
        # The insets are those of a project whose map cannot be read.
        assert tuple(p.name for p in one.pictures) == PICTURES[:2]
        assert tuple(one.project) == PROJECT_FACTS
        assert tuple(one.about) == ABOUT_FACTS


def test_every_grid_has_columns_that_are_documented(made: dict[str, Dossier]) -> None:
    for one in [*made.values(), dossier(city_report(), "P37", mu=True)]:
        for name, grids in one.grids().items():
            for grid in grids:
                assert {c.name for c in grid.columns} <= set(GRID_COLUMNS[name])
                assert all(len(row) == len(grid.columns) for row in grid.rows)
                assert sum(grid.widths) == pytest.approx(1)


@pytest.mark.parametrize("site", SITES)
def test_there_is_a_row_for_every_finding_with_its_figures(made: dict[str, Dossier], site: str) -> None:
    report = city_report()
    findings = report.findings[report.findings["site_id"] == site]
    listed = rows(made[site], "findings")
    assert len(listed) == len(findings)
    met = findings[findings["state"].isin([State.INVOLVED, State.SLIVER])]
    rounding = Rounding(report)
    for column, form in (("area_m2", rounding.square_metres), ("length_m", rounding.metres)):
        expected = sorted(form(v) for v in met[column] if not np.isnan(v))
        found = sorted(row[column].split("\n")[0] for row in listed if row.get(column, "—") != "—")
        assert found == expected


def test_a_site_in_the_redline(made: dict[str, Dossier]) -> None:
    one = made["T01"]
    first = rows(one, "findings")[0]
    assert first["state"] == "涉及\n（禁止类）"
    assert (first["area_m2"], first["area_ha"], first["share"]) == ("10,000", "1.0000", "100%")
    assert one.project["verdict"] == "存在禁止性冲突"
    assert one.project["divisions"].startswith("西江镇：10,000 ㎡（1.0000 公顷），占 100%")
    zone = rows(one, "zones")[0]
    assert (zone["rule"], zone["result"]) == ("生态保护红线", "禁止")
    laws = {row["document"]: row for row in rows(one, "basis")}
    assert laws["自然资发〔2022〕142号"]["certainty"] == "部分核对，须再核原文"
    assert laws["生态环境法典"]["effective"] == "2026-08-15 起施行"


def test_each_finding_names_its_article_and_the_facts_that_are_not_declared(maker: DossierMaker) -> None:
    sections = {section.name: section for section in maker.make("T13").sections}
    (basis,) = sections["basis"].grids
    code = next(row for row in basis.records() if row["document"] == "生态环境法典")
    assert "环境管控单元与准入清单（第六十六条、第六十七条）" in code["rules"]
    assert "国家法律法规数据库" in "".join(sections["basis"].paragraphs)
    park = sections["findings"].grids[0].records()[0]["heading"]
    assert "未申报认定化工园区，申报后结论可能改变" in park


def test_clauses_are_answered_with_the_facts_they_mention(made: dict[str, Dossier]) -> None:
    answers = rows(made["T01"], "answers")
    assert {row["group"] for row in answers} == {"优先保护单元 ZH44188210005 连州市西江镇优先保护单元，占项目 100%"}
    headings = list(dict.fromkeys(row["heading"] for row in answers))
    assert headings == ["区域布局管控", "能源资源利用", "污染物排放管控", "环境风险防控"]
    redline = next(row for row in answers if "生态保护红线" in row["clause"])
    assert "生态保护红线：涉及，10,000 ㎡（1.0000 公顷）" in redline["facts"]
    assert all("活动类型：住宅" in row["facts"] and "□同意" in row["answer"] for row in answers)


def test_requirements_of_the_city_are_listed_and_those_of_the_province_left_blank(
    made: dict[str, Dossier],
) -> None:
    general = rows(made["T01"], "general")
    province = [row for row in general if row["group"] == "省级总体管控要求"]
    assert general[: len(province)] == province
    assert [row["heading"] for row in province] == ["区域布局管控", "能源资源利用", "污染物排放管控", "环境风险防控"]
    assert {(row["clause"], row["facts"]) for row in province} == {("", "")}
    city = {row["clause"].split("\n")[0]: row for row in general[len(province) :]}
    farmland = next(row for clause, row in city.items() if "永久基本农田" in clause)
    assert farmland["group"] == "市级总体管控要求"
    assert "永久基本农田：不涉及，最近 " in farmland["facts"]
    assert farmland["clause"].endswith("（连州市创建国家生态文明建设示范市规划 实行土地资源利用分区管控；载于规划）")
    # T01 lies in a priority unit alone.
    assert any(clause.startswith("优先保护单元内") for clause in city)
    assert not any(clause.startswith(("重点管控单元内", "一般管控单元内")) for clause in city)
    section = next(one for one in made["T01"].sections if one.name == "answers")
    assert [grid.name for grid in section.grids] == ["general", "answers"]
    assert any("未载省级总体管控要求，" in line for line in section.paragraphs)


def test_what_was_not_checked_is_listed_with_its_reason(made: dict[str, Dossier]) -> None:
    report = city_report()
    mine = report.findings[report.findings["site_id"] == "T05"]
    open_rows = mine[(mine["state"] == State.NOT_CHECKED) | (mine["unchecked_share"] > 0)]
    listed = rows(made["T05"], "not_checked")
    assert len(listed) == len(open_rows) > 10
    assert all("位于图层覆盖范围之外" in row["reason"] for row in listed)
    assert rows(made["T01"], "not_checked") == []


def test_distances_are_listed_with_baseline_and_both_bands(made: dict[str, Dossier]) -> None:
    listed = {row["rule"]: row for row in rows(made["P37"], "corridors")}
    lane = listed["乡道建筑控制区 5 米"]
    assert lane["baseline"] == "中心线\n假定半宽 6.25 m"
    assert lane["required_m"] == "5\n可能 11.25"
    assert lane["shortfall_m"] == "5.0\n可能 11.2"
    assert lane["band"] == "确定"
    assert not any("采矿" in rule for rule in listed)


def test_the_ladder_is_shown_where_it_changes_the_answer(maker: DossierMaker, made: dict[str, Dossier]) -> None:
    assert rows(made["T01"], "ladder") == []
    listed = [row["verdict"] for row in rows(maker.make("T10"), "ladder")]
    assert listed == ["需进一步论证", "存在禁止性冲突", "需进一步论证", "需进一步论证", "需进一步论证"]


def test_parts_sum_to_the_whole_as_it_is_printed() -> None:
    report = city_report()
    assert (report.breakdown["level"] == "townships").all()
    several = 0
    for position, parts in report.breakdown.groupby("finding"):
        found = report.findings.iloc[int(str(position))]
        areal = not np.isnan(found["area_m2"])
        column, places = ("area_m2", 2) if areal else ("length_m", 3)
        assert round(parts[column].sum(), places) == round(found[column], places)
        if areal:
            assert round(parts["area_ha"].sum(), 4) == round(found["area_m2"] / 10_000, 4)
        assert (parts["adjustment"].abs() < 1.5 * 10**-places).all()
        several += len(parts) > 1
    assert several > 5


def test_townships_are_listed_with_their_sum(maker: DossierMaker) -> None:
    listed = [row for row in rows(maker.make("P09"), "divisions") if row["rule"] == "城镇开发边界"]
    assert listed[-1]["division"] == "合计"
    parts = [float(row["area_m2"].replace(",", "")) for row in listed[:-1]]
    assert f"{sum(parts):,.0f}" == listed[-1]["area_m2"]
    assert len(parts) > 2


@pytest.mark.parametrize(("whole", "places"), [(100.0, 2), (0.004, 2), (7.0, 0), (-3.2, 1)])
def test_apportioning_is_exact(whole: float, places: int) -> None:
    shares = np.random.default_rng(3).dirichlet(np.ones(9)) * whole
    parts = apportioned(shares, np.array([whole]), np.zeros(9, dtype=np.intp), places)
    assert round(float(parts.sum()), places) == round(whole, places)
    assert (np.abs(parts - shares) < 1.001 * 10**-places).all()


def test_areas_in_mu_on_request() -> None:
    one = dossier(city_report(), "T01", mu=True)
    assert rows(one, "findings")[0]["area_mu"] == "15.00"
    assert "15.00 亩" in one.project["divisions"]


def test_a_line_is_measured_in_metres(made: dict[str, Dossier]) -> None:
    first = rows(made["T08"], "findings")[0]
    assert "area_m2" not in first
    assert re.fullmatch(r"[\d,]+\.\d", first["length_m"])


def test_a_site_without_geometry_has_a_dossier_without_maps() -> None:
    toy = toy_report()
    sites = toy.sites.copy()
    sites.loc[3, "geometry"] = None
    one = dossier(dataclasses.replace(toy, sites=sites), "S4")
    assert one.pictures == ()
    assert one.project["shape"] == "图形无法使用"


def test_an_unknown_site_is_named() -> None:
    with pytest.raises(ExportError, match=r"site 'nowhere': is not in the report; allowed: .*S1, S2"):
        dossier(toy_report(), "nowhere")


def test_hostile_text_is_unchanged() -> None:
    one = dossier(toy_report(), FORMULA)
    whole = "\n".join(cell for grids in one.grids().values() for grid in grids for row in grid.rows for cell in row)
    for text in (SCRIPT, LONG, *HOSTILE[3:6]):
        assert visible(text) in whole


def test_english_has_every_wording() -> None:
    one = dossier(only(city_report(), "T01"), "T01", language="en")
    assert one.sections[0].heading == "1. Maps"
    assert one.sections[-1].heading == "6. Provenance and disclaimer"
    assert "prohibiting conflict" in one.verdict


@pytest.mark.parametrize("site", SITES)
def test_the_answers_to_all_rules_add_up(made: dict[str, Dossier], maker: DossierMaker, site: str) -> None:
    project = Project(maker.source, site)
    counts = project.counts
    mine = city_report().findings[city_report().findings["site_id"] == site]
    verdict = city_report().verdicts.set_index("site_id").loc[site]
    assert counts["rules"] == mine["rule"].nunique() + verdict["not_applicable"]
    parts = ("involved", "sliver", "unchecked", "clear", "not_applicable", "context")
    assert sum(counts[name] for name in parts) == counts["rules"]
    section = next(one for one in made[site].sections if one.name == "findings")
    assert f"对照现行 {counts['rules']} 条规则：涉及 {counts['involved']} 条" in section.paragraphs[0]


def test_the_first_page_has_the_gravest_findings_in_three_units(made: dict[str, Dossier]) -> None:
    abstract = made["T01"].abstract
    assert abstract.findings is not None and abstract.picture is not None
    first = abstract.findings.records()[0]
    assert (first["rule"], first["route"]) == ("生态保护红线", "禁止")
    assert (first["area_m2"], first["area_ha"], first["area_mu"]) == ("10,000", "1.0000", "15.00")
    assert first["where"].startswith("整体位于生态保护红线内（")
    heads = [head for head, _ in abstract.lines]
    assert heads[:2] == ["结论说明", "办理路径"] and "未核查" in heads and "未覆盖" in heads
    assert abstract.control.rows[0][1] == "441882-20261121-T01"


def test_each_clause_has_a_drafted_answer(made: dict[str, Dossier]) -> None:
    drafted = {row["clause"]: row["answer"].split("\n")[0] for row in rows(made["T01"], "answers")}
    redline = next(answer for clause, answer in drafted.items() if "红线管控要求" in clause or "生态保护红线" in clause)
    assert redline == "拟答：不符合"
    assert set(drafted.values()) <= {
        f"拟答：{word}" for word in ("不符合", "需论证", "待补资料", "不涉及", "由编制人判断")
    }


def test_no_raw_names_of_columns_are_shown(made: dict[str, Dossier]) -> None:
    for one in made.values():
        shown = "\n".join([*(text for s in one.sections for text in (*s.paragraphs, *s.notes, *s.small_print))])
        shown += "\n".join(cell for s in one.sections for g in s.grids for row in g.rows for cell in row)
        assert not re.search(r"\b(expected|source|repair_m2|repair_share|sliver_width_m)\b", shown)
