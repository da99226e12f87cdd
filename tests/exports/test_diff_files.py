"""What a comparison writes: workbook and map, read back by another program and opened in a browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import toy
from diff_fixture import NOT_LESS, layer, reported
from map_page import Page, Seen, browser
from python_calamine import CalamineWorkbook
from shapely import box

from lzgis.audits.diff import diff
from lzgis.audits.recheck import recheck
from lzgis.exports.diff import export_diff
from lzgis.exports.diff_text import worded_answer
from lzgis.exports.formats import diff_formats
from lzgis.model.audit import DiffReport, Recheck
from lzgis.words import Words

MADE_AT = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
#: The order in which the page lists what happened.
KINDS = ["broken", "verdict", "removed", "added", "moved", "changed", "rule"]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[DiffReport, Recheck]:
    """A redline of which one feature grew, one shrank, one came and one went; a rule that reads otherwise; two projects."""
    folder = tmp_path_factory.mktemp("compared")
    old, new = toy.city(folder / "old"), toy.city(folder / "new")
    for one in (old, new):
        (one / "rules.toml").write_text(toy.RULES + NOT_LESS, "utf-8")
    before = [box(0, 0, 1000, 1000), box(1000, 0, 1500, 1000), box(3000, 3000, 3100, 3100)]
    after = [box(0, 0, 1000, 900), box(1000, 0, 1600, 1000), box(-3000, 3000, -2900, 3100)]
    layer(old / "redline.gpkg", before, id=["a", "b", "gone"], name=["甲", "乙", "丙"])
    layer(new / "redline.gpkg", after, id=["a", "b", "new"], name=["甲", "乙", "<丁>"])
    toy.changed(new, "rules.toml", ("distance_m = 100", "distance_m = 120"))
    sites = toy.sites(toy.square(1510, 100, 50), toy.square(-4000, -4500))
    path = reported(old, sites, folder / "report.json")
    found = diff(old, new, as_of=toy.AS_OF, made_at=MADE_AT)
    return found, recheck(path, new, old=old)


@pytest.fixture(scope="module", params=["zh", "en"])
def written(compared: tuple[DiffReport, Recheck], request: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp(request.param)
    for name in diff_formats().values():
        export_diff(compared[0], folder / name, recheck=compared[1], language=request.param)
    return folder


def sheets(path: Path) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_path(str(path))
    return {name: book.get_sheet_by_name(name).to_python()[3:] for name in book.sheet_names}


def test_the_workbook_holds_every_change_the_verdicts_first(written: Path) -> None:
    found = sheets(written / "diff.xlsx")
    verdicts, totals, features, rules, findings, answers = list(found.values())[:6]
    assert verdicts[1][0] == "s1"
    assert "生态保护红线 b" in verdicts[1][4]
    assert len(verdicts) == 2
    redline = next(row for row in totals if row[3:7] == [1, 1, 2, 0])
    assert redline[7:13] == [
        pytest.approx(area, abs=2) for area in (1_510_000, 1_510_000, 0, 110_000, 110_000, 220_000)
    ]
    assert [row[2] for row in features[1:]] == ["a", "b", "gone", "new"]
    assert rules[1][3] == "distance_m: 100.0 → 120.0"
    assert len(findings) == 1 + 5
    assert "s1" in {row[0] for row in answers[1:]}


def test_the_page_lists_changes_and_verdicts_and_hatches_what_was_gained_and_lost(written: Path) -> None:
    data = Page(written / "diff.html").data
    listed = [(KINDS[site["verdict"]], site["id"]) for site in data["review"]["sites"]]
    assert sorted(listed) == sorted(
        [
            *[("broken", "redline-not-less")] * 2,
            *[
                ("verdict", "s1"),
                ("moved", "a"),
                ("moved", "b"),
                ("removed", "gone"),
                ("added", "new"),
                ("rule", "quarry"),
            ],
        ]
    )
    parts = data["review"]["parts"]["objects"]["d"]["geometries"]
    assert [one["properties"]["r"] for one in parts].count(0) == 2
    assert [one["properties"]["r"] for one in parts].count(1) == 2
    assert [one["title"] for one in data["city"]["parts"]] in (["减少的部分", "增加的部分"], ["lost", "gained"])
    pool = data["review"]["pool"]
    moved = data["review"]["findings"][listed.index(("moved", "a"))][0]
    assert "100,000" in pool[moved[6]]
    # Its place is the strip that was lost, not the feature as a whole.
    assert moved[8] >= 0
    verdict = data["review"]["findings"][listed.index(("verdict", "s1"))]
    assert any("redline b" in pool[text] for one in verdict for text in one[7])


def test_the_same_comparison_gives_the_same_bytes(
    written: Path, compared: tuple[DiffReport, Recheck], tmp_path: Path
) -> None:
    for name in ("diff.xlsx", "diff.html"):
        export_diff(compared[0], tmp_path / name, recheck=compared[1], language=written.name[:2])
        assert (tmp_path / name).read_bytes() == (written / name).read_bytes()


def test_no_file_names_a_folder_of_this_machine_on_the_page(written: Path) -> None:
    text = (written / "diff.html").read_text("utf-8")
    assert str(written.parent) not in text
    assert "old → new" in text


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as one:
        yield one


@pytest.mark.browser
def test_the_page_works_and_makes_no_request(chromium: Any, written: Path) -> None:
    seen = Seen(chromium, written / "diff.html")
    try:
        assert seen.page.locator("#lz-list li").count() == 8
        seen.page.click("#lz-list li[data-site='s1'] button")
        assert "redline b" in seen.page.inner_text("#lz-detail-view")
        seen.page.keyboard.press("Escape")
        seen.page.click("#lz-list li[data-site='new'] button")
        # A hostile name is text.
        assert "<丁>" in seen.page.inner_text("#lz-detail-view")
        # Neither corridors nor boundary errors belong to a comparison.
        assert seen.page.locator("#lz-legend-body .lz-group").first.locator(".lz-rows > li").count() == 2
    finally:
        seen.close()


def test_layers_and_books_have_pages_too(tmp_path: Path) -> None:
    old, new = toy.city(tmp_path / "old"), toy.city(tmp_path / "new")
    layer(new / "redline.gpkg", [box(0, 0, 500, 1000)])
    toy.changed(new, "rules.toml", ("distance_m = 100", "distance_m = 120"))
    for name, listed in (("redline.gpkg", ["redline-1", "redline-2"]), ("rules.toml", ["quarry"])):
        found = diff(old / name, new / name)
        for file_name in diff_formats().values():
            export_diff(found, tmp_path / file_name)
        sites = Page(tmp_path / "diff.html").data["review"]["sites"]
        assert sorted(site["id"] for site in sites) == listed
        assert len(sheets(tmp_path / "diff.xlsx")) == 5


def test_answers_are_put_into_words() -> None:
    answer = worded_answer(
        Words("zh"), "涉及 prohibited a 12.00 ㎡；未核查 layer-missing；未核查 b partly-outside 1.00 ㎡"
    )
    assert answer == "涉及 禁止 a 12.00 ㎡；未核查 缺少图层，未核查；未核查 b 部分位于图层覆盖范围之外 1.00 ㎡"


@pytest.mark.browser
def test_swiping_shows_the_former_layers_on_the_left_and_the_present_ones_on_the_right(
    chromium: Any, written: Path
) -> None:
    former = Page(written / "diff.html").data["city"]["former"]
    assert former
    seen = Seen(chromium, written / "diff.html")
    try:
        seen.page.locator(".lz-tools button").last.click()
        clips = seen.page.evaluate("[...document.querySelectorAll('[class*=lz-former]')].map(e => e.style.clip)")
        assert len(clips) == len(former)
        assert all(one.startswith("rect(") for one in clips)
        seen.page.locator(".lz-swipe input").fill("20")
        assert seen.page.evaluate("document.querySelector('.lz-swipe-line').style.left") == "20%"
        seen.page.locator(".lz-tools button").last.click()
        assert not seen.page.is_visible(".lz-swipe")
        assert seen.messages == []
    finally:
        seen.close()
