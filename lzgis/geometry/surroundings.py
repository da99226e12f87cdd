"""A feature as it is seen from each of many places: clipped to their surroundings, halving the places again and again.

A large feature is clipped to the window of all places, then to those of either half of them, and so on, so that every vertex
is looked at about as often as there are halvings. Clipping does not promise a valid answer: who uses it looks at what comes
of it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.geometry.index import Floats, Geometries, Integers

#: What is seen of a feature is not clipped further when it has no more vertices than this.
_FEW = 128
#: How far a window reaches beyond the places it is made for, so that none of its sides shows in what is found.
_MARGIN = 1.0
#: Places are halved among those of about their size: sizes apart by less than this factor.
_ALIKE = 4.0
#: Clipping takes a time that grows with the square of the holes: with more, places are halved before.
_HOLES = 64
#: Nor does it pay to count the holes of fewer vertices.
_MANY = 2048


def surroundings(feature: shapely.Geometry, bounds: Floats) -> Geometries:
    """Clip a polygon or multipolygon to the surroundings of each of many places.

    Parameters
    ----------
    feature : shapely geometry
    bounds : array of float, shape (n, 4)
        The least and greatest x and y of each place, in the units of `feature`.

    Returns
    -------
    array of shapely geometries, shape (n,)
        What agrees with `feature` within the bounds of that place and a little beyond. Neighbours may share one.
    """
    seen = np.full(len(bounds), None, dtype=object)
    window = bounds + np.array([-_MARGIN, -_MARGIN, _MARGIN, _MARGIN])
    size = np.maximum(window[:, 2] - window[:, 0], window[:, 3] - window[:, 1])
    alike = np.floor(np.log(size) / np.log(_ALIKE))
    for one in np.unique(alike):
        _halve(feature, window, np.flatnonzero(alike == one), seen)
    return seen


def _halve(feature: shapely.Geometry, window: Floats, places: Integers, seen: Geometries) -> None:
    todo = [(feature, places)]
    while todo:
        around, who = todo.pop()
        vertices = shapely.get_num_coordinates(around)
        own = window[who]
        if vertices > _FEW:
            least, most = own[:, :2].min(axis=0), own[:, 2:].max(axis=0)
            around, holes = _near(around, least, most) if vertices > _MANY else (around, 0)
            if holes <= _HOLES or len(who) == 1:
                around = _clip(around, least, most)
            vertices = shapely.get_num_coordinates(around)
        if len(who) == 1 or vertices <= _FEW:
            seen[who] = around
            continue
        middle = own[:, :2] + own[:, 2:]
        wide, high = middle.max(axis=0) - middle.min(axis=0)
        order = who[np.argsort(middle[:, int(high > wide)], kind="stable")]
        todo += [(around, order[: len(who) // 2]), (around, order[len(who) // 2 :])]


def _near(geometry: shapely.Geometry, least: Floats, most: Floats) -> tuple[shapely.Geometry, int]:
    """Leave out polygons and holes that lie off a window where there are many; return how many holes are left."""
    polygons = shapely.get_parts(geometry)
    holes = shapely.get_num_interior_rings(polygons)
    if holes.sum() + len(polygons) <= _HOLES:
        return geometry, int(holes.sum())
    meets = _meet(polygons, least, most)
    polygons, holes = polygons[meets], holes[meets]
    for i in np.flatnonzero(holes > _HOLES // 4):
        rings = shapely.get_rings(polygons[i])
        near = rings[1:][_meet(rings[1:], least, most)]
        if len(near) < holes[i]:
            polygons[i], holes[i] = shapely.polygons(rings[0], near), len(near)
    # The function makes them at once; the class would look at one polygon after another.
    left: shapely.Geometry = np.asarray(shapely.multipolygons(polygons), dtype=object).item()
    return left, int(holes.sum())


def _meet(shapes: Geometries, least: Floats, most: Floats) -> npt.NDArray[np.bool_]:
    bounds = shapely.bounds(shapes).reshape(-1, 4)
    return np.asarray((bounds[:, :2] <= most).all(axis=1) & (bounds[:, 2:] >= least).all(axis=1))


def _clip(geometry: shapely.Geometry, least: Floats, most: Floats) -> shapely.Geometry:
    return shapely.clip_by_rect(geometry, *least, *most)
