"""Proof of coverage: where a layer says nothing, a site is 未核查 and never passes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from lzgis.geometry import FeatureIndex, mean_width, nearest_rounded, outside_parts, part_of_dimension
from lzgis.kinds.base import RESOLUTION_M, Flags, Floats, Geometries, PlaneSites


@dataclass(frozen=True, eq=False)
class Coverage:
    """How far the sites lie within what a layer covers; arrays with one element per site.

    Attributes
    ----------
    outside_share : array of float
        Share of the site (of its area, of its length, or 1 for a point) that lies outside.
    edge_distance_m : array of float
        Distance from the site to the border of the coverage.
    inside : array of shapely geometries
        The part of each site that is covered.
    """

    outside_share: Floats
    edge_distance_m: Floats
    inside: Geometries

    @property
    def whole(self) -> Flags:
        """Whether the site is covered wholly."""
        return np.asarray(self.outside_share == 0)

    @property
    def none(self) -> Flags:
        """Whether no part of the site is covered."""
        return np.asarray(self.outside_share == 1)


def coverage_of(sites: PlaneSites, covered: shapely.Geometry) -> Coverage:
    """Measure the sites against the area that a layer covers, both in the plane."""
    shapely.prepare(covered)
    geometry = sites.geometry
    share = np.zeros(len(sites))
    inside = geometry.copy()
    doubtful = np.flatnonzero(~shapely.contains_properly(covered, geometry))
    rest = outside_parts(geometry[doubtful], FeatureIndex(np.array([covered], dtype=object)), resolution=RESOLUTION_M)
    out = ~shapely.is_empty(rest)
    dimension = sites.dimension[doubtful]
    thin = np.where(dimension == 2, mean_width(rest) <= RESOLUTION_M, shapely.length(rest) <= RESOLUTION_M)
    out &= (dimension == 0) | ~thin
    size = np.where(dimension == 2, shapely.area(rest), shapely.length(rest))
    share[doubtful] = np.where(out, np.where(dimension == 0, 1.0, size / sites.size[doubtful]), 0.0)
    cut = doubtful[out]
    inside[cut] = part_of_dimension(shapely.intersection(geometry[cut], covered), sites.dimension[cut])
    width, length = mean_width(inside[cut]), shapely.length(inside[cut])
    share[cut[~(np.where(sites.dimension[cut] == 2, width, length) > RESOLUTION_M)]] = 1.0
    border = FeatureIndex(np.array([shapely.boundary(covered)], dtype=object))
    return Coverage(share, nearest_rounded(sites.shapes, border).distance, inside)
