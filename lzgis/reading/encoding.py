"""The encoding of a text: what it states itself, what is declared, and what its bytes allow."""

from __future__ import annotations

import codecs
from collections.abc import Container, Iterable
from typing import NoReturn

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.reading.base import Decided

# GB18030 contains GBK and GB2312, so that text in any of them is read as GB18030.
_CHINESE = {"gb2312", "gbk", "gb18030", "cp936", "936", "ms936", "ansi936", "ansi_936", "oem936", "hz", "euc_cn"}
_TAIWAN = {"ansi950", "ansi_950", "ms950"}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def codec_of(name: str) -> str:
    """Return the Python codec of an encoding by the name that files and users give it; empty if there is none.

    Examples
    --------
    >>> codec_of("GBK"), codec_of("ANSI 936"), codec_of("UTF8"), codec_of("65001"), codec_of("88591"), codec_of("?")
    ('gb18030', 'gb18030', 'utf-8', 'utf-8', 'iso8859-1', '')
    """
    plain = name.strip().lower().replace(" ", "").replace("-", "_")
    if plain in _CHINESE or plain.replace("_", "") in _CHINESE:
        return "gb18030"
    if plain in _TAIWAN:
        return "cp950"
    if plain == "65001":
        return "utf-8"
    if plain.isdigit():
        plain = f"iso8859_{plain[4:]}" if plain.startswith("8859") else f"cp{plain}"
    try:
        found = codecs.lookup(plain)
    except (LookupError, ValueError):
        return ""
    # Python also has codecs that are no text encodings (rot13, zip).
    return found.name if found._is_text_encoding else ""


def declared_codec(name: str, place: str) -> str:
    """Return the codec of an encoding that the user declared.

    Raises
    ------
    SourceError
        If there is none of that name.
    """
    found = codec_of(name)
    if not found:
        raise SourceError(
            place,
            Message("'{encoding}' is no encoding", encoding=name),
            Message("write one like GBK, GB18030 or UTF-8"),
        )
    return found


def decides(texts: Iterable[bytes], codec: str) -> bool:
    """Return whether all texts can be decoded."""
    try:
        for text in texts:
            text.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def surely_utf8(texts: Iterable[bytes]) -> bool:
    """Return whether the texts are UTF-8 with characters of three or more bytes, which GBK text hardly ever resembles."""
    found = False
    try:
        for text in texts:
            found |= any(c > "\u07ff" for c in text.decode("utf-8"))
    except UnicodeDecodeError:
        return False
    return found


def is_wrongly_western(texts: Iterable[bytes], codec: str) -> bool:
    """Return whether an encoding of one byte for each character is stated for texts that are Chinese characters of GB 2312.

    Programs write ISO-8859-1 where they do not know better, and any bytes are text in it.

    Examples
    --------
    >>> is_wrongly_western(["连州镇东风村".encode("gbk")], "iso8859-1")
    True
    >>> is_wrongly_western(["Orléans".encode("latin-1")], "cp1252")
    False
    """
    if not codec.startswith(("iso8859", "cp125", "cp437", "cp850")):
        return False
    found: set[str] = set()
    for text in texts:
        try:
            found |= set(text.decode("gb2312"))
        except UnicodeDecodeError as error:
            # The last character may be cut in two.
            if error.start < len(text) - 1:
                return False
            found |= set(text[: error.start].decode("gb2312"))
    return sum("\u4e00" <= c <= "\u9fff" for c in found) >= _FEW


def may_be_big5(texts: Iterable[bytes]) -> bool:
    """Return whether texts that GB18030 allows are rather Big5: common characters there, rare ones here.

    Examples
    --------
    >>> may_be_big5(["連州鎮東風村經濟合作社".encode("big5")]), may_be_big5(["连州镇东风村经济合作社".encode("gbk")])
    (True, False)
    """
    data = b"\n".join(texts)
    try:
        there, here = (set(data.decode(codec)) for codec in ("big5", "gb18030"))
    except UnicodeDecodeError:
        return False
    usual, usual_there = _share(here, "gb2312", _COMMON_GB), _share(there, "big5", _COMMON_BIG5)
    return usual < _MOST_COMMON and usual_there > _LEAST_COMMON


#: Leading bytes of the marks and characters of GB 2312, and of the frequent characters of Big5.
_COMMON_GB = (*range(0xA1, 0xA4), *range(0xB0, 0xF8))
_COMMON_BIG5 = range(0xA4, 0xC7)
#: Fewer characters tell nothing; text in GB18030 has more than the first share of common ones, text in Big5 than the second.
_FEW = 4
_MOST_COMMON, _LEAST_COMMON = 0.7, 0.75


def _share(characters: set[str], codec: str, common: Container[int]) -> float:
    """Return the share of characters, ASCII left out, of which the first byte is a common one; 1 if there are few.

    Each counts once: a sign such as ㎡ may stand in every row.
    """
    others = [c for c in characters if not c.isascii()]
    usual = sum((c.encode(codec, "ignore") or b"\0")[0] in common for c in others)
    return usual / len(others) if len(others) >= _FEW else 1.0


#: What is wrong with text of which the encoding is not known, and what to do.
BIG5 = Message("its text is not UTF-8, and may be Big5 as well as GB18030")
DECLARE = Message("declare its encoding, or save it as UTF-8")


def decoded(data: bytes, place: str, *, declared: str | None = None, named: str | None = None) -> tuple[str, Decided]:
    """Decode a text.

    Parameters
    ----------
    data : bytes
        The text.
    place : str
        The file, for messages.
    declared : str, optional
        The encoding that the user declares.
    named : str, optional
        The encoding that the file itself names.

    Raises
    ------
    SourceError
        If it is not text in the declared encoding, or in any that is tried.
    """
    for mark, codec in _BOMS:
        if data.startswith(mark):
            return _text(data, codec, place), Decided(codec.removesuffix("-sig").upper(), Message("byte order mark"))
    if declared:
        codec = declared_codec(declared, place)
        return _text(data, codec, place), Decided(codec.upper(), Message("declared"))
    own = codec_of(named) if named else ""
    usable = own and own != "utf-8" and not surely_utf8([data]) and not is_wrongly_western([data], own)
    if usable and decides([data], own):
        return data.decode(own), Decided(own.upper(), Message("named in the file"))
    if data.isascii():
        return data.decode("ascii"), Decided("ASCII", Message("no other characters"))
    if decides([data], "utf-8"):
        return data.decode("utf-8"), Decided("UTF-8", Message("the bytes are UTF-8"))
    if not decides([data], "gb18030"):
        _refuse(data, "utf-8", place, Message("its text is neither UTF-8 nor GB18030"))
    if may_be_big5([data]):
        _refuse(data, "ascii", place, BIG5)
    return data.decode("gb18030"), Decided("GB18030", Message("the bytes are not UTF-8 but GB18030"))


def _text(data: bytes, codec: str, place: str) -> str:
    if not decides([data], codec):
        what = Message("is not text in {encoding}", encoding=codec.removesuffix("-sig").upper())
        _refuse(data, codec, place, what)
    return data.decode(codec)


def _refuse(data: bytes, codec: str, place: str, what: Message) -> NoReturn:
    """Refuse a text, naming the line of the first byte that cannot be decoded."""
    try:
        data.decode(codec)
        line = 1
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    raise SourceError(
        Message("{place}, line {line}", place=place, line=line),
        what,
        DECLARE,
    )
