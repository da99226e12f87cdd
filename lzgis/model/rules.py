"""The records of a rule book: the typed form of ``rules.toml``, and the book as a whole.

Data only. :mod:`lzgis.rules.book` reads and validates books. Each kind of rule, with the keys that it adds to `Rule` and
its check, has a module in :mod:`lzgis.rules.for_sites` or :mod:`lzgis.rules.for_layers`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from lzgis.config import checked_number
from lzgis.messages import Message, titled


class Severity(StrEnum):
    """How grave a hit of a rule is, the gravest first."""

    PROHIBITED = "prohibited"
    CONDITIONAL = "conditional"
    NOTICE = "notice"

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return list(Severity).index(self)


class Strength(StrEnum):
    """What binds: a law or regulation, the approved plan, or advice."""

    LAW = "law"
    PLAN = "plan"
    ADVICE = "advice"


class Certainty(StrEnum):
    """How well the text behind a rule is known, the best first.

    How well a text is known: read in full, cited in the plan, read in part, or common practice only.
    """

    READ = "read"
    PLAN = "plan"
    PART = "part"
    LORE = "lore"

    @property
    def rank(self) -> int:
        """0 for the best known."""
        return list(Certainty).index(self)


class Level(StrEnum):
    """Who sets a clause of an admission list, in the order in which a list is answered."""

    PROVINCE = "province"
    CITY = "city"
    UNIT = "unit"


class Route(StrEnum):
    """What an applicant can do about a finding; data beside the severity.

    ``limited`` is an activity of the closed list of limited human activities, ``key-project`` one of the classes of national
    key projects, ``proof`` a demonstration that the authority judges, ``permit`` a licence that a law names.
    """

    PROHIBITED = "prohibited"
    LIMITED = "limited"
    KEY_PROJECT = "key-project"
    PERMIT = "permit"
    PROOF = "proof"
    NOTICE = "notice"


#: The route of a rule or exception that names none, by severity.
USUAL_ROUTES = {
    Severity.PROHIBITED: Route.PROHIBITED,
    Severity.CONDITIONAL: Route.PROOF,
    Severity.NOTICE: Route.NOTICE,
}


class Data(BaseModel):
    """A frozen record that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        return checked_number(value, cls.model_fields[str(info.field_name)].annotation)


class Document(Data):
    """A law, regulation, plan or notice that rules are based on.

    A rule whose document is repealed on the as-of date still applies as long as its own dates say so. The finding then
    says that the document is repealed and by what.
    """

    title: str
    title_en: str = ""
    certainty: Certainty
    effective_from: dt.date | None = None
    repealed_on: dt.date | None = None
    repealed_by: str = ""
    note: str = ""
    note_en: str = ""

    def repealed(self, as_of: dt.date) -> bool:
        """Return whether the document is no longer in force on `as_of`."""
        return self.repealed_on is not None and as_of >= self.repealed_on


class Activity(Data):
    """An entry of the controlled vocabulary of activities.

    `within` names the wider activities that this one is a case of: a rule for ``quarrying`` applies to all of its cases.
    """

    title: str
    title_en: str = ""
    aliases: list[str] = []
    within: list[str] = []


class Fact(Data):
    """A fact that a site may declare in a column named by the fact's id, title or one of its aliases.

    `kind` says what its values are: ``yes-no``, a ``number`` in `unit`, or a ``word`` of `words`, which maps each word to
    others that mean the same.
    """

    title: str
    title_en: str = ""
    aliases: list[str] = []
    kind: Literal["yes-no", "number", "word"]
    unit: str = ""
    words: dict[str, list[str]] = {}


class Matter(Data):
    """A subject of rules, and the days on which the book knows what applied to it.

    The book has rules for the matter, or states that none applied, from `known_from` on. Before that day, in the `gaps`
    (first day, day after the last), and if `known_from` is missing on every day, the matter is 未核查. `nothing` lists the
    periods in which the book states that no rule applied. `activities` are those that the matter is about, and their
    cases; if there are none it is about every site.
    """

    title: str
    title_en: str = ""
    known_from: dt.date | None = None
    nothing: list[tuple[dt.date, dt.date]] = []
    gaps: list[tuple[dt.date, dt.date]] = []
    activities: list[str] = []
    ask: str = ""
    ask_en: str = ""

    def known(self, day: dt.date) -> bool:
        """Return whether the book knows what applied to the matter on `day`."""
        if any(first <= day < end for first, end in self.nothing):
            return True
        if self.known_from is None or day < self.known_from:
            return False
        return not any(first <= day < end for first, end in self.gaps)


class Relation(Data):
    """Where the site of a case lies with respect to a feature of a layer with the values `fields`.

    ``inside`` the feature, ``outside`` it and far away, or ``at`` `distance_m` (m) from its edge, which is the legal baseline.
    """

    layer: str
    at: Literal["inside", "outside", "distance"]
    distance_m: float | None = Field(default=None, gt=0)
    fields: dict[str, str] = {}

    @model_validator(mode="after")
    def _distance_belongs_to_distance(self) -> Relation:
        if (self.at == "distance") != (self.distance_m is not None):
            raise PydanticCustomError("relation", 'distance_m is for at = "distance", and only for it')
        return self


class Case(Data):
    """A case with a known answer, by which a book tests itself: one site, and what rule `rule` must answer on `day`.

    `state` is the expected state, or ``not-in-force`` where the rule must not apply on that day. `severity` and `route` are
    compared if given.
    """

    rule: str
    day: dt.date
    activity: str = ""
    facts: dict[str, str] = {}
    relation: list[Relation] = Field(min_length=1)
    state: Literal["涉及", "不涉及", "未核查", "不适用", "not-in-force"]
    severity: Severity | None = None
    route: Route | None = None
    note: str = ""


class Basis(Data):
    """A document of the book and the article in it.

    `certainty` is that of the article, if it is known less well than the document.
    """

    document: str
    article: str = ""
    article_en: str = ""
    certainty: Certainty | None = None


class Unless(Data):
    """An exception: for these activities, on features with these values, the severity differs.

    `facts` are conditions on what the site declares, one or more values for each fact: a word, ``yes`` or ``no``, or a
    comparison such as ``">= 500"``. `route` is the usual one of the severity if not given.
    """

    activity: list[str] = Field(min_length=1)
    where: dict[str, list[str]] = {}
    facts: dict[str, list[str]] = {}
    severity: Severity
    route: Route | None = None
    item: str = ""
    procedure: str = ""
    procedure_en: str = ""
    note: str = ""
    note_en: str = ""


class Rule(Data):
    """What all kinds of rule have in common.

    `activities` limits the rule to these activities and their cases; empty means every activity. `where` selects the
    features whose fields hold one of the listed values, `facts` the sites that declare these values (as for `Unless`). A
    site that does not declare a fact is 未核查 where it meets the layer. `matter` names the subject, `route` what an applicant
    can do. `sliver_width_m` replaces the tolerance of the book.
    """

    id: str
    kind: str
    title: str
    title_en: str = ""
    layer: str
    where: dict[str, list[str]] = {}
    activities: list[str] = []
    facts: dict[str, list[str]] = {}
    matter: str = ""
    severity: Severity
    route: Route | None = None
    strength: Strength
    basis: list[Basis] = Field(min_length=1)
    effective_from: dt.date
    effective_to: dt.date | None = None
    unless: list[Unless] = []
    procedure: str = ""
    procedure_en: str = ""
    note: str = ""
    note_en: str = ""
    sliver_width_m: float | None = Field(default=None, ge=0)

    def in_force(self, as_of: dt.date) -> bool:
        """Return whether the rule applies on `as_of`; the last day of a rule is the day before `effective_to`."""
        return self.effective_from <= as_of and (self.effective_to is None or as_of < self.effective_to)

    @property
    def layers(self) -> tuple[str, ...]:
        """Every layer that the rule uses."""
        return (self.layer,)

    @property
    def reach_m(self) -> float:
        """How far from a site a feature can affect the answer (m)."""
        return 0.0


class Requirement(Data):
    """A general requirement of province or city: a clause that precedes the lists of the units of `layer`.

    `where` limits it to projects in units whose fields hold one of the listed values.
    """

    id: str
    level: Literal[Level.PROVINCE, Level.CITY]
    layer: str
    where: dict[str, list[str]] = {}
    heading: str = Field(min_length=1)
    clause: str = Field(min_length=1)
    basis: list[Basis] = Field(min_length=1)
    effective_from: dt.date
    effective_to: dt.date | None = None
    note: str = ""

    def in_force(self, as_of: dt.date) -> bool:
        """Return whether the clause applies on `as_of`; its last day is the day before `effective_to`."""
        return self.effective_from <= as_of and (self.effective_to is None or as_of < self.effective_to)


#: In rules for layers: every layer of the city, and the layer with its outline.
EVERY_LAYER = "*"
OUTLINE = "outline"


class LayerRule(Rule):
    """What all rules that check layers, compare two of them, or two versions of one, have in common.

    The rule checks `layer`, against `other` if the kind compares two. ``"outline"`` is the layer with the city's outline,
    independent of its name. `other_where` selects features of the other layer as `where` does of `layer`.
    """

    activities: list[str] = Field(default=[], max_length=0)
    unless: list[Unless] = Field(default=[], max_length=0)
    other: str = ""
    other_where: dict[str, list[str]] = {}

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that the rule names."""
        named = dict.fromkeys((self.layer, self.other))
        return tuple(name for name in named if name not in ("", EVERY_LAYER, OUTLINE))


class Tolerance(Data):
    """When an overlap is so thin that it may be a digitising error, and the steps of the threshold ladder.

    An overlap whose mean width 2A/P (m) is below `sliver_width_m` is 疑似边界误差. `ladder_m2` lists the areas up to which
    overlaps are disregarded at each step of the ladder.
    """

    sliver_width_m: float = Field(default=1.0, ge=0)
    ladder_m2: list[float] = [0.0, 50.0, 200.0, 1000.0]


@dataclass(frozen=True)
class RuleBook:
    """A dated book of rules, and all that its rules refer to.

    `rules` are those for sites, `audits` those for layers. `layers` maps the id of every layer that rules may name to its
    title, `layers_en` to its English title; a city without the layer gets 未核查, never a pass. `requirements` are the general
    clauses of province and city. `mentions` lists the words, besides its title, by which clauses refer to a layer. `values`
    lists, by layer and field, values that are known though no rule is about them.
    """

    name: str
    version: str
    rules: tuple[Rule, ...]
    documents: dict[str, Document]
    activities: dict[str, Activity]
    layers: dict[str, str]
    tolerance: Tolerance = field(default_factory=Tolerance)
    files: tuple[tuple[str, str], ...] = ()
    audits: tuple[LayerRule, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    mentions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    matters: Mapping[str, Matter] = field(default_factory=dict)
    cases: tuple[Case, ...] = ()
    values: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    layers_en: Mapping[str, str] = field(default_factory=dict)

    def layer_title(self, layer: str) -> Message:
        """Return the title of a layer that rules may name, as a message."""
        return titled(self.layers[layer], self.layers_en.get(layer, ""))

    @cached_property
    def activity_names(self) -> Mapping[str, str]:
        """The activity that each id, title and alias names; the names are stripped and casefolded."""
        names: dict[str, str] = {}
        for activity_id, activity in self.activities.items():
            for name in filter(None, (activity_id, activity.title, activity.title_en, *activity.aliases)):
                names.setdefault(name.strip().casefold(), activity_id)
        return names

    def as_of(self, date: dt.date) -> RuleBook:
        """Return the book with only the rules and requirements in force on `date`."""
        return replace(
            self,
            rules=tuple(r for r in self.rules if r.in_force(date)),
            audits=tuple(r for r in self.audits if r.in_force(date)),
            requirements=tuple(r for r in self.requirements if r.in_force(date)),
        )

    def widening(self, activity: str) -> frozenset[str]:
        """Return `activity` and every wider activity that it is a case of."""
        found: set[str] = set()
        pending = [activity]
        while pending:
            one = pending.pop()
            if one not in found:
                found.add(one)
                pending.extend(self.activities[one].within)
        return frozenset(found)

    def certainty_of(self, basis: Sequence[Basis]) -> Certainty:
        """Return how well the least known of documents and their articles is known."""
        known = [one for each in basis for one in (self.documents[each.document].certainty, each.certainty) if one]
        return max(known, key=lambda one: one.rank)

    def rule(self, rule_id: str) -> Rule:
        """Return the rule of this id; raises `KeyError` if the book has none."""
        return {r.id: r for r in (*self.rules, *self.audits)}[rule_id]
