"""The setting of a screening in a region: its cities on a day, each loaded when a site needs it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely

from lzgis.city.catalogue import Catalogue
from lzgis.city.prepared import LoadedLayer
from lzgis.city.region import Region
from lzgis.errors import LayerError
from lzgis.messages import Message
from lzgis.model.catalogue import CatalogueSpec
from lzgis.model.region import RegionSpec
from lzgis.model.rules import RuleBook
from lzgis.rules.book import activity_of
from lzgis.screening.borders import BorderSetting, with_neighbours
from lzgis.screening.check import Progress
from lzgis.screening.setting import Common, Setting, setting_of

#: Name and sha256 of the files that the answers in a city depend on.
Fingerprints = tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class RegionSetting:
    """What the sites of a screening in several cities are checked against.

    Attributes
    ----------
    region : Region
        The cities.
    day : date
        The date whose rules apply.
    expected : mapping of str to Fingerprints
        Files that a city must have when it is loaded, by its name; empty if it may have any.
    """

    region: Region
    day: dt.date
    expected: Mapping[str, Fingerprints] = field(default_factory=dict)
    progress: Progress | None = field(default=None, repr=False)
    _settings: dict[int, Setting] = field(default_factory=dict, repr=False)
    _bordered: dict[int, BorderSetting] = field(default_factory=dict, repr=False)

    @cached_property
    def names(self) -> list[str]:
        """The names of all cities."""
        return list(self.region.cities)

    @cached_property
    def outline(self) -> shapely.Geometry:
        """The union of the outlines in EPSG:4490."""
        return self.region.outline

    @cached_property
    def common(self) -> Common:
        """The rule book and the layers that the cities share."""
        return Common(self.region.book, {name: self.region.load(name) for name in self.region.spec.layer})

    def city(self, at: int) -> Setting:
        """Return the setting of a city, which is loaded the first time.

        Raises
        ------
        ConfigError, SourceError, LayerError
            As `lzgis.screening.setting.setting_of`; also if its files are not the expected ones.
        """
        if at not in self._settings:
            one = self.region.cities[self.names[at]]
            made = setting_of(one, self.day, common=self.common, progress=self.progress)
            if self.names[at] in self.expected:
                _check(one, _fingerprints(made.loaded, made.city), self.expected[self.names[at]])
            self._settings[at] = made
        return self._settings[at]

    def among_neighbours(self, at: int) -> BorderSetting:
        """Return the setting of a city with what its rules of distance need of its neighbours."""
        if at not in self._bordered:
            self._bordered[at] = with_neighbours(self.names[at], self.used([at]), self.region)
        return self._bordered[at]

    def used(self, cities: Iterable[int]) -> dict[str, Setting]:
        """Return the settings of some cities and of their neighbours within the reach of the rules, by name, in order."""
        found = {int(at): self.city(int(at)) for at in cities}
        reach_m = max(rule.reach_m for setting in found.values() for rule in setting.book.rules)
        near = np.zeros(len(self.names), dtype=bool)
        for at in found:
            outlines = self.region.outlines
            near |= shapely.dwithin(outlines, outlines[at], reach_m + self.region.spec.region.tolerance_m)
        found |= {int(at): self.city(int(at)) for at in np.flatnonzero(near)}
        return {self.names[at]: found[at] for at in sorted(found)}

    def books(self) -> Iterable[RuleBook]:
        """Iterate over the rule books of the cities, those of loaded cities first; others are read when they are reached."""
        yield from (self._settings[at].book for at in sorted(self._settings))
        yield from (self.city(at).book for at in range(len(self.names)) if at not in self._settings)

    def knows(self, activity: str) -> bool:
        """Return whether the book of any city knows an activity."""
        return any(knows(book, activity) for book in self.books())

    @cached_property
    def fingerprints(self) -> dict[str, Fingerprints]:
        """The files that the answers in each city depend on; no layer is loaded for that, unless it is in a database."""
        common = {name: (name, one.source.sha256) for name, one in self.common.loaded.items()}
        found = {}
        for name, one in self.region.cities.items():
            city = one.as_of(self.day)
            own = {layer: (layer, city.fingerprint(layer)[1]) for layer in city.layers if city.exists(layer)}
            found[name] = (*sorted((common | own).values()), *_rule_files(city))
        return found

    def inputs(self) -> dict[str, str]:
        """Return the hashes of all that answers depend on, by name."""
        found = {"catalogue": self.region.spec.model_dump_json(), "as-of": self.day.isoformat()}
        if self.region.book:
            found |= {f"rules {name}": digest for name, digest in self.region.book.files}
        for name, one in self.region.cities.items():
            found[f"catalogue {name}"] = one.described
            found |= {f"{name} {what}": digest for what, digest in self.fingerprints[name]}
        return found

    def reference(self) -> RegionReference:
        """Return a form of the setting that can be sent to another process."""
        cities = tuple(
            (str(one.root.absolute()), one.spec.model_dump_json(), self.fingerprints[name])
            for name, one in self.region.cities.items()
        )
        return RegionReference(str(self.region.root.absolute()), self.region.spec.model_dump_json(), self.day, cities)


class RegionReference(NamedTuple):
    """A setting as it is sent to another process: folder, serialised region, day, and of each city folder, catalogue, files."""

    root: str
    spec: str
    day: dt.date
    cities: tuple[tuple[str, str, Fingerprints], ...]


@lru_cache(maxsize=1)
def region_setting_from(reference: RegionReference) -> RegionSetting:
    """Return the setting that a reference names. The last one is cached: a worker loads each city once for all pieces."""
    cities: dict[str, Catalogue] = {}
    expected: dict[str, Fingerprints] = {}
    for root, spec, files in reference.cities:
        one = Catalogue(Path(root), CatalogueSpec.model_validate_json(spec))
        cities[one.city.name], expected[one.city.name] = one, files
    region = Region(Path(reference.root), RegionSpec.model_validate_json(reference.spec), cities)
    return RegionSetting(region, reference.day, expected)


def knows(book: RuleBook, activity: str) -> bool:
    """Return whether a book knows an activity, by its id, its title or an alias."""
    try:
        activity_of(book, activity)
    except KeyError:
        return False
    return True


def _fingerprints(loaded: Mapping[str, LoadedLayer], city: Catalogue) -> Fingerprints:
    return (*sorted((name, one.source.sha256) for name, one in loaded.items()), *_rule_files(city))


def _rule_files(city: Catalogue) -> Fingerprints:
    return city.book.files if (city.root / city.city.rules).is_file() else ()


def _check(city: Catalogue, here: Fingerprints, expected: Fingerprints) -> None:
    if here != expected:
        names = ", ".join(sorted({name for name, _ in set(here) ^ set(expected)}))
        what = Message("a worker sees other files under this path: {names}", names=names)
        raise LayerError(str(city.root), what, Message("let all workers see the same folder"))
