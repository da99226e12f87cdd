"""Telling whether coordinates were shifted as GCJ-02 or BD-09 shift them, by vertices that fall on known ones again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely

from lzgis.gcj02 import from_bd09, from_gcj02, to_bd09, to_gcj02
from lzgis.landing import compass
from lzgis.measure import ELLIPSOID, Coordinates, Geometries, move_points
from lzgis.messages import Message
from lzgis.model import Problem

Shift = Literal["gcj02", "bd09"]
#: How each shift is taken away again.
BACK: dict[Shift, Callable[[Coordinates, Coordinates], tuple[Coordinates, Coordinates]]] = {
    "gcj02": from_gcj02,
    "bd09": from_bd09,
}
#: How it is made.
THERE: dict[Shift, Callable[[Coordinates, Coordinates], tuple[Coordinates, Coordinates]]] = {
    "gcj02": to_gcj02,
    "bd09": to_bd09,
}
TITLES: dict[Shift, str] = {"gcj02": "GCJ-02", "bd09": "BD-09"}
#: As many vertices must meet known ones, and this share of the fewer, and this many times as many as did before.
_LEAST, _SHARE, _TIMES = 4, 0.05, 4
#: No more than about this many are looked for.
_MOST = 20_000


@dataclass(frozen=True)
class Suspected:
    """A shift that brings vertices onto known ones.

    Attributes
    ----------
    shift : {"gcj02", "bd09"}
        Which.
    distance_m, azimuth_deg : float
        By how much, and in which direction, the coordinates are displaced.
    before, after : int
        How many of those looked for meet others as they are, and with the shift taken away.
    """

    shift: Shift
    distance_m: float
    azimuth_deg: float
    before: int
    after: int

    def problem(self, place: str) -> Problem:
        """Say it as a warning about `place`."""
        what = Message(
            "looks shifted by {shift:.0f} m to the {direction}, as {title} would be: {before} of its vertices meet those "
            "of known layers as they are, {after} with the shift taken away",
            shift=self.distance_m,
            direction=compass(self.azimuth_deg),
            title=TITLES[self.shift],
            before=self.before,
            after=self.after,
        )
        return Problem("warning", place, what, Message("if it is, read it with --from {name}", name=self.shift))


def suspected_shift(given: Coordinates, known: Coordinates, *, within_m: float = 1.0) -> Suspected | None:
    """Compare vertices with known ones, as they are and with each shift taken away.

    Parameters
    ----------
    given, known : array of float, shape (n, 2)
        Longitudes and latitudes in degrees; what is to be judged, and the vertices of layers that are trusted.
    within_m : float
        How near two vertices must be to meet.

    Returns
    -------
    Suspected or None
        None where no shift explains more than chance does; that proves nothing where nothing follows known borders.

    Examples
    --------
    >>> from lzgis.gcj02 import to_gcj02
    >>> known = np.random.default_rng(0).uniform((112.4, 24.9), (112.5, 25.0), (40, 2))
    >>> found = suspected_shift(np.column_stack(to_gcj02(*known.T)), known)
    >>> found.shift, round(found.distance_m), str(compass(found.azimuth_deg)), found.before, found.after
    ('gcj02', 625, 'south-east', 0, 40)
    >>> suspected_shift(known, known) is None
    True
    """
    given, known = _finite(given), _finite(known)
    if min(len(given), len(known)) < _LEAST:
        return None
    # The fewer are moved and looked for among the others: given ones back, or known ones as the shift would move them.
    fewer_given = len(given) <= len(known)
    probe, others = (_sampled(given), known) if fewer_given else (_sampled(known), given)
    step_deg = within_m / 111_320.0 / np.array([np.cos(np.radians(probe[:, 1].mean())), 1.0])
    # Sorted suffices to look among them; to drop what stands twice would take longer than all the rest.
    cells = np.sort(_cell(np.floor(others / step_deg)))
    before = int(_meets(probe, cells, step_deg).sum())
    best: Suspected | None = None
    for shift in BACK:
        moved = np.column_stack((BACK if fewer_given else THERE)[shift](*probe.T))
        meets = _meets(moved, cells, step_deg)
        after = int(meets.sum())
        if after >= max(_LEAST, _SHARE * len(probe), _TIMES * before) and (best is None or after > best.after):
            true, shifted = (moved, probe) if fewer_given else (probe, moved)
            azimuth, _, distance = ELLIPSOID.inv(*true[meets].T, *shifted[meets].T)
            best = Suspected(shift, float(distance.mean()), float(np.median(azimuth)), before, after)
    return best


def shifted_back(geometries: Geometries, shift: Shift) -> Geometries:
    """Take a shift away from geometries in degrees."""
    return move_points(BACK[shift], geometries)


def vertices(geometries: Geometries) -> Coordinates:
    """Return the vertices of geometries, shape (n, 2)."""
    return np.asarray(shapely.get_coordinates(geometries))


def _finite(points: Coordinates) -> Coordinates:
    return points[np.isfinite(points).all(axis=1)]


def _cell(index: Coordinates) -> np.ndarray:
    column, row = index.astype(np.int64).T
    return np.asarray(column * np.int64(1_000_000_000) + row)


def _sampled(points: Coordinates) -> Coordinates:
    """Drop what stands twice, as the closing point of a ring, and thin out what is more than enough."""
    different = np.unique(points[:, 0] + 1j * points[:, 1])
    different = different[:: -(-len(different) // _MOST)]
    return np.column_stack([different.real, different.imag])


def _meets(points: Coordinates, cells: np.ndarray, step_deg: np.ndarray) -> np.ndarray:
    """Whether a known vertex lies in the cell of each point or one of its eight neighbours: nearer than two steps."""
    index = np.floor(points / step_deg)
    meets = np.zeros(len(points), dtype=bool)
    for offset in ((column, row) for column in (-1, 0, 1) for row in (-1, 0, 1)):
        wanted = _cell(index + np.array(offset))
        at = np.minimum(np.searchsorted(cells, wanted), len(cells) - 1)
        meets |= cells[at] == wanted
    return meets
