"""``no_gaps``: the features of a layer cover another without gaps, as control units cover the city."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from lzgis.geometry.layer_pieces import cut_to_pieces, uncovered_parts
from lzgis.messages import Message
from lzgis.model.rules import OUTLINE, LayerRule
from lzgis.rules.for_layers.base import (
    AuditContext,
    LayerFinding,
    clear_row,
    feature_name,
    missing_input_rows,
    patch_rows,
)
from lzgis.rules.for_sites.hits import Integers
from lzgis.rules.for_sites.plane import PlaneLayer

#: A feature this near to a gap is its neighbour (m).
_NEAR_M = 0.01


class NoGaps(LayerRule):
    """``no_gaps``: every part of the `other` (the outline, if not given) that no feature of the layer covers is a gap."""

    kind: Literal["no_gaps"]
    other: str = OUTLINE


def check_no_gaps(rule: LayerRule, context: AuditContext) -> list[LayerFinding]:
    """Return a row per gap with the features beside it, or one 不涉及."""
    layer, other = context.layer_id(rule.layer), context.layer_id(rule.other)
    unchecked = missing_input_rows(context, rule, layer, other)
    if unchecked:
        return unchecked
    mine, theirs = context.areal_features(layer, rule.where), context.areal_features(other, rule.other_where)
    # The union of a valid coverage is cheap, and only its outer border is then overlaid.
    covering = cut_to_pieces(np.array([context.union(layer, mine)], dtype=object))
    gaps = uncovered_parts(context.pieces(other, theirs), covering.index, threads=context.threads)
    here = context.layers[layer]
    rows = patch_rows(
        gaps,
        theirs,
        context.layers[other].index.mean_widths[theirs],
        context.width_for(rule),
        lambda feature, area, width: {"layer": layer, "other_layer": other, "other": feature},
    )
    if not rows:
        return [clear_row(layer, other)]
    # Pieces of the features, so that a gap is not compared with all vertices of a large one.
    pieces = context.pieces(layer, mine)
    shapes = np.array([row.geometry for row in rows], dtype=object)
    gap, piece = pieces.index.tree.query(shapes, predicate="dwithin", distance=_NEAR_M)
    pairs = np.unique(np.column_stack([gap, mine[pieces.owner[piece]]]), axis=0)
    ends = np.searchsorted(pairs[:, 0], np.arange(len(rows) + 1))
    beside = [pairs[a:b, 1] for a, b in itertools.pairwise(ends)]
    return [_with_neighbours(row, here, near) for row, near in zip(rows, beside, strict=True)]


def _with_neighbours(row: LayerFinding, here: PlaneLayer, beside: Integers) -> LayerFinding:
    """Add to the row of a gap the features that it lies between."""
    names = "、".join(feature_name(here, int(i)) for i in beside[:6])
    what = Message(
        "a gap of {area:.2f} ㎡, {width:.2f} m wide on average, at {names}",
        area=row.area_m2,
        width=row.mean_width_m,
        names=names or "—",
    )
    columns: dict[str, Any] = {"what": what, "feature": int(beside[0]) if len(beside) else -1}
    if len(beside) > 1:
        columns |= {"other_layer": row.layer, "other": int(beside[1])}
    return replace(row, **columns)
