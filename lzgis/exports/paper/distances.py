"""How far a site lies from what it is too near to, and from the nearest constraint that it does not hit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import shapely

from lzgis.exports.fonts import printable, shortened
from lzgis.exports.paper.chart import Chart
from lzgis.exports.paper.grid import covers
from lzgis.exports.paper.legend import Entry
from lzgis.exports.paper.mapped_site import Subject, metres
from lzgis.exports.report_text import number, text
from lzgis.model.catalogue import Baseline
from lzgis.model.report import State

_COLOUR = "#00695c"
_SIZE = 6.6


def draw_distances(chart: Chart, subject: Subject) -> tuple[list[Entry], list[Callable[[], bool]]]:
    """Draw how far the site lies from what it is too near to, and from the nearest constraint not hit.

    Returns
    -------
    entries : list of Entry
        The line of the legend.
    labels : list of callable
        Write the labels; called when those of the conflicts have their places.
    """
    rule = text(subject.verdict.get("nearest_rule"))
    near = [f for f in subject.of_state(State.CLEAR) if f["rule"] == rule and number(f["distance_m"])]
    close = [f for f in subject.conflicts if number(f["required_m"]) and number(f["distance_m"])]
    site = chart.zone.project([subject.geometry])[0]
    drawn: set[tuple[str, str]] = set()
    labels: list[Callable[[], bool]] = []
    for finding in [*close, *sorted(near, key=lambda f: f["distance_m"])[:1]]:
        key = (finding["layer"], finding["feature_id"])
        label = None if key in drawn else _draw_distance(chart, site, finding)
        if label is not None:
            drawn.add(key)
            labels.append(label)
    line = {"color": _COLOUR, "linewidth": 1.0}
    return [Entry(chart.texts.words("paper", "distance_line"), "line", line)] if drawn else [], labels


def _draw_distance(chart: Chart, site: Any, finding: dict[str, Any]) -> Callable[[], bool] | None:
    layer = chart.texts.report.layers.get(finding["layer"])
    if layer is None or not finding["feature_id"]:
        return None
    rows = np.flatnonzero(layer.frame["id"].astype(str).to_numpy() == finding["feature_id"])
    if not len(rows):
        return None
    feature = chart.zone.project(layer.frame.geometry.to_numpy()[rows[:1]])[0]
    known = number(finding["half_width_m"])
    if finding["baseline"] == Baseline.CENTRELINE_WITH_HALF_WIDTH and known:
        local = shapely.intersection(feature, shapely.buffer(site, finding["distance_m"] + 4 * known + 10))
        feature = shapely.buffer(feature if local.is_empty else local, known, quad_segs=16)
    start, end = shapely.get_coordinates(shapely.shortest_line(site, feature))[:2]
    if np.hypot(*(end - start)) < 0.8 * chart.frame.m_per_mm:
        return None
    target = printable(finding["feature_name"] or chart.texts.layer(finding["layer"]))
    facts = {"target": shortened(target, 34.0, _SIZE), "distance": metres(finding["distance_m"])}
    key = "distance_to" if covers(chart.frame, *end.tolist()) else "distance_beyond"
    label = chart.texts.words("paper", key, **facts)
    shown = end if key == "distance_to" else _at_edge(chart, start, end)
    arrow = {"arrowstyle": "<|-|>" if key == "distance_to" else "-|>", "color": _COLOUR, "linewidth": 0.9}
    ends = {"shrinkA": 0, "shrinkB": 0, "mutation_scale": 6}
    chart.axes.annotate("", shown, start, arrowprops={**arrow, **ends}, zorder=7)
    places = [tuple((start + (shown - start) * share).tolist()) for share in (0.5, 0.7, 0.35, 0.9)]
    look = {"size": _SIZE, "color": _COLOUR, "edge": _COLOUR}
    chart.avoid_along(np.array([shapely.LineString([start, shown])]))
    return partial(chart.name, label, [(x, y) for x, y in places], look=look)


def _at_edge(chart: Chart, start: Any, end: Any) -> Any:
    """Where a line towards something outside the map stops, a little inside its neat line."""
    inner = shapely.buffer(chart.page, -2.5 * chart.frame.m_per_mm, join_style="mitre")
    inside = shapely.intersection(shapely.LineString([start, end]), inner)
    there = shapely.get_coordinates(inside)
    return there[-1] if len(there) else end
