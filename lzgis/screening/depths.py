"""How deep sites reach into what they overlap. Measured on request: it takes longer than the screening itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from lzgis.coordinates.plane import Plane, plane_for
from lzgis.geometry.depth import depth
from lzgis.model.report import HIT_STATES, Report
from lzgis.model.rules import Rule
from lzgis.rules.for_sites import KINDS
from lzgis.rules.for_sites.hits import Geometries


def overlap_depths(report: Report, *, tolerance_m: float = 0.1) -> pd.Series:
    """Measure for each overlap how far its deepest point is from the border that the site crosses.

    For ``avoid`` that is the border of the feature: how deep the site reaches into it. For ``stay_inside`` it is the border
    of the area that the site should lie in: how far the site reaches out. For corridors, the column `margin` says how many
    metres are missing.

    Parameters
    ----------
    report : Report
        A report whose findings have their shapes.
    tolerance_m : float
        By how much a depth may be too small (m). It is never too large.

    Returns
    -------
    Series of float
        Depth in metres by finding; NaN where a finding is no overlap with a polygon.

    Examples
    --------
    >>> import lzgis as lz
    >>> from lzgis.screening.depths import overlap_depths
    >>> city = lz.reference_city()
    >>> report = lz.screen(city / "sites.gpkg", city, as_of="2026-11-21")
    >>> found = report.findings[(report.findings["site_id"] == "T01") & (report.findings["rule"] == "redline")]
    >>> overlap_depths(report).loc[found.index].round(0).tolist()
    [1955.0]
    """
    findings = report.findings
    rules = {rule.id: rule for rule in report.book.rules}
    shapes = findings.geometry.to_numpy()
    kinds = [name for name, kind in KINDS.items() if kind.overlaps]
    overlap = findings["state"].isin(HIT_STATES) & findings["kind"].isin(kinds)
    which = np.flatnonzero(overlap.to_numpy(dtype=bool) & ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes))
    outline = report.layers[report.city.outline].frame
    plane = plane_for(tuple(outline.total_bounds))
    parts = plane.project(shapes[which])
    borders: dict[tuple[str, str], shapely.Geometry | None] = {}
    found = np.full(len(findings), np.nan)
    for row, part in zip(which, parts, strict=True):
        one = findings.iloc[row]
        key = (one["rule"], "" if KINDS[one["kind"]].absence_counts else one["feature_id"])
        if key not in borders:
            borders[key] = _border(report, plane, rules[one["rule"]], key[1])
        border = borders[key]
        if border is not None:
            found[row] = depth(part, border, tolerance=tolerance_m)
    return pd.Series(found, index=findings.index, name="depth_m")


def _border(report: Report, plane: Plane, rule: Rule, feature: str) -> shapely.Geometry | None:
    """Return the border of one feature, or of all features that the rule applies to; None if they are no polygons."""
    frame = report.layers[rule.layer].frame
    keep = np.ones(len(frame), dtype=bool)
    for name, values in rule.where.items():
        keep &= frame[name].isin(values).to_numpy(dtype=bool)
    if feature:
        keep &= (frame["id"] == feature).to_numpy(dtype=bool)
    shapes: Geometries = plane.project(frame.geometry.to_numpy()[keep])
    polygons = shapes[shapely.get_dimensions(shapes) == 2]
    if not len(polygons):
        return None
    # The border between adjacent features does not count.
    return shapely.boundary(polygons[0] if len(polygons) == 1 else shapely.union_all(polygons))
