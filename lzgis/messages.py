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
from functools import cache
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
        """Fill in the template; an error among the values is taken as what a library reports."""
        values = {key: library_message(one) if isinstance(one, BaseException) else one for key, one in values.items()}
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
#: What libraries report often: expat, zipfile, csv, SQLite, tomllib, pydantic, ezdxf, GEOS and GDAL. A placeholder stands for
#: one word or a text in quotes; ``{why}`` for a text that is looked up itself, ``{rest}`` for any.
LIBRARY_TEXTS = (
    "mismatched tag",
    "not well-formed (invalid token)",
    "no element found",
    "unclosed token",
    "partial character",
    "duplicate attribute",
    "junk after document element",
    "undefined entity",
    "recursive entity reference",
    "reference to invalid character number",
    "XML or text declaration not at start of entity",
    "unknown encoding",
    "encoding specified in XML declaration is incorrect",
    "unclosed CDATA section",
    "unbound prefix",
    "XML declaration not well-formed",
    "syntax error",
    "File is not a zip file",
    "Bad CRC-32 for file {name}",
    "Bad magic number for file header",
    "Bad magic number for central directory",
    "Bad offset for central directory",
    "Truncated file header",
    "Truncated central directory",
    "Corrupt zip64 extra field. {why}",
    "Corrupt extra field {what} (size={size})",
    "File name in directory {one} and header {other} differ.",
    "zipfiles that span multiple disks are not supported",
    "That compression method is not supported",
    "zip file version {version}",
    "Error {code} while decompressing data: {why}",
    "Overlapped entries: {name} (possible zip bomb)",
    "line contains NUL",
    "unexpected end of data",
    "'{one}' expected after '{other}'",
    "field larger than field limit ({most})",
    "new-line character seen in unquoted field - do you need to open the file with newline=''?",
    "database disk image is malformed",
    "file is not a database",
    "no such table: {name}",
    "no such column: {name}",
    "malformed database schema ({name})",
    "malformed database schema ({name}) - {why}",
    "unable to open database file",
    "database is locked",
    "attempt to write a readonly database",
    "{why} (at line {line}, column {column})",
    "{why} (at end of document)",
    "Invalid value",
    "Invalid statement",
    "Invalid date or datetime",
    "Invalid hex value",
    "Invalid initial character for a key part",
    "Unescaped '\\' in a string",
    "Expected newline or end of document after a statement",
    "Expected ']' at the end of a table declaration",
    "Expected ']]' at the end of an array declaration",
    "Expected '=' after a key in a key/value pair",
    "Expected {what}",
    "Unclosed inline table",
    "Unclosed array",
    "Unterminated string",
    "Found invalid character {what}",
    "Illegal character {what}",
    "Duplicate inline table key {key}",
    "Cannot declare {key} twice",
    "Cannot overwrite a value",
    "Cannot redefine namespace {key}",
    "Cannot mutate immutable namespace {key}",
    "Escaped character is not a Unicode scalar value",
    "Field required",
    "Input should be a valid string",
    "Input should be a valid integer",
    "Input should be a valid number",
    "Input should be a finite number",
    "Input should be a valid boolean",
    "Input should be a valid list",
    "Input should be a valid tuple",
    "Input should be a valid dictionary",
    "Input should be a valid dictionary or instance of {what}",
    "Input should be a valid date",
    "Input should be a valid date or datetime, {why}",
    "Input should be a valid date in the format YYYY-MM-DD, {why}",
    "Input should be a valid datetime, {why}",
    "Input should be a valid integer, {why}",
    "Input should be a valid number, {why}",
    "Input should be greater than {least}",
    "Input should be greater than or equal to {least}",
    "Input should be less than {most}",
    "Input should be less than or equal to {most}",
    "String should have at least {count} characters",
    "String should have at least {count} character",
    "String should have at most {count} characters",
    "String should match pattern {pattern}",
    "List should have at least {count} items after validation, not {found}",
    "List should have at least {count} item after validation, not {found}",
    "Tuple should have at least {count} items after validation, not {found}",
    "Tuple should have at least {count} item after validation, not {found}",
    "a finite number is needed, without quotes",
    'distance_m is for at = "distance", and only for it',
    "Value error, {why}",
    "missing '{name}' subclass",
    "missing '{name}' subclass in {rest}",
    "Removed {rest}",
    "removed {rest}",
    "Deleted {rest}",
    "Fixed {rest}",
    "fixed {rest}",
    "Replaced {rest}",
    "Reset {rest}",
    "Created {rest}",
    "Cleared {rest}",
    "missing EOF tag.",
    "missing ENDSEC tag.",
    "Invalid group code {code} in line {line}.",
    "Invalid group code {code} in line {line}",
    "Invalid group code in line {line}",
    "IllegalArgumentException: {why}",
    "ParseException: {why}",
    "Expected word but encountered end of stream",
    "Expected number but encountered end of stream",
    "Expected number but encountered {what}",
    "Expected word but encountered {what}",
    "Unknown type: {what}",
    "Unknown type: '{what}'",
    "Points of LinearRing do not form a closed linestring",
    "'{path}' not recognized as being in a supported file format.",
    "'{path}' not recognized as being in a supported file format. {rest}",
)
_AT = re.compile(r"(?P<why>[^\[]+)\[(?P<x>\S+) (?P<y>\S+)\]")
_HTTP = re.compile(r"HTTP Error (?P<code>\d{3}): (?P<reason>.*)")


def library_message(error: object) -> Message:
    """Return what a library or the system reports, in English, as a message.

    The texts in `SYSTEM_TEXTS`, `GEOS_TEXTS` and `LIBRARY_TEXTS` are translated. Any other text is shown in English alone:
    another language says that it can be read there. A message, or an error that was made of one, gives that message.

    Examples
    --------
    >>> library_message("Hole lies outside shell[9 5]").template
    'Hole lies outside shell[{x} {y}]'
    >>> library_message(PermissionError(13, "Permission denied"))
    'Permission denied'
    """
    own = error.args[0] if isinstance(error, BaseException) and error.args else error
    if isinstance(own, Message):
        return own
    text = str((isinstance(error, OSError) and error.strerror) or error)
    if text in SYSTEM_TEXTS:
        return Message(text)
    at, http = _AT.fullmatch(text), _HTTP.fullmatch(text)
    if at and at["why"] in GEOS_TEXTS:
        return Message(at["why"] + "[{x} {y}]", x=at["x"], y=at["y"])
    if http:
        return Message("HTTP Error {code}: {reason}", **http.groupdict())
    return next(
        (
            Message(
                template,
                **{key: library_message(one) if key == "why" else one for key, one in found.groupdict().items()},
            )
            for pattern, template in _library_patterns()
            if (found := pattern.fullmatch(text))
        ),
        Message("{library_text}", library_text=text),
    )


@cache
def _library_patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    made = []
    for template in LIBRARY_TEXTS:
        parts = re.split(r"\{(\w+)\}", template)
        pattern = re.escape(parts[0])
        for key, after in zip(parts[1::2], parts[2::2], strict=True):
            pattern += f"(?P<{key}>{_PARTS.get(key, _ONE)})" + re.escape(after)
        made.append((re.compile(pattern, re.DOTALL), template))
    return tuple(made)


_ONE = r"b?'(?:[^'\\]|\\.)*'|b?\"[^\"]*\"|\S+"
_PARTS = {"why": ".+", "rest": ".+", "path": ".+?"}
