"""Distances from the edges of sites to the nearest feature of a layer; sites inside features, and features inside sites."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lzgis.geometry.answers import Distances, Flags
from lzgis.geometry.features import Integers
from lzgis.geometry.loops.cells import Cells
from lzgis.geometry.loops.chains import Chains
from lzgis.geometry.loops.laid_out_layer import LayerIndex
from lzgis.geometry.loops.membership import pairs_inside
from lzgis.geometry.loops.nearest_edges import nearest_edges
from lzgis.geometry.loops.segments import Segments

#: A run of edges that share a bounding box is no longer than this, in metres.
RUN_LENGTH = 1024.0


def distances_of_segments(line: Segments, layer: LayerIndex, wanted: Flags) -> Distances:
    """Find the nearest edge to each wanted site; features inside a site, or around it, are measured to their edges."""
    right, square, unsure = nearest_edges(line, layer.tree, wanted, layer.near)
    return Distances(right, np.where(right >= 0, np.sqrt(square), np.nan), unsure)


def with_insides(found: Distances, pairs: tuple[Integers, Integers]) -> Distances:
    """Set to 0 the distance of sites that hold, or are held by, a feature."""
    right, distance = found.right.copy(), found.distance.copy()
    none = np.iinfo(np.intp).max
    first = np.full(len(right), none)
    np.minimum.at(first, pairs[0], pairs[1])
    inside = (first < none) & ((distance > 0) | (first < right))
    right[inside], distance[inside] = first[inside], 0.0
    return replace(found, right=right, distance=distance)


def inside_pairs(chain: Chains, part: tuple[int, int], cells: Cells, layer: LayerIndex) -> tuple[Integers, Integers]:
    """Find the pairs of which one begins in the other."""
    grid = layer.grid
    return pairs_inside(chain, part, cells, (grid.cells, grid.directory), layer.begin, grid.cell)
