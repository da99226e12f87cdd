"""What an audit found as one statement per rule, pair of layers and state: how often, how much, how wide, where the worst is.

Layers that were digitised separately differ along their whole borders. That is one fact about the pair, not thousands.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import shapely

from lzgis.messages import Message
from lzgis.model.audit import STATEMENT_COLUMNS, AuditReport, Topic
from lzgis.model.report import HIT_STATES, State
from lzgis.model.rules import OUTLINE, LayerRule

#: Up to so many findings of a group are shown one by one.
FEW = 3
#: An outline is coarser than a layer if its vertices are this many times as far apart.
_COARSER = 3.0


def statements(audit: AuditReport) -> pd.DataFrame:
    """Sum up the conflicts of geometry by rule, pair of layers and state.

    Parameters
    ----------
    audit : AuditReport
        The audit.

    Returns
    -------
    DataFrame
        The columns of `lzgis.model.audit.STATEMENT_COLUMNS`, in the order of the findings. ``worst`` is the position of
        the largest finding of the group, ``what`` the statement as a sentence.
    """
    table = pd.DataFrame(audit.findings.drop(columns=audit.findings.geometry.name))
    hit = table["state"].isin(HIT_STATES) & (table["topic"] == Topic.CONFLICT)
    chosen = table[hit].assign(_at=np.flatnonzero(hit))
    rules = {rule.id: rule for rule in audit.book.audits}
    chosen["_other"] = [
        _other(rules.get(rule), other, audit) for rule, other in zip(chosen["rule"], chosen["other_layer"], strict=True)
    ]
    keys = ["rule", "layer", "_other"]
    pure = chosen.groupby(keys)["state"].transform(lambda states: (states == State.SLIVER).all())
    rows = []
    for key, group in chosen.groupby([*keys, "state"], sort=False):
        rule, layer, other, state = map(str, key)
        row: dict[str, Any] = {"rule": rule, "layer": layer, "other_layer": other, "state": state, "count": len(group)}
        row["area_m2"], row["length_m"] = (group[name].sum(min_count=1) for name in ("area_m2", "length_m"))
        row["widest_m"] = group["mean_width_m"].max()
        row["worst"] = int(group["_at"].iloc[0])
        row |= {name: group[name].iloc[0] for name in ("lon", "lat", "place")}
        row["what"] = _sentence(row, agree=bool(pure[group.index[0]]))
        row["note"] = _coarser(audit, layer, other) if other == audit.city.outline else ""
        rows.append(row)
    dtypes = {"float": "float64", "int": "int64"}
    # Of type object: sentences must stay messages, to be worded in another language.
    columns = {
        c.name: pd.Series([row[c.name] for row in rows], dtype=dtypes.get(c.dtype, object)) for c in STATEMENT_COLUMNS
    }
    return pd.DataFrame(columns)


def _other(rule: LayerRule | None, found: str, audit: AuditReport) -> str:
    """Return the layer that a rule compares with; a finding may name two features of the same layer."""
    named = rule.other if rule is not None else ""
    return audit.city.outline if named == OUTLINE else named or found


def _sentence(row: dict[str, Any], *, agree: bool) -> Message:
    width = row["widest_m"]
    values = {"count": row["count"], "area": row["area_m2"], "length": row["length_m"], "width": width}
    if agree and not math.isnan(width):
        within = {"within": math.ceil(width * 10) / 10}
        if math.isnan(row["area_m2"]):
            text = "{count} places, {length:.0f} m in all: the boundaries agree within {within:.1f} m"
            return Message(text, **values, **within)
        return Message(
            "{count} places, {area:.2f} ㎡ in all: the boundaries agree within {within:.1f} m", **values, **within
        )
    if math.isnan(row["area_m2"]):
        return Message("{count} places, {length:.0f} m in all", **values)
    return Message("{count} places, {area:.2f} ㎡ in all, at most {width:.2f} m wide on average", **values)


def _coarser(audit: AuditReport, layer: str, outline: str) -> Message | str:
    mine, theirs = (_spacing_m(audit, name) for name in (layer, outline))
    if not theirs > _COARSER * mine:
        return ""
    return Message(
        "the outline is coarser: a vertex every {theirs:.0f} m, against {mine:.0f} m of the layer",
        theirs=theirs,
        mine=mine,
    )


def _spacing_m(audit: AuditReport, layer: str) -> float:
    """Return the mean distance of vertices along the borders of a layer, roughly (m)."""
    if layer not in audit.layers:
        return math.nan
    shapes = audit.layers[layer].frame.geometry.to_numpy()
    count = int(shapely.get_num_coordinates(shapes).sum())
    lat = float(np.radians(shapely.total_bounds(shapes)[[1, 3]].mean())) if count else 0.0
    # Degrees of latitude are 111 km, those of longitude less.
    metres = 111_320.0 * (1 + math.cos(lat)) / 2
    return float(shapely.length(shapes).sum()) * metres / count if count else math.nan
