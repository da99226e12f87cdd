"""Shapes of 界址点 parcels: points are split into rings; holes and parts are found by containment."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import shapely

from lzgis.coordinates.plane import Coordinates
from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.formats.boundary_points.text import BoundaryPoint, ParcelText, at_line

#: A ring lies in another if this share of it does: borders digitised twice differ by millimetres.
_WHOLE = 0.999
#: Two rings whose areas differ by less than this share are the same ring given twice.
_SAME = 0.9999
#: Boundary points are closer to each other than this.
_LONGEST_M = 10_000.0
#: Up to this many rings are reported one by one.
_SINGLY = 10
#: Rings that are searched at a time, and the most pairs of rings that meet; more are taken for an attack.
_AT_ONCE, _MOST_PAIRS = 100, 200_000


@dataclass(frozen=True, eq=False)
class Ring:
    """A ring as listed: its number, its first line, its points without the closing one, and whether there was one."""

    number: int
    line: int
    points: tuple[BoundaryPoint, ...]
    closed: bool

    def xy(self, swapped: bool) -> Coordinates:
        """Return eastings and northings, shape (n, 2)."""
        return np.array([(p.first, p.second) if swapped else (p.second, p.first) for p in self.points])


def rings_of(parcel: ParcelText, name: str, problems: list[Problem]) -> list[Ring]:
    """Split the points of a parcel into rings, by the numbers of rings and by closing points.

    A ring of a 面 is closed by definition, whether or not its first point is repeated at its end: closing it is no repair
    and is not listed.

    Raises
    ------
    SourceError
        If a ring number recurs after another, or a ring of a 面 has fewer than three points.
    """
    groups: list[list[BoundaryPoint]] = []
    for point in parcel.points:
        if not groups or point.ring != groups[-1][-1].ring:
            groups.append([])
        elif len(groups[-1]) > 3 and _same(groups[-1][0], groups[-1][-1]):
            what = Message("ring {number} goes on after it is closed", number=point.ring)
            remedy = Message("what follows is taken as a ring of its own; give it a number of its own")
            problems.append(Problem("warning", at_line(name, point.line), what, remedy))
            groups.append([])
        groups[-1].append(point)
    _refuse_returning(groups, name)
    rings = []
    for group in groups:
        closed = parcel.shape == "面" and len(group) > 1 and _same(group[0], group[-1])
        points = group[:-1] if closed else group
        if parcel.shape == "面" and len({(p.first, p.second) for p in points}) < 3:
            what = Message("ring {number} has {count} points", number=group[0].ring, count=len(points))
            raise SourceError(at_line(name, group[0].line), what, Message("a ring needs at least three"))
        rings.append(Ring(group[0].ring, group[0].line, tuple(points), closed))
    return rings


def _same(one: BoundaryPoint, other: BoundaryPoint) -> bool:
    return (one.first, one.second) == (other.first, other.second)


def _refuse_returning(groups: list[list[BoundaryPoint]], name: str) -> None:
    seen: set[int] = set()
    for before, group in zip([[], *groups], groups, strict=False):
        number = group[0].ring
        if number in seen and not (before and before[0].ring == number):
            what = Message("ring {number} comes back after another ring", number=number)
            raise SourceError(at_line(name, group[0].line), what, Message("list each ring's points together"))
        seen.add(number)


def shape_of(
    parcel: ParcelText, rings: list[Ring], swapped: bool, place: str, problems: list[Problem]
) -> shapely.Geometry:
    """Return the shape of a parcel, eastings before northings.

    Rings inside another are holes, disjoint rings are parts, regardless of their numbers; both are reported.

    Raises
    ------
    SourceError
        If rings cross or repeat one another, or the order of points differs so much from that of their numbers that the
        shape is ambiguous.
    """
    coordinates = [ring.xy(swapped) for ring in rings]
    if parcel.shape != "点":
        _report_long_edges(rings, coordinates, place, problems)
    if parcel.shape == "点":
        points = shapely.MultiPoint(np.concatenate(coordinates))
        return points.geoms[0] if len(points.geoms) == 1 else points
    if parcel.shape == "线":
        lines = [shapely.LineString(xy) for xy in coordinates if len(xy) > 1]
        if len(lines) != len(coordinates):
            raise SourceError(at_line(place, parcel.line), Message("a line has one point"), Message("a line needs two"))
        return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)
    for ring, xy in zip(rings, coordinates, strict=True):
        _check_order(ring, xy, swapped, place, problems)
    if len(rings) == 1:
        return shapely.Polygon(coordinates[0])
    return _nested(rings, [shapely.Polygon(xy) for xy in coordinates], place, problems)


def _report_long_edges(rings: list[Ring], coordinates: list[Coordinates], place: str, problems: list[Problem]) -> None:
    """Warn of an edge so long that a digit of a coordinate is probably wrong."""
    for ring, xy in zip(rings, coordinates, strict=True):
        length = np.hypot(*np.diff(xy, axis=0).T)
        for at in np.flatnonzero(length > _LONGEST_M)[:1]:
            point = ring.points[int(at) + 1]
            what = Message("point {label} is {km:,.0f} km from the one before", label=point.label, km=length[at] / 1000)
            problems.append(Problem("warning", at_line(place, point.line), what, Message("look at its coordinates")))


def _nested(rings: list[Ring], shapes: list[shapely.Polygon], place: str, problems: list[Problem]) -> shapely.Geometry:
    """Return the polygons of the outer rings with their holes."""
    outer, inner = _containment(rings, shapes, place)
    depth = np.bincount(inner, minlength=len(rings))
    # The shell of a hole is the deepest of the rings that contain it.
    around = {int(i): int(o) for o, i in sorted(zip(outer, inner, strict=True), key=lambda pair: depth[pair[0]])}
    shells = np.flatnonzero(depth % 2 == 0).tolist()
    odd = np.flatnonzero(depth % 2).tolist()
    holes: dict[int, list[int]] = {i: [] for i in shells}
    for i in odd:
        holes[around[i]].append(i)
    _report_roles(rings, {i: around[i] for i in odd}, shells[1:], place, problems)
    parts = [shapely.Polygon(shapes[i].exterior, [shapes[h].exterior for h in holes[i]]) for i in shells]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _report_roles(
    rings: list[Ring], holes: dict[int, int], parts: list[int], place: str, problems: list[Problem]
) -> None:
    """Report which rings are holes and which are parts: each by its line, or their number if they are many."""
    as_hole, as_part = Message("it is taken as a hole"), Message("it is taken as another part")
    roles = []
    for i, o in holes.items():
        what = Message("ring {number} lies in ring {outer}", number=rings[i].number, outer=rings[o].number)
        roles.append((i, Problem("note", at_line(place, rings[i].line), what, as_hole)))
    for i in parts:
        what = Message("ring {number} is disjoint from the others", number=rings[i].number)
        roles.append((i, Problem("note", at_line(place, rings[i].line), what, as_part)))
    roles.sort(key=lambda one: one[0])
    if len(roles) <= _SINGLY:
        problems += [problem for _, problem in roles]
        return
    what = Message("{holes} rings lie in others and {parts} are disjoint", holes=len(holes), parts=len(parts))
    remedy = Message("the ones are taken as holes, the others as parts")
    problems.append(Problem("note", at_line(place, rings[0].line), what, remedy))


def _containment(rings: list[Ring], shapes: list[shapely.Polygon], place: str) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of rings of which the first contains the second."""
    sound = np.array([shapely.make_valid(shape, method="structure") for shape in shapes], dtype=object)
    areas = shapely.area(sound)
    i, j = _meeting(sound, rings, place)
    small, large = np.where(areas[i] <= areas[j], i, j), np.where(areas[i] <= areas[j], j, i)
    shared = shapely.area(shapely.intersection(sound[small], sound[large]))
    share = np.divide(shared, areas[small], out=np.zeros(len(i)), where=areas[small] > 0)
    holds = share >= _WHOLE
    for at in np.flatnonzero(holds & (areas[small] >= _SAME * areas[large])):
        what = Message("ring {number} repeats ring {outer}", number=rings[j[at]].number, outer=rings[i[at]].number)
        raise SourceError(at_line(place, rings[j[at]].line), what, Message("remove one of the two"))
    for at in np.flatnonzero(~holds & (share > 1 - _WHOLE)):
        what = Message("ring {number} crosses ring {outer}", number=rings[j[at]].number, outer=rings[i[at]].number)
        remedy = Message("a ring must lie in another or be disjoint from it; correct the points")
        raise SourceError(at_line(place, rings[j[at]].line), what, remedy)
    return large[holds], small[holds]


def _meeting(sound: np.ndarray, rings: list[Ring], place: str) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of rings that meet, the earlier first; refuse more pairs than any survey has."""
    tree = shapely.STRtree(sound)
    found: list[np.ndarray] = []
    count = 0
    for start in range(0, len(sound), _AT_ONCE):
        first, second = tree.query(sound[start : start + _AT_ONCE], predicate="intersects")
        pairs = np.stack([first + start, second])
        found.append(pairs[:, pairs[0] < pairs[1]])
        count += found[-1].shape[1]
        if count > _MOST_PAIRS:
            what = Message("its rings meet one another more than {count} times", count=_MOST_PAIRS)
            raise SourceError(at_line(place, rings[0].line), what, Message("give parcels in parts"))
    i, j = np.concatenate(found, axis=1)
    return i, j


def _check_order(ring: Ring, xy: Coordinates, swapped: bool, place: str, problems: list[Problem]) -> None:
    """Report duplicate or unordered point numbers; refuse a ring that is simple only in the order of its numbers."""
    labels: dict[str, BoundaryPoint] = {}
    for point in ring.points:
        before = labels.setdefault(point.label, point)
        if point.label and before is not point and not _same(before, point):
            what = Message("point {label} is also at line {line}", label=point.label, line=before.line)
            remedy = Message("points are taken in the order of the file; give each a number of its own")
            problems.append(Problem("warning", at_line(place, point.line), what, remedy))
    numbers = [int(found.group()) if (found := re.search(r"\d{1,9}$", p.label)) else -1 for p in ring.points]
    # Cyclic: J3 J4 J1 J2 is in order, with one step down; so is the reverse, with one step up.
    steps = np.sign(np.diff([*numbers, numbers[0]]))
    if min(numbers) < 0 or min((steps < 0).sum(), (steps > 0).sum()) <= 1:
        return
    at = ring.points[(int(np.flatnonzero(steps < 0)[0]) + 1) % len(steps)]
    here = at_line(place, at.line)
    what = Message("point {label} is out of order", label=at.label)
    ordered = xy[np.argsort(numbers, kind="stable")]
    crossing = not shapely.is_valid(shapely.Polygon(xy))
    if crossing and len(set(numbers)) == len(numbers) and shapely.is_valid(shapely.Polygon(ordered)):
        what = Message(
            "point {label} is out of order: the ring crosses itself, in the order of numbers it does not",
            label=at.label,
        )
        raise SourceError(here, what, Message("sort the points"))
    problems.append(Problem("warning", here, what, Message("points are taken in the order of the file")))
