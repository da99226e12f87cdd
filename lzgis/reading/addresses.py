"""Paths of files, addresses, and strings that are neither and must not be opened."""

from __future__ import annotations

import re
from pathlib import Path

from lzgis.errors import SourceError
from lzgis.messages import Message, library_message

# Two letters at least: one is a drive of Windows. Path("a://b") is "a:/b", or "a:\b" on Windows.
_ADDRESS = re.compile(r"^([A-Za-z][A-Za-z0-9+.\-]+):(.*)$", re.DOTALL)
_SHOWN = 60


def scheme_of(source: str | Path) -> str:
    """Return the scheme of an address in lower case; empty for the path of a file.

    Examples
    --------
    >>> scheme_of("postgis://gis@localhost/lianzhou"), scheme_of("sites.shp"), scheme_of("C:/sites.shp")
    ('postgis', '', '')
    """
    match = _ADDRESS.match(str(source))
    return match[1].lower() if match else ""


def address_of(source: str | Path) -> str:
    """Return an address as it was before it became a `Path`, which turns two slashes into one."""
    scheme, _, rest = str(source).partition(":")
    return f"{scheme.lower()}://{rest.replace(chr(92), '/').lstrip('/')}"


def shown(source: str | Path) -> str:
    """Return the name of an input without user, password and parameters, for messages and outputs.

    Examples
    --------
    >>> shown("postgis://gis:secret@db.example/lianzhou?sslmode=require"), shown("data/sites.shp")
    ('postgis://db.example/lianzhou', 'data/sites.shp')
    """
    if not scheme_of(source):
        return str(source)
    scheme, _, rest = address_of(source).partition("://")
    # A password may contain any sign, also "@", "/" and "?", so that everything before the last "@" may belong to it.
    before, _, after = rest.rpartition("@")
    place = re.split("[?#]", after)[0]
    # Anything else is a connection in the form of another program, as "PG:host=… password=…".
    return f"{scheme}://…" if re.search(r"[=\s;]", before + place) else f"{scheme}://{place}"


def without_secrets(text: str) -> str:
    """Return a text with the passwords of addresses and connections in it replaced by ``***``.

    Examples
    --------
    >>> without_secrets("postgis://me:a/b@c@host/db?password=x"), without_secrets("PG:host=h password='a b' user=me")
    ('postgis://me:***@host/db?password=***', 'PG:host=h password=*** user=me')
    """
    text = re.sub(r"(://[^/@:]*):.*@", r"\1:***@", text)
    return re.sub(r"(?i)\b(password|passwd|pwd|token|key|sig)(\s*=\s*)('[^']*'|\"[^\"]*\"|[^&\s;]+)", r"\1\2***", text)


def file_of(source: str | Path) -> Path:
    """Return the path of an existing file; refuse strings that GDAL would not take as a path.

    Raises
    ------
    SourceError
        If it is a virtual path, a connection, or the data themselves; or there is no such file.
    """
    text = str(source)
    here = without_secrets(text)
    here = here if len(here) <= _SHOWN else here[:_SHOWN] + "…"
    if text.lstrip().startswith(("{", "[", "<")) or "\n" in text or "\0" in text:
        raise SourceError(
            here,
            Message("is the data themselves, not the path of a file"),
            Message("save it as a file and give its path"),
        )
    if text.replace("\\", "/").startswith("/vsi"):
        raise SourceError(
            here, Message("virtual paths are not opened"), Message("unpack or fetch the file and give its own path")
        )
    path = Path(source)
    try:
        exists = path.exists()
    except OSError as error:
        raise SourceError(
            here, Message("is no path ({error})", error=library_message(error)), Message("check the path")
        ) from None
    if exists and not (path.is_file() or path.is_dir()):
        # Reading a pipe or a device may never end.
        raise SourceError(here, Message("is no ordinary file"), Message("give a file"))
    scheme = scheme_of(source)
    if exists:
        # A file may be called "PG:x.gpkg"; as an absolute path it cannot be taken for a connection.
        return path.resolve() if scheme else path
    if scheme:
        raise SourceError(
            shown(source),
            Message("addresses that begin with '{scheme}:' are not opened", scheme=scheme),
            Message("give the path of a file, or a database as postgis://user@host/database"),
        )
    raise SourceError(str(path), Message("the file does not exist"), Message("check the path"))
