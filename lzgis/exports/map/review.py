"""The JSON of sites, verdicts and findings that the scripts of the map read.

Texts are stored once in a pool and referred to by index, since findings repeat them many times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lzgis.coordinates.plane import CGCS2000, Geometries, Plane
from lzgis.exports.map import finding_text
from lzgis.exports.map.clauses import general_texts, rule_texts, unit_texts
from lzgis.exports.map.corridors import corridor_data
from lzgis.exports.map.shapes import Drawing, fitted
from lzgis.exports.report_text import Coded, ReportText, coded, number, records, text
from lzgis.exports.rounding import Rounding
from lzgis.model.report import CITY_COLUMN, FINDING_COLUMNS, HIT_STATES, Report, State, Verdict
from lzgis.model.rules import Severity
from lzgis.rules.for_sites import INFORMING_KINDS

VERDICTS = tuple(Verdict)
_VERTICES = 60_000
_STEPS_M = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0)
_STEP_DEG = 1e-7
_TEXTS = [column.name for column in FINDING_COLUMNS if column.dtype == "str"]
# Ranks of findings, in reading order.
PROHIBITED, CONDITIONAL, SLIVER, NOT_CHECKED, NOTICE, CLEAR, NOT_APPLICABLE = range(7)
# What `finding_text.details` reads of the place of a finding where no finding is overruled.
_ANYWHERE = {"site_id": "", "feature_id": ""}
_DRAWN = (PROHIBITED, CONDITIONAL, SLIVER)


class _Places(NamedTuple):
    """Indexes in the data of the page: of layers, parts, lines, rules and units."""

    layer: Mapping[str, int]
    part: Mapping[Any, int]
    line: Mapping[Any, int]
    rule: Mapping[str, int]
    unit: Mapping[str, int]

    def of(self, index: Any, row: Mapping[str, Any]) -> list[int]:
        """Return the indexes of one finding; -1 where there is none."""
        return [
            self.part.get(index, -1),
            self.layer.get(row["layer"], -1),
            self.line.get(index, -1),
            self.rule.get(row["rule"], -1),
            self.unit.get(row["feature_id"], -1) if row["kind"] in INFORMING_KINDS and row["rank"] < CLEAR else -1,
        ]


class Pool:
    """A list of texts without duplicates; index 0 is the empty text."""

    def __init__(self) -> None:
        self.texts = [""]
        self._place = {"": 0}

    def __call__(self, one: str) -> int:
        """Return the index of a text, adding it if it is new."""
        if one not in self._place:
            self._place[one] = len(self.texts)
            self.texts.append(one)
        return self._place[one]


class Details:
    """The labelled lines below findings, as lists of indexes of texts, without duplicates."""

    def __init__(self) -> None:
        self._place: dict[tuple[int, ...], int] = {}

    def __call__(self, one: tuple[int, ...]) -> int:
        """Return the index of a list, adding it if it is new."""
        return self._place.setdefault(one, len(self._place))

    @property
    def lists(self) -> list[tuple[int, ...]]:
        """The lists in the order of their indexes."""
        return list(self._place)


def review_data(texts: ReportText, plane: Plane, shown: Mapping[str, int]) -> tuple[float, dict[str, Any]]:
    """Return the tolerance of simplification in metres, and sites, findings and their shapes for the scripts.

    `shown` holds the index of every layer that the map shows, so that findings can refer to it.
    """
    pool = Pool()
    findings = _ranked(texts.report.table)
    drawn = findings[findings["rank"].isin(_DRAWN)]
    drawn = gpd.GeoDataFrame(drawn, geometry=texts.report.parts(drawn.index.to_numpy()), crs=CGCS2000)
    drawn = drawn[_usable(drawn)]
    all_sites = texts.report.sites.reset_index(drop=True)
    sites = all_sites[_usable(all_sites)]
    order = {site_id: i for i, site_id in enumerate(all_sites["id"].astype(str))}
    part, parts = _parts(drawn)
    drawings = [Drawing(_shapes(one), plane, "own") for one in (sites, parts)]
    steps_m = fitted(drawings, vertices=_VERTICES, steps_m=_STEPS_M)
    ranks = zip(parts["rank"], parts["site_id"], strict=True)
    about = [{"r": int(rank), "s": order.get(one, -1)} for rank, one in ranks]
    around, line = corridor_data(texts, plane, findings, order)
    rules, rule = rule_texts(texts, findings["rule"])
    units, unit = unit_texts(texts)
    general, general_of = general_texts(texts)
    places = _Places(shown, part, line, rule, unit)
    listed, details = _findings(texts, findings, pool, order, places)
    return max(steps_m), {
        **around,
        "rules": rules,
        "units": units,
        "general": general,
        "sites": _sites(texts, pool, {index: i for i, index in enumerate(sites.index)}, general_of),
        "findings": listed,
        "details": details,
        "pool": pool.texts,
        "shapes": drawings[0].topology([{} for _ in range(len(sites))], step_deg=_STEP_DEG, step_m=steps_m[0]),
        "parts": drawings[1].topology(about, step_deg=_STEP_DEG, step_m=steps_m[1]),
    }


def _ranked(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings with a rank, in reading order and without missing texts; the index has their positions."""
    findings = findings.reset_index(drop=True).copy()
    for name in _TEXTS:
        # Python's texts: those of Arrow are slow to read one by one.
        findings[name] = pd.Series(coded(findings, [name], text).tolist(), dtype=object, index=findings.index)
    states, severities = findings["state"], findings["severity"]
    known = [
        (states == State.SLIVER, SLIVER),
        (states == State.NOT_CHECKED, NOT_CHECKED),
        (states == State.CLEAR, CLEAR),
        (states == State.NOT_APPLICABLE, NOT_APPLICABLE),
        (severities == Severity.PROHIBITED, PROHIBITED),
        (severities == Severity.CONDITIONAL, CONDITIONAL),
    ]
    findings["rank"] = np.select([which for which, _ in known], [rank for _, rank in known], default=NOTICE)
    return findings.sort_values("rank", kind="stable")


def _parts(drawn: gpd.GeoDataFrame) -> tuple[dict[Any, int], gpd.GeoDataFrame]:
    """Return the index of the part of each finding, and the parts without duplicates of several rules."""
    keys = list(zip(drawn["site_id"], drawn["rank"], shapely.to_wkb(_shapes(drawn)), strict=True))
    first: dict[Any, int] = {}
    part = {index: first.setdefault(key, len(first)) for index, key in zip(drawn.index, keys, strict=True)}
    first_row = dict(reversed([(part[index], index) for index in drawn.index]))
    return part, drawn.loc[[first_row[i] for i in range(len(first))]]


def _usable(frame: gpd.GeoDataFrame) -> Any:
    return ~(frame.geometry.isna() | frame.geometry.is_empty)


def _shapes(frame: gpd.GeoDataFrame) -> Geometries:
    return np.asarray(frame.geometry.values, dtype=object)


def _sites(
    texts: ReportText, pool: Pool, place: Mapping[Any, int], general: Mapping[str, list[int]]
) -> list[dict[str, Any]]:
    """Return one record per site, in the order of the file."""
    verdicts = {row["site_id"]: row for row in texts.verdicts()}
    places = _places(texts.report)
    result = []
    for index, row in enumerate(texts.report.sites.to_dict("records")):
        verdict = verdicts.get(row["id"])
        record = {
            "id": text(row["id"]),
            "name": text(row.get("name")) or text(row["id"]),
            "activity": texts.activity(text(row.get("activity"))),
            "places": places.get(text(row["id"]), []),
            "verdict": VERDICTS.index(Verdict.INCOMPLETE if verdict is None else Verdict(verdict["verdict"])),
            "shape": place.get(index, -1),
            "general": general.get(text(row["id"]), []),
            "not_applicable": 0 if verdict is None else int(verdict["not_applicable"]),
            "lines": [] if verdict is None else _lines(texts, verdict, pool),
        }
        if index in place:
            spot = shapely.point_on_surface(row[texts.report.sites.geometry.name])
            record["spot"] = [round(spot.y, 7), round(spot.x, 7)]
        result.append(record)
    return result


def _places(report: Report) -> dict[str, list[str]]:
    """Return the names of the townships and villages that each site lies in, for the search."""
    table = report.table
    there = table[table["layer"].isin(report.city.divisions) & table["state"].isin(HIT_STATES)]
    found: dict[str, list[str]] = {}
    for site, name in zip(there["site_id"].map(text), there["feature_name"].map(text), strict=True):
        if name and name not in found.setdefault(site, []):
            found[site].append(name)
    return found


def _lines(texts: ReportText, verdict: Mapping[str, Any], pool: Pool) -> list[list[int]]:
    """Return the labelled lines of a site: size, nearest constraint, and verdicts at other thresholds if they differ."""
    words, rounding = texts.words, Rounding(texts.report)
    lines: list[tuple[str, str]] = []
    m2, length, nearest = (number(verdict[name]) for name in ("site_area_m2", "site_length_m", "nearest_m"))
    if m2 is not None:
        lines.append((words("map", "size"), finding_text.area(words, rounding, m2)))
    if length is not None:
        lines.append((words("map", "size"), words("map", "length", m=rounding.metres(length))))
    if text(verdict["nearest_rule"]) and nearest is not None:
        name = texts.rule(verdict["nearest_rule"])
        lines.append((words("map", "nearest"), words("map", "nearest-text", rule=name, m=rounding.metres(nearest))))
    ladder = tuple(verdict["ladder"])
    if len(set(ladder)) > 1:
        steps = zip(texts.report.book.tolerance.ladder_m2, ladder, strict=False)
        verdicts = [
            words("map", "ladder-step" if step else "ladder-none", m2=step, verdict=texts.word("verdict", one))
            for step, one in steps
        ]
        lines.append((texts.column("ladder"), words("map", "joint").join(verdicts)))
    return [[pool(label), pool(one)] for label, one in lines]


def _findings(
    texts: ReportText,
    table: pd.DataFrame,
    pool: Pool,
    order: Mapping[str, int],
    places: _Places,
) -> tuple[list[list[list[Any]]], list[tuple[int, ...]]]:
    """Return the findings of each site, and the lists of details that they refer to.

    A finding is a list of its rank, rule, layer, feature, state, severity, figures, details and the indexes of `_Places`.
    """
    lists, rounding = Details(), Rounding(texts.report)
    result: list[list[list[Any]]] = [[] for _ in order]
    overruled = ("site_id", "feature_id") if len(texts.report.overrides) else ()
    of_city = tuple(name for name in (CITY_COLUMN.name,) if name in table)
    # Texts that many findings share are first in the pool, so that their indexes are short.
    details = _coded_rows(
        table,
        (*finding_text.DETAILED, *of_city, *overruled),
        lambda row: lists(tuple(pool(one) for line in finding_text.details(texts, _ANYWHERE | row) for one in line)),
    )
    worded = {
        "title": coded(table, ["rule"], lambda rule: pool(texts.rule(rule))),
        "layer": coded(table, ["layer"], lambda layer: pool(texts.layer(layer))),
        "feature": coded(table, ["feature_name", "feature_id"], lambda name, one: pool(name or one)),
        "state": coded(table, ["state"], lambda state: pool(texts.word("state", state))),
        "severity": coded(table, ["severity"], lambda severity: pool(texts.word("severity", severity))),
        "measures": _coded_rows(
            table, finding_text.MEASURED, lambda row: pool(finding_text.measures(texts.words, rounding, row))
        ),
        "details": details,
        "places": coded(table, ["site_id"], lambda site: order.get(site, -1)),
    }
    ranks = table["rank"].tolist()
    keys = records(table, ("layer", "rule", "feature_id", "kind", "rank"))
    rows = zip(*(one.tolist() for one in worded.values()), strict=True)
    for index, rank, (*cells, place), key in zip(table.index.tolist(), ranks, rows, keys, strict=True):
        if place >= 0:
            result[place].append([int(rank), *cells, *places.of(index, key)])
    return result, lists.lists


def _coded_rows(table: pd.DataFrame, names: Sequence[str], word: Callable[[dict[str, Any]], Any]) -> Coded:
    return coded(table, names, lambda *values: word(dict(zip(names, values, strict=True))))
