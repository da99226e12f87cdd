"""The records of a rule book: the typed form of ``rules.toml``, and the book as a whole.

Data only. :mod:`lzgis.rules.book` reads and validates books. Each kind of rule, with the keys that it adds to `Rule` and
its check, has a module in :mod:`lzgis.rules.for_sites` or :mod:`lzgis.rules.for_layers`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from lzgis.config import checked_number


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

    def repealed(self, as_of: dt.date) -> bool:
        """Whether the document is no longer in force on `as_of`."""
        return self.repealed_on is not None and as_of >= self.repealed_on


class Activity(Data):
    """An entry of the controlled vocabulary of activities.

    `within` names the wider activities that this one is a case of: a rule for ``quarrying`` applies to all of its cases.
    """

    title: str
    title_en: str
    aliases: list[str] = []
    within: list[str] = []


class Basis(Data):
    """A document of the book and the article in it."""

    document: str
    article: str = ""
    article_en: str = ""


class Unless(Data):
    """An exception: for these activities, on features with these values, the severity differs."""

    activity: list[str] = Field(min_length=1)
    where: dict[str, list[str]] = {}
    severity: Severity
    item: str = ""
    procedure: str = ""
    procedure_en: str = ""
    note: str = ""


class Rule(Data):
    """What all kinds of rule have in common.

    `activities` limits the rule to these activities and their cases; empty means every activity. `where` selects the
    features whose fields hold one of the listed values. `sliver_width_m` replaces the tolerance of the book.
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
        """Whether the clause applies on `as_of`; its last day is the day before `effective_to`."""
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
    title; a city without the layer gets 未核查, never a pass. `requirements` are the general clauses of province and city.
    `mentions` lists the words, besides its title, by which clauses refer to a layer.
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

    def rule(self, rule_id: str) -> Rule:
        """Return the rule of this id; raises `KeyError` if the book has none."""
        return {r.id: r for r in (*self.rules, *self.audits)}[rule_id]
