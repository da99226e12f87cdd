"""The breakdown of findings by township: parts that sum to the whole, and shares."""

from __future__ import annotations

import numpy as np
import pytest
import toy
from shapely import Polygon, box


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The toy city, in two townships that meet at x = 500."""
    folder = toy.city(tmp_path_factory.mktemp("toy") / "city")
    layer = '\n[layer.townships]\ntitle = "乡镇"\nsource = "townships.gpkg"\n'
    (folder / "catalog.toml").write_text((folder / "catalog.toml").read_text("utf-8") + layer, "utf-8")
    halves = [box(-5000, -5000, 500, 5000), box(500, -5000, 5000, 5000)]
    toy.write(folder / "townships.gpkg", halves, name=["西镇", "东镇"])
    return folder


def test_an_overlap_is_spread_over_its_townships(place):
    report = toy.screened(place, box(470, 600, 570, 700))
    parts = report.breakdown[report.breakdown["rule"] == "redline"]
    assert dict(zip(parts["division_name"], parts["area_m2"], strict=True)) == {"西镇": 3000.0, "东镇": 7000.0}
    assert parts["share"].to_numpy() == pytest.approx([0.3, 0.7], abs=1e-6)
    assert parts["area_m2"].sum() == pytest.approx(report.findings.loc[parts["finding"].iloc[0], "area_m2"], abs=0.005)


def test_what_lies_in_a_possible_band_alone_has_no_parts(place):
    # Its corner reaches 5 cm into the band up to 29 m of G2, whose certain 20 m it keeps: 25 cm², of which none is certain.
    site = Polygon([(-3000, -2971.05), (-2900, -2871.05), (-3100, -2871.05)])
    report = toy.screened(place, site)
    row = toy.rows(report, "road").iloc[0]
    assert (row["band"], row["area_m2"]) == ("possible", 0.0)
    assert row["area_possible_m2"] == pytest.approx(0.0025, abs=1e-6)
    assert not (report.breakdown["rule"] == "road").any()
    assert np.isfinite(report.breakdown["share"]).all()
