"""A city's folder: its catalogue, its layers as they are read, and figures measured beside declared."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
import toy
from shapely import LineString, MultiPolygon, Point, Polygon, box

from lzgis.city.catalogue import (
    area_km2,
    measure_declared,
    missing_layers,
    open_catalogue,
    read_layer,
    unknown_values,
)
from lzgis.errors import ConfigError, LayerError, SourceError


@pytest.fixture
def folder(tmp_path):
    return toy.city(tmp_path / "city")


def save(folder, name, data, geometry, crs="EPSG:4490"):
    gpd.GeoDataFrame(data, geometry=geometry, crs=crs).to_file(folder / name, engine="pyogrio")


def degrees(*shapes):
    return toy.PLANE.unproject(np.array(shapes, dtype=object))


def load_error(folder, kind, layer="redline"):
    with pytest.raises(kind) as error:
        open_catalogue(folder).load(layer)
    return str(error.value)


def test_nothing_is_read_before_it_is_used(folder):
    for path in folder.glob("*.gpkg"):
        path.write_bytes(b"not a database")
    city = open_catalogue(folder)
    assert city.city.name == "玩具市"
    assert list(city.layers) == [
        "city",
        "redline",
        "units",
        "town",
        "roads",
        "zones",
        "rivers",
        "river_lines",
    ]
    assert city.book.rule("redline").layer == "redline"


def test_a_city_is_opened_by_its_folder_or_its_file(folder):
    assert open_catalogue(folder / "catalog.toml").root == folder
    assert open_catalogue(str(folder)).root == folder


def test_a_layer_is_read_once(folder):
    city = open_catalogue(folder)
    assert city.load("redline") is city.load("redline")
    assert city.plane == toy.PLANE
    assert city.backdrop is None


def test_a_folder_without_a_catalogue(tmp_path):
    with pytest.raises(ConfigError, match=r"catalog\.toml: the file does not exist; make one with 'lzgis init DIR'"):
        open_catalogue(tmp_path)
    with pytest.raises(ConfigError, match="the file does not exist"):
        open_catalogue(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "[city]",
            '[city]\noutline = "citty"',
            "city.outline: layer 'citty' is not described; did you mean 'city'?",
        ),
        (
            "[layer.units]",
            '[layer.units]\ncoverage = "towns"',
            "layer.units.coverage: layer 'towns' is not described; did you mean 'town'?",
        ),
        (
            "[layer.units]",
            '[layer.units]\nbaselin = "x"',
            "layer.units: key 'baselin' is not known; did you mean 'baseline'?",
        ),
    ],
)
def test_a_catalogue_that_contradicts_itself(folder, old, new, message):
    toy.changed(folder, "catalog.toml", (old, new))
    with pytest.raises(ConfigError) as error:
        open_catalogue(folder)
    assert str(error.value).startswith(f"{folder / 'catalog.toml'}, {message}")


def test_a_layer_that_is_not_described_or_not_there(folder):
    city = open_catalogue(folder)
    with pytest.raises(ConfigError, match="layer 'redlines' is not described; did you mean 'redline'"):
        city.load("redlines")
    (folder / "redline.gpkg").unlink()
    assert not city.exists("redline")
    assert not city.exists("redlines")
    assert city.exists("units")
    with pytest.raises(SourceError, match=r"redline\.gpkg: the file does not exist; check the path"):
        city.load("redline")
    assert missing_layers(city, city.book).to_dict() == {"caves": "溶洞", "redline": "生态保护红线"}


def test_without_its_outline_a_city_cannot_be_worked(folder):
    (folder / "city.gpkg").unlink()
    with pytest.raises(SourceError, match=r"city\.gpkg: the file does not exist"):
        toy.screened(folder, toy.square(0, 0))


def test_a_layer_without_a_system_of_coordinates(folder):
    (folder / "redline.gpkg").unlink()
    shape = gpd.GeoDataFrame({"id": ["r"]}, geometry=degrees(box(0, 0, 9, 9)))
    with pytest.warns(UserWarning, match="crs"):
        shape.to_file(folder / "redline.shp", engine="pyogrio")
    toy.changed(folder, "catalog.toml", ("redline.gpkg", "redline.shp"))
    message = load_error(folder, LayerError)
    assert message == (
        "layer 'redline' (redline.shp): has no coordinate reference system; "
        "write EPSG:4490 into the file or the catalogue, if that is it"
    )


def test_the_system_that_a_catalogue_writes_is_that_of_a_layer_that_names_none(folder):
    (folder / "redline.gpkg").unlink()
    shape = gpd.GeoDataFrame({"id": ["r"]}, geometry=degrees(box(0, 0, 9, 9)))
    with pytest.warns(UserWarning, match="crs"):
        shape.to_file(folder / "redline.shp", engine="pyogrio")
    entry = 'source = "redline.shp"\ncrs = "EPSG:4490"'
    toy.changed(folder, "catalog.toml", ('source = "redline.gpkg"', entry))
    loaded = open_catalogue(folder).load("redline")
    assert len(loaded.layer.frame) == 1
    assert "names no coordinate reference system; EPSG:4490 is taken" in {p.what for p in loaded.problems}


def test_a_layer_in_text_of_a_declared_encoding_of_which_rows_are_kept(folder):
    (folder / "redline.gpkg").unlink()
    first, second = degrees(box(0, 0, 9, 9), box(20, 0, 29, 9))
    (folder / "red.csv").write_bytes(f"id\tname\tWKT\nr1\t連州\t{first.wkt}\nr2\t甲\t{second.wkt}\n".encode("big5"))
    entry = 'source = "red.csv"\ncrs = "EPSG:4490"\nencoding = "Big5"\nwhere = { id = ["r1"] }'
    toy.changed(folder, "catalog.toml", ('source = "redline.gpkg"', entry))
    loaded = open_catalogue(folder).load("redline")
    assert loaded.layer.frame["name"].tolist() == ["連州"]
    assert "1 of 2 rows are used" in {p.what for p in loaded.problems}


def test_a_file_of_its_own_that_names_no_system_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="crs"):
        gpd.GeoDataFrame({"id": ["r"]}, geometry=degrees(box(0, 0, 9, 9))).to_file(tmp_path / "r.shp", engine="pyogrio")
    with pytest.raises(LayerError, match="has no coordinate reference system"):
        read_layer(tmp_path / "r.shp")


def test_a_layer_in_another_system_than_the_catalogue_declares(folder):
    save(folder, "redline.gpkg", {"id": ["r"]}, degrees(box(0, 0, 9, 9)), "EPSG:4326")
    assert "is in WGS 84, and the catalogue names no 'crs', which means EPSG:4490" in load_error(folder, LayerError)


@pytest.mark.parametrize("crs", [4610, 2382, 4214])
def test_a_layer_in_another_datum_is_refused(folder, crs):
    save(folder, "redline.gpkg", {"id": ["r"]}, degrees(box(0, 0, 9, 9)), f"EPSG:{crs}")
    toy.changed(folder, "catalog.toml", ('source = "redline.gpkg"', f'source = "redline.gpkg"\ncrs = "EPSG:{crs}"'))
    assert "is not CGCS2000" in load_error(folder, LayerError)


def test_a_system_that_does_not_exist(folder):
    toy.changed(folder, "catalog.toml", ('source = "redline.gpkg"', 'source = "redline.gpkg"\ncrs = "EPSG:1"'))
    assert "'EPSG:1' is no reference system; write one like EPSG:4490" in load_error(folder, ConfigError)


def test_ids_must_be_there_and_be_unique(folder):
    shapes = degrees(box(0, 0, 9, 9), box(20, 0, 29, 9))
    save(folder, "redline.gpkg", {"KEY": ["a", "b"]}, shapes)
    assert "has no field 'id'; name the id field; there are KEY, geometry" in load_error(folder, LayerError)
    toy.changed(folder, "catalog.toml", ('source = "redline.gpkg"', 'source = "redline.gpkg"\nid = "KEY"'))
    assert open_catalogue(folder).load("redline").layer.frame["id"].tolist() == ["a", "b"]
    save(folder, "redline.gpkg", {"KEY": ["a", "a"]}, shapes)
    assert "feature 'a': the id is given twice; give each feature its own" in load_error(folder, LayerError)


def test_a_layer_must_be_of_the_declared_kind(folder):
    save(folder, "redline.gpkg", {"id": ["a", "b"]}, degrees(box(0, 0, 9, 9), LineString([(0, 0), (5, 5)])))
    message = load_error(folder, LayerError)
    assert "feature 'b': is a LineString, the catalogue says polygon; correct 'geometry'" in message


def test_a_table_without_geometry_is_no_layer(folder):
    (folder / "redline.gpkg").unlink()
    import pyogrio

    pyogrio.write_dataframe(
        gpd.GeoDataFrame({"id": ["a"]}).drop(columns="geometry", errors="ignore"), folder / "redline.gpkg"
    )
    assert "has no geometry; name the layer with geometry in 'source_layer'" in load_error(folder, LayerError)


def test_a_file_with_several_layers_needs_the_name_of_one(folder):
    for name in ("old", "new"):
        frame = gpd.GeoDataFrame({"id": [name]}, geometry=degrees(box(0, 0, 9, 9)), crs="EPSG:4490")
        frame.to_file(folder / "both.gpkg", layer=name, engine="pyogrio")
    toy.changed(folder, "catalog.toml", ("redline.gpkg", "both.gpkg"))
    assert "holds 2 layers; name one of old, new" in load_error(folder, SourceError)
    toy.changed(folder, "catalog.toml", ('"both.gpkg"', '"both.gpkg"\nsource_layer = "newest"'))
    assert "has no layer 'newest'; name one of old, new" in load_error(folder, SourceError)
    toy.changed(folder, "catalog.toml", ('"newest"', '"new"'))
    assert open_catalogue(folder).load("redline").layer.frame["id"].tolist() == ["new"]


def test_fields_and_values_are_brought_under_the_names_of_rules(folder):
    data = {"BSM": [1, 2], "XMMC": ["甲", None], "FQ": ["核心区", "实验区"]}
    save(folder, "redline.gpkg", data, degrees(box(0, 0, 9, 9), box(20, 0, 29, 9)))
    keys = 'id = "BSM"\nname = "XMMC"\nfields = { zone = ["GNFQ", "FQ"] }\n'
    keys += 'values = { zone = { "核心区" = "核心保护区" } }'
    toy.changed(folder, "catalog.toml", ('source = "redline.gpkg"', f'source = "redline.gpkg"\n{keys}'))
    loaded = open_catalogue(folder).load("redline")
    frame = loaded.layer.frame
    assert frame["id"].tolist() == ["1", "2"]
    assert frame["name"].tolist() == ["甲", ""]
    assert frame["zone"].tolist() == ["核心保护区", "一般控制区"]
    reported = [str(p) for p in loaded.problems]
    assert reported == [
        "layer 'redline' (redline.gpkg): 1 values of field 'zone' were read as 核心区→核心保护区; "
        "as the catalogue says under 'values'",
        "layer 'redline' (redline.gpkg): 1 values of field 'zone' were read as 缓冲区→核心保护区、实验区→一般控制区; "
        "these are names of repealed law: check the zones, and say in the catalogue what they mean",
    ]


def test_a_layer_is_repaired_and_every_repair_is_listed(folder):
    # A bow tie of two triangles of 25 ㎡ each; a polygon with a useless line; a feature without a shape.
    bow_tie = Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    mixed = shapely.GeometryCollection([box(100, 0, 110, 10), LineString([(0, 0), (50, 50)])])
    save(
        folder,
        "redline.gpkg",
        {"id": ["a", "b", "c", "d"]},
        degrees(bow_tie, mixed, None, box(200, 0, 210, 10)),
    )
    loaded = open_catalogue(folder).load("redline")
    assert loaded.layer.frame["id"].tolist() == ["a", "b", "d"]
    assert shapely.is_valid(loaded.layer.frame.geometry.to_numpy()).all()
    areas = shapely.area(toy.PLANE.project(loaded.layer.frame.geometry.to_numpy()))
    assert areas.tolist() == pytest.approx([50, 100, 100], rel=1e-6)
    reported = {p.place.rsplit("'", 2)[1]: (p.level, p.what) for p in loaded.problems}
    assert reported["a"][0] == "error"
    assert "a repair would change its area from 0.00 ㎡ to 50.00 ㎡" in reported["a"][1]
    # Where the bow tie lies is known, where the feature without a shape lies is not.
    assert [where is None for where in loaded.layer.doubtful] == [True, False]
    assert reported["b"] == (
        "warning",
        "is a mixture of points, lines or polygons, of which only the polygons are used",
    )
    assert reported["c"] == ("error", "has no geometry")
    assert "d" not in reported


def test_heights_are_left_out_and_reported(folder):
    high = Polygon([(112.5, 25, 7), (112.51, 25, 7), (112.51, 25.01, 9)])
    save(folder, "redline.gpkg", {"id": ["a"]}, [high])
    loaded = open_catalogue(folder).load("redline")
    assert not loaded.layer.frame.geometry.iloc[0].has_z
    assert [p.what for p in loaded.problems] == ["heights (Z) were left out"]


def test_a_changed_file_is_reported_by_its_fingerprint(folder):
    toy.changed(folder, "catalog.toml", ('source = "redline.gpkg"', f'source = "redline.gpkg"\nsha256 = "{"0" * 64}"'))
    problems = open_catalogue(folder).load("redline").problems
    assert [p.level for p in problems] == ["warning"]
    assert "the file is not the one the catalogue describes" in problems[0].what


def test_declared_figures_are_measured_and_never_imposed(folder):
    # Redline: 1000 x 1000 less 100 x 100, and 500 x 1000: 1.49 km² of 100 km².
    declared = """declared = [
        { what = "area_km2", value = 1.49, tolerance = 1e-6 },
        { what = "area_km2", value = 1.5, tolerance = 0.001 },
        { what = "area_km2", value = 0.5, tolerance = 1e-6, where = { name = ["乙"] } },
        { what = "count", value = 2 },
        { what = "share_of_city", value = 0.0149, tolerance = 1e-7 },
        { what = "share_of_city", value = 0.0298, tolerance = 1e-7, denominator_km2 = 50 },
    ]"""
    toy.changed(folder, "catalog.toml", ('source = "redline.gpkg"', f'source = "redline.gpkg"\n{declared}'))
    city = open_catalogue(folder)
    measured = measure_declared(city, "redline")
    assert [m.measured for m in measured] == pytest.approx([1.49, 1.49, 0.5, 2, 0.0149, 0.0298], rel=1e-8)
    assert [m.holds for m in measured] == [True, False, True, True, True, True]
    assert measure_declared(city, "units") == []


def test_overlaps_are_counted_once_in_the_area_of_a_layer(folder):
    parts = [
        box(0, 0, 100, 100),
        box(50, 0, 150, 100),
        MultiPolygon([box(0, 0, 10, 10), box(200, 0, 300, 100)]),
    ]
    save(folder, "redline.gpkg", {"id": ["a", "b", "c"]}, degrees(*parts))
    city = open_catalogue(folder)
    assert area_km2(city, "redline") == pytest.approx(0.025, rel=1e-8)


def test_a_figure_for_a_field_that_is_not_there(folder):
    declared = 'declared = [{ what = "count", value = 1, where = { zone = ["x"] } }]'
    toy.changed(folder, "catalog.toml", ('source = "redline.gpkg"', f'source = "redline.gpkg"\n{declared}'))
    with pytest.raises(LayerError, match=r"layer 'redline': has no field 'zone'; correct 'declared\.where'"):
        measure_declared(open_catalogue(folder), "redline")


def test_values_that_no_rule_names_are_listed(folder):
    lines = [LineString([(0, y), (10, y)]) for y in (0, 10, 20, 30)]
    toy.write(folder / "roads.gpkg", lines, road=list("abcd"), **{"class": ["国道", "國道", "國道", None]})
    city = open_catalogue(folder)
    reported = [str(p) for p in unknown_values(city.book, city.load("roads").layer)]
    assert reported == [
        "layer 'roads': field 'class' is '國道' in 2 features, which no rule names; "
        "rules name 国道; map the value under 'values' in the catalogue",
        "layer 'roads': field 'class' is '' in 1 features, which no rule names; "
        "rules name 国道; map the value under 'values' in the catalogue",
    ]


def test_points_are_a_layer_too(folder):
    save(folder, "redline.gpkg", {"id": ["p"]}, degrees(Point(5, 5)))
    toy.changed(folder, "catalog.toml", ('source = "redline.gpkg"', 'source = "redline.gpkg"\ngeometry = "point"'))
    assert open_catalogue(folder).load("redline").layer.frame["id"].tolist() == ["p"]


def test_numbers_and_values_that_the_catalogue_maps_to_are_known(folder):
    lines = [LineString([(0, y), (10, y)]) for y in (0, 10, 20)]
    toy.write(folder / "roads.gpkg", lines, road=list("abc"), **{"class": [110, 220, 10]})
    toy.changed(folder, "rules.toml", ('where.class = ["国道"]', 'where.class = ["110"]'))
    mapped = 'source = "roads.gpkg"\nvalues.class = { "10" = "10" }'
    toy.changed(folder, "catalog.toml", ('source = "roads.gpkg"', mapped))
    city = open_catalogue(folder)
    reported = [str(p) for p in unknown_values(city.book, city.load("roads").layer)]
    assert [line.partition(",")[0] for line in reported] == ["layer 'roads': field 'class' is '220' in 1 features"]
