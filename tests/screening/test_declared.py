"""Activities and facts that a user declares beside the file of the sites."""

from __future__ import annotations

import toy

import lzgis as lz
from lzgis.reading import sites_from_frame
from lzgis.rules.book import read_rulebook, shipped_book
from lzgis.screening.declared import facts_asked_for, with_declared

BOOK = read_rulebook(shipped_book("national"))


def table(activity=("", "住宅"), **columns):
    return sites_from_frame(toy.sites(toy.square(0, 0), toy.square(200, 0), activity=list(activity), **columns))


def test_an_activity_for_all_fills_only_what_is_empty():
    found = with_declared(table(), BOOK, activities={"": "供水"})
    assert list(found.frame["activity"]) == ["供水", "住宅"]
    assert [str(one) for one in found.problems[-1:]] == [
        "sites, sites s1: the activity is declared: 供水; correct it if it is wrong"
    ]


def test_an_activity_for_a_site_replaces_its_own():
    found = with_declared(table(), BOOK, activities={"s2": "供水"})
    assert list(found.frame["activity"]) == ["", "供水"]


def test_facts_are_filled_in_the_column_that_the_file_has():
    name, fact = next(iter(BOOK.facts.items()))
    found = with_declared(table(**{fact.title: ["是", ""]}), BOOK, facts={"": {name: "no"}})
    assert list(found.frame[fact.title]) == ["是", "no"]
    assert name not in found.frame.columns
    again = with_declared(table(), BOOK, facts={"s1": {name: "yes"}, "": {"unheard-of": "yes"}})
    assert list(again.frame[name]) == ["yes", ""]
    assert "unheard-of" not in again.frame.columns


def test_the_table_that_was_given_is_unchanged():
    given = table()
    with_declared(given, BOOK, activities={"": "供水"}, facts={"": dict.fromkeys(BOOK.facts, "yes")})
    assert list(given.frame["activity"]) == ["", "住宅"]
    assert not set(BOOK.facts) & set(given.frame.columns)


def test_facts_asked_for_are_those_of_rules_for_the_activity():
    everything = set(facts_asked_for(BOOK, []))
    assert everything <= set(BOOK.facts)
    for activity in BOOK.activities:
        assert set(facts_asked_for(BOOK, [activity])) <= everything


def test_a_declared_activity_is_screened_as_one_in_the_file(tmp_path):
    city = lz.open_catalogue(toy.city(tmp_path))
    declared = with_declared(table(("", "")), city.book, activities={"": "住宅"})
    one = lz.screen(declared, city, as_of=toy.AS_OF)
    other = lz.screen(table(("住宅", "住宅")), city, as_of=toy.AS_OF)
    assert one.table.equals(other.table)
    assert one.verdicts.equals(other.verdicts)
