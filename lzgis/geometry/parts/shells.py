"""Polygons from rings that lie in windows: which holes lie in which shell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.geometry.features import Floats, Geometries, Integers
from lzgis.geometry.parts.outlines import Outlines, counted

Flags = npt.NDArray[np.bool_]


class Rings(NamedTuple):
    """Rings in windows, in the order of these.

    Attributes
    ----------
    x, y : array of float
        Their vertices, the first one of each not repeated.
    start : array of int, shape (rings + 1,)
        Where each begins.
    place : array of int, shape (rings,)
        Its window.
    source : array of int, shape (rings,)
        The ring of the feature that it, or its first path, is of.
    closed : array of bool, shape (rings,)
        It is that ring as a whole; if not, it follows sides of the window too, and so is a shell.
    """

    x: Floats
    y: Floats
    start: Integers
    place: Integers
    source: Integers
    closed: Flags


def polygons_of_rings(rings: Rings, outlines: Outlines, window: Floats, sound: Flags) -> Geometries:
    """Make the polygon or multipolygon of each window; an empty polygon where it is not `sound`, or has no ring."""
    made = np.full(len(window), shapely.Polygon(), dtype=object)
    sound = sound.copy()
    size = np.diff(rings.start)
    # Two points are no ring: rounding has put the others on them.
    first, last = rings.start[:-1], rings.start[1:] - 1
    closing = (rings.x[first] == rings.x[last]) & (rings.y[first] == rings.y[last])
    sound[rings.place[size - closing < 3]] = False
    kept = np.flatnonzero(sound[rings.place])
    if len(kept) == 0:
        return made
    which = np.repeat(sound[rings.place], size)
    points = np.stack([rings.x[which], rings.y[which]], axis=1)
    lines = np.asarray(shapely.linearrings(points, indices=np.repeat(np.arange(len(kept)), size[kept])), dtype=object)
    place, source, closed = rings.place[kept], rings.source[kept], rings.closed[kept]
    polygon, hole = outlines.polygon[source], closed & outlines.hole[source]
    full = _full_around(rings, hole, kept, window)
    # The whole window is a shell like any other, but only its holes show to which polygon it belongs.
    lines = np.r_[lines, shapely.linearrings(_corners(window[full]))]
    place, polygon = np.r_[place, full], np.r_[polygon, np.full(len(full), -1)]
    hole = np.r_[hole, np.zeros(len(full), dtype=bool)]
    shell, found = _shells(lines, place, polygon, hole)
    sound[place[hole][~found]] = False
    order = np.lexsort((hole, shell))
    order = order[sound[place[order]]]
    _, number = np.unique(shell[order], return_inverse=True)
    polygons = np.asarray(shapely.polygons(lines[order], indices=number), dtype=object)
    return _gathered(polygons, place[order][~hole[order]], made)


def _gathered(polygons: Geometries, place: Integers, made: Geometries) -> Geometries:
    """Make one geometry of all polygons of a place."""
    order = np.argsort(place, kind="stable")
    polygons, place = polygons[order], place[order]
    number = np.bincount(place, minlength=len(made))
    single = number[place] == 1
    made[place[single]] = polygons[single]
    several, index = np.unique(place[~single], return_inverse=True)
    if len(several):
        made[several] = shapely.multipolygons(polygons[~single], indices=index)
    return made


def _full_around(rings: Rings, hole: Flags, kept: Integers, window: Floats) -> Integers:
    """Find the windows whose sides lie inside of the feature: all rings are whole, and holes outweigh shells."""
    size = np.diff(rings.start)
    x = rings.x - np.repeat(window[rings.place, 0], size)
    y = rings.y - np.repeat(window[rings.place, 1], size)
    following = np.arange(1, len(x) + 1)
    following[rings.start[1:] - 1] = rings.start[:-1]
    twice = np.abs(np.add.reduceat(x * y[following] - x[following] * y, rings.start[:-1]))[kept]
    place = rings.place[kept]
    within = np.bincount(place, weights=np.where(hole, -twice, twice), minlength=len(window))
    cut = np.bincount(place, weights=~rings.closed[kept], minlength=len(window)) > 0
    return np.flatnonzero(~cut & (within < 0))


def _corners(window: Floats) -> Floats:
    west, south, east, north = window.T
    return np.stack(
        [np.stack([west, east, east, west], axis=1), np.stack([south, south, north, north], axis=1)], axis=2
    )


def _shells(lines: Geometries, place: Integers, polygon: Integers, hole: Flags) -> tuple[Integers, Flags]:
    """Tell for each ring which shell it is, or is a hole in, and for each hole whether one was found.

    A hole is in a shell of its own polygon, or in the whole window; where that leaves several, the one that covers it.
    """
    shell = np.arange(len(lines))
    shells, holes = np.flatnonzero(~hole), np.flatnonzero(hole)
    found = np.zeros(len(holes), dtype=bool)
    if len(holes) == 0:
        return shell, found
    keys = int(polygon.max()) + 2
    key = place * keys + polygon + 1
    shells = shells[np.argsort(key[shells], kind="stable")]
    first, last = (np.searchsorted(key[shells], key[holes], side=side) for side in ("left", "right"))
    none = first == last
    around = place[holes] * keys
    first[none], last[none] = (np.searchsorted(key[shells], around[none], side=side) for side in ("left", "right"))
    single = last - first == 1
    shell[holes[single]] = shells[first[single]]
    found |= single
    several = np.flatnonzero(last - first > 1)
    if len(several):
        which, number = _covering(lines, holes[several], shells, (first[several], last[several]))
        shell[holes[several[which]]], found[several[which]] = number, True
    return shell, found


def _covering(
    lines: Geometries, holes: Integers, shells: Integers, candidates: tuple[Integers, Integers]
) -> tuple[Integers, Integers]:
    """Find for each hole the one shell that covers it, of its first to its last candidate; returns positions of both."""
    number = candidates[1] - candidates[0]
    hole = np.repeat(np.arange(len(holes)), number)
    shell = shells[np.repeat(candidates[0], number) + counted(number)]
    bounds = shapely.bounds(lines)
    inner, outer = bounds[holes[hole]], bounds[shell]
    around = (outer[:, :2] <= inner[:, :2]).all(axis=1) & (inner[:, 2:] <= outer[:, 2:]).all(axis=1)
    hole, shell = hole[around], shell[around]
    # Rings of a valid polygon do not cross, so one vertex tells where the hole lies; where it is on two shells, neither counts.
    vertex = shapely.get_point(lines[holes[hole]], 0)
    covers = shapely.intersects_xy(shapely.polygons(lines[shell]), shapely.get_x(vertex), shapely.get_y(vertex))
    hole, shell = hole[covers], shell[covers]
    single = np.bincount(hole, minlength=len(holes))[hole] == 1
    return hole[single], shell[single]
