"""Exact shares of the cells whose corners or sides a polygon's border meets, computed cell by cell."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from rasterio import Affine
from rasterio.features import rasterize

from lzgis.geometry.raster_cells import cells_along

Flags = npt.NDArray[np.bool_]

#: A border this near to a corner or side of a cell, as a share of the cell, counts as meeting it.
_ON = 1e-7
#: Side of the squares of cells to which a polygon is clipped before its cells are cut.
_BLOCK = 16


def recut(share: npt.NDArray[np.float64], polygon: shapely.Geometry, move: Affine) -> None:
    """Recompute the covered shares of the cells in which a polygon's border meets a corner or a side of the grid.

    Parameters
    ----------
    share : array of float
        Covered share of each cell; changed in place.
    polygon : shapely geometry
        In the coordinates of the grid.
    move : Affine
        From column and row to coordinates; not rotated.

    Examples
    --------
    >>> share = np.ones((1, 1))
    >>> recut(share, shapely.Polygon([(0, 0), (1, 0), (0, 1)]), Affine(1, 0, 0, 0, -1, 1))
    >>> share
    array([[0.5]])
    """
    # In units of cells from the north-west corner, so that one tolerance suits every grid.
    corner, cell = np.array([move.c, move.f]), np.array([move.a, move.e])
    in_cells = shapely.transform(polygon, lambda at: (at - corner) / cell)
    doubt = _meets(in_cells, share.shape)
    centre = rasterize([(in_cells, 1)], out_shape=share.shape, transform=Affine.identity(), dtype="uint8").astype(bool)
    doubt |= np.where(centre, share == 0, share == 1)
    row, column = np.nonzero(doubt)
    block = (row // _BLOCK) * (share.shape[1] // _BLOCK + 1) + column // _BLOCK
    for one in np.unique(block):
        which = np.flatnonzero(block == one)
        y, x = row[which], column[which]
        local = shapely.intersection(in_cells, shapely.box(x.min(), y.min(), x.max() + 1, y.max() + 1))
        share[y, x] = shapely.area(shapely.intersection(shapely.box(x, y, x + 1, y + 1), local))


def _meets(polygon: shapely.Geometry, shape: tuple[int, int]) -> Flags:
    """Mark the cells in which the border meets a corner, or a vertex lies on a side."""
    rows, columns = shape
    border = shapely.boundary(polygon)
    # With one cell of margin around the grid, for borders along its outer sides.
    touched = cells_along([shapely.transform(border, lambda at: at + 1.0)], (rows + 2, columns + 2))
    near = np.zeros((rows + 3, columns + 3), dtype=bool)
    for down in (0, 1):
        for across in (0, 1):
            near[down : down + rows + 2, across : across + columns + 2] |= touched
    down_at, across_at = np.nonzero(near)
    corner = np.column_stack([across_at, down_at]) - 1.0
    shapely.prepare(border)
    corner = corner[shapely.dwithin(border, shapely.points(corner), _ON)]
    vertex = shapely.get_coordinates(border)
    aligned = vertex[(np.abs(vertex - np.round(vertex)) < _ON).any(axis=1)]
    found = np.zeros(shape, dtype=bool)
    for south in (-2 * _ON, 2 * _ON):
        for east in (-2 * _ON, 2 * _ON):
            column, row = np.floor(np.concatenate([corner, aligned]) + np.array([east, south])).astype(np.intp).T
            inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
            found[row[inside], column[inside]] = True
    return found
