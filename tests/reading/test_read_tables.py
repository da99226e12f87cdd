"""Tables of coordinates: points, WKT and boundary points, in delimited text and workbooks."""

from __future__ import annotations

import csv as writing
import datetime as dt
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
import shapely
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st
from input_files import HEAD, HOLE, METRES, SQUARE, book, rows_of
from shapely import Polygon

from lzgis.errors import SourceError
from lzgis.reading import ReadOptions, read_sites, read_vector
from lzgis.reading.formats.tables import COORDINATE_FIELDS
from lzgis.reading.numbers import number


def csv(tmp_path, text, encoding="utf-8", name="s.csv"):
    (tmp_path / name).write_bytes(text.encode(encoding, "surrogateescape"))
    return tmp_path / name


def problems_of(read):
    return {str(p.what): p for p in read.problems}


def points(read):
    return [None if g is None else (g.x, g.y) for g in read.frame.geometry]


# --- delimiter, encoding, head ------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
@pytest.mark.parametrize(("delimiter", "title"), [(",", ","), ("\t", "tab"), (";", ";"), ("|", "|"), ("，", "，")])
def test_delimiter_and_encoding_are_found_and_reported(tmp_path, encoding, delimiter, title):
    rows = ["编号,项目名称,经度,纬度", "甲,连州保安,112.4,25", "乙,东陂,112.5,25.1"]
    read = read_vector(csv(tmp_path, "\r\n".join(rows).replace(",", delimiter), encoding))
    assert read.frame["项目名称"].tolist() == ["连州保安", "东陂"]
    assert points(read) == [(112.4, 25), (112.5, 25.1)]
    name = {"utf-8-sig": "UTF-8", "gbk": "GB18030"}.get(encoding, encoding.upper())
    how = {"utf-8": "the bytes are UTF-8", "gbk": "the bytes are not UTF-8 but GB18030"}.get(
        encoding, "byte order mark"
    )
    assert f"was read in {name} ({how}), delimited by '{title}'" in problems_of(read)
    assert (read.encoding.value, read.encoding.how) == (name, how)


def test_a_delimiter_that_the_file_names(tmp_path):
    read = read_vector(csv(tmp_path, "sep=;\nid;lon;lat\n1;112,4;25\n2;112.5;25\n"))
    assert read.frame["id"].tolist() == ["1", "2"]
    problem = next(p for p in read.problems if p.level == "error")
    assert str(problem.place).endswith("s.csv, row 3, column 'lon'")
    assert problem.what == "'112,4' is no number"


def test_quotation_marks(tmp_path):
    read = read_vector(csv(tmp_path, 'id,name,lon,lat\n1,"甲,\n乙",112.4,25\n2,丙,x,25\n'))
    assert read.frame["name"].tolist() == ["甲,\n乙", "丙"]
    # The second row of the table begins in line 4 of the file.
    assert any(str(p.place).endswith("row 4, column 'lon'") for p in read.problems)
    with pytest.raises(
        SourceError, match=r"line \d+: is no line of a table \(.*\); look for a quotation mark without its pair"
    ):
        read_vector(csv(tmp_path, 'id,lon,lat\n1,"112.4"x,25\n'))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,lon,lat\n1,\udcff,25\n", r"s\.csv, line 2: its text is neither UTF-8 nor GB18030; declare its encoding"),
        ("id\n1\n2\n", "has no delimiter that is known; use one of , tab ;"),
        ("id,name\n1,a\n", "no row names columns of coordinates; name them 经度 and 纬度, X and Y, or WKT"),
        ("id,lon,lat\n", "has no rows; give at least one site"),
        (
            "id,lon,lat\n1,112.4,25,x\n",
            r"row 2: has 4 cells, the head 3; put a text that holds the delimiter in quotation",
        ),
    ],
)
def test_text_that_is_no_table_of_coordinates(tmp_path, text, message):
    with pytest.raises(SourceError, match=message):
        read_vector(csv(tmp_path, text))


def test_a_title_above_the_head_and_a_sum_below(tmp_path):
    rows = [
        ["连州市重点项目表"],
        [],
        ["编号", "经度（°）", "纬度（°）", "面积"],
        [1, 112.4, 25, 2.5],
        ["合计", "", "", 2.5],
    ]
    read = read_vector(book(tmp_path, 表=rows))
    assert points(read) == [(112.4, 25)]
    assert "row 3 is taken as the head of the table" in problems_of(read)
    problem = problems_of(read)["is a sum ('合计') and was skipped"]
    assert str(problem.place).endswith("s.xlsx, sheet '表', row 5")


def test_columns_without_a_name_or_with_one_twice(tmp_path):
    read = read_vector(csv(tmp_path, "id,lon,lat,备注,备注,\n1,112.4,25,a,b,c\n"))
    assert [c for c in read.frame.columns if c != "geometry"] == ["id", "lon", "lat", "备注", "备注_5", "column_6"]


# --- numbers ------------------------------------------------------------------------------------------------


def test_numbers_in_every_dress(tmp_path):
    rows = [
        ["编号", "经度", "纬度"],
        [1, "１１２．４", "２５"],
        [2, " 112°24′0″ ", "25°00'00\""],
        [3, "东经112度24分", "北纬25度"],
        [4, "112.4°E", "25°N"],
        [5, "112°24’00”", "25:00:00"],
    ]
    assert points(read_vector(book(tmp_path, s=rows))) == [(112.4, 25)] * 5
    table = csv(tmp_path, 'id;X;Y\n1;"2,765,432.10";"38,412,345.5"\n')
    assert points(read_vector(table, options=METRES)) == [(38412345.5, 2765432.1)]


def test_a_row_without_coordinates_stays_and_is_reported(tmp_path):
    path = book(
        tmp_path,
        项目=[["编号", "经度", "纬度"], ["甲", 112.4, 25], ["乙", "待定", 25], ["丙", 112.4, ""], ["丁", 212.4, 25]],
    )
    table = read_sites(path)
    assert table.frame["id"].tolist() == ["甲", "乙", "丙", "丁"]
    assert table.frame.geometry.isna().tolist() == [False, True, True, True]
    errors = [str(p) for p in table.problems if p.level == "error" and "feature" not in str(p.place)]
    assert errors == [
        f"{path}, sheet '项目', row 3, column '经度': '待定' is no number; correct the coordinate",
        f"{path}, sheet '项目', row 4, column '纬度': is empty; give the coordinate",
        f"{path}, sheet '项目', row 5, column '经度': '212.4' is no number of degrees; "
        "correct it, or name the columns X and Y if they are metres",
    ]


def test_no_row_with_coordinates_is_an_error(tmp_path):
    with pytest.raises(SourceError, match=r"row 2, column '经度': '待定' is no number; correct the coordinate"):
        read_vector(csv(tmp_path, "编号,经度,纬度\n甲,待定,25\n"))


# --- which column is which ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("meaning", "alias"), [(m, a) for m in ("lon", "lat") for a in COORDINATE_FIELDS[m]])
def test_every_name_of_longitude_and_latitude(tmp_path, meaning, alias):
    names = {"lon": "lon", "lat": "lat"} | {meaning: alias.upper()}
    read = read_vector(csv(tmp_path, f"编号,{names['lat']},{names['lon']}\n1,25,112.4\n"))
    assert points(read) == [(112.4, 25)]


@pytest.mark.parametrize(
    ("east", "north"), [(e, n) for e in COORDINATE_FIELDS["east"] for n in COORDINATE_FIELDS["north"]]
)
def test_names_that_say_which_way_they_point(tmp_path, east, north):
    read = read_vector(csv(tmp_path, f"编号,{north},{east}\n1,2765432,38412345\n"), options=METRES)
    assert points(read) == [(38412345, 2765432)]


def test_degrees_name_no_system_and_that_is_reported(tmp_path):
    path = csv(tmp_path, "id,lon,lat\n1,112.4,25\n")
    read = read_vector(path)
    assert read.frame.crs.to_epsg() == 4490
    problem = problems_of(read)["longitude and latitude name no system; taken as CGCS2000"]
    assert problem.level == "warning"
    assert "GCJ-02" in problem.remedy
    declared = read_vector(path, options=ReadOptions(crs="EPSG:4326"))
    assert declared.frame.crs.to_epsg() == 4326
    assert "longitude and latitude name no system; taken as CGCS2000" not in problems_of(declared)


@pytest.mark.parametrize(
    ("x", "y", "north"),
    [
        (2765432, 38412345, True),  # surveying, with the number of the zone
        (38412345, 2765432, False),  # a GIS
        (2765432, 412345, True),  # without it
        (412345, 2765432, False),
        (112.4, 25.0, False),
        (25.0, 112.4, True),
    ],
)
def test_which_of_x_and_y_points_north_is_decided_by_values_and_reported(tmp_path, x, y, north):
    read = read_vector(csv(tmp_path, f"id,X,Y\n1,{x},{y}\n2,{x + 0.01},{y}\n"))
    east, up = (y, x) if north else (x, y)
    assert points(read)[0] == (east, up)
    problem = problems_of(read)[f"{'X' if north else 'Y'} is read as pointing north, by its values"]
    assert problem.level == ("warning" if north else "note")
    assert read.frame.crs is None


def test_x_and_y_that_say_nothing(tmp_path):
    message = r"row 2: cannot tell which of X and Y points north \(10.0, 20.0\); name the columns 东坐标 and 北坐标"
    with pytest.raises(SourceError, match=message):
        read_vector(csv(tmp_path, "id,X,Y\n1,10,20\n"))
    message = r"row 3: X and Y do not mean what they mean in the other rows \(2765432.0, 38412345.0\); give all rows in one order"
    with pytest.raises(SourceError, match=message):
        read_vector(csv(tmp_path, "id,X,Y\n1,38412345,2765432\n2,2765432,38412345\n3,38412345,2765432\n"))


def test_x_and_y_in_a_declared_system_elsewhere(tmp_path):
    path = csv(tmp_path, "id,X,Y\n1,48,-120\n")
    assert points(read_vector(path, options=ReadOptions(crs="EPSG:4326"))) == [(-120, 48)]


# --- WKT ----------------------------------------------------------------------------------------------------


def test_shapes_as_wkt(tmp_path):
    rows = [
        "id\tWKT",
        "1\tPOLYGON ((112 25, 113 25, 113 26, 112 25))",
        "2\tSRID=4490;POINT (112 25)",
        "3\tPOLYGON 7",
        "4\t",
    ]
    path = csv(tmp_path, "\n".join(rows))
    read = read_vector(path, options=ReadOptions(crs="EPSG:4490"))
    assert [None if g is None else g.geom_type for g in read.frame.geometry] == ["Polygon", "Point", None, None]
    problem = next(p for p in read.problems if p.level == "error")
    assert str(problem.place).endswith("row 4, column 'WKT'")
    assert problem.what.startswith("is no WKT (ParseException")
    assert list(read.frame.columns) == ["id", "geometry"]
    named = read_vector(path).crs
    assert named is not None and (named.value, str(named.how)) == ("EPSG:4490", "named in the file")
    only = csv(tmp_path, 'WKT\n"POINT (112 25)"\n', name="only.csv")
    assert len(read_vector(only).frame) == 1


# --- boundary points ----------------------------------------------------------------------------------------

FAR = [(200, 0), (200, 50), (250, 50)]


@pytest.mark.parametrize("closed", [False, True])
def test_boundary_points_become_parcels_with_holes_and_parts(tmp_path, closed):
    rows = [HEAD, *rows_of([SQUARE, HOLE, FAR], "甲", closed=closed), *rows_of([SQUARE], "乙", closed=closed)]
    read = read_vector(book(tmp_path, 界址点=rows), options=METRES)
    assert read.frame["地块编号"].tolist() == ["甲", "乙"]
    assert read.frame.geometry.area.tolist() == [10_000 - 100 + 1_250, 10_000]
    assert [g.geom_type for g in read.frame.geometry] == ["MultiPolygon", "Polygon"]
    assert f"{16 + (4 if closed else 0) - 1} boundary points were joined to 2 parcels" in problems_of(read)
    assert "X is read as pointing north, by its values" in problems_of(read)


def test_rings_without_numbers_end_where_they_began(tmp_path):
    head = [c for c in HEAD if c != "圈号"]
    rows = [head, *rows_of([SQUARE, HOLE], "甲", closed=True, numbered=False)]
    assert read_vector(book(tmp_path, s=rows), options=METRES).frame.geometry.area.tolist() == [9_900]


def test_the_number_of_a_parcel_in_merged_cells(tmp_path):
    rows = rows_of([SQUARE], "甲") + rows_of([FAR], "乙")
    for i in (1, 2, 3, 5, 6):
        rows[i][0] = ""
    read = read_vector(
        book(tmp_path, s=[[*HEAD, "用途"], *([*r, "住宅" if r[0] else ""] for r in rows)]), options=METRES
    )
    assert read.frame["地块编号"].tolist() == ["甲", "乙"]
    assert read.frame["用途"].tolist() == ["住宅", "住宅"]
    assert problems_of(read)["rows without the number of a parcel are taken to belong to the one above"].level == "note"


def test_a_table_of_one_parcel(tmp_path):
    rows = [["点号", "X", "Y"], *([r[1], r[3], r[4]] for r in rows_of([SQUARE]))]
    read = read_vector(book(tmp_path, s=rows), options=METRES)
    assert read.frame.geometry.area.tolist() == [10_000]
    table = read_sites(tmp_path / "s.xlsx", options=METRES)
    assert table.frame["id"].tolist() == ["1"]


def test_a_column_that_numbers_the_points(tmp_path):
    rows = [["id", "点号", "X", "Y"], *([i, r[1], r[3], r[4]] for i, r in enumerate(rows_of([SQUARE])))]
    read = read_vector(book(tmp_path, s=rows), options=METRES)
    assert read.frame.geometry.area.tolist() == [10_000]
    assert problems_of(read)["column 'id' differs in every row, so it is no number of a parcel"].level == "warning"
    assert "columns that differ within a parcel were left out: id" in problems_of(read)


@settings(max_examples=60)
@example(rows=[["", "", "0\x1e0"]], delimiter=",")
@given(
    st.lists(st.lists(st.text(max_size=6) | st.floats().map(str), min_size=3, max_size=3), max_size=4),
    st.sampled_from(",;\t"),
)
def test_any_table_is_read_or_refused_and_loses_no_row(rows, delimiter):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.csv"
        with path.open("w", encoding="utf-8", errors="replace", newline="") as stream:
            writer = writing.writer(stream, delimiter=delimiter)
            writer.writerows([["id", "lon", "lat"], *rows])
        try:
            read = read_vector(path)
        except SourceError as error:
            assert str(error.place).startswith(str(path))
            return
    assert len(read.frame) <= len(rows)
    wanted = sum(1 for g in read.frame.geometry if g is None)
    assert wanted <= sum(p.level == "error" for p in read.problems)


@given(st.floats(-180, 180))
def test_degrees_minutes_and_seconds_are_the_number_that_they_write(degrees):
    seconds = round(abs(degrees) * 3600, 2)
    whole, rest = divmod(seconds, 3600)
    text = f"{int(whole)}°{int(rest // 60)}′{rest % 60:.2f}″"
    if not text.endswith("60.00″"):
        assert number(text) == pytest.approx(seconds / 3600, abs=1e-9)
    assert number(f"{degrees:.8f}") == pytest.approx(degrees, abs=1e-8)


def test_parcels_that_cannot_be_made(tmp_path):
    bad = rows_of([SQUARE], "丙")
    bad[2][3] = "?"
    rows = [HEAD, *rows_of([SQUARE, SQUARE], "甲"), *rows_of([SQUARE[:2]], "乙"), *bad]
    read = read_vector(book(tmp_path, s=rows), options=METRES)
    assert read.frame.geometry.isna().tolist() == [False, True, True]
    assert read.frame.geometry.iloc[0].equals(Polygon([(38412000 + x, 2765000 + y) for x, y in SQUARE]))
    assert str(problems_of(read)["ring 1 has 2 different points"].place).endswith("sheet 's', parcel '乙'")
    assert problems_of(read)["has the same ring twice; it is counted once"].level == "warning"
    assert str(problems_of(read)["'?' is no number"].place).endswith("row 14, column 'X'")


# --- workbooks ----------------------------------------------------------------------------------------------


def test_the_one_sheet_with_coordinates_is_read(tmp_path):
    rows = [["编号", "经度", "纬度", "日期"], [1, 112.4, 25, "x"]]
    path = book(tmp_path, 说明=[["填表说明"]], 项目=rows)
    read = read_vector(path)
    assert "sheet '项目' was read; 说明 have no coordinates" in problems_of(read)
    assert read.engine.startswith("python-calamine ")
    assert read_sites(path).frame["id"].tolist() == ["1"]
    with pytest.raises(SourceError, match="has no layer '别的'; name one of 说明, 项目"):
        read_vector(path, layer="别的")
    two = book(tmp_path, 甲=rows, 乙=rows)
    with pytest.raises(SourceError, match="holds 2 layers; name one of 甲, 乙"):
        read_vector(two)
    assert len(read_vector(two, layer="乙").frame) == 1


def test_dates_and_blanks_survive(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "s.xlsx", {"default_date_format": "yyyy-mm-dd"}) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["id", "lon", "lat", "日期", "备注"])
        sheet.write_row(1, 0, [1, 112.4, 25])
        sheet.write_datetime(1, 3, dt.datetime(2026, 11, 21))
    read = read_vector(tmp_path / "s.xlsx")
    assert read.frame["日期"].tolist() == [dt.date(2026, 11, 21)]


def test_a_workbook_that_is_damaged(tmp_path):
    path = book(tmp_path, s=[["id", "lon", "lat"], [1, 112.4, 25]])
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(SourceError, match=r"is no workbook that can be read \(.*\); save it again as \.xlsx"):
        read_vector(path)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("suffix", ["ods", "xls"])
def test_workbooks_written_by_an_office(tmp_path, suffix):
    path = book(tmp_path, 项目=[["编号", "经度", "纬度"], ["甲", 112.4, 25], ["乙", "１１２．５", 25]])
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", suffix, "--outdir", str(tmp_path), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    if not path.with_suffix(f".{suffix}").exists():
        pytest.skip("LibreOffice is installed without Calc")
    read = read_vector(path.with_suffix(f".{suffix}"))
    assert read.frame["编号"].tolist() == ["甲", "乙"]
    assert shapely.get_x(read.frame.geometry.to_numpy()).tolist() == [112.4, 112.5]


def test_a_long_first_outline_is_read_and_the_limit_of_the_csv_module_is_as_before(tmp_path):
    before = writing.field_size_limit()
    # A line of 9,000 points is longer than the limit of the csv module, already in the row that shows the delimiter.
    angles = np.linspace(0, 2 * np.pi, 9000, endpoint=False)
    ring = shapely.Polygon(np.column_stack([112.38 + 0.001 * np.cos(angles), 24.78 + 0.001 * np.sin(angles)]))
    text = f'id,geometry\na,"{shapely.to_wkt(ring, rounding_precision=12)}"\n'
    assert len(text) > 2 * before
    path = tmp_path / "a.csv"
    path.write_text(text)
    inside, done = [], threading.Event()

    def other():
        while not done.is_set():
            inside.append(len(read_vector(path).frame))

    thread = threading.Thread(target=other)
    thread.start()
    try:
        for _ in range(3):
            assert shapely.get_num_coordinates(read_vector(path).frame.geometry.iloc[0]) == 9001
    finally:
        done.set()
        thread.join()
    assert set(inside) == {1}
    assert writing.field_size_limit() == before


def test_a_delimiter_that_is_stated_as_a_word_is_found_in_the_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("sep=comma\nid,lon,lat\na,112.38,24.78\n")
    assert read_vector(path).frame["id"].tolist() == ["a"]
