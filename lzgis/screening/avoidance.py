"""How to free a site of prohibitions: the part of it that remains, or the shortest move, verified by screening again."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely

from lzgis.city.catalogue import Catalogue, open_catalogue
from lzgis.city.provenance import date_of
from lzgis.config import nearest
from lzgis.coordinates.plane import ELLIPSOID
from lzgis.errors import ConfigError, SourceError
from lzgis.geometry import Translation, shortest_translation
from lzgis.geometry.translation import window_around
from lzgis.messages import Message
from lzgis.model.report import RESOLUTION_M, Report, SiteTable, State
from lzgis.model.rules import Rule, Severity
from lzgis.reading import read_sites
from lzgis.rules.for_sites import KINDS
from lzgis.rules.for_sites.base import Check
from lzgis.rules.for_sites.hits import Geometries
from lzgis.rules.for_sites.plane import PlaneLayer
from lzgis.screening.findings import finding_rows
from lzgis.screening.screen import screen
from lzgis.screening.setting import Setting, setting_of
from lzgis.screening.subjects import Subjects, refuse_unknown_activities, subjects_of

#: A move is longer than the shortest by this (m): a site exactly on a border may overlap it after rounding.
_EXTRA_M = RESOLUTION_M


@dataclass(frozen=True, eq=False)
class Shift:
    """The shortest move of a site after which it meets no prohibition, and the report that proves it.

    Attributes
    ----------
    distance_m, azimuth_deg : float
        Distance on the ellipsoid (m) and direction (degrees from north, clockwise); 0 if the site need not move.
    geometry : shapely geometry
        The moved site, in degrees on CGCS2000.
    report : Report
        The screening of the moved site.
    """

    distance_m: float
    azimuth_deg: float
    geometry: shapely.Geometry
    report: Report

    @property
    def verdict(self) -> str:
        """The verdict on the moved site."""
        return str(self.report.verdicts["verdict"].iloc[0])


@dataclass(frozen=True, eq=False)
class Avoidance:
    """The prohibitions near a site, the part of it that remains outside them, and the shortest move that avoids them.

    Attributes
    ----------
    site_id : str
        The site.
    rules : tuple of Rule
        The rules that forbid some area within reach, in the order of the book.
    remaining : shapely geometry or None
        The part of the site in no such area, in degrees on CGCS2000; None if there is none.
    remaining_size : float
        Its area (m²), or for a line its length (m).
    remaining_share : float
        The same as a share of the whole; NaN for points.
    whole_size : float
        Area or length of the whole site, in the same plane, so that the two parts sum to it; NaN for points.
    before : shapely geometry
        The whole site, in degrees on CGCS2000.
    shift : Shift or None
        The shortest move; None if every move within the distance still meets a prohibition.
    """

    site_id: str
    rules: tuple[Rule, ...]
    remaining: shapely.Geometry | None
    remaining_size: float
    remaining_share: float
    shift: Shift | None
    whole_size: float = math.nan
    before: shapely.Geometry | None = None


def avoid(
    site_id: str,
    sites: SiteTable | str | Path,
    city: Catalogue | str | Path,
    *,
    as_of: dt.date | str | None = None,
    within_m: float = 500.0,
) -> Avoidance:
    """Find what remains of a site outside forbidden areas, and the shortest move, without rotation, that avoids them.

    An area is forbidden where a rule prohibits the activity: features to avoid, corridors as far as they are certain, and what
    lies outside an area to stay inside. The report of the moved site lists the other rules that apply to it.

    Parameters
    ----------
    site_id : str
        The site.
    sites : SiteTable or path
        The table that holds it.
    city : Catalogue or path
        The city, or its folder.
    as_of : date or ISO string, optional
        The date whose rules apply; today if not given.
    within_m : float
        The longest move allowed (m).

    Returns
    -------
    Avoidance
        What remains of the site, and the move; no move if there is none within `within_m`.

    Raises
    ------
    SourceError
        If there is no such site, its geometry cannot be used, or its activity is not in the vocabulary.
    ConfigError
        If `within_m` is not above 0, or the city's folder is not valid.

    Examples
    --------
    >>> import lzgis as lz
    >>> city = lz.reference_city()
    >>> found = lz.avoid("P36", city / "sites.gpkg", city, as_of="2026-11-21")
    >>> round(found.remaining_share, 3), round(found.shift.distance_m, 2), found.shift.verdict
    (0.982, 15.01, '需进一步论证')
    """
    _check_distance(within_m)
    city = open_catalogue(city) if isinstance(city, str | Path) else city
    site = _one_site(sites if isinstance(sites, SiteTable) else read_sites(sites, near=city.outline), site_id)
    setting = setting_of(city, date_of(as_of))
    refuse_unknown_activities(site, setting.book)
    return _avoided(site, setting, within_m)


def _check_distance(within_m: float) -> None:
    if not within_m > 0:
        raise ConfigError("within_m", Message("must be above 0"), Message("give the metres it may be moved"))


def _avoided(site: SiteTable, setting: Setting, within_m: float) -> Avoidance:
    """Return what remains of the one site of a table, and its move."""
    subjects = subjects_of(site, setting.book, setting.city, np.array([0]))
    rules, forbidden = _obstacles(subjects, setting, within_m)
    shape, whole = subjects.sites.geometry[0], float(subjects.sites.size[0])
    rest = shapely.difference(shape, shapely.union_all(forbidden)) if forbidden else shape
    size = float(shapely.area(rest) if subjects.sites.dimension[0] == 2 else shapely.length(rest))
    move = shortest_translation(shape, forbidden, within=within_m)
    moved = subjects.lines[0] if subjects.strips[0] else shape
    return Avoidance(
        site.frame["id"].iloc[0],
        rules=rules,
        remaining=None if shapely.is_empty(rest) else setting.city.plane.unproject([rest])[0],
        remaining_size=size,
        remaining_share=size / whole,
        shift=None if move is None else _shift(site, moved, move, setting),
        whole_size=whole,
        before=site.frame.geometry.iloc[0],
    )


def _shift(site: SiteTable, shape: shapely.Geometry, move: Translation, setting: Setting) -> Shift:
    before = site.frame.geometry.iloc[0]
    after = setting.city.plane.unproject(_moved(shape, move))[0]
    here, there = (shapely.get_coordinates(shapely.centroid(one))[0] for one in (before, after))
    azimuth, _, distance = ELLIPSOID.inv(*here, *there)
    frame = site.frame.set_geometry(np.array([after], dtype=object), crs=site.frame.crs)
    report = screen(replace(site, frame=frame), setting.city, as_of=setting.day)
    if move.length == 0:
        return Shift(0.0, 0.0, after, report)
    return Shift(distance, azimuth % 360.0, after, report)


def _one_site(table: SiteTable, site_id: str) -> SiteTable:
    frame = table.frame[table.frame["id"] == site_id].reset_index(drop=True)
    if not len(frame):
        what = Message("has no site '{site_id}'", site_id=site_id)
        raise SourceError(table.source.name, what, nearest(site_id, [str(one) for one in table.frame["id"]]))
    if shapely.is_missing(frame.geometry.iloc[0]):
        place = Message("{name}, site '{site}'", name=table.source.name, site=site_id)
        raise SourceError(place, Message("its geometry cannot be used"), Message("look at its geometry"))
    return replace(table, frame=frame)


def _obstacles(
    subjects: Subjects, setting: Setting, within_m: float
) -> tuple[tuple[Rule, ...], list[shapely.Geometry]]:
    """Return the rules that forbid some area near the site, and all these areas in the plane."""
    layers = setting.plane_layers
    everyone = np.ones(len(subjects.sites), dtype=bool)
    check = Check(subjects.sites, layers, setting.book.tolerance.sliver_width_m, everyone)
    window = window_around(subjects.sites.geometry[0], within_m)
    rules, forbidden = [], []
    for rule in setting.book.rules:
        if not _can_check(rule, layers) or (rule.activities and not subjects.has_activity(rule.activities)[0]):
            continue
        areas = _forbidden_areas(rule, check, window, subjects, setting.day)
        if len(areas):
            rules.append(rule)
            forbidden += list(areas)
    return tuple(rules), forbidden


def _can_check(rule: Rule, layers: dict[str, PlaneLayer]) -> bool:
    present = [layers[name] for name in rule.layers if name in layers]
    return any(len(layer.frame) and not layer.missing_fields(rule.where) for layer in present)


def _forbidden_areas(
    rule: Rule, check: Check, window: shapely.Geometry, subjects: Subjects, day: dt.date
) -> Geometries:
    obstacles = KINDS[rule.kind].obstacles
    if obstacles is None:
        return np.zeros(0, dtype=object)
    found = obstacles(rule, check, window)
    columns = finding_rows(found.rows, rule, subjects, check.layers, day)
    grave = (columns["severity"] == Severity.PROHIBITED) & (columns["state"] == State.INVOLVED)
    areal = shapely.area(found.geometry) > 0
    return np.asarray(found.geometry[grave & areal], dtype=object)


def _moved(shape: shapely.Geometry, move: Translation) -> list[shapely.Geometry]:
    if move.length == 0:
        return [shape]
    step = np.array([move.x, move.y]) * (1.0 + _EXTRA_M / move.length)
    return [shapely.transform(shape, lambda xy: xy + step)]
