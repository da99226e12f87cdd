"""Layers and the date whose rules apply: which version of a layer is in force, and which layers show another day's state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from itertools import combinations

from lzgis.errors import ConfigError
from lzgis.messages import Message, enumerated, titled
from lzgis.model.catalogue import LayerSpec
from lzgis.model.report import Problem


def check_versions(layer_id: str, spec: LayerSpec, place: str) -> None:
    """Refuse a layer of which two versions are in force on the same day, or whose period ends before it begins.

    Raises
    ------
    ConfigError
        If there is such a version.
    """
    here = Message("{file}, layer.{layer_id}.versions", file=place, layer_id=layer_id)
    states = [spec.state(number) for number in range(len(spec.versions) + 1)]
    for one in states:
        if one.effective_from and one.effective_to and one.effective_to <= one.effective_from:
            raise ConfigError(
                here, Message("effective_to is not after effective_from"), Message("correct one of the dates")
            )
    for one, other in combinations(states, 2):
        begins = max(one.effective_from or dt.date.min, other.effective_from or dt.date.min)
        ends = min(one.effective_to or dt.date.max, other.effective_to or dt.date.max)
        if begins < ends:
            what = Message("two versions are in force on {day}", day=begins if begins > dt.date.min else ends)
            raise ConfigError(here, what, Message("give each effective_from and effective_to, the day after its last"))


def undated(layers: Mapping[str, LayerSpec], day: dt.date, today: dt.date | None = None) -> list[str]:
    """Return the ids of the layers of which it is not known what day they show, if `day` is past; `today` is its default.

    Examples
    --------
    >>> spec = LayerSpec(title="红线", source="redline.gpkg")
    >>> undated({"redline": spec}, dt.date(2021, 6, 1), today=dt.date(2026, 11, 21))
    ['redline']
    >>> undated({"redline": spec}, dt.date(2026, 11, 21), today=dt.date(2026, 11, 21))
    []
    """
    if day >= (today or dt.date.today()):
        return []
    return [name for name, spec in layers.items() if spec.in_force(day) and not (spec.effective_from or spec.date)]


def of_another_day(layers: Mapping[str, LayerSpec], day: dt.date) -> list[str]:
    """Return the ids of the layers that show another state than that of `day`.

    They are those not in force on that day and, where no period is given, those of a later date.

    Examples
    --------
    >>> spec = LayerSpec(title="红线", source="redline.gpkg", date=dt.date(2024, 5, 1))
    >>> of_another_day({"redline": spec}, dt.date(2021, 6, 1)), of_another_day({"redline": spec}, dt.date(2025, 1, 1))
    (['redline'], [])
    """
    return [name for name, spec in layers.items() if not _shows(spec, day)]


def _shows(spec: LayerSpec, day: dt.date) -> bool:
    if not spec.in_force(day):
        return False
    return spec.effective_from is not None or spec.date is None or spec.date <= day


def date_problems(layers: Mapping[str, LayerSpec], needed: Iterable[str], day: dt.date) -> tuple[Problem, ...]:
    """Warn that layers which rules need show another state than that of `day`, or that it is not known which one."""
    wanted, problems = set(needed), []
    place = Message("layers on {day}", day=day)
    names = [name for name in of_another_day(layers, day) if name in wanted]
    if names:
        what = Message(
            "the city has no state of {day} of {count} layers, and other states are used: {names}",
            day=day,
            count=len(names),
            names=enumerated([_dated(layers[name]) for name in names]),
        )
        remedy = Message("add the state of that day under 'versions' of the layer, or check these answers by hand")
        problems.append(Problem("warning", place, what, remedy))
    names = [name for name in undated(layers, day) if name in wanted]
    if names:
        what = Message(
            "{count} layers have no date, so it is not known whether they show the state of {day}: {names}",
            day=day,
            count=len(names),
            names=enumerated([titled(layers[name].title, layers[name].title_en) for name in names]),
        )
        remedy = Message("give each its date or effective_from, or check these answers by hand")
        problems.append(Problem("note", place, what, remedy))
    return tuple(problems)


def _dated(spec: LayerSpec) -> Message:
    title, when = titled(spec.title, spec.title_en), spec.effective_from or spec.date or spec.effective_to
    return Message("{title} ({date})", title=title, date=when) if when else title
