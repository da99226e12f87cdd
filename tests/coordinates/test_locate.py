"""Where coordinates lie: what is accepted and reported, what is refused, and which other system is proposed."""

from __future__ import annotations

import re

import numpy as np
import pytest
import shapely
import toy
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Transformer
from shapely import box

from lzgis.batch import BatchOptions, screen_batch
from lzgis.city.catalogue import open_catalogue
from lzgis.coordinates.candidates import candidate_systems, distance_from
from lzgis.coordinates.gauss_kruger import NUMBERS, Zone, numbered, zone_at, zone_of
from lzgis.coordinates.helmert import Helmert, read_helmert
from lzgis.coordinates.locate import Georeference, code_of, declared_crs, locate
from lzgis.coordinates.shifted_maps import from_bd09, from_gcj02, suspected_shift, to_bd09, to_gcj02
from lzgis.errors import ConfigError, LayerError, SourceError
from lzgis.reading import ReadOptions, sites_from_frame
from lzgis.screening.screen import screen

# A city of half a degree around 112.5 E 25 N, the border of zones 37 and 38.
CITY = box(112.2, 24.75, 112.8, 25.25)
LON, LAT = 112.6, 25.1
FOOT = 0.3048


def there(code, *, swapped=False, scale=1.0):
    """A square at LON, LAT in the numbers of a system."""
    x, y = Transformer.from_crs(4490, code, always_xy=True).transform(LON, LAT)
    x, y, size = x * scale, y * scale, 1e-4 if abs(x) < 200 else 10
    corner = (y, x) if swapped else (x, y)
    return np.array([box(*corner, corner[0] + size, corner[1] + size)], dtype=object)


def located(shapes, crs, near=CITY, **more):
    return locate(
        shapes, Georeference(None if crs is None else CRS.from_user_input(crs), near=near, **more), "plan.shp"
    )


def refused(shapes, crs, near=CITY, **more):
    with pytest.raises((SourceError, LayerError)) as error:
        located(shapes, crs, near, **more)
    assert str(error.value).startswith("plan.shp: ")
    return str(error.value).removeprefix("plan.shp: ")


@pytest.mark.parametrize("code", [4490, 4326, 4526, 4547, 4525, 4546, 4497, 4509, 32649, 32650, 3857, 4480])
def test_systems_that_are_taken_land_where_they_should(code):
    found = located(there(code), code)
    assert shapely.distance(found.geometry[0], shapely.Point(LON, LAT)) < 1e-7
    assert not [p for p in found.problems if "outside" in p.what]


@pytest.mark.parametrize(
    ("numbers", "declared", "what", "offered"),
    [
        (there(4526), 4490, "coordinates such as 38358.* are metres, but degrees are declared", "EPSG:4526"),
        (there(4490), 4526, "coordinates such as 112.6.* are degrees, but EPSG:4526 is in metres", "EPSG:4490"),
        (
            there(4490, swapped=True),
            4490,
            "longitude and latitude are exchanged",
            "EPSG:4490 with its two axes exchanged",
        ),
        (there(4526, swapped=True), 4526, "X and Y look exchanged: northings begin with zone 38", "exchange them"),
        (
            there(4547, swapped=True),
            4547,
            "as EPSG:4547 it lies",
            "EPSG:4547 with its two axes exchanged",
        ),
        (there(4526), 4525, "eastings begin with zone 38, which EPSG:4525 does not have", "EPSG:4526 fits"),
        (there(4526), 4547, "eastings begin with zone 38, which EPSG:4547 does not have", "EPSG:4526 fits"),
        (there(4547), 4526, "eastings have no zone number, which EPSG:4526 demands", "EPSG:4547 fits"),
        (there(4497), 4547, "eastings begin with zone 19, which EPSG:4547 does not have", "EPSG:4497 fits"),
        (there(4547), 4546, "as EPSG:4546 it lies 2.. km west of the city", "EPSG:4547 .lands in the city."),
        (there(32650), 32649, "as EPSG:32649 it lies 5.. km west of the city", "EPSG:32650 .lands in the city."),
        (
            there(4547, scale=1 / FOOT),
            4547,
            "as EPSG:4547 it lies outside China",
            "EPSG:4547 in feet .lands in the city.",
        ),
    ],
)
def test_a_wrong_declaration_is_refused_and_the_right_one_offered(numbers, declared, what, offered):
    message = refused(numbers, declared)
    assert re.match(what, message), message
    assert re.search(offered, message), message


def test_without_a_system_candidates_are_ranked_by_where_they_land():
    message = refused(there(4547), None)
    assert message.startswith(
        "has no coordinate reference system; declare it with --crs; it may be EPSG:4547 (lands in"
    )
    # 3 degrees of longitude at 25 N are 302 km; the city reaches 0.2 degrees beyond.
    assert re.search(r"EPSG:4546 \(lands 2\d\d km west of the city\)", message), message
    assert refused(there(4526), None) == (
        "has no coordinate reference system; declare it with --crs; it may be EPSG:4526 (lands in the city)"
    )
    assert "EPSG:4490 with its two axes exchanged (lands in the city)" in refused(there(4490, swapped=True), None)


def test_without_a_city_candidates_are_those_that_land_in_china():
    assert "EPSG:4526 (lands at 112.600 E 25.100 N)" in refused(there(4526), None, near=None)
    assert refused(np.array([box(1e9, 1e9, 2e9, 2e9)]), None).endswith(
        "declare it, for instance EPSG:4490 or EPSG:4526"
    )


def test_distance_from_an_outline_is_that_on_the_ground():
    distance, azimuth = distance_from(np.array([[113.8, 25.0], [112.5, 25.0], [112.5, 24.0]]), CITY)
    # One degree of longitude at 25 N is 100,950 m, 0.75 degrees of latitude 83,080 m.
    assert distance == pytest.approx([100_950, 0, 83_080], rel=1e-3)
    assert azimuth[[0, 2]] % 360 == pytest.approx([90, 180], abs=0.5)


def test_neighbours_are_kept_and_reported():
    found = located(np.array([box(112.5, 25, 112.51, 25.01), box(112.83, 25, 112.84, 25.01), None]), 4490)
    assert [p.what for p in found.problems] == ["has features outside the city"]
    # GK and UTM coordinates of one zone differ by about a kilometre: such a neighbour is not taken for an error.
    edge = Transformer.from_crs(4490, 4547, always_xy=True).transform(112.6, 24.745)
    assert located(np.array([shapely.Point(edge)]), 4547).problems[0].level == "warning"


def test_some_features_in_another_zone_are_reported():
    x, y = Transformer.from_crs(4490, 4546, always_xy=True).transform(112.3, 25.0)
    found = located(np.concatenate([there(4547), [shapely.Point(x, y)]]), 4547)
    assert "EPSG:4546 (lands in the city)" in found.problems[0].remedy


def test_what_only_looks_odd_is_taken_and_reported():
    web = located(there(3857), 3857)
    assert "Web Mercator" in web.problems[0].what
    feet = "+proj=tmerc +lon_0=114 +x_0=500000 +datum=WGS84 +units=us-ft"
    found = located(there(4547, scale=1 / 0.3048006096012192), feet)
    assert shapely.distance(found.geometry[0], shapely.Point(LON, LAT)) < 1e-7
    assert "US survey foot" in found.problems[0].what
    high = located(there(4526), "EPSG:4526+5737")
    assert "only its plane part" in high.problems[0].what


@pytest.mark.parametrize(
    ("crs", "what"),
    [
        ('LOCAL_CS["工地",UNIT["metre",1]]', "is in a local system"),
        ("EPSG:4978", "has no plane"),
        ("EPSG:2362", "the datum of Xian 1980"),
        ("EPSG:2414", "the datum of Beijing 1954"),
        ("EPSG:4610", "the datum of Xian 1980"),
        ("EPSG:3824", "the datum of TWD97"),
        ("EPSG:4269", "the datum of NAD83"),
    ],
)
def test_systems_that_cannot_be_placed_exactly_are_refused(crs, what):
    message = refused(there(4526) if crs not in ("EPSG:4610", "EPSG:3824", "EPSG:4269") else there(4490), crs)
    assert what in message


def test_a_supposed_shift_in_a_prj_opens_no_way_round():
    wkt = CRS.from_epsg(4214).to_wkt("WKT1_GDAL").replace("SPHEROID", "SPHEROID", 1)
    bound = CRS.from_wkt(
        wkt.replace('AUTHORITY["EPSG","6214"]', 'TOWGS84[15.8,-154.4,-82.3,0,0,0,0],AUTHORITY["EPSG","6214"]')
    )
    assert bound.is_bound
    assert "the datum of Beijing 1954" in refused(there(4490), bound)


def test_the_180th_meridian_and_the_poles():
    assert "reaches the 180th meridian" in refused(np.array([box(-180, 20, 180, 30)]), 4490)
    assert "reaches a pole" in refused(np.array([box(110, 88, 120, 90)]), 4490)


def test_what_has_no_coordinates_is_left_to_the_repair():
    shapes = np.array([shapely.Point(np.nan, 1), None, shapely.Polygon()], dtype=object)
    assert located(shapes, 4490).problems == ()


@pytest.mark.parametrize("code", [4490, 4525, 4526, 4547, 4497, 32649, 3857, 4326])
@pytest.mark.parametrize("wording", ["WKT1_ESRI", "WKT1_GDAL", "WKT2_2019"])
def test_codes_are_recognised_in_every_wording(code, wording):
    assert code_of(CRS.from_wkt(CRS.from_epsg(code).to_wkt(wording))) == f"EPSG:{code}"


def test_a_system_moved_by_a_hundred_metres_is_not_called_by_the_code():
    moved = CRS.from_wkt(CRS.from_epsg(4547).to_wkt("WKT1_ESRI").replace("500000.0", "500100.0"))
    assert code_of(moved) != "EPSG:4547"


def test_a_declared_system_must_exist():
    with pytest.raises(ConfigError, match="--crs: 'EPSG:1' is no reference system"):
        declared_crs("EPSG:1")


# --- zones ---------------------------------------------------------------------------------------------------


def test_zones_are_those_of_the_register():
    for width, numbers in NUMBERS.items():
        for number in numbers:
            for prefixed in (True, False):
                for datum in ("CGCS2000", "Xian 1980", "Beijing 1954"):
                    zone = Zone(width, number, prefixed, datum)
                    name = zone.crs.name
                    assert name.startswith(datum)
                    assert ("3-degree" in name) == (width == 3)
                    assert name.endswith(f"zone {number}" if prefixed else f"CM {zone.meridian_deg}E")
                    found = zone_of(zone.crs)
                    assert (found.prefixed, found.meridian_deg, found.datum) == (prefixed, zone.meridian_deg, datum)
    assert numbered(24) is None
    assert zone_at(20.0) is None


# --- seven parameters ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("convention", ["coordinate-frame", "position-vector"])
def test_seven_parameters_agree_with_the_formula(convention):
    """Worked anew with matrices: X' = t + (1 + s) R X, between the ellipsoids of Xian 1980 and CGCS2000."""
    given_ = Helmert(-12.0, 110.0, 50.0, 1.5, -2.5, 3.5, -4.5, convention)
    base = CRS.from_epsg(4610)
    a, f = base.ellipsoid.semi_major_metre, 1 / base.ellipsoid.inverse_flattening
    lon, lat = np.radians([112.6, 25.1])
    e2 = f * (2 - f)
    n = a / np.sqrt(1 - e2 * np.sin(lat) ** 2)
    xyz = np.array([n * np.cos(lat) * np.cos(lon), n * np.cos(lat) * np.sin(lon), n * (1 - e2) * np.sin(lat)])
    rx, ry, rz = np.radians(np.array([1.5, -2.5, 3.5]) / 3600)
    frame = np.array([[1, rz, -ry], [-rz, 1, rx], [ry, -rx, 1]])
    turn = frame if convention == "coordinate-frame" else frame.T
    moved = np.array([-12.0, 110.0, 50.0]) + (1 - 4.5e-6) * turn @ xyz
    a2, f2 = 6378137.0, 1 / 298.257222101
    e2 = f2 * (2 - f2)
    p, phi = np.hypot(moved[0], moved[1]), np.arctan2(moved[2], np.hypot(moved[0], moved[1]) * (1 - e2))
    for _ in range(20):
        n = a2 / np.sqrt(1 - e2 * np.sin(phi) ** 2)
        phi = np.arctan2(moved[2] + e2 * n * np.sin(phi), p)
    expected = np.degrees([np.arctan2(moved[1], moved[0]), phi])
    point = given_.apply(np.array([shapely.Point(112.6, 25.1)], dtype=object), base, "plan.shp")[0]
    assert np.hypot(*(shapely.get_coordinates(point)[0] - expected)) * 111_320 < 1e-4


def test_old_datums_are_converted_by_the_users_parameters_and_recorded():
    found = located(there(4526), 2362, helmert=read_helmert("-12,110,50,0,0,0,0"))
    assert found.transforms == (
        "plan.shp: unprojected from Xian 1980 / 3-degree Gauss-Kruger zone 38",
        "plan.shp: from Xian 1980 to CGCS2000 by the user's seven parameters -12.0,110.0,50.0,0.0,0.0,0.0,0.0,"
        "coordinate-frame",
    )
    assert 1e-5 < shapely.distance(found.geometry[0], shapely.Point(LON, LAT)) < 3e-3
    assert "parameters are given, but CGCS2000" in refused(there(4526), 4526, helmert=read_helmert("1,2,3,0,0,0,0"))


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "a,2,3,4,5,6,7", "1,2,3,4,5,6,nan", "1,2,3,4,5,6,7,left", "9999,0,0,0,0,0,0"]
)
def test_parameters_that_are_none(text):
    with pytest.raises(ConfigError, match="--helmert"):
        read_helmert(text)


# --- shifted maps --------------------------------------------------------------------------------------------


@given(st.floats(73.5, 135), st.floats(18, 53.5))
@settings(max_examples=100)
def test_shifts_are_taken_away_to_a_centimetre_all_over_china(lon, lat):
    for to, back in ((to_gcj02, from_gcj02), (to_bd09, from_bd09)):
        again = back(*to(np.array([lon]), np.array([lat])))
        assert np.hypot(again[0] - lon, again[1] - lat)[0] * 111_320 < 0.01


def test_a_shift_is_taken_away_on_request_and_recorded():
    shape = there(4490)
    for shift, to in (("gcj02", to_gcj02), ("bd09", to_bd09)):
        moved = shapely.transform(shape, lambda x, y, to=to: to(x, y), interleaved=False)
        found = located(moved, 4490, shifted=shift)
        assert shapely.equals_exact(found.geometry[0], shape[0], 1e-9)
        assert "shifted back" in found.transforms[-1]


@pytest.mark.parametrize(("shift", "to"), [("gcj02", to_gcj02), ("bd09", to_bd09)])
def test_a_shift_is_suspected_where_vertices_meet_known_ones_again(shift, to):
    known = np.random.default_rng(5).uniform((112.3, 24.8), (112.7, 25.2), (500, 2))
    own = np.random.default_rng(6).uniform((112.3, 24.8), (112.7, 25.2), (60, 2))
    given_ = np.column_stack(to(*np.concatenate([known[:20], own]).T))
    found = suspected_shift(given_, known)
    assert (found.shift, found.before, found.after) == (shift, 0, 20)
    east, north = (given_[:20] - known[:20]).mean(axis=0) * 111_320 * [np.cos(np.radians(25)), 1]
    assert found.distance_m == pytest.approx(np.hypot(east, north), rel=0.02)
    assert found.azimuth_deg % 360 == pytest.approx(np.degrees(np.arctan2(east, north)) % 360, abs=2)
    problem = found.problem("plan.shp")
    assert problem.level == "warning"
    assert f"--from {shift}" in problem.remedy


def test_no_shift_is_suspected_by_chance_or_where_vertices_already_meet():
    known = np.random.default_rng(5).uniform((112.3, 24.8), (112.7, 25.2), (20_000, 2))
    own = np.random.default_rng(6).uniform((112.3, 24.8), (112.7, 25.2), (5_000, 2))
    assert suspected_shift(own, known) is None
    assert suspected_shift(known, known) is None
    assert suspected_shift(own[:2], known) is None


def test_landings_are_ordered_and_complete():
    found = candidate_systems(np.array([[445_000.0, 2_765_000.0]]), CITY)
    distances = [one.distance_m for one in found]
    assert distances == sorted(distances)
    assert {f"EPSG:{4534 + i}" for i in range(21)} <= {str(one.reading) for one in found}


# --- screening -----------------------------------------------------------------------------------------------


def test_a_layer_of_another_city_answers_nothing(tmp_path):
    folder = toy.city(tmp_path / "city")
    toy.write(folder / "redline.gpkg", [toy.square(200_000, 0)])
    toy.write(folder / "town.gpkg", [toy.square(200_000, 0)])
    report = toy.screened(folder, toy.square(100, 100))
    for rule in ("redline", "town"):
        row = toy.row(report, rule)
        assert (row["state"], row["reason"]) == ("未核查", "layer-elsewhere")
    assert toy.verdict(report)["verdict"] == "核查不完整"
    reported = [str(p) for p in report.problems if p.level == "error"]
    assert reported == [
        f"layer '{name}' ({name}.gpkg): no feature of it lies in the city; its middle is 195 km east; "
        "its rules are not checked; give the layer of this city"
        for name in ("redline", "town")
    ]


def test_sites_read_for_a_city_are_held_against_its_outline(tmp_path):
    folder = toy.city(tmp_path / "city")
    sites = toy.sites(toy.square(0, 0)).to_crs(4547)
    wrong = sites.set_crs(4546, allow_override=True)
    with pytest.raises(SourceError, match=r"sites: as EPSG:4546 it lies 2\d\d km west of the city; EPSG:4547"):
        screen(wrong, folder, as_of=toy.AS_OF)
    assert screen(sites, folder, as_of=toy.AS_OF).verdicts["verdict"].iloc[0] == "存在禁止性冲突"


def test_shifted_sites_and_layers_are_suspected_when_screened(tmp_path):
    folder = toy.city(tmp_path / "city")

    def shifted(frame):
        moved = shapely.transform(frame.geometry.to_numpy(), to_gcj02, interleaved=False)
        return frame.set_geometry(moved, crs=4490)

    # The redline's own squares as sites: eight of their vertices are those of the layer.
    redline = open_catalogue(folder).load("redline").layer.frame
    own = redline.assign(activity="住宅")[["id", "name", "activity", "geometry"]]
    assert not [p for p in screen(own, folder, as_of=toy.AS_OF).problems if "looks shifted" in p.what]
    reported = [p for p in screen(shifted(own), folder, as_of=toy.AS_OF).problems if "looks shifted" in p.what]
    assert [(p.place, p.level) for p in reported] == [("sites", "warning")]
    assert re.match(r"looks shifted by 6\d\d m to the south-east, as GCJ-02 would be: 0 of its", reported[0].what)
    corrected = sites_from_frame(shifted(own), options=ReadOptions(shifted="gcj02"))
    assert shapely.equals_exact(corrected.frame.geometry.to_numpy(), own.geometry.to_numpy(), 1e-9).all()
    outline = open_catalogue(folder).load("city").layer.frame
    shifted(outline).to_file(folder / "units.gpkg", engine="pyogrio")
    assert "as GCJ-02 would be" in str(open_catalogue(folder).load("units").problems[-1])


def test_a_row_across_the_180th_meridian_does_not_stop_the_others():
    found = located(np.array([box(112.5, 25, 112.51, 25.01), box(-180, 20, 180, 30)]), 4490)
    assert found.geometry[1] is None
    assert [str(p) for p in found.problems] == [
        "plan.shp, row 2: reaches from -180.000, 20.000 to 180.000, 30.000, outside China, and cannot be used; "
        "correct its coordinates"
    ]


def test_a_batch_reads_its_sites_with_its_options_and_the_outline_of_the_city(tmp_path):
    folder = toy.city(tmp_path / "city")
    sites = toy.sites(*(toy.square(200 * i, 0) for i in range(6)))
    moved = shapely.transform(sites.geometry.to_numpy(), to_gcj02, interleaved=False)
    sites.set_geometry(moved, crs=4490).to_file(tmp_path / "shifted.gpkg", engine="pyogrio")
    options = BatchOptions(formats=("json",), shard_size=2, reading=ReadOptions(shifted="gcj02"))
    done = screen_batch(tmp_path / "shifted.gpkg", folder, tmp_path / "out", as_of=toy.AS_OF, settings=options)
    whole = screen(sites, folder, as_of=toy.AS_OF)
    assert dict(done.verdicts) == whole.verdicts["verdict"].value_counts().to_dict()
    assert any("shifted back from GCJ-02" in step for step in done.report.provenance.transforms)
    wrong = sites.to_crs(4547).set_crs(4546, allow_override=True)
    wrong.to_file(tmp_path / "wrong.gpkg", engine="pyogrio")
    settings_ = BatchOptions(formats=("json",), shard_size=2)
    with pytest.raises(SourceError, match=r"as EPSG:4546 it lies 2\d\d km west of the city"):
        screen_batch(tmp_path / "wrong.gpkg", folder, tmp_path / "out2", as_of=toy.AS_OF, settings=settings_)
