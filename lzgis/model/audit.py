"""The records of audits and comparisons: reports on layers against each other, and on two versions of a city."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import geopandas as gpd
import pandas as pd

from lzgis.model.report import HIT_STATES, Column, Layer, Problem, ReportContext


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
    Column("reason", "str", "why 未核查; see `lzgis.model.report.Reason`"),
    Column("layer", "str", "id of the layer"),
    Column("feature_id", "str", "id of the feature; empty if the finding is on the layer"),
    Column("feature_name", "str", "its name"),
    Column("other_layer", "str", "id of the layer that it was compared with"),
    Column("other_id", "str", "id of the other feature"),
    Column("other_name", "str", "its name"),
    Column("area_m2", "float", "area of the patch on the ellipsoid, m²; NaN if it has none"),
    Column("mean_width_m", "float", "mean width 2A/P of a patch, or mean distance of two edges, m"),
    Column("length_m", "float", "length of a line, or how far a layer is shifted, m"),
    Column("measured", "float", "what was measured, in the unit of the declared figure"),
    Column("declared", "float", "the declared or required figure"),
    Column("what", "str", "the finding as a sentence"),
    Column("lon", "float", "longitude of a point in it, degrees on CGCS2000"),
    Column("lat", "float", "latitude of it"),
    Column("place", "str", "division that the point lies in, of all levels, as prefecture · county"),
    Column("procedure", "str", "procedure that the rule requires"),
    Column("note", "str", "what else the rule says"),
    Column("basis", "str", "documents and articles, joined by ；"),
    Column("repealed", "str", "which of them are repealed on the as-of date, and by what"),
    Column("strength", "str", "law, plan or advice"),
    Column("certainty", "str", "how well the text is known: read, plan, part or lore"),
    Column("as_of", "str", "date that the rules were taken of, ISO 8601"),
)


STATEMENT_COLUMNS = (
    Column("rule", "str", "id of the rule"),
    Column("layer", "str", "id of the layer"),
    Column("other_layer", "str", "id of the layer that it was compared with"),
    Column("state", "str", "涉及 or 疑似边界误差"),
    Column("count", "int", "number of findings"),
    Column("area_m2", "float", "area of all of them, m²; NaN if they have none"),
    Column("length_m", "float", "length of all of them, m; NaN if they have none"),
    Column("widest_m", "float", "mean width of the widest, or the largest mean distance of two edges, m"),
    Column("worst", "int", "position of the largest in the table of findings"),
    Column("lon", "float", "longitude of a point in the largest, degrees on CGCS2000"),
    Column("lat", "float", "latitude of it"),
    Column("place", "str", "township that it lies in"),
    Column("what", "str", "the statement as a sentence"),
    Column("note", "str", "what else is to be known of the pair"),
)


SNAP_COLUMNS = (
    Column("layer", "str", "id of the layer whose vertices are measured"),
    Column("other_layer", "str", "id of the layer whose border they are measured to"),
    Column("near", "int", "vertices at most 10 m from it"),
    Column("apart", "int", "those of them that do not lie on it"),
    Column("median_m", "float", "median of their distances, m"),
    Column("p90_m", "float", "distance that 90 % of them do not exceed, m"),
    Column("p99_m", "float", "distance that 99 % of them do not exceed, m"),
    Column("farthest_m", "float", "the largest of the distances, m"),
    Column("proposed_m", "float", "the tolerance that follows, m"),
)


@dataclass(frozen=True)
class AuditReport(ReportContext):
    """The result of an audit: what of a city's layers does not fit together, the worst first.

    Every rule has at least one row for each pair of layers that it compares. 不涉及 proves that they were checked, 未核查 says
    why they were not. `findings` is in EPSG:4490; its geometry is the patch or edge in question.
    """

    findings: gpd.GeoDataFrame

    @property
    def conflicts(self) -> gpd.GeoDataFrame:
        """Findings about geometry against geometry, boundary errors included."""
        return self.of(Topic.CONFLICT)

    def of(self, topic: Topic) -> gpd.GeoDataFrame:
        """Return the findings on a topic where the rule does not hold, boundary errors included."""
        hit = self.findings["state"].isin(HIT_STATES)
        return self.findings[hit & (self.findings["topic"] == topic)]


CHANGE_COLUMNS = (
    Column("layer", "str", "id of the layer"),
    Column(
        "change", "str", "added, removed, moved (the shape differs), changed (only fields differ) or renamed (the id)"
    ),
    Column("feature_id", "str", "id of the feature, in the newer version if that has it"),
    Column("feature_name", "str", "its name"),
    Column("former_id", "str", "id in the older version if it differs"),
    Column("fields", "str", "fields that differ, as ``field: old → new``, joined by ；"),
    Column("before_m2", "float", "area on the ellipsoid before, m²; NaN if no polygon"),
    Column("after_m2", "float", "area after"),
    Column("gained_m2", "float", "area of the newer shape outside the older one, m²"),
    Column("lost_m2", "float", "area of the older shape outside the newer one, m²"),
    Column("gained_m", "float", "length of a newer line outside the older one, m; NaN for other shapes"),
    Column("lost_m", "float", "length of an older line outside the newer one, m"),
    Column("moved_m", "float", "how far a point was moved, m"),
    Column("lon", "float", "longitude of a point in what was changed"),
    Column("lat", "float", "latitude of it"),
    Column("place", "str", "division that the point lies in, of all levels, as prefecture · county"),
)

TOTAL_COLUMNS = (
    Column("layer", "str", "id of the layer"),
    Column("features_before", "int", "number of features before"),
    Column("features_after", "int", "number of features after"),
    Column("added", "int", "features added"),
    Column("removed", "int", "features removed"),
    Column("moved", "int", "features whose shape differs"),
    Column("changed", "int", "features of which only the fields or the id differ"),
    Column("before_m2", "float", "area of the union on the ellipsoid before, m²"),
    Column("after_m2", "float", "area after"),
    Column("net_m2", "float", "after less before"),
    Column("gained_m2", "float", "area that the newer layer covers and the older does not, m²"),
    Column("lost_m2", "float", "area that the older layer covers and the newer does not, m²"),
    Column("gross_m2", "float", "gained and lost together"),
    Column("note", "str", "what else differs: the layer is new or was removed, its entry in the catalogue"),
)

RULE_CHANGE_COLUMNS = (
    Column("rule", "str", "id of the rule"),
    Column("title", "str", "its title"),
    Column("change", "str", "new, removed or changed"),
    Column("keys", "str", "keys that differ, as ``key: old → new``, joined by ；"),
    Column("repealed", "str", "documents of its basis that are repealed by the later date and were not before"),
)

RECHECK_COLUMNS = (
    Column("site_id", "str", "id of the site"),
    Column("site_name", "str", "its name"),
    Column("verdict_before", "str", "verdict as reported"),
    Column("verdict_after", "str", "verdict now"),
    Column("rule", "str", "id of the rule whose answer differs"),
    Column("answer_before", "str", "its answer as reported: state, severity, feature, area, distance"),
    Column("answer_after", "str", "its answer now"),
    Column("because", "str", "the feature or rule that makes it differ"),
)


@dataclass(frozen=True)
class DiffReport:
    """What a new version changes: features, areas, rules, and the findings of rules between versions.

    `changes` has a row per feature that differs, with its newer shape (the older one if it was removed). `parts` has the
    areas gained and lost, one row per layer and patch. Both are in EPSG:4490. `setting` is what they are drawn on, and
    `former` has the layers of the older version.
    """

    old: str
    new: str
    changes: gpd.GeoDataFrame
    parts: gpd.GeoDataFrame
    totals: pd.DataFrame
    rules: pd.DataFrame
    findings: gpd.GeoDataFrame
    setting: ReportContext
    problems: tuple[Problem, ...] = ()
    former: Mapping[str, Layer] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        return not len(self.changes) and not len(self.rules) and not (self.totals["note"] != "").any()


@dataclass(frozen=True)
class Recheck:
    """The projects of an earlier report, checked against the present layers and rules.

    `changes` has a row per site and rule whose answer differs. `verdicts` and `findings` equal those of a screening of all
    sites now (findings without geometry). `sites` are the projects as the report has them. `recomputed` counts the pairs
    of site and rule that were checked again, `reused` those that cannot have changed.
    """

    sites: gpd.GeoDataFrame
    changes: pd.DataFrame
    verdicts: pd.DataFrame
    findings: pd.DataFrame
    recomputed: int
    reused: int
    problems: tuple[Problem, ...] = ()

    @property
    def verdict_changes(self) -> pd.DataFrame:
        """One row per site whose verdict differs now."""
        differ = self.changes["verdict_before"] != self.changes["verdict_after"]
        return self.changes[differ].drop_duplicates("site_id").reset_index(drop=True)
