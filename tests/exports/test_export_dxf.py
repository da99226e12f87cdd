"""The drawing, read back with GDAL and with ezdxf, and audited."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import ezdxf
import geopandas as gpd
import numpy as np
import pytest
import shapely
from ezdxf.lldxf.encoding import decode_dxf_unicode
from ezdxf.tools.juliandate import calendardate
from pyproj import Transformer
from report_fixture import PLANE, toy_report

from lzgis.coordinates.gauss_kruger import zone_at
from lzgis.errors import ConfigError, ExportError
from lzgis.exports import export
from lzgis.exports.gis.dxf import write_dxf
from lzgis.model.report import Report
from lzgis.reading import ReadOptions, read_sites


def drawn(report: Report, folder: Path) -> gpd.GeoDataFrame:
    write_dxf(report, folder / "conflicts.dxf")
    return gpd.read_file(folder / "conflicts.dxf")


def opened(path: Path) -> Any:
    """Open a drawing as a CAD program does; ezdxf's auditor must find nothing to repair."""
    drawing = ezdxf.readfile(path)
    audit = drawing.audit()
    assert (audit.errors, audit.fixes) == ([], [])
    return drawing


def comments(path: Path) -> list[str]:
    lines = path.read_bytes().decode("gbk").split("\r\n")
    return [value for code, value in zip(lines[:-1:2], lines[1::2], strict=True) if code == "999"]


def facts(entity: Any) -> list[Any]:
    return [tag.value for tag in entity.get_xdata("LZGIS")]


def back(geometry: Any) -> Any:
    there = Transformer.from_crs(4525, 4490, always_xy=True)
    return shapely.transform(geometry, lambda xy: np.column_stack(there.transform(xy[:, 0], xy[:, 1])))


def test_parts_lie_on_layers_of_their_severity_that_name_the_zone(tmp_path: Path) -> None:
    frame = drawn(toy_report(), tmp_path)
    lines = frame[(frame.geometry.geom_type == "LineString") & ~frame["Layer"].str.endswith("_LEADER")]
    counts = lines["Layer"].value_counts().to_dict()
    assert counts.pop("CGCS2000_3GK37_SITES") == 4
    titles = {one.spec.title for one in toy_report().layers.values()}
    kinds = {name.partition("CGCS2000_3GK37_")[2].partition("_")[::2]: count for name, count in counts.items()}
    assert {kind: count for (kind, _), count in kinds.items()} == {"PROHIBITED": 1, "CONDITIONAL": 1, "SLIVER": 1}
    assert {title for _, title in kinds} <= titles
    west, south, east, north = lines.total_bounds
    assert (37_600_000 < west < east < 37_700_000) and (2_700_000 < south < north < 2_800_000)


def test_a_part_is_a_closed_polyline_with_the_area_found(tmp_path: Path) -> None:
    report = toy_report()
    frame = drawn(report, tmp_path)
    ring = frame[
        frame["Layer"].str.contains("_PROHIBITED_") & (frame.geometry.geom_type == "LineString")
    ].geometry.iloc[0]
    assert ring.is_closed
    area = shapely.area(PLANE.project([shapely.Polygon(back(shapely.force_2d(ring)))]))[0]
    assert area == pytest.approx(report.findings["area_m2"].iloc[0], rel=1e-6)
    (polyline,) = opened(tmp_path / "conflicts.dxf").query('LWPOLYLINE[layer?"CGCS2000_3GK37_PROHIBITED_.*"]')
    assert polyline.closed
    assert facts(polyline)[:3] == ["site_id=S1", "rule=redline", "layer=redline"]
    assert facts(polyline)[-1] == pytest.approx(report.findings["area_m2"].iloc[0], rel=1e-9)


def test_a_hole_is_a_ring_of_its_own(tmp_path: Path) -> None:
    findings = toy_report().findings.copy()
    box = shapely.box(112.4, 24.9, 112.41, 24.91)
    findings.loc[0, "geometry"] = box.difference(shapely.box(112.404, 24.904, 112.406, 24.906))
    frame = drawn(toy_report(findings=findings), tmp_path)
    rings = frame[frame["Layer"].str.contains("_PROHIBITED_") & (frame.geometry.geom_type == "LineString")]
    assert len(rings) == 2


def test_labels_and_notes_are_readable_chinese(tmp_path: Path) -> None:
    frame = drawn(toy_report(), tmp_path)
    # GDAL gives the name of a hatch's pattern as its text.
    texts = frame["Text"][~frame["Layer"].str.endswith("_HATCH")].dropna().tolist()
    assert any("生态保护红线内禁止开发建设" in text and "m2" in text for text in texts)
    assert "S4 卫生院（鄠堃镕塆）" in texts
    assert any("示意数据" in text for text in texts)
    path = tmp_path / "conflicts.dxf"
    assert [e.dxf.text for e in opened(path).query("TEXT")] == texts
    assert comments(path)[0] == "CGCS2000, 3-degree Gauss-Kruger zone 37, EPSG:4525"
    assert comments(path)[3] == toy_report().city.notice
    whole = "".join(line.removeprefix("provenance: ") for line in comments(path) if line.startswith("provenance: "))
    assert json.loads(whole)["provenance"]["as_of"] == "2026-11-21"


def test_characters_that_gbk_lacks_are_escaped(tmp_path: Path) -> None:
    sites = toy_report().sites.copy()
    sites.loc[0, "name"] = "ñ𠮷 50%% ^\n€"
    frame = drawn(toy_report(sites=sites), tmp_path)
    data = (tmp_path / "conflicts.dxf").read_bytes()
    assert b"\\U+00F1\\U+D842\\U+DFB7 50%\\U+0025 ^  \\U+20AC" in data
    label = opened(tmp_path / "conflicts.dxf").query("TEXT")[0].dxf.text
    # A caret is followed by a space in the file; GDAL removes the space, ezdxf does not.
    assert label.replace("^ ", "^") in frame["Text"].tolist()
    assert decode_dxf_unicode(label).startswith("S1 ñ")
    assert decode_dxf_unicode(label).endswith(" 50%% ^  €")


def test_extended_data_are_no_longer_than_the_format_allows(tmp_path: Path) -> None:
    sites = toy_report().sites.copy()
    sites.loc[0, "name"] = "鄠" * 300
    sites.loc[3, "name"] = "ñ" * 300
    write_dxf(toy_report(sites=sites), tmp_path / "conflicts.dxf")
    first, second = (facts(opened(tmp_path / "conflicts.dxf").query("LWPOLYLINE")[i])[1] for i in (0, 2))
    assert first == f"name={'鄠' * 124}…"
    assert second == "name=" + "\\U+00F1" * 35 + "…"


def test_the_drawing_opens_on_everything_in_it(tmp_path: Path) -> None:
    frame = drawn(toy_report(), tmp_path)
    drawing = opened(tmp_path / "conflicts.dxf")
    west, south, east, north = frame.total_bounds
    assert drawing.header["$EXTMIN"][:2] == pytest.approx((west, south), abs=1e-3)
    assert drawing.header["$EXTMAX"][:2] == pytest.approx((east, north), abs=1e-3)
    (view,) = drawing.viewports.get_config("*Active")
    assert tuple(view.dxf.center)[:2] == pytest.approx(((west + east) / 2, (south + north) / 2))
    assert view.dxf.height >= north - south
    assert (drawing.header["$INSUNITS"], drawing.header["$DWGCODEPAGE"]) == (6, "ANSI_936")
    assert {layer.dxf.name: layer.color for layer in drawing.layers if "GK" in layer.dxf.name} == {
        "CGCS2000_3GK37_SITES": 8,
        "CGCS2000_3GK37_HATCH": 8,
        "CGCS2000_3GK37_LEADER": 8,
        "CGCS2000_3GK37_NOTE": 7,
        # The nearest indexed colours to #b30000 and #8c510a, by the distance of red, green and blue.
        "CGCS2000_3GK37_PROHIBITED_生态保护红线": 1,
        "CGCS2000_3GK37_CONDITIONAL_公路": 33,
        "CGCS2000_3GK37_SLIVER_生态保护红线": 1,
    }


def boxes(drawing: Any) -> list[Any]:
    """Return the least boxes of the texts: a Chinese character is as wide as it is high, others half."""
    found = []
    for one in drawing.query("TEXT"):
        height, (x, y, _) = one.dxf.height, one.dxf.insert
        found.append(shapely.box(x, y, x + sum(1 if ord(c) > 255 else 0.5 for c in one.dxf.text) * height, y + height))
    return found


def test_no_label_covers_another(tmp_path: Path) -> None:
    toy = toy_report()
    # The same conflict forty times over, as many rules find it.
    findings = toy.findings.loc[[0] * 40].reset_index(drop=True)
    write_dxf(toy_report(findings=findings), tmp_path / "conflicts.dxf")
    drawing = opened(tmp_path / "conflicts.dxf")
    found = boxes(drawing)
    assert len(found) > 40
    pairs = shapely.STRtree(found).query(found, predicate="overlaps")
    assert pairs.size == 0
    assert len(drawing.query("LINE")) > 30


def test_what_conflicts_is_hatched_once_for_each_site(tmp_path: Path) -> None:
    toy = toy_report()
    findings = toy.findings.loc[[0] * 3].reset_index(drop=True)
    write_dxf(toy_report(findings=findings), tmp_path / "conflicts.dxf")
    (hatch,) = opened(tmp_path / "conflicts.dxf").query("HATCH")
    assert (hatch.dxf.layer, hatch.dxf.color) == ("CGCS2000_3GK37_HATCH", 1)
    (path,) = hatch.paths
    drawn = shapely.Polygon([(x, y) for x, y, _ in path.vertices])
    area = shapely.area(PLANE.project([back(drawn)]))[0]
    assert area == pytest.approx(toy.findings["area_m2"].iloc[0], rel=1e-6)


@pytest.mark.parametrize(
    ("code", "label", "west"), [("EPSG:4547", "CGCS2000_3GK38", 300_000), ("EPSG:4526", "CGCS2000_3GK38", 38_300_000)]
)
def test_a_zone_that_was_asked_for_is_used(tmp_path: Path, code: str, label: str, west: float) -> None:
    write_dxf(toy_report(), tmp_path / "conflicts.dxf", zone=code)
    frame = gpd.read_file(tmp_path / "conflicts.dxf")
    assert frame["Layer"].str.startswith(label).all()
    assert west < frame.total_bounds[0] < west + 100_000
    assert comments(tmp_path / "conflicts.dxf")[0].endswith(code)


@pytest.mark.parametrize("code", ["EPSG:4490", "EPSG:2362", "nonsense"])
def test_another_system_is_no_zone(tmp_path: Path, code: str) -> None:
    with pytest.raises(ConfigError, match="is no Gauss-Krüger zone of CGCS2000"):
        write_dxf(toy_report(), tmp_path / "conflicts.dxf", zone=code)


def test_the_package_reads_its_own_drawing(tmp_path: Path) -> None:
    write_dxf(toy_report(), tmp_path / "conflicts.dxf")
    read = ReadOptions(crs="EPSG:4525", layer="CGCS2000_3GK37_SITES")
    table = read_sites(tmp_path / "conflicts.dxf", options=read).frame
    assert table["name"].tolist()[3] == "S4 卫生院（鄠堃镕塆）"
    assert table.geometry.iloc[0].equals_exact(toy_report().sites.geometry.iloc[0].normalize(), 1e-9, normalize=True)


def test_dates_are_those_of_the_report_and_bytes_do_not_depend_on_the_process(tmp_path: Path) -> None:
    write_dxf(toy_report(), tmp_path / "conflicts.dxf")
    code = f"""
from report_fixture import toy_report
from lzgis.exports.gis.dxf import write_dxf
write_dxf(toy_report(), {str(tmp_path / "again.dxf")!r})
"""
    tests = Path(__file__).parent.parent
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join([str(tests), *sys.path])}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert (tmp_path / "again.dxf").read_bytes() == (tmp_path / "conflicts.dxf").read_bytes()
    made_at = toy_report().provenance.made_at.astimezone(dt.UTC).replace(tzinfo=None)
    dates = re.findall(rb"\$TDU?(?:CREATE|UPDATE)\r\n *40\r\n(\S+)", (tmp_path / "conflicts.dxf").read_bytes())
    assert len(dates) == 4
    assert all(abs(calendardate(float(date)) - made_at) < dt.timedelta(seconds=2) for date in dates)


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
