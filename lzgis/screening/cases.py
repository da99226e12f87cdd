"""Run the cases of a rule book: each is one site beside one or more features, with a known answer.

All cases of one day are screened together, 20 km apart in a plane, against layers that hold only the features of the cases.
Nothing of a city is used. Distances are measured from the edge of a feature, which stands for the legal baseline.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lzgis.geometry import FeatureIndex
from lzgis.model.catalogue import Baseline, LayerSpec
from lzgis.model.report import STATES_BY_GRAVITY, State
from lzgis.model.rules import Case, RuleBook
from lzgis.rules.for_sites.plane import PlaneLayer, PlaneSites
from lzgis.screening.check import Shared, check_all
from lzgis.screening.subjects import Subjects

#: Distance between the sites of two cases, side of a site, and reach of a feature around it (m).
_STEP_M, _SIDE_M, _AROUND_M = 20_000.0, 40.0, 200.0


class Outcome(NamedTuple):
    """What a case expects and what the book answers; `number` is the position of the case in the book, from 1."""

    number: int
    case: Case
    state: str
    severity: str
    route: str
    open_facts: str

    @property
    def holds(self) -> bool:
        """Whether the answer is the expected one."""
        case = self.case
        if case.state != self.state:
            return False
        same_severity = case.severity is None or case.severity.value == self.severity
        return same_severity and (case.route is None or case.route.value == self.route)


def run_cases(book: RuleBook) -> list[Outcome]:
    """Screen the cases of a book; outcomes in the order of the cases.

    Examples
    --------
    >>> from lzgis.rules.book import read_rulebook, shipped_book
    >>> all(outcome.holds for outcome in run_cases(read_rulebook(shipped_book("national"))))
    True
    """
    outcomes: dict[int, Outcome] = {}
    for day in sorted({case.day for case in book.cases}):
        numbered = [(number, case) for number, case in enumerate(book.cases, start=1) if case.day == day]
        for outcome in _outcomes(book.as_of(day), numbered, day):
            outcomes[outcome.number] = outcome
    return [outcomes[number] for number in sorted(outcomes)]


def _outcomes(book: RuleBook, numbered: Sequence[tuple[int, Case]], day: dt.date) -> Iterator[Outcome]:
    in_force = {rule.id for rule in book.rules}
    asked = []
    for number, case in numbered:
        if case.rule in in_force:
            asked.append((number, case))
        else:
            yield Outcome(number, case, "not-in-force", "", "", "")
    if not asked:
        return
    wanted = {case.rule for _, case in asked}
    rules = tuple(rule for rule in book.rules if rule.id in wanted)
    scene = scene_of([case for _, case in asked], RuleBook(**{**vars(book), "rules": rules}))
    tables = check_all(Shared(scene.subjects, scene.layers), day)
    for rule, table in zip(rules, tables, strict=True):
        frame = pd.DataFrame({k: table[k] for k in ("site_id", "state", "reason", "severity", "route", "open_facts")})
        for at, (number, case) in enumerate(asked):
            if case.rule == rule.id:
                yield _answer(number, case, frame[frame["site_id"] == str(at)])


def _answer(number: int, case: Case, rows: pd.DataFrame) -> Outcome:
    if rows.empty:
        return Outcome(number, case, State.NOT_APPLICABLE.value, "", "", "")
    ranks = rows["state"].map({str(state.value): rank for rank, state in enumerate(STATES_BY_GRAVITY)})
    row = rows.iloc[int(np.argmin(ranks.to_numpy()))]
    return Outcome(number, case, str(row["state"]), row["severity"], row["route"], row["open_facts"])


@dataclass(frozen=True, eq=False)
class Scene:
    """The sites of cases, in the order of the cases, and the layers around them."""

    subjects: Subjects
    layers: dict[str, PlaneLayer]


def scene_of(cases: Sequence[Case], book: RuleBook) -> Scene:
    """Draw a site for each case, with the features of its relations around it and an outline around all."""
    columns = range(len(cases))
    sites = np.array([shapely.box(at * _STEP_M, 0, at * _STEP_M + _SIDE_M, _SIDE_M) for at in columns], dtype=object)
    table = pd.DataFrame({"id": [str(at) for at in columns], "name": [str(at) for at in columns]})
    for name in {fact for case in cases for fact in case.facts}:
        table[name] = [case.facts.get(name, "") for case in cases]
    activity = np.array([case.activity for case in cases], dtype=object)
    features: dict[str, list[tuple[shapely.Geometry, dict[str, str]]]] = {}
    for at, case in enumerate(cases):
        for one in case.relation:
            left = at * _STEP_M
            gap = {"inside": -_AROUND_M, "outside": _STEP_M / 2}.get(one.at, _SIDE_M + (one.distance_m or 0.0))
            low = -_AROUND_M if one.at == "inside" else 0.0
            shape = shapely.box(left + gap, low, left + gap + 2 * _AROUND_M, 2 * _AROUND_M)
            features.setdefault(one.layer, []).append((shape, one.fields))
    layers = {name: _layer_of(name, book, some) for name, some in features.items()}
    outline: list[tuple[shapely.Geometry, dict[str, str]]] = [
        (shapely.box(-_STEP_M, -_STEP_M, (len(cases) + 1) * _STEP_M, _STEP_M), {})
    ]
    layers["city"] = _layer_of("city", book, outline)
    return Scene(Subjects(table, activity, PlaneSites(sites), book, np.zeros(len(cases), dtype=bool)), layers)


def _layer_of(name: str, book: RuleBook, features: Sequence[tuple[shapely.Geometry, dict[str, str]]]) -> PlaneLayer:
    fields = {field for _, values in features for field in values}
    for rule in book.rules:
        if rule.layer == name:
            fields |= set(rule.where)
    frame = pd.DataFrame({"id": [str(at) for at in range(len(features))], "name": ""})
    for field in fields:
        frame[field] = [values.get(field, "") for _, values in features]
    shapes = np.array([shape for shape, _ in features], dtype=object)
    # The edge of the feature is the baseline: no half-width is added.
    spec = LayerSpec(title=name, source=f"{name}.gpkg", baseline=Baseline.ROAD_LAND_EDGE)
    return PlaneLayer(name, spec, gpd.GeoDataFrame(frame, geometry=shapes), FeatureIndex(shapes))
