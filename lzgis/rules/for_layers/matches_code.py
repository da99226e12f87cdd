"""``matches_code``: codes have the prescribed form, agree with the class of the feature, and are unique."""

from __future__ import annotations

import re
from typing import Literal

import pandas as pd

from lzgis.messages import Message
from lzgis.model.report import Reason
from lzgis.model.rules import LayerRule
from lzgis.rules.for_layers.base import AuditContext, LayerFinding, clear_row, not_checked_reason, unchecked_row

#: Replaced by the city's division code in a pattern.
_ADCODE = "{adcode}"


class MatchesCode(LayerRule):
    r"""``matches_code``: the field `field` holds a code that the regular expression `pattern` matches in full.

    ``{adcode}`` in the pattern is replaced by the city's division code. `classes` maps the first group of the pattern, if
    it has one, to the allowed values of `class_field`. A code that two features have is a conflict too.
    """

    kind: Literal["matches_code"]
    field: str = "code"
    pattern: re.Pattern[str]
    class_field: str = ""
    classes: dict[str, list[str]] = {}


def check_matches_code(rule: LayerRule, context: AuditContext) -> list[LayerFinding]:
    """Return a row per wrong code, or one 不涉及."""
    assert isinstance(rule, MatchesCode)
    layer = context.layer_id(rule.layer)
    reason = not_checked_reason(context, layer, rule.where, rule.field, rule.class_field)
    if reason is not Reason.NONE:
        return [unchecked_row(layer, reason)]
    here = context.layers[layer]
    which = here.matching(rule.where)
    codes = ["" if pd.isna(v) else str(v).strip() for v in here.frame[rule.field].iloc[which]]
    pattern = re.compile(rule.pattern.pattern.replace(_ADCODE, context.adcode or r"\d{6}"))
    rows = []
    first: dict[str, int] = {}
    for feature, code in zip(which, codes, strict=True):
        what = _wrong(rule, pattern, code, here.frame[rule.class_field].iloc[feature] if rule.class_field else "")
        if what:
            rows.append(_row(context, layer, int(feature), what))
        if code and code in first:
            what = Message("code '{code}' is given to two features", code=code)
            rows.append(_row(context, layer, int(feature), what, other=first[code]))
        first.setdefault(code, int(feature))
    return rows or [clear_row(layer)]


def _wrong(rule: MatchesCode, pattern: re.Pattern[str], code: str, given: object) -> str:
    match = pattern.fullmatch(code)
    if match is None:
        return Message("code '{code}' does not match {pattern}", code=code, pattern=pattern.pattern)
    if not rule.classes or not match.groups():
        return ""
    allowed = rule.classes.get(match[1], [])
    if given in allowed:
        return ""
    return Message(
        "code '{code}' says {meant}, the feature is '{given}'", code=code, meant="、".join(allowed) or "—", given=given
    )


def _row(context: AuditContext, layer: str, feature: int, what: str, other: int = -1) -> LayerFinding:
    geometry = context.layers[layer].index.geometries[feature]
    other_layer = layer if other >= 0 else ""
    return LayerFinding(layer, feature=feature, other_layer=other_layer, other=other, geometry=geometry, what=what)
