"""Requests to the reading process, as files in a folder.

Separate from :mod:`lzgis.reading.sandbox.exchange`, which imports geopandas: requests are written before that.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from lzgis.reading.base import ReadOptions

#: Names of the files: the request, the result while it is written, the result, the error; and one that says that the rows
#: were counted and are not too many.
REQUEST, DRAFT, ANSWER, ERROR, COUNTED = "request.json", "draft.npz", "answer.npz", "error.json", "counted"


class Request(NamedTuple):
    """What to read, with which options, the memory limit (bytes), and of how many rows more than the first are not read."""

    path: str
    options: ReadOptions
    memory_bytes: int
    most: int | None = None


def write_request(request: Request, folder: Path) -> None:
    """Write a request to a folder."""
    plain = request._asdict() | {"options": asdict(request.options)}
    (folder / REQUEST).write_text(json.dumps(plain), "utf-8")


def read_request(folder: Path) -> Request:
    """Read the request of a folder."""
    plain = json.loads((folder / REQUEST).read_text("utf-8"))
    return Request(plain["path"], _options(plain["options"]), plain["memory_bytes"], plain["most"])


def is_answered(folder: Path) -> bool:
    """Return whether a folder holds a result or an error."""
    return (folder / ANSWER).exists() or (folder / ERROR).exists()


def _options(plain: dict[str, Any]) -> ReadOptions:
    """Return options from their JSON form."""
    given, rows = plain.get("helmert"), plain.get("rows")
    helmert = None
    if given:
        from lzgis.coordinates.helmert import Helmert

        helmert = Helmert(**given)
    return ReadOptions(**plain | {"helmert": helmert, "rows": tuple(rows) if rows else None})
