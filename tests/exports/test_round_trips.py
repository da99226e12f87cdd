"""The files that another program than their writer reads here: DuckDB, GDAL, LibreOffice, poppler, a parser of 界址点 files.

See `test_other_programs.py` for those that GDAL of the system and calamine read.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import warnings
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyproj
import pytest
import python_calamine
import rasterio
import rasterio.errors
import shapely
from dossier_fixture import by_office, pdf_text, squeezed
from lxml import etree
from report_fixture import toy_report

from lzgis.exports import export_as, export_projects


@pytest.fixture(scope="module")
def report() -> Any:
    return toy_report()


# --- parquet: pyarrow writes, DuckDB reads ---------------------------------------------------------------------------


def rows(path: Path, *columns: str) -> list[tuple[Any, ...]]:
    """Return columns of a GeoParquet file as DuckDB reads them without its spatial extension."""
    duckdb.execute("SET enable_geoparquet_conversion = false")
    names = ", ".join(f'"{one}"' for one in columns)
    return duckdb.execute(f"SELECT {names} FROM read_parquet(?)", [str(path)]).fetchall()


def test_duckdb_reads_every_finding_with_its_part(report: Any, tmp_path: Path) -> None:
    export_as("parquet", report, tmp_path / "findings.parquet", language="zh")
    found = rows(tmp_path / "findings.parquet", "site_id", "rule", "state", "area_m2", "distance_m", "geometry")
    wanted = report.findings
    assert [one[:2] for one in found] == list(zip(wanted["site_id"], wanted["rule"], strict=True))
    for column, place in (("area_m2", 3), ("distance_m", 4)):
        read = np.array([np.nan if one[place] is None else one[place] for one in found])
        assert np.array_equal(read, wanted[column].to_numpy(dtype=float), equal_nan=True)
    shapes = shapely.from_wkb([None if one[5] is None else bytes(one[5]) for one in found])
    for shape, expected in zip(shapes, wanted.geometry, strict=True):
        assert (shape is None) == (expected is None)
        assert shape is None or shapely.equals_exact(shape, expected)


def test_duckdb_reads_every_site_with_its_verdict(report: Any, tmp_path: Path) -> None:
    export_as("verdicts", report, tmp_path / "verdicts.parquet", language="zh")
    found = rows(tmp_path / "verdicts.parquet", "id", "verdict")
    assert sorted(found) == sorted(zip(report.verdicts["site_id"], report.verdicts["verdict"], strict=True))


# --- csv and json: pyarrow and json write, DuckDB reads --------------------------------------------------------------


def test_duckdb_reads_the_findings_of_csv_and_json(report: Any, tmp_path: Path) -> None:
    export_as("csv", report, tmp_path / "findings.csv", language="zh")
    export_as("json", report, tmp_path / "report.json", language="zh")
    wanted = [
        (site, rule, state, None if np.isnan(area) else area)
        for site, rule, state, area in report.findings[["site_id", "rule", "state", "area_m2"]].itertuples(index=False)
    ]
    columns = "site_id, rule, state, area_m2"
    read = f"SELECT {columns} FROM read_csv(?, header=true, types={{'site_id': 'VARCHAR', 'area_m2': 'DOUBLE'}})"
    # In a table for spreadsheets a text that begins as a formula has a sign before it.
    plain = [(f"'{site}" if site.startswith("=") else site, *rest) for site, *rest in wanted]
    assert duckdb.execute(read, [str(tmp_path / "findings.csv")]).fetchall() == plain
    inner = "SELECT unnest(findings) AS f FROM read_json(?, maximum_object_size=100000000)"
    read = "SELECT " + ", ".join(f"f.{one}" for one in columns.split(", ")) + f" FROM ({inner})"
    assert duckdb.execute(read, [str(tmp_path / "report.json")]).fetchall() == wanted


# --- picture: matplotlib writes, GDAL reads --------------------------------------------------------------------------


def test_gdal_reads_the_picture(report: Any, tmp_path: Path) -> None:
    export_as("png", report, tmp_path / "map.png", language="zh")
    with warnings.catch_warnings():
        # A picture lies nowhere.
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(tmp_path / "map.png") as picture:
            bands = picture.read()
    assert bands.shape[0] >= 3 and min(bands.shape[1:]) > 500
    # Not of one colour.
    assert len(np.unique(bands[:3, ::5, ::5].reshape(3, -1), axis=1).T) > 50


# --- boundary points -------------------------------------------------------------------------------------------------


def parcels(text: str) -> tuple[dict[str, str], dict[str, list[tuple[float, float]]]]:
    """Read a 界址点 file by the description of its form alone: head, then parcels of points as number, ring, north, east."""
    head, _, body = text.partition("[地块坐标]")
    described = dict(line.split("=", 1) for line in head.splitlines() if "=" in line)
    found: dict[str, list[tuple[float, float]]] = {}
    name = ""
    for line in body.strip().splitlines():
        if line.endswith("@"):
            name = line.split(",")[2]
            found[name] = []
        else:
            _, _, north, east = line.split(",")
            found[name].append((float(east), float(north)))
    return described, found


def test_a_parser_of_its_own_finds_the_corners_of_the_boundary_points(report: Any, tmp_path: Path) -> None:
    export_as("coordfile", report, tmp_path / "sites.txt", language="zh")
    described, found = parcels((tmp_path / "sites.txt").read_text("utf-8-sig"))
    assert described["坐标系"] == "2000国家大地坐标系"
    assert (described["几度分带"], described["计量单位"]) == ("3", "米")
    # CGCS2000 in zones of 3 degrees with their number before the eastings: EPSG:4513 is zone 25.
    zone = pyproj.CRS.from_epsg(4513 + int(described["带号"]) - 25)
    back = pyproj.Transformer.from_crs(zone, 4490, always_xy=True)
    for name, shape in zip(report.sites["id"], report.sites.geometry, strict=True):
        if shape is None or shape.geom_type != "Polygon":
            continue
        corners = np.column_stack(back.transform(*np.array(found[name.replace(",", "，")]).T))
        assert corners[0].tolist() == corners[-1].tolist()
        ring = shapely.Polygon(corners)
        # 0.1 mm, as the file declares, is 1e-9 degrees.
        assert shapely.hausdorff_distance(ring.exterior, shape.exterior) < 2e-9


# --- documents: python-docx, typst and python-pptx write -------------------------------------------------------------

WORDS = ("星子光伏一期", "旅游公路")


def parts_lead_somewhere(path: Path) -> None:
    """Every relation of an office file that is not an address leads to a part of it, and every part is XML or a picture."""
    with zipfile.ZipFile(path) as packed:
        names = set(packed.namelist())
        for name in names:
            if name.endswith((".xml", ".rels")):
                root = etree.fromstring(packed.read(name))
            if name.endswith(".rels"):
                folder = Path(name).parent.parent
                for one in root:
                    if one.get("TargetMode") != "External":
                        target = one.get("Target")
                        part = target[1:] if target.startswith("/") else _joined(folder, target)
                        assert part in names, f"{path.name}: {name} leads to {target}"


def _joined(folder: Path, target: str) -> str:
    parts = list(folder.parts)
    for one in target.split("/"):
        if one == "..":
            parts.pop()
        elif one != ".":
            parts.append(one)
    return "/".join(parts)


def test_office_files_are_complete_packages(report: Any, tmp_path: Path) -> None:
    few = dataclasses.replace(report, sites=report.sites.iloc[:1])
    files = export_projects(few, tmp_path, ["docx"])
    for name, path in (("xlsx", "report.xlsx"), ("summary", "summary.docx"), ("pptx", "slides.pptx")):
        export_as(name, few, tmp_path / path, language="zh")
        files.append(tmp_path / path)
    assert len(files) == 4
    for file in files:
        parts_lead_somewhere(file)


def test_libreoffice_and_poppler_read_slides_and_summary(report: Any, tmp_path: Path) -> None:
    if shutil.which("soffice") is None:
        pytest.skip("no LibreOffice")
    for name, path in (("summary", "summary.docx"), ("pptx", "slides.pptx")):
        export_as(name, report, tmp_path / path, language="zh")
        text = squeezed(pdf_text(by_office(tmp_path / path, tmp_path)))
        assert "存在禁止性冲突" in text, path
        assert all(one in text for one in WORDS), path


def test_libreoffice_reads_the_workbook(report: Any, tmp_path: Path) -> None:
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("no LibreOffice")
    export_as("xlsx", report, tmp_path / "report.xlsx", language="zh")
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [
        program,
        profile,
        "--headless",
        "--convert-to",
        "ods",
        "--outdir",
        str(tmp_path),
        str(tmp_path / "report.xlsx"),
    ]
    subprocess.run(command, capture_output=True, check=True, timeout=180)
    read, written = (
        python_calamine.CalamineWorkbook.from_path(str(tmp_path / f"report.{one}")) for one in ("ods", "xlsx")
    )
    assert read.sheet_names == written.sheet_names
    for name in written.sheet_names:
        ours, theirs = (_cells(book, name) for book in (written, read))
        assert ours <= theirs, f"{name}: {sorted(ours - theirs)[:5]}"


def _cells(book: python_calamine.CalamineWorkbook, sheet: str) -> set[str]:
    return {_plain(cell) for row in book.get_sheet_by_name(sheet).to_python() for cell in row}


def _plain(cell: Any) -> str:
    """Return the text of a cell without what a file may store in two ways: blanks, and whole numbers."""
    if isinstance(cell, float):
        return f"{cell:.9g}"
    return re.sub(r"\s+", "", str(cell))
