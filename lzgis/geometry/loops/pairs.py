"""Pairs of cut sites and features that share area."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lzgis.geometry.features import Floats
from lzgis.geometry.loops.cells import Cells
from lzgis.geometry.loops.chains import Int64s
from lzgis.geometry.loops.compiled import array_loop, entry_loop
from lzgis.geometry.loops.contact import borders_near
from lzgis.geometry.loops.directory import Directory
from lzgis.geometry.loops.trapezoids import common_areas

Flags = npt.NDArray[np.bool_]
Pairs = tuple[Int64s, Int64s, Floats, Flags]

_ULP = 2.0**-52


@array_loop
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


@entry_loop
def shared(sites: Cells, perimeter: Floats, reach: Floats, layer: tuple[Floats, Floats, Cells, Directory]) -> Pairs:
    """Find the pairs that share area, and those that rounding leaves in doubt, sorted by site, then feature.

    `reach` is that of the sites; the layer's cell, reach, cut polygons and their directory follow.
    """
    side, extent, cells, place = layer
    cell = side[0]
    longest, far = max(reach[0], extent[0]), max(reach[1], extent[1])
    left, right, area, bound, mixed = common_areas(sites, cells, place, cell, longest)
    # GEOS rounds the corners of an intersection to doubles. GEOS therefore decides areas below that rounding along the
    # border of the site, as it decides those below the error bound.
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
