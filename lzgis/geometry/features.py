"""`FeatureIndex`: the geometries of a layer with a search tree, and results that are cached for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

Geometries = npt.NDArray[np.object_]
Integers = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FeatureIndex:
    """Geometries of one plane with a search tree, which is built when it is first used.

    Parameters
    ----------
    geometries : array of shapely geometries, shape (n,)
        Valid and not empty.

    Examples
    --------
    >>> index = FeatureIndex(np.array([shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)]))
    >>> len(index)
    2
    """

    geometries: Geometries
    #: What else was computed from these geometries, by name.
    cached: dict[str, Any] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.geometries)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Search tree over the bounding boxes."""
        return shapely.STRtree(self.geometries)

    @cached_property
    def dimensions(self) -> Integers:
        """0 for points, 1 for lines, 2 for polygons."""
        return np.asarray(shapely.get_dimensions(self.geometries), dtype=np.intp)

    @cached_property
    def mean_widths(self) -> Floats:
        """Mean width 2A/P of each geometry; infinite for lines and points."""
        area = shapely.area(self.geometries)
        return np.where(area > 0, 2 * area / np.maximum(shapely.length(self.geometries), 1e-300), np.inf)

    def borders(self, which: Integers) -> Geometries:
        """Return the border of some polygons, prepared and cached; an empty line for lines and points."""
        made: Geometries = self.cached.setdefault("borders", np.full(len(self), None, dtype=object))
        missing = np.unique(which)
        missing = missing[shapely.is_missing(made[missing])]
        polygonal = self.dimensions[missing] == 2
        made[missing] = shapely.LineString()
        made[missing[polygonal]] = shapely.boundary(self.geometries[missing[polygonal]])
        shapely.prepare(made[missing])
        return np.asarray(made[which], dtype=object)

    def take(self, which: Integers) -> FeatureIndex:
        """Index a choice of the geometries."""
        return FeatureIndex(self.geometries[which])
