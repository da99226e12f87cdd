"""How much of each site lies nearer to a baseline than a radius: areas and lengths without buffers.

Let *S* be the site and *B* the points nearer than *r* to the baseline: the union of one capsule per edge, and of the baseline
itself where it is a polygon. Baselines of one site may have different radii. By Green's theorem the area of *S* ∩ *B* is the
integral of (x dy − y dx) / 2 along its border, which consists of the stretches of the border of *S* in *B* and of the border of
*B* in *S*. A straight line meets a capsule, which is convex, in one interval. A circle of radius *r* around the end of an edge
meets a capsule of that radius in one arc, and one of another radius in a few. All have closed forms. So every side and every cap
of a capsule is left with the intervals that no other capsule covers, and these are cut where they cross the border of *S*. Arcs
are exact.

The stretches form closed curves, so the vectors from their beginnings to their ends sum to zero. The sum is returned: where it is
not zero within `CLOSED_M`, rounding has misjudged a contact, and GEOS must decide.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import shapely

from lzgis.geometry.features import Floats, Geometries
from lzgis.geometry.loops.capsules import arcs_in_capsule, in_capsule, line_in_disc
from lzgis.geometry.loops.cells import Cells
from lzgis.geometry.loops.chains import Chains, Int64s, chains
from lzgis.geometry.loops.compiled import array_loop, entry_loop, inlined_loop, inner_loop
from lzgis.geometry.loops.directory import Directory
from lzgis.geometry.loops.membership import point_in

#: The border found must close within this, in metres: the area is then wrong by less than its half times the extent of the site.
CLOSED_M = 1e-7
#: Edges in a run whose box is looked at before its edges.
_RUN = 16
#: A point is moved inwards by this (m) before it is tested against the site: the corridor is open.
_INWARDS = 1e-7
#: A site near more edges than this is left to GEOS.
_MOST_EDGES = 4000
#: Edges in a block whose box is looked at before its edges.
_BLOCK = 8
_HALF = 0.5 * math.pi


class Outlines(NamedTuple):
    """Geometries as chains whose rings have the polygon at their left, without edges of no length.

    Attributes
    ----------
    chain : Chains
        The vertices.
    box : array of float, shape (runs, 4)
        Least x, least y, greatest x, greatest y of runs of `_RUN` edges.
    run_start : array of int, shape (chains + 1,)
        Where the runs of each chain begin.
    """

    chain: Chains
    box: Floats
    run_start: Int64s


def outlines(geometries: Geometries) -> Outlines:
    """Convert valid geometries.

    Examples
    --------
    >>> made = outlines(np.array([shapely.LineString([(0, 0), (0, 0), (9, 5)]), shapely.Point(1, 1)]))
    >>> made.chain.x, made.box
    (array([0., 9., 1.]), array([[0., 0., 9., 5.],
           [1., 1., 1., 1.]]))
    """
    chain = _without_repeated(chains(shapely.orient_polygons(geometries)))
    length = np.diff(chain.start)
    runs = np.maximum(-(-(length - 1) // _RUN), 1)
    run_start = np.concatenate([[0], np.cumsum(runs)]).astype(np.int64)
    if not len(length):
        return Outlines(chain, np.zeros((0, 4)), run_start)
    of_run = np.repeat(np.arange(len(length)), runs)
    first = chain.start[:-1][of_run] + _RUN * (np.arange(len(of_run)) - run_start[:-1][of_run])
    # A run ends with the vertex that the next one begins with.
    last = np.minimum(first + _RUN, chain.start[1:][of_run] - 1)
    box = np.column_stack([fold.reduceat(values, first) for fold, values in _folds(chain)])
    for column, (fold, values) in enumerate(_folds(chain)):
        box[:, column] = fold(box[:, column], values[last])
    return Outlines(chain, np.ascontiguousarray(box), run_start)


def _folds(chain: Chains) -> list[tuple[np.ufunc, Floats]]:
    return [(np.minimum, chain.x), (np.minimum, chain.y), (np.maximum, chain.x), (np.maximum, chain.y)]


def _without_repeated(chain: Chains) -> Chains:
    keep = np.ones(len(chain.x), dtype=bool)
    keep[1:] = (np.diff(chain.x) != 0.0) | (np.diff(chain.y) != 0.0)
    keep[chain.start[:-1]] = True
    if keep.all():
        return chain
    before = np.concatenate([[0], np.cumsum(keep)]).astype(np.int64)
    return chain._replace(x=chain.x[keep], y=chain.y[keep], start=before[chain.start])


#: Least x, least y, greatest x, greatest y.
_Box = tuple[float, float, float, float]
#: The integral of (x dy − y dx) / 2 along stretches, and the sum of the vectors from their beginnings to their ends.
_Sum = tuple[float, float, float]


class Groups(NamedTuple):
    """Sites, each with its baselines.

    Attributes
    ----------
    site : array of int, shape (groups,)
        The sites.
    start : array of int, shape (groups + 1,)
        Where the baselines of each begin in `feature`.
    feature : array of int
        The baselines.
    radius : array of float
        The radius around each of `feature`.
    """

    site: Int64s
    start: Int64s
    feature: Int64s
    radius: Floats


class _Case(NamedTuple):
    """One site and its baselines, relative to the middle of the site, and room for what is found.

    Attributes
    ----------
    edges : array of float, shape (n and more, 10)
        The edges of the baselines near the site, as `_put_edge` writes them.
    blocks : array of float, shape (n / _BLOCK and more, 4)
        Boxes of blocks of edges.
    site : array of float, shape (m, 4)
        The edges of the site.
    boxes : array of float, shape (m / _BLOCK and more, 4)
        Boxes of blocks of its edges.
    box : array of float, shape (4,)
        The box of the site.
    near : array of int
        Room for the edges near one piece.
    chosen : array of int
        How many blocks of edges are looked at, and these blocks.
    covered, free : array of float, shape (8 n or 8 m and more, 2)
        Room for the intervals of one piece in other capsules, or the places where it crosses the site, and for the gaps.
    n : int
        The number of edges.
    r : float
        The greatest radius.
    """

    edges: Floats
    blocks: Floats
    site: Floats
    boxes: Floats
    box: Floats
    near: Int64s
    chosen: Int64s
    covered: Floats
    free: Floats
    n: int
    r: float


class _Polygons(NamedTuple):
    """The polygons among the baselines of a case.

    Attributes
    ----------
    which : array of int
        How many there are, and these; none if a polygon is the only baseline: the border of its corridor never lies in it.
    grid : (Cells, Directory, float)
        The polygons of the layer, cut by a grid, and the side of its cells.
    middle : (float, float)
        The middle of the site.
    """

    which: Int64s
    grid: tuple[Cells, Directory, float]
    middle: tuple[float, float]


@inner_loop
def _site_edges(sites: Chains, site: int, middle: tuple[float, float], edges: Floats) -> None:
    """Write begin x, y and end x, y of the edges of a site, relative to its middle."""
    n = 0
    for k in range(sites.owner_start[site], sites.owner_start[site + 1]):
        for i in range(sites.start[k], sites.start[k + 1] - 1):
            edges[n, 0], edges[n, 1] = sites.x[i] - middle[0], sites.y[i] - middle[1]
            edges[n, 2], edges[n, 3] = sites.x[i + 1] - middle[0], sites.y[i + 1] - middle[1]
            n += 1


@inner_loop
def _put_edge(edges: Floats, n: int, chain: Chains, k: int, i: int, middle: tuple[float, float]) -> None:
    """Write edge `i` of chain `k`.

    Its columns: begin x, y, direction x, y, length, if it is of a polygon, the product of its direction with that of the next
    edge across and along (0, 0 if none follows), and if another precedes. The last is the radius, which is not known here.
    """
    begin, end = chain.start[k], chain.start[k + 1]
    j = i + 1 if i + 1 < end else i
    x, y = chain.x[i] - middle[0], chain.y[i] - middle[1]
    dx, dy = chain.x[j] - chain.x[i], chain.y[j] - chain.y[i]
    length = math.sqrt(dx * dx + dy * dy)
    ux, uy = (dx / length, dy / length) if length > 0.0 else (1.0, 0.0)
    ring = chain.side[k] != 0.0
    after = j + 1
    if after >= end:
        after = begin + 1 if ring else -1
    vx = vy = 0.0
    if after >= 0 and length > 0.0:
        vx, vy = chain.x[after] - chain.x[after - 1], chain.y[after] - chain.y[after - 1]
    edges[n, 0], edges[n, 1], edges[n, 2], edges[n, 3], edges[n, 4] = x, y, ux, uy, length
    edges[n, 5] = 1.0 if ring else 0.0
    edges[n, 6], edges[n, 7] = ux * vy - uy * vx, ux * vx + uy * vy
    edges[n, 8] = 1.0 if ring or i > begin else 0.0


@inner_loop
def _meets(box: Floats, at: int, other: _Box) -> bool:
    return bool(box[at, 0] <= other[2] and box[at, 2] >= other[0] and box[at, 1] <= other[3] and box[at, 3] >= other[1])


@inner_loop
def _most_edges(layer: Outlines, owner: int, box: _Box) -> int:
    """Return how many edges the runs of a feature hold whose boxes meet `box`, at most."""
    n = 0
    for run in range(
        layer.run_start[layer.chain.owner_start[owner]], layer.run_start[layer.chain.owner_start[owner + 1]]
    ):
        if _meets(layer.box, run, box):
            n += _RUN
    return n


@inner_loop
def _near_edges(
    layer: Outlines, owner: int, box: _Box, middle: tuple[float, float], radius: float, edges: Floats, n: int
) -> int:
    """Write the edges of a feature whose boxes meet `box` after `n` others; return how many there are."""
    chain = layer.chain
    for k in range(chain.owner_start[owner], chain.owner_start[owner + 1]):
        end = chain.start[k + 1]
        for run in range(layer.run_start[k], layer.run_start[k + 1]):
            if not _meets(layer.box, run, box):
                continue
            first = chain.start[k] + _RUN * (run - layer.run_start[k])
            for i in range(first, min(first + _RUN, max(end - 1, first + 1))):
                j = min(i + 1, end - 1)
                if (
                    min(chain.x[i], chain.x[j]) <= box[2]
                    and max(chain.x[i], chain.x[j]) >= box[0]
                    and min(chain.y[i], chain.y[j]) <= box[3]
                    and max(chain.y[i], chain.y[j]) >= box[1]
                ):
                    _put_edge(edges, n, chain, k, i, middle)
                    edges[n, 9] = radius
                    n += 1
    return n


@inlined_loop
def _near_baselines(
    layer: Outlines,
    groups: Groups,
    case: int,
    box: _Box,
    middle: tuple[float, float],
    edges: Floats,
    which: Int64s,
) -> int:
    """Write the edges of the baselines of a group near the box of its site, and which are polygons; return how many edges."""
    n, which[0] = 0, 0
    for k in range(groups.start[case], groups.start[case + 1]):
        r, feature = groups.radius[k], groups.feature[k]
        n = _near_edges(layer, feature, (box[0] - r, box[1] - r, box[2] + r, box[3] + r), middle, r, edges, n)
        if layer.chain.side[layer.chain.owner_start[feature]] != 0.0:
            which[0] += 1
            which[which[0]] = feature
    return n


@inner_loop
def _block_boxes(edges: Floats, n: int, boxes: Floats) -> None:
    """Write least x, least y, greatest x, greatest y of blocks of `_BLOCK` edges."""
    blocks = (n + _BLOCK - 1) // _BLOCK
    for b in range(blocks):
        left = low = 1e300
        right = high = -1e300
        for j in range(b * _BLOCK, min(b * _BLOCK + _BLOCK, n)):
            x0, y0 = edges[j, 0], edges[j, 1]
            x1, y1 = x0 + edges[j, 2] * edges[j, 4], y0 + edges[j, 3] * edges[j, 4]
            left, right = min(left, x0, x1), max(right, x0, x1)
            low, high = min(low, y0, y1), max(high, y0, y1)
        boxes[b, 0], boxes[b, 1], boxes[b, 2], boxes[b, 3] = left, low, right, high


@inner_loop
def _near_blocks(boxes: Floats, n: int, box: _Box, found: Int64s) -> int:
    """Write the blocks, of `n` edges together, whose boxes meet `box`, after the first place of `found`; return how many."""
    m = 0
    for b in range((n + _BLOCK - 1) // _BLOCK):
        if _meets(boxes, b, box):
            m += 1
            found[m] = b
    return m


@inner_loop
def _nearby(case: _Case, x: float, y: float, beyond: float) -> int:
    """Find the edges of the blocks chosen that come nearer to a point than their radius and `beyond`; return how many."""
    edges, boxes, n = case.edges, case.blocks, case.n
    most = case.r + beyond
    m = 0
    for c in range(case.chosen[0]):
        b = case.chosen[c + 1]
        dx = max(boxes[b, 0] - x, 0.0, x - boxes[b, 2])
        dy = max(boxes[b, 1] - y, 0.0, y - boxes[b, 3])
        if dx * dx + dy * dy >= most * most:
            continue
        for j in range(b * _BLOCK, min(b * _BLOCK + _BLOCK, n)):
            rx, ry = x - edges[j, 0], y - edges[j, 1]
            t = min(max(rx * edges[j, 2] + ry * edges[j, 3], 0.0), edges[j, 4])
            rx, ry = rx - t * edges[j, 2], ry - t * edges[j, 3]
            within = edges[j, 9] + beyond
            if rx * rx + ry * ry < within * within:
                case.near[m] = j
                m += 1
    return m


@inner_loop
def _choose_blocks(case: _Case, box: _Box) -> None:
    """Choose the blocks of edges that `_nearby` looks at: those whose boxes meet `box`."""
    case.chosen[0] = _near_blocks(case.blocks, case.n, box, case.chosen)


@inner_loop
def _put(room: Floats, n: int, a: float, b: float) -> int:
    """Add an interval to `n`, keeping them sorted by their beginnings; return how many there are."""
    k = n
    while k > 0 and room[k - 1, 0] > a:
        room[k, 0], room[k, 1] = room[k - 1, 0], room[k - 1, 1]
        k -= 1
    room[k, 0], room[k, 1] = a, b
    return n + 1


@inner_loop
def _gaps(room: Floats, n: int, a: float, b: float, out: Floats) -> int:
    """Write what sorted intervals leave of the one from `a` to `b`; return how many pieces."""
    m = 0
    at = a
    for k in range(n):
        if room[k, 0] > at:
            out[m, 0], out[m, 1] = at, min(room[k, 0], b)
            m += 1
        at = max(at, room[k, 1])
        if at >= b:
            return m
    if at < b:
        out[m, 0], out[m, 1] = at, b
        m += 1
    return m


@inner_loop
def _boxes_of_site(site: Floats, boxes: Floats) -> None:
    """Write least x, least y, greatest x, greatest y of blocks of `_BLOCK` edges of a site."""
    blocks = (len(site) + _BLOCK - 1) // _BLOCK
    for b in range(blocks):
        left = low = 1e300
        right = high = -1e300
        for k in range(b * _BLOCK, min(b * _BLOCK + _BLOCK, len(site))):
            left, right = min(left, site[k, 0], site[k, 2]), max(right, site[k, 0], site[k, 2])
            low, high = min(low, site[k, 1], site[k, 3]), max(high, site[k, 1], site[k, 3])
        boxes[b, 0], boxes[b, 1], boxes[b, 2], boxes[b, 3] = left, low, right, high


@inner_loop
def _in_site(site: Floats, boxes: Floats, x: float, y: float) -> bool:
    inside = False
    for b in range((len(site) + _BLOCK - 1) // _BLOCK):
        if y < boxes[b, 1] or y > boxes[b, 3] or x > boxes[b, 2]:
            continue
        for k in range(b * _BLOCK, min(b * _BLOCK + _BLOCK, len(site))):
            ay, by = site[k, 1], site[k, 3]
            if (ay > y) != (by > y) and x < site[k, 0] + (y - ay) / (by - ay) * (site[k, 2] - site[k, 0]):
                inside = not inside
    return inside


@inner_loop
def _added(total: _Sum, x0: float, y0: float, x1: float, y1: float) -> _Sum:
    return total[0] + 0.5 * (x0 * y1 - x1 * y0), total[1] + x1 - x0, total[2] + y1 - y0


@inner_loop
def _arc_added(total: _Sum, circle: tuple[float, float, float], a: float, b: float) -> _Sum:
    x, y, r = circle
    total = _added(total, x + r * math.cos(a), y + r * math.sin(a), x + r * math.cos(b), y + r * math.sin(b))
    # What lies between the arc and its chord.
    return total[0] + 0.5 * r * r * (b - a - math.sin(b - a)), total[1], total[2]


@inlined_loop
def _side_stretches(
    i: int,
    normal: float,
    case: _Case,
    polygons: _Polygons,
    inside: bool,
    total: _Sum,
) -> _Sum:
    """Add the stretches of one side of a capsule, right (1) or left (-1), in the site and in no other capsule."""
    edges, box = case.edges, case.box
    r = edges[i, 9]
    ux, uy, length = edges[i, 2], edges[i, 3], edges[i, 4]
    nx, ny = normal * uy, -normal * ux
    # With the capsule at its left.
    x, y = edges[i, 0] + r * nx, edges[i, 1] + r * ny
    dx, dy = ux * length, uy * length
    if normal < 0.0:
        x, y, dx, dy = x + dx, y + dy, -dx, -dy
    if min(x, x + dx) > box[2] or max(x, x + dx) < box[0] or min(y, y + dy) > box[3] or max(y, y + dy) < box[1]:
        return total
    covered, free = case.covered, case.free
    m = 0
    for k in range(_nearby(case, x + 0.5 * dx, y + 0.5 * dy, 0.5 * length)):
        j = case.near[k]
        if j == i:
            continue
        a, b = in_capsule((x, y, dx, dy), edges, j, edges[j, 9], (nx, ny, j < i))
        if a < b and b > 0.0 and a < 1.0:
            if a <= 0.0 and b >= 1.0:
                return total
            m = _put(covered, m, a, b)
    for g in range(_gaps(covered, m, 0.0, 1.0, free)):
        total = _line_in_site((x, y, dx, dy), (free[g, 0], free[g, 1]), case, polygons, inside, total)
    return total


@inlined_loop
def _line_in_site(
    line: tuple[float, float, float, float],
    span: tuple[float, float],
    case: _Case,
    polygons: _Polygons,
    inside: bool,
    total: _Sum,
) -> _Sum:
    """Add the stretches of a line, of t from `span[0]` to `span[1]`, in the site."""
    x, y, dx, dy = line
    site, boxes, crossings = case.site, case.boxes, case.covered
    left, right = min(x, x + dx), max(x, x + dx)
    low, high = min(y, y + dy), max(y, y + dy)
    m = 0
    # Where all of the line lies in the site, no edge of the site is near.
    for b in range(0 if inside else (len(site) + _BLOCK - 1) // _BLOCK):
        if left > boxes[b, 2] or right < boxes[b, 0] or low > boxes[b, 3] or high < boxes[b, 1]:
            continue
        for k in range(b * _BLOCK, min(b * _BLOCK + _BLOCK, len(site))):
            # Where the line crosses an edge of the site.
            px, py, qx, qy = site[k, 0] - x, site[k, 1] - y, site[k, 2] - x, site[k, 3] - y
            p, q = dx * py - dy * px, dx * qy - dy * qx
            if (p > 0.0) != (q > 0.0):
                w = p / (p - q)
                t = ((px + w * (qx - px)) * dx + (py + w * (qy - py)) * dy) / (dx * dx + dy * dy)
                if span[0] < t < span[1]:
                    m = _put(crossings, m, t, t)
    inwards = _INWARDS / math.sqrt(dx * dx + dy * dy)
    at = span[0]
    for k in range(m + 1):
        t = crossings[k, 0] if k < m else span[1]
        mid = 0.5 * (at + t)
        # The capsule is at the left of the line.
        there = (x + mid * dx - inwards * dy, y + mid * dy + inwards * dx)
        within = inside or _in_site(site, boxes, there[0], there[1])
        if t > at and within and not _in_polygon(polygons, there[0], there[1]):
            total = _added(total, x + at * dx, y + at * dy, x + t * dx, y + t * dy)
        at = t
    return total


@inlined_loop
def _cap_stretches(
    i: int,
    arc: tuple[int, float, float],
    case: _Case,
    polygons: _Polygons,
    inside: bool,
    total: _Sum,
) -> _Sum:
    """Add the stretches of an arc around an end of an edge, in the site and in no other capsule.

    `arc` holds which end, 0 or 1, and the angles where the arc begins and ends.
    """
    edges, box = case.edges, case.box
    r, end = edges[i, 9], arc[0]
    x, y = edges[i, 0] + end * edges[i, 2] * edges[i, 4], edges[i, 1] + end * edges[i, 3] * edges[i, 4]
    start, width = arc[1], arc[2] - arc[1]
    middle = start + 0.5 * width
    half = 2.0 * r * math.sin(min(0.25 * width, _HALF))
    px, py = x + r * math.cos(middle), y + r * math.sin(middle)
    if px - half > box[2] or px + half < box[0] or py - half > box[3] or py + half < box[1]:
        return total
    covered, free = case.covered, case.free
    m = 0
    for k in range(_nearby(case, px, py, half)):
        j = case.near[k]
        if j == i:
            continue
        for q in range(arcs_in_capsule((x, y, r), edges, j, j < i and edges[j, 5] == 0.0, free)):
            # Angles from the beginning of the arc.
            a = (free[q, 0] - start) % (2.0 * math.pi)
            b = a + (free[q, 1] - free[q, 0])
            for _ in range(2):
                if a < width and b > 0.0:
                    if a <= 0.0 and b >= width:
                        return total
                    m = _put(covered, m, a, b)
                a, b = a - 2.0 * math.pi, b - 2.0 * math.pi
    for g in range(_gaps(covered, m, 0.0, width, free)):
        total = _arc_in_site((x, y, r), (start, free[g, 0], free[g, 1]), case, polygons, inside, total)
    return total


@inlined_loop
def _arc_in_site(
    circle: tuple[float, float, float],
    arc: tuple[float, float, float],
    case: _Case,
    polygons: _Polygons,
    inside: bool,
    total: _Sum,
) -> _Sum:
    """Add the stretches of an arc in the site; `arc` holds an angle, and where the arc begins and ends from there."""
    x, y, r = circle
    start, a, b = arc
    site, boxes, crossings = case.site, case.boxes, case.covered
    m = 0
    for block in range(0 if inside else (len(site) + _BLOCK - 1) // _BLOCK):
        if x - r > boxes[block, 2] or x + r < boxes[block, 0] or y - r > boxes[block, 3] or y + r < boxes[block, 1]:
            continue
        for k in range(block * _BLOCK, min(block * _BLOCK + _BLOCK, len(site))):
            px, py = site[k, 0] - x, site[k, 1] - y
            dx, dy = site[k, 2] - site[k, 0], site[k, 3] - site[k, 1]
            first, second = line_in_disc(px, py, dx, dy, r)
            if first >= second:
                continue
            for t in (first, second):
                if -1e-12 <= t <= 1.0 + 1e-12:
                    angle = (math.atan2(py + t * dy, px + t * dx) - start) % (2.0 * math.pi)
                    if a < angle < b:
                        m = _put(crossings, m, angle, angle)
    at = a
    for k in range(m + 1):
        t = crossings[k, 0] if k < m else b
        mid = start + 0.5 * (at + t)
        inner = r - _INWARDS
        there = (x + inner * math.cos(mid), y + inner * math.sin(mid))
        within = inside or _in_site(site, boxes, there[0], there[1])
        if t > at and within and not _in_polygon(polygons, there[0], there[1]):
            total = _arc_added(total, circle, start + at, start + t)
        at = t
    return total


@inlined_loop
def _border_of_corridor(case: _Case, polygons: _Polygons, total: _Sum) -> _Sum:
    """Add the border of the corridor within the site."""
    n, r = case.n, case.r
    for block in range((n + _BLOCK - 1) // _BLOCK):
        boxes = case.blocks
        left, low = boxes[block, 0] - r, boxes[block, 1] - r
        right, high = boxes[block, 2] + r, boxes[block, 3] + r
        if left > case.box[2] or right < case.box[0] or low > case.box[3] or high < case.box[1]:
            continue
        inside = False
        if _near_blocks(case.boxes, len(case.site), (left, low, right, high), case.near) == 0:
            # No border of the site is near: all of it lies in the site, or nothing.
            inside = _in_site(case.site, case.boxes, case.edges[block * _BLOCK, 0], case.edges[block * _BLOCK, 1])
            if not inside:
                continue
        _choose_blocks(case, (left - r, low - r, right + r, high + r))
        for i in range(block * _BLOCK, min(block * _BLOCK + _BLOCK, n)):
            total = _border_of_capsule(i, case, polygons, inside, total)
    return total


@inlined_loop
def _border_of_capsule(i: int, case: _Case, polygons: _Polygons, inside: bool, total: _Sum) -> _Sum:
    edges, box, r = case.edges, case.box, case.edges[i, 9]
    polygon = edges[i, 5] != 0.0
    # Loops, not two calls each: every call is compiled into the loop on its own.
    for side in range(1 if polygon else 2):
        if edges[i, 4] > 0.0:
            total = _side_stretches(i, 1.0 - 2.0 * side, case, polygons, inside, total)
    for end in range(2):
        if end == 0 and (polygon or edges[i, 8] != 0.0):
            continue
        x, y = edges[i, 0] + end * edges[i, 2] * edges[i, 4], edges[i, 1] + end * edges[i, 3] * edges[i, 4]
        if x - r > box[2] or x + r < box[0] or y - r > box[3] or y + r < box[1]:
            continue
        first, last = _cap(edges, i, end)
        if first < last:
            total = _cap_stretches(i, (end, first, last), case, polygons, inside, total)
    return total


@inner_loop
def _cap(edges: Floats, i: int, end: int) -> tuple[float, float]:
    """Return from where to where the arc around an end of an edge goes; nothing if the first is not less than the second."""
    towards = math.atan2(edges[i, 3], edges[i, 2])
    low, high = towards - _HALF, towards + _HALF
    if end == 0:
        return high, high + math.pi
    if edges[i, 6] == 0.0 and edges[i, 7] == 0.0:
        return low, high
    # What the next edge leaves.
    turn = math.atan2(edges[i, 6], edges[i, 7])
    if turn > 0.0:
        return low, low + turn
    # Of a polygon, only corners that point outwards have an arc.
    return (high + turn, high) if edges[i, 5] == 0.0 else (0.0, 0.0)


@inner_loop
def _in_feature(grid: tuple[Cells, Directory, float], owner: int, x: float, y: float) -> bool:
    """Tell whether a point lies in a polygon of a layer."""
    cells, place, cell = grid
    window = place.window
    r, c = math.floor(y / cell), math.floor(x / cell)
    row, column = int(r) - window[0], int(c) - window[1]
    if row < 0 or row >= window[2] or column < 0 or column >= window[3]:
        return False
    at = row * window[3] + column
    for e in range(place.start[at], place.start[at + 1]):
        if place.owner[e] == owner and point_in(cells, place.entry[e], x - c * cell, y - r * cell):
            return True
    return False


@inner_loop
def _in_polygon(polygons: _Polygons, x: float, y: float) -> bool:
    """Tell whether a point lies in one of the polygons of a case; no stretch outside all capsules crosses their borders."""
    for k in range(1, polygons.which[0] + 1):
        if _in_feature(polygons.grid, polygons.which[k], x + polygons.middle[0], y + polygons.middle[1]):
            return True
    return False


@inlined_loop
def _border_of_site(case: _Case, polygons: _Polygons) -> tuple[_Sum, float]:
    """Return the integrals along the border of the site within the corridor, and the length of it."""
    edges, site, covered, free = case.edges, case.site, case.covered, case.free
    r = case.r
    total, length = (0.0, 0.0, 0.0), 0.0
    for k in range(len(site)):
        if k % _BLOCK == 0:
            box = case.boxes[k // _BLOCK]
            _choose_blocks(case, (box[0] - r, box[1] - r, box[2] + r, box[3] + r))
        if case.chosen[0] == 0 and polygons.which[0] == 0:
            continue
        x, y, dx, dy = site[k, 0], site[k, 1], site[k, 2] - site[k, 0], site[k, 3] - site[k, 1]
        extent = math.sqrt(dx * dx + dy * dy)
        m = 0
        for q in range(_nearby(case, x + 0.5 * dx, y + 0.5 * dy, 0.5 * extent)):
            j = case.near[q]
            a, b = in_capsule((x, y, dx, dy), edges, j, edges[j, 9], (0.0, 0.0, False))
            if a < b and b > 0.0 and a < 1.0:
                m = _put(covered, m, max(a, 0.0), min(b, 1.0))
                if a <= 0.0 and b >= 1.0:
                    break
        inside = 1.0
        total = _added(total, x, y, site[k, 2], site[k, 3])
        for g in range(_gaps(covered, m, 0.0, 1.0, free)):
            a, b = free[g, 0], free[g, 1]
            mid = 0.5 * (a + b)
            if not _in_polygon(polygons, x + mid * dx, y + mid * dy):
                total = _added(total, x + b * dx, y + b * dy, x + a * dx, y + a * dy)
                inside -= b - a
        length += inside * extent
    return total, length


@inner_loop
def _box(sites: Chains, site: int) -> _Box:
    """Return least x, least y, greatest x and greatest y of a site."""
    first, last = sites.start[sites.owner_start[site]], sites.start[sites.owner_start[site + 1]]
    left, low, right, high = sites.x[first], sites.y[first], sites.x[first], sites.y[first]
    for i in range(first, last):
        left, right = min(left, sites.x[i]), max(right, sites.x[i])
        low, high = min(low, sites.y[i]), max(high, sites.y[i])
    return left, low, right, high


@inner_loop
def _count_edges(sites: Chains, site: int) -> int:
    first, last = sites.owner_start[site], sites.owner_start[site + 1]
    return int(sites.start[last] - sites.start[first] - (last - first))


@array_loop
def _room(n: int) -> tuple[Floats, Floats, Floats, Floats, Int64s, Int64s, Floats, Floats]:
    """Make the arrays of a case of at most `n` edges near a site, and of the site."""
    blocks = n // _BLOCK + 1
    near, chosen = np.empty(n, np.int64), np.empty(blocks + 1, np.int64)
    covered, free = np.empty((8 * n + 8, 2)), np.empty((8 * n + 9, 2))
    return (
        np.empty((n, 10)),
        np.empty((blocks, 4)),
        np.empty((n, 4)),
        np.empty((blocks, 4)),
        near,
        chosen,
        covered,
        free,
    )


@entry_loop
def encroached(
    sites: Chains,
    layer: Outlines,
    grid: tuple[Cells, Directory, float],
    groups: Groups,
    out: Floats,
) -> None:
    """Measure the parts of sites nearer than their radius to their baselines.

    Parameters
    ----------
    sites : Chains
        The sites, rings with the polygon at their left.
    layer : Outlines
        The baselines.
    grid : (Cells, Directory, float)
        The polygons among them, cut by a grid, and the side of its cells.
    groups : Groups
        The sites and the baselines of each.
    out : array of float, shape (cases, 3)
        Area, length of the border of the site (or of the line) in the corridor, and how far the border found is from closing;
        infinite where a case is left to GEOS.
    """
    edges, blocks, ours, boxes, near, chosen, covered, free = _room(256)
    which, box = np.empty(8, np.int64), np.empty(4)
    feature = groups.feature
    for case in range(len(groups.site)):
        site = groups.site[case]
        begin, stop = groups.start[case], groups.start[case + 1]
        left, low, right, high = _box(sites, site)
        middle = (0.5 * (left + right), 0.5 * (low + high))
        n, m, most = 0, _count_edges(sites, site), 0.0
        for k in range(begin, stop):
            r = groups.radius[k]
            n, most = n + _most_edges(layer, feature[k], (left - r, low - r, right + r, high + r)), max(most, r)
        if max(n, m) > len(near):
            edges, blocks, ours, boxes, near, chosen, covered, free = _room(2 * max(n, m))
        if stop - begin >= len(which):
            which = np.empty(2 * (stop - begin), np.int64)
        n = _near_baselines(layer, groups, case, (left, low, right, high), middle, edges, which)
        out[case, 0], out[case, 1], out[case, 2] = 0.0, 0.0, np.inf
        if n > _MOST_EDGES:
            continue
        _site_edges(sites, site, middle, ours)
        _block_boxes(edges, n, blocks)
        _boxes_of_site(ours[:m], boxes)
        box[0], box[1], box[2], box[3] = left - middle[0], low - middle[1], right - middle[0], high - middle[1]
        one = _Case(edges, blocks, ours[:m], boxes, box, near, chosen, covered, free, n, most)
        polygons = _Polygons(which, grid, middle)
        total, length = _border_of_site(one, polygons)
        out[case, 1], out[case, 2] = length, 0.0
        if stop - begin == 1:
            which[0] = 0
        if sites.side[sites.owner_start[site]] != 0.0:
            total = _border_of_corridor(one, polygons, total)
            out[case, 0], out[case, 2] = total[0], math.hypot(total[1], total[2])
