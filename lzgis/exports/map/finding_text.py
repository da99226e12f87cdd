"""Figures and details of a finding as texts: areas in ㎡ and hectares, distances with the required distance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lzgis.exports.report_text import ReportText, number
from lzgis.exports.rounding import Rounding
from lzgis.words import Words

#: Columns of a finding that `measures` and `details` read; how it was overruled depends on the site as well.
MEASURED = (
    *("layer", "area_m2", "length_m", "share", "area_possible_m2", "distance_m", "required_m", "required_possible_m"),
)
DETAILED = (
    *("mean_width_m", "rule", "reason", "unchecked_share", "baseline", "half_width_m", "band", "item"),
    *("route", "open_facts", "procedure", "basis", "repealed", "strength", "certainty", "note"),
)


def area(words: Words, rounding: Rounding, m2: float, layer: str = "") -> str:
    """Format an area in square metres and hectares.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from lzgis.model.catalogue import CitySpec
    >>> city = CitySpec(name="Riverton", notice="schematic")
    >>> area(Words("en"), Rounding(SimpleNamespace(city=city, layers={})), 12345.6)
    '12,346 m² (1.2346 ha)'
    """
    return words("map", "area", m2=rounding.square_metres(m2, layer), ha=rounding.hectares(m2, layer))


def measures(words: Words, rounding: Rounding, row: Mapping[str, Any]) -> str:
    """Format what was measured: overlap, length, distance with the required one, and what is only possible."""
    m2, length, share = number(row["area_m2"]), number(row["length_m"]), number(row["share"])
    possible, distance, layer = number(row["area_possible_m2"]), number(row["distance_m"]), row["layer"]
    parts = [area(words, rounding, m2, layer)] if m2 else []
    parts += [words("map", "length", m=rounding.metres(length, layer))] if length else []
    parts += [words("map", "share", share=rounding.percent(share))] if parts and share is not None else []
    parts += [words("map", "possible", area=area(words, rounding, possible, layer))] if possible else []
    required = number(row["required_m"])
    if distance is not None and required is not None:
        metres = rounding.metres(distance, layer, limit=required)
        parts.append(words("map", "distance-required", m=metres, required=_required(words, rounding, row)))
    elif distance and not parts:
        parts.append(words("map", "distance", m=rounding.metres(distance, layer)))
    return words("map", "joint").join(parts)


def details(texts: ReportText, row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the labelled lines below a finding that are not empty."""
    width = number(row["mean_width_m"])
    lines = [
        (texts.column("city"), row.get("city", "")),
        (texts.column("override"), texts.override(row)),
        (texts.column("reason"), texts.reason(row)),
        (texts.column("baseline"), _baseline(texts, row)),
        (texts.column("band"), texts.word("band", row["band"])),
        (
            texts.words("map", "mean-width"),
            texts.words("map", "length", m=Rounding(texts.report).metres(width)) if width else "",
        ),
        (texts.column("route"), texts.route(row["route"])),
        (texts.column("open_facts"), texts.open_facts(row["open_facts"])),
        (texts.column("item"), row["item"]),
        (texts.column("procedure"), texts.translated(row["rule"], row["procedure"])),
        (texts.column("basis"), texts.basis(row)),
        (texts.column("repealed"), row["repealed"]),
        (texts.column("strength"), texts.word("strength", row["strength"])),
        (texts.column("certainty"), texts.word("certainty", row["certainty"])),
        (texts.column("note"), texts.translated(row["rule"], row["note"])),
    ]
    return [(label, text) for label, text in lines if text]


def _baseline(texts: ReportText, row: Mapping[str, Any]) -> str:
    half = number(row["half_width_m"])
    name = texts.word("baseline", row["baseline"])
    if not name or not half:
        return name
    assumed = "half-width-assumed" if row["band"] == "possible" else "half-width-known"
    return name + texts.words("map", assumed, m=half)


def _required(words: Words, rounding: Rounding, row: Mapping[str, Any]) -> str:
    certain, possible = number(row["required_m"]), number(row["required_possible_m"])
    if possible is not None and possible != certain:
        return words("map", "band", certain=rounding.plain(certain), possible=rounding.plain(possible))
    return rounding.plain(certain)
