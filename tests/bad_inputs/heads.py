"""Family K: tables of boundary points as offices lay them out: heads, merged cells, parcels, lengths, sums, footers, errors."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xlsxwriter

from bad_inputs.case import FIRST_OPEN, IN, OPEN, OUT, Request, case, pair
from lzgis.reading import ReadOptions

#: Rows of a sheet.
Rows = list[list[Any]]
#: Without an activity the redline is 未核查 where it is hit.
HIT = FIRST_OPEN


def corners() -> list[list[tuple[float, float]]]:
    """Give the corners of the two sites, in degrees."""
    return [[(float(x), float(y)) for x, y in np.array(s.exterior.coords)[:-1]] for s in pair().geometry]


def lines(site: int, *before: Any, start: int = 1) -> Rows:
    """Give the rows of the points of a site: leading cells, number of the point, longitude, latitude."""
    return [[*before, f"J{i}", x, y] for i, (x, y) in enumerate(corners()[site], start)]


def written(folder: Path, rows: Rows, suffix: str) -> Path:
    """Write rows as a workbook or as text."""
    path = folder / f"sites{suffix}"
    if suffix == ".xlsx":
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet("点")
            for i, row in enumerate(rows):
                for j, cell in enumerate(row):
                    if cell != "":
                        sheet.write(i, j, cell)
        return path
    width = max(map(len, rows))
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([*row, *[""] * (width - len(row))] for row in rows)
    return path


NAMED = ["地块编号", "点号", "经度", "纬度"]
BARE = ["点号", "经度", "纬度"]


def ids(number: int, site: int) -> Rows:
    """Give the rows of a site with its id."""
    return lines(site, f"s{number}")


def between(rows: Rows, *others: list[Any]) -> Rows:
    """Put other rows between rows."""
    return [one for row in rows for one in (row, *others)]


TWO = [*ids(1, 0), *ids(2, 1)]
LAYOUTS: dict[str, tuple[Callable[[], Rows], str]] = {
    "one row of headings": (lambda: [NAMED, *TWO], "joined to 2 parcels"),
    "two rows of headings": (
        lambda: [["地块编号", "点号", "坐标", ""], ["", "", "经度", "纬度"], *TWO],
        "row 2 is taken as the head",
    ),
    "three rows of headings": (
        lambda: [["界址点成果表", "", "", ""], ["地块编号", "点号", "坐标", ""], ["", "", "经度", "纬度"], *TWO],
        "row 3 is taken as the head",
    ),
    "headings repeated for every parcel": (lambda: [NAMED, *ids(1, 0), NAMED, *ids(2, 1)], "row 6: repeats the head"),
    "a row of units": (lambda: [NAMED, ["", "", "(度)", "(度)"], *TWO], "row 2: holds units"),
    "a sum": (lambda: [NAMED, *TWO, ["合计", 8, "", ""]], "row 10: is a sum"),
    "footers": (
        lambda: [NAMED, *TWO, ["制表人：张三", "", "", ""], ["日期：2026年1月", "", "", ""]],
        "row 10: is no row of coord",
    ),
    "empty rows at the end": (lambda: [NAMED, *TWO, ["", "", "", ""], ["", "", "", ""]], "joined to 2 parcels"),
    "the first point repeated": (
        lambda: [NAMED, *ids(1, 0), ids(1, 0)[0], *ids(2, 1), ids(2, 1)[0]],
        "10 boundary points were joined to 2 parcels",
    ),
    "merged cells of the parcel": (
        lambda: [NAMED, *[[row[0] if i % 4 == 0 else "", *row[1:]] for i, row in enumerate(TWO)]],
        "joined to 2 parcels",
    ),
    "parcels distinguished by name": (
        lambda: [["地块名称", *BARE], *lines(0, "甲"), *lines(1, "乙")],
        "parcels are distinguished by column '地块名称'",
    ),
    "parcels distinguished by 项目名称": (
        lambda: [["项目名称", *BARE], *lines(0, "甲"), *lines(1, "乙")],
        "parcels are distinguished by column '项目名称'",
    ),
    "parcels distinguished by an empty row": (
        lambda: [BARE, *lines(0), ["", "", ""], *lines(1)],
        "joined to 2 parcels",
    ),
    "parcels distinguished by numbers that start again": (lambda: [BARE, *lines(0), *lines(1)], "joined to 2 parcels"),
    "lengths of edges between the points": (
        lambda: [[*NAMED, "边长"], *between([[*row, ""] for row in TWO], ["", "", "", "", 100.0])],
        "holds lengths of edges",
    ),
    "a column of remarks": (lambda: [[*NAMED, "备注"], *[[*row, "埋石"] for row in TWO]], "joined to 2 parcels"),
    "a column without a heading": (lambda: [[*NAMED, ""], *[[*row, "x"] for row in TWO]], "joined to 2 parcels"),
}
for _title, (_rows, _says) in LAYOUTS.items():
    for _suffix in (".xlsx", ".csv"):

        @case("K", f"{_title}, {_suffix}", "open", _says, truth=HIT)
        def _(folder: Path, rows: Any = _rows, suffix: str = _suffix) -> Path:
            return written(folder, rows(), suffix)


def points_table(folder: Path, name: str, cells: Rows) -> Path:
    """Write a workbook of two points, whose cells are given."""
    return written(folder, [["编号", "名称", "活动类型", "经度", "纬度"], *cells], name)


def _at(site: int) -> tuple[float, float]:
    middle = pair().geometry.iloc[site].centroid
    return float(middle.x) + (0.0003 if site == 0 else 0.0), float(middle.y)


GOOD = [["s1", "甲", "住宅", *_at(0)], ["s2", "乙", "住宅", *_at(1)]]
POINTS = {0: (IN, None), 1: (OUT, None)}


@case(
    "K",
    "an error of a formula in place of a coordinate",
    "open",
    "'#REF!' is no number",
    truth={0: (IN, None), 1: (OPEN, None)},
    names="row 3",
)
def _(folder: Path) -> Path:
    path = folder / "sites.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("点")
        for i, row in enumerate([["编号", "名称", "活动类型", "经度", "纬度"], *GOOD]):
            sheet.write_row(i, 0, row)
        sheet.write_formula(2, 3, "=Sheet9!A1", None, "#REF!")
    return path


@case("K", "ids of 18 digits stored as numbers", "refused", "is a number of 18 digits", names="row 1")
def _(folder: Path) -> Path:
    return points_table(folder, ".xlsx", [[441882100000000001, *GOOD[0][1:]], [441882100000000002, *GOOD[1][1:]]])


@case("K", "ids of 18 digits stored as text", "answer", truth=POINTS)
def _(folder: Path) -> Path:
    return points_table(folder, ".xlsx", [["441882100000000001", *GOOD[0][1:]], ["441882100000000002", *GOOD[1][1:]]])


for _value in ("1e999", "NaN", "Infinity", "-", "112.5.1", "112,5", "０x10", "一百一十二度"):

    @case(
        "K",
        f"a coordinate written as {_value}",
        "open",
        "is no number",
        truth={0: (OPEN, None), 1: (OUT, None)},
        names="row 2",
    )
    def _(folder: Path, value: str = _value) -> Path:
        return points_table(folder, ".csv", [[*GOOD[0][:3], value, GOOD[0][4]], GOOD[1]])


@case("K", "two pairs of coordinates", "answer", "has two pairs of coordinates", truth=POINTS)
def _(folder: Path) -> Path:
    head = ["编号", "名称", "活动类型", "lng", "lat", "gcj_lng", "gcj_lat"]
    return written(folder, [head, *[[*row, row[3] + 0.005, row[4] - 0.003] for row in GOOD]], ".csv")


@case("K", "only columns of a shifted map", "refused", "gcj02_lng.*gcj02_lat")
def _(folder: Path) -> Path:
    return written(folder, [["编号", "名称", "活动类型", "gcj02_lng", "gcj02_lat"], *GOOD], ".csv")


@case("K", "a table that names no system", "answer", "GCJ-02", truth=POINTS)
def _(folder: Path) -> Path:
    return points_table(folder, ".csv", GOOD)


@case("K", "the same id twice", "refused", "share the id 's1'", names="rows 1, 2")
def _(folder: Path) -> Path:
    return points_table(folder, ".csv", [GOOD[0], ["s1", *GOOD[1][1:]]])


@case("K", "an id that is empty", "refused", "is empty", names="row 2")
def _(folder: Path) -> Path:
    return points_table(folder, ".csv", [GOOD[0], ["", *GOOD[1][1:]]])


@case("K", "a quotation mark without its pair", "refused", "is no line of a table|cells", names="line|row")
def _(folder: Path) -> Path:
    path = points_table(folder, ".csv", GOOD)
    path.write_text(path.read_text("utf-8").replace("甲", '"甲', 1), "utf-8")
    return path


@case("K", "blanks and tabs round the cells", "answer", truth=POINTS)
def _(folder: Path) -> Path:
    return points_table(folder, ".csv", [[f" {cell}\t" for cell in row] for row in GOOD])


@case("K", "eastings with separators of thousands", "answer", truth=POINTS)
def _(folder: Path) -> Request:
    import geopandas as gpd

    there = gpd.GeoSeries(gpd.points_from_xy(*zip(*map(_at, (0, 1)), strict=True)), crs=4490).to_crs(4526)
    rows = [[*GOOD[i][:3], f"{p.x:,.3f}", f"{p.y:,.3f}"] for i, p in enumerate(there)]
    path = written(folder, [["编号", "名称", "活动类型", "东坐标", "北坐标"], *rows], ".csv")
    return Request(path, ReadOptions(crs="EPSG:4526"))
