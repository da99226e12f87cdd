"""The kinds of rule: one module each, holding what the kind adds to a rule and how it is checked.

A kind is added by a module and a line in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lzgis.kinds.avoid import Avoid, check_avoid
from lzgis.kinds.base import Check, Hits
from lzgis.kinds.identify import Identify, check_identify
from lzgis.kinds.keep_away import KeepAway, check_keep_away
from lzgis.kinds.stay_inside import StayInside, check_stay_inside
from lzgis.rule import Rule


class Kind(NamedTuple):
    """A kind of rule: the record its TOML is read into, and the check.

    `absence_counts` says that the lack of a feature is itself an answer, which is none where the layer says nothing.
    """

    rule: type[Rule]
    check: Callable[[Rule, Check], Hits]
    absence_counts: bool = False


KINDS: dict[str, Kind] = {
    "avoid": Kind(Avoid, check_avoid),
    "keep_away": Kind(KeepAway, check_keep_away),
    "stay_inside": Kind(StayInside, check_stay_inside, absence_counts=True),
    "identify": Kind(Identify, check_identify, absence_counts=True),
}
