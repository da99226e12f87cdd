"""``no_overlap``: features of two layers, or of one among each other, must not overlap."""

from __future__ import annotations

from typing import Literal

import numpy as np

from lzgis.geometry.layer_pieces import Common, common_parts
from lzgis.kinds.base import Integers
from lzgis.layer_kinds.base import Found, Ground, both, clear, named, overlap_sentence, patch_rows
from lzgis.rule import LayerRule


class NoOverlap(LayerRule):
    """``no_overlap``: a common area is a conflict; a common border is not. One row per patch.

    Without `other`, features of the layer are held against each other. `same_field` keeps the pairs that have the same
    value of that field (zones of one reserve), `differing_field` those that have not (different reserves).
    """

    kind: Literal["no_overlap"]
    same_field: str = ""
    differing_field: str = ""


def check_no_overlap(rule: LayerRule, ground: Ground) -> list[Found]:
    """Give a row per patch that two features share, or one 不涉及."""
    assert isinstance(rule, NoOverlap)
    layer, other = ground.name(rule.layer), ground.name(rule.other or rule.layer)
    lacking = both(ground, rule, layer, other, rule.same_field, rule.differing_field)
    if lacking:
        return lacking
    mine = ground.chosen(layer, rule.where)
    among = layer == other and not rule.other_where
    theirs = mine if among else ground.chosen(other, rule.other_where)
    if among and ground.fits(layer, mine):
        return [clear(layer, other)]
    common = common_parts(ground.pieces(layer, mine), ground.pieces(other, theirs), among=among, threads=ground.threads)
    left, right = mine[common.left], theirs[common.right]
    keep = _wanted(rule, ground, left, right)
    rows = _rows(rule, ground, (layer, other), Common(left[keep], right[keep], common.part[keep]))
    return rows or [clear(layer, other)]


def _wanted(rule: NoOverlap, ground: Ground, left: Integers, right: Integers) -> np.ndarray:
    keep = np.ones(len(left), dtype=bool)
    if rule.layer == (rule.other or rule.layer):
        keep &= left != right
    for name, same in ((rule.same_field, True), (rule.differing_field, False)):
        if name:
            frame, others = (
                ground.layers[ground.name(rule.layer)].frame,
                ground.layers[ground.name(rule.other or rule.layer)].frame,
            )
            keep &= (frame[name].to_numpy()[left] == others[name].to_numpy()[right]) == same
    return keep


def _rows(rule: NoOverlap, ground: Ground, names: tuple[str, str], common: Common) -> list[Found]:
    one, two = (ground.layers[name] for name in names)
    widest = np.minimum(one.index.mean_widths[common.left], two.index.mean_widths[common.right])

    def say(pair: int, area: float, width: float) -> Found:
        left, right = int(common.left[pair]), int(common.right[pair])
        what = overlap_sentence(named(one, left), named(two, right), area, width)
        return Found(names[0], feature=left, other_layer=names[1], other=right, what=what)

    return patch_rows(common.part, np.arange(len(common.part)), widest, ground.width_for(rule), say)
