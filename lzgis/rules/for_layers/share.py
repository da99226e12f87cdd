"""``share``: a layer takes at most or at least a share of another, as town space at most a third of the city."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lzgis.messages import Message
from lzgis.model.report import State
from lzgis.model.rules import OUTLINE, LayerRule
from lzgis.rules.for_layers.base import AuditContext, LayerFinding, missing_input_rows


class Share(LayerRule):
    """``share``: the area of the layer over that of the `other` (the outline, if not given) is within bounds.

    With `rest`, the bounds are for the remainder, one less the share: where town, farm and ecological space fill the
    city, the latter two are what the town boundary leaves.
    """

    kind: Literal["share"]
    other: str = OUTLINE
    at_least: float = Field(default=0.0, ge=0, le=1)
    at_most: float = Field(default=1.0, ge=0, le=1)
    rest: bool = False


def check_share(rule: LayerRule, context: AuditContext) -> list[LayerFinding]:
    """Return one row with the share."""
    assert isinstance(rule, Share)
    layer, other = context.layer_id(rule.layer), context.layer_id(rule.other)
    unchecked = missing_input_rows(context, rule, layer, other)
    if unchecked:
        return unchecked
    value = context.area_m2(layer, rule.where) / context.area_m2(other, rule.other_where)
    value = 1 - value if rule.rest else value
    bound = rule.at_least if rule.at_least > 0 else rule.at_most
    holds = rule.at_least <= value <= rule.at_most
    what = Message(
        "{title}: {value:.2%}; demanded are {least:.2%} to {most:.2%}",
        title=rule.title,
        value=value,
        least=rule.at_least,
        most=rule.at_most,
    )
    state = State.CLEAR if holds else State.INVOLVED
    return [LayerFinding(layer, state, other_layer=other, measured=value, declared=bound, what=what)]
