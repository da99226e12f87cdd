"""``matches_code``: codes have the form that is prescribed, say the class that the feature has, and are given once."""

from __future__ import annotations

import re
from typing import Literal

import pandas as pd

from lzgis.messages import Message
from lzgis.model.report import Reason
from lzgis.model.rules import LayerRule
from lzgis.rules.for_layers.base import AuditContext, Found, clear, unanswerable, unchecked

#: Stands for the city's own division code in a pattern.
_ADCODE = "{adcode}"


class MatchesCode(LayerRule):
    r"""``matches_code``: the field `field` holds a code that `pattern`, a regular expression, matches as a whole.

    ``{adcode}`` in it is the city's division code. The first group of the pattern, if it has one, is looked up in
    `classes`: what it stands for must be the value of `class_field`. One code given to two features is found too.
    """

    kind: Literal["matches_code"]
    field: str = "code"
    pattern: re.Pattern[str]
    class_field: str = ""
    classes: dict[str, list[str]] = {}


def check_matches_code(rule: LayerRule, context: AuditContext) -> list[Found]:
    """Give a row per wrong code, or one 不涉及."""
    assert isinstance(rule, MatchesCode)
    layer = context.name(rule.layer)
    lacking = unanswerable(context, layer, rule.where, rule.field, rule.class_field)
    if lacking is not Reason.NONE:
        return [unchecked(layer, lacking)]
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
    return rows or [clear(layer)]


def _wrong(rule: MatchesCode, pattern: re.Pattern[str], code: str, given: object) -> str:
    match = pattern.fullmatch(code)
    if match is None:
        return Message("code '{code}' does not match {pattern}", code=code, pattern=pattern.pattern)
    if not rule.classes or not match.groups():
        return ""
    meant = rule.classes.get(match[1], [])
    if given in meant:
        return ""
    return Message(
        "code '{code}' says {meant}, the feature is '{given}'", code=code, meant="、".join(meant) or "—", given=given
    )


def _row(context: AuditContext, layer: str, feature: int, what: str, other: int = -1) -> Found:
    geometry = context.layers[layer].index.geometries[feature]
    other_layer = layer if other >= 0 else ""
    return Found(layer, feature=feature, other_layer=other_layer, other=other, geometry=geometry, what=what)
