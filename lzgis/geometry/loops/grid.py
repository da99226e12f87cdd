"""A layer of polygons cut by a grid of square cells, with a directory from cell to polygons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lzgis.geometry.features import Geometries
from lzgis.geometry.loops.cells import MOST_CELLS, MOST_COORDINATE, Cells, cut
from lzgis.geometry.loops.chains import Chains, chains, longest_edge
from lzgis.geometry.loops.directory import Directory, directory


@dataclass(frozen=True, eq=False)
class PolygonGrid:
    """Polygons of one layer, cut by a grid, cell by cell.

    Parameters
    ----------
    cell : float
        Side of a cell, in the unit of the plane; a power of two.
    cells : Cells
        The share of each polygon in each cell.
    directory : Directory
        Which entries of `cells` lie in which cell.
    reach : float
        Longest edge and farthest coordinate: the error bound of an area depends on both.

    Examples
    --------
    >>> import shapely
    >>> grid = PolygonGrid.build(np.array([shapely.box(0, 0, 300, 300)]), cell=128.0)
    >>> len(grid), float(grid.cells.area.sum())
    (1, 90000.0)
    """

    cell: float
    cells: Cells
    directory: Directory
    reach: npt.NDArray[np.float64]

    @classmethod
    def build(cls, geometries: Geometries, *, cell: float = 256.0) -> PolygonGrid:
        """Cut polygons; points, lines, null and empty geometries have no entry.

        Parameters
        ----------
        geometries : array of shapely geometries, shape (n,)
            Valid.
        cell : float
            A power of two; 64 to 256 metres suit parcels.
        """
        return cls.of_chains(chains(geometries), cell=cell)

    @classmethod
    def of_chains(cls, chain: Chains, *, cell: float = 256.0) -> PolygonGrid:
        """Cut polygons that are split into chains already."""
        cell = fitting_cell(chain, cell)
        cells = cut(chain, 0, len(chain.owner_start) - 1, cell)
        return cls(cell, cells, directory(cells), reach_of(chain))

    def numbers(self, cells: Cells) -> npt.NDArray[np.int64]:
        """Return the number of the cell of each entry in the directory; -1 for entries beyond it."""
        first_row, first_column, rows, columns = self.directory.window.tolist()
        row, column = cells.row.astype(np.int64) - first_row, cells.column.astype(np.int64) - first_column
        there = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        return np.where(there, row * columns + column, -1)

    def __len__(self) -> int:
        return len(self.cells.owner_start) - 1


def fitting_cell(chain: Chains, cell: float) -> float:
    """Double the cell until the window of the chains has no more than `MOST_CELLS`, and numbers small enough."""
    if cell <= 0 or np.frexp(cell)[0] != 0.5:
        raise ValueError(f"the cell must be a power of two, not {cell}")
    if not len(chain.x):
        return cell
    width, height = float(np.ptp(chain.x)), float(np.ptp(chain.y))
    far = float(max(np.abs(chain.x).max(), np.abs(chain.y).max()))
    while (width / cell + 2) * (height / cell + 2) > MOST_CELLS or far / cell >= MOST_COORDINATE:
        cell *= 2.0
    return cell


def reach_of(chain: Chains) -> npt.NDArray[np.float64]:
    """Longest edge and farthest coordinate of the chains."""
    if not len(chain.x):
        return np.zeros(2)
    return np.array([longest_edge(chain), max(np.abs(chain.x).max(), np.abs(chain.y).max())])
