"""Sites laid out for the loops, that is, as flat arrays that serve for many layers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely

from lzgis.geometry.answers import Areas, Flags
from lzgis.geometry.features import Floats, Geometries, Integers
from lzgis.geometry.loops.areas import CutSites, areas_of, cut_sites
from lzgis.geometry.loops.areas import joined as joined_areas
from lzgis.geometry.loops.chains import Chains, chains
from lzgis.geometry.loops.distances import RUN_LENGTH, distances_of_segments, inside_pairs, with_insides
from lzgis.geometry.loops.edge_tree import hilbert
from lzgis.geometry.loops.grid import reach_of
from lzgis.geometry.loops.laid_out_layer import LayerIndex, on_border
from lzgis.geometry.loops.nearest_edges import edges_within
from lzgis.geometry.loops.perimeters import common_perimeters
from lzgis.geometry.loops.segments import Segments, segments

#: Sites in a piece: enough to outweigh the cost of a call, few enough for the processor's cache.
PIECE = 1024


@dataclass(frozen=True, eq=False)
class LaidOutSites:
    """Sites as flat arrays; edges and cut polygons are computed when first needed and serve for every further layer.

    Parameters
    ----------
    chain : Chains
        The sites, along a Hilbert curve.
    order : array of int, shape (n,)
        The position of each in the input.
    reach : array of float, shape (2,)
        Longest edge and farthest coordinate.
    bounds : array of float, shape (n, 4)
        Least x and y, greatest x and y, along the curve; 0 for empty sites.
    """

    chain: Chains
    order: Integers
    reach: Floats
    bounds: Floats
    _lines: dict[int, Segments] = field(default_factory=dict)
    _cuts: dict[tuple[int, float], CutSites] = field(default_factory=dict)

    @classmethod
    def build(cls, sites: Geometries) -> LaidOutSites:
        """Convert sites; valid, in metres.

        Examples
        --------
        >>> LaidOutSites.build(np.array([shapely.box(0, 0, 1, 1), shapely.Point(5, 5)])).order
        array([0, 1])
        """
        bounds = np.nan_to_num(shapely.bounds(sites)).reshape(-1, 4)
        middle = 0.5 * (bounds[:, :2] + bounds[:, 2:])
        order = np.argsort(hilbert(middle[:, 0].copy(), middle[:, 1].copy()), kind="stable")
        chain = chains(sites[order])
        return cls(chain, order, reach_of(chain), bounds[order])

    def pieces(self) -> list[tuple[int, int]]:
        """Return the pieces: first and last, in the order of the chains."""
        n = len(self.order)
        return [(first, min(first + PIECE, n)) for first in range(0, n, PIECE)]

    def line(self, part: tuple[int, int]) -> Segments:
        """Return the edges of one piece."""
        if part[0] not in self._lines:
            self._lines[part[0]] = segments(self.chain, *part, RUN_LENGTH)
        return self._lines[part[0]]

    def on_grid(self, layer: LayerIndex) -> Flags:
        """Find sites, in the order of the chains, with a vertex on the border of a cell or near such a vertex of the layer."""
        cell = layer.grid.cell
        there = on_border(self.chain.x, cell, layer.near) | on_border(self.chain.y, cell, layer.near)
        flags = np.zeros(len(self.order), dtype=bool)
        ends = self.chain.start[self.chain.owner_start[1:]]
        flags[np.searchsorted(ends, np.flatnonzero(there), side="right")] = True
        if len(layer.corners):
            low, high = self.bounds[:, :2] - layer.near, self.bounds[:, 2:] + layer.near
            flags[layer.corner_tree.query(shapely.box(*low.T, *high.T))[0]] = True
        return flags

    def cut(self, part: tuple[int, int], cell: float) -> CutSites:
        """Return one piece, cut by the cells of a grid."""
        key = (part[0], cell)
        if key not in self._cuts:
            self._cuts[key] = cut_sites(self.chain, part, cell, self.reach)
        return self._cuts[key]


def common_areas_of(sites: LaidOutSites, layer: LayerIndex) -> tuple[Areas, Floats]:
    """Find every pair of polygons that overlap, or may, with the area and the perimeter of their common part.

    Returns
    -------
    areas : Areas
        The pairs; those that floating point cannot decide are included and marked.
    perimeter : array of float
        Of the common part; NaN where the borders of the two run along each other, or along the grid.

    Examples
    --------
    >>> layer = LayerIndex.build(np.array([shapely.box(1, 1, 9, 9), shapely.box(9, 1, 20, 9)]))
    >>> areas, perimeter = common_areas_of(LaidOutSites.build(np.array([shapely.box(5, 5, 8, 8)])), layer)
    >>> areas.left, areas.right, areas.area, perimeter
    (array([0]), array([0]), array([9.]), array([12.]))
    """
    found = []
    for part in sites.pieces():
        cut = sites.cut(part, layer.grid.cell)
        areas = areas_of(cut, layer.grid)
        perimeter, along = common_perimeters(
            cut.cells, layer.grid.cells, layer.grid.directory, areas.left - part[0], areas.right, layer.near
        )
        perimeter[along | sites.on_grid(layer)[areas.left]] = np.nan
        found.append((areas, perimeter))
    areas = joined_areas([one for one, _ in found])
    perimeter = np.concatenate([np.zeros(0), *(one for _, one in found)])
    left = sites.order[areas.left]
    order = np.lexsort((areas.right, left))
    return Areas(left, areas.right, areas.area, areas.undecided).take(order), perimeter[order]


def doubled_near(sites: LaidOutSites, layer: LayerIndex) -> Floats:
    """Bound for each site the area that several features of a layer cover: that of the cells it lies in."""
    found = np.zeros(len(sites.order))
    for first, last in sites.pieces():
        cells = sites.cut((first, last), layer.grid.cell).cells
        number = layer.grid.numbers(cells)
        owner = np.repeat(np.arange(last - first), np.diff(cells.owner_start))
        area = np.where(number >= 0, layer.doubled[number], 0.0)
        found[sites.order[first:last]] = np.bincount(owner, weights=area, minlength=last - first)
    return found


def near_pairs(
    sites: LaidOutSites, layer: LayerIndex, wanted: Flags, slack: float
) -> tuple[Integers, Integers, Floats]:
    """Find for each wanted site every feature no farther than the nearest and `slack`, with its distance.

    Examples
    --------
    >>> layer = LayerIndex.build(np.array([shapely.Point(0, 0), shapely.Point(10, 0), shapely.Point(10.5, 0)]))
    >>> sites = LaidOutSites.build(np.array([shapely.Point(6, 0)]))
    >>> near_pairs(sites, layer, np.array([True]), 1.0)
    (array([0, 0]), array([1, 2]), array([4. , 4.5]))
    """

    def work(part: tuple[int, int]) -> tuple[Integers, Integers, Floats]:
        here = wanted[sites.order[part[0] : part[1]]]
        line = sites.line(part)
        pairs = inside_pairs(sites.chain, part, sites.cut(part, layer.grid.cell).cells, layer)
        found = with_insides(distances_of_segments(line, layer, here), pairs)
        radius = np.where(here, found.distance, np.nan) + slack
        return _all_within(line, layer, radius, pairs)

    return _joined(sites, [work(part) for part in sites.pieces()])


def pairs_within(sites: LaidOutSites, layer: LayerIndex, distance: float) -> tuple[Integers, Integers, Floats]:
    """Find every pair no farther apart than `distance`, with its distance.

    Examples
    --------
    >>> layer = LayerIndex.build(np.array([shapely.Point(0, 0), shapely.Point(10, 0)]))
    >>> pairs_within(LaidOutSites.build(np.array([shapely.Point(6, 0)])), layer, 5.0)
    (array([0]), array([1]), array([4.]))
    """

    def work(part: tuple[int, int]) -> tuple[Integers, Integers, Floats]:
        pairs = inside_pairs(sites.chain, part, sites.cut(part, layer.grid.cell).cells, layer)
        return _all_within(sites.line(part), layer, np.full(part[1] - part[0], distance), pairs)

    return _joined(sites, [work(part) for part in sites.pieces()])


def _joined(sites: LaidOutSites, parts: list[tuple[Integers, Integers, Floats]]) -> tuple[Integers, Integers, Floats]:
    none = np.zeros(0, dtype=np.intp)
    firsts = [part[0] for part in sites.pieces()]
    left = np.concatenate([none, *(sites.order[one[0] + first] for one, first in zip(parts, firsts, strict=True))])
    right = np.concatenate([none, *(one[1] for one in parts)])
    distance = np.concatenate([np.zeros(0), *(one[2] for one in parts)])
    order = np.lexsort((right, left))
    return left[order], right[order], distance[order]


def _all_within(
    line: Segments, layer: LayerIndex, radius: Floats, inside: tuple[Integers, Integers]
) -> tuple[Integers, Integers, Floats]:
    """Find all features within each site's own radius (none where it is NaN), those inside or around it at 0."""
    left, right, square = edges_within(line, layer.tree, radius, layer.size)
    there = ~np.isnan(radius[inside[0]])
    left, right = np.concatenate([inside[0][there], left]), np.concatenate([inside[1][there], right])
    distance = np.concatenate([np.zeros(there.sum()), np.sqrt(square)])
    # The pairs inside come first, so that a pair found both ways gets the distance 0.
    _, first = np.unique(left * max(layer.size, 1) + right, return_index=True)
    return left[first], right[first], distance[first]
