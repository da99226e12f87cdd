"""Screening as a whole: systems of coordinates, dates, activities, provenance, sites that cannot be used."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import toy
from shapely import Point, Polygon, box

import lzgis as lz
import lzgis.reading
from lzgis.city.catalogue import open_catalogue

CLEAR, INVOLVED, NOT_CHECKED = "不涉及", "涉及", "未核查"
SITES = [
    box(-50, 100, 50, 200),
    box(0, -1979, 100, -1879),
    toy.square(-3000, 0),
    Point(10, 10),
    shapely.LineString([(-30, 30), (70, 30)]),
]


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return open_catalogue(toy.city(tmp_path_factory.mktemp("toy") / "city"))


@pytest.fixture(scope="module")
def reference(city):
    return toy.screened(city, *SITES)


@pytest.mark.parametrize("crs", [4525, 4526, 4546, 4547, 4326, 32649, 3857])
def test_the_answers_are_the_same_in_every_system_that_is_taken(city, reference, crs):
    report = lz.screen(toy.sites(*SITES).to_crs(crs), city, as_of=toy.AS_OF)
    text = ["site_id", "rule", "feature_id", "state", "severity", "reason", "baseline", "band"]
    assert report.findings[text].equals(reference.findings[text])
    numbers = ["area_m2", "length_m", "distance_m", "margin", "share"]
    assert np.allclose(report.findings[numbers], reference.findings[numbers], rtol=1e-7, atol=1e-5, equal_nan=True)
    assert report.verdicts["verdict"].equals(reference.verdicts["verdict"])
    steps = [t for t in report.provenance.transforms if t.startswith("sites: ")]
    assert sum("unprojected" in t for t in steps) == (crs != 4326)
    assert sum("WGS 84 taken as CGCS2000" in t for t in steps) == (crs in (4326, 32649, 3857))


@pytest.mark.parametrize("crs", [4525, 4547, 4326])
def test_a_layer_in_another_system_gives_the_same_answers(tmp_path, reference, crs):
    folder = toy.city(tmp_path / "city")
    layer = gpd.read_file(folder / "redline.gpkg").to_crs(crs)
    layer.to_file(folder / "redline.gpkg", engine="pyogrio")
    toy.changed(folder, "catalog.toml", ('source = "redline.gpkg"', f'source = "redline.gpkg"\ncrs = "EPSG:{crs}"'))
    report = toy.screened(folder, *SITES)
    areas = report.findings["area_m2"]
    assert np.allclose(areas, reference.findings["area_m2"], rtol=1e-7, equal_nan=True)
    assert any("layer 'redline'" in t for t in report.provenance.transforms)


def test_coordinates_that_are_no_numbers_are_found_in_projected_sites_too(city):
    frame = toy.sites(SITES[2]).to_crs(4526)
    with np.errstate(invalid="ignore"):
        shape = Polygon([(38_348_000, 2_767_000), (np.nan, 2_767_100), (38_348_100, 2_767_100)])
    frame["geometry"] = [shape]
    report = lz.screen(frame.set_crs(4526), city, as_of=toy.AS_OF)
    assert report.verdicts["verdict"].tolist() == ["核查不完整"]


@pytest.mark.parametrize("crs", [4610, 2382, 4214, 2434])
def test_sites_in_another_datum_are_refused(city, crs):
    frame = toy.sites(*SITES).set_crs(crs, allow_override=True)
    with pytest.raises(lz.LayerError, match="is not CGCS2000"):
        lz.screen(frame, city, as_of=toy.AS_OF)


def test_sites_without_a_system_are_an_error(city):
    with pytest.raises(lz.SourceError, match=r"^sites: has no coordinate reference system; declare it"):
        lz.screen(toy.sites(*SITES).set_crs(None, allow_override=True), city, as_of=toy.AS_OF)


def test_the_date_picks_the_rules(tmp_path):
    folder = toy.city(tmp_path / "city")
    dates = ('title = "溶洞"', 'title = "溶洞"\neffective_to = 2026-06-01')
    later = ("[rule.road]", "[rule.road]\neffective_to = 2026-06-01")
    toy.changed(folder, "rules.toml", later, dates)
    for as_of, rules in {
        "2019-12-31": None,
        "2020-01-01": {"redline", "units", "town", "road", "river", "quarry", "caves"},
        "2026-05-31": {"redline", "units", "town", "road", "river", "quarry", "caves"},
        "2026-06-01": {"redline", "units", "town", "river", "quarry"},
    }.items():
        if rules is None:
            with pytest.raises(lz.ConfigError, match="has no rule in force on 2019-12-31"):
                toy.screened(folder, SITES[2], as_of=as_of)
            continue
        report = toy.screened(folder, SITES[2], as_of=as_of, activity="采石")
        assert set(report.findings["rule"]) == rules
        assert set(report.findings["as_of"]) == {as_of}
        assert report.provenance.as_of == dt.date.fromisoformat(as_of)


def test_a_repealed_text_is_marked_as_repealed(city):
    row = toy.row(toy.screened(city, SITES[0]), "town")
    assert (row["basis"], row["repealed"], row["certainty"]) == ("旧法", "旧法（2026-01-01，法）", "part")
    row = toy.row(toy.screened(city, SITES[0], as_of="2025-12-31"), "town")
    assert (row["basis"], row["repealed"]) == ("旧法", "")


def test_a_document_not_yet_effective_is_not_cited(tmp_path):
    folder = toy.city(tmp_path / "city")
    new = '[document.new]\ntitle = "新法"\ncertainty = "read"\neffective_from = 2026-08-15\n[document.old]'
    both = 'basis = [{ document = "new", article = "第九条" }, { document = "old" }]'
    toy.changed(folder, "rules.toml", ("[document.old]", new), ('basis = [{ document = "old" }]', both))
    before = toy.row(toy.screened(folder, SITES[0], as_of="2026-08-14"), "town")
    after = toy.row(toy.screened(folder, SITES[0], as_of="2026-08-15"), "town")
    assert before["basis"] == "旧法"
    assert after["basis"] == "新法 第九条；旧法"


def test_an_exception_gives_its_severity_item_and_procedure(city):
    row = toy.row(toy.screened(city, SITES[0], activity="供水"), "redline")
    assert (row["severity"], row["item"], row["procedure"], row["activity"]) == (
        "conditional",
        "第6项",
        "报省",
        "water",
    )


def test_an_exception_may_hold_only_on_some_features(tmp_path):
    folder = toy.city(tmp_path / "city")
    toy.changed(folder, "rules.toml", ('item = "第6项"', 'item = "第6项"\nwhere.name = ["乙"]'))
    rows = toy.rows(toy.screened(folder, box(950, 0, 1050, 100), activity="供水"), "redline")
    assert rows["severity"].tolist() == ["prohibited", "conditional"]
    # Without an activity only the answer for the feature with the exception is open.
    rows = toy.rows(toy.screened(folder, box(950, 0, 1050, 100), activity=""), "redline")
    assert rows["state"].tolist() == [INVOLVED, NOT_CHECKED]


@pytest.mark.parametrize("given", ["住宅", "居住", "housing", "Housing", " HOUSING "])
def test_titles_and_aliases_name_an_activity(city, given):
    assert toy.screened(city, SITES[2], activity=given).verdicts["activity"].tolist() == ["housing"]


def test_an_activity_within_another_is_met_by_its_rules(tmp_path):
    folder = toy.city(tmp_path / "city")
    narrower = '[activity.blasting]\ntitle = "爆破"\ntitle_en = "Blasting"\nwithin = ["quarrying"]\n[rule.redline]'
    toy.changed(folder, "rules.toml", ("[rule.redline]", narrower))
    row = toy.row(toy.screened(folder, box(0, -1910, 100, -1900), activity="爆破"), "quarry")
    assert (row["state"], round(row["distance_m"])) == (INVOLVED, 84)


def test_an_unknown_activity_concerns_its_row_alone(city):
    # Site 1 has a word that is none, site 2 lies at the same place and is housing: the redline prohibits housing.
    inside = toy.square(100, 100)
    report = toy.screened(city, inside, inside, activity=["核电站", "住宅"])
    alone = toy.screened(city, inside, activity="住宅")
    assert toy.verdict(report, "s2")["verdict"] == toy.verdict(alone)["verdict"]
    first = report.findings[report.findings["site_id"] == "s1"]
    missing = toy.screened(city, inside, activity="").findings
    # It is answered as a site without an activity is, for a reason of its own.
    assert first["state"].tolist() == missing["state"].tolist()
    assert first["reason"].tolist() == missing["reason"].replace("activity-missing", "activity-unknown").tolist()
    assert "activity-unknown" in set(first["reason"])
    assert set(first["activity"]) == {"核电站"}
    assert toy.verdict(report)["activity"] == "核电站"
    (problem,) = [p for p in report.problems if "activity" in p.place]
    assert str(problem) == (
        "sites, site 's1', activity: '核电站' is not in the vocabulary; what depends on the activity is not checked; "
        "allowed: 住宅, 供水, 采石"
    )


def test_a_strict_screening_refuses_an_unknown_activity(city):
    table = lz.sites_from_frame(
        toy.sites(SITES[2], SITES[2], activity=["住宅", "核电站"]), options=lz.ReadOptions(activities="refused")
    )
    with pytest.raises(lz.SourceError) as error:
        lz.screen(table, city, as_of=toy.AS_OF)
    assert str(error.value) == (
        "sites, row 2 (site 's2'), activity: '核电站' is not in the vocabulary; allowed: 住宅, 供水, 采石"
    )


def test_an_activity_nearly_right_is_suggested(city):
    report = toy.screened(city, SITES[2], activity="采石的")
    assert any("did you mean '采石'" in p.remedy for p in report.problems)


def test_unusable_sites_are_not_checked_and_stop_no_other(city):
    frame = toy.sites(*SITES)
    with np.errstate(invalid="ignore"):
        nan = Polygon([(112.5, 25), (112.51, np.nan), (112.51, 25.01)])
    broken = gpd.GeoDataFrame(
        {"id": ["n1", "n2", "n3"], "activity": "住宅"}, geometry=[None, Polygon(), nan], crs=frame.crs
    )
    both = pd.concat([broken, frame[["id", "activity", "geometry"]]], ignore_index=True)
    report = lz.screen(both, city, as_of=toy.AS_OF)
    for site in ("n1", "n2", "n3"):
        found = report.findings[report.findings["site_id"] == site]
        assert set(found["state"]) == {NOT_CHECKED}
        assert set(found["reason"]) == {"geometry-unusable"}
        assert len(found) == 7
        assert toy.verdict(report, site)["verdict"] == "核查不完整"
    assert toy.row(report, "redline", "s1")["area_m2"] == pytest.approx(5_000, rel=1e-9)
    assert report.verdicts["site_id"].tolist() == ["n1", "n2", "n3", "s1", "s2", "s3", "s4", "s5"]
    errors = [p for p in report.problems if p.level == "error"]
    assert [p.what for p in errors] == [
        "has no geometry",
        "its geometry is empty",
        "a coordinate is not a number",
    ]


def test_only_unusable_sites_make_a_report_too(city):
    frame = gpd.GeoDataFrame({"id": ["n1"]}, geometry=[None], crs="EPSG:4490")
    report = lz.screen(frame, city, as_of=toy.AS_OF)
    assert report.verdicts["verdict"].tolist() == ["核查不完整"]


def test_a_repaired_site_is_listed_with_its_area_before_and_after(city):
    bow_tie = Polygon([(-3000, 0), (-2900, 100), (-2900, 0), (-3000, 100)])
    refused = toy.screened(city, bow_tie, toy.square(-3000, 200))
    assert set(toy.rows(refused, "redline")["reason"]) == {"geometry-unusable"}
    assert toy.row(refused, "redline", "s2")["state"] == "不涉及"
    accepted = lz.sites_from_frame(toy.sites(bow_tie), options=lz.ReadOptions(repairs="accepted"))
    report = lz.screen(accepted, city, as_of=toy.AS_OF)
    # Two triangles of 100 m by 50 m, which as drawn cancel each other out.
    assert toy.verdict(report)["site_area_m2"] == pytest.approx(5_000, rel=1e-6)
    repaired = [str(p) for p in report.problems if p.level == "warning" and "repaired" in p.what]
    assert len(repaired) == 1
    assert "feature 's1'" in repaired[0]
    assert "area 0.00 ㎡ before, 5000.00 ㎡ after" in repaired[0]


def test_the_report_states_its_provenance(city, reference):
    provenance = reference.provenance
    assert (provenance.rule_book, provenance.rule_book_version) == ("玩具规则", "1")
    assert provenance.plane == "CGCS2000 / equal-area plane at 112.5 25"
    roles = [s.role for s in provenance.sources]
    assert roles[0] == "sites"
    assert {"city", "redline", "units", "town", "roads", "zones", "rivers", "river_lines", "rules"} <= set(roles)
    assert all(len(s.sha256) == 64 for s in provenance.sources[1:])
    assert provenance.tolerances["sliver_width_m"] == 1.0
    assert "areas are those on the ellipsoid" in provenance.transforms[-1]
    assert {"lzgis", "GEOS", "PROJ", "shapely"} <= set(provenance.versions)
    assert reference.city.notice == "示意数据"


def test_the_time_may_be_given_and_the_date_may_be_text_or_date(city):
    made = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
    report = lz.screen(toy.sites(SITES[2]), city, as_of=dt.date(2026, 11, 21), made_at=made)
    assert report.provenance.made_at == made
    assert lz.screen(toy.sites(SITES[2]), city).provenance.as_of == dt.date.today()
    with pytest.raises(lz.ConfigError, match=r"'21\.11\.2026' is not a date; write it as 2026-11-21"):
        lz.screen(toy.sites(SITES[2]), city, as_of="21.11.2026")


def test_progress_is_reported_in_steps(city):
    steps = []
    lz.screen(toy.sites(SITES[2]), city, as_of=toy.AS_OF, progress=lambda *step: steps.append(step))
    rules = [s for s in steps if s[0] == "rules"]
    assert rules == [("rules", done, 7) for done in range(8)]
    assert [s[0] for s in steps[:8]] == ["layers"] * 8


def test_findings_come_in_the_order_of_sites_and_rules(reference):
    sites = reference.findings["site_id"].drop_duplicates().tolist()
    assert sites == ["s1", "s2", "s3", "s4", "s5"]
    rules = reference.findings.loc[reference.findings["site_id"] == "s3", "rule"].tolist()
    assert rules == ["redline", "units", "town", "road", "river"]
    assert reference.verdicts.set_index("site_id").loc["s3", "not_applicable"] == 2
    assert reference.findings.crs == "EPSG:4490"


def test_a_layer_measured_from_must_state_its_baseline(tmp_path):
    folder = toy.city(tmp_path / "city")
    toy.changed(
        folder,
        "catalog.toml",
        ('geometry = "line"\nbaseline = "centreline"\ngroup = "road"', 'geometry = "line"'),
    )
    with pytest.raises(lz.ConfigError, match="layer 'roads': rule 'road' measures from it"):
        toy.screened(folder, SITES[2])
