"""The rules of a book as areas in the plane: what a cell must not touch to be free."""

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

#: What the severity band holds, the gravest highest; 0 is free.
LEVELS = {Severity.PROHIBITED: 3, Severity.CONDITIONAL: 2, Severity.NOTICE: 1}


@dataclass(frozen=True, eq=False)
class Constraint:
    """A part of a rule: every place nearer than `reach_m` to one of the geometries (or in one of them, if it is 0).

    Attributes
    ----------
    rule : int
        Position of the rule in the book.
    level : int
        How grave it is to be there; see `LEVELS`.
    index : FeatureIndex
        The geometries, in the plane.
    reach_m : array of float
        One number for each of them.
    key : object
        The same for constraints of the same shape, which are burnt only once.
    """

    rule: int
    level: int
    index: FeatureIndex
    reach_m: npt.NDArray[np.float64]
    key: Any


def constraints(
    book: RuleBook, layers: Mapping[str, PlaneLayer], outline: shapely.Geometry, activity: str
) -> tuple[list[Constraint], list[int]]:
    """Turn the rules of a book into areas; return them, and the positions of the rules that cannot be answered.

    With an activity, rules that do not concern it are passed over and exceptions that fit it applied; without one, rules
    for certain activities only inform. What a rule of distance reaches only with an assumed half-width is conditional
    at most.
    """
    found: list[Constraint] = []
    unanswered = []
    meant = book.widening(activity) if activity else frozenset()
    for number, rule in enumerate(book.rules):
        if activity and rule.activities and not meant & set(rule.activities):
            continue
        layer = layers.get(rule.layer)
        if layer is None or layer.missing_fields(rule.where) or not len(layer.frame):
            unanswered.append(number)
        if isinstance(rule, KeepAway):
            found += _corridor(number, rule, layers, meant)
        elif layer is not None and not layer.missing_fields(rule.where):
            found += _areas(number, rule, layer, outline, meant)
    return [one for one in found if len(one.index)], unanswered


def _areas(
    number: int, rule: Rule, layer: PlaneLayer, outline: shapely.Geometry, meant: frozenset[str]
) -> list[Constraint]:
    which = layer.matching(rule.where)
    if rule.kind == "stay_inside":
        covered = shapely.union_all(layer.index.geometries[which])
        rest = shapely.get_parts(shapely.difference(outline, covered))
        level = _levels(rule, layer, np.zeros(1, dtype=np.intp), meant)[0]
        key = ("outside", layer.id, which.tobytes())
        return [Constraint(number, int(level), FeatureIndex(rest), np.zeros(len(rest)), key)]
    levels = _levels(rule, layer, which, meant)
    found = []
    for level in np.unique(levels):
        own = which[levels == level]
        index = layer.index.take(own)
        found.append(Constraint(number, int(level), index, np.zeros(len(own)), (layer.id, own.tobytes())))
    return found


def _corridor(number: int, rule: KeepAway, layers: Mapping[str, PlaneLayer], meant: frozenset[str]) -> list[Constraint]:
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
        levels[own] = _levels(rule, layer, features.feature[own], meant)
    demanded = np.where(features.is_zone, rule.zone_distance_m, rule.distance_m)
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


def _levels(rule: Rule, layer: PlaneLayer, which: npt.NDArray[np.intp], meant: frozenset[str]) -> npt.NDArray[np.intp]:
    """How grave each feature is for the activity: by the first exception that fits it, else by the rule."""
    depends = rule.activities and not meant
    level = LEVELS[Severity.NOTICE if depends else rule.severity]
    levels = np.full(len(which), level, dtype=np.intp)
    undecided = np.ones(len(which), dtype=bool)
    for one in rule.unless:
        if meant & set(one.activity) and not layer.missing_fields(one.where):
            fits = undecided & np.isin(which, layer.matching(one.where))
            levels[fits] = LEVELS[one.severity]
            undecided &= ~fits
    return levels
