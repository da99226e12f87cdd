"""``no_overlap``: features of two layers, or of one layer, must not overlap."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from lzgis.geometry.layer_pieces import Common, common_parts
from lzgis.model.rules import LayerRule
from lzgis.rules.for_layers.base import (
    AuditContext,
    LayerFinding,
    clear_row,
    feature_name,
    missing_input_rows,
    overlap_sentence,
    patch_rows,
)
from lzgis.rules.for_sites.hits import Integers


class NoOverlap(LayerRule):
    """``no_overlap``: a common area is a conflict; a common border is not. One row per patch.

    Without `other`, the features of the layer are compared with each other. `same_field` limits the rule to pairs with the
    same value of that field (zones of one reserve), `differing_field` to pairs with different values (two reserves).
    """

    kind: Literal["no_overlap"]
    same_field: str = ""
    differing_field: str = ""


def check_no_overlap(rule: LayerRule, context: AuditContext) -> list[LayerFinding]:
    """Return a row per patch that two features share, or one 不涉及."""
    assert isinstance(rule, NoOverlap)
    layer, other = context.layer_id(rule.layer), context.layer_id(rule.other or rule.layer)
    unchecked = missing_input_rows(context, rule, layer, other, rule.same_field, rule.differing_field)
    if unchecked:
        return unchecked
    mine = context.areal_features(layer, rule.where)
    among = layer == other and not rule.other_where
    theirs = mine if among else context.areal_features(other, rule.other_where)
    if among and context.is_coverage(layer, mine):
        return [clear_row(layer, other)]
    common = common_parts(
        context.pieces(layer, mine), context.pieces(other, theirs), among=among, threads=context.threads
    )
    left, right = mine[common.left], theirs[common.right]
    keep = _wanted(rule, context, left, right)
    rows = _rows(rule, context, (layer, other), Common(left[keep], right[keep], common.part[keep]))
    return rows or [clear_row(layer, other)]


def _wanted(rule: NoOverlap, context: AuditContext, left: Integers, right: Integers) -> np.ndarray:
    keep = np.ones(len(left), dtype=bool)
    if rule.layer == (rule.other or rule.layer):
        keep &= left != right
    for name, same in ((rule.same_field, True), (rule.differing_field, False)):
        if name:
            frame, others = (
                context.layers[context.layer_id(rule.layer)].frame,
                context.layers[context.layer_id(rule.other or rule.layer)].frame,
            )
            keep &= (frame[name].to_numpy()[left] == others[name].to_numpy()[right]) == same
    return keep


def _rows(rule: NoOverlap, context: AuditContext, names: tuple[str, str], common: Common) -> list[LayerFinding]:
    one, two = (context.layers[name] for name in names)
    widest = np.minimum(one.index.mean_widths[common.left], two.index.mean_widths[common.right])

    def describe(pair: int, area: float, width: float) -> dict[str, Any]:
        left, right = int(common.left[pair]), int(common.right[pair])
        what = overlap_sentence(feature_name(one, left), feature_name(two, right), area, width)
        return {"layer": names[0], "feature": left, "other_layer": names[1], "other": right, "what": what}

    return patch_rows(common.part, np.arange(len(common.part)), widest, context.width_for(rule), describe)
