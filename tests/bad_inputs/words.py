"""Family J: datums named in words that contradict the system, and degrees packed as ddd.mmss."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from bad_inputs import outlines, points, tables
from bad_inputs.case import BOTH_OPEN, Request, case, pair, saved
from lzgis.reading import ReadOptions

ANOTHER = "another datum"
XIAN, BEIJING, LOCAL = "1980西安坐标系", "1954年北京坐标系", "清远市独立坐标系"


def kml(folder: Path, words: str = "", name: str = "sites", where: str = "Folder") -> Path:
    """Write the two sites as KML, with words of the folder or of the first placemark."""
    path = saved(folder / f"{name}.kml", pair(), driver="KML")
    text = path.read_text("utf-8")
    path.write_text(text.replace(f"<{where}", "<FIRST", 1).replace("<FIRST", f"<{where}", 1), "utf-8")
    at = text.index(">", text.index(f"<{where}")) + 1
    path.write_text(f"{text[:at]}<description>{words}</description>{text[at:]}", "utf-8")
    return path


def geojson(folder: Path, *, words: str = "", remark: str = "", name: str = "sites") -> Path:
    """Write the two sites as GeoJSON that names no system."""
    import json

    path = saved(folder / f"{name}.geojson", pair().assign(remark=[remark, ""]), 4326)
    document = json.loads(path.read_text("utf-8"))
    document.pop("crs", None)
    document["name"] = words or "sites"
    path.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    return path


def csv(folder: Path, *, above: str = "", heading: str = "", remark: str = "", name: str = "sites") -> Path:
    """Write the two points as CSV with a title, a heading or a remark."""
    text = tables.rows().assign(备注=[remark, ""]).to_csv(index=False)
    text = text.replace("经度", f"经度({heading})", 1) if heading else text
    path = folder / f"{name}.csv"
    path.write_text((f"{above},,,,,\n" if above else "") + text, "utf-8")
    return path


def workbook(folder: Path, where: str, words: str) -> Path:
    """Write the two points as a workbook with words in some place."""
    path = folder / "sites.xlsx"
    with pd.ExcelWriter(path, engine="xlsxwriter") as book:
        sheet = words[:31] if where == "sheet name" else "点"
        tables.rows().to_excel(book, sheet_name=sheet, index=False, startrow=1 if where == "title" else 0)
        made: Any = book.sheets[sheet]
        if where == "title":
            made.write(0, 0, words)
        elif where == "footer":
            made.write(6, 0, f"备注：{words}")
        elif where == "other sheet":
            pd.DataFrame({"说明": [words]}).to_excel(book, sheet_name="说明", index=False)
        elif where == "comment":
            made.write_comment("B1", words)
        elif where == "head of the page":
            made.set_header(f"&C{words}")
        elif where == "text box":
            made.insert_textbox(8, 1, words)
        elif where == "properties":
            book.book.set_properties({"title": words})
    return path


for _word in (XIAN, BEIJING, LOCAL):

    @case("J", f"KML whose folder says {_word}", "refused", ANOTHER)
    def _(folder: Path, word: str = _word) -> Path:
        return kml(folder, word)

    @case("J", f"GeoJSON whose name says {_word}", "refused", ANOTHER)
    def _(folder: Path, word: str = _word) -> Path:
        return geojson(folder, words=word)

    @case("J", f"a table under the title {_word}", "refused", ANOTHER, names="row 1")
    def _(folder: Path, word: str = _word) -> Path:
        return csv(folder, above=f"拐点坐标表（{word}）")

    @case("J", f"a text of a drawing says {_word}", "refused", ANOTHER)
    def _(folder: Path, word: str = _word) -> Request:
        path = outlines.drawing(folder, outlines._BOXES, texts=(f"坐标系：{word} 1985国家高程基准",))
        return Request(path, outlines.GK)

    @case("J", f"界址点 whose header notes {_word}", "refused", ANOTHER)
    def _(folder: Path, word: str = _word) -> Path:
        header = points.HEADER.replace("坐标系=2000国家大地坐标系\n", f"备注={word}\n")
        return points.written(folder, points.both(), header=header)


@case("J", "KML whose placemark is described as of 西安80", "refused", ANOTHER, names="row 1")
def _(folder: Path) -> Path:
    return kml(folder, "西安80", where="Placemark")


@case("J", "KML under the name of another datum", "refused", ANOTHER)
def _(folder: Path) -> Path:
    return kml(folder, name="红线_西安80")


@case("J", "GeoJSON under the name of another datum", "refused", ANOTHER)
def _(folder: Path) -> Path:
    return geojson(folder, name="红线BJ54")


@case("J", "GeoJSON with a remark of another datum", "refused", ANOTHER, names="row 1")
def _(folder: Path) -> Path:
    return geojson(folder, remark=XIAN)


@case("J", "a table under the name of another datum", "refused", ANOTHER)
def _(folder: Path) -> Path:
    return csv(folder, name="坐标_xian80")


@case("J", "a heading that names another datum", "refused", ANOTHER)
def _(folder: Path) -> Path:
    return csv(folder, heading="北京54")


@case("J", "a remark that names another datum", "refused", ANOTHER, names="row 2")
def _(folder: Path) -> Path:
    return csv(folder, remark="西安８０")


@case("J", "a layer of a drawing that names another datum", "refused", ANOTHER)
def _(folder: Path) -> Request:
    return Request(outlines.drawing(folder, outlines._BOXES, layer="红线-西安80"), outlines.GK)


@case("J", "a zip under the name of another datum", "refused", ANOTHER)
def _(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "1980西安.zip", "w") as archive:
        archive.write(kml(folder), "sites.kml")
    return folder / "1980西安.zip"


for _where in ("title", "sheet name", "footer", "other sheet", "comment", "head of the page", "text box", "properties"):

    @case("J", f"a workbook with another datum in its {_where}", "refused", ANOTHER)
    def _(folder: Path, where: str = _where) -> Path:
        return workbook(folder, where, XIAN)


def stating(folder: Path, suffix: str, *, remark: str = "", name: str = "sites") -> Path:
    """Write the two sites in a format that states its system."""
    frame, path = pair().assign(remark=[remark, ""]), folder / f"{name}{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
        return path
    return saved(path, frame)


for _suffix in (".gpkg", ".shp", ".fgb", ".parquet", ".gml", ".gdb"):

    @case(
        "J", f"a remark against the system that the file states, {_suffix}", "answer", ANOTHER, names="field 'remark'"
    )
    def _(folder: Path, suffix: str = _suffix) -> Path:
        if suffix == ".gdb":
            return saved(folder / "sites.gdb", pair().assign(remark=[XIAN, ""]), driver="OpenFileGDB")
        return stating(folder, suffix, remark=XIAN)

    @case("J", f"a file name against the system that the file states, {_suffix}", "answer", ANOTHER)
    def _(folder: Path, suffix: str = _suffix) -> Path:
        if suffix == ".gdb":
            return saved(folder / "北京54.gdb", pair(), driver="OpenFileGDB", layer="sites")
        return stating(folder, suffix, name="北京54")


HARMLESS = (
    *("由1980西安坐标系转换为CGCS2000", "已转2000国家大地坐标系（原西安80）"),
    *("1985国家高程基准", "北京54号院", "西安80米大道"),
)
for _word in HARMLESS:

    @case("J", f"a table that says {_word}", "answer", truth=tables.POINTS)
    def _(folder: Path, word: str = _word) -> Path:
        return csv(folder, above=word)

    @case("J", f"KML that says {_word}", "answer")
    def _(folder: Path, word: str = _word) -> Path:
        return kml(folder, word)

    @case("J", f"a workbook with a comment {_word}", "answer", truth=tables.POINTS)
    def _(folder: Path, word: str = _word) -> Path:
        return workbook(folder, "comment", word)


def packed(values: np.ndarray) -> np.ndarray:
    """Write decimal degrees as ddd.mmss with four decimals of a second."""
    seconds = np.round(values * 3600, 4)
    whole, rest = np.divmod(seconds, 3600)
    minutes, seconds = np.divmod(rest, 60)
    made: np.ndarray = np.round(whole + minutes / 100 + seconds / 10_000, 8)
    return made


def packed_pair() -> gpd.GeoDataFrame:
    """Make the two sites in packed degrees."""
    frame = pair()
    return frame.set_geometry(shapely.transform(frame.geometry.to_numpy(), packed), crs=frame.crs)


for _suffix in outlines.FORMATS:

    @case("J", f"packed degrees, declared, {_suffix}", "answer", "were read as ddd.mmss")
    def _(folder: Path, suffix: str = _suffix) -> Request:
        made = outlines.written(folder, packed_pair(), suffix)
        return Request(made.path, ReadOptions(crs=made.options.crs, degrees="packed"))

    @case("J", f"packed degrees, {_suffix}", "open", "one decimal .ddd.mmss.", truth=BOTH_OPEN)
    def _(folder: Path, suffix: str = _suffix) -> Request:
        return outlines.written(folder, packed_pair(), suffix)

    @case("J", f"decimal degrees, declared as packed, {_suffix}", "refused", "is no ddd.mmss", names="row")
    def _(folder: Path, suffix: str = _suffix) -> Request:
        frame = pair().set_geometry(pair().geometry.translate(0.0, 0.0075))
        made = outlines.written(folder, frame, suffix)
        return Request(made.path, ReadOptions(crs=made.options.crs, degrees="packed"))


@case("J", "metres, declared as packed degrees", "refused", "its coordinates are no degrees")
def _(folder: Path) -> Request:
    return Request(saved(folder / "sites.gpkg", pair(), 4526), ReadOptions(degrees="packed"))


def packed_table() -> pd.DataFrame:
    """Make the table of two points in packed degrees."""
    return tables.rows().assign(
        经度=lambda t: [f"{v:.8f}" for v in packed(t["经度"].astype(float).to_numpy())],
        纬度=lambda t: [f"{v:.8f}" for v in packed(t["纬度"].astype(float).to_numpy())],
    )


@case("J", "packed degrees in columns, declared", "answer", "were read as ddd.mmss", truth=tables.POINTS)
def _(folder: Path) -> Request:
    return Request(tables.text(folder, packed_table()), ReadOptions(degrees="packed"))


@case("J", "packed degrees in columns", "open", "one decimal .ddd.mmss.", truth=BOTH_OPEN)
def _(folder: Path) -> Path:
    return tables.text(folder, packed_table())


@case("J", "signs of degrees, declared as packed", "refused", "has signs of degrees", names="row 2")
def _(folder: Path) -> Request:
    return Request(tables.text(folder, tables.rows().assign(经度="112°30′01″")), ReadOptions(degrees="packed"))
