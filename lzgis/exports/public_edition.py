"""The public edition of a report: what may leave the office when some layers may not.

It is made before anything is drawn, so that no output can contain what was removed. An internal layer is replaced by the
cells of a fixed grid, at least 500 m wide, that it touches; its vertices, dates, values and names are removed. A
confidential layer is removed altogether. A finding that uses such a layer retains rule and state, but no
measurements, since distances from many sites would reveal the shape.
"""

from __future__ import annotations

import dataclasses
import math
from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lzgis.coordinates.plane import CGCS2000, Geometries
from lzgis.messages import Message
from lzgis.model.deferred import DeferredTable
from lzgis.model.report import FINDING_COLUMNS, Layer, Problem, Repair, Report, no_overrides

#: The least width of a cell in metres, and the step in degrees that its size is a multiple of.
CELL_M = 500.0
STEP_DEG = 0.005
_METRES_PER_DEGREE = 111_320.0
# The columns of a finding that remain: site, rule, state and the texts of the rule.
_KEPT = {
    "site_id", "site_name", "activity", "rule", "kind", "layer", "state", "severity", "reason", "item", "procedure",
    "note", "basis", "repealed", "strength", "certainty", "as_of",
}  # fmt: skip


def withheld(report: Report) -> dict[str, Layer]:
    """Return the layers that the catalogue does not declare public, by id."""
    return {name: layer for name, layer in report.layers.items() if layer.spec.confidentiality != "public"}


def public_edition(report: Report) -> Report:
    """Return a report without what its catalogue does not declare public; a report of public layers is unchanged.

    Parameters
    ----------
    report : Report
        The whole report.

    Returns
    -------
    Report
        The same sites and verdicts; internal layers are coarsened, confidential ones removed, and the findings of both
        have no geometry, feature or figures.
    """
    hidden = withheld(report)
    if not hidden:
        return report
    rules = {rule.id for rule in report.book.rules if hidden.keys() & set(rule.layers)}
    open_layers = {
        name: coarsened(layer) if name in hidden else layer
        for name, layer in report.layers.items()
        if layer.spec.confidentiality != "confidential"
    }
    ids = {one for layer in hidden.values() for one in layer.frame["id"].astype(str)}
    verdicts = report.verdicts.copy()
    near = verdicts["nearest_rule"].isin(rules)
    verdicts.loc[near, "nearest_rule"], verdicts.loc[near, "nearest_m"] = "", np.nan
    return dataclasses.replace(
        report,
        layers=open_layers,
        findings=_findings(report.findings, rules, hidden),
        verdicts=verdicts,
        listed=DeferredTable(partial(_unit_lists, report, hidden, ids)),
        problems=_problems(report.problems),
        # Repairs state where features lie and how large they are; only those of the sites may be published.
        provenance=dataclasses.replace(report.provenance, repairs=_of_sites(report)),
        # Decisions name people, files and what was found then.
        overrides=no_overrides(),
    )


def _of_sites(report: Report) -> tuple[Repair, ...]:
    names = {source.name for source in report.provenance.sources if source.role == "sites"}
    return tuple(repair for repair in report.provenance.repairs if str(repair.place) in names)


def _unit_lists(report: Report, hidden: dict[str, Layer], ids: set[str]) -> pd.DataFrame:
    """Remove the lists of withheld units, and general requirements that reveal the class of such a unit."""
    revealing = {one.clause for one in report.book.requirements if one.where and one.layer in hidden}
    lists = report.unit_lists
    removed = lists["unit_id"].astype(str).isin(ids) | ((lists["unit_id"] == "") & lists["clause"].isin(revealing))
    return lists[~removed].reset_index(drop=True)


def coarsened(layer: Layer) -> Layer:
    """Return a layer of the grid cells that `layer` touches, as one feature without id, name or date."""
    cells = touched_cells(np.asarray(layer.frame.geometry.values, dtype=object))
    # An empty layer stays empty.
    shapes = [shapely.union_all(cells)] if len(cells) else []
    frame = gpd.GeoDataFrame({"id": [""] * len(shapes), "name": [""] * len(shapes)}, geometry=shapes, crs=CGCS2000)
    style = layer.spec.style.model_copy(update={"by": None, "colours": {}, "dash": "6 4"})
    blank = {"source": "", "source_layer": None, "version": "", "date": None, "basis": "", "sha256": None}
    more: dict[str, object] = {
        "id": "id",
        "name": "name",
        "group": None,
        "fields": {},
        "values": {},
        "declared": [],
        "geometry": "polygon",
    }
    return Layer(layer.id, layer.spec.model_copy(update={**blank, **more, "style": style}), frame)


def touched_cells(geometries: Geometries) -> Geometries:
    """Return the grid cells that any geometry touches; the grid depends on the latitude only."""
    geometries = geometries[~(shapely.is_missing(geometries) | shapely.is_empty(geometries))]
    if not len(geometries):
        return np.empty(0, dtype=object)
    found = shapely.total_bounds(geometries)
    west, south, east, north = found.tolist()
    # Cells have the least width at the latitude that is farther from the equator, rounded up to a whole degree, so
    # that the grid reveals nothing about the layer.
    farthest = min(math.ceil(max(abs(south), abs(north))), 85)
    wide = STEP_DEG * math.ceil(CELL_M / (_METRES_PER_DEGREE * math.cos(math.radians(farthest)) * STEP_DEG))
    columns = np.arange(math.floor(west / wide), math.ceil(east / wide) + 1)
    rows = np.arange(math.floor(south / STEP_DEG), math.ceil(north / STEP_DEG) + 1)
    column, row = (grid.ravel() for grid in np.meshgrid(columns, rows))
    # Rounded, since a product of steps has rounding errors.
    low_x, high_x, low_y, high_y = (
        np.round(line, 6) for line in (column * wide, (column + 1) * wide, row * STEP_DEG, (row + 1) * STEP_DEG)
    )
    cells = np.asarray(shapely.box(low_x, low_y, high_x, high_y), dtype=object)
    hit = shapely.STRtree(cells).query(geometries, predicate="intersects")[1]
    return np.asarray(cells[np.unique(hit)], dtype=object)


def _findings(findings: gpd.GeoDataFrame, rules: set[str], hidden: dict[str, Layer]) -> gpd.GeoDataFrame:
    secret = (findings["rule"].isin(rules) | findings["layer"].isin(hidden)).to_numpy()
    blanked = findings.copy()
    for column in FINDING_COLUMNS:
        if column.name == "unchecked_share":
            # Rounded up to tenths: the text of the reason needs it.
            blanked.loc[secret, column.name] = np.ceil(blanked.loc[secret, column.name] * 10 - 1e-9) / 10
        elif column.name not in _KEPT:
            blanked.loc[secret, column.name] = np.nan if column.dtype == "float" else ""
    shapes = np.asarray(blanked.geometry.values, dtype=object)
    shapes[secret] = None
    return blanked.set_geometry(gpd.GeoSeries(shapes, index=blanked.index, crs=findings.crs))


def _problems(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Replace the problems by their number: their texts may name features or places of withheld layers."""
    if not problems:
        return ()
    what = Message("{count} notes on the data are left out, as they may name what is not public", count=len(problems))
    return (Problem("note", Message("public edition"), what, Message("see the internal edition")),)
