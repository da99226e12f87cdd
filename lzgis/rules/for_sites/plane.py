"""Sites and layers projected to the plane of a city, as the kinds of rule take them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lzgis.coordinates.plane import Plane
from lzgis.geometry import FeatureIndex, SiteShapes, mean_width
from lzgis.model.catalogue import LayerSpec
from lzgis.rules.for_sites.geodesic import LocalPlanes, lengths_m
from lzgis.rules.for_sites.hits import Floats, Geometries, Integers


@dataclass(frozen=True, eq=False)
class PlaneSites:
    """The sites to check, in the plane of the city; arrays with one element per site.

    `plane` is given if the city is so large that lengths in its plane are not exact; `local` measures them then.
    """

    geometry: Geometries
    plane: Plane | None = None

    @cached_property
    def local(self) -> LocalPlanes | None:
        """Planes around the sites, in which lengths and distances are measured; None if those of the city's plane are exact."""
        return None if self.plane is None else LocalPlanes(self.plane, self.geometry)

    @cached_property
    def shapes(self) -> SiteShapes:
        """The shapes as the geometry functions take them."""
        return SiteShapes(self.geometry)

    @cached_property
    def dimension(self) -> Integers:
        """0 for points, 1 for lines, 2 for polygons."""
        return self.shapes.dimensions

    @cached_property
    def size(self) -> Floats:
        """Area (m²) of polygons, length (m) of lines, NaN for points."""
        length = shapely.length(self.geometry)
        if self.plane is not None:
            lines = self.dimension == 1
            length[lines] = lengths_m(self.geometry[lines], self.plane)
        size = np.where(self.dimension == 2, shapely.area(self.geometry), length)
        return np.where(self.dimension == 0, np.nan, size)

    @cached_property
    def mean_width(self) -> Floats:
        """Mean width 2A/P (m) of polygons, infinite for others."""
        return np.where(self.dimension == 2, mean_width(self.geometry), np.inf)

    def __len__(self) -> int:
        return len(self.geometry)


def as_texts(column: pd.Series) -> pd.Series:
    """Return the values of a field as the texts by which rules name them: 110 and 110.0 are "110"."""
    return column.map("{:.10g}".format, na_action="ignore") if pd.api.types.is_numeric_dtype(column) else column


@dataclass(frozen=True, eq=False)
class PlaneLayer:
    """A layer in the plane of the city: the fields of its features, and an index of their geometries.

    `doubtful` holds, for every feature that cannot be relied on, where it may lie, or None where that is unknown.
    """

    id: str
    spec: LayerSpec
    frame: gpd.GeoDataFrame
    index: FeatureIndex
    doubtful: tuple[shapely.Geometry | None, ...] = ()

    @cached_property
    def names_and_ids(self) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
        """Name and id of each feature."""
        return self.frame["name"].to_numpy(dtype=object), self.frame["id"].to_numpy(dtype=object)

    @cached_property
    def objects(self) -> npt.NDArray[np.object_]:
        """The object that each feature is part of: the value of the field by which the layer is grouped, else its own id."""
        own = self.id + ":" + self.frame["id"].astype(str)
        if self.spec.group is None or self.spec.group not in self.frame.columns:
            return np.asarray(own, dtype=object)
        group = self.frame[self.spec.group]
        return np.asarray(group.where(group.notna() & (group != ""), own), dtype=object)

    def matching(self, where: Mapping[str, list[str]]) -> Integers:
        """Positions of the features whose fields hold one of the listed values, for every field listed."""
        # Cached with the layer: many rules are about the same features.
        key = f"matching {where!r}"
        if key not in self.index.cached:
            self.index.cached[key] = self._matching(where)
        found: Integers = self.index.cached[key]
        return found

    def _matching(self, where: Mapping[str, list[str]]) -> Integers:
        keep = np.ones(len(self.frame), dtype=bool)
        for name, values in where.items():
            keep &= as_texts(self.frame[name]).isin(values).to_numpy()
        return np.flatnonzero(keep)

    def missing_fields(self, where: Mapping[str, list[str]]) -> list[str]:
        """Fields of `where` that the layer does not have."""
        return [name for name in where if name not in self.frame.columns]
