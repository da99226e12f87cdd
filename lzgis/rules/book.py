"""Read rule books: TOML files into frozen, dated rules. Errors name the place of the mistake.

A book may extend others: ``extends = ["national", "guangdong"]`` names books shipped in ``lzgis/rules/books``; a name that
ends in ``.toml`` is a file beside the book. An entry of a book replaces entries with the same id in the books it extends.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import Field

from lzgis.config import is_file_name, load_toml, nearest, parse
from lzgis.errors import ConfigError
from lzgis.messages import Message
from lzgis.model.rules import (
    Activity,
    Basis,
    Case,
    Data,
    Document,
    Fact,
    LayerRule,
    Matter,
    Requirement,
    Rule,
    RuleBook,
    Tolerance,
)
from lzgis.rules.for_layers import LAYER_KINDS
from lzgis.rules.for_sites import INFORMING_KINDS, KINDS

#: A condition on a fact that is a number: the number itself, or a comparison with it.
NUMERIC = re.compile(r"(>=|<=|>|<)? *(\d+(?:\.\d+)?)")


class BookInfo(Data):
    """The ``[book]`` table: name and version of the book, and the books that it extends."""

    name: str
    version: str
    extends: list[str] = []


class BookFile(Data):
    """The file of a rule book as parsed, before its rules are parsed by kind."""

    book: BookInfo
    layers: dict[str, str] = {}
    layers_en: dict[str, str] = {}
    document: dict[str, Document] = {}
    activity: dict[str, Activity] = {}
    rule: dict[str, dict[str, Any]] = {}
    requirement: dict[str, dict[str, Any]] = {}
    mentions: dict[str, list[str]] = {}
    values: dict[str, dict[str, list[str]]] = {}
    fact: dict[str, Fact] = {}
    matter: dict[str, Matter] = {}
    case: list[Case] = []
    tolerance: Tolerance | None = Field(default=None)


def read_rulebook(path: str | Path, *, outside: Iterable[Path] = ()) -> RuleBook:
    """Read a rule book and the books it extends.

    Parameters
    ----------
    path : path
        The book.
    outside : iterable of paths
        Folders, other than that of the book, in which books that it extends may be.

    Returns
    -------
    RuleBook
        The rules of all dates; `RuleBook.as_of` has those of one day.

    Raises
    ------
    ConfigError
        If a file is missing or not TOML, a key is unknown, a rule names an unknown kind, layer, document or activity, two
        activities share a name, or a book that it extends is elsewhere, also through a link.

    Examples
    --------
    >>> book = read_rulebook(shipped_book("national"))
    >>> book.rule("redline").kind
    'avoid'
    """
    path = Path(path)
    homes = [path.resolve().parent, *(one.resolve() for one in outside)]
    read = list(_with_extended(path, (), set(), homes))
    book = _merged(read)
    _check(book, path.name)
    _check_matters(book, path.name)
    _check_requirements(book, path.name)
    return book


#: The tables of a book in which an entry of the book replaces that of a book it extends.
_TABLES = ("layers", "layers_en", "document", "activity", "rule", "requirement", "mentions", "values", "fact", "matter")


def _merged(read: Sequence[tuple[str, BookFile, str]]) -> RuleBook:
    """Merge books, each with its place and digest; entries of a later one replace those of earlier ones."""
    merged: dict[str, dict[str, Any]] = {part: {} for part in _TABLES}
    tolerance = Tolerance()
    for place, file, _ in read:
        read_parts: dict[str, dict[str, Any]] = {part: getattr(file, part) for part in _TABLES}
        read_parts |= {"rule": _rules(file, place), "requirement": _requirements(file, place)}
        for part, values in merged.items():
            values.update(read_parts[part])
        tolerance = file.tolerance or tolerance
    own = read[-1][1].book
    return RuleBook(
        name=own.name,
        version=own.version,
        rules=tuple(r for r in merged["rule"].values() if not isinstance(r, LayerRule)),
        documents=merged["document"],
        activities=merged["activity"],
        layers=merged["layers"],
        layers_en=merged["layers_en"],
        tolerance=tolerance,
        files=tuple((place, digest) for place, _, digest in read),
        audits=tuple(r for r in merged["rule"].values() if isinstance(r, LayerRule)),
        requirements=tuple(merged["requirement"].values()),
        mentions={layer: tuple(words) for layer, words in merged["mentions"].items()},
        values={
            layer: {name: tuple(known) for name, known in fields.items()} for layer, fields in merged["values"].items()
        },
        facts=merged["fact"],
        matters=merged["matter"],
        cases=tuple(case for _, file, _ in read for case in file.case),
    )


def extended(common: RuleBook, own: RuleBook) -> RuleBook:
    """Return a book with the entries of two: an entry of `own` replaces that of `common` with the same id."""

    def by_id(parts: tuple[Any, ...], others: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple({one.id: one for one in (*parts, *others)}.values())

    return replace(
        own,
        rules=by_id(common.rules, own.rules),
        audits=by_id(common.audits, own.audits),
        requirements=by_id(common.requirements, own.requirements),
        documents={**common.documents, **own.documents},
        activities={**common.activities, **own.activities},
        layers={**common.layers, **own.layers},
        layers_en={**common.layers_en, **own.layers_en},
        mentions={**common.mentions, **own.mentions},
        values={**common.values, **own.values},
        facts={**common.facts, **own.facts},
        matters={**common.matters, **own.matters},
        files=tuple(dict.fromkeys((*common.files, *own.files))),
        cases=(*common.cases, *own.cases),
    )


def shipped_book(name: str) -> Path:
    """Return the path of a book shipped with lzgis.

    Raises
    ------
    ConfigError
        If there is none of this name.
    """
    folder = Path(str(files("lzgis.rules") / "books"))
    known = sorted(p.stem for p in folder.glob("*.toml"))
    if name not in known:
        raise ConfigError(
            Message("rule book '{name}'", name=name),
            Message("is not shipped with lzgis"),
            nearest(name, known),
        )
    return folder / f"{name}.toml"


def activity_of(book: RuleBook, word: str) -> str:
    """Return the id of the activity that `word` names: its id, its title or one of its aliases.

    Raises
    ------
    KeyError
        If no activity of the book has this name.
    """
    return book.activity_names[word.strip().casefold()]


def unknown_matters(book: RuleBook, day: dt.date) -> tuple[str, ...]:
    """Return the ids of the matters of which the book does not know what applied on `day`.

    A matter without `known_from` is one that the book never knows unless a rule of it is in force.

    Examples
    --------
    >>> book = read_rulebook(shipped_book("national"))
    >>> "redline" in unknown_matters(book, dt.date(2017, 1, 1))
    True
    >>> "redline" in unknown_matters(book, dt.date(2021, 6, 1))
    False
    """
    return tuple(name for name, one in book.matters.items() if one.known_from is not None and not one.known(day))


def not_covered(book: RuleBook, present: Collection[str], day: dt.date) -> tuple[str, ...]:
    """Return the ids of the matters that the book does not answer for a city with the layers `present` on `day`.

    A matter is answered if the book knows it on that day, and a rule in force is about it and looks at one of these layers.
    """
    unknown = unknown_matters(book, day)
    answered = {
        rule.matter
        for rule in book.rules
        if rule.matter and rule.in_force(day) and not set(rule.layers).isdisjoint(present)
    }
    return tuple(name for name in book.matters if name in unknown or name not in answered)


def _with_extended(
    path: Path, chain: tuple[Path, ...], done: set[Path], homes: list[Path]
) -> Iterator[tuple[str, BookFile, str]]:
    """Yield the books that a book extends, each once, and then the book: later entries replace earlier ones."""
    path = path.resolve()
    if path in done:
        return
    if path in chain:
        names = " → ".join(p.name for p in (*chain, path))
        raise ConfigError(
            path.name,
            Message("the books extend each other in a circle ({chain})", chain=names),
            Message("remove one 'extends'"),
        )
    book = parse(BookFile, load_toml(path), path.name)
    for name in book.book.extends:
        if not is_file_name(name):
            what = Message("extends '{name}', which is no name of a file", name=name[:60].replace("\0", "?"))
            raise ConfigError(path.name, what, Message("name a book shipped with lzgis, or a file beside this one"))
        own = name.endswith(".toml")
        base = path.parent / name if own else shipped_book(name)
        if own and not any(base.resolve().is_relative_to(home) for home in homes):
            what = Message("extends '{name}', which is outside its folder", name=name)
            raise ConfigError(path.name, what, Message("copy it there, or name its folder in city.outside"))
        yield from _with_extended(base, (*chain, path), done, homes)
    done.add(path)
    yield path.name, book, hashlib.sha256(path.read_bytes()).hexdigest()


def _rules(book: BookFile, place: str) -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    kinds: dict[str, type[Rule]] = {name: one.rule for name, one in KINDS.items()}
    kinds |= {name: one.rule for name, one in LAYER_KINDS.items()}
    for rule_id, table in book.rule.items():
        here = Message("{place}, rule '{rule_id}'", place=place, rule_id=rule_id)
        kind = table.get("kind")
        if not isinstance(kind, str) or kind not in kinds:
            raise ConfigError(here, Message("kind {kind!r} is not known", kind=kind), nearest(str(kind), kinds))
        rules[rule_id] = parse(kinds[kind], {"id": rule_id, **table}, here)
    return rules


def _requirements(book: BookFile, place: str) -> dict[str, Requirement]:
    return {
        name: parse(
            Requirement, {"id": name, **table}, Message("{place}, requirement '{name}'", place=place, name=name)
        )
        for name, table in book.requirement.items()
    }


def _check_requirements(book: RuleBook, place: str) -> None:
    """Check what requirements and mentions refer to. A requirement precedes lists, so its layer needs an ``identify`` rule."""
    lists = [rule.layer for rule in book.rules if rule.kind in INFORMING_KINDS]
    for one in book.requirements:
        here = Message("{place}, requirement '{name}'", place=place, name=one.id)
        if one.layer not in book.layers:
            what = Message("layer '{layer}' is not in [layers]", layer=one.layer)
            raise ConfigError(here, what, nearest(one.layer, book.layers))
        if one.layer not in lists:
            what = Message("no rule of kind 'identify' looks at layer '{layer}'", layer=one.layer)
            raise ConfigError(here, what, nearest(one.layer, lists))
        _check_basis(book, one.basis, here)
        if one.effective_to is not None and one.effective_to <= one.effective_from:
            raise ConfigError(
                here, Message("effective_to is not after effective_from"), Message("correct one of the dates")
            )
    for key, layers in (("mentions", book.mentions), ("values", book.values), ("layers_en", book.layers_en)):
        for layer in layers:
            if layer not in book.layers:
                what = Message("layer '{layer}' is not in [layers]", layer=layer)
                raise ConfigError(Message("{place}, {key}", place=place, key=key), what, nearest(layer, book.layers))


def _check_basis(book: RuleBook, cited: list[Basis], here: str) -> None:
    for basis in cited:
        if basis.document not in book.documents:
            what = Message("document '{document}' is not in the book", document=basis.document)
            raise ConfigError(here, what, nearest(basis.document, book.documents))


def _check(book: RuleBook, place: str) -> None:
    for rule in (*book.rules, *book.audits):
        here = Message("{place}, rule '{id}'", place=place, id=rule.id)
        for layer in rule.layers:
            if layer not in book.layers:
                raise ConfigError(
                    here,
                    Message("layer '{layer}' is not in [layers]", layer=layer),
                    nearest(layer, book.layers),
                )
        _check_basis(book, rule.basis, here)
        for activity in [*rule.activities, *(a for u in rule.unless for a in u.activity)]:
            if activity not in book.activities:
                raise ConfigError(
                    here,
                    Message("activity '{activity}' is not known", activity=activity),
                    nearest(activity, book.activities),
                )
        if rule.effective_to is not None and rule.effective_to <= rule.effective_from:
            raise ConfigError(
                here, Message("effective_to is not after effective_from"), Message("correct one of the dates")
            )
    for name, narrower in book.activities.items():
        for wider in narrower.within:
            if wider not in book.activities:
                here = Message("{place}, activity '{name}'", place=place, name=name)
                raise ConfigError(
                    here,
                    Message("'{wider}' is not an activity", wider=wider),
                    nearest(wider, book.activities),
                )
    _check_activity_names(book, place)


def _check_matters(book: RuleBook, place: str) -> None:
    """Check the matters, facts and routes that rules and cases refer to."""
    for rule in book.rules:
        here = Message("{place}, rule '{id}'", place=place, id=rule.id)
        if rule.matter and rule.matter not in book.matters:
            what = Message("matter '{matter}' is not in the book", matter=rule.matter)
            raise ConfigError(here, what, nearest(rule.matter, book.matters))
        for facts in (rule.facts, *(exception.facts for exception in rule.unless)):
            _check_facts(book, facts, here)
    for name, one in book.matters.items():
        for activity in one.activities:
            if activity not in book.activities:
                what = Message("activity '{activity}' is not known", activity=activity)
                raise ConfigError(
                    Message("{place}, matter '{name}'", place=place, name=name),
                    what,
                    nearest(activity, book.activities),
                )
    rules = [rule.id for rule in book.rules]
    for number, case in enumerate(book.cases, start=1):
        here = Message("{place}, case {number}", place=place, number=number)
        if case.rule not in rules:
            raise ConfigError(here, Message("rule '{id}' is not in the book", id=case.rule), nearest(case.rule, rules))
        if case.activity and case.activity not in book.activities:
            what = Message("activity '{activity}' is not known", activity=case.activity)
            raise ConfigError(here, what, nearest(case.activity, book.activities))
        for layer in (relation.layer for relation in case.relation):
            if layer not in book.layers:
                what = Message("layer '{layer}' is not in [layers]", layer=layer)
                raise ConfigError(here, what, nearest(layer, book.layers))
        _check_facts(book, {name: [value] for name, value in case.facts.items()}, here)


def _check_facts(book: RuleBook, facts: Mapping[str, list[str]], here: str) -> None:
    for name, values in facts.items():
        if name not in book.facts:
            raise ConfigError(here, Message("fact '{fact}' is not in the book", fact=name), nearest(name, book.facts))
        fact = book.facts[name]
        for value in values:
            allowed = ["yes", "no"] if fact.kind == "yes-no" else list(fact.words)
            good = NUMERIC.fullmatch(value) is not None if fact.kind == "number" else value in allowed
            if not good:
                what = Message("fact '{fact}' cannot be {value!r}", fact=name, value=value)
                remedy = (
                    Message("give a comparison such as '>= 500'") if fact.kind == "number" else nearest(value, allowed)
                )
                raise ConfigError(here, what, remedy)


def _check_activity_names(book: RuleBook, place: str) -> None:
    for activity_id, activity in book.activities.items():
        for name in filter(None, (activity_id, activity.title, activity.title_en, *activity.aliases)):
            if not name.strip():
                here = Message("{place}, activity '{activity_id}'", place=place, activity_id=activity_id)
                raise ConfigError(here, Message("a name is empty"), Message("correct 'aliases'"))
            other = book.activity_names[name.strip().casefold()]
            if other != activity_id:
                what = Message("'{name}' also names activity '{other}'", name=name, other=other)
                raise ConfigError(
                    Message("{place}, activity '{activity_id}'", place=place, activity_id=activity_id),
                    what,
                    Message("give each a name of its own"),
                )
