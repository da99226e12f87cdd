"""What a city still lacks to be screened, as one list in order of gravity."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from lzgis.city.catalogue import Catalogue, unknown_values
from lzgis.messages import Message
from lzgis.model.report import Layer, Problem
from lzgis.model.rules import RuleBook, Severity
from lzgis.reading import shown
from lzgis.rules.for_sites.keep_away import KeepAway


def missing_for_screen(city: Catalogue, loaded: Mapping[str, Layer], day: dt.date) -> list[Problem]:
    """List what a city lacks to be screened, the gravest first.

    Parameters
    ----------
    city : Catalogue
        The city.
    loaded : mapping of str to Layer
        The layers whose files exist.
    day : date
        The day whose rules count.

    Returns
    -------
    list of Problem
        First errors, without which there is no screening: no outline, no rules, no baseline. Then warnings, which leave
        rules unchecked: layers that rules need, those of the gravest and of the most rules first, and values that no rule
        names. Then notes on layers of the catalogue that no rule needs.
    """
    book = city.book.as_of(day)
    found = [*_errors(city, book, loaded, day), *_needed(book, loaded, city)]
    found += [problem for layer in loaded.values() for problem in unknown_values(book, layer)]
    needed = {name for rule in book.rules for name in rule.layers}
    for name, spec in city.layers.items():
        if name not in {*loaded, *needed, city.city.outline} and not city.exists(name):
            what = Message("the file {source} is not there; no rule needs it", source=shown(spec.source))
            found.append(Problem("note", _place(name), what, Message("put it there or remove the layer")))
    return found


def _place(name: str) -> Message:
    return Message("layer '{name}'", name=name)


def _errors(city: Catalogue, book: RuleBook, loaded: Mapping[str, Layer], day: dt.date) -> list[Problem]:
    found = []
    outline = city.city.outline
    if outline not in loaded:
        what = Message("the outline of the city is missing ({source})", source=shown(city.layers[outline].source))
        found.append(Problem("error", _place(outline), what, Message("put it there; nothing is screened without it")))
    if not book.rules:
        what = Message("has no rule in force on {day}", day=day)
        place = Message("rule book '{name}'", name=book.name)
        found.append(Problem("error", place, what, Message("extend 'national', or add rules")))
    for name, layer in loaded.items():
        distances = (r for r in book.rules if isinstance(r, KeepAway) and r.usual_baseline is None)
        rule = next((r for r in distances if name in r.layers), None)
        if rule is not None and layer.spec.baseline is None:
            what = Message("rule '{id}' measures from it, but it does not say what its geometry stands for", id=rule.id)
            found.append(
                Problem(
                    "error",
                    _place(name),
                    what,
                    Message('add baseline = "centreline" or another; for the edge of an area, baseline = "edge"'),
                )
            )
    return found


def _needed(book: RuleBook, loaded: Mapping[str, Layer], city: Catalogue) -> list[Problem]:
    """List the layers without which rules are not checked."""
    rules: dict[str, list[Severity]] = {}
    for rule in book.rules:
        # A file that is there and was not loaded has a problem of its own, or is loaded after the outline.
        if rule.layer not in loaded and not (rule.layer in city.layers and city.exists(rule.layer)):
            rules.setdefault(rule.layer, []).append(rule.severity)
    order = sorted(rules, key=lambda name: (min(one.rank for one in rules[name]), -len(rules[name])))
    found = []
    for name in order:
        count = len(rules[name])
        if name in city.layers:
            source = shown(city.layers[name].source)
            what = Message("the file {source} is not there; {count} rules are not checked", source=source, count=count)
            remedy = Message("put it there")
        else:
            what = Message(
                "{title}: is missing; {count} rules are not checked", title=book.layer_title(name), count=count
            )
            remedy = Message("describe it in the catalogue, and put its file there")
        found.append(Problem("warning", _place(name), what, remedy))
    return found
