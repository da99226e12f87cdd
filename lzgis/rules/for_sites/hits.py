"""Hits: the table that the check of a rule returns, one or more rows per site."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lzgis.model.report import Reason, State
from lzgis.model.rules import Rule

Geometries = npt.NDArray[np.object_]
Integers = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Hits:
    """The results of one rule: at least one row per site, in any state.

    Arrays of equal length. `site` and `feature` are positions, the latter in `layer` and -1 for none; the other columns
    are those of `lzgis.model.report.FINDING_COLUMNS`.
    """

    site: Integers
    layer: npt.NDArray[np.object_]
    feature: Integers
    state: npt.NDArray[np.object_]
    reason: npt.NDArray[np.object_]
    area_m2: Floats
    area_possible_m2: Floats
    length_m: Floats
    distance_m: Floats
    required_m: Floats
    required_possible_m: Floats
    margin: Floats
    band: npt.NDArray[np.object_]
    baseline: npt.NDArray[np.object_]
    half_width_m: Floats
    mean_width_m: Floats
    unchecked_share: Floats
    #: Whether the row is about a part of the site that can be built.
    has_part: Flags

    def __len__(self) -> int:
        return len(self.site)

    def changed(self, **columns: Any) -> Hits:
        """Return the rows with some columns replaced."""
        return replace(self, **columns)


def hits(site: Integers, layer: str, **columns: Any) -> Hits:
    """Make rows for the sites `site`, all from one layer. A column not given is empty, NaN or, for `feature`, -1."""
    n = len(site)
    values: dict[str, Any] = {"site": np.asarray(site, dtype=np.intp), "layer": full(n, layer)}
    for one in fields(Hits):
        if one.name in values:
            continue
        given = columns.pop(one.name, None)
        values[one.name] = full(n, _EMPTY.get(one.name, np.nan) if given is None else given)
    if columns:
        raise TypeError(f"no such columns: {sorted(columns)}")
    return Hits(**values)


_EMPTY: dict[str, Any] = {
    "feature": -1,
    "state": State.CLEAR,
    "reason": Reason.NONE,
    "band": "",
    "baseline": "",
    "has_part": False,
}


def full(n: int, value: Any) -> npt.NDArray[Any]:
    """Return a column of one value, or the array that is given; `numpy.full` would make a text anew for each row."""
    if isinstance(value, np.ndarray):
        return value
    dtype = (
        bool
        if isinstance(value, bool)
        else np.intp
        if isinstance(value, int)
        else float
        if isinstance(value, float)
        else object
    )
    array = np.empty(n, dtype=dtype)
    array[:] = value
    return array


def concatenated(parts: list[Hits]) -> Hits:
    """Concatenate rows and sort them by site; rows of one site keep their order."""
    columns = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Hits)}
    order = np.argsort(columns["site"], kind="stable")
    return Hits(**{name: values[order] for name, values in columns.items()})


def not_checked(which: Integers, rule: Rule, reason: Reason, share: Any = np.nan) -> Hits:
    """Make a 未核查 row for each site `which`."""
    return hits(which, rule.layer, state=State.NOT_CHECKED, reason=reason, unchecked_share=share)


def only(rows: Hits, keep: np.ndarray) -> Hits:
    """Return the rows where `keep` is true."""
    return Hits(**{name: getattr(rows, name)[keep] for name in Hits.__dataclass_fields__})
