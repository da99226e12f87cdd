"""The reference city: known answers, declared totals and planted conflicts, computed independently of lzgis."""

from __future__ import annotations

import re

import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Geod, Transformer

import lzgis as lz
from lzgis.city.catalogue import measure_declared

FOLDER = lz.reference_city()
pytestmark = pytest.mark.skipif(not (FOLDER / "catalog.toml").exists(), reason="the layers have not been built")

GEOD = Geod(a=6378137.0, rf=298.257222101)
CLEAR, INVOLVED, SLIVER, NOT_CHECKED = "不涉及", "涉及", "疑似边界误差", "未核查"


@pytest.fixture(scope="module")
def city():
    return lz.open_catalogue(FOLDER)


@pytest.fixture(scope="module")
def report(city):
    return lz.screen(FOLDER / "sites.gpkg", city, as_of="2026-11-21")


@pytest.fixture(scope="module")
def sites():
    return pyogrio.read_dataframe(FOLDER / "sites.gpkg").set_index("id")


def shapes(layer, **where):
    frame = pyogrio.read_dataframe(FOLDER / f"{layer}.gpkg")
    for name, value in where.items():
        frame = frame[frame[name] == value]
    return frame.geometry.to_numpy()


def geodesic_m2(geometry):
    return sum(
        abs(GEOD.geometry_area_perimeter(shapely.orient_polygons(p))[0])
        for p in shapely.get_parts(geometry)
        if p.geom_type == "Polygon"
    )


def distances_m(site, others):
    """Distance in a plane centred on the site, in which lengths from its middle are true."""
    x, y = site.centroid.coords[0]
    near = f"+proj=aeqd +lon_0={x} +lat_0={y} +a=6378137 +rf=298.257222101"
    move = Transformer.from_crs("EPSG:4490", near, always_xy=True).transform
    there = shapely.transform(np.array([site, *others], dtype=object), move, interleaved=False)
    return shapely.distance(there[0], there[1:])


def rows(report, site, rule):
    found = report.findings
    return found[(found["site_id"] == site) & (found["rule"] == rule)]


def row(report, site, rule):
    found = rows(report, site, rule)
    assert len(found) == 1, found[["feature_name", "state", "reason"]].to_string()
    return found.iloc[0]


def verdict(report, site):
    return report.verdicts.set_index("site_id").loc[site, "verdict"]


def expected_number(sites, site, pattern):
    found = re.search(pattern, sites.loc[site, "expected"])
    assert found, sites.loc[site, "expected"]
    return float(found[1])


# --- totals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "km2", "within"),
    [("redline", 568.74, 0.005), ("town_boundary", 548.0, 0.005), ("protected_areas", 302.82, 0.02)],
)
def test_declared_areas_hold_on_the_ellipsoid(layer, km2, within):
    assert sum(geodesic_m2(g) for g in shapes(layer)) / 1e6 == pytest.approx(km2, abs=within)


def test_the_outline_is_larger_than_declared_and_that_is_reported(city):
    measured = geodesic_m2(shapes("city")[0]) / 1e6
    assert measured == pytest.approx(2667.7, abs=0.05)
    check = measure_declared(city, "city")[0]
    assert check.measured == pytest.approx(measured, rel=1e-7)
    assert (check.declared.value, check.holds) == (2663.33, False)


def test_the_redline_has_its_share_of_one_denominator_and_not_of_the_other(city):
    checks = {m.declared.denominator_km2: m for m in measure_declared(city, "redline") if m.declared.what != "area_km2"}
    assert checks[2663.33].measured == pytest.approx(568.74 / 2663.33, abs=5e-6)
    assert checks[2668.9].measured == pytest.approx(568.74 / 2668.9, abs=5e-6)
    assert (checks[2663.33].holds, checks[2668.9].holds) == (False, True)


def test_every_declared_figure_holds_but_those_and_the_contradictions_of_the_plan(city):
    broken = [(m.layer, m.declared.what) for name in city.layers for m in measure_declared(city, name) if not m.holds]
    assert broken == [
        ("city", "area_km2"),
        ("city", "stated"),
        ("city", "stated"),
        ("redline", "share_of_city"),
        ("forest", "share_of_city"),
        ("greenways", "length_km"),
    ]


def test_control_units_are_counted_by_class():
    frame = pyogrio.read_dataframe(FOLDER / "control_units.gpkg")
    assert len(frame) == frame["code"].nunique() == 28
    assert frame["class"].value_counts().to_dict() == {
        "优先保护单元": 12,
        "一般管控单元": 10,
        "重点管控单元": 6,
    }
    assert frame["code"].str.fullmatch(r"ZH441882[123]\d{4}").all()


# --- planted conflicts --------------------------------------------------------------------------------------


def test_the_town_boundary_meets_the_redline_in_a_sliver_and_a_parcel_only():
    red, town = shapes("redline"), shapes("town_boundary")
    tree = shapely.STRtree(red)
    left, right = tree.query(town, predicate="intersects")
    parts = shapely.get_parts(shapely.intersection(town[left], red[right]))
    areas = sorted(a for a in (geodesic_m2(p) for p in parts) if a > 0.01)
    assert len(areas) == 2
    # A strip of 0.8 m by some 420 m, and a parcel of some hectares.
    assert 100 < areas[0] < 500
    assert 10_000 < areas[1] < 100_000


def test_control_units_leave_one_gap():
    city, units = shapes("city")[0], shapely.union_all(shapes("control_units"))
    gaps = [geodesic_m2(p) for p in shapely.get_parts(shapely.difference(city, units))]
    assert len([a for a in gaps if a > 0.01]) == 1
    assert 500 < sum(gaps) < 2_000


def test_layers_are_sound(city):
    for name in city.layers:
        loaded = city.load(name)
        assert loaded.problems == (), name
        assert loaded.source.crs == "China Geodetic Coordinate System 2000"


# --- known answers ------------------------------------------------------------------------------------------


def test_t01_inside_the_redline(report, sites):
    found = row(report, "T01", "redline")
    inside = sum(geodesic_m2(sites.geometry["T01"].intersection(g)) for g in shapes("redline"))
    assert inside == pytest.approx(10_000, abs=0.1)
    assert (found["state"], found["severity"]) == (INVOLVED, "prohibited")
    assert found["area_m2"] == pytest.approx(inside, abs=0.01)
    assert found["share"] == pytest.approx(1, abs=1e-9)
    assert verdict(report, "T01") == "存在禁止性冲突"


def test_t02_shares_a_border_with_the_redline(report, sites):
    found = row(report, "T02", "redline")
    assert found["state"] == CLEAR
    assert found["distance_m"] == pytest.approx(0, abs=1e-6)
    shared = sites.geometry["T02"].boundary.intersection(shapely.union_all(shapely.boundary(shapes("redline"))))
    assert GEOD.geometry_length(shared) > 100


def test_t03_in_the_corridor_of_a_national_road(report, sites):
    found = row(report, "T03", "road-national")
    roads = pyogrio.read_dataframe(FOLDER / "roads.gpkg")
    roads = roads[roads["class"] == "国道"]
    edge = distances_m(sites.geometry["T03"], roads.geometry) - roads["half_width_m"].to_numpy()
    assert float(np.nanmin(edge)) == pytest.approx(16, abs=0.01)
    assert found["distance_m"] == pytest.approx(np.nanmin(edge), rel=1e-4)
    assert (found["state"], found["band"], found["required_m"]) == (INVOLVED, "certain", 20)
    assert found["margin"] == pytest.approx(4, abs=0.01)


def test_t04_outside_the_city(report):
    found = report.findings[report.findings["site_id"] == "T04"]
    meant = found[found["reason"] != "activity-not-meant"]
    assert set(meant["state"]) == {NOT_CHECKED}
    assert set(meant["reason"]) <= {"outside-city", "layer-missing"}
    assert verdict(report, "T04") == "核查不完整"


def test_t05_across_the_border_of_the_city(report, sites):
    site = sites.geometry["T05"]
    inside = geodesic_m2(site.intersection(shapes("city")[0])) / geodesic_m2(site)
    assert inside * 100 == pytest.approx(expected_number(sites, "T05", r"约 ([\d.]+)%"), abs=0.06)
    found = rows(report, "T05", "redline")
    assert found.iloc[-1]["reason"] == "partly-outside"
    # An edge of 1 km of the outline, straight in degrees, lies a centimetre off one straight on the plane.
    assert found.iloc[-1]["unchecked_share"] == pytest.approx(1 - inside, abs=1e-5)


def test_t06_in_the_gap_between_units(report, sites):
    found = rows(report, "T06", "control-units")
    gap = found[found["reason"] == "not-covered"]
    units = shapely.union_all(shapes("control_units"))
    assert len(gap) == 1
    assert gap["area_m2"].iloc[0] == pytest.approx(geodesic_m2(sites.geometry["T06"].difference(units)), rel=1e-6)


def test_t07_a_point_in_a_core_zone(report, sites):
    found = row(report, "T07", "reserve-core")
    assert sites.geometry["T07"].geom_type == "Point"
    assert (found["state"], found["severity"]) == (INVOLVED, "prohibited")
    assert shapely.contains(shapes("protected_areas", zone="核心保护区"), sites.geometry["T07"]).sum() == 1
    assert np.isnan(found["area_m2"])


def test_t08_a_line_across_the_redline(report, sites):
    found = rows(report, "T08", "redline")
    assert set(found["state"]) == {INVOLVED}
    line = sites.geometry["T08"]
    crossed = sum(GEOD.geometry_length(line.intersection(g)) for g in shapes("redline"))
    assert found["length_m"].sum() == pytest.approx(crossed, rel=1e-4)
    assert crossed == pytest.approx(expected_number(sites, "T08", r"穿越长度 ([\d.]+) 米"), rel=1e-4)


def test_t09_no_conflict_in_the_town(report):
    assert verdict(report, "T09") == "未发现冲突"
    assert row(report, "T09", "town-boundary")["state"] == CLEAR


def test_t10_half_a_metre_into_the_redline(report, sites):
    found = row(report, "T10", "redline")
    overlap = sum(geodesic_m2(sites.geometry["T10"].intersection(g)) for g in shapes("redline"))
    assert found["state"] == SLIVER
    assert found["area_m2"] == pytest.approx(overlap, abs=0.01)
    assert overlap == pytest.approx(expected_number(sites, "T10", r"重叠 ([\d.]+) ㎡"), abs=0.06)
    assert verdict(report, "T10") == "需进一步论证"


def test_t11_without_an_activity(report, sites):
    found = row(report, "T11", "redline")
    assert (found["state"], found["reason"], found["activity"]) == (NOT_CHECKED, "activity-missing", "")
    assert found["area_m2"] == pytest.approx(geodesic_m2(sites.geometry["T11"]), abs=0.01)
    # It lies in public-benefit forest too, where the activity decides as well.
    forest = row(report, "T11", "forest-public")
    assert (forest["state"], forest["reason"]) == (NOT_CHECKED, "activity-missing")
    assert forest["area_m2"] == pytest.approx(geodesic_m2(sites.geometry["T11"]), abs=0.01)
    assert verdict(report, "T11") == "核查不完整"


def test_t12_a_quarry_far_enough_from_a_provincial_road(report, sites):
    found = row(report, "T12", "quarrying-roads-100")
    assert found["state"] == CLEAR
    assert found["distance_m"] == pytest.approx(150, abs=0.01)


def test_t13_petrochemical_works_outside_the_parks(report, sites):
    found = row(report, "T13", "park-bound-industry")
    assert (found["state"], found["severity"]) == (INVOLVED, "prohibited")
    assert found["area_m2"] == pytest.approx(geodesic_m2(sites.geometry["T13"]), rel=1e-6)
    assert found["distance_m"] == pytest.approx(
        distances_m(sites.geometry["T13"], shapes("industrial_parks")).min(), rel=1e-4
    )


def test_t14_beside_a_river_known_by_its_centreline_only(report, sites):
    found = row(report, "T14", "water-corridor")
    assert (found["state"], found["baseline"], found["required_m"]) == (INVOLVED, "centreline", 20)
    assert found["distance_m"] == pytest.approx(10, abs=0.01)
    nearest = distances_m(sites.geometry["T14"], shapes("river_centrelines")).min()
    assert nearest == pytest.approx(10, abs=0.01)


# --- the projects of the plan -------------------------------------------------------------------------------


def test_all_projects_are_screened_and_none_is_called_compliant(report, sites):
    assert report.verdicts["site_id"].tolist() == sites.index.tolist()
    assert set(report.verdicts["verdict"]) <= {"存在禁止性冲突", "需进一步论证", "核查不完整", "未发现冲突"}
    text = report.findings.select_dtypes(exclude="number").drop(columns="geometry").astype(str)
    assert not text.apply(lambda column: column.str.contains("合规")).to_numpy().any()


def test_areas_in_the_redline_agree_with_geodesic_ones(report, sites):
    red = shapes("redline")
    found = report.findings[(report.findings["rule"] == "redline") & report.findings["area_m2"].notna()]
    assert len(found) > 3
    for site, part in found.groupby("site_id"):
        expected = sum(geodesic_m2(sites.geometry[site].intersection(g)) for g in red)
        assert part["area_m2"].sum() == pytest.approx(expected, rel=1e-6, abs=0.01)


def test_the_shares_of_units_and_of_the_gap_make_up_each_polygon(report, sites):
    outline = shapes("city")[0]
    for site, shape in sites.geometry.items():
        if shape.geom_type in ("Polygon", "MultiPolygon") and shapely.contains_properly(outline, shape):
            total = np.nansum(rows(report, site, "control-units")["area_m2"])
            assert total == pytest.approx(geodesic_m2(shape), rel=1e-6)
