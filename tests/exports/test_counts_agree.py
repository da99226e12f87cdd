"""How many rules, findings and verdicts there are is the same in every output: JSON, CSV, workbook, documents, map, console."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from dossier_fixture import PageText, city_report, only, pdf_text, squeezed, word_text
from map_page import Seen, browser
from python_calamine import CalamineWorkbook

import lzgis as lz
from lzgis.cli.site_lines import count_lines, scope_lines
from lzgis.exports.dossier import write_projects
from lzgis.rules.for_sites import INFORMING_KINDS
from lzgis.words import Words

#: From the gravest: the answer of a rule with several findings is the first of these that one of them has.
STATES = ("涉及", "疑似边界误差", "未核查", "不涉及", "不适用")
#: A site with conflicts, one half outside the city, one without an activity.
SITES = ("P37", "T05", "T11")
#: In the sentence of a document and in the sheet of the workbook.
SENTENCE = (
    r"对照现行(\d+)条规则：涉及(\d+)条，疑似边界误差(\d+)条，未核查(\d+)条，不涉及(\d+)条，不适用(\d+)条，"
    r"仅说明所在位置(\d+)条"
)

Counts = dict[str, tuple[int, ...]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("counts")
    report = city_report()
    for name in ("report.json", "report.xlsx", "findings.csv", "map.html"):
        lz.export(report, out / name)
    write_projects(only(report, *SITES), out, suffixes=(".docx", ".html", ".pdf"))
    return out


@pytest.fixture(scope="module")
def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def counts(document: dict[str, Any]) -> Counts:
    """Rules, then rules by answer, then rules that only name a place: counted from the findings of the JSON."""
    answers: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    places: dict[str, set[str]] = defaultdict(set)
    for one in document["findings"]:
        if one["kind"] in INFORMING_KINDS:
            places[one["site_id"]].add(one["rule"])
        else:
            answers[one["site_id"]][one["rule"]].add(one["state"])
    found = {}
    for verdict in document["verdicts"]:
        site = verdict["site_id"]
        gravest = Counter(min(states, key=STATES.index) for states in answers[site].values())
        gravest["不适用"] += verdict["not_applicable"]
        numbers = [*(gravest[state] for state in STATES), len(places[site])]
        found[site] = (sum(numbers), *numbers)
    assert {numbers[0] for numbers in found.values()} == {len(city_report().book.rules)}
    return found


@pytest.mark.parametrize("site", SITES)
def test_the_documents_of_a_project_count_its_rules_as_the_json_does(folder: Path, counts: Counts, site: str) -> None:
    texts = [word_text(folder / f"{site}.docx"), PageText((folder / f"{site}.html").read_text("utf-8")).text]
    texts += [pdf_text(folder / f"{site}.pdf")] if shutil.which("pdftotext") else []
    for text in texts:
        said = re.search(SENTENCE, squeezed(text).replace("\u200b", ""))
        assert said is not None
        assert tuple(map(int, said.groups())) == counts[site]


def test_the_workbook_counts_the_rules_of_all_sites(folder: Path, counts: Counts) -> None:
    rows = CalamineWorkbook.from_path(folder / "report.xlsx").get_sheet_by_name("项数").to_python()
    top = next(i for i, row in enumerate(rows) if row[0] == "项目编号")
    heads = [str(head) for head in rows[top]]
    places = [heads.index(f"{name}（规则数）") for name in STATES]
    found = {str(row[0]): [int(float(str(row[i]))) for i in places] for row in rows[top + 1 :] if row[0] in counts}
    assert found == {site: list(numbers[1:6]) for site, numbers in counts.items()}


def test_the_list_of_findings_has_the_states_of_the_json(folder: Path, document: dict[str, Any]) -> None:
    with (folder / "findings.csv").open(encoding="utf-8-sig", newline="") as lines:
        found = Counter((row["site_id"], row["state"]) for row in csv.DictReader(lines))
    assert found == Counter((one["site_id"], one["state"]) for one in document["findings"])


def test_the_console_counts_what_the_json_has(document: dict[str, Any], counts: Counts) -> None:
    report, words = city_report(), Words("zh")
    said = "\n".join(line.plain for line in (*count_lines(report, words), *scope_lines(report, words, width=120)))
    for title, number in Counter(one["verdict"] for one in document["verdicts"]).items():
        assert f"{title} {number}" in said
    unmeant = sum(numbers[5] for numbers in counts.values())
    assert f"不适用：{unmeant:,} 项次" in said


@pytest.mark.browser
def test_the_map_counts_the_rules_of_a_site(folder: Path, counts: Counts) -> None:

    with browser() as chromium:
        opened = Seen(chromium, folder / "map.html")
        ids = opened.page.evaluate("lzgis.review.sites.map(site => site.id)")
        for site in SITES:
            opened.page.evaluate("number => lzgis.panel.open(number)", ids.index(site))
            said = opened.page.inner_text("#lz-detail-view")
            for state, number in (("不涉及", counts[site][4]), ("不适用", counts[site][5])):
                assert (f"{state}（{number} 条规则）" in said) == (number > 0), (site, state)
        opened.close()
