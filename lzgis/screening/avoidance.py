"""How a site gets clear of what is forbidden: what remains of it, or the shortest way to move it, proved by screening."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely

from lzgis.city.catalogue import Catalogue, open_catalogue
from lzgis.city.plane_layers import in_plane
from lzgis.city.provenance import date_of
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
from lzgis.screening.findings import Subjects, finding_rows
from lzgis.screening.run import subjects_of
from lzgis.screening.screen import screen
from lzgis.screening.setting import Setting, setting_of

#: A move is longer than the shortest by this (m): a site put right on a border may overlap it by rounding.
_BEYOND_M = RESOLUTION_M


@dataclass(frozen=True, eq=False)
class Shift:
    """The shortest move of a site after which no prohibition is met, and the report that proves it.

    Attributes
    ----------
    distance_m, azimuth_deg : float
        How far on the ellipsoid, and in which direction: degrees from north, clockwise. 0 where it need not move.
    geometry : shapely geometry
        The site moved, in degrees on CGCS2000.
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
    """What stands in the way of a site, what remains of it without that, and where it would be clear.

    Attributes
    ----------
    site_id : str
        The site.
    rules : tuple of Rule
        The rules with forbidden setting within reach, in the order of the book.
    remaining : shapely geometry or None
        What of the site lies on no such setting, in degrees on CGCS2000; None if nothing does.
    remaining_size : float
        Its area (m²), or for a line its length (m).
    remaining_share : float
        The same as a share of the whole; NaN for points.
    shift : Shift or None
        The shortest move; None if every move within the distance leaves a prohibition.
    """

    site_id: str
    rules: tuple[Rule, ...]
    remaining: shapely.Geometry | None
    remaining_size: float
    remaining_share: float
    shift: Shift | None


def avoid(
    site_id: str,
    sites: SiteTable | str | Path,
    city: Catalogue | str | Path,
    *,
    as_of: dt.date | str | None = None,
    within_m: float = 500.0,
) -> Avoidance:
    """Find what remains of a site without what is forbidden, and the shortest move, without a turn, that gets it clear.

    Every piece of setting within reach from which a rule in force keeps the site's activity stands in its way: features to
    avoid, corridors as far as they are certain, and what lies outside of where it must stay. Procedures, proofs, possible
    bands, and lines or points to avoid do not; the report of the moved site tells of them, and of what was not checked.

    Parameters
    ----------
    site_id : str
        The site.
    sites : SiteTable or path
        The table that it stands in.
    city : Catalogue or path
        The city, or its folder.
    as_of : date or ISO string, optional
        The date whose rules apply; today if not given.
    within_m : float
        How far it may be moved at most, in metres.

    Raises
    ------
    SourceError
        If there is no such site, or it cannot be used.
    ConfigError
        If `within_m` is not above 0, or the city's folder is not in order.

    Examples
    --------
    >>> import lzgis as lz
    >>> city = lz.reference_city()
    >>> found = lz.avoid("P36", city / "sites.gpkg", city, as_of="2026-11-21")
    >>> round(found.remaining_share, 3), round(found.shift.distance_m, 2), found.shift.verdict
    (0.982, 15.01, '未发现冲突')
    """
    _check(within_m)
    city = open_catalogue(city) if isinstance(city, str | Path) else city
    alone = _alone(sites if isinstance(sites, SiteTable) else read_sites(sites, near=city.outline), site_id)
    setting = setting_of(city, date_of(as_of))
    subjects = subjects_of(alone, setting.book, city, np.array([0]))
    obstacles = _obstacles(subjects, setting, within_m)
    pieces = [piece for _, found in obstacles for piece in found]
    shape = subjects.sites.geometry[0]
    rest = shapely.difference(shape, shapely.union_all(pieces)) if pieces else shape
    left = _size(rest, int(subjects.sites.dimension[0]))
    move = shortest_translation(shape, pieces, within=within_m)
    return Avoidance(
        site_id,
        rules=tuple(rule for rule, _ in obstacles),
        remaining=None if shapely.is_empty(rest) else city.plane.unproject([rest])[0],
        remaining_size=left,
        remaining_share=left / float(subjects.sites.size[0]),
        shift=None if move is None else _shift(alone, shape, move, setting),
    )


def _check(within_m: float) -> None:
    if not within_m > 0:
        raise ConfigError("within_m", Message("must be above 0"), Message("give the metres it may be moved"))


def _size(rest: shapely.Geometry, dimension: int) -> float:
    return float(shapely.area(rest) if dimension == 2 else shapely.length(rest))


def _shift(alone: SiteTable, shape: shapely.Geometry, move: Translation, setting: Setting) -> Shift:
    before = alone.frame.geometry.iloc[0]
    after = setting.city.plane.unproject(_moved(shape, move))[0]
    here, there = (shapely.get_coordinates(shapely.centroid(one))[0] for one in (before, after))
    azimuth, _, distance = ELLIPSOID.inv(*here, *there)
    frame = alone.frame.set_geometry(np.array([after], dtype=object), crs=alone.frame.crs)
    report = screen(replace(alone, frame=frame), setting.city, as_of=setting.day)
    stays = move.length == 0
    return Shift(0.0 if stays else distance, 0.0 if stays else azimuth % 360.0, after, report)


def _alone(table: SiteTable, site_id: str) -> SiteTable:
    frame = table.frame[table.frame["id"] == site_id].reset_index(drop=True)
    if not len(frame):
        known = ", ".join(str(one) for one in table.frame["id"].head(10))
        what = Message("has no site '{site_id}'", site_id=site_id)
        raise SourceError(table.source.name, what, Message("there are {names}", names=known))
    if shapely.is_missing(frame.geometry.iloc[0]):
        place = Message("{name}, site '{site}'", name=table.source.name, site=site_id)
        raise SourceError(place, Message("its geometry cannot be used"), Message("look at its geometry"))
    return replace(table, frame=frame)


def _obstacles(subjects: Subjects, setting: Setting, within_m: float) -> list[tuple[Rule, Geometries]]:
    """Return the ground near the site from which each rule keeps it."""
    layers = {name: setting.placed(name, in_plane) for name in setting.loaded}
    check = Check(subjects.sites, layers, setting.book.tolerance.sliver_width_m)
    window = window_around(subjects.sites.geometry[0], within_m)
    found = []
    for rule in setting.book.rules:
        if not _answerable(rule, layers) or (rule.activities and not subjects.doing(rule.activities)[0]):
            continue
        pieces = _forbidden(rule, check, window, (subjects, setting.day))
        if len(pieces):
            found.append((rule, pieces))
    return found


def _answerable(rule: Rule, layers: dict[str, PlaneLayer]) -> bool:
    there = [layers[name] for name in rule.layers if name in layers]
    return any(len(layer.frame) and not layer.lacking(rule.where) for layer in there)


def _forbidden(rule: Rule, check: Check, window: shapely.Geometry, asked: tuple[Subjects, dt.date]) -> Geometries:
    obstacles = KINDS[rule.kind].obstacles
    if obstacles is None:
        return np.zeros(0, dtype=object)
    rows = obstacles(rule, check, window)
    columns = finding_rows(rows, rule, asked[0], check.layers, asked[1])
    grave = (columns["severity"] == Severity.PROHIBITED) & (columns["state"] == State.INVOLVED)
    areal = shapely.area(rows.geometry) > 0
    return np.asarray(rows.geometry[grave & areal], dtype=object)


def _moved(shape: shapely.Geometry, move: Translation) -> list[shapely.Geometry]:
    if move.length == 0:
        return [shape]
    step = np.array([move.x, move.y]) * (1.0 + _BEYOND_M / move.length)
    return [shapely.transform(shape, lambda xy: xy + step)]
