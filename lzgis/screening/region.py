"""Screen sites against several cities at once: every stretch by the book and the layers of the city it lies in."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lzgis.city.provenance import date_of
from lzgis.city.region import Region
from lzgis.coordinates.plane import ellipsoidal_length_m
from lzgis.messages import Message
from lzgis.model.report import (
    CITY_COLUMN,
    CITY_RULE_COLUMNS,
    FINDING_COLUMNS,
    HIT_STATES,
    STRETCH_COLUMNS,
    VERDICT_COLUMNS,
    Problem,
    Report,
    SiteTable,
    State,
    Verdict,
)
from lzgis.model.rules import RuleBook
from lzgis.reading import Reading, sites_from_frame, sites_of
from lzgis.rules.book import activity_of
from lzgis.rules.for_sites.base import Rows
from lzgis.rules.for_sites.hits import Floats, Geometries, Integers
from lzgis.screening.borders import settled, with_neighbours
from lzgis.screening.check import Progress
from lzgis.screening.merged import Merged, merged_context
from lzgis.screening.parts import PartArray, PartKeys
from lzgis.screening.pieces import Screened
from lzgis.screening.report import shift_problems
from lzgis.screening.run import assembled, checked
from lzgis.screening.setting import Common, Setting, setting_of
from lzgis.screening.stretches import NO_CITY, Stretches, stretches_of

_GRAVITY = {one.value: place for place, one in enumerate(Verdict)}
_RULE_LISTS = ("prohibited", "conditional", "notices", "not_checked")


@dataclass(frozen=True, eq=False)
class _Part:
    """The screening of the stretches in one city, or of those that lie in none and are nearest to it."""

    name: str
    book_of: str
    rows: Integers
    result: Screened
    origin: np.ndarray
    problems: tuple[Problem, ...]


def screen_region(
    sites: SiteTable | Reading | gpd.GeoDataFrame,
    region: Region,
    *,
    as_of: dt.date | str | None = None,
    made_at: dt.datetime | None = None,
    progress: Progress | None = None,
) -> Report:
    """Check sites against the rules of the cities that they lie in; one verdict per site, the gravest.

    Parameters
    ----------
    sites : SiteTable, Reading or GeoDataFrame
        The sites.
    region : Region
        The cities. Only those that a site lies in, and their neighbours, are loaded.
    as_of, made_at, progress
        As for :func:`lzgis.screening.screen.screen`.

    Returns
    -------
    Report
        Findings have a column ``city``; `stretches` and `city_rules` say what lies where.

    Raises
    ------
    SourceError
        If the sites or a layer cannot be read, or an activity is not in the vocabulary of the city.
    ConfigError, LayerError
        If the folder of a city is not valid.
    """
    day = date_of(as_of)
    table = _site_table(sites, region)
    geometry = table.frame.geometry.to_numpy()
    stretches = stretches_of(geometry, region)
    settings = _settings(region, stretches, day, progress)
    parts = [
        _screened(table, stretches, (at, city), settings, region, progress)
        for at in range(len(region.cities))
        for city in (at, NO_CITY)
        if ((stretches.book == at) & (stretches.city == city)).any()
    ]
    merged = merged_context(region, settings, table, day, made_at)
    return _report(table, stretches, parts, merged, region)


def _site_table(sites: SiteTable | Reading | gpd.GeoDataFrame, region: Region) -> SiteTable:
    if isinstance(sites, SiteTable):
        return sites
    near = shapely.union_all([one.outline for one in region.cities.values()])
    return sites_of(sites, near=near) if isinstance(sites, Reading) else sites_from_frame(sites, near=near)


def _settings(region: Region, stretches: Stretches, day: dt.date, progress: Progress | None) -> dict[str, Setting]:
    """Load the cities that stretches are screened by, and the neighbours within the reach of their rules."""
    common = Common(region.book, {name: region.load(name) for name in region.spec.layer})
    names = list(region.cities)

    def load(at: int) -> Setting:
        return setting_of(region.cities[names[at]], day, common=common, progress=progress)

    found = {int(at): load(int(at)) for at in np.unique(stretches.book)}
    reach_m = max(rule.reach_m for setting in found.values() for rule in setting.book.rules)
    near = np.zeros(len(names), dtype=bool)
    for at in found:
        near |= shapely.dwithin(region.outlines, region.outlines[at], reach_m + region.spec.region.tolerance_m)
    found |= {int(at): load(int(at)) for at in np.flatnonzero(near) if at not in found}
    return {names[at]: found[at] for at in sorted(found)}


def _screened(
    table: SiteTable,
    stretches: Stretches,
    of: tuple[int, int],
    settings: Mapping[str, Setting],
    region: Region,
    progress: Progress | None,
) -> _Part:
    at, city = of
    name = list(region.cities)[at]
    rows = np.flatnonzero((stretches.book == at) & (stretches.city == city))
    frame = table.frame.iloc[stretches.site[rows]].reset_index(drop=True)
    frame = frame.set_geometry(gpd.GeoSeries(stretches.geometry[rows], crs=table.frame.crs))
    setting = with_neighbours(name, settings, region)
    frame, unknown = _with_known_activities(frame, name, settings)
    here = replace(table, frame=frame, problems=())
    done, origin = settled(checked(here, setting, present=region.spec.layer, progress=progress), setting)
    result = assembled(done, here, setting)
    of_neighbours = np.where(origin == "", name, origin)
    return _Part(name if city != NO_CITY else "", name, rows, result, of_neighbours, unknown)


def _with_known_activities(
    frame: gpd.GeoDataFrame, name: str, settings: Mapping[str, Setting]
) -> tuple[gpd.GeoDataFrame, tuple[Problem, ...]]:
    """Leave out activities that only the books of other cities know: what depends on them is 未核查 here."""
    elsewhere = [
        one
        for one in frame["activity"].unique()
        if one
        and not _knows(settings[name].book, one)
        and any(_knows(setting.book, one) for setting in settings.values())
    ]
    if not elsewhere:
        return frame, ()
    what = Message("the rule book does not know the activity: {names}", names="、".join(elsewhere))
    remedy = Message("rules that depend on the activity are not checked there; add it to the book")
    known = frame["activity"].where(~frame["activity"].isin(elsewhere), "")
    return frame.assign(activity=known), (Problem("warning", name, what, remedy),)


def _knows(book: RuleBook, activity: str) -> bool:
    try:
        activity_of(book, activity)
    except KeyError:
        return False
    return True


def _report(table: SiteTable, stretches: Stretches, parts: list[_Part], merged: Merged, region: Region) -> Report:
    whole = _whole_sizes(table, region)
    findings, old = _findings(parts, stretches, merged, whole, table)
    verdicts = _verdicts(parts, stretches, merged, whole, table)
    activity = _first(parts, stretches, "activity", len(table.frame))
    sites = table.frame.assign(activity=activity)
    breakdown = _breakdown(parts, old, merged)
    own = shift_problems(table, merged.context["layers"])
    unknown = [problem for part in parts for problem in part.problems]
    problems = (*table.problems, *stretches.problems, *unknown, *own, *merged.context["problems"])
    return Report(
        **{**merged.context, "problems": problems},
        sites=sites,
        findings=findings,
        verdicts=verdicts,
        unit_lists=merged.unit_lists([(part.book_of, part.result.findings) for part in parts]),
        breakdown=breakdown,
        stretches=_stretch_table(parts, stretches, whole, table, merged),
        city_rules=_city_rules(findings, whole, table, region),
    )


def _whole_sizes(table: SiteTable, region: Region) -> Floats:
    """Return the area (m²) or geodesic length (m) of each whole site; NaN for points and sites without a shape."""
    geometry = table.frame.geometry.to_numpy()
    dimension = shapely.get_dimensions(geometry)
    size = np.full(len(geometry), np.nan)
    areal, linear = np.flatnonzero(dimension == 2), np.flatnonzero(dimension == 1)
    size[areal] = shapely.area(region.plane.project(geometry[areal]))
    size[linear] = ellipsoidal_length_m(geometry[linear])
    return size


def _findings(
    parts: list[_Part], stretches: Stretches, merged: Merged, whole: Floats, table: SiteTable
) -> tuple[gpd.GeoDataFrame, list[Integers]]:
    """Join the findings, in the order of the sites and then of the cities; return also the new positions of each part's."""
    frames, site, made = [], [], []
    for part in parts:
        one = part.result.findings
        frame = pd.DataFrame(one.drop(columns=one.geometry.name))
        at = pd.Index(part.result.sites["id"]).get_indexer(frame["site_id"])
        stretch = part.rows[at]
        site.append(stretches.site[stretch])
        frames.append(_renamed(frame, part, merged).assign(**{CITY_COLUMN.name: part.name}))
        size = np.where(np.isnan(frame["area_m2"]), frame["length_m"], frame["area_m2"]).astype(float)
        own = stretches.size[stretch] / whole[site[-1]]
        alone = np.bincount(stretches.site, minlength=len(whole))[site[-1]] == 1
        share = np.where(np.isnan(frame["share"]), np.nan, np.minimum(size / whole[site[-1]], 1.0))
        frames[-1]["share"] = np.where(alone, frame["share"], share)
        part_of = np.where(alone | np.isnan(own), 1.0, np.minimum(own, 1.0))
        frames[-1]["unchecked_share"] = frame["unchecked_share"] * part_of
        made.append(one.geometry.array)
    owner = np.concatenate(site)
    order = np.argsort(owner, kind="stable")
    joined = pd.concat(frames, ignore_index=True).iloc[order].reset_index(drop=True)
    new = np.empty(len(order), dtype=np.intp)
    new[order] = np.arange(len(order))
    ends = np.cumsum([0, *(len(one) for one in frames)])
    keys = PartKeys(order, Rows(order, order, np.full(len(order), "", object), np.full(len(order), "", object)))
    geometry = PartArray(partial(_built, made, ends), keys)
    names = [*(c.name for c in FINDING_COLUMNS), CITY_COLUMN.name]
    found = gpd.GeoDataFrame(joined[names], geometry=geometry, crs=table.frame.crs)
    return found, [new[a:b] for a, b in itertools.pairwise(ends)]


def _built(made: list[PartArray], ends: Integers, keys: PartKeys) -> Geometries:
    """Build the parts of findings, each by the city that found them; `keys.rule` holds positions among all of them."""
    found = np.full(len(keys.rule), None, dtype=object)
    for at, array in enumerate(made):
        which = np.flatnonzero((keys.rule >= ends[at]) & (keys.rule < ends[at + 1]))
        if len(which):
            found[which] = np.asarray(array[keys.rule[which] - ends[at]]._data, dtype=object)
    return found


def _renamed(frame: pd.DataFrame, part: _Part, merged: Merged) -> pd.DataFrame:
    """Give rules, layers and features the ids that they have in the report of the region."""
    rules = frame["rule"].map(lambda one: merged.rule(part.book_of, one))
    named = [
        merged.feature(origin, layer, feature)
        for origin, layer, feature in zip(part.origin, frame["layer"], frame["feature_id"], strict=True)
    ]
    return frame.assign(
        rule=rules.astype(str),
        layer=pd.Series([one for one, _ in named], dtype=object).astype(str),
        feature_id=pd.Series([one for _, one in named], dtype=object).astype(str),
    )


def _first(parts: list[_Part], stretches: Stretches, column: str, n: int) -> np.ndarray:
    found = np.full(n, "", dtype=object)
    for part in reversed(parts):
        values = part.result.sites[column].to_numpy(dtype=object)
        given = values != ""
        found[stretches.site[part.rows[given]]] = values[given]
    return found


def _verdicts(
    parts: list[_Part], stretches: Stretches, merged: Merged, whole: Floats, table: SiteTable
) -> pd.DataFrame:
    """Join the verdicts of the stretches of each site: the gravest, and the rules of all."""
    rows: list[list[tuple[_Part, dict[str, Any]]]] = [[] for _ in range(len(table.frame))]
    for part in parts:
        records = part.result.verdicts.to_dict("records")
        for stretch, one in zip(part.rows, records, strict=True):
            rows[stretches.site[stretch]].append((part, one))
    dimension = shapely.get_dimensions(table.frame.geometry.to_numpy())
    made = []
    for at, of_site in enumerate(rows):
        if len(of_site) == 1:
            made.append(_with_merged_rules(*of_site[0], merged))
            continue
        named = [_with_merged_rules(part, one, merged) for part, one in of_site]
        joined = dict(named[0])
        joined["verdict"] = min((str(one["verdict"]) for one in named), key=_GRAVITY.__getitem__)
        joined["site_area_m2"] = whole[at] if dimension[at] == 2 else np.nan
        joined["site_length_m"] = whole[at] if dimension[at] == 1 else np.nan
        for name in _RULE_LISTS:
            joined[name] = tuple(dict.fromkeys(rule for one in named for rule in one[name]))
        joined["not_applicable"] = sum(int(one["not_applicable"]) for one in named)
        nearest = min(named, key=lambda one: np.inf if np.isnan(one["nearest_m"]) else one["nearest_m"])
        joined |= {name: nearest[name] for name in ("nearest_rule", "nearest_m")}
        steps = max(len(one["ladder"]) for one in named)
        joined["ladder"] = tuple(
            min((one["ladder"][step] for one in named if step < len(one["ladder"])), key=_GRAVITY.__getitem__)
            for step in range(steps)
        )
        made.append(joined)
    return pd.DataFrame(made, columns=[c.name for c in VERDICT_COLUMNS])


def _with_merged_rules(part: _Part, one: dict[str, Any], merged: Merged) -> dict[str, Any]:
    named = {name: tuple(merged.rule(part.book_of, rule) for rule in one[name]) for name in _RULE_LISTS}
    return {**one, **named, "nearest_rule": merged.rule(part.book_of, str(one["nearest_rule"]))}


def _breakdown(parts: list[_Part], new: list[Integers], merged: Merged) -> pd.DataFrame:
    frames = []
    for part, place in zip(parts, new, strict=True):
        one = part.result.breakdown
        if len(one):
            at = one["finding"].to_numpy(dtype=np.intp)
            rules = one["rule"].map(lambda rule, city=part.book_of: merged.rule(city, rule))
            frames.append(one.assign(finding=place[at], rule=rules))
    if not frames:
        return parts[0].result.breakdown
    joined = pd.concat(frames, ignore_index=True)
    levels = list(merged.context["city"].divisions)
    rank = joined["level"].map({level: at for at, level in enumerate(levels)}).to_numpy(dtype=float)
    return joined.iloc[np.lexsort((joined["finding"], rank))].reset_index(drop=True)


def _stretch_table(
    parts: list[_Part], stretches: Stretches, whole: Floats, table: SiteTable, merged: Merged
) -> pd.DataFrame:
    frames = []
    for part in parts:
        site = stretches.site[part.rows]
        one = part.result.verdicts
        size = np.where(np.isnan(one["site_area_m2"]), one["site_length_m"], one["site_area_m2"])
        book = merged.books[part.book_of]
        frames.append(
            pd.DataFrame(
                {
                    "site": site,
                    "site_id": one["site_id"],
                    "city": part.name,
                    "verdict": one["verdict"],
                    "area_m2": one["site_area_m2"],
                    "length_m": one["site_length_m"],
                    "share": np.where(np.isnan(size), np.nan, np.minimum(size / whole[site], 1.0)),
                    "rule_book": book.name,
                    "rule_book_version": book.version,
                }
            )
        )
    joined = pd.concat(frames, ignore_index=True)
    order = np.argsort(joined["site"].to_numpy(), kind="stable")
    return joined.iloc[order].reset_index(drop=True)[[c.name for c in STRETCH_COLUMNS]]


def _city_rules(findings: gpd.GeoDataFrame, whole: Floats, table: SiteTable, region: Region) -> pd.DataFrame:
    """Sum the findings by city, rule and state; parts of one site under one rule that overlap count once."""
    position = pd.Index(table.frame["id"]).get_indexer(findings["site_id"])
    dimension = shapely.get_dimensions(table.frame.geometry.to_numpy())[position]
    rows: dict[tuple[str, str, str], list[float]] = {}
    shown = findings["state"].isin([*HIT_STATES, State.NOT_CHECKED])
    grouped = (
        findings[shown].assign(_at=np.flatnonzero(shown)).groupby(["city", "rule", "state", "site_id"], sort=False)
    )
    for (city, rule, state, _), group in grouped:
        at = group["_at"].to_numpy(dtype=np.intp)
        sums = rows.setdefault((city, rule, state), [0, np.nan, np.nan])
        sums[0] += 1
        kind = int(dimension[at[0]])
        if kind not in (1, 2):
            continue
        if state == State.NOT_CHECKED:
            size = float(group["unchecked_share"].max()) * float(whole[position[at[0]]])
        elif len(at) == 1:
            size = float(group["area_m2" if kind == 2 else "length_m"].iloc[0])
        else:
            size = _common_size(findings.geometry.to_numpy()[at], kind, region)
        sums[3 - kind] = float(np.nansum([sums[3 - kind], size]))
    order = {name: at for at, name in enumerate(region.cities)}
    keys = sorted(rows, key=lambda key: order.get(key[0], len(order)))
    made = [(*key, int(rows[key][0]), *rows[key][1:]) for key in keys]
    return pd.DataFrame(made, columns=[c.name for c in CITY_RULE_COLUMNS])


def _common_size(shapes: Geometries, dimension: int, region: Region) -> float:
    """Return the area (m²) or length (m) of the union of parts of a site."""
    there = [one for one in shapes if one is not None and not shapely.is_empty(one)]
    union = shapely.union_all(region.plane.project(np.array(there, dtype=object))) if there else shapely.Polygon()
    return float(shapely.area(union) if dimension == 2 else shapely.length(union))
