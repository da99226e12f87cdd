"""``no_overlap``: features of two layers, or of one among each other, must not overlap."""

from __future__ import annotations

from typing import Literal

import numpy as np

from lzgis.geometry.pieces import Common, common_parts
from lzgis.model.rules import LayerRule
from lzgis.rules.for_layers.base import AuditContext, Found, both, clear, named, overlap_sentence, patch_rows
from lzgis.rules.for_sites.hits import Integers


class NoOverlap(LayerRule):
    """``no_overlap``: a common area is a conflict; a common border is not. One row per patch.

    Without `other`, features of the layer are held against each other. `same_field` keeps the pairs that have the same
    value of that field (zones of one reserve), `differing_field` those that have not (different reserves).
    """

    kind: Literal["no_overlap"]
    same_field: str = ""
    differing_field: str = ""


def check_no_overlap(rule: LayerRule, context: AuditContext) -> list[Found]:
    """Give a row per patch that two features share, or one 不涉及."""
    assert isinstance(rule, NoOverlap)
    layer, other = context.name(rule.layer), context.name(rule.other or rule.layer)
    lacking = both(context, rule, layer, other, rule.same_field, rule.differing_field)
    if lacking:
        return lacking
    mine = context.chosen(layer, rule.where)
    among = layer == other and not rule.other_where
    theirs = mine if among else context.chosen(other, rule.other_where)
    if among and context.fits(layer, mine):
        return [clear(layer, other)]
    common = common_parts(
        context.pieces(layer, mine), context.pieces(other, theirs), among=among, threads=context.threads
    )
    left, right = mine[common.left], theirs[common.right]
    keep = _wanted(rule, context, left, right)
    rows = _rows(rule, context, (layer, other), Common(left[keep], right[keep], common.part[keep]))
    return rows or [clear(layer, other)]


def _wanted(rule: NoOverlap, context: AuditContext, left: Integers, right: Integers) -> np.ndarray:
    keep = np.ones(len(left), dtype=bool)
    if rule.layer == (rule.other or rule.layer):
        keep &= left != right
    for name, same in ((rule.same_field, True), (rule.differing_field, False)):
        if name:
            frame, others = (
                context.layers[context.name(rule.layer)].frame,
                context.layers[context.name(rule.other or rule.layer)].frame,
            )
            keep &= (frame[name].to_numpy()[left] == others[name].to_numpy()[right]) == same
    return keep


def _rows(rule: NoOverlap, context: AuditContext, names: tuple[str, str], common: Common) -> list[Found]:
    one, two = (context.layers[name] for name in names)
    widest = np.minimum(one.index.mean_widths[common.left], two.index.mean_widths[common.right])

    def say(pair: int, area: float, width: float) -> Found:
        left, right = int(common.left[pair]), int(common.right[pair])
        what = overlap_sentence(named(one, left), named(two, right), area, width)
        return Found(names[0], feature=left, other_layer=names[1], other=right, what=what)

    return patch_rows(common.part, np.arange(len(common.part)), widest, context.width_for(rule), say)
