"""The rules of a book as areas in the plane; a cell that touches none of them is free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.geometry import FeatureIndex
from lzgis.model.rules import Rule, RuleBook, Severity
from lzgis.rules.for_sites.baselines import baseline_features
from lzgis.rules.for_sites.keep_away import KeepAway
from lzgis.rules.for_sites.plane import PlaneLayer

#: Values of the severity band, the most severe highest; 0 is free.
LEVELS = {Severity.PROHIBITED: 3, Severity.CONDITIONAL: 2, Severity.NOTICE: 1}


@dataclass(frozen=True, eq=False)
class Constraint:
    """A part of a rule: all places within `reach_m` of one of the geometries (inside it, if `reach_m` is 0).

    Attributes
    ----------
    rule : int
        Position of the rule in the book.
    level : int
        Severity; see `LEVELS`.
    index : FeatureIndex
        The geometries, in the plane.
    reach_m : array of float
        The reach of each geometry, m.
    key : object
        Equal for constraints of the same shape, which are burnt only once.
    """

    rule: int
    level: int
    index: FeatureIndex
    reach_m: npt.NDArray[np.float64]
    key: Any


def constraints(
    book: RuleBook, layers: Mapping[str, PlaneLayer], outline: shapely.Geometry, activity: str
) -> tuple[list[Constraint], list[int]]:
    """Turn the rules of a book into areas; return them, and the positions of the rules that cannot be checked.

    With an activity, rules that do not concern it are skipped, and its exceptions are applied. Without one, rules for
    certain activities count as notices. The part of a corridor that depends on an assumed half-width is conditional at
    most.
    """
    found: list[Constraint] = []
    unchecked = []
    activities = book.widening(activity) if activity else frozenset()
    for number, rule in enumerate(book.rules):
        if activity and rule.activities and not activities & set(rule.activities):
            continue
        layer = layers.get(rule.layer)
        if layer is None or layer.missing_fields(rule.where) or not len(layer.frame):
            unchecked.append(number)
        if isinstance(rule, KeepAway):
            found += _corridor(number, rule, layers, activities)
        elif layer is not None and not layer.missing_fields(rule.where):
            found += _areas(number, rule, layer, outline, activities)
    return [one for one in found if len(one.index)], unchecked


def _areas(
    number: int, rule: Rule, layer: PlaneLayer, outline: shapely.Geometry, activities: frozenset[str]
) -> list[Constraint]:
    which = layer.matching(rule.where)
    if rule.kind == "stay_inside":
        covered = shapely.union_all(layer.index.geometries[which])
        rest = shapely.get_parts(shapely.difference(outline, covered))
        level = _levels(rule, layer, np.zeros(1, dtype=np.intp), activities)[0]
        key = ("outside", layer.id, which.tobytes())
        return [Constraint(number, int(level), FeatureIndex(rest), np.zeros(len(rest)), key)]
    levels = _levels(rule, layer, which, activities)
    found = []
    for level in np.unique(levels):
        own = which[levels == level]
        index = layer.index.take(own)
        found.append(Constraint(number, int(level), index, np.zeros(len(own)), (layer.id, own.tobytes())))
    return found


def _corridor(
    number: int, rule: KeepAway, layers: Mapping[str, PlaneLayer], activities: frozenset[str]
) -> list[Constraint]:
    present = [layers[name] for name in rule.layers if name in layers]
    features = baseline_features(
        present,
        layers.get(rule.layer),
        rule.where,
        assumed_half_width_m=rule.assumed_half_width_m,
        assumed_by=rule.assumed_by,
    )
    if not len(features.geometry):
        return []
    levels = np.zeros(len(features.geometry), dtype=np.intp)
    for layer in present:
        own = features.layer == layer.id
        levels[own] = _levels(rule, layer, features.feature[own], activities)
    demanded = np.where(features.is_zone, rule.from_zone_m, rule.distance_m)
    certain = demanded + features.known_m
    found = []
    for possible in (False, True):
        reach = certain + features.assumed_m if possible else certain
        wanted = features.assumed_m > 0 if possible else np.ones(len(reach), dtype=bool)
        capped = np.minimum(levels, LEVELS[Severity.CONDITIONAL]) if possible else levels
        for level in np.unique(capped[wanted]):
            own = np.flatnonzero(wanted & (capped == level))
            key = (rule.layers, repr(rule.where), own.tobytes(), reach[own].tobytes())
            found.append(Constraint(number, int(level), features.index.take(own), reach[own], key))
    return found


def _levels(
    rule: Rule, layer: PlaneLayer, which: npt.NDArray[np.intp], activities: frozenset[str]
) -> npt.NDArray[np.intp]:
    """Return the level of each feature for the activity: that of the first exception that fits, else that of the rule."""
    depends = rule.activities and not activities
    level = LEVELS[Severity.NOTICE if depends else rule.severity]
    levels = np.full(len(which), level, dtype=np.intp)
    undecided = np.ones(len(which), dtype=bool)
    for one in rule.unless:
        if activities & set(one.activity) and not layer.missing_fields(one.where):
            fits = undecided & np.isin(which, layer.matching(one.where))
            levels[fits] = LEVELS[one.severity]
            undecided &= ~fits
    return levels
