"""The kinds of rule for sites. Each has a module with the keys that it adds to a rule and its check.

To add a kind, write a module and add a line to `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple

import shapely

from lzgis.model.rules import Rule
from lzgis.rules.for_sites.avoid import Avoid, avoid_obstacles, check_avoid, overlap_parts, overlap_sizes
from lzgis.rules.for_sites.base import Check, Obstacles, Rows, matching_features
from lzgis.rules.for_sites.hits import Floats, Geometries, Hits
from lzgis.rules.for_sites.identify import Identify, check_identify, identify_parts
from lzgis.rules.for_sites.keep_away import (
    KeepAway,
    check_keep_away,
    keep_away_obstacles,
    keep_away_parts,
    keep_away_sizes,
    same_corridors,
)
from lzgis.rules.for_sites.stay_inside import (
    StayInside,
    check_stay_inside,
    stay_inside_obstacles,
    stay_inside_parts,
    stay_inside_sizes,
)


class Kind(NamedTuple):
    """A kind of rule.

    Attributes
    ----------
    rule : type
        The record that its TOML is parsed into.
    check : callable
        Returns the hits of a rule of this kind; at least one row per site that it concerns.
    parts : callable
        Builds the parts of the sites that rows of a rule of this kind are about, in the plane.
    about : callable
        Returns a key that is equal for rules whose rows with the same site, feature, layer and band have the same part.
    sizes : callable
        Measures these parts without building them: area, or length for lines.
    absence_counts : bool
        Whether a site without a feature is a hit. Where the layer has no data, it is 未核查 instead.
    obstacles : callable or None
        Returns the areas within a window that a site must not overlap, one row each; None if the kind forbids no area.
    overlaps : bool
        Whether the area of a hit is an overlap, which may be a digitising error.
    distances : bool
        Whether the rule is decided by a distance; outputs list its findings with the corridors.
    informs : bool
        Whether the findings only name the features that a site lies in, and are no conflicts.
    """

    rule: type[Rule]
    check: Callable[[Rule, Check], Hits]
    parts: Callable[[Rule, Check, Rows], Geometries]
    about: Callable[[Rule], Hashable]
    sizes: Callable[[Rule, Check, Rows], Floats]
    absence_counts: bool = False
    obstacles: Callable[[Rule, Check, shapely.Geometry], Obstacles] | None = None
    overlaps: bool = False
    distances: bool = False
    informs: bool = False


KINDS: dict[str, Kind] = {
    "avoid": Kind(
        Avoid, check_avoid, overlap_parts, matching_features, overlap_sizes, obstacles=avoid_obstacles, overlaps=True
    ),
    "keep_away": Kind(
        KeepAway,
        check_keep_away,
        keep_away_parts,
        same_corridors,
        keep_away_sizes,
        obstacles=keep_away_obstacles,
        distances=True,
    ),
    "stay_inside": Kind(
        StayInside,
        check_stay_inside,
        stay_inside_parts,
        matching_features,
        stay_inside_sizes,
        absence_counts=True,
        obstacles=stay_inside_obstacles,
        overlaps=True,
    ),
    "identify": Kind(
        Identify, check_identify, identify_parts, matching_features, overlap_sizes, absence_counts=True, informs=True
    ),
}

#: The kinds that are decided by a distance.
DISTANCE_KINDS = frozenset(name for name, kind in KINDS.items() if kind.distances)
#: The kinds whose findings only inform.
INFORMING_KINDS = frozenset(name for name, kind in KINDS.items() if kind.informs)
