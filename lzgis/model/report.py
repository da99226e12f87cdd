"""The records of a screening: states, verdicts, problems, layers, sites, and the report that every output is made from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import geopandas as gpd
import numpy.typing as npt
import pandas as pd
import shapely

from lzgis.model.deferred import DeferredTable

if TYPE_CHECKING:
    # Not imported at run time: the process that reads files needs neither rules nor pydantic, and starts faster without.
    from lzgis.model.catalogue import CitySpec, LayerSpec
    from lzgis.model.rules import RuleBook


class State(StrEnum):
    """The answer to one rule for one site. There is no sixth, and a rule that could not be checked never passes.

    不适用 is the answer of a rule that is not meant for the activity of the site. It has a finding where the site lies in the
    layer, or nearer than the rule reaches; elsewhere only the count in the verdict.
    """

    INVOLVED = "涉及"
    CLEAR = "不涉及"
    SLIVER = "疑似边界误差"
    NOT_CHECKED = "未核查"
    NOT_APPLICABLE = "不适用"

    @property
    def rank(self) -> int:
        """Position in `STATES_BY_GRAVITY`: 0 for the gravest."""
        return STATES_BY_GRAVITY.index(self)


#: From the gravest state to the mildest. Where several findings answer for one site and rule, the gravest counts.
STATES_BY_GRAVITY = (State.INVOLVED, State.SLIVER, State.NOT_CHECKED, State.CLEAR, State.NOT_APPLICABLE)
#: The states of a finding that hits something; the second may be a digitising error.
HIT_STATES = (State.INVOLVED, State.SLIVER)
#: Coordinates are accurate to a millimetre at best: what is narrower or shorter than this (m) touches, it does not overlap.
RESOLUTION_M = 1e-3


class Verdict(StrEnum):
    """The answer for one site, the gravest first. Geometry alone never makes a site 合规."""

    PROHIBITED = "存在禁止性冲突"
    REVIEW = "需进一步论证"
    INCOMPLETE = "核查不完整"
    NONE_FOUND = "未发现冲突"


#: Between the parts of a list in one text, as between the documents of a finding's basis.
SEPARATOR = "；"

#: Schema of ``report.json``: a name and a major version, which rises when an older reader would misread the file.
#: Reports of version 0.1 do not state it.
REPORT_SCHEMA = "lzgis-report-1"


class Reason(StrEnum):
    """Why a finding is 未核查 or 不适用, or why it is 不涉及 although no distance or overlap was measured."""

    NONE = ""
    LAYER_MISSING = "layer-missing"
    LAYER_EMPTY = "layer-empty"
    LAYER_ELSEWHERE = "layer-elsewhere"
    FIELD_MISSING = "field-missing"
    OUTSIDE_CITY = "outside-city"
    PARTLY_OUTSIDE = "partly-outside"
    REACH_OUTSIDE = "reach-outside"
    NOT_COVERED = "not-covered"
    ACTIVITY_MISSING = "activity-missing"
    ACTIVITY_UNKNOWN = "activity-unknown"
    ACTIVITY_NOT_MEANT = "activity-not-meant"
    INSIDE_NOT_MEANT = "inside-not-meant"
    GEOMETRY_UNUSABLE = "geometry-unusable"
    LAYER_DOUBTFUL = "layer-doubtful"
    FACT_MISSING = "fact-missing"
    MATTER_UNKNOWN = "matter-unknown"
    AREA_ENCLOSED = "area-enclosed"


#: The reasons of findings of rules that do not concern the activity of the site.
NOT_MEANT = (Reason.ACTIVITY_NOT_MEANT, Reason.INSIDE_NOT_MEANT)


class Column(NamedTuple):
    """A column of a report's table: its name, type and meaning."""

    name: str
    dtype: str
    meaning: str


FINDING_COLUMNS = (
    Column("site_id", "str", "id of the site"),
    Column("site_name", "str", "name of the site"),
    Column(
        "activity",
        "str",
        "activity of the site, an id of the vocabulary, or the word given if it is not in it; empty if none is given",
    ),
    Column("rule", "str", "id of the rule"),
    Column("kind", "str", "kind of the rule: avoid, keep_away, stay_inside, identify"),
    Column("layer", "str", "id of the layer that the answer comes from"),
    Column("feature_id", "str", "id of the feature hit, or of the nearest one; empty if there is none"),
    Column("feature_name", "str", "its name"),
    Column("state", "str", "涉及, 不涉及, 疑似边界误差, 未核查 or 不适用"),
    Column(
        "severity",
        "str",
        "prohibited, conditional or notice, after exceptions; the severity of the rule if nothing is hit",
    ),
    Column("reason", "str", "why 未核查 or 不适用, or why 不涉及 without a measurement; see `Reason`"),
    Column(
        "area_m2",
        "float",
        "area of the site that overlaps, is too near or lies outside, on the ellipsoid, m²; NaN if it is no polygon",
    ),
    Column(
        "area_possible_m2",
        "float",
        "area that is too near with the assumed half-width, m²; NaN if the finding is no band",
    ),
    Column("share", "float", "area_m2, or length_m for a line, divided by that of the whole site"),
    Column(
        "length_m",
        "float",
        "length of a line site, or of the line of a strip, inside (outside, for stay_inside), m; NaN for other shapes",
    ),
    Column("distance_m", "float", "distance to the feature or baseline named, m; 0 when touching or overlapping"),
    Column("required_m", "float", "distance that the rule requires, m; NaN for other kinds"),
    Column(
        "required_possible_m",
        "float",
        "the same with the assumed half-width, m; NaN if the finding is no band",
    ),
    Column(
        "margin",
        "float",
        "excess over the limit, larger is worse: missing distance, m (from the possible limit, for a band), or overlap, m² or m",
    ),
    Column("band", "str", "certain or possible; empty if the rule measures no distance"),
    Column("baseline", "str", "what the distance was measured from; see `lzgis.model.catalogue.Baseline`"),
    Column(
        "half_width_m", "float", "half-width added to a centreline, m; known if `band` is certain, otherwise assumed"
    ),
    Column("mean_width_m", "float", "mean width 2A/P of an overlap, m; of its widest part if the overlap is thin"),
    Column("unchecked_share", "float", "share of the site outside what the layer covers"),
    Column(
        "route",
        "str",
        "what an applicant can do: prohibited, limited, key-project, permit, proof or notice; empty if no hit",
    ),
    Column("open_facts", "str", "facts that the site does not declare and that would settle the answer, joined by ；"),
    Column("item", "str", "item of the exception that applies, as the rule names it"),
    Column("procedure", "str", "procedure that the rule or exception requires"),
    Column("note", "str", "further text of the rule"),
    Column("basis", "str", "documents and articles, joined by ；"),
    Column("repealed", "str", "which of them are repealed on the as-of date, and by what"),
    Column("strength", "str", "law, plan or advice"),
    Column("certainty", "str", "how well the text is known: read, plan, part or lore (the weakest of the basis)"),
    Column("as_of", "str", "date whose rules apply, ISO 8601"),
)

#: The column that findings have besides when several cities were screened together.
CITY_COLUMN = Column("city", "str", "city whose rules and layers give the answer; empty for what lies in none")


def finding_columns(findings: pd.DataFrame) -> tuple[Column, ...]:
    """Return the columns of a table of findings: those of one city, or of several screened together."""
    return (*FINDING_COLUMNS, CITY_COLUMN) if CITY_COLUMN.name in findings.columns else FINDING_COLUMNS


#: How sites are divided among cities, and which book was applied where.
STRETCH_COLUMNS = (
    Column("site_id", "str", "id of the site"),
    Column("city", "str", "city; empty for what lies in none"),
    Column("verdict", "str", "verdict of the part of the site in the city"),
    Column("area_m2", "float", "area of that part, m²; NaN if it is no polygon"),
    Column("length_m", "float", "length of that part of a line, m; NaN for other shapes"),
    Column("share", "float", "that part over the whole site"),
    Column("rule_book", "str", "rule book of the city"),
    Column("rule_book_version", "str", "its version"),
)

#: What was found in each city under each rule; what features of a rule share counts once.
CITY_RULE_COLUMNS = (
    Column("city", "str", "city; empty for what lies in none"),
    Column("rule", "str", "id of the rule"),
    Column("state", "str", "涉及, 疑似边界误差 or 未核查"),
    Column("sites", "int", "number of sites"),
    Column("area_m2", "float", "area, m²; what was not checked, for 未核查"),
    Column("length_m", "float", "length of lines, m; what was not checked, for 未核查"),
)

VERDICT_COLUMNS = (
    Column("site_id", "str", "id of the site"),
    Column("site_name", "str", "name of the site"),
    Column(
        "activity",
        "str",
        "activity of the site, an id of the vocabulary, or the word given if it is not in it; empty if none is given",
    ),
    Column("verdict", "str", "存在禁止性冲突, 需进一步论证, 核查不完整 or 未发现冲突"),
    Column(
        "site_area_m2",
        "float",
        "area of the site on the ellipsoid, of the strip of a line with a width; NaN for others",
    ),
    Column("site_length_m", "float", "length of a line site; NaN for other shapes"),
    Column("prohibited", "object", "tuple of the rules that are violated and prohibit"),
    Column(
        "conditional",
        "object",
        "tuple of the rules that require a procedure or proof, or whose findings may be boundary errors",
    ),
    Column("notices", "object", "tuple of the rules that only inform"),
    Column("not_checked", "object", "tuple of the rules that could not be checked"),
    Column("not_applicable", "int", "how many rules are not meant for the activity and have no finding"),
    Column(
        "nearest_rule",
        "str",
        "the rule that prohibits or sets conditions and whose constraint is nearest without being hit",
    ),
    Column("nearest_m", "float", "distance to it, m, beyond the distance that the rule requires"),
    Column("ladder", "object", "tuple of the verdicts with overlaps up to each area of the ladder disregarded"),
)


BREAKDOWN_COLUMNS = (
    Column("finding", "int", "position of the finding in the table of findings"),
    Column("site_id", "str", "id of the site"),
    Column("rule", "str", "id of the rule"),
    Column("feature_id", "str", "id of the feature hit"),
    Column("level", "str", "id of the layer of divisions"),
    Column("division_id", "str", "id of the division; empty for what lies in none"),
    Column("division_name", "str", "its name"),
    Column("area_m2", "float", "area of the part, m², rounded so that the parts sum to the finding's; NaN for lines"),
    Column("area_ha", "float", "the same in hectares, rounded likewise"),
    Column("area_mu", "float", "the same in mu (15 to the hectare), rounded likewise"),
    Column("length_m", "float", "length of the part of a line, m, rounded likewise; NaN for polygons"),
    Column("share", "float", "the part over the whole finding"),
    Column("adjustment", "float", "area_m2 or length_m less what was measured"),
)


UNIT_LIST_COLUMNS = (
    Column("site_id", "str", "id of the site"),
    Column("level", "str", "province, city or unit: who sets the clause"),
    Column("unit_id", "str", "id of the control unit; empty for general requirements"),
    Column("unit_name", "str", "its name"),
    Column("unit_class", "str", "its class"),
    Column("heading", "str", "heading of the clause"),
    Column("clause", "str", "the clause"),
    Column("share", "float", "share of the site in the unit; NaN for general requirements and points"),
    Column("basis", "str", "documents and articles of a general requirement; basis of the layer of units"),
    Column("certainty", "str", "how well the text of a general requirement is known; empty for units"),
    Column("note", "str", "what else the rule book says of a general requirement"),
)


def no_breakdown() -> pd.DataFrame:
    """Return an empty breakdown."""
    return pd.DataFrame({c.name: pd.Series(dtype=_DTYPES[c.dtype]) for c in BREAKDOWN_COLUMNS})


OVERRIDE_COLUMNS = (
    Column("finding", "int", "position of the finding in the table of findings; -1 if it no longer exists"),
    Column("site_id", "str", "id of the site"),
    Column("rule", "str", "id of the rule"),
    Column("feature_id", "str", "id of the feature; empty if the decision is on all findings of the rule on the site"),
    Column("status", "str", "current, stale (the finding has changed since) or unmatched (it no longer exists)"),
    Column("changed", "str", "what of the finding has changed since"),
    Column("reason", "str", "why it was overruled"),
    Column("author", "str", "by whom"),
    Column("date", "str", "when, ISO 8601"),
    Column("evidence", "str", "file that the decision is based on"),
    Column("evidence_sha256", "str", "its SHA-256 when it was decided"),
    Column("evidence_state", "str", "as-given, differs, missing or none"),
    Column("state_then", "str", "state of the finding when it was overruled"),
    Column("severity_then", "str", "its severity then"),
    Column("area_m2_then", "float", "its area then, m²; NaN if it had none"),
)


def no_overrides() -> pd.DataFrame:
    """Return an empty table of overrides."""
    return pd.DataFrame({c.name: pd.Series(dtype=_DTYPES[c.dtype]) for c in OVERRIDE_COLUMNS})


def no_rows(columns: tuple[Column, ...]) -> pd.DataFrame:
    """Return an empty table with these columns."""
    return pd.DataFrame({c.name: pd.Series(dtype=_DTYPES[c.dtype]) for c in columns})


_DTYPES = {"int": "int64", "str": "str", "float": "float64"}


@dataclass(frozen=True)
class Problem:
    """Information for the reader: a repair, an assumption, a figure that does not hold, something left out.

    `level` is ``note`` (an assumption that changes no answer), ``warning`` (check it) or ``error`` (could not be used).
    """

    level: str
    place: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}; {self.remedy}"


@dataclass(frozen=True)
class Repair:
    """A geometry that is not used as it was drawn: its owner, what was done, and its area (m²) before and after.

    `accepted` is False where the area changed by more than the tolerance and the user did not accept that. Such a geometry
    is not used, and answers that depend on it are 未核查. Areas are 0 for lines and points.
    """

    place: str
    feature: str
    what: str
    area_before_m2: float
    area_after_m2: float
    accepted: bool = True


@dataclass(frozen=True)
class Source:
    """An input as it was read: its role, name, SHA-256, version, date, CRS, and the library that read it."""

    role: str
    name: str
    sha256: str
    version: str = ""
    date: str = ""
    crs: str = ""
    engine: str = ""


@dataclass(frozen=True)
class Provenance:
    """Where a report comes from, enough to make it again; `command` is the command line that made it, if any."""

    as_of: dt.date
    made_at: dt.datetime
    rule_book: str
    rule_book_version: str
    plane: str
    sources: tuple[Source, ...]
    transforms: tuple[str, ...]
    tolerances: Mapping[str, float]
    versions: Mapping[str, str]
    repairs: tuple[Repair, ...] = ()
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layer:
    """A layer that was read: unique ids, valid and non-empty geometries in EPSG:4490, fields under canonical names.

    `doubtful` holds, for every feature that cannot be relied on, where it may lie (EPSG:4490), or None if that is unknown:
    a site near it is never proved to be clear of the layer.
    """

    id: str
    spec: LayerSpec
    frame: gpd.GeoDataFrame
    doubtful: tuple[shapely.Geometry | None, ...] = ()


@dataclass(frozen=True)
class SiteTable:
    """Sites as they were read: `frame` in EPSG:4490 with string columns ``id``, ``name``, ``activity`` (as given) first.

    A site whose geometry cannot be used stays in the table without a geometry, and `problems` says why. `enclosing` holds the
    ids of lines and points that enclose an area, which is not checked: they are never proved to be clear of a layer.
    `activities` says whether the file is refused if an activity is not in the vocabulary, or such sites are listed.
    """

    frame: gpd.GeoDataFrame
    problems: tuple[Problem, ...]
    source: Source
    transforms: tuple[str, ...] = ()
    repairs: tuple[Repair, ...] = ()
    enclosing: frozenset[str] = frozenset()
    activities: Literal["listed", "refused"] = "listed"


@dataclass(frozen=True)
class ReportContext:
    """The data common to all reports (screenings, audits, comparisons, rasters).

    `not_covered` holds the ids of the matters that neither the book nor the layers answer.
    `book` holds the rules that are cited and `backdrop` an elevation raster to draw maps on, if there is one. `neighbours` is
    the file of the neighbouring counties that maps name, if there is one.
    """

    city: CitySpec
    book: RuleBook
    layers: Mapping[str, Layer]
    backdrop: Path | None
    problems: tuple[Problem, ...]
    provenance: Provenance
    not_covered: tuple[str, ...] = field(default=(), kw_only=True)
    neighbours: Path | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Report(ReportContext):
    """The result of a screening: all that an exporter needs, and nothing that it must compute.

    `sites` (columns ``id``, ``name``, ``activity`` and all others of the file) and `findings` are in EPSG:4490; the
    geometry of a finding is the conflicting part of the site. `listed` holds the table `unit_lists`, which has one row
    per site and clause of the 准入清单: those of the province, of the city, of each unit. `backdrop` is an elevation raster
    for the background of maps. `divided` holds the table `breakdown`, of findings by township and village. `overrides`
    holds the decisions of planners on findings, which stay as they are.

    Of several cities screened together, `stretches` says how the sites are divided among them and `city_rules` what was
    found in each city under each rule; findings have a column ``city`` then. `of_cities` holds the reports of the cities by
    name, each on the stretches in that city alone. Of one city, all three are empty.

    `number` is the number under which an office registers the report as a document, `replaces` that of the document that
    it corrects, with the reason; both are empty if it is not registered.
    """

    sites: gpd.GeoDataFrame
    findings: gpd.GeoDataFrame
    verdicts: pd.DataFrame
    listed: DeferredTable
    divided: DeferredTable = field(default_factory=partial(DeferredTable, no_breakdown))
    overrides: pd.DataFrame = field(default_factory=no_overrides)
    stretches: pd.DataFrame = field(default_factory=partial(no_rows, STRETCH_COLUMNS))
    city_rules: pd.DataFrame = field(default_factory=partial(no_rows, CITY_RULE_COLUMNS))
    number: str = ""
    replaces: str = ""
    of_cities: Mapping[str, Report] = field(default_factory=dict)

    @property
    def unit_lists(self) -> pd.DataFrame:
        """The clauses of the 准入清单 of each site, see `UNIT_LIST_COLUMNS`; made when first used."""
        return self.listed.get()

    @property
    def breakdown(self) -> pd.DataFrame:
        """The findings divided by township and village, one row each; made when first used."""
        return self.divided.get()

    @property
    def table(self) -> pd.DataFrame:
        """The findings without their geometry, one row each, in the order of `findings`."""
        return pd.DataFrame(self.findings.drop(columns=self.findings.geometry.name))

    def parts(self, positions: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the conflicting parts (EPSG:4490) of the findings at these positions, or of those that a mask selects."""
        parts: npt.NDArray[Any] = self.findings.geometry.to_numpy()[positions]
        return parts
