"""What a rule book may say: the typed form of ``rules.toml``, and the book as a whole.

Pure data. Reading and checking it is :mod:`lzgis.rules.book`; what a kind of rule adds to `Rule`, and how it is checked,
stands in one module per kind under :mod:`lzgis.rules.for_sites`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Severity(StrEnum):
    """How grave it is to be caught by a rule, the gravest first."""

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

    The text was read, stands in the plan, was read in part, or is common practice only.
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


class Data(BaseModel):
    """A frozen record that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Document(Data):
    """A law, regulation, plan or notice that rules rest on.

    A rule whose document is repealed on the as-of date is still applied while its own dates say so; the finding then
    says that the text is repealed and by what.
    """

    title: str
    title_en: str = ""
    certainty: Certainty
    effective_from: dt.date | None = None
    repealed_on: dt.date | None = None
    repealed_by: str = ""
    note: str = ""

    def repealed(self, as_of: dt.date) -> bool:
        """Whether the document is no longer in force on `as_of`."""
        return self.repealed_on is not None and as_of >= self.repealed_on


class Activity(Data):
    """An entry of the controlled vocabulary of activities.

    `within` names wider activities that this one is a case of: a rule for ``quarrying`` meets everything within it.
    """

    title: str
    title_en: str
    aliases: list[str] = []
    within: list[str] = []


class Basis(Data):
    """A document of the book and the place in it."""

    document: str
    article: str = ""
    article_en: str = ""


class Unless(Data):
    """An exception: for these activities, on features with these values, the severity is another."""

    activity: list[str] = Field(min_length=1)
    where: dict[str, list[str]] = {}
    severity: Severity
    item: str = ""
    procedure: str = ""
    procedure_en: str = ""
    note: str = ""


class Rule(Data):
    """What all kinds of rule have in common.

    `activities` limits the rule to these activities and what is within them; empty means every activity. `where` keeps
    the features whose fields hold one of the listed values. `sliver_width_m` replaces the book's tolerance.
    """

    id: str
    kind: str
    title: str
    title_en: str = ""
    layer: str
    where: dict[str, list[str]] = {}
    activities: list[str] = []
    severity: Severity
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
        """Whether the rule applies on `as_of`; the last day of a rule is the day before `effective_to`."""
        return self.effective_from <= as_of and (self.effective_to is None or as_of < self.effective_to)

    @property
    def layers(self) -> tuple[str, ...]:
        """Every layer the rule looks at."""
        return (self.layer,)

    @property
    def reach_m(self) -> float:
        """How far from a site a feature can still matter to the rule."""
        return 0.0


class Requirement(Data):
    """A general requirement of province or city: a clause that stands before the lists of the units of `layer`.

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
        """Whether the clause applies on `as_of`; its last day is the day before `effective_to`."""
        return self.effective_from <= as_of and (self.effective_to is None or as_of < self.effective_to)


#: The word for every layer that a city has, and the one for the layer that holds its outline.
EVERY_LAYER = "*"
OUTLINE = "outline"


class LayerRule(Rule):
    """What all rules that hold layers against each other, or versions of one, have in common.

    `layer` is held to the rule, against `other` where the kind compares two: ``"outline"`` is the layer of the city's
    outline, whatever its name. `other_where` keeps features of the other layer as `where` does of the layer.
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
    """When an overlap is too thin to be told from a digitising error, and the steps of the threshold ladder.

    An overlap whose mean width 2A/P is below `sliver_width_m` is 疑似边界误差; `ladder_m2` are the areas up to which
    overlaps are disregarded in the verdicts at thresholds.
    """

    sliver_width_m: float = Field(default=1.0, ge=0)
    ladder_m2: list[float] = [0.0, 50.0, 200.0, 1000.0]


@dataclass(frozen=True)
class RuleBook:
    """A dated book of rules with what its rules refer to.

    `rules` are those for sites, `audits` those for layers. `layers` maps the id of every layer that rules may
    name to its title: a city that lacks one gets 未核查, never a pass. `requirements` are the general clauses of province
    and city, and `mentions` the words by which clauses speak of a layer, beside its title.
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

    def as_of(self, date: dt.date) -> RuleBook:
        """Keep the rules and requirements in force on `date`."""
        return replace(
            self,
            rules=tuple(r for r in self.rules if r.in_force(date)),
            audits=tuple(r for r in self.audits if r.in_force(date)),
            requirements=tuple(r for r in self.requirements if r.in_force(date)),
        )

    def widening(self, activity: str) -> frozenset[str]:
        """Return `activity` and every wider activity that it is a case of."""
        found: set[str] = set()
        ahead = [activity]
        while ahead:
            one = ahead.pop()
            if one not in found:
                found.add(one)
                ahead.extend(self.activities[one].within)
        return frozenset(found)

    def rule(self, rule_id: str) -> Rule:
        """Return the rule of this id; raises `KeyError` if the book has none."""
        return {r.id: r for r in (*self.rules, *self.audits)}[rule_id]
