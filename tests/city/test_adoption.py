"""A delivery becomes a city folder: what is recognised, what is assumed, and what is left to the office."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from command_line import run

from lzgis.city.adoption import adopt, recognise
from lzgis.city.catalogue import open_catalogue
from lzgis.coordinates.shifted_maps import to_gcj02
from lzgis.errors import ExportError, SourceError
from lzgis.reading import sha256_of
from lzgis.reading.deliveries import DeliveredField, DeliveredLayer, list_delivery

BOX = shapely.box(112.0, 24.6, 112.4, 24.9)


@pytest.fixture
def geodatabase(tmp_path):
    with zipfile.ZipFile(Path(__file__).parent / "deliveries" / "delivery.gdb.zip") as packed:
        packed.extractall(tmp_path / "汇交")
    return tmp_path / "汇交" / "delivery.gdb"


def layer(name, *fields, alias="", features=1):
    made = tuple(DeliveredField(one) for one in fields)
    return DeliveredLayer(Path("a.gdb"), name, name, alias, "polygon", features, made)


def texts(problems):
    return "\n".join(map(str, problems))


def write(path, columns, shape=BOX, crs="EPSG:4490", **more):
    rows = len(next(iter(columns.values())))
    path.parent.mkdir(exist_ok=True)
    gpd.GeoDataFrame(columns, geometry=[shape] * rows, crs=crs).to_file(path, **more)


def test_a_geodatabase_is_listed_with_aliases_and_coded_values(geodatabase):
    layers, problems = list_delivery(geodatabase.parent)
    assert problems == []
    found = {one.name: one for one in layers}
    assert {name: one.features for name, one in found.items()} == {"XZQ": 2, "HJGKDY": 2, "STBHHX": 2, "DLTB": 3}
    assert found["HJGKDY"].alias == "环境管控单元"
    assert found["HJGKDY"].names == ("HJGKDYBM", "HJGKDYMC", "GKDYFL", "KJBJYS")
    kind = found["HJGKDY"].fields[2]
    assert kind.alias == "单元分类"
    assert kind.values == {"01": "优先保护单元", "02": "重点管控单元", "03": "一般管控单元"}


def test_a_shapefile_has_aliases_from_the_metadata_of_arcgis(tmp_path):
    write(tmp_path / "in" / "图层.shp", {"名称代码": ["1"]}, encoding="GB18030")
    (tmp_path / "in" / "图层.cpg").unlink()
    (tmp_path / "in" / "图层.shp.xml").write_text(
        "<metadata><dataIdInfo><idCitation><resTitle>城镇开发边界</resTitle></idCitation></dataIdInfo><eainfo><detailed>"
        "<attr><attrlabl>名称代码</attrlabl><attalias>边界名称</attalias><attrdomv><edom><edomv>1</edomv>"
        "<edomvd>集中建设区</edomvd></edom></attrdomv></attr></detailed></eainfo></metadata>",
        encoding="utf-8",
    )
    (only,), problems = list_delivery(tmp_path / "in")
    assert problems == []
    assert (only.alias, only.layer, only.name) == ("城镇开发边界", None, "图层")
    assert only.fields == (DeliveredField("名称代码", "边界名称", {"1": "集中建设区"}),)
    assert [one.layer_id for one in recognise(only)] == ["town_boundary"]


@pytest.mark.parametrize(
    ("delivered", "wanted"),
    [
        (layer("STBHHX"), ["redline"]),
        (layer("stbhhx_2023"), ["redline"]),
        (layer("441882CSKFBJ"), ["town_boundary"]),
        (layer("ST_BHHX（最终稿）"), ["redline"]),
        (layer("永农图斑-441882"), ["farmland"]),
        (layer("开发边界"), ["town_boundary"]),
        (layer("A_B"), []),
        (layer("封库城镇开发边界"), ["town_boundary"]),
        (layer("陆域生态保护红线"), ["redline"]),
        (layer("自然保护地范围"), ["reserve_boundaries"]),
        (layer("L1", alias="永久基本农田"), ["farmland"]),
        (layer("L1", "hjgkdybm"), ["control_units"]),
        (layer("YJJBNT", "DLBM", "DLMC", "TBMJ"), ["farmland"]),
        (layer("STBHZYYXPJJG", alias="生态保护红线重要性评价"), []),
        (layer("XSTBHHXX"), []),
        (layer("水库湿地"), ["reservoirs", "wetlands"]),
    ],
    ids=lambda one: one.name if isinstance(one, DeliveredLayer) else "",
)
def test_layers_are_recognised_by_code_then_title_then_fields(delivered, wanted):
    assert [one.layer_id for one in recognise(delivered)] == wanted


def test_a_geodatabase_becomes_a_city_that_screens(geodatabase, tmp_path):
    result = adopt(geodatabase.parent, tmp_path / "city")
    assert {one.layer_id for one in result.layers} == {"townships", "control_units", "redline"}
    city = open_catalogue(tmp_path / "city")
    assert city.city.adcode == "441882"
    assert 'extends = ["guangdong"]' in (tmp_path / "city" / "rules.toml").read_text("utf-8")
    # The shapes and values are those of the source, under its hash; the codes are translated by the file's own table.
    source = pyogrio.read_dataframe(geodatabase, layer="HJGKDY")
    units = gpd.read_parquet(tmp_path / "city" / "control_units.parquet")
    assert shapely.equals_exact(units.geometry.to_numpy(), source.geometry.to_numpy()).all()
    assert units[list(source.columns.drop("geometry"))].equals(source.drop(columns="geometry"))
    assert sha256_of(geodatabase) in city.layers["control_units"].basis
    assert city.load("control_units").layer.frame["class"].tolist() == ["优先保护单元", "重点管控单元"]
    assert city.load("control_units").layer.frame["code"].tolist() == ["ZH44188210001", "ZH44188220001"]
    # A geodatabase rounds coordinates to its grid, here to 1e-9 degrees.
    assert city.outline.symmetric_difference(BOX).area < 1e-8
    done = json.loads((tmp_path / "city" / "adopted.json").read_text("utf-8"))
    assert done["layers"]["redline"]["source"] == "delivery.gdb/STBHHX"

    site = shapely.box(112.04, 24.7, 112.05, 24.71)
    write(tmp_path / "s" / "sites.geojson", {"id": ["a"], "activity": ["住宅"]}, site)
    done = run("screen", tmp_path / "s" / "sites.geojson", "--layers", tmp_path / "city", "--json")
    findings = json.loads(done.stdout)["findings"]
    assert [one["state"] for one in findings if one["rule"] == "redline" and one["state"] == "涉及"] == ["涉及"]
    assert {one["reason"] for one in findings if one["rule"] == "farmland"} == {"layer-missing"}


def test_nothing_is_taken_without_being_listed(geodatabase, tmp_path):
    result = adopt(geodatabase, tmp_path / "city")
    assumed, decisions = texts(result.assumed), texts(result.decisions)
    assert "delivery.gdb/STBHHX: is taken as layer redline, by the name STBHHX" in assumed
    assert "field 'GKDYFL' is taken as class" in assumed
    assert "values of field 'GKDYFL' are read as 01→优先保护单元、02→重点管控单元" in assumed
    assert "the area code is 441882, as in the data" in assumed
    assert "is the union of the 2 townships" in decisions
    assert "1 features can serve as layer road_land" in decisions
    assert "layer 'farmland': Permanent basic farmland: is missing" in decisions
    # What the land survey offers is in the folder, but not in use.
    assert "road_land" not in open_catalogue(tmp_path / "city").layers
    text = (tmp_path / "city" / "catalog.toml").read_text("utf-8")
    in_use = text.replace("# [layer.road_land]", "[layer.road_land]").replace("# ", "")
    (tmp_path / "city" / "catalog.toml").write_text(in_use.partition("\n")[2], encoding="utf-8")
    city = open_catalogue(tmp_path / "city")
    assert city.layers["road_land"].baseline == "road-land-edge"
    assert city.load("road_land").layer.frame["id"].tolist() == ["D1"]


def test_without_an_outline_no_adopted_file_is_called_missing(tmp_path):
    write(tmp_path / "in" / "STBHHX.gpkg", {"BSM": ["1"]})
    result = adopt(tmp_path / "in", tmp_path / "city")
    assert [one.layer_id for one in result.layers] == ["redline"]
    assert "redline.parquet is not there" not in texts(result.decisions)


def test_two_layers_of_one_kind_are_left_to_the_office(tmp_path):
    for name in ("STBHHX_old", "STBHHX_new"):
        write(tmp_path / "in" / f"{name}.gpkg", {"BSM": ["1"]})
    result = adopt(tmp_path / "in", tmp_path / "city")
    assert result.layers == []
    assert "2 layers are redline: STBHHX_new.gpkg/STBHHX_new; STBHHX_old.gpkg/STBHHX_old" in texts(result.decisions)


def test_no_reference_system_is_guessed(tmp_path):
    write(tmp_path / "in" / "CZKFBJ.shp", {"BSM": ["1"]})
    (tmp_path / "in" / "CZKFBJ.prj").unlink()
    result = adopt(tmp_path / "in", tmp_path / "a")
    assert result.layers == []
    assert "states no reference system; the layer is left out" in texts(result.decisions)
    result = adopt(tmp_path / "in", tmp_path / "b", crs="EPSG:4490")
    assert [one.layer_id for one in result.layers] == ["town_boundary"]
    assert "EPSG:4490 is taken" in texts(result.assumed)


def test_ids_must_be_complete_and_unique(tmp_path):
    write(tmp_path / "in" / "STBHHX.gpkg", {"BSM": ["1", "1"], "HXBH": ["a", "b"]})
    write(tmp_path / "in" / "YJJBNT.gpkg", {"BSM": ["", "1"]})
    result = adopt(tmp_path / "in", tmp_path / "city")
    specs = open_catalogue(tmp_path / "city").layers
    assert (specs["redline"].id, specs["farmland"].id) == ("HXBH", "lzgis_row")
    assert "field 'BSM' is empty or repeated in 2 rows" in texts(result.assumed)
    assert "rows are numbered in 'lzgis_row'" in texts(result.decisions)


def test_an_outline_names_the_city(tmp_path):
    write(tmp_path / "in" / "市域范围.gpkg", {"XZQDM": ["441882"], "XZQMC": ["连州市"]})
    result = adopt(tmp_path / "in", tmp_path / "city")
    assert open_catalogue(tmp_path / "city").city.name == "连州市"
    assert "the name of the city" not in texts(result.decisions)


def test_shapes_of_the_wrong_kind_are_left_out(tmp_path):
    write(tmp_path / "in" / "STBHHX.gpkg", {"BSM": ["1"]}, shapely.LineString([(112, 24.6), (112.1, 24.7)]))
    result = adopt(tmp_path / "in", tmp_path / "city")
    assert result.layers == []
    assert "holds line, and the layer is one of polygon" in texts(result.decisions)


def test_what_was_not_looked_at_is_listed(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "成果.rar").write_bytes(b"Rar!")
    (tmp_path / "in" / "STBHHX.gpkg").write_bytes(b"damaged")
    decisions = texts(adopt(tmp_path / "in", tmp_path / "city").decisions)
    assert "成果.rar: was not looked at" in decisions
    assert "STBHHX.gpkg: cannot be listed" in decisions


def test_a_folder_in_use_and_a_missing_delivery_are_refused(tmp_path, geodatabase):
    with pytest.raises(SourceError, match="does not exist"):
        adopt(tmp_path / "none", tmp_path / "city")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "a").write_text("a")
    with pytest.raises(ExportError, match="not empty"):
        adopt(geodatabase, tmp_path / "used")


@pytest.mark.parametrize(("language", "said"), [("zh", "须由单位决定"), ("en", "To be decided by the office")])
def test_the_command_prints_and_writes_the_list(geodatabase, tmp_path, language, said):
    done = run("adopt", geodatabase, "--out", tmp_path / "city", "--lang", language)
    assert done.returncode == 2, done.stderr
    assert said in done.stdout
    assert said in (tmp_path / "city" / "decisions.md").read_text("utf-8")
    if language == "zh":
        assert "作为图层 redline 收入，依据：图层名 STBHHX" in (tmp_path / "city" / "decisions.md").read_text("utf-8")


def test_codes_that_are_stored_as_numbers_are_translated(tmp_path):
    units = {"HJGKDYBM": ["ZH1", "ZH2"], "HJGKDYMC": ["甲", "乙"], "GKDYFL": [1, 3]}
    write(tmp_path / "in" / "HJGKDY.gpkg", units)
    write(tmp_path / "in" / "市域范围.gpkg", {"XZQDM": ["441882"], "XZQMC": ["某市"]})
    adopt(tmp_path / "in", tmp_path / "city")
    found = open_catalogue(tmp_path / "city").load("control_units").layer.frame
    assert found["class"].tolist() == ["优先保护单元", "一般管控单元"]


def test_roads_have_the_field_names_of_the_standard(tmp_path):
    line = shapely.LineString([(112.1, 24.7), (112.2, 24.7)])
    columns = {"LXBM": ["G107441882"], "LXMC": ["京港线"], "XZDJ": ["国道"], "JSDJ": ["二级"]}
    write(tmp_path / "in" / "公路中心线.gpkg", columns, shape=line)
    write(tmp_path / "in" / "市域范围.gpkg", {"XZQDM": ["441882"], "XZQMC": ["某市"]})
    adopt(tmp_path / "in", tmp_path / "city")
    found = open_catalogue(tmp_path / "city").load("roads").layer.frame
    assert found[["number", "road", "class", "technical_class"]].iloc[0].tolist() == [
        "G107441882",
        "京港线",
        "国道",
        "二级",
    ]


def test_the_city_has_the_name_that_other_layers_state_beside_its_code(tmp_path):
    write(tmp_path / "in" / "XZQ.gpkg", {"XZQDM": ["441882001", "441882002"], "XZQMC": ["甲镇", "乙镇"]})
    write(tmp_path / "in" / "STBHHX.gpkg", {"XZQDM": ["441882", "441882"], "XZQMC": ["某市", "某市"]})
    found = adopt(tmp_path / "in", tmp_path / "city")
    assert 'name = "某市"' in (tmp_path / "city" / "catalog.toml").read_text("utf-8")
    assert "the name of the city is '某市', as other layers state beside its code" in texts(found.assumed)
    assert "the name of the city is not in the data" not in texts(found.decisions)


def test_an_outline_of_a_web_map_is_recognised_and_shifted_back(tmp_path):
    delivered = tmp_path / "delivered"
    delivered.mkdir()
    # The middle of the shifted box lies some 600 m south-east of the true one.
    corners = shapely.get_coordinates(BOX)
    moved = shapely.Polygon(np.column_stack(to_gcj02(*corners.T)))
    data = gpd.GeoDataFrame(
        {"adcode": [441882], "name": ["连州市"], "childrenNum": [0]}, geometry=[moved], crs="EPSG:4326"
    )
    data.to_file(delivered / "441882.geojson")
    made = adopt(delivered, tmp_path / "city")

    city = open_catalogue(made.folder)
    assert city.city.name == "连州市" and city.city.adcode == "441882"
    assert city.layers["city"].shifted == "gcj02"
    assert "GCJ-02" in texts(made.decisions)
    # Shifts are undone to a millimetre, 1e-8 degrees.
    assert shapely.hausdorff_distance(city.outline, BOX) < 2e-8


def test_layers_lists_what_is_missing_without_an_outline(tmp_path):
    delivered = tmp_path / "delivered"
    delivered.mkdir()
    write(delivered / "STBHHX.gpkg", {"HXBM": ["1"], "HXMC": ["红线"]})
    adopt(delivered, tmp_path / "city")

    done = run("layers", "--layers", tmp_path / "city", "--lang", "en")
    assert done.returncode == 2
    assert "1. error: layer 'city'" in done.stdout and "redline" in done.stdout
