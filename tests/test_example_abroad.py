"""The borough abroad in `examples`: answers worked out by hand, and outputs without a Chinese character."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import ezdxf
import geopandas as gpd
import pyarrow.parquet as pq
import pytest
from docx import Document
from dossier_fixture import pdf_text
from typer.testing import CliRunner

import lzgis as lz
from lzgis.cli.app import app
from lzgis.exports.dossier.content import dossier
from lzgis.exports.dossier.html_page import html_text

HERE = Path(__file__).parents[1] / "examples" / "riverton"
#: Names of fonts that documents ask for, which no reader sees.
#: Escapes by which the script of the page names signs that it shows in Chinese pages alone.
SIGNS = {r"\uff1a", r"\uff1b"}
FONTS = re.compile("FangSong, 仿宋|SimHei, 黑体")
CHINESE = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3380-\u33df]")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of all formats in English, and what the console printed."""
    out = tmp_path_factory.mktemp("riverton") / "out"
    words = ["screen", str(HERE / "sites.geojson"), "--layers", str(HERE), "--as-of", "2026-11-21", "--lang", "en"]
    done = CliRunner().invoke(app, [*words, "--out", str(out), "--format", "all"])
    assert done.exit_code == 2, done.output
    return out, done.output


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make", HERE / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_makes_the_files_of_the_example() -> None:
    for name, text in script().files().items():
        assert (HERE / name).read_text("utf-8") == text


def test_sites_abroad_have_the_answers_that_follow_from_the_plan() -> None:
    report = lz.screen(HERE / "sites.geojson", HERE, as_of="2026-11-21")

    verdicts = report.verdicts.set_index("site_id")
    listed = {site: (set(row["prohibited"]), set(row["conditional"])) for site, row in verdicts.iterrows()}
    # S1 stands in the market place. S2 reaches from zone 3 into its buffer, 100 m away from zone 2. S4 crosses the A6101.
    assert listed["S1"] == (set(), {"conservation"})
    assert listed["S2"] == ({"flood-zone-3"}, {"flood-buffer"})
    assert listed["S3"] == (set(), set())
    assert listed["S4"] == (set(), {"road-corridor"})
    assert listed["S5"] == (set(), set())
    assert listed["S7"] == (set(), {"conservation", "flood-zone-2", "flood-buffer"})
    # A third of the solar park lies beyond the borough.
    assert verdicts.loc["S8", "verdict"] == "核查不完整"
    corridor = report.table[(report.table["site_id"] == "S4") & (report.table["rule"] == "road-corridor")].iloc[0]
    # 400 m along a road that falls by 2 in 40, 15 m on both sides.
    assert corridor["area_m2"] == pytest.approx(400 * 30 * (1 + 0.05**2) ** 0.5, rel=0.01)


def test_every_output_of_a_city_abroad_is_free_of_chinese(made: tuple[Path, str]) -> None:
    out, printed = made

    assert not CHINESE.findall(printed)
    found = {}
    for path in sorted(one for one in out.rglob("*") if one.is_file()):
        strange = [text for text in texts_of(path) if CHINESE.search(text)]
        if strange:
            found[str(path.relative_to(out))] = [CHINESE.sub(lambda m: f"<{m[0]}>", text)[:200] for text in strange[:3]]
    assert found == {}


def test_a_format_of_a_national_standard_is_left_out_and_said(made: tuple[Path, str]) -> None:
    out, printed = made

    assert "coordfile: cannot be written by the profile 'world'" in printed
    assert not (out / "sites.txt").exists()
    with sqlite3.connect(next(out.glob("*.gpkg"))) as database:
        assert any("coordfile" in str(row) for row in database.execute("select * from about"))


def test_drawings_abroad_are_in_the_zone_of_utm(made: tuple[Path, str]) -> None:
    drawing = ezdxf.readfile(next(made[0].glob("*.dxf")))
    lines = [one for one in drawing.modelspace().query("LWPOLYLINE") if one.dxf.layer.startswith("WGS84_UTM30N")]
    assert lines
    x, y = lines[0].get_points("xy")[0]
    assert 580_000 < x < 610_000 and 5_940_000 < y < 5_970_000


def test_documents_abroad_have_acres_and_the_figures_that_the_city_asks_for(tmp_path: Path) -> None:
    city = Path(shutil.copytree(HERE, tmp_path / "riverton"))
    report = lz.screen(HERE / "sites.geojson", city, as_of="2026-11-21")
    usual = dossier(report, "S1", language="en", mu=True)
    text = (city / "catalog.toml").read_text("utf-8")
    (city / "catalog.toml").write_text(
        text.replace('profile = "world"', 'profile = "world"\nnumbers = "1.234,5"'), "utf-8"
    )
    other = dossier(lz.screen(HERE / "sites.geojson", city, as_of="2026-11-21"), "S1", language="en", mu=True)

    # 200 m by 200 m on the ground, less what the ellipsoid takes; an acre has 4,046.856 m².
    assert usual.project["area_m2"] == "39,984" and usual.project["area_mu"] == "9.88"
    assert other.project["area_m2"] == "39.984" and other.project["area_mu"] == "9,88"
    said = html_text(usual)
    assert "2.471 acres" in said and "Area (acres)" in said
    assert not re.search(r"\bmu\b|National Database|province", said)


def texts_of(path: Path) -> Iterator[str]:
    """Iterate over the texts that a reader of a file sees, or that a program reads from it."""
    suffix = path.suffix
    if suffix == ".docx":
        document = Document(str(path))
        parts = [document.element.body, *(one.header._element for one in document.sections)]
        parts += [one.footer._element for one in document.sections]
        yield from (node.text or "" for part in parts for node in part.iter("{*}t"))
    elif suffix == ".pdf":
        yield pdf_text(path)
    elif suffix == ".gpkg":
        for layer in gpd.list_layers(path)["name"]:
            frame = gpd.read_file(path, layer=layer)
            yield from (str(value) for column in frame.columns if column != "geometry" for value in frame[column])
    elif suffix == ".parquet":
        table = pq.read_table(path)
        yield from (
            str(value) for name in table.column_names if name != "geometry" for value in table[name].to_pylist()
        )
    elif suffix == ".pptx":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.startswith("ppt/slides/slide"):
                    yield from re.findall("<a:t>([^<]*)</a:t>", archive.read(name).decode())
    elif suffix == ".xlsx":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not name.startswith("xl/theme"):
                    yield from re.findall(">([^<]+)<", archive.read(name).decode())
    elif suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not name.endswith((".shp", ".shx")):
                    yield from archive.read(name).decode("utf-8", "ignore").splitlines()
    elif suffix == ".dxf":
        drawing = ezdxf.readfile(path)
        yield from (layer.dxf.name for layer in drawing.layers)
        yield from (one.dxf.text for one in drawing.query("TEXT"))
        yield from (one.text for one in drawing.query("MTEXT"))
        for one in drawing.modelspace():
            facts = one.get_xdata("LZGIS") if one.has_xdata("LZGIS") else []
            yield from (str(value) for _, value in facts)
    elif suffix != ".png":
        # The page holds its texts as JSON, where a character may be an escape.
        text = path.read_text("utf-8", "strict")
        yield from (json.loads(f'"{one}"') for one in re.findall(r"\\u[0-9a-f]{4}", text) if one not in SIGNS)
        yield from FONTS.sub("", text).splitlines()
