"""An avoidance in words and as plain values."""

from __future__ import annotations

import json
import math
from typing import Any

import shapely

from lzgis.screening.avoidance import Avoidance
from lzgis.words import Words


def avoidance_document(found: Avoidance) -> dict[str, Any]:
    """Return an avoidance as plain values; shapes are GeoJSON objects in longitude and latitude on CGCS2000."""
    shift = found.shift
    return {
        "site_id": found.site_id,
        "rules": [rule.id for rule in found.rules],
        "remaining_size": found.remaining_size,
        "remaining_share": None if math.isnan(found.remaining_share) else found.remaining_share,
        "remaining": None if found.remaining is None else json.loads(shapely.to_geojson(found.remaining)),
        "shift": None
        if shift is None
        else {
            "distance_m": shift.distance_m,
            "azimuth_deg": shift.azimuth_deg,
            "verdict": shift.verdict,
            "geometry": json.loads(shapely.to_geojson(shift.geometry)),
        },
    }


def avoidance_lines(found: Avoidance, within_m: float, words: Words) -> list[str]:
    """Return an avoidance as sentences; `within_m` is the longest move that was allowed."""
    shift = found.shift
    lines = [words("avoid", "obstacle", rule=words.title(rule.title, rule.title_en)) for rule in found.rules]
    if not math.isnan(found.remaining_share):
        share = f"{100 * found.remaining_share:.1f}"
        lines.append(words("avoid", "remaining", size=f"{found.remaining_size:,.2f}", share=share))
    if shift is None:
        return [*lines, words("avoid", "none", site=found.site_id, within=f"{within_m:g}")]
    if shift.distance_m == 0:
        lines.append(words("avoid", "stays", site=found.site_id))
    else:
        distance, azimuth = f"{shift.distance_m:.2f}", f"{round(shift.azimuth_deg, 1) % 360:.1f}"
        lines.append(words("avoid", "moved", site=found.site_id, distance=distance, azimuth=azimuth))
    return [*lines, words("avoid", "verdict", verdict=words("verdict", shift.verdict))]
