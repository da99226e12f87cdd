"""Parser of 界址点 text files (勘测定界 coordinate exchange): header, parcels and points as written."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.numbers import has_lost_digits

#: Keys of the header in the order in which they are written.
HEADER_KEYS = (
    "格式版本号",
    "数据产生单位",
    "数据产生日期",
    "坐标系",
    "几度分带",
    "投影类型",
    "计量单位",
    "带号",
    "精度",
    "转换参数",
)
#: Fields of the line of a parcel after 点数 and 面积; the longer variants of the format add those after 地类编码.
PARCEL_FIELDS = (
    "编号",
    "名称",
    "图形属性",
    "图幅号",
    "用途",
    "地类编码",
    "图斑类型",
    "地类",
    "改造前质量等别",
    "改造后质量等别",
    "备注",
)
_SECTIONS = ("属性描述", "地块坐标")
_SHAPES = ("面", "线", "点")
_LEAST_FIELDS, _POINT_FIELDS = 7, 4
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?$")


@dataclass(frozen=True)
class BoundaryPoint:
    """A point as it is listed: `first` and `second` are X (north) and Y (east) unless the file has them exchanged."""

    line: int
    label: str
    ring: int
    first: float
    second: float


@dataclass(frozen=True)
class ParcelText:
    """A parcel as it is listed.

    Attributes
    ----------
    line : int
        Its first line.
    declared_points : int, optional
        The count in its line; None if that is empty.
    declared_area : float, optional
        The area in its line, in any unit; None if that is empty.
    area_text : str
        The area as written.
    fields : mapping of str to str
        The other fields by name, see `PARCEL_FIELDS`.
    points : tuple of BoundaryPoint
        In the order of the file.
    area_unit : str
        The unit written after the area; usually empty.
    """

    line: int
    declared_points: int | None
    declared_area: float | None
    area_text: str
    fields: dict[str, str]
    points: tuple[BoundaryPoint, ...]
    area_unit: str = ""

    @property
    def shape(self) -> str:
        """Whether it is a 面, 线 or 点."""
        return self.fields.get("图形属性") or "面"


@dataclass(frozen=True)
class CoordText:
    """A parsed file: the header by key with line numbers, the parcels, and the assumptions."""

    header: dict[str, str]
    lines: dict[str, int]
    parcels: tuple[ParcelText, ...]
    problems: tuple[Problem, ...] = ()


@dataclass
class _Open:
    """The parcel that lines are added to."""

    line: int
    cells: list[str]
    points: list[BoundaryPoint] = field(default_factory=list)


def at_line(name: str, line: int) -> Message:
    """Return the place of a line, for messages."""
    return Message("{name}, line {line}", name=name, line=line)


def parse_coordtext(text: str, name: str) -> CoordText:
    r"""Parse a file into header, parcels and points.

    Full-width digits, commas and brackets are read as plain ones; names are kept as they are.

    Parameters
    ----------
    text : str
        The file.
    name : str
        Its name, for messages.

    Raises
    ------
    SourceError
        If a line does not belong to the format, or a number is invalid; the message names the line.

    Examples
    --------
    >>> text = "[属性描述]\n带号=38\n[地块坐标]\n3,1,P1,甲,面,,,,@\nJ1,1,1,2\nJ2,1,3,4\nJ3,1,5,6"
    >>> parsed = parse_coordtext(text, "a.txt")
    >>> parsed.header, parsed.parcels[0].fields["名称"], len(parsed.parcels[0].points)
    ({'带号': '38'}, '甲', 3)
    """
    header: dict[str, str] = {}
    lines: dict[str, int] = {}
    opened: list[_Open] = []
    problems: list[Problem] = []
    section, further = "", 0
    for number, raw in enumerate(re.split("\r\n|\r|\n", text), 1):
        line = raw.strip().strip("\ufeff\u3000 \t\x00\x1a")
        if not line:
            continue
        plain = unicodedata.normalize("NFKC", line) if line[0] in "［【[" else line
        if plain[0] in "[【":
            section = plain.strip("[]【】 ")
            if section not in _SECTIONS:
                what = Message("section [{section}] is not read", section=section[:40])
                problems.append(
                    Problem("note", at_line(name, number), what, Message("nothing to do if it is not needed"))
                )
        elif _is_setting(line, section):
            key, _, value = line.replace("＝", "=").partition("=")
            key = key.strip()
            if key in header and header[key] != value.strip():
                _reject(name, number, Message("'{key}' is given twice", key=key), Message("keep one of the two"))
            header[key], lines[key] = value.strip(), number
        elif section in ("", "地块坐标"):
            further += _add(opened, line, number, name)
        elif section == "属性描述":
            remedy = Message("write {form}", form="坐标系=2000国家大地坐标系")
            _reject(name, number, Message("'{text}' is no line of the header", text=line[:40]), remedy)
    parcels = tuple(_parcel(one, name, problems) for one in opened)
    if further:
        what = Message("{count} points have more than four fields; the further ones are not read", count=further)
        problems.append(Problem("note", name, what, Message("nothing to do if they are heights or remarks")))
    if not parcels:
        what = Message("has no parcel")
        raise SourceError(name, what, Message("give parcel lines and points under [地块坐标]"))
    return CoordText(header, lines, parcels, tuple(problems))


def _is_setting(line: str, section: str) -> bool:
    if section == "地块坐标":
        return False
    before = line.replace("＝", "=").partition("=")
    return bool(before[1]) and "," not in before[0] and "，" not in before[0]


def cells_of(line: str) -> list[str]:
    """Split a line at commas; also at full-width ones if plain ones do not give the fields.

    Examples
    --------
    >>> cells_of("J1，1，2765000.5，38445000"), cells_of("4,1.2,P1,甲，乙,面,,,,@")
    (['J1', '1', '2765000.5', '38445000'], ['4', '1.2', 'P1', '甲，乙', '面', '', '', '', '@'])
    """
    plain = line.split(",")
    if len(plain) < _LEAST_FIELDS or "，" not in line:
        plain = re.split("[,，\t]", line)
    return [cell.strip() for cell in plain]


def _add(opened: list[_Open], line: str, number: int, name: str) -> bool:
    """Add a line to the open parcel; return whether it has fields that are not read."""
    cells = _without_padding(cells_of(line))
    _refuse_survey(cells, number, name, begun=bool(opened))
    if len(cells) >= _LEAST_FIELDS or (cells[-1] in ("@", "＠") and len(cells) > 2):
        opened.append(_Open(number, cells))
        return False
    while len(cells) > 4 and not cells[-1]:
        cells.pop()
    if len(cells) < 4:
        what = Message("has {count} fields, where a point has 4 and a parcel at least 7", count=len(cells))
        remedy = Message("write a point as {form}", form="J1,1,X,Y")
        _reject(name, number, what, remedy)
    label, ring, first, second, *further = cells
    if not opened:
        opened.append(_Open(number, []))
    values = [_number(cell, name, number) for cell in (first, second)]
    opened[-1].points.append(
        BoundaryPoint(number, unicodedata.normalize("NFKC", label), _integer(ring, name, number), values[0], values[1])
    )
    return bool(further)


def _without_padding(cells: list[str]) -> list[str]:
    """Return fields without what Excel adds when it saves the file: quotation marks, and commas at the end of lines."""
    cells = [cell[1:-1].strip() if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell for cell in cells]
    ends = next((i for i, cell in enumerate(cells) if cell in ("@", "＠")), None)
    if ends is not None and not any(cells[ends + 1 :]):
        return cells[: ends + 1]
    is_point = len(cells) > _POINT_FIELDS and not any(cells[_POINT_FIELDS:])
    numbers = [unicodedata.normalize("NFKC", cell) for cell in cells[2:_POINT_FIELDS]]
    return cells[:_POINT_FIELDS] if is_point and all(map(_NUMBER.match, numbers)) else cells


def _refuse_survey(cells: list[str], line: int, name: str, *, begun: bool) -> None:
    """Refuse survey points (number, code, easting, northing, height), which form no parcel: a .dat of CASS."""
    if len(cells) != _POINT_FIELDS + 1 or not all(map(_NUMBER.match, cells[2:])):
        return
    east, north = float(cells[2]), float(cells[3])
    is_dat = cells[0].isdigit() and 1e5 < east != north and 1.9e6 < north < 6.1e6 and (east < 1e6 or east > 1e7)
    if is_dat and (not begun or not cells[1].isdigit()):
        what = Message("looks like survey points of CASS (number, code, Y, X, height), which form no parcel")
        _reject(name, line, what, Message("give the parcels as DXF or as 界址点 with parcel lines"))


def _parcel(one: _Open, name: str, problems: list[Problem]) -> ParcelText:
    if not one.points:
        _reject(name, one.line, Message("the parcel has no points"), Message("list its points below its line"))
    if not one.cells:
        what = Message("points stand without the line of a parcel")
        remedy = Message("they are taken as one parcel; its id, name and area are not known")
        problems.append(Problem("warning", at_line(name, one.line), what, remedy))
        return ParcelText(one.line, None, None, "", {}, tuple(one.points))
    cells = [c for i, c in enumerate(one.cells) if not (c in ("@", "＠") and i == len(one.cells) - 1)]
    count, area, *rest = cells
    fields = _named(rest, name, one.line)
    declared = _integer(count, name, one.line) if count else None
    number, unit = _area(area, name, one.line)
    return ParcelText(one.line, declared, number, area, fields, tuple(one.points), unit)


def _named(rest: list[str], name: str, line: int) -> dict[str, str]:
    """Name the fields after count and area by the position of 面."""
    shape = next((i for i, cell in enumerate(rest) if cell in _SHAPES), None)
    if shape is None and len(rest) > 2 and rest[2]:
        what = Message("'{text}' stands where 面, 线 or 点 should", text=rest[2][:40])
        _reject(
            name, line, what, Message("write a parcel as {form}", form="点数,面积,编号,名称,面,图幅号,用途,地类编码,@")
        )
    if shape is not None and shape != 2:
        what = Message("'{text}' is field {count} of the parcel, not 5", text=rest[shape], count=shape + 3)
        _reject(
            name, line, what, Message("write a parcel as {form}", form="点数,面积,编号,名称,面,图幅号,用途,地类编码,@")
        )
    names = [*PARCEL_FIELDS, *(f"字段{i + 3}" for i in range(len(PARCEL_FIELDS), len(rest)))]
    return dict(zip(names, rest, strict=False))


def _area(cell: str, name: str, line: int) -> tuple[float | None, str]:
    plain = unicodedata.normalize("NFKC", cell)
    found = re.match(r"([-+.\deE]*)\s*(\D*)$", plain)
    if not plain:
        return None, ""
    if found is None or not found.group(1):
        _reject(name, line, Message("area '{text}' is no number", text=cell[:40]), Message("correct the line named"))
    return _number(found.group(1), name, line), found.group(2).strip()


def _number(cell: str, name: str, line: int) -> float:
    plain = unicodedata.normalize("NFKC", cell).replace("。", ".").strip()
    value = float(plain) if _NUMBER.match(plain) and plain.isascii() else math.nan
    if not math.isfinite(value):
        _reject(name, line, Message("'{text}' is no number", text=cell[:40]), Message("correct the line named"))
    if has_lost_digits(plain):
        what = Message("'{value}' is rounded to a power of ten: its last digits are lost", value=plain)
        _reject(name, line, what, Message("give the coordinate with all digits"))
    return value


def _integer(cell: str, name: str, line: int) -> int:
    plain = unicodedata.normalize("NFKC", cell).strip()
    if not (plain.isascii() and plain.isdigit() and len(plain) < 10):
        what = Message("'{text}' is no whole number", text=cell[:40])
        _reject(name, line, what, Message("correct the line named"))
    return int(plain)


def _reject(name: str, line: int, what: Message, remedy: Message) -> NoReturn:
    raise SourceError(at_line(name, line), what, remedy)


def settings(header: dict[str, str]) -> Iterator[str]:
    """Return the lines of a header, known keys first and in their order."""
    for key in (*HEADER_KEYS, *(k for k in header if k not in HEADER_KEYS)):
        yield f"{key}={header.get(key, '')}"
