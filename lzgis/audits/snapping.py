"""How far the borders of two layers run apart, and which tolerance follows from that (``lzgis audit --snap-report``)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from lzgis.audits.statements import statements
from lzgis.coordinates.plane import plane_for
from lzgis.model.audit import SNAP_COLUMNS, AuditReport
from lzgis.model.report import RESOLUTION_M
from lzgis.rules.for_sites.hits import Floats, Geometries

#: Vertices that are farther from the other border than this (m) do not follow it.
FOLLOWS_M = 10.0
#: The tolerances that are proposed (m).
_STEPS_M = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, FOLLOWS_M)


def snap_report(audit: AuditReport) -> pd.DataFrame:
    """Measure how far the vertices of a layer lie from the border of another, for the pairs of layers that do not agree.

    Parameters
    ----------
    audit : AuditReport
        The audit whose statements name the pairs.

    Returns
    -------
    DataFrame
        The columns of `lzgis.model.audit.SNAP_COLUMNS`, one row per pair. ``proposed_m`` is the least step of
        1, 2, 5, 10 … that holds 99 % of the vertices that follow the other border without lying on it.
    """
    pairs = statements(audit)[["layer", "other_layer"]].drop_duplicates()
    rows = []
    for layer, other in pairs.itertuples(index=False):
        shown = {layer, other} <= set(audit.layers)
        if layer == other or not shown or audit.layers[other].spec.geometry != "polygon":
            continue
        near = _distances(*(audit.layers[name].frame.geometry.to_numpy() for name in (layer, other)))
        apart = near[near > RESOLUTION_M]
        if not len(apart):
            continue
        median, most, nearly_all = np.quantile(apart, (0.5, 0.9, 0.99))
        proposed = next(step for step in _STEPS_M if step >= min(nearly_all, FOLLOWS_M))
        rows.append((layer, other, len(near), len(apart), median, most, nearly_all, float(apart.max()), proposed))
    return pd.DataFrame(rows, columns=[c.name for c in SNAP_COLUMNS])


def _distances(mine: Geometries, theirs: Geometries) -> Floats:
    """Return the distances (m) of vertices to the nearest edge of other shapes, where they are at most `FOLLOWS_M`."""
    plane = plane_for(tuple(shapely.total_bounds(theirs)))
    points = shapely.points(np.unique(shapely.get_coordinates(plane.project(mine)), axis=0))
    there, ring = shapely.get_coordinates(
        shapely.get_rings(shapely.get_parts(plane.project(theirs))), return_index=True
    )
    same = ring[1:] == ring[:-1]
    ends = np.stack([there[:-1][same], there[1:][same]], axis=1)
    edges: Geometries = np.asarray(shapely.linestrings(ends), dtype=object)
    _, found = shapely.STRtree(edges).query_nearest(
        points, max_distance=FOLLOWS_M, return_distance=True, all_matches=False
    )
    return np.asarray(found)
