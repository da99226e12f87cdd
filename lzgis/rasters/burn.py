"""Areas burnt into cells so that no cell is left out that one of them touches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
from rasterio import Affine

from lzgis.geometry.layer_pieces import border_chains, line_chains
from lzgis.geometry.raster_cells import cells_along, cells_within
from lzgis.kinds.base import RESOLUTION_M
from lzgis.rasters.constraints import Constraint

#: Segments per quarter circle of buffers. They are drawn around the true circle, so that they reach 0.03 % too far.
ARC_SEGMENTS = 32
#: Rules in one word: as many bits as a float32 holds whole, since all bands of a GeoTIFF are of one type.
BITS = 24
#: Lines and borders of more vertices than this are widened in stretches.
_MANY_VERTICES = 128
_AROUND = 1 / np.cos(np.pi / (4 * ARC_SEGMENTS))


class Piece(NamedTuple):
    """A piece of a grid in the plane: its corner, the side of its cells, its rows and columns."""

    west: float
    north: float
    cell_m: float
    shape: tuple[int, int]

    @property
    def transform(self) -> Affine:
        """Column and row to metres."""
        return Affine(self.cell_m, 0.0, self.west, 0.0, -self.cell_m, self.north)

    def box(self, margin_m: float) -> shapely.Polygon:
        """Draw the piece with something around it."""
        rows, columns = self.shape
        south, east = self.north - rows * self.cell_m, self.west + columns * self.cell_m
        return shapely.box(self.west - margin_m, south - margin_m, east + margin_m, self.north + margin_m)


def burn(piece: Piece, one: Constraint) -> npt.NDArray[np.bool_]:
    """Mark every cell that a constraint touches.

    A cell is marked if its square comes within 1 mm of the area (which screening calls touching); a cell farther away
    than that, and than the 0.03 % by which arcs are drawn too wide, is not.
    """
    widest = float(one.reach_m.max(initial=0.0))
    near = one.index.tree.query(piece.box(widest + 1.0))
    return touched(piece, one.index.geometries[near], one.reach_m[near])


def touched(piece: Piece, geometries: Any, reach_m: Any) -> npt.NDArray[np.bool_]:
    """Mark every cell within `reach_m` of the geometries, which are cut to what can matter here."""
    reach = np.broadcast_to(np.asarray(reach_m, dtype=float), np.shape(geometries))
    window = piece.box(float(reach.max(initial=0.0)) + 2 * piece.cell_m)
    inside = shapely.covered_by(geometries, window)
    local = np.where(inside, geometries, shapely.intersection(geometries, window))
    local = _widened(local, reach)
    if not len(local):
        return np.zeros(piece.shape, dtype=bool)
    # In cells from the corner of the piece. A cell is touched if a border runs through it, or it lies wholly within,
    # and then so does its centre.
    corner = np.array([piece.west, piece.north])
    placed = shapely.transform(local, lambda at: (at - corner) / (piece.cell_m, -piece.cell_m))
    return cells_within(placed, piece.shape) | cells_along(shapely.boundary(placed), piece.shape)


def _widened(geometries: Any, reach_m: npt.NDArray[np.float64]) -> npt.NDArray[np.object_]:
    """Widen geometries by their reach, long lines and borders in short stretches, which overlap: as one, they take far longer."""
    single, owner = shapely.get_parts(geometries, return_index=True)
    dimension = shapely.get_dimensions(single)
    many = (shapely.get_num_coordinates(single) > _MANY_VERTICES) & (dimension > 0)
    areas, lines = np.flatnonzero(many & (dimension == 2)), np.flatnonzero(many & (dimension == 1))
    borders, stretches = border_chains(single[areas]), line_chains(single[lines])
    shapes = np.concatenate([single[~many], borders.geometries, stretches.geometries])
    of = np.concatenate([owner[~many], owner[areas][borders.owner], owner[lines][stretches.owner]])
    wide = shapely.buffer(shapes, (reach_m[of] + RESOLUTION_M) * _AROUND, quad_segs=ARC_SEGMENTS)
    made = np.concatenate([wide, single[areas]])
    return np.asarray(made[~shapely.is_empty(made)], dtype=object)


class Burnt(NamedTuple):
    """What constraints make of a piece: words of `BITS` rules each, and the gravest level."""

    words: npt.NDArray[np.uint32]
    level: npt.NDArray[np.uint8]


def burn_all(piece: Piece, found: Sequence[Constraint], rules: int) -> Burnt:
    """Burn all constraints of a book of so many rules into a piece; those of one shape only once."""
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
