"""``declared_total``: compare measured figures with those that documents declare. Neither is changed to fit the other."""

from __future__ import annotations

from typing import Literal

from lzgis.coordinates.plane import ellipsoidal_length_m
from lzgis.messages import Message
from lzgis.model.catalogue import Declared
from lzgis.model.report import Reason, State
from lzgis.model.rules import OUTLINE, LayerRule
from lzgis.rules.for_layers.base import AuditContext, LayerFinding, clear_row, not_checked_reason, unchecked_row


class DeclaredTotal(LayerRule):
    """``declared_total``: the figures under ``declared`` in the catalogue hold, for one layer or for all (``"*"``).

    Counts of parts (``where`` on one field) must also sum to the count of the whole.
    """

    kind: Literal["declared_total"]
    other: str = OUTLINE


def check_declared_total(rule: LayerRule, context: AuditContext) -> list[LayerFinding]:
    """Return a row per declared figure."""
    names = context.layers_of(rule) if rule.layer != "*" else list(context.layers)
    rows: list[LayerFinding] = []
    for layer in names:
        reason = not_checked_reason(context, layer, {})
        if reason is not Reason.NONE:
            rows.append(unchecked_row(layer, reason))
            continue
        declared = context.layers[layer].spec.declared
        rows += [_row(context, layer, one) for one in declared]
        rows += _sums(layer, declared)
    return rows or [clear_row(names[0] if names else rule.layer)]


def measure(context: AuditContext, layer: str, declared: Declared) -> float:
    """Measure a declared figure: area in km², number of ids or groups, length in km, or share of the city."""
    if declared.what == "count":
        here = context.layers[layer]
        return float(here.frame["id"].iloc[here.matching(declared.where)].nunique())
    if declared.against is not None:
        return declared.against
    if declared.what in {"groups", "length_km"}:
        here = context.layers[layer]
        rows = here.frame.iloc[here.matching(declared.where)]
        if declared.what == "length_km":
            return float(ellipsoidal_length_m(rows.geometry).sum()) / 1e3
        return float(rows[here.spec.group or "id"].nunique())
    area = context.area_m2(layer, declared.where)
    if declared.what == "area_km2":
        return area / 1e6
    whole = declared.denominator_km2 or context.area_m2(context.outline, {}) / 1e6
    return area / 1e6 / whole


def _row(context: AuditContext, layer: str, declared: Declared) -> LayerFinding:
    reason = not_checked_reason(context, layer, declared.where)
    if reason is not Reason.NONE:
        return unchecked_row(layer, reason)
    value = measure(context, layer, declared)
    state = State.CLEAR if declared.holds(value) else State.INVOLVED
    what = _sentence(context, layer, declared, value)
    return LayerFinding(layer, state, measured=value, declared=declared.value, what=what)


def _sentence(context: AuditContext, layer: str, declared: Declared, value: float) -> Message:
    title = context.layers[layer].spec.title + "".join(f"（{'、'.join(v)}）" for v in declared.where.values())
    if declared.what == "stated":
        return Message(
            "{basis}: {declared:g} {unit} stated; {other}: {value:g} {unit}",
            basis=declared.basis,
            declared=declared.value,
            unit=declared.unit,
            other=declared.against_basis,
            value=value,
        )
    if declared.what == "length_km":
        return Message(
            "{title}: {value:.3f} km measured, {declared:g} km declared",
            title=title,
            value=value,
            declared=declared.value,
        )
    if declared.what in {"count", "groups"}:
        return Message(
            "{title}: {value:g} counted, {declared:g} declared", title=title, value=value, declared=declared.value
        )
    if declared.what == "area_km2":
        return Message(
            "{title}: {value:.4f} km² measured, {declared:g} km² declared",
            title=title,
            value=value,
            declared=declared.value,
        )
    whole = context.area_m2(context.outline, {}) / 1e6
    area = context.area_m2(layer, declared.where) / 1e6
    return Message(
        "{title}: {value:.4%} of {of:.2f} km² measured, {declared:.2%} declared; of the outline as drawn "
        "({whole:.2f} km²) it is {real:.4%}",
        title=title,
        value=value,
        of=declared.denominator_km2 or whole,
        declared=declared.value,
        whole=whole,
        real=area / whole,
    )


def _sums(layer: str, declared: list[Declared]) -> list[LayerFinding]:
    """Compare the sum of the declared counts of parts with the declared count of the whole."""
    counts = [one for one in declared if one.what == "count"]
    whole = [one for one in counts if not one.where]
    parts: dict[str, list[Declared]] = {}
    for one in counts:
        if len(one.where) == 1:
            parts.setdefault(next(iter(one.where)), []).append(one)
    rows = []
    for some in parts.values():
        if len(whole) == 1 and len(some) > 1:
            total = sum(one.value for one in some)
            what = Message(
                "declared: {parts} = {total:g}, and {whole:g} as a whole",
                parts=" + ".join(f"{one.value:g}" for one in some),
                total=total,
                whole=whole[0].value,
            )
            state = State.CLEAR if total == whole[0].value else State.INVOLVED
            rows.append(LayerFinding(layer, state, measured=total, declared=whole[0].value, what=what))
    return rows
