"""Overlay by GEOS: which geometries overlap, and their common parts. The areas of findings come from here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.geometry.features import FeatureIndex, Floats, Geometries, Integers
from lzgis.geometry.threads import by_rows


@dataclass(frozen=True)
class Overlaps:
    """Pairs whose common part has the dimension of the lesser of the two; arrays of one length.

    Attributes
    ----------
    left, right : array of int
        Positions in the two inputs, sorted by `left`, then `right`.
    part : array of shapely geometries
        What they have in common, only its pieces of full dimension.
    area : array of float
        Area of the part, 0 for lines and points.
    length : array of float
        Length of the part if it is a line, else 0.
    """

    left: Integers
    right: Integers
    part: Geometries
    area: Floats
    length: Floats


def overlaps(geometries: Geometries, index: FeatureIndex, *, resolution: float = 0.0) -> Overlaps:
    """Find the pairs that overlap, with the part they share.

    Touching is not overlapping: two polygons that share a border, a line that runs along one, a point on a boundary give
    no pair. Lines and points within `resolution` of a border lie on it.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]))
    >>> found = overlaps(np.array([shapely.box(8, 0, 10, 2), shapely.LineString([(5, 5), (12, 5)])]), index)
    >>> found.left, found.right, found.area, found.length
    (array([0, 1, 1]), array([0, 0, 1]), array([4., 0., 0.]), array([0., 5., 2.]))
    """
    left, right = index.tree.query(geometries, predicate="intersects")
    order = np.lexsort((right, left))
    return overlaps_of_pairs(geometries, index, (left[order], right[order]), resolution=resolution)


def overlaps_of_pairs(
    geometries: Geometries, index: FeatureIndex, pairs: tuple[Integers, Integers], *, resolution: float = 0.0
) -> Overlaps:
    """Find which of the pairs, sorted by `left`, then `right`, overlap, as `overlaps` does.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]))
    >>> pairs = np.array([0, 0]), np.array([0, 1])
    >>> overlaps_of_pairs(np.array([shapely.box(8, 0, 10, 2)]), index, pairs).right
    array([0])
    """
    left, right = pairs
    ours, theirs = geometries[left], index.geometries[right]
    ours_dimension, theirs_dimension = shapely.get_dimensions(ours), shapely.get_dimensions(theirs)
    dimension = np.minimum(ours_dimension, theirs_dimension)
    # Points are never cut: GEOS would return a point that merely lies on a border as a common part.
    points = dimension == 0
    part = np.where(ours_dimension == 0, ours, theirs)
    part[~points] = ours[~points]
    cut = ~points
    if cut.any():
        cut[cut] = ~_covered(theirs[cut], ours[cut])
        part[cut] = by_rows(shapely.intersection, ours[cut], theirs[cut])
    part = part_of_dimension(part, dimension)
    # What runs along a border has a common part of its own dimension but lies in no interior.
    along = (dimension == 1) & cut
    single = along | (shapely.get_type_id(part) == 0)
    border = np.full(len(left), shapely.LineString(), dtype=object)
    border[single] = index.borders(right[single])
    ours_polygonal = single & (ours_dimension == 2) & (theirs_dimension < 2)
    border[ours_polygonal] = shapely.boundary(ours[ours_polygonal])
    lines = np.where(ours_dimension == 1, ours, theirs)
    part[along] = off_border(part[along], lines[along], border[along], resolution)
    inside = np.ones(len(left), dtype=bool)
    inside[points] = ~shapely.touches(theirs[points], ours[points])
    single = shapely.get_type_id(part) == 0
    inside[single] &= ~shapely.dwithin(border[single], part[single], resolution)
    area = shapely.area(part)
    length = np.where(dimension == 1, shapely.length(part), 0.0)
    keep = inside & (points | (area > 0) | (length > 0))
    return Overlaps(left[keep], right[keep], part[keep], area[keep], length[keep])


def outside_parts(
    geometries: Geometries,
    index: FeatureIndex,
    *,
    resolution: float = 0.0,
    local: Callable[[Integers, Floats], Geometries] | None = None,
) -> Geometries:
    """Return the part of each geometry that no indexed polygon covers; empty where all is covered.

    Lines and points within `resolution` of a border lie on it, and so are covered. `local` may replace features by what agrees
    with them within bounds and more than a metre beyond, as `features_around` does, which costs less than whole features.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]))
    >>> shapely.area(outside_parts(np.array([shapely.box(5, 5, 25, 7), shapely.box(1, 1, 2, 2)]), index))
    array([10.,  0.])
    """
    rest = geometries.copy()
    if not len(index):
        return rest
    dimension = shapely.get_dimensions(geometries)
    left, right = _near_boxes(geometries, index, resolution)
    features = index.geometries[right] if local is None else local(right, shapely.bounds(geometries[left]))
    whole = np.unique(left[_covered(features, geometries[left])])
    rest[whole] = shapely.GeometryCollection()
    partly = ~np.isin(left, whole)
    left, features = left[partly], features[partly]
    # The features are prepared; a query of the tree would prepare each of the other geometries instead.
    within = shapely.dwithin(features, geometries[left], resolution)
    left, features = left[within], features[within]
    bounds = _grown(shapely.bounds(geometries[left]), 1.0 + resolution)
    near = united(shapely.intersection(features, shapely.box(*bounds.T)), left)
    sites = np.unique(left)
    cut = dimension[sites] > 0
    rest[sites[cut]] = shapely.difference(geometries[sites[cut]], near[cut])
    lines = dimension[sites] == 1
    border = shapely.boundary(near[lines])
    rest[sites[lines]] = off_border(rest[sites[lines]], geometries[sites[lines]], border, resolution)
    for site, there in zip(sites[~cut], near[~cut], strict=True):
        pieces = shapely.get_parts(rest[site])
        away = shapely.distance(pieces, there) > resolution
        rest[site] = rest[site] if away.all() else shapely.multipoints(pieces[away])
    return part_of_dimension(rest, dimension)


def united(geometries: Geometries, group: Integers) -> Geometries:
    """Unite the geometries of each group; `group` ascends. A single geometry in its group stays as it is.

    Examples
    --------
    >>> boxes = np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(5, 0, 6, 1)])
    >>> shapely.area(united(boxes, np.array([3, 3, 7])))
    array([2., 1.])
    """
    _, first, times = np.unique(group, return_index=True, return_counts=True)
    made = np.asarray(geometries[first], dtype=object)
    # No further operation takes a collection: even a single one is turned into plain shapes.
    to_do = (times > 1) | (shapely.get_type_id(made) == 7)
    for count in np.unique(times[to_do]):
        which = np.flatnonzero(to_do & (times == count))
        made[which] = shapely.union_all(geometries[first[which][:, np.newaxis] + np.arange(count)], axis=1)
    return made


def off_border(parts: Geometries, lines: Geometries, borders: Geometries, resolution: float) -> Geometries:
    """Remove from parts of lines the stretches along a border, where the line stays within `resolution` of it.

    What crosses a border keeps its full length: a line runs along for a hundred times `resolution` at least.

    Examples
    --------
    >>> lines = np.array([shapely.LineString([(0, 0.0004), (50, 0.0003), (50, 20)])])
    >>> border = np.array([shapely.LineString([(-100, 0), (100, 0)])])
    >>> shapely.length(off_border(lines, lines, border, 0.001)).round(2)
    array([20.])
    """
    rest = shapely.difference(parts, borders)
    if not resolution:
        return rest
    for i in np.flatnonzero(shapely.dwithin(borders, rest, resolution)):
        near = shapely.intersection(borders[i], shapely.box(*_grown(shapely.bounds(rest[i]), 1.0 + resolution)))
        strip = shapely.buffer(near, resolution, quad_segs=2)
        runs = shapely.get_parts(shapely.line_merge(shapely.intersection(lines[i], strip)))
        runs = runs[shapely.length(runs) > 100 * resolution]
        if len(runs):
            close = shapely.get_parts(shapely.intersection(rest[i], strip))
            far = shapely.distance(close, shapely.union_all(runs)) > resolution
            crossing = close[far | (shapely.length(close) <= 2 * resolution)]
            outside = shapely.get_parts(shapely.difference(rest[i], strip))
            pieces = [p for p in (*outside, *crossing) if p.geom_type == "LineString"]
            rest[i] = shapely.line_merge(shapely.multilinestrings(pieces))
    return rest


def part_of_dimension(geometries: Geometries, dimension: npt.NDArray[np.integer[Any]]) -> Geometries:
    """Keep only the pieces of the given dimension (0 points, 1 lines, 2 polygons) of each geometry.

    Examples
    --------
    >>> mixed = shapely.from_wkt("GEOMETRYCOLLECTION (POINT (0 0), POLYGON ((0 0, 1 0, 1 1, 0 0)))")
    >>> part_of_dimension(np.array([mixed]), np.array([2]))[0].geom_type
    'Polygon'
    """
    result = np.asarray(geometries, dtype=object).copy()
    kinds = shapely.get_type_id(result)
    lesser = (shapely.get_dimensions(result) != dimension) & ~shapely.is_empty(result)
    result[lesser & (kinds != 7)] = shapely.GeometryCollection()
    for i in np.flatnonzero((kinds == 7) & ~shapely.is_empty(result)):
        pieces = shapely.get_parts(result[i])
        chosen = [p for p in pieces if shapely.get_dimensions(p) == dimension[i]]
        result[i] = shapely.union_all(chosen) if chosen else shapely.GeometryCollection()
    return result


def buffered(geometries: Geometries, radius: npt.ArrayLike, *, quad_segs: int = 16) -> Geometries:
    """Return the points no farther than a radius from each geometry.

    GEOS 3.14 leaves out parts of the buffer of a line that runs back along itself, so such lines are noded first.

    Examples
    --------
    >>> there_and_back = shapely.LineString([(0, 10), (1, 0), (0, 11), (0, 0), (0, 10)])
    >>> bool(shapely.contains(buffered(np.array([there_and_back]), 30.0), shapely.Point(0, 35))[0])
    True
    """
    made = np.array(geometries, dtype=object)
    lines = np.flatnonzero(shapely.get_dimensions(made) == 1)
    again = lines[~shapely.is_simple(made[lines])]
    made[again] = shapely.node(made[again])
    wide: Geometries = np.asarray(shapely.buffer(made, np.asarray(radius), quad_segs=quad_segs), dtype=object)
    return wide


def mean_width(polygons: Geometries) -> Floats:
    """Mean width 2A/P of polygons: for a long strip, its width; NaN where there is no area.

    Examples
    --------
    >>> mean_width(np.array([shapely.box(0, 0, 1000, 1)])).round(3)
    array([0.999])
    """
    area, perimeter = shapely.area(polygons), shapely.length(polygons)
    width: Floats = np.divide(2 * area, perimeter, out=np.full(len(area), np.nan), where=area > 0)
    return width


def _grown(bounds: Floats, by: float) -> Floats:
    grown: Floats = bounds + np.array([-by, -by, by, by])
    return grown


def _near_boxes(geometries: Geometries, index: FeatureIndex, distance: float) -> tuple[Integers, Integers]:
    """Find the pairs whose boxes come within `distance`, sorted by `left`, then `right`."""
    there = np.flatnonzero(~(shapely.is_missing(geometries) | shapely.is_empty(geometries)))
    bounds = _grown(shapely.bounds(geometries[there]).reshape(-1, 4), distance)
    left, right = index.tree.query(shapely.box(*bounds.T))
    order = np.lexsort((right, left))
    return there[left[order]], right[order]


def _covered(covering: Geometries, covered: Geometries) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    shapely.prepare(covering)
    inside: np.ndarray[tuple[int], np.dtype[np.bool_]] = shapely.contains_properly(covering, covered)
    return inside
