"""Common areas of polygons without an overlay, exact but for the rounding of sums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lzgis.geometry.answers import Areas
from lzgis.geometry.features import Floats, Geometries
from lzgis.geometry.loops.cells import Cells, cut
from lzgis.geometry.loops.chains import Chains, chains, perimeters
from lzgis.geometry.loops.grid import PolygonGrid, reach_of
from lzgis.geometry.loops.pairs import shared
from lzgis.geometry.threads import in_pieces


def intersection_areas(sites: Geometries, grid: PolygonGrid, *, threads: int = 1) -> Areas:
    """Find which polygons of the grid each site overlaps, and by how much.

    Parameters
    ----------
    sites : array of shapely geometries, shape (n,)
        Valid. Points, lines, null and empty geometries have no area and give no pair.
    grid : PolygonGrid
        The layer.
    threads : int
        How many to use; the result is the same bytes for any number.

    Returns
    -------
    Areas
        Pairs that overlap, and those left undecided, in the square of the plane's unit.

    Examples
    --------
    >>> import shapely
    >>> grid = PolygonGrid.build(np.array([shapely.box(0, 0, 300, 300), shapely.box(300, 0, 600, 300)]))
    >>> found = intersection_areas(np.array([shapely.box(290, 0, 320, 10), shapely.box(0, 300, 9, 310)]), grid)
    >>> found.left, found.right, found.area, found.undecided
    (array([0, 0, 1]), array([0, 1, 0]), array([100., 200.,   0.]), array([False, False,  True]))
    """
    chain = chains(sites)
    reach = reach_of(chain)

    def work(first: int, last: int) -> Areas:
        return areas_of(cut_sites(chain, (first, last), grid.cell, reach), grid)

    return joined(in_pieces(len(sites), threads, work))


@dataclass(frozen=True, eq=False)
class CutSites:
    """Some consecutive sites, cut once for all layers of one cell size."""

    first: int
    cells: Cells
    perimeter: Floats
    reach: Floats


def cut_sites(chain: Chains, part: tuple[int, int], cell: float, reach: Floats) -> CutSites:
    """Cut the sites `part[0]` to `part[1]` of `chain`; `reach` is that of all sites, as from `reach_of`."""
    return CutSites(part[0], cut(chain, *part, cell), perimeters(chain, *part), reach)


def areas_of(sites: CutSites, grid: PolygonGrid) -> Areas:
    """Find the common areas of sites that have been cut."""
    layer = (np.array([grid.cell]), grid.reach, grid.cells, grid.directory)
    left, right, area, undecided = shared(sites.cells, sites.perimeter, sites.reach, layer)
    return Areas(left + sites.first, right, area, undecided)


def doubled_areas(grid: PolygonGrid) -> Floats:
    """Measure by cell of the directory the area that several polygons share, once for each pair of them.

    Examples
    --------
    >>> import shapely
    >>> grid = PolygonGrid.build(np.array([shapely.box(0, 0, 20, 10), shapely.box(18, 0, 300, 10)]))
    >>> doubled_areas(grid)
    array([20.,  0.])
    """
    cells, window = grid.cells, grid.directory.window
    # Every entry as a polygon of its own.
    alone = cells._replace(owner_start=np.arange(len(cells.row) + 1))
    layer = (np.array([grid.cell]), grid.reach, cells, grid.directory)
    entry, other, area, _ = shared(alone, np.zeros(len(cells.row)), grid.reach, layer)
    owner = np.repeat(np.arange(len(grid)), np.diff(cells.owner_start))
    twice = owner[entry] != other
    cell, size = grid.numbers(cells)[entry[twice]], int(window[2] * window[3])
    return np.asarray(np.bincount(cell, weights=0.5 * area[twice], minlength=size), dtype=float)


def joined(parts: list[Areas]) -> Areas:
    """Join the pairs of consecutive sites."""
    names = ("left", "right", "area", "undecided")
    if not parts:
        none = np.zeros(0, dtype=np.intp)
        return Areas(none, none, np.zeros(0), np.zeros(0, dtype=bool))
    return Areas(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))
