"""The reference of keys is that of the records, and of the files that come with lzgis."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from command_line import run

import lzgis
from lzgis.city.reference import reference_city
from lzgis.rules.keys import catalogue_tables, kinds, markdown, rule_tables

BOOKS = sorted((Path(lzgis.__file__).parent / "rules" / "books").glob("*.toml"))


def rules_used():
    for path in [*BOOKS, reference_city() / "rules.toml"]:
        yield from tomllib.loads(path.read_text("utf-8")).get("rule", {}).items()


def test_every_kind_has_a_table():
    assert set(kinds()) <= set(rule_tables())
    assert len(kinds()) == 13


def test_every_key_that_shipped_books_use_is_listed_for_its_kind():
    tables = rule_tables()
    for rule_id, rule in rules_used():
        listed = {key.name for key in tables[rule["kind"]].keys} | {"kind"}
        assert set(rule) <= listed, rule_id
        required = {key.name for key in tables[rule["kind"]].keys if key.required}
        assert required <= set(rule), rule_id


def test_every_key_of_the_reference_catalogue_is_listed():
    tables = catalogue_tables()
    catalogue = tomllib.loads((reference_city() / "catalog.toml").read_text("utf-8"))
    assert set(catalogue["city"]) <= {key.name for key in tables["[city]"].keys}
    for one in catalogue["layer"].values():
        assert set(one) <= {key.name for key in tables["[layer.ID]"].keys}


def test_values_and_defaults_are_those_of_the_records():
    keys = {key.name: key for key in rule_tables()["keep_away"].keys}
    assert keys["distance_m"].type.startswith("number")
    assert keys["severity"].type == "`prohibited`, `conditional`, `notice`"
    assert keys["title"].required and not keys["note"].required
    layer = {key.name: key for key in catalogue_tables()["[layer.ID]"].keys}
    assert (layer["geometry"].type, layer["geometry"].default) == ("`polygon`, `line`, `point`", '"polygon"')
    assert layer["date"].type == "date"


def test_the_command_prints_a_kind_and_refuses_others():
    done = run("rules", "keys", "keep_away")
    assert done.returncode == 0
    assert done.stdout.startswith('## `[rule.ID]  kind = "keep_away"`')
    assert "| `distance_m` |" in done.stdout
    assert "[layer.ID]" in run("rules", "keys", "--catalogue").stdout
    done = run("rules", "keys", "keep_awa")
    assert done.returncode == 3
    assert "keep_away" in done.stderr


@pytest.mark.parametrize("tables", [rule_tables(), catalogue_tables()], ids=["rules", "catalogue"])
def test_tables_are_well_formed_markdown(tables):
    for line in markdown(tables).splitlines():
        if line.startswith("|"):
            assert line.count(" | ") == 2, line
