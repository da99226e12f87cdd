"""The 准入清单 that a project must answer: general requirements of province and city, then the lists of its units."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import geopandas as gpd
import numpy as np
import pandas as pd

from lzgis.findings import citation
from lzgis.model import UNIT_LIST_COLUMNS, Layer, Reason, State
from lzgis.rule import Level, Requirement, Rule, RuleBook

_Row = tuple[object, ...]


def unit_lists(findings: gpd.GeoDataFrame, book: RuleBook, layers: Mapping[str, Layer], as_of: dt.date) -> pd.DataFrame:
    """Set out the clauses that every site must answer: those of the province, of the city, and of its units.

    Parameters
    ----------
    findings : GeoDataFrame
        Findings of all sites.
    book : RuleBook
        Rules and requirements in force on `as_of`.
    layers : mapping
        The layers that the city has, by id.
    as_of : date
        The date whose requirements apply.

    Returns
    -------
    DataFrame
        The columns of `UNIT_LIST_COLUMNS`: one row per site and general requirement, the province's first, then one per
        site, unit and clause.
    """
    told = findings[findings["kind"] == "identify"]
    # A site outside of the city is under the requirements of another.
    within = told[told["reason"] != Reason.OUTSIDE_CITY]
    rows: list[_Row] = []
    levels = (Level.PROVINCE, Level.CITY)
    for one in sorted(book.requirements, key=lambda r: levels.index(r.level)):
        concerned = within[within["layer"] == one.layer]
        rows += _general_rows(one, concerned, layers.get(one.layer), (book, as_of))
    parts = [pd.DataFrame(rows, columns=[c.name for c in UNIT_LIST_COLUMNS])]
    parts += [
        _unit_rows(rule, told[told["rule"] == rule.id], layers[rule.layer])
        for rule in book.rules
        if rule.layer in layers
    ]
    full = [part for part in parts if len(part)]
    frame = pd.concat(full, ignore_index=True) if full else parts[0]
    place = {site: i for i, site in enumerate(dict.fromkeys(findings["site_id"]))}
    return frame.sort_values("site_id", key=lambda sites: sites.map(place), kind="stable", ignore_index=True)


def _general_rows(
    one: Requirement, found: pd.DataFrame, layer: Layer | None, when: tuple[RuleBook, dt.date]
) -> Iterator[_Row]:
    """Give the rows of a requirement: sites in a unit that it is meant for, and those whose units are not known."""
    basis, _, certainty = citation(one, *when)
    clause = (one.heading, one.clause, float("nan"), basis, certainty.value, one.note)
    hit = found["state"].isin([State.INVOLVED, State.SLIVER])
    meant = set(found["feature_id"]) if layer is None else _meant(one, layer)
    known = dict.fromkeys(found.loc[hit, "site_id"])
    chosen = set(found.loc[hit & found["feature_id"].isin(meant), "site_id"])
    for site in dict.fromkeys(found["site_id"]):
        if not one.where or site not in known or site in chosen:
            yield (site, one.level.value, "", "", "", *clause)


def _meant(one: Requirement, layer: Layer) -> set[str]:
    frame = layer.frame
    for name, values in one.where.items():
        # Without the field nobody can tell, so the clause is to be answered.
        if name in frame.columns:
            frame = frame[frame[name].isin(values)]
    return set(frame["id"])


def _unit_rows(rule: Rule, found: pd.DataFrame, layer: Layer) -> pd.DataFrame:
    """Give the clauses of every unit that a site lies in: of each finding, all clauses of its unit follow each other."""
    names = [c.name for c in UNIT_LIST_COLUMNS]
    fields: Mapping[str, str] = getattr(rule, "list_fields", {})
    hit = found[found["state"].isin([State.INVOLVED, State.SLIVER])]
    clauses, ends = _clauses(layer, fields)
    unit = pd.Index(layer.frame["id"]).get_indexer(hit["feature_id"])
    times = np.diff(ends)[unit]
    own = np.repeat(ends[unit] - np.cumsum(times) + times, times) + np.arange(times.sum())
    finding = np.repeat(np.arange(len(hit)), times)
    rows = clauses.iloc[own].reset_index(drop=True)
    rows["site_id"], rows["share"] = hit["site_id"].to_numpy()[finding], hit["share"].to_numpy()[finding]
    return rows[names]


def _clauses(layer: Layer, fields: Mapping[str, str]) -> tuple[pd.DataFrame, np.ndarray]:
    """List the clauses of all units, one a row, unit after unit; and where each unit's begin, and the last ends."""
    rows: list[_Row] = []
    ends = [0]
    for unit in layer.frame.to_dict("records"):
        head = ("", Level.UNIT.value, unit["id"], unit["name"], unit.get("class", ""))
        for field, heading in fields.items():
            text = unit.get(field)
            clauses = text.splitlines() if isinstance(text, str) else []
            tail = (float("nan"), layer.spec.basis, "", "")
            rows.extend((*head, heading, clause.strip(), *tail) for clause in clauses if clause.strip())
        ends.append(len(rows))
    return pd.DataFrame(rows, columns=[c.name for c in UNIT_LIST_COLUMNS]), np.array(ends)
