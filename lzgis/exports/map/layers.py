"""The layers of a city for the scripts of the map: shapes, styles and legend."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely

from lzgis.coordinates.plane import Geometries, Plane
from lzgis.exports.map.shapes import Drawing, fitted, topology_of
from lzgis.exports.report_text import ContextText, text
from lzgis.exports.symbology import Symbol, has_values, symbol_of
from lzgis.model.catalogue import LayerSpec
from lzgis.model.report import Layer, ReportContext

_VERTICES = 360_000
_WINDOW_VERTICES = 120_000
_STEP_DEG = 1e-5
_FINE_DEG = 1e-6
# A context layer with at most so many polygons, such as townships, has its names written on the map.
_NAMED = 60
# Pixels of a screen of 96 dots per inch; lines are seen from farther away than on paper.
_PX_PER_POINT, _PX_PER_MM = 1.33, 3.0
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def shown_layers(report: ReportContext) -> list[Layer]:
    """Return the layers that the catalogue shows and that have features, in its order."""
    return [layer for layer in report.layers.values() if layer.spec.style.shown and len(layer.frame) > 0]


class DrawnLayers(NamedTuple):
    """The shapes of the shown layers, which are the same in every language.

    Attributes
    ----------
    step_m : float
        The largest tolerance of simplification, in metres.
    topologies : sequence of mapping
        The shapes of each layer that `shown_layers` returns.
    """

    step_m: float
    topologies: Sequence[Mapping[str, Any]]


def drawn_layers(report: ReportContext, plane: Plane) -> DrawnLayers:
    """Simplify the shapes of every shown layer for the screen."""
    layers = shown_layers(report)
    drawings = [Drawing(_geometries(layer), plane) for layer in layers]
    steps_m = fitted(drawings, vertices=_VERTICES)
    topologies = []
    for layer, drawing, step_m in zip(layers, drawings, steps_m, strict=True):
        step_deg = _STEP_DEG if step_m >= 2 else _FINE_DEG
        properties = _properties(layer, drawing.geometries)
        topologies.append(drawing.topology(properties, step_deg=step_deg, step_m=step_m))
    return DrawnLayers(max(steps_m, default=0.0), topologies)


def window_layers(
    report: ReportContext, plane: Plane, bounds: tuple[float, float, float, float]
) -> tuple[float, dict[str, Any]]:
    """Return the shapes of the shown layers inside a window, by layer, and the largest tolerance of simplification in metres.

    Shapes are cut at the window, which must be larger than what is seen of it: their edges along it are no borders.

    Parameters
    ----------
    report : ReportContext
        Any report on the city.
    plane : Plane
        The plane of the city.
    bounds : tuple of float
        West, south, east and north in degrees.
    """
    ids, drawings, properties = [], [], []
    for layer in shown_layers(report):
        inside = np.sort(layer.frame.sindex.query(shapely.box(*bounds)))
        shapes = shapely.clip_by_rect(_geometries(layer)[inside], *bounds)
        some = ~(shapely.is_empty(shapes) | shapely.is_missing(shapes))
        labels = _labels(layer)
        ids.append(layer.id)
        drawings.append(Drawing(shapes[some], plane))
        properties.append([labels[i] for i in inside[some]])
    steps_m = fitted(drawings, vertices=_WINDOW_VERTICES)
    return max(steps_m, default=0.0), {
        name: drawing.topology(labels, step_deg=_FINE_DEG, step_m=step_m)
        for name, drawing, labels, step_m in zip(ids, drawings, properties, steps_m, strict=True)
    }


def layer_data(
    texts: ContextText, plane: Plane, *, coarse: frozenset[str] = frozenset()
) -> tuple[float, list[dict[str, Any]]]:
    """Return the largest tolerance of simplification in metres, and `layer_rows`."""
    drawn = drawn_layers(texts.context, plane)
    return drawn.step_m, layer_rows(texts, drawn, coarse=coarse)


def layer_rows(texts: ContextText, drawn: DrawnLayers, *, coarse: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Return shapes, style and legend of every shown layer.

    The layers in `coarse` are marked as coarsened.
    """
    layers = shown_layers(texts.context)
    written = [
        _layer(texts, layer, _geometries(layer)) | {"topology": topology}
        for layer, topology in zip(layers, drawn.topologies, strict=True)
    ]
    for one in written:
        if one["id"] in coarse:
            one["status"] = texts.words("map", "coarse")
    return written


def outline_data(report: ReportContext, plane: Plane) -> dict[str, Any]:
    """Return the outline of the city, outside of which the map is faded; empty if the city has none."""
    outline = report.layers.get(report.city.outline)
    shapes = np.empty(0, dtype=object) if outline is None else _geometries(outline)
    return topology_of(shapes, plane, vertices=4_000, step_deg=_STEP_DEG)


def missing_layers(texts: ContextText) -> list[str]:
    """Return the titles of the layers used by rules that the city lacks or that are empty."""
    report = texts.context
    wanted = dict.fromkeys(name for rule in report.book.rules for name in rule.layers)
    absent = [one for one in wanted if one not in report.layers or len(report.layers[one].frame) == 0]
    return [texts.layer(one) for one in absent]


def _geometries(layer: Layer) -> Geometries:
    return np.asarray(layer.frame.geometry.values, dtype=object)


def _labels(layer: Layer) -> list[dict[str, Any]]:
    """Return name, value, and index of the value in the legend, of each feature."""
    spec, values = layer.spec, _values(layer)
    place = {entry["value"]: i for i, entry in enumerate(_entries(layer, values))}
    return [
        {"t": name, "v": value, "e": place.get(value, -1)} if spec.style.by else {"t": name}
        for name, value in zip(_column(layer, "name", spec.name), values, strict=True)
    ]


def _properties(layer: Layer, shapes: Geometries) -> list[dict[str, Any]]:
    """Return the properties of each feature: its labels, and the point for its name."""
    spec, properties = layer.spec, _labels(layer)
    if spec.role == "context" and _kind(shapes, spec) == "polygon" and len(shapes) <= _NAMED:
        for one, spot in zip(properties, shapely.point_on_surface(shapes), strict=True):
            one["at"] = [round(spot.y, 5), round(spot.x, 5)]
    return properties


def _layer(texts: ContextText, layer: Layer, shapes: Geometries) -> dict[str, Any]:
    spec = layer.spec
    values = _values(layer)
    entries = _entries(layer, values)
    listed = {entry["value"] for entry in entries}
    return {
        "id": layer.id,
        "title": texts.layer(layer.id),
        "role": spec.role,
        "kind": _kind(shapes, spec),
        "style": _look(symbol_of(layer)),
        "entries": entries,
        "others": any(value not in listed for value in values) if spec.style.by else False,
        "status": "" if spec.status == "in-force" else texts.word("status", spec.status),
        "source": " ".join(filter(None, (spec.date.isoformat() if spec.date else "", spec.version))),
        "count": len(shapes),
    }


def _kind(shapes: Geometries, spec: LayerSpec) -> str:
    """Return the kind of the shapes, found from the shapes since the catalogue need not give it."""
    dimensions = shapely.get_dimensions(shapes)
    return ("point", "line", "polygon")[int(dimensions.max())] if len(dimensions) else spec.geometry


def _values(layer: Layer) -> list[str]:
    by = layer.spec.style.by
    return _column(layer, by, by) if by else [""] * len(layer.frame)


def _column(layer: Layer, *names: str) -> list[str]:
    for name in names:
        if name in layer.frame.columns:
            return [text(value) for value in layer.frame[name]]
    return [""] * len(layer.frame)


def _entries(layer: Layer, values: list[str]) -> list[dict[str, Any]]:
    """Return one line of the legend for each value that has a symbol of its own and occurs."""
    if not layer.spec.style.by or not has_values(layer):
        return []
    present = set(values)
    coloured = [v for v, c in layer.spec.style.colours.items() if v in present and _COLOUR.fullmatch(c)]
    return [{"value": value, "style": _look(symbol_of(layer, value))} for value in coloured]


def _look(symbol: Symbol) -> dict[str, Any]:
    """Return a symbol in pixels for the screen."""
    return {
        "fill": _safe(symbol.fill) if symbol.tint else "",
        "opacity": symbol.tint,
        "stroke": _safe(symbol.line),
        "width": round(symbol.width * _PX_PER_POINT, 2),
        "dash": " ".join(f"{part * symbol.width * _PX_PER_POINT:.1f}" for part in symbol.dash) or None,
        "casing": _safe(symbol.casing),
        "ribbon": round(symbol.ribbon_mm * _PX_PER_MM, 1),
    }


def _safe(colour: str) -> str:
    return colour if _COLOUR.fullmatch(colour) else ("#555555" if colour else "")
