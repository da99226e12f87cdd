"""Corridor bands: how far a distance that a rule demands reaches from its baseline, for certain and possibly.

Buffers of the baselines that the rule uses, for the eye alone; whether a site is too near is decided by exact distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import matplotlib.colors
import numpy as np
import shapely

from lzgis.exports.fonts import printable, shortened
from lzgis.exports.paper.chart import FINEST_MM, Chart
from lzgis.exports.paper.frame import of_dimension
from lzgis.exports.paper.legend import Entry
from lzgis.exports.paper.mapped_site import Subject
from lzgis.exports.report_text import text
from lzgis.geometry import FeatureIndex
from lzgis.model.report import Layer
from lzgis.model.rules import Severity, Strength
from lzgis.rules.for_sites.baselines import BaselineFeatures, baseline_features
from lzgis.rules.for_sites.keep_away import KeepAway
from lzgis.rules.for_sites.plane import PlaneLayer

#: A band narrower than this on paper is not drawn; nor one that covers more of the map than this.
_LEAST_MM = 0.5
_MOST_OF_MAP = 0.55
_SIZE = 6.0


@dataclass(frozen=True, eq=False)
class Band:
    """A band of one rule, in the plane of the map: its baseline, what lies too near for certain, and what may."""

    rule: KeepAway
    baseline: Any
    certain: Any
    possible: Any

    @property
    def colour(self) -> str:
        """Blue for water advice, red for what is forbidden, orange else."""
        if self.rule.strength == Strength.ADVICE:
            return "#0277bd"
        return "#c2185b" if self.rule.severity == Severity.PROHIBITED else "#e07b00"


def bands_of(chart: Chart, subject: Subject) -> list[Band]:
    """Make the bands of the distances that the site fails to keep, and of the nearest constraint; widest first."""
    met = [*subject.conflicts, *subject.notices]
    wanted = {f["rule"] for f in met} | {text(subject.verdict.get("nearest_rule"))}
    rules = [r for r in chart.texts.report.book.rules if isinstance(r, KeepAway) and r.id in wanted]
    shown = [r for r in rules if _drawable(chart, max(r.distance_m, _most_assumed(r)))]
    bands = [_band(chart, rule) for rule in sorted(shown, key=lambda r: -r.distance_m)]
    seen: dict[bytes, Band] = {}
    for band in bands:
        if not band.certain.is_empty or not band.possible.is_empty:
            # Two rules may draw the same band; the first, that is the graver title in the book, names it.
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
    demanded = np.where(features.is_zone, rule.zone_distance_m, rule.distance_m) + features.known_m
    certain = _widened(features, demanded)
    assumes = features.assumed_m > 0
    possible = _widened(features, demanded + features.assumed_m, assumes) if assumes.any() else empty
    stated = (features.known_m > 0) | (shapely.get_dimensions(features.geometry) == 2)
    baseline = _widened(features, features.known_m, stated) if stated.any() else empty
    return Band(rule, baseline, certain, shapely.difference(possible, certain))


def _widened(features: BaselineFeatures, radius: Any, which: Any = slice(None)) -> Any:
    return shapely.union_all(shapely.buffer(features.geometry[which], radius[which], quad_segs=16))


def _near(chart: Chart, layer: Layer, reach_m: float) -> PlaneLayer:
    """Take what of a layer lies within reach of the map."""
    f = chart.frame
    bounds = (f.west - reach_m, f.south - reach_m, f.east + reach_m, f.north + reach_m)
    window = shapely.box(*bounds)
    degrees = chart.zone.unproject([window.segmentize(max(reach_m, 1000.0))])[0].bounds
    box = shapely.box(*degrees)
    rows = np.flatnonzero(shapely.intersects(shapely.envelope(layer.frame.geometry.to_numpy()), box))
    shapes = shapely.make_valid(
        shapely.clip_by_rect(chart.zone.project(layer.frame.geometry.to_numpy()[rows]), *bounds)
    )
    # What would not show on the baseline does not on its band either, and makes it slow to draw.
    shapes = shapely.simplify(shapes, FINEST_MM * chart.frame.m_per_mm)
    left = ~shapely.is_empty(shapes)
    return PlaneLayer(layer.id, layer.spec, layer.frame.iloc[rows[left]], FeatureIndex(shapes[left]))


def draw_bands(chart: Chart, bands: list[Band]) -> tuple[list[Entry], list[str]]:
    """Draw bands, certain ones tinted with a solid edge, possible ones dashed; return legend and notes."""
    entries: dict[str, Entry] = {}
    for band in bands:
        rgb, line = matplotlib.colors.to_rgb(band.colour), {"edgecolor": band.colour, "linewidth": 0.7}
        if _drawable(chart, band.rule.distance_m):
            share = shapely.intersection(band.certain, chart.page).area / chart.page.area
            tint = (*rgb, 0.15 if share < _MOST_OF_MAP else 0.04)
            chart.draw([band.certain], 2, 2.8, facecolor=tint, **line)
            entry = _entry(chart, band, "band_certain", facecolor=(*rgb, 0.15), **line)
            entries.setdefault("band_certain" + band.colour, entry)
        if not band.possible.is_empty and _drawable(chart, _most_assumed(band.rule)):
            look = {"facecolor": (*rgb, 0.04), **line, "linestyle": (0, (3, 2)), "hatch": "...."}
            chart.draw([band.possible], 2, 2.81, **look)
            entries.setdefault("band_possible" + band.colour, _entry(chart, band, "band_possible", **look))
        if not band.baseline.is_empty and _drawable(chart, band.rule.distance_m):
            edge = {"facecolor": "none", "edgecolor": "#5d4037", "linewidth": 0.7, "linestyle": (0, (6, 1.5))}
            chart.draw([band.baseline], 2, 2.85, **edge)
            entries.setdefault("baseline", _entry(chart, band, "baseline", **edge))
    over = [b for b in bands if shapely.intersection(b.certain, chart.page).area > 0.97 * chart.page.area]
    separator = chart.texts.words("picture", "separator")
    titles = separator.join(chart.texts.rule(band.rule.id) for band in over)
    return list(entries.values()), [chart.texts.words("paper", "band_covers", rules=titles)] if over else []


def _drawable(chart: Chart, width_m: float) -> bool:
    return width_m / chart.frame.m_per_mm >= _LEAST_MM


def _most_assumed(rule: KeepAway) -> float:
    return max(rule.assumed_half_width_m.values(), default=0.0)


def _entry(chart: Chart, band: Band, key: str, **look: Any) -> Entry:
    words, advice = chart.texts.words, band.rule.strength == Strength.ADVICE
    kind = words("strength", "advice") if advice else words("severity", band.rule.severity)
    return Entry(words("paper", key, kind=kind) if key != "baseline" else words("paper", key), "patch", look)


def label_bands(chart: Chart, bands: list[Band]) -> None:
    """Name each band on its edge, where there is room."""
    for band in bands:
        if not _drawable(chart, band.rule.distance_m):
            continue
        inner = shapely.buffer(chart.page, -4 * chart.frame.m_per_mm)
        lines, _ = of_dimension([shapely.intersection(shapely.boundary(band.certain), inner)], 1)
        places: list[tuple[float, float]] = []
        for line in sorted(lines, key=lambda one: -one.length)[:3]:
            points = shapely.line_interpolate_point(line, (0.12, 0.88, 0.3, 0.7, 0.5), normalized=True)
            places.extend((p.x, p.y) for p in points)
        title = shortened(printable(chart.texts.rule(band.rule.id)), 48.0, _SIZE)
        chart.name(title, places, look={"size": _SIZE, "color": band.colour}, reach_mm=6.0)
