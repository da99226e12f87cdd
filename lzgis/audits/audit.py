"""Audit a city: check its layers against each other, against their codes, and against declared figures."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lzgis.city.catalogue import Catalogue, open_catalogue
from lzgis.city.layer_dates import date_problems
from lzgis.city.outline_shift import outline_problems
from lzgis.city.plane_layers import in_plane
from lzgis.city.prepared import LoadedLayer
from lzgis.city.provenance import date_of, provenance_of
from lzgis.messages import Message
from lzgis.model.audit import AUDIT_COLUMNS, AuditReport, Topic
from lzgis.model.report import Problem
from lzgis.model.rules import Certainty, LayerRule, RuleBook
from lzgis.reading import shown
from lzgis.rules.for_layers import LAYER_KINDS
from lzgis.rules.for_layers.base import AuditContext, LayerFinding
from lzgis.rules.for_sites.plane import PlaneLayer
from lzgis.screening.check import Progress
from lzgis.screening.findings import citation

#: Ids and names of the features of a layer.
_Names = list[tuple[str, str]]


def audit(
    city: Catalogue | str | Path,
    *,
    as_of: dt.date | str | None = None,
    made_at: dt.datetime | None = None,
    progress: Progress | None = None,
) -> AuditReport:
    """Check a city's layers against each other and against the figures that documents declare.

    Parameters
    ----------
    city : Catalogue or path
        The city, or its folder.
    as_of : date or ISO string, optional
        The date whose rules apply; today if not given.
    made_at : datetime, optional
        The time of the report; now if not given.
    progress : callable, optional
        Called with the name of the task, the number of finished steps, and the number of all steps.

    Returns
    -------
    AuditReport
        One or more findings per rule and pair of layers, the worst first.

    Raises
    ------
    ConfigError, LayerError, SourceError
        If the catalogue, the rules or a layer of the city are not valid.

    Examples
    --------
    >>> from lzgis.city.reference import reference_city
    >>> audit(reference_city(), as_of="2026-11-21").conflicts["area_m2"].round(2).tolist()
    [29828.75, 1085.35, 334.82]
    """
    if isinstance(city, str | Path):
        city = open_catalogue(city)
    day = date_of(as_of)
    book, city = city.book.as_of(day), city.as_of(day)
    layers, problems = load_present(city, progress)
    problems += date_problems({name: one.layer.spec for name, one in layers.items()}, layers, day)
    context = audit_context(city, book, {name: in_plane(one.layer, city) for name, one in layers.items()})
    rules = [rule for rule in book.audits if not LAYER_KINDS[rule.kind].between_versions]
    found = _check_rules(rules, context, progress)
    if not rules:
        place = Message("rule book '{name}'", name=book.name)
        what = Message("has no rule for layers in force on {day}", day=day)
        problems.append(Problem("warning", place, what, Message("extend 'national', or add rules such as no_overlap")))
    return AuditReport(
        city=city.city,
        book=book,
        layers={name: one.layer for name, one in layers.items()},
        findings=audit_findings(found, context, book, day, divisions=city.city.divisions),
        backdrop=city.backdrop,
        problems=(*problems, *_shifts(city, layers), *(p for one in layers.values() for p in one.problems)),
        provenance=provenance_of(city, book, layers, (day, made_at)),
    )


def _shifts(city: Catalogue, layers: Mapping[str, LoadedLayer]) -> list[Problem]:
    """Report an outline, or layers, that were drawn on a shifted map."""
    if city.city.outline not in layers:
        return []
    return outline_problems(city, {name: one.layer for name, one in layers.items()})


def _check_rules(
    rules: list[LayerRule], context: AuditContext, progress: Progress | None
) -> list[tuple[LayerRule, LayerFinding]]:
    found: list[tuple[LayerRule, LayerFinding]] = []
    for done, rule in enumerate(rules):
        if progress:
            progress("rules", done, len(rules))
        found += [(rule, row) for row in LAYER_KINDS[rule.kind].check(rule, context)]
    if progress:
        progress("rules", len(rules), len(rules))
    return found


def load_present(city: Catalogue, progress: Progress | None = None) -> tuple[dict[str, LoadedLayer], list[Problem]]:
    """Load the layers whose files exist, and report those whose files do not."""
    loaded: dict[str, LoadedLayer] = {}
    missing = []
    for done, (name, spec) in enumerate(city.layers.items()):
        if progress:
            progress("layers", done, len(city.layers))
        if city.exists(name):
            loaded[name] = city.load(name)
        else:
            what = Message("the file {source} is not there", source=shown(spec.source))
            remedy = Message("put it there or remove the layer")
            missing.append(Problem("warning", Message("layer '{name}'", name=name), what, remedy))
    return loaded, missing


def audit_context(
    city: Catalogue,
    book: RuleBook,
    layers: Mapping[str, PlaneLayer],
    *,
    earlier: Mapping[str, PlaneLayer] | None = None,
) -> AuditContext:
    """Make the context in which rules for layers are checked; `earlier` are the layers of the older version."""
    return AuditContext(
        layers,
        city.city.outline,
        city.plane,
        adcode=city.city.adcode,
        sliver_width_m=book.tolerance.sliver_width_m,
        threads=min(4, os.cpu_count() or 1),
        earlier=earlier or {},
    )


def audit_findings(
    found: list[tuple[LayerRule, LayerFinding]],
    context: AuditContext,
    book: RuleBook,
    day: dt.date,
    *,
    divisions: list[str],
) -> gpd.GeoDataFrame:
    """Make the table of findings, the worst first, with the columns `AUDIT_COLUMNS` and the geometry in EPSG:4490."""
    # Features of a removed layer are named from the older version.
    known = {**context.earlier, **context.layers}
    ranked = [found[at] for at in _ranks(found)]
    geometry = np.empty(len(ranked), dtype=object)
    geometry[:] = [one.geometry for _, one in ranked]
    data = _columns(ranked, {name: _names(layer) for name, layer in known.items()}, book, day)
    data |= _places(geometry, context, divisions)
    dtypes = {c.name: "float64" if c.dtype == "float" else object for c in AUDIT_COLUMNS}
    frame = pd.DataFrame({name: pd.Series(data.get(name, []), dtype=dtypes[name]) for name in dtypes})
    return gpd.GeoDataFrame(frame, geometry=context.plane.unproject(geometry) if ranked else [], crs="EPSG:4490")


def _ranks(found: list[tuple[LayerRule, LayerFinding]]) -> list[int]:
    """Return the order of findings: conflicts and boundary errors first, by topic, then by state, severity and size."""
    topics = list(Topic)
    rows = [rule for rule, _ in found]
    topic = np.array([topics.index(LAYER_KINDS[rule.kind].topic) for rule in rows])
    state = np.array([one.state.rank for _, one in found])
    severity = np.array([(one.severity or rule.severity).rank for rule, one in found])
    sizes = [
        -np.nan_to_num(np.abs(np.array(values, dtype=float)))
        for values in ([one.area_m2 for _, one in found], [one.length_m for _, one in found])
    ]
    # The last key counts first. Within a topic, conflicts come before boundary errors.
    order: list[int] = np.lexsort((*reversed(sizes), severity, state, topic, np.maximum(state, 1))).tolist()
    return order


def _columns(
    ranked: list[tuple[LayerRule, LayerFinding]], names: Mapping[str, _Names], book: RuleBook, day: dt.date
) -> dict[str, list[Any]]:
    """Return the columns that do not depend on a place. They are made one by one: there may be millions of slivers."""
    rules, found = [rule for rule, _ in ranked], [one for _, one in ranked]
    of_rule = {
        rule.id: _rule_columns(rule, citation(rule, book, day)) for rule in {rule.id: rule for rule in rules}.values()
    }
    mine = [_feature(names, one.layer, one.feature) for one in found]
    other = [_feature(names, one.other_layer, one.other) for one in found]
    sizes = ("area_m2", "mean_width_m", "length_m", "measured", "declared")
    return {
        **{name: [of_rule[rule.id][name] for rule in rules] for name in next(iter(of_rule.values()), {})},
        "state": [one.state.value for one in found],
        "severity": [(one.severity or rule.severity).value for rule, one in ranked],
        "reason": [one.reason.value for one in found],
        "layer": [one.layer for one in found],
        "feature_id": [feature[0] for feature in mine],
        "feature_name": [feature[1] for feature in mine],
        "other_layer": [one.other_layer for one in found],
        "other_id": [feature[0] for feature in other],
        "other_name": [feature[1] for feature in other],
        **{name: [getattr(one, name) for one in found] for name in sizes},
        "what": [one.what for one in found],
        "as_of": [day.isoformat()] * len(found),
    }


def _rule_columns(rule: LayerRule, cited: tuple[str, str, Certainty]) -> dict[str, str]:
    basis, repealed, certainty = cited
    return {
        "topic": LAYER_KINDS[rule.kind].topic.value,
        "rule": rule.id,
        "kind": rule.kind,
        "procedure": rule.procedure,
        "note": rule.note,
        "basis": basis,
        "repealed": repealed,
        "strength": rule.strength.value,
        "certainty": certainty.value,
    }


def _names(layer: PlaneLayer) -> _Names:
    return [*zip(layer.frame["id"].astype(str), layer.frame["name"].astype(str), strict=True)]


def _feature(known: Mapping[str, _Names], layer: str, feature: int) -> tuple[str, str]:
    return ("", "") if feature < 0 or layer not in known else known[layer][feature]


def _places(geometry: np.ndarray, context: AuditContext, divisions: list[str]) -> dict[str, Any]:
    """Locate each finding: longitude, latitude and divisions of a point in it, of all levels, as prefecture · county."""
    there = np.flatnonzero(~shapely.is_missing(geometry))
    lon, lat = np.full(len(geometry), np.nan), np.full(len(geometry), np.nan)
    place = np.full(len(geometry), "", dtype=object)
    if len(there):
        points = shapely.point_on_surface(geometry[there])
        lon[there], lat[there] = shapely.get_coordinates(context.plane.unproject(points)).T
        for layer in (context.layers[name] for name in divisions if name in context.layers):
            # If townships have the same gap, no township holds it; the nearest one is named then.
            which, found = layer.index.tree.query_nearest(points, all_matches=False)
            names = layer.frame["name"].to_numpy(dtype=object)[found]
            before = place[there[which]]
            place[there[which]] = np.where(before == "", names, before + " · " + names)
    return {"lon": lon, "lat": lat, "place": place}
