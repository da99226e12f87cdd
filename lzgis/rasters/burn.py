"""Burn areas into cells; every cell that an area touches is marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
from rasterio import Affine

from lzgis.geometry.layer_pieces import border_chains, line_chains
from lzgis.geometry.overlay import buffered
from lzgis.geometry.raster_cells import cells_along, cells_within
from lzgis.model.report import RESOLUTION_M
from lzgis.rasters.constraints import Constraint

#: Segments per quarter circle of buffers. They circumscribe the true circle, so a buffer is up to 0.03 % too wide.
ARC_SEGMENTS = 32
#: Rules per word: the bits of the largest integer that float32 holds exactly; all bands of a GeoTIFF have one type.
BITS = 24
#: Lines and borders with more vertices than this are buffered in stretches.
_MANY_VERTICES = 128
_CIRCUMSCRIBED = 1 / np.cos(np.pi / (4 * ARC_SEGMENTS))


class Piece(NamedTuple):
    """A window of a grid in the plane: its north-west corner, the side of its cells (m), its rows and columns."""

    west: float
    north: float
    cell_m: float
    shape: tuple[int, int]

    @property
    def transform(self) -> Affine:
        """The transform from column and row to metres."""
        return Affine(self.cell_m, 0.0, self.west, 0.0, -self.cell_m, self.north)

    def box(self, margin_m: float) -> shapely.Polygon:
        """Return the piece as a rectangle, enlarged by a margin."""
        rows, columns = self.shape
        south, east = self.north - rows * self.cell_m, self.west + columns * self.cell_m
        return shapely.box(self.west - margin_m, south - margin_m, east + margin_m, self.north + margin_m)


def burn(piece: Piece, one: Constraint) -> npt.NDArray[np.bool_]:
    """Mark every cell that a constraint touches.

    A cell is marked if its square lies within 1 mm of the area, which screening calls touching. Buffers are up to 0.03 %
    too wide; cells beyond that are not marked.
    """
    widest = float(one.reach_m.max(initial=0.0))
    near = one.index.tree.query(piece.box(widest + 1.0))
    return touched(piece, one.index.geometries[near], one.reach_m[near])


def touched(piece: Piece, geometries: Any, reach_m: Any) -> npt.NDArray[np.bool_]:
    """Mark every cell within `reach_m` of the geometries, after clipping them to the surroundings of the piece."""
    reach = np.broadcast_to(np.asarray(reach_m, dtype=float), np.shape(geometries))
    window = piece.box(float(reach.max(initial=0.0)) + 2 * piece.cell_m)
    inside = shapely.covered_by(geometries, window)
    local = np.where(inside, geometries, shapely.intersection(geometries, window))
    local = _buffered(local, reach)
    if not len(local):
        return np.zeros(piece.shape, dtype=bool)
    # In units of cells from the corner of the piece. A cell is touched if a border runs through it, or if it lies wholly
    # inside, and then its centre does too.
    corner = np.array([piece.west, piece.north])
    in_cells = shapely.transform(local, lambda at: (at - corner) / (piece.cell_m, -piece.cell_m))
    return cells_within(in_cells, piece.shape) | cells_along(shapely.boundary(in_cells), piece.shape)


def _buffered(geometries: Any, reach_m: npt.NDArray[np.float64]) -> npt.NDArray[np.object_]:
    """Buffer geometries by their reach; long lines and borders in overlapping stretches, which is much faster."""
    single, owner = shapely.get_parts(geometries, return_index=True)
    dimension = shapely.get_dimensions(single)
    many = (shapely.get_num_coordinates(single) > _MANY_VERTICES) & (dimension > 0)
    areas, lines = np.flatnonzero(many & (dimension == 2)), np.flatnonzero(many & (dimension == 1))
    borders, stretches = border_chains(single[areas]), line_chains(single[lines])
    shapes = np.concatenate([single[~many], borders.geometries, stretches.geometries])
    of = np.concatenate([owner[~many], owner[areas][borders.owner], owner[lines][stretches.owner]])
    wide = buffered(shapes, (reach_m[of] + RESOLUTION_M) * _CIRCUMSCRIBED, quad_segs=ARC_SEGMENTS)
    made = np.concatenate([wide, single[areas]])
    return np.asarray(made[~shapely.is_empty(made)], dtype=object)


class Burnt(NamedTuple):
    """The burnt constraints of a piece: words of `BITS` rules each, and the highest level of each cell."""

    words: npt.NDArray[np.uint32]
    level: npt.NDArray[np.uint8]


def burn_all(piece: Piece, found: Sequence[Constraint], rules: int) -> Burnt:
    """Burn all constraints of a book with `rules` rules into a piece; constraints of the same shape only once."""
    words = np.zeros((max(1, -(-rules // BITS)), *piece.shape), np.uint32)
    level = np.zeros(piece.shape, np.uint8)
    marks: dict[Any, npt.NDArray[np.bool_]] = {}
    for one in found:
        if one.key not in marks:
            marks[one.key] = burn(piece, one)
        here = marks[one.key]
        word, bit = divmod(one.rule, BITS)
        words[word][here] |= np.uint32(1 << bit)
        np.maximum(level, np.uint8(one.level), out=level, where=here)
    return Burnt(words, level)
