"""The one door through which all loops can be called from outside of numba: addresses of arrays in, arrays filled.

`lzgis.geometry.machine` keeps what it compiles to, so that a later process need not import numba.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic
from numba.np.numpy_support import carray

from lzgis.geometry.boxtree import GROUP, RECORD, EdgeTree
from lzgis.geometry.cells import cut
from lzgis.geometry.chains import Chains
from lzgis.geometry.compiled import compiled
from lzgis.geometry.cutting import Cells
from lzgis.geometry.membership import Starts
from lzgis.geometry.pairs import LayerArrays, against_layer
from lzgis.geometry.places import Directory, longest_edge, perimeters
from lzgis.geometry.segments import segments

#: Numbers in the table of a call: see `lzgis.geometry.machine`.
CHAIN, LAYER = 5, 22


def _as_pointer(typing: Any, address: Any) -> Any:
    """Take a number as an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.int64), generate


_pointer: Any = intrinsic(_as_pointer)


@compiled
def _floats(table: Any, at: int) -> Any:
    return carray(_pointer(table[2 * at]), (table[2 * at + 1],), np.float64)


@compiled
def _integers(table: Any, at: int) -> Any:
    return carray(_pointer(table[2 * at]), (table[2 * at + 1],), np.int64)


@compiled
def _small(table: Any, at: int) -> Any:
    return carray(_pointer(table[2 * at]), (table[2 * at + 1],), np.int32)


@compiled
def _layer(table: Any, at: int) -> LayerArrays:
    """Read a layer from the table, in the order of the fields of `LayerArrays`."""
    entries, pieces = table[2 * (at + 6) + 1] // 3, table[2 * (at + 7) + 1] // 5
    cells = Cells(
        _integers(table, at + 2),
        _small(table, at + 3),
        _small(table, at + 4),
        _floats(table, at + 5),
        carray(_pointer(table[2 * (at + 6)]), (entries, 3), np.int64),
        carray(_pointer(table[2 * (at + 7)]), (pieces, 5), np.float64),
    )
    place = Directory(
        _integers(table, at + 8), _integers(table, at + 9), _integers(table, at + 10), _integers(table, at + 11)
    )
    begin = Starts(
        _integers(table, at + 12),
        _integers(table, at + 13),
        _floats(table, at + 14),
        _floats(table, at + 15),
        _integers(table, at + 16),
    )
    leaves, groups = table[2 * (at + 17) + 1] // RECORD, table[2 * (at + 18) + 1] // (4 * GROUP)
    tree = EdgeTree(
        carray(_pointer(table[2 * (at + 17)]), (leaves, RECORD), np.float64),
        carray(_pointer(table[2 * (at + 18)]), (groups, 4, GROUP), np.float32),
        _integers(table, at + 19),
        _integers(table, at + 20),
        _floats(table, at + 21),
    )
    return LayerArrays(_floats(table, at), _floats(table, at + 1), cells, place, begin, tree)


@compiled
def _reach(chain: Chains) -> Any:
    reach = np.zeros(2)
    reach[0] = longest_edge(chain)
    for i in range(len(chain.x)):
        reach[1] = max(reach[1], abs(chain.x[i]), abs(chain.y[i]))
    return reach


@compiled
def measure_piece(address: int, layers: int, run_length: float) -> int:
    """Measure all sites of a chain against some layers; return the most pairs that any layer had.

    The table at `address` holds address and length of each array: those of the chain; then of each layer, its own and
    those to be filled: number of pairs, left, right, area, undecided; nearest, distance, unsure. Pairs beyond the
    room given are counted and not written.
    """
    table = carray(_pointer(address), (2 * (CHAIN + layers * (LAYER + 8)),), np.int64)
    chain = Chains(_floats(table, 0), _floats(table, 1), _integers(table, 2), _floats(table, 3), _integers(table, 4))
    n = len(chain.owner_start) - 1
    line = segments(chain, 0, n, run_length)
    scale = (perimeters(chain, 0, n), _reach(chain))
    cell = 0.0
    sites = cut(chain, 0, 0, 1.0)
    most = 0
    for number in range(layers):
        at = CHAIN + number * (LAYER + 8)
        layer = _layer(table, at)
        if layer.cell[0] != cell:
            cell = layer.cell[0]
            sites = cut(chain, 0, n, cell)
        pairs, near = against_layer(chain, (0, n), sites, line, scale, layer)
        out = at + LAYER
        count = len(pairs[0])
        most = max(most, count)
        _integers(table, out)[0] = count
        for k in range(min(count, table[2 * (out + 1) + 1])):
            _integers(table, out + 1)[k], _integers(table, out + 2)[k] = pairs[0][k], pairs[1][k]
            _floats(table, out + 3)[k], _integers(table, out + 4)[k] = pairs[2][k], 1 if pairs[3][k] else 0
        for site in range(n):
            _integers(table, out + 5)[site], _floats(table, out + 6)[site] = near[0][site], near[1][site]
            _integers(table, out + 7)[site] = 1 if near[2][site] else 0
    return most
