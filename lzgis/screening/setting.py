"""The setting of a screening: the city, its rules in force on a day, and its layers; the same for every site."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import shapely

from lzgis.city.catalogue import Catalogue, missing_layers
from lzgis.city.layer_dates import date_problems
from lzgis.city.plane_layers import in_plane
from lzgis.city.prepared import LoadedLayer
from lzgis.errors import ConfigError, LayerError
from lzgis.messages import Message, titled
from lzgis.model.catalogue import Baseline, CatalogueSpec
from lzgis.model.report import Layer, Problem
from lzgis.model.rules import RuleBook
from lzgis.reading import shown
from lzgis.rules.book import extended, unknown_matters
from lzgis.rules.for_sites.keep_away import KeepAway
from lzgis.rules.for_sites.plane import PlaneLayer
from lzgis.screening.check import Progress
from lzgis.screening.large_layers import chosen_by_window


@dataclass(frozen=True, eq=False)
class Setting:
    """What every site of a screening is checked against.

    Attributes
    ----------
    city : Catalogue
        The city, with the states of its layers on that day.
    day : date
        The date whose rules apply.
    book : RuleBook
        The rules in force on that day.
    loaded : mapping of LoadedLayer
        The layers whose files exist, by id.
    problems : tuple of Problem
        The layers that rules need and the city does not have.
    by_window : set of str
        Ids of layers that are read by the windows of the sites, and of which only the fields have been read yet.
    before : Setting, optional
        This setting before they were read (:func:`lzgis.screening.near.near_sites`).
    """

    city: Catalogue
    day: dt.date
    book: RuleBook
    loaded: Mapping[str, LoadedLayer]
    problems: tuple[Problem, ...]
    by_window: frozenset[str] = field(default=frozenset(), kw_only=True)
    before: Setting | None = field(default=None, kw_only=True)

    @property
    def layers(self) -> dict[str, Layer]:
        """The loaded layers by id, in EPSG:4490."""
        return {name: one.layer for name, one in self.loaded.items()}

    @cached_property
    def plane_layers(self) -> dict[str, PlaneLayer]:
        """The same layers in the plane of the city; projected and indexed once for all pieces of a screening."""
        return {name: in_plane(one.layer, self.city) for name, one in self.loaded.items()}

    @property
    def outline(self) -> shapely.Geometry:
        """The outline of the city in EPSG:4490."""
        return self.city.outline

    def inputs(self) -> dict[str, str]:
        """Return the hashes of all that answers depend on, by name: catalogue, layers, rules, date."""
        inputs = {"catalogue": self.city.described}
        inputs |= {f"layer {name}": one.source.sha256 for name, one in self.loaded.items()}
        inputs |= {f"rules {name}": digest for name, digest in self.city.book.files}
        return inputs | {"as-of": self.day.isoformat()}

    def reference(self) -> SettingReference:
        """Return a form of the setting that can be sent to another process."""
        loaded = (self.before or self).loaded
        prints = tuple((one.source.role, one.source.sha256) for one in loaded.values())
        spec = self.city.spec.model_dump_json()
        return SettingReference(str(self.city.root.absolute()), spec, self.day, (*prints, *self.city.book.files))


class SettingReference(NamedTuple):
    """A setting as it is sent to another process: folder, serialised catalogue, day, fingerprints of layers and rules."""

    root: str
    spec: str
    day: dt.date
    fingerprints: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1)
def setting_from(reference: SettingReference) -> Setting:
    """Load the setting that a reference names. The last one is cached: a worker loads it once for all pieces.

    Raises
    ------
    LayerError
        If a layer or rule book in this folder differs from the one that the reference was made of.
    """
    city = Catalogue(Path(reference.root), CatalogueSpec.model_validate_json(reference.spec))
    setting = setting_of(city, reference.day, large="window")
    here = setting.reference().fingerprints
    if here != reference.fingerprints:
        names = ", ".join(sorted({name for name, _ in set(here) ^ set(reference.fingerprints)}))
        what = Message("a worker sees other files under this path: {names}", names=names)
        raise LayerError(reference.root, what, Message("let all workers see the same folder"))
    return setting


class Common(NamedTuple):
    """What the cities of a region share: a rule book, and layers by id; a city's own entries replace these."""

    book: RuleBook | None
    loaded: Mapping[str, LoadedLayer]


NOTHING_COMMON = Common(None, {})


def setting_of(
    city: Catalogue,
    day: dt.date,
    *,
    common: Common = NOTHING_COMMON,
    large: Literal["whole", "window"] = "whole",
    progress: Progress | None = None,
) -> Setting:
    """Load the rules in force on a day and all layers of a city, with those that it shares with others.

    With `large` = ``window``, only the fields are read of layers that are too large, or whose catalogue says ``read =
    "window"``; :func:`lzgis.screening.near.near_sites` then reads their features near the sites.

    Raises
    ------
    ConfigError
        If no rule is in force on that day, or a layer does not state the baseline that a rule measures from.
    SourceError, LayerError
        If a layer cannot be read.
    """
    book = _with_common(city, common.book).as_of(day)
    city = city.as_of(day)
    if not book.rules:
        raise ConfigError(
            Message("rule book '{name}'", name=book.name),
            Message("has no rule in force on {day}", day=day),
            Message("give a later date with as_of"),
        )
    by_window, reasons = chosen_by_window(city, book) if large == "window" else (frozenset[str](), ())
    loaded = {**common.loaded, **_load_layers(city, by_window, progress)}
    needed = {name for rule in book.rules for name in rule.layers} | {city.city.outline}
    problems = (
        *_missing_layer_problems(city, book, loaded),
        *_unknown_matter_problems(book, day),
        *date_problems({name: one.layer.spec for name, one in loaded.items()}, needed, day),
        *reasons,
    )
    loaded = _with_usual_baselines(book, loaded)
    _check_baselines(book, loaded)
    return Setting(city, day, book, loaded, problems, by_window=by_window)


def _with_common(city: Catalogue, common: RuleBook | None) -> RuleBook:
    """Return the book of a city whose entries replace those of the common book; a city may have no book of its own."""
    if common is None:
        return city.book
    return extended(common, city.book) if (city.root / city.city.rules).is_file() else common


def _load_layers(city: Catalogue, by_window: frozenset[str], progress: Progress | None) -> dict[str, LoadedLayer]:
    present = [name for name in city.layers if city.exists(name)]
    loaded = {}
    for done, name in enumerate(present):
        if progress:
            progress("layers", done, len(present))
        loaded[name] = city.load_near(name, ()) if name in by_window else city.load(name)
    return loaded


def _missing_layer_problems(city: Catalogue, book: RuleBook, loaded: Mapping[str, LoadedLayer]) -> tuple[Problem, ...]:
    """List the layers that rules name and the city lacks, then those of the catalogue whose files do not exist."""
    named_by_rules = missing_layers(city, book).drop(labels=list(loaded), errors="ignore")
    needed = {rule.layer for rule in book.rules}
    problems = []
    for name, title in named_by_rules.items():
        # Without its own layer a rule is not checked; without a better baseline it is, from a lesser one.
        if name in needed:
            level, remedy = "warning", Message("rules that need it are not checked")
        else:
            level, remedy = "note", Message("distances are measured from a lesser baseline")
        what = Message("{title}: the city has no such layer", title=title)
        problems.append(Problem(level, Message("layer '{name}'", name=name), what, remedy))
    for name, spec in city.layers.items():
        if name not in loaded and name not in named_by_rules.index:
            what = Message("the file {source} is not there", source=shown(spec.source))
            remedy = Message("put it there or remove the layer")
            problems.append(Problem("warning", Message("layer '{name}'", name=name), what, remedy))
    return tuple(problems)


def _unknown_matter_problems(book: RuleBook, day: dt.date) -> tuple[Problem, ...]:
    """List the matters of which the book does not know what applied on the day."""
    problems = []
    for name in unknown_matters(book, day):
        one = book.matters[name]
        what = Message("the rule book does not know what applied on {day}", day=day)
        authority = titled(one.ask, one.ask_en) if one.ask else titled(one.title, one.title_en)
        remedy = Message("the matter is not checked; ask {authority}", authority=authority)
        problems.append(Problem("warning", titled(one.title, one.title_en), what, remedy))
    return tuple(problems)


def _with_usual_baselines(book: RuleBook, loaded: Mapping[str, LoadedLayer]) -> dict[str, LoadedLayer]:
    """Give layers whose catalogue names no baseline the one that the rules of distance name for them."""
    usual: dict[str, Baseline] = {}
    for rule in book.rules:
        if isinstance(rule, KeepAway) and rule.usual_baseline is not None:
            usual.update(dict.fromkeys(rule.layers, rule.usual_baseline))
    found = dict(loaded)
    for name, baseline in usual.items():
        if name in loaded and loaded[name].layer.spec.baseline is None:
            layer = loaded[name].layer
            spec = layer.spec.model_copy(update={"baseline": baseline})
            found[name] = replace(loaded[name], layer=replace(layer, spec=spec))
    return found


def _check_baselines(book: RuleBook, loaded: Mapping[str, LoadedLayer]) -> None:
    """Raise `ConfigError` if the distance that a rule demands cannot be measured, or would not be used."""
    baselines = {name: one.layer.spec.baseline for name, one in loaded.items()}
    for rule in (one for one in book.rules if isinstance(one, KeepAway)):
        for name in (one for one in rule.layers if one in loaded):
            place = Message("catalogue, layer '{name}'", name=name)
            if baselines[name] is None:
                what = Message(
                    "rule '{id}' measures from it, but it does not say what its geometry stands for", id=rule.id
                )
                remedy = Message('add baseline = "centreline" or another; for the edge of an area, baseline = "edge"')
                raise ConfigError(place, what, remedy)
            if baselines[name] == Baseline.EDGE and loaded[name].layer.spec.geometry == "line":
                kind = loaded[name].layer.spec.geometry
                what = Message('baseline = "edge" is that of an area, and its geometry is {kind}', kind=kind)
                raise ConfigError(place, what, Message('give another baseline, as "centreline"'))
        _check_zone_distance(rule, baselines)


def _check_zone_distance(rule: KeepAway, baselines: Mapping[str, Baseline | None]) -> None:
    """Raise `ConfigError` if a rule leaves open what it demands from a delimited zone, or its `distance_m` is never used."""
    zones = [name for name in rule.layers if baselines.get(name) == Baseline.DELIMITED_ZONE]
    if not zones:
        return
    place = Message("rule '{id}'", id=rule.id)
    if rule.zone_distance_m is None:
        what = Message(
            "layer '{name}' is a delimited zone, and the rule does not say what distance it demands from it",
            name=zones[0],
        )
        remedy = Message(
            'add zone_distance_m (0: a site may touch the zone), or let the layer say baseline = "edge" if distance_m is meant'
        )
        raise ConfigError(place, what, remedy)
    if len(zones) == len(rule.layers) and rule.zone_distance_m != rule.distance_m:
        what = Message(
            "distance_m = {distance:g} is never used: all of its layers are delimited zones", distance=rule.distance_m
        )
        remedy = Message(
            'give zone_distance_m the same value, or let the layer say baseline = "edge" if distance_m is meant'
        )
        raise ConfigError(place, what, remedy)
