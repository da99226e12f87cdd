"""Cut sites against one layer, all in one go: the loops."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lzgis.geometry.boxtree import EdgeTree
from lzgis.geometry.chains import Chains, Int64s
from lzgis.geometry.compiled import compiled
from lzgis.geometry.contact import borders_near
from lzgis.geometry.cutting import Cells
from lzgis.geometry.index import Floats
from lzgis.geometry.membership import Starts, held, holding
from lzgis.geometry.nearness import nearest_edges
from lzgis.geometry.places import Directory
from lzgis.geometry.segments import Segments
from lzgis.geometry.trapezoids import common_areas

Flags = npt.NDArray[np.bool_]
Pairs = tuple[Int64s, Int64s, Floats, Flags]
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


@compiled
def _order(left: Int64s, right: Int64s) -> Int64s:
    """Order pairs, sorted by `left` already, by `right` too: each site has few."""
    order = np.arange(len(left))
    for i in range(1, len(left)):
        j = i
        one = order[i]
        while j > 0 and left[order[j - 1]] == left[one] and right[order[j - 1]] > right[one]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = one
    return order


@compiled
def shared(sites: Cells, perimeter: Floats, reach: Floats, layer: tuple[Floats, Floats, Cells, Directory]) -> Pairs:
    """Find the pairs that share area, and those that rounding leaves in doubt, sorted by site, then feature.

    `reach` is that of the sites; the layer's cell, reach, cut polygons and their directory follow.
    """
    side, extent, cells, place = layer
    cell = side[0]
    longest, far = max(reach[0], extent[0]), max(reach[1], extent[1])
    left, right, area, bound, mixed = common_areas(sites, cells, place, cell, longest)
    # What GEOS finds in common has corners rounded to doubles: an area below that rounding along the site's
    # border is for GEOS to decide, like one below our own bound.
    ulp = far * _ULP
    n = len(left)
    low = np.empty(n, np.bool_)
    unsure = 0
    for k in range(n):
        low[k] = area[k] <= bound[k] + 4.0 * ulp * (perimeter[left[k]] + cell)
        unsure += 1 if low[k] else 0
    some_left, some_right = np.empty(unsure, np.int64), np.empty(unsure, np.int64)
    unsure = 0
    for k in range(n):
        if low[k]:
            some_left[unsure], some_right[unsure] = left[k], right[k]
            unsure += 1
    near = borders_near(sites, cells, place, (some_left, some_right), 8.0 * ulp)
    kept = unsure = 0
    for k in range(n):
        doubt = False
        if low[k]:
            doubt = near[unsure] or (mixed[k] and area[k] > 0.0)
            unsure += 1
        if doubt or not low[k]:
            left[kept], right[kept], area[kept], low[kept] = left[k], right[k], max(area[k], 0.0), doubt
            kept += 1
    order = _order(left[:kept], right[:kept])
    return left[order], right[order], area[order], low[order]


@compiled
def _with_insides(near: Near, known: Int64s, pairs: tuple[Int64s, Int64s]) -> None:
    """Set to 0 the distance of sites that hold, or are held by, a feature; the first feature is kept."""
    nearest, distance, _ = near
    left, right = pairs
    for k in range(len(left)):
        site = left[k]
        if known[site] < 0 and (distance[site] > 0.0 or right[k] < nearest[site] or nearest[site] < 0):
            nearest[site], distance[site] = right[k], 0.0


@compiled
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
