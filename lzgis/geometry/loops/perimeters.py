"""The perimeter of the part that a cut site shares with a cut feature, without building it.

Where two polygons share no stretch of border, the border of their common part is the border of each that lies in the other.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lzgis.geometry.features import Floats
from lzgis.geometry.loops.cells import Cells
from lzgis.geometry.loops.chains import Int64s
from lzgis.geometry.loops.compiled import entry_loop, inner_loop
from lzgis.geometry.loops.directory import Directory


@inner_loop
def piece_length(piece: Floats) -> float:
    """Return the length of a piece of a line."""
    width = piece[1] - piece[0]
    return abs(piece[3] - piece[2]) if width == 0.0 else math.hypot(width, piece[3] * width)


@inner_loop
def share_below(line: Floats, p: Floats, begin: int, end: int) -> float:
    """Return the share of a piece of a line that lies in the polygon made of the strips below pieces of `p`."""
    x0, x1, y0 = line[0], line[1], line[2]
    share = 0.0
    for i in range(begin, end):
        if x0 == x1:
            if p[i, 0] <= x0 < p[i, 1]:
                top = p[i, 2] + p[i, 3] * (x0 - p[i, 0])
                share += p[i, 4] * min(max((top - y0) / (line[3] - y0), 0.0), 1.0)
            continue
        a, b = max(x0, p[i, 0]), min(x1, p[i, 1])
        if a < b:
            over_a = p[i, 2] + p[i, 3] * (a - p[i, 0]) - (y0 + line[3] * (a - x0))
            over_b = p[i, 2] + p[i, 3] * (b - p[i, 0]) - (y0 + line[3] * (b - x0))
            part = (max(over_a, 0.0) + max(over_b, 0.0)) / max(abs(over_a) + abs(over_b), 1e-300)
            if over_a * over_b >= 0.0:
                part = 1.0 if over_a + over_b > 0.0 else 0.0
            share += p[i, 4] * part * (b - a) / (x1 - x0)
    return share


@inner_loop
def runs_along(line: Floats, p: Floats, part: tuple[int, int, int], near: float) -> bool:
    """Tell whether a piece of a line runs along an edge, within `near`."""
    begin, still, end = part
    upright = line[0] == line[1]
    for i in range(begin, end):
        if i >= still and p[i, 0] == p[i, 1]:
            # Only what is nearly upright too can run along an upright edge.
            low, high = p[i, 2], p[i, 3]
            y0, y1 = line[2], line[3] if upright else line[2] + line[3] * (line[1] - line[0])
            apart = max(abs(line[0] - p[i, 0]), abs(line[1] - p[i, 0]))
            if apart <= near and min(max(y0, y1), high) - max(min(y0, y1), low) > near:
                return True
        elif upright:
            rise = p[i, 2] + p[i, 3] * (p[i, 1] - p[i, 0])
            apart = max(abs(line[0] - p[i, 0]), abs(line[0] - p[i, 1]))
            low, high = min(p[i, 2], rise), max(p[i, 2], rise)
            if apart <= near and min(line[3], high) - max(line[2], low) > near:
                return True
        else:
            a, b = max(line[0], p[i, 0]), min(line[1], p[i, 1])
            if a < b:
                over_a = p[i, 2] + p[i, 3] * (a - p[i, 0]) - (line[2] + line[3] * (a - line[0]))
                over_b = p[i, 2] + p[i, 3] * (b - p[i, 0]) - (line[2] + line[3] * (b - line[0]))
                lean = math.sqrt(1.0 + min(line[3] * line[3], p[i, 3] * p[i, 3]))
                if max(abs(over_a), abs(over_b)) <= near * lean and (b - a) * lean > near:
                    return True
    return False


@inner_loop
def _border_in(ours: Cells, k: int, theirs: Cells, g: int, near: float) -> tuple[float, bool]:
    """Return the length of the border of entry `k` that lies in entry `g`, and whether it runs along the border of that."""
    begin, edges, still, end = theirs.span[g, 0], theirs.span[g, 1], theirs.span[g, 2], theirs.span[g + 1, 0]
    whole = begin == end
    total = 0.0
    for i in range(ours.span[k, 1], ours.span[k + 1, 0]):
        line = ours.piece[i]
        share = 1.0 if whole else share_below(line, theirs.piece, begin, still)
        if not whole and runs_along(line, theirs.piece, (edges, still, end), near):
            return total, True
        total += share * piece_length(line)
    return total, False


@entry_loop
def common_perimeters(
    sites: Cells, grid: Cells, place: Directory, left: Int64s, right: Int64s, near: float
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Measure the borders of the common parts of pairs.

    Parameters
    ----------
    sites, grid, place : Cells, Cells, Directory
        Sites and features, cut by the same grid, and where the features' entries lie.
    left, right : array of int, shape (n,)
        The pairs, sorted by `left`.
    near : float
        Borders nearer to each other than this run along each other.

    Returns
    -------
    perimeter : array of float, shape (n,)
        The length of the border, m.
    along : array of bool, shape (n,)
        The borders of the two run along each other, or along the grid: the perimeter is not known.
    """
    n = len(left)
    perimeter, along = np.zeros(n), np.zeros(n, np.bool_)
    slot = np.full(len(grid.owner_start) - 1, -1)
    window = place.window
    first = 0
    while first < n:
        site = left[first]
        last = first
        while last < n and left[last] == site:
            slot[right[last]] = last
            last += 1
        for k in range(sites.owner_start[site], sites.owner_start[site + 1]):
            row, column = sites.row[k] - window[0], sites.column[k] - window[1]
            if row < 0 or row >= window[2] or column < 0 or column >= window[3]:
                continue
            at = row * window[3] + column
            for e in range(place.start[at], place.start[at + 1]):
                s = slot[place.owner[e]]
                if s < 0 or along[s]:
                    continue
                g = place.entry[e]
                ours, same = _border_in(sites, k, grid, g, near)
                theirs, again = _border_in(grid, g, sites, k, near)
                perimeter[s] += ours + theirs
                along[s] = same or again
        for s in range(first, last):
            slot[right[s]] = -1
        first = last
    return perimeter, along
