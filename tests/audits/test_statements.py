"""Noise of digitising is one statement per rule and pair of layers, on the console and in every file."""

from __future__ import annotations

from pathlib import Path

import pyogrio
import pytest
import shapely
from shapely import box
from typer.testing import CliRunner

import lzgis as lz
from lzgis.audits.statements import statements
from lzgis.cli.app import app
from tests import toy

_RULES = """
[rule.copies]
kind = "inside"
layer = "town"
other = "redline"
title = "两份界线"
severity = "conditional"
strength = "plan"
basis = [{ document = "law" }]
effective_from = 2020-01-01
[rule.apart]
kind = "no_overlap"
layer = "units"
other = "zones"
title = "单元与控制区不重叠"
severity = "conditional"
strength = "plan"
basis = [{ document = "law" }]
effective_from = 2020-01-01
"""


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten squares of 100 m, and the same squares 0.1 m to 1.0 m wider in the east: ten slivers of 100 m length."""
    folder = toy.city(tmp_path_factory.mktemp("noisy") / "city")
    corners = [(x * 300, 0) for x in range(10)]
    toy.write(folder / "redline.gpkg", [box(x, y, x + 100, y + 100) for x, y in corners], name=[""] * 10)
    wider = [box(x, y, x + 100 + (i + 1) / 11, y + 100) for i, (x, y) in enumerate(corners)]
    toy.write(folder / "town.gpkg", wider)
    rules = folder / "rules.toml"
    rules.write_text(rules.read_text("utf-8") + _RULES, "utf-8")
    return folder


def test_slivers_of_a_pair_of_layers_are_one_statement(noisy: Path) -> None:
    audit = lz.audit(noisy, as_of=toy.AS_OF)
    row = statements(audit).set_index("rule").loc["copies"]

    assert (row["layer"], row["other_layer"], row["state"], row["count"]) == ("town", "redline", "疑似边界误差", 10)
    # 100 m × (1 + … + 10) / 11 m.
    assert row["area_m2"] == pytest.approx(100 * 55 / 11, rel=1e-6)
    # A strip of 100 m by w has the mean width 2A/P = 2·100·w / (200 + 2w).
    width = 10 / 11
    assert row["widest_m"] == pytest.approx(100 * width / (100 + width), rel=1e-6)
    assert audit.findings.iloc[row["worst"]]["area_m2"] == pytest.approx(100 * width, rel=1e-6)
    assert row["what"].values["within"] == 1.0
    assert "agree within" in row["what"].template


def test_the_console_has_one_line_and_the_worst_and_the_files_have_all(noisy: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(
        app, ["audit", "--layers", str(noisy), "--as-of", toy.AS_OF, "--out", str(out), "--format", "gpkg,xlsx"]
    )

    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    assert "10 处" in result.output
    assert result.output.count("两份界线") == 1
    drawn = pyogrio.read_dataframe(out / "audit.gpkg", layer="audit_conflicts")
    assert (drawn["rule"] == "copies").sum() == 10
    summed = pyogrio.read_dataframe(out / "audit.gpkg", layer="audit_statements")
    assert summed.loc[summed["rule"] == "两份界线", "count"].tolist() == [10]


def test_a_few_findings_are_listed_one_by_one(tmp_path: Path) -> None:
    folder = toy.city(tmp_path / "city")
    toy.write(folder / "town.gpkg", [box(0, 0, 1000.5, 1000)])
    rules = folder / "rules.toml"
    rules.write_text(rules.read_text("utf-8") + _RULES, "utf-8")
    result = CliRunner().invoke(app, ["audit", "--layers", str(folder), "--as-of", toy.AS_OF])

    assert "处，合计" not in result.output


def test_distances_are_measured_to_all_rings_of_all_parts() -> None:
    from lzgis.audits.snapping import _distances

    two = shapely.multipolygons([box(0, 0, 100, 100), box(300, 0, 400, 100) - box(340, 40, 360, 60)])
    there = toy.PLANE.unproject([two])
    # 1 m beside the second part and 2 m beside its hole; 50 m from everything.
    points = toy.PLANE.unproject([shapely.Point(401, 50), shapely.Point(350, 42), shapely.Point(200, 50)])
    found = _distances(points, there)

    assert sorted(found) == pytest.approx([1.0, 2.0], abs=1e-6)


def test_a_tolerance_is_proposed_from_the_distances_of_the_borders(noisy: Path) -> None:
    from lzgis.audits.snapping import snap_report

    row = snap_report(lz.audit(noisy, as_of=toy.AS_OF)).set_index("layer").loc["town"]

    # Two corners of each square lie on the other border, two lie 1/11 to 10/11 m beside it.
    assert (row["other_layer"], row["near"], row["apart"]) == ("redline", 40, 20)
    assert row["farthest_m"] == pytest.approx(10 / 11, abs=1e-6)
    assert row["median_m"] == pytest.approx(0.5, abs=1e-6)
    assert row["proposed_m"] == 1.0
