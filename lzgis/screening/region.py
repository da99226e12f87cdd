"""Screen sites against several cities at once: every stretch by the book and the layers of the city it lies in."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lzgis.city.region import Region
from lzgis.coordinates.plane import ellipsoidal_length_m
from lzgis.messages import Message
from lzgis.model.deferred import DeferredTable
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
from lzgis.reading import Reading, sites_from_frame, sites_of
from lzgis.rules.for_sites.base import Rows
from lzgis.rules.for_sites.hits import Floats, Geometries, Integers
from lzgis.screening.borders import settled
from lzgis.screening.city_reports import CityAnswers, CityReports
from lzgis.screening.cluster import gathered, submitted
from lzgis.screening.merged import Merged, merged_context
from lzgis.screening.overrides import OVERRIDES_FILE, with_overrides
from lzgis.screening.parts import PartArray, PartKeys
from lzgis.screening.pieces import ONE_AT_A_TIME, Screened, joined, piece_size, pieces_of
from lzgis.screening.region_setting import RegionReference, RegionSetting, knows, region_setting_from
from lzgis.screening.report import shift_problems
from lzgis.screening.run import RunOptions, assembled, checked
from lzgis.screening.stretches import NO_CITY, Borders, Division, stretches_of
from lzgis.screening.subjects import fact_problems, refuse_unknown_activities, unknown_activities

if TYPE_CHECKING:
    from distributed import Client

_GRAVITY = {one.value: place for place, one in enumerate(Verdict)}
_RULE_LISTS = ("prohibited", "conditional", "notices", "not_checked")


@dataclass(frozen=True, eq=False)
class CityPart:
    """The screening of the stretches in one city, or of those that lie in none and are nearest to it.

    Attributes
    ----------
    name, book_of : str
        The city, empty if none; the city whose rules apply.
    rows : array of int
        Positions of the stretches in the division.
    result : Screened
        The answers, by the ids of that city; its sites are the stretches.
    origin : array of str
        The city whose feature each finding names.
    """

    name: str
    book_of: str
    rows: Integers
    result: Screened
    origin: np.ndarray


@dataclass(frozen=True, eq=False)
class RegionScreened:
    """Sites screened in a region, before the answers of the cities are joined.

    Attributes
    ----------
    sites : GeoDataFrame
        The whole sites.
    division : Division
        How they are divided.
    borders : Borders
        What was met at the borders of the cities.
    parts : tuple of CityPart
        The answers, in the order of the cities; of one city those inside it come first.
    problems : tuple of Problem
        Problems of these sites.
    """

    sites: gpd.GeoDataFrame
    division: Division
    borders: Borders
    parts: tuple[CityPart, ...]
    problems: tuple[Problem, ...]

    @property
    def verdicts(self) -> np.ndarray:
        """The gravest verdict of the stretches of each site."""
        gravity = np.full(len(self.sites), len(_GRAVITY))
        for part in self.parts:
            own = part.result.verdicts["verdict"].map(_GRAVITY).to_numpy(dtype=np.intp)
            np.minimum.at(gravity, self.division.site[part.rows], own)
        names = np.array([*_GRAVITY, ""], dtype=object)
        gravest: np.ndarray = names[gravity]
        return gravest


def screen_region(sites: SiteTable | Reading | gpd.GeoDataFrame, region: Region, options: RunOptions) -> Report:
    """Check sites against the rules of the cities that they lie in; one verdict per site, the gravest.

    Parameters
    ----------
    sites : SiteTable, Reading or GeoDataFrame
        The sites.
    region : Region
        The cities. Only those that a site lies in, and their neighbours, are loaded.
    options : RunOptions
        As for one city; decisions are those of the folder of the region if none are given.

    Returns
    -------
    Report
        Findings have a column ``city``; `stretches` and `city_rules` say what lies where.

    Raises
    ------
    SourceError
        If the sites or a layer cannot be read, or no city knows an activity and the sites have ``activities="refused"``.
    ConfigError, LayerError
        If the folder of a city is not valid.
    """
    setting, client = RegionSetting(region, options.day, progress=options.progress), options.client
    table = _site_table(sites, setting)
    answers = screen_in_region(table, setting) if client is None else _screen_on_cluster(client, table, setting)
    merged = merged_of(setting, answers.division.book, table, options.made_at)
    report = region_report(answers, setting, table, merged)
    return with_own_overrides(report, region, options.overrides)


def with_own_overrides(report: Report, region: Region, overrides: str | Path | None) -> Report:
    """Add the decisions of a file, or of the folder of a region; name the cities whose own decisions are not used."""
    own = region.root / OVERRIDES_FILE
    has_own = region.described and own.is_file()
    chosen = overrides if overrides is not None else own if has_own else None
    if chosen is not None:
        report = with_overrides(report, chosen)
    used = None if chosen is None else Path(chosen).resolve()
    left = [
        name
        for name, city in region.cities.items()
        if (file := city.root / OVERRIDES_FILE).is_file() and file.resolve() != used
    ]
    if not left:
        return report
    what = Message("decisions in the folders of cities are not used: {names}", names="、".join(left))
    remedy = Message(
        "copy them to {file} in the folder of the region, or name a file with --overrides", file=OVERRIDES_FILE
    )
    return replace(report, problems=(*report.problems, Problem("warning", region.name, what, remedy)))


def _site_table(sites: SiteTable | Reading | gpd.GeoDataFrame, setting: RegionSetting) -> SiteTable:
    if isinstance(sites, SiteTable):
        return sites
    near = setting.outline
    return sites_of(sites, near=near) if isinstance(sites, Reading) else sites_from_frame(sites, near=near)


class _Piece(NamedTuple):
    sites: SiteTable
    setting: RegionReference


def _screen_on_cluster(client: Client, sites: SiteTable, setting: RegionSetting) -> RegionScreened:
    reference = setting.reference()
    pieces = [_Piece(piece, reference) for piece in pieces_of(sites, piece_size(client, len(sites.frame)))]
    step = partial(setting.progress, "sites") if setting.progress else None
    futures = submitted(client, _screen_piece, pieces, name="lzgis-screen")
    return joined_in_region(gathered(client, futures, step=step), setting)


def _screen_piece(piece: _Piece) -> RegionScreened:
    with ONE_AT_A_TIME:
        return screen_in_region(piece.sites, region_setting_from(piece.setting))


def screen_in_region(sites: SiteTable, setting: RegionSetting) -> RegionScreened:
    """Check sites against the rules of the cities that they lie in. The answers of a site depend on no other site.

    Raises
    ------
    SourceError
        If no city knows an activity and ``sites.activities`` is ``refused``.
    """
    problems = _unknown_activities(sites, setting)
    stretches = stretches_of(sites.frame.geometry.to_numpy(), setting.region)
    division = Division(stretches.site, stretches.city, stretches.book, stretches.size)
    parts = []
    for at in np.unique(division.book):
        for city in (at, NO_CITY):
            rows = np.flatnonzero((division.book == at) & (division.city == city))
            if len(rows):
                frame = sites.frame.iloc[division.site[rows]].reset_index(drop=True)
                frame = frame.set_geometry(gpd.GeoSeries(stretches.geometry[rows], crs=sites.frame.crs))
                part, unknown = _screened(replace(sites, frame=frame, problems=()), rows, (int(at), int(city)), setting)
                parts.append(part)
                problems += unknown
    every = tuple(dict.fromkeys((*sites.problems, *problems)))
    return RegionScreened(sites.frame, division, stretches.borders, tuple(parts), every)


def _screened(
    here: SiteTable, rows: Integers, of: tuple[int, int], region: RegionSetting
) -> tuple[CityPart, tuple[Problem, ...]]:
    at, city = of
    name, setting = region.names[at], region.among_neighbours(at)
    here, unknown = _with_known_activities(here, name, region, at)
    present = region.region.spec.layer
    done, origin = settled(checked(here, setting, present=present, progress=region.progress), setting)
    result = assembled(done, here, setting)
    of_neighbours = np.where(origin == "", name, origin)
    problems = (*unknown, *fact_problems(done.subjects.table, setting.book))
    return CityPart(name if city != NO_CITY else "", name, rows, result, of_neighbours), problems


def _unknown_activities(sites: SiteTable, setting: RegionSetting) -> tuple[Problem, ...]:
    """Warn of activities that no city knows, or refuse them."""
    given = sites.frame["activity"]
    strange = [one for one in given.unique() if one and not setting.knows(one)]
    if not strange:
        return ()
    if sites.activities == "refused":
        refuse_unknown_in_region(sites, setting)
    return unknown_activities(replace(sites, frame=sites.frame[given.isin(strange)]), next(iter(setting.books())))


def refuse_unknown_in_region(sites: SiteTable, setting: RegionSetting, *, first_row: int = 1) -> None:
    """Refuse sites with an activity that no city knows.

    Raises
    ------
    SourceError
        If there is one; the error names its row, counted from `first_row`.
    """
    given = sites.frame["activity"]
    for one in given.unique():
        if one and not setting.knows(one):
            row = int(np.flatnonzero(given == one)[0])
            here = replace(sites, frame=sites.frame.iloc[[row]])
            refuse_unknown_activities(here, next(iter(setting.books())), first_row=first_row + row)


def _with_known_activities(
    sites: SiteTable, name: str, region: RegionSetting, at: int
) -> tuple[SiteTable, tuple[Problem, ...]]:
    """Leave out activities that only the books of other cities know: what depends on them is 未核查 here."""
    book, given = region.city(at).book, sites.frame["activity"]
    elsewhere = [one for one in given.unique() if one and not knows(book, one) and region.knows(one)]
    if not elsewhere:
        return sites, ()
    remedy = Message("rules that depend on the activity are not checked there; add it to the book")
    problems = tuple(
        Problem("warning", name, Message("the rule book does not know the activity: {names}", names=one), remedy)
        for one in elsewhere
    )
    return replace(sites, frame=sites.frame.assign(activity=given.where(~given.isin(elsewhere), ""))), problems


def joined_in_region(pieces: Sequence[RegionScreened], setting: RegionSetting) -> RegionScreened:
    """Join the answers of consecutive pieces, as if all sites had been screened at once."""
    if len(pieces) == 1:
        return pieces[0]
    sites_before = np.cumsum([0, *(len(one.sites) for one in pieces)])
    rows_before = np.cumsum([0, *(len(one.division.site) for one in pieces)])
    division = Division(
        np.concatenate([one.division.site + before for one, before in zip(pieces, sites_before[:-1], strict=True)]),
        *(np.concatenate([getattr(one.division, key) for one in pieces]) for key in ("city", "book", "size")),
    )
    groups: dict[tuple[str, str], list[tuple[int, CityPart]]] = {}
    for one, before in zip(pieces, rows_before[:-1], strict=True):
        for part in one.parts:
            groups.setdefault((part.book_of, part.name), []).append((int(before), part))
    order = sorted(groups, key=lambda key: (setting.names.index(key[0]), key[1] == ""))
    parts = tuple(_joined_part(groups[key], setting) for key in order)
    return RegionScreened(
        gpd.GeoDataFrame(pd.concat([one.sites for one in pieces], ignore_index=True), crs=pieces[0].sites.crs),
        division,
        sum((one.borders for one in pieces), Borders()),
        parts,
        tuple(dict.fromkeys(problem for one in pieces for problem in one.problems)),
    )


def _joined_part(group: list[tuple[int, CityPart]], setting: RegionSetting) -> CityPart:
    first = group[0][1]
    divisions = setting.region.cities[first.book_of].city.divisions
    return replace(
        first,
        rows=np.concatenate([part.rows + before for before, part in group]),
        result=joined([part.result for _, part in group], divisions),
        origin=np.concatenate([part.origin for _, part in group]),
    )


def merged_of(setting: RegionSetting, books: Integers, table: SiteTable, made_at: dt.datetime | None) -> Merged:
    """Join what the cities say into what a report says of all of them; `books` are the cities that sites are checked by."""
    return merged_context(setting.region, setting.used(np.unique(books)), table, setting.day, made_at)


def region_report(answers: RegionScreened, setting: RegionSetting, table: SiteTable, merged: Merged) -> Report:
    """Make the report of a screening in a region; `table` gives the vertices in which a shift may be seen."""
    division, parts, region = answers.division, list(answers.parts), setting.region
    whole = _whole_sizes(answers.sites, region)
    findings, old = _findings(parts, division, merged, whole, answers.sites)
    activity = _first(parts, division, "activity", len(answers.sites))
    given = answers.sites["activity"].to_numpy(dtype=object)
    sites = answers.sites.assign(activity=np.where(activity == "", given, activity))
    own = shift_problems(table, merged.context["layers"])
    borders = answers.borders.problems(region)
    of_cities = tuple(
        CityAnswers(part.name, part.result, part.origin, place)
        for part, place in zip(parts, old, strict=True)
        if part.name
    )
    problems = (*answers.problems, *borders, *own, *merged.context["problems"])
    return Report(
        **{**merged.context, "problems": problems},
        sites=sites,
        findings=findings,
        verdicts=_verdicts(parts, division, merged, whole, answers.sites),
        listed=DeferredTable(partial(merged.unit_lists, [(part.book_of, part.result.findings) for part in parts])),
        divided=DeferredTable(partial(_breakdown, parts, old, merged)),
        stretches=_stretch_table(parts, division, whole, merged),
        city_rules=_city_rules(findings, whole, answers.sites, region),
        of_cities=CityReports(of_cities, setting, table, merged.context["provenance"].made_at),
    )


def _whole_sizes(sites: gpd.GeoDataFrame, region: Region) -> Floats:
    """Return the area (m²) or geodesic length (m) of each whole site; NaN for points and sites without a shape."""
    geometry = sites.geometry.to_numpy()
    dimension = shapely.get_dimensions(geometry)
    size = np.full(len(geometry), np.nan)
    areal, linear = np.flatnonzero(dimension == 2), np.flatnonzero(dimension == 1)
    size[areal] = shapely.area(region.plane.project(geometry[areal]))
    size[linear] = ellipsoidal_length_m(geometry[linear])
    return size


def _findings(
    parts: list[CityPart], stretches: Division, merged: Merged, whole: Floats, sites: gpd.GeoDataFrame
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
    found = gpd.GeoDataFrame(joined[names], geometry=geometry, crs=sites.crs)
    return found, [new[a:b] for a, b in itertools.pairwise(ends)]


def _built(made: list[PartArray], ends: Integers, keys: PartKeys) -> Geometries:
    """Build the parts of findings, each by the city that found them; `keys.rule` holds positions among all of them."""
    found = np.full(len(keys.rule), None, dtype=object)
    for at, array in enumerate(made):
        which = np.flatnonzero((keys.rule >= ends[at]) & (keys.rule < ends[at + 1]))
        if len(which):
            found[which] = np.asarray(array[keys.rule[which] - ends[at]]._data, dtype=object)
    return found


def _renamed(frame: pd.DataFrame, part: CityPart, merged: Merged) -> pd.DataFrame:
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


def _first(parts: list[CityPart], stretches: Division, column: str, n: int) -> np.ndarray:
    found = np.full(n, "", dtype=object)
    for part in reversed(parts):
        values = part.result.sites[column].to_numpy(dtype=object)
        given = values != ""
        found[stretches.site[part.rows[given]]] = values[given]
    return found


def _verdicts(
    parts: list[CityPart], stretches: Division, merged: Merged, whole: Floats, sites: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Join the verdicts of the stretches of each site: the gravest, and the rules of all."""
    rows: list[list[tuple[CityPart, dict[str, Any]]]] = [[] for _ in range(len(sites))]
    for part in parts:
        records = part.result.verdicts.to_dict("records")
        for stretch, one in zip(part.rows, records, strict=True):
            rows[stretches.site[stretch]].append((part, one))
    dimension = shapely.get_dimensions(sites.geometry.to_numpy())
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


def _with_merged_rules(part: CityPart, one: dict[str, Any], merged: Merged) -> dict[str, Any]:
    named = {name: tuple(merged.rule(part.book_of, rule) for rule in one[name]) for name in _RULE_LISTS}
    return {**one, **named, "nearest_rule": merged.rule(part.book_of, str(one["nearest_rule"]))}


def _breakdown(parts: list[CityPart], new: list[Integers], merged: Merged) -> pd.DataFrame:
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


def _stretch_table(parts: list[CityPart], stretches: Division, whole: Floats, merged: Merged) -> pd.DataFrame:
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


def _city_rules(findings: gpd.GeoDataFrame, whole: Floats, sites: gpd.GeoDataFrame, region: Region) -> pd.DataFrame:
    """Sum the findings by city, rule and state; parts of one site under one rule that overlap count once."""
    position = pd.Index(sites["id"]).get_indexer(findings["site_id"])
    dimension = shapely.get_dimensions(sites.geometry.to_numpy())[position]
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
