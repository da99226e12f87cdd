"""The part of `measure` that the compiled loops do, before GEOS decides what they leave open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import shapely

from lzgis.geometry.answers import Areas, Distances, Flags, Measured
from lzgis.geometry.features import Floats, Geometries, Integers
from lzgis.geometry.loops.areas import CutSites, cut_sites, joined
from lzgis.geometry.loops.chains import Chains, chains
from lzgis.geometry.loops.distances import RUN_LENGTH
from lzgis.geometry.loops.edge_tree import hilbert
from lzgis.geometry.loops.grid import reach_of
from lzgis.geometry.loops.laid_out_layer import LayerIndex, on_border
from lzgis.geometry.loops.segments import segments
from lzgis.geometry.one_pass.against_layer import against_layer, layer_arrays
from lzgis.geometry.one_pass.decided_areas import decided
from lzgis.geometry.one_pass.distances import decided_nearest, touching_pairs
from lzgis.geometry.threads import in_pieces


def areas_and_distances(
    sites: Geometries, layers: Mapping[str, LayerIndex], *, threads: int = 1
) -> dict[str, Measured]:
    """Measure every site against every layer, in one pass over the sites.

    Parameters
    ----------
    sites : array of shapely geometries, shape (n,)
        Polygons, lines or points, valid; null and empty ones get no pair and no nearest feature.
    layers : mapping of LayerIndex
        The layers by name.
    threads : int
        How many to use; the result is the same bytes for any number.

    Examples
    --------
    >>> layers = {"park": LayerIndex.build(np.array([shapely.box(0, 0, 300, 300)]))}
    >>> found = areas_and_distances(np.array([shapely.box(290, 0, 310, 10), shapely.Point(305, 9)]), layers)
    >>> found["park"].areas.area, found["park"].nearest.distance
    (array([100.]), array([0., 5.]))
    """
    order = _along_curve(sites)

    def work(first: int, last: int) -> dict[str, Measured]:
        chain = chains(sites[order[first:last]])
        there = _on_borders(chain, layers)
        found = by_loops(chain, list(layers.values()), RUN_LENGTH)
        return {
            name: _placed(one, first, there[layer.grid.cell])
            for (name, layer), one in zip(layers.items(), found, strict=True)
        }

    parts = in_pieces(len(sites), threads, work)
    return {name: _in_order([part[name] for part in parts], order) for name in layers}


def by_loops(chain: Chains, layers: Sequence[LayerIndex], run_length: float) -> list[Measured]:
    """Measure all sites of `chain` against each layer, in one piece."""
    part, reach = (0, len(chain.owner_start) - 1), reach_of(chain)
    line = segments(chain, *part, run_length)
    cuts: dict[float, CutSites] = {}
    made = []
    for layer in layers:
        cell = layer.grid.cell
        if cell not in cuts:
            cuts[cell] = cut_sites(chain, part, cell, reach)
        scale = (cuts[cell].perimeter, reach)
        pairs, near = against_layer(chain, part, cuts[cell].cells, line, scale, layer_arrays(layer))
        made.append(Measured(Areas(*pairs), Distances(*near)))
    return made


def decided_measures(
    found: Mapping[str, Measured],
    sites: Geometries,
    layers: Mapping[str, LayerIndex],
    geometries: Mapping[str, Geometries],
) -> dict[str, Measured]:
    """Let GEOS decide what `areas_and_distances` left undecided.

    Parameters
    ----------
    found : mapping of Measured
        As from `areas_and_distances`.
    sites : array of shapely geometries
        The same sites.
    layers : mapping of LayerIndex
        The same layers.
    geometries : mapping of arrays of shapely geometries
        What the layers were built of.

    Examples
    --------
    >>> park, site = np.array([shapely.box(0, 0, 300, 300)]), np.array([shapely.box(300, 0, 310, 10)])
    >>> layers = {"park": LayerIndex.build(park)}
    >>> decided_measures(areas_and_distances(site, layers), site, layers, {"park": park})["park"].areas.area
    array([], dtype=float64)
    """
    made = {}
    for name, one in found.items():
        # The geometries are looked up only if something depends on them: a mapping may read them then.
        areas, pairs = one.areas, _near_pairs(one, sites, layers[name])
        if areas.undecided.any() or len(pairs[0]):
            shapes = geometries[name]
            areas = decided(_with_near(areas, pairs, sites, shapes), sites, shapes)
        # A pair that GEOS found to overlap puts its site among those whose nearest is the first they share area with.
        known = np.full(len(sites), -1)
        known[areas.left[::-1]] = areas.right[::-1]
        nearest = _with_known(one.nearest, known)
        if nearest.undecided.any():
            nearest = decided_nearest(nearest, sites, layers[name], geometries[name])
        made[name] = Measured(areas, nearest)
    return made


def _along_curve(sites: Geometries) -> Integers:
    """Order sites so that each is near the one before."""
    bounds = np.nan_to_num(shapely.bounds(sites)).reshape(-1, 4)
    middle = 0.5 * (bounds[:, :2] + bounds[:, 2:])
    return np.argsort(hilbert(middle[:, 0].copy(), middle[:, 1].copy()), kind="stable")


def _on_borders(chain: Chains, layers: Mapping[str, LayerIndex]) -> dict[float, Flags]:
    """Tell which sites have a vertex on the border of a cell, for each size of cells."""
    near = max((layer.near for layer in layers.values()), default=0.0)
    made = {}
    for cell in {layer.grid.cell for layer in layers.values()}:
        vertices = np.flatnonzero(on_border(chain.x, cell, near) | on_border(chain.y, cell, near))
        made[cell] = np.zeros(len(chain.owner_start) - 1, dtype=bool)
        owner_end = chain.start[chain.owner_start[1:]]
        made[cell][np.searchsorted(owner_end, vertices, side="right")] = True
    return made


def _placed(found: Measured, first: int, there: Flags) -> Measured:
    """Count sites from `first` on, and leave undecided those `there`, on the border of a cell, that share area.

    A sliver that such a site shares with one more feature may lie in no cell that they have in common.
    """
    areas, undecided = found.areas, found.nearest.undecided.copy()
    undecided[areas.left[there[areas.left]]] = True
    return Measured(replace(areas, left=areas.left + first), replace(found.nearest, undecided=undecided))


def _doubted(found: Measured, sites: Geometries, layer: LayerIndex) -> Integers:
    """Name the sites that may share a sliver, as wide as rounding, with a feature of which they share no cell.

    Those left undecided, and those that share area with another and meet a vertex of the layer on the border of a cell.
    """
    doubted = found.nearest.undecided.copy()
    if len(layer.corners):
        sharing = np.zeros(len(sites), dtype=bool)
        sharing[found.areas.left] = True
        some = np.flatnonzero(sharing & ~doubted)
        doubted[some[layer.corner_tree.query(sites[some], predicate="dwithin", distance=2.0 * layer.near)[0]]] = True
    return np.flatnonzero(doubted)


def _near_pairs(found: Measured, sites: Geometries, layer: LayerIndex) -> tuple[Integers, Integers]:
    """Find pairs that were not found, so near that rounding may hide a common area."""
    doubted = _doubted(found, sites, layer)
    if not len(doubted):
        return doubted, doubted
    left, right = touching_pairs(sites, doubted, layer)
    new = ~np.isin(left * layer.size + right, found.areas.left * layer.size + found.areas.right)
    return left[new], right[new]


def _with_near(areas: Areas, pairs: tuple[Integers, Integers], sites: Geometries, geometries: Geometries) -> Areas:
    """Add pairs, those of polygons, to be decided."""
    left, right = pairs
    areal = (shapely.get_dimensions(sites[left]) == 2) & (shapely.get_dimensions(geometries[right]) == 2)
    added = int(areal.sum())
    longer = joined([areas, Areas(left[areal], right[areal], np.zeros(added), np.ones(added, dtype=bool))])
    return longer.take(np.lexsort((longer.right, longer.left)))


def _with_known(found: Distances, known: Integers) -> Distances:
    distance: Floats = np.where(known >= 0, 0.0, found.distance)
    return Distances(np.where(known >= 0, known, found.right), distance, found.undecided & (known < 0))


def _in_order(parts: list[Measured], order: Integers) -> Measured:
    """Join the results of pieces, in the order of the input."""
    areas = joined([part.areas for part in parts])
    left = order[areas.left]
    sorting = np.lexsort((areas.right, left))
    areas = Areas(left[sorting], areas.right[sorting], areas.area[sorting], areas.undecided[sorting])
    n = len(order)
    right, distance, undecided = np.full(n, -1), np.full(n, np.nan), np.zeros(n, dtype=bool)
    at = 0
    for part in parts:
        here = order[at : at + len(part.nearest.right)]
        right[here], distance[here] = part.nearest.right, part.nearest.distance
        undecided[here] = part.nearest.undecided
        at += len(here)
    return Measured(areas, Distances(right, distance, undecided))
