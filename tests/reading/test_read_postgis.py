"""PostGIS, with a real server: layers, filters, systems, and nothing that a user writes becomes SQL."""

from __future__ import annotations

import math
import sys

import pytest
import shapely
import toy
from command_line import run
from postgis_server import database, psycopg
from pyproj import CRS
from shapely import box

from lzgis.city.catalogue import open_catalogue
from lzgis.errors import SourceError
from lzgis.reading import ReadOptions, is_address, read_sites, read_vector, shown
from lzgis.reading.formats.postgis import content_sha256

SETUP = '''
CREATE TABLE public.sites (gid serial PRIMARY KEY, "编号" text, "状态" text, area numeric, geom geometry(Polygon, 4490));
INSERT INTO public.sites ("编号", "状态", area, geom) VALUES
  ('丙', '拟建', 1.5, 'SRID=4490;POLYGON((112.6 25, 112.61 25, 112.61 25.01, 112.6 25))'),
  ('甲', '拟建', NULL, 'SRID=4490;POLYGON((112.4 25, 112.41 25, 112.41 25.01, 112.4 25))'),
  ('乙''; DROP TABLE sites; --', '已建', 2, 'SRID=4490;POLYGON((112.5 25, 112.51 25, 112.51 25.01, 112.5 25))');
CREATE SCHEMA "规划";
CREATE TABLE "规划"."红线 ""A""" (id int PRIMARY KEY, "Geom" geometry(MultiPolygon, 4526), middle geometry(Point, 4526));
INSERT INTO "规划"."红线 ""A""" VALUES (1, ST_Multi(ST_GeomFromText('POLYGON((38412000 2765000, 38412100 2765000,
  38412100 2765100, 38412000 2765000))', 4526)), ST_GeomFromText('POINT(38412000 2765000)', 4526));
CREATE TABLE public.nowhere (id int, geom geometry(Point));
INSERT INTO public.nowhere VALUES (1, ST_Point(112, 25));
CREATE VIEW public.planned AS SELECT "编号" AS id, geom FROM public.sites WHERE "状态" = '拟建';
'''


@pytest.fixture(scope="module")
def address():
    with database() as one:
        with psycopg.connect(one.replace("postgis://", "postgresql://"), autocommit=True) as connection:
            connection.execute(SETUP)
        yield one


def test_a_table_in_the_order_of_its_key(address):
    read = read_vector(address, layer="public.sites")
    assert read.frame["编号"].tolist() == ["丙", "甲", "乙'; DROP TABLE sites; --"]
    assert read.frame.geometry.iloc[1].bounds == (112.4, 25, 112.41, 25.01)
    assert read.frame.crs.to_epsg() == 4490
    assert read.crs.how == "SRID 4490 of the table"
    assert "PostGIS 3" in read.engine
    assert "psycopg" in read.engine
    assert read.sha256 == content_sha256(read.frame)
    assert read.name == f"{shown(address)} public.sites"


def test_sites_of_a_database_and_the_name_that_outputs_say(address):
    table = read_sites(address, layer="planned")
    assert sorted(table.frame["id"]) == ["丙", "甲"]
    assert table.source.name.endswith(" public.planned")
    assert "postgres@" not in table.source.name
    # A path makes one slash of two.
    assert len(read_sites(address.replace("//", "/"), layer="planned").frame) == 2


def test_a_filter_is_bound_and_not_pasted(address):
    read = read_vector(address, layer="sites", options=ReadOptions(where={"编号": ["乙'; DROP TABLE sites; --", "甲"]}))
    assert read.frame["编号"].tolist() == ["甲", "乙'; DROP TABLE sites; --"]
    assert any(p.what == "2 rows meet the filter" for p in read.problems)
    both = {"状态": ["拟建"], "area": ["1.5"]}
    assert read_vector(address, layer="sites", options=ReadOptions(where=both)).frame["编号"].tolist() == ["丙"]
    with pytest.raises(SourceError, match=r"has no field '1=1; --'; there are gid, 编号, 状态, area, geom"):
        read_vector(address, layer="sites", options=ReadOptions(where={"1=1; --": ["x"]}))
    assert len(read_vector(address, layer="sites").frame) == 3


@pytest.mark.parametrize("layer", ["sites; DROP TABLE sites", "sites WHERE 1=1", "(SELECT 1)", 'public."sites"'])
def test_a_layer_is_looked_up_and_not_pasted(address, layer):
    with pytest.raises(
        SourceError, match=r"has no layer '.*'; name one of public\.nowhere, public\.planned, public\.sites, 规划"
    ):
        read_vector(address, layer=layer)


def test_a_layer_must_be_named(address):
    with pytest.raises(SourceError, match=r"holds 5 layers; name one of public\.nowhere"):
        read_vector(address)


def test_names_of_any_kind_and_several_columns_of_shapes(address):
    layer = '规划.红线 "A"'
    with pytest.raises(SourceError, match=r'name one of 规划\.红线 "A"\.Geom, 规划\.红线 "A"\.middle'):
        read_vector(address, layer=layer)
    read = read_vector(address, layer=f"{layer}.Geom")
    assert read.frame.geometry.iloc[0].area == 5000
    assert read.frame.crs.to_epsg() == 4526
    assert [p.what for p in read.problems] == ["has more than one column of shapes; middle were left out"]


def test_a_table_without_a_system(address):
    read = read_vector(address, layer="nowhere")
    assert (read.frame.crs, read.crs) == (None, None)
    assert read_vector(address, layer="nowhere", options=ReadOptions(crs="EPSG:4490")).frame.crs.to_epsg() == 4490


def test_a_materialised_view_and_rows_that_bear_the_system_themselves(address):
    rows = "(1, 'SRID=4526;POINT(38412000 2765000)'::geometry), (2, 'SRID=4490;POINT(112 25)'::geometry)"
    shapes = f"(VALUES {rows}) AS v (id, geom)"
    with psycopg.connect(address.replace("postgis://", "postgresql://"), autocommit=True) as connection:
        connection.execute(f"CREATE MATERIALIZED VIEW one AS SELECT * FROM {shapes} WHERE id = 1")
        connection.execute(f"CREATE MATERIALIZED VIEW mixed AS SELECT * FROM {shapes}")
        try:
            read = read_vector(address, layer="one")
            assert (read.frame.crs.to_epsg(), read.crs.how) == (4526, "SRID 4526 of the table")
            with pytest.raises(SourceError, match="mixes reference systems: SRID 4490, 4526; bring them to one"):
                read_vector(address, layer="mixed")
        finally:
            connection.execute("DROP MATERIALIZED VIEW one; DROP MATERIALIZED VIEW mixed")


def test_a_system_of_an_offices_own(address):
    make = "INSERT INTO spatial_ref_sys (srid, auth_name, srtext) VALUES (990001, '连州', %s), (990002, '连州', '?')"
    with psycopg.connect(address.replace("postgis://", "postgresql://"), autocommit=True) as connection:
        connection.execute(make, [CRS.from_epsg(4526).to_wkt("WKT1_GDAL")])
        for srid in (990001, 990002):
            connection.execute(f"CREATE TABLE own_{srid} (id int, geom geometry(Point, {srid}))")
            connection.execute(f"INSERT INTO own_{srid} VALUES (1, ST_Point(38412000, 2765000, {srid}))")
        try:
            read = read_vector(address, layer="own_990001")
            assert read.frame.crs.coordinate_operation == CRS.from_epsg(4526).coordinate_operation
            with pytest.raises(SourceError, match="'SRID 990002' is no reference system; correct spatial_ref_sys"):
                read_vector(address, layer="own_990002")
        finally:
            connection.execute("DROP TABLE own_990001, own_990002")


def test_the_database_cannot_be_written_to(address):
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import DBAPIError

    from lzgis.reading.formats.postgis import _LIMITS

    engine = create_engine(address.replace("postgis://", "postgresql+psycopg://"), connect_args={"options": _LIMITS})
    with engine.connect() as connection, pytest.raises(DBAPIError, match="read-only"):
        connection.execute(text("DELETE FROM sites"))
    engine.dispose()


def test_a_password_is_never_shown(address):
    host = shown(address).split("://")[1].split("/")[0]
    for wrong in (f"postgis://nobody:s3cret@{host}/lzgis", f"postgis://nobody:s3cret@{host}/nothing_here"):
        with pytest.raises(
            SourceError, match=r"the database refused \(.*\); check host, database, user and rights"
        ) as error:
            read_vector(wrong)
        assert "s3cret" not in str(error.value)
        assert error.value.__cause__ is None
    with pytest.raises(SourceError, match="the database refused") as error:
        read_vector("postgis://nobody:s3cret@127.0.0.1:9/lzgis")
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    "wrong", ["postgis://user:s3cret@host", "postgis://host/db?options=-c%20x", "postgis://h:port/db"]
)
def test_what_is_no_address_of_a_database(wrong):
    with pytest.raises(
        SourceError, match=r"is no address of a database; write postgis://user@host:port/database"
    ) as error:
        read_vector(wrong)
    assert "s3cret" not in str(error.value)


def test_a_database_without_postgis(address):
    with psycopg.connect(address.replace("postgis://", "postgresql://"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE plain_one")
        try:
            with pytest.raises(SourceError, match="is no PostGIS database; CREATE EXTENSION postgis there"):
                read_vector(address.rpartition("/")[0] + "/plain_one")
        finally:
            connection.execute("DROP DATABASE plain_one WITH (FORCE)")


def test_without_the_extra_it_is_reported_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(
        SourceError, match=r"needs packages that are not installed: SQLAlchemy, psycopg; install it with: pip"
    ):
        read_vector("postgis://host/db")


def test_a_layer_of_a_city_may_lie_in_a_database(address, tmp_path):
    city = toy.city(tmp_path)
    ring = toy.PLANE.unproject([box(0, 0, 100, 100)])[0].wkt
    with psycopg.connect(address.replace("postgis://", "postgresql://"), autocommit=True) as connection:
        connection.execute(
            "DROP TABLE IF EXISTS redline; CREATE TABLE redline (id text, keep text, geom geometry(Polygon, 4490))"
        )
        connection.execute("INSERT INTO redline VALUES ('r1', 'y', ST_GeomFromText(%s, 4490))", [ring])
        connection.execute("INSERT INTO redline VALUES ('r2', 'n', ST_GeomFromText(%s, 4490))", [ring])
    secret = address.replace("postgres@", "postgres:s3cret@")
    declaration = f'source = "{secret}"\nsource_layer = "public.redline"\nwhere = {{ keep = ["y"] }}'
    toy.changed(city, "catalog.toml", ('source = "redline.gpkg"', declaration))
    report = toy.screened(city, toy.square(0, 0))
    source = next(s for s in report.provenance.sources if s.role == "redline")
    assert source.name == shown(address)
    assert open_catalogue(city).fingerprint("redline") == (source.name, source.sha256)
    assert len(source.sha256) == 64
    assert "PostGIS" in source.engine
    assert "s3cret" not in repr(report.provenance) + repr(report.problems)
    layer = report.layers["redline"].frame
    assert layer["id"].tolist() == ["r1"]
    assert shapely.area(toy.PLANE.project(layer.geometry.to_numpy()))[0] == pytest.approx(10_000)


def test_the_command_line_writes_no_password_anywhere(address, tmp_path):
    secret = address.replace("postgres@", "postgres:s3cret@")
    done = run(
        "screen", secret, "--site-layer", "planned", "--out", tmp_path / "out", "--format", "json", "--as-of", toy.AS_OF
    )
    assert (tmp_path / "out" / "report.json").exists(), done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    for file in (p for p in (tmp_path / "out").rglob("*") if p.is_file()):
        assert b"s3cret" not in file.read_bytes(), file


def test_addresses_are_distinguished_from_paths():
    assert is_address("postgis://h/d")
    assert is_address("postgresql:/h/d")
    assert not is_address("C:\\data\\sites.shp")
    assert not is_address("PG:dbname=gis")


SHAPES = """
CREATE TABLE public.shapes (id text PRIMARY KEY, geom geometry(Geometry, 4526));
INSERT INTO public.shapes VALUES
  ('a', 'SRID=4526;POLYGON((38412000 2765000, 38412100 2765000, 38412100 2765100, 38412000 2765000))'),
  ('b', 'SRID=4526;CURVEPOLYGON(CIRCULARSTRING(38411950 2765000, 38412050 2765000, 38411950 2765000))'),
  ('c', 'SRID=4526;CURVEPOLYGON(CIRCULARSTRING(38411500 2765000, 38412500 2765000, 38411500 2765000))'),
  ('d', 'SRID=4526;TIN(((38412000 2765000, 38412100 2765000, 38412100 2765100, 38412000 2765000)))'),
  ('e', NULL);
"""


@pytest.fixture
def shapes(address):
    with psycopg.connect(address.replace("postgis://", "postgresql://"), autocommit=True) as connection:
        connection.execute(SHAPES)
        yield address
        connection.execute("DROP TABLE public.shapes")


def test_arcs_and_surfaces_are_reported_and_listed(shapes):
    read = read_vector(shapes, layer="shapes")
    assert read.frame["id"].tolist() == ["a", "b", "c", "d", "e"]
    assert read.frame.geometry.isna().tolist() == [False, False, False, False, True]
    assert set(shapely.get_srid(read.frame.geometry.to_numpy()[:4])) == {4526}
    done = {change.rows: (str(change.what), change.drawn) for change in read.changes}
    assert done[3,] == ("is a surface of triangles or polygons and was taken as their outlines", ())
    # Circles of 50 m and 500 m: π r² less by about 1.3e-5, and by 5e-7 where that would be more than 1 ㎡.
    for row, step, radius_m in ((1, 0.5, 50), (2, 0.1, 500)):
        what, (share,) = done[row,]
        assert what == f"its arcs were drawn as chords of {step}°"
        assert read.frame.geometry.iloc[row].area * share == pytest.approx(math.pi * radius_m**2, rel=2e-7)
        lost_m2 = math.pi * radius_m**2 - read.frame.geometry.iloc[row].area
        assert lost_m2 == pytest.approx(math.pi * radius_m**2 * math.radians(step) ** 2 / 6, rel=0.02)
    place = f"{shown(shapes)} public.shapes"
    assert [p.place for p in read.problems if p.what.startswith("curves are drawn")] == [place, place]
    sites = read_sites(shapes, layer="shapes")
    assert [(r.feature, r.accepted) for r in sites.repairs] == [("c", True), ("b", True), ("d", True)]
