"""What the process that reads is asked, and where it leaves its answer: files in a folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from lzgis.reading.base import ReadOptions

#: What it is asked, what it is still writing, what it read, or why it did not.
REQUEST, DRAFT, ANSWER, ERROR = "request.json", "draft.npz", "answer.npz", "error.json"


class Request(NamedTuple):
    """What to read, how, and in how much memory (bytes)."""

    path: str
    options: ReadOptions
    memory_bytes: int


def write_request(request: Request, folder: Path) -> None:
    """Leave a request in a folder."""
    plain = {"path": request.path, "options": asdict(request.options), "memory_bytes": request.memory_bytes}
    (folder / REQUEST).write_text(json.dumps(plain), "utf-8")


def read_request(folder: Path) -> Request:
    """Find the request that was left in a folder."""
    plain = json.loads((folder / REQUEST).read_text("utf-8"))
    return Request(plain["path"], _options(plain["options"]), plain["memory_bytes"])


def is_answered(folder: Path) -> bool:
    """Whether the request in a folder was answered, or told why not."""
    return (folder / ANSWER).exists() or (folder / ERROR).exists()


def _options(plain: dict[str, Any]) -> ReadOptions:
    """Make the options again of what JSON keeps of them."""
    given, rows = plain.get("helmert"), plain.get("rows")
    helmert = None
    if given:
        from lzgis.coordinates.helmert import Helmert

        helmert = Helmert(**given)
    return ReadOptions(**plain | {"helmert": helmert, "rows": tuple(rows) if rows else None})
