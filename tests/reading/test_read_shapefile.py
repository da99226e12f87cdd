"""Shapefiles: encodings named and not named, parts missing or cut short, projections as ArcGIS writes them."""

from __future__ import annotations

import pytest
import raw_shapefile
import shapely
from pyproj import CRS

from lzgis.errors import SourceError
from lzgis.reading import ReadOptions, read_sites, read_vector, sha256_of

FIELDS = ["编号", "项目名称", "环境管控单元编码"]
ROWS = [["甲-1", "连州鄠邑堃镕项目", "ZH44188210001"], ["乙-2", "保安镇生态园", "ZH44188210002"]]


@pytest.fixture
def path(tmp_path):
    """A shapefile in GBK that names no encoding."""
    raw_shapefile.write(tmp_path / "地块.shp", FIELDS, ROWS, "gbk")
    return tmp_path / "地块.shp"


def problems_of(read):
    return {str(p.what): p for p in read.problems}


def test_gbk_without_cpg(path):
    read = read_vector(path)
    assert read.frame["项目名称"].tolist() == [row[1] for row in ROWS]
    # Ten bytes are five characters.
    assert list(read.frame.columns)[:3] == ["编号", "项目名称", "环境管控单"]
    assert (read.encoding.value, read.encoding.how) == ("gb18030", "the bytes are not UTF-8 but GB18030")
    assert problems_of(read)["names of fields may have been cut to 10 bytes: 环境管控单"].level == "note"
    assert [b for g in read.frame.geometry for b in g.bounds] == pytest.approx(
        [112.4, 25, 112.41, 25.01, 112.5, 25, 112.51, 25.01]
    )
    assert read_sites(path).frame["id"].tolist() == ["甲-1", "乙-2"]


@pytest.mark.parametrize("name", ["UTF-8", "UTF8", "65001", "ISO-8859-5x", "ascii"])
def test_a_cpg_that_lies_is_found_out(path, name):
    path.with_suffix(".cpg").write_text(name)
    read = read_vector(path)
    assert read.frame["项目名称"].tolist() == [row[1] for row in ROWS]
    problem = problems_of(read)[f".cpg says {name}, but the text is GB18030"]
    assert (problem.level, problem.remedy) == ("warning", "read as the bytes say; correct the .cpg")


@pytest.mark.parametrize("name", ["GBK", "GB2312", "936", "CP936", "GB18030", "ANSI 936"])
def test_a_correct_cpg(path, name):
    path.with_suffix(".cpg").write_text(name)
    read = read_vector(path)
    assert read.frame["编号"].tolist() == ["甲-1", "乙-2"]
    assert read.encoding.how == f".cpg says {name}"


def test_utf8_under_a_cpg_that_states_gbk(tmp_path):
    # Names of ten bytes cut a character in two.
    raw_shapefile.write(tmp_path / "s.shp", FIELDS, ROWS, "utf-8")
    (tmp_path / "s.cpg").write_text("GBK")
    read = read_vector(tmp_path / "s.shp")
    assert list(read.frame.columns)[:3] == ["编号", "项目名称", "环境管"]
    assert read.frame["项目名称"].tolist() == [row[1] for row in ROWS]
    assert ".cpg says GBK, but the text is UTF-8" in problems_of(read)


def test_names_that_are_equal_after_they_are_cut(tmp_path):
    raw_shapefile.write(tmp_path / "s.shp", ["项目编号", "项目编码", "项目"], [["1", "2", "3"]], "utf-8")
    frame = read_vector(tmp_path / "s.shp").frame
    assert frame.drop(columns="geometry").iloc[0].to_dict() == {"项目编": "1", "项目编_2": "2", "项目": "3"}


def test_a_text_cut_in_the_middle_of_a_character(tmp_path):
    raw_shapefile.write(tmp_path / "s.shp", ["id", "name"], [["1", "连" * 20], ["2", "州"]], "utf-8")
    assert read_vector(tmp_path / "s.shp").frame["name"].tolist() == ["连" * 13, "州"]


def test_an_encoding_that_is_declared(path, tmp_path):
    raw_shapefile.write(tmp_path / "big5.shp", ["id"], [["連州"]], "big5")
    read = read_vector(tmp_path / "big5.shp", options=ReadOptions(encoding="Big5"))
    assert read.frame["id"].tolist() == ["連州"]
    assert (read.encoding.value, read.encoding.how) == ("big5", "declared")
    with pytest.raises(SourceError, match="'klingon' is no encoding; write one like GBK, GB18030 or UTF-8"):
        read_vector(path, options=ReadOptions(encoding="klingon"))
    with pytest.raises(
        SourceError, match=r"row 1, field '.*': is not text in UTF-8; declare its encoding, or save it as UTF-8"
    ):
        read_vector(path, options=ReadOptions(encoding="utf-8"))


def test_text_in_no_known_encoding(path):
    raw_shapefile.write(path, ["id"], [["é"]], "latin-1")
    path.with_suffix(".dbf").write_bytes(raw_shapefile.dbf([(b"id", 10)], [[b"\xff\xfe\xfd"]]))
    with pytest.raises(SourceError, match="its text is neither UTF-8 nor GB18030; declare its encoding"):
        read_vector(path)


def test_without_index_it_is_read_from_a_copy(path):
    path.with_suffix(".shx").unlink()
    before = {p.name: p.read_bytes() for p in path.parent.iterdir()}
    read = read_vector(path)
    assert read.frame["编号"].tolist() == ["甲-1", "乙-2"]
    assert read.frame.crs is not None
    problem = problems_of(read)["has no index (.shx); one was made on a copy"]
    assert (problem.level, problem.place) == ("warning", str(path))
    assert {p.name: p.read_bytes() for p in path.parent.iterdir()} == before


def test_an_index_that_points_elsewhere_is_not_used(path):
    index = path.with_suffix(".shx")
    data = bytearray(index.read_bytes())
    # Both entries name the first shape: GDAL would read it twice.
    data[108:116] = data[100:108]
    index.write_bytes(data)
    read = read_vector(path)
    assert [g.bounds[0] for g in read.frame.geometry] == pytest.approx([112.4, 112.5])
    assert problems_of(read)["its index (.shx) does not fit its shapes; one was made on a copy"].level == "warning"


def test_without_table_rows_are_numbered(path):
    path.with_suffix(".dbf").unlink()
    assert problems_of(read_vector(path))["has no table (.dbf), so no attributes"].level == "warning"
    table = read_sites(path)
    assert table.frame["id"].tolist() == ["1", "2"]
    assert {"has no table (.dbf), so no attributes", "has no id column"} <= {p.what for p in table.problems}


@pytest.mark.parametrize(("rows", "declared", "present"), [(1, 1, 1), (3, 3, 3)])
def test_a_table_of_another_number_of_records(path, rows, declared, present):
    table = raw_shapefile.dbf([(b"id", 4)], [[b"a"]] * rows)
    path.with_suffix(".dbf").write_bytes(table)
    what = rf"its table \(.dbf\) should have {declared} records and has {present}, for 2 shapes; export the shapefile again"
    with pytest.raises(SourceError, match=what):
        read_vector(path)


def test_a_table_cut_short(path):
    table = path.with_suffix(".dbf")
    table.write_bytes(table.read_bytes()[:-60])
    with pytest.raises(SourceError, match=r"should have 2 records and has 1, for 2 shapes"):
        read_vector(path)
    table.write_bytes(b"\x03")
    with pytest.raises(SourceError, match=r"地块\.dbf: is no table of a shapefile|cannot be read"):
        read_vector(path)


@pytest.mark.parametrize("suffix", [".shp", ".shx"])
def test_shapes_cut_short(path, suffix):
    part = path.with_suffix(suffix)
    size = len(part.read_bytes())
    part.write_bytes(part.read_bytes()[:-4])
    with pytest.raises(SourceError, match=rf"{suffix}: is cut short: {size - 4} of {size} bytes are there"):
        read_vector(path)


def test_deleted_records_are_skipped_and_counted(path):
    path.with_suffix(".dbf").write_bytes(raw_shapefile.dbf([(b"id", 4)], [[b"a"], [b"b"]], deleted=(0,)))
    read = read_vector(path)
    assert read.frame["id"].tolist() == ["b"]
    assert read.frame.geometry.iloc[0].bounds[0] == pytest.approx(112.5)
    assert "1 records are marked as deleted and were skipped" in problems_of(read)


@pytest.mark.parametrize(
    ("prj", "epsg"),
    [
        (raw_shapefile.CGCS2000_GEOGRAPHIC, 4490),
        (raw_shapefile.gauss_kruger("CGCS2000_3_Degree_GK_Zone_38", 114, 38500000), 4526),
        (raw_shapefile.gauss_kruger("CGCS2000_3_Degree_GK_CM_114E", 114, 500000), 4547),
        (raw_shapefile.gauss_kruger("CGCS2000_GK_Zone_19", 111, 19500000), 4497),
    ],
)
def test_systems_as_arcgis_writes_them(path, prj, epsg):
    path.with_suffix(".prj").write_text(prj)
    read = read_vector(path)
    assert read.frame.crs.to_epsg() == epsg
    assert read.crs.how == "named in the file"


def test_without_prj_the_system_must_be_declared(path):
    path.with_suffix(".prj").unlink()
    read = read_vector(path)
    assert (read.frame.crs, read.crs) == (None, None)
    declared = read_vector(path, options=ReadOptions(crs="EPSG:4490"))
    assert declared.frame.crs == CRS.from_epsg(4490)
    assert (declared.crs.value, declared.crs.how) == ("EPSG:4490", "declared")
    with pytest.raises(SourceError, match="'EPSG:0' is no reference system; write one like EPSG:4490"):
        read_vector(path, options=ReadOptions(crs="EPSG:0"))


def test_a_system_declared_against_the_file(path):
    assert read_vector(path, options=ReadOptions(crs="EPSG:4490")).crs.how == "named in the file"
    what = "is in .* by its own word, but EPSG:4526 was declared; leave out the declared system, or correct the file"
    with pytest.raises(SourceError, match=what):
        read_vector(path, options=ReadOptions(crs="EPSG:4526"))


def test_a_prj_of_nonsense(path):
    path.with_suffix(".prj").write_text("nonsense")
    read = read_vector(path)
    assert read.frame.crs is None
    assert problems_of(read)["its .prj names no system of coordinates that is known"].level == "warning"


def test_parts_in_capital_letters(path):
    for part in list(path.parent.iterdir()):
        part.rename(part.with_suffix(part.suffix.upper()))
    assert read_vector(path.with_suffix(".SHP")).frame["编号"].tolist() == ["甲-1", "乙-2"]


def test_the_fingerprint_is_of_shapes_and_table(path):
    first = read_vector(path).sha256
    assert first == sha256_of(path)
    table = path.with_suffix(".dbf")
    table.write_bytes(table.read_bytes().replace("甲".encode("gbk"), "丙".encode("gbk")))
    assert sha256_of(path) != first


def test_everything_is_two_dimensional_and_in_order(path):
    assert not shapely.has_z(read_vector(path).frame.geometry.to_numpy()).any()
