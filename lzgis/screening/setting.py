"""What a screening stands on and what it finds, apart: so that sites can be screened in pieces and put together again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from lzgis.city.catalogue import Catalogue, LoadedLayer, missing_layers
from lzgis.errors import ConfigError, LayerError
from lzgis.messages import Message
from lzgis.model.catalogue import CatalogueSpec
from lzgis.model.report import Layer, Problem
from lzgis.model.rules import RuleBook
from lzgis.reading import shown
from lzgis.rules.for_sites.plane import PlaneLayer
from lzgis.screening.check import Progress


@dataclass(frozen=True, eq=False)
class Setting:
    """What every site of a screening is held against: the city, its rules in force on a day, its layers and their problems."""

    city: Catalogue
    day: dt.date
    book: RuleBook
    loaded: Mapping[str, LoadedLayer]
    lacking: tuple[Problem, ...]
    _placed: dict[str, PlaneLayer] = field(default_factory=dict, repr=False)

    @property
    def layers(self) -> dict[str, Layer]:
        """The layers that are there, by id."""
        return {name: one.layer for name, one in self.loaded.items()}

    def placed(self, name: str, place: Callable[[Layer, Catalogue], PlaneLayer]) -> PlaneLayer:
        """Give a layer in the plane of the city, placed and indexed once for all pieces of a screening."""
        if name not in self._placed:
            self._placed[name] = place(self.loaded[name].layer, self.city)
        return self._placed[name]

    def reference(self) -> SettingReference:
        """Say it in a form that can be sent to another process."""
        prints = tuple((one.source.role, one.source.sha256) for one in self.loaded.values())
        spec = self.city.spec.model_dump_json()
        return SettingReference(str(self.city.root.absolute()), spec, self.day, (*prints, *self.city.book.files))


class SettingReference(NamedTuple):
    """A setting as another process is told of it: folder, catalogue, day, and the fingerprints of layers and rules."""

    root: str
    spec: str
    day: dt.date
    fingerprints: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1)
def setting_from(told: SettingReference) -> Setting:
    """Read the setting that this process was told of, once for all pieces.

    Raises
    ------
    LayerError
        If a layer or rule book here is not the one that was told of.
    """
    city = Catalogue(Path(told.root), CatalogueSpec.model_validate_json(told.spec))
    setting = setting_of(city, told.day)
    here = setting.reference().fingerprints
    if here != told.fingerprints:
        names = ", ".join(sorted({name for name, _ in set(here) ^ set(told.fingerprints)}))
        what = Message("a worker sees other files under this path: {names}", names=names)
        raise LayerError(told.root, what, Message("let all workers see the same folder"))
    return setting


def setting_of(city: Catalogue, day: dt.date, *, progress: Progress | None = None) -> Setting:
    """Read the rules in force on a day and all layers of a city.

    Raises
    ------
    ConfigError
        If no rule is in force on that day, or a layer does not say what a rule must know of it.
    SourceError, LayerError
        If a layer cannot be read.
    """
    book = city.book.as_of(day)
    if not book.rules:
        raise ConfigError(
            Message("rule book '{name}'", name=book.name),
            Message("has no rule in force on {day}", day=day),
            Message("give a later date with as_of"),
        )
    loaded, lacking = _load_layers(city, book, progress)
    return Setting(city, day, book, loaded, tuple(lacking))


def _load_layers(
    city: Catalogue, book: RuleBook, progress: Progress | None
) -> tuple[dict[str, LoadedLayer], list[Problem]]:
    present = [name for name in city.layers if city.exists(name)]
    loaded = {}
    for done, name in enumerate(present):
        if progress:
            progress("layers", done, len(present))
        loaded[name] = city.load(name)
    asked = missing_layers(city, book)
    needed = {rule.layer for rule in book.rules}
    not_checked_for_it = Message("rules that need it are not checked")
    lesser = Message("distances are measured from a lesser baseline")
    lacking = [
        Problem(
            "warning" if name in needed else "note",
            Message("layer '{name}'", name=name),
            Message("{title}: the city has no such layer", title=title),
            not_checked_for_it if name in needed else lesser,
        )
        for name, title in asked.items()
    ]
    for name, spec in city.layers.items():
        if name not in loaded and name not in asked.index:
            what = Message("the file {source} is not there", source=shown(spec.source))
            lacking.append(
                Problem(
                    "warning",
                    Message("layer '{name}'", name=name),
                    what,
                    Message("put it there or remove the layer"),
                )
            )
    for name, one in loaded.items():
        for rule in book.rules:
            if rule.kind == "keep_away" and name in rule.layers and one.layer.spec.baseline is None:
                what = Message(
                    "rule '{id}' measures from it, but it does not say what its geometry stands for",
                    id=rule.id,
                )
                raise ConfigError(
                    Message("catalogue, layer '{name}'", name=name),
                    what,
                    Message('add baseline = "centreline" or another'),
                )
    return loaded, lacking
