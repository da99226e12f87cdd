"""``same_edge``: borders that should be one and the same run a little apart."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from lzgis.geometry.shared_edges import alone, beside, edges_of
from lzgis.layer_kinds.base import Found, Ground, both, clear, named
from lzgis.messages import Message
from lzgis.model import State
from lzgis.rule import LayerRule


class SameEdge(LayerRule):
    """``same_edge``: where borders of the two layers run `from_m` to `to_m` apart for `shortest_m` or more, they ought to meet.

    Without `other`, the features of the layer are held against each other. A border that merely crosses another is near
    it for a short way only.
    """

    kind: Literal["same_edge"]
    from_m: float = Field(default=0.01, gt=0)
    to_m: float = Field(default=5.0, gt=0)
    shortest_m: float = Field(default=50.0, gt=0)


def check_same_edge(rule: LayerRule, ground: Ground) -> list[Found]:
    """Give a row per run of border, 疑似边界误差, or one 不涉及."""
    assert isinstance(rule, SameEdge)
    layer, other = ground.name(rule.layer), ground.name(rule.other or rule.layer)
    lacking = both(ground, rule, layer, other)
    if lacking:
        return lacking
    mine, theirs = ground.chosen(layer, rule.where), ground.chosen(other, rule.other_where)
    among = layer == other
    one, two = ground.layers[layer], ground.layers[other]
    edges = edges_of(one.index.geometries[mine])
    ours, others = alone(edges) if among else alone(edges, edges_of(two.index.geometries[theirs]))
    found = beside(ours, others, (rule.from_m, rule.to_m), shortest=rule.shortest_m, among=among)
    rows = []
    for n in np.argsort(-found.distance, kind="stable"):
        left, right = int(mine[found.left[n]]), int(theirs[found.right[n]])
        length, apart = float(found.line[n].length), float(found.distance[n])
        what = Message(
            "the borders of {mine} and {theirs} run {distance:.2f} m apart for {length:.0f} m",
            mine=named(one, left),
            theirs=named(two, right),
            distance=apart,
            length=length,
        )
        sizes = {"length_m": length, "mean_width_m": apart, "geometry": found.line[n], "what": what}
        rows.append(Found(layer, State.SLIVER, feature=left, other_layer=other, other=right, **sizes))
    return rows or [clear(layer, other)]
