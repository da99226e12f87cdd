"""Mistakes in TOML files: each named with its place and the nearest thing that is allowed."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict

from lzgis.config import load_toml, nearest, parse
from lzgis.errors import ConfigError
from lzgis.model.catalogue import CatalogueSpec
from lzgis.model.rules import Document, Rule

LAYER = {"title": "红线", "source": "redline.gpkg"}


def catalogue(**layer: object) -> dict[str, object]:
    return {"city": {"name": "市"}, "layer": {"redline": LAYER | layer}}


def rule(**keys: object) -> dict[str, object]:
    basis = [{"document": "law"}]
    known = {"id": "r", "kind": "avoid", "title": "t", "layer": "l", "severity": "notice", "strength": "law"}
    return {**known, "basis": basis, "effective_from": "2020-01-01", **keys}


def test_a_file_that_does_not_exist(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing\.toml: the file does not exist; check the path"):
        load_toml(tmp_path / "nothing.toml")


def test_a_folder_in_the_place_of_a_file(tmp_path):
    with pytest.raises(ConfigError, match="the file cannot be read"):
        load_toml(tmp_path)


@pytest.mark.parametrize("encoding", ["gbk", "utf-16"])
def test_a_file_that_is_not_utf8(tmp_path, encoding):
    path = tmp_path / "catalog.toml"
    path.write_bytes('title = "红线"'.encode(encoding))
    with pytest.raises(ConfigError, match=r"catalog\.toml: byte \d+ is not UTF-8; save the file as UTF-8"):
        load_toml(path)


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    path = tmp_path / "catalog.toml"
    path.write_text('title = "红线"\r\n', "utf-8-sig", newline="")
    assert load_toml(path) == {"title": "红线"}


@pytest.mark.parametrize("text", ["title = \n", "date = 2022-13-01\n", "a = 1\na = 2\nb = 3", "[city]\n[city]"])
def test_a_file_that_is_not_toml_names_the_line(tmp_path, text):
    path = tmp_path / "catalog.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=r"catalog\.toml: is not TOML: .*line \d+.*; correct the line named"):
        load_toml(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (catalogue(titel="x"), "c.toml, layer.redline: key 'titel' is not known; did you mean 'title'?"),
        (
            catalogue(style={"colour": "#ffffff"}),
            "c.toml, layer.redline.style: key 'colour' is not known; did you mean 'colours'?",
        ),
        (
            catalogue(declared=[{"what": "count", "value": 1, "tolerence": 0}]),
            "c.toml, layer.redline.declared.0: key 'tolerence' is not known; did you mean 'tolerance'?",
        ),
        (catalogue() | {"layers": {}}, "c.toml: key 'layers' is not known; did you mean 'layer'?"),
        ({"city": {"name": "市"}}, "c.toml: key 'layer' is missing; add it"),
        ({"city": {}, "layer": {}}, "c.toml, city: key 'name' is missing; add it"),
        (
            catalogue(baseline="centerline"),
            "c.toml, layer.redline.baseline: 'centerline' is not allowed; did you mean 'centreline'?",
        ),
    ],
)
def test_what_a_catalogue_may_not_say(data, message):
    with pytest.raises(ConfigError) as error:
        parse(CatalogueSpec, data, "c.toml")
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("data", "place", "remedy"),
    [
        (catalogue(geometry="polygn"), "layer.redline.geometry", "'polygon', 'line' or 'point'"),
        (catalogue(style={"fill": "red"}), "layer.redline.style.fill", "pattern"),
        (catalogue(date="2022/08/16"), "layer.redline.date", "valid date"),
        (catalogue(sha256="abc"), "layer.redline.sha256", "pattern"),
        (catalogue(title=5), "layer.redline.title", "valid string"),
        (catalogue(style={"width": -1}), "layer.redline.style.width", "greater than or equal to 0"),
        ({"city": {"name": "市", "adcode": "44"}, "layer": {}}, "city.adcode", "pattern"),
    ],
)
def test_a_value_that_is_not_allowed_names_its_place_and_what_is(data, place, remedy):
    with pytest.raises(ConfigError) as error:
        parse(CatalogueSpec, data, "c.toml")
    assert error.value.place == f"c.toml, {place}"
    assert "is not allowed" in error.value.what
    assert remedy in error.value.remedy


@pytest.mark.parametrize(
    ("data", "place", "what"),
    [
        (rule(sevrity="x"), "r.toml", "key 'sevrity' is not known"),
        (rule(severity="forbidden"), "r.toml, severity", "'forbidden' is not allowed"),
        (
            rule(unless=[{"activty": ["a"], "severity": "notice"}]),
            "r.toml, unless.0",
            "key 'activity' is missing",
        ),
        (
            rule(unless=[{"activity": [], "severity": "notice"}]),
            "r.toml, unless.0.activity",
            "[] is not allowed",
        ),
        (rule(basis=[]), "r.toml, basis", "[] is not allowed"),
        (rule(basis=[{"document": "a", "artcle": "b"}]), "r.toml, basis.0", "key 'artcle' is not known"),
        (rule(where={"class": "国道"}), "r.toml, where.class", "'国道' is not allowed"),
        (rule(effective_from="15.8.2026"), "r.toml, effective_from", "'15.8.2026' is not allowed"),
    ],
)
def test_what_a_rule_may_not_say(data, place, what):
    with pytest.raises(ConfigError) as error:
        parse(Rule, data, "r.toml")
    assert (error.value.place, error.value.what) == (place, what)


def test_the_nearest_word_or_else_all_of_them():
    assert nearest("rediine", ["redline", "roads"]) == "did you mean 'redline'?"
    assert nearest("zzz", ["roads", "redline"]) == "allowed: redline, roads"
    assert nearest("zzz", []) == "nothing is allowed here"


def test_records_are_frozen():
    document = parse(Document, {"title": "法", "certainty": "read"}, "here")
    with pytest.raises(ValueError, match="frozen"):
        document.title = "另一法"


def test_a_key_below_a_mapping_of_lists_is_found():
    class Leaf(BaseModel):
        model_config = ConfigDict(extra="forbid")
        width: int = 0

    class Root(BaseModel):
        model_config = ConfigDict(extra="forbid")
        leaf: dict[str, list[Leaf]] = {}

    with pytest.raises(ConfigError, match=r"^here, leaf\.a\.1: key 'widht' is not known; did you mean 'width'\?$"):
        parse(Root, {"leaf": {"a": [{}, {"widht": 1}]}}, "here")
