"""What a line or an arc has in a capsule: all that is nearer to an edge than a radius.

A capsule is convex: a straight line meets it in one interval. A circle of the radius of the capsule meets it in one arc, any
other circle in a few.
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
    t0, s0, td, sd = ux * rx + uy * ry, ux * ry - uy * rx, ux * dx + uy * dy, ux * dy - uy * dx
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
    size = math.sqrt(dx * dx + dy * dy) if own[0] != 0.0 or own[1] != 0.0 else 0.0
    for turn in range(2):
        if not (before if turn == 0 else after):
            continue
        end = turn if td > 0.0 else 1 - turn
        ex, ey = rx - end * ux * length, ry - end * uy * length
        if size > 0.0:
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


@inner_loop
def arcs_in_capsule(circle: tuple[float, float, float], edges: Floats, j: int, after: bool, out: Floats) -> int:
    """Write the arcs of a circle (x, y, radius) in the capsule around an edge, as angles; return how many there are.

    Of two equal circles around one point, the first counts: `after` says that the circle comes after those of the edge.
    """
    x, y, r = circle
    if edges[j, 9] == r:
        out[0, 0], out[0, 1] = arc_in_capsule(x, y, edges, j, r, after)
        return 1 if out[0, 0] < out[0, 1] else 0
    ux, uy, length, other = edges[j, 2], edges[j, 3], edges[j, 4], edges[j, 9]
    rx, ry = x - edges[j, 0], y - edges[j, 1]
    # Along the edge and across it.
    t, s = ux * rx + uy * ry, ux * ry - uy * rx
    m = 0
    for k in range(2):
        # Where the circle crosses a side.
        h = ((2 * k - 1) * other - s) / r
        if abs(h) < 1.0:
            angle = math.asin(h)
            for one in (angle, math.pi - angle):
                if 0.0 <= t + r * math.cos(one) <= length:
                    m = _put_angle(out, m, one)
        # Where it crosses the circle around an end, beyond that end.
        e = k * length - t
        d = math.hypot(e, s)
        if d > 0.0 and abs(d * d + r * r - other * other) < 2.0 * d * r:
            towards, half = math.atan2(-s, e), math.acos((d * d + r * r - other * other) / (2.0 * d * r))
            for one in (towards - half, towards + half):
                if (2 * k - 1) * (r * math.cos(one) - e) >= 0.0:
                    m = _put_angle(out, m, one)
    return _arcs_between((t, s, r), length, other, math.atan2(uy, ux), out, m)


@inner_loop
def _put_angle(out: Floats, m: int, angle: float) -> int:
    """Add an angle to `m` sorted ones, from 0 to two right angles twice; return how many there are."""
    angle %= 2.0 * math.pi
    k = m
    while k > 0 and out[k - 1, 0] > angle:
        out[k, 0] = out[k - 1, 0]
        k -= 1
    out[k, 0] = angle
    return m + 1


@inner_loop
def _arcs_between(
    circle: tuple[float, float, float], length: float, radius: float, towards: float, out: Floats, m: int
) -> int:
    """Keep of the arcs between `m` angles those in a capsule; the circle is relative to its edge, `towards` its direction."""
    t, s, r = circle
    first = out[0, 0] if m else 0.0
    n = 0
    for k in range(max(m, 1)):
        begin = out[k, 0] if m else 0.0
        end = out[k + 1, 0] if k + 1 < m else first + 2.0 * math.pi
        middle = 0.5 * (begin + end)
        along, across = t + r * math.cos(middle), s + r * math.sin(middle)
        along -= min(max(along, 0.0), length)
        if along * along + across * across < radius * radius:
            out[n, 0], out[n, 1] = towards + begin, towards + end
            n += 1
    return n
