"""Zips: unpacked within limits, names in GBK, a choice of one member."""

from __future__ import annotations

import stat
import zipfile

import geopandas as gpd
import pytest
import raw_shapefile
from shapely import box

import lzgis.reading.formats.zip_archive as archive
from lzgis.errors import SourceError
from lzgis.reading import ReadOptions, read_sites, read_vector, sha256_of

ROWS = [["甲"], ["乙"]]


def packed(path, files):
    """Pack files; a name given as bytes is written as it is, without a word on its encoding."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in files.items():
            info = zipfile.ZipInfo(name) if isinstance(name, str) else Unmarked(name)
            out.writestr(info, data, compress_type=zipfile.ZIP_DEFLATED)
    return path


class Unmarked(zipfile.ZipInfo):
    def __init__(self, name):
        super().__init__("x")
        self._bytes = name
        self.filename = name.decode("latin-1")

    def _encodeFilenameFlags(self):
        return self._bytes, 0


def shapefile_parts(tmp_path, name="地块"):
    raw_shapefile.write(tmp_path / f"{name}.shp", ["编号"], ROWS, "gbk")
    return {p.name: p.read_bytes() for p in tmp_path.glob(f"{name}.*")}


def problems_of(read):
    return {str(p.what): p for p in read.problems}


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_a_shapefile_in_a_folder_with_names_in_gbk(tmp_path, encoding):
    parts = shapefile_parts(tmp_path)
    path = packed(tmp_path / "资料.zip", {f"连州/成果/{n}".encode(encoding): d for n, d in parts.items()})
    before = {p.name for p in tmp_path.iterdir()}
    read = read_vector(path)
    assert read.frame["编号"].tolist() == ["甲", "乙"]
    assert (read.name, read.sha256) == ("资料.zip/连州/成果/地块.shp", sha256_of(path))
    assert read_sites(path).source.name == "资料.zip/连州/成果/地块.shp"
    assert {p.name for p in tmp_path.iterdir()} == before


def test_a_zipped_geodatabase_with_and_without_its_folder(tmp_path):
    frame = gpd.GeoDataFrame({"编号": ["甲"]}, geometry=[box(112, 25, 112.1, 25.1)], crs=4490)
    frame.to_file(tmp_path / "s.gdb", driver="OpenFileGDB", engine="pyogrio")
    files = {p.name: p.read_bytes() for p in (tmp_path / "s.gdb").iterdir()}
    for prefix in ("s.gdb/", "资料/s.gdb/", ""):
        path = packed(tmp_path / "s.zip", {prefix + n: d for n, d in files.items()})
        assert read_vector(path).frame["编号"].tolist() == ["甲"]


def test_several_members_need_a_choice(tmp_path):
    parts = shapefile_parts(tmp_path, "a") | shapefile_parts(tmp_path, "b")
    frame = gpd.GeoDataFrame({"编号": ["丙"]}, geometry=[box(112, 25, 112.1, 25.1)], crs=4490)
    for layer in ("一", "二"):
        frame.to_file(tmp_path / "c.gpkg", layer=layer, engine="pyogrio")
    parts["c.gpkg"] = (tmp_path / "c.gpkg").read_bytes()
    path = packed(
        tmp_path / "s.zip", {f"x/{n}": d for n, d in parts.items()} | {"x/readme.json": b"{}", "__MACOSX/a.shp": b"1"}
    )
    with pytest.raises(SourceError, match=r"s\.zip: holds 3 layers; name one of x/a\.shp, x/b\.shp, x/c\.gpkg$"):
        read_vector(path)
    read = read_vector(path, layer="x/b.shp")
    assert read.frame["编号"].tolist() == ["甲", "乙"]
    assert "x/b.shp was read; left out: x/a.shp, x/c.gpkg, x/readme.json" in problems_of(read)
    assert read_vector(path, layer="x/c.gpkg/二").frame["编号"].tolist() == ["丙"]
    with pytest.raises(SourceError, match=rf"{path}: x/c\.gpkg: holds 2 layers; name one of 一, 二"):
        read_vector(path, layer="x/c.gpkg")
    with pytest.raises(SourceError, match="has no layer 'y'"):
        read_vector(path, layer="y")


def test_a_layer_of_the_only_member(tmp_path):
    frame = gpd.GeoDataFrame({"编号": ["丙"]}, geometry=[box(112, 25, 112.1, 25.1)], crs=4490)
    for layer in ("一", "二"):
        frame.to_file(tmp_path / "c.gpkg", layer=layer, engine="pyogrio")
    path = packed(tmp_path / "s.zip", {"c.gpkg": (tmp_path / "c.gpkg").read_bytes()})
    assert len(read_vector(path, layer="二").frame) == 1


def test_messages_name_the_zip_and_its_member(tmp_path):
    path = packed(tmp_path / "s.zip", {"表/点.csv": "id,经度,纬度\n1,待定,25\n2,112.4,25\n".encode()})
    problem = next(p for p in read_vector(path).problems if p.level == "error")
    assert str(problem.place) == f"{path}: 表/点.csv, row 2, column '经度'"
    path = packed(tmp_path / "s.zip", {"点.csv": "id,name\n1,a\n"})
    with pytest.raises(SourceError, match=rf"{path}: 点\.csv: no row names columns of coordinates"):
        read_vector(path)


def test_rows_are_kept_by_the_values_of_fields(tmp_path):
    path = packed(tmp_path / "s.zip", shapefile_parts(tmp_path))
    read = read_vector(path, options=ReadOptions(where={"编号": ["乙"]}))
    assert read.frame["编号"].tolist() == ["乙"]
    assert problems_of(read)["1 of 2 rows are used"].remedy == "as the filter demands"
    with pytest.raises(SourceError, match="has no field '名'; there are 编号, geometry"):
        read_vector(path, options=ReadOptions(where={"名": ["乙"]}))


# --- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["../out.shp", "/etc/out.shp", "a/../../out.shp", "C:/out.shp", "..\\out.shp", "\\\\host\\share\\out.shp"]
)
def test_names_that_lead_out_of_the_folder(tmp_path, name):
    path = packed(tmp_path / "s.zip", {name.encode(): b"x"})
    with pytest.raises(
        SourceError, match=r"' would be unpacked outside its folder; unpack it yourself and look what it holds"
    ):
        read_vector(path)
    assert [p.name for p in tmp_path.iterdir()] == ["s.zip"]


def test_links(tmp_path):
    link = zipfile.ZipInfo("sites.shp")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as out:
        out.writestr(link, "/etc/passwd")
    with pytest.raises(SourceError, match=r"'sites\.shp' is a link, not a file"):
        read_vector(tmp_path / "s.zip")


def test_a_member_that_swells(tmp_path):
    path = packed(tmp_path / "s.zip", {"s.shp": bytes(3_000_000)})
    with pytest.raises(SourceError, match=r"'s\.shp' unpacks to more than 100 times its size"):
        read_vector(path)


def test_too_much_and_too_many(tmp_path, monkeypatch):
    path = packed(tmp_path / "s.zip", {"a.shp": b"123456", "b.shp": b"1"})
    monkeypatch.setattr(archive, "MOST_BYTES", 5)
    with pytest.raises(SourceError, match="would unpack to more than 5 bytes"):
        read_vector(path)
    monkeypatch.setattr(archive, "MOST_MEMBERS", 1)
    with pytest.raises(SourceError, match="holds 2 files; unpack it yourself"):
        read_vector(path)


def test_sizes_that_the_archive_understates(tmp_path, monkeypatch):
    path = packed(tmp_path / "s.zip", {"a.shp": b"1" * 60})
    data = path.read_bytes()
    path.write_bytes(data.replace((60).to_bytes(4, "little"), (3).to_bytes(4, "little")))
    with pytest.raises(SourceError, match=r"s\.zip"):
        read_vector(path)


@pytest.mark.parametrize("inner", ["more.zip", "more.7z", "more.tar.gz"])
def test_an_archive_in_an_archive(tmp_path, inner):
    path = packed(tmp_path / "s.zip", {inner: b"x"})
    with pytest.raises(SourceError, match=rf"'{inner}' is an archive inside an archive"):
        read_vector(path)


def test_two_files_of_one_name(tmp_path):
    path = packed(tmp_path / "s.zip", {"a.shp": b"x", "A.shp": b"y"})
    with pytest.raises(SourceError, match="holds two files of one name"):
        read_vector(path)


def test_a_password(tmp_path):
    path = packed(tmp_path / "s.zip", {"a.shp": b"x"})
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    path.write_bytes(bytes(data))
    with pytest.raises(SourceError, match="is protected by a password; unpack it first"):
        read_vector(path)


def test_a_zip_that_is_damaged_or_holds_nothing(tmp_path):
    path = packed(tmp_path / "s.zip", {"a.shp": bytes(range(256))})
    data = path.read_bytes()
    path.write_bytes(data[:-10])
    with pytest.raises(SourceError, match=r"is damaged \(.*\); fetch or export the file again"):
        read_vector(path)
    path.write_bytes(data[:60] + b"\xff" + data[61:])
    with pytest.raises(SourceError, match="is damaged"):
        read_vector(path)
    packed(path, {"readme.docx": b"x"})
    with pytest.raises(SourceError, match=r"holds no file that can be read; allowed: \.gpkg"):
        read_vector(path)
