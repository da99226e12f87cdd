"""Family A: how files are packed, and what is missing from them."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pyogrio

from bad_inputs.case import FIRST_OPEN, TRUTH, Request, case, pair, saved
from lzgis.reading import ReadOptions


def cut(path: Path, share: float = 0.6) -> Path:
    """Cut a file short."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def wgs84(path: Path, **more: str) -> Path:
    """Write the two sites in WGS 84."""
    return saved(path, crs=4326, **more)


for _suffix, _title in {
    ".gpkg": "GeoPackage",
    ".shp": "Shapefile",
    ".geojson": "GeoJSON",
    ".fgb": "FlatGeobuf",
    ".gml": "GML",
    ".gdb": "File geodatabase",
}.items():

    @case("A", f"{_title}, in order", "answer")
    def _(folder: Path, suffix: str = _suffix) -> Path:
        more = {"driver": "OpenFileGDB"} if suffix == ".gdb" else {}
        return wgs84(folder / f"地块{suffix}", **more)


@case("A", "GeoParquet, in order", "answer")
def _(folder: Path) -> Path:
    pair().to_parquet(folder / "sites.parquet")
    return folder / "sites.parquet"


KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{more}{marks}</Document></kml>"""


def kml(more: str = "") -> str:
    """Write the two sites as KML."""
    marks = ""
    for _, row in pair().iterrows():
        corners = " ".join(f"{x:.9f},{y:.9f},0" for x, y in row.geometry.exterior.coords)
        fields = "".join(f'<Data name="{n}"><value>{row[n]}</value></Data>' for n in ("id", "activity"))
        ring = f"<LinearRing><coordinates>{corners}</coordinates></LinearRing>"
        marks += f"<Placemark><name>{row['name']}</name><ExtendedData>{fields}</ExtendedData><Polygon>"
        marks += f"<outerBoundaryIs>{ring}</outerBoundaryIs></Polygon></Placemark>"
    return KML.format(more=more, marks=marks)


for _suffix in (".kml", ".ovkml"):

    @case("A", f"KML as {_suffix}", "answer")
    def _(folder: Path, suffix: str = _suffix) -> Path:
        path = folder / f"sites{suffix}"
        path.write_text(kml(), "utf-8")
        return path


@case("A", "KMZ", "answer")
def _(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "sites.kmz", "w") as archive:
        archive.writestr("doc.kml", kml())
    return folder / "sites.kmz"


@case("A", "GBK table without .cpg", "answer")
def _(folder: Path) -> Path:
    path = saved(folder / "地块.shp", encoding="GBK")
    path.with_suffix(".cpg").unlink()
    return path


@case("A", ".cpg says UTF-8, the table is GBK", "answer", r"\.cpg says UTF-8, but the text is GB18030")
def _(folder: Path) -> Path:
    path = saved(folder / "地块.shp", encoding="GBK")
    path.with_suffix(".cpg").write_text("UTF-8")
    return path


@case("A", "Shapefile without .prj", "refused", "has no coordinate reference system.*declare it")
def _(folder: Path) -> Path:
    path = saved(folder / "地块.shp")
    path.with_suffix(".prj").unlink()
    return path


@case("A", "Shapefile without .prj, system declared", "answer")
def _(folder: Path) -> Request:
    path = saved(folder / "地块.shp")
    path.with_suffix(".prj").unlink()
    return Request(path, ReadOptions(crs="EPSG:4490"))


@case("A", "Shapefile without .shx", "answer", "has no index")
def _(folder: Path) -> Path:
    path = saved(folder / "地块.shp")
    path.with_suffix(".shx").unlink()
    return path


@case("A", "Shapefile without .dbf", "open", "has no table", truth=FIRST_OPEN, geometric=TRUTH)
def _(folder: Path) -> Path:
    path = saved(folder / "地块.shp")
    path.with_suffix(".dbf").unlink()
    return path


for _part in (".dbf", ".shp", ".shx"):

    @case("A", f"{_part} cut short", "refused", "cut short|should have 2 records")
    def _(folder: Path, part: str = _part) -> Path:
        path = saved(folder / "地块.shp")
        cut(path.with_suffix(part))
        return path


@case("A", "GeoPackage cut short", "refused", "damaged|cannot be read")
def _(folder: Path) -> Path:
    return cut(saved(folder / "sites.gpkg"))


@case("A", "GeoPackage cut within its last page", "refused", "damaged|cannot be read")
def _(folder: Path) -> Path:
    return cut(saved(folder / "sites.gpkg"), 0.99)


@case("A", "GeoJSON cut short", "refused", "is no JSON", names="line")
def _(folder: Path) -> Path:
    return cut(wgs84(folder / "sites.geojson"))


@case("A", "FlatGeobuf cut short", "refused", "cannot be read|cut short|damaged")
def _(folder: Path) -> Path:
    return cut(saved(folder / "sites.fgb"), 0.9)


@case("A", "GeoParquet cut short", "refused", "cannot be read|is no")
def _(folder: Path) -> Path:
    pair().to_parquet(folder / "sites.parquet")
    return cut(folder / "sites.parquet")


@case("A", "KML cut short", "refused", "no well-formed XML", names="line")
def _(folder: Path) -> Path:
    (folder / "sites.kml").write_text(kml()[:-300], "utf-8")
    return folder / "sites.kml"


@case("A", "GeoJSON in GBK", "answer", "is in GB18030, though JSON is always UTF-8")
def _(folder: Path) -> Path:
    text = wgs84(folder / "sites.geojson").read_text("utf-8")
    (folder / "sites.geojson").write_text(text, "gbk")
    return folder / "sites.geojson"


@case("A", "GeoJSON with a byte order mark", "answer")
def _(folder: Path) -> Path:
    text = wgs84(folder / "sites.geojson").read_text("utf-8")
    (folder / "sites.geojson").write_text(text, "utf-8-sig")
    return folder / "sites.geojson"


for _suffix in (".gpkg", ".geojson", ".shp", ".kml", ".zip", ".csv", ".txt"):

    @case("A", f"an empty file {_suffix}", "refused", "is no |is empty|holds no|no rows|cannot be read|has no")
    def _(folder: Path, suffix: str = _suffix) -> Path:
        (folder / f"none{suffix}").write_bytes(b"")
        return folder / f"none{suffix}"


@case("A", "GeoPackage under the name of a shapefile", "refused", "is no shapefile")
def _(folder: Path) -> Path:
    return saved(folder / "a.gpkg").rename(folder / "a.shp")


@case("A", "a drawing (.dwg)", "refused", "files that end in '.dwg' are not read")
def _(folder: Path) -> Path:
    (folder / "plan.dwg").write_bytes(b"AC1032")
    return folder / "plan.dwg"


@case("A", "a folder in the place of a file", "refused", "is a folder|files that end in")
def _(folder: Path) -> Path:
    (folder / "sites.gpkg").mkdir()
    return folder / "sites.gpkg"


class _InGbk(zipfile.ZipInfo):
    """A member named as Windows names it: in GBK, with no mark that it is not UTF-8."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode("gbk"), self.flag_bits & ~0x800


def _zipped(folder: Path, *names: str) -> Path:
    inner = folder / "inner"
    inner.mkdir()
    saved(inner / "地块.shp", encoding="GBK")
    (inner / "地块.cpg").unlink()
    with zipfile.ZipFile(folder / "sites.zip", "w") as archive:
        for name in names:
            for part in inner.glob("地块.*"):
                archive.writestr(_InGbk(f"{name}{part.suffix}"), part.read_bytes())
    shutil.rmtree(inner)
    return folder / "sites.zip"


@case("A", "zip, sub-folder and names in GBK", "answer")
def _(folder: Path) -> Path:
    return _zipped(folder, "成果/地块")


@case("A", "zip of two shapefiles", "refused", "holds 2 layers; name one of")
def _(folder: Path) -> Path:
    return _zipped(folder, "甲", "乙")


@case("A", "zip of two shapefiles, one named", "answer")
def _(folder: Path) -> Request:
    return Request(_zipped(folder, "甲", "乙"), ReadOptions(layer="乙.shp"))


@case("A", "zip of nothing that can be read", "refused", "holds no file that can be read")
def _(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "sites.zip", "w") as archive:
        archive.writestr("readme.doc", "x")
    return folder / "sites.zip"


@case("A", "zip cut short", "refused", "is damaged|is no zip")
def _(folder: Path) -> Path:
    return cut(_zipped(folder, "甲"))


def _two_layers(folder: Path) -> Path:
    for name in ("甲", "乙"):
        saved(folder / "two.gpkg", layer=name)
    return folder / "two.gpkg"


@case("A", "two layers in a GeoPackage", "refused", "holds 2 layers; name one of")
def _(folder: Path) -> Path:
    return _two_layers(folder)


@case("A", "two layers, one named", "answer")
def _(folder: Path) -> Request:
    return Request(_two_layers(folder), ReadOptions(layer="乙"))


@case("A", "two layers, one named that is not there", "refused", "has no layer '丙'; name one of")
def _(folder: Path) -> Request:
    return Request(_two_layers(folder), ReadOptions(layer="丙"))


@case("A", "no rows", "refused", "has no rows")
def _(folder: Path) -> Path:
    return saved(folder / "none.gpkg", pair().iloc[:0])


@case("A", "a table without geometry", "refused", "has no geometry")
def _(folder: Path) -> Path:
    pyogrio.write_dataframe(pd.DataFrame({"id": ["a"]}), folder / "table.gpkg")
    return folder / "table.gpkg"


def dxf(crs: str | None) -> ReadOptions:
    """Declare the system of a drawing, or none."""
    return ReadOptions(crs=crs)


def _drawing(folder: Path) -> Path:
    """Write the outlines of the two sites as closed lines in the plane of zone 38."""
    lines = ["0", "SECTION", "2", "ENTITIES"]
    for shape in pair().to_crs(4547).geometry:
        corners = list(shape.exterior.coords)[:-1]
        lines += ["0", "LWPOLYLINE", "8", "0", "90", str(len(corners)), "70", "1"]
        for x, y in corners:
            lines += ["10", f"{x:.6f}", "20", f"{y:.6f}"]
    (folder / "plan.dxf").write_text("\n".join([*lines, "0", "ENDSEC", "0", "EOF", ""]), "ascii")
    return folder / "plan.dxf"


@case("A", "DXF without a system", "refused", "no coordinate reference system|system")
def _(folder: Path) -> Path:
    return _drawing(folder)


@case("A", "DXF, system declared", "open", "closed|no column of activities", truth=FIRST_OPEN, geometric=TRUTH)
def _(folder: Path) -> Request:
    return Request(_drawing(folder), ReadOptions(crs="EPSG:4547"))


@case("A", "GeoJSON of something else", "refused", "JSON but no GeoJSON")
def _(folder: Path) -> Path:
    (folder / "sites.geojson").write_text(json.dumps({"name": "x", "values": [1, 2]}))
    return folder / "sites.geojson"
