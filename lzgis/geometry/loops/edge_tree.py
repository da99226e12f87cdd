"""A packed tree of boxes over the edges of a layer."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lzgis.geometry.features import Floats
from lzgis.geometry.loops.chains import Chains, Int64s
from lzgis.geometry.loops.compiled import entry_loop, inner_loop

#: Edges in a leaf: one or two vector registers full.
WIDTH = 8
#: Boxes in a group, of single precision: the same.
GROUP = 16
#: Numbers of a leaf: three lines of the processor's cache.
RECORD = 24
#: Where in them the vertices' y begin, and where the owner stands.
Y, OWNER = 9, 18
#: A leaf of more than one edge is no longer than this many times the layer's mean edge.
_LEAF_LENGTH = 8.0


class EdgeTree(NamedTuple):
    """Runs of consecutive edges, along a Hilbert curve, under a tree of boxes.

    Attributes
    ----------
    leaf : array of float, shape (leaves, 24)
        The nine vertices' x, their y, and the feature the leaf belongs to; a short run repeats its last vertex.
    box : array of float32, shape (groups, 4, 16)
        Least x, least y, greatest x, greatest y, relative to `origin` and rounded outwards; level after level from the
        leaves up, each filled up with empty boxes to groups of 16, of which each is a box of the level above.
    below : array of int, shape (groups,)
        Added to the number of one of the group's boxes, gives the group under that box; 0 for groups of leaves.
    root : array of int, shape (1,)
        The topmost group.
    origin : array of float, shape (2,)
        The origin of the boxes, so that single precision suffices.
    """

    leaf: Floats
    box: npt.NDArray[np.float32]
    below: Int64s
    root: Int64s
    origin: Floats


@inner_loop
def _mean_edge(chain: Chains) -> float:
    total = 0.0
    edges = 0
    for k in range(len(chain.start) - 1):
        for i in range(chain.start[k], chain.start[k + 1] - 1):
            total += math.hypot(chain.x[i + 1] - chain.x[i], chain.y[i + 1] - chain.y[i])
            edges += 1
    return total / edges if edges else 0.0


@inner_loop
def _run_end(chain: Chains, begin: int, end: int, longest: float) -> int:
    """Return the last vertex of a leaf that begins at vertex `begin` of a chain that ends before `end`."""
    x, y = chain.x, chain.y
    left, right, low, high = x[begin], x[begin], y[begin], y[begin]
    last = begin
    # The last vertex of a line must not be the ninth of a full leaf, which is measured only as the first of the next leaf.
    closed = end - begin > WIDTH + 1 or (x[end - 1] == x[begin] and y[end - 1] == y[begin])
    most = WIDTH if closed else WIDTH - 1
    while last + 1 < end and last - begin < most:
        left, right = min(left, x[last + 1]), max(right, x[last + 1])
        low, high = min(low, y[last + 1]), max(high, y[last + 1])
        if last > begin and max(right - left, high - low) > longest:
            break
        last += 1
    return last


@entry_loop
def leaves(chain: Chains) -> Floats:
    """Cut chains into runs of at most 8 neighbouring edges."""
    longest = _LEAF_LENGTH * _mean_edge(chain)
    n = 0
    for k in range(len(chain.start) - 1):
        begin, end = chain.start[k], chain.start[k + 1]
        n += 1
        last = _run_end(chain, begin, end, longest)
        while last + 1 < end:
            last = _run_end(chain, last, end, longest)
            n += 1
    leaf = np.zeros((n, RECORD))
    n = 0
    for o in range(len(chain.owner_start) - 1):
        for k in range(chain.owner_start[o], chain.owner_start[o + 1]):
            begin, end = chain.start[k], chain.start[k + 1]
            more = True
            while more:
                last = _run_end(chain, begin, end, longest)
                for i in range(WIDTH + 1):
                    leaf[n, i], leaf[n, Y + i] = chain.x[min(begin + i, last)], chain.y[min(begin + i, last)]
                leaf[n, OWNER] = o
                n += 1
                begin = last
                more = last + 1 < end
    return leaf


def hilbert(x: Floats, y: Floats) -> Int64s:
    """Return how far along a Hilbert curve over their extent points lie.

    Examples
    --------
    >>> hilbert(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 1.0, 1.0, 0.0])).argsort()
    array([0, 1, 2, 3])
    """
    place = np.zeros(len(x), np.int64)
    if not len(x):
        return place
    side = max(float(np.ptp(x)), float(np.ptp(y)))
    scale = 65535.0 / side if side > 0.0 else 0.0
    u, v = ((x - x.min()) * scale).astype(np.int32), ((y - y.min()) * scale).astype(np.int32)
    for bit in range(15, -1, -1):
        a, b = (u >> bit) & 1, (v >> bit) & 1
        place = (place << 2) | ((3 * a) ^ b)
        turn, mirror = b == 0, (b == 0) & (a == 1)
        u, v = np.where(mirror, 65535 - u, u), np.where(mirror, 65535 - v, v)
        u, v = np.where(turn, v, u), np.where(turn, u, v)
    return place


def extents(leaf: Floats) -> Floats:
    """Return least x, least y, greatest x, greatest y of each leaf, shape (4, leaves)."""
    x, y = leaf[:, : WIDTH + 1], leaf[:, Y : Y + WIDTH + 1]
    return np.stack([x.min(axis=1), y.min(axis=1), x.max(axis=1), y.max(axis=1)])


@inner_loop
def outwards(value: float, up: bool) -> np.float32:
    """Round to single precision, never towards the inside."""
    near = np.float32(value)
    # Two units of the last place and something for zero: more than any rounding.
    pad = np.float32(abs(near) * np.float32(2.5e-7) + np.float32(1e-30))
    return near + pad if up else near - pad


@entry_loop
def boxes(extent: Floats, origin: Floats) -> tuple[npt.NDArray[np.float32], Int64s]:
    """Build the levels of boxes over leaves that have been put in order."""
    size = np.zeros(24, np.int64)
    count, levels = extent.shape[1], 0
    while True:
        size[levels + 1] = size[levels] + max((count + GROUP - 1) // GROUP, 1)
        levels += 1
        if count <= GROUP:
            break
        count = (count + GROUP - 1) // GROUP
    box = np.empty((size[levels], 4, GROUP), np.float32)
    below = np.zeros(size[levels], np.int64)
    for g in range(size[levels]):
        for k in range(GROUP):
            box[g, 0, k] = box[g, 1, k] = np.inf
            box[g, 2, k] = box[g, 3, k] = -np.inf
    for n in range(extent.shape[1]):
        for side in range(4):
            box[n // GROUP, side, n % GROUP] = outwards(extent[side, n] - origin[side % 2], side >= 2)
    for level in range(1, levels):
        for g in range(size[level], size[level + 1]):
            below[g] = size[level - 1] - size[level] * GROUP
        for child in range(size[level - 1], size[level]):
            at = size[level] * GROUP + child - size[level - 1]
            for side in range(4):
                reached = box[child, side, 0]
                for k in range(1, GROUP):
                    one = box[child, side, k]
                    reached = max(reached, one) if side >= 2 else min(reached, one)
                box[at // GROUP, side, at % GROUP] = reached
    return box, below


def edge_tree(chain: Chains) -> EdgeTree:
    """Build the tree of all edges, and of the points, of `chain`.

    Examples
    --------
    >>> import shapely
    >>> from lzgis.geometry.loops.chains import chains
    >>> tree = edge_tree(chains(np.array([shapely.box(0, 0, 1, 1), shapely.Point(5, 5)])))
    >>> tree.leaf[:, OWNER], tree.box.shape
    (array([0., 1.]), (1, 4, 16))
    """
    leaf = leaves(chain)
    extent = extents(leaf)
    middle_x, middle_y = 0.5 * (extent[0] + extent[2]), 0.5 * (extent[1] + extent[3])
    order = np.argsort(hilbert(middle_x, middle_y), kind="stable") if len(leaf) else np.zeros(0, np.int64)
    origin = np.zeros(2)
    if len(leaf):
        origin[:] = np.floor(0.5 * (extent[:2].min(axis=1) + extent[2:].max(axis=1)))
    box, below = boxes(np.ascontiguousarray(extent[:, order]), origin)
    return EdgeTree(leaf[order], box, below, np.array([len(box) - 1]), origin)
