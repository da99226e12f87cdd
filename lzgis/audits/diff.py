"""Compare two versions of a layer, of a rule book or of a whole city."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lzgis.audits.audit import audit_context, audit_findings, load_present
from lzgis.audits.feature_changes import Pairing, change_rows, layer_gained_and_lost, pair_features
from lzgis.city.catalogue import CATALOGUE_FILE, Catalogue, open_catalogue, read_layer
from lzgis.city.plane_layers import plane_layer
from lzgis.city.prepared import LoadedLayer
from lzgis.city.provenance import date_of, provenance_of, software
from lzgis.coordinates.plane import Plane, plane_for
from lzgis.errors import ConfigError
from lzgis.messages import Message
from lzgis.model.audit import (
    AUDIT_COLUMNS,
    CHANGE_COLUMNS,
    RULE_CHANGE_COLUMNS,
    TOTAL_COLUMNS,
    DiffReport,
)
from lzgis.model.catalogue import CitySpec
from lzgis.model.report import SEPARATOR, Problem, Provenance, ReportContext, Source
from lzgis.model.rules import LayerRule, Rule, RuleBook
from lzgis.rules.book import read_rulebook
from lzgis.rules.for_layers import LAYER_KINDS
from lzgis.rules.for_layers.base import LayerFinding
from lzgis.rules.for_sites.plane import PlaneLayer

#: Keys of a layer in the catalogue that answers depend on; dates, styles and the like have no effect.
SPEC_KEYS = ("baseline", "group", "coverage", "geometry")


@dataclass(frozen=True, eq=False)
class Version:
    """One side of a comparison: layers in the plane, or rules, or both."""

    name: str
    plane: Plane
    layers: Mapping[str, PlaneLayer] = field(default_factory=dict)
    book: RuleBook | None = None
    city: Catalogue | None = None
    problems: tuple[Problem, ...] = ()
    read: Mapping[str, LoadedLayer] = field(default_factory=dict)


def diff(
    old: Catalogue | str | Path,
    new: Catalogue | str | Path,
    *,
    as_of: dt.date | str | None = None,
    as_of_old: dt.date | str | None = None,
    made_at: dt.datetime | None = None,
) -> DiffReport:
    """Compare two versions of a city (its folder), of a rule book (``*.toml``) or of a layer (any vector file).

    Parameters
    ----------
    old, new : Catalogue or path
        The two versions, both of the same kind.
    as_of : date or ISO string, optional
        Compare the rules in force on this date; all rules if not given.
    as_of_old : date or ISO string, optional
        The date for the older version if it differs: rules that came into force or were repealed in between are
        then listed too.
    made_at : datetime, optional
        The time of the report; now if not given.

    Returns
    -------
    DiffReport
        Empty if nothing differs.

    Raises
    ------
    ConfigError, LayerError, SourceError
        If a version cannot be read, or they are not of the same kind.

    Examples
    --------
    >>> from lzgis.city.reference import reference_city
    >>> diff(reference_city(), reference_city()).empty
    True
    """
    before, after = versions(old, new, days=(date_of(as_of_old or as_of), date_of(as_of)))
    names = dict.fromkeys([*before.layers, *after.layers])
    layers = [_layer(name, before.layers.get(name), after.layers.get(name)) for name in names]
    days = (as_of_old or as_of, as_of)
    old_book, new_book = _in_force(before.book, days[0]), _in_force(after.book, days[1])
    rules = rule_changes(old_book, new_book, days) if old_book and new_book else []
    return DiffReport(
        old=before.name,
        new=after.name,
        changes=_framed([row for _, rows, _ in layers for row in rows], after),
        parts=_parts([patch for _, _, patches in layers for patch in patches], after.plane),
        totals=_totals([total for total, _, _ in layers]),
        rules=pd.DataFrame(rules, columns=[c.name for c in RULE_CHANGE_COLUMNS]),
        findings=_findings(before, after, as_of),
        setting=_setting(before, after, date_of(as_of), made_at),
        former={name: one.layer for name, one in before.read.items()},
        problems=(*before.problems, *(p for p in after.problems if p not in before.problems)),
    )


def versions(
    old: Catalogue | str | Path, new: Catalogue | str | Path, *, days: tuple[dt.date, dt.date]
) -> tuple[Version, Version]:
    """Open both sides of a comparison in the plane of the newer one, with the states of their layers on two days."""
    kinds = [_kind(one) for one in (old, new)]
    if kinds[0] != kinds[1]:
        what = Message("{old} and {new} cannot be compared", old=_name(old), new=_name(new))
        raise ConfigError("diff", what, Message("give two folders of cities, two rule books or two layers"))
    if kinds[0] == "book":
        some = Plane(0.0, 0.0)
        return Version(_name(old), some, book=read_rulebook(Path(str(old)))), Version(
            _name(new), some, book=read_rulebook(Path(str(new)))
        )
    if kinds[0] == "layer":
        loaded = [read_layer(Path(str(one))) for one in (old, new)]
        bounds = [one.layer.frame.total_bounds for one in loaded if len(one.layer.frame)]
        low, high = np.min(bounds, axis=0)[:2], np.max(bounds, axis=0)[2:]
        plane = plane_for((*low, *high))
        both = [
            Version(
                _name(one), plane, {"layer": plane_layer(got.layer, plane)}, problems=got.problems, read={"layer": got}
            )
            for one, got in zip((old, new), loaded, strict=True)
        ]
        return both[0], both[1]
    opened = [one if isinstance(one, Catalogue) else open_catalogue(one) for one in (old, new)]
    cities = [one.as_of(day) for one, day in zip(opened, days, strict=True)]
    return _city(cities[0], cities[1].plane), _city(cities[1], cities[1].plane)


def _city(city: Catalogue, plane: Plane) -> Version:
    loaded, missing = load_present(city)
    layers = {name: plane_layer(one.layer, plane) for name, one in loaded.items()}
    problems = (*missing, *(p for one in loaded.values() for p in one.problems))
    return Version(str(city.root), plane, layers, city.book, city, problems, loaded)


def _setting(before: Version, after: Version, day: dt.date, made_at: dt.datetime | None) -> ReportContext:
    """Make the context of the report: the layers of the newer version, and the provenance of both."""
    layers = {name: one.layer for name, one in after.read.items()}
    former = [replace(source, role=f"{source.role} (old)") for source in _sources(before)]
    if after.city is not None:
        now = provenance_of(after.city, after.city.book, after.read, (day, made_at))
        provenance = replace(now, sources=(*now.sources, *former))
        return ReportContext(after.city.city, after.city.book, layers, after.city.backdrop, (), provenance)
    book = after.book or RuleBook("", "", (), {}, {}, {})
    plane = "" if after.book else after.plane.crs.name
    provenance = Provenance(
        as_of=day,
        made_at=made_at or dt.datetime.now().astimezone().replace(microsecond=0),
        rule_book=book.name,
        rule_book_version=book.version,
        plane=plane,
        sources=(*_sources(after), *former),
        transforms=tuple(t for one in after.read.values() for t in one.transforms),
        tolerances={},
        versions=software(),
    )
    return ReportContext(CitySpec(name=Path(after.name).stem), book, layers, None, (), provenance)


def _sources(version: Version) -> list[Source]:
    files = version.book.files if version.book else ()
    books = [Source("rules", name, digest) for name, digest in files]
    return [*(one.source for one in version.read.values()), *books]


def _kind(one: Catalogue | str | Path) -> str:
    if isinstance(one, Catalogue):
        return "city"
    path = Path(one)
    if path.name == CATALOGUE_FILE or not path.suffix or (path / CATALOGUE_FILE).exists():
        return "city"
    return "book" if path.suffix.lower() == ".toml" else "layer"


def _name(one: Catalogue | str | Path) -> str:
    return str(one.root if isinstance(one, Catalogue) else one)


def _layer(
    name: str, before: PlaneLayer | None, after: PlaneLayer | None
) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """Compare one layer: return its totals, its changed features, and the patches gained and lost."""
    rows = change_rows(name, pair_features(_or_empty(before, after), _or_empty(after, before)))
    unmoved = not any(row["change"] in ("added", "removed", "moved") for row in rows)
    none = np.empty(0, dtype=object)
    gained, lost = (none, none) if unmoved else layer_gained_and_lost(before, after)
    count = pd.Series([row["change"] for row in rows], dtype=object).value_counts()
    sizes = [0.0 if v is None else _covered(v) for v in (before, after)]
    area = [float(shapely.area(shapes).sum()) for shapes in (gained, lost)]
    total = {
        "layer": name,
        "features_before": 0 if before is None else len(before.frame),
        "features_after": 0 if after is None else len(after.frame),
        **{change: int(count.get(change, 0)) for change in ("added", "removed", "moved")},
        "changed": int(count.get("changed", 0) + count.get("renamed", 0)),
        "before_m2": sizes[0],
        "after_m2": sizes[1],
        "net_m2": area[0] - area[1],
        "gained_m2": area[0],
        "lost_m2": area[1],
        "gross_m2": area[0] + area[1],
        "note": _note(before, after),
    }
    patches = [
        {"layer": name, "change": change, "area_m2": float(shapely.area(shape)), "geometry": shape}
        for change, shapes in (("gained", gained), ("lost", lost))
        for shape in shapes
    ]
    return total, rows, patches


def _covered(layer: PlaneLayer) -> float:
    geometries = layer.index.geometries
    areal = geometries[shapely.area(geometries) > 0]
    if len(areal) > 1 and shapely.coverage_is_valid(areal):
        return float(shapely.area(areal).sum())
    return float(shapely.area(shapely.union_all(areal)))


def _or_empty(layer: PlaneLayer | None, other: PlaneLayer | None) -> PlaneLayer:
    if layer is not None:
        return layer
    assert other is not None
    return PlaneLayer(other.id, other.spec, other.frame.iloc[:0], other.index.take(np.zeros(0, dtype=np.intp)))


def _note(before: PlaneLayer | None, after: PlaneLayer | None) -> str:
    if before is None:
        return Message("the layer is new")
    if after is None:
        return Message("the layer is gone")
    differ = [
        f"{key}: {getattr(before.spec, key)} → {getattr(after.spec, key)}"
        for key in SPEC_KEYS
        if getattr(before.spec, key) != getattr(after.spec, key)
    ]
    return SEPARATOR.join(differ)


def _in_force(book: RuleBook | None, day: dt.date | str | None) -> RuleBook | None:
    return book if book is None or day is None else book.as_of(date_of(day))


def rule_changes(
    old: RuleBook, new: RuleBook, days: tuple[dt.date | str | None, dt.date | str | None] = (None, None)
) -> list[dict[str, str]]:
    """List the rules that only one of two books has, or that differ between them."""
    before, after = ({r.id: r for r in (*book.rules, *book.audits)} for book in (old, new))
    rows = []
    for rule_id in dict.fromkeys([*before, *after]):
        a, b = before.get(rule_id), after.get(rule_id)
        keys = _keys(a, b)
        gone = _repealed(new, b, days[1]) - _repealed(old, a, days[0])
        if a == b and not gone:
            continue
        change = "new" if a is None else "removed" if b is None else "changed"
        title = next(r.title for r in (b, a) if r is not None)
        rows.append(
            {
                "rule": rule_id,
                "title": title,
                "change": change,
                "keys": SEPARATOR.join(keys),
                "repealed": SEPARATOR.join(sorted(gone)),
            }
        )
    return rows


def _keys(old: Rule | None, new: Rule | None) -> list[str]:
    if old is None or new is None:
        return []
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    names = [n for n in dict.fromkeys([*before, *after]) if before.get(n) != after.get(n)]
    return [f"{name}: {before.get(name)} → {after.get(name)}" for name in names]


def _repealed(book: RuleBook, rule: Rule | None, day: dt.date | str | None) -> set[str]:
    if rule is None or day is None:
        return set()
    documents = [book.documents[b.document] for b in rule.basis]
    return {d.title for d in documents if d.repealed(date_of(day))}


def _totals(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Put the totals of all layers into a table; the column of notes is of objects, because a note is a `Message`."""
    dtypes = {c.name: object if c.dtype == "str" else "int64" if c.dtype == "int" else "float64" for c in TOTAL_COLUMNS}
    return pd.DataFrame({n: pd.Series([row[n] for row in rows], dtype=dtype) for n, dtype in dtypes.items()})


def _framed(rows: list[dict[str, Any]], after: Version) -> gpd.GeoDataFrame:
    """Put the changed features of all layers into a table, with the location of each."""
    shapes = np.empty(len(rows), dtype=object)
    shapes[:] = [row["geometry"] for row in rows]
    where = np.empty(len(rows), dtype=object)
    where[:] = [row["where"] for row in rows]
    data: dict[str, Any] = {c.name: [row.get(c.name) for row in rows] for c in CHANGE_COLUMNS}
    if rows:
        points = shapely.point_on_surface(where)
        data["lon"], data["lat"] = shapely.get_coordinates(after.plane.unproject(points)).T
        data["place"] = _townships(points, after)
    dtypes = {c.name: "float64" if c.dtype == "float" else object for c in CHANGE_COLUMNS}
    frame = pd.DataFrame({name: pd.Series(values, dtype=dtypes[name]) for name, values in data.items()})
    return gpd.GeoDataFrame(frame, geometry=after.plane.unproject(shapes) if rows else [], crs="EPSG:4490")


def _townships(points: np.ndarray, after: Version) -> list[str]:
    division = next((d for d in after.city.city.divisions if d in after.layers), None) if after.city else None
    if division is None or not len(after.layers[division].frame):
        return [""] * len(points)
    layer = after.layers[division]
    return list(layer.frame["name"].to_numpy()[layer.index.tree.nearest(points)])


def _parts(rows: list[dict[str, Any]], plane: Plane) -> gpd.GeoDataFrame:
    frame = pd.DataFrame({name: [row[name] for row in rows] for name in ("layer", "change", "area_m2")})
    frame["area_m2"] = frame["area_m2"].astype("float64")
    shapes = np.empty(len(rows), dtype=object)
    shapes[:] = [row["geometry"] for row in rows]
    return gpd.GeoDataFrame(frame, geometry=plane.unproject(shapes) if rows else [], crs="EPSG:4490")


def _findings(before: Version, after: Version, as_of: dt.date | str | None) -> gpd.GeoDataFrame:
    """Evaluate the rules that compare versions, such as 面积不减少."""
    if after.city is None or after.book is None:
        return gpd.GeoDataFrame({c.name: [] for c in AUDIT_COLUMNS}, geometry=[], crs="EPSG:4490")
    day = date_of(as_of)
    book = after.book.as_of(day)
    context = audit_context(after.city, book, after.layers, earlier=before.layers)
    found: list[tuple[LayerRule, LayerFinding]] = [
        (rule, row)
        for rule in book.audits
        if LAYER_KINDS[rule.kind].between_versions
        for row in LAYER_KINDS[rule.kind].check(rule, context)
    ]
    return audit_findings(found, context, book, day, divisions=after.city.city.divisions)


def pairings(before: Version, after: Version) -> dict[str, Pairing]:
    """Pair the features of every layer that both versions have."""
    return {
        name: pair_features(layer, after.layers[name]) for name, layer in before.layers.items() if name in after.layers
    }
