"""Distances from sites to the nearest feature of a layer, and to all features within a distance, not rounded."""

from __future__ import annotations

import numpy as np

from lzgis.geometry.answers import Distances
from lzgis.geometry.distance import DWithin
from lzgis.geometry.exact import exact_distances
from lzgis.geometry.features import Floats, Geometries, Integers
from lzgis.geometry.loops.cells import cut
from lzgis.geometry.loops.chains import Chains, chains
from lzgis.geometry.loops.distances import RUN_LENGTH, distances_of_segments, inside_pairs, with_insides
from lzgis.geometry.loops.laid_out_layer import LayerIndex
from lzgis.geometry.loops.nearest_edges import edges_within
from lzgis.geometry.loops.segments import segments
from lzgis.geometry.threads import in_pieces


def nearest_distance(sites: Geometries, layer: LayerIndex, *, threads: int = 1) -> Distances:
    """Find the nearest feature of a layer to each site.

    Parameters
    ----------
    sites : array of shapely geometries, shape (n,)
        Polygons, lines or points; valid. Null and empty ones have no nearest feature.
    layer : LayerIndex
        The layer.
    threads : int
        How many to use; the result is the same bytes for any number.

    Examples
    --------
    >>> import shapely
    >>> layer = LayerIndex.build(np.array([shapely.Point(0, 0), shapely.Point(10, 0)]))
    >>> found = nearest_distance(np.array([shapely.box(6, 0, 7, 1)]), layer)
    >>> found.right, found.distance
    (array([1]), array([3.]))
    """
    chain = chains(sites)

    def work(first: int, last: int) -> Distances:
        part = (first, last)
        line = segments(chain, first, last, RUN_LENGTH)
        found = distances_of_segments(line, layer, np.ones(last - first, dtype=bool))
        return with_insides(found, inside_pairs(chain, part, cut(chain, first, last, layer.grid.cell), layer))

    parts = in_pieces(len(sites), threads, work)
    names = ("right", "distance", "undecided")
    if not parts:
        return Distances(np.zeros(0, dtype=np.intp), np.zeros(0), np.zeros(0, dtype=bool))
    return Distances(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


def decided_nearest(found: Distances, sites: Geometries, layer: LayerIndex, geometries: Geometries) -> Distances:
    """Let GEOS measure the undecided distances.

    Parameters
    ----------
    found : Distances
        As from `nearest_distance`.
    sites : array of shapely geometries
        The same sites.
    layer : LayerIndex
        The same layer.
    geometries : array of shapely geometries
        The geometries that the layer was built from.

    Examples
    --------
    >>> import shapely
    >>> features, sites = np.array([shapely.box(0, 0, 3, 1)]), np.array([shapely.Point(3, 0.1)])
    >>> layer = LayerIndex.build(features)
    >>> decided_nearest(nearest_distance(sites, layer), sites, layer, features).distance
    array([0.])
    """
    if not found.undecided.any():
        return found
    left, right = touching_pairs(sites, np.flatnonzero(found.undecided), layer)
    exact = exact_distances(sites, geometries, (left, right))
    order = np.lexsort((right, exact, left))[::-1]
    nearest, distance = found.right.copy(), found.distance.copy()
    nearest[left[order]], distance[left[order]] = right[order], exact[order]
    return Distances(nearest, distance, np.zeros(len(nearest), dtype=bool))


def touching_pairs(sites: Geometries, which: Integers, layer: LayerIndex) -> tuple[Integers, Integers]:
    """Return pairs of the given sites, by position, and features that may touch them.

    Examples
    --------
    >>> import shapely
    >>> features, sites = np.array([shapely.box(0, 0, 3, 1), shapely.box(0, 1, 3, 2)]), np.array([shapely.Point(3, 1)])
    >>> touching_pairs(sites, np.array([0]), LayerIndex.build(features))
    (array([0, 0]), array([0, 1]))
    """
    left, right, _ = _within(chains(sites[which]), (0, len(which)), layer, 2.0 * layer.near)
    return which[left], right


def features_within(
    sites: Geometries, layer: LayerIndex, distance: float, geometries: Geometries, *, threads: int = 1
) -> DWithin:
    """Find every pair no farther apart than `distance`, with its distance, as `dwithin` does.

    Parameters
    ----------
    sites : array of shapely geometries
        Valid.
    layer : LayerIndex
        The layer.
    distance : float
        In metres; not negative.
    geometries : array of shapely geometries
        What the layer was built of, for GEOS to decide pairs whose distance rounding cannot tell from 0 or `distance`.
    threads : int
        How many to use; the result is the same bytes for any number.

    Examples
    --------
    >>> import shapely
    >>> line = np.array([shapely.LineString([(0, 0), (100, 0)])])
    >>> points = np.array([shapely.Point(50, 16), shapely.Point(50, 21)])
    >>> features_within(points, LayerIndex.build(line), 20, line).distance
    array([16.])
    """
    chain, near = chains(sites), layer.near
    parts = in_pieces(len(sites), threads, lambda first, last: _within(chain, (first, last), layer, distance + near))
    if not parts:
        none = np.zeros(0, dtype=np.intp)
        return DWithin(none, none, np.zeros(0))
    left, right, away = (np.concatenate(column) for column in zip(*parts, strict=True))
    unsure = np.flatnonzero(((away > 0) & (away <= near)) | (away >= distance - near))
    away[unsure] = exact_distances(sites, geometries, (left[unsure], right[unsure]))
    keep = away <= distance
    return DWithin(left[keep], right[keep], away[keep])


def _within(
    chain: Chains, part: tuple[int, int], layer: LayerIndex, distance: float
) -> tuple[Integers, Integers, Floats]:
    line = segments(chain, part[0], part[1], RUN_LENGTH)
    left, right, square = edges_within(line, layer.tree, np.full(part[1] - part[0], distance), layer.size)
    inner, outer = inside_pairs(chain, part, cut(chain, part[0], part[1], layer.grid.cell), layer)
    left, right = np.concatenate([inner, left]), np.concatenate([outer, right])
    away = np.concatenate([np.zeros(len(inner)), np.sqrt(square)])
    # The pairs inside come first, so that a pair found both ways gets the distance 0.
    _, first = np.unique(left * layer.size + right, return_index=True)
    return left[first] + part[0], right[first], away[first]
