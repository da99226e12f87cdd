"""Shapefiles in a zip, read back with fiona, csv and json."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import fiona
import numpy as np
import pandas as pd
import pytest
import shapely
from report_fixture import FORMULA, LONG, PLANE, toy_report

from lzgis.exports import export
from lzgis.exports.gis.shapefile import write_shapefile
from lzgis.model.report import FINDING_COLUMNS, Report


def unpacked(report: Report, folder: Path, language: Any = "zh") -> Path:
    write_shapefile(report, folder / "findings.zip", language=language)
    with zipfile.ZipFile(folder / "findings.zip") as packed:
        packed.extractall(folder / "out")
    return folder / "out"


def rows(path: Path) -> list[dict[str, Any]]:
    with fiona.open(path) as source:
        return [dict(feature["properties"]) for feature in source]


def fields(folder: Path) -> dict[str, dict[str, str]]:
    """Give for each file the short name of each column."""
    read = csv.reader(io.StringIO((folder / "fields.csv").read_text("utf-8-sig")))
    next(read)
    found: dict[str, dict[str, str]] = {}
    for file, field, column, *_ in read:
        found.setdefault(file, {})[column] = field
    return found


def test_layers_say_their_encoding_and_reference_system(tmp_path: Path) -> None:
    folder = unpacked(toy_report(), tmp_path)
    found = {}
    for path in sorted(folder.glob("*.shp")):
        with fiona.open(path) as source:
            found[path.stem] = source.schema["geometry"]
            assert source.crs.to_epsg() == 4490
        assert path.with_suffix(".cpg").read_text() == "UTF-8"
    assert found == {
        "sites": "Polygon",
        "sites_lines": "LineString",
        "sites_points": "MultiPoint",
        "conflicts": "Polygon",
        "conflicts_lines": "LineString",
        "notices": "Polygon",
        "notices_lines": "LineString",
        "notices_points": "MultiPoint",
    }
    assert {p.stem for p in folder.glob("*.dbf")} - set(found) == {"findings", "unit_lists", "about"}


def test_findings_equal_the_report_but_for_texts_that_were_cut(tmp_path: Path) -> None:
    report = toy_report()
    folder = unpacked(report, tmp_path)
    back, short = rows(folder / "findings.dbf"), fields(folder)["findings"]
    cut = {(c["file"], c["row"], c["field"]): c["text"] for c in json.loads((folder / "cut.json").read_text("utf-8"))}
    assert len(back) == len(report.findings)
    for column in FINDING_COLUMNS:
        found = [row[short[column.name]] for row in back]
        wanted = list(report.findings[column.name])
        if column.dtype == "float":
            numbers = np.array([np.nan if v is None else v for v in found], dtype=float)
            assert numbers == pytest.approx(np.array(wanted), rel=1e-12, nan_ok=True)
            continue
        for row, (one, whole) in enumerate(zip(found, wanted, strict=True), 1):
            stored = cut.get(("findings", row, short[column.name]), one or "")
            assert stored == whole.replace("\x00", "\\x00")


def test_cut_texts_are_reported_and_stored_in_full(tmp_path: Path) -> None:
    folder = unpacked(toy_report(), tmp_path)
    cuts = json.loads((folder / "cut.json").read_text("utf-8"))
    owner = next(c for c in cuts if (c["file"], c["field"]) == ("sites", "owner"))
    assert owner["text"] == LONG
    kept = rows(folder / "sites.shp")[owner["row"] - 1]["owner"]
    assert kept == "长" * 84, "cut between characters, not within one"
    table = list(csv.reader(io.StringIO((folder / "fields.csv").read_text("utf-8-sig"))))
    assert next(row for row in table if row[:2] == ["sites", "owner"])[-1] == "1"
    assert f"有 {len(cuts)} 处文字" in (folder / "README.txt").read_text("utf-8-sig")
    assert "No text was cut" not in (unpacked(toy_report(), tmp_path, "en") / "README.txt").read_text("utf-8-sig")


def test_areas_of_the_parts_are_those_of_the_findings(tmp_path: Path) -> None:
    folder = unpacked(toy_report(), tmp_path)
    with fiona.open(folder / "conflicts.shp") as source:
        shapes = [shapely.geometry.shape(one["geometry"]) for one in source]
        areas = [one["properties"]["area_m2"] for one in source]
    assert shapely.area(PLANE.project(shapes)) == pytest.approx(areas, rel=1e-6)


def test_names_fit_and_are_all_different(tmp_path: Path) -> None:
    sites = toy_report().sites.assign(
        **{"项目投资额": 1, "项目面积": 2, "a_very_long_name": 3, "A_VERY_LONG_NAMES": 4, "=x": 5}
    )
    folder = unpacked(toy_report(sites=sites), tmp_path)
    for file, names in fields(folder).items():
        short = list(names.values())
        assert all(len(name) <= 10 and name.isascii() for name in short), file
        assert len({name.lower() for name in short}) == len(short), file
    site = rows(folder / "sites.shp")[0]
    names = fields(folder)["sites"]
    assert [site[names[n]] for n in ("项目投资额", "项目面积", "a_very_long_name", "A_VERY_LONG_NAMES")] == [1, 2, 3, 4]
    assert names["'=x"] == "x", "a cell of the table is never a formula"


def test_same_report_same_bytes(tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        export(toy_report(), tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_report_of_nothing_and_a_site_without_shape_are_written(tmp_path: Path) -> None:
    toy = toy_report()
    none = {"sites": toy.sites.iloc[:0], "findings": toy.findings.iloc[:0], "verdicts": toy.verdicts.iloc[:0]}
    folder = unpacked(toy_report(**none, unit_lists=toy.unit_lists.iloc[:0]), tmp_path)
    assert rows(folder / "sites.shp") == []
    sites = toy.sites.copy()
    sites.loc[0, "geometry"] = None
    folder = unpacked(toy_report(sites=sites), tmp_path)
    assert [row["id"] for row in rows(folder / "sites.shp")] == ["S1", "S4", FORMULA]
    assert isinstance(pd.DataFrame(rows(folder / "about.dbf")), pd.DataFrame)


def test_each_file_has_a_style_with_the_short_names_and_the_headings(tmp_path: Path) -> None:
    write_shapefile(toy_report(), tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as packed:
        names = {name.rpartition(".")[0] for name in packed.namelist() if name.endswith((".shp", ".dbf"))}
        fields = [row.split(",") for row in packed.read("fields.csv").decode("utf-8-sig").splitlines()[1:]]
        for name in names:
            root = ElementTree.fromstring(packed.read(f"{name}.qml").decode())
            short = {field for file, field, *_ in fields if file == name}
            aliases = {one.get("field"): one.get("name") for one in root.iter("alias")}
            assert set(aliases) <= short
            renderer = root.find("renderer-v2")
            if renderer is not None:
                used = set(re.findall(r'"([a-z0-9_]+)"', str(renderer.get("attr"))))
                assert used and used <= short
        assert {"sites", "conflicts", "findings"} <= names
