"""The kinds of rule: one module each, holding what the kind adds to a rule and how it is checked.

A kind is added by a module and a line in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import shapely

from lzgis.model.rules import Rule
from lzgis.rules.for_sites.avoid import Avoid, avoid_obstacles, check_avoid
from lzgis.rules.for_sites.base import Check
from lzgis.rules.for_sites.hits import Hits
from lzgis.rules.for_sites.identify import Identify, check_identify
from lzgis.rules.for_sites.keep_away import KeepAway, check_keep_away, keep_away_obstacles
from lzgis.rules.for_sites.stay_inside import StayInside, check_stay_inside, stay_inside_obstacles


class Kind(NamedTuple):
    """A kind of rule: the record its TOML is read into, the check, and the ground that a site must not overlap.

    `absence_counts` says that the lack of a feature is itself an answer, which is none where the layer says nothing.
    `obstacles` gives that ground within a window, one row for each piece; None where the kind forbids no ground.
    """

    rule: type[Rule]
    check: Callable[[Rule, Check], Hits]
    absence_counts: bool = False
    obstacles: Callable[[Rule, Check, shapely.Geometry], Hits] | None = None


KINDS: dict[str, Kind] = {
    "avoid": Kind(Avoid, check_avoid, obstacles=avoid_obstacles),
    "keep_away": Kind(KeepAway, check_keep_away, obstacles=keep_away_obstacles),
    "stay_inside": Kind(StayInside, check_stay_inside, absence_counts=True, obstacles=stay_inside_obstacles),
    "identify": Kind(Identify, check_identify, absence_counts=True),
}
