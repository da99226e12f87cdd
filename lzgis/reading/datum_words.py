"""Names of datums in titles, headings, file names and remarks, which may contradict the system that is declared."""

from __future__ import annotations

import re
import unicodedata

_OLD = {
    "Xian 1980": r"西安\s*80|1980\s*年?\s*西安|西安\s*1980|80\s*西安|xi.?an\s*_?(19)?80|国家\s*80|80\s*坐标系",
    "Beijing 1954": r"北京\s*54|1954\s*年?\s*北京|北京\s*1954|54\s*北京|beijing\s*_?(19)?54|bj\s*_?54|54\s*坐标系",
}
_NEW = re.compile(r"cgcs\s*_?2000|2000\s*国家|国家\s*2000|2000\s*坐标系|china\s*2000", re.IGNORECASE)


def old_datum(text: str) -> str:
    """Return the datum before CGCS2000 that a text names; empty if it names none, or CGCS2000 too.

    Examples
    --------
    >>> old_datum("拐点坐标表（1980西安坐标系）"), old_datum("由西安80转为2000国家大地坐标系"), old_datum("北京路54号")
    ('Xian 1980', '', '')
    """
    if "54" not in text and "80" not in text and text.isascii():
        return ""
    plain = unicodedata.normalize("NFKC", text)
    if _NEW.search(plain):
        return ""
    return next((name for name, words in _OLD.items() if re.search(words, plain, re.IGNORECASE)), "")
