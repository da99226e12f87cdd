"""The counts of the five states agree in every output, each read back with another program or library."""

from __future__ import annotations

import csv
import datetime as dt
import json
import sqlite3
import zipfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import ezdxf
import pyarrow.parquet as pq
import pyogrio
import pytest
from map_page import Page
from python_calamine import CalamineWorkbook

import lzgis as lz
from lzgis.city.reference import reference_city
from lzgis.exports.formats import FORMATS, writer
from lzgis.exports.rule_counts import STATE_COLUMNS, rule_counts
from lzgis.model.report import Report

STATES = ["涉及", "疑似边界误差", "未核查", "不涉及", "不适用"]
NAMES = ("xlsx", "json", "gpkg", "geojson", "jsonfg", "shp", "dxf", "parquet", "csv", "verdicts", "html")


@cache
def report() -> Report:
    when = dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC)
    return lz.screen(reference_city() / "sites.gpkg", reference_city(), as_of="2026-11-21", made_at=when)


@pytest.fixture(scope="module", params=["zh", "en"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp(request.param)
    for name in NAMES:
        writer(FORMATS[name].report)(report(), out / FORMATS[name].file_name, language=request.param)
    return out


def language(folder: Path) -> str:
    return "en" if folder.name.startswith("en") else "zh"


@cache
def rows() -> dict[str, int]:
    """The rows of findings by state."""
    return {state: int((report().table["state"] == state).sum()) for state in STATES}


@cache
def answers() -> dict[str, int]:
    """The pairs of site and rule by their answer, counted by hand: the gravest state of each pair; context apart."""
    table = report().table
    gravest: dict[tuple[str, str], str] = {}
    for site, rule, kind, state in zip(table["site_id"], table["rule"], table["kind"], table["state"], strict=True):
        key = ("context" if kind == "identify" else "rule", f"{site} {rule}")
        gravest[key] = min(gravest.get(key, state), state, key=STATES.index)
    found = Counter(state for (what, _), state in gravest.items() if what == "rule")
    found["不适用"] += int(report().verdicts["not_applicable"].sum())
    return {**{state: found[state] for state in STATES}, "context": sum(what == "context" for what, _ in gravest)}


def sheet(folder: Path, name: str) -> list[list[Any]]:
    titles = {
        "counts": ("项数", "Counts"),
        "findings": ("核查明细", "Findings"),
        "unmeant": ("不适用", "Not applicable"),
        "about": ("数据与依据", "Data and provenance"),
    }
    book = CalamineWorkbook.from_path(folder / "report.xlsx")
    found: list[list[Any]] = book.get_sheet_by_name(titles[name][language(folder) == "en"]).to_python()
    return found


def test_the_reference_run_has_rows_that_are_not_applicable() -> None:
    assert rows()["不适用"] > 500
    assert sum(rows().values()) == len(report().findings)


def test_answers_and_context_sum_to_sites_times_rules() -> None:
    pairs = len(report().sites) * len(report().book.rules)
    assert sum(answers().values()) == pairs
    counts = rule_counts(report())
    assert counts["rules"].tolist() == [len(report().book.rules)] * len(report().sites)
    assert [int(counts[name].sum()) for name in STATE_COLUMNS] == [answers()[state] for state in STATES]
    assert int(counts["context"].sum()) == answers()["context"]


def test_the_json_counts_what_it_holds(folder: Path) -> None:
    document = json.loads((folder / "report.json").read_text("utf-8"))
    counts = document["counts"]
    assert Counter(f["state"] for f in document["findings"]) == rows()
    assert counts["findings"] == rows()
    assert counts["answers"] | {"context": counts["context"]} == answers()
    assert counts["pairs"] == sum(counts["answers"].values()) + counts["context"]
    assert counts["pairs"] == counts["sites"] * len(report().book.rules)
    assert counts["not_applicable_without_finding"] == sum(v["not_applicable"] for v in document["verdicts"])
    assert [one["matter"] for one in document["not_covered"]] == list(report().not_covered)
    assert {one["reason"] for one in document["not_covered"]} <= {"unknown", "no-layer", "no-rule"}


def test_the_workbook_lists_them_apart_and_its_counts_add_up(folder: Path) -> None:
    table = sheet(folder, "counts")
    head, total, *sites = table[3:]
    assert len(sites) == 51
    # Rules, the five answers, those without a finding, context, rows.
    assert total[3:8] == [answers()[state] for state in STATES]
    assert total[2] == sum(total[3:8]) + total[9] == 51 * len(report().book.rules)
    assert total[10] == len(report().findings)
    assert all(row[2] == sum(row[3:8]) + row[9] for row in sites)
    assert [sum(row[k] for row in sites) for k in range(2, len(head))] == total[2:]
    unmeant, findings = sheet(folder, "unmeant")[4:], sheet(folder, "findings")
    assert len(unmeant) == rows()["不适用"]
    state = findings[3].index("核查状态" if language(folder) == "zh" else "State")
    listed = Counter(row[state] for row in findings[4:])
    assert sorted(listed.values()) == sorted(n for name, n in rows().items() if name != "不适用")
    assert len(findings[4:]) + len(unmeant) == len(report().findings)


def test_the_workbook_names_routes_and_facts(folder: Path) -> None:
    findings = sheet(folder, "findings")
    head = findings[3]
    route = head.index("办理路径" if language(folder) == "zh" else "Route")
    named = {row[route] for row in findings[4:]} - {""}
    assert {"许可", "禁止", "论证"} <= named if language(folder) == "zh" else {"permit", "prohibited"} <= named
    facts = head.index("待申报的事实" if language(folder) == "zh" else "Facts to declare")
    open_facts = {row[facts] for row in findings[4:]} - {""}
    assert open_facts and not any("_" in one for one in open_facts)


def test_the_geopackage_draws_them_apart(folder: Path) -> None:
    with sqlite3.connect(folder / "findings.gpkg") as base:
        assert dict(base.execute("SELECT state, count(*) FROM findings GROUP BY state")) == rows()
        layers = [name for (name,) in base.execute("SELECT table_name FROM gpkg_contents")]
        drawn = {
            kind: sum(base.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in layers if name in names)
            for kind, names in (
                ("unmeant", ("not_applicable", "not_applicable_lines", "not_applicable_points")),
                ("others", [a + b for a in ("conflicts", "notices") for b in ("", "_lines", "_points")]),
            )
        }
        states = set(base.execute("SELECT DISTINCT state FROM conflicts UNION SELECT DISTINCT state FROM notices"))
        styles = dict(base.execute("SELECT f_table_name, styleQML FROM layer_styles"))
        about = dict(base.execute("SELECT name, value FROM about"))
        verdicts = base.execute("SELECT sum(not_applicable) FROM (SELECT not_applicable FROM sites UNION ALL "
                                "SELECT not_applicable FROM sites_lines UNION ALL "
                                "SELECT not_applicable FROM sites_points)").fetchone()[0]  # fmt: skip
    assert ("不适用",) not in states
    parts = report().findings.geometry
    there = ~(parts.isna() | parts.is_empty)
    unmeant = (report().table["state"] == "不适用").to_numpy()
    assert drawn == {"unmeant": int((there & unmeant).sum()), "others": int((there & ~unmeant).sum())}
    assert "不适用" in styles["not_applicable"] and "158,158,158" in styles["not_applicable"]
    assert verdicts == report().verdicts["not_applicable"].sum()
    said = "未覆盖" if language(folder) == "zh" else "Not covered"
    assert said in about["coverage"]


def test_geojson_and_jsonfg_hold_them(folder: Path) -> None:
    for name in ("findings.geojson", "findings.jsonfg"):
        document = json.loads((folder / name).read_text("utf-8"))
        found = [f["properties"] for f in document["features"] if f["id"].startswith("finding:")]
        assert Counter(one["state"] for one in found) == rows()
        assert [one["matter"] for one in document["not_covered"]] == list(report().not_covered)
        assert document["coverage"]
        assert {one["route_title"] for one in found} > {""}


def test_geojson_is_read_by_gdal(folder: Path) -> None:
    frame = pyogrio.read_dataframe(folder / "findings.geojson", where="feature_kind = 'finding'", read_geometry=False)
    assert frame["state"].value_counts().to_dict() == rows()


def test_parquet_holds_them(folder: Path) -> None:
    table = pq.read_table(folder / "findings.parquet")
    assert Counter(table["state"].to_pylist()) == rows()
    assert set(table["route_title"].to_pylist()) > {""}
    verdicts = pq.read_table(folder / "verdicts.parquet")
    assert sum(verdicts["not_applicable"].to_pylist()) == report().verdicts["not_applicable"].sum()


def test_the_csv_holds_them(folder: Path) -> None:
    with (folder / "findings.csv").open(encoding="utf-8-sig", newline="") as table:
        assert Counter(row["state"] for row in csv.DictReader(table)) == rows()


def test_shapefiles_hold_them(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(folder / "findings-shp.zip") as packed:
        packed.extractall(tmp_path)
        readme = packed.read("README.txt").decode("utf-8-sig")
    found = pyogrio.read_dataframe(tmp_path / "findings.dbf")
    assert found["state"].value_counts().to_dict() == rows()
    parts = [pyogrio.read_dataframe(path) for path in tmp_path.glob("not_applicable*.shp")]
    assert {state for part in parts for state in part["state"]} == {"不适用"}
    assert ("未覆盖" if language(folder) == "zh" else "Not covered") in readme


def test_the_drawing_has_a_layer_for_them(folder: Path) -> None:
    drawing = ezdxf.readfile(folder / "conflicts.dxf")
    states: dict[str, set[str]] = {}
    for entity in drawing.modelspace():
        if entity.has_xdata("LZGIS"):
            facts = [value for code, value in entity.get_xdata("LZGIS") if code == 1000]
            found = {one.partition("=")[2] for one in facts if one.startswith("state=")}
            states.setdefault(entity.dxf.layer.rsplit("GK37_", 1)[-1], set()).update(found)
    unmeant = [found for layer, found in states.items() if layer.startswith("NOT_APPLICABLE")]
    assert unmeant and all(found == {"不适用"} for found in unmeant)
    assert not any("不适用" in found for layer, found in states.items() if not layer.startswith("NOT_APPLICABLE"))


def test_the_map_counts_them_apart_and_names_what_is_not_covered(folder: Path) -> None:
    page = Page(folder / "map.html")
    city, review = page.data["city"], page.data["review"]
    ranks = Counter(finding[0] for site in review["findings"] for finding in site)
    assert ranks[6] == rows()["不适用"]
    assert ranks[5] == rows()["不涉及"]
    assert sum(ranks.values()) == len(report().findings)
    assert sum(site["not_applicable"] for site in review["sites"]) == report().verdicts["not_applicable"].sum()
    assert len(city["not_covered"]) == len(report().not_covered)
    routes = {"zh": "办理路径", "en": "Route"}[language(folder)]
    assert routes in review["pool"]
