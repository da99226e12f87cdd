"""Datums named in words in every format, and degrees packed as ddd.mmss in every format that has degrees."""

from __future__ import annotations

import zipfile

import ezdxf
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import toy

from lzgis.coordinates.packed_degrees import may_be_packed, unpacked
from lzgis.errors import SourceError
from lzgis.reading import ReadOptions, read_sites, read_vector
from lzgis.reading.datum_words import old_datum

XIAN, BEIJING, LOCAL = "Xian 1980", "Beijing 1954", "a local system"


@pytest.mark.parametrize(
    ("text", "datum"),
    [
        ("1980年西安坐标系", XIAN),
        ("西安８０", XIAN),
        ("1980年国家大地坐标系", XIAN),
        ("一九八〇西安坐标系", XIAN),
        ("xian_1980_3_degree", XIAN),
        ("BJ54坐标", BEIJING),
        ("1954年北京坐标系", BEIJING),
        ("清远市独立坐标系", LOCAL),
        ("2000国家大地坐标系，抵偿高程面 300 m", LOCAL),
        ("1980西安坐标系转CGCS2000", ""),
        ("1985国家高程基准", ""),
        ("北京54号院", ""),
        ("西安80米大道", ""),
        ("地块54-80", ""),
        ("界址点坐标表", ""),
    ],
)
def test_names_of_datums(text, datum):
    assert old_datum(text) == datum


def sites(remark=""):
    frame = toy.sites(toy.square(0, 100), toy.square(300, 100))
    return frame.assign(remark=[remark, ""])


def datums(read):
    return [str(p) for p in read.problems if "another datum" in p.what]


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".fgb", ".gml"])
def test_a_remark_in_a_file_that_states_its_system_is_a_warning(tmp_path, suffix):
    path = tmp_path / f"s{suffix}"
    sites("原为1980西安坐标系").to_file(path, engine="pyogrio")
    # A FlatGeobuf stores rows in the order of its index.
    assert f"row {2 if suffix == '.fgb' else 1}, field 'remark'" in datums(read_vector(path))[0]


def test_a_file_name_and_a_layer(tmp_path):
    path = tmp_path / "红线.gpkg"
    sites().to_file(path, layer="北京54", engine="pyogrio")
    assert len(datums(read_vector(path))) == 1
    sites().to_parquet(tmp_path / "西安80.parquet")
    assert len(datums(read_vector(tmp_path / "西安80.parquet"))) == 1


def test_a_title_of_a_kml(tmp_path):
    path = tmp_path / "s.kml"
    sites().to_file(path, driver="KML", engine="pyogrio")
    text = path.read_text("utf-8")
    assert datums(read_vector(path)) == []
    path.write_text(text.replace("<Folder>", "<Folder><description>1980西安坐标系</description>", 1), "utf-8")
    with pytest.raises(SourceError, match="another datum: '1980西安坐标系'"):
        read_vector(path)


def test_a_text_of_a_drawing_also_in_paper_space(tmp_path):
    drawing = ezdxf.new()
    drawing.modelspace().add_lwpolyline([(38445000, 2765000), (38445100, 2765000), (38445100, 2765100)], close=True)
    drawing.saveas(tmp_path / "a.dxf")
    drawing.layout("Layout1").add_mtext("1980西安坐标系\\P1985国家高程基准")
    drawing.saveas(tmp_path / "b.dxf")
    options = ReadOptions(crs="EPSG:4526")
    assert len(read_vector(tmp_path / "a.dxf", options=options).frame) == 1
    with pytest.raises(SourceError, match="another datum"):
        read_vector(tmp_path / "b.dxf", options=options)


def test_other_sheets_comments_and_headers_of_a_workbook(tmp_path):
    table = pd.DataFrame({"经度": [112.5], "纬度": [25.0]})
    remark = pd.DataFrame({"说明": ["坐标系：1954年北京坐标系"]})
    for name in ("sheet", "comment", "header"):
        with pd.ExcelWriter(tmp_path / f"{name}.xlsx", engine="xlsxwriter") as book:
            table.to_excel(book, sheet_name="点", index=False)
            if name == "sheet":
                remark.to_excel(book, sheet_name="说明", index=False)
            elif name == "comment":
                book.sheets["点"].write_comment("A1", "西安80")
            else:
                book.sheets["点"].set_header("&C1980西安坐标系")
        with pytest.raises(SourceError, match="another datum"):
            read_vector(tmp_path / f"{name}.xlsx")


def test_a_remark_under_a_title_that_names_cgcs2000_is_a_warning(tmp_path):
    text = "2000国家大地坐标系,,\n编号,经度,纬度\n原西安80坐标系地块,112.5,25.0\n"
    (tmp_path / "s.csv").write_text(text, "utf-8")
    assert len(datums(read_vector(tmp_path / "s.csv"))) == 1


def test_the_name_of_an_archive(tmp_path):
    sites().to_file(tmp_path / "s.gpkg", engine="pyogrio")
    with zipfile.ZipFile(tmp_path / "1980西安.zip", "w") as archive:
        archive.write(tmp_path / "s.gpkg", "s.gpkg")
    assert len(datums(read_vector(tmp_path / "1980西安.zip"))) == 1


def test_metadata_beside_a_shapefile(tmp_path):
    sites().to_file(tmp_path / "s.shp", engine="pyogrio")
    (tmp_path / "s.shp.xml").write_text("<metadata><resTitle>北京54 红线</resTitle></metadata>", "utf-8")
    assert len(datums(read_vector(tmp_path / "s.shp"))) == 1


def square(*corners):
    return gpd.GeoDataFrame({"id": ["a"]}, geometry=[shapely.Polygon(corners)], crs=4490)


# 112°24′00″ E 25°03′00″ N is 112.4, 25.05.
PACKED = square((112.2400, 25.0300), (112.2410, 25.0300), (112.2410, 25.0308), (112.2400, 25.0308))
NEAR = shapely.box(112.0, 25.0, 113.0, 25.2)


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".shp", ".gml", ".kml"])
def test_packed_degrees_are_suspected_in_every_format(tmp_path, suffix):
    path = tmp_path / f"s{suffix}"
    driver = {"driver": "KML"} if suffix == ".kml" else {}
    PACKED.to_crs(4326).to_file(path, engine="pyogrio", **driver)
    (found,) = [p.what for p in read_sites(path, near=NEAR).problems if "ddd.mmss" in p.what]
    assert "112.400000, 25.050000" in found
    # Nothing is said where the packed numbers would lie outside the city.
    away = read_sites(path, near=shapely.box(112.0, 25.0, 113.0, 25.04))
    assert not [p for p in away.problems if "ddd.mmss" in p.what]
    read = read_vector(path, options=ReadOptions(degrees="packed"))
    assert np.allclose(read.frame.total_bounds, [112.4, 25.05, 112 + 24 / 60 + 10 / 3600, 25 + 3 / 60 + 8 / 3600])
    assert [p for p in read.problems if "ddd.mmss" in p.what]


def test_what_cannot_be_packed_is_refused_with_its_row(tmp_path):
    PACKED.to_file(tmp_path / "a.gpkg", engine="pyogrio")
    square((112.2461, 25.03), (112.25, 25.03), (112.25, 25.04)).to_file(tmp_path / "s.gpkg", engine="pyogrio")
    with pytest.raises(SourceError, match=r"row 1: 112\.2461 is no ddd\.mmss"):
        read_vector(tmp_path / "s.gpkg", options=ReadOptions(degrees="packed"))
    PACKED.to_crs(4526).to_file(tmp_path / "m.gpkg", engine="pyogrio")
    with pytest.raises(SourceError, match="its coordinates are no degrees"):
        read_vector(tmp_path / "m.gpkg", options=ReadOptions(degrees="packed"))
    (tmp_path / "s.csv").write_text("id,经度,纬度\na,112°24′00″,25.03\n", "utf-8")
    with pytest.raises(SourceError, match=r"row 2, column '经度': .* has signs of degrees"):
        read_vector(tmp_path / "s.csv", options=ReadOptions(degrees="packed"))


def test_computed_degrees_are_not_suspected():
    lon, lat = np.array([112.123456789012, 112.11]), np.array([25.01020304, 25.0102])
    assert not may_be_packed(np.column_stack([lon, lat]))
    assert unpacked(np.array([-112.3000, 112.59599999])).round(8).tolist() == [-112.5, 112.99999997]


def test_a_drawing_with_two_sections_of_entities(tmp_path):
    drawing = ezdxf.new()
    drawing.modelspace().add_lwpolyline([(38445000, 2765000), (38445100, 2765000), (38445100, 2765100)], close=True)
    drawing.saveas(tmp_path / "a.dxf")
    text = (tmp_path / "a.dxf").read_text("utf-8")
    section = text[text.index("  0\nSECTION\n  2\nENTITIES") :].partition("  0\nENDSEC\n")[0] + "  0\nENDSEC\n"
    (tmp_path / "b.dxf").write_text(text.replace(section, section + section), "utf-8")
    with pytest.raises(SourceError, match="two sections of entities"):
        read_vector(tmp_path / "b.dxf", options=ReadOptions(crs="EPSG:4526"))
