"""What users give: files, pasted text and drawn shapes, stored under checked names in a folder of their own.

Nothing is read here. A name given by a browser is never a path: what is not a letter, digit or one of a few signs is
replaced, and the folder has a name that cannot be guessed.
"""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Sum

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.reading.readers import READERS
from lzgis.web.models import Upload, User
from lzgis.web.options import Bounds
from lzgis.web.region_versions import is_rules

#: Files that go with another of the same name.
_PARTS = (".dbf", ".prj", ".cpg", ".shx", ".sbn", ".sbx", ".qpj", ".fix")
_LONGEST = 80
_WKT = re.compile(r"\b(?:SRID=\d+;)?(?:MULTI)?(?:POINT|LINESTRING|POLYGON)\s*Z?\s*\(|\bGEOMETRYCOLLECTION\s*\(", re.I)
_LETTERS = re.compile(r"[A-Za-z\u4e00-\u9fff]{2,}")
_CELLS = re.compile(r"[\s,，;；、]+")


class Part(NamedTuple):
    """A file of an upload: its checked name and its bytes, in chunks."""

    name: str
    chunks: Iterable[bytes]


def safe_name(given: str) -> str:
    r"""Return a name for a file that is one part of a path on every system and resembles the given one.

    Examples
    --------
    >>> safe_name("../../etc/passwd.txt"), safe_name("C:\\boot\\地块 1（终）.SHP"), safe_name("...")
    ('passwd.txt', '地块 1（终）.shp', 'file')
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    kept = "".join(c if c.isalnum() or c in "._-() （）【】" else "_" for c in last).strip(". ")
    stem, suffix = PurePosixPath(kept).stem[:_LONGEST].strip(". "), PurePosixPath(kept).suffix[:12].lower()
    while len(stem.encode()) > 180:
        stem = stem[:-1]
    return f"{stem or 'file'}{suffix}"


def store(owner: User, parts: Sequence[Part], how: str) -> Upload:
    """Store the files of one upload.

    Raises
    ------
    SourceError
        If there is no file that can be read, more than one, or more bytes than allowed.
    """
    return _stored(owner, parts, _main([part.name for part in parts]), how)


def _stored(owner: User, parts: Sequence[Part], main: str, how: str) -> Upload:
    bounds: Bounds = settings.LZGIS.bounds
    _check_room(owner, bounds)
    upload = Upload(owner=owner, name=main, how=how)
    upload.folder.mkdir(mode=0o700)
    try:
        for part in parts:
            upload.size_bytes += _written(upload, part, bounds.upload_bytes - upload.size_bytes)
        upload.save()
    except BaseException:
        shutil.rmtree(upload.folder, ignore_errors=True)
        raise
    return upload


def store_version(owner: User, parts: Sequence[Part], part: str) -> Upload:
    """Store the one file of a new version of a layer, or of the rule book.

    Raises
    ------
    SourceError
        If it is not one file of a kind that can be read, or has more bytes than allowed.
    """
    suffixes = (".toml",) if is_rules(part) else tuple(READERS)
    if len(parts) != 1 or PurePosixPath(parts[0].name).suffix not in suffixes:
        what = Message("a new version is one file of these kinds: {known}", known=" ".join(suffixes))
        raise SourceError(Message("upload"), what, Message("give a shapefile as zip, or convert the file"))
    return _stored(owner, parts, parts[0].name, "version")


def _main(names: Sequence[str]) -> str:
    """Return the name of the file that is read; the others must be its parts."""
    place = Message("upload")
    readable = [name for name in names if PurePosixPath(name).suffix in READERS]
    shapes = [name for name in readable if name.endswith(".shp")]
    chosen = shapes or readable
    if not chosen:
        what = Message("holds no file that can be read: {names}", names=", ".join(names) or "-")
        raise SourceError(place, what, Message("allowed: {known}", known=" ".join(READERS)))
    stem = PurePosixPath(chosen[0]).stem.lower()
    others = [name for name in names if name != chosen[0]]
    foreign = [n for n in others if PurePosixPath(n).stem.lower() != stem or PurePosixPath(n).suffix not in _PARTS]
    if foreign or len(set(names)) != len(names):
        what = Message("holds several files: {names}", names=", ".join(names))
        raise SourceError(place, what, Message("give one file, the parts of one shapefile, or one zip"))
    return chosen[0]


def _check_room(owner: User, bounds: Bounds) -> None:
    used = Upload.objects.filter(owner=owner).aggregate(sum=Sum("size_bytes"))["sum"] or 0
    if used > bounds.user_bytes:
        what = Message("your uploads take {used} MB, more than allowed", used=f"{used / 1e6:,.0f}")
        raise SourceError(Message("upload"), what, Message("delete screenings that are no longer needed"))


def _written(upload: Upload, part: Part, most: int) -> int:
    size = 0
    with (upload.folder / part.name).open("xb") as stream:
        for chunk in part.chunks:
            size += len(chunk)
            if size > most:
                what = Message("is larger than {most} MB", most=f"{settings.LZGIS.bounds.upload_bytes / 1e6:,.0f}")
                raise SourceError(part.name, what, Message("split it, or use the command: {command}", command="lzgis"))
            stream.write(chunk)
    return size


def files_of(given: Sequence[Any]) -> list[Part]:
    """Return the parts of an upload by a browser."""
    return [Part(safe_name(one.name or ""), one.chunks()) for one in given]


def text_part(text: str, shape: str) -> Part:
    r"""Return pasted text as the file that a reader takes: GeoJSON, WKT, boundary points or a table.

    Parameters
    ----------
    text : str
        What was pasted.
    shape : {"polygon", "point"}
        What rows of coordinates alone are: the corners of a polygon, or points.

    Examples
    --------
    >>> text_part("112.4 24.8\n112.5 24.8\n112.5 24.9", "polygon").name
    'pasted.csv'
    >>> b"".join(text_part("POINT (112.4 24.8)", "polygon").chunks).decode()
    'id,wkt\n1,"POINT (112.4 24.8)"\n'
    """
    text = text.replace("\r\n", "\n").strip().lstrip("\ufeff")
    if text[:1] in "{[" and '"' in text[:40]:
        return _part("pasted.geojson", text)
    if "@" in text or "[" in text[:20] or "【" in text[:20]:
        return _part("pasted.txt", text)
    starts = [found.start() for found in _WKT.finditer(text)]
    if starts and not text[: starts[0]].strip():
        pieces = [
            text[a:b].replace('"', "").strip().rstrip(",;")
            for a, b in zip(starts, [*starts[1:], len(text)], strict=True)
        ]
        rows = [f'{n},"{" ".join(one.split())}"' for n, one in enumerate(pieces, start=1)]
        return _part("pasted.csv", "\n".join(["id,wkt", *rows]) + "\n")
    lines = [line for line in text.split("\n") if line.strip()]
    if lines and _LETTERS.search(lines[0]):
        return _part("pasted.csv", "\n".join(lines) + "\n")
    return _part("pasted.csv", _table(lines, shape))


def _table(lines: Sequence[str], shape: str) -> str:
    """Return rows of coordinates as a table; a cell before each pair is the number of the point."""
    first = "点号" if shape == "polygon" else "编号"
    rows = [f"{first},X,Y"]
    for number, line in enumerate(lines, start=1):
        cells = [cell for cell in _CELLS.split(line.strip()) if cell]
        name, pair = (cells[0], cells[1:3]) if len(cells) > 2 else (f"J{number}", cells[:2])
        rows.append(",".join([name if shape == "polygon" else str(number), *pair]))
    return "\n".join(rows) + "\n"


def drawn_part(text: str) -> Part:
    """Return drawn shapes, as the page sends them, as a file.

    Raises
    ------
    SourceError
        If they are no GeoJSON collection.
    """
    place, remedy = Message("drawing"), Message("draw at least one point, line or area")
    try:
        given = json.loads(text)
        features = given["features"]
        kept = [_feature(number, one) for number, one in enumerate(features, start=1)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise SourceError(place, Message("is no collection of shapes"), remedy) from None
    if not kept:
        raise SourceError(place, Message("is empty"), remedy)
    # Drawn on the layers of the city, which are in this system.
    system = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    return _part("drawn.geojson", json.dumps({"type": "FeatureCollection", "crs": system, "features": kept}))


def _feature(number: int, given: dict[str, Any]) -> dict[str, Any]:
    own = given.get("properties") or {}
    properties = {"id": str(number), "name": str(own.get("name") or "")[:200]}
    return {"type": "Feature", "properties": properties, "geometry": dict(given["geometry"])}


def _part(name: str, text: str) -> Part:
    return Part(name, [text.encode("utf-8", "replace")])
