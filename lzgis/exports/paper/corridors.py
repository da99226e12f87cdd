"""Corridors on a detail map: bands of the distances that rules require, and lines to what lies near.

Bands are buffers of the baselines that the rules use. They are only drawn: whether a site is too near is computed from
exact distances.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import matplotlib.colors
import numpy as np
import shapely

from lzgis.exports.fonts import printable, shortened
from lzgis.exports.paper.chart import FINEST_MM, Chart
from lzgis.exports.paper.frame import of_dimension
from lzgis.exports.paper.grid import covers
from lzgis.exports.paper.legend import Entry
from lzgis.exports.paper.mapped_site import MappedSite, metres
from lzgis.exports.report_text import number, text
from lzgis.geometry import FeatureIndex, buffered
from lzgis.model.catalogue import Baseline
from lzgis.model.report import Layer, State
from lzgis.model.rules import Severity, Strength
from lzgis.rules.for_sites.baselines import BaselineFeatures, baseline_features
from lzgis.rules.for_sites.keep_away import KeepAway
from lzgis.rules.for_sites.plane import PlaneLayer

#: A band narrower than this on paper is not drawn; one that covers more of the map than this share gets a paler tint.
_MIN_BAND_MM = 0.5
_LARGE_SHARE = 0.55
#: Font sizes of labels in points, and the colour of distances.
_BAND_PT, _DISTANCE_PT = 6.0, 6.6
_DISTANCE_COLOUR = "#00695c"


@dataclass(frozen=True, eq=False)
class Band:
    """The band of one rule in the plane of the map: baseline, area certainly too near, area possibly too near."""

    rule: KeepAway
    baseline: Any
    certain: Any
    possible: Any

    @property
    def colour(self) -> str:
        """Blue for advice, red for prohibitions, orange otherwise."""
        if self.rule.strength == Strength.ADVICE:
            return "#0277bd"
        return "#c2185b" if self.rule.severity == Severity.PROHIBITED else "#e07b00"


def bands_of(chart: Chart, site: MappedSite) -> list[Band]:
    """Return the bands of the distances not kept by the site and of the nearest constraint, the widest first."""
    met = [*site.conflicts, *site.notices]
    wanted = {f["rule"] for f in met} | {text(site.verdict.get("nearest_rule"))}
    rules = [r for r in chart.texts.report.book.rules if isinstance(r, KeepAway) and r.id in wanted]
    shown = [r for r in rules if _drawable(chart, max(r.distance_m, _max_assumed_m(r)))]
    bands = [_band(chart, rule) for rule in sorted(shown, key=lambda r: -r.distance_m)]
    seen: dict[bytes, Band] = {}
    for band in bands:
        if not band.certain.is_empty or not band.possible.is_empty:
            # Two rules may have the same band; it is named for the first of them.
            seen.setdefault(shapely.to_wkb(band.certain) + shapely.to_wkb(band.possible), band)
    return list(seen.values())


def _band(chart: Chart, rule: KeepAway) -> Band:
    layers = chart.texts.report.layers
    reach = rule.reach_m + 60.0
    present = [_near(chart, layers[name], reach) for name in rule.layers if name in layers]
    by_id = {layer.id: layer for layer in present}
    widths, field = rule.assumed_half_width_m, rule.assumed_by
    features = baseline_features(
        present, by_id.get(rule.layer), rule.where, assumed_half_width_m=widths, assumed_by=field
    )
    empty = shapely.Polygon()
    if not len(features.geometry):
        return Band(rule, empty, empty, empty)
    demanded = np.where(features.is_zone, rule.from_zone_m, rule.distance_m) + features.known_m
    certain = _widened(features, demanded)
    assumes = features.assumed_m > 0
    possible = _widened(features, demanded + features.assumed_m, assumes) if assumes.any() else empty
    stated = (features.known_m > 0) | (shapely.get_dimensions(features.geometry) == 2)
    baseline = _widened(features, features.known_m, stated) if stated.any() else empty
    return Band(rule, baseline, certain, shapely.difference(possible, certain))


def _widened(features: BaselineFeatures, radius: Any, which: Any = slice(None)) -> Any:
    return shapely.union_all(buffered(features.geometry[which], radius[which]))


def _near(chart: Chart, layer: Layer, reach_m: float) -> PlaneLayer:
    """Return the part of a layer within `reach_m` of the map."""
    f = chart.frame
    bounds = (f.west - reach_m, f.south - reach_m, f.east + reach_m, f.north + reach_m)
    window = shapely.box(*bounds)
    degrees = chart.zone.unproject([window.segmentize(max(reach_m, 1000.0))])[0].bounds
    box = shapely.box(*degrees)
    rows = np.flatnonzero(shapely.intersects(shapely.envelope(layer.frame.geometry.to_numpy()), box))
    shapes = shapely.make_valid(
        shapely.clip_by_rect(chart.zone.project(layer.frame.geometry.to_numpy()[rows]), *bounds)
    )
    # Detail that would not show on the baseline does not show on its band either, and is slow to buffer.
    shapes = shapely.simplify(shapes, FINEST_MM * chart.frame.m_per_mm)
    left = ~shapely.is_empty(shapes)
    return PlaneLayer(layer.id, layer.spec, layer.frame.iloc[rows[left]], FeatureIndex(shapes[left]))


def draw_bands(chart: Chart, bands: list[Band]) -> tuple[list[Entry], list[str]]:
    """Draw the bands, certain ones tinted with a solid edge, possible ones dashed; return legend lines and notes."""
    entries: dict[str, Entry] = {}
    for band in bands:
        rgb, line = matplotlib.colors.to_rgb(band.colour), {"edgecolor": band.colour, "linewidth": 0.7}
        if _drawable(chart, band.rule.distance_m):
            share = shapely.intersection(band.certain, chart.page).area / chart.page.area
            tint = (*rgb, 0.15 if share < _LARGE_SHARE else 0.04)
            chart.draw([band.certain], 2, 2.8, facecolor=tint, **line)
            entry = _entry(chart, band, "band_certain", facecolor=(*rgb, 0.15), **line)
            entries.setdefault("band_certain" + band.colour, entry)
        if not band.possible.is_empty and _drawable(chart, _max_assumed_m(band.rule)):
            style = {"facecolor": (*rgb, 0.04), **line, "linestyle": (0, (3, 2)), "hatch": "...."}
            chart.draw([band.possible], 2, 2.81, **style)
            entries.setdefault("band_possible" + band.colour, _entry(chart, band, "band_possible", **style))
        if not band.baseline.is_empty and _drawable(chart, band.rule.distance_m):
            edge = {"facecolor": "none", "edgecolor": "#5d4037", "linewidth": 0.7, "linestyle": (0, (6, 1.5))}
            chart.draw([band.baseline], 2, 2.85, **edge)
            entries.setdefault("baseline", _entry(chart, band, "baseline", **edge))
    over = [b for b in bands if shapely.intersection(b.certain, chart.page).area > 0.97 * chart.page.area]
    separator = chart.texts.words("picture", "separator")
    titles = separator.join(chart.texts.rule(band.rule.id) for band in over)
    return list(entries.values()), [chart.texts.words("paper", "band_covers", rules=titles)] if over else []


def _drawable(chart: Chart, width_m: float) -> bool:
    return width_m / chart.frame.m_per_mm >= _MIN_BAND_MM


def _max_assumed_m(rule: KeepAway) -> float:
    return max(rule.assumed_half_width_m.values(), default=0.0)


def _entry(chart: Chart, band: Band, key: str, **style: Any) -> Entry:
    words, advice = chart.texts.words, band.rule.strength == Strength.ADVICE
    kind = words("strength", "advice") if advice else words("severity", band.rule.severity)
    return Entry(words("paper", key, kind=kind) if key != "baseline" else words("paper", key), "patch", style)


def label_bands(chart: Chart, bands: list[Band]) -> None:
    """Label each band on its edge where there is room."""
    for band in bands:
        if not _drawable(chart, band.rule.distance_m):
            continue
        inner = shapely.buffer(chart.page, -4 * chart.frame.m_per_mm)
        lines, _ = of_dimension([shapely.intersection(shapely.boundary(band.certain), inner)], 1)
        places: list[tuple[float, float]] = []
        for line in sorted(lines, key=lambda one: -one.length)[:3]:
            points = shapely.line_interpolate_point(line, (0.12, 0.88, 0.3, 0.7, 0.5), normalized=True)
            places.extend((p.x, p.y) for p in points)
        title = shortened(printable(chart.texts.rule(band.rule.id)), 48.0, _BAND_PT)
        chart.write_label(title, places, style={"size": _BAND_PT, "color": band.colour}, reach_mm=6.0)


def draw_distances(chart: Chart, site: MappedSite) -> tuple[list[Entry], list[Callable[[], bool]]]:
    """Draw the distances from the site to features that are too near, and to the nearest constraint not hit.

    Returns
    -------
    entries : list of Entry
        The line of the legend.
    labels : list of callable
        Functions that write the labels, to be called after the labels of conflicts are placed.
    """
    rule = text(site.verdict.get("nearest_rule"))
    near = [f for f in site.of_state(State.CLEAR) if f["rule"] == rule and number(f["distance_m"])]
    close = [f for f in site.conflicts if number(f["required_m"]) and number(f["distance_m"])]
    shape = chart.zone.project([site.geometry])[0]
    drawn: set[tuple[str, str]] = set()
    labels: list[Callable[[], bool]] = []
    for finding in [*close, *sorted(near, key=lambda f: f["distance_m"])[:1]]:
        key = (finding["layer"], finding["feature_id"])
        label = None if key in drawn else _draw_distance(chart, shape, finding)
        if label is not None:
            drawn.add(key)
            labels.append(label)
    line = {"color": _DISTANCE_COLOUR, "linewidth": 1.0}
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
        feature = buffered(np.array([feature if local.is_empty else local]), known)[0]
    start, end = shapely.get_coordinates(shapely.shortest_line(site, feature))[:2]
    if np.hypot(*(end - start)) < 0.8 * chart.frame.m_per_mm:
        return None
    target = printable(finding["feature_name"] or chart.texts.layer(finding["layer"]))
    facts = {
        "target": shortened(target, 34.0, _DISTANCE_PT),
        "distance": metres(finding["distance_m"], chart.texts, finding["layer"]),
    }
    key = "distance_to" if covers(chart.frame, *end.tolist()) else "distance_beyond"
    label = chart.texts.words("paper", key, **facts)
    shown = end if key == "distance_to" else _at_edge(chart, start, end)
    arrow = {"arrowstyle": "<|-|>" if key == "distance_to" else "-|>", "color": _DISTANCE_COLOUR, "linewidth": 0.9}
    ends = {"shrinkA": 0, "shrinkB": 0, "mutation_scale": 6}
    chart.axes.annotate("", shown, start, arrowprops={**arrow, **ends}, zorder=7)
    places = [tuple((start + (shown - start) * share).tolist()) for share in (0.5, 0.7, 0.35, 0.9)]
    style = {"size": _DISTANCE_PT, "color": _DISTANCE_COLOUR, "edge": _DISTANCE_COLOUR}
    chart.avoid_along(np.array([shapely.LineString([start, shown])]))
    return partial(chart.write_label, label, [(x, y) for x, y in places], style=style)


def _at_edge(chart: Chart, start: Any, end: Any) -> Any:
    """Return where a line towards a feature outside the map ends, 2.5 mm inside the neat line."""
    inner = shapely.buffer(chart.page, -2.5 * chart.frame.m_per_mm, join_style="mitre")
    inside = shapely.intersection(shapely.LineString([start, end]), inner)
    there = shapely.get_coordinates(inside)
    return there[-1] if len(there) else end
