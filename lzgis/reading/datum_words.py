"""Names of datums in titles, headings, file names and remarks, which may contradict the system that is declared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
from pyproj import CRS
from pyproj.exceptions import CRSError

from lzgis.coordinates.shifted_maps import shifted_by_name
from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.base import Read, ReadOptions

# No house number, area or length follows the year.
_NO_COUNT = r"(?!\s*(?:\d|号|米|亩|公顷|㎡|m\b|栋|户|个|路|%))"
_OLD = {
    "Xian 1980": rf"西安\s*(?:19)?80{_NO_COUNT}|(?<!\d)(?:19)?80\s*年?\s*西安(?!市|路|街)|xi.?an\s*_?(?:19)?80(?!\d)|"
    rf"国家\s*80{_NO_COUNT}|1980\s*年?\s*国家大地|gdz\s*80|(?<!\d)(?:19)?80\s*坐标系",
    "Beijing 1954": rf"北京\s*(?:19)?54{_NO_COUNT}|(?<!\d)(?:19)?54\s*年?\s*北京(?!市|路|街)|"
    r"beijing\s*_?(?:19)?54(?!\d)|(?<![a-z])bj[zs]?\s*_?54(?!\d)|(?<!\d)(?:19)?54\s*坐标系",
    "a local system": r"独立坐标|地方坐标|假定坐标|施工坐标|建筑坐标|工程坐标系",
}
#: A surface of compensation enlarges the spheroid of any system, also that of CGCS2000.
_ENLARGED = re.compile(r"抵偿(?:面|高程|坐标|投影)")
_NEW = re.compile(r"cgcs\s*_?2000|2000\s*国家|国家\s*2000|2000\s*坐标系|china\s*_?2000", re.IGNORECASE)
_NUMERALS = str.maketrans("〇零一五八九", "001589")
#: A text without any of these names no datum.
_HINT = re.compile(r"[5５][4４]|[8８][0０]|坐标|抵偿|八[〇零]|五四")
#: Longer texts are no titles and no remarks.
_LONGEST = 400
#: The most texts that are named one by one.
_NAMED = 5
#: How the texts begin that say how a system was found which the input itself states; others are assumed or declared.
_STATED = (
    "named in the file",
    "OvCoordType of its placemarks",
    "坐标系 in the header",
    "坐标系 and 带号 in the header",
)


def old_datum(text: str) -> str:
    """Return the datum or local system that a text names; empty if it names none, or CGCS2000 too.

    Examples
    --------
    >>> old_datum("拐点坐标表（1980西安坐标系）"), old_datum("由西安80转为2000国家大地坐标系"), old_datum("北京路54号")
    ('Xian 1980', '', '')
    >>> old_datum("2000国家大地坐标系，抵偿高程面300m"), old_datum("清远市独立坐标系"), old_datum("北京54号院")
    ('a local system', 'a local system', '')
    """
    if not _HINT.search(text):
        return ""
    plain = unicodedata.normalize("NFKC", text)
    plain = re.sub(
        r"[一二][〇零九][五八〇零][四〇零]", lambda year: year[0].translate(_NUMERALS).replace("四", "4"), plain
    )
    if _ENLARGED.search(plain):
        return "a local system"
    if _NEW.search(plain):
        return ""
    return next((name for name, words in _OLD.items() if re.search(words, plain, re.IGNORECASE)), "")


def names_cgcs2000(text: str) -> bool:
    """Return whether a text says that coordinates are in CGCS2000, and that without an enlarged spheroid."""
    plain = unicodedata.normalize("NFKC", text)
    return bool(_NEW.search(plain)) and not _ENLARGED.search(plain)


def datum_word(text: str, options: ReadOptions, here: str) -> None:
    """Refuse an input of which a text names another datum than the one that is declared or assumed.

    Raises
    ------
    SourceError
        If it does.
    """
    datum = old_datum(text)
    if datum and datum_of(options.crs) != datum:
        raise SourceError(here, _names(text), _CONVERT)


_CONVERT = Message(
    "give data converted to CGCS2000, or declare the datum with --crs and its seven parameters with --helmert"
)


def _names(text: str) -> Message:
    return Message("names another datum: '{text}'", text=" ".join(text.split())[:60])


def datum_of(declared: str | CRS | None) -> str:
    """Return which of the datums before CGCS2000 a system has; empty if none."""
    try:
        base = CRS.from_user_input(declared).geodetic_crs if declared else None
    except CRSError:
        return ""
    name = base.name if base is not None else ""
    return "Xian 1980" if "Xian" in name else "Beijing 1954" if "Beijing" in name else ""


def with_words_checked(read: Read, options: ReadOptions, place: str) -> Read:
    """Compare what an input says of its datum in words with its system, and drop its titles.

    The words are those of its file name, its titles (`Read.titles`), the names of its fields and its texts.

    Raises
    ------
    SourceError
        If another datum is named, and the system of the input is only declared or assumed.
    """
    how = "" if read.crs is None else str(getattr(read.crs.how, "template", read.crs.how))
    stated = how.startswith(_STATED)
    stated |= any(map(names_cgcs2000, read.titles))
    own = read.frame.crs if isinstance(read.frame, gpd.GeoDataFrame) else None
    mine = {datum_of(options.crs), datum_of(own) if stated else ""}
    found = [
        (here, text) for here, text in _texts(read, options, place) if (name := old_datum(text)) and name not in mine
    ]
    if found and not stated:
        raise SourceError(found[0][0], _names(found[0][1]), _CONVERT)
    remedy = Message("look which of the two is right: the system that the file states, or this text")
    problems = [Problem("warning", here, _names(text), remedy) for here, text in found[:_NAMED]]
    if len(found) > _NAMED:
        more = Message("{count} more texts name another datum", count=len(found) - _NAMED)
        problems.append(Problem("warning", place, more, remedy))
    hints = [] if options.shifted else shifted_by_name("", [*read.titles, *_of_maps(read)], place=place)
    return replace(read, titles=(), problems=(*read.problems, *problems, *hints))


#: A text says that positions were taken from a map: its name, and what was done. Names of houses and firms do not.
_TAKEN = re.compile(
    r"(?:高德|百度|腾讯|火星|奥维|amap|gcj|bd).{0,12}?(?:坐标|地图|取点|选点|拾取|定位|0[29])|(?:取自|摘自|来自).{0,6}(?:高德|百度|腾讯)",
    re.IGNORECASE,
)


def _of_maps(read: Read) -> list[str]:
    """Return the different texts among the attributes that say that positions were taken from a map of the internet."""
    geometry = read.frame._geometry_column_name if isinstance(read.frame, gpd.GeoDataFrame) else None
    found: dict[str, None] = {}
    for position, column in enumerate(read.frame.columns):
        values = read.frame.iloc[:, position]
        if column == geometry or (values.dtype != object and not isinstance(values.dtype, pd.StringDtype)):
            continue
        texts = dict.fromkeys(value for value in values if isinstance(value, str) and len(value) < _LONGEST)
        if _TAKEN.search("\n".join(texts)):
            found |= dict.fromkeys(text for text in texts if _TAKEN.search(text))
    return list(found)


def _texts(read: Read, options: ReadOptions, place: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of an input, each with its place."""
    stem = Path(place).stem
    first = options.rows[0] if options.rows else 0
    yield place, Path(place).name
    if Path(place).suffix.lower() == ".zip":
        return  # Its member was read as a file of its own.
    yield from ((place, title) for title in dict.fromkeys(read.titles) if title != stem)
    frame = read.frame
    geometry = frame._geometry_column_name if isinstance(frame, gpd.GeoDataFrame) else None
    for position, column in enumerate(frame.columns):
        if column == geometry:
            continue
        yield place, str(column)
        values = frame.iloc[:, position]
        if values.dtype != object and not isinstance(values.dtype, pd.StringDtype):
            continue
        for text in _doubtful(values):
            row = first + int((values == text).to_numpy().argmax()) + 1
            yield Message("{place}, row {row}, field '{found}'", place=place, row=row, found=column), text


def _doubtful(values: Iterable[object]) -> list[str]:
    """Return the different texts of a column that may name a datum."""
    texts = dict.fromkeys(value for value in values if isinstance(value, str) and len(value) < _LONGEST)
    if not _HINT.search("\n".join(texts)):
        return []
    return [text for text in texts if _HINT.search(text)]
