"""Requests to the reading process, as files in a folder.

Separate from :mod:`lzgis.reading.sandbox.exchange`, which imports geopandas: requests are written before that.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from lzgis.reading.base import ReadOptions

#: Names of the files: the request, the result while it is written, the result, the error.
REQUEST, DRAFT, ANSWER, ERROR = "request.json", "draft.npz", "answer.npz", "error.json"


class Request(NamedTuple):
    """What to read, with which options, and the memory limit (bytes)."""

    path: str
    options: ReadOptions
    memory_bytes: int


def write_request(request: Request, folder: Path) -> None:
    """Write a request to a folder."""
    plain = {"path": request.path, "options": asdict(request.options), "memory_bytes": request.memory_bytes}
    (folder / REQUEST).write_text(json.dumps(plain), "utf-8")


def read_request(folder: Path) -> Request:
    """Read the request of a folder."""
    plain = json.loads((folder / REQUEST).read_text("utf-8"))
    return Request(plain["path"], _options(plain["options"]), plain["memory_bytes"])


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
