"""Figures and phrases of a finding as a reader wants them: ㎡ with hectares, distances beside what is demanded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lzgis.export.rows import Teller, number
from lzgis.words import Words


def area(words: Words, m2: float) -> str:
    """Write an area in square metres, with hectares to four decimals.

    Examples
    --------
    >>> area(Words("en"), 12345.6)
    '12,345.6 m² (1.2346 ha)'
    """
    return words("map", "area", m2=m2, ha=m2 / 10_000)


def measures(words: Words, row: Mapping[str, Any]) -> str:
    """What was measured for a finding: overlap, length, distance beside the one demanded, what is only possible."""
    m2, length, share = number(row["area_m2"]), number(row["length_m"]), number(row["share"])
    possible, distance = number(row["area_possible_m2"]), number(row["distance_m"])
    parts = [area(words, m2)] if m2 else []
    parts += [words("map", "length", m=length)] if length else []
    parts += [words("map", "share", share=share)] if parts and share is not None else []
    parts += [words("map", "possible", area=area(words, possible))] if possible else []
    if distance is not None and number(row["required_m"]) is not None:
        parts.append(words("map", "distance-required", m=distance, required=_demand(words, row)))
    elif distance and not parts:
        parts.append(words("map", "distance", m=distance))
    return words("map", "joint").join(parts)


def details(teller: Teller, row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The labelled lines below a finding, those that say something."""
    words = teller.words
    width = number(row["mean_width_m"])
    lines = [
        ("reason", teller.reason(row)),
        ("baseline", _baseline(teller, row)),
        ("band", teller.word("band", row["band"])),
        ("mean_width_m", words("map", "length", m=width) if width else ""),
        ("item", row["item"]),
        ("procedure", teller.translated(row["rule"], row["procedure"])),
        ("basis", teller.basis(row)),
        ("repealed", row["repealed"]),
        ("strength", teller.word("strength", row["strength"])),
        ("certainty", teller.word("certainty", row["certainty"])),
        ("note", teller.translated(row["rule"], row["note"])),
    ]
    return [(words("map", "mean-width") if label == "mean_width_m" else teller.column(label), t) for label, t in lines if t]


def _baseline(teller: Teller, row: Mapping[str, Any]) -> str:
    half = number(row["half_width_m"])
    name = teller.word("baseline", row["baseline"])
    if not name or not half:
        return name
    assumed = "half-width-assumed" if row["band"] == "possible" else "half-width-known"
    return name + teller.words("map", assumed, m=half)


def _demand(words: Words, row: Mapping[str, Any]) -> str:
    certain, possible = number(row["required_m"]), number(row["required_possible_m"])
    if possible is not None and possible != certain:
        return words("map", "band", certain=certain, possible=possible)
    return f"{certain:,.1f}"
