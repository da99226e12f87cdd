"""Run a screening: read the sites, check them against every rule of a setting, and make the report.

:func:`run_screening` does all of it. :func:`screen_table` checks one table of sites, the whole or a piece, and is what
the workers of a cluster and of a batch call.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import shapely

from lzgis.city.catalogue import Catalogue
from lzgis.coordinates.plane import Plane
from lzgis.model.deferred import DeferredTable
from lzgis.model.report import Report, SiteTable
from lzgis.reading import Reading, sites_from_frame, sites_of
from lzgis.rules.for_sites.hits import Geometries
from lzgis.screening.breakdown import breakdown
from lzgis.screening.check import Progress, Shared, check_all, part_sizes, plane_parts, unusable_rows
from lzgis.screening.cluster import gathered, submitted
from lzgis.screening.findings import findings_table
from lzgis.screening.near import known_features, near_sites, places, united
from lzgis.screening.overrides import OVERRIDES_FILE, with_overrides
from lzgis.screening.parts import PartKeys
from lzgis.screening.pieces import ONE_AT_A_TIME, Screened, in_order, joined, piece_size, pieces_of
from lzgis.screening.report import report_of
from lzgis.screening.setting import Setting, SettingReference, setting_from, setting_of
from lzgis.screening.subjects import Subjects, fact_problems, refuse_unknown_activities, subjects_of, unknown_activities
from lzgis.screening.verdicts import verdicts

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True)
class RunOptions:
    """The options of :func:`lzgis.screening.screen.screen`, with its date read."""

    day: dt.date
    made_at: dt.datetime | None = None
    progress: Progress | None = None
    overrides: str | Path | None = None
    client: Client | None = None


def run_screening(sites: SiteTable | Reading | gpd.GeoDataFrame, city: Catalogue, options: RunOptions) -> Report:
    """Do as :func:`lzgis.screening.screen.screen`, for an opened city and sites that were read or are being read."""
    progress, client = options.progress, options.client
    # Layers are loaded first: a separate process may still be reading the sites.
    setting = setting_of(city, options.day, large="window", progress=progress)
    table = _site_table(sites, setting, progress)
    if client is None:
        result, setting = screened_near(table, setting, progress)
    else:
        result = _screen_on_cluster(client, table, setting, progress=progress)
        setting = near_sites(setting, table)
    report = report_of(result, setting, table, options.made_at)
    own = city.root / OVERRIDES_FILE
    chosen = options.overrides if options.overrides is not None else own if own.is_file() else None
    return report if chosen is None else with_overrides(report, chosen)


def _site_table(
    sites: SiteTable | Reading | gpd.GeoDataFrame, setting: Setting, progress: Progress | None
) -> SiteTable:
    if isinstance(sites, SiteTable):
        return sites
    if isinstance(sites, Reading):
        # While the separate process reads, numba is imported, the loops are loaded or compiled, layers are projected and indexed.
        from lzgis.geometry import loops_begun

        with loops_begun() as finish_loops:
            _ = setting.plane_layers
            finish_loops(progress)
        return sites_of(sites, near=setting.city.outline)
    return sites_from_frame(sites, near=setting.city.outline)


def screen_table(sites: SiteTable, setting: Setting, *, progress: Progress | None = None) -> Screened:
    """Check sites against every rule. The findings of a site depend on no other site.

    Raises
    ------
    SourceError
        If an activity is not in the vocabulary and ``sites.activities`` is ``refused``.
    """
    if sites.activities == "refused":
        refuse_unknown_activities(sites, setting.book)
    setting = near_sites(setting, sites)
    return assembled(checked(sites, setting, progress=progress), sites, setting)


def screened_near(sites: SiteTable, setting: Setting, progress: Progress | None = None) -> tuple[Screened, Setting]:
    """Check sites against every rule; of the layers that are read by window, each place has its own.

    Sites that lie far apart are screened place by place, so that only what lies near those of one place is laid out at a time.
    The setting returned has all features that were read.
    """
    if not setting.by_window:
        return screen_table(sites, setting, progress=progress), setting
    if sites.activities == "refused":
        refuse_unknown_activities(sites, setting.book)
    by_place, known = places(sites), known_features(setting)
    tables = [replace(sites, frame=sites.frame.iloc[rows]) for rows in by_place]
    parts = []
    for done, (some, here) in enumerate(_read_ahead(tables, lambda table: near_sites(setting, table, known))):
        part = screen_table(some, here)
        if len(by_place) > 1:
            # What makes the breakdown holds the layers of this place, projected and indexed.
            part.divided.get()
        parts.append(part)
        if progress:
            progress("sites", done + 1, len(by_place))
    divisions = setting.city.city.divisions
    result = in_order(joined(parts, divisions), np.concatenate(by_place), divisions)
    return result, united(setting, known)


def _read_ahead(tables: list[SiteTable], read: Callable[[SiteTable], Setting]) -> Iterator[tuple[SiteTable, Setting]]:
    """Iterate over tables and what is read for each; the next one is read while one is screened."""
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(read, tables[0])
        for at, table in enumerate(tables):
            here = ahead.result()
            if at + 1 < len(tables):
                ahead = pool.submit(read, tables[at + 1])
            yield table, here


class Checked(NamedTuple):
    """The sites of a screening, what their rules share, and their findings with the positions of the parts."""

    subjects: Subjects
    shared: Shared
    findings: gpd.GeoDataFrame
    keys: PartKeys


def checked(
    sites: SiteTable, setting: Setting, *, present: Collection[str] = (), progress: Progress | None = None
) -> Checked:
    """Check sites against every rule; return the findings.

    Layers in `present` are known to be of this place, though they may have no feature in the city.
    """
    city, book, layers = setting.city, setting.book, setting.plane_layers
    everyone = np.arange(len(sites.frame))
    usable = np.flatnonzero(~shapely.is_missing(sites.frame.geometry.to_numpy()))
    subjects = subjects_of(sites, book, city, everyone)
    with_shape = subjects if len(usable) == len(everyone) else subjects_of(sites, book, city, usable)
    shared = Shared(with_shape, layers, elsewhere=dict.fromkeys(present, False))
    parts = check_all(shared, setting.day, progress=progress)
    if len(usable) < len(everyone):
        for part in parts:
            part["site"] = usable[part["site"]]
        parts += unusable_rows(subjects, np.setdiff1d(everyone, usable), layers, setting.day)
    make = partial(made_parts, shared, city.plane, usable)
    findings, keys = findings_table(parts, subjects, make)
    return Checked(subjects, shared, findings, keys)


def assembled(done: Checked, sites: SiteTable, setting: Setting) -> Screened:
    """Add verdicts and the breakdown by divisions, made when it is used, to the findings of sites."""
    layers = setting.plane_layers
    levels = {name: layers[name] for name in setting.city.city.divisions if name in layers}
    measure = partial(part_sizes, done.shared)
    return Screened(
        sites=sites.frame.assign(activity=done.subjects.activity),
        findings=done.findings,
        verdicts=verdicts(done.findings, done.subjects, setting.day),
        divided=DeferredTable(partial(breakdown, done.findings, done.keys, done.subjects.sites, measure, levels)),
        problems=(
            *sites.problems,
            *unknown_activities(sites, setting.book),
            *fact_problems(done.subjects.table, setting.book),
        ),
    )


def made_parts(shared: Shared, plane: Plane, usable: np.ndarray, keys: PartKeys) -> Geometries:
    """Build the parts of sites that findings are about, in EPSG:4490; `usable` holds the sites that were checked."""
    parts = plane_parts(shared, usable, keys)
    # A part of several findings is one object, and is projected once.
    _, first, inverse = np.unique([id(one) for one in parts], return_index=True, return_inverse=True)
    return np.asarray(plane.unproject(parts[first]), dtype=object)[inverse]


class _Piece(NamedTuple):
    """What a worker needs to screen some of the sites."""

    sites: SiteTable
    setting: SettingReference


def _screen_on_cluster(
    client: Client, sites: SiteTable, setting: Setting, *, progress: Progress | None = None
) -> Screened:
    """Cut a table of sites into pieces, let the workers of a cluster screen them, and join the results."""
    reference = setting.reference()
    pieces = [_Piece(piece, reference) for piece in pieces_of(sites, piece_size(client, len(sites.frame)))]
    step = partial(progress, "sites") if progress else None
    futures = submitted(client, _screen_piece, pieces, name="lzgis-screen")
    return joined(gathered(client, futures, step=step), setting.city.city.divisions)


def _screen_piece(piece: _Piece) -> Screened:
    # One at a time in each process: the compiled loops use all cores, and prepared geometries of GEOS belong to one thread.
    with ONE_AT_A_TIME:
        return screen_table(piece.sites, setting_from(piece.setting))
