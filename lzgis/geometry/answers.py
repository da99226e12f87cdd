"""Results of measuring sites against layers: arrays of one length."""

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
        The area is below its error bound and the borders touch, so that floating point cannot tell whether the pair
        overlaps; GEOS decides.
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
        Its distance, NaN where there is none.
    undecided : array of bool
        The two are so near that rounding hides whether they touch; GEOS decides. A site with a common
        area is undecided if a vertex lies on the border of a cell, where rounding may hide a sliver shared with another
        feature.
    """

    right: Integers
    distance: Floats
    undecided: Flags
