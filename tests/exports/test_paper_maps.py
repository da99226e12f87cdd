"""Maps on paper: what they must say, that no label hides another, that the same input gives the same bytes."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pytest
import shapely
import toy
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text
from report_fixture import FORMULA, HOSTILE, toy_report
from typer.testing import CliRunner

from lzgis.city.catalogue import open_catalogue
from lzgis.city.reference import reference_city
from lzgis.cli.app import app
from lzgis.coordinates.gauss_kruger import Zone, zone_around
from lzgis.errors import ExportError, LzgisError
from lzgis.exports.fonts import printable
from lzgis.exports.paper import PaperSheet, detail_map, location_map, sheet_count, write_map, write_maps
from lzgis.exports.paper.change_map import write_change_map
from lzgis.exports.paper.chart import LABEL, zone_of_map
from lzgis.exports.paper.conflicts import GRAVITIES, gravity
from lzgis.exports.paper.corridors import bands_of
from lzgis.exports.paper.document_maps import CONTEXT, SMALL_CONTEXT, map_rect
from lzgis.exports.paper.labels import Box, Labels
from lzgis.exports.paper.layout import SCALES
from lzgis.exports.paper.mapped_site import mapped_site
from lzgis.exports.paper.rendering import settings
from lzgis.exports.paper.sheet_index import MOST_SHEETS
from lzgis.exports.paper.sheets import chart_in, detail_sheet, overview_sheet, site_frame
from lzgis.exports.report_text import ReportText
from lzgis.model.report import Report
from lzgis.rasters.change import raster_change
from lzgis.screening.screen import screen

MADE_AT = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
SHOWN = ["T01", "T03", "T05", "T07", "T14", "P12", "P30", "P35", "P42"]
SHEETS = [PaperSheet(), PaperSheet("A4", "portrait"), PaperSheet("A3", "landscape"), PaperSheet("A3", "portrait")]


@pytest.fixture(scope="module")
def city() -> Report:
    return screen(reference_city() / "sites.gpkg", reference_city(), as_of="2026-11-21", made_at=MADE_AT)


def sheet_of(report: Report, site: str | None, sheet: PaperSheet = SHEETS[0], language: Any = "zh") -> Figure:
    texts = ReportText(report, language)
    with settings():
        if site is None:
            return overview_sheet(texts, sheet)
        return detail_sheet(texts, mapped_site(report, site), sheet)


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for axes in figure.axes for text in axes.texts)


def boxes(figure: Figure, *, labels: bool) -> Iterator[tuple[str, Any]]:
    """Measure the texts as the renderer draws them: the labels on the map, or all else on the sheet."""
    canvas = FigureCanvasAgg(figure)
    with settings():
        canvas.draw()
    for axes in figure.axes:
        for text in axes.texts:
            if (text.get_label() == LABEL) == labels and text.get_text():
                yield text.get_text(), Text.get_window_extent(text, canvas.get_renderer())


def overlap(figure: Figure, *, labels: bool) -> list[tuple[str, str]]:
    pairs = itertools.combinations(boxes(figure, labels=labels), 2)
    # A tenth of a pixel: extents are rounded outwards.
    return [
        (a, b)
        for (a, one), (b, other) in pairs
        if shapely.box(*one.extents).buffer(-0.1).intersects(shapely.box(*other.extents).buffer(-0.1))
    ]


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda s: f"{s.paper}-{s.orientation}")
def test_labels_do_not_overlap_on_the_overview(city: Report, sheet: PaperSheet) -> None:
    figure = sheet_of(city, None, sheet)
    assert overlap(figure, labels=True) == []
    assert overlap(figure, labels=False) == []


@pytest.mark.parametrize("site", SHOWN)
def test_labels_do_not_overlap_on_a_detail_map(city: Report, site: str) -> None:
    for sheet in SHEETS[:2]:
        figure = sheet_of(city, site, sheet)
        assert overlap(figure, labels=True) == []
        assert overlap(figure, labels=False) == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_text_stays_on_the_sheet(city: Report, language: str) -> None:
    for site in (None, "P12", "T05"):
        for sheet in SHEETS[:2]:
            figure = sheet_of(city, site, sheet, language)
            width, height = figure.canvas.get_width_height()
            for labels in (True, False):
                for text, box in boxes(figure, labels=labels):
                    assert box.x0 >= 0, text
                    assert box.y0 >= 0, text
                    assert box.x1 <= width, text
                    assert box.y1 <= height, text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_names_and_legends_are_not_cut_where_there_is_room(city: Report, language: str) -> None:
    for site in (None, "P12"):
        beside = [text for text, _ in boxes(sheet_of(city, site, SHEETS[2], language), labels=False)]
        assert [text for text in beside if "…" in text] == []


@pytest.mark.parametrize("site", ["P12", "P09", "T03"])
def test_scale_bar_and_names_of_sheets_do_not_hide_the_site(city: Report, site: str) -> None:
    mapped = mapped_site(city, site)
    with settings():
        figure = detail_sheet(ReportText(city, "zh"), mapped, SHEETS[0])
        zone = zone_of_map(ReportText(city, "zh"), *shapely.get_coordinates(shapely.centroid(mapped.geometry))[0])
    (axes,) = [one for one in figure.axes if any(text.get_text().startswith("1:") for text in one.texts)]
    shape = zone.project([mapped.geometry])[0]
    (bar,) = [patch for patch in axes.patches if patch.get_alpha() == 0.92]
    assert not shapely.box(*bar.get_window_extent().transformed(axes.transData.inverted()).extents).intersects(shape)


def test_every_site_is_labelled_or_counted(city: Report) -> None:
    shown = {text for text, _ in boxes(sheet_of(city, None), labels=True)}
    assert set(city.sites["id"]) <= shown


def test_the_overview_has_all_required_texts(city: Report) -> None:
    printed = texts(sheet_of(city, None))
    for wanted in (
        *("连州市项目选址核查示意图", "示意数据，不得作为审批依据", "公开", "图例", "北", "1:450,000", "10 km"),
        *("CGCS2000（EPSG:4490）", "第 37 带（中央经线 111°，EPSG:4525）", "37 带 | 38 带", "37640", "112°30′E"),
        *("生态保护红线（示意）", "城镇开发边界（草案）", "项目一览（51 个", "存在禁止性冲突（17）"),
        *("数据：2026.11 2026-11-21", "规则基准日：2026-11-21", "不构成审批", "限于比例尺未绘：环境管控单元"),
    ):
        assert wanted in printed, wanted


def test_the_detail_map_has_all_required_texts(city: Report) -> None:
    printed = texts(sheet_of(city, "T03"))
    for wanted in (
        *("已知答案03 国道建筑控制区内4米选址核查图", "示意数据", "公开", "存在禁止性冲突", "1:2,000"),
        *("第 38 带（中央经线 114°，EPSG:4526）", "连州市内的位置", "退让（确定）·禁止", "起算基线"),
        *("1 国道建筑控制区 20 米\n160 ㎡", "距G107第3段 16.0 m", "距 16.0 m，要求 20 m", "112°31′50″E"),
        *("2764.6", "提示（2 条）", "不涉及："),
    ):
        assert wanted in printed, wanted


def test_areas_on_the_map_are_those_of_the_findings(city: Report) -> None:
    printed = texts(sheet_of(city, "P35"))
    hit = city.findings[(city.findings["site_id"] == "P35") & (city.findings["rule"] == "redline")]
    for area in hit["area_m2"].dropna():
        # Schematic data bear no more than a square metre.
        assert f"{area:,.0f} ㎡" in printed


def test_what_was_not_checked_is_drawn_and_named(city: Report) -> None:
    printed = texts(sheet_of(city, "T05"))
    assert "市域外，未核查" in printed
    assert "部分（56.87%）位于图层覆盖范围之外" in printed


def test_a_map_number_is_printed_only_if_given(city: Report) -> None:
    assert "审图号" not in texts(sheet_of(city, "T01"))
    assert "审图号：粤S(2026)001号" in texts(sheet_of(city, "T01", PaperSheet(map_number="粤S(2026)001号")))


@pytest.mark.parametrize("site", SHOWN)
def test_scale_is_round_and_the_site_lies_inside(city: Report, site: str) -> None:
    subject = mapped_site(city, site)
    zone = zone_around(shapely.centroid(subject.geometry).x)
    frame = site_frame(subject, zone, (186.0, 155.0))
    assert frame.scale in SCALES
    page = shapely.box(frame.west, frame.south, frame.east, frame.north)
    assert shapely.covers(page, zone.project([subject.geometry])[0])


def test_bands_lie_at_the_distance_of_the_rule(city: Report) -> None:
    subject, texts = mapped_site(city, "T03"), ReportText(city, "zh")
    zone = Zone(3, 38)
    room = map_rect((160.0, 110.0))
    frame = site_frame(subject, zone, (room.width, room.height))
    chart = chart_in(Figure(), room, frame, (zone, texts), size_mm=(160.0, 110.0))
    band = {b.rule.id: b for b in bands_of(chart, subject)}["road-national"]
    assert band.possible.is_empty
    # 20 m beyond the edge of the road land, which is drawn as the baseline.
    edge = shapely.intersection(shapely.boundary(band.certain), chart.page)
    distance_m = shapely.distance(shapely.points(shapely.get_coordinates(edge)), band.baseline)
    assert distance_m == pytest.approx(20, abs=0.05)
    # The site of this known answer reaches 4 m into it.
    site = zone.project([subject.geometry])[0]
    assert shapely.distance(site, band.baseline) == pytest.approx(16, abs=0.02)


def test_a_band_with_an_assumed_width_is_certain_and_possible(city: Report) -> None:
    printed = texts(sheet_of(city, "T14"))
    assert "退让（确定）·禁止" in printed
    assert "退让（可能）·禁止" in printed
    # The road that is nearest without being too near lies beyond the sheet.
    assert "距S346第1段 320.7 m（图外）" in printed


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
@pytest.mark.parametrize("site", [None, "T14"])
def test_same_report_same_bytes(city: Report, tmp_path: Path, suffix: str, site: str | None) -> None:
    for name in "ab":
        write_map(city, tmp_path / f"{name}.{suffix}", site)
        time.sleep(1.1 if name == "a" else 0)
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_settings_of_matplotlib_are_neither_changed_nor_used(city: Report, tmp_path: Path) -> None:
    write_map(city, tmp_path / "a.png", "T03")
    with mpl.rc_context({"axes.facecolor": "black", "font.size": 30, "hatch.linewidth": 9}):
        before = dict(mpl.rcParams)
        write_map(city, tmp_path / "b.png", "T03")
        assert dict(mpl.rcParams) == before
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_pyplot_is_not_loaded() -> None:
    code = "import sys, lzgis.exports.paper; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_hostile_names_have_no_missing_glyph_and_safe_files(tmp_path: Path) -> None:
    # Warnings are errors here, and matplotlib warns of every glyph that a font lacks.
    for name in HOSTILE:
        write_map(toy_report(sites=toy_report().sites.assign(name=name)), tmp_path / "map.png", "S1")
    written = write_maps(toy_report(), tmp_path / "out", [FORMULA, "S1"], suffixes=("svg",))
    assert {path.parent for path in written} == {tmp_path / "out"}
    assert all(path.is_file() for path in written)
    assert not set("<>:\"/\\|?*'= ") & set("".join(path.name for path in written))


def test_an_unknown_or_shapeless_site_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"site 'S9': is not among the sites; allowed: .*S1"):
        write_maps(toy_report(), tmp_path, ["S1", "S9"])
    sites = toy_report().sites
    sites.loc[0, "geometry"] = None
    with pytest.raises(ExportError, match="site 'S1': has no geometry"):
        write_maps(toy_report(sites=sites), tmp_path, ["S1"])
    assert list(tmp_path.iterdir()) == []


def test_maps_for_documents_have_the_given_size(city: Report, tmp_path: Path) -> None:
    for number, draw in enumerate((location_map, detail_map)):
        data = draw(city, "T03", size_mm=(160.0, 110.0))
        (tmp_path / f"{number}.png").write_bytes(data)
        assert imread(tmp_path / f"{number}.png").shape[:2] == (866, 1259)
        assert data == draw(city, "T03", size_mm=(160.0, 110.0))


def test_a_report_without_outline_or_layers_is_still_drawn() -> None:
    toy = toy_report()
    for site in toy.sites["id"]:
        sheet_of(toy_report(layers={}), site)
        sheet_of(toy, site)
    nothing = toy_report(findings=toy.findings.iloc[:0], verdicts=toy.verdicts.iloc[:0])
    sheet_of(nothing, "S1")


def test_zone_agrees_with_epsg_and_covers_the_world() -> None:
    zone = zone_around(112.6)
    assert (zone.number, zone.epsg) == (38, 4526)
    there = gpd.GeoSeries([shapely.Point(112.6, 25.0)], crs="EPSG:4490").to_crs("EPSG:4526")
    # The code's own axes are northing, easting; geopandas gives easting first, as we do.
    assert shapely.distance(zone.project([shapely.Point(112.6, 25.0)])[0], there.iloc[0]) < 1e-6
    far = Zone(3, 5)
    assert far.epsg is None
    assert far.unproject(far.project([shapely.Point(15.2, 40.0)]))[0].distance(shapely.Point(15.2, 40.0)) < 1e-9


def test_labels_avoid_taken_places_and_are_omitted_without_room() -> None:
    labels = Labels(60.0, 40.0)
    labels.block(Box(0, 0, 60, 18))
    found = [labels.place((12.0, 3.0), [(30.0, 20.0)]) for _ in range(40)]
    placed = [spot.box for spot in found if spot is not None]
    assert 2 < len(placed) < 40
    for one, other in itertools.combinations(placed, 2):
        assert one.left >= other.right or other.left >= one.right or one.low >= other.high or other.low >= one.high
    assert all(box.low >= 18 for box in placed)
    assert labels.place((200.0, 3.0), [(30.0, 20.0)]) is None


def test_relief_and_layers_lie_below_the_site(city: Report) -> None:
    plain = dataclasses.replace(city, backdrop=None)
    assert len(sheet_of(plain, "P12").axes[1].images) == 0
    assert len(sheet_of(city, "P12").axes[1].images) == 1
    assert len(sheet_of(city, "T03").axes[1].images) == 0


def test_the_font_has_every_character_of_the_reference_city(city: Report) -> None:
    words = set("".join(np.concatenate([city.sites["name"], city.findings["feature_name"]]).astype(str)))
    assert printable("".join(sorted(words - {" "}))) == "".join(sorted(words - {" "}))


def test_the_command_draws_the_given_sites(tmp_path: Path) -> None:
    run = CliRunner()
    sheet = ["--paper", "A4", "--orientation", "portrait", "--map-number", "粤S(2026)001号", "--as-of", "2026-11-21"]
    done = run.invoke(app, ["map", "T03", "T14", "--out", str(tmp_path), "--format", "png,svg", *sheet])
    assert done.exit_code == 0, done.output
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["manifest.json", "map-T03.png", "map-T03.svg", "map-T14.png", "map-T14.svg"]
    assert imread(tmp_path / "map-T03.png").shape[:2] == (2338, 1653)


def test_the_command_refuses_unknown_values(tmp_path: Path) -> None:
    for arguments in (["--format", "jpg"], ["T99"]):
        done = CliRunner().invoke(app, ["map", *arguments, "--out", str(tmp_path)])
        assert isinstance(done.exception, LzgisError)
    assert list(tmp_path.iterdir()) == []


def test_the_command_reads_sites_with_its_options(tmp_path: Path) -> None:
    folder = toy.city(tmp_path / "city")
    toy.sites(toy.square(100, 100)).to_file(tmp_path / "sites.shp", engine="pyogrio")
    (tmp_path / "sites.prj").unlink()
    arguments = [
        "map",
        "s1",
        "--layers",
        str(folder),
        "--sites",
        str(tmp_path / "sites.shp"),
        "--out",
        str(tmp_path / "out"),
    ]
    refused = CliRunner().invoke(app, arguments)
    assert "declare it with --crs" in str(refused.exception)
    done = CliRunner().invoke(app, [*arguments, "--crs", "EPSG:4490"])
    assert done.exit_code == 0, done.output
    assert sorted(p.suffix for p in (tmp_path / "out").iterdir()) == [".json", ".png"]


@pytest.mark.parametrize("site", ["T03", "T05", "T10", "P09", "P12", "P42"])
def test_every_conflict_is_drawn_and_in_the_legend(city: Report, site: str) -> None:
    figure, mapped = sheet_of(city, site), mapped_site(city, site)
    axes = figure.axes[1]
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    step = (east - west) / (axes.get_position().width * figure.get_figwidth() * 25.4)
    zone = zone_of_map(ReportText(city, "zh"), *shapely.get_coordinates(shapely.centroid(mapped.geometry))[0])
    for kind in {gravity(one) for one in mapped.conflicts}:
        colour = mpl.colors.to_rgba(GRAVITIES[kind][0])
        drawn: list[Any] = []
        for one in axes.collections:
            if len(one.get_edgecolor()) and np.allclose(one.get_edgecolor()[0], colour):
                marks = np.asarray(one.get_offsets())
                drawn += [marks] if marks.any() else [path.vertices for path in one.get_paths()]
        there = shapely.multipoints(np.vstack(drawn))
        for conflict in (one for one in mapped.conflicts if gravity(one) == kind):
            part = zone.project([conflict["geometry"]])[0]
            vertices = shapely.points(shapely.get_coordinates(part))
            inside = vertices[shapely.within(vertices, shapely.box(west, south, east, north))]
            assert len(inside), conflict["rule"]
            assert shapely.distance(inside, there).min() < 0.2 * step, conflict["rule"]
        assert ReportText(city, "zh").words("paper", kind) in texts(figure)


@pytest.mark.parametrize("site", ["P12", "P32"])
def test_the_sheets_of_a_long_or_split_site_show_all_of_it(city: Report, site: str) -> None:
    mapped = mapped_site(city, site)
    wording = ReportText(city, "zh")
    with settings():
        index = detail_sheet(wording, mapped, PaperSheet())
        count = sheet_count(city, site)
        parts = [detail_sheet(wording, mapped, PaperSheet(), part) for part in range(1, count + 1)]
    assert 1 < count <= MOST_SHEETS
    pages = [
        shapely.box(*(limits[i] for i in (0, 1) for limits in (f.axes[1].get_xlim(), f.axes[1].get_ylim())))
        for f in parts
    ]
    zone = zone_of_map(ReportText(city, "zh"), *shapely.get_coordinates(shapely.centroid(mapped.geometry))[0])
    assert shapely.union_all(pages).covers(zone.project([mapped.geometry])[0])
    said = "\n".join(texts(figure) for figure in parts)
    for conflict in mapped.conflicts:
        assert re.search(rf"^{conflict['number']} ", said, re.M), conflict["number"]
    for number, figure in enumerate(parts, start=1):
        assert f"第 {number} 幅，共 {count} 幅" in texts(figure)
        assert overlap(figure, labels=True) == []
    shown = texts(index)
    assert all(f"第 {number} 幅：" in shown for number in range(1, count + 1))
    if site == "P12":
        assert "接第 2 幅" in texts(parts[0])


def test_a_short_site_has_one_sheet(city: Report) -> None:
    assert sheet_count(city, "T03") == 0
    assert sheet_count(city, "T08") == 0


def test_neighbouring_counties_are_named_or_said_to_be_missing(city: Report) -> None:
    named = texts(sheet_of(city, None))
    assert all(name in named for name in ("阳山县", "连南瑶族自治县", "湖南省宜章县"))
    without = dataclasses.replace(city, neighbours=None)
    assert "未提供相邻县" in texts(sheet_of(without, None))
    # A map that shows nothing outside the city has nothing to say.
    assert "未提供相邻县" not in texts(sheet_of(without, "T09"))


def test_the_location_map_shows_context_alone() -> None:
    assert "redline" not in CONTEXT
    assert set(SMALL_CONTEXT) <= set(CONTEXT)


def test_the_map_of_a_change_has_every_patch_and_class(tmp_path: Path) -> None:
    opened = open_catalogue(reference_city())
    found = raster_change(opened, "landcover_2015", "landcover_2020")
    for language in ("zh", "en"):
        write_change_map(found, opened, tmp_path / f"{language}.svg", language=language, made_at=MADE_AT)
    write_change_map(found, opened, tmp_path / "again.svg", made_at=MADE_AT)
    assert (tmp_path / "again.svg").read_bytes() == (tmp_path / "zh.svg").read_bytes()
    drawn = (tmp_path / "zh.svg").read_text("utf-8")
    for row in found.patches.itertuples():
        assert f"<!-- {row.patch} {row.before}→{row.after} {row.area_m2 / 10_000:,.2f} 公顷" in drawn
        assert f"<!-- 变为{row.after}（" in drawn
    assert "变为" not in (tmp_path / "en.svg").read_text("utf-8")
