"""Rows of the product and of a peer side by side: none missing or extra, areas and distances equal to the bounds.

A peer has rows ``hit`` (site, rule, feature or object) and ``clear`` (site, rule). Areas may differ by 1e-6 m² and 1e-9 of
the area, distances by 1e-6 m. The areas of corridors may also differ by 5e-4 of the area or of the circle: peers draw chords for
arcs (1e-4), and the buffer of GEOS simplifies a line by up to a hundredth of the radius first. A row that one side alone has is
no difference if its area is below 0.1 m²: whether that is contact or overlap, the product decides by its width, which peers do
not measure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

AREA_M2, AREA_SHARE, DISTANCE_M = 1e-6, 1e-9, 1e-6
#: Contact: an overlap of a smaller area (m²) is not compared.
CONTACT_M2 = 0.1
#: By what share peers may miss the area of a corridor.
_CORRIDOR_SHARE = 5e-4
_COLUMNS = ["site_id", "rule", "kind", "feature_id", "state", "reason", "area_m2", "area_possible_m2", "distance_m"]
_HITS, _CLEAR = ("涉及", "疑似边界误差"), "不涉及"


def findings(path: Path) -> pd.DataFrame:
    """Read the findings of the product."""
    texts = dict.fromkeys(_COLUMNS[:6], str)
    return pd.read_csv(path, usecols=_COLUMNS, dtype=texts, float_precision="round_trip").fillna(
        dict.fromkeys(texts, "")
    )


def compare(own: pd.DataFrame, peer: pd.DataFrame, rules: set[str]) -> dict[str, Any]:
    """Compare the answers; `equal` says whether all differences are within the bounds."""
    own = own[own["rule"].isin(rules)]
    hits, clear = own[own["state"].isin(_HITS)], own[(own["state"] == _CLEAR) & (own["reason"] == "")]
    rest = own[own["state"] == "未核查"]
    found: dict[str, Any] = {
        "rows": len(peer),
        "missing": 0,
        "extra": 0,
        "area_m2": 0.0,
        "corridor_m2": 0.0,
        "distance_m": 0.0,
    }
    beyond = 0
    for kind in ("avoid", "identify", "stay_inside", "keep_away"):
        key = ["site_id", "rule"] if kind == "stay_inside" else ["site_id", "rule", "feature_id"]
        left = hits[hits["kind"] == kind]
        right = peer[(peer["kind"] == kind) & (peer["state"] == "hit")].rename(columns={"ref": "feature_id"})
        both = left.merge(right, on=key, how="outer", indicator=True)
        area = both["area_m2"].fillna(0).combine(both["area"].fillna(0), max)
        one = (both["_merge"] != "both") & ~((area > 0) & (area < CONTACT_M2))
        found["extra"] += int((one & (both["_merge"] == "left_only")).sum())
        found["missing"] += int((one & (both["_merge"] == "right_only")).sum())
        both = both[both["_merge"] == "both"]
        for mine, other in (("area_m2", "area"), ("area_possible_m2", "area_possible")):
            if kind != "keep_away" and mine != "area_m2":
                continue
            beyond += int((both[mine].isna() != both[other].isna()).sum())
            off = (both[mine] - both[other]).abs()
            slack = np.where(kind == "keep_away", _arcs(both), 0.0)
            beyond += int((off > AREA_M2 + AREA_SHARE * both[mine] + slack).sum())
            name = "corridor_m2" if kind == "keep_away" else "area_m2"
            found[name] = max(found[name], float(np.nanmax(off, initial=0.0)))
        if kind in ("keep_away", "stay_inside"):
            beyond += _distances(both, found)
    # Not identify, which has no row without a hit; and no row where the product says that it cannot know.
    left = clear[clear["kind"] != "identify"]
    both = left.merge(peer[peer["state"] == "clear"], on=["site_id", "rule"], how="outer", indicator=True)
    unknown = pd.MultiIndex.from_frame(rest[["site_id", "rule"]])
    pairs = pd.MultiIndex.from_frame(both[["site_id", "rule"]])
    contact = pairs.isin(pd.MultiIndex.from_frame(_slight(hits, peer)))
    found["extra"] += int(((both["_merge"] == "left_only") & ~contact).sum())
    found["missing"] += int(((both["_merge"] == "right_only") & ~pairs.isin(unknown) & ~contact).sum())
    beyond += _distances(both[both["_merge"] == "both"], found)
    found["beyond"] = beyond
    found["equal"] = not (beyond or found["missing"] or found["extra"])
    return found


def _slight(hits: pd.DataFrame, peer: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of site and rule with an overlap so small that it may be contact."""
    mine = hits[hits["area_m2"] < CONTACT_M2][["site_id", "rule"]]
    return pd.concat([mine, peer[(peer["state"] == "hit") & (peer["area"] < CONTACT_M2)][["site_id", "rule"]]])


def _arcs(both: pd.DataFrame) -> np.ndarray:
    """Return what the corridors of peers may miss, m²."""
    circle = np.pi * np.nan_to_num(both["reach"].to_numpy(float)) ** 2
    return _CORRIDOR_SHARE * np.maximum(circle, both[["area_m2", "area_possible_m2"]].max(axis=1).fillna(0).to_numpy())


def _distances(both: pd.DataFrame, found: dict[str, Any]) -> int:
    off = (both["distance_m"] - both["dist"]).abs()
    found["distance_m"] = max(found["distance_m"], float(np.nanmax(off, initial=0.0)))
    return int((off > DISTANCE_M).sum() + (both["distance_m"].isna() != both["dist"].isna()).sum())
