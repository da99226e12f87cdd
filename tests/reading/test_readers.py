"""Files of sites: common variants, and the messages for those that cannot be used."""

from __future__ import annotations

import hashlib

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
import toy
from pyproj import CRS
from shapely import LineString, Point, Polygon, box

from lzgis.errors import LayerError, SourceError
from lzgis.reading import READERS, SITE_FIELDS, read_sites, read_vector, sha256_of, sites_from_frame
from lzgis.reading.repair import repair_geometries

SHAPES = [box(112.5, 25, 112.51, 25.01), Point(112.5, 25), LineString([(112.5, 25), (112.6, 25)])]


def frame(**columns):
    n = len(next(iter(columns.values())))
    return gpd.GeoDataFrame(columns, geometry=[SHAPES[i % 3] for i in range(n)], crs="EPSG:4490")


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".json", ".fgb", ".shp", ".kml"])
def test_the_formats_that_planners_have(tmp_path, suffix):
    path = tmp_path / f"地块{suffix}"
    sites = toy.sites(toy.square(0, 0), toy.square(200, 0))
    if suffix == ".kml":
        sites = sites.to_crs(4326).rename(columns={"id": "site_id"})
    elif suffix in (".geojson", ".json"):
        sites = sites.to_crs(4326)
    drivers = {".json": "GeoJSON", ".kml": "KML"}
    sites.to_file(path, engine="pyogrio", **({"driver": drivers[suffix]} if suffix in drivers else {}))
    table = read_sites(path)
    assert len(table.frame) == 2
    assert table.frame["activity"].tolist() == ["住宅", "住宅"]
    if suffix != ".kml":
        # FlatGeobuf keeps features in the order of its index.
        named = zip(table.frame["id"], table.frame["name"], strict=True)
        assert sorted(named) == [("s1", "地块1"), ("s2", "地块2")]
    assert table.frame.crs == "EPSG:4490"
    assert shapely.area(toy.PLANE.project(table.frame.geometry.to_numpy())) == pytest.approx(10_000, rel=1e-4)
    assert len(table.source.sha256) == 64
    assert ("xml.etree" if suffix == ".kml" else "GDAL") in table.source.engine


@pytest.mark.parametrize(("field", "alias"), [(f, a) for f, aliases in SITE_FIELDS.items() for a in aliases])
def test_every_alias_of_a_column_is_taken(field, alias):
    table = sites_from_frame(frame(**{alias: ["a", "b"]}))
    assert table.frame[field].tolist() == ["a", "b"]
    assert alias == field or alias not in table.frame.columns


def test_the_first_alias_found_is_taken_and_other_columns_are_kept():
    table = sites_from_frame(frame(编号=["x", "y"], id=["1", "2"], 备注=["甲", None]))
    assert table.frame["id"].tolist() == ["1", "2"]
    assert list(table.frame.columns) == ["id", "name", "activity", "编号", "备注", "geometry"]


def test_without_ids_rows_are_numbered_and_that_is_reported():
    table = sites_from_frame(frame(name=["甲", "乙"]), name="sites.shp")
    assert table.frame["id"].tolist() == ["1", "2"]
    reported = {p.what: (p.level, p.remedy) for p in table.problems}
    assert reported["has no id column"] == ("note", "rows are numbered from 1")
    assert reported["has no column of activities"][0] == "warning"


def test_numbers_and_blanks_become_text():
    table = sites_from_frame(frame(id=[1.0, 2.0], name=[" 甲 ", None], activity=[np.nan, "住宅"]))
    assert table.frame["id"].tolist() == ["1", "2"]
    assert table.frame["name"].tolist() == ["甲", ""]
    assert table.frame["activity"].tolist() == ["", "住宅"]


def test_ids_given_twice_name_their_rows():
    with pytest.raises(SourceError) as error:
        sites_from_frame(frame(id=["a", "b", "a ", "c"]), name="sites.gpkg")
    assert str(error.value) == "sites.gpkg, rows 1, 3: share the id 'a'; give each site an id of its own"


def test_an_id_left_out_names_its_row():
    with pytest.raises(SourceError, match=r"sites\.gpkg, row 2, field '编号': is empty; give every site an id"):
        sites_from_frame(frame(编号=["a", None]), name="sites.gpkg")


def test_the_index_of_a_frame_does_not_matter():
    sites = frame(id=["a", "b", "c"]).set_index(pd.Index([7, 7, 9]))
    table = sites_from_frame(sites)
    assert table.frame["id"].tolist() == ["a", "b", "c"]
    assert table.frame.geometry.iloc[1].equals(SHAPES[1])


def test_a_geometry_column_may_have_any_name():
    table = sites_from_frame(frame(id=["a"]).rename_geometry("图形"))
    assert list(table.frame.columns) == ["id", "name", "activity", "geometry"]


def test_a_file_without_a_system_of_coordinates(tmp_path):
    with pytest.warns(UserWarning, match="crs"):
        frame(id=["a"]).set_crs(None, allow_override=True).to_file(tmp_path / "s.shp", engine="pyogrio")
    with pytest.raises(SourceError, match=r"s\.shp: has no coordinate reference system; declare it"):
        read_sites(tmp_path / "s.shp")


def test_a_file_in_another_datum(tmp_path):
    frame(id=["a"]).set_crs(4610, allow_override=True).to_file(tmp_path / "s.gpkg", engine="pyogrio")
    with pytest.raises(LayerError, match=r"s\.gpkg: the datum of Xian 1980 is not CGCS2000"):
        read_sites(tmp_path / "s.gpkg")


def test_files_that_hold_nothing_to_check(tmp_path):
    frame(id=["a"]).iloc[:0].to_file(tmp_path / "none.gpkg", engine="pyogrio")
    with pytest.raises(SourceError, match=r"none\.gpkg: has no rows; give at least one site"):
        read_sites(tmp_path / "none.gpkg")
    pyogrio.write_dataframe(pd.DataFrame({"id": ["a"]}), tmp_path / "table.gpkg")
    with pytest.raises(SourceError, match=r"table\.gpkg: has no geometry"):
        read_sites(tmp_path / "table.gpkg")


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "plan.dwg").write_bytes(b"AC1032")
    with pytest.raises(SourceError, match=r"files that end in '\.dwg' are not read; allowed: \.gpkg \.shp"):
        read_vector(tmp_path / "plan.dwg")
    with pytest.raises(SourceError, match="the file does not exist; check the path"):
        read_vector(tmp_path / "none.gpkg")


@pytest.mark.parametrize("suffix", sorted(READERS))
def test_a_file_that_is_none_of_its_kind_is_named(tmp_path, suffix):
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(b"this is no such file")
    with pytest.raises(SourceError) as error:
        read_vector(path)
    assert error.value.place.startswith(str(path))


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("https://example.com/sites.geojson", "is on the network, which is not used without permission"),
        ("/vsicurl/https://example.com/sites.gpkg", "virtual paths are not opened"),
        ("/vsizip/sites.zip/sites.shp", "virtual paths are not opened"),
        ('{"type": "Point", "coordinates": [112, 25]}', "is the data themselves, not the path of a file"),
        ("<OGRVRTDataSource/>", "is the data themselves, not the path of a file"),
        ("PG:host=localhost dbname=gis", "addresses that begin with 'pg:' are not opened"),
        ("GPKG:sites.gpkg:sites", "addresses that begin with 'gpkg:' are not opened"),
        ("s3://bucket/sites.gpkg", "addresses that begin with 's3:' are not opened"),
        ("file:///etc/sites.gpkg", "addresses that begin with 'file:' are not opened"),
        ("a" * 5000 + ".gpkg", "is no path (File name too long)"),
    ],
)
def test_what_is_no_path_of_a_file_is_refused(given, what):
    with pytest.raises(SourceError) as error:
        read_vector(given)
    assert error.value.what == what


def test_a_file_with_the_name_of_a_connection_is_a_file(tmp_path, monkeypatch):
    frame(id=["a"]).to_file(tmp_path / "s.gpkg", engine="pyogrio")
    (tmp_path / "s.gpkg").rename(tmp_path / "PG:s.gpkg")
    monkeypatch.chdir(tmp_path)
    assert read_vector("PG:s.gpkg").frame["id"].tolist() == ["a"]


def test_a_path_may_be_relative(tmp_path, monkeypatch):
    frame(id=["a"]).to_file(tmp_path / "s.gpkg", engine="pyogrio")
    monkeypatch.chdir(tmp_path)
    assert read_vector("s.gpkg").frame["id"].tolist() == ["a"]


def test_one_layer_of_several_must_be_named(tmp_path):
    path = tmp_path / "two.gpkg"
    for layer in ("甲", "乙"):
        frame(id=[layer]).to_file(path, layer=layer, engine="pyogrio")
    with pytest.raises(SourceError, match="holds 2 layers; name one of 甲, 乙"):
        read_sites(path)
    with pytest.raises(SourceError, match="has no layer '丙'; name one of 甲, 乙"):
        read_sites(path, layer="丙")
    assert read_sites(path, layer="乙").frame["id"].tolist() == ["乙"]


def test_the_fingerprint_of_a_file_is_its_sha256_and_that_of_a_folder_is_stable(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()
    before = sha256_of(tmp_path)
    assert before == sha256_of(tmp_path)
    (tmp_path / "a").write_bytes(b"abd")
    assert sha256_of(tmp_path) != before


def mended(*shapes, accept="listed"):
    ids = np.array([f"f{i}" for i in range(len(shapes))])
    return repair_geometries(np.array(shapes, dtype=object), ids, "here", accept=accept)


def test_sound_shapes_are_left_alone():
    done = mended(*SHAPES)
    assert done.problems == ()
    assert done.usable.all()
    assert shapely.equals_identical(done.geometry, np.array(SHAPES, dtype=object)).all()


def test_shapes_that_collapse_cannot_be_used():
    flat = Polygon([(112.5, 25), (112.6, 25), (112.5, 25)])
    dot = LineString([(112.5, 25), (112.5, 25)])
    done = mended(flat, dot, SHAPES[0])
    assert done.usable.tolist() == [False, False, True]
    assert [p.level for p in done.problems] == ["error", "error"]
    assert all("cannot be repaired" in p.what for p in done.problems)


TEN = box(0, 0, 10, 10)
CHANGED = {
    "parts that overlap": (shapely.MultiPolygon([TEN, box(5, 0, 15, 10)]), 200, 150),
    "equal shells": (shapely.MultiPolygon([TEN, TEN]), 200, 100),
    "nested shells": (shapely.MultiPolygon([TEN, box(2, 2, 4, 4)]), 104, 100),
    "a hole that sticks out": (Polygon(TEN.exterior.coords, [box(8, 8, 12, 12).exterior.coords]), 84, 96),
    "a hole twice": (Polygon(TEN.exterior.coords, [box(2, 2, 4, 4).exterior.coords] * 2), 92, 96),
    "a ring run through twice": (Polygon([*TEN.exterior.coords, *TEN.exterior.coords]), 200, 100),
    "a bow tie": (Polygon([(0, 0), (10, 10), (10, 0), (0, 10)]), 0, 50),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_repair_that_changes_the_area_needs_to_be_accepted(name):
    shape, before, after = CHANGED[name]
    there = toy.PLANE.unproject([shape])[0]
    refused, taken = mended(there), mended(there, accept="accepted")
    assert refused.accepted.tolist() == [None]
    assert shapely.equals_exact(refused.doubtful[0], shapely.convex_hull(there), 1e-12, normalize=True)
    assert refused.problems[0].level == "error"
    assert refused.problems[0].remedy == "draw it again, or accept the repair"
    assert taken.doubtful == ()
    assert shapely.is_valid(taken.accepted[0])
    assert shapely.area(toy.PLANE.project(taken.geometry))[0] == pytest.approx(after, rel=1e-6)
    assert [p.level for p in taken.problems] == ["warning"]
    assert f"{after:.2f} ㎡ after" in taken.problems[0].what
    assert taken.problems[0].place == "here, feature 'f0'"
    for done, accepted in ((refused, False), (taken, True)):
        (one,) = done.repairs
        assert (one.place, one.feature, one.accepted) == ("here", "f0", accepted)
        assert (one.area_before_m2, one.area_after_m2) == pytest.approx((before, after), rel=1e-6, abs=1e-4)


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        (Polygon([(0, 0), (10, 0), (10, 10), (0, 10), (0, 0), (5, -5), (0, 0)]), 100),  # a spike without width
        (shapely.MultiPolygon([TEN, box(10, 0, 20, 10)]), 200),  # parts that share a side
        (Polygon([(0, 0), (10, 0), (10, 10), (0, 10), (0, 0), (0.1, -0.05), (0.1, 0.05)]), 100),  # a loop of 50 cm²
    ],
)
def test_a_repair_that_keeps_the_area_is_made_and_listed(shape, area):
    done = mended(toy.PLANE.unproject([shape])[0])
    assert shapely.is_valid(done.accepted[0])
    assert shapely.area(toy.PLANE.project(done.accepted))[0] == pytest.approx(area, abs=0.02)
    assert [r.accepted for r in done.repairs] == [True]


def test_what_one_repair_leaves_broken_is_repaired_again():
    # GEOS rounds the crossings of this one so that its first result crosses itself.
    ring = [(0, 0), (2, 1), (1, 0), (2, 0), (2, 1), (1, 0), (0, 0)]
    crossing = Polygon([(112.5 + x * 1e-4, 25 + y * 1e-4) for x, y in ring])
    assert shapely.is_valid(mended(crossing, accept="accepted").accepted[0])


def test_points_given_twice_are_no_fault_and_a_ring_is_a_closed_line():
    twice = Polygon([(0, 0), (0, 0), (1, 0), (1, 0), (1, 1)])
    done = mended(twice, shapely.LinearRing([(0, 0), (1, 0), (1, 1)]))
    assert done.problems == ()
    assert shapely.get_num_coordinates(done.geometry[0]) == 6
    # A bare ring in a GeoPackage ends the process that writes it.
    assert done.geometry[1].geom_type == "LineString"
    assert done.geometry[1].is_closed


def test_a_mixture_is_reduced_to_its_highest_dimension_and_reported():
    both = shapely.GeometryCollection([SHAPES[2], SHAPES[1]])
    same_dimension = shapely.GeometryCollection([box(0, 0, 1, 1), box(2, 0, 3, 1)])
    done = mended(both, same_dimension)
    assert done.geometry[0].geom_type == "LineString"
    assert done.geometry[1].geom_type == "MultiPolygon"
    assert [p.what for p in done.problems] == [
        "is a mixture of points, lines or polygons, of which only the lines are used"
    ]


def test_the_names_of_systems_are_kept_for_the_record():
    table = sites_from_frame(frame(id=["a"]).to_crs(4526))
    assert table.source.crs == CRS.from_epsg(4526).name
    assert len(table.transforms) == 1
