"""The reference of keys is that of the models, and its example is a book whose cases hold."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from command_line import run

from lzgis.city.catalogue_keys import catalogue_key_reference
from lzgis.city.reference import reference_city
from lzgis.model.rules import LayerRule
from lzgis.rules.book import BookFile, read_rulebook
from lzgis.rules.keys import TABLES, key_reference, kinds, meaning, meanings, own_keys
from lzgis.screening.cases import run_cases

EXAMPLE = Path(str(files("lzgis.rules") / "example.toml"))
MODELS = {model.__name__: model for model in (BookFile, LayerRule, *(one for _, one, _ in TABLES), *kinds().values())}


def test_the_document_is_what_the_command_writes():
    document = Path(__file__).parents[2] / "docs" / "rule-keys.md"
    assert document.read_text("utf-8") == key_reference()


def test_every_key_has_a_meaning_and_no_meaning_is_left_over():
    for model in MODELS.values():
        assert all(meaning(model, key) for key in own_keys(model))
    for name, said in meanings().items():
        assert set(said) <= set(own_keys(MODELS[name])), name


def test_the_example_is_a_book_whose_cases_hold():
    outcomes = run_cases(read_rulebook(EXAMPLE))
    assert [one.case.rule for one in outcomes] == ["redline", "national-road"]
    assert all(one.holds for one in outcomes)


@pytest.mark.parametrize("name", kinds())
def test_the_example_shows_every_key_of_every_kind(name):
    rules = tomllib.loads(EXAMPLE.read_text("utf-8"))["rule"].values()
    shown = {key for rule in rules if rule["kind"] == name for key in rule}
    assert {*own_keys(kinds()[name])} <= shown


def test_the_example_shows_every_other_key():
    book = tomllib.loads(EXAMPLE.read_text("utf-8"))
    rules, cases = book["rule"].values(), book["case"]
    exceptions = [one for rule in rules for one in rule.get("unless", [])]
    tables = {
        "BookFile": [book],
        "BookInfo": [book["book"]],
        "Tolerance": [book["tolerance"]],
        "Document": book["document"].values(),
        "Activity": book["activity"].values(),
        "Fact": book["fact"].values(),
        "Matter": book["matter"].values(),
        "Rule": rules,
        "Unless": exceptions,
        "Requirement": book["requirement"].values(),
        "Case": cases,
        "Basis": [basis for rule in rules for basis in rule["basis"]],
        "Relation": [relation for case in cases for relation in case["relation"]],
    }
    for name, entries in tables.items():
        assert {*own_keys(MODELS[name])} - {"id"} <= {key for entry in entries for key in entry}, name


def test_every_key_of_the_reference_catalogue_is_listed():
    reference = catalogue_key_reference()
    catalogue = tomllib.loads((reference_city() / "catalog.toml").read_text("utf-8"))
    sections = {part.splitlines()[0]: part for part in reference.split("\n## ")[1:]}
    tables = {"`[city]`": [catalogue["city"]], "`[layer.ID]`": catalogue["layer"].values()}
    for heading, used in tables.items():
        for key in {key for one in used for key in one}:
            assert f"| `{key}` |" in sections[heading], (heading, key)
    assert run("rules", "keys", "--catalogue").stdout.strip() == reference.strip()
