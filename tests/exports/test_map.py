"""The interactive map: one file, no network, inert text, and a page that works."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from map_page import Page, Seen, browser, decoded, page_of
from raster_fixture import hill, write_dem
from report_fixture import HOSTILE, big_report, toy_report

from lzgis.coordinates.plane import plane_for
from lzgis.errors import ExportError
from lzgis.exports.map import gravest, write_map
from lzgis.exports.map.page import inert_json
from lzgis.exports.map.shapes import STEPS_M, Drawing, arc_of, fitted
from lzgis.model.report import Layer, Problem, Report
from lzgis.model.rules import Activity

EVIL = (
    "<script>window.__pwned=1</script>",
    '"><img src=x onerror="window.__pwned=1">',
    "`${window.__pwned=1}`",
    "</script><script>window.__pwned=1</script>",
    "<!--<script>",
    "]]></style><svg onload=window.__pwned=1>",
    "javascript:window.__pwned=1",
    "\u202eبحكم \u2028\u2029\x85\x00",
    "{{ 7*7 }} {city} $title %s",
    *HOSTILE,
)
BAD = "".join(t for t in EVIL if len(t) < 100)


def evil_report() -> Report:
    """The toy report with a hostile text wherever a file can put one."""
    toy = toy_report()
    sites = toy.sites.iloc[np.arange(len(EVIL)) % 4].reset_index(drop=True)
    old = list(sites["id"])
    sites["id"] = [f"{i}{text}" for i, text in enumerate(EVIL)]
    sites["name"] = list(EVIL)
    sites["activity"] = [BAD] * len(EVIL)
    verdicts = toy.verdicts.iloc[np.arange(len(EVIL)) % 4].reset_index(drop=True)
    verdicts["site_id"], verdicts["site_name"] = sites["id"], sites["name"]
    renamed = dict(reversed(list(zip(old, sites["id"], strict=True))))
    findings = toy.findings.copy()
    findings["site_id"] = [renamed.get(one, one) for one in findings["site_id"]]
    for column in ("feature_name", "feature_id", "item", "procedure", "note", "basis", "repealed"):
        findings[column] = BAD
    layers = {one: evil_layer(layer) for one, layer in toy.layers.items()}
    rules = tuple(r.model_copy(update={"title": r.title + BAD, "title_en": BAD}) for r in toy.book.rules)
    book = dataclasses.replace(
        toy.book, rules=rules, activities={BAD: Activity(title=BAD, title_en=BAD)}, layers={"farmland": BAD}
    )
    city = toy.city.model_copy(update={"name": "连州" + BAD, "notice": "示意数据" + BAD})
    return toy_report(
        sites=sites, verdicts=verdicts, findings=findings, layers=layers, book=book, city=city,
        problems=(Problem("warning", BAD, BAD, BAD),),
        provenance=dataclasses.replace(toy.provenance, rule_book=BAD, rule_book_version=BAD),
    )  # fmt: skip


def evil_layer(layer: Layer) -> Layer:
    frame = layer.frame.copy()
    frame["name"] = BAD
    style = layer.spec.style
    if style.by:
        frame[style.by] = BAD
        style = style.model_copy(update={"colours": {BAD: "#123456", "x": 'red" onload="window.__pwned=1'}})
    spec = layer.spec.model_copy(update={"title": BAD, "title_en": BAD, "version": BAD, "style": style})
    return Layer(layer.id, spec, frame)


def test_the_page_carries_all_it_needs_and_forbids_the_rest(tmp_path: Path) -> None:
    page = page_of(toy_report(), tmp_path / "map.html")
    for tag, attributes in page.tags:
        for name in ("src", "href", "action", "data", "srcset", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), (tag, value)
    assert not re.findall(r"url\((?!data:|#)[^)]*\)", page.text.split("<body>")[0].split("</style>")[-1])
    policy = next(a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]
    assert len(page.text.encode()) < 490_000


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_same_report_gives_the_same_bytes(tmp_path: Path, language: Any) -> None:
    dem = write_dem(tmp_path / "dem.tif", hill())
    for name in ("one", "two"):
        write_map(toy_report(backdrop=dem), tmp_path / f"{name}.html", language=language)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_the_footer_names_dates_rules_and_coordinates(tmp_path: Path) -> None:
    zh = page_of(toy_report(), tmp_path / "zh.html")
    for text in ("示意数据，仅供演示，不得用于审批。", "内部资料", "任何结论均不构成审批"):
        assert text in zh.text.split('<script type="application/json"')[0]
    footer = " ".join(zh.data["city"]["footer"])
    assert "规则基准日 2026-11-21" in footer
    assert "2026.11" in footer
    assert "数据日期 2022-10-14 至 2023-12-01" in footer
    en = page_of(toy_report(), tmp_path / "en.html", language="en")
    assert '<html lang="en">' in en.text
    assert "Lianzhou: conflict screening" in en.text
    assert en.data["city"]["verdicts"][0]["title"] == "prohibiting conflict"
    assert "永久基本农田" in zh.data["city"]["missing"]


def test_findings_are_sorted_conflicts_first(tmp_path: Path) -> None:
    review = page_of(toy_report(), tmp_path / "map.html").data["review"]
    pool = review["pool"]
    findings = review["findings"][0]
    ranks = [finding[0] for finding in findings]
    assert ranks == sorted(ranks)
    assert (ranks[0], ranks[-1]) == (0, 5)
    first = findings[0]
    assert [pool[i] for i in first[1:4]] == ["生态保护红线内禁止开发建设", "生态保护红线", "南岭水源涵养"]
    assert re.search(r"[\d,]+ ㎡（[\d,]+\.\d{4} 公顷），占 31\.2%", pool[first[6]])
    lines = review["details"]
    details = {pool[a]: pool[b] for a, b in zip(lines[first[7]][::2], lines[first[7]][1::2], strict=True)}
    assert details["手续"] == "报省级政府出具认定意见"
    assert first[8] >= 0
    missing = next(finding for finding in findings if finding[0] == 3)
    assert "缺少图层，未核查" in [pool[i] for i in lines[missing[7]]]
    road = review["findings"][1][0]
    assert "要求 15（含假定半宽 20） m" in pool[road[6]]


def test_a_marker_lies_inside_its_site(tmp_path: Path) -> None:
    report = toy_report()
    review = page_of(report, tmp_path / "map.html").data["review"]
    for site, shape in zip(review["sites"], report.sites.geometry, strict=True):
        lat, lon = site["spot"]
        assert shape.distance(shapely.Point(lon, lat)) < 1e-6


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    page = page_of(evil_report(), tmp_path / "map.html")
    plain = Page(_written(toy_report(), tmp_path / "plain.html"))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    names = [site["name"] for site in page.data["review"]["sites"]]
    assert names == list(EVIL)
    colours = {e["style"]["stroke"] for layer in page.data["layers"] for e in layer["entries"]}
    assert colours == {"#123456"}


def _written(report: Report, path: Path) -> Path:
    write_map(report, path)
    return path


def test_json_is_inert() -> None:
    text = inert_json(list(EVIL))
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text) == list(EVIL)
    assert inert_json("path\udc80") == '"path?"'
    with pytest.raises(ValueError, match="not JSON compliant"):
        inert_json(float("nan"))


def test_vendored_files_are_the_pinned_ones() -> None:
    folder = Path(__file__).parents[2] / "lzgis" / "exports" / "static"
    lines = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    listed = dict(reversed(line.split("  ")) for line in lines)
    found = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file() and p.name != "SHA256SUMS"}
    assert set(found) == set(listed)
    for name, path in found.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == listed[name]
    notices = (folder.parents[2] / "THIRD_PARTY_NOTICES.md").read_text("utf-8")
    for name in ("leaflet/LICENSE", "markercluster/MIT-LICENCE.txt", "topojson-client/LICENSE"):
        licence = (folder / name).read_text("utf-8")
        assert " ".join(licence.split()) in " ".join(notices.split())


def test_shared_borders_stay_shared_when_simplified() -> None:
    plane = plane_for((112.2, 24.7, 112.6, 25.0))
    seam = np.c_[np.linspace(112.3, 112.5, 400), 24.9 + 0.0002 * np.random.default_rng(1).random(400)]
    north = shapely.Polygon([*seam, (112.5, 25.0), (112.3, 25.0)])
    south = shapely.Polygon([*seam, (112.5, 24.8), (112.3, 24.8)])
    both = np.array([north, south], dtype=object)
    drawing = Drawing(both, plane)
    (step,) = fitted([drawing], vertices=0, steps_m=(50.0,))
    made = drawing.topology([{}, {}], step_deg=1e-9, step_m=step)
    assert len(made["arcs"]) == 3
    assert sum(map(len, map(arc_of, made["arcs"]))) < 400
    fewer = decoded(made)
    assert fewer[0].intersection(fewer[1]).area < 1e-12
    assert shapely.union_all(fewer).area == pytest.approx(shapely.union_all(both).area, rel=1e-6)


def test_a_topology_has_the_positions_of_the_shapes() -> None:
    square = shapely.box(112.4, 24.8, 112.5, 24.9)
    shapes = [
        shapely.Point(112.4, 24.9),
        square.boundary,
        square - shapely.box(112.41, 24.81, 112.42, 24.82),
        shapely.MultiPoint([(112.1, 24.1), (112.2, 24.2)]),
        shapely.MultiPolygon([square, shapely.box(113, 25, 113.5, 25.5)]),
        shapely.GeometryCollection([shapely.LineString([(112, 24), (113, 25)]), shapely.Point(112.4, 24.9)]),
        shapely.Polygon(),
    ]
    group = np.array(shapes, dtype=object)
    made = Drawing(group, plane_for((112, 24, 114, 26))).topology([{"a": i} for i in range(7)], step_deg=1e-7)
    assert [one["properties"]["a"] for one in made["objects"]["d"]["geometries"]] == list(range(7))
    assert shapely.equals(decoded(made)[:6], group[:6]).all()
    assert made["objects"]["d"]["geometries"][6]["type"] is None
    json.dumps(made)


def test_a_hole_narrower_than_the_tolerance_is_not_drawn_and_a_shape_never_vanishes() -> None:
    plane = plane_for((112.2, 24.7, 112.6, 25.0))
    circle, other = (shapely.Point(x, 24.85).buffer(0.0001) for x in (112.5, 112.45))
    shapes = np.array([shapely.box(112.4, 24.8, 112.6, 24.9) - circle - other, circle], dtype=object)
    outer, inner = decoded(Drawing(shapes, plane).topology([{}, {}], step_deg=1e-8, step_m=50.0))
    # The other hole is not drawn; the circle fills its own.
    assert outer.equals(shapely.box(112.4, 24.8, 112.6, 24.9) - inner)
    # A square in the circle has 2 / pi of its area.
    assert inner.area / circle.area == pytest.approx(2 / np.pi, abs=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_arcs_make_the_lines_that_were_cut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    squares = [shapely.box(x, y, x + 1, y + 1) for x, y in rng.integers(0, 5, (30, 2))]
    walks = [shapely.LineString(np.cumsum(rng.integers(-1, 2, (12, 2)), axis=0)) for _ in range(20)]
    group = np.array([*squares, *(one for one in walks if one.length), shapely.union_all(squares)], dtype=object)
    made = Drawing(group, plane_for((0, 0, 5, 5))).topology([{}] * len(group), step_deg=1e-3)
    back = decoded(made)
    assert shapely.equals(back, group).all()
    assert shapely.length(back) == pytest.approx(shapely.length(group))
    apart = Drawing(group, plane_for((0, 0, 5, 5)), "own").topology([{}] * len(group), step_deg=1e-3)
    assert shapely.equals(decoded(apart), group).all()
    # Every edge is stored once.
    only = Drawing(np.array(squares, dtype=object), plane_for((0, 0, 5, 5))).topology([{}] * 30, step_deg=1e-3)
    paths = [np.cumsum(arc_of(arc), axis=0).tolist() for arc in only["arcs"]]
    edges = [frozenset(map(tuple, pair)) for path in paths for pair in pairwise(path)]
    assert len(edges) == len(set(edges))


def test_the_page_states_by_how_much_it_simplified(tmp_path: Path) -> None:
    report = big_report(3, 4, vertices=400_000)
    page = page_of(report, tmp_path / "map.html")
    note = next(line for line in page.data["city"]["footer"] if "简化" in line)
    assert re.fullmatch(r"图形已为显示简化至 (2|5|10|25|50) 米；面积以完整图形计算", note)
    assert (tmp_path / "map.html").stat().st_size < 3_000_000


def test_the_last_step_is_taken_where_none_fits() -> None:
    plane = plane_for((112.2, 24.7, 112.6, 25.0))
    drawing = Drawing(np.array([shapely.box(112.3, 24.8, 112.4, 24.9)]), plane)
    assert fitted([drawing], vertices=1) == [100]
    assert drawing.vertices(100) == 5


@pytest.mark.parametrize("vertices", [5, 60, 150, 400, 900, 1999, 2001, 5000])
def test_the_first_step_that_fits_is_taken(vertices: int) -> None:
    plane = plane_for((112.2, 24.7, 112.6, 25.0))
    along = np.linspace(112.3, 112.5, 2000)
    line = shapely.LineString(np.c_[along, 24.9 + np.cumsum(np.random.default_rng(2).normal(0, 3e-5, 2000))])
    group = np.array([line], dtype=object)
    there = plane.project(group)
    counts = {m: shapely.get_num_coordinates(shapely.simplify(there, m) if m else there)[0] for m in STEPS_M}
    expected = next((m for m, n in counts.items() if n <= vertices), STEPS_M[-1])
    drawing = Drawing(group, plane)
    assert fitted([drawing], vertices=vertices) == [expected]
    assert drawing.vertices(expected) == counts[expected]


def test_drawings_of_few_vertices_are_simplified_less() -> None:
    plane = plane_for((112.2, 24.7, 112.6, 25.0))
    rng = np.random.default_rng(3)
    along = np.linspace(112.3, 112.5, 4000)
    lines = [np.c_[along[:n], 24.9 + np.cumsum(rng.normal(0, 3e-5, n))] for n in (4000, 100)]
    long, short = (Drawing(np.array([shapely.LineString(line)], dtype=object), plane) for line in lines)
    steps = fitted([long, short], vertices=1000)
    assert steps[0] > steps[1] == 0
    assert long.vertices(steps[0]) + short.vertices(0) <= 1000


def poor_reports() -> dict[str, Report]:
    toy = toy_report()
    no_shape = toy.sites.copy()
    no_shape.loc[[0, 2], "geometry"] = [None, shapely.Polygon()]
    empty = {one: Layer(one, layer.spec, layer.frame.iloc[:0]) for one, layer in toy.layers.items()}
    clear = toy.findings[toy.findings["state"] == "不涉及"].reset_index(drop=True)
    point = gpd.GeoDataFrame(toy.sites.iloc[[2]])
    return {
        "no layers": toy_report(layers={}),
        "empty layers": toy_report(layers=empty),
        "sites without shapes": toy_report(sites=no_shape),
        "nothing hit": toy_report(findings=clear),
        "no findings": toy_report(findings=toy.findings.iloc[:0]),
        "one point": toy_report(sites=point, layers={}),
        "no sites": toy_report(
            sites=toy.sites.iloc[:0],
            findings=toy.findings.iloc[:0],
            verdicts=toy.verdicts.iloc[:0],
            layers={},
        ),
        "no notice": toy_report(city=toy.city.model_copy(update={"notice": "", "outline": "nowhere"})),
    }


@pytest.mark.parametrize("name", poor_reports())
def test_incomplete_reports_have_a_map(tmp_path: Path, name: str) -> None:
    report = poor_reports()[name]
    page = page_of(report, tmp_path / "map.html")
    assert len(page.data["review"]["sites"]) == len(report.sites)


def test_errors_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(ExportError, match=r"map\.html: cannot be written"):
        write_map(toy_report(), tmp_path / "taken" / "map.html")
    with pytest.raises(ExportError, match=r"gone\.tif: cannot be read as elevation"):
        write_map(toy_report(backdrop=tmp_path / "gone.tif"), tmp_path / "map.html")
    assert not (tmp_path / "map.html").exists()


# In a browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.fixture
def seen(chromium: Any, tmp_path: Path) -> Iterator[Seen]:
    dem = write_dem(tmp_path / "dem.tif", hill())
    write_map(toy_report(backdrop=dem), tmp_path / "map.html")
    opened = Seen(chromium, tmp_path / "map.html")
    yield opened
    opened.close()


@pytest.mark.browser
def test_sites_layers_and_relief_are_there(seen: Seen) -> None:
    assert seen.shown(".lz-item") == 5
    assert seen.page.locator(".lz-marker").count() == 3  # two sites are large enough to be seen themselves
    assert seen.page.locator(".leaflet-lz-sites-pane path").count() == 5
    assert seen.page.locator("[class*=lz-parts-] path").count() >= 2
    assert seen.page.evaluate("lzgis.layers.all.filter(e => e.shown).map(e => e.spec.id).sort()") == [
        "city", "redline", "roads",
    ]  # fmt: skip
    assert seen.page.evaluate("lzgis.layers.all.filter(e => e.shown).every(e => e.drawn.getLayers().length > 0)")
    assert seen.page.evaluate("document.querySelector('.leaflet-image-layer').naturalWidth") > 100
    assert "km" in seen.page.inner_text(".leaflet-control-scale-line")
    assert seen.page.locator(".leaflet-attribution-flag").count() == 0
    assert seen.page.inner_text(".leaflet-control-attribution") == "lzgis · Leaflet"


@pytest.mark.browser
@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_no_box_covers_another(chromium: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    write_map(toy_report(), tmp_path / "map.html")
    opened = Seen(chromium, tmp_path / "map.html", *size)
    boxes = [".lz-header", ".lz-panel", ".lz-footer", ".lz-legend", ".lz-tools", ".lz-north", "#lz-inset"]
    boxes += [".leaflet-control-scale", ".leaflet-control-attribution"]
    found = {one: opened.page.locator(one).bounding_box() for one in boxes}
    shapes = {k: shapely.box(b["x"], b["y"], b["x"] + b["width"], b["y"] + b["height"]) for k, b in found.items()}
    for i, one in enumerate(boxes):
        assert shapely.box(0, 0, *size).buffer(0.5).covers(shapes[one]), one
        for other in boxes[i + 1 :]:
            assert shapes[one].intersection(shapes[other]).area < 1, (one, other)
    opened.close()


@pytest.mark.browser
def test_search_and_filter_narrow_list_and_map(seen: Seen) -> None:
    page = seen.page
    page.fill("#lz-search", "采石")
    assert seen.shown(".lz-item") == 1
    assert page.locator(".leaflet-lz-sites-pane path").count() == 1
    page.fill("#lz-search", "ｓ２")  # full-width, as an input method may give it
    assert page.locator(".lz-item:visible .lz-item-name").all_inner_texts() == ["旅游公路"]
    page.fill("#lz-search", "没有这个")
    assert page.inner_text("#lz-status") == "没有符合条件的项目"
    page.fill("#lz-search", "")
    first = page.locator(".lz-filter-chip:enabled").first
    count = int(first.locator(".lz-count").inner_text())
    first.click()
    assert first.get_attribute("aria-pressed") == "true"
    assert seen.shown(".lz-item") == count
    first.click()
    assert seen.shown(".lz-item") == 5


@pytest.mark.browser
def test_a_site_opens_by_keyboard_and_closes_by_escape(seen: Seen) -> None:
    page = seen.page
    before = page.evaluate("lzgis.map.getZoom()")
    page.focus("#lz-search")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    detail = page.locator("#lz-detail-view")
    assert detail.is_visible()
    text = detail.inner_text()
    for part in (
        "星子光伏一期",
        "存在禁止性冲突",
        "S1",
        "光伏电站",
        "生态保护红线内禁止开发建设",
        "缺少图层，未核查",
        "公顷",
    ):
        assert part in text
    clear = page.locator(".lz-clear-list")
    assert "高速公路建筑控制区30米" not in clear.inner_text()  # 不涉及 is folded away
    page.locator("summary", has_text="不涉及（").click()
    clear.get_by_text("高速公路建筑控制区30米").wait_for()
    page.wait_for_timeout(500)
    assert page.evaluate("lzgis.map.getZoom()") > before
    assert page.evaluate("document.activeElement.closest('#lz-detail-view') !== null")
    page.keyboard.press("Escape")
    assert not detail.is_visible()
    assert page.evaluate("document.activeElement.classList.contains('lz-item')")


@pytest.mark.browser
def test_locating_a_finding_shows_its_layer(seen: Seen) -> None:
    page = seen.page
    page.locator(".lz-item").first.click()
    unit = page.locator(".lz-finding", has_text="所在环境管控单元")
    unit.get_by_role("button", name="定位").click()
    assert page.evaluate("lzgis.layers.all.find(e => e.spec.id === 'units').shown")
    assert page.locator("[data-layer=units] input").is_checked()


@pytest.mark.browser
def test_a_marker_opens_the_same_table(seen: Seen) -> None:
    page = seen.page
    page.locator(".lz-marker").first.click()
    page.wait_for_selector(".leaflet-popup .lz-facts")
    assert page.locator(".lz-marked").count() == 1
    page.keyboard.press("Escape")
    page.wait_for_selector(".leaflet-popup", state="detached")


@pytest.mark.browser
def test_a_click_lists_the_features_there(seen: Seen) -> None:
    page = seen.page
    at = page.evaluate("(() => { const p = lzgis.map.latLngToContainerPoint([24.975, 112.29]); return [p.x, p.y]; })()")
    origin = page.locator(".folium-map").bounding_box()
    page.mouse.click(origin["x"] + at[0], origin["y"] + at[1])
    page.wait_for_selector(".leaflet-popup .lz-here")
    assert "南岭水源涵养" in page.inner_text(".leaflet-popup")


@pytest.mark.browser
def test_layers_switch_and_fade(seen: Seen) -> None:
    page = seen.page
    redline = page.locator("[data-layer=redline] input")
    redline.uncheck()
    assert not page.evaluate("lzgis.layers.all.find(e => e.spec.id === 'redline').shown")
    redline.check()
    page.locator("[data-layer=units] input").check()
    assert "优先" in page.inner_text("[data-layer=units]")
    page.locator(".lz-slider input").fill("40")
    pane = page.evaluate("'lz-layer-' + lzgis.layers.all.find(e => e.spec.id === 'redline').place")
    assert page.evaluate("name => lzgis.map.getPane(name).style.opacity", pane) == "0.4"
    page.locator(".lz-group", has_text="管控约束").locator("h3 input").uncheck()
    assert page.evaluate("lzgis.layers.all.filter(e => e.shown).map(e => e.spec.role).includes('constraint')") is False


@pytest.mark.browser
def test_measured_lengths_and_areas_are_those_of_the_ellipsoid(seen: Seen) -> None:
    from lzgis.coordinates.plane import ELLIPSOID, ellipsoidal_area_m2

    page = seen.page
    square = shapely.box(112.3, 24.8, 112.45, 24.92)
    ring = [{"lng": x, "lat": y} for x, y in square.exterior.coords[:-1]]
    assert page.evaluate("r => lzgis.area(r)", ring) == pytest.approx(ellipsoidal_area_m2([square])[0], rel=2e-5)
    length = ELLIPSOID.inv(112.3, 24.8, 112.45, 24.92)[2]
    assert page.evaluate("r => lzgis.distance(r[0], r[2])", ring[:1] + ring) > 0
    ends = [{"lng": 112.3, "lat": 24.8}, {"lng": 112.45, "lat": 24.92}]
    assert page.evaluate("r => lzgis.distance(r[0], r[1])", ends) == pytest.approx(length, rel=1e-5)
    page.get_by_role("button", name="量测").click()
    for x, y in ((620, 300), (760, 300)):
        page.mouse.click(x, y)
        page.wait_for_timeout(300)
    page.mouse.dblclick(760, 420)
    assert re.search(r"长度 [\d.,]+ k?m", page.inner_text(".lz-measure"))
    assert re.search(r"面积 约 [\d,]+ ㎡ = [\d,.]+ 公顷", page.inner_text(".lz-measure"))
    assert page.locator(".leaflet-popup").count() == 0
    page.keyboard.press("Escape")
    assert not page.is_visible(".lz-measure")


@pytest.mark.browser
def test_paper_shows_map_legend_and_list(seen: Seen) -> None:
    page = seen.page
    assert not page.is_visible("#lz-print-list")
    zoom = page.evaluate("lzgis.map.getZoom()")
    page.emulate_media(media="print")
    assert page.is_visible("#lz-print-list")
    assert page.locator("#lz-print-list tbody tr").count() == 5
    assert "生态保护红线内禁止开发建设" in page.inner_text("#lz-print-list")
    for hidden in (".lz-panel", ".lz-tools", "#lz-print"):
        assert not page.is_visible(hidden)
    for visible in (".lz-legend", ".folium-map", ".lz-notice", ".lz-mark", ".lz-footer"):
        assert page.is_visible(visible)
    inset, chart = (page.locator(one).bounding_box() for one in ("#lz-inset", ".folium-map"))
    assert chart["y"] <= inset["y"] and inset["y"] + inset["height"] <= chart["y"] + chart["height"]
    page.emulate_media(media="screen")
    page.wait_for_function("view => lzgis.map.getZoom() === view", arg=zoom)
    assert page.pdf().startswith(b"%PDF")


@pytest.mark.browser
def test_names_of_context_areas_are_on_the_map(chromium: Any, tmp_path: Path) -> None:
    report = toy_report()
    units = report.layers["units"]
    town = units.spec.model_copy(update={"role": "context"})
    layers = {**report.layers, "units": Layer("units", town, units.frame)}
    write_map(toy_report(layers=layers), tmp_path / "map.html")
    opened = Seen(chromium, tmp_path / "map.html")
    assert opened.page.locator(".lz-place").all_inner_texts() == [
        "北部优先单元",
        "东部重点单元",
        "南部一般单元",
    ]
    opened.close()


@pytest.mark.browser
def test_hostile_text_does_nothing_in_a_browser(chromium: Any, tmp_path: Path) -> None:
    write_map(evil_report(), tmp_path / "map.html")
    opened = Seen(chromium, tmp_path / "map.html")
    page = opened.page
    page.evaluate("lzgis.layers.all.forEach((e, i) => lzgis.layers.show(i, true))")
    for number in range(len(EVIL)):
        page.evaluate("n => lzgis.panel.open(n)", number)
        page.evaluate("n => lzgis.sites.popup(n, [24.9, 112.4])", number)
    page.evaluate("lzgis.map.fire('click', {latlng: L.latLng(24.975, 112.29)})")
    page.locator(".lz-notes summary").click()
    page.wait_for_timeout(300)
    assert page.evaluate("document.querySelectorAll('img[src=x], svg[onload], [onerror]').length") == 0
    wide = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert wide == [1280, 800]
    opened.close()


@pytest.mark.browser
@pytest.mark.parametrize("name", poor_reports())
def test_maps_of_incomplete_reports_open(chromium: Any, tmp_path: Path, name: str) -> None:
    report = poor_reports()[name]
    write_map(report, tmp_path / "map.html", language="en")
    opened = Seen(chromium, tmp_path / "map.html")
    assert opened.page.locator(".lz-item").count() == len(report.sites)
    if len(report.sites):
        if len(report.sites) > 1:
            opened.page.locator(".lz-item").first.click()
        assert opened.page.is_visible("#lz-detail-view")
    opened.close()


@pytest.mark.browser
def test_five_hundred_sites_open_fast(chromium: Any, tmp_path: Path) -> None:
    write_map(big_report(500, 20, vertices=100_000), tmp_path / "map.html")
    assert (tmp_path / "map.html").stat().st_size < 5_000_000
    opened = Seen(chromium, tmp_path / "map.html")
    assert opened.page.locator(".lz-item").count() == 500
    # Two seconds on a quiet machine; room for a busy one.
    assert opened.page.evaluate("performance.timing.domContentLoadedEventEnd - performance.timing.fetchStart") < 8000
    opened.page.fill("#lz-search", "P00123")
    assert opened.shown(".lz-item") == 1
    opened.close()


def test_a_map_of_many_sites_shows_the_gravest_and_says_so(tmp_path: Path) -> None:
    report = big_report(8, 3)
    verdicts = report.verdicts.copy()
    verdicts["verdict"] = ["未发现冲突", "存在禁止性冲突", "核查不完整", "需进一步论证"] * 2
    report = dataclasses.replace(report, verdicts=verdicts)
    assert gravest(report, 8) is report
    few = gravest(report, 3)
    # Both prohibited sites, and of the two that need proof the first, in the order of the file.
    assert list(few.sites["id"]) == list(few.verdicts["site_id"]) == ["P00001", "P00003", "P00005"]
    assert list(few.findings["site_id"]) == [one for one in ("P00001", "P00003", "P00005") for _ in range(3)]


def test_the_page_says_how_many_sites_it_shows(tmp_path: Path) -> None:
    city = page_of(big_report(2_001, 1), tmp_path / "map.html").data["city"]
    said = "共 2001 个项目，地图只显示其中结论最严重的 2000 个"
    assert said in city["footer"] and city["problems"][-1][2] == said
