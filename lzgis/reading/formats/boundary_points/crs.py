"""The reference system of a 界址点 file, from its header and the coordinates themselves."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pyproj import CRS

from lzgis.coordinates.gauss_kruger import NUMBERS, Datum, numbered, prefix_of
from lzgis.coordinates.locate import code_of, declared_crs
from lzgis.coordinates.plane import Coordinates
from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.base import Decided, ReadOptions
from lzgis.reading.formats.boundary_points.text import CoordText, at_line

Form = Literal["prefixed", "plain", "degrees"]
#: Ranges of northings and 6-digit eastings in China (m), and of latitudes and longitudes (degrees).
_NORTH_M, _EAST_M = (300_000.0, 6_100_000.0), (100_000.0, 900_000.0)
#: Keys of the header that are used.
_USED = ("坐标系", "几度分带", "分带", "投影类型", "计量单位", "带号", "转换参数")
_LAT_DEG, _LON_DEG = (3.0, 54.0), (73.0, 136.0)


@dataclass(frozen=True)
class CoordSystem:
    """The system, if any, how it was found, and whether X and Y are exchanged in the file."""

    crs: CRS | None
    how: Decided | None
    swapped: bool
    problems: tuple[Problem, ...]


def system_of(parsed: CoordText, options: ReadOptions, name: str) -> CoordSystem:
    """Compare the header, the zone number of the eastings and what the user declares.

    Raises
    ------
    SourceError
        If they contradict each other, a point lies outside all ranges, X and Y are exchanged without a zone number that
        proves it, or the datum is 1980西安 or 1954北京 and no parameters are given.
    """
    problems: list[Problem] = []
    points = [point for parcel in parsed.parcels for point in parcel.points]
    values = np.array([(p.first, p.second) for p in points])
    form, swapped = _arrangement(values, [p.line for p in points], name)
    if swapped and form != "degrees":
        what = Message("X and Y are exchanged: the first number of a point begins with the zone")
        problems.append(Problem("warning", name, what, Message("the first is taken as the easting")))
    _check_words(parsed, name, problems)
    east = values[:, 0 if swapped else 1]
    zone_number = _zone_number(parsed, east, [p.line for p in points], name) if form != "degrees" else None
    datum = _datum(parsed, options, name, problems)
    crs, how = None, None
    if form == "degrees":
        if datum is not None:
            crs, how = (
                CRS.from_epsg(4490),
                Decided("EPSG:4490", Message("坐标系 in the header; the numbers are degrees")),
            )
        what = Message("coordinates are degrees, {order}", order="Y X" if swapped else "X Y")
        problems.append(Problem("warning", name, what, Message("the larger of the two is taken as the longitude")))
    elif datum is not None and zone_number is not None:
        zone = numbered(zone_number, prefixed=form == "prefixed", datum=datum)
        assert zone is not None
        basis = Message("坐标系 in the header and the zone number of the eastings")
        if form == "plain":
            basis = Message("坐标系 and 带号 in the header; eastings have no zone number")
        crs, how = zone.crs, Decided(zone.code, basis)
    return _with_declared(CoordSystem(crs, how, swapped, tuple(problems)), options, name)


def _with_declared(found: CoordSystem, options: ReadOptions, name: str) -> CoordSystem:
    if options.crs is None:
        return found
    declared = declared_crs(options.crs)
    if found.crs is not None and code_of(found.crs) != code_of(declared):
        what = Message("is in {name}, but {name2} is declared", name=code_of(found.crs), name2=code_of(declared))
        raise SourceError(name, what, Message("leave --crs out, or correct the file"))
    how = found.how or Decided(code_of(declared), Message("declared"))
    return CoordSystem(declared, how, found.swapped, found.problems)


def _arrangement(values: Coordinates, lines: list[int], name: str) -> tuple[Form, bool]:
    """Return what the numbers are by the ranges of most points; a point that does not fit is an error."""
    first, second = values.T
    prefixed = [np.array([prefix_of(v) is not None and v >= 1e7 for v in column]) for column in (first, second)]
    north = [_within(column, _NORTH_M) for column in (first, second)]
    plain = [_within(column, _EAST_M) for column in (first, second)]
    degrees = _within(first, _LAT_DEG) & _within(second, _LON_DEG), _within(second, _LAT_DEG) & _within(first, _LON_DEG)
    high = [_within(column, (1_900_000.0, _NORTH_M[1])) for column in (first, second)]
    fits: list[tuple[Form, bool, np.ndarray]] = [
        ("prefixed", False, prefixed[1] & north[0]),
        ("prefixed", True, prefixed[0] & north[1]),
        ("plain", False, plain[1] & north[0] & ~(plain[0] & high[1])),
        ("plain", True, plain[0] & high[1]),
        ("degrees", False, degrees[0]),
        ("degrees", True, degrees[1]),
    ]
    form, swapped, fitting = max(fits, key=lambda one: int(one[2].sum()))
    if not fitting.all():
        at = int(np.flatnonzero(~fitting)[0])
        what = Message(
            "coordinates {x:.10g}, {y:.10g} cannot be X (north) and Y (east) in China", x=first[at], y=second[at]
        )
        if fitting.any():
            what = Message(
                "coordinates {x:.10g}, {y:.10g} are not like those of the other points", x=first[at], y=second[at]
            )
        raise SourceError(at_line(name, lines[at]), what, Message("correct the line named"))
    if form == "plain" and swapped:
        what = Message("X and Y look exchanged: the first number of a point is an easting, the second a northing")
        remedy = Message("exchange them, or write eastings with their zone number")
        raise SourceError(at_line(name, lines[0]), what, remedy)
    return form, swapped


def _within(column: Coordinates, limits: tuple[float, float]) -> np.ndarray:
    return np.asarray((column >= limits[0]) & (column <= limits[1]))


def _zone_number(parsed: CoordText, east: Coordinates, lines: list[int], name: str) -> int | None:
    """Return the number of the zone, from the eastings and the header, which must agree."""
    prefixes = [prefix_of(value) for value in east]
    for at, prefix in enumerate(prefixes):
        if prefix != prefixes[0]:
            what = Message("is in zone {number}, the first point in zone {other}", number=prefix, other=prefixes[0])
            raise SourceError(at_line(name, lines[at]), what, Message("give a file of its own to each zone"))
    given = _header_integer(parsed, "带号", name)
    if given is not None and numbered(given) is None:
        what = Message("no zone of China has the number {number}", number=given)
        raise SourceError(
            at_line(name, parsed.lines["带号"]), what, Message("3-degree zones are 25 to 45, 6-degree ones 13 to 23")
        )
    number = prefixes[0] if prefixes[0] is not None else given
    if given is not None and given != number:
        what = Message("带号 is {number}, but eastings begin with {other}", number=given, other=number)
        raise SourceError(at_line(name, parsed.lines["带号"]), what, Message("correct 带号 or the eastings"))
    key = "几度分带" if parsed.header.get("几度分带") else "分带"
    width = _header_integer(parsed, key, name)
    if width is not None and number is not None and (width not in NUMBERS or number not in NUMBERS[width]):
        what = Message("{key} is {width}, but zone {number} is none of those", key=key, width=width, number=number)
        raise SourceError(at_line(name, parsed.lines[key]), what, Message("correct 几度分带 or the zone number"))
    return number


def _header_integer(parsed: CoordText, key: str, name: str) -> int | None:
    text = unicodedata.normalize("NFKC", parsed.header.get(key, "")).replace("三", "3").replace("六", "6")
    if not text:
        return None
    found = re.search(r"\d{1,3}", text)
    if found is None:
        what = Message("{key} is '{text}', no number", key=key, text=text[:40])
        raise SourceError(at_line(name, parsed.lines[key]), what, Message("correct the line named"))
    return int(found.group())


def _datum(parsed: CoordText, options: ReadOptions, name: str, problems: list[Problem]) -> Datum | None:
    """Return the datum by 坐标系; None if the header does not state it."""
    text = unicodedata.normalize("NFKC", parsed.header.get("坐标系", "")).upper()
    if not text:
        return None
    here = at_line(name, parsed.lines["坐标系"])
    if "2000" in text or "CGCS" in text:
        return "CGCS2000"
    if "WGS" in text:
        what = Message("坐标系 is WGS 84, taken as CGCS2000 (they agree within a metre)")
        problems.append(Problem("note", here, what, Message("nothing to do")))
        return "CGCS2000"
    old: Datum | None = "Xian 1980" if "80" in text else "Beijing 1954" if "54" in text else None
    if old is None:
        what = Message("坐标系 '{text}' is not known; a local system cannot be placed", text=text[:40])
        raise SourceError(here, what, Message("give data converted to 2000国家大地坐标系"))
    if options.helmert is None:
        what = Message("坐标系 is {name}, from which no exact conversion is known", name=text[:40])
        remedy = Message("give data converted to 2000国家大地坐标系, or seven parameters with --helmert")
        raise SourceError(here, what, remedy)
    return old


def _check_words(parsed: CoordText, name: str, problems: list[Problem]) -> None:
    """Check the rest of the header: projection, unit, parameters."""
    values = {
        key: unicodedata.normalize("NFKC", parsed.header.get(key, "")) for key in ("投影类型", "计量单位", "转换参数")
    }
    if values["投影类型"] and not re.search("高斯|GAUSS|克吕格|克里格", values["投影类型"].upper()):
        what = Message("投影类型 '{text}' is not known", text=values["投影类型"][:40])
        raise SourceError(
            at_line(name, parsed.lines["投影类型"]), what, Message("allowed: {names}", names="高斯克吕格")
        )
    if values["计量单位"] and values["计量单位"].lower() not in ("米", "m", "meter", "metre", "度", "degree"):
        what = Message("计量单位 '{text}' is not known", text=values["计量单位"][:40])
        raise SourceError(at_line(name, parsed.lines["计量单位"]), what, Message("allowed: {names}", names="米"))
    others = {key: value for key, value in parsed.header.items() if value and key not in _USED}
    if others:
        what = Message(
            "its header also says {text}", text="，".join(f"{key} {value}" for key, value in others.items())[:300]
        )
        problems.append(Problem("note", name, what, Message("nothing to do: this is not used")))
    if re.search("[1-9]", values["转换参数"]):
        what = Message("carries 转换参数 ({text}), which are not applied", text=values["转换参数"][:60])
        remedy = Message("coordinates are taken as they stand, in the system the header names")
        problems.append(Problem("warning", at_line(name, parsed.lines["转换参数"]), what, remedy))
