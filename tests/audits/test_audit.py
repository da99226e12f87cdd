"""Layers against each other: hand-made cases for every kind, and the conflicts planted in the reference city."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
import toy
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from shapely import LineString, Polygon, box

import lzgis as lz
from lzgis.audits.audit import audit
from lzgis.coordinates.shifted_maps import from_gcj02, to_bd09, to_gcj02
from lzgis.errors import ConfigError
from lzgis.exports.audit import as_report, audit_document, export_audit
from lzgis.exports.formats import audit_formats
from lzgis.messages import Message
from lzgis.model.audit import AUDIT_COLUMNS, AuditReport, Topic
from lzgis.model.report import State
from lzgis.rules.book import read_rulebook
from lzgis.rules.for_layers import LAYER_KINDS
from lzgis.words import Words

HEAD = """
[book]
name = "玩具规则"
version = "1"
[layers]
redline = "红线"
units = "单元"
town = "边界"
roads = "路"
caves = "溶洞"
[document.law]
title = "法"
certainty = "read"
[rule.it]
title = "规则"
severity = "prohibited"
strength = "law"
basis = [{ document = "law" }]
effective_from = 2020-01-01
"""


def city(folder: Path, rule: str, catalogue: str = "", **layers: Any) -> Path:
    """Write a toy city with one rule and other shapes in some layers; a tuple is shapes and columns."""
    toy.city(folder)
    (folder / "rules.toml").write_text(HEAD + rule, "utf-8")
    for name, given_as in layers.items():
        shapes, columns = given_as if isinstance(given_as, tuple) else (given_as, {})
        (folder / f"{name}.gpkg").unlink()
        toy.write(folder / f"{name}.gpkg", shapes, **columns)
    if catalogue:
        file = folder / "catalog.toml"
        file.write_text(file.read_text("utf-8").replace("[layer.units]\n", f"[layer.units]\n{catalogue}\n"), "utf-8")
    return folder


def audited(folder: Path, rule: str, catalogue: str = "", **layers: Any) -> AuditReport:
    return audit(city(folder, rule, catalogue, **layers), as_of=toy.AS_OF)


def caught(report: AuditReport) -> pd.DataFrame:
    return report.findings[report.findings["state"].isin([State.INVOLVED, State.SLIVER])]


def test_overlaps_are_found_patch_by_patch_the_worst_first(tmp_path):
    found = audited(
        tmp_path,
        'kind = "no_overlap"\nlayer = "town"\nother = "redline"',
        redline=[box(0, 0, 1000, 1000), box(1000, 0, 1500, 1000)],
        town=[box(-500, 100, 50, 200), box(900, 500, 1020, 600), box(-500, 700, 0.5, 900), box(-500, 1000, 500, 1200)],
    ).findings
    assert found["state"].tolist() == ["涉及", "涉及", "涉及", "疑似边界误差"]
    assert found["area_m2"].round(3).tolist() == [10000.0, 5000.0, 2000.0, 100.0]
    assert found["mean_width_m"].round(2).tolist() == [50.0, 33.33, 16.67, 0.5]
    assert found["feature_id"].tolist() == ["town-2", "town-1", "town-2", "town-3"]
    assert found["other_id"].tolist() == ["redline-1", "redline-1", "redline-2", "redline-1"]
    assert set(found["kind"]) == {"no_overlap"}


def test_where_nothing_overlaps_a_row_states_that_it_was_checked(tmp_path):
    report = audited(tmp_path, 'kind = "no_overlap"\nlayer = "town"\nother = "redline"')
    assert report.findings["state"].tolist() == [State.CLEAR]
    assert len(report.conflicts) == 0


def test_features_of_one_layer_are_held_against_each_other_once(tmp_path):
    zones = ([box(0, 0, 100, 100), box(90, 0, 200, 100), box(190, 0, 300, 100)], {"reserve": ["a", "a", "b"]})
    rule = 'kind = "no_overlap"\nlayer = "redline"\n'
    both = audited(tmp_path / "1", rule, redline=zones).findings
    assert [(a, b) for a, b in zip(both["feature_id"], both["other_id"], strict=True)] == [
        ("redline-1", "redline-2"),
        ("redline-2", "redline-3"),
    ]
    same = audited(tmp_path / "2", rule + 'same_field = "reserve"', redline=zones).findings
    assert same["other_id"].tolist() == ["redline-2"]
    other = audited(tmp_path / "3", rule + 'differing_field = "reserve"', redline=zones).findings
    assert other["other_id"].tolist() == ["redline-3"]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ('kind = "no_overlap"\nlayer = "town"\nother = "caves"', "layer-missing"),
        ('kind = "inside"\nlayer = "caves"\nother = "outline"', "layer-missing"),
        ('kind = "no_overlap"\nlayer = "town"\nwhere.colour = ["red"]', "field-missing"),
        ('kind = "no_overlap"\nlayer = "town"\nother = "redline"\nsame_field = "colour"', "field-missing"),
        ('kind = "matches_code"\nlayer = "town"\npattern = "A"', "field-missing"),
        ('kind = "no_gaps"\nlayer = "caves"', "layer-missing"),
        ('kind = "share"\nlayer = "caves"', "layer-missing"),
        ('kind = "same_edge"\nlayer = "caves"', "layer-missing"),
    ],
)
def test_what_cannot_be_looked_at_is_not_checked_and_never_passes(tmp_path, rule, reason):
    found = audited(tmp_path, rule).findings
    assert found["state"].tolist() == [State.NOT_CHECKED]
    assert found["reason"].tolist() == [reason]


def test_the_gap_of_the_toy_city_with_the_features_beside_it(tmp_path):
    found = audited(tmp_path, 'kind = "no_gaps"\nlayer = "units"').findings.iloc[0]
    assert found["area_m2"] == pytest.approx(1000.0, abs=0.01)
    assert found["mean_width_m"] == pytest.approx(2 * 1000 / 220, abs=0.01)
    assert (found["feature_id"], found["other_id"], found["state"]) == ("units-1", "units-2", "涉及")
    assert shapely.contains(box(112.4, 24.9, 112.6, 25.1), found.geometry)


def test_a_gap_at_the_border_of_the_city_and_a_thin_one(tmp_path):
    units = [box(-5000, -5000, -0.4, 5000), box(0, -5000, 4990, 5000)]
    found = audited(tmp_path, 'kind = "no_gaps"\nlayer = "units"', units=units).findings
    assert found["area_m2"].round(1).tolist() == [100000.0, 4000.0]
    assert found["state"].tolist() == ["涉及", "疑似边界误差"]
    assert found["other_layer"].tolist() == ["city", "units"]


def test_what_sticks_out_and_what_may(tmp_path):
    rule = 'kind = "inside"\nlayer = "*"\nother = "outline"\nmay_stick_out = ["rivers", "river_lines"]'
    found = audited(
        tmp_path, rule, town=[box(-5010, 0, -4000, 100)], zones=([box(0, 0, 1, 1)], {"road": ["G3"]})
    ).findings
    out = found[found["state"] == State.INVOLVED]
    assert out["layer"].tolist() == ["town", "roads", "roads", "roads"]
    assert out["area_m2"].iloc[0] == pytest.approx(1000.0, abs=0.01)
    assert out["length_m"].iloc[1:].round(2).tolist() == [2000.0] * 3
    assert found.set_index("layer").loc["rivers", "what"] == "goes on beyond the border, as the rule allows"
    assert "city" not in found["layer"].tolist()


def test_a_zone_inside_its_own_reserve_only(tmp_path):
    cores = ([box(10, 10, 20, 20), box(210, 10, 220, 20)], {"reserve": ["a", "a"]})
    reserves = ([box(0, 0, 100, 100), box(200, 0, 300, 100)], {"reserve": ["a", "b"]})
    rule = 'kind = "inside"\nlayer = "redline"\nother = "units"\nsame_field = "reserve"'
    found = audited(tmp_path, rule, redline=cores, units=reserves).findings
    assert found["feature_id"].tolist() == ["redline-2"]
    assert found["area_m2"].round(3).tolist() == [100.0]


def test_declared_figures_under_each_denominator_and_sums_of_parts(tmp_path):
    declared = """declared = [
    { what = "area_km2", value = 100.0, tolerance = 0.01 },
    { what = "share_of_city", value = 0.5, tolerance = 0.001, denominator_km2 = 200 },
    { what = "share_of_city", value = 0.5, tolerance = 0.001 },
    { what = "count", value = 3 }, { what = "count", value = 1, where = { class = ["a"] } },
    { what = "count", value = 1, where = { class = ["b"] } },
]"""
    units = ([box(-5000, -5000, 0, 5000), box(0, -5000, 5000, 5000)], {"class": ["a", "b"]})
    found = audited(tmp_path, 'kind = "declared_total"\nlayer = "*"', declared, units=units).findings
    assert set(found["topic"]) == {"figure"}
    wrong = found[found["state"] == State.INVOLVED]
    assert wrong[["measured", "declared"]].round(6).values.tolist() == [[1.0, 0.5], [2.0, 3.0], [2.0, 3.0]]
    assert sum(found["state"] == State.CLEAR) == 4
    assert "50.0000% of 200.00 km² measured" in " ".join(found["what"])


@pytest.mark.parametrize(
    ("bounds", "holds"), [("at_most = 0.33", True), ("at_least = 0.7\nrest = true", True), ("at_most = 0.01", False)]
)
def test_share(tmp_path, bounds, holds):
    found = audited(tmp_path, f'kind = "share"\nlayer = "town"\n{bounds}').findings.iloc[0]
    assert found["measured"] == pytest.approx(0.96 if "rest" in bounds else 0.04, abs=1e-6)
    assert (found["state"] == State.CLEAR) is holds


def test_codes(tmp_path):
    codes = ["ZH44188210001", "ZH44188220001", "ZH44188210001", "ZH4418823001", ""]
    units = (
        [toy.square(200 * i, 0) for i in range(5)],
        {"code": codes, "class": ["优先", "优先", "优先", "一般", "一般"]},
    )
    rule = r"""kind = "matches_code"
layer = "units"
pattern = 'ZH\d{6}([123])\d{4}'
class_field = "class"
classes = { "1" = ["优先"], "2" = ["重点"], "3" = ["一般"] }"""
    found = caught(audited(tmp_path, rule, units=units))
    assert sorted(zip(found["feature_id"], found["what"], strict=True)) == [
        ("units-2", "code 'ZH44188220001' says 重点, the feature is '优先'"),
        ("units-3", "code 'ZH44188210001' is given to two features"),
        ("units-4", r"code 'ZH4418823001' does not match ZH\d{6}([123])\d{4}"),
        ("units-5", r"code '' does not match ZH\d{6}([123])\d{4}"),
    ]


def test_a_pattern_that_is_none_is_named(tmp_path):
    with pytest.raises(ConfigError, match="pattern"):
        audited(tmp_path, 'kind = "matches_code"\nlayer = "units"\npattern = "("')


@pytest.mark.parametrize(("gap", "found"), [(0.0, 0), (0.005, 0), (0.8, 1), (4.9, 1), (5.1, 0)])
def test_edges_that_ought_to_be_one(tmp_path, gap, found):
    units = [box(0, 0, 300, 200), box(300 + gap, 0, 600, 200)]
    rows = caught(audited(tmp_path, 'kind = "same_edge"\nlayer = "units"', units=units))
    assert len(rows) == found
    if found:
        row = rows.iloc[0]
        assert (row["length_m"], row["mean_width_m"]) == (pytest.approx(200, abs=1), pytest.approx(gap, abs=1e-3))


def test_borders_that_merely_cross_are_not_one(tmp_path):
    shapes = {"units": [box(0, 0, 300, 200)], "town": [box(100, -300, 200, 300)]}
    assert len(caught(audited(tmp_path, 'kind = "same_edge"\nlayer = "units"\nother = "town"', **shapes))) == 0


@pytest.mark.parametrize(
    ("to", "pattern", "least", "most"),
    [
        (to_gcj02, r"looks shifted by 6\d\d m to the south-east, as GCJ-02 would be", 500, 700),
        (to_bd09, r"looks shifted by 12\d\d m to the east, as BD-09 would be", 1100, 1300),
    ],
)
def test_a_shifted_layer_is_seen_by_the_outline_it_follows(tmp_path, to, pattern, least, most):
    half = box(-5000, -5000, 0, 5000).segmentize(50)
    moved = toy.PLANE.project(shapely.transform(toy.PLANE.unproject([half]), to, interleaved=False))
    report = audited(tmp_path, 'kind = "not_shifted"', units=[moved[0]], town=[half])
    found = report.of(Topic.SHIFT)
    assert found["layer"].tolist() == ["units"]
    assert least < found["length_m"].iloc[0] < most
    assert re.match(r"\S+ " + pattern, found["what"].iloc[0])
    states = report.findings.set_index("layer")["state"]
    assert states["town"] == State.CLEAR
    assert states["city"] == State.NOT_CHECKED  # names those that do not follow the outline


def test_gcj02_and_back():
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(100, 120, 1000), rng.uniform(20, 45, 1000)
    back = from_gcj02(*to_gcj02(lon, lat))
    assert np.hypot(back[0] - lon, back[1] - lat).max() * 111_000 < 1e-5


def test_not_less_is_no_matter_of_an_audit(tmp_path):
    report = audited(tmp_path, 'kind = "not_less"\nlayer = "redline"')
    assert len(report.findings) == 0
    assert [p.what for p in report.problems] == ["has no rule for layers in force on 2026-11-21"]


def test_rules_hold_from_their_date(tmp_path):
    folder = city(tmp_path, 'kind = "no_gaps"\nlayer = "units"')
    assert len(audit(folder, as_of="2019-12-31").findings) == 0
    assert len(audit(folder, as_of="2020-01-01").findings) == 1


@pytest.mark.parametrize("key", ['activities = ["x"]', "[[rule.it.unless]]\nactivity = ['x']\nseverity = 'notice'"])
def test_rules_for_layers_know_no_activities(tmp_path, key):
    with pytest.raises(ConfigError):
        read_rulebook(city(tmp_path, f'kind = "no_gaps"\nlayer = "units"\n{key}') / "rules.toml")


def grid(n: int, side: float = 100.0) -> list[Polygon]:
    return [box(x * side, y * side, (x + 1) * side, (y + 1) * side) for x in range(n) for y in range(n)]


RULES = """kind = "no_gaps"
layer = "units"
other = "town"
[rule.overlap]
kind = "no_overlap"
layer = "units"
title = "规则"
severity = "prohibited"
strength = "law"
basis = [{ document = "law" }]
effective_from = 2020-01-01
[rule.inside]
kind = "inside"
layer = "units"
other = "town"
title = "规则"
severity = "prohibited"
strength = "law"
basis = [{ document = "law" }]
effective_from = 2020-01-01
"""


@settings(max_examples=15)
@given(st.integers(1, 5), st.floats(0, 359), st.floats(30, 500))
def test_a_perfect_partition_has_nothing_and_a_vertex_moved_by_a_metre_is_all_that_is_found(
    tmp_path_factory, n, turn, side
):
    cells = [shapely.affinity.rotate(c, turn, origin=(0, 0)) for c in grid(n + 1, side)]
    whole = shapely.affinity.rotate(box(0, 0, (n + 1) * side, (n + 1) * side).segmentize(side), turn, origin=(0, 0))
    folder = tmp_path_factory.mktemp("partition")
    assert len(caught(audited(folder / "a", RULES, units=cells, town=[whole]))) == 0
    corner = np.array(cells[0].exterior.coords[:-1])
    inner = np.flatnonzero([whole.exterior.distance(shapely.Point(p)) > side / 2 for p in corner])[0]
    corner[inner] += (0.6, 0.8)
    moved = Polygon(corner)
    found = caught(audited(folder / "b", RULES, units=[moved, *cells[1:]], town=[whole]))
    gained, lost = moved.difference(cells[0]).area, cells[0].difference(moved).area
    by_kind = found.groupby("kind")["area_m2"].sum()
    assert by_kind.get("no_overlap", 0) == pytest.approx(gained, abs=1e-3)
    assert by_kind.get("no_gaps", 0) == pytest.approx(lost, abs=1e-3)
    assert "inside" not in by_kind.index


# ------------------------------------------------------------------------------------------ the reference city


@pytest.fixture(scope="module")
def reference() -> AuditReport:
    return audit(lz.reference_city(), as_of="2026-11-21")


def test_the_planted_conflicts_and_no_others(reference):
    found = reference.conflicts
    assert found[["state", "area_m2", "mean_width_m"]].round(2).values.tolist() == [
        ["涉及", 29828.75, 87.41],
        ["涉及", 1085.35, 14.82],
        ["疑似边界误差", 334.82, 0.80],
    ]
    assert found[["lon", "lat"]].round(5).values.tolist() == [
        [112.57645, 24.99325],
        [112.34468, 25.01582],
        [112.30488, 24.82450],
    ]
    assert not found["place"].eq("").any()
    assert len(reference.of(Topic.CODE)) == len(reference.of(Topic.SHIFT)) == 0


def test_declared_figures_are_a_class_of_their_own(reference):
    wrong = reference.of(Topic.FIGURE)
    assert wrong[["layer", "declared"]].values.tolist() == [
        ["city", 2663.33],
        ["city", 93.15],
        ["city", 17100.0],
        ["redline", 0.2131],
        ["greenways", 47.1],
    ]
    text = " ".join(Words("zh").message(w) for w in reference.findings["what"])
    for figure in (
        "568.7401",
        "21.3545%",
        "21.3099%",
        "21.3194%",
        "12 + 6 + 10 = 28",
        "548.0000",
        "11.3700%",
        "79.46%",
    ):
        assert figure in text


def test_areas_are_those_on_the_ellipsoid(reference):
    from lzgis.coordinates.plane import ellipsoidal_area_m2

    found = reference.conflicts
    assert ellipsoidal_area_m2(found.geometry) == pytest.approx(found["area_m2"], rel=1e-5)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_files(reference, tmp_path, language):
    for name in audit_formats().values():
        export_audit(reference, tmp_path / name, language=language)
        first = (tmp_path / name).read_bytes()
        export_audit(reference, tmp_path / name, language=language)
        assert (tmp_path / name).read_bytes() == first, name
    sheets = CalamineWorkbook.from_path(tmp_path / "audit.xlsx")
    rows = sheets.get_sheet_by_index(0).to_python()
    assert len([r for r in rows if 29828.75 in r]) == 1
    layers = dict(pyogrio.list_layers(tmp_path / "audit.gpkg"))
    assert layers["audit_conflicts"] == "MultiPolygon"
    patches = gpd.read_file(tmp_path / "audit.gpkg", layer="audit_conflicts")
    assert patches["area_m2"].round(2).tolist() == [29828.75, 1085.35, 334.82]
    document = json.loads((tmp_path / "audit.json").read_text("utf-8"))
    assert set(document["findings"][0]) == {c.name for c in AUDIT_COLUMNS} | {"geometry"}
    assert document == json.loads(json.dumps(audit_document(reference, language=language)))
    assert "A1" in (tmp_path / "audit.html").read_text("utf-8")


def test_an_audit_as_a_screening(reference):
    report = as_report(reference)
    assert report.sites["id"].tolist() == ["A1", "A2", "A3"]
    assert report.verdicts["verdict"].tolist() == ["存在禁止性冲突", "需进一步论证", "需进一步论证"]


def test_every_sentence_is_a_message_and_every_kind_has_a_name(reference):
    assert all(isinstance(what, Message) for what in reference.findings["what"] if what)
    for language in ("zh", "en"):
        for kind in LAYER_KINDS:
            assert Words(language)("rule_kind", kind)
        for column in AUDIT_COLUMNS:
            assert Words(language)("audit", column.name)


def test_lines_that_stick_out_can_be_drawn(tmp_path):
    rule = 'kind = "inside"\nlayer = "roads"\nother = "outline"'
    roads = ([LineString([(0, 0), (6000, 0)])], {"class": ["国道"], "road": ["G1"]})
    report = audited(tmp_path / "city", rule, roads=roads)
    for name in audit_formats().values():
        export_audit(report, tmp_path / name)
    assert ("audit_conflicts_lines", "MultiLineString") in [
        tuple(r) for r in pyogrio.list_layers(tmp_path / "audit.gpkg")
    ]


def test_an_audit_that_finds_nothing_can_be_written(tmp_path):
    report = audited(tmp_path / "city", 'kind = "no_overlap"\nlayer = "town"\nother = "redline"')
    for name in audit_formats().values():
        export_audit(report, tmp_path / name)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 1),
        (["--json"], 1),
        (["--lang", "en", "--format", "xlsx,json", "--out", "OUT"], 1),
        (["--format", "doc"], 64),
    ],
)
def test_command(tmp_path, monkeypatch, capsysbinary, arguments, code):
    from lzgis.cli.app import main

    given = ["lzgis", "audit", "--as-of", "2026-11-21", *(str(tmp_path) if a == "OUT" else a for a in arguments)]
    monkeypatch.setattr("sys.argv", given)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == code
    output = capsysbinary.readouterr().out
    if "--json" in arguments:
        assert json.loads(output)["findings"][0]["rule"] == "layers-town-redline"
    elif code == 1:
        assert b"29828.75" in output
    if "OUT" in arguments:
        assert sorted(p.name for p in tmp_path.iterdir()) == ["audit.json", "audit.xlsx", "manifest.json"]


def test_public_name_stays_a_function():
    assert callable(lz.audit)
    assert callable(lz.audit)
