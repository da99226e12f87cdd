"""The distance from each cell of a raster to the nearest marked one, band by band.

Distances are exact, from centre to centre. The first pass runs down the columns, the second up and along the rows, so
that only one band of rows is needed at a time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lzgis.geometry.loops.compiled import entry_loop

Int32s = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

#: As many rows as no grid has: there is no marked cell in the column.
FAR = 2**30
_FAR_SQUARE = FAR**2


def gaps_below(marked: npt.NDArray[np.bool_], above: Int32s) -> Int32s:
    """Count the rows from each cell up to the nearest marked one in its column.

    Parameters
    ----------
    marked : array of bool, shape (rows, columns)
        A band of the grid.
    above : array of int, shape (columns,)
        The counts of the row above the band; `FAR` where there is none.

    Examples
    --------
    >>> gaps_below(np.array([[True, False], [False, False]]), np.array([3, 3], np.int32))
    array([[0, 4],
           [1, 5]], dtype=int32)
    """
    gaps = np.empty(marked.shape, np.int32)
    for row in range(len(marked)):
        above = np.where(marked[row], 0, np.minimum(above + 1, FAR)).astype(np.int32)
        gaps[row] = above
    return gaps


def cell_distances(gaps: Int32s) -> Floats:
    """Turn the rows to the nearest marked cell in each column into the distance to the nearest one, in cells.

    Infinite where no cell is marked.

    Examples
    --------
    >>> cell_distances(np.array([[0, FAR, FAR, 4]], np.int32))
    array([[0., 1., 2., 3.]])
    """
    squares = _rows(gaps.astype(np.int64))
    distance: Floats = np.sqrt(squares.astype(np.float64))
    distance[squares >= _FAR_SQUARE] = np.inf
    return distance


@entry_loop
def _rows(gaps: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Take in each row the lower envelope of the parabolas that stand on the columns (Meijster, Roerdink, Hesselink)."""
    rows, columns = gaps.shape
    best = np.empty((rows, columns), np.int64)
    stand, begin = np.empty(columns, np.int64), np.empty(columns, np.int64)
    for row in range(rows):
        g = gaps[row]
        top = 0
        stand[0] = begin[0] = 0
        for u in range(1, columns):
            while top >= 0:
                x, s = begin[top], stand[top]
                if (x - s) * (x - s) + g[s] * g[s] <= (x - u) * (x - u) + g[u] * g[u]:
                    break
                top -= 1
            if top < 0:
                top, stand[0], begin[0] = 0, u, 0
            else:
                s = stand[top]
                first = 1 + (u * u - s * s + g[u] * g[u] - g[s] * g[s]) // (2 * (u - s))
                if first < columns:
                    top += 1
                    stand[top], begin[top] = u, first
        for x in range(columns - 1, -1, -1):
            s = stand[top]
            square = (x - s) * (x - s) + g[s] * g[s]
            best[row, x] = min(square, _FAR_SQUARE)
            if x == begin[top]:
                top -= 1
    return best
