"""Versions against each other: features, areas, rules, and the projects of an earlier report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
import toy
from diff_fixture import NOT_LESS, layer, reported
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box

import lzgis as lz
from lzgis.audits import recheck as rechecking
from lzgis.audits.diff import diff
from lzgis.audits.recheck import recheck
from lzgis.errors import ConfigError, SourceError
from lzgis.exports.diff import diff_document, export_diff
from lzgis.exports.formats import diff_formats
from lzgis.model.audit import CHANGE_COLUMNS, RECHECK_COLUMNS, TOTAL_COLUMNS, DiffReport, Recheck
from lzgis.model.report import FINDING_COLUMNS, Report
from lzgis.screening.screen import screen


def compared(
    folder: Path, old: list[shapely.Geometry], new: list[shapely.Geometry], ids: dict[str, list[str]] | None = None
) -> DiffReport:
    paths = [
        layer(folder / name / "x.gpkg", shapes, **({"id": ids[name]} if ids else {}))
        for name, shapes in (("old", old), ("new", new))
    ]
    return diff(*paths)


def test_added_removed_moved(tmp_path):
    a, b, c = (toy.square(x, 0) for x in (0, 200, 400))
    moved = toy.square(10, 0)
    found = compared(tmp_path, [a, b], [moved, c], {"old": ["a", "b"], "new": ["a", "c"]})
    rows = found.changes.set_index("feature_id")
    assert rows["change"].to_dict() == {"a": "moved", "b": "removed", "c": "added"}
    assert rows.loc["a", ["before_m2", "after_m2", "gained_m2", "lost_m2"]].astype(float).round(2).tolist() == [
        10000,
        10000,
        1000,
        1000,
    ]
    total = found.totals.iloc[0]
    assert total[["added", "removed", "moved", "changed"]].tolist() == [1, 1, 1, 0]
    assert total[["net_m2", "gained_m2", "lost_m2", "gross_m2"]].astype(float).round(2).tolist() == [
        0,
        11000,
        11000,
        22000,
    ]
    assert sorted(zip(found.parts["change"], found.parts["area_m2"].round(2), strict=True)) == [
        ("gained", 1000.0),
        ("gained", 10000.0),
        ("lost", 1000.0),
        ("lost", 10000.0),
    ]


def test_what_passes_from_one_feature_to_another_leaves_the_layer_as_it_is(tmp_path):
    old = [box(0, 0, 100, 100), box(100, 0, 200, 100)]
    new = [box(0, 0, 90, 100), box(90, 0, 200, 100)]
    found = compared(tmp_path, old, new)
    assert found.changes[["gained_m2", "lost_m2"]].round(2).values.tolist() == [[0, 1000], [1000, 0]]
    assert found.totals[["net_m2", "gross_m2"]].values.tolist() == [[0.0, 0.0]]


def test_a_renamed_feature_is_no_other_feature(tmp_path):
    found = compared(tmp_path, [toy.square(0, 0)], [toy.square(0, 0)], {"old": ["a"], "new": ["b"]})
    row = found.changes.iloc[0]
    assert (row["change"], row["feature_id"], row["former_id"]) == ("renamed", "b", "a")


def test_vertices_alone_are_no_change(tmp_path):
    turned = shapely.Polygon(np.roll(np.array(toy.square(0, 0).exterior.coords)[:-1], 2, axis=0))
    assert compared(tmp_path, [toy.square(0, 0)], [turned]).empty
    assert compared(tmp_path, [toy.square(0, 0)], [toy.square(0, 0).segmentize(10)]).empty


def test_fields(tmp_path):
    old = layer(tmp_path / "1" / "x.gpkg", [toy.square(0, 0)], kind=["a"], same=[1])
    new = layer(tmp_path / "2" / "x.gpkg", [toy.square(0, 0)], kind=["b"], more=["c"], same=[1])
    row = diff(old, new).changes.iloc[0]
    assert (row["change"], row["fields"]) == ("changed", "kind: a → b；more:  → c")


def test_lines_and_points(tmp_path):
    lines = compared(tmp_path / "l", [LineString([(0, 0), (100, 0)])], [LineString([(0, 0), (150, 0)])]).changes.iloc[0]
    assert (lines["gained_m"], lines["lost_m"]) == (pytest.approx(50.0, abs=1e-2), 0.0)
    assert np.isnan(lines["gained_m2"])
    points = compared(tmp_path / "p", [Point(0, 0)], [Point(3, 4)]).changes.iloc[0]
    assert points["moved_m"] == pytest.approx(5.0, abs=1e-4)


squares = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 3)), min_size=1, max_size=6)


@settings(max_examples=25)
@given(squares, squares)
def test_nothing_differs_from_itself_and_differences_mirror(tmp_path_factory, one, two):
    folder = tmp_path_factory.mktemp("mirror")
    paths = [
        layer(folder / f"{i}" / "x.gpkg", [toy.square(100 * x, 100 * y, 100 * s) for x, y, s in shapes])
        for i, shapes in enumerate((one, two))
    ]
    assert diff(paths[0], paths[0]).empty
    there, back = diff(*paths), diff(*paths[::-1])
    other = {"added": "removed", "removed": "added", "moved": "moved"}
    mirrored = [
        (other[r.change], r.feature_id, round(r.lost_m2, 2), round(r.gained_m2, 2)) for r in there.changes.itertuples()
    ]
    assert sorted(mirrored) == sorted(
        (r.change, r.feature_id, round(r.gained_m2, 2), round(r.lost_m2, 2)) for r in back.changes.itertuples()
    )
    a, b = there.totals.iloc[0], back.totals.iloc[0]
    assert (a["gained_m2"], a["lost_m2"]) == pytest.approx((b["lost_m2"], b["gained_m2"]), abs=1e-3)
    assert a["net_m2"] == pytest.approx(a["after_m2"] - a["before_m2"], abs=1e-3)


def test_rules(tmp_path):
    old, new = toy.city(tmp_path / "old"), toy.city(tmp_path / "new")
    toy.changed(new, "rules.toml", ("distance_m = 100", "distance_m = 120"), ("[rule.caves]", "[rule.holes]"))
    found = diff(old / "rules.toml", new / "rules.toml").rules
    assert found[["rule", "change", "keys"]].values.tolist() == [
        ["quarry", "changed", "distance_m: 100.0 → 120.0"],
        ["caves", "removed", ""],
        ["holes", "new", ""],
    ]
    assert diff(old / "rules.toml", old / "rules.toml").empty


def test_rules_between_two_dates_and_repealed_documents(tmp_path):
    city = toy.city(tmp_path)
    toy.changed(city, "rules.toml", ("distance_m = 100\n", "distance_m = 100\neffective_to = 2026-06-01\n"))
    found = diff(city, city, as_of_old="2025-06-01", as_of="2026-11-21").rules
    assert found[["rule", "change", "repealed"]].values.tolist() == [
        ["town", "changed", "旧法"],
        ["quarry", "removed", ""],
    ]


def test_a_city_with_layers_come_and_gone(tmp_path):
    old, new = toy.city(tmp_path / "old"), toy.city(tmp_path / "new")
    (new / "town.gpkg").unlink()
    toy.changed(new, "catalog.toml", ('baseline = "water-polygon"', 'baseline = "bank-line"'))
    found = diff(old, new)
    notes = found.totals.set_index("layer")["note"]
    assert (notes["town"], notes["rivers"]) == ("the layer is gone", "baseline: water-polygon → bank-line")
    assert found.changes[["layer", "change"]].values.tolist() == [["town", "removed"]]
    assert diff(new, old).totals.set_index("layer")["note"]["town"] == "the layer is new"


def test_the_area_must_not_shrink(tmp_path):
    cities = [toy.city(tmp_path / name) for name in ("old", "new")]
    for one in cities:
        (one / "rules.toml").write_text(toy.RULES + NOT_LESS, "utf-8")
    layer(cities[1] / "redline.gpkg", [box(0, 0, 1000, 990), box(1000, 0, 1500, 1040)], name=["甲", "乙"])
    found = diff(*cities, as_of=toy.AS_OF).findings
    assert set(found["state"]) == {"不涉及"}
    # The hole of the first (10,000 m²) was filled and a strip of 10 m was lost: as much, so only the other one grew.
    rows = {what.split(":")[0]: change for what, change in zip(found["what"], found["area_m2"].round(1), strict=True)}
    assert rows == {"生态保护红线": 20000.0, "生态保护红线（甲）": 0.0, "生态保护红线（乙）": 20000.0}
    back = diff(*cities[::-1], as_of=toy.AS_OF).findings
    assert back[back["state"] == "涉及"]["area_m2"].round(1).tolist() == [-20000.0, -20000.0]


def test_unlike_things_are_refused(tmp_path):
    city = toy.city(tmp_path)
    with pytest.raises(ConfigError, match="cannot be compared"):
        diff(city, city / "rules.toml")


# ------------------------------------------------------------------------------------------ projects judged again


def same_as_full(again: Recheck, full: Report) -> None:
    """Hold a re-check against a screening of every site: each value of each column, to the last bit."""
    dtypes = {c.name: "float64" if c.dtype == "float" else object for c in FINDING_COLUMNS}
    wanted = pd.DataFrame(full.findings[list(dtypes)]).astype(dtypes)
    pd.testing.assert_frame_equal(again.findings.astype(dtypes), wanted, check_exact=True)
    pd.testing.assert_frame_equal(again.verdicts, full.verdicts, check_exact=True, check_dtype=False)


def many_sites() -> gpd.GeoDataFrame:
    """Polygons, lines and points all over the toy city and beyond it, with and without an activity."""
    rng = np.random.default_rng(3)
    shapes: list[shapely.Geometry] = []
    for x, y in rng.uniform(-5200, 5200, (40, 2)):
        shapes += [toy.square(x, y), LineString([(x, y), (x + 300, y + 100)]), Point(x, y)]
    activities = [("住宅", "供水", "采石", "")[i % 4] for i in range(len(shapes))]
    return toy.sites(*shapes, activity=activities)


CHANGES = {
    "nothing": lambda new: None,
    "a feature moved": lambda new: layer(
        new / "redline.gpkg", [box(0, 0, 1000, 1000), box(1200, 0, 1500, 1000)], name=["甲", "乙"]
    ),
    "a feature added": lambda new: layer(
        new / "redline.gpkg",
        [box(0, 0, 1000, 1000) - box(400, 400, 500, 500), box(1000, 0, 1500, 1000), box(-3000, -3100, -2500, -2950)],
        name=["甲", "乙", "丙"],
    ),
    "order": lambda new: layer(
        new / "redline.gpkg",
        [box(1000, 0, 1500, 1000), box(0, 0, 1000, 1000)],
        id=["redline-2", "redline-1"],
        name=["乙", "甲"],
    ),
    "a town grown": lambda new: layer(new / "town.gpkg", [box(-4000, -1000, -1500, 1000)]),
    "a zone delimited for another road": lambda new: layer(
        new / "zones.gpkg", [box(-6000, -4015, 0, -3985), box(2000, -2030, 3000, -1970)], road=["G3", "G1"]
    ),
    "a half-width known": lambda new: layer(
        new / "roads.gpkg",
        [LineString([(-6000, y), (6000, y)]) for y in (-2000, -3000, -4000)],
        road=["G1", "G2", "G3"],
        **{"class": ["国道"] * 3},
        technical_class=["二级", "二级", "四级"],
        half_width_m=[6.0, 11.0, np.nan],
    ),
    "a list of a unit": lambda new: layer(
        new / "units.gpkg", [box(-5000, -5000, 0, 5000), box(0, -5000, 5000, 5000)], layout=["1-1 禁止甲", "2-1 禁止丙"]
    ),
    "the city shrunk": lambda new: layer(new / "city.gpkg", [box(-5000, -5000, 4000, 5000)]),
    "a layer gone": lambda new: (new / "town.gpkg").unlink(),
    "a rule changed": lambda new: toy.changed(new, "rules.toml", ("distance_m = 100", "distance_m = 300")),
    "a rule gone": lambda new: toy.changed(new, "rules.toml", ("[rule.town]", "[rule.town-2]")),
    "the tolerance": lambda new: toy.changed(
        new, "rules.toml", ("[layers]", "[tolerance]\nsliver_width_m = 60\n[layers]")
    ),
    "a baseline": lambda new: toy.changed(
        new, "catalog.toml", ('baseline = "water-polygon"', 'baseline = "bank-line"')
    ),
}


@pytest.mark.parametrize("with_old", [True, False], ids=["with the old city", "by the report alone"])
@pytest.mark.parametrize("what", CHANGES)
def test_a_re_check_is_a_full_screening(tmp_path, what, with_old):
    old, new = toy.city(tmp_path / "old"), toy.city(tmp_path / "new")
    CHANGES[what](new)
    sites = many_sites()
    path = reported(old, sites, tmp_path / "report.json")
    again = recheck(path, new, old=old if with_old else None)
    same_as_full(again, screen(sites, new, as_of=toy.AS_OF))
    if with_old:
        before = screen(sites, old, as_of=toy.AS_OF).verdicts.set_index("site_id")["verdict"]
        after = again.verdicts.set_index("site_id")["verdict"]
        assert set(again.verdict_changes["site_id"]) == set(after[after != before].index)
    if what == "nothing":
        assert again.recomputed == 0
        assert len(again.changes) == 0


def test_only_what_can_have_changed_is_checked_again(tmp_path, monkeypatch):
    old, new = toy.city(tmp_path / "old"), toy.city(tmp_path / "new")
    layer(new / "redline.gpkg", [box(0, 0, 1000, 1000), box(1000, 0, 1600, 1000)], name=["甲", "乙"])
    layer(old / "redline.gpkg", [box(0, 0, 1000, 1000), box(1000, 0, 1500, 1000)], name=["甲", "乙"])
    # Inside what stays, at what was gained, west of it, and east of it.
    sites = toy.sites(toy.square(100, 100), toy.square(1550, 100), toy.square(-300, 100), toy.square(2000, 100))
    path = reported(old, sites, tmp_path / "report.json")
    checked: list[tuple[list[str], list[str]]] = []

    def spied(shared: Any, *rest: Any, **more: Any) -> Any:
        checked.append((list(shared.subjects.table["id"]), [r.id for r in shared.subjects.book.rules]))
        return real(shared, *rest, **more)

    real = rechecking.check_all
    monkeypatch.setattr(rechecking, "check_all", spied)
    again = recheck(path, new, old=old)
    assert checked == [(["s2", "s4"], ["redline"])]
    assert (again.recomputed, again.reused) == (2, 4 * 7 - 2)
    assert again.changes[["site_id", "rule", "because"]].values.tolist() == [
        ["s2", "redline", "redline redline-2 changed"],
        ["s4", "redline", "redline redline-2 changed"],
    ]
    assert again.verdict_changes[["site_id", "verdict_after"]].values.tolist() == [["s2", "存在禁止性冲突"]]
    assert again.changes["answer_before"].iloc[1] == "不涉及 redline-2 500.000 m"
    assert again.changes["answer_after"].iloc[1] == "不涉及 redline-2 400.000 m"


def test_another_date(tmp_path):
    city = toy.city(tmp_path / "city")
    toy.changed(city, "rules.toml", ("distance_m = 100\n", "distance_m = 100\neffective_to = 2026-06-01\n"))
    sites = many_sites()
    path = reported(city, sites, tmp_path / "report.json", "2025-06-01")
    again = recheck(path, city, old=city, as_of="2026-11-21")
    same_as_full(again, screen(sites, city, as_of="2026-11-21"))
    assert again.recomputed == 0  # the rules that hold, held before; what they rest on is cited anew
    assert set(again.changes["because"]) == {"the rule is no longer in force"}


def test_a_city_that_the_report_was_not_made_of_is_no_proof(tmp_path):
    old, new = toy.city(tmp_path / "old"), toy.city(tmp_path / "new")
    sites = many_sites()
    path = reported(old, sites, tmp_path / "report.json")
    layer(new / "town.gpkg", [box(-4000, -1000, -1500, 1000)])
    again = recheck(path, new, old=new)
    same_as_full(again, screen(sites, new, as_of=toy.AS_OF))
    assert [p.what for p in again.problems] == ["differs from the city of the report: town"]


def test_sites_without_a_usable_shape(tmp_path):
    city = toy.city(tmp_path / "city")
    sites = toy.sites(toy.square(0, 0), shapely.Polygon())
    path = reported(city, sites, tmp_path / "report.json")
    new = Path(shutil.copytree(city, tmp_path / "new"))
    layer(new / "town.gpkg", [box(-4000, -1000, 1500, 1000)])
    same_as_full(recheck(path, new, old=city), screen(sites, new, as_of=toy.AS_OF))


@pytest.mark.parametrize("text", ["", "{}", '{"sites": 1}'])
def test_what_is_no_report_is_named(tmp_path, text):
    path = tmp_path / "report.json"
    path.write_text(text, "utf-8")
    with pytest.raises(SourceError, match=r"report\.json: is no report"):
        recheck(path, toy.city(tmp_path / "city"))
    with pytest.raises(SourceError, match="cannot be read"):
        recheck(tmp_path / "none.json", tmp_path / "city")


def test_a_rule_not_meant_for_the_activity(tmp_path):
    """A layer that grows over a site gives the site a row of 不适用, which is no change of an answer."""
    old, new = toy.city(tmp_path / "old"), toy.city(tmp_path / "new")
    # Housing at 30 m and at 300 m from the road of the rule for quarries, which then moves beside the second.
    sites = toy.sites(toy.square(0, -1960, 20), toy.square(0, -1690, 20), activity="住宅")
    layer(new / "roads.gpkg", [LineString([(-6000, -1720), (6000, -1720)])], road=["G1"], **{"class": ["国道"]})
    path = reported(old, sites, tmp_path / "report.json")
    again = recheck(path, new, old=old)
    full = screen(sites, new, as_of=toy.AS_OF)
    same_as_full(again, full)
    quarry = again.findings[again.findings["rule"] == "quarry"]
    assert quarry[["site_id", "state"]].values.tolist() == [["s2", "不适用"]]
    assert "quarry" not in set(again.changes["rule"])
    assert again.verdicts["not_applicable"].tolist() == full.verdicts["not_applicable"].tolist()


def test_a_report_that_calls_such_a_rule_clear(tmp_path):
    """Reports of version 0.1 say 不涉及 where a rule is not meant for the activity; that is no change, and is checked."""
    city = toy.city(tmp_path / "city")
    sites = toy.sites(toy.square(0, -1960, 20), toy.square(3000, -700), activity="住宅")
    path = reported(city, sites, tmp_path / "report.json")
    document = json.loads(path.read_text("utf-8"))
    unmeant = [f for f in document["findings"] if f["state"] == "不适用"]
    assert [f["rule"] for f in unmeant] == ["quarry"]
    known = {(f["site_id"], f["rule"]) for f in document["findings"]}
    rest = [
        {**unmeant[0], "site_id": site, "rule": rule}
        for site in ("s1", "s2")
        for rule in ("quarry", "caves")
        if (site, rule) not in known
    ]
    blank = {"state": "不涉及", "reason": "activity-not-meant", "distance_m": None}
    document["findings"] = [{**f, **blank} if f["state"] == "不适用" else f for f in document["findings"]]
    document["findings"] += [{**f, **blank} for f in rest]
    for verdict in document["verdicts"]:
        del verdict["not_applicable"]
    path.write_text(json.dumps(document), "utf-8")
    again = recheck(path, city, old=city)
    same_as_full(again, screen(sites, city, as_of=toy.AS_OF))
    assert not len(again.changes)


def test_reports_of_other_schemas(tmp_path):
    """Reports of version 0.1 state no schema and are read; those of a newer major version are refused."""
    city = toy.city(tmp_path / "city")
    path = reported(city, many_sites(), tmp_path / "report.json")
    document = json.loads(path.read_text("utf-8"))
    assert next(iter(document)) == "schema"
    path.write_text(json.dumps({k: v for k, v in document.items() if k != "schema"}), "utf-8")
    assert not len(recheck(path, city, old=city).changes)
    path.write_text(json.dumps(document | {"schema": "lzgis-report-2"}), "utf-8")
    with pytest.raises(SourceError, match=r"has the schema lzgis-report-2, newer than lzgis-report-1"):
        recheck(path, city, old=city)
    for schema in ("another-1", "lzgis-report-x", 1, None):
        path.write_text(json.dumps(document | {"schema": schema}), "utf-8")
        with pytest.raises(SourceError, match=r"is no report of a screening \(schema "):
            recheck(path, city, old=city)


# ------------------------------------------------------------------------------------------ files and command


def test_files_and_command(tmp_path, monkeypatch, capsysbinary):
    from lzgis.cli.app import main

    old, new = toy.city(tmp_path / "old"), toy.city(tmp_path / "new")
    layer(new / "redline.gpkg", [box(0, 0, 1000, 1000), box(1000, 0, 1600, 1000)], name=["甲", "乙"])
    path = reported(old, toy.sites(toy.square(1550, 100)), tmp_path / "report.json")
    out = tmp_path / "out"
    for more, code in (([], 1), (["--json"], 1), (["--lang", "en", "--out", str(out)], 1)):
        given = ["lzgis", "diff", str(old), str(new), "--report", str(path), "--as-of", toy.AS_OF, *more]
        monkeypatch.setattr("sys.argv", given)
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == code
        output = capsysbinary.readouterr().out
        if "--json" in more:
            document = json.loads(output)
            assert document["recheck"]["verdicts"][0]["verdict_after"] == "存在禁止性冲突"
            assert set(document["changes"][0]) == {c.name for c in CHANGE_COLUMNS} | {"geometry"}
            assert set(document["totals"][0]) == {c.name for c in TOTAL_COLUMNS}
            assert set(document["recheck"]["answers"][0]) == {c.name for c in RECHECK_COLUMNS}
    layers = [name for name, _ in pyogrio.list_layers(out / "diff.gpkg")]
    assert layers == ["changes", "parts", "totals", "rules", "findings", "answers"]
    assert gpd.read_file(out / "diff.gpkg", layer="parts")["area_m2"].round(1).tolist() == [100000.0, 10000.0]
    monkeypatch.setattr("sys.argv", ["lzgis", "diff", str(old), str(old)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0


def test_an_empty_comparison_can_be_written(tmp_path):
    city = toy.city(tmp_path / "city")
    report = diff(city, city)
    for name in diff_formats().values():
        export_diff(report, tmp_path / name)
    assert diff_document(report)["changes"] == []


def test_the_reference_city_with_a_redline_moved(tmp_path):
    city = lz.reference_city()
    new = Path(shutil.copytree(city, tmp_path / "new"))
    frame = gpd.read_file(new / "redline.gpkg")
    frame.loc[3, "geometry"] = shapely.affinity.translate(frame.geometry[3], 0.002, 0.001)
    frame = frame.drop(index=5).reset_index(drop=True)
    (new / "redline.gpkg").unlink()
    frame.to_file(new / "redline.gpkg", engine="pyogrio")
    sites = lz.read_sites(city / "sites.gpkg")
    lz.export(screen(sites, city, as_of="2026-11-21"), tmp_path / "report.json")
    again = recheck(tmp_path / "report.json", new, old=city)
    same_as_full(again, screen(sites, new, as_of="2026-11-21"))
    assert 0 < 20 * again.recomputed < again.reused
