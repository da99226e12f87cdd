"""The page, map.html and printed maps draw verdicts and conflicts in the same colours, and only conflicts."""

from __future__ import annotations

import re
from importlib.resources import files

import lzgis as lz
from lzgis.city.reference import reference_city
from lzgis.exports.symbology import PART_COLOURS, SLIVER_COLOUR, VERDICT_COLOURS
from lzgis.model.report import Verdict
from lzgis.web.answers import site_shapes


def test_the_style_sheet_has_the_colours_of_the_symbology() -> None:
    sheet = (files("lzgis.web") / "static" / "web" / "page.css").read_text("utf-8")
    stands = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", sheet))
    assert [stands[f"v{rank}"] for rank in range(len(Verdict))] == [VERDICT_COLOURS[one] for one in Verdict]
    assert {name: stands[name] for name in PART_COLOURS} == PART_COLOURS
    assert stands["sliver"] == SLIVER_COLOUR


def test_where_a_site_lies_is_no_conflict_on_the_map() -> None:
    report = lz.screen(reference_city() / "sites.gpkg", reference_city(), as_of="2026-11-21")
    drawn = site_shapes(report, ("zh",))["zh"]["parts"]["features"]
    hit = report.table["state"].isin(["涉及", "疑似边界误差"])
    # Every site lies in a township and in a control unit.
    located = report.table["kind"] == "identify"
    assert (hit & located).sum() > 51
    assert len(drawn) == (hit & ~located).sum() > 51
