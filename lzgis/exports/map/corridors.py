"""What the map draws around the opened site: corridor bands, and lines to the features that distances are measured to.

They are only drawn: the findings hold whether a site is too near, and its distance, computed exactly. A line whose length
differs from the distance of the finding is not drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lzgis.coordinates.plane import Geometries, Plane
from lzgis.exports.map.shapes import Drawing, fitted
from lzgis.exports.report_text import ReportText, number, records, text
from lzgis.exports.rounding import Rounding
from lzgis.geometry.overlay import buffered
from lzgis.geometry.threads import by_rows
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
# Tolerance of the lines that bands are drawn around, m, and segments of a quarter of a circle: for few sites, for hundreds.
_FINE, _ROUGH = (0.5, 8), (5.0, 3)
# A layer, and the position of a feature in it.
_Place = tuple[str, int]


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


@dataclass
class _Band:
    """The bands of a finding around one object: its features, and the window outside of which they are not drawn."""

    order: int
    site: str
    features: list[_Place]
    reach: Reach
    far_m: float
    margin_m: float
    label: str


class Surroundings:
    """Sites and features in the plane; what is needed of a layer is projected at once.

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
        self._objects: dict[str, tuple[list[str], dict[str, list[int]]]] = {}
        sites = report.sites
        usable = ~(sites.geometry.isna() | sites.geometry.is_empty)
        self.sites: dict[str, Any] = {}
        if usable.any():
            shapes = plane.project(sites.geometry[usable].to_numpy())
            self.sites = dict(zip(sites["id"][usable].astype(str), shapes, strict=True))

    def place(self, layer: str, feature_id: str) -> _Place | None:
        """Return the place of a feature; None if the report does not have it."""
        at = self._places.get(layer, {}).get(feature_id)
        return None if at is None else (layer, at)

    def whole(self, place: _Place) -> tuple[str, list[_Place]]:
        """Return a key and the places of the object that a feature belongs to, such as both carriageways of a road."""
        layer, at = place
        if layer not in self._objects:
            self._objects[layer] = self._grouped(layer)
        names, members = self._objects[layer]
        name = names[at] if names else ""
        return (f"group {name}", [(layer, one) for one in members[name]]) if name else (f"feature {at}", [place])

    def _grouped(self, layer: str) -> tuple[list[str], dict[str, list[int]]]:
        frame, group = self._report.layers[layer].frame, self._report.layers[layer].spec.group
        names = [text(one) for one in frame[group]] if group and group in frame.columns else []
        members: dict[str, list[int]] = {}
        for at, name in enumerate(names):
            members.setdefault(name, []).append(at)
        return names, members

    def features(self, places: Sequence[_Place]) -> Geometries:
        """Return the features at these places in the plane."""
        known: dict[_Place, Any] = {}
        needed = dict.fromkeys(places)
        for layer in dict.fromkeys(layer for layer, _ in needed):
            own = [at for one, at in needed if one == layer]
            shapes = self._plane.project(self._report.layers[layer].frame.geometry.to_numpy()[own])
            known |= {(layer, at): shape for at, shape in zip(own, shapes, strict=True)}
        return _array([known[place] for place in places])


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
    margin = _FAR_M if len(order) <= _FEW_SITES else _NEAR_M
    bands: dict[tuple[Any, ...], _Band] = {}
    measured: dict[Any, tuple[dict[str, Any], _Place, bool]] = {}
    # Only a finding with a distance to a feature has bands or a line.
    table = pd.DataFrame(findings.loc[(findings["feature_id"] != "").to_numpy(), list(_READ)])
    for index, row in zip(table.index, records(table, _READ), strict=True):
        place = around.place(row["layer"], row["feature_id"])
        if place is None or row["site_id"] not in around.sites or row["site_id"] not in order:
            continue
        is_nearest = row["state"] == State.CLEAR and row["rule"] == text(nearest.get(row["site_id"]))
        reach = reach_of(row)
        if reach is not None and _wanted(row, reach, is_nearest):
            name, features = around.whole(place)
            # Another rule may have the same bands around the same object.
            key = (order[row["site_id"]], row["layer"], name, reach)
            if key not in bands:
                bands[key] = _band(row, features, reach, order[row["site_id"]], margin)
        if number(row["distance_m"]) and (is_nearest or (reach is not None and row["state"] == State.INVOLVED)):
            measured[index] = (row, place, is_nearest)
    lines, line_of = _lines(texts, measured, (around, plane), order)
    # A tolerance below that of the lines would be without effect.
    steps_m = [step_m for step_m in _STEPS_M if step_m >= _fineness(around)[0]]
    return {"bands": _written(*_drawn(list(bands.values()), around), plane, steps_m), "lines": lines}, line_of


def _fineness(around: Surroundings) -> tuple[float, int]:
    """Return the tolerance of the lines that bands are drawn around, m, and the segments of a quarter of a circle."""
    return _FINE if len(around.sites) <= _FEW_SITES else _ROUGH


def _wanted(row: Mapping[str, Any], reach: Reach, is_nearest: bool) -> bool:
    if is_nearest or row["state"] == State.INVOLVED or row["reason"] == "activity-missing":
        return True
    distance = number(row["distance_m"])
    beyond = np.inf if distance is None else distance + reach.known - max(reach.certain, reach.possible)
    return bool(row["state"] == State.CLEAR and not row["reason"] and beyond <= _CLOSE_M)


def _band(row: Mapping[str, Any], features: list[_Place], reach: Reach, order: int, margin_m: float) -> _Band:
    """Return the bands of a finding; their window reaches beyond the farther edge and the feature."""
    far = max(reach.certain, reach.possible)
    window = max(far, (number(row["distance_m"]) or 0.0) + reach.known) + margin_m
    label = f"{number(row['required_m']):g}" if row["required_m"] else ""
    return _Band(order, row["site_id"], features, reach, far, window, label)


def _drawn(bands: Sequence[_Band], around: Surroundings) -> tuple[Geometries, list[dict[str, Any]]]:
    """Return the bands in the plane, certain and possible ones, and what the scripts read of each."""
    if not bands:
        return _array([]), []
    windows = _array([_windows(around.sites[band.site], band.margin_m) for band in bands])
    owner = np.repeat(np.arange(len(bands)), [len(band.features) for band in bands])
    number_of = {place: i for i, place in enumerate(dict.fromkeys(one for band in bands for one in band.features))}
    features = around.features(list(number_of))
    lines = shapely.get_dimensions(features) == 1
    tolerance_m, segments = _fineness(around)
    features[lines] = shapely.simplify(features[lines], tolerance_m, preserve_topology=False)
    which = [number_of[place] for band in bands for place in band.features]
    beyond = _array([_windows(around.sites[band.site], band.margin_m + band.far_m) for band in bands])
    near = by_rows(shapely.intersection, features[which], beyond[owner])
    met = ~shapely.is_empty(near)
    near, owner = near[met], owner[met]
    shapes, about = [], []
    for kind, radii in enumerate(([b.reach.certain for b in bands], [b.reach.possible for b in bands])):
        radius = np.array(radii)[owner]
        # A possible band without a distance does not exist; a certain one is the feature itself.
        own = np.flatnonzero(radius > 0) if kind else np.arange(len(owner))
        wide = by_rows(partial(_buffer, segments=segments), near[own], radius[own])
        numbers, merged = _merged(wide, owner[own])
        shapes.append(by_rows(shapely.intersection, merged, windows[numbers]))
        about += [{"s": bands[i].order, "m": bands[i].label, "k": kind} for i in numbers]
    return np.concatenate(shapes), about


def _buffer(shapes: Geometries, radius_m: npt.NDArray[np.float64], segments: int) -> Geometries:
    wide = buffered(shapes, radius_m, quad_segs=segments)
    return np.where(radius_m > 0, wide, shapes)


def _merged(shapes: Geometries, owner: npt.NDArray[np.int64]) -> tuple[list[int], Geometries]:
    """Return the owners in order, and the union of the shapes of each; those of an owner follow one another."""
    owners, first = np.unique(owner, return_index=True)
    runs = np.split(shapes, first[1:]) if len(owners) else []
    return owners.tolist(), _array([run[0] if len(run) == 1 else shapely.union_all(run) for run in runs])


def _windows(site: Any, margin_m: float) -> Any:
    """Return boxes around the parts of a site, which may be far apart, as wind turbines are."""
    west, south, east, north = shapely.bounds(shapely.get_parts([site])).T
    boxes = shapely.box(west - margin_m, south - margin_m, east + margin_m, north + margin_m)
    return boxes[0] if len(boxes) == 1 else shapely.union_all(boxes)


def _lines(
    texts: ReportText,
    measured: Mapping[Any, tuple[dict[str, Any], _Place, bool]],
    there: tuple[Surroundings, Plane],
    order: Mapping[str, int],
) -> tuple[list[list[Any]], dict[Any, int]]:
    """Return a line from a site to a feature for each finding, unless its length is not the distance of the finding."""
    if not measured:
        return [], {}
    around, plane = there
    rounding = Rounding(texts.report)
    features = around.features([place for _, place, _ in measured.values()])
    sites = _array([around.sites[row["site_id"]] for row, _, _ in measured.values()])
    shortest = by_rows(shapely.shortest_line, sites, features)
    length = shapely.length(shortest)
    distance = np.array([row["distance_m"] for row, _, _ in measured.values()], dtype=float)
    reaches = [reach_of(row) for row, _, _ in measured.values()]
    known = np.array([0.0 if reach is None else reach.known for reach in reaches])
    good = np.abs(length - known - distance) <= np.maximum(0.5, 0.01 * distance)
    # Where a half width is known, the line ends at the edge and not at the axis.
    ends = shapely.line_interpolate_point(shortest, distance / np.where(length > 0, length, 1.0), normalized=True)
    degrees = shapely.get_coordinates(plane.unproject(np.concatenate([shapely.get_point(shortest, 0), ends])))
    places = np.round(degrees[:, ::-1].reshape(2, -1, 2).transpose(1, 0, 2), 7).tolist()
    lines: list[list[Any]] = []
    line_of: dict[Any, int] = {}
    for (index, (row, _, is_nearest)), fits, place in zip(measured.items(), good, places, strict=True):
        if not fits:
            continue
        line_of[index] = len(lines)
        # The figure first: a long name is cut on the map.
        label = [texts.words("map", "length", m=rounding.metres(row["distance_m"], row["layer"]))]
        label.append(text(row["feature_name"]) or texts.layer(row["layer"]))
        lines.append([order[row["site_id"]], place, " ".join(label), int(is_nearest)])
    return lines, line_of


def _written(
    shapes: Geometries, about: Sequence[dict[str, Any]], plane: Plane, steps_m: Sequence[float]
) -> dict[str, Any]:
    """Write the bands: possible ones below certain ones, wide ones below narrow ones."""
    area = shapely.area(shapes)
    visible = [i for i in range(len(shapes)) if not shapely.is_empty(shapes[i])]
    visible.sort(key=lambda i: (about[i]["s"], -about[i]["k"], -area[i]))
    drawing = Drawing(plane.unproject(shapes[visible]) if visible else shapes[:0], plane, "own")
    (step_m,) = fitted([drawing], vertices=_VERTICES, steps_m=steps_m)
    return drawing.topology([about[i] for i in visible], step_deg=_STEP_DEG, step_m=step_m)


def _array(shapes: Sequence[Any]) -> Geometries:
    table: Geometries = np.empty(len(shapes), dtype=object)
    table[:] = shapes
    return table
