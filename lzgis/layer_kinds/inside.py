"""``inside``: the features of a layer lie within those of another."""

from __future__ import annotations

from typing import Literal

import numpy as np
import shapely

from lzgis.geometry import FeatureIndex, outside_parts
from lzgis.geometry.layer_pieces import uncovered_parts
from lzgis.kinds.base import RESOLUTION_M, Integers
from lzgis.layer_kinds.base import Found, Ground, both, clear, named, patch_rows
from lzgis.messages import Message
from lzgis.rule import LayerRule


class Inside(LayerRule):
    """``inside``: what of the layer lies outside of the `other` sticks out.

    `layer` may be ``"*"``, every layer of the city; `may_stick_out` names those that go on beyond, as roads and rivers
    do. With `same_field`, a feature must lie within the features that have the same value (a zone in its own reserve).
    """

    kind: Literal["inside"]
    same_field: str = ""
    may_stick_out: list[str] = []


def check_inside(rule: LayerRule, ground: Ground) -> list[Found]:
    """Give a row per patch or line that sticks out, or one 不涉及 per layer."""
    assert isinstance(rule, Inside)
    rows = []
    for layer in ground.of(rule):
        if layer in rule.may_stick_out:
            what = Message("goes on beyond the border, as the rule allows")
            rows.append(clear(layer, ground.name(rule.other), what=what))
        else:
            rows += _layer(rule, ground, layer)
    return rows


def _layer(rule: Inside, ground: Ground, layer: str) -> list[Found]:
    other = ground.name(rule.other)
    lacking = both(ground, rule, layer, other, rule.same_field)
    if lacking:
        return lacking
    theirs = ground.chosen(other, rule.other_where)
    rows: list[Found] = []
    for mine, around in _groups(rule, ground, layer, theirs):
        rows += _areas(rule, ground, layer, (mine, around)) + _lines(rule, ground, layer, (mine, around))
    return sorted(rows, key=lambda row: -np.nan_to_num(row.area_m2)) or [clear(layer, other)]


def _groups(rule: Inside, ground: Ground, layer: str, theirs: Integers) -> list[tuple[Integers, Integers]]:
    """Pair the features that are held to the rule with those that they must lie in."""
    here = ground.layers[layer]
    mine = here.matching(rule.where)
    if not rule.same_field:
        return [(mine, theirs)]
    values = here.frame[rule.same_field].to_numpy()[mine]
    others = ground.layers[ground.name(rule.other)].frame[rule.same_field].to_numpy()[theirs]
    return [(mine[values == value], theirs[others == value]) for value in dict.fromkeys(values)]


def _areas(rule: Inside, ground: Ground, layer: str, pair: tuple[Integers, Integers]) -> list[Found]:
    here, other = ground.layers[layer], ground.name(rule.other)
    mine = pair[0][shapely.area(here.index.geometries[pair[0]]) > 0]
    if not len(mine):
        return []
    rest = uncovered_parts(ground.pieces(layer, mine), ground.pieces(other, pair[1]).index, threads=ground.threads)

    def say(feature: int, area: float, width: float) -> Found:
        what = Message(
            "{name} sticks out by {area:.2f} ㎡, {width:.2f} m wide on average",
            name=named(here, feature),
            area=area,
            width=width,
        )
        return Found(layer, feature=feature, other_layer=other, what=what)

    return patch_rows(rest, mine, here.index.mean_widths[mine], ground.width_for(rule), say)


def _lines(rule: Inside, ground: Ground, layer: str, pair: tuple[Integers, Integers]) -> list[Found]:
    here, other = ground.layers[layer], ground.name(rule.other)
    geometry = here.index.geometries
    mine = pair[0][shapely.get_dimensions(geometry[pair[0]]) < 2]
    if not len(mine):
        return []
    around = FeatureIndex(ground.layers[other].index.geometries[pair[1]])
    rest = outside_parts(geometry[mine], around, resolution=RESOLUTION_M)
    rows = []
    for feature, out in zip(mine, rest, strict=True):
        length = float(shapely.length(out))
        if shapely.is_empty(out) or (shapely.get_dimensions(out) == 1 and length <= RESOLUTION_M):
            continue
        what = Message("{name} sticks out by {length:.2f} m", name=named(here, int(feature)), length=length)
        rows.append(Found(layer, feature=int(feature), other_layer=other, geometry=out, length_m=length, what=what))
    return rows
