"""The drawing, read back with GDAL and line by line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Transformer
from report_fixture import PLANE, toy_report

from lzgis.coordinates.gauss_kruger import zone_at
from lzgis.errors import ExportError
from lzgis.exports import export
from lzgis.exports.gis.dxf import write_dxf
from lzgis.model.report import Report


def drawn(report: Report, folder: Path) -> gpd.GeoDataFrame:
    write_dxf(report, folder / "conflicts.dxf")
    return gpd.read_file(folder / "conflicts.dxf")


def pairs(path: Path) -> list[tuple[int, str]]:
    lines = path.read_bytes().decode("ascii").split("\r\n")
    return [(int(code), value) for code, value in zip(lines[:-1:2], lines[1::2], strict=True)]


def spelled_out(text: str) -> str:
    units = re.sub(r"\\U\+([0-9A-F]{4})", lambda m: chr(int(m[1], 16)), text)
    return units.encode("utf-16", "surrogatepass").decode("utf-16")


def back(geometry: Any) -> Any:
    there = Transformer.from_crs(4525, 4490, always_xy=True)
    return shapely.transform(geometry, lambda xy: np.column_stack(there.transform(xy[:, 0], xy[:, 1])))


def test_parts_lie_on_layers_of_their_severity_that_name_the_zone(tmp_path: Path) -> None:
    frame = drawn(toy_report(), tmp_path)
    lines = frame[frame.geometry.geom_type == "LineString"]
    assert lines["Layer"].value_counts().to_dict() == {
        "CGCS2000_3GK37_SITES": 4,
        "CGCS2000_3GK37_PROHIBITED": 1,
        "CGCS2000_3GK37_CONDITIONAL": 1,
        "CGCS2000_3GK37_SLIVER": 1,
    }
    west, south, east, north = lines.total_bounds
    assert (37_600_000 < west < east < 37_700_000) and (2_700_000 < south < north < 2_800_000)


def test_a_part_is_a_closed_polyline_with_the_area_found(tmp_path: Path) -> None:
    report = toy_report()
    frame = drawn(report, tmp_path)
    ring = frame[frame["Layer"].str.endswith("_PROHIBITED") & (frame.geometry.geom_type == "LineString")].geometry.iloc[
        0
    ]
    assert ring.is_closed
    area = shapely.area(PLANE.project([shapely.Polygon(back(shapely.force_2d(ring)))]))[0]
    assert area == pytest.approx(report.findings["area_m2"].iloc[0], rel=1e-6)
    told = pairs(tmp_path / "conflicts.dxf")
    at = told.index((8, "CGCS2000_3GK37_PROHIBITED"), told.index((2, "ENTITIES")))
    polyline = told[at - 1 : told.index((0, "VERTEX"), at)]
    assert polyline[0] == (0, "POLYLINE")
    assert (70, "1") in polyline
    facts = [value for code, value in polyline if code == 1000]
    assert facts[:2] == ["site_id=S1", "rule=redline"]
    assert float(dict(polyline)[1040]) == pytest.approx(report.findings["area_m2"].iloc[0], rel=1e-9)


def test_a_hole_is_a_ring_of_its_own(tmp_path: Path) -> None:
    findings = toy_report().findings.copy()
    box = shapely.box(112.4, 24.9, 112.41, 24.91)
    findings.loc[0, "geometry"] = box.difference(shapely.box(112.404, 24.904, 112.406, 24.906))
    frame = drawn(toy_report(findings=findings), tmp_path)
    rings = frame[frame["Layer"].str.endswith("_PROHIBITED") & (frame.geometry.geom_type == "LineString")]
    assert len(rings) == 2


def test_labels_and_notes_are_ascii_that_spells_chinese(tmp_path: Path) -> None:
    frame = drawn(toy_report(), tmp_path)
    texts = [spelled_out(text) for text in frame["Text"].dropna()]
    assert any("生态保护红线内禁止开发建设" in text and "m2" in text for text in texts)
    assert "S4 卫生院（鄠堃镕塆）" in texts
    assert any("示意数据" in text for text in texts)
    comments = [value for code, value in pairs(tmp_path / "conflicts.dxf") if code == 999]
    assert comments[0] == "CGCS2000, 3-degree Gauss-Kruger zone 37, EPSG:4525"


def test_every_string_fits_the_format(tmp_path: Path) -> None:
    write_dxf(toy_report(), tmp_path / "conflicts.dxf")
    told = pairs(tmp_path / "conflicts.dxf")
    assert told[-1] == (0, "EOF")
    assert max(len(value) for code, value in told if code == 1000) <= 255
    assert [value for code, value in told if code == 0].count("SEQEND") == [v for c, v in told if c == 0].count(
        "POLYLINE"
    )


def test_same_report_same_bytes_and_nothing_is_a_drawing_too(tmp_path: Path) -> None:
    for name in ("one.dxf", "two.dxf"):
        export(toy_report(), tmp_path / name)
    assert (tmp_path / "one.dxf").read_bytes() == (tmp_path / "two.dxf").read_bytes()
    toy = toy_report()
    none = {"sites": toy.sites.iloc[:0], "findings": toy.findings.iloc[:0], "verdicts": toy.verdicts.iloc[:0]}
    frame = drawn(toy_report(**none, layers={}), tmp_path)
    assert set(frame["Layer"]) == {"CGCS2000_3GK35_NOTE"}


@pytest.mark.parametrize(("longitude", "number", "code"), [(75.2, 25, 4513), (112.445, 37, 4525), (135.0, 45, 4533)])
def test_the_zone_is_the_nearest(longitude: float, number: int, code: int) -> None:
    zone = zone_at(longitude)
    assert zone is not None
    assert (zone.number, zone.epsg) == (number, code)


def test_beyond_the_zones_there_is_no_drawing(tmp_path: Path) -> None:
    toy = toy_report()
    sites = toy.sites.set_geometry(toy.sites.geometry.translate(-100.0))
    with pytest.raises(ExportError, match="lies in no 3-degree zone"):
        export(toy_report(sites=sites, layers={}), tmp_path / "far.dxf")
