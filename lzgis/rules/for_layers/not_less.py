"""``not_less``: the area of a layer must not shrink from one version to the next (面积不减少)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import Field

from lzgis.messages import Message
from lzgis.model.report import Reason, State
from lzgis.model.rules import LayerRule
from lzgis.rules.for_layers.base import AuditContext, Found, unanswerable, unchecked


class NotLess(LayerRule):
    """``not_less``: the area on the ellipsoid, each place counted once, is that of the earlier version or more.

    `by` names a field: the area of every value of it must hold too (each function of the redline, each reserve).
    """

    kind: Literal["not_less"]
    tolerance_m2: float = Field(default=1.0, ge=0)
    by: str = ""


def check_not_less(rule: LayerRule, context: AuditContext) -> list[Found]:
    """Give a row for the layer, and one for each value of the field."""
    assert isinstance(rule, NotLess)
    layer = context.name(rule.layer)
    before = replace(context, layers=context.earlier, cache={})
    for one in (context, before):
        lacking = unanswerable(one, layer, rule.where)
        if lacking is not Reason.NONE:
            return [unchecked(layer, lacking)]
    title = context.layers[layer].spec.title
    rows = [_row(rule, (before, context), title, rule.where)]
    if rule.by:
        lacking = next((r for r in (unanswerable(g, layer, {}, rule.by) for g in (before, context)) if r), Reason.NONE)
        if lacking is not Reason.NONE:
            return [*rows, unchecked(layer, lacking)]
        values = dict.fromkeys(v for g in (before, context) for v in g.layers[layer].frame[rule.by].dropna().tolist())
        rows += [_row(rule, (before, context), f"{title}（{v}）", rule.where | {rule.by: [v]}) for v in values]
    return rows


def _row(rule: NotLess, grounds: tuple[AuditContext, AuditContext], title: str, where: dict[str, list[str]]) -> Found:
    layer = grounds[0].name(rule.layer)
    before, after = (context.area_m2(layer, where) for context in grounds)
    what = Message(
        "{title}: {before:.2f} ㎡ before, {after:.2f} ㎡ after, {change:+.2f} ㎡",
        title=title,
        before=before,
        after=after,
        change=after - before,
    )
    holds = after >= before - rule.tolerance_m2
    state = State.CLEAR if holds else State.INVOLVED
    return Found(layer, state, area_m2=after - before, measured=after, declared=before, what=what)
