"""界址点 files: the variants that programs write, what is decided and reported, what is refused and at which line."""

from __future__ import annotations

import os
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
import toy
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon, box

from lzgis.coordinates.gauss_kruger import Zone
from lzgis.coordinates.helmert import read_helmert
from lzgis.errors import ExportError, LzgisError, SourceError
from lzgis.exports import export
from lzgis.exports.gis.boundary_points import write_coordfile
from lzgis.reading import ReadOptions, read_sites, read_vector
from lzgis.reading.formats.boundary_points.text import parse_coordtext

HEADER = {
    "坐标系": "2000国家大地坐标系",
    "几度分带": "3",
    "投影类型": "高斯克吕格",
    "计量单位": "米",
    "带号": "38",
    "转换参数": ",,,,,,",
}
# A square of 100 m in zone 38: 1 ha. X (north) before Y (east).
SQUARE = [(2765000, 38445000), (2765100, 38445000), (2765100, 38445100), (2765000, 38445100)]
INNER = [(2765040, 38445040), (2765060, 38445040), (2765060, 38445060), (2765040, 38445060)]
APART = [(2765000, 38445200), (2765100, 38445200), (2765100, 38445300), (2765000, 38445300)]
# In degrees.
NEAR = box(112.1, 24.6, 113.8, 25.3)


def header(**changes):
    values = HEADER | changes
    return ["[属性描述]", *(f"{k}={v}" for k, v in values.items() if v is not None), "[地块坐标]"]


def ring(points, number=1, first=1, closed=True):
    lines = [f"J{first + i},{number},{x},{y}" for i, (x, y) in enumerate(points)]
    return [*lines, f"J{first},{number},{points[0][0]},{points[0][1]}"] if closed else lines


def parcel(*rings, count=None, area="1.0000", fields="P1,甲地块,面,,工业用地,0601"):
    points = [line for one in rings for line in one]
    return [f"{len(points) if count is None else count},{area},{fields},@", *points]


def read(tmp_path, *lines, encoding="utf-8", options=None, name="plan.txt"):
    path = tmp_path / name
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return read_vector(path, options=options or ReadOptions())


def refused(tmp_path, *lines, options=None):
    with pytest.raises(SourceError) as error:
        read(tmp_path, *lines, options=options)
    return str(error.value).replace(f"{tmp_path}{os.sep}", "")


def messages_of(found):
    return " | ".join(re.sub(r"^.*[/\\](?=plan\.txt)", "", str(p)) for p in found.problems)


def test_a_plain_file(tmp_path):
    found = read(tmp_path, *header(), *parcel(ring(SQUARE)))
    assert found.frame.crs.to_epsg() == 4526
    assert found.frame.geometry.iloc[0].equals(box(38445000, 2765000, 38445100, 2765100))
    row = found.frame.iloc[0]
    assert (row["编号"], row["名称"], row["用途"], row["地类编码"]) == ("P1", "甲地块", "工业用地", "0601")
    assert (found.crs.value, found.encoding.value) == ("EPSG:4526", "UTF-8")
    assert messages_of(found) == (
        "plan.txt, line 9: its area 1 is in 公顷: 10,000.00 ㎡ are computed in the projection; "
        "nothing to do: areas are measured anew"
    )
    table = read_sites(tmp_path / "plan.txt")
    assert (table.frame["id"].iloc[0], table.frame["name"].iloc[0]) == ("P1", "甲地块")
    assert NEAR.contains(table.frame.geometry.iloc[0])


@pytest.mark.parametrize("encoding", ["gbk", "utf-8-sig", "utf-16", "gb18030"])
def test_encodings(tmp_path, encoding):
    found = read(tmp_path, *header(), *parcel(ring(SQUARE)), encoding=encoding)
    assert found.frame["名称"].iloc[0] == "甲地块"
    assert found.encoding.value == {"gbk": "GB18030", "utf-8-sig": "UTF-8", "utf-16": "UTF-16"}.get(encoding, "GB18030")


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("count", [4, 5])
def test_the_closing_point_may_be_there_or_not_and_be_counted_or_not(tmp_path, closed, count):
    found = read(tmp_path, *header(), *parcel(ring(SQUARE, closed=closed), count=count))
    assert found.frame.geometry.iloc[0].area == 10_000
    assert "declares" not in messages_of(found)


@pytest.mark.parametrize(
    "fields",
    [
        "P1,甲地块,面,,工业用地",  # 8 with the @
        "P1,甲地块,面,,工业用地,0601",
        "P1,甲地块,面,,工业用地,0601,耕地,水田,7",
        "P1,甲地块,面,,工业用地,0601,耕地,水田,7,8",
        "P1,甲地块,面,,工业用地,0601,耕地,水田,7,8,旧宅基",
        "P1,甲地块,面,,工业用地,0601,耕地,水田,7,8,旧宅基,多一项",
    ],
)
def test_parcels_of_any_number_of_fields(tmp_path, fields):
    found = read(tmp_path, *header(), *parcel(ring(SQUARE), fields=fields))
    row = found.frame.iloc[0]
    assert (row["编号"], row["名称"], row["用途"]) == ("P1", "甲地块", "工业用地")
    # Nothing of the file is lost.
    assert set(fields.split(",")) - {""} <= {str(value) for value in row.drop("geometry")}


@pytest.mark.parametrize(
    ("area", "unit"),
    [("1.0000", "公顷"), ("10000", "㎡"), ("10000.00", "㎡"), ("15.0", "亩"), ("1公顷", "公顷"), ("10000平方米", "㎡")],
)
def test_the_unit_of_the_area_is_the_one_that_fits(tmp_path, area, unit):
    found = read(tmp_path, *header(), *parcel(ring(SQUARE), area=area))
    assert f"is in {unit}: 10,000.00 ㎡ are computed" in messages_of(found)


@pytest.mark.parametrize("area", ["1.1000", "9000", "1亩"])
def test_an_area_that_fits_in_no_unit_is_reported(tmp_path, area):
    found = read(tmp_path, *header(), *parcel(ring(SQUARE), area=area))
    assert f"line 9: declares an area of {area}, but 10,000.00 ㎡ are computed: no unit fits" in messages_of(found)
    assert found.problems[-1].level == "warning"


def test_an_empty_or_zero_area_and_count_are_no_claim(tmp_path):
    lines = parcel(ring(SQUARE), area="", count="")
    assert read(tmp_path, *header(), *lines).frame.geometry.iloc[0].area == 10_000
    assert messages_of(read(tmp_path, *header(), *parcel(ring(SQUARE), area="0"))) == ""


@pytest.mark.parametrize("number", [1, 2, 7])
def test_a_ring_within_is_a_hole_for_any_number(tmp_path, number):
    lines = parcel(ring(SQUARE, number=3), ring(INNER, number=number, first=5), area="0.9600")
    found = read(tmp_path, *header(), *lines)
    assert found.frame.geometry.iloc[0].area == 9_600
    assert f"line 15: ring {number} lies in ring 3; it is taken as a hole" in messages_of(found)


def test_a_hole_may_stand_before_its_shell_and_hold_an_island(tmp_path):
    island = [(2765048, 38445048), (2765052, 38445048), (2765052, 38445052), (2765048, 38445052)]
    lines = parcel(ring(INNER, 1), ring(SQUARE, 2), ring(island, 3), ring(APART, 4), area="1.9616")
    shape = read(tmp_path, *header(), *lines).frame.geometry.iloc[0]
    assert shape.is_valid
    assert (len(shape.geoms), shape.area) == (3, 19_616)


def test_many_rings_are_reported_by_their_number(tmp_path):
    rings = [
        ring([(x, y + 200 * i) for x, y in one], 2 * i + k, 8 * i)
        for i in range(8)
        for k, one in enumerate((SQUARE, INNER))
    ]
    found = read(tmp_path, *header(), *parcel(*rings, area="7.6800"))
    assert found.frame.geometry.iloc[0].area == 8 * 9_600
    assert "8 rings lie in others and 7 are disjoint; the ones are taken as holes, the others as parts" in messages_of(
        found
    )


def test_rings_without_end_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("lzgis.reading.formats.boundary_points.rings._MOST_PAIRS", 40)
    nested = [
        ring([(x, y) for x, y in zip((k, 99 - k, 99 - k, k), (k, k, 99 - k, 99 - k), strict=True)], k)
        for k in range(10)
    ]
    lines = [
        re.sub(r",(\d+),(\d+)$", lambda m: f",{2765000 + int(m[1])},{38445000 + int(m[2])}", p)
        for one in nested
        for p in one
    ]
    assert "its rings meet one another more than 40 times" in refused(tmp_path, *header(), *parcel(lines))


def test_a_disjoint_ring_is_a_part(tmp_path):
    found = read(tmp_path, *header(), *parcel(ring(SQUARE), ring(APART, 2), area="2.0000"))
    assert found.frame.geometry.iloc[0].geom_type == "MultiPolygon"
    assert "line 15: ring 2 is disjoint from the others; it is taken as another part" in messages_of(found)


def test_a_ring_that_goes_on_after_closing_begins_another(tmp_path):
    found = read(tmp_path, *header(), *parcel(ring(SQUARE), ring(APART, 1, first=5), area="2.0000"))
    assert len(found.frame.geometry.iloc[0].geoms) == 2
    assert "ring 1 goes on after it is closed" in messages_of(found)


def test_several_parcels_lines_and_points(tmp_path):
    line = ["2,,L1,路,线,,,,@", "J1,1,2765000,38445000", "J2,1,2765100,38445000"]
    dots = ["1,,D1,井,点,,,,@", "J1,1,2765000,38445000"]
    found = read(tmp_path, *header(), *parcel(ring(SQUARE)), *line, *dots, *parcel(ring(APART), fields="P2,乙,面,,,"))
    assert found.frame["编号"].tolist() == ["P1", "L1", "D1", "P2"]
    assert found.frame.geometry.geom_type.tolist() == ["Polygon", "LineString", "Point", "Polygon"]


def test_full_width_signs_and_square_brackets_of_all_kinds(tmp_path):
    lines = [line.replace("[", "【").replace("]", "】").replace("=", "＝") for line in header()]
    points = [p.translate(str.maketrans("0123456789,.", "０１２３４５６７８９，．")) for p in ring(SQUARE)]
    found = read(tmp_path, *lines, "５，１.００００，P1，甲（一），面，，，，@", *points)
    assert found.frame.geometry.iloc[0].area == 10_000
    assert found.frame["名称"].iloc[0] == "甲（一）"


def test_a_full_width_comma_within_a_name_stays(tmp_path):
    found = read(tmp_path, *header(), *parcel(ring(SQUARE), fields="P1,甲，乙,面,,,"))
    assert found.frame["名称"].iloc[0] == "甲，乙"


def test_eastings_without_the_zone_number(tmp_path):
    plain = [(x, y - 38_000_000) for x, y in SQUARE]
    assert read(tmp_path, *header(), *parcel(ring(plain))).frame.crs.to_epsg() == 4547
    found = read(tmp_path, *header(带号=None), *parcel(ring(plain)))
    assert found.frame.crs is None
    with pytest.raises(SourceError, match=r"it may be EPSG:4547 \(lands in the city\)"):
        read_sites(tmp_path / "plan.txt", near=NEAR)


def test_six_degree_zones(tmp_path):
    there = [(x, y - 38_000_000 + 20_000_000) for x, y in SQUARE]
    found = read(tmp_path, *header(带号="20", 几度分带="6"), *parcel(ring(there)))
    assert found.frame.crs.to_epsg() == 4498
    assert "几度分带 is 3, but zone 20 is none of those" in refused(tmp_path, *header(带号="20"), *parcel(ring(there)))


def test_exchanged_x_and_y_are_proved_by_the_zone_number_and_reported(tmp_path):
    found = read(tmp_path, *header(), *parcel(ring([(y, x) for x, y in SQUARE])))
    assert found.frame.geometry.iloc[0].equals(box(38445000, 2765000, 38445100, 2765100))
    assert "X and Y are exchanged" in found.problems[0].what
    assert found.problems[0].level == "warning"


def test_exchanged_x_and_y_without_proof_are_refused(tmp_path):
    lines = parcel(ring([(y - 38_000_000, x) for x, y in SQUARE]))
    assert refused(tmp_path, *header(), *lines) == (
        "plan.txt, line 10: X and Y look exchanged: the first number of a point is an easting, the second a northing; "
        "exchange them, or write eastings with their zone number"
    )


@pytest.mark.parametrize("order", [1, -1])
def test_degrees_are_recognised_in_either_order(tmp_path, order):
    there = [(25.0, 112.5), (25.001, 112.5), (25.001, 112.501), (25.0, 112.501)]
    lines = parcel(ring([pair[::order] for pair in there]), area="")
    found = read(tmp_path, *header(带号=None), *lines)
    assert found.frame.crs.to_epsg() == 4490
    assert found.frame.total_bounds.tolist() == [112.5, 25.0, 112.501, 25.001]
    assert "coordinates are degrees" in messages_of(found)


def test_without_a_header_the_system_must_be_declared(tmp_path):
    lines = [*parcel(ring(SQUARE))]
    assert read(tmp_path, *lines).frame.crs is None
    with pytest.raises(SourceError, match=r"it may be EPSG:4526 \(lands in the city\)"):
        read_sites(tmp_path / "plan.txt", near=NEAR)
    assert read(tmp_path, *lines, options=ReadOptions(crs="EPSG:4526")).frame.crs.to_epsg() == 4526


def test_points_alone_are_one_parcel_and_that_is_reported(tmp_path):
    found = read(tmp_path, *ring(SQUARE), options=ReadOptions(crs="EPSG:4526"))
    assert found.frame.geometry.iloc[0].area == 10_000
    assert "points stand without the line of a parcel" in messages_of(found)


@pytest.mark.parametrize("system", ["1980西安坐标系", "80国家大地坐标系", "西安80", "1954北京坐标系", "北京54"])
def test_older_datums_are_refused_or_converted_by_the_users_parameters(tmp_path, system):
    lines = [*header(坐标系=system), *parcel(ring(SQUARE))]
    message = refused(tmp_path, *lines)
    assert message.startswith(
        f"plan.txt, line 2: 坐标系 is {system}, from which no exact conversion is known; give data"
    )
    assert "--helmert" in message
    table = read_sites(tmp_path / "plan.txt", options=ReadOptions(helmert=read_helmert("-10,120,50,0,0,0,0")))
    assert "by the user's seven parameters" in table.transforms[-1]


def test_further_lines_of_the_header_are_listed_in_a_note(tmp_path):
    found = read(tmp_path, *header(数据产生单位="某测绘院", 精度="0.01"), *parcel(ring(SQUARE)))
    assert "its header also says 数据产生单位 某测绘院，精度 0.01; nothing to do" in messages_of(found)


def test_a_wrong_digit_that_makes_an_edge_of_kilometres_is_reported(tmp_path):
    far = read(tmp_path, *header(), "2,,L1,路,线,,,,@", "J1,1,2765000,38445000", "J2,1,2565000,38445000")
    assert "line 11: point J2 is 200 km from the one before" in messages_of(far)


def test_a_line_of_one_sign_is_no_parcel(tmp_path):
    assert "line 9: has 1 fields" in refused(tmp_path, *header(), "@", *ring(SQUARE))


def test_further_fields_of_points_are_reported(tmp_path):
    points = [f"{line},123.4" for line in ring(SQUARE)]
    found = read(tmp_path, *header(), *parcel(points))
    assert found.frame.geometry.iloc[0].area == 10_000
    assert "5 points have more than four fields" in messages_of(found)


def test_parameters_in_the_header_are_not_applied_and_reported(tmp_path):
    found = read(tmp_path, *header(转换参数="1,2,3,0,0,0,0"), *parcel(ring(SQUARE)))
    assert "line 7: carries 转换参数 (1,2,3,0,0,0,0), which are not applied" in messages_of(found)


def test_numbers_given_twice_or_out_of_order_are_reported(tmp_path):
    points = ring(SQUARE, closed=False)
    twice = read(tmp_path, *header(), *parcel([*points[:3], points[3].replace("J4", "J2")]))
    assert "line 13: point J2 is also at line 11" in messages_of(twice)
    # Any first point and either sense of rotation are in order.
    for order in ([2, 3, 0, 1], [3, 2, 1, 0]):
        assert "order" not in messages_of(read(tmp_path, *header(), *parcel([points[i] for i in order])))
    message = refused(tmp_path, *header(), *parcel([points[i] for i in (0, 2, 1, 3)]))
    assert "line 12: point J2 is out of order: the ring crosses itself, in the order of numbers it does not" in message


def test_a_wrong_count_is_reported_if_the_area_confirms_the_shape_and_refused_otherwise(tmp_path):
    found = read(tmp_path, *header(), *parcel(ring(SQUARE), count=9))
    assert "line 9: declares 9 points, but 5 are listed; the area confirms the shape" in messages_of(found)
    assert "line 9: declares 9 points" in refused(tmp_path, *header(), *parcel(ring(SQUARE), count=9, area="3"))
    assert "complete the file" in refused(tmp_path, *header(), *parcel(ring(SQUARE)[:3], count=5))


REFUSED = {
    "带号 is 37, but eastings begin with 38": [*header(带号="37"), *parcel(ring(SQUARE))],
    "no zone of China has the number 114": [*header(带号="114"), *parcel(ring(SQUARE))],
    "line 6: 带号 is '甲', no number": [*header(带号="甲"), *parcel(ring(SQUARE))],
    "投影类型 '墨卡托' is not known": [*header(投影类型="墨卡托"), *parcel(ring(SQUARE))],
    "计量单位 '英尺' is not known": [*header(计量单位="英尺"), *parcel(ring(SQUARE))],
    "坐标系 '独立坐标系' is not known": [*header(坐标系="独立坐标系"), *parcel(ring(SQUARE))],
    "line 3: '坐标系' is given twice": [*header()[:2], *header(坐标系="西安80")[1:], *parcel(ring(SQUARE))],
    "line 2: '乱写' is no line of the header": ["[属性描述]", "乱写"],
    "has no parcel; give parcel lines": header(),
    "line 9: the parcel has no points": [*header(), "4,1,P1,甲,面,,,,@"],
    "line 11: '二' is no number": [*header(), "4,1,P1,甲,面,,,,@", "J1,1,2765000,38445000", "J2,1,二,38445000"],
    "line 10: 'nan' is no number": [*header(), "4,1,P1,甲,面,,,,@", "J1,1,nan,38445000"],
    "line 10: 'x' is no whole number": [*header(), "4,1,P1,甲,面,,,,@", "J1,x,2765000,38445000"],
    "line 13: has 3 fields": [*header(), *parcel([*ring(SQUARE)[:3], "J4,1,2765000.1"])],
    "line 13: coordinates 2765000, 384 are not like": [*header(), *parcel([*ring(SQUARE)[:3], "J4,1,2765000,384"])],
    "is in zone 37, the first point in zone 38": [*header(), *parcel([*ring(SQUARE)[:3], "J4,1,2765000,37445100"])],
    "line 10: coordinates 1, 2 cannot be X": [*header(), *parcel(ring([(1, 2), (3, 4), (5, 6)]))],
    "line 10: ring 1 has 2 points": [*header(), *parcel(ring(SQUARE)[:2])],
    "ring 1 comes back after another": [*header(), *parcel(ring(SQUARE), ring(APART, 2), ring(INNER, 1))],
    "line 15: ring 2 repeats ring 1": [*header(), *parcel(ring(SQUARE), ring(SQUARE, 2))],
    "line 15: ring 2 crosses ring 1": [*header(), *parcel(ring(SQUARE), ring([(x + 50, y) for x, y in SQUARE], 2))],
    "line 9: '住宅' stands where 面, 线 or 点 should": [*header(), *parcel(ring(SQUARE), fields="P1,甲,住宅,,,")],
    "line 9: '面' is field 4 of the parcel, not 5": [*header(), *parcel(ring(SQUARE), fields="P1,面,,,,")],
    "line 9: area '一' is no number": [*header(), *parcel(ring(SQUARE), area="一")],
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_refused_names_its_line(tmp_path, message):
    found = refused(tmp_path, *REFUSED[message])
    assert found.startswith("plan.txt")
    assert message in found


def test_bytes_that_are_no_text_name_their_line(tmp_path):
    (tmp_path / "plan.txt").write_bytes(b"[\r\n\xff\xff\xff\r\n")
    with pytest.raises(SourceError, match="line 2: its text is neither UTF-8 nor GB18030"):
        read_vector(tmp_path / "plan.txt")


def test_a_declared_system_must_agree_with_the_header(tmp_path):
    lines = [*header(), *parcel(ring(SQUARE))]
    assert "EPSG:4525 is declared" in refused(tmp_path, *lines, options=ReadOptions(crs="EPSG:4525"))
    assert read(tmp_path, *lines, options=ReadOptions(crs="EPSG:4526")).frame.crs.to_epsg() == 4526


# --- written and read back ----------------------------------------------------------------------------------

CORNERS = st.lists(st.integers(1, 60), min_size=3, max_size=3)


@given(CORNERS, st.integers(1, 8), st.sampled_from([37, 38]), st.sampled_from(["utf-8", "gb18030"]))
@settings(max_examples=30)
def test_written_polygons_are_read_back(tmp_path_factory, sizes, holes, zone, encoding):
    """Squares with holes in both zones of the city, every corner on a tenth of a millimetre."""
    path = tmp_path_factory.mktemp("written") / "plan.txt"
    east = zone * 1_000_000 + 445_000.0625
    shapes = []
    for i, size in enumerate(sizes):
        outer = box(east + 1000 * i, 2765000.25, east + 1000 * i + 10 * size, 2765000.25 + 100)
        inner = [
            box(east + 1000 * i + 1, 2765001 + 10 * k, east + 1000 * i + 2, 2765002.5 + 10 * k) for k in range(holes)
        ]
        shapes.append(Polygon(outer.exterior, [hole.exterior for hole in inner]))
    shapes.append(shapes[0].union(shapely.affinity.translate(shapes[1], 0, 500)))
    ids = [f"P{i}" for i in range(len(shapes))]
    frame = gpd.GeoDataFrame(
        {"编号": ids, "名称": [f"第{i}块, 甲" for i in ids]}, geometry=shapes, crs=Zone(3, zone).epsg
    )
    write_coordfile(frame, path, encoding=encoding)
    found = read_vector(path)
    assert found.frame.crs.to_epsg() == Zone(3, zone).epsg
    assert found.frame["编号"].tolist() == ids
    assert found.frame["名称"].tolist() == [f"第{i}块， 甲" for i in ids]
    assert shapely.equals(found.frame.geometry.to_numpy(), np.array(shapes, dtype=object)).all()
    assert {p.level for p in found.problems} == {"note"}
    before = path.read_bytes()
    write_coordfile(found.frame, path, encoding=encoding)
    assert path.read_bytes() == before


def test_degrees_are_written_in_the_zone_of_their_middle_and_come_back(tmp_path):
    shapes = [box(112.4, 25, 112.41, 25.01), shapely.LineString([(112.4, 25), (112.5, 25)]), shapely.Point(112.4, 25)]
    frame = gpd.GeoDataFrame({"id": ["a", "b", "c"], "name": ["甲", "乙", "丙"]}, geometry=shapes, crs=4490)
    write_coordfile(frame, tmp_path / "plan.txt")
    table = read_sites(tmp_path / "plan.txt")
    assert table.source.crs == "CGCS2000 / 3-degree Gauss-Kruger zone 37"
    assert table.frame["id"].tolist() == ["a", "b", "c"]
    # Four decimals of a metre are 1e-9 of a degree.
    assert shapely.equals_exact(table.frame.geometry.to_numpy(), np.array(shapes, dtype=object), 1e-9).all()


def test_the_sites_of_a_report_are_a_format_like_others(tmp_path):
    report = toy.screened(toy.city(tmp_path / "city"), toy.square(0, 0), toy.square(200, 0))
    assert export(report, tmp_path / "sites.txt") == tmp_path / "sites.txt"
    table = read_sites(tmp_path / "sites.txt", near=NEAR)
    assert table.frame["id"].tolist() == ["s1", "s2"]
    assert shapely.equals_exact(table.frame.geometry.to_numpy(), report.sites.geometry.to_numpy(), 1e-9).all()


def test_what_the_format_cannot_hold_is_refused(tmp_path):
    mixed = shapely.GeometryCollection([box(112.4, 25, 112.41, 25.01), shapely.Point(112.4, 25)])
    for shape in (mixed, None, Polygon()):
        frame = gpd.GeoDataFrame({"id": ["a"]}, geometry=[shape], crs=4490)
        with pytest.raises(ExportError, match=r"has no shape of one kind|lies in no 3-degree zone"):
            write_coordfile(frame, tmp_path / "plan.txt")
    with pytest.raises(ExportError, match="lies in no 3-degree zone"):
        write_coordfile(gpd.GeoDataFrame({"id": ["a"]}, geometry=[box(0, 0, 1, 1)], crs=4490), tmp_path / "plan.txt")
    assert not (tmp_path / "plan.txt").exists()


@given(st.text(alphabet="J123,.-[]【】=面线@\n０９，\ufeff\x00 eE+带号坐标系", max_size=120))
@settings(max_examples=300)
def test_any_text_is_read_or_refused_with_a_place(text):
    try:
        parse_coordtext(text, "plan.txt")
    except LzgisError as error:
        assert error.place.startswith("plan.txt")


LINES = [*header(), *parcel(ring(SQUARE), ring(INNER, 2, first=5), area="0.96")]


@given(st.integers(0, len(LINES) - 1), st.integers(0, 30), st.text(alphabet="0123456789,.JX面@", max_size=3))
@settings(max_examples=150)
def test_a_mutated_file_is_read_or_refused_with_a_place(tmp_path_factory, at, cut, put):
    lines = list(LINES)
    lines[at] = lines[at][:cut] + put + lines[at][cut + len(put) :]
    path = tmp_path_factory.mktemp("mutated") / "plan.txt"
    path.write_text("\n".join(lines), "utf-8")
    try:
        read_vector(path)
    except LzgisError as error:
        assert Path(error.place.partition(",")[0]).name == "plan.txt"
