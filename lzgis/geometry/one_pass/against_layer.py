"""The compiled loop that finds common areas and distances of cut sites to one layer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lzgis.geometry.features import Floats
from lzgis.geometry.loops.cells import Cells
from lzgis.geometry.loops.chains import Chains, Int64s
from lzgis.geometry.loops.compiled import entry_loop, inner_loop
from lzgis.geometry.loops.directory import Directory
from lzgis.geometry.loops.edge_tree import EdgeTree
from lzgis.geometry.loops.laid_out_layer import LayerIndex
from lzgis.geometry.loops.membership import Starts, held, holding
from lzgis.geometry.loops.nearest_edges import nearest_edges
from lzgis.geometry.loops.pairs import Pairs, shared
from lzgis.geometry.loops.segments import Segments

Flags = npt.NDArray[np.bool_]
Near = tuple[Int64s, Floats, Flags]

_ULP = 2.0**-52


class LayerArrays(NamedTuple):
    """A layer as the loops take it.

    Attributes
    ----------
    cell : array of float, shape (1,)
        Side of a grid cell.
    reach : array of float, shape (2,)
        Longest edge and farthest coordinate.
    cells : Cells
        The polygons, cut.
    directory : Directory
        Which entries of `cells` lie in which cell.
    begin : Starts
        Where the parts of the features begin.
    tree : EdgeTree
        All edges.
    """

    cell: Floats
    reach: Floats
    cells: Cells
    directory: Directory
    begin: Starts
    tree: EdgeTree


def layer_arrays(layer: LayerIndex) -> LayerArrays:
    """Return a layer as the loops take it."""
    grid = layer.grid
    return LayerArrays(layer.side, grid.reach, grid.cells, grid.directory, layer.begin, layer.tree)


@inner_loop
def _with_insides(near: Near, known: Int64s, pairs: tuple[Int64s, Int64s]) -> None:
    """Set to 0 the distance of sites that contain a feature or lie in one; the first such feature is the nearest."""
    nearest, distance, _ = near
    left, right = pairs
    for k in range(len(left)):
        site = left[k]
        if known[site] < 0 and (distance[site] > 0.0 or right[k] < nearest[site] or nearest[site] < 0):
            nearest[site], distance[site] = right[k], 0.0


@entry_loop
def against_layer(
    chain: Chains, part: tuple[int, int], sites: Cells, line: Segments, reach: tuple[Floats, Floats], layer: LayerArrays
) -> tuple[Pairs, Near]:
    """Measure the sites `part[0]` to `part[1]` of `chain` against one layer; numbers of sites count from 0.

    `sites` and `line` are the same sites cut, and their edges; `reach` is their perimeters and their reach.
    """
    pairs = shared(sites, reach[0], reach[1], (layer.cell, layer.reach, layer.cells, layer.directory))
    left, right, _, undecided = pairs
    n = part[1] - part[0]
    known, wanted = np.full(n, -1), np.ones(n, np.bool_)
    for k in range(len(left) - 1, -1, -1):
        if not undecided[k]:
            known[left[k]], wanted[left[k]] = right[k], False
    near = max(1e-9, 32.0 * _ULP * layer.reach[1])
    nearest, square, unsure = nearest_edges(line, layer.tree, wanted, near)
    distance = np.full(n, np.nan)
    for site in range(n):
        if nearest[site] >= 0:
            distance[site] = np.sqrt(square[site])
    found = (nearest, distance, unsure)
    cell = layer.cell[0]
    _with_insides(found, known, holding(chain, part, layer.cells, layer.directory, cell))
    _with_insides(found, known, held(sites, layer.begin))
    for site in range(n):
        if known[site] >= 0:
            nearest[site], distance[site], unsure[site] = known[site], 0.0, False
    return pairs, found
