"""Geometries for display: cut into arcs as TopoJSON is, simplified, rounded and written.

An arc is a stretch of border or line between places where borders part; it is stored once, however many shapes share it.
Each arc is simplified by itself (Douglas and Peucker 1973), so that shared borders stay shared and no vertex moves.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.coordinates.plane import Geometries, Plane
from lzgis.geometry.threads import by_rows

STEPS_M = (0.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0)
Integers = npt.NDArray[np.int64]
#: Vertices that agree to this are one, unless the shapes lie so far apart that 31 bits cannot tell so little.
_SAME_DEG = 1e-8
#: A border that encloses an area too small for the tolerance is drawn with so many corners.
_CORNERS = 4
_DIGITS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", np.uint8)
_BITS = {digit: bits for bits, digit in enumerate(_DIGITS.tolist())}
# Numbers of 35 bits, with their sign, have at most so many digits.
_MOST_DIGITS = 7


class Arcs(NamedTuple):
    """Distinct arcs and the lines made of them.

    The vertices of arc ``i`` are ``vertex[first[i] : first[i + 1]]``, indexes of `lon_lat`. The arcs of line ``j`` are
    ``arc[line[j] : line[j + 1]]``; an arc ``~i`` is arc ``i`` from its end to its start, as in TopoJSON.
    """

    lon_lat: npt.NDArray[np.float64]
    vertex: Integers
    first: Integers
    arc: Integers
    line: Integers


class Kept(NamedTuple):
    """What a tolerance leaves: which positions of `Arcs.vertex`, and which lines."""

    vertex: npt.NDArray[np.bool_]
    line: npt.NDArray[np.bool_]


def cut(lines: Geometries, rings: npt.NDArray[np.bool_]) -> Arcs:
    """Cut lines and rings into arcs where they part (Bostock 2013), and store each arc once.

    Parameters
    ----------
    lines : array of geometry
        Lines and linear rings in degrees.
    rings : array of bool
        Whether each is the border of a polygon, which has no end.

    Examples
    --------
    >>> two = shapely.get_rings([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    >>> arcs = cut(two, np.array([True, True]))
    >>> len(arcs.first) - 1, np.split(arcs.arc, arcs.line[1:-1])
    (3, [array([0, 1]), array([-1,  2])])
    """
    xy, line = shapely.get_coordinates(lines, return_index=True)
    if not len(xy):
        none = np.zeros(0, np.int64)
        return Arcs(xy, none, np.zeros(1, np.int64), none, np.zeros(len(lines) + 1, np.int64))
    place, known = _vertices(xy)
    # Without repeated vertices, and without the last of a ring, which repeats its first.
    fresh = np.append(True, (place[1:] != place[:-1]) | (line[1:] != line[:-1]))
    last = np.append(line[1:] != line[:-1], True)
    alone = fresh & last & np.append(True, line[1:] != line[:-1])
    fresh &= ~(last & rings[line]) | alone
    place, line = place[fresh], line[fresh]
    count = np.bincount(line, minlength=len(lines))
    start = np.cumsum(count) - count
    parts = _partings(place, line, rings, start, count)
    place, line, parts = _closed(place, line, parts, rings, start, count)
    return _distinct(xy[known], place, line, parts, len(lines))


def uncut(lines: Geometries, rings: npt.NDArray[np.bool_]) -> Arcs:
    """Return lines and rings as one arc each; the parameters are those of `cut`.

    Examples
    --------
    >>> two = shapely.get_rings([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    >>> arcs = uncut(two, np.array([True, True]))
    >>> arcs.first, arcs.vertex[[0, 4]], arcs.arc
    (array([ 0,  5, 10]), array([0, 0]), array([0, 1]))
    """
    xy = shapely.get_coordinates(lines)
    first = np.append(0, np.cumsum(shapely.get_num_coordinates(lines)))
    vertex = np.arange(len(xy))
    # The last vertex of a ring is its first.
    vertex[first[1:][rings] - 1] = first[:-1][rings]
    return Arcs(xy, vertex, first, np.arange(len(lines)), np.arange(len(lines) + 1))


def _vertices(xy: npt.NDArray[np.float64]) -> tuple[Integers, Integers]:
    """Return the number of the vertex at each position, and a position of each vertex."""
    low = xy.min(axis=0)
    step = max(_SAME_DEG, float((xy.max(axis=0) - low).max()) / 2**31)
    cell = np.rint((xy - low) / step).astype(np.int64)
    _, known, place = np.unique((cell[:, 0] << 32) | cell[:, 1], return_index=True, return_inverse=True)
    return place.astype(np.int64), known


def _partings(
    place: Integers, line: Integers, rings: npt.NDArray[np.bool_], start: Integers, count: Integers
) -> npt.NDArray[np.bool_]:
    """Return the positions at which an arc starts or ends: vertices whose neighbours differ, and ends of lines.

    A ring without any starts at its least vertex, so that rings that are the same start at the same.
    """
    index = np.arange(len(place))
    before, after = index - 1, index + 1
    some = np.flatnonzero(count)
    begin, end = start[some], start[some] + count[some] - 1
    ring = rings[some]
    before[begin] = np.where(ring, end, begin)
    after[end] = np.where(ring, begin, end)
    one, two = place[before], place[after]
    low, high = np.minimum(one, two), np.maximum(one, two)
    order = np.argsort(place, kind="stable")
    sorted_place = place[order]
    same = sorted_place[1:] == sorted_place[:-1]
    differ = same & ((low[order][1:] != low[order][:-1]) | (high[order][1:] != high[order][:-1]))
    parting = np.zeros(int(place.max()) + 1, dtype=bool)
    parting[sorted_place[1:][differ]] = True
    parting[place[begin[~ring]]] = parting[place[end[~ring]]] = True
    found = parting[place]
    without = ~np.maximum.reduceat(found, begin)
    least = np.zeros(len(count), np.int64)
    least[some] = np.minimum.reduceat(place, begin)
    lone = np.zeros(len(count), dtype=bool)
    lone[some] = without
    both: npt.NDArray[np.bool_] = found | (lone[line] & (place == least[line]))
    return both


def _closed(
    place: Integers,
    line: Integers,
    parts: npt.NDArray[np.bool_],
    rings: npt.NDArray[np.bool_],
    start: Integers,
    count: Integers,
) -> tuple[Integers, Integers, npt.NDArray[np.bool_]]:
    """Return the positions with every ring turned so that it starts at the start of an arc, and closed there."""
    some = np.flatnonzero(count)
    where = np.where(parts, np.arange(len(place)), len(place))
    turn = np.zeros(len(count), np.int64)
    turn[some] = np.where(rings[some], np.minimum.reduceat(where, start[some]) - start[some], 0)
    # A ring is one longer at its end; so is a line of one vertex, because an arc has two.
    longer = count + ((rings | (count == 1)) & (count > 0))
    begin = np.cumsum(longer) - longer
    owner = np.repeat(np.arange(len(count)), longer)
    source = start[owner] + (np.arange(len(owner)) - begin[owner] + turn[owner]) % count[owner]
    return place[source], owner, parts[source]


def _distinct(
    lon_lat: npt.NDArray[np.float64], place: Integers, line: Integers, parts: npt.NDArray[np.bool_], lines: int
) -> Arcs:
    """Return the arcs between the positions where lines part, each once."""
    at = np.flatnonzero(parts)
    inside = line[at[1:]] == line[at[:-1]]
    begin, end = at[:-1][inside], at[1:][inside]
    many = len(lon_lat)
    forward = place[begin] * many + place[begin + 1]
    backward = place[end] * many + place[end - 1]
    # The first two vertices of an arc say which it is: until its end, no other line parts from it.
    turned = backward < forward
    _, chosen, number = np.unique(np.minimum(forward, backward), return_index=True, return_inverse=True)
    # Numbered in the order of their first use.
    order = np.argsort(chosen, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    chosen, number = chosen[order], rank[number]
    size = (end - begin + 1)[chosen]
    first = np.append(0, np.cumsum(size))
    within = np.arange(first[-1]) - np.repeat(first[:-1], size)
    source = np.repeat(begin[chosen], size) + within
    arc = np.where(turned != turned[chosen][number], ~number, number)
    return Arcs(lon_lat, place[source], first, arc, np.searchsorted(line[begin], np.arange(lines + 1)))


@dataclass(frozen=True)
class Drawing:
    """Geometries in degrees, cut into arcs that can be simplified by several tolerances.

    Examples
    --------
    >>> drawing = Drawing(np.array([shapely.box(112.4, 24.8, 112.5, 24.9)]), Plane(112.45, 24.85))
    >>> written = drawing.topology([{"name": "a"}], step_deg=0.1)
    >>> written["objects"]["d"]["geometries"]
    [{'type': 'Polygon', 'arcs': [[0]], 'properties': {'name': 'a'}}]
    >>> written["arcs"], arc_of(written["arcs"][0])
    (['IQCAACDAAD'], [[4, 8], [1, 0], [0, 1], [-1, 0], [0, -1]])
    """

    geometries: Geometries
    plane: Plane
    #: Whether neighbours have their border in common, as zones do, or each shape has its own, as overlapping shapes do.
    borders: Literal["shared", "own"] = "shared"

    @cached_property
    def _parts(self) -> tuple[Geometries, Integers]:
        """The simple parts of the geometries, and the geometry of each."""
        parts, owner = shapely.get_parts(self.geometries, return_index=True)
        while (shapely.get_type_id(parts) > shapely.GeometryType.POLYGON).any():
            parts, of = shapely.get_parts(parts, return_index=True)
            owner = owner[of]
        some = ~shapely.is_empty(parts)
        return parts[some], owner[some]

    def _cut(self) -> tuple[Geometries, Integers, npt.NDArray[np.bool_]]:
        """Return the lines and rings of the parts in order, the part of each, and whether it is a ring of a polygon."""
        parts, _ = self._parts
        rings, of_ring = shapely.get_rings(parts, return_index=True)
        own = np.flatnonzero(shapely.get_dimensions(parts) == 1)
        owner = np.concatenate([own, of_ring])
        order = np.argsort(owner, kind="stable")
        lines: Geometries = np.concatenate([parts[own], rings])[order]
        return lines, owner[order], (np.arange(len(lines)) >= len(own))[order]

    @cached_property
    def _all(self) -> tuple[Arcs, Integers, npt.NDArray[np.bool_]]:
        """The arcs of all lines and borders, the part of each line, and whether it is a ring; the lines are not kept."""
        lines, of_part, rings = self._cut()
        return (cut if self.borders == "shared" else uncut)(lines, rings), of_part, rings

    @property
    def arcs(self) -> Arcs:
        """The arcs of all lines and borders."""
        return self._all[0]

    @cached_property
    def _metres(self) -> Geometries:
        """The arcs in the plane; the third coordinate is the position in `Arcs.vertex`."""
        arcs = self.arcs
        x, y = self.plane.places(arcs.lon_lat[:, 0], arcs.lon_lat[:, 1])
        table = np.column_stack([x[arcs.vertex], y[arcs.vertex], np.arange(len(arcs.vertex))])
        return np.asarray(shapely.linestrings(table, indices=_owners(arcs.first)), dtype=object)

    @cached_property
    def _simplified(self) -> dict[float, Kept]:
        return {}

    def simplified(self, step_m: float) -> Kept:
        """Return the vertices that a tolerance in metres leaves, none of which has moved.

        A hole that is narrower than the tolerance and that no other shape fills is not drawn. A shape never vanishes: its
        border keeps four corners. Borders that are not shared may cross where they are nearer than the tolerance.
        """
        if step_m not in self._simplified:
            self._simplified[step_m] = self._by_tolerance(step_m)
        return self._simplified[step_m]

    def _by_tolerance(self, step_m: float) -> Kept:
        arcs = self.arcs
        whole = np.diff(arcs.first)
        keep = np.ones(len(arcs.vertex), dtype=bool)
        if step_m and len(whole):
            fewer = by_rows(_simplify, self._metres, np.full(len(whole), step_m))
            keep[:] = False
            keep[shapely.get_coordinates(fewer, include_z=True)[:, 2].astype(np.int64)] = True
        edges = np.add.reduceat(keep, arcs.first[:-1]) - 1 if len(whole) else whole
        closed = arcs.vertex[arcs.first[:-1]] == arcs.vertex[arcs.first[1:] - 1]
        # Of a border that has vanished, every fourth part of its vertices.
        tiny = np.flatnonzero(closed & (edges < _CORNERS - 1))
        corners = np.arange(_CORNERS + 1) * (whole[tiny][:, None] - 1) // _CORNERS
        keep[arcs.first[:-1][tiny][:, None] + corners] = True
        _, of_part, rings = self._all
        hole = rings & np.append(False, of_part[1:] == of_part[:-1])[: len(rings)]
        number = _number(arcs.arc)
        used = np.bincount(number, minlength=len(whole))
        # What fills a hole is drawn, and the hole with it.
        filled = _sums((used[number] > 1).astype(np.int64), arcs.line) > 0
        left = _sums(edges[number], arcs.line)
        return Kept(keep, (~hole | filled | (left >= _CORNERS - 1)) & (np.diff(arcs.line) > 0))

    def vertices(self, step_m: float) -> int:
        """Return the number of vertices that are drawn at a tolerance in metres; those of a shared border count twice."""
        arcs, kept = self.arcs, self.simplified(step_m)
        if not len(arcs.arc):
            return 0
        edges = np.add.reduceat(kept.vertex, arcs.first[:-1]) - 1
        return int((_sums(edges[_number(arcs.arc)], arcs.line) + 1)[kept.line].sum())

    def _used(self, kept: Kept) -> npt.NDArray[np.bool_]:
        """Return which arcs the lines that are drawn consist of."""
        arcs = self.arcs
        used = np.zeros(len(arcs.first) - 1, dtype=bool)
        used[_number(arcs.arc[np.repeat(kept.line, np.diff(arcs.line))])] = True
        return used

    def topology(self, properties: Sequence[dict[str, Any]], *, step_deg: float, step_m: float = 0.0) -> dict[str, Any]:
        """Write the geometries as a TopoJSON topology with one object ``d``, rounded to `step_deg`.

        The arcs are texts instead of lists of differences, a third as long; `arc_of` reads them.
        """
        shapes: list[dict[str, Any]] = []
        written = {
            "type": "Topology",
            "objects": {"d": {"type": "GeometryCollection", "geometries": shapes}},
            "arcs": [],
        }
        if not len(self.geometries):
            return written
        arcs, kept = self.arcs, self.simplified(step_m)
        used = self._used(kept)
        keep = kept.vertex & np.repeat(used, np.diff(arcs.first))
        size = np.add.reduceat(keep, arcs.first[:-1])[used] if len(used) else np.zeros(0, np.int64)
        origin = np.floor(np.nanmin(shapely.bounds(self.geometries)[:, :2], axis=0))
        cells = np.rint((arcs.lon_lat[arcs.vertex[keep]] - origin) / step_deg).astype(np.int64)
        number = np.cumsum(used) - 1
        signed = (
            np.where(arcs.arc < 0, ~number[_number(arcs.arc)], number[_number(arcs.arc)]) if len(used) else arcs.arc
        )
        written |= {
            "transform": {"scale": [step_deg, step_deg], "translate": origin.tolist()},
            "arcs": _texts(cells, size),
        }
        shapes += self._shapes(
            signed, kept, lambda points: np.rint((points - origin) / step_deg).astype(np.int64).tolist()
        )
        for shape, one in zip(shapes, properties, strict=True):
            shape["properties"] = one
        return written

    def _shapes(self, signed: Integers, kept: Kept, cells: Callable[[Any], Any]) -> list[dict[str, Any]]:
        """Return the objects of TopoJSON: for each geometry its type, and its arcs or its coordinates."""
        parts, owner = self._parts
        _, of_part, _ = self._all
        lines: list[list[Any]] = [[] for _ in parts]
        bounds = self.arcs.line
        of_line = signed.tolist()
        for i in np.flatnonzero(kept.line).tolist():
            lines[of_part[i]].append(of_line[bounds[i] : bounds[i + 1]])
        types = shapely.get_type_id(parts)
        simple: list[list[dict[str, Any]]] = [[] for _ in self.geometries]
        for i, kind, geometry in zip(range(len(parts)), types.tolist(), owner.tolist(), strict=True):
            if kind == shapely.GeometryType.POLYGON:
                one = {"type": "Polygon", "arcs": lines[i]}
            elif kind == shapely.GeometryType.POINT:
                one = {"type": "Point", "coordinates": cells(shapely.get_coordinates(parts[i]))[0]}
            else:
                one = {"type": "LineString", "arcs": lines[i][0]}
            simple[geometry].append(one)
        return [_joined(many) for many in simple]


def _joined(many: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one object for the simple parts of a geometry."""
    if len(many) == 1:
        return many[0]
    kinds = {one["type"] for one in many}
    if len(kinds) != 1:
        return {"type": "GeometryCollection", "geometries": many} if many else {"type": None}
    key = "coordinates" if "Point" in kinds else "arcs"
    return {"type": f"Multi{kinds.pop()}", key: [one[key] for one in many]}


def fitted(drawings: Sequence[Drawing], *, vertices: int, steps_m: Sequence[float] = STEPS_M) -> list[float]:
    """Return a tolerance in metres for each drawing, so that all together have at most so many vertices.

    It is the smallest that suffices for all, or else the largest. As long as the number is not exceeded, drawings are then
    given the next smaller one, and the next, those of few vertices first.

    Parameters
    ----------
    drawings : sequence of Drawing
        What to draw.
    vertices : int
        The most vertices in all drawings together.
    steps_m : sequence of float
        Tolerances to try, in metres, ascending; 0 leaves the shapes as they are.
    """

    def fits(step: int) -> bool:
        return sum(one.vertices(steps_m[step]) for one in drawings) <= vertices

    # A larger step leaves fewer vertices: bisection, after the first step, which mostly suffices.
    last = len(steps_m) - 1
    best = 0 if not last or fits(0) else bisect_left(range(last), True, lo=1, key=fits) if fits(last) else last
    found = [best] * len(drawings)
    spare = vertices - sum(one.vertices(steps_m[best]) for one in drawings)
    left = np.argsort([one.vertices(steps_m[best]) for one in drawings], kind="stable").tolist()
    for finer in reversed(range(best)):
        for i in list(left):
            more = drawings[i].vertices(steps_m[finer]) - drawings[i].vertices(steps_m[finer + 1])
            if more <= spare:
                found[i], spare = finer, spare - more
            else:
                left.remove(i)
    return [steps_m[step] for step in found]


def topology_of(geometries: Geometries, plane: Plane, *, vertices: int, step_deg: float) -> dict[str, Any]:
    """Write geometries that have no properties, simplified to so many vertices."""
    drawing = Drawing(geometries, plane)
    (step_m,) = fitted([drawing], vertices=vertices)
    return drawing.topology([{} for _ in geometries], step_deg=step_deg, step_m=step_m)


def arc_of(text: str) -> list[list[int]]:
    """Return the differences of an arc of TopoJSON from its text.

    Each number is written as digits of five bits, the least first; 32 is added to all digits but the last of a number,
    and the first bit is the sign. The scripts of the map read them in the same way.

    Examples
    --------
    >>> arc_of("IQACDA")
    [[4, 8], [0, 1], [-1, 0]]
    """
    numbers, value, shift = [], 0, 0
    for digit in text.encode():
        bits = _BITS[digit]
        value |= (bits & 31) << shift
        shift += 5
        if bits < 32:
            numbers.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    return [numbers[i : i + 2] for i in range(0, len(numbers), 2)]


def _texts(cells: Integers, size: Integers) -> list[str]:
    """Write arcs of so many cells each as texts, as `arc_of` reads them; cells that repeat the one before are omitted."""
    first = np.cumsum(size) - size
    begins = np.zeros(len(cells), dtype=bool)
    begins[first] = True
    moves = np.diff(cells, axis=0, prepend=np.zeros((1, 2), np.int64))
    moves[first] = cells[first]
    kept = begins | (moves != 0).any(axis=1)
    numbers = moves[kept].ravel()
    value = np.where(numbers < 0, (-numbers << 1) | 1, numbers << 1)
    digits = np.ones(len(value), np.int64)
    for more in range(1, _MOST_DIGITS):
        digits += value >= 1 << 5 * more
    end = np.cumsum(digits)
    place = end - digits
    text = np.empty(int(digits.sum()), np.uint8)
    for one in range(_MOST_DIGITS):
        here = digits > one
        text[place[here] + one] = _DIGITS[(value[here] >> 5 * one & 31) | np.where(digits[here] > one + 1, 32, 0)]
    whole = text.tobytes().decode("ascii")
    lengths = np.add.reduceat(digits.reshape(-1, 2).sum(axis=1), (np.cumsum(kept) - 1)[first]) if len(first) else first
    ends = np.cumsum(lengths).tolist()
    return [whole[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def _simplify(lines: Geometries, tolerance_m: npt.NDArray[np.float64]) -> Geometries:
    # Of Douglas and Peucker, whose vertices lie no farther from the line than the tolerance.
    return np.asarray(shapely.simplify(lines, tolerance_m, preserve_topology=False), dtype=object)


def _number(arc: Integers) -> Integers:
    """Return the numbers of arcs whichever way they run."""
    return np.where(arc < 0, ~arc, arc)


def _owners(first: Integers) -> Integers:
    return np.repeat(np.arange(len(first) - 1), np.diff(first))


def _sums(values: Integers, first: Integers) -> Integers:
    """Return the sum of each run of values; a run may be empty."""
    total: Integers = np.append(0, np.cumsum(values))
    return np.diff(total[first])
