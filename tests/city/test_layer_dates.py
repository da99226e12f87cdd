"""Layers with several states: the one in force on the as-of date is used, and another state is said in every output."""

from __future__ import annotations

import datetime as dt
import json
import re
import zipfile

import ezdxf
import pyogrio
import pytest
import toy
from python_calamine import CalamineWorkbook

from lzgis.audits.diff import diff
from lzgis.city.catalogue import open_catalogue
from lzgis.city.layer_dates import of_another_day
from lzgis.errors import ConfigError
from lzgis.exports.formats import FORMATS, write_beside, writer
from lzgis.model.catalogue import LayerSpec
from lzgis.screening.screen import screen
from lzgis.screening.setting import setting_from, setting_of

#: The redline of the toy city is the square 0..1500 by 0..1000; until 2024 it was a square further west.
OLD_SQUARE = toy.box(-3000, 0, -2000, 1000)
IN_NEW, IN_OLD = toy.square(100, 100), toy.square(-2500, 100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = toy.city(tmp_path_factory.mktemp("dates") / "city")
    toy.write(folder / "redline-2021.gpkg", [OLD_SQUARE], name=["旧"])
    entry = """source = "redline.gpkg"
effective_from = 2024-01-01
[[layer.redline.versions]]
source = "redline-2021.gpkg"
effective_from = 2021-01-01
effective_to = 2024-01-01
version = "2021"
"""
    return toy.changed(folder, "catalog.toml", ('source = "redline.gpkg"\n', entry))


def states(folder, as_of):
    report = screen(toy.sites(IN_NEW, IN_OLD), folder, as_of=as_of, made_at=dt.datetime(2026, 11, 21))
    return report, [toy.row(report, "redline", site)["state"] for site in ("s1", "s2")]


def test_the_state_in_force_on_the_date_is_used(folder):
    # `effective_to` is the first day on which a state is no longer in force.
    assert states(folder, "2026-11-21")[1] == ["涉及", "不涉及"]
    assert states(folder, "2024-01-01")[1] == ["涉及", "不涉及"]
    report, found = states(folder, "2023-12-31")
    assert found == ["不涉及", "涉及"]
    assert report.layers["redline"].spec.version == "2021"
    (source,) = [s for s in report.provenance.sources if s.role == "redline"]
    assert source.name == "redline-2021.gpkg"
    assert report.problems == states(folder, "2026-11-21")[0].problems


def test_before_the_first_state_the_nearest_is_used_and_said(folder):
    report, found = states(folder, "2020-06-01")
    assert found == ["不涉及", "涉及"]
    (problem,) = [p for p in report.problems if "other states are used" in p.what]
    assert problem.level == "warning"
    assert "the city has no state of 2020-06-01 of 1 layers" in problem.what
    assert "生态保护红线 (2021-01-01)" in problem.what


def read_slides(path):
    return pytest.importorskip("pptx").Presentation(path).slides


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_output_says_that_a_state_is_another_days(folder, tmp_path, language):
    report, _ = states(folder, "2020-06-01")
    said = {"zh": "有 1 个图层没有 2020-06-01 当时的版本", "en": "no state of 2020-06-01 of 1 layers"}[language]
    files = {}
    for name in ("xlsx", "json", "gpkg", "geojson", "jsonfg", "shp", "dxf", "html", "parquet", "kml", "csv", "pptx"):
        files[name] = tmp_path / FORMATS[name].file_name
        writer(FORMATS[name].report)(report, files[name], language=language)
        write_beside(name, report, tmp_path, language=language)
    book = CalamineWorkbook.from_path(files["xlsx"])
    sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert any(said in str(cell) for sheet in sheets for row in sheet for cell in row)
    about = pyogrio.read_dataframe(files["gpkg"], layer="about", read_geometry=False)
    assert about["value"].str.contains(said, regex=False).any()
    assert said in files["html"].read_text("utf-8")
    with zipfile.ZipFile(files["shp"]) as packed:
        assert said in packed.read("README.txt").decode("utf-8-sig")
    assert said in files["kml"].read_text("utf-8")
    # Where there is no room to name the layers, a few words say so.
    short = {
        "zh": "部分图层不是 2020-06-01 当时的版本",
        "en": "Some layers show another state than that of 2020-06-01",
    }[language]
    slides = [
        [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]
        for slide in read_slides(files["pptx"])
    ]
    assert slides and all(any(short in text for text in slide) for slide in slides)
    drawn = [entity.dxf.text for entity in ezdxf.readfile(files["dxf"]).modelspace().query("TEXT")]
    assert any(short[:20] in text for text in drawn)
    # Machine-readable outputs hold the message in the language of the code.
    assert "no state of 2020-06-01" in (tmp_path / "findings.csv-metadata.json").read_text("utf-8")
    for name in ("json", "geojson", "jsonfg"):
        problems = json.loads(files[name].read_text("utf-8"))["problems"]
        assert any("no state of 2020-06-01" in p["what"] for p in problems)
    assert "no state of 2020-06-01" in files["parquet"].read_bytes().decode("latin-1")
    comments = [line for line in files["dxf"].read_text("gbk").splitlines() if line.startswith("provenance: ")]
    assert "no state of 2020-06-01" in "".join(line.removeprefix("provenance: ") for line in comments)
    assert ezdxf.readfile(files["dxf"]).modelspace()


def test_a_layer_of_a_later_date_is_another_days():
    dated = LayerSpec(title="红线", source="a.gpkg", date=dt.date(2024, 5, 1))
    in_force = dated.model_copy(update={"effective_from": dt.date(2021, 1, 1)})
    undated = LayerSpec(title="乡镇", source="b.gpkg")
    layers = {"dated": dated, "in_force": in_force, "undated": undated}
    assert of_another_day(layers, dt.date(2022, 1, 1)) == ["dated"]
    assert of_another_day(layers, dt.date(2024, 5, 1)) == []
    assert of_another_day(layers, dt.date(2020, 1, 1)) == ["dated", "in_force"]


def test_states_that_overlap_or_end_before_they_begin_are_refused(folder, tmp_path):
    text = (folder / "catalog.toml").read_text("utf-8")
    for old, new, said in (
        ("effective_to = 2024-01-01", "effective_to = 2024-01-02", "two versions are in force on 2024-01-01"),
        ("effective_to = 2024-01-01\n", "", "two versions are in force on 2024-01-01"),
        ("effective_from = 2024-01-01\n", "", "two versions are in force on 2021-01-01"),
        ("effective_to = 2024-01-01", "effective_to = 2020-01-01", "effective_to is not after effective_from"),
    ):
        (tmp_path / "catalog.toml").write_text(text.replace(old, new), "utf-8")
        with pytest.raises(ConfigError, match=said):
            open_catalogue(tmp_path)


def test_workers_use_the_same_state(folder):
    setting = setting_of(open_catalogue(folder), dt.date(2022, 1, 1))
    again = setting_from(setting.reference())
    assert again.city.layers["redline"].source == "redline-2021.gpkg"


def test_a_comparison_of_two_dates_compares_the_states(folder):
    found = diff(folder, folder, as_of_old="2022-01-01", as_of="2026-11-21")
    row = found.totals.set_index("layer").loc["redline"]
    # The old square has 1 km2, the new ones 1.5 km2 less a hole of 1 ha.
    assert row["before_m2"] == pytest.approx(1_000_000, rel=1e-6)
    assert row["after_m2"] == pytest.approx(1_490_000, rel=1e-6)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_layer_without_a_date_is_said_on_a_past_date(tmp_path, language):
    folder = toy.city(tmp_path / "city")
    text = (folder / "catalog.toml").read_text("utf-8")
    (folder / "catalog.toml").write_text(re.sub(r"(?m)^(date|effective_from) = .*\n", "", text), "utf-8")
    report, _ = states(folder, "2022-06-01")
    (problem,) = [p for p in report.problems if "have no date" in p.what]
    assert problem.level == "note"
    assert not any("have no date" in p.what for p in screen(toy.sites(IN_NEW), folder).problems)
    writer(FORMATS["html"].report)(report, tmp_path / "map.html", language=language)
    said = {"zh": "个图层没有日期，不知是否为 2022-06-01 当时的状态", "en": "layers have no date"}[language]
    assert said in (tmp_path / "map.html").read_text("utf-8")
