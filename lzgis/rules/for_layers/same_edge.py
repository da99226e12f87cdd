"""``same_edge``: borders that should coincide run a small distance from each other."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from lzgis.geometry.shared_edges import alone, beside, edges_of
from lzgis.messages import Message
from lzgis.model.report import State
from lzgis.model.rules import LayerRule
from lzgis.rules.for_layers.base import AuditContext, LayerFinding, clear_row, feature_name, missing_input_rows


class SameEdge(LayerRule):
    """``same_edge``: borders of two layers that run `from_m` to `to_m` apart for at least `shortest_m` should coincide.

    Without `other`, the features of the layer are compared with each other. `shortest_m` excludes borders that merely
    cross.
    """

    kind: Literal["same_edge"]
    from_m: float = Field(default=0.01, gt=0)
    to_m: float = Field(default=5.0, gt=0)
    shortest_m: float = Field(default=50.0, gt=0)


def check_same_edge(rule: LayerRule, context: AuditContext) -> list[LayerFinding]:
    """Return a 疑似边界误差 row per stretch of border, or one 不涉及."""
    assert isinstance(rule, SameEdge)
    layer, other = context.layer_id(rule.layer), context.layer_id(rule.other or rule.layer)
    unchecked = missing_input_rows(context, rule, layer, other)
    if unchecked:
        return unchecked
    mine, theirs = context.areal_features(layer, rule.where), context.areal_features(other, rule.other_where)
    among = layer == other
    one, two = context.layers[layer], context.layers[other]
    edges = edges_of(one.index.geometries[mine])
    ours, others = alone(edges) if among else alone(edges, edges_of(two.index.geometries[theirs]))
    found = beside(ours, others, (rule.from_m, rule.to_m), shortest=rule.shortest_m, among=among)
    rows = []
    for n in np.argsort(-found.distance, kind="stable"):
        left, right = int(mine[found.left[n]]), int(theirs[found.right[n]])
        length, distance = float(found.line[n].length), float(found.distance[n])
        what = Message(
            "the borders of {mine} and {theirs} run {distance:.2f} m apart for {length:.0f} m",
            mine=feature_name(one, left),
            theirs=feature_name(two, right),
            distance=distance,
            length=length,
        )
        sizes = {"length_m": length, "mean_width_m": distance, "geometry": found.line[n], "what": what}
        rows.append(LayerFinding(layer, State.SLIVER, feature=left, other_layer=other, other=right, **sizes))
    return rows or [clear_row(layer, other)]
