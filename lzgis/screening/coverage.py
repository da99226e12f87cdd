"""Proof of coverage: where a layer has no data, a site is 未核查 and never passes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from lzgis.geometry import FeatureIndex, mean_width, nearest_rounded, outside_parts, part_of_dimension
from lzgis.model.report import RESOLUTION_M, Reason, State
from lzgis.model.rules import Rule
from lzgis.rules.for_sites.hits import Flags, Floats, Geometries, Hits, concatenated, not_checked, only
from lzgis.rules.for_sites.plane import PlaneSites


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
        """Whether the site is wholly covered."""
        return np.asarray(self.outside_share == 0)

    @property
    def none(self) -> Flags:
        """Whether no part of the site is covered."""
        return np.asarray(self.outside_share == 1)


def coverage_of(sites: PlaneSites, covered: shapely.Geometry) -> Coverage:
    """Measure how far the sites lie within the area `covered`, both in the plane."""
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


def covered(rows: Hits, rule: Rule, coverage: Coverage, concerned: np.ndarray) -> Hits:
    """Turn 不涉及 into 未核查 where the coverage does not prove it, and add a row for the part of a site outside.

    Hits stay as they are. A site nearer to the border of the coverage than the rule reaches may be hit by a feature
    beyond it, so its 不涉及 is no proof either. Only sites that the rule concerns keep their rows.
    """
    rows = only(rows, concerned[rows.site])
    hit = np.zeros(len(concerned), dtype=bool)
    hit[rows.site[rows.state != State.CLEAR]] = True
    near_edge = coverage.whole & (coverage.edge_distance_m < rule.reach_m) & ~hit
    clear = rows.state == State.CLEAR
    partly = np.flatnonzero(concerned & ~coverage.whole & ~coverage.none)
    return concatenated(
        [
            only(rows, ~(clear & (~coverage.whole | near_edge)[rows.site])),
            not_checked(np.flatnonzero(concerned & coverage.none), rule, Reason.OUTSIDE_CITY, 1.0),
            not_checked(np.flatnonzero(concerned & near_edge), rule, Reason.REACH_OUTSIDE),
            not_checked(partly, rule, Reason.PARTLY_OUTSIDE, coverage.outside_share[partly]),
        ]
    )
