"""What the map shows to whom: the public edition, the online base, and what is around a site that is open."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import rasterio.features
import shapely
from map_page import Page, Seen, browser, decoded, page_of
from report_fixture import BOUNDS, PLANE, toy_report

from lzgis.cli.options import MapMode, OutputOptions, formats_for
from lzgis.errors import ConfigError, ExportError
from lzgis.exports.map import write_map
from lzgis.exports.map.shapes import arc_of
from lzgis.exports.public_edition import coarsened, public_edition, touched_cells
from lzgis.model.report import Layer, Report

KEY = "0123456789abcdef0123456789abcdef"
SECRET_NAMES = (
    "南岭水源涵养",
    "清连高速",
    "省道259",
    "北部优先单元",
    "ZH44188210001",
    "G0421",
    "S259",
    "R1",
    "水源涵养",
)
# So short that the libraries on the page may hold it by chance; looked for in the data alone.
SHORT = 3


def mixed_report(**levels: str) -> Report:
    """The toy report with layers of other levels of confidentiality; the others are public."""
    toy = toy_report()
    layers = {
        name: dataclasses.replace(
            layer, spec=layer.spec.model_copy(update={"confidentiality": levels.get(name, "public")})
        )
        for name, layer in toy.layers.items()
    }
    return toy_report(layers=layers)


def numbers_of(page: Page) -> list[float]:
    """Give every number on the page that could be a coordinate, shapes decoded."""
    found: list[float] = []
    for block in page.data.values():
        _collect(block, found)
    text = re.sub(r'<script type="application/json".*?</script>', "", page.text, flags=re.S)
    return found + [float(n) for n in re.findall(r"\d+\.\d{2,}", text)]


def _collect(value: Any, found: list[float]) -> None:
    if isinstance(value, dict) and value.get("type") == "Topology":
        scale, origin = (np.array(value.get("transform", {}).get(k, [0, 0])) for k in ("scale", "translate"))
        for arc in value["arcs"]:
            found.extend((np.cumsum(arc_of(arc), axis=0) * scale + origin).ravel().tolist())
        _collect([g.get("properties") for g in value["objects"]["d"]["geometries"]], found)
    elif isinstance(value, dict):
        _collect(list(value.values()), found)
    elif isinstance(value, list):
        for one in value:
            _collect(one, found)
    elif isinstance(value, float):
        found.append(value)


def secret_values(report: Report) -> np.ndarray:
    """Coordinates of the layers that are not public, and of the parts cut by them."""
    frames = [x.frame for x in report.layers.values() if x.spec.confidentiality != "public"]
    shapes = [g for f in frames for g in f.geometry] + [g for g in report.findings.geometry if g is not None]
    found = np.unique([xy for g in shapes for xy in shapely.get_coordinates(g)])
    # What stands in the shapes of the sites themselves is theirs, and the grid is everyone's.
    own = shapely.get_coordinates(report.sites.geometry.to_numpy())
    return np.array([v for v in found if not np.isin(v, own) and not is_on_grid(v)])


def is_on_grid(value: float) -> bool:
    return abs(value / 0.005 - round(value / 0.005)) < 1e-6


@pytest.mark.parametrize("level", ["internal", "confidential"])
def test_the_public_map_holds_no_coordinate_id_or_name_of_what_is_not_public(tmp_path: Path, level: str) -> None:
    report = mixed_report(**dict.fromkeys(("city", "redline", "roads", "units"), level))
    page = page_of(report, tmp_path / "map.html", mode="public")
    for name in SECRET_NAMES:
        assert name not in (page.text if len(name) > SHORT else json.dumps(page.data)), name
    found = np.array(numbers_of(page))
    seen = np.unique(np.round(found[(found > 20) & (found < 120)], 6))
    assert len(secret_values(report)) > 100
    for value in secret_values(report):
        for places in (4, 5, 6, 7):
            assert f"{value:.{places}f}" not in page.text, (value, places)
        assert np.min(np.abs(seen - value), initial=1.0) > 2e-7, value
    assert "涉密" not in page.text.split("<body>")[1].split("<main")[0]


def test_the_same_search_finds_them_in_the_internal_map(tmp_path: Path) -> None:
    report = mixed_report(**dict.fromkeys(("city", "redline", "roads", "units"), "internal"))
    page = page_of(report, tmp_path / "map.html")
    assert all(name in page.text for name in SECRET_NAMES[:5])
    seen = np.array(numbers_of(page))
    assert np.mean([np.min(np.abs(seen - v)) < 1e-5 for v in secret_values(report)]) > 0.9
    assert "内部资料" in page.text.split("<main")[0]


def test_findings_on_what_is_not_public_keep_rule_and_state_alone(tmp_path: Path) -> None:
    report = mixed_report(redline="internal")
    edition = public_edition(report)
    secret = edition.findings[edition.findings["rule"] == "redline"]
    whole = report.findings[report.findings["rule"] == "redline"]
    assert list(secret["state"]) == list(whole["state"])
    assert list(secret["basis"]) == list(whole["basis"])
    assert secret.geometry.isna().all()
    assert (secret[["feature_id", "feature_name"]] == "").all(axis=None)
    assert secret.select_dtypes("float").drop(columns="unchecked_share").isna().all(axis=None)
    assert set(secret["unchecked_share"]) == {0.0, 0.3}
    others = edition.findings[edition.findings["rule"] != "redline"]
    pd.testing.assert_frame_equal(
        pd.DataFrame(others.drop(columns="geometry")),
        pd.DataFrame(report.findings.loc[others.index].drop(columns="geometry")),
    )
    near = edition.verdicts.set_index("site_id")
    assert (near.loc["S2", "nearest_rule"], near.loc["S1", "nearest_rule"]) == ("", "road-expressway")
    assert list(edition.verdicts["verdict"]) == list(report.verdicts["verdict"])
    page = page_of(report, tmp_path / "map.html", mode="public")
    assert page.data["city"]["withheld"] == ["生态保护红线"]
    assert any("500 米" in line for line in page.data["city"]["footer"])
    redline = next(layer for layer in page.data["layers"] if layer["id"] == "redline")
    assert (redline["status"], redline["source"], redline["entries"]) == ("概略示意", "", [])
    assert [g["properties"] for g in redline["topology"]["objects"]["d"]["geometries"]] == [{"t": ""}]
    roads = next(layer for layer in page.data["layers"] if layer["id"] == "roads")
    assert len(roads["topology"]["objects"]["d"]["geometries"]) == 2


def test_a_better_baseline_that_is_not_public_hides_its_rule() -> None:
    """A distance may be measured from any layer of a rule, and limits where features of the others may lie."""
    report = mixed_report(roads="internal")
    assert public_edition(report).findings.query("kind == 'keep_away'")["distance_m"].isna().all()


def test_a_confidential_layer_is_named_and_not_drawn(tmp_path: Path) -> None:
    page = page_of(mixed_report(redline="confidential"), tmp_path / "map.html", mode="public")
    assert [layer["id"] for layer in page.data["layers"]] == ["city", "units", "roads"]
    assert page.data["city"]["withheld"] == ["生态保护红线"]
    assert "生态保护红线" not in page.data["city"]["missing"]
    assert "涉密资料" in page_of(mixed_report(redline="confidential"), tmp_path / "in.html").text


def test_clauses_of_a_unit_layer_that_is_not_public_are_not_written(tmp_path: Path) -> None:
    page = page_of(mixed_report(units="internal"), tmp_path / "map.html", mode="public")
    assert page.data["review"]["units"] == []
    assert "禁止新建、扩建化工" not in page.text


def test_a_report_of_public_layers_is_its_own_public_edition(tmp_path: Path) -> None:
    report = mixed_report()
    assert public_edition(report) is report
    page = page_of(report, tmp_path / "map.html", mode="public")
    assert "公开" in page.text.split("<main")[0]
    assert "内部资料" not in page.text.split("<main")[0]
    inside = page_of(report, tmp_path / "in.html").text.split("<main")[0]
    assert "公开" in inside and "内部资料" not in inside


@pytest.mark.parametrize("latitude", [24.9, 45.2])
def test_cells_are_wide_enough_and_show_only_what_they_hold(latitude: float) -> None:
    spot = shapely.Point(112.4321987, latitude + 0.0012345)
    (cell,) = touched_cells(np.array([spot], dtype=object))
    assert cell.covers(spot)
    assert all(is_on_grid(v) for v in shapely.get_coordinates(cell).ravel())
    west, south, east, north = cell.bounds
    assert (north - south) * 111_000 > 500
    assert (east - west) * 111_320 * np.cos(np.radians(latitude)) > 495
    moved = shapely.Point(112.4341111, latitude + 0.0022222)
    assert shapely.equals(touched_cells(np.array([moved], dtype=object))[0], cell)


def test_a_layer_of_nothing_is_coarsened_to_nothing() -> None:
    layer = toy_report().layers["redline"]
    assert len(coarsened(Layer("redline", layer.spec, layer.frame.iloc[:0])).frame) == 0


def test_an_unknown_mode_or_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="'secret' is no mode of the map; use one of internal, public"):
        write_map(toy_report(), tmp_path / "map.html", mode="secret")  # type: ignore[arg-type]
    for key in ('x" onload="', "short", "https://elsewhere/?k=0123456789abcdef"):
        with pytest.raises(ExportError, match="is no key of Tianditu"):
            write_map(toy_report(), tmp_path / "map.html", tianditu_key=key)
    assert not (tmp_path / "map.html").exists()


def test_only_a_key_opens_the_page_to_the_network_and_only_to_its_hosts(tmp_path: Path) -> None:
    plain = page_of(toy_report(), tmp_path / "plain.html")
    assert "tianditu.gov.cn" not in plain.text
    page = page_of(toy_report(), tmp_path / "map.html", tianditu_key=KEY)
    policy = next(a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a)
    assert policy is not None
    hosts = " ".join(f"https://t{n}.tianditu.gov.cn" for n in range(8))
    assert f"img-src data: {hosts};" in policy
    assert "default-src 'none'" in policy
    assert any("访问网络" in line for line in page.data["city"]["footer"])
    assert set(re.findall(r"https://[\w{}.]+", page.text.split("<body>")[1])) >= {"https://t{s}.tianditu.gov.cn"}


def coverage(size: int, classes: int, smooth: int) -> gpd.GeoDataFrame:
    """Polygons with the edges of raster cells that fill a rectangle."""
    noise = np.random.default_rng(1).random((size, size))
    waves = np.hypot(*np.meshgrid(np.fft.rfftfreq(size), np.fft.fftfreq(size)))
    soft = np.fft.irfft2(np.fft.rfft2(noise) * np.exp(-2 * (np.pi * smooth * waves) ** 2), (size, size))
    label = np.digitize(soft, np.quantile(soft, np.linspace(0, 1, classes + 1)[1:-1])).astype(np.int32)
    west, south, east, north = BOUNDS
    place = rasterio.Affine((east - west) / size, 0, west, 0, (south - north) / size, north)
    found = [shapely.geometry.shape(g) for g, _ in rasterio.features.shapes(label, transform=place, connectivity=4)]
    names = [f"R{i}" for i in range(len(found))]
    return gpd.GeoDataFrame({"id": names, "name": names}, geometry=found, crs="EPSG:4490")


@pytest.fixture(scope="module")
def vast(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    toy = toy_report()
    frame = coverage(1260, 6, 8)
    layers = {**toy.layers, "redline": Layer("redline", toy.layers["redline"].spec, frame)}
    path = tmp_path_factory.mktemp("vast") / "map.html"
    write_map(toy_report(layers=layers), path)
    return path, int(shapely.get_num_coordinates(frame.geometry.to_numpy()).sum())


def test_a_redline_of_422_000_vertices_is_small_and_its_borders_stay_shared(vast: tuple[Path, int]) -> None:
    path, vertices = vast
    assert vertices > 422_000
    assert path.stat().st_size < 5_000_000
    page = Page(path)
    assert any(re.fullmatch(r"图形已为显示简化至 \d+ 米；.*", line) for line in page.data["city"]["footer"])
    layer = next(one for one in page.data["layers"] if one["id"] == "redline")
    shapes = decoded(layer["topology"])
    west, south, east, north = BOUNDS
    rings = shapely.get_rings(shapely.get_parts(shapes))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    ends = np.sort(
        np.rint(np.c_[points[:-1] @ [1e8, 1j * 1e8], points[1:] @ [1e8, 1j * 1e8]][ring[1:] == ring[:-1]]), axis=1
    )
    edges, times = np.unique(ends[ends[:, 0] != ends[:, 1]], axis=0, return_counts=True)
    outside = edges[times % 2 == 1].ravel()
    on_the_rim = [np.isclose(outside.real, 1e8 * x) for x in (west, east)]
    on_the_rim += [np.isclose(outside.imag, 1e8 * y) for y in (south, north)]
    assert len(outside) and np.any(on_the_rim, axis=0).all()
    assert shapely.area(shapes).sum() == pytest.approx((east - west) * (north - south), rel=1e-6)


# In a browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.mark.browser
def test_a_redline_of_422_000_vertices_opens_fast(chromium: Any, vast: tuple[Path, int]) -> None:
    times = []
    for _ in range(3):
        opened = Seen(chromium, vast[0])
        times.append(
            opened.page.evaluate("performance.timing.domContentLoadedEventEnd - performance.timing.fetchStart")
        )
        opened.close()
    # Under two seconds on a quiet machine; room for a busy one.
    assert min(times) < 4000


def corridor_report() -> Report:
    """The toy report with a site 12 m from a road whose half-width is assumed, and one far off."""
    toy = toy_report()
    road = PLANE.project(toy.layers["roads"].frame.geometry.to_numpy())[1]
    spot = road.interpolate(0.3, normalized=True)
    square = PLANE.unproject([shapely.box(spot.x + 14, spot.y - 20, spot.x + 54, spot.y + 20)])[0]
    sites = toy.sites.copy()
    sites.loc[1, "geometry"] = square
    findings = toy.findings.copy()
    road_rows = findings.index[(findings["site_id"] == "S2") & (findings["rule"] == "road-provincial")]
    distance = float(shapely.distance(PLANE.project([square])[0], road))
    findings.loc[road_rows, ["distance_m", "required_m", "required_possible_m", "half_width_m"]] = [distance, 15, 20, 5]
    redline = PLANE.project(toy.layers["redline"].frame.geometry.to_numpy())
    near = findings.index[(findings["site_id"] == "S2") & (findings["rule"] == "redline")]
    findings.loc[near, "distance_m"] = float(shapely.distance(PLANE.project([square])[0], redline[1]))
    return toy_report(sites=sites, findings=findings)


def test_bands_reach_as_far_as_the_rule_and_lines_are_as_long_as_the_distance(tmp_path: Path) -> None:
    report = corridor_report()
    review = page_of(report, tmp_path / "map.html").data["review"]
    about = [g["properties"] for g in review["bands"]["objects"]["d"]["geometries"]]
    # The first two are those of the constraint nearest to the first site.
    assert [(one["s"], one["k"], one["m"]) for one in about] == [(0, 1, "30"), (0, 0, "30"), (1, 1, "15"), (1, 0, "15")]
    bands = decoded(review["bands"])
    road = PLANE.project(report.layers["roads"].frame.geometry.to_numpy())[1]
    for band, reach in zip(PLANE.project(bands[2:]), (20.0, 15.0), strict=True):
        edge = shapely.get_coordinates(band)
        away = shapely.distance(shapely.points(edge), road)
        assert away.max() == pytest.approx(reach, abs=0.7)
        assert 2 * reach * 1000 < band.area < 2 * reach * 4000
    wanted = report.findings.set_index(["site_id", "rule"])["distance_m"]
    lengths = {}
    for site, ends, label, nearest in review["lines"]:
        line = PLANE.project([shapely.LineString([(lon, lat) for lat, lon in ends])])[0]
        lengths[site, nearest] = (line.length, label)
    length, label = lengths[1, 0]
    assert length == pytest.approx(wanted["S2", "road-provincial"], abs=0.05)
    assert label == f"{wanted['S2', 'road-provincial']:.1f} m 省道259"
    assert lengths[1, 1][0] == pytest.approx(wanted["S2", "redline"], abs=0.05)


def test_a_line_whose_length_is_not_the_distance_is_not_drawn(tmp_path: Path) -> None:
    review = page_of(toy_report(), tmp_path / "map.html").data["review"]
    assert review["lines"] == []  # the distances of the toy's findings are made up


def test_findings_point_at_their_clauses(tmp_path: Path) -> None:
    review = page_of(toy_report(), tmp_path / "map.html").data["review"]
    redline, unit = review["findings"][0][0], review["findings"][0][3]
    rule = review["rules"][redline[11]]
    assert rule["title"] == "生态保护红线内禁止开发建设"
    assert rule["documents"][0]["title"] == "自然资发〔2022〕142号"
    facts = dict(rule["documents"][0]["facts"])
    assert (facts["条款"], facts["施行日期"], facts["核实程度"]) == ("第一条", "2022-08-16", "部分核对，须再核原文")
    assert redline[12] == -1
    entry = review["units"][unit[12]]
    assert entry["title"] == "ZH44188210001 北部优先单元"
    assert [heading for heading, _ in entry["lists"]] == ["区域布局管控", "能源资源利用"]
    road = next(r for r in review["rules"] if r["title"] == "省道建筑控制区15米")
    assert dict(road["documents"][1]["facts"])["已废止的依据"] == "2026-08-15 生态环境法典"


@pytest.mark.browser
def test_opening_a_site_draws_bands_and_lines_and_closing_removes_them(chromium: Any, tmp_path: Path) -> None:
    write_map(corridor_report(), tmp_path / "map.html")
    opened = Seen(chromium, tmp_path / "map.html")
    page = opened.page
    page.evaluate("lzgis.panel.open(1)")
    assert page.locator(".leaflet-lz-bands-pane path").count() == 2
    assert page.locator(".leaflet-lz-lines-pane path").count() >= 3
    tags = page.locator(".lz-map-tag").all_inner_texts()
    assert "15 m" in tags
    assert any(re.fullmatch(r"[\d.]+ m 省道259", one) for one in tags)
    # However near one looks, the label of a line stays in view, on the line.
    page.evaluate("lzgis.map.setView(lzgis.review.lines.find(one => one[0] === 1)[1][0], 18, {animate: false})")
    line = page.locator(".lz-on-line").first.bounding_box()
    assert line is not None
    assert 0 < line["x"] < 1280 and 0 < line["y"] < 800
    toggle = page.get_by_label("廊道与距离（选中的项目）")
    toggle.uncheck()
    assert page.locator(".leaflet-lz-bands-pane path").count() == 0
    toggle.check()
    assert page.locator(".leaflet-lz-bands-pane path").count() == 2
    page.keyboard.press("Escape")
    assert page.locator(".lz-map-tag").count() == 0
    opened.close()


@pytest.mark.browser
def test_clauses_open_and_lead_back_by_keyboard(chromium: Any, tmp_path: Path) -> None:
    write_map(toy_report(), tmp_path / "map.html")
    opened = Seen(chromium, tmp_path / "map.html")
    page = opened.page
    page.evaluate("lzgis.panel.open(0)")
    unit = page.locator(".lz-finding", has_text="所在环境管控单元")
    unit.get_by_role("button", name="条款").press("Enter")
    view = page.locator("#lz-clause-view")
    assert "禁止新建、扩建化工、焦化项目。" in view.inner_text()
    heads = view.locator("h3").all_inner_texts()
    assert heads[:3] == ["省级总体管控要求", "市级总体管控要求", "生态环境准入清单"]
    assert "规则库未载省级总体管控要求" in view.inner_text()
    assert "严禁任意改变生态保护红线用途。 （连州市生态规划；载于规划）归类系规则库所加" in view.inner_text()
    assert "自然资发〔2022〕142号" in view.inner_text()
    page.keyboard.press("Escape")
    assert not view.is_visible()
    assert page.is_visible("#lz-detail-view")
    page.keyboard.press("Escape")
    assert page.is_visible("#lz-list-view")
    # From the popup on the map the texts open in the panel, unfolded if need be.
    page.click("#lz-fold")
    page.evaluate("lzgis.sites.popup(0, lzgis.review.sites[0].spot)")
    page.locator(".leaflet-popup .lz-to-clauses").first.click()
    page.locator("#lz-clause-view").wait_for()
    assert view.is_visible()
    opened.close()


@pytest.mark.browser
def test_the_inset_follows_the_map_and_moves_it(chromium: Any, tmp_path: Path) -> None:
    write_map(toy_report(), tmp_path / "map.html")
    opened = Seen(chromium, tmp_path / "map.html")
    page = opened.page
    wide = float(page.locator(".lz-inset-view").get_attribute("width"))
    page.evaluate("lzgis.map.setView([24.9, 112.3], 14, {animate: false})")
    assert float(page.locator(".lz-inset-view").get_attribute("width")) < wide / 3
    box = page.locator("#lz-inset svg").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.5)
    page.wait_for_function("Math.abs(lzgis.map.getCenter().lng - 112.5) < 0.03")
    opened.close()


@pytest.mark.browser
def test_a_map_of_one_site_opens_at_it(chromium: Any, tmp_path: Path) -> None:
    toy = toy_report()
    one = toy.sites["id"] == "S1"
    report = toy_report(
        sites=toy.sites[one],
        findings=toy.findings[toy.findings["site_id"] == "S1"],
        verdicts=toy.verdicts[one.to_numpy()],
    )
    write_map(report, tmp_path / "map.html")
    opened = Seen(chromium, tmp_path / "map.html")
    assert "星子光伏一期" in opened.page.inner_text("#lz-detail-view")
    assert opened.page.evaluate("lzgis.map.getZoom()") > 11
    opened.close()


@pytest.mark.browser
def test_the_public_map_works_and_names_what_is_omitted(chromium: Any, tmp_path: Path) -> None:
    write_map(mixed_report(redline="internal", roads="confidential"), tmp_path / "map.html", mode="public")
    opened = Seen(chromium, tmp_path / "map.html")
    page = opened.page
    assert page.inner_text(".lz-mark") == "公开"
    legend = page.inner_text("#lz-legend-body")
    assert "不公开的图层" in legend
    assert "概略示意" in legend
    for number in range(5):
        page.evaluate("n => lzgis.panel.open(n)", number)
    page.evaluate("lzgis.panel.open(0)")
    assert "生态保护红线内禁止开发建设" in page.inner_text("#lz-detail-view")
    page.evaluate("lzgis.map.fire('click', {latlng: L.latLng(24.95, 112.3)})")
    opened.close()


@pytest.mark.browser
def test_with_a_key_only_tiles_are_requested_and_only_when_switched_on(chromium: Any, tmp_path: Path) -> None:
    write_map(toy_report(), tmp_path / "map.html", tianditu_key=KEY)
    context = chromium.new_context(offline=True, viewport={"width": 1280, "height": 800})
    requested: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: requested.append(request.url) if request.url.startswith("http") else None)
    page.goto((tmp_path / "map.html").as_uri())
    page.wait_for_selector("body.lz-ready")
    assert requested == []
    page.get_by_label("天地图（在线）").check()
    page.wait_for_timeout(500)
    assert requested
    assert all(re.match(r"https://t[0-7]\.tianditu\.gov\.cn/(vec|cva)_w/wmts\?", url) for url in requested)
    assert all(url.endswith(f"&tk={KEY}") for url in requested)
    context.close()


def test_the_data_of_the_page_are_json(tmp_path: Path) -> None:
    page = page_of(corridor_report(), tmp_path / "map.html", language="en")
    assert json.dumps(page.data["review"]["lines"])
    assert page.data["city"]["words"]["clauses"] == "clauses"


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ({}, ["xlsx", "gpkg", "json", "html"]),
        ({"mode": MapMode.public}, ["html"]),
        ({"mode": MapMode.public, "formats": ["html"]}, ["html"]),
    ],
)
def test_beside_a_public_map_no_other_file_is_written(options: dict[str, Any], written: list[str]) -> None:
    assert formats_for(OutputOptions(**options)) == written


def test_what_has_no_public_edition_is_refused_in_public_mode() -> None:
    with pytest.raises(ConfigError, match="gpkg have no public edition; use it with --format html"):
        formats_for(OutputOptions(mode=MapMode.public, formats=["gpkg", "html"]))
