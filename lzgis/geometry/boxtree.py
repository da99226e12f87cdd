"""A packed tree of boxes over the edges of a layer."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lzgis.geometry.chains import Chains, Int64s
from lzgis.geometry.compiled import compiled
from lzgis.geometry.index import Floats

#: Edges in a leaf and boxes in a group: one or two vector registers full.
WIDTH = 8
#: A leaf of more than one edge is no longer than this many times the layer's mean edge.
_LEAF_LENGTH = 8.0


class EdgeTree(NamedTuple):
    """Runs of consecutive edges, along a Hilbert curve, under a tree of boxes.

    Attributes
    ----------
    x, y : array of float, shape (leaves, 9)
        Vertices of each leaf; a short run repeats its last.
    owner : array of int, shape (leaves,)
        The feature each leaf belongs to.
    box : array of float, shape (4, boxes)
        Least x, least y, greatest x, greatest y; level after level from the leaves up, each filled up with empty
        boxes to groups of 8, of which each is a box of the level above.
    level : array of int, shape (levels + 1,)
        Where each level begins in `box`.
    """

    x: Floats
    y: Floats
    owner: Int64s
    box: Floats
    level: Int64s


@compiled
def _mean_edge(chain: Chains) -> float:
    total = 0.0
    edges = 0
    for k in range(len(chain.start) - 1):
        for i in range(chain.start[k], chain.start[k + 1] - 1):
            total += math.hypot(chain.x[i + 1] - chain.x[i], chain.y[i + 1] - chain.y[i])
            edges += 1
    return total / edges if edges else 0.0


@compiled
def _run_end(chain: Chains, begin: int, end: int, longest: float) -> int:
    """Return the last vertex of a leaf that begins at vertex `begin` of a chain that ends before `end`."""
    x, y = chain.x, chain.y
    left, right, low, high = x[begin], x[begin], y[begin], y[begin]
    last = begin
    # A line's last vertex must not be a full leaf's ninth, which is looked at only as the first of the next.
    closed = end - begin > WIDTH + 1 or (x[end - 1] == x[begin] and y[end - 1] == y[begin])
    most = WIDTH if closed else WIDTH - 1
    while last + 1 < end and last - begin < most:
        left, right = min(left, x[last + 1]), max(right, x[last + 1])
        low, high = min(low, y[last + 1]), max(high, y[last + 1])
        if last > begin and max(right - left, high - low) > longest:
            break
        last += 1
    return last


@compiled
def leaves(chain: Chains) -> tuple[Floats, Floats, Int64s]:
    """Cut chains into runs of at most 8 edges that stay together."""
    longest = _LEAF_LENGTH * _mean_edge(chain)
    n = 0
    for k in range(len(chain.start) - 1):
        begin, end = chain.start[k], chain.start[k + 1]
        n += 1
        last = _run_end(chain, begin, end, longest)
        while last + 1 < end:
            last = _run_end(chain, last, end, longest)
            n += 1
    x, y, owner = np.empty((n, WIDTH + 1)), np.empty((n, WIDTH + 1)), np.empty(n, np.int64)
    n = 0
    for o in range(len(chain.owner_start) - 1):
        for k in range(chain.owner_start[o], chain.owner_start[o + 1]):
            begin, end = chain.start[k], chain.start[k + 1]
            more = True
            while more:
                last = _run_end(chain, begin, end, longest)
                for i in range(WIDTH + 1):
                    x[n, i], y[n, i] = chain.x[min(begin + i, last)], chain.y[min(begin + i, last)]
                owner[n] = o
                n += 1
                begin = last
                more = last + 1 < end
    return x, y, owner


@compiled
def hilbert(x: Floats, y: Floats) -> Int64s:
    """Return how far along a Hilbert curve over their extent points lie."""
    place = np.zeros(len(x), np.int64)
    if len(x) == 0:
        return place
    left, low = x.min(), y.min()
    side = max(x.max() - left, y.max() - low)
    scale = 65535.0 / side if side > 0.0 else 0.0
    for i in range(len(x)):
        u, v = np.int64((x[i] - left) * scale), np.int64((y[i] - low) * scale)
        s = np.int64(32768)
        while s > 0:
            a, b = np.int64((u & s) > 0), np.int64((v & s) > 0)
            place[i] += s * s * ((3 * a) ^ b)
            if b == 0:
                if a == 1:
                    u, v = 65535 - u, 65535 - v
                u, v = v, u
            s >>= 1
    return place


@compiled
def boxes(x: Floats, y: Floats) -> tuple[Floats, Int64s]:
    """Build the levels of boxes over leaves."""
    size = np.zeros(24, np.int64)
    count, levels = len(x), 0
    while True:
        size[levels + 1] = size[levels] + (count + WIDTH - 1) // WIDTH * WIDTH
        levels += 1
        if count <= WIDTH:
            break
        count = (count + WIDTH - 1) // WIDTH
    box = np.empty((4, size[levels]))
    box[0], box[1], box[2], box[3] = np.inf, np.inf, -np.inf, -np.inf
    for k in range(len(x)):
        box[0, k], box[1, k], box[2, k], box[3, k] = x[k].min(), y[k].min(), x[k].max(), y[k].max()
    for level in range(1, levels):
        for k in range((size[level] - size[level - 1]) // WIDTH):
            at = size[level] + k
            for child in range(size[level - 1] + WIDTH * k, size[level - 1] + WIDTH * (k + 1)):
                box[0, at], box[1, at] = min(box[0, at], box[0, child]), min(box[1, at], box[1, child])
                box[2, at], box[3, at] = max(box[2, at], box[2, child]), max(box[3, at], box[3, child])
    return box, size[: levels + 1].copy()


def edge_tree(chain: Chains) -> EdgeTree:
    """Build the tree of all edges, and of the points, of `chain`.

    Examples
    --------
    >>> import shapely
    >>> from lzgis.geometry.chains import chains
    >>> tree = edge_tree(chains(np.array([shapely.box(0, 0, 1, 1), shapely.Point(5, 5)])))
    >>> tree.owner, tree.level
    (array([0, 1]), array([0, 8]))
    """
    x, y, owner = leaves(chain)
    middle_x, middle_y = 0.5 * (x.min(axis=1) + x.max(axis=1)), 0.5 * (y.min(axis=1) + y.max(axis=1))
    order = np.argsort(hilbert(middle_x, middle_y), kind="stable") if len(x) else np.zeros(0, np.int64)
    x, y = x[order], y[order]
    box, level = boxes(x, y)
    return EdgeTree(x, y, owner[order], box, level)
