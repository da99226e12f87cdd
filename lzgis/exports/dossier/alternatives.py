"""Tables of alternatives: sites that share a group, compared by what decides between them."""

from __future__ import annotations

from collections.abc import Iterable

from lzgis.exports.dossier.document import Column, Grid
from lzgis.exports.dossier.project import DossierSource
from lzgis.exports.leader_summary import Alternative
from lzgis.exports.rounding import NONE


def summary_grid(
    source: DossierSource, name: str, heads: Iterable[tuple[str, float]], rows: Iterable[Iterable[str]]
) -> Grid:
    """Return a table with titles from the wording of the summary; sizes and numbers are aligned as figures."""
    cells = tuple(tuple(row) for row in rows)
    columns = []
    for place, (key, weight) in enumerate(heads):
        title = source.words("summary", key) if source.words.has("summary", key) else key
        counts = bool(cells) and all(row[place].isdigit() for row in cells)
        columns.append(Column(key, title, weight, key in _FIGURES or counts))
    return Grid(name, tuple(columns), cells, title=source.words("summary", name))


_FIGURES = {"sites", "area_m2", "area_ha", "length_m", "hit_area_m2", "hit_length_m", "total"}


def alternatives_grid(source: DossierSource, found: Iterable[Alternative]) -> Grid | None:
    """Return a row for each alternative: verdict, rules by answer, sizes hit, nearest constraint, what it would need."""
    found = tuple(found)
    if not found:
        return None
    heads = (
        *(("group", 0.9), ("site_id", 0.9), ("site_name", 1.9), ("verdict", 1.4), ("prohibited", 1.0)),
        *(("conditional", 1.2), ("not_checked", 1.1), ("hit_area_m2", 1.7), ("hit_length_m", 1.4), ("nearest", 1.9)),
        ("needs", 2.8),
    )
    return summary_grid(source, "alternatives", heads, (_cells(source, one) for one in found))


def _cells(source: DossierSource, one: Alternative) -> tuple[str, ...]:
    """Return the texts of an alternative: group, site, verdict, rules by answer, sizes hit, nearest, what it would need."""
    return (
        one.group,
        one.site_id,
        one.site_name,
        source.texts.word("verdict", one.verdict),
        str(one.prohibited),
        str(one.conditional),
        str(one.not_checked),
        source.rounding.square_metres(one.hit_area_m2),
        source.rounding.metres(one.hit_length_m),
        one.nearest or NONE,
        one.needs or NONE,
    )
