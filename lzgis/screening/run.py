"""From sites and the setting they are held against to the report: every rule in force, each answer with its proof of coverage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lzgis.city.catalogue import Catalogue
from lzgis.config import nearest
from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import FINDING_COLUMNS, Reason, Report, SiteTable
from lzgis.model.rules import RuleBook
from lzgis.reading import Reading, sites_from_frame, sites_of
from lzgis.rules.book import activity_of
from lzgis.rules.for_sites.hits import not_checked
from lzgis.rules.for_sites.plane import PlaneLayer, PlaneSites
from lzgis.screening.breakdown import breakdown
from lzgis.screening.check import Progress, check_all
from lzgis.screening.cluster import gathered, submitted
from lzgis.screening.findings import PER_RULE, Columns, Subjects, finding_rows
from lzgis.screening.overrides import OVERRIDES_FILE, with_overrides
from lzgis.screening.pieces import ONE_AT_A_TIME, Screened, joined, pieces_of
from lzgis.screening.setting import Setting, SettingReference, setting_from, setting_of
from lzgis.screening.verdicts import verdicts

if TYPE_CHECKING:
    from distributed import Client
from lzgis.city.plane_layers import in_plane
from lzgis.city.provenance import date_of
from lzgis.screening.report import report_of

#: Sites in a piece for a worker: fewer are not worth the way, more keep the others waiting at the end.
_LEAST_PIECE, _MOST_PIECE = 100, 5000


def screened(  # noqa: PLR0913 (what a screening may be given)
    sites: SiteTable | Reading | gpd.GeoDataFrame,
    city: Catalogue,
    *,
    as_of: dt.date | str | None = None,
    made_at: dt.datetime | None = None,
    progress: Progress | None = None,
    overrides: str | Path | None = None,
    client: Client | None = None,
) -> Report:
    """Do as :func:`lzgis.screening.screen.screen`, for sites that are being read, or were, and a city that was opened."""
    # What is read in a process apart is waited for last: the layers are made ready in the meantime.
    setting = setting_of(city, date_of(as_of), progress=progress)
    table = _table_of(sites, setting)
    answer = screen_table if client is None else partial(_answers_on, client)
    answers = answer(table, setting, progress=progress)
    report = report_of(answers, setting, table, made_at)
    own = city.root / OVERRIDES_FILE
    chosen = overrides if overrides is not None else own if own.is_file() else None
    return report if chosen is None else with_overrides(report, chosen)


def _table_of(sites: SiteTable | Reading | gpd.GeoDataFrame, setting: Setting) -> SiteTable:
    if isinstance(sites, SiteTable):
        return sites
    if isinstance(sites, Reading):
        for name in setting.loaded:
            setting.placed(name, in_plane)
        return sites_of(sites, near=setting.city.outline)
    return sites_from_frame(sites, near=setting.city.outline)


def screen_table(sites: SiteTable, setting: Setting, *, progress: Progress | None = None) -> Screened:
    """Check sites against every rule; what is found for a site depends on no other site.

    Raises
    ------
    SourceError
        If an activity is not in the vocabulary.
    """
    city, book = setting.city, setting.book
    usable = np.flatnonzero(~shapely.is_missing(sites.frame.geometry.to_numpy()))
    everyone = subjects_of(sites, book, city, np.arange(len(sites.frame)))
    subjects = everyone if len(usable) == len(sites.frame) else subjects_of(sites, book, city, usable)
    plane_layers = {name: setting.placed(name, in_plane) for name in setting.loaded}
    parts = check_all(subjects, plane_layers, setting.day, progress=progress)
    if len(usable) < len(sites.frame):
        parts += unusable_rows(everyone, np.setdiff1d(np.arange(len(sites.frame)), usable), plane_layers, setting.day)
    findings, shapes = _findings_frame(parts, everyone, city)
    return Screened(
        sites=sites.frame.assign(activity=everyone.activity),
        findings=findings,
        verdicts=verdicts(findings, everyone),
        breakdown=breakdown(findings, shapes, plane_layers, city.city.divisions),
        problems=sites.problems,
    )


class _Piece(NamedTuple):
    """What a worker needs to screen a part of the sites."""

    sites: SiteTable
    told: SettingReference


def _answers_on(client: Client, sites: SiteTable, setting: Setting, *, progress: Progress | None = None) -> Screened:
    """Let the workers of a cluster screen a table of sites piece by piece."""
    threads = max(1, sum(client.nthreads().values()))
    size = min(max(-(-len(sites.frame) // (4 * threads)), _LEAST_PIECE), _MOST_PIECE)
    told = setting.reference()
    pieces = [_Piece(piece, told) for piece in pieces_of(sites, size)]
    step = partial(progress, "sites") if progress else None
    futures = submitted(client, _piece_answers, pieces, name="lzgis-screen")
    return joined(gathered(client, futures, step=step), setting.city.city.divisions)


def _piece_answers(piece: _Piece) -> Screened:
    # One at a time in each process: the compiled loops use all cores, and GEOS' prepared shapes are of one thread.
    with ONE_AT_A_TIME:
        return screen_table(piece.sites, setting_from(piece.told))


def subjects_of(sites: SiteTable, book: RuleBook, city: Catalogue, which: np.ndarray) -> Subjects:
    """Choose sites and bring them to the plane of the city, their activities to ids of the vocabulary.

    Raises
    ------
    SourceError
        If an activity is not in the vocabulary.
    """
    frame = sites.frame.iloc[which]
    known: dict[str, str] = {"": ""}
    for row, given in zip(which, frame["activity"], strict=True):
        if given in known:
            continue
        try:
            known[given] = activity_of(book, given)
        except KeyError:
            titles = [a.title for a in book.activities.values()]
            near = nearest(given, titles)
            allowed = (
                near
                if near.startswith("allowed")
                else Message("{near} allowed: {names}", near=near, names="、".join(titles))
            )
            place = Message(
                "{name}, row {value} (site '{value2}'), activity",
                name=sites.source.name,
                value=row + 1,
                value2=frame["id"].iloc[list(which).index(row)],
            )
            raise SourceError(place, Message("'{given}' is not in the vocabulary", given=given), allowed) from None
    activity = np.array([known[a] for a in frame["activity"]], dtype=object)
    geometry = city.plane.project(frame.geometry.to_numpy())
    return Subjects(frame.reset_index(drop=True), activity, PlaneSites(geometry), book)


def unusable_rows(
    everyone: Subjects, which: np.ndarray, layers: Mapping[str, PlaneLayer], day: dt.date
) -> list[Columns]:
    """Make every rule 未核查 for the sites that cannot be used: one bad site stops no other."""
    return [
        finding_rows(not_checked(which, rule, Reason.GEOMETRY_UNUSABLE, 1.0), rule, everyone, layers, day)
        for rule in everyone.book.rules
    ]


def _findings_frame(parts: list[Columns], everyone: Subjects, city: Catalogue) -> tuple[gpd.GeoDataFrame, np.ndarray]:
    """Put the rows of all rules together, site by site in the order of the sites, rules in the order of the book.

    Returns the findings, and their shapes in the plane.
    """
    size = [len(part["site_id"]) for part in parts]
    rule = np.repeat(np.arange(len(parts)), size)
    code = pd.Index(everyone.names["id"]).get_indexer(np.concatenate([part["site_id"] for part in parts]))
    order = np.argsort(code, kind="stable")
    rule, code = rule[order], code[order]
    per_site = {"site_id": everyone.names["id"], "site_name": everyone.names["name"], "activity": everyone.activity}
    data = {}
    for name, dtype, _ in FINDING_COLUMNS:
        if name in per_site:
            data[name] = _repeated(per_site[name], code)
        elif name in PER_RULE:
            data[name] = _repeated(np.array([part[name][0] if len(part[name]) else "" for part in parts]), rule)
        else:
            values = np.concatenate([part[name] for part in parts])[order]
            data[name] = pd.Series(values.astype(float)) if dtype == "float" else _repeated(*_coded(values))
    shapes = np.concatenate([part["geometry"] for part in parts])[order]
    return gpd.GeoDataFrame(data, geometry=city.plane.unproject(shapes), crs="EPSG:4490"), shapes


def _repeated(texts: np.ndarray, codes: np.ndarray) -> pd.Series:
    """Make a column of few texts, many times each: only the few are converted."""
    return pd.Series(pd.Series(texts, dtype=object).astype(str).array.take(codes))


def _coded(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    codes, texts = pd.factorize(values, use_na_sentinel=False)
    return np.asarray(texts, dtype=object), codes
