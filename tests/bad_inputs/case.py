"""What a case is: how its input is made, what is true of it, and what must happen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import toy

from lzgis.model.report import State
from lzgis.reading import Limits, ReadOptions

#: answer: right in every figure. repaired: the same, and what was done is listed. open: 未核查 where the truth is not
#: known, and right elsewhere. refused: no result, and a message.
Must = Literal["answer", "repaired", "open", "refused"]

IN, OUT, OPEN = str(State.INVOLVED), str(State.CLEAR), str(State.NOT_CHECKED)
#: The state of each site under the rule of the redline, and its area there, m².
TRUTH: dict[int, tuple[str, float | None]] = {0: (IN, 5_000.0), 1: (OUT, None)}


@dataclass(frozen=True)
class Request:
    """The input of a case: sites, and a city if it is not the unchanged toy city."""

    path: Path | str
    options: ReadOptions = field(default_factory=ReadOptions)
    city: Path | None = None
    limits: Limits | None = None


@dataclass(frozen=True)
class Case:
    """A bad input.

    Attributes
    ----------
    id, title : str
        Family and number, and a title.
    make : callable
        Writes the input into an empty folder and returns the request.
    must : Must
        The required result.
    says : str
        A pattern that the message or one of the problems must match.
    truth : mapping
        State and area of each site under the rule of the redline, by its row.
    names : str
        A pattern of the feature or row that must be named, if one is at fault.
    geometric : mapping, optional
        The truth of the shapes alone, if the result is open only because the activity is not known.
    """

    id: str
    title: str
    make: Callable[[Path], Request | Path | str]
    must: Must
    says: str = ""
    truth: Mapping[int, tuple[str, float | None]] = field(default_factory=lambda: TRUTH)
    names: str = ""
    geometric: Mapping[int, tuple[str, float | None]] | None = None

    def request(self, folder: Path) -> Request:
        """Make the input and return the request."""
        made = self.make(folder)
        return made if isinstance(made, Request) else Request(made)


CASES: list[Case] = []


def case(family: str, title: str, must: Must, says: str = "", **more: Any) -> Callable[[Any], Any]:
    """Add the decorated maker as the next case of a family."""

    def add(make: Callable[[Path], Request | Path | str]) -> Callable[[Path], Request | Path | str]:
        number = sum(c.id.startswith(family) for c in CASES) + 1
        CASES.append(Case(f"{family}{number:02}", title, make, must, says, **more))
        return make

    return add


#: Only the first site's answer is open; or both are.
FIRST_OPEN = {0: (OPEN, None), 1: (OUT, None)}
BOTH_OPEN = {0: (OPEN, None), 1: (OPEN, None)}


def pair() -> gpd.GeoDataFrame:
    """Make the two sites: s1 with half of its hectare in the redline, s2 away from it."""
    return toy.sites(toy.square(-50, 100), toy.square(-3000, 0))


def degrees(*shapes: Any) -> list[Any]:
    """Bring shapes from plane metres to degrees."""
    return list(toy.PLANE.unproject(np.array(shapes, dtype=object)))


def saved(path: Path, frame: gpd.GeoDataFrame | None = None, crs: int | str | None = None, **more: Any) -> Path:
    """Write a frame, the two sites if none is given, in a reference system."""
    frame = pair() if frame is None else frame
    frame = frame.to_crs(crs) if crs is not None else frame
    frame.to_file(path, engine="pyogrio", **more)
    return path
