"""The commands ``rules``: list the rules in force, explain one, and run the cases of a rule book."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lzgis.cli.console import ExitCode, stdout
from lzgis.cli.options import Lang, LangOption, LayersOption

if TYPE_CHECKING:
    import datetime as dt

    from lzgis.model.rules import Rule, RuleBook

app = typer.Typer(
    help="The rule book: list the rules in force, explain one, run its cases, print the reference of its keys.",
    no_args_is_help=True,
)

Activity = Annotated[str, typer.Option("--activity", help="An activity: its id, title or alias.")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="The date whose rules apply, YYYY-MM-DD; today if not given.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_rules(
    activity: Activity = "",
    as_of: AsOf = None,
    as_json: AsJson = False,
    layers: LayersOption = None,
    lang: LangOption = Lang.zh,
) -> None:
    """List the rules in force on a date that are meant for an activity, with their sources."""
    from rich.table import Table

    from lzgis.city.provenance import date_of
    from lzgis.words import Words

    book = _book(layers)
    day = date_of(as_of)
    rules = [_facts_of(rule, book, day) for rule in _meant(book.as_of(day), activity)]
    if as_json:
        typer.echo(json.dumps(rules, ensure_ascii=False, indent=1))
        return
    words = Words(lang.value)
    table = Table()
    for name in ("rule_id", "rule", "severity", "route", "basis", "certainty"):
        table.add_column(words("column", name))
    for one in rules:
        codes = [words(name, one[name]) for name in ("severity", "route")]
        title = words.title(one["title"], one["title_en"])
        table.add_row(one["id"], title, *codes, one["basis"], words("certainty", one["certainty"]))
    stdout().print(table)


@app.command("activities")
def list_activities(as_json: AsJson = False, layers: LayersOption = None, lang: LangOption = Lang.zh) -> None:
    """List the vocabulary of activities: ids, titles, the wider activities they are cases of, and other names."""
    from rich.table import Table

    known = _book(layers).activities
    if as_json:
        typer.echo(json.dumps({name: one.model_dump() for name, one in known.items()}, ensure_ascii=False, indent=1))
        return
    table = Table()
    for name in ("id", "title", "within", "aliases"):
        table.add_column(name, overflow="fold")
    for name, one in known.items():
        title = one.title_en if lang is Lang.en else one.title
        table.add_row(name, title, ", ".join(one.within), "、".join(one.aliases))
    stdout().print(table)


@app.command("explain")
def explain(
    rule_id: Annotated[str, typer.Argument(metavar="ID", help="Id of a rule.")],
    as_json: AsJson = False,
    layers: LayersOption = None,
    lang: LangOption = Lang.zh,
) -> None:
    """Show a rule's documents with their dates, what it demands, its exceptions; with --json every key and its cases."""
    from lzgis.cli.console import print_utf8
    from lzgis.cli.rule_text import rule_text
    from lzgis.words import Words

    book = _book(layers)
    rule = _named(rule_id, book)
    if not as_json:
        print_utf8(rule_text(rule, book, Words(lang.value)) + "\n")
        return
    shown: dict[str, Any] = rule.model_dump(mode="json", exclude_defaults=True)
    cited = {b.document: book.documents[b.document].model_dump(mode="json", exclude_defaults=True) for b in rule.basis}
    cases = [case.model_dump(mode="json", exclude_defaults=True) for case in book.cases if case.rule == rule.id]
    typer.echo(json.dumps({"rule": shown, "documents": cited, "cases": cases}, ensure_ascii=False, indent=1))


def _named(name: str, book: RuleBook) -> Any:
    """Return the rule with this id, title or English title; else the only one whose title begins so."""
    from lzgis.config import nearest
    from lzgis.errors import ConfigError
    from lzgis.messages import Message

    known = {rule.id: rule for rule in (*book.rules, *book.audits)}
    if name in known:
        return known[name]
    cut = name.rstrip("… ")
    titled = [rule for rule in known.values() if name in (rule.title, rule.title_en)]
    # Tables cut long titles.
    titled = titled or [rule for rule in known.values() if cut and rule.title.startswith(cut)]
    if len(titled) == 1:
        return titled[0]
    here = Message("rule book '{name}'", name=book.name)
    remedy = nearest(name, [rule.id for rule in titled] or known)
    raise ConfigError(here, Message("rule '{id}' is not in the book", id=name), remedy)


@app.command("check")
def check(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="A city's folder or a rule book.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the cases of a rule book; exit code 1 if one does not hold."""
    from lzgis.screening.cases import run_cases

    outcomes = run_cases(_book(folder))
    failed = [one for one in outcomes if not one.holds]
    if as_json:
        rows = [{"case": one.number, "rule": one.case.rule, "holds": one.holds, "state": one.state} for one in outcomes]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        for one in failed:
            expected = " ".join(str(part) for part in (one.case.state, one.case.severity, one.case.route) if part)
            typer.echo(f"{one.number} {one.case.rule} {one.case.activity} {one.case.day}: {expected} ≠ {_answer(one)}")
        typer.echo(f"{len(outcomes) - len(failed)}/{len(outcomes)}")
    raise typer.Exit(ExitCode.FOUND if failed else ExitCode.OK)


@app.command("keys")
def keys(
    catalogue: Annotated[bool, typer.Option("--catalogue", help="The keys of catalog.toml instead.")] = False,
) -> None:
    """Print the reference of every key of a rule book, in Markdown, with examples."""
    from lzgis.city.catalogue_keys import catalogue_key_reference
    from lzgis.cli.console import print_utf8
    from lzgis.rules.keys import key_reference

    print_utf8(catalogue_key_reference() if catalogue else key_reference())


def _answer(one: Any) -> str:
    return " ".join(part for part in (one.state, one.severity, one.route, one.open_facts) if part)


def _book(folder: Path | str | None) -> RuleBook:
    from lzgis.city.catalogue import open_catalogue
    from lzgis.city.reference import city_or_reference
    from lzgis.rules.book import read_rulebook

    if folder is not None and Path(folder).suffix == ".toml":
        return read_rulebook(folder)
    return open_catalogue(city_or_reference(folder)).book


def _meant(book: RuleBook, word: str) -> list[Rule]:
    from lzgis.config import nearest
    from lzgis.errors import ConfigError
    from lzgis.messages import Message
    from lzgis.rules.book import activity_of

    if not word:
        return list(book.rules)
    try:
        wider = book.widening(activity_of(book, word))
    except KeyError:
        what = Message("activity '{activity}' is not known", activity=word)
        names = [one.title for one in book.activities.values()]
        raise ConfigError(Message("rule book '{name}'", name=book.name), what, nearest(word, names)) from None
    return [rule for rule in book.rules if not rule.activities or not wider.isdisjoint(rule.activities)]


def _facts_of(rule: Rule, book: RuleBook, day: dt.date) -> dict[str, str]:
    from lzgis.model.rules import USUAL_ROUTES
    from lzgis.screening.findings import citation

    basis, repealed, certainty = citation(rule, book, day)
    return {
        "id": rule.id,
        "title": rule.title,
        "title_en": rule.title_en,
        "matter": rule.matter,
        "layer": rule.layer,
        "severity": rule.severity.value,
        "route": (rule.route or USUAL_ROUTES[rule.severity]).value,
        "basis": basis,
        "repealed": repealed,
        "certainty": certainty.value,
        "effective_from": rule.effective_from.isoformat(),
        "effective_to": rule.effective_to.isoformat() if rule.effective_to else "",
    }
