"""Sites in several cities: each stretch by the book and the layers of its city, worked out by hand on three toy counties."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from shapely import LineString, box

import lzgis as lz
from lzgis.cli.app import app
from lzgis.errors import ConfigError
from lzgis.exports.gis.json import report_document
from lzgis.model.report import CITY_COLUMN, Report
from tests.region_toy import NAMES, counties
from tests.toy import AS_OF, changed, sites

LINE = "输电线路"


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return counties(tmp_path_factory.mktemp("region"))


def screened(folders: list[Path], *shapes: object, tolerance_m: float | None = None) -> Report:
    return lz.screen(sites(*shapes, activity=LINE), lz.open_region(*folders, tolerance_m=tolerance_m), as_of=AS_OF)


def found(report: Report, site: str = "s1") -> list[tuple[str, str, str, float]]:
    """City, rule without its city, state and length in whole metres of the findings of a site that are not 不涉及."""
    table = report.table[(report.table["site_id"] == site) & (report.table["state"] != "不涉及")]
    rows = zip(table["city"], table["rule"], table["state"], table["length_m"].fillna(-1).round(2), strict=True)
    return [(city, rule.partition("@")[0], state, length) for city, rule, state, length in rows]


def test_each_stretch_of_a_line_is_checked_by_the_rules_and_layers_of_its_own_city(three: list[Path]) -> None:
    report = screened(three, LineString([(-14_000 + 100, 0), (14_000, 0)]))

    # 甲: the redline is 1,000 m wide; the road of 乙 is 10 m beyond the border and 20 m are demanded: the last 10 m.
    # 乙: the redline is 500 m wide; 30 m on both sides of the road, less the 20 m that lie in 甲.
    # 丙: 50 m on both sides of the road.
    assert found(report) == [
        ("甲县", "redline", "涉及", 1000.0),
        ("甲县", "road", "涉及", 10.0),
        ("乙县", "redline", "涉及", 500.0),
        ("乙县", "road", "涉及", 40.0),
        ("丙县", "road", "涉及", 100.0),
    ]
    parts = report.stretches
    assert list(parts["city"]) == list(NAMES)
    np.testing.assert_allclose(parts["length_m"], [8_900, 10_000, 9_000], atol=0.01)
    np.testing.assert_allclose(parts["share"], np.array([8_900, 10_000, 9_000]) / 27_900, atol=1e-6)
    assert list(parts["rule_book"]) == ["甲县规则", "乙县规则", "丙县规则"]
    assert list(parts["rule_book_version"]) == ["1.0", "2.0", "3.0"]


def test_the_verdict_of_a_line_is_the_gravest_of_its_stretches(three: list[Path]) -> None:
    report = screened(three, LineString([(-14_000 + 100, 0), (14_000, 0)]))

    assert list(report.stretches["verdict"]) == ["存在禁止性冲突", "需进一步论证", "需进一步论证"]
    one = report.verdicts.iloc[0]
    assert one["verdict"] == "存在禁止性冲突"
    assert one["site_length_m"] == pytest.approx(27_900, abs=0.01)
    assert one["prohibited"] == ("redline@甲县",)
    assert set(one["conditional"]) == {"redline@乙县", "road@甲县", "road@乙县", "road@丙县"}


def test_the_table_of_cities_sums_findings_by_city_and_rule(three: list[Path]) -> None:
    report = screened(three, LineString([(-9_500, 0), (9_000, 0)]), LineString([(-9_000, 100), (-8_500, 100)]))

    rows = {(row.city, row.rule.partition("@")[0]): row for row in report.city_rules.itertuples()}
    assert rows["甲县", "redline"].sites == 2
    assert rows["甲县", "redline"].length_m == pytest.approx(1_500, abs=0.01)
    assert rows["乙县", "redline"].length_m == pytest.approx(500, abs=0.01)


def test_features_beyond_the_border_count_by_the_distance_of_the_city_of_the_site(three: list[Path]) -> None:
    # 15 m and 25 m from the road of 乙, both in 甲, where 20 m are demanded.
    report = screened(three, LineString([(-5_005, 1000), (-5_005, 2000)]), LineString([(-5_015, 1000), (-5_015, 2000)]))

    hit = report.table[(report.table["site_id"] == "s1") & (report.table["layer"] == "roads")].iloc[0]
    assert (hit["city"], hit["state"], hit["feature_id"]) == ("甲县", "涉及", "roads-1@乙县")
    assert hit["distance_m"] == pytest.approx(15, abs=1e-3)
    assert hit["required_m"] == 20
    clear = report.table[(report.table["site_id"] == "s2") & (report.table["layer"] == "roads")].iloc[0]
    assert (clear["state"], clear["feature_id"]) == ("不涉及", "roads-1@乙县")
    assert clear["distance_m"] == pytest.approx(25, abs=1e-3)


def test_a_site_near_the_border_is_clear_only_where_the_neighbour_has_the_layer(
    three: list[Path], tmp_path: Path
) -> None:
    near = LineString([(5_010, 1000), (5_010, 2000)])
    alone = lz.screen(sites(near, activity=LINE), three[2], as_of=AS_OF)
    without = counties(tmp_path)
    (without[1] / "roads.gpkg").unlink()

    assert list(alone.table["reason"]) == ["", "reach-outside"]
    assert found(screened(three, near)) == []
    assert found(screened(without, near)) == [("丙县", "road", "未核查", -1.0)]


def test_only_what_lies_in_no_city_is_not_checked(three: list[Path]) -> None:
    report = screened(three, LineString([(14_000, 0), (16_000, 0)]))

    # In 丙 a road beyond the border of all three may be nearer than 50 m to the end of the stretch.
    assert found(report) == [
        ("丙县", "road", "未核查", -1.0),
        ("", "redline", "未核查", -1.0),
        ("", "road", "未核查", -1.0),
    ]
    outside = report.city_rules[report.city_rules["city"] == ""]
    np.testing.assert_allclose(outside["length_m"], [1_000, 1_000], atol=0.01)
    assert report.verdicts.iloc[0]["verdict"] == "核查不完整"


def test_a_site_in_no_city_has_an_answer_to_every_rule(three: list[Path]) -> None:
    report = screened(three, box(20_000, 0, 20_100, 100))

    assert found(report) == [("", "redline", "未核查", -1.0), ("", "road", "未核查", -1.0)]


def test_gaps_up_to_the_tolerance_are_reported_and_change_no_answer(tmp_path: Path) -> None:
    narrow = counties(tmp_path / "narrow", yi=box(-4_996, -5000, 5000, 5000))
    wide = counties(tmp_path / "wide", yi=box(-4_960, -5000, 5000, 5000))
    across = LineString([(-7_000, 3000), (-3_000, 3000)])

    report = screened(narrow, across)
    assert "未核查" not in set(report.table["state"])
    assert [p.level for p in report.problems if "gaps" in p.what.template] == ["note"]
    assert report.stretches["length_m"].sum() == pytest.approx(4_000, abs=0.01)
    outside = screened(wide, across).city_rules
    np.testing.assert_allclose(outside[outside["city"] == ""]["length_m"], [40, 40], atol=0.01)


def test_overlaps_up_to_the_tolerance_belong_to_one_city_and_wider_ones_to_both(tmp_path: Path) -> None:
    thin = counties(tmp_path / "thin", yi=box(-5_004, -5000, 5000, 5000))
    wide = counties(tmp_path / "wide", yi=box(-5_400, -5000, 5000, 5000))
    across = LineString([(-7_000, 3000), (-3_000, 3000)])

    once = screened(thin, across)
    np.testing.assert_allclose(once.stretches["length_m"], [2_000, 2_000], atol=0.01)
    twice = screened(wide, across)
    np.testing.assert_allclose(twice.stretches["length_m"], [2_000, 2_400], atol=0.01)
    assert [p.level for p in twice.problems if "overlap by more" in p.what.template] == ["warning"]


def test_areas_are_divided_like_lines(three: list[Path]) -> None:
    # 200 m by 100 m across the border at x = -5,000; the road of 乙 is at x = -4,990.
    report = screened(three, box(-5_100, 2000, -4_900, 2100))

    road = report.table[report.table["layer"] == "roads"]
    np.testing.assert_allclose(road["area_m2"], [10 * 100, 40 * 100], rtol=1e-4)
    np.testing.assert_allclose(road["share"], [0.05, 0.2], rtol=1e-4)
    np.testing.assert_allclose(report.stretches["area_m2"], [10_000, 10_000], rtol=1e-6)


def test_one_city_gives_the_same_answers_as_a_region_of_one(three: list[Path]) -> None:
    shapes = [LineString([(-14_000, 0), (-6_000, 0)]), box(-8_500, -100, -8_400, 0)]
    alone = lz.screen(sites(*shapes, activity=LINE), three[0], as_of=AS_OF)
    region = screened(three[:1], *shapes)

    own = region.table.drop(columns=CITY_COLUMN.name)
    assert own.to_csv() == alone.table.to_csv()
    assert region.verdicts.to_csv() == alone.verdicts.to_csv()


REGION = """
[region]
name = "三县"
cities = ["jia", "yi", "bing"]
rules = "common.toml"
tolerance_m = 5
[layer.caves]
title = "溶洞"
source = "caves.gpkg"
"""
COMMON = """
[book]
name = "省规则"
version = "9"
[layers]
caves = "溶洞"
[document.province]
title = "省法"
certainty = "read"
effective_from = 2020-01-01
[rule.caves]
kind = "avoid"
layer = "caves"
title = "溶洞"
severity = "prohibited"
strength = "law"
basis = [{ document = "province", article = "第三条" }]
effective_from = 2020-01-01
"""


def test_layers_and_rules_of_the_region_apply_in_all_cities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lzgis.city import plane_layers
    from tests.toy import write

    projected: list[str] = []
    project = plane_layers.plane_layer
    monkeypatch.setattr(plane_layers, "plane_layer", lambda one, *more: projected.append(one.id) or project(one, *more))

    folders = counties(tmp_path)
    (tmp_path / "region.toml").write_text(REGION, "utf-8")
    (tmp_path / "common.toml").write_text(COMMON, "utf-8")
    write(tmp_path / "caves.gpkg", [box(-5_300, 2900, -4_800, 3100)], name=["甲洞"])
    # A county without a book of its own has the rules of the region alone.
    (folders[2] / "rules.toml").unlink()
    line = LineString([(-7_000, 3000), (7_000, 3000)])
    report = lz.screen(sites(line, activity=LINE), tmp_path, as_of=AS_OF)

    assert report.city.name == "三县"
    caves = report.table[report.table["rule"] == "caves"]
    assert list(caves["city"]) == list(NAMES)
    np.testing.assert_allclose(caves["length_m"].iloc[:2], [300, 200], atol=0.01)
    assert list(caves["state"]) == ["涉及", "涉及", "不涉及"]
    assert len(report.layers["caves"].frame) == 1
    # The layer that the cities share is projected once, those of the cities once each.
    assert projected.count("caves") == 1 and projected.count("redline") == 3


def test_layers_of_different_confidentiality_stay_apart_and_keep_their_dates(three: list[Path]) -> None:
    report = screened(three, LineString([(-9_500, 0), (9_000, 0)]))

    kept = {name: layer.spec.confidentiality for name, layer in report.layers.items() if name.startswith("redline")}
    assert kept == {"redline@甲县": "public", "redline@乙县": "internal", "redline@丙县": "confidential"}
    assert report.layers["cities"].spec.confidentiality == "confidential"
    assert report.layers["redline@乙县"].spec.date.isoformat() == "2025-02-01"
    # Alike in all three: one layer, whose features keep apart by the name of the county.
    assert list(report.layers["roads"].frame["id"]) == [f"roads-1@{name}" for name in NAMES]
    roles = {source.role for source in report.provenance.sources}
    assert {"甲县/redline", "乙县/redline", "丙县/redline"} <= roles


def test_outputs_of_several_cities_name_the_city_and_those_of_one_do_not(three: list[Path]) -> None:
    line = LineString([(-9_500, 0), (9_000, 0)])
    several = report_document(screened(three, line))
    one = report_document(lz.screen(sites(line, activity=LINE), three[0], as_of=AS_OF))

    assert {row["city"] for row in several["findings"]} == set(NAMES)
    assert [row["city"] for row in several["stretches"]] == list(NAMES)
    assert "city" not in one["findings"][0]
    assert "stretches" not in one


def test_every_default_format_of_several_cities_is_written(three: list[Path], tmp_path: Path) -> None:
    from pyogrio import list_layers
    from typer.testing import CliRunner

    sites(LineString([(-9_500, 0), (9_000, 0)]), activity=LINE).to_file(tmp_path / "sites.gpkg")
    given = [word for folder in three for word in ("--layers", str(folder))]
    command = ["screen", str(tmp_path / "sites.gpkg"), *given, "--as-of", AS_OF, "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, command)

    assert result.exit_code == 1, result.output
    assert "乙县" in result.output
    tables = {name for name, _ in list_layers(tmp_path / "out" / "findings.gpkg")}
    assert {"city_rules", "stretches"} <= tables
    document = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert len(document["city_rules"]) == sum(row["state"] != "不涉及" for row in document["findings"])
    assert "丙县" in (tmp_path / "out" / "map.html").read_text("utf-8")


def test_the_inputs_of_several_cities_are_verified(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    folders = counties(tmp_path / "counties")
    # In 甲 only: 乙 is loaded as its neighbour, 丙 is not.
    sites(LineString([(-9_500, 0), (-9_000, 0)]), activity=LINE).to_file(tmp_path / "sites.gpkg")
    given = [word for folder in folders for word in ("--layers", str(folder))]
    command = ["screen", str(tmp_path / "sites.gpkg"), *given, "--as-of", AS_OF, "--format", "json"]
    CliRunner().invoke(app, [*command, "--out", str(tmp_path / "out")])

    assert lz.verify(tmp_path / "out").state == "same"
    changed(folders[1], "rules.toml", ('version = "2.0"', 'version = "2.1"'))
    states = {one.role: one.state.value for one in lz.verify(tmp_path / "out").inputs}
    assert [role for role, state in states.items() if state != "same"] == ["乙县/rules"]
    assert not any(role.startswith("丙县") for role in states)


def test_a_command_for_one_city_refuses_two(three: list[Path]) -> None:
    from typer.testing import CliRunner

    for command in ("layers", "audit", "inspect x.gpkg", "rules list", "raster stats"):
        words = [*command.split(), "--layers", str(three[0]), f"--layers={three[1]}"]
        result = CliRunner().invoke(app, words)
        assert isinstance(result.exception, ConfigError), command
        assert "2" in str(result.exception)


def test_a_region_refuses_what_it_cannot_tell_apart(three: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="甲县"):
        lz.open_region(three[0], three[0])
    with pytest.raises(ConfigError, match="no folder of a city"):
        lz.open_region(three[0], three[0].parent / "jai")
    copy = counties(tmp_path)
    changed(copy[1], "catalog.toml", ('"乙县"', '"甲县"'))
    with pytest.raises(ConfigError, match="two cities"):
        lz.open_region(*copy)


def test_each_city_has_a_report_of_its_own_stretches_rules_and_neighbouring_features(three: list[Path]) -> None:
    report = screened(three, LineString([(-14_000 + 100, 0), (14_000, 0)]), box(-8_500, 0, -8_400, 100))

    made = dict(lz.city_reports(report))

    assert list(made) == list(NAMES)
    first, second = made["甲县"], made["乙县"]
    assert list(first.sites["id"]) == ["s1", "s2"] and list(second.sites["id"]) == ["s1"]
    assert {rule.id for rule in first.book.rules} == {"redline", "road"} and first.book.name == "甲县规则"
    assert first.verdicts["site_length_m"][0] == pytest.approx(8_900, abs=0.01)
    hits = first.table[first.table["state"] == "涉及"]
    assert [(row.site_id, row.rule) for row in hits.itertuples()] == [
        ("s1", "redline"),
        ("s1", "road"),
        ("s2", "redline"),
    ]
    assert hits["share"].iloc[0] == pytest.approx(1_000 / 8_900, abs=1e-6)
    # The road that is ten metres beyond the border is named, and drawn.
    road = hits["feature_id"].iloc[1]
    assert set(first.layers["roads"].frame["id"]) >= {road} and len(first.layers["roads"].frame) == 2
    assert first.layers["roads"].frame.set_index("id").loc[road, "road"] == "G1"


def test_documents_of_each_city_are_written_on_request(three: list[Path], tmp_path: Path) -> None:
    from typer.testing import CliRunner

    sites(LineString([(-9_500, 0), (9_000, 0)]), activity=LINE).to_file(tmp_path / "sites.gpkg")
    given = [word for folder in three for word in ("--layers", str(folder))]
    command = ["screen", str(tmp_path / "sites.gpkg"), *given, "--as-of", AS_OF, "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*command, "--format", "json", "--per-city", "htmldoc,json"])

    assert result.exit_code == 1, result.output
    own = {p.name: sorted(f.name for f in p.iterdir()) for p in (tmp_path / "out" / "各市县").iterdir()}
    assert set(own) == set(NAMES)
    assert all("report.json" in files and len(files) > 1 for files in own.values())
    pages = list((tmp_path / "out" / "各市县" / "乙县").rglob("*.html"))
    assert any("乙县规则" in page.read_text("utf-8") for page in pages)
    assert CliRunner().invoke(app, ["verify", str(tmp_path / "out")]).exit_code == 0
    alone = CliRunner().invoke(app, [*command[:2], "--layers", str(three[0]), *command[-4:], "--per-city", "docx"])
    assert isinstance(alone.exception, ConfigError)
