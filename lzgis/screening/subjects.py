"""The sites of a screening as rules see them: their shapes in the plane, their activities as ids of the vocabulary."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from lzgis.city.catalogue import Catalogue
from lzgis.config import nearest
from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import SEPARATOR, Problem, SiteTable
from lzgis.model.rules import Fact, Rule, RuleBook
from lzgis.rules.book import NUMERIC, activity_of
from lzgis.rules.for_sites.plane import PlaneSites


class FactAnswers(NamedTuple):
    """Whether conditions on facts hold, arrays with one element per site; `missing` names the facts not declared."""

    hold: np.ndarray
    open: np.ndarray
    missing: np.ndarray


@dataclass(frozen=True, eq=False)
class Subjects:
    """The sites of a screening; tables and arrays have one row per site.

    Attributes
    ----------
    table : DataFrame
        The sites as they were read.
    activity : array of str
        Id of each site's activity in the vocabulary; the word as given if it is not in the vocabulary; empty if the site
        gives none.
    sites : PlaneSites
        Their shapes in the plane of the city.
    book : RuleBook
        The rules to check them against, and the vocabulary.
    encloses : array of bool
        Whether each site is a line or a point of an outline; the area that it encloses is not checked.
    """

    table: pd.DataFrame
    activity: np.ndarray
    sites: PlaneSites
    book: RuleBook
    encloses: np.ndarray

    def has_activity(self, activities: list[str]) -> np.ndarray:
        """Whether each site's activity is one of these, or a case of one."""
        wanted = frozenset(activities)
        codes, given = self._activities
        fits = np.array([a in self.book.activities and bool(self.book.widening(a) & wanted) for a in given], dtype=bool)
        return np.asarray(fits[codes])

    def facts_hold(self, conditions: Mapping[str, list[str]]) -> FactAnswers:
        """Say for each site whether what it declares meets all conditions, and which facts it does not declare."""
        n = len(self.sites)
        hold, fails, missing = np.ones(n, dtype=bool), np.zeros(n, dtype=bool), np.full(n, "", dtype=object)
        for name, values in conditions.items():
            declared = self.fact(name)
            given = declared != ""
            codes, words = pd.factorize(declared)
            meets = np.array([any(_meets(one, value) for value in values) for one in words], dtype=bool)[codes]
            hold &= meets
            fails |= given & ~meets
            missing = np.where(given, missing, np.where(missing == "", name, missing + SEPARATOR + name))
        return FactAnswers(hold, ~hold & ~fails, missing)

    def fact(self, name: str) -> np.ndarray:
        """Return what each site declares of a fact, as a text; empty where it declares nothing."""
        if name not in self._facts:
            self._facts[name] = _declared(self.table, self.book.facts[name], name)
        return self._facts[name]

    @cached_property
    def _facts(self) -> dict[str, np.ndarray]:
        return {}

    @cached_property
    def concerned(self) -> dict[str, np.ndarray]:
        """Which sites each rule concerns: those with its activities and facts, and those that do not give them."""
        return {rule.id: self._concerned(rule) for rule in self.book.rules}

    def _concerned(self, rule: Rule) -> np.ndarray:
        found = np.ones(len(self.sites), dtype=bool)
        if rule.activities:
            found &= self.has_activity(rule.activities) | self.no_activity
        if rule.facts:
            answers = self.facts_hold(rule.facts)
            found &= answers.hold | answers.open
        return found

    @cached_property
    def _activities(self) -> tuple[np.ndarray, np.ndarray]:
        codes, given = pd.factorize(self.activity)
        return codes, np.asarray(given, dtype=object)

    @cached_property
    def names(self) -> dict[str, np.ndarray]:
        """The columns ``id`` and ``name`` of the sites."""
        return {name: self.table[name].to_numpy(dtype=object) for name in ("id", "name")}

    @cached_property
    def no_activity(self) -> np.ndarray:
        """Whether the site gives no activity, or one that is not in the vocabulary."""
        codes, given = self._activities
        unknown: np.ndarray = np.array([one not in self.book.activities for one in given], dtype=bool)
        return np.asarray(unknown[codes], dtype=bool)


def _declared(table: pd.DataFrame, fact: Fact, name: str) -> np.ndarray:
    names = {one.strip().casefold() for one in (name, fact.title, fact.title_en, *fact.aliases)}
    column = next((c for c in table.columns if str(c).strip().casefold() in names), None)
    if column is None:
        return np.full(len(table), "", dtype=object)
    return np.array([fact_value(fact, value) for value in table[column]], dtype=object)


def fact_value(fact: Fact, value: object) -> str:
    """Return a declared value in the words of the book; empty if there is none or it is not understood.

    Examples
    --------
    >>> fact_value(Fact(title="存栏", title_en="Herd", kind="number"), 500.0)
    '500'
    >>> fact_value(Fact(title="重大项目", title_en="Key project", kind="yes-no"), "是")
    'yes'
    """
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    text = str(value).strip().casefold()
    if fact.kind == "number":
        try:
            number = float(text)
        except ValueError:
            return ""
        return f"{number:.10g}" if np.isfinite(number) else ""
    words = _YES_NO if fact.kind == "yes-no" else fact.words
    for word, others in words.items():
        if text in (word.casefold(), *(one.casefold() for one in others)):
            return word
    return ""


_YES_NO = {"yes": ["true", "1", "1.0", "是", "有", "y"], "no": ["false", "0", "0.0", "否", "无", "n"]}


def _meets(declared: str, condition: str) -> bool:
    if not declared:
        return False
    number = NUMERIC.fullmatch(condition)
    if number is None or number[1] is None:
        return declared == condition
    compare = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}.get(
        number[1] or "", operator.eq
    )
    return bool(compare(float(declared), float(number[2])))


def subjects_of(sites: SiteTable, book: RuleBook, city: Catalogue, which: np.ndarray) -> Subjects:
    """Project the sites at positions `which` to the plane of the city, and look up their activities."""
    frame = sites.frame.iloc[which]
    ids = {given: _id_of(given, book) for given in set(frame["activity"])}
    activity = np.array([ids[a] for a in frame["activity"]], dtype=object)
    geometry = city.plane.project(frame.geometry.to_numpy())
    encloses = frame["id"].isin(sites.enclosing).to_numpy(dtype=bool)
    return Subjects(frame.reset_index(drop=True), activity, PlaneSites(geometry), book, encloses)


def unknown_activities(sites: SiteTable, book: RuleBook) -> tuple[Problem, ...]:
    """Return a warning with the nearest words for every site whose activity is not in the vocabulary."""
    problems = []
    for site, given in zip(sites.frame["id"], sites.frame["activity"], strict=True):
        if given and _id_of(given, book) not in book.activities:
            place = Message("{name}, site '{site}', activity", name=sites.source.name, site=site)
            what = Message(
                "'{given}' is not in the vocabulary; what depends on the activity is not checked", given=given
            )
            problems.append(Problem("warning", place, what, _nearest_words(given, book)))
    return tuple(problems)


def refuse_unknown_activities(sites: SiteTable, book: RuleBook, *, first_row: int = 1) -> None:
    """Refuse sites with an activity that is not in the vocabulary.

    Raises
    ------
    SourceError
        If there is one; the error names its row, counted from `first_row`.
    """
    for row, (site, given) in enumerate(zip(sites.frame["id"], sites.frame["activity"], strict=True), first_row):
        if given and _id_of(given, book) not in book.activities:
            place = Message(
                "{name}, row {value} (site '{value2}'), activity", name=sites.source.name, value=row, value2=site
            )
            what = Message("'{given}' is not in the vocabulary", given=given)
            raise SourceError(place, what, _nearest_words(given, book))


def _id_of(given: str, book: RuleBook) -> str:
    try:
        return activity_of(book, given) if given else ""
    except KeyError:
        return given


def _nearest_words(given: str, book: RuleBook) -> str:
    titles = [a.title for a in book.activities.values()]
    near = nearest(given, [word for a in book.activities.values() for word in (a.title, *a.aliases)])
    if near.startswith("allowed"):
        return nearest(given, titles)
    return Message("{near} allowed: {names}", near=near, names="、".join(titles))
