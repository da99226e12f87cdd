"""The reference of every key of a rule book, made from the models, with examples out of a book that is read and run.

``docs/rule-keys.md`` is what :func:`key_reference` returns; a test compares them.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterator
from enum import Enum
from importlib.resources import files
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import MaxLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lzgis.model.rules import (
    Activity,
    Basis,
    Case,
    Document,
    Fact,
    LayerRule,
    Matter,
    Relation,
    Requirement,
    Rule,
    Tolerance,
    Unless,
)
from lzgis.rules.book import BookFile, BookInfo
from lzgis.rules.for_layers import LAYER_KINDS
from lzgis.rules.for_sites import KINDS

#: The tables of a book: heading, model, and the table of the example that shows it.
TABLES: tuple[tuple[str, type[BaseModel], str], ...] = (
    ("[book]", BookInfo, "book"),
    ("[tolerance]", Tolerance, "tolerance"),
    ("[document.ID]", Document, "document.notice"),
    ("[activity.ID]", Activity, "activity.power-line"),
    ("[fact.ID]", Fact, "fact.crossing"),
    ("[matter.ID]", Matter, "matter.redline"),
    ("[rule.ID]: keys of every kind", Rule, "rule.redline"),
    ("basis = [{ … }]", Basis, ""),
    ("[[rule.ID.unless]]", Unless, "rule.redline.unless"),
    ("[requirement.ID]", Requirement, "requirement.city-1"),
    ("[[case]]", Case, "case"),
    ("relation = [{ … }]", Relation, ""),
)
_NAMES = {str: "text", float: "number", int: "number", bool: "true or false", dt.date: "date", re.Pattern: "text"}


def kinds() -> dict[str, type[Rule]]:
    """Return the model of every kind of rule, those for sites first."""
    found: dict[str, type[Rule]] = {name: kind.rule for name, kind in KINDS.items()}
    return found | {name: kind.rule for name, kind in LAYER_KINDS.items()}


def own_keys(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the keys that a model adds or changes; all of them if it is based on no other model of a book."""
    base = next(one for one in model.__mro__[1:] if issubclass(one, BaseModel))
    written = {name for name in model.__annotations__ if base.model_fields and name != "kind"}
    fields = {name: one for name, one in model.model_fields.items() if not base.model_fields or name in written}
    # A list that must be empty is a key that the kind does not have.
    return {name: one for name, one in fields.items() if MaxLen(0) not in one.metadata}


def meaning(model: type[BaseModel], key: str) -> str:
    """Return what a key means in a model: its own meaning, or that of the model it is based on."""
    said = meanings()
    return next(said[one.__name__][key] for one in model.__mro__ if key in said.get(one.__name__, {}))


def meanings() -> dict[str, dict[str, str]]:
    """Return what each key means, by the name of the model that adds it."""
    return tomllib.loads(_text("key_meanings.toml"))


def key_reference() -> str:
    """Return the reference of every key of a rule book, in Markdown.

    Examples
    --------
    >>> "| `distance_m` | number | required |" in key_reference()
    True
    """
    lines = ["# Keys of a rule book", ""]
    lines += ["Written by `lzgis rules keys`. The examples are tables of one book, whose cases hold.", ""]
    lines += ["## Tables of a book", "", *_rows(BookFile)]
    for heading, model, example in TABLES:
        lines += ["", f"## `{heading}`", "", *_rows(model), *_example(example)]
    lines += ["", "## Kinds of rule for layers: keys of every kind", "", *_rows(LayerRule)]
    for name, rule in kinds().items():
        about = "layers" if issubclass(rule, LayerRule) else "sites"
        lines += ["", f'## `kind = "{name}"` (rules for {about})', "", _summary(rule)]
        if own_keys(rule):
            lines += ["", *_rows(rule)]
        for table in _examples_of(name):
            lines += _example(table)
    return "\n".join(lines) + "\n"


def _summary(rule: type[Rule]) -> str:
    first = (rule.__doc__ or "").strip().split("\n\n")[0]
    text = re.sub(r"^\S+: ", "", " ".join(first.split())).replace("``", "`")
    return text[:1].upper() + text[1:]


def _rows(model: type[BaseModel]) -> list[str]:
    rows = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    for name, one in own_keys(model).items():
        if name != "id":
            rows.append(f"| `{name}` | {value_of(one.annotation)} | {default_of(one)} | {meaning(model, name)} |")
    return rows


def value_of(annotation: Any) -> str:
    """Return the values that a key of this type takes, in words; allowed ones are listed."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return value_of(next(one for one in inner if one is not NoneType))
    if origin is Annotated:
        return value_of(inner[0])
    if origin is Literal:
        return ", ".join(f"`{one.value if isinstance(one, Enum) else one}`" for one in inner)
    if origin in (list, tuple, dict):
        return _container(origin, [value_of(one) for one in inner])
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{one.value}`" for one in annotation)
    return _NAMES.get(origin or annotation, "table")


def _container(origin: type, inside: list[str]) -> str:
    if origin is list:
        return f"list of {_plural(inside[0])}"
    if origin is tuple:
        return " and ".join(inside)
    value = inside[1]
    return value.replace("`key.NAME`", "`key.NAME.NAME`") if value.startswith("`key") else f"`key.NAME` = {value}"


def _plural(value: str) -> str:
    return value if value.startswith(("list", "`")) else "pairs of dates" if value == "date and date" else value + "s"


def default_of(one: FieldInfo) -> str:
    """Return the default of a key, in words."""
    if one.is_required():
        return "required"
    value = one.get_default(call_default_factory=True)
    if value in ("", None, [], {}):
        return "none"
    if isinstance(value, BaseModel):
        return "see below"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _examples_of(kind: str) -> list[str]:
    rules = tomllib.loads(_text("example.toml"))["rule"]
    return [f"rule.{name}" for name, table in rules.items() if table["kind"] == kind]


def _example(table: str) -> list[str]:
    found = list(_tables(table)) if table else []
    return ["", "```toml", *found[0], "```"] if found else []


def _tables(wanted: str) -> Iterator[list[str]]:
    """Yield the lines of the tables of the example with this name."""
    for block in re.split(r"\n(?=\[|# -)", _text("example.toml")):
        lines = block.strip().splitlines()
        if lines and lines[0].strip("[]") == wanted:
            yield lines


def _text(name: str) -> str:
    return (files("lzgis.rules") / name).read_text("utf-8")
