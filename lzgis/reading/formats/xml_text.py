"""Text of XML files, decoded from any encoding, without document types, which can refer to other files."""

from __future__ import annotations

import re
from pathlib import Path
from xml.parsers import expat

from lzgis.errors import SourceError
from lzgis.messages import Message, library_message
from lzgis.reading.base import Decided, ReadOptions
from lzgis.reading.encoding import decoded

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_NAMED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._\-]+)["']""")


def read_xml_text(path: Path, options: ReadOptions) -> tuple[str, Decided]:
    """Read an XML file as text without its declaration.

    Raises
    ------
    SourceError
        If it is in no encoding that is tried, or has a document type, which can define entities and refer to other files.
    """
    data = path.read_bytes()
    named = _NAMED.match(data[:400])
    text, encoding = decoded(
        data, str(path), declared=options.encoding, named=named[1].decode("ascii") if named else None
    )
    text = _DECLARATION.sub("", text.lstrip("\ufeff"), count=1)
    _check(text, path)
    return text, encoding


def _check(text: str, path: Path) -> None:
    """Check that a text is well formed and has no document type."""
    parser = expat.ParserCreate("utf-8", "}")
    found: list[str] = []
    # Expat calls this before it reads any entity of the document type.
    parser.StartDoctypeDeclHandler = lambda *_: found.append("doctype")
    try:
        for start in range(0, len(text), 1 << 20):
            parser.Parse(text[start : start + (1 << 20)].encode("utf-8", "replace"), False)
            if found:
                break
        else:
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        if not found and error.code == _UNBOUND:
            raise SourceError(
                Message("{place}, line {line}", place=path, line=error.lineno),
                Message("uses the prefix '{prefix}:', which it does not declare", prefix=_unbound_prefix(text)),
                Message(
                    "add xmlns:{prefix} to its first element, or take these elements out", prefix=_unbound_prefix(text)
                ),
            ) from None
        if not found:
            raise SourceError(
                Message("{place}, line {line}", place=path, line=error.lineno),
                Message("is no well-formed XML ({error})", error=library_message(expat.errors.messages[error.code])),
                Message("export the file again"),
            ) from None
    if found:
        raise SourceError(
            str(path), Message("has a document type (DOCTYPE)"), Message("take it out; no file of shapes needs one")
        )


_UNBOUND = expat.errors.codes[expat.errors.XML_ERROR_UNBOUND_PREFIX]


def _unbound_prefix(text: str) -> str:
    """Return the first prefix of an element or attribute that is declared nowhere."""
    declared = {"xml", "xmlns", *re.findall(r"xmlns:([\w.\-]+)\s*=", text)}
    tags = (found[0] for found in re.finditer(r"<(?![!?])[^<>]*>", text))
    used = (
        found[1] for tag in tags for found in re.finditer(r"(?:^</?|\s)([A-Za-z_][\w.\-]*):[\w.\-]+(?=[\s=/>])", tag)
    )
    return next((prefix for prefix in used if prefix not in declared), "?")
