"""Where to a site in conflict could be shifted: asked for one site and rule at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from lzgis.config import nearest
from lzgis.errors import ConfigError
from lzgis.geometry.avoidance import shift_to_clear as least_shift
from lzgis.measure import ELLIPSOID, Plane, plane_for
from lzgis.messages import Message
from lzgis.model import Report
from lzgis.rule import Rule


@dataclass(frozen=True)
class SiteShift:
    """A site shifted as a whole, without being turned.

    Attributes
    ----------
    distance_m : float
        How far; 0 if it is clear where it lies.
    bearing_deg : float
        Where to, clockwise from true north; NaN if it is not shifted.
    geometry : shapely geometry
        The shifted site, longitude and latitude in degrees on CGCS2000.
    """

    distance_m: float
    bearing_deg: float
    geometry: shapely.Geometry


def shift_to_clear(report: Report, site_id: str, rule_id: str, *, search_m: float = 1000.0) -> SiteShift | None:
    """Find the smallest shift after which a site overlaps no feature that a rule of kind ``avoid`` means.

    Other rules and the border of the city are not looked at: screen the shifted site before it is put forward.

    Parameters
    ----------
    report : Report
        A screening.
    site_id, rule_id : str
        One site and one rule of it.
    search_m : float
        How far the site may be shifted at most, metres.

    Returns
    -------
    SiteShift or None
        None if no shift up to `search_m` clears it.

    Raises
    ------
    ConfigError
        If the report has no such site or rule, the site has no usable shape, or the rule is of another kind.

    Examples
    --------
    >>> import lzgis as lz
    >>> from lzgis.avoidance import shift_to_clear
    >>> city = lz.reference_city()
    >>> report = lz.screen(city / "sites.gpkg", city, as_of="2026-11-21")
    >>> shift_to_clear(report, "T01", "redline", search_m=100.0) is None
    True
    """
    place = Message("site '{site}', rule '{rule}'", site=site_id, rule=rule_id)
    rules = {rule.id: rule for rule in report.book.rules}
    ids = report.sites["id"].tolist()
    _known(place, site_id, ids)
    _known(place, rule_id, list(rules))
    rule = rules[rule_id]
    if rule.kind != "avoid":
        what = Message("the rule is of kind '{kind}'", kind=rule.kind)
        raise ConfigError(place, what, Message("give a rule of kind 'avoid'"))
    _known(place, rule.layer, list(report.layers))
    shape = report.sites.geometry.iloc[ids.index(site_id)]
    if shape is None or shape.is_empty:
        raise ConfigError(place, Message("the site has no usable shape"), Message("repair it in its file"))
    plane = plane_for(tuple(report.layers[report.city.outline].frame.total_bounds))
    there = plane.project([shape])[0]
    found = least_shift(there, _features(report, rule, plane), radius=search_m)
    if found is None:
        return None
    if not found.length:
        return SiteShift(0.0, float("nan"), shape)
    moved = shapely.transform(there, lambda xy: xy + np.array([found.x, found.y]))
    begin, end = plane.unproject(shapely.centroid(np.array([there, moved], dtype=object)))
    bearing, _, _ = ELLIPSOID.inv(begin.x, begin.y, end.x, end.y)
    return SiteShift(found.length, float(bearing % 360.0), plane.unproject([moved])[0])


def _known(place: str, given: str, known: list[str]) -> None:
    if given not in known:
        raise ConfigError(place, Message("'{given}' is not in the report", given=given), nearest(given, known))


def _features(report: Report, rule: Rule, plane: Plane) -> np.ndarray:
    """Return the features that a rule means, in the plane."""
    frame = report.layers[rule.layer].frame
    keep = np.ones(len(frame), dtype=bool)
    for name, values in rule.where.items():
        keep &= frame[name].isin(values).to_numpy(dtype=bool)
    return plane.project(frame.geometry.to_numpy()[keep])
