"""Repair of geometries: every repair is listed, with the area before and after.

A repair that changes the area of a polygon by more than `TOLERANCE_M2` (or `TOLERANCE_SHARE` of it, if that is more) is a
guess. It is made only if the user accepts repairs; otherwise the geometry is not used.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import shapely

from lzgis.coordinates.plane import Geometries, ellipsoidal_area_m2
from lzgis.geometry import part_of_dimension
from lzgis.messages import Message, library_message
from lzgis.model.report import Problem, Repair

#: A repair may change an area by this much (m²), or by this share of it, without acceptance by the user.
TOLERANCE_M2 = 1.0
TOLERANCE_SHARE = 1e-6

#: What happens to repairs beyond the tolerance: they are only listed, or accepted and made.
Repairs = Literal["listed", "accepted"]

_COLLECTION, _RING = 7, 2
#: How often making a geometry valid is tried.
_ROUNDS = 4
#: With more vertices than this, a geometry is repaired in a separate process, which has at most this time (s).
_MOST_VERTICES = 1_000
REPAIR_TIME_S = 20.0
#: Up to so many features with the same change are listed one by one; more are listed together.
_SINGLY = 20


@dataclass(frozen=True)
class Change:
    """A change that a reader made to geometries that it could not use as they are.

    Attributes
    ----------
    rows : tuple of int
        The changed rows, counted from 0.
    what : str
        What was done.
    drawn : tuple of float
        For every row, the ratio of its area before the change to its area after it; 1 for all rows, if empty.
    """

    rows: tuple[int, ...]
    what: str
    drawn: tuple[float, ...] = ()

    def within(self, rows: Sequence[int]) -> Change:
        """Return the change restricted to some rows, which are renumbered in their order.

        Examples
        --------
        >>> Change((0, 2), "closed", (1.0, 2.0)).within([2, 3])
        Change(rows=(0,), what='closed', drawn=(2.0,))
        """
        new = {old: i for i, old in enumerate(rows)}
        kept = [i for i, row in enumerate(self.rows) if row in new]
        return Change(
            tuple(new[self.rows[i]] for i in kept), self.what, tuple(self.drawn[i] for i in kept) if self.drawn else ()
        )


class Flattened(NamedTuple):
    """Geometries without heights and measures, the problems to report, and the changes."""

    geometry: Geometries
    problems: list[Problem]
    changes: list[Change]


@dataclass(frozen=True, eq=False)
class Repaired:
    """Repaired geometries, `None` where nothing can be used, and the list of repairs.

    Attributes
    ----------
    geometry : array of shapely geometries
        The geometries in the given order.
    problems : tuple of Problem
        Everything that was changed or is wrong, as messages.
    repairs : tuple of Repair
        The repairs, with areas; a repair that is not accepted was computed, but must not be used.
    refused : array of bool
        Where the repair is not accepted; `geometry` holds its result.
    doubtful : tuple
        For every geometry that cannot be used, where it may lie: its convex hull, or None if that is unknown.
    """

    geometry: Geometries
    problems: tuple[Problem, ...]
    repairs: tuple[Repair, ...]
    refused: np.ndarray
    doubtful: tuple[shapely.Geometry | None, ...]

    @property
    def usable(self) -> np.ndarray:
        """Whether there is a geometry in each row."""
        return ~shapely.is_missing(self.geometry)

    @property
    def accepted(self) -> Geometries:
        """The geometries; None where the repair is not accepted."""
        kept = self.geometry.copy()
        kept[self.refused] = None
        return kept


@dataclass(eq=False)
class _Log:
    """The input that is repaired, and what has been noted so far."""

    place: str
    ids: np.ndarray
    accept: Repairs
    problems: list[Problem] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    doubtful: list[shapely.Geometry | None] = field(default_factory=list)

    def place_of(self, i: int) -> Message:
        return Message("{place}, feature '{id}'", place=self.place, id=self.ids[i])

    def add_problem(self, level: str, i: int, what: Message, remedy: Message) -> None:
        self.problems.append(Problem(level, self.place_of(i), what, remedy))

    def mark_unusable(self, i: int, what: Message, remedy: Message, where: shapely.Geometry | None) -> None:
        self.add_problem("error", i, what, remedy)
        self.doubtful.append(where)

    def add_repair(self, i: int, what: str, areas_m2: tuple[float, float], accepted: bool = True) -> None:
        self.repairs.append(Repair(self.place, str(self.ids[i]), what, *areas_m2, accepted))


def repair_geometries(
    geometries: Geometries,
    ids: np.ndarray,
    place: str,
    *,
    accept: Repairs = "listed",
    changes: Sequence[Change] = (),
) -> Repaired:
    """Make geometries (degrees on CGCS2000) two-dimensional, valid and of one dimension, and list every change.

    A missing or empty geometry, or one with a coordinate that is not finite, becomes `None` and an ``error``. Rings that
    cross or overlap are read by their structure: shells are united, holes are subtracted, and nothing cancels
    out. Source: ``make_valid`` of GEOS with ``method="structure"``.

    Changes that the reader made before (`changes`) are listed too, under the same tolerance.

    Examples
    --------
    >>> bow_tie = shapely.Polygon([(112, 25), (112.001, 25.001), (112.001, 25), (112, 25.001)])
    >>> done = repair_geometries([bow_tie], np.array(["7"]), "sites.gpkg")
    >>> bool(done.refused[0]), done.repairs[0].feature, round(done.repairs[0].area_after_m2)
    (True, '7', 5591)
    >>> bool(repair_geometries([bow_tie], np.array(["7"]), "sites.gpkg", accept="accepted").refused[0])
    False
    """
    log = _Log(place, ids, accept)
    array = np.asarray(geometries, dtype=object).copy()
    _drop_unusable(array, log)
    array, flattened, left_out = drop_heights(array, place)
    log.problems += flattened
    for i in np.flatnonzero(shapely.get_type_id(array) == _RING):
        array[i] = shapely.LineString(array[i].coords)
    for i in np.flatnonzero(shapely.get_type_id(array) == _COLLECTION):
        array[i] = _of_one_dimension(array[i], int(i), log)
    refused = np.zeros(len(array), dtype=bool)
    for change in (*changes, *left_out):
        refused[_check_change(array, change, log)] = True
    present = ~shapely.is_missing(array)
    for i in np.flatnonzero(present & ~shapely.is_valid(array)):
        array[i], doubted = _repair_validity(array[i], int(i), log)
        refused[i] |= doubted
    return Repaired(array, tuple(log.problems), tuple(log.repairs), refused, tuple(log.doubtful))


def drop_heights(geometries: Geometries, place: str) -> Flattened:
    """Drop heights and measures, and report it: areas are plane areas."""
    found = (
        (shapely.has_z(geometries), Message("heights (Z) were left out")),
        (shapely.has_m(geometries), Message("measures (M) were left out")),
    )
    remedy = Message("nothing to do: areas are plane areas")
    done = [Change(tuple(np.flatnonzero(has).tolist()), what) for has, what in found if has.any()]
    problems = [Problem("note", place, change.what, remedy) for change in done]
    return Flattened(np.asarray(shapely.force_2d(geometries), dtype=object) if done else geometries, problems, done)


def _check_change(array: Geometries, change: Change, log: _Log) -> list[int]:
    """List a change of a reader; return the rows whose area it changes too much without acceptance."""
    within: dict[int, tuple[float, float]] = {}
    refused = []
    for row, drawn in zip(change.rows, change.drawn or (1.0,) * len(change.rows), strict=True):
        after = 0.0 if array[row] is None else _area(array[row])
        before = after * drawn
        if _within_tolerance(before, after):
            within[row] = (before, after)
            continue
        values = {"done": change.what, "before": before, "after": after}
        accepted = log.accept == "accepted"
        log.add_repair(row, change.what, (before, after), accepted)
        if accepted:
            what = Message("{done}; area {before:.2f} ㎡ before, {after:.2f} ㎡ after", **values)
            log.add_problem("warning", row, what, Message("check the shape"))
        else:
            what = Message("{done}, which changes its area from {before:.2f} ㎡ to {after:.2f} ㎡", **values)
            remedy = Message("draw it again, or accept the repair")
            log.mark_unusable(row, what, remedy, shapely.convex_hull(array[row]))
            refused.append(row)
    if len(within) <= _SINGLY:
        for row, areas in within.items():
            log.add_repair(row, change.what, areas)
    else:
        total = tuple(float(np.sum(side)) for side in zip(*within.values(), strict=True))
        together = Message("{count} features", count=len(within))
        log.repairs.append(Repair(log.place, together, change.what, total[0], total[1]))
    return refused


def _within_tolerance(before_m2: float, after_m2: float) -> bool:
    return abs(after_m2 - before_m2) <= max(TOLERANCE_M2, TOLERANCE_SHARE * before_m2)


def _drop_unusable(array: Geometries, log: _Log) -> None:
    draw = Message("draw it or remove the row")
    for i in range(len(array)):
        if array[i] is None:
            log.mark_unusable(i, Message("has no geometry"), draw, None)
        elif shapely.is_empty(array[i]):
            log.mark_unusable(i, Message("its geometry is empty"), draw, None)
        elif not np.isfinite(shapely.get_coordinates(array[i])).all():
            log.mark_unusable(i, Message("a coordinate is not a number"), Message("correct the coordinate"), None)
        else:
            continue
        array[i] = None


def _of_one_dimension(mixture: shapely.Geometry, i: int, log: _Log) -> shapely.Geometry:
    """Return the polygons of a collection; its lines if it has none; else its points."""
    parts = _single_parts(mixture)
    dimensions = shapely.get_dimensions(parts)
    most = int(dimensions.max())
    if (dimensions != most).any():
        kept = ("points", "lines", "polygons")[most]
        what = Message("is a mixture of points, lines or polygons, of which only the {kept} are used", kept=kept)
        log.add_problem("warning", i, what, Message("give the others as rows of their own"))
        areas = _area(mixture), _area(mixture)
        log.add_repair(i, what, areas)
    chosen = parts[dimensions == most]
    if len(chosen) == 1:
        only: shapely.Geometry = chosen[0]
        return only
    # Not united here: overlapping parts are reported when the whole is made valid.
    many: shapely.Geometry = (shapely.multipoints, shapely.multilinestrings, shapely.multipolygons)[most](chosen)
    return many


def _single_parts(geometry: shapely.Geometry) -> Geometries:
    """Return the points, lines and polygons of nested collections."""
    parts = shapely.get_parts(geometry)
    while (shapely.get_type_id(parts) > 3).any():
        parts = shapely.get_parts(parts)
    return np.asarray(parts[~shapely.is_empty(parts)], dtype=object)


def _repair_validity(geometry: shapely.Geometry, i: int, log: _Log) -> tuple[shapely.Geometry | None, bool]:
    why = library_message(shapely.is_valid_reason(geometry))
    before = _area(geometry)
    valid = _repaired(geometry)
    if valid is None:
        what = Message("is not valid ({why}), and its repair needs more time or memory than is allowed", why=why)
        log.mark_unusable(i, what, Message("draw it again"), shapely.convex_hull(geometry))
        log.add_repair(i, what, (before, 0.0), False)
        return None, False
    if shapely.is_empty(valid):
        what = Message("cannot be repaired ({why})", why=why)
        log.mark_unusable(i, what, Message("draw it again"), shapely.convex_hull(geometry))
        log.add_repair(i, what, (before, 0.0), False)
        return None, False
    after = _area(valid)
    values = {"why": why, "before": before, "after": after}
    if _within_tolerance(before, after) or log.accept == "accepted":
        what = Message(
            "was not valid ({why}) and was repaired; area {before:.2f} ㎡ before, {after:.2f} ㎡ after", **values
        )
        log.add_problem("warning", i, what, Message("check the shape"))
        log.add_repair(i, what, (before, after))
        return valid, False
    what = Message(
        "is not valid ({why}), and a repair would change its area from {before:.2f} ㎡ to {after:.2f} ㎡", **values
    )
    log.mark_unusable(i, what, Message("draw it again, or accept the repair"), shapely.convex_hull(geometry))
    log.add_repair(i, what, (before, after), False)
    return valid, True


def _repaired(geometry: shapely.Geometry) -> shapely.Geometry | None:
    """Make a geometry valid, in a separate process if that may take long; None if it exceeds the limits."""
    if shapely.get_num_coordinates(geometry) <= _MOST_VERTICES:
        return valid_by_structure(geometry)
    from lzgis.reading.sandbox.limits import environment

    command = [sys.executable, "-P", "-m", "lzgis.reading.sandbox.repair_child"]
    try:
        done = subprocess.run(
            command,
            input=shapely.to_wkb(geometry),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            timeout=REPAIR_TIME_S,
            check=True,
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return None
    valid: shapely.Geometry = shapely.from_wkb(done.stdout)
    return valid


def valid_by_structure(geometry: shapely.Geometry) -> shapely.Geometry:
    """Make a geometry valid by its structure; empty if nothing valid of its dimension results."""
    dimension = shapely.get_dimensions(np.array([geometry]))
    valid: shapely.Geometry = _without_stray_holes(geometry) if dimension[0] == 2 else geometry
    for _ in range(_ROUNDS):
        made = shapely.make_valid(valid, method="structure")
        valid = part_of_dimension(np.array([made]), dimension)[0]
        # Intersections are rounded to doubles, which may create new crossings.
        if shapely.is_valid(valid):
            return valid
    return shapely.GeometryCollection()


def _without_stray_holes(geometry: shapely.Geometry) -> shapely.Geometry:
    """Leave out the holes that share no area with their shell: they subtract nothing, but GEOS would add their area."""
    polygons = []
    for polygon in shapely.get_parts(geometry):
        shell = shapely.make_valid(shapely.Polygon(polygon.exterior), method="structure")
        holes = [
            hole
            for hole in polygon.interiors
            if shapely.area(shapely.intersection(shell, shapely.make_valid(shapely.Polygon(hole), method="structure")))
            > 0
        ]
        polygons.append(shapely.Polygon(polygon.exterior, holes))
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def _area(geometry: shapely.Geometry) -> float:
    """Return the area as drawn: shells minus holes, whether or not they overlap; 0 for lines and points."""
    if shapely.get_dimensions(geometry) != 2:
        return 0.0
    polygons = [part for part in _single_parts(geometry) if shapely.get_dimensions(part) == 2]
    return float(ellipsoidal_area_m2(polygons).sum())
