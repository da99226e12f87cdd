"""What a user declares about sites beside their file: activities, and facts that rules ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pandas as pd

from lzgis.messages import Message
from lzgis.model.report import Problem, SiteTable
from lzgis.model.rules import Fact, RuleBook
from lzgis.screening.subjects import fact_column

#: The key that stands for all sites that state nothing themselves.
EVERY_SITE = ""


def with_declared(
    sites: SiteTable,
    book: RuleBook,
    *,
    activities: Mapping[str, str] | None = None,
    facts: Mapping[str, Mapping[str, str]] | None = None,
) -> SiteTable:
    """Return a table of sites with what was declared for them; each declaration is listed as a note.

    Parameters
    ----------
    sites : SiteTable
        The sites as they were read.
    book : RuleBook
        The book whose facts may be declared.
    activities : mapping of str to str, optional
        Activities by id of the site, which replace what the file gives. The key ``""`` stands for all sites without one.
    facts : mapping of str to mapping, optional
        Values by id of the site and id of the fact, likewise. Facts that the book does not have are left out.

    Examples
    --------
    >>> import lzgis as lz
    >>> city = lz.open_catalogue(lz.reference_city())
    >>> sites = lz.read_sites(city.root / "sites.gpkg")
    >>> declared = with_declared(sites, city.book, activities={"T01": "住宅"})
    >>> declared.frame.set_index("id").loc["T01", "activity"]
    '住宅'
    """
    frame, problems = sites.frame.copy(), list(sites.problems)
    ids = frame["id"].astype(str)
    for site, word in (activities or {}).items():
        chosen = frame["activity"].astype(str).eq("") if site == EVERY_SITE else ids.eq(site)
        if word and chosen.any():
            frame.loc[chosen, "activity"] = word
            problems.append(_note(sites, ids[chosen], Message("the activity is declared: {value}", value=word)))
    for site, values in (facts or {}).items():
        for name, value in values.items():
            if name not in book.facts or not value:
                continue
            column = fact_column(frame, book.facts[name], name) or name
            given = frame[column].map(_text) if column in frame.columns else pd.Series("", index=frame.index)
            chosen = given.eq("") if site == EVERY_SITE else ids.eq(site)
            if chosen.any():
                frame[column] = given.mask(chosen, value)
                what = Message("'{fact}' is declared: {value}", fact=book.facts[name].title, value=value)
                problems.append(_note(sites, ids[chosen], what))
    return replace(sites, frame=frame, problems=tuple(problems))


def _text(value: object) -> str:
    return "" if value is None or value is pd.NA or value != value else str(value)  # noqa: PLR0124 (NaN)


def _note(sites: SiteTable, ids: pd.Series, what: str) -> Problem:
    named = ", ".join(ids[:5]) + (", …" if len(ids) > 5 else "")
    place = Message("{name}, sites {names}", name=sites.source.name, names=named)
    return Problem("note", place, what, Message("correct it if it is wrong"))


def facts_asked_for(book: RuleBook, activities: Iterable[str]) -> dict[str, Fact]:
    """Return the facts on which rules of a book depend for any of these activities, in the order of the book.

    Parameters
    ----------
    book : RuleBook
        The rules in force.
    activities : iterable of str
        Ids of activities; without any, the facts for all activities are returned.

    Examples
    --------
    >>> from lzgis.rules.book import read_rulebook, shipped_book
    >>> book = read_rulebook(shipped_book("national"))
    >>> set(facts_asked_for(book, ["house"])) <= set(facts_asked_for(book, []))
    True
    """
    wide = {name for one in activities if one in book.activities for name in book.widening(one)}
    asked: set[str] = set()
    for rule in book.rules:
        if rule.activities and wide and wide.isdisjoint(rule.activities):
            continue
        asked.update(rule.facts)
        for exception in rule.unless:
            if not wide or not wide.isdisjoint(exception.activity):
                asked.update(exception.facts)
    return {name: fact for name, fact in book.facts.items() if name in asked}
