"""What the cities of a report have in common: one book, one set of layers, one provenance.

Cities may have the same id for different rules or layers. What is equal in all cities keeps its id; what differs is
called ``id@city`` in the report of the region. Features with one id in layers of several cities are named likewise.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd

from lzgis.city.catalogue import unknown_values
from lzgis.city.provenance import provenance_of, software
from lzgis.city.region import Region
from lzgis.messages import Message
from lzgis.model.catalogue import CitySpec, LayerSpec
from lzgis.model.report import Layer, Problem, Provenance, SiteTable
from lzgis.model.rules import RuleBook
from lzgis.rules.book import not_covered
from lzgis.screening.admission_lists import unit_lists
from lzgis.screening.setting import Setting

Entry = TypeVar("Entry")
#: Ids of entries in the report, by city and by their own ids.
Names = dict[tuple[str, str], str]
#: For a layer of a city: the city whose file it is, and the ids of features that other cities have as well.
Repeated = tuple[str, frozenset[str]]
#: Keys of a layer's entry that must be equal for the layers of two cities to be shown as one.
_ALIKE = ("title", "role", "geometry", "baseline", "group", "confidentiality", "status")
#: The layer with the outlines of all cities.
_OUTLINES = "cities"
_SECRECY = ("public", "internal", "confidential")


@dataclass(frozen=True, eq=False)
class Merged:
    """The parts of a report that are common to all cities, and the ids that entries have in it."""

    context: dict[str, Any]
    books: Mapping[str, RuleBook]
    settings: Mapping[str, Setting]
    rules: Names
    layers: Names
    features: Mapping[tuple[str, str], Repeated]

    def rule(self, city: str, rule: str) -> str:
        """Return the id of a city's rule in the report."""
        return self.rules.get((city, rule), rule)

    def feature(self, city: str, layer: str, feature: str) -> tuple[str, str]:
        """Return the ids of a city's layer and of a feature of it in the report."""
        owner, repeated = self.features.get((city, layer), ("", frozenset()))
        return self.layers.get((city, layer), layer), f"{feature}@{owner}" if feature in repeated else feature

    def unit_lists(self, found: Sequence[tuple[str, gpd.GeoDataFrame]]) -> pd.DataFrame:
        """Return the clauses of the units of all cities, from the findings of each."""
        frames = []
        for city, findings in found:
            setting = self.settings[city]
            frames.append(unit_lists(findings, setting.book, setting.layers, setting.day))
        filled = [one for one in frames if len(one)]
        return pd.concat(filled, ignore_index=True) if filled else frames[0]


def merged_context(
    region: Region, settings: Mapping[str, Setting], table: SiteTable, day: dt.date, made_at: dt.datetime | None
) -> Merged:
    """Join the settings of the cities into the common parts of a report."""
    books = {name: one.book for name, one in settings.items()}
    book, rules = _merged_book(books, region)
    layers, layer_names, features = _merged_layers(settings)
    outlines = _outlines(settings)
    problems = dict.fromkeys(_problems(settings))
    context = {
        "city": _city(region, settings),
        "book": book,
        "layers": {_OUTLINES: outlines, **layers},
        "backdrop": next((one.city.backdrop for one in settings.values() if one.city.backdrop), None),
        "problems": tuple(problems),
        "provenance": _provenance(region, settings, table, day, made_at),
        "not_covered": tuple(
            dict.fromkeys(matter for one in settings.values() for matter in not_covered(one.book, one.layers, day))
        ),
    }
    return Merged(context, books, settings, rules, layer_names, features)


def _entries(
    tables: Mapping[str, Mapping[str, Entry]], alike: Callable[[Entry], object]
) -> tuple[dict[str, Entry], Names]:
    """Join tables of entries by id: equal entries appear once, others under ids of their own."""
    found: dict[str, Entry] = {}
    names: Names = {}
    for one in dict.fromkeys(key for table in tables.values() for key in table):
        having = {city: table[one] for city, table in tables.items() if one in table}
        kinds = {repr(alike(entry)) for entry in having.values()}
        for city, entry in having.items():
            name = one if len(kinds) == 1 else f"{one}@{city}"
            names[city, one] = name
            found.setdefault(name, entry)
    return found, names


def _merged_book(books: Mapping[str, RuleBook], region: Region) -> tuple[RuleBook, Names]:
    documents, document_names = _entries({city: book.documents for city, book in books.items()}, lambda one: one)

    def cited(city: str, entry: Any) -> Any:
        basis = [one.model_copy(update={"document": document_names[city, one.document]}) for one in entry.basis]
        return entry.model_copy(update={"basis": basis})

    def joined(part: str) -> tuple[tuple[Any, ...], Names]:
        tables = {city: {one.id: cited(city, one) for one in getattr(book, part)} for city, book in books.items()}
        found, names = _entries(tables, lambda one: one)
        return tuple(one.model_copy(update={"id": name}) for name, one in found.items()), names

    rules, names = joined("rules")
    first = next(iter(books.values()))

    def union(part: str) -> dict[str, Any]:
        return {key: one for book in reversed([*books.values()]) for key, one in getattr(book, part).items()}

    titles = dict.fromkeys(book.name for book in books.values())
    versions = dict.fromkeys(book.version for book in books.values())
    book = replace(
        first,
        name="；".join(titles),
        version="；".join(versions),
        rules=rules,
        audits=joined("audits")[0],
        requirements=joined("requirements")[0],
        documents=documents,
        activities=union("activities"),
        layers=union("layers"),
        mentions=union("mentions"),
        facts=union("facts"),
        matters=union("matters"),
        files=tuple(dict.fromkeys(file for one in books.values() for file in one.files)),
        cases=(),
    )
    return book, names


def _merged_layers(
    settings: Mapping[str, Setting],
) -> tuple[dict[str, Layer], Names, dict[tuple[str, str], Repeated]]:
    """Join the layers of the cities; layers of one id whose entries differ in what readers see stay separate."""
    tables = {city: setting.layers for city, setting in settings.items()}
    _, names = _entries(tables, lambda one: [getattr(one.spec, key) for key in _ALIKE])
    groups: dict[str, dict[str, Layer]] = {}
    for (city, one), name in names.items():
        groups.setdefault(name, {})[city] = tables[city][one]
    found, twice = {}, {}
    for name, having in groups.items():
        different = list({id(layer.frame): layer for layer in having.values()}.values())
        if len(different) == 1:
            found[name] = replace(different[0], id=name)
            continue
        ids = pd.concat([layer.frame["id"] for layer in different])
        repeated = frozenset(ids[ids.duplicated()])
        frames: list[gpd.GeoDataFrame] = []
        owners: dict[int, str] = {}
        for city, layer in having.items():
            again = id(layer.frame) in owners
            owner = owners.setdefault(id(layer.frame), city)
            twice[city, layer.id] = (owner, repeated)
            if again:
                continue
            own = [f"{one}@{city}" if one in repeated else one for one in layer.frame["id"]]
            frames.append(layer.frame.assign(id=own))
        frame = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs=frames[0].crs)
        specs = [layer.spec for layer in having.values()]
        spec = specs[0].model_copy(update={"date": specs[0].date if len({s.date for s in specs}) == 1 else None})
        doubtful = tuple(one for layer in different for one in layer.doubtful)
        found[name] = Layer(name, spec, frame, doubtful)
    return found, names, twice


def _outlines(settings: Mapping[str, Setting]) -> Layer:
    own = [one.city.layers[one.city.city.outline] for one in settings.values()]
    frame = gpd.GeoDataFrame(
        {"id": list(settings), "name": list(settings)},
        geometry=np.array([one.city.outline for one in settings.values()], dtype=object),
        crs="EPSG:4490",
    )
    secret = max((one.confidentiality for one in own), key=_SECRECY.index)
    spec = LayerSpec(
        title="各市县范围",
        title_en="Cities",
        role="outline",
        source=own[0].source,
        confidentiality=secret,
        style=own[0].style,
    )
    return Layer(_OUTLINES, spec, frame)


def _city(region: Region, settings: Mapping[str, Setting]) -> CitySpec:
    cities = [one.city.city for one in settings.values()]
    info = region.spec.region
    notices = [info.notice, *(one.notice for one in cities)]
    english = [info.notice_en, *(one.notice_en for one in cities)]
    return CitySpec(
        name=info.name,
        name_en=info.name_en,
        outline=_OUTLINES,
        divisions=list(dict.fromkeys(level for one in cities for level in one.divisions)),
        notice=" ".join(dict.fromkeys(one for one in notices if one)),
        notice_en=" ".join(dict.fromkeys(one for one in english if one)),
    )


def _problems(settings: Mapping[str, Setting]) -> list[Problem]:
    """Return the problems of all cities; what is about one city names it."""
    found = []
    for name, setting in settings.items():
        own = [*setting.problems]
        own += [problem for one in setting.loaded.values() for problem in one.problems]
        own += [problem for layer in setting.layers.values() for problem in unknown_values(setting.book, layer)]
        if len(settings) == 1:
            return own
        found += [replace(one, place=Message("{city}: {place}", city=name, place=one.place)) for one in own]
    return found


def _provenance(
    region: Region, settings: Mapping[str, Setting], table: SiteTable, day: dt.date, made_at: dt.datetime | None
) -> Provenance:
    of_cities = {name: provenance_of(one.city, one.book, one.loaded, (day, made_at)) for name, one in settings.items()}
    first = next(iter(of_cities.values()))
    sources = [table.source] if table.source else []
    for name, one in of_cities.items():
        sources += [replace(source, role=f"{name}/{source.role}") for source in one.sources]
    tolerances: dict[str, float] = {"outlines_m": region.spec.region.tolerance_m}
    for name, one in of_cities.items():
        for key, value in one.tolerances.items():
            alike = len({other.tolerances[key] for other in of_cities.values()}) == 1
            tolerances[key if alike else f"{key}@{name}"] = value
    books = [f"{name}：{one.rule_book}" for name, one in of_cities.items()]
    return Provenance(
        as_of=day,
        made_at=first.made_at,
        rule_book="；".join(books),
        rule_book_version="；".join(one.rule_book_version for one in of_cities.values()),
        plane="；".join(dict.fromkeys(one.plane for one in of_cities.values())),
        sources=tuple(dict.fromkeys(sources)),
        transforms=tuple(
            dict.fromkeys((*table.transforms, *(t for one in of_cities.values() for t in one.transforms)))
        ),
        tolerances=tolerances,
        versions=software(),
        repairs=tuple(dict.fromkeys((*table.repairs, *(r for one in of_cities.values() for r in one.repairs)))),
    )
