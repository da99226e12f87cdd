"""Family F: tables of coordinates, and all that people write in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from shapely import Point

from bad_inputs.case import FIRST_OPEN, IN, OPEN, OUT, Request, case, degrees, pair
from lzgis.reading import ReadOptions

AT = [p.coords[0] for p in degrees(Point(200, 200), Point(-3000, 50))]
POINTS = {0: (IN, None), 1: (OUT, None)}


def rows(x: str = "经度", y: str = "纬度", swap: int = 1) -> pd.DataFrame:
    """Make a table of two points: the first in the redline, the second away from it."""
    lon, lat = ([f"{p[i]:.8f}" for p in AT] for i in (0, 1))
    first, second = (lon, lat) if swap == 1 else (lat, lon)
    return pd.DataFrame({"编号": ["s1", "s2"], "名称": ["甲", "乙"], "活动类型": ["住宅", "住宅"], x: first, y: second})


def text(folder: Path, table: pd.DataFrame, encoding: str = "utf-8", sep: str = ",") -> Path:
    """Write a table as CSV."""
    (folder / "sites.csv").write_bytes(table.to_csv(index=False, sep=sep).encode(encoding))
    return folder / "sites.csv"


for _encoding in ("utf-8", "utf-8-sig", "gbk", "utf-16"):

    @case("F", f"points in degrees, {_encoding}", "answer", truth=POINTS)
    def _(folder: Path, encoding: str = _encoding) -> Path:
        return text(folder, rows(), encoding)


for _name, _sep in {"semicolons": ";", "tabs": "\t", "bars": "|"}.items():

    @case("F", f"points parted by {_name}", "answer", truth=POINTS)
    def _(folder: Path, sep: str = _sep) -> Path:
        return text(folder, rows(), sep=sep)


@case("F", "columns in another order", "answer", truth=POINTS)
def _(folder: Path) -> Path:
    return text(folder, rows("纬度", "经度", swap=-1))


@case("F", "longitude and latitude exchanged", "refused", "is no number of degrees")
def _(folder: Path) -> Path:
    return text(folder, rows("纬度", "经度"))


@case("F", "full-width digits", "answer", truth=POINTS)
def _(folder: Path) -> Path:
    wide = str.maketrans("0123456789.", "０１２３４５６７８９．")
    return text(folder, rows().assign(经度=lambda t: [v.translate(wide) for v in t["经度"]]))


@case("F", "degrees, minutes and seconds", "answer", truth=POINTS)
def _(folder: Path) -> Path:
    def dms(value: str) -> str:
        degree = float(value)
        minute = (degree - int(degree)) * 60
        return f"{int(degree)}°{int(minute)}′{(minute - int(minute)) * 60:.5f}″"

    return text(folder, rows().map(lambda v: dms(v) if v[:2] in ("11", "24", "25") else v))


@case(
    "F",
    "a coordinate that is a word",
    "open",
    "'不详' is no number",
    truth={0: (IN, None), 1: (OPEN, None)},
    names="row 3",
)
def _(folder: Path) -> Path:
    table = rows()
    table.loc[1, "经度"] = "不详"
    return text(folder, table)


@case(
    "F",
    "a coordinate that is missing",
    "open",
    "no geometry|is empty|missing",
    truth={0: (IN, None), 1: (OPEN, None)},
    names="s2|row 2|row 3",
)
def _(folder: Path) -> Path:
    table = rows()
    table.loc[1, "经度"] = ""
    return text(folder, table)


@case("F", "X and Y without a system", "refused", "no coordinate reference system|system")
def _(folder: Path) -> Path:
    metres = pair().to_crs(4526).geometry.centroid
    return text(folder, rows().drop(columns=["经度", "纬度"]).assign(X=metres.y, Y=metres.x))


@case("F", "X (north) and Y (east), system declared", "answer", truth=POINTS)
def _(folder: Path) -> Request:
    import geopandas as gpd

    metres = gpd.GeoSeries(degrees(Point(200, 200), Point(-3000, 50)), crs=4490).to_crs(4526)
    table = rows().drop(columns=["经度", "纬度"]).assign(X=metres.y.round(3), Y=metres.x.round(3))
    return Request(text(folder, table), ReadOptions(crs="EPSG:4526"))


def _wkt(folder: Path, *texts: str) -> Request:
    table = rows().drop(columns=["经度", "纬度"]).assign(WKT=texts)
    return Request(text(folder, table), ReadOptions(crs="EPSG:4490"))


@case("F", "WKT", "answer")
def _(folder: Path) -> Request:
    return _wkt(folder, *(s.wkt for s in pair().geometry))


@case("F", "WKT that is none", "open", "WKT|cannot be read|no geometry", truth=FIRST_OPEN, names="row 1|row 2|s1")
def _(folder: Path) -> Request:
    good = pair().geometry
    return _wkt(folder, good.iloc[0].wkt.replace(")", ""), good.iloc[1].wkt)


def boundary() -> pd.DataFrame:
    """Make a table of the corners of the two sites, one in each row."""
    parts = []
    for _, site in pair().iterrows():
        x, y = np.array(site.geometry.exterior.coords)[:-1].T
        n = len(x)
        data = {
            "地块编号": [site["id"]] * n,
            "活动类型": [site["activity"]] * n,
            "界址点号": [f"J{i + 1}" for i in range(n)],
        }
        parts.append(pd.DataFrame(data | {"经度": x, "纬度": y}))
    return pd.concat(parts, ignore_index=True)


@case("F", "boundary points, one in each row", "answer", "joined to 2 parcels")
def _(folder: Path) -> Path:
    return text(folder, boundary())


@case("F", "a parcel of two boundary points", "open", "ring 1 has 2 different points", truth=FIRST_OPEN, names="s1")
def _(folder: Path) -> Path:
    return text(folder, boundary().drop(index=[2, 3]))


@case("F", "a workbook", "answer", truth=POINTS)
def _(folder: Path) -> Path:
    rows().to_excel(folder / "sites.xlsx", index=False, engine="xlsxwriter")
    return folder / "sites.xlsx"


@case("F", "a workbook with a title above the table", "answer", truth=POINTS)
def _(folder: Path) -> Path:
    rows().to_excel(folder / "sites.xlsx", index=False, engine="xlsxwriter", startrow=2)
    return folder / "sites.xlsx"


def _two_sheets(folder: Path) -> Path:
    with pd.ExcelWriter(folder / "sites.xlsx", engine="xlsxwriter") as book:
        for name in ("甲", "乙"):
            rows().to_excel(book, sheet_name=name, index=False)
    return folder / "sites.xlsx"


@case("F", "a workbook of two sheets", "refused", "holds 2 .*name one of")
def _(folder: Path) -> Path:
    return _two_sheets(folder)


@case("F", "a workbook of two sheets, one named", "answer", truth=POINTS)
def _(folder: Path) -> Request:
    return Request(_two_sheets(folder), ReadOptions(layer="乙"))


@case("F", "a table without coordinates", "refused", "no columns|no coordinates|has no geometry|coordinate")
def _(folder: Path) -> Path:
    return text(folder, rows().drop(columns=["经度", "纬度"]))


@case("F", "two columns of one name", "refused", "two columns are named")
def _(folder: Path) -> Path:
    (folder / "sites.csv").write_text("id,经度,经度,纬度\ns1,112.5,112.6,25\n", "utf-8")
    return folder / "sites.csv"


@case("F", "rows of unequal length", "refused", "cells|fields|columns", names="row|line")
def _(folder: Path) -> Path:
    (folder / "sites.csv").write_text("id,经度,纬度\ns1,112.5,25\ns2,112.6,25,7,8\n", "utf-8")
    return folder / "sites.csv"


@case("F", "text that is in no encoding", "refused", "neither UTF-8 nor GB18030|encoding|is not text")
def _(folder: Path) -> Path:
    (folder / "sites.csv").write_bytes("id,经度,纬度\n".encode() + b"\xff\xfe\xfa\x80\xff,112.5,25\n")
    return folder / "sites.csv"


@case("F", "ids with zeros before them", "answer", truth=POINTS)
def _(folder: Path) -> Path:
    return text(folder, rows().assign(编号=["007", "7"]))


@case(
    "F", "toy coordinates in the other order of columns, named X and Y in degrees", "refused", "system|exchange|degree"
)
def _(folder: Path) -> Path:
    return text(folder, rows("X", "Y"))


@case("F", "coordinates as a spreadsheet shortens them in CSV", "refused", "rounded to a power of ten")
def _(folder: Path) -> Path:
    table = rows()
    table["经度"], table["纬度"] = ["1.125E+02", "1.124E+02"], ["2.5002E+01", "2.5001E+01"]
    return text(folder, table)


@case("F", "powers of ten that have all digits", "answer", truth=POINTS)
def _(folder: Path) -> Path:
    table = rows()
    table[["经度", "纬度"]] = table[["经度", "纬度"]].map(lambda one: f"{float(one):.11E}")
    return text(folder, table)


@case(
    "F",
    "a remark that the points were taken from a map of the internet",
    "answer",
    "hints at a map in GCJ-02",
    truth=POINTS,
)
def _(folder: Path) -> Path:
    return text(folder, rows().assign(备注=["高德地图取点", ""]))


@case("F", "names of firms and houses that are also names of maps", "answer", "name no system", truth=POINTS)
def _(folder: Path) -> Path:
    return text(folder, rows().assign(备注=["百度公司", "高德置地"]))


@case(
    "F",
    "a title and the head again between two blocks of rows",
    "answer",
    "is the title of the rows below",
    truth=POINTS,
)
def _(folder: Path) -> Path:
    lines = rows().to_csv(index=False).splitlines()
    (folder / "sites.csv").write_text("\n".join([*lines[:2], "地块二" + "," * 4, lines[0], lines[2]]) + "\n", "utf-8")
    return folder / "sites.csv"
