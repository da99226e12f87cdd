"""A layer laid out for the loops, that is, as flat arrays: its polygons cut by a grid, all its edges in a tree of boxes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.geometry.features import Floats, Geometries
from lzgis.geometry.loops.areas import doubled_areas
from lzgis.geometry.loops.chains import chains
from lzgis.geometry.loops.edge_tree import EdgeTree, edge_tree
from lzgis.geometry.loops.grid import PolygonGrid
from lzgis.geometry.loops.membership import Starts, starts


@dataclass(frozen=True, eq=False)
class LayerIndex:
    """A layer as flat arrays, for computing areas and distances to it.

    Parameters
    ----------
    grid : PolygonGrid
        The polygons, cut; without entries if the layer has none.
    tree : EdgeTree
        All edges, of polygons and lines, and the points.
    begin : Starts
        Where the parts of the features begin.
    size : int
        Number of geometries.
    corners : array of float, shape (m, 2)
        Vertices within rounding of the border of a cell: a geometry that touches there may lie in another cell.

    Examples
    --------
    >>> import shapely
    >>> layer = LayerIndex.build(np.array([shapely.box(0, 0, 300, 300), shapely.LineString([(0, 0), (9, 9)])]))
    >>> layer.size, float(layer.grid.cells.area.sum()), len(layer.tree.leaf)
    (2, 90000.0, 2)
    """

    grid: PolygonGrid
    tree: EdgeTree
    begin: Starts
    size: int
    corners: Floats
    #: Side of a grid cell, as an array of one.
    side: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "side", np.array([self.grid.cell]))

    @classmethod
    def build(cls, geometries: Geometries, *, cell: float = 256.0) -> LayerIndex:
        """Convert valid geometries; null and empty ones are never found.

        Parameters
        ----------
        geometries : array of shapely geometries, shape (n,)
            The layer, in metres.
        cell : float
            Side of a grid cell, a power of two.
        """
        chain = chains(geometries)
        grid = PolygonGrid.of_chains(chain, cell=cell)
        near = rounding(float(grid.reach[1]))
        there = on_border(chain.x, grid.cell, near) | on_border(chain.y, grid.cell, near)
        corners = np.column_stack([chain.x[there], chain.y[there]])
        return cls(grid, edge_tree(chain), starts(chain, grid.cell), len(geometries), corners)

    @cached_property
    def corner_tree(self) -> shapely.STRtree:
        """Search tree over the corners."""
        return shapely.STRtree(np.asarray(shapely.points(self.corners), dtype=object))

    @cached_property
    def doubled(self) -> Floats:
        """Area by cell that several polygons cover, once for each pair of them; one element at least."""
        found = doubled_areas(self.grid)
        return found if len(found) else np.zeros(1)

    @property
    def near(self) -> float:
        """Distance below which only GEOS can tell whether geometries touch: some roundings of the largest coordinate."""
        return rounding(float(self.grid.reach[1]))


def rounding(farthest: float) -> float:
    """Return some roundings of the farthest coordinate: below that distance, only GEOS can tell whether geometries touch."""
    return max(1e-9, 32.0 * 2.0**-52 * farthest)


def on_border(coordinate: Floats, cell: float, near: float) -> npt.NDArray[np.bool_]:
    """Tell which vertices lie on an upright border of a cell (level one, for y), or nearer to it than `near`.

    Examples
    --------
    >>> on_border(np.array([256.0, 511.9999999999, 4.0]), 256.0, 1e-9)
    array([ True,  True, False])
    """
    cells = coordinate * (1.0 / cell)
    cells -= np.rint(cells)
    return np.asarray(np.abs(cells, out=cells) <= near / cell, dtype=bool)
