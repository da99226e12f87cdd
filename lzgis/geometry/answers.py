"""What measuring sites against layers gives: arrays of one length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lzgis.geometry.features import Floats, Integers

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Areas:
    """Pairs with a common area, sorted by `left`, then `right`; arrays of one length.

    Attributes
    ----------
    left, right : array of int
        Positions among the sites and among the polygons of the grid.
    area : array of float
        The common area.
    undecided : array of bool
        The area is below its own error bound and the borders touch: whether the pair overlaps is not for floating
        point to say. `decided` asks GEOS.
    """

    left: Integers
    right: Integers
    area: Floats
    undecided: Flags

    def take(self, which: npt.NDArray[np.generic]) -> Areas:
        """Choose some of the pairs."""
        return Areas(self.left[which], self.right[which], self.area[which], self.undecided[which])


@dataclass(frozen=True)
class Distances:
    """The nearest feature to each site.

    Attributes
    ----------
    right : array of int
        Its position in the layer, -1 where there is none; of several equally near, the first.
    distance : array of float
        How far it is, NaN where there is none.
    undecided : array of bool
        So near that rounding hides whether the two touch; `decided_nearest` asks GEOS. For a site with a common area:
        one with a vertex on the border of a cell, where rounding may hide a sliver shared with another feature.
    """

    right: Integers
    distance: Floats
    undecided: Flags


@dataclass(frozen=True)
class Measured:
    """Sites against one layer.

    Attributes
    ----------
    areas : Areas
        Pairs with a common area.
    nearest : Distances
        For every site the nearest feature; for a site with a common area the first it shares one with, at distance 0.
    """

    areas: Areas
    nearest: Distances


@dataclass(frozen=True)
class Insides:
    """Pairs of a line or point and a polygon it lies in, wholly or in part, sorted by `left`, then `right`.

    Attributes
    ----------
    left, right : array of int
        Positions among the lines and points, and in the layer.
    length : array of float
        How much of the line lies inside; 0 for points.
    undecided : array of bool
        The line runs along the border, or no more of it is inside than rounding can make; the point is on the
        border, as far as rounding can tell. `decided_insides` asks GEOS.
    """

    left: Integers
    right: Integers
    length: Floats
    undecided: Flags
