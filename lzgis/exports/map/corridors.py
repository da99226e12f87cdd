"""What the map draws around the opened site: corridor bands, and lines to the features that distances are measured to.

They are only drawn: the findings hold whether a site is too near, and its distance, computed exactly. A line whose length
differs from the distance of the finding is not drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import shapely

from lzgis.coordinates.plane import Geometries, Plane
from lzgis.exports.map.shapes import simplified_to_fit, topology
from lzgis.exports.report_text import ReportText, number, records, text
from lzgis.exports.rounding import Rounding
from lzgis.model.catalogue import Baseline
from lzgis.model.report import Report, State

_STEP_DEG = 1e-6
# Columns of the findings that bands and lines are made from.
_READ = (
    *("site_id", "rule", "state", "reason", "layer", "feature_id", "feature_name", "baseline"),
    *("distance_m", "required_m", "required_possible_m", "half_width_m"),
)
_VERTICES = 60_000
_STEPS_M = (0.5, 1.0, 2.0, 5.0, 10.0)
# Margin around a site within which bands are drawn, m: to the edges of the screen for few sites, less for hundreds.
_FAR_M, _FEW_SITES, _NEAR_M = 1200.0, 60, 400.0
# A corridor that the site does not touch is drawn if it is at most this far away, m.
_CLOSE_M = 150.0
_ARC_SEGMENTS = 8


class Reach(NamedTuple):
    """How far a rule reaches from the geometry of a feature, m; `possible` is 0 without a possible band."""

    known: float
    certain: float
    possible: float


def reach_of(row: Mapping[str, Any]) -> Reach | None:
    """Return the reach of the rule of a finding; None if the finding has no distance to a feature.

    Examples
    --------
    >>> row = {"required_m": 20.0, "required_possible_m": 30.0, "half_width_m": 10.0, "baseline": "centreline"}
    >>> reach_of({**row, "feature_id": "R1"})
    Reach(known=0.0, certain=20.0, possible=30.0)
    """
    required = number(row["required_m"])
    if required is None or not row["feature_id"]:
        return None
    known = 0.0
    if row["baseline"] == Baseline.CENTRELINE_WITH_HALF_WIDTH:
        known = number(row["half_width_m"]) or 0.0
    possible = number(row["required_possible_m"]) or 0.0
    return Reach(known, required + known, possible + known if possible > required else 0.0)


class Surroundings:
    """Sites and features in the plane; features are projected on first use and cached.

    Parameters
    ----------
    report : Report
        The report with sites and layers.
    plane : Plane
        The plane that distances are measured in.
    """

    def __init__(self, report: Report, plane: Plane) -> None:
        self._report, self._plane = report, plane
        self._places = {
            name: {one: i for i, one in enumerate(layer.frame["id"].astype(str))}
            for name, layer in report.layers.items()
        }
        self._known: dict[tuple[str, int], Any] = {}
        sites = report.sites
        usable = ~(sites.geometry.isna() | sites.geometry.is_empty)
        self.sites: dict[str, Any] = {}
        if usable.any():
            shapes = plane.project(sites.geometry[usable].to_numpy())
            self.sites = dict(zip(sites["id"][usable].astype(str), shapes, strict=True))

    def feature(self, layer: str, feature_id: str) -> Any:
        """Return a feature; None if the report does not have it."""
        place = self._places.get(layer, {}).get(feature_id)
        return None if place is None else self._at(layer, place)

    def whole(self, layer: str, feature_id: str) -> tuple[str, list[Any]]:
        """Return a key and the features of the object that a feature belongs to, such as both carriageways of a road."""
        place = self._places.get(layer, {}).get(feature_id)
        if place is None:
            return "", []
        frame, group = self._report.layers[layer].frame, self._report.layers[layer].spec.group
        key = text(frame[group].iloc[place]) if group and group in frame.columns else ""
        if not key:
            return f"id {feature_id}", [self._at(layer, place)]
        which = np.flatnonzero((frame[group].map(text) == key).to_numpy())
        return f"group {key}", [self._at(layer, int(i)) for i in which]

    def _at(self, layer: str, place: int) -> Any:
        if (layer, place) not in self._known:
            shape = self._report.layers[layer].frame.geometry.iloc[place]
            self._known[layer, place] = self._plane.project([shape])[0]
        return self._known[layer, place]


def corridor_data(
    texts: ReportText, plane: Plane, findings: pd.DataFrame, order: Mapping[str, int]
) -> tuple[dict[str, Any], dict[Any, int]]:
    """Return bands and lines for the scripts, and the line of each finding by its index.

    Parameters
    ----------
    texts : ReportText
        The report.
    plane : Plane
        The plane that buffers are computed in.
    findings : DataFrame
        The findings, without missing texts.
    order : mapping
        Index of each site in the list.
    """
    around = Surroundings(texts.report, plane)
    nearest = dict(zip(texts.report.verdicts["site_id"], texts.report.verdicts["nearest_rule"], strict=True))
    rounding = Rounding(texts.report)
    margin = _FAR_M if len(order) <= _FEW_SITES else _NEAR_M
    bands: dict[tuple[Any, ...], tuple[Any, dict[str, Any]]] = {}
    lines: list[list[Any]] = []
    line_of: dict[Any, int] = {}
    measured = pd.DataFrame(findings[list(_READ)])
    for index, row in zip(measured.index, records(measured, _READ), strict=True):
        site = around.sites.get(row["site_id"])
        if site is None or row["site_id"] not in order:
            continue
        is_nearest = row["state"] == State.CLEAR and row["rule"] == text(nearest.get(row["site_id"]))
        reach = reach_of(row)
        if reach is not None and _wanted(row, reach, is_nearest):
            _add_bands(bands, row, (around, site, reach), (order[row["site_id"]], margin))
        if is_nearest or (reach is not None and row["state"] == State.INVOLVED):
            line = _line(row, site, around, reach)
            if line is not None:
                line_of[index] = len(lines)
                # The figure first: a long name is cut on the map.
                label = [texts.words("map", "length", m=rounding.metres(row["distance_m"] or 0.0, row["layer"]))]
                label.append(text(row["feature_name"]) or texts.layer(row["layer"]))
                lines.append([order[row["site_id"]], _degrees(line, plane), " ".join(label), int(is_nearest)])
    return {"bands": _written(bands, plane), "lines": lines}, line_of


def _wanted(row: Mapping[str, Any], reach: Reach, is_nearest: bool) -> bool:
    if is_nearest or row["state"] == State.INVOLVED or row["reason"] == "activity-missing":
        return True
    distance = number(row["distance_m"])
    beyond = np.inf if distance is None else distance + reach.known - max(reach.certain, reach.possible)
    return bool(row["state"] == State.CLEAR and not row["reason"] and beyond <= _CLOSE_M)


def _add_bands(
    bands: dict[tuple[Any, ...], tuple[Any, dict[str, Any]]],
    row: Mapping[str, Any],
    shapes: tuple[Surroundings, Any, Reach],
    place: tuple[int, float],
) -> None:
    """Add the bands of a finding, unless another rule has the same bands around the same object."""
    (around, site, reach), (order, margin) = shapes, place
    name, features = around.whole(row["layer"], row["feature_id"])
    key = (order, row["layer"], name, reach)
    if not features or key in bands:
        return
    far = max(reach.certain, reach.possible)
    distance = (number(row["distance_m"]) or 0.0) + reach.known
    window = _windows(site, max(far, distance) + margin)
    near = [shapely.intersection(one, _windows(site, max(far, distance) + margin + far)) for one in features]
    near = [one for one in near if not one.is_empty]
    if not near:
        return
    about = {"s": order, "m": f"{number(row['required_m']):g}" if row["required_m"] else ""}
    certain = _band(near, reach.certain, window)
    if reach.possible:
        bands[*key, "possible"] = (_band(near, reach.possible, window), {**about, "k": 1})
    bands[key] = (certain, {**about, "k": 0})


def _band(shapes: list[Any], radius_m: float, window: Any) -> Any:
    wide = shapely.buffer(shapes, radius_m, quad_segs=_ARC_SEGMENTS) if radius_m else shapes
    return shapely.intersection(shapely.union_all(wide), window)


def _windows(site: Any, margin_m: float) -> Any:
    """Return boxes around the parts of a site, which may be far apart, as wind turbines are."""
    west, south, east, north = shapely.bounds(shapely.get_parts([site])).T
    return shapely.union_all(shapely.box(west - margin_m, south - margin_m, east + margin_m, north + margin_m))


def _line(row: Mapping[str, Any], site: Any, around: Surroundings, reach: Reach | None) -> Any:
    """Return the line from the site to the feature; None if its length is not the distance of the finding."""
    feature, distance = around.feature(row["layer"], row["feature_id"]), number(row["distance_m"])
    if feature is None or not distance:
        return None
    line = shapely.shortest_line(site, feature)
    length, known = line.length, 0.0 if reach is None else reach.known
    if abs(length - known - distance) > max(0.5, 0.01 * distance):
        return None
    start, end = line.coords[0], line.interpolate(distance / length, normalized=True).coords[0]
    return shapely.LineString([start, end])


def _degrees(line: Any, plane: Plane) -> list[list[float]]:
    degrees = shapely.get_coordinates(plane.unproject([line])[0])
    return [[round(lat, 7), round(lon, 7)] for lon, lat in degrees.tolist()]


def _written(bands: Mapping[Any, tuple[Any, dict[str, Any]]], plane: Plane) -> dict[str, Any]:
    visible = [(shape, about) for shape, about in bands.values() if not shape.is_empty]
    # Possible bands are drawn below certain ones, wide ones below narrow ones.
    visible.sort(key=lambda one: (one[1]["s"], -one[1]["k"], -one[0].area))
    shapes: Geometries = np.empty(len(visible), dtype=object)
    shapes[:] = [shape for shape, _ in visible]
    degrees = plane.unproject(shapes) if visible else shapes
    fewer = simplified_to_fit([degrees], plane, vertices=_VERTICES, steps_m=_STEPS_M).groups[0]
    left = ~shapely.is_empty(fewer)
    about = [one for (_, one), keep in zip(visible, left, strict=True) if keep]
    return topology(fewer[left], about, step_deg=_STEP_DEG)
