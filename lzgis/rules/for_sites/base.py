"""`Check`: the sites, layers and tolerances that the check of a kind gets; and functions that several kinds use.

The contract of a kind: the answer for one site depends only on that site and on the features within the reach of the
rule. Sites can therefore be checked in any order, in pieces and on other machines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from lzgis.geometry import FeatureIndex, Nearest, mean_width, nearest_rounded
from lzgis.model.report import RESOLUTION_M, State
from lzgis.model.rules import Rule
from lzgis.rules.for_sites.hits import Flags, Floats, Geometries, Hits, Integers, hits
from lzgis.rules.for_sites.plane import PlaneLayer, PlaneSites


@dataclass(frozen=True)
class Check:
    """What the check of a kind is given.

    Attributes
    ----------
    sites : PlaneSites
        The sites.
    layers : mapping of PlaneLayer
        The layers of the city by id.
    sliver_width_m : float
        Mean width (m) below which an overlap may be a sliver.
    cache : dict
        What rules have measured for these sites; see `remember`.
    """

    sites: PlaneSites
    layers: Mapping[str, PlaneLayer]
    sliver_width_m: float
    cache: dict[Any, Any] = field(default_factory=dict)

    def layer_where(self, layer: str, where: Mapping[str, list[str]]) -> tuple[PlaneLayer, Integers, FeatureIndex]:
        """Return a layer, the positions of its matching features, and an index of these."""
        whole = self.layers[layer]
        which = whole.matching(where)
        if len(which) == len(whole.frame):
            return whole, which, whole.index
        # Cached with the layer, for the next sites that are checked against it.
        cached, key = whole.index.cached, f"where {hashlib.sha256(which.tobytes()).hexdigest()}"
        if key not in cached:
            cached[key] = whole.index.take(which)
        chosen: FeatureIndex = cached[key]
        return whole, which, chosen

    def remember(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return the cached result for `key`, or call `make` and cache it. Rules that measure the same share the work."""
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]

    def nearest_to(self, key: Any, index: FeatureIndex, which: Integers) -> Nearest:
        """Find the nearest feature of `index` for the sites `which`; cached for all rules with the same `key`."""
        wanted = np.zeros(len(self.sites), dtype=bool)
        wanted[which] = True
        found: Nearest = self.remember(
            ("nearest", key, wanted.tobytes()), lambda: nearest_rounded(self.sites.shapes, index, wanted=wanted)
        )
        return found


def overlap_states(
    check: Check, site: Integers, parts: Geometries, feature_width: Floats
) -> tuple[Flags, Flags, Floats]:
    """Distinguish overlaps from mere contact, and slivers from conflicts.

    Returns
    -------
    real : array of bool
        The part is wider (or, for lines, longer) than `RESOLUTION_M`; points always are real.
    sliver : array of bool
        The part is real, but its mean width 2A/P is below the tolerance and below half that of the site and of the
        feature. A narrow lane that crosses a redline is no sliver: the part is as wide as the lane itself.
    width : array of float
        The mean width (m) of polygonal parts, NaN for others. Where it is below the tolerance, that of the widest piece:
        a real overlap at a long ragged border is no error.
    """
    dimension = shapely.get_dimensions(parts)
    tolerance = check.sliver_width_m
    width = mean_width(parts)
    thin = np.flatnonzero(width < tolerance)
    width[thin] = _widest_piece(_without_slits(parts[thin]))
    length = shapely.length(parts)
    real = np.where(
        dimension == 2, width > RESOLUTION_M, np.where(dimension == 1, length > RESOLUTION_M, dimension == 0)
    )
    narrow = width < np.minimum(tolerance, 0.5 * np.minimum(check.sites.mean_width[site], feature_width))
    short = (length < tolerance) & (length < 0.5 * shapely.length(check.sites.geometry[site]))
    sliver = real & np.where(dimension == 2, narrow, np.where(dimension == 1, short, False))
    return real.astype(bool), sliver.astype(bool), width


def _widest_piece(polygons: Geometries) -> Floats:
    pieces, owner = shapely.get_parts(polygons, return_index=True)
    widest = np.zeros(len(polygons))
    np.maximum.at(widest, owner, np.nan_to_num(mean_width(pieces)))
    return widest


def _without_slits(polygons: Geometries) -> Geometries:
    """Remove what is narrower than `RESOLUTION_M`: along a common border it adds perimeter, but no width."""
    half = RESOLUTION_M / 2
    shrunk = shapely.buffer(polygons, -half, join_style="mitre")
    return np.asarray(shapely.buffer(shrunk, half, join_style="mitre"), dtype=object)


def sizes(check: Check, site: Integers, parts: Geometries) -> tuple[Floats, Floats]:
    """Return the area (m²) of the parts of polygon sites and the length (m) of those of line sites; NaN for other sites."""
    dimension = check.sites.dimension[site]
    area = np.where(dimension == 2, shapely.area(parts), np.nan)
    length = np.where(dimension == 1, shapely.length(parts), np.nan)
    return area, length


def obstacle_rows(layer: str, feature: Integers, geometry: Geometries) -> Hits:
    """Make one 涉及 row for each area that the site at position 0 must not overlap."""
    site = np.zeros(len(feature), dtype=np.intp)
    return hits(site, layer, feature=feature, state=State.INVOLVED, geometry=geometry)


def clear_rows(check: Check, rule: Rule, missing: Integers) -> Hits:
    """Make 不涉及 rows for the sites `missing`, each with the distance to the nearest matching feature."""
    layer, which, index = check.layer_where(rule.layer, rule.where)
    found = check.nearest_to((layer.id, which.tobytes()), index, missing)
    right = found.right[missing]
    feature = np.where(right >= 0, which[right] if len(which) else -1, -1)
    return hits(missing, layer.id, feature=feature, distance_m=found.distance[missing])
