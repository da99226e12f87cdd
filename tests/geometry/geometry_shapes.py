"""Shapes that are hard on a kernel, and exact rational areas to hold it to."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import shapely
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box

#: Valid by shapely, awkward by nature. Coordinates are small integers: cells of 4 put many vertices on cell borders.
AWKWARD: dict[str, Any] = {
    "square": box(0, 0, 4, 4),
    "across a cell corner": box(3, 3, 5, 5),
    "hole": box(0, 0, 12, 12).difference(box(3, 3, 9, 9)),
    "island in the hole": box(0, 0, 12, 12).difference(box(3, 3, 9, 9)).union(box(5, 5, 7, 7)),
    "hole in the island": box(0, 0, 16, 16)
    .difference(box(2, 2, 14, 14))
    .union(box(4, 4, 12, 12).difference(box(6, 6, 10, 10))),
    "parts that touch at a point": MultiPolygon([box(0, 0, 4, 4), box(4, 4, 8, 8)]),
    "hole that touches the shell": Polygon([(0, 0), (8, 0), (8, 8), (0, 8)], [[(0, 4), (4, 2), (4, 6)]]),
    "shell that touches itself through a hole": Polygon(
        [(0, 0), (8, 0), (8, 8), (0, 8)], [[(4, 0), (6, 4), (4, 6), (2, 4)]]
    ),
    "duplicate vertices": Polygon([(0, 0), (0, 0), (5, 0), (5, 5), (5, 5), (5, 5), (0, 5)]),
    "vertices in a row": Polygon([(0, 0), (1, 0), (2, 0), (4, 0), (6, 0), (6, 3), (6, 6), (0, 6)]),
    "needle": Polygon([(0, 0), (15, 7), (0, 1)]),
    "comb": Polygon([(0, 0), (16, 0)] + [(x, 9 if x % 2 else 1) for x in range(16, -1, -1)]),
    "triangle run with the clock": Polygon([(0, 0), (0, 7), (7, 0)]),
    "larger than any cell": box(-9, -9, 25, 25),
    "negative side": box(-7, -5, -1, -2),
}


def cells_of(draw: Any) -> Any:
    """Union of unit squares: holes, touching corners and shared edges come by themselves."""
    chosen = draw(st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=30))
    return shapely.union_all([box(x, y, x + 1, y + 1) for x, y in chosen])


@st.composite
def rectilinear(draw: Any) -> Any:
    """Make a polygon along the integer grid."""
    return cells_of(draw)


@st.composite
def triangles(draw: Any) -> Any:
    """Make a valid multipolygon of one to three triangles with integer corners."""
    corner = st.tuples(st.integers(-2, 14), st.integers(-2, 14))
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        made = Polygon(draw(st.lists(corner, min_size=3, max_size=3, unique=True)))
        if made.is_valid and made.area > 0 and MultiPolygon([*parts, made]).is_valid:
            parts.append(made)
    return MultiPolygon(parts) if parts else box(0, 0, 1, 1)


def integer_polygons() -> Any:
    """Return a strategy for valid polygons with integer vertices."""
    return st.one_of(rectilinear(), triangles(), st.sampled_from(sorted(AWKWARD)).map(AWKWARD.get))


def _edges(polygon: Any) -> list[tuple[Fraction, Fraction, Fraction, Fraction]]:
    edges = []
    for ring in shapely.get_rings(shapely.get_parts(polygon)):
        xy = [(Fraction(x), Fraction(y)) for x, y in shapely.get_coordinates(ring)]
        for (ax, ay), (bx, by) in itertools.pairwise(xy):
            if ax != bx:
                edges.append((ax, ay, bx, by) if ax < bx else (bx, by, ax, ay))
    return edges


def _at(edge: tuple[Fraction, Fraction, Fraction, Fraction], x: Fraction) -> Fraction:
    ax, ay, bx, by = edge
    return ay + (by - ay) * (x - ax) / (bx - ax)


def exact_area(one: Any, other: Any) -> Fraction:
    """Common area by sweeping slabs between all corners and crossings, in rational numbers."""
    mine, theirs = _edges(one), _edges(other)
    xs = {x for edge in mine + theirs for x in (edge[0], edge[2])}
    for p in mine:
        for q in theirs:
            low, high = max(p[0], q[0]), min(p[2], q[2])
            if low < high:
                a, b = _at(p, low) - _at(q, low), _at(p, high) - _at(q, high)
                if a * b < 0:
                    xs.add(low + (high - low) * a / (a - b))
    total = Fraction(0)
    cuts = sorted(xs)
    for left, right in itertools.pairwise(cuts):
        middle = (left + right) / 2
        marks = [
            (_at(e, middle), k)
            for k, edges in enumerate((mine, theirs))
            for e in edges
            if e[0] <= left and e[2] >= right
        ]
        inside = [False, False]
        before = Fraction(0)
        for y, which in sorted(marks):
            if all(inside):
                total += (y - before) * (right - left)
            inside[which] = not inside[which]
            before = y
    return total


def star(rng: np.random.Generator, at: tuple[float, float], radius: float, corners: int) -> Any:
    """Make an irregular polygon about a point."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    far = radius * rng.uniform(0.4, 1.0, corners)
    made = Polygon(np.c_[at[0] + far * np.cos(angle), at[1] + far * np.sin(angle)])
    return made if made.is_valid else made.buffer(0)


def jagged(corners: int, holes: int, seed: int = 3) -> Any:
    """Make one ring of many corners with holes: the outline of a raster."""
    rng = np.random.default_rng(seed)
    n = (corners - 4) // 2
    height = 2_000.0 + rng.integers(0, 40, n) * 15.0
    x = np.arange(n + 1) * 1.0
    top = np.c_[np.repeat(x, 2)[1:-1], np.repeat(height, 2)]
    shell = np.r_[[[0.0, 0.0]], top, [[x[-1], 0.0]]]
    at = np.linspace(100.0, x[-1] - 400.0, holes)
    rings = [shapely.get_coordinates(box(a, 300.0, a + 90.0, 1_500.0)) for a in at]
    return Polygon(shell, rings)
