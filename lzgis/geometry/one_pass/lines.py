"""Lengths of lines inside polygons, and which polygons points lie in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from lzgis.geometry.answers import Flags, Insides
from lzgis.geometry.features import FeatureIndex, Geometries
from lzgis.geometry.loops.chains import Chains, chains
from lzgis.geometry.loops.laid_out_layer import LayerIndex
from lzgis.geometry.loops.membership import holding
from lzgis.geometry.loops.nearest_edges import edges_within
from lzgis.geometry.loops.segments import segments
from lzgis.geometry.one_pass.lengths_inside import lengths
from lzgis.geometry.overlay import overlaps
from lzgis.geometry.threads import in_pieces


def insides(geometries: Geometries, layer: LayerIndex, *, threads: int = 1) -> Insides:
    """Find which polygons of a layer each line or point lies in, and for how long.

    Parameters
    ----------
    geometries : array of shapely geometries, shape (n,)
        Lines and points; polygons, null and empty ones give no pair.
    layer : LayerIndex
        The layer; only its polygons count.
    threads : int
        How many to use; the result is the same bytes for any number.

    Examples
    --------
    >>> layer = LayerIndex.build(np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]))
    >>> found = insides(np.array([shapely.LineString([(5, 5), (12, 5)]), shapely.Point(10, 3)]), layer)
    >>> found.left, found.right, found.length, found.undecided
    (array([0, 0, 1, 1]), array([0, 1, 0, 1]), array([5., 2., 0., 0.]), array([False, False,  True,  True]))
    """
    geometries = geometries.copy()
    geometries[shapely.get_dimensions(geometries) == 2] = None
    chain = chains(geometries)
    point = np.asarray(shapely.get_dimensions(geometries) == 0)
    near = layer.near
    parts = in_pieces(len(geometries), threads, lambda first, last: _insides(chain, (first, last), layer, near, point))
    names = ("left", "right", "length", "undecided")
    if not parts:
        none = np.zeros(0, dtype=np.intp)
        return Insides(none, none, np.zeros(0), np.zeros(0, dtype=bool))
    return Insides(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


def decided_insides(found: Insides, geometries: Geometries, features: Geometries) -> Insides:
    """Let GEOS decide the undecided pairs: those that lie inside get its length, the others are removed.

    Examples
    --------
    >>> layer, line = np.array([shapely.box(0, 0, 10, 10)]), np.array([shapely.LineString([(0, 0), (10, 0)])])
    >>> decided_insides(insides(line, LayerIndex.build(layer)), line, layer).left
    array([], dtype=int64)
    """
    keep, length = ~found.undecided, found.length.copy()
    for n in np.flatnonzero(found.undecided):
        pair = overlaps(geometries[[found.left[n]]], FeatureIndex(features[[found.right[n]]]))
        keep[n] = len(pair.left) > 0
        length[n] = pair.length.sum()
    found = replace(found, length=length, undecided=np.zeros(len(keep), dtype=bool))
    return Insides(*(values[keep] for values in vars(found).values()))


def _insides(chain: Chains, part: tuple[int, int], layer: LayerIndex, near: float, point: Flags) -> Insides:
    grid = layer.grid
    left, right, length, along = lengths(chain, part, grid.cells, grid.directory, (grid.cell, near))
    # A stretch no longer than rounding can make may be none: a line that only touches a corner.
    undecided = along | ((length > 0) & (length <= 4 * near))
    keep = undecided | (length > 0)
    sure = holding(chain, part, grid.cells, grid.directory, grid.cell)
    apart = segments(chain, part[0], part[1], 0.0)
    border = edges_within(apart, layer.tree, np.full(part[1] - part[0], near), layer.size)
    polygonal = np.diff(grid.cells.owner_start) > 0
    columns = []
    for pair, unsure in ((border, True), (sure, False)):
        chosen = point[part[0] + pair[0]] & polygonal[pair[1]]
        columns.append((pair[0][chosen], pair[1][chosen], np.full(chosen.sum(), unsure)))
    mine, theirs, doubt = (np.concatenate(column) for column in zip(*columns, strict=True))
    # Those on the border come first, so that a pair found both ways stays in doubt.
    _, kept = np.unique(mine * max(layer.size, 1) + theirs, return_index=True)
    left = np.concatenate([left[keep], mine[kept]])
    right = np.concatenate([right[keep], theirs[kept]])
    length = np.concatenate([length[keep], np.zeros(len(kept))])
    undecided = np.concatenate([undecided[keep], doubt[kept]])
    order = np.lexsort((right, left))
    return Insides(left[order] + part[0], right[order], length[order], undecided[order])
