"""Word, page and PDF: the same figures in each, read back by other programs; hostile text is harmless and unharmed."""

from __future__ import annotations

import importlib.util
import json
import re
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from dossier_fixture import (
    MADE_AT,
    SITES,
    PageText,
    by_office,
    city_report,
    only,
    pdf_text,
    squeezed,
    word_tables,
    word_text,
)
from matplotlib.ft2font import FT2Font
from report_fixture import FORMULA, HOSTILE, LONG, SCRIPT, toy_report

from lzgis.errors import ExportError
from lzgis.exports.dossier import DossierMaker, write_docx, write_projects
from lzgis.exports.dossier.document import Dossier
from lzgis.exports.dossier.html_page import html_text
from lzgis.exports.dossier.pdf import pdf_document
from lzgis.exports.dossier.word import word_bytes
from lzgis.exports.fonts import FONT
from lzgis.exports.gis.json import report_document
from lzgis.exports.report_text import visible
from lzgis.model.report import State

PDF = importlib.util.find_spec("typst") is not None
SUFFIXES = (".docx", ".html", ".pdf") if PDF else (".docx", ".html")
NEEDS_TYPST = pytest.mark.skipif(not PDF, reason="typst (extra pdf) is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents of some projects of the reference city."""
    place = tmp_path_factory.mktemp("projects")
    write_projects(only(city_report(), *SITES), place, suffixes=SUFFIXES)
    return place


@pytest.fixture(scope="module")
def hostile() -> Dossier:
    return DossierMaker(toy_report()).make(FORMULA)


def figures_of(site: str) -> list[str]:
    """Every figure of what a site meets, as report.json has it, rounded as documents round them (0.1 m, 1 m²)."""
    document = json.loads(json.dumps(report_document(city_report())))
    found = []
    for finding in document["findings"]:
        if finding["site_id"] != site:
            continue
        if finding["state"] in (State.INVOLVED, State.SLIVER):
            for key, form in (("area_m2", "{:,.0f}"), ("area_possible_m2", "{:,.0f}"), ("length_m", "{:,.1f}")):
                printed = form if not finding[key] or round(finding[key]) else "{:,.2f}"
                found += [] if finding[key] is None else [printed.format(finding[key])]
            found += [] if finding["area_m2"] is None else [f"{round(finding['area_m2'] / 10_000, 4):,.4f}"]
    return found


@pytest.mark.parametrize("site", SITES)
def test_figures_are_those_of_the_json_in_every_document(folder: Path, site: str) -> None:
    wanted = figures_of(site)
    assert wanted
    texts = {
        ".docx": squeezed(word_text(folder / f"{site}.docx")),
        ".html": squeezed(PageText((folder / f"{site}.html").read_text("utf-8")).text),
    }
    if PDF:
        texts[".pdf"] = squeezed(pdf_text(folder / f"{site}.pdf"))
    for suffix, text in texts.items():
        missing = [figure for figure in wanted if figure not in text]
        assert missing == [], suffix


@pytest.mark.parametrize("site", ["P37", "T05"])
def test_libreoffice_shows_the_figures_and_the_notice_on_every_page(folder: Path, tmp_path: Path, site: str) -> None:
    text = pdf_text(by_office(folder / f"{site}.docx", tmp_path))
    missing = [figure for figure in figures_of(site) if figure not in squeezed(text)]
    assert missing == []
    pages = text.rstrip("\f").split("\f")
    assert len(pages) > 4
    for number, page in enumerate(pages, 1):
        assert "示意数据，不得作为审批依据" in page
        assert "公开" in page
        assert f"第{number}页共{len(pages)}页" in squeezed(page)


@NEEDS_TYPST
@pytest.mark.parametrize(("site", "most"), [("T01", 6), ("P37", 8), ("T05", 7), ("T08", 7)])
def test_a_pdf_is_short_and_its_first_page_has_the_block_for_signatures(folder: Path, site: str, most: int) -> None:
    pages = pdf_text(folder / f"{site}.pdf").rstrip("\f").split("\f")
    assert len(pages) <= most
    first = squeezed(pages[0]).replace("\u200b", "")
    for text in (f"441882-20261121-{site}", "编制单位（盖章）", "审定人", "核查结论", "未覆盖"):
        assert squeezed(text) in first
    # No page has nearly nothing on it; that of the maps has pictures.
    assert all(len(squeezed(page)) > 200 for page in [pages[0], *pages[2:]])


@NEEDS_TYPST
def test_the_pdf_has_notice_and_number_on_every_page(folder: Path) -> None:
    pages = pdf_text(folder / "P37.pdf").rstrip("\f").split("\f")
    for number, page in enumerate(pages, 1):
        assert "示意数据，不得作为审批依据" in page
        assert f"第{number}页共{len(pages)}页" in squeezed(page)


def test_word_tables_repeat_their_headers_and_do_not_break_rows(folder: Path) -> None:
    with zipfile.ZipFile(folder / "P37.docx") as archive:
        document = archive.read("word/document.xml").decode("utf-8")
        styles = archive.read("word/styles.xml").decode("utf-8")
    tables = re.findall(r"<w:tbl>.*?</w:tbl>|<w:tbl .*?</w:tbl>", document, re.S)
    assert len(tables) > 6
    assert all(row.count("<w:cantSplit/>") for row in re.findall(r"<w:tr>.*?</w:tr>", document, re.S))
    heads = sum("<w:tblHeader/>" in table for table in tables)
    assert heads > 4
    for face in ("黑体", "仿宋"):
        assert f'w:eastAsia="{face}"' in styles
    assert 'w:eastAsia="zh-CN"' in styles
    assert 'w:w="11906"' in document
    # The small map, the QR code, and the two maps.
    assert document.count("<pic:pic") == 4
    assert 'descr="图 1' in document


def test_word_tables_equal_the_model(folder: Path) -> None:
    one = DossierMaker(only(city_report(), "P37")).make("P37")
    assert one.abstract.findings is not None
    grids = [one.abstract.findings, *(grid for section in one.sections for grid in section.grids)]
    # The first table sets the facts beside the small map, the third the block for signatures beside the QR code.
    _, first, _, control, *others = word_tables(folder / "P37.docx")
    tables = [first, *others]
    assert control == [list(row) for row in one.abstract.control.rows]
    assert len(tables) == len(grids)
    for grid, table in zip(grids, tables, strict=True):
        body = table[1:] if grid.heads else table
        lines = [[cell.text for cell in line.cells] or [line.across] for line in grid.lines()]
        assert body == lines


def test_the_properties_have_the_time_of_the_report(folder: Path) -> None:
    with zipfile.ZipFile(folder / "T01.docx") as archive:
        core = archive.read("docProps/core.xml").decode("utf-8")
        dates = {part.date_time for part in archive.infolist()}
    assert "2026-11-21T09:30:00Z" in core
    assert "python-docx" not in core
    assert dates == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_same_report_gives_the_same_bytes(tmp_path: Path, language: Any) -> None:
    report = only(city_report(), "T01")
    for name in ("one", "two"):
        write_projects(report, tmp_path / name, suffixes=SUFFIXES, language=language)
        time.sleep(1.1)
    for suffix in SUFFIXES:
        assert (tmp_path / f"one/T01{suffix}").read_bytes() == (tmp_path / f"two/T01{suffix}").read_bytes()


def test_a_site_has_the_same_document_alone_and_in_a_batch(folder: Path, tmp_path: Path) -> None:
    write_projects(only(city_report(), "P37"), tmp_path, suffixes=SUFFIXES)
    for suffix in SUFFIXES:
        assert (tmp_path / f"P37{suffix}").read_bytes() == (folder / f"P37{suffix}").read_bytes(), suffix


# Hostile text


def test_hostile_text_is_unchanged_in_word(hostile: Dossier, tmp_path: Path) -> None:
    path = tmp_path / "one.docx"
    path.write_bytes(word_bytes(hostile, MADE_AT))
    text = word_text(path)
    for one in (SCRIPT, LONG, *HOSTILE[3:6]):
        assert visible(one).replace("\n", "") in text.replace("\n", "")
    with zipfile.ZipFile(path) as archive:
        assert not any("hyperlink" in archive.read(n).decode() for n in archive.namelist() if n.endswith(".rels"))


def test_hostile_text_is_unchanged_and_escaped_on_the_page(hostile: Dossier) -> None:
    text = html_text(hostile)
    page = PageText(text)
    assert {tag for tag, _ in page.tags} & {"script", "iframe", "object", "a", "link", "form"} == set()
    for one in (SCRIPT, LONG, *HOSTILE[3:6]):
        assert visible(one) in page.text
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("src") or "data:").startswith("data:")
    policy = next(a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_a_hostile_notice_stays_inside_its_style_sheet() -> None:
    toy = toy_report()
    bad = 'a"; } </style><script>alert(1)</script> \\ 示意 @import url(http://x)'
    report = toy_report(city=toy.city.model_copy(update={"notice": bad}))
    text = html_text(DossierMaker(report).make("S1"))
    style = text.split("<style>")[1].split("</style>")[0]
    assert "alert" not in style.replace("\\", "").split("@page")[0]
    assert "@import" not in style
    assert "<script" not in text


@NEEDS_TYPST
def test_hostile_text_is_unchanged_in_pdf_except_for_missing_characters(tmp_path: Path) -> None:
    [path] = [one for one in write_projects(toy_report(), tmp_path, suffixes=[".pdf"]) if one.stem.startswith("=cmd")]
    text = squeezed(pdf_text(path))
    assert "<script>alert(1)</script></script>" in text
    assert text.count("长") >= len(LONG)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_font_has_every_character_of_a_dossier(language: Any) -> None:
    known = set(map(chr, FT2Font(str(FONT)).get_charmap())) | {"\n", "\t"}
    maker = DossierMaker(toy_report(), language=language)
    for site in maker.sites:
        data = json.dumps(pdf_document(maker.make(site)), ensure_ascii=False)
        assert set(data) - known == set()


def test_without_typst_the_error_of_the_pdf_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lzgis.exports.dossier import pdf

    def gone(name: str) -> None:
        raise ImportError(name)

    pdf._typst.cache_clear()
    monkeypatch.setattr(pdf, "import_module", gone)
    with pytest.raises(ExportError, match=r"not installed: typst; install it with: pip install 'lzgis\[pdf\]'"):
        write_projects(only(toy_report(), "S1"), tmp_path, suffixes=[".pdf"])


def test_an_unknown_suffix_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"use one of \.docx, \.html, \.pdf"):
        write_projects(only(toy_report(), "S1"), tmp_path, suffixes=[".odt"])


def test_progress_is_reported(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    write_docx(only(toy_report(), "S1", "S4"), tmp_path, progress=lambda done, all_: steps.append((done, all_)))
    assert steps == [(0, 2), (1, 2), (2, 2)]
