"""Messages of the program: written in English in the code, translated where they are shown.

Translations are in the section ``[message]`` of ``lzgis/wording/LANGUAGE.toml``, with the English template as key, as the
msgid of a gettext catalogue is. gettext itself is not used:

- The same file holds titles of states, columns and headings, which have keys but no English template. One readable file
  per language serves both, and TOML needs no compiled ``.mo`` file, neither in a checkout nor in a wheel.
- gettext normally translates where a message is made. Here a message is made in one process, stored in tables and
  reports, and translated when it is written, perhaps into two languages; so template and values must stay together,
  and a value may be a message itself.
- Chinese has no plural forms, so plural rules would serve no translation.
- ``tests/test_messages.py`` extracts the templates from the code, as ``xgettext`` would, and requires a translation with
  the same placeholders for each.

A language for which plural forms or translators' tools matter is a reason to change this.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any


class Message(str):
    """An English sentence that stores its template and values, so that it can be translated.

    It can be used as an ordinary string if no translation is needed.

    Parameters
    ----------
    template : str
        The sentence with ``{placeholders}``; translations have it as key.
    **values : object
        The values of the placeholders; a value may be a message itself.

    Examples
    --------
    >>> message = Message("has no layer '{layer}'", layer="redline")
    >>> message
    "has no layer 'redline'"
    >>> message.template, message.values
    ("has no layer '{layer}'", {'layer': 'redline'})
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, **values: Any) -> Message:
        """Fill in the template."""
        message = super().__new__(cls, template.format(**values) if values else template)
        message.template = template
        message.values = values
        return message

    def __reduce__(self) -> tuple[Any, ...]:
        return (_unpickled, (self.template, self.values))


def titled(title: str, title_en: str) -> Message:
    """Return a title that is data of a city or rule book as a message: English in English output, Chinese in Chinese output.

    The Chinese title is used in both languages if there is no English one.

    Examples
    --------
    >>> from lzgis.words import Words
    >>> roads = titled("公路", "Roads")
    >>> roads, Words("zh").message(roads)
    ('Roads', '公路')
    """
    return Message("{title_en}{title:.0}", title=title, title_en=title_en or title)


def enumerated(items: Sequence[str]) -> str:
    """Return texts or messages as one enumeration, with the separator of the language of the output.

    Examples
    --------
    >>> from lzgis.words import Words
    >>> both = enumerated([titled("公路", "Roads"), titled("铁路", "Railways"), titled("桥梁", "Bridges")])
    >>> both, Words("zh").message(both)
    ('Roads, Railways, Bridges', '公路、铁路、桥梁')
    """
    if len(items) < 2:
        return items[0] if items else ""
    middle = len(items) // 2
    return Message("{first}, {rest}", first=enumerated(items[:middle]), rest=enumerated(items[middle:]))


def _unpickled(template: str, values: dict[str, Any]) -> Message:
    return Message(template, **values)


#: What the system reports, in the words of the C library.
SYSTEM_TEXTS = (
    "Permission denied",
    "Operation not permitted",
    "No such file or directory",
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "Read-only file system",
    "Is a directory",
    "Not a directory",
    "File exists",
    "File name too long",
    "Too many open files",
    "Too many levels of symbolic links",
    "Input/output error",
    "Connection refused",
    "Connection reset by peer",
    "Address already in use",
    "Cannot assign requested address",
    "Cannot allocate memory",
    "Broken pipe",
    "timed out",
    "embedded null byte",
    "disk I/O error",
    "database or disk is full",
)
#: Why a geometry is not valid, in the words of GEOS, which adds a place in brackets.
GEOS_TEXTS = (
    "Self-intersection",
    "Ring Self-intersection",
    "Hole lies outside shell",
    "Holes are nested",
    "Interior is disconnected",
    "Nested shells",
    "Duplicate Rings",
    "Too few points in geometry component",
    "Invalid Coordinate",
    "Ring is not closed",
    "Repeated Point",
    "Topology Validation Error",
)
_AT = re.compile(r"(?P<why>[^\[]+)\[(?P<x>\S+) (?P<y>\S+)\]")
_HTTP = re.compile(r"HTTP Error (?P<code>\d{3}): (?P<reason>.*)")


def library_message(error: object) -> Message:
    """Return what a library or the system reports, in English, as a message.

    The texts in `SYSTEM_TEXTS` and `GEOS_TEXTS` are translated. Any other text is shown in English alone: another language says
    that it can be read there.

    Examples
    --------
    >>> library_message("Hole lies outside shell[9 5]").template
    'Hole lies outside shell[{x} {y}]'
    >>> library_message(PermissionError(13, "Permission denied"))
    'Permission denied'
    """
    text = str((isinstance(error, OSError) and error.strerror) or error)
    if text in SYSTEM_TEXTS:
        return Message(text)
    at, http = _AT.fullmatch(text), _HTTP.fullmatch(text)
    if at and at["why"] in GEOS_TEXTS:
        return Message(at["why"] + "[{x} {y}]", x=at["x"], y=at["y"])
    if http:
        return Message("HTTP Error {code}: {reason}", **http.groupdict())
    return Message("{library_text}", library_text=text)
