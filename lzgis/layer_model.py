"""The nouns of layers against each other: the report of an audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import geopandas as gpd

from lzgis.model import Column, Layer, Problem, Provenance, State
from lzgis.rule import RuleBook
from lzgis.spec import CitySpec


class Topic(StrEnum):
    """What a finding of an audit is about: geometry against geometry, a shift, codes, or a figure that was declared."""

    CONFLICT = "conflict"
    SHIFT = "shift"
    CODE = "code"
    FIGURE = "figure"


AUDIT_COLUMNS = (
    Column("topic", "str", "conflict, shift, code or figure"),
    Column("rule", "str", "id of the rule"),
    Column("kind", "str", "kind of the rule"),
    Column("state", "str", "涉及 (the rule does not hold here), 疑似边界误差, 不涉及 or 未核查"),
    Column("severity", "str", "prohibited, conditional or notice"),
    Column("reason", "str", "why 未核查; see `lzgis.model.Reason`"),
    Column("layer", "str", "id of the layer"),
    Column("feature_id", "str", "id of the feature; empty if the finding is on the layer"),
    Column("feature_name", "str", "its name"),
    Column("other_layer", "str", "id of the layer it was held against"),
    Column("other_id", "str", "id of the other feature"),
    Column("other_name", "str", "its name"),
    Column("area_m2", "float", "area of the patch on the ellipsoid, m²; NaN if it has none"),
    Column("mean_width_m", "float", "mean width 2A/P of a patch, or mean distance of two edges, m"),
    Column("length_m", "float", "length of a line, or how far a layer is shifted, m"),
    Column("measured", "float", "what was measured, in the unit of the declared figure"),
    Column("declared", "float", "the figure declared or demanded"),
    Column("what", "str", "the finding in a sentence"),
    Column("lon", "float", "longitude of a point in it, degrees on CGCS2000"),
    Column("lat", "float", "latitude of it"),
    Column("place", "str", "township that the point lies in"),
    Column("procedure", "str", "what the rule demands"),
    Column("note", "str", "what else the rule says"),
    Column("basis", "str", "documents and articles, joined by ；"),
    Column("repealed", "str", "which of them are repealed on the as-of date, and by what"),
    Column("strength", "str", "law, plan or advice"),
    Column("certainty", "str", "how well the text is known: read, plan, part or lore"),
    Column("as_of", "str", "date that the rules were taken of, ISO 8601"),
)


@dataclass(frozen=True)
class AuditReport:
    """The result of an audit: what of a city's layers does not fit together, the worst first.

    Every rule has at least one row for each pair of layers that it compares: 不涉及 proves that it was looked at, 未核查 says
    why it was not. `findings` is in EPSG:4490; its geometry is the patch or edge in question.
    """

    city: CitySpec
    book: RuleBook
    layers: Mapping[str, Layer]
    findings: gpd.GeoDataFrame
    backdrop: Path | None
    problems: tuple[Problem, ...]
    provenance: Provenance

    @property
    def conflicts(self) -> gpd.GeoDataFrame:
        """Where layers do not fit together, boundary errors included."""
        return self.of(Topic.CONFLICT)

    def of(self, topic: Topic) -> gpd.GeoDataFrame:
        """What was found on a topic, boundary errors included."""
        caught = self.findings["state"].isin([State.INVOLVED, State.SLIVER])
        return self.findings[caught & (self.findings["topic"] == topic)]
