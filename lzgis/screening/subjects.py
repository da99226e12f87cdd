"""The sites of a screening as rules see them: their shapes in the plane, their activities as ids of the vocabulary."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely

from lzgis.city.catalogue import Catalogue
from lzgis.config import nearest
from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import SEPARATOR, Problem, SiteTable
from lzgis.model.rules import Fact, Rule, RuleBook
from lzgis.rules.book import NUMERIC, activity_of
from lzgis.rules.for_sites.hits import Flags, Geometries
from lzgis.rules.for_sites.plane import PlaneSites

#: The fact by which a line declares the width of its land take (m).
WIDTH_FACT = "width_m"
#: Segments of a quarter circle at the bends of a strip.
_BEND_SEGMENTS = 16
#: How many values of a column that are not understood are named.
_MOST_STRANGE = 5

#: The most activities that are named beside one that is not in the vocabulary.
_MOST_TITLES = 12


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
    lines : array of geometry
        The lines in the plane of the sites that are judged as strips, None for others; empty if there are none.
    """

    table: pd.DataFrame
    activity: np.ndarray
    sites: PlaneSites
    book: RuleBook
    encloses: np.ndarray
    lines: Geometries = field(default_factory=lambda: np.zeros(0, dtype=object))

    @cached_property
    def strips(self) -> Flags:
        """Whether each site is a line that is judged as a strip of the width that it declares."""
        if not len(self.lines):
            return np.zeros(len(self.sites), dtype=bool)
        return np.asarray(~shapely.is_missing(self.lines), dtype=bool)

    def has_activity(self, activities: list[str]) -> np.ndarray:
        """Return whether each site's activity is one of these, or a case of one."""
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


def fact_problems(table: pd.DataFrame, book: RuleBook) -> tuple[Problem, ...]:
    """List the columns of facts with values that are not understood, which declare nothing."""
    problems = []
    for name, fact in book.facts.items():
        column = fact_column(table, fact, name)
        if column is None:
            continue
        given = table[column][table[column].notna() & (table[column].astype(str).str.strip() != "")]
        strange = dict.fromkeys(str(value) for value in given if fact_value(fact, value) == "")
        words = ("yes", "no") if fact.kind == "yes-no" else fact.words
        remedy = (
            Message("give a number in {unit}", unit=fact.unit)
            if fact.kind == "number"
            else Message("give one of: {allowed}", allowed=", ".join(words))
        )
        for value in [*strange][:_MOST_STRANGE]:
            what = Message(
                "{value!r} is not understood as {fact}, so nothing is declared", value=value, fact=fact.title
            )
            problems.append(Problem("warning", Message("column '{column}'", column=column), what, remedy))
    return tuple(problems)


def fact_column(table: pd.DataFrame, fact: Fact, name: str) -> str | None:
    """Return the column in which sites declare a fact: its id, title or an alias; None if there is none."""
    names = {one.strip().casefold() for one in (name, fact.title, fact.title_en, *fact.aliases) if one}
    return next((c for c in table.columns if str(c).strip().casefold() in names), None)


def _declared(table: pd.DataFrame, fact: Fact, name: str) -> np.ndarray:
    column = fact_column(table, fact, name)
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
    geometry = np.asarray(city.plane.project(frame.geometry.to_numpy()), dtype=object)
    encloses = frame["id"].isin(sites.enclosing).to_numpy(dtype=bool)
    table = frame.reset_index(drop=True)
    shapes, lines = _strips_of(geometry, table, book)
    return Subjects(table, activity, PlaneSites(shapes, city.inexact_plane), book, encloses, lines)


def _strips_of(geometry: Geometries, table: pd.DataFrame, book: RuleBook) -> tuple[Geometries, Geometries]:
    """Replace lines that declare the width of their land take by strips, half of it on each side; return them and the lines."""
    none = np.zeros(0, dtype=object)
    if WIDTH_FACT not in book.facts:
        return geometry, none
    declared = _declared(table, book.facts[WIDTH_FACT], WIDTH_FACT)
    width = np.array([float(one) if one else 0.0 for one in declared])
    which = np.flatnonzero((shapely.get_dimensions(geometry) == 1) & (width > 0))
    if not len(which):
        return geometry, none
    lines, shapes = np.full(len(geometry), None, dtype=object), geometry.copy()
    lines[which] = geometry[which]
    shapes[which] = strip(geometry[which], width[which])
    return shapes, lines


def strip(lines: Geometries, width_m: np.ndarray) -> Geometries:
    """Return the strips of lines: half of the width on each side, flat at the ends, round at bends.

    Examples
    --------
    >>> line = np.array([shapely.LineString([(0, 0), (100, 0)])], dtype=object)
    >>> shapely.area(strip(line, np.array([12.0])))
    array([1200.])
    """
    buffer = partial(shapely.buffer, quad_segs=_BEND_SEGMENTS, cap_style="flat", join_style="round")
    made = np.asarray(buffer(lines, width_m / 2), dtype=object)
    # GEOS 3.14 leaves out parts of the buffer of a line that runs back along itself, but not of its noded pieces.
    again = np.flatnonzero(~shapely.is_simple(lines))
    pieces = buffer(shapely.node(lines[again]), np.broadcast_to(width_m, made.shape)[again] / 2)
    made[again] = shapely.union(made[again], pieces)
    return made


def unknown_activities(sites: SiteTable, book: RuleBook) -> tuple[Problem, ...]:
    """Return a warning with the nearest words for every site whose activity is not in the vocabulary."""
    problems = []
    unknown = _unknown_words(sites, book)
    for row in np.flatnonzero(sites.frame["activity"].isin(unknown)) if unknown else ():
        site, given = sites.frame["id"].iloc[row], sites.frame["activity"].iloc[row]
        place = Message("{name}, site '{site}', activity", name=sites.source.name, site=site)
        what = Message("'{given}' is not in the vocabulary; what depends on the activity is not checked", given=given)
        problems.append(Problem("warning", place, what, _nearest_words(given, book)))
    return tuple(problems)


def refuse_unknown_activities(sites: SiteTable, book: RuleBook, *, first_row: int = 1) -> None:
    """Refuse sites with an activity that is not in the vocabulary.

    Raises
    ------
    SourceError
        If there is one; the error names its row, counted from `first_row`.
    """
    unknown = _unknown_words(sites, book)
    if not unknown:
        return
    row = int(np.flatnonzero(sites.frame["activity"].isin(unknown))[0])
    site, given = sites.frame["id"].iloc[row], sites.frame["activity"].iloc[row]
    place = Message(
        "{name}, row {value} (site '{value2}'), activity", name=sites.source.name, value=row + first_row, value2=site
    )
    what = Message("'{given}' is not in the vocabulary", given=given)
    raise SourceError(place, what, _nearest_words(given, book))


def _unknown_words(sites: SiteTable, book: RuleBook) -> list[str]:
    return [one for one in sites.frame["activity"].unique() if one and _id_of(one, book) not in book.activities]


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
    # Titles that share characters with the word come first; the whole vocabulary would fill the screen.
    titles.sort(key=lambda title: -len(set(title) & set(given)))
    more = ["…"] if len(titles) > _MOST_TITLES else []
    return Message("{near} allowed: {names}", near=near, names="、".join([*titles[:_MOST_TITLES], *more]))
