"""``not_less``: the area of a layer must not shrink from one version to the next (面积不减少)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import Field

from lzgis.messages import Message
from lzgis.model.report import Reason, State
from lzgis.model.rules import LayerRule
from lzgis.rules.for_layers.base import AuditContext, LayerFinding, not_checked_reason, unchecked_row


class NotLess(LayerRule):
    """``not_less``: the area of the union on the ellipsoid is not less than in the earlier version.

    With `by`, the area of every value of that field must not shrink either (each function of the redline, each reserve).
    """

    kind: Literal["not_less"]
    tolerance_m2: float = Field(default=1.0, ge=0)
    by: str = ""


def check_not_less(rule: LayerRule, context: AuditContext) -> list[LayerFinding]:
    """Return a row for the layer, and one for each value of the field."""
    assert isinstance(rule, NotLess)
    layer = context.layer_id(rule.layer)
    before = replace(context, layers=context.earlier, cache={})
    for one in (context, before):
        reason = not_checked_reason(one, layer, rule.where)
        if reason is not Reason.NONE:
            return [unchecked_row(layer, reason)]
    title = context.layers[layer].spec.title
    rows = [_row(rule, (before, context), title, rule.where)]
    if rule.by:
        reason = next(
            (r for r in (not_checked_reason(g, layer, {}, rule.by) for g in (before, context)) if r), Reason.NONE
        )
        if reason is not Reason.NONE:
            return [*rows, unchecked_row(layer, reason)]
        values = dict.fromkeys(v for g in (before, context) for v in g.layers[layer].frame[rule.by].dropna().tolist())
        rows += [_row(rule, (before, context), f"{title}（{v}）", rule.where | {rule.by: [v]}) for v in values]
    return rows


def _row(
    rule: NotLess, versions: tuple[AuditContext, AuditContext], title: str, where: dict[str, list[str]]
) -> LayerFinding:
    layer = versions[0].layer_id(rule.layer)
    before, after = (context.area_m2(layer, where) for context in versions)
    what = Message(
        "{title}: {before:,.2f} ㎡ before, {after:,.2f} ㎡ after, {change:+,.2f} ㎡",
        title=title,
        before=before,
        after=after,
        change=after - before,
    )
    holds = after >= before - rule.tolerance_m2
    state = State.CLEAR if holds else State.INVOLVED
    return LayerFinding(layer, state, area_m2=after - before, measured=after, declared=before, what=what)
