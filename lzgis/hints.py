"""Hints in names that coordinates are those of a shifted map; a name proves nothing, so they are only said."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lzgis.messages import Message
from lzgis.model import Problem
from lzgis.shifts import TITLES, Shift

_NAMES: dict[Shift, str] = {
    "gcj02": r"gcj|火星|高德|amap|腾讯|tencent|autonavi",
    "bd09": r"bd-?_?09|百度|baidu",
}


def shifted_by_name(name: str, columns: Iterable[object]) -> list[Problem]:
    """Say which shifted map the name of a file or of its fields hints at.

    Examples
    --------
    >>> [str(p.what) for p in shifted_by_name("高德选点.kml", ["name"])]
    ["'高德选点.kml' hints at a map in GCJ-02"]
    """
    found = []
    for shift, words in _NAMES.items():
        for one in (name, *(str(c) for c in columns)):
            if re.search(words, one, re.IGNORECASE):
                what = Message("'{text}' hints at a map in {title}", text=one[:80], title=TITLES[shift])
                remedy = Message("if it is, read it with --from {name}", name=shift)
                found.append(Problem("warning", name, what, remedy))
                break
    return found
