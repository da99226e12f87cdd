"""What is carried into the meeting: one set of counts everywhere, the summary on one page, the code that leads to the map."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import numpy as np
import pytest
import rasterio
import shapely
from dossier_fixture import city_report, only
from map_page import Page, Seen, browser
from PIL import Image
from pyproj import CRS
from python_calamine import CalamineWorkbook
from report_fixture import toy_report

from lzgis.cli.site_lines import MARKS, site_lines
from lzgis.errors import ExportError
from lzgis.exports.dossier import DossierMaker, write_docx, write_pdf
from lzgis.exports.dossier.leader import leader_dossier, write_summary
from lzgis.exports.folder import export_folder
from lzgis.exports.gis.json import report_document
from lzgis.exports.links import map_link, qr_png, run_of
from lzgis.exports.map import write_map
from lzgis.exports.paper import write_map as write_paper_map
from lzgis.exports.paper.labels import Box, Labels
from lzgis.exports.photo import STRENGTH, is_photo, photo_overlay, photo_png
from lzgis.exports.report_text import ReportText
from lzgis.exports.tables.xlsx import write_xlsx


def test_summary_map_workbook_and_json_count_the_same_verdicts(tmp_path: Path) -> None:
    report = city_report()
    texts = ReportText(report, "zh")
    wanted = Counter(texts.word("verdict", one["verdict"]) for one in report_document(report)["verdicts"])
    assert sum(wanted.values()) == len(report.sites)
    facts = {head: int(value) for head, value in leader_dossier(report).abstract.facts}
    assert facts == wanted
    write_map(report, tmp_path / "map.html")
    page = Page(tmp_path / "map.html").data
    titles = [one["title"] for one in page["city"]["verdicts"]]
    assert Counter(titles[one["verdict"]] for one in page["review"]["sites"]) == wanted
    write_xlsx(report, tmp_path / "report.xlsx")
    rows = CalamineWorkbook.from_path(tmp_path / "report.xlsx").get_sheet_by_name("汇总").to_python()
    counted = {row[0]: int(row[1]) for row in rows if row[0] in wanted and isinstance(row[1], float)}
    assert counted == wanted
    write_summary(report, tmp_path / "summary.docx")
    said = "\n".join(
        p.text
        for table in docx.Document(str(tmp_path / "summary.docx")).tables[:1]
        for p in table.cell(0, 0).paragraphs
    )
    assert {head: int(value) for head, value in re.findall(r"(\S+)：(\d+)", said)} == wanted
    marks = {mark: texts.word("verdict", verdict) for verdict, (mark, _) in MARKS.items()}
    lines = [line.plain for line in site_lines(report, texts.words, width=100)]
    assert Counter(marks[line[0]] for line in lines if line[:1] in marks) == wanted


#: The most pages of documents: of short sites six, of a long one with many conflicts eight.
PAGES = {"P20-1": 6, "T05": 6, "T08": 6, "P37": 6, "P12": 8}


@pytest.mark.parametrize("site", PAGES)
def test_a_pdf_has_few_pages_and_none_is_half_empty(tmp_path: Path, site: str) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("no poppler")
    write_pdf(only(city_report(), site), tmp_path)
    command = ["pdftotext", "-bbox", str(tmp_path / f"{site}.pdf"), "-"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    pages = said.split("<page ")[1:]
    assert len(pages) <= PAGES[site]
    for number, page in enumerate(pages, start=1):
        # Lines of the running head and foot are left out; maps have text in their captions alone.
        lows = [float(value) for value in re.findall(r'yMax="([\d.]+)"', page) if float(value) < 780]
        assert max(lows) > (421 if number < len(pages) else 150), number
    assert "编制单位" in pages[0]


def test_townships_and_rules_of_the_summary_add_up() -> None:
    one = leader_dossier(city_report())
    towns = one.sections[0].grids[0]
    figures = np.array([[int(cell) for cell in row[1:]] for row in towns.rows])
    assert (figures[:, -1] == figures[:, :-1].sum(axis=1)).all()
    assert (figures[-1] == figures[:-1].sum(axis=0)).all()
    assert figures[-1, -1] == len(city_report().sites)


def test_sites_of_a_group_are_compared_in_their_documents() -> None:
    report = city_report()
    ids = report.sites["id"].astype(str).tolist()
    grouped = report.sites.assign(group=["东线" if one in ("P33", "P36") else "" for one in ids])
    maker = DossierMaker(replace(report, sites=grouped))
    (grid,) = [grid for section in maker.text("P33").sections for grid in section.grids if grid.name == "alternatives"]
    assert sorted(row[1] for row in grid.rows) == ["P33", "P36"]
    needs = [row[-1] for row in grid.rows]
    assert all("调整选址" in one for one in needs)
    others = [grid.name for section in maker.text("T09").sections for grid in section.grids]
    assert "alternatives" not in others


def test_the_link_names_site_and_inputs_and_the_manifest_states_the_digest(tmp_path: Path) -> None:
    report = toy_report()
    link = map_link(report, "甲/1", "https://example.org/map.html")
    assert link == f"https://example.org/map.html#site=%E7%94%B2%2F1&run={run_of(report)[:16]}"
    with pytest.raises(ExportError, match="no address of a page"):
        map_link(report, "S1", "javascript:alert(1)")
    export_folder(report, tmp_path, ["json"])
    manifest = json.loads((tmp_path / "manifest.json").read_text("utf-8"))
    (result,) = manifest["results"].values()
    assert result["inputs_sha256"] == run_of(report)
    picture = Image.open(io.BytesIO(qr_png(link))).convert("L")
    assert picture.size[0] == picture.size[1]
    assert set(np.unique(np.asarray(picture))) == {0, 255}


@pytest.mark.browser
def test_the_link_opens_the_site_and_warns_of_other_inputs(tmp_path: Path) -> None:
    report = toy_report()
    write_map(report, tmp_path / "map.html")
    with browser() as chromium:
        opened = Seen(chromium, tmp_path / "map.html")
        site, own = opened.page.evaluate("[lzgis.review.sites[1].id, lzgis.city.run]")
        assert own == run_of(report)[:16]
        opened.page.evaluate("link => { location.hash = link; }", f"site={site}&run={own}")
        opened.page.wait_for_selector("#lz-detail-view .lz-heading")
        assert opened.page.evaluate("lzgis.panel.shown()") == 1
        assert "另一次核查" not in opened.page.inner_text("#lz-notice")
        opened.page.evaluate("link => { location.hash = link; }", f"site={site}&run=0123456789abcdef")
        opened.page.wait_for_selector("#lz-notice:has-text('另一次核查')")
        opened.close()


def test_a_short_site_has_at_most_six_pages_in_an_office_program(tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None or shutil.which("pdfinfo") is None:
        pytest.skip("no LibreOffice or no poppler")
    write_docx(only(city_report(), "T01"), tmp_path)
    command = [office, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless", "--convert-to", "pdf"]
    subprocess.run(
        [*command, "--outdir", str(tmp_path), str(tmp_path / "T01.docx")], check=True, capture_output=True, timeout=180
    )
    said = subprocess.run(["pdfinfo", str(tmp_path / "T01.pdf")], check=True, capture_output=True, text=True).stdout
    pages = re.search(r"Pages:\s+(\d+)", said)
    assert pages is not None and int(pages[1]) <= 6


def picture(path: Path, bands: int = 3) -> Path:
    """Write a picture of one colour over the western half of the toy city."""
    box = {"transform": rasterio.Affine(0.01, 0.0, 112.0, 0.0, -0.01, 25.3), "crs": "EPSG:4326"}
    with rasterio.open(path, "w", driver="GTiff", width=40, height=80, count=bands, dtype="uint8", **box) as made:
        for band in range(1, bands + 1):
            made.write(np.full((80, 40), 40 * band, dtype=np.uint8), band)
    return path


def test_a_picture_is_drawn_below_maps_where_it_lies(tmp_path: Path) -> None:
    photo = picture(tmp_path / "photo.tif")
    assert is_photo(photo)
    assert not is_photo(picture(tmp_path / "one.tif", bands=1))
    plane = CRS.from_epsg(4546)
    overlay = photo_overlay(photo, (600_000, 2_730_000, 670_000, 2_770_000), crs=plane, size=(70, 40))
    assert overlay[20, 5, :3] == pytest.approx(np.array([40, 80, 120]) / 255, abs=0.01)
    assert overlay[20, 5, 3] == STRENGTH
    assert overlay[20, 65, 3] == 0
    assert photo_png(photo, (112.1, 24.6, 112.8, 25.2), size=200)[1:4] == b"PNG"
    with pytest.raises(ExportError, match="does not cover"):
        photo_png(photo, (114.1, 24.6, 114.8, 25.2), size=200)
    assert not photo_overlay(photo, (800_000, 2_730_000, 870_000, 2_770_000), crs=plane, size=(70, 40))[..., 3].any()
    report: Any = replace(toy_report(), backdrop=photo)
    write_paper_map(report, tmp_path / "S1.png", str(report.sites["id"].iloc[0]))
    with Image.open(tmp_path / "S1.png") as drawn:
        assert drawn.size[0] > 1000


def test_the_middle_of_a_name_lies_within_its_area() -> None:
    labels = Labels(100.0, 80.0)
    area = shapely.box(20, 20, 40, 30)
    spot = labels.place((12.0, 3.0), [(30.0, 25.0)], reach_mm=5.0, within=area)
    assert spot is not None and area.contains(shapely.Point(spot.x, spot.y))
    labels.block(Box(15.0, 15.0, 45.0, 35.0))
    assert labels.place((12.0, 3.0), [(30.0, 25.0)], reach_mm=5.0, within=area) is None
