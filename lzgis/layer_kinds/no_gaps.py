"""``no_gaps``: the features of a layer tile another, as control units tile the city."""

from __future__ import annotations

from typing import Literal

import numpy as np

from lzgis.geometry import FeatureIndex
from lzgis.geometry.layer_pieces import cut_to_pieces, uncovered_parts
from lzgis.layer_kinds.base import Found, Ground, both, clear, named, patch_rows
from lzgis.messages import Message
from lzgis.rule import OUTLINE, LayerRule

#: A feature this near to a gap is its neighbour.
_NEAR_M = 0.01


class NoGaps(LayerRule):
    """``no_gaps``: what no feature of the layer covers of the `other` (the outline, if not given) is a gap."""

    kind: Literal["no_gaps"]
    other: str = OUTLINE


def check_no_gaps(rule: LayerRule, ground: Ground) -> list[Found]:
    """Give a row per gap with the features beside it, or one 不涉及."""
    layer, other = ground.name(rule.layer), ground.name(rule.other)
    lacking = both(ground, rule, layer, other)
    if lacking:
        return lacking
    mine, theirs = ground.chosen(layer, rule.where), ground.chosen(other, rule.other_where)
    # The union of a layer without overlaps is found at once, and makes the remainder a matter of its outer border.
    covering = cut_to_pieces(np.array([ground.union(layer, mine)], dtype=object))
    gaps = uncovered_parts(ground.pieces(other, theirs), covering.index, threads=ground.threads)
    here = ground.layers[layer]
    index = here.index.take(mine)
    rows = patch_rows(
        gaps,
        theirs,
        ground.layers[other].index.mean_widths[theirs],
        ground.width_for(rule),
        lambda feature, area, width: Found(layer, other_layer=other, other=feature),
    )
    return [_told(row, ground, mine, index) for row in rows] or [clear(layer, other)]


def _told(row: Found, ground: Ground, mine: np.ndarray, index: FeatureIndex) -> Found:
    """Say between which features a gap lies."""
    here = ground.layers[row.layer]
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
