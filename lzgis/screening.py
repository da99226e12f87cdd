"""Screening: every site against every rule in force, with a proof of coverage for each answer."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

import lzgis
from lzgis.breakdown import breakdown
from lzgis.catalogue import CATALOGUE_FILE, Catalogue, LoadedLayer, missing_layers, open_catalogue, unknown_values
from lzgis.check import Progress, check_all
from lzgis.config import nearest
from lzgis.errors import ConfigError, SourceError
from lzgis.findings import Columns, Subjects, finding_rows, not_checked
from lzgis.geometry import FeatureIndex
from lzgis.kinds.base import RESOLUTION_M, PlaneLayer, PlaneSites
from lzgis.measure import Plane
from lzgis.messages import Message
from lzgis.model import FINDING_COLUMNS, Layer, Problem, Provenance, Reason, Report, SiteTable, Source, State
from lzgis.overriding import OVERRIDES_FILE, with_overrides
from lzgis.repair import TOLERANCE_M2, TOLERANCE_SHARE
from lzgis.rule import RuleBook
from lzgis.rulebook import activity_of
from lzgis.sources import Reading, begin_reading, sites_from_frame, sites_of
from lzgis.verdicts import verdicts

_DTYPES = {"str": str, "float": float}


def screen(
    sites: SiteTable | Reading | gpd.GeoDataFrame | str | Path,
    city: Catalogue | str | Path,
    *,
    as_of: dt.date | str | None = None,
    made_at: dt.datetime | None = None,
    progress: Progress | None = None,
    overrides: str | Path | None = None,
) -> Report:
    """Check sites against all rules of a city that are in force on a date.

    Parameters
    ----------
    sites : SiteTable, Reading, GeoDataFrame or path
        What to check: points, lines and polygons in any mixture. What a file does not say itself, and whether repairs
        are accepted, is given with :func:`lzgis.sources.begin_reading`.
    city : Catalogue or path
        The city, or its folder.
    as_of : date or ISO string, optional
        The date whose rules apply; today if not given.
    made_at : datetime, optional
        The time to be printed as that of the report; now if not given.
    progress : callable, optional
        Called with what is being done, how many steps are done, and how many there are.
    overrides : path, optional
        Decisions of planners, to stand beside the findings; ``overrides.toml`` in the city's folder if not given.

    Returns
    -------
    Report
        One or more findings per site and rule, one verdict per site, and where all of it comes from.

    Raises
    ------
    SourceError
        If the sites or a layer cannot be read, or an activity is not in the vocabulary.
    ConfigError, LayerError
        If the city's folder is not in order.

    Examples
    --------
    >>> from lzgis.catalogue import reference_city
    >>> report = screen(reference_city() / "sites.gpkg", reference_city(), as_of="2026-11-21")
    >>> report.verdicts.set_index("site_id").loc["T01", "verdict"]
    '存在禁止性冲突'
    """
    if isinstance(sites, str | Path):
        sites = begin_reading(sites)
    if isinstance(city, str | Path):
        city = open_catalogue(city)
    if isinstance(sites, gpd.GeoDataFrame):
        sites = sites_from_frame(sites, near=city.outline)
    elif isinstance(sites, Reading):
        sites = _read_beside(sites, city)
    report = _screened(sites, city, (date_of(as_of), made_at), progress)
    own = city.root / OVERRIDES_FILE
    chosen = overrides if overrides is not None else own if own.is_file() else None
    return report if chosen is None else with_overrides(report, chosen)


def _read_beside(reading: Reading, city: Catalogue) -> SiteTable:
    """Let the sites be read in their process apart, and the layers here in the meantime."""
    with reading:
        for name in city.layers:
            if city.exists(name):
                city.load(name)
        return sites_of(reading, near=city.outline)


def _screened(
    sites: SiteTable, city: Catalogue, times: tuple[dt.date, dt.datetime | None], progress: Progress | None
) -> Report:
    day, _ = times
    book = city.book.as_of(day)
    if not book.rules:
        raise ConfigError(
            Message("rule book '{name}'", name=book.name),
            Message("has no rule in force on {day}", day=day),
            Message("give a later date with as_of"),
        )
    loaded, lacking = _load_layers(city, book, progress)
    layers = {name: one.layer for name, one in loaded.items()}
    usable = np.flatnonzero(~shapely.is_missing(sites.frame.geometry.to_numpy()))
    everyone = subjects_of(sites, book, city, np.arange(len(sites.frame)))
    subjects = everyone if len(usable) == len(sites.frame) else subjects_of(sites, book, city, usable)
    plane_layers = {name: in_plane(layer, city) for name, layer in layers.items()}
    parts = check_all(subjects, plane_layers, day, progress=progress)
    if len(usable) < len(sites.frame):
        parts += unusable_rows(everyone, np.setdiff1d(np.arange(len(sites.frame)), usable), plane_layers, day)
    findings = _findings_frame(parts, everyone, city)
    problems = (*sites.problems, *lacking, *(p for one in loaded.values() for p in one.problems))
    return Report(
        city=city.city,
        book=book,
        layers=layers,
        sites=sites.frame.assign(activity=everyone.activity),
        findings=findings,
        verdicts=verdicts(findings, everyone),
        unit_lists=unit_lists(findings, book, layers),
        backdrop=city.backdrop,
        problems=(*problems, *(p for layer in layers.values() for p in unknown_values(book, layer))),
        provenance=provenance_of(city, book, loaded, times, sites),
        breakdown=breakdown(findings, layers, city.city.divisions, city.plane),
    )


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


def _load_layers(
    city: Catalogue, book: RuleBook, progress: Progress | None
) -> tuple[dict[str, LoadedLayer], list[Problem]]:
    present = [name for name in city.layers if city.exists(name)]
    loaded = {}
    for done, name in enumerate(present):
        if progress:
            progress("layers", done, len(present))
        loaded[name] = city.load(name)
    asked = missing_layers(city, book)
    needed = {rule.layer for rule in book.rules}
    not_checked_for_it = Message("rules that need it are not checked")
    lesser = Message("distances are measured from a lesser baseline")
    lacking = [
        Problem(
            "warning" if name in needed else "note",
            Message("layer '{name}'", name=name),
            Message("{title}: the city has no such layer", title=title),
            not_checked_for_it if name in needed else lesser,
        )
        for name, title in asked.items()
    ]
    for name, spec in city.layers.items():
        if name not in loaded and name not in asked.index:
            what = Message("the file {source} is not there", source=spec.source)
            lacking.append(
                Problem(
                    "warning",
                    Message("layer '{name}'", name=name),
                    what,
                    Message("put it there or remove the layer"),
                )
            )
    for name, one in loaded.items():
        for rule in book.rules:
            if rule.kind == "keep_away" and name in rule.layers and one.layer.spec.baseline is None:
                what = Message(
                    "rule '{id}' measures from it, but it does not say what its geometry stands for",
                    id=rule.id,
                )
                raise ConfigError(
                    Message("catalogue, layer '{name}'", name=name),
                    what,
                    Message('add baseline = "centreline" or another'),
                )
    return loaded, lacking


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


def _findings_frame(parts: list[Columns], everyone: Subjects, city: Catalogue) -> gpd.GeoDataFrame:
    """Put the rows of all rules together, site by site in the order of the sites, rules in the order of the book."""
    names = [c.name for c in FINDING_COLUMNS]
    columns = {name: np.concatenate([p[name] for p in parts]) for name in (*names, "geometry")}
    code = pd.Index(everyone.table["id"]).get_indexer(columns["site_id"])
    order = np.argsort(code, kind="stable")
    data = {c.name: pd.Series(columns[c.name][order]).astype(_DTYPES[c.dtype]) for c in FINDING_COLUMNS}
    geometry = city.plane.unproject(columns["geometry"][order])
    return gpd.GeoDataFrame(data, geometry=geometry, crs="EPSG:4490")


def unit_lists(findings: gpd.GeoDataFrame, book: RuleBook, layers: Mapping[str, Layer]) -> pd.DataFrame:
    """Set out the 准入清单 of every unit that a site lies in: one row per site, unit and clause."""
    rows: list[tuple[object, ...]] = []
    for rule in book.rules:
        fields = getattr(rule, "list_fields", {})
        if not fields or rule.layer not in layers:
            continue
        units = layers[rule.layer].frame.set_index("id")
        hit = findings[(findings["rule"] == rule.id) & findings["state"].isin([State.INVOLVED, State.SLIVER])]
        for site, unit_id, share in zip(hit["site_id"], hit["feature_id"], hit["share"], strict=True):
            unit = units.loc[unit_id]
            for field, heading in fields.items():
                text = unit.get(field)
                clauses = text.splitlines() if isinstance(text, str) else []
                head = (site, unit_id, unit["name"], unit.get("class", ""), heading)
                rows.extend((*head, clause.strip(), share) for clause in clauses if clause.strip())
    return pd.DataFrame(rows, columns=["site_id", "unit_id", "unit_name", "unit_class", "heading", "clause", "share"])


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
        versions={
            "lzgis": lzgis.__version__,
            "python": platform.python_version(),
            "geopandas": gpd.__version__,
            "shapely": shapely.__version__,
            "GEOS": shapely.geos_version_string,
            "PROJ": pyproj.proj_version_str,
        },
        repairs=(*(sites.repairs if sites else ()), *(r for one in layers.values() for r in one.repairs)),
    )
