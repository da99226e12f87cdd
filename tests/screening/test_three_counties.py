"""A line across three counties with real outlines: every stretch is known, and alike on every way in."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
from pathlib import Path

import pytest
import shapely

import lzgis as lz
from lzgis.batch import BatchOptions, screen_batch
from lzgis.coordinates.plane import ellipsoidal_length_m
from lzgis.exports.folder import export_folder
from lzgis.exports.gis.json import report_document

HERE = Path(__file__).parents[2] / "examples" / "three_counties"
DAY = "2026-11-21"
WHEN = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
NAMES = ["连南瑶族自治县", "连州市", "阳山县"]


@pytest.fixture(scope="module")
def report() -> lz.Report:
    return lz.screen(HERE / "line.geojson", HERE, as_of=DAY, made_at=WHEN)


def test_each_stretch_has_the_length_and_the_findings_that_it_was_made_with(report: lz.Report) -> None:
    assert list(report.stretches["city"]) == NAMES
    # The line within each outline, on the ellipsoid.
    line = shapely.from_geojson((HERE / "line.geojson").read_text("utf-8")).geoms[0]
    for (_, stretch), folder in zip(report.stretches.iterrows(), ("liannan", "lianzhou", "yangshan"), strict=True):
        outline = shapely.from_geojson((HERE / folder / "city.geojson").read_text("utf-8")).geoms[0]
        known = float(ellipsoidal_length_m([shapely.intersection(line, outline)])[0])
        assert stretch["length_m"] == pytest.approx(known, rel=2e-5)
    assert report.stretches["share"].sum() == pytest.approx(1.0, abs=1e-5)

    hits = report.table[report.table["state"] == "涉及"]
    found = [(row.city, row.rule.partition("@")[0], row.length_m) for row in hits.itertuples()]
    # The squares are 1,000 m wide; the roads cross the line at a right angle, and 20, 30 and 50 m are demanded on both sides.
    wanted = [
        (name, rule, m)
        for name, d in zip(NAMES, (20, 30, 50), strict=True)
        for rule, m in (("redline", 1000), ("road", 2 * d))
    ]
    assert [one[:2] for one in found] == [one[:2] for one in wanted]
    for (_, _, length_m), (_, _, known) in zip(found, wanted, strict=True):
        assert length_m == pytest.approx(known, rel=5e-5)
    assert list(report.verdicts["verdict"]) == ["存在禁止性冲突"]
    assert list(report.stretches["verdict"]) == ["存在禁止性冲突", "需进一步论证", "存在禁止性冲突"]


def test_a_batch_gives_the_same_bytes(report: lz.Report, tmp_path: Path) -> None:
    export_folder(report, tmp_path / "once", ["json"])
    chosen = BatchOptions(formats=("json",), made_at=WHEN)
    screen_batch(HERE / "line.geojson", HERE, tmp_path / "batch", as_of=DAY, settings=chosen)

    assert (tmp_path / "batch" / "report.json").read_bytes() == (tmp_path / "once" / "report.json").read_bytes()


def test_the_page_gives_the_same_findings(report: lz.Report, tmp_path: Path) -> None:
    pytest.importorskip("django", reason="the extra web is not installed")
    from lzgis.web.requests import Request
    from lzgis.web.work import Office

    office = Office(HERE)
    job = Request("screen", str(tmp_path / "job"), source=str(HERE / "line.geojson"), as_of=DAY)
    assert office.do(job)["verdicts"] == [1, 0, 0, 0]
    office.do(Request("files", str(tmp_path / "job"), formats=("json",), language="zh", edition="internal"))
    made = json.loads(next((tmp_path / "job").rglob("report.json")).read_text("utf-8"))
    known = json.loads(json.dumps(report_document(report)))
    assert [made[name] for name in ("findings", "stretches", "city_rules")] == [
        known[name] for name in ("findings", "stretches", "city_rules")
    ]


def test_the_script_makes_the_folders_of_the_example(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make", HERE / "make.py")
    assert spec is not None and spec.loader is not None
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    outlines = {
        adcode: shapely.from_geojson((HERE / folder / "city.geojson").read_text("utf-8")).geoms[0]
        for folder, _, adcode, *_ in make.COUNTIES
    }
    make.write(tmp_path, outlines)

    for path in (one for one in tmp_path.rglob("*") if one.is_file()):
        assert path.read_text("utf-8") == (HERE / path.relative_to(tmp_path)).read_text("utf-8")
