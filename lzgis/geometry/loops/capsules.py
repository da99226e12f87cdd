"""What a line, or an arc of the same radius, has in a capsule: all that is nearer to an edge than a radius.

A capsule is convex: a straight line meets it in one interval. A circle of the radius of the capsule meets it in one arc.
"""

from __future__ import annotations

import math

from lzgis.geometry.features import Floats
from lzgis.geometry.loops.compiled import inner_loop

#: Lines this near (m) to each other all along coincide; ends this near are one vertex.
_SAME_LINE, _SAME_POINT = 1e-8, 1e-9
_HALF = 0.5 * math.pi


@inner_loop
def line_in_disc(x: float, y: float, dx: float, dy: float, r: float) -> tuple[float, float]:
    """Return where the points (x, y) + t (dx, dy) come nearer than `r` to the origin; nothing if the first exceeds the second."""
    a, b, c = dx * dx + dy * dy, x * dx + y * dy, x * x + y * y - r * r
    root = b * b - a * c
    if root <= 0.0 or a == 0.0:
        return 1.0, 0.0
    root = math.sqrt(root)
    # The root that loses no digits first.
    q = -(b + root) if b >= 0.0 else root - b
    if q == 0.0:
        return 1.0, 0.0
    first, second = q / a, c / q
    return min(first, second), max(first, second)


@inner_loop
def in_capsule(
    line: tuple[float, float, float, float], edges: Floats, j: int, r: float, own: tuple[float, float, bool]
) -> tuple[float, float]:
    """Return the interval of t in which (x, y) + t (dx, dy) lies in the capsule around an edge; only where t is from 0 to 1.

    `own` holds the outward normal if the line is the side of a capsule, else zeros; and whether that comes after this edge: of
    two sides that coincide, the first counts.
    """
    x, y, dx, dy = line
    ux, uy, length = edges[j, 2], edges[j, 3], edges[j, 4]
    rx, ry = x - edges[j, 0], y - edges[j, 1]
    t0, s0 = ux * rx + uy * ry, ux * ry - uy * rx
    sd, td = ux * dy - uy * dx, ux * dx + uy * dy
    across = s0 + 0.5 * sd
    same = length > 0.0 and abs(sd) <= _SAME_LINE and abs(abs(across) - r) <= _SAME_LINE
    if same and (not own[2] or (across > 0.0) != (own[1] * ux - own[0] * uy > 0.0)):
        return 1.0, 0.0
    # Between the lines along the sides; no point of the capsule is elsewhere.
    low, high = -1e300, 1e300
    if not same and sd != 0.0:
        p, q = (-r - s0) / sd, (r - s0) / sd
        low, high = min(p, q), max(p, q)
    if high <= 0.0 or low >= 1.0 or (not same and sd == 0.0 and abs(s0) >= r):
        return 1.0, 0.0
    # Between the lines across the ends.
    first, last = -1e300, 1e300
    if td != 0.0:
        p, q = -t0 / td, (length - t0) / td
        first, last = min(p, q), max(p, q)
    elif t0 <= 0.0:
        last = -1e300
    elif t0 >= length:
        first = 1e300
    lo, hi = max(low, first), min(high, last)
    if lo < hi:
        # The circle around an end matters where the line crosses that end of the capsule.
        before, after = first > max(low, 0.0), last < min(high, 1.0)
    else:
        # The line passes the capsule beyond one of its ends.
        after = low >= last
        before = not after
        lo, hi = 1e300, -1e300
    if same or not (before or after):
        return (lo, hi) if lo < hi else (1.0, 0.0)
    side = own[0] != 0.0 or own[1] != 0.0
    size = math.sqrt(dx * dx + dy * dy) if side else 0.0
    for turn in range(2):
        if not (before if turn == 0 else after):
            continue
        end = turn if td > 0.0 else 1 - turn
        ex, ey = rx - end * ux * length, ry - end * uy * length
        if side and size > 0.0:
            # The circle around an end of the edge whose side this is only touches the side.
            along = -(ex * dx + ey * dy) / size
            if abs(along) <= _SAME_POINT or abs(along - size) <= _SAME_POINT:
                px, py = ex + dx * (along / size) - r * own[0], ey + dy * (along / size) - r * own[1]
                if px * px + py * py <= _SAME_POINT * _SAME_POINT:
                    continue
        a, b = line_in_disc(ex, ey, dx, dy, r)
        if a < b:
            lo, hi = min(lo, a), max(hi, b)
    return (lo, hi) if lo < hi else (1.0, 0.0)


@inner_loop
def arc_in_capsule(x: float, y: float, edges: Floats, j: int, r: float, after: bool) -> tuple[float, float]:
    """Return the arc, from an angle to a greater one, of the circle of radius `r` around (x, y) in a capsule of radius `r`."""
    ux, uy, length = edges[j, 2], edges[j, 3], edges[j, 4]
    rx, ry = x - edges[j, 0], y - edges[j, 1]
    along = ux * rx + uy * ry
    if rx * rx + ry * ry <= _SAME_POINT * _SAME_POINT:
        if after:
            return 0.0, 8.0
        towards = math.atan2(uy, ux)
        return (towards - _HALF, towards + _HALF) if length > 0.0 else (1.0, 0.0)
    ex, ey = rx - ux * length, ry - uy * length
    if ex * ex + ey * ey <= _SAME_POINT * _SAME_POINT:
        if after:
            return 0.0, 8.0
        towards = math.atan2(-uy, -ux)
        return towards - _HALF, towards + _HALF
    side = ux * ry - uy * rx
    h = abs(side)
    if h >= 2.0 * r:
        return 1.0, 0.0
    if side > 0.0:
        towards, low, high = math.atan2(-ux, uy), -along, length - along
    else:
        towards, low, high = math.atan2(ux, -uy), along - length, along
    reach = math.sqrt(h * (2.0 * r - h))
    if low <= reach <= high:
        last = math.acos(max((h - r) / r, -1.0))
    else:
        t = low if reach < low else high
        d = math.hypot(h, t)
        if d >= 2.0 * r:
            return 1.0, 0.0
        last = math.atan2(t, h) + math.acos(d / (2.0 * r))
    if low <= -reach <= high:
        first = -math.acos(max((h - r) / r, -1.0))
    else:
        t = low if -reach < low else high
        d = math.hypot(h, t)
        if d >= 2.0 * r:
            return 1.0, 0.0
        first = math.atan2(t, h) - math.acos(d / (2.0 * r))
    return towards + first, towards + last
