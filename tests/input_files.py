"""Drawings and workbooks written by hand for the tests of readers."""

from __future__ import annotations

import xlsxwriter

from lzgis.reading import ReadOptions


def line(points, closed, layer="地块"):
    body = "".join(f"10\n{x}\n20\n{y}\n" for x, y in points)
    return f"0\nLWPOLYLINE\n5\n1A\n100\nAcDbEntity\n8\n{layer}\n100\nAcDbPolyline\n90\n{len(points)}\n70\n{int(closed)}\n{body}"


def text(words, x, y):
    return f"0\nTEXT\n5\n1B\n100\nAcDbEntity\n8\n注记\n100\nAcDbText\n10\n{x}\n20\n{y}\n30\n0\n40\n1\n1\n{words}\n"


def dxf(*entities, version="AC1015", page="$DWGCODEPAGE\n3\nANSI_936\n"):
    head = f"0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\n{version}\n" + (f"9\n{page}" if page else "") + "0\nENDSEC\n"
    return head + "0\nSECTION\n2\nENTITIES\n" + "".join(entities) + "0\nENDSEC\n0\nEOF\n"


def ring(x, side):
    return [(x, 0), (x + side, 0), (x + side, side), (x, side)]


METRES = ReadOptions(crs="EPSG:4526")


def book(tmp_path, **sheets):
    with xlsxwriter.Workbook(tmp_path / "s.xlsx") as workbook:
        for name, rows in sheets.items():
            sheet = workbook.add_worksheet(name)
            for i, row in enumerate(rows):
                sheet.write_row(i, 0, row)
    return tmp_path / "s.xlsx"


SQUARE = [(0, 0), (0, 100), (100, 100), (100, 0)]


HOLE = [(10, 10), (10, 20), (20, 20), (20, 10)]


def rows_of(rings, parcel="", *, closed=False, numbered=True):
    rows = []
    for which, ring in enumerate(rings, 1):
        for i, (x, y) in enumerate([*ring, ring[0]] if closed else ring, 1):
            row = [parcel, f"J{i}", *([which] if numbered else []), 2765000 + y, 38412000 + x]
            rows.append(row)
    return rows


HEAD = ["地块编号", "点号", "圈号", "X", "Y"]
