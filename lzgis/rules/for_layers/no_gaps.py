"""``no_gaps``: the features of a layer tile another, as control units tile the city."""

from __future__ import annotations

from typing import Literal

import numpy as np

from lzgis.geometry import FeatureIndex
from lzgis.geometry.pieces import cut_to_pieces, uncovered_parts
from lzgis.messages import Message
from lzgis.model.rules import OUTLINE, LayerRule
from lzgis.rules.for_layers.base import AuditContext, Found, both, clear, named, patch_rows

#: A feature this near to a gap is its neighbour.
_NEAR_M = 0.01


class NoGaps(LayerRule):
    """``no_gaps``: what no feature of the layer covers of the `other` (the outline, if not given) is a gap."""

    kind: Literal["no_gaps"]
    other: str = OUTLINE


def check_no_gaps(rule: LayerRule, context: AuditContext) -> list[Found]:
    """Give a row per gap with the features beside it, or one 不涉及."""
    layer, other = context.name(rule.layer), context.name(rule.other)
    lacking = both(context, rule, layer, other)
    if lacking:
        return lacking
    mine, theirs = context.chosen(layer, rule.where), context.chosen(other, rule.other_where)
    # The union of a layer without overlaps is found at once, and makes the remainder a matter of its outer border.
    covering = cut_to_pieces(np.array([context.union(layer, mine)], dtype=object))
    gaps = uncovered_parts(context.pieces(other, theirs), covering.index, threads=context.threads)
    here = context.layers[layer]
    index = here.index.take(mine)
    rows = patch_rows(
        gaps,
        theirs,
        context.layers[other].index.mean_widths[theirs],
        context.width_for(rule),
        lambda feature, area, width: Found(layer, other_layer=other, other=feature),
    )
    return [_told(row, context, mine, index) for row in rows] or [clear(layer, other)]


def _told(row: Found, context: AuditContext, mine: np.ndarray, index: FeatureIndex) -> Found:
    """Say between which features a gap lies."""
    here = context.layers[row.layer]
    beside = mine[np.sort(index.tree.query(row.geometry, predicate="dwithin", distance=_NEAR_M))]
    names = "、".join(named(here, int(i)) for i in beside[:6])
    what = Message(
        "a gap of {area:.2f} ㎡, {width:.2f} m wide on average, at {names}",
        area=row.area_m2,
        width=row.mean_width_m,
        names=names or "—",
    )
    columns = vars(row) | {"what": what, "feature": int(beside[0]) if len(beside) else -1}
    if len(beside) > 1:
        columns |= {"other_layer": row.layer, "other": int(beside[1])}
    return Found(**columns)
