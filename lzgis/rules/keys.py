"""The keys of rules, books and catalogues, read from the records that check them, so that the reference cannot be outdated."""

from __future__ import annotations

import datetime as dt
import inspect
import re
import types
from enum import Enum
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from lzgis.model.catalogue import CitySpec, CoverClass, Declared, LayerSpec, RasterSpec, Style
from lzgis.model.rules import Activity, Basis, Document, Fact, Requirement, Tolerance, Unless
from lzgis.rules.for_layers import LAYER_KINDS
from lzgis.rules.for_sites import KINDS

_PLAIN = {str: "text", float: "number", int: "whole number", bool: "true or false", dt.date: "date"}


class Key(NamedTuple):
    """A key: its name, the type and the allowed values, its default, and whether it must be given."""

    name: str
    type: str
    default: str
    required: bool


class Table(NamedTuple):
    """A table of TOML: its heading in a file, what it means, and its keys."""

    heading: str
    meaning: str
    keys: tuple[Key, ...]


def kinds() -> dict[str, type[BaseModel]]:
    """Return the record of each kind of rule, for sites first.

    Examples
    --------
    >>> list(kinds())[:4]
    ['avoid', 'keep_away', 'stay_inside', 'identify']
    """
    found: dict[str, type[BaseModel]] = {name: one.rule for name, one in KINDS.items()}
    return found | {name: one.rule for name, one in LAYER_KINDS.items()}


def rule_tables() -> dict[str, Table]:
    """Return the keys of a rule by kind, and of the other tables of a rule book by heading."""
    tables = {name: _table(f'[rule.ID]  kind = "{name}"', record) for name, record in kinds().items()}
    others: dict[str, type[BaseModel]] = {
        "[[rule.ID.unless]]": Unless,
        "basis = [{ … }]": Basis,
        "[document.ID]": Document,
        "[activity.ID]": Activity,
        "[fact.ID]": Fact,
        "[requirement.ID]": Requirement,
        "[tolerance]": Tolerance,
    }
    return tables | {heading: _table(heading, record) for heading, record in others.items()}


def catalogue_tables() -> dict[str, Table]:
    """Return the keys of the tables of a catalogue by heading."""
    records: dict[str, type[BaseModel]] = {
        "[city]": CitySpec,
        "[layer.ID]": LayerSpec,
        "style = { … }": Style,
        "declared = [{ … }]": Declared,
        "[raster.ID]": RasterSpec,
        "[raster.ID.classes]": CoverClass,
    }
    return {heading: _table(heading, record) for heading, record in records.items()}


def markdown(tables: dict[str, Table]) -> str:
    """Return tables as Markdown, one section each."""
    lines = []
    for table in tables.values():
        lines += [f"## `{table.heading}`", "", table.meaning, ""]
        lines += ["| key | value | if not given |", "| --- | --- | --- |"]
        for key in table.keys:
            default = "**required**" if key.required else f"`{key.default}`" if key.default else ""
            lines.append(f"| `{key.name}` | {key.type.replace('|', ' or ')} | {default} |")
        lines.append("")
    return "\n".join(lines)


def _table(heading: str, record: type[BaseModel]) -> Table:
    """Return the keys of a record: its own after those of the records that it extends, as pydantic lists them."""
    keys = []
    for name, field in record.model_fields.items():
        # The heading of the table gives the id of a rule; the kind is in it, too.
        if name in ("id", "kind") and "id" in record.model_fields and heading.startswith("["):
            continue
        default = "" if field.default in (PydanticUndefined, None) else _shown(field.default)
        keys.append(Key(name, _named(field.annotation), default, field.is_required()))
    return Table(heading, _meaning(record), tuple(keys))


def _meaning(record: type[BaseModel]) -> str:
    """Return the docstrings of a record and of those that it extends, as Markdown."""
    texts = []
    for one in record.__mro__:
        text = one.__dict__.get("__doc__")
        # The base of all records (`Data`) only says that unknown keys are refused.
        if issubclass(one, BaseModel) and text and one.__module__.startswith("lzgis") and "Data" not in one.__name__:
            text = inspect.cleandoc(text)
            texts.append(re.sub(r":\w+:`([^`]+)`", r"`\1`", text.replace("``", "`")))
    return "\n\n".join(texts)


def _named(annotation: Any) -> str:
    """Return a type in words; allowed values are listed.

    Examples
    --------
    >>> _named(dict[str, list[str]]), _named(float | None), _named(Literal["a", "b"])
    ('table of lists of text', 'number', '`a`, `b`')
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{getattr(one, 'value', one)}`" for one in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_named(one) for one in inner if one is not type(None)))
    if origin in (list, tuple):
        return f"list of {_named(inner[0])}" if inner else "list"
    if origin is dict:
        value = _named(inner[1])
        return f"table of {'lists' + value.removeprefix('list') if value.startswith('list') else value}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{one.value}`" for one in annotation)
    is_table = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    name = str(getattr(annotation, "__name__", annotation))
    return f"table ({name})" if is_table else _PLAIN.get(annotation, name)


def _shown(default: Any) -> str:
    if isinstance(default, Enum):
        return str(default.value)
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, BaseModel) or default in ("", [], {}):
        return ""
    return repr(default).replace("'", '"') if isinstance(default, list | str) else str(default)
