"""From sites and the ground they are held against to the report: every rule in force, each answer with its proof of coverage."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely

import lzgis
from lzgis.admission import unit_lists
from lzgis.answering import (
    ONE_AT_A_TIME,
    Answers,
    Ground,
    GroundTold,
    ground_of,
    ground_told,
    pieces_of,
    together,
)
from lzgis.breakdown import breakdown
from lzgis.catalogue import CATALOGUE_FILE, Catalogue, LoadedLayer, unknown_values
from lzgis.check import Progress, check_all
from lzgis.cluster import gathered, submitted
from lzgis.config import nearest
from lzgis.errors import ConfigError, SourceError
from lzgis.findings import PER_RULE, Columns, Subjects, finding_rows, not_checked
from lzgis.geometry import FeatureIndex
from lzgis.kinds.base import RESOLUTION_M, PlaneLayer, PlaneSites
from lzgis.measure import Plane
from lzgis.messages import Message
from lzgis.model import FINDING_COLUMNS, Layer, Problem, Provenance, Reason, Report, SiteTable, Source
from lzgis.overriding import OVERRIDES_FILE, with_overrides
from lzgis.repair import TOLERANCE_M2, TOLERANCE_SHARE
from lzgis.rule import RuleBook
from lzgis.rulebook import activity_of
from lzgis.shifts import suspected_shift, vertices
from lzgis.sources import Reading, sites_from_frame, sites_of
from lzgis.verdicts import verdicts

if TYPE_CHECKING:
    from distributed import Client

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
    """Do as :func:`lzgis.screening.screen`, for sites that are being read, or were, and a city that was opened."""
    # What is read in a process apart is waited for last: the layers are made ready in the meantime.
    ground = ground_of(city, date_of(as_of), progress=progress)
    table = _table_of(sites, ground, progress)
    answer = answers_of if client is None else partial(_answers_on, client)
    answers = answer(table, ground, progress=progress)
    report = report_of(answers, ground, table, made_at)
    own = city.root / OVERRIDES_FILE
    chosen = overrides if overrides is not None else own if own.is_file() else None
    return report if chosen is None else with_overrides(report, chosen)


def _table_of(sites: SiteTable | Reading | gpd.GeoDataFrame, ground: Ground, progress: Progress | None) -> SiteTable:
    if isinstance(sites, SiteTable):
        return sites
    if isinstance(sites, Reading):
        for name in ground.loaded:
            ground.placed(name, in_plane)
        # numba is imported and the loops are loaded while the separate process reads.
        from lzgis.geometry import ready_loops

        ready_loops(progress)
        return sites_of(sites, near=ground.city.outline)
    return sites_from_frame(sites, near=ground.city.outline)


def answers_of(sites: SiteTable, ground: Ground, *, progress: Progress | None = None) -> Answers:
    """Check sites against every rule; what is found for a site depends on no other site.

    Raises
    ------
    SourceError
        If an activity is not in the vocabulary.
    """
    city, book = ground.city, ground.book
    usable = np.flatnonzero(~shapely.is_missing(sites.frame.geometry.to_numpy()))
    everyone = subjects_of(sites, book, city, np.arange(len(sites.frame)))
    subjects = everyone if len(usable) == len(sites.frame) else subjects_of(sites, book, city, usable)
    plane_layers = {name: ground.placed(name, in_plane) for name in ground.loaded}
    parts = check_all(subjects, plane_layers, ground.day, progress=progress)
    if len(usable) < len(sites.frame):
        parts += unusable_rows(everyone, np.setdiff1d(np.arange(len(sites.frame)), usable), plane_layers, ground.day)
    findings, shapes = _findings_frame(parts, everyone, city)
    return Answers(
        sites=sites.frame.assign(activity=everyone.activity),
        findings=findings,
        verdicts=verdicts(findings, everyone),
        breakdown=breakdown(findings, shapes, plane_layers, city.city.divisions),
        problems=sites.problems,
    )


class _Piece(NamedTuple):
    """What a worker needs to screen a part of the sites."""

    sites: SiteTable
    told: GroundTold


def _answers_on(client: Client, sites: SiteTable, ground: Ground, *, progress: Progress | None = None) -> Answers:
    """Let the workers of a cluster screen a table of sites piece by piece."""
    threads = max(1, sum(client.nthreads().values()))
    size = min(max(-(-len(sites.frame) // (4 * threads)), _LEAST_PIECE), _MOST_PIECE)
    told = ground.told()
    pieces = [_Piece(piece, told) for piece in pieces_of(sites, size)]
    step = partial(progress, "sites") if progress else None
    futures = submitted(client, _piece_answers, pieces, name="lzgis-screen")
    return together(gathered(client, futures, step=step), ground.city.city.divisions)


def _piece_answers(piece: _Piece) -> Answers:
    # One at a time in each process: the compiled loops use all cores, and GEOS' prepared shapes are of one thread.
    with ONE_AT_A_TIME:
        return answers_of(piece.sites, ground_told(piece.told))


def report_of(answers: Answers, ground: Ground, sites: SiteTable | None, made_at: dt.datetime | None) -> Report:
    """Make the report of answers; of `sites` only where they come from is taken."""
    city, book, layers = ground.city, ground.book, ground.layers
    shifted = shift_problems(sites, layers) if sites is not None else []
    problems = (
        *answers.problems,
        *ground.lacking,
        *shifted,
        *(p for one in ground.loaded.values() for p in one.problems),
    )
    return Report(
        city=city.city,
        book=book,
        layers=layers,
        sites=answers.sites,
        findings=answers.findings,
        verdicts=answers.verdicts,
        unit_lists=unit_lists(answers.findings, book, layers, ground.day),
        backdrop=city.backdrop,
        problems=(*problems, *(p for layer in layers.values() for p in unknown_values(book, layer))),
        provenance=provenance_of(city, book, ground.loaded, (ground.day, made_at), sites),
        breakdown=answers.breakdown,
    )


def shift_problems(sites: SiteTable, layers: Mapping[str, Layer]) -> list[Problem]:
    """Warn of sites whose vertices meet those of the city's layers once a shift such as GCJ-02 is taken away."""
    known = [vertices(layer.frame.geometry.to_numpy()) for layer in layers.values()]
    if not known:
        return []
    found = suspected_shift(vertices(sites.frame.geometry.to_numpy()), np.concatenate(known))
    return [found.problem(sites.source.name)] if found is not None else []


def date_of(as_of: dt.date | str | None) -> dt.date:
    """Read the date whose rules apply; today if not given.

    Raises
    ------
    ConfigError
        If it is not a date.
    """
    if as_of is None:
        return dt.date.today()
    if isinstance(as_of, dt.date):
        return as_of
    try:
        return dt.date.fromisoformat(as_of)
    except ValueError:
        raise ConfigError(
            Message("as_of"),
            Message("'{as_of}' is not a date", as_of=as_of),
            Message("write it as 2026-11-21"),
        ) from None


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


def in_plane(layer: Layer, city: Catalogue) -> PlaneLayer:
    """Bring a layer to the plane of the city."""
    return plane_layer(layer, city.plane)


def plane_layer(layer: Layer, plane: Plane) -> PlaneLayer:
    """Bring a layer to a plane."""
    geometry = plane.project(layer.frame.geometry.to_numpy())
    doubtful = tuple(plane.project(np.array(layer.doubtful, dtype=object))) if layer.doubtful else ()
    return PlaneLayer(layer.id, layer.spec, layer.frame, FeatureIndex(geometry), doubtful)


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


def provenance_of(
    city: Catalogue,
    book: RuleBook,
    layers: Mapping[str, LoadedLayer],
    times: tuple[dt.date, dt.datetime | None],
    sites: SiteTable | None = None,
) -> Provenance:
    """Say where a report comes from: city, rules, layers, the date of the rules and of the report, and the sites if any."""
    day, made_at = times
    books = tuple(Source("rules", name, digest) for name, digest in book.files)
    catalogue = Source("catalogue", CATALOGUE_FILE, city.described)
    transforms = [*(sites.transforms if sites else ()), *(t for one in layers.values() for t in one.transforms)]
    plane = city.plane
    transforms.append(
        Message(
            "all layers and sites: projected to {name}, where areas are those on the ellipsoid", name=plane.crs.name
        )
    )
    return Provenance(
        as_of=day,
        made_at=made_at or dt.datetime.now().astimezone().replace(microsecond=0),
        rule_book=book.name,
        rule_book_version=book.version,
        plane=plane.crs.name,
        sources=(*((sites.source,) if sites else ()), *(one.source for one in layers.values()), catalogue, *books),
        transforms=tuple(transforms),
        tolerances={
            "sliver_width_m": book.tolerance.sliver_width_m,
            "touching_below_m": RESOLUTION_M,
            "repair_m2": TOLERANCE_M2,
            "repair_share": TOLERANCE_SHARE,
        },
        versions=software(),
        repairs=(*(sites.repairs if sites else ()), *(r for one in layers.values() for r in one.repairs)),
    )


def software() -> dict[str, str]:
    """Name the software that a result was made by, and its versions."""
    return {
        "lzgis": lzgis.__version__,
        "python": platform.python_version(),
        "geopandas": gpd.__version__,
        "shapely": shapely.__version__,
        "GEOS": shapely.geos_version_string,
        "PROJ": pyproj.proj_version_str,
        "pyogrio": pyogrio.__version__,
        "GDAL": pyogrio.__gdal_version_string__,
    }
