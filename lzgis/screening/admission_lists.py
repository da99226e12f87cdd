"""The clauses of the 准入清单 for each site: general requirements of province and city, then the lists of its units."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from lzgis.model.report import HIT_STATES, UNIT_LIST_COLUMNS, Layer, Reason
from lzgis.model.rules import Level, Requirement, RuleBook
from lzgis.rules.for_sites import INFORMING_KINDS
from lzgis.rules.for_sites.identify import Identify
from lzgis.screening.findings import citation

_Row = tuple[object, ...]


def unit_lists(findings: gpd.GeoDataFrame, book: RuleBook, layers: Mapping[str, Layer], as_of: dt.date) -> pd.DataFrame:
    """List the clauses that apply to each site: those of the province, of the city, and of the units it lies in.

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
    site, ids = pd.factorize(findings["site_id"])
    units = pd.DataFrame(findings[["rule", "layer", "feature_id", "share"]]).assign(
        site=site,
        hit=findings["state"].isin(HIT_STATES),
        # A site outside the city is subject to the requirements of another city.
        within=findings["reason"] != Reason.OUTSIDE_CITY,
    )[findings["kind"].isin(INFORMING_KINDS)]
    texts: list[_Row] = []
    parts = [_Part(*3 * (np.zeros(0, dtype=np.intp),))]
    for one in sorted(book.requirements, key=lambda r: list(Level).index(r.level)):
        within = units[units["within"] & (units["layer"] == one.layer)]
        sites = _sites_of(one, within, layers.get(one.layer))
        parts.append(_Part(sites, np.full(len(sites), len(texts)), np.full(len(sites), np.nan)))
        basis, _, certainty = citation(one, book, as_of)
        texts.append(
            ("", one.level.value, "", "", "", one.heading, one.clause, np.nan, basis, certainty.value, one.note)
        )
    for rule in book.rules:
        if isinstance(rule, Identify) and rule.layer in layers and rule.list_fields:
            clauses, ends = _clauses(layers[rule.layer], rule.list_fields)
            part = _of_units(units[(units["rule"] == rule.id) & units["hit"]], layers[rule.layer], ends)
            parts.append(part._replace(text=part.text + len(texts)))
            texts += clauses
    whole = _Part(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    order = np.argsort(whole.site, kind="stable")
    # There are few texts and many rows: each text is stored once and then repeated.
    table = pd.DataFrame(texts, columns=[c.name for c in UNIT_LIST_COLUMNS])
    if not len(order):
        return table.iloc[:0].astype(object)
    frame = table.iloc[whole.text[order]].reset_index(drop=True)
    frame["site_id"], frame["share"] = ids.take(whole.site[order]), whole.share[order]
    return frame


class _Part(NamedTuple):
    """Rows as arrays: position of the site, position of the text, share of the site in the unit."""

    site: np.ndarray
    text: np.ndarray
    share: np.ndarray


def _sites_of(one: Requirement, found: pd.DataFrame, layer: Layer | None) -> np.ndarray:
    """Find the sites in a unit that a requirement applies to, and those whose units are unknown."""
    sites = np.unique(found["site"].to_numpy())
    if not one.where:
        return sites
    hit = found[found["hit"]]
    matching = hit if layer is None else hit[hit["feature_id"].isin(_matching_units(one, layer))]
    return sites[~np.isin(sites, hit["site"]) | np.isin(sites, matching["site"])]


def _matching_units(one: Requirement, layer: Layer) -> set[str]:
    frame = layer.frame
    for name, values in one.where.items():
        # Without the field the clause may apply to every unit, so it is listed.
        if name in frame.columns:
            frame = frame[frame[name].isin(values)]
    return set(frame["id"])


def _of_units(hit: pd.DataFrame, layer: Layer, ends: np.ndarray) -> _Part:
    """Repeat each finding once for every clause of its unit; `ends` bounds the clauses of each unit."""
    unit = pd.Index(layer.frame["id"]).get_indexer(pd.Index(hit["feature_id"]))
    times = np.diff(ends)[unit]
    own = np.repeat(ends[unit] - np.cumsum(times) + times, times) + np.arange(times.sum())
    finding = np.repeat(np.arange(len(hit)), times)
    return _Part(hit["site"].to_numpy()[finding], own, hit["share"].to_numpy()[finding])


def _clauses(layer: Layer, fields: Mapping[str, str]) -> tuple[list[_Row], np.ndarray]:
    """List the clauses of all units, one a row, unit after unit, and the row at which each unit begins and the last ends."""
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
    return rows, np.array(ends)
