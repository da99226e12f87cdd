"""The review map on a phone, on paper and for readers with low vision: layout, search, clusters, contrast."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from map_page import Seen, browser
from report_fixture import big_report, toy_report

from lzgis.exports.map import write_map
from lzgis.exports.symbology import PART_COLOURS, VERDICT_COLOURS, VERDICT_SIGNS
from lzgis.model.rules import Severity

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def toy_map(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("map") / "map.html"
    write_map(toy_report(), path)
    return path


def linear(colour: str) -> Any:
    """Return a colour in linear light."""
    share = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("colour", [*VERDICT_COLOURS.values(), *PART_COLOURS.values()])
def test_signs_and_texts_in_their_colours_can_be_read_on_white(colour: str) -> None:
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5


def test_verdicts_differ_in_shape_and_sign() -> None:
    signs = list(VERDICT_SIGNS.values())
    assert len({one.outline for one in signs}) == len({one.strokes for one in signs}) == 4
    assert len({one.marker for one in signs}) == 4


#: Deuteranopia, in linear light (Machado, Oliveira and Fernandes 2009, severity 1).
_DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
)


def lab(colour: str) -> Any:
    """Return a colour as it is seen with deuteranopia, in CIELAB (D65)."""
    seen = np.clip(_DEUTERANOPIA @ linear(colour), 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen
    f = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_conflicts_and_verdicts_are_distinguished_with_red_green_blindness() -> None:
    colours = list(VERDICT_COLOURS.values())
    for i, one in enumerate(colours):
        for other in colours[i + 1 :]:
            assert np.linalg.norm(lab(one) - lab(other)) > 12, (one, other)
    parts = [PART_COLOURS[one] for one in (Severity.PROHIBITED, Severity.CONDITIONAL)]
    assert np.linalg.norm(lab(parts[0]) - lab(parts[1])) > 25


def test_a_phone_shows_title_and_map_and_one_sheet_at_a_time(chromium: Any, toy_map: Path) -> None:
    opened = Seen(chromium, toy_map, 390, 844)
    page = opened.page
    chart, title, tabs = (page.locator(one).bounding_box() for one in (".folium-map", "h1", "#lz-tabs"))
    assert chart["width"] == 390 and chart["height"] > 600
    assert title["y"] >= 0 and title["y"] + title["height"] < chart["y"]
    assert abs(tabs["y"] + tabs["height"] - 844) < 1
    for outside in ("document.documentElement.scrollWidth", "document.body.scrollWidth"):
        assert page.evaluate(outside) == 390
    city = page.evaluate(
        "(() => { const b = L.latLngBounds(lzgis.city.bounds), m = lzgis.map.getBounds(); return m.contains(b); })()"
    )
    assert city
    sheets = {"list": "#lz-panel", "legend": "#lz-legend", "notes": "#lz-footer"}
    for name, sheet in sheets.items():
        page.click(f"#lz-tabs [data-sheet={name}]")
        for other in sheets.values():
            assert page.is_visible(other) == (other == sheet)
        assert page.is_visible("h1")
        box = page.locator(sheet).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] > chart["y"] + 150
    page.click("#lz-tabs [data-sheet='']")
    assert not any(page.is_visible(sheet) for sheet in sheets.values())
    opened.close()


def test_a_site_opened_on_a_phone_is_seen_above_its_findings(chromium: Any, toy_map: Path) -> None:
    opened = Seen(chromium, toy_map, 390, 844)
    page = opened.page
    page.click("#lz-tabs [data-sheet=list]")
    page.locator(".lz-item").first.click()
    page.wait_for_selector("#lz-detail-view .lz-finding")
    page.wait_for_timeout(600)
    sheet = page.locator("#lz-panel").bounding_box()
    low = page.evaluate(
        "(() => { const s = lzgis.review.sites[0].spot, p = lzgis.map.latLngToContainerPoint(s);"
        "return p.y + document.querySelector('.folium-map').getBoundingClientRect().top; })()"
    )
    assert low < sheet["y"]
    assert opened.messages == []
    opened.close()


def test_search_finds_activities_and_townships(chromium: Any, toy_map: Path) -> None:
    opened = Seen(chromium, toy_map)
    page = opened.page
    page.evaluate("lzgis.review.sites[1].places.push('龙坪镇')")
    activity = page.evaluate("lzgis.review.sites[0].activity")
    page.fill("#lz-search", activity)
    assert opened.shown(".lz-item") >= 1
    assert all(activity in one for one in page.locator(".lz-item:visible .lz-item-more").all_inner_texts())
    opened.close()


def test_many_markers_are_clusters_that_count_them(chromium: Any, tmp_path: Path) -> None:
    write_map(big_report(300, 2), tmp_path / "map.html")
    opened = Seen(chromium, tmp_path / "map.html")
    page = opened.page
    counts = [int(one) for one in page.locator(".lz-cluster b").all_inner_texts()]
    single = page.locator(".lz-marker:not(.lz-cluster-marker)").count()
    small = page.evaluate("lzgis.sites.small()")
    assert counts and sum(counts) + single == small
    boxes = page.locator(".lz-marker").count()
    assert boxes < small
    opened.close()


def test_bands_and_lines_vanish_with_their_site(chromium: Any, toy_map: Path) -> None:
    opened = Seen(chromium, toy_map)
    page = opened.page
    page.evaluate("lzgis.panel.open(1)")
    assert page.locator(".leaflet-lz-bands-pane path").count() > 0
    page.evaluate("lzgis.sites.only(new Set([0]))")
    assert page.locator(".leaflet-lz-bands-pane path").count() == 0
    page.evaluate("lzgis.sites.only(null)")
    assert page.locator(".leaflet-lz-bands-pane path").count() > 0
    opened.close()


def test_a_click_names_what_lies_there_in_layers_that_are_off(chromium: Any, toy_map: Path) -> None:
    opened = Seen(chromium, toy_map)
    page = opened.page
    page.evaluate("lzgis.layers.all.forEach((e, i) => lzgis.layers.show(i, false))")
    spot = page.evaluate(
        "(() => { const p = lzgis.map.latLngToContainerPoint([24.975, 112.29]); return [p.x, p.y]; })()"
    )
    origin = page.locator(".folium-map").bounding_box()
    page.mouse.click(origin["x"] + spot[0], origin["y"] + spot[1])
    page.wait_for_selector(".lz-here-off")
    assert "图层未显示" in page.inner_text(".leaflet-popup")
    page.locator(".lz-here-off .lz-link").first.click()
    assert page.evaluate("lzgis.layers.all.some(e => e.shown)")
    opened.close()


def test_an_open_site_is_printed_with_its_findings_and_a_round_scale(chromium: Any, toy_map: Path) -> None:
    opened = Seen(chromium, toy_map)
    page = opened.page
    page.evaluate("lzgis.panel.open(0)")
    page.wait_for_timeout(600)
    page.emulate_media(media="print")
    # The policy of the page forbids strings as code, which waiting for a function needs.
    page.wait_for_selector("#lz-print-scale:not(:empty)")
    said = page.inner_text("#lz-print-scale")
    scale = int(said.split("1:")[1].split("（")[0].replace(",", ""))
    metres = page.evaluate(
        "lzgis.map.distance(lzgis.map.containerPointToLatLng([500, 150]), lzgis.map.containerPointToLatLng([500, 250]))"
    )
    assert metres / (100 * 0.0254 / 96) == pytest.approx(scale, rel=0.01)
    printed = page.inner_text("#lz-print-list")
    rules = page.evaluate("new Set(lzgis.conflicts(0).map(lzgis.ruleOf)).size")
    # One line per rule, and the basis of each finding on request.
    assert page.locator("#lz-print-list .lz-brief").count() >= rules > 0
    assert page.locator("#lz-print-list .lz-finding").count() == 0
    page.evaluate("window.print = () => window.dispatchEvent(new Event('beforeprint')); lzgis.printWhole()")
    assert page.locator("#lz-print-list .lz-finding").count() >= page.evaluate("lzgis.conflicts(0).length")
    page.evaluate("window.dispatchEvent(new Event('afterprint')); window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#lz-print-list .lz-finding").count() == 0
    assert page.evaluate("lzgis.review.sites[0].name") in printed
    assert page.evaluate("lzgis.review.sites[2].name") not in printed
    opened.close()


AXE = Path(__file__).parent.parent / "web" / "static" / "axe" / "axe.min.js"


@pytest.mark.parametrize("size", [(390, 844), (1280, 800)])
def test_axe_finds_nothing_serious(chromium: Any, toy_map: Path, size: tuple[int, int]) -> None:
    opened = Seen(chromium, toy_map, *size)
    page = opened.page
    for _ in range(2):
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)")
        serious = [
            (one["id"], [n["html"][:120] for n in one["nodes"][:3]])
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        assert serious == []
        page.evaluate("lzgis.panel.open(0)")
        page.wait_for_timeout(300)
    opened.close()
