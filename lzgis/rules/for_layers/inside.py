"""``inside``: the features of a layer lie within those of another."""

from __future__ import annotations

from typing import Literal

import numpy as np
import shapely

from lzgis.geometry import FeatureIndex, outside_parts
from lzgis.geometry.pieces import uncovered_parts
from lzgis.messages import Message
from lzgis.model.report import RESOLUTION_M
from lzgis.model.rules import LayerRule
from lzgis.rules.for_layers.base import AuditContext, Found, both, clear, named, patch_rows
from lzgis.rules.for_sites.hits import Integers


class Inside(LayerRule):
    """``inside``: what of the layer lies outside of the `other` sticks out.

    `layer` may be ``"*"``, every layer of the city; `may_stick_out` names those that go on beyond, as roads and rivers
    do. With `same_field`, a feature must lie within the features that have the same value (a zone in its own reserve).
    """

    kind: Literal["inside"]
    same_field: str = ""
    may_stick_out: list[str] = []


def check_inside(rule: LayerRule, context: AuditContext) -> list[Found]:
    """Give a row per patch or line that sticks out, or one 不涉及 per layer."""
    assert isinstance(rule, Inside)
    rows = []
    for layer in context.of(rule):
        if layer in rule.may_stick_out:
            what = Message("goes on beyond the border, as the rule allows")
            rows.append(clear(layer, context.name(rule.other), what=what))
        else:
            rows += _layer(rule, context, layer)
    return rows


def _layer(rule: Inside, context: AuditContext, layer: str) -> list[Found]:
    other = context.name(rule.other)
    lacking = both(context, rule, layer, other, rule.same_field)
    if lacking:
        return lacking
    theirs = context.chosen(other, rule.other_where)
    rows: list[Found] = []
    for mine, around in _groups(rule, context, layer, theirs):
        rows += _areas(rule, context, layer, (mine, around)) + _lines(rule, context, layer, (mine, around))
    return sorted(rows, key=lambda row: -np.nan_to_num(row.area_m2)) or [clear(layer, other)]


def _groups(rule: Inside, context: AuditContext, layer: str, theirs: Integers) -> list[tuple[Integers, Integers]]:
    """Pair the features that are held to the rule with those that they must lie in."""
    here = context.layers[layer]
    mine = here.matching(rule.where)
    if not rule.same_field:
        return [(mine, theirs)]
    values = here.frame[rule.same_field].to_numpy()[mine]
    others = context.layers[context.name(rule.other)].frame[rule.same_field].to_numpy()[theirs]
    return [(mine[values == value], theirs[others == value]) for value in dict.fromkeys(values)]


def _areas(rule: Inside, context: AuditContext, layer: str, pair: tuple[Integers, Integers]) -> list[Found]:
    here, other = context.layers[layer], context.name(rule.other)
    mine = pair[0][shapely.area(here.index.geometries[pair[0]]) > 0]
    if not len(mine):
        return []
    rest = uncovered_parts(context.pieces(layer, mine), context.pieces(other, pair[1]).index, threads=context.threads)

    def say(feature: int, area: float, width: float) -> Found:
        what = Message(
            "{name} sticks out by {area:.2f} ㎡, {width:.2f} m wide on average",
            name=named(here, feature),
            area=area,
            width=width,
        )
        return Found(layer, feature=feature, other_layer=other, what=what)

    return patch_rows(rest, mine, here.index.mean_widths[mine], context.width_for(rule), say)


def _lines(rule: Inside, context: AuditContext, layer: str, pair: tuple[Integers, Integers]) -> list[Found]:
    here, other = context.layers[layer], context.name(rule.other)
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
        what = Message("{name} sticks out by {length:.2f} m", name=named(here, int(feature)), length=length)
        rows.append(Found(layer, feature=int(feature), other_layer=other, geometry=out, length_m=length, what=what))
    return rows
