"""The picture: that it is made of what it must show, from a font of its own, the same every time."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import rasterio
from matplotlib.image import imread
from report_fixture import BOUNDS, HOSTILE, big_report, toy_report

from lzgis.coordinates.gauss_kruger import zone_around
from lzgis.errors import ExportError
from lzgis.exports.fonts import BLANK, FONT, measured_mm, printable, rare, shortened, width_mm, wrapped
from lzgis.exports.paper import overview_figure, write_map


def texts(figure: Any) -> str:
    return "\n".join(text.get_text() for axes in figure.axes for text in axes.texts)


def test_the_map_has_all_required_texts() -> None:
    found = texts(overview_figure(toy_report()))
    for wanted in (
        "连州市项目选址核查示意图",
        "示意数据，仅供演示，不得用于审批。",
        "内部资料",
        "CGCS2000（EPSG:4490）",
        "规则基准日：2026-11-21",
        "示例规则库 2026.11",
        "任何结论均不构成审批",
        "图例",
        "存在禁止性冲突（1）",
        "生态保护红线（示意）",
        "环境管控单元·优先",
        "北",
        "1:300,000",
        "10 km",
        "112°20′E",
        "24°50′N",
        "37 带（中央经线 111°，EPSG:4525）",
        "37620",
        "2750",
        "星子光伏一期",
        "三区三线 2022-10-14",
    ):
        assert wanted in found
    assert "审图号" not in found


def test_english() -> None:
    found = texts(overview_figure(toy_report(), language="en"))
    assert "Lianzhou" in found
    assert "prohibiting conflict (1)" in found
    assert "internal" in found


def test_the_page_is_a4_and_not_blank(tmp_path: Path) -> None:
    write_map(toy_report(), tmp_path / "map.png")
    image = imread(tmp_path / "map.png")
    assert image.shape[:2] == (1653, 2338)
    assert (image[..., :3].std(axis=(0, 1)) > 0.05).all()


def test_hostile_names_are_drawn_without_a_missing_glyph(tmp_path: Path) -> None:
    # Warnings are errors here, and matplotlib warns of every glyph that a font lacks.
    for name in HOSTILE:
        sites = toy_report().sites.assign(name=name)
        write_map(toy_report(sites=sites), tmp_path / "map.png")


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_same_report_same_bytes(tmp_path: Path, suffix: str) -> None:
    write_map(toy_report(), tmp_path / f"a.{suffix}")
    time.sleep(1.1)
    write_map(toy_report(), tmp_path / f"b.{suffix}")
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_settings_of_matplotlib_are_neither_changed_nor_used(tmp_path: Path) -> None:
    write_map(toy_report(), tmp_path / "a.png")
    with mpl.rc_context({"axes.facecolor": "black", "font.size": 30, "text.parse_math": True}):
        before = dict(mpl.rcParams)
        write_map(toy_report(), tmp_path / "b.png")
        assert dict(mpl.rcParams) == before
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"use one of \.png, \.pdf, \.svg"):
        write_map(toy_report(), tmp_path / "map.jpg")


def test_relief_is_drawn_below_and_a_broken_raster_named(tmp_path: Path) -> None:
    west, south, east, north = BOUNDS
    x, y = np.meshgrid(np.linspace(0, 20, 120), np.linspace(0, 20, 100))
    shape: dict[str, Any] = {"height": 100, "width": 120, "count": 1, "dtype": "float32", "driver": "GTiff"}
    grid = rasterio.Affine((east - west) / 120, 0, west, 0, (south - north) / 100, north)
    where = {"crs": "EPSG:4490", "transform": grid, "nodata": -9999}
    with rasterio.open(tmp_path / "dem.tif", "w", **shape, **where) as raster:
        raster.write((np.sin(x) * np.cos(y) * 400 + 600).astype("float32"), 1)
    write_map(toy_report(), tmp_path / "flat.png")
    write_map(toy_report(backdrop=tmp_path / "dem.tif"), tmp_path / "hills.png")
    assert (tmp_path / "flat.png").read_bytes() != (tmp_path / "hills.png").read_bytes()
    (tmp_path / "dem.tif").write_text("no raster")
    with pytest.raises(ExportError, match=r"dem\.tif: cannot be read"):
        write_map(toy_report(backdrop=tmp_path / "dem.tif"), tmp_path / "map.png")


def test_sites_off_the_map_are_counted() -> None:
    sites = toy_report().sites.copy()
    sites["geometry"] = [sites.geometry[0].centroid.buffer(0.001), *sites.geometry[1:]]
    sites.loc[2, "geometry"] = sites.geometry[2].buffer(0.01).boundary.interpolate(0).buffer(0)
    far = toy_report().sites.translate(3, 0)
    sites.loc[3, "geometry"] = far[3]
    assert "另有 1 个项目位于图幅之外" in texts(overview_figure(toy_report(sites=sites)))


def test_without_layers_or_sites_there_is_still_a_page() -> None:
    toy = toy_report()
    overview_figure(toy_report(layers={}))
    nothing = {
        "sites": toy.sites.iloc[:0],
        "findings": toy.findings.iloc[:0],
        "verdicts": toy.verdicts.iloc[:0],
    }
    overview_figure(toy_report(**nothing))
    overview_figure(toy_report(layers={}, **nothing))


def test_a_map_has_equal_scales_in_both_directions() -> None:
    toy = toy_report()
    zone = zone_around(112.4)
    figure = overview_figure(toy)
    chart = figure.axes[1]
    width, height = chart.get_position().size * np.array(figure.get_size_inches())
    (west, east), (south, north) = chart.get_xlim(), chart.get_ylim()
    assert (east - west) / width == pytest.approx((north - south) / height)
    assert zone.project(toy.sites.geometry.to_numpy())[2].x < east
    assert zone_around((BOUNDS[0] + BOUNDS[2]) / 2) == zone


def test_many_legend_entries_stay_on_the_page() -> None:
    toy = toy_report()
    layers = {
        f"{key}{i}": dataclasses.replace(layer, id=f"{key}{i}") for i in range(15) for key, layer in toy.layers.items()
    }
    figure = overview_figure(toy_report(layers=layers))
    page = figure.axes[0]
    # Above the foot, below the title.
    assert all(0 < text.get_position()[1] < 210 for text in page.texts)


def test_a_hundred_thousand_vertices_take_seconds(tmp_path: Path) -> None:
    report = big_report(100, 10, vertices=100_000)
    start = time.perf_counter()
    write_map(report, tmp_path / "map.png")
    assert time.perf_counter() - start < 15


def test_the_font_has_the_names_of_towns_and_its_licence() -> None:
    rare = "鄠邑堃镕塆瑶连州㎡×°√′：，。（）〔〕"
    assert printable(rare) == rare
    assert FONT.stat().st_size < 5.5e6
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FONT.parent / "OFL.txt").read_text("utf-8")


def test_texts_are_cut_and_broken_to_fit() -> None:
    assert shortened("连州市", 100, 8) == "连州市"
    cut = shortened("连州市" * 30, 30, 8)
    assert cut.endswith("…")
    assert width_mm(cut, 8) <= 30
    lines = wrapped("a report that holds several words, 及中文", 30, 8, lines=9)
    assert " ".join(lines).replace(" ", "") == "areportthatholdsseveralwords,及中文"
    assert all(measured_mm(line, 8) <= 30 for line in lines)
    assert wrapped("", 30, 8, lines=3) == []


def test_a_character_beyond_gbk_is_taken_from_a_system_font() -> None:
    # DejaVu comes with matplotlib, so that there is always one.
    arabic = chr(0x0634)
    assert rare(arabic)
    assert printable("连州" + arabic) == "连州" + arabic
    assert measured_mm("连州" + arabic, 10.0) > measured_mm("连州", 10.0)
    # What turns the reading direction is shown, not obeyed.
    assert printable(chr(0x202E)) == BLANK
