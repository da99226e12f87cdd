"""``inside``: the features of a layer lie within those of another."""

from __future__ import annotations

import math
from typing import Any, Literal

import shapely

from lzgis.geometry import FeatureIndex, outside_parts
from lzgis.geometry.layer_pieces import uncovered_parts
from lzgis.messages import Message
from lzgis.model.report import RESOLUTION_M
from lzgis.model.rules import LayerRule
from lzgis.rules.for_layers.base import (
    AuditContext,
    LayerFinding,
    clear_row,
    feature_name,
    missing_input_rows,
    patch_rows,
)
from lzgis.rules.for_sites.hits import Integers


class Inside(LayerRule):
    """``inside``: no part of the layer lies outside the `other`.

    `layer` may be ``"*"``, every layer of the city; `may_stick_out` names layers that may continue beyond, as roads and
    rivers do. With `same_field`, a feature must lie within the features with the same value (a zone in its own reserve).
    """

    kind: Literal["inside"]
    same_field: str = ""
    may_stick_out: list[str] = []


def check_inside(rule: LayerRule, context: AuditContext) -> list[LayerFinding]:
    """Return a row per patch or line that sticks out, or one 不涉及 per layer."""
    assert isinstance(rule, Inside)
    rows = []
    for layer in context.layers_of(rule):
        if layer in rule.may_stick_out:
            what = Message("goes on beyond the border, as the rule allows")
            rows.append(clear_row(layer, context.layer_id(rule.other), what=what))
        else:
            rows += _check_layer(rule, context, layer)
    return rows


def _check_layer(rule: Inside, context: AuditContext, layer: str) -> list[LayerFinding]:
    other = context.layer_id(rule.other)
    unchecked = missing_input_rows(context, rule, layer, other, rule.same_field)
    if unchecked:
        return unchecked
    theirs = context.areal_features(other, rule.other_where)
    rows: list[LayerFinding] = []
    for mine, around in _groups(rule, context, layer, theirs):
        rows += _areas(rule, context, layer, (mine, around)) + _lines(rule, context, layer, (mine, around))
    return sorted(rows, key=lambda row: 0.0 if math.isnan(row.area_m2) else -row.area_m2) or [clear_row(layer, other)]


def _groups(rule: Inside, context: AuditContext, layer: str, theirs: Integers) -> list[tuple[Integers, Integers]]:
    """Pair the features that the rule checks with those that they must lie in."""
    here = context.layers[layer]
    mine = here.matching(rule.where)
    if not rule.same_field:
        return [(mine, theirs)]
    values = here.frame[rule.same_field].to_numpy()[mine]
    others = context.layers[context.layer_id(rule.other)].frame[rule.same_field].to_numpy()[theirs]
    return [(mine[values == value], theirs[others == value]) for value in dict.fromkeys(values)]


def _areas(rule: Inside, context: AuditContext, layer: str, pair: tuple[Integers, Integers]) -> list[LayerFinding]:
    here, other = context.layers[layer], context.layer_id(rule.other)
    mine = pair[0][shapely.area(here.index.geometries[pair[0]]) > 0]
    if not len(mine):
        return []
    rest = uncovered_parts(context.pieces(layer, mine), context.pieces(other, pair[1]).index, threads=context.threads)

    def describe(feature: int, area: float, width: float) -> dict[str, Any]:
        what = Message(
            "{name} sticks out by {area:.2f} ㎡, {width:.2f} m wide on average",
            name=feature_name(here, feature),
            area=area,
            width=width,
        )
        return {"layer": layer, "feature": feature, "other_layer": other, "what": what}

    return patch_rows(rest, mine, here.index.mean_widths[mine], context.width_for(rule), describe)


def _lines(rule: Inside, context: AuditContext, layer: str, pair: tuple[Integers, Integers]) -> list[LayerFinding]:
    here, other = context.layers[layer], context.layer_id(rule.other)
    geometry = here.index.geometries
    mine = pair[0][shapely.get_dimensions(geometry[pair[0]]) < 2]
    if not len(mine):
        return []
    around = FeatureIndex(context.layers[other].index.geometries[pair[1]])
    rest = outside_parts(geometry[mine], around, resolution=RESOLUTION_M)
    rows = []
    for feature, out in zip(mine, rest, strict=True):
        length = float(shapely.length(out))
        if shapely.is_empty(out) or (shapely.get_dimensions(out) == 1 and length <= RESOLUTION_M):
            continue
        what = Message("{name} sticks out by {length:.2f} m", name=feature_name(here, int(feature)), length=length)
        rows.append(
            LayerFinding(layer, feature=int(feature), other_layer=other, geometry=out, length_m=length, what=what)
        )
    return rows
