"""The loops that screening calls from outside of numba, each with an example of a call: what its machine code is made for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import shapely

from lzgis.geometry.boxtree import boxes, extents, leaves
from lzgis.geometry.cells import cut
from lzgis.geometry.chains import chains
from lzgis.geometry.distances import RUN_LENGTH
from lzgis.geometry.layerindex import LayerIndex
from lzgis.geometry.membership import held, holding, starts
from lzgis.geometry.nearness import edges_within, nearest_edges
from lzgis.geometry.pairs import shared
from lzgis.geometry.places import directory, longest_edge, perimeters
from lzgis.geometry.segments import segments
from lzgis.geometry.sitework import edges_within_each


class Example(NamedTuple):
    """A loop, and arguments that it may be given."""

    loop: Callable[..., Any]
    arguments: tuple[Any, ...]


def examples() -> list[Example]:
    """Return every loop that is called for sites laid out once (`sitework`) and for laying out layers."""
    layer = LayerIndex.build(np.array([shapely.box(0, 0, 300, 300), shapely.LineString([(0, 0), (9, 9)])]))
    chain = chains(np.array([shapely.box(290, 0, 310, 10)]))
    grid, cell = layer.grid, layer.grid.cell
    cells, line = cut(chain, 0, 1, cell), segments(chain, 0, 1, RUN_LENGTH)
    return [
        Example(segments, (chain, 0, 1, RUN_LENGTH)),
        Example(cut, (chain, 0, 1, cell)),
        Example(perimeters, (chain, 0, 1)),
        Example(longest_edge, (chain,)),
        Example(shared, (cells, np.ones(1), np.ones(2), (layer.side, grid.reach, grid.cells, grid.directory))),
        Example(holding, (chain, (0, 1), grid.cells, grid.directory, cell)),
        Example(held, (cells, layer.begin)),
        Example(nearest_edges, (line, layer.tree, np.ones(1, dtype=bool), layer.near)),
        Example(edges_within, (line, layer.tree, 1.0, layer.size)),
        Example(edges_within_each, (line, layer.tree, np.ones(1), layer.size)),
        Example(directory, (cells,)),
        Example(leaves, (chain,)),
        Example(extents, (layer.tree.leaf,)),
        Example(boxes, (np.ones((4, 1)), np.zeros(2))),
        Example(starts, (chain, cell)),
    ]
